/* The simplifier's passes over the order of elements. Exporters think in N,C,H,W and cut images into windows: chains of
 * reshapes and transpositions, of which each is a walk over memory. A chain is known here as one order (order.h).
 * Functions of single elements, sums with constants, sums of two that are permuted alike, and normalisations of all
 * elements together go before it; chains that meet so are one, or none. */
#include <stdio.h>
#include <string.h>

#include "net/graph/fold_internal.h"
#include "net/graph/order.h"

static struct xfv_shape shape_of(const struct fold *f, int value) { return f->g->values[value].shape; }

static int is_move(const struct fold *f, int value)
{
    return xfv_fold_producer(f, value, XFV_OP_RESHAPE) || xfv_fold_producer(f, value, XFV_OP_TRANSPOSE);
}

/* ---- chains ---- */

#define MAX_CHAIN 16

/* What lies between `source` and a value: as many reshapes and transpositions as are one order. sole: nobody else reads
 * what is between, nor the value. */
struct chain { int source, nodes, sole; struct xfv_order order; };

static int one_order(const struct fold *f, const int *node, int n, struct xfv_order *o)
{
    *o = xfv_order_start(shape_of(f, f->g->nodes[node[n - 1]].in[0]));
    while (n-- > 0) {
        const struct xfv_node *m = &f->g->nodes[node[n]];
        struct xfv_shape to = shape_of(f, m->out);
        if (!(m->op == XFV_OP_RESHAPE ? xfv_order_reshape(o, to) : xfv_order_transpose(o, m->i, to))) return 0;
    }
    return 1;
}

static struct chain chain_to(const struct fold *f, int value)
{
    int node[MAX_CHAIN], n = 0, sole[MAX_CHAIN + 1], v = value;
    for (sole[0] = 1; n < MAX_CHAIN && is_move(f, v); n++) {
        node[n] = f->producer[v];
        sole[n + 1] = sole[n] && f->uses[v] == 1;
        v = f->g->nodes[node[n]].in[0];
    }
    struct chain c = {value, 0, 1, xfv_order_start(shape_of(f, value))};
    for (; n > 0; n--)
        if (one_order(f, node, n, &c.order)) {
            c.source = f->g->nodes[node[n - 1]].in[0], c.nodes = n, c.sole = sole[n];
            break;
        }
    return c;
}

/* ---- nodes before others ---- */

int xfv_fold_insert(struct fold *f, int i, struct xfv_node n, struct xfv_shape s)
{
    char name[XFV_MAX_NAME + 1];
    struct xfv_graph *g = f->g;
    int k = 1;
    do snprintf(name, sizeof name, "%.900s/moved#%d", g->nodes[i].name, k++);
    while (xfv_graph_find(g, name) >= 0);
    if (!xfv_fold_room(f)) return XFV_ENOMEM;
    n.name = name;
    int status = n.out = xfv_graph_add_value(g, name, s, f->e);
    if (status >= 0) status = xfv_graph_add_node(g, &n, f->e);
    if (status < 0) return status;
    struct xfv_node last = g->nodes[g->n_nodes - 1];
    size_t after = (size_t)(g->n_nodes - 1 - i);
    memmove(g->nodes + i + 1, g->nodes + i, after * sizeof *g->nodes);
    memmove(f->dead + i + 1, f->dead + i, after);
    g->nodes[i] = last;
    f->dead[i] = 0;
    for (int q = i; q < g->n_nodes; q++) f->producer[g->nodes[q].out] = q;
    f->uses[n.out] = 0;
    for (int q = 0; q < n.n_in; q++) f->uses[n.in[q]]++;
    if (n.weight >= 0) f->weight_uses[n.weight]++;
    if (n.bias >= 0) f->weight_uses[n.bias]++;
    return n.out;
}

static struct xfv_node move_node(enum xfv_op op, int in, const int i[XFV_MAX_RANK])
{
    struct xfv_node n = xfv_node_unary(op, in);
    memcpy(n.i, i, sizeof n.i);
    return n;
}

