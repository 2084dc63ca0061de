/* model-import: a foreign network file -> a model file. */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "net/fold.h"
#include "net/import.h"
#include "net/model.h"
#include "stream/stream.h"

struct options {
    struct xfv_model *m; /* filled by the options, then by the file */
    const char *name, *embedding, *normalised, *means;
    int no_fold, arcface, no_template, mean_set, std_set;
    struct xfv_import_opts import;
    struct xfv_import_name wanted[2]; /* what the two options call them, and the graph */
};

/* ---- options ---- */

static int set_text(char *to, size_t cap, const char *what, const char *v, struct xfv_err *e)
{
    if (strlen(v) >= cap) return xfv_fail(e, XFV_EARG, "%s: '%s' has more than %zu bytes", what, v, cap - 1);
    strcpy(to, v);
    return 0;
}

/* Up to n comma-separated numbers; their count, or a negative status. */
static int numbers(const char *what, const char *v, double lo, double hi, double *out, int n, struct xfv_err *e)
{
    char part[64];
    int count = 0;
    for (;; v++) {
        size_t len = strcspn(v, ",");
        if (count == n || len >= sizeof part) return xfv_fail(e, XFV_EARG, "%s: expected at most %d numbers with commas between", what, n);
        memcpy(part, v, len);
        part[len] = '\0';
        int st = xfv_parse_f64(what, part, lo, hi, &out[count++], e);
        if (st) return st;
        v += len;
        if (!*v) return count;
    }
}

static int set_name(void *ctx, const char *v, struct xfv_err *e)
{
    struct options *o = ctx;
    o->name = v;
    return set_text(o->m->name, sizeof o->m->name, "--name", v, e);
}

static int set_kind(void *ctx, const char *v, struct xfv_err *e)
{
    struct options *o = ctx;
    return set_text(o->m->kind, sizeof o->m->kind, "--kind", v, e);
}

static int set_input(void *ctx, const char *v, struct xfv_err *e)
{
    static const char *const colours[] = {"rgb", "bgr", "grey", NULL};
    struct options *o = ctx;
    int i, st = xfv_parse_choice("--input", v, colours, &i, e);
    return st ? st : set_text(o->m->colour, sizeof o->m->colour, "--input", colours[i], e);
}

static int set_channels(const char *what, const char *v, double lo, float to[3], struct xfv_err *e)
{
    double d[3];
    int n = numbers(what, v, lo, 1e6, d, 3, e);
    if (n < 0) return n;
    if (n == 2) return xfv_fail(e, XFV_EARG, "%s: expected one number or three, found '%s'", what, v);
    for (int i = 0; i < 3; i++) to[i] = (float)d[n == 1 ? 0 : i];
    return 0;
}

static int set_mean(void *ctx, const char *v, struct xfv_err *e)
{
    return set_channels("--mean", v, -1e6, ((struct options *)ctx)->m->mean, e);
}

static int set_std(void *ctx, const char *v, struct xfv_err *e)
{
    return set_channels("--std", v, 1e-6, ((struct options *)ctx)->m->std, e);
}

XFV_SET_VALUE(set_transposed, struct options, m->transposed, 1)

static int set_template(void *ctx, const char *v, struct xfv_err *e)
{
    struct options *o = ctx;
    if ((o->arcface = strcmp(v, "arcface") == 0) || (o->no_template = strcmp(v, "none") == 0)) return 0;
    int n = numbers("--template", v, -1e5, 1e5, o->m->template_xy, 10, e);
    if (n >= 0 && n != 10) return xfv_fail(e, XFV_EARG, "--template: expected arcface, none or ten numbers x,y,..., found %d", n);
    return n < 0 ? n : 0;
}

XFV_SET_TEXT(set_embedding, struct options, embedding)
XFV_SET_TEXT(set_normalised, struct options, normalised)

static int set_score(void *ctx, const char *v, struct xfv_err *e)
{
    static const char *const names[] = {"cosine", "euclidean", NULL};
    int i, st = xfv_parse_choice("--score", v, names, &i, e);
    if (!st) ((struct options *)ctx)->m->score = (enum xfv_score)i;
    return st;
}

