/* Deletion and Insertion for pairs: how the score moves when the pixels that a map ranks highest are taken away, or
 * when only they are shown (Petsiuk, Das, Saenko, arXiv 1806.07421, for classifiers; Lu, Xu, Ebrahimi, arXiv 2305.08546
 * and 2403.04549, for pairs of faces). What those sources leave open is a field of struct xfv_delins_opts. */
#ifndef XFV_MEASURE_DELINS_H
#define XFV_MEASURE_DELINS_H

#include <stdint.h>

#include "explain/probe.h"
#include "base/random.h"

/* The order of pixels that rank alike. POSITION: rows from the top, each from the left. RANDOM: drawn. TOGETHER: by
 * value instead of rank, as the published code of FAME has it: of P percent, deletion keeps the pixels at or below the
 * (100-P)th percentile of the map (linear between ranks, as numpy.percentile), insertion those above: pixels of one
 * value go together, however many. */
enum xfv_ties { XFV_TIES_POSITION, XFV_TIES_RANDOM, XFV_TIES_TOGETHER };

struct xfv_delins_opts {
    /* the curve's points: 0, 1/steps, ... 1 of the pixels, steps+1 of them; of n pixels round(n i/steps) */
    int steps;
    enum xfv_ties ties;
    double blur;        /* sigma of the map's blur before ranking, pixels; 0: none */
    enum xfv_fill fill;
    double fill_sigma;  /* of XFV_FILL_BLUR */
    int distance;       /* the score is minus the Euclidean distance of the embeddings as they are, not their cosine */
};

/* The pixels of map f32 [height][width], most salient first. The map is blurred in place. r: for XFV_TIES_RANDOM. order
 * u32 [n]. */
int xfv_delins_order(const struct xfv_delins_opts *o, float *map, int height, int width, struct xfv_random *r,
                     uint32_t *order, struct xfv_err *e);

/* Both curves of one pair. map[i]: the map of face i after xfv_delins_order, and its order; NULL for a face that is
 * left whole. deletion, insertion: f64 [steps+1], scores. */
struct xfv_delins_face { const uint8_t *rgb; const float *map; const uint32_t *order; };
int xfv_delins_curves(const struct xfv_delins_opts *o, struct xfv_probe *p, int worker,
                      const struct xfv_delins_face face[2], int height, int width, double *deletion, double *insertion,
                      struct xfv_err *e);

/* Area under a curve of n points at equal distances over [0, 1], by the trapezoid rule. */
double xfv_area(const double *y, int n);

#endif
