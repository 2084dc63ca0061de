/* roc: what a set of scored, labelled pairs says of a verification system. See roc(1). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "cli/cli.h"
#include "face/quality.h"
#include "measure/discard.h"
#include "measure/interval.h"
#include "measure/roc.h"
#include "base/grow.h"
#include "base/lines.h"
#include "pair/identity.h"
#include "stage/stage.h"
#include "pair/label.h"

static const double usual[] = {1e-1, 1e-2, 1e-3};

struct roc {
    int form; /* enum xfv_table_form */
    struct xfv_table table;
    struct xfv_cli *c;
    const char *scores_path, *curve_path;
    int folds, replicates, identity, n_fmr;
    double fmr[8];
    uint64_t seed;
    FILE *out;
    struct xfv_scores s;
    uint64_t n_rows; /* pairs met, also those that failed: a fold is a run of them */
    uint64_t *row;   /* [s.n] */
    const char *discard;
    double *quality; /* --discard: [s.n][XFV_QUALITIES], the worse of the two faces', high is good; NaN: unknown */
    long *a, *b;     /* [s.n] people */
    size_t cap;
    struct xfv_name_table people;
    int told_few;
    double in_use; /* the threshold that the pairs were decided by; NaN: several, or unknown */
};

/* ---- gathering ---- */

