/* The ceiling of a yardstick: the map that is true to the score of a pair of which plant(1) changed one face, as the
 * clean face is known. For windows w of a seventh of the image's height and width, each half over the next, and the
 * cosine s with the partner,
 *
 *     S(p) = mean over the windows that hold p of  s(planted) - s(planted, with the clean face's pixels in w)
 *
 * so what brings the faces together is positive. Windows in which nothing was planted give 0 without being asked for.
 */
#ifndef XFV_EXPLAIN_TRUTH_H
#define XFV_EXPLAIN_TRUTH_H

#include "explain/probe.h"

/* planted, clean: u8 [height][width][3], of the size that p's network takes. other: the partner's unit embedding, f64
 * [n]; score: the planted face's cosine with it. map: f32 [height][width], S. XFV_ENOMEM, and what xfv_probe_scores
 * gives. */
int xfv_truth_map(struct xfv_probe *p, int worker, const uint8_t *planted, const uint8_t *clean, int height, int width,
                  const double *other, double score, float *map, struct xfv_err *e);

#endif
