/* How sure an error rate is that was counted. */
#ifndef XFV_MEASURE_INTERVAL_H
#define XFV_MEASURE_INTERVAL_H

#include <stddef.h>

/* The Clopper-Pearson interval of a proportion, k of n: holds the true one with probability `level` (0.95) or more, for
 * independent trials (C. Clopper, E. Pearson, Biometrika 26, 1934). NaN when n is 0. */
void xfv_proportion_interval(size_t k, size_t n, double level, double *lo, double *hi);

/* The same at 95 %, with the proportion itself (NaN when n is 0). */
struct xfv_proportion { size_t k, n; double value, lo, hi; };
struct xfv_proportion xfv_proportion_of(size_t k, size_t n);

#endif
