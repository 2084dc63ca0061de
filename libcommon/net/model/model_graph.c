/* The graph in a model file's head: one table says which attributes each operator has and where they live in struct
 * xfv_node. */
#include <stddef.h>
#include <string.h>

#include "net/model/internal.h"
#include "stream/put.h"

enum type { INTS, BOOL, FLOATS, FUNCTION_ACT, FUNCTION_REDUCE, RELATION, AXES, DIMS };
struct attr { enum xfv_op op; const char *key; enum type type; size_t at; int n; };

#define AT(member) offsetof(struct xfv_node, member)
#define I(k) (offsetof(struct xfv_node, i) + (k) * sizeof(int))
static const struct attr attrs[] = {
    {XFV_OP_CONV, "kernel", INTS, AT(kernel), 2},
    {XFV_OP_CONV, "stride", INTS, AT(stride), 2},
    {XFV_OP_CONV, "dilation", INTS, AT(dilation), 2},
    {XFV_OP_CONV, "pads", INTS, AT(pads), 4},
    {XFV_OP_CONV, "groups", INTS, AT(groups), 1},
    {XFV_OP_MAXPOOL, "kernel", INTS, AT(kernel), 2},
    {XFV_OP_MAXPOOL, "stride", INTS, AT(stride), 2},
    {XFV_OP_MAXPOOL, "dilation", INTS, AT(dilation), 2},
    {XFV_OP_MAXPOOL, "pads", INTS, AT(pads), 4},
    {XFV_OP_AVGPOOL, "kernel", INTS, AT(kernel), 2},
    {XFV_OP_AVGPOOL, "stride", INTS, AT(stride), 2},
    {XFV_OP_AVGPOOL, "dilation", INTS, AT(dilation), 2},
    {XFV_OP_AVGPOOL, "pads", INTS, AT(pads), 4},
    {XFV_OP_AVGPOOL, "count_padding", BOOL, I(0), 1},
    {XFV_OP_RESHAPE, "shape", DIMS, I(0), 4},
    {XFV_OP_L2NORM, "epsilon", FLOATS, AT(f), 1},
    {XFV_OP_ACT, "function", FUNCTION_ACT, I(0), 1},
    {XFV_OP_ACT, "parameters", FLOATS, AT(f), 4},
    {XFV_OP_TRANSPOSE, "permutation", INTS, I(0), 4},
    {XFV_OP_CONCAT, "axis", INTS, I(0), 1},
    {XFV_OP_SLICE, "axis", INTS, I(0), 1},
    {XFV_OP_SLICE, "begin", INTS, I(1), 1},
    {XFV_OP_SLICE, "end", INTS, I(2), 1},
    {XFV_OP_PAD, "pads", INTS, AT(pads), 4},
    {XFV_OP_REDUCE, "function", FUNCTION_REDUCE, I(0), 1},
    {XFV_OP_REDUCE, "axes", AXES, I(1), 1},
    {XFV_OP_MOD, "sign_of_first", BOOL, I(0), 1},
    {XFV_OP_COMPARE, "relation", RELATION, I(0), 1},
    {XFV_OP_SPARSE, "shape", DIMS, I(0), 4},
    {XFV_OP_MATMUL, "transpose_b", BOOL, I(0), 1},
    {XFV_OP_LAYERNORM, "epsilon", FLOATS, AT(f), 1},
};
enum { N_ATTRS = sizeof attrs / sizeof *attrs };

msgpack_object xfv_array_of(msgpack_zone *z, int n)
{
    msgpack_object o = {.type = MSGPACK_OBJECT_NIL};
    msgpack_object *p = msgpack_zone_malloc(z, (size_t)(n ? n : 1) * sizeof *p);
    if (!p) return o;
    memset(p, 0, (size_t)(n ? n : 1) * sizeof *p);
    o.type = MSGPACK_OBJECT_ARRAY;
    o.via.array.ptr = p;
    o.via.array.size = (uint32_t)n;
    return o;
}

static msgpack_object ints(msgpack_zone *z, const int *v, int n)
{
    msgpack_object o = xfv_array_of(z, n);
    for (int k = 0; k < n && o.type == MSGPACK_OBJECT_ARRAY; k++) o.via.array.ptr[k] = xfv_val_int(v[k]);
    return o;
}

/* ---- writing ---- */

