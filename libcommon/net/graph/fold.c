#include "net/graph/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/graph/fold_internal.h"
#include "net/graph/ref.h"

const struct xfv_node *xfv_fold_producer(const struct fold *f, int value, enum xfv_op op)
{
    int p = f->producer[value];
    return p >= 0 && f->g->nodes[p].op == op ? &f->g->nodes[p] : NULL;
}

const struct xfv_weight *xfv_fold_weight(const struct fold *f, int index)
{
    return index < 0 ? NULL : &f->g->weights[index];
}

int xfv_fold_channels(const struct fold *f, int value)
{
    struct xfv_shape s = f->g->values[value].shape;
    return s.dim[s.rank - 1];
}

double *xfv_fold_doubles(struct fold *f, size_t n)
{
    double *d = calloc(n ? n : 1, sizeof *d);
    if (!d) xfv_fail(f->e, XFV_ENOMEM, "out of memory for %zu numbers", n);
    return d;
}

float *xfv_fold_floats(struct fold *f, size_t n)
{
    float *d = malloc((n ? n : 1) * sizeof *d);
    if (!d) xfv_fail(f->e, XFV_ENOMEM, "out of memory for %zu numbers", n);
    return d;
}

int xfv_fold_new_weight(struct fold *f, int i, const char *what, struct xfv_shape s, double *v)
{
    size_t n = xfv_shape_count(s);
    float *d = xfv_fold_floats(f, n);
    for (size_t k = 0; d && k < n; k++) d[k] = (float)v[k];
    free(v);
    return d ? xfv_fold_take_weight(f, i, what, s, d) : XFV_ENOMEM;
}

int xfv_fold_take_weight(struct fold *f, int i, const char *what, struct xfv_shape s, float *d)
{
    char name[XFV_MAX_NAME + 1];
    snprintf(name, sizeof name, "%.900s/%s", f->g->nodes[i].name, what);
    for (int k = 2; xfv_graph_find_weight(f->g, name) >= 0; k++)
        snprintf(name, sizeof name, "%.900s/%s#%d", f->g->nodes[i].name, what, k);
    int w = xfv_graph_take_weight(f->g, name, s, d, f->e);
    if (w < 0) {
        free(d);
        return w;
    }
    int *grown = realloc(f->weight_uses, ((size_t)w + 1) * sizeof *grown);
    if (!grown) return xfv_fail(f->e, XFV_ENOMEM, "out of memory for weight '%s'", name);
    f->weight_uses = grown;
    f->weight_uses[w] = 0; /* weights are added one by one */
    return w;
}

int xfv_fold_room(struct fold *f)
{
    size_t values = (size_t)f->g->n_values + 1, nodes = (size_t)f->g->n_nodes + 1;
    int *producer = realloc(f->producer, values * sizeof *producer);
    if (producer) f->producer = producer;
    int *uses = realloc(f->uses, values * sizeof *uses);
    if (uses) f->uses = uses;
    char *dead = realloc(f->dead, nodes);
    if (dead) f->dead = dead;
    if (!producer || !uses || !dead) xfv_fail(f->e, XFV_ENOMEM, "out of memory for a graph");
    return producer && uses && dead;
}

int xfv_fold_is_binary(enum xfv_op op)
{
    return op == XFV_OP_ADD || op == XFV_OP_SUB || op == XFV_OP_MUL || op == XFV_OP_DIV || op == XFV_OP_MAX ||
           op == XFV_OP_MIN || op == XFV_OP_POWER || op == XFV_OP_MOD || op == XFV_OP_COMPARE;
}

/* One use of a value less; a node whose output nobody uses dies, and so on backwards. Work list instead of recursion:
 * graphs come from files. */
static void release(struct fold *f, int value)
{
    int p;
    if (--f->uses[value] > 0 || (p = f->producer[value]) < 0 || f->dead[p]) return;
    f->dead[p] = 1; /* its inputs are released by the sweep in bury() */
    f->stats.dead++;
}

/* A weight that no live node reads any more is not kept. */
static void use_weights(struct fold *f, const struct xfv_node *n, int by)
{
    const int w[2] = {n->weight, n->bias};
    for (int k = 0; k < 2; k++) {
        if (w[k] < 0 || (f->weight_uses[w[k]] += by) > 0) continue;
        free(f->g->weights[w[k]].data);
        f->g->weights[w[k]].data = NULL;
    }
}

