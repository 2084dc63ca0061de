/* For the executor's tests: a builder of small graphs with random weights, and the comparison of executor and oracle.
 */
#ifndef NETGRAPHS_H
#define NETGRAPHS_H

#include <stdint.h>

#include "net/run/kern_internal.h"
#include "net/run/net.h"
#include "net/graph/ref.h"
#include "tap.h"

static uint64_t seed = 88172645463325252u;
static inline double uniform(void) /* -1..1 */
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (double)(seed >> 11) / 4503599627370496.0 - 1.0;
}

static inline struct xfv_shape shape(int rank, int a, int b, int c)
{
    struct xfv_shape s = {rank, {a, b, c, 0}};
    return s;
}

/* A builder that appends nodes to the last value. */
struct build { struct xfv_graph *g; int last, count; struct xfv_err e; };

static inline int weight(struct build *b, struct xfv_shape s, double scale)
{
    size_t n = xfv_shape_count(s);
    float *w = malloc(sizeof *w * n);
    char name[32];
    for (size_t i = 0; i < n; i++) w[i] = (float)(scale * uniform());
    snprintf(name, sizeof name, "w%d", b->count++);
    int i = xfv_graph_add_weight(b->g, name, s, w, &b->e);
    free(w);
    return i;
}

static inline int append(struct build *b, struct xfv_node n)
{
    char name[32];
    struct xfv_shape in[XFV_MAX_INPUTS], out;
    snprintf(name, sizeof name, "v%d", b->count++);
    if (n.n_in == 0) n.n_in = 1, n.in[0] = b->last;
    n.name = name;
    for (int i = 0; i < n.n_in; i++) in[i] = b->g->values[n.in[i]].shape;
    if (xfv_node_shape(b->g, &n, in, &out, &b->e)) return printf("# %s\n", b->e.msg), -1;
    n.out = xfv_graph_add_value(b->g, name, out, &b->e);
    if (xfv_graph_add_node(b->g, &n, &b->e) < 0) printf("# %s\n", b->e.msg);
    return b->last = n.out;
}

static inline int channels(struct build *b)
{
    struct xfv_shape s = b->g->values[b->last].shape;
    return s.dim[s.rank - 1];
}

static inline int dilated(struct build *b, int k, int stride, int dilation, int p0, int p1, int cout, int groups,
                          int bias)
{
    struct xfv_node n = xfv_node_default(XFV_OP_CONV);
    int cin = channels(b);
    struct xfv_shape ws = {4, {k, k, cin / groups, cout}};
    n.weight = weight(b, ws, 1.5 / sqrt((double)(k * k * cin / groups)));
    n.bias = bias ? weight(b, shape(1, cout, 0, 0), .3) : -1;
    n.kernel[0] = n.kernel[1] = k;
    n.stride[0] = n.stride[1] = stride;
    n.pads[0] = n.pads[1] = p0;
    n.pads[2] = n.pads[3] = p1;
    n.dilation[0] = n.dilation[1] = dilation;
    n.groups = groups;
    return append(b, n);
}

static inline int conv(struct build *b, int k, int stride, int p0, int p1, int cout, int groups, int bias)
{
    return dilated(b, k, stride, 1, p0, p1, cout, groups, bias);
}

static inline int prelu(struct build *b)
{
    struct xfv_node n = xfv_node_default(XFV_OP_PRELU);
    n.weight = weight(b, shape(1, channels(b), 0, 0), 1.2);
    return append(b, n);
}

static inline int simple(struct build *b, enum xfv_op op) { return append(b, xfv_node_default(op)); }

static inline int pool(struct build *b, enum xfv_op op, int k, int stride, int p1)
{
    struct xfv_node n = xfv_node_default(op);
    n.kernel[0] = n.kernel[1] = k;
    n.stride[0] = n.stride[1] = stride;
    n.pads[2] = n.pads[3] = p1;
    return append(b, n);
}

static inline int add(struct build *b, enum xfv_op op, int x, int y)
{
    struct xfv_node n = xfv_node_default(op);
    n.n_in = 2;
    n.in[0] = x;
    n.in[1] = y;
    return append(b, n);
}

static inline int dense(struct build *b, int out)
{
    struct xfv_node n = xfv_node_default(XFV_OP_DENSE);
    int in = (int)xfv_shape_count(b->g->values[b->last].shape);
    n.weight = weight(b, shape(2, in, out, 0), 1 / sqrt((double)in));
    n.bias = weight(b, shape(1, out, 0, 0), .2);
    return append(b, n);
}