static int set_size(void *ctx, const char *v, struct xfv_err *e)
{
    struct options *o = ctx;
    const char *x = strchr(v, 'x');
    char first[16] = "";
    long h, w;
    int st;
    if (!x || (size_t)(x - v) >= sizeof first) return xfv_fail(e, XFV_EARG, "--size: expected HEIGHTxWIDTH, found '%s'", v);
    memcpy(first, v, (size_t)(x - v));
    if ((st = xfv_parse_int("--size", first, 1, 65536, &h, e)) || (st = xfv_parse_int("--size", x + 1, 1, 65536, &w, e))) return st;
    o->import.height = (int)h;
    o->import.width = (int)w;
    return 0;
}

static int set_licence(void *ctx, const char *v, struct xfv_err *e)
{
    struct options *o = ctx;
    return set_text(o->m->licence, sizeof o->m->licence, "--licence", v, e);
}

static int set_origin(void *ctx, const char *v, struct xfv_err *e)
{
    struct options *o = ctx;
    return set_text(o->m->origin, sizeof o->m->origin, "--origin", v, e);
}

XFV_SET_VALUE(set_no_fold, struct options, no_fold, 1)

/* One KEY=VALUE of a threshold after its first part. *v moves past it; data takes all that is left, commas included. */
static int threshold_detail(struct xfv_threshold *t, const char **v, struct xfv_err *e)
{
    char part[64];
    long pairs = 0;
    int st;
    if (strncmp(*v, "data=", 5) == 0) {
        st = set_text(t->data, sizeof t->data, "--threshold", *v + 5, e);
        *v += strlen(*v);
        return st;
    }
    size_t len = strcspn(*v, ",");
    if (len >= sizeof part) return xfv_fail(e, XFV_EARG, "--threshold: '%s' is too long", *v);
    memcpy(part, *v, len);
    part[len] = '\0';
    *v += len;
    if (strncmp(part, "fmr=", 4) == 0) return xfv_parse_f64("--threshold: fmr", part + 4, 0, 1, &t->fmr, e);
    if (strncmp(part, "fnmr=", 5) == 0) return xfv_parse_f64("--threshold: fnmr", part + 5, 0, 1, &t->fnmr, e);
    if (strncmp(part, "pairs=", 6) != 0) return xfv_fail(e, XFV_EARG, "--threshold: expected fmr=, fnmr=, pairs= or data=, found '%s'", part);
    st = xfv_parse_int("--threshold: pairs", part + 6, 0, 2000000000, &pairs, e);
    t->pairs = (int)pairs;
    return st;
}

/* NAME=VALUE[,fmr=F][,fnmr=F][,pairs=N][,data=TEXT]; the name may hold an '=' itself ("fmr=1e-3"). */
static int set_threshold(void *ctx, const char *v, struct xfv_err *e)
{
    struct xfv_model *m = ((struct options *)ctx)->m;
    char first[96];
    size_t len = strcspn(v, ",");
    if (m->n_thresholds == (int)(sizeof m->thresholds / sizeof *m->thresholds)) return xfv_fail(e, XFV_EARG, "--threshold: too many of them");
    struct xfv_threshold *t = &m->thresholds[m->n_thresholds++];
    *t = xfv_threshold_new();
    if (len >= sizeof first) return xfv_fail(e, XFV_EARG, "--threshold: '%s' is too long", v);
    memcpy(first, v, len);
    first[len] = '\0';
    char *eq = strrchr(first, '=');
    if (!eq || eq == first) return xfv_fail(e, XFV_EARG, "--threshold: expected NAME=VALUE, found '%s'", first);
    *eq = '\0';
    int st = set_text(t->name, sizeof t->name, "--threshold", first, e);
    if (!st) st = xfv_parse_f64("--threshold", eq + 1, -1e6, 1e6, &t->value, e);
    for (v += len; !st && *v == ',';) {
        v++;
        st = threshold_detail(t, &v, e);
    }
    return st;
}

XFV_SET_TEXT(set_means, struct options, means)

