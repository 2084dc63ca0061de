#include "net/run/func_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define VL 8
typedef __m256 V;
#define V_LD(p) _mm256_loadu_ps(p)
#define V_ST(p, v) _mm256_storeu_ps(p, v)
#define V_SET1(x) _mm256_set1_ps(x)
#define V_ADD(a, b) _mm256_add_ps(a, b)
#define V_SUB(a, b) _mm256_sub_ps(a, b)
#define V_MUL(a, b) _mm256_mul_ps(a, b)
#define V_DIV(a, b) _mm256_div_ps(a, b)
#define V_SQRT(v) _mm256_sqrt_ps(v)
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define V_FNMA(a, b, c) _mm256_fnmadd_ps(a, b, c)
#define V_LOST(t, s) _mm256_fmsub_ps(t, t, s)
#define V_MAX(a, b) _mm256_max_ps(a, b)
#define V_MIN(a, b) _mm256_min_ps(a, b)
#define V_LESS(a, b, x, y) _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ))
#define V_ABS(v) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v)
#define V_SIGNED(v, s) _mm256_or_ps(v, _mm256_and_ps(s, _mm256_set1_ps(-0.0f)))
static inline V pow2(V t, int b)
{
    return _mm256_castsi256_ps(
        _mm256_slli_epi32(_mm256_add_epi32(_mm256_castps_si256(t), _mm256_set1_epi32(b)), 23));
}
#define V_POW2(t, b) pow2(t, b)
static inline V guess(V d)
{
    return _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_set1_epi32(0x7ef311c3), _mm256_castps_si256(d)));
}
#define V_GUESS(d) guess(d)
static inline __m256i first(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline V load_some(const float *p, size_t n, float fill)
{
    __m256i m = first(n);
    return _mm256_blendv_ps(_mm256_set1_ps(fill), _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m));
}
#define V_LD_SOME(p, n, fill) load_some(p, n, fill)
#define V_ST_SOME(p, v, n) _mm256_maskstore_ps(p, first(n), v)
#define FUNC xfv_func_avx2
#include "net/run/func_body.h"
#else
typedef int xfv_not_x86_func_avx2;
#endif
