/* Shape inference, and the check that everything a file says of a graph holds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/graph/graph.h"

#define BAD(...) xfv_fail(e, XFV_EMODEL, __VA_ARGS__)

static const struct xfv_weight *weight_of(const struct xfv_graph *g, int i)
{
    return i >= 0 && i < g->n_weights ? &g->weights[i] : NULL;
}

/* The per-channel weight or bias that a node must (or may) have. */
static int want_vector(const struct xfv_graph *g, const struct xfv_node *n, int index, const char *what, int count,
                       int optional, struct xfv_err *e)
{
    const struct xfv_weight *w = weight_of(g, index);
    char t[64];
    if (!w) return optional ? 0 : BAD("node '%s' (%s) has no %s", n->name, xfv_op_name(n->op), what);
    if (w->shape.rank != 1 || w->shape.dim[0] != count)
        return BAD("the %s of node '%s' (%s) should have shape %d, not %s", what, n->name, xfv_op_name(n->op), count,
                   xfv_shape_text(w->shape, t));
    return 0;
}

static int in_range(int v, int lo) { return v >= lo && v <= XFV_MAX_KERNEL; }

static int check_window(const struct xfv_node *n, struct xfv_err *e)
{
    for (int a = 0; a < 2; a++) {
        if (!in_range(n->kernel[a], 1)) return BAD("node '%s' has a kernel of %d", n->name, n->kernel[a]);
        if (!in_range(n->stride[a], 1)) return BAD("node '%s' has a stride of %d", n->name, n->stride[a]);
        if (!in_range(n->dilation[a], 1)) return BAD("node '%s' has a dilation of %d", n->name, n->dilation[a]);
        if (!in_range(n->pads[a], 0) || !in_range(n->pads[a + 2], 0))
            return BAD("node '%s' has a padding of %d", n->name, in_range(n->pads[a], 0) ? n->pads[a + 2] : n->pads[a]);
    }
    return 0;
}

/* Output height (a = 0) or width (a = 1) of a sliding window. */
static int window_out(const struct xfv_node *n, int a, int in, int *out, struct xfv_err *e)
{
    int64_t span = (int64_t)(n->kernel[a] - 1) * n->dilation[a] + 1;
    int64_t room = (int64_t)in + n->pads[a] + n->pads[a + 2] - span;
    if (room < 0)
        return BAD("the window of node '%s' (%lld) does not fit its input (%d with padding %d+%d)", n->name,
                   (long long)span, in, n->pads[a], n->pads[a + 2]);
    *out = (int)(room / n->stride[a] + 1);
    return 0;
}

static int want_image(const struct xfv_node *n, const struct xfv_shape *in, struct xfv_err *e)
{
    char t[64];
    if (in->rank == 3) return 0;
    return BAD("node '%s' (%s) needs an input HxWxC, not %s", n->name, xfv_op_name(n->op), xfv_shape_text(*in, t));
}

static int shape_conv(const struct xfv_graph *g, const struct xfv_node *n, const struct xfv_shape *in,
                      struct xfv_shape *out, struct xfv_err *e)
{
    const struct xfv_weight *w = weight_of(g, n->weight);
    char t[64];
    int status, cin = in->dim[2];
    if ((status = want_image(n, in, e)) || (status = check_window(n, e))) return status;
    if (!w || w->shape.rank != 4) return BAD("node '%s' (conv) has no weight of four dimensions", n->name);
    if (n->groups < 1 || cin % n->groups != 0 || w->shape.dim[3] % n->groups != 0)
        return BAD("node '%s' (conv) cannot split %d input and %d output channels into %d groups", n->name, cin,
                   w->shape.dim[3], n->groups);
    struct xfv_shape want = xfv_shape_of(4, n->kernel[0], n->kernel[1], cin / n->groups, w->shape.dim[3]);
    if (!xfv_shape_equal(want, w->shape)) {
        char t2[64];
        return BAD("the weight of node '%s' (conv) should have shape %s, not %s", n->name, xfv_shape_text(want, t),
                   xfv_shape_text(w->shape, t2));
    }
    if ((status = want_vector(g, n, n->bias, "bias", w->shape.dim[3], 1, e))) return status;
    *out = xfv_shape_of(3, 0, 0, w->shape.dim[3]);
    if ((status = window_out(n, 0, in->dim[0], &out->dim[0], e))) return status;
    return window_out(n, 1, in->dim[1], &out->dim[1], e);
}

