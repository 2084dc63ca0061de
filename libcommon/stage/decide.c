#include "stage/decide.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "measure/calibrate.h"
#include "pair/compare.h"
#include "stage/stage.h"
#include "stream/put.h"
#include "pair/label.h"

/* ---- the model and its threshold ---- */

/* Warn, wherever a calibrated threshold is used, when the data behind it cannot support its rate. */
static void repeat_caveat(struct xfv_decider *d)
{
    char text[400];
    for (int i = 0; d->at && i < d->model->n_thresholds; i++)
        if (strcmp(d->model->thresholds[i].name, d->at) == 0 &&
            xfv_threshold_caveat(&d->model->thresholds[i], text, sizeof text))
            xfv_cli_warn(d->c, "%s", text);
}

/* The same network in another file may hold other thresholds than the file that the user means. */
static void tell_other_file(struct xfv_decider *d, const struct xfv_rec *head)
{
    char file[65];
    const msgpack_object *said = xfv_map_get(xfv_rec_map(head), "model");
    if (!d->head_names_model || xfv_cli_model(d->c) || xfv_get_text(said, "file", file, sizeof file, NULL)) return;
    if (strcmp(file, d->model->file))
        xfv_cli_warn(d->c,
                     "embed read another file of the network '%s', whose thresholds may differ: the threshold %g is "
                     "of the file found by that name; -m names the one you mean",
                     d->model->name, d->threshold);
}

static int model_for_score(struct xfv_decider *d, const struct xfv_rec *head, struct xfv_err *e)
{
    if (!xfv_cli_model(d->c) && !d->head_names_model) return 0;
    int status = xfv_cli_stream_model(d->c, head, &d->model, e);
    if (!status || xfv_cli_model(d->c)) return status;
    xfv_cli_info(d->c, "%s; scoring by the cosine", e->msg);
    xfv_model_free(d->model);
    d->model = NULL;
    return 0;
}

static int model_for_threshold(struct xfv_decider *d, const struct xfv_rec *head, struct xfv_err *e)
{
    int status = xfv_cli_stream_model(d->c, head, &d->model, e);
    if (status == XFV_EMODEL && !xfv_cli_model(d->c) && !d->head_names_model) {
        struct xfv_err why = *e;
        return xfv_fail(e, status,
                        "no threshold: the stream names no model; give --threshold X, or the model with -m (%.300s)",
                        why.msg);
    }
    if (status) return status;
    status = xfv_model_threshold(d->model, d->at ? d->at : "default", &d->threshold, e);
    if (status == XFV_EARG && !d->at)
        return xfv_fail(e, status, "model '%s' has no threshold of its own: give one with --threshold", d->model->name);
    if (status || d->caveat_told) return status;
    d->caveat_told = 1;
    repeat_caveat(d);
    tell_other_file(d, head);
    return 0;
}

int xfv_decider_head(struct xfv_decider *d, const struct xfv_rec *head, struct xfv_err *e)
{
    const msgpack_object *named = xfv_map_get(xfv_rec_map(head), "model");
    d->head_names_model = named && named->type != MSGPACK_OBJECT_NIL; /* nil: xfv-select --mixed */
    return d->given_threshold ? model_for_score(d, head, e) : model_for_threshold(d, head, e);
}

void xfv_decider_clear(struct xfv_decider *d)
{
    xfv_scores_clear(&d->scores);
    xfv_model_free(d->model);
    d->model = NULL;
}

/* ---- scores ---- */

static struct xfv_comparison comparison(const struct xfv_decider *d)
{
    int own = !xfv_cli_model(d->c); /* the stream's own model, not one that -m names */
    return (struct xfv_comparison){.model = d->model,
                                   .any_model = d->given_threshold && own,
                                   .must_name = !d->given_threshold && own && !d->head_names_model};
}

int xfv_decider_score(const struct xfv_decider *d, const struct xfv_held *a, const struct xfv_held *b, double *s,
                      struct xfv_err *e)
{
    const struct xfv_comparison how = comparison(d);
    return xfv_compare(&how, &a->vector, a->digest, &b->vector, b->digest, s, e);
}

static int count(struct xfv_decider *d, double s, int label, int fold, struct xfv_err *e)
{
    int accept = s >= d->threshold;
    d->n_pairs++;
    d->n_accepted += (uint64_t)accept;
    if (!accept && d->exit_status) xfv_cli_some_failed(d->c);
    return label >= 0 ? xfv_scores_add(&d->scores, s, label, fold, e) : 0;
}

/* ---- the table ---- */

