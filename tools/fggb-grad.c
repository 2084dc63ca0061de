/* fggb-grad: explains each pair by Feature-Guided Gradient Backpropagation. Equations: explain/fggb.h; use:
 * fggb-grad(1). */
#include <stdlib.h>

#include "stage/explainer.h"
#include "explain/cache.h"
#include "explain/fggb.h"
#include "explain/kept.h"

struct grad {
    struct xfv_explain_opts common;
    int embedding, colour, norm, weights;
    int most;         /* channels; 0: all */
    double tolerance;
    size_t cache_bytes;
    /* for the model at hand */
    struct xfv_fggb_opts o;
    const struct xfv_model *model;
    struct xfv_pool *pool;
    struct xfv_fggb *fggb;
    struct xfv_cache *cache; /* image bytes -> struct xfv_fggb_face */
    struct xfv_err *errs;    /* one a worker */
    double *w;
    int *channels, n_channels;
    double bound; /* of the error that channels left out make */
    uint64_t n_forward, n_rows;
    /* the pair, or the face, at hand */
    const struct xfv_subject *s;
    float *const (*map)[2];
    struct xfv_fggb_face *face[2];
    struct xfv_fggb_face *fresh[2]; /* those that need a forward pass */
    const float *x[2];              /* of fresh */
    int n_fresh, chunks[2];         /* pieces of work for face[i] */
};

/* ---- memory that depends on the model ---- */

static void free_face(void *face)
{
    xfv_fggb_face_free(face);
}

