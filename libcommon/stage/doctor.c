#define _GNU_SOURCE /* sched_getaffinity */
#include "stage/doctor.h"

#include <cblas.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <png.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <webp/decode.h>
#include <zlib.h>

#include "image/image.h"
#include "base/escape.h"
#include "cli/json.h"
#include "net/run/blas.h"
#include "net/run/net.h"

/* ---- what is found ---- */

void xfv_tell(struct xfv_doctor *d, enum xfv_verdict v, const char *topic, const char *fmt, ...)
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
    } else if (v != XFV_FINE || xfv_cli_verbose(d->c) >= 0) {
        xfv_escape(line, sizeof line, text, strlen(text));
        fprintf(d->f, "%-5s %-9s %s\n", words[v], topic, line);
    }
}

void xfv_doctor_begin(struct xfv_doctor *d)
{
    if (d->json) fputs("{\"checks\":[", d->f);
}

void xfv_doctor_end(struct xfv_doctor *d)
{
    int fine = d->n[XFV_FINE], warn = d->n[XFV_WARN], bad = d->n[XFV_BAD];
    if (d->json)
        fprintf(d->f, "],\n\"verdict\":\"%s\",\"ok\":%d,\"warn\":%d,\"fail\":%d}\n",
                bad    ? "fail"
                : warn ? "warn"
                       : "ok",
                fine, warn, bad);
    else if (bad || warn || xfv_cli_verbose(d->c) >= 0)
        fprintf(d->f, "%s: %d checks passed, %d warnings, %d failures\n", bad ? "not sound" : "sound", fine, warn, bad);
    if (bad) xfv_cli_some_failed(d->c);
}

/* ---- libraries and processor ---- */

static void check_libraries(struct xfv_doctor *d)
{
    static const char *const threading[] = {"sequential", "pthreads", "OpenMP"};
    int kind = openblas_get_parallel(), webp = WebPGetDecoderVersion();
    xfv_tell(d, XFV_FINE, "version", "xfv-tools " XFV_VERSION
#if defined __clang__
             ", clang " __clang_version__
#elif defined __GNUC__
             ", gcc " __VERSION__
#endif
    );
    xfv_tell(d, strcmp(msgpack_version(), MSGPACK_VERSION) ? XFV_WARN : XFV_FINE, "library",
             "msgpack-c %s, compiled with %s", msgpack_version(), MSGPACK_VERSION);
    xfv_tell(d, strcmp(png_get_libpng_ver(NULL), PNG_LIBPNG_VER_STRING) ? XFV_WARN : XFV_FINE, "library",
             "libpng %s, compiled with %s", png_get_libpng_ver(NULL), PNG_LIBPNG_VER_STRING);
    xfv_tell(d, zlibVersion()[0] != ZLIB_VERSION[0] ? XFV_BAD : XFV_FINE, "library", "zlib %s, compiled with %s",
             zlibVersion(), ZLIB_VERSION);
    xfv_tell(d, XFV_FINE, "library", "libwebp %d.%d.%d", webp >> 16, webp >> 8 & 255, webp & 255);
    xfv_tell(d, XFV_FINE, "library", "images: %s", xfv_image_formats());
    xfv_tell(d, openblas_get_num_threads() == 1 ? XFV_FINE : XFV_BAD, "library",
             "%s; core %s, %s build, %d thread used", openblas_get_config(), openblas_get_corename(),
             kind >= 0 && kind < 3 ? threading[kind] : "unknown", openblas_get_num_threads());
}

static void check_processor(struct xfv_doctor *d)
{
    const char *kernels = xfv_net_kernels(), *forced = getenv("XFV_KERNELS"), *core = getenv("OPENBLAS_CORETYPE");
    cpu_set_t set;
    int usable = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
#if defined(__x86_64__)
    xfv_tell(d, XFV_FINE, "processor", "%d of %ld cores usable (-j 0 takes them all);%s%s%s%s", usable,
             sysconf(_SC_NPROCESSORS_ONLN), __builtin_cpu_supports("avx2") ? " AVX2" : "",
             __builtin_cpu_supports("fma") ? " FMA" : "", __builtin_cpu_supports("avx512f") ? " AVX-512F" : "",
             __builtin_cpu_supports("avx2") ? "" : " no AVX2");
#else
    xfv_tell(d, XFV_FINE, "processor", "%d of %ld cores usable (-j 0 takes them all)", usable,
             sysconf(_SC_NPROCESSORS_ONLN));
#endif
    if (forced)
        xfv_tell(d, XFV_WARN, "kernels",
                 "%s, because XFV_KERNELS is '%s': unset it for the fastest that this processor has", kernels, forced);
    else if (!strcmp(kernels, "generic"))
        xfv_tell(d, XFV_WARN, "kernels",
                 "generic: there are none for this kind of processor (x86-64 with AVX2 and FMA, 64-bit ARM), so expect "
                 "a tenth of the speed");
    else xfv_tell(d, XFV_FINE, "kernels", "%s", kernels);
    struct xfv_blas blas = xfv_blas_used();
    if (blas.why && !core)
        xfv_tell(d, XFV_WARN, "kernels",
                 "OpenBLAS multiplies with its %s kernels, slower than this processor allows: %s", blas.used, blas.why);
    else if (strcmp(blas.found, blas.used))
        xfv_tell(d, XFV_FINE, "kernels", "OpenBLAS's %s; by itself it would take %s", blas.used, blas.found);
    else xfv_tell(d, XFV_FINE, "kernels", "OpenBLAS's %s", blas.used);
    if (core)
        xfv_tell(d, XFV_WARN, "kernels",
                 "OPENBLAS_CORETYPE is '%s': last digits may differ from those of other machines; unset it unless you "
                 "mean that",
                 core);
}

