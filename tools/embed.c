/* embed: the face's image through the network; its embedding and the model's digest go to the end of the face. See
 * embed(1). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "face/quality.h"
#include "net/model/model.h"
#include "net/run/net.h"
#include "stage/stage.h"
#include "stream/put.h"
#include "pair/maps.h"

struct worker {
    struct xfv_ws *ws;
    float *x, *y; /* f32 [H][W][C], f32 [n] */
    uint16_t *halves; /* f16 [n] */
};

struct embed {
    struct xfv_cli *c;
    int half;
    struct xfv_model *model;
    struct xfv_net *net;
    size_t n; /* length of an embedding */
    struct worker *workers;
    int n_workers;
};

static int open_model(struct embed *t, struct xfv_cli *c, struct xfv_err *e)
{
    int status = xfv_model_load(xfv_cli_model(c), &t->model, e);
    if (status) return status;
    const struct xfv_model *m = t->model;
    if (m->embedding < 0)
        return xfv_fail(e, XFV_EMODEL, "model '%s' is of kind '%s', not an embedding network", m->name, m->kind);
    t->n = xfv_shape_count(m->graph->values[m->embedding].shape);
    return xfv_net_new(m->graph, 0, &m->embedding, 1, &t->net, e);
}

static int make_workers(struct embed *t, int n, struct xfv_err *e)
{
    const struct xfv_model *m = t->model;
    size_t count = (size_t)m->height * (size_t)m->width * (size_t)m->channels;
    t->workers = calloc((size_t)n, sizeof *t->workers);
    if (!t->workers) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    t->n_workers = n;
    for (int i = 0; i < n; i++) {
        struct worker *w = &t->workers[i];
        w->ws = xfv_ws_new();
        w->x = xfv_aligned_alloc(count * sizeof *w->x);
        w->y = xfv_aligned_alloc(t->n * sizeof *w->y);
        w->halves = xfv_aligned_alloc(t->n * sizeof *w->halves);
        if (!w->ws || !w->x || !w->y || !w->halves) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    return 0;
}

static void close_all(struct embed *t)
{
    for (int i = 0; i < t->n_workers; i++) {
        xfv_ws_free(t->workers[i].ws);
        xfv_wipe_free(t->workers[i].x);
        xfv_wipe_free(t->workers[i].y);
        xfv_wipe_free(t->workers[i].halves);
    }
    free(t->workers);
    xfv_net_free(t->net);
    xfv_model_free(t->model);
}

/* The digest of the model that a stream's faces were embedded by, or else cropped for; "" when it names none. */
static void model_before(const struct xfv_rec *in, char digest[65])
{
    const msgpack_object *root = xfv_rec_map(in), *model = xfv_map_get(root, "model"),
                         *made = xfv_map_get(root, "provenance");
    if (!xfv_get_text(model, "digest", digest, 65, NULL)) return;
    *digest = '\0';
    if (!made || made->type != MSGPACK_OBJECT_ARRAY) return;
    for (uint32_t i = made->via.array.size; i-- > 0;)
        if (!xfv_get_text(&made->via.array.ptr[i], "template", digest, 65, NULL)) return;
    *digest = '\0';
}

/* A network sees sense only in faces that are aligned as those it learnt from. Who names a model knows; who names none
 * may have forgotten. */
static void warn_of_other_model(const struct embed *t, const struct xfv_rec *in)
{
    char digest[65];
    model_before(in, digest);
    if (*digest && !xfv_model_is(t->model, digest))
        xfv_cli_warn(t->c,
                     "these faces were cropped for or embedded by the model of digest %.12s..., and '%s' now embeds "
                     "them: name the one you mean with -m",
                     digest, t->model->name);
}

static int head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                struct xfv_err *e)
{
    const struct embed *t = ctx;
    const struct xfv_model *m = t->model;
    msgpack_object name = xfv_val_map(zone);
    if (!xfv_cli_model(t->c)) warn_of_other_model(t, in);
    struct xfv_put put = xfv_put_into(zone, &name, e);
    xfv_put_text(&put, "name", m->name);
    xfv_put_text(&put, "digest", m->digest);
    xfv_put_text(&put, "file", m->file);
    int status = put.status ? put.status : xfv_map_put(zone, set, "model", name, e);
    return status ? status : xfv_stage_put_maker(m, zone, extra, e);
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx;
    return xfv_rec_kind(r) == XFV_FACE || xfv_rec_kind(r) == XFV_PAIR;
}

/* The embedding's length belongs to what tells whether a face is fit to be compared. */
static void put_norm(const struct embed *t, struct xfv_put *face, msgpack_object *quality, const float *y)
{
    if (!quality || quality->type != MSGPACK_OBJECT_MAP) return;
    struct xfv_put p = xfv_put_into(face->zone, quality, face->e);
    xfv_quality_put_norm(&p, y, t->n, t->model->norm.faces ? t->model->norm.low : NAN);
    if (!face->status) face->status = p.status;
}