/* Nodes in reverse order: one that died releases its inputs, which are made by earlier nodes. */
static void bury(struct fold *f)
{
    for (int i = f->g->n_nodes - 1; i >= 0; i--) {
        struct xfv_node *n = &f->g->nodes[i];
        if (!f->dead[i] && f->uses[n->out] == 0) f->dead[i] = 1, f->stats.dead++;
        if (f->dead[i] != 1) continue;
        f->dead[i] = 2;
        use_weights(f, n, -1);
        for (int k = 0; k < n->n_in; k++) release(f, n->in[k]);
    }
}

void xfv_fold_become(struct fold *f, int i, struct xfv_node n)
{
    struct xfv_node *old = &f->g->nodes[i];
    int was[XFV_MAX_INPUTS], n_was = old->n_in;
    memcpy(was, old->in, sizeof was);
    use_weights(f, &n, 1);
    use_weights(f, old, -1);
    n.name = old->name;
    n.out = old->out;
    *old = n;
    for (int k = 0; k < n.n_in; k++) f->uses[n.in[k]]++;
    for (int k = 0; k < n_was; k++) release(f, was[k]);
    bury(f);
}

static struct xfv_node unary(enum xfv_op op, int in, int weight, int bias)
{
    struct xfv_node n = xfv_node_unary(op, in);
    n.weight = weight;
    n.bias = bias;
    return n;
}

/* ---- constants ---- */

static int fold_constants(struct fold *f, int i)
{
    struct xfv_node *n = &f->g->nodes[i], c = xfv_node_default(XFV_OP_CONST);
    struct xfv_shape in[XFV_MAX_INPUTS];
    double *x[XFV_MAX_INPUTS] = {0}, *y;
    int status = XFV_ENOMEM;
    if (n->n_in == 0) return 0;
    for (int k = 0; k < n->n_in; k++)
        if (!xfv_fold_producer(f, n->in[k], XFV_OP_CONST)) return 0;
    for (int k = 0; k < n->n_in; k++) {
        const struct xfv_weight *w = xfv_fold_weight(f, xfv_fold_producer(f, n->in[k], XFV_OP_CONST)->weight);
        in[k] = w->shape;
        if (!(x[k] = xfv_fold_doubles(f, w->count))) goto out;
        for (size_t j = 0; j < w->count; j++) x[k][j] = (double)w->data[j];
    }
    struct xfv_shape s = f->g->values[n->out].shape;
    if (!(y = xfv_fold_doubles(f, xfv_shape_count(s)))) goto out;
    if ((status = xfv_ref_node(f->g, n, in, (const double *const *)x, y, f->e))) {
        free(y);
        goto out;
    }
    status = c.weight = xfv_fold_new_weight(f, i, "value", s, y);
    if (status < 0) goto out;
    xfv_fold_become(f, i, c);
    f->stats.constants++;
    status = 1;
out:
    for (int k = 0; k < XFV_MAX_INPUTS; k++) free(x[k]);
    return status;
}

/* ---- affine ---- */

/* The constant second operand of a node when it is one number or one per channel. */
static const struct xfv_weight *channel_constant(const struct fold *f, const struct xfv_node *n)
{
    const struct xfv_node *c = n->n_in == 2 ? xfv_fold_producer(f, n->in[1], XFV_OP_CONST) : NULL;
    const struct xfv_weight *w = c ? xfv_fold_weight(f, c->weight) : NULL;
    if (!w) return NULL;
    size_t channels = (size_t)xfv_fold_channels(f, n->in[0]);
    return w->count == 1 || (w->count == channels && (size_t)w->shape.dim[w->shape.rank - 1] == channels) ? w : NULL;
}

/* x + c, x - c, x * c, x / c, -x  ->  AFFINE */
static int fold_to_affine(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i];
    int neg = n->op == XFV_OP_ACT && n->i[0] == XFV_ACT_NEG,
        binary = n->op == XFV_OP_ADD || n->op == XFV_OP_SUB || n->op == XFV_OP_MUL || n->op == XFV_OP_DIV;
    const struct xfv_weight *w = binary ? channel_constant(f, n) : NULL;
    if (!neg && !w) return 0;
    for (size_t k = 0; n->op == XFV_OP_DIV && k < w->count; k++)
        if (!(w->data[k] > 0) && !(w->data[k] < 0)) return 0;
    int channels = xfv_fold_channels(f, n->in[0]), sums = n->op == XFV_OP_ADD || n->op == XFV_OP_SUB, bias = -1;
    double *scale = xfv_fold_doubles(f, (size_t)channels), *shift = xfv_fold_doubles(f, (size_t)channels);
    if (!scale || !shift) {
        free(scale);
        free(shift);
        return XFV_ENOMEM;
    }
    for (int k = 0; k < channels; k++) {
        double c = neg ? -1 : (double)w->data[w->count == 1 ? 0 : k];
        scale[k] = sums ? 1 : n->op == XFV_OP_DIV ? 1 / c : c;
        shift[k] = n->op == XFV_OP_SUB ? -c : c;
    }
    int weight = xfv_fold_new_weight(f, i, "scale", xfv_shape_of(1, channels), scale);
    if (sums && weight >= 0) bias = xfv_fold_new_weight(f, i, "shift", xfv_shape_of(1, channels), shift);
    else free(shift);
    if (weight < 0 || (sums && bias < 0)) return weight < 0 ? weight : bias;
    xfv_fold_become(f, i, unary(XFV_OP_AFFINE, f->g->nodes[i].in[0], weight, bias));
    f->stats.affine++;
    return 1;
}

