/* A picture as SVG: what is drawn on an image, its texts as text, its faces and maps as PNG. */
#ifndef XFV_REPORT_SVG_H
#define XFV_REPORT_SVG_H

#include "image/draw.h"

struct xfv_svg;
/* A pen to hang on an image before it is drawn on (image/draw.h): NULL when out of memory. */
struct xfv_svg *xfv_svg_new(void);
const struct xfv_pen *xfv_svg_pen(struct xfv_svg *s);
void xfv_svg_free(struct xfv_svg *s); /* NULL is fine */
/* The whole file for an image of width x height pixels, millimetres wide (0: as many pixels of 1/96 inch): malloc'ed
 * into *bytes, n. Once. XFV_ENOMEM, and what encoding a face failed with. */
int xfv_svg_finish(struct xfv_svg *s, int width, int height, double millimetres, uint8_t **bytes, size_t *n,
                   struct xfv_err *e);

#endif
