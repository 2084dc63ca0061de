/* TFLite files: one function per group of operators. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/limits.h"
#include "net/import/tflite_internal.h"

enum fused { FUSED_NONE, FUSED_RELU, FUSED_RELU_N1_TO_1, FUSED_RELU6, FUSED_TANH, FUSED_SIGN_BIT };

const char *xfv_tfl_name_of(const struct tfl *t, const struct tfl_call *c) { return t->t[c->out[0]].name; }

#define BAD(...) xfv_fail(t->e, XFV_EMODEL, __VA_ARGS__)

/* Is input k there, and a constant of the file (or made from one by DEQUANTIZE)? */
static int is_constant(const struct tfl *t, const struct tfl_call *c, int k)
{
    int i = k < c->n_in ? c->in[k] : -1;
    return i >= 0 && (t->t[i].data || t->t[i].pos);
}

/* Sample shape of a constant operand: leading ones say nothing under broadcasting. */
static int constant_shape(struct tfl *t, int i, struct xfv_shape *s)
{
    const struct tfl_tensor *x = &t->t[i];
    int skip = 0;
    while (skip < x->rank - 1 && x->dim[skip] == 1) skip++;
    if (x->rank - skip > XFV_MAX_RANK) return BAD("constant '%s' has %d dimensions", x->name, x->rank - skip);
    *s = (struct xfv_shape){.rank = x->rank - skip};
    memcpy(s->dim, x->dim + skip, (size_t)s->rank * sizeof *s->dim);
    if (s->rank == 0) s->dim[s->rank++] = 1;
    return 0;
}

/* Weight index for constant tensor i seen as shape s (its data in the same order), or as the transpose of s =
 * [rows][cols]. */
static int weight(struct tfl *t, int i, struct xfv_shape s, int transpose)
{
    const float *d = xfv_tfl_constant(t, i);
    if (!d) return t->e->status;
    const char *name = t->t[i].name;
    int have = xfv_graph_find_weight(t->g, name);
    if (have >= 0 && t->g->weights[have].count == xfv_shape_count(s))
        return have; /* a constant used by several operators */
    if (!transpose) return xfv_graph_add_weight(t->g, name, s, d, t->e);
    size_t cols = (size_t)s.dim[s.rank - 1], rows = xfv_shape_count(s) / cols; /* of the result */
    float *tr = malloc(rows * cols * sizeof *tr);
    if (!tr) return xfv_fail(t->e, XFV_ENOMEM, "out of memory for weight '%s'", name);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < cols; k++) tr[r * cols + k] = d[k * rows + r];
    int w = xfv_graph_add_weight(t->g, name, s, tr, t->e);
    free(tr);
    return w;
}

/* Add a node and its value, called `name`; returns the value. */
static int add(struct tfl *t, struct xfv_node *n, const char *name)
{
    struct xfv_shape in[XFV_MAX_INPUTS], out;
    int status;
    n->name = (char *)(uintptr_t)name; /* copied by add_node, not written */
    for (int k = 0; k < n->n_in; k++) in[k] = t->g->values[n->in[k]].shape;
    if ((status = xfv_node_shape(t->g, n, in, &out, t->e))) return status;
    if ((n->out = xfv_graph_add_value(t->g, name, out, t->e)) < 0) return n->out;
    if ((status = xfv_graph_add_node(t->g, n, t->e)) < 0) return status;
    return n->out;
}

/* As add, for a node in front of another: its name gets a suffix. */
int xfv_tfl_add_before(struct tfl *t, struct xfv_node *n, const char *name, const char *suffix)
{
    char full[XFV_MAX_NAME + 33];
    snprintf(full, sizeof full, "%s%s", name, suffix);
    for (int k = 2; xfv_graph_find(t->g, full) >= 0; k++) snprintf(full, sizeof full, "%.900s%s#%d", name, suffix, k);
    int value = add(t, n, full);
    n->name = NULL;
    return value;
}

