/* The workers: every item once, in order of taking, any number of runs, no more workers than asked for. */
#include <stdatomic.h>
#include <time.h>

#include "../tap.h"
#include "cli/cli.h"

struct seen { atomic_int count[1000], worker_max; };

static void visit(void *ctx, int i, int worker)
{
    struct seen *s = ctx;
    atomic_fetch_add(&s->count[i], 1);
    if (worker > atomic_load(&s->worker_max)) atomic_store(&s->worker_max, worker);
}

static void slow(void *ctx, int i, int worker)
{
    struct timespec t = {0, 20 * 1000 * 1000};
    (void)i, (void)worker;
    nanosleep(&t, NULL);
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check_size(int jobs)
{
    static struct seen s;
    struct xfv_pool *p = xfv_pool_new(jobs);
    int wrong = 0;
    memset(&s, 0, sizeof s);
    for (int run = 0; run < 200; run++) xfv_pool_run(p, run % 7, visit, &s);
    for (int i = 0; i < 6; i++) {
        int expected = 0;
        for (int run = 0; run < 200; run++) expected += i < run % 7;
        wrong += atomic_load(&s.count[i]) != expected;
    }
    xfv_pool_run(p, 1000, visit, &s);
    for (int i = 6; i < 1000; i++) wrong += atomic_load(&s.count[i]) != 1;
    OK(wrong == 0, "%d workers: every item of 201 runs exactly once (%d wrong)", jobs, wrong);
    OK(atomic_load(&s.worker_max) < jobs && xfv_pool_size(p) == jobs, "%d workers: worker numbers below the size",
       jobs);
    xfv_pool_free(p);
}

int main(void)
{
    check_size(1);
    check_size(2);
    check_size(7);
    atomic_int n = 0;
    struct xfv_pool *p = xfv_pool_new(4);
    double cpu = cpu_seconds();
    xfv_pool_run(p, 16, slow, &n);
    cpu = cpu_seconds() - cpu;
    OK(atomic_load(&n) == 16, "run returns when all items are done");
    OK(cpu < 0.06, "no busy waiting: %.3f s of processor time in 0.08 s of sleep by four", cpu);
    xfv_pool_free(p);
    n = 0;
    xfv_pool_run(NULL, 2, slow, &n);
    OK(atomic_load(&n) == 2, "no pool is a pool of one");
    xfv_pool_free(NULL);
    return tap_done();
}
