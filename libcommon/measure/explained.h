/* A pair record with its maps' shares by region: what regions(1) adds to a stream and report(1) draws. */
#ifndef XFV_MEASURE_EXPLAINED_H
#define XFV_MEASURE_EXPLAINED_H

#include "face/landmarks.h"
#include "pair/view.h"
#include "measure/regions.h"
#include "stream/record.h"

/* [row][face a, b][S+, S-]; has 0: the record has no such map, or a broken one. A signed map's parts above and below 0
 * count as S+ and S-. */
struct xfv_row_regions { struct { int has; struct xfv_region_shares shares; } part[2][2]; };

struct xfv_explained {
    struct xfv_pairview view;                      /* not blurred */
    /* 1: one of the two is no face but a whole picture (facecrop --whole): it has no regions, and all is
     * XFV_REGION_OUTSIDE */
    int generic;
    enum xfv_region_source from[2];
    struct xfv_region_shares area[2];
    struct xfv_row_regions row[XFV_VIEW_ROWS];
};

/* Read a pair. points68 (may be NULL): 68 points for some photographs, looked up by the face's id, then by its source
 * (of several the one whose eyes lie nearest the record's). Errors as xfv_pairview_read. Clear it in any case. */
int xfv_explained_read(const msgpack_object *pair, const char *only_method, const struct xfv_landmarks *points68,
                       struct xfv_explained *x, struct xfv_err *e);
void xfv_explained_clear(struct xfv_explained *x);

#endif
