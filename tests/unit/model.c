/* Model files: what is saved is what is loaded, to the byte; damaged and lying files are refused with a sentence;
 * look-up; use. */
#include "net/model/model.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graphs.h"
#include "stream/stream.h"

static struct xfv_threshold threshold(const char *name, double value, double fmr, double fnmr, const char *data,
                                      int pairs)
{
    struct xfv_threshold t = xfv_threshold_new();
    snprintf(t.name, sizeof t.name, "%s", name);
    snprintf(t.data, sizeof t.data, "%s", data);
    t.value = value, t.fmr = fmr, t.fnmr = fnmr, t.pairs = pairs;
    return t;
}

static char folder[] = "/tmp/xfv-model-XXXXXX";
static const char *at(const char *name) /* a path in the test's folder */
{
    static char path[2][256];
    static int k;
    k = !k;
    snprintf(path[k], sizeof path[k], "%s/%s", folder, name);
    return path[k];
}

/* A new file each time: truncating an old one makes some file systems flush it to the disk. */
static int create(const char *name)
{
    unlink(at(name));
    return open(at(name), O_RDWR | O_CREAT | O_EXCL, 0600);
}

/* One node of nearly every operator, with attributes that are not the defaults. */
static struct xfv_graph *every_operator(void)
{
    struct build b = start(xfv_shape_of(3, 12, 11, 3));
    struct xfv_node n;
    conv(&b, 3, 2, 0, 1, 4, 1, 1), channelwise(&b, XFV_OP_PRELU, 0), conv(&b, 3, 1, 1, 1, 4, 4, 0),
        channelwise(&b, XFV_OP_AFFINE, 1);
    pool(&b, XFV_OP_MAXPOOL, 2, 1, 0, 1);
    n = xfv_node_default(XFV_OP_AVGPOOL), n.kernel[0] = 2, n.kernel[1] = 1, n.pads[0] = 1, n.i[0] = 1, append(&b, n);
    act(&b, XFV_ACT_CLIP, -.5f, 1e30f), act(&b, XFV_ACT_GELU, 1, 0), simple(&b, XFV_OP_RELU);
    n = xfv_node_default(XFV_OP_TRANSPOSE), n.i[0] = 1, n.i[1] = 0, n.i[2] = 2, append(&b, n);
    n = xfv_node_default(XFV_OP_PAD), n.pads[1] = 1, append(&b, n);
    int x = b.last, s = slice(&b, 0, 1, 3), m = reduce(&b, XFV_REDUCE_MEAN, 3);
    b.last = x;
    binary(&b, XFV_OP_SUB, s, m), channelwise(&b, XFV_OP_LAYERNORM, 1), simple(&b, XFV_OP_SOFTMAX);
    n = xfv_node_default(XFV_OP_CONCAT), n.n_in = 2, n.in[0] = b.last, n.in[1] = s, n.i[0] = 1, append(&b, n);
    reshape(&b, -1, 4, 0);
    n = xfv_node_default(XFV_OP_MATMUL), n.n_in = 2, n.in[0] = n.in[1] = b.last, n.i[0] = 1, append(&b, n);
    constant(&b, xfv_shape_of(1, 1), 1, 2), binary(&b, XFV_OP_MUL, b.last - 1, b.last);
    dense(&b, 6, 1);
    n = xfv_node_default(XFV_OP_L2NORM), n.f[0] = 1e-6f, append_as(&b, n, "normalised");
    return finish(&b);
}

static struct xfv_model *new_model(void)
{
    struct xfv_model *m = xfv_model_new();
    xfv_graph_free(m->graph);
    m->graph = every_operator();
    strcpy(m->name, "every"), strcpy(m->kind, "embedding"), strcpy(m->licence, "MIT"), strcpy(m->origin, "this test"),
        strcpy(m->colour, "rgb");
    for (int i = 0; i < 3; i++) m->mean[i] = 127.5f + (float)i, m->std[i] = 128;
    for (int i = 0; i < 10; i++) m->template_xy[i] = i + 0.1;
    m->embedding_normalised = xfv_graph_find(m->graph, "normalised");
    m->embedding = m->embedding_normalised - 1;
    m->n_thresholds = 2;
    m->thresholds[0] = threshold("default", 0.4, NAN, NAN, "", 0);
    m->thresholds[1] = threshold("fmr=1e-3", 0.417, 0.001, 0.015, "LFW", 2400);
    return m;
}

