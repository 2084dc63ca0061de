#include "measure/tally.h"

#include <stdlib.h>
#include <string.h>

#include "measure/delins.h"
#include "base/field.h"
#include "base/grow.h"
#include "pair/identity.h"

enum { ACCURACY, SCORE, METRICS };          /* kept for each pair; TAR is accuracy over some of them */
enum { DELETION, INSERTION, DIRECTIONS };

struct group {
    char *key;                              /* method TAB map TAB image TAB fill */
    size_t n, cap;
    size_t *pair;                           /* [n] places in the tally's pairs, ascending or not */
    double *area[METRICS][DIRECTIONS];      /* [n] */
    double *sum[METRICS][DIRECTIONS];       /* [points]: curves summed over pairs */
    int points;
};

struct xfv_tally {
    enum xfv_identity rule;
    struct xfv_name_table people, pairs, keys;
    long *a, *b;                            /* [pairs.n] people */
    int *genuine;
    size_t cap;
    struct group *groups;                   /* [keys.n] */
    size_t cap_groups;
};

struct xfv_tally *xfv_tally_new(enum xfv_identity rule)
{
    struct xfv_tally *t = calloc(1, sizeof *t);
    if (t) t->rule = rule;
    return t;
}

void xfv_tally_free(struct xfv_tally *t)
{
    if (!t) return;
    for (size_t i = 0; i < t->keys.n; i++) {
        struct group *g = &t->groups[i];
        free(g->key);
        free(g->pair);
        for (int k = 0; k < METRICS * DIRECTIONS; k++) {
            free(g->area[k / DIRECTIONS][k % DIRECTIONS]);
            free(g->sum[k / DIRECTIONS][k % DIRECTIONS]);
        }
    }
    free(t->groups);
    free(t->a), free(t->b), free(t->genuine);
    xfv_name_table_clear(&t->people);
    xfv_name_table_clear(&t->pairs);
    xfv_name_table_clear(&t->keys);
    free(t);
}

/* ---- gathering ---- */

static int find_pair(struct xfv_tally *t, const struct xfv_curves *c, size_t *at)
{
    size_t la, lb, before = t->pairs.n;
    if (before == t->cap) { /* room first: what has a name has a place */
        size_t cap = xfv_more(t->cap, 256);
        if (!XFV_GROW(t->a, cap) || !XFV_GROW(t->b, cap) || !XFV_GROW(t->genuine, cap)) return -1;
        t->cap = cap;
    }
    const char *pa = xfv_identity_of(c->a, c->n_a, t->rule, &la), *pb = xfv_identity_of(c->b, c->n_b, t->rule, &lb);
    long a = xfv_name_number(&t->people, pa, la), b = xfv_name_number(&t->people, pb, lb),
         pair = a < 0 || b < 0 ? -1 : xfv_name_number(&t->pairs, c->pair, c->n_pair);
    if (pair < 0) return -1;
    *at = (size_t)pair;
    if (t->pairs.n > before) {
        t->a[pair] = a;
        t->b[pair] = b;
        t->genuine[pair] = c->genuine;
    }
    return 0;
}

static struct group *find_group(struct xfv_tally *t, const struct xfv_curves *c)
{
    const char *const part[] = {c->method, c->map, c->image, c->fill};
    char key[512];
    size_t at = 0, before = t->keys.n;
    if (before == t->cap_groups) { /* room first: xfv_tally_free looks at a group for each key */
        size_t cap = xfv_more(t->cap_groups, 16);
        if (!XFV_GROW(t->groups, cap)) return NULL;
        t->cap_groups = cap;
    }
    for (int i = 0; i < 4; i++) {
        if (i) key[at++] = '\t';
        for (const char *s = part[i]; *s && at < sizeof key - 4; s++) key[at++] = xfv_field_char(*s, "");
    }
    key[at] = '\0';
    long number = xfv_name_number(&t->keys, key, at);
    if (number < 0) return NULL;
    struct group *g = &t->groups[number];
    if (t->keys.n > before) {
        *g = (struct group){.key = strdup(key), .points = c->points};
        for (int k = 0; k < METRICS * DIRECTIONS; k++) {
            double *sum = calloc((size_t)c->points, sizeof *sum);
            g->sum[k / DIRECTIONS][k % DIRECTIONS] = sum;
            if (!sum) return NULL;
        }
        if (!g->key) return NULL;
    }
    return g;
}

