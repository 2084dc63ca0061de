#include "stage/explainer.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "base/wipe.h"
#include "pair/score.h"
#include "stage/asker.h"
#include "stage/stage.h"
#include "pair/label.h"
#include "pair/maps.h"


struct worker {
    struct xfv_ws *ws;
    float *x[2], *embedding[2], *map[2][2], *spare;
    size_t pixels; /* that map and spare have room for */
    float *shaken;      /* [4][pixels]: the maps of the shaken photographs; NULL: not wanted for this pair */
};

struct run {
    const struct xfv_explainer *x;
    void *ctx;
    const struct xfv_explain_opts *o;
    struct xfv_asker a; /* its model is NULL with XFV_EXPLAIN_NO_NETWORK */
    int opened, n_workers;
    struct worker *workers;
    uint64_t n_faces, n_pairs;
};

const char *const xfv_explain_images[] = {"both", "a", "auto", NULL};

int xfv_pair_truth(const msgpack_object *pair, double threshold, int *genuine, struct xfv_err *e)
{
    double score;
    *genuine = xfv_pair_label(pair);
    if (*genuine >= 0) return 0;
    if (xfv_get_f64(pair, "score", &score, NULL))
        return xfv_fail_code(e, XFV_EDATA, "label", "the pair has neither a label nor a score: run verify before");
    *genuine = score >= threshold;
    return 0;
}

/* ---- memory that depends on the model ---- */

static void close_method(struct run *t)
{
    if (t->x->close) t->x->close(t->ctx);
    for (int i = 0; i < t->n_workers; i++) {
        struct worker *w = &t->workers[i];
        xfv_ws_free(w->ws);
        for (int j = 0; j < 2; j++) {
            xfv_wipe_free(w->x[j]);
            xfv_wipe_free(w->embedding[j]);
            xfv_wipe_free(w->map[j][0]);
            xfv_wipe_free(w->map[j][1]);
        }
        free(w->spare);
    }
    free(t->workers);
    t->workers = NULL;
    t->opened = t->n_workers = 0;
}

/* Room for maps of so many pixels. */
static int make_maps(struct worker *w, size_t pixels, struct xfv_err *e)
{
    if (w->pixels == pixels) return 0;
    float **all[] = {&w->map[0][0], &w->map[0][1], &w->map[1][0], &w->map[1][1], &w->spare};
    w->pixels = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(*all[i]);
        *all[i] = xfv_aligned_alloc(pixels * sizeof(float));
        if (!*all[i]) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    w->pixels = pixels;
    return 0;
}

