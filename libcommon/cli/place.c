#define _GNU_SOURCE /* O_TMPFILE */
#include "cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/internal.h"

/* ---- temporary names that a signal must remove ---- */

/* The handler may only read: entries are set and cleared with the signals blocked. */
#define MAX_LIVE 16
static char *live[MAX_LIVE];
static const int fatal[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGXCPU};
enum { N_FATAL = sizeof fatal / sizeof *fatal };

static void remove_live(int sig)
{
    xfv_out_remove_live();
    /* SA_RESETHAND has put the default action back: the shell is to see the signal, not a status. */
    raise(sig);
}

static void block(sigset_t *old)
{
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < N_FATAL; i++) sigaddset(&set, fatal[i]);
    sigprocmask(SIG_BLOCK, &set, old);
}

static void unblock(const sigset_t *old)
{
    int saved = errno;
    sigprocmask(SIG_SETMASK, old, NULL);
    errno = saved;
}

static void install_handlers(void)
{
    static int done;
    if (done) return;
    done = 1;
    for (int i = 0; i < N_FATAL; i++) {
        struct sigaction old, sa = {.sa_handler = remove_live, .sa_flags = (int)SA_RESETHAND};
        sigemptyset(&sa.sa_mask);
        /* nohup: what is ignored stays ignored */
        if (!sigaction(fatal[i], NULL, &old) && old.sa_handler != SIG_IGN) sigaction(fatal[i], &sa, NULL);
    }
}

static int set_live(char *from, char *to)
{
    for (int i = 0; i < MAX_LIVE; i++) {
        if (live[i] != from) continue;
        live[i] = to;
        return 0;
    }
    return -1;
}

void xfv_out_remove_live(void)
{
    for (int i = 0; i < MAX_LIVE; i++)
        if (live[i]) unlink(live[i]);
}

/* ---- what a path means ---- */

int xfv_place_descriptor(const char *path)
{
    static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(path, names[i])) return i;
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(folders[i]);
        if (strncmp(path, folders[i], n)) continue;
        char *end;
        long fd = strtol(path + n, &end, 10);
        return path[n] >= '0' && path[n] <= '9' && !*end && fd <= INT_MAX ? (int)fd : -1;
    }
    return -1;
}

/* The folder of a path: malloc'ed. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

/* What the link at path leads to: malloc'ed; NULL with errno 0: no link. */
static char *target_of(const char *path)
{
    char to[PATH_MAX];
    const char *slash = strrchr(path, '/');
    ssize_t n = readlink(path, to, sizeof to - 1);
    if (n < 0) return errno = 0, NULL;
    to[n] = '\0';
    size_t before = to[0] == '/' || !slash ? 0 : (size_t)(slash - path) + 1;
    char *joined = malloc(before + (size_t)n + 1);
    if (joined) memcpy(joined, path, before), memcpy(joined + before, to, (size_t)n + 1);
    else errno = ENOMEM;
    return joined;
}

/* *path through all its links, a dangling one too. */
static int follow(char **path)
{
    for (int i = 0; i < 40 && xfv_place_descriptor(*path) < 0; i++) {
        char *next = target_of(*path);
        if (!next) return errno ? -1 : 0;
        free(*path);
        *path = next;
    }
    if (xfv_place_descriptor(*path) >= 0) return 0;
    errno = ELOOP;
    return -1;
}

static void look(struct xfv_place *p)
{
    struct stat st;
    p->was.direct = xfv_place_descriptor(p->path) >= 0;
    if (p->was.direct || stat(p->path, &st)) return;
    p->was.exists = 1;
    p->was.direct = !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
    p->was.mode = st.st_mode & 0777;
    p->was.dev = st.st_dev;
    p->was.ino = st.st_ino;
    if (!S_ISREG(st.st_mode)) return;
    int fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return;
    ssize_t n = read(fd, p->was.head, sizeof p->was.head);
    p->was.n = n > 0 ? (size_t)n : 0;
    close(fd);
}

int xfv_place_find(struct xfv_place *p, const char *path, struct xfv_err *e)
{
    *p = (struct xfv_place){.path = strdup(path), .fd = -1};
    if (!p->path) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (follow(&p->path)) {
        int status = xfv_fail(e, XFV_EIO, "cannot write '%s'", path);
        xfv_place_discard(p);
        return status;
    }
    look(p);
    return 0;
}

