/* xFace (Knoche, Teepe, Hoermann, Rigoll, "Explainable model-agnostic similarity and confidence in face verification",
 * 2022; details from the authors' published program): a square patch slides over the faces, and where covering makes
 * the faces less alike they were alike. For each patch size
 *
 *     S_size(p) = mean over patches of [p covered] (d_patch - d) / size^2,     d = 1 - cos,
 *
 * blurred with a Gaussian of sigma 5 cut to 5 x 5 pixels; S is the mean over the sizes. similarity = max(S, 0),
 * dissimilarity = max(-S, 0). The authors' rectangles hold both ends: a size of 7 covers 8 x 8 pixels. */
#ifndef XFV_EXPLAIN_XFACE_H
#define XFV_EXPLAIN_XFACE_H

#include "explain/probe.h"

/* What a patched face is compared with. MEAN: the mean over all patched partners (method 1); CLEAN: the whole partner
 * (2); SAME: the partner patched at the same place (3). */
enum xfv_xface_distance { XFV_XFACE_MEAN, XFV_XFACE_CLEAN, XFV_XFACE_SAME };

struct xfv_xface_opts {
    int n_sizes, sizes[8];
    int stride;
    enum xfv_xface_distance distance;
    double sigma;
    int radius; /* of the blur's kernel */
};

/* Maps of the faces that are wanted; unit: both faces' unit embeddings f64 [n]. XFV_EARG when a size does not fit. */
int xfv_xface_maps(const struct xfv_xface_opts *o, struct xfv_probe *p, int worker, const uint8_t *const rgb[2],
                   const double *const unit[2], int height, int width, const int wanted[2], float *const map[2][2],
                   struct xfv_err *e);

#endif
