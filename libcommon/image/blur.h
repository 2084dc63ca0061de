/* Planes of floats (a map, one colour of a face): Gaussian blur and enlarging, for display. Row-major [height][width],
 * no padding. */
#ifndef XFV_IMAGE_BLUR_H
#define XFV_IMAGE_BLUR_H

#include "base/err.h"

/* Blur in place with a Gaussian of standard deviation sigma (pixels; 0 leaves the plane as it is). The kernel is cut at
 * a radius of floor(2.5 sigma), at least 1, and sums to 1: sigma 5 gives the 25 wide kernel that the field uses on
 * 112x112 maps. Beyond an edge the plane is mirrored at the edge pixel's centre (reflect: c b | a b c), as PyTorch and
 * torchvision's gaussian_blur do. XFV_EARG: sigma not in [0, 1000]; XFV_ENOMEM. */
int xfv_blur(float *plane, int width, int height, double sigma, struct xfv_err *e);
int xfv_blur_radius(double sigma);
/* The same with the kernel cut at a radius of one's own (2 radius + 1 pixels wide), as OpenCV's GaussianBlur with a
 * given size. */
int xfv_blur_cut(float *plane, int width, int height, double sigma, int radius, struct xfv_err *e);

/* Resample src to dst [out_height][out_width] by Catmull-Rom cubics (D. Mitchell, A. Netravali 1988, B = 0, C = 1/2),
 * pixel areas aligned, edges repeated. An equal size copies exactly. Meant for enlarging: shrinking does not average.
 * The result may pass src's range a little (cubics overshoot): the caller clamps. */
int xfv_enlarge(const float *src, int width, int height, float *dst, int out_width, int out_height, struct xfv_err *e);

#endif
