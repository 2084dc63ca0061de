/* ONNX files: convolutions and pooling, of images and of signals, which are images of one row. */
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

static const int hwc[3] = {2, 3, 1};

/* ---- windows ---- */

/* Two numbers of an attribute (height, width), or `otherwise` twice. */
static int pair(struct onx *o, const struct onx_call *c, const char *name, int otherwise, int *to)
{
    int64_t v[8];
    int n = xfv_onx_ints(o, c, -1, name, v, 8);
    if (n < 0) return n;
    int line = c->in[0]->s.rank == 3; /* a signal: its one number is the width's */
    if (n != 0 && n != (line ? 1 : 2))
        return ONX_BAD("'%s' (%s): attribute '%s' has %d numbers instead of %d", c->label, c->op, name, n,
                       line ? 1 : 2);
    if (n && line) v[1] = v[0], v[0] = 1;
    for (int a = 0; a < 2; a++) {
        if (n && (v[a] < 1 || v[a] > XFV_MAX_KERNEL))
            return ONX_BAD("'%s' (%s): attribute '%s' holds %lld", c->label, c->op, name, (long long)v[a]);
        to[a] = n ? (int)v[a] : otherwise;
    }
    return 0;
}

static int pads(struct onx *o, const struct onx_call *c, struct xfv_node *n, struct xfv_shape in)
{
    int64_t v[8];
    int count = xfv_onx_ints(o, c, -1, "pads", v, 8), upper = xfv_onx_text_is(c, "auto_pad", "SAME_UPPER"),
        lower = xfv_onx_text_is(c, "auto_pad", "SAME_LOWER");
    if (count < 0) return count;
    if (xfv_onx_text_is(c, "auto_pad", "VALID")) return 0;
    if (!upper && !lower) {
        int line = c->in[0]->s.rank == 3;
        if (count != 0 && count != (line ? 2 : 4))
            return ONX_BAD("'%s' (%s) has %d paddings instead of %d", c->label, c->op, count, line ? 2 : 4);
        if (count && line) v[3] = v[1], v[1] = v[0], v[0] = v[2] = 0, count = 4;
        for (int a = 0; a < count; a++) {
            if (v[a] < 0 || v[a] > XFV_MAX_KERNEL)
                return ONX_BAD("'%s' (%s) has a padding of %lld", c->label, c->op, (long long)v[a]);
            n->pads[a] = (int)v[a];
        }
        return 0;
    }
    for (int a = 0; a < 2; a++) {
        int64_t span = (n->kernel[a] - 1) * n->dilation[a] + 1,
                out = ((int64_t)in.dim[a] + n->stride[a] - 1) / n->stride[a];
        int64_t total = (out - 1) * n->stride[a] + span - in.dim[a];
        if (total < 0) total = 0;
        n->pads[a] = (int)(upper ? total / 2 : total - total / 2);
        n->pads[a + 2] = (int)(total - n->pads[a]);
    }
    return 0;
}

/* The result of a node on images: its value's H, W, C. */
static int image_result(struct onx *o, const struct onx_call *c, int v)
{
    static const int wc[3] = {-1, 2, 1};
    if (v < 0) return v;
    struct xfv_shape s = o->g->values[v].shape;
    if (c->in[0]->s.rank == 3) return xfv_onx_result(o, c, 0, v, (struct onx_dims){3, {1, s.dim[2], s.dim[1]}}, wc, 3);
    struct onx_dims d = {4, {1, s.dim[2], s.dim[0], s.dim[1]}};
    return xfv_onx_result(o, c, 0, v, d, hwc, 3);
}

/* ONNX [cout][cin/groups][kh][kw] -> [kh][kw][cin/groups][cout] */
static int conv_weight(struct onx *o, const struct onx_call *c, const struct onx_const *w)
{
    static const int perm[4] = {2, 3, 1, 0}, line[3] = {2, 1, 0};
    struct onx_const *p = xfv_onx_permuted(o, w, w->s.rank == 3 ? line : perm);
    if (!p) return o->e->status;
    const int64_t *d = p->s.dim;
    struct xfv_shape s = w->s.rank == 3 ? xfv_shape_of(4, 1, (int)d[0], (int)d[1], (int)d[2])
                                        : xfv_shape_of(4, (int)d[0], (int)d[1], (int)d[2], (int)d[3]);
    int i = xfv_onx_take_weight(o, s, &p->f, c->in[1]->label, "");
    xfv_onx_const_free(p);
    return i;
}

