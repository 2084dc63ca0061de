/* ONNX files: operators that stand for several: of whole numbers (what they stand for, within the limits of their
 * outcome), attention, and those of com.microsoft that ONNX Runtime's optimiser writes. Each is built as what it stands
 * for. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

static int is(const struct onx_call *c, const char *op) { return strcmp(c->op, op) == 0; }

/* ---- whole numbers ---- */

/* Input k is one scale: several, for rows or columns, would be taken along DequantizeLinear's own axis. */
static int one_scale(struct onx *o, const struct onx_call *c, int k)
{
    const struct onx_const *s;
    if (k >= c->n_in || !c->in[k]) return ONX_BAD("'%s' (%s) lacks a scale", c->label, c->op);
    if (!xfv_onx_is_constant(c->in[k])) return 0;
    if (!(s = xfv_onx_constant(o, c->in[k]))) return o->e->status;
    return s->count == 1 ? 0
                         : ONX_BAD("'%s' (%s) has %zu scales in input %d, of which one is supported", c->label, c->op,
                                   s->count, k);
}

/* Constant or computed input q with its scale and zero point as reals. */
static int real_of(struct onx *o, const struct onx_call *c, int q, int scale, int zero, struct onx_tensor *out)
{
    struct onx_tensor *z = zero >= 0 && zero < c->n_in ? c->in[zero] : NULL;
    int status = one_scale(o, c, scale);
    *out = xfv_onx_fresh(c->in[q]->label);
    if (status) return status;
    onx_builder *build = xfv_onx_is_constant(c->in[q]) ? xfv_onx_eval_dequantise : xfv_onx_dequantise;
    return xfv_onx_by(o, c, build, "DequantizeLinear", out, z ? 3 : 2, c->in[q], c->in[scale], z);
}

/* Output 0 is x as whole numbers of inputs scale and zero. */
static int as_whole(struct onx *o, const struct onx_call *c, struct onx_tensor *x, int scale, int zero)
{
    struct onx_tensor *z = zero < c->n_in ? c->in[zero] : NULL;
    int status = one_scale(o, c, scale);
    if (status) return status;
    return xfv_onx_by(o, c, xfv_onx_quantise, "QuantizeLinear", c->out[0], z ? 3 : 2, x, c->in[scale], z);
}

/* A constant weight less its zero point, times its scale (absent: 1), the last two by the weight's axis `axis` when
 * there are several. */
static int real_weight(struct onx *o, const struct onx_call *c, int w, int scale, int zero, int axis,
                       struct onx_tensor *out)
{
    if (w >= c->n_in || !c->in[w] || !xfv_onx_is_constant(c->in[w]))
        return ONX_BAD("'%s' (%s) has a weight that is computed", c->label, c->op);
    const struct onx_const *q = xfv_onx_constant(o, c->in[w]), *s = NULL, *z = NULL;
    if (scale >= 0 && scale < c->n_in && c->in[scale] && !(s = xfv_onx_constant(o, c->in[scale]))) return o->e->status;
    if (zero >= 0 && zero < c->n_in && c->in[zero] && !(z = xfv_onx_constant(o, c->in[zero]))) return o->e->status;
    if (!q || !q->i || axis >= q->s.rank)
        return q ? ONX_BAD("'%s' (%s) has a weight that is not of whole numbers", c->label, c->op) : o->e->status;
    size_t n = (size_t)q->s.dim[axis], inner = 1;
    for (int a = axis + 1; a < q->s.rank; a++) inner *= (size_t)q->s.dim[a];
    if ((s && (!s->f || (s->count != 1 && s->count != n))) || (z && (!z->i || (z->count != 1 && z->count != n))))
        return ONX_BAD("'%s' (%s) has scales or zero points that do not fit its weight", c->label, c->op);
    struct onx_const *k = xfv_onx_const_new(o, q->s, 0);
    if (!k) return o->e->status;
    for (size_t i = 0; i < k->count; i++) {
        size_t j = i / inner % n;
        k->f[i] = (float)((xfv_onx_const_at(q, i) - (z ? xfv_onx_const_at(z, z->count == 1 ? 0 : j) : 0)) *
                          (s ? (double)s->f[s->count == 1 ? 0 : j] : 1));
    }
    *out = xfv_onx_fresh(c->in[w]->label);
    out->c = k;
    out->s = k->s;
    out->made = 1;
    return 0;
}

