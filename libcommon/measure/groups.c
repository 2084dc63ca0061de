#include "measure/groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/interval.h"
#include "pair/identity.h"
#include "pair/pairs.h"
#include "base/field.h"
#include "base/grow.h"
#include "base/lines.h"

enum { GENUINE, IMPOSTOR, UNLABELLED, STRATA };
enum { ERROR, SCORE, FIRST_SHARE };                     /* columns; then for each method [sign][region] */
static const double LEAST_MASS = 0.01; /* a map with less of the two maps' mass is dust: where it lies means nothing */
enum { SHARES = 2 * XFV_REGIONS, FEW_PERSONS = 10, FEW_PAIRS = 30, FEW_ERRORS = 5, MAX_NOTES = 4, MAX_METHODS = 64 };

struct pair {
    long a, b;             /* persons */
    double score;          /* NaN when unknown */
    int group, stratum, error; /* error -1: unknown; of an unlabelled pair: accepted */
};

struct side { size_t n, persons, errors; double mean; };

struct row { /* one quantity of one group */
    int stratum, column, group, few, compared;
    struct side own, other;
    double lo, hi, difference, d_lo, d_hi, p, holm; /* NaN: none */
};

struct xfv_groups {
    char **id;             /* the table's lines */
    long *id_group, *id_person;
    size_t n_ids, cap_ids;
    struct xfv_id_index *index;
    struct xfv_name_table groups, persons, methods;
    enum xfv_identity rule;
    struct pair *pair;
    size_t n, cap, other, unknown; /* other: of two groups; unknown: a face is not in the table */
    float *share[MAX_METHODS]; /* [cap][sign][region] */
    struct row *row;
    size_t n_rows;
    int against, replicates;
    char note[MAX_NOTES][300];
    int n_notes;
};

/* ---- the table of groups ---- */

/* Cut the next field off *s, at a TAB; NULL at the end. */
static char *next_field(char **s)
{
    char *start = *s, *tab = start ? strchr(start, '\t') : NULL;
    if (tab) *tab = '\0';
    *s = tab ? tab + 1 : NULL;
    return start && *start ? start : NULL;
}

static int add_id(struct xfv_groups *g, char *line, struct xfv_err *e)
{
    char *id = next_field(&line), *group = next_field(&line), *person = next_field(&line);
    if (!id || !group) return xfv_fail(e, XFV_EARG, "an id, TAB and a group are expected");
    if (g->n_ids == g->cap_ids) {
        size_t cap = xfv_more(g->cap_ids, 256);
        if (!XFV_GROW(g->id, cap) || !XFV_GROW(g->id_group, cap) || !XFV_GROW(g->id_person, cap))
            return xfv_fail(e, XFV_ENOMEM, "out of memory");
        g->cap_ids = cap;
    }
    char *copy = strdup(id);
    if (!copy) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    size_t len = person ? strlen(person) : 0;
    const char *name = person ? person : xfv_identity_of(id, strlen(id), g->rule, &len);
    g->id[g->n_ids] = copy;
    g->id_group[g->n_ids] = xfv_name_number(&g->groups, group, strlen(group));
    g->id_person[g->n_ids] = xfv_name_number(&g->persons, name, len);
    g->n_ids++;
    return g->id_group[g->n_ids - 1] < 0 || g->id_person[g->n_ids - 1] < 0 ? xfv_fail(e, XFV_ENOMEM, "out of memory")
                                                                           : 0;
}

static int read_table(struct xfv_groups *g, FILE *f, const char *path, struct xfv_err *e)
{
    char *line = NULL;
    size_t room = 0, number = 0;
    ssize_t n;
    int status = 0;
    while (!status && (n = getline(&line, &room, f)) >= 0) {
        number++;
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) line[--n] = '\0';
        if (n == 0 || line[0] == '#') continue;
        status = strlen(line) != (size_t)n ? xfv_fail(e, XFV_EARG, "it holds a NUL character") : add_id(g, line, e);
        if (status) xfv_fail_at(e, "%s:%zu", path, number);
    }
    if (!status) status = xfv_lines_end(f, path, e);
    free(line);
    return status;
}

