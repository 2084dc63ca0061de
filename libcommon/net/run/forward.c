/* The forward pass. */
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "net/run/flush.h"
#include "net/run/internal.h"
#include "stream/tensor.h"
#include "base/deadline.h"

/* Zero-padded copy of x [h][w][pitch] into p [h+top+bottom][w+left+right][pitch]. */
static void pad_copy(float *p, const float *x, int h, int w, int pitch, const int pads[4])
{
    size_t row = (size_t)w * (size_t)pitch, left = (size_t)pads[1] * (size_t)pitch,
           right = (size_t)pads[3] * (size_t)pitch;
    size_t full = left + row + right;
    memset(p, 0, sizeof *p * full * (size_t)pads[0]);
    p += full * (size_t)pads[0];
    for (int y = 0; y < h; y++, p += full, x += row) {
        memset(p, 0, sizeof *p * left);
        memcpy(p + left, x, sizeof *p * row);
        memset(p + left + row, 0, sizeof *p * right);
    }
    memset(p, 0, sizeof *p * full * (size_t)pads[2]);
}

static struct xfv_epilogue epilogue(const struct run *r, const struct step *s, size_t pitch)
{
    struct xfv_epilogue e = {0};
    e.bias = s->bias;
    e.slope = s->slope;
    e.sign = r->signs && s->slope ? r->signs + s->sign : NULL;
    e.bits = pitch / 8;
    return e;
}

static void forward_depthwise(const struct run *r, const struct step *s)
{
    const struct xfv_node *nd = s->node;
    struct xfv_shape in = r->shape[s->in[0]], out = r->shape[s->out];
    int ch = value_pitch(r->net, s->in[0], in), h = in.dim[0], w = in.dim[1];
    size_t xrow = (size_t)w * (size_t)ch, yrow = (size_t)out.dim[1] * (size_t)ch;
    const float *x = run_value(r, s->in[0]), *rows[MAX_ROWS + 1], *zero = r->scratch;
    float *y = run_value(r, s->out);
    memset(r->scratch, 0, sizeof *r->scratch * xrow);
    struct xfv_dwrow d = {.rows = rows,
                          .kh = nd->kernel[0],
                          .kw = nd->kernel[1],
                          .stride = nd->stride[1],
                          .left = nd->pads[1],
                          .win = w,
                          .wout = out.dim[1],
                          .channels = ch,
                          .gap = nd->dilation[1] - 1,
                          .w = s->wf};
    for (int oy = 0; oy < out.dim[0]; oy += 1 + d.two) {
        d.two = nd->stride[0] == 1 && nd->stride[1] == 1 && nd->dilation[0] == 1 && oy + 2 <= out.dim[0];
        for (int i = 0; i < d.kh + d.two; i++) {
            int at = oy * nd->stride[0] - nd->pads[0] + i * nd->dilation[0];
            rows[i] = at < 0 || at >= h ? zero : x + (size_t)at * xrow;
        }
        d.y = y + (size_t)oy * yrow;
        d.e = epilogue(r, s, (size_t)ch);
        if (d.e.sign) d.e.sign += (size_t)oy * yrow / 8;
        r->net->k->dwrow(&d);
    }
}

/* Taps of a convolution in a padded image of row length `row` floats: whole kernel rows when a kernel row is contiguous
 * in memory. */
static int conv_taps(const struct xfv_node *nd, int channels, int pitch, size_t row, ptrdiff_t *tap, int *k)
{
    int n = 0, whole = pitch == channels && nd->dilation[1] == 1;
    *k = whole ? nd->kernel[1] * channels : channels;
    for (int i = 0; i < nd->kernel[0]; i++)
        for (int j = 0; j < (whole ? 1 : nd->kernel[1]); j++)
            tap[n++] = (ptrdiff_t)((size_t)(i * nd->dilation[0]) * row) + (ptrdiff_t)j * nd->dilation[1] * pitch;
    return n;
}

