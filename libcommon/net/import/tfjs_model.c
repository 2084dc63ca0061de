/* TensorFlow.js layers models: Keras' topology. Sequential models are chains, Functional ones graphs of layers; either
 * may be a layer of another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "net/import/tfjs_internal.h"

#define MAX_LAYERS 8192
#define MAX_NESTED 16

/* What a layer made when it was called for the k-th time. */
struct made { const char *layer; int call, n; const char **tensor; };

struct model {
    struct tfjs *t;
    const char *scope;
    int keras, depth;
    struct made *made;
    size_t n_made;
};

static int read_model(struct tfjs *t, const json_t *model, const char *scope, int keras, int depth,
                      const char *const *in, int n_in, const char **out, int *n_out);

static const char *kind_of(const json_t *layer)
{
    const char *s = xfv_tfjs_text(layer, "class_name");
    return s ? s : "?";
}

static const char *name_of(const json_t *layer)
{
    const char *s = xfv_tfjs_text(layer, "name");
    return s ? s : xfv_tfjs_text(json_object_get(layer, "config"), "name");
}

static int is_model(const char *kind)
{
    return !strcmp(kind, "Sequential") || !strcmp(kind, "Functional") || !strcmp(kind, "Model");
}

/* ---- inputs ---- */

/* The declared shape, with the batch axis; 0: none. */
static int input_shape(const json_t *config, int64_t *dim)
{
    const json_t *s = json_object_get(config, "batch_input_shape");
    if (!json_is_array(s)) s = json_object_get(config, "batch_shape");
    size_t n = json_array_size(s);
    if (!n || n > ONX_MAX_RANK) return 0;
    for (size_t i = 0; i < n; i++)
        if (!xfv_tfjs_whole(json_array_get(s, i), &dim[i])) dim[i] = 0; /* null: not said */
    return (int)n;
}

static int input_type(const json_t *config)
{
    const char *s = xfv_tfjs_text(config, "dtype");
    return !s || !strcmp(s, "float32") ? ONX_F32 : !strcmp(s, "uint8") ? ONX_U8 : !strcmp(s, "int32") ? ONX_I32 : 0;
}

/* The network's own input, or, of a model within another, what it is called with. */
static const char *input(struct model *m, const json_t *config, const char *name, const char *const *in, int n_in,
                         int *used)
{
    struct tfjs *t = m->t;
    int64_t dim[ONX_MAX_RANK];
    if (m->depth > 0) {
        if (*used < n_in) return in[(*used)++];
        TFJS_BAD("'%s%.100s' has more inputs than it is called with", m->scope, name);
        return NULL;
    }
    int rank = input_shape(config, dim);
    if (!input_type(config)) TFJS_BAD("input '%.100s' is of an unknown dtype", name);
    else if (!rank) TFJS_BAD("input '%.100s' has no batch_input_shape", name);
    else xfv_tfjs_input(t, name, dim, rank, input_type(config));
    return t->e->status ? NULL : name;
}

/* ---- layers ---- */

static struct made *find(const struct model *m, const char *layer, int call)
{
    for (size_t i = m->n_made; i-- > 0;)
        if (m->made[i].call == call && !strcmp(m->made[i].layer, layer)) return &m->made[i];
    return NULL;
}

static int add(struct model *m, const char *layer, int call, const char *const *tensor, int n)
{
    const char **list = xfv_tfjs_alloc(m->t, (size_t)n * sizeof *list);
    if (!list || !XFV_GROW(m->made, m->n_made + 1)) return xfv_fail(m->t->e, XFV_ENOMEM, "out of memory for layers");
    memcpy(list, tensor, (size_t)n * sizeof *list);
    m->made[m->n_made++] = (struct made){layer, call, n, list};
    return 0;
}

static int is_code(const char *kind)
{
    return !strcmp(kind, "Lambda") || !strncmp(kind, "TFOp", 4) || !strncmp(kind, "SlicingOp", 9);
}