static int add(struct roc *t, double score, int genuine, const char *a, size_t n_a, const char *b, size_t n_b,
               struct xfv_err *e)
{
    size_t la, lb, at = t->s.n;
    const char *pa = xfv_identity_of(a, n_a, (enum xfv_identity)t->identity, &la),
               *pb = xfv_identity_of(b, n_b, (enum xfv_identity)t->identity, &lb);
    if (at == t->cap) {
        size_t cap = xfv_more(t->cap, 1024);
        if (!XFV_GROW(t->a, cap) || !XFV_GROW(t->b, cap) || !XFV_GROW(t->row, cap))
            return xfv_fail(e, XFV_ENOMEM, "out of memory");
        if (t->discard && !XFV_GROW(t->quality, cap * XFV_QUALITIES)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        t->cap = cap;
    }
    t->a[at] = xfv_name_number(&t->people, pa, la);
    t->b[at] = xfv_name_number(&t->people, pb, lb);
    t->row[at] = t->n_rows;
    if (t->a[at] < 0 || t->b[at] < 0) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    return xfv_scores_add(&t->s, score, genuine, 0, e);
}

/* The threshold of one more pair. */
static void see_threshold(struct roc *t, double threshold)
{
    if (t->s.n == 1) t->in_use = threshold;
    else if (t->in_use < threshold || t->in_use > threshold) t->in_use = NAN;
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx;
    return xfv_rec_kind(r) == XFV_PAIR || xfv_rec_kind(r) == XFV_ERR;
}

/* A photograph that facecrop could not use: it passed on before the pairs, and is not a pair. */
static int is_photo(const msgpack_object *root)
{
    char tool[64];
    return !xfv_get_text(root, "tool", tool, sizeof tool, NULL) && !strcmp(tool, "facecrop");
}

/* --discard: the qualities of the pair that was added last. */
static void add_quality(struct roc *t, const msgpack_object *root)
{
    struct xfv_quality a, b;
    if (!t->discard) return;
    double *to = t->quality + (t->s.n - 1) * XFV_QUALITIES;
    xfv_quality_read(xfv_map_get(root, "a"), &a);
    xfv_quality_read(xfv_map_get(root, "b"), &b);
    for (int m = 0; m < XFV_QUALITIES; m++) {
        double u = a.v[m], v = b.v[m];
        to[m] = isnan(u) || isnan(v) ? NAN : xfv_quality_info[m].high_is_good ? fmin(u, v) : -fmax(fabs(u), fabs(v));
    }
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct roc *t = ctx;
    const msgpack_object *root = xfv_rec_root(*r);
    const char *a = "", *b = "";
    size_t n_a = 0, n_b = 0;
    double score;
    int genuine, status;
    (void)w;
    t->n_rows += xfv_rec_kind(*r) == XFV_PAIR || !is_photo(root);
    if (xfv_rec_kind(*r) == XFV_ERR) {
        xfv_stage_tell_error(t->c, root);
        return 0;
    }
    if ((genuine = xfv_pair_label(root)) < 0)
        return xfv_fail_code(e, XFV_EDATA, "label", "the pair has no label: verify --pairs with a list that has them");
    if (xfv_get_f64(root, "score", &score, NULL) || !isfinite(score))
        return xfv_fail_code(e, XFV_EDATA, "score", "the pair has no score: run verify first");
    if (xfv_get_str(xfv_map_get(root, "a"), "id", &a, &n_a, NULL)) a = "", n_a = 0;
    if (xfv_get_str(xfv_map_get(root, "b"), "id", &b, &n_b, NULL)) b = "", n_b = 0;
    status = add(t, score, genuine, a, n_a, b, n_b, e);
    if (!status) add_quality(t, root);
    double threshold;
    if (!status) see_threshold(t, xfv_get_f64(root, "threshold", &threshold, NULL) ? NAN : threshold);
    return status;
}

/* One line of verify's table: id_a id_b score threshold decision label. */
static int read_line(struct roc *t, char *line, size_t no, struct xfv_err *e)
{
    char *field[6], *at = line, *end;
    int n = 0;
    line[strcspn(line, "\r\n")] = '\0';
    if (!*line) return 0;
    while (n < 6 && at) {
        field[n++] = at;
        at = strchr(at, '\t');
        if (at) *at++ = '\0';
    }
    if (no == 1 && n == 6 && !strcmp(field[2], "score")) return 0;
    if (n < 6)
        return xfv_fail(e, XFV_EARG, "line %zu of '%s' has %d fields, verify's table has 6", no, t->scores_path, n);
    t->n_rows++;
    double score = strtod(field[2], &end);
    if (end == field[2] || *end)
        return xfv_fail(e, XFV_EARG, "line %zu of '%s': the score '%s' is no number", no, t->scores_path, field[2]);
    if (!isfinite(score)) { /* a pair that failed keeps its place in its fold */
        xfv_cli_failed_at(t->c, "line", no, "", 0, "the pair failed and has no score");
        return 0;
    }
    int genuine = xfv_label_of(field[5]);
    if (genuine < 0) return xfv_fail(e, XFV_EARG, "line %zu of '%s' has no label", no, t->scores_path);
    int status = add(t, score, genuine, field[0], strlen(field[0]), field[1], strlen(field[1]), e);
    double threshold = strtod(field[3], &end);
    if (!status) see_threshold(t, end == field[3] || *end ? NAN : threshold);
    return status;
}

static int read_table(struct roc *t, struct xfv_err *e)
{
    FILE *f = strcmp(t->scores_path, "-") ? fopen(t->scores_path, "r") : stdin;
    char *line = NULL;
    size_t cap = 0, no = 0;
    int status = 0;
    if (!f) return xfv_fail(e, XFV_EIO, "cannot open '%s'", t->scores_path);
    while (!status && getline(&line, &cap, f) >= 0) status = read_line(t, line, ++no, e);
    if (!status) status = xfv_lines_end(f, t->scores_path, e);
    free(line);
    if (f != stdin) fclose(f);
    return status;
}

/* ---- the table ---- */

static void put(FILE *f, const char *name, double v, double lo, double hi, double threshold)
{
    const double all[] = {v, lo, hi, threshold};
    fputs(name, f);
    for (int i = 0; i < 4; i++) isnan(all[i]) ? fputs("\t-", f) : fprintf(f, "\t%.6f", all[i]);
    fputc('\n', f);
}

static int put_folds(struct roc *t, const float *weights, double *work, struct xfv_err *e)
{
    double *right = calloc(t->s.n + 1, sizeof *right), accuracy, sd;
    size_t *at = calloc(t->s.n + 1, sizeof *at);
    int status = right && at ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; !status && i < t->s.n; i++) {
        at[i] = i;
        t->s.fold[i] = (int)((t->row[i] - 1) * (uint64_t)t->folds / t->n_rows);
    }
    if (!status) status = xfv_fold_decisions(&t->s, t->folds, right, &accuracy, &sd, e);
    if (!status) {
        struct xfv_interval v = xfv_mean_interval(right, at, t->s.n, weights, t->s.n, t->replicates, work);
        put(t->out, "fold_accuracy", accuracy, v.lo, v.hi, NAN);
        put(t->out, "fold_accuracy_sd", sd, NAN, NAN, NAN);
    }
    free(right), free(at);
    return status;
}

