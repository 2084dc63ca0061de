#include "measure/plant.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"
#include "image/blur.h"
#include "measure/parts.h"

static uint8_t to_byte(double v)
{
    return xfv_to_byte(v + 0.5);
}

/* Mean of a colour within the mask. */
static double mean_in(const uint8_t *rgb, const uint8_t *mask, size_t pixels, size_t c)
{
    double sum = 0, n = 0;
    for (size_t p = 0; p < pixels; p++)
        if (mask[p]) sum += rgb[3 * p + c], n++;
    return n > 0 ? sum / n : 0;
}

int xfv_plant_region(uint8_t *rgb, const uint8_t *donor, int height, int width, int region, int match, uint8_t *mask,
                     struct xfv_err *e)
{
    size_t pixels = (size_t)height * (size_t)width;
    float *alpha = malloc(pixels * sizeof *alpha);
    double shift[3] = {0};
    if (!alpha) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    xfv_part_mask(region, height, width, mask);
    for (size_t p = 0; p < pixels; p++) alpha[p] = mask[p];
    int status = xfv_blur(alpha, width, height, height / 112.0, e);
    for (size_t c = 0; c < 3 && match; c++) shift[c] = mean_in(rgb, mask, pixels, c) - mean_in(donor, mask, pixels, c);
    for (size_t i = 0; i < 3 * pixels && !status; i++) {
        double a = (double)alpha[i / 3];
        if (a > 0) rgb[i] = to_byte((1 - a) * rgb[i] + a * (donor[i] + shift[i % 3]));
    }
    free(alpha);
    return status;
}

static void fill(uint8_t *rgb, const uint8_t *mask, size_t pixels, const uint8_t colour[3])
{
    for (size_t p = 0; p < pixels; p++)
        if (mask[p]) memcpy(rgb + 3 * p, colour, 3);
}

void xfv_plant_occluder(uint8_t *rgb, int height, int width, int region, struct xfv_random *r, uint8_t *mask)
{
    uint8_t colour[3];
    for (int c = 0; c < 3; c++) colour[c] = (uint8_t)xfv_random_below(r, 256);
    xfv_part_mask(region, height, width, mask);
    fill(rgb, mask, (size_t)height * (size_t)width, colour);
}

/* Is (x, y) of the 112x112 template within this ellipse? */
static int within(double x, double y, double cx, double cy, double rx, double ry)
{
    return ((x - cx) / rx) * ((x - cx) / rx) + ((y - cy) / ry) * ((y - cy) / ry) <= 1;
}

void xfv_plant_sunglasses(uint8_t *rgb, int height, int width, uint8_t *mask)
{
    static const uint8_t dark[3] = {22, 20, 24};
    for (int i = 0; i < height; i++)
        for (int j = 0; j < width; j++) {
            double x = (j + 0.5) * 112 / width - 0.5, y = (i + 0.5) * 112 / height - 0.5;
            int bridge = y >= 47 && y <= 51 && x >= 10 && x <= 102;
            mask[(size_t)i * (size_t)width + (size_t)j] = (uint8_t)(bridge || within(x, y, 37, 53, 17, 12) ||
                                                                    within(x, y, 75, 53, 17, 12));
        }
    fill(rgb, mask, (size_t)height * (size_t)width, dark);
}

void xfv_plant_mask(uint8_t *rgb, int height, int width, uint8_t *mask)
{
    for (int i = 0; i < height; i++)
        for (int j = 0; j < width; j++) {
            double x = (j + 0.5) * 112 / width - 0.5, y = (i + 0.5) * 112 / height - 0.5;
            size_t p = (size_t)i * (size_t)width + (size_t)j;
            mask[p] = (uint8_t)(y >= 68 + fabs(x - 56) * 0.15 && within(x, y, 56, 82, 42, 34));
            double fold = fmod(y, 9) < 1.2 ? -18 : 0, shade = -0.6 * fabs(x - 56);
            for (size_t c = 0; c < 3 && mask[p]; c++)
                rgb[3 * p + c] = to_byte((c == 0 ? 160 : c == 1 ? 198 : 222) + fold + shade);
        }
}

void xfv_plant_patches(uint8_t *rgb, const uint8_t *donor, int height, int width, int n, int side, struct xfv_random *r,
                       uint8_t *mask)
{
    memset(mask, 0, (size_t)height * (size_t)width);
    if (side > height) side = height;
    if (side > width) side = width;
    for (int k = 0; k < n; k++) {
        int top = (int)xfv_random_below(r, (uint32_t)(height - side + 1)),
            left = (int)xfv_random_below(r, (uint32_t)(width - side + 1));
        for (int y = top; y < top + side; y++) {
            size_t at = (size_t)y * (size_t)width + (size_t)left;
            memset(mask + at, 1, (size_t)side);
            memcpy(rgb + 3 * at, donor + 3 * at, 3 * (size_t)side);
        }
    }
}

void xfv_plant_noise(uint8_t *rgb, int height, int width, double sigma, struct xfv_random *r)
{
    for (size_t i = 0; i < 3 * (size_t)height * (size_t)width; i++)
        rgb[i] = to_byte(rgb[i] + sigma * xfv_random_normal(r));
}