int xfv_groups_new(struct xfv_groups **out, const char *path, enum xfv_identity rule, struct xfv_err *e)
{
    struct xfv_groups *g = *out = calloc(1, sizeof *g);
    FILE *f = g ? fopen(path, "r") : NULL;
    if (!g) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!f) return xfv_fail(e, XFV_EIO, "--groups: cannot open '%s'", path);
    g->rule = rule;
    int status = read_table(g, f, path, e);
    fclose(f);
    if (!status && !g->n_ids) return xfv_fail(e, XFV_EARG, "--groups: '%s' is empty", path);
    if (!status && !(g->index = xfv_id_index_new((const char *const *)g->id, g->n_ids)))
        status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status && xfv_id_index_duplicates(g->index))
        status = xfv_fail(e, XFV_EARG, "--groups: '%s' names an id twice", path);
    return status;
}

void xfv_groups_free(struct xfv_groups *g)
{
    if (!g) return;
    for (size_t i = 0; i < g->n_ids; i++) free(g->id[i]);
    for (int i = 0; i < MAX_METHODS; i++) free(g->share[i]);
    xfv_id_index_free(g->index);
    xfv_name_table_clear(&g->groups), xfv_name_table_clear(&g->persons), xfv_name_table_clear(&g->methods);
    free(g->id), free(g->id_group), free(g->id_person), free(g->pair), free(g->row);
    free(g);
}

/* ---- gathering ---- */

static int grow(struct xfv_groups *g)
{
    if (g->n < g->cap) return 0;
    size_t cap = xfv_more(g->cap, 256);
    if (!XFV_GROW(g->pair, cap)) return -1;
    for (size_t m = 0; m < g->methods.n; m++) {
        if (!XFV_GROW(g->share[m], cap * SHARES)) return -1;
        for (size_t i = g->cap * SHARES; i < cap * SHARES; i++) g->share[m][i] = NAN;
    }
    g->cap = cap;
    return 0;
}

/* The room of a method's shares, made when the method is new. */
static float *shares_of_method(struct xfv_groups *g, const char *name)
{
    long m = xfv_name_number(&g->methods, name, strlen(name));
    if (m < 0 || m >= MAX_METHODS) return NULL;
    if (!g->share[m] && (g->share[m] = malloc(g->cap * SHARES * sizeof(float))))
        for (size_t i = 0; i < g->cap * SHARES; i++) g->share[m][i] = NAN;
    return g->share[m];
}

/* Does this map hold enough to say where? */
static int counts(const struct xfv_row_regions *r, int side, int sign)
{
    double own = r->part[side][sign].has ? r->part[side][sign].shares.mass : 0,
           other = r->part[side][!sign].has ? r->part[side][!sign].shares.mass : 0;
    return own > 0 && own >= LEAST_MASS * (own + other);
}

/* Mean over the two faces, of those whose map counts. */
static void take_row(float *to, const struct xfv_row_regions *r)
{
    for (int sign = 0; sign < 2; sign++) {
        for (int k = 0; k < XFV_REGIONS; k++) {
            double sum = 0;
            int n = 0;
            for (int side = 0; side < 2; side++)
                if (counts(r, side, sign)) sum += r->part[side][sign].shares.share[k], n++;
            to[sign * XFV_REGIONS + k] = n ? (float)(sum / n) : NAN;
        }
    }
}

static long line_of(const struct xfv_groups *g, const msgpack_object *pair, const char *key)
{
    char id[4096];
    const msgpack_object *face = xfv_map_get(pair, key);
    return face && !xfv_get_text(face, "id", id, sizeof id, NULL) ? xfv_id_index_find(g->index, id) : XFV_ID_NONE;
}

int xfv_groups_of(const struct xfv_groups *g, const msgpack_object *pair)
{
    long a = line_of(g, pair, "a"), b = line_of(g, pair, "b");
    if (a < 0 || b < 0) return XFV_GROUPS_UNKNOWN;
    return g->id_group[a] == g->id_group[b] ? (int)g->id_group[a] : XFV_GROUPS_TWO;
}

