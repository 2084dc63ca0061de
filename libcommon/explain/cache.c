#include "explain/cache.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/hash.h"

struct entry { void *key, *value; size_t n; uint64_t hash, used; };

/* Few and large entries: a list that is searched from end to end, by hash first. */
struct xfv_cache {
    struct entry *v;
    size_t n, cap, max;
    uint64_t clock;
    void (*free_value)(void *);
};

/* FNV-1a of words of eight bytes, folded: the key is compared after all. */
static uint64_t hash_of(const void *key, size_t n)
{
    const unsigned char *p = key;
    uint64_t h = XFV_HASH_START, word;
    for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        h = xfv_hash_word(h, word);
        h ^= h >> 32; /* the product's high bits would never come down */
    }
    return xfv_hash(h, p, n);
}

struct xfv_cache *xfv_cache_new(size_t max_entries, void (*free_value)(void *))
{
    struct xfv_cache *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->max = max_entries > 0 ? max_entries : 1;
    c->free_value = free_value;
    return c;
}

static void drop(struct xfv_cache *c, size_t i)
{
    free(c->v[i].key);
    c->free_value(c->v[i].value);
    c->v[i] = c->v[--c->n];
}

void xfv_cache_clear(struct xfv_cache *c)
{
    while (c->n) drop(c, c->n - 1);
}

void xfv_cache_free(struct xfv_cache *c)
{
    if (!c) return;
    xfv_cache_clear(c);
    free(c->v);
    free(c);
}

void *xfv_cache_find(struct xfv_cache *c, const void *key, size_t n)
{
    uint64_t hash = hash_of(key, n);
    for (size_t i = 0; i < c->n; i++) {
        struct entry *x = &c->v[i];
        if (x->hash != hash || x->n != n || memcmp(x->key, key, n)) continue;
        x->used = ++c->clock;
        return x->value;
    }
    return NULL;
}

void xfv_cache_make_room(struct xfv_cache *c)
{
    size_t oldest = 0;
    if (c->n < c->max) return;
    for (size_t i = 1; i < c->n; i++)
        if (c->v[i].used < c->v[oldest].used) oldest = i;
    drop(c, oldest);
}

int xfv_cache_put(struct xfv_cache *c, const void *key, size_t n, void *value, struct xfv_err *e)
{
    xfv_cache_make_room(c);
    if (c->n == c->cap) {
        size_t cap = xfv_more(c->cap, 8);
        if (!XFV_GROW(c->v, cap)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        c->cap = cap;
    }
    void *copy = malloc(n ? n : 1);
    if (!copy) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    memcpy(copy, key, n);
    c->v[c->n++] = (struct entry){copy, value, n, hash_of(key, n), ++c->clock};
    return 0;
}
