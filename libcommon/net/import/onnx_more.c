/* ONNX files: operators that are made of others: selecting, accumulating, moving blocks, contractions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

static int is(const struct onx_call *c, const char *op) { return strcmp(c->op, op) == 0; }

/* ---- Where with a constant mask ---- */

/* A constant of the shape s: of t where the mask has this value, 0 elsewhere. Infinity becomes the largest number that
 * models hold. */
static struct onx_const *where_of(struct onx *o, const struct onx_const *mask, int value, const struct onx_const *t,
                                  struct onx_dims s)
{
    struct onx_const *k = xfv_onx_const_new(o, s, 0);
    for (size_t i = 0; k && i < k->count; i++) {
        const struct onx_const *from[2] = {mask, t};
        size_t at[2] = {0, 0};
        for (int j = 0; j < 2; j++) {
            size_t rest = i, step = 1;
            for (int a = s.rank - 1; a >= 0; a--) {
                size_t place = rest % (size_t)s.dim[a];
                int own = from[j] ? a - (s.rank - from[j]->s.rank) : -1;
                rest /= (size_t)s.dim[a];
                if (own < 0) continue;
                if (from[j]->s.dim[own] != 1) at[j] += place * step;
                step *= (size_t)from[j]->s.dim[own];
            }
        }
        double m = xfv_onx_const_at(mask, at[0]), v = t ? xfv_onx_const_at(t, at[1]) : 1;
        k->f[i] = (m * m > 0) == value ? (float)(v > 3.4e38 ? 3.4e38 : v < -3.4e38 ? -3.4e38 : v) : 0;
    }
    return k;
}

/* x where the mask is `value`, 0 elsewhere, as output 0. */
static int kept_where(struct onx *o, const struct onx_call *c, const struct onx_const *mask, int value,
                      struct onx_tensor *x, struct onx_dims s)
{
    struct onx_tensor k = {.label = x->label, .value = -1};
    const struct onx_const *t = xfv_onx_is_constant(x) ? xfv_onx_constant(o, x) : NULL;
    if (xfv_onx_is_constant(x) && !t) return o->e->status;
    if (!(k.c = where_of(o, mask, value, t, s))) return o->e->status;
    k.s = s;
    int status = t ? xfv_onx_materialise(o, &k, c->label) : xfv_onx_combine(o, c, XFV_OP_MUL, x, &k);
    if (t && !status) status = xfv_onx_finish(o, c, &k);
    xfv_onx_const_free(k.c);
    return status;
}

int xfv_onx_where_constant(struct onx *o, const struct onx_call *c)
{
    struct onx_dims s;
    const struct onx_const *mask = xfv_onx_constant(o, c->in[0]);
    if (!mask) return o->e->status;
    int status = xfv_onx_broadcast_dims(o, c, c->in[1]->s, c->in[2]->s, &s);
    if (status || (status = xfv_onx_broadcast_dims(o, c, s, mask->s, &s))) return status;
    if (xfv_onx_count(s) == 0 || xfv_onx_count(s) > ONX_MAX_MADE)
        return ONX_BAD("'%s' (Where) has an impossible size", c->label);
    if ((status = kept_where(o, c, mask, 1, c->in[1], s))) return status;
    struct onx_tensor one = *c->out[0], two;
    if ((status = kept_where(o, c, mask, 0, c->in[2], s))) return status;
    two = *c->out[0];
    return xfv_onx_combine(o, c, XFV_OP_ADD, &one, &two);
}

/* ---- products along an axis ---- */

/* What is accumulated, into *t; the axis, or a negative status. */
static int accumulated(struct onx *o, const struct onx_call *c, struct onx_tensor *t)
{
    int64_t which = 0;
    int status = xfv_onx_walker(o, c->in[0], t, c->label), n = status ? status : xfv_onx_ints(o, c, 1, NULL, &which, 1);
    return n < 0 ? n : xfv_onx_axis(o, c, which, t->s.rank);
}

int xfv_onx_cumsum(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t;
    int axis = accumulated(o, c, &t), status;
    if (axis < 0) return axis;
    int back = xfv_onx_int(c, "reverse", 0) != 0, without = xfv_onx_int(c, "exclusive", 0) != 0;
    int64_t d = t.s.dim[axis];
    float *m = xfv_onx_matrix(o, c, d, d);
    if (!m) return o->e->status;
    for (int64_t r = 0; r < d; r++)
        for (int64_t k = 0; k < d; k++) m[r * d + k] = back ? k >= r + without : k <= r - without;
    status = xfv_onx_along(o, c, &t, axis, m, (int)d);
    free(m);
    return status ? status : xfv_onx_finish(o, c, &t);
}

