#include "explain/pathmap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain/pathface.h"
#include "explain/tail.h"
#include "stream/tensor.h"

const char *const xfv_pathmap_kinds[] = {"path", "cells", NULL};
const char *const xfv_pathmap_baselines[] = {"mean", "partner", "blur", NULL};

/* Where faces are compared for joint maps, and the average face there, which is the model's memory. */
struct look { struct xfv_layer layer; const float *mean; };

struct worker {
    struct xfv_pathface face[2];
    struct xfv_pathmap_parts parts;
    float *similar, *different;     /* [cells]: both faces' cells combined, for the face that is being drawn */
    double size;                    /* joint: of its witnesses, score a cell */
    float *phi[2];                  /* dot, cosine: [cells][n] */
    float *spare;                   /* joint: [2][cells] */
    float *turned, *fine;           /* [H][W]: a map on the network's axes; the finer look's */
};

struct xfv_pathmap {
    const struct xfv_model *model;
    struct xfv_pathmap_opts o;
    struct xfv_layer layer;
    struct look look[XFV_PATH_LOOKS];
    int n_looks;
    struct xfv_path *path;
    struct xfv_tail *tail; /* dot, cosine */
    struct xfv_pathfaces *faces;
    float *mean, *mean_f; /* the average face's features and embedding */
    struct worker *workers;
    int n_workers;
};

static int is_joint(const struct xfv_pathmap *t)
{
    return t->o.combine == XFV_COMBINE_JOINT;
}

/* 1: maps are made of the products of what the same cell of both faces adds to their embeddings. */
static int is_product(const struct xfv_pathmap *t)
{
    return t->o.combine == XFV_COMBINE_DOT || t->o.combine == XFV_COMBINE_COSINE;
}

/* 1: both faces are shown one map. */
static int is_shared(const struct xfv_pathmap *t)
{
    return t->o.combine != XFV_COMBINE_OWN && t->o.combine != XFV_COMBINE_OTHER;
}

static size_t pixels(const struct xfv_pathmap *t)
{
    return (size_t)t->model->height * (size_t)t->model->width;
}

static size_t cells_of(const struct xfv_layer *l)
{
    return (size_t)l->h * (size_t)l->w;
}

/* ---- memory ---- */

/* *p: room for n floats. Once *ok is 0 it stays so. */
static void room_for(float **p, size_t n, int *ok)
{
    *p = xfv_aligned_alloc(n * sizeof **p);
    if (!*p) *ok = 0;
}