static int grow_group(struct group *g)
{
    if (g->n < g->cap) return 0;
    size_t cap = xfv_more(g->cap, 256);
    if (!XFV_GROW(g->pair, cap)) return -1;
    for (int k = 0; k < METRICS * DIRECTIONS; k++)
        if (!XFV_GROW(g->area[k / DIRECTIONS][k % DIRECTIONS], cap)) return -1;
    g->cap = cap;
    return 0;
}

static void take_curve(struct group *g, const struct xfv_curves *c, const double *score, int direction, double *right)
{
    for (int i = 0; i < c->points; i++) {
        right[i] = (score[i] >= c->threshold) == (c->genuine != 0);
        g->sum[ACCURACY][direction][i] += right[i];
        g->sum[SCORE][direction][i] += score[i];
    }
    g->area[ACCURACY][direction][g->n] = xfv_area(right, c->points);
    g->area[SCORE][direction][g->n] = xfv_area(score, c->points);
}

int xfv_tally_add(struct xfv_tally *t, const struct xfv_curves *c, struct xfv_err *e)
{
    size_t pair;
    if (c->points < 2) return xfv_fail(e, XFV_EARG, "a curve needs at least two points");
    if (find_pair(t, c, &pair)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    struct group *g = find_group(t, c);
    double *right = malloc((size_t)c->points * sizeof *right);
    int status = g && right && !grow_group(g) ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status && g->points != c->points)
        status = xfv_fail(e, XFV_EARG,
                          "method '%s' has curves of %d and of %d points for one setting: measure them alike",
                          c->method, g->points, c->points);
    for (size_t i = g && !status ? g->n : 0; !status && i-- > 0;)
        if (g->pair[i] == pair)
            status = xfv_fail(e, XFV_EARG, "the pair has two curves of method '%s' for one setting", c->method);
    if (!status) {
        take_curve(g, c, c->deletion, DELETION, right);
        take_curve(g, c, c->insertion, INSERTION, right);
        g->pair[g->n++] = pair;
    }
    free(right);
    return status;
}

/* ---- tables ---- */

static int print_curves(const struct xfv_tally *t, FILE *f)
{
    fprintf(f, "method\tmap\timage\tfill\tpercent\tpairs\taccuracy_deletion\taccuracy_insertion\tscore_deletion\tscore_"
               "insertion\n");
    for (size_t i = 0; i < t->keys.n; i++) {
        const struct group *g = &t->groups[i];
        double n = (double)g->n;
        for (int k = 0; k < g->points; k++)
            fprintf(f, "%s\t%g\t%zu\t%.6f\t%.6f\t%.6f\t%.6f\n", g->key, 100.0 * k / (g->points - 1), g->n,
                    g->sum[ACCURACY][DELETION][k] / n, g->sum[ACCURACY][INSERTION][k] / n,
                    g->sum[SCORE][DELETION][k] / n, g->sum[SCORE][INSERTION][k] / n);
    }
    return 0;
}

