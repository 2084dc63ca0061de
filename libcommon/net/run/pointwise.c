/* Operators other than convolutions and dense layers: the table of them, and pooling, scales, softmax and normalisation
 * (the others are in ops_*.c). Padding lanes may hold anything that weights of zero make harmless but never NaN. */
#include <math.h>

#include "net/run/ops_internal.h"

/* ---- pooling ---- */

/* Rows y0, y0 + dy, ... < y1 of the input and columns alike. */
struct window { int y0, y1, dy, x0, x1, dx, area; };

static int inside(int from, int step, int to) { return to > from ? (to - from + step - 1) / step : 0; }

/* First element not before 0 of those at from, from + step, ... */
static int first_inside(int from, int step) { return from >= 0 ? from : from + (-from + step - 1) / step * step; }

static struct window window_at(const struct xfv_node *nd, struct xfv_shape in, int oy, int ox)
{
    int y = oy * nd->stride[0] - nd->pads[0], x = ox * nd->stride[1] - nd->pads[1], dy = nd->dilation[0],
        dx = nd->dilation[1];
    struct window w = {first_inside(y, dy),          y + (nd->kernel[0] - 1) * dy + 1, dy,
                       first_inside(x, dx),          x + (nd->kernel[1] - 1) * dx + 1, dx,
                       nd->kernel[0] * nd->kernel[1]};
    if (w.y1 > in.dim[0]) w.y1 = in.dim[0];
    if (w.x1 > in.dim[1]) w.x1 = in.dim[1];
    if (nd->op == XFV_OP_AVGPOOL && !nd->i[0]) w.area = inside(w.y0, dy, w.y1) * inside(w.x0, dx, w.x1);
    return w;
}

/* Row oy of a max-pooling by vectors, where nothing lies before the image: how many outputs that was. Windows that
 * reach behind it are cut. */
static int max_inside(const struct run *r, const struct step *s, struct view x, struct view y, int oy)
{
    const struct xfv_node *nd = s->node;
    int top = oy * nd->stride[0], h = x.s.dim[0] - top, w = x.s.dim[1], kw = nd->kernel[1], ox = 0;
    if (s->op != XFV_OP_MAXPOOL || x.pitch != y.pitch || nd->pads[0] || nd->pads[1] || nd->dilation[0] != 1 ||
        nd->dilation[1] != 1 || h < 1)
        return 0;
    size_t step = (size_t)nd->stride[1] * (size_t)x.pitch;
    struct xfv_max_row m = {.row = (size_t)w * (size_t)x.pitch,
                            .step = step,
                            .pitch = (size_t)x.pitch,
                            .ystep = (size_t)y.pitch,
                            .h = h < nd->kernel[0] ? h : nd->kernel[0],
                            .channels = y.pitch};
    for (int left = w; ox < y.s.dim[1] && left > 0; ox += m.count, left = w - ox * nd->stride[1]) {
        int fit = left < kw ? 1 : (left - kw) / nd->stride[1] + 1, most = y.s.dim[1] - ox;
        m.x = at(x, (size_t)top * (size_t)w, 0) + (size_t)ox * step;
        m.w = left < kw ? left : kw;
        m.count = fit < most ? fit : most;
        r->net->f->max_row(&m, at(y, (size_t)oy * (size_t)y.s.dim[1] + (size_t)ox, 0));
    }
    return ox;
}

static void pool_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    int max = s->op == XFV_OP_MAXPOOL, rest = 0;
    for (int oy = 0; oy < y.s.dim[0]; oy++)
        for (int ox = max_inside(r, s, x, y, oy); ox < y.s.dim[1]; ox++, rest++) {
            float *to = at(y, (size_t)oy * (size_t)y.s.dim[1] + (size_t)ox, 0);
            struct window w = window_at(s->node, x.s, oy, ox);
            for (int c = 0; c < y.ch; c++) to[c] = max ? -INFINITY : 0.0f;
            for (int iy = w.y0; iy < w.y1; iy += w.dy)
                for (int ix = w.x0; ix < w.x1; ix += w.dx) {
                    const float *from = at(x, (size_t)iy * (size_t)x.s.dim[1] + (size_t)ix, 0);
                    if (max) for (int c = 0; c < y.ch; c++) to[c] = from[c] > to[c] ? from[c] : to[c];
                    else for (int c = 0; c < y.ch; c++) to[c] += from[c];
                }
            if (!max) for (int c = 0; c < y.ch; c++) to[c] /= (float)w.area;
        }
    if (rest) clear_lanes(y); /* the others are as those of x */
}

