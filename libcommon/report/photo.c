#include "report/photo.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/sha256.h"
#include "base/toint.h"
#include "face/quality.h"
#include "image/resize.h"
#include "image/source.h"
#include "image/warp.h"

enum { MOST_PIXELS = 64 * 1024 * 1024, MOST_FACES = 1000, MOST_GROWTH = 3 };
enum { PANEL = 640, MARGIN = 12, GAP = 8, LINE = 20 };
static const double TEXT = 13;

static const struct xfv_rgb white = {255, 255, 255}, black = {24, 24, 27}, grey = {98, 98, 105}, red = {185, 28, 28};

/* A record may say anything. */
static int whole(double v)
{
    return xfv_to_int(v, -1000000, 1000000);
}

/* ---- gathering ---- */

static void clear_face(struct xfv_photo_face *f)
{
    free(f->id);
    free(f->words);
    free(f->map[0]);
    free(f->map[1]);
}

void xfv_photographs_clear(struct xfv_photographs *l)
{
    for (size_t i = 0; i < l->n; i++) {
        for (size_t k = 0; k < l->v[i].n; k++) clear_face(&l->v[i].face[k]);
        free(l->v[i].face);
        free(l->v[i].source);
    }
    free(l->v);
    *l = (struct xfv_photographs){0};
}

/* A text of the record, NUL-terminated and malloc'ed; NULL: it has none. */
static char *text_of(const msgpack_object *face, const char *key)
{
    const char *s;
    size_t n;
    return xfv_get_str(face, key, &s, &n, NULL) || memchr(s, '\0', n) ? NULL : strndup(s, n);
}

/* The photograph that the face is of, made when new. */
static struct xfv_photograph *photograph_of(struct xfv_photographs *l, const msgpack_object *face, struct xfv_err *e)
{
    double size[2];
    char *source = text_of(face, "source"), digest[65];
    int bad = !source || xfv_get_f64s(face, "size", size, 2, NULL);
    if (bad || !(size[0] >= 1 && size[1] >= 1 && fmax(size[0], size[1]) < 1e6)) {
        xfv_fail(e, XFV_EDATA, "the face does not say which photograph it is of");
        free(source);
        return NULL;
    }
    if (xfv_get_text(face, "source-digest", digest, sizeof digest, NULL)) digest[0] = '\0';
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->v[i].source, source) || strcmp(l->v[i].digest, digest)) continue;
        free(source);
        return &l->v[i];
    }
    if (!XFV_GROW(l->v, l->n + 1)) {
        xfv_fail(e, XFV_ENOMEM, "out of memory");
        free(source);
        return NULL;
    }
    struct xfv_photograph *p = &l->v[l->n++];
    *p = (struct xfv_photograph){.source = source, .width = whole(size[0]), .height = whole(size[1])};
    memcpy(p->digest, digest, sizeof digest);
    return p;
}

/* The face of this id, made when new. */
static struct xfv_photo_face *face_of(struct xfv_photograph *p, const msgpack_object *face, struct xfv_err *e)
{
    int64_t turn = 0;
    double inverse[6];
    char *id = text_of(face, "id");
    struct xfv_photo_face f = {.id = id, .box = {NAN}, .landmarks = {NAN}};
    for (size_t i = 0; id && i < p->n; i++) {
        if (strcmp(p->face[i].id, id)) continue;
        free(id);
        return &p->face[i];
    }
    int bad = xfv_get_f64s(face, "transform", f.transform, 6, NULL) || xfv_affine_invert(f.transform, inverse, NULL);
    if (bad || (!xfv_map_get(face, "box") && !xfv_map_get(face, "landmarks"))) {
        xfv_fail(e, XFV_EDATA, "the face was given as a crop: it has no place on a photograph");
    } else if (!id || !XFV_GROW(p->face, p->n + 1)) {
        xfv_fail(e, id ? XFV_ENOMEM : XFV_EDATA, id ? "out of memory" : "the face has no id");
    } else {
        if (xfv_get_f64s(face, "box", f.box, 4, NULL)) f.box[0] = NAN;
        if (xfv_get_f64s(face, "landmarks", f.landmarks, 10, NULL)) f.landmarks[0] = NAN;
        if (!xfv_get_int(face, "turn", &turn, NULL)) f.turn = (int)turn;
        xfv_quality_doubt_text(face, f.doubt, sizeof f.doubt);
        p->face[p->n] = f;
        return &p->face[p->n++];
    }
    free(id);
    return NULL;
}

