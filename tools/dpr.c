/* dpr: Decision-based Patch Replacement, a yardstick for pairs with patches of another face. See dpr(1). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pair/identity.h"
#include "stage/blackbox.h"
#include "measure/delins.h"
#include "measure/sheet.h"
#include "stage/stage.h"
#include "pair/label.h"
#include "pair/maps.h"

enum { STEPS = 20 }; /* 0, 5, ... 95 % of the pixels restored */
static const char *const formats[] = {"tsv", "markdown", "json", NULL};

struct worker {
    float *map, *spare, *fill;
    uint32_t *order;
};

struct dpr {
    struct xfv_blackbox box; /* the network that is asked: the model, or --exec; its common.threshold */
    struct xfv_cli *c;
    int format, replicates;
    double blur;
    /* the model of the segment at hand */
    struct xfv_model *model;
    char digest[65];
    struct xfv_net *net;
    struct xfv_pool *pool;
    struct worker *workers;
    struct xfv_sheet *sheet;
};

/* ---- memory that depends on the model ---- */

static void close_model(struct dpr *t)
{
    xfv_blackbox_close(&t->box);
    xfv_net_free(t->net);
    for (int i = 0; t->workers && i < xfv_pool_size(t->pool); i++) {
        free(t->workers[i].map);
        free(t->workers[i].spare);
        free(t->workers[i].fill);
        free(t->workers[i].order);
    }
    free(t->workers);
    t->net = NULL;
    t->workers = NULL;
}

