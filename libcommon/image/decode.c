/* Which decoder, the size limit, and EXIF orientation. */
#include <libexif/exif-data.h>
#include <stdio.h>
#include <string.h>

#include "image/codec.h"
#include "image/pnm.h"

int xfv_check_size(long width, long height, const struct xfv_decode_opts *o, struct xfv_err *e)
{
    if (width < 1 || height < 1) return xfv_fail(e, XFV_EDATA, "corrupt image: its header gives a size of %ld x %ld pixels", width, height);
    if ((size_t)width > o->max_pixels / (size_t)height)
        return xfv_fail(e, XFV_ELIMIT, "image of %ld x %ld pixels, more than the limit of %zu (--max-pixels)", width, height, o->max_pixels);
    return 0;
}

int xfv_exif_orientation(const uint8_t *exif, size_t n)
{
    int orientation = 1;
    if (n > 0xffff) return 1;
    ExifData *d = exif_data_new_from_data(exif, (unsigned)n);
    if (!d) return 1;
    ExifEntry *t = exif_content_get_entry(d->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (t && t->format == EXIF_FORMAT_SHORT && t->components >= 1 && t->size >= 2) {
        int v = exif_get_short(t->data, exif_data_get_byte_order(d));
        if (v >= 1 && v <= 8) orientation = v;
    }
    exif_data_unref(d);
    return orientation;
}

int xfv_image_orient(struct xfv_image *im, int orientation, struct xfv_err *e)
{
    if (orientation < 2 || orientation > 8) return 0;
    int w = im->width, h = im->height, c = im->channels;
    int swap = orientation >= 5; /* 5..8: the stored rows are the upright columns */
    /* Where stored pixel (x, y) goes: first mirror, then exchange the axes. The tables are EXIF 2.32's, section 4.6.4. */
    int mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    int mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    struct xfv_image up;
    int r = xfv_image_alloc(&up, swap ? h : w, swap ? w : h, c, e);
    if (r) return r;
    for (int y = 0; y < h; y++) {
        const uint8_t *s = im->data + (size_t)y * (size_t)w * (size_t)c;
        int ty = mirror_y ? h - 1 - y : y;
        for (int x = 0; x < w; x++, s += c) {
            int tx = mirror_x ? w - 1 - x : x;
            size_t at = swap ? (size_t)tx * (size_t)h + (size_t)ty : (size_t)ty * (size_t)w + (size_t)tx;
            memcpy(up.data + at * (size_t)c, s, (size_t)c);
        }
    }
    xfv_image_clear(im);
    *im = up;
    return 0;
}

static int decode_pnm(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out, struct xfv_err *e)
{
    FILE *f = fmemopen((void *)(uintptr_t)bytes, n, "rb"); /* read only: nothing writes through the pointer */
    if (!f) return xfv_fail(e, XFV_ENOMEM, "out of memory for reading an image");
    int r = xfv_pnm_read(f, o, out, e);
    fclose(f);
    return r == XFV_EOF ? xfv_fail(e, XFV_EDATA, "empty image file") : r;
}

static int is_text(const uint8_t *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && (bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t' || (bytes[i] >= ' ' && bytes[i] < 0x7f))) i++;
    return n > 0 && i == n;
}

/* Formats that people have and we do not read: their names help. */
static int refuse(const uint8_t *bytes, size_t n, struct xfv_err *e)
{
    static const struct { size_t at; const char *mark, *name; } other[] = {
        {0, "GIF8", "a GIF"}, {0, "II*", "a TIFF"}, {0, "MM", "a TIFF"}, {0, "BM", "a BMP"},
        {4, "ftyphei", "a HEIC"}, {4, "ftypmif1", "a HEIC"}, {4, "ftypavif", "an AVIF"}, {0, "\xff\x0a", "a JPEG XL"},
    };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        size_t len = strlen(other[i].mark);
        if (n >= other[i].at + len && memcmp(bytes + other[i].at, other[i].mark, len) == 0)
            return xfv_fail(e, XFV_EDATA, "%s image: convert it to JPEG, PNG, WebP or PPM first", other[i].name);
    }
    if (n >= 16 && memcmp(bytes + 1, "\xa1_\xa4head", 7) == 0)
        return xfv_fail(e, XFV_EDATA, "this is a stream of xfv-tools, made of photographs already: embed, verify and the programs after them read it");
    return xfv_fail(e, XFV_EDATA, "not a JPEG, PNG, WebP, PBM, PGM, PPM or PAM image%s",
                    is_text(bytes, n) ? " but text: images are named as arguments, or in a list for --files0-from" : "");
}

int xfv_image_decode(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out, int *scale, struct xfv_err *e)
{
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    struct xfv_decode_opts d = o ? *o : xfv_decode_opts_default();
    memset(out, 0, sizeof *out);
    if (scale) *scale = 1;
    if (n == 0) return xfv_fail(e, XFV_EDATA, "empty image file");
    if (n >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff) return xfv_decode_jpeg(bytes, n, &d, out, scale, e);
    if (n >= sizeof png && memcmp(bytes, png, sizeof png) == 0) return xfv_decode_png(bytes, n, &d, out, e);
    if (n >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0) return xfv_decode_webp(bytes, n, &d, out, e);
    if (n >= 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7') return decode_pnm(bytes, n, &d, out, e);
    return refuse(bytes, n, e);
}
