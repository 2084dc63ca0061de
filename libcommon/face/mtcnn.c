#include "face/mtcnn.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "face/boxes.h"
#include "face/turn.h"
#include "net/model/model.h"
#include "net/run/net.h"
#include "base/clock.h"
#include "base/toint.h"

#define CELL 12      /* P-Net's window, pixels */
#define STRIDE 2     /* and the distance of two windows */
#define FACTOR 0.709 /* from one level of the pyramid to the next: half the area */
#define TILE 128     /* P-Net runs on tiles of this many windows a side, so that memory does not grow with the image */
#define BATCH 32     /* boxes that R-Net and O-Net see at a time */

enum { P, R, O };

struct stage {
    struct xfv_model *model;
    /* outputs: probabilities [.., 2], box shifts [.., 4], and O-Net's landmarks [10] (x0..x4, y0..y4) */
    struct xfv_net *net;
};

struct xfv_detector {
    struct stage stage[3];
};

struct buffer {
    float *p;
    size_t cap;
};

struct xfv_detector_work {
    struct xfv_ws *ws;
    struct buffer rows, input, prob, shift, landmarks;
};

struct xfv_detect_opts xfv_detect_opts_default(void)
{
    return (struct xfv_detect_opts){.min_face = 0, .threshold = {0.6, 0.7, 0.7}};
}

int xfv_detect_min_face(const struct xfv_detect_opts *o, const struct xfv_image *im)
{
    int side = im->width < im->height ? im->width : im->height;
    return o->min_face > 0 ? o->min_face : side / 15 > 20 ? side / 15 : 20;
}

static float *reserve(struct buffer *b, size_t n, struct xfv_err *e)
{
    if (n > b->cap) {
        free(b->p);
        b->p = xfv_aligned_alloc(n * sizeof *b->p);
        b->cap = b->p ? n : 0;
        if (!b->p) xfv_fail(e, XFV_ENOMEM, "out of memory for detecting faces");
    }
    return b->p;
}

/* ---- models ---- */

/* The graph's output whose last axis has `channels` elements; -1 for none. */
static int output_of(const struct xfv_graph *g, int channels)
{
    for (int i = 0; i < g->n_outputs; i++) {
        struct xfv_shape s = g->values[g->outputs[i]].shape;
        if (s.rank > 0 && s.dim[s.rank - 1] == channels) return g->outputs[i];
    }
    return -1;
}

static int load_stage(struct stage *s, int which, struct xfv_err *e)
{
    static const char *const name[3] = {"mtcnn-p", "mtcnn-r", "mtcnn-o"};
    int status = xfv_model_load(name[which], &s->model, e);
    if (status) return status;
    const struct xfv_model *m = s->model;
    int outs[3] = {output_of(m->graph, 2), output_of(m->graph, 4), which == O ? output_of(m->graph, 10) : 0};
    static const int side[3] = {CELL, 24, 48};
    int wrong = strcmp(m->kind, name[which]) != 0 || outs[0] < 0 || outs[1] < 0 || outs[2] < 0 || m->channels != 3;
    if (which != P && (m->width != side[which] || m->height != side[which])) wrong = 1;
    if (wrong)
        return xfv_fail(e, XFV_EMODEL, "model %s is not the %s network of a face detector", m->name, name[which]);
    return xfv_net_new(m->graph, 0, outs, which == O ? 3 : 2, &s->net, e);
}

int xfv_detector_new(struct xfv_detector **out, struct xfv_err *e)
{
    struct xfv_detector *d = calloc(1, sizeof *d);
    if (!d) return xfv_fail(e, XFV_ENOMEM, "out of memory for the face detector");
    for (int i = P; i <= O; i++) {
        int status = load_stage(&d->stage[i], i, e);
        if (status) {
            xfv_detector_free(d);
            return status;
        }
    }
    *out = d;
    return 0;
}

void xfv_detector_free(struct xfv_detector *d)
{
    if (!d) return;
    for (int i = P; i <= O; i++) {
        xfv_net_free(d->stage[i].net);
        xfv_model_free(d->stage[i].model);
    }
    free(d);
}

const char *xfv_detector_digest(const struct xfv_detector *d, int stage)
{
    return d->stage[stage].model->file;
}

const char *xfv_detector_name(const struct xfv_detector *d, int stage)
{
    return d->stage[stage].model->name;
}

