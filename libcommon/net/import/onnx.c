/* ONNX files: the container. Protocol buffers are taken apart by protobuf-c with the schema of libonnx-dev; nodes are
 * built one by one, and what cannot be understood is collected into one message. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/limits.h"
#include "net/import/onnx_hollow.h"
#include "net/import/onnx_internal.h"

/* ---- bounded memory and depth for protobuf-c, which has neither ---- */

/* The frame's address measures depth; a variable's may lie elsewhere under the address sanitizer. */
struct bounds { uintptr_t stack; size_t left; };
#define MAX_STACK ((uintptr_t)1 << 20) /* bytes of stack that nested messages may take */

static void *bounded_alloc(void *ctx, size_t n)
{
    struct bounds *b = ctx;
    uintptr_t at = (uintptr_t)__builtin_frame_address(0), used = at < b->stack ? b->stack - at : at - b->stack;
    if (n > b->left || used > MAX_STACK) return NULL;
    b->left -= n;
    return malloc(n);
}

static void bounded_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static Onnx__ModelProto *unpack(const uint8_t *bytes, size_t n)
{
    /* A byte of the file becomes at most a handful of bytes in memory: numbers of one byte as int64 (8), empty messages
     * as structures. */
    struct bounds b = {(uintptr_t)__builtin_frame_address(0), n < SIZE_MAX / 64 ? n * 40 + (1 << 20) : SIZE_MAX};
    ProtobufCAllocator a = {bounded_alloc, bounded_free, &b};
    Onnx__ModelProto *m = xfv_onnx__model_proto__unpack(&a, n, bytes);
    return m;
}

static void discard(Onnx__ModelProto *m)
{
    ProtobufCAllocator a = {bounded_alloc, bounded_free, NULL};
    if (m) xfv_onnx__model_proto__free_unpacked(m, &a);
}

/* Constants whose bytes stayed in the file get them, without owning them; and lose them before they are freed. */
static void put_back(Onnx__ModelProto *m, const struct xfv_onx_hollow *h)
{
    for (size_t i = 0; m && m->graph && i < h->n_parts; i++) {
        if (h->part[i].constant >= m->graph->n_initializer) continue;
        onx_proto *p = m->graph->initializer[h->part[i].constant];
        p->has_raw_data = 1;
        p->raw_data.len = h->part[i].n;
        p->raw_data.data = (uint8_t *)(uintptr_t)h->part[i].p; /* never written to */
    }
}

static void take_out(Onnx__ModelProto *m, const struct xfv_onx_hollow *h)
{
    for (size_t i = 0; m && m->graph && i < h->n_parts; i++) {
        if (h->part[i].constant >= m->graph->n_initializer) continue;
        onx_proto *p = m->graph->initializer[h->part[i].constant];
        p->has_raw_data = 0;
        p->raw_data.len = 0;
        p->raw_data.data = NULL;
    }
}

int xfv_is_onnx(const uint8_t *p, size_t n)
{
    /* A ModelProto starts with ir_version (field 1, a small number) or, rarely, with another of its first fields as
     * text or message. */
    return n > 16 && ((p[0] == 0x08 && p[1] < 0x40) || (p[0] == 0x12 && p[1] < 0x80) || (p[0] == 0x3a && p[1] >= 0x80));
}

/* ---- the table of names ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct onx_tensor *)a)->name, ((const struct onx_tensor *)b)->name);
}

static struct onx_tensor *find(const struct onx *o, const char *name)
{
    struct onx_tensor key = {.name = name};
    return name && *name ? bsearch(&key, o->t, (size_t)o->n_tensors, sizeof key, by_name) : NULL;
}

static char *printable(const char *s)
{
    size_t n = strlen(s), k = 0;
    if (n > 800) n = 800;
    char *p = malloc(n + 1);
    for (; p && k < n; k++) p[k] = s[k] > ' ' && s[k] < 127 ? s[k] : '_';
    if (p) p[k] = '\0';
    return p;
}

static void add_name(struct onx *o, const char *name, const onx_proto *init)
{
    if (name && *name)
        o->t[o->n_tensors++] = (struct onx_tensor){.name = name, .init = init, .value = -1, .made = init != NULL};
}

/* Everything that has a name: inputs, constants, outputs of nodes. Inputs that are constants too (older files) count
 * once. */
