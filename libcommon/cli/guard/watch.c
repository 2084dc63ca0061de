/* --timeout: what does not look at its deadline (a decoder inside a library) cannot be stopped, a thread cannot be
 * killed; so a record that takes much longer ends the program, with a sentence. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/internal.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/escape.h"
#include "base/toint.h"

enum { SLACK = 2 }; /* seconds: a busy machine is no hang */

struct slot { double since; uint64_t no; char id[200]; };

struct xfv_watch {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int stop, n;
    double seconds;
    const char *program;
    struct slot *slot; /* of each worker; since 0: idle */
};

static void give_up(const struct xfv_watch *w, const struct slot *s)
{
    char text[512];
    int k = snprintf(text, sizeof text,
                     "%s: record %llu%s%s%s takes much longer than the %g s of --timeout and cannot be stopped: the "
                     "run ends\n",
                     w->program, (unsigned long long)s->no, *s->id ? " (" : "", s->id, *s->id ? ")" : "", w->seconds);
    xfv_out_remove_live();
    if (k > 0) (void)!write(STDERR_FILENO, text, (size_t)k < sizeof text ? (size_t)k : sizeof text - 1);
    _exit(XFV_EXIT_SYSTEM);
}

static void *watch(void *arg)
{
    struct xfv_watch *w = arg;
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        double now = xfv_now(), wait = w->seconds / 4 < 0.5 ? w->seconds / 4 : 0.5;
        for (int i = 0; i < w->n; i++)
            if (w->slot[i].since > 0 && now - w->slot[i].since > 2 * w->seconds + SLACK) give_up(w, &w->slot[i]);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        long ns = until.tv_nsec + xfv_to_int(wait * 1e9, 0, 1000000000);
        until.tv_sec += ns / 1000000000;
        until.tv_nsec = ns % 1000000000;
        pthread_cond_timedwait(&w->wake, &w->lock, &until);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* Started with the first record, inside the sandbox. Without memory or a thread the deadlines alone must do. */
static struct xfv_watch *start(struct xfv_cli *c)
{
    struct xfv_watch *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->n = c->jobs;
    w->seconds = c->timeout;
    w->program = c->p->name;
    w->slot = calloc((size_t)w->n, sizeof *w->slot);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    if (w->slot && !pthread_create(&w->thread, NULL, watch, w)) return w;
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w->slot);
    free(w);
    return NULL;
}

void xfv_watch_open(struct xfv_cli *c)
{
    if (c->timeout > 0 && !c->watch) c->watch = start(c);
}

void xfv_watch_close(struct xfv_cli *c)
{
    struct xfv_watch *w = c->watch;
    if (!w) return;
    pthread_mutex_lock(&w->lock);
    w->stop = 1;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w->slot);
    free(w);
    c->watch = NULL;
}

static void set_slot(struct xfv_cli *c, int worker, double since, uint64_t no, const char *id, size_t n)
{
    struct xfv_watch *w = c->watch;
    if (!w || worker >= w->n) return;
    pthread_mutex_lock(&w->lock);
    struct slot *s = &w->slot[worker];
    s->since = since;
    s->no = no;
    s->id[0] = '\0';
    if (n && !c->private_names) xfv_escape(s->id, sizeof s->id, id, n);
    pthread_mutex_unlock(&w->lock);
}

void xfv_cli_record_begin(struct xfv_cli *c, int worker, uint64_t no, const char *id, size_t n)
{
    if (c->timeout <= 0) return;
    xfv_deadline_set(xfv_deadline_in(c->timeout));
    set_slot(c, worker, xfv_now(), no, id, n);
}

void xfv_cli_record_end(struct xfv_cli *c, int worker)
{
    if (c->timeout <= 0) return;
    xfv_deadline_set((struct xfv_deadline){0});
    set_slot(c, worker, 0, 0, "", 0);
}