static int print_pairs(const struct xfv_tally *t, FILE *f)
{
    fprintf(f, "method\tmap\timage\tfill\tid\tlabel\taccuracy_deletion\taccuracy_insertion\tscore_deletion\tscore_"
               "insertion\n");
    for (size_t i = 0; i < t->keys.n; i++) {
        const struct group *g = &t->groups[i];
        for (size_t k = 0; k < g->n; k++) {
            fprintf(f, "%s\t", g->key);
            const char *id = t->pairs.v[g->pair[k]];
            xfv_put_field(f, id, strlen(id), "");
            fprintf(f, "\t%s\t%.6f\t%.6f\t%.6f\t%.6f\n", t->genuine[g->pair[k]] ? "genuine" : "impostor",
                    g->area[ACCURACY][DELETION][k], g->area[ACCURACY][INSERTION][k], g->area[SCORE][DELETION][k],
                    g->area[SCORE][INSERTION][k]);
        }
    }
    return 0;
}

struct summary {
    const struct xfv_tally *t;
    const float *weights;
    int replicates;
    double *work, *values; /* [replicates], [pairs] */
    size_t *at;            /* [pairs] */
    long *where;           /* [pairs]: the reference's row of a pair, -1 for none */
};

/* The rows of g that a metric is about, as values and pairs; with ref, differences to its rows. */
static size_t choose(struct summary *s, const struct group *g, const struct group *ref, int metric, int genuine_only,
                     int direction)
{
    size_t n = 0;
    for (size_t k = 0; k < g->n; k++) {
        size_t pair = g->pair[k];
        if (genuine_only && !s->t->genuine[pair]) continue;
        if (ref && s->where[pair] < 0) continue;
        s->at[n] = pair;
        s->values[n++] = g->area[metric][direction][k] - (ref ? ref->area[metric][direction][s->where[pair]] : 0);
    }
    return n;
}

/* A key is a method, a tab, its setting: the tab. */
static const char *setting_of(const char *key)
{
    return key + strcspn(key, "\t");
}

static const struct group *reference_of(struct summary *s, const struct group *g, const char *reference)
{
    const char *setting = setting_of(g->key);
    const struct group *ref = NULL;
    for (size_t i = 0; i < s->t->keys.n && reference; i++) {
        const char *key = s->t->groups[i].key, *tab = setting_of(key);
        if ((size_t)(tab - key) == strlen(reference) && !strncmp(key, reference, strlen(reference)) &&
            !strcmp(tab, setting))
            ref = &s->t->groups[i];
    }
    if (!ref || ref == g) return NULL;
    for (size_t i = 0; i < s->t->pairs.n; i++) s->where[i] = -1;
    for (size_t k = 0; k < ref->n; k++) s->where[ref->pair[k]] = (long)k;
    return ref;
}

struct row {
    const struct group *g;
    int metric, tar;
    size_t n;
    struct xfv_interval area[DIRECTIONS], difference[DIRECTIONS];
    double p[DIRECTIONS], holm[DIRECTIONS];
    int compared;
};

static void make_row(struct summary *s, const struct group *g, const char *reference, int metric, int tar,
                     struct row *r)
{
    const struct group *ref = reference_of(s, g, reference);
    size_t pairs = s->t->pairs.n;
    *r = (struct row){.g = g, .metric = metric, .tar = tar};
    for (int d = 0; d < DIRECTIONS; d++) {
        r->n = choose(s, g, NULL, metric, tar, d);
        r->area[d] = xfv_mean_interval(s->values, s->at, r->n, s->weights, pairs, s->replicates, s->work);
        if (!ref) continue;
        size_t n = choose(s, g, ref, metric, tar, d);
        r->difference[d] = xfv_mean_interval(s->values, s->at, n, s->weights, pairs, s->replicates, s->work);
        r->p[d] = xfv_wilcoxon(s->values, n);
        r->compared = n > 0;
    }
}

/* Holm over the methods that are compared within one setting and metric. */
static int adjust(struct row *rows, size_t n, double *p, size_t *which, struct xfv_err *e)
{
    for (size_t i = 0; i < n; i++) {
        for (int d = 0; d < DIRECTIONS; d++) {
            size_t m = 0;
            for (size_t k = 0; k < n; k++)
                if (rows[k].compared && rows[k].metric == rows[i].metric && rows[k].tar == rows[i].tar &&
                    !strcmp(setting_of(rows[k].g->key), setting_of(rows[i].g->key)))
                    which[m] = k, p[m++] = rows[k].p[d];
            int status = xfv_holm(p, m, e);
            if (status) return status;
            for (size_t k = 0; k < m; k++)
                if (which[k] == i) rows[i].holm[d] = p[k];
        }
    }
    return 0;
}

