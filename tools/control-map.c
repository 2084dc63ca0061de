/* control-map: maps to measure explanations by, put where explanations go: pictures that know nothing of the decision,
 * and the one that knows what was planted. See control-map(1). */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage/blackbox.h"
#include "explain/control.h"
#include "explain/truth.h"
#include "pair/maps.h"

enum { MEAN = XFV_CONTROL_EDGES + 1, TRUTH, MEAN_FGGB };
static const char *const kinds[] = {"random", "blobs", "centre", "face", "edges", "mean", "truth", "mean-fggb", NULL};
static const char *const methods[] = {"control-random", "control-blobs", "control-centre", "control-face",
                                      "control-edges",  "control-mean",  "control-truth"};
/* In pixels of a face 112 wide; edges: as wide as the maps it is compared with are blurred for display. */
static const double sigmas[] = {0, 8, 24, 20, 5, 0, 0};

struct control {
    struct xfv_blackbox box; /* of truth */
    int kind, given_sigma;
    double sigma;
    const char *from, *method;
    float *mean[2]; /* similarity, dissimilarity; f32 [height][width] */
    int height, width;
};

/* ---- the mean of a stream's maps ---- */

/* Add both faces' maps of the last entry of the wanted method to the sums. */
static int add_maps(struct control *t, const msgpack_object *root, double *sums[2], size_t *n, struct xfv_err *e)
{
    struct xfv_maps maps;
    struct xfv_map_entry entry, last = {0};
    int status = xfv_maps_read(root, &maps, e);
    for (uint32_t i = 0; i < maps.n; i++) {
        xfv_maps_entry(&maps, i, &entry);
        if (!strcmp(entry.method, t->method)) last = entry;
    }
    if (status || !last.map) return status;
    if (!t->height && !xfv_map_size(&last, 0, &t->height, &t->width))
        return xfv_fail_code(e, XFV_EDATA, "map", "method '%s' has no map of face a", t->method);
    size_t count = (size_t)t->height * (size_t)t->width;
    float *map = malloc((count + 1) * sizeof *map);
    for (int k = 0; map && k < 4 && !status; k++) {
        int j = k % 2;
        status = xfv_map_need(&last, k / 2, xfv_map_keys[j], t->height, t->width, map, e);
        if (!status && !sums[j] && !(sums[j] = calloc(count + 1, sizeof *sums[j])))
            status = xfv_fail(e, XFV_ENOMEM, "out of memory");
        for (size_t p = 0; !status && p < count; p++) sums[j][p] += (double)map[p];
    }
    if (!map) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    free(map);
    *n += !status;
    return status;
}