/* A layer applied to tensors; what it makes in out. */
static int apply(struct model *m, const json_t *layer, const char *const *in, int n_in, int call, const char **out,
                 int *n_out)
{
    struct tfjs *t = m->t;
    const char *kind = kind_of(layer), *name = name_of(layer);
    struct tfjs_layer l = {.name = name, .kind = kind, .scope = m->scope, .n_in = n_in, .keras = m->keras};
    if (is_model(kind)) {
        const char *scope = xfv_tfjs_format(t, call ? "%s%s#%d/" : "%s%s/", m->scope, name, call);
        return scope ? read_model(t, layer, scope, m->keras, m->depth + 1, in, n_in, out, n_out) : t->e->status;
    }
    tfjs_maker *make = xfv_tfjs_maker(kind);
    l.config = json_object_get(layer, "config");
    l.out = xfv_tfjs_format(t, call ? "%s%s#%d" : "%s%s", m->scope, name, call);
    if (n_in > ONX_MAX_INPUTS || n_in < 1) return TFJS_BAD("'%.100s' (%.40s) has %d inputs", name, kind, n_in);
    for (int i = 0; i < n_in; i++) l.in[i] = in[i];
    out[0] = l.out;
    *n_out = 1;
    int status = !l.out ? t->e->status : make ? make(t, &l) : 0;
    if (l.out && !make) xfv_tfjs_unknown(t, "layer", kind, l.out);
    if (l.out && !make && is_code(kind)) xfv_tfjs_note(t, "%.40s is code: convert the network as a graph model", kind);
    if (status == XFV_ENOMEM) return status;
    if (status) xfv_tfjs_note(t, "%s", t->e->msg);
    *t->e = (struct xfv_err){0};
    return 0;
}

static int sequential(struct model *m, const json_t *layers, const char *const *in, int n_in, const char **out,
                      int *n_out)
{
    struct tfjs *t = m->t;
    const char *x = NULL;
    int used = 0, status = 0;
    for (size_t i = 0; i < json_array_size(layers) && !status; i++) {
        const json_t *layer = json_array_get(layers, i), *config = json_object_get(layer, "config");
        const char *name = name_of(layer);
        if (!name) return TFJS_BAD("a layer has no name");
        int is_input = !strcmp(kind_of(layer), "InputLayer");
        if (!x && !(x = input(m, config, is_input ? name : xfv_tfjs_format(t, "%s@input", name), in, n_in, &used)))
            return t->e->status;
        if (is_input) continue;
        status = apply(m, layer, &x, 1, 0, out, n_out);
        x = out[0];
    }
    return status ? status : x ? 0 : TFJS_BAD("the network has no layer");
}

/* ---- references: ["layer", call, tensor, ...], or Keras 3's {"config": {"keras_history": [...]}} ---- */

/* 1: the tensor; 0: not made yet; or a negative status. */
static int tensor_of(const struct model *m, const json_t *ref, const char **tensor)
{
    struct tfjs *t = m->t;
    int64_t call, k;
    if (json_is_object(ref)) ref = json_object_get(json_object_get(ref, "config"), "keras_history");
    const char *layer = json_string_value(json_array_get(ref, 0));
    if (!layer || !xfv_tfjs_whole(json_array_get(ref, 1), &call) || !xfv_tfjs_whole(json_array_get(ref, 2), &k))
        return TFJS_BAD("a layer reads what is no layer's outcome");
    const struct made *x = call < 0 || call > MAX_LAYERS ? NULL : find(m, layer, (int)call);
    if (!x) return 0;
    if (k < 0 || k >= x->n) return TFJS_BAD("layer '%.100s' has no outcome %lld", layer, (long long)k);
    *tensor = x->tensor[k];
    return 1;
}

static int is_reference(const json_t *x)
{
    return json_is_object(x) ? json_is_array(json_object_get(json_object_get(x, "config"), "keras_history"))
                             : json_is_string(json_array_get(x, 0)) && json_array_size(x) >= 3;
}

/* The tensors that one call reads; 1: all are there, 0: not yet, or a negative status. */
static int tensors_of(const struct model *m, const json_t *list, const char **in, int *n)
{
    int status = 1;
    if (is_reference(list)) {
        struct tfjs *t = m->t;
        return *n < ONX_MAX_INPUTS ? tensor_of(m, list, &in[(*n)++]) : TFJS_BAD("a layer has too many inputs");
    }
    for (size_t i = 0; i < json_array_size(list) && status == 1; i++)
        status = tensors_of(m, json_array_get(list, i), in, n);
    return status;
}

/* One entry of inbound_nodes. */
static int inputs_of(const struct model *m, const json_t *node, const char **in, int *n)
{
    *n = 0;
    return tensors_of(m, json_is_object(node) ? json_object_get(node, "args") : node, in, n);
}

/* Keras counts the calls of a model within a model from 1, since its own making was the first; Keras 3 from 0. */
static int add_calls(struct model *m, const json_t *layer, int call, const char *const *out, int n)
{
    int status = add(m, name_of(layer), call, out, n);
    if (status || !is_model(kind_of(layer)) || m->keras >= 3) return status;
    m->made[m->n_made - 1].call = call + 1;
    return call ? 0 : add(m, name_of(layer), 0, out, n);
}

