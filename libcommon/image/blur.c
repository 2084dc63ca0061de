#include "image/blur.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"

int xfv_blur_radius(double sigma)
{
    if (!(sigma > 0)) return 0;
    int r = xfv_to_int(floor(2.5 * sigma), 0, INT_MAX / 4);
    return r < 1 ? 1 : r;
}

/* Mirror index i into [0, n), the edge element not repeated; any distance. */
static int reflect(int i, int n)
{
    if (n == 1) return 0;
    int period = 2 * (n - 1);
    i %= period;
    if (i < 0) i += period;
    return i < n ? i : period - i;
}

/* One line of n elements, `step` apart, through the kernel. line: scratch of n + 2 radius. */
static void blur_line(float *p, int n, size_t step, const double *kernel, int radius, float *line)
{
    for (int i = -radius; i < n + radius; i++) line[i + radius] = p[(size_t)reflect(i, n) * step];
    for (int i = 0; i < n; i++) {
        double sum = 0;
        for (int k = 0; k <= 2 * radius; k++) sum += kernel[k] * (double)line[i + k];
        p[(size_t)i * step] = (float)sum;
    }
}

int xfv_blur(float *plane, int width, int height, double sigma, struct xfv_err *e)
{
    if (!(sigma >= 0 && sigma <= 1000))
        return xfv_fail(e, XFV_EARG, "a blur's sigma must be 0..1000 pixels, got %g", sigma);
    return xfv_blur_cut(plane, width, height, sigma, xfv_blur_radius(sigma), e);
}

int xfv_blur_cut(float *plane, int width, int height, double sigma, int radius, struct xfv_err *e)
{
    if (radius < 1 || width < 1 || height < 1 || !(sigma > 0)) return 0;
    size_t longest = (size_t)(width > height ? width : height) + 2 * (size_t)radius;
    double *kernel = malloc((2 * (size_t)radius + 1) * sizeof *kernel), total = 0;
    float *line = malloc(longest * sizeof *line);
    if (!kernel || !line) {
        free(kernel), free(line);
        return xfv_fail(e, XFV_ENOMEM, "no memory to blur a map of %dx%d", width, height);
    }
    for (int k = -radius; k <= radius; k++) total += kernel[k + radius] = exp(-0.5 * k * k / (sigma * sigma));
    for (int k = 0; k <= 2 * radius; k++) kernel[k] /= total;
    for (int y = 0; y < height; y++) blur_line(plane + (size_t)y * (size_t)width, width, 1, kernel, radius, line);
    for (int x = 0; x < width; x++) blur_line(plane + x, height, (size_t)width, kernel, radius, line);
    free(kernel), free(line);
    return 0;
}

/* The four weights for a sample that lies t in [0, 1) after the second of four neighbours. */
static void cubic(double t, double w[4])
{
    w[0] = t * (-0.5 + t * (1 - 0.5 * t));
    w[1] = 1 + t * t * (1.5 * t - 2.5);
    w[2] = t * (0.5 + t * (2 - 1.5 * t));
    w[3] = t * t * (0.5 * t - 0.5);
}

/* What one of the elements on a longer line takes from the line it came from: four elements and their weights. */
struct tap {
    int at[4];
    double w[4];
};

/* Taps of the m elements that n become. The caller frees them; NULL when there is no memory. */
static struct tap *stretch(int n, int m)
{
    struct tap *taps = calloc((size_t)m, sizeof *taps);
    for (int i = 0; taps && i < m; i++) {
        double at = (i + 0.5) * n / m - 0.5, base = floor(at);
        cubic(at - base, taps[i].w);
        for (int k = 0; k < 4; k++) {
            int j = xfv_to_int(base, -1, n) - 1 + k;
            taps[i].at[k] = j < 0 ? 0 : j >= n ? n - 1 : j;
        }
    }
    return taps;
}

/* m rows of `length` elements from those of src, row i as taps[i] says. */
static void stretch_rows(const float *src, size_t length, const struct tap *taps, int m, float *dst)
{
    for (int i = 0; i < m; i++, dst += length) {
        const struct tap *t = &taps[i];
        const float *row[4];
        for (int k = 0; k < 4; k++) row[k] = src + (size_t)t->at[k] * length;
        for (size_t x = 0; x < length; x++) {
            double sum = 0;
            for (int k = 0; k < 4; k++) sum += t->w[k] * (double)row[k][x];
            dst[x] = (float)sum;
        }
    }
}

/* Along a row: m elements from those of src. */
static void stretch_row(const float *src, const struct tap *taps, int m, float *dst)
{
    for (int i = 0; i < m; i++) {
        double sum = 0;
        for (int k = 0; k < 4; k++) sum += taps[i].w[k] * (double)src[taps[i].at[k]];
        dst[i] = (float)sum;
    }
}

int xfv_enlarge(const float *src, int width, int height, float *dst, int out_width, int out_height, struct xfv_err *e)
{
    if (width < 1 || height < 1 || out_width < 1 || out_height < 1)
        return xfv_fail(e, XFV_EARG, "cannot resample %dx%d to %dx%d: a side is below 1", width, height, out_width,
                        out_height);
    if (width == out_width && height == out_height) {
        memcpy(dst, src, (size_t)width * (size_t)height * sizeof *dst);
        return 0;
    }
    float *wide = malloc((size_t)out_width * (size_t)height * sizeof *wide);
    struct tap *across = stretch(width, out_width), *down = stretch(height, out_height);
    int status = 0;
    if (wide && across && down) {
        for (size_t y = 0; y < (size_t)height; y++)
            stretch_row(src + y * (size_t)width, across, out_width, wide + y * (size_t)out_width);
        stretch_rows(wide, (size_t)out_width, down, out_height, dst);
    } else {
        status = xfv_fail(e, XFV_ENOMEM, "no memory to enlarge a picture to %dx%d", out_width, out_height);
    }
    free(wide), free(across), free(down);
    return status;
}
