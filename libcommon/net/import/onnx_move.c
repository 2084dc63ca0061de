/* ONNX files: operators that move elements. Most change a tensor's layout or nothing at all. */
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

static int is(const struct onx_call *c, const char *op) { return strcmp(c->op, op) == 0; }

/* The same value under another shape and layout. */
static int renamed(const struct onx_call *c, int k, const struct onx_tensor *from, struct onx_dims s, const int *axis,
                   int n)
{
    struct onx_tensor *t = c->out[k];
    t->value = from->value;
    t->s = s;
    t->n_axes = n;
    for (int i = 0; i < n; i++) t->axis[i] = axis[i];
    t->small = from->small;
    t->real = from->real, t->scale = from->scale, t->zero = from->zero;
    t->made = 1;
    return 0;
}

/* Cast to truth values, 1 for what is not 0, or of floats to whole numbers, which cuts off. */
static int to_whole(struct onx *o, const struct onx_call *c, int to)
{
    struct onx_tensor t;
    int status = xfv_onx_walker(o, c->in[0], &t, c->label);
    if (status) return status;
    if (to != ONX_BOOL && c->in[0]->whole)
        return ONX_BAD("'%s' (Cast) makes whole numbers of others, which may not fit", c->label);
    if (to == ONX_BOOL) {
        if (!(status = xfv_onx_against(o, c, &t, XFV_EQUAL, 0))) status = xfv_onx_times(o, c, &t, -1, 1, "/not");
    } else {
        xfv_onx_note(o, "'%s' (Cast) cuts numbers off: no gradient goes through it", c->label);
        status = xfv_onx_step(o, c, &t, xfv_node_act(XFV_ACT_TRUNC, 0, 0, 0), "/whole");
    }
    if (!status) status = xfv_onx_finish(o, c, &t);
    c->out[0]->whole = to;
    return status;
}

/* Identity, Dropout, and Cast where it changes no number: to floats, or of whole numbers to a type that holds them all.
 */
int xfv_onx_identity(struct onx *o, const struct onx_call *c)
{
    if (is(c, "CastLike") && c->n_in > 1 && c->in[1]) {
        int like = c->in[1]->init    ? c->in[1]->init->data_type
                   : c->in[1]->c     ? c->in[1]->c->type
                   : c->in[1]->whole ? c->in[1]->whole
                                     : ONX_F32;
        if (!xfv_onx_is_float(like) || c->in[0]->whole)
            return ONX_BAD("'%s' (CastLike) makes whole numbers of a computed tensor", c->label);
    }
    int to = is(c, "Cast") ? (int)xfv_onx_int(c, "to", ONX_F32) : 0, from = c->in[0]->whole;
    int wider = from && (to == from || to == ONX_I64 || (to == ONX_I32 && from != ONX_I64 && from != ONX_U32));
    if (to && !xfv_onx_is_float(to) && !wider && from != ONX_BOOL) return to_whole(o, c, to);
    if (is(c, "Dropout") && c->n_in > 2 && c->in[2]) {
        if (!xfv_onx_is_constant(c->in[2]))
            return ONX_BAD("'%s' (Dropout) computes whether it is in training mode", c->label);
        const struct onx_const *train = xfv_onx_constant(o, c->in[2]);
        if (!train || (train->count == 1 && xfv_onx_const_at(train, 0) > 0))
            return ONX_BAD("'%s' (Dropout) is in training mode: export the network for inference", c->label);
    }
    int status = c->in[0]->small || c->in[0]->real ? 0 : xfv_onx_materialise(o, c->in[0], c->label);
    if (!status) renamed(c, 0, c->in[0], c->in[0]->s, c->in[0]->axis, c->in[0]->n_axes);
    if (!status && to && !xfv_onx_is_float(to)) c->out[0]->whole = to;
    return status;
}

/* ---- reshape ---- */

/* Which run of old axes becomes which run of new axes: equal products. */
struct group { int old0, old1, new0, new1; };

