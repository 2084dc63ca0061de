/* The kernels, written once; see net/kern.h. The including file defines for its instruction set:
 *   VL lanes; V the vector type; V_LD V_ST V_SET1 V_ZERO V_ADD V_MUL; V_FMA(a,b,c) = a*b+c
 *   V_SIGN(v, p) store the bits v > 0 at p; V_PRELU(v, s); V_MASK(v, p, s) = bit of p ? v : s*v
 *   MR pixels of a tile (MR x 2 vectors of accumulators fit the registers); KERN the table's name, KERN_NAME its text. */

/* y <- epilogue(v) for one vector of channels c.. at one pixel. */
static inline __attribute__((always_inline)) void store_vec(const struct xfv_epilogue *e, V v, float *y, size_t pixel, int c, size_t offset)
{
    if (e->bias) v = V_ADD(v, V_LD(e->bias + c));
    if (e->add) v = V_ADD(v, V_LD(e->add + offset));
    if (e->slope) {
        V s = V_LD(e->slope + c);
        if (e->sign) V_SIGN(v, e->sign + pixel * e->bits + (size_t)c / 8);
        v = e->mask ? V_MASK(v, e->mask + pixel * e->bits + (size_t)c / 8, s) : V_PRELU(v, s);
    }
    V_ST(y + offset, v);
}

/* A tile of m pixels (a constant after inlining) by nv vectors. */
static inline __attribute__((always_inline)) void tile(const struct xfv_gemm *g, const float *w, size_t p0, int m, int c0, int nv)
{
    V acc[MR][2];
    for (int i = 0; i < m; i++)
        for (int j = 0; j < nv; j++) acc[i][j] = V_ZERO();
    for (int t = 0; t < g->taps; t++) {
        const float *x = g->x + p0 * g->ldx + (g->tap ? g->tap[t] : 0);
        for (int k = 0; k < g->k; k++) {
            V b[2];
            for (int j = 0; j < nv; j++) b[j] = V_LD(w + j * VL);
            w += nv * VL;
            for (int i = 0; i < m; i++) {
                V a = V_SET1(x[(size_t)i * g->ldx + (size_t)k]);
                for (int j = 0; j < nv; j++) acc[i][j] = V_FMA(a, b[j], acc[i][j]);
            }
        }
    }
    for (int i = 0; i < m; i++)
        for (int j = 0; j < nv; j++) {
            size_t p = p0 + (size_t)i;
            int c = c0 + j * VL;
            store_vec(&g->e, acc[i][j], g->y, p, c, p * g->ldy + (size_t)c);
        }
}

/* The pixels in tiles of nearly equal size: a last tile of one or two pixels would leave the multipliers idle. */
#define TILE(M) case M: tile(g, w, p, M, c, nv); break;
static inline __attribute__((always_inline)) void panel(const struct xfv_gemm *g, const float *w, int pixels, int c, int nv)
{
    int tiles = (pixels + MR - 1) / MR;
    size_t p = 0;
    for (int t = 0; t < tiles; t++) {
        int m = pixels / tiles + (t < pixels % tiles);
        switch (m) {
            TILE(1) TILE(2) TILE(3) TILE(4)
#if MR > 4
            TILE(5) TILE(6)
#endif
#if MR > 6
            TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#endif
        default: break;
        }
        p += (size_t)m;
    }
}
#undef TILE

static void gemm(const struct xfv_gemm *g, int pixels)
{
    const float *w = g->w;
    size_t rows = (size_t)g->taps * (size_t)g->k;
    int c = 0;
    for (; c + 2 * VL <= g->n; c += 2 * VL, w += rows * 2 * VL) panel(g, w, pixels, c, 2);
    for (; c < g->n; c += VL, w += rows * VL) panel(g, w, pixels, c, 1);
}