static int make_worker(const struct xfv_pathmap *t, struct worker *w, struct xfv_err *e)
{
    size_t cells = cells_of(&t->layer);
    int ok = 1;
    for (int i = 0; i < 2; i++) {
        if (!xfv_pathface_alloc(t->faces, &w->face[i])) ok = 0;
        room_for(&w->parts.own[i].cells, cells, &ok);
        room_for(&w->parts.sign[i], pixels(t), &ok);
        if (is_joint(t)) room_for(&w->parts.partner[i].cells, cells, &ok);
        if (is_product(t)) room_for(&w->phi[i], cells * (size_t)xfv_path_n(t->path), &ok);
    }
    for (int i = 0; i < t->n_looks; i++) room_for(&w->parts.agreement[i], cells_of(&t->look[i].layer), &ok);
    if (is_joint(t)) room_for(&w->spare, 2 * cells, &ok);
    room_for(&w->similar, cells, &ok);
    room_for(&w->different, cells, &ok);
    room_for(&w->turned, pixels(t), &ok);
    room_for(&w->fine, pixels(t), &ok);
    return ok ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static void free_worker(struct worker *w)
{
    for (int i = 0; i < 2; i++) {
        xfv_pathface_free(&w->face[i]);
        free(w->parts.own[i].cells);
        free(w->parts.sign[i]);
        free(w->parts.partner[i].cells);
        free(w->phi[i]);
    }
    for (int i = 0; i < XFV_PATH_LOOKS; i++) free(w->parts.agreement[i]);
    free(w->spare);
    free(w->similar);
    free(w->different);
    free(w->turned);
    free(w->fine);
}

void xfv_pathmap_free(struct xfv_pathmap *t)
{
    if (!t) return;
    for (int i = 0; i < t->n_workers; i++) free_worker(&t->workers[i]);
    free(t->workers);
    free(t->mean);
    free(t->mean_f);
    xfv_pathfaces_free(t->faces);
    xfv_path_free(t->path);
    xfv_tail_free(t->tail);
    free(t);
}

/* ---- the network, cut ---- */

static int find_layer(struct xfv_pathmap *t, struct xfv_err *e)
{
    const struct xfv_model *m = t->model;
    int linear = t->o.kind == XFV_PATHMAP_CELLS;
    const char *name = t->o.layer ? t->o.layer : linear ? XFV_LAYER_CELLS : XFV_LAYER_AUTO;
    if (is_product(t) && !linear)
        return xfv_fail(e, XFV_EARG, "--combine %s is for --kind cells", xfv_combines[t->o.combine]);
    if (xfv_layer_find(m->graph, m->embedding, name, &t->layer, e)) return xfv_fail_at(e, "model '%s'", m->name);
    if (!linear || t->layer.linear) return 0;
    return xfv_fail(e, XFV_EARG, "--kind cells needs a layer from which the network is linear; '%s' is not", name);
}

/* The average face at a layer; NULL when the model does not know it. */
static const float *mean_at(const struct xfv_pathmap *t, const struct xfv_layer *l)
{
    const struct xfv_mean *mean = xfv_model_mean(t->model, l->value);
    return mean ? mean->data : NULL;
}

/* The path's layer, and the finer one when the model knows the average face there. */
static int find_looks(struct xfv_pathmap *t, struct xfv_err *e)
{
    const struct xfv_model *m = t->model;
    struct look fine;
    if (!is_joint(t)) return 0;
    if (t->o.kind != XFV_PATHMAP_PATH || t->o.baseline != XFV_PATHMAP_MEAN)
        return xfv_fail(e, XFV_EARG, "--combine joint is for --kind path and --baseline mean");
    const float *mean = mean_at(t, &t->layer);
    if (!mean) return 0; /* find_mean tells */
    t->look[t->n_looks++] = (struct look){t->layer, mean};
    if (xfv_layer_find(m->graph, m->embedding, XFV_LAYER_FINE, &fine.layer, NULL) || fine.layer.h <= t->layer.h)
        return 0;
    fine.mean = mean_at(t, &fine.layer);
    if (fine.mean) t->look[t->n_looks++] = fine;
    return 0;
}

static int cut(struct xfv_pathmap *t, int workers, struct xfv_err *e)
{
    int looks[XFV_PATH_LOOKS];
    size_t floats[XFV_PATH_LOOKS];
    for (int i = 0; i < t->n_looks; i++) {
        looks[i] = t->look[i].layer.value;
        floats[i] = cells_of(&t->look[i].layer) * (size_t)t->look[i].layer.c;
    }
    int status = xfv_path_new(t->model->graph, t->model->embedding, &t->layer, looks, t->n_looks, workers, &t->path, e);
    if (!status && is_product(t))
        status = xfv_tail_new(t->model->graph, t->model->embedding, &t->layer, workers, &t->tail, e);
    if (status) return status;
    return xfv_pathfaces_new(t->model, t->path, floats, t->n_looks, t->o.baseline == XFV_PATHMAP_BLUR ? t->o.sigma : 0,
                             t->o.cache_bytes, &t->faces, e);
}

static int find_mean(struct xfv_pathmap *t, struct xfv_err *e)
{
    const float *mean = mean_at(t, &t->layer);
    int ok = 1;
    if (t->o.baseline != XFV_PATHMAP_MEAN) return 0;
    if (!mean)
        return xfv_fail(e, XFV_EMODEL,
                        "model '%s' holds no mean activation of layer '%.200s': let model-means add it, or choose "
                        "--baseline blur or partner",
                        t->model->name, t->model->graph->values[t->layer.value].name);
    room_for(&t->mean, xfv_path_features(t->path), &ok);
    room_for(&t->mean_f, (size_t)xfv_path_n(t->path), &ok);
    if (!ok) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int status = xfv_path_lift(t->path, 0, mean, t->mean, e);
    return status ? status : xfv_path_embed(t->path, 0, t->mean, t->mean_f, e);
}

static int make_workers(struct xfv_pathmap *t, int workers, struct xfv_err *e)
{
    int status = 0;
    t->workers = calloc((size_t)workers, sizeof *t->workers);
    if (!t->workers) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    t->n_workers = workers;
    for (int i = 0; i < workers && !status; i++) status = make_worker(t, &t->workers[i], e);
    return status;
}

int xfv_pathmap_new(const struct xfv_model *m, const struct xfv_pathmap_opts *o, int workers, struct xfv_pathmap **out,
                    struct xfv_err *e)
{
    *out = NULL;
    struct xfv_pathmap *t = calloc(1, sizeof *t);
    if (!t) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    t->model = m;
    t->o = *o;
    int status = find_layer(t, e);
    if (!status) status = find_looks(t, e);
    if (!status) status = cut(t, workers, e);
    if (!status) status = find_mean(t, e);
    if (!status) status = make_workers(t, workers, e);
    if (status) xfv_pathmap_free(t);
    else *out = t;
    return status;
}

/* ---- one face ---- */

int xfv_pathmap_see(struct xfv_pathmap *t, int worker, int face, const uint8_t *rgb, const float *x, struct xfv_err *e)
{
    return xfv_pathfaces_see(t->faces, worker, rgb, x, &t->workers[worker].face[face], e);
}

const float *xfv_pathmap_embedding(const struct xfv_pathmap *t, int worker, int face)
{
    return t->workers[worker].face[face].f;
}

int xfv_pathmap_n(const struct xfv_pathmap *t)
{
    return xfv_path_n(t->path);
}

/* ---- the paths ---- */

/* Where the path to face i begins. */
static void baseline_of(const struct xfv_pathmap *t, const struct worker *w, int i, const float **h0, const float **f0)
{
    const struct xfv_pathface *self = &w->face[i], *other = &w->face[1 - i];
    switch (t->o.baseline) {
    case XFV_PATHMAP_PARTNER: *h0 = other->h, *f0 = other->f; break;
    case XFV_PATHMAP_BLUR: *h0 = self->h0, *f0 = self->f0; break;
    default: *h0 = t->mean, *f0 = t->mean_f; break;
    }
}

/* The maps' two signs would hide a number that is neither above nor below zero. */
static int check_cells(const struct xfv_pathmap *t, const float *cells, int i, struct xfv_err *e)
{
    for (size_t p = 0; p < cells_of(&t->layer); p++)
        if (!isfinite(cells[p]))
            return xfv_fail_code(e, XFV_EDATA, "map", "the map of face %s holds a number that is not finite",
                                 i ? "b" : "a");
    return 0;
}

static int walk(struct xfv_pathmap *t, int worker, int i, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    const struct xfv_pathface *f = &w->face[i], *other = &w->face[1 - i];
    struct xfv_pathmap_way *own = &w->parts.own[i];
    const float *h0, *f0;
    int status;
    baseline_of(t, w, i, &h0, &f0);
    if (t->o.kind == XFV_PATHMAP_CELLS)
        status = xfv_path_linear(t->path, worker, h0, f0, f->h, f->f, other->f, own->cells, &own->sums, e);
    else
        status = xfv_path_integrate(t->path, worker, h0, f0, f->h, f->f, other->f, t->o.steps, own->cells, &own->sums,
                                    e);
    return status ? status : check_cells(t, own->cells, i, e);
}

/* For joint maps: the way from the other face, at half the steps, as only the picture is made of it. */
static int walk_from_partner(struct xfv_pathmap *t, int worker, int i, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    const struct xfv_pathface *f = &w->face[i], *other = &w->face[1 - i];
    struct xfv_pathmap_way *way = &w->parts.partner[i];
    int status = xfv_path_integrate(t->path, worker, other->h, other->f, f->h, f->f, other->f, (t->o.steps + 1) / 2,
                                    way->cells, &way->sums, e);
    return status ? status : check_cells(t, way->cells, i, e);
}

/* ---- both faces' cells as one ---- */

static double square(const float *v, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)v[i] * (double)v[i];
    return sum;
}

