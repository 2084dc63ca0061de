/* Path-integrated gradients of the cosine score at an inner feature map (Sundararajan, Taly, Yan, arXiv 1703.01365,
 * with the path laid through the features instead of the pixels). With h the activation of one feature map, c(h) the
 * cosine of the rest of the network at h with the partner's embedding, and h_0 a baseline (the mean face's activation,
 * the partner's own, a blurred image's):
 *
 *     S(p) = sum over channels of (h - h_0)(p) * mean over t of  d c(h_t) / d h (p),      h_t = h_0 + t (h - h_0)
 *
 * for every cell p; the mean over t in 0..1 by the midpoint rule. Completeness: sum_p S(p) = c(h) - c(h_0), up to the
 * rule's error, which is reported (xfv_path_sums). A step is one forward and one backward pass of the network's part
 * behind the map.
 *
 * Where that part is affine (a layer with `linear` set: the last map of the usual recognisers), the embedding itself is
 * a sum over cells, F(h) = F(0) + sum_p phi_p(h), and for the norms at h
 *
 *     S(p) = (phi_p(h) - phi_p(h_0)) . F_B / (|F(h)| |F_B|),      sum_p S(p) = c(h) - F(h_0) . F_B / (|F(h)| |F_B|)
 *
 * exactly, in one pass. */
#ifndef XFV_EXPLAIN_PATH_H
#define XFV_EXPLAIN_PATH_H

#include <stddef.h>

#include "explain/layer.h"
#include "net/graph/graph.h"
#include "base/err.h"

struct xfv_path; /* one network, cut at one layer; read-only but for each worker's scratch memory */

#define XFV_PATH_LOOKS 2
#define XFV_PATH_STANDS 2
/* g must outlive it. looks: values on the way from the input to the embedding, feature maps like the layer, that
 * xfv_path_forward shall give as well. Workers 0..workers-1 may call the functions below at the same time. */
int xfv_path_new(const struct xfv_graph *g, int embedding, const struct xfv_layer *layer, const int *looks, int n_looks,
                 int workers, struct xfv_path **out, struct xfv_err *e);
void xfv_path_free(struct xfv_path *p);
int xfv_path_n(const struct xfv_path *p);             /* length of an embedding */
/* floats of the features h below, cells after each other: h*w times what a cell has */
size_t xfv_path_features(const struct xfv_path *p);
int xfv_path_value(const struct xfv_path *p);         /* the graph's value that they are */

/* Network input x, f32 [H][W][C], to the features h [features] and the embedding f [n] (raw). XFV_EDATA when the
 * embedding has no direction. The features are the layer's activation, or, where a 1x1 convolution is all that reads
 * it, that convolution's output: the cells are the same, to rounding, and a step is cheaper. looks[i]: the activation
 * of look i, dense; NULL: none. */
int xfv_path_forward(struct xfv_path *p, int worker, const float *x, float *h, float *const *looks, float *f,
                     struct xfv_err *e);
/* Features to their embedding. */
int xfv_path_embed(struct xfv_path *p, int worker, const float *h, float *f, struct xfv_err *e);
/* An activation of the layer itself, f32 [h][w][c] (a mean that a model keeps), to features h. */
int xfv_path_lift(struct xfv_path *p, int worker, const float *layer, float *h, struct xfv_err *e);

/* The steps that such maps are made of. Stand at h_0 + t (h - h_0), one of the worker's XFV_PATH_STANDS places, the
 * embedding there is y [n]: a recorded forward pass. */
int xfv_path_stand(struct xfv_path *p, int worker, int stand, const float *h0, const float *h, double t, float *y,
                   struct xfv_err *e);
/* cells(p) += scale * sum over channels of (h - h_0)(p) [J' cot](p), J the Jacobian of y at the place last taken: a
 * backward pass. cells f64 [cells], cot f32 [n]. */
int xfv_path_gather(struct xfv_path *p, int worker, int stand, const float *h0, const float *h, const float *cot,
                    double scale, double *cells, struct xfv_err *e);
/* cot [n] = the gradient by y of the cosine of a = y - k centre and b = target - k centre: (b/|b| - cos a/|a|) / |a|.
 * centre NULL: k is 0. XFV_EDATA when a or b is zero or not finite. */
int xfv_path_cotangent(const float *y, const float *target, const float *centre, double k, int n, float *cot,
                       struct xfv_err *e);

/* The same where y is the centre itself, which has no cosine, in the lengths of the face's whole f: cot [n] =
 * b / (|f - centre| |b|), b = target - centre. XFV_EDATA as above. */
int xfv_path_heading(const float *f, const float *target, const float *centre, int n, float *cot, struct xfv_err *e);

/* to: c(h); from: c(h_0), or its linear twin; sum: of the cells. The gap to completeness is sum - (to - from). */
struct xfv_path_sums { double from, to, sum; };

/* The path from h0 to h [features] seen by the embedding `target` [n]: cells f32 [cells], steps >= 1 of the midpoint
 * rule. f and f0 are the embeddings of h and h0. */
int xfv_path_integrate(struct xfv_path *p, int worker, const float *h0, const float *f0, const float *h, const float *f,
                       const float *target, int steps, float *cells, struct xfv_path_sums *sums, struct xfv_err *e);
/* The exact twin for a linear layer. XFV_EARG for another one. */
int xfv_path_linear(struct xfv_path *p, int worker, const float *h0, const float *f0, const float *h, const float *f,
                    const float *target, float *cells, struct xfv_path_sums *sums, struct xfv_err *e);
/* Do two faces agree here? out [cells]: the cosine of a - mean and b - mean, activations [cells][channels] of one
 * layer, cell by cell; 0 where one of them is the mean. No pass through the network. */
void xfv_agreement(const float *a, const float *b, const float *mean, int cells, int channels, float *out);

#endif
