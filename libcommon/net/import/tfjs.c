/* TensorFlow.js models: the file, model.json, and its weights, which lie in other files (shards) of its folder, one
 * behind the other. Nothing of them is read before it is needed, and nothing kept: a weight goes straight into the
 * graph. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/replaced.h"
#include "base/toint.h"
#include "net/import/beside.h"
#include "net/import/tfjs_internal.h"
#include "stream/tensor.h"

#define MAX_JSON ((size_t)16 << 20) /* bytes; jansson takes at most some 30 times as many */
#define MAX_SHARDS 65536

int xfv_tfjs_note(struct tfjs *t, const char *format, ...)
{
    size_t at = strlen(t->problems), room = sizeof t->problems - at;
    char sentence[300];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(sentence, sizeof sentence, format, ap);
    va_end(ap);
    t->n_problems++;
    if (n < 0 || (at && (size_t)n + 3 > room)) return 0;
    snprintf(t->problems + at, room, "%s%s", at ? "; " : "", sentence);
    t->shown++;
    return 0;
}

int xfv_tfjs_unknown(struct tfjs *t, const char *what, const char *kind, const char *name)
{
    char sentence[120];
    snprintf(sentence, sizeof sentence, "%s %.60s is not supported", what, kind);
    return strstr(t->problems, sentence) ? 0 : xfv_tfjs_note(t, "%s ('%.60s')", sentence, name);
}

/* ---- weights ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tfjs_weight *)a)->name, ((const struct tfjs_weight *)b)->name);
}

struct tfjs_weight *xfv_tfjs_weight(const struct tfjs *t, const char *name)
{
    struct tfjs_weight key = {.name = name};
    return name && t->n_weights ? bsearch(&key, t->weight, t->n_weights, sizeof key, by_name) : NULL;
}

static int open_shard(struct tfjs *t, const struct tfjs_shard *s)
{
    int fd = xfv_open_beside(t->folder, s->path);
    if (fd < 0) return TFJS_BAD("weights lie in '%.100s', beside the model: %s", s->path, strerror(errno));
    int status = xfv_replaced_check(fd, s->path, t->e);
    if (status) close(fd);
    return status ? status : fd;
}

/* n bytes at `at` of a shard. */
static int read_shard(struct tfjs *t, const struct tfjs_shard *s, size_t at, uint8_t *to, size_t n)
{
    int fd = open_shard(t, s), status = fd < 0 ? fd : 0;
    for (size_t got = 0; !status && got < n;) {
        ssize_t k = pread(fd, to + got, n - got, (off_t)(at + got));
        if (k > 0) got += (size_t)k;
        else if (k == 0 || errno != EINTR) status = TFJS_BAD("cannot read weights from '%.100s'", s->path);
    }
    if (fd >= 0) close(fd);
    return status;
}

/* n bytes at `at` of a group: from as many shards as they are spread over. */
static int read_group(struct tfjs *t, const struct tfjs_group *g, size_t at, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < g->n && n; i++) {
        size_t size = g->shard[i].size, k;
        if (at >= size) {
            at -= size;
            continue;
        }
        k = n < size - at ? n : size - at;
        int status = read_shard(t, &g->shard[i], at, to, k);
        if (status) return status;
        to += k, n -= k, at = 0;
    }
    return n ? TFJS_BAD("the weights end early") : 0;
}

static double number_at(const struct tfjs_weight *w, const uint8_t *p, size_t i)
{
    uint16_t half;
    float f;
    int32_t whole;
    switch (w->stored) {
    case TFJS_F32: memcpy(&f, p + 4 * i, 4); return (double)f;
    case TFJS_I32: memcpy(&whole, p + 4 * i, 4); return whole;
    case TFJS_U8: return p[i];
    default: break;
    }
    half = (uint16_t)(p[2 * i] | p[2 * i + 1] << 8);
    if (w->stored == TFJS_U16) return half;
    xfv_f32_from_f16(&half, &f, 1);
    return (double)f;
}

