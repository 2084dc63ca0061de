/* ONNX files: one list of nodes. A node that calls one of the file's own functions becomes the function's nodes, and an
 * If the nodes of both its branches, each to be built only where the condition, which must be a constant by then, has
 * its value. Names within get the caller's name in front. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "net/import/onnx_internal.h"

#define MAX_DEPTH 16 /* of functions that call functions, and of branches within branches */

/* Where names of a function's or branch's own are looked up: a pair (own name, name in the list), then the scope around
 * it (of a branch), or nothing. */
struct scope {
    /* of a branch: names that are not its own belong to this one; NULL: a function, or the graph itself */
    const struct scope *outer;
    int root;                      /* the graph itself: names stay */
    size_t n;
    const char **own, **as;
    const onx_node *call;          /* of a function: its attributes are those that the body refers to */
    Onnx__AttributeProto **defaults;
    size_t n_defaults;
    int depth, guard, when;
};

/* Freed with the list. NULL (with o->e filled) when out of memory. */
static void *keep(struct onx *o, void *p)
{
    if (p && XFV_GROW(o->kept, o->n_kept + 1)) {
        o->kept[o->n_kept++] = p;
        return p;
    }
    free(p);
    xfv_fail(o->e, XFV_ENOMEM, "out of memory for the file's nodes");
    return NULL;
}

void xfv_onx_flat_free(struct onx *o)
{
    for (size_t i = 0; i < o->n_defaults; i++) xfv_onnx__attribute_proto__free_unpacked(o->defaults[i], NULL);
    for (size_t i = 0; i < o->n_kept; i++) free(o->kept[i]);
    free(o->defaults);
    free(o->kept);
    free(o->flat);
    free(o->guards);
    free(o->inits);
}

static const char *name_in(const struct scope *s, const char *name)
{
    if (!name || !*name) return "";
    for (; s; s = s->outer) {
        if (s->root) return name;
        for (size_t i = 0; i < s->n; i++)
            if (strcmp(s->own[i], name) == 0) return s->as[i];
    }
    return NULL;
}

static int bind(struct onx *o, struct scope *s, const char *own, const char *as)
{
    if (!own || !*own) return 0;
    if (s->n >= XFV_MAX_NODES || !XFV_GROW(s->own, s->n + 1) || !XFV_GROW(s->as, s->n + 1))
        return xfv_fail(o->e, XFV_ENOMEM, "out of memory for names");
    s->own[s->n] = own;
    s->as[s->n++] = as;
    return 0;
}

/* A name of the scope's own: "caller/own", with a number that no other call has. */
static int bind_own(struct onx *o, struct scope *s, const char *own, const char *caller)
{
    size_t cap = strlen(own ? own : "") + strlen(caller) + 24;
    char *as;
    if (!own || !*own) return 0;
    if (!(as = keep(o, malloc(cap)))) return XFV_ENOMEM;
    snprintf(as, cap, "%s/%s@%d", caller, own, o->calls);
    return bind(o, s, own, as);
}

static int push(struct onx *o, const onx_node *n, const struct scope *s)
{
    if (o->n_flat >= XFV_MAX_NODES)
        return ONX_BAD("the file has more than %d nodes, those of its functions counted as often as they are called",
                       XFV_MAX_NODES);
    if (!XFV_GROW(o->flat, (size_t)o->n_flat + 1)) return xfv_fail(o->e, XFV_ENOMEM, "out of memory for nodes");
    o->flat[o->n_flat++] = (struct onx_flat){.n = n, .guard = s->guard, .when = s->when};
    return 0;
}

static int add_init(struct onx *o, const char *name, const onx_proto *p)
{
    if (!XFV_GROW(o->inits, o->n_inits + 1)) return xfv_fail(o->e, XFV_ENOMEM, "out of memory for constants");
    o->inits[o->n_inits].name = name;
    o->inits[o->n_inits++].p = p;
    return 0;
}

static const char *caller_of(const onx_node *n)
{
    return n->n_output && n->output[0] && *n->output[0] ? n->output[0] : n->name ? n->name : "?";
}

/* Names of a list as the scope has them, in a new list. */
static char **renamed(struct onx *o, const struct scope *s, char *const *names, size_t n, const onx_node *of)
{
    char **to = keep(o, calloc(n + 1, sizeof *to));
    for (size_t i = 0; to && i < n; i++) {
        const char *name = name_in(s, names[i]);
        if (!name)
            return ONX_BAD("'%.60s' (%.40s) reads '%.60s', which nothing makes", caller_of(of),
                           of->op_type ? of->op_type : "?", names[i]),
                   NULL;
        to[i] = (char *)(uintptr_t)name; /* never written to */
    }
    return to;
}

/* An attribute that refers to the caller's: its value, or the function's default; NULL: neither is there. */
static const Onnx__AttributeProto *referred(const struct scope *s, const char *name)
{
    while (s && !s->call) s = s->outer;
    for (size_t i = 0; s && i < s->call->n_attribute; i++)
        if (s->call->attribute[i]->name && strcmp(s->call->attribute[i]->name, name) == 0) return s->call->attribute[i];
    for (size_t i = 0; s && i < s->n_defaults; i++)
        if (s->defaults[i]->name && strcmp(s->defaults[i]->name, name) == 0) return s->defaults[i];
    return NULL;
}

