/* ONNX files: values of the graph and their layouts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

static void unique_name(struct onx *o, char *name, size_t cap, const char *label, const char *suffix, int weight)
{
    snprintf(name, cap, "%.900s%s", label, suffix);
    while ((weight ? xfv_graph_find_weight(o->g, name) : xfv_graph_find(o->g, name)) >= 0)
        snprintf(name, cap, "%.900s%s#%d", label, suffix, ++o->unique);
}

static int emit(struct onx *o, struct xfv_node *n, const char *name)
{
    struct xfv_shape in[XFV_MAX_INPUTS], out;
    int status;
    for (int k = 0; k < n->n_in; k++) in[k] = o->g->values[n->in[k]].shape;
    if ((status = xfv_node_shape(o->g, n, in, &out, o->e))) return status;
    if ((n->out = xfv_graph_add_value(o->g, name, out, o->e)) < 0) return n->out;
    if ((status = xfv_graph_add_node(o->g, n, o->e)) < 0) return status;
    return n->out;
}

int xfv_onx_emit(struct onx *o, struct xfv_node *n, const char *label, const char *suffix)
{
    char name[XFV_MAX_NAME + 1];
    unique_name(o, name, sizeof name, label, suffix, 0);
    n->name = name; /* the graph copies it */
    int value = emit(o, n, name);
    n->name = NULL;
    return value;
}

int xfv_onx_emit_reshape(struct onx *o, int v, struct xfv_shape s, const char *label, const char *suffix)
{
    if (xfv_shape_equal(o->g->values[v].shape, s)) return v;
    struct xfv_node n = xfv_node_reshape(v, s);
    return xfv_onx_emit(o, &n, label, suffix);
}

int xfv_onx_weight(struct onx *o, struct xfv_shape s, const float *v, const char *label, const char *suffix)
{
    size_t n = xfv_shape_count(s);
    float *copy = malloc((n ? n : 1) * sizeof *copy);
    if (!copy) return xfv_fail(o->e, XFV_ENOMEM, "out of memory for a weight of '%s'", label);
    memcpy(copy, v, n * sizeof *copy);
    int w = xfv_onx_take_weight(o, s, &copy, label, suffix);
    free(copy);
    return w;
}

int xfv_onx_take_weight(struct onx *o, struct xfv_shape s, float **v, const char *label, const char *suffix)
{
    char name[XFV_MAX_NAME + 1];
    unique_name(o, name, sizeof name, label, suffix, 1);
    o->weights += xfv_shape_count(s) * sizeof **v;
    if (o->weights > ONX_ROOM + 12 * o->file_bytes)
        return ONX_BAD("the network's weights would take %zu MB, and the file has %zu kB: refused", o->weights >> 20,
                       o->file_bytes >> 10);
    int w = xfv_graph_take_weight(o->g, name, s, *v, o->e);
    if (w >= 0) *v = NULL;
    return w;
}

int xfv_onx_layout_without(const struct onx_tensor *t, int except, int *axes)
{
    int n = 0;
    for (int i = 0; i < t->n_axes; i++)
        if (t->axis[i] != except && t->s.dim[t->axis[i]] != 1) axes[n++] = t->axis[i];
    return n;
}

/* A constant becomes a value: ONNX's order, without the axes of size 1. */
static int constant_value(struct onx *o, struct onx_tensor *t)
{
    const struct onx_const *c = xfv_onx_constant(o, t);
    struct xfv_shape s;
    struct xfv_node n = xfv_node_default(XFV_OP_CONST);
    float *copy = NULL;
    if (!c) return o->e->status;
    if (c->count == 0) return ONX_BAD("constant '%s' is empty", t->label);
    t->n_axes = 0;
    for (int i = 0; i < c->s.rank; i++) {
        if (c->s.dim[i] == 1) continue;
        t->axis[t->n_axes++] = i;
    }
    s = xfv_onx_shape(c->s, t->axis, t->n_axes);
    int endless = 0;
    for (size_t i = 0; c->f && i < c->count && !endless; i++) endless = isinf(c->f[i]);
    if (c->i || endless) { /* model files hold finite numbers only */
        if (!(copy = malloc(c->count * sizeof *copy)))
            return xfv_fail(o->e, XFV_ENOMEM, "out of memory for constant '%s'", t->label);
        for (size_t i = 0; i < c->count; i++) {
            double v = xfv_onx_const_at(c, i);
            if (c->i && fabs(v) > ONX_EXACT) {
                free(copy);
                return ONX_BAD("constant '%s' holds whole numbers that floats do not hold exactly", t->label);
            }
            copy[i] = (float)(v > 3.4e38 ? 3.4e38 : v < -3.4e38 ? -3.4e38 : v);
        }
    }
    n.weight = xfv_onx_weight(o, s, copy ? copy : c->f, t->label, "");
    free(copy);
    return n.weight < 0 ? n.weight : (t->value = xfv_onx_emit(o, &n, t->label, ""));
}

