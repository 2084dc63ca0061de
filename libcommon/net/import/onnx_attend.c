/* ONNX files: attention, as ONNX has it (opset 23 and later) and as ONNX Runtime's optimiser writes it (com.microsoft),
 * and rotary embeddings. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/onnx_internal.h"

#define HIDDEN (-1e30) /* what a score gets that a query may not see */

/* out = f(a, b), under another name */
static int by(struct onx *o, const struct onx_call *c, onx_builder *f, const char *op, struct onx_tensor *out,
              struct onx_tensor *a, struct onx_tensor *b)
{
    *out = xfv_onx_fresh(c->label);
    return xfv_onx_by(o, c, f, op, out, b ? 2 : 1, a, b, NULL);
}

/* What is asked for, besides queries, keys and values of four axes [N, heads, S, d]. */
struct attend {
    struct onx_tensor *mask; /* added to the scores; truth values: seen or not; NULL: none */
    const struct onx_const *lengths; /* of keys that are there, one a sample; NULL: all */
    double scale, cap;       /* cap 0: none */
    int64_t causal_from;     /* a query sees keys up to its own number plus this; INT64_MIN: all */
    int64_t left, right;     /* how far it sees; -1: without a bound */
    int mode;                /* which scores are output 3 */
};

/* [N, S, heads d] as [N, heads, S, d]; tensors of four axes stay. */
static int by_heads(struct onx *o, const struct onx_call *c, int64_t heads, struct onx_tensor *t)
{
    static const int perm[4] = {0, 2, 1, 3};
    int status;
    if (t->s.rank == 4) return 0;
    if (t->s.rank != 3 || heads < 1 || t->s.dim[2] % heads)
        return ONX_BAD("'%s' (%s) cannot split %lld numbers into %lld heads", c->label, c->op,
                       (long long)(t->s.rank ? t->s.dim[t->s.rank - 1] : 0), (long long)heads);
    if ((status = xfv_onx_reshaped(o, c, t,
                                   (struct onx_dims){4, {t->s.dim[0], t->s.dim[1], heads, t->s.dim[2] / heads}})))
        return status;
    xfv_onx_permute(t, perm);
    return 0;
}

/* ... and back. */
static int joined_heads(struct onx *o, const struct onx_call *c, struct onx_tensor *t)
{
    static const int back[4] = {0, 2, 1, 3};
    xfv_onx_permute(t, back);
    return xfv_onx_reshaped(o, c, t, (struct onx_dims){3, {t->s.dim[0], t->s.dim[1], t->s.dim[2] * t->s.dim[3]}});
}

/* Keys or values of fewer heads than queries: each head once for its group. */
static int repeated(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int64_t heads)
{
    int64_t own = t->s.dim[1];
    if (own == heads) return 0;
    if (own < 1 || heads % own)
        return ONX_BAD("'%s' (%s) has %lld heads of keys for %lld of queries", c->label, c->op, (long long)own,
                       (long long)heads);
    float *m = xfv_onx_matrix(o, c, heads, own);
    if (!m) return o->e->status;
    for (int64_t h = 0; h < heads; h++) m[h * own + h / (heads / own)] = 1;
    int status = xfv_onx_along(o, c, t, 1, m, (int)heads);
    free(m);
    return status;
}

/* ---- masks ---- */

/* What the constant mask m, right-aligned, says of a place; fewer columns than keys: the others are not seen. */
static double mask_at(const struct onx_const *m, const int64_t at[4])
{
    size_t i = 0;
    for (int a = 0; a < m->s.rank; a++) {
        int64_t place = at[4 - m->s.rank + a], n = m->s.dim[a];
        if (a == m->s.rank - 1 && n != 1 && place >= n) return HIDDEN;
        i = i * (size_t)n + (size_t)(n == 1 ? 0 : place);
    }
    double v = xfv_onx_const_at(m, i);
    if (m->i) return v > 0 || v < 0 ? 0 : HIDDEN;
    return v < HIDDEN ? HIDDEN : v;
}

static int mask_fits(const struct onx_const *m, struct onx_dims scores)
{
    int fits = m->s.rank <= 4 && m->count > 0;
    for (int a = 0; fits && a < m->s.rank; a++) {
        int64_t n = m->s.dim[a], want = scores.dim[4 - m->s.rank + a];
        fits = n == 1 || n == want || (a == m->s.rank - 1 && n < want);
    }
    return fits;
}