static int groups_of(struct onx_dims a, struct onx_dims b, struct group *g)
{
    int n = 0, i = 0, j = 0;
    while (i < a.rank || j < b.rank) {
        struct group r = {i, i, j, j};
        int64_t p = 1, q = 1;
        if (i < a.rank) p = a.dim[i++];
        if (j < b.rank) q = b.dim[j++];
        while (p != q) { /* what is behind takes the next axis */
            if (p < q && i < a.rank) p *= a.dim[i++];
            else if (q < p && j < b.rank) q *= b.dim[j++];
            else return -1;
        }
        r.old1 = i;
        r.new1 = j;
        g[n++] = r;
    }
    return n;
}

/* The new layout when each group's axes lie together and in order: its number of axes, or -1. */
static int regroup(const struct onx_tensor *t, struct onx_dims s, int *axis)
{
    struct group g[2 * ONX_MAX_RANK];
    int have[ONX_AXES], n_have = xfv_onx_layout_without(t, -1, have), n_groups = groups_of(t->s, s, g), n = 0;
    if (n_groups < 0) return -1;
    for (int i = 0; i < n_have;) {
        int k = 0;
        while (k < n_groups && !(have[i] >= g[k].old0 && have[i] < g[k].old1)) k++;
        if (k == n_groups) return -1;
        for (int a = g[k].old0; a < g[k].old1; a++) {
            if (t->s.dim[a] == 1) continue;
            if (i >= n_have || have[i] != a) return -1;
            i++;
        }
        for (int a = g[k].new0; a < g[k].new1; a++) {
            if (s.dim[a] == 1) continue;
            axis[n++] = a;
        }
    }
    return n;
}

int xfv_onx_reshaped(struct onx *o, const struct onx_call *c, struct onx_tensor *t, struct onx_dims s)
{
    int axis[ONX_AXES], n, v;
    if ((n = regroup(t, s, axis)) < 0) { /* elements change places against the layout: go through ONNX's order */
        int want[ONX_AXES], w = 0;
        for (int a = 0; a < t->s.rank; a++)
            if (t->s.dim[a] != 1) want[w++] = a;
        if (w == 0) want[w++] = -1;
        if ((v = xfv_onx_ordered(o, t, want, w, c->label)) < 0) return v;
        n = 0;
        for (int a = 0; a < s.rank; a++)
            if (s.dim[a] != 1) axis[n++] = a;
    } else {
        v = t->value;
    }
    if ((t->value = xfv_onx_emit_reshape(o, v, xfv_onx_shape(s, axis, n), c->label, "")) < 0) return t->value;
    t->s = s;
    t->n_axes = n;
    memcpy(t->axis, axis, (size_t)n * sizeof *axis);
    return 0;
}

int xfv_onx_reshape(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t;
    struct onx_dims s;
    int status = xfv_onx_new_dims(o, c, &s);
    if (status || (status = xfv_onx_walker(o, c->in[0], &t, c->label)) || (status = xfv_onx_reshaped(o, c, &t, s)))
        return status;
    return xfv_onx_finish(o, c, &t);
}

int xfv_onx_transpose(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *t = c->in[0];
    int64_t p[ONX_MAX_RANK];
    int n = xfv_onx_ints(o, c, -1, "perm", p, ONX_MAX_RANK), to[ONX_MAX_RANK], axis[ONX_AXES], status;
    unsigned seen = 0;
    struct onx_dims s = {.rank = t->s.rank};
    if (n < 0 || (n > 0 && n != s.rank))
        return n < 0 ? n : ONX_BAD("'%s' (Transpose) names %d axes of %d", c->label, n, s.rank);
    for (int i = 0; i < s.rank; i++) {
        int a = n ? xfv_onx_axis(o, c, p[i], s.rank) : s.rank - 1 - i;
        if (a < 0) return a;
        s.dim[i] = t->s.dim[a];
        to[a] = i;
        seen |= 1u << a;
    }
    if (seen != (1u << s.rank) - 1) return ONX_BAD("'%s' (Transpose) does not name each axis once", c->label);
    if ((status = xfv_onx_materialise(o, t, c->label))) return status;
    for (int i = 0; i < t->n_axes; i++) axis[i] = to[t->axis[i]];
    return renamed(c, 0, t, s, axis, t->n_axes);
}

