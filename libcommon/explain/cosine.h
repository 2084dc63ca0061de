/* Gradients of the cosine score s(x) = cos(F(x), F(B)) with respect to the input x of the other face.
 *
 *   GRADIENT    |ds/dx|, mean over colours: how much a pixel matters, without sign; it is both the similarity and the
 *               dissimilarity map
 *   INPUT       (x - x_0) ds/dx, summed over colours; x_0 black (Shrikumar et al., arXiv 1605.01713)
 *   SMOOTHGRAD  GRADIENT, mean over images with Gaussian noise added (Smilkov et al., arXiv 1706.03825)
 *   INTEGRATED  (x - x_0) times the mean of ds/dx on the line from black to x, summed over colours (Sundararajan, Taly,
 *               Yan, arXiv 1703.01365)
 *
 * INPUT and INTEGRATED have signs: the positive part is the similarity map, the negative part the dissimilarity map. */
#ifndef XFV_EXPLAIN_COSINE_H
#define XFV_EXPLAIN_COSINE_H

#include "explain/grad.h"
#include "base/random.h"

enum xfv_cosine_kind { XFV_COSINE_GRADIENT, XFV_COSINE_INPUT, XFV_COSINE_SMOOTHGRAD, XFV_COSINE_INTEGRATED };

struct xfv_cosine_opts {
    enum xfv_cosine_kind kind;
    int steps;          /* SMOOTHGRAD: noisy images; INTEGRATED: midpoints of the line */
    float noise[3];     /* SMOOTHGRAD: standard deviation in units of x, per channel */
    const float *black; /* x of a black pixel, f32 [channels] */
};

/* x: f32 [H][W][C]; other: the partner's unit embedding; work: f32, room for 2 [H][W][C]; r: SMOOTHGRAD's noise. Maps
 * f32 [H][W]. */
int xfv_cosine_map(struct xfv_grad *g, const struct xfv_cosine_opts *o, const float *x, const double *other,
                   struct xfv_random *r, float *work, float *similarity, float *dissimilarity, struct xfv_err *e);

#endif
