#include "net/graph/ref.h"

#include <stdlib.h>
#include <string.h>

#include "net/graph/ref_internal.h"

static double *zeros(struct xfv_shape s)
{
    return calloc(xfv_shape_count(s), sizeof(double));
}

static void call_of(struct ref_call *c, const struct xfv_graph *g, const struct xfv_node *n,
                    const struct xfv_shape *shapes, double *const *values)
{
    c->g = g;
    c->n = n;
    c->out = shapes[n->out];
    c->y = values[n->out];
    for (int k = 0; k < n->n_in; k++) {
        c->in[k] = shapes[n->in[k]];
        c->x[k] = values[n->in[k]];
    }
}

int xfv_ref_node(const struct xfv_graph *g, const struct xfv_node *n, const struct xfv_shape *in,
                 const double *const *x, double *y, struct xfv_err *e)
{
    struct ref_call c = {.g = g, .n = n};
    int status = xfv_node_shape(g, n, in, &c.out, e);
    if (status) return status;
    for (int k = 0; k < n->n_in; k++) c.in[k] = in[k], c.x[k] = x[k];
    memset(y, 0, xfv_shape_count(c.out) * sizeof *y);
    xfv_ref_op_forward(&c, y);
    return 0;
}

void xfv_ref_free(const struct xfv_graph *g, double **values)
{
    for (int v = 0; values && v < g->n_values; v++) free(values[v]);
    free(values);
}

int xfv_ref_forward(const struct xfv_graph *g, struct xfv_shape in, const double *x, double ***values,
                    struct xfv_err *e)
{
    struct xfv_shape *s = calloc((size_t)g->n_values + 1, sizeof *s);
    double **v = calloc((size_t)g->n_values + 1, sizeof *v);
    struct ref_call c;
    int status = s && v ? xfv_graph_shapes(g, in, s, e)
                        : xfv_fail(e, XFV_ENOMEM, "out of memory for %d values", g->n_values);
    if (status) goto out;
    for (int i = -1; i < g->n_nodes; i++) {
        int o = i < 0 ? 0 : g->nodes[i].out;
        if (!(v[o] = zeros(s[o]))) {
            status = xfv_fail(e, XFV_ENOMEM, "out of memory for value '%s'", g->values[o].name);
            goto out;
        }
        if (i < 0) {
            memcpy(v[0], x, xfv_shape_count(in) * sizeof *x);
            continue;
        }
        call_of(&c, g, &g->nodes[i], s, v);
        xfv_ref_op_forward(&c, v[o]);
    }
out:
    free(s);
    if (status) xfv_ref_free(g, v);
    else *values = v;
    return status;
}

int xfv_ref_vjp(const struct xfv_graph *g, struct xfv_shape in, double *const *values, int out, const double *cot,
                double *dx, struct xfv_err *e)
{
    struct xfv_shape *s = calloc((size_t)g->n_values + 1, sizeof *s);
    double **d = calloc((size_t)g->n_values + 1, sizeof *d); /* gradients; NULL: zero so far */
    struct ref_call c;
    int status = s && d ? xfv_graph_shapes(g, in, s, e)
                        : xfv_fail(e, XFV_ENOMEM, "out of memory for %d values", g->n_values);
    if (status) goto done;
    if (!(d[out] = zeros(s[out]))) goto oom;
    memcpy(d[out], cot, xfv_shape_count(s[out]) * sizeof *cot);
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        const struct xfv_node *n = &g->nodes[i];
        double *to[XFV_MAX_INPUTS];
        if (!d[n->out]) continue;
        for (int k = 0; k < n->n_in; k++) {
            if (!d[n->in[k]] && !(d[n->in[k]] = zeros(s[n->in[k]]))) goto oom;
            to[k] = d[n->in[k]];
        }
        call_of(&c, g, n, s, values);
        xfv_ref_op_backward(&c, d[n->out], to);
        free(d[n->out]);
        d[n->out] = NULL;
    }
    if (d[0]) memcpy(dx, d[0], xfv_shape_count(in) * sizeof *dx);
    else memset(dx, 0, xfv_shape_count(in) * sizeof *dx);
    goto done;
oom:
    status = xfv_fail(e, XFV_ENOMEM, "out of memory for gradients");
done:
    xfv_ref_free(g, d);
    free(s);
    return status;
}