static void forward_wino(const struct run *r, const struct step *s)
{
    struct wino_job j = xfv_wino_forward(r->net, s, r->shape);
    j.x = run_value(r, s->in[0]);
    j.y = run_value(r, s->out);
    j.e = epilogue(r, s, (size_t)value_pitch(r->net, s->out, r->shape[s->out]));
    xfv_wino_conv(&j, 1, r->scratch);
}

/* Winograd's, but not where gradients follow: its rounding (1e-5) moves enough PReLU inputs across zero to change a
 * deep network's gradient by 3e-3. */
static int by_wino(const struct run *r, const struct step *s)
{
    return !s->point && !r->signs && xfv_wino_runs(s, r->shape);
}

/* The product of part p: its own inputs, weights and outputs. */
static struct xfv_gemm part_of(const struct step *s, const struct xfv_gemm *whole, int p)
{
    struct xfv_gemm g = *whole;
    size_t first = (size_t)p * (size_t)s->part_out;
    g.x += p * s->part_in;
    g.w += (size_t)p * (size_t)g.taps * (size_t)g.k * (size_t)xfv_pad16(s->part_out);
    g.y += first;
    if (g.e.bias) g.e.bias += first;
    if (g.e.slope) g.e.slope += first;
    if (g.e.sign) g.e.sign += first / 8;
    return g;
}

/* Output rows of a small map are short: one product a row would read all weights for a few pixels. Then the inputs of
 * many outputs are brought together first, at most so many floats of them. */
#define SMALL_ROW 14
#define SMALL_WEIGHTS 32768
#define PATCH_FLOATS 262144

static size_t patch_length(const struct step *s)
{
    return (size_t)(s->node->kernel[0] * s->node->kernel[1]) * (size_t)s->part_in;
}

/* Output pixels whose patches are computed together; 0: none are. */
static size_t patches(const struct step *s, const struct xfv_shape *shape)
{
    struct xfv_shape out = shape[s->out];
    size_t length = patch_length(s), all = shape_pixels(out), some = PATCH_FLOATS / length;
    if (s->point || s->parts != 1 || out.dim[0] < 2 || out.dim[1] > SMALL_ROW) return 0;
    if (length * (size_t)shape_channels(out) < SMALL_WEIGHTS) return 0;
    some = some < 48 ? 48 : some;
    return some < all ? some : all;
}

size_t xfv_patch_floats(const struct step *s, const struct xfv_shape *shape)
{
    return patches(s, shape) * patch_length(s);
}

/* All outputs of g, a convolution over rows of `row` floats: their patches are copied into `buffer`, one after the
 * other, and multiplied. */
static void conv_by_patches(const struct run *r, const struct step *s, const struct xfv_gemm *g, size_t row,
                            float *buffer)
{
    struct xfv_shape out = r->shape[s->out];
    size_t many = patches(s, r->shape), all = shape_pixels(out), k = (size_t)g->k, wide = (size_t)out.dim[1];
    struct xfv_gemm h = *g;
    h.x = buffer;
    h.ldx = patch_length(s);
    h.k = (int)h.ldx;
    h.taps = 1;
    h.tap = NULL;
    for (size_t p = 0, some; p < all; p += some) {
        float *to = buffer;
        some = all - p < many ? all - p : many;
        for (size_t q = p; q < p + some; q++) {
            const float *x = g->x + q / wide * (size_t)s->node->stride[0] * row + q % wide * g->ldx;
            for (int t = 0; t < g->taps; t++, to += k) memcpy(to, x + g->tap[t], sizeof *to * k);
        }
        h.y = run_value(r, s->out) + p * g->ldy;
        if (g->e.sign) h.e.sign = g->e.sign + p * g->ldy / 8;
        r->net->k->gemm(&h, (int)some);
    }
}

