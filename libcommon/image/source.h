/* The images of one file, FIFO or standard input, read in order and without seeking. */
#ifndef XFV_IMAGE_SOURCE_H
#define XFV_IMAGE_SOURCE_H

#include <stddef.h>

#include "image/image.h"

struct xfv_image_source; /* opaque */

/* What was read: a Netpbm image is decoded while it is read (its length shows in no other way), every other kind is the
 * file's bytes, to be decoded by xfv_image_decode, perhaps by another thread. Cleared by xfv_raw_image_clear. */
struct xfv_raw_image {
    struct xfv_image im; /* im.data NULL: not decoded yet */
    uint8_t *bytes;
    size_t n;
    int number; /* position among the images of a Netpbm stream, from 0; -1: the only image of its file */
};
void xfv_raw_image_clear(struct xfv_raw_image *r);

/* Open path ("-": standard input). XFV_EIO. */
int xfv_image_source_open(struct xfv_image_source **out, const char *path, struct xfv_err *e);
void xfv_image_source_close(struct xfv_image_source *s); /* NULL is fine */
/* 1 when reading on would not block for long: a file, or a pipe with bytes in it. */
int xfv_image_source_ready(const struct xfv_image_source *s);

/* Next image. Images of a Netpbm stream on standard input are always numbered; those of a file only when there are
 * several (so the second one is waited for). XFV_EOF: no more. XFV_EDATA: not an image, or (Netpbm) a corrupt one;
 * XFV_ELIMIT: too many pixels, or a file of more than 1 GiB; XFV_EIO: the system cannot read it; XFV_ENOMEM. After an
 * error the source is at its end. *out is filled (number) also on XFV_EDATA and XFV_ELIMIT. */
int xfv_image_source_next(struct xfv_image_source *s, const struct xfv_decode_opts *o, struct xfv_raw_image *out,
                          struct xfv_err *e);

#endif
