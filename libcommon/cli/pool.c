#include <pthread.h>
#include <stdlib.h>

#include "cli/internal.h"
#include "base/deadline.h"
#include "base/wipe.h"

struct worker { struct xfv_pool *pool; int id; };

struct xfv_pool {
    int size;    /* workers, the caller's thread included */
    /* workers that have a thread by now, the caller's included; the others start with the first run, inside the
     * sandbox */
    int threaded;
    pthread_t *threads;
    struct worker *workers;
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    /* One run; all under the lock. Items are long against a lock, so taking them one at a time costs nothing that can
     * be measured. */
    unsigned long run; /* number of the run: tells a waiting worker that there is a new one */
    int n, next, busy, stop;
    void (*fn)(void *ctx, int i, int worker);
    void *ctx;
    struct xfv_deadline deadline; /* of the caller, for all */
};

/* Called with the lock held, returns with it held. */
static void take_items(struct xfv_pool *p, int id)
{
    while (p->next < p->n) {
        int i = p->next++;
        pthread_mutex_unlock(&p->lock);
        p->fn(p->ctx, i, id);
        pthread_mutex_lock(&p->lock);
    }
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct xfv_pool *p = w->pool;
    unsigned long seen = 0;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->stop && p->run == seen) pthread_cond_wait(&p->start, &p->lock);
        if (p->stop) break;
        seen = p->run;
        p->busy++;
        xfv_deadline_set(p->deadline);
        take_items(p, w->id);
        if (--p->busy == 0) pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    xfv_wipe_stack();
    return NULL;
}

struct xfv_pool *xfv_pool_new(int jobs)
{
    struct xfv_pool *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    jobs = xfv_workers_that_fit(jobs < 1 ? 1 : jobs);
    p->threads = calloc((size_t)jobs, sizeof *p->threads);
    p->workers = calloc((size_t)jobs, sizeof *p->workers);
    if (!p->threads || !p->workers || pthread_mutex_init(&p->lock, NULL)) {
        free(p->threads);
        free(p->workers);
        free(p);
        return NULL;
    }
    pthread_cond_init(&p->start, NULL);
    pthread_cond_init(&p->done, NULL);
    p->size = jobs;
    p->threaded = 1;
    return p;
}

void xfv_pool_free(struct xfv_pool *p)
{
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->stop = 1;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i < p->threaded; i++) pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->start);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    free(p->threads);
    free(p->workers);
    free(p);
}

int xfv_pool_size(const struct xfv_pool *p)
{
    return p ? p->size : 1;
}

/* Fewer when the system has no more: the others do the work. */
static void start_threads(struct xfv_pool *p)
{
    int most = p->size;
    for (; p->threaded < most; p->threaded++) {
        p->workers[p->threaded] = (struct worker){p, p->threaded};
        if (pthread_create(&p->threads[p->threaded], NULL, worker_main, &p->workers[p->threaded])) break;
    }
}

void xfv_pool_run(struct xfv_pool *p, int n, void (*fn)(void *ctx, int i, int worker), void *ctx)
{
    if (!p || p->size == 1 || n == 1) {
        for (int i = 0; i < n; i++) fn(ctx, i, 0);
        return;
    }
    if (p->threaded == 1) start_threads(p);
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->ctx = ctx;
    p->deadline = xfv_deadline_get();
    p->n = n;
    p->next = 0;
    p->run++;
    pthread_cond_broadcast(&p->start);
    take_items(p, 0);
    /* Items are all taken; a worker that wakes only now finds none and does not touch fn. */
    while (p->busy > 0) pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