int xfv_onx_conv(struct onx *o, const struct onx_call *c)
{
    struct xfv_node n = xfv_node_default(XFV_OP_CONV);
    int status, k[2];
    n.n_in = 1;
    const struct onx_const *w = xfv_onx_floats(o, c, 1), *b = NULL;
    if (!w) return o->e->status;
    if (w->s.rank < 3 || w->s.rank > 4 || w->s.rank != c->in[0]->s.rank || w->count == 0)
        return ONX_BAD("'%s' (Conv) has a weight of %d dimensions; only images and signals are supported", c->label,
                       w->s.rank);
    for (int a = 0; a < w->s.rank; a++)
        if (w->s.dim[a] > XFV_MAX_ELEMENTS || (a > 1 && w->s.dim[a] > XFV_MAX_KERNEL))
            return ONX_BAD("'%s' (Conv) has an impossible weight", c->label);
    if ((n.in[0] = xfv_onx_image(o, c, 0)) < 0) return n.in[0];
    n.kernel[0] = w->s.rank == 3 ? 1 : (int)w->s.dim[2];
    n.kernel[1] = (int)w->s.dim[w->s.rank - 1];
    if ((status = pair(o, c, "kernel_shape", 0, k)) || (status = pair(o, c, "strides", 1, n.stride)) ||
        (status = pair(o, c, "dilations", 1, n.dilation)))
        return status;
    if (k[0] && (k[0] != n.kernel[0] || k[1] != n.kernel[1]))
        return ONX_BAD("'%s' (Conv) has a kernel_shape other than its weight's", c->label);
    if ((status = pads(o, c, &n, o->g->values[n.in[0]].shape))) return status;
    int64_t groups = xfv_onx_int(c, "group", 1);
    n.groups = groups >= 1 && groups <= w->s.dim[0] ? (int)groups : 0; /* refused by the shape check */
    if ((n.weight = conv_weight(o, c, w)) < 0) return n.weight;
    if (c->n_in > 2 && c->in[2]) {
        if (!(b = xfv_onx_floats(o, c, 2))) return o->e->status;
        if (b->count != (size_t)w->s.dim[0])
            return ONX_BAD("'%s' (Conv) has %zu biases for %lld channels", c->label, b->count, (long long)w->s.dim[0]);
        if ((n.bias = xfv_onx_weight(o, xfv_shape_of(1, (int)b->count), b->f, c->in[2]->label, "")) < 0) return n.bias;
    }
    return image_result(o, c, xfv_onx_emit(o, &n, c->label, ""));
}

/* ceil_mode: one more window at the end when it starts inside the input or the padding before it. */
static void ceil_pads(struct xfv_node *n, struct xfv_shape in)
{
    for (int a = 0; a < 2; a++) {
        int64_t span = (n->kernel[a] - 1) * n->dilation[a] + 1,
                room = (int64_t)in.dim[a] + n->pads[a] + n->pads[a + 2] - span;
        if (room < 0) continue;
        int64_t rest = room % n->stride[a], steps = room / n->stride[a] + 1;
        if (rest == 0 || steps * n->stride[a] >= (int64_t)in.dim[a] + n->pads[a]) continue;
        n->pads[a + 2] += n->stride[a] - (int)rest;
    }
}

/* v^(1/p), with no gradient at 0, where it has none that is finite. */
static int root(struct onx *o, const struct onx_call *c, int v, int64_t p)
{
    struct xfv_node floor = xfv_node_act(XFV_ACT_CLIP, v, 1e-30f, 3.4e38f), power;
    if (p == 1) return v;
    if ((v = xfv_onx_emit(o, &floor, c->label, "/floor")) < 0) return v;
    power = p == 2 ? xfv_node_act(XFV_ACT_SQRT, v, 0, 0) : xfv_node_act(XFV_ACT_POW, v, (float)(1.0 / (double)p), 0);
    return xfv_onx_emit(o, &power, c->label, "/root");
}

