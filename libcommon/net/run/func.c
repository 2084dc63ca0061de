#include "net/run/func_internal.h"

#include <string.h>

#include "net/run/net.h"

const struct xfv_func *xfv_func(void)
{
#if defined(__x86_64__)
    const char *kernels = xfv_net_kernels();
    if (!strncmp(kernels, "avx512", 6)) return &xfv_func_avx512;
    if (!strncmp(kernels, "avx2", 4)) return &xfv_func_avx2;
#endif
    return &xfv_func_generic;
}
