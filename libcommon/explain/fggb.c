#include "explain/fggb.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/run/net.h"
#include "stream/tensor.h"

#define EPSILON 1e-8
#define CHUNK XFV_NET_ROWS /* channels: a face of 192 makes 12 pieces, enough to keep workers busy to the end */

struct xfv_fggb {
    struct xfv_net *net;
    struct xfv_fggb_opts o;
    int n, h, w, c, workers;
    struct xfv_ws **ws;
};

struct xfv_fggb_face {
    size_t pixels;
    float *embedding; /* F [N] */
    float *maps;      /* g_k [N][H][W], those that are done */
    unsigned char *done;
    int *todo, n_todo; /* channels wanted and not done, set by want */
    double norm;      /* |F| */
    /* between begin and end */
    struct xfv_tape *tape;
    float *v; /* f^T dF/dx [H][W][C]; NULL for the raw embedding */
};

int xfv_fggb_new(const struct xfv_graph *g, int embedding, int workers, const struct xfv_fggb_opts *o,
                 struct xfv_fggb **out, struct xfv_err *e)
{
    *out = NULL;
    if (embedding < 0 || embedding >= g->n_values)
        return xfv_fail(e, XFV_EMODEL, "the model names no embedding: it is not an embedding network");
    struct xfv_shape in = g->values[0].shape, of = g->values[embedding].shape;
    if (in.rank != 3)
        return xfv_fail(e, XFV_EMODEL, "the network's input must be an image [H,W,C], it has %d axes", in.rank);
    struct xfv_fggb *f = calloc(1, sizeof *f);
    if (!f) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    *f = (struct xfv_fggb){.o = *o, .n = (int)xfv_shape_count(of), .h = in.dim[0], .w = in.dim[1], .c = in.dim[2]};
    int status = xfv_net_new(g, 0, &embedding, 1, &f->net, e);
    f->ws = calloc((size_t)workers, sizeof *f->ws);
    if (!status && !f->ws) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (; !status && f->workers < workers; f->workers++)
        if (!(f->ws[f->workers] = xfv_ws_new())) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (status) xfv_fggb_free(f);
    else *out = f;
    return status;
}

void xfv_fggb_free(struct xfv_fggb *f)
{
    if (!f) return;
    for (int i = 0; f->ws && i < f->workers; i++) xfv_ws_free(f->ws[i]);
    free(f->ws);
    xfv_net_free(f->net);
    free(f);
}

void xfv_fggb_own_weights(struct xfv_fggb *f, struct xfv_graph *g)
{
    xfv_net_own_weights(f->net, g);
}

int xfv_fggb_n(const struct xfv_fggb *f)
{
    return f->n;
}

int xfv_fggb_height(const struct xfv_fggb *f)
{
    return f->h;
}

int xfv_fggb_width(const struct xfv_fggb *f)
{
    return f->w;
}

int xfv_fggb_want(const struct xfv_fggb *f, struct xfv_fggb_face *face, const int *channels, int m)
{
    face->n_todo = 0;
    for (int i = 0; i < m; i++) {
        int k = channels ? channels[i] : i;
        if (!face->done[k]) face->todo[face->n_todo++] = k;
    }
    (void)f;
    return (face->n_todo + CHUNK - 1) / CHUNK;
}

static size_t pixels(const struct xfv_fggb *f)
{
    return (size_t)f->h * (size_t)f->w;
}

size_t xfv_fggb_face_bytes(const struct xfv_fggb *f)
{
    return (size_t)f->n * (pixels(f) + 1) * sizeof(float);
}

struct xfv_fggb_face *xfv_fggb_face_new(const struct xfv_fggb *f)
{
    struct xfv_fggb_face *face = calloc(1, sizeof *face);
    if (!face) return NULL;
    face->pixels = pixels(f);
    face->embedding = xfv_aligned_alloc((size_t)f->n * sizeof *face->embedding);
    face->maps = xfv_aligned_alloc((size_t)f->n * face->pixels * sizeof *face->maps);
    face->done = calloc((size_t)f->n, 1);
    face->todo = malloc((size_t)f->n * sizeof *face->todo);
    if (face->embedding && face->maps && face->done && face->todo) return face;
    xfv_fggb_face_free(face);
    return NULL;
}

void xfv_fggb_face_free(struct xfv_fggb_face *face)
{
    if (!face) return;
    xfv_fggb_end(face);
    free(face->embedding);
    free(face->maps);
    free(face->done);
    free(face->todo);
    free(face);
}

void xfv_fggb_end(struct xfv_fggb_face *face)
{
    xfv_tape_free(face->tape);
    free(face->v);
    face->tape = NULL;
    face->v = NULL;
}

