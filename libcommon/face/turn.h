/* Quarter turns. A turn is 0, 90, 180 or 270: by how many degrees, clockwise, a photograph has to be turned for its
 * faces to be upright. Pixel centres at whole numbers. */
#ifndef XFV_FACE_TURN_H
#define XFV_FACE_TURN_H

#include "image/resize.h"

/* Where the point (*x, *y) of the turned image lies in the image of width x height pixels. It may lie outside. */
void xfv_turn_back(int turn, int width, int height, double *x, double *y);
/* The same of a rectangle of pixels. */
struct xfv_rect xfv_turn_rect_back(int turn, int width, int height, struct xfv_rect r);
/* s stores an image of width x height pixels, the turned one: make it take the pixels of the image before the turn. */
void xfv_turn_sink(int turn, int width, int height, struct xfv_float_sink *s);

#endif
