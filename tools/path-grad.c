/* path-grad: explains each pair by path-integrated gradients at an inner feature map. Equations: explain/path.h; use: path-grad(1). */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explainer.h"
#include "explain/cache.h"
#include "explain/combine.h"
#include "explain/path.h"
#include "image/blur.h"

enum kind { PATH, CELLS };
enum baseline { MEAN, PARTNER, BLUR };
static const char *const kinds[] = {"path", "cells", NULL};
static const char *const baselines[] = {"mean", "partner", "blur", NULL};

enum { LOOKS = 2 };

/* What one face's pixels give, whoever its partner is: features h, embedding f, with --baseline blur those of the blurred face, and with --combine
 * joint the activations in which faces are compared. One piece of memory, of which h is the first. */
struct face { float *h, *f, *h0, *f0, *look[LOOKS]; };

struct worker {
    struct face face[2];          /* copies, of their own */
    float *own[2];                /* the cells of each face's path */
    float *partner[2];            /* with joint: the cells of the path from the other face */
    float *agree[LOOKS];          /* with joint: how far the faces agree, cell by cell of each look */
    double scale;                 /* with joint: what the maps are in units of, score a cell */
    float *similar[2], *different[2]; /* combined */
    float *phi[2], *product;      /* for dot, cosine and, as spare room, joint */
    float *plane, *extra, *x;     /* for blurring, for turning, for adding up */
    float *signs[2];              /* the signed map [H][W] */
    struct xfv_path_sums sums[2], partner_sums[2];
};

struct grad {
    struct xfv_explain_opts common;
    int kind, baseline, combine;
    const char *layer_name, *name;
    int steps;
    double sigma;
    size_t cache_bytes;
    /* for the model at hand */
    const struct xfv_model *model;
    struct xfv_layer layer, look[LOOKS];
    const float *look_mean[LOOKS]; /* of the model */
    int n_looks;
    struct xfv_path *path;
    float *mean, *mean_f; /* the average face's features and embedding */
    struct worker *workers;
    int n_workers;
    struct xfv_cache *cache; /* image bytes -> float [face_floats] */
    pthread_mutex_t lock;    /* of the cache: what is found is copied out before another worker may make room */
};

/* ---- memory that depends on the model ---- */

static size_t look_floats(const struct xfv_layer *l)
{
    return (size_t)l->h * (size_t)l->w * (size_t)l->c;
}

static size_t face_floats(const struct grad *t)
{
    size_t n = (xfv_path_features(t->path) + (size_t)xfv_path_n(t->path)) * (t->baseline == BLUR ? 2 : 1);
    for (int i = 0; i < t->n_looks; i++) n += look_floats(&t->look[i]);
    return n;
}

static void divide(const struct grad *t, struct face *f)
{
    float *next;
    f->f = f->h + xfv_path_features(t->path);
    next = f->h0 = f->f + xfv_path_n(t->path); /* with --baseline blur */
    f->f0 = f->h0 + xfv_path_features(t->path);
    if (t->baseline == BLUR) next = f->f0 + xfv_path_n(t->path);
    for (int i = 0; i < t->n_looks; i++) {
        f->look[i] = next;
        next += look_floats(&t->look[i]);
    }
}

