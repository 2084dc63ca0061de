/* What a program gives up before it reads its first byte: see SANDBOX in xfv(7). */
#define _XOPEN_SOURCE 700
#include "cli/guard/sandbox.h"

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
#include "net/model/model.h"

#ifdef __has_include
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#endif

/* Sanitizers and valgrind live in the same process and want calls of their own. */
const char *xfv_sandbox_watcher(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    return "this build has a sanitizer";
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
    return "this build has a sanitizer";
#endif
#endif
    return RUNNING_ON_VALGRIND ? "valgrind watches" : NULL;
}

/* ---- a call that none of our programs makes ---- */

static const char *program_name = "xfv";

/* The call has not been made. What asked for it may have taken the process over: nothing is trusted, the output is
 * dropped. */
static void on_hostile_call(int sig, siginfo_t *info, void *context)
{
    char text[256], digits[16];
    size_t n = 0, d = sizeof digits;
    (void)sig, (void)context;
#ifdef __linux__
    unsigned number = (unsigned)info->si_syscall;
#else
    unsigned number = 0;
    (void)info;
#endif
    digits[--d] = '\0';
    do digits[--d] = (char)('0' + number % 10);
    while ((number /= 10) && d);
#ifdef __linux__
    const char *name = xfv_seccomp_name(info->si_syscall);
#else
    const char *name = "?";
#endif
    const char *const parts[] = {
        program_name, ": stopped by its sandbox: system call ",
        name,         " (",
        digits + d,   "), which it never makes by itself: an input may be hostile (see SANDBOX in xfv(7))\n"};
    xfv_out_remove_live();
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (const char *s = parts[i]; *s && n < sizeof text; s++) text[n++] = *s;
    (void)!write(STDERR_FILENO, text, n);
    _exit(XFV_EXIT_SYSTEM);
}

static void catch_hostile_calls(const char *name)
{
    struct sigaction sa = {.sa_sigaction = on_hostile_call, .sa_flags = SA_SIGINFO};
    sigfillset(&sa.sa_mask);
    program_name = name;
    sigaction(SIGSYS, &sa, NULL);
}

/* ---- which files ---- */

static void allow_read(struct xfv_cli *c, const char *path, const struct stat *st)
{
    /* A folder given by mistake is still opened, so that the message is the usual one. */
    xfv_landlock_allow(c->rules, path, S_ISDIR(st->st_mode) ? XFV_MAY_LIST : XFV_MAY_READ);
}

void xfv_cli_may_read(struct xfv_cli *c, const char *path)
{
    struct stat st;
    int is_stdin = !strcmp(path, "-");
    if (is_stdin ? fstat(STDIN_FILENO, &st) : stat(path, &st)) return;
    if (!*c->eaten && S_ISREG(st.st_mode) && xfv_replaced_has(st.st_dev, st.st_ino))
        snprintf(c->eaten, sizeof c->eaten, "%.300s", is_stdin ? "standard input" : path);
    if (!is_stdin) allow_read(c, path, &st);
}

void xfv_cli_may_read_beside(struct xfv_cli *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
    if (!slash || folder) xfv_landlock_allow(c->rules, slash ? folder : ".", XFV_MAY_LIST);
    free(folder);
}

void xfv_cli_may_read_any(struct xfv_cli *c)
{
    xfv_landlock_allow(c->rules, "/", XFV_MAY_LIST);
}

/* Of the models that can be found only the one that -m names is an input for sure. */
static void may_read_model(void *ctx, const char *path)
{
    struct xfv_cli *c = ctx;
    struct stat st;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = c->model ? strlen(c->model) : 0;
    if (n && !strncmp(name, c->model, n) && !strcmp(name + n, ".xfvm")) xfv_cli_may_read(c, path);
    else if (!stat(path, &st)) allow_read(c, path, &st);
}

/* ---- the lock ---- */

