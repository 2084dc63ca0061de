/* path-grad: explains each pair by gradients along paths of inner features. The methods: explain/pathmap.h,
 * explain/contrast.h. */
#include <string.h>

#include "stage/explainer.h"
#include "explain/contrast.h"
#include "explain/pathmap.h"
#include "pair/maps.h"

struct grad {
    struct xfv_explain_opts common;
    int kind, baseline, combine, given_kind, given_steps, given_baseline, given_combine, given_smooth;
    struct xfv_pathmap_opts o;
    struct xfv_contrast_opts contrast_opts;
    const char *name;
    /* for the model at hand */
    const struct xfv_model *model;
    struct xfv_pathmap *maps;
    struct xfv_contrast *contrast; /* with --combine contrast, instead of maps */
};

static void close_method(void *ctx)
{
    struct grad *t = ctx;
    xfv_pathmap_free(t->maps);
    xfv_contrast_free(t->contrast);
    t->maps = NULL;
    t->contrast = NULL;
}

/* An option of the paths asks for their maps where --combine does not say otherwise. What does not go together is
 * refused. */
static int choose_maps(struct grad *t, struct xfv_err *e)
{
    int of_paths = t->given_kind || t->given_steps || t->given_baseline || t->o.layer,
        of_contrast = t->contrast_opts.fast || t->given_smooth;
    if (!t->given_combine) t->combine = of_paths && !of_contrast ? XFV_COMBINE_PAIR : XFV_COMBINE_CONTRAST;
    if (t->combine != XFV_COMBINE_CONTRAST)
        return of_contrast ? xfv_fail(e, XFV_EARG, "--fast and --smooth go with --combine contrast") : 0;
    if (!of_paths) return 0;
    return xfv_fail(e, XFV_EARG,
                    "--combine contrast has its own paths: leave --kind, --layer, --steps and --baseline out");
}

static int open_contrast(struct grad *t, const struct xfv_explain_env *env, struct xfv_err *e)
{
    t->contrast_opts.cache_bytes = t->o.cache_bytes;
    int status = xfv_contrast_new(env->model, &t->contrast_opts, env->workers, &t->contrast, e);
    for (int i = 0; i < XFV_CONTRAST_WITNESSES && !status; i++) {
        const char *why = xfv_contrast_missing(t->contrast, (enum xfv_contrast_witness)i);
        if (why && !(i == XFV_CONTRAST_FINE && t->contrast_opts.fast))
            xfv_cli_warn(env->c, "the maps lack the witness '%s': %s", xfv_contrast_names[i], why);
    }
    return status;
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct grad *t = ctx;
    int status = choose_maps(t, e);
    t->o.kind = (enum xfv_pathmap_kind)t->kind;
    t->o.baseline = (enum xfv_pathmap_baseline)t->baseline;
    t->o.combine = (enum xfv_combine)t->combine;
    t->model = env->model;
    if (status) return status;
    if (t->combine == XFV_COMBINE_CONTRAST) return open_contrast(t, env, e);
    return xfv_pathmap_new(env->model, &t->o, env->workers, &t->maps, e);
}

static int see_face(struct grad *t, const struct xfv_subject *s, int i, int worker, struct xfv_err *e)
{
    int status = t->contrast ? xfv_contrast_see(t->contrast, worker, i, s->rgb[i], s->x[i], e)
                             : xfv_pathmap_see(t->maps, worker, i, s->rgb[i], s->x[i], e);
    const float *f = t->contrast ? xfv_contrast_embedding(t->contrast, worker, i)
                                 : xfv_pathmap_embedding(t->maps, worker, i);
    int n = t->contrast ? xfv_contrast_n(t->contrast) : xfv_pathmap_n(t->maps);
    if (!status) status = xfv_explain_check_embedding(s->face[i], t->model, f, n, e);
    return status ? xfv_fail_at(e, "face %s", i ? "b" : "a") : 0;
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct grad *t = ctx;
    int status = see_face(t, s, 0, worker, e);
    if (!status) status = see_face(t, s, 1, worker, e);
    if (status) return status;
    return t->contrast ? xfv_contrast_make(t->contrast, worker, map, e) : xfv_pathmap_make(t->maps, worker, map, e);
}

/* ---- the record ---- */


static const char *name_of(const void *ctx)
{
    const char *name = ((const struct grad *)ctx)->name;
    return name ? name : "path-grad";
}

static const struct xfv_value *value_of(const struct grad *t, const struct xfv_layer *l)
{
    return &t->model->graph->values[l->value];
}

/* Of contrast: what was asked for, and which witnesses the network and its model lack. */
static void put_settings(const struct grad *t, struct xfv_put *p)
{
    msgpack_object missing = xfv_val_map(p->zone);
    struct xfv_put put = xfv_put_into(p->zone, &missing, p->e);
    xfv_put_text(p, "combine", xfv_combines[t->combine]);
    xfv_put_f64(p, "smooth", t->contrast_opts.smooth);
    for (int i = 0; i < XFV_CONTRAST_WITNESSES; i++) {
        const char *why = xfv_contrast_missing(t->contrast, (enum xfv_contrast_witness)i);
        if (why) xfv_put_text(&put, xfv_contrast_names[i], why);
    }
    if (missing.via.map.size) xfv_put_filled(p, "left_out", &put);
}

