/* FAME (Zhang, Guenther, arXiv 2605.12017): which pixels change first when the score is driven away. Gradient descent,
 *
 *     x <- x - step * d loss / dx / max |d loss / dx|
 *     loss = s for the similarity map, 1 - s for the dissimilarity map,
 *
 * s the cosine with the partner's fixed embedding, until loss < stop or for so many iterations; then
 *
 *     map = | luma(x_end) - luma(x) |, divided by its maximum, blurred, stretched to [0, 1]. */
#ifndef XFV_EXPLAIN_FAME_H
#define XFV_EXPLAIN_FAME_H

#include "explain/grad.h"

struct xfv_fame_opts {
    int iterations;
    float step[3];  /* per channel, in units of x */
    double stop;    /* on the loss; 0 never stops early */
    double sigma;   /* of the blur, pixels; 0: none */
    int radius;     /* where its kernel is cut */
    float luma[3];  /* per channel of x, such that the map is in grey levels 0..1 */
};

/* sign 1: the similarity map; -1: the dissimilarity map. x f32 [height][width][C], height and width as the network has
 * them; other: the partner's unit embedding; work: room for one x. map f32 [height][width]. *done (may be NULL):
 * iterations run. */
int xfv_fame(struct xfv_grad *g, const struct xfv_fame_opts *o, int sign, int height, int width, const float *x,
             const double *other, float *work, float *map, int *done, struct xfv_err *e);

#endif
