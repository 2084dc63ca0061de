/* Every operator as its definition says, in double. Index arithmetic is size_t; shapes were checked by xfv_node_shape.
 */
#include "base/toint.h"
#include "net/graph/ref_internal.h"

#include <math.h>
#include <string.h>

#define CALL const struct ref_call *c

static const float *weight(CALL) { return c->g->weights[c->n->weight].data; }
static const float *bias(CALL) { return c->n->bias < 0 ? NULL : c->g->weights[c->n->bias].data; }
static size_t last(struct xfv_shape s) { return (size_t)s.dim[s.rank - 1]; }

/* Coordinates of linear index i. */
static void unravel(struct xfv_shape s, size_t i, int *at)
{
    for (int a = s.rank - 1; a >= 0; a--) {
        at[a] = (int)(i % (size_t)s.dim[a]);
        i /= (size_t)s.dim[a];
    }
}

static size_t ravel(struct xfv_shape s, const int *at)
{
    size_t i = 0;
    for (int a = 0; a < s.rank; a++) i = i * (size_t)s.dim[a] + (size_t)at[a];
    return i;
}

/* ---- sliding windows ---- */

/* Input index that window element k sees from output o along axis a; 0 when it lies in the padding. */
static int source(CALL, int a, int o, int k, int *i)
{
    *i = o * c->n->stride[a] - c->n->pads[a] + k * c->n->dilation[a];
    return *i >= 0 && *i < c->in[0].dim[a];
}

/* y += conv(x) when dy is NULL, else dx += its adjoint of dy. */
static void conv(CALL, const double *x, double *y, const double *dy, double *dx)
{
    const float *w = weight(c);
    size_t cin = last(c->in[0]), cout = last(c->out), groups = (size_t)c->n->groups, gi = cin / groups,
           go = cout / groups;
    int iy, ix;
    for (int oy = 0; oy < c->out.dim[0]; oy++)
        for (int ox = 0; ox < c->out.dim[1]; ox++)
            for (int ky = 0; ky < c->n->kernel[0]; ky++)
                for (int kx = 0; kx < c->n->kernel[1]; kx++) {
                    if (!source(c, 0, oy, ky, &iy) || !source(c, 1, ox, kx, &ix)) continue;
                    size_t to = ((size_t)oy * (size_t)c->out.dim[1] + (size_t)ox) * cout,
                           from = ((size_t)iy * (size_t)c->in[0].dim[1] + (size_t)ix) * cin;
                    for (size_t ci = 0; ci < cin; ci++) {
                        size_t g = ci / gi;
                        const float *row = w +
                                           (((size_t)ky * (size_t)c->n->kernel[1] + (size_t)kx) * gi + ci % gi) * cout;
                        for (size_t co = g * go; co < (g + 1) * go; co++) {
                            if (dy) dx[from + ci] += dy[to + co] * (double)row[co];
                            else y[to + co] += x[from + ci] * (double)row[co];
                        }
                    }
                }
}

/* Max and average pooling, forward (dy NULL) or backward. */
static void pool(CALL, double *y, const double *dy, double *dx)
{
    size_t ch = last(c->out), w = (size_t)c->in[0].dim[1];
    int max = c->n->op == XFV_OP_MAXPOOL, iy, ix;
    for (size_t o = 0; o < xfv_shape_count(c->out); o++) {
        int at[XFV_MAX_RANK], seen = 0;
        double best = -INFINITY, sum = 0;
        size_t winner = 0;
        unravel(c->out, o, at);
        for (int pass = 0; pass < (dy && !max ? 2 : 1); pass++) /* an average's share is known after counting */
            for (int k = 0; k < c->n->kernel[0] * c->n->kernel[1]; k++) {
                if (!source(c, 0, at[0], k / c->n->kernel[1], &iy) || !source(c, 1, at[1], k % c->n->kernel[1], &ix))
                    continue;
                size_t i = ((size_t)iy * w + (size_t)ix) * ch + (size_t)at[2];
                if (pass == 1) {
                    dx[i] += dy[o] / (c->n->i[0] ? c->n->kernel[0] * c->n->kernel[1] : seen);
                    continue;
                }
                seen++;
                sum += c->x[0][i];
                if (seen == 1 || c->x[0][i] > best) best = c->x[0][i], winner = i;
            }
        if (dy && max) dx[winner] += dy[o];
        if (!dy) y[o] = max ? best : sum / (c->n->i[0] ? c->n->kernel[0] * c->n->kernel[1] : seen);
    }
}

