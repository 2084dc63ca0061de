#include "stage/pairing.h"
#include "stage/stage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int xfv_pairing_open(struct xfv_pairing *p, struct xfv_err *e)
{
    return p->list_path ? xfv_pair_list_read(p->list_path, &p->list, e) : 0;
}

void xfv_pairing_clear(struct xfv_pairing *p)
{
    xfv_sieve_free(p->sieve);
    xfv_gallery_clear(&p->held);
    xfv_pair_list_clear(&p->list);
    xfv_decider_clear(&p->d);
}

static int searches(const struct xfv_pairing *p)
{
    return p->best || p->given_above;
}

static int by_distance(const struct xfv_pairing *p)
{
    return p->d.model && p->d.model->score == XFV_SCORE_EUCLIDEAN;
}

/* ---- as records come ---- */

int xfv_pairing_head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                     struct xfv_err *e)
{
    static const char *const names[] = {"consecutive", "all", "list", "probe"};
    struct xfv_pairing *p = ctx;
    int status = xfv_decider_head(&p->d, in, e);
    if (!status) status = xfv_map_put(zone, extra, "pairs", xfv_val_str(zone, names[p->mode]), e);
    if (!status && p->d.model && p->d.model->calibration.bins)
        status = xfv_histogram_put(&p->d.model->calibration, zone, set, e);
    if (status) return status;
    /* No border between the two faces of a pair, or between faces that are all held: the pair would have two heads. */
    if (!p->open_segment && p->mode == XFV_PAIR_PROBE && searches(p) && p->d.table && !by_distance(p)) {
        struct xfv_wish wish = {(size_t)p->best, p->given_above ? p->above : -INFINITY};
        p->sieve = xfv_sieve_new(p->probe, &wish, &p->held);
        if (!p->sieve) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    if (p->sieve && by_distance(p))
        return xfv_fail(e, XFV_EMODEL,
                        "the streams before this one are compared by the cosine, this one by distance: name the one "
                        "model with -m");
    int joined = p->open_segment && (p->mode != XFV_PAIR_CONSECUTIVE || p->held.n > 0);
    p->open_segment = 1;
    return joined;
}

int xfv_pairing_wants(void *ctx, const struct xfv_rec *r)
{
    enum xfv_kind k = xfv_rec_kind(r);
    return k == XFV_FACE || k == XFV_PAIR || k == XFV_ERR ||
           !xfv_shard_is_first(&((const struct xfv_pairing *)ctx)->shard);
}

/* Pass an err record on, or report it when a table is written. */
static int pass_on_failure(struct xfv_pairing *p, struct xfv_rec *r, struct xfv_writer *w, struct xfv_err *e)
{
    char why[512];
    if (!p->d.table) return xfv_writer_put(w, r, e);
    xfv_cli_some_failed(p->d.c);
    if (xfv_cli_reported_before(p->d.c)) return 0;
    uint64_t no = xfv_stage_record_no(p->d.c);
    char *id = xfv_face_id(xfv_rec_root(r), no);
    if (xfv_get_text(xfv_rec_root(r), "message", why, sizeof why, NULL)) snprintf(why, sizeof why, "it failed");
    xfv_cli_record_failed(p->d.c, no, id ? id : "", id ? strlen(id) : 0, why);
    free(id);
    return 0;
}

/* In consecutive mode. */
static int judge_two(struct xfv_pairing *p, struct xfv_writer *w, struct xfv_err *e)
{
    if (p->held.n < 2) return 0;
    int status = xfv_decide(&p->d, w, &p->held.v[0], &p->held.v[1], NULL, e);
    xfv_gallery_empty(&p->held);
    return status ? status : xfv_decider_flush(&p->d, e);
}

/* The newest face is the probe itself, by its whole id, or comes after it: so that a camera's faces need not wait for
 * the end. A probe that only a file name tells is found at the end, when it is known that there is no other of this
 * name. */
static int judge_newest(struct xfv_pairing *p, struct xfv_writer *w, struct xfv_err *e)
{
    size_t last = p->held.n - 1;
    const struct xfv_held *f = p->held.v;
    int status = 0;
    if (!p->probe_found && (f[last].failure || strcmp(f[last].id, p->probe))) return 0;
    if (p->probe_found && !f[last].failure) status = xfv_decide(&p->d, w, &f[0], &f[last], NULL, e);
    for (size_t i = 0; i < last && !p->probe_found && !status; i++)
        if (!f[i].failure) status = xfv_decide(&p->d, w, &f[last], &f[i], NULL, e);
    xfv_gallery_keep_only(&p->held, p->probe_found ? 0 : last);
    p->probe_found = 1;
    return status ? status : xfv_decider_flush(&p->d, e);
}

/* What the newest face makes it possible to judge. */
static int judge_what_can_be(struct xfv_pairing *p, struct xfv_writer *w, struct xfv_err *e)
{
    if (p->mode == XFV_PAIR_CONSECUTIVE) return judge_two(p, w, e);
    return p->mode == XFV_PAIR_PROBE && !searches(p) ? judge_newest(p, w, e) : 0;
}

int xfv_pairing_template(void *ctx, const struct xfv_template *t, struct xfv_err *e)
{
    struct xfv_pairing *p = ctx;
    uint64_t no = xfv_stage_record_no(p->d.c);
    p->after_pair = 0;
    if (p->sieve) return xfv_sieve_add(p->sieve, t, no, e);
    int status = xfv_gallery_add_template(&p->held, t, no, e);
    return status ? status : judge_what_can_be(p, NULL, e);
}

/* A face whose record had to be built, and the failure of one, while a sieve is at work. */
static int hold_beside(struct xfv_pairing *p, struct xfv_rec *r, struct xfv_err *e)
{
    const msgpack_object *root = xfv_rec_root(r);
    struct xfv_template t = {.model = ""};
    struct xfv_tensor v = {0};
    char digest[65];
    uint64_t no = xfv_stage_record_no(p->d.c);
    char *id = xfv_face_id(root, no);
    int status = id ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status && xfv_rec_kind(r) == XFV_FACE && !xfv_face_vector(root, &v, digest, NULL)) {
        t = (struct xfv_template){id, digest, strlen(id), strlen(digest), v.data, v.shape[0], 0};
        status = xfv_sieve_add(p->sieve, &t, no, e);
    } else if (!status) {
        status = xfv_sieve_note(p->sieve, id, e);
        if (!status) status = xfv_gallery_add(&p->held, &r, no, 0, 0, e);
    }
    xfv_tensor_clear(&v);
    free(id);
    return status;
}

