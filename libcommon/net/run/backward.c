/* Vector-Jacobian products: the gradient of one cotangent at a time travels back through the network, so that what a
 * worker touches stays in its cache; bottleneck blocks go band by band (1x1, mask, depthwise, mask, 1x1), so that their
 * wide inner gradients never leave it. */
#include <stdlib.h>
#include <string.h>

#include "net/run/flush.h"
#include "net/run/internal.h"
#include "stream/tensor.h"
#include "base/deadline.h"

struct back {
    const struct xfv_net *net;
    const struct xfv_tape *tape;
    const struct layout *at;
    float *arena, *scratch;
    size_t image, batch; /* the one at hand of those that travel together */
    struct run fwd;      /* the recorded values */
};

/* A block goes down a band of rows at a time: enough pixels for the products to pay for reading the weights, few enough
 * for the second-level cache. Of the middle gradient, which is made in bands too, three are alive at a time. */
#define BANDS 3

/* Every value has its place times the batch, image after image. */
static float *grad(const struct back *b, int v)
{
    return b->arena + b->at->offset[v] * b->batch + b->image * value_floats(b->net, v, b->net->shape[v]);
}

/* Epilogue of the last write into the gradient of s's input j: the sum so far, and the mask of the PReLU that made that
 * input. */
static struct xfv_epilogue input_epilogue(const struct back *b, const struct step *s, int j)
{
    struct xfv_epilogue e = {0};
    int v = s->in[j], pitch = value_pitch(b->net, v, b->net->shape[v]);
    e.bits = (size_t)pitch / 8;
    if (s->acc >> j & 1) e.add = grad(b, v);
    if (s->last >> j & 1) {
        const struct step *p = &b->net->steps[b->net->producer[v]];
        e.slope = p->slope;
        e.mask = b->tape->signs + p->sign;
    }
    return e;
}

static void advance(struct xfv_epilogue *e, size_t floats)
{
    if (e->add) e->add += floats;
    if (e->mask) e->mask += floats / 8;
}

/* Row y of the gradient before a depthwise convolution, and with `two` the row after it. The gradient behind it has ho
 * rows of wo columns, row oy at dy + (oy % ring) * row. */
static void depthwise_row(const struct back *b, const struct step *s, int y, int two, const float *dy, int ring,
                          const float *zero, float *out, const struct xfv_epilogue *e)
{
    const struct xfv_node *nd = s->node;
    struct xfv_shape o = b->net->shape[s->out], in = b->net->shape[s->in[0]];
    int ch = value_pitch(b->net, s->out, o), half = nd->stride[0] == 2;
    size_t row = (size_t)o.dim[1] * (size_t)ch;
    const float *rows[MAX_ROWS + 1];
    struct xfv_dwrow d = {.rows = rows,
                          .kh = nd->kernel[0],
                          .kw = nd->kernel[1],
                          .stride = 1,
                          .win = o.dim[1],
                          .wout = in.dim[1],
                          .channels = ch,
                          .two = two,
                          .gap = nd->dilation[1] - 1,
                          .w = half ? s->wf : s->wb,
                          .y = out,
                          .e = *e};
    d.left = half ? nd->pads[1] : (nd->kernel[1] - 1) * nd->dilation[1] - nd->pads[1];
    for (int i = 0; i < d.kh + two; i++) {
        int at = half ? y + nd->pads[0] - i : y + nd->pads[0] + (i - d.kh + 1) * nd->dilation[0];
        int there = at >= 0 && (!half || at % 2 == 0) && (half ? at / 2 : at) < o.dim[0];
        if (half) at /= 2;
        rows[i] = there ? dy + (size_t)(at % ring) * row : half ? NULL : zero;
    }
    if (half) b->net->k->dwrow_back2(&d);
    else b->net->k->dwrow(&d);
}

/* Rows y.. of it, two at a time where that saves reading. */
static void depthwise_rows(const struct back *b, const struct step *s, int y, int rows, const float *dy, int ring,
                           const float *zero, float *out, const struct xfv_epilogue *e)
{
    struct xfv_shape in = b->net->shape[s->in[0]];
    size_t row = (size_t)in.dim[1] * (size_t)value_pitch(b->net, s->out, b->net->shape[s->out]);
    struct xfv_epilogue at = *e;
    for (int i = 0; i < rows;) {
        int two = s->node->stride[0] == 1 && s->node->dilation[0] == 1 && i + 2 <= rows;
        depthwise_row(b, s, y + i, two, dy, ring, zero, out + (size_t)i * row, &at);
        advance(&at, row * (size_t)(1 + two));
        i += 1 + two;
    }
}

