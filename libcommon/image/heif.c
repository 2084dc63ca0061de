/* HEIC and AVIF through libheif, which turns and mirrors the picture as its container says (EXIF's turn is then no
 * other). */
#define _GNU_SOURCE /* sched_setaffinity */
#include <libheif/heif.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "image/internal.h"
#include "image/rows.h"

/* Bytes a pixel while it is decoded; and what else the decoder takes. It is C++ whose exceptions nobody catches:
 * without memory for a small object it would end the program. */
enum { OWN_BYTES = 9, SPARE = 16 << 20 };

void xfv_heif_start(void)
{
#if LIBHEIF_HAVE_VERSION(1, 14, 0)
    heif_init(NULL);
#endif
}

static int fail(struct heif_error why, struct xfv_err *e)
{
    char text[200];
    /* of the library: sizes that no sound file has */
    int is_limit = why.subcode == heif_suberror_Security_limit_exceeded;
    if (why.code == heif_error_Memory_allocation_error && !is_limit)
        return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a HEIF image");
    if (why.code == heif_error_Unsupported_feature || why.code == heif_error_Unsupported_filetype)
        return xfv_fail_code(e, XFV_EDATA, "format",
                             "this kind of HEIF image is not read (%s): convert it to JPEG, PNG or TIFF", why.message);
    snprintf(text, sizeof text, "%s", why.message ? why.message : "it cannot be read");
    return xfv_fail_damaged(e, "HEIF", text);
}

/* The container may have said less than the pictures in it hold. */
static int convert(const struct heif_image_handle *h, struct heif_image *im, int alpha, size_t n_file,
                   const struct xfv_decode_opts *o, struct xfv_image *out, struct xfv_err *e)
{
    int stride = 0, w = heif_image_get_width(im, heif_channel_interleaved),
        height = heif_image_get_height(im, heif_channel_interleaved);
    if (w > 0 && height > 0 && xfv_check_cost(w, height, n_file, OWN_BYTES, o, e)) return e->status;
    const uint8_t *pixels = heif_image_get_plane_readonly(im, heif_channel_interleaved, &stride);
    size_t n = heif_image_handle_get_raw_color_profile_size(h);
    uint8_t *icc = n ? malloc(n) : NULL;
    if (!pixels || w < 1 || height < 1) {
        free(icc);
        return xfv_fail_damaged(e, "HEIF", "it has no pixels");
    }
    if (icc && heif_image_handle_get_raw_color_profile(h, icc).code) n = 0;
    int status = xfv_rows_from(pixels, (size_t)stride, w, height, alpha ? XFV_RGBA : XFV_RGB,
                          alpha && heif_image_is_premultiplied_alpha(im), xfv_shrink_of(w, height, o), icc, icc ? n : 0,
                          out, e);
    free(icc);
    return status;
}

static int decode(struct heif_context *c, const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o,
                  struct heif_image_handle **h, struct heif_image **im, struct xfv_image *out, struct xfv_err *e)
{
    struct heif_error why = heif_context_read_from_memory_without_copy(c, bytes, n, NULL);
    if (!why.code) why = heif_context_get_primary_image_handle(c, h);
    if (why.code) return fail(why, e);
    int w = heif_image_handle_get_width(*h), height = heif_image_handle_get_height(*h);
    int status = xfv_check_cost(w, height, n, OWN_BYTES, o, e);
    if (status) return status;
    if (!xfv_has_room((size_t)w * (size_t)height * OWN_BYTES + SPARE))
        return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a HEIF image");
    int alpha = heif_image_handle_has_alpha_channel(*h);
    struct heif_decoding_options *options = heif_decoding_options_alloc();
    if (!options) return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a HEIF image");
#if LIBHEIF_HAVE_VERSION(1, 15, 0)
    options->strict_decoding = 1;
#endif
    why = heif_decode_image(*h, im, heif_colorspace_RGB,
                            alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, options);
    heif_decoding_options_free(options);
    return why.code ? fail(why, e) : convert(*h, *im, alpha, n, o, out, e);
}

/* dav1d starts a thread for each processor that its caller may run on: one, so that none allocates out of our sight
 * (base/budget.h). Parallelism is over photographs. */
static int decode_alone(struct heif_context *c, const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o,
                        struct heif_image_handle **h, struct heif_image **im, struct xfv_image *out, struct xfv_err *e)
{
    cpu_set_t all, one;
    int cpu = sched_getcpu(), known = cpu >= 0 && cpu < CPU_SETSIZE && !sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    if (known) CPU_SET((size_t)cpu, &one);
    int pinned = known && !sched_setaffinity(0, sizeof one, &one);
    int status = decode(c, bytes, n, o, h, im, out, e);
    if (pinned) (void)sched_setaffinity(0, sizeof all, &all);
    return status;
}

int xfv_decode_heif(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                    struct xfv_err *e)
{
    struct heif_context *c = heif_context_alloc();
    struct heif_image_handle *h = NULL;
    struct heif_image *im = NULL;
    if (!c) return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a HEIF image");
#if LIBHEIF_HAVE_VERSION(1, 13, 0)
    heif_context_set_max_decoding_threads(c, 0);
#endif
    int status = decode_alone(c, bytes, n, o, &h, &im, out, e);
    if (im) heif_image_release(im);
    if (h) heif_image_handle_release(h);
    heif_context_free(c);
    return status;
}
