/* JPEG XL through libjxl, which turns the picture upright. Of an animation the first frame. */
#include <jxl/decode.h>
#include <stdlib.h>
#include <string.h>

#include "image/internal.h"
#include "image/rows.h"

struct jxl {
    JxlDecoder *d;
    size_t n, left; /* the file's bytes; bytes that it may still allocate */
    const struct xfv_decode_opts *opts;
    JxlBasicInfo info;
    JxlPixelFormat format;
    uint8_t *pixels, *icc;
    size_t n_icc;
    int refused; /* memory, at least once */
};

/* Every block knows its size: what the library holds is counted. */
static void *on_alloc(void *ctx, size_t n)
{
    struct jxl *j = ctx;
    max_align_t *p = n < j->left ? malloc(n + sizeof(max_align_t)) : NULL;
    j->refused |= !p;
    if (!p) return NULL;
    memcpy(p, &n, sizeof n);
    j->left -= n;
    return p + 1;
}

static void on_free(void *ctx, void *p)
{
    struct jxl *j = ctx;
    size_t n;
    if (!p) return;
    memcpy(&n, (max_align_t *)p - 1, sizeof n);
    j->left += n;
    free((max_align_t *)p - 1);
}

static int start(struct jxl *j, struct xfv_err *e)
{
    if (JxlDecoderGetBasicInfo(j->d, &j->info) != JXL_DEC_SUCCESS)
        return xfv_fail_damaged(e, "JPEG XL", "its header cannot be read");
    int status = xfv_check_cost((long)j->info.xsize, (long)j->info.ysize, j->n, 24, j->opts, e);
    j->format = (JxlPixelFormat){(j->info.num_color_channels == 1 ? 1u : 3u) + (j->info.alpha_bits > 0), JXL_TYPE_UINT8,
                                 JXL_NATIVE_ENDIAN, 0};
    return status;
}

/* sRGB where the library can convert (what was coded in its own colours); else the profile goes to the rows. */
static int take_profile(struct jxl *j, struct xfv_err *e)
{
    JxlColorEncoding srgb = {.color_space = j->info.num_color_channels == 1 ? JXL_COLOR_SPACE_GRAY
                                                                            : JXL_COLOR_SPACE_RGB,
                             .white_point = JXL_WHITE_POINT_D65,
                             .primaries = JXL_PRIMARIES_SRGB,
                             .transfer_function = JXL_TRANSFER_FUNCTION_SRGB,
                             .rendering_intent = JXL_RENDERING_INTENT_RELATIVE};
    (void)JxlDecoderSetPreferredColorProfile(j->d, &srgb);
    if (JxlDecoderGetICCProfileSize(j->d, &j->format, JXL_COLOR_PROFILE_TARGET_DATA, &j->n_icc) != JXL_DEC_SUCCESS ||
        !j->n_icc)
        return 0;
    if (!(j->icc = malloc(j->n_icc))) return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a JPEG XL image");
    if (JxlDecoderGetColorAsICCProfile(j->d, &j->format, JXL_COLOR_PROFILE_TARGET_DATA, j->icc, j->n_icc) !=
        JXL_DEC_SUCCESS)
        j->n_icc = 0;
    return 0;
}

static int give_buffer(struct jxl *j, struct xfv_err *e)
{
    size_t size;
    if (JxlDecoderImageOutBufferSize(j->d, &j->format, &size) != JXL_DEC_SUCCESS)
        return xfv_fail_damaged(e, "JPEG XL", "its pixels cannot be read");
    if (!j->pixels && !(j->pixels = malloc(size)))
        return xfv_fail(e, XFV_ENOMEM, "out of memory for an image of %u x %u pixels", j->info.xsize, j->info.ysize);
    return JxlDecoderSetImageOutBuffer(j->d, &j->format, j->pixels, size) == JXL_DEC_SUCCESS
               ? 0
               : xfv_fail_damaged(e, "JPEG XL", "its pixels cannot be read");
}

static int decode(struct jxl *j, struct xfv_err *e)
{
    int status = 0;
    for (;;) {
        switch (JxlDecoderProcessInput(j->d)) {
        case JXL_DEC_BASIC_INFO: status = start(j, e); break;
        case JXL_DEC_COLOR_ENCODING: status = take_profile(j, e); break;
        case JXL_DEC_NEED_IMAGE_OUT_BUFFER: status = give_buffer(j, e); break;
        case JXL_DEC_FULL_IMAGE: return 0;
        case JXL_DEC_SUCCESS:
        case JXL_DEC_NEED_MORE_INPUT: return xfv_fail_damaged(e, "JPEG XL", "it ends too early");
        default:
            if (j->refused)
                return xfv_fail_code(e, XFV_ELIMIT, "limit",
                                     "a JPEG XL image takes more memory to decode than one photograph may "
                                     "(--max-memory)");
            return xfv_fail_damaged(e, "JPEG XL", "it cannot be read");
        }
        if (status) return status;
    }
}

static int run(struct jxl *j, const uint8_t *bytes, size_t n, struct xfv_image *out, struct xfv_err *e)
{
    if (JxlDecoderSubscribeEvents(j->d, JXL_DEC_BASIC_INFO | JXL_DEC_COLOR_ENCODING | JXL_DEC_FULL_IMAGE) !=
            JXL_DEC_SUCCESS ||
        JxlDecoderSetInput(j->d, bytes, n) != JXL_DEC_SUCCESS)
        return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a JPEG XL image");
    JxlDecoderCloseInput(j->d);
    int status = decode(j, e);
    if (status) return status;
    int w = (int)j->info.xsize, h = (int)j->info.ysize;
    return xfv_rows_from(j->pixels, (size_t)w * j->format.num_channels, w, h, (enum xfv_pixel)j->format.num_channels,
                         j->info.alpha_premultiplied, xfv_shrink_of(w, h, j->opts), j->icc, j->n_icc, out, e);
}

int xfv_decode_jxl(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                   struct xfv_err *e)
{
    struct jxl j = {.n = n, .left = o->max_bytes ? o->max_bytes : SIZE_MAX / 2, .opts = o};
    JxlMemoryManager memory = {&j, on_alloc, on_free};
    j.d = JxlDecoderCreate(&memory);
    if (!j.d) return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a JPEG XL image");
    int status = run(&j, bytes, n, out, e);
    JxlDecoderDestroy(j.d);
    free(j.pixels);
    free(j.icc);
    return status;
}