static int shape_pool(const struct xfv_node *n, const struct xfv_shape *in, struct xfv_shape *out, struct xfv_err *e)
{
    int status;
    if ((status = want_image(n, in, e)) || (status = check_window(n, e))) return status;
    for (int a = 0; a < 4; a++) /* else a window could lie in the padding alone */
        if (n->pads[a] > (n->kernel[a & 1] - 1) * n->dilation[a & 1])
            return BAD("node '%s' (%s) has a padding of %d, not less than its window", n->name, xfv_op_name(n->op),
                       n->pads[a]);
    *out = *in;
    if ((status = window_out(n, 0, in->dim[0], &out->dim[0], e))) return status;
    return window_out(n, 1, in->dim[1], &out->dim[1], e);
}

static int shape_dense(const struct xfv_graph *g, const struct xfv_node *n, const struct xfv_shape *in,
                       struct xfv_shape *out, struct xfv_err *e)
{
    const struct xfv_weight *w = weight_of(g, n->weight);
    char t[64], t2[64];
    if (!w || w->shape.rank != 2) return BAD("node '%s' (dense) has no weight of two dimensions", n->name);
    if ((size_t)w->shape.dim[0] != xfv_shape_count(*in))
        return BAD("node '%s' (dense) has a weight of %s for an input of %s", n->name, xfv_shape_text(w->shape, t),
                   xfv_shape_text(*in, t2));
    *out = xfv_shape_of(1, w->shape.dim[1]);
    return want_vector(g, n, n->bias, "bias", w->shape.dim[1], 1, e);
}

static int shape_binary(const struct xfv_node *n, const struct xfv_shape *in, struct xfv_shape *out, struct xfv_err *e)
{
    char t[64], t2[64];
    int off = in[0].rank - in[1].rank, fits = off >= 0;
    for (int i = 0; fits && i < in[1].rank; i++) fits = in[1].dim[i] == 1 || in[1].dim[i] == in[0].dim[i + off];
    if (!fits)
        return BAD("node '%s' (%s) cannot join %s and %s", n->name, xfv_op_name(n->op), xfv_shape_text(in[0], t),
                   xfv_shape_text(in[1], t2));
    *out = in[0];
    return 0;
}

static int shape_reshape(const struct xfv_node *n, const struct xfv_shape *in, struct xfv_shape *out, struct xfv_err *e)
{
    char t[64], t2[64];
    int rest = -1;
    *out = (struct xfv_shape){0};
    for (int i = 0; i < 4 && n->i[i] != 0; i++) {
        if (n->i[i] < -1 || (n->i[i] == -1 && rest >= 0))
            return BAD("node '%s' (reshape) has an impossible new shape", n->name);
        if (n->i[i] == -1) rest = i;
        out->dim[out->rank++] = n->i[i] == -1 ? 1 : n->i[i];
    }
    size_t have = xfv_shape_count(*in), want = xfv_shape_count(*out);
    if (rest >= 0 && want && have % want == 0) out->dim[rest] = (int)(have / want);
    if (out->rank < 1 || xfv_shape_count(*out) != have)
        return BAD("node '%s' (reshape) cannot make %s out of %s", n->name, xfv_shape_text(*out, t),
                   xfv_shape_text(*in, t2));
    return 0;
}

static int check_axis(const struct xfv_node *n, int axis, int rank, struct xfv_err *e)
{
    return axis >= 0 && axis < rank
               ? 0
               : BAD("node '%s' (%s) works on axis %d of %d", n->name, xfv_op_name(n->op), axis, rank);
}

