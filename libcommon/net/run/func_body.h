/* The functions, written once; see net/run/func_internal.h. The including file defines for its instruction set:
 *   VL lanes; V the vector type; V_LD V_ST V_SET1 V_ADD V_SUB V_MUL V_DIV V_SQRT; V_FMA(a,b,c) = a*b+c, V_FNMA = c-a*b
 *   V_MAX(a,b) = a > b ? a : b, V_MIN(a,b) = a < b ? a : b (so b where one is NaN); V_LESS(a,b,x,y) = a < b ? x : y
 *   V_ABS(v); V_SIGNED(v, s) = v >= 0 with the sign of s; V_POW2(t, b) = 2^(n+b-127) of t = n + XFV_ROUND
 *   V_LOST(t, s): t^2 - s, where s is t^2 rounded: exact
 *   V_GUESS(d): 1 / d to 6 %, the bits of d taken from a constant; V_LD_SOME(p, n, fill), V_ST_SOME(p, v, n): the
 *   first n < VL lanes, the others `fill`
 *   FUNC the table's name.
 * Polynomials were fitted by least squares, weighted anew until the greatest relative error was least. */
#include <math.h>
#include <string.h>

#define XFV_ROUND 12582912.0f /* 1.5 * 2^23: adding it rounds to a whole number, which stays in the lowest bits */
#define LANES 16              /* of a sum */
#define CHAIN 512             /* numbers summed in the lanes before the lanes are */

/* x - n ln 2, n + XFV_ROUND = t: |n ln 2 - x| <= ln 2 / 2 */
static inline V reduced(V x, V *t)
{
    *t = V_FMA(x, V_SET1(1.44269504f), V_SET1(XFV_ROUND));
    V n = V_SUB(*t, V_SET1(XFV_ROUND)), r = V_FNMA(n, V_SET1(0.693359375f), x); /* exact: ln 2 in two parts */
    return V_FNMA(n, V_SET1(-2.12194440e-4f), r);
}

/* 2^(n - half) exp(r), to 1.1e-8 and rounding. */
static inline V raised(V r, V t, int half)
{
    V p = V_FMA(r, V_SET1(1.39015063e-3f), V_SET1(8.36373307e-3f));
    p = V_FMA(p, r, V_SET1(4.16668616e-2f));
    p = V_FMA(p, r, V_SET1(1.66665733e-1f));
    p = V_FMA(p, r, V_SET1(0.5f));
    p = V_ADD(V_FMA(p, V_MUL(r, r), r), V_SET1(1.0f));
    return V_MUL(p, V_POW2(t, 127 - half));
}

/* exp(x) / 2^half for -86 <= x <= 87 + half */
static inline V exp_core(V x, int half)
{
    V t, r = reduced(x, &t);
    return raised(r, t, half);
}

/* Of any number; to 2^128, which a float cannot hold, in two steps. */
static inline V exp_plain(V x)
{
    V within = V_MIN(V_SET1(89.5f), V_MAX(V_SET1(-86.0f), x));
    V y = V_MUL(exp_core(within, 1), V_SET1(2.0f));
    return V_LESS(x, V_SET1(-86.0f), V_SET1(0.0f), y);
}

/* Of a number that is not above 0. */
static inline V exp_below(V x)
{
    V y = exp_core(V_MAX(V_SET1(-86.0f), x), 0);
    return V_LESS(x, V_SET1(-86.0f), V_SET1(0.0f), y);
}

/* 1 / d for 1 <= d < 2^126, to 2 units in the last place: faster than a division, and the same everywhere. */
static inline V inverse_of(V d)
{
    V r = V_GUESS(d), e = V_FNMA(d, r, V_SET1(1.0f));
    r = V_FMA(r, V_FMA(e, e, e), r);
    e = V_FNMA(d, r, V_SET1(1.0f));
    return V_FMA(r, e, r);
}

/* 1 / (1 + exp(-x)) for x >= -86 */
static inline V sigmoid_above(V x)
{
    V e = exp_core(V_SUB(V_SET1(0.0f), V_MIN(V_SET1(86.0f), x)), 0);
    return inverse_of(V_ADD(V_SET1(1.0f), e));
}