/* An expanded tensor: ones of the full shape times the small one. Neighbouring axes that both stretch, or both do not,
 * are taken together. */
static int stretched_value(struct onx *o, struct onx_tensor *t, const char *label)
{
    struct onx_tensor *small = t->small;
    struct xfv_node ones = xfv_node_default(XFV_OP_CONST), mul = xfv_node_default(XFV_OP_MUL);
    struct xfv_shape full = {0}, part = {0};
    int own[ONX_AXES], n_own = 0, last = -1;
    t->n_axes = 0;
    for (int i = 0; i < t->s.rank; i++) {
        if (t->s.dim[i] == 1) continue;
        int from = i - (t->s.rank - small->s.rank), there = from >= 0 && small->s.dim[from] != 1;
        if (there) own[n_own++] = from;
        if (there != last) {
            if (full.rank == XFV_MAX_RANK) return ONX_BAD("'%s' stretches over too many axes", t->label);
            full.dim[full.rank++] = part.dim[part.rank++] = 1;
        }
        full.dim[full.rank - 1] *= (int)t->s.dim[i];
        if (there) part.dim[part.rank - 1] *= (int)t->s.dim[i];
        last = there;
        t->axis[t->n_axes++] = i;
    }
    if (full.rank == 0) full.dim[full.rank++] = part.dim[part.rank++] = 1;
    if (n_own == 0) own[n_own++] = -1;
    size_t n = xfv_shape_count(full);
    float *v = n && n <= ONX_MAX_MADE ? malloc(n * sizeof *v) : NULL;
    if (!v) return ONX_BAD("'%s' (Expand) has an impossible size", t->label);
    for (size_t i = 0; i < n; i++) v[i] = 1;
    ones.weight = xfv_onx_weight(o, full, v, label, "/ones");
    free(v);
    if (ones.weight < 0) return ones.weight;
    mul.n_in = 2;
    if ((mul.in[0] = xfv_onx_emit(o, &ones, label, "/ones")) < 0) return mul.in[0];
    if ((mul.in[1] = xfv_onx_ordered(o, small, own, n_own, label)) < 0 ||
        (mul.in[1] = xfv_onx_emit_reshape(o, mul.in[1], part, label, "/shape")) < 0)
        return mul.in[1];
    int y = xfv_onx_emit(o, &mul, label, "/expanded");
    if (y >= 0) y = xfv_onx_emit_reshape(o, y, xfv_onx_shape(t->s, t->axis, t->n_axes), label, "/shape");
    return t->value = y;
}

int xfv_onx_emit_affine(struct onx *o, int v, double scale, double shift, const char *label, const char *suffix)
{
    struct xfv_shape s = o->g->values[v].shape;
    struct xfv_node n = xfv_node_unary(XFV_OP_AFFINE, v);
    int ch = s.dim[s.rank - 1];
    float *w = malloc(2 * (size_t)ch * sizeof *w);
    if (!w) return xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    for (int i = 0; i < ch; i++) w[i] = (float)scale, w[ch + i] = (float)shift;
    if ((n.weight = xfv_onx_weight(o, xfv_shape_of(1, ch), w, label, "/scale")) >= 0)
        n.bias = xfv_onx_weight(o, xfv_shape_of(1, ch), w + ch, label, "/shift");
    free(w);
    return n.weight < 0 ? n.weight : n.bias < 0 ? n.bias : xfv_onx_emit(o, &n, label, suffix);
}

