#include "explain/path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/run/net.h"
#include "stream/tensor.h"

struct scratch {
    struct xfv_ws *ws;
    struct xfv_tape *tape[XFV_PATH_STANDS];
    float *h, *grad, *f, *cot; /* [features] twice, [n] twice */
    double *sum;               /* [cells] */
};

struct xfv_path {
    struct xfv_net *front, *rest; /* input -> features and early looks; features -> embedding and late looks */
    struct xfv_net *lift;         /* layer -> features; NULL: they are the layer's own */
    struct xfv_layer layer;
    int at; /* the value that h holds */
    int n, cells, n_looks, workers;
    int early[XFV_PATH_LOOKS], late[XFV_PATH_LOOKS], n_early, n_late; /* numbers of looks before and behind h */
    size_t channels, features;    /* of a cell; of all */
    struct scratch *scratch;
};

/* The value to lay the path through for this layer. Where only a 1x1 convolution reads the layer, its output does as
 * well and its work falls away from every step: it is affine and works in each cell by itself, so the path there is the
 * image of the path here, and by the chain rule each cell's product of difference and gradient is the same number. */
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

/* Is value `first` made before `second`? */
static int is_before(const struct xfv_graph *g, int first, int second)
{
    if (first == 0) return second != 0;
    for (int i = 0; i < g->n_nodes; i++) {
        if (g->nodes[i].out == second) return 0;
        if (g->nodes[i].out == first) return 1;
    }
    return 0;
}

static int make_nets(struct xfv_path *p, const struct xfv_graph *g, int embedding, const int *looks, struct xfv_err *e)
{
    int front[1 + XFV_PATH_LOOKS] = {p->at}, rest[1 + XFV_PATH_LOOKS] = {embedding};
    for (int i = 0; i < p->n_looks; i++) {
        int late = is_before(g, p->at, looks[i]);
        if (late) rest[1 + p->n_late] = looks[i], p->late[p->n_late++] = i;
        else front[1 + p->n_early] = looks[i], p->early[p->n_early++] = i;
    }
    int status = xfv_net_new(g, 0, front, 1 + p->n_early, &p->front, e);
    if (!status) status = xfv_net_new(g, p->at, rest, 1 + p->n_late, &p->rest, e);
    if (!status && p->at != p->layer.value) status = xfv_net_new(g, p->layer.value, &p->at, 1, &p->lift, e);
    return status;
}

