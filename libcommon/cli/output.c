/* Output files: agreed on and opened before anything is read, named when whole, dropped on failure. See cli/place.h and
 * cli/guard/broker.h. */
#define _GNU_SOURCE /* F_DUPFD_CLOEXEC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replaced.h"
#include "cli/guard/broker.h"
#include "cli/internal.h"

struct xfv_outfile {
    int fd;
    char *path; /* as it was asked for */
    enum xfv_out_kind kind;
    int number; /* the broker's; -1: place is our own */
    struct xfv_place place;
    struct xfv_before was;
    struct xfv_outfile *next;
};

static struct {
    unsigned mode;
    int force, sync;
    int broker;                /* -1: none, places are our own */
    struct xfv_outfile *ready; /* open, not yet asked for */
} all = {.broker = -1};

void xfv_out_set_mode(unsigned mode)
{
    all.mode = mode;
}

unsigned xfv_out_mode(void)
{
    return all.mode;
}

int xfv_out_is_stdout(const char *path)
{
    return !path || !strcmp(path, "-") || xfv_place_descriptor(path) == STDOUT_FILENO;
}

static void free_outfile(struct xfv_outfile *o)
{
    if (o->was.ino) xfv_replaced_remove(o->was.dev, o->was.ino);
    free(o->path);
    free(o);
}

/* ---- opened ---- */

static int open_own(struct xfv_outfile *o, struct xfv_err *e)
{
    int status = xfv_place_make(&o->place, all.mode, e);
    if (status) return status;
    o->fd = fcntl(o->place.fd, F_DUPFD_CLOEXEC, 3);
    return o->fd < 0 ? xfv_fail(e, XFV_EIO, "cannot write '%s'", o->path) : 0;
}

static int open_by_broker(struct xfv_outfile *o, struct xfv_err *e)
{
    o->number = xfv_broker_open(all.broker, o->path, &o->fd, &o->was, e);
    return o->number < 0 ? o->number : 0;
}

/* sealed: files may not be opened any more, only asked for. */
static int open_new(struct xfv_outfile **out, const char *path, int sealed, struct xfv_err *e)
{
    struct xfv_outfile *o = calloc(1, sizeof *o);
    *out = NULL;
    if (!o || !(o->path = strdup(path))) {
        free(o);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    o->fd = o->place.fd = o->number = -1;
    int status = sealed ? 0 : xfv_place_find(&o->place, path, e);
    o->was = o->place.was;
    if (!status) status = sealed || (all.broker >= 0 && !o->was.direct) ? open_by_broker(o, e) : open_own(o, e);
    if (o->number >= 0) xfv_place_discard(&o->place);
    if (!status && o->was.ino) status = xfv_replaced_add(o->was.dev, o->was.ino, e);
    if (!status) return *out = o, 0;
    xfv_outfile_discard(o);
    return status;
}

/* Of two outputs with one name the first would be lost. */
static int check_apart(const char *path, const char *other, struct xfv_err *e)
{
    struct xfv_place a, b;
    if (xfv_place_find(&a, path, e)) return 0; /* opening it says why */
    int same = !xfv_place_find(&b, other, e) && xfv_place_same(&a, &b);
    if (b.path) xfv_place_discard(&b);
    xfv_place_discard(&a);
    return same ? xfv_fail(e, XFV_EARG, "'%s' is named for two outputs: give each a name of its own", path) : 0;
}

int xfv_outputs_start(const struct xfv_agreed *a, int numbered, int alone, struct xfv_err *e)
{
    int wanted = 0, status = 0;
    for (int i = 0; i < a->n; i++) wanted |= xfv_place_descriptor(a->path[i]) < 0;
    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < i; j++)
            if (check_apart(a->path[i], a->path[j], e)) return e->status;
    if (wanted && !alone && (all.broker = xfv_broker_start(a, e)) < 0) return all.broker;
    for (int i = 0; i < a->n && !status; i++) {
        struct xfv_outfile *o;
        if (numbered && strchr(a->path[i], '%')) continue;
        if (!(status = open_new(&o, a->path[i], 0, e))) o->next = all.ready, all.ready = o;
    }
    return status;
}

void xfv_outputs_set(int force, int sync)
{
    all.force = force;
    all.sync = sync;
}

int xfv_outputs_broker(void)
{
    return all.broker;
}

void xfv_outputs_end(void)
{
    while (all.ready) {
        struct xfv_outfile *o = all.ready;
        all.ready = o->next;
        xfv_outfile_discard(o);
    }
    if (all.broker >= 0) xfv_broker_end(all.broker);
    all.broker = -1;
}

static int check_kind(const struct xfv_outfile *o, struct xfv_err *e)
{
    if (all.force || !o->was.exists || o->was.direct || !o->was.n) return 0;
    if (xfv_out_kind_fits(o->kind, o->was.head, o->was.n)) return 0;
    return xfv_fail(e, XFV_EARG, "'%s' exists and is no %s: it is not overwritten without --force", o->path,
                    xfv_out_kind_name(o->kind));
}

int xfv_outfile_open(struct xfv_outfile **out, const char *path, enum xfv_out_kind kind, struct xfv_err *e)
{
    struct xfv_outfile **at = &all.ready;
    int status = 0;
    while (*at && strcmp((*at)->path, path)) at = &(*at)->next;
    *out = *at;
    if (*at) *at = (*at)->next;
    else status = open_new(out, path, all.broker >= 0, e);
    if (status) return status;
    (*out)->kind = kind;
    if (!(status = check_kind(*out, e))) return 0;
    xfv_outfile_discard(*out);
    *out = NULL;
    return status;
}

int xfv_outfile_fd(const struct xfv_outfile *o)
{
    return o->fd;
}

/* ---- written ---- */

int xfv_outfile_write(struct xfv_outfile *o, const void *data, size_t n, struct xfv_err *e)
{
    const char *p = data;
    while (n > 0) {
        ssize_t k = write(o->fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return xfv_fail(e, XFV_EIO, "cannot write '%s'", o->path);
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

static int close_fd(struct xfv_outfile *o, int sync)
{
    int bad = sync && !o->was.direct && fsync(o->fd);
    int saved = errno, also = close(o->fd);
    if (bad) errno = saved;
    o->fd = -1;
    return bad || also;
}

int xfv_outfile_commit(struct xfv_outfile *o, struct xfv_err *e)
{
    int sync = all.sync || o->kind == XFV_OUT_MODEL || o->kind == XFV_OUT_PAGE;
    if (close_fd(o, sync)) {
        int status = xfv_fail(e, XFV_EIO, "cannot write '%s'", o->path);
        xfv_outfile_discard(o);
        return status;
    }
    int status = o->number >= 0 ? xfv_broker_commit(all.broker, o->number, sync, e)
                                : xfv_place_commit(&o->place, sync, e);
    free_outfile(o);
    return status;
}

void xfv_outfile_discard(struct xfv_outfile *o)
{
    if (!o) return;
    if (o->fd >= 0) close(o->fd);
    if (o->number >= 0 && all.broker >= 0) xfv_broker_discard(all.broker, o->number);
    else xfv_place_discard(&o->place);
    free_outfile(o);
}

void xfv_die_of_sigpipe(void)
{
    sigset_t set;
    xfv_out_remove_live();
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(SIGPIPE);
    _exit(XFV_EXIT_SYSTEM); /* not reached */
}
