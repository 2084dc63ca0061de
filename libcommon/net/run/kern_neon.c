/* 64-bit ARM, where every processor has Advanced SIMD: two registers of four lanes count as one vector of eight. */
#include "net/run/kern_internal.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#define VL 8
typedef struct { float32x4_t l, h; } V;
static inline V V_LD(const float *p) { return (V){vld1q_f32(p), vld1q_f32(p + 4)}; }
static inline void V_ST(float *p, V v) { vst1q_f32(p, v.l), vst1q_f32(p + 4, v.h); }
static inline V V_SET1(float x) { return (V){vdupq_n_f32(x), vdupq_n_f32(x)}; }
static inline V V_ZERO(void) { return V_SET1(0.0f); }
static inline V V_ADD(V a, V b) { return (V){vaddq_f32(a.l, b.l), vaddq_f32(a.h, b.h)}; }
static inline V V_MUL(V a, V b) { return (V){vmulq_f32(a.l, b.l), vmulq_f32(a.h, b.h)}; }
static inline V V_SUB(V a, V b) { return (V){vsubq_f32(a.l, b.l), vsubq_f32(a.h, b.h)}; }
static inline V V_FMA(V a, V b, V c) { return (V){vfmaq_f32(c.l, a.l, b.l), vfmaq_f32(c.h, a.h, b.h)}; }
static inline V V_PRELU(V v, V s)
{
    return (V){vbslq_f32(vcgtzq_f32(v.l), v.l, vmulq_f32(v.l, s.l)),
               vbslq_f32(vcgtzq_f32(v.h), v.h, vmulq_f32(v.h, s.h))};
}
static const uint32_t lane_bit[8] = {1, 2, 4, 8, 16, 32, 64, 128};
static inline V V_MASK(V v, const uint8_t *p, V s)
{
    uint32x4_t on = vdupq_n_u32(*p);
    return (V){vbslq_f32(vtstq_u32(on, vld1q_u32(lane_bit)), v.l, vmulq_f32(v.l, s.l)),
               vbslq_f32(vtstq_u32(on, vld1q_u32(lane_bit + 4)), v.h, vmulq_f32(v.h, s.h))};
}
static inline void V_SIGN(V v, uint8_t *p)
{
    uint32x4_t l = vandq_u32(vcgtzq_f32(v.l), vld1q_u32(lane_bit)),
               h = vandq_u32(vcgtzq_f32(v.h), vld1q_u32(lane_bit + 4));
    *p = (uint8_t)vaddvq_u32(vorrq_u32(l, h));
}
#define NV 2
#define MR(nv) 6
#define KERN xfv_kern_neon
#define KERN_NAME "neon"
#include "net/run/kern_body.h"
#else
typedef int xfv_not_arm_neon;
#endif