static void forward_conv(const struct run *r, const struct step *s)
{
    const struct xfv_node *nd = s->node;
    struct xfv_shape in = r->shape[s->in[0]], out = r->shape[s->out];
    int pitch = value_pitch(r->net, s->in[0], in), n = value_pitch(r->net, s->out, out);
    const float *x = run_value(r, s->in[0]);
    ptrdiff_t *tap = (ptrdiff_t *)(void *)r->scratch; /* room for them, then the padded image */
    struct xfv_gemm g = {.ldx = (size_t)(nd->stride[1] * pitch),
                         .taps = 1,
                         .k = s->part_in,
                         .w = s->wf,
                         .n = s->parts > 1 ? s->part_out : n,
                         .ldy = (size_t)n,
                         .block = r->signs ? XFV_CHAIN : 0};
    g.e = epilogue(r, s, (size_t)n);
    if (s->point) {
        g.x = x;
        g.y = run_value(r, s->out);
        if (r->signs) { /* where gradients follow, it is exact which side of a PReLU a sum is on */
            r->net->k->gemm(&g, (int)shape_pixels(in));
            return;
        }
        if (xfv_by_terms(r->net, s, 0)) g.w = s->uf;
        xfv_conv_product(r->net, s, 0, &g, (int)shape_pixels(in));
        return;
    }
    if (nd->pads[0] || nd->pads[1] || nd->pads[2] || nd->pads[3]) {
        float *to = r->scratch + xfv_tap_floats(nd);
        pad_copy(to, x, in.dim[0], in.dim[1], pitch, nd->pads);
        x = to;
    }
    size_t row = (size_t)(in.dim[1] + nd->pads[1] + nd->pads[3]) * (size_t)pitch,
           padded = (size_t)(in.dim[0] + nd->pads[0] + nd->pads[2]) * row;
    g.taps = conv_taps(nd, s->part_in, pitch, row, tap, &g.k);
    g.tap = tap;
    g.x = x;
    if (patches(s, r->shape)) {
        conv_by_patches(r, s, &g, row, r->scratch + xfv_tap_floats(nd) + padded);
        return;
    }
    g.y = run_value(r, s->out);
    size_t yrow = (size_t)out.dim[1] * (size_t)n;
    for (int p = 0; p < s->parts; p++) { /* row after row: a part's weights stay in the first cache */
        struct xfv_gemm part = part_of(s, &g, p);
        for (int oy = 0; oy < out.dim[0]; oy++, part.x += (size_t)nd->stride[0] * row, part.y += yrow) {
            r->net->k->gemm(&part, out.dim[1]);
            if (part.e.sign) part.e.sign += yrow / 8;
        }
    }
}

static void forward_steps(const struct run *r, int from, int to)
{
    for (int i = from; i < to; i++) {
        const struct step *s = &r->net->steps[i];
        if (!r->signs && xfv_is_lazy(r->net, s, r->shape)) continue;
        if (s->op == XFV_OP_DENSE) xfv_dense_forward(r, s);
        else if (s->op != XFV_OP_CONV) xfv_op_forward(r, s);
        else if (s->depthwise) forward_depthwise(r, s);
        else if (by_wino(r, s)) forward_wino(r, s);
        else forward_conv(r, s);
    }
}

int xfv_ws_reserve(struct xfv_ws *ws, size_t arena, size_t scratch, struct xfv_err *e)
{
    if (ws->arena_floats < arena) {
        free(ws->arena);
        ws->arena = xfv_aligned_alloc(sizeof(float) * arena);
        ws->arena_floats = ws->arena ? arena : 0;
    }
    if (ws->scratch_floats < scratch) {
        free(ws->scratch);
        ws->scratch = xfv_aligned_alloc(sizeof(float) * scratch);
        ws->scratch_floats = ws->scratch ? scratch : 0;
    }
    if ((arena && !ws->arena) || (scratch && !ws->scratch))
        return xfv_fail(e, XFV_ENOMEM, "out of memory: a pass needs %zu MiB", (arena + scratch) * sizeof(float) >> 20);
    return 0;
}