/* The node with the scope's names and attributes. */
static onx_node *node_in(struct onx *o, const struct scope *s, const onx_node *n)
{
    onx_node *c = keep(o, malloc(sizeof *c));
    Onnx__AttributeProto **list = c ? keep(o, calloc(n->n_attribute + 1, sizeof *list)) : NULL;
    if (!list) return NULL;
    *c = *n;
    c->attribute = list;
    c->n_attribute = 0;
    for (size_t i = 0; i < n->n_attribute; i++) {
        Onnx__AttributeProto *a = n->attribute[i], *copy;
        if (a->ref_attr_name && *a->ref_attr_name) {
            const Onnx__AttributeProto *from = referred(s, a->ref_attr_name);
            if (!from) continue;
            if (!(copy = keep(o, malloc(sizeof *copy)))) return NULL;
            *copy = *from;
            copy->name = a->name;
            a = copy;
        }
        list[c->n_attribute++] = a;
    }
    if (!(c->input = renamed(o, s, n->input, n->n_input, n)) || !(c->output = renamed(o, s, n->output, n->n_output, n)))
        return NULL;
    return c;
}

static int same_text(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : "") == 0; }

static const Onnx__FunctionProto *function_of(const struct onx *o, const onx_node *n)
{
    for (size_t i = 0; i < o->n_functions; i++)
        if (n->op_type && same_text(o->functions[i]->name, n->op_type) && same_text(o->functions[i]->domain, n->domain))
            return o->functions[i];
    return NULL;
}

/* Defaults of a function's attributes: field 11, younger than the schema that the file is read with. */
static int read_defaults(struct onx *o, const Onnx__FunctionProto *f, struct scope *s)
{
    size_t first = o->n_defaults;
    for (unsigned i = 0; i < f->base.n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *u = &f->base.unknown_fields[i];
        size_t skip = 0;
        if (u->tag != 11 || u->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) continue;
        while (skip < u->len && u->data[skip] & 128) skip++; /* the length in front */
        if (skip + 1 > u->len) continue;
        Onnx__AttributeProto *a = xfv_onnx__attribute_proto__unpack(NULL, u->len - skip - 1, u->data + skip + 1);
        if (!a) continue;
        if (!XFV_GROW(o->defaults, o->n_defaults + 1)) {
            xfv_onnx__attribute_proto__free_unpacked(a, NULL);
            return xfv_fail(o->e, XFV_ENOMEM, "out of memory for attributes");
        }
        o->defaults[o->n_defaults++] = a;
    }
    s->n_defaults = o->n_defaults - first;
    s->defaults = keep(o, malloc((s->n_defaults + 1) * sizeof *s->defaults)); /* the list may move as it grows */
    for (size_t i = 0; s->defaults && i < s->n_defaults; i++) s->defaults[i] = o->defaults[first + i];
    return s->defaults ? 0 : XFV_ENOMEM;
}

static int flatten(struct onx *o, onx_node *const *nodes, size_t n, const struct scope *s);

static int call_function(struct onx *o, const Onnx__FunctionProto *f, const onx_node *n, const struct scope *from)
{
    struct scope s = {.depth = from->depth + 1, .guard = from->guard, .when = from->when, .call = n};
    int status = 0;
    o->calls++;
    if (s.depth > MAX_DEPTH)
        return ONX_BAD("function '%.60s' calls itself, or others more than %d deep", f->name ? f->name : "?",
                       MAX_DEPTH);
    if (n->n_input > f->n_input || n->n_output > f->n_output)
        return ONX_BAD("'%.60s' calls function '%.60s' with too many inputs or outputs", caller_of(n),
                       f->name ? f->name : "?");
    for (size_t i = 0; i < f->n_input && !status; i++)
        status = bind(o, &s, f->input[i], i < n->n_input && n->input[i] ? n->input[i] : "");
    for (size_t i = 0; i < n->n_output && !status; i++)
        if (n->output[i] && *n->output[i]) status = bind(o, &s, f->output[i], n->output[i]);
    for (size_t i = 0; i < f->n_node && !status; i++)
        for (size_t k = 0; k < f->node[i]->n_output && !status; k++)
            if (!name_in(&s, f->node[i]->output[k])) status = bind_own(o, &s, f->node[i]->output[k], caller_of(n));
    if (!status) status = read_defaults(o, f, &s);
    if (!status) status = flatten(o, f->node, f->n_node, &s);
    free(s.own);
    free(s.as);
    return status;
}