static void maxpool_point(struct view x, struct view g, struct window w, int c, float peak, float dy)
{
    for (int iy = w.y0; iy < w.y1; iy += w.dy)
        for (int ix = w.x0; ix < w.x1; ix += w.dx) {
            size_t p = (size_t)iy * (size_t)x.s.dim[1] + (size_t)ix;
            if (*at(x, p, c) != peak) continue;
            *at(g, p, c) += dy; /* the first of equals, as PyTorch does */
            return;
        }
}

static void pool_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out), g = view_at(r, s->in[i], dx);
    for (int oy = 0; oy < y.s.dim[0]; oy++)
        for (int ox = 0; ox < y.s.dim[1]; ox++) {
            struct window w = window_at(s->node, x.s, oy, ox);
            size_t o = (size_t)oy * (size_t)y.s.dim[1] + (size_t)ox;
            for (int c = 0; c < y.ch; c++) {
                float d = dy[o * (size_t)y.pitch + (size_t)c];
                if (s->op == XFV_OP_MAXPOOL) {
                    maxpool_point(x, g, w, c, *at(y, o, c), d);
                    continue;
                }
                for (int iy = w.y0; iy < w.y1; iy += w.dy)
                    for (int ix = w.x0; ix < w.x1; ix += w.dx)
                        *at(g, (size_t)iy * (size_t)x.s.dim[1] + (size_t)ix, c) += d / (float)w.area;
            }
        }
}

/* ---- one operand ---- */

/* Slopes of a PReLU: one a channel, or one for all; NULL: a ReLU. */
static const float *slopes_of(const struct run *r, const struct step *s, int *step)
{
    *step = 0;
    if (s->op == XFV_OP_RELU) return NULL;
    const struct xfv_weight *w = &r->net->g->weights[s->node->weight];
    *step = w->count != 1;
    return w->data;
}

/* Sums of two selected terms, one of which is 0: the same values as a branch would give, in loops that compilers make
 * vectors of. slope: one a channel; below: one for all. */
static void prelu_row(const float *restrict x, const float *restrict slope, float *restrict y, int n)
{
    for (int c = 0; c < n; c++) y[c] = (x[c] > 0.0f ? x[c] : 0.0f) + slope[c] * (x[c] > 0.0f ? 0.0f : x[c]);
}

static void leaky_row(const float *restrict x, float below, float *restrict y, int n)
{
    for (int c = 0; c < n; c++) y[c] = (x[c] > 0.0f ? x[c] : 0.0f) + below * (x[c] > 0.0f ? 0.0f : x[c]);
}

static void prelu_slope_row(const float *restrict x, const float *restrict slope, const float *restrict dy,
                            float *restrict g, int n)
{
    for (int c = 0; c < n; c++) g[c] += (x[c] > 0.0f ? dy[c] : 0.0f) + slope[c] * (x[c] > 0.0f ? 0.0f : dy[c]);
}

static void leaky_slope_row(const float *restrict x, float below, const float *restrict dy, float *restrict g, int n)
{
    for (int c = 0; c < n; c++) g[c] += (x[c] > 0.0f ? dy[c] : 0.0f) + below * (x[c] > 0.0f ? 0.0f : dy[c]);
}

static void prelu_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    int step;
    const float *slope = slopes_of(r, s, &step);
    for (size_t p = 0; p < y.pixels; p++) {
        const float *from = at(x, p, 0);
        float *to = at(y, p, 0);
        if (slope && step) prelu_row(from, slope, to, y.ch);
        else if (slope) leaky_row(from, *slope, to, y.ch);
        else for (int c = 0; c < y.ch; c++) to[c] = from[c] > 0.0f ? from[c] : 0.0f;
    }
    clear_lanes(y);
}

