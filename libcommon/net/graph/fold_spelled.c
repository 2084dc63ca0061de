/* The simplifier's passes over functions that exporters spell out in several operators. By the time they run,
 * arithmetic with constants is AFFINE. */
#include <math.h>
#include <stdlib.h>

#include "net/graph/fold_internal.h"

static const struct xfv_node *act_of(const struct fold *f, int value, enum xfv_act a)
{
    const struct xfv_node *n = xfv_fold_producer(f, value, XFV_OP_ACT);
    return n && n->i[0] == (int)a ? n : NULL;
}

static int near(double a, double b) { return fabs(a - b) <= 1e-6 * (fabs(b) > 1e-3 ? fabs(b) : 1e-3); }

/* x scale + shift with one scale and one shift for all channels (NULL: it is not). */
static const struct xfv_node *affine_of(const struct fold *f, int value, double *scale, double *shift)
{
    const struct xfv_node *n = xfv_fold_producer(f, value, XFV_OP_AFFINE);
    if (!n) return NULL;
    const struct xfv_weight *s = xfv_fold_weight(f, n->weight), *t = xfv_fold_weight(f, n->bias);
    for (size_t k = 1; k < s->count; k++)
        if (!near((double)s->data[k], (double)s->data[0]) || (t && !near((double)t->data[k], (double)t->data[0])))
            return NULL;
    *scale = (double)s->data[0];
    *shift = t ? (double)t->data[0] : 0;
    return n;
}

static const struct xfv_node *scaled(const struct fold *f, int value, double scale, double shift)
{
    double s, t;
    const struct xfv_node *n = affine_of(f, value, &s, &t);
    return n && near(s, scale) && near(t, shift) ? n : NULL;
}

static int without_reshapes(const struct fold *f, int v)
{
    const struct xfv_node *r;
    while ((r = xfv_fold_producer(f, v, XFV_OP_RESHAPE))) v = r->in[0];
    return v;
}

static void become_act(struct fold *f, int i, enum xfv_act a, int in, float f0, float f1)
{
    xfv_fold_become(f, i, xfv_node_act(a, in, f0, f1));
    f->stats.spelled++;
}

/* ---- gates ---- */

/* Is `gate` one of x's own gates? Node i, the product, becomes the function. */
static int gate_by(struct fold *f, int i, int x, int gate)
{
    const struct xfv_node *n;
    if ((n = act_of(f, gate, XFV_ACT_SIGMOID)) && n->in[0] == x) return become_act(f, i, XFV_ACT_SILU, x, 0, 0), 1;
    if ((n = act_of(f, gate, XFV_ACT_TANH)) && (n = act_of(f, n->in[0], XFV_ACT_SOFTPLUS)) && n->in[0] == x)
        return become_act(f, i, XFV_ACT_MISH, x, 0, 0), 1;
    if ((n = act_of(f, gate, XFV_ACT_HARDSIGMOID)) && n->in[0] == x && near((double)n->f[0], 1.0 / 6) &&
        near((double)n->f[1], 0.5))
        return become_act(f, i, XFV_ACT_HARDSWISH, x, 0, 0), 1;
    return 0;
}

/* 1 + erf(x / sqrt 2) */
static int is_gelu_gate(const struct fold *f, int gate, int x)
{
    const struct xfv_node *n = scaled(f, gate, 1, 1);
    if (!n || !(n = act_of(f, n->in[0], XFV_ACT_ERF))) return 0;
    n = scaled(f, n->in[0], 0.70710678118654752, 0);
    return n && n->in[0] == x;
}

/* clip(x + 3, 0, 6) */
static int is_relu6_gate(const struct fold *f, int gate, int x)
{
    const struct xfv_node *n = act_of(f, gate, XFV_ACT_CLIP);
    if (!n || !near((double)n->f[0], 0) || !near((double)n->f[1], 6)) return 0;
    n = scaled(f, n->in[0], 1, 3);
    return n && (x < 0 || n->in[0] == x);
}