static int read_names(struct onx *o)
{
    const Onnx__GraphProto *f = o->file;
    size_t n = f->n_input + o->n_inits;
    for (int i = 0; i < o->n_flat; i++) n += o->flat[i].n->n_output;
    if (n > 4 * XFV_MAX_NODES) return ONX_BAD("the file has %d nodes and %zu tensors, too many", o->n_flat, n);
    if (!(o->t = calloc(n + 1, sizeof *o->t))) return xfv_fail(o->e, XFV_ENOMEM, "out of memory for %zu tensors", n);
    for (size_t i = 0; i < o->n_inits; i++) add_name(o, o->inits[i].name, o->inits[i].p);
    for (int i = 0; i < o->n_flat; i++)
        for (size_t k = 0; k < o->flat[i].n->n_output; k++) add_name(o, o->flat[i].n->output[k], NULL);
    qsort(o->t, (size_t)o->n_tensors, sizeof *o->t, by_name);
    for (int i = 1; i < o->n_tensors; i++)
        if (strcmp(o->t[i].name, o->t[i - 1].name) == 0)
            return ONX_BAD("two nodes or constants make '%.100s'", o->t[i].name);
    int made = o->n_tensors;
    for (size_t i = 0; i < f->n_input; i++) {
        struct onx_tensor key = {.name = f->input[i]->name};
        if (!key.name || !*key.name || bsearch(&key, o->t, (size_t)made, sizeof key, by_name)) continue;
        add_name(o, key.name, NULL);
    }
    qsort(o->t, (size_t)o->n_tensors, sizeof *o->t, by_name);
    for (int i = 0; i < o->n_tensors; i++) {
        if (i && strcmp(o->t[i].name, o->t[i - 1].name) == 0)
            return ONX_BAD("two inputs are called '%.100s'", o->t[i].name);
        if (!(o->t[i].label = printable(o->t[i].name))) return xfv_fail(o->e, XFV_ENOMEM, "out of memory");
        if (!o->t[i].init) continue;
        const onx_proto *p = o->t[i].init; /* shapes of constants are known before they are loaded */
        if (p->n_dims > ONX_MAX_RANK) return ONX_BAD("constant '%s' has %zu dimensions", o->t[i].label, p->n_dims);
        o->t[i].s.rank = (int)p->n_dims;
        for (size_t k = 0; k < p->n_dims; k++) o->t[i].s.dim[k] = p->dims[k];
    }
    return 0;
}

/* ---- input and output ---- */

static int is_read(const struct onx *o, const char *name)
{
    for (int i = 0; i < o->n_flat; i++)
        for (size_t k = 0; k < o->flat[i].n->n_input; k++)
            if (o->flat[i].n->input[k] && strcmp(o->flat[i].n->input[k], name) == 0) return 1;
    return 0;
}

/* The network's input: the one declared input that is no constant; among several, the one that is read. */
static int find_input(struct onx *o, const Onnx__ValueInfoProto **out)
{
    const Onnx__GraphProto *f = o->file;
    int n = 0, read = 0;
    for (size_t i = 0; i < f->n_input; i++) {
        const struct onx_tensor *t = find(o, f->input[i]->name);
        if (!t || t->init) continue;
        int mine = is_read(o, t->name);
        if (mine || !read) *out = f->input[i];
        n++;
        read += mine;
    }
    if (n == 1 || read == 1) return 0;
    return ONX_BAD("the file has %d inputs, %d of which are read, instead of one image", n, read);
}

/* Are channels the last axis, as TensorFlow has them? Told, or seen in what is declared: 1 or 3 there, at least 8 by 8
 * in front. */
static int channels_last(const struct xfv_import_opts *opts, const int64_t d[4])
{
    if (opts && opts->layout) return opts->layout == XFV_LAYOUT_NHWC;
    return (d[3] == 1 || d[3] == 3) && d[1] != 1 && d[1] != 3 && (d[1] == 0 || d[1] >= 8) && (d[2] == 0 || d[2] >= 8);
}

static int read_type(struct onx *o, const struct onx_tensor *t, int type)
{
    int whole = type == ONX_U8 || type == ONX_I32 || type == ONX_I64 || type == ONX_U16 || type == ONX_I16 ||
                type == ONX_U32;
    if (!whole && !xfv_onx_is_float(type))
        return ONX_BAD("input '%s' has elements of type %d, which is not supported", t->label, type);
    o->whole_input = whole;
    return whole ? type : 0;
}

