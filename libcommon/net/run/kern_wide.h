/* A tile of up to 6 pixels by 4 vectors, 8 by 3, or 14 by 2 or 1, included by net/run/kern_body.h where there are 32
 * registers. Each accumulator has its name and the sum is unrolled by hand, so that 24 multiply-adds cost 4 loads of
 * weights, 6 of pixels and nothing else: compilers move an array's elements about. */

#define WIDE_ROWS(DO) \
    DO(0, x, 0) DO(1, x, 1) DO(2, x, 2) DO(3, x3, 0) DO(4, x3, 1) DO(5, x3, 2) DO(6, x6, 0) DO(7, x6, 1) DO(8, x6, 2) \
    DO(9, x9, 0) DO(10, x9, 1) DO(11, x9, 2) DO(12, x12, 0) DO(13, x12, 1)

#define WIDE_ROW(i, from, at) V r##i##0 = V_ZERO(), r##i##1 = V_ZERO(), r##i##2 = V_ZERO(), r##i##3 = V_ZERO();

/* The results of row i: op(variable, row, column). */
#define WIDE_EACH(i, op) \
    if (m > i) { \
        op(r##i##0, i, 0) \
        if (nv > 1) { op(r##i##1, i, 1) } \
        if (nv > 2) { op(r##i##2, i, 2) } \
        if (nv > 3) { op(r##i##3, i, 3) } \
    }

#define WIDE_MULTIPLY(i, from, at) \
    if (m > i) { \
        V a = V_SET1((from)[(size_t)at * ld + (size_t)step]); \
        r##i##0 = V_FMA(a, b0, r##i##0); \
        if (nv > 1) r##i##1 = V_FMA(a, b1, r##i##1); \
        if (nv > 2) r##i##2 = V_FMA(a, b2, r##i##2); \
        if (nv > 3) r##i##3 = V_FMA(a, b3, r##i##3); \
    }

#define WIDE_STEP(by) \
    { \
        enum { step = by }; \
        __asm__("" : "+r"(ld)); /* or compilers make a register of each ld + step */ \
        const float *u = w + nv * VL * by; \
        V b0 = V_LD(u), b1 = nv > 1 ? V_LD(u + VL) : b0, b2 = nv > 2 ? V_LD(u + 2 * VL) : b0, \
          b3 = nv > 3 ? V_LD(u + 3 * VL) : b0; \
        if (ahead) __builtin_prefetch(u + ahead, 0, 2), __builtin_prefetch(u + ahead + more, 0, 2); \
        WIDE_ROWS(WIDE_MULTIPLY) \
    }

#define WIDE_ON(by) x += by, x3 += by, x6 += by, x9 += by, x12 += by, w += by * nv * VL

#define WIDE_RUN(count) \
    { \
        int left = count; \
        for (; left >= 4; left -= 4, WIDE_ON(4)) { \
            WIDE_STEP(0) WIDE_STEP(1) WIDE_STEP(2) WIDE_STEP(3) \
        } \
        for (; left > 0; left--, WIDE_ON(1)) WIDE_STEP(0) \
    }

#define WIDE_AT(i, j) sum + (i * nv + j) * VL
#define WIDE_BEGIN(v, i, j) V_ST(WIDE_AT(i, j), V_ZERO());
#define WIDE_TAKE(v, i, j) V_ST(WIDE_AT(i, j), V_ADD(V_LD(WIDE_AT(i, j)), v)); v = V_ZERO();
#define WIDE_CLOSE(v, i, j) v = V_ADD(V_LD(WIDE_AT(i, j)), v);
#define WIDE_KEEP(v, i, j) V_ST(WIDE_AT(i, j), v);
#define WIDE_STORE(v, i, j) \
    store_parts(&g->e, parts, v, g->y, p0 + i, c0 + j * VL, (p0 + i) * g->ldy + (size_t)(c0 + j * VL));
#define WIDE_ALL(op) \
    WIDE_EACH(0, op) WIDE_EACH(1, op) WIDE_EACH(2, op) WIDE_EACH(3, op) WIDE_EACH(4, op) WIDE_EACH(5, op) \
    WIDE_EACH(6, op) WIDE_EACH(7, op) WIDE_EACH(8, op) WIDE_EACH(9, op) WIDE_EACH(10, op) WIDE_EACH(11, op) \
    WIDE_EACH(12, op) WIDE_EACH(13, op)
#define WIDE_STORES(which) case which: { enum { parts = which }; WIDE_ALL(WIDE_STORE) return; }

/* Any epilogue: sum [m][nv][VL]. */
static __attribute__((noinline)) void wide_store(const struct xfv_gemm *g, const float *sum, size_t p0, int m, int c0,
                                                 int nv)
{
    int parts = parts_of(&g->e);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < nv; j++) {
            size_t p = p0 + (size_t)i;
            int c = c0 + j * VL;
            store_parts(&g->e, parts, V_LD(WIDE_AT(i, j)), g->y, p, c, p * g->ldy + (size_t)c);
        }
}

/* ahead: how many floats further on weights are fetched that the next panel will need, a vector a step and one `more`
 * floats behind it; 0: none. */
static inline __attribute__((always_inline)) void wide_tile(const struct xfv_gemm *g, const float *w, size_t p0, int m,
                                                            int c0, int nv, int blocks, size_t ahead,
                                                            size_t more)
{
    float sum[28 * VL]; /* of finished chains: in memory, the registers are taken */
    size_t ld = g->ldx;
    WIDE_ROWS(WIDE_ROW)
    if (blocks) { WIDE_ALL(WIDE_BEGIN) }
    for (int t = 0; t < g->taps; t++) {
        const float *x = g->x + p0 * ld + (g->tap ? g->tap[t] : 0), *x3 = x + 3 * ld, *x6 = x3 + 3 * ld,
                    *x9 = x6 + 3 * ld, *x12 = x9 + 3 * ld;
        if (!blocks) WIDE_RUN(g->k)
        for (int k = 0; blocks && k < g->k; k += g->block) {
            if (t || k) { WIDE_ALL(WIDE_TAKE) }
            WIDE_RUN(g->k - k < g->block ? g->k - k : g->block)
        }
    }
    if (blocks) { WIDE_ALL(WIDE_CLOSE) }
    switch (blocks ? -1 : parts_of(&g->e)) { /* the common ones straight from the registers */
        WIDE_STORES(0) WIDE_STORES(BIAS) WIDE_STORES(ADD) WIDE_STORES(BIAS | SLOPE) WIDE_STORES(SLOPE | MASK)
    default: break;
    }
    WIDE_ALL(WIDE_KEEP)
    wide_store(g, sum, p0, m, c0, nv);
}

/* The narrower ones in functions of their own, where no register is taken. */
#define NARROW(M, N) \
    static __attribute__((noinline)) void narrow_##M##_##N(const struct xfv_gemm *g, const float *w, size_t p0, int c0) \
    { \
        if (g->block) wide_tile(g, w, p0, M, c0, N, 1, 0, 0); \
        else wide_tile(g, w, p0, M, c0, N, 0, 0, 0); \
    }
#define NARROW_ONE_TO_EIGHT(N) \
    NARROW(1, N) NARROW(2, N) NARROW(3, N) NARROW(4, N) NARROW(5, N) NARROW(6, N) NARROW(7, N) NARROW(8, N)
#define NARROW_TO_FOURTEEN(N) NARROW(9, N) NARROW(10, N) NARROW(11, N) NARROW(12, N) NARROW(13, N) NARROW(14, N)
NARROW_ONE_TO_EIGHT(1) NARROW_TO_FOURTEEN(1)
NARROW_ONE_TO_EIGHT(2) NARROW_TO_FOURTEEN(2)
NARROW_ONE_TO_EIGHT(3)

typedef void narrow_tile(const struct xfv_gemm *g, const float *w, size_t p0, int c0);
static narrow_tile *const narrow[3][14] = {
    {narrow_1_1, narrow_2_1, narrow_3_1, narrow_4_1, narrow_5_1, narrow_6_1, narrow_7_1, narrow_8_1, narrow_9_1,
     narrow_10_1, narrow_11_1, narrow_12_1, narrow_13_1, narrow_14_1},
    {narrow_1_2, narrow_2_2, narrow_3_2, narrow_4_2, narrow_5_2, narrow_6_2, narrow_7_2, narrow_8_2, narrow_9_2,
     narrow_10_2, narrow_11_2, narrow_12_2, narrow_13_2, narrow_14_2},
    {narrow_1_3, narrow_2_3, narrow_3_3, narrow_4_3, narrow_5_3, narrow_6_3, narrow_7_3, narrow_8_3},
};

/* The same for whole panels of long sums, which pay for the call. */
#define LONG 192
#define WHOLE(M) \
    static __attribute__((noinline)) void long_##M(const struct xfv_gemm *g, const float *w, size_t p0, int c0) \
    { \
        wide_tile(g, w, p0, M, c0, 4, 0, 0, 0); \
    } \
    static __attribute__((noinline)) void ahead_##M(const struct xfv_gemm *g, const float *w, size_t p0, int c0, \
                                                    size_t ahead, size_t more) \
    { \
        wide_tile(g, w, p0, M, c0, 4, 0, ahead, more); \
    }
WHOLE(1) WHOLE(2) WHOLE(3) WHOLE(4) WHOLE(5) WHOLE(6)
