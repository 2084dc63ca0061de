/* TensorFlow.js graph models: NodeDefs in JSON, as protocol buffers are written there. Only what an output needs is
 * read, from the inputs on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "net/import/tfjs_internal.h"

/* A node of the file; mark: 1 its inputs are being visited, 2 done; next: which. */
struct entry { const char *name; const json_t *node; int mark, read; size_t next; };

struct tfjs_graph { struct tfjs *t; struct entry *entry; size_t n; struct entry **stack; size_t depth; };

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* The tensor that a reference means, "node" for "node:0"; NULL for one that orders nodes only ("^node"). */
static const char *tensor_of(struct tfjs *t, const char *reference)
{
    size_t n = reference ? strlen(reference) : 0;
    if (!n || *reference == '^') return NULL;
    if (n > 2 && !strcmp(reference + n - 2, ":0")) return xfv_tfjs_format(t, "%.*s", (int)(n - 2), reference);
    return reference;
}

static struct entry *find(const struct tfjs_graph *g, const char *tensor)
{
    struct entry key = {0}, *found = NULL;
    char *name = tensor ? strdup(tensor) : NULL;
    if ((key.name = name)) {
        name[strcspn(name, ":")] = '\0';
        found = bsearch(&key, g->entry, g->n, sizeof key, by_name);
    }
    free(name);
    return found;
}

/* ---- attributes ---- */

const json_t *xfv_tfjs_attr(const struct tfjs_op *n, const char *name, const char *kind)
{
    return json_object_get(json_object_get(n->attr, name), kind);
}

static int digit_of(char c)
{
    static const char *const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int)(p - digits) : -1;
}

/* Bytes are written in base64, or as a list of numbers. */
static const char *decoded(struct tfjs *t, const json_t *x)
{
    const char *s = json_string_value(x);
    size_t n = s ? strlen(s) : json_array_size(x), k = 0;
    char *to = xfv_tfjs_alloc(t, n + 1);
    unsigned bits = 0, have = 0;
    int64_t v;
    for (size_t i = 0; to && i < n; i++) {
        if (!s) {
            to[k++] = xfv_tfjs_whole(json_array_get(x, i), &v) && v > 0 && v < 127 ? (char)v : '?';
            continue;
        }
        int d = digit_of(s[i]);
        if (d < 0) break;
        bits = (bits << 6 | (unsigned)d) & 0xffff;
        if ((have += 6) >= 8) have -= 8, to[k++] = (char)(bits >> have & 0xff);
    }
    return to;
}

const char *xfv_tfjs_attr_text(struct tfjs *t, const struct tfjs_op *n, const char *name)
{
    const json_t *x = xfv_tfjs_attr(n, name, "s");
    return x ? decoded(t, x) : "";
}

int xfv_tfjs_attr_texts(struct tfjs *t, const struct tfjs_op *n, const char *name, const char **v, int cap)
{
    const json_t *list = json_object_get(xfv_tfjs_attr(n, name, "list"), "s");
    size_t count = json_array_size(list);
    if (count > (size_t)cap) return TFJS_BAD("'%.100s' (%.40s) has %zu '%s'", n->name, n->op, count, name);
    for (size_t i = 0; i < count; i++)
        if (!(v[i] = decoded(t, json_array_get(list, i)))) return t->e->status;
    return (int)count;
}

int xfv_tfjs_attr_ints(const struct tfjs_op *n, const char *name, int64_t *v, int cap)
{
    const json_t *list = json_object_get(xfv_tfjs_attr(n, name, "list"), "i");
    return list ? xfv_tfjs_list(list, v, cap) : 0;
}

int64_t xfv_tfjs_attr_int(const struct tfjs_op *n, const char *name, int64_t otherwise)
{
    int64_t v;
    return xfv_tfjs_whole(xfv_tfjs_attr(n, name, "i"), &v) ? v : otherwise;
}

double xfv_tfjs_attr_real(const struct tfjs_op *n, const char *name, double otherwise)
{
    return xfv_tfjs_real(json_object_get(n->attr, name), "f", otherwise);
}

int xfv_tfjs_attr_flag(const struct tfjs_op *n, const char *name)
{
    return xfv_tfjs_flag(json_object_get(n->attr, name), "b", 0);
}

int xfv_tfjs_type(const char *s)
{
    static const struct { const char *name; int type; } types[] = {
        {"DT_FLOAT", ONX_F32}, {"DT_HALF", ONX_F16},  {"DT_DOUBLE", ONX_F64}, {"DT_INT32", ONX_I32},
        {"DT_INT64", ONX_I64}, {"DT_UINT8", ONX_U8},  {"DT_BOOL", ONX_BOOL},  {"DT_INT8", ONX_I8},
        {"DT_INT16", ONX_I16}, {"DT_UINT16", ONX_U16}};
    for (size_t i = 0; s && i < sizeof types / sizeof *types; i++)
        if (!strcmp(s, types[i].name)) return types[i].type;
    return 0;
}