static inline V sigmoid_of(V x)
{
    return V_LESS(x, V_SET1(-86.0f), V_SET1(0.0f), sigmoid_above(V_MAX(V_SET1(-86.0f), x)));
}

static inline V tanh_of(V x)
{
    V a = V_ABS(x), z = V_MUL(x, x);
    V p = V_FMA(z, V_SET1(-6.09746156e-3f), V_SET1(2.09978148e-2f));
    p = V_FMA(p, z, V_SET1(-5.38510866e-2f));
    p = V_FMA(p, z, V_SET1(1.33327723e-1f));
    p = V_FMA(p, z, V_SET1(-3.33333284e-1f));
    V near = V_FMA(V_MUL(p, z), a, a);
    V far = V_SUB(V_SET1(1.0f), V_DIV(V_SET1(2.0f), V_ADD(exp_plain(V_ADD(a, a)), V_SET1(1.0f))));
    return V_SIGNED(V_LESS(a, V_SET1(0.625f), near, far), x);
}

/* exp(-s t^2) where that is 5e-38 or more, t >= 0, s a power of 2: t^2 in two parts, or its rounding would show. */
static inline V bell_of(V t, float s)
{
    V by = V_SET1(-s), square = V_MUL(t, t), power, rest = V_LOST(t, square);
    V r = reduced(V_MUL(by, square), &power);
    return raised(V_FMA(by, rest, r), power, 0);
}

/* erfc(t) / exp(-t^2) for 0 <= t <= 10.5 by q = 1 / (1 + 0.3 t), to 2e-8. */
static inline V erfcx_of(V t)
{
    V q = inverse_of(V_FMA(t, V_SET1(0.3f), V_SET1(1.0f)));
    V p = V_FMA(q, V_SET1(-0.129556477f), V_SET1(0.485738903f));
    p = V_FMA(p, q, V_SET1(-0.512672186f));
    p = V_FMA(p, q, V_SET1(0.548214197f));
    p = V_FMA(p, q, V_SET1(-0.0950290039f));
    p = V_FMA(p, q, V_SET1(0.21510677f));
    p = V_FMA(p, q, V_SET1(0.148286641f));
    p = V_FMA(p, q, V_SET1(0.170723706f));
    p = V_FMA(p, q, V_SET1(0.169187427f));
    return V_MUL(p, q);
}

static inline V erf_of(V x)
{
    V a = V_ABS(x), z = V_MUL(x, x), t = V_MIN(V_SET1(9.25f), a);
    V p = V_FMA(z, V_SET1(7.85429656e-5f), V_SET1(-8.01033573e-4f));
    p = V_FMA(p, z, V_SET1(5.18834544e-3f));
    p = V_FMA(p, z, V_SET1(-2.68538222e-2f));
    p = V_FMA(p, z, V_SET1(0.112835854f));
    p = V_FMA(p, z, V_SET1(-0.37612626f));
    p = V_FMA(V_MUL(p, z), a, V_MUL(a, V_SET1(0.128379107f)));
    V far = V_FNMA(bell_of(t, 1.0f), erfcx_of(t), V_SET1(1.0f));
    return V_SIGNED(V_LESS(a, V_SET1(1.0f), V_ADD(a, p), far), x);
}

/* The Gaussian's distribution at x; *bell: exp(-x^2 / 2). */
static inline V normal_of(V x, V *bell)
{
    V a = V_MIN(V_SET1(13.0f), V_ABS(x));
    *bell = bell_of(a, 0.5f);
    V tail = V_MUL(V_SET1(0.5f), V_MUL(*bell, erfcx_of(V_MUL(a, V_SET1(0.707106781f)))));
    return V_LESS(x, V_SET1(0.0f), tail, V_SUB(V_SET1(1.0f), tail));
}

static inline V gelu_of(V x)
{
    V bell;
    return V_MUL(V_MAX(V_SET1(-13.0f), x), normal_of(x, &bell));
}