/* A reshape to the shape that the value has: what reads it skips it. */
static struct xfv_node same_shape(const struct fold *f, int v)
{
    struct xfv_shape s = shape_of(f, v);
    for (int a = s.rank; a < XFV_MAX_RANK; a++) s.dim[a] = 0;
    return move_node(XFV_OP_RESHAPE, v, s.dim);
}

static int insert_reshape(struct fold *f, int *i, int v, struct xfv_shape s)
{
    if (xfv_shape_equal(shape_of(f, v), s)) return v;
    for (int a = s.rank; a < XFV_MAX_RANK; a++) s.dim[a] = 0;
    return xfv_fold_insert(f, (*i)++, move_node(XFV_OP_RESHAPE, v, s.dim), s);
}

/* Before node *i, which stays the one it is: value v in another order, in the shape of the order's end. */
static int insert_order(struct fold *f, int *i, int v, const struct xfv_order *o)
{
    struct xfv_moves m;
    if (!xfv_order_moves(o, &m)) return xfv_fail(f->e, XFV_EMODEL, "an order of too many axes");
    for (int k = 0; k < m.n && v >= 0; k++) {
        struct xfv_shape to = m.from[k];
        if ((v = insert_reshape(f, i, v, m.from[k])) < 0) return v;
        for (int a = 0; a < to.rank; a++) to.dim[a] = m.from[k].dim[m.perm[k][a]];
        v = xfv_fold_insert(f, (*i)++, move_node(XFV_OP_TRANSPOSE, v, m.perm[k]), to);
    }
    return v < 0 ? v : insert_reshape(f, i, v, o->to);
}

/* Node i becomes value v in another order. */
static int become_order(struct fold *f, int i, int v, const struct xfv_order *o)
{
    if ((v = insert_order(f, &i, v, o)) < 0) return v;
    xfv_fold_become(f, i, same_shape(f, v));
    return 1;
}

static int fits(const struct xfv_order *o)
{
    struct xfv_moves m;
    return xfv_order_moves(o, &m);
}

/* ---- what goes before a chain ---- */

/* Floats of a value with the padding of its last axis. */
static double padded(struct xfv_shape s)
{
    int c = s.dim[s.rank - 1];
    return (double)xfv_shape_count(s) / c * ((c + 15) / 16 * 16);
}

/* May what reads `value` alone be computed in the order before the chain, without more padding? */
static int goes_before(const struct fold *f, const struct chain *c, int value)
{
    return c->nodes && c->sole && fits(&c->order) && padded(shape_of(f, c->source)) <= padded(shape_of(f, value));
}

/* All numbers of a weight are the same. */
static int is_uniform(const struct xfv_weight *w)
{
    for (size_t k = 1; w && k < w->count; k++)
        if (w->data[k] < w->data[0] || w->data[k] > w->data[0]) return 0;
    return 1;
}

static int of_each_element(const struct fold *f, const struct xfv_node *n)
{
    return n->op == XFV_OP_RELU || n->op == XFV_OP_ACT ||
           (n->op == XFV_OP_PRELU && is_uniform(xfv_fold_weight(f, n->weight))) ||
           (n->op == XFV_OP_AFFINE && is_uniform(xfv_fold_weight(f, n->weight)) &&
            is_uniform(xfv_fold_weight(f, n->bias)));
}

/* Weight w, of one number again and again, for other channels. */
static int stretched(struct fold *f, int i, int w, const char *what, int channels)
{
    if (w < 0 || f->g->weights[w].count == (size_t)channels) return w;
    double *v = xfv_fold_doubles(f, (size_t)channels);
    for (int k = 0; v && k < channels; k++) v[k] = (double)f->g->weights[w].data[0];
    return v ? xfv_fold_new_weight(f, i, what, xfv_shape_of(1, channels), v) : XFV_ENOMEM;
}