static void save(struct xfv_model *m, const char *name)
{
    struct xfv_err e;
    int fd = create(name);
    sure(xfv_model_save(m, fd, &e), &e);
    close(fd);
}

static uint8_t *contents(const char *name, size_t *n)
{
    struct stat sb;
    int fd = open(at(name), O_RDONLY);
    if (fd < 0 || fstat(fd, &sb)) exit(1);
    uint8_t *p = malloc((size_t)sb.st_size);
    *n = (size_t)sb.st_size;
    if (read(fd, p, *n) != (ssize_t)*n) exit(1);
    close(fd);
    return p;
}

static void write_bytes(const char *name, const uint8_t *p, size_t n)
{
    int fd = create(name);
    if (write(fd, p, n) != (ssize_t)n) exit(1);
    close(fd);
}

static int same_node(const struct xfv_graph *a, const struct xfv_node *p, const struct xfv_graph *b,
                     const struct xfv_node *q)
{
    int same = p->op == q->op && strcmp(p->name, q->name) == 0 && p->n_in == q->n_in && p->out == q->out &&
               p->groups == q->groups && !memcmp(p->in, q->in, sizeof p->in);
    same = same && !memcmp(p->kernel, q->kernel, sizeof p->kernel) && !memcmp(p->stride, q->stride, sizeof p->stride) &&
           !memcmp(p->dilation, q->dilation, sizeof p->dilation);
    same = same && !memcmp(p->pads, q->pads, sizeof p->pads) && !memcmp(p->i, q->i, sizeof p->i) &&
           !memcmp(p->f, q->f, sizeof p->f);
    same = same &&
           (p->weight < 0 ? q->weight < 0
                          : q->weight >= 0 && strcmp(a->weights[p->weight].name, b->weights[q->weight].name) == 0);
    return same && (p->bias < 0 ? q->bias < 0
                                : q->bias >= 0 && strcmp(a->weights[p->bias].name, b->weights[q->bias].name) == 0);
}

static int same_graph(const struct xfv_graph *a, const struct xfv_graph *b)
{
    int same = a->n_nodes == b->n_nodes && a->n_values == b->n_values && a->n_weights == b->n_weights &&
               a->n_outputs == b->n_outputs;
    for (int i = 0; i < a->n_nodes && same; i++)
        if (!(same = same_node(a, &a->nodes[i], b, &b->nodes[i])))
            printf("# node %s (%s) differs\n", a->nodes[i].name, xfv_op_name(a->nodes[i].op));
    for (int i = 0; i < a->n_values && same; i++)
        same = xfv_shape_equal(a->values[i].shape, b->values[i].shape) && !strcmp(a->values[i].name, b->values[i].name);
    for (int i = 0; i < a->n_weights && same; i++)
        same = xfv_shape_equal(a->weights[i].shape, b->weights[i].shape) &&
               !memcmp(a->weights[i].data, b->weights[i].data, a->weights[i].count * sizeof(float));
    return same;
}

/* Saved with other thresholds it is the same model, which knows the former file; with another weight it is another. */
static void test_identity(struct xfv_model *m)
{
    struct xfv_model *l = NULL;
    struct xfv_err e = {0};
    char digest[65], file[65];
    memcpy(digest, m->digest, sizeof digest);
    memcpy(file, m->file, sizeof file);
    m->thresholds[0].value += 0.125;
    xfv_model_succeed(m);
    save(m, "calibrated.xfvm");
    OK(!strcmp(m->digest, digest) && strcmp(m->file, file) && !strcmp(m->former, file),
       "other thresholds: the same digest, another file");
    m->thresholds[0].value += 0.125;
    xfv_model_succeed(m);
    save(m, "calibrated.xfvm");
    OK(xfv_model_load(at("calibrated.xfvm"), &l, &e) == 0 && !strcmp(l->former, file),
       "once more: the first file is remembered %s", e.msg);
    if (!l) return;
    OK(xfv_model_is(l, digest) && xfv_model_is(l, file) && xfv_model_is(l, l->file) && !xfv_model_is(l, ""),
       "it goes by its digest, its file and the former file");
    l->graph->weights[0].data[0] += 1;
    save(l, "calibrated.xfvm");
    OK(!*l->former && !xfv_model_is(l, digest) && !xfv_model_is(l, file), "with another weight it is another model");
    xfv_model_free(l);
}

