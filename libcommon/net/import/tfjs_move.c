/* TensorFlow.js graph models: operators that move elements. */
#include <string.h>

#include "net/import/tfjs_internal.h"

/* The one whole number of input k. */
static int number(struct tfjs *t, const struct tfjs_op *n, int k, int64_t *v)
{
    int count = xfv_tfjs_input_ints(t, n, k, v, 1);
    return count < 0 ? count : count == 1 ? 0 : TFJS_BAD("'%.100s' (%.40s) has no axis", n->name, n->op);
}

static const char *one(struct tfjs *t, int64_t v) { return xfv_tfjs_const_ints(t, &v, 1); }

int xfv_tfjs_concat(struct tfjs *t, const struct tfjs_op *n)
{
    int first = strcmp(n->op, "Concat") == 0, status;
    int64_t axis;
    if ((status = number(t, n, first ? 0 : n->n_in - 1, &axis))) return status;
    xfv_tfjs_node(t, "Concat", n->name, n->in + first, n->n_in - 1);
    xfv_tfjs_int(t, "axis", axis);
    return t->e->status;
}

int xfv_tfjs_pack(struct tfjs *t, const struct tfjs_op *n)
{
    const char *part[ONX_MAX_INPUTS], *axis = one(t, xfv_tfjs_attr_int(n, "axis", 0));
    for (int k = 0; k < n->n_in; k++)
        part[k] = TFJS_NODE("Unsqueeze", xfv_tfjs_format(t, "%s@%d", n->name, k), n->in[k], axis);
    xfv_tfjs_node(t, "Concat", n->name, part, n->n_in);
    xfv_tfjs_int(t, "axis", xfv_tfjs_attr_int(n, "axis", 0));
    return t->e->status;
}

/* The name of output k of a node. */
static const char *output(struct tfjs *t, const struct tfjs_op *n, int64_t k)
{
    return k ? xfv_tfjs_format(t, "%s:%d", n->name, (int)k) : n->name;
}

static int parts(struct tfjs *t, const struct tfjs_op *n, int64_t count)
{
    return count > 0 && count <= ONX_MAX_INPUTS
               ? 0
               : TFJS_BAD("'%.100s' (%.40s) makes %lld parts", n->name, n->op, (long long)count);
}

int xfv_tfjs_unpack(struct tfjs *t, const struct tfjs_op *n)
{
    int64_t count = xfv_tfjs_attr_int(n, "num", 0), axis = xfv_tfjs_attr_int(n, "axis", 0);
    const char *part[ONX_MAX_INPUTS];
    int status = parts(t, n, count);
    if (status) return status;
    for (int k = 0; k < count; k++) part[k] = xfv_tfjs_format(t, "%s@%d", n->name, k);
    TFJS_NODE("Split", part[0], n->in[0]);
    xfv_tfjs_more_outputs(t, part, (int)count);
    xfv_tfjs_int(t, "axis", axis);
    xfv_tfjs_int(t, "num_outputs", count);
    for (int k = 0; k < count; k++) TFJS_NODE("Squeeze", output(t, n, k), part[k], one(t, axis));
    return t->e->status;
}

/* Split(axis, x), SplitV(x, sizes, axis) */
int xfv_tfjs_split(struct tfjs *t, const struct tfjs_op *n)
{
    int sized = strcmp(n->op, "SplitV") == 0, count, status;
    int64_t axis, size[ONX_MAX_INPUTS], equal = xfv_tfjs_attr_int(n, "num_split", 0);
    const char *part[ONX_MAX_INPUTS];
    if ((status = number(t, n, sized ? 2 : 0, &axis))) return status;
    count = sized ? xfv_tfjs_input_ints(t, n, 1, size, ONX_MAX_INPUTS) : equal > 0 && equal < 1000 ? (int)equal : 0;
    if (count < 0 || (status = parts(t, n, count))) return count < 0 ? count : status;
    for (int k = 0; k < count; k++) {
        if (sized && size[k] < 0) return TFJS_BAD("'%.100s' (SplitV) leaves a size open", n->name);
        part[k] = output(t, n, k);
    }
    if (sized) TFJS_NODE("Split", n->name, n->in[0], xfv_tfjs_const_ints(t, size, count));
    else TFJS_NODE("Split", n->name, n->in[1]);
    xfv_tfjs_more_outputs(t, part, count);
    xfv_tfjs_int(t, "axis", axis);
    if (!sized) xfv_tfjs_int(t, "num_outputs", count);
    return t->e->status;
}