/* Layers whose inputs are there, until none is left. */
static int pass(struct model *m, const json_t *layers, size_t *done, size_t *left)
{
    const char *in[ONX_MAX_INPUTS], *out[ONX_MAX_INPUTS];
    size_t before = *left;
    struct tfjs *t = m->t;
    *left = 0;
    for (size_t i = 0; i < json_array_size(layers); i++) {
        const json_t *layer = json_array_get(layers, i), *nodes = json_object_get(layer, "inbound_nodes");
        for (; done[i] < json_array_size(nodes); done[i]++) {
            int n, n_out, ready = inputs_of(m, json_array_get(nodes, done[i]), in, &n);
            if (ready < 0) return ready;
            if (!ready) break;
            int status = apply(m, layer, in, n, (int)done[i], out, &n_out);
            if (status || (status = add_calls(m, layer, (int)done[i], out, n_out))) return status;
        }
        *left += json_array_size(nodes) - done[i];
    }
    return *left && *left == before ? TFJS_BAD("some layers read each other, or what is not there") : 0;
}

/* input_layers and output_layers: a list of references, or one. */
static const json_t *references(const json_t *config, const char *key, size_t *n)
{
    const json_t *list = json_object_get(config, key);
    *n = is_reference(list) ? 1 : json_array_size(list);
    return list;
}

static int functional(struct model *m, const json_t *config, const char *const *in, int n_in, const char **out,
                      int *n_out)
{
    struct tfjs *t = m->t;
    const json_t *layers = json_object_get(config, "layers"), *list;
    size_t n = json_array_size(layers), left = 0, count;
    size_t *done = xfv_tfjs_alloc(t, (n + 1) * sizeof *done);
    int used = 0, status = done ? 0 : t->e->status;
    list = references(config, "input_layers", &count);
    for (size_t i = 0; i < count && !status; i++) { /* in the order that the model is called with */
        const json_t *ref = is_reference(list) ? list : json_array_get(list, i);
        const char *name = json_string_value(json_array_get(ref, 0)), *x = NULL;
        for (size_t k = 0; name && k < n; k++) {
            const json_t *layer = json_array_get(layers, k);
            const char *own = name_of(layer);
            if (own && !x && !strcmp(own, name)) x = input(m, json_object_get(layer, "config"), name, in, n_in, &used);
        }
        if (!x) return t->e->status ? t->e->status : TFJS_BAD("no layer is input '%.100s'", name ? name : "?");
        status = add(m, name, 0, &x, 1);
    }
    for (size_t i = 0; i < n && !status; i++) {
        if (!name_of(json_array_get(layers, i))) return TFJS_BAD("a layer has no name");
        left += json_array_size(json_object_get(json_array_get(layers, i), "inbound_nodes"));
    }
    while (!status && left) status = pass(m, layers, done, &left);
    if (status) return status;
    list = references(config, "output_layers", &count);
    if (!count || count > ONX_MAX_INPUTS) return TFJS_BAD("the network has %zu outputs", count);
    for (size_t i = 0; i < count; i++) {
        int there = tensor_of(m, is_reference(list) ? list : json_array_get(list, i), &out[i]);
        if (there < 1) return there < 0 ? there : TFJS_BAD("no layer makes output %zu", i);
    }
    *n_out = (int)count;
    return 0;
}

static int read_model(struct tfjs *t, const json_t *model, const char *scope, int keras, int depth,
                      const char *const *in, int n_in, const char **out, int *n_out)
{
    const json_t *config = json_object_get(model, "config"),
                 *layers = json_is_array(config) ? config : json_object_get(config, "layers");
    struct model m = {.t = t, .scope = scope, .keras = keras, .depth = depth};
    const char *kind = kind_of(model);
    if (!is_model(kind)) return TFJS_BAD("the network is of class '%.60s', which is not supported", kind);
    if (depth > MAX_NESTED) return TFJS_BAD("models within models, more than %d deep", MAX_NESTED);
    if (!json_array_size(layers) || json_array_size(layers) > MAX_LAYERS)
        return TFJS_BAD("the network has %zu layers", json_array_size(layers));
    int chain = !strcmp(kind, "Sequential"), status = chain ? sequential(&m, layers, in, n_in, out, n_out)
                                                            : functional(&m, config, in, n_in, out, n_out);
    free(m.made);
    return status;
}

int xfv_tfjs_read_layers(struct tfjs *t, const json_t *topology)
{
    const json_t *model = json_object_get(topology, "model_config");
    const char *version = xfv_tfjs_text(topology, "keras_version"), *out[ONX_MAX_INPUTS];
    int n_out = 0, status;
    if (!json_is_object(model)) model = topology;
    status = read_model(t, model, "", version && *version >= '3' && *version <= '9' ? *version - '0' : 2, 0, NULL, 0,
                        out, &n_out);
    for (int i = 0; i < n_out && !status; i++) xfv_tfjs_output(t, out[i]);
    return status ? status : t->e->status;
}