static void open_rules(struct xfv_cli *c)
{
    int from_stdin = (c->p->flags & (XFV_READS_STREAM | XFV_READS_STDIN)) && !c->n_operands;
    if (from_stdin) xfv_cli_may_read(c, "-");
    for (int i = 0; i < c->n_operands; i++) xfv_cli_may_read(c, c->operands[i]);
    if (c->p->flags & (XFV_TAKES_MODEL | XFV_READS_MODELS)) xfv_model_each_file(may_read_model, c);
    if (c->model) xfv_cli_may_read(c, c->model);
    for (int i = 0; i < c->n_paths; i++)
        if (!c->paths[i].writes) xfv_cli_may_read(c, c->paths[i].name);
}

/* What a program adds to a file that it reads, it would read again without an end. */
static int note_stdout(struct xfv_err *e)
{
    struct stat st;
    if (fstat(STDOUT_FILENO, &st) || !S_ISREG(st.st_mode)) return 0;
    return xfv_replaced_add(st.st_dev, st.st_ino, e);
}

static int open_outputs(struct xfv_cli *c, int alone, struct xfv_err *e)
{
    struct xfv_agreed agreed = {0};
    c->agreed = calloc((size_t)c->n_paths + 1, sizeof *c->agreed);
    if (!c->agreed) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    agreed.path = c->agreed;
    if (!xfv_out_is_stdout(c->out_path)) c->agreed[agreed.n++] = c->out_path;
    else if (note_stdout(e)) return e->status;
    for (int i = 0; i < c->n_paths; i++)
        if (c->paths[i].writes) c->agreed[agreed.n++] = c->paths[i].name;
    agreed.mode = xfv_out_mode();
    agreed.force = c->force;
    xfv_outputs_set(c->force, c->sync);
    return xfv_outputs_start(&agreed, (c->p->flags & XFV_NUMBERS_FILES) != 0, alone, e);
}

static int check_eaten(const struct xfv_cli *c, struct xfv_err *e)
{
    if (!*c->eaten) return 0;
    return xfv_fail(e, XFV_EARG, "%s is both an input and the output: name another output", c->eaten);
}

int xfv_sandbox_prepare(struct xfv_cli *c, struct xfv_err *e)
{
    const char *why = c->no_sandbox      ? "--no-sandbox"
                      : c->runs_programs ? "--exec runs a program of yours"
                                         : xfv_sandbox_watcher();
    c->rules = -1;
    c->unsealed = why != NULL;
    int status = open_outputs(c, why != NULL, e);
    if (status) return status;
    if (!why) c->rules = xfv_landlock_new();
    open_rules(c);
    return c->p->flags & XFV_SEALS_LATER ? 0 : xfv_cli_seal(c, e);
}

/* A descriptor that the caller left open for writing, and that no argument names. Our own are closed on
 * exec; those of the outputs are duplicates by now. */
static int is_left_open(void *ctx, int fd)
{
    const struct xfv_cli *c = ctx;
    int flags = fd > STDERR_FILENO ? fcntl(fd, F_GETFD) : -1, how = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & FD_CLOEXEC) || how < 0 || (how & O_ACCMODE) == O_RDONLY) return 0;
    for (int i = 0; i < c->n_operands; i++)
        if (xfv_place_descriptor(c->operands[i]) == fd) return 0;
    for (int i = 0; i < c->n_paths; i++)
        if (xfv_place_descriptor(c->paths[i].name) == fd) return 0;
    return !c->model || xfv_place_descriptor(c->model) != fd;
}

int xfv_cli_seal(struct xfv_cli *c, struct xfv_err *e)
{
    if (check_eaten(c, e)) return e->status;
    if (c->sealed || c->unsealed) return 0;
    c->sealed = 1;
    xfv_close_where(is_left_open, c);
    (void)xfv_landlock_enforce(c->rules);
    c->rules = -1;
    catch_hostile_calls(c->p->name);
    return xfv_seccomp_enforce(xfv_outputs_broker()) == XFV_ENOMEM ? xfv_fail(e, XFV_ENOMEM, "out of memory") : 0;
}
