/* TFLite files: operators that move elements or are made of others. Axes are those of the file, with the batch in
 * front; values are one sample's. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"
#include "net/import/tflite_internal.h"

#define BAD(...) xfv_fail(t->e, XFV_EMODEL, __VA_ARGS__)

static struct xfv_shape shape_of(const struct tfl *t, int v) { return t->g->values[v].shape; }

static int before(struct tfl *t, const struct tfl_call *c, struct xfv_node n, const char *suffix)
{
    return xfv_tfl_add_before(t, &n, xfv_tfl_name_of(t, c), suffix);
}

static int last(struct tfl *t, const struct tfl_call *c, struct xfv_node n) { return xfv_tfl_finish(t, c, &n, 0); }

static struct xfv_node two(enum xfv_op op, int a, int b)
{
    struct xfv_node n = xfv_node_unary(op, a);
    n.in[n.n_in++] = b;
    return n;
}

/* A sample's axis from one of the file's, or a negative status. */
static int axis_of(struct tfl *t, const struct tfl_call *c, int axis, int rank)
{
    int a = axis < 0 ? axis + rank + 1 : axis;
    return a >= 1 && a <= rank ? a - 1
                               : BAD("operator '%s' (%s) works on axis %d, which is the batch's or none",
                                     xfv_tfl_name_of(t, c), xfv_tfl_op_name(c->op), axis);
}

int xfv_tfl_transpose(struct tfl *t, const struct tfl_call *c)
{
    int in = xfv_tfl_operand(t, c, 0), perm[TFL_MAX_RANK],
        count = in < 0        ? in
                : c->n_in < 2 ? -1
                              : xfv_tfl_integers(t, c->in[1], perm, TFL_MAX_RANK);
    if (count < 0)
        return in < 0 ? in : c->n_in < 2 ? BAD("operator '%s' (TRANSPOSE) has no order", xfv_tfl_name_of(t, c)) : count;
    struct xfv_node n = xfv_node_unary(XFV_OP_TRANSPOSE, in);
    if (count != shape_of(t, in).rank + 1 || perm[0] != 0)
        return BAD("operator '%s' (TRANSPOSE) moves the batch, or names other axes than there are",
                   xfv_tfl_name_of(t, c));
    for (int i = 1; i < count; i++) n.i[i - 1] = perm[i] - 1;
    return last(t, c, n);
}

/* What is made of numbers that SHAPE made is not computed: the RESHAPE that reads it has a declared outcome. */
int xfv_tfl_of_shape(struct tfl *t, const struct tfl_call *c)
{
    t->t[c->out[0]].of_shape = 1;
    return 0;
}

static int reads_shape(const struct tfl *t, const struct tfl_call *c)
{
    for (int k = 0; k < c->n_in; k++)
        if (c->in[k] >= 0 && t->t[c->in[k]].of_shape) return 1;
    return 0;
}

/* Elements b, b + step, ... before e of a sample's axis. */
static int cut(struct tfl *t, const struct tfl_call *c, int v, int axis, int b, int e, int step)
{
    struct xfv_shape s = shape_of(t, v);
    struct xfv_node n = xfv_node_unary(XFV_OP_SLICE, v);
    if (b == 0 && e == s.dim[axis] && step == 1) return v;
    n.i[0] = axis, n.i[1] = b, n.i[2] = e;
    if ((b != 0 || e != s.dim[axis]) && (v = before(t, c, n, "/cut")) < 0) return v;
    if (step == 1) return v;
    if (s.rank != 3 || axis > 1)
        return BAD("operator '%s' (STRIDED_SLICE) has a step of %d along channels, which is not supported",
                   xfv_tfl_name_of(t, c), step);
    n = xfv_node_unary(XFV_OP_MAXPOOL, v); /* a window of one */
    n.stride[axis] = step;
    return before(t, c, n, "/step");
}

