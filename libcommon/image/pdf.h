/* A picture as PDF, by Cairo: what is drawn on an image, its texts as text in embedded fonts, its faces and maps as
 * images. Same drawing, same bytes, with the same Cairo and fonts. */
#ifndef XFV_IMAGE_PDF_H
#define XFV_IMAGE_PDF_H

#include "image/draw.h"

struct xfv_pdf;
/* A pen to hang on an image before it is drawn on (image/draw.h). NULL when out of memory, or in a build without
 * Cairo: XFV_EARG says which form to take instead. */
struct xfv_pdf *xfv_pdf_new(struct xfv_err *e);
const struct xfv_pen *xfv_pdf_pen(struct xfv_pdf *p);
void xfv_pdf_free(struct xfv_pdf *p); /* NULL is fine */
/* The whole file for an image of width x height pixels, millimetres wide (0: as many pixels of 1/96 inch): malloc'ed
 * into *bytes, n. Once. XFV_ENOMEM. */
int xfv_pdf_finish(struct xfv_pdf *p, int width, int height, double millimetres, uint8_t **bytes, size_t *n,
                   struct xfv_err *e);

#endif