/* The operating point: the rates at the threshold in use, with the exact intervals of proportions. */
static void put_in_use(struct roc *t)
{
    if (isnan(t->in_use)) return;
    struct xfv_rates r = xfv_rates_at(&t->s, t->in_use);
    struct xfv_proportion fmr = xfv_proportion_of((size_t)lround(r.fmr * (double)r.impostor), r.impostor),
                          fnmr = xfv_proportion_of((size_t)lround(r.fnmr * (double)r.genuine), r.genuine);
    put(t->out, "fmr", fmr.value, fmr.lo, fmr.hi, t->in_use);
    put(t->out, "fnmr", fnmr.value, fnmr.lo, fnmr.hi, t->in_use);
}

/* Can so many impostor pairs tell this rate at all? The least that can be counted is one of them. */
static int too_few(struct roc *t, double fmr, size_t impostor)
{
    if ((double)impostor * fmr >= 1) return 0;
    if (!t->told_few++)
        xfv_cli_warn(t->c,
                     "%zu impostor pairs cannot tell a false match rate below %.3g: tar@fmr=%g is left open", impostor,
                     1 / (double)impostor, fmr);
    return 1;
}

/* A measure that the scores do not allow is left empty; a lack of memory stops the run. */
static int put_measures(struct roc *t, const size_t *order, const float *weights, double *const boot[10],
                        struct xfv_err *e)
{
    struct xfv_roc all = xfv_roc_measure(&t->s, order, NULL, t->fmr, t->n_fmr);
    double lo, hi, eer, at = NAN, best = NAN, accuracy;
    int n = 0;
    for (int k = 0; k < t->replicates; k++) {
        struct xfv_roc r = xfv_roc_measure(&t->s, order, weights + (size_t)k * t->s.n, t->fmr, t->n_fmr);
        if (isnan(r.eer)) continue;
        boot[0][n] = r.eer;
        boot[1][n] = r.auc;
        for (int i = 0; i < t->n_fmr; i++) boot[2 + i][n] = r.tar[i];
        n++;
    }
    int status = xfv_best_threshold(&t->s, &accuracy, &best, e);
    if (status == XFV_ENOMEM) return status;
    if (!status) put(t->out, "best_accuracy", accuracy, NAN, NAN, best);
    xfv_interval_of(boot[0], n, &lo, &hi);
    if (xfv_eer(&t->s, &eer, &at, e) == XFV_ENOMEM) return XFV_ENOMEM;
    put(t->out, "eer", all.eer, lo, hi, at);
    xfv_interval_of(boot[1], n, &lo, &hi);
    put(t->out, "auc", all.auc, lo, hi, NAN);
    for (int i = 0; i < t->n_fmr; i++) {
        char name[40];
        at = NAN;
        snprintf(name, sizeof name, "tar@fmr=%g", t->fmr[i]);
        if (too_few(t, t->fmr[i], xfv_rates_at(&t->s, 0).impostor)) {
            put(t->out, name, NAN, NAN, NAN, NAN);
            continue;
        }
        xfv_interval_of(boot[2 + i], n, &lo, &hi);
        if (xfv_threshold_at_fmr(&t->s, t->fmr[i], &at, e) == XFV_ENOMEM) return XFV_ENOMEM;
        put(t->out, name, all.tar[i], lo, hi, at);
    }
    return 0;
}