/* A face, or the failure in its place, is held, and judged when that need not wait. */
static int hold(struct xfv_pairing *p, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    int held = p->sieve ? hold_beside(p, *r, e)
                        : xfv_gallery_add(&p->held, r, xfv_stage_record_no(p->d.c), !p->d.table, p->d.drop, e);
    if (held && held != XFV_EDATA) return held;
    int status = p->sieve ? 0 : judge_what_can_be(p, w, e);
    if (status) return status;
    /* In consecutive mode the pair reports a face that cannot be scored, else the first shard does, once. */
    return p->mode != XFV_PAIR_CONSECUTIVE && xfv_shard_is_first(&p->shard) ? held : 0;
}

int xfv_pairing_take(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct xfv_pairing *p = ctx;
    enum xfv_kind kind = xfv_rec_kind(*r);
    int first = xfv_shard_is_first(&p->shard); /* the first shard has all that is no pair of the list's */
    if (kind == XFV_FACE) {
        p->after_pair = 0;
        return hold(p, r, w, e);
    }
    if (kind == XFV_ERR) {
        int status = first ? pass_on_failure(p, *r, w, e) : 0;
        /* Among faces it stands for a face, and uses up its place; among pairs, for a pair. */
        return status || p->after_pair ? status : hold(p, r, w, e);
    }
    if (!first) return 0;
    p->after_pair = 1;
    return xfv_decide_again(&p->d, w, *r, e);
}

/* ---- at the end ---- */

