/* Faces drawn back on the photograph that they were cut out of: boxes, landmarks, numbers, and the maps through the
 * inverse of each crop's transform. */
#ifndef XFV_REPORT_PHOTO_H
#define XFV_REPORT_PHOTO_H

#include "report/figure.h"

/* One face on its photograph. Maps: f32 [map_height][map_width], owned; NULL: none. */
struct xfv_photo_face {
    char *id, *words; /* owned; words: its pair and decision, or NULL */
    double box[4], landmarks[10], transform[6]; /* box and landmarks: their first number NaN when unknown */
    int side_w, side_h;  /* of the crop, pixels */
    int turn, pairs;     /* pairs: how many hold the face */
    int is_signed;       /* map[0] is a signed one */
    float *map[2];       /* similarity or signed, dissimilarity; as drawn */
    double scale[2];     /* the value in the strongest colour */
    char method[64], doubt[128]; /* doubt: what is doubtful about it; empty: nothing */
};

struct xfv_photograph {
    char *source, digest[65]; /* as the records name it; digest empty: unknown */
    int width, height;
    struct xfv_photo_face *face;
    size_t n;
};

/* The photographs of a stream in the order in which they come. Zero-initialised is empty. */
struct xfv_photographs {
    struct xfv_photograph *v;
    size_t n, pixels; /* of all maps that are held */
};
void xfv_photographs_clear(struct xfv_photographs *l);

/* Take in a face record, or a face of a pair with the pair's view (read and blurred; NULL: a face record) of which it
 * is side 0 or 1. Of a face that comes again the first maps stay. XFV_EDATA: it holds no source, size or transform, as
 * a crop that was given as one; XFV_ELIMIT: the maps of the faces together are too large; XFV_ENOMEM. */
int xfv_photographs_add(struct xfv_photographs *l, const msgpack_object *face, const struct xfv_pairview *p, int side,
                        struct xfv_err *e);

/* Read and decode the file that p names, relative to the working folder. XFV_EIO when it is not there, XFV_EDATA when
 * it is not the file that the records are of: its digest or size is another. The caller clears *im. */
int xfv_photograph_load(const struct xfv_photograph *p, const struct xfv_decode_opts *o, struct xfv_image *im,
                        struct xfv_err *e);

/* Draw: the photograph with boxes, landmarks and numbers; beside it, in grey, the maps of the first method; a line for
 * each face below. out is new RGB, the caller clears it. */
int xfv_photograph_draw(const struct xfv_photograph *p, const struct xfv_image *im, const struct xfv_figure_opts *o,
                        struct xfv_image *out, struct xfv_err *e);

/* The photograph of one face, read again, with its box, crop and landmarks: new RGB, `longer` pixels on its longer
 * side. Errors as those of add, load and draw. The caller clears *out in any case. */
int xfv_photograph_of_face(const msgpack_object *face, int longer, struct xfv_image *out, struct xfv_err *e);

#endif
