/* For tests of ONNX's operators: nodes with attributes, and a check of one graph three ways: expected numbers, central
 * differences, the executor. */
#ifndef ONNX_RUN_H
#define ONNX_RUN_H

#include "net/graph/fold.h"
#include "net/import/import.h"
#include "net/run/net.h"
#include "net/graph/ref.h"
#include "onnx_build.h"
#include "tap.h"

static inline struct pb text_attr(const char *name, const char *v)
{
    struct pb a = {0};
    pb_text(&a, 1, name);
    pb_text(&a, 4, v);
    pb_int(&a, 20, 3);
    return a;
}

/* A node with up to three attributes; those without bytes are left out. */
static inline void node(struct pb *g, const char *spec, struct pb a, struct pb b, struct pb c)
{
    struct pb n = pb_node(spec), all[3] = {a, b, c};
    for (int i = 0; i < 3; i++)
        if (all[i].n) pb_add(&n, 5, all[i]);
    pb_add(g, 1, n);
}
static const struct pb none;

static inline void whole(struct pb *g, const char *name, int n, const int64_t *v)
{
    pb_add(g, 5, pb_tensor(name, 7, v, (size_t)n * sizeof *v, n, -1));
}
static inline void floats(struct pb *g, const char *name, int n, const float *v)
{
    pb_add(g, 5, pb_tensor(name, 1, v, (size_t)n * sizeof *v, n, -1));
}

/* ---- running ---- */

static inline double worst_of(const double *a, const double *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) worst = fmax(worst, fabs(a[i] - b[i]));
    return worst; /* NaN is caught by the comparison with a bound */
}

/* cot . value(x) */
static inline double project(const struct xfv_graph *g, const double *x, int value, const double *cot)
{
    double **v, s = 0;
    struct xfv_err e;
    if (xfv_ref_forward(g, g->values[0].shape, x, &v, &e)) return NAN;
    for (size_t i = 0; i < xfv_shape_count(g->values[value].shape); i++) s += cot[i] * v[value][i];
    xfv_ref_free(g, v);
    return s;
}

static inline double differences(const struct xfv_graph *g, double *x, int value, const double *cot, const double *dx)
{
    double worst = 0;
    for (size_t i = 0; i < xfv_shape_count(g->values[0].shape); i++) {
        double at = x[i], h = 1e-5, up, down;
        x[i] = at + h, up = project(g, x, value, cot);
        x[i] = at - h, down = project(g, x, value, cot);
        x[i] = at;
        worst = fmax(worst, fabs((up - down) / (2 * h) - dx[i]));
        if (isnan(up) || isnan(down)) return 1;
    }
    return worst;
}

/* Graph g at input x (H,W,C): `value` is `want`, its gradient agrees with central differences, and the executor agrees
 * with both. */
static inline void check(const struct xfv_graph *g, int value, double *x, const double *want, size_t n,
                         const char *what)
{
    struct xfv_err e = {0};
    double **v = NULL;
    size_t ni = xfv_shape_count(g->values[0].shape);
    double *cot = malloc(n * sizeof *cot), *dx = malloc(ni * sizeof *dx), *got = malloc((ni + n) * sizeof *got);
    float *fx = malloc(ni * sizeof *fx), *fy = malloc(n * sizeof *fy), *fc = malloc(n * sizeof *fc),
          *fd = malloc(ni * sizeof *fd);
    struct xfv_net *net = NULL;
    struct xfv_ws *ws = xfv_ws_new();
    struct xfv_tape *tape = NULL;
    for (size_t i = 0; i < n; i++) cot[i] = fc[i] = (float)((double)(i * 7 % 5) - 1.6);
    for (size_t i = 0; i < ni; i++) fx[i] = (float)x[i];
    if (!OK(value >= 0 && xfv_shape_count(g->values[value].shape) == n, "%s: %zu numbers", what, n)) goto out;
    if (!OK(!xfv_ref_forward(g, g->values[0].shape, x, &v, &e) &&
                !xfv_ref_vjp(g, g->values[0].shape, v, value, cot, dx, &e),
            "%s: oracle %s", what, e.msg))
        goto out;
    if (!OK(worst_of(v[value], want, n) < 2e-6, "%s: as defined (%.1e)", what, worst_of(v[value], want, n)))
        for (size_t i = 0; i < n; i++) printf("# %zu: %.6f, should be %.6f\n", i, v[value][i], want[i]);
    OK(differences(g, x, value, cot, dx) < 1e-6, "%s: gradient agrees with central differences (%.1e)", what,
       differences(g, x, value, cot, dx));
    int st = xfv_net_new(g, 0, &value, 1, &net, &e) || xfv_net_record(net, ws, fx, &fy, &tape, &e) ||
             xfv_net_vjp(net, ws, tape, 1, fc, fd, &e);
    for (size_t i = 0; i < n; i++) got[i] = (double)fy[i];
    for (size_t i = 0; i < ni; i++) got[n + i] = (double)fd[i];
    OK(st == 0 && worst_of(got, v[value], n) < 2e-5 && worst_of(got + n, dx, ni) < 2e-5,
       "%s: the executor agrees (%.1e, %.1e) %s", what, st ? 1 : worst_of(got, v[value], n),
       st ? 1 : worst_of(got + n, dx, ni), st ? e.msg : "");
out:
    if (v) xfv_ref_free(g, v);
    xfv_tape_free(tape);
    xfv_net_free(net);
    xfv_ws_free(ws);
    free(cot), free(dx), free(got), free(fx), free(fy), free(fc), free(fd);
}

/* Import the model (freed) asking for y; x is in ONNX's order, C,H,W; so is want. As the file spells it, and
 * simplified. */
static inline void gives(struct pb graph, int opset, const double *x, const double *want, size_t n, const char *what)
{
    struct xfv_import_name name = {.file = "y"};
    struct xfv_import_opts o = {.names = &name, .n_names = 1};
    struct xfv_graph *g = NULL;
    struct xfv_err e = {0};
    struct pb m = pb_model(graph, opset);
    char folded[128];
    int st = xfv_import_onnx(m.p, m.n, &o, &g, &e);
    free(m.p);
    if (!OK(st == 0 && name.value[0], "%s: imported %s", what, st ? e.msg : "")) return;
    struct xfv_shape s = g->values[0].shape;
    double *hwc = malloc(xfv_shape_count(s) * sizeof *hwc);
    for (int y = 0; y < s.dim[0]; y++)
        for (int w = 0; w < s.dim[1]; w++)
            for (int c = 0; c < s.dim[2]; c++)
                hwc[(y * s.dim[1] + w) * s.dim[2] + c] = x[(c * s.dim[0] + y) * s.dim[1] + w];
    check(g, xfv_graph_find(g, name.value), hwc, want, n, what);
    const char *keep[2] = {name.value, NULL};
    snprintf(folded, sizeof folded, "%.100s, simplified", what);
    if (OK(xfv_fold(&g, keep, NULL, &e) == 0, "%s", folded))
        check(g, xfv_graph_find(g, name.value), hwc, want, n, folded);
    xfv_graph_free(g);
    free(hwc);
}

#endif
