/* Receiver operating characteristics of scored, labelled pairs, with intervals. FMR: share of impostor pairs with score
 * >= threshold; TAR: share of genuine pairs. */
#ifndef XFV_MEASURE_ROC_H
#define XFV_MEASURE_ROC_H

#include "measure/resample.h"
#include "pair/score.h"

/* One threshold of the curve: fmr and fnmr (1 - TAR) when scores of `threshold` and more are accepted. */
struct xfv_roc_point { double threshold, fmr, fnmr; };
/* All points where something changes, from the highest score down; *n of them, at most s->n. malloc'ed; NULL when out
 * of memory or without pairs of both kinds (*e says). */
struct xfv_roc_point *xfv_roc_curve(const struct xfv_scores *s, size_t *n, struct xfv_err *e);

/* weights (one a pair, NULL: all 1) for a bootstrap's replicate. order: the pairs by falling score (xfv_roc_order). */
struct xfv_roc { double eer, auc, tar[8]; };
/* auc: probability that a genuine pair scores above an impostor pair, ties count half. tar[i]: the highest TAR of a
 * threshold with FMR <= fmr[i]. eer: the mean of FMR and FNMR where they differ least. All NaN when the weights leave
 * no pair of one kind. */
struct xfv_roc xfv_roc_measure(const struct xfv_scores *s, const size_t *order, const float *weights, const double *fmr,
                               int n_fmr);
size_t *xfv_roc_order(const struct xfv_scores *s); /* malloc'ed; NULL when out of memory */

/* LFW's rule: right[i] = 1 when pair i is decided right at the best threshold of the other folds, f64 [s->n]; *sd:
 * standard deviation of the accuracy over the folds, as LFW's tables have it over root of the number of folds. XFV_EARG
 * with fewer than two folds. */
int xfv_fold_decisions(const struct xfv_scores *s, int folds, double *right, double *accuracy, double *sd,
                       struct xfv_err *e);

#endif
