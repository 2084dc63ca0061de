/* model-import: a foreign network file -> a model file. See model-import(1). */
#include <string.h>

#include "cli/cli.h"
#include "explain/tells_apart.h"
#include "face/align.h"
#include "net/graph/fold.h"
#include "net/import/import.h"
#include "net/model/model.h"

struct options {
    struct xfv_model *m; /* filled by the options, then by the file */
    const char *name, *kind, *licence, *origin, *embedding, *normalised, *means;
    int colour, score, layout, transposed; /* places in the lists below */
    int scaled, whole; /* --mean or --std was given; the network takes whole numbers */
    int no_fold, arcface, no_template;
    int height, width; /* 0: what the file declares */
    struct xfv_import_name wanted[2]; /* what --embedding and --normalised call them, and the graph */
};

/* ---- options ---- */

static const char *const colours[] = {"rgb", "bgr", "grey", NULL};
static const char *const layouts[] = {"auto", "nchw", "nhwc", NULL}; /* as in enum xfv_layout */
static const char *const scores[] = {"cosine", "euclidean", NULL};

static int set_channels(const char *what, const char *v, double lo, float to[3], struct xfv_err *e)
{
    double d[3];
    int n = xfv_parse_numbers(what, v, lo, 1e6, d, 3, e);
    if (n < 0) return n;
    if (n == 2) return xfv_fail(e, XFV_EARG, "%s: expected one number or three, found '%s'", what, v);
    for (int i = 0; i < 3; i++) to[i] = (float)d[n == 1 ? 0 : i];
    return 0;
}

static int set_mean(void *ctx, const char *v, struct xfv_err *e)
{
    ((struct options *)ctx)->scaled = 1;
    return set_channels("--mean", v, -1e6, ((struct options *)ctx)->m->mean, e);
}

static int set_std(void *ctx, const char *v, struct xfv_err *e)
{
    ((struct options *)ctx)->scaled = 1;
    return set_channels("--std", v, 1e-6, ((struct options *)ctx)->m->std, e);
}

static int set_template(void *ctx, const char *v, struct xfv_err *e)
{
    struct options *o = ctx;
    if ((o->arcface = strcmp(v, "arcface") == 0) || (o->no_template = strcmp(v, "none") == 0)) return 0;
    int n = xfv_parse_numbers("--template", v, -1e5, 1e5, o->m->template_xy, 10, e);
    if (n >= 0 && n != 10)
        return xfv_fail(e, XFV_EARG, "--template: expected arcface, none or ten numbers x,y,..., found %d", n);
    return n < 0 ? n : 0;
}

static int set_size(void *ctx, const char *v, struct xfv_err *e)
{
    struct options *o = ctx;
    const char *x = strchr(v, 'x');
    char first[16] = "";
    long h, w;
    int status;
    if (!x || (size_t)(x - v) >= sizeof first)
        return xfv_fail(e, XFV_EARG, "--size: expected HEIGHTxWIDTH, found '%s'", v);
    memcpy(first, v, (size_t)(x - v));
    if ((status = xfv_parse_int("--size", first, 1, 65536, &h, e)) ||
        (status = xfv_parse_int("--size", x + 1, 1, 65536, &w, e)))
        return status;
    o->height = (int)h;
    o->width = (int)w;
    return 0;
}

static int set_threshold(void *ctx, const char *v, struct xfv_err *e)
{
    struct xfv_model *m = ((struct options *)ctx)->m;
    if (m->n_thresholds == (int)(sizeof m->thresholds / sizeof *m->thresholds))
        return xfv_fail(e, XFV_EARG, "--threshold: too many of them");
    return xfv_parse_threshold("--threshold", v, &m->thresholds[m->n_thresholds++], e);
}

#define FITS(field) (sizeof ((struct xfv_model *)0)->field - 1)

