/* Drawing into an RGB image: rectangles, pictures, lines and text. Everything is clipped at the image's edges, for
 * coordinates of any size, so nothing here can fail. Coordinates are pixels from the top left; (0, 0) is the first
 * pixel's corner. Images must have 3 channels. */
#ifndef XFV_IMAGE_DRAW_H
#define XFV_IMAGE_DRAW_H

#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

struct xfv_rgb {
    uint8_t r, g, b;
};

struct xfv_font {
    double size; /* pixels; capitals are 0.7 of it high */
    int bold;    /* thicker strokes */
};

/* Hung on an image, it follows all that is drawn there, in the coordinates of the calls below; width: of the text.
 */
struct xfv_pen {
    void *ctx;
    void (*rect)(void *ctx, int x, int y, int w, int h, struct xfv_rgb c);
    void (*picture)(void *ctx, int x, int y, const struct xfv_image *src);
    void (*line)(void *ctx, double x0, double y0, double x1, double y1, double thick, struct xfv_rgb c);
    void (*text)(void *ctx, double x, double y, struct xfv_font f, struct xfv_rgb c, const char *s, double width);
};

/* Weighted mean of two colours: 0 gives a, 1 gives b. */
struct xfv_rgb xfv_rgb_mix(struct xfv_rgb a, struct xfv_rgb b, double t);

void xfv_draw_rect(struct xfv_image *im, int x, int y, int w, int h, struct xfv_rgb c);             /* filled */
/* inside the rectangle */
void xfv_draw_frame(struct xfv_image *im, int x, int y, int w, int h, int thick, struct xfv_rgb c);
/* src: 1 or 3 channels */
void xfv_draw_picture(struct xfv_image *im, int x, int y, const struct xfv_image *src);
/* A straight line with round ends, anti-aliased. Thickness in pixels. */
void xfv_draw_line(struct xfv_image *im, double x0, double y0, double x1, double y1, double thick, struct xfv_rgb c);

/* Text in libnetpbm's built-in stroke font (Hershey's Roman simplex), anti-aliased, at any size. */
/* Width in pixels of the UTF-8 text s. Accented Latin letters are drawn without the accent, other characters outside
 * ASCII, control characters and broken UTF-8 as a box. After xfv_script_start (image/script.h) text with such letters
 * is drawn by Pango. */
double xfv_text_width(const char *s, struct xfv_font f);

/* Draw s with its baseline at y, starting at x. Returns the x where the text ends. */
double xfv_draw_text(struct xfv_image *im, double x, double y, struct xfv_font f, struct xfv_rgb c, const char *s);

/* Copy s into buf (cap bytes, NUL-terminated) and, while it is wider than max_width pixels, take characters out of its
 * middle and put ".." there: both ends of a long path say more than its start. Never cuts inside a UTF-8 character. */
void xfv_text_shorten(char *buf, size_t cap, const char *s, struct xfv_font f, double max_width);

/* How many bytes of s fit on a line of max_width pixels, broken at a space, or after one of / - _ (but not between a
 * sign and its number), where there is one; at least one character. A no-break space (U+00A0) is broken if nothing else
 * can be. The caller skips the space that follows. 0 only for an empty s. */
size_t xfv_text_fit(const char *s, struct xfv_font f, double max_width);

#endif
