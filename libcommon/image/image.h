/* Images in memory, decoding and encoding. 8 bits a sample, rows top to bottom, channels interleaved, no row padding. */
#ifndef XFV_IMAGE_IMAGE_H
#define XFV_IMAGE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct xfv_image {
    int width, height, channels; /* channels: 1 grey, 3 RGB */
    uint8_t *data;               /* [height][width][channels], owned, free() */
};

int xfv_image_alloc(struct xfv_image *im, int width, int height, int channels, struct xfv_err *e); /* zeroed */
void xfv_image_clear(struct xfv_image *im);

struct xfv_decode_opts {
    size_t max_pixels; /* width x height above this is XFV_ELIMIT; default 256 Mi; option --max-pixels */
    int min_side_hint; /* > 0: the caller only needs the shorter side to be at least this many pixels: a JPEG may be decoded at 1/2, 1/4 or 1/8 scale. 0: full size */
};
struct xfv_decode_opts xfv_decode_opts_default(void);

/* Decode one image file held in memory: JPEG (grey, YCbCr, RGB, CMYK, YCCK; EXIF orientation applied), PNG (every colour type and depth, interlaced;
 * alpha composited over black), PBM/PGM/PPM/PAM (plain and raw, any maxval, 16-bit scaled to 8). Result is always RGB, 8 bits, upright.
 * Thread-safe (libnetpbm's state is guarded by one lock). *scale (may be NULL) gets source pixels per decoded pixel (1, 2, 4 or 8).
 * XFV_EDATA: not an image we know, or corrupt (the sentence says which); XFV_ELIMIT: too many pixels; XFV_ENOMEM. */
int xfv_image_decode(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out, int *scale, struct xfv_err *e);

/* Encode. out is malloc'ed, the caller frees. */
int xfv_image_encode_png(const struct xfv_image *im, uint8_t **out, size_t *n, struct xfv_err *e);
/* A PNG of 8-bit indices [height][width] into a palette of `colours` (1..256) entries of 4 bytes, R, G, B and opacity. */
int xfv_image_encode_png_indexed(const uint8_t *index, int width, int height, const uint8_t (*rgba)[4], int colours, uint8_t **out, size_t *n, struct xfv_err *e);
int xfv_image_encode_ppm(const struct xfv_image *im, uint8_t **out, size_t *n, struct xfv_err *e); /* PGM for one channel */

#endif