size_t xfv_groups_count(const struct xfv_groups *g) { return g->groups.n; }
const char *xfv_groups_name(const struct xfv_groups *g, size_t group) { return g->groups.v[group]; }

int xfv_groups_add(struct xfv_groups *g, const msgpack_object *pair, const struct xfv_pairview *v,
                   const struct xfv_row_regions *rows, struct xfv_err *e)
{
    long a = line_of(g, pair, "a"), b = line_of(g, pair, "b");
    if (a < 0 || b < 0) return g->unknown++, 0;
    if (g->id_group[a] != g->id_group[b]) return g->other++, 0;
    if (grow(g)) return xfv_fail(e, XFV_ENOMEM, "out of memory for %zu pairs", g->n);
    struct pair *p = &g->pair[g->n];
    *p = (struct pair){.a = g->id_person[a], .b = g->id_person[b], .score = v->score, .group = (int)g->id_group[a]};
    p->stratum = v->genuine == 1 ? GENUINE : v->genuine == 0 ? IMPOSTOR : UNLABELLED;
    p->error = v->accept < 0 ? -1 : v->genuine == 1 ? !v->accept : v->accept;
    for (int i = 0; rows && i < v->n_rows; i++) {
        char name[160];
        const struct xfv_view_row *r = &v->row[i];
        snprintf(name, sizeof name, "%s%s%s", r->method[0] ? r->method : "?", r->signed_key[0] ? ":" : "",
                 r->signed_key);
        float *s = shares_of_method(g, name);
        if (!s) return xfv_fail(e, XFV_ENOMEM, "out of memory, or more than %d methods", MAX_METHODS);
        take_row(s + g->n * SHARES, &rows[i]);
    }
    g->n++;
    return 0;
}

/* ---- comparing ---- */

static double value_of(const struct xfv_groups *g, size_t i, int column)
{
    const struct pair *p = &g->pair[i];
    if (column == ERROR) return p->error < 0 ? (double)NAN : (double)p->error;
    if (column == SCORE) return p->score;
    return (double)g->share[(column - FIRST_SHARE) / SHARES][i * SHARES + (size_t)((column - FIRST_SHARE) % SHARES)];
}

/* Pairs of the group (or, with others 1, of all other groups) that have the row's quantity. mark: u8 [persons]. */
static struct side measure(const struct xfv_groups *g, int stratum, int column, int group, int others,
                           unsigned char *mark)
{
    struct side s = {.mean = 0};
    memset(mark, 0, g->persons.n);
    for (size_t i = 0; i < g->n; i++) {
        const struct pair *p = &g->pair[i];
        if (p->stratum != stratum || (p->group == group) == others) continue;
        double v = value_of(g, i, column);
        if (!isfinite(v)) continue;
        s.n++;
        s.mean += v;
        s.errors += column == ERROR && v > 0;
        s.persons += (size_t)!mark[p->a];
        mark[p->a] = 1;
        s.persons += (size_t)!mark[p->b];
        mark[p->b] = 1;
    }
    s.mean = s.n ? s.mean / (double)s.n : NAN;
    return s;
}

static int small(const struct side *s)
{
    return s->n < FEW_PAIRS || s->persons < FEW_PERSONS;
}

/* Would the side have too few errors, or too few right answers, if its rate were `rate`? */
static int few_at(const struct side *s, double rate)
{
    return rate * (double)s->n < FEW_ERRORS || (1 - rate) * (double)s->n < FEW_ERRORS;
}

/* Too little to compare (or, for a row that is not compared, to say much). Of rates: what the two sides would have at
 * their common rate, as for a chi-squared test (Cochran 1954), so that no error against hundreds still counts as a
 * difference. */
static int is_few(const struct row *r)
{
    if (small(&r->own) || (r->compared && small(&r->other))) return 1;
    if (r->column != ERROR) return 0;
    if (!r->compared) return few_at(&r->own, r->own.mean);
    double common = (double)(r->own.errors + r->other.errors) / (double)(r->own.n + r->other.n);
    return few_at(&r->own, common) || few_at(&r->other, common);
}