static int read_input(struct onx *o, const struct xfv_import_opts *opts)
{
    static const int places[2][3] = {{2, 3, 1}, {1, 2, 3}}; /* of height, width, channels */
    const Onnx__ValueInfoProto *v = NULL;
    int status = find_input(o, &v);
    if (status) return status;
    const Onnx__TypeProto__Tensor *tt = v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
                                            ? v->type->tensor_type
                                            : NULL;
    struct onx_tensor *t = find(o, v->name);
    const Onnx__TensorShapeProto *s = tt ? tt->shape : NULL;
    if (!s || s->n_dim != 4)
        return ONX_BAD("input '%s' is not an image (N,C,H,W or N,H,W,C): it has %zu dimensions", t->label,
                       s ? s->n_dim : 0);
    if ((t->whole = read_type(o, t, tt->elem_type)) < 0) return t->whole;
    int64_t d[4];
    for (int i = 0; i < 4; i++) {
        const Onnx__TensorShapeProto__Dimension *x = s->dim[i];
        d[i] = x->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ? x->dim_value : 0;
        if (d[i] < 0) d[i] = 0; /* some exporters say -1 for unknown */
    }
    o->batch = d[0] > 1 && d[0] <= XFV_MAX_KERNEL ? (int)d[0] : 1;
    const int *at = places[channels_last(opts, d)];
    if (opts && opts->height) d[at[0]] = opts->height;
    if (opts && opts->width) d[at[1]] = opts->width;
    if (!d[at[2]] && (opts ? opts->channels : 0)) d[at[2]] = opts->channels;
    int64_t h = d[at[0]], w = d[at[1]], c = d[at[2]];
    if (c < 1 || h < 1 || w < 1 || c > 4096 || h > 65536 || w > 65536)
        return ONX_BAD("input '%s' is declared %lldx%lldx%lld (channels, height, width; 0: not said): say with --size "
                       "how large the image is",
                       t->label, (long long)c, (long long)h, (long long)w);
    t->value = xfv_graph_add_value(o->g, t->label, xfv_shape_of(3, (int)h, (int)w, (int)c), o->e);
    if (t->value < 0) return t->value;
    t->made = 1;
    t->s = (struct onx_dims){4, {1, d[1], d[2], d[3]}};
    t->n_axes = 3;
    memcpy(t->axis, at, sizeof places[0]);
    return 0;
}

/* Value v under this name: v itself when it has it, else a copy. */
static int named_copy(struct onx *o, int v, const char *label)
{
    struct xfv_node n = xfv_node_reshape(v, o->g->values[v].shape);
    if (v == xfv_graph_find(o->g, label)) return v;
    return xfv_onx_emit(o, &n, label, "");
}

/* An output that shares its value with another tensor (it was only renamed or transposed) gets one under its own name.
 */
static int read_outputs(struct onx *o)
{
    const Onnx__GraphProto *f = o->file;
    for (size_t i = 0; i < f->n_output; i++) {
        struct onx_tensor *t = find(o, f->output[i]->name);
        if (!t || !t->made)
            return ONX_BAD("no node makes output '%.100s'", f->output[i]->name ? f->output[i]->name : "");
        if (t->broken) continue;
        int status = xfv_onx_materialise(o, t, t->label);
        if (status) return status;
        if (xfv_graph_find(o->g, t->label) < 0 && (t->value = named_copy(o, t->value, t->label)) < 0) return t->value;
        if ((status = xfv_graph_add_output(o->g, t->value, o->e)) < 0) return status;
    }
    return f->n_output ? 0 : ONX_BAD("the file has no output");
}

/* The tensor of this name, else the first output of the node of this name. */
static struct onx_tensor *find_named(const struct onx *o, const char *name)
{
    struct onx_tensor *t = find(o, name);
    for (int i = 0; i < o->n_tensors && !t; i++)
        if (strcmp(o->t[i].label, name) == 0) t = &o->t[i];
    for (int i = 0; i < o->n_flat && !t; i++) {
        const onx_node *n = o->flat[i].n;
        if (n->name && strcmp(n->name, name) == 0 && n->n_output) t = find(o, n->output[0]);
    }
    return t;
}

/* A value for each name that was asked for, though importing made another tensor's of it (by renaming, transposing,
 * stretching). */
