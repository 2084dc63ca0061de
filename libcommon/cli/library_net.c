#include <cblas.h>
#if defined(__GLIBC__) || defined(__linux__)
#include <malloc.h>
#endif

#include "cli/cli.h"
#include "net/run/blas.h"
#include "net/run/net.h"

#ifdef __linux__
extern int blas_thread_shutdown_(void) __attribute__((weak));
#endif

/* A first product, so that OpenBLAS has its buffer before a photograph takes the memory: it waits for ever for one. */
static void take_buffer(void)
{
    enum { N = 128 }; /* smaller ones take none */
    static float a[N * N], c[N * N];
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, N, N, 1, a, N, a, N, 0, c, N);
}

/* One thread: parallelism is ours, over fixed chunks, and OpenBLAS's results depend on its thread count. */
static void start(void)
{
    openblas_set_num_threads(1);
    xfv_blas_fit();
    take_buffer();
    (void)xfv_net_kernels(); /* asks the system for AMX where XFV_KERNELS wants it: the sandbox would not */
#ifdef __linux__
    if (blas_thread_shutdown_)
        blas_thread_shutdown_(); /* those it started while loading would sleep on, outside of the sandbox's Landlock */
#endif
#if defined(M_MMAP_THRESHOLD)
    /* Maps and activations of MiB come and go for as long as the stream runs. Given back to the system at once they
     * leave no holes; glibc would otherwise move them to its heap after the first one is freed, and memory would creep.
     */
    mallopt(M_MMAP_THRESHOLD, 512 << 10);
#endif
}

static void version(FILE *f)
{
    static const char *const threading[] = {"sequential", "pthreads", "OpenMP"};
    int kind = openblas_get_parallel();
    fprintf(f, "%s\nOpenBLAS core %s, %s build, %d thread used\n", openblas_get_config(), openblas_get_corename(),
            kind >= 0 && kind < 3 ? threading[kind] : "unknown", openblas_get_num_threads());
    fprintf(f, "kernels %s\n", xfv_net_kernels());
}

const struct xfv_library xfv_library_net = {start, version, (size_t)130 << 20};
