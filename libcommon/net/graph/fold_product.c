/* The simplifier's passes over products with a constant matrix on the left, as pooling along channels and resizing
 * have: products with nothing but ones on the diagonal, and those of vectors, which are 1x1 convolutions. */
#include "net/graph/fold_internal.h"

static struct xfv_shape shape_of(const struct fold *f, int value) { return f->g->values[value].shape; }

static int is_identity(const struct xfv_weight *w, size_t rows, size_t columns)
{
    if (rows != columns || w->count != rows * columns) return 0;
    for (size_t k = 0; k < w->count; k++) {
        float want = k / columns == k % columns ? 1.0f : 0.0f;
        if (w->data[k] < want || w->data[k] > want) return 0;
    }
    return 1;
}

/* The matrix times vectors [..][columns][1], as a convolution of [vectors][1][columns]. */
static int of_vectors(struct fold *f, int i, const struct xfv_weight *w, int rows, int columns)
{
    struct xfv_node c = xfv_node_default(XFV_OP_CONV);
    struct xfv_shape in = shape_of(f, f->g->nodes[i].in[1]), out = shape_of(f, f->g->nodes[i].out);
    int vectors = (int)(xfv_shape_count(in) / (size_t)columns), v = f->g->nodes[i].in[1];
    struct xfv_shape image = xfv_shape_of(3, vectors, 1, columns);
    double *turned = xfv_fold_doubles(f, w->count);
    if (!turned) return XFV_ENOMEM;
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < columns; k++) turned[k * rows + r] = (double)w->data[r * columns + k];
    if ((c.weight = xfv_fold_new_weight(f, i, "turned", xfv_shape_of(4, 1, 1, columns, rows), turned)) < 0)
        return c.weight;
    if ((v = xfv_fold_insert(f, i++, xfv_node_reshape(v, image), image)) < 0) return v;
    c.n_in = 1;
    c.in[0] = v;
    image.dim[2] = rows;
    if ((v = xfv_fold_insert(f, i++, c, image)) < 0) return v;
    xfv_fold_become(f, i, xfv_node_reshape(v, out));
    return 1;
}

int xfv_fold_product(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i],
                          *c = n->op == XFV_OP_MATMUL ? xfv_fold_producer(f, n->in[0], XFV_OP_CONST) : NULL;
    if (!c) return 0;
    const struct xfv_weight *w = xfv_fold_weight(f, c->weight);
    struct xfv_shape a = shape_of(f, n->in[0]), b = shape_of(f, n->in[1]), out = shape_of(f, n->out);
    int rows = a.dim[a.rank - 2], columns = a.dim[a.rank - 1], changed = 0;
    if (w->count != (size_t)rows * (size_t)columns || n->i[0]) return 0;
    if (is_identity(w, (size_t)rows, (size_t)columns)) {
        xfv_fold_become(f, i, xfv_node_reshape(n->in[1], out));
        changed = 1;
    } else if (b.dim[b.rank - 1] == 1 && xfv_shape_count(b) > (size_t)columns) {
        changed = of_vectors(f, i, w, rows, columns);
    }
    f->stats.spelled += changed > 0;
    return changed;
}
