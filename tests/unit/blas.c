/* OpenBLAS on kernels that fit the processor: a wrong choice is put right, the user's stays. */
#include "net/run/blas.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

static void force(const char *core)
{
    setenv("OPENBLAS_CORETYPE", core, 1);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
}

int main(void)
{
#if defined __x86_64__
    if (!gotoblas_dynamic_init || !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        OK(1, "a wrong choice is put right # skip not on this processor, or not with this OpenBLAS");
        return tap_done();
    }
    force("Prescott");
    OK(!strcmp(openblas_get_corename(), "Prescott"), "(Prescott's kernels are forced)");
    struct xfv_blas b = xfv_blas_fit();
    OK(!strcmp(b.used, "Prescott") && b.why, "the user's OPENBLAS_CORETYPE stays, and is named as the reason");
    unsetenv("OPENBLAS_CORETYPE");
    b = xfv_blas_fit();
    OK(!strcmp(b.found, "Prescott") && strcmp(b.used, "Prescott") && !b.why, "OpenBLAS takes %s in place of %s", b.used,
       b.found);
    OK(!strcmp(openblas_get_corename(), b.used), "... and says so itself");
    OK(!getenv("OPENBLAS_CORETYPE"), "... and the environment is as it was");
    b = xfv_blas_fit();
    OK(!strcmp(b.found, b.used) && !b.why, "a choice that fits stays");
    double x[2] = {3, 4};
    OK(cblas_dnrm2(2, x, 1) == 5, "double precision, too");
#else
    OK(xfv_blas_fit().used != NULL, "OpenBLAS's own choice");
#endif
    return tap_done();
}