/* Half precision ends at 65504 and has ten bits of fraction down to 6e-5. */
static int to_half(const struct embed *t, struct worker *w, struct xfv_err *e)
{
    float most = 0;
    for (size_t i = 0; i < t->n; i++) most = fabsf(w->y[i]) > most ? fabsf(w->y[i]) : most;
    if (most > 65504 || most < 6.2e-5f)
        return xfv_fail_code(e, XFV_EDATA, "embedding",
                             "the embedding's largest number, %.3g, is out of the range of --half (6.2e-5 to 65504): "
                             "run embed without it",
                             (double)most);
    xfv_f16_from_f32(w->y, w->halves, t->n);
    return 0;
}

static int embed_face(struct embed *t, struct worker *w, msgpack_zone *zone, msgpack_object *face, struct xfv_err *e)
{
    int status = xfv_cli_face_input(face, t->model, w->x, e);
    if (status) return status;
    float *y[] = {w->y};
    status = xfv_net_forward(t->net, w->ws, NULL, 1, w->x, y, e);
    if (status) return status;
    for (size_t i = 0; i < t->n; i++)
        if (!isfinite(w->y[i]))
            return xfv_fail_code(e, XFV_EDATA, "embedding",
                                 "the network gives a number that is not finite for this image");
    struct xfv_tensor v = t->half ? xfv_tensor_view(XFV_F16, 1, &t->n, w->halves)
                                  : xfv_tensor_view(XFV_F32, 1, &t->n, w->y);
    struct xfv_put put = xfv_put_into(zone, face, e);
    if (t->half && (status = to_half(t, w, e))) return status;
    xfv_put_tensor(&put, "embedding", &v);
    xfv_put_text(&put, "model", t->model->digest);
    put_norm(t, &put, xfv_map_get_mut(face, "quality"), w->y);
    return put.status;
}

static int work(void *ctx, struct xfv_rec *r, int slot, int worker, struct xfv_err *e)
{
    struct embed *t = ctx;
    msgpack_zone *zone = xfv_rec_zone(r);
    msgpack_object *root = xfv_rec_root(r);
    (void)slot;
    if (xfv_rec_kind(r) == XFV_FACE) return embed_face(t, &t->workers[worker], zone, root, e);
    for (int i = 0; i < 2; i++) {
        msgpack_object *face = xfv_map_get_mut(root, xfv_sides[i]);
        if (!face) return xfv_fail_code(e, XFV_EDATA, "noface", "the pair has no face '%s'", xfv_sides[i]);
        int status = embed_face(t, &t->workers[worker], zone, face, e);
        if (status) return xfv_fail_at(e, "face %s", xfv_sides[i]);
    }
    return 0;
}

static void tell_short(const struct embed *t, const msgpack_object *face)
{
    struct xfv_quality q;
    char what[96], why[128];
    const char *id = "";
    size_t n = 0;
    xfv_quality_read(face, &q);
    if (!xfv_quality_worse(XFV_Q_NORM, q.v[XFV_Q_NORM], q.norm_low)) return;
    xfv_get_str(face, "id", &id, &n, NULL);
    snprintf(why, sizeof why, "a doubtful face: %s", xfv_quality_say(&q, XFV_Q_NORM, q.norm_low, what, sizeof what));
    xfv_cli_doubt(t->c, xfv_stage_record_no(t->c), id, n, why);
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    const msgpack_object *root = xfv_rec_map(*r);
    if (xfv_rec_kind(*r) == XFV_FACE) tell_short(ctx, root);
    for (int i = 0; i < 2 && xfv_rec_kind(*r) == XFV_PAIR; i++) tell_short(ctx, xfv_map_get(root, xfv_sides[i]));
    return xfv_writer_put(w, *r, e);
}

static const struct xfv_opt options[] = {
    {"half", 0, NULL, "embeddings in half precision: a template takes two thirds of the room",
     XFV_OPT_RESULT, XFV_TO_FLAG(struct embed, half, 1)},
    {0},
};

int main(int argc, char **argv)
{
    static struct embed t;
    static const struct xfv_program program = {
        .name = "embed",
        .summary = "Give every face its embedding: records of aligned faces in, the same with embeddings out.",
        .operands = "[FILE]...",
        .example = "facecrop a.jpg b.jpg | embed | verify",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net, &xfv_library_image},
    };
    static const struct xfv_stage stage = {.ctx = &t, .head = head, .wants = wants, .work = work, .emit = emit};
    struct xfv_err e = {0};
    int exit_status;
    struct xfv_cli *c = t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!c) return exit_status;
    int status = open_model(&t, c, &e);
    struct xfv_pool *pool = status ? NULL : xfv_pool_new(xfv_cli_jobs(c));
    if (!status && !pool) status = xfv_fail(&e, XFV_ENOMEM, "out of memory");
    if (!status) status = make_workers(&t, xfv_pool_size(pool), &e);
    exit_status = status ? 0 : xfv_stage_run(c, pool, &stage);
    exit_status = xfv_cli_finish(c, status ? &e : NULL, exit_status);
    xfv_pool_free(pool);
    close_all(&t);
    return exit_status;
}
