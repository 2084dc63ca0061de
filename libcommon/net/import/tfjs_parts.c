/* TensorFlow.js models: what graph models and layers models are both made of. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "net/import/tfjs_internal.h"

const char *xfv_tfjs_to_nchw(struct tfjs *t, int nchw, const char *x, const char *name)
{
    static const int64_t perm[4] = {0, 3, 1, 2};
    if (nchw) {
        t->nchw = 1;
        return x;
    }
    const char *y = TFJS_NODE("Transpose", xfv_tfjs_format(t, "%s@nchw", name), x);
    xfv_tfjs_ints(t, "perm", perm, 4);
    return y;
}

const char *xfv_tfjs_from_nchw(struct tfjs *t, int nchw, const char *x, const char *out)
{
    static const int64_t perm[4] = {0, 2, 3, 1};
    if (nchw) return TFJS_NODE("Identity", out, x);
    const char *y = TFJS_NODE("Transpose", out, x);
    xfv_tfjs_ints(t, "perm", perm, 4);
    return y;
}

/* Of the newest node. */
static void add_window(struct tfjs *t, const struct tfjs_window *w, int dilated)
{
    xfv_tfjs_ints(t, "strides", w->stride, 2);
    if (dilated) xfv_tfjs_ints(t, "dilations", w->dilation, 2);
    if (w->pad == 'S') xfv_tfjs_string(t, "auto_pad", "SAME_UPPER");
    if (w->pad == 'E') xfv_tfjs_ints(t, "pads", w->pads, 4);
}

const char *xfv_tfjs_conv(struct tfjs *t, const char *x, const char *weight, const int64_t dim[4], int depthwise,
                          int64_t channels, const struct tfjs_window *w, const char *out)
{
    static const int64_t perm[4] = {3, 2, 0, 1};
    int64_t groups = depthwise ? dim[2] : dim[2] > 0 && channels > dim[2] ? channels / dim[2] : 1;
    if (depthwise) {
        const int64_t flat[4] = {dim[0], dim[1], 1, dim[2] * dim[3]};
        weight = TFJS_NODE("Reshape", xfv_tfjs_format(t, "%s@flat", out), weight, xfv_tfjs_const_ints(t, flat, 4));
    }
    weight = TFJS_NODE("Transpose", xfv_tfjs_format(t, "%s@kernel", out), weight);
    xfv_tfjs_ints(t, "perm", perm, 4);
    x = xfv_tfjs_to_nchw(t, w->nchw, x, out);
    x = TFJS_NODE("Conv", xfv_tfjs_format(t, "%s@conv", out), x, weight);
    xfv_tfjs_int(t, "group", groups);
    add_window(t, w, 1);
    return xfv_tfjs_from_nchw(t, w->nchw, x, out);
}

const char *xfv_tfjs_pool(struct tfjs *t, const char *op, const char *x, const struct tfjs_window *w, const char *out)
{
    x = xfv_tfjs_to_nchw(t, w->nchw, x, out);
    x = TFJS_NODE(op, xfv_tfjs_format(t, "%s@pool", out), x);
    xfv_tfjs_ints(t, "kernel_shape", w->kernel, 2);
    add_window(t, w, 0);
    return xfv_tfjs_from_nchw(t, w->nchw, x, out);
}

const char *xfv_tfjs_bias(struct tfjs *t, const char *x, const char *b, int nchw, const char *out)
{
    static const int64_t column[3] = {-1, 1, 1};
    if (nchw) b = TFJS_NODE("Reshape", xfv_tfjs_format(t, "%s@bias", out), b, xfv_tfjs_const_ints(t, column, 3));
    return TFJS_NODE("Add", out, x, b);
}

const char *xfv_tfjs_clip(struct tfjs *t, const char *x, double lo, double hi, const char *out)
{
    const char *low = xfv_tfjs_scalar(t, lo), *high = xfv_tfjs_scalar(t, hi);
    return TFJS_NODE("Clip", out, x, low, high);
}

/* With an axis in front, so that a list of slopes means the last axis and never the second (see xfv_onx_prelu). */
const char *xfv_tfjs_prelu(struct tfjs *t, const char *x, const char *slopes, const char *out)
{
    static const int64_t first = 0;
    const char *axes = xfv_tfjs_const_ints(t, &first, 1);
    slopes = TFJS_NODE("Unsqueeze", xfv_tfjs_format(t, "%s@slopes", out), slopes, axes);
    return TFJS_NODE("PRelu", out, x, slopes);
}

static const char *times_sigmoid(struct tfjs *t, const char *x, const char *out)
{
    const char *s = TFJS_NODE("Sigmoid", xfv_tfjs_format(t, "%s@sigmoid", out), x);
    return TFJS_NODE("Mul", out, x, s);
}

const char *xfv_tfjs_activation(struct tfjs *t, const char *which, const char *x, const char *out)
{
    static const char *const same[][2] = {
        {"relu", "Relu"},         {"sigmoid", "Sigmoid"},   {"tanh", "Tanh"},          {"softplus", "Softplus"},
        {"softsign", "Softsign"}, {"exponential", "Exp"},   {"exp", "Exp"},            {"linear", "Identity"},
        {"identity", "Identity"}, {"selu", "Selu"},         {"elu", "Elu"},            {"gelu", "Gelu"},
        {"mish", "Mish"},         {"softmax", "Softmax"},   {"log_softmax", "LogSoftmax"}};
    char name[32] = "";
    for (size_t i = 0; which && which[i] && i < sizeof name - 1; i++) name[i] = (char)tolower((unsigned char)which[i]);
    if (!which || strlen(which) >= sizeof name) return NULL;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (!strcmp(name, same[i][0])) {
            const char *y = TFJS_NODE(same[i][1], out, x);
            if (strstr(name, "softmax")) xfv_tfjs_int(t, "axis", -1);
            return y;
        }
    if (!strcmp(name, "relu6")) return xfv_tfjs_clip(t, x, 0, 6, out);
    if (!strcmp(name, "swish") || !strcmp(name, "silu")) return times_sigmoid(t, x, out);
    if (!strcmp(name, "hard_silu") || !strcmp(name, "hard_swish")) return TFJS_NODE("HardSwish", out, x);
    if (!strcmp(name, "gelu_new")) {
        const char *y = TFJS_NODE("Gelu", out, x);
        xfv_tfjs_string(t, "approximate", "tanh");
        return y;
    }
    return NULL;
}