static int make_rows(struct xfv_groups *g, struct xfv_err *e)
{
    int columns = FIRST_SHARE + (int)g->methods.n * SHARES, groups = (int)g->groups.n;
    unsigned char *mark = malloc(g->persons.n + 1);
    g->row = calloc((size_t)STRATA * (size_t)columns * (size_t)groups, sizeof *g->row);
    if (!mark || !g->row) return free(mark), xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (int k = 0; k < STRATA * columns * groups; k++) {
        struct row r = {.stratum = k / (columns * groups), .column = k / groups % columns, .group = k % groups};
        r.own = measure(g, r.stratum, r.column, r.group, 0, mark);
        if (!r.own.n) continue;
        r.other = g->against < 0 ? measure(g, r.stratum, r.column, r.group, 1, mark)
                                 : measure(g, r.stratum, r.column, g->against, 0, mark);
        r.compared = r.other.n > 0 && (g->against < 0 ? groups > 2 || r.group == 0 : r.group != g->against);
        r.few = is_few(&r);
        r.lo = r.hi = r.d_lo = r.d_hi = r.p = r.holm = NAN;
        r.difference = r.compared ? r.own.mean - r.other.mean : NAN;
        g->row[g->n_rows++] = r;
    }
    free(mark);
    return 0;
}

/* Weighted means of a row's two sides in one replicate: NaN when no weight falls on a side. */
static void replicate(const struct xfv_groups *g, const struct row *r, const float *w, double *own, double *other)
{
    double sum[2] = {0, 0}, weight[2] = {0, 0};
    for (size_t i = 0; i < g->n; i++) {
        const struct pair *p = &g->pair[i];
        if (p->stratum != r->stratum || !(w[i] > 0)) continue;
        int side = p->group != r->group;
        if (side && (!r->compared || (g->against >= 0 && p->group != g->against))) continue;
        double v = value_of(g, i, r->column);
        if (!isfinite(v)) continue;
        sum[side] += (double)w[i] * v;
        weight[side] += (double)w[i];
    }
    *own = weight[0] > 0 ? sum[0] / weight[0] : NAN;
    *other = weight[1] > 0 ? sum[1] / weight[1] : NAN;
}

/* Two-sided p of a difference, from the spread of its replicates. */
static double p_of(double difference, const double *d, int n)
{
    double mean = 0, var = 0;
    for (int i = 0; i < n; i++) mean += d[i] / n;
    for (int i = 0; i < n; i++) var += (d[i] - mean) * (d[i] - mean) / (n - 1);
    if (!(var > 0)) return NAN;
    return erfc(fabs(difference) / sqrt(2 * var));
}

static void finish_row(struct row *r, double *own, double *d, int n)
{
    int m = 0, k = 0;
    for (int i = 0; i < n; i++)
        if (isfinite(own[i])) own[m++] = own[i];
    for (int i = 0; i < n; i++)
        if (isfinite(d[i])) d[k++] = d[i];
    xfv_interval_of(own, m, &r->lo, &r->hi);
    if (r->column == ERROR && (r->own.errors == 0 || r->own.errors == r->own.n))
        xfv_proportion_interval(r->own.errors ? r->own.persons : 0, r->own.persons, 0.95, &r->lo, &r->hi);
    if (!r->compared || k < 2) return;
    if (!r->few) r->p = p_of(r->difference, d, k);
    xfv_interval_of(d, k, &r->d_lo, &r->d_hi);
}

static int bootstrap(struct xfv_groups *g, uint64_t seed, struct xfv_err *e)
{
    size_t b = (size_t)g->replicates;
    long *pa = malloc((g->n + 1) * sizeof *pa), *pb = malloc((g->n + 1) * sizeof *pb);
    double *v = malloc(2 * b * (g->n_rows + 1) * sizeof *v);
    int status = pa && pb && v ? 0
                               : xfv_fail(e, XFV_ENOMEM, "no memory for %zu numbers of %zu replicates", g->n_rows, b);
    for (size_t i = 0; !status && i < g->n; i++) pa[i] = g->pair[i].a, pb[i] = g->pair[i].b;
    for (size_t k = 0; !status && k < b;
         k++) { /* one replicate's weights at a time: memory does not grow as pairs x replicates */
        float *w = xfv_bootstrap_weights(pa, pb, g->n, g->persons.n, 1, seed * 1000003 + k);
        if (!w) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
        for (size_t i = 0; !status && i < g->n_rows; i++) {
            double own, other;
            replicate(g, &g->row[i], w, &own, &other);
            v[2 * b * i + k] = own;
            v[2 * b * i + b + k] = own - other;
        }
        free(w);
    }
    for (size_t i = 0; !status && i < g->n_rows; i++)
        finish_row(&g->row[i], v + 2 * b * i, v + 2 * b * i + b, g->replicates);
    free(pa), free(pb), free(v);
    return status;
}

