/* Operators other than convolutions and dense layers, forward and backward. They touch real channels only and leave zeros in the padding
 * lanes, which may hold anything that weights of zero make harmless but never NaN. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/plan.h"

struct view { float *x; size_t pixels; int ch, pitch; struct xfv_shape s; };

static struct view view_of(const struct run *r, int v)
{
    struct xfv_shape s = r->shape[v];
    return (struct view){run_value(r, v), shape_pixels(s), shape_channels(s), value_pitch(r->net, v, s), s};
}

static struct view grad_view(const struct run *r, int v, float *x)
{
    struct view g = view_of(r, v);
    g.x = x;
    return g;
}

static void clear_lanes(struct view v)
{
    if (v.pitch == v.ch) return;
    for (size_t p = 0; p < v.pixels; p++) memset(v.x + p * (size_t)v.pitch + v.ch, 0, sizeof *v.x * (size_t)(v.pitch - v.ch));
}

static float *at(struct view v, size_t p, int c)
{
    return v.x + p * (size_t)v.pitch + c;
}

/* Where element (p, c) of the full shape reads in an operand that may be [1,1,C] or a single number. */
static size_t bcast(struct view v, size_t pixels, size_t p, int ch, int c)
{
    return (v.pixels == pixels ? p : 0) * (size_t)v.pitch + (size_t)(v.ch == ch ? c : 0);
}

static const float *weight_data(const struct run *r, int w)
{
    return r->net->g->weights[w].data;
}

static float slope_of(const struct run *r, const struct step *s, int c)
{
    if (s->op == XFV_OP_RELU) return 0.0f;
    const struct xfv_weight *w = &r->net->g->weights[s->node->weight];
    return w->data[w->count == 1 ? 0 : c];
}

/* ---- two operands ---------------------------------------------------------------------------------------------------------------- */

static float combine(enum xfv_op op, float a, float b)
{
    switch (op) {
    case XFV_OP_ADD: return a + b;
    case XFV_OP_SUB: return a - b;
    case XFV_OP_MUL: return a * b;
    default: return a / b;
    }
}

static void binary_forward(const struct run *r, const struct step *s)
{
    struct view a = view_of(r, s->in[0]), b = view_of(r, s->in[1]), y = view_of(r, s->out);
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) *at(y, p, c) = combine(s->op, a.x[bcast(a, y.pixels, p, y.ch, c)], b.x[bcast(b, y.pixels, p, y.ch, c)]);
    clear_lanes(y);
}

/* d (a op b) / d a or d b, at one element. */
static float combine_slope(enum xfv_op op, int i, float a, float b)
{
    switch (op) {
    case XFV_OP_ADD: return 1.0f;
    case XFV_OP_SUB: return i ? -1.0f : 1.0f;
    case XFV_OP_MUL: return i ? a : b;
    default: return i ? -a / (b * b) : 1.0f / b;
    }
}

static void binary_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view y = view_of(r, s->out), g = grad_view(r, s->in[i], dx);
    int linear = s->op == XFV_OP_ADD || s->op == XFV_OP_SUB; /* then the operands are not recorded */
    struct view a = {0}, b = {0};
    if (!linear) a = view_of(r, s->in[0]), b = view_of(r, s->in[1]);
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) {
            float va = linear ? 0.0f : a.x[bcast(a, y.pixels, p, y.ch, c)], vb = linear ? 0.0f : b.x[bcast(b, y.pixels, p, y.ch, c)];
            g.x[bcast(g, y.pixels, p, y.ch, c)] += dy[p * (size_t)y.pitch + (size_t)c] * combine_slope(s->op, i, va, vb);
        }
}

/* ---- pooling --------------------------------------------------------------------------------------------------------------------- */

struct window { int y0, y1, x0, x1, area; };

static struct window window_at(const struct xfv_node *nd, struct xfv_shape in, int oy, int ox)
{
    int y = oy * nd->stride[0] - nd->pads[0], x = ox * nd->stride[1] - nd->pads[1];
    struct window w = {y, y + nd->kernel[0], x, x + nd->kernel[1], nd->kernel[0] * nd->kernel[1]};
    if (w.y0 < 0) w.y0 = 0;
    if (w.x0 < 0) w.x0 = 0;
    if (w.y1 > in.dim[0]) w.y1 = in.dim[0];
    if (w.x1 > in.dim[1]) w.x1 = in.dim[1];
    if (nd->op == XFV_OP_AVGPOOL && !nd->i[0]) w.area = (w.y1 - w.y0) * (w.x1 - w.x0);
    return w;
}