/* As TensorFlow.js: in double precision, whole numbers rounded. */
static int fetch(struct onx *o, const onx_proto *p, struct onx_const *c)
{
    struct tfjs *t = o->source;
    const struct tfjs_weight *w = xfv_tfjs_weight(t, p->name);
    if (!w) return TFJS_BAD("there is no weight '%.100s'", p->name);
    const struct tfjs_group *g = &t->group[w->group];
    if (w->stored == TFJS_F32 && c->f) return read_group(t, g, w->at, (uint8_t *)c->f, w->bytes);
    uint8_t *buf = malloc(w->bytes ? w->bytes : 1);
    int status = buf ? read_group(t, g, w->at, buf, w->bytes) : xfv_fail(t->e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; !status && i < c->count; i++) {
        double v = number_at(w, buf, i);
        if (w->quantised) v = v * w->scale + w->min;
        if (c->f) c->f[i] = (float)v;
        else c->i[i] = fabs(v) < 1e15 ? xfv_to_i64(floor(v + (w->quantised ? 0.5 : 0))) : 0;
    }
    free(buf);
    return status;
}

int xfv_tfjs_weight_ints(struct tfjs *t, const struct tfjs_weight *w, int64_t *v, int cap)
{
    int64_t numbers[64];
    struct onx o = {.e = t->e, .source = t};
    struct onx_const c = {.i = numbers, .count = 1};
    for (size_t k = 0; k < w->proto->n_dims; k++) {
        int64_t d = w->proto->dims[k];
        if (d < 0 || d > 64 || (c.count *= (size_t)d) > 64) return TFJS_BAD("'%.100s' is a long list", w->name);
    }
    if ((int)c.count > cap) return TFJS_BAD("'%.100s' holds %zu numbers, more than %d", w->name, c.count, cap);
    int status = fetch(&o, w->proto, &c);
    memcpy(v, numbers, c.count * sizeof *v);
    return status ? status : (int)c.count;
}

/* ---- the manifest ---- */

/* How a weight is stored, and the type that it becomes. */
static int read_type(struct tfjs *t, struct tfjs_weight *w, const json_t *x, int *type)
{
    const json_t *q = json_object_get(x, "quantization");
    const char *dtype = xfv_tfjs_text(x, "dtype"), *stored = xfv_tfjs_text(q, "dtype");
    if (!dtype) return TFJS_BAD("weight '%.100s' has no dtype", w->name);
    int real = !strcmp(dtype, "float32"), whole = !strcmp(dtype, "int32"), truth = !strcmp(dtype, "bool");
    if (!real && !whole && !truth)
        return TFJS_BAD("weight '%.100s' has dtype '%.40s', which is not supported", w->name, dtype);
    *type = real ? ONX_F32 : whole ? ONX_I32 : ONX_BOOL;
    w->stored = real ? TFJS_F32 : whole ? TFJS_I32 : TFJS_U8;
    w->scale = 1;
    if (!json_is_object(q)) return 0;
    if (stored && !strcmp(stored, "float16") && real) {
        w->stored = TFJS_F16;
        return 0;
    }
    if (!stored || (strcmp(stored, "uint8") && strcmp(stored, "uint16")) || truth)
        return TFJS_BAD("weight '%.100s' is quantised as '%.40s', which is not supported", w->name,
                        stored ? stored : "?");
    w->stored = !strcmp(stored, "uint8") ? TFJS_U8 : TFJS_U16;
    w->quantised = 1;
    w->scale = xfv_tfjs_real(q, "scale", NAN);
    w->min = xfv_tfjs_real(q, "min", NAN);
    return isfinite(w->scale) && isfinite(w->min)
               ? 0
               : TFJS_BAD("weight '%.100s' is quantised without a scale and a min that are numbers", w->name);
}

static int read_weight(struct tfjs *t, struct tfjs_weight *w, const json_t *x)
{
    static const size_t sizes[] = {[TFJS_F32] = 4, [TFJS_F16] = 2, [TFJS_U8] = 1, [TFJS_U16] = 2, [TFJS_I32] = 4};
    struct onx_dims s = {.rank = 0};
    int type = 0, empty = 0, status;
    if (!(w->name = xfv_tfjs_text(x, "name")) || !*w->name) return TFJS_BAD("a weight of the manifest has no name");
    int n = xfv_tfjs_list(json_object_get(x, "shape"), s.dim, ONX_MAX_RANK);
    s.rank = n;
    for (int i = 0; i < n; i++) empty |= s.dim[i] == 0;
    if (n < 0 || !json_is_array(json_object_get(x, "shape")) || (!empty && !xfv_onx_count(s)))
        return TFJS_BAD("weight '%.100s' has no shape that can be", w->name);
    for (int i = 0; i < n; i++) /* also where another is 0 */
        if (s.dim[i] < 0 || s.dim[i] > XFV_MAX_ELEMENTS)
            return TFJS_BAD("weight '%.100s' has a dimension of %lld", w->name, (long long)s.dim[i]);
    if ((status = read_type(t, w, x, &type))) return status;
    w->bytes = (empty ? 0 : xfv_onx_count(s)) * sizes[w->stored];
    if (!(w->proto = xfv_tfjs_alloc(t, sizeof *w->proto))) return t->e->status;
    xfv_onnx__tensor_proto__init(w->proto);
    int64_t *dim = xfv_tfjs_alloc(t, (size_t)(n + 1) * sizeof *dim);
    if (!dim) return t->e->status;
    memcpy(dim, s.dim, (size_t)n * sizeof *dim);
    w->proto->name = (char *)(uintptr_t)w->name;
    w->proto->n_dims = (size_t)n;
    w->proto->dims = dim;
    w->proto->has_data_type = w->proto->has_data_location = 1;
    w->proto->data_type = type;
    w->proto->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    return 0;
}