int xfv_onx_expand(struct onx *o, const struct onx_call *c)
{
    struct onx_dims s = {0};
    struct onx_tensor *t = c->in[0];
    s.rank = xfv_onx_ints(o, c, 1, NULL, s.dim, ONX_MAX_RANK);
    if (s.rank < 0) return s.rank;
    for (int i = 0; i < s.rank; i++)
        if (s.dim[i] < 1) return ONX_BAD("'%s' (Expand) has an impossible shape", c->label);
    int status = xfv_onx_broadcast_dims(o, c, t->s, s, &s);
    if (status || (status = xfv_onx_materialise(o, t, c->label))) return status;
    if (xfv_onx_count(s) == 0) return ONX_BAD("'%s' (Expand) is too large", c->label);
    if (xfv_onx_count(s) == xfv_onx_count(t->s)) {
        int axis[ONX_AXES];
        for (int i = 0; i < t->n_axes; i++) axis[i] = t->axis[i] + s.rank - t->s.rank;
        return renamed(c, 0, t, s, axis, t->n_axes);
    }
    c->out[0]->s = s; /* made only if somebody needs it whole */
    c->out[0]->small = t;
    c->out[0]->made = 1;
    return 0;
}

/* ---- concat, split, slice, gather, pad ---- */

/* Join values along dimension d, 16 at a time. */
static int join(struct onx *o, const char *label, int *v, int n, int d)
{
    while (n > 1) {
        int made = 0;
        for (int i = 0; i < n; i += XFV_MAX_INPUTS) {
            struct xfv_node node = xfv_node_default(XFV_OP_CONCAT);
            node.i[0] = d;
            for (; node.n_in < XFV_MAX_INPUTS && i + node.n_in < n; node.n_in++) node.in[node.n_in] = v[i + node.n_in];
            int r = node.n_in == 1 ? node.in[0] : xfv_onx_emit(o, &node, label, n > XFV_MAX_INPUTS ? "/part" : "");
            if (r < 0) return r;
            v[made++] = r;
        }
        n = made;
    }
    return v[0];
}

int xfv_onx_concat(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *guide = NULL;
    int v[ONX_MAX_INPUTS], axes[ONX_AXES], n = 0, d = -1, status;
    for (int k = 0; k < c->n_in; k++) {
        if (!c->in[k]) return ONX_BAD("'%s' (Concat) lacks an input", c->label);
        if (!guide && !xfv_onx_is_constant(c->in[k])) guide = c->in[k];
    }
    if (!guide) guide = c->in[0];
    int axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", 0), guide->s.rank);
    if (axis < 0) return axis;
    if ((status = xfv_onx_materialise(o, guide, c->label))) return status;
    for (int i = 0; i < guide->n_axes; i++) /* the guide's layout, with the axis in it */
        if (guide->s.dim[guide->axis[i]] != 1 || guide->axis[i] == axis) axes[n++] = guide->axis[i];
    for (int i = 0; i < n; i++)
        if (axes[i] == axis) d = i;
    if (d < 0) {
        memmove(axes + 1, axes, sizeof *axes * (size_t)n);
        axes[0] = axis;
        n++;
        d = 0;
    }
    struct onx_dims s = guide->s;
    s.dim[axis] = 0;
    for (int k = 0; k < c->n_in; k++) {
        if (c->in[k]->s.rank != s.rank)
            return ONX_BAD("'%s' (Concat) joins %d and %d axes", c->label, s.rank, c->in[k]->s.rank);
        if ((v[k] = xfv_onx_ordered(o, c->in[k], axes, n, c->label)) < 0) return v[k];
        s.dim[axis] += c->in[k]->s.dim[axis];
    }
    for (int k = 0; k < c->n_in && n > XFV_MAX_RANK; k++) {
        struct onx_tensor t = {.s = c->in[k]->s, .n_axes = n};
        memcpy(t.axis, axes, (size_t)n * sizeof *axes);
        if ((v[k] = xfv_onx_three(o, v[k], &t, d, c->label)) < 0) return v[k];
    }
    return xfv_onx_result(o, c, 0, join(o, c->label, v, c->n_in, n > XFV_MAX_RANK ? 1 : d), s, axes, n);
}

