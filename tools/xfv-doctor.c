/* xfv-doctor: is this installation sound? A line a check, each with a verdict and what to do about it. See xfv-doctor(1). */
#define _GNU_SOURCE /* sched_getaffinity */
#include <cblas.h>
#include <dirent.h>
#include <errno.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <png.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#include <webp/decode.h>
#include <zlib.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "explain/fggb.h"
#include "image/image.h"
#include "net/model.h"
#include "net/net.h"
#include "net/ref.h"

enum verdict { FINE, WARN, BAD };

struct doctor {
    struct xfv_cli *c;
    FILE *f;
    int json;
    int n[3]; /* checks of each verdict */
};

/* As the repository ships them. */
static const struct { const char *name, *digest; } shipped[] = {
#include "shipped.h"
};
enum { N_SHIPPED = sizeof shipped / sizeof *shipped };

static void tell(struct doctor *d, enum verdict v, const char *topic, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void tell(struct doctor *d, enum verdict v, const char *topic, const char *fmt, ...)
{
    static const char *const words[] = {"ok", "warn", "fail"};
    char text[1200], line[1400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    int first = !(d->n[0] + d->n[1] + d->n[2]);
    d->n[v]++;
    if (d->json) {
        fprintf(d->f, "%s\n{\"verdict\":\"%s\",\"topic\":\"%s\",\"text\":", first ? "" : ",", words[v], topic);
        xfv_json_text(d->f, text, strlen(text));
        fputc('}', d->f);
    } else if (v != FINE || xfv_cli_verbose(d->c) >= 0) {
        xfv_escape(line, sizeof line, text, strlen(text));
        fprintf(d->f, "%-5s %-9s %s\n", words[v], topic, line);
    }
}

/* ---- libraries and processor ---- */

static void check_libraries(struct doctor *d)
{
    static const char *const threading[] = {"sequential", "pthreads", "OpenMP"};
    int kind = openblas_get_parallel(), webp = WebPGetDecoderVersion();
    tell(d, FINE, "version", "xfv-tools " XFV_VERSION
#if defined __clang__
         ", clang " __clang_version__
#elif defined __GNUC__
         ", gcc " __VERSION__
#endif
    );
    tell(d, strcmp(msgpack_version(), MSGPACK_VERSION) ? WARN : FINE, "library", "msgpack-c %s, compiled with %s", msgpack_version(), MSGPACK_VERSION);
    tell(d, strcmp(png_get_libpng_ver(NULL), PNG_LIBPNG_VER_STRING) ? WARN : FINE, "library", "libpng %s, compiled with %s", png_get_libpng_ver(NULL), PNG_LIBPNG_VER_STRING);
    tell(d, zlibVersion()[0] != ZLIB_VERSION[0] ? BAD : FINE, "library", "zlib %s, compiled with %s", zlibVersion(), ZLIB_VERSION);
    tell(d, FINE, "library", "libwebp %d.%d.%d", webp >> 16, webp >> 8 & 255, webp & 255);
    tell(d, openblas_get_num_threads() == 1 ? FINE : BAD, "library", "%s; core %s, %s build, %d thread used", openblas_get_config(), openblas_get_corename(),
         kind >= 0 && kind < 3 ? threading[kind] : "unknown", openblas_get_num_threads());
}

static void check_processor(struct doctor *d)
{
    const char *kernels = xfv_net_kernels(), *forced = getenv("XFV_KERNELS"), *core = getenv("OPENBLAS_CORETYPE");
    cpu_set_t set;
    int usable = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
#if defined(__x86_64__)
    tell(d, FINE, "processor", "%d of %ld cores usable (-j 0 takes them all);%s%s%s%s", usable, sysconf(_SC_NPROCESSORS_ONLN), __builtin_cpu_supports("avx2") ? " AVX2" : "",
         __builtin_cpu_supports("fma") ? " FMA" : "", __builtin_cpu_supports("avx512f") ? " AVX-512F" : "", __builtin_cpu_supports("avx2") ? "" : " no AVX2");
#else
    tell(d, FINE, "processor", "%d of %ld cores usable (-j 0 takes them all)", usable, sysconf(_SC_NPROCESSORS_ONLN));
#endif
    if (forced) tell(d, WARN, "kernels", "%s, because XFV_KERNELS is '%s': unset it for the fastest that this processor has", kernels, forced);
    else if (!strcmp(kernels, "generic")) tell(d, WARN, "kernels", "generic: this processor has no AVX2 and FMA, so expect a tenth of the speed");
    else tell(d, FINE, "kernels", "%s", kernels);
    if (core) tell(d, WARN, "kernels", "OPENBLAS_CORETYPE is '%s': last digits may differ from those of other machines; unset it unless you mean that", core);
}

/* ---- surroundings ---- */

static void check_folder(struct doctor *d)
{
    struct statvfs fs;
    FILE *f = tmpfile();
    const char *set = getenv("TMPDIR");
    if (!f) {
        tell(d, BAD, "temporary", "no file can be made in " P_tmpdir " (%s): report, calibrate and model-import need one; mount or free it", strerror(errno));
        return;
    }
    fclose(f);
    if (statvfs(P_tmpdir, &fs)) return;
    double mib = (double)fs.f_bavail * (double)fs.f_frsize / 1048576;
    if (mib < 256) tell(d, WARN, "temporary", P_tmpdir " has %.0f MiB left: report holds its page there until it is whole; free some", mib);
    else tell(d, FINE, "temporary", P_tmpdir " has %.0f MiB left%s", mib, set && strcmp(set, P_tmpdir) ? " (TMPDIR is not asked)" : "");
}

static void check_limits(struct doctor *d)
{
    struct rlimit r;
    struct sigaction sa;
    if (!getrlimit(RLIMIT_NOFILE, &r)) {
        if (r.rlim_cur < 64) tell(d, WARN, "limits", "%llu open files: too few; raise it with ulimit -n 256", (unsigned long long)r.rlim_cur);
        else tell(d, FINE, "limits", "%llu open files", (unsigned long long)r.rlim_cur);
    }
    if (!getrlimit(RLIMIT_AS, &r) && r.rlim_cur != RLIM_INFINITY) {
        enum verdict v = r.rlim_cur < ((rlim_t)1 << 30) ? WARN : FINE;
        tell(d, v, "limits", "%llu MiB of address space (ulimit -v)%s", (unsigned long long)r.rlim_cur >> 20, v == WARN ? ": under 1024, large networks or images may not fit" : "");
    }
    if (!getrlimit(RLIMIT_FSIZE, &r) && r.rlim_cur != RLIM_INFINITY)
        tell(d, WARN, "limits", "files of at most %llu MiB (ulimit -f): longer streams fail", (unsigned long long)r.rlim_cur >> 20);
    if (!sigaction(SIGPIPE, NULL, &sa) && sa.sa_handler == SIG_IGN)
        tell(d, WARN, "limits", "SIGPIPE is ignored here, as some launchers leave it: these programs end all the same, but cat, sort and the like complain");
}

static void check_locale(struct doctor *d)
{
    const char *got = setlocale(LC_ALL, "");
    const char *point = got ? localeconv()->decimal_point : ".", *code = got ? nl_langinfo(CODESET) : "";
    if (!got) tell(d, WARN, "locale", "the locale that LANG or LC_ALL asks for is not installed: set LC_ALL=C.UTF-8");
    else if (strcmp(point, ".")) tell(d, WARN, "locale", "numbers are written with '%s' here: these programs write '.', and sort -g, awk and printf may misread that; set LC_ALL=C in scripts", point);
    else tell(d, FINE, "locale", "%s%s", code, strcmp(code, "UTF-8") ? ": names beyond ASCII may look odd on this terminal, and are right in files" : "");
    setlocale(LC_ALL, "C");
}

static void check_terminal(struct doctor *d)
{
    const char *term = getenv("TERM");
    if (!isatty(STDERR_FILENO)) tell(d, FINE, "terminal", "standard error is none: no progress is shown (--progress does, all the same)");
    else if (!term || !strcmp(term, "dumb")) tell(d, FINE, "terminal", "TERM is %s: no progress is shown (--progress does, all the same)", term ? term : "not set");
    else tell(d, FINE, "terminal", "%s", term);
}

/* Where the shell finds name; 1 and its path, or 0. */
static int on_path(const char *name, char *buf, size_t cap)
{
    const char *path = getenv("PATH");
    for (; path && *path; path += *path == ':') {
        size_t n = strcspn(path, ":");
        snprintf(buf, cap, "%.*s/%s", n ? (int)n : 1, n ? path : ".", name);
        if (!access(buf, X_OK)) return 1;
        path += n;
    }
    return 0;
}

/* embed, verify, report: names that others may use, too. */
static void check_programs(struct doctor *d)
{
    static const char *const names[] = {"facecrop", "embed", "verify", "fggb-grad", "heatmap", "report", "regions", "roc", NULL};
    char folder[PATH_MAX], own[PATH_MAX + 64], found[PATH_MAX + 64];
    struct stat a, b;
    ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    int other = 0, missing = 0;
    if (n <= 0) return;
    folder[n] = '\0';
    *strrchr(folder, '/') = '\0';
    for (int i = 0; names[i]; i++) {
        snprintf(own, sizeof own, "%s/%s", folder, names[i]);
        if (stat(own, &a)) {
            tell(d, BAD, "programs", "%s is not there: install xfv-tools whole", own);
            other++;
        } else if (!on_path(names[i], found, sizeof found)) {
            missing++;
        } else if (!stat(found, &b) && (a.st_dev != b.st_dev || a.st_ino != b.st_ino)) {
            tell(d, WARN, "programs", "'%s' is %s to the shell, not %s: put the folder first into PATH", names[i], found, own);
            other++;
        }
    }
    if (missing) tell(d, WARN, "programs", "%s is not in PATH: export PATH=%s:$PATH", folder, folder);
    else if (!other) tell(d, FINE, "programs", "in %s", folder);
}

/* ---- models ---- */

static const char *shipped_digest(const char *name)
{
    for (int i = 0; i < N_SHIPPED; i++)
        if (!strcmp(shipped[i].name, name)) return shipped[i].digest;
    return NULL;
}

struct seen { char name[256]; struct seen *next; };

static int is_model(const struct dirent *x)
{
    size_t n = strlen(x->d_name);
    return n > 5 && n < 256 && !strcmp(x->d_name + n - 5, ".xfvm");
}

static void check_model(struct doctor *d, const char *folder, const char *file, struct seen **all)
{
    char path[PATH_MAX + 300], name[256];
    struct xfv_model *m;
    struct xfv_err e = {0};
    snprintf(path, sizeof path, "%s/%s", folder, file);
    snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - 5), file);
    for (struct seen *s = *all; s; s = s->next)
        if (!strcmp(s->name, name)) {
            tell(d, WARN, "model", "%s: hidden by the one above; name it by its path to use it", path);
            return;
        }
    struct seen *s = malloc(sizeof *s);
    if (!s) return;
    snprintf(s->name, sizeof s->name, "%s", name);
    s->next = *all;
    *all = s;
    if (xfv_model_load(path, &m, &e)) {
        tell(d, BAD, "model", "%s: %s", path, e.msg);
        return;
    }
    const char *want = shipped_digest(name);
    int same = want && !strcmp(want, m->digest);
    tell(d, want && !same ? WARN : FINE, "model", "%s, %s, sha256 %.12s: %s%s", name, m->kind, m->digest, path, same ? "" : want ? "; not the one that xfv-tools ships" : "; your own");
    xfv_model_free(m);
}