static int shape_transpose(const struct xfv_node *n, const struct xfv_shape *in, struct xfv_shape *out,
                           struct xfv_err *e)
{
    unsigned seen = 0;
    *out = *in;
    for (int i = 0; i < in->rank; i++) {
        int status = check_axis(n, n->i[i], in->rank, e);
        if (status) return status;
        seen |= 1u << n->i[i];
        out->dim[i] = in->dim[n->i[i]];
    }
    return seen == (1u << in->rank) - 1 ? 0 : BAD("node '%s' (transpose) does not name each axis once", n->name);
}

static int shape_concat(const struct xfv_node *n, const struct xfv_shape *in, struct xfv_shape *out, struct xfv_err *e)
{
    int status = check_axis(n, n->i[0], in[0].rank, e);
    if (status) return status;
    int64_t sum = in[0].dim[n->i[0]];
    for (int k = 1; k < n->n_in; k++) {
        char t[64], t2[64];
        struct xfv_shape s = in[k];
        if (s.rank == in[0].rank) s.dim[n->i[0]] = in[0].dim[n->i[0]];
        if (!xfv_shape_equal(s, in[0]))
            return BAD("node '%s' (concat) cannot join %s and %s", n->name, xfv_shape_text(in[0], t),
                       xfv_shape_text(in[k], t2));
        sum += in[k].dim[n->i[0]];
    }
    if (sum > XFV_MAX_ELEMENTS) return BAD("node '%s' (concat) is too large", n->name);
    *out = in[0];
    out->dim[n->i[0]] = (int)sum;
    return 0;
}

static int shape_slice(const struct xfv_node *n, const struct xfv_shape *in, struct xfv_shape *out, struct xfv_err *e)
{
    int status = check_axis(n, n->i[0], in->rank, e);
    if (status) return status;
    if (n->i[1] < 0 || n->i[2] <= n->i[1] || n->i[2] > in->dim[n->i[0]])
        return BAD("node '%s' (slice) wants %d..%d of %d", n->name, n->i[1], n->i[2], in->dim[n->i[0]]);
    *out = *in;
    out->dim[n->i[0]] = n->i[2] - n->i[1];
    return 0;
}

static int shape_pad(const struct xfv_node *n, const struct xfv_shape *in, struct xfv_shape *out, struct xfv_err *e)
{
    int status;
    if ((status = want_image(n, in, e)) || (status = check_window(n, e))) return status;
    *out = *in;
    for (int a = 0; a < 2; a++) {
        int64_t d = (int64_t)in->dim[a] + n->pads[a] + n->pads[a + 2];
        if (d > XFV_MAX_ELEMENTS) return BAD("node '%s' (pad) is too large", n->name);
        out->dim[a] = (int)d;
    }
    return 0;
}

static int shape_reduce(const struct xfv_node *n, const struct xfv_shape *in, struct xfv_shape *out, struct xfv_err *e)
{
    if (!xfv_reduce_name(n->i[0])) return BAD("node '%s' (reduce) has the unknown function %d", n->name, n->i[0]);
    if (n->i[1] <= 0 || n->i[1] >= 1 << in->rank)
        return BAD("node '%s' (reduce) names axes that an input of rank %d lacks", n->name, in->rank);
    *out = *in;
    for (int a = 0; a < in->rank; a++)
        if (n->i[1] >> a & 1) out->dim[a] = 1;
    return 0;
}

