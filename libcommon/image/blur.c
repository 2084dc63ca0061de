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

/* One line of n elements to m. src_step, dst_step: distance between neighbours. */
static void stretch_line(const float *src, int n, size_t src_step, float *dst, int m, size_t dst_step)
{
    for (int i = 0; i < m; i++) {
        double at = (i + 0.5) * n / m - 0.5, base = floor(at), w[4], sum = 0;
        cubic(at - base, w);
        for (int k = 0; k < 4; k++) {
            int j = xfv_to_int(base, -1, n) - 1 + k;
            j = j < 0 ? 0 : j >= n ? n - 1 : j;
            sum += w[k] * (double)src[(size_t)j * src_step];
        }
        dst[(size_t)i * dst_step] = (float)sum;
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
    if (!wide) return xfv_fail(e, XFV_ENOMEM, "no memory to enlarge a picture to %dx%d", out_width, out_height);
    for (int y = 0; y < height; y++)
        stretch_line(src + (size_t)y * (size_t)width, width, 1, wide + (size_t)y * (size_t)out_width, out_width, 1);
    for (int x = 0; x < out_width; x++)
        stretch_line(wide + x, height, (size_t)out_width, dst + x, out_height, (size_t)out_width);
    free(wide);
    return 0;
}
