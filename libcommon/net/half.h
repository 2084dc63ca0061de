/* IEEE 754 half precision, as weights are stored in it. */
#ifndef XFV_NET_HALF_H
#define XFV_NET_HALF_H

#include <stdint.h>
#include <string.h>

/* The float of a half's bits: exact, subnormals, infinities and NaNs included. */
static inline float xfv_half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, ex = h >> 10 & 31, man = h & 0x3ff, bits;
    float f;
    if (ex == 0) { /* zero or subnormal: man * 2^-24 */
        f = (float)man * 0x1p-24f;
        return sign ? -f : f;
    }
    bits = sign | (ex == 31 ? 0x7f800000u : (ex + 112) << 23) | man << 13;
    memcpy(&f, &bits, sizeof f);
    return f;
}

#endif
