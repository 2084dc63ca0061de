/* Warping by an affine map. Pixel centres are at whole numbers. */
#ifndef XFV_IMAGE_WARP_H
#define XFV_IMAGE_WARP_H

#include "image/image.h"

/* m is a 2 x 3 matrix, row-major: (x, y) -> (m0 x + m1 y + m2, m3 x + m4 y + m5). inverse: 0, or XFV_EARG when m is
 * (nearly) singular or not finite. */
int xfv_affine_invert(const double m[6], double inverse[6], struct xfv_err *e);
void xfv_affine_apply(const double m[6], double x, double y, double *tx, double *ty);

/* out (u8 [height][width][channels of im], the caller's) at (x, y) is im at m^-1 (x, y): m maps source to destination
 * pixels. Bilinear with exact weights, zero outside the image, rounded. XFV_EARG as above. */
int xfv_warp(const struct xfv_image *im, const double m[6], int width, int height, uint8_t *out, struct xfv_err *e);

#endif