static double hidden_at(const struct attend *p, const struct onx_const *m, const int64_t at[4], int64_t rows)
{
    int64_t from = p->lengths && p->causal_from != INT64_MIN ? p->lengths->i[at[0]] - rows : p->causal_from,
            ahead = at[3] - at[2];
    double v = m ? mask_at(m, at) : 0;
    if (from != INT64_MIN && ahead > from) return HIDDEN;
    int64_t off = p->lengths ? p->lengths->i[at[0]] - rows : from == INT64_MIN ? 0 : from;
    if ((p->left >= 0 && off - ahead > p->left) || (p->right >= 0 && ahead - off > p->right)) return HIDDEN;
    if (p->lengths && at[3] >= p->lengths->i[at[0]]) return HIDDEN;
    return v;
}

/* What is added to scores [N, heads, rows, columns]: constants, in *add; and in *rows, where a query sees nothing, 0
 * for its row, 1 for others (NULL: all see something). */
static int masks(struct onx *o, const struct onx_call *c, const struct attend *p, const struct onx_const *m,
                 struct onx_dims scores, struct onx_const **add, struct onx_const **rows)
{
    struct onx_dims s = scores, r;
    int blind = 0;
    if ((m && !mask_fits(m, scores)) || (p->lengths && (int64_t)p->lengths->count != scores.dim[0]))
        return ONX_BAD("'%s' (%s) has a mask that does not fit", c->label, c->op);
    s.dim[0] = (m && m->s.rank == 4 && m->s.dim[0] > 1) || p->lengths ? s.dim[0] : 1;
    s.dim[1] = m && m->s.rank >= 3 && m->s.dim[m->s.rank - 3] > 1 ? s.dim[1] : 1;
    r = s, r.dim[3] = 1;
    if (xfv_onx_count(s) == 0 || xfv_onx_count(s) > ONX_MAX_MADE || !(*add = xfv_onx_const_new(o, s, 0)) ||
        !(*rows = xfv_onx_const_new(o, r, 0)))
        return ONX_BAD("'%s' (%s) has a mask of an impossible size", c->label, c->op);
    for (size_t i = 0; i < (*add)->count; i++) {
        size_t row = i / (size_t)s.dim[3];
        int64_t at[4] = {(int64_t)(row / (size_t)s.dim[2] / (size_t)s.dim[1]),
                         (int64_t)(row / (size_t)s.dim[2] % (size_t)s.dim[1]), (int64_t)(row % (size_t)s.dim[2]),
                         (int64_t)(i % (size_t)s.dim[3])};
        double v = hidden_at(p, m, at, s.dim[2]);
        (*add)->f[i] = (float)v;
        if (v > HIDDEN / 10) (*rows)->f[row] = 1;
    }
    for (size_t i = 0; i < (*rows)->count; i++) blind |= (*rows)->f[i] < 1;
    if (!blind) xfv_onx_const_free(*rows), *rows = NULL;
    return 0;
}

/* t = t op k, a constant */
static int with_constant(struct onx *o, const struct onx_call *c, struct onx_tensor *t, const char *op,
                         struct onx_const *k)
{
    struct onx_tensor b = xfv_onx_fresh(c->label), y;
    b.c = k, b.s = k->s;
    int status = by(o, c, xfv_onx_binary, op, &y, t, &b);
    *t = y;
    return status;
}

/* ---- attention ---- */

static int told(struct onx *o, const struct onx_call *c, int k, const struct onx_tensor *t)
{
    return k < c->n_out && c->out[k] ? xfv_onx_result(o, c, k, t->value, t->s, t->axis, t->n_axes) : 0;
}

