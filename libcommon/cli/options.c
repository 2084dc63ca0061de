/* Options, help and version: one getopt_long table made of the program's own options and the common ones. */
#define _DEFAULT_SOURCE /* getopt_long */
#define _GNU_SOURCE     /* sched_getaffinity */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/internal.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/wipe.h"

/* ---- the common options: their set functions get the struct xfv_cli ---- */

static int set_jobs(void *ctx, const char *v, struct xfv_err *e)
{
    struct xfv_cli *c = ctx;
    long n;
    int status = xfv_parse_int("--jobs", v, 0, 256, &n, e);
    if (status) return status;
    if (n == 0) {
        cpu_set_t set;
        n = sched_getaffinity(0, sizeof set, &set) ? sysconf(_SC_NPROCESSORS_ONLN) : CPU_COUNT(&set);
        if (n < 1) n = 1;
        if (n > 256) n = 256;
    }
    c->jobs = (int)n;
    return 0;
}

static int set_mode(void *ctx, const char *v, struct xfv_err *e)
{
    char *end;
    unsigned long mode = strtoul(v, &end, 8);
    (void)ctx;
    if (*v < '0' || *v > '7' || *end || mode > 0777 || !(mode & 0200))
        return xfv_fail(e, XFV_EARG, "--mode must be octal, such as 640, and let you write, got '%s'", v);
    xfv_out_set_mode((unsigned)mode);
    return 0;
}

static int set_drop(void *ctx, const char *v, struct xfv_err *e)
{
    struct xfv_cli *c = ctx;
    if (!strcmp(v, "_") || !strcmp(v, "id")) return xfv_fail(e, XFV_EARG, "--drop: every record needs its key '%s'", v);
    if (c->n_drop == XFV_MOST_DROPPED)
        return xfv_fail(e, XFV_EARG, "--drop can be given %d times at most", XFV_MOST_DROPPED);
    c->drop[c->n_drop++] = v;
    return 0;
}

static int set_progress(void *ctx, const char *v, struct xfv_err *e)
{
    static const char *const names[] = {"auto", "always", "never", NULL};
    struct xfv_cli *c = ctx;
    c->progress = XFV_PROGRESS_ALWAYS;
    return v ? xfv_parse_choice("--progress", v, names, &c->progress, e) : 0;
}

enum { OPTIONAL = -1 };
static const struct common {
    struct xfv_opt o;
    unsigned flags; /* any of these asks for it; 0: always */
    int arg_kind;   /* OPTIONAL, or 0 */
} commons[] = {
    {{"model", 'm', "NAME|PATH", "the network, by name or path",
      0, XFV_TO_TEXT(struct xfv_cli, model, 0)}, XFV_TAKES_MODEL, 0},
    {{"jobs", 'j', "N", "workers (default 1; 0: one a core); the result is the same for every N",
      0, .set = set_jobs}, XFV_TAKES_JOBS, 0},
    {{"output", 'o', "FILE", "write FILE, complete or not at all (default: standard output)",
      0, XFV_TO_TEXT(struct xfv_cli, out_path, 0)}, 0, 0},
    {{"mode", 0, "OCTAL", "permissions of files that are made (default 600, or those of the file replaced)",
      0, .set = set_mode}, 0, 0},
    {{"force", 0, NULL, "replace a file of another kind, write binary data even to a terminal",
      0, XFV_TO_FLAG(struct xfv_cli, force, 1)}, 0, 0},
    {{"fsync", 0, NULL, "end only when the output is on the disk (always so for models and pages)",
      0, XFV_TO_FLAG(struct xfv_cli, sync, 1)}, 0, 0},
    {{"max-record", 0, "SIZE", "refuse records larger than this (default 256M)",
      0, XFV_TO_SIZE(struct xfv_cli, limits.max_record, 1024, SIZE_MAX / 8)}, XFV_READS_STREAM, 0},
    {{"max-records", 0, "N", "refuse inputs of more records (default: any number)",
      0, XFV_TO_SEED(struct xfv_cli, limits.max_records)}, XFV_READS_STREAM, 0},
    {{"max-memory", 0, "SIZE", "end with an error rather than use more memory (default: no limit)",
      0, XFV_TO_SIZE(struct xfv_cli, max_memory, (size_t)8 << 20, SIZE_MAX / 8)}, 0, 0},
    {{"timeout", 0, "SECONDS", "longest time for a record (default: no limit)",
      0, XFV_TO_F64(struct xfv_cli, timeout, 0.001, 1e6)}, XFV_READS_STREAM | XFV_TIMES_RECORDS, 0},
    {{"drop", 0, "KEY", "leave KEY (image, embedding, ...) out of records and of pairs' faces (may be given again)",
      XFV_OPT_RESULT | XFV_OPT_MANY, .set = set_drop}, XFV_READS_STREAM, 0},
    {{"no-provenance", 0, NULL, "do not name this program in the stream's head",
      0, XFV_TO_FLAG(struct xfv_cli, no_provenance, 1)}, XFV_WRITES_STREAM, 0},
    {{"progress", 0, "WHEN", "auto, always or never (default auto: on a terminal)",
      0, .set = set_progress}, 0, OPTIONAL},
    {{"no-sandbox", 0, NULL, "keep all rights (see SANDBOX in xfv(7))",
      0, XFV_TO_FLAG(struct xfv_cli, no_sandbox, 1)}, 0, 0},
    {{"private", 0, NULL, "keep names of photographs and persons out of messages, for logs (also: XFV_PRIVATE=1)",
      0, XFV_TO_FLAG(struct xfv_cli, private_names, 1)}, 0, 0},
    {{"quiet", 'q', NULL, "errors only", 0, XFV_TO_FLAG(struct xfv_cli, verbose, -1)}, 0, 0},
    {{"verbose", 'v', NULL, "say more on standard error", 0, XFV_TO_FLAG(struct xfv_cli, verbose, 1)}, 0, 0},
    {{"help", 'h', NULL, "print this and exit", 0, .type = XFV_OPT_ASKS}, 0, 0},
    {{"version", 'V', NULL, "print versions and exit", 0, .type = XFV_OPT_ASKS}, 0, 0},
};
enum { N_COMMON = sizeof commons / sizeof *commons };