/* (sum of |x|^p over a window)^(1/p): an average that counts its padding, times the window. */
static int lp_pool(struct onx *o, const struct onx_call *c, struct xfv_node n)
{
    int64_t p = xfv_onx_int(c, "p", 2);
    int v = n.in[0];
    if (p < 1 || p > 64) return ONX_BAD("'%s' (%s) has p = %lld", c->label, c->op, (long long)p);
    struct xfv_node size = xfv_node_act(XFV_ACT_ABS, v, 0, 0), power;
    if (p != 2 && (v = xfv_onx_emit(o, &size, c->label, "/size")) < 0) return v;
    power = xfv_node_act(XFV_ACT_POW, v, (float)p, 0);
    if (p != 1 && (v = xfv_onx_emit(o, &power, c->label, "/power")) < 0) return v;
    n.in[0] = v;
    if ((v = xfv_onx_emit(o, &n, c->label, "/average")) < 0) return v;
    if ((v = xfv_onx_emit_affine(o, v, (double)n.kernel[0] * n.kernel[1], 0, c->label, "/sum")) < 0) return v;
    return image_result(o, c, root(o, c, v, p));
}

/* One axis of a window that goes along any number of axes. */
struct along { int64_t in, kernel, stride, dilation, before, after, out; };

/* The windows' axes, those from 2 on; their number, or a negative status. */
static int windows(struct onx *o, const struct onx_call *c, struct along *w)
{
    int64_t v[4][2 * ONX_MAX_RANK];
    int n = c->in[0]->s.rank - 2, count[4];
    static const char *const names[4] = {"kernel_shape", "strides", "dilations", "pads"};
    int upper = xfv_onx_text_is(c, "auto_pad", "SAME_UPPER"),
        same = upper || xfv_onx_text_is(c, "auto_pad", "SAME_LOWER");
    for (int k = 0; k < 4; k++) {
        if ((count[k] = xfv_onx_ints(o, c, -1, names[k], v[k], 2 * ONX_MAX_RANK)) < 0) return count[k];
        if (n < 1 || (count[k] || k == 0) != (count[k] == (k == 3 ? 2 * n : n)))
            return ONX_BAD("'%s' (%s): attribute '%s' has %d numbers for %d axes", c->label, c->op, names[k], count[k],
                           n);
    }
    for (int a = 0; a < n; a++) {
        struct along *l = &w[a];
        *l = (struct along){.in = c->in[0]->s.dim[a + 2], .kernel = v[0][a], .stride = count[1] ? v[1][a] : 1,
                            .dilation = count[2] ? v[2][a] : 1, .before = count[3] ? v[3][a] : 0,
                            .after = count[3] ? v[3][n + a] : 0};
        if (l->kernel < 1 || l->stride < 1 || l->dilation < 1 || l->before < 0 || l->after < 0 ||
            l->kernel > XFV_MAX_KERNEL || l->stride > XFV_MAX_KERNEL || l->dilation > XFV_MAX_KERNEL ||
            l->before >= XFV_MAX_KERNEL || l->after >= XFV_MAX_KERNEL)
            return ONX_BAD("'%s' (%s) has an impossible window", c->label, c->op);
        int64_t span = (l->kernel - 1) * l->dilation + 1;
        if (same) {
            int64_t total = ((l->in + l->stride - 1) / l->stride - 1) * l->stride + span - l->in;
            total = total < 0 ? 0 : total;
            l->before = upper ? total / 2 : total - total / 2, l->after = total - l->before;
        }
        int64_t room = l->in + l->before + l->after - span;
        int up = xfv_onx_int(c, "ceil_mode", 0) != 0;
        l->out = room < 0 ? 0 : (room + (up ? l->stride - 1 : 0)) / l->stride + 1;
        if (up && (l->out - 1) * l->stride >= l->in + l->before) l->out--; /* it would begin behind the image */
        if (l->out < 1 || l->before >= span || l->after >= span)
            return ONX_BAD("'%s' (%s) has a window that does not fit", c->label, c->op);
    }
    return n;
}

/* t = its averages (or sums) along an axis: a matrix. Places count that lie in the image, or, with `padding`, in it and
 * in the padding. */