static int adjust(struct xfv_groups *g, struct xfv_err *e)
{
    size_t m = 0;
    double *p = malloc((g->n_rows + 1) * sizeof *p);
    if (!p) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; i < g->n_rows; i++)
        if (isfinite(g->row[i].p)) p[m++] = g->row[i].p;
    int status = xfv_holm(p, m, e);
    m = 0;
    for (size_t i = 0; i < g->n_rows && !status; i++)
        if (isfinite(g->row[i].p)) g->row[i].holm = p[m++];
    free(p);
    return status;
}

static void make_notes(struct xfv_groups *g)
{
    size_t few = 0, compared = 0, labelled = 0;
    for (size_t i = 0; i < g->n_rows; i++)
        few += (size_t)(g->row[i].few && g->row[i].compared), compared += (size_t)g->row[i].compared;
    for (size_t i = 0; i < g->n; i++) labelled += g->pair[i].stratum != UNLABELLED;
    if (few)
        snprintf(g->note[g->n_notes++], sizeof *g->note,
                 "%zu of %zu differences have too few pairs, persons or errors to be judged (under %d pairs or %d "
                 "persons on a side, or %d errors "
                 "to be expected there); they are marked few and have no p-value",
                 few, compared, FEW_PAIRS, FEW_PERSONS, FEW_ERRORS);
    if (!labelled)
        snprintf(g->note[g->n_notes++], sizeof *g->note,
                 "no pair has a label: error rates need labels, so the share of accepted pairs stands in their place");
    if (g->other || g->unknown)
        snprintf(g->note[g->n_notes++], sizeof *g->note,
                 "left out: %zu pairs of two groups, %zu pairs with a face that the table does not name", g->other,
                 g->unknown);
}

int xfv_groups_compare(struct xfv_groups *g, const char *against, int replicates, uint64_t seed, struct xfv_err *e)
{
    g->against = -1;
    g->replicates = replicates;
    for (size_t i = 0; against && i < g->groups.n; i++)
        if (!strcmp(g->groups.v[i], against)) g->against = (int)i;
    if (against && g->against < 0) return xfv_fail(e, XFV_EARG, "--against: the table has no group '%.200s'", against);
    if (!g->n)
        return xfv_fail(e, XFV_EARG,
                        "no pair has both faces in one group of the table (%zu pairs of two groups, %zu with a face "
                        "that it does not name)",
                        g->other, g->unknown);
    int status = make_rows(g, e);
    if (!status) status = bootstrap(g, seed, e);
    if (!status) status = adjust(g, e);
    if (!status) make_notes(g);
    return status;
}

int xfv_groups_get(const struct xfv_groups *g, size_t group, enum xfv_groups_rate what, struct xfv_group_rate *out)
{
    for (size_t i = 0; i < g->n_rows; i++) {
        const struct row *r = &g->row[i];
        if (r->column != ERROR || r->group != (int)group || r->stratum != (int)what) continue;
        *out = (struct xfv_group_rate){r->own.n, r->own.persons, r->own.errors, r->own.mean, r->lo,
                                       r->hi, r->difference, r->holm, r->few};
        return 1;
    }
    return 0;
}

int xfv_groups_notes(const struct xfv_groups *g) { return g->n_notes; }
const char *xfv_groups_note(const struct xfv_groups *g, int i) { return g->note[i]; }

/* ---- tables ---- */

static const char *const strata[] = {"genuine", "impostor", "all"};