/* The sizes of a group's files; their sum must be what its weights take. */
static int read_shards(struct tfjs *t, struct tfjs_group *g, const json_t *paths)
{
    struct stat sb;
    size_t have = 0;
    g->n = json_array_size(paths);
    if (!g->n || g->n > MAX_SHARDS) return TFJS_BAD("the manifest has a group of %zu files", g->n);
    if (!(g->shard = xfv_tfjs_alloc(t, g->n * sizeof *g->shard))) return t->e->status;
    if (!t->folder) return TFJS_BAD("the weights lie in other files, which cannot be read from here");
    for (size_t i = 0; i < g->n; i++) {
        struct tfjs_shard *s = &g->shard[i];
        s->path = json_string_value(json_array_get(paths, i));
        if (!s->path || !xfv_path_is_beside(s->path))
            return TFJS_BAD("weights lie in '%.100s', which is not a file in the model's folder: refused",
                            s->path ? s->path : "?");
        int fd = open_shard(t, s);
        if (fd < 0) return fd;
        int regular = !fstat(fd, &sb) && S_ISREG(sb.st_mode);
        close(fd);
        if (!regular) return TFJS_BAD("weights lie in '%.100s', which is not a regular file", s->path);
        s->size = (size_t)sb.st_size;
        have += s->size;
    }
    if (have == g->bytes) return 0;
    return TFJS_BAD("'%.100s'%s hold%s %zu bytes and the weights in %s take %zu: %s", g->shard[0].path,
                    g->n > 1 ? " and the files after it" : "", g->n > 1 ? "" : "s", have, g->n > 1 ? "them" : "it",
                    g->bytes, have < g->bytes ? "a file is cut short; copy it again" : "a file is of another model");
}

static int read_group_of(struct tfjs *t, size_t k, const json_t *x, size_t *room)
{
    const json_t *weights = json_object_get(x, "weights");
    struct tfjs_group *g = &t->group[k];
    for (size_t i = 0; i < json_array_size(weights); i++, t->n_weights++) {
        struct tfjs_weight *w = &t->weight[t->n_weights];
        if (t->n_weights >= *room) return TFJS_BAD("the manifest is damaged");
        int status = read_weight(t, w, json_array_get(weights, i));
        if (status) return status;
        w->group = k;
        w->at = g->bytes;
        g->bytes += w->bytes;
    }
    return read_shards(t, g, json_object_get(x, "paths"));
}

static int read_manifest(struct tfjs *t)
{
    const json_t *groups = json_object_get(t->root, "weightsManifest");
    size_t n = 0;
    t->n_groups = json_array_size(groups);
    if (!json_is_array(groups)) return TFJS_BAD("the file has no weightsManifest, which tells where the weights lie");
    for (size_t i = 0; i < t->n_groups; i++)
        n += json_array_size(json_object_get(json_array_get(groups, i), "weights"));
    if (n > 4 * XFV_MAX_NODES) return TFJS_BAD("the file has %zu weights, too many", n);
    t->group = xfv_tfjs_alloc(t, (t->n_groups + 1) * sizeof *t->group);
    t->weight = xfv_tfjs_alloc(t, (n + 1) * sizeof *t->weight);
    if (!t->group || !t->weight) return t->e->status;
    for (size_t i = 0; i < t->n_groups; i++) {
        int status = read_group_of(t, i, json_array_get(groups, i), &n);
        if (status) return status;
    }
    qsort(t->weight, t->n_weights, sizeof *t->weight, by_name);
    for (size_t i = 1; i < t->n_weights; i++)
        if (!strcmp(t->weight[i].name, t->weight[i - 1].name))
            return TFJS_BAD("two weights are called '%.100s'", t->weight[i].name);
    return 0;
}

