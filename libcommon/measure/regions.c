#include "measure/regions.h"

#include <math.h>
#include <string.h>

#include "face/align.h"
#include "stream/record.h"

const char *const xfv_region_names[] = {"forehead", "brows", "eyes",    "nose", "cheeks",
                                        "mouth",    "chin",  "outside", NULL};
const char *const xfv_region_source_names[] = {"template", "landmarks", "68", NULL};

/* Borders in the face's frame: x in eye distances from the face's middle, y in eye-to-mouth distances below the eyes.
 */
static const double oval_y = 0.25, oval_width = 1.08, oval_height = 1.55;
static const double brows_top = -0.48, eyes_top = -0.17, eyes_bottom = 0.24, brow_end = 0.92, eye_start = 0.18,
                    eye_end = 0.88;
static const double mouth_half = 0.29; /* above and below the corners' height */

/* The face's frame: middle between the eyes, and the two axes with their inverse. */
struct frame {
    double at[2], x[2], y[2], det;
    double nose[2], mouth_left, mouth_right; /* in the frame */
};

static void to_frame(const struct frame *f, double px, double py, double *u, double *v)
{
    double dx = px - f->at[0], dy = py - f->at[1];
    *u = (dx * f->y[1] - dy * f->y[0]) / f->det;
    *v = (dy * f->x[0] - dx * f->x[1]) / f->det;
}

static int make_frame(const double p[10], struct frame *f, struct xfv_err *e)
{
    double unused;
    for (int i = 0; i < 10; i++)
        if (!isfinite(p[i])) return xfv_fail(e, XFV_EDATA, "a landmark is not a number");
    for (int i = 0; i < 2; i++) {
        f->at[i] = (p[i] + p[2 + i]) / 2;
        f->x[i] = p[2 + i] - p[i];
        f->y[i] = (p[6 + i] + p[8 + i]) / 2 - f->at[i];
    }
    f->det = f->x[0] * f->y[1] - f->x[1] * f->y[0];
    double size = hypot(f->x[0], f->x[1]) * hypot(f->y[0], f->y[1]);
    if (!(size > 1e-6) || fabs(f->det) < 0.05 * size)
        return xfv_fail(e, XFV_EDATA, "the landmarks do not span a face: eyes and mouth lie on one line");
    to_frame(f, p[4], p[5], &f->nose[0], &f->nose[1]);
    to_frame(f, p[6], p[7], &f->mouth_left, &unused);
    to_frame(f, p[8], p[9], &f->mouth_right, &unused);
    return 0;
}

