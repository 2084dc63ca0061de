/* Private to image/: text of all scripts on a Cairo surface. */
#ifndef XFV_IMAGE_SCRIPT_INTERNAL_H
#define XFV_IMAGE_SCRIPT_INTERNAL_H

#ifdef XFV_PANGO

#include <cairo.h>

#include "image/draw.h"

/* Pango and the fonts serve one thread at a time. */
void xfv_script_lock(void);
void xfv_script_unlock(void);
/* s with its baseline at y, stretched to width. Locks. */
void xfv_script_show(cairo_t *cairo, double x, double y, struct xfv_font f, const char *s, double width);

#endif

#endif
