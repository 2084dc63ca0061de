/* fggb-grad: explains each pair by Feature-Guided Gradient Backpropagation. Equations: explain/fggb.h; use: fggb-grad(1). */
#include <stdlib.h>

#include "cli/explainer.h"
#include "explain/cache.h"
#include "explain/fggb.h"

static const char *const embeddings[] = {"normalised", "raw", NULL};
static const char *const colours[] = {"mean", "max", "l2", NULL};
static const char *const norms[] = {"l2", "max", "none", NULL};

struct grad {
    struct xfv_explain_opts common;
    int embedding, colour, norm;
    size_t cache_bytes;
    /* for the model at hand */
    const struct xfv_model *model;
    struct xfv_pool *pool;
    struct xfv_fggb *fggb;
    struct xfv_cache *cache; /* image bytes -> struct xfv_fggb_face */
    struct xfv_err *errs;    /* one a worker */
    double *w;
    uint64_t n_differentiated;
    /* the pair at hand */
    const struct xfv_subject *s;
    float *const (*map)[2];
    struct xfv_fggb_face *face[2];
    struct xfv_fggb_face *todo[2]; /* those of the two that the cache had not */
    const float *x[2];             /* of todo */
    int n_todo;
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
    t->cache = NULL;
    t->fggb = NULL;
    t->errs = NULL;
    t->w = NULL;
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct grad *t = ctx;
    struct xfv_fggb_opts o = {(enum xfv_fggb_embedding)t->embedding, (enum xfv_fggb_colour)t->colour, (enum xfv_fggb_norm)t->norm};
    t->model = env->model;
    t->pool = env->pool;
    int status = xfv_fggb_new(env->model->graph, env->model->embedding, env->workers, &o, &t->fggb, e);
    if (status) return xfv_fail_at(e, "model '%s'", env->model->name);
    size_t entries = t->cache_bytes / xfv_fggb_face_bytes(t->fggb);
    t->cache = xfv_cache_new(entries < 2 ? 2 : entries, free_face); /* two: the faces of one pair */
    t->errs = calloc((size_t)env->workers, sizeof *t->errs);
    t->w = calloc((size_t)xfv_fggb_n(t->fggb), sizeof *t->w);
    return t->cache && t->errs && t->w ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

/* ---- the two faces of a pair ---- */

/* Each face's gradients: found, or begun in t->todo. */
static int find_faces(struct grad *t, struct xfv_err *e)
{
    const struct xfv_subject *s = t->s;
    size_t n = (size_t)s->height * (size_t)s->width * 3;
    t->n_todo = 0;
    /* Both are asked for before one is put, which may free what was touched longest ago. */
    for (int i = 0; i < 2; i++) t->face[i] = xfv_cache_find(t->cache, s->rgb[i], n);
    for (int i = 0; i < 2; i++) {
        if (!t->face[i]) t->face[i] = xfv_cache_find(t->cache, s->rgb[i], n); /* a and b alike */
        if (t->face[i]) continue;
        xfv_cache_make_room(t->cache);
        t->face[i] = xfv_fggb_face_new(t->fggb);
        if (!t->face[i]) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        int status = xfv_cache_put(t->cache, s->rgb[i], n, t->face[i], e);
        if (status) {
            xfv_fggb_face_free(t->face[i]);
            return status;
        }
        t->x[t->n_todo] = s->x[i];
        t->todo[t->n_todo++] = t->face[i];
    }
    return 0;
}

static void begin_one(void *ctx, int i, int worker)
{
    struct grad *t = ctx;
    struct xfv_err e;
    if (xfv_fggb_begin(t->fggb, t->todo[i], t->x[i], worker, &e)) t->errs[worker] = e;
}

/* Item i is a chunk of the first face, then of the second: both ends of the work are shared out alike for any number of workers. */
static void chunk_one(void *ctx, int i, int worker)
{
    struct grad *t = ctx;
    struct xfv_err e;
    int chunks = xfv_fggb_chunks(t->fggb);
    if (xfv_fggb_chunk(t->fggb, t->todo[i / chunks], i % chunks, worker, &e)) t->errs[worker] = e;
}

static void sum_one(void *ctx, int i, int worker)
{
    struct grad *t = ctx;
    (void)worker;
    xfv_fggb_sum(t->fggb, t->face[i], t->w, t->map[i][0], t->map[i][1]);
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

static int differentiate(struct grad *t, struct xfv_err *e)
{
    int status = find_faces(t, e);
    if (!status && t->n_todo) status = run_all(t, t->n_todo, begin_one, e);
    for (int i = 0; i < 2 && !status; i++) {
        status = xfv_explain_check_embedding(t->s->face[i], t->model, xfv_fggb_embedding(t->face[i]), xfv_fggb_n(t->fggb), e);
        if (status) xfv_fail_at(e, i ? "face b" : "face a");
    }
    if (!status && t->n_todo) status = run_all(t, t->n_todo * xfv_fggb_chunks(t->fggb), chunk_one, e);
    for (int i = 0; i < t->n_todo; i++)
        if (!status) xfv_fggb_end(t->todo[i]);
    t->n_differentiated += (uint64_t)t->n_todo;
    if (status) xfv_cache_clear(t->cache); /* it may hold an unfinished face */
    return status;
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct grad *t = ctx;
    (void)worker;
    t->s = s;
    t->map = map;
    int status = differentiate(t, e);
    if (status) return status;
    xfv_fggb_weights(xfv_fggb_embedding(t->face[0]), xfv_fggb_embedding(t->face[1]), xfv_fggb_n(t->fggb), s->threshold, t->w);
    xfv_pool_run(t->pool, 2, sum_one, t);
    return 0;
}

static int params(void *ctx, const struct xfv_subject *s, msgpack_zone *z, msgpack_object *p, struct xfv_err *e)
{
    const struct grad *t = ctx;
    (void)s;
    int status = xfv_map_put(z, p, "embedding", xfv_val_str(z, embeddings[t->embedding]), e);
    if (!status) status = xfv_map_put(z, p, "colour", xfv_val_str(z, colours[t->colour]), e);
    return status ? status : xfv_map_put(z, p, "norm", xfv_val_str(z, norms[t->norm]), e);
}

static void tell(void *ctx, struct xfv_cli *c)
{
    xfv_cli_info(c, "%llu faces differentiated", (unsigned long long)((struct grad *)ctx)->n_differentiated);
}

/* ---- options ---- */

static int set_embedding(void *ctx, const char *s, struct xfv_err *e)
{
    return xfv_parse_choice("--embedding", s, embeddings, &((struct grad *)ctx)->embedding, e);
}

static int set_colour(void *ctx, const char *s, struct xfv_err *e)
{
    return xfv_parse_choice("--colour", s, colours, &((struct grad *)ctx)->colour, e);
}

static int set_norm(void *ctx, const char *s, struct xfv_err *e)
{
    return xfv_parse_choice("--norm", s, norms, &((struct grad *)ctx)->norm, e);
}

static int set_cache(void *ctx, const char *s, struct xfv_err *e)
{
    return xfv_parse_size("--cache", s, 0, SIZE_MAX / 2, &((struct grad *)ctx)->cache_bytes, e);
}

static const struct xfv_opt options[] = {
    XFV_OPT_THRESHOLD,
    {"embedding", 0, "KIND", "differentiate the normalised (default) or the raw embedding", 1, set_embedding, 0},
    {"colour", 0, "RULE", "gradients over colours: mean (default), max or l2", 1, set_colour, 0},
    {"norm", 0, "RULE", "divide each channel's map by its norm: l2 (default), max or none", 1, set_norm, 0},
    {"cache", 0, "SIZE", "memory for the gradients of faces seen before (default 64M, two faces at least)", 0, set_cache, 0},
    {NULL, 0, NULL, NULL, 0, NULL, 0},
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
        .parts = {&xfv_part_net},
    };
    /* One pair at a time: its two faces' channels are the parallel work. */
    static const struct xfv_explainer method = {
        .method = "fggb",
        .flags = XFV_EXPLAIN_THRESHOLD | XFV_EXPLAIN_ON_INPUT | XFV_EXPLAIN_OWN_FORWARD | XFV_EXPLAIN_ALONE,
        .open = open_method,
        .close = close_method,
        .params = params,
        .explain = explain,
        .tell = tell,
    };
    return xfv_explainer_main(&method, &program, argc, argv);
}
