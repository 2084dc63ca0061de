/* ONNX files: operators of constants alone, computed at import. Most are the arithmetic of shapes that exporters leave
 * in the graph. */
#include <math.h>
#include <string.h>

#include "base/toint.h"
#include "net/import/onnx_internal.h"
#include "stream/tensor.h"

static int is(const struct onx_call *c, const char *op) { return strcmp(c->op, op) == 0; }

int xfv_onx_give(struct onx *o, const struct onx_call *c, int i, struct onx_const *k)
{
    (void)o;
    c->out[i]->c = k;
    c->out[i]->s = k->s;
    c->out[i]->made = 1;
    return 1;
}

static void unravel(struct onx_dims s, size_t i, int64_t *at)
{
    for (int a = s.rank - 1; a >= 0; a--) {
        at[a] = (int64_t)(i % (size_t)s.dim[a]);
        i /= (size_t)s.dim[a];
    }
}

static size_t ravel(struct onx_dims s, const int64_t *at)
{
    size_t i = 0;
    for (int a = 0; a < s.rank; a++) i = i * (size_t)s.dim[a] + (size_t)at[a];
    return i;
}

static void copy_element(struct onx_const *to, size_t t, const struct onx_const *from, size_t f)
{
    if (to->i) to->i[t] = from->i ? from->i[f] : xfv_to_i64((double)from->f[f]);
    else to->f[t] = from->f ? from->f[f] : (float)from->i[f];
}

static struct onx_const *copy_as(struct onx *o, const struct onx_const *c, struct onx_dims s)
{
    struct onx_const *k = xfv_onx_const_new(o, s, c->i != NULL);
    for (size_t i = 0; k && i < k->count; i++) copy_element(k, i, c, i);
    if (k) k->type = c->type;
    return k;
}

/* A result that no data in the file stands for: bounded. */
static int may_make(struct onx *o, const struct onx_call *c, struct onx_dims s)
{
    for (int i = 0; i < s.rank; i++)
        if (s.dim[i] == 0) return 0;
    size_t n = xfv_onx_count(s);
    return n > 0 && n <= ONX_MAX_MADE ? 0
                                      : ONX_BAD("'%s' (%s) makes a constant of an impossible size", c->label, c->op);
}

struct onx_const *xfv_onx_permuted(struct onx *o, const struct onx_const *c, const int *perm)
{
    struct onx_dims s = {.rank = c->s.rank};
    int64_t at[ONX_MAX_RANK], from[ONX_MAX_RANK];
    for (int i = 0; i < s.rank; i++) s.dim[i] = c->s.dim[perm[i]];
    struct onx_const *k = xfv_onx_const_new(o, s, c->i != NULL);
    for (size_t i = 0; k && i < k->count; i++) {
        unravel(s, i, at);
        for (int a = 0; a < s.rank; a++) from[perm[a]] = at[a];
        copy_element(k, i, c, ravel(c->s, from));
    }
    if (k) k->type = c->type;
    return k;
}

/* Element of c that element `at` of a result it stretches to comes from. */
static size_t stretched(const struct onx_const *c, struct onx_dims s, const int64_t *at)
{
    int64_t from[ONX_MAX_RANK];
    for (int i = 0; i < c->s.rank; i++) from[i] = c->s.dim[i] == 1 ? 0 : at[i + s.rank - c->s.rank];
    return ravel(c->s, from);
}

/* ---- arithmetic ---- */

static const char *const binaries[] = {"Add",     "Sub", "Mul", "Div",         "Mod",
                                       "Pow",     "Max", "Min", "Equal",       "Less",
                                       "Greater", "And", "Or",  "LessOrEqual", "GreaterOrEqual",
                                       "Xor",     NULL};
enum {
    B_ADD,
    B_SUB,
    B_MUL,
    B_DIV,
    B_MOD,
    B_POW,
    B_MAX,
    B_MIN,
    B_EQUAL,
    B_LESS,
    B_GREATER,
    B_AND,
    B_OR,
    B_AT_MOST,
    B_AT_LEAST,
    B_XOR,
    B_FMOD
};

static int index_of(const char *const *list, const char *op)
{
    for (int i = 0; list[i]; i++)
        if (strcmp(list[i], op) == 0) return i;
    return -1;
}