int xfv_onx_scaled(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, const float *scale,
                   const float *shift)
{
    struct xfv_node node = xfv_node_default(XFV_OP_AFFINE);
    struct xfv_shape ch = xfv_shape_of(1, (int)t->s.dim[axis]);
    int axes[ONX_AXES], n, status = xfv_onx_materialise(o, t, c->label);
    if (status) return status;
    if ((node.weight = xfv_onx_weight(o, ch, scale, c->label, "/scale")) < 0) return node.weight;
    if ((node.bias = xfv_onx_weight(o, ch, shift, c->label, "/shift")) < 0) return node.bias;
    n = xfv_onx_layout_without(t, axis, axes);
    axes[n++] = axis;
    node.n_in = 1;
    if ((node.in[0] = xfv_onx_ordered(o, t, axes, n, c->label)) < 0) return node.in[0];
    return xfv_onx_result(o, c, 0, xfv_onx_emit(o, &node, c->label, ""), t->s, axes, n);
}

int xfv_onx_materialise(struct onx *o, struct onx_tensor *t, const char *label)
{
    if (t->value >= 0) return 0;
    if (t->real) {
        int q = xfv_onx_emit_affine(o, t->real, 1 / t->scale, t->zero, t->label, "/whole");
        return q < 0 ? q : (t->value = q, 0);
    }
    int v = xfv_onx_is_constant(t) ? constant_value(o, t)
            : t->small             ? stretched_value(o, t, label)
                                   : ONX_BAD("'%s' reads '%s' before any node makes it", label, t->label);
    return v < 0 ? v : 0;
}

/* Drop the dimensions of size 1 (at least one stays); axes gets the rest's. */
static int squeezed(struct onx *o, const struct onx_tensor *t, int *axes, int *n, const char *label)
{
    struct xfv_shape s = {0};
    *n = xfv_onx_layout_without(t, -1, axes);
    for (int i = 0; i < *n; i++) s.dim[s.rank++] = (int)t->s.dim[axes[i]];
    if (s.rank == 0) s.dim[s.rank++] = 1;
    return xfv_onx_emit_reshape(o, t->value, s, label, "/shape");
}

struct xfv_shape xfv_onx_shape(struct onx_dims s, const int *axis, int n)
{
    struct xfv_shape r = {0};
    int more = n > XFV_MAX_RANK ? n - XFV_MAX_RANK : 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && i <= more) r.dim[0] *= (int)s.dim[axis[i]]; /* bounded: the whole is counted */
        else r.dim[r.rank++] = (int)s.dim[axis[i]];
    }
    if (r.rank == 0) r.dim[r.rank++] = 1;
    return r;
}

int xfv_onx_three(struct onx *o, int v, const struct onx_tensor *t, int d, const char *label)
{
    int outer = 1, inner = 1;
    for (int i = 0; i < t->n_axes; i++)
        if (i != d) *(i < d ? &outer : &inner) *= (int)t->s.dim[t->axis[i]];
    return xfv_onx_emit_reshape(o, v, xfv_shape_of(3, outer, (int)t->s.dim[t->axis[d]], inner), label, "/shape");
}

static int product(const struct onx_tensor *t, const int *axes, int from, int to)
{
    int p = 1;
    for (int i = from; i < to; i++) p *= (int)t->s.dim[axes[i]];
    return p;
}

/* Axes (n of them, all of them in both lists) that lie in the order `have` brought to the order `goal`: by exchanging
 * two neighbouring runs at a time, each a transposition of four dimensions at most. */
static int exchange(struct onx *o, const struct onx_tensor *t, int v, int *have, const int *goal, int n,
                    const char *label)
{
    for (int i = 0; i < n; i++) {
        int j = i, k = 0, moved[ONX_AXES];
        while (j < n && have[j] != goal[i]) j++;
        if (j == n) return ONX_BAD("'%s' needs another axis of '%s'", label, t->label);
        if (j == i) continue;
        while (j + k < n && have[j + k] == goal[i + k]) k++;
        struct xfv_node p = xfv_node_default(XFV_OP_TRANSPOSE);
        p.n_in = 1;
        p.i[0] = 0, p.i[1] = 2, p.i[2] = 1, p.i[3] = 3;
        struct xfv_shape s = xfv_shape_of(4, product(t, have, 0, i), product(t, have, i, j), product(t, have, j, j + k),
                                          product(t, have, j + k, n));
        if ((p.in[0] = xfv_onx_emit_reshape(o, v, s, label, "/shape")) < 0 ||
            (v = xfv_onx_emit(o, &p, label, "/order")) < 0)
            return o->e->status;
        memcpy(moved, have + j, (size_t)k * sizeof *moved);
        memmove(have + i + k, have + i, (size_t)(j - i) * sizeof *have);
        memcpy(have + i, moved, (size_t)k * sizeof *have);
    }
    return v;
}

