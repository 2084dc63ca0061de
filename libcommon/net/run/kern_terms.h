/* Products of single-precision numbers by bfloat16 multiply-adds: each number is the sum of two or three bfloat16 terms
 * (8 significant bits each), and of the products of terms the large ones are summed in single precision: 3 of two terms
 * (relative error of a product about 2^-16), 6 of three (2^-23). What computes them (net/run/kern_amx.c, and in plain C
 * kern_terms.c) splits in the same way. */
#ifndef XFV_NET_RUN_KERN_TERMS_H
#define XFV_NET_RUN_KERN_TERMS_H

#include <string.h>

#include "net/run/kern_internal.h"

/* Sizes of AMX: a tile has 16 rows of 32 bfloat16 numbers. */
#define XFV_TERM_K 32
#define XFV_TERM_N 16
#define XFV_TERM_TILE (XFV_TERM_K * XFV_TERM_N)
#define XFV_TERM_MOST 1024 /* k is a multiple of XFV_TERM_K and at most this */

/* Where in its row of a tile number k of a sum lies: beside the one 16 after or before it, so that whole vectors of
 * numbers become terms. */
static inline size_t xfv_term_at(size_t k)
{
    return k % XFV_TERM_K % 16 * 2 + k % XFV_TERM_K / 16;
}

/* The upper half of x times a number just above 1: rounded, at no cost beyond a multiplication. Numbers of 8
 * significant bits, NaN and infinity remain what they are; what is above 3.39e38 becomes infinity. */
#define XFV_TERM_UP (1 + 0x1.5p-9f)
static inline uint16_t xfv_term_of(float x)
{
    uint32_t u;
    x *= XFV_TERM_UP;
    memcpy(&u, &x, sizeof u);
    return (uint16_t)(u >> 16);
}

static inline float xfv_term_value(uint16_t t)
{
    uint32_t u = (uint32_t)t << 16;
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* x = sum of its terms, to within the last one's rounding. Of what is not finite the sum is not finite either. */
static inline void xfv_split(float x, int terms, uint16_t *t)
{
    for (int i = 0; i < terms; i++, x -= xfv_term_value(t[i - 1])) t[i] = xfv_term_of(x);
}

/* Which terms meet, in the order in which they are summed: small products first. */
struct xfv_term_pair { int x, w; };
static const struct xfv_term_pair xfv_pairs_of_two[3] = {{0, 1}, {0, 0}, {1, 0}};
static const struct xfv_term_pair xfv_pairs_of_three[6] = {{0, 2}, {0, 1}, {1, 1}, {1, 0}, {2, 0}, {0, 0}};

void xfv_gemm_two_terms(const struct xfv_gemm *g, int pixels);
void xfv_gemm_three_terms(const struct xfv_gemm *g, int pixels);
#if defined(__x86_64__)
void xfv_amx_two_terms(const struct xfv_gemm *g, int pixels);
void xfv_amx_three_terms(const struct xfv_gemm *g, int pixels);
#endif

/* w [rows][n], rows a multiple of XFV_TERM_K, as `terms` terms of each: [n/16][rows/32][term][16][16][2], that is
 * rows * pad16(n) * terms numbers. */
void xfv_pack_terms(int terms, const float *w, size_t ldw, size_t rows, int n, uint16_t *out);

#endif