static const struct xfv_opt opts[] = {
    {"name", 0, "NAME", "the model's name (default: the output's, or the file's, without its ending)", 0,
     XFV_TO_TEXT(struct options, name, FITS(name))},
    {"kind", 0, "KIND", "what the network does: embedding (default), mtcnn-p, mtcnn-r, mtcnn-o", 0,
     XFV_TO_TEXT(struct options, kind, FITS(kind))},
    {"input", 0, "COLOUR", "the colours that it sees (default rgb)", 0, XFV_TO_CHOICE(struct options, colour, colours)},
    {"mean", 0, "M[,M,M]", "subtracted from each channel's 0..255 (default 127.5)", 0, .set = set_mean},
    {"std", 0, "S[,S,S]", "then divided by this (default 127.5)", 0, .set = set_std},
    {"layout", 0, "AXES", "where the file has its image's channels (default auto: as declared)", 0,
     XFV_TO_CHOICE(struct options, layout, layouts)},
    {"transposed", 0, NULL, "the network wants height and width exchanged", 0,
     XFV_TO_FLAG(struct options, transposed, 1)},
    {"size", 0, "HxW", "build the network for another input size than the file declares", 0, .set = set_size},
    {"template", 0, "WHERE", "five landmarks of an aligned face: arcface (default for an embedding), none, or x,y,...",
     0, .set = set_template},
    {"embedding", 0, "VALUE", "the embedding before normalisation (default: the output)", 0,
     XFV_TO_TEXT(struct options, embedding, 0)},
    {"normalised", 0, "VALUE", "the graph's own normalised embedding (default: an l2norm of it)", 0,
     XFV_TO_TEXT(struct options, normalised, 0)},
    {"score", 0, "HOW", "how embeddings are compared (default cosine)", 0,
     XFV_TO_CHOICE(struct options, score, scores)},
    {"threshold", 0, "NAME=VALUE[,...]",
     "a calibrated threshold, with fmr=, fnmr=, pairs= and data=TEXT (last); may repeat", XFV_OPT_MANY,
     .set = set_threshold},
    {"licence", 0, "SPDX", "the weights' licence", 0, XFV_TO_TEXT(struct options, licence, FITS(licence))},
    {"origin", 0, "TEXT", "where the weights come from", 0, XFV_TO_TEXT(struct options, origin, FITS(origin))},
    {"means", 0, "FILE", "take in mean activations that model-means --records wrote", XFV_OPT_READS,
     XFV_TO_TEXT(struct options, means, 0)},
    {"no-fold", 0, NULL, "keep the graph as the file spells it", 0, XFV_TO_FLAG(struct options, no_fold, 1)},
    {0},
};

/* ---- from a file to a model ---- */

/* The rows of the table have seen to it that every text fits. */
static void take_options(const struct options *o)
{
    struct xfv_model *m = o->m;
    strcpy(m->kind, o->kind ? o->kind : "embedding");
    strcpy(m->colour, colours[o->colour]);
    if (o->name) strcpy(m->name, o->name);
    if (o->licence) strcpy(m->licence, o->licence);
    if (o->origin) strcpy(m->origin, o->origin);
    m->score = (enum xfv_score)o->score;
    m->transposed = o->transposed;
}

/* Stages look for NAME.xfvm: the name is that of the file that is made, or, where none is named, of the file that is
 * read. */
static int default_name(struct xfv_cli *c, struct options *o, const char *path, struct xfv_err *e)
{
    char base[64];
    const char *out = xfv_cli_out_path(c), *slash;
    if (out) path = out;
    slash = strrchr(path, '/');
    path = slash ? slash + 1 : path;
    size_t len = strlen(path);
    if (len > 5 && !strcmp(path + len - 5, ".xfvm")) len -= 5;
    else len = strcspn(path, ".");
    if (len == 0 || len >= sizeof base)
        return xfv_fail(e, XFV_EARG, "cannot name the model after '%s': give --name", path);
    memcpy(base, path, len);
    base[len] = '\0';
    return xfv_parse_text("--name", base, o->m->name, sizeof o->m->name, e);
}