/* A face that met no other leaves an err record. */
int xfv_pairing_leave_alone(struct xfv_pairing *p, const struct xfv_held *f, const char *code, const char *why,
                            struct xfv_writer *w, struct xfv_err *e)
{
    xfv_cli_record_failed(p->d.c, f->no, f->id, strlen(f->id), why);
    if (p->d.table) return 0;
    struct xfv_rec *r = xfv_cli_error_record(p->d.c, f->id, strlen(f->id), code, why);
    if (!r) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int status = xfv_writer_put(w, r, e);
    xfv_rec_free(r);
    return status;
}

static int finish_consecutive(struct xfv_pairing *p, struct xfv_writer *w, struct xfv_err *e)
{
    static const char why[] = "this face is the last of an odd number and has no partner: faces are paired first with "
                              "second, third with fourth "
                              "(--all, --pairs and --probe pair otherwise)";
    const struct xfv_held *last = p->held.v;
    if (p->held.n == 0 || last->was_err) return 0;
    return last->failure ? xfv_pairing_leave_alone(p, last, "embedding", last->failure, w, e)
                         : xfv_pairing_leave_alone(p, last, "unpaired", why, w, e);
}

static const char only_one[] = "this face is the only one of the input that can be compared, and has no partner";

static int finish_all(struct xfv_pairing *p, struct xfv_writer *w, struct xfv_err *e)
{
    xfv_gallery_remove_failed(&p->held); /* they were reported, and have no pairs here */
    size_t n = p->held.n;
    if (n > 1 && searches(p)) return xfv_pairing_best(p, NULL, w, e);
    if (n == 1 && xfv_shard_is_first(&p->shard))
        return xfv_pairing_leave_alone(p, p->held.v, "unpaired", only_one, w, e);
    uint64_t from, to, at = 0; /* pairs are numbered row by row; rows before the shard are passed over whole */
    xfv_shard_slice(&p->shard, (uint64_t)n * (n ? n - 1 : 0) / 2, &from, &to);
    for (size_t i = 0; i < n && at < to; i++) {
        if (at + (n - 1 - i) <= from) {
            at += n - 1 - i;
            continue;
        }
        for (size_t j = i + 1; j < n && at < to; j++) {
            if (at++ < from) continue;
            int status = xfv_decide(&p->d, w, &p->held.v[i], &p->held.v[j], NULL, e);
            if (status) return status;
            xfv_cli_progress(p->d.c, at - from, to - from, "pairs");
        }
    }
    return 0;
}

/* The face of an id, or NULL and in *why the reason. */
static const struct xfv_held *find(struct xfv_pairing *p, const struct xfv_id_index *x, const char *id, char *why,
                                   size_t cap)
{
    long at = xfv_id_index_find(x, id);
    if (at >= 0) {
        p->held.v[at].used = 1;
        return &p->held.v[at];
    }
    if (at == XFV_ID_NONE)
        snprintf(why, cap,
                 "no face '%.200s' among the %zu of the input (ids are the photographs' names as facecrop was given "
                 "them)",
                 id, p->held.seen);
    else snprintf(why, cap, "several faces have the file name of '%.200s': give the whole id", id);
    return NULL;
}

/* A first line that names faces is a pair whose label is misspelt, not the columns' names. */
static int check_heading(const struct xfv_pairing *p, const struct xfv_id_index *x, struct xfv_err *e)
{
    const struct xfv_pair_entry *h = &p->list.heading;
    if (!h->line || (xfv_id_index_find(x, h->a) == XFV_ID_NONE && xfv_id_index_find(x, h->b) == XFV_ID_NONE)) return 0;
    return xfv_fail(e, XFV_EARG,
                    "%s, line %d names faces, so it is no heading; its third column must be a label: " XFV_LABEL_WORDS,
                    p->list_path, h->line);
}

/* A list may want few of the faces. */
static void tell_unused(const struct xfv_pairing *p)
{
    size_t unused = 0;
    for (size_t i = 0; i < p->held.n; i++) unused += !p->held.v[i].used && !p->held.v[i].failure;
    if (unused && !p->shard.n)
        xfv_cli_info(p->d.c, "%zu of %zu faces are in no line of '%s'", unused, p->held.seen, p->list_path);
}

