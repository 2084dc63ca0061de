#include "explain/path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/run/net.h"
#include "stream/tensor.h"

struct scratch {
    struct xfv_ws *ws;
    struct xfv_tape *tape;
    float *h, *grad, *f, *cot; /* [features] twice, [n] twice */
    double *sum;               /* [cells] */
};

struct xfv_path {
    struct xfv_net *front, *rest; /* input -> features and looks; features -> embedding */
    struct xfv_net *lift;         /* layer -> features; NULL: they are the layer's own */
    struct xfv_layer layer;
    int n, cells, n_looks, workers;
    size_t channels, features;    /* of a cell; of all */
    struct scratch *scratch;
};

/* The value to lay the path through for this layer. Where only a 1x1 convolution reads the layer, its output does as well and its work falls away
 * from every step: it is affine and works in each cell by itself, so the path there is the image of the path here, and by the chain rule each
 * cell's product of difference and gradient is the same number. */
static int carrier(const struct xfv_graph *g, const struct xfv_layer *l)
{
    const struct xfv_node *reader = NULL;
    for (int i = 0; i < g->n_nodes; i++)
        for (int j = 0; j < g->nodes[i].n_in; j++) {
            if (g->nodes[i].in[j] != l->value) continue;
            if (reader) return l->value;
            reader = &g->nodes[i];
        }
    if (!reader || reader->op != XFV_OP_CONV || l->linear) return l->value;
    for (int a = 0; a < 2; a++)
        if (reader->kernel[a] != 1 || reader->stride[a] != 1 || reader->pads[a] || reader->pads[a + 2]) return l->value;
    return reader->out;
}

static int make_scratch(struct xfv_path *p, int workers, struct xfv_err *e)
{
    p->scratch = calloc((size_t)workers, sizeof *p->scratch);
    if (!p->scratch) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (; p->workers < workers; p->workers++) {
        struct scratch *s = &p->scratch[p->workers];
        s->ws = xfv_ws_new();
        s->h = xfv_aligned_alloc(p->features * sizeof *s->h);
        s->grad = xfv_aligned_alloc(p->features * sizeof *s->grad);
        s->sum = xfv_aligned_alloc((size_t)p->cells * sizeof *s->sum);
        s->f = xfv_aligned_alloc((size_t)p->n * sizeof *s->f);
        s->cot = xfv_aligned_alloc((size_t)p->n * sizeof *s->cot);
        if (!s->ws || !s->h || !s->grad || !s->sum || !s->f || !s->cot) {
            p->workers++; /* so that free finds what there is */
            return xfv_fail(e, XFV_ENOMEM, "out of memory");
        }
    }
    return 0;
}

int xfv_path_new(const struct xfv_graph *g, int embedding, const struct xfv_layer *layer, const int *looks, int n_looks, int workers,
                 struct xfv_path **out, struct xfv_err *e)
{
    int outs[1 + XFV_PATH_LOOKS];
    *out = NULL;
    if (n_looks < 0 || n_looks > XFV_PATH_LOOKS) return xfv_fail(e, XFV_EARG, "at most %d layers can be looked at, not %d", XFV_PATH_LOOKS, n_looks);
    struct xfv_path *p = calloc(1, sizeof *p);
    if (!p) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    p->layer = *layer;
    p->n = (int)xfv_shape_count(g->values[embedding].shape);
    p->cells = layer->h * layer->w;
    p->n_looks = n_looks;
    int at = carrier(g, layer);
    p->channels = (size_t)g->values[at].shape.dim[2];
    p->features = (size_t)p->cells * p->channels;
    outs[0] = at;
    for (int i = 0; i < n_looks; i++) outs[1 + i] = looks[i];
    int status = xfv_net_new(g, 0, outs, 1 + n_looks, &p->front, e);
    if (!status) status = xfv_net_new(g, at, &embedding, 1, &p->rest, e);
    if (!status && at != layer->value) status = xfv_net_new(g, layer->value, &at, 1, &p->lift, e);
    if (!status) status = make_scratch(p, workers, e);
    if (status) xfv_path_free(p);
    else *out = p;
    return status;
}