/* The bias of a quantised layer: whole numbers in units of the input's scale times the weight's. */
static int real_bias(struct onx *o, const struct onx_call *c, int b, int xs, int ws, struct onx_tensor *out)
{
    const struct onx_const *q = xfv_onx_constant(o, c->in[b]), *x = q ? xfv_onx_constant(o, c->in[xs]) : NULL,
                           *w = x ? xfv_onx_constant(o, c->in[ws]) : NULL;
    if (!w) return o->e->status;
    if (!q->i || !x->f || !w->f || x->count != 1 || (w->count != 1 && w->count != q->count))
        return ONX_BAD("'%s' (%s) has a bias that does not fit", c->label, c->op);
    struct onx_const *k = xfv_onx_const_new(o, q->s, 0);
    if (!k) return o->e->status;
    for (size_t i = 0; i < k->count; i++)
        k->f[i] = (float)(xfv_onx_const_at(q, i) * (double)x->f[0] * (double)w->f[w->count == 1 ? 0 : i]);
    *out = xfv_onx_fresh(c->in[b]->label);
    out->c = k;
    out->s = k->s;
    out->made = 1;
    return 0;
}

/* QLinearConv(x, xs, xz, w, ws, wz, ys, yz, bias) */
int xfv_onx_qlinear_conv(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor x, w = {.value = -1}, b = {.value = -1}, y = xfv_onx_fresh(c->label);
    int biased = c->n_in > 8 && c->in[8], status = real_of(o, c, 0, 1, 2, &x);
    if (!status) status = real_weight(o, c, 3, 4, 5, 0, &w);
    if (!status && biased) status = real_bias(o, c, 8, 1, 4, &b);
    if (!status) status = xfv_onx_by(o, c, xfv_onx_conv, "Conv", &y, biased ? 3 : 2, &x, &w, biased ? &b : NULL);
    if (!status) status = as_whole(o, c, &y, 6, 7);
    xfv_onx_const_free(w.c);
    xfv_onx_const_free(b.c);
    return status;
}

/* QLinearMatMul(a, as, az, b, bs, bz, ys, yz) */
int xfv_onx_qlinear_matmul(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor a, b = {.value = -1}, y = xfv_onx_fresh(c->label);
    int status = real_of(o, c, 0, 1, 2, &a), constant = c->n_in > 3 && c->in[3] && xfv_onx_is_constant(c->in[3]);
    if (!status) status = constant ? real_weight(o, c, 3, 4, 5, c->in[3]->s.rank - 1, &b) : real_of(o, c, 3, 4, 5, &b);
    if (!status) status = xfv_onx_by(o, c, xfv_onx_matmul, "MatMul", &y, 2, &a, &b, NULL);
    if (!status) status = as_whole(o, c, &y, 6, 7);
    if (constant) xfv_onx_const_free(b.c);
    if (xfv_onx_is_constant(&a)) xfv_onx_const_free(a.c);
    return status;
}

/* QLinearAdd and QLinearMul (a, as, az, b, bs, bz, ys, yz); functions of one (x, xs, xz, ys, yz). */
int xfv_onx_qlinear_math(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor a, b = {.value = -1}, y = xfv_onx_fresh(c->label);
    int two = is(c, "QLinearAdd") || is(c, "QLinearMul"), status = real_of(o, c, 0, 1, 2, &a);
    if (two && c->n_in < 7) return ONX_BAD("'%s' (%s) has %d inputs", c->label, c->op, c->n_in);
    if (!status && two) status = real_of(o, c, 3, 4, 5, &b);
    if (!status && two)
        status = xfv_onx_by(o, c, xfv_onx_binary, is(c, "QLinearAdd") ? "Add" : "Mul", &y, 2, &a, &b, NULL);
    if (!status && is(c, "QLinearGlobalAveragePool"))
        status = xfv_onx_int(c, "channels_last", 0)
                     ? ONX_BAD("'%s' (%s) has channels last, which is not supported", c->label, c->op)
                     : xfv_onx_by(o, c, xfv_onx_global_pool, "GlobalAveragePool", &y, 1, &a, NULL, NULL);
    else if (!status && !two)
        status = xfv_onx_by(o, c, xfv_onx_unary_math, is(c, "QLinearLeakyRelu") ? "LeakyRelu" : "Sigmoid", &y, 1, &a,
                            NULL, NULL);
    if (!status) status = as_whole(o, c, &y, two ? 6 : 3, two ? 7 : 4);
    if (xfv_onx_is_constant(&a)) xfv_onx_const_free(a.c);
    if (xfv_onx_is_constant(&b)) xfv_onx_const_free(b.c);
    return status;
}