static void close_method(void *ctx)
{
    struct grad *t = ctx;
    xfv_cache_free(t->cache);
    xfv_fggb_free(t->fggb);
    free(t->errs);
    free(t->w);
    free(t->channels);
    t->cache = NULL;
    t->fggb = NULL;
    t->errs = NULL;
    t->w = NULL;
    t->channels = NULL;
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct grad *t = ctx;
    t->o = (struct xfv_fggb_opts){(enum xfv_fggb_embedding)t->embedding, (enum xfv_fggb_colour)t->colour,
                                  (enum xfv_fggb_norm)t->norm};
    if (env->model->score == XFV_SCORE_EUCLIDEAN) t->o.embedding = XFV_FGGB_RAW; /* what the distance is of */
    if (t->tolerance > 0 && t->o.norm != XFV_FGGB_NORM_L2)
        return xfv_fail(e, XFV_EARG, "--tolerance needs --norm l2: only maps of norm 1 bound the error");
    t->model = env->model;
    t->pool = env->pool;
    int status = xfv_fggb_new(env->model->graph, env->model->embedding, env->workers, &t->o, &t->fggb, e);
    if (status) return xfv_fail_at(e, "model '%s'", env->model->name);
    xfv_fggb_own_weights(t->fggb, env->model->graph);
    size_t entries = t->cache_bytes / xfv_fggb_face_bytes(t->fggb);
    t->cache = xfv_cache_new(entries < 2 ? 2 : entries, free_face); /* two: the faces of one pair */
    t->errs = calloc((size_t)env->workers, sizeof *t->errs);
    t->w = calloc((size_t)xfv_fggb_n(t->fggb), sizeof *t->w);
    t->channels = calloc((size_t)xfv_fggb_n(t->fggb), sizeof *t->channels);
    return t->cache && t->errs && t->w && t->channels ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

/* ---- the faces ---- */

/* Side i's maps: in the cache, or kept in the record, or to be made (t->fresh). */
static int find_face(struct grad *t, int i, struct xfv_err *e)
{
    size_t n = (size_t)t->s->height * (size_t)t->s->width * 3;
    t->face[i] = xfv_cache_find(t->cache, t->s->rgb[i], n);
    if (t->face[i]) return 0;
    xfv_cache_make_room(t->cache);
    struct xfv_fggb_face *face = xfv_fggb_face_new(t->fggb);
    if (!face) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int kept = xfv_kept_get(t->fggb, face, &t->o, t->s->face[i], e), status = kept < 0 ? kept : 0;
    if (!status) status = xfv_cache_put(t->cache, t->s->rgb[i], n, face, e);
    if (status) {
        xfv_fggb_face_free(face);
        return status;
    }
    t->face[i] = face;
    if (kept) return 0;
    t->x[t->n_fresh] = t->s->x[i];
    t->fresh[t->n_fresh++] = face;
    return 0;
}

static void begin_one(void *ctx, int i, int worker)
{
    struct grad *t = ctx;
    struct xfv_err e;
    if (xfv_fggb_begin(t->fggb, t->fresh[i], t->x[i], worker, &e)) t->errs[worker] = e;
}

/* Item i is a chunk of the first face, then of the second: all of a pair's work is shared out alike for any number of
 * workers. */
static void chunk_one(void *ctx, int i, int worker)
{
    struct grad *t = ctx;
    struct xfv_err e;
    int second = i >= t->chunks[0];
    if (xfv_fggb_chunk(t->fggb, t->face[second], second ? i - t->chunks[0] : i, worker, &e)) t->errs[worker] = e;
}

static void sum_one(void *ctx, int i, int worker)
{
    struct grad *t = ctx;
    (void)worker;
    xfv_fggb_sum(t->fggb, t->face[i], t->w, t->channels, t->n_channels, t->map[i][0], t->map[i][1]);
}

static int run_all(struct grad *t, int n, void (*fn)(void *, int, int), struct xfv_err *e)
{
    int workers = xfv_pool_size(t->pool);
    for (int i = 0; i < workers; i++) t->errs[i].status = 0;
    xfv_pool_run(t->pool, n, fn, t);
    for (int i = 0; i < workers; i++) {
        if (!t->errs[i].status) continue;
        *e = t->errs[i];
        return e->status;
    }
    return 0;
}

/* Forward passes of the sides that have nothing yet. A face that fails leaves nothing behind. */
static int begin(struct grad *t, int sides, struct xfv_err *e)
{
    int status = 0;
    t->n_fresh = 0;
    /* All are touched before one is put, which may free what was touched longest ago. */
    for (int i = 0; i < sides; i++)
        xfv_cache_find(t->cache, t->s->rgb[i], (size_t)t->s->height * (size_t)t->s->width * 3);
    for (int i = 0; i < sides && !status; i++) status = find_face(t, i, e);
    if (!status && t->n_fresh) status = run_all(t, t->n_fresh, begin_one, e);
    for (int i = 0; i < sides && !status; i++) {
        status = xfv_explain_check_embedding(t->s->face[i], t->model, xfv_fggb_embedding(t->face[i]),
                                             xfv_fggb_n(t->fggb), e);
        if (status && sides == 2) xfv_fail_at(e, i ? "face b" : "face a");
    }
    t->n_forward += (uint64_t)t->n_fresh;
    if (status) xfv_cache_clear(t->cache); /* it may hold an unfinished face */
    return status;
}

/* The maps of the wanted channels; those made before stay. */
static int differentiate(struct grad *t, int sides, const int *channels, int n, struct xfv_err *e)
{
    t->chunks[0] = t->chunks[1] = 0;
    for (int i = 0; i < sides; i++)
        if (i == 0 || t->face[1] != t->face[0]) t->chunks[i] = xfv_fggb_want(t->fggb, t->face[i], channels, n);
    int status = run_all(t, t->chunks[0] + t->chunks[1], chunk_one, e);
    for (int i = 0; i < sides && !status; i++)
        if (xfv_fggb_complete(t->fggb, t->face[i])) xfv_fggb_end(t->face[i]);
    t->n_rows += (uint64_t)(t->chunks[0] + t->chunks[1]) * XFV_NET_ROWS;
    if (status) xfv_cache_clear(t->cache);
    return status;
}

enum { BY_SCORE, EQUAL };
static const char *const weightings[] = {"score", "equal", NULL};

static const char *name(const void *ctx)
{
    return ((const struct grad *)ctx)->weights == EQUAL ? "fggb-equal" : "fggb";
}

/* w_k - threshold/N of the pair, or their mean for every channel. */
static void weigh(struct grad *t, const struct xfv_subject *s, int n)
{
    const float *a = xfv_fggb_embedding(t->face[0]), *b = xfv_fggb_embedding(t->face[1]);
    if (t->model->score == XFV_SCORE_EUCLIDEAN) xfv_fggb_distance_weights(a, b, n, s->threshold, t->w);
    else xfv_fggb_weights(a, b, n, s->threshold, t->w);
    if (t->weights == EQUAL) xfv_fggb_equal_weights(n, t->w);
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct grad *t = ctx;
    int n = xfv_fggb_n(t->fggb);
    (void)worker;
    t->s = s;
    t->map = map;
    int status = begin(t, 2, e);
    if (status) return status;
    weigh(t, s, n);
    t->n_channels = n;
    for (int k = 0; k < n; k++) t->channels[k] = k; /* all of them in their own order: the paper's sum */
    if (t->most || t->tolerance > 0) {
        t->n_channels = xfv_fggb_choose(t->w, n, t->most ? (int)t->most : n, t->tolerance, t->channels, &t->bound, e);
        if (t->n_channels < 0) return t->n_channels;
    }
    status = differentiate(t, 2, t->channels, t->n_channels, e);
    if (!status) xfv_pool_run(t->pool, 2, sum_one, t);
    return status;
}

static int keep_face(void *ctx, const struct xfv_subject *s, int worker, msgpack_zone *zone, msgpack_object *face,
                     struct xfv_err *e)
{
    struct grad *t = ctx;
    (void)worker;
    t->s = s;
    int status = begin(t, 1, e);
    if (!status) status = differentiate(t, 1, NULL, xfv_fggb_n(t->fggb), e);
    return status ? status : xfv_kept_put(t->fggb, t->face[0], &t->o, zone, face, e);
}

static void params(const void *ctx, struct xfv_put *put)
{
    const struct grad *t = ctx;
    xfv_put_text(put, "embedding", xfv_fggb_embeddings[t->o.embedding]);
    xfv_put_text(put, "colour", xfv_fggb_colours[t->colour]);
    xfv_put_text(put, "norm", xfv_fggb_norms[t->norm]);
    if (t->weights == EQUAL) xfv_put_text(put, "weights", weightings[EQUAL]);
    if (!t->most && !(t->tolerance > 0)) return;
    xfv_put_int(put, "channels", t->n_channels);
    if (t->o.norm == XFV_FGGB_NORM_L2) xfv_put_f64(put, "error_bound", t->bound);
}

static void tell(void *ctx, struct xfv_cli *c)
{
    const struct grad *t = ctx;
    xfv_cli_info(c, "%llu forward and about %llu backward passes", (unsigned long long)t->n_forward,
                 (unsigned long long)t->n_rows);
}

/* ---- options ---- */

static const struct xfv_opt options[] = {
    XFV_OPT_THRESHOLD,
    {"embedding", 0, "KIND", "which embedding is differentiated (default normalised)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct grad, embedding, xfv_fggb_embeddings)},
    {"colour", 0, "RULE", "how the gradients of three colours become one (default mean)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct grad, colour, xfv_fggb_colours)},
    {"norm", 0, "RULE", "divide each channel's map by this norm (default l2)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct grad, norm, xfv_fggb_norms)},
    {"weights", 0, "KIND", "by the channels' share in the score (default), or equal: a control, method fggb-equal",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct grad, weights, weightings)},
    {"channels", 0, "M", "approximate: only the M channels of largest |w_k - threshold/N|",
     XFV_OPT_RESULT, XFV_TO_INT(struct grad, most, 1, 1 << 20)},
    {"tolerance", 0, "E", "approximate: leave out light channels, at most E of all weight",
     XFV_OPT_RESULT, XFV_TO_F64(struct grad, tolerance, 0, 1)},
    {"keep-gradients", 0, NULL, "add each face record's N maps (f16) to it, for later runs; pairs use those",
     XFV_OPT_RESULT, XFV_TO_FLAG(struct grad, common.faces, 1)},
    {"cache", 0, "SIZE", "memory for the gradients of faces seen before (default 64M, two faces at least)",
     0, XFV_TO_SIZE(struct grad, cache_bytes, 0, SIZE_MAX / 2)},
    {0},
};

int main(int argc, char **argv)
{
    static struct grad t = {.cache_bytes = (size_t)64 << 20};
    static const struct xfv_program program = {
        .name = "fggb-grad",
        .summary = "Explain each pair by Feature-Guided Gradient Backpropagation: pairs in, the same with maps out.",
        .operands = "[FILE]...",
        .example = "facecrop a.jpg b.jpg | embed | verify | fggb-grad -j 0 | heatmap -o why.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    /* One pair at a time: its two faces' channels are the parallel work. */
    static const struct xfv_explainer method = {
        .name = name,
        .flags = XFV_EXPLAIN_THRESHOLD | XFV_EXPLAIN_ON_INPUT | XFV_EXPLAIN_OWN_FORWARD | XFV_EXPLAIN_ALONE,
        .open = open_method,
        .close = close_method,
        .params = params,
        .explain = explain,
        .face = keep_face,
        .consumes = XFV_KEPT_KEY,
        .tell = tell,
    };
    return xfv_explainer_main(&method, &program, argc, argv);
}
