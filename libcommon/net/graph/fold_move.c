/* The simplifier's passes over operators that only move elements. */
#include <string.h>

#include "net/graph/fold_internal.h"

static struct xfv_shape shape_of(const struct fold *f, int value) { return f->g->values[value].shape; }

static void set_shape(struct xfv_node *n, struct xfv_shape s)
{
    for (int i = 0; i < XFV_MAX_RANK; i++) n->i[i] = i < s.rank ? s.dim[i] : 0;
}

/* Does a transposition leave all axes that are not 1 in order? Then it is a reshape. */
static int keeps_order(const struct fold *f, const struct xfv_node *n)
{
    struct xfv_shape in = shape_of(f, n->in[0]);
    int last = -1;
    for (int i = 0; i < in.rank; i++) {
        if (in.dim[n->i[i]] == 1) continue;
        if (n->i[i] < last) return 0;
        last = n->i[i];
    }
    return 1;
}

static int fold_transpose(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i], *p;
    if (keeps_order(f, n)) {
        xfv_fold_become(f, i, xfv_node_reshape(n->in[0], shape_of(f, n->out)));
        return 1;
    }
    if (!(p = xfv_fold_producer(f, n->in[0], XFV_OP_TRANSPOSE))) return 0;
    struct xfv_node both = *n;
    for (int a = 0; a < shape_of(f, n->in[0]).rank; a++) both.i[a] = p->i[n->i[a]];
    both.in[0] = p->in[0];
    xfv_fold_become(f, i, both);
    return 1;
}

static int is_pointwise(const struct xfv_node *n)
{
    return n->op == XFV_OP_RELU || n->op == XFV_OP_PRELU || n->op == XFV_OP_AFFINE || n->op == XFV_OP_ACT;
}

/* reshape -> pointwise i becomes pointwise -> reshape i, so that layers and what follows them meet. */
static int sink(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i];
    int v = n->in[0], p = f->producer[v];
    if (!xfv_fold_producer(f, v, XFV_OP_RESHAPE) || f->uses[v] != 1) return 0;
    struct xfv_node *r = &f->g->nodes[p], first = *n;
    struct xfv_shape from = shape_of(f, r->in[0]), to = shape_of(f, n->out);
    if (from.dim[from.rank - 1] != to.dim[to.rank - 1]) return 0;
    first.in[0] = r->in[0];
    xfv_fold_become(f, p, first);
    f->g->values[v].shape = from; /* nobody else reads it */
    xfv_fold_become(f, i, xfv_node_reshape(v, to));
    return 1;
}

/* Inputs that are reshapes to the shape they have already. */
static int skip_same(struct fold *f, int i)
{
    struct xfv_node n = f->g->nodes[i];
    int changed = 0;
    for (int k = 0; k < n.n_in; k++) {
        const struct xfv_node *r = xfv_fold_producer(f, n.in[k], XFV_OP_RESHAPE);
        if (!r || !xfv_shape_equal(shape_of(f, r->in[0]), shape_of(f, r->out))) continue;
        n.in[k] = r->in[0];
        changed = 1;
    }
    if (changed) xfv_fold_become(f, i, n);
    return changed;
}

int xfv_fold_moves(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i], *r;
    int changed = 0;
    if (n->op == XFV_OP_TRANSPOSE) changed = fold_transpose(f, i);
    else if ((n->op == XFV_OP_RESHAPE || n->op == XFV_OP_DENSE) &&
             (r = xfv_fold_producer(f, n->in[0], XFV_OP_RESHAPE))) {
        struct xfv_node like = *n;
        if (n->op == XFV_OP_RESHAPE) set_shape(&like, shape_of(f, n->out));
        like.in[0] = r->in[0];
        xfv_fold_become(f, i, like);
        changed = 1;
    } else if (is_pointwise(n)) changed = sink(f, i);
    if (!changed) changed = skip_same(f, i);
    f->stats.moves += changed;
    return changed;
}

int xfv_fold_pad(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i],
                          *p = n->op == XFV_OP_CONV ? xfv_fold_producer(f, n->in[0], XFV_OP_PAD) : NULL;
    if (!p) return 0;
    struct xfv_node both = *n;
    for (int a = 0; a < 4; a++)
        if ((both.pads[a] += p->pads[a]) > XFV_MAX_KERNEL) return 0;
    both.in[0] = p->in[0];
    xfv_fold_become(f, i, both);
    f->stats.moves++;
    return 1;
}

/* A dense layer behind a transposition (the flattening of an image in another order): its rows take the order of what
 * is before it. */
int xfv_fold_flatten(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i],
                          *t = n->op == XFV_OP_DENSE ? xfv_fold_producer(f, n->in[0], XFV_OP_TRANSPOSE) : NULL;
    if (!t) return 0;
    const struct xfv_weight *w = xfv_fold_weight(f, n->weight);
    struct xfv_shape in = shape_of(f, t->in[0]), out = shape_of(f, t->out);
    size_t cols = (size_t)w->shape.dim[1], rows = w->count / cols, step[XFV_MAX_RANK], s = 1;
    float *v = xfv_fold_floats(f, w->count);
    if (!v) return XFV_ENOMEM;
    for (int a = in.rank - 1; a >= 0; a--) {
        step[a] = s;
        s *= (size_t)in.dim[a];
    }
    for (size_t r = 0; r < rows;
         r++) { /* row r of the layer meets element r of the transposed value, which is element `from` before */
        size_t rest = r, from = 0;
        for (int a = out.rank - 1; a >= 0; a--) {
            from += rest % (size_t)out.dim[a] * step[t->i[a]];
            rest /= (size_t)out.dim[a];
        }
        memcpy(v + from * cols, w->data + r * cols, cols * sizeof *v);
    }
    struct xfv_node like = *n;
    like.in[0] = t->in[0];
    if ((like.weight = xfv_fold_take_weight(f, i, "weight", w->shape, v)) < 0) return like.weight;
    xfv_fold_become(f, i, like);
    f->stats.moves++;
    return 1;
}