static int put_curve(struct roc *t, struct xfv_err *e)
{
    size_t n;
    struct xfv_roc_point *v = xfv_roc_curve(&t->s, &n, e);
    struct xfv_outfile *o = NULL;
    char line[128];
    if (!v) return e->status;
    int status = xfv_outfile_open(&o, t->curve_path, XFV_OUT_TEXT, e);
    if (!status) status = xfv_outfile_write(o, "threshold\tfmr\tfnmr\n", 19, e);
    for (size_t i = 0; i < n && !status; i++) {
        int k = snprintf(line, sizeof line, "%.6f\t%.8f\t%.8f\n", v[i].threshold, v[i].fmr, v[i].fnmr);
        status = xfv_outfile_write(o, line, (size_t)k, e);
    }
    free(v);
    if (o && status) xfv_outfile_discard(o);
    return status || !o ? status : xfv_outfile_commit(o, e);
}

/* ---- error versus discard ---- */

static void put_numbers(FILE *f, const double *v, int n)
{
    for (int i = 0; i < n; i++) isnan(v[i]) ? fputs("\t-", f) : fprintf(f, "\t%.6f", v[i]);
}

/* The curve of measure m, and its area. work: f64 [replicates] */
static int put_discard(struct roc *t, int m, double threshold, const float *weights, double *work, struct xfv_err *e)
{
    static const double shares[] = {0, .01, .02, .05, .1, .15, .2, .3};
    const char *name = xfv_quality_info[m].name;
    double *q = malloc((t->s.n + 1) * sizeof *q), lo, hi;
    size_t known, *order = NULL;
    for (size_t i = 0; q && i < t->s.n; i++) q[i] = t->quality[i * XFV_QUALITIES + (size_t)m];
    if (q) order = xfv_discard_order(q, t->s.n, &known);
    int status = order ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t k = 0; !status && known && k < sizeof shares / sizeof *shares; k++) {
        struct xfv_discard d = xfv_discard_at(&t->s, q, order, threshold, shares[k], NULL);
        if (k && d.share < shares[k - 1] + 1e-9) continue; /* so many are equally bad */
        for (int i = 0; i < t->replicates; i++)
            work[i] = xfv_discard_at(&t->s, q, order, threshold, shares[k], weights + (size_t)i * t->s.n).fnmr;
        xfv_interval_of(work, t->replicates, &lo, &hi);
        fprintf(t->out, "%s", name);
        put_numbers(t->out, (const double[]){d.share, fabs(d.floor), d.fnmr, lo, hi, d.fmr}, 6);
        fprintf(t->out, "\t%zu\t%zu\n", d.genuine, d.impostor);
    }
    int n = 0;
    for (int i = 0; !status && known && i < t->replicates; i++) {
        work[n] = xfv_discard_area(&t->s, q, order, threshold, weights + (size_t)i * t->s.n);
        n += !isnan(work[n]);
    }
    if (!status && known) {
        xfv_interval_of(work, n, &lo, &hi);
        fprintf(t->out, "%s\tarea\t-", name);
        put_numbers(t->out, (const double[]){xfv_discard_area(&t->s, q, order, threshold, NULL), lo, hi}, 3);
        fprintf(t->out, "\t-\t-\t-\n");
    }
    free(order), free(q);
    return status;
}

