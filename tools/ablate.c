/* ablate: tries each map of a pair on that pair: does what it marks matter more than other places? What a trial is:
 * measure/ablate.h; use: ablate(1). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "face/mean_face.h"
#include "measure/ablate.h"
#include "pair/score.h"
#include "pair/verdict.h"
#include "pair/view.h"
#include "stage/blackbox.h"
#include "stage/stage.h"

enum sign { AUTO, SIMILARITY, DISSIMILARITY, BOTH };
static const char *const signs[] = {"auto", "similarity", "dissimilarity", "both", NULL};
static const char *const sides[] = {"a", "b"};

struct worker { float *embedding[2], *map[2]; struct xfv_trial trial; };

struct ablate {
    struct xfv_blackbox box; /* the network that is asked: the model, or --exec; its common.threshold and seed */
    struct xfv_cli *c;
    struct xfv_ablate_opts o;
    int fill, sign;
    const char *method;
    uint64_t n_pairs;
    /* the model of the segment at hand */
    struct xfv_model *model;
    char file[65]; /* digest of the model's file that is open */
    struct xfv_net *net;
    struct xfv_pool *pool;
    struct worker *workers;
    float *mean;             /* the mean face in this model's crop, f32 [H][W][3] */
    uint8_t *oval, *whole;   /* u8 [H][W]: where the face is; 1 everywhere, for pictures that are no faces */
};

/* ---- memory that depends on the model ---- */

static void close_model(struct ablate *t)
{
    xfv_blackbox_close(&t->box);
    xfv_net_free(t->net);
    for (int i = 0; t->workers && i < xfv_pool_size(t->pool); i++)
        for (int k = 0; k < 2; k++) free(t->workers[i].embedding[k]), free(t->workers[i].map[k]);
    free(t->workers), free(t->mean), free(t->oval), free(t->whole);
    t->net = NULL;
    t->workers = NULL;
    t->mean = NULL;
    t->oval = t->whole = NULL;
}

static int make_workers(struct ablate *t, size_t pixels, struct xfv_err *e)
{
    int n = xfv_pool_size(t->pool);
    t->workers = calloc((size_t)n, sizeof *t->workers);
    int ok = t->workers != NULL;
    for (int i = 0; i < n && ok; i++) {
        struct worker *w = &t->workers[i];
        for (int k = 0; k < 2 && ok; k++) {
            w->embedding[k] = malloc((size_t)t->box.n * sizeof(float));
            w->map[k] = malloc(pixels * sizeof(float));
            ok = w->embedding[k] && w->map[k];
        }
    }
    return ok ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static int open_model(struct ablate *t, struct xfv_err *e)
{
    const struct xfv_model *m = t->model;
    size_t pixels = (size_t)m->height * (size_t)m->width;
    close_model(t);
    if (m->embedding < 0)
        return xfv_fail(e, XFV_EMODEL, "model '%s' is of kind '%s', not an embedding network", m->name, m->kind);
    t->o.distance = m->score == XFV_SCORE_EUCLIDEAN;
    int status = xfv_net_new(m->graph, 0, &m->embedding, 1, &t->net, e);
    struct xfv_explain_env env = {t->c, m, t->net, (int)xfv_shape_count(m->graph->values[m->embedding].shape),
                                  xfv_pool_size(t->pool), t->pool};
    if (!status) status = xfv_blackbox_open(&t->box, &env, e);
    if (!status) status = make_workers(t, pixels, e);
    t->mean = malloc(3 * pixels * sizeof *t->mean);
    t->oval = malloc(pixels);
    t->whole = malloc(pixels);
    if (!status && !(t->mean && t->oval && t->whole)) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    const double *template_xy = xfv_model_has_template(m) ? m->template_xy : NULL;
    if (!status) status = xfv_mean_face(template_xy, m->height, m->width, t->mean, t->oval, e);
    if (!status) memset(t->whole, 1, pixels);
    snprintf(t->file, sizeof t->file, "%s", m->file);
    return status;
}

static int head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                struct xfv_err *e)
{
    struct ablate *t = ctx;
    (void)set;
    int status = xfv_cli_stream_model(t->c, in, &t->model, e);
    if (!status && (!t->box.probe || strcmp(t->file, t->model->file))) status = open_model(t, e);
    return status ? status : xfv_stage_put_maker(t->model, zone, extra, e);
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx;
    return xfv_rec_kind(r) == XFV_PAIR;
}