/* ---- constants ---- */

struct tfjs_weight *xfv_tfjs_constant(struct tfjs *t, const char *tensor)
{
    for (int k = 0; k < 16; k++) {
        struct tfjs_weight *w = xfv_tfjs_weight(t, tensor);
        const struct entry *x = w ? NULL : find(t->nodes, tensor);
        const char *op = x ? xfv_tfjs_text(x->node, "op") : NULL;
        if (w || !op || strcmp(op, "Identity") != 0) return w;
        tensor = tensor_of(t, json_string_value(json_array_get(json_object_get(x->node, "input"), 0)));
    }
    return NULL;
}

int xfv_tfjs_input_ints(struct tfjs *t, const struct tfjs_op *n, int k, int64_t *v, int cap)
{
    const struct tfjs_weight *w = k < n->n_in ? xfv_tfjs_constant(t, n->in[k]) : NULL;
    if (w && w->proto->data_type == ONX_I32) return xfv_tfjs_weight_ints(t, w, v, cap);
    return TFJS_BAD("'%.100s' (%.40s) needs input %d as constant whole numbers", n->name, n->op, k);
}

/* ---- nodes ---- */

static int dims_of(const json_t *shape, int64_t *dim, int cap)
{
    const json_t *list = json_object_get(shape, "dim");
    size_t n = json_array_size(list);
    if (!n || n > (size_t)cap) return 0;
    for (size_t i = 0; i < n; i++)
        if (!xfv_tfjs_whole(json_object_get(json_array_get(list, i), "size"), &dim[i])) dim[i] = 0;
    return (int)n;
}

/* The shape is the node's, or, where it has none, that of the signature, whose key and name may end in ":0". */
static int placeholder(struct tfjs *t, const struct tfjs_op *n)
{
    int64_t dim[ONX_MAX_RANK];
    int rank = dims_of(xfv_tfjs_attr(n, "shape", "shape"), dim, ONX_MAX_RANK),
        type = xfv_tfjs_type(json_string_value(xfv_tfjs_attr(n, "dtype", "type")));
    const char *key;
    json_t *x;
    size_t len = strlen(n->name);
    json_object_foreach(json_object_get(json_object_get(t->root, "signature"), "inputs"), key, x)
    {
        const char *name = xfv_tfjs_text(x, "name");
        if (!rank && name && !strncmp(name, n->name, len) && (!name[len] || !strcmp(name + len, ":0")))
            rank = dims_of(json_object_get(x, "tensorShape"), dim, ONX_MAX_RANK);
    }
    xfv_tfjs_input(t, n->name, dim, rank, type ? type : ONX_F32);
    return 0;
}

static int constant(struct tfjs *t, const struct tfjs_op *n)
{
    struct tfjs_weight *w = xfv_tfjs_weight(t, n->name);
    if (!w) return TFJS_BAD("constant '%.100s' is not in the weightsManifest", n->name);
    xfv_tfjs_add_weight(t, w);
    return 0;
}

static int read_op(struct tfjs_graph *g, const struct entry *x, struct tfjs_op *n)
{
    struct tfjs *t = g->t;
    const json_t *in = json_object_get(x->node, "input");
    const char *op = xfv_tfjs_text(x->node, "op");
    *n = (struct tfjs_op){.name = x->name, .op = op ? op : "?", .attr = json_object_get(x->node, "attr")};
    for (size_t i = 0; i < json_array_size(in); i++) {
        const char *tensor = tensor_of(t, json_string_value(json_array_get(in, i)));
        if (!tensor) continue;
        if (n->n_in == ONX_MAX_INPUTS) return TFJS_BAD("'%.100s' (%.40s) has too many inputs", n->name, n->op);
        n->in[n->n_in++] = tensor;
    }
    return 0;
}

static int build(struct tfjs_graph *g, const struct entry *x)
{
    struct tfjs *t = g->t;
    struct tfjs_op n;
    int status = read_op(g, x, &n);
    if (status) return status;
    if (!strcmp(n.op, "Placeholder")) return placeholder(t, &n);
    if (!strcmp(n.op, "Const")) return constant(t, &n);
    const struct tfjs_known *known = xfv_tfjs_known(n.op);
    if (!known) return xfv_tfjs_unknown(t, "operator", n.op, n.name);
    if (n.n_in < known->min_in)
        return TFJS_BAD("'%.100s' (%.40s) has %d inputs and needs %d", n.name, n.op, n.n_in, known->min_in);
    if (known->build) return known->build(t, &n);
    xfv_tfjs_node(t, known->onnx, n.name, n.in, known->min_in > 0 ? known->min_in : n.n_in);
    return t->e->status;
}

/* What was not understood is noted; only what ends reading is given back. */
static int build_noted(struct tfjs_graph *g, const struct entry *x)
{
    struct tfjs *t = g->t;
    int status = build(g, x);
    if (status == XFV_ENOMEM || status == XFV_EIO) return status;
    if (status) xfv_tfjs_note(t, "%s", t->e->msg);
    *t->e = (struct xfv_err){0};
    return 0;
}