/* Elements from..to of an ONNX axis of t, as a value in t's layout; t's own value when that is all. */
int xfv_onx_cut(struct onx *o, const struct onx_call *c, const struct onx_tensor *t, int axis, int64_t from, int64_t to)
{
    struct xfv_node n = xfv_node_unary(XFV_OP_SLICE, t->value);
    if (from < 0 || to <= from || to > t->s.dim[axis])
        return ONX_BAD("'%s' (%s) wants elements %lld..%lld of %lld", c->label, c->op, (long long)from, (long long)to,
                       (long long)t->s.dim[axis]);
    if (to - from == t->s.dim[axis]) return t->value;
    for (int i = 0; i < t->n_axes; i++)
        if (t->axis[i] == axis) n.i[0] = i;
    n.i[1] = (int)from;
    n.i[2] = (int)to;
    if (t->n_axes <= XFV_MAX_RANK) return xfv_onx_emit(o, &n, c->label, "");
    struct onx_dims s = t->s;
    s.dim[axis] = to - from;
    if ((n.in[0] = xfv_onx_three(o, t->value, t, n.i[0], c->label)) < 0) return n.in[0];
    n.i[0] = 1;
    int v = xfv_onx_emit(o, &n, c->label, "");
    return v < 0 ? v : xfv_onx_emit_reshape(o, v, xfv_onx_shape(s, t->axis, t->n_axes), c->label, "/shape");
}

int xfv_onx_split(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *t = c->in[0];
    int64_t size[ONX_MAX_INPUTS], at = 0;
    int axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", 0), t->s.rank),
        n = axis < 0 ? axis : xfv_onx_ints(o, c, 1, "split", size, ONX_MAX_INPUTS), status;
    if (n < 0) return n;
    if (n != 0 && n != c->n_out) return ONX_BAD("'%s' (Split) has %d sizes for %d outputs", c->label, n, c->n_out);
    int64_t each = (t->s.dim[axis] + c->n_out - 1) / c->n_out;
    if ((status = xfv_onx_materialise(o, t, c->label))) return status;
    for (int k = 0; k < c->n_out; k++) {
        if (n && size[k] == 0 && c->out[k] && !c->out[k]->readers) { /* nothing, for nobody */
            c->out[k]->made = c->out[k]->broken = 1;
            continue;
        }
        if (n && (size[k] < 1 || size[k] > t->s.dim[axis] - at))
            return ONX_BAD("'%s' (Split) wants a part of %lld", c->label, (long long)size[k]);
        int64_t end = at + (n ? size[k] : each);
        if (!n && end > t->s.dim[axis]) end = t->s.dim[axis];
        struct onx_dims s = t->s;
        s.dim[axis] = end - at;
        int v = xfv_onx_cut(o, c, t, axis, at, end);
        if (v < 0) return v;
        if (c->out[k] && (status = xfv_onx_result(o, c, k, v, s, t->axis, t->n_axes))) return status;
        at = end;
    }
    return at == t->s.dim[axis] ? 0 : ONX_BAD("'%s' (Split) does not use all of its input", c->label);
}

/* Every step-th row or column: a pooling window of one. */
static int stride(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, int64_t step)
{
    static const int hwc[3] = {2, 3, 1};
    struct xfv_node n = xfv_node_default(XFV_OP_MAXPOOL);
    n.n_in = 1;
    if ((n.in[0] = xfv_onx_ordered(o, t, hwc, 3, c->label)) < 0) return n.in[0];
    n.stride[axis - 2] = (int)step;
    struct onx_dims s = t->s;
    s.dim[axis] = (s.dim[axis] - 1) / step + 1;
    return xfv_onx_result(o, c, 0, xfv_onx_emit(o, &n, c->label, "/step"), s, hwc, 3);
}

