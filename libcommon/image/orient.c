/* What every decoder asks: is the size allowed, and which way up is the photograph. */
#include <libexif/exif-data.h>
#include <string.h>

#include "image/internal.h"

int xfv_check_size(long width, long height, const struct xfv_decode_opts *o, struct xfv_err *e)
{
    if (width < 1 || height < 1)
        return xfv_fail(e, XFV_EDATA, "corrupt image: its header gives a size of %ld x %ld pixels", width, height);
    if ((size_t)width > o->max_pixels / (size_t)height)
        return xfv_fail(e, XFV_ELIMIT, "image of %ld x %ld pixels, more than the limit of %zu (--max-pixels)", width,
                        height, o->max_pixels);
    return 0;
}

int (xfv_fail_damaged)(struct xfv_err *e, const char *kind, const char *what)
{
    return xfv_fail_code(e, XFV_EDATA, "damaged", "damaged %s image: %s; get another copy of the file", kind, what);
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
    /* Where stored pixel (x, y) goes: first mirror, then exchange the axes. The tables are EXIF 2.32's, section 4.6.4.
     */
    int mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    int mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    struct xfv_image up;
    int status = xfv_image_alloc(&up, swap ? h : w, swap ? w : h, c, e);
    if (status) return status;
    for (int y = 0; y < h; y++) {
        const uint8_t *s = im->data + (size_t)y * (size_t)w * (size_t)c;
        int ty = mirror_y ? h - 1 - y : y;
        for (int x = 0; x < w; x++, s += c) {
            int tx = mirror_x ? w - 1 - x : x;
            size_t at = swap ? (size_t)tx * (size_t)h + (size_t)ty : (size_t)ty * (size_t)w + (size_t)tx;
            memcpy(up.data + at * (size_t)c, s, (size_t)c);
        }
    }
    up.scale = im->scale;
    up.transparent = im->transparent;
    xfv_image_clear(im);
    *im = up;
    return 0;
}