static int shape_matmul(const struct xfv_node *n, const struct xfv_shape *in, struct xfv_shape *out, struct xfv_err *e)
{
    char t[64], t2[64];
    int r = in[0].rank, fits = r >= 2 && in[1].rank == r;
    *out = in[0];
    if (fits) {
        for (int i = 0; i < r - 2; i++) {
            fits &= in[0].dim[i] == in[1].dim[i] || in[0].dim[i] == 1 || in[1].dim[i] == 1;
            out->dim[i] = in[0].dim[i] == 1 ? in[1].dim[i] : in[0].dim[i];
        }
        fits &= in[0].dim[r - 1] == in[1].dim[n->i[0] ? r - 1 : r - 2];
    }
    if (!fits)
        return BAD("node '%s' (matmul) cannot multiply %s and %s", n->name, xfv_shape_text(in[0], t),
                   xfv_shape_text(in[1], t2));
    out->dim[r - 1] = in[1].dim[n->i[0] ? r - 2 : r - 1];
    return 0;
}

static int shape_channelwise(const struct xfv_graph *g, const struct xfv_node *n, const struct xfv_shape *in,
                             struct xfv_shape *out, struct xfv_err *e)
{
    int c = in->dim[in->rank - 1], status;
    *out = *in;
    if ((status = want_vector(g, n, n->weight, "weight", c, 0, e))) return status;
    return n->op == XFV_OP_PRELU ? 0 : want_vector(g, n, n->bias, "bias", c, n->op == XFV_OP_AFFINE, e);
}

/* Dimensions as in i[0..3], and a table whose rows name elements that exist. */
static int shape_sparse(const struct xfv_graph *g, const struct xfv_node *n, const struct xfv_shape *in,
                        struct xfv_shape *out, struct xfv_err *e)
{
    const struct xfv_weight *w = weight_of(g, n->weight);
    char t[64];
    *out = (struct xfv_shape){0};
    for (int i = 0; i < XFV_MAX_RANK && n->i[i] > 0; i++) out->dim[out->rank++] = n->i[i];
    double have = (double)xfv_shape_count(*in), made = (double)xfv_shape_count(*out);
    if (!w || w->shape.rank != 2 || w->shape.dim[1] != 3)
        return BAD("node '%s' (sparse) has no table of three columns", n->name);
    if (made < 1 || made > XFV_MAX_SPARSE || have > XFV_MAX_SPARSE)
        return BAD("node '%s' (sparse) makes %s, an impossible size", n->name, xfv_shape_text(*out, t));
    for (size_t k = 0; w->data && k < w->count; k += 3) { /* a fold moves the data when all else is done */
        double to = (double)w->data[k], from = (double)w->data[k + 1];
        if (!(to >= 0 && to < made && from >= 0 && from < have && floor(to) >= to && floor(from) >= from))
            return BAD("node '%s' (sparse) takes element %g to element %g, of %g and %g", n->name, from, to, have,
                       made);
    }
    return 0;
}

static int shape_select(const struct xfv_node *n, const struct xfv_shape *in, struct xfv_shape *out, struct xfv_err *e)
{
    char t[64], t2[64];
    *out = in[0];
    for (int k = 1; k < 3; k++)
        if (!xfv_shape_equal(in[k], in[0]))
            return BAD("node '%s' (select) cannot join %s and %s", n->name, xfv_shape_text(in[0], t),
                       xfv_shape_text(in[k], t2));
    return 0;
}

static int n_inputs_fit(const struct xfv_node *n)
{
    switch (n->op) {
    case XFV_OP_CONST: return n->n_in == 0;
    case XFV_OP_CONCAT: return n->n_in >= 1;
    case XFV_OP_ADD: case XFV_OP_SUB: case XFV_OP_MUL: case XFV_OP_DIV: case XFV_OP_MATMUL: case XFV_OP_MAX:
    case XFV_OP_MIN: case XFV_OP_POWER: case XFV_OP_MOD: case XFV_OP_COMPARE: return n->n_in == 2;
    case XFV_OP_SELECT: return n->n_in == 3;
    default: return n->n_in == 1;
    }
}

