/* Resampling against values worked out by hand, and warping against a plain transcription of its definition. */
#include "../tap.h"
#include "image/resize.h"
#include "image/warp.h"

static struct xfv_image image_of(int w, int h, int c, const uint8_t *v)
{
    struct xfv_image im;
    struct xfv_err e;
    xfv_image_alloc(&im, w, h, c, &e);
    memcpy(im.data, v, (size_t)w * (size_t)h * (size_t)c);
    return im;
}

static int close_to(const float *a, const double *b, int n)
{
    for (int i = 0; i < n; i++)
        if (fabs(a[i] - b[i]) > 1e-4) {
            printf("# element %d: %g, wanted %g\n", i, a[i], b[i]);
            return 0;
        }
    return 1;
}

/* rectangle (x, y, sw, sh) of im to dw x dh floats */
static void resample(const struct xfv_image *im, int x, int y, int sw, int sh, int dw, int dh, float *out)
{
    struct xfv_err e;
    struct xfv_resampler *r = xfv_resampler_new(sw, sh, dw, dh, &e);
    float *work = malloc(xfv_resample_work(r, im->channels) * sizeof *work);
    size_t c = (size_t)im->channels;
    struct xfv_float_sink to = {.out = out, .pixel = (ptrdiff_t)c, .row = (ptrdiff_t)c * dw, .std = {1, 1, 1}};
    xfv_resample(r, im, x, y, (struct xfv_rect){0, 0, dw, dh}, &to, work);
    free(work);
    xfv_resampler_free(r);
}

static void by_hand(void)
{
    float got[64];
    struct xfv_image im = image_of(5, 1, 1, (const uint8_t[]){10, 20, 30, 40, 50});
    resample(&im, 0, 0, 5, 1, 2, 1, got); /* each covers 2.5 pixels */
    OK(close_to(got, (double[]){(10 + 20 + 15) / 2.5, (15 + 40 + 50) / 2.5}, 2), "area, 5 to 2: halves of the middle "
                                                                                 "pixel");
    resample(&im, 0, 0, 5, 1, 3, 1, got);
    OK(close_to(got,
                (double[]){(10 + 20 * 2 / 3.) / (5 / 3.), (20 / 3. + 30 + 40 / 3.) / (5 / 3.),
                           (40 * 2 / 3. + 50) / (5 / 3.)},
                3),
       "area, 5 to 3");
    resample(&im, 0, 0, 5, 1, 5, 1, got);
    OK(close_to(got, (double[]){10, 20, 30, 40, 50}, 5), "the same size changes nothing");
    resample(&im, 0, 0, 5, 1, 10, 1, got); /* pixel centres at (i + .5) / 2 - .5 = -.25, .25, .75, ... */
    OK(close_to(got, (double[]){10, 12.5, 17.5, 22.5, 27.5, 32.5, 37.5, 42.5, 47.5, 50}, 10),
       "bilinear, doubled: half-pixel centres, edges repeated");
    resample(&im, 0, 0, 5, 1, 1, 4, got);
    OK(close_to(got, (double[]){30, 30, 30, 30}, 4), "one axis shrinks while the other grows");
    resample(&im, -2, -1, 4, 2, 2, 1, got); /* rows: one outside, one inside; columns -2 -1 | 0 1 */
    OK(close_to(got, (double[]){0, 7.5}, 2), "zero outside the image");
    resample(&im, 4, 0, 4, 1, 4, 1, got);
    OK(close_to(got, (double[]){50, 0, 0, 0}, 4), "zero right of the image");
    resample(&im, 40, 70, 4, 3, 2, 2, got);
    OK(close_to(got, (double[]){0, 0, 0, 0}, 4), "a rectangle wholly outside is zero");
    xfv_image_clear(&im);
    im = image_of(2, 2, 3, (const uint8_t[]){0, 100, 200, 10, 110, 210, 20, 120, 220, 30, 130, 230});
    resample(&im, 0, 0, 2, 2, 1, 1, got);
    OK(close_to(got, (double[]){15, 115, 215}, 3), "colours stay apart");
    xfv_image_clear(&im);
    struct xfv_err e = {0};
    OK(!xfv_resampler_new(4, 0, 2, 2, &e) && e.status == XFV_EARG, "a size of zero is refused");
}

static struct xfv_image noise(int w, int h)
{
    struct xfv_image im;
    struct xfv_err e;
    unsigned s = 12345;
    xfv_image_alloc(&im, w, h, 3, &e);
    for (int i = 0; i < w * h * 3; i++) im.data[i] = (uint8_t)((s = s * 1103515245 + 12345) >> 16);
    return im;
}