static void test_round_trip(void)
{
    struct xfv_model *m = new_model(), *l = NULL;
    struct xfv_err e = {0};
    char digest[65];
    size_t n, n2;
    save(m, "a.xfvm");
    OK(xfv_model_load(at("a.xfvm"), &l, &e) == 0, "a saved model loads %s", e.msg);
    if (!l) return;
    OK(same_graph(m->graph, l->graph), "the graph is the same, attributes and weights included");
    OK(!strcmp(m->name, l->name) && !strcmp(m->kind, l->kind) && !strcmp(m->licence, l->licence) &&
           !strcmp(m->origin, l->origin) && !strcmp(m->colour, l->colour),
       "so are the texts");
    OK(!memcmp(m->mean, l->mean, sizeof m->mean) && !memcmp(m->std, l->std, sizeof m->std) &&
           !memcmp(m->template_xy, l->template_xy, sizeof m->template_xy),
       "and the numbers");
    OK(l->embedding == m->embedding && l->embedding_normalised == m->embedding_normalised && l->height == 12 &&
           l->width == 11 && l->channels == 3,
       "and the embedding and input");
    OK(l->n_thresholds == 2 && isnan(l->thresholds[0].fmr) && l->thresholds[1].value < 0.4171 &&
           l->thresholds[1].pairs == 2400 && !strcmp(l->thresholds[1].data, "LFW"),
       "and the thresholds");
    save(l, "b.xfvm");
    uint8_t *a = contents("a.xfvm", &n), *b = contents("b.xfvm", &n2);
    OK(n == n2 && !memcmp(a, b, n), "saved again: the same bytes");
    char command[600];
    snprintf(command, sizeof command, "sha256sum '%s'", at("a.xfvm"));
    FILE *sum = popen(command, "r");
    OK(sum && fscanf(sum, "%64s", digest) == 1, "sha256sum reads the file");
    if (sum) pclose(sum);
    OK(!strcmp(digest, l->file) && !strcmp(digest, m->file) && !strcmp(l->digest, m->digest),
       "the file's digest is its SHA-256; the model's is read as it was written");
    test_identity(l);
    free(a);
    free(b);
    m->graph->weights[0].data[0] = NAN;
    OK(xfv_model_save(m, -1, &e) == XFV_EMODEL && strstr(e.msg, "finite"),
       "a weight that is not a number is not saved: %s", e.msg);
    m->graph->weights[0].data[0] = 0;
    OK(xfv_model_save(m, -1, &e) == XFV_EIO, "a bad descriptor: %s", e.msg);
    xfv_model_free(m);
    xfv_model_free(l);
}

/* ---- rewriting a saved model as a sound stream with other contents ---- */

typedef void change(msgpack_object *root, msgpack_zone *z, void *ctx);

/* Copy a.xfvm to `name` with the head changed by on_head and each weight record by on_weight (NULL: unchanged). */
static void rewrite(const char *name, change *on_head, change *on_weight, void *ctx)
{
    struct xfv_reader *rd;
    struct xfv_writer *w;
    struct xfv_rec *r;
    struct xfv_err e;
    int in = open(at("a.xfvm"), O_RDONLY), out = create(name), st;
    sure(xfv_reader_open(&rd, in, 1, "a", NULL, &e), &e);
    sure(xfv_writer_open(&w, out, &e), &e);
    while ((st = xfv_reader_next(rd, &r, &e)) == 0) {
        int head = xfv_rec_kind(r) == XFV_HEAD;
        if (head && on_head) on_head(xfv_rec_root(r), xfv_rec_zone(r), ctx);
        if (!head && on_weight) on_weight(xfv_rec_root(r), xfv_rec_zone(r), ctx);
        sure(head ? xfv_writer_head(w, r, NULL, NULL, &e) : xfv_writer_put(w, r, &e), &e);
        xfv_rec_free(r);
    }
    if (st != XFV_EOF) sure(st, &e);
    sure(xfv_writer_end(w, &e), &e);
    xfv_writer_close(w);
    xfv_reader_close(rd);
    close(out);
}

