/* Weights split into bfloat16 terms, and the products of them in plain C: what AMX computes, for processors without it
 * and for tests. */
#include "net/run/kern_terms.h"

#include <math.h>

void xfv_pack_terms(int terms, const float *w, size_t ldw, size_t rows, int n, uint16_t *out)
{
    size_t blocks = rows / XFV_TERM_K;
    for (int c = 0; c < xfv_pad16(n); c++)
        for (size_t r = 0; r < rows; r++) {
            uint16_t t[3];
            xfv_split(c < n ? w[r * ldw + (size_t)c] : 0.0f, terms, t);
            size_t tile = ((size_t)c / XFV_TERM_N * blocks + r / XFV_TERM_K) * (size_t)terms, at = xfv_term_at(r);
            for (size_t i = 0; i < (size_t)terms; i++) /* two rows side by side, as the multiply-add takes them */
                out[(tile + i) * XFV_TERM_TILE + at / 2 * (2 * XFV_TERM_N) + (size_t)c % XFV_TERM_N * 2 + at % 2] =
                    t[i];
        }
}

/* Subnormal terms count as zero, as in the instruction. */
static float term_normal(uint16_t t)
{
    return t & 0x7f80 ? xfv_term_value(t) : 0.0f;
}

/* 32 multiply-adds of 16 columns as the instruction orders them: two chains, of the even and of the odd ones, and their
 * sum. */
static void multiply(float *restrict sum, const uint16_t *x, const uint16_t *restrict w)
{
    float even[XFV_TERM_N] = {0}, odd[XFV_TERM_N] = {0};
    for (int i = 0; i < XFV_TERM_K / 2; i++, w += 2 * XFV_TERM_N) {
        float a = term_normal(x[2 * i]), b = term_normal(x[2 * i + 1]);
        for (int c = 0; c < XFV_TERM_N; c++) {
            even[c] += a * term_normal(w[2 * c]);
            odd[c] += b * term_normal(w[2 * c + 1]);
        }
    }
    for (int c = 0; c < XFV_TERM_N; c++) sum[c] += even[c] + odd[c];
}

static void row_of_terms(const struct xfv_gemm *g, int terms, const float *x, float *y)
{
    const struct xfv_term_pair *pairs = terms == 2 ? xfv_pairs_of_two : xfv_pairs_of_three;
    const uint16_t *w = (const uint16_t *)(const void *)g->w;
    size_t tile = XFV_TERM_TILE * (size_t)terms, panel = (size_t)g->k / XFV_TERM_K * tile;
    for (int c = 0; c < g->n; c++) y[c] = 0;
    for (int k = 0; k < g->k; k += XFV_TERM_K, w += tile) {
        uint16_t t[3][XFV_TERM_K], one[3];
        for (int i = 0; i < XFV_TERM_K; i++) {
            xfv_split(x[k + i], terms, one);
            for (int q = 0; q < terms; q++) t[q][xfv_term_at((size_t)i)] = one[q];
        }
        for (int c = 0; c < g->n; c += XFV_TERM_N)
            for (int p = 0; p < (terms == 2 ? 3 : 6); p++)
                multiply(y + c, t[pairs[p].x],
                         w + (size_t)(c / XFV_TERM_N) * panel + (size_t)pairs[p].w * XFV_TERM_TILE);
    }
}

static float finish(const struct xfv_epilogue *e, float v, size_t pixel, int c, size_t at)
{
    size_t byte = pixel * e->bits + (size_t)c / 8;
    if (e->bias) v += e->bias[c];
    if (e->add) v += e->add[at];
    if (!e->slope) return v;
    int on = v > 0;
    if (e->sign) e->sign[byte] = (uint8_t)((e->sign[byte] & ~(1 << c % 8)) | on << c % 8);
    if (e->mask) on = e->mask[byte] >> c % 8 & 1;
    return on ? v : v * e->slope[c];
}

static void gemm_of_terms(const struct xfv_gemm *g, int pixels, int terms)
{
    float y[XFV_LANES * 512];
    for (int p = 0; p < pixels; p++) {
        const float *x = g->x + (size_t)p * g->ldx;
        struct xfv_gemm part = *g;
        for (int c0 = 0; c0 < g->n; c0 += XFV_LANES * 512) {
            part.n = g->n - c0 < XFV_LANES * 512 ? g->n - c0 : XFV_LANES * 512;
            part.w = g->w + (size_t)c0 * (size_t)g->k / 2 * (size_t)terms; /* a term is half a float */
            row_of_terms(&part, terms, x, y);
            for (int c = 0; c < part.n; c++) {
                size_t at = (size_t)p * g->ldy + (size_t)(c0 + c);
                g->y[at] = finish(&g->e, y[c], (size_t)p, c0 + c, at);
            }
        }
    }
}

void xfv_gemm_two_terms(const struct xfv_gemm *g, int pixels)
{
    gemm_of_terms(g, pixels, 2);
}

void xfv_gemm_three_terms(const struct xfv_gemm *g, int pixels)
{
    gemm_of_terms(g, pixels, 3);
}
