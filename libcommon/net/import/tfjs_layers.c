/* TensorFlow.js layers models: one function per kind of layer. What a layer says of its padding, activation and the
 * like is in its config, under Keras' names. */
#include <stdlib.h>
#include <string.h>

#include "net/import/tfjs_internal.h"

#define BAD_LAYER(what) TFJS_BAD("'%s%.100s' (%.40s) " what, l->scope, l->name, l->kind)
#define BAD_LAYER_TEXT(what, text) TFJS_BAD("'%s%.100s' (%.40s) " what, l->scope, l->name, l->kind, text)

static const char *helper(struct tfjs *t, const struct tfjs_layer *l, const char *suffix)
{
    return xfv_tfjs_format(t, "%s@%s", l->out, suffix);
}

/* ---- weights ---- */

/* Is this "LAYER/.../WHAT", or ".../LAYER/WHAT"? */
static int fits(const char *name, const char *layer, const char *what)
{
    size_t n = strlen(name), k = strlen(layer), m = strlen(what);
    if (n < k + m + 1 || strcmp(name + n - m, what) != 0 || name[n - m - 1] != '/') return 0;
    if (!strncmp(name, layer, k) && name[k] == '/') return 1;
    const char *before = name + (n - m - 1 - k);
    return !strncmp(before, layer, k) && (before == name || before[-1] == '/');
}

static struct tfjs_weight *find_weight(struct tfjs *t, const struct tfjs_layer *l, const char *what)
{
    struct tfjs_weight *w = xfv_tfjs_weight(t, xfv_tfjs_format(t, "%s%s/%s", l->scope, l->name, what));
    int found = 0;
    if (!w) w = xfv_tfjs_weight(t, xfv_tfjs_format(t, "%s/%s", l->name, what));
    if (w) return w;
    for (size_t i = 0; i < t->n_weights; i++)
        if (fits(t->weight[i].name, l->name, what)) w = &t->weight[i], found++;
    if (found == 1) return w;
    if (!t->e->status)
        TFJS_BAD("'%s%.100s' (%.40s) has %s weight '%.40s' in the weightsManifest", l->scope, l->name, l->kind,
                 found ? "more than one" : "no", what);
    return NULL;
}

static const char *weight(struct tfjs *t, const struct tfjs_layer *l, const char *what)
{
    return xfv_tfjs_add_weight(t, find_weight(t, l, what));
}

/* ---- what several layers have ---- */

static int first_channels(const struct tfjs_layer *l)
{
    const char *s = xfv_tfjs_text(l->config, "data_format");
    return s && !strcmp(s, "channels_first");
}

static int pair(const struct tfjs_layer *l, const char *key, int64_t otherwise, int64_t v[2])
{
    int n = xfv_tfjs_list(json_object_get(l->config, key), v, 2);
    if (n == 1) v[1] = v[0];
    if (n < 1) v[0] = v[1] = otherwise;
    return v[0] > 0 && v[1] > 0;
}

static int window(struct tfjs *t, const struct tfjs_layer *l, const char *kernel, struct tfjs_window *w)
{
    const char *padding = xfv_tfjs_text(l->config, "padding");
    *w = (struct tfjs_window){.nchw = first_channels(l), .pad = padding && !strcmp(padding, "same") ? 'S' : 'V'};
    if (padding && w->pad == 'V' && strcmp(padding, "valid") != 0)
        return BAD_LAYER_TEXT("has the padding '%.40s', which is not supported", padding);
    if (!pair(l, kernel, 0, w->kernel) || !pair(l, "dilation_rate", 1, w->dilation)) return BAD_LAYER("has no window");
    int pools = !strcmp(kernel, "pool_size"); /* whose strides are the window's where they are not said */
    if (!pair(l, "strides", pools ? 0 : 1, w->stride)) memcpy(w->stride, w->kernel, sizeof w->stride);
    return 0;
}

/* Keras 2's hard_sigmoid is clip(0.2 x + 0.5), Keras 3's clip(x / 6 + 0.5). */
static const char *hard_sigmoid(struct tfjs *t, const struct tfjs_layer *l, const char *x)
{
    x = TFJS_NODE("HardSigmoid", l->out, x);
    xfv_tfjs_float(t, "alpha", l->keras >= 3 ? 1.0 / 6 : 0.2);
    xfv_tfjs_float(t, "beta", 0.5);
    return x;
}

