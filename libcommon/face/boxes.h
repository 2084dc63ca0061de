/* Candidate boxes of the detector and what is done to them. Coordinates are image pixels; a box holds the pixels
 * x1..x2, y1..y2, both ends included, so its width is x2 - x1 + 1. */
#ifndef XFV_FACE_BOXES_H
#define XFV_FACE_BOXES_H

#include <stddef.h>

#include "base/err.h"

struct xfv_box {
    double x1, y1, x2, y2, score;
    double shift[4];      /* regression: corners' offsets in parts of the box's width and height */
    double landmarks[10]; /* x0, y0, x1, ... image pixels */
};

/* A list that grows. Zero-initialised is empty. */
struct xfv_boxes {
    struct xfv_box *v;
    size_t n, cap;
};
int xfv_boxes_push(struct xfv_boxes *l, const struct xfv_box *b, struct xfv_err *e);
void xfv_boxes_clear(struct xfv_boxes *l); /* free */

enum xfv_overlap { XFV_OVERLAP_UNION, XFV_OVERLAP_MIN }; /* intersection over: the union; the smaller box */

double xfv_box_overlap(const struct xfv_box *a, const struct xfv_box *b, enum xfv_overlap kind);

/* Non-maximum suppression of the boxes from number `first` on: sort by falling score (ties: as they stood), drop each
 * that overlaps a kept one by more than most. Those before `first` are neither looked at nor moved. XFV_ENOMEM. */
int xfv_boxes_suppress(struct xfv_boxes *l, size_t first, double most, enum xfv_overlap kind, struct xfv_err *e);

void xfv_box_regress(struct xfv_box *b); /* move the corners by b->shift */
void xfv_box_square(struct xfv_box *b);  /* about its centre, with the longer side */

#endif
