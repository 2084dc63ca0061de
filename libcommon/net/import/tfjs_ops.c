/* TensorFlow.js graph models: the operators by name, and those of arithmetic. */
#include <stdlib.h>
#include <string.h>

#include "net/import/tfjs_internal.h"

static int done(const struct tfjs *t) { return t->e->status; }

static int relu6(struct tfjs *t, const struct tfjs_op *n)
{
    xfv_tfjs_clip(t, n->in[0], 0, 6, n->name);
    return done(t);
}

static int clip_by_value(struct tfjs *t, const struct tfjs_op *n)
{
    TFJS_NODE("Clip", n->name, n->in[0], n->in[1], n->in[2]);
    return done(t);
}

static int leaky_relu(struct tfjs *t, const struct tfjs_op *n)
{
    TFJS_NODE("LeakyRelu", n->name, n->in[0]);
    xfv_tfjs_float(t, "alpha", xfv_tfjs_attr_real(n, "alpha", 0.2));
    return done(t);
}

static int prelu(struct tfjs *t, const struct tfjs_op *n)
{
    xfv_tfjs_prelu(t, n->in[0], n->in[1], n->name);
    return done(t);
}

static int power_of(struct tfjs *t, const struct tfjs_op *n)
{
    const char *p = xfv_tfjs_scalar(t, strcmp(n->op, "Rsqrt") == 0 ? -0.5 : 2);
    TFJS_NODE("Pow", n->name, n->in[0], p);
    return done(t);
}

static int squared_difference(struct tfjs *t, const struct tfjs_op *n)
{
    const char *d = TFJS_NODE("Sub", xfv_tfjs_format(t, "%s@difference", n->name), n->in[0], n->in[1]),
               *p = xfv_tfjs_scalar(t, 2);
    TFJS_NODE("Pow", n->name, d, p);
    return done(t);
}

/* Rounded down: (a - (a mod b)) / b. */
static int floor_div(struct tfjs *t, const struct tfjs_op *n)
{
    const char *rest = TFJS_NODE("Mod", xfv_tfjs_format(t, "%s@rest", n->name), n->in[0], n->in[1]),
               *even = TFJS_NODE("Sub", xfv_tfjs_format(t, "%s@even", n->name), n->in[0], rest);
    TFJS_NODE("Div", n->name, even, n->in[1]);
    return done(t);
}

static int softmax(struct tfjs *t, const struct tfjs_op *n)
{
    TFJS_NODE(n->op, n->name, n->in[0]);
    xfv_tfjs_int(t, "axis", -1);
    return done(t);
}

/* Over the axes that input 1 lists; over none of them when it is empty. */
static int reduce(struct tfjs *t, const struct tfjs_op *n)
{
    int64_t axes[TFJS_MAX_LIST];
    int count = xfv_tfjs_input_ints(t, n, 1, axes, TFJS_MAX_LIST);
    if (count < 0) return count;
    if (!count) {
        TFJS_NODE("Identity", n->name, n->in[0]);
        return done(t);
    }
    const char *list = xfv_tfjs_const_ints(t, axes, count);
    TFJS_NODE(xfv_tfjs_format(t, "Reduce%s", n->op), n->name, n->in[0], list);
    xfv_tfjs_int(t, "keepdims", xfv_tfjs_attr_flag(n, "keep_dims"));
    return done(t);
}

static int cast(struct tfjs *t, const struct tfjs_op *n)
{
    int to = xfv_tfjs_type(json_string_value(xfv_tfjs_attr(n, "DstT", "type")));
    if (!to) return TFJS_BAD("'%.100s' (Cast) makes numbers of an unknown type", n->name);
    TFJS_NODE("Cast", n->name, n->in[0]);
    xfv_tfjs_int(t, "to", to);
    return done(t);
}

static int einsum(struct tfjs *t, const struct tfjs_op *n)
{
    xfv_tfjs_node(t, "Einsum", n->name, n->in, n->n_in);
    xfv_tfjs_string(t, "equation", xfv_tfjs_attr_text(t, n, "equation"));
    return done(t);
}

