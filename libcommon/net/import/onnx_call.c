/* ONNX files: attributes of a node, and which function builds which operator. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

void xfv_onx_note(struct onx *o, const char *format, ...)
{
    size_t at = strlen(o->note);
    va_list ap;
    if (at > sizeof o->note / 2) return;
    if (at) at += (size_t)snprintf(o->note + at, sizeof o->note - at, "; ");
    va_start(ap, format);
    vsnprintf(o->note + at, sizeof o->note - at, format, ap);
    va_end(ap);
}

const Onnx__AttributeProto *xfv_onx_attribute(const struct onx_call *c, const char *name)
{
    for (size_t i = 0; i < c->n->n_attribute; i++)
        if (c->n->attribute[i]->name && strcmp(c->n->attribute[i]->name, name) == 0) return c->n->attribute[i];
    return NULL;
}

int64_t xfv_onx_int(const struct onx_call *c, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *a = xfv_onx_attribute(c, name);
    return a && a->has_i ? a->i : otherwise;
}

float xfv_onx_float(const struct onx_call *c, const char *name, float otherwise)
{
    const Onnx__AttributeProto *a = xfv_onx_attribute(c, name);
    return a && a->has_f ? a->f : otherwise;
}

int xfv_onx_text_is(const struct onx_call *c, const char *name, const char *text)
{
    const Onnx__AttributeProto *a = xfv_onx_attribute(c, name);
    size_t n = a && a->has_s ? a->s.len : 0;
    return n == strlen(text) && (n == 0 || memcmp(a->s.data, text, n) == 0);
}

int xfv_onx_ints(struct onx *o, const struct onx_call *c, int k, const char *name, int64_t *v, int cap)
{
    if (k >= 0 && k < c->n_in && c->in[k]) {
        const struct onx_const *x = xfv_onx_constant(o, c->in[k]);
        if (!x) return o->e->status;
        if (!x->i || x->count > (size_t)cap)
            return ONX_BAD("'%s' (%s): input '%s' is not a list of at most %d whole numbers", c->label, c->op,
                           c->in[k]->label, cap);
        memcpy(v, x->i, x->count * sizeof *v);
        return (int)x->count;
    }
    const Onnx__AttributeProto *a = name ? xfv_onx_attribute(c, name) : NULL;
    if (!a) return 0;
    if (a->n_ints > (size_t)cap)
        return ONX_BAD("'%s' (%s): attribute '%s' has %zu numbers, more than %d", c->label, c->op, name, a->n_ints,
                       cap);
    if (a->n_ints) memcpy(v, a->ints, a->n_ints * sizeof *v);
    return (int)a->n_ints;
}

int xfv_onx_axis(struct onx *o, const struct onx_call *c, int64_t axis, int rank)
{
    int64_t a = axis < 0 ? axis + rank : axis;
    return a >= 0 && a < rank ? (int)a
                              : ONX_BAD("'%s' (%s) works on axis %lld of %d", c->label, c->op, (long long)axis, rank);
}

int xfv_onx_scalar(struct onx *o, const struct onx_call *c, int k, const char *name, float otherwise, float *v)
{
    *v = otherwise;
    if (k >= 0 && k < c->n_in && c->in[k]) {
        const struct onx_const *x = xfv_onx_constant(o, c->in[k]);
        if (!x) return o->e->status;
        if (x->count != 1) return ONX_BAD("'%s' (%s): input '%s' is not one number", c->label, c->op, c->in[k]->label);
        *v = (float)xfv_onx_const_at(x, 0);
    } else if (name) {
        *v = xfv_onx_float(c, name, otherwise);
    }
    return 0;
}

int xfv_onx_by(struct onx *o, const struct onx_call *c, onx_builder *f, const char *op, struct onx_tensor *out, int n,
               struct onx_tensor *a, struct onx_tensor *b, struct onx_tensor *d)
{
    struct onx_call call = {.n = c->n,
                            .known = c->known,
                            .op = op,
                            .label = c->label,
                            .n_in = n,
                            .n_out = 1,
                            .in = {a, b, d},
                            .out = {out}};
    int status = f(o, &call);
    return status < 0 ? status : 0;
}

struct onx_tensor xfv_onx_fresh(const char *label)
{
    return (struct onx_tensor){.name = label, .label = (char *)(uintptr_t)label, .value = -1};
}

static const struct onx_op ops[] = { /* in the order of their names */
    {"Abs", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"Acos", xfv_onx_unary_math, NULL, 1, 0},
    {"Acosh", xfv_onx_unary_math, NULL, 1, 0},
    {"Add", xfv_onx_binary, xfv_onx_eval_binary, 2, 0},
    {"AffineGrid", xfv_onx_affine_grid, NULL, 2, 0},
    {"And", xfv_onx_logic, xfv_onx_eval_binary, 2, ONX_OWN},
    {"ArgMax", xfv_onx_arg, NULL, 1, ONX_OWN},
    {"ArgMin", xfv_onx_arg, NULL, 1, ONX_OWN},
    {"Asin", xfv_onx_unary_math, NULL, 1, 0},
    {"Asinh", xfv_onx_unary_math, NULL, 1, 0},
    {"Atan", xfv_onx_unary_math, NULL, 1, 0},
    {"Atanh", xfv_onx_unary_math, NULL, 1, 0},
    {"Attention", xfv_onx_attention, NULL, 2, ONX_MICROSOFT},
    {"AveragePool", xfv_onx_pool, NULL, 1, 0},
    {"BatchNormalization", xfv_onx_batchnorm, NULL, 1, 0},
    {"BiasGelu", xfv_onx_bias_gelu, NULL, 1, ONX_ALIEN},
    {"Cast", xfv_onx_identity, xfv_onx_eval_cast, 1, ONX_MOVES},
    {"CastLike", xfv_onx_identity, xfv_onx_eval_cast, 2, ONX_MOVES},
    {"Ceil", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"Celu", xfv_onx_unary_math, NULL, 1, 0},
    {"CenterCropPad", xfv_onx_center, NULL, 2, ONX_MOVES},
    {"Clip", xfv_onx_clip, NULL, 1, ONX_MOVES},
    {"Col2Im", xfv_onx_col2im, NULL, 3, 0},
    {"Compress", xfv_onx_compress, NULL, 2, ONX_MOVES},
    {"Concat", xfv_onx_concat, xfv_onx_eval_concat, 1, ONX_MOVES},
    {"Constant", NULL, xfv_onx_eval_constant, 0, 0},
    {"ConstantOfShape", NULL, xfv_onx_eval_fill, 1, 0},
    {"Conv", xfv_onx_conv, NULL, 1, 0},
    {"ConvInteger", xfv_onx_integer, NULL, 2, ONX_MOVES},
    {"ConvTranspose", xfv_onx_conv_transpose, NULL, 2, 0},
    {"Cos", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"Cosh", xfv_onx_unary_math, NULL, 1, 0},
    {"CumProd", xfv_onx_cumprod, NULL, 2, 0},
    {"CumSum", xfv_onx_cumsum, NULL, 2, 0},
    {"DepthToSpace", xfv_onx_blocks, NULL, 1, ONX_MOVES},
    {"DequantizeLinear", xfv_onx_dequantise, xfv_onx_eval_dequantise, 2, ONX_MOVES | ONX_MICROSOFT},
    {"Div", xfv_onx_binary, xfv_onx_eval_binary, 2, 0},
    {"Dropout", xfv_onx_identity, NULL, 1, ONX_MOVES},
    {"DynamicQuantizeLinear", xfv_onx_dynamic_quantise, NULL, 1, 0},
    {"Einsum", xfv_onx_einsum, NULL, 1, 0},
    {"Elu", xfv_onx_unary_math, NULL, 1, 0},
    {"Equal", xfv_onx_compare, xfv_onx_eval_binary, 2, ONX_OWN},
    {"Erf", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"Exp", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"Expand", xfv_onx_expand, xfv_onx_eval_expand, 2, ONX_MOVES},
    {"FastGelu", xfv_onx_bias_gelu, NULL, 1, ONX_ALIEN},
    {"Flatten", xfv_onx_reshape, xfv_onx_eval_reshape, 1, ONX_MOVES},
    {"Floor", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"FusedConv", xfv_onx_fused, NULL, 2, ONX_ALIEN},
    {"FusedGemm", xfv_onx_fused, NULL, 2, ONX_ALIEN},
    {"Gather", xfv_onx_gather, xfv_onx_eval_gather, 2, ONX_MOVES},
    {"GatherElements", xfv_onx_gather_elements, NULL, 2, ONX_MOVES},
    {"GatherND", xfv_onx_gather_nd, NULL, 2, ONX_MOVES},
    {"Gelu", xfv_onx_unary_math, NULL, 1, ONX_MICROSOFT},
    {"Gemm", xfv_onx_gemm, NULL, 1, 0},
    {"GlobalAveragePool", xfv_onx_global_pool, NULL, 1, 0},
    {"GlobalLpPool", xfv_onx_global_pool, NULL, 1, 0},
    {"GlobalMaxPool", xfv_onx_global_pool, NULL, 1, ONX_MOVES},
    {"Greater", xfv_onx_compare, xfv_onx_eval_binary, 2, ONX_OWN},
    {"GreaterOrEqual", xfv_onx_compare, xfv_onx_eval_binary, 2, ONX_OWN},
    {"GridSample", xfv_onx_grid_sample, NULL, 2, 0},
    {"GroupNormalization", xfv_onx_groupnorm, NULL, 3, 0},
    {"HardSigmoid", xfv_onx_unary_math, NULL, 1, 0},
    {"HardSwish", xfv_onx_unary_math, NULL, 1, 0},
    {"Hardmax", xfv_onx_hardmax, NULL, 1, 0},
    {"Identity", xfv_onx_identity, xfv_onx_eval_identity, 1, ONX_MOVES},
    {"If", xfv_onx_if, NULL, 1, ONX_PICKS},
    {"InstanceNormalization", xfv_onx_groupnorm, NULL, 3, 0},
    {"IsInf", xfv_onx_is_odd, NULL, 1, ONX_OWN},
    {"IsNaN", xfv_onx_is_odd, NULL, 1, ONX_OWN},
    {"LRN", xfv_onx_lrn, NULL, 1, 0},
    {"LayerNormalization", xfv_onx_layernorm, NULL, 1, 0},
    {"LeakyRelu", xfv_onx_unary_math, NULL, 1, 0},
    {"Less", xfv_onx_compare, xfv_onx_eval_binary, 2, ONX_OWN},
    {"LessOrEqual", xfv_onx_compare, xfv_onx_eval_binary, 2, ONX_OWN},
    {"Log", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"LogSoftmax", xfv_onx_logsoftmax, NULL, 1, 0},
    {"LpNormalization", xfv_onx_lpnorm, NULL, 1, 0},
    {"LpPool", xfv_onx_pool, NULL, 1, 0},
    {"MatMul", xfv_onx_matmul, NULL, 1, 0},
    {"MatMulInteger", xfv_onx_integer, NULL, 2, ONX_MOVES},
    {"Max", xfv_onx_clip, xfv_onx_eval_binary, 1, ONX_MOVES},
    {"MaxPool", xfv_onx_pool, NULL, 1, ONX_MOVES},
    {"Mean", xfv_onx_mean, NULL, 1, 0},
    {"MeanVarianceNormalization", xfv_onx_meanvariance, NULL, 1, 0},
    {"Min", xfv_onx_clip, xfv_onx_eval_binary, 1, ONX_MOVES},
    {"Mish", xfv_onx_unary_math, NULL, 1, 0},
    {"Mod", xfv_onx_binary, xfv_onx_eval_binary, 2, 0},
    {"Mul", xfv_onx_binary, xfv_onx_eval_binary, 2, 0},
    {"MultiHeadAttention", xfv_onx_multi_head, NULL, 3, ONX_ALIEN},
    {"Neg", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"Not", xfv_onx_logic, xfv_onx_eval_unary, 1, ONX_OWN},
    {"Or", xfv_onx_logic, xfv_onx_eval_binary, 2, ONX_OWN},
    {"PRelu", xfv_onx_prelu, NULL, 1, 0},
    {"Pad", xfv_onx_pad, NULL, 1, ONX_MOVES},
    {"Pow", xfv_onx_pow, xfv_onx_eval_binary, 2, 0},
    {"QLinearAdd", xfv_onx_qlinear_math, NULL, 7, ONX_MOVES | ONX_ALIEN},
    {"QLinearConv", xfv_onx_qlinear_conv, NULL, 7, ONX_MOVES | ONX_MICROSOFT},
    {"QLinearGlobalAveragePool", xfv_onx_qlinear_math, NULL, 4, ONX_MOVES | ONX_ALIEN},
    {"QLinearLeakyRelu", xfv_onx_qlinear_math, NULL, 4, ONX_MOVES | ONX_ALIEN},
    {"QLinearMatMul", xfv_onx_qlinear_matmul, NULL, 7, ONX_MOVES},
    {"QLinearMul", xfv_onx_qlinear_math, NULL, 7, ONX_MOVES | ONX_ALIEN},
    {"QLinearSigmoid", xfv_onx_qlinear_math, NULL, 4, ONX_MOVES | ONX_ALIEN},
    {"QuantizeLinear", xfv_onx_quantise, xfv_onx_eval_quantise, 2, ONX_MICROSOFT},
    {"QuickGelu", xfv_onx_unary_math, NULL, 1, ONX_ALIEN},
    {"RMSNormalization", xfv_onx_rmsnorm, NULL, 1, 0},
    {"Range", NULL, xfv_onx_eval_range, 3, 0},
    {"Reciprocal", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"ReduceL1", xfv_onx_reduce, NULL, 1, 0},
    {"ReduceL2", xfv_onx_reduce, NULL, 1, 0},
    {"ReduceLogSum", xfv_onx_reduce, NULL, 1, 0},
    {"ReduceLogSumExp", xfv_onx_reduce, NULL, 1, 0},
    {"ReduceMax", xfv_onx_reduce, xfv_onx_eval_reduce, 1, ONX_MOVES},
    {"ReduceMean", xfv_onx_reduce, xfv_onx_eval_reduce, 1, 0},
    {"ReduceMin", xfv_onx_reduce, xfv_onx_eval_reduce, 1, 0},
    {"ReduceProd", xfv_onx_reduce, xfv_onx_eval_reduce, 1, 0},
    {"ReduceSum", xfv_onx_reduce, xfv_onx_eval_reduce, 1, 0},
    {"ReduceSumSquare", xfv_onx_reduce, NULL, 1, 0},
    {"Relu", xfv_onx_unary_math, xfv_onx_eval_unary, 1, ONX_MOVES},
    {"Reshape", xfv_onx_reshape, xfv_onx_eval_reshape, 1, ONX_MOVES},
    {"Resize", xfv_onx_resize, NULL, 1, 0},
    {"ReverseSequence", xfv_onx_reverse, NULL, 2, ONX_MOVES},
    {"RotaryEmbedding", xfv_onx_rotary, NULL, 3, 0},
    {"Round", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"Scatter", xfv_onx_scatter, NULL, 3, 0},
    {"ScatterElements", xfv_onx_scatter, NULL, 3, 0},
    {"ScatterND", xfv_onx_scatter, NULL, 3, 0},
    {"Selu", xfv_onx_unary_math, NULL, 1, 0},
    {"Shape", NULL, xfv_onx_eval_shape, 1, ONX_OF_SHAPE},
    {"Shrink", xfv_onx_threshold, NULL, 1, 0},
    {"Sigmoid", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"Sign", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"SimplifiedLayerNormalization", xfv_onx_rmsnorm, NULL, 1, 0},
    {"Sin", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"Sinh", xfv_onx_unary_math, NULL, 1, 0},
    {"Size", NULL, xfv_onx_eval_shape, 1, ONX_OF_SHAPE},
    {"SkipLayerNormalization", xfv_onx_skip_layernorm, NULL, 3, ONX_ALIEN},
    {"SkipSimplifiedLayerNormalization", xfv_onx_skip_layernorm, NULL, 3, ONX_ALIEN},
    {"Slice", xfv_onx_slice, xfv_onx_eval_slice, 1, ONX_MOVES},
    {"Softmax", xfv_onx_softmax, NULL, 1, 0},
    {"Softplus", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"Softsign", xfv_onx_unary_math, NULL, 1, 0},
    {"SpaceToDepth", xfv_onx_blocks, NULL, 1, ONX_MOVES},
    {"Split", xfv_onx_split, NULL, 1, ONX_MOVES},
    {"Sqrt", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"Squeeze", xfv_onx_reshape, xfv_onx_eval_reshape, 1, ONX_MOVES},
    {"Sub", xfv_onx_binary, xfv_onx_eval_binary, 2, 0},
    {"Sum", xfv_onx_sum, NULL, 1, 0},
    {"Swish", xfv_onx_unary_math, NULL, 1, 0},
    {"Tan", xfv_onx_unary_math, NULL, 1, 0},
    {"Tanh", xfv_onx_unary_math, xfv_onx_eval_unary, 1, 0},
    {"ThresholdedRelu", xfv_onx_threshold, NULL, 1, 0},
    {"Tile", xfv_onx_tile, xfv_onx_eval_tile, 2, ONX_MOVES},
    {"Transpose", xfv_onx_transpose, xfv_onx_eval_transpose, 1, ONX_MOVES},
    {"Trilu", xfv_onx_trilu, NULL, 1, ONX_MOVES},
    {"Unsqueeze", xfv_onx_reshape, xfv_onx_eval_reshape, 1, ONX_MOVES},
    {"Upsample", xfv_onx_resize, NULL, 1, 0},
    {"Where", xfv_onx_where, xfv_onx_eval_where, 3, ONX_OWN},
    {"Xor", xfv_onx_logic, xfv_onx_eval_binary, 2, ONX_OWN},
};

static int by_name(const void *name, const void *op) { return strcmp(name, ((const struct onx_op *)op)->name); }

const struct onx_op *xfv_onx_find_op(const char *name, const char *domain)
{
    int own = !domain || !*domain || strcmp(domain, "ai.onnx") == 0,
        microsoft = !own && strcmp(domain, "com.microsoft") == 0;
    const struct onx_op *op = name && (own || microsoft)
                                  ? bsearch(name, ops, sizeof ops / sizeof *ops, sizeof *ops, by_name)
                                  : NULL;
    if (!op || (own ? op->flags & ONX_ALIEN : !(op->flags & (ONX_MICROSOFT | ONX_ALIEN)))) return NULL;
    return op;
}
