/* The kernels, written once; see net/run/kern_internal.h. The including file defines for its instruction set:
 *   VL lanes; V the vector type; V_LD V_ST V_SET1 V_ZERO V_ADD V_MUL; V_FMA(a,b,c) = a*b+c
 *   V_SIGN(v, p) store the bits v > 0 at p; V_PRELU(v, s); V_MASK(v, p, s) = bit of p ? v : s*v
 *   NV vectors of a whole panel; MR(nv) pixels of a tile that is nv vectors wide: MR(nv) x nv accumulators fit the
 *   registers; KERN the table's name, KERN_NAME its text.
 */

/* Which parts of an epilogue there are: a constant after inlining, so that a store has no branches. */
enum { BIAS = 1, ADD = 2, SLOPE = 4, MASK = 8, SIGN = 16 };

static inline int parts_of(const struct xfv_epilogue *e)
{
    return (e->bias ? BIAS : 0) | (e->add ? ADD : 0) |
           (e->slope ? SLOPE | (e->mask ? MASK : 0) | (e->sign ? SIGN : 0) : 0);
}

/* y <- epilogue(v) for one vector of channels c.. at one pixel. */
static inline __attribute__((always_inline)) void store_parts(const struct xfv_epilogue *e, int parts, V v, float *y,
                                                              size_t pixel, int c, size_t offset)
{
    if (parts & BIAS) v = V_ADD(v, V_LD(e->bias + c));
    if (parts & ADD) v = V_ADD(v, V_LD(e->add + offset));
    if (parts & SLOPE) {
        V s = V_LD(e->slope + c);
        if (parts & SIGN) V_SIGN(v, e->sign + pixel * e->bits + (size_t)c / 8);
        v = parts & MASK ? V_MASK(v, e->mask + pixel * e->bits + (size_t)c / 8, s) : V_PRELU(v, s);
    }
    V_ST(y + offset, v);
}

static inline __attribute__((always_inline)) void store_vec(const struct xfv_epilogue *e, V v, float *y, size_t pixel,
                                                            int c, size_t offset)
{
    store_parts(e, parts_of(e), v, y, pixel, c, offset);
}

#if NV == 4
#include "net/run/kern_wide.h"
#endif

#define HIGH 14 /* rows of a tile, at most */

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
    for (int i = 0; i < m && blocks; i++)
        for (int j = 0; j < nv; j++) acc[i][j] = V_ADD(V_LD(sum + (i * nv + j) * VL), acc[i][j]);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < nv; j++) {
            size_t p = p0 + (size_t)i;
            int c = c0 + j * VL;
            store_vec(&g->e, acc[i][j], g->y, p, c, p * g->ldy + (size_t)c);
        }
}

/* The pixels in tiles of nearly equal size: a last tile of one or two pixels would leave the multipliers idle. */
#if NV == 4
#define TILE(M) case M: if (nv == NV && M <= MR(NV)) wide_tile(g, w, p, M, c, blocks); \
                        else if (nv < NV && M <= MR(nv)) tile(g, w, p, M, c, nv, blocks); \
                        break;