static int make_worker(struct run *t, struct worker *w, struct xfv_err *e)
{
    const struct xfv_model *m = t->a.model;
    if (!m) return 0;
    size_t pixels = (size_t)m->height * (size_t)m->width;
    w->ws = xfv_ws_new();
    int ok = w->ws != NULL;
    for (int i = 0; i < 2; i++) {
        w->x[i] = xfv_aligned_alloc(pixels * (size_t)m->channels * sizeof(float));
        w->embedding[i] = xfv_aligned_alloc((size_t)t->a.n * sizeof(float));
        ok = ok && w->x[i] && w->embedding[i];
    }
    return ok ? make_maps(w, pixels, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static int open_method(struct run *t, struct xfv_err *e)
{
    close_method(t);
    int status = t->x->flags & XFV_EXPLAIN_NO_NETWORK
                     ? 0
                     : xfv_asker_open(&t->a, !(t->x->flags & XFV_EXPLAIN_OWN_FORWARD), e);
    if (status) return status;
    t->workers = calloc((size_t)xfv_pool_size(t->a.pool), sizeof *t->workers);
    if (!t->workers) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    t->n_workers = xfv_pool_size(t->a.pool);
    for (int i = 0; i < t->n_workers && !status; i++) status = make_worker(t, &t->workers[i], e);
    struct xfv_explain_env env = {t->a.c, t->a.model, t->a.net, t->a.n, t->n_workers, t->a.pool};
    if (!status && t->x->open) status = t->x->open(t->ctx, &env, e);
    if (!status) t->opened = 1;
    else xfv_asker_forget(&t->a);
    return status;
}

static int head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                struct xfv_err *e)
{
    struct run *t = ctx;
    (void)set;
    if (t->x->flags & XFV_EXPLAIN_NO_NETWORK) return t->opened ? 0 : open_method(t, e);
    int status = xfv_asker_head(&t->a, in, zone, extra, e);
    return status > 0 ? open_method(t, e) : status;
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    struct run *t = ctx;
    t->n_faces += xfv_rec_kind(r) == XFV_FACE;
    t->n_pairs += xfv_rec_kind(r) == XFV_PAIR;
    return xfv_rec_kind(r) == XFV_PAIR || (xfv_rec_kind(r) == XFV_FACE && t->o->faces);
}

/* ---- the pair ---- */

int xfv_explain_check_embedding(const msgpack_object *face, const struct xfv_model *m, const float *embedding, int n,
                                struct xfv_err *e)
{
    struct xfv_tensor said;
    struct xfv_err why;
    double diff = 0, norm = 0;
    if (!xfv_map_get(face, "embedding")) return 0;
    int status = xfv_get_embedding(face, (size_t)n, &said, &why);
    if (status == XFV_ENOMEM) return xfv_fail(e, status, "%s", why.msg);
    if (status) return xfv_fail(e, XFV_EMODEL, "model '%s' did not make this embedding: %s", m->name, why.msg);
    for (int k = 0; k < n; k++) {
        double d = (double)((const float *)said.data)[k] - (double)embedding[k];
        diff += d * d;
        norm += (double)embedding[k] * (double)embedding[k];
    }
    xfv_tensor_clear(&said);
    if (diff <= 1e-6 * norm) return 0;
    return xfv_fail(e, XFV_EMODEL,
                    "the face's embedding is not the one that model '%s' gives for its image (relative difference "
                    "%.2g): name the right model with -m, or run embed again",
                    m->name, sqrt(diff / norm));
}

/* The images of a pair for a method without network: of any size, but both of one. */
static int any_image(const msgpack_object *face, struct xfv_tensor *image, struct xfv_err *e)
{
    struct xfv_err why;
    if (!face || face->type != MSGPACK_OBJECT_MAP)
        return xfv_fail_code(e, XFV_EDATA, "noface", "the face is not a map");
    if (xfv_get_tensor_view(face, "image", image, &why)) return xfv_fail_code(e, XFV_EDATA, "noimage", "%s", why.msg);
    if (image->dtype == XFV_U8 && image->ndim == 3 && image->shape[2] == 3 && image->shape[0] > 0 &&
        image->shape[1] > 0 && image->shape[0] < INT_MAX && image->shape[1] < INT_MAX)
        return 0;
    return xfv_fail_code(e, XFV_EDATA, "image", "the face's image must be |u1 [H,W,3], found %s with %d dimensions",
                         xfv_dtype_name(image->dtype), image->ndim);
}

static int find_images(struct run *t, struct xfv_subject *s, struct xfv_err *e)
{
    struct xfv_tensor image[2];
    if (t->a.model) {
        s->height = t->a.model->height;
        s->width = t->a.model->width;
        return xfv_asker_images(&t->a, s->pair, t->o->foreign, s->rgb, e);
    }
    for (int i = 0; i < 2; i++) {
        int status = any_image(s->face[i], &image[i], e);
        if (status) return xfv_fail_at(e, "face %s", xfv_sides[i]);
        s->rgb[i] = image[i].data;
    }
    if (image[0].shape[0] != image[1].shape[0] || image[0].shape[1] != image[1].shape[1])
        return xfv_fail_code(e, XFV_EDATA, "size", "the images of the two faces differ in size");
    s->height = (int)image[0].shape[0];
    s->width = (int)image[0].shape[1];
    return 0;
}

static int embed_face(struct run *t, struct worker *w, struct xfv_subject *s, int i, struct xfv_err *e)
{
    double norm = 0;
    float *y[] = {w->embedding[i]};
    int status = xfv_net_forward(t->a.net, w->ws, NULL, 1, w->x[i], y, e);
    if (!status && !t->o->foreign)
        status = xfv_explain_check_embedding(s->face[i], t->a.model, w->embedding[i], t->a.n, e);
    for (int k = 0; k < t->a.n; k++) norm += (double)y[0][k] * (double)y[0][k];
    s->embedding[i] = y[0];
    s->norm[i] = sqrt(norm);
    return status;
}

static int choose_images(const struct run *t, const msgpack_object *root, struct xfv_subject *s, struct xfv_err *e)
{
    double threshold = 0;
    int genuine = t->o->image == XFV_IMAGE_A, status = 0;
    if (t->o->image == XFV_IMAGE_AUTO) {
        if (xfv_get_f64(root, "threshold", &threshold, NULL)) threshold = 0;
        status = xfv_pair_truth(root, threshold, &genuine, e);
    }
    s->wanted[0] = 1;
    s->wanted[1] = !genuine;
    return status;
}

static int look_at(struct run *t, struct worker *w, const msgpack_object *root, struct xfv_subject *s,
                   struct xfv_err *e)
{
    *s = (struct xfv_subject){.id = "", .pair = root, .face = {xfv_map_get(root, "a"), xfv_map_get(root, "b")},
                                .threshold = t->o->threshold, .n = t->a.n};
    if (xfv_get_str(root, "id", &s->id, &s->n_id, NULL)) s->id = "", s->n_id = 0;
    int status = t->x->flags & XFV_EXPLAIN_THRESHOLD ? xfv_asker_threshold(&t->a, t->o, root, &s->threshold, e) : 0;
    if (!status) status = choose_images(t, root, s, e);
    if (!status) status = find_images(t, s, e);
    for (int i = 0; i < 2 && !status && t->a.model; i++) {
        xfv_model_input(t->a.model, s->rgb[i], w->x[i]);
        s->x[i] = w->x[i];
        if (t->a.net && (status = embed_face(t, w, s, i, e))) return xfv_fail_at(e, "face %s", xfv_sides[i]);
    }
    if (!status && t->a.net) status = xfv_cosine(s->embedding[0], s->embedding[1], (size_t)t->a.n, &s->score, e);
    return status ? status : make_maps(w, (size_t)s->height * (size_t)s->width, e);
}

/* [n][m] -> [m][n], in place by way of `spare`. */
static void transpose(float *map, int n, int m, float *spare)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++) spare[(size_t)j * (size_t)n + (size_t)i] = map[(size_t)i * (size_t)m + (size_t)j];
    memcpy(map, spare, (size_t)n * (size_t)m * sizeof *map);
}

