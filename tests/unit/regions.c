/* Regions of a face and their shares, against pictures that are known. */

#include "../tap.h"
#include "face/align.h"
#include "measure/regions.h"
#include "stream/record.h"

static struct xfv_err e;
static const double PI = 3.14159265358979323846;
static uint8_t label[112 * 112];

static int at(double x, double y)
{
    return label[(size_t)(y + 0.5) * 112 + (size_t)(x + 0.5)];
}

static void check_template(void)
{
    const double *t = xfv_template_arcface;
    double sum = 0;
    OK(xfv_regions_of_points(t, 112, 112, label, &e) == 0, "the template's regions");
    OK(at(t[0], t[1]) == XFV_REGION_EYES && at(t[2], t[3]) == XFV_REGION_EYES,
       "the template's eyes lie in the region of the eyes");
    OK(at(t[4], t[5]) == XFV_REGION_NOSE && at(56, 52) == XFV_REGION_NOSE, "nose: tip and bridge");
    OK(at(t[6], t[7]) == XFV_REGION_MOUTH && at(t[8], t[9]) == XFV_REGION_MOUTH && at(56, 84) == XFV_REGION_MOUTH,
       "mouth: corners and above the lip");
    OK(at(38, 39) == XFV_REGION_BROWS && at(56, 10) == XFV_REGION_FOREHEAD, "brows and forehead lie above them");
    OK(at(30, 75) == XFV_REGION_CHEEKS && at(82, 75) == XFV_REGION_CHEEKS && at(56, 110) == XFV_REGION_CHIN, "cheeks, "
                                                                                                             "chin");
    OK(at(0, 0) == XFV_REGION_OUTSIDE && at(111, 60) == XFV_REGION_OUTSIDE && at(2, 111) == XFV_REGION_OUTSIDE, "outsid"
                                                                                                                "e");
    struct xfv_region_shares a = xfv_region_areas(label, sizeof label);
    for (int k = 0; k < XFV_REGIONS; k++) sum += a.share[k];
    OK(fabs(sum - 1) < 1e-12, "areas sum to 1");
    for (int k = 0; k < XFV_REGIONS; k++)
        OK(a.share[k] > 0.02, "%s has an area (%.3f)", xfv_region_names[k], a.share[k]);
}

/* The layout moves with the face: rotate and scale the points, and every pixel's region is that of where it came from.
 */
static void check_moves(void)
{
    double m[6] = {0.6, 0.3, 2, -0.3, 0.6, 40}, p[10];
    static uint8_t moved[112 * 112];
    size_t differ = 0, seen = 0;
    for (int i = 0; i < 5; i++) {
        const double *t = xfv_template_arcface + 2 * i;
        p[2 * i] = m[0] * t[0] + m[1] * t[1] + m[2];
        p[2 * i + 1] = m[3] * t[0] + m[4] * t[1] + m[5];
    }
    OK(xfv_regions_of_points(p, 112, 112, moved, &e) == 0, "a smaller, turned face");
    for (int y = 0; y < 112; y++) {
        for (int x = 0; x < 112; x++) {
            double u = m[0] * x + m[1] * y + m[2], v = m[3] * x + m[4] * y + m[5];
            if (u < 0 || v < 0 || u > 111 || v > 111) continue;
            seen++;
            differ += moved[(size_t)(v + 0.5) * 112 + (size_t)(u + 0.5)] != label[y * 112 + x];
        }
    }
    OK(seen > 5000 && differ < seen / 12, "has the same regions but for the borders (%zu of %zu differ)", differ, seen);
    for (int i = 0; i < 10; i++) p[i] = 50 + i; /* all on one line */
    OK(xfv_regions_of_points(p, 112, 112, moved, &e) == XFV_EDATA, "points on a line are refused");
    p[3] = NAN;
    OK(xfv_regions_of_points(p, 112, 112, moved, &e) == XFV_EDATA, "so is NaN");
}

