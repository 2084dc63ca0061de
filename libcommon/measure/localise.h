/* How well a map points at known pixels. Maps are f32 [n] over the pixels of an image; masks u8 [n], 1 inside. */
#ifndef XFV_MEASURE_LOCALISE_H
#define XFV_MEASURE_LOCALISE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Area under the ROC curve of the map as a score for `truth`, among the pixels of `within`: the chance that a pixel of
 * the truth has a larger value than one that is not of it, ties counting half. 0.5 is chance. NaN when one of the two
 * sets is empty. XFV_ENOMEM. */
int xfv_auroc(const float *map, const uint8_t *truth, const uint8_t *within, size_t n, double *auroc,
              struct xfv_err *e);
/* Share of the map's positive values within that lies on the truth; NaN for a map without any. */
double xfv_energy_inside(const float *map, const uint8_t *truth, const uint8_t *within, size_t n);
/* 1 when the largest value within lies on the truth, else 0; of several largest the share that does. */
double xfv_pointing(const float *map, const uint8_t *truth, const uint8_t *within, size_t n);
/* Pearson's correlation of two maps within; NaN when one of them is constant. */
double xfv_map_correlation(const float *a, const float *b, const uint8_t *within, size_t n);
/* Mean of the map over a mask's pixels; 0 for none. */
double xfv_mean_inside(const float *map, const uint8_t *mask, size_t n);

#endif
