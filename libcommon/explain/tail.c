#include "explain/tail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/run/net.h"
#include "stream/tensor.h"

struct xfv_tail {
    size_t cells, channels, n;
    float *rows;             /* [n][cells][channels]: all W_p; NULL when they were taken apart */
    float *gain;             /* [cells][channels]: g; NULL otherwise */
    struct xfv_graph *graph; /* of V as a 1x1 convolution */
    struct xfv_net *product;
    struct xfv_ws **ws;      /* [workers] */
    float **spare;           /* [workers][cells * channels] */
    int workers;
};

/* ---- reading W ---- */

static void keep_row(void *ctx, int k, const float *dx)
{
    struct xfv_tail *t = ctx;
    memcpy(t->rows + (size_t)k * t->cells * t->channels, dx, t->cells * t->channels * sizeof *dx);
}

static int read_rows(struct xfv_tail *t, const struct xfv_graph *g, int embedding, const struct xfv_layer *l,
                     struct xfv_err *e)
{
    struct xfv_net *net = NULL;
    struct xfv_tape *tape = NULL;
    struct xfv_ws *ws = xfv_ws_new();
    float *zero = xfv_aligned_alloc(t->cells * t->channels * sizeof *zero), *f = xfv_aligned_alloc(t->n * sizeof *f),
          *y[] = {f};
    t->rows = xfv_aligned_alloc(t->n * t->cells * t->channels * sizeof *t->rows);
    int status = ws && zero && f && t->rows ? 0
                                            : xfv_fail(e, XFV_ENOMEM, "out of memory for the network's last layers");
    if (!status) memset(zero, 0, t->cells * t->channels * sizeof *zero);
    if (!status) status = xfv_net_new(g, l->value, &embedding, 1, &net, e);
    if (!status) status = xfv_net_record(net, ws, zero, y, &tape, e);
    if (!status) status = xfv_net_jacobian(net, ws, tape, NULL, (int)t->n, keep_row, t, e);
    xfv_tape_free(tape);
    xfv_net_free(net);
    xfv_ws_free(ws);
    free(zero);
    free(f);
    return status;
}

/* ---- taking it apart ---- */

/* size[c] = sum over cells of a(p, c) b(p, c) */
static void products(const struct xfv_tail *t, const float *a, const float *b, double *size)
{
    memset(size, 0, t->channels * sizeof *size);
    for (size_t p = 0; p < t->cells; p++, a += t->channels, b += t->channels)
        for (size_t c = 0; c < t->channels; c++) size[c] += (double)a[c] * (double)b[c];
}

/* The square of what is left of a row less v(c) g(p, c). */
static double rest(const struct xfv_tail *t, const float *row, const double *v)
{
    const float *g = t->gain;
    double left = 0;
    for (size_t p = 0; p < t->cells; p++, row += t->channels, g += t->channels)
        for (size_t c = 0; c < t->channels; c++) {
            double d = (double)row[c] - v[c] * (double)g[c];
            left += d * d;
        }
    return left;
}

/* W as v(k, c) g(p, c), as near as any: g is each channel's longest row. v f32 [channels][n]. Returns the share of its
 * square that is left. */
static double split(const struct xfv_tail *t, float *v, double *size, double *most)
{
    size_t channels = t->channels, floats = t->cells * channels;
    double all = 0, left = 0;
    memset(most, 0, channels * sizeof *most);
    memset(t->gain, 0, floats * sizeof *t->gain);
    for (size_t k = 0; k < t->n; k++) {
        const float *row = t->rows + k * floats;
        products(t, row, row, size);
        for (size_t c = 0; c < channels; c++) {
            all += size[c];
            if (!(size[c] > most[c])) continue;
            most[c] = size[c];
            for (size_t i = c; i < floats; i += channels) t->gain[i] = row[i];
        }
    }
    for (size_t k = 0; k < t->n && left <= 1e-10 * all; k++) {
        const float *row = t->rows + k * floats;
        products(t, row, t->gain, size);
        for (size_t c = 0; c < channels; c++) size[c] = most[c] > 0 ? size[c] / most[c] : 0;
        for (size_t c = 0; c < channels; c++) v[c * t->n + k] = (float)size[c];
        left += rest(t, row, size);
    }
    return all > 0 ? left / all : 0;
}