struct xfv_ws *xfv_ws_new(void)
{
    return calloc(1, sizeof(struct xfv_ws));
}

void xfv_ws_free(struct xfv_ws *ws)
{
    if (!ws) return;
    xfv_wipe_free(ws->arena);
    xfv_wipe_free(ws->scratch);
    free(ws->shape);
    free(ws->layout.offset);
    free(ws);
}

/* Copy out those outputs, of `sample` and those behind it in a value of many, that steps from.. to-1 make. */
static void take_outputs(const struct run *r, int from, int to, float *const *y, size_t sample)
{
    const struct xfv_net *n = r->net;
    for (int i = 0; i < n->n_outs && y; i++) {
        int v = n->outs[i], p = n->producer[v];
        if (y[i] && p >= from && p < to)
            xfv_gather(y[i] + sample * xfv_shape_count(n->shape[v]), run_value(r, v), r->shape[v],
                       value_pitch(n, v, r->shape[v]));
    }
}

/* The steps before `to`, of one sample. */
static void one_forward(const struct run *r, int to, const float *x, float *const *y, size_t sample)
{
    const struct xfv_net *n = r->net;
    struct xfv_shape in = r->shape[n->from];
    xfv_spread(run_value(r, n->from), x + sample * xfv_shape_count(in), in, value_pitch(n, n->from, in));
    forward_steps(r, 0, to);
    take_outputs(r, -1, to, y, sample);
}

/* Shapes and layout for an input size, kept in the workspace for the next call with the same size. */
static int shapes_for(const struct xfv_net *n, struct xfv_ws *ws, struct xfv_shape in, struct xfv_err *e)
{
    if (n->from != 0) return xfv_fail(e, XFV_EARG, "only a network that starts at the graph's input takes other sizes");
    for (int i = 0; i < n->n_steps; i++)
        if (n->steps[i].op == XFV_OP_DENSE)
            return xfv_fail(e, XFV_EARG, "a network with dense layers takes its declared size only");
    struct xfv_shape *shape = realloc(ws->shape, sizeof *shape * (size_t)n->g->n_values);
    if (!shape) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    ws->shape = shape;
    int status = xfv_graph_shapes(n->g, in, shape, e);
    return status ? status : xfv_plan_layout(n, shape, 0, &ws->layout, e);
}

/* Samples first.. of a batch, b of them: one after the other as far as n->rows, then together. */
static int some_forward(const struct run *r, const float *x, float *const *y, size_t first, size_t b, struct xfv_err *e)
{
    const struct xfv_net *n = r->net;
    struct run single = *r;
    single.rows = NULL;
    for (size_t i = 0; i < b; i++) {
        int status = xfv_deadline_check(e);
        if (status) return status;
        one_forward(&single, n->rows, x, y, first + i);
        if (n->row_value < 0) continue;
        struct xfv_shape in = n->shape[n->row_value];
        xfv_gather(r->rows + i * xfv_shape_count(in), run_value(r, n->row_value), in, value_pitch(n, n->row_value, in));
    }
    forward_steps(r, n->rows, n->n_steps);
    take_outputs(r, n->rows, n->n_steps, y, first);
    return 0;
}

/* Shapes for b samples, in the workspace. */
static void shapes_of_many(const struct xfv_net *n, struct xfv_shape *shape, size_t b)
{
    memcpy(shape, n->many, sizeof *shape * (size_t)n->g->n_values);
    for (int i = n->rows; i < n->n_steps; i++) shape[n->steps[i].out].dim[0] = (int)b;
}

