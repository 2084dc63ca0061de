/* The layout, from the top: the decision; a row with both faces and what is known of each; a row of maps for each
 * method with its name at the left and its colour bar at the right; the legend. Two columns belong to each face. For a
 * page the names stand above their rows, and in one column B's tiles below A's. All lengths grow with the tiles (unit
 * `u`). */
#include "report/figure_internal.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"
#include "image/blur.h"
#include "pair/maps.h"

enum {
    LABEL = 124,
    BAR = 88,
    GAP = 8,
    GROUP_GAP = 28,
    MARGIN = 20,
    HEADER = 66,
    TITLE = 24,
    CAPTION = 24,
    LEGEND_LINE = 20,
    TRIAL = 46,
    TRIAL_LINES = 2,
    MIN_COLUMN = 196,
    MIN_FACE_ROW = 152,
    /* for a page of a paper, where space is dear */
    PAGE_MARGIN = 6,
    PAGE_TILE = 196,
    PAGE_TRIAL_LINES = 6,
    LABEL_LINE = 24
};

/* --- pictures --- */

static int enlarge_face(struct xfv_fig *l, int side, struct xfv_err *e)
{
    const struct xfv_image *src = &l->p->face[side].image;
    int w = src->width * l->scale, h = src->height * l->scale;
    size_t n = (size_t)src->width * (size_t)src->height, big = (size_t)w * (size_t)h;
    int status = xfv_image_alloc(&l->face[side], w, h, 3, e);
    if (status) return status;
    float *plane = malloc(n * sizeof *plane), *out = malloc(big * sizeof *out);
    if (!plane || !out) status = xfv_fail(e, XFV_ENOMEM, "no memory to enlarge a face to %dx%d", w, h);
    for (size_t c = 0; c < 3 && !status; c++) {
        for (size_t i = 0; i < n; i++) plane[i] = src->data[3 * i + c];
        status = xfv_enlarge(plane, src->width, src->height, out, w, h, e);
        for (size_t i = 0; i < big && !status; i++) l->face[side].data[3 * i + c] = xfv_nearest_byte((double)out[i]);
    }
    free(plane), free(out);
    return status;
}

static const char NO_BREAK[] = "\xc2\xa0";

/* "kind path, steps 4" with what belongs together joined. */
static void join_params(const char *s, char *buf, size_t cap)
{
    size_t n = 0;
    buf[0] = 0;
    for (; *s && n + 3 < cap; s++) {
        int joins = *s == ' ' && n && buf[n - 1] != ',';
        n += (size_t)snprintf(buf + n, cap - n, "%.*s", joins ? 2 : 1, joins ? NO_BREAK : s);
    }
}

/* Text in lines of at most `width`, at most max_lines (the last one shortened). Returns the y below. */
static int paragraph(struct xfv_fig *l, int x, int y, int width, int max_lines, double size, struct xfv_rgb c,
                     const char *s)
{
    struct xfv_font f = {size * l->u, 0};
    char line[1100];
    for (int i = 0; *s && i < max_lines; i++) {
        size_t n = xfv_text_fit(s, f, width);
        if (i == max_lines - 1 || n >= sizeof line) {
            xfv_text_shorten(line, sizeof line, s, f, width);
            n = strlen(s);
        } else {
            memcpy(line, s, n);
            line[n] = 0;
        }
        xfv_draw_text(l->im, x, y, f, c, line);
        y += xfv_fig_px(l, size * 1.4);
        s += n;
        if (*s == ' ') s++;
        else if (!strncmp(s, NO_BREAK, strlen(NO_BREAK))) s += strlen(NO_BREAK);
    }
    return y;
}

/* s, its middle cut as far as it must be to take at most `lines` lines. */
static void shorten_to_lines(const struct xfv_fig *l, const char *s, int width, int lines, double size, char *buf,
                             size_t cap)
{
    struct xfv_font f = {size * l->u, 0};
    for (double room = (double)lines * width;; room *= 0.95) {
        xfv_text_shorten(buf, cap, s, f, room);
        const char *rest = buf;
        for (int i = 0; i < lines && *rest; i++) rest += xfv_text_fit(rest, f, width);
        if (!*rest || room < size) return;
    }
}

