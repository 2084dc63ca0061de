#include "net/graph/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/hash.h"

static const char *const op_names[XFV_OPS] = {"conv",    "dense",     "prelu",     "relu",   "add",
                                              "maxpool", "softmax",   "reshape",   "l2norm", "avgpool",
                                              "sub",     "mul",       "div",       "affine", "act",
                                              "const",   "transpose", "concat",    "slice",  "pad",
                                              "reduce",  "matmul",    "layernorm", "max",    "min",
                                              "power",   "mod",       "compare",   "select", "sparse"};
#define NAME(name, text) text,
static const char *const act_names[XFV_ACTS] = {XFV_EACH_ACT(NAME)};
static const char *const reduce_names[XFV_REDUCES] = {"mean", "sum", "max", "l2", "prod"};
static const char *const relation_names[XFV_RELATIONS] = {"less", "at-most", "equal", "at-least", "greater"};

static int lookup(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

const char *xfv_op_name(enum xfv_op op)
{
    return (unsigned)op < XFV_OPS ? op_names[op] : "?";
}

int xfv_op_parse(const char *name, enum xfv_op *op)
{
    int i = lookup(op_names, XFV_OPS, name);
    if (i < 0) return XFV_EMODEL;
    *op = (enum xfv_op)i;
    return 0;
}

const char *xfv_act_name(int act)
{
    return act >= 0 && act < XFV_ACTS ? act_names[act] : NULL;
}

const char *xfv_reduce_name(int reduce)
{
    return reduce >= 0 && reduce < XFV_REDUCES ? reduce_names[reduce] : NULL;
}

const char *xfv_relation_name(int relation)
{
    return relation >= 0 && relation < XFV_RELATIONS ? relation_names[relation] : NULL;
}

int xfv_act_parse(const char *name, int *act)
{
    *act = lookup(act_names, XFV_ACTS, name);
    return *act < 0 ? XFV_EMODEL : 0;
}

int xfv_reduce_parse(const char *name, int *reduce)
{
    *reduce = lookup(reduce_names, XFV_REDUCES, name);
    return *reduce < 0 ? XFV_EMODEL : 0;
}

int xfv_relation_parse(const char *name, int *relation)
{
    *relation = lookup(relation_names, XFV_RELATIONS, name);
    return *relation < 0 ? XFV_EMODEL : 0;
}

/* ---- name -> index: open addressing; the keys live in the graph, the table holds index + 1 (0: free) ---- */

struct xfv_names { size_t cap, used; struct { uint64_t hash; int index; } *slot; };

typedef const char *name_of(const struct xfv_graph *g, int index);
static const char *value_name(const struct xfv_graph *g, int i) { return g->values[i].name; }
static const char *weight_name(const struct xfv_graph *g, int i) { return g->weights[i].name; }

static int names_find(const struct xfv_names *t, const struct xfv_graph *g, name_of *key, const char *name)
{
    uint64_t h = xfv_hash(XFV_HASH_START, name, strlen(name));
    if (!t || t->cap == 0) return -1;
    for (size_t k = (size_t)h & (t->cap - 1);; k = (k + 1) & (t->cap - 1)) {
        if (t->slot[k].index == 0) return -1;
        if (t->slot[k].hash == h && strcmp(key(g, t->slot[k].index - 1), name) == 0) return t->slot[k].index - 1;
    }
}

static void names_put(struct xfv_names *t, uint64_t h, int index)
{
    size_t k = (size_t)h & (t->cap - 1);
    while (t->slot[k].index) k = (k + 1) & (t->cap - 1);
    t->slot[k].hash = h;
    t->slot[k].index = index + 1;
    t->used++;
}

static int names_reserve(struct xfv_names *t) /* room for one more, at most half full */
{
    if (t->cap && t->used + 1 <= t->cap / 2) return 0;
    struct xfv_names n = {.cap = t->cap ? t->cap * 2 : 64};
    if (!(n.slot = calloc(n.cap, sizeof *n.slot))) return XFV_ENOMEM;
    for (size_t k = 0; k < t->cap; k++)
        if (t->slot[k].index) names_put(&n, t->slot[k].hash, t->slot[k].index - 1);
    free(t->slot);
    *t = n;
    return 0;
}

static void names_free(struct xfv_names *t)
{
    if (t) free(t->slot);
    free(t);
}

/* ---- building ---- */

struct xfv_graph *xfv_graph_new(void)
{
    struct xfv_graph *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->value_names = calloc(1, sizeof *g->value_names);
    g->weight_names = calloc(1, sizeof *g->weight_names);
    if (g->value_names && g->weight_names) return g;
    xfv_graph_free(g);
    return NULL;
}

void xfv_graph_free(struct xfv_graph *g)
{
    if (!g) return;
    for (int i = 0; i < g->n_values; i++) free(g->values[i].name);
    for (int i = 0; i < g->n_nodes; i++) free(g->nodes[i].name);
    for (int i = 0; i < g->n_weights; i++) free(g->weights[i].name), free(g->weights[i].data);
    free(g->values);
    free(g->nodes);
    free(g->weights);
    free(g->outputs);
    names_free(g->value_names);
    names_free(g->weight_names);
    free(g);
}

/* Room for one more element in an array that grows by doubling at powers of two. array points to its pointer. */
static int reserve(void *array, int n, size_t size, const char *what, struct xfv_err *e)
{
    if (n >= XFV_MAX_NODES) return xfv_fail(e, XFV_EMODEL, "the graph has more than %d %s", XFV_MAX_NODES, what);
    if (n != 0 && (n < 16 || (n & (n - 1)) != 0)) return 0;
    return xfv_grow(array, xfv_more((size_t)n, 16), size)
               ? 0
               : xfv_fail(e, XFV_ENOMEM, "out of memory for %d %s", n + 1, what);
}

static int check_name(const char *name, const char *what, struct xfv_err *e)
{
    if (!name || !*name) return xfv_fail(e, XFV_EMODEL, "a %s has no name", what);
    if (strlen(name) > XFV_MAX_NAME)
        return xfv_fail(e, XFV_EMODEL, "the name of %s '%.40s...' has more than %d bytes", what, name, XFV_MAX_NAME);
    return 0;
}

int xfv_graph_add_value(struct xfv_graph *g, const char *name, struct xfv_shape s, struct xfv_err *e)
{
    char t[64];
    int status = check_name(name, "value", e);
    if (status) return status;
    if (names_find(g->value_names, g, value_name, name) >= 0)
        return xfv_fail(e, XFV_EMODEL, "two values are called '%s'", name);
    if (s.rank < 1 || xfv_shape_count(s) == 0)
        return xfv_fail(e, XFV_EMODEL, "value '%s' has the impossible shape %s", name, xfv_shape_text(s, t));
    if ((status = reserve(&g->values, g->n_values, sizeof *g->values, "values", e))) return status;
    char *copy = strdup(name);
    if (!copy || names_reserve(g->value_names)) {
        free(copy);
        return xfv_fail(e, XFV_ENOMEM, "out of memory for value '%s'", name);
    }
    g->values[g->n_values] = (struct xfv_value){.name = copy, .shape = s};
    names_put(g->value_names, xfv_hash(XFV_HASH_START, name, strlen(name)), g->n_values);
    return g->n_values++;
}

int xfv_graph_take_weight(struct xfv_graph *g, const char *name, struct xfv_shape s, float *data, struct xfv_err *e)
{
    char t[64];
    int status = check_name(name, "weight", e);
    size_t count = xfv_shape_count(s);
    if (status) return status;
    if (names_find(g->weight_names, g, weight_name, name) >= 0)
        return xfv_fail(e, XFV_EMODEL, "two weights are called '%s'", name);
    if (s.rank < 1 || count == 0)
        return xfv_fail(e, XFV_EMODEL, "weight '%s' has the impossible shape %s", name, xfv_shape_text(s, t));
    if ((status = reserve(&g->weights, g->n_weights, sizeof *g->weights, "weights", e))) return status;
    char *copy = strdup(name);
    if (!copy || names_reserve(g->weight_names)) {
        free(copy);
        return xfv_fail(e, XFV_ENOMEM, "out of memory for weight '%s' of %zu numbers", name, count);
    }
    g->weights[g->n_weights] = (struct xfv_weight){.name = copy, .shape = s, .data = data, .count = count};
    names_put(g->weight_names, xfv_hash(XFV_HASH_START, name, strlen(name)), g->n_weights);
    return g->n_weights++;
}

int xfv_graph_add_weight(struct xfv_graph *g, const char *name, struct xfv_shape s, const void *data, struct xfv_err *e)
{
    size_t count = xfv_shape_count(s);
    float *d = malloc((count ? count : 1) * sizeof *d);
    if (!d) return xfv_fail(e, XFV_ENOMEM, "out of memory for weight '%s' of %zu numbers", name, count);
    memcpy(d, data, count * sizeof *d);
    int w = xfv_graph_take_weight(g, name, s, d, e);
    if (w < 0) free(d);
    return w;
}

int xfv_graph_add_node(struct xfv_graph *g, const struct xfv_node *n, struct xfv_err *e)
{
    int status = check_name(n->name, "node", e);
    if (status) return status;
    if (n->n_in < 0 || n->n_in > XFV_MAX_INPUTS)
        return xfv_fail(e, XFV_EMODEL, "node '%s' has %d inputs, more than %d", n->name, n->n_in, XFV_MAX_INPUTS);
    if ((status = reserve(&g->nodes, g->n_nodes, sizeof *g->nodes, "nodes", e))) return status;
    char *copy = strdup(n->name);
    if (!copy) return xfv_fail(e, XFV_ENOMEM, "out of memory for node '%s'", n->name);
    g->nodes[g->n_nodes] = *n;
    g->nodes[g->n_nodes].name = copy;
    return g->n_nodes++;
}

int xfv_graph_add_output(struct xfv_graph *g, int value, struct xfv_err *e)
{
    int status;
    if (value < 0 || value >= g->n_values)
        return xfv_fail(e, XFV_EMODEL, "output %d is value %d of %d", g->n_outputs, value, g->n_values);
    if ((status = reserve(&g->outputs, g->n_outputs, sizeof *g->outputs, "outputs", e))) return status;
    g->outputs[g->n_outputs] = value;
    return g->n_outputs++;
}

struct xfv_node xfv_node_default(enum xfv_op op)
{
    return (struct xfv_node){.op = op,
                             .out = -1,
                             .weight = -1,
                             .bias = -1,
                             .kernel = {1, 1},
                             .stride = {1, 1},
                             .dilation = {1, 1},
                             .groups = 1};
}

struct xfv_node xfv_node_unary(enum xfv_op op, int in)
{
    struct xfv_node n = xfv_node_default(op);
    n.n_in = 1;
    n.in[0] = in;
    return n;
}

struct xfv_node xfv_node_reshape(int in, struct xfv_shape s)
{
    struct xfv_node n = xfv_node_unary(XFV_OP_RESHAPE, in);
    for (int a = 0; a < s.rank; a++) n.i[a] = s.dim[a];
    return n;
}

struct xfv_node xfv_node_act(enum xfv_act a, int in, float f0, float f1)
{
    struct xfv_node n = xfv_node_unary(XFV_OP_ACT, in);
    n.i[0] = (int)a;
    n.f[0] = f0;
    n.f[1] = f1;
    return n;
}

int xfv_graph_find(const struct xfv_graph *g, const char *value)
{
    return names_find(g->value_names, g, value_name, value);
}

int xfv_graph_find_weight(const struct xfv_graph *g, const char *weight)
{
    return names_find(g->weight_names, g, weight_name, weight);
}

/* ---- shapes ---- */

struct xfv_shape xfv_shape_of(int rank, ...)
{
    struct xfv_shape s = {.rank = rank};
    va_list ap;
    va_start(ap, rank);
    for (int i = 0; i < rank && i < XFV_MAX_RANK; i++) s.dim[i] = va_arg(ap, int);
    va_end(ap);
    return s;
}

int xfv_shape_equal(struct xfv_shape a, struct xfv_shape b)
{
    if (a.rank != b.rank) return 0;
    for (int i = 0; i < a.rank; i++)
        if (a.dim[i] != b.dim[i]) return 0;
    return 1;
}

size_t xfv_shape_count(struct xfv_shape s)
{
    size_t n = 1;
    if (s.rank < 0 || s.rank > XFV_MAX_RANK) return 0;
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] <= 0 || (size_t)s.dim[i] > XFV_MAX_ELEMENTS / n) return 0;
        n *= (size_t)s.dim[i];
    }
    return n;
}

char *xfv_shape_text(struct xfv_shape s, char buf[64])
{
    size_t at = 0;
    buf[0] = '\0';
    for (int i = 0; i < s.rank && i < XFV_MAX_RANK; i++)
        at += (size_t)snprintf(buf + at, 64 - at, "%s%d", i ? "x" : "", s.dim[i]);
    return buf;
}
