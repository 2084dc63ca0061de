#include "net/run/kern_internal.h"

#if defined(__x86_64__)
#include "net/run/kern_avx512.h"

/* 24 multiply-adds for 4 loads of weights and 6 of pixels. A panel's last 1 to 3 vectors are wide rather than high. */
#define NV 4
#define MR(nv) ((nv) == 4 ? 6 : (nv) == 3 ? 8 : 14)
#define KERN_NAME "avx512"
#define KERN xfv_kern_avx512
#include "net/run/kern_body.h"
#else
typedef int xfv_not_x86_avx512;
#endif