static inline V gelu_slope_of(V x)
{
    V bell, whole = normal_of(x, &bell);
    return V_FMA(V_MUL(x, V_SET1(0.39894228f)), bell, whole);
}

#define GELU_C 0.797884561f /* sqrt(2 / pi) */
#define GELU_K 0.044715f

static inline V gelu_inner(V x)
{
    V z = V_MUL(x, x);
    return V_MUL(V_MUL(V_SET1(GELU_C), x), V_FMA(z, V_SET1(GELU_K), V_SET1(1.0f)));
}

static inline V gelu_tanh_of(V x)
{
    return V_MUL(V_MUL(V_SET1(0.5f), x), V_ADD(V_SET1(1.0f), tanh_of(gelu_inner(x))));
}

static inline V gelu_tanh_slope_of(V x)
{
    V t = tanh_of(gelu_inner(x)), half = V_SET1(0.5f), one = V_SET1(1.0f);
    V inner = V_MUL(V_SET1(GELU_C), V_FMA(V_MUL(x, x), V_SET1(3.0f * GELU_K), one));
    V bend = V_MUL(V_MUL(half, x), V_MUL(V_FNMA(t, t, one), inner));
    return V_FMA(half, V_ADD(one, t), bend);
}

static inline V silu_of(V x)
{
    V above = V_MAX(V_SET1(-86.0f), x); /* where it is -4e-36 */
    return V_MUL(above, sigmoid_above(above));
}

/* s + x s (1 - s) */
static inline V silu_slope_of(V x)
{
    V s = sigmoid_of(x);
    return V_FMA(V_MUL(x, s), V_SUB(V_SET1(1.0f), s), s);
}

/* NaN goes through. */
static inline V clip_of(V x, V lo, V hi)
{
    return V_MIN(hi, V_MAX(lo, x));
}

static inline V hardsigmoid_of(V x, V p, V q)
{
    return clip_of(V_ADD(V_MUL(p, x), q), V_SET1(0.0f), V_SET1(1.0f));
}

/* x clip(x / p + q, 0, 1) */
static inline V hardswish_of(V x, V p, V q)
{
    return V_MUL(x, clip_of(V_ADD(V_DIV(x, p), q), V_SET1(0.0f), V_SET1(1.0f)));
}

/* x^(3/4), as local response normalisation has it */
static inline V power34_of(V x)
{
    V root = V_SQRT(x);
    return V_MUL(root, V_SQRT(root));
}

#define SIDE 4 /* vectors side by side: the steps of one wait for each other */
#define EACH(name, of) \
    static void name(const float *x, float *y, size_t n) \
    { \
        size_t i = 0; \
        for (; i + SIDE * VL <= n; i += SIDE * VL) { \
            V v[SIDE]; \
            for (int j = 0; j < SIDE; j++) v[j] = of(V_LD(x + i + (size_t)j * VL)); \
            for (int j = 0; j < SIDE; j++) V_ST(y + i + (size_t)j * VL, v[j]); \
        } \
        for (; i + VL <= n; i += VL) V_ST(y + i, of(V_LD(x + i))); \
        if (i < n) V_ST_SOME(y + i, of(V_LD_SOME(x + i, n - i, 0.0f)), n - i); \
    }
EACH(each_exp, exp_plain)
EACH(each_sigmoid, sigmoid_of)
EACH(each_silu, silu_of)
EACH(each_tanh, tanh_of)
EACH(each_erf, erf_of)
EACH(each_gelu, gelu_of)
EACH(each_gelu_tanh, gelu_tanh_of)
EACH(each_sqrt, V_SQRT)
EACH(each_power34, power34_of)

/* Of two parameters. */
#define EACH_BY(name, of) \
    static void name(const float *x, float *y, size_t n, float p, float q) \
    { \
        V a = V_SET1(p), b = V_SET1(q); \
        size_t i = 0; \
        for (; i + VL <= n; i += VL) V_ST(y + i, of(V_LD(x + i), a, b)); \
        if (i < n) V_ST_SOME(y + i, of(V_LD_SOME(x + i, n - i, 0.0f), a, b), n - i); \
    }
