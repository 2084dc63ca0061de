/* Dense layers. Small ones by the kernels, many images at a time. Large ones by OpenBLAS on the graph's own weights, one
 * product per image and shape: bound by reading the weights once, which it does well. All on one thread, and an image's
 * bits do not depend on its neighbours. */
#include <cblas.h>
#include <string.h>

#include "net/run/internal.h"
#include "stream/tensor.h"

size_t xfv_dense_scratch(const struct xfv_net *n, const struct step *s)
{
    return xfv_shape_count(n->shape[s->in[0]]) + 16;
}

#define SMALL 524288 /* weights that fit in a second-level cache, and are kept twice */

int xfv_dense_pack(const struct xfv_net *n, struct step *s)
{
    const struct xfv_weight *w = &n->g->weights[s->node->weight];
    size_t rows = (size_t)w->shape.dim[0];
    int cols = w->shape.dim[1], padded = xfv_pad16(cols);
    if (!w->data || rows * (size_t)padded > SMALL) return 0;
    s->wf = xfv_aligned_alloc(sizeof *s->wf * rows * (size_t)padded);
    if (s->wf) xfv_pack(n->k, w->data, (size_t)cols, rows, cols, s->wf);
    return s->wf ? 0 : -1;
}

/* x: inputs without padding lanes, ldx floats apart. */
static void by_kernels(const struct run *r, const struct step *s, const float *x, size_t ldx)
{
    const struct xfv_weight *w = &r->net->g->weights[s->node->weight];
    struct xfv_shape out = r->shape[s->out];
    int n = xfv_pad16(w->shape.dim[1]);
    struct xfv_gemm g = {.x = x,
                         .ldx = ldx,
                         .taps = 1,
                         .k = w->shape.dim[0],
                         .block = XFV_CHAIN,
                         .w = s->wf,
                         .n = n,
                         .y = run_value(r, s->out),
                         .ldy = (size_t)n,
                         .e = {.bias = s->bias}};
    r->net->k->gemm(&g, (int)shape_pixels(out));
}

void xfv_dense_forward(const struct run *r, const struct step *s)
{
    const struct xfv_weight *w = &r->net->g->weights[s->node->weight];
    struct xfv_shape in = r->shape[s->in[0]];
    int rows = w->shape.dim[0], n = w->shape.dim[1], pitch = value_pitch(r->net, s->in[0], in);
    const float *x = run_value(r, s->in[0]);
    float *y = run_value(r, s->out);
    if (r->rows) {
        int first = s->in[0] == r->net->row_value;
        by_kernels(r, s, first ? r->rows : x, (size_t)(first ? rows : pitch));
        return;
    }
    if (pitch != shape_channels(in)) {
        xfv_gather(r->scratch, x, in, pitch);
        x = r->scratch;
    }
    if (s->wf) {
        by_kernels(r, s, x, 0);
        return;
    }
    memset(y, 0, sizeof *y * (size_t)xfv_pad16(n));
    if (s->node->bias >= 0) memcpy(y, r->net->g->weights[s->node->bias].data, sizeof *y * (size_t)n);
    cblas_sgemv(CblasRowMajor, CblasTrans, rows, n, 1.0f, w->data, n, x, 1, 1.0f, y, 1);
}

/* dx = W dy; of a unit vector only one column of W is read. */
static void times_columns(const struct xfv_weight *w, const float *dy, float *dx)
{
    int rows = w->shape.dim[0], n = w->shape.dim[1], nonzero = 0;
    for (int o = 0; o < n; o++) nonzero += dy[o] != 0.0f;
    if (nonzero * 8 > n) {
        cblas_sgemv(CblasRowMajor, CblasNoTrans, rows, n, 1.0f, w->data, n, dy, 1, 0.0f, dx, 1);
        return;
    }
    memset(dx, 0, sizeof *dx * (size_t)rows);
    for (int o = 0; o < n; o++)
        if (dy[o] != 0.0f) cblas_saxpy(rows, dy[o], w->data + o, n, dx, 1);
}

void xfv_dense_backward(const struct run *r, const struct step *s, const float *dy, float *dx, int acc)
{
    struct xfv_shape in = r->net->shape[s->in[0]];
    size_t ch = (size_t)shape_channels(in), pitch = (size_t)value_pitch(r->net, s->in[0], in),
           pixels = shape_pixels(in);
    const struct xfv_weight *w = &r->net->g->weights[s->node->weight];
    if (!acc && ch == pitch) {
        times_columns(w, dy, dx);
        return;
    }
    times_columns(w, dy, r->scratch);
    if (!acc) {
        xfv_spread(dx, r->scratch, in, (int)pitch);
        return;
    }
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < ch; c++) dx[p * pitch + c] += r->scratch[p * ch + c];
}