/* Any stride: every output scatters. Slow and rare. */
static void depthwise_scatter(const struct back *b, const struct step *s, const float *dy, float *dx)
{
    const struct xfv_node *nd = s->node;
    struct xfv_shape o = b->net->shape[s->out], in = b->net->shape[s->in[0]];
    size_t ch = (size_t)value_pitch(b->net, s->out, o);
    for (int oy = 0; oy < o.dim[0]; oy++)
        for (int ox = 0; ox < o.dim[1]; ox++, dy += ch)
            for (int t = 0; t < nd->kernel[0] * nd->kernel[1]; t++) {
                int y = oy * nd->stride[0] - nd->pads[0] + t / nd->kernel[1] * nd->dilation[0],
                    x = ox * nd->stride[1] - nd->pads[1] + t % nd->kernel[1] * nd->dilation[1];
                if (y < 0 || x < 0 || y >= in.dim[0] || x >= in.dim[1]) continue;
                float *to = dx + ((size_t)y * (size_t)in.dim[1] + (size_t)x) * ch;
                const float *w = s->wf + (size_t)t * ch;
                for (size_t c = 0; c < ch; c++) to[c] += dy[c] * w[c];
            }
}

static void back_depthwise(const struct back *b, const struct step *s)
{
    const struct xfv_node *nd = s->node;
    struct xfv_shape in = b->net->shape[s->in[0]], o = b->net->shape[s->out];
    int ch = value_pitch(b->net, s->out, o), one = o.dim[0] == 1 && o.dim[1] == 1;
    size_t row = (size_t)in.dim[1] * (size_t)ch, pixels = shape_pixels(in);
    float *dx = grad(b, s->in[0]);
    const float *dy = grad(b, s->out);
    struct xfv_epilogue e = input_epilogue(b, s, 0);
    if (one || nd->stride[0] != nd->stride[1] || nd->stride[0] > 2) {
        if (!e.add) memset(dx, 0, sizeof *dx * row * (size_t)in.dim[0]);
        depthwise_scatter(b, s, dy, dx);
        if (e.mask) b->net->k->mask(dx, e.mask, e.slope, pixels, ch);
        return;
    }
    memset(b->scratch, 0, sizeof *b->scratch * (size_t)o.dim[1] * (size_t)ch);
    depthwise_rows(b, s, 0, in.dim[0], dy, o.dim[0], b->scratch, dx, &e);
}

static void back_point(const struct back *b, const struct step *s)
{
    int n = value_pitch(b->net, s->in[0], b->net->shape[s->in[0]]),
        k = value_pitch(b->net, s->out, b->net->shape[s->out]);
    struct xfv_gemm g = {.x = grad(b, s->out),
                         .ldx = (size_t)k,
                         .taps = 1,
                         .k = shape_channels(b->net->shape[s->out]),
                         .w = s->wb,
                         .n = n,
                         .y = grad(b, s->in[0]),
                         .ldy = (size_t)n,
                         .e = input_epilogue(b, s, 0)};
    xfv_conv_product(b->net, s, 1, &g, (int)shape_pixels(b->net->shape[s->out]));
}

/* Rows oy.. of the middle gradient of a block, `rows` of them, are made when the first is wanted. */
static void block_middle(const struct back *b, const struct step *mid, const struct step *tail, int oy, int rows,
                         float *to)
{
    struct xfv_shape m = b->net->shape[mid->out];
    int n = value_pitch(b->net, mid->out, m), k = value_pitch(b->net, tail->out, b->net->shape[tail->out]);
    size_t row = (size_t)m.dim[1] * (size_t)n;
    struct xfv_gemm g = {.x = grad(b, tail->out) + (size_t)oy * (size_t)m.dim[1] * (size_t)k,
                         .ldx = (size_t)k,
                         .taps = 1,
                         .k = shape_channels(b->net->shape[tail->out]),
                         .w = tail->wb,
                         .n = n,
                         .y = to,
                         .ldy = (size_t)n};
    g.e.slope = mid->slope;
    g.e.mask = b->tape->signs + mid->sign + (size_t)oy * row / 8;
    g.e.bits = (size_t)n / 8;
    xfv_conv_product(b->net, tail, 1, &g, rows * m.dim[1]);
}

/* Bottleneck: head (1x1), mid (depthwise), tail (1x1). Rows of the input's gradient are finished top down; when the
 * block has a residual connection they overwrite the output's gradient, whose rows up to one below have been read by
 * then. */