/* Elements begin, begin + step, ... (n of them) of an axis: a matrix of ones and zeros. */
static int stepped(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, int64_t begin, int64_t step,
                   int64_t n)
{
    float *m = xfv_onx_matrix(o, c, n, t->s.dim[axis]);
    if (!m) return o->e->status;
    for (int64_t i = 0; i < n; i++) m[i * t->s.dim[axis] + begin + i * step] = 1;
    int status = xfv_onx_along(o, c, t, axis, m, (int)n);
    free(m);
    return status;
}

int xfv_onx_slice(struct onx *o, const struct onx_call *c)
{
    int64_t begin[ONX_MAX_RANK], step[ONX_MAX_RANK];
    struct onx_tensor t;
    struct onx_dims s;
    int status = xfv_onx_slices(o, c, c->in[0]->s, begin, step, &s);
    if (status || (status = xfv_onx_walker(o, c->in[0], &t, c->label))) return status;
    for (int a = 0; a < s.rank; a++) {
        if (begin[a] == 0 && step[a] == 1 && s.dim[a] == t.s.dim[a]) continue;
        if (s.dim[a] < 1) return ONX_BAD("'%s' (Slice) takes nothing of axis %d", c->label, a);
        int image = t.s.rank == 4 && t.s.dim[0] == 1 && a >= 2 && step[a] > 1 && step[a] <= XFV_MAX_KERNEL;
        if (step[a] != 1 && !image) {
            if ((status = stepped(o, c, &t, a, begin[a], step[a], s.dim[a]))) return status;
            continue;
        }
        int64_t end = step[a] == 1 ? begin[a] + s.dim[a] : t.s.dim[a];
        if ((t.value = xfv_onx_cut(o, c, &t, a, begin[a], end)) < 0) return t.value;
        t.s.dim[a] = end - begin[a];
        if (step[a] != 1) {
            if ((status = stride(o, c, &t, a, step[a]))) return status;
            t = *c->out[0];
            if (t.s.dim[a] < s.dim[a]) return ONX_BAD("'%s' (Slice) does not come out as it should", c->label);
            /* the end may lie before the last step */
            if ((t.value = xfv_onx_cut(o, c, &t, a, 0, s.dim[a])) < 0) return t.value;
            t.s.dim[a] = s.dim[a];
        }
    }
    return xfv_onx_finish(o, c, &t);
}

/* Gather with constant indices: cuts, joined. */
int xfv_onx_gather(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *t = c->in[0];
    int64_t ix[ONX_MAX_INPUTS];
    const struct onx_const *table = xfv_onx_is_constant(c->in[1]) ? xfv_onx_constant(o, c->in[1]) : NULL;
    if (!table)
        return xfv_onx_is_constant(c->in[1]) ? o->e->status
                                             : ONX_BAD("'%s' (Gather) has indices that are computed", c->label);
    int along = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", 0), t->s.rank);
    if (along < 0 || table->s.rank > 1 || table->count > 16 || (table->count > 1 && t->s.dim[along] == 1))
        return along < 0 ? along : xfv_onx_gather_many(o, c, along);
    int n = xfv_onx_ints(o, c, 1, NULL, ix, ONX_MAX_INPUTS),
        axis = n < 0 ? n : xfv_onx_axis(o, c, xfv_onx_int(c, "axis", 0), t->s.rank), v[ONX_MAX_INPUTS], status,
        map[ONX_AXES], d = 0;
    if (axis < 0) return axis;
    if (n == 0 || c->in[1]->s.rank > 1)
        return ONX_BAD("'%s' (Gather) has indices that are not a number or a list", c->label);
    if ((status = xfv_onx_materialise(o, t, c->label))) return status;
    for (int k = 0; k < n; k++) {
        int64_t i = ix[k] < 0 ? ix[k] + t->s.dim[axis] : ix[k];
        if (i < 0 || i >= t->s.dim[axis])
            return ONX_BAD("'%s' (Gather) wants element %lld of %lld", c->label, (long long)ix[k],
                           (long long)t->s.dim[axis]);
        if ((v[k] = xfv_onx_cut(o, c, t, axis, i, i + 1)) < 0) return v[k];
    }
    int scalar = c->in[1]->s.rank == 0, there = 0;
    struct onx_dims s = {0};
    for (int a = 0; a < t->s.rank; a++)
        if (a != axis || !scalar) s.dim[s.rank++] = a == axis ? n : t->s.dim[a];
    for (int i = 0; i < t->n_axes; i++) {
        if (t->axis[i] == axis) d = i, there = 1;
        map[i] = t->axis[i] == axis && scalar ? -1 : t->axis[i] - (scalar && t->axis[i] > axis);
    }
    if (n > 1 && !there) return ONX_BAD("'%s' (Gather) repeats an axis of 1, which is not supported", c->label);
    if (t->n_axes > XFV_MAX_RANK) {
        struct onx_tensor one = *t;
        int n_map = 0;
        one.s.dim[axis] = 1;
        for (int k = 0; k < n; k++)
            if ((v[k] = xfv_onx_three(o, v[k], &one, d, c->label)) < 0) return v[k];
        for (int i = 0; i < t->n_axes; i++)
            if (map[i] >= 0) map[n_map++] = map[i];
        int all = join(o, c->label, v, n, 1);
        return all < 0 ? all
                       : xfv_onx_result(o, c, 0,
                                        xfv_onx_emit_reshape(o, all, xfv_onx_shape(s, map, n_map), c->label, "/shape"),
                                        s, map, n_map);
    }
    return xfv_onx_result(o, c, 0, join(o, c->label, v, n, d), s, map, t->n_axes);
}