/* x cut along these axes */
static const char *cut(struct tfjs *t, const char *x, int64_t (*range)[3], const int64_t *axis, int n, const char *out)
{
    int64_t list[3][ONX_MAX_RANK] = {{0}};
    const char *in[3];
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < n; i++) list[k][i] = range[i][k];
        if (n) in[k] = xfv_tfjs_const_ints(t, list[k], n);
    }
    if (!n) return TFJS_NODE("Identity", out, x);
    const char *axes = xfv_tfjs_const_ints(t, axis, n);
    return TFJS_NODE("Slice", out, x, in[0], in[1], axes, in[2]);
}

int xfv_tfjs_slice(struct tfjs *t, const struct tfjs_op *n)
{
    int64_t begin[ONX_MAX_RANK], size[ONX_MAX_RANK], range[ONX_MAX_RANK][3], axis[ONX_MAX_RANK];
    int count = xfv_tfjs_input_ints(t, n, 1, begin, ONX_MAX_RANK),
        sizes = count < 0 ? count : xfv_tfjs_input_ints(t, n, 2, size, ONX_MAX_RANK);
    if (sizes < 0) return sizes;
    if (count != sizes) return TFJS_BAD("'%.100s' (Slice) has %d beginnings and %d sizes", n->name, count, sizes);
    for (int i = 0; i < count; i++) {
        axis[i] = range[i][2] = 1;
        axis[i] = i;
        range[i][0] = begin[i];
        range[i][1] = size[i] < 0 || begin[i] < 0 ? INT64_MAX : begin[i] + size[i];
    }
    cut(t, n->in[0], range, axis, count, n->name);
    return t->e->status;
}

/* What a StridedSlice does: cut along axes, drop some of them, add new ones. */
struct strided { int64_t range[ONX_MAX_RANK][3], axis[ONX_MAX_RANK], gone[ONX_MAX_RANK], added[ONX_MAX_RANK];
    int n, n_gone, n_added; };

/* Entry i of count; *at: the input's axis and *to: the output's that it stands for, negative ones from the end. */
static void entry(struct strided *s, const struct tfjs_op *n, int i, const int64_t v[3], int64_t *at, int64_t *to)
{
    int64_t bit = (int64_t)1 << i, step = v[2];
    if (xfv_tfjs_attr_int(n, "new_axis_mask", 0) & bit) {
        s->added[s->n_added++] = (*to)++;
        return;
    }
    int64_t *r = s->range[s->n];
    s->axis[s->n++] = *at;
    if (xfv_tfjs_attr_int(n, "shrink_axis_mask", 0) & bit) {
        r[0] = v[0], r[1] = v[0] == -1 ? INT64_MAX : v[0] + 1, r[2] = 1;
        s->gone[s->n_gone++] = (*at)++;
        return;
    }
    r[0] = xfv_tfjs_attr_int(n, "begin_mask", 0) & bit ? step > 0 ? 0 : INT64_MAX : v[0];
    r[1] = xfv_tfjs_attr_int(n, "end_mask", 0) & bit ? step > 0 ? INT64_MAX : -INT64_MAX : v[1];
    r[2] = step;
    ++*at, ++*to;
}

