/* Class activation maps for the cosine score: h is a feature map [cells][channels] of face A, g = d cos(F(A), F(B)) /
 * dh. With the norm |F(A)| held fixed g = d (F(A) . f(B)) / dh / |F(A)| instead, f = F/|F|: what a library that
 * detaches the norms differentiates.
 *
 *   GRADCAM      S = sum_c mean_cells(g_c) h_c                  Selvaraju et al., arXiv 1610.02391
 *   HIRES        S = sum_c g_c h_c                              HiResCAM, Draelos and Carin, arXiv 2011.08891
 *   ELEMENTWISE  similarity = sum_c max(g_c h_c, 0)             GradCAMElementWise of the library pytorch-grad-cam
 *
 * GRADCAM and HIRES: similarity = max(S, 0) as published, dissimilarity = max(-S, 0), the gradient of the negated score
 * ("counterfactual" in the first paper, section 6); ELEMENTWISE: dissimilarity = sum_c max(-g_c h_c, 0). */
#ifndef XFV_EXPLAIN_GRADCAM_H
#define XFV_EXPLAIN_GRADCAM_H

#include "explain/grad.h"

enum xfv_cam { XFV_CAM_GRADCAM, XFV_CAM_ELEMENTWISE, XFV_CAM_HIRES };

/* fixed_norm: hold |F(A)| fixed. rest: the network's part behind the map, whose pixels are the cells. h: f32
 * [cells][channels]; other: the partner's unit embedding. Both results: f32 [cells], >= 0. */
int xfv_gradcam(struct xfv_grad *rest, enum xfv_cam kind, int fixed_norm, const float *h, const double *other,
                float *similarity, float *dissimilarity, struct xfv_err *e);

#endif
