/* ONNX files: normalisations, which all become a few nodes of the graph's own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

static int is(const struct onx_call *c, const char *op) { return strcmp(c->op, op) == 0; }

/* Constant input k as n floats, repeated or, where it is absent, `otherwise`. Free it; NULL with o->e filled. */
static float *numbers(struct onx *o, const struct onx_call *c, int k, size_t n, float otherwise)
{
    const struct onx_const *x = NULL;
    float *v = n ? malloc(n * sizeof *v) : NULL;
    if (k >= 0 && k < c->n_in && c->in[k] && !(x = xfv_onx_constant(o, c->in[k]))) n = 0;
    if (x && (!x->f || x->count == 0 || n % x->count))
        ONX_BAD("'%s' (%s) has %zu numbers for %zu places", c->label, c->op, x->count, n), n = 0;
    if (v && n) {
        for (size_t i = 0; i < n; i++) v[i] = x ? x->f[i % x->count] : otherwise;
        return v;
    }
    if (n) xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    free(v);
    return NULL;
}

static size_t product(struct onx_dims s, int from, int to)
{
    size_t n = 1;
    for (int a = from; a < to; a++) n *= (size_t)s.dim[a];
    return n;
}

/* t in ONNX's order as rows x columns, through node n; then in its own shape again. */
static int by_rows(struct onx *o, const struct onx_call *c, struct onx_tensor *t, size_t rows, size_t columns,
                   struct xfv_node n)
{
    struct onx_dims s = t->s, flat = {2, {(int64_t)rows, (int64_t)columns}};
    const int axes[2] = {0, 1};
    int status = xfv_onx_reshaped(o, c, t, flat), v;
    if (status) return status;
    if ((v = xfv_onx_ordered(o, t, axes, 2, c->label)) < 0) return v;
    n.n_in = 1;
    n.in[0] = v;
    if ((t->value = xfv_onx_emit(o, &n, c->label, "/rows")) < 0) return t->value;
    t->n_axes = 2;
    memcpy(t->axis, axes, sizeof axes);
    return xfv_onx_reshaped(o, c, t, s);
}

/* (x - mean) / sqrt(variance + eps) of each row, times weight plus bias of each column. */
static int centred(struct onx *o, const struct onx_call *c, struct onx_tensor *t, size_t rows, size_t columns,
                   const float *w, const float *b, float eps)
{
    struct xfv_node n = xfv_node_default(XFV_OP_LAYERNORM);
    float *one = malloc(columns * sizeof *one), *zero = calloc(columns, sizeof *zero);
    int status = one && zero ? 0 : xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; !status && i < columns; i++) one[i] = 1;
    if (!status && (n.weight = xfv_onx_weight(o, xfv_shape_of(1, (int)columns), w ? w : one, c->label, "/scale")) < 0)
        status = n.weight;
    if (!status && (n.bias = xfv_onx_weight(o, xfv_shape_of(1, (int)columns), b ? b : zero, c->label, "/bias")) < 0)
        status = n.bias;
    free(one);
    free(zero);
    n.f[0] = eps;
    return status ? status : by_rows(o, c, t, rows, columns, n);
}

/* InstanceNormalization, GroupNormalization: each channel, or group of channels, over its positions; then a scale and a
 * shift by channel. */
int xfv_onx_groupnorm(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t;
    struct onx_dims s = c->in[0]->s;
    int64_t groups = is(c, "InstanceNormalization") ? (s.rank > 1 ? s.dim[1] : 0) : xfv_onx_int(c, "num_groups", 0);
    int status = xfv_onx_walker(o, c->in[0], &t, c->label);
    if (status) return status;
    if (s.rank < 3 || groups < 1 || s.dim[1] % groups)
        return ONX_BAD("'%s' (%s) cannot split its channels into %lld groups", c->label, c->op, (long long)groups);
    size_t ch = (size_t)s.dim[1], rows = (size_t)s.dim[0] * (size_t)groups;
    if ((status = centred(o, c, &t, rows, xfv_onx_count(s) / rows, NULL, NULL, xfv_onx_float(c, "epsilon", 1e-5f))))
        return status;
    const struct onx_const *given = c->n_in > 1 && c->in[1] ? xfv_onx_constant(o, c->in[1]) : NULL;
    if (!given || c->n_in < 3 || !c->in[2]) return ONX_BAD("'%s' (%s) has no constant scale and bias", c->label, c->op);
    size_t each = given->count && ch % given->count == 0 ? ch / given->count : 0; /* before opset 21: one a group */
    float *w = each ? numbers(o, c, 1, given->count, 1) : NULL, *b = w ? numbers(o, c, 2, given->count, 0) : NULL,
          *all = b ? malloc(2 * ch * sizeof *all) : NULL;
    if (!each) status = ONX_BAD("'%s' (%s) has %zu scales for %zu channels", c->label, c->op, given->count, ch);
    else if (!w || !b) status = o->e->status;
    else if (!all) status = xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; !status && i < ch; i++) all[i] = w[i / each], all[ch + i] = b[i / each];
    if (!status) status = xfv_onx_scaled(o, c, &t, 1, all, all + ch);
    free(w), free(b), free(all);
    return status;
}