static void prelu_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view x = view_of(r, s->in[i]), y = view_of(r, s->out), g = view_at(r, s->in[i], dx);
    int step;
    const float *slope = slopes_of(r, s, &step);
    for (size_t p = 0; p < y.pixels; p++) {
        const float *from = at(x, p, 0), *d = dy + p * (size_t)y.pitch;
        float *to = at(g, p, 0);
        if (slope && step) prelu_slope_row(from, slope, d, to, y.ch);
        else if (slope) leaky_slope_row(from, *slope, d, to, y.ch);
        else for (int c = 0; c < y.ch; c++) to[c] += from[c] > 0.0f ? d[c] : 0.0f;
    }
}

static void affine_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    if (x.pitch == y.pitch) {
        r->net->k->affine(y.x, x.x, s->wf, s->bias, y.pixels, y.pitch, 0);
        return;
    }
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) *at(y, p, c) = *at(x, p, c) * s->wf[c] + s->bias[c];
    clear_lanes(y);
}

static void affine_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view y = view_of(r, s->out), g = view_at(r, s->in[i], dx);
    if (g.pitch == y.pitch) {
        r->net->k->affine(dx, dy, s->wf, NULL, y.pixels, y.pitch, 1);
        return;
    }
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) *at(g, p, c) += dy[p * (size_t)y.pitch + (size_t)c] * s->wf[c];
}

static void softmax_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    if (y.ch == 2) r->net->f->softmax2(x.x, (size_t)x.pitch, y.x, (size_t)y.pitch, y.pixels);
    else r->net->f->softmax(x.x, (size_t)x.pitch, y.x, (size_t)y.pitch, y.pixels, y.ch);
    clear_lanes(y);
}

static void softmax_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view y = view_of(r, s->out), g = view_at(r, s->in[i], dx);
    for (size_t p = 0; p < y.pixels; p++)
        r->net->f->softmax_back(at(y, p, 0), dy + p * (size_t)y.pitch, at(g, p, 0), y.ch);
}

static double sample_norm(struct view x)
{
    double sum = 0;
    for (size_t p = 0; p < x.pixels; p++)
        for (int c = 0; c < x.ch; c++) sum += (double)*at(x, p, c) * *at(x, p, c);
    return sqrt(sum);
}

static void l2norm_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    double norm = sample_norm(x), by = norm > s->node->f[0] ? norm : s->node->f[0];
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) *at(y, p, c) = by > 0 ? (float)(*at(x, p, c) / by) : 0.0f;
    clear_lanes(y);
}

/* y = x/|x|: dx = (dy - y (y . dy)) / |x|; below eps the norm is a constant. */
static void l2norm_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out), g = view_at(r, s->in[i], dx);
    double norm = sample_norm(x), dot = 0, eps = s->node->f[0], by = norm > eps ? norm : eps;
    if (by <= 0) return;
    for (size_t p = 0; norm > eps && p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) dot += (double)*at(y, p, c) * dy[p * (size_t)y.pitch + (size_t)c];
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++)
            *at(g, p, c) += (float)((dy[p * (size_t)y.pitch + (size_t)c] - *at(y, p, c) * dot) / by);
}

static void const_forward(const struct run *r, const struct step *s)
{
    struct view y = view_of(r, s->out);
    const float *w = weight_data(r, s->node->weight);
    for (size_t p = 0; p < y.pixels; p++) memcpy(at(y, p, 0), w + p * (size_t)y.ch, sizeof *w * (size_t)y.ch);
    clear_lanes(y);
}

/* ---- the table ---- */

enum { KEEP_IN = 1, KEEP_OUT = 2 }; /* what the backward pass reads again */