static void pool_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    int max = s->op == XFV_OP_MAXPOOL;
    float *to = y.x;
    for (int oy = 0; oy < y.s.dim[0]; oy++)
        for (int ox = 0; ox < y.s.dim[1]; ox++, to += y.pitch) {
            struct window w = window_at(s->node, x.s, oy, ox);
            for (int c = 0; c < y.ch; c++) to[c] = max ? -INFINITY : 0.0f;
            for (int iy = w.y0; iy < w.y1; iy++)
                for (int ix = w.x0; ix < w.x1; ix++) {
                    const float *from = at(x, (size_t)iy * (size_t)x.s.dim[1] + (size_t)ix, 0);
                    if (max) for (int c = 0; c < y.ch; c++) to[c] = from[c] > to[c] ? from[c] : to[c];
                    else for (int c = 0; c < y.ch; c++) to[c] += from[c];
                }
            if (!max) for (int c = 0; c < y.ch; c++) to[c] /= (float)w.area;
        }
    clear_lanes(y);
}

static void maxpool_point(struct view x, struct view g, struct window w, int c, float peak, float dy)
{
    for (int iy = w.y0; iy < w.y1; iy++)
        for (int ix = w.x0; ix < w.x1; ix++) {
            size_t p = (size_t)iy * (size_t)x.s.dim[1] + (size_t)ix;
            if (*at(x, p, c) != peak) continue;
            *at(g, p, c) += dy; /* the first of equals, as PyTorch does */
            return;
        }
}

static void pool_backward(const struct run *r, const struct step *s, const float *dy, float *dx)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out), g = grad_view(r, s->in[0], dx);
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
                for (int iy = w.y0; iy < w.y1; iy++)
                    for (int ix = w.x0; ix < w.x1; ix++) *at(g, (size_t)iy * (size_t)x.s.dim[1] + (size_t)ix, c) += d / (float)w.area;
            }
        }
}

/* ---- one operand ----------------------------------------------------------------------------------------------------------------- */

static void prelu_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) {
            float v = *at(x, p, c);
            *at(y, p, c) = v > 0.0f ? v : v * slope_of(r, s, c);
        }
    clear_lanes(y);
}

static void affine_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    const float *scale = weight_data(r, s->node->weight), *shift = s->node->bias >= 0 ? weight_data(r, s->node->bias) : NULL;
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) *at(y, p, c) = *at(x, p, c) * scale[c] + (shift ? shift[c] : 0.0f);
    clear_lanes(y);
}

static void scale_backward(const struct run *r, const struct step *s, const float *dy, float *dx)
{
    struct view y = view_of(r, s->out), g = grad_view(r, s->in[0], dx), x = {0};
    const float *scale = s->op == XFV_OP_AFFINE ? weight_data(r, s->node->weight) : NULL;
    if (!scale) x = view_of(r, s->in[0]);
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) {
            float d = dy[p * (size_t)y.pitch + (size_t)c];
            *at(g, p, c) += scale ? d * scale[c] : *at(x, p, c) > 0.0f ? d : d * slope_of(r, s, c);
        }
}

static void softmax_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    for (size_t p = 0; p < y.pixels; p++) {
        float top = *at(x, p, 0);
        double sum = 0;
        for (int c = 1; c < y.ch; c++) top = *at(x, p, c) > top ? *at(x, p, c) : top;
        for (int c = 0; c < y.ch; c++) sum += *at(y, p, c) = expf(*at(x, p, c) - top);
        for (int c = 0; c < y.ch; c++) *at(y, p, c) = (float)(*at(y, p, c) / sum);
    }
    clear_lanes(y);
}

/* dx = y (dy - sum y dy) */
static void softmax_backward(const struct run *r, const struct step *s, const float *dy, float *dx)
{
    struct view y = view_of(r, s->out), g = grad_view(r, s->in[0], dx);
    for (size_t p = 0; p < y.pixels; p++) {
        const float *d = dy + p * (size_t)y.pitch;
        double dot = 0;
        for (int c = 0; c < y.ch; c++) dot += (double)*at(y, p, c) * d[c];
        for (int c = 0; c < y.ch; c++) *at(g, p, c) += *at(y, p, c) * (d[c] - (float)dot);
    }
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
static void l2norm_backward(const struct run *r, const struct step *s, const float *dy, float *dx)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out), g = grad_view(r, s->in[0], dx);
    double norm = sample_norm(x), dot = 0, eps = s->node->f[0], by = norm > eps ? norm : eps;
    if (by <= 0) return;
    for (size_t p = 0; norm > eps && p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) dot += (double)*at(y, p, c) * dy[p * (size_t)y.pitch + (size_t)c];
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) *at(g, p, c) += (float)((dy[p * (size_t)y.pitch + (size_t)c] - *at(y, p, c) * dot) / by);
}

