#define _GNU_SOURCE /* O_TMPFILE, O_PATH */
#include "cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/internal.h"

/* ---- temporary names that a signal must remove ---- */

/* The handler may only read: entries are set and cleared with the signals blocked. */
#define MAX_LIVE 16
static const struct xfv_place *live[MAX_LIVE];
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

static int set_live(const struct xfv_place *from, const struct xfv_place *to)
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
        if (live[i]) unlinkat(live[i]->folder, live[i]->tmp, 0);
}

/* ---- what a path means ---- */

/* The folder of a path: malloc'ed. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Is this folder, by whatever name, that of this process's descriptors? */
static int holds_descriptors(const char *folder)
{
    char own[60], real[PATH_MAX];
    if (!realpath(folder, real)) return 0;
    snprintf(own, sizeof own, "/proc/%ld/fd", (long)getpid());
    if (!strcmp(real, own)) return 1;
    snprintf(own, sizeof own, "/proc/%ld/task/", (long)getpid());
    const char *end = strrchr(real, '/');
    return !strncmp(real, own, strlen(own)) && !strcmp(end, "/fd");
}

int xfv_place_descriptor(const char *path)
{
    static const char *const names[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(path, names[i])) return i;
    const char *base = base_of(path);
    if (base == path || !*base || base[strspn(base, "0123456789")]) return -1;
    char *folder = folder_of(path);
    long fd = folder && holds_descriptors(folder) ? strtol(base, NULL, 10) : -1;
    free(folder);
    return fd <= INT_MAX ? (int)fd : -1;
}

/* A link of the kernel's to what another process has open: its text is no path. */
static int is_kernels(const char *path)
{
    struct statfs fs;
    char *folder = folder_of(path);
    int is = folder && !statfs(folder, &fs) && fs.f_type == PROC_SUPER_MAGIC;
    free(folder);
    return is;
}

/* What the link at path leads to: malloc'ed; NULL with errno 0: no link. */
static char *target_of(const char *path)
{
    char to[PATH_MAX];
    ssize_t n = is_kernels(path) ? -1 : readlink(path, to, sizeof to - 1);
    if (n < 0) return errno = 0, NULL;
    to[n] = '\0';
    size_t before = to[0] == '/' ? 0 : (size_t)(base_of(path) - path);
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

static void look_at_descriptor(struct xfv_before *was, int fd)
{
    struct stat st;
    was->direct = 1;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) return;
    was->dev = st.st_dev;
    was->ino = st.st_ino;
}

static void look_at_head(struct xfv_place *p, const char *base)
{
    int fd = openat(p->folder, base, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0) return;
    ssize_t n = read(fd, p->was.head, sizeof p->was.head);
    p->was.n = n > 0 ? (size_t)n : 0;
    close(fd);
}

