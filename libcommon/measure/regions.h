/* Where a map lies: which pixel of an aligned crop is forehead, brow, eye ... (its region), and how much of a map lies
 * in each. Regions follow the face's own landmarks and part the whole crop; measure/parts.h has fixed ellipses, for
 * planting evidence. */
#ifndef XFV_MEASURE_REGIONS_H
#define XFV_MEASURE_REGIONS_H

#include <msgpack.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* A partition of the crop: every pixel is in exactly one. Brows hold the bridge between them; mouth holds the upper
 * lip's skin up to the nose; cheeks hold what is left of the face beside and below; outside is hair, ears, neck and
 * background. */
enum xfv_region {
    XFV_REGION_FOREHEAD,
    XFV_REGION_BROWS,
    XFV_REGION_EYES,
    XFV_REGION_NOSE,
    XFV_REGION_CHEEKS,
    XFV_REGION_MOUTH,
    XFV_REGION_CHIN,
    XFV_REGION_OUTSIDE,
    XFV_REGIONS
};
extern const char *const xfv_region_names[XFV_REGIONS + 1]; /* "forehead", ...; NULL-terminated */

/* What the regions are laid out from. */
enum xfv_region_source { XFV_FROM_TEMPLATE, XFV_FROM_LANDMARKS, XFV_FROM_68 };
extern const char *const xfv_region_source_names[]; /* "template", "landmarks", "68" */

/* A face record's five landmarks in pixels of its crop of width x height: its "landmarks" taken through its
 * "transform", else (a face that came as a crop) those of the ArcFace template, scaled. Says which. */
enum xfv_region_source xfv_face_points(const msgpack_object *face, int width, int height, double xy[10]);
/* n points x0, y0, ... of the photograph to the crop, through the record's "transform" (none: they are the crop's
 * already). In place. */
void xfv_points_to_crop(const msgpack_object *face, double *xy, int n);

/* label u8 [height][width] <- enum xfv_region, from five points in pixels of the crop. Everything is measured in the
 * face's own skewed frame: x in eye distances along the line of the eyes, y in eye-to-mouth distances. The borders are
 * this project's, after the proportions of faces aligned to the template (chin 0.8 below the mouth, hairline 1.3 above
 * the eyes); they are the same for every face, so hair over a forehead is forehead. XFV_EDATA when the points do not
 * span a face. */
int xfv_regions_of_points(const double xy[10], int width, int height, uint8_t *label, struct xfv_err *e);
/* The same, with the outlines of 68 points (the iBUG 300-W mark-up: 0..16 jaw, 17..26 brows, 27..35 nose, 36..47
 * eyes, 48..67 mouth) for the jaw, brows, eyes, nose and mouth. */
int xfv_regions_of_68(const double xy[136], int width, int height, uint8_t *label, struct xfv_err *e);

/* How a map of n pixels, all >= 0, lies over the regions. */
struct xfv_region_shares {
    double mass;               /* sum over the map */
    double share[XFV_REGIONS]; /* of the mass, sum 1; NaN when the mass is 0 */
};
/* sign 1: values above 0; -1: minus those below 0. */
struct xfv_region_shares xfv_region_shares_of(const float *map, const uint8_t *label, size_t n, int sign);
/* The regions' shares of the n pixels, to compare with. */
struct xfv_region_shares xfv_region_areas(const uint8_t *label, size_t n);

#endif
