/* Embeddings of one image under many masks, for black-box methods and for Deletion and Insertion,
 *
 *     image_i = m_i image + (1 - m_i) fill           per pixel, in grey levels,
 *
 * in batches, by forward passes alone. The network may be one of ours or anything that turns images into vectors
 * (xfv_probe_fn). */
#ifndef XFV_EXPLAIN_PROBE_H
#define XFV_EXPLAIN_PROBE_H

#include <stdint.h>

#include "net/model/model.h"
#include "net/run/net.h"

/* Another network: count images u8 [H][W][3] to vectors f, f32 [count][n]. Called from several threads, each with its
 * own worker number. */
typedef int xfv_probe_fn(void *ctx, int worker, int count, const uint8_t *rgb, float *f, struct xfv_err *e);

struct xfv_probe;

/* For model m and the net from its input to its raw embedding [n]; both must outlive the probe. fn NULL: the net
 * itself. */
int xfv_probe_new(const struct xfv_model *m, const struct xfv_net *net, int n, int workers, xfv_probe_fn *fn, void *ctx,
                  struct xfv_probe **out, struct xfv_err *e);
void xfv_probe_free(struct xfv_probe *p);
int xfv_probe_n(const struct xfv_probe *p); /* length of an embedding */

/* Fill mask i, f32 [height][width], 1 where the image stays. Called in the order of the masks. */
typedef void xfv_mask_fn(void *ctx, int i, float *mask);
/* Take the embedding of mask i, f32 [n], finite and not zero. In order. */
typedef void xfv_embedding_fn(void *ctx, int i, const float *f);

/* rgb: u8 [H][W][3]; fill: f32 [H][W][3] in grey levels, NULL for black. mask NULL: the image as it is. XFV_EDATA when
 * an embedding is zero or not finite. */
int xfv_probe_run(struct xfv_probe *p, int worker, const uint8_t *rgb, const float *fill, int count, xfv_mask_fn *mask,
                  xfv_embedding_fn *take, void *ctx, struct xfv_err *e);
/* scores[i] = cosine of mask i's embedding with the unit vector `other`, f64 [n]. */
int xfv_probe_scores(struct xfv_probe *p, int worker, const uint8_t *rgb, const float *fill, int count,
                     xfv_mask_fn *mask, void *ctx, const double *other, double *scores, struct xfv_err *e);

/* What stands where a mask takes the image away: f32 [height][width][3]. */
enum xfv_fill { XFV_FILL_BLACK, XFV_FILL_GREY, XFV_FILL_MEAN, XFV_FILL_BLUR, XFV_FILL_PARTNER };
/* GREY: 127.5; MEAN: the image's mean colour; BLUR: the image blurred with sigma; PARTNER: the other face's pixels. */
int xfv_fill_make(enum xfv_fill kind, const uint8_t *rgb, const uint8_t *partner, int height, int width, double sigma,
                  float *fill, struct xfv_err *e);

#endif
