/* A whole image to the size that a network takes. */
#ifndef XFV_IMAGE_FIT_H
#define XFV_IMAGE_FIT_H

#include "image/image.h"

/* EXACT: it must have that size. CROP: the largest centred rectangle of the target's shape, resampled. PAD: all of it,
 * resampled and centred on black. STRETCH: all of it, each axis by its own factor. */
enum xfv_fit { XFV_FIT_EXACT, XFV_FIT_CROP, XFV_FIT_PAD, XFV_FIT_STRETCH };
extern const char *const xfv_fit_names[]; /* NULL-terminated, in the enum's order */

/* im (RGB) to width x height by the rule; resampling as xfv_image_resize does it. transform: 2 x 3, from pixels of im
 * to pixels of out, [a b tx c d ty]. The caller clears *out. XFV_EDATA with code "size" when it does not fit as it is.
 */
int xfv_image_fit(const struct xfv_image *im, enum xfv_fit how, int width, int height, struct xfv_image *out,
                  double transform[6], struct xfv_err *e);

#endif
