/* LIME (Ribeiro, Singh, Guestrin, "Why should I trust you?", KDD 2016) for a pair of faces, after Alonso-Fernandez et
 * al. (arXiv 2307.13428), who put the cosine of the features in place of a class's probability: one face's superpixels
 * (image/slic.h) are switched off at random, and a linear model of which ones are on is fitted to the scores s_i with
 * the whole partner,
 *
 *     min over b0, b of   sum_i w_i (s_i - b0 - z_i . b)^2 + ridge |b|^2
 *     w_i = exp(-d_i^2 / kernel^2),   d_i = 1 - cos(z_i, 1) = 1 - sqrt(on / K)
 *
 * with z_i in {0,1}^K: z_0 all on, the others 1 or 0 with even odds. Each superpixel shows its coefficient: similarity
 * max(b, 0), dissimilarity max(-b, 0). */
#ifndef XFV_EXPLAIN_LIME_H
#define XFV_EXPLAIN_LIME_H

#include "explain/probe.h"
#include "base/random.h"

/* What a superpixel that is off becomes: its own mean colour, black, or the image's mean colour. */
enum xfv_lime_fill { XFV_LIME_SEGMENT, XFV_LIME_BLACK, XFV_LIME_MEAN };

struct xfv_lime_opts {
    int segments; /* superpixels asked for */
    double compactness;
    int samples;
    int fill; /* enum xfv_lime_fill */
    double kernel, ridge;
};

/* rgb: the face; other: the partner's unit embedding; the samples are drawn from r: for each after the first a number
 * below 2 for each superpixel. Maps f32 [height][width]. XFV_EDATA when the samples do not determine the coefficients
 * (ridge 0). */
int xfv_lime_map(const struct xfv_lime_opts *o, struct xfv_probe *p, int worker, const uint8_t *rgb, int height,
                 int width, const double *other, struct xfv_random *r, float *similarity, float *dissimilarity,
                 struct xfv_err *e);

#endif