/* Where the faces begin. */
static int header_height(const struct xfv_fig *l)
{
    return l->o->columns ? l->margin + xfv_fig_px(l, l->o->columns == 1 ? 96 : 76) : xfv_fig_px(l, HEADER + 8);
}

/* Returns where the badge ends. */
static int draw_badge(struct xfv_fig *l)
{
    const char *word = xfv_fig_decision_word(l->p);
    struct xfv_font badge = {20 * l->u, 1};
    int x = l->margin, width = xfv_to_int(ceil(xfv_text_width(word, badge)), 0, INT_MAX / 8);
    xfv_draw_rect(l->im, x, l->margin, width + xfv_fig_px(l, 24), xfv_fig_px(l, 32), xfv_fig_decision_colour(l->p));
    xfv_draw_text(l->im, x + xfv_fig_px(l, 12), l->margin + xfv_fig_px(l, 23), badge, white, word);
    return x + width + xfv_fig_px(l, 24);
}

static void draw_label(struct xfv_fig *l, double x, int base)
{
    char line[200], cut[200];
    xfv_fig_label_text(l->p, line, sizeof line);
    xfv_text_shorten(cut, sizeof cut, line, (struct xfv_font){15 * l->u, 0}, l->im->width - l->margin - x);
    xfv_fig_text(l, x, base, 15, 0, xfv_fig_is_wrong(l->p) ? red : grey, cut);
}

static void draw_header(struct xfv_fig *l)
{
    char line[200];
    int end = draw_badge(l), base = l->margin + xfv_fig_px(l, 22);
    xfv_fig_score_text(l->p, 1, line, sizeof line);
    if (l->o->columns) {
        draw_label(l, end + xfv_fig_px(l, 14), base);
        paragraph(l, l->margin, base + xfv_fig_px(l, 32), l->im->width - 2 * l->margin, 2, 15, black, line);
    } else {
        double at = xfv_fig_text(l, end + xfv_fig_px(l, 18), base, 17, 1, black, line);
        draw_label(l, at + xfv_fig_px(l, 24), base);
    }
    l->y = header_height(l);
    xfv_draw_rect(l->im, l->margin, l->y - xfv_fig_px(l, 12), l->im->width - 2 * l->margin, 1, pale);
}

static void draw_faces(struct xfv_fig *l)
{
    for (int side = 0; side < 2; side++) {
        const struct xfv_view_face *f = &l->p->face[side];
        const struct xfv_image *im = &l->face[side];
        int x = l->column[2 * side], tx = l->column[2 * side + 1] + xfv_fig_px(l, 6);
        int width = l->column_w - xfv_fig_px(l, 6) + (l->o->columns == 1 ? xfv_fig_px(l, BAR) : 0);
        char line[128], id[sizeof f->id];
        shorten_to_lines(l, f->id, width, 3, 15, id, sizeof id);
        /* a white background must not melt into the page */
        xfv_draw_frame(l->im, x - 1, l->y - 1, l->tile_w + 2, l->tile_h + 2, 1, pale);
        xfv_draw_picture(l->im, x + (l->tile_w - im->width) / 2, l->y + (l->tile_h - im->height) / 2, im);
        xfv_fig_text(l, tx, l->y + xfv_fig_px(l, 22), 24, 1, black, side ? "B" : "A");
        int y = paragraph(l, tx, l->y + xfv_fig_px(l, 48), width, 3, 15, black, id[0] ? id : "(no id)");
        y += xfv_fig_px(l, 4);
        if (!f->has_image) y = paragraph(l, tx, y, width, 2, 13, red, "the record holds no image");
        if (!isnan(f->box[0])) {
            snprintf(line, sizeof line, "face of %.0f x %.0f pixels", f->box[2] - f->box[0], f->box[3] - f->box[1]);
            y = paragraph(l, tx, y, width, 2, 13, grey, line);
        }
        if (!isnan(f->confidence)) {
            snprintf(line, sizeof line, "detector's confidence %.3f", f->confidence);
            y = paragraph(l, tx, y, width, 2, 13, grey, line);
        }
        paragraph(l, tx, y, width, 3, 13, red, f->doubt);
        if (side || l->o->columns == 1) l->y += l->face_row + xfv_fig_px(l, 12);
    }
}