/* Nothing but a name, or an object {"class_name": ...} as Keras writes an activation that has settings of its own. */
static const char *activation_of(const struct tfjs_layer *l, const char *key)
{
    const json_t *x = json_object_get(l->config, key);
    return json_is_object(x) ? xfv_tfjs_text(x, "class_name") : json_string_value(x);
}

static int activated(struct tfjs *t, const struct tfjs_layer *l, const char *x)
{
    const char *which = activation_of(l, "activation");
    if (!which) which = "linear";
    int keras3_relu6 = !strcmp(which, "ReLU");
    if (!strcmp(which, "hard_sigmoid")) hard_sigmoid(t, l, x);
    else if (keras3_relu6 || !strcmp(which, "leaky_relu") || !xfv_tfjs_activation(t, which, x, l->out))
        return t->e->status ? t->e->status
                            : BAD_LAYER_TEXT("has the activation '%.40s', which is not supported", which);
    return t->e->status;
}

/* The name of what comes before an activation: the layer's own where there is none. */
static int has_activation(const struct tfjs_layer *l)
{
    const char *which = activation_of(l, "activation");
    return which && strcmp(which, "linear") != 0;
}

/* x, a layer's linear part, with its bias and activation. */
static int finish(struct tfjs *t, const struct tfjs_layer *l, const char *x, int nchw)
{
    if (xfv_tfjs_flag(l->config, "use_bias", 1)) {
        const char *b = weight(t, l, "bias");
        x = xfv_tfjs_bias(t, x, b, nchw, has_activation(l) ? helper(t, l, "biased") : l->out);
    }
    return has_activation(l) || !xfv_tfjs_flag(l->config, "use_bias", 1) ? activated(t, l, x) : t->e->status;
}

/* ---- convolutions ---- */

static const char *convolved(struct tfjs *t, const struct tfjs_layer *l, const char *x, const char *what, int depthwise,
                             const struct tfjs_window *w, const char *out)
{
    struct tfjs_weight *k = find_weight(t, l, what);
    int64_t groups = 1;
    if (!k) return NULL;
    if (k->proto->n_dims != 4) return BAD_LAYER("has a weight that is not of four dimensions"), NULL;
    if (!depthwise) xfv_tfjs_whole(json_object_get(l->config, "groups"), &groups);
    if (groups < 1 || groups > XFV_MAX_KERNEL) return BAD_LAYER("has impossible groups"), NULL;
    return xfv_tfjs_conv(t, x, xfv_tfjs_add_weight(t, k), k->proto->dims, depthwise, groups * k->proto->dims[2], w,
                         out);
}

static int conv2d(struct tfjs *t, const struct tfjs_layer *l)
{
    struct tfjs_window w;
    int depthwise = l->kind[0] == 'D', status = window(t, l, "kernel_size", &w);
    if (status) return status;
    /* Keras 3 calls a depthwise layer's weight kernel */
    const char *what = depthwise && !xfv_tfjs_weight(t, xfv_tfjs_format(t, "%s%s/kernel", l->scope, l->name))
                           ? "depthwise_kernel"
                           : "kernel";
    return finish(t, l, convolved(t, l, l->in[0], what, depthwise, &w, helper(t, l, "linear")), w.nchw);
}

static int separable(struct tfjs *t, const struct tfjs_layer *l)
{
    struct tfjs_window w, point;
    int status = window(t, l, "kernel_size", &w);
    if (status) return status;
    const char *x = convolved(t, l, l->in[0], "depthwise_kernel", 1, &w, helper(t, l, "depthwise"));
    point = (struct tfjs_window){.stride = {1, 1}, .dilation = {1, 1}, .pad = 'V', .nchw = w.nchw};
    return finish(t, l, convolved(t, l, x, "pointwise_kernel", 0, &point, helper(t, l, "linear")), w.nchw);
}

static int dense(struct tfjs *t, const struct tfjs_layer *l)
{
    const char *w = weight(t, l, "kernel"), *x = TFJS_NODE("MatMul", helper(t, l, "linear"), l->in[0], w);
    return finish(t, l, x, 0);
}

/* ---- normalisation ---- */

