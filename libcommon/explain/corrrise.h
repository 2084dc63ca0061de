/* CorrRISE (Lu, Xu, Ebrahimi, "Towards visual saliency explanations of face verification", WACV 2024, arXiv 2305.08546;
 * 2407.05983): random masks on one face, the cosine score with the other for each, and for every pixel the correlation
 * over the masks of its mask value with the score. Where showing a pixel goes with a higher score it is similar, where
 * with a lower one dissimilar:
 *
 *     c(p) = corr_i(m_i(p), s_i)        similarity = max(c, 0), dissimilarity = max(-c, 0);  0 where no mask differs
 *
 * One set of masks serves all pairs: square patches at places drawn uniformly such that they fit, of value 0 (black) or
 * of values drawn uniformly in [0, 1) pixel by pixel, elsewhere 1. */
#ifndef XFV_EXPLAIN_CORRRISE_H
#define XFV_EXPLAIN_CORRRISE_H

#include "explain/probe.h"

struct xfv_corrrise_opts {
    int masks, patches, size; /* patches a mask, side of one in pixels */
    int uniform;              /* patches of random values instead of black */
    /* rank the scores first (equal scores share their mean rank); the masks' values are taken as they are */
    int spearman;
    uint64_t seed;
};

struct xfv_corrrise; /* the masks; read-only once made */

/* XFV_EARG when a patch does not fit into height x width. */
int xfv_corrrise_new(const struct xfv_corrrise_opts *o, int height, int width, struct xfv_corrrise **out,
                     struct xfv_err *e);
void xfv_corrrise_free(struct xfv_corrrise *c);
/* rgb: the face; other: the partner's unit embedding. Maps f32 [height][width]. */
int xfv_corrrise_map(const struct xfv_corrrise *c, struct xfv_probe *p, int worker, const uint8_t *rgb,
                     const double *other, float *similarity, float *dissimilarity, struct xfv_err *e);

#endif