/* ---- the file ---- */

static int parse(struct tfjs *t, const uint8_t *bytes, size_t n)
{
    json_error_t why;
    struct timespec now;
    if (n > MAX_JSON) return TFJS_BAD("%zu MB of JSON: at most %zu are read", n >> 20, MAX_JSON >> 20);
    /* Else jansson opens /dev/urandom. Nothing that is made hangs on it: objects keep their order. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    json_object_seed((size_t)now.tv_nsec * 2654435761u ^ (uintptr_t)&now);
    t->root = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, &why);
    return t->root ? 0 : TFJS_BAD("not JSON: line %d, column %d: %.160s", why.line, why.column, why.text);
}

static int read_model(struct tfjs *t)
{
    const json_t *topology = json_object_get(t->root, "modelTopology");
    if (!json_is_object(topology))
        return TFJS_BAD("%s",
                        json_is_array(t->root) || json_object_get(t->root, "weightsManifest")
                            ? "the file has weights and no network (modelTopology): describe the network in text"
                            : "JSON, but no TensorFlow.js model: it has no modelTopology");
    int status = read_manifest(t);
    if (status) return status;
    status = json_object_get(topology, "node") ? xfv_tfjs_read_graph(t, topology) : xfv_tfjs_read_layers(t, topology);
    if (status || (status = t->e->status) || !t->n_problems) return status;
    char more[40] = "";
    if (t->shown < t->n_problems) snprintf(more, sizeof more, "; and %d more problems", t->n_problems - t->shown);
    return TFJS_BAD("%s%s%s", t->problems, more,
                    t->embedding[0] || !json_object_get(topology, "node")
                        ? ""
                        : "; with --embedding, only what it names is read");
}

static void release(struct tfjs *t)
{
    for (size_t i = 0; i < t->n_kept; i++) free(t->kept[i]);
    free(t->kept);
    free(t->graph.node);
    free(t->graph.initializer);
    free(t->graph.input);
    free(t->graph.output);
    json_decref(t->root);
}

/* "node:0" is the tensor "node". */
static const char *plain_name(struct tfjs *t, const char *name)
{
    size_t n = name ? strlen(name) : 0;
    return n > 2 && !strcmp(name + n - 2, ":0") ? xfv_tfjs_format(t, "%.*s", (int)(n - 2), name) : name;
}

static int build(struct tfjs *t, const struct xfv_import_opts *opts, struct xfv_graph **out)
{
    struct xfv_import_opts how = opts ? *opts : (struct xfv_import_opts){0};
    Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT, *sets = &set;
    Onnx__ModelProto m = ONNX__MODEL_PROTO__INIT;
    struct onx o = {.e = t->e, .file_bytes = t->json_bytes, .fetch = fetch, .source = t};
    set.has_version = 1;
    set.version = 20;
    m.n_opset_import = 1;
    m.opset_import = &sets;
    m.graph = &t->graph;
    if (!how.layout) how.layout = t->nchw ? XFV_LAYOUT_NCHW : XFV_LAYOUT_NHWC;
    return xfv_onx_import(&o, &m, &how, out);
}

int xfv_import_tfjs(const uint8_t *bytes, size_t n, const struct xfv_import_opts *opts, struct xfv_graph **out,
                    struct xfv_err *e)
{
    struct xfv_err own;
    struct tfjs t = {.e = e ? e : &own, .folder = opts ? opts->folder : NULL, .json_bytes = n};
    int n_names = opts ? opts->n_names : 0;
    const char **told = calloc((size_t)n_names + 1, sizeof *told); /* the names as the caller has them */
    if (!told) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    *t.e = (struct xfv_err){0};
    xfv_onnx__graph_proto__init(&t.graph);
    for (int i = 0; i < n_names; i++) {
        const char *name = told[i] = opts->names[i].file;
        opts->names[i].file = plain_name(&t, name);
        if (i < 2 && name && *name) t.embedding[i] = opts->names[i].file;
    }
    int status = parse(&t, bytes, n);
    if (!status) status = read_model(&t);
    if (!status) status = build(&t, opts, out);
    for (int i = 0; i < n_names; i++) opts->names[i].file = told[i];
    free(told);
    release(&t);
    return status;
}