static void back_block(const struct back *b, const struct step *head)
{
    const struct step *mid = head + 1, *tail = head + 2;
    struct xfv_shape in = b->net->shape[head->in[0]], m = b->net->shape[mid->out];
    int n = value_pitch(b->net, head->in[0], in), wide = value_pitch(b->net, head->out, b->net->shape[head->out]);
    const struct xfv_node *nd = mid->node;
    int band = xfv_block_band(in), made = 0;
    size_t mrow = (size_t)m.dim[1] * (size_t)wide, xrow = (size_t)in.dim[1] * (size_t)wide,
           drow = (size_t)in.dim[1] * (size_t)n;
    float *ring = b->scratch, *zero = ring + (size_t)(BANDS * band) * mrow, *inner = zero + mrow,
          *dx = grad(b, head->in[0]);
    struct xfv_epilogue e = {.slope = head->slope, .mask = b->tape->signs + head->sign, .bits = (size_t)wide / 8};
    struct xfv_gemm g = {.x = inner,
                         .ldx = (size_t)wide,
                         .taps = 1,
                         .k = shape_channels(b->net->shape[head->out]),
                         .w = head->wb,
                         .n = n,
                         .ldy = (size_t)n,
                         .e = input_epilogue(b, head, 0)};
    memset(zero, 0, sizeof *zero * mrow);
    for (int y = 0; y < in.dim[0]; y += band) {
        int rows = in.dim[0] - y < band ? in.dim[0] - y : band;
        int want = (y + rows - 1 + nd->pads[0]) / nd->stride[0]; /* the lowest middle row that these rows meet */
        for (; made <= want && made < m.dim[0]; made += band)
            block_middle(b, mid, tail, made, m.dim[0] - made < band ? m.dim[0] - made : band,
                         ring + (size_t)(made % (BANDS * band)) * mrow);
        depthwise_rows(b, mid, y, rows, ring, BANDS * band, zero, inner, &e);
        advance(&e, (size_t)rows * xrow);
        g.y = dx + (size_t)y * drow;
        xfv_conv_product(b->net, head, 1, &g, rows * in.dim[1]);
        advance(&g.e, (size_t)rows * drow);
    }
}

/* to += from. Nine numbers, the first layer's kernel row of 3 colours, without a loop. */
static inline void add_span(float *restrict to, const float *restrict from, int n)
{
    if (n == 9) {
        to[0] += from[0], to[1] += from[1], to[2] += from[2];
        to[3] += from[3], to[4] += from[4], to[5] += from[5];
        to[6] += from[6], to[7] += from[7], to[8] += from[8];
        return;
    }
    for (int c = 0; c < n; c++) to[c] += from[c];
}

/* Scatter one row of columns [wo][taps*ch] into the gradient of ch channels of the input. */
static void col2im_row(const struct xfv_node *nd, struct xfv_shape in, int ch, int pitch, const float *cols, size_t ldc,
                       int oy, int wo, float *dx)
{
    int whole = pitch == ch && nd->dilation[1] == 1; /* a kernel row is contiguous */
    for (int i = 0; i < nd->kernel[0]; i++) {
        int y = oy * nd->stride[0] - nd->pads[0] + i * nd->dilation[0];
        if (y < 0 || y >= in.dim[0]) continue;
        float *row = dx + (size_t)y * (size_t)in.dim[1] * (size_t)pitch;
        for (int ox = 0; ox < wo; ox++) {
            const float *from = cols + (size_t)ox * ldc + (size_t)(i * nd->kernel[1] * ch);
            int x0 = ox * nd->stride[1] - nd->pads[1];
            if (whole && x0 >= 0 && x0 + nd->kernel[1] <= in.dim[1]) {
                add_span(row + (size_t)x0 * (size_t)pitch, from, nd->kernel[1] * ch);
                continue;
            }
            for (int j = 0; j < nd->kernel[1]; j++, from += ch) {
                int x = ox * nd->stride[1] - nd->pads[1] + j * nd->dilation[1];
                if (x < 0 || x >= in.dim[1]) continue;
                float *to = row + (size_t)x * (size_t)pitch;
                for (int c = 0; c < ch; c++) to[c] += from[c];
            }
        }
    }
}