int xfv_fold_gate(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i], *p;
    double s, t;
    if (n->op == XFV_OP_MUL && xfv_shape_equal(f->g->values[n->in[0]].shape, f->g->values[n->in[1]].shape))
        return gate_by(f, i, n->in[0], n->in[1]) || gate_by(f, i, n->in[1], n->in[0]);
    if (n->op != XFV_OP_AFFINE || !affine_of(f, n->out, &s, &t) || !near(t, 0)) return 0;
    if (near(s, 1.0 / 6) && is_relu6_gate(f, n->in[0], -1)) { /* hard sigmoid, which a product may make hard swish */
        p = xfv_fold_producer(f, xfv_fold_producer(f, n->in[0], XFV_OP_ACT)->in[0], XFV_OP_AFFINE);
        return become_act(f, i, XFV_ACT_HARDSIGMOID, p->in[0], 1.0f / 6, 0.5f), 1;
    }
    if (!(p = xfv_fold_producer(f, n->in[0], XFV_OP_MUL))) return 0;
    for (int k = 0; k < 2; k++) {
        int x = p->in[k], gate = p->in[1 - k];
        if (near(s, 0.5) && is_gelu_gate(f, gate, x)) return become_act(f, i, XFV_ACT_GELU, x, 0, 0), 1;
        if (near(s, 1.0 / 6) && is_relu6_gate(f, gate, x)) return become_act(f, i, XFV_ACT_HARDSWISH, x, 0, 0), 1;
    }
    return 0;
}

/* ---- norms ---- */

/* sqrt(sum x^2) -> the l2 reduction */
static int sqrt_of_sum(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i], *s = xfv_fold_producer(f, n->in[0], XFV_OP_REDUCE), *p;
    if (!s || s->i[0] != XFV_REDUCE_SUM) return 0;
    int x = -1;
    if ((p = act_of(f, s->in[0], XFV_ACT_POW)) && near((double)p->f[0], 2)) x = p->in[0];
    else if ((p = xfv_fold_producer(f, s->in[0], XFV_OP_MUL)) && p->in[0] == p->in[1]) x = p->in[0];
    if (x < 0) return 0;
    struct xfv_node l2 = *s;
    l2.in[0] = x;
    l2.i[0] = XFV_REDUCE_L2;
    xfv_fold_become(f, i, l2);
    f->stats.spelled++;
    return 1;
}

/* x / max(|x|, eps) over the whole sample */
static int l2norm_at(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i], *c, *r;
    int x = n->in[0], d = without_reshapes(f, n->in[1]);
    float eps = 0;
    if (xfv_shape_count(f->g->values[n->in[1]].shape) != 1) return 0;
    if ((c = act_of(f, d, XFV_ACT_CLIP)) && c->f[0] >= 0 && c->f[1] > 1e30f)
        eps = c->f[0], d = without_reshapes(f, c->in[0]);
    if (!(r = xfv_fold_producer(f, d, XFV_OP_REDUCE)) || r->i[0] != XFV_REDUCE_L2 ||
        without_reshapes(f, r->in[0]) != without_reshapes(f, x))
        return 0;
    struct xfv_node l2 = xfv_node_unary(XFV_OP_L2NORM, x);
    l2.f[0] = eps;
    xfv_fold_become(f, i, l2);
    f->stats.spelled++;
    return 1;
}

/* The reduction to the mean that makes `value`. */
static const struct xfv_node *mean_of(const struct fold *f, int value)
{
    const struct xfv_node *n = xfv_fold_producer(f, value, XFV_OP_REDUCE);
    return n && n->i[0] == XFV_REDUCE_MEAN ? n : NULL;
}

/* Is `value` x - mean(x)? Then x, and in *axes those of the mean; else -1. */
static int centred(const struct fold *f, int value, int *axes)
{
    const struct xfv_node *s = xfv_fold_producer(f, value, XFV_OP_SUB), *m = s ? mean_of(f, s->in[1]) : NULL;
    if (!m || m->in[0] != s->in[0]) return -1;
    *axes = m->i[1];
    return s->in[0];
}

/* The node of a transposition that exchanges one axis with the last. */
static struct xfv_node exchange(int in, int axis, int rank)
{
    struct xfv_node t = xfv_node_unary(XFV_OP_TRANSPOSE, in);
    for (int a = 0; a < rank; a++) t.i[a] = a == axis ? rank - 1 : a == rank - 1 ? axis : a;
    return t;
}