static int averages(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, const struct along *w,
                    int padding, int sums)
{
    float *m = xfv_onx_matrix(o, c, w->out, w->in);
    if (!m) return o->e->status;
    for (int64_t r = 0; r < w->out; r++) {
        int64_t first = r * w->stride - w->before, count = 0;
        for (int64_t k = 0; k < w->kernel; k++) {
            int64_t at = first + k * w->dilation;
            count += padding ? at < w->in + w->after : at >= 0 && at < w->in;
        }
        for (int64_t k = 0; k < w->kernel; k++) {
            int64_t at = first + k * w->dilation;
            if (at >= 0 && at < w->in) m[r * w->in + at] = sums ? 1 : 1 / (float)count;
        }
    }
    int status = xfv_onx_along(o, c, t, axis, m, (int)w->out);
    free(m);
    return status;
}

/* t = its maxima along an axis: the axis as the width of an image. */
static int maxima(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, const struct along *w)
{
    struct xfv_node n = xfv_node_default(XFV_OP_MAXPOOL);
    int d = 0;
    while (d < t->n_axes && t->axis[d] != axis) d++;
    if (d == t->n_axes) { /* of size 1: a new one in front */
        memmove(t->axis + 1, t->axis, sizeof *t->axis * (size_t)t->n_axes++);
        t->axis[d = 0] = axis;
    }
    int64_t need = (w->out - 1) * w->stride + (w->kernel - 1) * w->dilation + 1 - w->in - w->before;
    n.kernel[1] = (int)w->kernel, n.stride[1] = (int)w->stride, n.dilation[1] = (int)w->dilation;
    n.pads[1] = (int)w->before, n.pads[3] = need > 0 ? (int)need : 0;
    n.n_in = 1;
    if ((n.in[0] = xfv_onx_three(o, t->value, t, d, c->label)) < 0) return n.in[0];
    if ((t->value = xfv_onx_emit(o, &n, c->label, "/along")) < 0) return t->value;
    t->s.dim[axis] = w->out;
    t->value = xfv_onx_emit_reshape(o, t->value, xfv_onx_shape(t->s, t->axis, t->n_axes), c->label, "/shape");
    return t->value < 0 ? t->value : 0;
}

/* Pooling of several samples, or along any number of axes: one axis after the other. */
static int pool_axes(struct onx *o, const struct onx_call *c)
{
    struct along w[ONX_MAX_RANK];
    struct onx_tensor t;
    int max = strcmp(c->op, "MaxPool") == 0, lp = strcmp(c->op, "LpPool") == 0, n = windows(o, c, w),
        status = n < 0 ? n : xfv_onx_walker(o, c->in[0], &t, c->label);
    int64_t p = xfv_onx_int(c, "p", 2);
    if (status) return status;
    if (lp && (p < 1 || p > 64)) return ONX_BAD("'%s' (%s) has p = %lld", c->label, c->op, (long long)p);
    if (lp && ((status = xfv_onx_step(o, c, &t, xfv_node_act(XFV_ACT_ABS, 0, 0, 0), "/size")) ||
               (status = xfv_onx_power(o, c, &t, (float)p, "/power"))))
        return status;
    for (int a = 0; a < n && !status; a++)
        status = max ? maxima(o, c, &t, a + 2, &w[a])
                     : averages(o, c, &t, a + 2, &w[a], xfv_onx_int(c, "count_include_pad", 0) != 0, lp);
    if (!status && lp && (t.value = root(o, c, t.value, p)) < 0) status = t.value;
    return status ? status : xfv_onx_finish(o, c, &t);
}