/* LayerNormalization over several axes together: those from `axis` on. */
int xfv_onx_layernorm_of_many(struct onx *o, const struct onx_call *c, int axis)
{
    struct onx_tensor t;
    struct onx_dims s = c->in[0]->s;
    size_t columns = product(s, axis, s.rank);
    int status = xfv_onx_walker(o, c->in[0], &t, c->label);
    if (status) return status;
    float *w = numbers(o, c, 1, columns, 1), *b = w ? numbers(o, c, 2, columns, 0) : NULL;
    status = b ? centred(o, c, &t, product(s, 0, axis), columns, w, b, xfv_onx_float(c, "epsilon", 1e-5f))
               : o->e->status;
    free(w), free(b);
    return status ? status : xfv_onx_finish(o, c, &t);
}

/* RMSNormalization, SimplifiedLayerNormalization: x / sqrt(mean x^2 + eps) over the axes from `axis` on, times a scale.
 */
int xfv_onx_rmsnorm(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t, square;
    struct onx_dims s = c->in[0]->s;
    int axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", -1), s.rank), status;
    if (axis < 0) return axis;
    size_t columns = product(s, axis, s.rank);
    unsigned mask = 0;
    for (int a = axis; a < s.rank; a++) mask |= 1u << a;
    if (c->n_out > 1 && c->out[1])
        return ONX_BAD("'%s' (%s) also gives its statistics, which is not supported", c->label, c->op);
    if ((status = xfv_onx_walker(o, c->in[0], &t, c->label))) return status;
    square = t;
    if ((status = xfv_onx_power(o, c, &square, 2, "/square")) ||
        (status = xfv_onx_reduced(o, c, &square, XFV_REDUCE_MEAN, mask, 1)))
        return status;
    square = *c->out[0];
    if ((status = xfv_onx_times(o, c, &square, 1, (double)xfv_onx_float(c, "epsilon", 1e-5f), "/floor"))) return status;
    if ((status = xfv_onx_power(o, c, &square, -.5f, "/inverse")) ||
        (status = xfv_onx_combine(o, c, XFV_OP_MUL, &t, &square)))
        return status;
    t = *c->out[0];
    float *w = numbers(o, c, 1, columns, 1), *zero = w ? calloc(columns, sizeof *zero) : NULL;
    struct xfv_node n = xfv_node_default(XFV_OP_AFFINE);
    status = !w ? o->e->status : !zero ? xfv_fail(o->e, XFV_ENOMEM, "out of memory") : 0;
    if (!status && (n.weight = xfv_onx_weight(o, xfv_shape_of(1, (int)columns), w, c->label, "/scale")) < 0)
        status = n.weight;
    free(w), free(zero);
    if (!status) status = by_rows(o, c, &t, xfv_onx_count(s) / columns, columns, n);
    return status ? status : xfv_onx_finish(o, c, &t);
}

/* LRN: x / (bias + alpha/size sum of x^2 over neighbouring channels)^beta */
int xfv_onx_lrn(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t, sum;
    int64_t size = xfv_onx_int(c, "size", 0);
    int status = xfv_onx_walker(o, c->in[0], &t, c->label);
    if (status) return status;
    if (t.s.rank < 2 || size < 1) return ONX_BAD("'%s' (LRN) has no channels or no size", c->label);
    int64_t ch = t.s.dim[1];
    double each = (double)xfv_onx_float(c, "alpha", 1e-4f) / (double)size;
    float *m = xfv_onx_matrix(o, c, ch, ch);
    for (int64_t r = 0; m && r < ch; r++)
        for (int64_t k = 0; k < ch; k++) m[r * ch + k] = k >= r - (size - 1) / 2 && k <= r + size / 2 ? (float)each : 0;
    sum = t;
    if (!m) return o->e->status;
    status = xfv_onx_power(o, c, &sum, 2, "/square");
    if (!status) status = xfv_onx_along(o, c, &sum, 1, m, (int)ch);
    free(m);
    if (!status) status = xfv_onx_times(o, c, &sum, 1, (double)xfv_onx_float(c, "bias", 1), "/floor");
    if (!status) status = xfv_onx_power(o, c, &sum, -xfv_onx_float(c, "beta", .75f), "/inverse");
    return status ? status : xfv_onx_combine(o, c, XFV_OP_MUL, &t, &sum);
}