static void quantity(const struct row *r, char *buf, size_t cap)
{
    static const char *const rates[] = {"fnmr", "fmr", "accepted"};
    int k = (r->column - FIRST_SHARE) % SHARES;
    if (r->column == ERROR) snprintf(buf, cap, "%s", rates[r->stratum]);
    else if (r->column == SCORE) snprintf(buf, cap, "score");
    else snprintf(buf, cap, "S%c %s", k < XFV_REGIONS ? '+' : '-', xfv_region_names[k % XFV_REGIONS]);
}

static const char *method_of(const struct xfv_groups *g, const struct row *r)
{
    return r->column < FIRST_SHARE ? "-" : g->methods.v[(r->column - FIRST_SHARE) / SHARES];
}

static void clean(FILE *f, const char *s, int plot)
{
    xfv_put_field(f, s, strlen(s), plot ? "|\"\\`'$@" : "|");
}

/* kind: v a value, d a difference (with its sign), p a probability. */
static void number(FILE *f, const char *between, char kind, double v)
{
    fputs(between, f);
    if (!isfinite(v)) fputs("NA", f);
    else if (kind == 'p') fprintf(f, "%.3g", v);
    else if (kind == 'd') fprintf(f, "%+.5f", v);
    else fprintf(f, "%.5f", v);
}

static void print_row(const struct xfv_groups *g, const struct row *r, const char *between, FILE *f)
{
    char name[64];
    const char *other = !r->compared ? "-" : g->against < 0 ? "others" : g->groups.v[g->against];
    quantity(r, name, sizeof name);
    fprintf(f, "%s%s", name, between);
    clean(f, method_of(g, r), 0);
    fprintf(f, "%s%s%s", between, strata[r->stratum], between);
    clean(f, g->groups.v[r->group], 0);
    fprintf(f, "%s%zu%s%zu", between, r->own.n, between, r->own.persons);
    number(f, between, 'v', r->own.mean), number(f, between, 'v', r->lo), number(f, between, 'v', r->hi);
    fputs(between, f);
    clean(f, other, 0);
    number(f, between, 'd', r->difference), number(f, between, 'd', r->d_lo), number(f, between, 'd', r->d_hi);
    number(f, between, 'p', r->p), number(f, between, 'p', r->holm);
    fprintf(f, "%s%s", between, r->few ? "few" : "-");
}

static const char *const headings[] = {"quantity", "method",     "pairs", "group", "n", "persons", "value", "lo", "hi",
                                       "against",  "difference", "d_lo",  "d_hi",  "p", "holm",    "note"};

void xfv_groups_print(const struct xfv_groups *g, int markdown, FILE *f)
{
    size_t n = sizeof headings / sizeof *headings;
    for (size_t i = 0; i < n; i++) fprintf(f, "%s%s", !markdown ? i ? "\t" : "" : i ? " | " : "| ", headings[i]);
    fputs(markdown ? " |\n|" : "\n", f);
    for (size_t i = 0; i < n && markdown; i++) fputs(i < 4 || i == 9 || i == n - 1 ? "---|" : "---:|", f);
    if (markdown) putc('\n', f);
    for (size_t i = 0; i < g->n_rows; i++) {
        if (markdown) fputs("| ", f);
        print_row(g, &g->row[i], markdown ? " | " : "\t", f);
        fputs(markdown ? " |\n" : "\n", f);
    }
    if (!markdown) return;
    fprintf(f,
            "\nIntervals: 95 %%, %d bootstrap replicates over persons (Clopper and Pearson's over persons where no "
            "pair or every pair is an error). ",
            g->replicates);
    fprintf(f, "holm: p after Holm's adjustment over the differences of this table.\n");
    for (int i = 0; i < g->n_notes; i++)
        fprintf(f, "\n%c%s.\n", g->note[i][0] - ('a' <= g->note[i][0] && g->note[i][0] <= 'z' ? 32 : 0),
                g->note[i] + 1);
}