/* Value of an operand: what an earlier operator made, or a constant. */
int xfv_tfl_operand(struct tfl *t, const struct tfl_call *c, int k)
{
    int i = k < c->n_in ? c->in[k] : -1, status;
    if (i < 0) return BAD("operator '%s' (%s) has no input %d", xfv_tfl_name_of(t, c), xfv_tfl_op_name(c->op), k);
    struct tfl_tensor *x = &t->t[i];
    if (x->value >= 0) return x->value;
    if (!is_constant(t, c, k))
        return BAD("operator '%s' reads '%s' before any makes it", xfv_tfl_name_of(t, c), x->name);
    struct xfv_node n = xfv_node_default(XFV_OP_CONST);
    struct xfv_shape s;
    if ((status = constant_shape(t, i, &s)) || (n.weight = weight(t, i, s, 0)) < 0) return status ? status : n.weight;
    return x->value = add(t, &n, x->name);
}

/* v after the operator's fused activation, within what its output can hold; v itself when there is neither. */
static int activated(struct tfl *t, const struct tfl_call *c, int v, int fused, const char *name)
{
    float lo, hi;
    int limits = c->op != TFL_L2_NORMALIZATION &&
                 xfv_tfl_limits(t, &t->t[c->out[0]], &lo, &hi); /* a unit vector's grid is the operator's own */
    struct xfv_node n;
    switch (fused) {
    case FUSED_NONE: break;
    case FUSED_RELU: n = xfv_node_unary(XFV_OP_RELU, v); break;
    case FUSED_RELU6: n = xfv_node_act(XFV_ACT_CLIP, v, 0, 6); break;
    case FUSED_RELU_N1_TO_1: n = xfv_node_act(XFV_ACT_CLIP, v, -1, 1); break;
    case FUSED_TANH: n = xfv_node_act(XFV_ACT_TANH, v, 0, 0); break;
    default: return BAD("operator '%s' has the unknown fused activation %d", name, fused);
    }
    if (fused != FUSED_NONE && (v = xfv_tfl_add_before(t, &n, name, "/active")) < 0) return v;
    if (!limits) return v;
    t->quantisers++;
    n = xfv_node_act(XFV_ACT_CLIP, v, lo, hi);
    return xfv_within(t->g, v, lo, hi) ? v : xfv_tfl_add_before(t, &n, name, "/limit");
}

/* The operator's last node: a fused activation, a limit and a reshape to the declared shape follow when the file asks
 * for them. */
int xfv_tfl_finish(struct tfl *t, const struct tfl_call *c, struct xfv_node *n, int fused)
{
    struct tfl_tensor *x = &t->t[c->out[0]];
    struct xfv_shape in[XFV_MAX_INPUTS], got, want;
    int status, v;
    float lo, hi;
    char a[64], b[64];
    if (x->value >= 0) return BAD("two operators make '%s'", x->name);
    for (int k = 0; k < n->n_in; k++) in[k] = t->g->values[n->in[k]].shape;
    n->name = x->name;
    if ((status = xfv_node_shape(t->g, n, in, &got, t->e)) || (status = xfv_tfl_sample_shape(t, c->out[0], &want)))
        return status;
    int reshape = !xfv_shape_equal(got, want);
    if (reshape && t->resized && got.rank == want.rank) reshape = 0;
    if (reshape && xfv_shape_count(got) != xfv_shape_count(want))
        return BAD("the file declares '%s' as %s, but %s makes %s", x->name, xfv_shape_text(want, a),
                   xfv_tfl_op_name(c->op), xfv_shape_text(got, b));
    if (fused == FUSED_NONE && !reshape && !xfv_tfl_limits(t, x, &lo, &hi)) {
        x->value = add(t, n, x->name);
        return x->value < 0 ? x->value : 0;
    }
    if ((v = xfv_tfl_add_before(t, n, x->name, "/linear")) < 0 || (v = activated(t, c, v, fused, x->name)) < 0)
        return v;
    *n = xfv_node_reshape(v, reshape ? want : got); /* under the tensor's own name */
    x->value = add(t, n, x->name);
    return x->value < 0 ? x->value : 0;
}