/* ---- pointwise ---- */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
static double clamp(double x, double lo, double hi) { return x < lo ? lo : x > hi ? hi : x; }
static double gauss_cdf(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }
static double gauss_pdf(double x) { return 0.39894228040143267794 * exp(-x * x / 2); }
static const double gelu_c = 0.79788456080286535588; /* sqrt(2 / pi) */

static double act(const struct xfv_node *n, double x)
{
    double p = (double)n->f[0], q = (double)n->f[1];
    switch ((enum xfv_act)n->i[0]) {
    case XFV_ACT_CLIP: return clamp(x, p, q);
    case XFV_ACT_LEAKY: return x > 0 ? x : p * x;
    case XFV_ACT_SIGMOID: return sigmoid(x);
    case XFV_ACT_HARDSIGMOID: return clamp(p * x + q, 0, 1);
    case XFV_ACT_HARDSWISH: return x * clamp(x / 6 + 0.5, 0, 1);
    case XFV_ACT_TANH: return tanh(x);
    case XFV_ACT_SOFTPLUS: return softplus(x);
    case XFV_ACT_MISH: return x * tanh(softplus(x));
    case XFV_ACT_GELU: return p > 0 ? 0.5 * x * (1 + tanh(gelu_c * (x + 0.044715 * x * x * x))) : x * gauss_cdf(x);
    case XFV_ACT_SILU: return x * sigmoid(x);
    case XFV_ACT_ERF: return erf(x);
    case XFV_ACT_SQRT: return sqrt(x);
    case XFV_ACT_POW: return pow(x, p);
    case XFV_ACT_EXP: return exp(x);
    case XFV_ACT_NEG: return -x;
    case XFV_ACT_ABS: return fabs(x);
    case XFV_ACT_LOG: return log(x);
    case XFV_ACT_ELU: return x > 0 ? q * x : p * expm1((double)n->f[2] * x);
    case XFV_ACT_SOFTSIGN: return x / (1 + fabs(x));
    case XFV_ACT_SIN: return sin(x);
    case XFV_ACT_COS: return cos(x);
    case XFV_ACT_TAN: return tan(x);
    case XFV_ACT_ASIN: return asin(x);
    case XFV_ACT_ACOS: return acos(x);
    case XFV_ACT_ATAN: return atan(x);
    case XFV_ACT_SINH: return sinh(x);
    case XFV_ACT_COSH: return cosh(x);
    case XFV_ACT_ASINH: return asinh(x);
    case XFV_ACT_ACOSH: return acosh(x);
    case XFV_ACT_ATANH: return atanh(x);
    case XFV_ACT_FLOOR: return floor(x);
    case XFV_ACT_CEIL: return ceil(x);
    case XFV_ACT_ROUND: return rint(x);
    case XFV_ACT_TRUNC: return trunc(x);
    case XFV_ACT_SIGN: return x > 0 ? 1 : x < 0 ? -1 : 0;
    case XFV_ACTS: break;
    }
    return NAN;
}

