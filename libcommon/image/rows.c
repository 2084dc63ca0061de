#include "image/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "image/internal.h"

enum {
    GREY = 128,               /* behind what is transparent */
    BIG = 16 << 20,           /* pixels; a smaller image is cheap, whatever it holds */
    MAX_SIDE = 1 << 18,
    PIXELS_A_BYTE = 500       /* of a big image; a photograph has less than 10, a blank page in a PNG 350 */
};

/* ---- limits ---- */

int xfv_shrink_of(long width, long height, const struct xfv_decode_opts *o)
{
    int k = 1;
    while (o->full_pixels && k < 1024 && (double)width * (double)height > (double)o->full_pixels * k * k) k *= 2;
    return k;
}

int xfv_check_cost(long width, long height, size_t file_bytes, double own, const struct xfv_decode_opts *o,
                   struct xfv_err *e)
{
    int status = xfv_check_size(width, height, o, e);
    if (status) return status;
    double pixels = (double)width * (double)height, k = xfv_shrink_of(width, height, o),
           need = pixels * (own + 3 / (k * k));
    if (width > MAX_SIDE || height > MAX_SIDE || (pixels > BIG && pixels > (double)file_bytes * PIXELS_A_BYTE))
        return xfv_fail_code(e, XFV_ELIMIT, "limit",
                             "an image of %ld x %ld pixels in %zu bytes: no photograph, so it is not decoded", width,
                             height, file_bytes);
    if (o->max_bytes && need > (double)o->max_bytes)
        return xfv_fail_code(e, XFV_ELIMIT, "limit",
                             "an image of %ld x %ld pixels may take %.0f MiB to decode, more than the %zu MiB for one "
                             "photograph: make it smaller, "
                             "or allow twice as much by --max-memory",
                             width, height, need / (1 << 20), o->max_bytes >> 20);
    return 0;
}

/* ---- rows ---- */

int xfv_rows_open(struct xfv_rows *r, int width, int height, enum xfv_pixel kind, int shrink, struct xfv_err *e)
{
    *r = (struct xfv_rows){.kind = kind, .width = width, .height = height, .shrink = shrink};
    int status = xfv_image_alloc(&r->im, (width - 1) / shrink + 1, (height - 1) / shrink + 1, 3, e);
    if (status) return status;
    r->im.scale = shrink;
    r->rgb = malloc((size_t)width * 4);
    if (shrink > 1) r->sums = calloc((size_t)r->im.width * 3, sizeof *r->sums);
    return r->rgb && (shrink == 1 || r->sums) ? 0
                                              : xfv_fail(e, XFV_ENOMEM, "out of memory for a row of %d pixels", width);
}

void xfv_rows_profile(struct xfv_rows *r, const void *icc, size_t n)
{
    if (icc && n && !r->profile) r->profile = xfv_profile_open(icc, n, r->kind);
}

void xfv_rows_close(struct xfv_rows *r)
{
    xfv_profile_close(r->profile);
    free(r->rgb);
    free(r->sums);
    r->profile = NULL;
    r->rgb = NULL;
    r->sums = NULL;
}

/* Over grey, from RGBA to RGB; in place is fine. */
static void blend(struct xfv_rows *r, const uint8_t *s, uint8_t *t)
{
    for (int x = 0; x < r->width; x++, s += 4, t += 3) {
        unsigned a = s[3];
        r->im.transparent |= a < 255;
        for (int c = 0; c < 3; c++) {
            unsigned v = s[c] * (r->is_premultiplied ? 255 : a) + GREY * (255 - a) + 127;
            t[c] = (uint8_t)(v < 255 * 255 + 127 ? v / 255 : 255);
        }
    }
}

/* Any kind to RGB, or RGBA where it has alpha, without a profile. */
static void spread(enum xfv_pixel kind, const uint8_t *s, uint8_t *t, int n)
{
    if (kind == XFV_RGB || kind == XFV_RGBA) memcpy(t, s, (size_t)n * (size_t)kind);
    for (int x = 0; x < n && kind == XFV_GREY; x++) t[3 * x] = t[3 * x + 1] = t[3 * x + 2] = s[x];
    for (int x = 0; x < n && kind == XFV_GREY_ALPHA; x++, s += 2, t += 4) t[0] = t[1] = t[2] = s[0], t[3] = s[1];
    for (int x = 0; x < n && kind == XFV_CMYK; x++, s += 4, t += 3)
        for (int c = 0; c < 3; c++) t[c] = (uint8_t)(((255 - s[c]) * (255 - s[3]) + 127) / 255);
}

/* shrink x shrink pixels are one: its mean. */
static void add_sums(struct xfv_rows *r, const uint8_t *s)
{
    int rows = r->y % r->shrink + 1, last = rows == r->shrink || r->y + 1 == r->height;
    for (int x = 0; x < r->width; x++)
        for (int c = 0; c < 3; c++) r->sums[x / r->shrink * 3 + c] += s[3 * x + c];
    if (!last) return;
    uint8_t *t = r->im.data + (size_t)(r->y / r->shrink) * (size_t)r->im.width * 3;
    for (int x = 0; x < r->im.width; x++) {
        int left = r->width - x * r->shrink, columns = left < r->shrink ? left : r->shrink;
        uint32_t n = (uint32_t)(columns * rows);
        for (int c = 0; c < 3; c++) t[3 * x + c] = (uint8_t)((r->sums[3 * x + c] + n / 2) / n);
    }
    memset(r->sums, 0, (size_t)r->im.width * 3 * sizeof *r->sums);
}

int xfv_rows_put(struct xfv_rows *r, const uint8_t *row, struct xfv_err *e)
{
    int status = xfv_deadline_check(e);
    if (status) return status;
    if (r->y >= r->height) return xfv_fail(e, XFV_EDATA, "an image with more rows than it says");
    uint8_t *to = r->shrink == 1 ? r->im.data + (size_t)r->y * (size_t)r->im.width * 3 : r->rgb;
    int has_alpha = r->kind == XFV_GREY_ALPHA || r->kind == XFV_RGBA;
    uint8_t *colours = has_alpha ? r->rgb : to;
    if (r->profile) xfv_profile_convert(r->profile, row, colours, (size_t)r->width);
    else spread(r->kind, row, colours, r->width);
    if (has_alpha) blend(r, r->rgb, to);
    if (r->shrink > 1) add_sums(r, to);
    r->y++;
    return 0;
}

int xfv_rows_from(const uint8_t *pixels, size_t stride, int width, int height, enum xfv_pixel kind,
                  int is_premultiplied, int shrink, const void *icc, size_t n_icc, struct xfv_image *out,
                  struct xfv_err *e)
{
    struct xfv_rows r;
    int status = xfv_rows_open(&r, width, height, kind, shrink, e);
    r.is_premultiplied = is_premultiplied;
    if (!status) xfv_rows_profile(&r, icc, n_icc);
    for (int y = 0; y < height && !status; y++) status = xfv_rows_put(&r, pixels + (size_t)y * stride, e);
    xfv_rows_close(&r);
    if (status) xfv_image_clear(&r.im);
    else *out = r.im;
    return status;
}
