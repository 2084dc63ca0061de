/* fggb-grad: explains each pair by Feature-Guided Gradient Backpropagation. Equations: explain/fggb.h; use: fggb-grad(1). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "explain/cache.h"
#include "explain/fggb.h"
#include "net/model.h"

static const char *const embeddings[] = {"normalised", "raw", NULL};
static const char *const colours[] = {"mean", "max", "l2", NULL};
static const char *const norms[] = {"l2", "max", "none", NULL};
static const char *const sides[] = {"a", "b"};

struct grad {
    struct xfv_cli *c;
    struct xfv_pool *pool;
    struct xfv_model *model;
    struct xfv_fggb *fggb;
    struct xfv_cache *cache; /* image bytes -> struct xfv_fggb_face */
    char digest[65];         /* of the model that fggb and cache are for */
    /* options */
    int embedding, colour, norm, given_threshold;
    double threshold;
    size_t cache_bytes;
    uint64_t n_faces, n_pairs, n_differentiated;
    /* the pair at hand */
    struct xfv_fggb_face *face[2];
    struct xfv_fggb_face *todo[2]; /* those of the two that the cache had not */
    float *x[2];                   /* f32 [H][W][C] of todo */
    int n_todo;
    struct xfv_err *errs; /* one a worker */
    double *w;
    float *map[2][2]; /* [a, b][similarity, dissimilarity] */
};

/* ---- memory that depends on the model ---- */

static void free_face(void *face)
{
    xfv_fggb_face_free(face);
}

static void drop_engine(struct grad *t)
{
    xfv_cache_free(t->cache);
    xfv_fggb_free(t->fggb);
    free(t->errs);
    free(t->w);
    for (int i = 0; i < 2; i++) {
        free(t->x[i]);
        free(t->map[i][0]);
        free(t->map[i][1]);
        t->x[i] = t->map[i][0] = t->map[i][1] = NULL;
    }
    t->cache = NULL;
    t->fggb = NULL;
    t->errs = NULL;
    t->w = NULL;
}