static void refused(const char *name, const char *word, const char *what)
{
    struct xfv_model *m = NULL;
    struct xfv_err e = {0};
    int st = xfv_model_load(at(name), &m, &e);
    OK(st == XFV_EMODEL && e.status == st && strstr(e.msg, word) && !m, "%s: %s", what, e.msg);
    if (st == 0) xfv_model_free(m);
}

/* path: keys and indices with dots between */
struct edit { const char *path, *key; int kind; double number; const char *text; };

static msgpack_object *walk(msgpack_object *o, const char *path)
{
    char part[32];
    while (o && *path) {
        size_t n = strcspn(path, ".");
        memcpy(part, path, n), part[n] = '\0';
        path += n + (path[n] == '.');
        if (o->type == MSGPACK_OBJECT_ARRAY)
            o = (uint32_t)atoi(part) < o->via.array.size ? &o->via.array.ptr[atoi(part)] : NULL;
        else o = xfv_map_get_mut(o, part);
    }
    return o;
}

enum { DROP, NUMBER, INTEGER, TEXT, SHORTER };
static void edit(msgpack_object *root, msgpack_zone *z, void *ctx)
{
    const struct edit *t = ctx;
    msgpack_object *o = walk(root, t->path), v = t->kind == TEXT     ? xfv_val_str(z, t->text)
                                                 : t->kind == NUMBER ? xfv_val_f64(t->number)
                                                                     : xfv_val_int((int64_t)t->number);
    if (!o) printf("Bail out! no %s\n", t->path), exit(1);
    if (t->kind == DROP) xfv_map_drop(o, t->key);
    else if (t->kind == SHORTER) o->via.array.size--;
    else if (o->type == MSGPACK_OBJECT_ARRAY) o->via.array.ptr[atoi(t->key)] = v;
    else xfv_map_put(z, o, t->key, v, NULL);
}