struct xfv_detector_work *xfv_detector_work_new(void)
{
    struct xfv_detector_work *w = calloc(1, sizeof *w);
    if (w && !(w->ws = xfv_ws_new())) {
        free(w);
        return NULL;
    }
    return w;
}

void xfv_detector_work_free(struct xfv_detector_work *w)
{
    if (!w) return;
    xfv_ws_free(w->ws);
    free(w->rows.p);
    free(w->input.p);
    free(w->prob.p);
    free(w->shift.p);
    free(w->landmarks.p);
    free(w);
}

/* ---- one detection ---- */

struct run {
    const struct xfv_detector *d;
    struct xfv_detector_work *w;
    const struct xfv_image *im;
    const struct xfv_detect_opts *o;
    int width, height; /* of what is looked at: the image with its border, turned */
    struct xfv_detect_stats stats;
    struct xfv_boxes boxes;
};

/* How the model wants an image of width x height pixels laid out at `out`. */
static struct xfv_float_sink sink_for(const struct xfv_model *m, int width, int height, float *out)
{
    struct xfv_float_sink s = {.out = out, .whole = 1};
    s.pixel = m->transposed ? (ptrdiff_t)height * 3 : 3;
    s.row = m->transposed ? 3 : (ptrdiff_t)width * 3;
    memcpy(s.mean, m->mean, sizeof s.mean);
    memcpy(s.std, m->std, sizeof s.std);
    return s;
}

/* Windows along an axis of n pixels: convolution 3, pooling by 2 (what is left over counts), convolutions 3 and 3. */
static int windows(int n)
{
    return n < CELL - 1 ? 0 : (n - 1) / 2 - 4;
}

/* One tile of one level: windows x0 .. x0+nx-1, y0 .. y0+ny-1 of the level that r makes, whose size is lw x lh pixels.
 */
static int p_tile(struct run *q, const struct xfv_resampler *r, double scale, int lw, int lh, int x0, int y0, int nx,
                  int ny, struct xfv_err *e)
{
    const struct stage *s = &q->d->stage[P];
    struct xfv_detector_work *w = q->w;
    int t = s->model->transposed;
    /* The last windows may stand over a pooling cell that the border cuts: hence the minimum. */
    struct xfv_rect tile = {x0 * STRIDE, y0 * STRIDE, (nx - 1) * STRIDE + CELL, (ny - 1) * STRIDE + CELL};
    if (tile.x + tile.width > lw) tile.width = lw - tile.x;
    if (tile.y + tile.height > lh) tile.height = lh - tile.y;
    float *x = reserve(&w->input, (size_t)tile.width * (size_t)tile.height * 3, e),
          *rows = reserve(&w->rows, xfv_resample_work(r, 3), e);
    float *y[2] = {reserve(&w->prob, (size_t)nx * (size_t)ny * 2, e),
                   reserve(&w->shift, (size_t)nx * (size_t)ny * 4, e)};
    if (!x || !rows || !y[0] || !y[1]) return XFV_ENOMEM;

    struct xfv_shape in = {3, {t ? tile.width : tile.height, t ? tile.height : tile.width, 3}}, out;
    double t0 = xfv_now();
    struct xfv_float_sink to = sink_for(s->model, tile.width, tile.height, x);
    int turn = q->o->turn, side = turn % 180;
    xfv_turn_sink(turn, tile.width, tile.height, &to);
    tile = xfv_turn_rect_back(turn, side ? lh : lw, side ? lw : lh, tile);
    xfv_resample(r, q->im, -q->o->border, -q->o->border, tile, &to, rows);
    double t1 = xfv_now();
    int status = xfv_net_out_shape(s->net, &in, 0, &out, e);
    if (status) return status;
    if (out.dim[0] != (t ? nx : ny) || out.dim[1] != (t ? ny : nx))
        return xfv_fail(e, XFV_EMODEL, "model %s gives %d x %d windows for a tile of %d x %d pixels, not %d x %d",
                        s->model->name, out.dim[0], out.dim[1], in.dim[0], in.dim[1], t ? nx : ny, t ? ny : nx);
    status = xfv_net_forward(s->net, w->ws, &in, 1, x, y, e);
    if (status) return status;
    q->stats.resample += t1 - t0;
    q->stats.p_net += xfv_now() - t1;

    for (int i = 0; i < ny; i++) {
        for (int j = 0; j < nx; j++) {
            size_t at = t ? (size_t)j * (size_t)ny + (size_t)i : (size_t)i * (size_t)nx + (size_t)j;
            double p = y[0][2 * at + 1];
            if (!(p >= q->o->threshold[P])) continue;
            double left = (x0 + j) * STRIDE, top = (y0 + i) * STRIDE;
            struct xfv_box b = {.x1 = left / scale, .y1 = top / scale, .score = p};
            b.x2 = (left + CELL - 1) / scale;
            b.y2 = (top + CELL - 1) / scale;
            for (int k = 0; k < 4; k++) b.shift[k] = y[1][4 * at + (size_t)k];
            status = xfv_boxes_push(&q->boxes, &b, e);
            if (status) return status;
        }
    }
    return 0;
}