static msgpack_object attr_value(msgpack_zone *z, const struct attr *a, const struct xfv_node *n)
{
    const int *v = (const int *)(const void *)((const char *)n + a->at);
    double d[4];
    int list[XFV_MAX_RANK], k = 0;
    switch (a->type) {
    case INTS: return a->n == 1 ? xfv_val_int(*v) : ints(z, v, a->n);
    case BOOL: return xfv_val_bool(*v != 0);
    case FLOATS:
        for (k = 0; k < a->n; k++) d[k] = (double)n->f[k];
        return a->n == 1 ? xfv_val_f64(d[0]) : xfv_val_f64s(z, d, (size_t)a->n);
    case FUNCTION_ACT: return xfv_val_str(z, xfv_act_name(*v));
    case FUNCTION_REDUCE: return xfv_val_str(z, xfv_reduce_name(*v));
    case RELATION: return xfv_val_str(z, xfv_relation_name(*v));
    case AXES:
        for (int axis = 0; axis < XFV_MAX_RANK; axis++)
            if (*v >> axis & 1) list[k++] = axis;
        return ints(z, list, k);
    case DIMS:
        while (k < XFV_MAX_RANK && v[k]) k++;
        return ints(z, v, k);
    }
    return xfv_val_int(0);
}

static int write_node(const struct xfv_graph *g, const struct xfv_node *n, msgpack_zone *z, msgpack_object *out,
                      struct xfv_err *e)
{
    msgpack_object in = xfv_array_of(z, n->n_in);
    *out = xfv_val_map(z);
    for (int k = 0; k < n->n_in && in.type == MSGPACK_OBJECT_ARRAY; k++) {
        in.via.array.ptr[k] = xfv_val_str(z, g->values[n->in[k]].name);
        if (in.via.array.ptr[k].type == MSGPACK_OBJECT_NIL)
            return xfv_fail(e, XFV_ENOMEM, "out of memory for node '%s'", n->name);
    }
    struct xfv_put put = xfv_put_into(z, out, e);
    xfv_put_text(&put, "op", xfv_op_name(n->op));
    xfv_put_text(&put, "name", n->name);
    xfv_put(&put, "in", in);
    xfv_put_text(&put, "out", g->values[n->out].name);
    if (n->weight >= 0) xfv_put_text(&put, "weight", g->weights[n->weight].name);
    if (n->bias >= 0) xfv_put_text(&put, "bias", g->weights[n->bias].name);
    for (int a = 0; a < N_ATTRS; a++)
        if (attrs[a].op == n->op) xfv_put(&put, attrs[a].key, attr_value(z, &attrs[a], n));
    return put.status;
}

int xfv_graph_write(const struct xfv_graph *g, msgpack_zone *z, msgpack_object *out, struct xfv_err *e)
{
    msgpack_object values = xfv_array_of(z, g->n_values), nodes = xfv_array_of(z, g->n_nodes),
                   outputs = xfv_array_of(z, g->n_outputs);
    int status;
    *out = xfv_val_map(z);
    if (values.type == MSGPACK_OBJECT_NIL || nodes.type == MSGPACK_OBJECT_NIL || outputs.type == MSGPACK_OBJECT_NIL)
        return xfv_fail(e, XFV_ENOMEM, "out of memory for a graph");
    for (int i = 0; i < g->n_values; i++) {
        msgpack_object *v = &values.via.array.ptr[i];
        *v = xfv_val_map(z);
        struct xfv_put put = xfv_put_into(z, v, e);
        xfv_put_text(&put, "name", g->values[i].name);
        xfv_put(&put, "shape", ints(z, g->values[i].shape.dim, g->values[i].shape.rank));
        if (put.status) return put.status;
    }
    for (int i = 0; i < g->n_nodes; i++)
        if ((status = write_node(g, &g->nodes[i], z, &nodes.via.array.ptr[i], e))) return status;
    for (int i = 0; i < g->n_outputs; i++) {
        outputs.via.array.ptr[i] = xfv_val_str(z, g->values[g->outputs[i]].name);
        if (outputs.via.array.ptr[i].type == MSGPACK_OBJECT_NIL)
            return xfv_fail(e, XFV_ENOMEM, "out of memory for a graph");
    }
    struct xfv_put put = xfv_put_into(z, out, e);
    xfv_put(&put, "values", values);
    xfv_put(&put, "nodes", nodes);
    xfv_put(&put, "outputs", outputs);
    return put.status;
}

/* ---- reading ---- */

/* An array under key: its length (at most cap), or a negative status. */
static int get_array(const msgpack_object *map, const char *key, int cap, const msgpack_object **items,
                     struct xfv_err *e)
{
    const msgpack_object *o = xfv_map_get(map, key);
    if (!o || o->type != MSGPACK_OBJECT_ARRAY)
        return xfv_fail(e, XFV_EMODEL, "key '%s' of the graph should be a list", key);
    if (o->via.array.size > (uint32_t)cap)
        return xfv_fail(e, XFV_EMODEL, "key '%s' of the graph lists %u things, more than %d", key, o->via.array.size,
                        cap);
    *items = o->via.array.ptr;
    return (int)o->via.array.size;
}

