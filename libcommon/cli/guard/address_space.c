/* The limits of address space (ulimit -v, RLIMIT_AS) and of data (ulimit -d, RLIMIT_DATA), and OpenBLAS, which tries
 * for ever when it cannot map the buffer of a thread: told before it happens. */
#define _GNU_SOURCE /* program_invocation_short_name */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/internal.h"

/* MiB. A thread: OpenBLAS's buffer of 128 and, of address space, what glibc reserves for its heap, and its stack. */
static const struct bound { int resource; unsigned long start, thread; const char *name; } bounds[] = {
    {RLIMIT_AS, 128, 256, "address space (ulimit -v)"}, {RLIMIT_DATA, 16, 132, "data (ulimit -d)"}};
enum { N_BOUNDS = sizeof bounds / sizeof *bounds };

/* MiB, or 0: no limit. */
static unsigned long limit(const struct bound *b)
{
    struct rlimit most;
    int failed = b->resource == RLIMIT_AS ? getrlimit(RLIMIT_AS, &most) : getrlimit(RLIMIT_DATA, &most);
    if (failed || most.rlim_cur == RLIM_INFINITY) return 0;
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
    unsigned long threads = xfv_has_openblas() ? (unsigned long)openblas_get_num_threads() : 0;
    char text[300];
    for (int i = 0; i < N_BOUNDS && threads; i++) {
        const struct bound *b = &bounds[i];
        unsigned long most = limit(b), need = b->start + threads * b->thread;
        if (!most || most >= need) continue;
        snprintf(text, sizeof text, "the limit of %s is %lu MiB, and OpenBLAS with %lu threads may take %lu MiB%s",
                 b->name, most, threads, need, threads > 1 ? "; OPENBLAS_NUM_THREADS=1 needs less" : "");
        xfv_cli_say(NULL, program_invocation_short_name, text);
        _exit(XFV_EXIT_SYSTEM); /* exit would wait for OpenBLAS's threads, which may be trying already */
    }
}

int xfv_workers_that_fit(int jobs)
{
    for (int i = 0; i < N_BOUNDS; i++) {
        const struct bound *b = &bounds[i];
        unsigned long most = limit(b), room = most > b->start ? (most - b->start) / b->thread : 0;
        if (most && (unsigned long)jobs > room) jobs = room > 1 ? (int)room : 1;
    }
    return jobs;
}