/* All that a name may be but a folder, which no output replaces. */
static int look(struct xfv_place *p)
{
    struct stat st;
    const char *base = base_of(p->path);
    char *folder = folder_of(p->path);
    p->folder = folder ? open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    if (p->folder < 0) return -1;
    if (!*base) return errno = EISDIR, -1;
    if (fstatat(p->folder, base, &st, is_kernels(p->path) ? 0 : AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? 0 : -1;
    if (S_ISDIR(st.st_mode)) return errno = EISDIR, -1;
    if (S_ISLNK(st.st_mode)) return errno = ELOOP, -1; /* somebody has just made it one */
    if (S_ISREG(st.st_mode) && is_kernels(p->path)) return errno = EPERM, -1; /* another process writes there */
    p->was.exists = 1;
    p->was.direct = !S_ISREG(st.st_mode);
    p->was.mode = st.st_mode & 0777;
    p->was.dev = st.st_dev;
    p->was.ino = st.st_ino;
    if (!p->was.direct) look_at_head(p, base);
    return 0;
}

int xfv_place_find(struct xfv_place *p, const char *path, struct xfv_err *e)
{
    *p = (struct xfv_place){.path = strdup(path), .folder = -1, .fd = -1};
    if (!p->path) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int bad = follow(&p->path), fd = bad ? -1 : xfv_place_descriptor(p->path);
    if (fd >= 0) look_at_descriptor(&p->was, fd);
    else bad = bad || look(p);
    if (!bad) return 0;
    int status = xfv_fail(e, XFV_EIO, "cannot write '%s'", path);
    xfv_place_discard(p);
    return status;
}

int xfv_place_same(const struct xfv_place *a, const struct xfv_place *b)
{
    struct stat x, y;
    if (a->was.direct || b->was.direct || strcmp(base_of(a->path), base_of(b->path))) return 0;
    return !fstat(a->folder, &x) && !fstat(b->folder, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* ---- made ---- */

/* A file without a name in the folder, if it can be given one later. */
static int open_unnamed(const struct xfv_place *p)
{
    return access("/proc/self/fd", X_OK) ? -1 : openat(p->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
}

/* Calls make(p, name) with names beside p until one is new: that name into p->tmp. */
static int name_beside(struct xfv_place *p, int (*make)(struct xfv_place *p, const char *name))
{
    enum { SUFFIX = 40 };
    const char *base = base_of(p->path);
    size_t most = NAME_MAX - SUFFIX, kept = strlen(base) < most ? strlen(base) : most;
    char *name = malloc(kept + SUFFIX);
    sigset_t old;
    int status = -1;
    if (!name) return errno = ENOMEM, -1;
    install_handlers();
    block(&old);
    for (int i = 0; i < 100; i++) { /* another file of this name: a killed run's, with our process number by chance */
        int k = snprintf(name, kept + SUFFIX, "%.*s.tmp.%ld", (int)kept, base, (long)getpid());
        if (i) snprintf(name + k, kept + SUFFIX - (size_t)k, ".%d", i);
        status = make(p, name);
        if (!status || errno != EEXIST) break;
    }
    if (!status) {
        p->tmp = name;
        if (!set_live(NULL, p)) return unblock(&old), 0;
        unlinkat(p->folder, name, 0);
        p->tmp = NULL;
        errno = EMFILE;
    }
    unblock(&old);
    free(name);
    return -1;
}

static int open_named(struct xfv_place *p, const char *name)
{
    p->fd = openat(p->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return p->fd < 0 ? -1 : 0;
}

static int open_in_place(struct xfv_place *p)
{
    int fd = xfv_place_descriptor(p->path);
    if (fd < 0) return p->fd = openat(p->folder, base_of(p->path), O_WRONLY | O_CLOEXEC | O_NOCTTY), p->fd < 0 ? -1 : 0;
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
    else if (p->was.exists && faccessat(p->folder, base_of(p->path), W_OK, 0)) bad = -1; /* write-protected: kept */
    else bad = (p->fd = open_unnamed(p)) < 0 && name_beside(p, open_named);
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
    return linkat(AT_FDCWD, self, p->folder, name, AT_SYMLINK_FOLLOW);
}

static int give_name(struct xfv_place *p)
{
    const char *base = base_of(p->path);
    if (p->was.direct) return 0;
    if (!p->tmp && !p->was.exists && !link_unnamed(p, base)) return 0;
    if (!p->tmp && name_beside(p, link_unnamed)) return -1;
    return renameat(p->folder, p->tmp, p->folder, base);
}

/* No longer beside. */
static void drop_tmp(struct xfv_place *p)
{
    if (!p->tmp) return;
    set_live(p, NULL);
    free(p->tmp);
    p->tmp = NULL;
}

int xfv_place_commit(struct xfv_place *p, int sync, struct xfv_err *e)
{
    int status = 0, wanted = sync && !p->was.direct;
    sigset_t old;
    block(&old);
    /* before the name is given: what fails now leaves the old file */
    int folder = wanted ? openat(p->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if ((wanted && folder < 0) || give_name(p)) status = xfv_fail(e, XFV_EIO, "cannot write '%s'", p->path);
    else drop_tmp(p);
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
    if (p->tmp) unlinkat(p->folder, p->tmp, 0);
    drop_tmp(p);
    if (p->path && p->folder >= 0) close(p->folder);
    unblock(&old);
    free(p->path);
    *p = (struct xfv_place){.folder = -1, .fd = -1};
}