static int get_int32(const msgpack_object *o, int *v, const char *what, struct xfv_err *e)
{
    if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= INT32_MAX) return *v = (int)o->via.u64, 0;
    if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER && o->via.i64 >= INT32_MIN) return *v = (int)o->via.i64, 0;
    return xfv_fail(e, XFV_EMODEL, "%s should be a whole number of at most %d", what, INT32_MAX);
}

/* Whole numbers under key: exactly n, or with exact 0 up to n; *count says how many. */
static int get_ints(const msgpack_object *map, const char *key, int *v, int n, int exact, int *count, struct xfv_err *e)
{
    const msgpack_object *items = NULL;
    int have = get_array(map, key, n, &items, e);
    if (have < 0) return have;
    if (exact && have != n) return xfv_fail(e, XFV_EMODEL, "key '%s' should list %d numbers, not %d", key, n, have);
    for (int k = 0; k < have; k++) {
        int status = get_int32(&items[k], &v[k], key, e);
        if (status) return status;
    }
    if (count) *count = have;
    return 0;
}

static int get_name(const msgpack_object *o, char *buf, const char *what, struct xfv_err *e)
{
    if (!o || o->type != MSGPACK_OBJECT_STR || o->via.str.size > XFV_MAX_NAME || o->via.str.size == 0 ||
        memchr(o->via.str.ptr, '\0', o->via.str.size))
        return xfv_fail(e, XFV_EMODEL, "%s should be a name of 1 to %d bytes", what, XFV_MAX_NAME);
    memcpy(buf, o->via.str.ptr, o->via.str.size);
    buf[o->via.str.size] = '\0';
    return 0;
}

/* Index of the value or weight that an object names. */
static int find(const struct xfv_graph *g, const msgpack_object *o, int weight, const char *what, struct xfv_err *e)
{
    char name[XFV_MAX_NAME + 1];
    int status = get_name(o, name, what, e);
    if (status) return status;
    int i = weight ? xfv_graph_find_weight(g, name) : xfv_graph_find(g, name);
    return i >= 0 ? i : xfv_fail(e, XFV_EMODEL, "%s '%s' is not in the file", what, name);
}

static int read_floats(const msgpack_object *map, const struct attr *a, float *f, struct xfv_err *e)
{
    double d[4];
    int status = a->n == 1 ? xfv_get_f64(map, a->key, d, e) : xfv_get_f64s(map, a->key, d, (size_t)a->n, e);
    for (int k = 0; k < a->n && !status; k++) {
        if (!(d[k] >= -3.4e38 && d[k] <= 3.4e38))
            return xfv_fail(e, XFV_EMODEL, "key '%s' holds a number that is not finite", a->key);
        f[k] = (float)d[k];
    }
    return status;
}

static int read_attr(const msgpack_object *map, const struct attr *a, struct xfv_node *n, struct xfv_err *e)
{
    int *v = (int *)(void *)((char *)n + a->at), list[XFV_MAX_RANK], count, status;
    char name[32];
    switch (a->type) {
    case INTS:
        if (a->n > 1) return get_ints(map, a->key, v, a->n, 1, NULL, e);
        if (!xfv_map_get(map, a->key)) return xfv_fail(e, XFV_EMODEL, "key '%s' is missing", a->key);
        return get_int32(xfv_map_get(map, a->key), v, a->key, e);
    case BOOL: return xfv_get_bool(map, a->key, v, e);
    case FLOATS: return read_floats(map, a, n->f, e);
    case FUNCTION_ACT:
    case FUNCTION_REDUCE:
    case RELATION:
        if ((status = xfv_get_text(map, a->key, name, sizeof name, e))) return status;
        if (a->type == FUNCTION_ACT      ? xfv_act_parse(name, v)
            : a->type == FUNCTION_REDUCE ? xfv_reduce_parse(name, v)
                                         : xfv_relation_parse(name, v))
            return xfv_fail(e, XFV_EMODEL, "the function '%s' is not known", name);
        return 0;
    case AXES:
        if ((status = get_ints(map, a->key, list, XFV_MAX_RANK, 0, &count, e))) return status;
        for (int k = 0; k < count; k++) {
            if (list[k] < 0 || list[k] >= XFV_MAX_RANK)
                return xfv_fail(e, XFV_EMODEL, "key '%s' names axis %d", a->key, list[k]);
            *v |= 1 << list[k];
        }
        return 0;
    case DIMS: return get_ints(map, a->key, v, XFV_MAX_RANK, 0, NULL, e);
    }
    return XFV_EMODEL;
}

