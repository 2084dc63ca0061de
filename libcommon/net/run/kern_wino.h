/* Winograd F(4x4, 3x3) transforms, included by net/run/kern_body.h. Points 0, 1, -1, 2, -2 and infinity (Lavin and
 * Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, section 4.3). One vector of channels at a time. */

/* B^T d for one column of six. Products by powers of two are exact, so that a multiply-add rounds as both would. */
static inline __attribute__((always_inline)) void wino_bt(const V d[6], V o[6])
{
    V two = V_SET1(2.0f), four = V_SET1(4.0f), less_two = V_SET1(-2.0f), less_four = V_SET1(-4.0f),
      less_five = V_SET1(-5.0f);
    V a = V_FMA(less_four, d[2], d[4]), b = V_FMA(less_four, d[1], d[3]);
    V c = V_SUB(d[4], d[2]), e = V_SUB(d[3], d[1]);
    o[0] = V_ADD(V_FMA(four, d[0], V_MUL(less_five, d[2])), d[4]);
    o[1] = V_ADD(a, b);
    o[2] = V_SUB(a, b);
    o[3] = V_FMA(two, e, c);
    o[4] = V_FMA(less_two, e, c);
    o[5] = V_ADD(V_FMA(four, d[1], V_MUL(less_five, d[3])), d[5]);
}

/* A^T m for one column of six. */
static inline __attribute__((always_inline)) void wino_at(const V m[6], V o[4])
{
    V a = V_ADD(m[1], m[2]), b = V_SUB(m[1], m[2]), c = V_ADD(m[3], m[4]), d = V_SUB(m[3], m[4]);
    o[0] = V_ADD(V_ADD(m[0], a), c);
    o[1] = V_FMA(V_SET1(2.0f), d, b);
    o[2] = V_FMA(V_SET1(4.0f), c, a);
    o[3] = V_ADD(V_FMA(V_SET1(8.0f), d, b), m[5]);
}

/* G g for one column of three. */
static inline __attribute__((always_inline)) void wino_g(const V g[3], V o[6])
{
    V ends = V_ADD(g[0], g[2]), sixth = V_SET1(-1 / 6.0f), b = V_MUL(V_SET1(1 / 12.0f), g[1]);
    V a = V_ADD(V_MUL(V_SET1(1 / 24.0f), g[0]), V_MUL(V_SET1(1 / 6.0f), g[2]));
    o[0] = V_MUL(V_SET1(0.25f), g[0]);
    o[1] = V_MUL(sixth, V_ADD(ends, g[1]));
    o[2] = V_MUL(sixth, V_SUB(ends, g[1]));
    o[3] = V_ADD(a, b);
    o[4] = V_SUB(a, b);
    o[5] = g[2];
}

static void wino_u(const struct xfv_wino_u *w)
{
    for (size_t at = 0; at < w->n; at += VL) {
        const float *g = w->w + at;
        V half[6][3], col[3], out[6];
        for (int j = 0; j < 3; j++) {
            for (int i = 0; i < 3; i++) col[i] = V_LD(g + (size_t)(3 * i + j) * w->tap);
            wino_g(col, out);
            for (int i = 0; i < 6; i++) half[i][j] = out[i];
        }
        for (int i = 0; i < 6; i++) {
            wino_g(half[i], out);
            for (int j = 0; j < 6; j++) V_ST(w->u + (size_t)(6 * i + j) * w->freq + at, out[j]);
        }
    }
}

static void wino_in(const struct xfv_wino *w)
{
    size_t ch = (size_t)w->channels;
    for (int t = 0; t < w->tiles; t++)
        for (size_t c = 0; c < ch; c += VL) {
            const float *x = w->x + (size_t)t * 4 * ch + c;
            float *v = w->v + (size_t)t * ch + c;
            V half[6][6], col[6], out[6];
            for (int j = 0; j < 6; j++) {
                for (int i = 0; i < 6; i++) col[i] = V_LD(x + (size_t)i * w->row + (size_t)j * ch);
                wino_bt(col, out);
                for (int i = 0; i < 6; i++) half[i][j] = out[i];
            }
            for (int i = 0; i < 6; i++) {
                wino_bt(half[i], out);
                for (int j = 0; j < 6; j++) V_ST(v + (size_t)(6 * i + j) * w->freq, out[j]);
            }
        }
}

/* Tile t, channels c..: high x wide outputs. Known counts and parts keep all of it in registers. */
static inline __attribute__((always_inline)) void wino_out_tile(const struct xfv_wino_out *w, int t, size_t c, int high,
                                                                int wide, int parts)
{
    size_t ch = (size_t)w->channels;
    const float *m = w->m + (size_t)t * ch + c;
    V half[4][6], col[6], out[4];
    for (int j = 0; j < 6; j++) {
        for (int i = 0; i < 6; i++) col[i] = V_LD(m + (size_t)(6 * i + j) * w->freq);
        wino_at(col, out);
        for (int i = 0; i < 4; i++) half[i][j] = out[i];
    }
    for (int i = 0; i < high; i++) {
        wino_at(half[i], out);
        size_t p = (size_t)i * w->pixels_row + (size_t)(4 * t);
        for (int j = 0; j < wide; j++)
            store_parts(&w->e, parts, out[j], w->y, p + (size_t)j, (int)c, (p + (size_t)j) * ch + c);
    }
}

/* The tiles before `tiles`, which are whole. */
static inline __attribute__((always_inline)) void wino_out_whole(const struct xfv_wino_out *w, int tiles, int parts)
{
    for (int t = 0; t < tiles; t++)
        for (size_t c = 0; c < (size_t)w->channels; c += VL) wino_out_tile(w, t, c, 4, 4, parts);
}

static void wino_out(const struct xfv_wino_out *w)
{
    int parts = parts_of(&w->e), t = w->height < 4 ? 0 : w->width / 4 < w->tiles ? w->width / 4 : w->tiles;
    switch (parts) {
    case 0: wino_out_whole(w, t, 0); break;
    case ADD: wino_out_whole(w, t, ADD); break;
    case SLOPE: wino_out_whole(w, t, SLOPE); break;
    case BIAS | SLOPE: wino_out_whole(w, t, BIAS | SLOPE); break;
    case SLOPE | MASK: wino_out_whole(w, t, SLOPE | MASK); break;
    default: t = 0; break;
    }
    for (; t < w->tiles; t++) { /* what the image's end cuts, and the uncommon */
        int wide = w->width - 4 * t < 4 ? w->width - 4 * t : 4, high = w->height < 4 ? w->height : 4;
        for (size_t c = 0; c < (size_t)w->channels; c += VL) wino_out_tile(w, t, c, high, wide, parts);
    }
}
