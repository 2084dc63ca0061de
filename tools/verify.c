/* verify: pairs of faces, their scores and the decision. See verify(1). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/shard.h"
#include "measure/calibrate.h"
#include "measure/gallery.h"
#include "measure/pairs.h"
#include "measure/score.h"
#include "net/model.h"

enum mode { CONSECUTIVE, ALL, LIST, PROBE };
struct verify {
    struct xfv_cli *c;
    enum mode mode;
    int table, heading, exit_status, drop, given_threshold;
    double threshold;
    const char *at, *pairs_path, *probe;
    struct xfv_shard shard; /* of the list of pairs, or of all */
    struct xfv_pair_list list;
    /* the model of the segment at hand */
    struct xfv_model *model;
    int head_names_model;
    struct xfv_gallery held; /* in consecutive mode at most the first of a pair */
    int open_segment, after_pair;
    int probe_found; /* the probe is the only face held; the others are judged as they come */
    FILE *out; /* of the table */
    struct xfv_scores scores; /* of labelled pairs */
    uint64_t n_pairs, n_accepted, n_failed;
    int line; /* of the list, the pair at hand; 0: no list */
};

/* ---- scores and decisions ---- */

/* What the data behind a calibrated threshold cannot support is said wherever it is used. */
static void repeat_caveat(struct verify *v)
{
    char text[400];
    for (int i = 0; v->at && i < v->model->n_thresholds; i++)
        if (strcmp(v->model->thresholds[i].name, v->at) == 0 && xfv_threshold_caveat(&v->model->thresholds[i], text, sizeof text)) xfv_cli_warn(v->c, "%s", text);
}

static int head(void *ctx, const struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra, struct xfv_err *e)
{
    static const char *const names[] = {"consecutive", "all", "list", "probe"};
    struct verify *v = ctx;
    const msgpack_object *named = xfv_map_get(xfv_rec_root((struct xfv_rec *)in), "model");
    v->head_names_model = named && named->type != MSGPACK_OBJECT_NIL; /* nil: xfv-cat --mixed */
    int status = 0;
    if (!v->given_threshold || xfv_cli_model(v->c) || v->head_names_model) status = xfv_cli_stream_model(v->c, in, &v->model, e);
    /* With a threshold given, the model only says how to score: without it, by the cosine. */
    if (status && v->given_threshold && !xfv_cli_model(v->c)) {
        xfv_cli_info(v->c, "%s; scoring by the cosine", e->msg);
        xfv_model_free(v->model);
        v->model = NULL;
        status = 0;
    }
    if (status == XFV_EMODEL && !xfv_cli_model(v->c) && !v->head_names_model) {
        struct xfv_err why = *e;
        xfv_fail(e, status, "no threshold: the stream names no model; give --threshold X, or the model with -m (%.300s)", why.msg);
    }
    if (!status && !v->given_threshold) status = xfv_model_threshold(v->model, v->at ? v->at : "default", &v->threshold, e);
    if (status == XFV_EARG && !v->at) xfv_fail(e, status, "model '%s' has no threshold of its own: give one with --threshold", v->model->name);
    if (!status && !v->given_threshold && !v->open_segment) repeat_caveat(v);
    if (!status) status = xfv_map_put(zone, extra, "pairs", xfv_val_str(zone, names[v->mode]), e);
    if (!status && v->model && v->model->calibration.bins) status = xfv_histogram_put(&v->model->calibration, zone, set, e);
    if (status) return status;
    /* A border between the two faces of a pair, or between faces that are all held, is none: the pair would have two heads. */
    int joined = v->open_segment && (v->mode != CONSECUTIVE || v->held.n > 0);
    v->open_segment = 1;
    return joined;
}