int xfv_onx_pool(struct onx *o, const struct onx_call *c)
{
    int max = strcmp(c->op, "MaxPool") == 0, lp = strcmp(c->op, "LpPool") == 0, status;
    struct xfv_node n = xfv_node_default(max ? XFV_OP_MAXPOOL : XFV_OP_AVGPOOL);
    n.n_in = 1;
    if (c->n_out > 1 && c->out[1])
        return ONX_BAD("'%s' (MaxPool) also gives indices, which are not supported", c->label);
    if (c->in[0]->s.rank != 3 && c->in[0]->s.rank != 4) return pool_axes(o, c);
    if (c->in[0]->s.dim[0] != 1) return pool_axes(o, c);
    if ((n.in[0] = xfv_onx_image(o, c, 0)) < 0) return n.in[0];
    if ((status = pair(o, c, "kernel_shape", 0, n.kernel)) || (status = pair(o, c, "strides", 1, n.stride)) ||
        (status = pair(o, c, "dilations", 1, n.dilation)))
        return status;
    if (!n.kernel[0]) return ONX_BAD("'%s' (%s) has no kernel_shape", c->label, c->op);
    struct xfv_shape in = o->g->values[n.in[0]].shape;
    if ((status = pads(o, c, &n, in))) return status;
    n.i[0] = lp || xfv_onx_int(c, "count_include_pad", 0) != 0;
    int before[4];
    memcpy(before, n.pads, sizeof before);
    if (xfv_onx_int(c, "ceil_mode", 0)) ceil_pads(&n, in);
    if (lp) return lp_pool(o, c, n);
    if (n.i[0] && !max && memcmp(before, n.pads, sizeof before) != 0)
        return pool_axes(o, c);
    return image_result(o, c, xfv_onx_emit(o, &n, c->label, ""));
}

int xfv_onx_global_pool(struct onx *o, const struct onx_call *c)
{
    struct xfv_node n = xfv_node_unary(XFV_OP_REDUCE, xfv_onx_image(o, c, 0));
    if (n.in[0] < 0) return n.in[0];
    if (strcmp(c->op, "GlobalLpPool") == 0) {
        struct xfv_shape s = o->g->values[n.in[0]].shape;
        n = xfv_node_unary(XFV_OP_AVGPOOL, xfv_onx_image(o, c, 0));
        if (s.dim[0] > XFV_MAX_KERNEL || s.dim[1] > XFV_MAX_KERNEL)
            return ONX_BAD("'%s' (%s) has too large an image", c->label, c->op);
        n.kernel[0] = s.dim[0], n.kernel[1] = s.dim[1], n.i[0] = 1;
        return lp_pool(o, c, n);
    }
    n.i[0] = strcmp(c->op, "GlobalMaxPool") == 0 ? XFV_REDUCE_MAX : XFV_REDUCE_MEAN;
    n.i[1] = 3;
    return image_result(o, c, xfv_onx_emit(o, &n, c->label, ""));
}

/* ---- the convolution's adjoint ---- */

/* ONNX [cin][cout/groups][kh][kw] -> [kh][kw][cin/groups][cout], the kernel turned round. */
static int turned_weight(struct onx *o, const struct onx_call *c, const struct onx_const *w, size_t groups)
{
    size_t cin = (size_t)w->s.dim[0], per = (size_t)w->s.dim[1], kh = (size_t)w->s.dim[2], kw = (size_t)w->s.dim[3],
           gi = cin / groups, cout = per * groups;
    float *v = malloc(w->count * sizeof *v);
    if (!v) return xfv_fail(o->e, XFV_ENOMEM, "out of memory for a weight");
    for (size_t i = 0; i < w->count; i++) {
        size_t x = i % kw, y = i / kw % kh, to = i / kw / kh % per, from = i / kw / kh / per;
        v[(((kh - 1 - y) * kw + kw - 1 - x) * gi + from % gi) * cout + from / gi * per + to] = w->f[i];
    }
    int k = xfv_onx_take_weight(o, xfv_shape_of(4, (int)kh, (int)kw, (int)gi, (int)cout), &v, c->label, "/weight");
    free(v);
    return k;
}

/* What is before and after the image along axis a, where zeros stand between its elements: the kernel's reach less the
 * padding that is taken away. */
