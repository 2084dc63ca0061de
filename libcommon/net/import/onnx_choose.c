/* ONNX files: truth values and what hangs on them: comparisons, logic, Where, places of the largest. A truth value is
 * 1 or 0; what a comparison says does not change with its operands but in jumps, so it has no gradient. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

static int is(const struct onx_call *c, const char *op) { return strcmp(c->op, op) == 0; }

/* A comparison's or a chooser's whole numbers must be floats exactly. */
static int exact(struct onx *o, const struct onx_call *c, int k)
{
    const struct onx_const *x = xfv_onx_is_constant(c->in[k]) ? xfv_onx_constant(o, c->in[k]) : NULL;
    if (xfv_onx_is_constant(c->in[k]) && !x) return o->e->status;
    for (size_t i = 0; x && x->i && i < x->count; i++)
        if (fabs(xfv_onx_const_at(x, i)) > ONX_EXACT)
            return ONX_BAD("'%s' (%s) has whole numbers larger than %.0f beside computed ones", c->label, c->op,
                           ONX_EXACT);
    return 0;
}

/* t = 1 - t */
static int negated(struct onx *o, const struct onx_call *c, struct onx_tensor *t)
{
    return xfv_onx_times(o, c, t, -1, 1, "/not");
}

static int truths(struct onx *o, const struct onx_call *c, const struct onx_tensor *t)
{
    int status = xfv_onx_finish(o, c, t);
    c->out[0]->whole = ONX_BOOL;
    return status;
}

int xfv_onx_compare(struct onx *o, const struct onx_call *c)
{
    struct xfv_node n = xfv_node_default(XFV_OP_COMPARE);
    int status;
    n.i[0] = is(c, "Less")             ? XFV_LESS
             : is(c, "LessOrEqual")    ? XFV_AT_MOST
             : is(c, "Greater")        ? XFV_GREATER
             : is(c, "GreaterOrEqual") ? XFV_AT_LEAST
                                       : XFV_EQUAL;
    if (!c->in[1]) return ONX_BAD("'%s' (%s) lacks an operand", c->label, c->op);
    if ((status = exact(o, c, 0)) || (status = exact(o, c, 1)) ||
        (status = xfv_onx_combine_as(o, c, n, c->in[0], c->in[1])))
        return status;
    c->out[0]->whole = ONX_BOOL;
    return 0;
}

static int is_truth(const struct onx_tensor *t)
{
    return t->whole == ONX_BOOL || (t->c && t->c->type == ONX_BOOL) || (t->init && t->init->data_type == ONX_BOOL);
}

/* And: the smaller; Or: the larger; Xor: not equal; Not. */
int xfv_onx_logic(struct onx *o, const struct onx_call *c)
{
    struct xfv_node n = xfv_node_default(is(c, "And") ? XFV_OP_MIN : is(c, "Or") ? XFV_OP_MAX : XFV_OP_COMPARE);
    struct onx_tensor t;
    int status, operands = is(c, "Not") ? 1 : 2;
    for (int k = 0; k < operands; k++)
        if (k >= c->n_in || !c->in[k] || !is_truth(c->in[k]))
            return ONX_BAD("'%s' (%s) works on what are no truth values", c->label, c->op);
    if (n.op == XFV_OP_COMPARE) n.i[0] = XFV_EQUAL;
    if (operands == 2 && (status = xfv_onx_combine_as(o, c, n, c->in[0], c->in[1]))) return status;
    if (n.op == XFV_OP_COMPARE) {
        if ((status = xfv_onx_walker(o, operands == 2 ? c->out[0] : c->in[0], &t, c->label)) ||
            (status = negated(o, c, &t)) || (status = xfv_onx_finish(o, c, &t)))
            return status;
    }
    c->out[0]->whole = ONX_BOOL;
    return 0;
}

/* t = 1 where t stands so to a number, else 0 */
int xfv_onx_against(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int relation, float number)
{
    struct xfv_node k = xfv_node_default(XFV_OP_CONST), n = xfv_node_default(XFV_OP_COMPARE);
    if ((k.weight = xfv_onx_weight(o, xfv_shape_of(1, 1), &number, c->label, "/bound")) < 0) return k.weight;
    n.i[0] = relation;
    n.n_in = 2;
    n.in[0] = t->value;
    if ((n.in[1] = xfv_onx_emit(o, &k, c->label, "/bound")) < 0) return n.in[1];
    t->value = xfv_onx_emit(o, &n, c->label, "/compared");
    return t->value < 0 ? t->value : 0;
}