/* TensorFlow's SAME: the output has ceil(in / stride) elements, what padding is odd goes to the end. A window of at
 * most two needs none before, and one that is never reached does no harm, so that case is written in the form that
 * holds at every input size. */
static void pad_same(struct xfv_node *n, const struct xfv_shape *in)
{
    for (int a = 0; a < 2; a++) {
        int64_t span = (n->kernel[a] - 1) * n->dilation[a] + 1, s = n->stride[a],
                out = ((int64_t)in->dim[a] + s - 1) / s;
        int64_t total = (out - 1) * s + span - in->dim[a];
        if (total < 0) total = 0;
        if (span == 2 && s <= 2) total = 1;
        n->pads[a] = (int)(total / 2);
        n->pads[a + 2] = (int)(total - total / 2);
    }
}

static int window(struct tfl *t, const struct tfl_call *c, struct xfv_node *n, int kh, int kw, int dilation_field)
{
    const struct xfv_shape in = t->g->values[n->in[0]].shape;
    int same = xfv_fb_i8(&t->fb, c->options, 0, 0) == 0;
    n->kernel[0] = kh;
    n->kernel[1] = kw;
    n->stride[1] = xfv_fb_i32(&t->fb, c->options, 1, 0);
    n->stride[0] = xfv_fb_i32(&t->fb, c->options, 2, 0);
    if (dilation_field) {
        n->dilation[1] = xfv_fb_i32(&t->fb, c->options, dilation_field, 1);
        n->dilation[0] = xfv_fb_i32(&t->fb, c->options, dilation_field + 1, 1);
    }
    for (int a = 0; a < 2; a++) {
        if (n->stride[a] < 1 || n->stride[a] > XFV_MAX_KERNEL || n->dilation[a] < 1 ||
            n->dilation[a] > XFV_MAX_KERNEL || n->kernel[a] < 1 || n->kernel[a] > XFV_MAX_KERNEL || in.rank != 3)
            return BAD("operator '%s' (%s) has an impossible window", xfv_tfl_name_of(t, c), xfv_tfl_op_name(c->op));
    }
    if (same) pad_same(n, &in);
    return 0;
}

/* Bias of a convolution or a dense layer: optional. */
static int bias(struct tfl *t, const struct tfl_call *c, struct xfv_node *n)
{
    if (c->n_in < 3 || c->in[2] < 0) return 0;
    struct xfv_shape s;
    int status = constant_shape(t, c->in[2], &s);
    if (status) return status;
    n->bias = weight(t, c->in[2], s, 0);
    return n->bias < 0 ? n->bias : 0;
}

static int build_conv(struct tfl *t, const struct tfl_call *c)
{
    struct xfv_node n = xfv_node_default(XFV_OP_CONV);
    int status, depthwise = c->op == TFL_DEPTHWISE_CONV_2D;
    n.n_in = 1;
    if ((n.in[0] = xfv_tfl_operand(t, c, 0)) < 0) return n.in[0];
    const struct tfl_tensor *w = c->n_in > 1 && c->in[1] >= 0 ? &t->t[c->in[1]] : NULL;
    if (!w || w->rank != 4)
        return BAD("operator '%s' (%s) has no constant weight of four dimensions", xfv_tfl_name_of(t, c),
                   xfv_tfl_op_name(c->op));
    if ((status = window(t, c, &n, w->dim[1], w->dim[2], depthwise ? 5 : 4))) return status;
    int cin = t->g->values[n.in[0]].shape.dim[2];
    if (depthwise) {
        if (w->dim[0] != 1 || w->dim[3] % cin)
            return BAD("operator '%s' (DEPTHWISE_CONV_2D) has a weight that does not fit", xfv_tfl_name_of(t, c));
        n.groups = cin;
        n.weight = weight(t, c->in[1], xfv_shape_of(4, w->dim[1], w->dim[2], 1, w->dim[3]), 0);
    } else {
        n.groups = cin % w->dim[3] == 0 ? cin / w->dim[3] : 1;
        n.weight = weight(t, c->in[1], xfv_shape_of(4, w->dim[1], w->dim[2], w->dim[3], w->dim[0]), 1);
    }
    if (n.weight < 0) return n.weight;
    if ((status = bias(t, c, &n))) return status;
    return xfv_tfl_finish(t, c, &n, xfv_fb_i8(&t->fb, c->options, depthwise ? 4 : 3, 0));
}