static int adjoint_pads(struct onx *o, const struct onx_call *c, const struct xfv_node *n, const int *stride,
                        struct onx_dims in, int64_t reach[2][2])
{
    int64_t v[8], more[2] = {0, 0}, shape[ONX_MAX_RANK], pads[4] = {0};
    int count = xfv_onx_ints(o, c, -1, "pads", v, 8),
        extra = count < 0 ? count : xfv_onx_ints(o, c, -1, "output_padding", more, 2);
    int sized = extra < 0 ? extra : xfv_onx_ints(o, c, -1, "output_shape", shape, ONX_MAX_RANK);
    int upper = xfv_onx_text_is(c, "auto_pad", "SAME_UPPER"), lower = xfv_onx_text_is(c, "auto_pad", "SAME_LOWER");
    if (sized < 0) return sized;
    if ((count && count != 4) || (extra && extra != 2) || (sized && sized != 2))
        return ONX_BAD("'%s' (%s) has lists that are not for an image", c->label, c->op);
    for (int a = 0; a < 4 && count && !upper && !lower; a++) pads[a] = v[a];
    for (int a = 0; a < 2; a++) {
        int64_t span = (int64_t)(n->kernel[a] - 1) * n->dilation[a] + 1,
                full = (in.dim[a + 2] - 1) * stride[a] + span + more[a];
        int64_t want = sized ? shape[a] : upper || lower ? in.dim[a + 2] * stride[a] : -1;
        if (want >= 0) {
            /* as ONNX says: what is odd goes to the end with SAME_UPPER, else to the beginning */
            int64_t total = full - want;
            pads[a] = total < 0 ? 0 : upper ? total / 2 : total - total / 2;
            pads[a + 2] = total - pads[a];
        }
        reach[a][0] = span - 1 - pads[a];
        reach[a][1] = span - 1 - pads[a + 2] + more[a];
        if (reach[a][0] < 0 || reach[a][1] < 0 || reach[a][0] > XFV_MAX_KERNEL || reach[a][1] > XFV_MAX_KERNEL)
            return ONX_BAD("'%s' (%s) takes away more than its kernel reaches, which is not supported", c->label,
                           c->op);
    }
    return 0;
}

/* ConvTranspose: zeros between the image's elements, then a convolution with the kernel turned round. */
int xfv_onx_conv_transpose(struct onx *o, const struct onx_call *c)
{
    struct xfv_node n = xfv_node_default(XFV_OP_CONV);
    struct onx_tensor t;
    int stride[2], status;
    int64_t reach[2][2], groups = xfv_onx_int(c, "group", 1);
    const struct onx_const *w = xfv_onx_floats(o, c, 1), *b = NULL;
    if (!w) return o->e->status;
    if (w->s.rank != 4 || w->count == 0 || c->in[0]->s.rank != 4 || groups < 1 || w->s.dim[0] % groups ||
        w->s.dim[0] != c->in[0]->s.dim[1] || w->s.dim[2] > XFV_MAX_KERNEL || w->s.dim[3] > XFV_MAX_KERNEL)
        return ONX_BAD("'%s' (%s) has a weight that does not fit an image", c->label, c->op);
    n.kernel[0] = (int)w->s.dim[2], n.kernel[1] = (int)w->s.dim[3];
    if ((status = pair(o, c, "strides", 1, stride)) || (status = pair(o, c, "dilations", 1, n.dilation)) ||
        (status = xfv_onx_walker(o, c->in[0], &t, c->label)))
        return status;
    if ((status = adjoint_pads(o, c, &n, stride, t.s, reach))) return status;
    for (int a = 0; a < 2; a++) {
        int64_t d = t.s.dim[a + 2], to = (d - 1) * stride[a] + 1;
        float *m = to == d ? NULL : xfv_onx_matrix(o, c, to, d);
        if (to == d) continue;
        if (!m) return o->e->status;
        for (int64_t i = 0; i < d; i++) m[i * stride[a] * d + i] = 1;
        status = xfv_onx_along(o, c, &t, a + 2, m, (int)to);
        free(m);
        if (status) return status;
    }
    if ((n.weight = turned_weight(o, c, w, (size_t)groups)) < 0) return n.weight;
    n.groups = (int)groups;
    for (int a = 0; a < 2; a++) n.pads[a] = (int)reach[a][0], n.pads[a + 2] = (int)reach[a][1];
    if (c->n_in > 2 && c->in[2]) {
        if (!(b = xfv_onx_floats(o, c, 2))) return o->e->status;
        if (b->count != (size_t)(w->s.dim[1] * groups))
            return ONX_BAD("'%s' (%s) has %zu biases", c->label, c->op, b->count);
        if ((n.bias = xfv_onx_weight(o, xfv_shape_of(1, (int)b->count), b->f, c->label, "/bias")) < 0) return n.bias;
    }
    struct onx_call moved = *c;
    moved.in[0] = &t;
    n.n_in = 1;
    if ((n.in[0] = xfv_onx_image(o, &moved, 0)) < 0) return n.in[0];
    return image_result(o, c, xfv_onx_emit(o, &n, c->label, ""));
}
