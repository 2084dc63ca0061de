/* The kernels, written once; see net/run/kern_internal.h. The including file defines for its instruction set:
 *   VL lanes; V the vector type; V_LD V_ST V_SET1 V_ZERO V_ADD V_MUL; V_FMA(a,b,c) = a*b+c
 *   V_SIGN(v, p) store the bits v > 0 at p; V_PRELU(v, s); V_MASK(v, p, s) = bit of p ? v : s*v
 *   NV vectors of a whole panel; MR(nv) pixels of a tile that is nv vectors wide: MR(nv) x nv accumulators fit the
 *   registers; KERN the table's name, KERN_NAME its text.
 */

#include "net/run/kern_store.h"

/* y <- epilogue(v), whatever its parts. */
static inline __attribute__((always_inline)) void store_vec(const struct xfv_epilogue *e, V v, float *y, size_t pixel,
                                                            int c, size_t offset)
{
    store_parts(e, parts_of(e), v, y, pixel, c, offset);
}

#if NV == 4
#include "net/run/kern_wide.h"
#endif

#if NV != 4
#define HIGH 14 /* rows of a tile, at most */

/* A tile's sums [m][nv][VL], through the epilogue: once for all tiles, whose code is long enough. */
static __attribute__((noinline)) void tile_store(const struct xfv_gemm *g, const float *sum, size_t p0, int m, int c0,
                                                 int nv)
{
    int parts = parts_of(&g->e);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < nv; j++, sum += VL) {
            size_t p = p0 + (size_t)i;
            int c = c0 + j * VL;
            store_parts(&g->e, parts, V_LD(sum), g->y, p, c, p * g->ldy + (size_t)c);
        }
}

/* A tile of m pixels by nv vectors, in blocks or not (constants after inlining). */
static inline __attribute__((always_inline)) void tile(const struct xfv_gemm *g, const float *w, size_t p0, int m,
                                                       int c0, int nv, int blocks)
{
    V acc[HIGH][3];
    float sum[HIGH * 3 * VL]; /* of finished chains: in memory, the registers are taken */
    int block = blocks ? g->block : g->k;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < nv; j++) acc[i][j] = V_ZERO();
    for (int j = 0; j < m * nv && blocks; j++) V_ST(sum + j * VL, V_ZERO());
    for (int t = 0; t < g->taps; t++) {
        const float *x = g->x + p0 * g->ldx + (g->tap ? g->tap[t] : 0);
        for (int k = 0; k < g->k;) {
            for (int i = 0; i < m && blocks && (t || k); i++)
                for (int j = 0; j < nv; j++) {
                    float *s = sum + (i * nv + j) * VL;
                    V_ST(s, V_ADD(V_LD(s), acc[i][j]));
                    acc[i][j] = V_ZERO();
                }
            for (int end = g->k - k < block ? g->k : k + block; k < end; k++) {
                V b[3];
                for (int j = 0; j < nv; j++) b[j] = V_LD(w + j * VL);
                w += nv * VL;
                for (int i = 0; i < m; i++) {
                    V a = V_SET1(x[(size_t)i * g->ldx + (size_t)k]);
                    for (int j = 0; j < nv; j++) acc[i][j] = V_FMA(a, b[j], acc[i][j]);
                }
            }
        }
    }
    for (int i = 0; i < m; i++)
        for (int j = 0; j < nv; j++) {
            float *s = sum + (i * nv + j) * VL;
            V_ST(s, blocks ? V_ADD(V_LD(s), acc[i][j]) : acc[i][j]);
        }
    tile_store(g, sum, p0, m, c0, nv);
}
#endif

/* The pixels in tiles of nearly equal size: a last tile of one or two pixels would leave the multipliers idle. */
#define TILES(pixels, nv) (((pixels) + MR(nv) - 1) / MR(nv))
#if NV == 4
#define TILE(M) \
    case M: \
        if (is_long && ahead) ahead_##M(g, w, p, c, ahead, more); \
        else if (is_long) long_##M(g, w, p, c); \
        else if (ahead && !blocks) wide_tile(g, w, p, M, c, NV, blocks, ahead, VL); \
        else wide_tile(g, w, p, M, c, NV, blocks, 0, 0); \
        break;
/* The first tile waits for its weights, the next ones fetch those of the panel to come. Where tiles are many they take
 * so long that memory keeps up, but for long sums. is_long and blocks are constants after inlining. */
