/* ONNX files: pointwise functions, arithmetic of two tensors, rows (softmax, normalisation), reductions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

#define FAR 3.4e38f /* stands for infinity: model files hold finite numbers only */

static int is(const struct onx_call *c, const char *op) { return strcmp(c->op, op) == 0; }

/* x sigmoid(a x) */
static int swish(struct onx *o, const struct onx_call *c, float a)
{
    struct onx_tensor t, gate;
    int status = xfv_onx_walker(o, c->in[0], &t, c->label);
    if (status) return status;
    if (a >= 1 && a <= 1) return xfv_onx_pointwise(o, c, xfv_node_act(XFV_ACT_SILU, t.value, 0, 0));
    gate = t;
    if ((status = xfv_onx_times(o, c, &gate, (double)a, 0, "/scaled")) ||
        (status = xfv_onx_step(o, c, &gate, xfv_node_act(XFV_ACT_SIGMOID, 0, 0, 0), "/gate")))
        return status;
    return xfv_onx_combine(o, c, XFV_OP_MUL, &t, &gate);
}

int xfv_onx_unary_math(struct onx *o, const struct onx_call *c)
{
    static const struct { const char *op; enum xfv_act act;
    } plain[] = {
        {"Abs", XFV_ACT_ABS},   {"Erf", XFV_ACT_ERF},   {"Exp", XFV_ACT_EXP},         {"HardSwish", XFV_ACT_HARDSWISH},
        {"Mish", XFV_ACT_MISH}, {"Neg", XFV_ACT_NEG},   {"Sigmoid", XFV_ACT_SIGMOID}, {"Softplus", XFV_ACT_SOFTPLUS},
        {"Sqrt", XFV_ACT_SQRT}, {"Tanh", XFV_ACT_TANH}, {"Log", XFV_ACT_LOG},         {"Softsign", XFV_ACT_SOFTSIGN},
        {"Sin", XFV_ACT_SIN},   {"Cos", XFV_ACT_COS},   {"Tan", XFV_ACT_TAN},         {"Asin", XFV_ACT_ASIN},
        {"Acos", XFV_ACT_ACOS}, {"Atan", XFV_ACT_ATAN}, {"Sinh", XFV_ACT_SINH},       {"Cosh", XFV_ACT_COSH},
        {"Asinh", XFV_ACT_ASINH}, {"Acosh", XFV_ACT_ACOSH}, {"Atanh", XFV_ACT_ATANH}, {"Floor", XFV_ACT_FLOOR},
        {"Ceil", XFV_ACT_CEIL}, {"Round", XFV_ACT_ROUND}, {"Sign", XFV_ACT_SIGN}};
    int status = xfv_onx_materialise(o, c->in[0], c->label), v = c->in[0]->value;
    if (status) return status;
    if (is(c, "Relu")) return xfv_onx_pointwise(o, c, xfv_node_unary(XFV_OP_RELU, v));
    if (is(c, "Reciprocal")) return xfv_onx_pointwise(o, c, xfv_node_act(XFV_ACT_POW, v, -1, 0));
    if (is(c, "LeakyRelu"))
        return xfv_onx_pointwise(o, c, xfv_node_act(XFV_ACT_LEAKY, v, xfv_onx_float(c, "alpha", 0.01f), 0));
    if (is(c, "HardSigmoid"))
        return xfv_onx_pointwise(
            o, c, xfv_node_act(XFV_ACT_HARDSIGMOID, v, xfv_onx_float(c, "alpha", 0.2f), xfv_onx_float(c, "beta", 0.5f)));
    float a = xfv_onx_float(c, "alpha", is(c, "Selu") ? 1.67326319217681884765625f : 1),
          scale = xfv_onx_float(c, "gamma", 1.05070102214813232421875f);
    struct xfv_node elu = xfv_node_act(XFV_ACT_ELU, v, is(c, "Selu") ? a * scale : a, is(c, "Selu") ? scale : 1);
    elu.f[2] = is(c, "Celu") ? 1 / a : 1;
    if (is(c, "Elu") || is(c, "Selu") || is(c, "Celu")) return xfv_onx_pointwise(o, c, elu);
    if (is(c, "Swish") || is(c, "QuickGelu"))
        return swish(o, c, is(c, "Swish") ? xfv_onx_float(c, "alpha", 1) : xfv_onx_float(c, "alpha", 1.702f));
    if (is(c, "Gelu"))
        return xfv_onx_pointwise(o, c,
                                 xfv_node_act(XFV_ACT_GELU, v, (float)xfv_onx_text_is(c, "approximate", "tanh"), 0));
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (is(c, plain[i].op) && plain[i].act >= XFV_ACT_FLOOR)
            xfv_onx_note(o, "'%s' (%s) moves in steps: no gradient goes through it", c->label, c->op);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (is(c, plain[i].op)) return xfv_onx_pointwise(o, c, xfv_node_act(plain[i].act, v, 0, 0));
    return ONX_BAD("'%s' (%s) is not supported", c->label, c->op);
}

