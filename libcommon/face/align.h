/* From five landmarks to an aligned crop. Landmarks: left eye, right eye, nose, left and right mouth corner, as seen in
 * the image (x0, y0, x1,
 * ...); pixel centres at whole numbers. */
#ifndef XFV_FACE_ALIGN_H
#define XFV_FACE_ALIGN_H

#include "image/image.h"

/* The template of ArcFace (Deng et al. 2019) and the many networks trained with its crops, for 112 x 112 pixels. */
extern const double xfv_template_arcface[10];

/* Least-squares similarity (rotation, uniform scale, translation; no mirroring) that takes n points `from` to `to`,
 * both x0, y0, x1, ...: the m (2 x 3, row-major) with the least sum of |m from_i - to_i|^2 (Umeyama 1991, eq. 40-42, in
 * its closed form for two dimensions). XFV_EDATA when the points are not finite or coincide. */
int xfv_similarity(const double *from, const double *to, int n, double m[6], struct xfv_err *e);

/* m: from the image to a size x size crop, for landmarks xy and a template given for template_size x template_size
 * pixels. XFV_EDATA as above. */
int xfv_align(const double xy[10], const double template_xy[10], int template_size, int size, double m[6],
              struct xfv_err *e);

#endif
