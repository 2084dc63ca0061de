/* The limit of address space (ulimit -v, RLIMIT_AS) and OpenBLAS, which tries for ever when it cannot map the buffer of
 * a thread: told before it happens. */
#define _GNU_SOURCE /* program_invocation_short_name */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/internal.h"

/* MiB. A thread: OpenBLAS's buffer of 128, what glibc reserves for its heap, its stack */
enum { LIBRARIES = 128, THREAD = 256 };

/* MiB, or 0: no limit. */
static unsigned long limit(void)
{
    struct rlimit most;
    if (getrlimit(RLIMIT_AS, &most) || most.rlim_cur == RLIM_INFINITY) return 0;
    return most.rlim_cur < 1 << 20 ? 1 : (unsigned long)(most.rlim_cur >> 20);
}

/* NULL in programs that are not linked with OpenBLAS. */
int openblas_get_num_threads(void) __attribute__((weak));

int xfv_has_openblas(void)
{
    return openblas_get_num_threads != NULL;
}

void xfv_require_address_space(void)
{
    int threads = xfv_has_openblas() ? openblas_get_num_threads() : 0;
    unsigned long most = limit(), need = LIBRARIES + (unsigned long)threads * THREAD;
    char text[300];
    if (!threads) return;
    if (!most || most >= need) return;
    snprintf(text, sizeof text,
             "the limit of address space (ulimit -v) is %lu MiB, and OpenBLAS with %d threads may take %lu MiB%s", most,
             threads, need, threads > 1 ? "; OPENBLAS_NUM_THREADS=1 needs less" : "");
    xfv_cli_say(NULL, program_invocation_short_name, text);
    _exit(XFV_EXIT_SYSTEM); /* exit would wait for OpenBLAS's threads, which may be trying already */
}

int xfv_workers_that_fit(int jobs)
{
    unsigned long most = limit(), room = most > LIBRARIES ? (most - LIBRARIES) / THREAD : 0;
    return !most || (unsigned long)jobs <= room ? jobs : room > 1 ? (int)room : 1;
}