static int make_worker(const struct grad *t, struct worker *w, struct xfv_err *e)
{
    size_t cells = (size_t)xfv_path_cells(t->path), pixels = (size_t)t->model->height * (size_t)t->model->width, n = (size_t)xfv_path_n(t->path);
    int ok = 1, products = t->combine == XFV_COMBINE_DOT || t->combine == XFV_COMBINE_COSINE;
    for (int i = 0; i < t->n_looks; i++) ok = (w->agree[i] = xfv_aligned_alloc((size_t)t->look[i].h * (size_t)t->look[i].w * sizeof(float))) && ok;
    for (int i = 0; i < 2; i++) {
        struct face *f = &w->face[i];
        f->h = xfv_aligned_alloc(face_floats(t) * sizeof(float));
        w->own[i] = xfv_aligned_alloc(cells * sizeof(float));
        w->partner[i] = xfv_aligned_alloc(cells * sizeof(float));
        w->similar[i] = xfv_aligned_alloc(cells * sizeof(float));
        w->different[i] = xfv_aligned_alloc(cells * sizeof(float));
        w->signs[i] = xfv_aligned_alloc(pixels * sizeof(float));
        w->phi[i] = products ? xfv_aligned_alloc(cells * n * sizeof(float)) : NULL;
        ok = ok && f->h && w->own[i] && w->partner[i] && w->similar[i] && w->different[i] && w->signs[i] && (w->phi[i] || !products);
        if (ok) divide(t, f);
    }
    w->product = xfv_aligned_alloc(2 * cells * sizeof(float));
    w->plane = xfv_aligned_alloc(pixels * sizeof(float));
    w->extra = xfv_aligned_alloc(pixels * sizeof(float));
    w->x = xfv_aligned_alloc(pixels * (size_t)t->model->channels * sizeof(float));
    return ok && w->product && w->plane && w->extra && w->x ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static void close_method(void *ctx)
{
    struct grad *t = ctx;
    for (int i = 0; i < t->n_workers; i++) {
        struct worker *w = &t->workers[i];
        for (int j = 0; j < 2; j++) {
            free(w->face[j].h);
            free(w->own[j]);
            free(w->partner[j]);
            free(w->similar[j]);
            free(w->different[j]);
            free(w->signs[j]);
            free(w->phi[j]);
        }
        free(w->product);
        for (int j = 0; j < LOOKS; j++) free(w->agree[j]);
        free(w->plane);
        free(w->extra);
        free(w->x);
    }
    free(t->workers);
    free(t->mean);
    free(t->mean_f);
    xfv_path_free(t->path);
    xfv_cache_free(t->cache);
    t->workers = NULL;
    t->n_workers = 0;
    t->mean = t->mean_f = NULL;
    t->path = NULL;
    t->cache = NULL;
}

static int find_mean(struct grad *t, struct xfv_err *e)
{
    const char *layer = t->model->graph->values[t->layer.value].name;
    const struct xfv_mean *mean = xfv_model_mean(t->model, t->layer.value);
    if (!mean)
        return xfv_fail(e, XFV_EMODEL, "model '%s' holds no mean activation of layer '%.200s': let model-means add it, or choose --baseline blur or partner",
                        t->model->name, layer);
    t->mean = xfv_aligned_alloc(xfv_path_features(t->path) * sizeof(float));
    t->mean_f = xfv_aligned_alloc((size_t)xfv_path_n(t->path) * sizeof(float));
    if (!t->mean || !t->mean_f) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int status = xfv_path_lift(t->path, 0, mean->data, t->mean, e);
    return status ? status : xfv_path_embed(t->path, 0, t->mean, t->mean_f, e);
}

/* Where faces are compared for --combine joint: at the path's layer, and at the finer one when the model knows the average face there. */
static int find_looks(struct grad *t, struct xfv_err *e)
{
    struct xfv_layer fine;
    const struct xfv_mean *mean = xfv_model_mean(t->model, t->layer.value);
    t->n_looks = 0;
    if (t->combine != XFV_COMBINE_JOINT) return 0;
    if (t->kind != PATH || t->baseline != MEAN) return xfv_fail(e, XFV_EARG, "--combine joint is for --kind path and --baseline mean");
    if (!mean) return 0; /* find_mean tells */
    t->look[t->n_looks] = t->layer;
    t->look_mean[t->n_looks++] = mean->data;
    if (xfv_layer_find(t->model->graph, t->model->embedding, XFV_LAYER_FINE, &fine, NULL) || fine.h <= t->layer.h) return 0;
    mean = xfv_model_mean(t->model, fine.value);
    if (!mean) return 0;
    t->look[t->n_looks] = fine;
    t->look_mean[t->n_looks++] = mean->data;
    return 0;
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct grad *t = ctx;
    const struct xfv_model *m = t->model = env->model;
    int products = t->combine == XFV_COMBINE_DOT || t->combine == XFV_COMBINE_COSINE, looks[LOOKS];
    const char *layer = t->layer_name ? t->layer_name : t->kind == CELLS ? XFV_LAYER_CELLS : XFV_LAYER_AUTO;
    if (products && t->kind != CELLS) return xfv_fail(e, XFV_EARG, "--combine %s is for --kind cells", xfv_combines[t->combine]);
    int status = xfv_layer_find(m->graph, m->embedding, layer, &t->layer, e);
    if (status) return xfv_fail_at(e, "model '%s'", m->name);
    if (t->kind == CELLS && !t->layer.linear) return xfv_fail(e, XFV_EARG, "--kind cells needs a layer from which the network is linear; '%s' is not", layer);
    status = find_looks(t, e);
    for (int i = 0; i < t->n_looks; i++) looks[i] = t->look[i].value;
    if (!status) status = xfv_path_new(m->graph, m->embedding, &t->layer, looks, t->n_looks, env->workers, &t->path, e);
    if (!status && t->baseline == MEAN) status = find_mean(t, e);
    if (status) return status;
    t->workers = calloc((size_t)env->workers, sizeof *t->workers);
    if (!t->workers) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    t->n_workers = env->workers;
    for (int i = 0; i < env->workers && !status; i++) status = make_worker(t, &t->workers[i], e);
    size_t entries = t->cache_bytes / (face_floats(t) * sizeof(float));
    t->cache = status ? NULL : xfv_cache_new(entries < 2 ? 2 : entries, free);
    return status || t->cache ? status : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

/* ---- one face ---- */

static int blurred_input(const struct grad *t, struct worker *w, const float *x, struct xfv_err *e)
{
    /* The network's axes: exchanged when it is transposed. A Gaussian does not mind. */
    int h = t->model->transposed ? t->model->width : t->model->height, width = t->model->transposed ? t->model->height : t->model->width, c = t->model->channels;
    size_t pixels = (size_t)h * (size_t)width;
    int status = 0;
    for (int k = 0; k < c && !status; k++) {
        for (size_t i = 0; i < pixels; i++) w->plane[i] = x[i * (size_t)c + (size_t)k];
        status = xfv_blur(w->plane, width, h, t->sigma, e);
        for (size_t i = 0; i < pixels; i++) w->x[i * (size_t)c + (size_t)k] = w->plane[i];
    }
    return status;
}

static int look_up(struct grad *t, const uint8_t *rgb, size_t bytes, struct face *f)
{
    pthread_mutex_lock(&t->lock);
    const float *found = xfv_cache_find(t->cache, rgb, bytes);
    if (found) memcpy(f->h, found, face_floats(t) * sizeof(float));
    pthread_mutex_unlock(&t->lock);
    return found != NULL;
}

/* A face that cannot be kept costs time, nothing else. */
static void keep(struct grad *t, const uint8_t *rgb, size_t bytes, const struct face *f)
{
    pthread_mutex_lock(&t->lock);
    if (!xfv_cache_find(t->cache, rgb, bytes)) { /* another worker may have been first */
        xfv_cache_make_room(t->cache);
        float *copy = malloc(face_floats(t) * sizeof *copy);
        if (copy) memcpy(copy, f->h, face_floats(t) * sizeof *copy);
        if (copy && xfv_cache_put(t->cache, rgb, bytes, copy, NULL)) free(copy);
    }
    pthread_mutex_unlock(&t->lock);
}

static int see_face(struct grad *t, const struct xfv_subject *s, int i, int worker, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    struct face *f = &w->face[i];
    size_t bytes = (size_t)s->height * (size_t)s->width * 3;
    int status = 0;
    if (!look_up(t, s->rgb[i], bytes, f)) {
        status = xfv_path_forward(t->path, worker, s->x[i], f->h, f->look, f->f, e);
        if (!status && t->baseline == BLUR) status = blurred_input(t, w, s->x[i], e);
        if (!status && t->baseline == BLUR) status = xfv_path_forward(t->path, worker, w->x, f->h0, NULL, f->f0, e);
        if (!status) keep(t, s->rgb[i], bytes, f);
    }
    if (!status) status = xfv_explain_check_embedding(s->face[i], t->model, f->f, xfv_path_n(t->path), e);
    return status ? xfv_fail_at(e, "face %s", i ? "b" : "a") : 0;
}

/* Where the path to face i begins. */
static void baseline_of(const struct grad *t, const struct worker *w, int i, const float **h0, const float **f0)
{
    const struct face *other = &w->face[1 - i], *self = &w->face[i];
    *h0 = t->baseline == MEAN ? t->mean : t->baseline == PARTNER ? other->h : self->h0;
    *f0 = t->baseline == MEAN ? t->mean_f : t->baseline == PARTNER ? other->f : self->f0;
}

static int walk(struct grad *t, int i, int worker, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    const struct face *f = &w->face[i], *other = &w->face[1 - i];
    const float *h0, *f0;
    baseline_of(t, w, i, &h0, &f0);
    if (t->kind == CELLS) return xfv_path_linear(t->path, worker, h0, f0, f->h, f->f, other->f, w->own[i], &w->sums[i], e);
    return xfv_path_integrate(t->path, worker, h0, f0, f->h, f->f, other->f, t->steps, w->own[i], &w->sums[i], e);
}

/* The maps' two signs would hide a number that is neither above nor below zero. */
static int check_cells(const struct grad *t, const float *cells, int i, struct xfv_err *e)
{
    for (int p = 0; p < xfv_path_cells(t->path); p++)
        if (!isfinite(cells[p])) return xfv_fail_code(e, XFV_EDATA, "map", "the map of face %s holds a number that is not finite", i ? "b" : "a");
    return 0;
}

/* For --combine joint: the way from the other face, at half the steps, as only the picture is made of it. */
static int walk_from_partner(struct grad *t, int i, int worker, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    const struct face *f = &w->face[i], *other = &w->face[1 - i];
    return xfv_path_integrate(t->path, worker, other->h, other->f, f->h, f->f, other->f, (t->steps + 1) / 2, w->partner[i], &w->partner_sums[i], e);
}

/* ---- both faces ---- */

static double square(const float *v, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)v[i] * (double)v[i];
    return sum;
}

/* The same cell of both faces: the product of what it adds to the two embeddings, in units of the score, or their cosine. */
static int multiply(struct grad *t, int worker, float *out, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    int n = xfv_path_n(t->path), status = 0;
    const float *h0, *f0;
    for (int i = 0; i < 2 && !status; i++) {
        baseline_of(t, w, i, &h0, &f0);
        status = xfv_path_contributions(t->path, worker, h0, w->face[i].h, w->phi[i], e);
    }
    if (status) return status;
    double norms = sqrt(square(w->face[0].f, n) * square(w->face[1].f, n));
    xfv_combine_products((enum xfv_combine)t->combine, w->phi[0], w->phi[1], (size_t)xfv_path_cells(t->path), (size_t)n, norms, out);
    return 0;
}

/* What face i's cells show as similar (the positive part) and as different (the negative part). */
static void combine(const struct grad *t, struct worker *w, int i)
{
    size_t cells = (size_t)xfv_path_cells(t->path);
    if (t->combine != XFV_COMBINE_DOT && t->combine != XFV_COMBINE_COSINE) {
        xfv_combine_cells((enum xfv_combine)t->combine, w->own[i], w->own[1 - i], cells, w->similar[i], w->different[i]);
        return;
    }
    memcpy(w->similar[i], w->product, cells * sizeof *w->product);
    memcpy(w->different[i], w->product, cells * sizeof *w->product);
}

static void combine_jointly(const struct grad *t, struct worker *w)
{
    const float *own[2] = {w->own[0], w->own[1]}, *partner[2] = {w->partner[0], w->partner[1]};
    for (int i = 0; i < t->n_looks; i++)
        xfv_agreement(w->face[0].look[i], w->face[1].look[i], t->look_mean[i], t->look[i].h * t->look[i].w, t->look[i].c, w->agree[i]);
    w->scale = xfv_combine_joint(own, partner, w->agree[0], t->n_looks, (size_t)xfv_path_cells(t->path), w->similar[0], w->different[0], w->product);
}

/* [n][m] -> [m][n] */
static void transpose(const float *from, int n, int m, float *to)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++) to[(size_t)j * (size_t)n + (size_t)i] = from[(size_t)i * (size_t)m + (size_t)j];
}