static int add_branch(struct onx *o, const Onnx__GraphProto *g, const onx_node *n, const struct scope *from, int guard,
                      int when, char **outs)
{
    struct scope s = {.outer = from, .depth = from->depth + 1, .guard = guard, .when = when};
    int status = 0;
    o->calls++;
    if (s.depth > MAX_DEPTH) return ONX_BAD("'%.60s' (If) has branches more than %d deep", caller_of(n), MAX_DEPTH);
    if (g->n_output != n->n_output)
        return ONX_BAD("'%.60s' (If) has a branch with %zu outputs instead of %zu", caller_of(n), g->n_output,
                       n->n_output);
    for (size_t i = 0; i < g->n_initializer && !status; i++) {
        status = bind_own(o, &s, g->initializer[i]->name, caller_of(n));
        if (!status && s.n) status = add_init(o, s.as[s.n - 1], g->initializer[i]);
    }
    for (size_t i = 0; i < g->n_node && !status; i++)
        for (size_t k = 0; k < g->node[i]->n_output && !status; k++)
            status = bind_own(o, &s, g->node[i]->output[k], caller_of(n));
    if (!status) status = flatten(o, g->node, g->n_node, &s);
    for (size_t i = 0; i < g->n_output && !status; i++) {
        const char *name = name_in(&s, g->output[i]->name);
        if (!name || !*name) status = ONX_BAD("'%.60s' (If) has a branch whose output nothing makes", caller_of(n));
        outs[i] = (char *)(uintptr_t)name;
    }
    free(s.own);
    free(s.as);
    return status;
}

/* If: the nodes of both branches, then a node If(condition, outputs of the one, outputs of the other). */
static int add_if(struct onx *o, const onx_node *n, const struct scope *from)
{
    const Onnx__GraphProto *branch[2] = {NULL, NULL};
    onx_node *pick = keep(o, malloc(sizeof *pick));
    char **in = keep(o, calloc(2 * n->n_output + 2, sizeof *in));
    if (!pick || !in) return XFV_ENOMEM;
    for (size_t i = 0; i < n->n_attribute; i++) {
        if (n->attribute[i]->name && strcmp(n->attribute[i]->name, "then_branch") == 0) branch[0] = n->attribute[i]->g;
        if (n->attribute[i]->name && strcmp(n->attribute[i]->name, "else_branch") == 0) branch[1] = n->attribute[i]->g;
    }
    if (!branch[0] || !branch[1] || n->n_input != 1 || n->n_output < 1)
        return ONX_BAD("'%.60s' (If) lacks a branch or a condition", caller_of(n));
    if (!XFV_GROW(o->guards, (size_t)o->n_guards + 1)) return xfv_fail(o->e, XFV_ENOMEM, "out of memory for nodes");
    int guard = o->n_guards++;
    o->guards[guard] = (struct onx_guard){.condition = n->input[0], .outer = from->guard, .when = from->when};
    in[0] = n->input[0];
    for (int b = 0; b < 2; b++) {
        int status = add_branch(o, branch[b], n, from, guard, !b, in + 1 + (size_t)b * n->n_output);
        if (status) return status;
    }
    *pick = *n;
    pick->input = in;
    pick->n_input = 2 * n->n_output + 1;
    return push(o, pick, from);
}

static int flatten(struct onx *o, onx_node *const *nodes, size_t n, const struct scope *s)
{
    for (size_t i = 0; i < n; i++) {
        const onx_node *node = s->root ? nodes[i] : node_in(o, s, nodes[i]);
        if (!node) return o->e->status;
        const Onnx__FunctionProto *f = function_of(o, node);
        int branches = !f && node->op_type && strcmp(node->op_type, "If") == 0;
        int status = f ? call_function(o, f, node, s) : branches ? add_if(o, node, s) : push(o, node, s);
        if (status) return status;
    }
    return 0;
}

int xfv_onx_flatten(struct onx *o, const Onnx__ModelProto *m)
{
    const struct scope root = {.root = 1, .guard = -1};
    const Onnx__GraphProto *g = m->graph;
    int status = 0;
    o->functions = m->functions;
    o->n_functions = m->n_functions;
    for (size_t i = 0; i < g->n_initializer && !status; i++)
        status = add_init(o, g->initializer[i]->name, g->initializer[i]);
    return status ? status : flatten(o, g->node, g->n_node, &root);
}

int xfv_onx_if(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *k = xfv_onx_is_constant(c->in[0]) ? xfv_onx_constant(o, c->in[0]) : NULL;
    if (!k) return ONX_BAD("'%s' (If) has a condition that is computed from the image", c->label);
    if (k->count != 1) return ONX_BAD("'%s' (If) has a condition of %zu numbers", c->label, k->count);
    double v = xfv_onx_const_at(k, 0);
    for (int i = 0; i < c->n_out; i++) {
        struct onx_tensor *from = c->in[1 + i + (v * v > 0 ? 0 : c->n_out)];
        if (!from || !from->made) return ONX_BAD("'%s' (If) has a branch whose output nothing makes", c->label);
        struct onx_call copy = {.n = c->n,
                                .known = c->known,
                                .op = "Identity",
                                .label = c->label,
                                .n_in = 1,
                                .n_out = 1,
                                .in = {from},
                                .out = {c->out[i]}};
        if (!c->out[i]) continue;
        int status = xfv_onx_is_constant(from) ? xfv_onx_eval_identity(o, &copy) : xfv_onx_identity(o, &copy);
        if (status < 0) return status;
        if (from->whole) c->out[i]->whole = from->whole;
    }
    return 0;
}
