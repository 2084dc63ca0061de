/* One pair's card and row. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"
#include "report/html.h"
#include "report/internal.h"
#include "pair/maps.h"

enum { LEVELS = 64 };
static const double DUST = 0.01;

const char *xfv_decision_word(const struct xfv_pairview *v)
{
    return v->accept < 0 ? "undecided" : v->accept ? "accept" : "reject";
}

const char *xfv_view_label(const struct xfv_pairview *v)
{
    return v->genuine < 0 ? "unlabelled" : v->genuine ? "genuine" : "impostor";
}

int xfv_is_right(const struct xfv_pairview *v)
{
    return v->accept < 0 || v->genuine < 0 ? -1 : v->accept == v->genuine;
}

static void put_id(FILE *f, const char *id)
{
    xfv_html_path(f, id, strlen(id));
}

/* ---- images ---- */

static int put_png(FILE *f, uint8_t *png, size_t n)
{
    fputs("\"data:image/png;base64,", f);
    xfv_base64(f, png, n);
    putc('"', f);
    free(png);
    return 0;
}

static void put_photo(FILE *f, const struct xfv_card *c, int side)
{
    const struct xfv_view_face *face = &c->x->view.face[side];
    xfv_faces_show(f, c->face[side], &face->image, "photo");
    fprintf(f, "<title>Face %c, %s", "AB"[side],
            face->has_image ? "as the network saw it: " : "of which the stream holds no picture: ");
    xfv_html_str(f, face->id);
    fputs("</title></svg>\n", f);
}

/* The photograph, its face framed. */
static void put_whole(FILE *f, const struct xfv_card *c, int side)
{
    if (c->whole[side] < 0) return;
    xfv_faces_show(f, c->whole[side], &c->photo[side], "whole");
    fprintf(f, "<title>The photograph of face %c</title></svg>\n", "AB"[side]);
}

/* Colours of a map, more opaque with its value: a dark end, so that peaks stand out on skin. Level 0 is clear. Green
 * and purple tell apart also where red and green do not. */
static void make_palette(int minus, uint8_t rgba[LEVELS][4])
{
    static const double low[2][3] = {{140, 226, 92}, {242, 150, 210}}, high[2][3] = {{8, 112, 52}, {150, 12, 110}};
    for (int i = 0; i < LEVELS; i++) {
        double t = (double)i / (LEVELS - 1);
        const double *from = low[minus], *to = high[minus];
        for (int c = 0; c < 3; c++) rgba[i][c] = xfv_to_byte(from[c] + t * (to[c] - from[c]) + 0.5);
        rgba[i][3] = xfv_to_byte(255 * pow(t, 0.75));
    }
}

/* The region with the largest share for its area among those not used; -1: none has clearly more than a map that knows
 * nothing. */
static int densest(const struct xfv_region_shares *s, const struct xfv_region_shares *area, const int *used)
{
    int best = -1;
    for (int k = 0; k < XFV_REGIONS; k++) {
        if (used[k] || !(s->share[k] >= 0.05) || !(area->share[k] > 0) || s->share[k] < 1.25 * area->share[k]) continue;
        if (best < 0 || s->share[k] / area->share[k] > s->share[best] / area->share[best]) best = k;
    }
    return best;
}

/* Where a map has more than its area would hold: "densest on the nose (16 % of the map on 5 % of the picture), brows
 * (12 % on 6 %)"; "mostly" where that region holds more than half. */
static void dense_regions(const struct xfv_region_shares *s, const struct xfv_region_shares *area, char *buf,
                          size_t cap)
{
    int used[XFV_REGIONS] = {0}, k;
    size_t n = 0;
    snprintf(buf, cap, "spread as evenly as a map that knows nothing");
    for (int place = 0; place < 3 && n < cap && (k = densest(s, area, used)) >= 0; place++) {
        const char *before = place ? ", " : s->share[k] > 0.5 ? "mostly " : "densest ";
        int out = k == XFV_REGION_OUTSIDE;
        used[k] = 1;
        int wrote = snprintf(buf + n, cap - n, "%s%s%s (%.0f\u00a0%%%s on %.0f\u00a0%%%s)", before,
                             place || out ? "" : "on the ", out ? "outside the face" : xfv_region_names[k],
                             100 * s->share[k], place ? "" : " of the map", 100 * area->share[k],
                             place ? "" : " of the picture");
        n += wrote > 0 ? (size_t)wrote : 0;
    }
}