int xfv_tfl_strided_slice(struct tfl *t, const struct tfl_call *c)
{
    int from[TFL_MAX_RANK], to[TFL_MAX_RANK], step[TFL_MAX_RANK], n[3] = {0};
    if (reads_shape(t, c)) return xfv_tfl_of_shape(t, c);
    int v = xfv_tfl_operand(t, c, 0), *lists[3] = {from, to, step}, masks[5];
    if (v < 0) return v;
    for (int k = 0; k < 3; k++) {
        n[k] = k + 1 < c->n_in ? xfv_tfl_integers(t, c->in[k + 1], lists[k], TFL_MAX_RANK) : 0;
        if (n[k] < 0) return n[k];
    }
    for (int k = 0; k < 5; k++)
        masks[k] = xfv_fb_i32(&t->fb, c->options, k, 0); /* begin, end, ellipsis, new axis, shrink */
    int rank = shape_of(t, v).rank + 1;
    if (n[0] != n[1] || n[0] != n[2] || n[0] > rank || masks[2] || masks[3])
        return BAD("operator '%s' (STRIDED_SLICE) has lists that do not fit, or an ellipsis", xfv_tfl_name_of(t, c));
    for (int a = 0; a < n[0]; a++) {
        int d = a ? shape_of(t, v).dim[a - 1] : t->batch, shrinks = masks[4] >> a & 1;
        int b = masks[0] >> a & 1 ? 0
                : from[a] < 0     ? from[a] + d
                                  : from[a],
            e = shrinks             ? b + 1
                : masks[1] >> a & 1 ? d
                : to[a] < 0         ? to[a] + d
                : to[a] > d         ? d
                                    : to[a];
        if (a == 0 && b == 0 && (e >= 1 || e == d) && step[0] == 1 && !shrinks) continue;
        if (a == 0 || step[a] < 1 || step[a] > XFV_MAX_KERNEL || b < 0 || e <= b)
            return BAD("operator '%s' (STRIDED_SLICE) cuts the batch, goes backwards, or takes nothing",
                       xfv_tfl_name_of(t, c));
        if ((v = cut(t, c, v, a - 1, b, e, step[a])) < 0) return v;
    }
    return last(t, c, xfv_node_reshape(v, shape_of(t, v)));
}

/* SPLIT(axis, x): equal parts. */
int xfv_tfl_split(struct tfl *t, const struct tfl_call *c)
{
    int which, count = c->n_in < 2 ? -1 : xfv_tfl_integers(t, c->in[0], &which, 1), v = xfv_tfl_operand(t, c, 1);
    if (v < 0 || count != 1)
        return v < 0 ? v : count < -1 ? count : BAD("operator '%s' (SPLIT) has no axis", xfv_tfl_name_of(t, c));
    struct xfv_shape s = shape_of(t, v);
    int axis = axis_of(t, c, which, s.rank);
    if (axis < 0) return axis;
    if (s.dim[axis] % c->n_out)
        return BAD("operator '%s' (SPLIT) cannot make %d parts of %d", xfv_tfl_name_of(t, c), c->n_out, s.dim[axis]);
    int each = s.dim[axis] / c->n_out;
    for (int k = 0; k < c->n_out; k++) {
        struct tfl_call part = *c;
        struct xfv_node n = xfv_node_unary(XFV_OP_SLICE, v);
        part.out[0] = c->out[k];
        n.i[0] = axis, n.i[1] = k * each, n.i[2] = (k + 1) * each;
        int status = last(t, &part, n);
        if (status) return status;
    }
    return 0;
}

