#include "net/run/kern_internal.h"

#include <stdlib.h>
#include <string.h>

#include "net/run/net.h"

static const struct xfv_kernels *choose(void)
{
    const char *want = getenv("XFV_KERNELS");
    if (want && !strcmp(want, "generic")) return &xfv_kern_generic;
#if defined(__x86_64__)
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx512 && want && !strcmp(want, "avx512-tall")) return &xfv_kern_tall_avx512;
    if (avx512 && !(want && !strcmp(want, "avx2"))) return &xfv_kern_avx512;
    return avx2 ? &xfv_kern_avx2 : &xfv_kern_generic;
#elif defined(__aarch64__)
    return &xfv_kern_neon;
#else
    return &xfv_kern_generic;
#endif
}

const struct xfv_kernels *xfv_kernels(void)
{
    /* Two threads that get here first both compute the same answer. */
    static const struct xfv_kernels *chosen;
    const struct xfv_kernels *k = __atomic_load_n(&chosen, __ATOMIC_ACQUIRE);
    if (!k) {
        k = choose();
        __atomic_store_n(&chosen, k, __ATOMIC_RELEASE);
    }
    return k;
}

const char *xfv_net_kernels(void)
{
    return xfv_kernels()->name;
}

void xfv_pack(const struct xfv_kernels *k, const float *w, size_t ldw, size_t rows, int n, float *out)
{
    int padded = xfv_pad16(n);
    for (int c = 0; c < padded; c += k->panel) {
        int width = padded - c < k->panel ? padded - c : k->panel;
        for (size_t r = 0; r < rows; r++)
            for (int j = 0; j < width; j++) *out++ = c + j < n ? w[r * ldw + (size_t)(c + j)] : 0.0f;
    }
}