/* v [channels][n] is the weight of a 1x1 convolution. */
static int make_product(struct xfv_tail *t, const struct xfv_layer *l, const float *v, struct xfv_err *e)
{
    struct xfv_node node = xfv_node_default(XFV_OP_CONV);
    int status = (t->graph = xfv_graph_new()) ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    int in = status ? status : xfv_graph_add_value(t->graph, "cells", xfv_shape_of(3, l->h, l->w, l->c), e);
    int out = in < 0 ? in : xfv_graph_add_value(t->graph, "contributions", xfv_shape_of(3, l->h, l->w, (int)t->n), e);
    if (out >= 0)
        status = node.weight = xfv_graph_add_weight(t->graph, "weight", xfv_shape_of(4, 1, 1, l->c, (int)t->n), v, e);
    if (out < 0 || status < 0) return out < 0 ? out : status;
    char name[] = "product";
    node.name = name;
    node.n_in = 1, node.in[0] = in, node.out = out;
    for (int a = 0; a < 2; a++) node.kernel[a] = node.stride[a] = 1;
    if ((status = xfv_graph_add_node(t->graph, &node, e)) < 0) return status;
    return xfv_net_new(t->graph, in, &out, 1, &t->product, e);
}

static int take_apart(struct xfv_tail *t, const struct xfv_layer *l, struct xfv_err *e)
{
    float *v = malloc(t->channels * t->n * sizeof *v);
    double *size = malloc(2 * t->channels * sizeof *size);
    t->gain = xfv_aligned_alloc(t->cells * t->channels * sizeof *t->gain);
    int status = v && size && t->gain ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status && split(t, v, size, size + t->channels) <= 1e-10) {
        free(t->rows);
        t->rows = NULL;
        status = make_product(t, l, v, e);
    } else {
        free(t->gain);
        t->gain = NULL;
    }
    free(v);
    free(size);
    return status;
}

/* ---- */

static int make_workers(struct xfv_tail *t, int workers, struct xfv_err *e)
{
    int ok = 1;
    t->ws = calloc((size_t)workers, sizeof *t->ws);
    t->spare = calloc((size_t)workers, sizeof *t->spare);
    if (t->ws && t->spare) t->workers = workers;
    for (int i = 0; i < t->workers; i++) {
        t->ws[i] = xfv_ws_new();
        t->spare[i] = xfv_aligned_alloc(t->cells * t->channels * sizeof(float));
        ok = ok && t->ws[i] && t->spare[i];
    }
    return ok && t->workers ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

int xfv_tail_new(const struct xfv_graph *g, int embedding, const struct xfv_layer *l, int workers,
                 struct xfv_tail **out, struct xfv_err *e)
{
    *out = NULL;
    if (!l->linear) return xfv_fail(e, XFV_EARG, "the embedding is not a linear function of this layer");
    struct xfv_tail *t = calloc(1, sizeof *t);
    if (!t) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    t->cells = (size_t)l->h * (size_t)l->w;
    t->channels = (size_t)l->c;
    t->n = xfv_shape_count(g->values[embedding].shape);
    int status = make_workers(t, workers, e);
    if (!status) status = read_rows(t, g, embedding, l, e);
    if (!status) status = take_apart(t, l, e);
    if (status) xfv_tail_free(t);
    else *out = t;
    return status;
}

void xfv_tail_free(struct xfv_tail *t)
{
    if (!t) return;
    for (int i = 0; i < t->workers; i++) {
        xfv_ws_free(t->ws[i]);
        free(t->spare[i]);
    }
    free(t->ws);
    free(t->spare);
    xfv_net_free(t->product);
    xfv_graph_free(t->graph);
    free(t->rows);
    free(t->gain);
    free(t);
}

static float dot(const float *a, const float *b, size_t n)
{
    float part[8] = {0}; /* chains that do not wait for each other */
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++) part[j] += a[i + j] * b[i + j];
    for (; i < n; i++) part[0] += a[i] * b[i];
    return ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
}

int xfv_tail_contributions(const struct xfv_tail *t, int worker, const float *h0, const float *h, float *phi,
                           struct xfv_err *e)
{
    float *d = t->spare[worker], *y[] = {phi};
    size_t floats = t->cells * t->channels;
    for (size_t i = 0; i < floats; i++) d[i] = t->gain ? (h[i] - h0[i]) * t->gain[i] : h[i] - h0[i];
    if (t->product) return xfv_net_forward(t->product, t->ws[worker], NULL, 1, d, y, e);
    for (size_t k = 0; k < t->n; k++)
        for (size_t p = 0; p < t->cells; p++) {
            const float *row = t->rows + k * floats + p * t->channels;
            phi[p * t->n + k] = dot(row, d + p * t->channels, t->channels);
        }
    return 0;
}
