/* TIFF through libtiff: its first picture. A camera's raw file is a TIFF, too; its tags show it. */
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "image/internal.h"
#include "image/rows.h"

struct input { const uint8_t *bytes; size_t n; uint64_t at; int is_damaged; char text[160]; };

static tmsize_t on_read(thandle_t h, void *to, tmsize_t want)
{
    struct input *in = h;
    uint64_t left = in->at < in->n ? in->n - in->at : 0, n = (uint64_t)want < left ? (uint64_t)want : left;
    memcpy(to, in->bytes + (in->at < in->n ? in->at : 0), n);
    in->at += n;
    return (tmsize_t)n;
}

static tmsize_t on_write(thandle_t h, void *from, tmsize_t n)
{
    (void)h, (void)from, (void)n;
    return -1;
}

static toff_t on_seek(thandle_t h, toff_t to, int whence)
{
    struct input *in = h;
    in->at = whence == SEEK_CUR ? in->at + to : whence == SEEK_END ? in->n + to : to;
    return in->at;
}

static int on_close(thandle_t h)
{
    (void)h;
    return 0;
}

static toff_t on_size(thandle_t h)
{
    return ((struct input *)h)->n;
}

__attribute__((format(printf, 4, 0)))
static int on_error(TIFF *t, void *ctx, const char *module, const char *format, va_list args)
{
    struct input *in = ctx;
    (void)t, (void)module;
    if (!in->is_damaged) vsnprintf(in->text, sizeof in->text, format, args);
    in->is_damaged = 1;
    return 1;
}

/* Most warnings are about tags. A JPEG inside warns of its scans. */
__attribute__((format(printf, 4, 0)))
static int on_warning(TIFF *t, void *ctx, const char *module, const char *format, va_list args)
{
    return module && strstr(module, "JPEG") ? on_error(t, ctx, module, format, args) : 1;
}

static int fail(const struct input *in, struct xfv_err *e)
{
    return xfv_fail_damaged(e, "TIFF", *in->text ? in->text : "it cannot be read to the end");
}

/* n bytes of a number in the file's order. */
static uint32_t number(const uint8_t *p, int n, int little)
{
    uint32_t v = 0;
    for (int i = 0; i < n; i++) v |= (uint32_t)p[i] << 8 * (little ? i : n - 1 - i);
    return v;
}

/* Mosaics and makers' own codes are no pictures; nor is the thumbnail that a raw file has first. libtiff, which may
 * call such a file damaged, is not asked: this looks at the first directory itself. */
static int is_raw(const uint8_t *bytes, size_t n)
{
    enum {
        KIND = 254,
        COMPRESSION = 259,
        PHOTOMETRIC = 262,
        SUB = 330,
        CFA = 32803,
        LINEAR_RAW = 34892,
        SONY = 32767,
        NIKON = 34713,
        DNG_VERSION = 50706
    };
    int little = bytes[0] == 'I', thumbnail = 0, has_sub = 0;
    size_t at = n >= 8 ? number(bytes + 4, 4, little) : n;
    if (at > n || n - at < 2) return 0;
    size_t entries = number(bytes + at, 2, little);
    at += 2;
    for (size_t i = 0; i < entries && n - at >= 12; i++, at += 12) {
        uint32_t tag = number(bytes + at, 2, little), is_short = number(bytes + at + 2, 2, little) == 3;
        uint32_t v = number(bytes + at + 8, is_short ? 2 : 4, little);
        if (tag == DNG_VERSION || (tag == PHOTOMETRIC && (v == CFA || v == LINEAR_RAW)) ||
            (tag == COMPRESSION && (v == SONY || v == NIKON)))
            return 1;
        has_sub |= tag == SUB;
        thumbnail |= tag == KIND && (v & 1);
    }
    return has_sub && thumbnail;
}

