/* Output files: written beside, renamed when whole, removed on failure and when a signal ends the program. */
#define _XOPEN_SOURCE 700 /* realpath */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/internal.h"

/* Temporary files that a signal must remove. The handler may only read: entries are set and cleared with the signals blocked. */
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

int xfv_out_is_stdout(const char *path)
{
    return !path || !strcmp(path, "-") || !strcmp(path, "/dev/stdout") || !strcmp(path, "/dev/fd/1");
}

static void free_outfile(struct xfv_outfile *o)
{
    free(o->path);
    free(o->tmp);
    free(o);
}

/* The file that `path` means: through a symbolic link, so that the link stays one. malloc'ed. */
static char *final_path(const char *path)
{
    struct stat st;
    if (!lstat(path, &st) && S_ISLNK(st.st_mode)) {
        char *real = realpath(path, NULL);
        if (real) return real;
    }
    return strdup(path);
}

char *xfv_out_folder(const char *path)
{
    char *p = final_path(path), *percent = p ? strchr(p, '%') : NULL, *slash;
    if (!p) return NULL;
    if (percent) *percent = '\0'; /* the rest is a pattern: of a folder's name, too, if need be */
    slash = strrchr(p, '/');
    if (!slash) {
        free(p);
        return strdup(".");
    }
    slash[slash == p] = '\0';
    return p;
}

static mode_t wanted_mode;

void xfv_out_set_mode(unsigned mode)
{
    wanted_mode = (mode_t)mode;
}

static int open_beside(struct xfv_outfile *o, mode_t mode, struct xfv_err *e)
{
    size_t cap = strlen(o->path) + 48;
    o->tmp = malloc(cap);
    if (!o->tmp) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    sigset_t old;
    install_handlers();
    block(&old);
    for (int i = 0; i < 100; i++) { /* another file of this name: a killed run's, with our process number by chance */
        int k = snprintf(o->tmp, cap, "%s.tmp.%ld", o->path, (long)getpid());
        if (i) snprintf(o->tmp + k, cap - (size_t)k, ".%d", i);
        o->fd = open(o->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (o->fd >= 0 || errno != EEXIST) break;
    }
    if (o->fd >= 0 && set_live(NULL, o->tmp)) {
        unlink(o->tmp);
        close(o->fd);
        o->fd = -1;
        errno = EMFILE;
    }
    int saved = errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    errno = saved;
    if (o->fd < 0) {
        int status = xfv_fail(e, XFV_EIO, "cannot write '%s'", o->path);
        free(o->tmp);
        o->tmp = NULL;
        return status;
    }
    if (wanted_mode) mode = wanted_mode;
    if (mode) (void)fchmod(o->fd, mode);
    return 0;
}

int xfv_outfile_open(struct xfv_outfile **out, const char *path, struct xfv_err *e)
{
    struct stat st;
    int status;
    *out = NULL;
    struct xfv_outfile *o = calloc(1, sizeof *o);
    if (!o || !(o->path = final_path(path))) {
        free(o);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    o->fd = -1;
    int exists = !stat(path, &st);
    /* The name of a descriptor or device leads to what is open there: never to be renamed over. */
    int direct = (exists && !S_ISREG(st.st_mode)) || !strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6);
    if (direct) {
        o->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        status = o->fd < 0 ? xfv_fail(e, XFV_EIO, "cannot write '%s'", path) : 0;
    } else if (exists && access(path, W_OK)) {
        status = xfv_fail(e, XFV_EIO, "cannot write '%s'", path); /* a write-protected file is not to be replaced */
    } else {
        status = open_beside(o, exists ? st.st_mode & 0777 : 0, e);
    }
    if (status) {
        free_outfile(o);
        return status;
    }
    *out = o;
    return 0;
}

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

int xfv_outfile_commit(struct xfv_outfile *o, struct xfv_err *e)
{
    int status = 0;
    sigset_t old;
    block(&old);
    if (o->fd >= 0 && close(o->fd)) status = xfv_fail(e, XFV_EIO, "cannot write '%s'", o->path);
    if (!status && o->tmp && rename(o->tmp, o->path)) status = xfv_fail(e, XFV_EIO, "cannot rename '%s' to '%s'", o->tmp, o->path);
    if (status && o->tmp) unlink(o->tmp);
    if (o->tmp) set_live(o->tmp, NULL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    free_outfile(o);
    return status;
}

void xfv_outfile_discard(struct xfv_outfile *o)
{
    if (!o) return;
    sigset_t old;
    block(&old);
    if (o->fd >= 0) close(o->fd);
    if (o->tmp) {
        unlink(o->tmp);
        set_live(o->tmp, NULL);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    free_outfile(o);
}