/* Cells on the image; a transposed network sees its axes exchanged. */
static void lay(const struct grad *t, struct worker *w, const struct xfv_layer *l, const float *cells, float *map)
{
    int h = t->model->height, width = t->model->width, turned = t->model->transposed;
    xfv_layer_upsample(l, cells, turned ? width : h, turned ? h : width, turned ? w->plane : map);
    if (turned) transpose(w->plane, width, h, map);
}

/* The finer look's part of a joint map: the same size a pixel as the others, though its cells are smaller. */
static void add_fine(const struct grad *t, struct worker *w, float *map)
{
    const struct xfv_layer *fine = &t->look[1];
    size_t cells = (size_t)fine->h * (size_t)fine->w, pixels = (size_t)t->model->height * (size_t)t->model->width;
    float by = xfv_combine_fine(w->agree[1], cells, w->scale, fine->step[0] * fine->step[1] / (t->layer.step[0] * t->layer.step[1]));
    lay(t, w, fine, w->agree[1], w->extra);
    for (size_t p = 0; p < pixels; p++) map[p] += by * w->extra[p];
}

static void make_maps(const struct grad *t, struct worker *w, int i, float *const map[2])
{
    size_t pixels = (size_t)t->model->height * (size_t)t->model->width;
    lay(t, w, &t->layer, w->similar[i], w->signs[i]);
    lay(t, w, &t->layer, w->different[i], map[1]);
    if (t->n_looks > 1) add_fine(t, w, w->signs[i]);
    for (size_t p = 0; p < pixels; p++) {
        map[0][p] = w->signs[i][p] > 0 ? w->signs[i][p] : 0.0f;
        map[1][p] = map[1][p] < 0 ? -map[1][p] : 0.0f;
    }
}