/* a op b op c ... as output 0 */
static int one_after_another(struct onx *o, const struct onx_call *c, enum xfv_op op);

/* Clip; Max and Min, of a tensor and a number as a Clip. */
int xfv_onx_clip(struct onx *o, const struct onx_call *c)
{
    float lo = -FAR, hi = FAR;
    int k = 0, status;
    if (is(c, "Clip")) {
        if ((status = xfv_onx_scalar(o, c, 1, "min", lo, &lo)) || (status = xfv_onx_scalar(o, c, 2, "max", hi, &hi)))
            return status;
    } else {
        for (int i = 0; i < c->n_in; i++)
            if (!c->in[i]) return ONX_BAD("'%s' (%s) lacks an operand", c->label, c->op);
        k = xfv_onx_is_constant(c->in[0]) ? 1 : 0;
        if (c->n_in == 1) return xfv_onx_identity(o, c);
        if (c->n_in != 2 || !xfv_onx_is_constant(c->in[1 - k]) || xfv_onx_count(c->in[1 - k]->s) != 1 ||
            c->in[1 - k]->s.rank > c->in[k]->s.rank)
            return one_after_another(o, c, is(c, "Max") ? XFV_OP_MAX : XFV_OP_MIN);
        if ((status = xfv_onx_scalar(o, c, 1 - k, NULL, 0, is(c, "Max") ? &lo : &hi))) return status;
    }
    struct onx_tensor *t = c->in[k];
    if ((status = xfv_onx_materialise(o, t, c->label))) return status;
    if (isnan(lo) || isnan(hi)) return ONX_BAD("'%s' (%s) has a bound that is no number", c->label, c->op);
    lo = lo < -FAR ? -FAR : lo > FAR ? FAR : lo; /* infinite in the file */
    hi = hi > FAR ? FAR : hi < -FAR ? -FAR : hi;
    if (lo > hi) lo = hi; /* ONNX applies the minimum first: everything becomes the maximum */
    struct xfv_node n = xfv_node_act(XFV_ACT_CLIP, t->value, lo, hi);
    return xfv_onx_result(o, c, 0, xfv_onx_emit(o, &n, c->label, ""), t->s, t->axis, t->n_axes);
}

int xfv_onx_pow(struct onx *o, const struct onx_call *c)
{
    float p = 1;
    if (c->n_in < 2 || !c->in[1]) return ONX_BAD("'%s' (Pow) has no exponent", c->label);
    if (!xfv_onx_is_constant(c->in[1]) || xfv_onx_count(c->in[1]->s) != 1 || c->in[1]->s.rank > c->in[0]->s.rank)
        return xfv_onx_combine(o, c, XFV_OP_POWER, c->in[0], c->in[1]);
    int status = xfv_onx_scalar(o, c, 1, NULL, 1, &p);
    if (status || (status = xfv_onx_materialise(o, c->in[0], c->label))) return status;
    return xfv_onx_pointwise(o, c, xfv_node_act(XFV_ACT_POW, c->in[0]->value, p, 0));
}

