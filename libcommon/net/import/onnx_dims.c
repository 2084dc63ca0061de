/* Shapes that constants and values share, and a product along one axis. */
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

static int is(const struct onx_call *c, const char *op) { return strcmp(c->op, op) == 0; }

int xfv_onx_broadcast_dims(struct onx *o, const struct onx_call *c, struct onx_dims a, struct onx_dims b,
                           struct onx_dims *out)
{
    struct onx_dims s = {.rank = a.rank > b.rank ? a.rank : b.rank};
    for (int i = 0; i < s.rank; i++) {
        int ia = i - (s.rank - a.rank), ib = i - (s.rank - b.rank);
        int64_t x = ia < 0 ? 1 : a.dim[ia], y = ib < 0 ? 1 : b.dim[ib];
        if (x != y && x != 1 && y != 1)
            return ONX_BAD("'%s' (%s) cannot join dimensions %lld and %lld", c->label, c->op, (long long)x,
                           (long long)y);
        s.dim[i] = x == 1 ? y : x;
    }
    *out = s;
    return 0;
}

static int squeeze_dims(struct onx *o, const struct onx_call *c, struct onx_dims in, struct onx_dims *out)
{
    int64_t v[ONX_MAX_RANK];
    int n = xfv_onx_ints(o, c, 1, "axes", v, ONX_MAX_RANK);
    unsigned mask = 0;
    if (n < 0) return n;
    for (int i = 0; i < n; i++) {
        int a = xfv_onx_axis(o, c, v[i], in.rank);
        if (a < 0) return a;
        if (in.dim[a] != 1) return ONX_BAD("'%s' (Squeeze) drops an axis of %lld", c->label, (long long)in.dim[a]);
        mask |= 1u << a;
    }
    *out = (struct onx_dims){0};
    for (int a = 0; a < in.rank; a++)
        if (n ? !(mask >> a & 1) : in.dim[a] != 1) out->dim[out->rank++] = in.dim[a];
    return 0;
}

static int unsqueeze_dims(struct onx *o, const struct onx_call *c, struct onx_dims in, struct onx_dims *out)
{
    int64_t v[ONX_MAX_RANK];
    int n = xfv_onx_ints(o, c, 1, "axes", v, ONX_MAX_RANK), from = 0;
    unsigned mask = 0;
    if (n < 0) return n;
    if (in.rank + n > ONX_MAX_RANK) return ONX_BAD("'%s' (Unsqueeze) makes %d axes", c->label, in.rank + n);
    for (int i = 0; i < n; i++) {
        int a = xfv_onx_axis(o, c, v[i], in.rank + n);
        if (a < 0) return a;
        if (mask >> a & 1) return ONX_BAD("'%s' (Unsqueeze) names an axis twice", c->label);
        mask |= 1u << a;
    }
    *out = (struct onx_dims){.rank = in.rank + n};
    for (int a = 0; a < out->rank; a++) out->dim[a] = mask >> a & 1 ? 1 : in.dim[from++];
    return 0;
}

static int64_t product(const int64_t *d, int n)
{
    int64_t p = 1;
    for (int i = 0; i < n; i++) {
        if (d[i] < 0 || (d[i] > 0 && p > XFV_MAX_ELEMENTS / d[i])) return -1;
        p *= d[i];
    }
    return p;
}

static int reshape_dims(struct onx *o, const struct onx_call *c, struct onx_dims in, struct onx_dims *out)
{
    int rest = -1, n = xfv_onx_ints(o, c, 1, "shape", out->dim, ONX_MAX_RANK);
    if (n < 0) return n;
    out->rank = n;
    int64_t have = product(in.dim, in.rank), *d = out->dim;
    for (int i = 0; i < n; i++) {
        if (d[i] == 0 && !xfv_onx_int(c, "allowzero", 0)) d[i] = i < in.rank ? in.dim[i] : -2;
        if (d[i] == -1 && rest < 0) rest = i, d[i] = 1;
        else if (d[i] < 0) return ONX_BAD("'%s' (Reshape) has an impossible shape", c->label);
    }
    int64_t want = product(d, n);
    if (n > 0 && o->batch > 1 && d[0] == o->batch && rest != 0 &&
        (rest >= 0 ? want > 0 && have % want != 0 : want != have)) { /* the batch the file was made with */
        d[0] = 1;
        want = product(d, n);
    }
    if (rest >= 0 && want > 0 && have % want == 0) {
        d[rest] = have / want;
        want = have;
    }
    return want == have
               ? 0
               : ONX_BAD("'%s' (Reshape) makes %lld elements out of %lld", c->label, (long long)want, (long long)have);
}

int xfv_onx_new_dims(struct onx *o, const struct onx_call *c, struct onx_dims *out)
{
    struct onx_dims in = c->in[0]->s;
    if (xfv_onx_is_constant(c->in[0])) {
        const struct onx_const *x = xfv_onx_constant(o, c->in[0]);
        if (!x) return o->e->status;
        in = x->s;
    }
    /* an empty constant may have any other dimensions */
    if (product(in.dim, in.rank) < 0) return ONX_BAD("'%s' (%s) has an operand of an impossible size", c->label, c->op);
    if (is(c, "Squeeze")) return squeeze_dims(o, c, in, out);
    if (is(c, "Unsqueeze")) return unsqueeze_dims(o, c, in, out);
    if (is(c, "Reshape")) return reshape_dims(o, c, in, out);
    int64_t axis = xfv_onx_int(c, "axis", 1); /* Flatten */
    if (axis < 0) axis += in.rank;
    if (axis < 0 || axis > in.rank)
        return ONX_BAD("'%s' (Flatten) works on axis %lld of %d", c->label, (long long)axis, in.rank);
    *out = (struct onx_dims){2, {product(in.dim, (int)axis), product(in.dim + axis, in.rank - (int)axis)}};
    return out->dim[0] >= 0 && out->dim[1] >= 0 ? 0 : ONX_BAD("'%s' (Flatten) makes an impossible shape", c->label);
}