static int put_id(FILE *f, const char *id, struct xfv_err *e)
{
    char room[512];
    size_t n = strlen(id), cap = 4 * n + 8;
    char *text = cap <= sizeof room ? room : malloc(cap);
    if (!text) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    xfv_escape(text, cap, id, n);
    fputs(text, f);
    putc('\t', f);
    if (text != room) free(text);
    return 0;
}

/* s NULL: the pair has no score. */
static int put_row(struct xfv_decider *d, const char *a, const char *b, const double *s, int label, struct xfv_err *e)
{
    FILE *f = d->table;
    int status = put_id(f, a, e);
    if (!status) status = put_id(f, b, e);
    if (status) return status;
    if (s) fprintf(f, "%.6f\t%.6f\t%s", *s, d->threshold, *s >= d->threshold ? "accept" : "reject");
    else fprintf(f, "nan\t%.6f\terror", d->threshold);
    fprintf(f, "\t%s\n", xfv_label_word(label));
    return ferror(f) ? xfv_fail(e, XFV_EIO, "cannot write the table") : 0;
}

int xfv_decider_flush(struct xfv_decider *d, struct xfv_err *e)
{
    return d->table && fflush(d->table) ? xfv_fail(e, XFV_EIO, "cannot write the table") : 0;
}

/* ---- the stream ---- */

static char *pair_id(const char *a, const char *b)
{
    size_t cap = strlen(a) + strlen(b) + 2;
    char *id = malloc(cap);
    if (id) snprintf(id, cap, "%s|%s", a, b);
    return id;
}

static void put_decision(const struct xfv_decider *d, struct xfv_put *pair, double s)
{
    xfv_put_f64(pair, "score", s);
    xfv_put_f64(pair, "threshold", d->threshold);
    xfv_put_bool(pair, "accept", s >= d->threshold);
}

/* The faces go in by reference: their records outlive the writing. */
static int fill_pair(const struct xfv_decider *d, struct xfv_rec *pair, const char *id, const struct xfv_held *a,
                     const struct xfv_held *b, double s, int label, struct xfv_err *e)
{
    struct xfv_put put = xfv_put_into(xfv_rec_zone(pair), xfv_rec_root(pair), e);
    xfv_put_text(&put, "id", id);
    xfv_put(&put, "a", *xfv_rec_root(a->rec));
    xfv_put(&put, "b", *xfv_rec_root(b->rec));
    put_decision(d, &put, s);
    if (label >= 0) xfv_put_bool(&put, "label", label);
    return put.status;
}

static int put_pair(const struct xfv_decider *d, struct xfv_writer *w, const struct xfv_held *a,
                    const struct xfv_held *b, double s, int label, struct xfv_err *e)
{
    struct xfv_rec *pair = xfv_rec_new(XFV_PAIR);
    char *id = pair_id(a->id, b->id);
    int status = pair && id ? fill_pair(d, pair, id, a, b, s, label, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status) status = xfv_writer_put(w, pair, e);
    free(id);
    xfv_rec_free(pair);
    return status;
}

