#define _GNU_SOURCE
#include "cli/guard/broker.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/internal.h"

enum { MOST_OPEN = 16 };
enum op { OPEN, COMMIT, DISCARD };
struct request { enum op op; int number, sync; char path[PATH_MAX]; };
struct reply { struct xfv_err e; int number; struct xfv_before was; };

static pid_t child;

/* ---- the broker's side ---- */

/* "why-%03d.png" and "why-007.png" */
static int fits(const char *agreed, const char *path)
{
    const char *percent = strchr(agreed, '%');
    if (!percent) return !strcmp(agreed, path);
    size_t before = (size_t)(percent - agreed);
    const char *after = percent + 1 + strspn(percent + 1, "0123456789");
    if (*after != 'd' || strncmp(agreed, path, before)) return 0;
    size_t digits = strspn(path + before, "0123456789");
    return digits && !strcmp(after + 1, path + before + digits);
}

static int is_agreed(const struct xfv_agreed *a, const char *path)
{
    for (int i = 0; i < a->n; i++)
        if (fits(a->path[i], path)) return 1;
    return 0;
}

/* Of the many files that a number can mean only pictures of ours are meant: whoever asks may be a hostile input. */
static int is_spared(const struct xfv_agreed *a, const char *path, const struct xfv_before *was)
{
    for (int i = 0; i < a->n; i++)
        if (!strcmp(a->path[i], path)) return 0;
    return !a->force && was->n && !xfv_out_kind_fits(XFV_OUT_IMAGE, was->head, was->n);
}

static int open_place(const struct xfv_agreed *a, struct xfv_place *places, const struct request *q, struct reply *r)
{
    int i = 0;
    if (!is_agreed(a, q->path)) return xfv_fail(&r->e, XFV_EARG, "'%s' was not agreed on", q->path);
    while (i < MOST_OPEN && places[i].path) i++;
    if (i == MOST_OPEN) return xfv_fail(&r->e, XFV_EARG, "more than %d outputs at a time", MOST_OPEN);
    int status = xfv_place_find(&places[i], q->path, &r->e);
    r->was = places[i].was;
    r->number = i;
    if (!status && is_spared(a, q->path, &r->was))
        status = xfv_fail(&r->e, XFV_EARG, "'%s' exists and is no %s: it is not overwritten without --force", q->path,
                          xfv_out_kind_name(XFV_OUT_IMAGE));
    else if (!status) status = xfv_place_make(&places[i], a->mode, &r->e);
    if (status && places[i].path) xfv_place_discard(&places[i]);
    return status;
}

static int answer(int to, const struct reply *r, int fd)
{
    union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } u = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)r, .iov_len = sizeof *r};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n;
    if (fd >= 0) {
        m.msg_control = u.room;
        m.msg_controllen = sizeof u.room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    do n = sendmsg(to, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof *r ? 0 : -1;
}

static void serve(int from, const struct xfv_agreed *a)
{
    static struct xfv_place places[MOST_OPEN];
    static struct request q;
    for (;;) {
        ssize_t n = read(from, &q, sizeof q);
        struct reply r = {0};
        int status = 0;
        if (n < 0 && errno == EINTR) continue;
        if (n != (ssize_t)sizeof q || q.number < 0 || q.number >= MOST_OPEN) break;
        q.path[sizeof q.path - 1] = '\0';
        struct xfv_place *p = &places[q.number];
        if (q.op == OPEN) status = open_place(a, places, &q, &r);
        else if (!p->path) status = xfv_fail(&r.e, XFV_EARG, "no such output");
        else if (q.op == COMMIT) status = xfv_place_commit(p, q.sync, &r.e);
        else xfv_place_discard(p);
        if (answer(from, &r, q.op == OPEN && !status ? places[r.number].fd : -1)) break;
    }
    for (int i = 0; i < MOST_OPEN; i++)
        if (places[i].path) xfv_place_discard(&places[i]);
}

void xfv_close_where(int (*wanted)(void *ctx, int fd), void *ctx)
{
    DIR *d = opendir("/proc/self/fd");
    if (!d) {
        for (int fd = 0; fd < 1024; fd++)
            if (wanted(ctx, fd)) close(fd);
        return;
    }
    int own = dirfd(d);
    for (struct dirent *x; (x = readdir(d));) {
        int fd = atoi(x->d_name);
        if (x->d_name[0] != '.' && fd != own && wanted(ctx, fd)) close(fd);
    }
    closedir(d);
}

static int is_another(void *ctx, int fd)
{
    return fd != *(int *)ctx;
}

int xfv_broker_start(const struct xfv_agreed *a, struct xfv_err *e)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return xfv_fail(e, XFV_EIO, "cannot start the process that names the output");
    child = fork();
    if (child < 0) {
        int status = xfv_fail(e, XFV_EIO, "cannot start the process that names the output");
        close(ends[0]);
        close(ends[1]);
        return status;
    }
    if (child == 0) {
        static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGTSTP, SIGXCPU};
        for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
        /* who waits for the end of the program's output is not to wait for the broker */
        xfv_close_where(is_another, &ends[1]);
        serve(ends[1], a);
        _exit(0);
    }
    close(ends[1]);
    return ends[0];
}

/* ---- the program's side ---- */

static int take_answer(int broker, struct reply *r, int *fd)
{
    union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } u;
    struct iovec part = {.iov_base = r, .iov_len = sizeof *r};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = u.room, .msg_controllen = sizeof u.room};
    ssize_t n;
    do n = recvmsg(broker, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof *r) return -1;
    if (!fd || r->e.status) return 0;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_type != SCM_RIGHTS) return -1;
    memcpy(fd, CMSG_DATA(c), sizeof *fd);
    return 0;
}

static int ask(int broker, const struct request *q, struct reply *r, int *fd, struct xfv_err *e)
{
    ssize_t n;
    do n = write(broker, q, sizeof *q);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof *q || take_answer(broker, r, fd)) {
        errno = EIO; /* not EPIPE: the reader of the output is still there */
        return xfv_fail(e, XFV_EIO, "the process that names the output is gone");
    }
    if (r->e.status) *e = r->e;
    return r->e.status;
}

int xfv_broker_open(int broker, const char *path, int *fd, struct xfv_before *was, struct xfv_err *e)
{
    struct request q = {.op = OPEN};
    struct reply r;
    if (strlen(path) >= sizeof q.path) return errno = ENAMETOOLONG, xfv_fail(e, XFV_EIO, "cannot write '%s'", path);
    strcpy(q.path, path);
    int status = ask(broker, &q, &r, fd, e);
    *was = r.was;
    return status ? status : r.number;
}

int xfv_broker_commit(int broker, int number, int sync, struct xfv_err *e)
{
    struct request q = {.op = COMMIT, .number = number, .sync = sync};
    struct reply r;
    return ask(broker, &q, &r, NULL, e);
}

void xfv_broker_discard(int broker, int number)
{
    struct request q = {.op = DISCARD, .number = number};
    struct reply r;
    struct xfv_err e;
    (void)ask(broker, &q, &r, NULL, &e);
}

void xfv_broker_end(int broker)
{
    close(broker);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
}