static int infer(const struct xfv_graph *g, const struct xfv_node *n, const struct xfv_shape *in, struct xfv_shape *out,
                 struct xfv_err *e)
{
    const struct xfv_weight *w;
    switch (n->op) {
    case XFV_OP_CONV: return shape_conv(g, n, in, out, e);
    case XFV_OP_DENSE: return shape_dense(g, n, in, out, e);
    case XFV_OP_PRELU: case XFV_OP_AFFINE: case XFV_OP_LAYERNORM: return shape_channelwise(g, n, in, out, e);
    case XFV_OP_MAXPOOL: case XFV_OP_AVGPOOL: return shape_pool(n, in, out, e);
    case XFV_OP_ADD:
    case XFV_OP_SUB:
    case XFV_OP_MUL:
    case XFV_OP_DIV:
    case XFV_OP_MAX:
    case XFV_OP_MIN:
    case XFV_OP_POWER:
    case XFV_OP_MOD: return shape_binary(n, in, out, e);
    case XFV_OP_COMPARE:
        if (!xfv_relation_name(n->i[0]))
            return BAD("node '%s' (compare) has the unknown relation %d", n->name, n->i[0]);
        return shape_binary(n, in, out, e);
    case XFV_OP_SELECT: return shape_select(n, in, out, e);
    case XFV_OP_SPARSE: return shape_sparse(g, n, in, out, e);
    case XFV_OP_RESHAPE: return shape_reshape(n, in, out, e);
    case XFV_OP_ACT:
        if (!xfv_act_name(n->i[0])) return BAD("node '%s' (act) has the unknown function %d", n->name, n->i[0]);
        if (n->i[0] == XFV_ACT_CLIP && !(n->f[0] <= n->f[1]))
            return BAD("node '%s' (clip) has the range %g..%g, which is empty", n->name, (double)n->f[0],
                       (double)n->f[1]);
        *out = *in;
        return 0;
    case XFV_OP_CONST:
        if (!(w = weight_of(g, n->weight))) return BAD("node '%s' (const) has no weight", n->name);
        *out = w->shape;
        return 0;
    case XFV_OP_TRANSPOSE: return shape_transpose(n, in, out, e);
    case XFV_OP_CONCAT: return shape_concat(n, in, out, e);
    case XFV_OP_SLICE: return shape_slice(n, in, out, e);
    case XFV_OP_PAD: return shape_pad(n, in, out, e);
    case XFV_OP_REDUCE: return shape_reduce(n, in, out, e);
    case XFV_OP_MATMUL: return shape_matmul(n, in, out, e);
    case XFV_OP_RELU: case XFV_OP_SOFTMAX: case XFV_OP_L2NORM:
        *out = *in;
        return 0;
    case XFV_OPS: break;
    }
    return BAD("node '%s' has the unknown operator %d", n->name, (int)n->op);
}

int xfv_node_shape(const struct xfv_graph *g, const struct xfv_node *n, const struct xfv_shape *in,
                   struct xfv_shape *out, struct xfv_err *e)
{
    char t[64];
    if ((unsigned)n->op >= XFV_OPS) return BAD("node '%s' has the unknown operator %d", n->name, (int)n->op);
    if (!n_inputs_fit(n)) return BAD("node '%s' (%s) has %d inputs", n->name, xfv_op_name(n->op), n->n_in);
    for (int k = 0; k < n->n_in; k++)
        if (in[k].rank < 1 || xfv_shape_count(in[k]) == 0)
            return BAD("node '%s' has an input of shape '%s'", n->name, xfv_shape_text(in[k], t));
    int status = infer(g, n, in, out, e);
    if (status) return status;
    if (xfv_shape_count(*out) == 0)
        return BAD("the output %s of node '%s' is too large", xfv_shape_text(*out, t), n->name);
    return 0;
}

int xfv_graph_shapes(const struct xfv_graph *g, struct xfv_shape input, struct xfv_shape *out, struct xfv_err *e)
{
    struct xfv_shape in[XFV_MAX_INPUTS];
    if (g->n_values < 1) return BAD("the graph has no input");
    memset(out, 0, (size_t)g->n_values * sizeof *out);
    out[0] = input;
    for (int i = 0; i < g->n_nodes; i++) {
        const struct xfv_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_in; k++) in[k] = out[n->in[k]];
        int status = xfv_node_shape(g, n, in, &out[n->out], e);
        if (status) return status;
    }
    return 0;
}