static int finish_maps(const struct run *t, struct worker *w, const struct xfv_subject *s, struct xfv_err *e)
{
    for (int i = 0; i < 4; i++) {
        float *map = w->map[i / 2][i % 2];
        for (size_t p = 0; p < w->pixels; p++)
            if (!isfinite(map[p]))
                return xfv_fail_code(e, XFV_EDATA, "map", "the map of face %s holds a number that is not finite",
                                     xfv_sides[i / 2]);
        if ((t->x->flags & XFV_EXPLAIN_ON_INPUT) && t->a.model->transposed)
            transpose(map, s->width, s->height, w->spare);
    }
    return 0;
}

/* ---- the noise of a map ---- */

/* Do the photographs give nearly one embedding? Then a derivative of the score is a difference of nearly equal numbers.
 */
static int nearly_same(const struct run *t, const struct xfv_subject *s)
{
    struct xfv_tensor f[2] = {{0}};
    double cosine = 0;
    size_t n = (size_t)t->a.n;
    if (t->a.model && !xfv_get_embedding(s->face[0], n, &f[0], NULL) && !xfv_get_embedding(s->face[1], n, &f[1], NULL))
        (void)xfv_cosine(f[0].data, f[1].data, n, &cosine, NULL);
    for (int i = 0; i < 2; i++) xfv_tensor_clear(&f[i]);
    return cosine > 0.999;
}

/* Every grey level with its last bit drawn anew. */
static void shake(const uint8_t *rgb, size_t n, struct xfv_random *r, uint8_t *out)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 64 == 0) bits = xfv_random_u64(r);
        out[i] = (uint8_t)((rgb[i] & ~1u) | (bits >> i % 64 & 1));
    }
}

static int explain_maps(struct run *t, struct worker *w, const struct xfv_subject *s, struct xfv_err *e)
{
    float *const map[2][2] = {{w->map[0][0], w->map[0][1]}, {w->map[1][0], w->map[1][1]}};
    for (int i = 0; i < 4; i++) memset(w->map[i / 2][i % 2], 0, w->pixels * sizeof(float));
    int status = t->x->explain(t->ctx, s, (int)(w - t->workers), map, e);
    return status ? status : finish_maps(t, w, s, e);
}