/* ---- surroundings ---- */

static void check_limits(struct xfv_doctor *d)
{
    struct rlimit r;
    struct sigaction sa;
    if (!getrlimit(RLIMIT_NOFILE, &r)) {
        if (r.rlim_cur < 64)
            xfv_tell(d, XFV_WARN, "limits", "%llu open files: too few; raise it with ulimit -n 256",
                     (unsigned long long)r.rlim_cur);
        else xfv_tell(d, XFV_FINE, "limits", "%llu open files", (unsigned long long)r.rlim_cur);
    }
    if (!getrlimit(RLIMIT_AS, &r) && r.rlim_cur != RLIM_INFINITY) {
        enum xfv_verdict v = r.rlim_cur < ((rlim_t)1 << 30) ? XFV_WARN : XFV_FINE;
        xfv_tell(d, v, "limits", "%llu MiB of address space (ulimit -v)%s", (unsigned long long)r.rlim_cur >> 20,
                 v == XFV_WARN ? ": under 1024, large networks or images may not fit" : "");
    }
    if (!getrlimit(RLIMIT_FSIZE, &r) && r.rlim_cur != RLIM_INFINITY)
        xfv_tell(d, XFV_WARN, "limits", "files of at most %llu MiB (ulimit -f): longer streams fail",
                 (unsigned long long)r.rlim_cur >> 20);
    if (!sigaction(SIGPIPE, NULL, &sa) && sa.sa_handler == SIG_IGN)
        xfv_tell(d, XFV_WARN, "limits",
                 "SIGPIPE is ignored here, as some launchers leave it: these programs end all the same, but cat, sort "
                 "and the like complain");
}

static void check_locale(struct xfv_doctor *d)
{
    const char *got = setlocale(LC_ALL, "");
    const char *point = got ? localeconv()->decimal_point : ".", *code = got ? nl_langinfo(CODESET) : "";
    if (!got)
        xfv_tell(d, XFV_WARN, "locale", "the locale that LANG or LC_ALL asks for is not installed: set LC_ALL=C.UTF-8");
    else if (strcmp(point, "."))
        xfv_tell(d, XFV_WARN, "locale",
                 "numbers are written with '%s' here: these programs write '.', and sort -g, awk and printf may "
                 "misread that; set LC_ALL=C in scripts",
                 point);
    else
        xfv_tell(d, XFV_FINE, "locale", "%s%s", code,
                 strcmp(code, "UTF-8") ? ": names beyond ASCII may look odd on this terminal, and are right in files"
                                       : "");
    setlocale(LC_ALL, "C");
}

static void check_terminal(struct xfv_doctor *d)
{
    const char *term = getenv("TERM");
    if (!isatty(STDERR_FILENO))
        xfv_tell(d, XFV_FINE, "terminal",
                 "standard error is not a terminal: progress is shown only with --progress=always");
    else if (!term || !strcmp(term, "dumb"))
        xfv_tell(d, XFV_FINE, "terminal", "TERM is %s: progress is shown only with --progress=always",
                 term ? term : "not set");
    else xfv_tell(d, XFV_FINE, "terminal", "%s", term);
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
static void check_programs(struct xfv_doctor *d)
{
    static const char *const names[] = {"facecrop", "embed",   "verify", "fggb-grad", "heatmap",
                                        "report",   "regions", "roc",    NULL};
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
            xfv_tell(d, XFV_BAD, "programs", "%s is not there: install xfv-tools whole", own);
            other++;
        } else if (!on_path(names[i], found, sizeof found)) {
            missing++;
        } else if (!stat(found, &b) && (a.st_dev != b.st_dev || a.st_ino != b.st_ino)) {
            xfv_tell(d, XFV_WARN, "programs", "'%s' is %s to the shell, not %s: put the folder first into PATH",
                     names[i], found, own);
            other++;
        }
    }
    if (missing) xfv_tell(d, XFV_WARN, "programs", "%s is not in PATH: export PATH=%s:$PATH", folder, folder);
    else if (!other) xfv_tell(d, XFV_FINE, "programs", "in %s", folder);
}

/* ---- all of them ---- */

xfv_check_fn *const xfv_checks[] = {check_libraries,   check_processor, check_programs, xfv_check_models,  check_limits,
                                    xfv_check_sandbox, check_locale,    check_terminal, xfv_check_results, NULL};