/* ---- two tensors ---- */

static int full(const struct onx_tensor *t, struct onx_dims s) { return xfv_onx_count(t->s) == xfv_onx_count(s); }

/* Two operands in one layout of at most XFV_MAX_RANK dimensions: the first's axes (n of them, of the result's shape s),
 * neighbours together that the second stretches over alike or has alike. in: their values; *given: the result's shape
 * before it gets the layout's own. */
static int together(struct onx *o, const struct onx_call *c, struct onx_tensor *a, struct onx_tensor *b,
                    struct onx_dims s, const int *axis, int n, int in[2])
{
    int want[ONX_AXES] = {-1}, own[ONX_AXES], n_own = 0, last = -1;
    struct xfv_shape full = {0}, part = {0};
    for (int i = 0; i < n; i++) {
        int at = axis[i] - (s.rank - b->s.rank), there = at >= 0 && b->s.dim[at] != 1, size = (int)s.dim[axis[i]];
        want[i] = there ? at : -1;
        if (there) own[n_own++] = at;
        if (n <= XFV_MAX_RANK) continue;
        if (there != last) {
            if (full.rank == XFV_MAX_RANK) return ONX_BAD("'%s' (%s) has too many axes", c->label, c->op);
            full.dim[full.rank++] = part.dim[part.rank++] = 1;
        }
        full.dim[full.rank - 1] *= size;
        if (there) part.dim[part.rank - 1] *= size;
        last = there;
    }
    in[0] = a->value;
    if (n <= XFV_MAX_RANK) return in[1] = xfv_onx_ordered(o, b, want, n ? n : 1, c->label);
    if (n_own == 0) own[n_own++] = -1;
    if ((in[1] = xfv_onx_ordered(o, b, own, n_own, c->label)) < 0) return in[1];
    if ((in[0] = xfv_onx_emit_reshape(o, in[0], full, c->label, "/shape")) < 0) return in[0];
    return in[1] = xfv_onx_emit_reshape(o, in[1], part, c->label, "/shape");
}

/* b op a = a op' b: 0 when there is no such op'. */
static int turned(struct xfv_node *n)
{
    if (n->op == XFV_OP_COMPARE) n->i[0] = XFV_RELATIONS - 1 - n->i[0];
    return n->op != XFV_OP_POWER && n->op != XFV_OP_MOD;
}

int xfv_onx_combine(struct onx *o, const struct onx_call *c, enum xfv_op op, struct onx_tensor *a, struct onx_tensor *b)
{
    return xfv_onx_combine_as(o, c, xfv_node_default(op), a, b);
}

/* out 0 = a op b */
int xfv_onx_combine_as(struct onx *o, const struct onx_call *c, struct xfv_node n, struct onx_tensor *a,
                       struct onx_tensor *b)
{
    struct onx_dims s;
    struct onx_tensor wide = {.value = -1};
    int axis[ONX_AXES], in[2] = {-1, -1}, status = xfv_onx_broadcast_dims(o, c, a->s, b->s, &s), swap;
    if (status) return status;
    swap = !full(a, s) || (full(b, s) && (xfv_onx_is_constant(a) || a->small) && !xfv_onx_is_constant(b) && !b->small);
    /* both stretch, or they cannot change places */
    if (swap && (!full(b, s) || !turned(&n))) {
        if (!full(a, s)) {
            wide = (struct onx_tensor){.label = a->label, .s = s, .small = a, .value = -1};
            a = &wide;
        }
        swap = 0;
    }
    struct onx_tensor *first = swap ? b : a, *second = swap ? a : b;
    if (second->small && second->value < 0) second = second->small;
    if ((status = xfv_onx_materialise(o, first, c->label))) return status;
    for (int i = 0; i < first->n_axes; i++) axis[i] = first->axis[i] + s.rank - first->s.rank;
    if ((status = together(o, c, first, second, s, axis, first->n_axes, in)) < 0) return status;
    if (swap && (n.op == XFV_OP_SUB || n.op == XFV_OP_DIV)) { /* b - x = (-x) + b, b / x = x^-1 b; x is the wide one */
        struct xfv_node pre = n.op == XFV_OP_SUB ? xfv_node_act(XFV_ACT_NEG, in[0], 0, 0)
                                               : xfv_node_act(XFV_ACT_POW, in[0], -1, 0);
        if ((in[0] = xfv_onx_emit(o, &pre, c->label, n.op == XFV_OP_SUB ? "/negated" : "/inverse")) < 0) return in[0];
        n.op = n.op == XFV_OP_SUB ? XFV_OP_ADD : XFV_OP_MUL;
    }
    n.n_in = 2, n.in[0] = in[0], n.in[1] = in[1];
    return xfv_onx_result(o, c, 0, xfv_onx_emit(o, &n, c->label, ""), s, axis, first->n_axes);
}