#else
#define TILE(M) case M: if (M <= MR(nv)) tile(g, w, p, M, c, nv, blocks); break;
#endif
static inline __attribute__((always_inline)) void panel(const struct xfv_gemm *g, const float *w, int pixels, int c,
                                                        int nv, int blocks)
{
    int tiles = (pixels + MR(nv) - 1) / MR(nv);
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

/* Output columns x0..x1-1 of a depthwise row, any geometry: for kernels other than 3x3, and where a row's ends lack
 * inputs. */
static void dw_outside(const struct xfv_dwrow *d, int x0, int x1)
{
    size_t ch = (size_t)d->channels;
    for (int x = x0; x < x1; x++) {
        int start = x * d->stride - d->left, lo = start < 0 ? -start : 0,
            hi = d->win - start < d->kw ? d->win - start : d->kw;
        for (int c = 0; c < d->channels; c += VL) {
            V acc = V_ZERO();
            for (int i = 0; i < d->kh; i++)
                for (int j = lo; j < hi; j++)
                    acc = V_FMA(V_LD(d->rows[i] + (size_t)(start + j) * ch + c),
                                V_LD(d->w + (size_t)(i * d->kw + j) * ch + c), acc);
            store_vec(&d->e, acc, d->y, (size_t)x, c, (size_t)x * ch + (size_t)c);
        }
    }
}

/* m neighbouring columns x.. (a constant after inlining) of a 3x3 depthwise row whose inputs all exist: each weight is
 * loaded once for all. */
static inline __attribute__((always_inline)) void dw3_columns(const struct xfv_dwrow *d, int x, int m, int c,
                                                              int stride)
{
    size_t ch = (size_t)d->channels, at = (size_t)(x * stride - d->left) * ch + (size_t)c;
    V acc[4];
    for (int q = 0; q < m; q++) acc[q] = V_ZERO();
    for (int i = 0; i < 3; i++) {
        const float *r = d->rows[i] + at, *w = d->w + (size_t)(3 * i) * ch + c;
        V w0 = V_LD(w), w1 = V_LD(w + ch), w2 = V_LD(w + 2 * ch);
        for (int q = 0; q < m; q++, r += (size_t)stride * ch) {
            acc[q] = V_FMA(V_LD(r), w0, acc[q]);
            acc[q] = V_FMA(V_LD(r + ch), w1, acc[q]);
            acc[q] = V_FMA(V_LD(r + 2 * ch), w2, acc[q]);
        }
    }
    for (int q = 0; q < m; q++) store_vec(&d->e, acc[q], d->y, (size_t)(x + q), c, (size_t)(x + q) * ch + (size_t)c);
}

/* Columns outside, channels inside: what a few columns read is contiguous and stays in the first cache. */
static inline __attribute__((always_inline)) void dw3_inside(const struct xfv_dwrow *d, int x0, int x1, int stride)
{
    int x = x0;
    for (; x + 4 <= x1; x += 4)
        for (int c = 0; c < d->channels; c += VL) dw3_columns(d, x, 4, c, stride);
    for (; x < x1; x++)
        for (int c = 0; c < d->channels; c += VL) dw3_columns(d, x, 1, c, stride);
}

static void dwrow(const struct xfv_dwrow *d)
{
    int first = 0, last = 0; /* columns first..last-1 read nothing outside the row */
    if (d->kh == 3 && d->kw == 3) {
        first = d->left > 0 ? (d->left + d->stride - 1) / d->stride : 0;
        last = d->win + d->left >= 3 ? (d->win + d->left - 3) / d->stride + 1 : 0;
        if (last > d->wout) last = d->wout;
        if (last < first) last = first = 0;
    }
    dw_outside(d, 0, first);
    if (d->stride == 1) dw3_inside(d, first, last, 1);
    else dw3_inside(d, first, last, d->stride);
    dw_outside(d, last, d->wout);
}

/* One column of the transposed, stride 2 row. */
static inline __attribute__((always_inline)) V back2_point(const struct xfv_dwrow *d, int x, int c)
{
    size_t ch = (size_t)d->channels;
    V acc = V_ZERO();
    for (int i = 0; i < d->kh; i++) {
        if (!d->rows[i]) continue;
        for (int j = (x + d->left) & 1; j < d->kw; j += 2) {
            int at = x + d->left - j;
            if (at < 0 || at / 2 >= d->win) continue;
            acc = V_FMA(V_LD(d->rows[i] + (size_t)(at / 2) * ch + c), V_LD(d->w + (size_t)(i * d->kw + j) * ch + c),
                        acc);
        }
    }
    return acc;
}

/* Two columns of it, 3x3: the even one (x + left even) meets gradient columns g and g-1, the odd one after it g. */
static inline __attribute__((always_inline)) void back2_pair(const struct xfv_dwrow *d, int x, size_t g, int c)
{
    size_t ch = (size_t)d->channels;
    V even = V_ZERO(), odd = V_ZERO();
    for (int i = 0; i < 3; i++) {
        if (!d->rows[i]) continue;
        const float *r = d->rows[i] + g * ch + c, *w = d->w + (size_t)(3 * i) * ch + c;
        V here = V_LD(r);
        even = V_FMA(here, V_LD(w), even);
        even = V_FMA(V_LD(r - ch), V_LD(w + 2 * ch), even);
        odd = V_FMA(here, V_LD(w + ch), odd);
    }
    store_vec(&d->e, even, d->y, (size_t)x, c, (size_t)x * ch + (size_t)c);
    store_vec(&d->e, odd, d->y, (size_t)x + 1, c, ((size_t)x + 1) * ch + (size_t)c);
}

static void dwrow_back2(const struct xfv_dwrow *d)
{
    int x = 0, ch = d->channels;
    while (x < d->wout) {
        int g = (x + d->left) / 2;
        if (d->kh == 3 && d->kw == 3 && !((x + d->left) & 1) && g >= 1 && g < d->win && x + 2 <= d->wout) {
            for (int c = 0; c < ch; c += VL) back2_pair(d, x, (size_t)g, c);
            x += 2;
            continue;
        }
        for (int c = 0; c < ch; c += VL)
            store_vec(&d->e, back2_point(d, x, c), d->y, (size_t)x, c, (size_t)x * (size_t)ch + (size_t)c);
        x++;
    }
}

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

const struct xfv_kernels KERN = {KERN_NAME, NV * VL, gemm,    dwrow,    dwrow_back2, mask,
                                 add,       affine, wino_in, wino_out, wino_u};
