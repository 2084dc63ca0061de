/* Numbers drawn at random, the same on every machine: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom
 * number generators", OOPSLA 2014). Its state is a counter, so each independent piece of work starts a stream from a
 * hash of its own name: what a pair gets does not depend on the pairs before it or on the worker. */
#ifndef XFV_BASE_RANDOM_H
#define XFV_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct xfv_random { uint64_t state; };

/* The stream of a seed and a name (n bytes; n 0: none): state = mix(seed) xor FNV-1a(name). */
struct xfv_random xfv_random_new(uint64_t seed, const void *name, size_t n);
uint64_t xfv_random_u64(struct xfv_random *r);
double xfv_random_unit(struct xfv_random *r);             /* uniform in [0, 1): the top 53 bits */
uint32_t xfv_random_below(struct xfv_random *r, uint32_t n); /* uniform in 0..n-1, n >= 1, without bias */
/* standard normal, Box and Muller's cosine branch: two numbers a call */
double xfv_random_normal(struct xfv_random *r);
void xfv_random_shuffle(struct xfv_random *r, uint32_t *v, size_t n); /* Fisher and Yates, from the end */

#endif