static int keep_names(struct onx *o, const struct xfv_import_opts *opts)
{
    for (int k = 0; opts && k < opts->n_names; k++) {
        struct xfv_import_name *name = &opts->names[k];
        struct onx_tensor *t = *name->file ? find_named(o, name->file) : NULL;
        int want[ONX_MAX_RANK], n = 0, have[ONX_AXES], n_have, turned = 0, v;
        name->value[0] = '\0';
        if (!t) continue;
        if (xfv_onx_is_constant(t)) return ONX_BAD("'%s' is a constant: it does not depend on the image", t->label);
        if (!t->made || t->broken) return ONX_BAD("no node makes '%s'", t->label);
        for (int a = 0; a < t->s.rank; a++)
            if (t->s.dim[a] != 1) want[n++] = a;
        if ((v = xfv_onx_materialise(o, t, t->label)) < 0) return v;
        n_have = xfv_onx_layout_without(t, -1, have);
        for (int i = 0; i < n_have; i++) turned |= have[i] != want[i];
        if ((v = turned ? xfv_onx_ordered(o, t, want, n, t->label) : t->value) < 0 ||
            (v = named_copy(o, v, t->label)) < 0)
            return v;
        snprintf(name->value, sizeof name->value, "%s", o->g->values[v].name);
    }
    return 0;
}

/* ---- nodes ---- */

#define FEW 65536 /* numbers of a constant that may as well stay */

struct problems { char text[512]; int n, shown; };

static void note(struct problems *p, const char *sentence)
{
    size_t at = strlen(p->text), n = strlen(sentence);
    p->n++;
    if (at + n + 24 > sizeof p->text - 80) return; /* room for what the caller puts in front */
    snprintf(p->text + at, sizeof p->text - at, "%s%s", at ? "; " : "", sentence);
    p->shown++;
}

static int make_call(struct onx *o, const onx_node *n, struct onx_call *c, char *label, size_t cap)
{
    *c = (struct onx_call){.n = n, .known = xfv_onx_find_op(n->op_type, n->domain), .op = n->op_type ? n->op_type : ""};
    const char *name = n->n_output && n->output[0] && *n->output[0] ? n->output[0] : n->name ? n->name : "?";
    char *p = printable(name);
    snprintf(label, cap, "%s", p ? p : "?");
    free(p);
    c->label = label;
    if (n->n_input > ONX_MAX_INPUTS || n->n_output > ONX_MAX_INPUTS || n->n_output < 1)
        return ONX_BAD("'%s' (%.40s) has %zu inputs and %zu outputs", label, c->op, n->n_input, n->n_output);
    c->n_in = (int)n->n_input;
    c->n_out = (int)n->n_output;
    for (int k = 0; k < c->n_out; k++) c->out[k] = find(o, n->output[k]);
    for (int k = 0; k < c->n_in; k++) {
        c->in[k] = find(o, n->input[k]);
        if (!c->in[k] && n->input[k] && *n->input[k])
            return ONX_BAD("'%s' (%.40s) reads '%.60s', which nothing makes", label, c->op, n->input[k]);
    }
    return 0;
}

static int build(struct onx *o, const struct onx_call *c)
{
    int status;
    if (!c->out[0] || c->out[0]->made) return ONX_BAD("'%s' (%.40s) has no output of its own", c->label, c->op);
    for (int k = 0; k < c->n_in; k++) {
        if (!c->in[k] || (c->known->flags & ONX_PICKS && k)) continue;
        if (!c->in[k]->made)
            return ONX_BAD("'%s' (%.40s) reads '%s' before any node makes it: the nodes are not in order, or go in a "
                           "circle",
                           c->label, c->op, c->in[k]->label);
    }
    const struct onx_op *op = c->known;
    int constant = 1, whole = 0;
    for (int k = 0; k < op->min_in; k++)
        if (k >= c->n_in || !c->in[k]) return ONX_BAD("'%s' (%s) has no input %d", c->label, c->op, k);
    for (int k = 0; k < c->n_in; k++) {
        constant &= !c->in[k] || xfv_onx_is_constant(c->in[k]);
        if (c->in[k] && c->in[k]->whole) whole = c->in[k]->whole;
    }
    if (op->eval && (constant || (op->flags & ONX_OF_SHAPE)) && (status = op->eval(o, c)) != 0)
        return status < 0 ? status : 0;
    if (!op->build) return ONX_BAD("'%s' (%s) works on computed tensors, which is not supported", c->label, c->op);
    if (c->n_in < 1 || !c->in[0]) return ONX_BAD("'%s' (%s) has no input", c->label, c->op);
    if (whole && !(op->flags & (ONX_MOVES | ONX_OWN)))
        return ONX_BAD("'%s' (%s) computes with whole numbers, which is not supported", c->label, c->op);
    if ((status = op->build(o, c))) return status;
    int told = op->flags & ONX_OWN || op->build == xfv_onx_dequantise || strcmp(c->op, "Cast") == 0;
    for (int k = 0; k < c->n_out && whole && !told; k++)
        if (c->out[k]) c->out[k]->whole = whole;
    return constant ? xfv_onx_known(o, c) : 0;
}

