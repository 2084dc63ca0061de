#include "image/warp.h"

#include <math.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

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

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2")))

/* The pixel at s, and the next one's first colour. */
AVX2 static inline __m256d load_avx2(const uint8_t *s)
{
    int b;
    memcpy(&b, s, sizeof b);
    return _mm256_cvtepi32_pd(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(b)));
}

/* sample_inside, three colours at a time, where a third pixel follows in the row. */
AVX2 static inline void sample_avx2(const struct xfv_image *im, double x, double y, uint8_t *out)
{
    int x0 = _mm_cvttsd_si32(_mm_set_sd(x)), y0 = _mm_cvttsd_si32(_mm_set_sd(y));
    double fx = x - x0, fy = y - y0;
    const uint8_t *s = im->data + ((size_t)y0 * (size_t)im->width + (size_t)x0) * 3, *t = s + (size_t)im->width * 3;
    __m256d v = _mm256_set1_pd((1 - fx) * (1 - fy)) * load_avx2(s);
    v = v + _mm256_set1_pd(fx * (1 - fy)) * load_avx2(s + 3);
    v = v + _mm256_set1_pd((1 - fx) * fy) * load_avx2(t);
    v = v + _mm256_set1_pd(fx * fy) * load_avx2(t + 3) + _mm256_set1_pd(0.5);
    __m128i i = _mm256_cvttpd_epi32(v);
    int b = _mm_cvtsi128_si32(_mm_packus_epi16(_mm_packus_epi32(i, i), i));
    memcpy(out, &b, 3);
}
#endif

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

/* A row of the result; v: from there to the image; inside needs `margin` more pixels right of (x, y). */
#define WARP_ROW(name, inside, margin) \
    static void name(const struct xfv_image *im, const double v[6], int y, int width, uint8_t *t) \
    { \
        size_t c = (size_t)im->channels; \
        double right = c == 3 ? im->width - (margin) : 0, bottom = im->height - 1; \
        for (int x = 0; x < width; x++, t += c) { \
            double sx = v[0] * x + v[1] * y + v[2], sy = v[3] * x + v[4] * y + v[5]; \
            if (sx >= 0 && sy >= 0 && sx < right && sy < bottom) inside(im, sx, sy, t); \
            else if (sx > -1 && sy > -1 && sx < im->width && sy < im->height) sample(im, sx, sy, t); \
            else memset(t, 0, c); \
        } \
    }
WARP_ROW(row_plain, sample_inside, 1)
#ifdef __x86_64__
AVX2 WARP_ROW(row_avx2, sample_avx2, 2)
#endif

static void warp_row(const struct xfv_image *im, const double v[6], int y, int width, uint8_t *t)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        row_avx2(im, v, y, width, t);
        return;
    }
#endif
    row_plain(im, v, y, width, t);
}

int xfv_warp(const struct xfv_image *im, const double m[6], int width, int height, uint8_t *out, struct xfv_err *e)
{
    double v[6];
    int status = xfv_affine_invert(m, v, e);
    if (status) return status;
    size_t row = (size_t)width * (size_t)im->channels;
    for (int y = 0; y < height; y++) warp_row(im, v, y, width, out + (size_t)y * row);
    return 0;
}
