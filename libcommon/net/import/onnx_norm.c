/* ONNX files: normalisations, which all become a few nodes of the graph's own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

static int is(const struct onx_call *c, const char *op) { return strcmp(c->op, op) == 0; }

/* Constant input k as n floats. Free it; NULL with o->e filled. */
static float *numbers(struct onx *o, const struct onx_call *c, int k, size_t n)
{
    const struct onx_const *x = xfv_onx_constant(o, c->in[k]);
    float *v = x && n ? malloc(n * sizeof *v) : NULL;
    if (x && (!x->f || x->count != n)) {
        ONX_BAD("'%s' (%s) has %zu numbers for %zu places", c->label, c->op, x->count, n);
        free(v);
        return NULL;
    }
    if (v) memcpy(v, x->f, n * sizeof *v);
    else if (x) xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    return v;
}

static size_t product(struct onx_dims s, int from, int to)
{
    size_t n = 1;
    for (int a = from; a < to; a++) n *= (size_t)s.dim[a];
    return n;
}

/* Constant input k as one float for each element of input 0's axes from `axis` on, stretched as NumPy does: *v, to be
 * freed. 1 where it is computed or differs along other axes, or a negative status. */
static int spread(struct onx *o, const struct onx_call *c, int k, int axis, float **v)
{
    struct onx_dims s = c->in[0]->s;
    size_t n = product(s, axis, s.rank);
    const struct onx_const *x = xfv_onx_is_constant(c->in[k]) ? xfv_onx_constant(o, c->in[k]) : NULL;
    if (!x) return xfv_onx_is_constant(c->in[k]) ? o->e->status : 1;
    if (!x->f) return ONX_BAD("'%s' (%s) has numbers that are no floats", c->label, c->op);
    for (int i = 0; i < x->s.rank; i++) {
        int a = i + s.rank - x->s.rank;
        if (x->s.dim[i] != 1 && (a < 0 || s.dim[a] != x->s.dim[i]))
            return ONX_BAD("'%s' (%s) has numbers that do not fit its input", c->label, c->op);
        if (x->s.dim[i] != 1 && a < axis) return 1;
    }
    if (!(*v = malloc(n * sizeof **v))) return xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        size_t rest = i, at = 0, step = 1;
        for (int a = s.rank - 1, d = x->s.rank - 1; a >= axis; a--, d--) {
            size_t index = rest % (size_t)s.dim[a];
            rest /= (size_t)s.dim[a];
            if (d < 0 || x->s.dim[d] == 1) continue;
            at += index * step;
            step *= (size_t)x->s.dim[d];
        }
        (*v)[i] = x->f[at];
    }
    return 0;
}

/* Output 0 combined with input k, which may not stretch it. */
static int with_input(struct onx *o, const struct onx_call *c, enum xfv_op op, int k)
{
    struct onx_tensor t = *c->out[0];
    struct onx_dims s;
    int status = xfv_onx_broadcast_dims(o, c, t.s, c->in[k]->s, &s);
    if (status) return status;
    if (s.rank != t.s.rank || memcmp(s.dim, t.s.dim, (size_t)s.rank * sizeof *s.dim))
        return ONX_BAD("'%s' (%s) has numbers that do not fit its input", c->label, c->op);
    return xfv_onx_combine(o, c, op, &t, c->in[k]);
}