/* scores = what the softmax gets, of q k; *rows as in masks */
static int scores_of(struct onx *o, const struct onx_call *c, const struct attend *p, struct onx_tensor *scores,
                     struct onx_const **rows)
{
    struct onx_const *add = NULL;
    int constant = p->mask && xfv_onx_is_constant(p->mask), status = 0;
    const struct onx_const *m = constant ? xfv_onx_constant(o, p->mask) : NULL;
    if (constant && !m) return o->e->status;
    if (p->cap > 0) {
        if ((status = xfv_onx_times(o, c, scores, 1 / p->cap, 0, "/soft")) ||
            (status = xfv_onx_step(o, c, scores, xfv_node_act(XFV_ACT_TANH, 0, 0, 0), "/tanh")) ||
            (status = xfv_onx_times(o, c, scores, p->cap, 0, "/capped")))
            return status;
    }
    if (p->mode == 1 && (status = told(o, c, 3, scores))) return status;
    if (p->mask && !constant) {
        struct onx_tensor y;
        if (p->mask->s.rank < 1 || (p->mask->s.dim[p->mask->s.rank - 1] != scores->s.dim[3] && p->mask->s.rank))
            return ONX_BAD("'%s' (%s) has a computed mask that does not fit", c->label, c->op);
        if ((status = by(o, c, xfv_onx_binary, "Add", &y, scores, p->mask))) return status;
        *scores = y;
    }
    if (m || p->lengths || p->causal_from != INT64_MIN || p->left >= 0 || p->right >= 0) {
        status = masks(o, c, p, m, scores->s, &add, rows);
        if (!status) status = with_constant(o, c, scores, "Add", add);
        xfv_onx_const_free(add);
    }
    return status ? status : p->mode == 2 ? told(o, c, 3, scores) : 0;
}

/* *y = softmax(scale q k^T + masks) v */
static int attend(struct onx *o, const struct onx_call *c, const struct attend *p, struct onx_tensor *q,
                  struct onx_tensor *k, struct onx_tensor *v, struct onx_tensor *y)
{
    static const int turned[4] = {0, 1, 3, 2};
    struct onx_tensor scores, prob;
    struct onx_const *rows = NULL;
    int status;
    if ((status = repeated(o, c, k, q->s.dim[1])) || (status = repeated(o, c, v, q->s.dim[1])) ||
        (status = xfv_onx_times(o, c, q, p->scale, 0, "/scaled")))
        return status;
    xfv_onx_permute(k, turned);
    if ((status = by(o, c, xfv_onx_matmul, "MatMul", &scores, q, k))) return status;
    if (p->mode == 0 && (status = told(o, c, 3, &scores))) return status;
    status = scores_of(o, c, p, &scores, &rows);
    if (!status) status = by(o, c, xfv_onx_softmax_last, "Softmax", &prob, &scores, NULL);
    if (!status && rows) status = with_constant(o, c, &prob, "Mul", rows); /* who sees nothing gets nothing */
    xfv_onx_const_free(rows);
    if (!status && p->mode == 3) status = told(o, c, 3, &prob);
    return status ? status : by(o, c, xfv_onx_matmul, "MatMul", y, &prob, v);
}

/* t = past and t, one after the other */
static int with_past(struct onx *o, const struct onx_call *c, struct onx_tensor *past, struct onx_tensor *t)
{
    struct onx_tensor old, y = xfv_onx_fresh(c->label);
    struct onx_call moved = *c;
    struct xfv_node n = xfv_node_default(XFV_OP_CONCAT);
    int axes[4], count = 0, d = -1, status = xfv_onx_walker(o, past, &old, c->label);
    if (status) return status;
    if (old.s.rank != 4) return ONX_BAD("'%s' (%s) has a past that does not fit", c->label, c->op);
    for (int a = 0; a < 4; a++) {
        if (a != 2 && old.s.dim[a] != t->s.dim[a])
            return ONX_BAD("'%s' (%s) has a past that does not fit", c->label, c->op);
        if (a == 2) d = count;
        if (a == 2 || t->s.dim[a] != 1) axes[count++] = a;
    }
    n.n_in = 2, n.i[0] = d;
    if ((n.in[0] = xfv_onx_ordered(o, &old, axes, count, c->label)) < 0 ||
        (n.in[1] = xfv_onx_ordered(o, t, axes, count, c->label)) < 0)
        return n.in[0] < 0 ? n.in[0] : n.in[1];
    struct onx_dims s = t->s;
    s.dim[2] += old.s.dim[2];
    moved.out[0] = &y;
    status = xfv_onx_result(o, &moved, 0, xfv_onx_emit(o, &n, c->label, "/all"), s, axes, count);
    *t = y;
    return status;
}

/* ---- com.microsoft ---- */