/* PACK: joined along a new axis. */
int xfv_tfl_pack(struct tfl *t, const struct tfl_call *c)
{
    struct xfv_node n = xfv_node_default(XFV_OP_CONCAT);
    if (reads_shape(t, c)) return xfv_tfl_of_shape(t, c);
    for (int k = 0; k < c->n_in; k++) {
        int v = xfv_tfl_operand(t, c, k);
        if (v < 0) return v;
        struct xfv_shape s = shape_of(t, v), wide = {.rank = s.rank + 1};
        int axis = s.rank < XFV_MAX_RANK ? axis_of(t, c, xfv_fb_i32(&t->fb, c->options, 1, 0), s.rank + 1)
                                         : BAD("operator '%s' (PACK) makes too many axes", xfv_tfl_name_of(t, c));
        if (axis < 0) return axis;
        for (int i = 0, j = 0; i < wide.rank; i++) wide.dim[i] = i == axis ? 1 : s.dim[j++];
        if ((n.in[n.n_in++] = before(t, c, xfv_node_reshape(v, wide), "/part")) < 0) return t->e->status;
        n.i[0] = axis;
    }
    return n.n_in ? last(t, c, n) : BAD("operator '%s' (PACK) has no input", xfv_tfl_name_of(t, c));
}

/* BATCH_MATMUL: the batch of images is not among its axes here. */
int xfv_tfl_matmul(struct tfl *t, const struct tfl_call *c)
{
    int v[2];
    for (int k = 0; k < 2; k++)
        if ((v[k] = xfv_tfl_operand(t, c, k)) < 0) return v[k];
    for (int k = 0; k < 2; k++) { /* a constant came without its leading axes of 1 */
        struct xfv_shape s = shape_of(t, v[k]), other = shape_of(t, v[1 - k]), wide = {.rank = other.rank};
        if (s.rank >= other.rank) continue;
        for (int i = 0; i < wide.rank; i++) wide.dim[i] = i < wide.rank - s.rank ? 1 : s.dim[i - (wide.rank - s.rank)];
        if ((v[k] = before(t, c, xfv_node_reshape(v[k], wide), "/wide")) < 0) return v[k];
    }
    struct xfv_shape s = shape_of(t, v[0]);
    if (s.rank < 2) return BAD("operator '%s' (BATCH_MATMUL) has operands that are no matrices", xfv_tfl_name_of(t, c));
    if (xfv_fb_i8(&t->fb, c->options, 0, 0)) {
        struct xfv_node turn = xfv_node_unary(XFV_OP_TRANSPOSE, v[0]);
        for (int i = 0; i < s.rank; i++) turn.i[i] = i < s.rank - 2 ? i : 2 * s.rank - 3 - i;
        if ((v[0] = before(t, c, turn, "/turned")) < 0) return v[0];
    }
    struct xfv_node n = two(XFV_OP_MATMUL, v[0], v[1]);
    n.i[0] = xfv_fb_i8(&t->fb, c->options, 1, 0) != 0;
    return last(t, c, n);
}

/* Row r of the matrix that makes `to` elements of `from`, as TensorFlow Lite's kernels do. */
static void resize_row(int nearest, int corners, int half, int from, int to, int r, float *row)
{
    float scale = corners && to > 1 ? (float)(from - 1) / (float)(to - 1) : (float)from / (float)to, at;
    if (nearest) {
        at = ((float)r + (half ? .5f : 0)) * scale;
        row[xfv_to_int(corners ? roundf(at) : floorf(at), 0, from - 1)] = 1;
        return;
    }
    at = half ? ((float)r + .5f) * scale - .5f : (float)r * scale;
    int low = xfv_to_int(at, 0, from - 1), high = xfv_to_int(ceilf(at), 0, from - 1);
    row[low] += 1 - (at - (float)low);
    row[high] += at - (float)low;
}