static int finish_list(struct xfv_pairing *p, const struct xfv_id_index *x, struct xfv_writer *w, struct xfv_err *e)
{
    char why[300];
    uint64_t from, to;
    if (check_heading(p, x, e)) return e->status;
    xfv_shard_slice(&p->shard, p->list.n, &from, &to);
    for (uint64_t i = from; i < to; i++) {
        const struct xfv_pair_entry *entry = &p->list.v[i];
        const struct xfv_held *a = find(p, x, entry->a, why, sizeof why);
        const struct xfv_held *b = find(p, x, entry->b, why, sizeof why); /* tells of b when neither is there */
        if (!a && !b && entry->may_be_heading) {
            xfv_cli_warn(p->d.c, "line %d of '%s' is taken for a heading: it names no face", entry->line, p->list_path);
            continue;
        }
        int status = a && b ? xfv_decide(&p->d, w, a, b, entry, e) : xfv_decide_failed(&p->d, w, entry, why, e);
        if (status) return status;
        xfv_cli_progress(p->d.c, i + 1 - from, to - from, "pairs");
    }
    tell_unused(p);
    return 0;
}

static int finish_probe(struct xfv_pairing *p, const struct xfv_id_index *x, struct xfv_writer *w, struct xfv_err *e)
{
    char why[300];
    const struct xfv_held *probe = find(p, x, p->probe, why, sizeof why);
    if (!probe) xfv_fail(e, XFV_EARG, "--probe: %s", why);
    else if (probe->failure) xfv_fail(e, XFV_EARG, "--probe: no face '%s': %s", probe->id, probe->failure);
    if (!probe || probe->failure) return xfv_cli_hide(p->d.c, e, probe ? probe->id : p->probe);
    if (searches(p)) return xfv_pairing_best(p, probe->id, w, e);
    size_t others = 0;
    for (size_t i = 0; i < p->held.n; i++) {
        if (&p->held.v[i] == probe || p->held.v[i].failure) continue;
        others++;
        int status = xfv_decide(&p->d, w, probe, &p->held.v[i], NULL, e);
        if (status) return status;
        xfv_cli_progress(p->d.c, i + 1, p->held.n, "pairs");
    }
    return others ? 0 : xfv_pairing_leave_alone(p, probe, "unpaired", only_one, w, e);
}

static struct xfv_id_index *index_held(const struct xfv_gallery *g)
{
    const char **ids = calloc(g->n + 1, sizeof *ids);
    if (!ids) return NULL;
    for (size_t i = 0; i < g->n; i++) ids[i] = g->v[i].id;
    struct xfv_id_index *x = xfv_id_index_new(ids, g->n);
    free(ids);
    return x;
}

static int finish_by_id(struct xfv_pairing *p, struct xfv_writer *w, struct xfv_err *e)
{
    struct xfv_id_index *x = index_held(&p->held);
    if (!x) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    size_t twice = p->sieve ? xfv_sieve_duplicates(p->sieve) : xfv_id_index_duplicates(x);
    if (twice) xfv_cli_warn(p->d.c, "%zu faces have the id of an earlier one: the first of an id is used", twice);
    int status = p->mode == XFV_PAIR_LIST ? finish_list(p, x, w, e) : finish_probe(p, x, w, e);
    xfv_id_index_free(x);
    return status;
}

int xfv_pairing_finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct xfv_pairing *p = ctx;
    int status = p->sieve ? xfv_sieve_finish(p->sieve, e) : 0;
    if (status) return status;
    if (p->mode == XFV_PAIR_CONSECUTIVE) status = finish_consecutive(p, w, e);
    else if (p->mode == XFV_PAIR_ALL) status = finish_all(p, w, e);
    else if (!p->probe_found) status = finish_by_id(p, w, e);
    int alone = p->mode == XFV_PAIR_PROBE && p->probe_found && !searches(p) && !(p->d.n_pairs + p->d.n_failed);
    if (!status && alone)
        status = xfv_pairing_leave_alone(p, p->held.v, "unpaired", only_one, w, e);
    if (!status) xfv_decider_tell(&p->d, p->list.folds);
    return status;
}
