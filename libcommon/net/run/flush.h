/* Subnormal numbers (below 1.2e-38) count as zero while a network runs: x86 takes a hundred times longer over an
 * instruction that meets one, and trained networks are full of channels that died to 1e-20 and less, whose products are
 * subnormal. Zero in their place changes no result that is not itself that small. Set and put back around each pass:
 * the rest of a program, and a caller's own state, keep gradual underflow. Other processors are not slowed. */
#ifndef XFV_NET_RUN_FLUSH_H
#define XFV_NET_RUN_FLUSH_H

#ifdef __x86_64__
#include <immintrin.h>

/* Returns the state before, for xfv_flush_end. Per thread. */
static inline unsigned xfv_flush_begin(void)
{
    unsigned was = _mm_getcsr();
    _mm_setcsr(was | _MM_FLUSH_ZERO_ON | 0x40u); /* 0x40: also operands (_MM_DENORMALS_ZERO_ON, of another header) */
    return was;
}

static inline void xfv_flush_end(unsigned was)
{
    _mm_setcsr(was);
}
#else
static inline unsigned xfv_flush_begin(void)
{
    return 0;
}

static inline void xfv_flush_end(unsigned was)
{
    (void)was;
}
#endif
#endif