int xfv_tfjs_strided_slice(struct tfjs *t, const struct tfjs_op *n)
{
    int64_t v[3][ONX_MAX_RANK], at = 0, to = 0, dots = xfv_tfjs_attr_int(n, "ellipsis_mask", 0);
    struct strided s = {.n = 0};
    int count = 0;
    for (int k = 0; k < 3; k++) {
        int have = xfv_tfjs_input_ints(t, n, k + 1, v[k], ONX_MAX_RANK);
        if (have < 0) return have;
        if (k && have != count) return TFJS_BAD("'%.100s' (StridedSlice) has lists of several lengths", n->name);
        count = have;
    }
    for (int i = 0; i < count; i++) {
        if (v[2][i] == 0) return TFJS_BAD("'%.100s' (StridedSlice) has a step of 0", n->name);
        if (dots & (int64_t)1 << i) {
            if (xfv_tfjs_attr_int(n, "new_axis_mask", 0) || to < 0)
                return TFJS_BAD("'%.100s' (StridedSlice) leaves axes out and adds some, which is not supported",
                                n->name);
            at = to = i + 1 - count; /* the axes after it count from the end */
            continue;
        }
        entry(&s, n, i, (const int64_t[3]){v[0][i], v[1][i], v[2][i]}, &at, &to);
    }
    const char *x = cut(t, n->in[0], s.range, s.axis, s.n,
                        s.n_gone || s.n_added ? xfv_tfjs_format(t, "%s@cut", n->name) : n->name);
    if (s.n_gone)
        x = TFJS_NODE("Squeeze", s.n_added ? xfv_tfjs_format(t, "%s@less", n->name) : n->name, x,
                      xfv_tfjs_const_ints(t, s.gone, s.n_gone));
    if (s.n_added) TFJS_NODE("Unsqueeze", n->name, x, xfv_tfjs_const_ints(t, s.added, s.n_added));
    return t->e->status;
}

int xfv_tfjs_transpose(struct tfjs *t, const struct tfjs_op *n)
{
    int64_t perm[ONX_MAX_RANK];
    int count = xfv_tfjs_input_ints(t, n, 1, perm, ONX_MAX_RANK);
    if (count < 0) return count;
    TFJS_NODE("Transpose", n->name, n->in[0]);
    xfv_tfjs_ints(t, "perm", perm, count);
    return t->e->status;
}

int xfv_tfjs_squeeze(struct tfjs *t, const struct tfjs_op *n)
{
    int64_t axis[ONX_MAX_RANK];
    int count = xfv_tfjs_attr_ints(n, "squeeze_dims", axis, ONX_MAX_RANK);
    if (!count) count = xfv_tfjs_attr_ints(n, "axis", axis, ONX_MAX_RANK);
    if (count < 0) return TFJS_BAD("'%.100s' (Squeeze) has no list of axes", n->name);
    if (count) TFJS_NODE("Squeeze", n->name, n->in[0], xfv_tfjs_const_ints(t, axis, count));
    else TFJS_NODE("Squeeze", n->name, n->in[0]);
    return t->e->status;
}

int xfv_tfjs_gather(struct tfjs *t, const struct tfjs_op *n)
{
    int64_t axis = 0;
    int status = n->n_in > 2 ? number(t, n, 2, &axis) : 0;
    if (status) return status;
    if (xfv_tfjs_attr_int(n, "batch_dims", 0))
        return TFJS_BAD("'%.100s' (%.40s) has batch_dims, which is not supported", n->name, n->op);
    TFJS_NODE("Gather", n->name, n->in[0], n->in[1]);
    xfv_tfjs_int(t, "axis", axis);
    return t->e->status;
}

int xfv_tfjs_fill(struct tfjs *t, const struct tfjs_op *n)
{
    TFJS_NODE("Expand", n->name, n->in[1], n->in[0]);
    return t->e->status;
}

