/* The simplifier's passes over linear operators. Weights are combined in double and rounded to float once. */
#include <stdlib.h>

#include "net/graph/fold_internal.h"

static int is_linear(const struct xfv_node *n) { return n->op == XFV_OP_CONV || n->op == XFV_OP_DENSE; }

/* The convolution or dense layer that makes `value`, when nobody else reads it. */
static const struct xfv_node *sole_linear(const struct fold *f, int value)
{
    int p = f->producer[value];
    return p >= 0 && f->uses[value] == 1 && is_linear(&f->g->nodes[p]) ? &f->g->nodes[p] : NULL;
}

/* Back through reshapes in front of a dense layer, which flattens anyway; *sole: 1 when nobody else reads what lies
 * between. */
static int behind_reshapes(const struct fold *f, const struct xfv_node *n, int *sole)
{
    int v = n->in[0];
    const struct xfv_node *r;
    *sole = f->uses[v] == 1;
    while (n->op == XFV_OP_DENSE && (r = xfv_fold_producer(f, v, XFV_OP_RESHAPE))) {
        v = r->in[0];
        *sole = *sole && f->uses[v] == 1;
    }
    return v;
}

/* Node i takes `like`'s place with new weights w (of the given shape) and bias b; w and b are freed. */
static int replace(struct fold *f, int i, struct xfv_node like, struct xfv_shape shape, double *w, double *b)
{
    like.weight = xfv_fold_new_weight(f, i, "weight", shape, w);
    if (like.weight < 0) {
        free(b);
        return like.weight;
    }
    like.bias = -1;
    if (b && (like.bias = xfv_fold_new_weight(f, i, "bias", xfv_shape_of(1, shape.dim[shape.rank - 1]), b)) < 0)
        return like.bias;
    xfv_fold_become(f, i, like);
    return 1;
}

/* Copies of a layer's weights and bias (zeros when it has none) in double; *w NULL on failure. */
static void copy_linear(struct fold *f, const struct xfv_node *n, double **w, double **b)
{
    const struct xfv_weight *ww = xfv_fold_weight(f, n->weight), *bb = xfv_fold_weight(f, n->bias);
    size_t out = (size_t)ww->shape.dim[ww->shape.rank - 1];
    *w = xfv_fold_doubles(f, ww->count);
    *b = xfv_fold_doubles(f, out);
    if (!*w || !*b) {
        free(*w);
        free(*b);
        *w = *b = NULL;
        return;
    }
    for (size_t k = 0; k < ww->count; k++) (*w)[k] = (double)ww->data[k];
    for (size_t k = 0; bb && k < out; k++) (*b)[k] = (double)bb->data[k];
}

int xfv_fold_affine_after(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i], *p = n->op == XFV_OP_AFFINE ? sole_linear(f, n->in[0]) : NULL;
    double *w, *b;
    if (!p) return 0;
    const struct xfv_weight *s = xfv_fold_weight(f, n->weight), *t = xfv_fold_weight(f, n->bias),
                            *old = xfv_fold_weight(f, p->weight);
    int has_bias = t || p->bias >= 0;
    copy_linear(f, p, &w, &b);
    if (!w) return XFV_ENOMEM;
    for (size_t k = 0; k < old->count; k++) w[k] *= (double)s->data[k % s->count];
    for (size_t k = 0; k < s->count; k++) b[k] = b[k] * (double)s->data[k] + (t ? (double)t->data[k] : 0);
    if (!has_bias) free(b), b = NULL;
    f->stats.into_linear++;
    return replace(f, i, *p, old->shape, w, b);
}

/* A shift in front of padding is not a bias: the padding stays zero. */
static int shifts(const struct xfv_weight *t)
{
    for (size_t k = 0; t && k < t->count; k++)
        if (t->data[k] > 0 || t->data[k] < 0) return 1;
    return 0;
}

