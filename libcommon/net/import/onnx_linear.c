/* ONNX files: batch normalisation and products. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

/* ---- batch normalisation: y = (x - mean) / sqrt(var + eps) scale + bias, per channel (axis 1) ---- */

int xfv_onx_batchnorm(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *p[4];
    struct onx_tensor *t = c->in[0];
    if (t->s.rank < 2) return ONX_BAD("'%s' (BatchNormalization) has an input of %d dimensions", c->label, t->s.rank);
    size_t ch = (size_t)t->s.dim[1];
    if (xfv_onx_int(c, "training_mode", 0))
        return ONX_BAD("'%s' (BatchNormalization) is in training mode: export the network for inference", c->label);
    for (int k = 0; k < 4; k++) {
        if (!(p[k] = xfv_onx_floats(o, c, k + 1))) return o->e->status;
        if (p[k]->count != ch)
            return ONX_BAD("'%s' (BatchNormalization) has %zu numbers for %zu channels", c->label, p[k]->count, ch);
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

/* t contracted over its axis with *w [k][m] (floats, the graph's from now on, *w becomes NULL), plus bias [m] or NULL;
 * the axis gets size m. One row: a dense layer; many: a 1x1 convolution over them. */
static int linear(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, float **w, int m,
                  const float *bias)
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
    if (rows > 1) node.weight = xfv_onx_take_weight(o, xfv_shape_of(4, 1, 1, k, m), w, c->label, "/weight");
    else node.weight = xfv_onx_take_weight(o, xfv_shape_of(2, k, m), w, c->label, "/weight");
    if (node.weight < 0 || (bias && (node.bias = xfv_onx_weight(o, xfv_shape_of(1, m), bias, c->label, "/bias")) < 0))
        return o->e->status;
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

/* The bias of a layer with m outputs, times beta: 1, it is one for all or one a column; 0, it is something else, or
 * none; or a negative status. */
static int gemm_bias(struct onx *o, const struct onx_call *c, size_t m, float **bias)
{
    *bias = NULL;
    if (c->n_in < 3 || !c->in[2] || !xfv_onx_is_constant(c->in[2])) return 0;
    const struct onx_const *x = xfv_onx_floats(o, c, 2);
    float beta = xfv_onx_float(c, "beta", 1);
    if (!x) return o->e->status;
    if ((x->count != m && x->count != 1) || (x->count == m && m > 1 && x->s.dim[x->s.rank - 1] != (int64_t)m)) return 0;
    if (!(*bias = malloc(m * sizeof **bias))) return xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; i < m; i++) (*bias)[i] = x->f[x->count == 1 ? 0 : i] * beta;
    return 1;
}

/* Output 0 = alpha output 0 + beta C. */
static int scaled_and_shifted(struct onx *o, const struct onx_call *c, float alpha)
{
    struct onx_tensor y = *c->out[0], shift;
    float beta = xfv_onx_float(c, "beta", 1);
    int status = 0;
    if (alpha < 1 || alpha > 1) status = xfv_onx_times(o, c, &y, (double)alpha, 0, "/scaled");
    if (status || c->n_in < 3 || !c->in[2]) return status ? status : xfv_onx_finish(o, c, &y);
    if ((status = xfv_onx_walker(o, c->in[2], &shift, c->label))) return status;
    if ((beta < 1 || beta > 1) && (status = xfv_onx_times(o, c, &shift, (double)beta, 0, "/shift"))) return status;
    return xfv_onx_combine(o, c, XFV_OP_ADD, &y, &shift);
}

/* The second operand is computed, or the bias is no layer's: a product and what is added to it. */
static int gemm_values(struct onx *o, const struct onx_call *c, struct onx_tensor *a)
{
    static const int turned[2] = {1, 0};
    struct onx_tensor x, y;
    int status = xfv_onx_walker(o, a, &x, c->label);
    if (status || (status = xfv_onx_walker(o, c->in[1], &y, c->label))) return status;
    if (x.s.rank != 2 || y.s.rank != 2) return ONX_BAD("'%s' (Gemm) has shapes that do not fit", c->label);
    if (xfv_onx_int(c, "transA", 0)) xfv_onx_permute(&x, turned);
    if (xfv_onx_int(c, "transB", 0)) xfv_onx_permute(&y, turned);
    status = xfv_onx_by(o, c, xfv_onx_matmul, "MatMul", c->out[0], 2, &x, &y, NULL);
    return status ? status : scaled_and_shifted(o, c, xfv_onx_float(c, "alpha", 1));
}

int xfv_onx_gemm(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor flat, *a = c->in[0];
    int ta = xfv_onx_int(c, "transA", 0) != 0, tb = xfv_onx_int(c, "transB", 0) != 0, status, given;
    if (c->n_in < 2 || !c->in[1]) return ONX_BAD("'%s' (Gemm) has no input 1", c->label);
    if (a->s.rank > 2 && !ta) { /* older exporters leave the flattening to it */
        if ((status = xfv_onx_walker(o, a, &flat, c->label))) return status;
        struct onx_dims s = {2, {a->s.dim[0], (int64_t)xfv_onx_count(a->s) / a->s.dim[0]}};
        if ((status = xfv_onx_reshaped(o, c, &flat, s))) return status;
        a = &flat;
    }
    if (!xfv_onx_is_constant(c->in[1])) return gemm_values(o, c, a);
    const struct onx_const *w = xfv_onx_floats(o, c, 1);
    if (!w) return o->e->status;
    if (a->s.rank != 2 || w->s.rank != 2 || w->count == 0 || w->s.dim[tb ? 1 : 0] != a->s.dim[ta ? 0 : 1])
        return ONX_BAD("'%s' (Gemm) has shapes that do not fit", c->label);
    int axis = ta ? 0 : 1;
    size_t k = (size_t)a->s.dim[axis], m = w->count / k;
    float *bias, *wm;
    if ((given = gemm_bias(o, c, m, &bias)) < 0) return given;
    if (!given && c->n_in > 2 && c->in[2]) return gemm_values(o, c, a);
    wm = matrix(o, w, k, m, tb, xfv_onx_float(c, "alpha", 1));
    status = wm ? linear(o, c, a, axis, &wm, (int)m, bias) : o->e->status;
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

/* MatMul of a vector: as a row, or a column, whose axis is dropped afterwards. */
static int matmul_vectors(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t[2], y = {.label = c->out[0]->label, .value = -1};
    struct onx_call call = *c;
    struct onx_dims s = {0};
    int vector[2], status;
    for (int k = 0; k < 2; k++) {
        if ((status = xfv_onx_walker(o, c->in[k], &t[k], c->label))) return status;
        vector[k] = t[k].s.rank == 1;
        if (vector[k]) {
            int64_t d = t[k].s.dim[0];
            struct onx_dims as = {2, {k ? d : 1, k ? 1 : d}};
            if ((status = xfv_onx_reshaped(o, c, &t[k], as))) return status;
        }
        call.in[k] = &t[k];
    }
    call.out[0] = &y;
    if ((status = xfv_onx_matmul(o, &call))) return status;
    for (int a = 0; a < y.s.rank; a++)
        if (!(vector[0] && a == y.s.rank - 2) && !(vector[1] && a == y.s.rank - 1)) s.dim[s.rank++] = y.s.dim[a];
    return (status = xfv_onx_reshaped(o, c, &y, s)) ? status : xfv_onx_finish(o, c, &y);
}

int xfv_onx_matmul(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *a = c->in[0], *b = c->n_in > 1 ? c->in[1] : NULL;
    if (!b) return ONX_BAD("'%s' (MatMul) has one operand", c->label);
    if (a->s.rank == 1 || b->s.rank == 1) return matmul_vectors(o, c);
    int right = is_matrix(b) && a->s.rank >= b->s.rank,
        left = !right && is_matrix(a) && b->s.rank >= 2 && b->s.rank >= a->s.rank;
    if (!right && !left) return matmul_values(o, c);
    struct onx_tensor *x = right ? a : b, *wt = right ? b : a;
    const struct onx_const *w = xfv_onx_floats(o, c, right ? 1 : 0);
    if (!w) return o->e->status;
    if (x->s.rank < 1) return ONX_BAD("'%s' (MatMul) has an operand without dimensions", c->label);
    int axis = right ? x->s.rank - 1 : x->s.rank - 2;
    int64_t k = wt->s.dim[wt->s.rank - (right ? 2 : 1)], m = wt->s.dim[wt->s.rank - (right ? 1 : 2)];
    if (k != x->s.dim[axis] || w->count == 0) return ONX_BAD("'%s' (MatMul) has shapes that do not fit", c->label);
    float *wm = matrix(o, w, (size_t)k, (size_t)m, left, 1);
    int status = wm ? linear(o, c, x, axis, &wm, (int)m, NULL) : o->e->status;
    free(wm);
    return status;
}
