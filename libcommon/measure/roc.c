#include "measure/roc.h"

#include <math.h>
#include <stdlib.h>

struct keyed { double score; size_t at; };

static int descending(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    if (x->score > y->score || x->score < y->score) return x->score > y->score ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

size_t *xfv_roc_order(const struct xfv_scores *s)
{
    struct keyed *v = malloc((s->n + 1) * sizeof *v);
    size_t *order = malloc((s->n + 1) * sizeof *order);
    for (size_t i = 0; v && i < s->n; i++) v[i] = (struct keyed){s->score[i], i};
    if (v && order) {
        qsort(v, s->n, sizeof *v, descending);
        for (size_t i = 0; i < s->n; i++) order[i] = v[i].at;
    } else {
        free(order);
        order = NULL;
    }
    free(v);
    return order;
}

/* End of the run of equal scores that begins at i. */
static size_t run_end(const struct xfv_scores *s, const size_t *order, size_t i)
{
    size_t j = i + 1;
    while (j < s->n && !(s->score[order[j]] < s->score[order[i]])) j++;
    return j;
}

struct xfv_roc_point *xfv_roc_curve(const struct xfv_scores *s, size_t *n, struct xfv_err *e)
{
    struct xfv_rates all = xfv_rates_at(s, INFINITY);
    *n = 0;
    if (!all.genuine || !all.impostor) {
        xfv_fail(e, XFV_EARG, "a curve needs genuine and impostor pairs: %zu and %zu given", all.genuine, all.impostor);
        return NULL;
    }
    size_t *order = xfv_roc_order(s), hit = 0, wrong = 0;
    struct xfv_roc_point *v = malloc(s->n * sizeof *v);
    if (!order || !v) {
        free(order), free(v);
        xfv_fail(e, XFV_ENOMEM, "out of memory");
        return NULL;
    }
    for (size_t i = 0, j; i < s->n; i = j) {
        j = run_end(s, order, i);
        for (size_t k = i; k < j; k++)
            if (s->genuine[order[k]]) hit++;
            else wrong++;
        v[(*n)++] = (struct xfv_roc_point){s->score[order[i]], (double)wrong / (double)all.impostor,
                                           (double)(all.genuine - hit) / (double)all.genuine};
    }
    free(order);
    return v;
}

struct xfv_roc xfv_roc_measure(const struct xfv_scores *s, const size_t *order, const float *weights, const double *fmr,
                               int n_fmr)
{
    struct xfv_roc r = {NAN, NAN, {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN}};
    double genuine = 0, impostor = 0, hit = 0, wrong = 0, least = INFINITY, area = 0;
    for (size_t i = 0; i < s->n; i++) *(s->genuine[i] ? &genuine : &impostor) += weights ? (double)weights[i] : 1;
    if (!(genuine > 0) || !(impostor > 0)) return r;
    for (int k = 0; k < n_fmr; k++) r.tar[k] = 0;
    for (size_t i = 0, j; i < s->n; i = j) {
        double more[2] = {0, 0};
        j = run_end(s, order, i);
        for (size_t k = i; k < j; k++) more[s->genuine[order[k]] != 0] += weights ? (double)weights[order[k]] : 1;
        area += more[0] * (hit + 0.5 * more[1]); /* impostors here against genuine pairs above them */
        hit += more[1];
        wrong += more[0];
        double a = wrong / impostor, b = 1 - hit / genuine;
        if (fabs(a - b) < least) {
            least = fabs(a - b);
            r.eer = 0.5 * (a + b);
        }
        for (int k = 0; k < n_fmr; k++)
            if (a <= fmr[k]) r.tar[k] = hit / genuine;
    }
    r.auc = area / (genuine * impostor);
    return r;
}

static int one_fold(const struct xfv_scores *s, int fold, double *right, double *accuracy, size_t *in_fold,
                    struct xfv_err *e)
{
    struct xfv_scores others = {0};
    double best, threshold;
    size_t n = 0;
    int status = 0;
    for (size_t i = 0; i < s->n && !status; i++)
        if (s->fold[i] != fold) status = xfv_scores_add(&others, s->score[i], s->genuine[i], 0, e);
    if (!status) status = xfv_best_threshold(&others, &best, &threshold, e);
    xfv_scores_clear(&others);
    *accuracy = 0;
    for (size_t i = 0; i < s->n && !status; i++) {
        if (s->fold[i] != fold) continue;
        right[i] = (s->score[i] >= threshold) == (s->genuine[i] != 0);
        *accuracy += right[i];
        n++;
    }
    if (n) *accuracy /= (double)n;
    *in_fold = n;
    return status;
}

int xfv_fold_decisions(const struct xfv_scores *s, int folds, double *right, double *accuracy, double *sd,
                       struct xfv_err *e)
{
    double sum = 0, squares = 0, a;
    int used = 0;
    if (folds < 2) return xfv_fail(e, XFV_EARG, "accuracy over folds needs at least two folds");
    for (int f = 0; f < folds; f++) {
        size_t n;
        int status = one_fold(s, f, right, &a, &n, e);
        if (status) return status;
        if (!n) continue;
        used++;
        sum += a;
        squares += a * a;
    }
    if (used < 2) return xfv_fail(e, XFV_EARG, "accuracy over folds needs labelled pairs in at least two folds");
    *accuracy = sum / used;
    double var = (squares - sum * sum / used) / (used - 1);
    *sd = sqrt(var > 0 ? var : 0);
    return 0;
}