static inline int bottleneck(struct build *b, int wide, int stride, int out, int residual)
{
    int x = b->last;
    conv(b, 1, 1, 0, 0, wide, 1, 1), prelu(b);
    conv(b, 3, stride, stride == 1 ? 1 : 0, 1, wide, wide, 1), prelu(b);
    conv(b, 1, 1, 0, 0, out, 1, 1);
    return residual ? add(b, XFV_OP_ADD, x, b->last) : b->last;
}

static inline struct build start(int h, int w, int c)
{
    struct build b = {xfv_graph_new(), 0, 0, {0}};
    b.last = xfv_graph_add_value(b.g, "input", shape(3, h, w, c), &b.e);
    return b;
}

static inline double relative(const float *x, const double *y, size_t n)
{
    double d = 0, s = 0;
    for (size_t i = 0; i < n; i++) d += (x[i] - y[i]) * (x[i] - y[i]), s += y[i] * y[i];
    return sqrt(d / (s > 0 ? s : 1));
}

/* Forward, general cotangents and unit cotangents against the oracle. */
struct rows { float *dx; size_t n; int next; };
static inline void keep_row(void *ctx, int k, const float *dx)
{
    struct rows *r = ctx;
    memcpy(r->dx + (size_t)k * r->n, dx, sizeof *dx * r->n);
    r->next = r->next == k ? k + 1 : -1;
}

/* from: 0, or a value that equals the input, where the network is to begin. */
static inline void compare_from(struct build *b, int from, const char *what)
{
    struct xfv_err e = {0};
    struct xfv_shape in = b->g->values[0].shape;
    int out = b->last;
    xfv_graph_add_output(b->g, out, &e);
    size_t ni = xfv_shape_count(in), no = xfv_shape_count(b->g->values[out].shape);
    float *x = malloc(sizeof *x * ni), *y = malloc(sizeof *y * no), *y2 = malloc(sizeof *y * no),
          *cot = malloc(sizeof *cot * no), *dx = malloc(sizeof *dx * ni);
    double *xd = malloc(sizeof *xd * ni), *cd = malloc(sizeof *cd * no), *dd = malloc(sizeof *dd * ni), **values = NULL;
    for (size_t i = 0; i < ni; i++) xd[i] = x[i] = (float)uniform();
    for (size_t i = 0; i < no; i++) cd[i] = cot[i] = (float)uniform();
    struct xfv_net *net = NULL;
    struct xfv_ws *ws = xfv_ws_new();
    struct xfv_tape *tape = NULL;
    int rc = xfv_graph_check(b->g, &e) || xfv_ref_forward(b->g, in, xd, &values, &e) ||
             xfv_net_new(b->g, from, &out, 1, &net, &e) || xfv_net_forward(net, ws, NULL, 1, x, &y, &e);
    if (!OK(rc == 0, "%s: runs (%s)", what, e.msg)) goto done;
    OK(relative(y, values[out], no) < 2e-6, "%s: forward, relative error %.1e", what, relative(y, values[out], no));
    OK(xfv_net_record(net, ws, x, &y2, &tape, &e) == 0 && relative(y2, values[out], no) < 2e-6,
       "%s: recording gives the same", what);
    rc = xfv_ref_vjp(b->g, in, values, out, cd, dd, &e) || xfv_net_vjp(net, ws, tape, 1, cot, dx, &e);
    OK(rc == 0 && relative(dx, dd, ni) < 5e-6, "%s: vjp, relative error %.1e %s", what, relative(dx, dd, ni),
       rc ? e.msg : "");
    if (no <= 64) {
        struct rows r = {malloc(sizeof(float) * no * ni), ni, 0};
        double *sum = calloc(ni, sizeof *sum);
        rc = xfv_net_jacobian(net, ws, tape, 0, (int)no, keep_row, &r, &e);
        for (size_t k = 0; k < no; k++)
            for (size_t i = 0; i < ni; i++) sum[i] += cd[k] * r.dx[k * ni + i];
        OK(rc == 0 && r.next == (int)no && relative(dx, sum, ni) < 1e-5, "%s: rows of the Jacobian add up to the vjp",
           what);
        free(r.dx);
        free(sum);
    }
done:
    xfv_tape_free(tape);
    xfv_ws_free(ws);
    xfv_net_free(net);
    if (values) xfv_ref_free(b->g, values);
    xfv_graph_free(b->g);
    free(x), free(y), free(y2), free(cot), free(dx), free(xd), free(cd), free(dd);
}

static inline void compare(struct build *b, const char *what) { compare_from(b, 0, what); }

#endif
