/* JPEG 2000 through OpenJPEG: the file format and the bare code stream, as passports hold either. */
#include <openjpeg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"
#include "image/internal.h"
#include "image/rows.h"

struct input { const uint8_t *bytes; size_t n, at; char text[120]; };

static OPJ_SIZE_T on_read(void *to, OPJ_SIZE_T want, void *ctx)
{
    struct input *in = ctx;
    size_t left = in->n - in->at, n = want < left ? want : left;
    if (!n) return (OPJ_SIZE_T)-1;
    memcpy(to, in->bytes + in->at, n);
    in->at += n;
    return n;
}

static OPJ_OFF_T on_skip(OPJ_OFF_T n, void *ctx)
{
    struct input *in = ctx;
    if (n < 0 || (size_t)n > in->n - in->at) return -1;
    in->at += (size_t)n;
    return n;
}

static OPJ_BOOL on_seek(OPJ_OFF_T at, void *ctx)
{
    struct input *in = ctx;
    if (at < 0 || (size_t)at > in->n) return OPJ_FALSE;
    in->at = (size_t)at;
    return OPJ_TRUE;
}

static void on_error(const char *text, void *ctx)
{
    struct input *in = ctx;
    if (!*in->text) snprintf(in->text, sizeof in->text, "%.*s", (int)strcspn(text, "\n"), text);
}

static void drop_message(const char *text, void *ctx)
{
    (void)text, (void)ctx;
}

/* ---- components to pixels ---- */

/* Sample at (x, y) of the picture, 0..255. Components may be coarser than it. */
static int sample(const opj_image_comp_t *c, unsigned x, unsigned y)
{
    unsigned cx = x / c->dx < c->w ? x / c->dx : c->w - 1, cy = y / c->dy < c->h ? y / c->dy : c->h - 1;
    long v = c->data[(size_t)cy * c->w + cx] + (c->sgnd ? 1L << (c->prec - 1) : 0), most = (1L << c->prec) - 1;
    v = v < 0 ? 0 : v > most ? most : v;
    return (int)((v * 255 + most / 2) / most);
}

static uint8_t clamp(double v)
{
    return xfv_nearest_byte(v);
}

/* ITU-R BT.601, as sYCC has it. */
static void to_rgb(uint8_t *t)
{
    double y = t[0], b = t[1] - 128.0, r = t[2] - 128.0;
    t[0] = clamp(y + 1.402 * r);
    t[1] = clamp(y - 0.344136 * b - 0.714136 * r);
    t[2] = clamp(y + 1.772 * b);
}

static int is_ycc(const opj_image_t *im)
{
    int coarse = im->numcomps >= 3 && (im->comps[1].dx > im->comps[0].dx || im->comps[1].dy > im->comps[0].dy);
    return im->color_space == OPJ_CLRSPC_SYCC || im->color_space == OPJ_CLRSPC_EYCC ||
           (coarse && im->color_space != OPJ_CLRSPC_SRGB);
}

static int check_components(const opj_image_t *im, struct xfv_err *e)
{
    if (im->numcomps < 1) return xfv_fail_damaged(e, "JPEG 2000", "it has no components");
    for (unsigned i = 0; i < im->numcomps && i < 4; i++) {
        const opj_image_comp_t *c = &im->comps[i];
        if (!c->data || !c->w || !c->h || !c->dx || !c->dy || c->prec < 1 || c->prec > 30)
            return xfv_fail_damaged(e, "JPEG 2000", "a component is missing or of an unknown kind");
    }
    return 0;
}

static int convert(const opj_image_t *im, const struct xfv_decode_opts *o, struct xfv_image *out, struct xfv_err *e)
{
    int status = check_components(im, e), n = im->numcomps < 4 ? (int)im->numcomps : 4, ycc = is_ycc(im);
    if (status) return status;
    enum xfv_pixel kind = im->color_space == OPJ_CLRSPC_CMYK && n == 4 ? XFV_CMYK : (enum xfv_pixel)n;
    const opj_image_comp_t *first = &im->comps[0];
    unsigned w = first->w * first->dx, h = first->h * first->dy;
    uint8_t *row = malloc((size_t)w * 4);
    struct xfv_rows rows = {0};
    status = row ? xfv_rows_open(&rows, (int)w, (int)h, kind, xfv_shrink_of((long)w, (long)h, o), e)
            : xfv_fail(e, XFV_ENOMEM, "out of memory for a row of %u pixels", w);
    if (!status && !ycc) xfv_rows_profile(&rows, im->icc_profile_buf, im->icc_profile_len);
    for (unsigned y = 0; y < h && !status; y++) {
        for (unsigned x = 0; x < w; x++) {
            for (int c = 0; c < n; c++) row[(size_t)x * (size_t)n + (size_t)c] = (uint8_t)sample(&im->comps[c], x, y);
            if (ycc && n >= 3) to_rgb(row + (size_t)x * (size_t)n);
        }
        status = xfv_rows_put(&rows, row, e);
    }
    free(row);
    xfv_rows_close(&rows);
    if (status) xfv_image_clear(&rows.im);
    else *out = rows.im;
    return status;
}

/* ---- the code stream ---- */

static int decode(opj_codec_t *c, opj_stream_t *s, struct input *in, const struct xfv_decode_opts *o, opj_image_t **im,
                  struct xfv_err *e)
{
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    opj_set_error_handler(c, on_error, in);
    opj_set_warning_handler(c, drop_message, NULL);
    opj_set_info_handler(c, drop_message, NULL);
    if (!opj_setup_decoder(c, &parameters) || !opj_read_header(s, c, im))
        return xfv_fail_damaged(e, "JPEG 2000", *in->text ? in->text : "its header cannot be read");
    double own = 0;
    for (unsigned i = 0; i < (*im)->numcomps; i++)
        own += 12.0 / ((*im)->comps[i].dx ? (*im)->comps[i].dx : 1) / ((*im)->comps[i].dy ? (*im)->comps[i].dy : 1);
    int status = xfv_check_cost((long)(*im)->x1 - (long)(*im)->x0, (long)(*im)->y1 - (long)(*im)->y0, in->n, own, o, e);
    if (status) return status;
    if (!opj_decode(c, s, *im) || !opj_end_decompress(c, s))
        return xfv_fail_damaged(e, "JPEG 2000", *in->text ? in->text : "it cannot be read to the end");
    return 0;
}

int xfv_decode_jp2(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                   struct xfv_err *e)
{
    struct input in = {.bytes = bytes, .n = n};
    int bare = n && bytes[0] == 0xff; /* a code stream without its file format */
    opj_codec_t *c = opj_create_decompress(bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
    opj_stream_t *s = opj_stream_create(1 << 16, OPJ_TRUE);
    opj_image_t *im = NULL;
    int status = c && s ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a JPEG 2000 image");
    if (!status) {
        opj_stream_set_user_data(s, &in, NULL);
        opj_stream_set_user_data_length(s, n);
        opj_stream_set_read_function(s, on_read);
        opj_stream_set_skip_function(s, on_skip);
        opj_stream_set_seek_function(s, on_seek);
        status = decode(c, s, &in, o, &im, e);
    }
    if (!status) status = convert(im, o, out, e);
    opj_image_destroy(im);
    if (s) opj_stream_destroy(s);
    if (c) opj_destroy_codec(c);
    return status;
}