static double norm_of(const float *v, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)v[i] * (double)v[i];
    return sqrt(sum);
}

/* The rows of the Jacobian of f = F/|F| follow from those of F, J_k = dF_k/dx, exactly:
 *
 *     df_k/dx = (J_k - f_k v) / |F|,    v = f^T J = sum_j f_j J_j,
 *
 * since d|F|/dx = v. So the normalised embedding costs one vector-Jacobian product more than the raw one, v, made here
 * once a face. */
static int make_v(struct xfv_fggb *f, struct xfv_fggb_face *face, int worker, struct xfv_err *e)
{
    float *unit = malloc((size_t)f->n * sizeof *unit);
    face->v = xfv_aligned_alloc(face->pixels * (size_t)f->c * sizeof *face->v);
    int status = unit && face->v ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status) {
        for (int k = 0; k < f->n; k++) unit[k] = (float)((double)face->embedding[k] / face->norm);
        status = xfv_net_vjp(f->net, f->ws[worker], face->tape, 1, unit, face->v, e);
    }
    free(unit);
    return status;
}

int xfv_fggb_begin(struct xfv_fggb *f, struct xfv_fggb_face *face, const float *x, int worker, struct xfv_err *e)
{
    float *y[] = {face->embedding};
    int status = xfv_net_record(f->net, f->ws[worker], x, y, &face->tape, e);
    if (status) return status;
    face->norm = norm_of(face->embedding, f->n);
    if (!(face->norm > 0) || !isfinite(face->norm))
        return xfv_fail_code(e, XFV_EDATA, "embedding",
                             "the embedding of this image is zero or not finite: it has no direction to explain");
    return f->o.embedding == XFV_FGGB_NORMALISED ? make_v(f, face, worker, e) : 0;
}

/* |row| over the c channels of each pixel, by the wanted rule. */
static void reduce_colour(enum xfv_fggb_colour rule, const float *row, size_t n, int c, float *out)
{
    if (rule == XFV_FGGB_MEAN && c == 3) { /* the usual case, in a form that compilers vectorise */
        for (size_t p = 0; p < n; p++)
            out[p] = (fabsf(row[3 * p]) + fabsf(row[3 * p + 1]) + fabsf(row[3 * p + 2])) / 3.0f;
        return;
    }
    for (size_t p = 0; p < n; p++) {
        const float *at = row + p * (size_t)c;
        float sum = 0, most = 0, squares = 0;
        for (int i = 0; i < c; i++) {
            float v = fabsf(at[i]);
            sum += v;
            most = v > most ? v : most;
            squares += v * v;
        }
        out[p] = rule == XFV_FGGB_MEAN ? sum / (float)c : rule == XFV_FGGB_MAX ? most : sqrtf(squares);
    }
}

static void divide_by_norm(enum xfv_fggb_norm rule, float *map, size_t n)
{
    double norm = 0;
    if (rule == XFV_FGGB_NORM_NONE) return;
    for (size_t p = 0; p < n; p++) {
        double v = (double)map[p];
        if (rule == XFV_FGGB_NORM_L2) norm += v * v;
        else norm = v > norm ? v : norm;
    }
    if (rule == XFV_FGGB_NORM_L2) norm = sqrt(norm);
    float scale = (float)(1.0 / (norm + EPSILON));
    for (size_t p = 0; p < n; p++) map[p] *= scale;
}

struct sink { const struct xfv_fggb *f; struct xfv_fggb_face *face; float *row; };

static void take_row(void *ctx, int k, const float *dx)
{
    struct sink *s = ctx;
    const struct xfv_fggb *f = s->f;
    size_t n = s->face->pixels, all = n * (size_t)f->c;
    float *map = s->face->maps + (size_t)k * n;
    if (s->face->v) {
        const float *v = s->face->v;
        float fk = (float)((double)s->face->embedding[k] / s->face->norm), scale = (float)(1.0 / s->face->norm);
        for (size_t i = 0; i < all; i++) s->row[i] = (dx[i] - fk * v[i]) * scale;
        dx = s->row;
    }
    reduce_colour(f->o.colour, dx, n, f->c, map);
    divide_by_norm(f->o.norm, map, n);
    s->face->done[k] = 1;
}

int xfv_fggb_chunk(struct xfv_fggb *f, struct xfv_fggb_face *face, int chunk, int worker, struct xfv_err *e)
{
    int first = chunk * CHUNK, n = face->n_todo - first < CHUNK ? face->n_todo - first : CHUNK;
    struct sink s = {f, face, xfv_aligned_alloc(face->pixels * (size_t)f->c * sizeof(float))};
    if (!s.row) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int status = xfv_net_jacobian(f->net, f->ws[worker], face->tape, face->todo + first, n, take_row, &s, e);
    free(s.row);
    return status;
}