/* Constants that are not asked for again; one of the file's would be read anew. */
static void let_go(const struct onx_call *c)
{
    for (int k = 0; k < c->n_in; k++) {
        struct onx_tensor *t = c->in[k];
        if (!t || --t->readers > 0 || !t->c || t->c->count < FEW) continue;
        xfv_onx_const_free(t->c);
        t->c = NULL;
    }
}

static void count_readers(struct onx *o)
{
    for (int i = 0; i < o->n_flat; i++)
        for (size_t k = 0; k < o->flat[i].n->n_input; k++) {
            struct onx_tensor *t = find(o, o->flat[i].n->input[k]);
            if (t) t->readers++;
        }
    for (size_t i = 0; i < o->file->n_output; i++) {
        struct onx_tensor *t = find(o, o->file->output[i]->name);
        if (t) t->readers++;
    }
}

static void mark_broken(struct onx *o, const onx_node *n)
{
    for (size_t k = 0; k < n->n_output; k++) {
        struct onx_tensor *t = find(o, n->output[k]);
        if (t && !t->made) t->made = t->broken = 1;
    }
}

/* Operators that are not known at all, each with its nodes: said first, all of them. */
static int note_unknown(struct onx *o, struct problems *p)
{
    for (int i = 0; i < o->n_flat; i++) {
        const char *op = o->flat[i].n->op_type ? o->flat[i].n->op_type : "";
        int seen = 0, count = 0;
        /* of a branch: only when it is taken */
        if (o->flat[i].guard >= 0 || xfv_onx_find_op(op, o->flat[i].n->domain)) continue;
        for (int k = 0; k < i && !seen; k++) seen = o->flat[k].n->op_type && strcmp(o->flat[k].n->op_type, op) == 0;
        if (seen) continue;
        char text[300];
        size_t at = (size_t)snprintf(text, sizeof text, "operator %.60s is not supported (node", op);
        for (int k = i; k < o->n_flat; k++) {
            const onx_node *n = o->flat[k].n;
            if (!n->op_type || strcmp(n->op_type, op) != 0) continue;
            char *label = printable(n->n_output && n->output[0] ? n->output[0] : "?");
            if (count < 4 && at < sizeof text - 60)
                at += (size_t)snprintf(text + at, sizeof text - at, "%s '%.40s'", count ? "," : "",
                                       label ? label : "?");
            free(label);
            count++;
        }
        if (count > 4 && at < sizeof text - 30)
            at += (size_t)snprintf(text + at, sizeof text - at, " and %d more", count - 4);
        if (at < sizeof text - 2) snprintf(text + at, sizeof text - at, ")");
        note(p, text);
    }
    return p->n;
}

/* Is the node in a branch that is taken? 1, 0; -1 where that hangs on the image, which the If itself complains of. */
static int taken(struct onx *o, int guard, int when)
{
    if (guard < 0) return 1;
    int outer = taken(o, o->guards[guard].outer, o->guards[guard].when);
    if (outer != 1) return outer;
    struct onx_tensor *t = find(o, o->guards[guard].condition);
    const struct onx_const *k = t && t->made && !t->broken && xfv_onx_is_constant(t) ? xfv_onx_constant(o, t) : NULL;
    if (!k || k->count != 1) return -1;
    double v = xfv_onx_const_at(k, 0);
    return (v * v > 0) == when;
}