/* CumProd: by doubling: each step multiplies with what lies 1, 2, 4, ... places before (ones where nothing does). */
int xfv_onx_cumprod(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t, before;
    int axis = accumulated(o, c, &t), status = 0;
    if (axis < 0) return axis;
    int64_t d = t.s.dim[axis], sign = xfv_onx_int(c, "reverse", 0) ? -1 : 1,
            first = xfv_onx_int(c, "exclusive", 0) ? 1 : 0;
    struct onx_dims s = {.rank = t.s.rank};
    for (int a = 0; a < s.rank; a++) s.dim[a] = a == axis ? d : 1;
    for (int64_t shift = first ? 0 : 1; shift < d || shift == 0; shift = shift ? 2 * shift : 1) {
        int64_t by = shift ? shift : 1; /* exclusive: everything one place on, first */
        struct onx_tensor ones = {.label = t.label, .s = s, .value = -1};
        float *m = xfv_onx_matrix(o, c, d, d);
        if (!m || !(ones.c = xfv_onx_const_new(o, s, 0))) return free(m), o->e->status;
        for (int64_t i = 0; i < d; i++) {
            int64_t from = i - sign * by;
            if (from >= 0 && from < d) m[i * d + from] = 1;
            else ones.c->f[i] = 1;
        }
        before = t;
        status = xfv_onx_along(o, c, &before, axis, m, (int)d);
        free(m);
        if (!status) status = xfv_onx_combine(o, c, XFV_OP_ADD, &before, &ones);
        xfv_onx_const_free(ones.c);
        before = *c->out[0];
        if (!status && shift) status = xfv_onx_combine(o, c, XFV_OP_MUL, &t, &before);
        if (status) return status;
        t = *c->out[0];
        if (d == 1) break;
    }
    return xfv_onx_finish(o, c, &t);
}

/* Elements of an axis by any list or table of constant indices: a matrix of ones and zeros; the axis becomes the axes
 * of the table. */
int xfv_onx_gather_many(struct onx *o, const struct onx_call *c, int axis)
{
    struct onx_tensor t;
    const struct onx_const *ix = xfv_onx_constant(o, c->in[1]);
    int status = ix ? xfv_onx_walker(o, c->in[0], &t, c->label) : o->e->status, axes[ONX_AXES], n = 0;
    if (status) return status;
    struct onx_dims s = {.rank = t.s.rank - 1 + ix->s.rank};
    int64_t d = t.s.dim[axis];
    if (!ix->i || ix->count == 0 || s.rank > ONX_MAX_RANK)
        return ONX_BAD("'%s' (Gather) has impossible indices", c->label);
    float *m = xfv_onx_matrix(o, c, (int64_t)ix->count, d);
    if (!m) return o->e->status;
    for (size_t i = 0; i < ix->count && !status; i++) {
        int64_t k = ix->i[i] < 0 ? ix->i[i] + d : ix->i[i];
        if (k < 0 || k >= d)
            status = ONX_BAD("'%s' (Gather) wants element %lld of %lld", c->label, (long long)ix->i[i], (long long)d);
        else m[i * (size_t)d + (size_t)k] = 1;
    }
    if (!status) status = xfv_onx_along(o, c, &t, axis, m, (int)ix->count);
    free(m);
    if (status) return status;
    for (int a = 0, k = 0; a < t.s.rank; a++) {
        if (a != axis) s.dim[k++] = t.s.dim[a];
        for (int j = 0; a == axis && j < ix->s.rank; j++) s.dim[k++] = ix->s.dim[j];
    }
    for (int i = 0; i < t.n_axes; i++) {
        if (t.axis[i] != axis) axes[n++] = t.axis[i] + (t.axis[i] > axis ? ix->s.rank - 1 : 0);
        else for (int j = 0; j < ix->s.rank; j++) axes[n++] = axis + j;
        if (n > ONX_MAX_RANK) return ONX_BAD("'%s' (Gather) makes too many axes", c->label);
    }
    int v = xfv_onx_emit_reshape(o, t.value, xfv_onx_shape(s, axes, n), c->label, "/shape");
    return v < 0 ? v : xfv_onx_result(o, c, 0, v, s, axes, n);
}

/* ---- blocks of pixels and channels ---- */

