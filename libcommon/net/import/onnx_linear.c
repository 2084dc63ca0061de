/* ONNX files: convolutions, pooling, batch normalisation and products. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

static const int hwc[3] = {2, 3, 1};

static const struct onx_const *floats(struct onx *o, const struct onx_call *c, int k)
{
    const struct onx_const *x = k < c->n_in && c->in[k] ? xfv_onx_constant(o, c->in[k]) : NULL;
    if (x && x->f) return x;
    if (k >= c->n_in || !c->in[k]) ONX_BAD("'%s' (%s) has no input %d", c->label, c->op, k);
    else if (x) ONX_BAD("'%s' (%s): constant '%s' is not of floats", c->label, c->op, c->in[k]->label);
    return NULL;
}

/* ---- windows ---- */

/* Two numbers of an attribute (height, width), or `otherwise` twice. */
static int pair(struct onx *o, const struct onx_call *c, const char *name, int otherwise, int *to)
{
    int64_t v[8];
    int n = xfv_onx_ints(o, c, -1, name, v, 8);
    if (n < 0) return n;
    if (n != 0 && n != 2) return ONX_BAD("'%s' (%s): attribute '%s' has %d numbers instead of 2", c->label, c->op, name, n);
    for (int a = 0; a < 2; a++) {
        if (n && (v[a] < 1 || v[a] > XFV_MAX_KERNEL)) return ONX_BAD("'%s' (%s): attribute '%s' holds %lld", c->label, c->op, name, (long long)v[a]);
        to[a] = n ? (int)v[a] : otherwise;
    }
    return 0;
}