/* The table of --discard, at the threshold of the first --fmr. */
static int report_discard(struct roc *t, struct xfv_err *e)
{
    double threshold;
    float *weights = xfv_bootstrap_weights(t->a, t->b, t->s.n, t->people.n, t->replicates, t->seed);
    double *work = calloc((size_t)t->replicates, sizeof *work);
    int status = weights && work ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory"), known = 0;
    if (!status) status = xfv_threshold_at_fmr(&t->s, t->fmr[0], &threshold, e);
    for (int m = 0; m < XFV_QUALITIES; m++) {
        int asked = !strcmp(t->discard, "all") || !strcmp(t->discard, xfv_quality_info[m].name);
        for (size_t i = 0; asked && i < t->s.n && known <= m; i++)
            if (!isnan(t->quality[i * XFV_QUALITIES + (size_t)m])) known = m + 1;
    }
    if (!status && !known)
        status = xfv_fail(e, XFV_EARG,
                          "no pair's faces tell '%s': crop the photographs anew with facecrop", t->discard);
    if (!status) {
        xfv_cli_info(t->c, "threshold %.6f, at an FMR of %g", threshold, t->fmr[0]);
        t->out = xfv_table_open(&t->table, t->form ? (enum xfv_table_form)t->form : XFV_TABLE_TSV, NULL, t->out, e);
        if (!t->out) status = e->status;
    }
    if (!status) fprintf(t->out, "measure\tdiscarded\tfloor\tfnmr\tlo\thi\tfmr\tgenuine\timpostor\n");
    for (int m = 0; m < XFV_QUALITIES && !status; m++)
        if (!strcmp(t->discard, "all") || !strcmp(t->discard, xfv_quality_info[m].name))
            status = put_discard(t, m, threshold, weights, work, e);
    if (known && t->out) {
        int closed = xfv_table_close(&t->table, status ? NULL : e);
        if (!status) status = closed;
    }
    free(weights), free(work);
    return status;
}