/* IsNaN: x is not equal to itself. IsInf: x is beyond the largest number. */
int xfv_onx_is_odd(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t, up;
    struct xfv_node same = xfv_node_default(XFV_OP_COMPARE);
    int status = xfv_onx_walker(o, c->in[0], &t, c->label);
    if (status) return status;
    if (is(c, "IsNaN")) {
        same.i[0] = XFV_EQUAL;
        same.n_in = 2, same.in[0] = same.in[1] = t.value;
        if ((t.value = xfv_onx_emit(o, &same, c->label, "/same")) < 0) return t.value;
        return (status = negated(o, c, &t)) ? status : truths(o, c, &t);
    }
    up = t;
    if (!xfv_onx_int(c, "detect_negative", 1) || !xfv_onx_int(c, "detect_positive", 1))
        return ONX_BAD("'%s' (IsInf) asks for one sign alone, which is not supported", c->label);
    if ((status = xfv_onx_step(o, c, &up, xfv_node_act(XFV_ACT_ABS, 0, 0, 0), "/size")) ||
        (status = xfv_onx_against(o, c, &up, XFV_AT_LEAST, 3.4e38f))) /* what stands for infinity */
        return status;
    return truths(o, c, &up);
}

/* The operand in the shape s, its dimensions the axes listed. */
static int stretched(struct onx *o, const struct onx_call *c, struct onx_tensor *t, struct onx_dims s, const int *axes,
                     int n)
{
    struct onx_tensor wide = {.label = t->label, .s = s, .small = t, .value = -1};
    int want[ONX_AXES], off = 0;
    if (xfv_onx_count(t->s) == xfv_onx_count(s)) off = s.rank - t->s.rank;
    else t = &wide;
    for (int i = 0; i < n; i++) want[i] = axes[i] - off;
    if (n == 0) want[n++] = -1;
    return xfv_onx_ordered(o, t, want, n, c->label);
}

/* Where: a constant condition chooses by products, which are folded; a computed one by a node of its own. */
int xfv_onx_where(struct onx *o, const struct onx_call *c)
{
    struct xfv_node n = xfv_node_default(XFV_OP_SELECT);
    struct onx_dims s;
    int status, axes[ONX_AXES], count = 0;
    int whole[2] = {c->in[1]->whole, c->in[2]->whole};
    for (int k = 0; k < 2; k++)
        if (!whole[k] && xfv_onx_is_constant(c->in[1 + k])) {
            const struct onx_const *x = xfv_onx_constant(o, c->in[1 + k]);
            if (!x) return o->e->status;
            whole[k] = x->i ? x->type : 0;
        }
    if (!whole[0] != !whole[1]) return ONX_BAD("'%s' (Where) chooses among floats and whole numbers", c->label);
    if ((status = exact(o, c, 1)) || (status = exact(o, c, 2))) return status;
    if (xfv_onx_is_constant(c->in[0])) {
        status = xfv_onx_where_constant(o, c);
    } else {
        if ((status = xfv_onx_broadcast_dims(o, c, c->in[1]->s, c->in[2]->s, &s)) ||
            (status = xfv_onx_broadcast_dims(o, c, s, c->in[0]->s, &s)))
            return status;
        const struct onx_tensor *guide = NULL;
        for (int k = 0; k < 3 && !guide; k++)
            if (c->in[k]->value >= 0 && xfv_onx_count(c->in[k]->s) == xfv_onx_count(s)) guide = c->in[k];
        if (guide) {
            int off = s.rank - guide->s.rank;
            count = xfv_onx_layout_without(guide, -1, axes);
            for (int i = 0; i < count; i++) axes[i] += off;
        } else {
            for (int a = 0; a < s.rank; a++)
                if (s.dim[a] != 1) axes[count++] = a;
        }
        n.n_in = 3;
        for (int k = 0; k < 3; k++)
            if ((n.in[k] = stretched(o, c, c->in[k], s, axes, count)) < 0) return n.in[k];
        status = xfv_onx_result(o, c, 0, xfv_onx_emit(o, &n, c->label, ""), s, axes, count);
    }
    c->out[0]->whole = whole[0];
    return status;
}

/* ---- the place of the largest ---- */

/* k = 0, 1, 2, ... along an axis of t, times scale plus shift, with as many axes as t has; free its constant. */
static int counted(struct onx *o, const struct onx_tensor *t, int axis, double scale, double shift,
                   struct onx_tensor *k)
{
    struct onx_dims s = {.rank = t->s.rank};
    for (int a = 0; a < s.rank; a++) s.dim[a] = a == axis ? t->s.dim[a] : 1;
    *k = (struct onx_tensor){.label = t->label, .s = s, .value = -1};
    if (!(k->c = xfv_onx_const_new(o, s, 0))) return o->e->status;
    for (size_t i = 0; i < k->c->count; i++) k->c->f[i] = (float)((double)i * scale + shift);
    return 0;
}

