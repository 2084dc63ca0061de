/* ONNX files: attributes of a node, and which function builds which operator. */
#include <string.h>

#include "net/import/onnx_internal.h"

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
        if (!x->i || x->count > (size_t)cap) return ONX_BAD("'%s' (%s): input '%s' is not a list of at most %d whole numbers", c->label, c->op, c->in[k]->label, cap);
        memcpy(v, x->i, x->count * sizeof *v);
        return (int)x->count;
    }
    const Onnx__AttributeProto *a = name ? xfv_onx_attribute(c, name) : NULL;
    if (!a) return 0;
    if (a->n_ints > (size_t)cap) return ONX_BAD("'%s' (%s): attribute '%s' has %zu numbers, more than %d", c->label, c->op, name, a->n_ints, cap);
    if (a->n_ints) memcpy(v, a->ints, a->n_ints * sizeof *v);
    return (int)a->n_ints;
}

int xfv_onx_axis(struct onx *o, const struct onx_call *c, int64_t axis, int rank)
{
    int64_t a = axis < 0 ? axis + rank : axis;
    return a >= 0 && a < rank ? (int)a : ONX_BAD("'%s' (%s) works on axis %lld of %d", c->label, c->op, (long long)axis, rank);
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

static const struct { const char *op; onx_builder *build; } builders[] = {
    {"Abs", xfv_onx_unary_math},
    {"Add", xfv_onx_binary},
    {"AveragePool", xfv_onx_pool},
    {"BatchNormalization", xfv_onx_batchnorm},
    {"Cast", xfv_onx_identity},
    {"Clip", xfv_onx_clip},
    {"Concat", xfv_onx_concat},
    {"Conv", xfv_onx_conv},
    {"DequantizeLinear", xfv_onx_quantiser},
    {"Div", xfv_onx_binary},
    {"Dropout", xfv_onx_identity},
    {"Erf", xfv_onx_unary_math},
    {"Exp", xfv_onx_unary_math},
    {"Expand", xfv_onx_expand},
    {"Flatten", xfv_onx_reshape},
    {"Gather", xfv_onx_gather},
    {"Gelu", xfv_onx_unary_math},
    {"Gemm", xfv_onx_gemm},
    {"GlobalAveragePool", xfv_onx_global_pool},
    {"GlobalMaxPool", xfv_onx_global_pool},
    {"HardSigmoid", xfv_onx_unary_math},
    {"HardSwish", xfv_onx_unary_math},
    {"Identity", xfv_onx_identity},
    {"LayerNormalization", xfv_onx_layernorm},
    {"LeakyRelu", xfv_onx_unary_math},
    {"LpNormalization", xfv_onx_lpnorm},
    {"MatMul", xfv_onx_matmul},
    {"Max", xfv_onx_clip},
    {"MaxPool", xfv_onx_pool},
    {"Min", xfv_onx_clip},
    {"Mish", xfv_onx_unary_math},
    {"Mul", xfv_onx_binary},
    {"Neg", xfv_onx_unary_math},
    {"PRelu", xfv_onx_prelu},
    {"Pad", xfv_onx_pad},
    {"Pow", xfv_onx_pow},
    {"QuantizeLinear", xfv_onx_quantiser},
    {"Reciprocal", xfv_onx_unary_math},
    {"ReduceL2", xfv_onx_reduce},
    {"ReduceMax", xfv_onx_reduce},
    {"ReduceMean", xfv_onx_reduce},
    {"ReduceSum", xfv_onx_reduce},
    {"Relu", xfv_onx_unary_math},
    {"Reshape", xfv_onx_reshape},
    {"Resize", xfv_onx_resize},
    {"Sigmoid", xfv_onx_unary_math},
    {"Slice", xfv_onx_slice},
    {"Softmax", xfv_onx_softmax},
    {"Softplus", xfv_onx_unary_math},
    {"Split", xfv_onx_split},
    {"Sqrt", xfv_onx_unary_math},
    {"Squeeze", xfv_onx_reshape},
    {"Sub", xfv_onx_binary},
    {"Sum", xfv_onx_sum},
    {"Tanh", xfv_onx_unary_math},
    {"Transpose", xfv_onx_transpose},
    {"Unsqueeze", xfv_onx_reshape},
    {"Upsample", xfv_onx_resize},
};

onx_builder *xfv_onx_find_builder(const char *op)
{
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++)
        if (strcmp(builders[i].op, op) == 0) return builders[i].build;
    return NULL;
}