static void map_caption(const struct xfv_view_map *m, char *buf, size_t cap)
{
    static const char *const why[XFV_STATES] = {
        [XFV_BROKEN] = "cannot be drawn", [XFV_CONSTANT] = "empty: the same everywhere",
        [XFV_NOISE] = "empty: rounding noise", [XFV_OTHER_PAIR] = "empty: of another pair"};
    if (why[m->state]) snprintf(buf, cap, "%s", why[m->state]);
    else if (!m->v) snprintf(buf, cap, "not in the record");
    else if (m->max > 0) snprintf(buf, cap, "max %.3g, sum %.3g", m->max, m->sum);
    else snprintf(buf, cap, "empty: 0 everywhere");
}

/* The bar at the right: its colours over mid-grey, as the tiles show them. `from` is -1 for signed maps. */
static int draw_bar(struct xfv_fig *l, enum xfv_role role, int x, int y, int w, struct xfv_err *e)
{
    double from = role == XFV_SIGNED ? -1 : 0;
    struct xfv_image bar;
    int status = xfv_image_alloc(&bar, w, l->tile_h, 3, e);
    if (status) return status;
    for (int i = 0; i < l->tile_h; i++) {
        double t = 1 - (i + 0.5) / l->tile_h * (1 - from);
        xfv_draw_rect(&bar, 0, i, w, 1, xfv_figure_over(l->o, role, t, (struct xfv_rgb){150, 150, 150}));
    }
    xfv_draw_picture(l->im, x, y, &bar);
    xfv_image_clear(&bar);
    xfv_draw_frame(l->im, x, y, w, l->tile_h, 1, grey);
    return 0;
}

/* Enough decimals for quarters of scale to differ, and the same for every tick. */
static void tick_text(double value, double scale, char *buf, size_t cap)
{
    int decimals = xfv_to_int(ceil(1.3 - log10(scale)), -400, 400);
    if (value == 0) snprintf(buf, cap, "0");
    else if (decimals > 6 || decimals < -4) snprintf(buf, cap, "%.1e", value);
    else snprintf(buf, cap, "%.*f", decimals < 0 ? 0 : decimals, value);
}

static int draw_bars(struct xfv_fig *l, const struct xfv_view_row *r, struct xfv_err *e)
{
    int two = !r->signed_key[0] && xfv_scheme_two_sided(l->o->scheme), w = xfv_fig_px(l, two ? 9 : 14),
        x = l->column[3] + l->column_w + xfv_fig_px(l, 14);
    int status = draw_bar(l, xfv_fig_role_of(r, 0), x, l->y, w, e);
    if (!status && two) status = draw_bar(l, XFV_DISSIMILARITY, x + w + xfv_fig_px(l, 2), l->y, w, e);
    if (status) return status;
    int tx = x + (two ? 2 * w + xfv_fig_px(l, 2) : w) + xfv_fig_px(l, 5), ticks = 4;
    double from = r->signed_key[0] ? -1 : 0, scale = 0;
    for (int k = 0; k < 4; k++) scale = fmax(scale, r->map[k / 2][k % 2].scale);
    for (int i = 0; i <= ticks; i++) {
        double t = 1 - (double)i / ticks * (1 - from);
        char number[32] = "0";
        if (l->o->each)
            snprintf(number, sizeof number, "%s", i == 0 ? "max" : i == ticks ? (from < 0 ? "-max" : "0") : "");
        else if (scale > 0) tick_text(t * scale, scale, number, sizeof number);
        int y = l->y + xfv_to_int(round((double)i / ticks * (l->tile_h - 1)), 0, l->tile_h);
        if (number[0]) xfv_draw_rect(l->im, tx - xfv_fig_px(l, 5), y, xfv_fig_px(l, 4), 1, grey);
        int down = i == 0 ? xfv_fig_px(l, 9) : i == ticks ? 0 : xfv_fig_px(l, 4);
        xfv_fig_text(l, tx + xfv_fig_px(l, 2), y + down, l->label ? 12 : 12.5, 0, grey, number);
    }
    return 0;
}

/* What the trial of a map found, after its tick or dash. */
static void trial_words(const struct xfv_view_row *r, int k, char *words, size_t cap)
{
    const struct xfv_verdict *v = &r->trial[k].v;
    int n = snprintf(words, cap, v->minus ? "S-: " : "S+: ");
    xfv_verdict_words(v, r->method[0] ? r->method : "the method", words + n, cap - (size_t)n);
}