/* A key that this version does not know could change what the node computes: refused. */
static int check_keys(const msgpack_object *map, enum xfv_op op, struct xfv_err *e)
{
    static const char *const common[] = {"op", "name", "in", "out", "weight", "bias"};
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object *k = &map->via.map.ptr[i].key;
        int known = 0;
        for (size_t c = 0; c < sizeof common / sizeof *common; c++)
            known |= k->via.str.size == strlen(common[c]) && memcmp(k->via.str.ptr, common[c], k->via.str.size) == 0;
        for (int a = 0; a < N_ATTRS; a++)
            known |= attrs[a].op == op && k->via.str.size == strlen(attrs[a].key) &&
                     memcmp(k->via.str.ptr, attrs[a].key, k->via.str.size) == 0;
        if (!known)
            return xfv_fail(e, XFV_EMODEL, "operator %s has the unknown attribute '%.*s'", xfv_op_name(op),
                            (int)(k->via.str.size < 64 ? k->via.str.size : 64), k->via.str.ptr);
    }
    return 0;
}

static int read_wiring(struct xfv_graph *g, const msgpack_object *map, struct xfv_node *n, struct xfv_err *e)
{
    const msgpack_object *in = NULL;
    int have = get_array(map, "in", XFV_MAX_INPUTS, &in, e);
    if (have < 0) return have;
    for (n->n_in = 0; n->n_in < have; n->n_in++)
        if ((n->in[n->n_in] = find(g, &in[n->n_in], 0, "input", e)) < 0) return n->in[n->n_in];
    if ((n->out = find(g, xfv_map_get(map, "out"), 0, "output", e)) < 0) return n->out;
    if (xfv_map_get(map, "weight") && (n->weight = find(g, xfv_map_get(map, "weight"), 1, "weight", e)) < 0)
        return n->weight;
    if (xfv_map_get(map, "bias") && (n->bias = find(g, xfv_map_get(map, "bias"), 1, "bias", e)) < 0) return n->bias;
    return 0;
}

static int read_node(struct xfv_graph *g, const msgpack_object *map, struct xfv_err *e)
{
    char name[XFV_MAX_NAME + 1], op_name[32];
    enum xfv_op op;
    int status;
    if (map->type != MSGPACK_OBJECT_MAP) return xfv_fail(e, XFV_EMODEL, "a node should be a map");
    if ((status = get_name(xfv_map_get(map, "name"), name, "a node's name", e)) ||
        (status = xfv_get_text(map, "op", op_name, sizeof op_name, e)))
        return status;
    if (xfv_op_parse(op_name, &op))
        return xfv_fail(e, XFV_EMODEL, "node '%s' has the operator '%s', which is not known", name, op_name);
    struct xfv_node n = xfv_node_default(op);
    n.name = name;
    if ((status = check_keys(map, op, e)) || (status = read_wiring(g, map, &n, e)))
        return xfv_fail_at(e, "node '%s'", name);
    for (int a = 0; a < N_ATTRS; a++)
        if (attrs[a].op == op && (status = read_attr(map, &attrs[a], &n, e))) return xfv_fail_at(e, "node '%s'", name);
    status = xfv_graph_add_node(g, &n, e);
    return status < 0 ? status : 0;
}

static int read_value(struct xfv_graph *g, const msgpack_object *map, struct xfv_err *e)
{
    char name[XFV_MAX_NAME + 1];
    struct xfv_shape s = {0};
    int status;
    if ((status = get_name(xfv_map_get(map, "name"), name, "a value's name", e))) return status;
    if ((status = get_ints(map, "shape", s.dim, XFV_MAX_RANK, 0, &s.rank, e)))
        return xfv_fail_at(e, "value '%s'", name);
    status = xfv_graph_add_value(g, name, s, e);
    return status < 0 ? status : 0;
}

int xfv_graph_read(struct xfv_graph *g, const msgpack_object *o, struct xfv_err *e)
{
    const msgpack_object *items = NULL;
    int n, status;
    if ((n = get_array(o, "values", XFV_MAX_NODES, &items, e)) < 0) return n;
    for (int i = 0; i < n; i++)
        if ((status = read_value(g, &items[i], e))) return status;
    if ((n = get_array(o, "nodes", XFV_MAX_NODES, &items, e)) < 0) return n;
    for (int i = 0; i < n; i++)
        if ((status = read_node(g, &items[i], e))) return status;
    if ((n = get_array(o, "outputs", XFV_MAX_NODES, &items, e)) < 0) return n;
    for (int i = 0; i < n; i++) {
        int v = find(g, &items[i], 0, "output", e);
        if (v < 0 || (v = xfv_graph_add_output(g, v, e)) < 0) return v;
    }
    return 0;
}