static void check_models(struct doctor *d)
{
    struct stat st[64];
    char asked[4160], folder[PATH_MAX];
    struct seen *all = NULL;
    int n_folders = 0;
    for (int i = 0; n_folders < 64 && xfv_model_folder(i, asked, sizeof asked); i++) {
        struct dirent **list = NULL;
        int again = 0, n;
        if (!realpath(asked, folder) || stat(folder, &st[n_folders])) continue;
        for (int k = 0; k < n_folders; k++) again |= st[k].st_dev == st[n_folders].st_dev && st[k].st_ino == st[n_folders].st_ino;
        if (again) continue;
        n_folders++;
        n = scandir(folder, &list, is_model, alphasort);
        for (int k = 0; k < n; k++) {
            check_model(d, folder, list[k]->d_name, &all);
            free(list[k]);
        }
        free(list);
    }
    for (int i = 0; i < N_SHIPPED; i++) {
        const struct seen *s = all;
        while (s && strcmp(s->name, shipped[i].name)) s = s->next;
        if (!s) tell(d, BAD, "model", "no %s.xfvm in any folder of models: set XFV_MODEL_PATH to the one that holds it", shipped[i].name);
    }
    for (struct seen *s; (s = all); free(s)) all = s->next;
}

/* ---- the self-test: two pictures made here, through the default network and FGGB ---- */