/* x less its zero point (input k, a constant). */
static int less_zero(struct onx *o, const struct onx_call *c, int k, struct onx_tensor *x)
{
    float z = 0;
    int status = xfv_onx_walker(o, c->in[0], x, c->label);
    if (status || (status = xfv_onx_scalar(o, c, k, NULL, 0, &z))) return status;
    return z < 0 || z > 0 ? xfv_onx_times(o, c, x, 1, -(double)z, "/centred") : 0;
}

/* ConvInteger(x, w, xz, wz), MatMulInteger(a, b, az, bz) */
int xfv_onx_integer(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor x, w = {.value = -1};
    int conv = is(c, "ConvInteger"), status = less_zero(o, c, 2, &x);
    if (!status) status = real_weight(o, c, 1, -1, 3, conv ? 0 : c->in[1] ? c->in[1]->s.rank - 1 : 0, &w);
    if (!status)
        status = xfv_onx_by(o, c, conv ? xfv_onx_conv : xfv_onx_matmul, conv ? "Conv" : "MatMul", c->out[0], 2, &x, &w,
                            NULL);
    xfv_onx_const_free(w.c);
    return status;
}

/* DynamicQuantizeLinear: the scale follows the image, so that nothing is cut off; without rounding, the numbers, their
 * scale and their zero point may as well be the reals, 1 and 0. */
/* Is the tensor read by these operators alone, and no output of the network? */
static int read_by(const struct onx *o, const struct onx_tensor *t, const char *const *ops)
{
    for (size_t i = 0; t && i < o->file->n_output; i++)
        if (o->file->output[i]->name && strcmp(t->name, o->file->output[i]->name) == 0) return 0;
    for (int i = 0; t && i < o->n_flat; i++)
        for (size_t k = 0; k < o->flat[i].n->n_input; k++) {
            int known = 0;
            if (strcmp(o->flat[i].n->input[k], t->name) != 0) continue;
            for (int j = 0; ops[j]; j++) known |= o->flat[i].n->op_type && strcmp(o->flat[i].n->op_type, ops[j]) == 0;
            if (!known) return 0;
        }
    return 1;
}

int xfv_onx_dynamic_quantise(struct onx *o, const struct onx_call *c)
{
    static const char *const numbers[] = {"ConvInteger", "MatMulInteger", "DequantizeLinear", NULL},
                             *const scales[] = {"Mul", "DequantizeLinear", NULL};
    if (c->n_out != 3 || !read_by(o, c->out[0], numbers) || !read_by(o, c->out[1], scales) ||
        !read_by(o, c->out[2], numbers))
        return ONX_BAD("'%s' (%s) makes numbers that others than integer layers read, which is not supported", c->label,
                       c->op);
    struct onx_const *one = xfv_onx_const_new(o, (struct onx_dims){0}, 0),
                     *zero = xfv_onx_const_new(o, (struct onx_dims){0}, 1);
    struct onx_tensor t;
    int status = one && zero && c->out[1] && c->out[2] ? xfv_onx_walker(o, c->in[0], &t, c->label)
                                                       : ONX_BAD("'%s' (%s) has no scale to give", c->label, c->op);
    if (!status) status = xfv_onx_finish(o, c, &t);
    if (status) {
        xfv_onx_const_free(one);
        xfv_onx_const_free(zero);
        return status;
    }
    one->f[0] = 1;
    zero->type = ONX_U8;
    xfv_onx_give(o, c, 1, one);
    xfv_onx_give(o, c, 2, zero);
    return 0;
}

/* ---- com.microsoft ---- */

/* BiasGelu, FastGelu (the tanh form, its bias optional) */
int xfv_onx_bias_gelu(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t;
    int status = c->n_in > 1 && c->in[1] ? xfv_onx_combine(o, c, XFV_OP_ADD, c->in[0], c->in[1]) : 0;
    if (status || (status = xfv_onx_walker(o, c->n_in > 1 && c->in[1] ? c->out[0] : c->in[0], &t, c->label)))
        return status;
    status = xfv_onx_step(o, c, &t, xfv_node_act(XFV_ACT_GELU, 0, (float)is(c, "FastGelu"), 0), "");
    return status ? status : xfv_onx_finish(o, c, &t);
}