/* The place of this axis in the layout of t (a copy); a new one in front, of size 1, when it has none. */
static int place_of(struct onx_tensor *t, int axis)
{
    for (int i = 0; i < t->n_axes; i++)
        if (t->axis[i] == axis) return i;
    memmove(t->axis + 1, t->axis, sizeof *t->axis * (size_t)t->n_axes);
    t->axis[0] = axis;
    t->n_axes++;
    return 0;
}

int xfv_onx_dimension_of(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis)
{
    int d = place_of(t, axis);
    if (t->n_axes > XFV_MAX_RANK) return ONX_BAD("'%s' (%s) has too many axes", c->label, c->op);
    t->value = xfv_onx_emit_reshape(o, t->value, xfv_onx_shape(t->s, t->axis, t->n_axes), c->label, "/shape");
    return t->value < 0 ? t->value : d;
}

int xfv_onx_along(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, const float *m, int to)
{
    int d = place_of(t, axis), outer = 1, inner = 1, from = (int)t->s.dim[axis];
    for (int i = 0; i < t->n_axes; i++)
        if (i != d) *(i < d ? &outer : &inner) *= (int)t->s.dim[t->axis[i]];
    struct xfv_node k = xfv_node_default(XFV_OP_CONST), product = xfv_node_default(XFV_OP_MATMUL);
    k.weight = xfv_onx_weight(o, outer == 1 ? xfv_shape_of(2, to, from) : xfv_shape_of(3, 1, to, from), m, c->label,
                              "/matrix");
    if (k.weight < 0) return k.weight;
    product.n_in = 2;
    if ((product.in[0] = xfv_onx_emit(o, &k, c->label, "/matrix")) < 0) return product.in[0];
    product.in[1] = xfv_onx_emit_reshape(o, t->value,
                                         outer == 1 ? xfv_shape_of(2, from, inner)
                                                    : xfv_shape_of(3, outer, from, inner),
                                         c->label, "/shape");
    if (product.in[1] < 0 || (t->value = xfv_onx_emit(o, &product, c->label, "/along")) < 0)
        return product.in[1] < 0 ? product.in[1] : t->value;
    t->s.dim[axis] = to;
    t->value = xfv_onx_emit_reshape(o, t->value, xfv_onx_shape(t->s, t->axis, t->n_axes), c->label, "/shape");
    return t->value < 0 ? t->value : 0;
}

float *xfv_onx_matrix(struct onx *o, const struct onx_call *c, int64_t to, int64_t from)
{
    float *m = to > 0 && from > 0 && to <= XFV_MAX_ELEMENTS && from <= XFV_MAX_ELEMENTS && to * from <= ONX_MAX_MADE
                   ? calloc((size_t)(to * from), sizeof *m)
                   : NULL;
    if (!m)
        ONX_BAD("'%s' (%s) makes %lld of %lld along an axis, which is impossible here", c->label, c->op, (long long)to,
                (long long)from);
    return m;
}

int xfv_onx_slices(struct onx *o, const struct onx_call *c, struct onx_dims in, int64_t *begin, int64_t *step,
                   struct onx_dims *out)
{
    int64_t from[ONX_MAX_RANK], to[ONX_MAX_RANK], axes[ONX_MAX_RANK], steps[ONX_MAX_RANK];
    int n = xfv_onx_ints(o, c, 1, "starts", from, ONX_MAX_RANK),
        m = n < 0 ? n : xfv_onx_ints(o, c, 2, "ends", to, ONX_MAX_RANK);
    int na = m < 0 ? m : xfv_onx_ints(o, c, 3, "axes", axes, ONX_MAX_RANK),
        ns = na < 0 ? na : xfv_onx_ints(o, c, 4, NULL, steps, ONX_MAX_RANK);
    if (ns < 0) return ns;
    if (n != m || (na && na != n) || (ns && ns != n))
        return ONX_BAD("'%s' (Slice) has lists of different lengths", c->label);
    *out = in;
    for (int a = 0; a < ONX_MAX_RANK; a++) begin[a] = 0, step[a] = 1;
    for (int k = 0; k < n; k++) {
        int a = xfv_onx_axis(o, c, na ? axes[k] : k, in.rank);
        if (a < 0) return a;
        int64_t d = in.dim[a], b = from[k] < 0 ? from[k] + d : from[k],
                e = to[k] < 0 ? (to[k] < -d ? -1 : to[k] + d) : to[k];
        step[a] = ns ? steps[k] : 1;
        if (step[a] == 0 || step[a] == INT64_MIN) return ONX_BAD("'%s' (Slice) has a step of 0", c->label);
        if (step[a] > 0) {
            b = b < 0 ? 0 : b > d ? d : b, e = e < 0 ? 0 : e > d ? d : e;
            out->dim[a] = e > b ? (e - b - 1) / step[a] + 1 : 0;
        } else {
            b = b < 0 ? 0 : b > d - 1 ? d - 1 : b, e = e < -1 ? -1 : e > d - 1 ? d - 1 : e;
            out->dim[a] = d > 0 && b > e ? (b - e - 1) / -step[a] + 1 : 0;
        }
        begin[a] = b;
    }
    return 0;
}
