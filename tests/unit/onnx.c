/* ONNX files and what PyTorch says of them (tests/onnx/make.py): every FOLDER/NAME.onnx with a NAME.golden beside it,
 * or a TensorFlow.js model NAME.json (tests/onnx/tfjs.py).
 * The folder is the first argument, $XFV_ONNX, or tests/onnx. A golden file without cotangent and gradient is taken,
 * too: then the gradient is held against the oracle's. $XFV_TOLERANCE: of the embedding, 1e-4 by default. */
#define _GNU_SOURCE
#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include "net/graph/fold.h"
#include "net/import/import.h"
#include "net/run/net.h"
#include "net/graph/ref.h"
#include "tap.h"

static uint8_t *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = NULL;
    *n = 0;
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    if (size > 0 && (p = malloc((size_t)size))) *n = fread(p, 1, (size_t)size, f);
    fclose(f);
    return p;
}

static double relative(const float *x, const float *y, size_t n)
{
    double d = 0, s = 0;
    for (size_t i = 0; i < n; i++) {
        double a = (double)x[i], b = (double)y[i];
        if (isinf(a) && a * b > 0 && isinf(b)) continue; /* the same pole */
        d += (a - b) * (a - b), s += b * b;
    }
    return sqrt(d / (s > 0 ? s : 1));
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A cotangent and its gradient at x, by the oracle; NULL when it cannot. */
static float *by_oracle(const struct xfv_graph *g, const float *x, size_t ni, size_t no)
{
    float *cot = malloc((no + ni) * sizeof *cot);
    double *xd = malloc((2 * ni + no) * sizeof *xd), *cd = xd + ni, *dx = cd + no, **values = NULL;
    struct xfv_err e;
    for (size_t i = 0; i < ni; i++) xd[i] = (double)x[i];
    for (size_t i = 0; i < no; i++) cd[i] = (double)(cot[i] = (float)sin(1 + 12.9898 * (double)i));
    int bad = xfv_ref_forward(g, g->values[0].shape, xd, &values, &e) ||
              xfv_ref_vjp(g, g->values[0].shape, values, g->outputs[0], cd, dx, &e);
    for (size_t i = 0; i < ni; i++) cot[no + i] = (float)dx[i];
    if (values) xfv_ref_free(g, values);
    free(xd);
    if (bad) free(cot), cot = NULL;
    return cot;
}

/* One graph against the golden numbers. */
static void compare(const struct xfv_graph *g, const float *gold, size_t n_gold, const char *what)
{
    struct xfv_err e = {0};
    int out = g->outputs[0];
    size_t ni = xfv_shape_count(g->values[0].shape), no = xfv_shape_count(g->values[out].shape);
    int short_one = n_gold == ni + no;
    const char *bound = getenv("XFV_TOLERANCE");
    if (!OK(short_one || n_gold == 2 * ni + 2 * no, "%s: an input of %zu and an embedding of %zu numbers", what, ni,
            no))
        return;
    float *own = short_one ? by_oracle(g, gold, ni, no) : NULL;
    const float *x = gold, *y = x + ni, *c = short_one ? own : y + no, *dx = c ? c + no : NULL;
    float *gy = malloc(sizeof *gy * no), *gx = malloc(sizeof *gx * ni);
    struct xfv_net *net = NULL;
    struct xfv_ws *ws = xfv_ws_new();
    struct xfv_tape *tape = NULL;
    int st = xfv_net_new(g, 0, &out, 1, &net, &e);
    double t0 = seconds(), t1 = 0, t2 = 0;
    if (!st) st = xfv_net_forward(net, ws, NULL, 1, x, &gy, &e);
    t1 = seconds();
    if (!st) st = xfv_net_record(net, ws, x, &gy, &tape, &e);
    if (!st) st = xfv_net_vjp(net, ws, tape, 1, c, gx, &e);
    t2 = seconds();
    if (OK(st == 0, "%s: runs %s", what, st ? e.msg : "")) {
        OK(relative(gy, y, no) < (bound ? atof(bound) : 1e-4), "%s: embedding, relative error %.1e (%.3f s)", what,
           relative(gy, y, no), t1 - t0);
        OK(dx && relative(gx, dx, ni) < 1e-3, "%s: gradient, relative error %.1e (%.3f s)", what,
           dx ? relative(gx, dx, ni) : 1, t2 - t1);
    }
    xfv_tape_free(tape);
    xfv_ws_free(ws);
    xfv_net_free(net);
    free(gy);
    free(gx);
    free(own);
}

static int one(const char *folder, const char *name)
{
    char path[4096];
    struct xfv_err e = {0};
    struct xfv_graph *g = NULL;
    size_t n_gold;
    snprintf(path, sizeof path, "%.3000s/%.900s.golden", folder, name);
    uint8_t *gold = slurp(path, &n_gold);
    snprintf(path, sizeof path, "%.3000s/%.900s.onnx", folder, name);
    if (access(path, F_OK)) snprintf(path, sizeof path, "%.3000s/%.900s.json", folder, name);
    if (!OK(gold != NULL, "%s: there", name)) return 0;
    struct xfv_import_opts opts = {0};
    if (OK(xfv_import_file(path, &opts, &g, &e) == 0, "%s: imported %s", name, g ? "" : e.msg)) {
        int before = g->n_nodes;
        char what[256];
        if (!getenv("XFV_FOLDED_ONLY")) compare(g, (float *)(void *)gold, n_gold / sizeof(float), name);
        int st = xfv_fold(&g, NULL, NULL, &e);
        snprintf(what, sizeof what, "%.100s, %d nodes folded to %d", name, before, g->n_nodes);
        if (OK(st == 0, "%s %s", what, st ? e.msg : ""))
            compare(g, (float *)(void *)gold, n_gold / sizeof(float), what);
        xfv_graph_free(g);
    }
    free(gold);
    return 1;
}

static int is_golden(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 7 && strcmp(d->d_name + n - 7, ".golden") == 0;
}

int main(int argc, char **argv)
{
    const char *top = getenv("top"), *folder = argc > 1 ? argv[1] : getenv("XFV_ONNX");
    char path[4096];
    struct dirent **list;
    snprintf(path, sizeof path, "%s/tests/onnx", top ? top : ".");
    if (!folder) folder = path;
    int n = scandir(folder, &list, is_golden, alphasort), seen = 0;
    for (int i = 0; i < n; i++) {
        list[i]->d_name[strlen(list[i]->d_name) - 7] = '\0';
        seen += one(folder, list[i]->d_name);
        free(list[i]);
    }
    if (n >= 0) free(list);
    OK(seen > 0, "%d networks in %s", seen, folder);
    return tap_done();
}
