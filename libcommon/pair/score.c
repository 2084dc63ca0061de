#include "pair/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

static float at(const void *p, size_t i)
{
    float v;
    memcpy(&v, (const char *)p + i * sizeof v, sizeof v);
    return v;
}

int xfv_cosine(const void *a, const void *b, size_t n, double *score, struct xfv_err *e)
{
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        double x = (double)at(a, i), y = (double)at(b, i);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if (!isfinite(aa) || !isfinite(bb))
        return xfv_fail_code(e, XFV_EDATA, "embedding", "an embedding holds a number that is not finite");
    if (aa <= 0 || bb <= 0)
        return xfv_fail_code(e, XFV_EDATA, "embedding", "an embedding is all zero: it has no direction to compare");
    /* One root of the product, not two: for a equal to b the result is exactly 1. */
    double s = ab / sqrt(aa * bb);
    *score = s > 1 ? 1 : s < -1 ? -1 : s;
    return 0;
}

int xfv_neg_distance(const void *a, const void *b, size_t n, double *score, struct xfv_err *e)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)at(a, i) - (double)at(b, i);
        sum += d * d;
    }
    if (!isfinite(sum))
        return xfv_fail_code(e, XFV_EDATA, "embedding", "an embedding holds a number that is not finite");
    *score = -sqrt(sum);
    return 0;
}

int xfv_scores_add(struct xfv_scores *s, double score, int genuine, int fold, struct xfv_err *e)
{
    if (s->n == s->cap) {
        size_t cap = xfv_more(s->cap, 1024);
        if (!XFV_GROW(s->score, cap) || !XFV_GROW(s->genuine, cap) || !XFV_GROW(s->fold, cap))
            return xfv_fail(e, XFV_ENOMEM, "out of memory");
        s->cap = cap;
    }
    s->score[s->n] = score;
    s->genuine[s->n] = genuine;
    s->fold[s->n++] = fold;
    return 0;
}

void xfv_scores_clear(struct xfv_scores *s)
{
    free(s->score);
    free(s->genuine);
    free(s->fold);
    *s = (struct xfv_scores){0};
}

struct xfv_rates xfv_rates_at(const struct xfv_scores *s, double threshold)
{
    size_t genuine = 0, missed = 0, false_match = 0;
    for (size_t i = 0; i < s->n; i++) {
        int accept = s->score[i] >= threshold;
        genuine += s->genuine[i] != 0;
        missed += s->genuine[i] && !accept;
        false_match += !s->genuine[i] && accept;
    }
    size_t impostor = s->n - genuine;
    struct xfv_rates r = {genuine, impostor, NAN, NAN, NAN};
    if (impostor) r.fmr = (double)false_match / (double)impostor;
    if (genuine) r.fnmr = (double)missed / (double)genuine;
    if (s->n) r.accuracy = (double)(s->n - missed - false_match) / (double)s->n;
    return r;
}

struct labelled { double score; int genuine; };

static int descending(const void *a, const void *b)
{
    double x = ((const struct labelled *)a)->score, y = ((const struct labelled *)b)->score;
    return (x < y) - (x > y);
}