static int build_pool(struct tfl *t, const struct tfl_call *c)
{
    struct xfv_node n = xfv_node_default(c->op == TFL_MAX_POOL_2D ? XFV_OP_MAXPOOL : XFV_OP_AVGPOOL);
    int status;
    n.n_in = 1;
    if ((n.in[0] = xfv_tfl_operand(t, c, 0)) < 0) return n.in[0];
    if ((status = window(t, c, &n, xfv_fb_i32(&t->fb, c->options, 4, 0), xfv_fb_i32(&t->fb, c->options, 3, 0), 0)))
        return status;
    return xfv_tfl_finish(t, c, &n, xfv_fb_i8(&t->fb, c->options, 5, 0));
}

static int build_dense(struct tfl *t, const struct tfl_call *c)
{
    struct xfv_node n = xfv_node_default(XFV_OP_DENSE);
    int status;
    n.n_in = 1;
    if ((n.in[0] = xfv_tfl_operand(t, c, 0)) < 0) return n.in[0];
    const struct tfl_tensor *w = c->n_in > 1 && c->in[1] >= 0 ? &t->t[c->in[1]] : NULL;
    if (!w || w->rank != 2)
        return BAD("operator '%s' (FULLY_CONNECTED) has no constant weight of two dimensions", xfv_tfl_name_of(t, c));
    if (xfv_fb_i8(&t->fb, c->options, 1, 0) != 0)
        return BAD("operator '%s' (FULLY_CONNECTED) has shuffled weights", xfv_tfl_name_of(t, c));
    n.weight = weight(t, c->in[1], xfv_shape_of(2, w->dim[1], w->dim[0]), 1);
    if (n.weight < 0) return n.weight;
    if ((status = bias(t, c, &n))) return status;
    return xfv_tfl_finish(t, c, &n, xfv_fb_i8(&t->fb, c->options, 0, 0));
}

/* ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM, SQUARED_DIFFERENCE. A graph broadcasts the second operand only: c - x becomes
 * (-x) + c, and c / x becomes x^-1 c. */
static int build_binary(struct tfl *t, const struct tfl_call *c)
{
    static const struct {
        int tfl;
        enum xfv_op op;
    } kinds[] = {{TFL_ADD, XFV_OP_ADD},
                 {TFL_SUB, XFV_OP_SUB},
                 {TFL_MUL, XFV_OP_MUL},
                 {TFL_DIV, XFV_OP_DIV},
                 {TFL_MAXIMUM, XFV_OP_MAX},
                 {TFL_MINIMUM, XFV_OP_MIN},
                 {TFL_SQUARED_DIFFERENCE, XFV_OP_SUB}};
    enum xfv_op op = XFV_OP_ADD;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].tfl == c->op) op = kinds[i].op;
    int a = xfv_tfl_operand(t, c, 0), b = a < 0 ? a : xfv_tfl_operand(t, c, 1);
    if (b < 0) return b;
    const struct xfv_shape *sa = &t->g->values[a].shape, *sb = &t->g->values[b].shape;
    int swap = xfv_shape_count(*sa) < xfv_shape_count(*sb) || sa->rank < sb->rank ||
               (is_constant(t, c, 0) && xfv_shape_equal(*sa, *sb));
    if (swap && (op == XFV_OP_SUB || op == XFV_OP_DIV)) {
        struct xfv_node pre =
            op == XFV_OP_SUB ? xfv_node_act(XFV_ACT_NEG, b, 0, 0) : xfv_node_act(XFV_ACT_POW, b, -1, 0);
        if ((b = xfv_tfl_add_before(t, &pre, xfv_tfl_name_of(t, c), op == XFV_OP_SUB ? "/negated" : "/inverse")) < 0)
            return b;
        op = op == XFV_OP_SUB ? XFV_OP_ADD : XFV_OP_MUL;
    }
    struct xfv_node n = xfv_node_default(op);
    n.n_in = 2;
    n.in[0] = swap ? b : a;
    n.in[1] = swap ? a : b;
    if (op == XFV_OP_MAX || op == XFV_OP_MIN) return xfv_tfl_finish(t, c, &n, FUSED_NONE);
    if (c->op == TFL_SQUARED_DIFFERENCE) {
        int v = xfv_tfl_add_before(t, &n, xfv_tfl_name_of(t, c), "/difference");
        if (v < 0) return v;
        n = xfv_node_act(XFV_ACT_POW, v, 2, 0);
        return xfv_tfl_finish(t, c, &n, FUSED_NONE);
    }
    return xfv_tfl_finish(t, c, &n, xfv_fb_i8(&t->fb, c->options, 0, 0));
}

