/* From one photograph to its face records: found, chosen, aligned, cropped. */
#ifndef XFV_FACE_CROP_H
#define XFV_FACE_CROP_H

#include <stddef.h>

#include "face/find.h"
#include "face/landmarks.h"
#include "face/quality.h"
#include "image/fit.h"
#include "stream/stream.h"

enum xfv_which { XFV_LARGEST, XFV_CENTRAL, XFV_ALL_FACES };

/* How to crop. Read-only while it is used; threads share it. Where the faces are: of the three, the first that is
 * given. */
struct xfv_cropper {
    int aligned;                           /* 1: the whole image is a face already aligned */
    const struct xfv_landmarks *landmarks; /* listed by path; landmarks_name is their file's, for messages */
    const char *landmarks_name;
    /* To look for those of min_face pixels (0: the detector's own rule) and take `which`. With aligned: to note an
     * image that is no aligned crop; NULL: not looked at. */
    const struct xfv_detector *detector;
    int min_face;
    int turn;                              /* as in xfv_find_opts */
    enum xfv_which which;
    double limits[XFV_QUALITIES];          /* a face that is worse becomes an err record; NaN: no limit */
    double template_xy[10];                /* where the five landmarks belong in a crop template_size pixels wide */
    int template_size;
    int size;                              /* width of the crop made, pixels */
    enum xfv_fit fit;                      /* with aligned: how an image of another size gets it */
    int generic;                           /* with aligned: 1: it need not be a face, and the record says so */
    int height;                            /* of a crop that is not square; 0: size */
};

/* One worker's scratch memory, and where its time went, seconds. */
struct xfv_crop_work {
    struct xfv_detector_work *detect;
    struct xfv_detect_stats stats;
    double crop;
    uint8_t *pixels; /* one crop */
};
/* for its crops; XFV_ENOMEM */
int xfv_crop_work_init(struct xfv_crop_work *w, const struct xfv_cropper *c, struct xfv_err *e);
void xfv_crop_work_clear(struct xfv_crop_work *w);

/* The face records of one image, in the order found, and err records for those that a limit refuses. Zero-initialised
 * is empty. */
struct xfv_crops {
    struct xfv_rec **v;
    size_t n;
    char note[256]; /* what is doubtful about the first face of which something is; empty: nothing */
};
void xfv_crops_clear(struct xfv_crops *l); /* frees the records that are still there */

/* Crop the faces of im. path: what the landmarks' file calls it; name: goes into the records as source and, with
 * #number when there may be several, as id. Each record has id, source, size, box, confidence, turn, landmarks (where
 * known), transform (2 x 3, image to crop) and image (u8 [height][size][3]). XFV_EDATA (with a code) when there is no
 * face, no line for it, or its landmarks cannot be aligned: *out then has what was made before. XFV_ENOMEM. The caller
 * clears *out in every case. */
int xfv_crop_faces(const struct xfv_cropper *c, struct xfv_crop_work *w, const struct xfv_image *im, const char *path,
                   const char *name, struct xfv_crops *out, struct xfv_err *e);

#endif
