#include "measure/sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/field.h"
#include "base/grow.h"
#include "pair/identity.h"

struct value { long method, test, at; double v; };
/* The test `test` is not of values: it is the share of `best` in the test `of`. */
struct share { long test, of, best; double chance; };
enum { MAX_SHARES = 8 };

struct xfv_sheet {
    struct xfv_name_table people, methods, tests;
    long *a, *b; /* people of each case */
    size_t n_cases, cap_cases;
    struct value *values;
    size_t n_values, cap_values;
    struct share shares[MAX_SHARES];
    int n_shares;
};

struct xfv_sheet *xfv_sheet_new(void)
{
    return calloc(1, sizeof(struct xfv_sheet));
}

void xfv_sheet_free(struct xfv_sheet *s)
{
    if (!s) return;
    xfv_name_table_clear(&s->people);
    xfv_name_table_clear(&s->methods);
    xfv_name_table_clear(&s->tests);
    free(s->a);
    free(s->b);
    free(s->values);
    free(s);
}

long xfv_sheet_case(struct xfv_sheet *s, const char *a, size_t n_a, const char *b, size_t n_b)
{
    if (s->n_cases == s->cap_cases) {
        size_t cap = xfv_more(s->cap_cases, 256);
        if (!XFV_GROW(s->a, cap) || !XFV_GROW(s->b, cap)) return XFV_ENOMEM;
        s->cap_cases = cap;
    }
    long p = xfv_name_number(&s->people, a, n_a), q = xfv_name_number(&s->people, b, n_b);
    if (p < 0 || q < 0) return XFV_ENOMEM;
    s->a[s->n_cases] = p;
    s->b[s->n_cases] = q;
    return (long)s->n_cases++;
}