static int make_engine(struct grad *t, struct xfv_err *e)
{
    const struct xfv_model *m = t->model;
    struct xfv_fggb_opts o = {(enum xfv_fggb_embedding)t->embedding, (enum xfv_fggb_colour)t->colour, (enum xfv_fggb_norm)t->norm};
    drop_engine(t);
    if (m->embedding < 0) return xfv_fail(e, XFV_EMODEL, "model '%s' is of kind '%s', not an embedding network", m->name, m->kind);
    int workers = xfv_pool_size(t->pool);
    int status = xfv_fggb_new(m->graph, m->embedding, workers, &o, &t->fggb, e);
    if (status) return xfv_fail_at(e, "model '%s'", m->name);
    size_t pixels = (size_t)m->height * (size_t)m->width, entries = t->cache_bytes / xfv_fggb_face_bytes(t->fggb);
    t->cache = xfv_cache_new(entries < 2 ? 2 : entries, free_face); /* two: the faces of one pair */
    t->errs = calloc((size_t)workers, sizeof *t->errs);
    t->w = calloc((size_t)xfv_fggb_n(t->fggb), sizeof *t->w);
    int ok = t->cache && t->errs && t->w;
    for (int i = 0; i < 2; i++) {
        t->x[i] = xfv_aligned_alloc(pixels * (size_t)m->channels * sizeof(float));
        t->map[i][0] = xfv_aligned_alloc(pixels * sizeof(float));
        t->map[i][1] = xfv_aligned_alloc(pixels * sizeof(float));
        ok = ok && t->x[i] && t->map[i][0] && t->map[i][1];
    }
    snprintf(t->digest, sizeof t->digest, "%s", m->digest);
    return ok ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static int head(void *ctx, const struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra, struct xfv_err *e)
{
    struct grad *t = ctx;
    (void)set;
    int status = xfv_cli_stream_model(t->c, in, &t->model, e);
    if (!status && (!t->fggb || strcmp(t->digest, t->model->digest))) status = make_engine(t, e);
    return status ? status : xfv_map_put(zone, extra, "model", xfv_val_str(zone, t->model->digest), e);
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    ((struct grad *)ctx)->n_faces += xfv_rec_kind(r) == XFV_FACE;
    return xfv_rec_kind(r) == XFV_PAIR;
}

/* ---- the two faces of a pair ---- */

/* Each face's gradients: found, or begun in t->todo. */
static int find_faces(struct grad *t, const msgpack_object *const *maps, struct xfv_err *e)
{
    struct xfv_tensor image[2];
    int status = 0;
    t->n_todo = 0;
    for (int i = 0; i < 2; i++) {
        status = xfv_cli_face_image(maps[i], t->model, &image[i], e);
        if (!status) status = xfv_cli_face_model(maps[i], t->model, e);
        if (status) return xfv_fail_at(e, "face %s", sides[i]);
    }
    /* Both are asked for before one is put, which may free what was touched longest ago. */
    for (int i = 0; i < 2; i++) t->face[i] = xfv_cache_find(t->cache, image[i].data, xfv_tensor_bytes(&image[i]));
    for (int i = 0; i < 2; i++) {
        if (!t->face[i]) t->face[i] = xfv_cache_find(t->cache, image[i].data, xfv_tensor_bytes(&image[i])); /* a and b alike */
        if (t->face[i]) continue;
        xfv_cache_make_room(t->cache);
        t->face[i] = xfv_fggb_face_new(t->fggb);
        if (!t->face[i]) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        status = xfv_cache_put(t->cache, image[i].data, xfv_tensor_bytes(&image[i]), t->face[i], e);
        if (status) {
            xfv_fggb_face_free(t->face[i]);
            return status;
        }
        xfv_model_input(t->model, image[i].data, t->x[t->n_todo]);
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

/* [n][m] -> [m][n], in place by way of `spare`. */
static void transpose(float *map, int n, int m, float *spare)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++) spare[(size_t)j * (size_t)n + (size_t)i] = map[(size_t)i * (size_t)m + (size_t)j];
    memcpy(map, spare, (size_t)n * (size_t)m * sizeof *map);
}

static void sum_one(void *ctx, int i, int worker)
{
    struct grad *t = ctx;
    (void)worker;
    xfv_fggb_sum(t->fggb, t->face[i], t->w, t->map[i][0], t->map[i][1]);
    if (!t->model->transposed) return;
    /* Such a network sees the image with its axes exchanged: the map is to lie on the image. x is free by now. */
    for (int j = 0; j < 2; j++) transpose(t->map[i][j], t->model->width, t->model->height, t->x[i]);
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

/* The forward pass must give the embedding that the pair was decided with: else the map would explain another decision. */
static int check_embedding(const struct grad *t, const msgpack_object *map, const struct xfv_fggb_face *face, struct xfv_err *e)
{
    struct xfv_tensor said;
    double diff = 0, norm = 0;
    size_t n = (size_t)xfv_fggb_n(t->fggb);
    const float *v = xfv_fggb_embedding(face);
    if (!xfv_map_get(map, "embedding")) return 0; /* verify --drop embedding */
    struct xfv_err why;
    if (xfv_get_tensor(map, "embedding", XFV_F32, 1, &n, &said, &why)) return xfv_fail(e, XFV_EMODEL, "model '%s' did not make this embedding: %s", t->model->name, why.msg);
    for (size_t k = 0; k < n; k++) {
        double d = (double)((const float *)said.data)[k] - (double)v[k];
        diff += d * d;
        norm += (double)v[k] * (double)v[k];
    }
    xfv_tensor_clear(&said);
    if (diff <= 1e-6 * norm) return 0;
    return xfv_fail(e, XFV_EMODEL, "the face's embedding is not the one that model '%s' gives for its image (relative difference %.2g): name the right model with -m, or run embed again",
                    t->model->name, sqrt(diff / norm));
}

static int differentiate(struct grad *t, const msgpack_object *const *maps, struct xfv_err *e)
{
    int status = find_faces(t, maps, e);
    if (!status && t->n_todo) status = run_all(t, t->n_todo, begin_one, e);
    for (int i = 0; i < 2 && !status; i++)
        if (check_embedding(t, maps[i], t->face[i], e)) status = xfv_fail_at(e, "face %s", sides[i]);
    if (!status && t->n_todo) status = run_all(t, t->n_todo * xfv_fggb_chunks(t->fggb), chunk_one, e);
    for (int i = 0; i < t->n_todo; i++)
        if (!status) xfv_fggb_end(t->todo[i]);
    t->n_differentiated += (uint64_t)t->n_todo;
    if (status) xfv_cache_clear(t->cache); /* it may hold an unfinished face */
    return status;
}

/* ---- the record ---- */

static int put_params(const struct grad *t, double threshold, msgpack_zone *z, msgpack_object *entry, struct xfv_err *e)
{
    msgpack_object p = xfv_val_map(z);
    int status = xfv_map_put(z, &p, "threshold", xfv_val_f64(threshold), e);
    if (!status) status = xfv_map_put(z, &p, "embedding", xfv_val_str(z, embeddings[t->embedding]), e);
    if (!status) status = xfv_map_put(z, &p, "colour", xfv_val_str(z, colours[t->colour]), e);
    if (!status) status = xfv_map_put(z, &p, "norm", xfv_val_str(z, norms[t->norm]), e);
    return status ? status : xfv_map_put(z, entry, "params", p, e);
}

static int put_maps(const struct grad *t, double threshold, struct xfv_rec *r, struct xfv_err *e)
{
    static const char *const names[] = {"similarity", "dissimilarity"};
    size_t shape[] = {(size_t)t->model->height, (size_t)t->model->width};
    msgpack_zone *z = xfv_rec_zone(r);
    msgpack_object *root = xfv_rec_root(r), entry = xfv_val_map(z), *maps = xfv_map_get_mut(root, "maps");
    if (maps && maps->type != MSGPACK_OBJECT_ARRAY) return xfv_fail_code(e, XFV_EDATA, "maps", "the pair's 'maps' is not a list");
    int status = xfv_map_put(z, &entry, "method", xfv_val_str(z, "fggb"), e);
    if (!status) status = put_params(t, threshold, z, &entry, e);
    for (int i = 0; i < 2 && !status; i++) {
        msgpack_object side = xfv_val_map(z);
        for (int j = 0; j < 2 && !status; j++) {
            struct xfv_tensor v = xfv_tensor_view(XFV_F32, 2, shape, t->map[i][j]);
            status = xfv_map_put(z, &side, names[j], xfv_val_tensor(z, &v), e);
        }
        if (!status) status = xfv_map_put(z, &entry, sides[i], side, e);
    }
    if (status) return status;
    if (maps) return xfv_array_push(z, maps, entry, e);
    msgpack_object list = xfv_val_array(z);
    status = xfv_array_push(z, &list, entry, e);
    return status ? status : xfv_map_put(z, root, "maps", list, e);
}

static int work(void *ctx, struct xfv_rec *r, int slot, int worker, struct xfv_err *e)
{
    struct grad *t = ctx;
    const msgpack_object *root = xfv_rec_root(r), *maps[] = {xfv_map_get(root, "a"), xfv_map_get(root, "b")};
    double threshold = t->threshold;
    (void)slot, (void)worker;
    t->n_pairs++;
    if (!t->given_threshold && (xfv_get_f64(root, "threshold", &threshold, NULL) || !isfinite(threshold)))
        return xfv_fail_code(e, XFV_EDATA, "threshold", "the pair has no threshold: run verify before fggb-grad, or give --threshold");
    int status = differentiate(t, maps, e);
    if (status) return status;
    xfv_fggb_weights(xfv_fggb_embedding(t->face[0]), xfv_fggb_embedding(t->face[1]), xfv_fggb_n(t->fggb), threshold, t->w);
    xfv_pool_run(t->pool, 2, sum_one, t);
    return put_maps(t, threshold, r, e);
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct grad *t = ctx;
    (void)w, (void)e;
    if (t->n_faces && !t->n_pairs) xfv_cli_warn(t->c, "the input holds faces but no pairs, so there was nothing to explain: run verify before fggb-grad");
    xfv_cli_info(t->c, "%llu pairs, %llu faces differentiated", (unsigned long long)t->n_pairs, (unsigned long long)t->n_differentiated);
    return 0;
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

static int set_threshold(void *ctx, const char *s, struct xfv_err *e)
{
    struct grad *t = ctx;
    t->given_threshold = 1;
    return xfv_parse_f64("--threshold", s, -1, 1, &t->threshold, e);
}

static int set_cache(void *ctx, const char *s, struct xfv_err *e)
{
    return xfv_parse_size("--cache", s, 0, SIZE_MAX / 2, &((struct grad *)ctx)->cache_bytes, e);
}

static const struct xfv_opt options[] = {
    {"threshold", 't', "X", "explain the decision at X (default: the pair's own threshold)", 1, set_threshold, 0},
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
    static const struct xfv_stage stage = {.ctx = &t, .window = 1, .head = head, .wants = wants, .work = work, .finish = finish};
    struct xfv_err e = {0};
    int exit_status;
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    t.pool = xfv_pool_new(xfv_cli_jobs(t.c));
    int status = t.pool ? 0 : xfv_fail(&e, XFV_ENOMEM, "out of memory");
    exit_status = status ? xfv_cli_finish(t.c, &e, 0) : xfv_cli_finish(t.c, NULL, xfv_stage_run(t.c, NULL, &stage));
    xfv_pool_free(t.pool);
    drop_engine(&t);
    xfv_model_free(t.model);
    return exit_status;
}