static int batches(struct run *r, struct xfv_ws *ws, size_t batch, const float *x, float *const *y, struct xfv_err *e)
{
    const struct xfv_net *n = r->net;
    int many = n->row_value >= 0, status = 0;
    if (many) {
        struct xfv_shape *shape = realloc(ws->shape, sizeof *shape * (size_t)n->g->n_values);
        if (!shape) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        r->shape = ws->shape = shape;
        r->rows = r->arena + r->at->floats;
    }
    for (size_t i = 0, b; i < batch && !status; i += b) {
        b = !many ? 1 : batch - i < XFV_MANY ? batch - i : XFV_MANY;
        if (many) shapes_of_many(n, ws->shape, b);
        status = some_forward(r, x, y, i, b, e);
    }
    return status;
}

static size_t row_floats(const struct xfv_net *n)
{
    return n->row_value < 0 ? 0 : XFV_MANY * xfv_shape_count(n->shape[n->row_value]);
}

int xfv_net_forward(const struct xfv_net *n, struct xfv_ws *ws, const struct xfv_shape *in, int batch, const float *x,
                    float *const *y, struct xfv_err *e)
{
    struct run r = {.net = n, .shape = n->shape, .at = &n->plain};
    int status = 0, other = in && !xfv_shape_equal(*in, n->shape[n->from]);
    if (other && !(status = shapes_for(n, ws, *in, e))) {
        r.shape = ws->shape;
        r.at = &ws->layout;
    }
    /* Packed before anything looks at a step's weights: another thread may be packing them, under the lock, for the
     * same shape. */
    if (!status) status = xfv_pack_forward(n, r.shape, e);
    size_t scratch = other && !status ? xfv_plan_scratch(n, r.shape) : n->fwd_scratch;
    if (!status) status = xfv_ws_reserve(ws, r.at->floats + row_floats(n), scratch, e);
    if (status) return status;
    r.arena = ws->arena;
    r.scratch = ws->scratch;
    unsigned state = xfv_flush_begin();
    status = batches(&r, ws, (size_t)batch, x, y, e);
    xfv_flush_end(state);
    return status;
}

int xfv_net_out_shape(const struct xfv_net *n, const struct xfv_shape *in, int i, struct xfv_shape *out,
                      struct xfv_err *e)
{
    if (!in || xfv_shape_equal(*in, n->shape[n->from])) {
        *out = n->shape[n->outs[i]];
        return 0;
    }
    struct xfv_shape *shape = malloc(sizeof *shape * (size_t)n->g->n_values);
    if (!shape) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int status = xfv_graph_shapes(n->g, *in, shape, e);
    if (!status) *out = shape[n->outs[i]];
    free(shape);
    return status;
}

int xfv_net_record(const struct xfv_net *n, struct xfv_ws *ws, const float *x, float *const *y, struct xfv_tape **tape,
                   struct xfv_err *e)
{
    int status = xfv_ws_reserve(ws, 0, n->fwd_scratch, e);
    if (!status) status = xfv_pack_record(n, e);
    if (status) return status;
    if (*tape && (*tape)->net != n) xfv_tape_free(*tape), *tape = NULL;
    struct xfv_tape *t = *tape;
    if (!t) {
        t = calloc(1, sizeof *t);
        if (!t) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        t->net = n;
        t->arena = xfv_aligned_alloc(sizeof(float) * n->record.floats);
        t->signs = xfv_aligned_alloc(n->sign_bytes);
        if (!t->arena || !t->signs) {
            xfv_tape_free(t);
            return xfv_fail(e, XFV_ENOMEM, "out of memory: a tape needs %zu MiB",
                            n->record.floats * sizeof(float) >> 20);
        }
        *tape = t;
    }
    struct run r = {
        .net = n, .shape = n->shape, .at = &n->record, .arena = t->arena, .scratch = ws->scratch, .signs = t->signs};
    unsigned state = xfv_flush_begin();
    one_forward(&r, n->n_steps, x, y, 0);
    xfv_flush_end(state);
    return 0;
}

void xfv_tape_free(struct xfv_tape *t)
{
    if (!t) return;
    free(t->arena);
    free(t->signs);
    free(t);
}