static int pads(struct onx *o, const struct onx_call *c, struct xfv_node *n, struct xfv_shape in)
{
    int64_t v[8];
    int count = xfv_onx_ints(o, c, -1, "pads", v, 8), upper = xfv_onx_text_is(c, "auto_pad", "SAME_UPPER"), lower = xfv_onx_text_is(c, "auto_pad", "SAME_LOWER");
    if (count < 0) return count;
    if (xfv_onx_text_is(c, "auto_pad", "VALID")) return 0;
    if (!upper && !lower) {
        if (count != 0 && count != 4) return ONX_BAD("'%s' (%s) has %d paddings instead of 4", c->label, c->op, count);
        for (int a = 0; a < count; a++) {
            if (v[a] < 0 || v[a] > XFV_MAX_KERNEL) return ONX_BAD("'%s' (%s) has a padding of %lld", c->label, c->op, (long long)v[a]);
            n->pads[a] = (int)v[a];
        }
        return 0;
    }
    for (int a = 0; a < 2; a++) {
        int64_t span = (n->kernel[a] - 1) * n->dilation[a] + 1, out = ((int64_t)in.dim[a] + n->stride[a] - 1) / n->stride[a];
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
    if (v < 0) return v;
    struct xfv_shape s = o->g->values[v].shape;
    struct onx_dims d = {4, {1, s.dim[2], s.dim[0], s.dim[1]}};
    return xfv_onx_result(o, c, 0, v, d, hwc, 3);
}

/* ONNX [cout][cin/groups][kh][kw] -> [kh][kw][cin/groups][cout] */
static int conv_weight(struct onx *o, const struct onx_call *c, const struct onx_const *w)
{
    static const int perm[4] = {2, 3, 1, 0};
    struct onx_const *p = xfv_onx_permuted(o, w, perm);
    if (!p) return o->e->status;
    int i = xfv_onx_weight(o, xfv_shape_of(4, (int)p->s.dim[0], (int)p->s.dim[1], (int)p->s.dim[2], (int)p->s.dim[3]), p->f, c->in[1]->label, "");
    xfv_onx_const_free(p);
    return i;
}

int xfv_onx_conv(struct onx *o, const struct onx_call *c)
{
    struct xfv_node n = xfv_node_default(XFV_OP_CONV);
    int status, k[2];
    n.n_in = 1;
    const struct onx_const *w = floats(o, c, 1), *b = NULL;
    if (!w) return o->e->status;
    if (w->s.rank != 4 || w->count == 0) return ONX_BAD("'%s' (Conv) has a weight of %d dimensions; only images are supported", c->label, w->s.rank);
    for (int a = 0; a < 4; a++)
        if (w->s.dim[a] > XFV_MAX_ELEMENTS || (a > 1 && w->s.dim[a] > XFV_MAX_KERNEL)) return ONX_BAD("'%s' (Conv) has an impossible weight", c->label);
    if ((n.in[0] = xfv_onx_image(o, c, 0)) < 0) return n.in[0];
    n.kernel[0] = (int)w->s.dim[2];
    n.kernel[1] = (int)w->s.dim[3];
    if ((status = pair(o, c, "kernel_shape", 0, k)) || (status = pair(o, c, "strides", 1, n.stride)) || (status = pair(o, c, "dilations", 1, n.dilation))) return status;
    if (k[0] && (k[0] != n.kernel[0] || k[1] != n.kernel[1]))
        return ONX_BAD("'%s' (Conv) has a kernel_shape other than its weight's", c->label);
    if ((status = pads(o, c, &n, o->g->values[n.in[0]].shape))) return status;
    int64_t groups = xfv_onx_int(c, "group", 1);
    n.groups = groups >= 1 && groups <= w->s.dim[0] ? (int)groups : 0; /* refused by the shape check */
    if ((n.weight = conv_weight(o, c, w)) < 0) return n.weight;
    if (c->n_in > 2 && c->in[2]) {
        if (!(b = floats(o, c, 2))) return o->e->status;
        if (b->count != (size_t)w->s.dim[0]) return ONX_BAD("'%s' (Conv) has %zu biases for %lld channels", c->label, b->count, (long long)w->s.dim[0]);
        if ((n.bias = xfv_onx_weight(o, xfv_shape_of(1, (int)b->count), b->f, c->in[2]->label, "")) < 0) return n.bias;
    }
    return image_result(o, c, xfv_onx_emit(o, &n, c->label, ""));
}

/* ceil_mode: one more window at the end when it starts inside the input or the padding before it. */
static void ceil_pads(struct xfv_node *n, struct xfv_shape in)
{
    for (int a = 0; a < 2; a++) {
        int64_t span = (n->kernel[a] - 1) * n->dilation[a] + 1, room = (int64_t)in.dim[a] + n->pads[a] + n->pads[a + 2] - span;
        if (room < 0) continue;
        int64_t rest = room % n->stride[a], steps = room / n->stride[a] + 1;
        if (rest == 0 || steps * n->stride[a] >= (int64_t)in.dim[a] + n->pads[a]) continue;
        n->pads[a + 2] += n->stride[a] - (int)rest;
    }
}

int xfv_onx_pool(struct onx *o, const struct onx_call *c)
{
    int max = strcmp(c->op, "MaxPool") == 0, status;
    struct xfv_node n = xfv_node_default(max ? XFV_OP_MAXPOOL : XFV_OP_AVGPOOL);
    n.n_in = 1;
    if (c->n_out > 1 && c->out[1]) return ONX_BAD("'%s' (MaxPool) also gives indices, which are not supported", c->label);
    if ((n.in[0] = xfv_onx_image(o, c, 0)) < 0) return n.in[0];
    if ((status = pair(o, c, "kernel_shape", 0, n.kernel)) || (status = pair(o, c, "strides", 1, n.stride)) || (status = pair(o, c, "dilations", 1, n.dilation))) return status;
    if (!n.kernel[0]) return ONX_BAD("'%s' (%s) has no kernel_shape", c->label, c->op);
    struct xfv_shape in = o->g->values[n.in[0]].shape;
    if ((status = pads(o, c, &n, in))) return status;
    n.i[0] = xfv_onx_int(c, "count_include_pad", 0) != 0;
    int before[4];
    memcpy(before, n.pads, sizeof before);
    if (xfv_onx_int(c, "ceil_mode", 0)) ceil_pads(&n, in);
    if (n.i[0] && !max && memcmp(before, n.pads, sizeof before) != 0)
        return ONX_BAD("'%s' (AveragePool) counts padding and rounds up, which is not supported together", c->label);
    return image_result(o, c, xfv_onx_emit(o, &n, c->label, ""));
}

int xfv_onx_global_pool(struct onx *o, const struct onx_call *c)
{
    struct xfv_node n = xfv_onx_unary(XFV_OP_REDUCE, xfv_onx_image(o, c, 0));
    if (n.in[0] < 0) return n.in[0];
    n.i[0] = strcmp(c->op, "GlobalMaxPool") == 0 ? XFV_REDUCE_MAX : XFV_REDUCE_MEAN;
    n.i[1] = 3;
    return image_result(o, c, xfv_onx_emit(o, &n, c->label, ""));
}

/* ---- batch normalisation: y = (x - mean) / sqrt(var + eps) scale + bias, per channel (axis 1) ---- */

int xfv_onx_batchnorm(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *p[4];
    struct onx_tensor *t = c->in[0];
    if (t->s.rank < 2) return ONX_BAD("'%s' (BatchNormalization) has an input of %d dimensions", c->label, t->s.rank);
    size_t ch = (size_t)t->s.dim[1];
    if (xfv_onx_int(c, "training_mode", 0)) return ONX_BAD("'%s' (BatchNormalization) is in training mode: export the network for inference", c->label);
    for (int k = 0; k < 4; k++) {
        if (!(p[k] = floats(o, c, k + 1))) return o->e->status;
        if (p[k]->count != ch) return ONX_BAD("'%s' (BatchNormalization) has %zu numbers for %zu channels", c->label, p[k]->count, ch);
    }
    float eps = xfv_onx_float(c, "epsilon", 1e-5f), *scale = malloc(2 * ch * sizeof *scale), *shift = scale + ch;
    if (!scale) return xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    for (size_t k = 0; k < ch; k++) {
        double s = (double)p[0]->f[k] / sqrt((double)p[3]->f[k] + (double)eps);
        scale[k] = (float)s;
        shift[k] = (float)((double)p[1]->f[k] - (double)p[2]->f[k] * s);
    }
    int status = xfv_onx_scaled(o, c, t, 1, scale, shift);
    free(scale);
    return status;
}

/* ---- products ---- */

/* t contracted over its axis with w [k][m] (floats), plus bias [m] or NULL; the axis gets size m. One row: a dense layer; many: a 1x1
 * convolution over them. */
static int linear(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, const float *w, int m, const float *bias)
{
    int axes[ONX_AXES], n, v, rows = 1, k = (int)t->s.dim[axis], status = xfv_onx_materialise(o, t, c->label);
    struct xfv_shape flat, full;
    if (status) return status;
    n = xfv_onx_layout_without(t, axis, axes);
    for (int i = 0; i < n; i++) rows *= (int)t->s.dim[axes[i]];
    axes[n++] = axis;
    struct onx_dims s = t->s;
    s.dim[axis] = m;
    full = xfv_onx_shape(s, axes, n);
    struct xfv_node node = xfv_node_default(rows == 1 ? XFV_OP_DENSE : XFV_OP_CONV);
    if (rows > 1) node.weight = xfv_onx_weight(o, xfv_shape_of(4, 1, 1, k, m), w, c->label, "/weight");
    else node.weight = xfv_onx_weight(o, xfv_shape_of(2, k, m), w, c->label, "/weight");
    if (node.weight < 0 || (bias && (node.bias = xfv_onx_weight(o, xfv_shape_of(1, m), bias, c->label, "/bias")) < 0)) return o->e->status;
    if ((v = xfv_onx_ordered(o, t, axes, n, c->label)) < 0) return v;
    flat = rows == 1 ? xfv_shape_of(1, k) : xfv_shape_of(3, rows, 1, k);
    node.n_in = 1;
    if ((node.in[0] = xfv_onx_emit_reshape(o, v, flat, c->label, "/shape")) < 0) return node.in[0];
    if ((v = xfv_onx_emit(o, &node, c->label, rows == 1 ? "" : "/rows")) < 0) return v;
    if ((v = xfv_onx_emit_reshape(o, v, full, c->label, "")) < 0) return v;
    return xfv_onx_result(o, c, 0, v, s, axes, n);
}

/* w [rows][cols] (transposed: [cols][rows]) times factor as new floats [rows][cols]. */
static float *matrix(struct onx *o, const struct onx_const *w, size_t rows, size_t cols, int transposed, float factor)
{
    float *m = malloc(rows * cols * sizeof *m);
    if (!m) xfv_fail(o->e, XFV_ENOMEM, "out of memory for a matrix");
    for (size_t r = 0; m && r < rows; r++)
        for (size_t k = 0; k < cols; k++) m[r * cols + k] = w->f[transposed ? k * rows + r : r * cols + k] * factor;
    return m;
}

static int gemm_bias(struct onx *o, const struct onx_call *c, size_t m, float **bias)
{
    *bias = NULL;
    if (c->n_in < 3 || !c->in[2]) return 0;
    const struct onx_const *x = floats(o, c, 2);
    float beta = xfv_onx_float(c, "beta", 1);
    if (!x) return o->e->status;
    if ((x->count != m && x->count != 1) || (x->count == m && m > 1 && x->s.dim[x->s.rank - 1] != (int64_t)m))
        return ONX_BAD("'%s' (Gemm) has %zu biases for %zu outputs", c->label, x->count, m);
    if (!(*bias = malloc(m * sizeof **bias))) return xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; i < m; i++) (*bias)[i] = x->f[x->count == 1 ? 0 : i] * beta;
    return 0;
}