static int matrix(struct tfl *t, const struct tfl_call *c, int axis, int from, int to)
{
    int nearest = c->op == TFL_RESIZE_NEAREST_NEIGHBOR, corners = xfv_fb_i8(&t->fb, c->options, nearest ? 0 : 2, 0),
        half = xfv_fb_i8(&t->fb, c->options, nearest ? 1 : 3, 0);
    float *m = to > 0 && to <= 16384 ? calloc((size_t)to * (size_t)from, sizeof *m) : NULL;
    char name[XFV_MAX_NAME + 33];
    if (!m)
        return BAD("operator '%s' (%s) makes %d of %d elements", xfv_tfl_name_of(t, c), xfv_tfl_op_name(c->op), to,
                   from);
    for (int r = 0; r < to; r++) resize_row(nearest, corners, half, from, to, r, m + (size_t)r * (size_t)from);
    struct xfv_node k = xfv_node_default(XFV_OP_CONST);
    snprintf(name, sizeof name, "%s/%s", xfv_tfl_name_of(t, c), axis ? "across" : "down");
    k.weight =
        xfv_graph_add_weight(t->g, name, axis ? xfv_shape_of(3, 1, to, from) : xfv_shape_of(2, to, from), m, t->e);
    free(m);
    return k.weight < 0 ? k.weight : before(t, c, k, axis ? "/across" : "/down");
}

/* Interpolation is linear in the image: a product with a matrix for the rows, and one for the columns. */
int xfv_tfl_resize(struct tfl *t, const struct tfl_call *c)
{
    int v = xfv_tfl_operand(t, c, 0), size[2],
        n = v < 0         ? v
            : c->n_in < 2 ? -1
                          : xfv_tfl_integers(t, c->in[1], size, 2),
        m;
    if (n < 0) return v < 0 ? v : c->n_in < 2 ? BAD("operator '%s' has no size", xfv_tfl_name_of(t, c)) : n;
    struct xfv_shape s = shape_of(t, v);
    if (n != 2 || s.rank != 3)
        return BAD("operator '%s' (%s) does not resize an image", xfv_tfl_name_of(t, c), xfv_tfl_op_name(c->op));
    if ((m = matrix(t, c, 0, s.dim[0], size[0])) < 0) return m;
    if ((v = before(t, c, xfv_node_reshape(v, xfv_shape_of(2, s.dim[0], s.dim[1] * s.dim[2])), "/rows")) < 0) return v;
    if ((v = before(t, c, two(XFV_OP_MATMUL, m, v), "/resized")) < 0) return v;
    if ((v = before(t, c, xfv_node_reshape(v, xfv_shape_of(3, size[0], s.dim[1], s.dim[2])), "/image")) < 0 ||
        (m = matrix(t, c, 1, s.dim[1], size[1])) < 0)
        return t->e->status;
    return last(t, c, two(XFV_OP_MATMUL, m, v));
}

/* x - log(sum exp x) over the last axis, the largest taken out before. */
int xfv_tfl_log_softmax(struct tfl *t, const struct tfl_call *c)
{
    int x = xfv_tfl_operand(t, c, 0), v;
    if (x < 0) return x;
    struct xfv_node reduce = xfv_node_unary(XFV_OP_REDUCE, x);
    reduce.i[0] = XFV_REDUCE_MAX, reduce.i[1] = 1 << (shape_of(t, x).rank - 1);
    if ((v = before(t, c, reduce, "/most")) < 0 || (x = before(t, c, two(XFV_OP_SUB, x, v), "/less")) < 0)
        return t->e->status;
    if ((reduce.in[0] = before(t, c, xfv_node_act(XFV_ACT_EXP, x, 0, 0), "/exp")) < 0) return reduce.in[0];
    reduce.i[0] = XFV_REDUCE_SUM;
    if ((v = before(t, c, reduce, "/sum")) < 0 || (v = before(t, c, xfv_node_act(XFV_ACT_LOG, v, 0, 0), "/log")) < 0)
        return v;
    return last(t, c, two(XFV_OP_SUB, x, v));
}