static void test_lies(void)
{
    static const struct { struct edit e; const char *word;
    } heads[] =
        {
            {{"", "kind", TEXT, 0, "picture"}, "not a model"},
            {{"", "graph", DROP, 0, NULL}, "values"},
            {{"graph.values.1.shape", "0", INTEGER, 7, NULL}, "declared 7x"},
            {{"graph.values.0.shape", "0", INTEGER, 0, NULL}, "impossible shape"},
            {{"graph.values.0.shape", "0", INTEGER, 2147483647, NULL}, "impossible shape"},
            {{"graph.values.0.shape", "0", NUMBER, 4.5, NULL}, "whole number"},
            {{"graph.values.2", "name", TEXT, 0, "input"}, "two values"},
            {{"graph.values.2", "name", TEXT, 0, ""}, "name"},
            {{"graph.nodes.0", "op", TEXT, 0, "teleport"}, "teleport"},
            {{"graph.nodes.0", "secret", INTEGER, 1, NULL}, "unknown attribute 'secret'"},
            {{"graph.nodes.0", "groups", INTEGER, 0, NULL}, "0 groups"},
            {{"graph.nodes.0", "groups", INTEGER, 1e12, NULL}, "groups"},
            {{"graph.nodes.0.kernel", "0", INTEGER, -3, NULL}, "kernel"},
            {{"graph.nodes.0.stride", "0", INTEGER, 0, NULL}, "stride"},
            {{"graph.nodes.0.pads", "", SHORTER, 0, NULL}, "pads"},
            {{"graph.nodes.0", "weight", TEXT, 0, "lost"}, "lost"},
            {{"graph.nodes.0", "weight", DROP, 0, NULL}, "weight"},
            {{"graph.nodes.0", "out", TEXT, 0, "input"}, "second time"},
            {{"graph.nodes.0.in", "0", TEXT, 0, "normalised"}, "before any"},
            {{"graph.outputs", "0", TEXT, 0, "nowhere"}, "nowhere"},
            {{"graph.outputs", "", SHORTER, 0, NULL}, "no output"},
            {{"graph.nodes", "", SHORTER, 0, NULL}, "normalised"},
            {{"", "embedding", TEXT, 0, "nowhere"}, "nowhere"},
            {{"", "embedding", DROP, 0, NULL}, "embedding"},
            {{"", "score", TEXT, 0, "astrology"}, "astrology"},
            {{"input", "colour", TEXT, 0, "grey"}, "mean"},
            {{"input", "colour", TEXT, 0, "cmyk"}, "cmyk"},
            {{"input.std", "0", INTEGER, 0, NULL}, "normalisation"},
            {{"input.mean", "0", NUMBER, NAN, NULL}, "normalisation"},
            {{"template", "", SHORTER, 0, NULL}, "template"},
            {{"template", "0", NUMBER, INFINITY, NULL}, "template"},
            {{"", "thresholds", INTEGER, 1, NULL}, "thresholds"},
            {{"thresholds.1", "name", TEXT, 0, "default"}, "two thresholds"},
            {{"thresholds.0", "value", NUMBER, NAN, NULL}, "impossible"},
            {{"thresholds.1", "fmr", NUMBER, 1.5, NULL}, "impossible"},
            {{"", "name", TEXT, 0, ""}, "no name"},
            {{"", "name", TEXT, 0, "a name that is longer than the sixty-three bytes that a model's name may have"},
             "name"},
        },
      weights[] = {
          {{"", "name", TEXT, 0, "w0"}, "two weights"},
          {{"tensor", "dtype", TEXT, 0, "<i4"}, "<i4"},
          {{"tensor.shape", "0", INTEGER, 1, NULL}, "bytes"},
          {{"", "tensor", DROP, 0, NULL}, "tensor"},
      };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct edit t = heads[i].e;
        rewrite("lie.xfvm", edit, NULL, &t);
        refused("lie.xfvm", heads[i].word, t.path[0] ? t.path : t.key);
    }
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
        struct edit t = weights[i].e;
        struct xfv_model *m = NULL;
        struct xfv_err e = {0};
        rewrite("lie.xfvm", NULL, edit, &t);
        int st = xfv_model_load(at("lie.xfvm"), &m, &e);
        OK(st == XFV_EMODEL && !m, "weight's %s: %s", t.key, e.msg);
    }
}

/* ---- every object of the head, replaced by every kind of object ---- */

struct replace { int target, seen; msgpack_object with; };

static void replace_nth(msgpack_object *o, struct replace *r)
{
    if (r->seen++ == r->target) {
        *o = r->with;
        return;
    }
    if (o->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < o->via.array.size; i++) replace_nth(&o->via.array.ptr[i], r);
    if (o->type == MSGPACK_OBJECT_MAP)
        for (uint32_t i = 0; i < o->via.map.size; i++) replace_nth(&o->via.map.ptr[i].val, r);
}

static void replace_in_head(msgpack_object *root, msgpack_zone *z, void *ctx)
{
    struct replace *r = ctx;
    (void)z;
    r->seen = 0;
    for (uint32_t i = 0; i < root->via.map.size; i++) {
        const msgpack_object_str *k = &root->via.map.ptr[i].key.via.str;
        /* the stream's own */
        if (k->size >= 4 && (!memcmp(k->ptr, "prov", 4) || !memcmp(k->ptr, "magi", 4) || !memcmp(k->ptr, "vers", 4)))
            continue;
        if (k->size > 1) replace_nth(&root->via.map.ptr[i].val, r);
    }
}