/* ---- one pair ---- */

struct subject {
    struct xfv_ablate_pair pair;
    int generic;
    const char *id;
    size_t n_id;
};

struct look { int n; float *to; };

static void look_take(void *ctx, int i, const float *f)
{
    const struct look *l = ctx;
    (void)i;
    memcpy(l->to, f, (size_t)l->n * sizeof *f);
}

/* The face's embedding, which must be the one that the pair was decided with. */
static int embed(struct ablate *t, const msgpack_object *face, const uint8_t *rgb, int worker, float *to,
                 struct xfv_err *e)
{
    struct look l = {t->box.n, to};
    int status = xfv_probe_run(t->box.probe, worker, rgb, NULL, 1, NULL, look_take, &l, e);
    if (status || t->box.common.foreign) return status;
    return xfv_explain_check_embedding(face, t->model, to, t->box.n, e);
}

static int look_at(struct ablate *t, const msgpack_object *root, int worker, struct subject *s, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    *s = (struct subject){.id = "", .pair = {.height = t->model->height, .width = t->model->width, .mean = t->mean,
                                             .threshold = t->box.common.threshold}};
    if (xfv_get_str(root, "id", &s->id, &s->n_id, NULL)) s->id = "", s->n_id = 0;
    if (!t->box.common.given_threshold &&
        (xfv_get_f64(root, "threshold", &s->pair.threshold, NULL) || !isfinite(s->pair.threshold)))
        return xfv_fail_code(e, XFV_EDATA, "threshold",
                             "the pair has no threshold: run verify before ablate, or give --threshold");
    for (int i = 0; i < 2; i++) {
        const msgpack_object *face = xfv_map_get(root, sides[i]);
        struct xfv_tensor image;
        int generic = 0, status = xfv_cli_face_image(face, t->model, &image, e);
        if (!status && !t->box.common.foreign) status = xfv_cli_face_model(face, t->model, e);
        if (!status) status = embed(t, face, image.data, worker, w->embedding[i], e);
        if (status) return xfv_fail_at(e, "face %s", sides[i]);
        s->generic |= !xfv_get_bool(face, "generic", &generic, NULL) && generic;
        s->pair.rgb[i] = image.data;
        s->pair.embedding[i] = w->embedding[i];
    }
    s->pair.oval = s->generic ? t->whole : t->oval;
    if (s->generic) s->pair.mean = NULL;
    return 0;
}

/* ---- the record ---- */

static void put_view(struct xfv_put *to, const struct xfv_trial *t, int view)
{
    const struct xfv_ablate_result *v = &t->view[view];
    msgpack_object m = xfv_val_map(to->zone);
    struct xfv_put put = xfv_put_into(to->zone, &m, to->e);
    if (!v->has) return;
    xfv_put_f64s(&put, "scores", v->scores, XFV_ABLATE_SHARES);
    xfv_put_f64(&put, "alone", v->alone);
    xfv_put_f64s(&put, "elsewhere", v->elsewhere, (size_t)t->places);
    if (!isnan(v->turns)) xfv_put_f64(&put, "turns", v->turns);
    xfv_put_filled(to, xfv_ablate_views[view], &put);
}

/* What measure/ablate.h found, as words need it. */
static struct xfv_verdict verdict_of(const struct ablate *t, const struct subject *s, const struct xfv_trial *r)
{
    double marked = fmax(r->marked[0], r->marked[1]);
    struct xfv_verdict v = {.state = r->tried ? XFV_TRIED : XFV_EMPTY, .minus = r->minus,
                            .base = r->base, .threshold = s->pair.threshold,
                            .share = fmin(xfv_ablate_shares[XFV_ABLATE_TESTED], marked), .score = r->score,
                            .elsewhere = r->elsewhere, .turns = r->turns, .rank = r->rank, .places = r->places,
                            .p = r->p};
    const char *fill = r->minus ? "partner" : s->generic && !t->fill ? "colour" : xfv_ablate_fills[t->fill];
    snprintf(v.fill, sizeof v.fill, "%s", fill);
    snprintf(v.changed, sizeof v.changed, "%s", !r->view[1].has ? "a" : !r->view[0].has ? "b" : "either");
    snprintf(v.turned, sizeof v.turned, "%s", xfv_ablate_views[r->turned]);
    return v;
}

