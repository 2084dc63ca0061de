/* A tile of up to 6 pixels by 4 vectors, included by net/run/kern_body.h where there are 32 registers. Each accumulator
 * has its name and the sum is unrolled by hand, so that 24 multiply-adds cost 4 loads of weights, 6 of pixels and
 * nothing else: compilers move an array's elements about. */

#define WIDE_ROWS(DO) DO(0, x, 0) DO(1, x, 1) DO(2, x, 2) DO(3, x3, 0) DO(4, x3, 1) DO(5, x3, 2)

#define WIDE_ROW(i, from, at) V r##i##0 = V_ZERO(), r##i##1 = V_ZERO(), r##i##2 = V_ZERO(), r##i##3 = V_ZERO();

/* Four results of row i: op(variable, place among all). */
#define WIDE_EACH(i, op) \
    if (m > i) { \
        op(r##i##0, 4 * i) op(r##i##1, 4 * i + 1) op(r##i##2, 4 * i + 2) op(r##i##3, 4 * i + 3) \
    }

#define WIDE_MULTIPLY(i, from, at) \
    if (m > i) { \
        V a = V_SET1((from)[(size_t)at * ld + (size_t)step]); \
        r##i##0 = V_FMA(a, b0, r##i##0); \
        r##i##1 = V_FMA(a, b1, r##i##1); \
        r##i##2 = V_FMA(a, b2, r##i##2); \
        r##i##3 = V_FMA(a, b3, r##i##3); \
    }

#define WIDE_STEP(by) \
    { \
        enum { step = by }; \
        const float *u = w + 4 * VL * by; \
        V b0 = V_LD(u), b1 = V_LD(u + VL), b2 = V_LD(u + 2 * VL), b3 = V_LD(u + 3 * VL); \
        if (ahead) __builtin_prefetch(u + ahead, 0, 2), __builtin_prefetch(u + ahead + VL, 0, 2); \
        WIDE_ROWS(WIDE_MULTIPLY) \
    }

#define WIDE_RUN(count) \
    { \
        int left = count; \
        for (; left >= 4; left -= 4, x += 4, x3 += 4, w += 16 * VL) { \
            WIDE_STEP(0) WIDE_STEP(1) WIDE_STEP(2) WIDE_STEP(3) \
        } \
        for (; left > 0; left--, x++, x3++, w += 4 * VL) WIDE_STEP(0) \
    }

#define WIDE_BEGIN(v, q) V_ST(sum + (q) * VL, V_ZERO());
#define WIDE_TAKE(v, q) V_ST(sum + (q) * VL, V_ADD(V_LD(sum + (q) * VL), v)); v = V_ZERO();
#define WIDE_CLOSE(v, q) v = V_ADD(V_LD(sum + (q) * VL), v);
#define WIDE_KEEP(v, q) V_ST(sum + (q) * VL, v);
#define WIDE_STORE(v, q) \
    store_parts(&g->e, parts, v, g->y, p0 + (q) / 4, c0 + (q) % 4 * VL, \
                (p0 + (q) / 4) * g->ldy + (size_t)(c0 + (q) % 4 * VL));
#define WIDE_ALL(op) \
    WIDE_EACH(0, op) WIDE_EACH(1, op) WIDE_EACH(2, op) WIDE_EACH(3, op) WIDE_EACH(4, op) WIDE_EACH(5, op)
#define WIDE_STORES(which) case which: { enum { parts = which }; WIDE_ALL(WIDE_STORE) return; }

/* Any epilogue: sum [m][4][VL]. */
static __attribute__((noinline)) void wide_store(const struct xfv_gemm *g, const float *sum, size_t p0, int m, int c0)
{
    int parts = parts_of(&g->e);
    for (int q = 0; q < 4 * m; q++) {
        size_t p = p0 + (size_t)(q / 4);
        int c = c0 + q % 4 * VL;
        store_parts(&g->e, parts, V_LD(sum + q * VL), g->y, p, c, p * g->ldy + (size_t)c);
    }
}

/* ahead: how many floats further on weights are fetched that the next panel will need, two vectors a step; 0: none. */
static inline __attribute__((always_inline)) void wide_tile(const struct xfv_gemm *g, const float *w, size_t p0, int m,
                                                            int c0, int blocks, size_t ahead)
{
    float sum[24 * VL]; /* of finished chains: in memory, the registers are taken */
    size_t ld = g->ldx;
    WIDE_ROWS(WIDE_ROW)
    if (blocks) { WIDE_ALL(WIDE_BEGIN) }
    for (int t = 0; t < g->taps; t++) {
        const float *x = g->x + p0 * ld + (g->tap ? g->tap[t] : 0), *x3 = x + 3 * ld;
        if (!blocks) WIDE_RUN(g->k)
        for (int k = 0; blocks && k < g->k; k += g->block) {
            if (t || k) { WIDE_ALL(WIDE_TAKE) }
            WIDE_RUN(g->k - k < g->block ? g->k - k : g->block)
        }
    }
    if (blocks) { WIDE_ALL(WIDE_CLOSE) }
    switch (blocks ? -1 : parts_of(&g->e)) { /* the common ones straight from the registers */
        WIDE_STORES(0) WIDE_STORES(ADD) WIDE_STORES(BIAS | SLOPE) WIDE_STORES(SLOPE | MASK)
    default: break;
    }
    WIDE_ALL(WIDE_KEEP)
    wide_store(g, sum, p0, m, c0);
}