static const struct xfv_opt opts[] = {
    {"name", 0, "NAME", "the model's name (default: the file's, without its ending)", 0, set_name, 0},
    {"kind", 0, "KIND", "what the network does: embedding (default), mtcnn-p, mtcnn-r, mtcnn-o", 0, set_kind, 0},
    {"input", 0, "COLOUR", "what it sees: rgb (default), bgr or grey", 0, set_input, 0},
    {"mean", 0, "M[,M,M]", "subtracted from each channel's 0..255 (default 127.5)", 0, set_mean, 0},
    {"std", 0, "S[,S,S]", "then divided by this (default 127.5)", 0, set_std, 0},
    {"transposed", 0, NULL, "the network wants height and width exchanged", 0, set_transposed, 0},
    {"size", 0, "HxW", "build the network for another input size than the file declares", 0, set_size, 0},
    {"template", 0, "WHERE", "five landmarks of an aligned face: arcface (default for an embedding), none, or x,y,...", 0, set_template, 0},
    {"embedding", 0, "VALUE", "the embedding before normalisation (default: the output)", 0, set_embedding, 0},
    {"normalised", 0, "VALUE", "the graph's own normalised embedding (default: an l2norm of it)", 0, set_normalised, 0},
    {"score", 0, "HOW", "how embeddings are compared: cosine (default) or euclidean", 0, set_score, 0},
    {"threshold", 0, "NAME=VALUE[,...]", "a calibrated threshold, with fmr=, fnmr=, pairs= and data=TEXT (last); may repeat", 0, set_threshold, 1},
    {"licence", 0, "SPDX", "the weights' licence", 0, set_licence, 0},
    {"origin", 0, "TEXT", "where the weights come from", 0, set_origin, 0},
    {"means", 0, "FILE", "take in mean activations that model-means --records wrote", 0, set_means, XFV_OPT_READS},
    {"no-fold", 0, NULL, "keep the graph as the file spells it", 0, set_no_fold, 0},
    {NULL, 0, NULL, NULL, 0, NULL, 0},
};

/* ---- the work ---- */

/* The whole file in memory: free it. */
static uint8_t *read_file(const char *path, size_t *n, struct xfv_err *e)
{
    size_t cap = 1 << 20, k;
    uint8_t *p = malloc(cap), *q;
    FILE *f = fopen(path, "rb");
    *n = 0;
    if (!f) xfv_fail(e, XFV_EIO, "cannot open '%s'", path);
    while (f && p && (k = fread(p + *n, 1, cap - *n, f)) > 0) {
        if ((*n += k) < cap) continue;
        if (cap > (size_t)1 << 31 || !(q = realloc(p, cap *= 2))) {
            xfv_fail(e, XFV_ENOMEM, "'%s' is too large", path);
            goto fail;
        }
        p = q;
    }
    if (!p) xfv_fail(e, XFV_ENOMEM, "out of memory for '%s'", path);
    else if (f && ferror(f)) xfv_fail(e, XFV_EIO, "cannot read '%s'", path);
    else if (f) {
        fclose(f);
        return p;
    }
fail:
    if (f) fclose(f);
    free(p);
    return NULL;
}

static int default_name(struct options *o, const char *path, struct xfv_err *e)
{
    char base[64];
    const char *slash = strrchr(path, '/');
    path = slash ? slash + 1 : path;
    size_t len = strcspn(path, ".");
    if (len == 0 || len >= sizeof base) return xfv_fail(e, XFV_EARG, "cannot name the model after '%s': give --name", path);
    memcpy(base, path, len);
    base[len] = '\0';
    return set_text(o->m->name, sizeof o->m->name, "--name", base, e);
}

static const struct xfv_node *producer(const struct xfv_graph *g, int value)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].out == value) return &g->nodes[i];
    return NULL;
}

/* The value that v is another name for: back through reshapes. */
static int behind_reshapes(const struct xfv_graph *g, int v)
{
    const struct xfv_node *n;
    while ((n = producer(g, v)) && n->op == XFV_OP_RESHAPE) v = n->in[0];
    return v;
}

static size_t elements(const struct xfv_graph *g, int value) { return xfv_shape_count(g->values[value].shape); }

/* The output that is the embedding: the only one with more than one number (some networks also give the embedding's norm). */
static int embedding_output(const struct xfv_graph *g, struct xfv_err *e)
{
    int found = -1, n = 0;
    char list[300] = "";
    for (int i = 0; i < g->n_outputs; i++) {
        size_t at = strlen(list);
        if (at < sizeof list - 120) snprintf(list + at, sizeof list - at, "%s'%.100s'", i ? ", " : "", g->values[g->outputs[i]].name);
        if (elements(g, g->outputs[i]) < 2) continue;
        found = g->outputs[i];
        n++;
    }
    return n == 1 ? found : xfv_fail(e, XFV_EMODEL, "the network has %d outputs (%s): say with --embedding which is the embedding", g->n_outputs, list);
}

/* The l2norm, or division by a norm, that v is the outcome of: the value before it; or -1. */
static int before_normalisation(const struct xfv_graph *g, int v)
{
    const struct xfv_node *n = producer(g, behind_reshapes(g, v));
    return n && n->op == XFV_OP_L2NORM ? behind_reshapes(g, n->in[0]) : -1;
}

