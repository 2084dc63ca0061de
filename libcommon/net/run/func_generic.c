/* Plain C: four lanes written out, which compilers map to SSE2, NEON or nothing. */
#include "net/run/func_internal.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define VL 4
typedef struct { float f[VL]; } V;
#define LOOP(to, expr) \
    for (int i = 0; i < VL; i++) (to).f[i] = (expr); \
    return to
static inline V V_LD(const float *p) { V v; LOOP(v, p[i]); }
static inline void V_ST(float *p, V v) { memcpy(p, v.f, sizeof v.f); }
static inline V V_SET1(float x) { V v; LOOP(v, x); }
static inline V V_ADD(V a, V b) { LOOP(a, a.f[i] + b.f[i]); }
static inline V V_SUB(V a, V b) { LOOP(a, a.f[i] - b.f[i]); }
static inline V V_MUL(V a, V b) { LOOP(a, a.f[i] * b.f[i]); }
static inline V V_DIV(V a, V b) { LOOP(a, a.f[i] / b.f[i]); }
static inline V V_SQRT(V v) { LOOP(v, sqrtf(v.f[i])); }
static inline V V_FMA(V a, V b, V c) { LOOP(c, c.f[i] + a.f[i] * b.f[i]); }
static inline V V_FNMA(V a, V b, V c) { LOOP(c, c.f[i] - a.f[i] * b.f[i]); }
/* A product of floats is exact in double. */
static inline V V_LOST(V t, V s) { LOOP(s, (float)((double)t.f[i] * (double)t.f[i] - (double)s.f[i])); }
static inline V V_MAX(V a, V b) { LOOP(b, a.f[i] > b.f[i] ? a.f[i] : b.f[i]); }
static inline V V_MIN(V a, V b) { LOOP(b, a.f[i] < b.f[i] ? a.f[i] : b.f[i]); }
static inline V V_LESS(V a, V b, V x, V y) { LOOP(y, a.f[i] < b.f[i] ? x.f[i] : y.f[i]); }
static inline uint32_t bits_of(float f) { uint32_t b; memcpy(&b, &f, sizeof b); return b; }
static inline float float_of(uint32_t b) { float f; memcpy(&f, &b, sizeof f); return f; }
static inline V V_ABS(V v) { LOOP(v, float_of(bits_of(v.f[i]) & 0x7fffffffu)); }
static inline V V_SIGNED(V v, V s) { LOOP(v, float_of(bits_of(v.f[i]) | (bits_of(s.f[i]) & 0x80000000u))); }
static inline V V_POW2(V t, int b) { LOOP(t, float_of((bits_of(t.f[i]) + (uint32_t)b) << 23)); }
static inline V V_GUESS(V d) { LOOP(d, float_of(0x7ef311c3u - bits_of(d.f[i]))); }
static inline V V_LD_SOME(const float *p, size_t n, float fill)
{
    V v = V_SET1(fill);
    memcpy(v.f, p, sizeof *p * n);
    return v;
}
static inline void V_ST_SOME(float *p, V v, size_t n) { memcpy(p, v.f, sizeof *p * n); }
#define FUNC xfv_func_generic
#include "net/run/func_body.h"