int xfv_onx_ordered(struct onx *o, struct onx_tensor *t, const int *want, int n, const char *label)
{
    int have[ONX_AXES], n_have, goal[ONX_AXES], n_goal = 0, status = xfv_onx_materialise(o, t, label), same = 1, v;
    struct xfv_shape s = {.rank = n};
    if (status) return status;
    if (n < 1 || n > ONX_MAX_RANK) return ONX_BAD("'%s' needs '%s' with %d axes", label, t->label, n);
    for (int i = 0; i < n; i++) {
        int size = want[i] < 0 ? 1 : (int)t->s.dim[want[i]];
        if (n <= XFV_MAX_RANK) s.dim[i] = size;
        if (size != 1) goal[n_goal++] = want[i];
        else if (want[i] < 0 && n > XFV_MAX_RANK) return ONX_BAD("'%s' needs '%s' with %d axes", label, t->label, n);
    }
    if (n > XFV_MAX_RANK) s = xfv_onx_shape(t->s, want, n);
    n_have = xfv_onx_layout_without(t, -1, have);
    for (int i = 0; i < n_goal && i < n_have; i++) same &= goal[i] == have[i];
    if (n_have != n_goal)
        return ONX_BAD("'%s' needs '%s' with %d axes that are not 1, but it has %d", label, t->label, n_goal, n_have);
    if (same) return xfv_onx_emit_reshape(o, t->value, s, label, "/shape");
    if (n_have > XFV_MAX_RANK) {
        v = exchange(o, t, t->value, have, goal, n_have, label);
        return v < 0 ? v : xfv_onx_emit_reshape(o, v, s, label, "/shape");
    }
    struct xfv_node p = xfv_node_default(XFV_OP_TRANSPOSE);
    p.n_in = 1;
    if ((p.in[0] = squeezed(o, t, have, &n_have, label)) < 0) return p.in[0];
    for (int i = 0; i < n_goal; i++) {
        p.i[i] = -1;
        for (int j = 0; j < n_have; j++)
            if (have[j] == goal[i]) p.i[i] = j;
        if (p.i[i] < 0) return ONX_BAD("'%s' needs another axis of '%s'", label, t->label);
    }
    v = xfv_onx_emit(o, &p, label, "/order");
    return v < 0 ? v : xfv_onx_emit_reshape(o, v, s, label, "/shape");
}

int xfv_onx_image(struct onx *o, const struct onx_call *c, int k)
{
    static const int hwc[3] = {2, 3, 1}, wc[3] = {-1, 2, 1};
    struct onx_tensor *t = c->in[k];
    if (t->s.rank == 3 && t->s.dim[0] == 1) return xfv_onx_ordered(o, t, wc, 3, c->label);
    if (t->s.rank != 4 || t->s.dim[0] != 1)
        return ONX_BAD("'%s' (%s) needs an image, or a signal, of one sample, not %d dimensions", c->label, c->op,
                       t->s.rank);
    return xfv_onx_ordered(o, t, hwc, 3, c->label);
}

