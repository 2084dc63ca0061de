#include "pair/sieve.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/hash.h"

enum { ROWS = 512 }; /* of a block: with 192 numbers 384 KiB, which a core's own cache holds */

/* Every id that came, one after the other, each with its NUL. Slots find them by hash; the newest wait for theirs, so
 * that one look into memory need not wait for another. */
struct slot { size_t after; uint32_t hash; }; /* after: where the id begins, and 1; 0: empty */
struct ids {
    char *bytes;
    size_t n_bytes, cap, n, twice, n_slots, n_new;
    struct slot *slots, fresh[ROWS];
};

struct row { size_t id; uint64_t no; };
struct block { struct block *next; size_t n; float *v; struct row rows[ROWS]; };

struct kept { struct row row; float s, *v; };

struct xfv_sieve {
    const char *probe;
    struct xfv_wish wish;
    struct xfv_gallery *g;
    struct ids ids;
    size_t d;
    char model[65];
    int over;    /* every face goes into the gallery */
    float *unit; /* the probe divided by its length; NULL: it has not come */
    struct block *first, *last; /* faces that wait, in order */
    struct kept *kept; /* that can be among those asked for */
    size_t n_kept, cap_kept;
    float least;
};

/* ---- ids ---- */

static int more_slots(struct ids *x)
{
    size_t n = x->n_slots ? 2 * x->n_slots : 1024;
    struct slot *v = calloc(n, sizeof *v);
    if (!v) return -1;
    for (size_t i = 0; i < x->n_slots; i++) {
        size_t k = x->slots[i].hash & (n - 1);
        if (!x->slots[i].after) continue;
        while (v[k].after) k = (k + 1) & (n - 1);
        v[k] = x->slots[i];
    }
    free(x->slots);
    x->slots = v;
    x->n_slots = n;
    return 0;
}

static void put_slot(struct ids *x, struct slot new)
{
    size_t k = new.hash & (x->n_slots - 1);
    for (; x->slots[k].after; k = (k + 1) & (x->n_slots - 1))
        if (x->slots[k].hash == new.hash && !strcmp(x->bytes + x->slots[k].after - 1, x->bytes + new.after - 1)) {
            x->twice++;
            return;
        }
    x->slots[k] = new;
    x->n++;
}

/* Those that wait get their slots. */
static int settle(struct ids *x)
{
    while (2 * (x->n + x->n_new) >= x->n_slots)
        if (more_slots(x)) return -1;
    for (size_t i = 0; i < x->n_new; i++) __builtin_prefetch(&x->slots[x->fresh[i].hash & (x->n_slots - 1)]);
    for (size_t i = 0; i < x->n_new; i++) put_slot(x, x->fresh[i]);
    x->n_new = 0;
    return 0;
}

/* Where the id lies from now on, or SIZE_MAX when out of memory. */
static size_t add_id(struct ids *x, const char *id, size_t n)
{
    if (x->n_new == ROWS && settle(x)) return SIZE_MAX;
    if (x->cap - x->n_bytes < n + 1) {
        size_t cap = xfv_more(x->cap, 4096);
        while (cap - x->n_bytes < n + 1) cap *= 2;
        if (!XFV_GROW(x->bytes, cap)) return SIZE_MAX;
        x->cap = cap;
    }
    size_t at = x->n_bytes;
    uint64_t h = xfv_hash(XFV_HASH_START, id, n);
    memcpy(x->bytes + at, id, n);
    x->bytes[at + n] = '\0';
    x->n_bytes += n + 1;
    x->fresh[x->n_new++] = (struct slot){at + 1, (uint32_t)(h >> 32 ^ h)};
    return at;
}

int xfv_sieve_note(struct xfv_sieve *s, const char *id, struct xfv_err *e)
{
    return add_id(&s->ids, id, strlen(id)) == SIZE_MAX ? xfv_fail(e, XFV_ENOMEM, "out of memory") : 0;
}

size_t xfv_sieve_duplicates(const struct xfv_sieve *s)
{
    return s->ids.twice;
}

/* ---- what stays ---- */

static int to_gallery(struct xfv_sieve *s, const struct row *row, const float *v, struct xfv_err *e)
{
    const char *id = s->ids.bytes + row->id;
    const struct xfv_template t = {id, s->model, strlen(id), strlen(s->model), v, s->d, 0};
    return xfv_gallery_add_template(s->g, &t, row->no, e);
}

/* A product of a face with the unit probe, in single precision and any order, is off by at most d + 1 roundings of the
 * face's length; its length by half as many and a few. Two scores are compared, so that twice of it counts. */
static float slack(const struct xfv_sieve *s)
{
    return 4 * ((float)s->d + 8) * FLT_EPSILON;
}

static int larger(const void *a, const void *b)
{
    float x = ((const struct kept *)a)->s, y = ((const struct kept *)b)->s;
    return (x < y) - (x > y);
}

static void thin(struct xfv_sieve *s)
{
    size_t best = s->wish.best;
    if (!best || s->n_kept <= best) return;
    qsort(s->kept, s->n_kept, sizeof *s->kept, larger);
    s->least = fmaxf(s->least, s->kept[best - 1].s - slack(s));
    while (s->n_kept > best && s->kept[s->n_kept - 1].s < s->least) free(s->kept[--s->n_kept].v);
}

