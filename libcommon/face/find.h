/* The faces of a photograph as people have them: turned by quarters, or filling the frame. */
#ifndef XFV_FACE_FIND_H
#define XFV_FACE_FIND_H

#include "face/mtcnn.h"

enum { XFV_TURN_AUTO = -1 };

struct xfv_find_opts {
    int min_face; /* as in xfv_detect_opts */
    int turn;     /* XFV_TURN_AUTO, or 0, 90, 180, 270: the only turn to look at */
};

/* All faces of one turn of the photograph, by falling area of their box, as xfv_detect gives them. First the photograph
 * is looked at as it is. Unless its surest faces are sure enough, and surer than O-Net is of the same pixels turned,
 * the other turns are looked at too. The one with the most evidence wins: the sum of the fourth powers of its faces'
 * log-odds, so that one sure face outweighs several doubtful ones, and the many of a group one that is seen by chance.
 * Without a sure face, the turn is looked at once more with a border around, where a face that fills or leaves the
 * frame is found; where no turn has anything telling, all four are. The landmarks of a face that is aslant and not sure
 * are looked for once more, in its pixels made upright. Errors as xfv_detect. */
int xfv_find_faces(const struct xfv_detector *d, struct xfv_detector_work *w, const struct xfv_image *im,
                   const struct xfv_find_opts *o, struct xfv_face **faces, size_t *n, struct xfv_detect_stats *stats,
                   struct xfv_err *e);

#endif