int xfv_onx_by_rows(struct onx *o, const struct onx_call *c, struct onx_tensor *t, size_t rows, size_t columns,
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

/* The node (x - mean) / sqrt(variance + eps) of rows, times w plus b of each column: ones and zeros where NULL. */
static int centred(struct onx *o, const struct onx_call *c, size_t columns, const float *w, const float *b,
                   struct xfv_node *n)
{
    float *one = malloc(columns * sizeof *one), *zero = calloc(columns, sizeof *zero);
    int status = one && zero ? 0 : xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    *n = xfv_node_default(XFV_OP_LAYERNORM);
    n->f[0] = xfv_onx_float(c, "epsilon", 1e-5f);
    for (size_t i = 0; !status && i < columns; i++) one[i] = 1;
    if (!status) n->weight = xfv_onx_weight(o, xfv_shape_of(1, (int)columns), w ? w : one, c->label, "/scale");
    if (!status && n->weight >= 0)
        n->bias = xfv_onx_weight(o, xfv_shape_of(1, (int)columns), b ? b : zero, c->label, "/bias");
    free(one), free(zero);
    return status ? status : n->weight < 0 ? n->weight : n->bias < 0 ? n->bias : 0;
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
    struct xfv_node n;
    if ((status = centred(o, c, xfv_onx_count(s) / rows, NULL, NULL, &n)) ||
        (status = xfv_onx_by_rows(o, c, &t, rows, xfv_onx_count(s) / rows, n)))
        return status;
    const struct onx_const *given = c->n_in > 1 && c->in[1] ? xfv_onx_constant(o, c->in[1]) : NULL;
    if (!given || c->n_in < 3 || !c->in[2]) return ONX_BAD("'%s' (%s) has no constant scale and bias", c->label, c->op);
    /* before opset 21: one a group */
    size_t each = given->count == ch ? 1 : given->count == (size_t)groups ? ch / given->count : 0;
    float *w = each ? numbers(o, c, 1, given->count) : NULL, *b = w ? numbers(o, c, 2, given->count) : NULL,
          *all = b ? malloc(2 * ch * sizeof *all) : NULL;
    if (!each) status = ONX_BAD("'%s' (%s) has %zu scales for %zu channels", c->label, c->op, given->count, ch);
    else if (!w || !b) status = o->e->status;
    else if (!all) status = xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; w && b && all && i < ch; i++) all[i] = w[i / each], all[ch + i] = b[i / each];
    if (!status) status = xfv_onx_scaled(o, c, &t, 1, all, all + ch);
    free(w), free(b), free(all);
    return status;
}

/* Over the axes in mask, which stay with size 1: the mean of input 0, what is left without it (x's shape), and
 * 1 / sqrt(variance + eps). */
struct moments { struct onx_tensor mean, rest, inverse; };

static int moments(struct onx *o, const struct onx_call *c, unsigned mask, double eps, struct moments *m)
{
    struct onx_tensor x, square, none = {.label = c->out[0]->label, .value = -1};
    struct onx_call to = *c;
    int status = xfv_onx_walker(o, c->in[0], &x, c->label);
    *m = (struct moments){none, none, none};
    to.out[0] = &m->mean;
    if (status || (status = xfv_onx_reduced(o, &to, &x, XFV_REDUCE_MEAN, mask, 1))) return status;
    to.out[0] = &m->rest;
    if ((status = xfv_onx_combine(o, &to, XFV_OP_SUB, &x, &m->mean))) return status;
    square = m->rest;
    to.out[0] = &m->inverse;
    if ((status = xfv_onx_power(o, c, &square, 2, "/square")) ||
        (status = xfv_onx_reduced(o, &to, &square, XFV_REDUCE_MEAN, mask, 1)) ||
        (status = xfv_onx_times(o, c, &m->inverse, 1, eps, "/floor")))
        return status;
    return xfv_onx_power(o, c, &m->inverse, -.5f, "/inverse");
}

/* Outputs 1 and 2 of LayerNormalization: the mean and 1 / sqrt(variance + eps) over the axes from `axis` on. */
static int statistics(struct onx *o, const struct onx_call *c, int axis)
{
    struct moments m;
    unsigned mask = 0;
    for (int a = axis; a < c->in[0]->s.rank; a++) mask |= 1u << a;
    int status = moments(o, c, mask, (double)xfv_onx_float(c, "epsilon", 1e-5f), &m);
    if (!status && c->out[1]) status = xfv_onx_result(o, c, 1, m.mean.value, m.mean.s, m.mean.axis, m.mean.n_axes);
    if (status || c->n_out < 3 || !c->out[2]) return status;
    return xfv_onx_result(o, c, 2, m.inverse.value, m.inverse.s, m.inverse.axis, m.inverse.n_axes);
}

