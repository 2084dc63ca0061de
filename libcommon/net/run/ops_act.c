/* Pointwise functions. Where the derivative jumps it is that of the side below, as in ref.c. */
#include <math.h>

#include "net/run/ops_internal.h"

static float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
static float softplus(float x) { return x > 0.0f ? x + log1pf(expf(-x)) : log1pf(expf(x)); }

#define EACH(expr) \
    for (int c = 0; c < n; c++) { \
        float v = x[c]; \
        y[c] = (expr); \
    } \
    break

static void act_row(const struct xfv_node *nd, const float *restrict x, float *restrict y, int n)
{
    float p = nd->f[0], q = nd->f[1];
    switch ((enum xfv_act)nd->i[0]) {
    case XFV_ACT_LEAKY: EACH(v > 0.0f ? v : p * v);
    case XFV_ACT_SOFTPLUS: EACH(softplus(v));
    case XFV_ACT_MISH: EACH(v * tanhf(softplus(v)));
    case XFV_ACT_POW:
        if (p > 1.999f && p < 2.001f && !(p < 2.0f) && !(p > 2.0f)) { EACH(v * v); }
        EACH(powf(v, p));
    case XFV_ACT_NEG: EACH(-v);
    case XFV_ACT_ABS: EACH(fabsf(v));
    case XFV_ACT_LOG: EACH(logf(v));
    case XFV_ACT_ELU: EACH(v > 0.0f ? q * v : p * expm1f(nd->f[2] * v));
    case XFV_ACT_SOFTSIGN: EACH(v / (1.0f + fabsf(v)));
    case XFV_ACT_SIN: EACH(sinf(v));
    case XFV_ACT_COS: EACH(cosf(v));
    case XFV_ACT_TAN: EACH(tanf(v));
    case XFV_ACT_ASIN: EACH(asinf(v));
    case XFV_ACT_ACOS: EACH(acosf(v));
    case XFV_ACT_ATAN: EACH(atanf(v));
    case XFV_ACT_SINH: EACH(sinhf(v));
    case XFV_ACT_COSH: EACH(coshf(v));
    case XFV_ACT_ASINH: EACH(asinhf(v));
    case XFV_ACT_ACOSH: EACH(acoshf(v));
    case XFV_ACT_ATANH: EACH(atanhf(v));
    case XFV_ACT_FLOOR: EACH(floorf(v));
    case XFV_ACT_CEIL: EACH(ceilf(v));
    case XFV_ACT_ROUND: EACH(rintf(v));
    case XFV_ACT_TRUNC: EACH(truncf(v));
    case XFV_ACT_SIGN: EACH(v > 0.0f ? 1.0f : v < 0.0f ? -1.0f : 0.0f);
    default: break; /* by the vector functions below */
    }
}

static float mish_slope(float x)
{
    float t = tanhf(softplus(x));
    return t + x * (1.0f - t * t) * sigmoid(x);
}

#define GRAD(expr) \
    for (int c = 0; c < n; c++) { \
        float v = x[c], w = y[c]; \
        (void)v, (void)w; \
        g[c] += dy[c] * (expr); \
    } \
    break

/* x: input, y: output of the forward pass. */
static void slope_row(const struct xfv_node *nd, const float *restrict x, const float *restrict y,
                      const float *restrict dy, float *restrict g, int n)
{
    float p = nd->f[0], q = nd->f[1];
    switch ((enum xfv_act)nd->i[0]) {
    case XFV_ACT_CLIP: GRAD(v > p && v <= q ? 1.0f : 0.0f);
    case XFV_ACT_LEAKY: GRAD(v > 0.0f ? 1.0f : p);
    case XFV_ACT_SIGMOID: GRAD(w * (1.0f - w));
    case XFV_ACT_HARDSIGMOID: GRAD(p * v + q > 0.0f && p * v + q <= 1.0f ? p : 0.0f);
    case XFV_ACT_HARDSWISH: GRAD(v <= -3.0f ? 0.0f : v > 3.0f ? 1.0f : v / 3.0f + 0.5f);
    case XFV_ACT_TANH: GRAD(1.0f - w * w);
    case XFV_ACT_SOFTPLUS: GRAD(sigmoid(v));
    case XFV_ACT_MISH: GRAD(mish_slope(v));
    case XFV_ACT_ERF: GRAD(1.12837916709551f * expf(-v * v));
    case XFV_ACT_SQRT: GRAD(0.5f / w);
    case XFV_ACT_POW: GRAD(p * powf(v, p - 1.0f));
    case XFV_ACT_EXP: GRAD(w);
    case XFV_ACT_NEG: GRAD(-1.0f);
    case XFV_ACT_ABS: GRAD(v > 0.0f ? 1.0f : v < 0.0f ? -1.0f : 0.0f);
    case XFV_ACT_LOG: GRAD(1.0f / v);
    case XFV_ACT_ELU: GRAD(v > 0.0f ? q : p * nd->f[2] * expf(nd->f[2] * v));
    case XFV_ACT_SOFTSIGN: GRAD(1.0f / ((1.0f + fabsf(v)) * (1.0f + fabsf(v))));
    case XFV_ACT_SIN: GRAD(cosf(v));
    case XFV_ACT_COS: GRAD(-sinf(v));
    case XFV_ACT_TAN: GRAD(1.0f + w * w);
    case XFV_ACT_ASIN: GRAD(1.0f / sqrtf(1.0f - v * v));
    case XFV_ACT_ACOS: GRAD(-1.0f / sqrtf(1.0f - v * v));
    case XFV_ACT_ATAN: GRAD(1.0f / (1.0f + v * v));
    case XFV_ACT_SINH: GRAD(coshf(v));
    case XFV_ACT_COSH: GRAD(sinhf(v));
    case XFV_ACT_ASINH: GRAD(1.0f / sqrtf(1.0f + v * v));
    case XFV_ACT_ACOSH: GRAD(1.0f / sqrtf(v * v - 1.0f));
    case XFV_ACT_ATANH: GRAD(1.0f / (1.0f - v * v));
    case XFV_ACT_FLOOR: case XFV_ACT_CEIL: case XFV_ACT_ROUND: case XFV_ACT_TRUNC: case XFV_ACT_SIGN: break;
    default: break; /* by the vector functions below */
    }
}