EACH_BY(clip, clip_of)
EACH_BY(hardsigmoid, hardsigmoid_of)
EACH_BY(hardswish, hardswish_of)

#define SLOPE(name, of) \
    static void name(const float *x, const float *dy, float *g, size_t n) \
    { \
        size_t i = 0; \
        for (; i + VL <= n; i += VL) V_ST(g + i, V_FMA(V_LD(dy + i), of(V_LD(x + i)), V_LD(g + i))); \
        if (i == n) return; \
        V d = V_LD_SOME(dy + i, n - i, 0.0f), v = V_LD_SOME(x + i, n - i, 0.0f); \
        V_ST_SOME(g + i, V_FMA(d, of(v), V_LD_SOME(g + i, n - i, 0.0f)), n - i); \
    }
SLOPE(silu_slope, silu_slope_of)
SLOPE(gelu_slope, gelu_slope_of)
SLOPE(gelu_tanh_slope, gelu_tanh_slope_of)

#define TWO(name, V_OF, op) \
    static void name(const float *a, const float *b, float *y, size_t n) \
    { \
        size_t i = 0; \
        for (; i + VL <= n; i += VL) V_ST(y + i, V_OF(V_LD(a + i), V_LD(b + i))); \
        for (; i < n; i++) y[i] = a[i] op b[i]; \
    }
TWO(add, V_ADD, +)
TWO(sub, V_SUB, -)
TWO(mul, V_MUL, *)
TWO(divide, V_DIV, /)

/* ---- rows: sums in LANES lanes ---- */

/* Do what(i, left) for each vector of a row: `left` of its lanes, from number i on, count. */
#define EVERY(n, what) \
    do { \
        size_t i = 0, many = (size_t)(n); \
        for (; i + VL <= many; i += VL) what(i, VL); \
        if (i < many) what(i, many - i); \
    } while (0)

struct lanes { V v[LANES / VL]; };

static inline struct lanes no_lanes(void)
{
    struct lanes l;
    for (int j = 0; j < LANES / VL; j++) l.v[j] = V_SET1(0.0f);
    return l;
}

static double sum_of(struct lanes l)
{
    float f[LANES];
    double d[LANES / 2];
    for (int j = 0; j < LANES / VL; j++) V_ST(f + j * VL, l.v[j]);
    for (int i = 0; i < LANES / 2; i++) d[i] = (double)f[i] + (double)f[LANES / 2 + i];
    for (int i = 0; i < LANES / 4; i++) d[i] += d[LANES / 4 + i]; /* halves: a chain would wait for each addition */
    return (d[0] + d[2]) + (d[1] + d[3]);
}

/* The sum over i < n of term(i), a vector of the VL numbers from i on; `left` of them count (VL or fewer). */
#define SUM(sum, n, term) \
    for (size_t first = 0; first < (size_t)(n); first += CHAIN) { \
        size_t end = (size_t)(n) - first < CHAIN ? (size_t)(n) : first + CHAIN; \
        struct lanes l = no_lanes(); \
        for (size_t i = first; i < end; i += LANES) \
            for (int j = 0; j < LANES / VL; j++) { \
                size_t at = i + (size_t)(j * VL); \
                if (at + VL <= end) l.v[j] = V_ADD(l.v[j], term(at, VL)); \
                else if (at < end) l.v[j] = V_ADD(l.v[j], term(at, end - at)); \
            } \
        sum += sum_of(l); \
    }

static inline V some_of(const float *x, size_t at, size_t left, float fill)
{
    return left == VL ? V_LD(x + at) : V_LD_SOME(x + at, left, fill);
}

static inline void store_some(float *y, size_t at, size_t left, V v)
{
    if (left == VL) V_ST(y + at, v);
    else V_ST_SOME(y + at, v, left);
}