/* Joint maps are the same on both faces. */
static void copy_maps(const struct grad *t, struct worker *w, float *const map[2][2])
{
    size_t bytes = (size_t)t->model->height * (size_t)t->model->width * sizeof(float);
    memcpy(w->signs[1], w->signs[0], bytes);
    for (int k = 0; k < 2; k++) memcpy(map[1][k], map[0][k], bytes);
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct grad *t = ctx;
    struct worker *w = &t->workers[worker];
    int status = 0;
    for (int i = 0; i < 2 && !status; i++) status = see_face(t, s, i, worker, e);
    for (int i = 0; i < 2 && !status; i++) {
        status = walk(t, i, worker, e);
        if (!status) status = check_cells(t, w->own[i], i, e);
    }
    for (int i = 0; i < 2 && !status && t->combine == XFV_COMBINE_JOINT; i++) {
        status = walk_from_partner(t, i, worker, e);
        if (!status) status = check_cells(t, w->partner[i], i, e);
    }
    if (!status && (t->combine == XFV_COMBINE_DOT || t->combine == XFV_COMBINE_COSINE)) status = multiply(t, worker, w->product, e);
    if (!status && t->combine == XFV_COMBINE_JOINT) combine_jointly(t, w);
    for (int i = 0; i < 2 && !status; i++) {
        if (i && t->combine == XFV_COMBINE_JOINT) copy_maps(t, w, map);
        else {
            if (t->combine != XFV_COMBINE_JOINT) combine(t, w, i);
            make_maps(t, w, i, map[i]);
        }
    }
    return status;
}