int xfv_onx_result(struct onx *o, const struct onx_call *c, int k, int v, struct onx_dims s, const int *axis,
                   int n_axes)
{
    struct onx_tensor *t = c->out[k];
    struct xfv_shape have;
    if (v < 0) return v;
    have = o->g->values[v].shape;
    t->value = v;
    t->s = s;
    t->n_axes = 0;
    t->made = 1;
    size_t count = xfv_onx_count(s);
    if (n_axes > XFV_MAX_RANK) {
        if (count != xfv_shape_count(have)) return ONX_BAD("'%s' (%s) does not come out as it should", c->label, c->op);
        t->n_axes = n_axes;
        memcpy(t->axis, axis, (size_t)n_axes * sizeof *axis);
        t->value = xfv_onx_emit_reshape(o, v, xfv_onx_shape(s, axis, n_axes), c->label, "/shape");
        return t->value < 0 ? t->value : 0;
    }
    for (int i = 0; i < n_axes; i++) {
        if (axis[i] < 0) continue; /* a dimension of 1 that stands for no axis */
        if (i >= have.rank || axis[i] >= s.rank || have.dim[i] != s.dim[axis[i]])
            return ONX_BAD("'%s' (%s) does not come out as it should", c->label, c->op);
        t->axis[t->n_axes++] = axis[i];
    }
    if (count != xfv_shape_count(have) ||
        (t->n_axes != have.rank && count != 1)) { /* dimensions without an axis: leave them away */
        struct xfv_shape clean = {0};
        for (int i = 0; i < t->n_axes; i++) clean.dim[clean.rank++] = (int)s.dim[t->axis[i]];
        if (clean.rank == 0) clean.dim[clean.rank++] = 1;
        if (count != xfv_shape_count(have) || xfv_shape_count(clean) != count)
            return ONX_BAD("'%s' (%s) does not come out as it should", c->label, c->op);
        t->value = xfv_onx_emit_reshape(o, v, clean, c->label, "/shape");
    }
    return t->value < 0 ? t->value : 0;
}

int xfv_onx_pointwise(struct onx *o, const struct onx_call *c, struct xfv_node n)
{
    const struct onx_tensor *t = c->in[0];
    int v = xfv_onx_emit(o, &n, c->label, "");
    return xfv_onx_result(o, c, 0, v, t->s, t->axis, t->n_axes);
}

int xfv_onx_walker(struct onx *o, struct onx_tensor *t, struct onx_tensor *copy, const char *label)
{
    int status = xfv_onx_materialise(o, t, label);
    *copy = *t;
    copy->c = NULL, copy->init = NULL, copy->small = NULL, copy->real = 0;
    return status;
}

int xfv_onx_step(struct onx *o, const struct onx_call *c, struct onx_tensor *t, struct xfv_node n, const char *suffix)
{
    n.n_in = 1;
    n.in[0] = t->value;
    t->value = xfv_onx_emit(o, &n, c->label, suffix);
    return t->value < 0 ? t->value : 0;
}

int xfv_onx_power(struct onx *o, const struct onx_call *c, struct onx_tensor *t, float p, const char *suffix)
{
    return xfv_onx_step(o, c, t, xfv_node_act(XFV_ACT_POW, 0, p, 0), suffix);
}

int xfv_onx_times(struct onx *o, const struct onx_call *c, struct onx_tensor *t, double scale, double shift,
                  const char *suffix)
{
    t->value = xfv_onx_emit_affine(o, t->value, scale, shift, c->label, suffix);
    return t->value < 0 ? t->value : 0;
}

int xfv_onx_finish(struct onx *o, const struct onx_call *c, const struct onx_tensor *t)
{
    return xfv_onx_result(o, c, 0, t->value, t->s, t->axis, t->n_axes);
}

void xfv_onx_permute(struct onx_tensor *t, const int *perm)
{
    struct onx_dims s = t->s;
    int to[ONX_MAX_RANK];
    for (int i = 0; i < s.rank; i++) {
        t->s.dim[i] = s.dim[perm[i]];
        to[perm[i]] = i;
    }
    for (int i = 0; i < t->n_axes; i++) t->axis[i] = to[t->axis[i]];
}

const struct onx_const *xfv_onx_floats(struct onx *o, const struct onx_call *c, int k)
{
    const struct onx_const *x = k < c->n_in && c->in[k] ? xfv_onx_constant(o, c->in[k]) : NULL;
    if (x && x->f) return x;
    if (k >= c->n_in || !c->in[k]) ONX_BAD("'%s' (%s) has no input %d", c->label, c->op, k);
    else if (x) ONX_BAD("'%s' (%s): constant '%s' is not of floats", c->label, c->op, c->in[k]->label);
    return NULL;
}
