#include "explain/path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/net.h"
#include "stream/tensor.h"

struct scratch {
    struct xfv_ws *ws;
    struct xfv_tape *tape;
    float *h, *grad, *f, *cot; /* [features] twice, [n] twice */
    double *sum;               /* [features]: of the gradients over the steps */
};

struct xfv_path {
    struct xfv_net *front, *rest; /* input -> map; map -> embedding */
    struct xfv_layer layer;
    int n, cells, workers;
    size_t features;
    struct scratch *scratch;
};

static int make_scratch(struct xfv_path *p, int workers, struct xfv_err *e)
{
    p->scratch = calloc((size_t)workers, sizeof *p->scratch);
    if (!p->scratch) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (; p->workers < workers; p->workers++) {
        struct scratch *s = &p->scratch[p->workers];
        s->ws = xfv_ws_new();
        s->h = xfv_aligned_alloc(p->features * sizeof *s->h);
        s->grad = xfv_aligned_alloc(p->features * sizeof *s->grad);
        s->sum = xfv_aligned_alloc(p->features * sizeof *s->sum);
        s->f = xfv_aligned_alloc((size_t)p->n * sizeof *s->f);
        s->cot = xfv_aligned_alloc((size_t)p->n * sizeof *s->cot);
        if (!s->ws || !s->h || !s->grad || !s->sum || !s->f || !s->cot) {
            p->workers++; /* so that free finds what there is */
            return xfv_fail(e, XFV_ENOMEM, "out of memory");
        }
    }
    return 0;
}

int xfv_path_new(const struct xfv_graph *g, int embedding, const struct xfv_layer *layer, int workers, struct xfv_path **out, struct xfv_err *e)
{
    *out = NULL;
    struct xfv_path *p = calloc(1, sizeof *p);
    if (!p) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    p->layer = *layer;
    p->n = (int)xfv_shape_count(g->values[embedding].shape);
    p->cells = layer->h * layer->w;
    p->features = (size_t)p->cells * (size_t)layer->c;
    int status = xfv_net_new(g, 0, &layer->value, 1, &p->front, e);
    if (!status) status = xfv_net_new(g, layer->value, &embedding, 1, &p->rest, e);
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
    free(p);
}

int xfv_path_n(const struct xfv_path *p)
{
    return p->n;
}

int xfv_path_cells(const struct xfv_path *p)
{
    return p->cells;
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

int xfv_path_forward(struct xfv_path *p, int worker, const float *x, float *h, float *f, struct xfv_err *e)
{
    float *y[] = {h};
    int status = xfv_net_forward(p->front, p->scratch[worker].ws, NULL, 1, x, y, e);
    return status ? status : xfv_path_embed(p, worker, h, f, e);
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

/* cells(p) = sum over channels of (h - h0)(p) * scale * g(p) */
static double gather(const struct xfv_path *p, const float *h0, const float *h, const double *g, double scale, float *cells)
{
    size_t c = (size_t)p->layer.c;
    double total = 0;
    for (size_t i = 0; i < (size_t)p->cells; i++) {
        double sum = 0;
        for (size_t k = i * c; k < (i + 1) * c; k++) sum += ((double)h[k] - (double)h0[k]) * g[k];
        cells[i] = (float)(sum * scale);
        total += sum * scale;
    }
    return total;
}

int xfv_path_integrate(struct xfv_path *p, int worker, const float *h0, const float *f0, const float *h, const float *f, const float *target, int steps,
                       float *cells, struct xfv_path_sums *sums, struct xfv_err *e)
{
    struct scratch *s = &p->scratch[worker];
    int status = has_direction(target, p->n, e);
    if (!status && steps < 1) status = xfv_fail(e, XFV_EARG, "a path has at least one step, not %d", steps);
    memset(s->sum, 0, p->features * sizeof *s->sum);
    for (int i = 0; i < steps && !status; i++) {
        float t = ((float)i + 0.5f) / (float)steps, *y[] = {s->f};
        for (size_t k = 0; k < p->features; k++) s->h[k] = h0[k] + t * (h[k] - h0[k]);
        status = xfv_net_record(p->rest, s->ws, s->h, y, &s->tape, e);
        if (!status) status = has_direction(s->f, p->n, e);
        if (status) break;
        cosine_gradient(s->f, target, p->n, s->cot);
        status = xfv_net_vjp(p->rest, s->ws, s->tape, 1, s->cot, s->grad, e);
        for (size_t k = 0; k < p->features; k++) s->sum[k] += (double)s->grad[k];
    }
    if (status) return status;
    sums->from = cosine(f0, target, p->n);
    sums->to = cosine(f, target, p->n);
    sums->sum = gather(p, h0, h, s->sum, 1.0 / steps, cells);
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
    for (size_t k = 0; k < p->features; k++) s->sum[k] = (double)s->grad[k];
    sums->from = dot(f0, target, p->n) * by;
    sums->to = dot(f, target, p->n) * by;
    sums->sum = gather(p, h0, h, s->sum, 1, cells);
    return 0;
}

int xfv_path_contributions(struct xfv_path *p, int worker, const float *h0, const float *h, float *phi, struct xfv_err *e)
{
    struct scratch *s = &p->scratch[worker];
    size_t c = (size_t)p->layer.c, n = (size_t)p->n;
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