/* Which values are the embedding, in the simplified graph: as the options say, else the output (before its normalisation when it has one). What was
 * chosen without being told is said. */
static int find_embedding(struct xfv_cli *c, struct options *o, struct xfv_err *e)
{
    struct xfv_model *m = o->m;
    const struct xfv_graph *g = m->graph;
    if (strcmp(m->kind, "embedding") != 0 && !o->embedding) return 0;
    int raw = o->embedding ? xfv_graph_find(g, o->embedding) : embedding_output(g, e), normalised = -1;
    if (raw < 0 && !o->embedding) return raw;
    if (raw < 0) return xfv_fail(e, XFV_EMODEL, "the network has no value '%.200s' (--embedding)", o->embedding);
    int before = o->embedding ? -1 : before_normalisation(g, raw);
    if (before >= 0) raw = before;
    if (raw == 0 || elements(g, raw) < 2 || elements(g, raw) > 65536) return xfv_fail(e, XFV_EMODEL, "'%.200s' is not an embedding: it has %zu numbers", g->values[raw].name, elements(g, raw));
    for (int i = 0; i < g->n_nodes && normalised < 0; i++)
        if (g->nodes[i].op == XFV_OP_L2NORM && behind_reshapes(g, g->nodes[i].in[0]) == behind_reshapes(g, raw)) normalised = g->nodes[i].out;
    if (o->normalised && (normalised = xfv_graph_find(g, o->normalised)) < 0)
        return xfv_fail(e, XFV_EMODEL, "the network has no value '%.200s' (--normalised)", o->normalised);
    m->embedding = raw;
    m->embedding_normalised = normalised;
    if (!o->embedding && normalised >= 0)
        xfv_cli_warn(c, "the embedding is '%.200s', %zu numbers; an L2 normalisation follows it", g->values[raw].name, elements(g, raw));
    else if (!o->embedding)
        xfv_cli_warn(c, "the embedding is the output '%.200s', %zu numbers; no L2 normalisation follows it", g->values[raw].name, elements(g, raw));
    return 0;
}

static int fold(struct xfv_cli *c, struct options *o, struct xfv_err *e)
{
    struct xfv_fold_stats s;
    const char *keep[3] = {o->embedding ? o->embedding : o->normalised, o->embedding ? o->normalised : NULL, NULL};
    struct xfv_graph **g = &o->m->graph;
    int before = (*g)->n_nodes, st;
    double macs = xfv_graph_macs(*g);
    if (o->no_fold) return 0;
    if ((st = xfv_fold(g, keep, &s, e))) return st;
    xfv_cli_info(c, "%d nodes became %d; %.1f M multiply-adds became %.1f M; PReLU %d, softmax %d, affine %d (into weights %d), merged %d, other functions %d, moves %d", before,
                 (*g)->n_nodes, macs / 1e6, xfv_graph_macs(*g) / 1e6, s.prelu, s.softmax, s.affine, s.into_linear, s.merged, s.spelled, s.moves);
    return 0;
}

/* The ArcFace template is for 112x112 pixels: left and right eye, nose, left and right mouth corner, as seen in the image. */
static void arcface_template(struct xfv_model *m)
{
    static const double xy[10] = {38.2946, 51.6963, 73.5318, 51.5014, 56.0252, 71.7366, 41.5493, 92.3655, 70.7299, 92.2041};
    for (int i = 0; i < 10; i++) m->template_xy[i] = m->width == 112 && m->height == 112 ? xy[i] : xy[i] * (i % 2 ? m->height : m->width) / 112;
}

/* The records of kind "mean" of a stream. */
static int take_means(struct xfv_model *m, const char *path, struct xfv_err *e)
{
    struct xfv_reader *in;
    struct xfv_rec *r;
    struct xfv_limits limits = xfv_limits_default();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return xfv_fail(e, XFV_EIO, "cannot open '%s'", path);
    int st = xfv_reader_open(&in, fd, 1, path, &limits, e);
    if (st) return close(fd), st;
    while (!(st = xfv_reader_next(in, &r, e))) {
        if (!strcmp(xfv_rec_kind_name(r), "mean")) st = xfv_mean_read(m, r, e);
        xfv_rec_free(r);
        if (st) break;
    }
    xfv_reader_close(in);
    return st == XFV_EOF ? 0 : st;
}