enum { CHANNELS = 16 }; /* of FGGB: enough to use every kernel of the backward pass */
/* What the shipped network gives for them: the cosine, and the sum of S+ of picture 0 over these channels at threshold 0. */
static const double known_score = 0.9535829, known_sum = 3.4571346;

/* A smooth face-like nothing: an ellipse with dark spots; which 0 or 1. */
static void picture(const struct xfv_model *m, int which, uint8_t *rgb)
{
    for (int y = 0; y < m->height; y++)
        for (int x = 0; x < m->width; x++, rgb += 3) {
            double u = (x + 0.5) / m->width - 0.5, v = (y + 0.5) / m->height - 0.5, face = u * u / 0.14 + v * v / 0.22;
            double eyes = exp(-((fabs(u) - 0.17) * (fabs(u) - 0.17) + (v + 0.08) * (v + 0.08)) / 0.003), mouth = exp(-(u * u / 0.02 + (v - 0.25) * (v - 0.25) / 0.002));
            double light = face < 1 ? 180 + 40 * u * (which ? -1 : 1) : 60;
            light -= 120 * eyes + (which ? 40 : 90) * mouth;
            rgb[0] = (uint8_t)light;
            rgb[1] = (uint8_t)(light * 0.8);
            rgb[2] = (uint8_t)(light * 0.7);
        }
}

