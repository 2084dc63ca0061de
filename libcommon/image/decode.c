/* Which decoder reads a file. */
#include <stdio.h>
#include <string.h>

#include "image/internal.h"
#include "image/pnm.h"

static int decode_pnm(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out, struct xfv_err *e)
{
    FILE *f = fmemopen((void *)(uintptr_t)bytes, n, "rb"); /* read only: nothing writes through the pointer */
    if (!f) return xfv_fail(e, XFV_ENOMEM, "out of memory for reading an image");
    int status = xfv_pnm_read(f, o, out, e);
    fclose(f);
    return status == XFV_EOF ? xfv_fail(e, XFV_EDATA, "empty image file") : status;
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
    if (n >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8) return xfv_decode_jpeg(bytes, n, &d, out, scale, e);
    if (n >= sizeof png && memcmp(bytes, png, sizeof png) == 0) return xfv_decode_png(bytes, n, &d, out, e);
    if (n >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0) return xfv_decode_webp(bytes, n, &d, out, e);
    if (n >= 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7') return decode_pnm(bytes, n, &d, out, e);
    return refuse(bytes, n, e);
}
