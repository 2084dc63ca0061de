/* FNV-1a, 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv): names in tables, seeds of random streams, keys of caches. No
 * protection against somebody who looks for collisions: digests are SHA-256 (nettle). */
#ifndef XFV_BASE_HASH_H
#define XFV_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XFV_HASH_START UINT64_C(14695981039346656037)

/* One step: a byte, or a whole word where speed matters more than the standard's value. */
static inline uint64_t xfv_hash_word(uint64_t h, uint64_t word) { return (h ^ word) * UINT64_C(1099511628211); }

/* h, XFV_HASH_START at first, goes on over n bytes. */
static inline uint64_t xfv_hash(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;
    while (n--) h = xfv_hash_word(h, *p++);
    return h;
}

#endif
