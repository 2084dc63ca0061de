#include "net/run/func_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define VL 16
typedef __m512 V;
#define V_LD(p) _mm512_loadu_ps(p)
#define V_ST(p, v) _mm512_storeu_ps(p, v)
#define V_SET1(x) _mm512_set1_ps(x)
#define V_ADD(a, b) _mm512_add_ps(a, b)
#define V_SUB(a, b) _mm512_sub_ps(a, b)
#define V_MUL(a, b) _mm512_mul_ps(a, b)
#define V_DIV(a, b) _mm512_div_ps(a, b)
#define V_SQRT(v) _mm512_sqrt_ps(v)
#define V_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define V_FNMA(a, b, c) _mm512_fnmadd_ps(a, b, c)
#define V_LOST(t, s) _mm512_fmsub_ps(t, t, s)
#define V_MAX(a, b) _mm512_max_ps(a, b)
#define V_MIN(a, b) _mm512_min_ps(a, b)
#define V_LESS(a, b, x, y) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x)
#define V_ABS(v) _mm512_abs_ps(v)
#define V_SIGNED(v, s) _mm512_or_ps(v, _mm512_and_ps(s, _mm512_set1_ps(-0.0f)))
static inline V pow2(V t, int b)
{
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_add_epi32(_mm512_castps_si512(t), _mm512_set1_epi32(b)), 23));
}
#define V_POW2(t, b) pow2(t, b)
static inline V guess(V d)
{
    return _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_set1_epi32(0x7ef311c3), _mm512_castps_si512(d)));
}
#define V_GUESS(d) guess(d)
#define FIRST(n) ((__mmask16)((1u << (n)) - 1u))
#define V_LD_SOME(p, n, fill) _mm512_mask_loadu_ps(_mm512_set1_ps(fill), FIRST(n), p)
#define V_ST_SOME(p, v, n) _mm512_mask_storeu_ps(p, FIRST(n), v)
#define FUNC xfv_func_avx512
#include "net/run/func_body.h"
#else
typedef int xfv_not_x86_func_avx512;
#endif