/* AFFINE -> AFFINE i: (x s1 + b1) s2 + b2 */
static int fold_affine_chain(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i],
                          *p = n->op == XFV_OP_AFFINE ? xfv_fold_producer(f, n->in[0], XFV_OP_AFFINE) : NULL;
    if (!p) return 0;
    const struct xfv_weight *s1 = xfv_fold_weight(f, p->weight), *b1 = xfv_fold_weight(f, p->bias),
                            *s2 = xfv_fold_weight(f, n->weight), *b2 = xfv_fold_weight(f, n->bias);
    int in = p->in[0], channels = xfv_fold_channels(f, in), bias = -1;
    double *s = xfv_fold_doubles(f, (size_t)channels), *b = xfv_fold_doubles(f, (size_t)channels);
    if (!s || !b) {
        free(s);
        free(b);
        return XFV_ENOMEM;
    }
    for (int k = 0; k < channels; k++) {
        s[k] = (double)s1->data[k] * (double)s2->data[k];
        b[k] = (b1 ? (double)b1->data[k] * (double)s2->data[k] : 0) + (b2 ? (double)b2->data[k] : 0);
    }
    int shifts = b1 || b2, weight = xfv_fold_new_weight(f, i, "scale", xfv_shape_of(1, channels), s);
    if (shifts && weight >= 0) bias = xfv_fold_new_weight(f, i, "shift", xfv_shape_of(1, channels), b);
    else free(b);
    if (weight < 0 || (shifts && bias < 0)) return weight < 0 ? weight : bias;
    xfv_fold_become(f, i, unary(XFV_OP_AFFINE, in, weight, bias));
    f->stats.affine++;
    return 1;
}

/* ---- spelled-out operators ---- */

/* Go back through AFFINE nodes without shift; multiplies scale (one per channel) and returns the value they start from.
 */
static int unscale(const struct fold *f, int value, double *scale, int channels)
{
    const struct xfv_node *n;
    while ((n = xfv_fold_producer(f, value, XFV_OP_AFFINE)) && n->bias < 0) {
        for (int k = 0; k < channels; k++) scale[k] *= (double)f->g->weights[n->weight].data[k];
        value = n->in[0];
    }
    return value;
}

/* Is `value` |x|? */
static int is_abs_of(const struct fold *f, int value, int x)
{
    const struct xfv_node *n = xfv_fold_producer(f, value, XFV_OP_ACT);
    return n && n->i[0] == XFV_ACT_ABS && n->in[0] == x;
}

/* Is `value` relu(-x)? */
static int is_relu_of_minus(const struct fold *f, int value, int x)
{
    const struct xfv_node *r = xfv_fold_producer(f, value, XFV_OP_RELU),
                          *n = r ? xfv_fold_producer(f, r->in[0], XFV_OP_AFFINE) : NULL;
    if (!n || n->bias >= 0 || n->in[0] != x) return 0;
    const struct xfv_weight *w = xfv_fold_weight(f, n->weight);
    for (size_t k = 0; k < w->count; k++)
        if (w->data[k] > -1 || w->data[k] < -1) return 0;
    return 1;
}