/* A block of one number, n wide along dimension d of the layout of t. */
static int block(struct onx *o, const struct onx_call *c, const struct onx_tensor *t, int d, int64_t n, float value)
{
    struct xfv_shape s = o->g->values[t->value].shape;
    struct xfv_node node = xfv_node_default(XFV_OP_CONST);
    s.dim[d] = n > 0 && n <= XFV_MAX_KERNEL ? (int)n : 0;
    size_t count = xfv_shape_count(s);
    float *v = count && count <= ONX_MAX_MADE ? malloc(count * sizeof *v) : NULL;
    if (!v) return ONX_BAD("'%s' (Pad) has an impossible padding", c->label);
    for (size_t i = 0; i < count; i++) v[i] = value;
    node.weight = xfv_onx_weight(o, s, v, c->label, "/padding");
    free(v);
    return node.weight < 0 ? node.weight : xfv_onx_emit(o, &node, c->label, "/padding");
}

/* Paddings before and after every axis; those not named (Pad-18) have none. */
static int read_pads(struct onx *o, const struct onx_call *c, int rank, int64_t *before, int64_t *after)
{
    int64_t p[2 * ONX_MAX_RANK], axes[ONX_MAX_RANK];
    int n = xfv_onx_ints(o, c, 1, "pads", p, 2 * ONX_MAX_RANK),
        named = n < 0 ? n : xfv_onx_ints(o, c, 3, NULL, axes, ONX_MAX_RANK), count = named > 0 ? named : rank;
    if (named < 0) return named;
    if (n != 2 * count) return ONX_BAD("'%s' (Pad) has %d paddings for %d axes", c->label, n, count);
    for (int a = 0; a < rank; a++) before[a] = after[a] = 0;
    for (int k = 0; k < count; k++) {
        int a = named ? xfv_onx_axis(o, c, axes[k], rank) : k;
        if (a < 0) return a;
        if (p[k] < -XFV_MAX_KERNEL || p[k] > XFV_MAX_KERNEL || p[k + count] < -XFV_MAX_KERNEL ||
            p[k + count] > XFV_MAX_KERNEL)
            return ONX_BAD("'%s' (Pad) has an impossible padding", c->label);
        before[a] = p[k], after[a] = p[k + count];
    }
    return 0;
}

/* Which element of n lies at i, which may be outside: at the edge, mirrored at it (without doubling it), or from the
 * other side. */
static int64_t outside(char mode, int64_t i, int64_t n)
{
    int64_t period = mode == 'r' ? 2 * (n - 1) : n;
    if (mode == 'e' || period < 1) return i < 0 || n == 1 ? 0 : i >= n ? n - 1 : i;
    i = (i % period + period) % period;
    return i < n ? i : period - i;
}