static int has_common(const struct xfv_program *p, int i)
{
    if (commons[i].o.set == set_drop) { /* streams in and out, and no option of this name of its own */
        for (const struct xfv_opt *o = p->opts; o && o->long_name; o++)
            if (!strcmp(o->long_name, "drop")) return 0;
        return (p->flags & XFV_WRITES_STREAM) && (p->flags & XFV_READS_STREAM);
    }
    return !commons[i].flags || (commons[i].flags & p->flags);
}

/* ---- help and version ---- */

static void help_line(FILE *f, const struct xfv_opt *o, int optional)
{
    char left[64];
    int k = o->short_name ? snprintf(left, sizeof left, "-%c, --%s", o->short_name, o->long_name)
                          : snprintf(left, sizeof left, "    --%s", o->long_name);
    if (o->arg && k > 0 && (size_t)k < sizeof left)
        snprintf(left + k, sizeof left - (size_t)k, "%s=%s%s", optional ? "[" : "", o->arg, optional ? "]" : "");
    char range[160];
    xfv_option_range(o, range, sizeof range);
    if (strlen(left) > 24) fprintf(f, "  %s\n  %-24s  %s%s\n", left, "", o->help, range);
    else fprintf(f, "  %-24s  %s%s\n", left, o->help, range);
}

int xfv_cli_print_help(const struct xfv_program *p, FILE *f)
{
    fprintf(f, "Usage: %s [OPTION]... %s\n%s\n\n", p->name, p->operands, p->summary);
    for (const struct xfv_opt *o = p->opts; o && o->long_name; o++) help_line(f, o, 0);
    for (int i = 0; i < N_COMMON; i++)
        if (has_common(p, i)) help_line(f, &commons[i].o, commons[i].arg_kind == OPTIONAL);
    fprintf(f, "\nExample: %s\n", p->example);
    fprintf(f, "Exit status: 0 all well, 1 some records failed, 2 usage, 3 bad stream, 4 system, 5 model.\n");
    return fflush(f) || ferror(f);
}

int xfv_cli_print_version(const struct xfv_program *p, FILE *f)
{
    fprintf(f, "%s " XFV_VERSION "\n", p->name);
    fprintf(f, "msgpack-c %s (compiled with %s)\n", msgpack_version(), MSGPACK_VERSION);
    for (size_t i = 0; i < sizeof p->libraries / sizeof *p->libraries && p->libraries[i]; i++)
        p->libraries[i]->version(f);
#if defined __clang__
    fprintf(f, "compiler clang %s\n", __clang_version__);
#elif defined __GNUC__
    fprintf(f, "compiler gcc %s\n", __VERSION__);
#endif
    return fflush(f) || ferror(f);
}