int xfv_onx_binary(struct onx *o, const struct onx_call *c)
{
    if (c->n_in != 2 || !c->in[1]) return ONX_BAD("'%s' (%s) has %d operands", c->label, c->op, c->n_in);
    if (is(c, "Mod")) {
        struct xfv_node n = xfv_node_default(XFV_OP_MOD);
        n.i[0] = xfv_onx_int(c, "fmod", 0) != 0;
        return xfv_onx_combine_as(o, c, n, c->in[0], c->in[1]);
    }
    enum xfv_op op = is(c, "Add") ? XFV_OP_ADD : is(c, "Sub") ? XFV_OP_SUB : is(c, "Mul") ? XFV_OP_MUL : XFV_OP_DIV;
    return xfv_onx_combine(o, c, op, c->in[0], c->in[1]);
}

static int one_after_another(struct onx *o, const struct onx_call *c, enum xfv_op op)
{
    if (xfv_onx_is_constant(c->in[0]) && !xfv_onx_constant(o, c->in[0])) return o->e->status;
    struct onx_tensor sum = *c->in[0]; /* a constant is loaded by now, and stays its owner's */
    for (int k = 1; k < c->n_in; k++) {
        int status = c->in[k] ? xfv_onx_combine(o, c, op, &sum, c->in[k])
                              : ONX_BAD("'%s' (%s) lacks an operand", c->label, c->op);
        if (status) return status;
        sum = *c->out[0];
    }
    return 0;
}

int xfv_onx_sum(struct onx *o, const struct onx_call *c)
{
    return c->n_in == 1 ? xfv_onx_identity(o, c) : one_after_another(o, c, XFV_OP_ADD);
}

/* Slopes along one axis (-1: one for all). */
static int prelu_along(struct onx *o, const struct onx_call *c, int axis, const struct onx_const *s)
{
    struct onx_tensor *t = c->in[0];
    int axes[ONX_AXES], n, v, status = xfv_onx_materialise(o, t, c->label);
    if (status) return status;
    if (axis < 0) axis = t->n_axes ? t->axis[t->n_axes - 1] : t->s.rank - 1;
    if (axis < 0 || axis >= t->s.rank || (s->count != 1 && (int64_t)s->count != t->s.dim[axis]))
        return ONX_BAD("'%s' (PRelu) has %zu slopes, which do not fit", c->label, s->count);
    size_t ch = (size_t)t->s.dim[axis];
    float *slope = malloc(ch * sizeof *slope);
    if (!slope) return xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; i < ch; i++) slope[i] = s->f[s->count == 1 ? 0 : i];
    struct xfv_node node = xfv_node_default(XFV_OP_PRELU);
    node.weight = xfv_onx_weight(o, xfv_shape_of(1, (int)ch), slope, c->label, "/slope");
    free(slope);
    if (node.weight < 0) return node.weight;
    n = xfv_onx_layout_without(t, axis, axes);
    axes[n++] = axis;
    if ((v = xfv_onx_ordered(o, t, axes, n, c->label)) < 0) return v;
    node.n_in = 1;
    node.in[0] = v;
    return xfv_onx_result(o, c, 0, xfv_onx_emit(o, &node, c->label, ""), t->s, axes, n);
}