int xfv_path_new(const struct xfv_graph *g, int embedding, const struct xfv_layer *layer, const int *looks, int n_looks,
                 int workers, struct xfv_path **out, struct xfv_err *e)
{
    *out = NULL;
    if (n_looks < 0 || n_looks > XFV_PATH_LOOKS)
        return xfv_fail(e, XFV_EARG, "at most %d layers can be looked at, not %d", XFV_PATH_LOOKS, n_looks);
    struct xfv_path *p = calloc(1, sizeof *p);
    if (!p) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    p->layer = *layer;
    p->n = (int)xfv_shape_count(g->values[embedding].shape);
    p->cells = layer->h * layer->w;
    p->n_looks = n_looks;
    p->at = carrier(g, layer);
    p->channels = (size_t)g->values[p->at].shape.dim[2];
    p->features = (size_t)p->cells * p->channels;
    int status = make_nets(p, g, embedding, looks, e);
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
        for (int k = 0; k < XFV_PATH_STANDS; k++) xfv_tape_free(s->tape[k]);
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

int xfv_path_value(const struct xfv_path *p)
{
    return p->at;
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
    return xfv_fail_code(e, XFV_EDATA, "embedding",
                         "the embedding of this image is zero or not finite: it has no direction to explain");
}

/* Features to their embedding and the late looks, of which NULL are none. */
static int look_on(struct xfv_path *p, int worker, const float *h, float *const *looks, float *f, struct xfv_err *e)
{
    float *y[1 + XFV_PATH_LOOKS] = {f};
    for (int i = 0; i < p->n_late; i++) y[1 + i] = looks ? looks[p->late[i]] : NULL;
    int status = xfv_net_forward(p->rest, p->scratch[worker].ws, NULL, 1, h, y, e);
    return status ? status : has_direction(f, p->n, e);
}

int xfv_path_embed(struct xfv_path *p, int worker, const float *h, float *f, struct xfv_err *e)
{
    return look_on(p, worker, h, NULL, f, e);
}

int xfv_path_forward(struct xfv_path *p, int worker, const float *x, float *h, float *const *looks, float *f,
                     struct xfv_err *e)
{
    float *y[1 + XFV_PATH_LOOKS] = {h};
    for (int i = 0; i < p->n_early; i++) y[1 + i] = looks ? looks[p->early[i]] : NULL;
    int status = xfv_net_forward(p->front, p->scratch[worker].ws, NULL, 1, x, y, e);
    return status ? status : look_on(p, worker, h, looks, f, e);
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

/* The products of a = y - k centre and b = target - k centre. */
struct products { double aa, bb, ab; };

static int multiply(const float *y, const float *target, const float *centre, double k, int n, struct products *v,
                    struct xfv_err *e)
{
    *v = (struct products){0};
    for (int i = 0; i < n; i++) {
        double m = centre ? k * (double)centre[i] : 0, a = (double)y[i] - m, b = (double)target[i] - m;
        v->aa += a * a, v->bb += b * b, v->ab += a * b;
    }
    if (v->aa > 0 && isfinite(v->aa) && v->bb > 0 && isfinite(v->bb)) return 0;
    return xfv_fail_code(e, XFV_EDATA, "embedding",
                         "an embedding less the average face's is zero or not finite: it has no direction to explain");
}

int xfv_path_cotangent(const float *y, const float *target, const float *centre, double k, int n, float *cot,
                       struct xfv_err *e)
{
    struct products v;
    int status = multiply(y, target, centre, k, n, &v, e);
    if (status) return status;
    double by_b = 1 / sqrt(v.aa * v.bb), by_a = v.ab / sqrt(v.aa * v.bb) / v.aa;
    for (int i = 0; i < n; i++) {
        double m = centre ? k * (double)centre[i] : 0;
        cot[i] = (float)(((double)target[i] - m) * by_b - ((double)y[i] - m) * by_a);
    }
    return 0;
}

int xfv_path_heading(const float *f, const float *target, const float *centre, int n, float *cot, struct xfv_err *e)
{
    struct products v;
    int status = multiply(f, target, centre, 1, n, &v, e);
    if (status) return status;
    double by = 1 / sqrt(v.aa * v.bb);
    for (int i = 0; i < n; i++) cot[i] = (float)(by * ((double)target[i] - (double)centre[i]));
    return 0;
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

int xfv_path_stand(struct xfv_path *p, int worker, int stand, const float *h0, const float *h, double t, float *y,
                   struct xfv_err *e)
{
    struct scratch *s = &p->scratch[worker];
    float *outs[1 + XFV_PATH_LOOKS] = {y};
    between(p, h0, h, (float)t, s->h);
    int status = xfv_net_record(p->rest, s->ws, s->h, outs, &s->tape[stand], e);
    return status ? status : has_direction(y, p->n, e);
}

int xfv_path_gather(struct xfv_path *p, int worker, int stand, const float *h0, const float *h, const float *cot,
                    double scale, double *cells, struct xfv_err *e)
{
    struct scratch *s = &p->scratch[worker];
    int status = xfv_net_vjp(p->rest, s->ws, s->tape[stand], 1, cot, s->grad, e);
    if (!status) gather(p, h0, h, s->grad, scale, cells);
    return status;
}

int xfv_path_integrate(struct xfv_path *p, int worker, const float *h0, const float *f0, const float *h, const float *f,
                       const float *target, int steps, float *cells, struct xfv_path_sums *sums, struct xfv_err *e)
{
    struct scratch *s = &p->scratch[worker];
    int status = has_direction(target, p->n, e);
    if (!status && steps < 1) status = xfv_fail(e, XFV_EARG, "a path has at least one step, not %d", steps);
    memset(s->sum, 0, (size_t)p->cells * sizeof *s->sum);
    for (int i = 0; i < steps && !status; i++) {
        status = xfv_path_stand(p, worker, 0, h0, h, (double)(((float)i + 0.5f) / (float)steps), s->f, e);
        if (!status) status = xfv_path_cotangent(s->f, target, NULL, 0, p->n, s->cot, e);
        if (!status) status = xfv_path_gather(p, worker, 0, h0, h, s->cot, 1.0 / steps, s->sum, e);
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

int xfv_path_linear(struct xfv_path *p, int worker, const float *h0, const float *f0, const float *h, const float *f,
                    const float *target, float *cells, struct xfv_path_sums *sums, struct xfv_err *e)
{
    struct scratch *s = &p->scratch[worker];
    float *y[1 + XFV_PATH_LOOKS] = {s->f};
    int status = want_linear(p, e);
    if (!status) status = has_direction(target, p->n, e);
    if (!status) status = xfv_net_record(p->rest, s->ws, h, y, &s->tape[0], e);
    if (status) return status;
    double by = 1 / sqrt(dot(f, f, p->n) * dot(target, target, p->n));
    for (int k = 0; k < p->n; k++) s->cot[k] = (float)((double)target[k] * by);
    memset(s->sum, 0, (size_t)p->cells * sizeof *s->sum);
    status = xfv_path_gather(p, worker, 0, h0, h, s->cot, 1, s->sum, e);
    if (status) return status;
    sums->from = dot(f0, target, p->n) * by;
    sums->to = dot(f, target, p->n) * by;
    sums->sum = total(p, s->sum, cells);
    return 0;
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
