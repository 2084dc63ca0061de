/* Scores of pairs of embeddings, and the error rates of a set of scored, labelled pairs. A pair is accepted when score
 * >= threshold. FMR: share of impostor pairs accepted; FNMR: share of genuine pairs rejected (ISO/IEC 19795-1). */
#ifndef XFV_PAIR_SCORE_H
#define XFV_PAIR_SCORE_H

#include <stddef.h>

#include "base/err.h"

/* a . b / (|a| |b|), accumulated in double; a and b are f32 [n] at any alignment. XFV_EDATA when one of them is zero
 * or not finite. */
int xfv_cosine(const void *a, const void *b, size_t n, double *score, struct xfv_err *e);
/* Minus the Euclidean distance of the embeddings as they are, so that larger is more alike, as for every score here. */
int xfv_neg_distance(const void *a, const void *b, size_t n, double *score, struct xfv_err *e);

/* Scored pairs with labels (1 genuine, 0 impostor) and the fold each belongs to (0.. ; all 0 when there are none).
 * Grows by add. */
struct xfv_scores { double *score; int *genuine, *fold; size_t n, cap; };
int xfv_scores_add(struct xfv_scores *s, double score, int genuine, int fold, struct xfv_err *e);
void xfv_scores_clear(struct xfv_scores *s);

/* 0..1; NaN where there is no pair of the kind */
struct xfv_rates { size_t genuine, impostor; double fmr, fnmr, accuracy; };
struct xfv_rates xfv_rates_at(const struct xfv_scores *s, double threshold);

/* Equal error rate: of all thresholds that are scores of the set, the one with the least |FMR - FNMR| (the largest of
 * several), and the mean of the two there. XFV_EARG without a genuine or without an impostor pair. */
int xfv_eer(const struct xfv_scores *s, double *eer, double *threshold, struct xfv_err *e);
/* The threshold of best accuracy: midway between two neighbouring scores (the lowest such place of several). XFV_EARG
 * for an empty set. */
int xfv_best_threshold(const struct xfv_scores *s, double *accuracy, double *threshold, struct xfv_err *e);
/* The lowest threshold, midway between two scores, with FMR <= fmr. XFV_EARG without impostor pairs. */
int xfv_threshold_at_fmr(const struct xfv_scores *s, double fmr, double *threshold, struct xfv_err *e);
/* LFW's rule: each fold is judged at the best threshold of the others; mean accuracy over the folds. XFV_EARG with
 * fewer than two folds. */
int xfv_fold_accuracy(const struct xfv_scores *s, double *accuracy, int *folds, struct xfv_err *e);

#endif