void xfv_path_free(struct xfv_path *p)
{
    if (!p) return;
    for (int i = 0; i < p->workers; i++) {
        struct scratch *s = &p->scratch[i];
        xfv_ws_free(s->ws);
        xfv_tape_free(s->tape);
        free(s->h);
        free(s->grad);
        free(s->sum);
        free(s->f);
        free(s->cot);
    }
    free(p->scratch);
    xfv_net_free(p->front);
    xfv_net_free(p->rest);
    xfv_net_free(p->lift);
    free(p);
}

int xfv_path_n(const struct xfv_path *p)
{
    return p->n;
}

size_t xfv_path_features(const struct xfv_path *p)
{
    return p->features;
}

static double dot(const float *a, const float *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static int has_direction(const float *f, int n, struct xfv_err *e)
{
    double norm = dot(f, f, n);
    if (norm > 0 && isfinite(norm)) return 0;
    return xfv_fail_code(e, XFV_EDATA, "embedding", "the embedding of this image is zero or not finite: it has no direction to explain");
}

int xfv_path_embed(struct xfv_path *p, int worker, const float *h, float *f, struct xfv_err *e)
{
    float *y[] = {f};
    int status = xfv_net_forward(p->rest, p->scratch[worker].ws, NULL, 1, h, y, e);
    return status ? status : has_direction(f, p->n, e);
}

int xfv_path_forward(struct xfv_path *p, int worker, const float *x, float *h, float *const *looks, float *f, struct xfv_err *e)
{
    float *y[1 + XFV_PATH_LOOKS] = {h};
    for (int i = 0; i < p->n_looks; i++) y[1 + i] = looks ? looks[i] : NULL;
    int status = xfv_net_forward(p->front, p->scratch[worker].ws, NULL, 1, x, y, e);
    return status ? status : xfv_path_embed(p, worker, h, f, e);
}

int xfv_path_lift(struct xfv_path *p, int worker, const float *layer, float *h, struct xfv_err *e)
{
    if (p->lift) return xfv_net_forward(p->lift, p->scratch[worker].ws, NULL, 1, layer, &h, e);
    memcpy(h, layer, p->features * sizeof *h);
    return 0;
}

static double cosine(const float *a, const float *b, int n)
{
    return dot(a, b, n) / sqrt(dot(a, a, n) * dot(b, b, n));
}

/* cot = d cos(F, T) / d F = (T/|T| - cos F/|F|) / |F| */
static void cosine_gradient(const float *f, const float *target, int n, float *cot)
{
    double ff = dot(f, f, n), tt = dot(target, target, n), c = dot(f, target, n) / sqrt(ff * tt);
    double by_t = 1 / sqrt(ff * tt), by_f = c / ff;
    for (int k = 0; k < n; k++) cot[k] = (float)((double)target[k] * by_t - (double)f[k] * by_f);
}

/* sum(p) += scale * sum over channels of (h - h0)(p) * g(p) */
static void gather(const struct xfv_path *p, const float *h0, const float *h, const float *g, double scale, double *sum)
{
    size_t c = p->channels;
    for (size_t i = 0; i < (size_t)p->cells; i++) {
        double part[8] = {0}; /* chains that do not wait for each other */
        size_t k = i * c, end = k + c, whole = k + c / 8 * 8;
        for (; k < whole; k += 8)
            for (size_t j = 0; j < 8; j++) part[j] += ((double)h[k + j] - (double)h0[k + j]) * (double)g[k + j];
        for (; k < end; k++) part[0] += ((double)h[k] - (double)h0[k]) * (double)g[k];
        sum[i] += scale * (((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7])));
    }
}

static double total(const struct xfv_path *p, const double *sum, float *cells)
{
    double all = 0;
    for (int i = 0; i < p->cells; i++) {
        cells[i] = (float)sum[i];
        all += sum[i];
    }
    return all;
}

/* The point at share t of the way. */
static void between(const struct xfv_path *p, const float *h0, const float *h, float t, float *out)
{
    for (size_t k = 0; k < p->features; k++) out[k] = h0[k] + t * (h[k] - h0[k]);
}