static int build_prelu(struct tfl *t, const struct tfl_call *c)
{
    struct xfv_node n = xfv_node_default(XFV_OP_PRELU);
    n.n_in = 1;
    if ((n.in[0] = xfv_tfl_operand(t, c, 0)) < 0) return n.in[0];
    struct xfv_shape s, in = t->g->values[n.in[0]].shape;
    int channels = in.dim[in.rank - 1], i = c->n_in > 1 ? c->in[1] : -1, status;
    const float *d = i < 0 ? NULL : xfv_tfl_constant(t, i);
    if (!d) return i < 0 ? BAD("operator '%s' (PRELU) has no slopes", xfv_tfl_name_of(t, c)) : t->e->status;
    if ((status = constant_shape(t, i, &s))) return status;
    if (xfv_shape_count(s) == 1 && channels > 1) { /* one slope for all */
        float *all = malloc((size_t)channels * sizeof *all);
        if (!all) return xfv_fail(t->e, XFV_ENOMEM, "out of memory for '%s'", xfv_tfl_name_of(t, c));
        for (int k = 0; k < channels; k++) all[k] = d[0];
        char name[XFV_MAX_NAME + 33];
        snprintf(name, sizeof name, "%s/slopes", xfv_tfl_name_of(t, c));
        n.weight = xfv_graph_add_weight(t->g, name, xfv_shape_of(1, channels), all, t->e);
        free(all);
    } else {
        n.weight = weight(t, i, s, 0);
    }
    return n.weight < 0 ? n.weight : xfv_tfl_finish(t, c, &n, FUSED_NONE);
}

/* RESHAPE and SQUEEZE: the declared output shape says all; xfv_tfl_finish() would add the node, but only when shapes
 * differ. */
static int build_reshape(struct tfl *t, const struct tfl_call *c)
{
    int in = xfv_tfl_operand(t, c, 0), status;
    struct xfv_shape want;
    if (in < 0) return in;
    if ((status = xfv_tfl_sample_shape(t, c->out[0], &want))) return status;
    struct xfv_node n = xfv_node_reshape(in, want);
    return xfv_tfl_finish(t, c, &n, FUSED_NONE);
}

