/* AMX: products of numbers split into bfloat16 terms (net/run/kern_terms.h), 32 pixels by 32 columns at a time in four
 * tiles of sums. What is left over of pixels counts as zeros. */
#include "net/run/kern_internal.h"

#if defined(__x86_64__)
#include "net/run/kern_avx512.h"
#include "net/run/kern_store.h"
#include "net/run/kern_terms.h"

/* gcc's tile instructions do not say what they read of memory: what was written through p must be there. */
#define STORED(p) __asm__ volatile("" : : "r"(p) : "memory")

enum { ROWS = 32, ROW_TILE = 16 };

struct config { uint8_t palette, start, reserved[14]; uint16_t bytes[16]; uint8_t rows[16]; };

static void configure(void)
{
    struct config c = {.palette = 1};
    for (int i = 0; i < 8; i++) c.bytes[i] = 64, c.rows[i] = 16;
    STORED(&c);
    _tile_loadconfig(&c);
}

/* 32 numbers at x into terms, XFV_TERM_TILE apart, number i beside number 16 + i: see xfv_term_at. */
static inline __attribute__((always_inline)) void split32(const float *x, int terms, uint16_t *to)
{
    const __m512 up = _mm512_set1_ps(XFV_TERM_UP);
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000u);
    __m512 a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + 16);
    for (int i = 0; i < terms; i++, to += XFV_TERM_TILE) {
        __m512i ta = _mm512_castps_si512(_mm512_mul_ps(a, up)), tb = _mm512_castps_si512(_mm512_mul_ps(b, up));
        /* (ta >> 16) | (tb & upper) */
        _mm512_storeu_si512(to, _mm512_ternarylogic_epi32(_mm512_srli_epi32(ta, 16), tb, upper, 0xf8));
        if (i == terms - 1) break;
        a = _mm512_sub_ps(a, _mm512_castsi512_ps(_mm512_and_si512(ta, upper)));
        b = _mm512_sub_ps(b, _mm512_castsi512_ps(_mm512_and_si512(tb, upper)));
    }
}

static inline int parts(int all, int n)
{
    return (all + n - 1) / n;
}

typedef void store_rows(const struct xfv_gemm *g, const float *sum, size_t p, int rows, int c);

static inline __attribute__((always_inline)) void store_as(const struct xfv_gemm *g, int parts, const float *sum,
                                                           size_t p, int rows, int c)
{
    const struct xfv_epilogue e = g->e;
    float *y = g->y;
    int wide = g->n - c > VL;
    for (size_t ldy = g->ldy, at = p * ldy + (size_t)c; rows > 0; rows--, p++, sum += 32, at += ldy) {
        store_parts(&e, parts, V_LD(sum), y, p, c, at);
        if (wide) store_parts(&e, parts, V_LD(sum + VL), y, p, c + VL, at + VL);
    }
}

#define STORE_AS(name, parts) \
    static void name(const struct xfv_gemm *g, const float *sum, size_t p, int rows, int c) \
    { \
        store_as(g, parts, sum, p, rows, c); \
    }
STORE_AS(store_plain, 0)
STORE_AS(store_added, ADD)
STORE_AS(store_masked, SLOPE | MASK)
STORE_AS(store_added_masked, ADD | SLOPE | MASK)
STORE_AS(store_activated, BIAS | SLOPE)
STORE_AS(store_any, parts_of(&g->e))

static store_rows *store_of(const struct xfv_epilogue *e)
{
    switch (parts_of(e)) {
    case 0: return store_plain;
    case ADD: return store_added;
    case SLOPE | MASK: return store_masked;
    case ADD | SLOPE | MASK: return store_added_masked;
    case BIAS | SLOPE: return store_activated;
    default: return store_any;
    }
}

/* Up to 32 rows of x into tiles [k/32][row tile][term]; those that a row tile lacks are zeros. */
static inline __attribute__((always_inline)) void split_rows(const struct xfv_gemm *g, size_t p, int rows, int terms,
                                                             uint16_t *to)
{
    int lines = parts(rows, ROW_TILE) * ROW_TILE;
    for (int b = 0; b < g->k / XFV_TERM_K; b++) {
        const float *x = g->x + p * g->ldx + b * XFV_TERM_K;
        for (int i = 0; i < lines; i++, x += g->ldx) {
            uint16_t *tile = to + ((b * 2 + i / ROW_TILE) * terms) * XFV_TERM_TILE + i % ROW_TILE * XFV_TERM_K;
            if (i < rows) split32(x, terms, tile);
            else for (int t = 0; t < terms; t++) memset(tile + t * XFV_TERM_TILE, 0, 2 * XFV_TERM_K);
        }
    }
}

/* Sums of pixels p.. and columns c.., which the vectors store, a few rows after each product of terms, while the tiles
 * make the next ones. */