/* This map's part of what S+ and S- of the face hold together, 0..1; 0 for none. Under 1 % it is dust: where it lies
 * means nothing. */
static double part_of_evidence(const struct xfv_row_regions *z, int side, int sign)
{
    double own = z->part[side][sign].has ? z->part[side][sign].shares.mass : 0,
           other = z->part[side][!sign].has ? z->part[side][!sign].shares.mass : 0;
    return own > 0 ? own / (own + other) : 0;
}

static double shown_share(const struct xfv_row_regions *z, int side, int sign, int zone)
{
    return part_of_evidence(z, side, sign) < DUST ? NAN : z->part[side][sign].shares.share[zone];
}

/* What the map of this face and sign shows, in words. */
static void map_words(const struct xfv_card *c, int row, int side, int sign, char *buf, size_t cap)
{
    const struct xfv_row_regions *z = &c->x->row[row];
    char where[240];
    const struct xfv_view_row *r = &c->x->view.row[row];
    const struct xfv_view_map *m = &r->map[side][r->signed_key[0] ? 0 : sign];
    double part = part_of_evidence(z, side, sign);
    if (!z->part[side][sign].has) {
        snprintf(buf, cap, "no map that can be drawn");
        return;
    }
    if (m->state == XFV_CONSTANT || m->state == XFV_NOISE || m->state == XFV_OTHER_PAIR || !(part > 0)) {
        snprintf(buf, cap, "empty%s", m->state == XFV_CONSTANT ? ": the map is the same everywhere"
                                      : m->state == XFV_NOISE ? ": the map is no larger than its rounding noise"
                                      : m->state == XFV_OTHER_PAIR ? ": the map is of other photographs" : "");
        return;
    }
    dense_regions(&z->part[side][sign].shares, &c->x->area[side], where, sizeof where);
    if (c->x->generic) snprintf(buf, cap, "%.0f\u00a0%% of the evidence on this picture", 100 * part);
    else if (part < DUST) snprintf(buf, cap, "next to nothing (%.1g\u00a0%% of the evidence on this face)", 100 * part);
    else if (part > 0.995) snprintf(buf, cap, "%s; %sall the evidence on this face", where, part < 1 ? "nearly " : "");
    else snprintf(buf, cap, "%s; %.0f\u00a0%% of the evidence on this face", where, 100 * part);
}

/* Levels of the map's part of this sign: u8 [*h][*w], of every `step` x `step` pixels the mean. NULL: out of memory. A
 * map of zeros is one pixel. */
static uint8_t *map_levels(const struct xfv_view_map *m, const struct xfv_image *im, int step, int negative, int *w,
                           int *h)
{
    int some = 0;
    *w = (im->width + step - 1) / step, *h = (im->height + step - 1) / step;
    uint8_t *index = malloc((size_t)*w * (size_t)*h);
    for (int y = 0; index && y < *h; y++) {
        for (int x = 0; x < *w; x++) {
            double sum = 0;
            int n = 0;
            for (int k = 0; k < step * step; k++) {
                int u = step * x + k % step, v = step * y + k / step;
                if (u >= im->width || v >= im->height) continue;
                double at = m->v[(size_t)v * (size_t)im->width + (size_t)u];
                sum += fmax(0, negative ? -at : at), n++;
            }
            double t = m->scale > 0 ? sum / n / m->scale : 0;
            uint8_t level = xfv_to_byte((t > 1 ? 1 : t) * (LEVELS - 1) + 0.5);
            index[(size_t)y * (size_t)*w + (size_t)x] = level;
            some |= level;
        }
    }
    if (!some) *w = *h = 1;
    return index;
}