int xfv_sheet_add(struct xfv_sheet *s, long at, const char *method, const char *test, double value, struct xfv_err *e)
{
    if (isnan(value)) return 0;
    if (s->n_values == s->cap_values) {
        size_t cap = xfv_more(s->cap_values, 1024);
        if (!XFV_GROW(s->values, cap)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        s->cap_values = cap;
    }
    long m = xfv_name_number(&s->methods, method, strlen(method)), t = xfv_name_number(&s->tests, test, strlen(test));
    if (m < 0 || t < 0) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    s->values[s->n_values++] = (struct value){m, t, at, value};
    return 0;
}

int xfv_sheet_add_constant(struct xfv_sheet *s, const char *method, const char *test, double value, struct xfv_err *e)
{
    return xfv_sheet_add(s, -1, method, test, value, e);
}

int xfv_sheet_add_share(struct xfv_sheet *s, const char *test, const char *best, double chance, struct xfv_err *e)
{
    char name[256];
    if (s->n_shares == MAX_SHARES) return xfv_fail(e, XFV_ELIMIT, "more than %d shares on a sheet", MAX_SHARES);
    snprintf(name, sizeof name, "%s, share of %s", test, best);
    struct share x = {xfv_name_number(&s->tests, name, strlen(name)), xfv_name_number(&s->tests, test, strlen(test)),
                      xfv_name_number(&s->methods, best, strlen(best)), chance};
    if (x.test < 0 || x.of < 0 || x.best < 0) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    s->shares[s->n_shares++] = x;
    return 0;
}

int xfv_sheet_has(const struct xfv_sheet *s, const char *method)
{
    for (size_t i = 0; i < s->methods.n; i++)
        if (!strcmp(s->methods.v[i], method)) return 1;
    return 0;
}

/* ---- the table ---- */

/* 0 when out of memory; to be freed all the same. */
static int make_column(struct xfv_column *c, size_t n)
{
    c->v = malloc((n + 1) * sizeof *c->v);
    c->at = malloc((n + 1) * sizeof *c->at);
    return c->v && c->at;
}

struct print {
    const struct xfv_sheet *s;
    float *weights;
    struct xfv_column of, best;
    double *work;
    int replicates;
    FILE *f;
};

/* The values of a test of a method. A constant, which is of no case, goes to *constant. */
static void collect(const struct xfv_sheet *s, long m, long t, struct xfv_column *out, double *constant)
{
    out->n = 0;
    for (size_t i = 0; i < s->n_values; i++) {
        const struct value *x = &s->values[i];
        if (x->method != m || x->test != t) continue;
        if (x->at < 0) *constant = x->v;
        else out->v[out->n] = x->v, out->at[out->n++] = (size_t)x->at;
    }
}

static const struct share *share_at(const struct xfv_sheet *s, long test)
{
    for (int i = 0; i < s->n_shares; i++)
        if (s->shares[i].test == test) return &s->shares[i];
    return NULL;
}

/* How many cases the cell is of, 1 for a constant, 0 for none. */
static size_t gather(struct print *p, size_t m, size_t t, struct xfv_interval *out)
{
    const struct share *x = share_at(p->s, (long)t);
    double constant = NAN;
    if (x && x->best == (long)m) return 0;
    collect(p->s, (long)m, x ? x->of : (long)t, &p->of, &constant);
    *out = (struct xfv_interval){.value = constant, .lo = NAN, .hi = NAN};
    if (!p->of.n) return !x && !isnan(constant);
    if (!x) {
        *out = xfv_mean_interval(p->of.v, p->of.at, p->of.n, p->weights, p->s->n_cases, p->replicates, p->work);
        return p->of.n;
    }
    collect(p->s, x->best, x->of, &p->best, &constant);
    *out = xfv_share_interval(&p->of, &p->best, x->chance, p->weights, p->s->n_cases, p->replicates, p->work);
    return isnan(out->value) ? 0 : p->of.n;
}

/* A method's name as a JSON text; names with quotes or controls lose them. */
static void put_text(FILE *f, const char *s)
{
    fputc('"', f);
    for (; *s; s++)
        if (*s != '"' && *s != '\\' && (unsigned char)*s >= ' ') fputc(*s, f);
    fputc('"', f);
}

static void print_row(struct print *p, enum xfv_sheet_format how, size_t m, size_t t, size_t n,
                      const struct xfv_interval *i)
{
    const char *method = p->s->methods.v[m], *test = p->s->tests.v[t];
    if (how == XFV_SHEET_TSV) {
        xfv_put_field(p->f, method, strlen(method), "");
        fputc('\t', p->f);
        xfv_put_field(p->f, test, strlen(test), ""); /* "like NAME" holds a method's name, too */
        fprintf(p->f, "\t%zu\t%.4f\t%.4f\t%.4f\n", n, i->value, i->lo, i->hi);
        return;
    }
    fputs("{\"method\":", p->f);
    put_text(p->f, method);
    fputs(",\"test\":", p->f);
    put_text(p->f, test);
    fprintf(p->f, ",\"n\":%zu,\"value\":%.6g", n, i->value);
    if (isfinite(i->lo) && isfinite(i->hi)) fprintf(p->f, ",\"lo\":%.6g,\"hi\":%.6g", i->lo, i->hi);
    fputs("}\n", p->f);
}

static void print_wide(struct print *p)
{
    const struct xfv_sheet *s = p->s;
    struct xfv_interval i;
    fputs("method", p->f);
    for (size_t t = 0; t < s->tests.n; t++) {
        fputc('\t', p->f);
        xfv_put_field(p->f, s->tests.v[t], strlen(s->tests.v[t]), "");
    }
    fputc('\n', p->f);
    for (size_t m = 0; m < s->methods.n; m++) {
        xfv_put_field(p->f, s->methods.v[m], strlen(s->methods.v[m]), "");
        for (size_t t = 0; t < s->tests.n; t++) {
            size_t n = gather(p, m, t, &i);
            if (n && isnan(i.lo)) fprintf(p->f, "\t%.4g", i.value);
            else if (n) fprintf(p->f, "\t%.3f (%.3f to %.3f, n %zu)", i.value, i.lo, i.hi, n);
            else fputs("\t-", p->f);
        }
        fputc('\n', p->f);
    }
}

int xfv_sheet_print(const struct xfv_sheet *s, enum xfv_sheet_format how, int replicates, uint64_t seed, FILE *f,
                    struct xfv_err *e)
{
    struct print p = {.s = s, .replicates = replicates, .f = f};
    struct xfv_interval i;
    p.weights = xfv_bootstrap_weights(s->a, s->b, s->n_cases, s->people.n, replicates, seed);
    int ok = make_column(&p.of, s->n_values), also = make_column(&p.best, s->n_values);
    p.work = malloc(((size_t)replicates + 1) * sizeof *p.work);
    ok = ok && also && p.weights && p.work;
    int status = ok ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory for %d replicates", replicates);
    if (!status && how == XFV_SHEET_TSV) fputs("method\ttest\tn\tvalue\tlo\thi\n", f);
    if (!status && how == XFV_SHEET_WIDE) print_wide(&p);
    for (size_t m = 0; m < s->methods.n && !status && how != XFV_SHEET_WIDE; m++)
        for (size_t t = 0; t < s->tests.n; t++) {
            size_t n = gather(&p, m, t, &i);
            if (n) print_row(&p, how, m, t, n, &i);
        }
    free(p.weights);
    free(p.of.v), free(p.of.at);
    free(p.best.v), free(p.best.at);
    free(p.work);
    return status;
}
