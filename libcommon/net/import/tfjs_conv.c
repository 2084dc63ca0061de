/* TensorFlow.js graph models: convolutions, pooling, products, and what is fused with them. */
#include <string.h>

#include "net/import/tfjs_internal.h"

/* ---- windows ---- */

/* Height's and width's number of a list that has one for each axis. */
static int pair(struct tfjs *t, const struct tfjs_op *n, const char *name, int nchw, int64_t to[2])
{
    int64_t v[4] = {1, 1, 1, 1};
    int count = xfv_tfjs_attr_ints(n, name, v, 4), y = nchw ? 2 : 1;
    if (count == 2) v[y + 1] = v[1], v[y] = v[0]; /* height and width alone */
    if ((count && count != 4 && count != 2) || (count == 4 && (v[0] != 1 || v[nchw ? 1 : 3] != 1)))
        return TFJS_BAD("'%.100s' (%.40s) has %s that are not for an image", n->name, n->op, name);
    to[0] = v[y], to[1] = v[y + 1];
    return 0;
}

static int read_window(struct tfjs *t, const struct tfjs_op *n, struct tfjs_window *w)
{
    const char *format = xfv_tfjs_attr_text(t, n, "data_format"), *padding = xfv_tfjs_attr_text(t, n, "padding");
    int64_t p[8];
    int status;
    if (!format || !padding) return t->e->status;
    *w = (struct tfjs_window){.nchw = !strcmp(format, "NCHW"), .pad = padding[0]};
    if ((status = pair(t, n, "strides", w->nchw, w->stride)) ||
        (status = pair(t, n, "dilations", w->nchw, w->dilation)) || (status = pair(t, n, "ksize", w->nchw, w->kernel)))
        return status;
    if (strcmp(padding, "EXPLICIT") != 0)
        return !strcmp(padding, "SAME") || !strcmp(padding, "VALID")
                   ? 0
                   : TFJS_BAD("'%.100s' (%.40s) has the padding '%.40s'", n->name, n->op, padding);
    int y = w->nchw ? 4 : 2;
    if (xfv_tfjs_attr_ints(n, "explicit_paddings", p, 8) != 8)
        return TFJS_BAD("'%.100s' (%.40s) does not have 8 explicit_paddings", n->name, n->op);
    w->pads[0] = p[y], w->pads[1] = p[y + 2], w->pads[2] = p[y + 1], w->pads[3] = p[y + 3];
    return 0;
}

/* ---- what is fused ---- */

/* scale, offset, mean, variance from input k on */
static const char *normalised(struct tfjs *t, const struct tfjs_op *n, const char *x, int k, int nchw, const char *out)
{
    x = xfv_tfjs_to_nchw(t, nchw, x, out);
    x = TFJS_NODE("BatchNormalization", xfv_tfjs_format(t, "%s@norm", out), x, n->in[k], n->in[k + 1], n->in[k + 2],
                  n->in[k + 3]);
    xfv_tfjs_float(t, "epsilon", xfv_tfjs_attr_real(n, "epsilon", 1e-4));
    return xfv_tfjs_from_nchw(t, nchw, x, out);
}

/* One word of fused_ops; *k: the input that it reads next. */
static const char *fused(struct tfjs *t, const struct tfjs_op *n, const char *what, const char *x, int *k, int nchw,
                         const char *out)
{
    int needs = !strcmp(what, "BiasAdd") || !strcmp(what, "Prelu") ? 1 : !strcmp(what, "FusedBatchNorm") ? 4 : 0;
    if (*k + needs > n->n_in)
        return TFJS_BAD("'%.100s' (%.40s) has no input for its %.40s", n->name, n->op, what), NULL;
    int from = *k;
    *k += needs;
    if (!strcmp(what, "BiasAdd")) return xfv_tfjs_bias(t, x, n->in[from], nchw, out);
    if (!strcmp(what, "FusedBatchNorm")) return normalised(t, n, x, from, nchw, out);
    if (!strcmp(what, "Prelu") && !nchw) return xfv_tfjs_prelu(t, x, n->in[from], out);
    if (!strcmp(what, "LeakyRelu")) {
        x = TFJS_NODE("LeakyRelu", out, x);
        xfv_tfjs_float(t, "alpha", xfv_tfjs_attr_real(n, "leakyrelu_alpha", 0.2));
        return x;
    }
    if (!strcmp(what, "GeluExact") || !strcmp(what, "GeluApproximate"))
        return xfv_tfjs_activation(t, what[4] == 'E' ? "gelu" : "gelu_new", x, out);
    const char *y = needs ? NULL : xfv_tfjs_activation(t, what, x, out);
    if (!y && !t->e->status)
        TFJS_BAD("'%.100s' (%.40s) has the fused activation '%.40s', which is not supported", n->name, n->op, what);
    return y;
}

/* The operator's own outcome (made by make) and then each fused one; the last has the node's name. */
typedef const char *maker(struct tfjs *t, const struct tfjs_op *n, void *ctx, const char *out);