static void put_trial(const struct ablate *t, const struct subject *s, const struct xfv_trial *r, const char *method,
                      struct xfv_put *to)
{
    msgpack_object m = xfv_val_map(to->zone);
    struct xfv_put put = xfv_put_into(to->zone, &m, to->e);
    struct xfv_verdict v = verdict_of(t, s, r);
    xfv_verdict_put(&put, &v, method);
    if (r->tried) {
        xfv_put_f64s(&put, "shares", xfv_ablate_shares, XFV_ABLATE_SHARES);
        for (int i = 0; i < XFV_ABLATE_VIEWS; i++) put_view(&put, r, i);
        xfv_put_f64(&put, "blur", t->o.blur);
        xfv_put_int(&put, "seed", (int64_t)t->box.common.seed);
        xfv_put_int(&put, "passes", r->passes);
    }
    xfv_put_filled(to, r->minus ? "dissimilarity" : "similarity", &put);
}

static void put_state(enum xfv_state state, int minus, const char *method, struct xfv_put *to)
{
    msgpack_object m = xfv_val_map(to->zone);
    struct xfv_put put = xfv_put_into(to->zone, &m, to->e);
    struct xfv_verdict v = {.state = state, .minus = minus};
    xfv_verdict_put(&put, &v, method);
    xfv_put_filled(to, minus ? "dissimilarity" : "similarity", &put);
}

/* ---- a pair's maps ---- */

/* The row of entry i: similarity and dissimilarity before a signed map. NULL: none. */
static const struct xfv_view_row *row_of(const struct xfv_pairview *view, int i)
{
    const struct xfv_view_row *found = NULL;
    for (int k = 0; k < view->n_rows; k++)
        if (view->row[k].entry == i && (!found || !view->row[k].signed_key[0])) found = &view->row[k];
    return found;
}

/* The map of face i into to; 0: it has none. A signed map is that of similarity and, negated, that of dissimilarity. */
static int take_map(const struct xfv_view_row *row, int i, int minus, size_t n, float *to)
{
    int is_signed = row->signed_key[0] != 0;
    const struct xfv_view_map *m = &row->map[i][is_signed ? 0 : minus];
    if (!m->v || m->state != XFV_TRIED) return 0;
    for (size_t k = 0; k < n; k++) to[k] = is_signed && minus ? -m->v[k] : m->v[k];
    return 1;
}

/* XFV_TRIED when one of the two marks something, or neither exists; a broken one speaks for both. */
static enum xfv_state state_of(const struct xfv_view_map *a, const struct xfv_view_map *b)
{
    if (a->state == XFV_BROKEN || b->state == XFV_BROKEN) return XFV_BROKEN;
    if (!a->v || !b->v) return a->v ? a->state : b->state;
    return a->state == XFV_TRIED || b->state == XFV_TRIED ? XFV_TRIED : a->state == XFV_EMPTY ? b->state : a->state;
}

static int try_sign(struct ablate *t, const struct subject *s, const struct xfv_view_row *row, int minus, int worker,
                    struct xfv_put *trial)
{
    struct worker *w = &t->workers[worker];
    size_t n = (size_t)t->model->height * (size_t)t->model->width;
    float *map[2];
    int slot = row->signed_key[0] ? 0 : minus;
    enum xfv_state state = state_of(&row->map[0][slot], &row->map[1][slot]);
    for (int i = 0; i < 2; i++) map[i] = take_map(row, i, minus, n, w->map[i]) ? w->map[i] : NULL;
    if (state == XFV_TRIED && !map[0] && !map[1]) return 0;
    if (state != XFV_TRIED) {
        put_state(state, minus, row->method, trial);
        return trial->status;
    }
    struct xfv_random r = xfv_random_new(t->box.common.seed, s->id, s->n_id); /* the same for every method */
    int status = xfv_ablate(&t->o, t->box.probe, worker, &s->pair, map, minus, r, &w->trial, trial->e);
    if (!status) put_trial(t, s, &w->trial, row->method, trial);
    return status ? status : trial->status;
}

static int try_entry(struct ablate *t, const struct subject *s, const struct xfv_view_row *row, int accept, int worker,
                     msgpack_zone *z, msgpack_object *entry, struct xfv_err *e)
{
    msgpack_object trial = xfv_val_map(z);
    struct xfv_put put = xfv_put_into(z, &trial, e);
    int status = 0;
    for (int minus = 0; minus < 2 && !status; minus++) {
        int wanted = t->sign == BOTH || (t->sign == AUTO ? minus != accept : minus == (t->sign == DISSIMILARITY));
        if (wanted) status = try_sign(t, s, row, minus, worker, &put);
    }
    return status || !trial.via.map.size ? status : xfv_map_put(z, entry, "trial", trial, e);
}