int xfv_onx_blocks(struct onx *o, const struct onx_call *c)
{
    static const int out_dcr[6] = {0, 3, 4, 1, 5, 2}, out_crd[6] = {0, 1, 4, 2, 5, 3}, in[6] = {0, 3, 5, 1, 2, 4};
    struct onx_tensor t;
    int64_t b = xfv_onx_int(c, "blocksize", 0);
    int deep = is(c, "SpaceToDepth"), crd = xfv_onx_text_is(c, "mode", "CRD"),
        status = xfv_onx_walker(o, c->in[0], &t, c->label);
    if (status) return status;
    int64_t n = t.s.dim[0], ch = t.s.dim[1], h = t.s.dim[2], w = t.s.dim[3];
    if (t.s.rank != 4 || b < 1 || b > XFV_MAX_KERNEL || (deep ? h % b || w % b : ch % (b * b)))
        return ONX_BAD("'%s' (%s) has blocks of %lld that do not fit", c->label, c->op, (long long)b);
    struct onx_dims s = deep  ? (struct onx_dims){6, {n, ch, h / b, b, w / b, b}}
                        : crd ? (struct onx_dims){6, {n, ch / (b * b), b, b, h, w}}
                              : (struct onx_dims){6, {n, b, b, ch / (b * b), h, w}};
    if ((status = xfv_onx_reshaped(o, c, &t, s))) return status;
    xfv_onx_permute(&t, deep ? in : crd ? out_crd : out_dcr);
    s = deep ? (struct onx_dims){4, {n, ch * b * b, h / b, w / b}}
             : (struct onx_dims){4, {n, ch / (b * b), h * b, w * b}};
    return (status = xfv_onx_reshaped(o, c, &t, s)) ? status : xfv_onx_finish(o, c, &t);
}

/* ---- Einsum of two operands ---- */

struct term { char axis[ONX_MAX_RANK + 1]; int n; };

static int letters(const char *s, size_t n, struct term *t)
{
    *t = (struct term){.n = 0};
    for (size_t i = 0; i < n; i++) {
        if (s[i] == ' ') continue;
        int letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');
        /* no ellipsis, no diagonal */
        if (!letter || t->n == ONX_MAX_RANK || memchr(t->axis, s[i], (size_t)t->n)) return 0;
        t->axis[t->n++] = s[i];
    }
    return 1;
}

static int place(const struct term *t, char letter)
{
    for (int i = 0; i < t->n; i++)
        if (t->axis[i] == letter) return i;
    return -1;
}

/* "ab,bc->ac" taken apart: 0 when it is not of this form. */
static int equation(const struct onx_call *c, struct term in[2], struct term *out)
{
    const Onnx__AttributeProto *a = xfv_onx_attribute(c, "equation");
    if (!a || !a->has_s || a->s.len == 0 || a->s.len > 100) return 0;
    const char *s = (const char *)a->s.data, *end = s + a->s.len, *comma = memchr(s, ',', a->s.len), *arrow = NULL;
    for (const char *p = s; p + 1 < end; p++)
        if (p[0] == '-' && p[1] == '>') arrow = p;
    if (!arrow || (c->n_in == 2) != (comma != NULL) || (comma && comma > arrow)) return 0;
    if (!letters(s, (size_t)((comma ? comma : arrow) - s), &in[0]) ||
        (comma && !letters(comma + 1, (size_t)(arrow - comma - 1), &in[1])))
        return 0;
    return letters(arrow + 2, (size_t)(end - arrow - 2), out);
}

/* t with axes that nobody else has summed away; its term without them. */
static int summed(struct onx *o, const struct onx_call *c, struct onx_tensor *t, struct term *mine,
                  const struct term *other, const struct term *out)
{
    unsigned mask = 0;
    struct term left = {.n = 0};
    for (int i = 0; i < mine->n; i++) {
        if (place(out, mine->axis[i]) < 0 && (!other || place(other, mine->axis[i]) < 0)) mask |= 1u << i;
        else left.axis[left.n++] = mine->axis[i];
    }
    *mine = left;
    if (!mask) return 0;
    int status = xfv_onx_reduced(o, c, t, XFV_REDUCE_SUM, mask, 0);
    *t = *c->out[0];
    return status;
}