/* Padding with the tensor's own elements, and cutting: a matrix of ones and zeros. */
static int pad_with_own(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, char mode,
                        int64_t before, int64_t after)
{
    int64_t n = t->s.dim[axis], to = n + before + after;
    float *m = xfv_onx_matrix(o, c, to, n);
    if (!m) return o->e->status;
    for (int64_t r = 0; r < to; r++) m[r * n + outside(mode, r - before, n)] = 1;
    int status = xfv_onx_along(o, c, t, axis, m, (int)to);
    free(m);
    return status;
}

static int pad_with_value(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, float value,
                          int64_t before, int64_t after)
{
    int d, parts[3], m = 0;
    if (before < 0 || after < 0) { /* cut first */
        int64_t from = before < 0 ? -before : 0, to = t->s.dim[axis] + (after < 0 ? after : 0);
        if ((t->value = xfv_onx_cut(o, c, t, axis, from, to)) < 0) return t->value;
        t->s.dim[axis] = to - from;
        before = before < 0 ? 0 : before, after = after < 0 ? 0 : after;
    }
    if ((d = xfv_onx_dimension_of(o, c, t, axis)) < 0) return d;
    if (before && (parts[m++] = block(o, c, t, d, before, value)) < 0) return parts[0];
    parts[m++] = t->value;
    if (after && (parts[m++] = block(o, c, t, d, after, value)) < 0) return parts[m - 1];
    t->s.dim[axis] += before + after;
    t->value = join(o, c->label, parts, m, d);
    return t->value < 0 ? t->value : 0;
}

/* Height and width with zeros: an operator of its own, which convolutions take in. */
static int pad_image(struct onx *o, const struct onx_call *c, struct onx_dims s, const int64_t *before,
                     const int64_t *after)
{
    static const int hwc[3] = {2, 3, 1};
    struct xfv_node node = xfv_node_unary(XFV_OP_PAD, xfv_onx_image(o, c, 0));
    if (node.in[0] < 0) return node.in[0];
    for (int a = 0; a < 2; a++) {
        node.pads[a] = (int)before[a + 2], node.pads[a + 2] = (int)after[a + 2];
        s.dim[a + 2] += before[a + 2] + after[a + 2];
    }
    return xfv_onx_result(o, c, 0, xfv_onx_emit(o, &node, c->label, ""), s, hwc, 3);
}

int xfv_onx_pad(struct onx *o, const struct onx_call *c)
{
    static const char *const modes[] = {"", "constant", "reflect", "edge", "wrap"};
    int64_t before[ONX_MAX_RANK], after[ONX_MAX_RANK];
    float value = 0;
    int mode = 0, status = read_pads(o, c, c->in[0]->s.rank, before, after);
    if (status) return status;
    while (mode < 5 && !xfv_onx_text_is(c, "mode", modes[mode])) mode++;
    if (mode == 5) return ONX_BAD("'%s' (Pad) has a mode other than constant, reflect, edge and wrap", c->label);
    if ((status = xfv_onx_scalar(o, c, 2, "value", 0, &value)) || (status = xfv_onx_materialise(o, c->in[0], c->label)))
        return status;
    struct onx_tensor t = *c->in[0];
    t.c = NULL, t.init = NULL;
    int image = mode < 2 && t.s.rank == 4 && t.s.dim[0] == 1 && !(value < 0) && !(value > 0) && t.n_axes == 3;
    for (int a = 0; a < t.s.rank; a++)
        image &= a < 2 ? before[a] == 0 && after[a] == 0 : before[a] >= 0 && after[a] >= 0;
    if (image) return pad_image(o, c, t.s, before, after);
    for (int a = 0; a < t.s.rank; a++) {
        if (before[a] == 0 && after[a] == 0) continue;
        status = mode < 2 ? pad_with_value(o, c, &t, a, value, before[a], after[a])
                          : pad_with_own(o, c, &t, a, modes[mode][0], before[a], after[a]);
        if (status) return status;
    }
    return xfv_onx_result(o, c, 0, t.value, t.s, t.axis, t.n_axes);
}