/* At a kink the derivative is that of the side below. */
static double act_slope(const struct xfv_node *n, double x)
{
    double p = (double)n->f[0], q = (double)n->f[1], t;
    switch ((enum xfv_act)n->i[0]) {
    case XFV_ACT_CLIP: return x > p && x <= q ? 1 : 0;
    case XFV_ACT_LEAKY: return x > 0 ? 1 : p;
    case XFV_ACT_SIGMOID: return sigmoid(x) * sigmoid(-x);
    case XFV_ACT_HARDSIGMOID: return p * x + q > 0 && p * x + q <= 1 ? p : 0;
    case XFV_ACT_HARDSWISH: return x <= -3 ? 0 : x > 3 ? 1 : x / 3 + 0.5;
    case XFV_ACT_TANH: t = tanh(x); return 1 - t * t;
    case XFV_ACT_SOFTPLUS: return sigmoid(x);
    case XFV_ACT_MISH: t = tanh(softplus(x)); return t + x * (1 - t * t) * sigmoid(x);
    case XFV_ACT_GELU:
        if (!(p > 0)) return gauss_cdf(x) + x * gauss_pdf(x);
        t = tanh(gelu_c * (x + 0.044715 * x * x * x));
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * gelu_c * (1 + 3 * 0.044715 * x * x);
    case XFV_ACT_SILU: return sigmoid(x) * (1 + x * sigmoid(-x));
    case XFV_ACT_ERF: return 1.12837916709551257390 * exp(-x * x);
    case XFV_ACT_SQRT: return 0.5 / sqrt(x);
    case XFV_ACT_POW: return p * pow(x, p - 1);
    case XFV_ACT_EXP: return exp(x);
    case XFV_ACT_NEG: return -1;
    case XFV_ACT_ABS: return x > 0 ? 1 : x < 0 ? -1 : 0;
    case XFV_ACT_LOG: return 1 / x;
    case XFV_ACT_ELU: return x > 0 ? q : p * (double)n->f[2] * exp((double)n->f[2] * x);
    case XFV_ACT_SOFTSIGN: return 1 / ((1 + fabs(x)) * (1 + fabs(x)));
    case XFV_ACT_SIN: return cos(x);
    case XFV_ACT_COS: return -sin(x);
    case XFV_ACT_TAN: return 1 + tan(x) * tan(x);
    case XFV_ACT_ASIN: return 1 / sqrt(1 - x * x);
    case XFV_ACT_ACOS: return -1 / sqrt(1 - x * x);
    case XFV_ACT_ATAN: return 1 / (1 + x * x);
    case XFV_ACT_SINH: return cosh(x);
    case XFV_ACT_COSH: return sinh(x);
    case XFV_ACT_ASINH: return 1 / sqrt(1 + x * x);
    case XFV_ACT_ACOSH: return 1 / sqrt(x * x - 1);
    case XFV_ACT_ATANH: return 1 / (1 - x * x);
    case XFV_ACT_FLOOR: case XFV_ACT_CEIL: case XFV_ACT_ROUND: case XFV_ACT_TRUNC: case XFV_ACT_SIGN: return 0;
    case XFV_ACTS: break;
    }
    return NAN;
}

/* Index into the second operand for element i of the first. */
static size_t broadcast(CALL, size_t i)
{
    int at[XFV_MAX_RANK], to[XFV_MAX_RANK], off = c->out.rank - c->in[1].rank;
    unravel(c->out, i, at);
    for (int a = 0; a < c->in[1].rank; a++) to[a] = c->in[1].dim[a] == 1 ? 0 : at[a + off];
    return ravel(c->in[1], to);
}

static int related(int relation, double a, double b)
{
    switch ((enum xfv_relation)relation) {
    case XFV_LESS: return a < b;
    case XFV_AT_MOST: return a <= b;
    case XFV_EQUAL: return a <= b && a >= b;
    case XFV_AT_LEAST: return a >= b;
    default: return a > b;
    }
}

static double modulo(int of_a, double a, double b)
{
    double r = fmod(a, b);
    return !of_a && (r > 0 || r < 0) && (r < 0) != (b < 0) ? r + b : r;
}

static double combine(const struct xfv_node *n, double a, double b)
{
    switch (n->op) {
    case XFV_OP_POWER: return pow(a, b);
    case XFV_OP_MOD: return modulo(n->i[0], a, b);
    case XFV_OP_COMPARE: return related(n->i[0], a, b);
    case XFV_OP_ADD: return a + b;
    case XFV_OP_SUB: return a - b;
    case XFV_OP_MUL: return a * b;
    case XFV_OP_DIV: return a / b;
    case XFV_OP_MAX: return a >= b ? a : b;
    default: return a <= b ? a : b;
    }
}