static int put_map(FILE *f, const struct xfv_card *c, int row, int side, int sign, struct xfv_err *e)
{
    const struct xfv_view_row *r = &c->x->view.row[row];
    const struct xfv_view_map *m = &r->map[side][r->signed_key[0] ? 0 : sign];
    const struct xfv_image *im = &c->x->view.face[side].image;
    int step = c->sigma >= 2 ? 2 : 1, w, h; /* what is blurred so far loses nothing */
    size_t size;
    uint8_t rgba[LEVELS][4], *png, *index = m->v ? map_levels(m, im, step, r->signed_key[0] && sign, &w, &h) : NULL;
    char words[400];
    if (!m->v) return 0;
    if (!index) return xfv_fail(e, XFV_ENOMEM, "no memory for a map");
    make_palette(sign, rgba);
    int status =
        xfv_image_encode_png_indexed(index, w, h, (const uint8_t(*)[4])rgba, w * h > 1 ? LEVELS : 1, &png, &size, e);
    free(index);
    if (status) return status;
    map_words(c, row, side, sign, words, sizeof words);
    fprintf(f, "<img class=\"map mm m%d %s\" decoding=\"async\" alt=\"%s of face %c by ", c->method[row],
            sign ? "minus" : "plus", sign ? "S-, dissimilarity," : "S+, similarity,", "AB"[side]);
    xfv_html_str(f, r->method);
    fprintf(f, ": %s\" src=", words);
    put_png(f, png, size);
    fputs(">\n", f);
    return 0;
}

static int put_face(FILE *f, const struct xfv_card *c, int side, struct xfv_err *e)
{
    const struct xfv_pairview *v = &c->x->view;
    fprintf(f, "<figure class=\"face\">\n<div class=\"stack\">\n");
    int status = 0;
    put_photo(f, c, side);
    for (int i = 0; i < v->n_rows && !status; i++)
        for (int sign = 0; sign < 2 && !status; sign++)
            if (c->method[i] >= 0) status = put_map(f, c, i, side, sign, e);
    fputs("</div>\n", f);
    put_whole(f, c, side);
    fprintf(f, "<figcaption><b>%c</b> <span class=\"id\">", "AB"[side]);
    put_id(f, v->face[side].id);
    fputs("</span>", f);
    if (v->face[side].doubt[0]) {
        fputs("\n<strong class=\"doubt\">", f);
        xfv_html_str(f, v->face[side].doubt);
        fputs("</strong>", f);
    }
    for (int i = 0; i < v->n_rows && !status; i++) {
        for (int sign = 0; sign < 2 && c->method[i] >= 0; sign++) {
            char words[400];
            map_words(c, i, side, sign, words, sizeof words);
            fprintf(f, "\n<span class=\"words mm m%d %s\"><i class=\"dot\"></i>%s: %s</span>", c->method[i],
                    sign ? "minus" : "plus", sign ? "S&minus;" : "S+", words);
        }
    }
    fputs("</figcaption></figure>\n", f);
    return status;
}

/* ---- numbers ---- */

/* What the trials of a row's maps found. The mark is a shape, not a colour alone. */
static void put_trials(FILE *f, const struct xfv_card *c, int row)
{
    const struct xfv_view_row *r = &c->x->view.row[row];
    for (int k = 0; k < 2; k++) {
        char words[512];
        if (!r->trial[k].has) continue;
        int stands = xfv_verdict_stands(&r->trial[k].v);
        xfv_verdict_words(&r->trial[k].v, r->method, words, sizeof words);
        fprintf(f, "<p class=\"trial mm m%d\">%s %s: ", c->method[row], stands ? XFV_MARK_STANDS : XFV_MARK_FALLS,
                k ? "S&minus;" : "S+");
        xfv_html_str(f, words);
        const struct xfv_verdict *v = &r->trial[k].v;
        if (v->state == XFV_TRIED && fabs(v->threshold - c->x->view.threshold) > 1e-9)
            fprintf(f, " It was tried at the threshold %s.", xfv_number_text(v->threshold, 3, words, sizeof words));
        fputs("</p>\n", f);
    }
}

