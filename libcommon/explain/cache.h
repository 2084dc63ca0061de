/* A bounded store of what was computed for a face, by the bytes of its image: the entry used least recently makes
 * room. */
#ifndef XFV_EXPLAIN_CACHE_H
#define XFV_EXPLAIN_CACHE_H

#include <stddef.h>

#include "base/err.h"

struct xfv_cache;

struct xfv_cache *xfv_cache_new(size_t max_entries, void (*free_value)(void *)); /* NULL when out of memory */
void xfv_cache_free(struct xfv_cache *c); /* frees all values; NULL is fine */
void xfv_cache_clear(struct xfv_cache *c);
/* The value of this key, or NULL. A value found becomes the most recently used one. */
void *xfv_cache_find(struct xfv_cache *c, const void *key, size_t n);
/* Store a value that is not there yet; the key is copied. The cache owns the value afterwards, except on failure
 * (XFV_ENOMEM). The last max_entries values that find or put touched are never the ones that are freed. */
int xfv_cache_put(struct xfv_cache *c, const void *key, size_t n, void *value, struct xfv_err *e);
/* Free the oldest one when the cache is full, so that the next value can take its memory. */
void xfv_cache_make_room(struct xfv_cache *c);

#endif