static void print_row(const struct row *r, const char *reference, FILE *f)
{
    static const char *const names[] = {"accuracy", "score"};
    fprintf(f, "%s\t%s\t%zu", r->g->key, r->tar ? "tar" : names[r->metric], r->n);
    for (int d = 0; d < DIRECTIONS; d++)
        fprintf(f, "\t%.5f\t%.5f\t%.5f", r->area[d].value, r->area[d].lo, r->area[d].hi);
    fprintf(f, "\t%s", r->compared ? reference : "-");
    for (int d = 0; d < DIRECTIONS; d++) {
        if (r->compared)
            fprintf(f, "\t%.5f\t%.5f\t%.5f\t%.3g\t%.3g", r->difference[d].value, r->difference[d].lo,
                    r->difference[d].hi, r->p[d], r->holm[d]);
        else fprintf(f, "\t-\t-\t-\t-\t-");
    }
    fputc('\n', f);
}

static int any_genuine(const struct xfv_tally *t, const struct group *g)
{
    for (size_t k = 0; k < g->n; k++)
        if (t->genuine[g->pair[k]]) return 1;
    return 0;
}

static int print_summary(struct summary *s, const char *reference, FILE *f, struct xfv_err *e)
{
    size_t most = 3 * s->t->keys.n, n = 0;
    struct row *rows = calloc(most + 1, sizeof *rows);
    double *p = calloc(most + 1, sizeof *p);
    size_t *which = calloc(most + 1, sizeof *which);
    int status = rows && p && which ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; !status && i < s->t->keys.n; i++) {
        const struct group *g = &s->t->groups[i];
        make_row(s, g, reference, ACCURACY, 0, &rows[n++]);
        if (any_genuine(s->t, g)) make_row(s, g, reference, ACCURACY, 1, &rows[n++]);
        make_row(s, g, reference, SCORE, 0, &rows[n++]);
    }
    if (!status) status = adjust(rows, n, p, which, e);
    if (!status)
        fprintf(f, "method\tmap\timage\tfill\tmetric\tpairs\tdeletion\tdeletion_lo\tdeletion_hi\tinsertion\tinsertion_"
                   "lo\tinsertion_hi\treference\t"
                   "d_deletion\td_deletion_lo\td_deletion_hi\tp_deletion\tholm_deletion\td_insertion\td_insertion_"
                   "lo\td_insertion_hi\tp_insertion\tholm_insertion\n");
    for (size_t i = 0; !status && i < n; i++) print_row(&rows[i], reference, f);
    free(rows), free(p), free(which);
    return status;
}

int xfv_tally_print(struct xfv_tally *t, enum xfv_tally_table what, const char *reference, int replicates,
                    uint64_t seed, FILE *f, struct xfv_err *e)
{
    if (what == XFV_TALLY_CURVES) return print_curves(t, f);
    if (what == XFV_TALLY_PAIRS) return print_pairs(t, f);
    size_t n = t->pairs.n + 1;
    float *weights = xfv_bootstrap_weights(t->a, t->b, t->pairs.n, t->people.n, replicates, seed);
    struct summary s = {t,
                        weights,
                        replicates,
                        malloc(((size_t)replicates + 1) * sizeof(double)),
                        malloc(n * sizeof(double)),
                        malloc(n * sizeof(size_t)),
                        malloc(n * sizeof(long))};
    int ok = weights && s.work && s.values && s.at && s.where;
    int status = ok ? print_summary(&s, reference, f, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    free(weights), free(s.work), free(s.values), free(s.at), free(s.where);
    return status;
}