static const struct tfjs_known ops[] = { /* in the order of their names */
    {"Abs", NULL, "Abs", 1},
    {"Add", NULL, "Add", 2},
    {"AddN", NULL, "Sum", 0},
    {"AddV2", NULL, "Add", 2},
    {"AvgPool", xfv_tfjs_pool2d, NULL, 1},
    {"BatchMatMul", xfv_tfjs_batch_matmul, NULL, 2},
    {"BatchMatMulV2", xfv_tfjs_batch_matmul, NULL, 2},
    {"BiasAdd", xfv_tfjs_bias_add, NULL, 2},
    {"BroadcastTo", NULL, "Expand", 2},
    {"Cast", cast, NULL, 1},
    {"Ceil", NULL, "Ceil", 1},
    {"CheckNumerics", NULL, "Identity", 1},
    {"ClipByValue", clip_by_value, NULL, 3},
    {"Concat", xfv_tfjs_concat, NULL, 2},
    {"ConcatV2", xfv_tfjs_concat, NULL, 2},
    {"Conv2D", xfv_tfjs_conv2d, NULL, 2},
    {"Cos", NULL, "Cos", 1},
    {"DepthToSpace", xfv_tfjs_blocks, NULL, 1},
    {"DepthwiseConv2d", xfv_tfjs_conv2d, NULL, 2},
    {"DepthwiseConv2dNative", xfv_tfjs_conv2d, NULL, 2},
    {"Div", NULL, "Div", 2},
    {"Einsum", einsum, NULL, 1},
    {"Elu", NULL, "Elu", 1},
    {"Equal", NULL, "Equal", 2},
    {"Erf", NULL, "Erf", 1},
    {"Exp", NULL, "Exp", 1},
    {"ExpandDims", NULL, "Unsqueeze", 2},
    {"Fill", xfv_tfjs_fill, NULL, 2},
    {"Floor", NULL, "Floor", 1},
    {"FloorDiv", floor_div, NULL, 2},
    {"FloorMod", NULL, "Mod", 2},
    {"FusedBatchNorm", xfv_tfjs_batchnorm, NULL, 5},
    {"FusedBatchNormV2", xfv_tfjs_batchnorm, NULL, 5},
    {"FusedBatchNormV3", xfv_tfjs_batchnorm, NULL, 5},
    {"FusedDepthwiseConv2dNative", xfv_tfjs_conv2d, NULL, 2},
    {"Gather", xfv_tfjs_gather, NULL, 2},
    {"GatherV2", xfv_tfjs_gather, NULL, 3},
    {"Greater", NULL, "Greater", 2},
    {"GreaterEqual", NULL, "GreaterOrEqual", 2},
    {"Identity", NULL, "Identity", 1},
    {"Inv", NULL, "Reciprocal", 1},
    {"LRN", xfv_tfjs_lrn, NULL, 1},
    {"LeakyRelu", leaky_relu, NULL, 1},
    {"Less", NULL, "Less", 2},
    {"LessEqual", NULL, "LessOrEqual", 2},
    {"Log", NULL, "Log", 1},
    {"LogSoftmax", softmax, NULL, 1},
    {"LogicalAnd", NULL, "And", 2},
    {"LogicalNot", NULL, "Not", 1},
    {"LogicalOr", NULL, "Or", 2},
    {"MatMul", xfv_tfjs_matmul, NULL, 2},
    {"Max", reduce, NULL, 2},
    {"MaxPool", xfv_tfjs_pool2d, NULL, 1},
    {"Maximum", NULL, "Max", 2},
    {"Mean", reduce, NULL, 2},
    {"Min", reduce, NULL, 2},
    {"Minimum", NULL, "Min", 2},
    {"MirrorPad", xfv_tfjs_pad, NULL, 2},
    {"Mod", NULL, "Mod", 2},
    {"Mul", NULL, "Mul", 2},
    {"Neg", NULL, "Neg", 1},
    {"Pack", xfv_tfjs_pack, NULL, 1},
    {"Pad", xfv_tfjs_pad, NULL, 2},
    {"PadV2", xfv_tfjs_pad, NULL, 3},
    {"PlaceholderWithDefault", NULL, "Identity", 1},
    {"Pow", NULL, "Pow", 2},
    {"Prelu", prelu, NULL, 2},
    {"PreventGradient", NULL, "Identity", 1},
    {"Prod", reduce, NULL, 2},
    {"Range", NULL, "Range", 3},
    {"RealDiv", NULL, "Div", 2},
    {"Reciprocal", NULL, "Reciprocal", 1},
    {"Relu", NULL, "Relu", 1},
    {"Relu6", relu6, NULL, 1},
    {"Reshape", NULL, "Reshape", 2},
    {"ResizeBilinear", xfv_tfjs_resize, NULL, 2},
    {"ResizeNearestNeighbor", xfv_tfjs_resize, NULL, 2},
    {"Round", NULL, "Round", 1},
    {"Rsqrt", power_of, NULL, 1},
    {"Select", NULL, "Where", 3},
    {"SelectV2", NULL, "Where", 3},
    {"Selu", NULL, "Selu", 1},
    {"Shape", NULL, "Shape", 1},
    {"Sigmoid", NULL, "Sigmoid", 1},
    {"Sign", NULL, "Sign", 1},
    {"Sin", NULL, "Sin", 1},
    {"Size", NULL, "Size", 1},
    {"Slice", xfv_tfjs_slice, NULL, 3},
    {"Snapshot", NULL, "Identity", 1},
    {"Softmax", softmax, NULL, 1},
    {"Softplus", NULL, "Softplus", 1},
    {"Softsign", NULL, "Softsign", 1},
    {"SpaceToDepth", xfv_tfjs_blocks, NULL, 1},
    {"Split", xfv_tfjs_split, NULL, 2},
    {"SplitV", xfv_tfjs_split, NULL, 3},
    {"Sqrt", NULL, "Sqrt", 1},
    {"Square", power_of, NULL, 1},
    {"SquaredDifference", squared_difference, NULL, 2},
    {"Squeeze", xfv_tfjs_squeeze, NULL, 1},
    {"StopGradient", NULL, "Identity", 1},
    {"StridedSlice", xfv_tfjs_strided_slice, NULL, 4},
    {"Sub", NULL, "Sub", 2},
    {"Sum", reduce, NULL, 2},
    {"Tanh", NULL, "Tanh", 1},
    {"Tile", NULL, "Tile", 2},
    {"Transpose", xfv_tfjs_transpose, NULL, 2},
    {"Unpack", xfv_tfjs_unpack, NULL, 1},
    {"_FusedConv2D", xfv_tfjs_conv2d, NULL, 2},
    {"_FusedMatMul", xfv_tfjs_matmul, NULL, 2},
};

static int by_name(const void *name, const void *op) { return strcmp(name, ((const struct tfjs_known *)op)->name); }

const struct tfjs_known *xfv_tfjs_known(const char *op)
{
    return bsearch(op, ops, sizeof ops / sizeof *ops, sizeof *ops, by_name);
}
