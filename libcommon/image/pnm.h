/* PBM, PGM, PPM and PAM through libnetpbm, one image of a stream at a time. */
#ifndef XFV_IMAGE_PNM_H
#define XFV_IMAGE_PNM_H

#include <stdio.h>

#include "image/image.h"

/* Read the next image of f, which may hold several, one after another (ffmpeg -f image2pipe -vcodec ppm), and need not
 * be seekable: exactly the header and the raster are consumed, and nothing but this image is held. Every Netpbm format,
 * plain and raw, any maxval; the result is 8-bit RGB, an opacity plane lets mid grey through, CMYK is converted. The
 * caller clears *out. XFV_EOF: f ended before another image. XFV_EDATA: not a Netpbm image, or a truncated or corrupt
 * one; XFV_ELIMIT: more than o->max_pixels; after either, the place of the next image is unknown. XFV_ENOMEM.
 * Thread-safe: libnetpbm's state belongs to the process, so one lock is held while it reads. */
int xfv_pnm_read(FILE *f, const struct xfv_decode_opts *o, struct xfv_image *out, struct xfv_err *e);

#endif