static void params(const void *ctx, struct xfv_put *put)
{
    const struct grad *t = ctx;
    char grid[64];
    if (t->contrast) {
        put_settings(t, put);
        return;
    }
    xfv_shape_text(value_of(t, xfv_pathmap_layer(t->maps))->shape, grid);
    xfv_put_text(put, "kind", xfv_pathmap_kinds[t->kind]);
    xfv_put_text(put, "layer", grid);
    if (t->o.kind == XFV_PATHMAP_PATH) xfv_put_int(put, "steps", t->o.steps);
    xfv_put_text(put, "baseline", xfv_pathmap_baselines[t->baseline]);
    if (t->o.baseline == XFV_PATHMAP_BLUR) xfv_put_f64(put, "sigma", t->o.sigma);
    xfv_put_text(put, "combine", xfv_combines[t->combine]);
}

static void put_plane(struct xfv_put *p, const char *key, int height, int width, float *plane)
{
    struct xfv_tensor v = xfv_tensor_view(XFV_F32, 2, (size_t[]){(size_t)height, (size_t)width}, plane);
    xfv_put_tensor(p, key, &v);
}

static void put_sides(const struct grad *t, const struct xfv_pathmap_way way[2], struct xfv_put *p)
{
    const struct xfv_layer *l = xfv_pathmap_layer(t->maps);
    for (int i = 0; i < 2; i++) put_plane(p, xfv_sides[i], l->h, l->w, way[i].cells);
}

/* How far the sum of the cells is from the change of the score along the path. */
static void put_gap(const struct xfv_pathmap_way way[2], struct xfv_put *p)
{
    double gap[2];
    for (int i = 0; i < 2; i++) gap[i] = way[i].sums.sum - (way[i].sums.to - way[i].sums.from);
    xfv_put_f64s(p, "gap", gap, 2);
}

/* Where a layer's cells lie: cell (i, j) is centred at pixel origin + step (i, j) of the network's input. */
static void put_place(const struct grad *t, const struct xfv_layer *l, struct xfv_put *p)
{
    xfv_put_text(p, "value", value_of(t, l)->name);
    xfv_put_f64s(p, "origin", l->origin, 2);
    xfv_put_f64s(p, "step", l->step, 2);
}

static void put_cells(const struct grad *t, const struct xfv_pathmap_parts *parts, struct xfv_put *p)
{
    const struct xfv_layer *l = xfv_pathmap_layer(t->maps);
    msgpack_object cells = xfv_val_map(p->zone);
    struct xfv_put put = xfv_put_into(p->zone, &cells, p->e);
    put_place(t, l, &put);
    put_sides(t, parts->own, &put);
    xfv_put_filled(p, "cells", &put);
}

/* What a witness of contrast says, before it is smoothed and scaled. */
static void put_witness(const struct grad *t, int worker, enum xfv_contrast_witness w, struct xfv_put *p)
{
    static const char *const which[] = {"similarity", "dissimilarity"};
    const struct xfv_layer *l = xfv_contrast_layer(t->contrast, w);
    msgpack_object cells = xfv_val_map(p->zone);
    struct xfv_put put = xfv_put_into(p->zone, &cells, p->e);
    put_place(t, l, &put);
    xfv_put_f64s(&put, "weights", (double[]){xfv_contrast_weight(w, 0), xfv_contrast_weight(w, 1)}, 2);
    xfv_put_f64(&put, "smooth", xfv_contrast_smooth(t->contrast, w));
    for (int k = 0; k < 2; k++) put_plane(&put, which[k], l->h, l->w, xfv_contrast_cells(t->contrast, worker, w, k));
    xfv_put_filled(p, xfv_contrast_names[w], &put);
}

static void extra_contrast(const struct grad *t, const struct xfv_subject *s, int worker, struct xfv_put *p,
                           struct xfv_put side[2])
{
    msgpack_object witnesses = xfv_val_map(p->zone);
    struct xfv_put put = xfv_put_into(p->zone, &witnesses, p->e);
    for (int i = 0; i < XFV_CONTRAST_WITNESSES; i++)
        if (!xfv_contrast_missing(t->contrast, (enum xfv_contrast_witness)i))
            put_witness(t, worker, (enum xfv_contrast_witness)i, &put);
    xfv_put_filled(p, "witnesses", &put);
    for (int i = 0; i < 2; i++)
        put_plane(&side[i], "signed", s->height, s->width, xfv_contrast_signed(t->contrast, worker));
}