/* ---- the record ---- */

static const char *name_of(const void *ctx)
{
    const char *name = ((const struct grad *)ctx)->name;
    return name ? name : "path-grad";
}

static int params(void *ctx, const struct xfv_subject *s, msgpack_zone *z, msgpack_object *p, struct xfv_err *e)
{
    const struct grad *t = ctx;
    char grid[64];
    (void)s;
    xfv_shape_text(t->model->graph->values[t->layer.value].shape, grid);
    int status = xfv_map_put(z, p, "kind", xfv_val_str(z, kinds[t->kind]), e);
    if (!status) status = xfv_map_put(z, p, "layer", xfv_val_str(z, grid), e);
    if (!status && t->kind == PATH) status = xfv_map_put(z, p, "steps", xfv_val_int(t->steps), e);
    if (!status) status = xfv_map_put(z, p, "baseline", xfv_val_str(z, baselines[t->baseline]), e);
    if (!status && t->baseline == BLUR) status = xfv_map_put(z, p, "sigma", xfv_val_f64(t->sigma), e);
    return status ? status : xfv_map_put(z, p, "combine", xfv_val_str(z, xfv_combines[t->combine]), e);
}

/* Where the cells lie: cell (i, j) is centred at pixel (origin + i * step) of each axis of the network's input. */
static int put_cells(const struct grad *t, struct worker *w, msgpack_zone *z, msgpack_object *p, struct xfv_err *e)
{
    static const char *const sides[] = {"a", "b"};
    size_t grid[2] = {(size_t)t->layer.h, (size_t)t->layer.w};
    msgpack_object c = xfv_val_map(z);
    int status = xfv_map_put(z, &c, "value", xfv_val_str(z, t->model->graph->values[t->layer.value].name), e);
    if (!status) status = xfv_map_put(z, &c, "origin", xfv_val_f64s(z, t->layer.origin, 2), e);
    if (!status) status = xfv_map_put(z, &c, "step", xfv_val_f64s(z, t->layer.step, 2), e);
    for (int i = 0; i < 2 && !status; i++) {
        struct xfv_tensor v = xfv_tensor_view(XFV_F32, 2, grid, w->own[i]);
        status = xfv_map_put(z, &c, sides[i], xfv_val_tensor(z, &v), e);
    }
    return status ? status : xfv_map_put(z, p, "cells", c, e);
}