static enum xfv_pixel find_alpha(TIFF *t)
{
    uint16_t n = 0, *kinds = NULL;
    TIFFGetFieldDefaulted(t, TIFFTAG_EXTRASAMPLES, &n, &kinds);
    return n ? XFV_RGBA : XFV_RGB;
}

static int check(TIFF *t, const struct input *in, uint32_t w, uint32_t h, const struct xfv_decode_opts *o,
                 struct xfv_err *e)
{
    char why[1024] = "";
    int status = xfv_check_cost((long)w, (long)h, in->n, 4, o, e);
    if (status) return status;
    return TIFFRGBAImageOK(t, why) ? 0
                                   : xfv_fail_code(e, XFV_EDATA, "format",
                                                   "this kind of TIFF is not read (%.200s): convert it to PNG", why);
}

/* The library gives RGBA with colours multiplied by opacity, in words of 32 bits. */
static int read_pixels(TIFF *t, struct input *in, uint32_t w, uint32_t h, const struct xfv_decode_opts *o,
                       struct xfv_image *out, struct xfv_err *e)
{
    uint32_t n_icc = 0;
    void *icc = NULL;
    enum xfv_pixel kind = find_alpha(t);
    size_t pixels = (size_t)w * h;
    uint32_t *raster = malloc(pixels * sizeof *raster);
    if (!raster) return xfv_fail(e, XFV_ENOMEM, "out of memory for an image of %u x %u pixels", w, h);
    TIFFSetField(t, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT); /* rows as stored: turning is ours */
    int is_read = TIFFReadRGBAImageOriented(t, w, h, raster, ORIENTATION_TOPLEFT, 1) && !in->is_damaged;
    int status = is_read ? 0 : fail(in, e);
    uint8_t *rgba = (uint8_t *)raster;
    for (size_t i = 0; i < pixels && !status; i++) {
        uint32_t v = raster[i];
        const uint8_t c[4] = {(uint8_t)TIFFGetR(v), (uint8_t)TIFFGetG(v), (uint8_t)TIFFGetB(v),
                              kind == XFV_RGBA ? (uint8_t)TIFFGetA(v) : 255};
        memcpy(rgba + 4 * i, c, 4);
    }
    TIFFGetField(t, TIFFTAG_ICCPROFILE, &n_icc, &icc);
    if (!status)
        status = xfv_rows_from(rgba, (size_t)w * 4, (int)w, (int)h, XFV_RGBA, kind == XFV_RGBA,
                          xfv_shrink_of((long)w, (long)h, o), icc, n_icc, out, e);
    free(raster);
    return status;
}

static int decode(TIFF *t, struct input *in, const struct xfv_decode_opts *o, struct xfv_image *out, struct xfv_err *e)
{
    uint32_t w = 0, h = 0;
    uint16_t orientation = 1;
    TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &w);
    TIFFGetField(t, TIFFTAG_IMAGELENGTH, &h);
    TIFFGetField(t, TIFFTAG_ORIENTATION, &orientation);
    int status = check(t, in, w, h, o, e);
    if (!status) status = read_pixels(t, in, w, h, o, out, e);
    if (!status) status = xfv_image_orient(out, orientation, e);
    if (status) xfv_image_clear(out);
    return status;
}

int xfv_decode_tiff(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                    struct xfv_err *e)
{
    struct input in = {.bytes = bytes, .n = n};
    if (is_raw(bytes, n))
        return xfv_fail_code(e, XFV_EDATA, "format",
                             "a camera's raw file (a kind of TIFF) is not read: develop it to JPEG, PNG or TIFF");
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a TIFF image");
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, &in);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, &in);
    if (o->max_bytes) TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)o->max_bytes);
    TIFF *t = TIFFClientOpenExt("image", "rm", &in, on_read, on_write, on_seek, on_close, on_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    if (!t) return fail(&in, e);
    in.is_damaged = 0;
    int status = decode(t, &in, o, out, e);
    TIFFClose(t);
    return status;
}
