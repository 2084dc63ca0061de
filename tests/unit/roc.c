/* Points of an ROC curve, its area, equal error, TAR at FMR, and LFW's folds: against counts by hand. */
#include "../tap.h"
#include "measure/roc.h"

static struct xfv_scores made(const double *genuine, int n_genuine, const double *impostor, int n_impostor)
{
    struct xfv_scores s = {0};
    struct xfv_err e;
    for (int i = 0; i < n_genuine; i++) xfv_scores_add(&s, genuine[i], 1, i % 2, &e);
    for (int i = 0; i < n_impostor; i++) xfv_scores_add(&s, impostor[i], 0, i % 2, &e);
    return s;
}

static int near(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

int main(void)
{
    static const double genuine[] = {0.9, 0.8, 0.7, 0.4}, impostor[] = {0.6, 0.4, 0.2, 0.1}, fmr[] = {0, 0.25, 0.5};
    struct xfv_scores s = made(genuine, 4, impostor, 4);
    struct xfv_err e;
    size_t n = 0, *order = xfv_roc_order(&s);
    struct xfv_roc r = xfv_roc_measure(&s, order, NULL, fmr, 3);
    /* Of 16 comparisons the genuine score is larger in 14, and equal in one. */
    OK(near(r.auc, 14.5 / 16), "area: %g", r.auc);
    OK(near(r.tar[0], 0.75) && near(r.tar[1], 0.75) && near(r.tar[2], 1), "TAR at FMR 0, .25, .5: %g %g %g", r.tar[0],
       r.tar[1], r.tar[2]);
    OK(near(r.eer, 0.25), "equal error: %g", r.eer);

    struct xfv_roc_point *p = xfv_roc_curve(&s, &n, &e);
    int falls = p != NULL, right = p != NULL;
    for (size_t i = 0; p && i < n; i++) {
        int accepted = 0, missed = 0;
        for (int k = 0; k < 4; k++) accepted += impostor[k] >= p[i].threshold, missed += genuine[k] < p[i].threshold;
        right = right && near(p[i].fmr, accepted / 4.0) && near(p[i].fnmr, missed / 4.0);
        falls = falls &&
                (!i || (p[i].threshold < p[i - 1].threshold && p[i].fmr >= p[i - 1].fmr && p[i].fnmr <= p[i - 1].fnmr));
    }
    OK(right && n >= 7, "each of %zu points counts who is accepted", n);
    OK(falls, "thresholds fall, false matches grow, false non-matches shrink");

    /* Weights: a pair of weight 0 is not there. */
    static const float weights[] = {1, 1, 1, 0, 1, 1, 1, 1};
    struct xfv_roc w = xfv_roc_measure(&s, order, weights, fmr, 3);
    OK(near(w.auc, 1) && near(w.tar[0], 1) && near(w.eer, 0), "without the fourth genuine pair all are told apart: %g",
       w.auc);

    double decided[8], accuracy = 0, sd = 0;
    OK(!xfv_fold_decisions(&s, 2, decided, &accuracy, &sd, &e), "LFW's rule over two folds");
    double sum = 0;
    for (int i = 0; i < 8; i++) sum += decided[i];
    OK(near(accuracy, sum / 8) && accuracy > 0.5, "its accuracy is the share of right decisions: %g", accuracy);

    struct xfv_scores none = made(genuine, 4, impostor, 0);
    n = 7;
    OK(xfv_roc_curve(&none, &n, &e) == NULL && e.msg[0], "without impostor pairs there is no curve: %s", e.msg);
    free(p), free(order);
    xfv_scores_clear(&s), xfv_scores_clear(&none);
    return tap_done();
}
