/* Resampling: by covered area when an axis shrinks, bilinear when it grows (the meaning of OpenCV's INTER_AREA and
 * INTER_LINEAR), computed in float. The two axes are separate, each with a table of weights made once, so that an image
 * may be resampled a tile at a time: the tile's numbers are those of the whole. */
#ifndef XFV_IMAGE_RESIZE_H
#define XFV_IMAGE_RESIZE_H

#include <stddef.h>

#include "image/image.h"

/* A rectangle of source pixels; it may reach outside the image, where everything is zero. */
struct xfv_rect {
    int x, y, width, height;
};

struct xfv_resampler; /* from a rectangle of one size to another size; read-only once made */

/* Resample rectangles of src_width x src_height pixels to dst_width x dst_height. NULL with *e filled: XFV_ENOMEM, or
 * XFV_EARG for a size below 1. */
struct xfv_resampler *xfv_resampler_new(int src_width, int src_height, int dst_width, int dst_height,
                                        struct xfv_err *e);
void xfv_resampler_free(struct xfv_resampler *r);

/* Where results go: channel c of tile pixel (x, y) is stored at out[x * pixel + y * row + c] as (value - mean[c]) /
 * std[c]. A row-major image has pixel = channels, row = width x channels; exchange them and it is transposed; with
 * negative ones (and out at the far corner) it is turned. whole: round the value first (halves to even), as a resampler
 * that makes 8-bit images does, and as networks saw their images in training. */
struct xfv_float_sink {
    float *out;
    ptrdiff_t pixel, row;
    float mean[3], std[3];
    int whole;
};

/* The pixels tile (x, y, width, height in the destination, inside it) of the rectangle of im whose top left corner is
 * (x, y). im has 1 or 3 channels. work is scratch memory of xfv_resample_work(r, channels) floats. */
void xfv_resample(const struct xfv_resampler *r, const struct xfv_image *im, int x, int y, struct xfv_rect tile,
                  const struct xfv_float_sink *to, float *work);
size_t xfv_resample_work(const struct xfv_resampler *r, int channels);

/* A whole image to width x height, rounded to 8 bits. The caller clears *out. */
int xfv_image_resize(const struct xfv_image *im, int width, int height, struct xfv_image *out, struct xfv_err *e);

#endif