/* One output column of a depthwise row, any geometry: the slow, general way, also used at the left and right edges. */
static inline __attribute__((always_inline)) V dw_point(const struct xfv_dwrow *d, int x, int c)
{
    V acc = V_ZERO();
    size_t ch = (size_t)d->channels;
    for (int i = 0; i < d->kh; i++)
        for (int j = 0; j < d->kw; j++) {
            int at = x * d->stride - d->left + j;
            if (at < 0 || at >= d->win) continue;
            const float *w = d->w + (size_t)(i * d->kw + j) * ch + c;
            acc = V_FMA(V_LD(d->rows[i] + (size_t)at * ch + c), V_LD(w), acc);
        }
    return acc;
}

/* Columns x0..x1-1 of a 3x3 depthwise row whose nine inputs all exist. */
static inline __attribute__((always_inline)) void dw3_inside(const struct xfv_dwrow *d, int x0, int x1, int c, int stride)
{
    size_t ch = (size_t)d->channels;
    V w[9];
    for (int i = 0; i < 9; i++) w[i] = V_LD(d->w + (size_t)i * ch + c);
    for (int x = x0; x < x1; x++) {
        size_t at = (size_t)(x * stride - d->left) * ch + (size_t)c;
        const float *r0 = d->rows[0] + at, *r1 = d->rows[1] + at, *r2 = d->rows[2] + at;
        V acc = V_ZERO();
        acc = V_FMA(V_LD(r0), w[0], acc);
        acc = V_FMA(V_LD(r0 + ch), w[1], acc);
        acc = V_FMA(V_LD(r0 + 2 * ch), w[2], acc);
        acc = V_FMA(V_LD(r1), w[3], acc);
        acc = V_FMA(V_LD(r1 + ch), w[4], acc);
        acc = V_FMA(V_LD(r1 + 2 * ch), w[5], acc);
        acc = V_FMA(V_LD(r2), w[6], acc);
        acc = V_FMA(V_LD(r2 + ch), w[7], acc);
        acc = V_FMA(V_LD(r2 + 2 * ch), w[8], acc);
        store_vec(&d->e, acc, d->y, (size_t)x, c, (size_t)x * ch + (size_t)c);
    }
}

static void dwrow(const struct xfv_dwrow *d)
{
    int first = 0, last = 0; /* columns first..last-1 read nothing outside the row */
    if (d->kh == 3 && d->kw == 3) {
        first = (d->left + d->stride - 1) / d->stride;
        last = d->win + d->left >= 3 ? (d->win + d->left - 3) / d->stride + 1 : 0;
        if (last > d->wout) last = d->wout;
        if (last < first) last = first = 0;
    }
    for (int c = 0; c < d->channels; c += VL) {
        size_t ch = (size_t)d->channels;
        for (int x = 0; x < first; x++) store_vec(&d->e, dw_point(d, x, c), d->y, (size_t)x, c, (size_t)x * ch + (size_t)c);
        if (last > first) {
            if (d->stride == 1) dw3_inside(d, first, last, c, 1);
            else dw3_inside(d, first, last, c, d->stride);
        }
        for (int x = last; x < d->wout; x++) store_vec(&d->e, dw_point(d, x, c), d->y, (size_t)x, c, (size_t)x * ch + (size_t)c);
    }
}

static void dwrow_back2(const struct xfv_dwrow *d)
{
    size_t ch = (size_t)d->channels;
    for (int c = 0; c < d->channels; c += VL) {
        for (int x = 0; x < d->wout; x++) {
            V acc = V_ZERO();
            int j0 = (x + d->left) & 1;
            for (int i = 0; i < d->kh; i++) {
                if (!d->rows[i]) continue;
                for (int j = j0; j < d->kw; j += 2) {
                    int at = x + d->left - j;
                    if (at < 0 || at / 2 >= d->win) continue;
                    acc = V_FMA(V_LD(d->rows[i] + (size_t)(at / 2) * ch + c), V_LD(d->w + (size_t)(i * d->kw + j) * ch + c), acc);
                }
            }
            store_vec(&d->e, acc, d->y, (size_t)x, c, (size_t)x * ch + (size_t)c);
        }
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

const struct xfv_kernels KERN = {KERN_NAME, 2 * VL, gemm, dwrow, dwrow_back2, mask, add};