/* With --combine joint: the cells of the two ways from the other face, which sum to score - 1, and how far the faces agree, by grid. */
static int put_joint(const struct grad *t, struct worker *w, msgpack_zone *z, msgpack_object *p, struct xfv_err *e)
{
    static const char *const sides[] = {"a", "b"};
    size_t grid[2] = {(size_t)t->layer.h, (size_t)t->layer.w};
    msgpack_object c = xfv_val_map(z);
    double gap[2];
    msgpack_object at = xfv_val_map(z);
    int status = 0;
    for (int i = 0; i < 2 && !status; i++) {
        struct xfv_tensor v = xfv_tensor_view(XFV_F32, 2, grid, w->partner[i]);
        const struct xfv_path_sums *s = &w->partner_sums[i];
        gap[i] = s->sum - (s->to - s->from);
        status = xfv_map_put(z, &c, sides[i], xfv_val_tensor(z, &v), e);
    }
    for (int i = 0; i < t->n_looks && !status; i++) {
        char *shape = msgpack_zone_malloc(z, 64);
        struct xfv_tensor v = xfv_tensor_view(XFV_F32, 2, (size_t[]){(size_t)t->look[i].h, (size_t)t->look[i].w}, w->agree[i]);
        if (!shape) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        status = xfv_map_put(z, &at, xfv_shape_text(t->model->graph->values[t->look[i].value].shape, shape), xfv_val_tensor(z, &v), e);
    }
    if (!status) status = xfv_map_put(z, &c, "gap", xfv_val_f64s(z, gap, 2), e);
    if (!status) status = xfv_map_put(z, p, "partner", c, e);
    return status ? status : xfv_map_put(z, p, "agreement", at, e);
}

