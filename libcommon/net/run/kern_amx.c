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

/* xfv_term_of of 16 numbers, each in the upper half of its lane. */
static inline __m512i rounded(__m512 x)
{
    __m512i u = _mm512_castps_si512(x), abs = _mm512_and_si512(u, _mm512_set1_epi32(0x7fffffff));
    __mmask16 inside = _mm512_cmplt_epu32_mask(abs, _mm512_set1_epi32(0x7f7f8000));
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    u = _mm512_mask_add_epi32(u, inside, u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    return _mm512_and_si512(u, _mm512_set1_epi32((int)0xffff0000u));
}

/* 32 numbers at x into terms, XFV_TERM_TILE apart. */
static inline __attribute__((always_inline)) void split32(const float *x, int terms, uint16_t *to)
{
    static const uint16_t odd[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
                                     33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
    __m512i upper = _mm512_loadu_si512(odd);
    __m512 a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + 16);
    for (int i = 0; i < terms - 1; i++, to += XFV_TERM_TILE) {
        __m512i ta = rounded(a), tb = rounded(b);
        _mm512_storeu_si512(to, _mm512_permutex2var_epi16(ta, upper, tb));
        a = _mm512_sub_ps(a, _mm512_castsi512_ps(ta));
        b = _mm512_sub_ps(b, _mm512_castsi512_ps(tb));
    }
    /* The last one is far below the end of the range. Subnormal numbers become zeros, as which they count. */
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh(b, a));
}

/* Up to 32 rows of x into tiles [k/32][row tile][term]; the rows of a half-filled tile are zeros. */
static inline __attribute__((always_inline)) void split_rows(const struct xfv_gemm *g, size_t p0, int rows, int terms,
                                                             uint16_t *to)
{
    int tiles = rows > ROW_TILE ? 2 : 1;
    for (int b = 0; b < g->k / XFV_TERM_K; b++)
        for (int i = 0; i < tiles * ROW_TILE; i++) {
            uint16_t *tile = to + (size_t)((b * 2 + i / ROW_TILE) * terms) * XFV_TERM_TILE +
                             (size_t)(i % ROW_TILE) * XFV_TERM_K;
            if (i < rows) split32(g->x + (p0 + (size_t)i) * g->ldx + (size_t)(b * XFV_TERM_K), terms, tile);
            else for (int t = 0; t < terms; t++) memset(tile + t * XFV_TERM_TILE, 0, 2 * XFV_TERM_K);
        }
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
    if (two && wide) { _tile_dpbf16ps(3, 5, 7); }

/* Sums over k of one or two row tiles by one or two column tiles. x, w: where their terms begin; the order of products
 * is that of xfv_pairs_of_two and _of_three. */
static inline __attribute__((always_inline)) void sum_tiles(const uint16_t *x, const uint16_t *w, size_t panel, int k,
                                                            int terms, int two, int wide)
{
    for (; k > 0; k -= XFV_TERM_K, x += 2 * terms * XFV_TERM_TILE, w += terms * XFV_TERM_TILE) {
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

static inline __attribute__((always_inline)) void store_parts_of(const struct xfv_gemm *g, int parts, const float *sum,
                                                                 size_t p0, int rows, int c0, int columns)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j += VL) {
            size_t p = p0 + (size_t)i;
            store_parts(&g->e, parts, V_LD(sum + i * 32 + j), g->y, p, c0 + j, p * g->ldy + (size_t)(c0 + j));
        }
}

static void store_sums(const struct xfv_gemm *g, const float *sum, size_t p0, int rows, int c0, int columns)
{
    switch (parts_of(&g->e)) {
    case 0: store_parts_of(g, 0, sum, p0, rows, c0, columns); break;
    case ADD: store_parts_of(g, ADD, sum, p0, rows, c0, columns); break;
    case SLOPE | MASK: store_parts_of(g, SLOPE | MASK, sum, p0, rows, c0, columns); break;
    case BIAS | SLOPE: store_parts_of(g, BIAS | SLOPE, sum, p0, rows, c0, columns); break;
    default: store_parts_of(g, parts_of(&g->e), sum, p0, rows, c0, columns);
    }
}

static inline __attribute__((always_inline)) void gemm_of_terms(const struct xfv_gemm *g, int pixels, int terms)
{
    _Alignas(64) uint16_t x[2 * XFV_TERM_MOST / XFV_TERM_K * 3 * XFV_TERM_TILE];
    _Alignas(64) float sum[ROWS * 32];
    const uint16_t *all = (const uint16_t *)(const void *)g->w;
    size_t panel = (size_t)(g->k / XFV_TERM_K * terms) * XFV_TERM_TILE;
    configure();
    for (int p = 0; p < pixels; p += ROWS) {
        int rows = pixels - p < ROWS ? pixels - p : ROWS, two = rows > ROW_TILE;
        split_rows(g, (size_t)p, rows, terms, x);
        STORED(x);
        for (int c = 0; c < g->n; c += 32) {
            int wide = g->n - c > 16;
            const uint16_t *w = all + (size_t)(c / XFV_TERM_N) * panel;
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
            if (two && wide) sum_tiles(x, w, panel, g->k, terms, 1, 1);
            else if (two) sum_tiles(x, w, panel, g->k, terms, 1, 0);
            else if (wide) sum_tiles(x, w, panel, g->k, terms, 0, 1);
            else sum_tiles(x, w, panel, g->k, terms, 0, 0);
            _tile_stored(0, sum, 128);
            _tile_stored(1, sum + 16, 128);
            if (two) {
                _tile_stored(2, sum + 512, 128);
                _tile_stored(3, sum + 512 + 16, 128);
            }
            store_sums(g, sum, (size_t)p, rows, c, wide ? 32 : 16);
        }
    }
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