/* SYMMETRIC doubles the edge, which for one element at most is what "edge" does. */
static const char *mode_of(struct tfjs *t, const struct tfjs_op *n, const int64_t *p, int count)
{
    if (strcmp(n->op, "MirrorPad") != 0) return "constant";
    const char *mode = xfv_tfjs_attr_text(t, n, "mode");
    int64_t most = 0;
    for (int i = 0; i < count; i++) most = p[i] > most ? p[i] : most;
    if (mode && !strcmp(mode, "REFLECT")) return "reflect";
    if (mode && !strcmp(mode, "SYMMETRIC") && most <= 1) return "edge";
    TFJS_BAD("'%.100s' (MirrorPad) has the mode '%.40s', which is supported for one element at most", n->name,
             mode ? mode : "?");
    return NULL;
}

int xfv_tfjs_pad(struct tfjs *t, const struct tfjs_op *n)
{
    static const int order[4] = {0, 3, 1, 2};
    int64_t p[2 * ONX_MAX_RANK], pads[2 * ONX_MAX_RANK];
    int count = xfv_tfjs_input_ints(t, n, 1, p, 2 * ONX_MAX_RANK), rank = count / 2;
    if (count < 0) return count;
    const char *mode = mode_of(t, n, p, count), *x = n->in[0], *value = n->n_in > 2 ? n->in[2] : xfv_tfjs_scalar(t, 0);
    if (!mode) return t->e->status;
    int image = rank == 4; /* with the channels in front, it is one operator of the graph */
    for (int a = 0; a < rank; a++)
        pads[a] = p[2 * (image ? order[a] : a)], pads[a + rank] = p[2 * (image ? order[a] : a) + 1];
    if (image) x = xfv_tfjs_to_nchw(t, 0, x, n->name);
    const char *list = xfv_tfjs_const_ints(t, pads, 2 * rank);
    x = TFJS_NODE("Pad", image ? xfv_tfjs_format(t, "%s@pad", n->name) : n->name, x, list, value);
    xfv_tfjs_string(t, "mode", mode);
    if (image) xfv_tfjs_from_nchw(t, 0, x, n->name);
    return t->e->status;
}

/* The new size may be computed from shapes. */
int xfv_tfjs_resize(struct tfjs *t, const struct tfjs_op *n)
{
    static const int64_t axes[2] = {1, 2};
    int nearest = strcmp(n->op, "ResizeNearestNeighbor") == 0, corners = xfv_tfjs_attr_flag(n, "align_corners"),
        half = xfv_tfjs_attr_flag(n, "half_pixel_centers");
    const char *sizes = TFJS_NODE("Cast", xfv_tfjs_format(t, "%s@sizes", n->name), n->in[1]);
    xfv_tfjs_int(t, "to", ONX_I64);
    TFJS_NODE("Resize", n->name, n->in[0], NULL, NULL, sizes);
    xfv_tfjs_ints(t, "axes", axes, 2);
    xfv_tfjs_string(t, "mode", nearest ? "nearest" : "linear");
    xfv_tfjs_string(t, "coordinate_transformation_mode",
                    corners ? "align_corners" : half ? "half_pixel" : "asymmetric");
    /* TensorFlow rounds down, or halves up: half_pixel subtracts a half before it is added again */
    xfv_tfjs_string(t, "nearest_mode", corners || half ? "round_prefer_ceil" : "floor");
    return t->e->status;
}

int xfv_tfjs_blocks(struct tfjs *t, const struct tfjs_op *n)
{
    const char *format = xfv_tfjs_attr_text(t, n, "data_format");
    int nchw = format && !strcmp(format, "NCHW");
    const char *x = xfv_tfjs_to_nchw(t, nchw, n->in[0], n->name);
    x = TFJS_NODE(n->op, xfv_tfjs_format(t, "%s@blocks", n->name), x);
    xfv_tfjs_int(t, "blocksize", xfv_tfjs_attr_int(n, "block_size", 0));
    xfv_tfjs_from_nchw(t, nchw, x, n->name);
    return t->e->status;
}