static int try_all(struct ablate *t, msgpack_object *root, const struct xfv_pairview *view, int worker, msgpack_zone *z,
                   struct xfv_err *e)
{
    struct subject s;
    double base;
    msgpack_object *maps = xfv_map_get_mut(root, "maps");
    int status = look_at(t, root, worker, &s, e);
    if (!status)
        status = (t->o.distance ? xfv_neg_distance : xfv_cosine)(s.pair.embedding[0], s.pair.embedding[1],
                                                                 (size_t)t->box.n, &base, e);
    for (uint32_t i = 0; !status && i < maps->via.array.size; i++) {
        const struct xfv_view_row *row = row_of(view, (int)i);
        if (row) status = try_entry(t, &s, row, base >= s.pair.threshold, worker, z, &maps->via.array.ptr[i], e);
    }
    return status;
}

static int work(void *ctx, struct xfv_rec *r, int slot, int worker, struct xfv_err *e)
{
    struct ablate *t = ctx;
    struct xfv_pairview view;
    msgpack_object *root = xfv_rec_root(r);
    (void)slot;
    int status = xfv_pairview_read(root, t->method, &view, e);
    if (!status && !view.n_rows)
        status = xfv_fail_code(e, XFV_EDATA, "maps",
                               "the pair has no maps%s%.100s: run an explainer (path-grad) before ablate",
                               t->method ? " of the method " : "", t->method ? t->method : "");
    if (!status) status = try_all(t, root, &view, worker, xfv_rec_zone(r), e);
    xfv_pairview_clear(&view);
    return status;
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct ablate *t = ctx;
    t->n_pairs++;
    return xfv_writer_put(w, *r, e);
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct ablate *t = ctx;
    (void)w, (void)e;
    xfv_stage_tell_no_pairs(t->c, "verify and an explainer (path-grad)", "");
    return 0;
}

/* ---- options ---- */

static const struct xfv_opt options[] = {
    {"sign", 0, "WHICH", "maps to try; auto (default): those that the decision rests on",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct ablate, sign, signs)},
    {"fill", 0, "KIND", "in the place of what similarity marks (default mean: the mean face)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct ablate, fill, xfv_ablate_fills)},
    {"places", 'n', "N", "other places that the map's own is compared with (default 20)",
     XFV_OPT_RESULT, XFV_TO_INT(struct ablate, o.places, 1, XFV_ABLATE_MOST_PLACES)},
    {"blur", 'b', "SIGMA", "blur of the map before its highest share is marked (default 5)",
     XFV_OPT_RESULT, XFV_TO_F64(struct ablate, o.blur, 0, 100)},
    {"method", 0, "NAME", "try the maps of this method only", XFV_OPT_RESULT, XFV_TO_TEXT(struct ablate, method, 0)},
    {"threshold", 't', "X", "decide at X (default: the pair's own threshold)", XFV_OPT_RESULT, XFV_TO_THRESHOLD},
    XFV_OPT_SEED,
    XFV_OPT_EXEC,
    {0},
};

int main(int argc, char **argv)
{
    static struct ablate t = {.o = {.blur = 5, .rim = 1.5, .places = 20}};
    static const struct xfv_program program = {
        .name = "ablate",
        .summary = "Try each map on its own pair, against other places: explained pairs in, the same with trials out.",
        .operands = "[FILE]...",
        .example = "facecrop a.jpg b.jpg | embed | verify | path-grad | ablate | heatmap -o why.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    struct xfv_stage stage = {.ctx = &t, .head = head, .wants = wants, .work = work, .emit = emit, .finish = finish};
    struct xfv_err e = {0};
    int exit_status;
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    t.o.fill = (enum xfv_ablate_fill)t.fill;
    t.pool = xfv_pool_new(xfv_cli_jobs(t.c));
    if (t.pool) exit_status = xfv_cli_finish(t.c, NULL, xfv_stage_run(t.c, t.pool, &stage));
    else exit_status = xfv_cli_finish(t.c, (xfv_fail(&e, XFV_ENOMEM, "out of memory"), &e), 0);
    close_model(&t);
    xfv_pool_free(t.pool);
    xfv_model_free(t.model);
    return exit_status;
}