/* A weight, or ones or zeros in the form of the mean where the layer was made without. */
static const char *weight_or(struct tfjs *t, const struct tfjs_layer *l, const char *key, const char *what, double all)
{
    if (xfv_tfjs_flag(l->config, key, 1)) return weight(t, l, what);
    const char *mean = weight(t, l, "moving_mean"), *none = xfv_tfjs_scalar(t, 0), *value = xfv_tfjs_scalar(t, all);
    const char *zeros = TFJS_NODE("Mul", helper(t, l, xfv_tfjs_format(t, "%s0", what)), mean, none);
    return TFJS_NODE("Add", helper(t, l, what), zeros, value);
}

/* Along the last axis of a tensor of any rank: x scale + shift. */
static int norm_last(struct tfjs *t, const struct tfjs_layer *l, const char *const p[4], double eps)
{
    const char *safe = TFJS_NODE("Add", helper(t, l, "safe"), p[3], xfv_tfjs_scalar(t, eps)),
               *root = TFJS_NODE("Sqrt", helper(t, l, "root"), safe),
               *scale = TFJS_NODE("Div", helper(t, l, "scale"), p[0], root),
               *less = TFJS_NODE("Mul", helper(t, l, "less"), p[2], scale),
               *shift = TFJS_NODE("Sub", helper(t, l, "shift"), p[1], less),
               *scaled = TFJS_NODE("Mul", helper(t, l, "scaled"), l->in[0], scale);
    TFJS_NODE("Add", l->out, scaled, shift);
    return t->e->status;
}

static int batchnorm(struct tfjs *t, const struct tfjs_layer *l)
{
    int64_t axis = -1;
    const json_t *a = json_object_get(l->config, "axis");
    if (a && xfv_tfjs_list(a, &axis, 1) != 1) return BAD_LAYER("works on several axes, which is not supported");
    double eps = xfv_tfjs_real(l->config, "epsilon", 1e-3);
    const char *p[4] = {weight_or(t, l, "scale", "gamma", 1), weight_or(t, l, "center", "beta", 0),
                        weight(t, l, "moving_mean"), weight(t, l, "moving_variance")};
    if (axis == -1) return norm_last(t, l, p, eps);
    if (axis != 1 && axis != 3) return BAD_LAYER("works on an axis that is not the channels'");
    int nchw = axis == 1;
    const char *x = l->in[0];
    if (!nchw) x = xfv_tfjs_to_nchw(t, 0, x, l->out);
    x = TFJS_NODE("BatchNormalization", nchw ? l->out : helper(t, l, "norm"), x, p[0], p[1], p[2], p[3]);
    xfv_tfjs_float(t, "epsilon", eps);
    if (!nchw) xfv_tfjs_from_nchw(t, 0, x, l->out);
    return t->e->status;
}

static int layernorm(struct tfjs *t, const struct tfjs_layer *l)
{
    int64_t axis = -1;
    const json_t *a = json_object_get(l->config, "axis");
    if (a && xfv_tfjs_list(a, &axis, 1) != 1) return BAD_LAYER("works on several axes, which is not supported");
    if (!xfv_tfjs_flag(l->config, "scale", 1) || !xfv_tfjs_flag(l->config, "center", 1))
        return BAD_LAYER("has no gamma or no beta, which is not supported");
    const char *gamma = weight(t, l, "gamma"), *beta = weight(t, l, "beta");
    TFJS_NODE("LayerNormalization", l->out, l->in[0], gamma, beta);
    xfv_tfjs_int(t, "axis", axis);
    xfv_tfjs_float(t, "epsilon", xfv_tfjs_real(l->config, "epsilon", 1e-3));
    return t->e->status;
}

static int unit_norm(struct tfjs *t, const struct tfjs_layer *l)
{
    int64_t axis = -1;
    const json_t *a = json_object_get(l->config, "axis");
    if (a && xfv_tfjs_list(a, &axis, 1) != 1) return BAD_LAYER("works on several axes, which is not supported");
    TFJS_NODE("LpNormalization", l->out, l->in[0]);
    xfv_tfjs_int(t, "axis", axis);
    return t->e->status;
}

/* ---- activations ---- */

static int activation(struct tfjs *t, const struct tfjs_layer *l) { return activated(t, l, l->in[0]); }