static int p_level(struct run *q, double scale, struct xfv_err *e)
{
    int lw = xfv_to_int(ceil(q->width * scale), 0, INT_MAX), lh = xfv_to_int(ceil(q->height * scale), 0, INT_MAX);
    int side = q->o->turn % 180, w = side ? q->height : q->width, h = side ? q->width : q->height;
    int nx = windows(lw), ny = windows(lh), status = 0;
    size_t first = q->boxes.n;
    struct xfv_resampler *r = xfv_resampler_new(w, h, side ? lh : lw, side ? lw : lh, e);
    if (!r) return XFV_ENOMEM;
    for (int y = 0; !status && y < ny; y += TILE)
        for (int x = 0; !status && x < nx; x += TILE)
            status = p_tile(q, r, scale, lw, lh, x, y, nx - x < TILE ? nx - x : TILE, ny - y < TILE ? ny - y : TILE, e);
    xfv_resampler_free(r);
    return status ? status : xfv_boxes_suppress(&q->boxes, first, 0.5, XFV_OVERLAP_UNION, e);
}

/* Regressed corners of a broken network may be anything: keep what is a box of sane size. */
static int sane(const struct run *q, const struct xfv_box *b)
{
    double most = 4.0 * (q->width + q->height), side = b->x2 - b->x1;
    return isfinite(b->x1 + b->y1 + b->x2 + b->y2) && side >= 1 && b->y2 - b->y1 >= 1 && side < most &&
           fabs(b->x1) < most && fabs(b->y1) < most && b->y2 - b->y1 < most;
}

/* Move each box by its regression; with square, make it one. */
static void regress(struct run *q, int square)
{
    size_t n = 0;
    for (size_t i = 0; i < q->boxes.n; i++) {
        struct xfv_box b = q->boxes.v[i];
        xfv_box_regress(&b);
        if (!sane(q, &b)) continue;
        if (square) xfv_box_square(&b);
        q->boxes.v[n++] = b;
    }
    q->boxes.n = n;
}

/* Within what sane allows. */
static int nearest(double v)
{
    return xfv_to_int(rint(v), -(1 << 28), 1 << 28);
}

/* Cut box b, its corners at the nearest pixels, out of the image into the model's input at x. (The box itself stays as
 * it is: what the network says in parts of its size is applied to the exact corners.) */
static int cut(struct run *q, const struct xfv_model *m, const struct xfv_box *b, float *x, struct xfv_err *e)
{
    int left = nearest(b->x1), top = nearest(b->y1), turn = q->o->turn, side = turn % 180, border = q->o->border;
    struct xfv_rect at = {left, top, nearest(b->x2) - left + 1, nearest(b->y2) - top + 1};
    at = xfv_turn_rect_back(turn, side ? q->height : q->width, side ? q->width : q->height, at);
    int nx = side ? m->height : m->width, ny = side ? m->width : m->height;
    struct xfv_resampler *r = xfv_resampler_new(at.width, at.height, nx, ny, e);
    if (!r) return XFV_ENOMEM;
    float *rows = reserve(&q->w->rows, xfv_resample_work(r, 3), e);
    if (rows) {
        struct xfv_float_sink to = sink_for(m, m->width, m->height, x);
        xfv_turn_sink(turn, m->width, m->height, &to);
        xfv_resample(r, q->im, at.x - border, at.y - border, (struct xfv_rect){0, 0, nx, ny}, &to, rows);
    }
    xfv_resampler_free(r);
    return rows ? 0 : XFV_ENOMEM;
}

