/* Text in scripts that the stroke font of image/draw.h does not have, by Pango and Cairo with the system's fonts, where
 * the build found them. What is drawn depends on the fonts that are installed. */
#ifndef XFV_IMAGE_SCRIPT_H
#define XFV_IMAGE_SCRIPT_H

#include "image/draw.h"

/* Read the fonts' list, before a sandbox closes; call once. 1; 0 in a build without Pango, or when there are no fonts:
 * then xfv_script_wanted is 0 for all text, and the stroke font draws a box for what it does not have. */
int xfv_script_start(void);
/* The folders that must stay open to be read. */
void xfv_script_each_folder(void (*fn)(void *ctx, const char *path), void *ctx);

/* Does the UTF-8 text s hold a character that the stroke font does not have or draws without its accent, and can it be
 * drawn here? The others below are for such text; any thread may call them. n: bytes of s. */
int xfv_script_wanted(const char *s);
double xfv_script_width(const char *s, size_t n, struct xfv_font f);
void xfv_script_draw(struct xfv_image *im, double x, double y, struct xfv_font f, struct xfv_rgb c, const char *s);
/* Does s hold such a character, and none of the fonts, or the build, has it? It is drawn as a box. */
int xfv_script_missing(const char *s);

#endif