/* y = n elements of t's last axis */
static int share(struct onx *o, const struct onx_call *c, const struct onx_tensor *t, int64_t from, int64_t n,
                 struct onx_tensor *y)
{
    int last = t->s.rank - 1;
    *y = *t;
    y->value = xfv_onx_cut(o, c, t, last, from, from + n);
    y->s.dim[last] = n;
    return y->value < 0 ? y->value : 0;
}

/* Output 0 of q, k and v [N, S, heads d], with the table in input `table` added to the scores. */
static int attend_joined(struct onx *o, const struct onx_call *c, struct onx_tensor t[3], int table)
{
    struct attend p = {.mask = table < c->n_in ? c->in[table] : NULL,
                       .left = -1,
                       .right = -1,
                       .mode = -1,
                       .causal_from = xfv_onx_int(c, "unidirectional", 0) ? 0 : INT64_MIN};
    struct onx_tensor y;
    int64_t heads = xfv_onx_int(c, "num_heads", 0);
    int status = 0;
    for (int i = 1; i < c->n_out; i++)
        if (c->out[i]) return ONX_BAD("'%s' (%s) also gives keys and values, which is not supported", c->label, c->op);
    for (int i = 0; i < 3 && !status; i++) status = by_heads(o, c, heads, &t[i]);
    if (status) return status;
    double scale = (double)xfv_onx_float(c, "scale", 0); /* 0: not said */
    p.scale = scale > 0 || scale < 0 ? scale : 1 / sqrt((double)t[0].s.dim[3]);
    if ((status = attend(o, c, &p, &t[0], &t[1], &t[2], &y)) || (status = joined_heads(o, c, &y))) return status;
    return xfv_onx_finish(o, c, &y);
}

static int only(struct onx *o, const struct onx_call *c, const char *known)
{
    for (int k = 0; k < c->n_in; k++)
        if (c->in[k] && (k >= (int)strlen(known) || known[k] == '-'))
            return ONX_BAD("'%s' (%s) reads input %d ('%s'), which is not supported", c->label, c->op, k,
                           c->in[k]->label);
    return 0;
}

/* Attention(x, weights of all three, bias, -, -, table) */
static int attention_of_microsoft(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor all, y, t[3];
    int64_t size[3] = {0}, at = 0;
    int n = xfv_onx_ints(o, c, -1, "qkv_hidden_sizes", size, 3), status = n < 0 ? n : only(o, c, "xwb--t");
    if (status) return status;
    if (c->n_in < 2 || !c->in[1] || xfv_onx_int(c, "do_rotary", 0) || xfv_onx_int(c, "past_present_share_buffer", 0))
        return ONX_BAD("'%s' (%s) is in a form that is not supported", c->label, c->op);
    if ((status = by(o, c, xfv_onx_matmul, "MatMul", &all, c->in[0], c->in[1]))) return status;
    if (c->n_in > 2 && c->in[2]) {
        if ((status = by(o, c, xfv_onx_binary, "Add", &y, &all, c->in[2]))) return status;
        all = y;
    }
    if (all.s.rank != 3 || (n != 0 && n != 3)) return ONX_BAD("'%s' (%s) has shapes that do not fit", c->label, c->op);
    for (int i = 0; i < 3; i++, at += size[i - 1]) {
        if (n == 0) size[i] = all.s.dim[2] / 3;
        if (size[i] < 1 || size[i] > all.s.dim[2] - at)
            return ONX_BAD("'%s' (%s) has shapes that do not fit", c->label, c->op);
        if ((status = share(o, c, &all, at, size[i], &t[i]))) return status;
    }
    if (at != all.s.dim[2]) return ONX_BAD("'%s' (%s) has shapes that do not fit", c->label, c->op);
    return attend_joined(o, c, t, 5);
}