/* Node i, with its weights for the channels of shape s, on value v. */
static int insert_like(struct fold *f, int *i, int v, struct xfv_shape s)
{
    struct xfv_node n = f->g->nodes[*i];
    int channels = s.dim[s.rank - 1], had_bias = n.bias >= 0;
    if (n.op == XFV_OP_PRELU || n.op == XFV_OP_AFFINE || n.op == XFV_OP_LAYERNORM) {
        if ((n.weight = stretched(f, *i, n.weight, "scale", channels)) < 0) return n.weight;
        if ((n.bias = stretched(f, *i, n.bias, "shift", channels)) < 0 && had_bias) return n.bias;
    }
    n.in[0] = v;
    return xfv_fold_insert(f, (*i)++, n, s);
}

static int before_chain(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i];
    if (!of_each_element(f, n)) return 0;
    struct chain c = chain_to(f, n->in[0]);
    if (!goes_before(f, &c, n->in[0])) return 0;
    int v = insert_like(f, &i, c.source, shape_of(f, c.source));
    return v < 0 ? v : become_order(f, i, v, &c.order);
}

/* A normalisation of all elements together: their order does not matter. */
static int norm_of_all(struct fold *f, int i)
{
    const struct xfv_node *n = &f->g->nodes[i];
    if (n->op != XFV_OP_LAYERNORM || !is_uniform(xfv_fold_weight(f, n->weight)) ||
        !is_uniform(xfv_fold_weight(f, n->bias)))
        return 0;
    struct xfv_shape in = shape_of(f, n->in[0]);
    struct chain c = chain_to(f, n->in[0]);
    if ((size_t)in.dim[in.rank - 1] != xfv_shape_count(in) || xfv_order_kept(&c.order) || !fits(&c.order)) return 0;
    struct xfv_shape was = shape_of(f, c.source);
    int v = insert_reshape(f, &i, c.source, in);
    if (v >= 0) v = insert_like(f, &i, v, in);
    if (v >= 0) v = insert_reshape(f, &i, v, was);
    return v < 0 ? v : become_order(f, i, v, &c.order);
}

/* A constant second operand, in the order before the chain. */
static int with_constant(struct fold *f, int i)
{
    struct xfv_node n = f->g->nodes[i], k = xfv_node_default(XFV_OP_CONST);
    const struct xfv_node *constant = n.n_in == 2 ? xfv_fold_producer(f, n.in[1], XFV_OP_CONST) : NULL;
    if (!constant || !xfv_fold_is_binary(n.op)) return 0;
    struct chain c = chain_to(f, n.in[0]);
    const struct xfv_weight *w = xfv_fold_weight(f, constant->weight);
    if (xfv_order_kept(&c.order) || !goes_before(f, &c, n.in[0])) return 0;
    struct xfv_shape s = xfv_order_stretch(&c.order, shape_of(f, c.source), w->shape);
    double *v = xfv_fold_doubles(f, xfv_shape_count(s));
    if (!v) return XFV_ENOMEM;
    xfv_order_back(&c.order, shape_of(f, c.source), w->shape, w->data, s, v);
    if ((k.weight = xfv_fold_new_weight(f, i, "ordered", s, v)) < 0) return k.weight;
    int value = xfv_fold_insert(f, i++, k, s);
    if (value < 0) return value;
    n.in[0] = c.source;
    n.in[1] = value;
    value = xfv_fold_insert(f, i++, n, shape_of(f, c.source));
    return value < 0 ? value : become_order(f, i, value, &c.order);
}

/* Two operands behind chains: the operator comes before the chain of the one made last, and the other takes its order.
 */