/* max_value, negative_slope, and a threshold that must be 0: above it the function would jump. */
static int relu(struct tfjs *t, const struct tfjs_layer *l)
{
    double slope = xfv_tfjs_real(l->config, "negative_slope", 0), top = xfv_tfjs_real(l->config, "max_value", -1),
           threshold = xfv_tfjs_real(l->config, "threshold", 0);
    int limited = json_is_number(json_object_get(l->config, "max_value"));
    const char *x = l->in[0], *out = limited ? helper(t, l, "active") : l->out;
    if (threshold < 0 || threshold > 0) return BAD_LAYER("has a threshold, at which it jumps: not supported");
    if (limited && top < 0) return BAD_LAYER("has a max_value below 0");
    if (limited && !(slope < 0) && !(slope > 0)) {
        xfv_tfjs_clip(t, x, 0, top, l->out);
        return t->e->status;
    }
    x = TFJS_NODE(slope < 0 || slope > 0 ? "LeakyRelu" : "Relu", out, x);
    if (slope < 0 || slope > 0) xfv_tfjs_float(t, "alpha", slope);
    if (limited) TFJS_NODE("Min", l->out, x, xfv_tfjs_scalar(t, top));
    return t->e->status;
}

static int leaky_relu(struct tfjs *t, const struct tfjs_layer *l)
{
    TFJS_NODE("LeakyRelu", l->out, l->in[0]);
    xfv_tfjs_float(t, "alpha", xfv_tfjs_real(l->config, "alpha", xfv_tfjs_real(l->config, "negative_slope", 0.3)));
    return t->e->status;
}

static int elu(struct tfjs *t, const struct tfjs_layer *l)
{
    TFJS_NODE("Elu", l->out, l->in[0]);
    xfv_tfjs_float(t, "alpha", xfv_tfjs_real(l->config, "alpha", 1));
    return t->e->status;
}

static int prelu(struct tfjs *t, const struct tfjs_layer *l)
{
    xfv_tfjs_prelu(t, l->in[0], weight(t, l, "alpha"), l->out);
    return t->e->status;
}

static int softmax(struct tfjs *t, const struct tfjs_layer *l)
{
    int64_t axis = -1;
    const json_t *a = json_object_get(l->config, "axis");
    if (a && xfv_tfjs_list(a, &axis, 1) != 1) return BAD_LAYER("works on several axes, which is not supported");
    TFJS_NODE("Softmax", l->out, l->in[0]);
    xfv_tfjs_int(t, "axis", axis);
    return t->e->status;
}

/* ---- pooling ---- */

static int pool(struct tfjs *t, const struct tfjs_layer *l)
{
    struct tfjs_window w;
    int status = window(t, l, "pool_size", &w);
    if (status) return status;
    xfv_tfjs_pool(t, l->kind[0] == 'M' ? "MaxPool" : "AveragePool", l->in[0], &w, l->out);
    return t->e->status;
}

static int global_pool(struct tfjs *t, const struct tfjs_layer *l)
{
    int64_t axes[2] = {1, 2};
    if (first_channels(l)) axes[0] = 2, axes[1] = 3;
    TFJS_NODE(l->kind[6] == 'M' ? "ReduceMax" : "ReduceMean", l->out, l->in[0], xfv_tfjs_const_ints(t, axes, 2));
    xfv_tfjs_int(t, "keepdims", xfv_tfjs_flag(l->config, "keepdims", 0));
    return t->e->status;
}

/* ---- shapes ---- */

static int flatten(struct tfjs *t, const struct tfjs_layer *l)
{
    const char *x = l->in[0];
    if (first_channels(l)) { /* Keras puts the channels last first */
        static const int64_t perm[4] = {0, 2, 3, 1};
        x = TFJS_NODE("Transpose", helper(t, l, "last"), x);
        xfv_tfjs_ints(t, "perm", perm, 4);
    }
    TFJS_NODE("Flatten", l->out, x);
    return t->e->status;
}

/* Of one image: the batch axis is 1. */
static int reshape(struct tfjs *t, const struct tfjs_layer *l)
{
    int64_t to[ONX_MAX_RANK] = {1};
    int n = xfv_tfjs_list(json_object_get(l->config, "target_shape"), to + 1, ONX_MAX_RANK - 1);
    if (n < 1) return BAD_LAYER("has no target_shape");
    TFJS_NODE("Reshape", l->out, l->in[0], xfv_tfjs_const_ints(t, to, n + 1));
    return t->e->status;
}

