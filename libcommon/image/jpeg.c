/* JPEG through libjpeg-turbo. */
#include <stdio.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "image/internal.h"
#include "base/deadline.h"

/* More scans than any encoder writes: a small file of empty progressive scans over a large image would run for hours. */
#define MAX_SCANS 500

struct decoder {
    struct jpeg_error_mgr mgr; /* first: libjpeg hands it back to us */
    jmp_buf escape;
    char text[JMSG_LENGTH_MAX];
    struct jpeg_decompress_struct j;
    struct jpeg_progress_mgr progress;
    const uint8_t *bytes;
    size_t n;
    const struct xfv_decode_opts *opts;
    struct xfv_image im;
    uint8_t *cmyk; /* one row, only for four-channel images */
    int orientation, denom;
};

static void on_error(j_common_ptr j)
{
    struct decoder *d = (struct decoder *)j->err;
    j->err->format_message(j, d->text);
    longjmp(d->escape, 1);
}

/* libjpeg fills what is missing with grey and calls it a warning; to us a photograph with a part missing is corrupt. Junk between markers is not. */
static void on_message(j_common_ptr j, int level)
{
    if (level >= 0) return;
    switch (j->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION: on_error(j);
    }
}

static void on_progress(j_common_ptr j)
{
    struct decoder *d = (struct decoder *)j->err;
    if (!j->is_decompressor || d->j.input_scan_number <= MAX_SCANS) return;
    snprintf(d->text, sizeof d->text, "more than %d scans", MAX_SCANS);
    longjmp(d->escape, 1);
}

static int orientation_of(const struct jpeg_decompress_struct *j)
{
    for (jpeg_saved_marker_ptr m = j->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length >= 6 && memcmp(m->data, "Exif\0\0", 6) == 0)
            return xfv_exif_orientation(m->data, m->data_length);
    return 1;
}

/* Largest of 1, 2, 4, 8 that keeps the shorter side at least hint pixels long. */
static int denominator(long w, long h, int hint)
{
    long side = w < h ? w : h;
    int d = 1;
    while (hint > 0 && d < 8 && side / (2 * d) >= hint) d *= 2;
    return d;
}

/* CMYK to RGB, no colour management: R = (1 - C)(1 - K). Adobe's files hold the complements. */
static void cmyk_row(const uint8_t *s, uint8_t *t, int w, int complements)
{
    unsigned flip = complements ? 0 : 255;
    for (int x = 0; x < w; x++, s += 4, t += 3)
        for (int c = 0; c < 3; c++) t[c] = (uint8_t)(((s[c] ^ flip) * (s[3] ^ flip) + 127) / 255);
}

/* All that may jump. State lives in *d, so that nothing is lost by the jump. */
static int decode(struct decoder *d, struct xfv_err *e)
{
    struct jpeg_decompress_struct *j = &d->j;
    jpeg_mem_src(j, d->bytes, (unsigned long)d->n);
    jpeg_save_markers(j, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(j, TRUE);
    int r = xfv_check_size((long)j->image_width, (long)j->image_height, d->opts, e);
    if (r) return r;
    d->orientation = orientation_of(j);
    d->denom = denominator((long)j->image_width, (long)j->image_height, d->opts->min_side_hint);
    int four = j->num_components == 4;
    j->scale_num = 1;
    j->scale_denom = (unsigned)d->denom;
    j->out_color_space = four ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(j);
    r = xfv_image_alloc(&d->im, (int)j->output_width, (int)j->output_height, 3, e);
    if (r) return r;
    size_t row = (size_t)d->im.width * 3;
    if (four && !(d->cmyk = malloc((size_t)d->im.width * 4))) return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a JPEG image");
    while (j->output_scanline < j->output_height) {
        if ((r = xfv_deadline_check(e))) return r;
        uint8_t *to = d->im.data + row * j->output_scanline, *into = four ? d->cmyk : to;
        if (jpeg_read_scanlines(j, &into, 1) == 1 && four) cmyk_row(d->cmyk, to, d->im.width, j->saw_Adobe_marker);
    }
    jpeg_finish_decompress(j); /* reads on to the end marker: its absence is an error too */
    return 0;
}

static int guarded(struct decoder *d, struct xfv_err *e)
{
    if (setjmp(d->escape)) {
        int memory = d->mgr.msg_code == JERR_OUT_OF_MEMORY; /* no fault of the image's */
        return xfv_fail(e, memory ? XFV_ENOMEM : XFV_EDATA, memory ? "out of memory for decoding a JPEG image: %s" : "corrupt JPEG image: %s", d->text);
    }
    jpeg_create_decompress(&d->j);
    d->progress.progress_monitor = on_progress;
    d->j.progress = &d->progress;
    return decode(d, e);
}

int xfv_decode_jpeg(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out, int *scale, struct xfv_err *e)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d) return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a JPEG image");
    d->j.err = jpeg_std_error(&d->mgr);
    d->mgr.error_exit = on_error;
    d->mgr.emit_message = on_message;
    d->bytes = bytes;
    d->n = n;
    d->opts = o;
    int r = guarded(d, e);
    jpeg_destroy_decompress(&d->j);
    if (!r) r = xfv_image_orient(&d->im, d->orientation, e);
    if (r) {
        xfv_image_clear(&d->im);
    } else {
        *out = d->im;
        if (scale) *scale = d->denom;
    }
    free(d->cmyk);
    free(d);
    return r;
}