/* LayerNormalization: over the axes from `axis` on together. What cannot be a weight of the rows comes after. */
int xfv_onx_layernorm(struct onx *o, const struct onx_call *c)
{
    struct onx_dims s = c->in[0]->s;
    struct xfv_node n;
    float *w = NULL, *b = NULL;
    int biased = c->n_in > 2 && c->in[2], axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", -1), s.rank);
    int status = axis < 0 ? axis : c->n_out > 1 ? statistics(o, c, axis) : 0, scaled, shifted = 0;
    if (status) return status;
    if (c->n_in < 2 || !c->in[1]) return ONX_BAD("'%s' (%s) has no scale", c->label, c->op);
    scaled = spread(o, c, 1, axis, &w);
    if (scaled == 0 && biased) shifted = spread(o, c, 2, axis, &b);
    else if (scaled == 1) shifted = biased;
    status = scaled < 0 ? scaled : shifted < 0 ? shifted : 0;
    if (!status) status = centred(o, c, product(s, axis, s.rank), w, b, &n);
    free(w), free(b);
    if (!status) status = xfv_onx_on_trailing(o, c, axis, n);
    if (!status && scaled == 1) status = with_input(o, c, XFV_OP_MUL, 1);
    return !status && shifted == 1 ? with_input(o, c, XFV_OP_ADD, 2) : status;
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
    float *w = NULL;
    struct xfv_node n = xfv_node_default(XFV_OP_AFFINE);
    if ((status = spread(o, c, 1, axis, &w)) < 0) return status;
    if (status == 1) return (status = xfv_onx_finish(o, c, &t)) ? status : with_input(o, c, XFV_OP_MUL, 1);
    n.weight = xfv_onx_take_weight(o, xfv_shape_of(1, (int)columns), &w, c->label, "/scale");
    free(w);
    status = n.weight < 0 ? n.weight : xfv_onx_by_rows(o, c, &t, xfv_onx_count(s) / columns, columns, n);
    return status ? status : xfv_onx_finish(o, c, &t);
}

/* MeanVarianceNormalization: (x - mean) / sqrt(variance + 1e-18) over `axes`. ONNX adds 1e-9 to the root instead; the
 * two differ where the deviation itself is near that. */
int xfv_onx_meanvariance(struct onx *o, const struct onx_call *c)
{
    static const int64_t usual[] = {0, 2, 3};
    int64_t v[ONX_MAX_RANK];
    struct moments m;
    unsigned mask = 0;
    int n = xfv_onx_ints(o, c, 1, "axes", v, ONX_MAX_RANK);
    if (n < 0) return n;
    for (int i = 0; i < (n ? n : 3); i++) {
        int a = xfv_onx_axis(o, c, n ? v[i] : usual[i], c->in[0]->s.rank);
        if (a < 0) return a;
        mask |= 1u << a;
    }
    int status = moments(o, c, mask, 1e-18, &m);
    return status ? status : xfv_onx_combine(o, c, XFV_OP_MUL, &m.rest, &m.inverse);
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
    if ((status = xfv_onx_step(o, c, &rest, xfv_node_act(XFV_ACT_EXP, 0, 0, 0), "/exp")) ||
        (status = xfv_onx_reduced(o, c, &rest, XFV_REDUCE_SUM, mask, 1)))
        return status;
    rest = *c->out[0];
    if ((status = xfv_onx_step(o, c, &rest, xfv_node_act(XFV_ACT_LOG, 0, 0, 0), "/log"))) return status;
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
    if (is(c, "ReduceMin")) status = xfv_onx_step(o, c, &t, xfv_node_act(XFV_ACT_NEG, 0, 0, 0), "/negated");
    else if (is(c, "ReduceL1")) status = xfv_onx_step(o, c, &t, xfv_node_act(XFV_ACT_ABS, 0, 0, 0), "/size");
    else if (is(c, "ReduceSumSquare")) status = xfv_onx_power(o, c, &t, 2, "/square");
    if (!status) status = xfv_onx_reduced(o, c, &t, is(c, "ReduceMin") ? XFV_REDUCE_MAX : XFV_REDUCE_SUM, mask, keep);
    if (status || is(c, "ReduceL1") || is(c, "ReduceSumSquare")) return status;
    t = *c->out[0];
    status = xfv_onx_step(o, c, &t, xfv_node_act(is(c, "ReduceMin") ? XFV_ACT_NEG : XFV_ACT_LOG, 0, 0, 0), "");
    return status ? status : xfv_onx_finish(o, c, &t);
}