const float *xfv_fggb_embedding(const struct xfv_fggb_face *face)
{
    return face->embedding;
}

const float *xfv_fggb_map(const struct xfv_fggb_face *face, int k)
{
    return face->maps + (size_t)k * face->pixels;
}

int xfv_fggb_complete(const struct xfv_fggb *f, const struct xfv_fggb_face *face)
{
    for (int k = 0; k < f->n; k++)
        if (!face->done[k]) return 0;
    return 1;
}

int xfv_fggb_load(const struct xfv_fggb *f, struct xfv_fggb_face *face, const float *embedding, const void *maps_f16,
                  struct xfv_err *e)
{
    face->norm = norm_of(embedding, f->n);
    if (!(face->norm > 0) || !isfinite(face->norm))
        return xfv_fail_code(e, XFV_EDATA, "embedding", "the embedding is zero or not finite");
    memcpy(face->embedding, embedding, (size_t)f->n * sizeof *embedding);
    for (size_t at = 0, all = (size_t)f->n * face->pixels; at < all;) { /* bytes from a stream may lie anywhere */
        uint16_t part[1024];
        size_t n = all - at < 1024 ? all - at : 1024;
        memcpy(part, (const char *)maps_f16 + at * sizeof *part, n * sizeof *part);
        xfv_f32_from_f16(part, face->maps + at, n);
        at += n;
    }
    memset(face->done, 1, (size_t)f->n);
    return 0;
}

void xfv_fggb_weights(const float *a, const float *b, int n, double threshold, double *w)
{
    double norms = norm_of(a, n) * norm_of(b, n);
    for (int k = 0; k < n; k++) w[k] = (double)a[k] * (double)b[k] / norms - threshold / n;
}

void xfv_fggb_equal_weights(int n, double *w)
{
    double sum = 0;
    for (int k = 0; k < n; k++) sum += w[k];
    for (int k = 0; k < n; k++) w[k] = sum / n;
}

void xfv_fggb_distance_weights(const float *a, const float *b, int n, double threshold, double *w)
{
    double share = threshold * fabs(threshold) / n;
    for (int k = 0; k < n; k++) {
        double d = (double)a[k] - (double)b[k];
        w[k] = -d * d - share;
    }
}

struct ranked { double weight; int k; };

/* Larger first; equal ones by channel, so that the order is the same everywhere. */
static int by_weight(const void *x, const void *y)
{
    const struct ranked *a = x, *b = y;
    if (a->weight != b->weight) return a->weight > b->weight ? -1 : 1;
    return a->k - b->k;
}

int xfv_fggb_choose(const double *w, int n, int most, double tolerance, int *channels, double *bound, struct xfv_err *e)
{
    struct ranked *r = malloc((size_t)n * sizeof *r);
    double total = 0, left = 0;
    int keep = n, m;
    if (!r) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (int k = 0; k < n; k++) {
        r[k] = (struct ranked){fabs(w[k]), k};
        total += fabs(w[k]);
    }
    qsort(r, (size_t)n, sizeof *r, by_weight);
    while (keep > 1 && left + r[keep - 1].weight <= tolerance * total) left += r[--keep].weight;
    m = most < keep ? most : keep;
    *bound = 0;
    for (int k = n - 1; k >= m; k--) *bound += r[k].weight;
    for (int i = 0; i < m; i++) channels[i] = r[i].k;
    free(r);
    return m;
}

void xfv_fggb_sum(const struct xfv_fggb *f, const struct xfv_fggb_face *face, const double *w, const int *channels,
                  int m, float *similarity, float *dissimilarity)
{
    enum { BLOCK = 512 }; /* pixels at a time: the sums stay in the first-level cache while the maps stream by */
    double s[BLOCK];
    (void)f;
    for (size_t at = 0; at < face->pixels; at += BLOCK) {
        size_t n = face->pixels - at < BLOCK ? face->pixels - at : BLOCK;
        for (size_t p = 0; p < n; p++) s[p] = 0;
        for (int i = 0; i < m; i++) {
            int k = channels ? channels[i] : i;
            const float *g = face->maps + (size_t)k * face->pixels + at;
            for (size_t p = 0; p < n; p++) s[p] += (double)g[p] * w[k];
        }
        for (size_t p = 0; p < n; p++) {
            similarity[at + p] = s[p] > 0 ? (float)s[p] : 0.0f;
            dissimilarity[at + p] = s[p] < 0 ? (float)-s[p] : 0.0f;
        }
    }
}
