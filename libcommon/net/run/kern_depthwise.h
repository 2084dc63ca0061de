/* Depthwise convolutions, included by net/run/kern_body.h. A multiply-add waits for the one before it in its sum, so
 * several sums go side by side: of neighbouring columns, which share their weights, or of neighbouring channels. */

#define DW_SIDE 4                /* channel vectors side by side, where columns differ in what they read */
#define DW_MOST 9                 /* input columns of four outputs two apart */
#define DW_PAIR (VL == 16 ? 4 : 2) /* columns side by side of two rows at a time: as the registers allow */

/* Columns x0..x1-1, any geometry, n vectors of channels c.. at a time: where a row's ends lack inputs. */
static inline __attribute__((always_inline)) void dw_outside_some(const struct xfv_dwrow *d, int x, int c, int n,
                                                                  int parts)
{
    size_t ch = (size_t)d->channels;
    int start = x * d->stride - d->left, apart = 1 + d->gap, lo = start < 0 ? (apart - 1 - start) / apart : 0,
        hi = (d->win - start + apart - 1) / apart;
    if (hi > d->kw) hi = d->kw;
    V acc[DW_SIDE];
    for (int q = 0; q < n; q++) acc[q] = V_ZERO();
    for (int i = 0; i < d->kh; i++)
        for (int j = lo; j < hi; j++) {
            const float *r = d->rows[i] + (size_t)(start + j * apart) * ch + c;
            const float *w = d->w + (size_t)(i * d->kw + j) * ch + c;
            for (int q = 0; q < n; q++) acc[q] = V_FMA(V_LD(r + q * VL), V_LD(w + q * VL), acc[q]);
        }
    for (int q = 0; q < n; q++)
        store_parts(&d->e, parts, acc[q], d->y, (size_t)x, c + q * VL, (size_t)x * ch + (size_t)(c + q * VL));
}

static inline __attribute__((always_inline)) void dw_outside(const struct xfv_dwrow *d, int x0, int x1, int parts)
{
    for (int x = x0; x < x1; x++) {
        int c = 0;
        for (; c + DW_SIDE * VL <= d->channels; c += DW_SIDE * VL) dw_outside_some(d, x, c, DW_SIDE, parts);
        for (; c < d->channels; c += VL) dw_outside_some(d, x, c, 1, parts);
    }
}

/* m neighbouring columns x.. (a constant after inlining) of one row, or of two, of a 3x3 convolution whose inputs all
 * exist. */
static inline __attribute__((always_inline)) void dw3_columns(const struct xfv_dwrow *d, int x, int m, int two, int c,
                                                              int stride, int parts)
{
    size_t ch = (size_t)d->channels, at = (size_t)(x * stride - d->left) * ch + (size_t)c;
    V acc[2][4];
    for (int q = 0; q < m; q++) acc[0][q] = acc[1][q] = V_ZERO();
    for (int i = 0; i < 3 + two; i++) {
        const float *r = d->rows[i] + at;
        V in[DW_MOST]; /* read once for all that they meet */
        for (int q = 0; q < (m - 1) * stride + 3; q++, r += ch) in[q] = V_LD(r);
        for (int j = 0; j < 3; j++)
            for (int o = 0; o <= two; o++) {
                int k = i - o; /* this input row is kernel row k of output row o */
                if (k < 0 || k > 2) continue;
                V by = V_LD(d->w + (size_t)(3 * k + j) * ch + c);
                for (int q = 0; q < m; q++) acc[o][q] = V_FMA(in[q * stride + j], by, acc[o][q]);
            }
    }
    for (int o = 0; o <= two; o++) {
        size_t p = (size_t)(o * d->wout + x), to = p * ch + (size_t)c;
        for (int q = 0; q < m; q++, p++, to += ch) store_parts(&d->e, parts, acc[o][q], d->y, p, c, to);
    }
}