int xfv_fold_affine_before(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i];
    int sole;
    if (!is_linear(n)) return 0;
    const struct xfv_node *p = xfv_fold_producer(f, behind_reshapes(f, n, &sole), XFV_OP_AFFINE);
    if (!p) return 0;
    const struct xfv_weight *s = xfv_fold_weight(f, p->weight), *t = xfv_fold_weight(f, p->bias),
                            *old = xfv_fold_weight(f, n->weight);
    if (shifts(t) && (n->pads[0] || n->pads[1] || n->pads[2] || n->pads[3])) return 0;
    double *w, *b;
    copy_linear(f, n, &w, &b);
    if (!w) return XFV_ENOMEM;
    size_t cout = (size_t)old->shape.dim[old->shape.rank - 1], rows = old->count / cout;
    size_t per_group = n->op == XFV_OP_CONV ? (size_t)old->shape.dim[2] : s->count,
           out_per_group = cout / (size_t)n->groups;
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < cout; o++) {
            size_t c = o / out_per_group * per_group + r % per_group; /* the input channel that this weight meets */
            if (n->op == XFV_OP_DENSE) c = r % s->count;
            if (t) b[o] += w[r * cout + o] * (double)t->data[c];
            w[r * cout + o] *= (double)s->data[c];
        }
    if (!t && n->bias < 0) free(b), b = NULL;
    struct xfv_node like = *n;
    like.in[0] = p->in[0];
    f->stats.into_linear++;
    return replace(f, i, like, old->shape, w, b);
}

static int is_pointwise(const struct xfv_node *n)
{
    return n->op == XFV_OP_CONV && n->groups == 1 && n->kernel[0] == 1 && n->kernel[1] == 1 && !n->pads[0] &&
           !n->pads[1] && !n->pads[2] && !n->pads[3];
}

/* w[blocks][cin][cout] = sum over c of w1[cin][c] w2[blocks][c][cout]; b[cout] = b2 + b1 w2. */
static void multiply(const struct fold *f, const struct xfv_node *first, const double *w2, size_t blocks, size_t c,
                     size_t cin, size_t cout, double *w, double *b)
{
    const float *w1 = xfv_fold_weight(f, first->weight)->data,
                *b1 = first->bias < 0 ? NULL : xfv_fold_weight(f, first->bias)->data;
    for (size_t p = 0; p < blocks; p++)
        for (size_t k = 0; k < c; k++) {
            const double *row = w2 + (p * c + k) * cout;
            for (size_t o = 0; b1 && o < cout; o++) b[o] += (double)b1[k] * row[o];
            for (size_t j = 0; j < cin; j++)
                for (size_t o = 0; o < cout; o++) w[(p * cin + j) * cout + o] += (double)w1[j * c + k] * row[o];
        }
}

int xfv_fold_merge(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i], *p;
    int sole;
    if (n->op != XFV_OP_DENSE && !is_pointwise(n)) return 0;
    p = sole_linear(f, behind_reshapes(f, n, &sole));
    if (!p || !sole || (p->op == XFV_OP_CONV && !is_pointwise(p)) || (p->op == XFV_OP_DENSE && n->op == XFV_OP_CONV))
        return 0;
    int strided = p->stride[0] != 1 || p->stride[1] != 1;
    if (strided && (n->op == XFV_OP_DENSE || p->stride[0] * n->stride[0] > XFV_MAX_KERNEL ||
                    p->stride[1] * n->stride[1] > XFV_MAX_KERNEL))
        return 0;

    const struct xfv_weight *w1 = xfv_fold_weight(f, p->weight), *w2 = xfv_fold_weight(f, n->weight);
    size_t c = (size_t)w1->shape.dim[w1->shape.rank - 1], cin = w1->count / c,
           cout = (size_t)w2->shape.dim[w2->shape.rank - 1];
    size_t blocks = w2->count / cout / c, outputs = xfv_shape_count(f->g->values[n->out].shape);
    double after = (double)outputs * (double)(blocks * cin);
    if (after > xfv_node_macs(f->g, p) + xfv_node_macs(f->g, n)) return 0;
    if (blocks * cin * cout > XFV_MAX_ELEMENTS) return 0;

    double *w2d, *b, *w = xfv_fold_doubles(f, blocks * cin * cout);
    copy_linear(f, n, &w2d, &b);
    if (!w || !w2d) {
        free(w);
        free(w2d);
        free(b);
        return XFV_ENOMEM;
    }
    multiply(f, p, w2d, blocks, c, cin, cout, w, b);
    free(w2d);
    if (p->bias < 0 && n->bias < 0) free(b), b = NULL;
    struct xfv_node like = *n;
    like.in[0] = p->in[0];
    like.stride[0] *= p->stride[0];
    like.stride[1] *= p->stride[1];
    struct xfv_shape shape = n->op == XFV_OP_DENSE ? xfv_shape_of(2, (int)(blocks * cin), (int)cout)
                                                   : xfv_shape_of(4, 1, 1, (int)cin, (int)cout);
    f->stats.merged++;
    return replace(f, i, like, shape, w, b);
}