static int open_model(struct dpr *t, struct xfv_err *e)
{
    const struct xfv_model *m = t->model;
    size_t pixels = (size_t)m->height * (size_t)m->width;
    int workers = xfv_pool_size(t->pool);
    close_model(t);
    if (m->embedding < 0) return xfv_fail(e, XFV_EMODEL, "model '%s' is of kind '%s', not an embedding network", m->name, m->kind);
    if (m->score == XFV_SCORE_EUCLIDEAN) return xfv_fail(e, XFV_EMODEL, "model '%s' decides by distance; dpr knows the cosine only", m->name);
    int status = xfv_net_new(m->graph, 0, &m->embedding, 1, &t->net, e);
    struct xfv_explain_env env = {t->c, m, t->net, (int)xfv_shape_count(m->graph->values[m->embedding].shape), workers, t->pool};
    if (!status) status = xfv_blackbox_open(&t->box, &env, e);
    if (status) return status;
    t->workers = calloc((size_t)workers, sizeof *t->workers);
    int ok = t->workers != NULL;
    for (int i = 0; ok && i < workers; i++) {
        struct worker *w = &t->workers[i];
        w->map = malloc(pixels * sizeof *w->map);
        w->spare = malloc(pixels * sizeof *w->spare);
        w->fill = malloc(3 * pixels * sizeof *w->fill);
        w->order = malloc(pixels * sizeof *w->order);
        ok = w->map && w->spare && w->fill && w->order;
    }
    snprintf(t->digest, sizeof t->digest, "%s", m->digest);
    return ok ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static int head(void *ctx, const struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra, struct xfv_err *e)
{
    struct dpr *t = ctx;
    (void)set, (void)zone, (void)extra;
    int status = xfv_cli_stream_model(t->c, in, &t->model, e);
    return !status && (!t->box.probe || strcmp(t->digest, t->model->digest)) ? open_model(t, e) : status;
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx;
    return xfv_rec_kind(r) == XFV_PAIR;
}

/* ---- one pair ---- */

struct pair {
    const msgpack_object *root, *face[2];
    struct xfv_tensor rgb, original; /* of the changed face */
    int side, genuine;
    double threshold, score;
    const char *id;
    size_t n_id;
};

static int look_at(const struct dpr *t, const msgpack_object *root, struct pair *p, struct xfv_err *e)
{
    const msgpack_object *truth = xfv_map_get(root, "truth");
    char side[8];
    *p = (struct pair){.root = root, .face = {xfv_map_get(root, "a"), xfv_map_get(root, "b")}, .threshold = t->box.common.threshold, .id = ""};
    if (xfv_get_str(root, "id", &p->id, &p->n_id, NULL)) p->id = "", p->n_id = 0;
    if (!xfv_map_get(truth, "original") || xfv_get_text(truth, "face", side, sizeof side, NULL) || xfv_parse_choice("face", side, xfv_sides, &p->side, NULL))
        return xfv_fail_code(e, XFV_EDATA, "truth", "the pair does not hold its image as it was: plant --kind patches makes such pairs");
    if ((p->genuine = xfv_pair_label(root)) < 0) return xfv_fail_code(e, XFV_EDATA, "pair", "the pair has no label: verify --pairs with a list that has them");
    if (xfv_get_f64(root, "score", &p->score, e)) return xfv_fail_code(e, XFV_EDATA, "pair", "%s", e->msg);
    if (!t->box.common.given_threshold && (xfv_get_f64(root, "threshold", &p->threshold, NULL) || !isfinite(p->threshold)))
        return xfv_fail_code(e, XFV_EDATA, "threshold", "the pair has no threshold: run verify before dpr, or give --threshold");
    size_t shape[3] = {(size_t)t->model->height, (size_t)t->model->width, 3};
    int status = xfv_cli_face_image(p->face[p->side], t->model, &p->rgb, e);
    if (status) return status;
    status = xfv_get_tensor(truth, "original", XFV_U8, 3, shape, &p->original, e);
    return status == XFV_ENOMEM ? status : status ? xfv_fail_code(e, XFV_EDATA, "truth", "the pair's original image: %s", e->msg) : 0;
}

/* The partner's embedding as a unit vector. */
static int partner(const struct dpr *t, const struct pair *p, double *unit, struct xfv_err *e)
{
    struct xfv_tensor f;
    size_t n = (size_t)xfv_probe_n(t->box.probe);
    double norm = 0;
    int status = xfv_get_tensor(p->face[1 - p->side], "embedding", XFV_F32, 1, &n, &f, e);
    if (status) return status == XFV_ENOMEM ? status : xfv_fail_code(e, XFV_EDATA, "embedding", "face %s: %s", xfv_sides[1 - p->side], e->msg);
    for (size_t i = 0; i < n; i++) unit[i] = (double)((const float *)f.data)[i], norm += unit[i] * unit[i];
    xfv_tensor_clear(&f);
    if (!(norm > 0) || !isfinite(norm)) return xfv_fail_code(e, XFV_EDATA, "embedding", "face %s has an embedding without direction", xfv_sides[1 - p->side]);
    for (size_t i = 0; i < n; i++) unit[i] /= sqrt(norm);
    return 0;
}

/* Similarity less dissimilarity, on the changed face. *one: 1 when both are one map, whose size is all that it says. */
static int read_map(const struct dpr *t, const struct pair *p, const struct xfv_map_entry *entry, struct worker *w, int *one,
                    struct xfv_err *e)
{
    int height = t->model->height, width = t->model->width;
    size_t n = (size_t)height * (size_t)width;
    memset(w->map, 0, n * sizeof *w->map);
    *one = 1;
    for (int k = 0; k < 2; k++) {
        int status = xfv_map_need(entry, p->side, xfv_map_keys[k], height, width, w->spare, e);
        if (status) return status;
        *one = *one && !(k && memcmp(w->map, w->spare, n * sizeof *w->map));
        for (size_t i = 0; i < n && !(k && *one); i++) w->map[i] += k ? -w->spare[i] : w->spare[i];
    }
    return 0;
}

struct restore { const uint32_t *order; size_t n; int lowest; };

/* 0 where the original comes back. */
static void mask(void *ctx, int i, float *m)
{
    const struct restore *r = ctx;
    size_t k = (r->n * (size_t)i + STEPS / 2) / STEPS;
    for (size_t p = 0; p < r->n; p++) m[p] = 1;
    for (size_t p = 0; p < k; p++) m[r->order[r->lowest ? r->n - 1 - p : p]] = 0;
}

static int measure(struct dpr *t, const struct pair *p, int worker, const struct xfv_map_entry *entry, const double *unit, double *scores, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    int h = t->model->height, width = t->model->width;
    struct restore r = {w->order, (size_t)h * (size_t)width, p->score < p->threshold};
    struct xfv_delins_opts o = {.steps = STEPS, .ties = XFV_TIES_RANDOM, .blur = t->blur};
    struct xfv_random random = xfv_random_new(t->box.common.seed, p->id, p->n_id); /* the same for every method */
    int one, status = read_map(t, p, entry, w, &one, e);
    if (!status && one) r.lowest = 0;
    if (!status) status = xfv_delins_order(&o, w->map, h, width, &random, w->order, e);
    for (size_t i = 0; i < 3 * r.n && !status; i++) w->fill[i] = ((const uint8_t *)p->original.data)[i];
    return status ? status : xfv_probe_scores(t->box.probe, worker, p->rgb.data, w->fill, STEPS, mask, &r, unit, scores, e);
}

static int measure_all(struct dpr *t, const struct pair *p, int worker, msgpack_zone *z, msgpack_object *list, struct xfv_err *e)
{
    struct xfv_maps entries;
    double scores[STEPS], *unit = malloc((size_t)xfv_probe_n(t->box.probe) * sizeof *unit);
    int status = unit ? partner(t, p, unit, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status) status = xfv_maps_wanted(p->root, &entries, e);
    for (uint32_t i = 0; !status && i < entries.n; i++) {
        struct xfv_map_entry entry;
        msgpack_object r = xfv_val_map(z);
        xfv_maps_entry(&entries, i, &entry);
        struct xfv_put put = {z, &r, e, measure(t, p, worker, &entry, unit, scores, e)};
        xfv_put_text(&put, XFV_KEY_METHOD, entry.method);
        xfv_put_f64s(&put, "scores", scores, STEPS);
        xfv_put_f64(&put, "threshold", p->threshold);
        status = put.status ? put.status : xfv_array_push(z, list, r, e);
    }
    free(unit);
    return status;
}

static int work(void *ctx, struct xfv_rec *r, int slot, int worker, struct xfv_err *e)
{
    struct dpr *t = ctx;
    struct pair p;
    msgpack_zone *z = xfv_rec_zone(r);
    msgpack_object list = xfv_val_array(z);
    (void)slot;
    int status = look_at(t, xfv_rec_root(r), &p, e);
    if (!status) status = measure_all(t, &p, worker, z, &list, e);
    xfv_tensor_clear(&p.original);
    return status ? status : xfv_map_put(z, xfv_rec_root(r), "dpr", list, e);
}

/* ---- the table ---- */

/* A wrong decision counts 1, and the area is the mean over the shares that were restored. */
static int tally(struct dpr *t, long at, const msgpack_object *entry, int genuine, struct xfv_err *e)
{
    char method[64], test[64];
    double scores[STEPS], threshold, wrong = 0;
    const char *rate = genuine ? "fnmr" : "fmr";
    int status = 0;
    if (xfv_get_text(entry, "method", method, sizeof method, e) || xfv_get_f64s(entry, "scores", scores, STEPS, e) ||
        xfv_get_f64(entry, "threshold", &threshold, e)) return e->status;
    for (int i = 0; i < STEPS && !status; i++) {
        double v = (scores[i] >= threshold) != genuine;
        snprintf(test, sizeof test, "%s at %d %%", rate, 100 / STEPS * i);
        status = xfv_sheet_add(t->sheet, at, method, test, v, e);
        if (i) wrong += v;
    }
    snprintf(test, sizeof test, "%s, mean", rate);
    return status ? status : xfv_sheet_add(t->sheet, at, method, test, wrong / (STEPS - 1), e);
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct dpr *t = ctx;
    const msgpack_object *root = xfv_rec_root(*r), *list = xfv_map_get(root, "dpr");
    const char *name[2];
    size_t n[2];
    int genuine = xfv_pair_label(root);
    int status = genuine < 0 ? xfv_fail(e, XFV_EDATA, "the pair has no label") : 0;
    (void)w;
    for (int i = 0; i < 2 && !status; i++) {
        const char *id;
        size_t len;
        if (xfv_get_str(xfv_map_get(root, xfv_sides[i]), "id", &id, &len, NULL)) id = "", len = 0;
        name[i] = xfv_identity_of(id, len, XFV_IDENTITY_NAME, &n[i]);
    }
    if (status) return status;
    long at = xfv_sheet_case(t->sheet, name[0], n[0], name[1], n[1]);
    if (at < 0) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < list->via.array.size && !status; i++) status = tally(t, at, &list->via.array.ptr[i], genuine, e);
    return status;
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct dpr *t = ctx;
    char why[200];
    (void)w;
    if (xfv_stage_no_pairs(t->c, "plant --kind patches, embed, verify and an explainer", why, sizeof why)) {
        xfv_cli_warn(t->c, "%s", why);
        xfv_cli_some_failed(t->c);
    }
    FILE *f = xfv_cli_out_file(t->c, e);
    return f ? xfv_sheet_print(t->sheet, (enum xfv_sheet_format)t->format, t->replicates, t->box.common.seed, f, e) : e->status;
}

