#include "stage/restore.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/delins.h"
#include "pair/identity.h"
#include "pair/label.h"
#include "pair/maps.h"
#include "stage/stage.h"

enum { STEPS = 20 }; /* 0, 5, ... 95 % of the pixels restored */

struct worker {
    float *map, *spare, *fill;
    uint32_t *order;
};

struct xfv_restore {
    const struct xfv_asker *a;
    const struct xfv_blackbox *box;
    double blur;
    int n_workers;
    struct worker *workers;
};

void xfv_restore_free(struct xfv_restore *t)
{
    for (int i = 0; t && i < t->n_workers; i++) {
        free(t->workers[i].map);
        free(t->workers[i].spare);
        free(t->workers[i].fill);
        free(t->workers[i].order);
    }
    if (t) free(t->workers);
    free(t);
}

struct xfv_restore *xfv_restore_new(const struct xfv_asker *a, const struct xfv_blackbox *box, double blur,
                                    struct xfv_err *e)
{
    const struct xfv_model *m = a->model;
    size_t pixels = (size_t)m->height * (size_t)m->width;
    if (m->score == XFV_SCORE_EUCLIDEAN) {
        xfv_fail(e, XFV_EMODEL, "model '%s' decides by distance, and the protocol dpr knows the cosine only", m->name);
        return NULL;
    }
    struct xfv_restore *t = calloc(1, sizeof *t);
    if (t)
        *t = (struct xfv_restore){a, box, blur, xfv_pool_size(a->pool),
                                  calloc((size_t)xfv_pool_size(a->pool), sizeof *t->workers)};
    int ok = t && t->workers;
    for (int i = 0; ok && i < t->n_workers; i++) {
        struct worker *w = &t->workers[i];
        w->map = malloc(pixels * sizeof *w->map);
        w->spare = malloc(pixels * sizeof *w->spare);
        w->fill = malloc(3 * pixels * sizeof *w->fill);
        w->order = malloc(pixels * sizeof *w->order);
        ok = w->map && w->spare && w->fill && w->order;
    }
    if (ok) return t;
    if (t && !t->workers) t->n_workers = 0;
    xfv_restore_free(t);
    xfv_fail(e, XFV_ENOMEM, "out of memory");
    return NULL;
}

/* ---- one pair ---- */

struct pair {
    const msgpack_object *root, *face[2];
    struct xfv_tensor rgb, original; /* of the changed face */
    int side;
    double threshold, score;
    const char *id;
    size_t n_id;
};

static int look_at(const struct xfv_restore *t, const msgpack_object *root, struct pair *p, struct xfv_err *e)
{
    const msgpack_object *truth = xfv_map_get(root, "truth");
    char side[8];
    *p = (struct pair){.root = root, .face = {xfv_map_get(root, "a"), xfv_map_get(root, "b")}, .id = ""};
    if (xfv_get_str(root, "id", &p->id, &p->n_id, NULL)) p->id = "", p->n_id = 0;
    if (!xfv_map_get(truth, "original") || xfv_get_text(truth, "face", side, sizeof side, NULL) ||
        xfv_parse_choice("face", side, xfv_sides, &p->side, NULL))
        return xfv_fail_code(e, XFV_EDATA, "truth",
                             "the pair does not hold its image as it was: plant --kind patches makes such pairs");
    if (xfv_pair_label(root) < 0)
        return xfv_fail_code(e, XFV_EDATA, "pair", "the pair has no label: verify --pairs with a list that has them");
    if (xfv_get_f64(root, "score", &p->score, e)) return xfv_fail_code(e, XFV_EDATA, "pair", "%s", e->msg);
    size_t shape[3] = {(size_t)t->a->model->height, (size_t)t->a->model->width, 3};
    int status = xfv_asker_threshold(t->a, &t->box->common, root, &p->threshold, e);
    if (!status) status = xfv_cli_face_image(p->face[p->side], t->a->model, &p->rgb, e);
    if (status) return status;
    status = xfv_get_tensor(truth, "original", XFV_U8, 3, shape, &p->original, e);
    return !status || status == XFV_ENOMEM
               ? status
               : xfv_fail_code(e, XFV_EDATA, "truth", "the pair's original image: %s", e->msg);
}

/* The partner's embedding as a unit vector. */
static int partner(const struct xfv_restore *t, const struct pair *p, double *unit, struct xfv_err *e)
{
    struct xfv_tensor f;
    size_t n = (size_t)xfv_probe_n(t->box->probe);
    double norm = 0;
    int status = xfv_get_embedding(p->face[1 - p->side], n, &f, e);
    if (status)
        return status == XFV_ENOMEM
                   ? status
                   : xfv_fail_code(e, XFV_EDATA, "embedding", "face %s: %s", xfv_sides[1 - p->side], e->msg);
    for (size_t i = 0; i < n; i++) unit[i] = (double)((const float *)f.data)[i], norm += unit[i] * unit[i];
    xfv_tensor_clear(&f);
    if (!(norm > 0) || !isfinite(norm))
        return xfv_fail_code(e, XFV_EDATA, "embedding", "face %s has an embedding without direction",
                             xfv_sides[1 - p->side]);
    for (size_t i = 0; i < n; i++) unit[i] /= sqrt(norm);
    return 0;
}