static float greatest(const float *x, int n)
{
    V top = V_SET1(-INFINITY);
    float f[VL], most;
    size_t i = 0, many = (size_t)n;
    for (; i + VL <= many; i += VL) top = V_MAX(top, V_LD(x + i));
    if (i < many) top = V_MAX(top, V_LD_SOME(x + i, many - i, -INFINITY));
    V_ST(f, top);
    for (int j = 0; j < VL / 2; j++) f[j] = f[j] > f[VL / 2 + j] ? f[j] : f[VL / 2 + j];
    for (int j = 0; j < VL / 4; j++) f[j] = f[j] > f[VL / 4 + j] ? f[j] : f[VL / 4 + j];
    most = f[0];
    for (int j = 1; j < VL / 4; j++) most = f[j] > most ? f[j] : most;
    return most;
}

static inline V softmax_term(const float *x, float *y, V top, size_t at, size_t left)
{
    V e = exp_below(V_SUB(some_of(x, at, left, -INFINITY), top));
    store_some(y, at, left, e);
    return e;
}

/* Some terms of a row before they are added: their steps alternate. */
#define TERMS (4 * LANES / VL)

static double softmax_terms(const float *x, float *y, float greatest, int n)
{
    V top = V_SET1(greatest);
    double sum = 0;
    size_t many = (size_t)n, end;
    for (size_t first = 0; first < many; first = end) {
        struct lanes l = no_lanes();
        size_t i = first;
        end = many - first < CHAIN ? many : first + CHAIN;
        for (; i + 4 * LANES <= end; i += 4 * LANES) {
            V e[TERMS];
            for (int j = 0; j < TERMS; j++) e[j] = exp_below(V_SUB(V_LD(x + i + (size_t)(j * VL)), top));
            for (int j = 0; j < TERMS; j++) V_ST(y + i + (size_t)(j * VL), e[j]);
            for (int j = 0; j < TERMS; j++) l.v[j % (LANES / VL)] = V_ADD(l.v[j % (LANES / VL)], e[j]);
        }
        for (int j = 0; i < end; i += VL, j = (j + 1) % (LANES / VL))
            l.v[j] = V_ADD(l.v[j], softmax_term(x, y, top, i, end - i < VL ? end - i : VL));
        sum += sum_of(l);
    }
    return sum;
}

static void scale_row(float *y, float factor, int n)
{
    V by = V_SET1(factor);
#define SCALE(i, left) store_some(y, i, left, V_MUL(some_of(y, i, left, 0.0f), by))
    EVERY(n, SCALE);
#undef SCALE
}

#define ROWS 4 /* whose steps alternate: a row's own wait for each other */

static void softmax(const float *x, size_t xstep, float *y, size_t ystep, size_t rows, int n)
{
    for (size_t r = 0, m; r < rows; r += m, x += m * xstep, y += m * ystep) {
        float top[ROWS];
        double sum[ROWS];
        m = rows - r < ROWS ? rows - r : ROWS;
        for (size_t i = 0; i < m; i++) top[i] = greatest(x + i * xstep, n);
        for (size_t i = 0; i < m; i++) sum[i] = softmax_terms(x + i * xstep, y + i * ystep, top[i], n);
        for (size_t i = 0; i < m; i++) scale_row(y + i * ystep, (float)(1.0 / sum[i]), n);
    }
}

/* exp(-|difference|) = e: e / (1 + e) and 1 / (1 + e). */
static void softmax2(const float *x, size_t xstep, float *y, size_t ystep, size_t n)
{
    for (size_t i = 0; i < n; i += VL) {
        int left = n - i < VL ? (int)(n - i) : VL;
        float a[VL] = {0}, b[VL] = {0};
        for (int j = 0; j < left; j++) a[j] = x[(i + (size_t)j) * xstep], b[j] = x[(i + (size_t)j) * xstep + 1];
        V d = V_SUB(V_LD(a), V_LD(b)), e = exp_below(V_SUB(V_SET1(0.0f), V_ABS(d)));
        V big = V_DIV(V_SET1(1.0f), V_ADD(V_SET1(1.0f), e)), small = V_MUL(e, big);
        V_ST(a, V_LESS(d, V_SET1(0.0f), small, big));
        V_ST(b, V_LESS(d, V_SET1(0.0f), big, small));
        for (int j = 0; j < left; j++) y[(i + (size_t)j) * ystep] = a[j], y[(i + (size_t)j) * ystep + 1] = b[j];
    }
}