/* Where the nose's tip may be: a profile's landmark can leave the face, its region must not. */
static double clamp(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static int in_nose(const struct frame *f, double u, double v)
{
    double tip_y = clamp(f->nose[1], 0.3, 0.65), tip_x = clamp(f->nose[0], -0.35, 0.35), base = tip_y + 0.17;
    if (v < eyes_top || v > base) return 0;
    double middle = tip_x * clamp(v / tip_y, 0, 1), half = 0.15 + 0.2 * (v - eyes_top) / (base - eyes_top);
    return fabs(u - middle) <= half;
}

static int in_mouth(const struct frame *f, double u, double v)
{
    double left = clamp(f->mouth_left, -0.9, -0.1), right = clamp(f->mouth_right, 0.1, 0.9);
    double middle = (left + right) / 2, half = 1.22 * (right - left) / 2,
           nose_base = clamp(f->nose[1], 0.3, 0.65) + 0.17;
    double x = (u - middle) / half, y = (v - 1) / mouth_half;
    if (v > nose_base && v <= 1) return fabs(x) <= 0.75 || x * x + y * y <= 1;
    return x * x + y * y <= 1;
}

static int in_oval(double u, double v)
{
    double x = u / oval_width, y = (v - oval_y) / oval_height;
    return x * x + y * y <= 1;
}

/* Region of a point of the face that no outline claims. */
static enum xfv_region rest_of_face(double u, double v)
{
    if (v < brows_top) return XFV_REGION_FOREHEAD;
    if (v < eyes_top) return fabs(u) <= brow_end ? XFV_REGION_BROWS : XFV_REGION_FOREHEAD;
    return v > 1 + mouth_half - 0.02 && fabs(u) < 0.55 ? XFV_REGION_CHIN : XFV_REGION_CHEEKS;
}

static enum xfv_region region_at(const struct frame *f, double u, double v)
{
    if (!in_oval(u, v)) return XFV_REGION_OUTSIDE;
    if (v >= eyes_top && v <= eyes_bottom && fabs(u) >= eye_start && fabs(u) <= eye_end) return XFV_REGION_EYES;
    if (in_nose(f, u, v)) return XFV_REGION_NOSE;
    if (in_mouth(f, u, v)) return XFV_REGION_MOUTH;
    return rest_of_face(u, v);
}

int xfv_regions_of_points(const double xy[10], int width, int height, uint8_t *label, struct xfv_err *e)
{
    struct frame f;
    int status = make_frame(xy, &f, e);
    for (int y = 0; y < height && !status; y++) {
        for (int x = 0; x < width; x++) {
            double u, v;
            to_frame(&f, x, y, &u, &v);
            label[(size_t)y * (size_t)width + (size_t)x] = (uint8_t)region_at(&f, u, v);
        }
    }
    return status;
}

/* ---- 68 points ---- */

/* Distance from (x, y) to the segment a b. */
static double to_segment(const double *a, const double *b, double x, double y)
{
    double dx = b[0] - a[0], dy = b[1] - a[1], len = dx * dx + dy * dy;
    double t = len > 0 ? clamp(((x - a[0]) * dx + (y - a[1]) * dy) / len, 0, 1) : 0;
    return hypot(x - a[0] - t * dx, y - a[1] - t * dy);
}

/* Is (x, y) inside the polygon of the points first..last, or within `near` of its outline (closed) or line (open)? */
static int touches(const double *xy, int first, int last, int closed, double near, double x, double y)
{
    int inside = 0;
    for (int i = first; i <= last; i++) {
        const double *a = xy + 2 * i, *b = xy + 2 * (i < last ? i + 1 : first);
        if ((i < last || closed) && to_segment(a, b, x, y) <= near) return 1;
        if (closed && (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0])
            inside = !inside;
    }
    return inside;
}

/* Inside the face: below the ends of the jaw line within that line, above them within the upper half of an ellipse
 * through its ends. */
static int in_face_68(const double *xy, const struct frame *f, double x, double y)
{
    double v, u, left, right, lv, rv;
    to_frame(f, x, y, &u, &v);
    to_frame(f, xy[0], xy[1], &left, &lv);
    to_frame(f, xy[32], xy[33], &right, &rv);
    if (touches(xy, 0, 16, 1, 0, x, y)) return 1;
    double t = (u - left) / (right - left), ends = lv + t * (rv - lv); /* the line between the jaw's ends */
    double a = 2 * t - 1, b = (v - ends) / (oval_height - oval_y + (lv + rv) / 2);
    return v <= ends && a * a + b * b <= 1;
}

static enum xfv_region region_68(const double *xy, const struct frame *f, double x, double y)
{
    double u, v, unit = hypot(f->x[0], f->x[1]), low;
    if (!in_face_68(xy, f, x, y)) return XFV_REGION_OUTSIDE;
    to_frame(f, x, y, &u, &v);
    if (touches(xy, 36, 41, 1, 0.08 * unit, x, y) || touches(xy, 42, 47, 1, 0.08 * unit, x, y)) return XFV_REGION_EYES;
    if (touches(xy, 17, 21, 0, 0.1 * unit, x, y) || touches(xy, 22, 26, 0, 0.1 * unit, x, y)) return XFV_REGION_BROWS;
    /* bridge, left wing, base, right wing */
    double nose[8] = {xy[54], xy[55], xy[62], xy[63], xy[66], xy[67], xy[70], xy[71]};
    if (touches(nose, 0, 3, 1, 0.1 * unit, x, y)) return XFV_REGION_NOSE;
    if (touches(xy, 48, 59, 1, 0.06 * unit, x, y)) return XFV_REGION_MOUTH;
    to_frame(f, xy[114], xy[115], &u, &low); /* 57: the lower lip's middle */
    to_frame(f, x, y, &u, &v);
    if (v > low && fabs(u) < 0.55) return XFV_REGION_CHIN;
    if (v < eyes_top) { /* the brows are outlined here: what lies between and above them is forehead */
        double brow, unused;
        to_frame(f, xy[38], xy[39], &unused, &brow);
        return v < brow || fabs(u) < 0.5 ? XFV_REGION_FOREHEAD : XFV_REGION_CHEEKS;
    }
    return XFV_REGION_CHEEKS;
}

static void mean_of(const double *xy, int first, int last, double *to)
{
    to[0] = to[1] = 0;
    for (int i = first; i <= last; i++)
        to[0] += xy[2 * i] / (last - first + 1), to[1] += xy[2 * i + 1] / (last - first + 1);
}

int xfv_regions_of_68(const double xy[136], int width, int height, uint8_t *label, struct xfv_err *e)
{
    struct frame f;
    double five[10];
    for (int i = 0; i < 136; i++)
        if (!isfinite(xy[i])) return xfv_fail(e, XFV_EDATA, "a landmark is not a number");
    mean_of(xy, 36, 41, five);
    mean_of(xy, 42, 47, five + 2);
    memcpy(five + 4, xy + 60, 2 * sizeof *xy);
    memcpy(five + 6, xy + 96, 2 * sizeof *xy);
    memcpy(five + 8, xy + 108, 2 * sizeof *xy);
    int status = make_frame(five, &f, e);
    for (int y = 0; y < height && !status; y++)
        for (int x = 0; x < width; x++) label[(size_t)y * (size_t)width + (size_t)x] = (uint8_t)region_68(xy, &f, x, y);
    return status;
}

/* ---- records and maps ---- */

void xfv_points_to_crop(const msgpack_object *face, double *xy, int n)
{
    double m[6];
    if (xfv_get_f64s(face, "transform", m, 6, NULL)) return;
    for (int i = 0; i < n; i++) {
        double x = xy[2 * i], y = xy[2 * i + 1];
        xy[2 * i] = m[0] * x + m[1] * y + m[2];
        xy[2 * i + 1] = m[3] * x + m[4] * y + m[5];
    }
}

enum xfv_region_source xfv_face_points(const msgpack_object *face, int width, int height, double xy[10])
{
    struct frame f;
    if (xfv_map_get(face, "transform") && !xfv_get_f64s(face, "landmarks", xy, 10, NULL)) {
        xfv_points_to_crop(face, xy, 5);
        if (!make_frame(xy, &f, NULL)) return XFV_FROM_LANDMARKS;
    }
    for (int i = 0; i < 10; i++) xy[i] = (xfv_template_arcface[i] + 0.5) * (i % 2 ? height : width) / 112 - 0.5;
    return XFV_FROM_TEMPLATE;
}

struct xfv_region_shares xfv_region_shares_of(const float *map, const uint8_t *label, size_t n, int sign)
{
    struct xfv_region_shares s = {0};
    for (size_t i = 0; i < n; i++) {
        double v = sign < 0 ? -(double)map[i] : (double)map[i];
        if (!(v > 0)) continue;
        s.mass += v;
        s.share[label[i]] += v;
    }
    for (int k = 0; k < XFV_REGIONS; k++) s.share[k] = s.mass > 0 ? s.share[k] / s.mass : NAN;
    return s;
}

struct xfv_region_shares xfv_region_areas(const uint8_t *label, size_t n)
{
    struct xfv_region_shares s = {.mass = (double)n};
    for (size_t i = 0; i < n; i++) s.share[label[i]]++;
    for (int k = 0; k < XFV_REGIONS; k++) s.share[k] = n ? s.share[k] / s.mass : NAN;
    return s;
}
