/* Private to the image room: one decoder per format, called by xfv_image_decode, and what they share. */
#ifndef XFV_IMAGE_INTERNAL_H
#define XFV_IMAGE_INTERNAL_H

#include "image/image.h"

/* XFV_ELIMIT when width x height passes o->max_pixels, XFV_EDATA when a side is not positive. Call before allocating.
 */
int xfv_check_size(long width, long height, const struct xfv_decode_opts *o, struct xfv_err *e);

/* XFV_EDATA with code "damaged": the file holds part of its picture, or another. kind: "PNG"; what: why. */
int xfv_fail_damaged(struct xfv_err *e, const char *kind, const char *what);
#ifdef XFV_ANALYSIS
#define xfv_fail_damaged(...) xfv_is_failure(xfv_fail_damaged(__VA_ARGS__))
#endif

/* Turn *im upright: orientation is EXIF's 1..8 (others: left alone). XFV_ENOMEM leaves *im as it was. */
int xfv_image_orient(struct xfv_image *im, int orientation, struct xfv_err *e);
/* Orientation tag of an EXIF block that starts with "Exif\0\0"; 1 when absent or out of range. */
int xfv_exif_orientation(const uint8_t *exif, size_t n);

/* As xfv_image_decode, each for its own format; RGB; orientation already applied. */
typedef int xfv_decoder(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                        struct xfv_err *e);
#define READ(name, called) xfv_decoder xfv_decode_##name;
#include "image/decoders.h"
#undef READ
/* 1: a file that begins so has a decoder in this build. */
int xfv_image_is_read(const uint8_t *bytes, size_t n);
void xfv_heif_start(void); /* loads libheif's plugins */

#endif
