/* PNG through libpng. */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/internal.h"
#include "base/deadline.h"
#include "base/wipe.h"
#include "stream/tensor.h"

struct decoder {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t n, at;
    const struct xfv_decode_opts *opts;
    struct xfv_image im; /* 3 or, before compositing, 4 channels */
    png_bytep *rows;     /* only for interlaced images */
    int orientation;
    size_t raster_end;   /* where the last chunk of pixels ends, its checksum included */
    int all_rows;
    char text[128];
};

static void on_error(png_structp png, png_const_charp text)
{
    struct decoder *d = png_get_error_ptr(png);
    snprintf(d->text, sizeof d->text, "%s", text);
    png_longjmp(png, 1);
}

/* libpng drops a chunk with a wrong checksum and goes on. Without these two, nobody knows which way up, or what is transparent. */
static void on_warning(png_structp png, png_const_charp text)
{
    if (!strncmp(text, "eXIf: CRC", 9) || !strncmp(text, "tRNS: CRC", 9)) on_error(png, text);
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    struct decoder *d = png_get_io_ptr(png);
    if (n > d->n - d->at) png_error(png, "the file ends too early");
    memcpy(to, d->bytes + d->at, n);
    d->at += n;
}

/* 0: the file ends in the middle of its pixels. */
static size_t find_raster_end(const uint8_t *bytes, size_t n)
{
    size_t end = 0;
    for (size_t at = 8; n - at >= 12;) {
        size_t length = png_get_uint_32(bytes + at);
        if (length > n - at - 12) return memcmp(bytes + at + 4, "IDAT", 4) ? end : 0;
        if (!memcmp(bytes + at + 4, "IDAT", 4)) end = at + 12 + length;
        at += 12 + length;
    }
    return end;
}

static int orientation_of(struct decoder *d)
{
    png_uint_32 n = 0;
    png_bytep exif = NULL;
    if (!png_get_eXIf_1(d->png, d->info, &n, &exif) || !exif || n > 0xfff0) return 1;
    uint8_t *block = malloc((size_t)n + 6); /* a PNG chunk lacks the six bytes that a JPEG marker starts with */
    if (!block) return 1;
    memcpy(block, "Exif\0\0", 6);
    memcpy(block + 6, exif, n);
    int o = xfv_exif_orientation(block, (size_t)n + 6);
    free(block);
    return o;
}

/* Ask for 8-bit RGB, or RGBA when the image has an alpha channel or transparent colours. Returns the number of channels. */
static int set_transforms(struct decoder *d)
{
    int type = png_get_color_type(d->png, d->info);
    int trns = png_get_valid(d->png, d->info, PNG_INFO_tRNS) != 0;
    png_set_expand(d->png);
    png_set_scale_16(d->png); /* rounds; png_set_strip_16 would cut */
    if (!(type & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(d->png);
    return (type & PNG_COLOR_MASK_ALPHA) || trns ? 4 : 3;
}

/* RGBA over black, packed down to RGB in place. */
static void composite(struct xfv_image *im)
{
    size_t n = (size_t)im->width * (size_t)im->height;
    const uint8_t *s = im->data;
    uint8_t *t = im->data;
    for (size_t i = 0; i < n; i++, s += 4, t += 3) {
        unsigned a = s[3];
        for (int c = 0; c < 3; c++) t[c] = (uint8_t)((s[c] * a + 127) / 255);
    }
    uint8_t *smaller = xfv_wipe_realloc(im->data, n * 3);
    if (smaller) im->data = smaller;
    im->channels = 3;
}

/* All that may jump; state lives in *d. */
static int decode(struct decoder *d, struct xfv_err *e)
{
    png_set_read_fn(d->png, d, on_read);
    png_set_user_limits(d->png, 0x7fffffff, 0x7fffffff); /* ours counts pixels */
    png_read_info(d->png, d->info);
    png_uint_32 w = png_get_image_width(d->png, d->info), h = png_get_image_height(d->png, d->info);
    int status = xfv_check_size((long)w, (long)h, d->opts, e);
    if (status) return status;
    int channels = set_transforms(d), passes = png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    size_t row = (size_t)w * (size_t)channels;
    if (png_get_rowbytes(d->png, d->info) != row) return xfv_fail(e, XFV_EDATA, "corrupt PNG image: rows of an unexpected length");
    status = xfv_image_alloc(&d->im, (int)w, (int)h, channels, e);
    if (status) return status;
    if (passes > 1) {
        d->rows = malloc(h * sizeof *d->rows);
        if (!d->rows) return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a PNG image");
        for (png_uint_32 y = 0; y < h; y++) d->rows[y] = d->im.data + row * y;
        png_read_image(d->png, d->rows);
    } else {
        for (png_uint_32 y = 0; y < h && !(status = xfv_deadline_check(e)); y++) png_read_row(d->png, d->im.data + row * y, NULL);
        if (status) return status;
    }
    d->all_rows = 1;
    png_read_end(d->png, d->info);
    d->orientation = orientation_of(d);
    return 0;
}

static int guarded(struct decoder *d, struct xfv_err *e)
{
    if (setjmp(png_jmpbuf(d->png))) {
        int in_raster = !d->all_rows || !d->raster_end || d->at < d->raster_end || !strncmp(d->text, "IDAT", 4);
        if (in_raster || !strncmp(d->text, "eXIf", 4)) return xfv_fail_damaged(e, "PNG", d->text);
        d->orientation = orientation_of(d);
        return 0; /* every pixel is there and checked; what follows them is not for us */
    }
    return decode(d, e);
}

int xfv_decode_png(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out, struct xfv_err *e)
{
    struct decoder d = {.bytes = bytes, .n = n, .opts = o, .orientation = 1, .raster_end = find_raster_end(bytes, n)};
    int r;
    d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &d, on_error, on_warning);
    d.info = d.png ? png_create_info_struct(d.png) : NULL;
    r = d.info ? guarded(&d, e) : xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a PNG image");
    png_destroy_read_struct(&d.png, &d.info, NULL);
    if (!r && d.im.channels == 4) composite(&d.im);
    if (!r) r = xfv_image_orient(&d.im, d.orientation, e);
    if (r) xfv_image_clear(&d.im);
    else *out = d.im;
    free(d.rows);
    return r;
}