static int trial_width(const struct xfv_fig *l)
{
    return l->im->width - l->margin - l->column[0] - xfv_fig_px(l, 22);
}

static int trial_lines(const struct xfv_fig *l, const struct xfv_view_row *r, int k)
{
    char words[520];
    int n = 0;
    if (!l->o->columns) return TRIAL_LINES;
    trial_words(r, k, words, sizeof words);
    for (const char *s = words; *s && n < PAGE_TRIAL_LINES; n++) {
        s += xfv_text_fit(s, (struct xfv_font){14 * l->u, 0}, trial_width(l));
        if (*s == ' ') s++;
    }
    return n;
}

static int trial_height(const struct xfv_fig *l, const struct xfv_view_row *r, int k)
{
    return xfv_fig_px(l, TRIAL) + (trial_lines(l, r, k) - TRIAL_LINES) * xfv_fig_px(l, 14 * 1.4);
}

static void draw_trial(struct xfv_fig *l, const struct xfv_view_row *r, int k)
{
    char words[520];
    int x = l->column[0] + xfv_fig_px(l, 22), y = l->y + xfv_fig_px(l, 15);
    trial_words(r, k, words, sizeof words);
    xfv_fig_mark(l, l->column[0], y, xfv_verdict_stands(&r->trial[k].v));
    paragraph(l, x, y, trial_width(l), trial_lines(l, r, k), 14, black, words);
    l->y += trial_height(l, r, k);
}

/* The method and its parameters: at the left of a row whose tiles begin at y, or in a line above it. */
static void draw_method(struct xfv_fig *l, const struct xfv_view_row *r, int y)
{
    const char *method = r->method[0] ? r->method : "(no method)";
    char params[3 * sizeof r->params];
    if (l->label) {
        int left = l->label - xfv_fig_px(l, 8);
        join_params(r->params, params, sizeof params);
        int at = paragraph(l, l->margin, y + xfv_fig_px(l, 14), left, 3, 17, black, method);
        int lines = (l->tile_h - (at - y)) / xfv_fig_px(l, 12.5 * 1.4);
        paragraph(l, l->margin, at + xfv_fig_px(l, 2), left, lines, 12.5, grey, params);
        return;
    }
    double end = xfv_fig_text(l, l->margin, l->y + xfv_fig_px(l, 17), 17, 1, black, method) + xfv_fig_px(l, 12);
    xfv_text_shorten(params, sizeof params, r->params, (struct xfv_font){12.5 * l->u, 0},
                     l->im->width - l->margin - end);
    xfv_fig_text(l, end, l->y + xfv_fig_px(l, 17), 12.5, 0, grey, params);
    l->y += xfv_fig_px(l, LABEL_LINE);
}

/* n tiles from the first one on (A's two, then B's), their titles above and numbers below, and the bar. */
static int draw_tiles(struct xfv_fig *l, const struct xfv_view_row *r, int first, int n, struct xfv_err *e)
{
    static const char *const name[2] = {"S+  similarity", "S-  dissimilarity"};
    l->y += xfv_fig_px(l, TITLE);
    for (int k = first; k < first + n; k++) {
        int side = k / 2, slot = k % 2, x = l->column[l->o->columns == 1 && n == 4 ? side : k];
        const struct xfv_view_map *m = &r->map[side][slot];
        char line[100], cut[100];
        if (r->signed_key[0] && slot) continue;
        snprintf(line, sizeof line, "%s on %c", r->signed_key[0] ? r->signed_key : name[slot], side ? 'B' : 'A');
        xfv_text_shorten(cut, sizeof cut, line, (struct xfv_font){14 * l->u, 0}, l->column_w);
        xfv_fig_text(l, x, l->y - xfv_fig_px(l, 7), 14, 0, black, cut);
        xfv_draw_frame(l->im, x - 1, l->y - 1, l->tile_w + 2, l->tile_h + 2, 1, pale);
        int failed = m->v ? xfv_fig_map(l, r, side, slot, x, l->y, e) : 0;
        if (failed) return failed;
        if (!m->v) xfv_fig_missing(l, x, l->y);
        map_caption(m, line, sizeof line);
        xfv_fig_text(l, x, l->y + l->tile_h + xfv_fig_px(l, 16), 12.5, 0, m->broken ? red : grey, line);
    }
    int status = draw_bars(l, r, e);
    l->y += l->tile_h + xfv_fig_px(l, CAPTION);
    return status;
}

