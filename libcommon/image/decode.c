/* Which decoder reads a file. */
#include <stdio.h>
#include <string.h>

#include "base/budget.h"
#include "base/format.h"
#include "image/internal.h"
#include "image/pnm.h"

int xfv_decode_pnm(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                   struct xfv_err *e)
{
    FILE *f = fmemopen((void *)(uintptr_t)bytes, n, "rb"); /* read only: nothing writes through the pointer */
    if (!f) return xfv_fail(e, XFV_ENOMEM, "out of memory for reading an image");
    int status = xfv_pnm_read(f, o, out, e);
    fclose(f);
    return status == XFV_EOF ? xfv_fail(e, XFV_EDATA, "empty image file") : status;
}

static const struct {
    const char *name;
    xfv_decoder *decode;
} decoders[] = {
#define READ(name, called) {#name, xfv_decode_##name},
#include "image/decoders.h"
#undef READ
};

/* NULL: the build lacks the library, or nothing here reads the format. */
static xfv_decoder *decoder_of(const char *reader)
{
    for (size_t i = 0; reader && i < sizeof decoders / sizeof *decoders; i++)
        if (!strcmp(decoders[i].name, reader)) return decoders[i].decode;
    return NULL;
}

void xfv_image_start(void)
{
#ifdef XFV_WITH_HEIF
    xfv_heif_start();
#endif
}

static const char formats[] =
#define READ(name, called) " " called
#include "image/decoders.h"
#undef READ
#ifdef XFV_WITH_LCMS2
    ", colour profiles"
#endif
    ;

const char *xfv_image_formats(void)
{
    return formats + 1;
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
    if (known.reader && !strcmp(known.reader, "stream"))
        return xfv_fail_code(e, XFV_EDATA, "format",
                             "this is a stream of xfv-tools, made of photographs already: embed, verify and the "
                             "programs after them read it");
    if (known.reader)
        return xfv_fail_code(e, XFV_EDATA, "format",
                             "%s is not read by this build, which lacks the library: convert it to JPEG or PNG",
                             known.name);
    if (known.name)
        return xfv_fail_code(e, XFV_EDATA, "format", "%s is not read%s%s", known.name, known.advice ? ": " : "",
                             known.advice ? known.advice : "");
    return xfv_fail_code(e, XFV_EDATA, "format",
                         "no image of a format that is read (%.*s)%s",
                         (int)strcspn(formats + 1, ","), formats + 1,
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
    xfv_decoder *decode = decoder_of(known.reader);
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
    return decoder_of(xfv_format_of(bytes, n).reader) != NULL;
}