static void test_every_object(void)
{
    msgpack_zone *z = msgpack_zone_new(1024);
    msgpack_object with[] = {xfv_val_bool(1),  xfv_val_int(-1),    xfv_val_int(INT64_MAX),
                             xfv_val_f64(NAN), xfv_val_str(z, ""), xfv_val_str(z, "input"),
                             xfv_val_array(z), xfv_val_map(z),     xfv_val_int(3)};
    int loads = 0, accepted = 0, silent = 0, objects = 1;
    for (int target = 0; target < objects; target++)
        for (size_t k = 0; k < sizeof with / sizeof *with; k++) {
            struct replace r = {.target = target, .with = with[k]};
            struct xfv_model *m = NULL;
            struct xfv_err e = {0};
            rewrite("odd.xfvm", replace_in_head, NULL, &r);
            if (target == 0 && k == 0) r.target = -1, rewrite("odd.xfvm", replace_in_head, NULL, &r), objects = r.seen;
            int st = xfv_model_load(at("odd.xfvm"), &m, &e);
            loads++;
            accepted += st == 0;
            silent += st != 0 && (st != XFV_EMODEL || !e.msg[0]);
            if (st == 0) xfv_model_free(m);
        }
    msgpack_zone_free(z);
    OK(objects > 200 && silent == 0 && accepted < loads / 4,
       "each of %d objects of the head replaced %d times: %d still a sound model, the rest refused with a sentence",
       objects, loads / objects, accepted);
}

static void test_damage(void)
{
    size_t n;
    uint8_t *p = contents("a.xfvm", &n);
    int bad = 0, tries = 0;
    for (size_t cut = 0; cut < n; cut += 1 + cut / 16, tries++) {
        struct xfv_model *m;
        struct xfv_err e = {0};
        write_bytes("cut.xfvm", p, cut);
        bad += xfv_model_load(at("cut.xfvm"), &m, &e) != XFV_EMODEL || !e.msg[0];
    }
    OK(bad == 0, "cut at %d places: refused", tries);
    bad = tries = 0;
    for (size_t i = 0; i < n; i += 1 + n / 800, tries++) {
        struct xfv_model *m;
        struct xfv_err e = {0};
        p[i] ^= (uint8_t)(1 << i % 8);
        write_bytes("flip.xfvm", p, n);
        p[i] ^= (uint8_t)(1 << i % 8);
        int st = xfv_model_load(at("flip.xfvm"), &m, &e);
        bad += st != XFV_EMODEL || !e.msg[0];
    }
    OK(bad == 0, "one bit changed at %d places: refused", tries);
    uint8_t *two = malloc(2 * n);
    memcpy(two, p, n), memcpy(two + n, p, n);
    write_bytes("two.xfvm", two, 2 * n);
    refused("two.xfvm", "second model", "two models in one file");
    write_bytes("empty.xfvm", p, 0);
    refused("empty.xfvm", "empty", "an empty file");
    write_bytes("jpeg.xfvm", (const uint8_t *)"\xff\xd8\xff\xe0 JFIF, a picture", 20);
    refused("jpeg.xfvm", "JPEG", "a picture");
    mkdir(at("folder.xfvm"), 0700);
    refused("folder.xfvm", "regular file", "a folder");
    refused("missing.xfvm", "No such file", "a file that is not there");
    free(two);
    free(p);
}

/* ---- half-precision weights ---- */

static void to_half(msgpack_object *root, msgpack_zone *z, void *ctx)
{
    struct xfv_tensor t, h;
    struct xfv_err e;
    (void)ctx;
    sure(xfv_get_tensor(root, "tensor", XFV_F32, -1, NULL, &t, &e), &e);
    sure(xfv_tensor_alloc(&h, XFV_F16, t.ndim, t.shape, &e), &e);
    xfv_f16_from_f32(t.data, h.data, xfv_tensor_count(&t));
    sure(xfv_map_put(z, root, "tensor", xfv_val_tensor(z, &h), &e), &e);
    xfv_tensor_clear(&t);
    xfv_tensor_clear(&h);
}

static void test_half(void)
{
    struct xfv_model *a, *h;
    struct xfv_err e;
    double worst = 0;
    rewrite("half.xfvm", NULL, to_half, NULL);
    sure(xfv_model_load(at("a.xfvm"), &a, &e), &e);
    if (!OK(xfv_model_load(at("half.xfvm"), &h, &e) == 0, "half-precision weights load")) return;
    for (int i = 0; i < a->graph->n_weights; i++)
        for (size_t k = 0; k < a->graph->weights[i].count; k++) {
            double x = (double)a->graph->weights[i].data[k], y = (double)h->graph->weights[i].data[k];
            worst = fmax(worst, fabs(x - y) / (fabs(x) + 1e-3));
        }
    OK(worst > 0 && worst < 1e-3, "as the nearest halves (%.1e)", worst);
    xfv_model_free(a);
    xfv_model_free(h);
}

