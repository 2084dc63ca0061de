#include "face/align.h"

#include <math.h>

const double xfv_template_arcface[10] = {38.2946, 51.6963, 73.5318, 51.5014, 56.0252,
                                         71.7366, 41.5493, 92.3655, 70.7299, 92.2041};

int xfv_similarity(const double *from, const double *to, int n, double m[6], struct xfv_err *e)
{
    double fx = 0, fy = 0, tx = 0, ty = 0;
    for (int i = 0; i < n; i++) {
        fx += from[2 * i] / n;
        fy += from[2 * i + 1] / n;
        tx += to[2 * i] / n;
        ty += to[2 * i + 1] / n;
    }
    /* With a similarity [a -b; b a], the normal equations of the centred points give a and b at once. */
    double dot = 0, cross = 0, var = 0;
    for (int i = 0; i < n; i++) {
        double px = from[2 * i] - fx, py = from[2 * i + 1] - fy, qx = to[2 * i] - tx, qy = to[2 * i + 1] - ty;
        dot += px * qx + py * qy;
        cross += px * qy - py * qx;
        var += px * px + py * py;
    }
    if (!isfinite(dot) || !isfinite(cross) || !(var > 1e-12))
        return xfv_fail(e, XFV_EDATA, "the landmarks coincide or are not numbers");
    double a = dot / var, b = cross / var;
    m[0] = a;
    m[1] = -b;
    m[2] = tx - (a * fx - b * fy);
    m[3] = b;
    m[4] = a;
    m[5] = ty - (b * fx + a * fy);
    return 0;
}

int xfv_align(const double xy[10], const double template_xy[10], int template_size, int size, double m[6],
              struct xfv_err *e)
{
    double to[10];
    for (int i = 0; i < 10; i++) to[i] = template_xy[i] * size / template_size;
    return xfv_similarity(xy, to, 5, m, e);
}