static int build_all(struct onx *o, struct problems *p)
{
    char label[1024];
    struct onx_call c;
    note_unknown(o, p);
    count_readers(o);
    for (int i = 0; i < o->n_flat; i++) {
        const onx_node *n = o->flat[i].n;
        int when = taken(o, o->flat[i].guard, o->flat[i].when);
        if (when != 1) continue;
        int status = make_call(o, n, &c, label, sizeof label), broken = !c.known;
        if (!status && broken && o->flat[i].guard >= 0)
            status = ONX_BAD("operator %.60s is not supported (node '%.40s')", c.op, label);
        for (int k = 0; !status && k < c.n_in; k++) broken |= c.in[k] && c.in[k]->broken; /* said already */
        if (!status && !broken) status = build(o, &c);
        if (status == XFV_ENOMEM || status == XFV_EIO) return status;
        if (status) note(p, o->e->msg);
        if (status || broken) mark_broken(o, n);
        let_go(&c);
    }
    if (!p->n) return 0;
    if (p->shown < p->n) return ONX_BAD("%s; and %d more problems", p->text, p->n - p->shown);
    return ONX_BAD("%s", p->text);
}

#define NEWEST 25 /* opset whose operators were compared with what is here */

static int opset_of(const Onnx__ModelProto *m)
{
    int64_t v = 0;
    for (size_t i = 0; i < m->n_opset_import; i++) {
        const char *d = m->opset_import[i]->domain;
        if (!d || !*d || strcmp(d, "ai.onnx") == 0) v = m->opset_import[i]->version;
    }
    return v > 0 && v < 1000 ? (int)v : 0;
}

static int read_model(struct onx *o, const Onnx__ModelProto *m, const struct xfv_import_opts *opts)
{
    struct problems p = {.n = 0};
    int status;
    if (!m || !m->graph) return ONX_BAD("not an ONNX file, or a damaged one");
    o->file = m->graph;
    o->opset = opset_of(m);
    if (o->opset < 7) return ONX_BAD("the file is of opset %d; 7 and later are supported", o->opset);
    if (o->opset > NEWEST)
        xfv_onx_note(o,
                     "the file is of opset %d: its operators were taken as they are in %d, the newest that is known "
                     "here",
                     o->opset, NEWEST);
    if ((status = xfv_onx_flatten(o, m)) || (status = read_names(o)) || (status = read_input(o, opts)) ||
        (status = build_all(o, &p)) || (status = read_outputs(o)) || (status = keep_names(o, opts)))
        return status;
    return xfv_graph_check(o->g, o->e);
}

int xfv_onx_import(struct onx *o, const Onnx__ModelProto *m, const struct xfv_import_opts *opts, struct xfv_graph **out)
{
    if (!(o->g = xfv_graph_new())) return xfv_fail(o->e, XFV_ENOMEM, "out of memory for a graph");
    int status = read_model(o, m, opts);
    char quantisers[128];
    if (o->quantisers)
        xfv_quantiser_note(o->quantisers, quantisers, sizeof quantisers), xfv_onx_note(o, "%s", quantisers);
    if (!status && opts && opts->whole) *opts->whole = o->whole_input;
    if (!status && opts && opts->note) snprintf(opts->note, opts->note_size, "%s", o->note);
    for (int i = 0; i < o->n_tensors; i++) {
        free(o->t[i].label);
        xfv_onx_const_free(o->t[i].c);
    }
    free(o->t);
    free(o->beside);
    xfv_onx_flat_free(o);
    if (status) xfv_graph_free(o->g);
    else *out = o->g;
    return status;
}

int xfv_import_onnx(const uint8_t *bytes, size_t n, const struct xfv_import_opts *opts, struct xfv_graph **out,
                    struct xfv_err *e)
{
    struct xfv_err own;
    struct onx o = {.e = e ? e : &own, .file_bytes = n, .bytes = bytes, .n_bytes = n};
    o.folder = opts ? opts->folder : NULL;
    o.spent = opts ? opts->spent : NULL;
    struct xfv_onx_hollow hollow;
    int apart = xfv_onx_hollow(bytes, n, &hollow);
    Onnx__ModelProto *m = apart ? unpack(hollow.p, hollow.n) : unpack(bytes, n);
    put_back(m, &hollow);
    int status = xfv_onx_import(&o, m, opts, out);
    take_out(m, &hollow);
    discard(m);
    xfv_onx_hollow_free(&hollow);
    return status;
}