static void tiles(void)
{
    struct xfv_image im = noise(97, 61);
    struct xfv_err e;
    struct xfv_resampler *r = xfv_resampler_new(97, 61, 40, 23, &e);
    float *work = malloc(xfv_resample_work(r, 3) * sizeof *work), *whole = malloc(40 * 23 * 3 * 4),
          *parts = malloc(40 * 23 * 3 * 4);
    /* Whole, row-major; by tiles, transposed and normalised. */
    struct xfv_float_sink a = {.out = whole, .pixel = 3, .row = 120, .std = {1, 1, 1}};
    xfv_resample(r, &im, 0, 0, (struct xfv_rect){0, 0, 40, 23}, &a, work);
    for (int y = 0; y < 23; y += 7) {
        for (int x = 0; x < 40; x += 11) {
            struct xfv_rect t = {x, y, 40 - x < 11 ? 40 - x : 11, 23 - y < 7 ? 23 - y : 7};
            struct xfv_float_sink b = {
                .out = parts + x * 69 + y * 3, .pixel = 69, .row = 3, .mean = {1, 2, 3}, .std = {2, 4, 8}};
            xfv_resample(r, &im, 0, 0, t, &b, work);
        }
    }
    int same = 1;
    for (int y = 0; y < 23; y++)
        for (int x = 0; x < 40; x++)
            for (int c = 0; c < 3; c++)
                if (parts[x * 69 + y * 3 + c] != (whole[(y * 40 + x) * 3 + c] - (float)(c + 1)) / (float)(2 << c))
                    same = 0;
    OK(same, "tiles, transposed and normalised, hold the numbers of the whole");
    free(work), free(whole), free(parts);
    xfv_resampler_free(r);
    struct xfv_image out;
    OK(xfv_image_resize(&im, 1, 1, &out, &e) == 0, "a whole image to one pixel");
    double sum = 0;
    for (int i = 0; i < 97 * 61; i++) sum += im.data[3 * i];
    OK(fabs(out.data[0] - sum / (97 * 61)) <= 0.51, "is its mean, rounded");
    xfv_image_clear(&out);
    xfv_image_clear(&im);
}

/* Covered area of source pixel k in destination pixel i, over all of it. */
static double share(int src, int dst, int i, int k)
{
    double s = (double)src / dst, lo = fmax(i * s, k), hi = fmin((i + 1) * s, k + 1);
    return hi > lo ? (hi - lo) / s : 0;
}

/* Every width up to two blocks of vectors and their rests, shrunk by little and by much. */
static void widths(void)
{
    int bad = 0;
    float got[3 * 26 * 3];
    for (int w = 1; w <= 26; w++) {
        struct xfv_image im = noise(w, 9);
        for (int dw = 1; dw <= w; dw += dw < 4 ? 1 : 5) {
            resample(&im, 0, 0, w, 9, dw, 3, got);
            for (int i = 0; i < 9 * dw; i++) {
                int x = i / 3 % dw, y = i / 3 / dw;
                double sum = 0;
                for (int k = 0; k < 9 * w; k++)
                    sum += share(w, dw, x, k % w) * share(9, 3, y, k / w) * im.data[3 * k + i % 3];
                bad += fabs(got[i] - sum) > 1e-4;
            }
        }
        xfv_image_clear(&im);
    }
    OK(bad == 0, "rows of 1 to 26 pixels are the means of what their pixels cover (%d are not)", bad);
}

static void warps(void)
{
    struct xfv_image im = noise(30, 20);
    struct xfv_err e = {0};
    uint8_t out[16 * 12 * 3];
    const double shift[6] = {1, 0, -3, 0, 1, -4};
    int same = xfv_warp(&im, shift, 16, 12, out, &e) == 0;
    for (int y = 0; y < 12; y++) same = same && memcmp(out + y * 48, im.data + ((y + 4) * 30 + 3) * 3, 48) == 0;
    OK(same, "a whole shift copies");

    const double half[6] = {1, 0, 0.5, 0, 1, 0}; /* destination x is source x - 0.5 */
    xfv_warp(&im, half, 16, 12, out, &e);
    OK(out[0] == (im.data[0] + 1) / 2 && out[3] == (im.data[0] + im.data[3] + 1) / 2, "half a pixel: means, and half "
                                                                                      "of zero at the edge");

    const double turn[6] = {0.6, -0.8, 9.25, 0.8, 0.6, -4.5};
    double v[6], worst = 0;
    xfv_affine_invert(turn, v, &e);
    xfv_warp(&im, turn, 16, 12, out, &e);
    for (int i = 0; i < 16 * 12; i++) {
        double x, y, sum = 0;
        xfv_affine_apply(v, i % 16, i / 16, &x, &y);
        for (int sy = 0; sy < 20; sy++) /* tent functions over every pixel of the source */
            for (int sx = 0; sx < 30; sx++)
                sum += fmax(0, 1 - fabs(x - sx)) * fmax(0, 1 - fabs(y - sy)) * im.data[(sy * 30 + sx) * 3 + 1];
        worst = fmax(worst, fabs(sum - out[i * 3 + 1]));
    }
    OK(worst <= 0.5 + 1e-9, "a rotation is the sum of tents, rounded (%.3f)", worst);

    double id[2];
    xfv_affine_apply(turn, 3, 7, &id[0], &id[1]);
    xfv_affine_apply(v, id[0], id[1], &id[0], &id[1]);
    OK(fabs(id[0] - 3) < 1e-12 && fabs(id[1] - 7) < 1e-12, "the inverse undoes");
    const double flat[6] = {1, 2, 0, 2, 4, 0}, nan[6] = {NAN, 0, 0, 0, 1, 0}, huge[6] = {1e-9, 0, 1e300, 0, 1e-9, 0};
    OK(xfv_warp(&im, flat, 4, 4, out, &e) == XFV_EARG && strstr(e.msg, "cannot be inverted"), "a singular map is "
                                                                                              "refused");
    OK(xfv_warp(&im, nan, 4, 4, out, &e) == XFV_EARG, "so is one that is not a number");
    OK(xfv_warp(&im, huge, 4, 4, out, &e) == 0 && out[0] == 0, "far outside is zero");
    xfv_image_clear(&im);
}

int main(void)
{
    by_hand();
    tiles();
    widths();
    warps();
    return tap_done();
}