/* The pairs for which keep(fold) holds, best first. fold < 0: all; else all but this fold. malloc'ed; *n of them. */
static struct labelled *sorted(const struct xfv_scores *s, int but_fold, size_t *n, struct xfv_err *e)
{
    struct labelled *v = malloc((s->n + 1) * sizeof *v);
    *n = 0;
    if (!v) {
        xfv_fail(e, XFV_ENOMEM, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < s->n; i++)
        if (but_fold < 0 || s->fold[i] != but_fold) v[(*n)++] = (struct labelled){s->score[i], s->genuine[i]};
    qsort(v, *n, sizeof *v, descending);
    return v;
}

static size_t count_genuine(const struct labelled *v, size_t n)
{
    size_t g = 0;
    for (size_t i = 0; i < n; i++) g += v[i].genuine != 0;
    return g;
}

/* A threshold that accepts exactly the first k of the sorted pairs. */
static double between(const struct labelled *v, size_t n, size_t k)
{
    if (k == 0) return v[0].score + 1e-6;
    if (k == n) return v[n - 1].score;
    return 0.5 * (v[k - 1].score + v[k].score);
}

int xfv_eer(const struct xfv_scores *s, double *eer, double *threshold, struct xfv_err *e)
{
    size_t n;
    struct labelled *v = sorted(s, -1, &n, e);
    if (!v) return XFV_ENOMEM;
    size_t genuine = count_genuine(v, n), impostor = n - genuine, hit = 0, wrong = 0;
    double best = INFINITY;
    for (size_t i = 0; i < n && genuine && impostor; i++) {
        hit += v[i].genuine != 0;
        wrong += v[i].genuine == 0;
        if (i + 1 < n && v[i + 1].score >= v[i].score) continue; /* equal scores are accepted together */
        double fnmr = (double)(genuine - hit) / (double)genuine, fmr = (double)wrong / (double)impostor;
        if (fabs(fmr - fnmr) >= best) continue;
        best = fabs(fmr - fnmr);
        *eer = 0.5 * (fmr + fnmr);
        *threshold = v[i].score;
    }
    free(v);
    if (!genuine || !impostor)
        return xfv_fail(e, XFV_EARG, "an equal error rate needs genuine and impostor pairs: %zu and %zu given", genuine,
                        impostor);
    return 0;
}

static void best_of(const struct labelled *v, size_t n, double *accuracy, double *threshold)
{
    size_t genuine = count_genuine(v, n), right = n - genuine, most = right, k_best = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i].genuine) right++;
        else right--;
        if (i + 1 < n && v[i + 1].score >= v[i].score) continue;
        if (right >= most) { /* the lowest place of several */
            most = right;
            k_best = i + 1;
        }
    }
    *accuracy = (double)most / (double)n;
    *threshold = between(v, n, k_best);
}

int xfv_best_threshold(const struct xfv_scores *s, double *accuracy, double *threshold, struct xfv_err *e)
{
    size_t n;
    if (!s->n) return xfv_fail(e, XFV_EARG, "no labelled pairs");
    struct labelled *v = sorted(s, -1, &n, e);
    if (!v) return XFV_ENOMEM;
    best_of(v, n, accuracy, threshold);
    free(v);
    return 0;
}

int xfv_threshold_at_fmr(const struct xfv_scores *s, double fmr, double *threshold, struct xfv_err *e)
{
    size_t n, wrong = 0, k_best = 0;
    struct labelled *v = sorted(s, -1, &n, e);
    if (!v) return XFV_ENOMEM;
    size_t impostor = n - count_genuine(v, n);
    for (size_t i = 0; i < n && impostor; i++) {
        wrong += v[i].genuine == 0;
        if (i + 1 < n && v[i + 1].score >= v[i].score) continue;
        if ((double)wrong <= fmr * (double)impostor) k_best = i + 1;
    }
    if (impostor) *threshold = between(v, n, k_best);
    free(v);
    return impostor ? 0 : xfv_fail(e, XFV_EARG, "a threshold at a false match rate needs impostor pairs");
}

int xfv_fold_accuracy(const struct xfv_scores *s, double *accuracy, int *folds, struct xfv_err *e)
{
    int last = 0, used = 0;
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) last = s->fold[i] > last ? s->fold[i] : last;
    for (int f = 0; f <= last; f++) {
        size_t n, in_fold = 0, right = 0;
        double ignored, threshold;
        struct labelled *v = sorted(s, f, &n, e);
        if (!v) return XFV_ENOMEM;
        if (n) best_of(v, n, &ignored, &threshold);
        free(v);
        if (n == 0 || n == s->n) continue; /* nothing else to learn from, or an empty fold */
        for (size_t i = 0; i < s->n; i++) {
            if (s->fold[i] != f) continue;
            in_fold++;
            right += (s->score[i] >= threshold) == (s->genuine[i] != 0);
        }
        sum += (double)right / (double)in_fold;
        used++;
    }
    if (used < 2) return xfv_fail(e, XFV_EARG, "accuracy over folds needs at least two folds of labelled pairs");
    *accuracy = sum / used;
    *folds = used;
    return 0;
}
