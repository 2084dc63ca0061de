#include "measure/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/grow.h"
#include "base/toint.h"

float *xfv_bootstrap_weights(const long *a, const long *b, size_t pairs, size_t identities, int replicates,
                             uint64_t seed)
{
    uint32_t *drawn = malloc((identities + 1) * sizeof *drawn);
    float *w = malloc((pairs * (size_t)replicates + 1) * sizeof *w);
    struct xfv_random r = xfv_random_new(seed, "bootstrap", 9);
    if (!drawn || !w) {
        free(drawn), free(w);
        return NULL;
    }
    for (int k = 0; k < replicates; k++) {
        memset(drawn, 0, identities * sizeof *drawn);
        for (size_t i = 0; i < identities; i++) drawn[xfv_random_below(&r, (uint32_t)identities)]++;
        float *row = w + (size_t)k * pairs;
        for (size_t i = 0; i < pairs; i++) row[i] = (float)(a[i] == b[i] ? drawn[a[i]] : drawn[a[i]] * drawn[b[i]]);
    }
    free(drawn);
    return w;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *v, int n, double q)
{
    double at = q * (n - 1);
    int i = xfv_to_int(at, 0, n - 1), next = i + 1 < n ? i + 1 : i;
    return v[i] + (at - i) * (v[next] - v[i]);
}

void xfv_interval_of(double *v, int n, double *lo, double *hi)
{
    *lo = *hi = NAN;
    if (n < 1) return;
    qsort(v, (size_t)n, sizeof *v, ascending);
    *lo = quantile(v, n, 0.025);
    *hi = quantile(v, n, 0.975);
}

/* The weighted mean; NaN when all weights are zero. w NULL: all are 1. */
static double mean_of(const double *v, const size_t *at, size_t n, const float *w)
{
    double total = 0, weighted = 0;
    for (size_t i = 0; i < n; i++) {
        double by = w ? (double)w[at[i]] : 1;
        total += by;
        weighted += by * v[i];
    }
    return total > 0 ? weighted / total : NAN;
}

struct xfv_interval xfv_mean_interval(const double *v, const size_t *at, size_t n, const float *weights, size_t pairs,
                                      int replicates, double *work)
{
    struct xfv_interval out = {mean_of(v, at, n, NULL), NAN, NAN};
    int used = 0;
    for (int k = 0; k < replicates && n; k++) {
        double mean = mean_of(v, at, n, weights + (size_t)k * pairs);
        if (!isnan(mean)) work[used++] = mean;
    }
    xfv_interval_of(work, used, &out.lo, &out.hi);
    return out;
}

/* NaN where there is nothing to be a share of. */
static double share_of(double mean, double best, double chance)
{
    return best > chance ? (mean - chance) / (best - chance) : NAN;
}

struct xfv_interval xfv_share_interval(const struct xfv_column *v, const struct xfv_column *best, double chance,
                                       const float *weights, size_t pairs, int replicates, double *work)
{
    double mean = mean_of(v->v, v->at, v->n, NULL);
    struct xfv_interval out = {share_of(mean, mean_of(best->v, best->at, best->n, NULL), chance), NAN, NAN};
    int used = 0;
    for (int k = 0; k < replicates; k++) {
        const float *w = weights + (size_t)k * pairs;
        double share = share_of(mean_of(v->v, v->at, v->n, w), mean_of(best->v, best->at, best->n, w), chance);
        if (!isnan(share)) work[used++] = share;
    }
    xfv_interval_of(work, used, &out.lo, &out.hi);
    return out;
}

/* ---- tests ---- */

static int by_magnitude(const void *a, const void *b)
{
    double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x > y) - (x < y);
}

double xfv_wilcoxon(double *d, size_t n)
{
    size_t m = 0;
    double plus = 0, ties = 0;
    for (size_t i = 0; i < n; i++)
        if (d[i] > 0 || d[i] < 0) d[m++] = d[i];
    if (m == 0) return 1;
    qsort(d, m, sizeof *d, by_magnitude);
    for (size_t i = 0, j; i < m; i = j) {
        for (j = i + 1; j < m && !(fabs(d[j]) > fabs(d[i])); j++) {}
        double t = (double)(j - i), rank = 0.5 * (double)(i + 1 + j);
        ties += t * t * t - t;
        for (size_t k = i; k < j; k++) plus += d[k] > 0 ? rank : 0;
    }
    double count = (double)m, mean = count * (count + 1) / 4,
           var = count * (count + 1) * (2 * count + 1) / 24 - ties / 48;
    if (!(var > 0)) return 1;
    return erfc(fabs(plus - mean) / sqrt(2 * var));
}

int xfv_holm(double *p, size_t n, struct xfv_err *e)
{
    double most = 0;
    unsigned char *done = calloc(n + 1, 1);
    if (!done) return xfv_fail(e, XFV_ENOMEM, "out of memory for %zu p-values", n);
    for (size_t k = 0; k < n; k++) {
        size_t least = n;
        for (size_t i = 0; i < n; i++)
            if (!done[i] && (least == n || p[i] < p[least])) least = i;
        double v = p[least] * (double)(n - k);
        most = v > most ? v : most;
        p[least] = most > 1 ? 1 : most;
        done[least] = 1;
    }
    free(done);
    return 0;
}