/* The same cell of both faces: the product of what it adds to the two embeddings, in units of the score, or their
 * cosine. */
static int multiply(struct xfv_pathmap *t, int worker, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    int n = xfv_path_n(t->path);
    size_t cells = cells_of(&t->layer);
    for (int i = 0; i < 2; i++) {
        const float *h0, *f0;
        baseline_of(t, w, i, &h0, &f0);
        int status = xfv_tail_contributions(t->tail, worker, h0, w->face[i].h, w->phi[i], e);
        if (status) return status;
    }
    double norms = sqrt(square(w->face[0].f, n) * square(w->face[1].f, n));
    xfv_combine_products(t->o.combine, w->phi[0], w->phi[1], cells, (size_t)n, norms, w->similar);
    memcpy(w->different, w->similar, cells * sizeof *w->similar);
    return 0;
}

static void join(const struct xfv_pathmap *t, struct worker *w)
{
    const struct xfv_pathmap_parts *p = &w->parts;
    const float *own[2] = {p->own[0].cells, p->own[1].cells}, *partner[2] = {p->partner[0].cells, p->partner[1].cells};
    for (int i = 0; i < t->n_looks; i++)
        xfv_agreement(w->face[0].look[i], w->face[1].look[i], t->look[i].mean, (int)cells_of(&t->look[i].layer),
                      t->look[i].layer.c, p->agreement[i]);
    w->size = xfv_combine_joint(own, partner, p->agreement[0], t->n_looks, cells_of(&t->layer), w->similar,
                                w->different, w->spare);
}