/* Axes of t in the order of `list`, as [shared][rows][columns]: the numbers of letters that belong to each. */
static int matrices(struct onx *o, const struct onx_call *c, struct onx_tensor *t, const struct term *mine,
                    const struct term list[3])
{
    int perm[ONX_MAX_RANK], n = 0;
    struct onx_dims flat = {3, {1, 1, 1}};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < list[k].n; i++) {
            perm[n] = place(mine, list[k].axis[i]);
            flat.dim[k] *= t->s.dim[perm[n++]];
        }
    xfv_onx_permute(t, perm);
    return xfv_onx_reshaped(o, c, t, flat);
}

static int contract(struct onx *o, const struct onx_call *c, struct onx_tensor t[2], struct term in[2],
                    const struct term *out)
{
    struct term shared = {.n = 0}, rows = {.n = 0}, columns = {.n = 0}, summed_over = {.n = 0}, order = {.n = 0};
    struct onx_dims s = {0};
    int perm[ONX_MAX_RANK], status;
    for (int i = 0; i < in[0].n; i++) {
        char a = in[0].axis[i];
        struct term *to = place(&in[1], a) < 0 ? &rows : place(out, a) >= 0 ? &shared : &summed_over;
        to->axis[to->n++] = a;
        if (place(&in[1], a) >= 0 && t[0].s.dim[i] != t[1].s.dim[place(&in[1], a)])
            return ONX_BAD("'%s' (Einsum) joins axes of different sizes", c->label);
    }
    for (int i = 0; i < in[1].n; i++)
        if (place(&in[0], in[1].axis[i]) < 0) columns.axis[columns.n++] = in[1].axis[i];
    const struct term *parts[3] = {&shared, &rows, &columns};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < parts[k]->n; i++) {
            int first = place(&in[0], parts[k]->axis[i]), second = place(&in[1], parts[k]->axis[i]);
            s.dim[s.rank++] = first >= 0 ? t[0].s.dim[first] : t[1].s.dim[second];
            order.axis[order.n++] = parts[k]->axis[i];
        }
    if (order.n != out->n) return ONX_BAD("'%s' (Einsum) makes axes that no operand has", c->label);
    if ((status = matrices(o, c, &t[0], &in[0], (const struct term[]){shared, rows, summed_over})) ||
        (status = matrices(o, c, &t[1], &in[1], (const struct term[]){shared, summed_over, columns})))
        return status;
    if ((status = xfv_onx_by(o, c, xfv_onx_matmul, "MatMul", c->out[0], 2, &t[0], &t[1], NULL))) return status;
    t[0] = *c->out[0];
    if ((status = xfv_onx_reshaped(o, c, &t[0], s))) return status;
    for (int i = 0; i < out->n; i++) perm[i] = place(&order, out->axis[i]);
    xfv_onx_permute(&t[0], perm);
    return xfv_onx_finish(o, c, &t[0]);
}

int xfv_onx_einsum(struct onx *o, const struct onx_call *c)
{
    struct term in[2], out;
    struct onx_tensor t[2];
    int perm[ONX_MAX_RANK], status;
    if (c->n_in < 1 || c->n_in > 2 || !equation(c, in, &out))
        return ONX_BAD("'%s' (Einsum) is not of one or two operands, each axis named once", c->label);
    for (int k = 0; k < c->n_in; k++) {
        if (!c->in[k] || c->in[k]->s.rank != in[k].n)
            return ONX_BAD("'%s' (Einsum) names %d axes of an operand with %d", c->label, in[k].n,
                           c->in[k] ? c->in[k]->s.rank : 0);
        if ((status = xfv_onx_walker(o, c->in[k], &t[k], c->label))) return status;
    }
    for (int k = 0; k < c->n_in; k++)
        if ((status = summed(o, c, &t[k], &in[k], c->n_in == 2 ? &in[1 - k] : NULL, &out))) return status;
    if (c->n_in == 2) return contract(o, c, t, in, &out);
    for (int i = 0; i < out.n; i++)
        if ((perm[i] = place(&in[0], out.axis[i])) < 0)
            return ONX_BAD("'%s' (Einsum) makes an axis that its operand has not", c->label);
    xfv_onx_permute(&t[0], perm);
    return xfv_onx_finish(o, c, &t[0]);
}

/* Mean: the sum, by the number of operands. */
int xfv_onx_mean(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t;
    int status = xfv_onx_sum(o, c);
    if (status) return status;
    t = *c->out[0];
    if ((status = xfv_onx_walker(o, c->out[0], &t, c->label)) ||
        (status = xfv_onx_times(o, c, &t, 1.0 / c->n_in, 0, "")))
        return status;
    return xfv_onx_finish(o, c, &t);
}