/* Mean activations and the least norm: kept, replaced, and refused when they are not those of a value. */
static void test_means(void)
{
    struct xfv_model *m = new_model(), *l = NULL;
    struct xfv_err e = {0};
    float v[XFV_MAX_MEANS * 1024];
    const struct xfv_graph *g = m->graph;
    size_t count = xfv_shape_count(g->values[1].shape);
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) v[i] = (float)uniform();
    OK(xfv_model_mean(m, 1) == NULL && xfv_model_mean(m, -1) == NULL, "no means at first");
    sure(xfv_model_add_mean(m, g->values[1].name, v, count, 9, "somebody", &e), &e);
    sure(xfv_model_add_mean(m, g->values[2].name, v, xfv_shape_count(g->values[2].shape), 0, "", &e), &e);
    sure(xfv_model_add_mean(m, g->values[1].name, v + 1, count, 7, "LFW", &e), &e);
    OK(m->n_means == 2 && xfv_model_mean(m, 1)->faces == 7, "a second mean of one value takes the place of the first");
    m->norm = (struct xfv_norm){.low = 51.25, .faces = 700, .source = "LFW"};
    save(m, "means.xfvm");
    if (OK(xfv_model_load(at("means.xfvm"), &l, &e) == 0, "a model with means loads %s", e.msg)) {
        const struct xfv_mean *a = xfv_model_mean(l, 1);
        OK(l->norm.low == 51.25 && l->norm.faces == 700 && !strcmp(l->norm.source, "LFW"), "and the least norm");
        OK(l->n_means == 2 && a && a->count == count && !memcmp(a->data, v + 1, count * sizeof *v) &&
               !strcmp(a->source, "LFW") && a->faces == 7,
           "and holds them");
        xfv_model_free(l);
    }
    struct xfv_rec *r = xfv_mean_record(xfv_model_mean(m, 1), g->values[1].shape, XFV_F16, &e);
    OK(r && xfv_mean_read(m, r, &e) == 0 && fabsf(xfv_model_mean(m, 1)->data[3] - v[4]) < 1e-3f, "through a record in "
                                                                                                 "half precision");
    xfv_rec_free(r);
    static const struct xfv_norm bad[] = {{NAN, 1, ""}, {INFINITY, 1, ""}, {-1, 1, ""}, {1, -1, ""}};
    for (int i = 0; i < 4; i++) {
        struct xfv_rec *n = xfv_norm_record(&bad[i], &e);
        OK(n && xfv_norm_read(m, n, &e) == XFV_EMODEL && strstr(e.msg, "impossible"), "norm %d: %s", i, e.msg);
        xfv_rec_free(n);
    }
    m->means[0].data[2] = NAN;
    OK(xfv_model_save(m, -1, &e) == XFV_EMODEL && strstr(e.msg, "finite"), "a number that is not finite: %s", e.msg);
    m->means[0].data[2] = 0;
    m->means[0].count--;
    OK(xfv_model_save(m, -1, &e) == XFV_EMODEL && strstr(e.msg, "elements"), "another size: %s", e.msg);
    m->means[0].count++;
    sure(xfv_model_add_mean(m, "nothing", v, 4, 1, "", &e), &e);
    OK(xfv_model_save(m, -1, &e) == XFV_EMODEL && strstr(e.msg, "nothing"), "a value that is not there: %s", e.msg);
    int st = 0;
    for (int i = 0; i < XFV_MAX_MEANS; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%d", i);
        st = xfv_model_add_mean(m, name, v, 1, 1, "", &e);
    }
    OK(st == XFV_ELIMIT, "no more than there is room for: %s", e.msg);
    xfv_model_free(m);
}