static void softmax_back(const float *y, const float *dy, float *g, int n)
{
    double sum = 0;
#define TERM(at, left) V_MUL(some_of(y, at, left, 0.0f), some_of(dy, at, left, 0.0f))
    SUM(sum, n, TERM)
#undef TERM
    V dot = V_SET1((float)sum);
#define D(i, left) V_SUB(some_of(dy, i, left, 0.0f), dot)
#define ADD_TO(i, left) \
    store_some(g, i, left, V_FMA(some_of(y, i, left, 0.0f), D(i, left), some_of(g, i, left, 0.0f)))
    EVERY(n, ADD_TO);
#undef ADD_TO
#undef D
}

/* Mean (in two parts) and 1 / deviation of a row. Sums are of differences from the first number: a mean far from 0
 * costs no digits. */
struct moments { V mean, rest, scale; };

static inline V centred(const struct moments *m, V x)
{
    return V_SUB(V_SUB(x, m->mean), m->rest);
}

static inline V square(V v)
{
    return V_MUL(v, v);
}

static double mean_of(const float *x, int n)
{
    double sum = 0;
    V start = V_SET1(x[0]);
#define TERM(at, left) V_SUB(some_of(x, at, left, x[0]), start)
    SUM(sum, n, TERM)
#undef TERM
    return (double)x[0] + sum / n;
}

static struct moments moments_at(const struct xfv_norm *n, const float *x, double mean)
{
    double squares = 0;
    struct moments m = {V_SET1((float)mean), V_SET1((float)(mean - (double)(float)mean)), V_SET1(0.0f)};
#define TERM(at, left) square(centred(&m, some_of(x, at, left, (float)mean)))
    SUM(squares, n->n, TERM)
#undef TERM
    m.scale = V_SET1((float)(1.0 / sqrt(squares / n->n + (double)n->eps)));
    return m;
}

static void norm_row(const struct xfv_norm *n, struct moments m, const float *x, float *y)
{
#define H(i, left) V_MUL(centred(&m, some_of(x, i, left, 0.0f)), m.scale)
#define SET(i, left) \
    store_some(y, i, left, V_FMA(H(i, left), some_of(n->w, i, left, 0.0f), some_of(n->b, i, left, 0.0f)))
    EVERY(n->n, SET);
#undef SET
#undef H
}

static void norm(const struct xfv_norm *n, const float *x, size_t xstep, float *y, size_t ystep, size_t rows)
{
    for (size_t r = 0, m; r < rows; r += m, x += m * xstep, y += m * ystep) {
        double mean[ROWS];
        struct moments at[ROWS];
        m = rows - r < ROWS ? rows - r : ROWS;
        for (size_t i = 0; i < m; i++) mean[i] = mean_of(x + i * xstep, n->n);
        for (size_t i = 0; i < m; i++) at[i] = moments_at(n, x + i * xstep, mean[i]);
        for (size_t i = 0; i < m; i++) norm_row(n, at[i], x + i * xstep, y + i * ystep);
    }
}

/* h = (x - mean) scale, e = dy w: g += scale (e - mean(e) - h mean(e h)) */
static void norm_back(const struct xfv_norm *n, const float *x, const float *dy, float *g)
{
    struct moments m = moments_at(n, x, mean_of(x, n->n));
    double sum = 0, along = 0;
#define E(at, left) V_MUL(some_of(dy, at, left, 0.0f), some_of(n->w, at, left, 0.0f))
#define H(at, left) V_MUL(centred(&m, some_of(x, at, left, 0.0f)), m.scale)
#define TERM(at, left) V_MUL(E(at, left), H(at, left))
    SUM(sum, n->n, E)
    SUM(along, n->n, TERM)
    V mean = V_SET1((float)(sum / n->n)), slope = V_SET1((float)(along / n->n));
#define D(i, left) V_FNMA(H(i, left), slope, V_SUB(E(i, left), mean))
#define ADD_TO(i, left) store_some(g, i, left, V_FMA(m.scale, D(i, left), some_of(g, i, left, 0.0f)))
    EVERY(n->n, ADD_TO);
#undef ADD_TO
#undef D
#undef TERM
#undef H
#undef E
}

