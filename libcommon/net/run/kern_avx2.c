#include "net/run/kern_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define VL 8
typedef __m256 V;
#define V_LD(p) _mm256_loadu_ps(p)
#define V_ST(p, v) _mm256_storeu_ps(p, v)
#define V_SET1(x) _mm256_set1_ps(x)
#define V_ZERO() _mm256_setzero_ps()
#define V_ADD(a, b) _mm256_add_ps(a, b)
#define V_MUL(a, b) _mm256_mul_ps(a, b)
#define V_SUB(a, b) _mm256_sub_ps(a, b)
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
static inline V prelu8(V v, V s)
{
    return _mm256_blendv_ps(_mm256_mul_ps(v, s), v, _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GT_OQ));
}
static inline V mask8(V v, const uint8_t *p, V s)
{
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i on = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(*p), bit), bit);
    return _mm256_blendv_ps(_mm256_mul_ps(v, s), v, _mm256_castsi256_ps(on));
}
#define V_PRELU(v, s) prelu8(v, s)
#define V_MASK(v, p, s) mask8(v, p, s)
#define V_SIGN(v, p) (*(p) = (uint8_t)_mm256_movemask_ps(_mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GT_OQ)))
#define NV 2
#define MR(nv) 6
#define KERN xfv_kern_avx2
#define KERN_NAME "avx2"
#include "net/run/kern_body.h"
#else
typedef int xfv_not_x86_avx2;
#endif