static void binary_forward(CALL, double *y)
{
    for (size_t i = 0; i < xfv_shape_count(c->out); i++) y[i] = combine(c->n, c->x[0][i], c->x[1][broadcast(c, i)]);
}

static void binary_backward(CALL, const double *dy, double **dx)
{
    enum xfv_op op = c->n->op;
    for (size_t i = 0; i < xfv_shape_count(c->out); i++) {
        size_t j = broadcast(c, i);
        double a = c->x[0][i], b = c->x[1][j], da = 1, db = 1;
        if (op == XFV_OP_SUB) db = -1;
        if (op == XFV_OP_MUL) da = b, db = a;
        if (op == XFV_OP_DIV) da = 1 / b, db = -a / (b * b);
        if (op == XFV_OP_COMPARE) continue;
        if (op == XFV_OP_MOD) db = -rint((a - c->y[i]) / b);
        if (op == XFV_OP_POWER) {
            da = b > 0 || b < 0 ? b * pow(a, b - 1) : 0;
            db = b >= 0 && !(a > 0 || a < 0) ? 0 : c->y[i] * log(a);
        }
        if (op == XFV_OP_MAX || op == XFV_OP_MIN) da = op == XFV_OP_MAX ? a >= b : a <= b, db = 1 - da;
        dx[0][i] += dy[i] * da;
        dx[1][j] += dy[i] * db;
    }
}

/* relu, prelu, affine, act: y = f(x) for each element; slope: its derivative instead. */
static double pointwise(CALL, size_t i, int slope)
{
    double x = c->x[0][i];
    size_t ch = i % last(c->out);
    const float *b;
    switch (c->n->op) {
    case XFV_OP_RELU: return slope ? x > 0 : x > 0 ? x : 0;
    case XFV_OP_PRELU: return x > 0 ? (slope ? 1 : x) : (double)weight(c)[ch] * (slope ? 1 : x);
    case XFV_OP_AFFINE:
        if (slope) return (double)weight(c)[ch];
        b = bias(c);
        return x * (double)weight(c)[ch] + (b ? (double)b[ch] : 0);
    default: return slope ? act_slope(c->n, x) : act(c->n, x);
    }
}

/* ---- rows: softmax and layernorm over the last axis, l2norm over all ---- */

static void softmax_forward(CALL, double *y)
{
    size_t n = last(c->out);
    for (size_t r = 0; r < xfv_shape_count(c->out); r += n) {
        double max = -INFINITY, sum = 0;
        for (size_t i = r; i < r + n; i++) max = c->x[0][i] > max ? c->x[0][i] : max;
        for (size_t i = r; i < r + n; i++) sum += y[i] = exp(c->x[0][i] - max);
        for (size_t i = r; i < r + n; i++) y[i] /= sum;
    }
}

static void softmax_backward(CALL, const double *dy, double *dx)
{
    size_t n = last(c->out);
    for (size_t r = 0; r < xfv_shape_count(c->out); r += n) {
        double dot = 0;
        for (size_t i = r; i < r + n; i++) dot += dy[i] * c->y[i];
        for (size_t i = r; i < r + n; i++) dx[i] += c->y[i] * (dy[i] - dot);
    }
}

static double norm_of(const double *x, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += x[i] * x[i];
    return sqrt(s);
}

static void l2norm(CALL, double *y, const double *dy, double *dx)
{
    size_t n = xfv_shape_count(c->out);
    double norm = norm_of(c->x[0], n), eps = (double)c->n->f[0], d = norm > eps ? norm : eps, dot = 0;
    if (!dy) {
        for (size_t i = 0; i < n && d > 0; i++) y[i] = c->x[0][i] / d;
        return; /* a vector of zeros stays one */
    }
    for (size_t i = 0; i < n && norm > eps; i++) dot += dy[i] * c->y[i];
    for (size_t i = 0; i < n && d > 0; i++) dx[i] += (dy[i] - c->y[i] * dot) / d;
}

