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

/* What the vectors do while the tiles multiply: split the rows to come, and store the sums before. After each product of
 * terms they do a little of both. */
struct beside {
    const struct xfv_gemm *g;
    store_rows *store;
    int pairs;        /* products of terms */
    const float *sum; /* of `rows` pixels p.. and columns c.. */
    size_t p;
    int rows, c, stores;
    size_t next;      /* `coming` pixels next.. are to be split into tiles [k/32][row tile][term] at to */
    int coming, lines, splits; /* lines: with those that a row tile lacks */
    uint16_t *to;
};

static inline int least(int a, int b)
{
    return a < b ? a : b;
}

static inline int parts(int all, int n)
{
    return (all + n - 1) / n;
}

/* The next rows are those from pixel p on. */
static void come(struct beside *d, int p, int pixels, uint16_t *to)
{
    d->next = (size_t)p;
    d->coming = least(pixels - p, ROWS);
    d->lines = parts(d->coming, ROW_TILE) * ROW_TILE;
    d->splits = parts(d->lines, parts(d->g->n, 32) * d->pairs);
    d->to = to;
}

/* Rows from..to-1 of those to come, numbers 32 b.. of each; those that a row tile lacks are zeros. */
static inline __attribute__((always_inline)) void split_rows(const struct beside *d, int b, int from, int to,
                                                             int terms)
{
    const float *x = d->g->x + (d->next + (size_t)from) * d->g->ldx + b * XFV_TERM_K;
    for (int i = from; i < to; i++, x += d->g->ldx) {
        uint16_t *tile = d->to + ((b * 2 + i / ROW_TILE) * terms) * XFV_TERM_TILE + i % ROW_TILE * XFV_TERM_K;
        if (i < d->coming) split32(x, terms, tile);
        else for (int t = 0; t < terms; t++) memset(tile + t * XFV_TERM_TILE, 0, 2 * XFV_TERM_K);
    }
}

/* After product i of block b of column tile c. */
static inline __attribute__((always_inline)) void work(const struct beside *d, int c, int b, int i, int terms)
{
    int from = (c * d->pairs + i) * d->splits, row = (b * d->pairs + i) * d->stores;
    split_rows(d, b, from, least(from + d->splits, d->lines), terms);
    if (row < d->rows) d->store(d->g, d->sum + 32 * row, d->p + (size_t)row, least(d->stores, d->rows - row), d->c);
}

static __attribute__((noinline)) void work_two(const struct beside *d, int c, int b, int i)
{
    work(d, c, b, i, 2);
}

static __attribute__((noinline)) void work_three(const struct beside *d, int c, int b, int i)
{
    work(d, c, b, i, 3);
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
    if (terms == 2) work_two(d, c, b, i++); \
    else work_three(d, c, b, i++);

/* Sums over k of one or two row tiles by one or two column tiles. x, w: where their terms begin; the order of products
 * is that of xfv_pairs_of_two and _of_three. */
static inline __attribute__((always_inline)) void sum_tiles(const struct beside *d, const uint16_t *x,
                                                            const uint16_t *w, int c, int terms, int two, int wide)
{
    int blocks = d->g->k / XFV_TERM_K;
    size_t panel = (size_t)(blocks * terms) * XFV_TERM_TILE;
    for (int b = 0; b < blocks; b++, x += 2 * terms * XFV_TERM_TILE, w += terms * XFV_TERM_TILE) {
        int i = 0;
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

static inline __attribute__((always_inline)) void sums_to(const struct beside *d, const uint16_t *x, int c, int terms,
                                                          int two, float *sum)
{
    const uint16_t *all = (const uint16_t *)(const void *)d->g->w,
                   *w = all + (size_t)c * 32 * (size_t)(d->g->k * terms);
    int wide = d->g->n - c * 32 > 16;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    if (two && wide) sum_tiles(d, x, w, c, terms, 1, 1);
    else if (two) sum_tiles(d, x, w, c, terms, 1, 0);
    else if (wide) sum_tiles(d, x, w, c, terms, 0, 1);
    else sum_tiles(d, x, w, c, terms, 0, 0);
    _tile_stored(0, sum, 128);
    _tile_stored(1, sum + 16, 128);
    if (!two) return;
    _tile_stored(2, sum + 512, 128);
    _tile_stored(3, sum + 512 + 16, 128);
}

static inline __attribute__((always_inline)) void gemm_of_terms(const struct xfv_gemm *g, int pixels, int terms)
{
    _Alignas(64) uint16_t x[2][2 * XFV_TERM_MOST / XFV_TERM_K * 3 * XFV_TERM_TILE];
    _Alignas(64) float sums[2][ROWS * 32];
    int columns = parts(g->n, 32), blocks = g->k / XFV_TERM_K, pairs = terms == 2 ? 3 : 6, other = 0;
    struct beside d = {.g = g, .store = store_of(&g->e), .pairs = pairs, .stores = parts(ROWS, blocks * pairs)};
    configure();
    come(&d, 0, pixels, x[0]);
    for (int b = 0; b < blocks; b++) split_rows(&d, b, 0, d.lines, terms);
    STORED(x);
    for (int p = 0, turn = 0; p < pixels; p += ROWS, turn ^= 1) {
        int rows = d.coming;
        come(&d, p + rows, pixels, x[turn ^ 1]);
        for (int c = 0; c < columns; c++, other ^= 1) {
            sums_to(&d, x[turn], c, terms, rows > ROW_TILE, sums[other]);
            d.sum = sums[other], d.p = (size_t)p, d.rows = rows, d.c = 32 * c;
        }
    }
    d.store(g, d.sum, d.p, d.rows, d.c);
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