/* The maps of the shaken photographs, into w->shaken. Overwrites what s points to in w. */
static int explain_shaken(struct run *t, struct worker *w, const struct xfv_subject *s, struct xfv_err *e)
{
    /* with an embedding it would be checked against */
    static const msgpack_object nothing = {.type = MSGPACK_OBJECT_NIL};
    size_t n = 3 * w->pixels;
    struct xfv_subject shaken = *s;
    struct xfv_random r = xfv_random_new(t->o->seed, s->id, s->n_id);
    uint8_t *rgb = malloc(2 * n);
    w->shaken = malloc(4 * w->pixels * sizeof *w->shaken);
    int status = rgb && w->shaken ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (int i = 0; i < 2 && !status; i++) {
        shake(s->rgb[i], n, &r, rgb + (size_t)i * n);
        shaken.rgb[i] = rgb + (size_t)i * n;
        shaken.face[i] = &nothing;
        xfv_model_input(t->a.model, shaken.rgb[i], w->x[i]);
        if (t->a.net) status = embed_face(t, w, &shaken, i, e);
    }
    if (!status && t->a.net)
        status = xfv_cosine(shaken.embedding[0], shaken.embedding[1], (size_t)t->a.n, &shaken.score, e);
    if (!status) status = explain_maps(t, w, &shaken, e);
    for (size_t k = 0; k < 4 && !status; k++)
        memcpy(w->shaken + k * w->pixels, w->map[k / 2][k % 2], w->pixels * sizeof(float));
    free(rgb);
    return status;
}

/* How far each of a face's maps lies from that of the shaken photographs, root mean square. */
static void put_noise(const struct worker *w, int i, struct xfv_put *side)
{
    double noise[2] = {0, 0};
    for (int j = 0; j < 2; j++) {
        const float *was = w->map[i][j], *shaken = w->shaken + (size_t)(2 * i + j) * w->pixels;
        for (size_t k = 0; k < w->pixels; k++)
            noise[j] += ((double)was[k] - (double)shaken[k]) * ((double)was[k] - (double)shaken[k]);
        noise[j] = sqrt(noise[j] / (double)w->pixels);
    }
    xfv_put_f64s(side, "noise", noise, 2);
}

/* ---- the record ---- */

/* Which two pictures the maps are of, so that another pair's are known (pair/view.h). */
static void put_origin(const struct xfv_subject *s, struct xfv_put *entry)
{
    char digits[17];
    size_t n = 3 * (size_t)s->height * (size_t)s->width;
    snprintf(digits, sizeof digits, "%016llx",
             (unsigned long long)xfv_hash(xfv_hash(XFV_HASH_START, s->rgb[0], n), s->rgb[1], n));
    xfv_put_text(entry, "of", digits);
}

static void put_side(const struct worker *w, const struct xfv_subject *s, int i, struct xfv_put *side)
{
    size_t shape[] = {(size_t)s->height, (size_t)s->width};
    for (int j = 0; j < 2; j++) {
        struct xfv_tensor v = xfv_tensor_view(XFV_F32, 2, shape, w->map[i][j]);
        xfv_put_tensor(side, xfv_map_keys[j], &v);
    }
}

/* One entry of the list: {"method","params","a","b"}. */
static int make_entry(const struct run *t, struct worker *w, const struct xfv_subject *s, struct xfv_put *entry)
{
    msgpack_object params = xfv_val_map(entry->zone), map[2] = {xfv_val_map(entry->zone), xfv_val_map(entry->zone)};
    struct xfv_put put = xfv_put_into(entry->zone, &params, entry->e), side[2];
    if (t->x->flags & XFV_EXPLAIN_THRESHOLD) xfv_put_f64(&put, "threshold", s->threshold);
    if (t->x->params) t->x->params(t->ctx, &put);
    for (int i = 0; i < 2; i++) {
        side[i] = xfv_put_into(entry->zone, &map[i], entry->e);
        put_side(w, s, i, &side[i]);
        if (w->shaken) put_noise(w, i, &side[i]);
    }
    if (t->x->extra) t->x->extra(t->ctx, s, (int)(w - t->workers), &put, side);
    xfv_put_text(entry, "method", t->x->name ? t->x->name(t->ctx) : t->x->method);
    xfv_put_filled(entry, "params", &put);
    put_origin(s, entry);
    for (int i = 0; i < 2; i++)
        if (s->wanted[i]) xfv_put_filled(entry, xfv_sides[i], &side[i]);
    return entry->status;
}

