/* Intervals and tests for numbers measured on pairs of faces. Pairs that share a person are not independent, so the
 * people are drawn, not the pairs: a bootstrap replicate draws as many identities as there are, with replacement; a
 * pair counts as often as its identity was drawn, a pair of two people as often as the product (the "subsets" bootstrap
 * of Bolle, Ratha, Pankanti 2004 carried to pairs of people; for networks of pairs: Snijders and Borgatti 1999). */
#ifndef XFV_MEASURE_RESAMPLE_H
#define XFV_MEASURE_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Weights of `pairs` pairs, f32 [replicates][pairs], from the identities' numbers of their two faces. malloc'ed; NULL
 * when out of memory. */
float *xfv_bootstrap_weights(const long *a, const long *b, size_t pairs, size_t identities, int replicates,
                             uint64_t seed);

struct xfv_interval { double value, lo, hi; };
/* Mean of v with its 95 % percentile interval over the replicates; at[i] is the pair of v[i]; n values. work f64
 * [replicates]. NaN for n 0; replicates whose weights are all zero are left out. */
struct xfv_interval xfv_mean_interval(const double *v, const size_t *at, size_t n, const float *weights, size_t pairs,
                                      int replicates, double *work);
struct xfv_column { double *v; size_t *at, n; }; /* n values and the pairs that they are of */
/* How far the mean of v lies from `chance`, as a share of how far the mean of `best` does, with its interval: each
 * replicate draws the people of both. NaN when the mean of best is not above chance; replicates in which it is not are
 * left out. */
struct xfv_interval xfv_share_interval(const struct xfv_column *v, const struct xfv_column *best, double chance,
                                       const float *weights, size_t pairs, int replicates, double *work);
/* The 2.5 % and 97.5 % points of v (sorted in place; linear between ranks). */
void xfv_interval_of(double *v, int n, double *lo, double *hi);

/* Wilcoxon's signed-rank test of paired differences, two-sided, normal approximation with ties corrected and zeros left
 * out; 1 when nothing remains. d is changed. */
double xfv_wilcoxon(double *d, size_t n);
/* Holm's step-down adjustment of n p-values, in place. XFV_ENOMEM: they are as they were. */
int xfv_holm(double *p, size_t n, struct xfv_err *e);

#endif