int xfv_onx_gemm(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *a = c->in[0];
    const struct onx_const *w = floats(o, c, 1);
    int ta = xfv_onx_int(c, "transA", 0) != 0, tb = xfv_onx_int(c, "transB", 0) != 0, status;
    if (!w) return o->e->status;
    if (a->s.rank != 2 || w->s.rank != 2 || w->count == 0 || w->s.dim[tb ? 1 : 0] != a->s.dim[ta ? 0 : 1])
        return ONX_BAD("'%s' (Gemm) has shapes that do not fit", c->label);
    int axis = ta ? 0 : 1;
    size_t k = (size_t)a->s.dim[axis], m = w->count / k;
    float *bias, *wm;
    if ((status = gemm_bias(o, c, m, &bias))) return status;
    wm = matrix(o, w, k, m, tb, xfv_onx_float(c, "alpha", 1));
    status = wm ? linear(o, c, a, axis, wm, (int)m, bias) : o->e->status;
    free(wm);
    free(bias);
    if (status || !ta) return status;
    struct onx_tensor *y = c->out[0]; /* [k][rows] was contracted over its first axis: the axes change names */
    int64_t rows = y->s.dim[1];
    y->s.dim[1] = y->s.dim[0];
    y->s.dim[0] = rows;
    for (int i = 0; i < y->n_axes; i++) y->axis[i] = 1 - y->axis[i];
    return 0;
}