static int keep(struct xfv_sieve *s, const struct row *row, float score, const float *v, struct xfv_err *e)
{
    int full = s->n_kept == s->cap_kept;
    if (full) thin(s);
    if (score < s->least) return 0;
    if (full && 2 * s->n_kept >= s->cap_kept) {
        size_t cap = xfv_more(s->cap_kept, 2 * s->wish.best + 64);
        if (!XFV_GROW(s->kept, cap)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        s->cap_kept = cap;
    }
    float *copy = xfv_aligned_alloc(s->d * sizeof *copy);
    if (!copy) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    memcpy(copy, v, s->d * sizeof *copy);
    s->kept[s->n_kept++] = (struct kept){*row, score, copy};
    return 0;
}

/* 1: single precision can tell its length, which goes into *length. */
static int has_length(const float *v, size_t d, float *length)
{
    float sum = cblas_sdot((int)d, v, 1, v, 1);
    *length = sqrtf(sum);
    return sum > 1e-20F && sum < 1e30F;
}

/* Let go of a block's faces, or keep them. */
static int sift(struct xfv_sieve *s, struct block *b, struct xfv_err *e)
{
    float products[ROWS];
    int status = 0;
    cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)b->n, (int)s->d, 1, b->v, (int)s->d, s->unit, 1, 0, products, 1);
    for (size_t i = 0; i < b->n && !status; i++) {
        const float *v = b->v + i * s->d;
        float length;
        if (!has_length(v, s->d, &length) || !strcmp(s->ids.bytes + b->rows[i].id, s->probe)) {
            status = to_gallery(s, &b->rows[i], v, e);
            continue;
        }
        float score = products[i] / length;
        s->g->seen++;
        if (score >= s->least) status = keep(s, &b->rows[i], score, v, e);
    }
    b->n = 0;
    return status;
}

static void free_block(struct block *b)
{
    free(b->v);
    free(b);
}

/* All that wait: sifted, or into the gallery. */
static int empty_blocks(struct xfv_sieve *s, struct xfv_err *e)
{
    int status = 0;
    while (s->first) {
        struct block *b = s->first;
        if (s->unit && !status) status = sift(s, b, e);
        for (size_t i = 0; i < b->n && !status; i++) status = to_gallery(s, &b->rows[i], b->v + i * s->d, e);
        s->first = b->next;
        free_block(b);
    }
    s->last = NULL;
    return status;
}

/* ---- as faces come ---- */

static int new_block(struct xfv_sieve *s, struct xfv_err *e)
{
    struct block *b = calloc(1, sizeof *b);
    if (!b || !(b->v = xfv_aligned_alloc(ROWS * s->d * sizeof *b->v))) {
        free(b);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    if (s->last) s->last->next = b;
    else s->first = b;
    s->last = b;
    return 0;
}

/* The newest face is the probe. Without a length it has no answer, and the usual way says so. */
static int begin(struct xfv_sieve *s, struct xfv_err *e)
{
    const float *v = s->last->v + (s->last->n - 1) * s->d;
    float length, *unit = xfv_aligned_alloc(s->d * sizeof *unit);
    if (!unit) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!has_length(v, s->d, &length)) {
        free(unit);
        s->over = 1;
        return empty_blocks(s, e);
    }
    for (size_t k = 0; k < s->d; k++) unit[k] = v[k] / length;
    s->unit = unit;
    float above = (float)s->wish.above - slack(s);
    s->least = above > -2 ? above : -2;
    return empty_blocks(s, e);
}

int xfv_sieve_add(struct xfv_sieve *s, const struct xfv_template *t, uint64_t no, struct xfv_err *e)
{
    size_t id = add_id(&s->ids, t->id, t->id_n);
    if (id == SIZE_MAX) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!s->d) {
        s->d = t->n;
        memcpy(s->model, t->model, t->model_n);
    }
    int odd = t->n != s->d || strlen(s->model) != t->model_n || memcmp(t->model, s->model, t->model_n);
    if (odd && !s->unit && !s->over) {
        s->over = 1;
        int status = empty_blocks(s, e);
        if (status) return status;
    }
    if (odd || s->over) return xfv_gallery_add_template(s->g, t, no, e);
    struct block *b = s->last;
    int status = b && b->n < ROWS ? 0 : b && s->unit ? sift(s, b, e) : new_block(s, e);
    if (status) return status;
    b = s->last;
    xfv_template_floats(t, b->v + b->n * s->d);
    b->rows[b->n++] = (struct row){id, no};
    return !s->unit && !strcmp(s->ids.bytes + id, s->probe) ? begin(s, e) : 0;
}

int xfv_sieve_finish(struct xfv_sieve *s, struct xfv_err *e)
{
    int status = settle(&s->ids) ? xfv_fail(e, XFV_ENOMEM, "out of memory") : empty_blocks(s, e);
    thin(s);
    s->g->seen -= s->n_kept; /* the gallery counts them again */
    for (size_t i = 0; i < s->n_kept && !status; i++) status = to_gallery(s, &s->kept[i].row, s->kept[i].v, e);
    xfv_gallery_sort(s->g);
    return status;
}

struct xfv_sieve *xfv_sieve_new(const char *probe, const struct xfv_wish *wish, struct xfv_gallery *g)
{
    struct xfv_sieve *s = calloc(1, sizeof *s);
    if (s) *s = (struct xfv_sieve){.probe = probe, .wish = *wish, .g = g};
    return s;
}

void xfv_sieve_free(struct xfv_sieve *s)
{
    if (!s) return;
    while (s->first) {
        struct block *b = s->first;
        s->first = b->next;
        free_block(b);
    }
    for (size_t i = 0; i < s->n_kept; i++) free(s->kept[i].v);
    free(s->kept);
    free(s->unit);
    free(s->ids.bytes);
    free(s->ids.slots);
    free(s);
}