/* XFV_EDATA: this pair cannot be scored; XFV_EMODEL: the stream and the model do not belong together. */
static int score(struct verify *v, const struct xfv_tensor *a, const char *model_a, const struct xfv_tensor *b, const char *model_b, double *s, struct xfv_err *e)
{
    const struct xfv_model *m = v->model;
    if (strcmp(model_a, model_b))
        return xfv_fail(e, XFV_EMODEL, "two faces of a pair were embedded by different models, of digests %.12s... and %.12s...: embed them with one", *model_a ? model_a : "none",
                        *model_b ? model_b : "none");
    if (m && *model_a && strcmp(model_a, m->digest) && !(v->given_threshold && !xfv_cli_model(v->c)))
        return xfv_fail(e, XFV_EMODEL, "a face was embedded by the model of digest %.12s..., not by '%s' of digest %.12s...: name the right one with -m", model_a, m->name, m->digest);
    if (!v->given_threshold && !xfv_cli_model(v->c) && !v->head_names_model && !*model_a)
        return xfv_fail(e, XFV_EMODEL, "no threshold: the stream does not say which model made its embeddings; give --threshold X, or the model with -m");
    if (a->shape[0] != b->shape[0])
        return xfv_fail_code(e, XFV_EDATA, "embedding", "embeddings of %zu and %zu numbers cannot be compared", a->shape[0], b->shape[0]);
    if (m && m->score == XFV_SCORE_EUCLIDEAN) return xfv_neg_distance(a->data, b->data, a->shape[0], s, e);
    return xfv_cosine(a->data, b->data, a->shape[0], s, e);
}

static int count(struct verify *v, double s, int label, int fold, struct xfv_err *e)
{
    int accept = s >= v->threshold;
    v->n_pairs++;
    v->n_accepted += (uint64_t)accept;
    if (!accept && v->exit_status) xfv_cli_some_failed(v->c);
    return label >= 0 ? xfv_scores_add(&v->scores, s, label, fold, e) : 0;
}

/* ---- output ---- */

static void put_id(FILE *f, const char *id)
{
    size_t n = strlen(id), cap = 4 * n + 8;
    char *text = malloc(cap);
    if (!text) return;
    xfv_escape(text, cap, id, n);
    fputs(text, f);
    free(text);
}

/* s NULL: the pair has no score. */
static int put_row(struct verify *v, const char *a, const char *b, const double *s, int label, struct xfv_err *e)
{
    FILE *f = v->out;
    put_id(f, a);
    fputc('\t', f);
    put_id(f, b);
    if (s) fprintf(f, "\t%.6f\t%.6f\t%s", *s, v->threshold, *s >= v->threshold ? "accept" : "reject");
    else fprintf(f, "\tnan\t%.6f\terror", v->threshold);
    fprintf(f, "\t%s\n", label > 0 ? "genuine" : label == 0 ? "impostor" : "-");
    return ferror(f) ? xfv_fail(e, XFV_EIO, "cannot write the table") : 0;
}

static int put_decision(const struct verify *v, struct xfv_rec *pair, double s, struct xfv_err *e)
{
    msgpack_zone *zone = xfv_rec_zone(pair);
    msgpack_object *root = xfv_rec_root(pair);
    int status = xfv_map_put(zone, root, "score", xfv_val_f64(s), e);
    if (!status) status = xfv_map_put(zone, root, "threshold", xfv_val_f64(v->threshold), e);
    return status ? status : xfv_map_put(zone, root, "accept", xfv_val_bool(s >= v->threshold), e);
}

static char *pair_id(const char *a, const char *b)
{
    size_t cap = strlen(a) + strlen(b) + 2;
    char *id = malloc(cap);
    if (id) snprintf(id, cap, "%s|%s", a, b);
    return id;
}

