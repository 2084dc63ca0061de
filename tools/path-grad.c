/* path-grad: explains each pair by path-integrated gradients at an inner feature map. The method: explain/pathmap.h; use: path-grad(1). */
#include <string.h>

#include "stage/explainer.h"
#include "explain/pathmap.h"

struct grad {
    struct xfv_explain_opts common;
    int kind, baseline, combine;
    struct xfv_pathmap_opts o;
    const char *name;
    /* for the model at hand */
    const struct xfv_model *model;
    struct xfv_pathmap *maps;
};

static void close_method(void *ctx)
{
    struct grad *t = ctx;
    xfv_pathmap_free(t->maps);
    t->maps = NULL;
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct grad *t = ctx;
    t->o.kind = (enum xfv_pathmap_kind)t->kind;
    t->o.baseline = (enum xfv_pathmap_baseline)t->baseline;
    t->o.combine = (enum xfv_combine)t->combine;
    t->model = env->model;
    return xfv_pathmap_new(env->model, &t->o, env->workers, &t->maps, e);
}

static int see_face(struct grad *t, const struct xfv_subject *s, int i, int worker, struct xfv_err *e)
{
    int status = xfv_pathmap_see(t->maps, worker, i, s->rgb[i], s->x[i], e);
    if (!status) status = xfv_explain_check_embedding(s->face[i], t->model, xfv_pathmap_embedding(t->maps, worker, i), xfv_pathmap_n(t->maps), e);
    return status ? xfv_fail_at(e, "face %s", i ? "b" : "a") : 0;
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct grad *t = ctx;
    int status = see_face(t, s, 0, worker, e);
    if (!status) status = see_face(t, s, 1, worker, e);
    return status ? status : xfv_pathmap_make(t->maps, worker, map, e);
}

/* ---- the record ---- */

static const char *const sides[] = {"a", "b"};

static const char *name_of(const void *ctx)
{
    const char *name = ((const struct grad *)ctx)->name;
    return name ? name : "path-grad";
}

static const struct xfv_value *value_of(const struct grad *t, const struct xfv_layer *l)
{
    return &t->model->graph->values[l->value];
}

static int params(void *ctx, const struct xfv_subject *s, msgpack_zone *z, msgpack_object *p, struct xfv_err *e)
{
    const struct grad *t = ctx;
    char grid[64];
    (void)s;
    xfv_shape_text(value_of(t, xfv_pathmap_layer(t->maps))->shape, grid);
    int status = xfv_map_put(z, p, "kind", xfv_val_str(z, xfv_pathmap_kinds[t->kind]), e);
    if (!status) status = xfv_map_put(z, p, "layer", xfv_val_str(z, grid), e);
    if (!status && t->o.kind == XFV_PATHMAP_PATH) status = xfv_map_put(z, p, "steps", xfv_val_int(t->o.steps), e);
    if (!status) status = xfv_map_put(z, p, "baseline", xfv_val_str(z, xfv_pathmap_baselines[t->baseline]), e);
    if (!status && t->o.baseline == XFV_PATHMAP_BLUR) status = xfv_map_put(z, p, "sigma", xfv_val_f64(t->o.sigma), e);
    return status ? status : xfv_map_put(z, p, "combine", xfv_val_str(z, xfv_combines[t->combine]), e);
}

static int put_plane(msgpack_zone *z, msgpack_object *p, const char *key, int height, int width, float *plane, struct xfv_err *e)
{
    struct xfv_tensor v = xfv_tensor_view(XFV_F32, 2, (size_t[]){(size_t)height, (size_t)width}, plane);
    return xfv_map_put(z, p, key, xfv_val_tensor(z, &v), e);
}

static int put_sides(const struct grad *t, const struct xfv_pathmap_way way[2], msgpack_zone *z, msgpack_object *p, struct xfv_err *e)
{
    const struct xfv_layer *l = xfv_pathmap_layer(t->maps);
    int status = put_plane(z, p, sides[0], l->h, l->w, way[0].cells, e);
    return status ? status : put_plane(z, p, sides[1], l->h, l->w, way[1].cells, e);
}

/* By how much each way's cells miss the score's change along it. */
static int put_gap(const struct xfv_pathmap_way way[2], msgpack_zone *z, msgpack_object *p, struct xfv_err *e)
{
    double gap[2];
    for (int i = 0; i < 2; i++) gap[i] = way[i].sums.sum - (way[i].sums.to - way[i].sums.from);
    return xfv_map_put(z, p, "gap", xfv_val_f64s(z, gap, 2), e);
}

/* Where the cells lie: cell (i, j) is centred at pixel (origin + i * step) of each axis of the network's input. */
static int put_cells(const struct grad *t, const struct xfv_pathmap_parts *parts, msgpack_zone *z, msgpack_object *p, struct xfv_err *e)
{
    const struct xfv_layer *l = xfv_pathmap_layer(t->maps);
    msgpack_object c = xfv_val_map(z);
    int status = xfv_map_put(z, &c, "value", xfv_val_str(z, value_of(t, l)->name), e);
    if (!status) status = xfv_map_put(z, &c, "origin", xfv_val_f64s(z, l->origin, 2), e);
    if (!status) status = xfv_map_put(z, &c, "step", xfv_val_f64s(z, l->step, 2), e);
    if (!status) status = put_sides(t, parts->own, z, &c, e);
    return status ? status : xfv_map_put(z, p, "cells", c, e);
}

