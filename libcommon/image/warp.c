#include "image/warp.h"

#include <math.h>
#include <string.h>

#include "base/toint.h"

int xfv_affine_invert(const double m[6], double v[6], struct xfv_err *e)
{
    double det = m[0] * m[4] - m[1] * m[3];
    double size = fabs(m[0] * m[4]) + fabs(m[1] * m[3]);
    if (!isfinite(det) || !isfinite(m[2]) || !isfinite(m[5]) || fabs(det) <= 1e-12 * size || size < 1e-30)
        return xfv_fail(e, XFV_EARG, "the transform [%g %g %g; %g %g %g] cannot be inverted", m[0], m[1], m[2], m[3],
                        m[4], m[5]);
    v[0] = m[4] / det;
    v[1] = -m[1] / det;
    v[3] = -m[3] / det;
    v[4] = m[0] / det;
    v[2] = -(v[0] * m[2] + v[1] * m[5]);
    v[5] = -(v[3] * m[2] + v[4] * m[5]);
    return 0;
}

void xfv_affine_apply(const double m[6], double x, double y, double *tx, double *ty)
{
    *tx = m[0] * x + m[1] * y + m[2];
    *ty = m[3] * x + m[4] * y + m[5];
}

/* One sample of an RGB image between four of its pixels: what sample does, in the same order, without its questions. */
static void sample_inside(const struct xfv_image *im, double x, double y, uint8_t *out)
{
    int x0 = xfv_to_int(x, 0, im->width - 2), y0 = xfv_to_int(y, 0, im->height - 2);
    double fx = x - x0, fy = y - y0;
    double w00 = (1 - fx) * (1 - fy), w10 = fx * (1 - fy), w01 = (1 - fx) * fy, w11 = fx * fy;
    const uint8_t *s = im->data + ((size_t)y0 * (size_t)im->width + (size_t)x0) * 3, *t = s + (size_t)im->width * 3;
    for (int k = 0; k < 3; k++) out[k] = xfv_to_byte(w00 * s[k] + w10 * s[k + 3] + w01 * t[k] + w11 * t[k + 3] + 0.5);
}

/* One sample; the caller has made sure that (x, y) is within one pixel of the image. */
static void sample(const struct xfv_image *im, double x, double y, uint8_t *out)
{
    int c = im->channels, x0 = xfv_to_int(floor(x), -1, im->width), y0 = xfv_to_int(floor(y), -1, im->height);
    double fx = x - x0, fy = y - y0, v[4] = {0};
    for (int dy = 0; dy < 2; dy++) {
        int sy = y0 + dy;
        if (sy < 0 || sy >= im->height) continue;
        for (int dx = 0; dx < 2; dx++) {
            int sx = x0 + dx;
            if (sx < 0 || sx >= im->width) continue;
            double w = (dx ? fx : 1 - fx) * (dy ? fy : 1 - fy);
            const uint8_t *s = im->data + ((size_t)sy * (size_t)im->width + (size_t)sx) * (size_t)c;
            for (int k = 0; k < c; k++) v[k] += w * s[k];
        }
    }
    for (int k = 0; k < c; k++) out[k] = xfv_to_byte(v[k] + 0.5);
}

int xfv_warp(const struct xfv_image *im, const double m[6], int width, int height, uint8_t *out, struct xfv_err *e)
{
    double v[6];
    int status = xfv_affine_invert(m, v, e);
    if (status) return status;
    size_t c = (size_t)im->channels;
    for (int y = 0; y < height; y++) {
        uint8_t *t = out + (size_t)y * (size_t)width * c;
        for (int x = 0; x < width; x++, t += c) {
            double sx, sy;
            xfv_affine_apply(v, x, y, &sx, &sy);
            if (c == 3 && sx >= 0 && sy >= 0 && sx < im->width - 1 && sy < im->height - 1) sample_inside(im, sx, sy, t);
            else if (sx > -1 && sy > -1 && sx < im->width && sy < im->height) sample(im, sx, sy, t);
            else memset(t, 0, c);
        }
    }
    return 0;
}