static int build_reduce(struct tfl *t, const struct tfl_call *c)
{
    struct xfv_node n = xfv_node_unary(XFV_OP_REDUCE, xfv_tfl_operand(t, c, 0));
    int axes[TFL_MAX_RANK], count = n.in[0] < 0 || c->n_in < 2 ? -1 : xfv_tfl_integers(t, c->in[1], axes, TFL_MAX_RANK);
    if (n.in[0] < 0) return n.in[0];
    if (count < 0)
        return c->n_in < 2 ? BAD("operator '%s' (%s) has no axes", xfv_tfl_name_of(t, c), xfv_tfl_op_name(c->op))
                           : count;
    int rank = t->g->values[n.in[0]].shape.rank + 1; /* with the batch */
    for (int k = 0; k < count; k++) {
        int a = axes[k] < 0 ? axes[k] + rank : axes[k];
        if (a < 1 || a >= rank)
            return BAD("operator '%s' (%s) reduces over axis %d", xfv_tfl_name_of(t, c), xfv_tfl_op_name(c->op),
                       axes[k]);
        n.i[1] |= 1 << (a - 1);
    }
    if (c->op == TFL_REDUCE_MIN) {
        struct xfv_node minus = xfv_node_act(XFV_ACT_NEG, n.in[0], 0, 0);
        if ((n.in[0] = xfv_tfl_add_before(t, &minus, xfv_tfl_name_of(t, c), "/negated")) < 0) return n.in[0];
        n.i[0] = XFV_REDUCE_MAX;
        int most = xfv_tfl_add_before(t, &n, xfv_tfl_name_of(t, c), "/most");
        if (most < 0) return most;
        n = xfv_node_act(XFV_ACT_NEG, most, 0, 0);
        return xfv_tfl_finish(t, c, &n, FUSED_NONE);
    }
    n.i[0] = c->op == TFL_MEAN ? XFV_REDUCE_MEAN : c->op == TFL_SUM ? XFV_REDUCE_SUM : XFV_REDUCE_MAX;
    return xfv_tfl_finish(t, c, &n, FUSED_NONE);
}

/* TFLite normalises over the last axis, a graph's L2NORM over the whole sample: the same when the other axes are 1. Its
 * epsilon is 1e-6. */
static int build_pad(struct tfl *t, const struct tfl_call *c)
{
    struct xfv_node n = xfv_node_unary(XFV_OP_PAD, xfv_tfl_operand(t, c, 0));
    int p[8], count;
    if (n.in[0] < 0) return n.in[0];
    if (c->n_in < 2) return BAD("operator '%s' (PAD) has no paddings", xfv_tfl_name_of(t, c));
    if ((count = xfv_tfl_integers(t, c->in[1], p, 8)) < 0) return count;
    if (count != 8 || p[0] || p[1] || p[6] || p[7])
        return BAD("operator '%s' (%s) pads something else than height and width", xfv_tfl_name_of(t, c),
                   xfv_tfl_op_name(c->op));
    n.pads[0] = p[2];
    n.pads[2] = p[3];
    n.pads[1] = p[4];
    n.pads[3] = p[5];
    return c->op == TFL_PADV2 ? xfv_tfl_pad_value(t, c, n) : xfv_tfl_finish(t, c, &n, FUSED_NONE);
}

static int build_concat(struct tfl *t, const struct tfl_call *c)
{
    struct xfv_node n = xfv_node_default(XFV_OP_CONCAT);
    for (n.n_in = 0; n.n_in < c->n_in; n.n_in++)
        if ((n.in[n.n_in] = xfv_tfl_operand(t, c, n.n_in)) < 0) return n.in[n.n_in];
    int axis = xfv_fb_i32(&t->fb, c->options, 0, 0);
    if (n.n_in < 1) return BAD("operator '%s' (CONCATENATION) has no input", xfv_tfl_name_of(t, c));
    int rank = t->g->values[n.in[0]].shape.rank + 1;
    if (axis < 0) axis += rank;
    if (axis < 1) return BAD("operator '%s' (CONCATENATION) joins along the batch", xfv_tfl_name_of(t, c));
    n.i[0] = axis - 1;
    return xfv_tfl_finish(t, c, &n, xfv_fb_i8(&t->fb, c->options, 1, 0));
}

static int build_softmax(struct tfl *t, const struct tfl_call *c)
{
    float beta = xfv_fb_f32(&t->fb, c->options, 0, 0);
    if (beta < 1 || beta > 1)
        return BAD("operator '%s' (SOFTMAX) has beta %g instead of 1", xfv_tfl_name_of(t, c), (double)beta);
    struct xfv_node n = xfv_node_unary(XFV_OP_SOFTMAX, xfv_tfl_operand(t, c, 0));
    return n.in[0] < 0 ? n.in[0] : xfv_tfl_finish(t, c, &n, FUSED_NONE);
}