static int push(struct tfjs_graph *g, struct entry *x)
{
    if (!XFV_GROW(g->stack, g->depth + 1)) return xfv_fail(g->t->e, XFV_ENOMEM, "out of memory for nodes");
    x->mark = 1;
    g->stack[g->depth++] = x;
    return 0;
}

/* Nodes are built after those that they read, without recursion. */
static int visit(struct tfjs_graph *g, struct entry *root)
{
    struct tfjs *t = g->t;
    int status = root->mark ? 0 : push(g, root);
    while (!status && g->depth) {
        struct entry *x = g->stack[g->depth - 1], *next;
        const char *in = json_string_value(json_array_get(json_object_get(x->node, "input"), x->next)),
                   *tensor = in ? tensor_of(t, in) : NULL;
        if (!in) {
            x->mark = 2;
            g->depth--;
            status = build_noted(g, x);
            continue;
        }
        x->next++;
        if (!tensor) continue;
        if (!(next = find(g, tensor)))
            return TFJS_BAD("'%.100s' reads '%.100s', which nothing makes", x->name, tensor);
        if (next->mark == 1)
            return TFJS_BAD("'%.100s' and '%.100s' read each other: loops are not supported", x->name, next->name);
        if (!next->mark) status = push(g, next);
    }
    return status;
}

/* ---- outputs ---- */

static int output(struct tfjs_graph *g, const char *reference)
{
    struct tfjs *t = g->t;
    const char *tensor = tensor_of(t, reference);
    struct entry *x = find(g, tensor);
    if (!x) return TFJS_BAD("no node makes output '%.100s'", reference ? reference : "?");
    int status = visit(g, x);
    if (!status) xfv_tfjs_output(t, tensor);
    return status ? status : t->e->status;
}

/* Nodes that none reads, as TensorFlow.js takes them for the outputs where no signature names them. */
static int outputs_unread(struct tfjs_graph *g, const json_t *nodes)
{
    int status = 0;
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *in = json_object_get(json_array_get(nodes, i), "input");
        for (size_t k = 0; k < json_array_size(in); k++) {
            struct entry *x = find(g, tensor_of(g->t, json_string_value(json_array_get(in, k))));
            if (x) x->read = 1;
        }
    }
    for (size_t i = 0; !status && i < json_array_size(nodes); i++) {
        const char *name = xfv_tfjs_text(json_array_get(nodes, i), "name"),
                   *op = xfv_tfjs_text(json_array_get(nodes, i), "op");
        const struct entry *x = find(g, name);
        if (!x || x->read || !op || !strcmp(op, "Const") || !strcmp(op, "NoOp") || !strcmp(op, "Placeholder")) continue;
        status = output(g, name);
    }
    return status;
}

/* With --embedding, what it and --normalised name, so that what follows need not be understood. */
static int outputs(struct tfjs_graph *g, const json_t *nodes)
{
    const json_t *named = json_object_get(json_object_get(g->t->root, "signature"), "outputs");
    const char *key;
    json_t *x;
    int status = 0, told = 0;
    for (int i = 0; i < 2 && !status; i++) {
        if (!g->t->embedding[i] || !find(g, tensor_of(g->t, g->t->embedding[i]))) continue;
        if (i && told && !strcmp(g->t->embedding[0], g->t->embedding[1])) continue;
        told = 1;
        status = output(g, g->t->embedding[i]);
    }
    if (status || told) return status;
    if (!json_object_size(named)) return outputs_unread(g, nodes);
    json_object_foreach((json_t *)(uintptr_t)named, key, x)
    {
        const char *name = xfv_tfjs_text(x, "name");
        if (!status) status = output(g, name ? name : key);
    }
    return status;
}

int xfv_tfjs_read_graph(struct tfjs *t, const json_t *topology)
{
    const json_t *nodes = json_object_get(topology, "node");
    struct tfjs_graph g = {.t = t};
    size_t n = json_array_size(nodes);
    if (!n || n > XFV_MAX_NODES) return TFJS_BAD("the network has %zu nodes", n);
    if (!(g.entry = xfv_tfjs_alloc(t, n * sizeof *g.entry))) return t->e->status;
    for (; g.n < n; g.n++) {
        g.entry[g.n].node = json_array_get(nodes, g.n);
        if (!(g.entry[g.n].name = xfv_tfjs_text(g.entry[g.n].node, "name"))) return TFJS_BAD("a node has no name");
    }
    qsort(g.entry, n, sizeof *g.entry, by_name);
    for (size_t i = 1; i < n; i++)
        if (!strcmp(g.entry[i].name, g.entry[i - 1].name))
            return TFJS_BAD("two nodes are called '%.100s'", g.entry[i].name);
    t->nodes = &g;
    int status = outputs(&g, nodes);
    t->nodes = NULL;
    free(g.stack);
    return status;
}