/* The graph as the file spells it. What the options name is then called as the graph calls it. */
static int take_graph(struct xfv_cli *c, struct options *o, const char *path, struct xfv_err *e)
{
    char note[400] = "";
    const char **name[2] = {&o->embedding, &o->normalised};
    const struct xfv_import_opts how = {.height = o->height,
                                        .width = o->width,
                                        .channels = strcmp(o->m->colour, "grey") == 0 ? 1 : 3,
                                        .layout = (enum xfv_layout)o->layout,
                                        .whole = &o->whole,
                                        .note = note,
                                        .note_size = sizeof note,
                                        .names = o->wanted,
                                        .n_names = 2};
    for (int k = 0; k < 2; k++) o->wanted[k].file = *name[k] ? *name[k] : "";
    struct xfv_graph *g;
    int status = xfv_import_file(path, &how, &g, e);
    if (status) return status;
    xfv_graph_free(o->m->graph);
    o->m->graph = g;
    for (int k = 0; k < 2; k++)
        if (o->wanted[k].value[0]) *name[k] = o->wanted[k].value;
    if (note[0]) xfv_cli_info(c, "%s", note);
    return 0;
}

static int fold(struct xfv_cli *c, struct options *o, struct xfv_err *e)
{
    struct xfv_fold_stats s;
    const char *keep[3] = {o->embedding ? o->embedding : o->normalised, o->embedding ? o->normalised : NULL, NULL};
    struct xfv_graph **g = &o->m->graph;
    int before = (*g)->n_nodes, status;
    double macs = xfv_graph_macs(*g);
    if (o->no_fold) return 0;
    if ((status = xfv_fold(g, keep, &s, e))) return status;
    xfv_cli_info(c,
                 "%d nodes became %d; %.1f M multiply-adds became %.1f M; PReLU %d, softmax %d, affine %d (into "
                 "weights %d), merged %d, other functions %d, moves %d",
                 before, (*g)->n_nodes, macs / 1e6, xfv_graph_macs(*g) / 1e6, s.prelu, s.softmax, s.affine,
                 s.into_linear, s.merged, s.spelled, s.moves);
    return 0;
}

/* A network that takes whole numbers scales them itself. */
static int scale(struct options *o, struct xfv_err *e)
{
    for (int i = 0; i < 3 && o->whole; i++) {
        float *mean = &o->m->mean[i], *std = &o->m->std[i];
        if (o->scaled && (*mean < 0 || *mean > 0 || *std < 1 || *std > 1))
            return xfv_fail(e, XFV_EARG,
                            "the network takes whole numbers, 0 to 255, and scales them itself: leave out --mean and "
                            "--std");
        *mean = 0, *std = 1;
    }
    return 0;
}

/* In the simplified graph. A warning names a choice that no option made. */
static int find_embedding(struct xfv_cli *c, struct options *o, struct xfv_err *e)
{
    struct xfv_model *m = o->m;
    if (strcmp(m->kind, "embedding") != 0 && !o->embedding) return 0;
    int status = xfv_find_embedding(m->graph, o->embedding, o->normalised, &m->embedding, &m->embedding_normalised, e);
    if (status || o->embedding) return status;
    const struct xfv_value *v = &m->graph->values[m->embedding];
    if (m->embedding_normalised >= 0)
        xfv_cli_warn(c, "the embedding is '%.200s', %zu numbers; an L2 normalisation follows it", v->name,
                     xfv_shape_count(v->shape));
    else
        xfv_cli_warn(c, "the embedding is the output '%.200s', %zu numbers; no L2 normalisation follows it", v->name,
                     xfv_shape_count(v->shape));
    return 0;
}