static void put_partner(const struct grad *t, const struct xfv_pathmap_parts *parts, struct xfv_put *p)
{
    msgpack_object partner = xfv_val_map(p->zone);
    struct xfv_put put = xfv_put_into(p->zone, &partner, p->e);
    put_sides(t, parts->partner, &put);
    put_gap(parts->partner, &put);
    xfv_put_filled(p, "partner", &put);
}

static void put_agreement(const struct grad *t, const struct xfv_pathmap_parts *parts, struct xfv_put *p)
{
    msgpack_object agreement = xfv_val_map(p->zone);
    struct xfv_put put = xfv_put_into(p->zone, &agreement, p->e);
    for (int i = 0; i < xfv_pathmap_looks(t->maps); i++) {
        const struct xfv_layer *l = xfv_pathmap_look(t->maps, i);
        char shape[64];
        put_plane(&put, xfv_shape_text(value_of(t, l)->shape, shape), l->h, l->w, parts->agreement[i]);
    }
    xfv_put_filled(p, "agreement", &put);
}

static void extra(void *ctx, const struct xfv_subject *s, int worker, struct xfv_put *put, struct xfv_put side[2])
{
    const struct grad *t = ctx;
    if (t->contrast) {
        extra_contrast(t, s, worker, put, side);
        return;
    }
    const struct xfv_pathmap_parts *parts = xfv_pathmap_parts(t->maps, worker);
    const struct xfv_pathmap_way *own = parts->own;
    double from[2] = {own[0].sums.from, own[1].sums.from};
    xfv_put_f64(put, "score", own[0].sums.to);
    xfv_put_f64s(put, "from", from, 2);
    put_gap(own, put);
    put_cells(t, parts, put);
    if (t->o.combine == XFV_COMBINE_JOINT) {
        put_partner(t, parts, put);
        put_agreement(t, parts, put);
    }
    for (int i = 0; i < 2; i++) put_plane(&side[i], XFV_KEY_SIGNED, s->height, s->width, parts->sign[i]);
}

/* ---- options ---- */

static const struct xfv_opt options[] = {
    {"kind", 'k', "KIND", "along a path of features (default), or the exact scores of the last map's cells",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct grad, kind, xfv_pathmap_kinds), XFV_GIVEN(struct grad, given_kind)},
    {"layer", 'l', "NAME", "auto (default), fine, cells, a grid (14x14) or a value's name", XFV_OPT_RESULT,
     XFV_TO_TEXT(struct grad, o.layer, 0)},
    {"steps", 'n', "N", "steps of the path (default 4)", XFV_OPT_RESULT, XFV_TO_INT(struct grad, o.steps, 1, 4096),
     XFV_GIVEN(struct grad, given_steps)},
    {"baseline", 0, "WHAT", "where the path begins (default mean: the average face)", XFV_OPT_RESULT,
     XFV_TO_CHOICE(struct grad, baseline, xfv_pathmap_baselines), XFV_GIVEN(struct grad, given_baseline)},
    {"combine", 0, "HOW", "how the faces' maps join (default contrast, or pair with an option of paths)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct grad, combine, xfv_combines), XFV_GIVEN(struct grad, given_combine)},
    {"fast", 0, NULL, "of contrast: 7 passes instead of 11, without the fine cells", XFV_OPT_RESULT,
     XFV_TO_FLAG(struct grad, contrast_opts.fast, 1)},
    {"smooth", 0, "CELLS", "of contrast: blur its witnesses by that at least (default 0)", XFV_OPT_RESULT,
     XFV_TO_F64(struct grad, contrast_opts.smooth, 0, 10), XFV_GIVEN(struct grad, given_smooth)},
    {"sigma", 0, "PIXELS", "of --baseline blur (default 8)", XFV_OPT_RESULT,
     XFV_TO_F64(struct grad, o.sigma, 0.1, 100)},
    {"as", 0, "NAME", "the method's name in the record, to tell several settings apart (default path-grad)",
     XFV_OPT_RESULT, XFV_TO_TEXT(struct grad, name, 63)},
    {"cache", 0, "SIZE", "memory for the features of faces seen before (default 64M, two faces at least)", 0,
     XFV_TO_SIZE(struct grad, o.cache_bytes, 0, SIZE_MAX / 2)},
    {0},
};

int main(int argc, char **argv)
{
    static struct grad t = {.o = {.steps = 4, .sigma = 8, .cache_bytes = (size_t)64 << 20}};
    static const struct xfv_program program = {
        .name = "path-grad",
        .summary = "Explain each pair by gradients along a path of inner features, from the average face: pairs in, "
                   "the same with maps out.",
        .operands = "[FILE]...",
        .example = "facecrop a.jpg b.jpg | embed | verify | path-grad | heatmap -o why.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    static const struct xfv_explainer method = {.method = "path-grad",
                                                .name = name_of,
                                                .flags = XFV_EXPLAIN_OWN_FORWARD,
                                                .open = open_method,
                                                .close = close_method,
                                                .params = params,
                                                .explain = explain,
                                                .extra = extra};
    return xfv_explainer_main(&method, &program, argc, argv);
}
