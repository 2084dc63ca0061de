#include "measure/explained.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Distance of the middle between the eyes of 68 points from that of the record's landmarks; 0 when the record has none.
 */
static double away(const double *xy, const msgpack_object *face)
{
    double p[10], x = 0, y = 0;
    if (xfv_get_f64s(face, "landmarks", p, 10, NULL)) return 0;
    for (int i = 36; i < 48; i++) x += xy[2 * i] / 12, y += xy[2 * i + 1] / 12;
    return hypot(x - (p[0] + p[2]) / 2, y - (p[1] + p[3]) / 2);
}

/* The face's 68 points in pixels of the crop; 0 when there are none. */
static int find_68(const struct xfv_landmarks *l, const msgpack_object *face, double xy[136])
{
    static const char *const keys[] = {"id", "source"};
    for (int k = 0; k < 2; k++) {
        char name[4096];
        size_t first, n;
        if (xfv_get_text(face, keys[k], name, sizeof name, NULL) || !(n = xfv_landmarks_find(l, name, &first)))
            continue;
        const double *best = l->v[l->by_path[first]].xy;
        for (size_t i = 1; i < n; i++) {
            const double *p = l->v[l->by_path[first + i]].xy;
            if (away(p, face) < away(best, face)) best = p;
        }
        memcpy(xy, best, 136 * sizeof *xy);
        xfv_points_to_crop(face, xy, 68);
        return 1;
    }
    return 0;
}

static int is_generic(const msgpack_object *face)
{
    int yes;
    return !xfv_get_bool(face, "generic", &yes, NULL) && yes;
}

static int label_face(const msgpack_object *face, const struct xfv_image *im, const struct xfv_landmarks *points68,
                      uint8_t *label, enum xfv_region_source *from, struct xfv_err *e)
{
    double xy[136];
    if (is_generic(face)) {
        *from = XFV_FROM_TEMPLATE;
        memset(label, XFV_REGION_OUTSIDE, (size_t)im->width * (size_t)im->height);
        return 0;
    }
    if (points68 && find_68(points68, face, xy) && !xfv_regions_of_68(xy, im->width, im->height, label, NULL)) {
        *from = XFV_FROM_68;
        return 0;
    }
    *from = xfv_face_points(face, im->width, im->height, xy);
    return xfv_regions_of_points(xy, im->width, im->height, label, e);
}

static void share_maps(struct xfv_explained *x, int side, const uint8_t *label, size_t n)
{
    for (int i = 0; i < x->view.n_rows; i++) {
        const struct xfv_view_row *r = &x->view.row[i];
        for (int sign = 0; sign < 2; sign++) {
            const struct xfv_view_map *m = &r->map[side][r->signed_key[0] ? 0 : sign];
            x->row[i].part[side][sign].has = m->v != NULL;
            if (!m->v) continue;
            int none = m->state == XFV_NOISE || m->state == XFV_OTHER_PAIR; /* no evidence of this pair: a mass of 0 */
            x->row[i].part[side][sign].shares =
                xfv_region_shares_of(m->v, label, none ? 0 : n, r->signed_key[0] && sign ? -1 : 1);
        }
    }
}

int xfv_explained_read(const msgpack_object *pair, const char *only_method, const struct xfv_landmarks *points68,
                       struct xfv_explained *x, struct xfv_err *e)
{
    memset(x->row, 0, sizeof x->row);
    int status = xfv_pairview_read(pair, only_method, &x->view, e);
    x->generic = is_generic(xfv_map_get(pair, "a")) || is_generic(xfv_map_get(pair, "b"));
    for (int side = 0; side < 2 && !status; side++) {
        const struct xfv_image *im = &x->view.face[side].image;
        size_t n = (size_t)im->width * (size_t)im->height;
        uint8_t *label = malloc(n);
        if (!label)
            return xfv_fail(e, XFV_ENOMEM, "no memory for the regions of a face of %dx%d", im->width, im->height);
        status = label_face(xfv_map_get(pair, side ? "b" : "a"), im, points68, label, &x->from[side], e);
        if (!status) x->area[side] = xfv_region_areas(label, n);
        if (!status) share_maps(x, side, label, n);
        free(label);
    }
    return status;
}

void xfv_explained_clear(struct xfv_explained *x)
{
    xfv_pairview_clear(&x->view);
}