/* "with b.jpg: score 0.562 >= 0.400, accept" */
static char *words_of(const struct xfv_pairview *p, int side)
{
    char s[1400], score[80] = "score unknown";
    if (!isnan(p->score) && !isnan(p->threshold))
        snprintf(score, sizeof score, "score %.3f %s %.3f", p->score, p->score < p->threshold ? "<" : ">=",
                 p->threshold);
    else if (!isnan(p->score)) snprintf(score, sizeof score, "score %.3f", p->score);
    const char *decision = p->accept < 0 ? "" : p->accept ? ", accept" : ", reject";
    snprintf(s, sizeof s, "with %s: %s%s", p->face[!side].id, score, decision);
    return strdup(s);
}

static int take_maps(struct xfv_photographs *l, struct xfv_photo_face *f, const struct xfv_pairview *p, int side,
                     struct xfv_err *e)
{
    const struct xfv_view_row *r = &p->row[0];
    const struct xfv_image *crop = &p->face[side].image;
    size_t n = (size_t)crop->width * (size_t)crop->height;
    f->side_w = crop->width, f->side_h = crop->height;
    f->is_signed = r->signed_key[0] != '\0';
    memcpy(f->method, r->method, sizeof f->method);
    for (int k = 0; k < 2; k++) {
        const struct xfv_view_map *m = &r->map[side][k];
        if (!m->v) continue;
        if (n > MOST_PIXELS - l->pixels)
            return xfv_fail(e, XFV_ELIMIT, "the maps of all faces together have more than 64 Mi pixels: select "
                                           "a part of the stream with xfv-select");
        f->map[k] = malloc(n * sizeof *m->v);
        if (!f->map[k]) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        memcpy(f->map[k], m->v, n * sizeof *m->v);
        f->scale[k] = m->scale;
        l->pixels += n;
    }
    return 0;
}

int xfv_photographs_add(struct xfv_photographs *l, const msgpack_object *face, const struct xfv_pairview *p, int side,
                        struct xfv_err *e)
{
    struct xfv_photograph *photo = photograph_of(l, face, e);
    struct xfv_photo_face *f = photo ? face_of(photo, face, e) : NULL;
    if (!f) return e->status;
    if (!p) return 0;
    f->pairs++;
    if (f->words) return 0;
    f->words = words_of(p, side);
    if (!f->words) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    return p->n_rows ? take_maps(l, f, p, side, e) : 0;
}

/* ---- the file ---- */

/* The number-th image of the file at path (-1: the only one), decoded. */
static int read_image(const char *path, int number, const struct xfv_decode_opts *o, struct xfv_image *im,
                      struct xfv_err *e)
{
    struct xfv_image_source *s = NULL;
    struct xfv_raw_image raw = {0};
    int status = xfv_image_source_open(&s, path, e);
    for (int i = 0; i <= number || i == 0; i++) {
        xfv_raw_image_clear(&raw);
        if (!status) status = xfv_image_source_next(s, o, &raw, e);
    }
    if (status == XFV_EOF) status = xfv_fail(e, XFV_EDATA, "the file holds no image %d any more", number);
    if (!status && !raw.im.data) status = xfv_image_decode(raw.bytes, raw.n, o, &raw.im, NULL, e);
    if (!status) {
        *im = raw.im;
        raw.im.data = NULL;
    }
    xfv_raw_image_clear(&raw);
    xfv_image_source_close(s);
    return status;
}

static int check_digest(const char *path, const char *want, struct xfv_err *e)
{
    char have[XFV_SHA256_HEX];
    FILE *f = fopen(path, "rbe");
    if (!f) return xfv_fail(e, XFV_EIO, "the photograph is not there: run heatmap in the folder where facecrop ran");
    int bad = xfv_sha256_file(f, have);
    fclose(f);
    if (bad) return xfv_fail(e, XFV_EIO, "cannot read the photograph");
    if (!*want || !strcmp(have, want)) return 0;
    return xfv_fail(e, XFV_EDATA, "the photograph has changed since it was cropped: its SHA-256 is %.12s..., the "
                                  "record has %.12s...", have, want);
}