static void test_look_up(void)
{
    struct xfv_model *m;
    struct xfv_err e;
    char path[600];
    snprintf(path, sizeof path, ":/nonexistent::%s", folder);
    setenv("XFV_MODEL_PATH", path, 1);
    int st = xfv_model_load("a", &m, &e);
    OK(st == 0, "a bare name is found in XFV_MODEL_PATH, empty and missing folders passed over");
    if (st == 0) xfv_model_free(m);
    OK(xfv_model_load("nothing-of-the-kind", &m, &e) == XFV_EMODEL && strstr(e.msg, "XFV_MODEL_PATH"),
       "a name that is nowhere: %s", e.msg);
    OK(xfv_model_load("", &m, &e) == XFV_EMODEL, "no name: %s", e.msg);
    OK(xfv_model_load(at("a"), &m, &e) == XFV_EMODEL, "with a slash it is a file, as it stands: %s", e.msg);
    unsetenv("XFV_MODEL_PATH");
    st = xfv_model_load(NULL, &m, &e);
    if (!OK(st == 0, "the default model is found beside the program")) {
        printf("# %s\n", e.msg);
        return;
    }
    OK(!strcmp(m->kind, "embedding") && xfv_shape_count(m->graph->values[m->embedding].shape) == 192 && m->width == 112,
       "it is MobileFaceNet");
    xfv_model_free(m);
    static const char *const nets[] = {"mtcnn-p", "mtcnn-r", "mtcnn-o"};
    for (int i = 0; i < 3; i++) {
        st = xfv_model_load(nets[i], &m, &e);
        OK(st == 0 && !strcmp(m->kind, nets[i]) && m->transposed, "%s is beside it", nets[i]);
        if (st == 0) xfv_model_free(m);
    }
}

static void test_use(void)
{
    /* 2 high, 3 wide */
    static const uint8_t rgb[] = {0, 10, 20, 100, 110, 120, 200, 210, 220, 1, 2, 3, 4, 5, 6, 255, 255, 255};
    struct xfv_model m = {
        .height = 2, .width = 3, .channels = 3, .colour = "rgb", .mean = {10, 20, 30}, .std = {2, 4, 5}};
    float x[18];
    double v;
    struct xfv_err e;
    xfv_model_input(&m, rgb, x);
    OK(x[0] > -5.01f && x[0] < -4.99f && x[4] > 22.4f && x[4] < 22.6f && x[17] > 44.9f && x[17] < 45.1f, "rgb: (v - "
                                                                                                         "mean) / std");
    strcpy(m.colour, "bgr"), xfv_model_input(&m, rgb, x);
    OK(x[0] > 4.99f && x[0] < 5.01f && x[2] > -6.01f && x[2] < -5.99f, "bgr: mean and std go with the network's "
                                                                       "channels");
    strcpy(m.colour, "rgb"), m.transposed = 1, xfv_model_input(&m, rgb, x);
    OK(x[3] > -4.51f && x[3] < -4.49f, "transposed: second element is the pixel below");
    strcpy(m.colour, "grey"), m.transposed = 0, m.channels = 1, xfv_model_input(&m, rgb, x);
    OK(x[5] > 122.4f && x[5] < 122.6f && fabs((double)x[0] - (0.587 * 10 + 0.114 * 20 - 10) / 2) < 1e-4,
       "a network for grey images gets luma");
    OK(xfv_model_threshold(&m, "default", &v, &e) == XFV_EARG && strstr(e.msg, "no calibrated"), "no thresholds: %s",
       e.msg);
    m.n_thresholds = 2, m.thresholds[0] = threshold("eer", .35, 0, 0, "", 0),
    m.thresholds[1] = threshold("fmr=1e-3", .41, 0, 0, "", 0);
    OK(xfv_model_threshold(&m, "fmr=1e-3", &v, &e) == 0 && v > 0.409 && v < 0.411, "a threshold by name");
    OK(xfv_model_threshold(&m, "far", &v, &e) == XFV_EARG && strstr(e.msg, "eer, fmr=1e-3"), "an unknown one: %s",
       e.msg);
}

int main(void)
{
    if (!mkdtemp(folder)) return 1;
    test_round_trip();
    test_lies();
    test_every_object();
    test_damage();
    test_half();
    test_means();
    test_look_up();
    test_use();
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0) printf("# %s stays\n", folder);
    return tap_done();
}
