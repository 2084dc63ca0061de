#include "explain/control.h"

#include <math.h>

#include "image/blur.h"

static void gaussian(int h, int w, double cx, double cy, double sx, double sy, float *map)
{
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            double dx = (x - cx) / sx, dy = (y - cy) / sy;
            map[(size_t)y * (size_t)w + (size_t)x] = (float)exp(-0.5 * (dx * dx + dy * dy));
        }
    }
}

static void stretch(float *map, size_t n)
{
    float lo = map[0], hi = map[0];
    for (size_t i = 1; i < n; i++) {
        lo = map[i] < lo ? map[i] : lo;
        hi = map[i] > hi ? map[i] : hi;
    }
    for (size_t i = 0; i < n; i++) map[i] = hi > lo ? (map[i] - lo) / (hi - lo) : 0.0f;
}

static float luma(const uint8_t *rgb, int h, int w, int y, int x)
{
    y = y < 0 ? 0 : y >= h ? h - 1 : y;
    x = x < 0 ? 0 : x >= w ? w - 1 : x;
    const uint8_t *p = rgb + 3 * ((size_t)y * (size_t)w + (size_t)x);
    return 0.299f * (float)p[0] + 0.587f * (float)p[1] + 0.114f * (float)p[2];
}

static void sobel(const uint8_t *rgb, int h, int w, float *map)
{
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            float v[3][3];
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 3; j++) v[i][j] = luma(rgb, h, w, y + i - 1, x + j - 1);
            float gx = v[0][2] - v[0][0] + 2.0f * (v[1][2] - v[1][0]) + v[2][2] - v[2][0];
            float gy = v[2][0] - v[0][0] + 2.0f * (v[2][1] - v[0][1]) + v[2][2] - v[0][2];
            map[(size_t)y * (size_t)w + (size_t)x] = sqrtf(gx * gx + gy * gy);
        }
    }
}

int xfv_control_map(enum xfv_control kind, const uint8_t *rgb, int height, int width, double sigma,
                    struct xfv_random *r, float *map, struct xfv_err *e)
{
    size_t n = (size_t)height * (size_t)width;
    double sx = (double)width / 112.0, sy = (double)height / 112.0;
    int status = 0;
    switch (kind) {
    case XFV_CONTROL_RANDOM:
    case XFV_CONTROL_BLOBS:
        for (size_t i = 0; i < n; i++) map[i] = (float)xfv_random_unit(r);
        if (kind == XFV_CONTROL_BLOBS) status = xfv_blur(map, width, height, sigma * sx, e);
        if (kind == XFV_CONTROL_BLOBS && !status) stretch(map, n);
        break;
    case XFV_CONTROL_CENTRE:
        gaussian(height, width, 0.5 * (width - 1), 0.5 * (height - 1), sigma * sx, sigma * sy, map);
        break;
    case XFV_CONTROL_FACE:
        gaussian(height, width, 55.5 * sx, 66.0 * sy, sigma * sx, sigma * sy * 4.0 / 3.0, map);
        break;
    case XFV_CONTROL_EDGES:
        sobel(rgb, height, width, map);
        status = xfv_blur(map, width, height, sigma * sx, e);
        break;
    }
    return status;
}
