/* Superpixels: SLIC (Achanta, Shaji, Smith, Lucchi, Fua, Suesstrunk, "SLIC superpixels compared to state-of-the-art
 * superpixel methods", TPAMI 2012). */
#ifndef XFV_IMAGE_SLIC_H
#define XFV_IMAGE_SLIC_H

#include <stdint.h>

#include "base/err.h"

/* Divide rgb, u8 [height][width][3], into about `segments` pieces: label [height][width] gets 0 .. *count-1, each label
 * one connected piece.
 *
 * K-means with ten rounds over colour (CIELAB, D65, from sRGB) and place, from a grid of centres with steps of S =
 * sqrt(height width / segments): squared distance = |colour|^2 + (compactness / S)^2 |place|^2. Every pixel looks at
 * all centres, not only those within 2 S, and the grid's centres are not moved to the smoothest pixel beside them. Then
 * each 4-connected piece is a label of its own; one smaller than a quarter of S^2 joins the piece to the left of its
 * first pixel (above it in the first column). XFV_EARG: segments < 1, compactness not above 0; XFV_ENOMEM. */
int xfv_slic(const uint8_t *rgb, int height, int width, int segments, double compactness, int *label, int *count,
             struct xfv_err *e);

#endif