/* The cells of the two ways from the other face, which sum to score - 1. */
static int put_partner(const struct grad *t, const struct xfv_pathmap_parts *parts, msgpack_zone *z, msgpack_object *p, struct xfv_err *e)
{
    msgpack_object c = xfv_val_map(z);
    int status = put_sides(t, parts->partner, z, &c, e);
    if (!status) status = put_gap(parts->partner, z, &c, e);
    return status ? status : xfv_map_put(z, p, "partner", c, e);
}

/* How far the faces agree, by grid. */
static int put_agreement(const struct grad *t, const struct xfv_pathmap_parts *parts, msgpack_zone *z, msgpack_object *p, struct xfv_err *e)
{
    msgpack_object c = xfv_val_map(z);
    int status = 0;
    for (int i = 0; i < xfv_pathmap_looks(t->maps) && !status; i++) {
        const struct xfv_layer *l = xfv_pathmap_look(t->maps, i);
        char shape[64];
        status = put_plane(z, &c, xfv_shape_text(value_of(t, l)->shape, shape), l->h, l->w, parts->agreement[i], e);
    }
    return status ? status : xfv_map_put(z, p, "agreement", c, e);
}

/* The own cells of each face, which sum to the score's change along its path but for the gap. */
static int extra(void *ctx, const struct xfv_subject *s, int worker, msgpack_zone *z, msgpack_object *p, msgpack_object *side, struct xfv_err *e)
{
    const struct grad *t = ctx;
    const struct xfv_pathmap_parts *parts = xfv_pathmap_parts(t->maps, worker);
    const struct xfv_pathmap_way *own = parts->own;
    int joint = t->o.combine == XFV_COMBINE_JOINT;
    double from[2] = {own[0].sums.from, own[1].sums.from};
    int status = xfv_map_put(z, p, "score", xfv_val_f64(own[0].sums.to), e);
    if (!status) status = xfv_map_put(z, p, "from", xfv_val_f64s(z, from, 2), e);
    if (!status) status = put_gap(own, z, p, e);
    if (!status) status = put_cells(t, parts, z, p, e);
    if (!status && joint) status = put_partner(t, parts, z, p, e);
    if (!status && joint) status = put_agreement(t, parts, z, p, e);
    for (int i = 0; i < 2 && !status; i++) status = put_plane(z, &side[i], "signed", s->height, s->width, parts->sign[i], e);
    return status;
}

/* ---- options ---- */

static const struct xfv_opt options[] = {
    {"kind", 'k', "KIND", "along a path of features (default), or the exact scores of the last map's cells",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct grad, kind, xfv_pathmap_kinds)},
    {"layer", 'l', "NAME", "auto (default), fine, cells, a grid (14x14) or a value's name",
     XFV_OPT_RESULT, XFV_TO_TEXT(struct grad, o.layer, 0)},
    {"steps", 'n', "N", "steps of the path (default 4)", XFV_OPT_RESULT, XFV_TO_INT(struct grad, o.steps, 1, 4096)},
    {"baseline", 'b', "WHAT", "where the path begins (default mean: the average face)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct grad, baseline, xfv_pathmap_baselines)},
    {"combine", 'c', "HOW", "how the two faces' maps join (default pair); dot and cosine go with --kind cells",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct grad, combine, xfv_combines)},
    {"sigma", 0, "PIXELS", "of --baseline blur (default 8)",
     XFV_OPT_RESULT, XFV_TO_F64(struct grad, o.sigma, 0.1, 100)},
    {"as", 0, "NAME", "the method's name in the record, to tell several settings apart (default path-grad)",
     XFV_OPT_RESULT, XFV_TO_TEXT(struct grad, name, 63)},
    {"cache", 0, "SIZE", "memory for the features of faces seen before (default 64M, two faces at least)",
     0, XFV_TO_SIZE(struct grad, o.cache_bytes, 0, SIZE_MAX / 2)},
    {0},
};

int main(int argc, char **argv)
{
    static struct grad t = {.combine = XFV_COMBINE_PAIR, .o = {.steps = 4, .sigma = 8, .cache_bytes = (size_t)64 << 20}};
    static const struct xfv_program program = {
        .name = "path-grad",
        .summary = "Explain each pair by gradients along a path of inner features, from the average face: pairs in, the same with maps out.",
        .operands = "[FILE]...",
        .example = "facecrop a.jpg b.jpg | embed | verify | path-grad | heatmap -o why.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    static const struct xfv_explainer method = {.method = "path-grad", .name = name_of, .flags = XFV_EXPLAIN_OWN_FORWARD, .open = open_method,
                                                .close = close_method, .params = params, .explain = explain, .extra = extra};
    return xfv_explainer_main(&method, &program, argc, argv);
}