/* Both operands computed: one product for each of the leading axes. */
static int matmul_values(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *t[2] = {c->in[0], c->in[1]};
    int want[2][ONX_AXES], n = 0, status, out[ONX_AXES], stretches = 0;
    struct onx_dims lead[2], s;
    for (int k = 0; k < 2; k++) {
        if (t[k]->s.rank < 2) return ONX_BAD("'%s' (MatMul) has an operand of %d dimensions", c->label, t[k]->s.rank);
        if ((status = xfv_onx_materialise(o, t[k], c->label))) return status;
        lead[k] = t[k]->s;
        lead[k].rank -= 2;
    }
    if ((status = xfv_onx_broadcast_dims(o, c, lead[0], lead[1], &s))) return status;
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] == 1) continue;
        for (int k = 0; k < 2; k++) {
            int a = i - (s.rank - lead[k].rank);
            want[k][n] = a < 0 || lead[k].dim[a] == 1 ? -1 : a; /* stretched */
            stretches |= want[k][n] < 0;
        }
        out[n++] = i;
    }
    if (n > XFV_MAX_RANK - 2 && stretches) return ONX_BAD("'%s' (MatMul) has too many axes", c->label);
    int ra = t[0]->s.rank, rb = t[1]->s.rank, last = -1;
    for (int i = 0; i < t[1]->n_axes; i++)
        if (t[1]->s.dim[t[1]->axis[i]] != 1) last = t[1]->axis[i];
    struct xfv_node node = xfv_node_default(XFV_OP_MATMUL);
    node.i[0] = last == rb - 2; /* its rows lie along: take it as it lies */
    want[0][n] = ra - 2, want[0][n + 1] = ra - 1;
    want[1][n] = rb - (node.i[0] ? 1 : 2), want[1][n + 1] = rb - (node.i[0] ? 2 : 1);
    node.n_in = 2;
    for (int k = 0; k < 2; k++) {
        if ((node.in[k] = xfv_onx_ordered(o, t[k], want[k], n + 2, c->label)) < 0) return node.in[k];
        if (n <= XFV_MAX_RANK - 2) continue; /* more leading axes, alike in both, go together */
        struct xfv_shape have = o->g->values[node.in[k]].shape;
        int rows = have.dim[have.rank - 2], columns = have.dim[have.rank - 1];
        have = xfv_shape_of(3, (int)(xfv_shape_count(have) / (size_t)rows / (size_t)columns), rows, columns);
        if ((node.in[k] = xfv_onx_emit_reshape(o, node.in[k], have, c->label, "/shape")) < 0) return node.in[k];
    }
    s.dim[s.rank] = t[0]->s.dim[ra - 2];
    s.dim[s.rank + 1] = t[1]->s.dim[rb - 1];
    out[n] = s.rank, out[n + 1] = s.rank + 1;
    s.rank += 2;
    return xfv_onx_result(o, c, 0, xfv_onx_emit(o, &node, c->label, ""), s, out, n + 2);
}