/* 68 points of a drawn face: an ellipse for a jaw, and features on the template's places. */
static void draw_68(double *xy)
{
    const double *t = xfv_template_arcface;
    for (int i = 0; i <= 16; i++) xy[2 * i] = 56 - 38 * cos(PI * i / 16), xy[2 * i + 1] = 55 + 54 * sin(PI * i / 16);
    for (int i = 0; i < 5; i++) {
        xy[2 * (17 + i)] = 28 + 4.5 * i, xy[2 * (17 + i) + 1] = 40;
        xy[2 * (22 + i)] = 66 + 4.5 * i, xy[2 * (22 + i) + 1] = 40;
        xy[2 * (31 + i)] = 49 + 3.5 * i, xy[2 * (31 + i) + 1] = 76;
    }
    for (int i = 0; i < 4; i++) xy[2 * (27 + i)] = 56, xy[2 * (27 + i) + 1] = 52 + 6.5 * i;
    for (int i = 0; i < 6; i++) {
        double c = -cos(PI * i / 3), s = -sin(PI * i / 3);
        xy[2 * (36 + i)] = t[0] + 7 * c, xy[2 * (36 + i) + 1] = t[1] + 3 * s;
        xy[2 * (42 + i)] = t[2] + 7 * c, xy[2 * (42 + i) + 1] = t[3] + 3 * s;
    }
    for (int i = 0; i < 12; i++)
        xy[2 * (48 + i)] = 56 - 15 * cos(PI * i / 6), xy[2 * (48 + i) + 1] = 92 - 6 * sin(PI * i / 6);
    for (int i = 0; i < 8; i++)
        xy[2 * (60 + i)] = 56 - 12 * cos(PI * i / 4), xy[2 * (60 + i) + 1] = 92 - 3 * sin(PI * i / 4);
}

static void check_68(void)
{
    double xy[136];
    draw_68(xy);
    OK(xfv_regions_of_68(xy, 112, 112, label, &e) == 0, "regions of 68 points");
    OK(at(38, 52) == XFV_REGION_EYES && at(74, 52) == XFV_REGION_EYES && at(38, 40) == XFV_REGION_BROWS &&
           at(75, 40) == XFV_REGION_BROWS,
       "eyes, brows");
    OK(at(56, 70) == XFV_REGION_NOSE && at(56, 92) == XFV_REGION_MOUTH && at(56, 104) == XFV_REGION_CHIN,
       "nose, mouth, chin");
    OK(at(28, 75) == XFV_REGION_CHEEKS && at(56, 20) == XFV_REGION_FOREHEAD && at(5, 60) == XFV_REGION_OUTSIDE &&
           at(20, 105) == XFV_REGION_OUTSIDE,
       "cheeks, forehead, outside");
    xy[7] = INFINITY;
    OK(xfv_regions_of_68(xy, 112, 112, label, &e) == XFV_EDATA, "infinity is refused");
}

static void check_shares(void)
{
    const float map[4] = {3, -2, 1, 0};
    const uint8_t where[4] = {XFV_REGION_EYES, XFV_REGION_NOSE, XFV_REGION_MOUTH, XFV_REGION_CHIN};
    struct xfv_region_shares s = xfv_region_shares_of(map, where, 4, 1);
    OK(fabs(s.mass - 4) < 1e-12 && fabs(s.share[XFV_REGION_EYES] - 0.75) < 1e-12 &&
           fabs(s.share[XFV_REGION_MOUTH] - 0.25) < 1e-12,
       "shares above 0");
    s = xfv_region_shares_of(map, where, 4, -1);
    OK(fabs(s.mass - 2) < 1e-12 && fabs(s.share[XFV_REGION_NOSE] - 1) < 1e-12, "shares below 0");
    const float none[4] = {0};
    s = xfv_region_shares_of(none, where, 4, 1);
    OK(s.mass <= 0 && isnan(s.share[XFV_REGION_EYES]), "an empty map has no shares");
}

int main(void)
{
    check_template();
    check_moves();
    check_68();
    check_shares();
    return tap_done();
}