static double binary(int op, double a, double b)
{
    switch (op) {
    case B_ADD: return a + b;
    case B_SUB: return a - b;
    case B_MUL: return a * b;
    case B_DIV: return a / b;
    case B_MOD: return a - b * floor(a / b);
    case B_FMOD: return fmod(a, b);
    case B_POW: return pow(a, b);
    case B_MAX: return a > b ? a : b;
    case B_MIN: return a < b ? a : b;
    case B_EQUAL: return !(a < b) && !(a > b);
    case B_LESS: return a < b;
    case B_GREATER: return a > b;
    case B_AND: return a * a > 0 && b * b > 0;
    case B_AT_MOST: return a <= b;
    case B_AT_LEAST: return a >= b;
    case B_XOR: return (a * a > 0) != (b * b > 0);
    default: return a * a > 0 || b * b > 0;
    }
}

/* What is left of a result in a type of fewer bits. */
static int64_t wrapped(int type, int64_t v)
{
    switch (type) {
    case ONX_U8: return (int64_t)((uint64_t)v & 0xff);
    case ONX_U16: return (int64_t)((uint64_t)v & 0xffff);
    case ONX_U32: return (int64_t)((uint64_t)v & 0xffffffff);
    case ONX_I8: return (int64_t)(((uint64_t)v & 0xff) ^ 0x80) - 0x80;
    case ONX_I16: return (int64_t)(((uint64_t)v & 0xffff) ^ 0x8000) - 0x8000;
    case ONX_I32: return (int64_t)(((uint64_t)v & 0xffffffff) ^ 0x80000000) - 0x80000000LL;
    default: return v;
    }
}