/* The file's format shows in its first bytes. */
static int parse(struct xfv_cli *c, struct options *o, const char *path, const uint8_t *bytes, size_t n, struct xfv_graph **g, struct xfv_err *e)
{
    char note[128] = "", *folder;
    const char *slash = strrchr(path, '/');
    if (n >= 8 && memcmp(bytes + 4, "TFL3", 4) == 0) return xfv_import_tflite(bytes, n, &o->import, g, e);
    int text = n > 10 && memcmp(bytes, "xfv-graph ", 10) == 0;
    if (!text && !xfv_is_onnx(bytes, n)) return xfv_fail(e, XFV_EMODEL, "neither an ONNX nor a TFLite file, nor a graph description");
    if (!(folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup("."))) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    o->import.folder = folder;
    o->import.note = note;
    o->import.note_size = sizeof note;
    const char **name[2] = {&o->embedding, &o->normalised};
    for (int k = 0; k < 2; k++) o->wanted[k].file = *name[k] ? *name[k] : "";
    o->import.names = o->wanted;
    o->import.n_names = 2;
    o->import.channels = strcmp(o->m->colour, "grey") == 0 ? 1 : 3;
    int st = text ? xfv_import_text(bytes, n, &o->import, g, e) : xfv_import_onnx(bytes, n, &o->import, g, e);
    free(folder);
    o->import.folder = NULL;
    o->import.note = NULL;
    for (int k = 0; k < 2 && !st; k++)
        if (o->wanted[k].value[0]) *name[k] = o->wanted[k].value;
    if (!st && note[0]) xfv_cli_info(c, "%s", note);
    return st;
}

static int import(struct xfv_cli *c, struct options *o, const char *path, struct xfv_err *e)
{
    size_t n;
    uint8_t *bytes = read_file(path, &n, e);
    if (!bytes) return e->status;
    struct xfv_graph *g;
    int st = parse(c, o, path, bytes, n, &g, e);
    if (st) xfv_fail_at(e, "%.200s", path);
    free(bytes);
    if (st) return st;
    xfv_graph_free(o->m->graph);
    o->m->graph = g;
    if (!o->name && (st = default_name(o, path, e))) return st;
    if ((st = fold(c, o, e)) || (st = find_embedding(c, o, e))) return st;
    if (o->means && (st = take_means(o->m, o->means, e))) return st;
    if ((st = xfv_model_check(o->m, e))) return st;
    if (!o->no_template && strcmp(o->m->kind, "embedding") == 0 && !xfv_model_has_template(o->m)) o->arcface = 1;
    if (o->arcface) arcface_template(o->m);
    int fd = xfv_cli_out_fd(c, e);
    return fd < 0 ? fd : xfv_model_save(o->m, fd, e);
}

int main(int argc, char **argv)
{
    static struct options o;
    static const struct xfv_program program = {
        .name = "model-import",
        .summary = "convert a network (ONNX, TFLite, a description) into a model file",
        .operands = "FILE",
        .example = "model-import --input rgb --template arcface -o r50.xfvm arcface-r50.onnx",
        .flags = XFV_WRITES_BINARY | XFV_SEALS_LATER,
        .opts = opts,
        .ctx = &o,
    };
    int exit_status, st;
    struct xfv_err e = {0};
    char **names;
    if (!(o.m = xfv_model_new())) {
        fputs("model-import: out of memory\n", stderr);
        return XFV_EXIT_SYSTEM;
    }
    strcpy(o.m->kind, "embedding");
    strcpy(o.m->colour, "rgb");
    for (int i = 0; i < 3; i++) o.m->mean[i] = o.m->std[i] = 127.5f;
    struct xfv_cli *c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!c) {
        xfv_model_free(o.m);
        return exit_status;
    }
    if (xfv_cli_operands(c, &names) != 1) st = xfv_fail(&e, XFV_EARG, "expected one file, found %d (see --help)", xfv_cli_operands(c, &names));
    else {
        xfv_cli_may_read_beside(c, names[0]); /* weights may lie in files of their own */
        st = xfv_cli_seal(c, &e);
        if (!st) st = import(c, &o, names[0], &e);
    }
    if (!st) xfv_cli_info(c, "%s: digest %s", o.m->name, o.m->digest);
    xfv_model_free(o.m);
    return xfv_cli_finish(c, st ? &e : NULL, XFV_EXIT_OK);
}