int xfv_photograph_load(const struct xfv_photograph *p, const struct xfv_decode_opts *o, struct xfv_image *im,
                        struct xfv_err *e)
{
    int number = -1;
    char *path = strdup(p->source);
    if (!path) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    FILE *f = fopen(path, "rbe");
    char *hash = f ? NULL : strrchr(path, '#'), *end;
    if (f) fclose(f);
    if (hash && hash[1]) { /* an image of a file of several */
        long n = strtol(hash + 1, &end, 10);
        if (!*end && n >= 0 && n < 1000000) number = (int)n, *hash = '\0';
    }
    int status = 0;
    if (!strcmp(path, "-")) status = xfv_fail(e, XFV_EIO, "the photograph came from standard input: no file has it");
    if (!status) status = check_digest(path, p->digest, e);
    if (!status) status = read_image(path, number, o, im, e);
    if (!status && (im->width != p->width || im->height != p->height))
        status = xfv_fail(e, XFV_EDATA, "the photograph has %d x %d pixels, and the one that was cropped has %d x %d",
                          im->width, im->height, p->width, p->height);
    free(path);
    return status;
}

/* ---- drawing ---- */

struct drawing {
    const struct xfv_photograph *p;
    const struct xfv_figure_opts *o;
    /* small: the photograph at a panel's size; marked: a panel; out: the picture, NULL for a panel without numbers */
    struct xfv_image small, marked, *out;
    double f;                     /* panel pixels per pixel of the photograph */
};

/* Map k of face f at (x, y) of the photograph, -1..1 of the scale; 0 outside the crop. */
static double map_at(const struct xfv_photo_face *f, int k, double x, double y)
{
    double u, v;
    xfv_affine_apply(f->transform, x, y, &u, &v);
    int inside = u > -0.5 && v > -0.5 && u < f->side_w - 0.5 && v < f->side_h - 0.5;
    if (!f->map[k] || !(f->scale[k] > 0) || !inside) return 0;
    u = fmin(fmax(u, 0), f->side_w - 1), v = fmin(fmax(v, 0), f->side_h - 1);
    int x0 = xfv_to_int(u, 0, f->side_w - 1), y0 = xfv_to_int(v, 0, f->side_h - 1);
    int x1 = x0 + 1 < f->side_w ? x0 + 1 : x0, y1 = y0 + 1 < f->side_h ? y0 + 1 : y0;
    const float *m = f->map[k];
    double a = u - x0, b = v - y0;
    double top = (1 - a) * (double)m[y0 * f->side_w + x0] + a * (double)m[y0 * f->side_w + x1];
    double low = (1 - a) * (double)m[y1 * f->side_w + x0] + a * (double)m[y1 * f->side_w + x1];
    double t = ((1 - b) * top + b * low) / f->scale[k];
    return f->is_signed ? fmax(-1, fmin(1, t)) : fmax(0, fmin(1, t));
}

/* Of faces that overlap, what is strongest shows. */
static struct xfv_rgb pixel_at(const struct drawing *d, int k, int x, int y)
{
    const uint8_t *s = d->small.data + 3 * ((size_t)y * (size_t)d->small.width + (size_t)x);
    uint8_t luma = (uint8_t)lround(0.299 * s[0] + 0.587 * s[1] + 0.114 * s[2]); /* ITU-R BT.601 */
    double best = 0, px = (x + 0.5) / d->f - 0.5, py = (y + 0.5) / d->f - 0.5;
    int is_signed = 0;
    for (size_t i = 0; i < d->p->n; i++) {
        double t = map_at(&d->p->face[i], k, px, py);
        if (fabs(t) > fabs(best)) best = t, is_signed = d->p->face[i].is_signed;
    }
    enum xfv_role role = is_signed ? XFV_SIGNED : k ? XFV_DISSIMILARITY : XFV_SIMILARITY;
    return xfv_figure_over(d->o, role, best, (struct xfv_rgb){luma, luma, luma});
}

