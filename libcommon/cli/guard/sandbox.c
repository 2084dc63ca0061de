/* What a program gives up before it reads its first byte: see SANDBOX in xfv(7). */
#define _XOPEN_SOURCE 700
#include "cli/guard/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
static const char *watcher(void)
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

/* The call has not been made. Whoever made it may have taken the process over: nothing is trusted, the output is dropped. */
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
    const char *const parts[] = {program_name, ": stopped by its sandbox: system call ", name, " (", digits + d,
                                 "), which it never makes by itself: an input may be hostile (see SANDBOX in xfv(7))\n"};
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

void xfv_cli_may_read(struct xfv_cli *c, const char *path)
{
    struct stat st;
    if (c->rules < 0 || !strcmp(path, "-")) return;
    /* A folder given by mistake is still opened, so that the message is the usual one. */
    int folder = !stat(path, &st) && S_ISDIR(st.st_mode);
    xfv_landlock_allow(c->rules, path, folder ? XFV_MAY_LIST : XFV_MAY_READ);
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

void xfv_cli_may_write(struct xfv_cli *c, const char *path)
{
    struct stat st;
    if (xfv_out_is_stdout(path)) return;
    c->writes_files = 1;
    if (c->rules < 0) return;
    if (!stat(path, &st) && !S_ISDIR(st.st_mode)) xfv_landlock_allow(c->rules, path, XFV_MAY_WRITE); /* a device, or what a /dev/fd/N stands for */
    char *folder = xfv_out_folder(path);
    if (folder) xfv_landlock_allow(c->rules, folder, XFV_MAY_WRITE | XFV_MAY_MAKE);
    free(folder);
}

static void may_read_model(void *ctx, const char *path)
{
    xfv_cli_may_read(ctx, path);
}

/* ---- the lock ---- */

static void open_rules(struct xfv_cli *c)
{
    c->rules = xfv_landlock_new();
    for (int i = 0; i < c->n_operands; i++) xfv_cli_may_read(c, c->operands[i]);
    if (c->p->flags & (XFV_TAKES_MODEL | XFV_READS_MODELS)) xfv_model_each_file(may_read_model, c);
    if (c->model) xfv_cli_may_read(c, c->model);
    if (c->out_path) xfv_cli_may_write(c, c->out_path);
    for (int i = 0; i < c->n_paths; i++) {
        if (c->paths[i].writes) xfv_cli_may_write(c, c->paths[i].name);
        else xfv_cli_may_read(c, c->paths[i].name);
    }
}

int xfv_sandbox_prepare(struct xfv_cli *c, struct xfv_err *e)
{
    const char *why = c->no_sandbox ? "--no-sandbox" : c->runs_programs ? "--exec runs a program of yours" : watcher();
    c->rules = -1;
    if (why) xfv_cli_info(c, "sandbox: off, %s", why);
    if (why) c->sealed = 1;
    else open_rules(c);
    return why || (c->p->flags & XFV_SEALS_LATER) ? 0 : xfv_cli_seal(c, e);
}

int xfv_cli_seal(struct xfv_cli *c, struct xfv_err *e)
{
    if (c->sealed) return 0;
    c->sealed = 1;
    int files = xfv_landlock_enforce(c->rules) == 0;
    c->rules = -1;
    catch_hostile_calls(c->p->name);
    int status = xfv_seccomp_enforce(c->writes_files ? XFV_WRITES_FILES : XFV_WRITES_NOTHING);
    if (status == XFV_ENOMEM) return xfv_fail(e, status, "out of memory");
    c->filtered = status == 0;
    xfv_cli_info(c, "sandbox: system calls %s; files %s", c->filtered ? "filtered by seccomp" : "not filtered, the kernel has no seccomp",
                 files ? "confined by Landlock" : "not confined, the kernel has no Landlock");
    return 0;
}

void xfv_sandbox_output_is_open(struct xfv_cli *c)
{
    int more = 0;
    for (int i = 0; i < c->n_paths; i++) more |= c->paths[i].writes;
    if (c->filtered && c->out && !more) xfv_seccomp_enforce(XFV_WRITES_OPEN);
}