/* One column takes S+ and S- of A, then those of B; signed maps stand side by side. */
static int is_stacked(const struct xfv_fig *l, const struct xfv_view_row *r)
{
    return l->o->columns == 1 && !r->signed_key[0];
}

static int draw_row(struct xfv_fig *l, const struct xfv_view_row *r, struct xfv_err *e)
{
    int n = is_stacked(l, r) ? 2 : 4;
    draw_method(l, r, l->y + xfv_fig_px(l, TITLE));
    for (int first = 0; first < 4; first += n) {
        int status = draw_tiles(l, r, first, n, e);
        if (status) return status;
    }
    for (int k = 0; k < 2; k++)
        if (r->trial[k].has) draw_trial(l, r, k);
    return 0;
}

/* --- sizes --- */

static void add_legend(struct xfv_fig *l, const char *s)
{
    struct xfv_font f = {13 * l->u, 0};
    double width = l->im->width - 2 * l->margin;
    while (*s && l->legend_lines < (int)(sizeof l->legend / sizeof *l->legend)) {
        size_t n = xfv_text_fit(s, f, width), cap = sizeof l->legend[0];
        if (n >= cap) n = cap - 1;
        memcpy(l->legend[l->legend_lines], s, n);
        l->legend[l->legend_lines++][n] = 0;
        s += n;
        if (*s == ' ') s++;
    }
}

static int n_trials(const struct xfv_pairview *p)
{
    int n = 0;
    for (int i = 0; i < p->n_rows; i++) n += p->row[i].trial[0].has + p->row[i].trial[1].has;
    return n;
}

static void make_legend(struct xfv_fig *l)
{
    const struct xfv_pairview *p = l->p;
    int parts = 0, is_signed = 0;
    for (int i = 0; i < p->n_rows; i++) {
        if (p->row[i].signed_key[0]) is_signed = 1;
        else parts = 1;
    }
    char line[400];
    if (parts)
        add_legend(l, "S+ similarity: pixels that the method counts for the same person (a score above the threshold). "
                      "S- dissimilarity: pixels that "
                      "it counts for different people.");
    if (is_signed) add_legend(l, "Signed maps: green counts for the same person, the other colour against.");
    if (p->n_rows == 0) add_legend(l, xfv_maps_none(NULL, line, sizeof line));
    if (n_trials(p))
        add_legend(l, "Tick: changing what the map marks moves the score farther than changing as much elsewhere "
                      "(p <= 0.05). Dash: it does not. Maps with neither were not tried.");
    if (p->n_rows && !n_trials(p))
        add_legend(l, "Whether what these maps mark matters to this decision was not tried: send the stream through "
                      "ablate first.");
    if (p->n_rows) {
        char blur[64] = "none";
        if (l->o->sigma > 0) snprintf(blur, sizeof blur, "Gaussian, sigma %g face pixels", l->o->sigma);
        snprintf(line, sizeof line, "%s Blur for display: %s.%s%s",
                 l->o->each ? "Every map has its own colour scale." : "One colour scale for all maps of a row.", blur,
                 l->o->model[0] ? " Model: " : "", l->o->model);
        add_legend(l, line);
    }
}

static int measure(struct xfv_fig *l, struct xfv_err *e)
{
    const struct xfv_image *a = &l->p->face[0].image, *b = &l->p->face[1].image;
    int w = a->width > b->width ? a->width : b->width, h = a->height > b->height ? a->height : b->height;
    l->scale = l->o->scale;
    int side = w > h ? w : h, wanted = l->o->layout == XFV_LAYOUT_CELL ? 112 : l->o->columns ? 448 : 224;
    if (l->scale == 0) l->scale = (wanted + side / 2) / side;
    if (l->scale < 1) l->scale = 1;
    int status = xfv_fig_picture_size(4.0 * w * l->scale, (double)h * l->scale, e);
    l->tile_w = w * l->scale, l->tile_h = h * l->scale;
    l->u = fmax(1, fmax(l->tile_w, l->tile_h) / (l->o->columns ? PAGE_TILE : 224.0));
    return status;
}