/* ---- parsing ---- */

struct table {
    const struct xfv_opt **opts; /* all, own ones first */
    struct option *longs;
    char *shorts;
    int n, n_own;
};

static int build_table(struct table *t, const struct xfv_program *p)
{
    int n = N_COMMON;
    for (const struct xfv_opt *o = p->opts; o && o->long_name; o++) n++;
    t->opts = calloc((size_t)n, sizeof *t->opts);
    t->longs = calloc((size_t)n + 1, sizeof *t->longs);
    t->shorts = calloc((size_t)n * 2 + 2, 1);
    if (!t->opts || !t->longs || !t->shorts) return -1;
    for (const struct xfv_opt *o = p->opts; o && o->long_name; o++) t->opts[t->n++] = o;
    t->n_own = t->n;
    for (int i = 0; i < N_COMMON; i++)
        if (has_common(p, i)) t->opts[t->n++] = &commons[i].o;
    char *s = t->shorts;
    *s++ = ':'; /* tell a missing argument from an unknown option */
    for (int i = 0; i < t->n; i++) {
        const struct xfv_opt *o = t->opts[i];
        int optional = o->set == set_progress;
        t->longs[i] = (struct option){o->long_name,
                                      optional ? optional_argument
                                      : o->arg ? required_argument
                                               : no_argument,
                                      NULL, 256 + i};
        if (!o->short_name) continue;
        *s++ = (char)o->short_name;
        if (o->arg) *s++ = ':';
    }
    return 0;
}

static void free_table(struct table *t)
{
    free(t->opts);
    free(t->longs);
    free(t->shorts);
}

/* What getopt_long did not like, in words. `at` is the argument it was looking at. */
static int complain(const struct table *t, int c, int argc, char **argv, const char *at, struct xfv_err *e)
{
    if (optopt >= 256 && optopt < 256 + t->n) {
        const struct xfv_opt *o = t->opts[optopt - 256];
        if (c == ':') return xfv_fail(e, XFV_EARG, "option '--%s' needs an argument: %s", o->long_name, o->arg);
        return xfv_fail(e, XFV_EARG, "option '--%s' takes no argument", o->long_name);
    }
    if (c == ':') return xfv_fail(e, XFV_EARG, "option '-%c' needs an argument", optopt);
    return xfv_cli_unknown_option(t->longs, argc, argv, at, e);
}

static int find_short(const struct table *t, int letter)
{
    for (int i = 0; i < t->n; i++)
        if (t->opts[i]->short_name == letter) return i;
    return -1;
}

struct given { int opt; const char *value; };

/* "--name=value", with what is no text escaped: the head must be UTF-8. */
static char *arg_text(const char *name, const char *value)
{
    size_t n = strlen(name), m = value ? strlen(value) : 0, cap = n + 4 * m + 8;
    char *text = malloc(cap);
    if (!text) return NULL;
    int at = snprintf(text, cap, "--%s%s", name, value ? "=" : "");
    if (value) xfv_escape(text + at, cap - (size_t)at, value, m);
    return text;
}

/* The options that change the result, as texts for the provenance, in the table's order so that the order on the
 * command line is no difference. */
static int keep_args(struct xfv_cli *c, const struct table *t, const struct given *g, int n_given)
{
    int k = 0;
    c->args = calloc((size_t)n_given + 1, sizeof *c->args);
    if (!c->args) return -1;
    for (int i = 0; i < t->n; i++) {
        const struct xfv_opt *o = t->opts[i];
        if (!(o->flags & XFV_OPT_RESULT)) continue;
        for (int j = 0; j < n_given; j++) {
            int last = 1;
            if (g[j].opt != i) continue;
            for (int m = j + 1; m < n_given; m++) last &= g[m].opt != i;
            if (!(o->flags & XFV_OPT_MANY) && !last) continue;
            if (!(c->args[k++] = arg_text(o->long_name, g[j].value))) return -1;
        }
    }
    return 0;
}