/* Slopes that are computed, or one for each position: relu(x) + slope min(x, 0). */
static int prelu_of_parts(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *t = c->in[0], part = *t;
    int status = xfv_onx_materialise(o, t, c->label), above;
    if (status) return status;
    struct xfv_node up = xfv_node_unary(XFV_OP_RELU, t->value), sum;
    struct xfv_node down = xfv_node_act(XFV_ACT_CLIP, t->value, -FAR, 0);
    part = *t;
    part.c = NULL, part.init = NULL;
    if ((above = xfv_onx_emit(o, &up, c->label, "/above")) < 0 ||
        (part.value = xfv_onx_emit(o, &down, c->label, "/below")) < 0)
        return o->e->status;
    if ((status = xfv_onx_combine(o, c, XFV_OP_MUL, &part, c->in[1]))) return status;
    if (xfv_onx_count(c->out[0]->s) != xfv_onx_count(t->s))
        return ONX_BAD("'%s' (PRelu) has slopes of a larger shape than what they are for", c->label);
    struct onx_tensor below = *c->out[0];
    if ((status = xfv_onx_ordered(o, &below, t->axis, t->n_axes, c->label)) < 0) return status;
    sum = xfv_node_unary(XFV_OP_ADD, above);
    sum.in[sum.n_in++] = status;
    return xfv_onx_pointwise(o, c, sum);
}

int xfv_onx_prelu(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *t = c->in[0];
    int axis = -1, several = 0;
    if (c->n_in < 2 || !c->in[1]) return ONX_BAD("'%s' (PRelu) has no slopes", c->label);
    if (!xfv_onx_is_constant(c->in[1])) return prelu_of_parts(o, c);
    const struct onx_const *s = xfv_onx_constant(o, c->in[1]);
    if (!s || !s->f) return s ? ONX_BAD("'%s' (PRelu) has slopes that are no floats", c->label) : o->e->status;
    for (int i = 0; i < s->s.rank; i++) {
        if (s->s.dim[i] == 1) continue;
        several |= axis >= 0;
        axis = i + t->s.rank - s->s.rank;
    }
    if (several) return prelu_of_parts(o, c);
    if (s->s.rank == 1 && t->s.rank == 4 &&
        s->s.dim[0] == t->s.dim[1]) { /* older exporters list the channels' so; ONNX means columns */
        if (s->s.dim[0] != t->s.dim[3]) axis = 1;
        else if (s->count > 1)
            xfv_onx_note(o,
                         "'%s' (PRelu) has %zu slopes, as many as channels and as columns: ONNX's rule, columns, was "
                         "taken",
                         c->label, s->count);
    }
    return prelu_along(o, c, axis, s);
}

/* ---- rows ---- */

/* Input 0 with this axis last; node n works on it. */
static int on_last_axis(struct onx *o, const struct onx_call *c, int axis, struct xfv_node n)
{
    struct onx_tensor *t = c->in[0];
    int axes[ONX_AXES], count, v, status = xfv_onx_materialise(o, t, c->label);
    if (status) return status;
    count = xfv_onx_layout_without(t, axis, axes);
    axes[count++] = axis;
    if ((v = xfv_onx_ordered(o, t, axes, count, c->label)) < 0) return v;
    n.n_in = 1;
    n.in[0] = v;
    return xfv_onx_result(o, c, 0, xfv_onx_emit(o, &n, c->label, ""), t->s, axes, count);
}

int xfv_onx_on_trailing(struct onx *o, const struct onx_call *c, int from, struct xfv_node n)
{
    struct onx_tensor t;
    struct onx_dims s = c->in[0]->s;
    int64_t columns = 1;
    int wide = 0, axis = s.rank - 1, status;
    for (int a = from; a < s.rank; a++)
        if (s.dim[a] != 1) wide++, axis = a, columns *= s.dim[a];
    if (wide < 2) return on_last_axis(o, c, axis, n);
    if ((status = xfv_onx_walker(o, c->in[0], &t, c->label)) ||
        (status = xfv_onx_by_rows(o, c, &t, xfv_onx_count(s) / (size_t)columns, (size_t)columns, n)))
        return status;
    return xfv_onx_finish(o, c, &t);
}