/* One block of data: a line for each group. */
static void plot_block(const struct xfv_groups *g, const char *name, int stratum, int column, FILE *f)
{
    fprintf(f, "$%s << EOD\n", name);
    for (size_t i = 0; i < g->n_rows; i++) {
        const struct row *r = &g->row[i];
        if (r->stratum != stratum || r->column != column) continue;
        fprintf(f, "%d \"", r->group);
        clean(f, g->groups.v[r->group], 1);
        fprintf(f, "\" %.6f %.6f %.6f\n", r->own.mean, isfinite(r->lo) ? r->lo : r->own.mean,
                isfinite(r->hi) ? r->hi : r->own.mean);
    }
    fprintf(f, "EOD\n");
}

static size_t rows_of(const struct xfv_groups *g, int stratum, int column)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_rows; i++) n += g->row[i].stratum == stratum && g->row[i].column == column;
    return n;
}

/* Shares of one method, sign and kind of pairs: a cluster of groups for each region. */
static void plot_shares(const struct xfv_groups *g, int stratum, int method, int sign, FILE *f)
{
    int first = FIRST_SHARE + method * SHARES + sign * XFV_REGIONS;
    double step = 0.7 / (double)g->groups.n;
    if (!rows_of(g, stratum, first)) return;
    for (size_t k = 0; k < g->groups.n; k++) {
        fprintf(f, "$share%zu << EOD\n", k);
        for (size_t i = 0; i < g->n_rows; i++) {
            const struct row *r = &g->row[i];
            if (r->stratum != stratum || r->column < first || r->column >= first + XFV_REGIONS || r->group != (int)k)
                continue;
            fprintf(f, "%.3f \"%s\" %.6f %.6f %.6f\n",
                    r->column - first + step * ((double)k - (double)(g->groups.n - 1) / 2),
                    xfv_region_names[r->column - first], r->own.mean, isfinite(r->lo) ? r->lo : r->own.mean,
                    isfinite(r->hi) ? r->hi : r->own.mean);
        }
        fputs("EOD\n", f);
    }
    fputs("set title \"", f);
    clean(f, g->methods.v[method], 1);
    fprintf(f, ": share of S%c by region, %s pairs\"\nset xrange [-0.6:%d.6]\nset xtics (", sign ? '-' : '+',
            strata[stratum], XFV_REGIONS - 1);
    for (int k = 0; k < XFV_REGIONS; k++) fprintf(f, "%s\"%s\" %d", k ? ", " : "", xfv_region_names[k], k);
    fputs(")\nplot ", f);
    for (size_t k = 0; k < g->groups.n; k++) {
        fprintf(f, "%s$share%zu using 1:3:4:5 with yerrorbars pt 7 title \"", k ? ", " : "", k);
        clean(f, g->groups.v[k], 1);
        putc('"', f);
    }
    putc('\n', f);
}

void xfv_groups_plot(const struct xfv_groups *g, FILE *f)
{
    static const char *const titles[STRATA] = {"FNMR", "FMR", "share accepted"};
    fputs("# gnuplot -e \"set terminal pngcairo size 1200,1600; set output 'groups.png'\" THIS_FILE\n"
          "# Bars: 95 % intervals. Columns of the data: place, name, value, lo, hi.\n", f);
    size_t panels = 0;
    for (int s = 0; s < STRATA; s++) {
        panels += rows_of(g, s, ERROR) > 0;
        for (size_t k = 0; k < 2 * g->methods.n; k++) panels += rows_of(g, s, FIRST_SHARE + (int)k * XFV_REGIONS) > 0;
    }
    fprintf(f, "set multiplot layout %zu,1\nset yrange [0:*]\nset grid ytics\nset key outside right\n",
            panels ? panels : 1);
    for (int s = 0; s < STRATA; s++) {
        if (rows_of(g, s, ERROR)) {
            plot_block(g, "rate", s, ERROR, f);
            fprintf(f,
                    "set title \"%s by group\"\nset xrange [-0.6:%zu.6]\nplot $rate using 1:3:4:5:xtic(2) with "
                    "yerrorbars pt 7 notitle\n",
                    titles[s], g->groups.n - 1);
        }
        for (size_t m = 0; m < g->methods.n; m++)
            for (int sign = 0; sign < 2; sign++) plot_shares(g, s, (int)m, sign, f);
    }
    fputs("unset multiplot\n", f);
}