/* What the sandbox must know of the options. */
static int keep_paths(struct xfv_cli *c, const struct table *t, const struct given *g, int n_given)
{
    c->paths = calloc((size_t)n_given + 1, sizeof *c->paths);
    if (!c->paths) return -1;
    for (int i = 0; i < n_given; i++) {
        unsigned flags = t->opts[g[i].opt]->flags;
        if (flags & XFV_OPT_RUNS) c->runs_programs = 1;
        if (flags & (XFV_OPT_READS | XFV_OPT_WRITES))
            c->paths[c->n_paths++] = (struct xfv_named){g[i].value, (flags & XFV_OPT_WRITES) != 0};
    }
    return 0;
}

static int parse_with(struct xfv_cli *c, struct table *t, struct given *g, int argc, char **argv, struct xfv_err *e)
{
    int n_given = 0;
    opterr = 0;
    optind = 1;
    for (;;) {
        int at = optind;
        int ch = getopt_long(argc, argv, t->shorts, t->longs, NULL);
        if (ch == -1) break;
        /* getopt_long permutes: the option it has just read stands before optind. */
        if (ch == '?' || ch == ':') return complain(t, ch, argc, argv, argv[optind > at ? optind - 1 : at], e);
        int i = ch >= 256 ? ch - 256 : find_short(t, ch);
        const struct xfv_opt *o = t->opts[i];
        if (o->type == XFV_OPT_ASKS) return o->short_name == 'h' ? 1 : 2;
        int status = xfv_option_take(o, i < t->n_own ? c->p->ctx : c, o->arg ? optarg : NULL, e);
        if (status) return status;
        g[n_given++] = (struct given){i, o->arg ? optarg : NULL};
    }
    c->operands = argv + optind;
    c->n_operands = argc - optind;
    return keep_args(c, t, g, n_given) || keep_paths(c, t, g, n_given) ? xfv_fail(e, XFV_ENOMEM, "out of memory") : 0;
}

int xfv_cli_parse(struct xfv_cli *c, int argc, char **argv, struct xfv_err *e)
{
    struct table t = {0};
    size_t most = 1; /* "-qqq" holds three options in one argument */
    for (int i = 0; i < argc; i++) most += strlen(argv[i]);
    struct given *g = calloc(most, sizeof *g);
    int status;
    if (!g || build_table(&t, c->p)) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    else status = parse_with(c, &t, g, argc, argv, e);
    free_table(&t);
    free(g);
    return status;
}

/* ---- start ---- */

/* A program started with a standard descriptor closed would get it for its first file and write its output there. */
static void open_standard_fds(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
        /* the wrong way round: using it is an error, as it was */
        int got = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        if (got >= 0 && got != fd) close(got);
    }
}

static int check_terminals(const struct xfv_cli *c, struct xfv_err *e)
{
    unsigned f = c->p->flags;
    if ((f & (XFV_READS_STREAM | XFV_READS_STDIN)) && c->n_operands == 0 && isatty(STDIN_FILENO))
        return xfv_fail(e, XFV_EARG, "no input: name a file, or pipe one in; usage: %s [OPTION]... %s; for example: %s",
                        c->p->name, c->p->operands, c->p->example);
    if ((f & (XFV_WRITES_STREAM | XFV_WRITES_BINARY)) && !(f & XFV_MAY_WRITE_TEXT) && !c->force &&
        xfv_out_is_stdout(c->out_path) && isatty(STDOUT_FILENO))
        return xfv_fail(e, XFV_EARG,
                        "not writing binary data to a terminal: name a file with -o, pipe it on, or give --force");
    return 0;
}

/* Bytes that the program has mapped to write to before any input: OpenBLAS reserves more than it uses. And what its
 * threads' stacks will. */
static size_t memory_at_start(const struct xfv_cli *c)
{
    char line[200];
    unsigned long kib = 0;
    struct rlimit stack;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmData: %lu", &kib) == 1) break;
    if (f) fclose(f);
    if (getrlimit(RLIMIT_STACK, &stack) || stack.rlim_cur == RLIM_INFINITY) stack.rlim_cur = 8 << 20;
    /* OpenBLAS reserves 128 MiB more for each thread that multiplies at the same time, touches little of it, and waits
     * for ever when it cannot. */
    size_t blas = xfv_has_openblas() ? (size_t)130 << 20 : 0;
    return ((size_t)kib << 10) + (size_t)(c->jobs - 1) * (blas + (size_t)stack.rlim_cur) +
           (c->timeout > 0 ? (size_t)stack.rlim_cur : 0);
}

