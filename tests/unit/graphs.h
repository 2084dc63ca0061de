/* Small graphs for tests: nodes appended to the last value, random weights. Any failure ends the test program: the
 * graphs are meant to be right. */
#ifndef TESTS_GRAPHS_H
#define TESTS_GRAPHS_H

#include <stdint.h>

#include "net/graph/graph.h"
#include "tap.h"

static uint64_t graphs_seed = 88172645463325252u;
static inline double uniform(void) /* -1..1 */
{
    graphs_seed ^= graphs_seed << 13, graphs_seed ^= graphs_seed >> 7, graphs_seed ^= graphs_seed << 17;
    return (double)(graphs_seed >> 11) / 4503599627370496.0 - 1.0;
}

struct build { struct xfv_graph *g; int last, count; };

static inline int sure(int st, const struct xfv_err *e)
{
    if (st >= 0) return st;
    printf("Bail out! %s\n", e->msg);
    exit(1);
}

static inline struct build start(struct xfv_shape s)
{
    struct xfv_err e;
    struct build b = {xfv_graph_new(), 0, 0};
    sure(xfv_graph_add_value(b.g, "input", s, &e), &e);
    return b;
}

static inline int weight_of(struct build *b, struct xfv_shape s, double lo, double hi)
{
    struct xfv_err e;
    char name[32];
    size_t n = xfv_shape_count(s);
    float *w = malloc(n * sizeof *w);
    for (size_t i = 0; i < n; i++) w[i] = (float)(lo + (hi - lo) * (uniform() + 1) / 2);
    snprintf(name, sizeof name, "w%d", b->count++);
    int i = sure(xfv_graph_add_weight(b->g, name, s, w, &e), &e);
    free(w);
    return i;
}

static inline int values_weight(struct build *b, struct xfv_shape s, const float *v)
{
    struct xfv_err e;
    char name[32];
    snprintf(name, sizeof name, "w%d", b->count++);
    return sure(xfv_graph_add_weight(b->g, name, s, v, &e), &e);
}

/* Append a node; without inputs (and not a constant) it reads the last value. Its value is called `name`, or v<number>
 * when NULL. */
static inline int append_as(struct build *b, struct xfv_node n, const char *name)
{
    struct xfv_err e;
    char own[32];
    struct xfv_shape in[XFV_MAX_INPUTS], out;
    snprintf(own, sizeof own, "v%d", b->count++);
    if (n.n_in == 0 && n.op != XFV_OP_CONST) n.n_in = 1, n.in[0] = b->last;
    n.name = own;
    if (name) snprintf(own, sizeof own, "%s", name);
    for (int i = 0; i < n.n_in; i++) in[i] = b->g->values[n.in[i]].shape;
    sure(xfv_node_shape(b->g, &n, in, &out, &e), &e);
    n.out = sure(xfv_graph_add_value(b->g, own, out, &e), &e);
    sure(xfv_graph_add_node(b->g, &n, &e), &e);
    return b->last = n.out;
}
static inline int append(struct build *b, struct xfv_node n) { return append_as(b, n, NULL); }

static inline int channels_of(const struct build *b)
{
    struct xfv_shape s = b->g->values[b->last].shape;
    return s.dim[s.rank - 1];
}

static inline int simple(struct build *b, enum xfv_op op) { return append(b, xfv_node_default(op)); }

static inline int act(struct build *b, enum xfv_act a, float f0, float f1)
{
    struct xfv_node n = xfv_node_default(XFV_OP_ACT);
    n.i[0] = (int)a;
    n.f[0] = f0;
    n.f[1] = f1;
    n.f[2] = .7f; /* of elu alone */
    return append(b, n);
}

static inline int binary(struct build *b, enum xfv_op op, int x, int y)
{
    struct xfv_node n = xfv_node_default(op);
    n.n_in = 2;
    n.in[0] = x;
    n.in[1] = y;
    return append(b, n);
}

static inline int constant(struct build *b, struct xfv_shape s, double lo, double hi)
{
    struct xfv_node n = xfv_node_default(XFV_OP_CONST);
    n.weight = weight_of(b, s, lo, hi);
    return append(b, n);
}

static inline int conv(struct build *b, int k, int stride, int p0, int p1, int cout, int groups, int bias)
{
    struct xfv_node n = xfv_node_default(XFV_OP_CONV);
    int cin = channels_of(b);
    n.weight = weight_of(b, xfv_shape_of(4, k, k, cin / groups, cout), -1, 1);
    if (bias) n.bias = weight_of(b, xfv_shape_of(1, cout), -.3, .3);
    for (int a = 0; a < 2; a++) n.kernel[a] = k, n.stride[a] = stride, n.pads[a] = p0, n.pads[a + 2] = p1;
    n.groups = groups;
    return append(b, n);
}

static inline int pool(struct build *b, enum xfv_op op, int k, int stride, int p0, int p1)
{
    struct xfv_node n = xfv_node_default(op);
    for (int a = 0; a < 2; a++) n.kernel[a] = k, n.stride[a] = stride, n.pads[a] = p0, n.pads[a + 2] = p1;
    return append(b, n);
}

static inline int dense(struct build *b, int out, int bias)
{
    struct xfv_node n = xfv_node_default(XFV_OP_DENSE);
    n.weight = weight_of(b, xfv_shape_of(2, (int)xfv_shape_count(b->g->values[b->last].shape), out), -.5, .5);
    if (bias) n.bias = weight_of(b, xfv_shape_of(1, out), -.3, .3);
    return append(b, n);
}

/* prelu, affine, layernorm: weight (and bias) per channel */
static inline int channelwise(struct build *b, enum xfv_op op, int bias)
{
    struct xfv_node n = xfv_node_default(op);
    n.weight = weight_of(b, xfv_shape_of(1, channels_of(b)), -1, 1.5);
    if (bias) n.bias = weight_of(b, xfv_shape_of(1, channels_of(b)), -.5, .5);
    if (op == XFV_OP_LAYERNORM) n.f[0] = 1e-3f;
    return append(b, n);
}

static inline int reduce(struct build *b, enum xfv_reduce what, int axes)
{
    struct xfv_node n = xfv_node_default(XFV_OP_REDUCE);
    n.i[0] = (int)what;
    n.i[1] = axes;
    return append(b, n);
}

static inline int reshape(struct build *b, int d0, int d1, int d2)
{
    struct xfv_node n = xfv_node_default(XFV_OP_RESHAPE);
    n.i[0] = d0, n.i[1] = d1, n.i[2] = d2;
    return append(b, n);
}

static inline int slice(struct build *b, int axis, int begin, int end)
{
    struct xfv_node n = xfv_node_default(XFV_OP_SLICE);
    n.i[0] = axis, n.i[1] = begin, n.i[2] = end;
    return append(b, n);
}

/* Ends the graph: the last value is its output. */
static inline struct xfv_graph *finish(struct build *b)
{
    struct xfv_err e;
    sure(xfv_graph_add_output(b->g, b->last, &e), &e);
    sure(xfv_graph_check(b->g, &e), &e);
    return b->g;
}

/* n numbers that differ from each other and from 0 by at least 2/n, in random order, in -2..2: no kink of relu, abs or
 * max is near. */
static inline double *spread(size_t n)
{
    double *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (((double)i + 0.5) / (double)n - 0.5) * 4 + 1.0 / (double)n;
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)((uniform() + 1) / 2 * (double)i) % i;
        double t = x[i - 1];
        x[i - 1] = x[j];
        x[j] = t;
    }
    return x;
}

#endif
