/* The same bits from another tile: for measuring processors whose better tile we do not know. */
#include "net/run/kern_internal.h"

#if defined(__x86_64__)
#include "net/run/kern_avx512.h"

#define NV 2
#define MR(nv) 14
#define KERN_NAME "avx512-tall"
#define KERN xfv_kern_tall_avx512
#include "net/run/kern_body.h"
#else
typedef int xfv_not_x86_tall_avx512;
#endif
