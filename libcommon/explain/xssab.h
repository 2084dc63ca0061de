/* xSSAB (Huber, Luu, Terhoerst, Damer, "Efficient explainable face verification based on similarity score argument
 * backpropagation", WACV 2024). With f = F/|F| and a bound, threshold/N, each channel of the score argues for it or
 * against:
 *
 *     similarity    = mean over colours of | d sum_k w_k f_k(x) / dx | at x = A
 *     w_k           = f_k(B) where f_k(A) f_k(B) >= bound, else 0
 *     dissimilarity = the same, with the rest of the channels
 *
 * Two backward passes an image. Unlike FGGB's two maps these overlap: the authors show their difference as well. */
#ifndef XFV_EXPLAIN_XSSAB_H
#define XFV_EXPLAIN_XSSAB_H

#include "explain/grad.h"

/* g: after xfv_grad_forward of this face; other: the partner's unit embedding f64 [n]; work f64 [n]. Maps f32 [H][W].
 */
int xfv_xssab(struct xfv_grad *g, const double *other, double threshold, double *work, float *similarity,
              float *dissimilarity, struct xfv_err *e);
/* The same idea, ours, for a network whose score is minus the distance |F(A) - F(B)|: as in xfv_fggb_distance_weights
 * the decision is a sum over channels of
 * -(F_k(A) - F_k(B))^2, each against its share -threshold^2/N (+ for a threshold above 0); the two maps are those of
 * the channels' sums on either side. */
int xfv_xssab_distance(struct xfv_grad *g, const float *other, double threshold, double *work, float *similarity,
                       float *dissimilarity, struct xfv_err *e);

#endif