int xfv_path_integrate(struct xfv_path *p, int worker, const float *h0, const float *f0, const float *h, const float *f, const float *target, int steps,
                       float *cells, struct xfv_path_sums *sums, struct xfv_err *e)
{
    struct scratch *s = &p->scratch[worker];
    int status = has_direction(target, p->n, e);
    if (!status && steps < 1) status = xfv_fail(e, XFV_EARG, "a path has at least one step, not %d", steps);
    memset(s->sum, 0, (size_t)p->cells * sizeof *s->sum);
    for (int i = 0; i < steps && !status; i++) {
        float *y[] = {s->f};
        between(p, h0, h, ((float)i + 0.5f) / (float)steps, s->h);
        status = xfv_net_record(p->rest, s->ws, s->h, y, &s->tape, e);
        if (!status) status = has_direction(s->f, p->n, e);
        if (status) break;
        cosine_gradient(s->f, target, p->n, s->cot);
        status = xfv_net_vjp(p->rest, s->ws, s->tape, 1, s->cot, s->grad, e);
        if (!status) gather(p, h0, h, s->grad, 1.0 / steps, s->sum);
    }
    if (status) return status;
    sums->from = cosine(f0, target, p->n);
    sums->to = cosine(f, target, p->n);
    sums->sum = total(p, s->sum, cells);
    return 0;
}

static int want_linear(const struct xfv_path *p, struct xfv_err *e)
{
    return p->layer.linear ? 0 : xfv_fail(e, XFV_EARG, "the embedding is not a linear function of this layer");
}

int xfv_path_linear(struct xfv_path *p, int worker, const float *h0, const float *f0, const float *h, const float *f, const float *target, float *cells,
                    struct xfv_path_sums *sums, struct xfv_err *e)
{
    struct scratch *s = &p->scratch[worker];
    float *y[] = {s->f};
    int status = want_linear(p, e);
    if (!status) status = has_direction(target, p->n, e);
    if (!status) status = xfv_net_record(p->rest, s->ws, h, y, &s->tape, e);
    if (status) return status;
    double by = 1 / sqrt(dot(f, f, p->n) * dot(target, target, p->n));
    for (int k = 0; k < p->n; k++) s->cot[k] = (float)((double)target[k] * by);
    status = xfv_net_vjp(p->rest, s->ws, s->tape, 1, s->cot, s->grad, e);
    if (status) return status;
    memset(s->sum, 0, (size_t)p->cells * sizeof *s->sum);
    gather(p, h0, h, s->grad, 1, s->sum);
    sums->from = dot(f0, target, p->n) * by;
    sums->to = dot(f, target, p->n) * by;
    sums->sum = total(p, s->sum, cells);
    return 0;
}

int xfv_path_contributions(struct xfv_path *p, int worker, const float *h0, const float *h, float *phi, struct xfv_err *e)
{
    struct scratch *s = &p->scratch[worker];
    size_t c = p->channels, n = (size_t)p->n;
    float *y[] = {s->f};
    int status = want_linear(p, e);
    memset(s->h, 0, p->features * sizeof *s->h);
    if (!status) status = xfv_net_forward(p->rest, s->ws, NULL, 1, s->h, y, e); /* F(0) */
    for (size_t i = 0; i < (size_t)p->cells && !status; i++) {
        float *one[] = {phi + i * n};
        for (size_t k = i * c; k < (i + 1) * c; k++) s->h[k] = h[k] - h0[k];
        status = xfv_net_forward(p->rest, s->ws, NULL, 1, s->h, one, e);
        for (size_t k = 0; k < n; k++) one[0][k] -= s->f[k];
        memset(s->h + i * c, 0, c * sizeof *s->h);
    }
    return status;
}

void xfv_agreement(const float *a, const float *b, const float *mean, int cells, int channels, float *out)
{
    for (int p = 0; p < cells; p++, a += channels, b += channels, mean += channels) {
        double aa = 0, bb = 0, ab = 0;
        for (int k = 0; k < channels; k++) {
            double u = (double)a[k] - (double)mean[k], v = (double)b[k] - (double)mean[k];
            aa += u * u, bb += v * v, ab += u * v;
        }
        out[p] = aa > 0 && bb > 0 ? (float)(ab / sqrt(aa * bb)) : 0.0f;
    }
}