/* The place of the largest along an axis, which stays with size 1, as output 0: the first, or the last, of equals. */
static int place_of_largest(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, int last)
{
    struct xfv_node equal = xfv_node_default(XFV_OP_COMPARE);
    struct onx_tensor most, at;
    double d = (double)t->s.dim[axis];
    int status = xfv_onx_reduced(o, c, t, XFV_REDUCE_MAX, 1u << axis, 1);
    if (status) return status;
    most = *c->out[0];
    equal.i[0] = XFV_EQUAL;
    if ((status = xfv_onx_combine_as(o, c, equal, t, &most))) return status;
    most = *c->out[0];
    if ((status = counted(o, t, axis, last ? 1 : -1, last ? 1 : d, &at))) return status;
    status = xfv_onx_combine(o, c, XFV_OP_MUL, &most, &at);
    xfv_onx_const_free(at.c);
    if (status) return status;
    most = *c->out[0];
    if ((status = xfv_onx_reduced(o, c, &most, XFV_REDUCE_MAX, 1u << axis, 1)) ||
        (status = xfv_onx_walker(o, c->out[0], &most, c->label)) ||
        (status = xfv_onx_times(o, c, &most, last ? 1 : -1, last ? -1 : d, "/place")))
        return status;
    return xfv_onx_finish(o, c, &most);
}

int xfv_onx_arg(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t;
    int axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", 0), c->in[0]->s.rank), status;
    if (axis < 0) return axis;
    if ((double)c->in[0]->s.dim[axis] >= ONX_EXACT) return ONX_BAD("'%s' (%s) has too large an axis", c->label, c->op);
    if ((status = exact(o, c, 0)) || (status = xfv_onx_walker(o, c->in[0], &t, c->label))) return status;
    if (is(c, "ArgMin") && (status = xfv_onx_step(o, c, &t, xfv_node_act(XFV_ACT_NEG, 0, 0, 0), "/negated")))
        return status;
    if ((status = place_of_largest(o, c, &t, axis, xfv_onx_int(c, "select_last_index", 0) != 0))) return status;
    if (!xfv_onx_int(c, "keepdims", 1)) {
        struct onx_dims s = {0};
        t = *c->out[0];
        for (int a = 0; a < t.s.rank; a++)
            if (a != axis) s.dim[s.rank++] = t.s.dim[a];
        if ((status = xfv_onx_reshaped(o, c, &t, s)) || (status = xfv_onx_finish(o, c, &t))) return status;
    }
    c->out[0]->whole = ONX_I64;
    return 0;
}

/* Hardmax: 1 at the first of the largest; before opset 13 over all axes from `axis` on together. */
int xfv_onx_hardmax(struct onx *o, const struct onx_call *c)
{
    struct xfv_node equal = xfv_node_default(XFV_OP_COMPARE);
    struct onx_tensor t, at, place;
    struct onx_dims s = c->in[0]->s, flat = {2, {1, 1}};
    int old = o->opset < 13, axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", old ? 1 : -1), s.rank), status;
    if (axis < 0) return axis;
    if ((status = xfv_onx_walker(o, c->in[0], &t, c->label))) return status;
    for (int a = 0; a < s.rank; a++) flat.dim[a >= axis] *= s.dim[a];
    if (old && (status = xfv_onx_reshaped(o, c, &t, flat))) return status;
    if (old) axis = 1;
    if ((double)t.s.dim[axis] >= ONX_EXACT) return ONX_BAD("'%s' (%s) has too large an axis", c->label, c->op);
    if ((status = place_of_largest(o, c, &t, axis, 0)) || (status = counted(o, &t, axis, 1, 0, &at))) return status;
    place = *c->out[0];
    equal.i[0] = XFV_EQUAL;
    status = xfv_onx_combine_as(o, c, equal, &place, &at);
    xfv_onx_const_free(at.c);
    if (status || !old) return status;
    t = *c->out[0];
    return (status = xfv_onx_reshaped(o, c, &t, s)) ? status : xfv_onx_finish(o, c, &t);
}

/* ---- functions that jump ---- */

/* ThresholdedRelu: x where x > alpha, else 0. Shrink: x + bias below -lambd, x - bias above it, else 0. */
int xfv_onx_threshold(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor x, side[2], moved;
    int shrink = is(c, "Shrink"), status = xfv_onx_walker(o, c->in[0], &x, c->label);
    float bound = shrink ? xfv_onx_float(c, "lambd", .5f) : xfv_onx_float(c, "alpha", 1),
          bias = shrink ? xfv_onx_float(c, "bias", 0) : 0;
    for (int k = 0; k < (shrink ? 2 : 1); k++) {
        moved = side[k] = x;
        if (status || (status = xfv_onx_against(o, c, &side[k], k ? XFV_LESS : XFV_GREATER, k ? -bound : bound)) ||
            (shrink && (status = xfv_onx_times(o, c, &moved, 1, (double)(k ? bias : -bias), "/moved"))) ||
            (status = xfv_onx_combine(o, c, XFV_OP_MUL, &moved, &side[k])))
            return status;
        side[k] = *c->out[0];
    }
    return shrink ? xfv_onx_combine(o, c, XFV_OP_ADD, &side[0], &side[1]) : 0;
}