static void back_conv(const struct back *b, const struct step *s)
{
    const struct xfv_node *nd = s->node;
    struct xfv_shape in = b->net->shape[s->in[0]], o = b->net->shape[s->out];
    int pitch = value_pitch(b->net, s->in[0], in), k = value_pitch(b->net, s->out, o);
    int n = xfv_pad16(nd->kernel[0] * nd->kernel[1] * s->part_in);
    float *dx = grad(b, s->in[0]);
    if (!(s->acc & 1)) memset(dx, 0, sizeof *dx * value_floats(b->net, s->in[0], in));
    struct xfv_gemm g = {.ldx = (size_t)k, .taps = 1, .k = s->part_out, .n = n, .y = b->scratch, .ldy = (size_t)n};
    for (int oy = 0; oy < o.dim[0]; oy++)
        for (int p = 0; p < s->parts; p++) {
            g.x = grad(b, s->out) + (size_t)oy * (size_t)o.dim[1] * (size_t)k + (size_t)p * (size_t)s->part_out;
            g.w = s->wb + (size_t)p * (size_t)s->part_out * (size_t)n;
            xfv_conv_product(b->net, s, 1, &g, o.dim[1]);
            col2im_row(nd, in, s->part_in, pitch, b->scratch, (size_t)n, oy, o.dim[1], dx + p * s->part_in);
        }
}

static void back_other(const struct back *b, const struct step *s)
{
    for (int j = 0; j < s->n_in; j++)
        if (!(s->alias >> j & 1))
            xfv_op_backward(&b->fwd, s, grad(b, s->out), j, grad(b, s->in[j]), (int)(s->acc >> j & 1));
}

static void back_wino(const struct back *b, const struct step *s)
{
    struct wino_job j = xfv_wino_backward(b->net, s);
    j.x = grad(b, s->out);
    j.y = grad(b, s->in[0]);
    j.xstep = value_floats(b->net, s->out, b->net->shape[s->out]);
    j.ystep = value_floats(b->net, s->in[0], b->net->shape[s->in[0]]);
    j.e = input_epilogue(b, s, 0);
    xfv_wino_conv(&j, (int)b->batch, b->scratch);
}

static void own_mask(const struct back *b, const struct step *s)
{
    struct xfv_shape o = b->net->shape[s->out];
    b->net->k->mask(grad(b, s->out), b->tape->signs + s->sign, s->slope, shape_pixels(o),
                    value_pitch(b->net, s->out, o));
}

static void back_step(const struct back *b, const struct step *s)
{
    if (s->op == XFV_OP_DENSE) xfv_dense_backward(&b->fwd, s, grad(b, s->out), grad(b, s->in[0]), (int)(s->acc & 1));
    else if (s->op != XFV_OP_CONV) back_other(b, s);
    else if (s->block) back_block(b, s);
    else if (s->depthwise) back_depthwise(b, s);
    else if (s->point) back_point(b, s);
    else back_conv(b, s);
}

/* Steps hi-1..lo for the whole batch, a step at a time: its weights stay in the cache from one image to the next. */
static void back_steps(struct back *b, int lo, int hi)
{
    for (int i = hi - 1; i >= lo; i--) {
        const struct step *s = &b->net->steps[i];
        if (!s->flows || s->in_block) continue;
        for (b->image = 0; b->image < b->batch; b->image++) {
            if (s->slope && !s->masked && !s->block) own_mask(b, s);
            if (!s->wino) back_step(b, s);
        }
        b->image = 0;
        if (s->wino) back_wino(b, s);
    }
}

struct pass { struct back tail, front; };

/* Cotangents cot [count][N], count at most the chunk, through the deep layers. */
static void back_tail(struct pass *p, const float *cot, int count)
{
    struct back *b = &p->tail;
    const struct xfv_net *n = b->net;
    struct xfv_shape o = n->shape[n->outs[0]];
    size_t ch = (size_t)shape_channels(o), pitch = (size_t)value_pitch(n, n->outs[0], o), pixels = shape_pixels(o);
    b->batch = (size_t)count;
    for (b->image = 0; b->image < b->batch; b->image++) {
        float *dy = grad(b, n->outs[0]);
        memset(dy, 0, sizeof *dy * pixels * pitch);
        for (size_t q = 0; q < pixels; q++) memcpy(dy + q * pitch, cot + (b->image * pixels + q) * ch, sizeof *dy * ch);
    }
    back_steps(b, n->split, n->n_steps);
}

/* One image of the batch through the early layers. */
static void back_front(struct pass *p, int image)
{
    struct back *b = &p->front;
    const struct xfv_net *n = b->net;
    p->tail.image = (size_t)image;
    b->image = 0;
    memcpy(grad(b, n->split_value), grad(&p->tail, n->split_value),
           sizeof(float) * value_floats(n, n->split_value, n->shape[n->split_value]));
    back_steps(b, 0, n->split);
}