static void put_decision(FILE *f, const struct xfv_pairview *v)
{
    int right = xfv_is_right(v);
    double apart = fabs(v->score - v->threshold);
    int digits = apart < 0.0005 ? 6 : 3;
    char score[40], threshold[40], by[40];
    fprintf(f, "<p class=\"decision\">");
    if (v->accept < 0) fputs("No decision in the stream", f);
    else fprintf(f, "<b>%s</b> as the same person", v->accept ? "Accepted" : "Not accepted");
    if (isfinite(v->score) && isfinite(v->threshold) && apart > 0)
        fprintf(f, ": the score %s is %s the threshold %s by %s.",
                xfv_number_text(v->score, digits, score, sizeof score),
                v->score > v->threshold ? "above" : "below",
                xfv_number_text(v->threshold, digits, threshold, sizeof threshold),
                xfv_number_text(apart, digits, by, sizeof by));
    else if (isfinite(v->score) && isfinite(v->threshold))
        fprintf(f, ": the score is the threshold, %s.", xfv_number_text(v->score, 3, score, sizeof score));
    else fputs(".", f);
    if (v->genuine >= 0) fprintf(f, " The list says they are %s", v->genuine ? "the same person" : "different people");
    if (right >= 0)
        fprintf(f, right ? ": right." : ": <strong class=\"wrong\">wrong, a false %s</strong>.",
                v->accept ? "match" : "non-match");
    else if (v->genuine >= 0) fputs(".", f);
    if (v->label[0]) {
        fputs(" Label: ", f);
        xfv_html_str(f, v->label);
        fputs(".", f);
    }
    fputs("</p>\n", f);
}

/* A region's share with its area as a tick; NaN: a dash. */
static void put_bar(FILE *f, double share, double area, double full, const char *class)
{
    fprintf(f, "<span class=\"share %s\">", class);
    if (isfinite(share))
        fprintf(f,
                "<svg class=\"bar\" aria-hidden=\"true\"><rect width=\"%.1f%%\"/><rect x=\"%.1f%%\"/></svg>%.0f %%",
                100 * share / full, 100 * area / full, 100 * share);
    else fputs("<span class=\"bar\"></span>&ndash;", f);
    fputs("</span>", f);
}

/* Full length of the bars: the largest share, up to a tenth. */
static double full_share(const struct xfv_card *c, int row)
{
    double most = 0.2;
    for (int k = 0; k < 4 * XFV_REGIONS; k++) {
        int side = k / 2 % 2, sign = k % 2, zone = k / 4;
        most = fmax(most, shown_share(&c->x->row[row], side, sign, zone)); /* fmax leaves NaN out */
        most = fmax(most, c->x->area[side].share[zone]);
    }
    return ceil(most * 10) / 10;
}