static int permute(struct tfjs *t, const struct tfjs_layer *l)
{
    int64_t perm[ONX_MAX_RANK] = {0};
    int n = xfv_tfjs_list(json_object_get(l->config, "dims"), perm + 1, ONX_MAX_RANK - 1);
    if (n < 1) return BAD_LAYER("has no dims");
    TFJS_NODE("Transpose", l->out, l->in[0]);
    xfv_tfjs_ints(t, "perm", perm, n + 1);
    return t->e->status;
}

/* [[top, bottom], [left, right]], [height, width] or one number, as numbers before and after. */
static int sides(struct tfjs *t, const struct tfjs_layer *l, const char *key, int64_t v[4])
{
    const json_t *x = json_object_get(l->config, key);
    for (size_t a = 0; a < 2; a++) {
        const json_t *own = json_is_array(x) ? json_array_get(x, a) : x;
        int n = xfv_tfjs_list(own, v + 2 * a, 2);
        if (n < 1 || v[2 * a] < 0 || (n == 2 && v[2 * a + 1] < 0)) return BAD_LAYER_TEXT("has no %s that fits", key);
        if (n == 1) v[2 * a + 1] = v[2 * a];
    }
    return 0;
}

static int padding(struct tfjs *t, const struct tfjs_layer *l)
{
    int64_t v[4];
    int nchw = first_channels(l), status = sides(t, l, "padding", v);
    if (status) return status;
    const int64_t pads[8] = {0, 0, v[0], v[2], 0, 0, v[1], v[3]};
    const char *x = xfv_tfjs_to_nchw(t, nchw, l->in[0], l->out);
    x = TFJS_NODE("Pad", helper(t, l, "pad"), x, xfv_tfjs_const_ints(t, pads, 8));
    xfv_tfjs_from_nchw(t, nchw, x, l->out);
    return t->e->status;
}

static int cropping(struct tfjs *t, const struct tfjs_layer *l)
{
    int64_t v[4], axes[2] = {1, 2};
    int status = sides(t, l, "cropping", v);
    if (status) return status;
    if (first_channels(l)) axes[0] = 2, axes[1] = 3;
    const int64_t begin[2] = {v[0], v[2]}, end[2] = {v[1] ? -v[1] : INT64_MAX, v[3] ? -v[3] : INT64_MAX};
    const char *from = xfv_tfjs_const_ints(t, begin, 2), *to = xfv_tfjs_const_ints(t, end, 2);
    TFJS_NODE("Slice", l->out, l->in[0], from, to, xfv_tfjs_const_ints(t, axes, 2));
    return t->e->status;
}

static int upsampling(struct tfjs *t, const struct tfjs_layer *l)
{
    int64_t size[2], axes[2] = {1, 2};
    const char *how = xfv_tfjs_text(l->config, "interpolation");
    if (!pair(l, "size", 2, size) || size[0] > XFV_MAX_KERNEL || size[1] > XFV_MAX_KERNEL)
        return BAD_LAYER("has no size");
    if (how && strcmp(how, "nearest") != 0)
        return BAD_LAYER_TEXT("interpolates '%.40s', for which Keras and TensorFlow.js place pixels differently: "
                              "convert the network as a graph model",
                              how);
    if (first_channels(l)) axes[0] = 2, axes[1] = 3;
    const float scale[2] = {(float)size[0], (float)size[1]};
    TFJS_NODE("Resize", l->out, l->in[0], NULL, xfv_tfjs_const_floats(t, scale, 2));
    xfv_tfjs_ints(t, "axes", axes, 2);
    xfv_tfjs_string(t, "coordinate_transformation_mode", "asymmetric");
    xfv_tfjs_string(t, "nearest_mode", "floor");
    return t->e->status;
}

/* ---- several inputs ---- */

