#include "net/run/func_internal.h"

#include <string.h>

#include "net/run/kern_internal.h"

const struct xfv_func *xfv_func(void)
{
#if defined(__x86_64__)
    const char *base = xfv_kernels()->base;
    if (!strncmp(base, "avx512", 6)) return &xfv_func_avx512;
    if (!strncmp(base, "avx2", 4)) return &xfv_func_avx2;
#endif
    return &xfv_func_generic;
}
