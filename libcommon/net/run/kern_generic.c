/* Plain C: four lanes written out, which compilers map to SSE2, NEON or nothing. */
#include "net/run/kern_internal.h"

#define VL 8
typedef struct { float f[VL]; } V;
static inline V V_LD(const float *p) { V v; for (int i = 0; i < VL; i++) v.f[i] = p[i]; return v; }
static inline void V_ST(float *p, V v) { for (int i = 0; i < VL; i++) p[i] = v.f[i]; }
static inline V V_SET1(float x) { V v; for (int i = 0; i < VL; i++) v.f[i] = x; return v; }
static inline V V_ZERO(void) { return V_SET1(0.0f); }
static inline V V_ADD(V a, V b) { for (int i = 0; i < VL; i++) a.f[i] += b.f[i]; return a; }
static inline V V_MUL(V a, V b) { for (int i = 0; i < VL; i++) a.f[i] *= b.f[i]; return a; }
static inline V V_SUB(V a, V b) { for (int i = 0; i < VL; i++) a.f[i] -= b.f[i]; return a; }
static inline V V_FMA(V a, V b, V c) { for (int i = 0; i < VL; i++) c.f[i] += a.f[i] * b.f[i]; return c; }
static inline V V_PRELU(V v, V s)
{
    for (int i = 0; i < VL; i++) v.f[i] = v.f[i] > 0.0f ? v.f[i] : v.f[i] * s.f[i];
    return v;
}
static inline V V_MASK(V v, const uint8_t *p, V s)
{
    for (int i = 0; i < VL; i++) v.f[i] = *p >> i & 1 ? v.f[i] : v.f[i] * s.f[i];
    return v;
}
static inline void V_SIGN(V v, uint8_t *p)
{
    unsigned b = 0;
    for (int i = 0; i < VL; i++) b |= (unsigned)(v.f[i] > 0.0f) << i;
    *p = (uint8_t)b;
}
#define NV 2
#define MR(nv) 4
#define KERN xfv_kern_generic
#define KERN_NAME "generic"
#include "net/run/kern_body.h"
