#include "net/run/blas.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct xfv_blas state;

struct xfv_blas xfv_blas_used(void)
{
    if (!state.used) state = (struct xfv_blas){openblas_get_corename(), openblas_get_corename(), NULL};
    return state;
}

#if defined __x86_64__ && defined __linux__

/* Exported by builds that choose at run time (DYNAMIC_ARCH); not in any header. */
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

enum width { SSE, AVX2, AVX512 };

static enum width width_of_core(const char *name)
{
    static const struct { const char *name; enum width width; } wide[] = {
        {"SkylakeX", AVX512}, {"Cooperlake", AVX512}, {"SapphireRapids", AVX512}, {"Haswell", AVX2}, {"Zen", AVX2},
    };
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (!strcasecmp(name, wide[i].name)) return wide[i].width;
    return SSE;
}

static enum width width_of_processor(void)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return SSE;
    int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512cd");
    return wide ? AVX512 : AVX2;
}

static void take(const char *core)
{
    setenv("OPENBLAS_CORETYPE", core, 1);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv("OPENBLAS_CORETYPE");
}

/* One product by the kernels at hand against its definition; sides that no tile divides. */
static int multiplies(void)
{
    enum { M = 37, N = 29, K = 61 };
    static float a[M * K], b[K * N], c[M * N];
    for (int i = 0; i < M * K; i++) a[i] = (float)((i * 37) % 101 - 50) / 64;
    for (int i = 0; i < K * N; i++) b[i] = (float)((i * 53) % 97 - 48) / 64;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, M, N, K, 1, a, K, b, N, 0, c, N);
    for (int i = 0; i < M * N; i++) {
        double sum = 0;
        for (int k = 0; k < K; k++) sum += (double)a[i / N * K + k] * (double)b[k * N + i % N];
        if (!(fabs(sum - (double)c[i]) < 1e-3)) return 0;
    }
    return 1;
}

struct xfv_blas xfv_blas_fit(void)
{
    const char *wish = getenv("OPENBLAS_CORETYPE");
    enum width can = width_of_processor();
    state = (struct xfv_blas){openblas_get_corename(), openblas_get_corename(), NULL};
    if (width_of_core(state.found) >= can) return state;
    if (wish && *wish) {
        state.why = "OPENBLAS_CORETYPE says so";
    } else if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit) {
        state.why = "this build of OpenBLAS cannot change its kernels";
    } else {
        take(can == AVX512 ? "SkylakeX" : "Haswell");
        if (!multiplies()) {
            take(state.found);
            state.why = "the kernels that would fit multiply wrongly";
        }
        state.used = openblas_get_corename();
        if (!state.why && width_of_core(state.used) < can) state.why = "OpenBLAS refuses the kernels that would fit";
    }
    return state;
}

#else

struct xfv_blas xfv_blas_fit(void)
{
    return xfv_blas_used();
}

#endif