static inline __attribute__((always_inline)) void max_windows(const struct xfv_max_row *m, int h, int w, float *y)
{
    for (int i = 0; i < m->count; i++)
        for (int c = 0; c < m->channels; c += VL) {
            const float *x = m->x + (size_t)i * m->step + c;
            V most = V_SET1(-INFINITY);
            for (int r = 0; r < h; r++)
                for (int k = 0; k < w; k++) most = V_MAX(V_LD(x + (size_t)r * m->row + (size_t)k * m->pitch), most);
            V_ST(y + (size_t)i * m->ystep + c, most);
        }
}

/* The common windows in loops of known length. */
static void max_row(const struct xfv_max_row *m, float *y)
{
    if (m->h == 2 && m->w == 2) max_windows(m, 2, 2, y);
    else if (m->h == 3 && m->w == 3) max_windows(m, 3, 3, y);
    else max_windows(m, m->h, m->w, y);
}

#define SUM_ROWS 32 /* rows whose sum is one chain */

static void sum_block(const float *x, size_t step, size_t rows, float *y, size_t left)
{
    V total = V_SET1(0.0f);
    for (size_t r = 0; r < rows; r += SUM_ROWS) {
        V sum = V_SET1(0.0f);
        for (size_t k = r; k < rows && k < r + SUM_ROWS; k++) sum = V_ADD(sum, some_of(x, k * step, left, 0.0f));
        total = V_ADD(total, sum);
    }
    store_some(y, 0, left, total);
}

/* Four vectors of columns at a time: whole stretches of memory. */
static void sum_rows(const float *x, size_t step, size_t rows, float *y, int n)
{
    size_t c = 0, many = (size_t)n;
    for (; c + 4 * VL <= many; c += 4 * VL) {
        V total[4];
        for (int j = 0; j < 4; j++) total[j] = V_SET1(0.0f);
        for (size_t r = 0; r < rows; r += SUM_ROWS) {
            V sum[4];
            for (int j = 0; j < 4; j++) sum[j] = V_SET1(0.0f);
            for (size_t k = r; k < rows && k < r + SUM_ROWS; k++)
                for (int j = 0; j < 4; j++) sum[j] = V_ADD(sum[j], V_LD(x + k * step + c + (size_t)(j * VL)));
            for (int j = 0; j < 4; j++) total[j] = V_ADD(total[j], sum[j]);
        }
        for (int j = 0; j < 4; j++) V_ST(y + c + (size_t)(j * VL), total[j]);
    }
    for (; c < many; c += VL) sum_block(x + c, step, rows, y + c, many - c < VL ? many - c : VL);
}

const struct xfv_func FUNC = {.exp = each_exp,
                              .sigmoid = each_sigmoid,
                              .silu = each_silu,
                              .tanh = each_tanh,
                              .erf = each_erf,
                              .gelu = each_gelu,
                              .gelu_tanh = each_gelu_tanh,
                              .sqrt = each_sqrt,
                              .power34 = each_power34,
                              .clip = clip,
                              .hardsigmoid = hardsigmoid,
                              .hardswish = hardswish,
                              .silu_slope = silu_slope,
                              .gelu_slope = gelu_slope,
                              .gelu_tanh_slope = gelu_tanh_slope,
                              .add = add,
                              .sub = sub,
                              .mul = mul,
                              .divide = divide,
                              .softmax = softmax,
                              .softmax2 = softmax2,
                              .softmax_back = softmax_back,
                              .norm = norm,
                              .norm_back = norm_back,
                              .max_row = max_row,
                              .sum_rows = sum_rows};