/* Same elements in the same order under another shape: pitches may differ. */
static void copy_elements(struct view to, struct view from, int add)
{
    size_t n = to.pixels * (size_t)to.ch;
    for (size_t i = 0; i < n; i++) {
        float *t = at(to, i / (size_t)to.ch, (int)(i % (size_t)to.ch));
        float v = *at(from, i / (size_t)from.ch, (int)(i % (size_t)from.ch));
        *t = add ? *t + v : v;
    }
}

static void reshape_forward(const struct run *r, const struct step *s)
{
    struct view y = view_of(r, s->out);
    copy_elements(y, view_of(r, s->in[0]), 0);
    clear_lanes(y);
}

static void const_forward(const struct run *r, const struct step *s)
{
    struct view y = view_of(r, s->out);
    const float *w = weight_data(r, s->node->weight);
    for (size_t p = 0; p < y.pixels; p++) memcpy(at(y, p, 0), w + p * (size_t)y.ch, sizeof *w * (size_t)y.ch);
    clear_lanes(y);
}

static void add_forward(const struct run *r, const struct step *s)
{
    struct view a = view_of(r, s->in[0]), b = view_of(r, s->in[1]), y = view_of(r, s->out);
    size_t n = y.pixels * (size_t)y.pitch;
    if (a.pixels != b.pixels || a.pitch != b.pitch || a.pixels != y.pixels || a.pitch != y.pitch || a.ch != b.ch) {
        binary_forward(r, s);
        return;
    }
    for (size_t i = 0; i < n; i++) y.x[i] = a.x[i] + b.x[i];
}

void xfv_op_forward(const struct run *r, const struct step *s)
{
    switch (s->op) {
    case XFV_OP_ADD: add_forward(r, s); break;
    case XFV_OP_SUB: case XFV_OP_MUL: case XFV_OP_DIV: binary_forward(r, s); break;
    case XFV_OP_MAXPOOL: case XFV_OP_AVGPOOL: pool_forward(r, s); break;
    case XFV_OP_PRELU: case XFV_OP_RELU: prelu_forward(r, s); break;
    case XFV_OP_AFFINE: affine_forward(r, s); break;
    case XFV_OP_SOFTMAX: softmax_forward(r, s); break;
    case XFV_OP_L2NORM: l2norm_forward(r, s); break;
    case XFV_OP_RESHAPE: reshape_forward(r, s); break;
    case XFV_OP_CONST: const_forward(r, s); break;
    default: break; /* refused when the network was compiled */
    }
}

int xfv_op_runs(enum xfv_op op)
{
    switch (op) {
    case XFV_OP_CONV: case XFV_OP_DENSE: case XFV_OP_ADD: case XFV_OP_SUB: case XFV_OP_MUL: case XFV_OP_DIV: case XFV_OP_MAXPOOL:
    case XFV_OP_AVGPOOL: case XFV_OP_PRELU: case XFV_OP_RELU: case XFV_OP_AFFINE: case XFV_OP_SOFTMAX: case XFV_OP_L2NORM:
    case XFV_OP_RESHAPE: case XFV_OP_CONST: return 1;
    default: return 0;
    }
}

int xfv_op_has_backward(const struct step *s)
{
    return xfv_op_runs(s->op);
}

void xfv_op_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx, int acc)
{
    struct view g = grad_view(r, s->in[i], dx), y = view_of(r, s->out);
    y.x = (float *)dy; /* read only */
    if (!acc) memset(dx, 0, sizeof *dx * g.pixels * (size_t)g.pitch);
    switch (s->op) {
    case XFV_OP_ADD: case XFV_OP_SUB: case XFV_OP_MUL: case XFV_OP_DIV: binary_backward(r, s, dy, i, dx); break;
    case XFV_OP_MAXPOOL: case XFV_OP_AVGPOOL: pool_backward(r, s, dy, dx); break;
    case XFV_OP_PRELU: case XFV_OP_RELU: case XFV_OP_AFFINE: scale_backward(r, s, dy, dx); break;
    case XFV_OP_SOFTMAX: softmax_backward(r, s, dy, dx); break;
    case XFV_OP_L2NORM: l2norm_backward(r, s, dy, dx); break;
    case XFV_OP_RESHAPE: copy_elements(g, y, 1); break;
    default: break;
    }
}
