/* ONNX files: attributes of a node, and which function builds which operator. */
#include <string.h>

#include "net/onnx.h"

const Onnx__AttributeProto *onx_attribute(const struct onx_call *c, const char *name)
{
    for (size_t i = 0; i < c->n->n_attribute; i++)
        if (c->n->attribute[i]->name && strcmp(c->n->attribute[i]->name, name) == 0) return c->n->attribute[i];
    return NULL;
}

int64_t onx_int(const struct onx_call *c, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *a = onx_attribute(c, name);
    return a && a->has_i ? a->i : otherwise;
}

float onx_float(const struct onx_call *c, const char *name, float otherwise)
{
    const Onnx__AttributeProto *a = onx_attribute(c, name);
    return a && a->has_f ? a->f : otherwise;
}

int onx_text_is(const struct onx_call *c, const char *name, const char *text)
{
    const Onnx__AttributeProto *a = onx_attribute(c, name);
    size_t n = a && a->has_s ? a->s.len : 0;
    return n == strlen(text) && (n == 0 || memcmp(a->s.data, text, n) == 0);
}

int onx_ints(struct onx *o, const struct onx_call *c, int k, const char *name, int64_t *v, int cap)
{
    if (k >= 0 && k < c->n_in && c->in[k]) {
        const struct onx_const *x = onx_constant(o, c->in[k]);
        if (!x) return o->e->status;
        if (!x->i || x->count > (size_t)cap) return ONX_BAD("'%s' (%s): input '%s' is not a list of at most %d whole numbers", c->label, c->op, c->in[k]->label, cap);
        memcpy(v, x->i, x->count * sizeof *v);
        return (int)x->count;
    }
    const Onnx__AttributeProto *a = name ? onx_attribute(c, name) : NULL;
    if (!a) return 0;
    if (a->n_ints > (size_t)cap) return ONX_BAD("'%s' (%s): attribute '%s' has %zu numbers, more than %d", c->label, c->op, name, a->n_ints, cap);
    if (a->n_ints) memcpy(v, a->ints, a->n_ints * sizeof *v);
    return (int)a->n_ints;
}

int onx_axis(struct onx *o, const struct onx_call *c, int64_t axis, int rank)
{
    int64_t a = axis < 0 ? axis + rank : axis;
    return a >= 0 && a < rank ? (int)a : ONX_BAD("'%s' (%s) works on axis %lld of %d", c->label, c->op, (long long)axis, rank);
}

int onx_scalar(struct onx *o, const struct onx_call *c, int k, const char *name, float otherwise, float *v)
{
    *v = otherwise;
    if (k >= 0 && k < c->n_in && c->in[k]) {
        const struct onx_const *x = onx_constant(o, c->in[k]);
        if (!x) return o->e->status;
        if (x->count != 1) return ONX_BAD("'%s' (%s): input '%s' is not one number", c->label, c->op, c->in[k]->label);
        *v = (float)onx_const_at(x, 0);
    } else if (name) {
        *v = onx_float(c, name, otherwise);
    }
    return 0;
}

static const struct { const char *op; onx_builder *build; } builders[] = {
    {"Abs", onx_unary_math},
    {"Add", onx_binary},
    {"AveragePool", onx_pool},
    {"BatchNormalization", onx_batchnorm},
    {"Cast", onx_identity},
    {"Clip", onx_clip},
    {"Concat", onx_concat},
    {"Conv", onx_conv},
    {"DequantizeLinear", onx_quantiser},
    {"Div", onx_binary},
    {"Dropout", onx_identity},
    {"Erf", onx_unary_math},
    {"Exp", onx_unary_math},
    {"Expand", onx_expand},
    {"Flatten", onx_reshape},
    {"Gather", onx_gather},
    {"Gelu", onx_unary_math},
    {"Gemm", onx_gemm},
    {"GlobalAveragePool", onx_global_pool},
    {"GlobalMaxPool", onx_global_pool},
    {"HardSigmoid", onx_unary_math},
    {"HardSwish", onx_unary_math},
    {"Identity", onx_identity},
    {"LayerNormalization", onx_layernorm},
    {"LeakyRelu", onx_unary_math},
    {"LpNormalization", onx_lpnorm},
    {"MatMul", onx_matmul},
    {"Max", onx_clip},
    {"MaxPool", onx_pool},
    {"Min", onx_clip},
    {"Mish", onx_unary_math},
    {"Mul", onx_binary},
    {"Neg", onx_unary_math},
    {"PRelu", onx_prelu},
    {"Pad", onx_pad},
    {"Pow", onx_pow},
    {"QuantizeLinear", onx_quantiser},
    {"Reciprocal", onx_unary_math},
    {"ReduceL2", onx_reduce},
    {"ReduceMax", onx_reduce},
    {"ReduceMean", onx_reduce},
    {"ReduceSum", onx_reduce},
    {"Relu", onx_unary_math},
    {"Reshape", onx_reshape},
    {"Resize", onx_resize},
    {"Sigmoid", onx_unary_math},
    {"Slice", onx_slice},
    {"Softmax", onx_softmax},
    {"Softplus", onx_unary_math},
    {"Split", onx_split},
    {"Sqrt", onx_unary_math},
    {"Squeeze", onx_reshape},
    {"Sub", onx_binary},
    {"Sum", onx_sum},
    {"Tanh", onx_unary_math},
    {"Transpose", onx_transpose},
    {"Unsqueeze", onx_reshape},
    {"Upsample", onx_resize},
};

onx_builder *onx_find_builder(const char *op)
{
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++)
        if (strcmp(builders[i].op, op) == 0) return builders[i].build;
    return NULL;
}
