/* Which decoder reads a file. */
#include <stdio.h>
#include <string.h>

#include "base/budget.h"
#include "base/format.h"
#include "image/internal.h"
#include "image/pnm.h"

static int decode_pnm(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                      struct xfv_err *e)
{
    FILE *f = fmemopen((void *)(uintptr_t)bytes, n, "rb"); /* read only: nothing writes through the pointer */
    if (!f) return xfv_fail(e, XFV_ENOMEM, "out of memory for reading an image");
    int status = xfv_pnm_read(f, o, out, e);
    fclose(f);
    return status == XFV_EOF ? xfv_fail(e, XFV_EDATA, "empty image file") : status;
}

/* A NULL decoder: the build lacks its library. */
static xfv_decoder *decoder_of(enum xfv_format format)
{
    switch (format) {
    case XFV_FORMAT_JPEG: return xfv_decode_jpeg;
    case XFV_FORMAT_PNG: return xfv_decode_png;
    case XFV_FORMAT_WEBP: return xfv_decode_webp;
    case XFV_FORMAT_PNM: return decode_pnm;
    case XFV_FORMAT_BMP: return xfv_decode_bmp;
    case XFV_FORMAT_FARBFELD: return xfv_decode_farbfeld;
#ifdef XFV_WITH_GIF
    case XFV_FORMAT_GIF: return xfv_decode_gif;
#endif
#ifdef XFV_WITH_TIFF
    case XFV_FORMAT_TIFF: return xfv_decode_tiff;
#endif
#ifdef XFV_WITH_HEIF
    case XFV_FORMAT_HEIF: return xfv_decode_heif;
#endif
#ifdef XFV_WITH_JXL
    case XFV_FORMAT_JXL: return xfv_decode_jxl;
#endif
#ifdef XFV_WITH_OPENJPEG
    case XFV_FORMAT_JP2:
    case XFV_FORMAT_J2K: return xfv_decode_jp2;
#endif
    default: return NULL;
    }
}

void xfv_image_start(void)
{
#ifdef XFV_WITH_HEIF
    xfv_heif_start();
#endif
}

const char *xfv_image_formats(void)
{
    return "JPEG PNG WebP BMP farbfeld Netpbm"
#ifdef XFV_WITH_GIF
           " GIF"
#endif
#ifdef XFV_WITH_TIFF
           " TIFF"
#endif
#ifdef XFV_WITH_HEIF
           " HEIC AVIF"
#endif
#ifdef XFV_WITH_JXL
           " JPEG-XL"
#endif
#ifdef XFV_WITH_OPENJPEG
           " JPEG-2000"
#endif
#ifdef XFV_WITH_LCMS2
           ", colour profiles"
#endif
        ;
}

static int is_text(const uint8_t *bytes, size_t n)
{
    size_t i = 0;
    while (i < n && (bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t' || (bytes[i] >= ' ' && bytes[i] < 0x7f)))
        i++;
    return n > 0 && i == n;
}

/* What people have and we do not read is named, with the way out. */
static int refuse(struct xfv_format_info known, const uint8_t *bytes, size_t n, struct xfv_err *e)
{
    if (known.format == XFV_FORMAT_STREAM)
        return xfv_fail_code(e, XFV_EDATA, "format",
                             "this is a stream of xfv-tools, made of photographs already: embed, verify and the "
                             "programs after them read it");
    if (known.name && known.format != XFV_FORMAT_OTHER)
        return xfv_fail_code(e, XFV_EDATA, "format",
                             "%s is not read by this build, which lacks the library: convert it to JPEG or PNG",
                             known.name);
    if (known.name)
        return xfv_fail_code(e, XFV_EDATA, "format", "%s is not read%s%s", known.name, known.advice ? ": " : "",
                             known.advice ? known.advice : "");
    return xfv_fail_code(e, XFV_EDATA, "format",
                         "not a JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF, JPEG XL, JPEG 2000, farbfeld or Netpbm "
                         "image%s",
                         is_text(bytes, n) ? " but text: images are named as arguments, or in a list for --files0-from"
                                           : "");
}

/* A decoder estimates by what the header says; the file may hold more. A small one never takes so much. */
static size_t budget_of(size_t n, const struct xfv_decode_opts *o)
{
    size_t most = o->max_bytes + o->max_bytes / 4, small = ((size_t)512 << 20) + 12000 * n; /* n: at most 1 GiB */
    return small < most ? small : most;
}

int xfv_image_decode(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out, int *scale,
                     struct xfv_err *e)
{
    struct xfv_decode_opts d = o ? *o : xfv_decode_opts_default();
    memset(out, 0, sizeof *out);
    if (scale) *scale = 1;
    if (n == 0) return xfv_fail(e, XFV_EDATA, "empty image file");
    struct xfv_format_info known = xfv_format_of(bytes, n);
    xfv_decoder *decode = decoder_of(known.format);
    xfv_budget_start(budget_of(n, &d));
    int status = decode ? decode(bytes, n, &d, out, e) : refuse(known, bytes, n, e);
    if (xfv_budget_end() && status)
        status = xfv_fail_code(e, XFV_ELIMIT, "limit",
                               "an image of %zu bytes takes more than %zu MiB to decode: no photograph", n,
                               budget_of(n, &d) >> 20);
    if (!status && scale) *scale = out->scale;
    return status;
}

int xfv_image_is_read(const uint8_t *bytes, size_t n)
{
    return decoder_of(xfv_format_of(bytes, n).format) != NULL;
}