static void layernorm(CALL, double *y, const double *dy, double *dx)
{
    size_t n = last(c->out);
    const float *w = weight(c), *b = bias(c);
    for (size_t r = 0; r < xfv_shape_count(c->out); r += n) {
        const double *x = c->x[0] + r;
        double mean = 0, var = 0, m1 = 0, m2 = 0;
        for (size_t i = 0; i < n; i++) mean += x[i] / (double)n;
        for (size_t i = 0; i < n; i++) var += (x[i] - mean) * (x[i] - mean) / (double)n;
        double s = 1 / sqrt(var + (double)c->n->f[0]);
        for (size_t i = 0; i < n; i++) {
            double h = (x[i] - mean) * s;
            if (!dy) {
                y[r + i] = h * (double)w[i] + (b ? (double)b[i] : 0);
                continue;
            }
            m1 += dy[r + i] * (double)w[i] / (double)n;
            m2 += dy[r + i] * (double)w[i] * h / (double)n;
        }
        for (size_t i = 0; dy && i < n; i++) dx[r + i] += s * (dy[r + i] * (double)w[i] - m1 - (x[i] - mean) * s * m2);
    }
}

/* ---- linear algebra and reductions ---- */

static void dense(CALL, double *y, const double *dy, double *dx)
{
    const float *w = weight(c);
    size_t in = xfv_shape_count(c->in[0]), out = last(c->out);
    for (size_t i = 0; i < in; i++)
        for (size_t o = 0; o < out; o++) {
            if (dy) dx[i] += dy[o] * (double)w[i * out + o];
            else y[o] += c->x[0][i] * (double)w[i * out + o];
        }
}

/* The matrix of operand k that product b of the batch takes: leading axes of 1 stretch. */
static size_t operand(CALL, int k, size_t b)
{
    struct xfv_shape lead = c->out, mine = c->in[k];
    int at[XFV_MAX_RANK];
    lead.rank -= 2, mine.rank -= 2;
    unravel(lead, b, at);
    for (int a = 0; a < mine.rank; a++) at[a] = mine.dim[a] == 1 ? 0 : at[a];
    return ravel(mine, at);
}

static void matmul(CALL, double *y, const double *dy, double **dx)
{
    int r = c->out.rank;
    size_t m = (size_t)c->out.dim[r - 2], n = (size_t)c->out.dim[r - 1], k = last(c->in[0]),
           batches = xfv_shape_count(c->out) / (m * n);
    for (size_t b = 0; b < batches; b++)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                for (size_t l = 0; l < k; l++) {
                    size_t o = (b * m + i) * n + j, p = (operand(c, 0, b) * m + i) * k + l,
                           q = operand(c, 1, b) * k * n + (c->n->i[0] ? j * k + l : l * n + j);
                    if (!dy) y[o] += c->x[0][p] * c->x[1][q];
                    else dx[0][p] += dy[o] * c->x[1][q], dx[1][q] += dy[o] * c->x[0][p];
                }
}

/* Output element that input element i is reduced into. */
static size_t reduced(CALL, size_t i)
{
    int at[XFV_MAX_RANK];
    unravel(c->in[0], i, at);
    for (int a = 0; a < c->in[0].rank; a++)
        if (c->n->i[1] >> a & 1) at[a] = 0;
    return ravel(c->out, at);
}

static void reduce_forward(CALL, double *y)
{
    size_t n = xfv_shape_count(c->in[0]), m = xfv_shape_count(c->out);
    int f = c->n->i[0];
    for (size_t o = 0; o < m && (f == XFV_REDUCE_MAX || f == XFV_REDUCE_PROD); o++)
        y[o] = f == XFV_REDUCE_PROD ? 1 : -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double x = c->x[0][i], *to = &y[reduced(c, i)];
        if (f == XFV_REDUCE_MAX) *to = x > *to ? x : *to;
        else if (f == XFV_REDUCE_PROD) *to *= x;
        else *to += f == XFV_REDUCE_L2 ? x * x : f == XFV_REDUCE_MEAN ? x * (double)m / (double)n : x;
    }
    for (size_t o = 0; o < m && f == XFV_REDUCE_L2; o++) y[o] = sqrt(y[o]);
}

