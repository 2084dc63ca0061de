#include "base/crc.h"

#include <zlib.h>

#if defined __x86_64__
#include <immintrin.h>

/* Gopal and others, "Fast CRC computation for generic polynomials using PCLMULQDQ", Intel 2009: the remainder stays
 * when 16 bytes are multiplied by x^d mod P and added to those d bits on. In reflected order: x^(d+32) for the low half,
 * x^(d-32) for the high one, one bit to the left. */
#define FOLD_BY_64 _mm_set_epi64x(0x1c6e41596, 0x154442bd4) /* d = 512 */
#define FOLD_BY_16 _mm_set_epi64x(0x0ccaa009e, 0x1751997d0) /* d = 128 */
#define CARRYLESS __attribute__((target("pclmul,sse2")))

CARRYLESS static inline __m128i fold(__m128i x, __m128i by, __m128i next)
{
    return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, by, 0x00), _mm_clmulepi64_si128(x, by, 0x11)), next);
}

CARRYLESS static inline __m128i load(const unsigned char *p, size_t i)
{
    return _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
}

/* Of n bytes, a multiple of 16, 64 at least. */
CARRYLESS static uint32_t carryless(uint32_t crc, const unsigned char *p, size_t n)
{
    const __m128i by64 = FOLD_BY_64, by16 = FOLD_BY_16;
    __m128i a = _mm_xor_si128(load(p, 0), _mm_cvtsi32_si128((int)~crc)), b = load(p, 1), c = load(p, 2), d = load(p, 3);
    size_t at = 64;
    for (; at + 64 <= n; at += 64) {
        a = fold(a, by64, load(p + at, 0));
        b = fold(b, by64, load(p + at, 1));
        c = fold(c, by64, load(p + at, 2));
        d = fold(d, by64, load(p + at, 3));
    }
    a = fold(fold(fold(a, by16, b), by16, c), by16, d);
    for (; at < n; at += 16) a = fold(a, by16, load(p + at, 0));
    unsigned char rest[16]; /* its remainder is that of all n bytes; zlib begins from 0 for ~0 */
    _mm_storeu_si128((__m128i *)(void *)rest, a);
    return (uint32_t)crc32_z(0xffffffff, rest, sizeof rest);
}

static int has_carryless(void)
{
    return __builtin_cpu_supports("pclmul") != 0;
}
#else
static uint32_t carryless(uint32_t crc, const unsigned char *p, size_t n)
{
    return (uint32_t)crc32_z(crc, p, n);
}

static int has_carryless(void)
{
    return 0;
}
#endif

uint32_t xfv_crc32(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = data;
    size_t whole = n >= 64 && has_carryless() ? n / 16 * 16 : 0;
    if (whole) crc = carryless(crc, p, whole);
    return n > whole ? (uint32_t)crc32_z(crc, p + whole, n - whole) : crc;
}