/* Indices, one producer a value, topological order (so no cycle). made: n_values flags, zeroed. */
static int check_wiring(const struct xfv_graph *g, char *made, struct xfv_err *e)
{
    made[0] = 1;
    for (int i = 0; i < g->n_nodes; i++) {
        const struct xfv_node *n = &g->nodes[i];
        for (int k = 0; k < n->n_in; k++) {
            if (n->in[k] < 0 || n->in[k] >= g->n_values)
                return BAD("node '%s' reads value %d of %d", n->name, n->in[k], g->n_values);
            if (!made[n->in[k]])
                return BAD("node '%s' reads '%s' before any node makes it", n->name, g->values[n->in[k]].name);
        }
        if (n->out < 0 || n->out >= g->n_values)
            return BAD("node '%s' makes value %d of %d", n->name, n->out, g->n_values);
        if (made[n->out]) return BAD("node '%s' makes '%s' a second time", n->name, g->values[n->out].name);
        if (n->weight < -1 || n->weight >= g->n_weights || n->bias < -1 || n->bias >= g->n_weights)
            return BAD("node '%s' uses weight %d of %d", n->name,
                       n->weight >= g->n_weights || n->weight < -1 ? n->weight : n->bias, g->n_weights);
        made[n->out] = 1;
    }
    for (int v = 0; v < g->n_values; v++)
        if (!made[v]) return BAD("no node makes value '%s'", g->values[v].name);
    return 0;
}

int xfv_graph_check(const struct xfv_graph *g, struct xfv_err *e)
{
    char t[64], t2[64];
    if (g->n_values < 1) return BAD("the graph has no input");
    if (g->n_nodes < 1) return BAD("the graph has no nodes");
    if (g->n_outputs < 1) return BAD("the graph has no output");
    char *made = calloc((size_t)g->n_values, 1);
    struct xfv_shape *s = calloc((size_t)g->n_values, sizeof *s);
    int status = made && s ? check_wiring(g, made, e)
                           : xfv_fail(e, XFV_ENOMEM, "out of memory for %d values", g->n_values);
    if (status) goto out;
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] < 0 || g->outputs[i] >= g->n_values) {
            status = BAD("output %d is value %d of %d", i, g->outputs[i], g->n_values);
            goto out;
        }
    if ((status = xfv_graph_shapes(g, g->values[0].shape, s, e))) goto out;
    for (int v = 0; v < g->n_values; v++)
        if (!xfv_shape_equal(s[v], g->values[v].shape)) {
            status = BAD("value '%s' is declared %s but comes out as %s", g->values[v].name,
                         xfv_shape_text(g->values[v].shape, t), xfv_shape_text(s[v], t2));
            goto out;
        }
out:
    free(made);
    free(s);
    return status;
}

double xfv_graph_macs(const struct xfv_graph *g)
{
    double sum = 0;
    for (int i = 0; i < g->n_nodes; i++) sum += xfv_node_macs(g, &g->nodes[i]);
    return sum;
}

double xfv_node_macs(const struct xfv_graph *g, const struct xfv_node *n)
{
    const struct xfv_shape out = g->values[n->out].shape;
    const struct xfv_weight *w = weight_of(g, n->weight);
    double per = 0;
    if (n->op == XFV_OP_CONV && w) per = (double)w->shape.dim[0] * w->shape.dim[1] * w->shape.dim[2];
    else if (n->op == XFV_OP_DENSE && w) per = w->shape.dim[0];
    else if (n->op == XFV_OP_MATMUL) {
        const struct xfv_shape a = g->values[n->in[0]].shape;
        per = a.dim[a.rank - 1];
    }
    return per * (double)xfv_shape_count(out);
}