/* Has an earlier element of i's group its value, so that i is not the first winner? */
static int earlier(CALL, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (c->x[0][j] >= c->x[0][i] && reduced(c, j) == reduced(c, i)) return 1;
    return 0;
}

/* The product of the others of i's group. */
static double others(CALL, size_t i)
{
    double p = 1;
    for (size_t j = 0; j < xfv_shape_count(c->in[0]); j++)
        if (j != i && reduced(c, j) == reduced(c, i)) p *= c->x[0][j];
    return p;
}

static void reduce_backward(CALL, const double *dy, double *dx)
{
    size_t n = xfv_shape_count(c->in[0]), m = xfv_shape_count(c->out);
    for (size_t i = 0; i < n; i++) {
        double x = c->x[0][i];
        size_t o = reduced(c, i);
        switch ((enum xfv_reduce)c->n->i[0]) {
        case XFV_REDUCE_SUM: dx[i] += dy[o]; break;
        case XFV_REDUCE_PROD: dx[i] += dy[o] * others(c, i); break;
        case XFV_REDUCE_MEAN: dx[i] += dy[o] * (double)m / (double)n; break;
        case XFV_REDUCE_MAX:
            if (x >= c->y[o] && !earlier(c, i)) dx[i] += dy[o];
            break;
        default:
            if (c->y[o] > 0) dx[i] += dy[o] * x / c->y[o];
        }
    }
}

/* ---- moving elements: reshape, transpose, slice, pad and concat have y[to] = x[from], and the adjoint goes back ---- */

/* Which element of input k becomes output element o? SIZE_MAX: none (zero). */
static size_t origin(CALL, size_t o, int *k)
{
    int at[XFV_MAX_RANK], from[XFV_MAX_RANK], a = c->n->i[0];
    *k = 0;
    if (c->n->op == XFV_OP_RESHAPE) return o;
    unravel(c->out, o, at);
    memcpy(from, at, sizeof from);
    switch (c->n->op) {
    case XFV_OP_TRANSPOSE:
        for (int i = 0; i < c->out.rank; i++) from[c->n->i[i]] = at[i];
        break;
    case XFV_OP_SLICE: from[a] += c->n->i[1]; break;
    case XFV_OP_CONCAT:
        while (from[a] >= c->in[*k].dim[a]) from[a] -= c->in[(*k)++].dim[a];
        break;
    default: /* pad */
        for (int i = 0; i < 2; i++) {
            from[i] -= c->n->pads[i];
            if (from[i] < 0 || from[i] >= c->in[0].dim[i]) return SIZE_MAX;
        }
    }
    return ravel(c->in[*k], from);
}

static void move(CALL, double *y, const double *dy, double **dx)
{
    int k;
    for (size_t o = 0; o < xfv_shape_count(c->out); o++) {
        size_t i = origin(c, o, &k);
        if (i == SIZE_MAX) continue;
        if (!dy) y[o] = c->x[k][i];
        else dx[k][i] += dy[o];
    }
}

static void sparse(CALL, double *y, const double *dy, double *dx)
{
    const float *w = weight(c);
    for (size_t k = 0; k < c->g->weights[c->n->weight].count; k += 3) {
        size_t to = xfv_to_size(w[k], SIZE_MAX), from = xfv_to_size(w[k + 1], SIZE_MAX);
        if (dy) dx[from] += dy[to] * (double)w[k + 2];
        else y[to] += c->x[0][from] * (double)w[k + 2];
    }
}

static void selected(CALL, double *y, const double *dy, double **dx)
{
    for (size_t i = 0; i < xfv_shape_count(c->out); i++) {
        int k = c->x[0][i] > 0 || c->x[0][i] < 0 ? 1 : 2;
        if (dy) dx[k][i] += dy[i];
        else y[i] = c->x[k][i];
    }
}