/* Keep box b when its probability passes, with what the network says of it. */
static void take(struct run *q, int which, struct xfv_box *b, const float *prob, const float *shift,
                 const float *landmarks, size_t *kept)
{
    if (!(prob[1] >= q->o->threshold[which])) return;
    b->score = prob[1];
    for (int k = 0; k < 4; k++) b->shift[k] = shift[k];
    double w = b->x2 - b->x1 + 1, h = b->y2 - b->y1 + 1;
    for (int k = 0; landmarks && k < 5; k++) {
        b->landmarks[2 * k] = b->x1 + w * landmarks[k];
        b->landmarks[2 * k + 1] = b->y1 + h * landmarks[5 + k];
    }
    q->boxes.v[(*kept)++] = *b;
}

/* Run R-Net or O-Net over all boxes, a batch at a time, and keep those that pass. */
static int refine(struct run *q, int which, struct xfv_err *e)
{
    const struct stage *s = &q->d->stage[which];
    struct xfv_detector_work *w = q->w;
    size_t kept = 0, one = (size_t)s->model->width * (size_t)s->model->height * 3;
    double start = xfv_now();
    float *x = reserve(&w->input, one * BATCH, e);
    float *y[3] = {reserve(&w->prob, 2 * BATCH, e), reserve(&w->shift, 4 * BATCH, e),
                   reserve(&w->landmarks, 10 * BATCH, e)};
    if (!x || !y[0] || !y[1] || !y[2]) return XFV_ENOMEM;
    for (size_t i = 0; i < q->boxes.n; i += BATCH) {
        size_t n = q->boxes.n - i < BATCH ? q->boxes.n - i : BATCH;
        for (size_t k = 0; k < n; k++) {
            int status = cut(q, s->model, &q->boxes.v[i + k], x + k * one, e);
            if (status) return status;
        }
        int status = xfv_net_forward(s->net, w->ws, NULL, (int)n, x, y, e);
        if (status) return status;
        for (size_t k = 0; k < n; k++)
            take(q, which, &q->boxes.v[i + k], y[0] + 2 * k, y[1] + 4 * k, which == O ? y[2] + 10 * k : NULL, &kept);
    }
    if (which == R) q->stats.r_boxes += q->boxes.n, q->stats.r_net += xfv_now() - start;
    else q->stats.o_boxes += q->boxes.n, q->stats.o_net += xfv_now() - start;
    q->boxes.n = kept;
    return 0;
}

static int cascade(struct run *q, struct xfv_err *e)
{
    int side = q->width < q->height ? q->width : q->height, r;
    double scale = (double)CELL / xfv_detect_min_face(q->o, q->im);
    for (double s = side * scale; s >= CELL; s *= FACTOR, scale *= FACTOR)
        if ((r = p_level(q, scale, e))) return r;
    if ((r = xfv_boxes_suppress(&q->boxes, 0, 0.7, XFV_OVERLAP_UNION, e))) return r;
    regress(q, 1);
    if ((r = refine(q, R, e))) return r;
    if ((r = xfv_boxes_suppress(&q->boxes, 0, 0.7, XFV_OVERLAP_UNION, e))) return r;
    regress(q, 1);
    if ((r = refine(q, O, e))) return r;
    regress(q, 0);
    return xfv_boxes_suppress(&q->boxes, 0, 0.7, XFV_OVERLAP_MIN, e);
}

static int by_area(const void *a, const void *b)
{
    const struct xfv_face *p = a, *q = b;
    double s = (p->box[2] - p->box[0]) * (p->box[3] - p->box[1]), t = (q->box[2] - q->box[0]) * (q->box[3] - q->box[1]);
    if (s != t) return s > t ? -1 : 1;
    return p->box[0] < q->box[0] ? -1 : p->box[0] > q->box[0]; /* equal areas: from left to right */
}

void xfv_faces_sort(struct xfv_face *v, size_t n)
{
    qsort(v, n, sizeof *v, by_area);
}

/* From pixels of what was looked at to those of the image. */
static void to_image(const struct run *q, struct xfv_face *f)
{
    int turn = q->o->turn, side = turn % 180, border = q->o->border;
    int w = side ? q->height : q->width, h = side ? q->width : q->height;
    double *b = f->box;
    for (int k = 0; k < 5; k++) xfv_turn_back(turn, w, h, &f->landmarks[2 * k], &f->landmarks[2 * k + 1]);
    xfv_turn_back(turn, w, h, &b[0], &b[1]);
    xfv_turn_back(turn, w, h, &b[2], &b[3]);
    memcpy(b, (double[4]){fmin(b[0], b[2]), fmin(b[1], b[3]), fmax(b[0], b[2]), fmax(b[1], b[3])}, sizeof f->box);
    for (int k = 0; k < 4; k++) b[k] -= border;
    for (int k = 0; k < 10; k++) f->landmarks[k] -= border;
    f->turn = turn;
}