/* log(sum of exp x) over the axes in mask, which stay with size 1, as output 0; the largest x is taken out before and
 * added after. */
static int log_sum_exp(struct onx *o, const struct onx_call *c, struct onx_tensor *t, unsigned mask)
{
    struct onx_tensor most, rest;
    int status = xfv_onx_reduced(o, c, t, XFV_REDUCE_MAX, mask, 1);
    if (status) return status;
    most = *c->out[0];
    if ((status = xfv_onx_combine(o, c, XFV_OP_SUB, t, &most))) return status;
    rest = *c->out[0];
    if ((status = xfv_onx_step(o, c, &rest, xfv_onx_act(XFV_ACT_EXP, 0, 0, 0), "/exp")) ||
        (status = xfv_onx_reduced(o, c, &rest, XFV_REDUCE_SUM, mask, 1)))
        return status;
    rest = *c->out[0];
    if ((status = xfv_onx_step(o, c, &rest, xfv_onx_act(XFV_ACT_LOG, 0, 0, 0), "/log"))) return status;
    return xfv_onx_combine(o, c, XFV_OP_ADD, &rest, &most);
}

/* LogSoftmax; before opset 13 over all axes from `axis` on together. */
int xfv_onx_logsoftmax(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t, sum;
    int axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", o->opset < 13 ? 1 : -1), c->in[0]->s.rank);
    unsigned mask = 0;
    if (axis < 0) return axis;
    for (int a = axis; a < (o->opset < 13 ? c->in[0]->s.rank : axis + 1); a++) mask |= 1u << a;
    int status = xfv_onx_walker(o, c->in[0], &t, c->label);
    if (status || (status = log_sum_exp(o, c, &t, mask))) return status;
    sum = *c->out[0];
    return xfv_onx_combine(o, c, XFV_OP_SUB, &t, &sum);
}

/* Reductions that are made of others: what comes before, which one, and what comes after. */
int xfv_onx_reduce_made(struct onx *o, const struct onx_call *c, unsigned mask, int keep)
{
    struct onx_tensor t;
    int status = xfv_onx_walker(o, c->in[0], &t, c->label);
    if (status) return status;
    if (is(c, "ReduceLogSumExp")) {
        if ((status = log_sum_exp(o, c, &t, mask)) || keep) return status;
        struct onx_dims s = {0};
        t = *c->out[0];
        for (int a = 0; a < t.s.rank; a++)
            if (!(mask >> a & 1)) s.dim[s.rank++] = t.s.dim[a];
        return (status = xfv_onx_reshaped(o, c, &t, s)) ? status : xfv_onx_finish(o, c, &t);
    }
    if (is(c, "ReduceMin")) status = xfv_onx_step(o, c, &t, xfv_onx_act(XFV_ACT_NEG, 0, 0, 0), "/negated");
    else if (is(c, "ReduceL1")) status = xfv_onx_step(o, c, &t, xfv_onx_act(XFV_ACT_ABS, 0, 0, 0), "/size");
    else if (is(c, "ReduceSumSquare")) status = xfv_onx_power(o, c, &t, 2, "/square");
    if (!status) status = xfv_onx_reduced(o, c, &t, is(c, "ReduceMin") ? XFV_REDUCE_MAX : XFV_REDUCE_SUM, mask, keep);
    if (status || is(c, "ReduceL1") || is(c, "ReduceSumSquare")) return status;
    t = *c->out[0];
    status = xfv_onx_step(o, c, &t, xfv_onx_act(is(c, "ReduceMin") ? XFV_ACT_NEG : XFV_ACT_LOG, 0, 0, 0), "");
    return status ? status : xfv_onx_finish(o, c, &t);
}