static int both_ordered(struct fold *f, int i)
{
    struct xfv_node n = f->g->nodes[i];
    if (n.n_in != 2 || !xfv_fold_is_binary(n.op) ||
        !xfv_shape_equal(shape_of(f, n.in[0]), shape_of(f, n.in[1])))
        return 0;
    struct chain c[2] = {chain_to(f, n.in[0]), chain_to(f, n.in[1])};
    int a = f->producer[c[0].source] >= f->producer[c[1].source] ? 0 : 1, b = 1 - a;
    if (!c[b].nodes || xfv_order_kept(&c[a].order) || !goes_before(f, &c[a], n.in[a])) return 0;
    struct xfv_order other;
    struct xfv_shape s = shape_of(f, c[a].source);
    if (!xfv_order_between(&c[a].order, &c[b].order, s, &other) || !fits(&other)) return 0;
    int v = insert_order(f, &i, c[b].source, &other);
    if (v < 0) return v;
    n.in[a] = c[a].source;
    n.in[b] = v;
    v = xfv_fold_insert(f, i++, n, s);
    return v < 0 ? v : become_order(f, i, v, &c[a].order);
}

/* A reshape that cuts axes anew which the chain before it has brought together: the chain ends with the image whole,
 * its innermost axis still the innermost, and only then are the axes turned. */
static int regrouped(struct fold *f, int i)
{
    struct xfv_node n = f->g->nodes[i];
    if (n.op != XFV_OP_RESHAPE) return 0;
    struct chain c = chain_to(f, n.in[0]);
    struct xfv_order o = c.order;
    if (!c.sole || xfv_order_kept(&o) || xfv_order_reshape(&o, shape_of(f, n.out))) return 0;
    o = c.order;
    if (!xfv_order_inner_last(&o) || !fits(&o)) return 0;
    const struct xfv_node *r = xfv_fold_producer(f, n.in[0], XFV_OP_RESHAPE),
                          *t = xfv_fold_producer(f, r ? r->in[0] : n.in[0], XFV_OP_TRANSPOSE);
    if (t && xfv_shape_equal(shape_of(f, t->in[0]), o.to)) return 0; /* it does */
    static const int turn[XFV_MAX_RANK] = {0, 2, 1};
    struct xfv_shape turned = xfv_shape_of(3, o.to.dim[0], o.to.dim[2], o.to.dim[1]), was = shape_of(f, n.in[0]);
    int v = insert_order(f, &i, c.source, &o);
    if (v >= 0) v = xfv_fold_insert(f, i++, move_node(XFV_OP_TRANSPOSE, v, turn), turned);
    if (v >= 0) v = insert_reshape(f, &i, v, was);
    if (v < 0) return v;
    n.in[0] = v;
    xfv_fold_become(f, i, n);
    return 1;
}

/* x 1 + 0 */
static int is_nothing(const struct fold *f, const struct xfv_node *n)
{
    if (n->op != XFV_OP_AFFINE) return 0;
    const struct xfv_weight *s = xfv_fold_weight(f, n->weight), *t = xfv_fold_weight(f, n->bias);
    if (!is_uniform(s) || !is_uniform(t)) return 0;
    return s->data[0] >= 1 && s->data[0] <= 1 && (!t || (t->data[0] >= 0 && t->data[0] <= 0));
}

int xfv_fold_order(struct fold *f, int i)
{
    static int (*const rules[])(struct fold *, int) = {before_chain, norm_of_all, with_constant, both_ordered,
                                                       regrouped};
    int changed = 0;
    if (f->order_left <= 0) return 0;
    if (is_nothing(f, &f->g->nodes[i])) {
        xfv_fold_become(f, i, same_shape(f, f->g->nodes[i].in[0]));
        changed = 1;
    }
    for (size_t k = 0; k < sizeof rules / sizeof *rules && !changed; k++) changed = rules[k](f, i);
    if (changed > 0) f->stats.moves++, f->order_left--;
    return changed;
}

/* ---- chains as short as they can be ---- */

