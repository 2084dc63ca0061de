/* Where every decoder puts its rows: brought to sRGB, laid over mid grey where they are transparent, made smaller when
 * the photograph is huge. */
#ifndef XFV_IMAGE_ROWS_H
#define XFV_IMAGE_ROWS_H

#include "image/image.h"

/* What a pixel's bytes are; CMYK: 0 is no ink. */
enum xfv_pixel { XFV_GREY = 1, XFV_GREY_ALPHA, XFV_RGB, XFV_RGBA, XFV_CMYK };

/* Limits first, before anything is allocated. width x height as the file says, in file_bytes bytes; own: bytes a pixel
 * that the decoder will hold beside our image. XFV_ELIMIT (code "limit"): more pixels than allowed, more memory than a
 * photograph may take, or far too few bytes for so many pixels, as no photograph has; XFV_EDATA: a side is not
 * positive. */
int xfv_check_cost(long width, long height, size_t file_bytes, double own, const struct xfv_decode_opts *o,
                   struct xfv_err *e);
/* Source pixels a pixel on each side (1, 2, 4, ...) that bring width x height down to o->full_pixels. */
int xfv_shrink_of(long width, long height, const struct xfv_decode_opts *o);

struct xfv_profile; /* image/profile.c */

struct xfv_rows {
    struct xfv_image im; /* the result, RGB: the caller takes it over or clears it */
    /* the room's own */
    enum xfv_pixel kind;
    int width, height, y, shrink, is_premultiplied;
    struct xfv_profile *profile;
    uint8_t *rgb;   /* one row [width][4] */
    uint32_t *sums; /* [im.width][3], when shrink > 1 */
};

/* The image that will hold rows of width x height pixels, 1/shrink as large. XFV_ENOMEM. xfv_rows_close in every case.
 */
int xfv_rows_open(struct xfv_rows *r, int width, int height, enum xfv_pixel kind, int shrink, struct xfv_err *e);
/* The file's ICC profile, before the first row. One that cannot be read, is for other colours, or is sRGB all the same
 * changes nothing. */
void xfv_rows_profile(struct xfv_rows *r, const void *icc, size_t n);
/* The next row: 8 bits a sample. XFV_EDATA: the time is up (xfv_deadline_check). */
int xfv_rows_put(struct xfv_rows *r, const uint8_t *row, struct xfv_err *e);
void xfv_rows_close(struct xfv_rows *r); /* all but im */

/* An 8-bit image of any kind in memory, rows `stride` bytes apart, into *out. icc may be NULL. */
int xfv_rows_from(const uint8_t *pixels, size_t stride, int width, int height, enum xfv_pixel kind,
                  int is_premultiplied, int shrink, const void *icc, size_t n_icc, struct xfv_image *out,
                  struct xfv_err *e);

/* ICC profiles by lcms2, or nothing where the build has none. NULL: nothing to convert. */
struct xfv_profile *xfv_profile_open(const void *icc, size_t n, enum xfv_pixel kind);
/* to RGB, or RGBA where there is alpha */
void xfv_profile_convert(struct xfv_profile *p, const uint8_t *from, uint8_t *to, size_t pixels);
void xfv_profile_close(struct xfv_profile *p);

#endif