static int put_error(const struct xfv_decider *d, struct xfv_writer *w, const char *id, const char *code,
                     const char *why, struct xfv_err *e)
{
    struct xfv_rec *r = xfv_cli_error_record(d->c, id, strlen(id), code, why);
    int status = r ? xfv_writer_put(w, r, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    xfv_rec_free(r);
    return status;
}

/* ---- a pair ---- */

/* Messages name pairs of a list by its lines, others by their number. */
static int fail_pair(struct xfv_decider *d, struct xfv_writer *w, const char *a, const char *b,
                     const struct xfv_pair_entry *entry, const char *code, const char *why, int reported,
                     struct xfv_err *e)
{
    char *id = pair_id(a, b);
    if (!id) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    d->n_failed++;
    xfv_cli_some_failed(d->c);
    /* reported: by the program that made the err record */
    if (entry && !reported) xfv_cli_failed_at(d->c, "line", (uint64_t)entry->line, id, strlen(id), why);
    else if (!reported) xfv_cli_failed_at(d->c, "pair", d->n_pairs + d->n_failed, id, strlen(id), why);
    int status = d->table ? put_row(d, a, b, NULL, entry ? entry->label : -1, e) : put_error(d, w, id, code, why, e);
    free(id);
    return status;
}

int xfv_decide_failed(struct xfv_decider *d, struct xfv_writer *w, const struct xfv_pair_entry *entry, const char *why,
                      struct xfv_err *e)
{
    return fail_pair(d, w, entry->a, entry->b, entry, "noface", why, 0, e);
}

int xfv_decide(struct xfv_decider *d, struct xfv_writer *w, const struct xfv_held *a, const struct xfv_held *b,
               const struct xfv_pair_entry *entry, struct xfv_err *e)
{
    const struct xfv_held *bad = a->failure ? a : b->failure ? b : NULL;
    int label = entry ? entry->label : -1;
    char why[700];
    double s = 0;
    if (bad) {
        snprintf(why, sizeof why, "no face '%.150s': %s", bad->id, bad->failure);
        return fail_pair(d, w, a->id, b->id, entry, "noface", why, bad->was_err && xfv_cli_reported_before(d->c), e);
    }
    int status = xfv_decider_score(d, a, b, &s, e);
    if (status == XFV_EDATA) {
        snprintf(why, sizeof why, "%s", e->msg);
        return fail_pair(d, w, a->id, b->id, entry, e->code, why, 0, e);
    }
    if (!status) status = count(d, s, label, entry ? entry->fold : 0, e);
    if (status) return status;
    return d->table ? put_row(d, a->id, b->id, &s, label, e) : put_pair(d, w, a, b, s, label, e);
}

/* ---- a pair that comes as one ---- */

static int score_again(const struct xfv_decider *d, const msgpack_object *a, const msgpack_object *b, double *s,
                       struct xfv_err *e)
{
    const struct xfv_comparison how = comparison(d);
    struct xfv_tensor va = {0}, vb = {0};
    char digest_a[65] = "", digest_b[65] = "";
    int status = xfv_face_vector(a, &va, digest_a, e);
    if (!status) status = xfv_face_vector(b, &vb, digest_b, e);
    if (!status) status = xfv_compare(&how, &va, digest_a, &vb, digest_b, s, e);
    xfv_tensor_clear(&va);
    xfv_tensor_clear(&vb);
    return status;
}

static int put_row_again(struct xfv_decider *d, const msgpack_object *a, const msgpack_object *b, double s, int label,
                         struct xfv_err *e)
{
    char *id_a = xfv_face_id(a, 0), *id_b = xfv_face_id(b, 0);
    int status = id_a && id_b ? put_row(d, id_a, id_b, &s, label, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    free(id_a);
    free(id_b);
    return status;
}

int xfv_decide_again(struct xfv_decider *d, struct xfv_writer *w, struct xfv_rec *pair, struct xfv_err *e)
{
    msgpack_object *root = xfv_rec_root(pair), *a = xfv_map_get_mut(root, "a"), *b = xfv_map_get_mut(root, "b");
    double s = 0;
    int label, status = 0;
    if (xfv_map_get(a, "embedding") || xfv_map_get(b, "embedding") || xfv_get_f64(root, "score", &s, NULL))
        status = score_again(d, a, b, &s, e);
    if (status) return status;
    label = xfv_pair_label(root);
    status = count(d, s, label, 0, e);
    if (status) return status;
    if (d->table) return put_row_again(d, a, b, s, label, e);
    xfv_face_drop(a, d->drop);
    xfv_face_drop(b, d->drop);
    struct xfv_put put = xfv_put_into(xfv_rec_zone(pair), xfv_rec_root(pair), e);
    put_decision(d, &put, s);
    status = put.status;
    return status ? status : xfv_writer_put(w, pair, e);
}

/* ---- what the labels say ---- */

void xfv_decider_tell(const struct xfv_decider *d, int folds)
{
    double eer, at, accuracy;
    int used;
    struct xfv_cli *c = d->c;
    xfv_cli_info(c, "%llu pairs, %llu accepted, %llu failed, threshold %.6f",
                 (unsigned long long)d->n_pairs + (unsigned long long)d->n_failed, (unsigned long long)d->n_accepted,
                 (unsigned long long)d->n_failed, d->threshold);
    if (!d->scores.n) return;
    struct xfv_rates r = xfv_rates_at(&d->scores, d->threshold);
    xfv_cli_info(c, "%zu genuine, %zu impostor pairs: accuracy %.2f %%, FMR %.3f %%, FNMR %.3f %%", r.genuine,
                 r.impostor, 100 * r.accuracy, 100 * r.fmr, 100 * r.fnmr);
    if (!xfv_eer(&d->scores, &eer, &at, NULL))
        xfv_cli_info(c, "equal error rate %.3f %% at threshold %.6f", 100 * eer, at);
    if (!xfv_best_threshold(&d->scores, &accuracy, &at, NULL))
        xfv_cli_info(c, "best accuracy %.2f %% at threshold %.6f", 100 * accuracy, at);
    if (folds > 1 && !xfv_fold_accuracy(&d->scores, &accuracy, &used, NULL))
        xfv_cli_info(c, "accuracy over %d folds, threshold from the others: %.2f %%", used, 100 * accuracy);
}