static void draw_outline(struct drawing *d, const struct xfv_photo_face *f, struct xfv_rgb c)
{
    double back[6], x[5], y[5];
    int w = f->side_w ? f->side_w : 112, h = f->side_h ? f->side_h : 112;
    const double corner[5][2] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}};
    if (xfv_affine_invert(f->transform, back, NULL)) return;
    for (int i = 0; i < 5; i++) {
        xfv_affine_apply(back, corner[i][0] * w - 0.5, corner[i][1] * h - 0.5, &x[i], &y[i]);
        x[i] = (x[i] + 0.5) * d->f, y[i] = (y[i] + 0.5) * d->f;
    }
    for (int i = 0; i < 4; i++) xfv_draw_line(&d->marked, x[i], y[i], x[i + 1], y[i + 1], 1, c);
}

static void draw_number(const struct drawing *d, struct xfv_image *to, const struct xfv_photo_face *f, size_t number)
{
    char s[24];
    struct xfv_font font = {16, 1};
    double x = isnan(f->box[0]) ? f->landmarks[0] : f->box[0], y = isnan(f->box[0]) ? f->landmarks[1] : f->box[1];
    snprintf(s, sizeof s, "%zu", number);
    int w = whole(ceil(xfv_text_width(s, font))) + 10, h = 20;
    int px = xfv_to_int((x + 0.5) * d->f, 0, to->width > w ? to->width - w : 0);
    int py = xfv_to_int((y + 0.5) * d->f, 0, to->height > h ? to->height - h : 0);
    xfv_draw_rect(to, px, py, w, h, *f->doubt ? red : black);
    xfv_draw_text(to, px + 5, py + 15.5, font, white, s);
}

static void draw_marks(struct drawing *d)
{
    static const struct xfv_rgb box = {34, 197, 94}, crop = {250, 204, 21}, point = {59, 130, 246};
    struct xfv_image *to = &d->marked;
    for (size_t i = 0; i < d->p->n; i++) {
        const struct xfv_photo_face *f = &d->p->face[i];
        const double *b = f->box, *l = f->landmarks;
        double x = (b[0] + 0.5) * d->f, y = (b[1] + 0.5) * d->f;
        draw_outline(d, f, crop);
        if (!isnan(b[0]))
            xfv_draw_frame(to, whole(x), whole(y), whole((b[2] - b[0]) * d->f), whole((b[3] - b[1]) * d->f), 2,
                           *f->doubt ? red : box);
        for (int k = 0; k < 5 && !isnan(l[0]); k++) {
            double px = (l[2 * k] + 0.5) * d->f, py = (l[2 * k + 1] + 0.5) * d->f;
            xfv_draw_line(to, px, py, px, py, 6, white);
            xfv_draw_line(to, px, py, px, py, 4, point);
        }
        if (d->out) draw_number(d, to, f, i + 1);
    }
}

/* Into panel k + 1. */
static void draw_maps(struct drawing *d, int k)
{
    struct xfv_image *to = &d->marked;
    for (int y = 0; y < to->height; y++) {
        for (int x = 0; x < to->width; x++) {
            struct xfv_rgb c = pixel_at(d, k, x, y);
            uint8_t *p = to->data + 3 * ((size_t)y * (size_t)to->width + (size_t)x);
            p[0] = c.r, p[1] = c.g, p[2] = c.b;
        }
    }
    for (size_t i = 0; i < d->p->n; i++) draw_number(d, to, &d->p->face[i], i + 1);
}

/* What panels there are: 0 none, 1 one (signed maps alone), 2. */
static int map_panels(const struct xfv_photograph *p, const char **method)
{
    int n = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->face[i].map[0] && n < 1) n = 1;
        if (p->face[i].map[1]) n = 2;
        if (*p->face[i].method && !*method) *method = p->face[i].method;
    }
    return n;
}

static void line(const struct drawing *d, int row, struct xfv_rgb c, const char *s)
{
    struct xfv_font font = {TEXT, 0};
    char cut[1600];
    xfv_text_shorten(cut, sizeof cut, s, font, d->out->width - 2 * MARGIN);
    xfv_draw_text(d->out, MARGIN, d->out->height - MARGIN - (int)(d->p->n + 1 - (size_t)row) * LINE + 15, font, c, cut);
}

