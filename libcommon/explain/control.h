/* Control maps, which ignore the decision. An explanation must beat them before its Deletion and Insertion mean
 * anything. */
#ifndef XFV_EXPLAIN_CONTROL_H
#define XFV_EXPLAIN_CONTROL_H

#include <stdint.h>

#include "base/random.h"
#include "base/err.h"

enum xfv_control { XFV_CONTROL_RANDOM, XFV_CONTROL_BLOBS, XFV_CONTROL_CENTRE, XFV_CONTROL_FACE, XFV_CONTROL_EDGES };

/* map, f32 [height][width], all >= 0, with x and y in pixels of a face 112 pixels high or wide (larger ones in
 * proportion):
 *   RANDOM  every pixel uniform in [0, 1)
 *   BLOBS   uniform noise, blurred with sigma and stretched to [0, 1]
 *   CENTRE  exp(-r^2 / 2 sigma^2), r the distance from the middle of the image
 *   FACE    the same about (55.5, 66) with sigma across and 4/3 sigma down: where the aligned template has the eyes,
 *           nose and mouth
 *   EDGES   magnitude of Sobel's gradient of the image's luma (BT.601), edges repeated, blurred with sigma
 * rgb: u8 [height][width][3], for EDGES; r: for RANDOM and BLOBS. XFV_ENOMEM; XFV_EARG for a sigma that xfv_blur
 * refuses. */
int xfv_control_map(enum xfv_control kind, const uint8_t *rgb, int height, int width, double sigma,
                    struct xfv_random *r, float *map, struct xfv_err *e);

#endif
