/* How the programs calculate: denormal numbers are numbers, but within a network, where they are zero. Neither OpenBLAS
 * nor a compiler's start file sets flush-to-zero or denormals-are-zero, in the caller's thread or in a worker, before a
 * network has run or after; docs/trust.md says so. */
#include <cblas.h>
#include <math.h>
#include <stdatomic.h>

#include "../tap.h"
#include "cli/cli.h"

#ifdef __x86_64__
#include <immintrin.h>
static unsigned flags(void) { return _mm_getcsr() & 0xe040u; } /* flush to zero, rounding, denormals are zero */
#else
static unsigned flags(void) { return 0; }
#endif

/* 1 when the smallest numbers survive arithmetic here. */
static int gradual(void)
{
    volatile float least = 1.17549435e-38f, half = 0.5f;
    volatile float below = least * half, back = below + below;
    return below > 0 && back == least && fpclassify(below) == FP_SUBNORMAL;
}

static void look(void *ctx, int i, int worker)
{
    (void)i, (void)worker;
    if (gradual() && flags() == 0) atomic_fetch_add((atomic_int *)ctx, 1);
}

int main(void)
{
    OK(gradual() && flags() == 0, "denormal numbers are kept, rounding is to nearest");
    xfv_library_net.start();
    OK(gradual() && flags() == 0, "also when OpenBLAS has started");
    float a[4] = {1e-20f, 0, 0, 0}, b[4] = {1e-20f, 0, 0, 0}, c[4] = {0};
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 2, 2, 2, 1, a, 2, b, 2, 0, c, 2);
    OK(c[0] > 0 && c[0] < 1.0e-38f, "a product of matrices may be one (%g)", (double)c[0]);
    atomic_int n = 0;
    struct xfv_pool *p = xfv_pool_new(3);
    xfv_pool_run(p, 64, look, &n);
    OK(atomic_load(&n) == 64, "and in every worker (%d of 64 looks)", atomic_load(&n));
    xfv_pool_free(p);
    return tap_done();
}
