#include <cblas.h>

#include "cli/cli.h"
#include "net/net.h"

/* One thread: parallelism is ours, over fixed chunks, and OpenBLAS's results depend on its thread count. */
static void start(void)
{
    openblas_set_num_threads(1);
}

static void version(FILE *f)
{
    static const char *const threading[] = {"sequential", "pthreads", "OpenMP"};
    int kind = openblas_get_parallel();
    fprintf(f, "%s\nOpenBLAS core %s, %s build, %d thread used\n", openblas_get_config(), openblas_get_corename(),
            kind >= 0 && kind < 3 ? threading[kind] : "unknown", openblas_get_num_threads());
    fprintf(f, "kernels %s\n", xfv_net_kernels());
}

const struct xfv_part xfv_part_net = {start, version};