int xfv_onx_softmax(struct onx *o, const struct onx_call *c)
{
    struct xfv_node n = xfv_node_default(XFV_OP_SOFTMAX);
    int rank = c->in[0]->s.rank, axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", o->opset < 13 ? 1 : -1), rank);
    if (axis < 0) return axis;
    return o->opset < 13 ? xfv_onx_on_trailing(o, c, axis, n) : on_last_axis(o, c, axis, n);
}

int xfv_onx_softmax_last(struct onx *o, const struct onx_call *c)
{
    return on_last_axis(o, c, c->in[0]->s.rank - 1, xfv_node_default(XFV_OP_SOFTMAX));
}

/* ---- reductions ---- */

/* The value of t with neighbouring axes of its layout together that are all reduced or all kept: its bits in *mask say
 * which dimensions are. */
static int grouped(struct onx *o, const struct onx_call *c, const struct onx_tensor *t, unsigned axes, int *mask)
{
    struct xfv_shape s = {0};
    int last = -1;
    *mask = 0;
    for (int i = 0; i < t->n_axes; i++) {
        int goes = axes >> t->axis[i] & 1;
        if (t->n_axes <= XFV_MAX_RANK || goes != last) {
            if (s.rank == XFV_MAX_RANK) return ONX_BAD("'%s' (%s) has too many axes", c->label, c->op);
            s.dim[s.rank++] = 1;
        }
        s.dim[s.rank - 1] *= (int)t->s.dim[t->axis[i]];
        *mask |= goes << (s.rank - 1);
        last = goes;
    }
    return s.rank ? xfv_onx_emit_reshape(o, t->value, s, c->label, "/shape") : t->value;
}

/* Emit the reduction of t over the ONNX axes in mask as out 0; keep: they stay, with size 1. */
int xfv_onx_reduced(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int what, unsigned mask, int keep)
{
    struct xfv_node n = xfv_node_default(XFV_OP_REDUCE);
    struct onx_dims s = {0};
    int axis[ONX_AXES], n_axes = 0, to[ONX_MAX_RANK], v, status = xfv_onx_materialise(o, t, c->label);
    if (status) return status;
    for (int a = 0; a < t->s.rank; a++) {
        to[a] = s.rank;
        if (!(mask >> a & 1) || keep) s.dim[s.rank++] = mask >> a & 1 ? 1 : t->s.dim[a];
        else to[a] = -1;
    }
    for (int i = 0; i < t->n_axes; i++)
        if (t->n_axes <= XFV_MAX_RANK || !(mask >> t->axis[i] & 1)) axis[n_axes++] = to[t->axis[i]];
    if ((v = grouped(o, c, t, mask, &n.i[1])) < 0) return v;
    n.i[0] = what;
    n.n_in = 1;
    n.in[0] = v;
    if (n.i[1] == 0)
        n = what == XFV_REDUCE_L2 ? xfv_node_act(XFV_ACT_ABS, v, 0, 0) : xfv_node_reshape(v, o->g->values[v].shape);
    v = xfv_onx_emit(o, &n, c->label, "");
    if (v >= 0 && t->n_axes > XFV_MAX_RANK)
        v = xfv_onx_emit_reshape(o, v, xfv_onx_shape(s, axis, n_axes), c->label, "/shape");
    return xfv_onx_result(o, c, 0, v, s, axis, n_axes);
}