/* MultiHeadAttention(q, k, v, bias of all three, -, table) */
int xfv_onx_multi_head(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t[3], bias, part, y;
    int64_t at = 0;
    int status = only(o, c, "qkvb-t");
    if (status) return status;
    if (c->n_in < 3 || !c->in[1] || !c->in[2]) return ONX_BAD("'%s' (%s) lacks keys or values", c->label, c->op);
    for (int i = 0; i < 3; i++) {
        if ((status = xfv_onx_walker(o, c->in[i], &t[i], c->label))) return status;
        if (t[i].s.rank != 3) return ONX_BAD("'%s' (%s) is in a form that is not supported", c->label, c->op);
        if (c->n_in < 4 || !c->in[3]) continue;
        int64_t n = t[i].s.dim[2];
        if ((status = xfv_onx_walker(o, c->in[3], &bias, c->label)) || (status = share(o, c, &bias, at, n, &part)) ||
            (status = by(o, c, xfv_onx_binary, "Add", &y, &t[i], &part)))
            return status;
        t[i] = y;
        at += n;
    }
    return attend_joined(o, c, t, 5);
}

/* Attention of ai.onnx: Q, K, V, mask, past keys, past values, lengths. */
int xfv_onx_attention(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor t[3], y;
    struct attend p = {.mask = c->n_in > 3 ? c->in[3] : NULL,
                       .cap = (double)xfv_onx_float(c, "softcap", 0),
                       .left = xfv_onx_int(c, "left_window_size", -1),
                       .right = xfv_onx_int(c, "right_window_size", -1),
                       .causal_from = xfv_onx_int(c, "is_causal", 0) ? 0 : INT64_MIN};
    if (c->n->domain && strcmp(c->n->domain, "com.microsoft") == 0) return attention_of_microsoft(o, c);
    int64_t mode = xfv_onx_int(c, "qk_matmul_output_mode", 0);
    int three = c->in[0]->s.rank == 3, status = 0;
    p.mode = c->n_out > 3 && c->out[3] ? (int)(mode >= 0 && mode <= 3 ? mode : 9) : -1;
    if (p.mode == 9 || (p.mode == 0 && p.cap > 0))
        return ONX_BAD("'%s' (%s) asks for scores of a kind that is not supported", c->label, c->op);
    if (c->n_in < 3 || !c->in[1] || !c->in[2]) return ONX_BAD("'%s' (%s) lacks keys or values", c->label, c->op);
    if (c->n_in > 6 && c->in[6] &&
        (!xfv_onx_is_constant(c->in[6]) || !(p.lengths = xfv_onx_constant(o, c->in[6])) || !p.lengths->i))
        return ONX_BAD("'%s' (%s) has lengths that are no constant whole numbers", c->label, c->op);
    for (int i = 0; i < 3 && !status; i++)
        if (!(status = xfv_onx_walker(o, c->in[i], &t[i], c->label)))
            status = by_heads(o, c, xfv_onx_int(c, i ? "kv_num_heads" : "q_num_heads", 0), &t[i]);
    for (int i = 1; i < 3 && !status; i++) {
        struct onx_tensor *past = c->n_in > 3 + i ? c->in[3 + i] : NULL;
        if (past && i == 1 && p.causal_from == 0) p.causal_from = past->s.dim[2];
        if (past && (p.left >= 0 || p.right >= 0) && p.causal_from == INT64_MIN)
            status = ONX_BAD("'%s' (%s) has windows over a past, which is not supported", c->label, c->op);
        if (past && !status) status = with_past(o, c, past, &t[i]);
        if (!status) status = told(o, c, i, &t[i]);
    }
    if (status) return status;
    p.scale = (double)xfv_onx_float(c, "scale", (float)(1 / sqrt((double)t[0].s.dim[3])));
    if ((status = attend(o, c, &p, &t[0], &t[1], &t[2], &y)) || (three && (status = joined_heads(o, c, &y))))
        return status;
    return xfv_onx_finish(o, c, &y);
}

/* ---- rotary embeddings ---- */


/* x [N, S, heads, d] turned pair by pair: y = x cos + (its partner, negated where it is the second) sin, with cos and
 * sin [N or 1, S, 1, d], 1 and 0 for numbers that are not turned. */
static int rotated(struct onx *o, const struct onx_call *c, struct onx_tensor *x, struct onx_tensor turn[2],
                   int64_t dim, int interleaved)
{
    int64_t d = x->s.dim[3], half = dim / 2;
    struct onx_tensor partner = *x, a, b;
    float *m = xfv_onx_matrix(o, c, d, d);
    int status = m ? 0 : o->e->status;
    for (int64_t i = 0; m && i < dim; i++) {
        int second = interleaved ? i & 1 : i >= half;
        int64_t other = interleaved ? i ^ 1 : second ? i - half : i + half;
        m[i * d + other] = second ? 1 : -1;
    }
    if (!status) status = xfv_onx_along(o, c, &partner, 3, m, (int)d);
    free(m);
    if (status || (status = by(o, c, xfv_onx_binary, "Mul", &a, x, &turn[0])) ||
        (status = by(o, c, xfv_onx_binary, "Mul", &b, &partner, &turn[1])))
        return status;
    return by(o, c, xfv_onx_binary, "Add", x, &a, &b);
}