typedef void each(const float *x, float *y, size_t n);
typedef void each_by(const float *x, float *y, size_t n, float p, float q);
typedef void each_slope(const float *x, const float *dy, float *g, size_t n);

static int is(float a, float b) { return a >= b && a <= b; }

/* By the vector functions of net/run/func_body.h; NULL: by the loops above. */
static each *act_each(const struct xfv_func *f, const struct xfv_node *nd)
{
    switch ((enum xfv_act)nd->i[0]) {
    case XFV_ACT_SIGMOID: return f->sigmoid;
    case XFV_ACT_SILU: return f->silu;
    case XFV_ACT_TANH: return f->tanh;
    case XFV_ACT_EXP: return f->exp;
    case XFV_ACT_ERF: return f->erf;
    case XFV_ACT_GELU: return nd->f[0] > 0.0f ? f->gelu_tanh : f->gelu;
    case XFV_ACT_SQRT: return f->sqrt;
    case XFV_ACT_POW: return is(nd->f[0], 0.75f) ? f->power34 : is(nd->f[0], 0.5f) ? f->sqrt : NULL;
    default: return NULL;
    }
}

static each_by *act_by(const struct xfv_func *f, const struct xfv_node *nd, float *p, float *q)
{
    *p = nd->f[0], *q = nd->f[1];
    switch ((enum xfv_act)nd->i[0]) {
    case XFV_ACT_CLIP: return f->clip;
    case XFV_ACT_HARDSIGMOID: return f->hardsigmoid;
    case XFV_ACT_HARDSWISH: *p = 6.0f, *q = 0.5f; return f->hardswish;
    default: return NULL;
    }
}

static each_slope *act_slope(const struct xfv_func *f, const struct xfv_node *nd)
{
    switch ((enum xfv_act)nd->i[0]) {
    case XFV_ACT_SILU: return f->silu_slope;
    case XFV_ACT_GELU: return nd->f[0] > 0.0f ? f->gelu_tanh_slope : f->gelu_slope;
    default: return NULL;
    }
}

/* Rows that follow each other without padding are one. */
static size_t as_one(size_t pixels, int ch, int pitch, int other, size_t *n)
{
    int one = ch == pitch && ch == other;
    *n = one ? pixels * (size_t)ch : (size_t)ch;
    return one ? (pixels > 0) : pixels;
}

void xfv_op_act_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    float one, other;
    each *f = act_each(r->net->f, s->node);
    each_by *by = act_by(r->net->f, s->node, &one, &other);
    size_t n, rows = as_one(y.pixels, y.ch, y.pitch, x.pitch, &n);
    for (size_t p = 0; f && p < rows; p++) f(at(x, p, 0), at(y, p, 0), n);
    for (size_t p = 0; by && p < rows; p++) by(at(x, p, 0), at(y, p, 0), n, one, other);
    for (size_t p = 0; !f && !by && p < y.pixels; p++) act_row(s->node, at(x, p, 0), at(y, p, 0), y.ch);
    clear_lanes(y);
}

void xfv_op_act_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out), g = view_at(r, s->in[i], dx);
    each_slope *f = act_slope(r->net->f, s->node);
    for (size_t p = 0; p < y.pixels; p++) {
        const float *d = dy + p * (size_t)y.pitch;
        if (f) f(at(x, p, 0), d, at(g, p, 0), (size_t)y.ch);
        else slope_row(s->node, at(x, p, 0), at(y, p, 0), d, at(g, p, 0), y.ch);
    }
}