/* Similarity less dissimilarity, on the changed face. *one: 1 when both are one map, whose size is all that it says. */
static int read_map(const struct xfv_restore *t, const struct pair *p, const struct xfv_map_entry *entry,
                    struct worker *w, int *one, struct xfv_err *e)
{
    int height = t->a->model->height, width = t->a->model->width;
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

static int measure(struct xfv_restore *t, const struct pair *p, int worker, const struct xfv_map_entry *entry,
                   const double *unit, double *scores, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    int h = t->a->model->height, width = t->a->model->width;
    struct restore r = {w->order, (size_t)h * (size_t)width, p->score < p->threshold};
    struct xfv_delins_opts o = {.steps = STEPS, .ties = XFV_TIES_RANDOM, .blur = t->blur};
    struct xfv_random random = xfv_random_new(t->box->common.seed, p->id, p->n_id); /* the same for every method */
    int one, status = read_map(t, p, entry, w, &one, e);
    if (!status && one) r.lowest = 0;
    if (!status) status = xfv_delins_order(&o, w->map, h, width, &random, w->order, e);
    for (size_t i = 0; i < 3 * r.n && !status; i++) w->fill[i] = ((const uint8_t *)p->original.data)[i];
    return status ? status
                  : xfv_probe_scores(t->box->probe, worker, p->rgb.data, w->fill, STEPS, mask, &r, unit, scores, e);
}

static int measure_all(struct xfv_restore *t, const struct pair *p, int worker,
                       int (*wanted)(const void *ctx, const msgpack_object *entry), const void *ctx, msgpack_zone *z,
                       msgpack_object *list, struct xfv_err *e)
{
    struct xfv_maps entries;
    double scores[STEPS], *unit = malloc((size_t)xfv_probe_n(t->box->probe) * sizeof *unit);
    int status = unit ? partner(t, p, unit, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status) status = xfv_maps_wanted(p->root, &entries, e);
    for (uint32_t i = 0; !status && i < entries.n; i++) {
        struct xfv_map_entry entry;
        msgpack_object r = xfv_val_map(z);
        xfv_maps_entry(&entries, i, &entry);
        if (!wanted(ctx, entry.map)) continue;
        struct xfv_put put = {z, &r, e, measure(t, p, worker, &entry, unit, scores, e)};
        xfv_put_text(&put, XFV_KEY_METHOD, entry.method);
        xfv_put_f64s(&put, "scores", scores, STEPS);
        xfv_put_f64(&put, "threshold", p->threshold);
        status = put.status ? put.status : xfv_array_push(z, list, r, e);
    }
    free(unit);
    return status;
}

int xfv_restore_work(struct xfv_restore *t, struct xfv_rec *pair, int worker,
                     int (*wanted)(const void *ctx, const msgpack_object *entry), const void *ctx, struct xfv_err *e)
{
    struct pair p;
    msgpack_zone *z = xfv_rec_zone(pair);
    msgpack_object list = xfv_val_array(z);
    int status = look_at(t, xfv_rec_root(pair), &p, e);
    if (!status) status = measure_all(t, &p, worker, wanted, ctx, z, &list, e);
    xfv_tensor_clear(&p.original);
    return status ? status : xfv_map_put(z, xfv_rec_root(pair), "dpr", list, e);
}

/* ---- the table ---- */

/* A wrong decision counts 1, and the area is the mean over the shares that were restored. */
static int tally(struct xfv_sheet *sheet, long at, const msgpack_object *entry, int genuine, struct xfv_err *e)
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
        status = xfv_sheet_add(sheet, at, method, test, v, e);
        if (i) wrong += v;
    }
    snprintf(test, sizeof test, "%s, mean", rate);
    return status ? status : xfv_sheet_add(sheet, at, method, test, wrong / (STEPS - 1), e);
}

int xfv_restore_tally(struct xfv_sheet *sheet, const msgpack_object *root, enum xfv_identity rule, struct xfv_err *e)
{
    const msgpack_object *list = xfv_map_get(root, "dpr");
    const char *name[2];
    size_t n[2];
    int status = 0, genuine = xfv_pair_label(root);
    if (!list) return 0;
    if (list->type != MSGPACK_OBJECT_ARRAY) return xfv_fail(e, XFV_EDATA, "the pair's 'dpr' is not a list");
    if (genuine < 0) return xfv_fail(e, XFV_EDATA, "the pair has no label");
    for (int i = 0; i < 2; i++) {
        const char *id;
        size_t len;
        if (xfv_get_str(xfv_map_get(root, xfv_sides[i]), "id", &id, &len, NULL)) id = "", len = 0;
        name[i] = xfv_identity_of(id, len, rule, &n[i]);
    }
    long at = xfv_sheet_case(sheet, name[0], n[0], name[1], n[1]);
    if (at < 0) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < list->via.array.size && !status; i++)
        status = tally(sheet, at, &list->via.array.ptr[i], genuine, e);
    return status;
}