/* FusedConv, FusedGemm: the activation that their attribute names; FusedConv also adds a fourth input. */
int xfv_onx_fused(struct onx *o, const struct onx_call *c)
{
    static const struct {
        const char *name;
        enum xfv_act act;
    } acts[] = {{"Sigmoid", XFV_ACT_SIGMOID},
                {"Tanh", XFV_ACT_TANH},
                {"LeakyRelu", XFV_ACT_LEAKY},
                {"Clip", XFV_ACT_CLIP},
                {"HardSigmoid", XFV_ACT_HARDSIGMOID}};
    struct onx_tensor t;
    int conv = is(c, "FusedConv"), status;
    const Onnx__AttributeProto *p = xfv_onx_attribute(c, "activation_params");
    struct onx_call inner = *c;
    inner.op = conv ? "Conv" : "Gemm";
    inner.n_in = c->n_in > 3 ? 3 : c->n_in;
    if ((status = conv ? xfv_onx_conv(o, &inner) : xfv_onx_gemm(o, &inner))) return status;
    if (conv && c->n_in > 3 && c->in[3]) {
        struct onx_tensor sum = *c->out[0];
        if ((status = xfv_onx_combine(o, c, XFV_OP_ADD, &sum, c->in[3]))) return status;
    }
    t = *c->out[0];
    if (xfv_onx_text_is(c, "activation", "")) return 0;
    struct xfv_node n = xfv_node_default(XFV_OP_RELU);
    int known = xfv_onx_text_is(c, "activation", "Relu");
    for (size_t i = 0; i < sizeof acts / sizeof *acts && !known; i++) {
        if (!xfv_onx_text_is(c, "activation", acts[i].name)) continue;
        float alpha = conv ? (p && p->n_floats > 0           ? p->floats[0]
                              : acts[i].act == XFV_ACT_LEAKY ? .01f
                                                             : .2f)
                           : xfv_onx_float(c, "activation_alpha", .01f);
        float beta = conv ? (p && p->n_floats > 1 ? p->floats[1] : .5f) : xfv_onx_float(c, "activation_beta", .5f);
        if (acts[i].act == XFV_ACT_CLIP && (!conv || !p || p->n_floats != 2)) break;
        n = xfv_node_act(acts[i].act, 0, alpha, beta);
        known = 1;
    }
    if (!known) return ONX_BAD("'%s' (%s) has an activation that is not supported", c->label, c->op);
    status = xfv_onx_step(o, c, &t, n, "");
    return status ? status : xfv_onx_finish(o, c, &t);
}

/* SkipLayerNormalization(x, skip, gamma, beta, bias): layer normalisation of the sum. */
int xfv_onx_skip_layernorm(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor sum = xfv_onx_fresh(c->label), all = xfv_onx_fresh(c->label);
    int simple = is(c, "SkipSimplifiedLayerNormalization"), bias = simple ? 3 : 4, status;
    if ((c->n_out > 1 && c->out[1]) || (c->n_out > 2 && c->out[2]))
        return ONX_BAD("'%s' (%s) also gives its statistics, which is not supported", c->label, c->op);
    if (c->n_in < 3 || !c->in[1] || !c->in[2]) return ONX_BAD("'%s' (%s) has %d inputs", c->label, c->op, c->n_in);
    if ((status = xfv_onx_by(o, c, xfv_onx_binary, "Add", &sum, 2, c->in[0], c->in[1], NULL))) return status;
    if (bias < c->n_in && c->in[bias]) {
        if ((status = xfv_onx_by(o, c, xfv_onx_binary, "Add", &all, 2, &sum, c->in[bias], NULL))) return status;
        sum = all;
    }
    int told = c->n_out > 3 && c->out[3]; /* the sum itself */
    if (told && (status = xfv_onx_result(o, c, 3, sum.value, sum.s, sum.axis, sum.n_axes))) return status;
    struct onx_tensor *beta = !simple && c->n_in > 3 ? c->in[3] : NULL;
    return xfv_onx_by(o, c, simple ? xfv_onx_rmsnorm : xfv_onx_layernorm,
              simple ? "SimplifiedLayerNormalization" : "LayerNormalization", c->out[0], beta ? 3 : 2, &sum, c->in[2],
              beta);
}
