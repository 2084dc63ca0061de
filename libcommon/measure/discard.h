/* Error versus discard: how the error rates of a fixed threshold fall as the pairs with the worst faces are set aside
 * (Grother and Tabassi 2007; ISO/IEC 29794-1). */
#ifndef XFV_MEASURE_DISCARD_H
#define XFV_MEASURE_DISCARD_H

#include "pair/score.h"

struct xfv_discard {
    double share;             /* of the pairs set aside: at most what was asked for; equal ones stay together */
    double floor;             /* least quality of those kept */
    size_t genuine, impostor; /* kept */
    double fnmr, fmr;         /* of those; NaN without any */
};

/* quality: f64 [s->n], the higher the better, NaN: not known, which leaves the pair out altogether. Sets aside the
 * worst `share` of the others. weights (one a pair; NULL: all 1) for a bootstrap's replicate, which are of the rates
 * alone. order: xfv_discard_order. */
struct xfv_discard xfv_discard_at(const struct xfv_scores *s, const double *quality, const size_t *order,
                                  double threshold, double share, const float *weights);
/* The pairs whose quality is known, by rising quality, and *n of them: malloc'ed; NULL when out of memory. */
size_t *xfv_discard_order(const double *quality, size_t of, size_t *n);
/* Mean of FNMR, over its value with nothing set aside, for shares of 0, .01, ..., .2: 1 means that the measure is of no
 * use. NaN when there is no error to begin with. */
double xfv_discard_area(const struct xfv_scores *s, const double *quality, const size_t *order, double threshold,
                        const float *weights);

#endif