struct trial {
    const struct xfv_model *m;
    struct xfv_net *net;
    struct xfv_ws *ws;
    struct xfv_fggb *fggb;
    struct xfv_fggb_face *face; /* of picture 0 */
    uint8_t *rgb;               /* [H][W][3] */
    float *x[2], *y[2];         /* inputs and embeddings of the two pictures */
    float *map[2];              /* S+ and S- of picture 0 */
    double *w;                  /* [n] */
    int n;                      /* length of an embedding */
};

static int start_trial(struct trial *t, struct xfv_err *e)
{
    const struct xfv_model *m = t->m;
    size_t pixels = (size_t)m->height * (size_t)m->width;
    const struct xfv_fggb_opts o = {XFV_FGGB_NORMALISED, XFV_FGGB_MEAN, XFV_FGGB_NORM_L2};
    t->n = (int)xfv_shape_count(m->graph->values[m->embedding].shape);
    t->ws = xfv_ws_new();
    t->rgb = malloc(pixels * 3);
    t->w = calloc((size_t)t->n, sizeof *t->w);
    int ok = t->ws && t->rgb && t->w;
    for (int i = 0; i < 2; i++) {
        t->x[i] = xfv_aligned_alloc(pixels * (size_t)m->channels * sizeof(float));
        t->y[i] = xfv_aligned_alloc((size_t)t->n * sizeof(float));
        t->map[i] = xfv_aligned_alloc(pixels * sizeof(float));
        ok = ok && t->x[i] && t->y[i] && t->map[i];
    }
    if (!ok) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int st = xfv_net_new(m->graph, 0, &m->embedding, 1, &t->net, e);
    if (!st) st = xfv_fggb_new(m->graph, m->embedding, 1, &o, &t->fggb, e);
    for (int i = 0; i < 2 && !st; i++) {
        picture(m, i, t->rgb);
        xfv_model_input(m, t->rgb, t->x[i]);
        float *y[] = {t->y[i]};
        st = xfv_net_forward(t->net, t->ws, NULL, 1, t->x[i], y, e);
    }
    return st;
}