/* Two by two; the last has the layer's name. */
static int merge(struct tfjs *t, const struct tfjs_layer *l)
{
    static const char *const ops[][2] = {{"Add", "Add"},         {"Subtract", "Sub"},   {"Multiply", "Mul"},
                                         {"Maximum", "Max"},     {"Minimum", "Min"},    {"Average", "Add"}};
    const char *op = "Add", *x = l->in[0];
    int mean = !strcmp(l->kind, "Average");
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (!strcmp(l->kind, ops[i][0])) op = ops[i][1];
    if (l->n_in < 2 || (l->kind[0] == 'S' && l->n_in != 2)) return BAD_LAYER("has not the inputs that it needs");
    for (int k = 1; k < l->n_in; k++)
        x = TFJS_NODE(op, k + 1 < l->n_in || mean ? xfv_tfjs_format(t, "%s@%d", l->out, k) : l->out, x, l->in[k]);
    if (mean) TFJS_NODE("Div", l->out, x, xfv_tfjs_scalar(t, l->n_in));
    return t->e->status;
}

static int concatenate(struct tfjs *t, const struct tfjs_layer *l)
{
    int64_t axis = -1;
    const json_t *a = json_object_get(l->config, "axis");
    if (a && !xfv_tfjs_whole(a, &axis)) return BAD_LAYER("has no axis");
    xfv_tfjs_node(t, "Concat", l->out, l->in, l->n_in);
    xfv_tfjs_int(t, "axis", axis);
    return t->e->status;
}

/* ---- the rest ---- */

/* Layers that do something in training only. */
static int nothing(struct tfjs *t, const struct tfjs_layer *l)
{
    TFJS_NODE("Identity", l->out, l->in[0]);
    return t->e->status;
}

static int rescaling(struct tfjs *t, const struct tfjs_layer *l)
{
    const char *key[2] = {"scale", "offset"}, *v[2];
    for (int k = 0; k < 2; k++) {
        const json_t *x = json_object_get(l->config, key[k]);
        if (x && !json_is_number(x)) return BAD_LAYER_TEXT("has a list as %s, which is not supported", key[k]);
        v[k] = xfv_tfjs_scalar(t, xfv_tfjs_real(l->config, key[k], k ? 0 : 1));
    }
    const char *x = TFJS_NODE("Mul", helper(t, l, "scaled"), l->in[0], v[0]);
    TFJS_NODE("Add", l->out, x, v[1]);
    return t->e->status;
}

static const struct { const char *kind; tfjs_maker *make; } makers[] = { /* in the order of their names */
    {"Activation", activation},
    {"ActivityRegularization", nothing},
    {"Add", merge},
    {"AlphaDropout", nothing},
    {"Average", merge},
    {"AveragePooling2D", pool},
    {"BatchNormalization", batchnorm},
    {"BatchNormalizationV1", batchnorm},
    {"BatchNormalizationV2", batchnorm},
    {"Concatenate", concatenate},
    {"Conv2D", conv2d},
    {"Cropping2D", cropping},
    {"Dense", dense},
    {"DepthwiseConv2D", conv2d},
    {"Dropout", nothing},
    {"ELU", elu},
    {"Flatten", flatten},
    {"GaussianDropout", nothing},
    {"GaussianNoise", nothing},
    {"GlobalAveragePooling2D", global_pool},
    {"GlobalMaxPooling2D", global_pool},
    {"LayerNormalization", layernorm},
    {"LeakyReLU", leaky_relu},
    {"MaxPooling2D", pool},
    {"Maximum", merge},
    {"Minimum", merge},
    {"Multiply", merge},
    {"PReLU", prelu},
    {"Permute", permute},
    {"ReLU", relu},
    {"Rescaling", rescaling},
    {"Reshape", reshape},
    {"SeparableConv2D", separable},
    {"Softmax", softmax},
    {"SpatialDropout2D", nothing},
    {"Subtract", merge},
    {"SyncBatchNormalization", batchnorm},
    {"UnitNormalization", unit_norm},
    {"UpSampling2D", upsampling},
    {"ZeroPadding2D", padding},
};

static int by_kind(const void *kind, const void *maker)
{
    return strcmp(kind, *(const char *const *)maker);
}

tfjs_maker *xfv_tfjs_maker(const char *kind)
{
    const void *m = bsearch(kind, makers, sizeof makers / sizeof *makers, sizeof *makers, by_kind);
    return m ? makers[((const char *)m - (const char *)makers) / (ptrdiff_t)sizeof *makers].make : NULL;
}
