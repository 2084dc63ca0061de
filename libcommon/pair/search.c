#include "pair/search.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "stream/tensor.h"

enum { ROWS = 256, COLUMNS = 4096 }; /* of a block of products: 4 MiB */

struct xfv_search { size_t n, d; float *v; };

struct candidate { size_t row; float s; };

/* Of one row. least: what has less can no longer be among those asked for. */
struct heap { struct candidate *v; size_t n, cap; float least; };

struct xfv_search *xfv_search_new(size_t n, size_t d)
{
    struct xfv_search *s = calloc(1, sizeof *s);
    if (s)
        *s = (struct xfv_search){
            n, d, n > SIZE_MAX / sizeof(float) / (d + 1) ? NULL : xfv_aligned_alloc(n * d * sizeof(float))};
    if (s && s->v) return s;
    free(s);
    return NULL;
}

void xfv_search_free(struct xfv_search *s)
{
    if (s) free(s->v);
    free(s);
}

int xfv_search_set(struct xfv_search *s, size_t i, const void *v)
{
    float *to = s->v + i * s->d;
    double sum = 0;
    memcpy(to, v, s->d * sizeof *to);
    for (size_t k = 0; k < s->d; k++) sum += (double)to[k] * (double)to[k];
    int bad = !(sum > 0) || !isfinite(sum);
    double length = bad ? 1 : sqrt(sum);
    for (size_t k = 0; k < s->d; k++) to[k] = bad ? 0 : (float)((double)to[k] / length);
    return bad;
}

/* Twice what a product of two unit vectors in single precision can be off: rounding of the numbers, and d additions in
 * any order. */
static double margin(size_t d)
{
    return 2 * ((double)d + 4) * (double)FLT_EPSILON;
}

static int larger(const void *a, const void *b)
{
    float x = ((const struct candidate *)a)->s, y = ((const struct candidate *)b)->s;
    return (x < y) - (x > y);
}

/* Keep those that the best-th of them does not rule out. */
static void thin(struct heap *h, size_t best, double slack)
{
    if (!best || h->n <= best) return;
    qsort(h->v, h->n, sizeof *h->v, larger);
    float least = (float)((double)h->v[best - 1].s - slack);
    if (least > h->least) h->least = least;
    while (h->n > best && h->v[h->n - 1].s < h->least) h->n--;
}

static int add(struct heap *h, size_t row, float s, size_t best, double slack)
{
    if (h->n == h->cap) {
        thin(h, best, slack);
        if (s < h->least) return 0;
        if (2 * h->n >= h->cap) {
            size_t cap = xfv_more(h->cap, 2 * best + 64);
            if (!XFV_GROW(h->v, cap)) return -1;
            h->cap = cap;
        }
    }
    h->v[h->n++] = (struct candidate){row, s};
    return 0;
}

static int by_row(const void *a, const void *b)
{
    size_t x = ((const struct candidate *)a)->row, y = ((const struct candidate *)b)->row;
    return (x > y) - (x < y);
}

struct block { struct heap heap[ROWS]; float *products; size_t *rows, cap; };

/* Rows at.. against columns column..: the products, and what of them stays. */
static int multiply(const struct xfv_search *s, struct block *b, size_t at, size_t rows, size_t column, int later,
                    const struct xfv_wish *wish)
{
    size_t columns = s->n - column < COLUMNS ? s->n - column : COLUMNS;
    double slack = margin(s->d);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)columns, (int)s->d, 1, s->v + at * s->d,
                (int)s->d, s->v + column * s->d, (int)s->d, 0, b->products, COLUMNS);
    for (size_t r = 0; r < rows; r++) {
        const float *p = b->products + r * COLUMNS;
        struct heap *h = &b->heap[r];
        size_t i = at + r, first = later && i + 1 > column ? i + 1 - column : 0;
        for (size_t c = first; c < columns; c++)
            if (p[c] >= h->least && column + c != i && add(h, column + c, p[c], wish->best, slack)) return -1;
    }
    return 0;
}

static int report(struct block *b, size_t r, size_t i, const struct xfv_wish *wish, double slack,
                  xfv_search_found *found, void *ctx, struct xfv_err *e)
{
    struct heap *h = &b->heap[r];
    thin(h, wish->best, slack);
    if (h->n > b->cap) {
        if (!XFV_GROW(b->rows, h->n)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        b->cap = h->n;
    }
    if (h->n) qsort(h->v, h->n, sizeof *h->v, by_row);
    for (size_t k = 0; k < h->n; k++) b->rows[k] = h->v[k].row;
    return found(ctx, i, b->rows, h->n, e);
}

static int search_block(const struct xfv_search *s, struct block *b, size_t at, size_t rows, int later,
                        const struct xfv_wish *wish, xfv_search_found *found, void *ctx, struct xfv_err *e)
{
    double slack = margin(s->d), above = wish->above - slack;
    for (size_t r = 0; r < rows; r++) {
        b->heap[r].n = 0;
        b->heap[r].least = above < -2 ? -2 : (float)above;
    }
    for (size_t column = later ? at / COLUMNS * COLUMNS : 0; column < s->n; column += COLUMNS)
        if (multiply(s, b, at, rows, column, later, wish)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int status = 0;
    for (size_t r = 0; r < rows && !status; r++) status = report(b, r, at + r, wish, slack, found, ctx, e);
    return status;
}

int xfv_search_rows(const struct xfv_search *s, size_t from, size_t to, int later, const struct xfv_wish *wish,
                    xfv_search_found *found, void *ctx, struct xfv_err *e)
{
    struct block *b = calloc(1, sizeof *b);
    int status = 0;
    if (b) b->products = xfv_aligned_alloc((size_t)ROWS * COLUMNS * sizeof(float));
    if (!b || !b->products) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t at = from; at < to && !status; at += ROWS)
        status = search_block(s, b, at, to - at < ROWS ? to - at : ROWS, later, wish, found, ctx, e);
    for (size_t r = 0; b && r < ROWS; r++) free(b->heap[r].v);
    if (b) free(b->products), free(b->rows);
    free(b);
    return status;
}