static int read_mean(struct control *t, const struct xfv_limits *lim, struct xfv_err *e)
{
    struct xfv_reader *in;
    struct xfv_rec *r;
    double *sums[2] = {NULL, NULL};
    size_t n = 0;
    int fd = open(t->from, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return xfv_fail(e, XFV_EIO, "cannot open '%s'", t->from);
    int status = xfv_reader_open(&in, fd, 1, t->from, lim, e);
    if (status) {
        close(fd);
        return status;
    }
    while (!(status = xfv_reader_next(in, &r, e))) {
        if (xfv_rec_kind(r) == XFV_PAIR) status = add_maps(t, xfv_rec_root(r), sums, &n, e);
        xfv_rec_free(r);
        if (status) break;
    }
    xfv_reader_close(in);
    if (status == XFV_EOF)
        status = n ? 0 : xfv_fail(e, XFV_EARG, "'%s' holds no pair with maps of method '%s'", t->from, t->method);
    for (int j = 0; j < 2; j++) {
        size_t count = (size_t)t->height * (size_t)t->width;
        if (!status && !(t->mean[j] = malloc((count + 1) * sizeof(float))))
            status = xfv_fail(e, XFV_ENOMEM, "out of memory");
        for (size_t p = 0; !status && sums[j] && p < count; p++)
            t->mean[j][p] = (float)(sums[j][p] / (2.0 * (double)n));
        free(sums[j]);
    }
    return status;
}

/* ---- the method ---- */

static void close_method(void *ctx)
{
    struct control *t = ctx;
    free(t->mean[0]);
    free(t->mean[1]);
    t->mean[0] = t->mean[1] = NULL;
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct control *t = ctx;
    if (!t->given_sigma) t->sigma = sigmas[t->kind];
    if ((t->kind == MEAN) != (t->from != NULL)) return xfv_fail(e, XFV_EARG, "--kind mean and --from FILE go together");
    return t->kind == MEAN ? read_mean(t, xfv_cli_limits(env->c), e) : 0;
}

static void params(const void *ctx, struct xfv_put *put)
{
    const struct control *t = ctx;
    if (t->kind == MEAN) xfv_put_text(put, "of", t->method);
    if (t->kind == XFV_CONTROL_RANDOM || t->kind == XFV_CONTROL_BLOBS)
        xfv_put_int(put, "seed", (int64_t)t->box.common.seed);
    if (t->kind != XFV_CONTROL_RANDOM && t->kind != MEAN) xfv_put_f64(put, "sigma", t->sigma);
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    const struct control *t = ctx;
    size_t n = (size_t)s->height * (size_t)s->width;
    (void)worker;
    if (t->kind == MEAN && (s->height != t->height || s->width != t->width))
        return xfv_fail_code(e, XFV_EDATA, "size", "the mean map is %d x %d pixels, the face's image %d x %d", t->width,
                             t->height, s->width, s->height);
    struct xfv_random r = xfv_random_new(t->box.common.seed, s->id, s->n_id);
    for (int i = 0; i < 2; i++) {
        int status = 0;
        if (t->kind == MEAN) {
            for (int j = 0; j < 2; j++) memcpy(map[i][j], t->mean[j], n * sizeof(float));
            continue;
        }
        status = xfv_control_map((enum xfv_control)t->kind, s->rgb[i], s->height, s->width, t->sigma, &r, map[i][0], e);
        if (status) return status;
        memcpy(map[i][1], map[i][0], n * sizeof(float));
    }
    return 0;
}

/* ---- the truth of planted pairs ---- */

static int open_truth(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct control *t = ctx;
    if (t->from) return xfv_fail(e, XFV_EARG, "--kind mean and --from FILE go together");
    return xfv_blackbox_open(&t->box, env, e);
}

static void close_truth(void *ctx)
{
    xfv_blackbox_close(&((struct control *)ctx)->box);
}

/* The face that was planted, 0 or 1, and its image before (the caller's, xfv_tensor_clear). */
static int read_truth(const struct xfv_subject *s, int *planted, struct xfv_tensor *clean, struct xfv_err *e)
{
    const msgpack_object *truth = xfv_map_get(s->pair, "truth");
    size_t shape[3] = {(size_t)s->height, (size_t)s->width, 3};
    char side[8];
    if (!xfv_map_get(truth, "original"))
        return xfv_fail_code(e, XFV_EDATA, "truth",
                             "the pair holds no planted face's clean image: make it with plant --keep-clean");
    int status = xfv_get_text(truth, "face", side, sizeof side, e);
    if (!status) status = xfv_parse_choice("face", side, xfv_sides, planted, e);
    if (!status) status = xfv_get_tensor(truth, "original", XFV_U8, 3, shape, clean, e);
    if (!status || status == XFV_ENOMEM) return status;
    return xfv_fail_code(e, XFV_EDATA, "truth", "the pair's truth: %s", e->msg);
}

/* One map for both faces, as aligned faces have what was planted in one place. */
static int explain_truth(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct control *t = ctx;
    struct xfv_tensor clean;
    int side, status = read_truth(s, &side, &clean, e);
    if (status) return status;
    status = xfv_blackbox_look(&t->box, s, worker, e);
    if (!status)
        status = xfv_truth_map(t->box.probe, worker, s->rgb[side], clean.data, s->height, s->width,
                               t->box.unit[1 - side][worker], s->score, map[0][0], e);
    xfv_tensor_clear(&clean);
    for (size_t p = 0; !status && p < (size_t)s->height * (size_t)s->width; p++) {
        float v = map[0][0][p];
        map[0][0][p] = map[1][0][p] = v > 0 ? v : 0.0f;
        map[0][1][p] = map[1][1][p] = v < 0 ? -v : 0.0f;
    }
    return status;
}

/* ---- options ---- */

static int set_kind(void *ctx, const char *s, struct xfv_err *e)
{
    struct control *t = ctx;
    int status = xfv_parse_choice("--kind", s, kinds, &t->kind, e);
    if (t->kind == MEAN_FGGB) t->kind = MEAN;
    return status;
}

static const struct xfv_opt options[] = {
    {"kind", 'k', "KIND",
     "random (default), blobs, centre, face, edges, mean (of the maps in --from), truth (of plant)", XFV_OPT_RESULT,
     .set = set_kind},
    {"sigma", 0, "PIXELS", "width of blobs (default 8), centre (24), face (20); blur of edges (5)", XFV_OPT_RESULT,
     XFV_TO_F64(struct control, sigma, 0.1, 1000), XFV_GIVEN(struct control, given_sigma)},
    {"from", 0, "FILE", "for mean: a stream of explained pairs", XFV_OPT_READS, XFV_TO_TEXT(struct control, from, 0)},
    {"method", 0, "NAME", "for mean: whose maps (default fggb)", XFV_OPT_RESULT,
     XFV_TO_TEXT(struct control, method, 0)},
    XFV_OPT_SEED,
    {0},
};

static const char *name(const void *ctx)
{
    return methods[((const struct control *)ctx)->kind];
}

static const struct xfv_explainer truth = {
    .name = name, .open = open_truth, .close = close_truth, .explain = explain_truth};
static const struct xfv_explainer nothing = {.flags = XFV_EXPLAIN_NO_NETWORK,
                                             .name = name,
                                             .open = open_method,
                                             .close = close_method,
                                             .params = params,
                                             .explain = explain};

static const struct xfv_explainer *of_kind(const void *ctx)
{
    return ((const struct control *)ctx)->kind == TRUTH ? &truth : &nothing;
}

int main(int argc, char **argv)
{
    static struct control t = {.method = "fggb"};
    static const struct xfv_program program = {
        .name = "control-map",
        .summary = "Give each pair a map that others must beat, or that knows what was planted: pairs in, the same "
                   "with maps out.",
        .operands = "[FILE]...",
        .example = "verify faces.xfv | fggb-grad | control-map --kind centre | delins --tsv",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    static const struct xfv_explainer method = {.instead = of_kind};
    return xfv_explainer_main(&method, &program, argc, argv);
}