/* Where the columns are; returns the picture's width. */
static int place_columns(struct xfv_fig *l)
{
    int stacked = l->o->columns == 1;
    l->margin = xfv_fig_px(l, l->o->columns ? PAGE_MARGIN : MARGIN);
    l->label = l->o->columns ? 0 : xfv_fig_px(l, LABEL);
    l->column_w = l->tile_w > xfv_fig_px(l, MIN_COLUMN) ? l->tile_w : xfv_fig_px(l, MIN_COLUMN);
    l->face_row = l->tile_h > xfv_fig_px(l, MIN_FACE_ROW) ? l->tile_h : xfv_fig_px(l, MIN_FACE_ROW);
    l->column[0] = l->margin + l->label;
    l->column[1] = l->column[0] + l->column_w + xfv_fig_px(l, GAP);
    l->column[2] = stacked ? l->column[0] : l->column[1] + l->column_w + xfv_fig_px(l, GROUP_GAP);
    l->column[3] = stacked ? l->column[1] : l->column[2] + l->column_w + xfv_fig_px(l, GAP);
    return l->column[3] + l->column_w + xfv_fig_px(l, BAR) + l->margin;
}

static double row_height(const struct xfv_fig *l, const struct xfv_view_row *r)
{
    int times = is_stacked(l, r) ? 2 : 1;
    double h = times * ((double)l->tile_h + xfv_fig_px(l, TITLE) + xfv_fig_px(l, CAPTION));
    if (!l->label) h += xfv_fig_px(l, LABEL_LINE);
    for (int k = 0; k < 2; k++)
        if (r->trial[k].has) h += trial_height(l, r, k);
    return h;
}

static int draw_figure(struct xfv_fig *l, struct xfv_image *out, struct xfv_err *e)
{
    struct xfv_image size_only = {.width = place_columns(l), .channels = 3};
    l->im = &size_only;
    make_legend(l);
    double height = header_height(l) + (l->o->columns == 1 ? 2 : 1) * (l->face_row + xfv_fig_px(l, 12)) +
                    l->legend_lines * xfv_fig_px(l, LEGEND_LINE) + xfv_fig_px(l, 16) + l->margin;
    for (int i = 0; i < l->p->n_rows; i++) height += row_height(l, &l->p->row[i]);
    l->im = NULL;
    int status = xfv_fig_picture_size(size_only.width, height, e);
    if (!status) status = xfv_image_alloc(out, size_only.width, xfv_to_int(height, 0, INT_MAX), 3, e);
    if (status) return status;
    l->im = out;
    out->pen = l->o->pen;
    xfv_draw_rect(out, 0, 0, out->width, out->height, white);
    draw_header(l);
    draw_faces(l);
    for (int i = 0; i < l->p->n_rows && !status; i++) status = draw_row(l, &l->p->row[i], e);
    xfv_draw_rect(out, l->margin, l->y + xfv_fig_px(l, 4), out->width - 2 * l->margin, 1, pale);
    l->y += xfv_fig_px(l, 24);
    for (int i = 0; i < l->legend_lines; i++)
        xfv_fig_text(l, l->margin, l->y + i * xfv_fig_px(l, LEGEND_LINE), 13, 0, grey, l->legend[i]);
    return status;
}

int xfv_figure_draw(const struct xfv_pairview *p, const struct xfv_figure_opts *o, struct xfv_image *out,
                    struct xfv_err *e)
{
    struct xfv_fig l = {.p = p, .o = o};
    memset(out, 0, sizeof *out);
    int status = measure(&l, e);
    for (int side = 0; side < (p->one_face ? 1 : 2) && !status; side++) status = enlarge_face(&l, side, e);
    if (!status && o->layout == XFV_LAYOUT_CELL) status = xfv_fig_cell(&l, out, e);
    else if (!status) status = o->layout == XFV_LAYOUT_FIGURE ? draw_figure(&l, out, e) : xfv_fig_bare(&l, out, e);
    xfv_image_clear(&l.face[0]);
    xfv_image_clear(&l.face[1]);
    out->pen = NULL;
    if (status) xfv_image_clear(out);
    return status;
}