/* DEQUANTIZE of a constant makes floats of it. Of computed tensors, QUANTIZE limits them to what its numbers can hold,
 * and DEQUANTIZE does nothing: the network runs in float here. */
static int build_dequantize(struct tfl *t, const struct tfl_call *c)
{
    struct tfl_tensor *y = &t->t[c->out[0]];
    const struct tfl_tensor *x = c->n_in == 1 && c->in[0] >= 0 ? &t->t[c->in[0]] : NULL;
    if (!x) return BAD("operator '%s' (%s) has no input", y->name, xfv_tfl_op_name(c->op));
    if (y->rank != x->rank || memcmp(y->dim, x->dim, sizeof y->dim) != 0 || y->data || y->value >= 0)
        return BAD("operator '%s' (%s) changes the shape", y->name, xfv_tfl_op_name(c->op));
    if (!is_constant(t, c, 0)) {
        int v = xfv_tfl_operand(t, c, 0);
        y->value = v < 0 ? v : activated(t, c, v, FUSED_NONE, y->name);
        return y->value < 0 ? y->value : 0;
    }
    const float *d = xfv_tfl_constant(t, c->in[0]);
    size_t n = 1;
    if (!d) return t->e->status;
    for (int k = 0; k < x->rank; k++) n *= (size_t)x->dim[k];
    if (!(y->data = malloc((n ? n : 1) * sizeof *d)))
        return xfv_fail(t->e, XFV_ENOMEM, "out of memory for '%s'", y->name);
    memcpy(y->data, d, n * sizeof *d);
    return 0;
}

static int build_unary(struct tfl *t, const struct tfl_call *c)
{
    int in = xfv_tfl_operand(t, c, 0);
    struct xfv_node n;
    if (in < 0) return in;
    switch (c->op) {
    case TFL_RELU: n = xfv_node_unary(XFV_OP_RELU, in); break;
    case TFL_RELU6: n = xfv_node_act(XFV_ACT_CLIP, in, 0, 6); break;
    case TFL_RELU_N1_TO_1: n = xfv_node_act(XFV_ACT_CLIP, in, -1, 1); break;
    case TFL_LOGISTIC: n = xfv_node_act(XFV_ACT_SIGMOID, in, 0, 0); break;
    case TFL_TANH: n = xfv_node_act(XFV_ACT_TANH, in, 0, 0); break;
    case TFL_EXP: n = xfv_node_act(XFV_ACT_EXP, in, 0, 0); break;
    case TFL_NEG: n = xfv_node_act(XFV_ACT_NEG, in, 0, 0); break;
    case TFL_ABS: n = xfv_node_act(XFV_ACT_ABS, in, 0, 0); break;
    case TFL_RSQRT: n = xfv_node_act(XFV_ACT_POW, in, -.5f, 0); break;
    case TFL_SQRT: n = xfv_node_act(XFV_ACT_SQRT, in, 0, 0); break;
    case TFL_SQUARE: n = xfv_node_act(XFV_ACT_POW, in, 2, 0); break;
    case TFL_LOG: n = xfv_node_act(XFV_ACT_LOG, in, 0, 0); break;
    case TFL_SIN: n = xfv_node_act(XFV_ACT_SIN, in, 0, 0); break;
    case TFL_COS: n = xfv_node_act(XFV_ACT_COS, in, 0, 0); break;
    case TFL_FLOOR: n = xfv_node_act(XFV_ACT_FLOOR, in, 0, 0); break;
    case TFL_CEIL: n = xfv_node_act(XFV_ACT_CEIL, in, 0, 0); break;
    case TFL_ROUND: n = xfv_node_act(XFV_ACT_ROUND, in, 0, 0); break;
    case TFL_GELU: n = xfv_node_act(XFV_ACT_GELU, in, (float)(xfv_fb_i8(&t->fb, c->options, 0, 0) != 0), 0); break;
    case TFL_ELU:
        n = xfv_node_act(XFV_ACT_ELU, in, 1, 1);
        n.f[2] = 1;
        break;
    case TFL_HARD_SWISH: n = xfv_node_act(XFV_ACT_HARDSWISH, in, 0, 0); break;
    default: n = xfv_node_act(XFV_ACT_LEAKY, in, xfv_fb_f32(&t->fb, c->options, 0, 0), 0); break;
    }
    return xfv_tfl_finish(t, c, &n, FUSED_NONE);
}

