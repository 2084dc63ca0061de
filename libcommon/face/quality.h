/* Is this face fit to be compared? Measures of one aligned face, after ISO/IEC 29794-5 and its reference software OFIQ.
 * Pixels are judged on a crop of 112 x 112 pixels by ArcFace's template, whatever crop the record holds. */
#ifndef XFV_FACE_QUALITY_H
#define XFV_FACE_QUALITY_H

#include "image/image.h"
#include "stream/put.h"

enum xfv_measure {
    XFV_Q_CONFIDENCE,   /* the detector's, 0..1 */
    XFV_Q_EYE_DISTANCE, /* between the eyes' centres, pixels of the photograph */
    XFV_Q_RESIDUAL,     /* rms distance of the aligned landmarks from the template's places, pixels of 112 */
    XFV_Q_ROLL,         /* degrees, clockwise, once the photograph is turned */
    XFV_Q_YAW,          /* degrees; positive: the face looks to the right of the image */
    XFV_Q_PITCH,        /* degrees; positive: it looks down */
    XFV_Q_SHARPNESS,    /* mean absolute Laplacian over the standard deviation, of luminance in the face's oval */
    XFV_Q_UNDER,        /* share of the oval with a luminance of 25 and less */
    XFV_Q_OVER,         /* of 247 and more */
    XFV_Q_OUTSIDE,      /* share of the crop outside the photograph */
    XFV_Q_NORM,         /* length of the embedding as it comes from the network */
    XFV_QUALITIES
};

struct xfv_quality_info {
    const char *name;  /* the key in a record's map `quality` (confidence stands in the face itself) */
    const char *words; /* for people */
    int high_is_good;
    double doubtful;   /* below this (above, where low is good) a face is doubtful; NaN: that depends on the model */
};
extern const struct xfv_quality_info xfv_quality_info[XFV_QUALITIES];

struct xfv_quality {
    double v[XFV_QUALITIES]; /* NaN: not known */
    double norm_low;         /* the model says of how short an embedding one in a hundred is; NaN: not known */
};

/* Is v worse than the limit? Angles count by their size. NaN, of either, is not. */
int xfv_quality_worse(enum xfv_measure m, double v, double limit);
/* The first measure of q that is worse than its limit (f64 [XFV_QUALITIES], NaN: none); -1 when none is. */
int xfv_quality_first(const struct xfv_quality *q, const double *limits);
/* What makes a face doubtful: xfv_quality_info's limits, and the model's for the norm. */
void xfv_quality_doubts(const struct xfv_quality *q, double limits[XFV_QUALITIES]);

/* Of a face in im: all but confidence and norm. landmarks: in pixels of im; turn: that makes it upright; transform
 * (2 x 3): from im to the crop of size x size pixels that `outside` is about; crop: those pixels, RGB, or NULL.
 * XFV_EDATA when the landmarks coincide. */
int xfv_quality_measure(const struct xfv_image *im, const double landmarks[10], int turn, const double transform[6],
                        int size, const uint8_t *crop, struct xfv_quality *q, struct xfv_err *e);
/* Of an aligned crop without landmarks: sharpness and exposure. XFV_ENOMEM. */
int xfv_quality_of_crop(const struct xfv_image *crop, struct xfv_quality *q, struct xfv_err *e);

/* A face record's map `quality`: what is known, to four decimals. */
void xfv_quality_put(struct xfv_put *face, const struct xfv_quality *q);
/* Into a map `quality`: the length of the embedding y[n], and the model's norm_low, unless that is NaN. */
void xfv_quality_put_norm(struct xfv_put *quality, const float *y, size_t n, double norm_low);
/* What a face record holds, its confidence too; the rest NaN. */
void xfv_quality_read(const msgpack_object *face, struct xfv_quality *q);

/* "residual of the alignment 8.31, more than 7": that measure m of q is worse than the limit. Returns buf. */
const char *xfv_quality_say(const struct xfv_quality *q, int m, double limit, char *buf, size_t cap);
/* "doubtful: " and that, of the first measure that makes a face record doubtful; "" for none. */
void xfv_quality_doubt_text(const msgpack_object *face, char *buf, size_t cap);

/* Yaw and pitch, degrees, that take a mean head's five points nearest to the landmarks in an orthographic view: an
 * estimate, good to some 10 degrees. */
void xfv_head_pose(const double landmarks[10], double *yaw, double *pitch);

#endif