/* ---- options ---- */

static const struct xfv_opt options[] = {
    {"format", 'f', "KIND", "of the table (default tsv; json: a line a value)",
     0, XFV_TO_CHOICE(struct dpr, format, formats)},
    {"blur", 'b', "SIGMA", "blur every map first (pixels, default 5; 0: not)", 0, XFV_TO_F64(struct dpr, blur, 0, 100)},
    {"threshold", 't', "X", "decide at X (default: the pair's own threshold)", 0, XFV_TO_THRESHOLD},
    {"replicates", 0, "N", "of the bootstrap (default 1000)", 0, XFV_TO_INT(struct dpr, replicates, 0, 100000)},
    {"seed", 0, "N", "start of the generator for ties and bootstrap (default 0)",
     0, XFV_TO_SEED(struct xfv_explain_opts, seed)},
    XFV_OPT_EXEC,
    {0},
};

int main(int argc, char **argv)
{
    static struct dpr t = {.blur = 5, .replicates = 1000};
    static const struct xfv_program program = {
        .name = "dpr",
        .summary = "Judge explanations by giving patched pixels back: pairs with patches and maps in, error rates out.",
        .operands = "[FILE]...",
        .example = "plant -k patches -d faces.xfv pairs.xfv | embed | verify | control-map | path-grad | dpr -f markdown",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    static const struct xfv_stage stage = {.ctx = &t, .head = head, .wants = wants, .work = work, .emit = emit, .finish = finish, .sink = 1};
    struct xfv_err e = {0};
    int exit_status;
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    t.pool = xfv_pool_new(xfv_cli_jobs(t.c));
    t.sheet = xfv_sheet_new();
    int status = t.pool && t.sheet ? 0 : xfv_fail(&e, XFV_ENOMEM, "out of memory");
    exit_status = status ? xfv_cli_finish(t.c, &e, 0) : xfv_cli_finish(t.c, NULL, xfv_stage_run(t.c, t.pool, &stage));
    close_model(&t);
    xfv_pool_free(t.pool);
    xfv_sheet_free(t.sheet);
    xfv_model_free(t.model);
    return exit_status;
}