struct done {
    const struct xfv_gemm *g;
    store_rows *store;
    const float *sum;
    size_t p;
    int rows, c, stored, each;
};

static inline void store_some(struct done *d)
{
    int rows = d->rows - d->stored < d->each ? d->rows - d->stored : d->each;
    if (rows <= 0) return;
    d->store(d->g, d->sum + 32 * d->stored, d->p + (size_t)d->stored, rows, d->c);
    d->stored += rows;
}

#define X(tile, t) x + (size_t)((tile) * terms + (t)) * XFV_TERM_TILE
#define W(tile, t) w + (size_t)(tile) * panel + (size_t)(t) * XFV_TERM_TILE
#define LOAD_X(t) \
    _tile_loadd(4, X(0, t), 64); \
    if (two) { _tile_loadd(5, X(1, t), 64); }
#define LOAD_W(t) \
    _tile_loadd(6, W(0, t), 64); \
    if (wide) { _tile_loadd(7, W(1, t), 64); }
#define MULTIPLY() \
    _tile_dpbf16ps(0, 4, 6); \
    if (wide) { _tile_dpbf16ps(1, 4, 7); } \
    if (two) { _tile_dpbf16ps(2, 5, 6); } \
    if (two && wide) { _tile_dpbf16ps(3, 5, 7); } \
    store_some(d);

/* Sums over k of one or two row tiles by one or two column tiles. x, w: where their terms begin; the order of products
 * is that of xfv_pairs_of_two and _of_three. */
static inline __attribute__((always_inline)) void sum_tiles(struct done *d, const uint16_t *x, const uint16_t *w,
                                                            int terms, int two, int wide)
{
    int blocks = d->g->k / XFV_TERM_K;
    size_t panel = (size_t)(blocks * terms) * XFV_TERM_TILE;
    for (; blocks > 0; blocks--, x += 2 * terms * XFV_TERM_TILE, w += terms * XFV_TERM_TILE) {
        if (terms == 3) {
            LOAD_X(0) LOAD_W(2) MULTIPLY()
            LOAD_W(1) MULTIPLY()
            LOAD_X(1) MULTIPLY()
            LOAD_W(0) MULTIPLY()
            LOAD_X(2) MULTIPLY()
            LOAD_X(0) MULTIPLY()
        } else {
            LOAD_X(0) LOAD_W(1) MULTIPLY()
            LOAD_W(0) MULTIPLY()
            LOAD_X(1) MULTIPLY()
        }
    }
}

static inline __attribute__((always_inline)) void sums_to(struct done *d, const uint16_t *x, int c, int terms, int two,
                                                          float *sum)
{
    const uint16_t *w = (const uint16_t *)(const void *)d->g->w + (size_t)c * (size_t)(d->g->k * terms);
    int wide = d->g->n - c > 16;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    if (two && wide) sum_tiles(d, x, w, terms, 1, 1);
    else if (two) sum_tiles(d, x, w, terms, 1, 0);
    else if (wide) sum_tiles(d, x, w, terms, 0, 1);
    else sum_tiles(d, x, w, terms, 0, 0);
    _tile_stored(0, sum, 128);
    _tile_stored(1, sum + 16, 128);
    if (!two) return;
    _tile_stored(2, sum + 512, 128);
    _tile_stored(3, sum + 512 + 16, 128);
}

static inline __attribute__((always_inline)) void gemm_of_terms(const struct xfv_gemm *g, int pixels, int terms)
{
    _Alignas(64) uint16_t x[2 * XFV_TERM_MOST / XFV_TERM_K * 3 * XFV_TERM_TILE];
    _Alignas(64) float sums[2][ROWS * 32];
    int steps = g->k / XFV_TERM_K * (terms == 2 ? 3 : 6), which = 0;
    struct done d = {.g = g, .store = store_of(&g->e), .each = parts(ROWS, steps)};
    configure();
    for (int p = 0; p < pixels; p += ROWS) {
        int rows = pixels - p < ROWS ? pixels - p : ROWS;
        split_rows(g, (size_t)p, rows, terms, x);
        STORED(x);
        for (int c = 0; c < g->n; c += 32, which ^= 1) {
            sums_to(&d, x, c, terms, rows > ROW_TILE, sums[which]);
            d.sum = sums[which], d.p = (size_t)p, d.rows = rows, d.c = c, d.stored = 0;
        }
    }
    d.each = ROWS;
    store_some(&d);
    _tile_release();
}

void xfv_amx_two_terms(const struct xfv_gemm *g, int pixels)
{
    gemm_of_terms(g, pixels, 2);
}

void xfv_amx_three_terms(const struct xfv_gemm *g, int pixels)
{
    gemm_of_terms(g, pixels, 3);
}
#else
typedef int xfv_not_x86_amx;
#endif