static void put_regions(FILE *f, const struct xfv_card *c, int row)
{
    double full = full_share(c, row);
    fprintf(f,
            "<table class=\"regions mm m%d\"><thead><tr><th scope=\"col\">Share by region</th><th scope=\"col\">Face "
            "A</th><th scope=\"col\">Face B</th></tr></thead><tbody>\n",
            c->method[row]);
    for (int k = 0; k < XFV_REGIONS; k++) {
        fprintf(f, "<tr><th scope=\"row\">%s</th>", xfv_region_names[k]);
        for (int side = 0; side < 2; side++) {
            fputs("<td>", f);
            for (int sign = 0; sign < 2; sign++) {
                static const char *const classes[2][2] = {{"plus", "minus"}, {"plus none", "minus none"}};
                int none = isnan(shown_share(&c->x->row[row], 0, sign, k)) &&
                           isnan(shown_share(&c->x->row[row], 1, sign, k));
                put_bar(f, shown_share(&c->x->row[row], side, sign, k), c->x->area[side].share[k], full,
                        classes[none][sign]);
            }
            fputs("</td>", f);
        }
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table>\n", f);
}

static void put_card_head(FILE *f, const struct xfv_card *c)
{
    const struct xfv_pairview *v = &c->x->view;
    fprintf(f,
            "<article class=\"card\" id=\"p%zu\" tabindex=\"-1\" aria-labelledby=\"t%zu\">\n<header><h2 "
            "id=\"t%zu\"><span class=\"number\">%zu</span> <span class=\"id\">",
            c->number, c->number, c->number, c->number);
    xfv_html_path(f, c->id, c->n_id);
    fprintf(f, "</span></h2><span class=\"badge %s\">%s</span>", xfv_decision_word(v),
            v->accept < 0 ? "no decision"
            : v->accept   ? "accepted"
                          : "rejected");
    if (xfv_is_right(v) == 0)
        fprintf(f, "<span class=\"badge wrong\">false %s</span>", v->accept ? "match" : "non-match");
    if (c->group_name) {
        fputs("<span class=\"badge group\">", f);
        xfv_html_str(f, c->group_name);
        fputs("</span>", f);
    }
    fprintf(f,
            "<span class=\"links\"><label><input type=\"checkbox\" class=\"pick\"> print</label> <a id=\"%s\" "
            "href=\"#%s\">link to this pair</a> <a href=\"#s%d\">how it was made</a></span></header>\n",
            c->key, c->key, c->segment);
}

/* What stands in noscript is text to a browser with scripts, cheap until report.js makes elements of it. */
int xfv_card_write(FILE *f, const struct xfv_card *c, struct xfv_err *e)
{
    const struct xfv_pairview *v = &c->x->view;
    char none[128];
    put_card_head(f, c);
    fputs("<noscript><div class=\"body\">\n<div class=\"faces\">\n", f);
    int status = put_face(f, c, 0, e);
    if (!status) status = put_face(f, c, 1, e);
    fputs("</div>\n<div class=\"facts\">\n", f);
    put_decision(f, v);
    for (int i = 0; i < v->n_rows; i++)
        if (c->method[i] >= 0) put_trials(f, c, i);
    if (isfinite(v->score)) xfv_scale_write(f, c->scale, 88, v->score, v->threshold);
    for (int i = 0; i < v->n_rows; i++)
        if (c->method[i] >= 0 && !c->x->generic) put_regions(f, c, i);
    if (v->problem[0] || !v->n_rows) {
        fputs("<p class=\"note\">", f);
        xfv_html_str(f, v->problem[0] ? v->problem : xfv_maps_none(NULL, none, sizeof none));
        fputs("</p>\n", f);
    }
    fputs("</div>\n</div></noscript>\n</article>\n", f);
    return status;
}

/* A cell with a number: as it is shown, and in full for sorting and export. */
static void put_number_cell(FILE *f, double v)
{
    char text[40];
    if (isfinite(v)) fprintf(f, "<td class=\"n\" data-v=\"%.9g\">%s</td>", v, xfv_number_text(v, 4, text, sizeof text));
    else fputs("<td class=\"n\"></td>", f);
}

void xfv_card_row(FILE *f, const struct xfv_card *c)
{
    const struct xfv_pairview *v = &c->x->view;
    int right = xfv_is_right(v);
    fprintf(f,
            "<tr data-card=\"p%zu\" data-decision=\"%s\" data-label=\"%s\" data-right=\"%d\" data-group=\"%d\"><td "
            "class=\"n\">%zu<input type=\"checkbox\" class=\"pick js\" aria-label=\"Print pair %zu\"></td><td><a "
            "href=\"#%s\">",
            c->number, xfv_decision_word(v), xfv_view_label(v), right, c->group, c->number, c->number, c->key);
    put_id(f, v->face[0].id[0] ? v->face[0].id : "?");
    fputs("</a></td><td>", f);
    put_id(f, v->face[1].id[0] ? v->face[1].id : "?");
    fputs("</td>", f);
    put_number_cell(f, v->score);
    put_number_cell(f, v->threshold);
    fprintf(f, "<td>%s</td><td>", v->accept < 0 ? "none" : v->accept ? "accepted" : "rejected");
    if (v->label[0]) xfv_html_str(f, v->label);
    else fputs(v->genuine < 0 ? "" : v->genuine ? "same" : "different", f);
    fprintf(f, "</td><td>%s</td>",
            right < 0   ? ""
            : right     ? "right"
            : v->accept ? "<strong class=\"wrong\">false match</strong>"
                        : "<strong class=\"wrong\">false non-match</strong>");
    if (c->group_name) {
        fputs("<td>", f);
        xfv_html_str(f, c->group_name);
        fputs("</td>", f);
    }
    fputs("</tr>\n", f);
}