int xfv_onx_reduce(struct onx *o, const struct onx_call *c)
{
    int64_t v[ONX_MAX_RANK];
    struct onx_tensor *t = c->in[0];
    int n = xfv_onx_ints(o, c, 1, "axes", v, ONX_MAX_RANK);
    unsigned mask = 0;
    if (n < 0) return n;
    int made = is(c, "ReduceMin") || is(c, "ReduceL1") || is(c, "ReduceSumSquare") || is(c, "ReduceLogSum") ||
               is(c, "ReduceLogSumExp");
    int empty = n == 0 && xfv_onx_int(c, "noop_with_empty_axes", 0);
    if (empty && (made || is(c, "ReduceL2")))
        return ONX_BAD("'%s' (%s) reduces over no axis, which is not supported", c->label, c->op);
    if (empty) return xfv_onx_identity(o, c);
    for (int i = 0; i < n; i++) {
        int a = xfv_onx_axis(o, c, v[i], t->s.rank);
        if (a < 0) return a;
        mask |= 1u << a;
    }
    if (n == 0) mask = (1u << t->s.rank) - 1;
    if (made) return xfv_onx_reduce_made(o, c, mask, xfv_onx_int(c, "keepdims", 1) != 0);
    int what = is(c, "ReduceMean")  ? XFV_REDUCE_MEAN
               : is(c, "ReduceSum") ? XFV_REDUCE_SUM
               : is(c, "ReduceProd") ? XFV_REDUCE_PROD
               : is(c, "ReduceMax") ? XFV_REDUCE_MAX
                                    : XFV_REDUCE_L2;
    return xfv_onx_reduced(o, c, t, what, mask, xfv_onx_int(c, "keepdims", 1) != 0);
}

/* 1 / v, and 0 for 0, with no gradient there: the norm of a vector of zeros (ONNX 22), which is to stay one. The slope
 * at the floor, 1e36, is still a float: an infinite one times nothing would not be nothing. */
static int inverse_norm(struct onx *o, const struct onx_call *c, int v)
{
    struct xfv_node floor = xfv_node_act(XFV_ACT_CLIP, v, 1e-18f, FAR), power, there, both;
    int f = xfv_onx_emit(o, &floor, c->label, "/floor"), p, t, scaled;
    if (f < 0) return f;
    power = xfv_node_act(XFV_ACT_POW, f, -1, 0);
    if ((p = xfv_onx_emit(o, &power, c->label, "/inverse")) < 0 ||
        (scaled = xfv_onx_emit_affine(o, v, 1e18, 0, c->label, "/scaled")) < 0)
        return p < 0 ? p : scaled;
    there = xfv_node_act(XFV_ACT_CLIP, scaled, 0, 1);
    if ((t = xfv_onx_emit(o, &there, c->label, "/there")) < 0) return t;
    both = xfv_node_unary(XFV_OP_MUL, p);
    both.in[both.n_in++] = t;
    return xfv_onx_emit(o, &both, c->label, "/factor");
}

/* x / |x|_2 along an axis */
int xfv_onx_lpnorm(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *t = c->in[0];
    int axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", -1), t->s.rank), others[ONX_AXES], status;
    if (axis < 0) return axis;
    int64_t p = xfv_onx_int(c, "p", 2);
    if (p != 1 && p != 2)
        return ONX_BAD("'%s' (LpNormalization) has p = %lld; 1 and 2 are supported", c->label, (long long)p);
    if ((status = xfv_onx_materialise(o, t, c->label))) return status;
    if (p == 2 && xfv_onx_layout_without(t, axis, others) == 0)
        return xfv_onx_pointwise(o, c, xfv_node_unary(XFV_OP_L2NORM, t->value));
    struct onx_tensor size;
    if ((status = xfv_onx_walker(o, t, &size, c->label)) ||
        (p == 1 && (status = xfv_onx_step(o, c, &size, xfv_node_act(XFV_ACT_ABS, 0, 0, 0), "/size"))))
        return status;
    if ((status = xfv_onx_reduced(o, c, &size, p == 1 ? XFV_REDUCE_SUM : XFV_REDUCE_L2, 1u << axis, 1))) return status;
    struct onx_tensor inverse = *c->out[0];
    if ((inverse.value = inverse_norm(o, c, inverse.value)) < 0) return inverse.value;
    return xfv_onx_combine(o, c, XFV_OP_MUL, t, &inverse);
}
