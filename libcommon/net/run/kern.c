#define _DEFAULT_SOURCE /* syscall */
#include "net/run/kern_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "net/run/kern_terms.h"
#include "net/run/net.h"

static int has_avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 0;
#endif
}

static int has_avx512(void)
{
#if defined(__x86_64__)
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
    return 0;
#endif
}

static const struct xfv_kernels *best(void)
{
#if defined(__x86_64__)
    return has_avx512() ? &xfv_kern_avx512 : has_avx2() ? &xfv_kern_avx2 : &xfv_kern_generic;
#elif defined(__aarch64__)
    return &xfv_kern_neon;
#else
    return &xfv_kern_generic;
#endif
}

/* AMX is there, and the system lets this process use its registers. */
static int amx_ready(struct xfv_err *e)
{
#if defined(__x86_64__) && defined(__linux__)
    enum { AVX512_BF16 = 1 << 5, AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 };
    enum { ARCH_REQ_XCOMP_PERM_CALL = 0x1023, TILE_DATA = 18 };
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!has_avx512() || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & AMX_BF16) || !(d & AMX_TILE) ||
        !__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a & AVX512_BF16))
        return xfv_fail(e, XFV_EARG, "this processor has no AMX (amx_tile, amx_bf16 and avx512_bf16)");
    if (syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM_CALL, TILE_DATA))
        return xfv_fail(e, XFV_EARG, "the system does not grant AMX's registers (arch_prctl ARCH_REQ_XCOMP_PERM: %s)",
                        strerror(errno));
    return 0;
#else
    return xfv_fail(e, XFV_EARG, "AMX is used on Linux, on x86-64 processors that have it");
#endif
}

/* The best kernels with products of 1x1 convolutions by terms. */
static int with_terms(const char *name, struct xfv_kernels *k, struct xfv_err *e)
{
    int amx = !strncmp(name, "amx", 3), status = amx ? amx_ready(e) : 0;
    *k = *best();
    if (status) return status;
    k->name = name;
    k->terms = strchr(name, '3') ? 2 : 3;
    k->gemm_terms = k->terms == 2 ? xfv_gemm_two_terms : xfv_gemm_three_terms;
#if defined(__x86_64__)
    if (amx) k->gemm_terms = k->terms == 2 ? xfv_amx_two_terms : xfv_amx_three_terms;
#endif
    return 0;
}

static struct { const struct xfv_kernels *k; struct xfv_kernels terms; struct xfv_err refused; int status; } chosen;

/* The kernels of this name, or NULL and why not. */
static const struct xfv_kernels *named(const char *want, struct xfv_err *e)
{
    static const char *const by_terms[] = {"amx3", "amx6", "plain3", "plain6"};
    for (int i = 0; i < 4; i++)
        if (!strcmp(want, by_terms[i])) return with_terms(by_terms[i], &chosen.terms, e) ? NULL : &chosen.terms;
    if (!strcmp(want, "generic")) return &xfv_kern_generic;
#if defined(__x86_64__)
    static const struct xfv_kernels *const wide[] = {&xfv_kern_avx2, &xfv_kern_avx512, &xfv_kern_tall_avx512};
    for (int i = 0; i < 3; i++) {
        if (strcmp(want, wide[i]->name)) continue;
        if (i ? has_avx512() : has_avx2()) return wide[i];
        xfv_fail(e, XFV_EARG, "this processor does not have these instructions");
        return NULL;
    }
#elif defined(__aarch64__)
    if (!strcmp(want, "neon")) return &xfv_kern_neon;
#endif
    xfv_fail(e, XFV_EARG, "none has this name: generic, avx2, avx512, avx512-tall, amx3, amx6, plain3, plain6");
    return NULL;
}

static void choose(void)
{
    const char *want = getenv("XFV_KERNELS");
    struct xfv_err why = {0};
    chosen.k = want && *want ? named(want, &why) : best();
    if (chosen.k) return;
    chosen.k = best();
    chosen.status = xfv_fail(&chosen.refused, XFV_EARG, "XFV_KERNELS asks for kernels '%.20s': %s", want, why.msg);
}

static void choose_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
}

const struct xfv_kernels *xfv_kernels(void)
{
    choose_once();
    return chosen.k;
}

int xfv_kernels_refused(struct xfv_err *e)
{
    choose_once();
    return chosen.status ? xfv_fail(e, chosen.status, "%s", chosen.refused.msg) : 0;
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