static int with_fused(struct tfjs *t, const struct tfjs_op *n, maker *make, void *ctx, int nchw)
{
    const char *what[8] = {NULL}, *x;
    int count = xfv_tfjs_attr_texts(t, n, "fused_ops", what, 8), k = 2;
    if (count < 0) return count;
    x = make(t, n, ctx, count ? xfv_tfjs_format(t, "%s@0", n->name) : n->name);
    for (int i = 0; x && i < count; i++)
        x = fused(t, n, what[i], x, &k, nchw, i + 1 < count ? xfv_tfjs_format(t, "%s@%d", n->name, i + 1) : n->name);
    if (x && k < n->n_in && k > 2) return TFJS_BAD("'%.100s' (%.40s) has an input too many", n->name, n->op);
    return t->e->status;
}

/* ---- operators ---- */

static const char *make_conv(struct tfjs *t, const struct tfjs_op *n, void *ctx, const char *out)
{
    const struct tfjs_weight *w = xfv_tfjs_constant(t, n->in[1]);
    if (!w || w->proto->n_dims != 4) {
        TFJS_BAD("'%.100s' (%.40s) has no constant weight of four dimensions", n->name, n->op);
        return NULL;
    }
    return xfv_tfjs_conv(t, n->in[0], n->in[1], w->proto->dims, strstr(n->op, "Depthwise") != NULL, 0, ctx, out);
}

int xfv_tfjs_conv2d(struct tfjs *t, const struct tfjs_op *n)
{
    struct tfjs_window w;
    int status = read_window(t, n, &w);
    return status ? status : with_fused(t, n, make_conv, &w, w.nchw);
}

int xfv_tfjs_pool2d(struct tfjs *t, const struct tfjs_op *n)
{
    struct tfjs_window w;
    int status = read_window(t, n, &w);
    if (status) return status;
    xfv_tfjs_pool(t, !strcmp(n->op, "MaxPool") ? "MaxPool" : "AveragePool", n->in[0], &w, n->name);
    return t->e->status;
}

int xfv_tfjs_batchnorm(struct tfjs *t, const struct tfjs_op *n)
{
    const char *format = xfv_tfjs_attr_text(t, n, "data_format");
    if (!format) return t->e->status;
    /* Absent, it is true, as TensorFlow has it; TensorFlow.js runs every one for inference */
    if (xfv_tfjs_flag(json_object_get(n->attr, "is_training"), "b", 0))
        return TFJS_BAD("'%.100s' (%.40s) is in training mode: export the network for inference", n->name, n->op);
    normalised(t, n, n->in[0], 1, !strcmp(format, "NCHW"), n->name);
    return t->e->status;
}

int xfv_tfjs_bias_add(struct tfjs *t, const struct tfjs_op *n)
{
    const char *format = xfv_tfjs_attr_text(t, n, "data_format");
    if (format) xfv_tfjs_bias(t, n->in[0], n->in[1], !strcmp(format, "NCHW"), n->name);
    return t->e->status;
}

int xfv_tfjs_lrn(struct tfjs *t, const struct tfjs_op *n)
{
    int64_t radius = xfv_tfjs_attr_int(n, "depth_radius", 5);
    if (radius < 0 || radius > XFV_MAX_KERNEL) return TFJS_BAD("'%.100s' (LRN) has an impossible radius", n->name);
    int64_t size = 2 * radius + 1;
    const char *x = xfv_tfjs_to_nchw(t, 0, n->in[0], n->name);
    x = TFJS_NODE("LRN", xfv_tfjs_format(t, "%s@lrn", n->name), x);
    xfv_tfjs_int(t, "size", size);
    xfv_tfjs_float(t, "alpha", xfv_tfjs_attr_real(n, "alpha", 1) * (double)size); /* ONNX divides it by the size */
    xfv_tfjs_float(t, "beta", xfv_tfjs_attr_real(n, "beta", 0.5));
    xfv_tfjs_float(t, "bias", xfv_tfjs_attr_real(n, "bias", 1));
    xfv_tfjs_from_nchw(t, 0, x, n->name);
    return t->e->status;
}

static const char *make_matmul(struct tfjs *t, const struct tfjs_op *n, void *ctx, const char *out)
{
    static const int64_t swap[2] = {1, 0};
    static const char *const flags[2] = {"transpose_a", "transpose_b"};
    const char *v[2] = {n->in[0], n->in[1]};
    (void)ctx;
    for (int k = 0; k < 2; k++) {
        if (!xfv_tfjs_attr_flag(n, flags[k])) continue;
        v[k] = TFJS_NODE("Transpose", xfv_tfjs_format(t, "%s@turned%d", out, k), v[k]);
        xfv_tfjs_ints(t, "perm", swap, 2);
    }
    return TFJS_NODE("MatMul", out, v[0], v[1]);
}

int xfv_tfjs_matmul(struct tfjs *t, const struct tfjs_op *n) { return with_fused(t, n, make_matmul, NULL, 0); }

int xfv_tfjs_batch_matmul(struct tfjs *t, const struct tfjs_op *n)
{
    if (xfv_tfjs_attr_flag(n, "adj_x") || xfv_tfjs_attr_flag(n, "adj_y"))
        return TFJS_BAD("'%.100s' (%.40s) transposes an operand, which is not supported", n->name, n->op);
    TFJS_NODE("MatMul", n->name, n->in[0], n->in[1]);
    return t->e->status;
}