static struct xfv_face face_of(const struct run *q, const struct xfv_box *b)
{
    struct xfv_face f = {.box = {b->x1, b->y1, b->x2, b->y2}, .confidence = b->score};
    memcpy(f.landmarks, b->landmarks, sizeof f.landmarks);
    to_image(q, &f);
    return f;
}

static int faces_of(const struct run *q, struct xfv_face **faces, size_t *n, struct xfv_err *e)
{
    const struct xfv_boxes *l = &q->boxes;
    if (l->n == 0) return 0;
    struct xfv_face *f = calloc(l->n, sizeof *f);
    if (!f) return xfv_fail(e, XFV_ENOMEM, "out of memory for %zu faces", l->n);
    for (size_t i = 0; i < l->n; i++) f[i] = face_of(q, &l->v[i]);
    xfv_faces_sort(f, l->n);
    *faces = f;
    *n = l->n;
    return 0;
}

static void set_size(struct run *q)
{
    int side = q->o->turn % 180, border = 2 * q->o->border;
    q->width = (side ? q->im->height : q->im->width) + border;
    q->height = (side ? q->im->width : q->im->height) + border;
}

static void add_stats(struct xfv_detect_stats *to, const struct xfv_detect_stats *s)
{
    to->resample += s->resample;
    to->p_net += s->p_net;
    to->r_net += s->r_net;
    to->o_net += s->o_net;
    to->r_boxes += s->r_boxes;
    to->o_boxes += s->o_boxes;
}

int xfv_detect(const struct xfv_detector *d, struct xfv_detector_work *w, const struct xfv_image *im,
               const struct xfv_detect_opts *o, struct xfv_face **faces, size_t *n, struct xfv_detect_stats *stats,
               struct xfv_err *e)
{
    struct xfv_detect_opts def = xfv_detect_opts_default();
    struct run q = {.d = d, .w = w, .im = im, .o = o ? o : &def};
    *faces = NULL;
    *n = 0;
    if (im->channels != 3)
        return xfv_fail(e, XFV_EARG, "faces are looked for in RGB images, not in one of %d channels", im->channels);
    set_size(&q);
    int status = cascade(&q, e);
    if (!status) status = faces_of(&q, faces, n, e);
    xfv_boxes_clear(&q.boxes);
    if (stats) add_stats(stats, &q.stats);
    return status;
}

/* The box of f in pixels of what q looks at. */
static struct xfv_box box_of(const struct run *q, const struct xfv_face *f)
{
    int back = (360 - q->o->turn) % 360;
    double a[4];
    memcpy(a, f->box, sizeof a);
    xfv_turn_back(back, q->width, q->height, &a[0], &a[1]);
    xfv_turn_back(back, q->width, q->height, &a[2], &a[3]);
    double x1 = fmin(a[0], a[2]), y1 = fmin(a[1], a[3]), x2 = fmax(a[0], a[2]), y2 = fmax(a[1], a[3]);
    return (struct xfv_box){.x1 = x1, .y1 = y1, .x2 = x2, .y2 = y2};
}

int xfv_detect_again(const struct xfv_detector *d, struct xfv_detector_work *w, const struct xfv_image *im,
                     int turn, const struct xfv_face *f, size_t n, struct xfv_face *seen,
                     struct xfv_detect_stats *stats, struct xfv_err *e)
{
    struct xfv_detect_opts o = {.turn = turn}; /* whose thresholds let everything pass */
    struct run q = {.d = d, .w = w, .im = im, .o = &o};
    int status = 0;
    set_size(&q);
    for (size_t i = 0; i < n && !status; i++) {
        struct xfv_box b = box_of(&q, &f[i]);
        xfv_box_square(&b);
        status = xfv_boxes_push(&q.boxes, &b, e);
    }
    if (!status) status = refine(&q, O, e);
    if (!status && q.boxes.n != n)
        status = xfv_fail(e, XFV_EMODEL, "model %s gives a number that is not finite", xfv_detector_name(d, O));
    for (size_t i = 0; i < n && !status; i++) seen[i] = face_of(&q, &q.boxes.v[i]);
    xfv_boxes_clear(&q.boxes);
    if (stats) add_stats(stats, &q.stats);
    return status;
}