/* What can be written to: heaps, private maps. A refused allocation is then an error like any other. And no core file,
 * not by a handler that the kernel calls either (that is what 1 means): it would hold faces and embeddings. */
static void limit_resources(const struct xfv_cli *c)
{
    struct rlimit most, core;
    if (c->max_memory) {
        most.rlim_cur = most.rlim_max = (rlim_t)(memory_at_start(c) + c->max_memory);
        (void)setrlimit(RLIMIT_DATA, &most);
    }
    if (!c->no_sandbox && !getrlimit(RLIMIT_CORE, &core) && core.rlim_cur > 1) {
        core.rlim_cur = 1;
        (void)setrlimit(RLIMIT_CORE, &core);
    }
}

static void print_and_exit_status(const struct xfv_program *p, int version, int *status)
{
    errno = 0;
    int bad = version ? xfv_cli_print_version(p, stdout) : xfv_cli_print_help(p, stdout);
    *status = XFV_EXIT_OK;
    if (!bad && !close(STDOUT_FILENO)) return;
    if (errno == EPIPE) xfv_die_of_sigpipe();
    struct xfv_err e;
    xfv_fail(&e, XFV_EIO, "cannot write standard output");
    xfv_cli_say(NULL, p->name, e.msg);
    *status = XFV_EXIT_SYSTEM;
}

struct xfv_cli *xfv_cli_start(const struct xfv_program *p, int argc, char **argv, int *status)
{
    open_standard_fds();
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is then a write error like any other */
    xfv_require_address_space();
    for (size_t i = 0; i < sizeof p->libraries / sizeof *p->libraries && p->libraries[i]; i++) p->libraries[i]->start();
    struct xfv_err e = {0};
    struct xfv_cli *c = calloc(1, sizeof *c);
    if (!c) {
        xfv_cli_say(NULL, p->name, "out of memory");
        *status = XFV_EXIT_SYSTEM;
        return NULL;
    }
    c->p = p;
    c->jobs = 1;
    c->out_fd = c->rules = -1;
    c->limits = xfv_limits_default();
    const char *hide = getenv("XFV_PRIVATE");
    c->private_names = hide && *hide && strcmp(hide, "0");
    c->started = xfv_now();
    int got = xfv_cli_parse(c, argc, argv, &e);
    if (got == 0) got = check_terminals(c, &e);
    *status = XFV_EXIT_OK;
    if (got == 0) {
        limit_resources(c);
        got = xfv_sandbox_prepare(c, &e);
        if (!got) return c;
    }
    if (got < 0) {
        *status = xfv_cli_finish(c, &e, 0);
        return NULL;
    }
    print_and_exit_status(p, got == 2, status);
    xfv_cli_finish(c, NULL, 0);
    return NULL;
}

struct xfv_seen *xfv_cli_seen(struct xfv_cli *c)
{
    return &c->seen;
}

const struct xfv_program *xfv_cli_program(const struct xfv_cli *c)
{
    return c->p;
}

const char *const *xfv_cli_drop(const struct xfv_cli *c)
{
    return c->drop;
}

void xfv_cli_keep_error(struct xfv_cli *c, const struct xfv_err *e)
{
    c->err = *e;
}

size_t xfv_cli_max_memory(const struct xfv_cli *c)
{
    return c->max_memory;
}

int xfv_cli_jobs(const struct xfv_cli *c)
{
    return c->jobs;
}

const char *xfv_cli_model(const struct xfv_cli *c)
{
    return c->model;
}

int xfv_cli_verbose(const struct xfv_cli *c)
{
    return c->verbose;
}

int xfv_cli_operands(const struct xfv_cli *c, char ***v)
{
    *v = c->operands;
    return c->n_operands;
}

const char *xfv_cli_out_path(const struct xfv_cli *c)
{
    return xfv_out_is_stdout(c->out_path) ? NULL : c->out_path;
}

const struct xfv_limits *xfv_cli_limits(const struct xfv_cli *c)
{
    return &c->limits;
}

const struct xfv_prov *xfv_cli_prov(struct xfv_cli *c, const msgpack_object *extra)
{
    if (c->no_provenance) return NULL;
    c->prov = (struct xfv_prov){c->p->name, XFV_VERSION, (const char *const *)c->args, extra};
    return &c->prov;
}

void xfv_cli_keep_head(struct xfv_cli *c)
{
    c->no_provenance |= !c->args[0];
}