static inline __attribute__((always_inline)) void whole_panel(const struct xfv_gemm *g, const float *w, int pixels,
                                                              int c, int blocks, int is_long)
{
    int tiles = TILES(pixels, NV), few = tiles <= 12, fetching = few ? 2 : is_long ? 4 : 0;
    size_t p = 0, all = (size_t)g->taps * (size_t)g->k * 4 * VL, more = few ? VL : 0;
    for (int t = 0; t < tiles; t++) {
        size_t ahead = t < 1 || t > fetching ? 0 : all + (size_t)(t - 1) * (VL + more);
        int m = pixels / tiles + (t < pixels % tiles);
        switch (m) {
            TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
        default: break;
        }
        p += (size_t)m;
    }
}
#undef TILE

static __attribute__((noinline)) void long_panel(const struct xfv_gemm *g, const float *w, int pixels, int c)
{
    whole_panel(g, w, pixels, c, 0, 1);
}

static inline __attribute__((always_inline)) void panel(const struct xfv_gemm *g, const float *w, int pixels, int c,
                                                        int nv, int blocks)
{
    int tiles = TILES(pixels, nv), m;
    if (nv == NV && !blocks && g->taps * g->k >= LONG) long_panel(g, w, pixels, c);
    else if (nv == NV) whole_panel(g, w, pixels, c, blocks, 0);
    else for (int t = 0, p = 0; t < tiles; t++, p += m) {
        m = pixels / tiles + (t < pixels % tiles);
        narrow[nv - 1][m - 1](g, w, (size_t)p, c);
    }
}
#else
#define TILE(M) case M: if (M <= MR(nv)) tile(g, w, p, M, c, nv, blocks); break;
static inline __attribute__((always_inline)) void panel(const struct xfv_gemm *g, const float *w, int pixels, int c,
                                                        int nv, int blocks)
{
    int tiles = TILES(pixels, nv);
    size_t p = 0;
    for (int t = 0; t < tiles; t++) {
        int m = pixels / tiles + (t < pixels % tiles);
        switch (m) {
            TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13)
            TILE(14)
        default: break;
        }
        p += (size_t)m;
    }
}
#undef TILE
#endif

static inline __attribute__((always_inline)) void panels(const struct xfv_gemm *g, int pixels, int blocks)
{
    const float *w = g->w;
    size_t rows = (size_t)g->taps * (size_t)g->k;
    int c = 0;
    for (; c + NV * VL <= g->n; c += NV * VL, w += rows * NV * VL) panel(g, w, pixels, c, NV, blocks);
    switch ((g->n - c) / VL) {
#if NV > 2
    case 3: panel(g, w, pixels, c, 3, blocks); break;
    case 2: panel(g, w, pixels, c, 2, blocks); break;
#endif
    case 1: panel(g, w, pixels, c, 1, blocks); break;
    default: break;
    }
}

static void gemm(const struct xfv_gemm *g, int pixels)
{
    if (g->block) panels(g, pixels, 1);
    else panels(g, pixels, 0);
}

#include "net/run/kern_depthwise.h"

static void mask(float *v, const uint8_t *bits, const float *slope, size_t pixels, int channels)
{
    size_t ch = (size_t)channels;
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < ch; c += VL) {
            float *at = v + p * ch + c;
            V_ST(at, V_MASK(V_LD(at), bits + p * ch / 8 + c / 8, V_LD(slope + c)));
        }
}

static void add(float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) a[i] += b[i];
}

static void affine(float *y, const float *x, const float *scale, const float *shift, size_t pixels, int channels,
                   int acc)
{
    size_t ch = (size_t)channels;
    for (size_t p = 0; p < pixels; p++, x += ch, y += ch)
        for (size_t c = 0; c < ch; c += VL) {
            V v = V_MUL(V_LD(x + c), V_LD(scale + c));
            if (shift) v = V_ADD(v, V_LD(shift + c));
            V_ST(y + c, acc ? V_ADD(V_LD(y + c), v) : v);
        }
}

#include "net/run/kern_wino.h"

const struct xfv_kernels KERN = {KERN_NAME, KERN_NAME, NV * VL, gemm,    dwrow,    dwrow_back2, mask,
                                 add,       affine,    wino_in, wino_out, wino_u, 0,      NULL};
