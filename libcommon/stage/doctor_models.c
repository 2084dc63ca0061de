/* The checks of xfv-doctor(1) that load models. */
#define _GNU_SOURCE /* realpath */
#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "stage/doctor.h"
#include "explain/selftest.h"
#include "net/model/model.h"
#include "net/run/net.h"

/* As the repository ships them. */
static const struct { const char *name, *digest; } shipped[] = {
#include "shipped.h"
};
enum { N_SHIPPED = sizeof shipped / sizeof *shipped };

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

static void check_model(struct xfv_doctor *d, const char *folder, const char *file, struct seen **all)
{
    char path[PATH_MAX + 300], name[256];
    struct xfv_model *m;
    struct xfv_err e = {0};
    snprintf(path, sizeof path, "%s/%s", folder, file);
    snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - 5), file);
    for (struct seen *s = *all; s; s = s->next)
        if (!strcmp(s->name, name)) {
            xfv_tell(d, XFV_WARN, "model", "%s: hidden by the one above; name it by its path to use it", path);
            return;
        }
    struct seen *s = malloc(sizeof *s);
    if (!s) return;
    snprintf(s->name, sizeof s->name, "%s", name);
    s->next = *all;
    *all = s;
    if (xfv_model_load(path, &m, &e)) {
        xfv_tell(d, XFV_BAD, "model", "%s: %s", path, e.msg);
        return;
    }
    const char *want = shipped_digest(name);
    int same = want && !strcmp(want, m->file);
    xfv_tell(d, want && !same ? XFV_WARN : XFV_FINE, "model", "%s, %s, sha256 %.12s: %s%s", name, m->kind, m->file,
             path,
             same   ? ""
             : want ? "; not the one that xfv-tools ships"
                    : "; your own");
    xfv_model_free(m);
}

void xfv_check_models(struct xfv_doctor *d)
{
    struct stat st[64];
    char asked[4160], folder[PATH_MAX];
    struct seen *all = NULL;
    int n_folders = 0;
    for (int i = 0; n_folders < 64 && xfv_model_folder(i, asked, sizeof asked); i++) {
        struct dirent **list = NULL;
        int again = 0, n;
        if (!realpath(asked, folder) || stat(folder, &st[n_folders])) continue;
        for (int k = 0; k < n_folders; k++)
            again |= st[k].st_dev == st[n_folders].st_dev && st[k].st_ino == st[n_folders].st_ino;
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
        if (!s)
            xfv_tell(d, XFV_BAD, "model",
                     "no %s.xfvm in any folder of models: set XFV_MODEL_PATH to the one that holds it",
                     shipped[i].name);
    }
    for (struct seen *s; (s = all); free(s)) all = s->next;
}

/* ---- results ---- */

/* What the shipped network gives for the two pictures: see explain/selftest.h. */
static const double known_score = 0.9535829, known_sum = 3.4571346;

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

static void tell_results(struct xfv_doctor *d, const struct xfv_model *m, const struct xfv_selftest *t)
{
    const char *want = shipped_digest(m->name);
    int same = t->difference < 1e-5;
    xfv_tell(d, same ? XFV_FINE : XFV_BAD, "self-test",
             "an embedding by %s kernels differs from plain C by %.1e (at most 1e-5)%s", xfv_net_kernels(),
             t->difference, same ? "" : ": do not trust results of this machine; try XFV_KERNELS=generic, and tell us");
    if (!want || strcmp(want, m->file)) {
        xfv_tell(d, isfinite(t->score) && isfinite(t->sum) ? XFV_FINE : XFV_BAD, "self-test",
                 "embed and FGGB: score %.6f, map %.6f; nothing to compare with, for a model of your own", t->score,
                 t->sum);
        return;
    }
    xfv_tell(d, near(t->score, known_score, 1e-4) ? XFV_FINE : XFV_BAD, "self-test",
             "embed: the score of two made-up faces is %.7f (%.7f expected)", t->score, known_score);
    xfv_tell(d, near(t->sum, known_sum, 1e-3) ? XFV_FINE : XFV_BAD, "self-test",
             "FGGB: its map of %d channels sums to %.7f (%.7f expected)", XFV_SELFTEST_CHANNELS, t->sum, known_sum);
}

void xfv_check_results(struct xfv_doctor *d)
{
    struct xfv_model *m;
    struct xfv_err e = {0};
    struct xfv_selftest t;
    double start = cpu_seconds();
    if (xfv_model_load(NULL, &m, &e)) {
        xfv_tell(d, XFV_BAD, "self-test", "%s", e.msg);
        return;
    }
    if (m->embedding < 0) {
        xfv_tell(d, XFV_BAD, "self-test", "the default model is no embedding network");
    } else if (xfv_selftest(m, &t, &e)) {
        xfv_tell(d, XFV_BAD, "self-test", "%s", e.msg);
    } else {
        tell_results(d, m, &t);
        xfv_tell(d, XFV_FINE, "self-test", "%.1f s of processor time", cpu_seconds() - start);
    }
    xfv_model_free(m);
}
