/* Faces and their five landmarks: MTCNN (Zhang, Zhang, Li, Qiao 2016), a cascade of three small networks. */
#ifndef XFV_FACE_MTCNN_H
#define XFV_FACE_MTCNN_H

#include <stddef.h>

#include "image/image.h"
#include "base/err.h"

/* Image pixels, pixel centres at whole numbers. */
struct xfv_face {
    double box[4];        /* x1, y1, x2, y2; may reach outside the image */
    double confidence;    /* probability of being a face, 0..1 */
    double landmarks[10]; /* x0, y0, ...: left eye, right eye, nose, left and right mouth corner, of the upright face */
    int turn;             /* 0, 90, 180, 270 degrees clockwise make it so */
};

struct xfv_detect_opts {
    int min_face;         /* side of the smallest face looked for, pixels; 0: max(20, shorter side / 15) */
    double threshold[3];  /* probabilities that pass P-Net, R-Net, O-Net */
    int turn;             /* look at the image turned clockwise by 0, 90, 180 or 270 degrees */
    int border;           /* and with so many black pixels around it, 0 or more */
};
struct xfv_detect_opts xfv_detect_opts_default(void);
int xfv_detect_min_face(const struct xfv_detect_opts *o, const struct xfv_image *im); /* min_face, its 0 worked out */

/* Where the time of one detection went, in seconds, and how many boxes went into R-Net and O-Net. */
struct xfv_detect_stats {
    double resample, p_net, r_net, o_net;
    size_t r_boxes, o_boxes;
};

struct xfv_detector;      /* the three networks; read-only once made, threads share it */
struct xfv_detector_work; /* one worker's scratch memory */

/* Load the models "mtcnn-p", "mtcnn-r" and "mtcnn-o" (looked up as xfv_model_load does). XFV_EMODEL when one is
 * missing, broken, or not that network. */
int xfv_detector_new(struct xfv_detector **out, struct xfv_err *e);
void xfv_detector_free(struct xfv_detector *d);
const char *xfv_detector_digest(const struct xfv_detector *d, int stage); /* SHA-256 of model file 0, 1, 2 */
const char *xfv_detector_name(const struct xfv_detector *d, int stage);
struct xfv_detector_work *xfv_detector_work_new(void); /* NULL when out of memory */
void xfv_detector_work_free(struct xfv_detector_work *w);

/* All faces of an RGB image that the turn makes upright, by falling area of their box, in pixels of the image as it is
 * given. *faces is malloc'ed (NULL for none), the caller frees. An image smaller than the smallest face has none. stats
 * may be NULL; it is added to. Memory: bounded, whatever the image's size, but for the list of candidates. */
int xfv_detect(const struct xfv_detector *d, struct xfv_detector_work *w, const struct xfv_image *im,
               const struct xfv_detect_opts *o, struct xfv_face **faces, size_t *n, struct xfv_detect_stats *stats,
               struct xfv_err *e);

/* What O-Net says of the square around the box of n faces that were found in whatever turn, in the image turned
 * clockwise by turn: the confidence and the landmarks of seen [n], however low the confidence. */
int xfv_detect_again(const struct xfv_detector *d, struct xfv_detector_work *w, const struct xfv_image *im,
                     int turn, const struct xfv_face *f, size_t n, struct xfv_face *seen,
                     struct xfv_detect_stats *stats, struct xfv_err *e);
void xfv_faces_sort(struct xfv_face *v, size_t n); /* by falling area, equal areas from left to right */

#endif