static int report(struct roc *t, struct xfv_err *e)
{
    struct xfv_rates r = xfv_rates_at(&t->s, 0);
    char why[200];
    if (!t->s.n && t->scores_path) return xfv_fail(e, XFV_EARG, "'%s' holds no pairs", t->scores_path);
    if (!t->s.n && xfv_stage_no_pairs(t->c, "verify --pairs with a list that has labels", why, sizeof why))
        return xfv_fail(e, XFV_EARG, "%s", why);
    if (!r.genuine || !r.impostor)
        return xfv_fail(e, XFV_EARG, "genuine and impostor pairs are needed: %zu and %zu given", r.genuine, r.impostor);
    xfv_cli_info(t->c, "%zu genuine and %zu impostor pairs, %llu failed", r.genuine, r.impostor,
                 (unsigned long long)t->n_rows - (r.genuine + r.impostor));
    if (t->discard) return report_discard(t, e);
    double *boot[10] = {NULL};
    size_t *order = xfv_roc_order(&t->s);
    float *weights = xfv_bootstrap_weights(t->a, t->b, t->s.n, t->people.n, t->replicates, t->seed);
    int ok = order && weights, status = 0;
    for (int i = 0; i < 10; i++) ok = (boot[i] = calloc((size_t)t->replicates, sizeof **boot)) && ok;
    if (ok) {
        t->out = xfv_table_open(&t->table, t->form ? (enum xfv_table_form)t->form : XFV_TABLE_TSV, NULL, t->out, e);
        if (!t->out) status = e->status;
        else fprintf(t->out, "metric\tvalue\tlo\thi\tthreshold\n");
        if (!status) fprintf(t->out, "genuine\t%zu\t-\t-\t-\nimpostor\t%zu\t-\t-\t-\n", r.genuine, r.impostor);
        if (!status) put_in_use(t);
        if (!status && t->folds) status = put_folds(t, weights, boot[0], e);
        if (!status) status = put_measures(t, order, weights, boot, e);
        if (!status && t->curve_path) status = put_curve(t, e);
        int closed = xfv_table_close(&t->table, status ? NULL : e);
        if (!status) status = closed;
    } else {
        status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    for (int i = 0; i < 10; i++) free(boot[i]);
    free(order);
    free(weights);
    return status;
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    (void)w;
    return report(ctx, e);
}

/* ---- options ---- */

static int set_fmr(void *ctx, const char *s, struct xfv_err *e)
{
    struct roc *t = ctx;
    if (t->n_fmr == 8) return xfv_fail(e, XFV_EARG, "at most 8 --fmr");
    return xfv_parse_f64("--fmr", s, 0, 1, &t->fmr[t->n_fmr++], e);
}

static int set_discard(void *ctx, const char *s, struct xfv_err *e)
{
    char known[400] = "all";
    size_t n = 3;
    for (int m = 0; m < XFV_QUALITIES; m++) {
        if (!strcmp(s, xfv_quality_info[m].name)) break;
        n += (size_t)snprintf(known + n, sizeof known - n, ", %s", xfv_quality_info[m].name);
        if (m == XFV_QUALITIES - 1 && strcmp(s, "all"))
            return xfv_fail(e, XFV_EARG, "--discard: unknown measure '%s': use one of %s", s, known);
    }
    ((struct roc *)ctx)->discard = s;
    return 0;
}

static const struct xfv_opt options[] = {
    {"scores", 0, "FILE", "read verify's table instead of a stream (-: standard input)",
     XFV_OPT_READS, XFV_TO_TEXT(struct roc, scores_path, 0)},
    {"folds", 0, "N", "accuracy by LFW's rule: the pairs in their order are N folds",
     0, XFV_TO_INT(struct roc, folds, 2, 10000)},
    {"fmr", 0, "X", "a false match rate to give the true accept rate at (default .1, .01, .001)",
     XFV_OPT_MANY, .set = set_fmr},
    {"curve", 0, "FILE", "write threshold, FMR and FNMR of every point: for DET and ROC plots",
     XFV_OPT_WRITES, XFV_TO_TEXT(struct roc, curve_path, 0)},
    {"discard", 0, "MEASURE", "instead, errors as the pairs with the worst faces are set aside (all: by each measure)",
     0, .set = set_discard},
    {"identity", 0, "RULE", "where an id names the person (default name: the file name less _digits)",
     0, XFV_TO_CHOICE(struct roc, identity, xfv_identity_rules)},
    XFV_OPT_TABLE(struct roc, form),
    {"replicates", 0, "N", "replicates behind the intervals (default 1000)",
     0, XFV_TO_INT(struct roc, replicates, 1, 100000)},
    {"seed", 0, "N", "start of the bootstrap's generator (default 0)", 0, XFV_TO_SEED(struct roc, seed)},
    {0},
};

int main(int argc, char **argv)
{
    static struct roc t = {.replicates = 1000};
    static const struct xfv_program program = {
        .name = "roc",
        .summary = "Measure a verification system: labelled pairs in, accuracy, EER, AUC and TAR at FMRs out, with "
                   "intervals.",
        .operands = "[FILE]...",
        .example = "verify --pairs pairs.txt faces.xfv | roc --folds 10 --curve det.tsv",
        .flags = XFV_READS_STREAM,
        .opts = options,
        .ctx = &t,
    };
    static const struct xfv_stage stage = {.ctx = &t, .wants = wants, .emit = emit, .finish = finish, .sink = 1};
    struct xfv_err e = {0};
    int exit_status;
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    for (size_t i = 0; !t.n_fmr && i < sizeof usual / sizeof *usual; i++) t.fmr[i] = usual[i];
    if (!t.n_fmr) t.n_fmr = (int)(sizeof usual / sizeof *usual);
    char **files;
    int status = 0;
    if (t.scores_path && xfv_cli_operands(t.c, &files))
        status = xfv_fail(&e, XFV_EARG, "--scores reads a table, and no stream: leave out the files or --scores");
    if (!status && t.discard && (t.scores_path || t.curve_path || t.folds))
        status = xfv_fail(&e, XFV_EARG, "--discard needs a stream, whose faces hold the measures, and makes a table of "
                          "its own: leave out --scores, --curve and --folds");
    if (!status && !(t.out = xfv_cli_out_file(t.c, &e))) status = e.status;
    if (!status && t.scores_path) {
        status = read_table(&t, &e);
        if (!status) status = report(&t, &e);
        exit_status = xfv_cli_finish(t.c, status ? &e : NULL, 0);
    } else {
        exit_status = status ? xfv_cli_finish(t.c, &e, 0) : xfv_cli_finish(t.c, NULL, xfv_stage_run(t.c, NULL, &stage));
    }
    xfv_scores_clear(&t.s);
    xfv_name_table_clear(&t.people);
    free(t.row), free(t.a), free(t.b), free(t.quality);
    return exit_status;
}