/* Each position by the Euclidean norm of its channels, which counts as 1e-6 at least. */
int xfv_tfl_l2norm(struct tfl *t, const struct tfl_call *c)
{
    int x = xfv_tfl_operand(t, c, 0), v, fused = xfv_fb_i8(&t->fb, c->options, 0, 0);
    if (x < 0) return x;
    struct xfv_shape s = shape_of(t, x);
    struct xfv_node n = xfv_node_unary(XFV_OP_L2NORM, x), norm = xfv_node_unary(XFV_OP_REDUCE, x);
    n.f[0] = 1e-6f;
    if (xfv_shape_count(s) == (size_t)s.dim[s.rank - 1]) return xfv_tfl_finish(t, c, &n, fused);
    norm.i[0] = XFV_REDUCE_L2, norm.i[1] = 1 << (s.rank - 1);
    if ((v = before(t, c, norm, "/norm")) < 0 ||
        (v = before(t, c, xfv_node_act(XFV_ACT_CLIP, v, 1e-6f, 3.4e38f), "/floor")) < 0 ||
        (v = before(t, c, xfv_node_act(XFV_ACT_POW, v, -1, 0), "/inverse")) < 0)
        return v;
    n = two(XFV_OP_MUL, x, v);
    return xfv_tfl_finish(t, c, &n, fused);
}

/* A weight of this shape, called after the operator; v is freed. */
static int weight_of(struct tfl *t, const struct tfl_call *c, struct xfv_shape s, float *v, const char *suffix)
{
    char name[XFV_MAX_NAME + 33];
    snprintf(name, sizeof name, "%s%s", xfv_tfl_name_of(t, c), suffix);
    int w = v ? xfv_graph_take_weight(t->g, name, s, v, t->e) : xfv_fail(t->e, XFV_ENOMEM, "out of memory");
    if (w < 0) free(v);
    return w;
}

int xfv_tfl_pad_value(struct tfl *t, const struct tfl_call *c, struct xfv_node n)
{
    const float *value = c->n_in > 2 && c->in[2] >= 0 ? xfv_tfl_constant(t, c->in[2]) : NULL;
    struct xfv_node k = xfv_node_default(XFV_OP_CONST);
    if (!value) return c->n_in > 2 ? t->e->status : BAD("operator '%s' (PADV2) has no value", xfv_tfl_name_of(t, c));
    for (int i = 0; i < t->t[c->in[2]].rank; i++)
        if (t->t[c->in[2]].dim[i] != 1)
            return BAD("operator '%s' (PADV2) has several values", xfv_tfl_name_of(t, c));
    float pad = *value;
    if (!(pad < 0) && !(pad > 0)) return last(t, c, n);
    int v = before(t, c, n, "/zeros");
    if (v < 0) return v;
    struct xfv_shape s = shape_of(t, v), one = xfv_shape_of(3, s.dim[0], s.dim[1], 1);
    float *m = calloc(xfv_shape_count(one), sizeof *m);
    for (int y = 0; m && y < s.dim[0]; y++)
        for (int x = 0; x < s.dim[1]; x++)
            if (y < n.pads[0] || y >= s.dim[0] - n.pads[2] || x < n.pads[1] || x >= s.dim[1] - n.pads[3])
                m[y * s.dim[1] + x] = pad;
    if ((k.weight = weight_of(t, c, one, m, "/border")) < 0) return k.weight;
    int border = before(t, c, k, "/border");
    return border < 0 ? border : last(t, c, two(XFV_OP_ADD, v, border));
}

/* CAST to floats; to whole numbers it would cut off. */
int xfv_tfl_cast(struct tfl *t, const struct tfl_call *c)
{
    int v = xfv_tfl_operand(t, c, 0), to = t->t[c->out[0]].type;
    if (v < 0) return v;
    if (to != TFL_F32 && to != TFL_F16)
        return BAD("operator '%s' (CAST) makes whole numbers of a computed tensor", xfv_tfl_name_of(t, c));
    return last(t, c, xfv_node_reshape(v, shape_of(t, v)));
}