static void draw_words(const struct drawing *d)
{
    const struct xfv_photograph *p = d->p;
    char s[1800], more[40];
    snprintf(s, sizeof s, "%s, %d x %d%s%.12s", p->source, p->width, p->height, *p->digest ? ", sha256 " : "",
             p->digest);
    line(d, 0, black, s);
    for (size_t i = 0; i < p->n; i++) {
        const struct xfv_photo_face *f = &p->face[i];
        char turn[40] = "";
        if (f->turn) snprintf(turn, sizeof turn, ", to be turned by %d degrees", f->turn);
        if (f->pairs > 1) snprintf(more, sizeof more, " (and %d more pairs)", f->pairs - 1);
        else more[0] = '\0';
        snprintf(s, sizeof s, "%zu  %s%s%s%s%s%s%s", i + 1, f->id, turn, f->words ? ", " : "", f->words ? f->words : "",
                 more, *f->doubt ? "; " : "", f->doubt);
        line(d, (int)i + 1, *f->doubt ? red : grey, s);
    }
}

static void draw_titles(const struct drawing *d, int panels, const char *method)
{
    const char *const title[3] = {"faces", panels == 2 ? "S+ similarity" : "signed", "S- dissimilarity"};
    for (int k = 0; k <= panels; k++) {
        char s[160], cut[160];
        snprintf(s, sizeof s, "%s%s%s", k ? method : "", k ? ": " : "", title[k]);
        xfv_text_shorten(cut, sizeof cut, s, (struct xfv_font){TEXT, 0}, d->small.width);
        xfv_draw_text(d->out, MARGIN + k * (d->small.width + GAP), MARGIN + 12, (struct xfv_font){TEXT, 0}, black, cut);
    }
}

int xfv_photograph_draw(const struct xfv_photograph *p, const struct xfv_image *im, const struct xfv_figure_opts *o,
                        struct xfv_image *out, struct xfv_err *e)
{
    const char *method = NULL;
    int panels = map_panels(p, &method), longer = im->width > im->height ? im->width : im->height;
    struct drawing d = {.p = p, .o = o, .out = out, .f = fmin(MOST_GROWTH, (double)PANEL / longer)};
    int w = xfv_to_int(im->width * d.f + 0.5, 1, INT_MAX), h = xfv_to_int(im->height * d.f + 0.5, 1, INT_MAX);
    *out = (struct xfv_image){0};
    int width = 2 * MARGIN + (panels + 1) * w + panels * GAP;
    int height = 2 * MARGIN + LINE + h + GAP + (int)(p->n + 1) * LINE;
    int status = 0;
    if (p->n > MOST_FACES)
        status = xfv_fail(e, XFV_EDATA, "'%.200s' has %zu faces in the stream, and a picture has room for %d: select "
                                        "some with xfv-select", p->source, p->n, MOST_FACES);
    if (!status) status = xfv_image_resize(im, w, h, &d.small, e);
    if (!status) status = xfv_image_resize(im, w, h, &d.marked, e);
    if (!status) status = xfv_image_alloc(out, width, height, 3, e);
    if (!status) {
        xfv_draw_rect(out, 0, 0, out->width, out->height, white);
        draw_titles(&d, panels, method ? method : "");
        for (int k = 0; k <= panels; k++) {
            if (k) draw_maps(&d, k - 1);
            else draw_marks(&d);
            xfv_draw_picture(out, MARGIN + k * (w + GAP), MARGIN + LINE, &d.marked);
        }
        draw_words(&d);
    }
    xfv_image_clear(&d.small);
    xfv_image_clear(&d.marked);
    return status;
}

int xfv_photograph_of_face(const msgpack_object *face, int longer, struct xfv_image *out, struct xfv_err *e)
{
    struct xfv_photographs l = {0};
    struct xfv_decode_opts o = xfv_decode_opts_default();
    struct xfv_image im = {0};
    *out = (struct xfv_image){0};
    int status = xfv_photographs_add(&l, face, NULL, 0, e);
    if (!status) status = xfv_photograph_load(&l.v[0], &o, &im, e);
    if (!status) {
        struct drawing d = {.p = &l.v[0], .f = (double)longer / (im.width > im.height ? im.width : im.height)};
        int w = xfv_to_int(im.width * d.f + 0.5, 1, INT_MAX), h = xfv_to_int(im.height * d.f + 0.5, 1, INT_MAX);
        status = xfv_image_resize(&im, w, h, &d.marked, e);
        if (!status) draw_marks(&d);
        *out = d.marked;
    }
    xfv_image_clear(&im);
    xfv_photographs_clear(&l);
    return status;
}