/* relu(x) + m (x - |x|): slope 2m.  relu(x) + a relu(-x): slope -a.  The second term may be subtracted. */
static int fold_prelu(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i], *r = NULL, *s;
    if (n->op != XFV_OP_ADD && n->op != XFV_OP_SUB) return 0;
    int channels = xfv_fold_channels(f, n->out), other = -1, found = 0;
    double *scale = xfv_fold_doubles(f, (size_t)channels), factor = 0;
    if (!scale) return XFV_ENOMEM;
    for (int a = 0; a < (n->op == XFV_OP_ADD ? 2 : 1) && !found; a++) {
        if (!(r = xfv_fold_producer(f, n->in[a], XFV_OP_RELU))) continue;
        for (int k = 0; k < channels; k++) scale[k] = n->op == XFV_OP_SUB ? -1 : 1;
        if (xfv_fold_channels(f, n->in[1 - a]) != channels) continue;
        other = unscale(f, n->in[1 - a], scale, channels);
        s = xfv_fold_producer(f, other, XFV_OP_SUB);
        if (s && s->in[0] == r->in[0] && is_abs_of(f, s->in[1], r->in[0])) factor = 2, found = 1;
        else if (is_relu_of_minus(f, other, r->in[0])) factor = -1, found = 1;
    }
    if (!found) {
        free(scale);
        return 0;
    }
    for (int k = 0; k < channels; k++) scale[k] *= factor;
    int x = r->in[0], w = xfv_fold_new_weight(f, i, "slope", xfv_shape_of(1, channels), scale);
    if (w < 0) return w;
    xfv_fold_become(f, i, unary(XFV_OP_PRELU, x, w, -1));
    f->stats.prelu++;
    return 1;
}

static const struct xfv_node *last_axis_reduce(const struct fold *f, int value, enum xfv_reduce what)
{
    const struct xfv_node *n = xfv_fold_producer(f, value, XFV_OP_REDUCE);
    if (!n || n->i[0] != (int)what) return NULL;
    return n->i[1] == 1 << (f->g->values[n->in[0]].shape.rank - 1) ? n : NULL;
}

/* exp(x - max x) / sum exp(x - max x) over the last axis; also without the maximum */
static int fold_softmax(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i];
    const struct xfv_node *ex = n->op == XFV_OP_DIV ? xfv_fold_producer(f, n->in[0], XFV_OP_ACT) : NULL;
    const struct xfv_node *sum = ex && ex->i[0] == XFV_ACT_EXP ? last_axis_reduce(f, n->in[1], XFV_REDUCE_SUM) : NULL;
    if (!sum || sum->in[0] != ex->out) return 0;
    const struct xfv_node *sub = xfv_fold_producer(f, ex->in[0], XFV_OP_SUB),
                          *max = sub ? last_axis_reduce(f, sub->in[1], XFV_REDUCE_MAX) : NULL;
    int x = max && max->in[0] == sub->in[0] ? sub->in[0] : ex->in[0];
    xfv_fold_become(f, i, unary(XFV_OP_SOFTMAX, x, -1, -1));
    f->stats.softmax++;
    return 1;
}

/* ---- driver ---- */

typedef int pass(struct fold *f, int i);

/* Run the passes over all nodes, in order, until nothing changes. Each change removes an operator or a step towards
 * one, so this ends. */
static int sweep(struct fold *f, pass *const *passes)
{
    int changed;
    do {
        changed = 0;
        for (int i = 0; i < f->g->n_nodes; i++)
            for (pass *const *p = passes; *p && !f->dead[i]; p++) {
                int status = (*p)(f, i);
                if (status < 0) return status;
                changed |= status;
            }
    } while (changed);
    return 0;
}

/* Weight w of f->g in `to`, once, still without its numbers; map holds new index + 1. */
static int copy_weight(const struct fold *f, struct xfv_graph *to, int *map, int w)
{
    if (w < 0) return -1;
    if (!map[w]) {
        const struct xfv_weight *old = &f->g->weights[w];
        int status = xfv_graph_take_weight(to, old->name, old->shape, NULL, f->e);
        if (status < 0) return status;
        map[w] = status + 1;
    }
    return map[w] - 1;
}

static int copy_node(const struct fold *f, struct xfv_graph *to, int *values, int *weights, int i)
{
    struct xfv_node n = f->g->nodes[i];
    const struct xfv_value *v = &f->g->values[n.out];
    for (int k = 0; k < n.n_in; k++) n.in[k] = values[n.in[k]];
    if (n.weight >= 0 && (n.weight = copy_weight(f, to, weights, n.weight)) < 0) return n.weight;
    if (n.bias >= 0 && (n.bias = copy_weight(f, to, weights, n.bias)) < 0) return n.bias;
    if ((values[n.out] = xfv_graph_add_value(to, v->name, v->shape, f->e)) < 0) return values[n.out];
    n.out = values[n.out];
    int status = xfv_graph_add_node(to, &n, f->e);
    return status < 0 ? status : 0;
}