/* The faces go in by reference: their records outlive the writing. */
static int put_pair(struct verify *v, struct xfv_writer *w, const struct xfv_held *a, const struct xfv_held *b, double s, int label, struct xfv_err *e)
{
    struct xfv_rec *pair = xfv_rec_new(XFV_PAIR);
    char *id = pair_id(a->id, b->id);
    int status = pair && id ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status) {
        msgpack_zone *zone = xfv_rec_zone(pair);
        msgpack_object *root = xfv_rec_root(pair);
        status = xfv_map_put(zone, root, "id", xfv_val_str(zone, id), e);
        if (!status) status = xfv_map_put(zone, root, "a", *xfv_rec_root(a->rec), e);
        if (!status) status = xfv_map_put(zone, root, "b", *xfv_rec_root(b->rec), e);
        if (!status) status = put_decision(v, pair, s, e);
        if (!status && label >= 0) status = xfv_map_put(zone, root, "label", xfv_val_bool(label), e);
        if (!status) status = xfv_writer_put(w, pair, e);
    }
    free(id);
    xfv_rec_free(pair);
    return status;
}

/* Pairs of a list are told by its lines, others by their number. */
static int put_failed(struct verify *v, struct xfv_writer *w, const char *a, const char *b, int label, const char *code, const char *why, struct xfv_err *e)
{
    char *id = pair_id(a, b);
    struct xfv_rec *r = NULL;
    int status = id ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status) {
        v->n_failed++;
        if (v->line) xfv_cli_failed_at(v->c, "line", (uint64_t)v->line, id, strlen(id), why);
        else xfv_cli_failed_at(v->c, "pair", v->n_pairs + v->n_failed, id, strlen(id), why);
        if (!w) status = put_row(v, a, b, NULL, label, e);
        else if (!(r = xfv_cli_error_record(v->c, id, strlen(id), code, why))) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
        else status = xfv_writer_put(w, r, e);
    }
    xfv_rec_free(r);
    free(id);
    return status;
}

/* Score, decide and write one pair. */
static int judge(struct verify *v, struct xfv_writer *w, const struct xfv_held *a, const struct xfv_held *b, int label, int fold, struct xfv_err *e)
{
    char why[700];
    double s = 0;
    const struct xfv_held *bad = a->failure ? a : b->failure ? b : NULL;
    if (bad) {
        snprintf(why, sizeof why, "no face '%.150s': %s", bad->id, bad->failure);
        return put_failed(v, w, a->id, b->id, label, "noface", why, e);
    }
    int status = score(v, &a->vector, a->digest, &b->vector, b->digest, &s, e);
    if (status == XFV_EDATA) {
        snprintf(why, sizeof why, "%s", e->msg);
        return put_failed(v, w, a->id, b->id, label, e->code, why, e);
    }
    if (!status) status = count(v, s, label, fold, e);
    if (status) return status;
    return w ? put_pair(v, w, a, b, s, label, e) : put_row(v, a->id, b->id, &s, label, e);
}

/* ---- the record loop ---- */

static int wants(void *ctx, const struct xfv_rec *r)
{
    enum xfv_kind k = xfv_rec_kind(r);
    return k == XFV_FACE || k == XFV_PAIR || k == XFV_ERR || !xfv_shard_is_first(&((const struct verify *)ctx)->shard);
}