int xfv_onx_eval_binary(struct onx *o, const struct onx_call *c)
{
    int op = index_of(binaries, c->op), fmod_ = op == B_MOD && xfv_onx_int(c, "fmod", 0);
    const struct onx_const *a = xfv_onx_constant(o, c->in[0]),
                           *b = a && c->n_in == 2 ? xfv_onx_constant(o, c->in[1]) : NULL;
    struct onx_dims s;
    int64_t at[ONX_MAX_RANK];
    if (!b) return c->n_in == 2 ? o->e->status : 0;
    if (a->count == 0 || b->count == 0) return ONX_BAD("'%s' (%s) has an empty operand", c->label, c->op);
    int status = xfv_onx_broadcast_dims(o, c, a->s, b->s, &s);
    if (status || (a->count != xfv_onx_count(s) && b->count != xfv_onx_count(s) && (status = may_make(o, c, s))))
        return status;
    struct onx_const *k = xfv_onx_const_new(o, s, op >= B_EQUAL || (a->i && b->i));
    for (size_t i = 0; k && i < k->count; i++) {
        unravel(s, i, at);
        double x = xfv_onx_const_at(a, stretched(a, s, at)), y = xfv_onx_const_at(b, stretched(b, s, at));
        if (k->i && (op == B_DIV || op == B_MOD) && !(y * y > 0)) {
            xfv_onx_const_free(k);
            return ONX_BAD("'%s' (%s) divides by zero", c->label, c->op);
        }
        double v = binary(fmod_ ? B_FMOD : op, x, y);
        if (k->i) k->i[i] = wrapped(op >= B_EQUAL ? ONX_BOOL : a->type, xfv_to_i64(v));
        else k->f[i] = (float)v;
    }
    if (k && k->i) k->type = op >= B_EQUAL ? ONX_BOOL : a->type;
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

static const char *const unaries[] = {"Neg",        "Abs", "Sqrt",    "Exp",      "Log",  "Floor", "Ceil",
                                      "Reciprocal", "Not", "Sigmoid", "Tanh",     "Relu", "Round", "Sign",
                                      "Sin",        "Cos", "Erf",     "Softplus", NULL};

static double unary(int op, double v)
{
    switch (op) {
    case 0: return -v;
    case 1: return fabs(v);
    case 2: return sqrt(v);
    case 3: return exp(v);
    case 4: return log(v);
    case 5: return floor(v);
    case 6: return ceil(v);
    case 7: return 1 / v;
    case 8: return !(v * v > 0);
    case 9: return 1 / (1 + exp(-v));
    case 10: return tanh(v);
    case 11: return v > 0 ? v : 0;
    case 12: return rint(v);
    case 13: return v > 0 ? 1 : v < 0 ? -1 : 0;
    case 14: return sin(v);
    case 15: return cos(v);
    case 16: return erf(v);
    default: return v > 0 ? v + log1p(exp(-v)) : log1p(exp(v));
    }
}

int xfv_onx_eval_unary(struct onx *o, const struct onx_call *c)
{
    int op = index_of(unaries, c->op);
    const struct onx_const *a = xfv_onx_constant(o, c->in[0]);
    struct onx_const *k = a ? copy_as(o, a, a->s) : NULL;
    if (!k) return o->e->status;
    for (size_t i = 0; i < k->count; i++) {
        double v = unary(op, xfv_onx_const_at(a, i));
        if (k->i) k->i[i] = xfv_to_i64(v);
        else k->f[i] = (float)v;
    }
    return xfv_onx_give(o, c, 0, k);
}

int xfv_onx_eval_where(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *p[3];
    struct onx_dims s;
    int64_t at[ONX_MAX_RANK];
    if (c->n_in != 3) return ONX_BAD("'%s' (Where) has %d inputs", c->label, c->n_in);
    for (int k = 0; k < 3; k++)
        if (!(p[k] = xfv_onx_constant(o, c->in[k])) || p[k]->count == 0)
            return p[k] ? ONX_BAD("'%s' (Where) has an empty operand", c->label) : o->e->status;
    int status = xfv_onx_broadcast_dims(o, c, p[0]->s, p[1]->s, &s);
    if (status || (status = xfv_onx_broadcast_dims(o, c, s, p[2]->s, &s)) || (status = may_make(o, c, s)))
        return status;
    struct onx_const *k = xfv_onx_const_new(o, s, p[1]->i && p[2]->i);
    for (size_t i = 0; k && i < k->count; i++) {
        unravel(s, i, at);
        double v = xfv_onx_const_at(p[0], stretched(p[0], s, at));
        const struct onx_const *from = v > 0 || v < 0 ? p[1] : p[2];
        copy_element(k, i, from, stretched(from, s, at));
    }
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

/* ---- shapes ---- */

int xfv_onx_eval_shape(struct onx *o, const struct onx_call *c)
{
    const struct onx_tensor *t = c->in[0];
    int64_t start = xfv_onx_int(c, "start", 0), end = xfv_onx_int(c, "end", t->s.rank);
    if (start < 0) start += t->s.rank;
    if (end < 0) end += t->s.rank;
    if (end > t->s.rank) end = t->s.rank;
    if (start < 0 || start > end)
        return ONX_BAD("'%s' (Shape) wants axes %lld to %lld of %d", c->label, (long long)start, (long long)end,
                       t->s.rank);
    int all = is(c, "Size");
    struct onx_const *k = xfv_onx_const_new(o, (struct onx_dims){.rank = all ? 0 : 1, .dim = {end - start}}, 1);
    if (!k) return o->e->status;
    if (all) k->i[0] = (int64_t)xfv_onx_count(t->s);
    else for (int64_t i = start; i < end; i++) k->i[i - start] = t->s.dim[i];
    return xfv_onx_give(o, c, 0, k);
}

int xfv_onx_eval_gather(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *x = xfv_onx_constant(o, c->in[0]),
                           *ix = x && c->n_in == 2 ? xfv_onx_constant(o, c->in[1]) : NULL;
    if (!ix) return c->n_in == 2 ? o->e->status : ONX_BAD("'%s' (Gather) has %d inputs", c->label, c->n_in);
    int axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", 0), x->s.rank);
    if (axis < 0) return axis;
    struct onx_dims s = {.rank = x->s.rank - 1 + ix->s.rank};
    if (!ix->i || s.rank > ONX_MAX_RANK || x->count == 0 || ix->count == 0)
        return ONX_BAD("'%s' (Gather) has impossible operands", c->label);
    for (int i = 0, n = 0; i < x->s.rank; i++) {
        if (i != axis) s.dim[n++] = x->s.dim[i];
        for (int j = 0; i == axis && j < ix->s.rank; j++) s.dim[n++] = ix->s.dim[j];
    }
    int status = may_make(o, c, s);
    if (status) return status;
    struct onx_const *k = xfv_onx_const_new(o, s, x->i != NULL);
    size_t inner = 1, n = (size_t)x->s.dim[axis];
    for (int i = axis + 1; i < x->s.rank; i++) inner *= (size_t)x->s.dim[i];
    for (size_t e = 0; k && e < k->count; e++) {
        int64_t i = ix->i[e / inner % ix->count];
        if (i < 0) i += (int64_t)n;
        if (i < 0 || i >= (int64_t)n) {
            xfv_onx_const_free(k);
            return ONX_BAD("'%s' (Gather) wants element %lld of %zu", c->label, (long long)i, n);
        }
        copy_element(k, e, x, (e / inner / ix->count * n + (size_t)i) * inner + e % inner);
    }
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

int xfv_onx_eval_concat(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *first = xfv_onx_constant(o, c->in[0]);
    if (!first) return o->e->status;
    int axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", 0), first->s.rank), whole = 1;
    if (axis < 0) return axis;
    struct onx_dims s = first->s;
    s.dim[axis] = 0;
    for (int k = 0; k < c->n_in; k++) {
        const struct onx_const *x = xfv_onx_constant(o, c->in[k]);
        if (!x) return o->e->status;
        for (int a = 0; a < s.rank; a++)
            if (x->s.rank != s.rank || (a != axis && x->s.dim[a] != s.dim[a]))
                return ONX_BAD("'%s' (Concat) joins different shapes", c->label);
        s.dim[axis] += x->s.dim[axis];
        whole &= x->i != NULL;
    }
    if (s.dim[axis] > 0 && xfv_onx_count(s) == 0) return ONX_BAD("'%s' (Concat) is too large", c->label);
    struct onx_const *y = xfv_onx_const_new(o, s, whole);
    size_t inner = 1, before = 0;
    for (int i = axis + 1; i < s.rank; i++) inner *= (size_t)s.dim[i];
    for (int k = 0; y && k < c->n_in; k++) {
        const struct onx_const *x = xfv_onx_constant(o, c->in[k]);
        size_t mine = (size_t)x->s.dim[axis] * inner, all = (size_t)s.dim[axis] * inner;
        for (size_t e = 0; e < x->count; e++) copy_element(y, e / mine * all + before + e % mine, x, e);
        before += mine;
    }
    return y ? xfv_onx_give(o, c, 0, y) : o->e->status;
}

int xfv_onx_eval_slice(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *x = xfv_onx_constant(o, c->in[0]);
    int64_t begin[ONX_MAX_RANK], step[ONX_MAX_RANK], at[ONX_MAX_RANK];
    struct onx_dims s;
    int status = x ? xfv_onx_slices(o, c, x->s, begin, step, &s) : o->e->status;
    if (status) return status;
    struct onx_const *k = xfv_onx_const_new(o, s, x->i != NULL);
    for (size_t i = 0; k && i < k->count; i++) {
        unravel(s, i, at);
        for (int a = 0; a < s.rank; a++) at[a] = begin[a] + at[a] * step[a];
        copy_element(k, i, x, ravel(x->s, at));
    }
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

int xfv_onx_eval_reshape(struct onx *o, const struct onx_call *c)
{
    struct onx_dims s;
    const struct onx_const *x = xfv_onx_constant(o, c->in[0]);
    int status = x ? xfv_onx_new_dims(o, c, &s) : o->e->status;
    if (status) return status;
    struct onx_const *k = copy_as(o, x, s);
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

int xfv_onx_eval_transpose(struct onx *o, const struct onx_call *c)
{
    int64_t p[ONX_MAX_RANK];
    int perm[ONX_MAX_RANK], n = xfv_onx_ints(o, c, -1, "perm", p, ONX_MAX_RANK), seen = 0;
    const struct onx_const *x = xfv_onx_constant(o, c->in[0]);
    if (!x || n < 0) return o->e->status;
    for (int i = 0; i < x->s.rank; i++) {
        perm[i] = n ? xfv_onx_axis(o, c, i < n ? p[i] : -9, x->s.rank) : x->s.rank - 1 - i;
        if (perm[i] < 0) return perm[i];
        seen |= 1 << perm[i];
    }
    if (seen != (1 << x->s.rank) - 1) return ONX_BAD("'%s' (Transpose) does not name each axis once", c->label);
    struct onx_const *k = xfv_onx_permuted(o, x, perm);
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

/* ---- made out of nothing ---- */

/* A list of dimensions given as constant input k. */
static int dims_input(struct onx *o, const struct onx_call *c, int k, struct onx_dims *s)
{
    s->rank = xfv_onx_ints(o, c, k, NULL, s->dim, ONX_MAX_RANK);
    if (s->rank < 0) return s->rank;
    for (int i = 0; i < s->rank; i++)
        if (s->dim[i] < 0) return ONX_BAD("'%s' (%s) wants a dimension of %lld", c->label, c->op, (long long)s->dim[i]);
    return 0;
}

int xfv_onx_eval_fill(struct onx *o, const struct onx_call *c) /* ConstantOfShape */
{
    struct onx_dims s;
    struct onx_const *v = NULL, *k = NULL;
    const Onnx__AttributeProto *a = xfv_onx_attribute(c, "value");
    int status = dims_input(o, c, 0, &s);
    if (!status) status = may_make(o, c, s);
    if (!status && a && a->t) status = xfv_onx_load(o, a->t, &v);
    if (!status && v && v->count != 1)
        status = ONX_BAD("'%s' (ConstantOfShape) has a value that is not one number", c->label);
    if (!status && !(k = xfv_onx_const_new(o, s, v && v->i))) status = XFV_ENOMEM;
    for (size_t i = 0; !status && v && i < k->count; i++) copy_element(k, i, v, 0);
    xfv_onx_const_free(v);
    return status ? status : xfv_onx_give(o, c, 0, k);
}

int xfv_onx_eval_expand(struct onx *o, const struct onx_call *c)
{
    struct onx_dims s;
    int64_t at[ONX_MAX_RANK];
    const struct onx_const *x = xfv_onx_constant(o, c->in[0]);
    int status = x ? dims_input(o, c, 1, &s) : o->e->status;
    if (status || (status = xfv_onx_broadcast_dims(o, c, x->s, s, &s)) || (status = may_make(o, c, s))) return status;
    struct onx_const *k = xfv_onx_const_new(o, s, x->i != NULL);
    for (size_t i = 0; k && i < k->count; i++) {
        unravel(s, i, at);
        copy_element(k, i, x, stretched(x, s, at));
    }
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

int xfv_onx_eval_tile(struct onx *o, const struct onx_call *c)
{
    struct onx_dims s;
    int64_t at[ONX_MAX_RANK];
    const struct onx_const *x = xfv_onx_constant(o, c->in[0]);
    int status = x ? dims_input(o, c, 1, &s) : o->e->status;
    if (status) return status;
    if (s.rank != x->s.rank || x->count == 0)
        return ONX_BAD("'%s' (Tile) has %d repeats for %d axes", c->label, s.rank, x->s.rank);
    for (int i = 0; i < s.rank; i++) s.dim[i] = s.dim[i] > ONX_MAX_MADE ? -1 : s.dim[i] * x->s.dim[i];
    if ((status = may_make(o, c, s))) return status;
    struct onx_const *k = xfv_onx_const_new(o, s, x->i != NULL);
    for (size_t i = 0; k && i < k->count; i++) {
        unravel(s, i, at);
        for (int a = 0; a < s.rank; a++) at[a] %= x->s.dim[a];
        copy_element(k, i, x, ravel(x->s, at));
    }
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

int xfv_onx_eval_range(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *p[3];
    for (int k = 0; k < 3; k++)
        if (!(p[k] = k < c->n_in ? xfv_onx_constant(o, c->in[k]) : NULL) || p[k]->count != 1)
            return ONX_BAD("'%s' (Range) wants three numbers", c->label);
    double a = xfv_onx_const_at(p[0], 0), b = xfv_onx_const_at(p[1], 0), d = xfv_onx_const_at(p[2], 0),
           n = ceil((b - a) / d);
    if (!(n >= 0 && n <= ONX_MAX_MADE)) return ONX_BAD("'%s' (Range) has an impossible length", c->label);
    struct onx_dims dims = {.rank = 1, .dim = {xfv_to_i64(n)}};
    struct onx_const *k = xfv_onx_const_new(o, dims, p[0]->i && p[2]->i);
    for (size_t i = 0; k && i < k->count; i++) {
        if (k->i) k->i[i] = xfv_to_i64(a + (double)i * d);
        else k->f[i] = (float)(a + (double)i * d);
    }
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

int xfv_onx_eval_constant(struct onx *o, const struct onx_call *c)
{
    static const char *const lists[] = {"value_float", "value_floats", "value_int", "value_ints"};
    const Onnx__AttributeProto *a = xfv_onx_attribute(c, "value");
    struct onx_const *k;
    if (a && a->t) {
        int status = xfv_onx_load(o, a->t, &k);
        return status ? status : xfv_onx_give(o, c, 0, k);
    }
    for (int i = 0; i < 4; i++) {
        if (!(a = xfv_onx_attribute(c, lists[i]))) continue;
        size_t n = i == 1 ? a->n_floats : i == 3 ? a->n_ints : 1;
        if (n > XFV_MAX_ELEMENTS) return ONX_BAD("'%s' (Constant) is too large", c->label);
        if (!(k = xfv_onx_const_new(o, (struct onx_dims){.rank = i & 1, .dim = {(int64_t)n}}, i >= 2)))
            return o->e->status;
        for (size_t j = 0; j < n; j++) {
            if (k->f) k->f[j] = i == 1 ? a->floats[j] : a->f;
            else k->i[j] = i == 3 ? a->ints[j] : a->i;
        }
        return xfv_onx_give(o, c, 0, k);
    }
    return ONX_BAD("'%s' (Constant) has no value that could be read", c->label);
}

/* ---- Cast, Identity, reductions ---- */

/* x as a float of this type holds it: rounded, halves to the even neighbour. */
static float rounded(float x, int type)
{
    uint16_t half;
    uint32_t u;
    if (type == ONX_F16) {
        xfv_f16_from_f32(&x, &half, 1);
        xfv_f32_from_f16(&half, &x, 1);
    }
    memcpy(&u, &x, sizeof u);
    if (type != ONX_BF16 || (u & 0x7fffffff) > 0x7f800000) return x;
    u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000;
    memcpy(&x, &u, sizeof x);
    return x;
}

int xfv_onx_eval_cast(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *like = is(c, "CastLike") && c->n_in > 1 && c->in[1] && xfv_onx_is_constant(c->in[1])
                                       ? xfv_onx_constant(o, c->in[1])
                                       : NULL;
    if (is(c, "CastLike") && !like) return ONX_BAD("'%s' (CastLike) has no constant to be like", c->label);
    int64_t to = like ? like->type : xfv_onx_int(c, "to", 1);
    const struct onx_const *x = xfv_onx_constant(o, c->in[0]);
    int floats = xfv_onx_is_float((int)to);
    struct onx_const *k = x ? xfv_onx_const_new(o, x->s, !floats) : NULL;
    if (!k) return o->e->status;
    k->type = (int)to;
    for (size_t i = 0; i < k->count; i++) {
        if (to == ONX_BOOL) k->i[i] = xfv_onx_const_at(x, i) > 0 || xfv_onx_const_at(x, i) < 0;
        else if (k->i && x->f) k->i[i] = xfv_to_i64((double)x->f[i]);
        else copy_element(k, i, x, i);
        if (k->f) k->f[i] = rounded(k->f[i], (int)to);
    }
    return xfv_onx_give(o, c, 0, k);
}

int xfv_onx_eval_identity(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *x = xfv_onx_constant(o, c->in[0]);
    struct onx_const *k = x ? copy_as(o, x, x->s) : NULL;
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

/* ReduceProd and friends over all elements (shape arithmetic). */
int xfv_onx_eval_reduce(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *x = xfv_onx_constant(o, c->in[0]);
    int64_t axes[ONX_MAX_RANK];
    if (!x) return o->e->status;
    /* Reduce[P]rod, [S]um, M... */
    int n = xfv_onx_ints(o, c, 1, "axes", axes, ONX_MAX_RANK), op = (unsigned char)c->op[6];
    if (n < 0) return n;
    if ((n != 0 && n != x->s.rank) || x->count == 0) return 0;
    int mean = is(c, "ReduceMean"), max = is(c, "ReduceMax"), min = is(c, "ReduceMin");
    double v = op == 'P' ? 1 : max || min ? xfv_onx_const_at(x, 0) : 0;
    for (size_t i = 0; i < x->count; i++) {
        double e = xfv_onx_const_at(x, i);
        v = op == 'P' ? v * e : max ? (e > v ? e : v) : min ? (e < v ? e : v) : v + e;
    }
    if (mean) v /= (double)x->count;
    struct onx_dims s = {0};
    for (int i = 0; xfv_onx_int(c, "keepdims", 1) && i < x->s.rank; i++) s.dim[s.rank++] = 1;
    struct onx_const *k = xfv_onx_const_new(o, s, x->i != NULL);
    if (!k) return o->e->status;
    if (k->i) k->i[0] = xfv_to_i64(v);
    else k->f[0] = (float)v;
    return xfv_onx_give(o, c, 0, k);
}