static void end_trial(struct trial *t)
{
    for (int i = 0; i < 2; i++) {
        free(t->x[i]);
        free(t->y[i]);
        free(t->map[i]);
    }
    free(t->rgb);
    free(t->w);
    xfv_fggb_face_free(t->face);
    xfv_fggb_free(t->fggb);
    xfv_net_free(t->net);
    xfv_ws_free(t->ws);
}

/* The kernels against plain C in double precision: the relative difference of picture 0's embedding. */
static int compare_kernels(const struct trial *t, double *difference, struct xfv_err *e)
{
    const struct xfv_graph *g = t->m->graph;
    size_t count = xfv_shape_count(g->values[0].shape);
    double **values, d2 = 0, n2 = 0, *x = malloc(count * sizeof *x);
    if (!x) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) x[i] = (double)t->x[0][i];
    int st = xfv_ref_forward(g, g->values[0].shape, x, &values, e);
    for (int k = 0; k < t->n && !st; k++) {
        double want = values[t->m->embedding][k], d = (double)t->y[0][k] - want;
        d2 += d * d;
        n2 += want * want;
    }
    if (!st) xfv_ref_free(g, values);
    free(x);
    *difference = sqrt(d2 / n2);
    return st;
}

static int explain(struct trial *t, double *score, double *sum, struct xfv_err *e)
{
    int m = t->n < CHANNELS ? t->n : CHANNELS;
    size_t pixels = (size_t)t->m->height * (size_t)t->m->width;
    xfv_fggb_weights(t->y[0], t->y[1], t->n, 0, t->w);
    for (int k = 0; k < t->n; k++) *score += t->w[k];
    t->face = xfv_fggb_face_new(t->fggb);
    int st = t->face ? xfv_fggb_begin(t->fggb, t->face, t->x[0], 0, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    int chunks = st ? 0 : xfv_fggb_want(t->fggb, t->face, NULL, m);
    for (int i = 0; i < chunks && !st; i++) st = xfv_fggb_chunk(t->fggb, t->face, i, 0, e);
    if (st) return st;
    xfv_fggb_sum(t->fggb, t->face, t->w, NULL, m, t->map[0], t->map[1]);
    for (size_t i = 0; i < pixels; i++) *sum += (double)t->map[0][i];
    return 0;
}

static double cpu_seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static int near(double got, double want, double tolerance)
{
    return fabs(got - want) <= tolerance * fabs(want);
}

static void self_test(struct doctor *d)
{
    struct xfv_model *m;
    struct xfv_err e = {0};
    struct trial t = {0};
    double difference = 0, score = 0, sum = 0, start = cpu_seconds();
    if (xfv_model_load(NULL, &m, &e)) {
        tell(d, BAD, "self-test", "%s", e.msg);
        return;
    }
    t.m = m;
    int st = m->embedding < 0 ? xfv_fail(&e, XFV_EMODEL, "the default model is no embedding network") : start_trial(&t, &e);
    if (!st) st = compare_kernels(&t, &difference, &e);
    if (!st) st = explain(&t, &score, &sum, &e);
    if (st) {
        tell(d, BAD, "self-test", "%s", e.msg);
    } else {
        const char *want = shipped_digest(m->name);
        tell(d, difference < 1e-5 ? FINE : BAD, "self-test", "an embedding by %s kernels differs from plain C by %.1e (at most 1e-5)%s", xfv_net_kernels(), difference,
             difference < 1e-5 ? "" : ": do not trust results of this machine; try XFV_KERNELS=generic, and tell us");
        if (want && !strcmp(want, m->digest)) {
            tell(d, near(score, known_score, 1e-4) ? FINE : BAD, "self-test", "embed: the score of two made-up faces is %.7f (%.7f expected)", score, known_score);
            tell(d, near(sum, known_sum, 1e-3) ? FINE : BAD, "self-test", "FGGB: its map of %d channels sums to %.7f (%.7f expected)", CHANNELS, sum, known_sum);
        } else {
            tell(d, isfinite(score) && isfinite(sum) ? FINE : BAD, "self-test", "embed and FGGB: score %.6f, map %.6f; nothing to compare with, for a model of your own", score, sum);
        }
        tell(d, FINE, "self-test", "%.1f s of processor time", cpu_seconds() - start);
    }
    end_trial(&t);
    xfv_model_free(m);
}

/* ---- the program ---- */

XFV_SET_VALUE(set_json, struct doctor, json, 1)

static void examine(struct doctor *d)
{
    if (d->json) fputs("{\"checks\":[", d->f);
    check_libraries(d);
    check_processor(d);
    check_programs(d);
    check_models(d);
    check_folder(d);
    check_limits(d);
    check_locale(d);
    check_terminal(d);
    self_test(d);
    if (d->json) fprintf(d->f, "],\n\"verdict\":\"%s\",\"ok\":%d,\"warn\":%d,\"fail\":%d}\n", d->n[BAD] ? "fail" : d->n[WARN] ? "warn" : "ok", d->n[FINE], d->n[WARN], d->n[BAD]);
    else if (d->n[BAD] || d->n[WARN] || xfv_cli_verbose(d->c) >= 0)
        fprintf(d->f, "%s: %d checks passed, %d warnings, %d failures\n", d->n[BAD] ? "not sound" : "sound", d->n[FINE], d->n[WARN], d->n[BAD]);
    if (d->n[BAD]) xfv_cli_some_failed(d->c);
}

int main(int argc, char **argv)
{
    static struct doctor d;
    static const struct xfv_opt opts[] = {
        {"json", 0, NULL, "one JSON object instead of lines", 0, set_json, 0},
        {NULL, 0, NULL, NULL, 0, NULL, 0},
    };
    static const struct xfv_program program = {
        .name = "xfv-doctor",
        .summary = "Check this installation: libraries, processor, programs, models, surroundings, and a test of two seconds.",
        .operands = "",
        .flags = XFV_SEALS_LATER, /* it never does: it looks at the whole installation, and at nothing that comes from outside */
        .example = "xfv-doctor || echo 'something is wrong'",
        .opts = opts,
        .ctx = &d,
        .parts = {&xfv_part_net},
    };
    int status;
    char **names;
    struct xfv_err e = {0};
    d.c = xfv_cli_start(&program, argc, argv, &status);
    if (!d.c) return status;
    int st = xfv_cli_operands(d.c, &names) ? xfv_fail(&e, XFV_EARG, "there is nothing to read: no operand is taken ('%.200s')", names[0]) : 0;
    if (!st && !(d.f = xfv_cli_out_file(d.c, &e))) st = e.status;
    if (!st) examine(&d);
    return xfv_cli_finish(d.c, st ? &e : NULL, 0);
}
