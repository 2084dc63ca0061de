/* The contrast map of a pair: where its faces are more, and where less, alike than the rest of them is. Three kinds of
 * witness are asked, each at a feature map of its own. m is the average face's activation there, h_A and h_B the
 * faces', f the rest of the network, X one of the faces, Y the other, and x_X(t) = m + t (h_X - m):
 *
 *     a = f(x_X(t)) - k f(m),   b = T - k f(m)
 *     cells_X(p) = sum over channels of (h_X - m)(p) * (d cos(a, b) / d x)(p)
 *
 *     B(k,t): T = the partner's embedding
 *     J(k,t): T = f(x_Y(t)), as both faces walk together from the average face
 *     H: the first step of B(1, t), at t = 0, where a is nothing: (h_X - m)(p) * (d (f(x) . b) / d x)(p) over
 *        |f_X - f(m)| |b|, b = f_Y - f(m)
 *     cos(p): the cosine of what cell p of the last map adds to either embedding (explain/tail.h), each less the
 *        average face's
 *
 * At the layers that xfv_layer_find calls auto (14x14 in the usual networks) and fine (28x28), mean and least over the
 * two faces:
 *
 *     S = 1.5 N(mean H14)       + 2 N(mean B28(0, 1/2))  + 0.5 N(cos)      similarity = max(S, 0)
 *     D = N(mean J14(1/2, 1/2)) + 2 N(least B28(0, 1/2)) + 0.5 N(cos)      dissimilarity = max(-D, 0)
 *
 * N smooths cells by a Gaussian and scales them to a root mean square of 1: maps have no unit and sum to nothing in
 * particular. Beside fine cells, which are sharper, those of 14x14 are smoothed by 1.5 cells at least. Both faces are
 * shown one map. It takes 11 passes through the network's part behind the maps, 7 without the fine one. A witness is
 * left out where the network has no such layer (does not end linearly, has no finer map), or the model holds no average
 * face there. J of two copies of one image is rounding alone, and counts as 0. */
#ifndef XFV_EXPLAIN_CONTRAST_H
#define XFV_EXPLAIN_CONTRAST_H

#include <stddef.h>
#include <stdint.h>

#include "explain/layer.h"
#include "net/model/model.h"
#include "base/err.h"

enum xfv_contrast_witness { XFV_CONTRAST_COARSE, XFV_CONTRAST_FINE, XFV_CONTRAST_LAST, XFV_CONTRAST_WITNESSES };
extern const char *const xfv_contrast_names[]; /* "auto", "fine", "cells": of their layers */

struct xfv_contrast_opts {
    int fast;           /* 1: without the fine witness */
    double smooth;      /* least standard deviation of N's Gaussian, in cells of each witness */
    size_t cache_bytes; /* for the features of faces seen before; those of two are kept at least */
};

struct xfv_contrast; /* one network with its options, and each worker's memory */

/* m, an embedding network, must outlive it. Workers 0..workers-1 may call see and make at the same time. XFV_EMODEL:
 * the model holds no average face at the first layer, or cannot be differentiated there; XFV_ENOMEM. */
int xfv_contrast_new(const struct xfv_model *m, const struct xfv_contrast_opts *o, int workers,
                     struct xfv_contrast **out, struct xfv_err *e);
void xfv_contrast_free(struct xfv_contrast *t); /* NULL is fine */
/* Why a witness was left out, a sentence; NULL: it was not. */
const char *xfv_contrast_missing(const struct xfv_contrast *t, enum xfv_contrast_witness i);
/* of one that was not left out */
const struct xfv_layer *xfv_contrast_layer(const struct xfv_contrast *t, enum xfv_contrast_witness i);
/* in the sums above, S (which 0) or D (1) */
double xfv_contrast_weight(enum xfv_contrast_witness i, int which);
double xfv_contrast_smooth(const struct xfv_contrast *t, enum xfv_contrast_witness i); /* of its N, in cells */

/* Face 0 or 1 of the worker's next pair, as xfv_pathmap_see takes it. */
int xfv_contrast_see(struct xfv_contrast *t, int worker, int face, const uint8_t *rgb, const float *x,
                     struct xfv_err *e);
/* raw, f32 [n], until the worker sees another */
const float *xfv_contrast_embedding(const struct xfv_contrast *t, int worker, int face);
int xfv_contrast_n(const struct xfv_contrast *t);

/* The maps of the two faces seen: map[face][0 similarity, 1 dissimilarity], f32 [H][W] on the image. XFV_EDATA when a
 * cell is not finite or an embedding has no direction; the maps are then untouched. */
int xfv_contrast_make(struct xfv_contrast *t, int worker, float *const map[2][2], struct xfv_err *e);

/* What the worker's last maps were made of, until its next make: a witness's cells for similarity (which 0) or
 * dissimilarity (1) before N, f32 [h][w] on the network's axes. NULL for one that was left out. */
float *xfv_contrast_cells(const struct xfv_contrast *t, int worker, enum xfv_contrast_witness i, int which);
float *xfv_contrast_signed(const struct xfv_contrast *t, int worker); /* S on the image, f32 [H][W] */

#endif