/* Is tensor t a constant matrix (leading axes of 1)? */
static int is_matrix(const struct onx_tensor *t)
{
    int lead = 1;
    for (int i = 0; i < t->s.rank - 2; i++) lead &= t->s.dim[i] == 1;
    return xfv_onx_is_constant(t) && t->s.rank >= 2 && lead;
}

int xfv_onx_matmul(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *a = c->in[0], *b = c->n_in > 1 ? c->in[1] : NULL;
    if (!b) return ONX_BAD("'%s' (MatMul) has one operand", c->label);
    int right = is_matrix(b) && a->s.rank >= b->s.rank, left = !right && is_matrix(a) && b->s.rank >= 2 && b->s.rank >= a->s.rank;
    if (!right && !left) return matmul_values(o, c);
    struct onx_tensor *x = right ? a : b, *wt = right ? b : a;
    const struct onx_const *w = floats(o, c, right ? 1 : 0);
    if (!w) return o->e->status;
    if (x->s.rank < 1) return ONX_BAD("'%s' (MatMul) has an operand without dimensions", c->label);
    int axis = right ? x->s.rank - 1 : x->s.rank - 2;
    int64_t k = wt->s.dim[wt->s.rank - (right ? 2 : 1)], m = wt->s.dim[wt->s.rank - (right ? 1 : 2)];
    if (k != x->s.dim[axis] || w->count == 0) return ONX_BAD("'%s' (MatMul) has shapes that do not fit", c->label);
    float *wm = matrix(o, w, (size_t)k, (size_t)m, left, 1);
    int status = wm ? linear(o, c, x, axis, wm, (int)m, NULL) : o->e->status;
    free(wm);
    return status;
}
