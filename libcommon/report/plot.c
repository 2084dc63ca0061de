/* The audit's figures, drawn as SVG. */
#include <math.h>

#include "report/html.h"
#include "report/internal.h"

/* ---- a score's scale ---- */

double xfv_scale_at(const struct xfv_scale *s, double v)
{
    double t = (v - s->lo) / (s->hi - s->lo);
    return t > 0 ? t < 1 ? t : 1 : 0; /* 0 of NaN, too */
}

/* A text below the scale, kept inside at the ends. */
static void scale_text(FILE *f, const char *class, double t, int y, const char *what, double v)
{
    char number[40];
    fprintf(f, "<text class=\"%s\" x=\"%.2f%%\" y=\"%d\" text-anchor=\"%s\">%s%s</text>", class, 100 * t, y,
            t < 0.12   ? "start"
            : t > 0.88 ? "end"
                       : "middle",
            what, xfv_number_text(v, what[0] ? 3 : 1, number, sizeof number));
}

static void scale_words(FILE *f, const struct xfv_scale *s, double score, double threshold)
{
    char a[40], b[40];
    if (isfinite(score)) fprintf(f, "Score %s", xfv_number_text(score, 3, a, sizeof a));
    else fputs("How the scores lie", f);
    if (isfinite(threshold))
        fprintf(f, ", %sthe threshold %s", !isfinite(score) ? "" : score >= threshold ? "at or above " : "below ",
                xfv_number_text(threshold, 3, a, sizeof a));
    fprintf(f, ", on a scale from %s to %s", xfv_number_text(s->lo, 1, a, sizeof a),
            xfv_number_text(s->hi, 1, b, sizeof b));
}

void xfv_scale_write(FILE *f, const struct xfv_scale *s, int height, double score, double threshold)
{
    int top = isfinite(score) ? 18 : 2, base = height - 34;
    fprintf(f, "<svg class=\"scale\" width=\"100%%\" height=\"%d\" role=\"img\" aria-label=\"", height);
    scale_words(f, s, score, threshold);
    fprintf(f,
            "\"><svg y=\"%d\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 1000 100\" preserveAspectRatio=\"none\">"
            "<use href=\"#dist\"/></svg><line class=\"axis\" x1=\"0\" x2=\"100%%\" y1=\"%d\" y2=\"%d\"/>",
            top, base - top, base, base);
    for (int i = 0; i <= 20; i++) {
        double t = s->lo + i * s->step;
        if (!(t < s->hi + s->step / 2)) break;
        scale_text(f, "tick", xfv_scale_at(s, t), base + 15, "", fabs(t) < 1e-9 ? 0 : t);
    }
    if (isfinite(threshold)) {
        double th = xfv_scale_at(s, threshold);
        fprintf(f, "<line class=\"threshold\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>", 100 * th, 100 * th,
                top, base + 4);
        scale_text(f, "threshold", th, base + 31, "threshold ", threshold);
    }
    if (isfinite(score)) {
        double at = xfv_scale_at(s, score);
        fprintf(f, "<circle class=\"score\" cx=\"%.2f%%\" cy=\"%d\" r=\"6\"/>", 100 * at, base);
        scale_text(f, "score", at, 12, "score ", score);
    }
    fputs("</svg>\n", f);
}

/* ---- DET ---- */

enum { WIDTH = 440, HEIGHT = 340, LEFT = 62, RIGHT = 26, TOP = 10, BOTTOM = 46 };

/* The power of ten below the least rate that n pairs can show. */
static double least_rate(size_t n)
{
    double p = n ? floor(log10(0.7 / (double)n)) : -1;
    return pow(10, p < -8 ? -8 : p > -1 ? -1 : p);
}

/* 0..1 on a logarithmic axis from lo to 1; 0 for less, also for 0. */
static double along(double rate, double lo)
{
    return rate > lo && rate > 0 ? 1 - log10(rate) / log10(lo) : 0;
}

static double place_x(double rate, double lo)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * along(rate, lo);
}

static double place_y(double rate, double lo)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * along(rate, lo);
}

static const char *tick_text(double rate, char buf[24])
{
    snprintf(buf, 24, "%.6g", 100 * rate);
    return buf;
}

static void det_axes(FILE *f, double lo_x, double lo_y)
{
    char text[24];
    for (double v = 1; v > 0.99 * lo_x; v /= 10)
        fprintf(f,
                "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s "
                "%%</text>",
                place_x(v, lo_x), TOP, HEIGHT - BOTTOM, place_x(v, lo_x), HEIGHT - BOTTOM + 17, tick_text(v, text));
    for (double v = 1; v > 0.99 * lo_y; v /= 10)
        fprintf(f, "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s %%</text>",
                LEFT, place_y(v, lo_y), WIDTH - RIGHT, LEFT - 7, place_y(v, lo_y) + 4, tick_text(v, text));
    fprintf(f,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">FMR: different people accepted</text>"
            "<text x=\"%d\" y=\"14\" text-anchor=\"middle\" transform=\"rotate(-90)\">FNMR: one person rejected</text>",
            (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, -(TOP + HEIGHT - BOTTOM) / 2);
}

static void det_curve(FILE *f, const struct xfv_roc_point *v, size_t n, double lo_x, double lo_y)
{
    double x = place_x(0, lo_x), y = place_y(1, lo_y);
    fprintf(f, "<path class=\"det\" d=\"M%.1f %.1f", x, y);
    for (size_t i = 0; i < n; i++) { /* a step at a time, where it can be seen */
        double u = place_x(v[i].fmr, lo_x), w = place_y(v[i].fnmr, lo_y);
        if (fabs(u - x) < 0.4 && fabs(w - y) < 0.4 && i + 1 < n) continue;
        if (fabs(u - x) >= 0.05) fprintf(f, "H%.1f", u);
        if (fabs(w - y) >= 0.05) fprintf(f, "V%.1f", w);
        x = u, y = w;
    }
    fputs("\"/>", f);
}

void xfv_det_write(FILE *f, const struct xfv_roc_point *v, size_t n, size_t genuine, size_t impostor,
                   const struct xfv_det_mark *mark, int n_marks)
{
    double lo_x = least_rate(impostor), lo_y = least_rate(genuine);
    fprintf(f,
            "<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"DET curve: the false non-match rate "
            "against the false match rate as the threshold moves",
            WIDTH, HEIGHT);
    for (int i = 0; i < n_marks; i++) {
        char a[24], b[24];
        fprintf(f, "; %s: FMR %s %%, FNMR %s %%", mark[i].words, xfv_percent_text(mark[i].fmr, a, sizeof a),
                xfv_percent_text(mark[i].fnmr, b, sizeof b));
    }
    fputs("\">", f);
    det_axes(f, lo_x, lo_y);
    det_curve(f, v, n, lo_x, lo_y);
    for (int i = n_marks - 1; i >= 0; i--) {
        double x = place_x(mark[i].fmr, lo_x), y = place_y(mark[i].fnmr, lo_y);
        int left = x > 0.6 * WIDTH;
        fprintf(f, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>", i ? "mark" : "mark used", x, y);
        if (!i)
            fprintf(f, "<text class=\"used\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", left ? x - 9 : x + 9,
                    y - 8, left ? "end" : "start", mark[i].words);
    }
    fputs("</svg>\n", f);
}