/* The cells that face i is shown. */
static int combine(struct xfv_pathmap *t, int worker, int i, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    if (is_product(t)) return multiply(t, worker, e);
    if (is_joint(t)) join(t, w);
    else
        xfv_combine_cells(t->o.combine, w->parts.own[i].cells, w->parts.own[1 - i].cells, cells_of(&t->layer),
                          w->similar, w->different);
    return 0;
}

/* ---- on the image ---- */

/* Cells on the image. */
static void lay(const struct xfv_pathmap *t, struct worker *w, const struct xfv_layer *l, const float *cells,
                float *map)
{
    xfv_layer_lay(l, cells, t->model->height, t->model->width, t->model->transposed, w->turned, map);
}

/* The finer look's part of a joint map: the same size a pixel as the others, though its cells are smaller. */
static void add_fine(const struct xfv_pathmap *t, struct worker *w, float *map)
{
    const struct xfv_layer *fine = &t->look[1].layer;
    const float *agreement = w->parts.agreement[1];
    float by = xfv_combine_fine(agreement, cells_of(fine), w->size,
                                fine->step[0] * fine->step[1] / (t->layer.step[0] * t->layer.step[1]));
    lay(t, w, fine, agreement, w->fine);
    for (size_t p = 0; p < pixels(t); p++) map[p] += by * w->fine[p];
}

static void draw(const struct xfv_pathmap *t, struct worker *w, int i, float *const map[2])
{
    float *sign = w->parts.sign[i];
    lay(t, w, &t->layer, w->similar, sign);
    lay(t, w, &t->layer, w->different, map[1]);
    if (t->n_looks > 1) add_fine(t, w, sign);
    for (size_t p = 0; p < pixels(t); p++) {
        map[0][p] = sign[p] > 0 ? sign[p] : 0.0f;
        map[1][p] = map[1][p] < 0 ? -map[1][p] : 0.0f;
    }
}

/* Face 1 is shown what face 0 is. */
static void copy_maps(const struct xfv_pathmap *t, struct worker *w, float *const map[2][2])
{
    size_t bytes = pixels(t) * sizeof(float);
    memcpy(w->parts.sign[1], w->parts.sign[0], bytes);
    for (int k = 0; k < 2; k++) memcpy(map[1][k], map[0][k], bytes);
}

int xfv_pathmap_make(struct xfv_pathmap *t, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    int status = 0, drawn = is_shared(t) ? 1 : 2;
    for (int i = 0; i < 2 && !status; i++) status = walk(t, worker, i, e);
    for (int i = 0; i < 2 && !status && is_joint(t); i++) status = walk_from_partner(t, worker, i, e);
    for (int i = 0; i < drawn && !status; i++) {
        status = combine(t, worker, i, e);
        if (!status) draw(t, w, i, map[i]);
    }
    if (!status && is_shared(t)) copy_maps(t, w, map);
    return status;
}

/* ---- what a record tells ---- */

const struct xfv_pathmap_parts *xfv_pathmap_parts(const struct xfv_pathmap *t, int worker)
{
    return &t->workers[worker].parts;
}

const struct xfv_layer *xfv_pathmap_layer(const struct xfv_pathmap *t)
{
    return &t->layer;
}

int xfv_pathmap_looks(const struct xfv_pathmap *t)
{
    return t->n_looks;
}

const struct xfv_layer *xfv_pathmap_look(const struct xfv_pathmap *t, int i)
{
    return &t->look[i].layer;
}