static int back_ready(const struct xfv_net *n, struct xfv_ws *ws, const struct xfv_tape *t, int count, struct pass *p,
                      struct xfv_err *e)
{
    if (t->net != n) return xfv_fail(e, XFV_EARG, "the tape was recorded by another network");
    if (n->only_values) return xfv_fail(e, XFV_EARG, "this network was made for values, without backward passes");
    size_t chunk = (size_t)(count < n->chunk ? count : n->chunk);
    int status = xfv_ws_reserve(ws, n->tail.floats * chunk + n->front.floats, n->bwd_scratch, e);
    if (status) return status;
    struct run fwd = {
        .net = n, .shape = n->shape, .at = &n->record, .arena = t->arena, .scratch = ws->scratch, .signs = t->signs};
    p->tail =
        (struct back){.net = n, .tape = t, .at = &n->tail, .arena = ws->arena, .scratch = ws->scratch, .fwd = fwd};
    p->front = p->tail;
    p->front.at = &n->front;
    p->front.arena = ws->arena + n->tail.floats * chunk;
    p->front.batch = 1;
    return 0;
}

/* The finished gradient of the input as dense [H][W][C], in place or in buf. */
static const float *dense_input(const struct back *b, float *buf)
{
    const struct xfv_net *n = b->net;
    struct xfv_shape in = n->shape[n->from];
    size_t ch = (size_t)shape_channels(in), pitch = (size_t)value_pitch(n, n->from, in), pixels = shape_pixels(in);
    const float *dx = grad(b, n->from);
    if (ch == pitch) return dx;
    for (size_t p = 0; p < pixels; p++) memcpy(buf + p * ch, dx + p * pitch, sizeof *dx * ch);
    return buf;
}

int xfv_net_vjp(const struct xfv_net *n, struct xfv_ws *ws, const struct xfv_tape *tape, int count, const float *cot,
                float *dx, struct xfv_err *e)
{
    struct pass p;
    int status = back_ready(n, ws, tape, count, &p, e);
    size_t out = xfv_shape_count(n->shape[n->outs[0]]), in = xfv_shape_count(n->shape[n->from]);
    unsigned state = xfv_flush_begin();
    for (int i = 0; !status && !(status = xfv_deadline_check(e)) && i < count; i += n->chunk) {
        int m = count - i < n->chunk ? count - i : n->chunk;
        back_tail(&p, cot + (size_t)i * out, m);
        for (int q = 0; q < m; q++) {
            float *to = dx + (size_t)(i + q) * in;
            back_front(&p, q);
            const float *d = dense_input(&p.front, to);
            if (d != to) memcpy(to, d, sizeof *dx * in);
        }
    }
    xfv_flush_end(state);
    return status;
}

/* Rows rows[0..m-1] of the Jacobian, m at most the chunk; unit [chunk][N] is zero before and after. */
static void some_rows(struct pass *p, const int *rows, int m, float *unit, float *buf, xfv_row_sink *sink, void *ctx)
{
    const struct xfv_net *n = p->tail.net;
    size_t out = xfv_shape_count(n->shape[n->outs[0]]);
    for (int q = 0; q < m; q++) unit[(size_t)q * out + (size_t)rows[q]] = 1.0f;
    back_tail(p, unit, m);
    for (int q = 0; q < m; q++) {
        unit[(size_t)q * out + (size_t)rows[q]] = 0.0f;
        back_front(p, q);
        sink(ctx, rows[q], dense_input(&p->front, buf));
    }
}

int xfv_net_jacobian(const struct xfv_net *n, struct xfv_ws *ws, const struct xfv_tape *tape, const int *rows,
                     int count, xfv_row_sink *sink, void *ctx, struct xfv_err *e)
{
    struct pass p;
    size_t out = xfv_shape_count(n->shape[n->outs[0]]), in = xfv_shape_count(n->shape[n->from]);
    for (int i = 0; i < count; i++) {
        int k = rows ? rows[i] : i;
        if (k < 0 || (size_t)k >= out) return xfv_fail(e, XFV_EARG, "row %d of a Jacobian of %zu", k, out);
    }
    int status = back_ready(n, ws, tape, count, &p, e);
    if (status) return status;
    float *unit = calloc((size_t)n->chunk * out, sizeof *unit), *buf = xfv_aligned_alloc(sizeof *buf * in);
    if (!unit || !buf) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    unsigned state = xfv_flush_begin();
    for (int i = 0; !status && !(status = xfv_deadline_check(e)) && i < count; i += n->chunk) {
        int m = count - i < n->chunk ? count - i : n->chunk, list[XFV_NET_ROWS];
        for (int q = 0; q < m; q++) list[q] = rows ? rows[i + q] : i + q;
        some_rows(&p, list, m, unit, buf, sink, ctx);
    }
    xfv_flush_end(state);
    free(unit);
    free(buf);
    return status;
}
