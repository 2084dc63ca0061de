/* Pointwise functions. Where the derivative jumps it is that of the side below, as in ref.c. */
#include <math.h>

#include "net/run/ops_internal.h"

static float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
static float clamp(float x, float lo, float hi) { return x < lo ? lo : x > hi ? hi : x; }
static float softplus(float x) { return x > 0.0f ? x + log1pf(expf(-x)) : log1pf(expf(x)); }

static const float gelu_c = 0.797884560802865f, gelu_k = 0.044715f; /* sqrt(2/pi) */
static float gelu_cdf(float x) { return 0.5f * erfcf(-x * 0.707106781186548f); }
static float gelu_pdf(float x) { return 0.398942280401433f * expf(-0.5f * x * x); }
static float gelu_tanh(float x) { return tanhf(gelu_c * (x + gelu_k * x * x * x)); }

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
    case XFV_ACT_CLIP: EACH(clamp(v, p, q));
    case XFV_ACT_LEAKY: EACH(v > 0.0f ? v : p * v);
    case XFV_ACT_SIGMOID: EACH(sigmoid(v));
    case XFV_ACT_HARDSIGMOID: EACH(clamp(p * v + q, 0.0f, 1.0f));
    case XFV_ACT_HARDSWISH: EACH(v * clamp(v / 6.0f + 0.5f, 0.0f, 1.0f));
    case XFV_ACT_TANH: EACH(tanhf(v));
    case XFV_ACT_SOFTPLUS: EACH(softplus(v));
    case XFV_ACT_MISH: EACH(v * tanhf(softplus(v)));
    case XFV_ACT_GELU:
        if (p > 0.0f) { EACH(0.5f * v * (1.0f + gelu_tanh(v))); }
        EACH(v * gelu_cdf(v));
    case XFV_ACT_SILU: EACH(v * sigmoid(v));
    case XFV_ACT_ERF: EACH(erff(v));
    case XFV_ACT_SQRT: EACH(sqrtf(v));
    case XFV_ACT_POW:
        if (p > 1.999f && p < 2.001f && !(p < 2.0f) && !(p > 2.0f)) { EACH(v * v); }
        EACH(powf(v, p));
    case XFV_ACT_EXP: EACH(expf(v));
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
    case XFV_ACTS: break;
    }
}

static float mish_slope(float x)
{
    float t = tanhf(softplus(x));
    return t + x * (1.0f - t * t) * sigmoid(x);
}

static float gelu_slope(float x, float tanh_form)
{
    if (!(tanh_form > 0.0f)) return gelu_cdf(x) + x * gelu_pdf(x);
    float t = gelu_tanh(x);
    return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * gelu_c * (1.0f + 3.0f * gelu_k * x * x);
}

/* x sigmoid(x) = w: sigmoid is w/x, which spares an exponential for every one of many cotangents. */
static float silu_slope(float x, float w)
{
    float s = x < 0.0f || x > 0.0f ? w / x : 0.5f;
    return s + w * (1.0f - s);
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
    case XFV_ACT_GELU: GRAD(gelu_slope(v, p));
    case XFV_ACT_SILU: GRAD(silu_slope(v, w));
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
    case XFV_ACTS: break;
    }
}

void xfv_op_act_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    for (size_t p = 0; p < y.pixels; p++) act_row(s->node, at(x, p, 0), at(y, p, 0), y.ch);
    clear_lanes(y);
}

void xfv_op_act_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out), g = view_at(r, s->in[i], dx);
    for (size_t p = 0; p < y.pixels; p++)
        slope_row(s->node, at(x, p, 0), at(y, p, 0), dy + p * (size_t)y.pitch, at(g, p, 0), y.ch);
}