/* A cache [N or 1, S, dim / 2] (or [positions, dim / 2], by their numbers) as [.., S, 1, d], `fill` where nothing
 * turns. */
static int turn_of(struct onx *o, const struct onx_call *c, int k, int64_t dim, int64_t d, int interleaved, float fill,
                   struct onx_tensor *t)
{
    int status = xfv_onx_walker(o, c->in[k], t, c->label);
    struct onx_tensor taken = xfv_onx_fresh(c->label);
    if (!status && c->n_in > 3 && c->in[3]) {
        struct onx_call g = *c;
        g.in[0] = t, g.in[1] = c->in[3], g.n_in = 2, g.out[0] = &taken;
        if (!xfv_onx_is_constant(c->in[3])) return ONX_BAD("'%s' (%s) computes positions", c->label, c->op);
        status = xfv_onx_gather_many(o, &g, 0);
        *t = taken;
    }
    if (status) return status;
    if (t->s.rank != 3 || t->s.dim[2] != dim / 2)
        return ONX_BAD("'%s' (%s) has a table of angles that does not fit", c->label, c->op);
    float *m = xfv_onx_matrix(o, c, d, dim / 2);
    if (!m) return o->e->status;
    for (int64_t i = 0; i < dim; i++) m[i * (dim / 2) + (interleaved ? i / 2 : i % (dim / 2))] = 1;
    status = xfv_onx_along(o, c, t, 2, m, (int)d);
    free(m);
    if (!status && fill > 0 && dim < d) { /* 1 beyond the turned ones */
        struct onx_const *one = xfv_onx_const_new(o, (struct onx_dims){1, {d}}, 0);
        for (int64_t i = dim; one && i < d; i++) one->f[i] = fill;
        status = one ? with_constant(o, c, t, "Add", one) : o->e->status;
        xfv_onx_const_free(one);
    }
    return status ? status
                  : xfv_onx_reshaped(o, c, t, (struct onx_dims){4, {t->s.dim[0], t->s.dim[1], 1, t->s.dim[2]}});
}

int xfv_onx_rotary(struct onx *o, const struct onx_call *c)
{
    static const int swap[4] = {0, 2, 1, 3};
    struct onx_tensor x, turn[2];
    int64_t heads = xfv_onx_int(c, "num_heads", 0), dim = xfv_onx_int(c, "rotary_embedding_dim", 0);
    int interleaved = xfv_onx_int(c, "interleaved", 0) != 0, status = xfv_onx_walker(o, c->in[0], &x, c->label);
    struct onx_dims s = x.s;
    if (status) return status;
    if (s.rank == 3) {
        if (heads < 1 || s.dim[2] % heads) return ONX_BAD("'%s' (%s) has no number of heads", c->label, c->op);
        if ((status = xfv_onx_reshaped(o, c, &x, (struct onx_dims){4, {s.dim[0], s.dim[1], heads, s.dim[2] / heads}})))
            return status;
    } else if (s.rank == 4) {
        xfv_onx_permute(&x, swap);
    } else {
        return ONX_BAD("'%s' (%s) has an operand of %d axes", c->label, c->op, s.rank);
    }
    int64_t d = x.s.dim[3];
    if (dim == 0) dim = d;
    if (dim < 2 || dim > d || dim % 2) return ONX_BAD("'%s' (%s) turns an impossible number", c->label, c->op);
    for (int k = 0; k < 2; k++)
        if ((status = turn_of(o, c, 1 + k, dim, d, interleaved, k ? 0 : 1, &turn[k]))) return status;
    if ((status = rotated(o, c, &x, turn, dim, interleaved))) return status;
    if (s.rank == 3) status = xfv_onx_reshaped(o, c, &x, s);
    else xfv_onx_permute(&x, swap);
    return status ? status : xfv_onx_finish(o, c, &x);
}