/* The live part of the graph, copied; the weights' numbers move at the end, when nothing can fail any more. */
static int compact(const struct fold *f, struct xfv_graph **out)
{
    const struct xfv_graph *g = f->g;
    struct xfv_graph *to = xfv_graph_new();
    int *values = calloc((size_t)g->n_values, sizeof *values),
        *weights = calloc((size_t)g->n_weights + 1, sizeof *weights), status = 0;
    if (!to || !values || !weights) status = xfv_fail(f->e, XFV_ENOMEM, "out of memory for a graph");
    if (!status && (values[0] = xfv_graph_add_value(to, g->values[0].name, g->values[0].shape, f->e)) < 0)
        status = values[0];
    for (int i = 0; i < g->n_nodes && !status; i++)
        if (!f->dead[i]) status = copy_node(f, to, values, weights, i);
    for (int i = 0; i < g->n_outputs && !status; i++) {
        int o = xfv_graph_add_output(to, values[g->outputs[i]], f->e);
        if (o < 0) status = o;
    }
    if (!status) status = xfv_graph_check(to, f->e);
    for (int w = 0; w < g->n_weights && !status; w++) {
        if (!weights[w]) continue;
        to->weights[weights[w] - 1].data = g->weights[w].data;
        g->weights[w].data = NULL;
    }
    free(values);
    free(weights);
    if (status) xfv_graph_free(to);
    else *out = to;
    return status;
}

static int analyse(struct fold *f, const char *const *keep)
{
    const struct xfv_graph *g = f->g;
    f->uses[0]++;
    f->producer[0] = -1;
    for (int i = 0; i < g->n_nodes; i++) {
        f->producer[g->nodes[i].out] = i;
        if (g->nodes[i].weight >= 0) f->weight_uses[g->nodes[i].weight]++;
        if (g->nodes[i].bias >= 0) f->weight_uses[g->nodes[i].bias]++;
        for (int k = 0; k < g->nodes[i].n_in; k++) f->uses[g->nodes[i].in[k]]++;
    }
    for (int i = 0; i < g->n_outputs; i++) f->uses[g->outputs[i]]++;
    for (; keep && *keep; keep++) {
        int v = xfv_graph_find(g, *keep);
        if (v < 0) return xfv_fail(f->e, XFV_EMODEL, "the graph has no value '%s'", *keep);
        f->uses[v]++;
    }
    bury(f);
    return 0;
}

int xfv_fold(struct xfv_graph **g, const char *const *keep, struct xfv_fold_stats *stats, struct xfv_err *e)
{
    /* The order matters: negations and scales must be AFFINE before the spelled-out forms are looked for, and must not
     * yet be joined. */
    static pass *const normalise[] = {fold_constants, fold_to_affine, xfv_fold_moves, NULL};
    static pass *const spelled[] = {fold_prelu,    fold_softmax,     xfv_fold_norm,
                                    xfv_fold_gate, xfv_fold_product, NULL};
    static pass *const order[] = {xfv_fold_order, xfv_fold_moves, fold_to_affine, NULL};
    static pass *const linear[] = {xfv_fold_moves,         xfv_fold_flatten,     xfv_fold_pad,
                                   fold_affine_chain,      xfv_fold_affine_norm, xfv_fold_affine_after,
                                   xfv_fold_affine_before, xfv_fold_merge,       NULL};
    static pass *const shorten[] = {xfv_fold_shorten, xfv_fold_moves, NULL};
    struct xfv_err own;
    struct xfv_graph *out = NULL;
    int status = xfv_graph_check(*g, e);
    if (status) return status;
    struct fold f = {.g = *g, .e = e ? e : &own};
    f.producer = calloc((size_t)f.g->n_values, sizeof *f.producer);
    f.uses = calloc((size_t)f.g->n_values, sizeof *f.uses);
    f.dead = calloc((size_t)f.g->n_nodes, 1);
    f.weight_uses = calloc((size_t)f.g->n_weights + 1, sizeof *f.weight_uses);
    if (!f.weight_uses || !f.producer || !f.uses || !f.dead)
        status = xfv_fail(e, XFV_ENOMEM, "out of memory for a graph");
    if (!status) status = analyse(&f, keep);
    f.order_left = 16 * f.g->n_nodes + 256;
    if (!status) status = sweep(&f, normalise);
    if (!status) status = sweep(&f, spelled);
    if (!status) status = sweep(&f, order);
    if (!status) status = sweep(&f, linear);
    if (!status) status = sweep(&f, shorten);
    if (!status) status = compact(&f, &out);
    free(f.producer);
    free(f.uses);
    free(f.dead);
    free(f.weight_uses);
    if (status) return status;
    xfv_graph_free(*g);
    *g = out;
    if (stats) *stats = f.stats;
    return 0;
}