/* The ArcFace template is for 112x112 pixels. In an image of another form the face is not stretched: it fills the
 * height, as that of 112x96, which SphereFace and others use, and stays in the middle; where the image is narrower than
 * 96 to 112, all 96 columns that the face takes still fit. */
static void arcface_template(struct xfv_model *m)
{
    double by_height = m->height / 112.0, by_width = m->width / (m->width < m->height ? 96.0 : 112.0),
           by = by_height < by_width ? by_height : by_width;
    for (int i = 0; i < 10; i += 2) {
        m->template_xy[i] = m->width == m->height ? xfv_template_arcface[i] * m->width / 112
                                                  : (xfv_template_arcface[i] - 56) * by + m->width / 2.0;
        m->template_xy[i + 1] = m->width == m->height ? xfv_template_arcface[i + 1] * m->height / 112
                                                      : (xfv_template_arcface[i + 1] - 56) * by + m->height / 2.0;
    }
}

/* After the model is written, since it uses the weights up; where it fails, the output is not kept. */
static int try_out(struct xfv_cli *c, struct options *o, struct xfv_err *e)
{
    double cosine;
    if (o->m->embedding < 0) return 0;
    int status = xfv_tells_apart(o->m, &cosine, e);
    if (!status && cosine > 0.999)
        xfv_cli_warn(c,
                     "two very different pictures have nearly the same embedding (cosine %.5f): are --mean and --std "
                     "those that the network was trained with?",
                     cosine);
    return status;
}

static int import(struct xfv_cli *c, struct options *o, const char *path, struct xfv_err *e)
{
    int status = take_graph(c, o, path, e);
    if (!status) status = scale(o, e);
    if (!status && !o->name) status = default_name(c, o, path, e);
    if (!status) status = fold(c, o, e);
    if (!status) status = find_embedding(c, o, e);
    if (!status && o->means) status = xfv_means_read_file(o->m, o->means, e);
    if (!status) status = xfv_model_check(o->m, e);
    if (status) return status;
    if (!o->no_template && strcmp(o->m->kind, "embedding") == 0 && !xfv_model_has_template(o->m)) o->arcface = 1;
    if (o->arcface) arcface_template(o->m);
    int fd = xfv_cli_out_fd(c, e);
    status = fd < 0 ? fd : xfv_model_save(o->m, fd, e);
    return status ? status : try_out(c, o, e);
}

int main(int argc, char **argv)
{
    static struct options o;
    static const struct xfv_program program = {
        .name = "model-import",
        .summary = "convert a network (ONNX, TFLite, TensorFlow.js, a description) into a model file",
        .operands = "FILE",
        .example = "model-import --input rgb --template arcface -o r50.xfvm arcface-r50.onnx",
        .flags = XFV_WRITES_MODEL | XFV_WRITES_BINARY | XFV_SEALS_LATER,
        .opts = opts,
        .ctx = &o,
    };
    int exit_status, status;
    struct xfv_err e = {0};
    char **names;
    if (!(o.m = xfv_model_new())) {
        fputs("model-import: out of memory\n", stderr);
        return XFV_EXIT_SYSTEM;
    }
    for (int i = 0; i < 3; i++) o.m->mean[i] = o.m->std[i] = 127.5f;
    struct xfv_cli *c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!c) {
        xfv_model_free(o.m);
        return exit_status;
    }
    if (xfv_cli_operands(c, &names) != 1)
        status = xfv_fail(&e, XFV_EARG, "expected one file, found %d", xfv_cli_operands(c, &names));
    else {
        take_options(&o);
        xfv_cli_may_read_beside(c, names[0]); /* weights may lie in files of their own */
        status = xfv_cli_seal(c, &e);
        if (!status) status = import(c, &o, names[0], &e);
    }
    if (!status) xfv_cli_info(c, "%s: digest %s", o.m->name, o.m->digest);
    xfv_model_free(o.m);
    return xfv_cli_finish(c, status ? &e : NULL, XFV_EXIT_OK);
}