/* Columns outside, channels inside: what a few columns read is contiguous and stays in the first cache. */
static inline __attribute__((always_inline)) void dw3_inside(const struct xfv_dwrow *d, int x0, int x1, int stride,
                                                             int two, int parts)
{
    int x = x0, m = two ? DW_PAIR : 4;
    for (; x + m <= x1; x += m)
        for (int c = 0; c < d->channels; c += VL) dw3_columns(d, x, m, two, c, stride, parts);
    for (; x < x1; x++)
        for (int c = 0; c < d->channels; c += VL) dw3_columns(d, x, 1, two, c, stride, parts);
}

/* The same for kernels of any size, a row at a time. */
static inline __attribute__((always_inline)) void dw_columns(const struct xfv_dwrow *d, int x, int m, int c,
                                                             int parts)
{
    size_t ch = (size_t)d->channels, at = (size_t)(x * d->stride - d->left) * ch + (size_t)c,
           step = (size_t)d->stride * ch, apart = (size_t)(1 + d->gap) * ch;
    V acc[8];
    for (int q = 0; q < m; q++) acc[q] = V_ZERO();
    for (int i = 0; i < d->kh; i++) {
        const float *r = d->rows[i] + at, *w = d->w + (size_t)(i * d->kw) * ch + c;
        for (int j = 0; j < d->kw; j++, r += apart, w += ch) {
            V by = V_LD(w);
            for (int q = 0; q < m; q++) acc[q] = V_FMA(V_LD(r + (size_t)q * step), by, acc[q]);
        }
    }
    for (int q = 0; q < m; q++)
        store_parts(&d->e, parts, acc[q], d->y, (size_t)(x + q), c, (size_t)(x + q) * ch + (size_t)c);
}

static inline __attribute__((always_inline)) void dw_inside(const struct xfv_dwrow *d, int x0, int x1, int parts)
{
    int x = x0;
    for (; x + 8 <= x1; x += 8)
        for (int c = 0; c < d->channels; c += VL) dw_columns(d, x, 8, c, parts);
    for (; x + 3 <= x1; x += 3)
        for (int c = 0; c < d->channels; c += VL) dw_columns(d, x, 3, c, parts);
    for (; x < x1; x++)
        for (int c = 0; c < d->channels; c += VL) dw_columns(d, x, 1, c, parts);
}

/* Row 0 or 1 of two by itself. */
static struct xfv_dwrow dw_one(const struct xfv_dwrow *d, int row)
{
    struct xfv_dwrow one = *d;
    size_t pixels = (size_t)(row * d->wout), floats = pixels * (size_t)d->channels;
    one.two = 0;
    one.rows += row;
    one.y += floats;
    if (one.e.add) one.e.add += floats;
    if (one.e.sign) one.e.sign += pixels * d->e.bits;
    if (one.e.mask) one.e.mask += pixels * d->e.bits;
    return one;
}

static inline __attribute__((always_inline)) void dwrow_parts(const struct xfv_dwrow *given, int parts)
{
    const struct xfv_dwrow own = *given, *d = &own; /* in registers: no store can change it */
    int three = d->kh == 3 && d->kw == 3 && !d->gap && d->stride <= 2, wide = (d->kw - 1) * (1 + d->gap) + 1;
    /* columns first..last-1 read nothing outside the row */
    int first = d->left > 0 ? (d->left + d->stride - 1) / d->stride : 0,
        last = d->win + d->left >= wide ? (d->win + d->left - wide) / d->stride + 1 : 0;
    if (last > d->wout) last = d->wout;
    if (last < first) last = first = 0;
    for (int row = 0; row <= d->two; row++) {
        struct xfv_dwrow one = dw_one(d, row);
        dw_outside(&one, 0, first, parts);
        dw_outside(&one, last, d->wout, parts);
        if (!three) dw_inside(&one, first, last, parts);
    }
    if (!three) return;
    if (d->stride == 1 && d->two) dw3_inside(d, first, last, 1, 1, parts);
    else if (d->stride == 1) dw3_inside(d, first, last, 1, 0, parts);
    else if (d->stride == 2) dw3_inside(d, first, last, 2, 0, parts);
}

static void dwrow(const struct xfv_dwrow *d)
{
    switch (parts_of(&d->e)) { /* the common ones without a branch a vector */
    case SLOPE | MASK: dwrow_parts(d, SLOPE | MASK); break;
    case BIAS | SLOPE: dwrow_parts(d, BIAS | SLOPE); break;
    default: dwrow_parts(d, parts_of(&d->e));
    }
}

