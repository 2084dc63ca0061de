#include "base/hash.h"
#include "base/random.h"

#include <math.h>

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct xfv_random xfv_random_new(uint64_t seed, const void *name, size_t n)
{
    return (struct xfv_random){mix(seed + 0x9e3779b97f4a7c15u) ^ (n ? xfv_hash(XFV_HASH_START, name, n) : 0)};
}

uint64_t xfv_random_u64(struct xfv_random *r)
{
    r->state += 0x9e3779b97f4a7c15u;
    return mix(r->state);
}

double xfv_random_unit(struct xfv_random *r)
{
    return (double)(xfv_random_u64(r) >> 11) * 0x1p-53;
}

uint32_t xfv_random_below(struct xfv_random *r, uint32_t n)
{
    uint64_t span = UINT64_C(1) << 32, end = span - span % n, v;
    do v = xfv_random_u64(r) >> 32;
    while (v >= end);
    return (uint32_t)(v % n);
}

double xfv_random_normal(struct xfv_random *r)
{
    double u = 1.0 - xfv_random_unit(r), v = xfv_random_unit(r);
    return sqrt(-2.0 * log(u)) * cos(2.0 * 3.14159265358979323846 * v);
}

void xfv_random_shuffle(struct xfv_random *r, uint32_t *v, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = xfv_random_below(r, (uint32_t)i);
        uint32_t t = v[i - 1];
        v[i - 1] = v[j];
        v[j] = t;
    }
}