/* ---- made ---- */

/* A file without a name in the folder, if it can be given one later. */
static int open_unnamed(const char *path)
{
    char *folder = folder_of(path);
    int fd = folder && !access("/proc/self/fd", X_OK) ? open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) : -1;
    free(folder);
    return fd;
}

/* Calls make(p, name) with names beside p until one is new: that name into p->tmp. */
static int name_beside(struct xfv_place *p, int (*make)(struct xfv_place *p, const char *name))
{
    size_t cap = strlen(p->path) + 48;
    char *name = malloc(cap);
    sigset_t old;
    int status = -1;
    if (!name) return errno = ENOMEM, -1;
    install_handlers();
    block(&old);
    for (int i = 0; i < 100; i++) { /* another file of this name: a killed run's, with our process number by chance */
        int k = snprintf(name, cap, "%s.tmp.%ld", p->path, (long)getpid());
        if (i) snprintf(name + k, cap - (size_t)k, ".%d", i);
        status = make(p, name);
        if (!status || errno != EEXIST) break;
    }
    if (!status && set_live(NULL, name)) {
        unlink(name);
        errno = EMFILE;
        status = -1;
    }
    unblock(&old);
    if (status) free(name);
    else p->tmp = name;
    return status;
}

static int open_named(struct xfv_place *p, const char *name)
{
    p->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return p->fd < 0 ? -1 : 0;
}

static int open_in_place(struct xfv_place *p)
{
    int fd = xfv_place_descriptor(p->path);
    if (fd < 0) return p->fd = open(p->path, O_WRONLY | O_CLOEXEC | O_NOCTTY), p->fd < 0 ? -1 : 0;
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1) return -1;
    if ((flags & O_ACCMODE) == O_RDONLY) return errno = EBADF, -1;
    p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return p->fd < 0 ? -1 : 0;
}

int xfv_place_make(struct xfv_place *p, unsigned mode, struct xfv_err *e)
{
    int bad;
    if (p->was.direct) bad = open_in_place(p);
    else if (p->was.exists && access(p->path, W_OK)) bad = -1; /* a write-protected file is not to be replaced */
    else bad = (p->fd = open_unnamed(p->path)) < 0 && name_beside(p, open_named);
    if (bad) return xfv_fail(e, XFV_EIO, "cannot write '%s'", p->path);
    mode_t wanted = mode ? (mode_t)mode : p->was.mode;
    if (!p->was.direct && wanted) (void)fchmod(p->fd, wanted);
    return 0;
}

/* ---- named ---- */

static int link_unnamed(struct xfv_place *p, const char *name)
{
    char self[40];
    snprintf(self, sizeof self, "/proc/self/fd/%d", p->fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
}

static int give_name(struct xfv_place *p)
{
    if (p->was.direct) return 0;
    if (!p->tmp && !p->was.exists && !link_unnamed(p, p->path)) return 0;
    if (!p->tmp && name_beside(p, link_unnamed)) return -1;
    return rename(p->tmp, p->path);
}

static int open_folder(const char *path)
{
    char *folder = folder_of(path);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    return fd;
}

int xfv_place_commit(struct xfv_place *p, int sync, struct xfv_err *e)
{
    int status = 0, wanted = sync && !p->was.direct;
    sigset_t old;
    block(&old);
    int folder = wanted ? open_folder(p->path) : -1; /* before the name is given: what fails now leaves the old file */
    if ((wanted && folder < 0) || give_name(p)) status = xfv_fail(e, XFV_EIO, "cannot write '%s'", p->path);
    else if (p->tmp) set_live(p->tmp, NULL), free(p->tmp), p->tmp = NULL;
    if (!status && wanted && fsync(folder)) status = xfv_fail(e, XFV_EIO, "cannot write the folder of '%s'", p->path);
    if (folder >= 0) close(folder);
    unblock(&old);
    xfv_place_discard(p);
    return status;
}

void xfv_place_discard(struct xfv_place *p)
{
    sigset_t old;
    block(&old);
    if (p->path && p->fd >= 0) close(p->fd);
    if (p->tmp) {
        unlink(p->tmp);
        set_live(p->tmp, NULL);
    }
    unblock(&old);
    free(p->path);
    free(p->tmp);
    *p = (struct xfv_place){.fd = -1};
}