static const struct { op_forward *forward; op_backward *backward; unsigned keep; } ops[XFV_OPS] = {
    [XFV_OP_PRELU] = {prelu_forward, prelu_backward, KEEP_IN},
    [XFV_OP_RELU] = {prelu_forward, prelu_backward, KEEP_IN},
    [XFV_OP_ADD] = {xfv_op_binary_forward, xfv_op_binary_backward, 0},
    [XFV_OP_SUB] = {xfv_op_binary_forward, xfv_op_binary_backward, 0},
    [XFV_OP_MUL] = {xfv_op_binary_forward, xfv_op_binary_backward, KEEP_IN},
    [XFV_OP_DIV] = {xfv_op_binary_forward, xfv_op_binary_backward, KEEP_IN},
    [XFV_OP_MAX] = {xfv_op_binary_forward, xfv_op_binary_backward, KEEP_IN},
    [XFV_OP_MIN] = {xfv_op_binary_forward, xfv_op_binary_backward, KEEP_IN},
    [XFV_OP_POWER] = {xfv_op_binary_forward, xfv_op_binary_backward, KEEP_IN},
    [XFV_OP_MOD] = {xfv_op_binary_forward, xfv_op_binary_backward, KEEP_IN},
    [XFV_OP_COMPARE] = {xfv_op_binary_forward, xfv_op_binary_backward, KEEP_IN},
    [XFV_OP_SELECT] = {xfv_op_select_forward, xfv_op_select_backward, KEEP_IN},
    [XFV_OP_SPARSE] = {xfv_op_sparse_forward, xfv_op_sparse_backward, 0},
    [XFV_OP_MAXPOOL] = {pool_forward, pool_backward, KEEP_IN | KEEP_OUT},
    [XFV_OP_AVGPOOL] = {pool_forward, pool_backward, 0},
    [XFV_OP_SOFTMAX] = {softmax_forward, softmax_backward, KEEP_OUT},
    [XFV_OP_L2NORM] = {l2norm_forward, l2norm_backward, KEEP_IN | KEEP_OUT},
    [XFV_OP_RESHAPE] = {xfv_op_reshape_forward, xfv_op_reshape_backward, 0},
    [XFV_OP_AFFINE] = {affine_forward, affine_backward, 0},
    [XFV_OP_ACT] = {xfv_op_act_forward, xfv_op_act_backward, KEEP_IN | KEEP_OUT},
    [XFV_OP_CONST] = {const_forward, NULL, 0}, /* no input, so nothing to hand back */
    [XFV_OP_TRANSPOSE] = {xfv_op_move_forward, xfv_op_move_backward, 0},
    [XFV_OP_CONCAT] = {xfv_op_move_forward, xfv_op_move_backward, 0},
    [XFV_OP_SLICE] = {xfv_op_move_forward, xfv_op_move_backward, 0},
    [XFV_OP_PAD] = {xfv_op_move_forward, xfv_op_move_backward, 0},
    [XFV_OP_REDUCE] = {xfv_op_reduce_forward, xfv_op_reduce_backward, KEEP_IN | KEEP_OUT},
    [XFV_OP_MATMUL] = {xfv_op_matmul_forward, xfv_op_matmul_backward, KEEP_IN},
    [XFV_OP_LAYERNORM] = {xfv_op_layernorm_forward, xfv_op_layernorm_backward, KEEP_IN},
};

int xfv_op_runs(enum xfv_op op)
{
    return op == XFV_OP_CONV || op == XFV_OP_DENSE || ((unsigned)op < XFV_OPS && ops[op].forward);
}

unsigned xfv_op_keeps(const struct step *s)
{
    if (s->op == XFV_OP_REDUCE && (s->node->i[0] == XFV_REDUCE_MEAN || s->node->i[0] == XFV_REDUCE_SUM)) return 0;
    return ops[s->op].keep;
}

void xfv_op_forward(const struct run *r, const struct step *s)
{
    ops[s->op].forward(r, s);
}

void xfv_op_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx, int acc)
{
    struct view g = view_of(r, s->in[i]), y = view_of(r, s->out);
    int p = r->net->producer[s->in[i]];
    if (p >= 0 && r->net->steps[p].op == XFV_OP_CONST) return; /* nobody asks */
    if (s->op == XFV_OP_ADD && g.pixels == y.pixels && g.pitch == y.pitch && g.ch == y.ch) {
        if (acc) r->net->k->add(dx, dy, g.pixels * (size_t)g.pitch);
        else memcpy(dx, dy, sizeof *dx * g.pixels * (size_t)g.pitch);
        return;
    }
    if (!acc) memset(dx, 0, sizeof *dx * g.pixels * (size_t)g.pitch);
    ops[s->op].backward(r, s, dy, i, dx);
}