/* A pair that comes as one: decided anew, by its embeddings or, when they were dropped, by its score. */
static int rejudge(struct verify *v, struct xfv_rec *r, struct xfv_writer *w, struct xfv_err *e)
{
    msgpack_object *root = xfv_rec_root(r), *a = xfv_map_get_mut(root, "a"), *b = xfv_map_get_mut(root, "b");
    struct xfv_tensor va = {0}, vb = {0};
    char model_a[65] = "", model_b[65] = "";
    double s = 0;
    int genuine = -1, status = 0;
    if (xfv_map_get(a, "embedding") || xfv_map_get(b, "embedding") || xfv_get_f64(root, "score", &s, NULL)) {
        status = xfv_face_vector(a, &va, model_a, e);
        if (!status) status = xfv_face_vector(b, &vb, model_b, e);
        if (!status) status = score(v, &va, model_a, &vb, model_b, &s, e);
    }
    xfv_tensor_clear(&va);
    xfv_tensor_clear(&vb);
    if (status) return status;
    if (xfv_get_bool(root, "label", &genuine, NULL)) genuine = -1;
    status = count(v, s, genuine, 0, e);
    if (status) return status;
    if (w) {
        xfv_face_drop(a, v->drop);
        xfv_face_drop(b, v->drop);
        status = put_decision(v, r, s, e);
        return status ? status : xfv_writer_put(w, r, e);
    }
    char *id_a = xfv_face_id(a, 0), *id_b = xfv_face_id(b, 0);
    status = id_a && id_b ? put_row(v, id_a, id_b, &s, genuine, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    free(id_a);
    free(id_b);
    return status;
}

/* The newest face is the probe itself, by its whole id, or comes after it: so that a camera's faces need not wait for the end. A probe that only a
 * file name tells is found at the end, when it is known that there is no other of this name. */
static int judge_newest(struct verify *v, struct xfv_writer *w, struct xfv_err *e)
{
    size_t last = v->held.n - 1;
    const struct xfv_held *f = v->held.v;
    int status = 0;
    if (!v->probe_found && (f[last].failure || strcmp(f[last].id, v->probe))) return 0;
    if (v->probe_found && !f[last].failure) status = judge(v, w, &f[0], &f[last], -1, 0, e);
    for (size_t i = 0; i < last && !v->probe_found && !status; i++)
        if (!f[i].failure) status = judge(v, w, &f[last], &f[i], -1, 0, e);
    xfv_gallery_keep_only(&v->held, v->probe_found ? 0 : last);
    v->probe_found = 1;
    if (!w && !status && fflush(v->out)) status = xfv_fail(e, XFV_EIO, "cannot write the table");
    return status;
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct verify *v = ctx;
    int status = 0, first = xfv_shard_is_first(&v->shard); /* the first shard has all that is no pair of the list's */
    if (!first && xfv_rec_kind(*r) != XFV_FACE && xfv_rec_kind(*r) != XFV_ERR) return 0;
    if (xfv_rec_kind(*r) == XFV_PAIR) {
        v->after_pair = 1;
        return rejudge(v, *r, w, e);
    }
    if (xfv_rec_kind(*r) == XFV_FACE) v->after_pair = 0;
    if (xfv_rec_kind(*r) == XFV_ERR && first) {
        if (w) {
            status = xfv_writer_put(w, *r, e);
        } else {
            char why[512];
            char *id = xfv_face_id(xfv_rec_root(*r), xfv_stage_record_no(v->c));
            if (xfv_get_text(xfv_rec_root(*r), "message", why, sizeof why, NULL)) snprintf(why, sizeof why, "it failed");
            xfv_cli_record_failed(v->c, xfv_stage_record_no(v->c), id ? id : "", id ? strlen(id) : 0, why);
            free(id);
        }
        /* Among faces it stands for a face, and uses up its place; among pairs, for a pair. */
        if (status || v->after_pair) return status;
    }
    status = xfv_gallery_add(&v->held, r, xfv_stage_record_no(v->c), !v->table, v->drop, e);
    /* What cannot be scored is told by its pair in consecutive mode, else once: by the first shard. */
    if (status == XFV_EDATA && (v->mode == CONSECUTIVE || !first)) status = 0;
    if (v->mode == PROBE && (!status || status == XFV_EDATA)) {
        int judged = judge_newest(v, w, e);
        if (judged) return judged;
    }
    if (status || v->mode != CONSECUTIVE || v->held.n < 2) return status;
    status = judge(v, w, &v->held.v[0], &v->held.v[1], -1, 0, e);
    xfv_gallery_empty(&v->held);
    if (!w && !status && fflush(v->out)) status = xfv_fail(e, XFV_EIO, "cannot write the table");
    return status;
}

static int finish_consecutive(struct verify *v, struct xfv_writer *w, struct xfv_err *e)
{
    static const char why[] = "this face is the last of an odd number and has no partner: faces are paired first with second, third with fourth "
                              "(--all, --pairs and --probe pair otherwise)";
    if (v->held.n == 0 || v->held.v[0].failure) return 0; /* a failed one has been told */
    const char *id = v->held.v[0].id;
    xfv_cli_record_failed(v->c, v->held.v[0].no, id, strlen(id), why);
    if (!w) return 0;
    struct xfv_rec *r = xfv_cli_error_record(v->c, id, strlen(id), "unpaired", why);
    if (!r) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int status = xfv_writer_put(w, r, e);
    xfv_rec_free(r);
    return status;
}

static int finish_all(struct verify *v, struct xfv_writer *w, struct xfv_err *e)
{
    xfv_gallery_remove_failed(&v->held); /* they were told, and have no pairs here */
    size_t n = v->held.n;
    uint64_t from, to, at = 0; /* pairs are numbered row by row; rows before the shard are passed over whole */
    xfv_shard_slice(&v->shard, (uint64_t)n * (n ? n - 1 : 0) / 2, &from, &to);
    for (size_t i = 0; i < n && at < to; i++) {
        if (at + (n - 1 - i) <= from) {
            at += n - 1 - i;
            continue;
        }
        for (size_t j = i + 1; j < n && at < to; j++) {
            if (at++ < from) continue;
            int status = judge(v, w, &v->held.v[i], &v->held.v[j], -1, 0, e);
            if (status) return status;
            xfv_cli_progress(v->c, at - from, to - from, "pairs");
        }
    }
    return 0;
}

/* The face of an id, or in *why the sentence that says why there is none. */
static const struct xfv_held *find(const struct verify *v, const struct xfv_id_index *x, const char *id, char *why, size_t cap)
{
    long at = xfv_id_index_find(x, id);
    if (at >= 0) return &v->held.v[at];
    if (at == XFV_ID_NONE) snprintf(why, cap, "no face '%.200s' among the %zu of the input (ids are the photographs' names as facecrop was given them)", id, v->held.seen);
    else snprintf(why, cap, "several faces have the file name of '%.200s': give the whole id", id);
    return NULL;
}

static int finish_list(struct verify *v, struct xfv_writer *w, const struct xfv_id_index *x, struct xfv_err *e)
{
    char why[300], ignored[300];
    uint64_t from, to;
    xfv_shard_slice(&v->shard, v->list.n, &from, &to);
    for (uint64_t i = from; i < to; i++) {
        const struct xfv_pair_entry *p = &v->list.v[i];
        const struct xfv_held *b = find(v, x, p->b, why, sizeof why), *a = find(v, x, p->a, b ? why : ignored, sizeof why);
        int status;
        v->line = p->line;
        if (!a && !b && p->may_be_heading) {
            xfv_cli_warn(v->c, "line %d of '%s' is taken for a heading: it names no face", p->line, v->pairs_path);
            continue;
        }
        if (a && b) status = judge(v, w, a, b, p->label, p->fold, e);
        else status = put_failed(v, w, p->a, p->b, p->label, "noface", why, e);
        if (status) return status;
        xfv_cli_progress(v->c, i + 1 - from, to - from, "pairs");
    }
    return 0;
}

static int finish_probe(struct verify *v, struct xfv_writer *w, const struct xfv_id_index *x, struct xfv_err *e)
{
    char why[300];
    const struct xfv_held *probe = find(v, x, v->probe, why, sizeof why);
    if (!probe) xfv_fail(e, XFV_EARG, "--probe: %s", why);
    else if (probe->failure) xfv_fail(e, XFV_EARG, "--probe: no face '%s': %s", probe->id, probe->failure);
    if (!probe || probe->failure) return xfv_cli_hide(v->c, e, probe ? probe->id : v->probe);
    for (size_t i = 0; i < v->held.n; i++) {
        if (&v->held.v[i] == probe || v->held.v[i].failure) continue;
        int status = judge(v, w, probe, &v->held.v[i], -1, 0, e);
        if (status) return status;
        xfv_cli_progress(v->c, i + 1, v->held.n, "pairs");
    }
    return 0;
}

static int finish_by_id(struct verify *v, struct xfv_writer *w, struct xfv_err *e)
{
    const char **ids = calloc(v->held.n + 1, sizeof *ids);
    struct xfv_id_index *x = NULL;
    if (ids) {
        for (size_t i = 0; i < v->held.n; i++) ids[i] = v->held.v[i].id;
        x = xfv_id_index_new(ids, v->held.n);
    }
    int status;
    if (!x) {
        status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    } else {
        size_t twice = xfv_id_index_duplicates(x);
        if (twice) xfv_cli_warn(v->c, "%zu faces have the id of an earlier one: the first of an id is used", twice);
        status = v->mode == LIST ? finish_list(v, w, x, e) : finish_probe(v, w, x, e);
    }
    xfv_id_index_free(x);
    free(ids);
    return status;
}

/* With -v: what the labels say of these scores. */
static void tell_rates(struct verify *v)
{
    double eer, at, accuracy;
    int folds;
    struct xfv_cli *c = v->c;
    xfv_cli_info(c, "%llu pairs, %llu accepted, %llu failed, threshold %.6f", (unsigned long long)v->n_pairs + (unsigned long long)v->n_failed,
                 (unsigned long long)v->n_accepted, (unsigned long long)v->n_failed, v->threshold);
    if (!v->scores.n) return;
    struct xfv_rates r = xfv_rates_at(&v->scores, v->threshold);
    xfv_cli_info(c, "%zu genuine, %zu impostor pairs: accuracy %.2f %%, FMR %.3f %%, FNMR %.3f %%", r.genuine, r.impostor, 100 * r.accuracy,
                 100 * r.fmr, 100 * r.fnmr);
    if (!xfv_eer(&v->scores, &eer, &at, NULL)) xfv_cli_info(c, "equal error rate %.3f %% at threshold %.6f", 100 * eer, at);
    if (!xfv_best_threshold(&v->scores, &accuracy, &at, NULL)) xfv_cli_info(c, "best accuracy %.2f %% at threshold %.6f", 100 * accuracy, at);
    if (v->list.folds > 1 && !xfv_fold_accuracy(&v->scores, &accuracy, &folds, NULL))
        xfv_cli_info(c, "accuracy over %d folds, threshold from the others: %.2f %%", folds, 100 * accuracy);
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct verify *v = ctx;
    int status = v->mode == CONSECUTIVE ? finish_consecutive(v, w, e) : v->mode == ALL ? finish_all(v, w, e) : v->probe_found ? 0 : finish_by_id(v, w, e);
    if (!status) tell_rates(v);
    return status;
}

/* ---- options ---- */

static int set_mode(struct verify *v, enum mode m, struct xfv_err *e)
{
    if (v->mode != CONSECUTIVE && v->mode != m) return xfv_fail(e, XFV_EARG, "--all, --pairs and --probe exclude each other");
    v->mode = m;
    return 0;
}

static int set_all(void *ctx, const char *s, struct xfv_err *e)
{
    (void)s;
    return set_mode(ctx, ALL, e);
}

static int set_pairs(void *ctx, const char *s, struct xfv_err *e)
{
    ((struct verify *)ctx)->pairs_path = s;
    return set_mode(ctx, LIST, e);
}

static int set_probe(void *ctx, const char *s, struct xfv_err *e)
{
    ((struct verify *)ctx)->probe = s;
    return set_mode(ctx, PROBE, e);
}

static int set_threshold(void *ctx, const char *s, struct xfv_err *e)
{
    struct verify *v = ctx;
    v->given_threshold = 1;
    return xfv_parse_f64("--threshold", s, -1e6, 1e6, &v->threshold, e);
}

XFV_SET_TEXT(set_at, struct verify, at)
XFV_SET_VALUE(set_tsv, struct verify, table, 1)
XFV_SET_VALUE(set_header, struct verify, heading, 1)
XFV_SET_VALUE(set_exit_status, struct verify, exit_status, 1)

static int set_drop(void *ctx, const char *s, struct xfv_err *e)
{
    static const char *const names[] = {"image", "embedding", NULL};
    int i;
    int status = xfv_parse_choice("--drop", s, names, &i, e);
    if (!status) ((struct verify *)ctx)->drop |= i ? XFV_DROP_EMBEDDING : XFV_DROP_IMAGE;
    return status;
}

static int set_shard(void *ctx, const char *s, struct xfv_err *e)
{
    return xfv_parse_shard("--shard", s, &((struct verify *)ctx)->shard, e);
}

static const struct xfv_opt options[] = {
    {"all", 'a', NULL, "every pair of two faces (holds them all in memory)", 1, set_all, 0},
    {"pairs", 'p', "FILE", "pairs by id: two ids and perhaps a label a line, or LFW's pairs.txt", 0, set_pairs, XFV_OPT_READS},
    {"probe", 0, "ID", "the face of this id with every other one", 1, set_probe, 0},
    {"shard", 0, "I/N", "of the pairs of --pairs or --all the I-th of N equal parts, in order", 0, set_shard, 0},
    {"threshold", 't', "X", "accept scores of X and more (default: the model's own)", 1, set_threshold, 0},
    {"at", 0, "NAME", "a threshold of the model: default, eer, fmr=1e-3, ... (see model-info)", 1, set_at, 0},
    {"tsv", 0, NULL, "write a table (default on a terminal): ids, score, threshold, decision, label", 0, set_tsv, 0},
    {"header", 0, NULL, "begin the table with the columns' names", 0, set_header, 0},
    {"exit-status", 'e', NULL, "status 1 when some pair is rejected", 0, set_exit_status, 0},
    {"drop", 0, "KEY", "leave image or embedding out of the pairs (may be given twice)", 1, set_drop, 1},
    {NULL, 0, NULL, NULL, 0, NULL, 0},
};

static int set_up(struct verify *v, struct xfv_err *e)
{
    if (v->given_threshold && v->at) return xfv_fail(e, XFV_EARG, "--threshold and --at exclude each other");
    if (!xfv_cli_out_path(v->c) && isatty(STDOUT_FILENO)) v->table = 1;
    if (v->shard.n && v->mode != LIST && v->mode != ALL) return xfv_fail(e, XFV_EARG, "--shard takes a part of the pairs of --pairs or --all: give one of them");
    if (v->heading && !v->table) return xfv_fail(e, XFV_EARG, "--header is for the table: give --tsv too");
    int status = v->pairs_path ? xfv_pair_list_read(v->pairs_path, &v->list, e) : 0;
    if (status || !v->table) return status;
    v->out = xfv_cli_out_file(v->c, e);
    if (!v->out) return e->status;
    if (v->heading) fputs("id_a\tid_b\tscore\tthreshold\tdecision\tlabel\n", v->out);
    return 0;
}

int main(int argc, char **argv)
{
    static struct verify v;
    static const struct xfv_program program = {
        .name = "verify",
        .summary = "Pair faces, score the pairs and decide: faces with embeddings in, pairs (or a table) out.",
        .operands = "[FILE]...",
        .example = "verify --pairs pairs.csv --tsv faces.xfv",
        .flags = XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM | XFV_MAY_WRITE_TEXT,
        .opts = options,
        .ctx = &v,
    };
    struct xfv_stage stage = {.ctx = &v, .head = head, .wants = wants, .emit = emit, .finish = finish};
    struct xfv_err e = {0};
    int exit_status;
    v.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!v.c) return exit_status;
    int status = set_up(&v, &e);
    stage.sink = v.table;
    exit_status = status ? xfv_cli_finish(v.c, &e, 0) : xfv_cli_finish(v.c, NULL, xfv_stage_run(v.c, NULL, &stage));
    xfv_gallery_clear(&v.held);
    xfv_pair_list_clear(&v.list);
    xfv_scores_clear(&v.scores);
    xfv_model_free(v.model);
    return exit_status;
}
