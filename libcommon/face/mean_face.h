/* A face that is nobody's, for crops of any template: the mean of 1583 aligned faces (LFW, folds 1 and 2). What an
 * explanation may put in a pixel's place without showing somebody else. */
#ifndef XFV_FACE_MEAN_FACE_H
#define XFV_FACE_MEAN_FACE_H

#include <stdint.h>

#include "base/err.h"

/* Is (x, y), in pixels of ArcFace's crop of 112 x 112, in the oval of the face, where explanations are judged? */
int xfv_in_oval(double x, double y);

/* rgb f32 [height][width][3] in grey levels 0..255: the mean face, eyes, nose and mouth at template_xy (x0, y0, ..., in
 * pixels of this crop; NULL: ArcFace's template stretched over the crop). Beyond its crop its edge is repeated.
 * oval u8 [height][width]: 1 in the oval. XFV_EDATA: the template's points coincide. */
int xfv_mean_face(const double template_xy[10], int height, int width, float *rgb, uint8_t *oval, struct xfv_err *e);

#endif
