/* Functions of vectors and of rows of numbers, in three builds (plain C, AVX2+FMA, AVX-512) of one source,
 * net/run/func_body.h: what attention, gates and activations need beside products. exp, tanh, erf and the Gaussian's
 * distribution are polynomials, right to a few units in the last place (tests/unit/func.c); results below 5e-38 are 0
 * or as small.
 * Sums go in 16 lanes whatever the build, so AVX2 and AVX-512 give the same bits. NaN goes through. Arrays need no
 * alignment. In and out may be the same where that is said. */
#ifndef XFV_NET_RUN_FUNC_INTERNAL_H
#define XFV_NET_RUN_FUNC_INTERNAL_H

#include <stddef.h>

struct xfv_norm { const float *w, *b; float eps; int n; }; /* layer normalisation over n numbers; w, b [n] */

struct xfv_max_row { const float *x; size_t row, step, pitch, ystep; int h, w, count, channels; }; /* channels: of 16 */

struct xfv_func {
    /* y[i] = f(x[i]); y may be x */
    void (*exp)(const float *x, float *y, size_t n);
    void (*sigmoid)(const float *x, float *y, size_t n);
    void (*silu)(const float *x, float *y, size_t n); /* x sigmoid(x), also called Swish */
    void (*tanh)(const float *x, float *y, size_t n);
    void (*erf)(const float *x, float *y, size_t n);
    void (*gelu)(const float *x, float *y, size_t n);      /* x times the Gaussian's distribution */
    void (*gelu_tanh)(const float *x, float *y, size_t n); /* its approximation by tanh */
    void (*sqrt)(const float *x, float *y, size_t n);
    void (*power34)(const float *x, float *y, size_t n);   /* x^(3/4) */
    /* clip(x, p, q), clip(p x + q, 0, 1), x clip(x / p + q, 0, 1) */
    void (*clip)(const float *x, float *y, size_t n, float p, float q);
    void (*hardsigmoid)(const float *x, float *y, size_t n, float p, float q);
    void (*hardswish)(const float *x, float *y, size_t n, float p, float q);
    /* g[i] += dy[i] f'(x[i]) */
    void (*silu_slope)(const float *x, const float *dy, float *g, size_t n);
    void (*gelu_slope)(const float *x, const float *dy, float *g, size_t n);
    void (*gelu_tanh_slope)(const float *x, const float *dy, float *g, size_t n);
    /* y = a + b, a - b, a b, a / b; y may be either */
    void (*add)(const float *a, const float *b, float *y, size_t n);
    void (*sub)(const float *a, const float *b, float *y, size_t n);
    void (*mul)(const float *a, const float *b, float *y, size_t n);
    void (*divide)(const float *a, const float *b, float *y, size_t n);
    /* Rows of a softmax, of n numbers and xstep or ystep floats apart; y may be x. */
    void (*softmax)(const float *x, size_t xstep, float *y, size_t ystep, size_t rows, int n);
    /* Softmax of two: x[i * xstep], x[i * xstep + 1] for i < n, into y likewise. */
    void (*softmax2)(const float *x, size_t xstep, float *y, size_t ystep, size_t n);
    /* A row's gradient: g += y (dy - sum y dy). */
    void (*softmax_back)(const float *y, const float *dy, float *g, int n);
    /* Rows likewise: y = (x - mean) / sqrt(variance + eps) w + b; y may be x. A row's gradient is added to g. */
    void (*norm)(const struct xfv_norm *m, const float *x, size_t xstep, float *y, size_t ystep, size_t rows);
    void (*norm_back)(const struct xfv_norm *m, const float *x, const float *dy, float *g);
    /* A row of max-pooling: y[i * ystep + c] = the greatest of x[i * step + r * row + k * pitch + c], r < h, k < w. */
    void (*max_row)(const struct xfv_max_row *m, float *y);
    /* y[c] = the sum over rows of x[row * step + c] */
    void (*sum_rows)(const float *x, size_t step, size_t rows, float *y, int n);
};

extern const struct xfv_func xfv_func_generic;
#if defined(__x86_64__)
extern const struct xfv_func xfv_func_avx2, xfv_func_avx512;
#endif
/* Those that go with the kernels that were chosen (net/run/kern.c). */
const struct xfv_func *xfv_func(void);

#endif