/* Node i becomes layer normalisation `ln` along an axis: between two transpositions where that is not the last. */
static int become_norm(struct fold *f, int i, struct xfv_node ln, int axis)
{
    struct xfv_shape s = f->g->values[ln.in[0]].shape;
    int last = s.rank - 1, of = s.dim[axis], v;
    if (axis != last) {
        s.dim[axis] = s.dim[last];
        s.dim[last] = of;
        if ((v = xfv_fold_insert(f, i++, exchange(ln.in[0], axis, s.rank), s)) < 0) return v;
        ln.in[0] = v;
        if ((v = xfv_fold_insert(f, i++, ln, s)) < 0) return v;
        ln = exchange(v, axis, s.rank);
    }
    xfv_fold_become(f, i, ln);
    f->stats.spelled++;
    return 1;
}

/* (x - mean x) / sqrt(mean (x - mean x)^2 + eps) over one axis */
static int layernorm_at(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i], *q = act_of(f, n->in[1], XFV_ACT_SQRT), *p;
    double s = 1, eps = 0;
    int axes = 0, again = 0, axis = 0, x = centred(f, n->in[0], &axes);
    if (x < 0 || !q) return 0;
    const struct xfv_node *a = affine_of(f, q->in[0], &s, &eps), *m = mean_of(f, a ? a->in[0] : q->in[0]);
    if (!m || !near(s, 1) || eps < 0 || m->i[1] != axes) return 0;
    if (!(p = act_of(f, m->in[0], XFV_ACT_POW)) || !near((double)p->f[0], 2)) return 0;
    if (centred(f, p->in[0], &again) != x || again != axes) return 0;
    while (axes >> axis > 1) axis++;
    if (axes != 1 << axis) return 0;
    int channels = f->g->values[x].shape.dim[axis];
    double *one = xfv_fold_doubles(f, (size_t)channels), *zero = xfv_fold_doubles(f, (size_t)channels);
    if (!one || !zero) {
        free(one);
        free(zero);
        return XFV_ENOMEM;
    }
    for (int k = 0; k < channels; k++) one[k] = 1;
    struct xfv_node ln = xfv_node_unary(XFV_OP_LAYERNORM, x);
    ln.f[0] = (float)eps;
    if ((ln.weight = xfv_fold_new_weight(f, i, "gamma", xfv_shape_of(1, channels), one)) < 0) {
        free(zero);
        return ln.weight;
    }
    if ((ln.bias = xfv_fold_new_weight(f, i, "beta", xfv_shape_of(1, channels), zero)) < 0) return ln.bias;
    return become_norm(f, i, ln, axis);
}

int xfv_fold_norm(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i];
    if (n->op == XFV_OP_ACT && n->i[0] == XFV_ACT_SQRT) return sqrt_of_sum(f, i);
    if (n->op != XFV_OP_DIV) return 0;
    int status = l2norm_at(f, i);
    return status ? status : layernorm_at(f, i);
}

int xfv_fold_affine_norm(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i],
                          *p = n->op == XFV_OP_AFFINE ? xfv_fold_producer(f, n->in[0], XFV_OP_LAYERNORM) : NULL;
    if (!p || f->uses[n->in[0]] != 1) return 0;
    const struct xfv_weight *s = xfv_fold_weight(f, n->weight), *t = xfv_fold_weight(f, n->bias),
                            *g = xfv_fold_weight(f, p->weight), *b = xfv_fold_weight(f, p->bias);
    double *gamma = xfv_fold_doubles(f, g->count), *beta = xfv_fold_doubles(f, g->count);
    struct xfv_node ln = *p;
    if (!gamma || !beta) {
        free(gamma);
        free(beta);
        return XFV_ENOMEM;
    }
    for (size_t k = 0; k < g->count; k++) {
        gamma[k] = (double)g->data[k] * (double)s->data[k];
        beta[k] = (double)b->data[k] * (double)s->data[k] + (t ? (double)t->data[k] : 0);
    }
    struct xfv_shape shape = xfv_shape_of(1, (int)g->count);
    if ((ln.weight = xfv_fold_new_weight(f, i, "gamma", shape, gamma)) < 0) {
        free(beta);
        return ln.weight;
    }
    if ((ln.bias = xfv_fold_new_weight(f, i, "beta", shape, beta)) < 0) return ln.bias;
    xfv_fold_become(f, i, ln);
    f->stats.affine++;
    return 1;
}