static int put_maps(struct run *t, struct worker *w, const struct xfv_subject *s, struct xfv_rec *r, struct xfv_err *e)
{
    msgpack_zone *z = xfv_rec_zone(r);
    msgpack_object *root = xfv_rec_root(r), entry = xfv_val_map(z), list = xfv_val_array(z),
                   *maps = xfv_map_get_mut(root, XFV_KEY_MAPS);
    struct xfv_maps legal;
    if (xfv_maps_read(root, &legal, e)) return e->status;
    struct xfv_put put = xfv_put_into(z, &entry, e);
    int status = make_entry(t, w, s, &put);
    if (!status) status = xfv_array_push(z, maps ? maps : &list, entry, e);
    return status || maps ? status : xfv_map_put(z, root, XFV_KEY_MAPS, list, e);
}

static int work_face(struct run *t, struct xfv_rec *r, int worker, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    struct xfv_subject s = {
        .id = "", .face = {xfv_rec_root(r)}, .n = t->a.n, .height = t->a.model->height, .width = t->a.model->width};
    struct xfv_tensor image;
    int status = xfv_cli_face_image(s.face[0], t->a.model, &image, e);
    if (!status) status = xfv_cli_face_model(s.face[0], t->a.model, e);
    if (status) return status;
    s.rgb[0] = image.data;
    s.x[0] = w->x[0];
    xfv_model_input(t->a.model, s.rgb[0], w->x[0]);
    return t->x->face(t->ctx, &s, worker, xfv_rec_zone(r), xfv_rec_root(r), e);
}

static int work(void *ctx, struct xfv_rec *r, int slot, int worker, struct xfv_err *e)
{
    struct run *t = ctx;
    struct worker *w = &t->workers[worker];
    struct xfv_subject s;
    (void)slot;
    if (xfv_rec_kind(r) == XFV_FACE) return work_face(t, r, worker, e);
    int status = look_at(t, w, xfv_rec_root(r), &s, e);
    if (status) return status;
    if (nearly_same(t, &s)) {
        status = explain_shaken(t, w, &s, e);
        if (!status) status = look_at(t, w, xfv_rec_root(r), &s, e);
    }
    if (!status) status = explain_maps(t, w, &s, e);
    if (!status) status = put_maps(t, w, &s, r, e);
    free(w->shaken);
    w->shaken = NULL;
    for (int i = 0; i < 2 && !status && t->x->consumes; i++)
        xfv_map_drop(xfv_map_get_mut(xfv_rec_root(r), xfv_sides[i]), t->x->consumes);
    return status;
}

static int finish(void *ctx, struct xfv_writer *out, struct xfv_err *e)
{
    struct run *t = ctx;
    (void)out, (void)e;
    if (!(t->n_faces && t->o->faces)) xfv_stage_tell_no_pairs(t->a.c, "verify", ": nothing to explain");
    xfv_cli_info(t->a.c, "%llu pairs", (unsigned long long)t->n_pairs);
    if (t->x->tell) t->x->tell(t->ctx, t->a.c);
    return 0;
}

int xfv_explainer_main(const struct xfv_explainer *x, const struct xfv_program *p, int argc, char **argv)
{
    struct run t = {.x = x, .ctx = p->ctx, .o = p->ctx};
    struct xfv_stage stage = {.ctx = &t, .head = head, .wants = wants, .work = work, .finish = finish};
    struct xfv_err e = {0};
    int exit_status;
    t.a.c = xfv_cli_start(p, argc, argv, &exit_status);
    if (!t.a.c) return exit_status;
    if (x->instead) t.x = x = x->instead(t.ctx);
    t.a.pool = xfv_pool_new(xfv_cli_jobs(t.a.c));
    int alone = (x->flags & XFV_EXPLAIN_ALONE) != 0;
    if (alone) stage.window = 1;
    int status = t.a.pool ? 0 : xfv_fail(&e, XFV_ENOMEM, "out of memory");
    exit_status = status ? xfv_cli_finish(t.a.c, &e, 0)
                         : xfv_cli_finish(t.a.c, NULL, xfv_stage_run(t.a.c, alone ? NULL : t.a.pool, &stage));
    close_method(&t);
    xfv_asker_close(&t.a);
    xfv_pool_free(t.a.pool);
    return exit_status;
}