static const struct { int op; int (*build)(struct tfl *t, const struct tfl_call *c); } ops[] = {
    {TFL_ADD, build_binary},
    {TFL_AVERAGE_POOL_2D, build_pool},
    {TFL_CONCATENATION, build_concat},
    {TFL_CONV_2D, build_conv},
    {TFL_DEPTHWISE_CONV_2D, build_conv},
    {TFL_DEQUANTIZE, build_dequantize},
    {TFL_QUANTIZE, build_dequantize},
    {TFL_FULLY_CONNECTED, build_dense},
    {TFL_L2_NORMALIZATION, xfv_tfl_l2norm},
    {TFL_LOGISTIC, build_unary},
    {TFL_MAX_POOL_2D, build_pool},
    {TFL_MUL, build_binary},
    {TFL_RELU, build_unary},
    {TFL_RELU_N1_TO_1, build_unary},
    {TFL_RELU6, build_unary},
    {TFL_RESHAPE, build_reshape},
    {TFL_SOFTMAX, build_softmax},
    {TFL_TANH, build_unary},
    {TFL_PAD, build_pad},
    {TFL_PADV2, build_pad},
    {TFL_CAST, xfv_tfl_cast},
    {TFL_GATHER, xfv_tfl_gather},
    {TFL_SLICE, xfv_tfl_slice},
    {TFL_FLOOR, build_unary},
    {TFL_CEIL, build_unary},
    {TFL_ROUND, build_unary},
    {TFL_MEAN, build_reduce},
    {TFL_SUB, build_binary},
    {TFL_DIV, build_binary},
    {TFL_SQUEEZE, build_reshape},
    {TFL_EXP, build_unary},
    {TFL_PRELU, build_prelu},
    {TFL_NEG, build_unary},
    {TFL_SUM, build_reduce},
    {TFL_REDUCE_MAX, build_reduce},
    {TFL_LEAKY_RELU, build_unary},
    {TFL_ABS, build_unary},
    {TFL_HARD_SWISH, build_unary},
    {TFL_RSQRT, build_unary},
    {TFL_SQRT, build_unary},
    {TFL_SQUARE, build_unary},
    {TFL_LOG, build_unary},
    {TFL_SIN, build_unary},
    {TFL_COS, build_unary},
    {TFL_GELU, build_unary},
    {TFL_ELU, build_unary},
    {TFL_MAXIMUM, build_binary},
    {TFL_MINIMUM, build_binary},
    {TFL_SQUARED_DIFFERENCE, build_binary},
    {TFL_REDUCE_MIN, build_reduce},
    {TFL_EXPAND_DIMS, build_reshape},
    {TFL_TRANSPOSE, xfv_tfl_transpose},
    {TFL_STRIDED_SLICE, xfv_tfl_strided_slice},
    {TFL_SPLIT, xfv_tfl_split},
    {TFL_PACK, xfv_tfl_pack},
    {TFL_SHAPE, xfv_tfl_of_shape},
    {TFL_BATCH_MATMUL, xfv_tfl_matmul},
    {TFL_RESIZE_BILINEAR, xfv_tfl_resize},
    {TFL_RESIZE_NEAREST_NEIGHBOR, xfv_tfl_resize},
    {TFL_LOG_SOFTMAX, xfv_tfl_log_softmax},
};

int xfv_tfl_supported(int op)
{
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (ops[i].op == op) return 1;
    return 0;
}

int xfv_tfl_build_call(struct tfl *t, const struct tfl_call *c)
{
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (ops[i].op == c->op) return ops[i].build(t, c);
    return BAD("operator %d is not supported", c->op); /* xfv_tfl_supported was asked before */
}