/* The own cells of each face, which sum to the score's change along its path; by how much they miss it is the gap. */
static int extra(void *ctx, const struct xfv_subject *s, int worker, msgpack_zone *z, msgpack_object *p, msgpack_object *side, struct xfv_err *e)
{
    const struct grad *t = ctx;
    struct worker *w = &t->workers[worker];
    size_t image[2] = {(size_t)s->height, (size_t)s->width};
    double from[2] = {w->sums[0].from, w->sums[1].from}, gap[2];
    for (int i = 0; i < 2; i++) gap[i] = w->sums[i].sum - (w->sums[i].to - w->sums[i].from);
    int status = xfv_map_put(z, p, "score", xfv_val_f64(w->sums[0].to), e);
    if (!status) status = xfv_map_put(z, p, "from", xfv_val_f64s(z, from, 2), e);
    if (!status) status = xfv_map_put(z, p, "gap", xfv_val_f64s(z, gap, 2), e);
    if (!status) status = put_cells(t, w, z, p, e);
    if (!status && t->combine == XFV_COMBINE_JOINT) status = put_joint(t, w, z, p, e);
    for (int i = 0; i < 2 && !status; i++) {
        struct xfv_tensor signs = xfv_tensor_view(XFV_F32, 2, image, w->signs[i]);
        status = xfv_map_put(z, &side[i], "signed", xfv_val_tensor(z, &signs), e);
    }
    return status;
}

/* ---- options ---- */

XFV_SET_CHOICE(set_kind, struct grad, kind, "--kind", kinds)
XFV_SET_TEXT(set_layer, struct grad, layer_name)
XFV_SET_INT(set_steps, struct grad, steps, "--steps", 1, 4096)
XFV_SET_CHOICE(set_baseline, struct grad, baseline, "--baseline", baselines)

XFV_SET_CHOICE(set_combine, struct grad, combine, "--combine", xfv_combines)

XFV_SET_F64(set_sigma, struct grad, sigma, "--sigma", 0.1, 100)
XFV_SET_SIZE(set_cache, struct grad, cache_bytes, "--cache", 0, SIZE_MAX / 2)

static int set_as(void *ctx, const char *v, struct xfv_err *e)
{
    if (!*v || strlen(v) > 63) return xfv_fail(e, XFV_EARG, "--as: 1 to 63 bytes, not '%s'", v);
    ((struct grad *)ctx)->name = v;
    return 0;
}

static const struct xfv_opt options[] = {
    {"kind", 'k', "KIND", "path (default): along a path of features; cells: the exact scores of the last map's cells", 1, set_kind, 0},
    {"layer", 'l', "NAME", "auto (default), fine, cells, a grid (14x14) or a value's name", 1, set_layer, 0},
    {"steps", 'n', "N", "steps of the path (default 4)", 1, set_steps, 0},
    {"baseline", 'b', "WHAT", "where it begins: mean (the average face, default), partner or blur", 1, set_baseline, 0},
    {"combine", 'c', "HOW", "pair (default), joint, own, other, own+other, min; with cells also dot, cosine", 1, set_combine, 0},
    {"sigma", 0, "PIXELS", "of --baseline blur (default 8)", 1, set_sigma, 0},
    {"as", 0, "NAME", "the method's name in the record, to tell several settings apart (default path-grad)", 1, set_as, 0},
    {"cache", 0, "SIZE", "memory for the features of faces seen before (default 64M, two faces at least)", 0, set_cache, 0},
    {NULL, 0, NULL, NULL, 0, NULL, 0},
};

int main(int argc, char **argv)
{
    static struct grad t = {.combine = XFV_COMBINE_PAIR, .steps = 4, .sigma = 8, .cache_bytes = (size_t)64 << 20, .lock = PTHREAD_MUTEX_INITIALIZER};
    static const struct xfv_program program = {
        .name = "path-grad",
        .summary = "Explain each pair by gradients along a path of inner features, from the average face: pairs in, the same with maps out.",
        .operands = "[FILE]...",
        .example = "facecrop a.jpg b.jpg | embed | verify | path-grad | heatmap -o why.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .parts = {&xfv_part_net},
    };
    static const struct xfv_explainer method = {.method = "path-grad", .name = name_of, .flags = XFV_EXPLAIN_OWN_FORWARD, .open = open_method,
                                                .close = close_method, .params = params, .explain = explain, .extra = extra};
    return xfv_explainer_main(&method, &program, argc, argv);
}