/* GATHER: elements of an axis by constant indices. */
int xfv_tfl_gather(struct tfl *t, const struct tfl_call *c)
{
    int v = xfv_tfl_operand(t, c, 0), axis, *ix = NULL, n = 1, status;
    if (v < 0) return v;
    struct xfv_shape s = shape_of(t, v), out = s;
    if (c->n_in < 2 || c->in[1] < 0 || xfv_fb_i32(&t->fb, c->options, 1, 0))
        return BAD("operator '%s' (GATHER) has no indices, or a batch of them", xfv_tfl_name_of(t, c));
    if ((axis = axis_of(t, c, xfv_fb_i32(&t->fb, c->options, 0, 0), s.rank)) < 0) return axis;
    const struct tfl_tensor *list = &t->t[c->in[1]];
    for (int i = 0; i < list->rank; i++) n = list->dim[i] > 0 && list->dim[i] <= 65536 ? n * list->dim[i] : 65537;
    if (n > 65536 || !(ix = malloc((size_t)n * sizeof *ix)))
        return BAD("operator '%s' (GATHER) has too many indices", xfv_tfl_name_of(t, c));
    out.dim[axis] = n;
    size_t count = xfv_shape_count(out), inner = 1;
    for (int i = axis + 1; i < s.rank; i++) inner *= (size_t)s.dim[i];
    float *row = count && count <= XFV_MAX_SPARSE ? malloc(3 * count * sizeof *row) : NULL;
    status = xfv_tfl_integers(t, c->in[1], ix, n);
    if (status >= 0 && status != n) status = BAD("operator '%s' (GATHER) has lost indices", xfv_tfl_name_of(t, c));
    for (int i = 0; i < n && status >= 0; i++)
        if (ix[i] < 0 || ix[i] >= s.dim[axis])
            status = BAD("operator '%s' (GATHER) wants element %d of %d", xfv_tfl_name_of(t, c), ix[i], s.dim[axis]);
    for (size_t i = 0; row && i < count && status >= 0; i++) {
        size_t of = i / inner / (size_t)n * (size_t)s.dim[axis] + (size_t)ix[i / inner % (size_t)n];
        row[3 * i] = (float)i, row[3 * i + 1] = (float)(of * inner + i % inner), row[3 * i + 2] = 1;
    }
    free(ix);
    struct xfv_node g = xfv_node_unary(XFV_OP_SPARSE, v);
    memcpy(g.i, out.dim, sizeof g.i);
    for (int i = out.rank; i < XFV_MAX_RANK; i++) g.i[i] = 0;
    if (status < 0 || (status = g.weight = weight_of(t, c, xfv_shape_of(2, (int)count, 3), row, "/table")) < 0) {
        if (g.weight < 0 && status != g.weight) free(row);
        return status;
    }
    return last(t, c, g);
}

/* SLICE: where it begins, and how many elements of each axis (-1: the rest). */
int xfv_tfl_slice(struct tfl *t, const struct tfl_call *c)
{
    int from[TFL_MAX_RANK], size[TFL_MAX_RANK], v = xfv_tfl_operand(t, c, 0);
    if (v < 0) return v;
    int n = c->n_in > 2 ? xfv_tfl_integers(t, c->in[1], from, TFL_MAX_RANK) : 0,
        m = n < 0 ? n : c->n_in > 2 ? xfv_tfl_integers(t, c->in[2], size, TFL_MAX_RANK) : 0;
    if (m < 0) return m;
    if (n != m || n != shape_of(t, v).rank + 1 || from[0] != 0)
        return BAD("operator '%s' (SLICE) cuts the batch, or has lists that do not fit", xfv_tfl_name_of(t, c));
    for (int a = 1; a < n; a++) {
        int d = shape_of(t, v).dim[a - 1], end = size[a] < 0 ? d : from[a] + size[a];
        if (from[a] < 0 || from[a] >= d || size[a] == 0 || size[a] > d - from[a])
            return BAD("operator '%s' (SLICE) takes %d elements from %d of %d", xfv_tfl_name_of(t, c), size[a], from[a],
                       d);
        if ((v = cut(t, c, v, a - 1, from[a], end, 1)) < 0) return v;
    }
    return last(t, c, xfv_node_reshape(v, shape_of(t, v)));
}
