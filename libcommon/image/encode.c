/* PNG and PPM/PGM in memory. The same image gives the same bytes: no dates, no texts, fixed compression. */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "image/image.h"
#include "stream/tensor.h"

struct sink {
    uint8_t *p;
    size_t n, cap;
    char text[128];
};

static void on_error(png_structp png, png_const_charp text)
{
    struct sink *s = png_get_error_ptr(png);
    snprintf(s->text, sizeof s->text, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static void on_write(png_structp png, png_bytep from, size_t n)
{
    struct sink *s = png_get_io_ptr(png);
    if (n > s->cap - s->n) {
        size_t cap = s->cap ? s->cap : 65536;
        while (cap - s->n < n) {
            if (cap > SIZE_MAX / 2) png_error(png, "out of memory");
            cap *= 2;
        }
        uint8_t *p = xfv_wipe_realloc(s->p, cap);
        if (!p) png_error(png, "out of memory");
        s->p = p;
        s->cap = cap;
    }
    memcpy(s->p + s->n, from, n);
    s->n += n;
}

static void on_flush(png_structp png)
{
    (void)png;
}

/* Colours of an indexed image: none, then im is grey or RGB. */
struct palette {
    int n;
    png_color rgb[256];
    png_byte opacity[256];
};

static int write_png(png_structp png, png_infop info, struct sink *s, const struct xfv_image *im,
                     const struct palette *p, struct xfv_err *e)
{
    if (setjmp(png_jmpbuf(png))) return xfv_fail(e, XFV_ENOMEM, "cannot encode a PNG image: %s", s->text);
    png_set_write_fn(png, s, on_write, on_flush);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    int type = p ? PNG_COLOR_TYPE_PALETTE : im->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY;
    png_set_IHDR(png, info, (png_uint_32)im->width, (png_uint_32)im->height, 8, type, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (p) png_set_PLTE(png, info, p->rgb, p->n);
    if (p) png_set_tRNS(png, info, p->opacity, p->n, NULL);
    png_set_compression_level(png, 6);
    png_write_info(png, info);
    for (int y = 0; y < im->height; y++)
        png_write_row(png, im->data + (size_t)y * (size_t)im->width * (size_t)im->channels);
    png_write_end(png, info);
    return 0;
}

static int check_channels(const struct xfv_image *im, struct xfv_err *e)
{
    if (im->channels == 1 || im->channels == 3) return 0;
    return xfv_fail(e, XFV_EARG, "an image of %d channels cannot be written; 1 (grey) and 3 (RGB) can", im->channels);
}

static int encode_png(const struct xfv_image *im, const struct palette *p, uint8_t **out, size_t *n, struct xfv_err *e)
{
    struct sink s = {0};
    int status;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    status = info ? write_png(png, info, &s, im, p, e)
                  : xfv_fail(e, XFV_ENOMEM, "out of memory for encoding a PNG image");
    png_destroy_write_struct(&png, &info);
    if (status) {
        free(s.p);
        return status;
    }
    *out = s.p;
    *n = s.n;
    return 0;
}

int xfv_image_encode_png(const struct xfv_image *im, uint8_t **out, size_t *n, struct xfv_err *e)
{
    int status = check_channels(im, e);
    return status ? status : encode_png(im, NULL, out, n, e);
}

int xfv_image_encode_png_indexed(const uint8_t *index, int width, int height, const uint8_t (*rgba)[4], int colours,
                                 uint8_t **out, size_t *n, struct xfv_err *e)
{
    /* only read */
    const struct xfv_image im = {.width = width, .height = height, .channels = 1, .data = (uint8_t *)(uintptr_t)index};
    struct palette p = {.n = colours};
    if (colours < 1 || colours > 256) return xfv_fail(e, XFV_EARG, "a palette of %d colours; 1 to 256 can be", colours);
    for (int i = 0; i < colours; i++) {
        p.rgb[i] = (png_color){.red = rgba[i][0], .green = rgba[i][1], .blue = rgba[i][2]};
        p.opacity[i] = rgba[i][3];
    }
    return encode_png(&im, &p, out, n, e);
}

int xfv_image_encode_ppm(const struct xfv_image *im, uint8_t **out, size_t *n, struct xfv_err *e)
{
    char head[64];
    int status = check_channels(im, e);
    if (status) return status;
    size_t h = (size_t)snprintf(head, sizeof head, "P%c\n%d %d\n255\n", im->channels == 3 ? '6' : '5', im->width,
                                im->height);
    size_t raster = (size_t)im->width * (size_t)im->height * (size_t)im->channels;
    uint8_t *p = malloc(h + raster);
    if (!p)
        return xfv_fail(e, XFV_ENOMEM, "out of memory for encoding an image of %d x %d pixels", im->width, im->height);
    memcpy(p, head, h);
    memcpy(p + h, im->data, raster);
    *out = p;
    *n = h + raster;
    return 0;
}
