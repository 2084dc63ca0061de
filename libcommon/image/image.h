/* Images in memory, decoding and encoding. 8 bits a sample, rows top to bottom, channels interleaved, no row padding.
 */
#ifndef XFV_IMAGE_IMAGE_H
#define XFV_IMAGE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct xfv_pen;
struct xfv_image {
    int width, height, channels; /* channels: 1 grey, 3 RGB */
    uint8_t *data;               /* [height][width][channels], owned, free() */
    int scale;                   /* of a decoded photograph: source pixels per pixel, 1, 2, 4, ...; else 0 */
    const struct xfv_pen *pen;   /* follows what is drawn on the image (image/draw.h); NULL: nothing does */
    int transparent;             /* 1: parts of it were see-through and show mid grey */
};

int xfv_image_alloc(struct xfv_image *im, int width, int height, int channels, struct xfv_err *e); /* zeroed */
void xfv_image_clear(struct xfv_image *im);

struct xfv_decode_opts {
    size_t max_pixels; /* width x height above this is XFV_ELIMIT; default 256 Mi; option --max-pixels */
    /* a photograph of more is made 1/2, 1/4, ... as large while it is decoded; 0: never; default 64 Mi */
    size_t full_pixels;
    /* memory that decoding one photograph may take, by an estimate made first; 0: no limit; default 2 GiB */
    size_t max_bytes;
    /* > 0: the caller only needs the shorter side to be at least this many pixels: a JPEG may be decoded at 1/2, 1/4
     * or 1/8 scale. 0: full size */
    int min_side_hint;
};
struct xfv_decode_opts xfv_decode_opts_default(void);

/* Decode one image file held in memory: JPEG, PNG, WebP, GIF (its first frame), BMP, Netpbm, and where the build has
 * the libraries TIFF, HEIC, AVIF, JPEG XL and JPEG 2000. Result: RGB, 8 bits, sRGB where the file has a profile,
 * upright by EXIF or the format's own turn, mid grey where it was transparent. Thread-safe (libnetpbm's state is
 * guarded by one lock). *scale (may be NULL) gets im.scale. XFV_EDATA: not an image we read (code "format"), or a
 * damaged one (code "damaged"), and the sentence says which; XFV_ELIMIT: too many pixels or too much memory, or more
 * than any photograph has; XFV_ENOMEM. */
int xfv_image_decode(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out, int *scale,
                     struct xfv_err *e);

/* What the libraries of the decoders do before a sandbox may close: plugins that they load. Once, before threads. */
void xfv_image_start(void);
const char *xfv_image_formats(void); /* "JPEG PNG ...": what this build reads */

/* Encode. out is malloc'ed, the caller frees. */
int xfv_image_encode_png(const struct xfv_image *im, uint8_t **out, size_t *n, struct xfv_err *e);
/* JPEG, quality 95, colours not subsampled. XFV_ELIMIT: a side above 65500 pixels. */
int xfv_image_encode_jpeg(const struct xfv_image *im, uint8_t **out, size_t *n, struct xfv_err *e);
/* A PNG of 8-bit indices [height][width] into a palette of `colours` (1..256) entries of 4 bytes, R, G, B and opacity.
 */
int xfv_image_encode_png_indexed(const uint8_t *index, int width, int height, const uint8_t (*rgba)[4], int colours,
                                 uint8_t **out, size_t *n, struct xfv_err *e);
/* PGM for one channel */
int xfv_image_encode_ppm(const struct xfv_image *im, uint8_t **out, size_t *n, struct xfv_err *e);

#endif