void xfv_ref_op_forward(CALL, double *y)
{
    size_t n = xfv_shape_count(c->out), channels = last(c->out);
    switch (c->n->op) {
    case XFV_OP_CONV: conv(c, c->x[0], y, NULL, NULL); break;
    case XFV_OP_DENSE: dense(c, y, NULL, NULL); break;
    case XFV_OP_MAXPOOL: case XFV_OP_AVGPOOL: pool(c, y, NULL, NULL); break;
    case XFV_OP_ADD:
    case XFV_OP_SUB:
    case XFV_OP_MUL:
    case XFV_OP_DIV:
    case XFV_OP_MAX:
    case XFV_OP_MIN:
    case XFV_OP_POWER:
    case XFV_OP_MOD:
    case XFV_OP_COMPARE: binary_forward(c, y); break;
    case XFV_OP_SELECT: selected(c, y, NULL, NULL); break;
    case XFV_OP_SPARSE: sparse(c, y, NULL, NULL); break;
    case XFV_OP_RELU: case XFV_OP_PRELU: case XFV_OP_AFFINE: case XFV_OP_ACT:
        for (size_t i = 0; i < n; i++) y[i] = pointwise(c, i, 0);
        break;
    case XFV_OP_SOFTMAX: softmax_forward(c, y); break;
    case XFV_OP_L2NORM: l2norm(c, y, NULL, NULL); break;
    case XFV_OP_LAYERNORM: layernorm(c, y, NULL, NULL); break;
    case XFV_OP_CONST:
        for (size_t i = 0; i < n; i++) y[i] = (double)weight(c)[i];
        break;
    case XFV_OP_REDUCE: reduce_forward(c, y); break;
    case XFV_OP_MATMUL: matmul(c, y, NULL, NULL); break;
    case XFV_OP_RESHAPE:
    case XFV_OP_TRANSPOSE:
    case XFV_OP_CONCAT:
    case XFV_OP_SLICE:
    case XFV_OP_PAD: move(c, y, NULL, NULL); break;
    case XFV_OPS: break;
    }
    if ((c->n->op == XFV_OP_CONV || c->n->op == XFV_OP_DENSE) && bias(c))
        for (size_t i = 0; i < n; i++) y[i] += (double)bias(c)[i % channels];
}

void xfv_ref_op_backward(CALL, const double *dy, double **dx)
{
    if (!dy) return; /* what nobody asks about has no gradient; below, dy tells forward from backward */
    switch (c->n->op) {
    case XFV_OP_CONV: conv(c, NULL, NULL, dy, dx[0]); break;
    case XFV_OP_DENSE: dense(c, NULL, dy, dx[0]); break;
    case XFV_OP_MAXPOOL: case XFV_OP_AVGPOOL: pool(c, NULL, dy, dx[0]); break;
    case XFV_OP_ADD:
    case XFV_OP_SUB:
    case XFV_OP_MUL:
    case XFV_OP_DIV:
    case XFV_OP_MAX:
    case XFV_OP_MIN:
    case XFV_OP_POWER:
    case XFV_OP_MOD:
    case XFV_OP_COMPARE: binary_backward(c, dy, dx); break;
    case XFV_OP_SELECT: selected(c, NULL, dy, dx); break;
    case XFV_OP_SPARSE: sparse(c, NULL, dy, dx[0]); break;
    case XFV_OP_RELU: case XFV_OP_PRELU: case XFV_OP_AFFINE: case XFV_OP_ACT:
        for (size_t i = 0; i < xfv_shape_count(c->out); i++) dx[0][i] += dy[i] * pointwise(c, i, 1);
        break;
    case XFV_OP_SOFTMAX: softmax_backward(c, dy, dx[0]); break;
    case XFV_OP_L2NORM: l2norm(c, NULL, dy, dx[0]); break;
    case XFV_OP_LAYERNORM: layernorm(c, NULL, dy, dx[0]); break;
    case XFV_OP_REDUCE: reduce_backward(c, dy, dx[0]); break;
    case XFV_OP_MATMUL: matmul(c, NULL, dy, dx); break;
    case XFV_OP_RESHAPE:
    case XFV_OP_TRANSPOSE:
    case XFV_OP_CONCAT:
    case XFV_OP_SLICE:
    case XFV_OP_PAD: move(c, NULL, dy, dx); break;
    case XFV_OP_CONST: case XFV_OPS: break;
    }
}
