/* AVX-512 for net/run/kern_body.h, whose tile the including file chooses. */
#include <immintrin.h>
#include <string.h>

#define VL 16
typedef __m512 V;
#define V_LD(p) _mm512_loadu_ps(p)
#define V_ST(p, v) _mm512_storeu_ps(p, v)
#define V_SET1(x) _mm512_set1_ps(x)
#define V_ZERO() _mm512_setzero_ps()
#define V_ADD(a, b) _mm512_add_ps(a, b)
#define V_MUL(a, b) _mm512_mul_ps(a, b)
#define V_SUB(a, b) _mm512_sub_ps(a, b)
#define V_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
static inline V prelu16(V v, V s)
{
    return _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NGT_UQ), v, s);
}
static inline V mask16(V v, const uint8_t *p, V s)
{
    uint16_t on;
    memcpy(&on, p, sizeof on);
    return _mm512_mask_mul_ps(v, _knot_mask16(on), v, s);
}
static inline void sign16(V v, uint8_t *p)
{
    uint16_t on = (uint16_t)_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_GT_OQ);
    memcpy(p, &on, sizeof on);
}
#define V_PRELU(v, s) prelu16(v, s)
#define V_MASK(v, p, s) mask16(v, p, s)
#define V_SIGN(v, p) sign16(v, p)