/* n vectors of channels of one column of the transposed, stride 2 row. */
static inline __attribute__((always_inline)) void back2_point(const struct xfv_dwrow *d, int x, int c, int n,
                                                              int parts)
{
    size_t ch = (size_t)d->channels;
    V acc[DW_SIDE];
    for (int q = 0; q < n; q++) acc[q] = V_ZERO();
    for (int i = 0; i < d->kh; i++) {
        if (!d->rows[i]) continue;
        for (int j = (x + d->left) & 1; j < d->kw; j += 2) {
            int at = x + d->left - j;
            if (at < 0 || at / 2 >= d->win) continue;
            const float *r = d->rows[i] + (size_t)(at / 2) * ch + c, *w = d->w + (size_t)(i * d->kw + j) * ch + c;
            for (int q = 0; q < n; q++) acc[q] = V_FMA(V_LD(r + q * VL), V_LD(w + q * VL), acc[q]);
        }
    }
    for (int q = 0; q < n; q++)
        store_parts(&d->e, parts, acc[q], d->y, (size_t)x, c + q * VL, (size_t)x * ch + (size_t)(c + q * VL));
}

/* m pairs of columns of it, 3x3: the even one (x + left even) meets gradient columns g and g-1, the odd one after it
 * g. */
static inline __attribute__((always_inline)) void back2_pairs(const struct xfv_dwrow *d, int x, size_t g, int m, int c,
                                                              int parts)
{
    size_t ch = (size_t)d->channels;
    V even[4], odd[4];
    for (int q = 0; q < m; q++) even[q] = odd[q] = V_ZERO();
    for (int i = 0; i < 3; i++) {
        if (!d->rows[i]) continue;
        const float *r = d->rows[i] + g * ch + c, *w = d->w + (size_t)(3 * i) * ch + c;
        V w0 = V_LD(w), w1 = V_LD(w + ch), w2 = V_LD(w + 2 * ch), before = V_LD(r - ch);
        for (int q = 0; q < m; q++, r += ch) {
            V here = V_LD(r);
            even[q] = V_FMA(here, w0, even[q]);
            even[q] = V_FMA(before, w2, even[q]);
            odd[q] = V_FMA(here, w1, odd[q]);
            before = here;
        }
    }
    for (int q = 0; q < m; q++) {
        size_t p = (size_t)(x + 2 * q);
        store_parts(&d->e, parts, even[q], d->y, p, c, p * ch + (size_t)c);
        store_parts(&d->e, parts, odd[q], d->y, p + 1, c, (p + 1) * ch + (size_t)c);
    }
}

static inline __attribute__((always_inline)) void back2_parts(const struct xfv_dwrow *given, int parts)
{
    const struct xfv_dwrow own = *given, *d = &own;
    int x = 0, ch = d->channels, three = d->kh == 3 && d->kw == 3;
    while (x < d->wout) {
        int g = (x + d->left) / 2, c = 0, pairs = 0; /* that lie inside */
        if (three && !((x + d->left) & 1) && g >= 1) {
            pairs = (d->wout - x) / 2;
            if (pairs > d->win - g) pairs = d->win - g;
        }
        if (pairs >= 4) {
            for (; c < ch; c += VL) back2_pairs(d, x, (size_t)g, 4, c, parts);
            x += 8;
        } else if (pairs > 0) {
            for (; c < ch; c += VL) back2_pairs(d, x, (size_t)g, 1, c, parts);
            x += 2;
        } else {
            for (; c + DW_SIDE * VL <= ch; c += DW_SIDE * VL) back2_point(d, x, c, DW_SIDE, parts);
            for (; c < ch; c += VL) back2_point(d, x, c, 1, parts);
            x++;
        }
    }
}

static void dwrow_back2(const struct xfv_dwrow *d)
{
    if (parts_of(&d->e) == (SLOPE | MASK)) back2_parts(d, SLOPE | MASK);
    else back2_parts(d, parts_of(&d->e));
}
