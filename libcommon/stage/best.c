/* verify's --best and --above: for each face, or for the probe, the faces most alike. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pair/search.h"
#include "stage/pairing.h"

struct scored { size_t j; double s; };

struct best {
    struct xfv_pairing *p;
    struct xfv_writer *w;
    struct scored *v;
    size_t cap, from, to;
};

static int more_alike(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->s != y->s) return x->s < y->s ? 1 : -1;
    return x->j < y->j ? -1 : 1;
}

static int found(void *ctx, size_t i, const size_t *rows, size_t n, struct xfv_err *e)
{
    struct best *b = ctx;
    struct xfv_pairing *p = b->p;
    const struct xfv_held *f = p->held.v;
    size_t kept = 0;
    if (n > b->cap) {
        free(b->v);
        b->cap = n;
        b->v = malloc(n * sizeof *b->v);
        if (!b->v) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    for (size_t k = 0; k < n; k++) {
        struct scored c = {rows[k], 0};
        int status = xfv_decider_score(&p->d, &f[i], &f[c.j], &c.s, e);
        if (status) return status;
        if (!p->given_above || c.s >= p->above) b->v[kept++] = c;
    }
    if (p->best && kept) qsort(b->v, kept, sizeof *b->v, more_alike);
    if (p->best && kept > (size_t)p->best) kept = (size_t)p->best;
    for (size_t k = 0; k < kept; k++) {
        int status = xfv_decide(&p->d, b->w, &f[i], &f[b->v[k].j], NULL, e);
        if (status) return status;
    }
    xfv_cli_progress(p->d.c, i + 1 - b->from, b->to - b->from, "faces");
    return 0;
}

/* A model that is compared by distance: every other face is a candidate. */
static int scan(struct best *b, int later, struct xfv_err *e)
{
    size_t n = b->p->held.n, *rows = malloc((n + 1) * sizeof *rows);
    int status = rows ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t i = b->from; i < b->to && !status; i++) {
        size_t k = 0;
        for (size_t j = later ? i + 1 : 0; j < n; j++)
            if (j != i) rows[k++] = j;
        status = found(b, i, rows, k, e);
    }
    free(rows);
    return status;
}

static int search(struct best *b, int later, struct xfv_err *e)
{
    const struct xfv_pairing *p = b->p;
    struct xfv_search *s = xfv_search_new(p->held.n, p->held.v[0].vector.shape[0]);
    struct xfv_wish wish = {(size_t)p->best, p->given_above ? p->above : -INFINITY};
    if (!s) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; i < p->held.n; i++) (void)xfv_search_set(s, i, p->held.v[i].vector.data);
    int status = xfv_search_rows(s, b->from, b->to, later, &wish, found, b, e);
    xfv_search_free(s);
    return status;
}

/* What cannot be compared with the others leaves an err record, and the rest go on. */
static int drop_unfit(struct xfv_pairing *p, struct xfv_writer *w, struct xfv_err *e)
{
    const struct xfv_held *reference = NULL;
    for (size_t i = 0; i < p->held.n; i++) {
        struct xfv_held *f = &p->held.v[i];
        double s;
        if (f->failure) continue;
        int status = xfv_decider_score(&p->d, f, reference ? reference : f, &s, e);
        if (status == XFV_EDATA) {
            status = xfv_shard_is_first(&p->shard) ? xfv_pairing_leave_alone(p, f, "embedding", e->msg, w, e) : 0;
            if (!status && !(f->failure = strdup("it has no direction")))
                status = xfv_fail(e, XFV_ENOMEM, "out of memory");
        } else if (!reference) {
            reference = f;
        }
        if (status) return status;
    }
    xfv_gallery_remove_failed(&p->held);
    return 0;
}

int xfv_pairing_best(struct xfv_pairing *p, const char *probe_id, struct xfv_writer *w, struct xfv_err *e)
{
    struct best b = {.p = p, .w = w};
    uint64_t from = 0, to = 0;
    int status = drop_unfit(p, w, e), by_distance = p->d.model && p->d.model->score == XFV_SCORE_EUCLIDEAN;
    if (status || p->held.n == 0) return status;
    if (!probe_id) xfv_shard_slice(&p->shard, p->held.n, &from, &to);
    for (size_t i = 0; probe_id && i < p->held.n; i++)
        if (p->held.v[i].id == probe_id) from = i, to = i + 1;
    b.from = (size_t)from;
    b.to = (size_t)to;
    int later = !probe_id && !p->best; /* then each pair is wanted once */
    status = by_distance ? scan(&b, later, e) : search(&b, later, e);
    free(b.v);
    return status;
}