/* What one walk costs: the floats of its output, padding included, four times where no neighbours stay neighbours. */
static double cost_of(struct xfv_shape from, enum xfv_op op, const int *perm, struct xfv_shape to)
{
    int cf = from.dim[from.rank - 1], ct = to.dim[to.rank - 1], pad = (ct + 15) / 16 * 16;
    double floats = (double)xfv_shape_count(to) / ct * pad;
    if (op == XFV_OP_RESHAPE) return cf == ct || (cf % 16 == 0 && ct % 16 == 0) ? 0 : ct < 16 ? 2 * floats : floats;
    return floats * (perm[from.rank - 1] == from.rank - 1 && ct >= 8 ? 1 : 4);
}

static double chain_cost(const struct fold *f, int value, int nodes)
{
    double cost = 0;
    for (int k = 0; k < nodes; k++) {
        const struct xfv_node *n = &f->g->nodes[f->producer[value]];
        cost += cost_of(shape_of(f, n->in[0]), n->op, n->i, shape_of(f, value));
        value = n->in[0];
        if (f->uses[value] != 1) break; /* it stays for others */
    }
    return cost;
}

static double order_cost(struct xfv_shape s, const struct xfv_order *o, const struct xfv_moves *m)
{
    double cost = 0;
    for (int k = 0; k < m->n; k++) {
        struct xfv_shape to = m->from[k];
        for (int a = 0; a < to.rank; a++) to.dim[a] = m->from[k].dim[m->perm[k][a]];
        cost += cost_of(s, XFV_OP_RESHAPE, NULL, m->from[k]);
        cost += cost_of(m->from[k], XFV_OP_TRANSPOSE, m->perm[k], to);
        s = to;
    }
    return cost + cost_of(s, XFV_OP_RESHAPE, NULL, o->to);
}

/* Reads something else than a reshape or a transposition this value, or is it an output? */
static int ends_chain(const struct fold *f, int i)
{
    int out = f->g->nodes[i].out, moves = 0;
    for (int q = i + 1; q < f->g->n_nodes && moves < f->uses[out]; q++)
        moves += !f->dead[q] && is_move(f, f->g->nodes[q].out) && f->g->nodes[q].in[0] == out;
    return moves < f->uses[out];
}

#define LOOK_BACK 256 /* nodes */

/* The value of a node not far before i that is the same source in the same order; -1: there is none. */
static int made_before(const struct fold *f, int i, const struct chain *c)
{
    for (int q = i - 1; q >= 0 && q >= i - LOOK_BACK; q--) {
        int v = f->g->nodes[q].out;
        if (f->dead[q] || !is_move(f, v)) continue;
        struct chain d = chain_to(f, v);
        if (d.source == c->source && xfv_order_same(&d.order, &c->order)) return v;
    }
    return -1;
}

/* Is node i a reshape of the value, or of what the value is a reshape of? */
static int beside(const struct fold *f, int i, int value)
{
    const struct xfv_node *n = &f->g->nodes[i], *r = xfv_fold_producer(f, value, XFV_OP_RESHAPE);
    return n->op == XFV_OP_RESHAPE && (n->in[0] == value || (r && r->in[0] == n->in[0]));
}

int xfv_fold_shorten(struct fold *f, int i)
{
    struct xfv_moves m;
    int out = f->g->nodes[i].out;
    if (f->order_left <= 0 || !is_move(f, out) || !ends_chain(f, i)) return 0;
    struct chain c = chain_to(f, out);
    if (c.nodes < 1 || !xfv_order_moves(&c.order, &m)) return 0;
    int before = xfv_order_kept(&c.order) ? -1 : made_before(f, i, &c);
    if (before >= 0 && !beside(f, i, before)) {
        xfv_fold_become(f, i, same_shape(f, before));
        f->stats.moves++, f->order_left--;
        return 1;
    }
    double is = chain_cost(f, out, c.nodes), could = order_cost(shape_of(f, c.source), &c.order, &m);
    if (could >= is) return 0;
    int status = become_order(f, i, c.source, &c.order);
    f->stats.moves += status > 0;
    f->order_left--;
    return status;
}
