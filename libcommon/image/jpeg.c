/* JPEG through libjpeg-turbo. What it warns of inside a scan makes the picture damaged; what follows the last row not.
 */
#include <stdio.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "image/internal.h"
#include "image/rows.h"

/* More scans than any encoder writes: a small file of empty progressive scans over a large image would run for hours.
 * Of large images fewer: so many pixels in all scans together, but always so many scans. */
enum { MAX_SCANS = 500, LEAST_SCANS = 64 };
#define MAX_SCANNED 4e9
/* The library's fast Huffman decoder, which says nothing about wrong codes, wants at least 512 bytes at hand: it never
 * sees so many. */
#define PIECE ((size_t)500)
/* An arithmetic coder leaves out zeros at the end of a scan; so many that many random bits would have to agree. */
#define MAX_ZEROS 3

struct decoder {
    struct jpeg_error_mgr mgr; /* first: libjpeg hands it back to us */
    jmp_buf escape;
    char text[JMSG_LENGTH_MAX];
    struct jpeg_source_mgr source;
    size_t at;    /* bytes handed to libjpeg */
    int is_short; /* it asked for more than there are */
    int is_cut;   /* in the middle of an arithmetic scan */
    int zeros;    /* given at the end of such a scan */
    int all_rows; /* nothing that follows matters */
    struct jpeg_decompress_struct j;
    struct jpeg_progress_mgr progress;
    const uint8_t *bytes;
    size_t n;
    const struct xfv_decode_opts *opts;
    struct xfv_rows rows;
    uint8_t *row;   /* one, as libjpeg gives it */
    JOCTET *icc;
    int orientation;
};

/* ---- the file, in pieces ---- */

static void on_nothing(j_decompress_ptr j)
{
    (void)j;
}

/* After the last byte, the end marker: the Huffman decoder then says when rows are missing. The arithmetic one never
 * does: it gets zeros, but few. */
static boolean on_fill(j_decompress_ptr j)
{
    static const JOCTET end[2] = {0xff, JPEG_EOI}, zero[1] = {0};
    struct decoder *d = (struct decoder *)j->err;
    size_t left = d->n - d->at, take = left < PIECE ? left : PIECE;
    int in_scan = j->arith_code && j->input_scan_number > 0 && j->input_iMCU_row < j->total_iMCU_rows;
    int one = !take && in_scan && d->zeros < MAX_ZEROS;
    d->is_short = take == 0;
    d->is_cut |= !take && in_scan && !one;
    d->zeros += one;
    d->source.next_input_byte = take ? d->bytes + d->at : one ? zero : end;
    d->source.bytes_in_buffer = take ? take : one ? sizeof zero : sizeof end;
    d->at += take;
    return TRUE;
}

static void on_skip(j_decompress_ptr j, long n)
{
    struct decoder *d = (struct decoder *)j->err;
    size_t here = d->source.bytes_in_buffer, left = d->n - d->at, want = n > 0 ? (size_t)n : 0;
    if (want > here) {
        want -= here;
        d->at += want < left ? want : left;
        on_fill(j);
        return;
    }
    d->source.next_input_byte += want;
    d->source.bytes_in_buffer = here - want;
}

static void set_source(struct decoder *d)
{
    while (d->n && d->bytes[d->n - 1] == 0xff) d->n--; /* half a marker */
    d->source.init_source = d->source.term_source = on_nothing;
    d->source.fill_input_buffer = on_fill;
    d->source.skip_input_data = on_skip;
    d->source.resync_to_restart = jpeg_resync_to_restart;
    d->j.src = &d->source;
}

/* ---- what goes wrong ---- */

enum { FAILED = 1, DAMAGED, DONE };

static void on_error(j_common_ptr j)
{
    struct decoder *d = (struct decoder *)j->err;
    j->err->format_message(j, d->text);
    longjmp(d->escape, d->all_rows ? DONE : FAILED);
}

/* libjpeg has passed over n bytes before the end marker, or before the end of the file. Are they padding? */
static int is_padding(const struct decoder *d, size_t n)
{
    size_t at = d->at - (d->is_short ? 0 : d->source.bytes_in_buffer), pad;
    /* ff00, ffff */
    while (at < d->n && (d->bytes[at] != 0xff || at + 1 == d->n || (uint8_t)(d->bytes[at + 1] + 1) < 2)) at++;
    for (pad = 0; pad < n && pad < at && (uint8_t)(d->bytes[at - 1 - pad] + 1) < 2; pad++) continue;
    return pad == n;
}

/* libjpeg fills what is missing with grey and calls it a warning. Junk before the first scan hides nothing. */
static void on_message(j_common_ptr j, int level)
{
    static const char prefix[] = "Corrupt JPEG data: ";
    struct decoder *d = (struct decoder *)j->err;
    if (level >= 0 || d->j.input_scan_number == 0) return;
    switch (j->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
        if (j->err->msg_parm.i[1] == JPEG_EOI && is_padding(d, (size_t)j->err->msg_parm.i[0])) return;
        break;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION: break;
    default: return;
    }
    j->err->format_message(j, d->text);
    size_t cut = strncmp(d->text, prefix, sizeof prefix - 1) ? 0 : sizeof prefix - 1;
    memmove(d->text, d->text + cut, strlen(d->text) - cut + 1);
    longjmp(d->escape, DAMAGED);
}

static void on_progress(j_common_ptr j)
{
    struct decoder *d = (struct decoder *)j->err;
    int n = d->j.input_scan_number, least = n <= LEAST_SCANS;
    double scanned = (double)n * d->j.image_width * d->j.image_height;
    if (!j->is_decompressor || least || (n <= MAX_SCANS && scanned <= MAX_SCANNED)) return;
    snprintf(d->text, sizeof d->text, "%d scans, more than a photograph of its size has", n);
    longjmp(d->escape, FAILED);
}

/* What libjpeg refuses, by its name and with the way out where it is a kind of JPEG that we do not read. */
static int fail_refused(const struct decoder *d, struct xfv_err *e)
{
    int code = d->mgr.msg_code, arg = d->mgr.msg_parm.i[0];
    const char *kind = code == JERR_BAD_PRECISION && arg == 12              ? "12-bit"
                       : code == JERR_BAD_PRECISION && arg > 8 && arg <= 16 ? "high-precision"
                       : code == JERR_SOF_UNSUPPORTED                       ? "lossless or hierarchical"
                       : code == JERR_UNKNOWN_MARKER && arg == 0xf7         ? "JPEG-LS, which is no plain"
                                                                            : NULL;
    if (code == JERR_OUT_OF_MEMORY)
        return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a JPEG image: %s", d->text);
    if (kind)
        return xfv_fail_code(e, XFV_EDATA, "format", "%s JPEG is not read: convert it to an 8-bit JPEG or to PNG",
                             kind);
    return xfv_fail_damaged(e, "JPEG", d->text);
}

static int orientation_of(const struct jpeg_decompress_struct *j)
{
    for (jpeg_saved_marker_ptr m = j->marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length >= 6 && memcmp(m->data, "Exif\0\0", 6) == 0)
            return xfv_exif_orientation(m->data, m->data_length);
    return 1;
}

/* 1, 2, 4 or 8: the largest that keeps the shorter side at least min_side_hint pixels long, or the least that a huge
 * photograph needs. */
static int denominator(long w, long h, const struct xfv_decode_opts *o)
{
    long side = w < h ? w : h;
    int d = 1, least = xfv_shrink_of(w, h, o);
    while (o->min_side_hint > 0 && d < 8 && side / (2 * d) >= o->min_side_hint) d *= 2;
    return d > least ? d : least < 8 ? least : 8;
}

/* Bytes a pixel that libjpeg holds: the coefficients of the whole image when it has several scans. */
static double own_bytes(const struct jpeg_decompress_struct *j)
{
    double samples = 0, most = 1;
    for (int i = 0; i < j->num_components; i++) {
        double here = j->comp_info[i].h_samp_factor * j->comp_info[i].v_samp_factor;
        samples += here;
        most = here > most ? here : most;
    }
    return jpeg_has_multiple_scans((j_decompress_ptr)(uintptr_t)j) ? samples / most * sizeof(JCOEF) : 0;
}

/* No scan holds some component, or the file ended before the last scan did. (The arithmetic decoder goes on silently
 * after a marker, too.) */
static int check_scans(const struct decoder *d, struct xfv_err *e)
{
    const struct jpeg_decompress_struct *j = &d->j;
    int missing = d->is_cut || (j->arith_code && j->unread_marker && j->unread_marker != JPEG_EOI);
    for (int i = 0; i < j->num_components; i++) {
        missing |= !j->comp_info[i].quant_table; /* no scan has held this component */
        for (int k = 0; d->is_short && j->coef_bits && k < DCTSIZE2; k++) missing |= j->coef_bits[i][k] != 0;
    }
    return missing ? xfv_fail_damaged(e, "JPEG", "its end is missing") : 0;
}

static int open_rows(struct decoder *d, struct xfv_err *e)
{
    struct jpeg_decompress_struct *j = &d->j;
    unsigned n = 0;
    enum xfv_pixel kind = j->num_components == 4 ? XFV_CMYK : j->num_components == 1 ? XFV_GREY : XFV_RGB;
    j->out_color_space = kind == XFV_CMYK ? JCS_CMYK : kind == XFV_GREY ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_start_decompress(j);
    int status = xfv_rows_open(&d->rows, (int)j->output_width, (int)j->output_height, kind, 1, e);
    if (status) return status;
    d->rows.im.scale = (int)j->scale_denom;
    if (jpeg_read_icc_profile(j, &d->icc, &n)) xfv_rows_profile(&d->rows, d->icc, n);
    d->row = malloc((size_t)j->output_width * (size_t)j->output_components);
    return d->row ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a JPEG image");
}

/* All that may jump. State lives in *d, so that nothing is lost by the jump. */
static int decode(struct decoder *d, struct xfv_err *e)
{
    struct jpeg_decompress_struct *j = &d->j;
    set_source(d);
    jpeg_save_markers(j, JPEG_APP0 + 1, 0xffff);
    jpeg_save_markers(j, JPEG_APP0 + 2, 0xffff);
    jpeg_read_header(j, TRUE);
    int status = xfv_check_cost((long)j->image_width, (long)j->image_height, d->n, own_bytes(j), d->opts, e);
    if (status) return status;
    d->orientation = orientation_of(j);
    j->scale_num = 1;
    j->scale_denom = (unsigned)denominator((long)j->image_width, (long)j->image_height, d->opts);
    status = open_rows(d, e);
    size_t n = (size_t)j->output_width * 4;
    int complements = j->num_components == 4 && !j->saw_Adobe_marker ? 0 : 1;
    while (!status && j->output_scanline < j->output_height) {
        if (jpeg_read_scanlines(j, &d->row, 1) != 1) continue;
        if (j->num_components == 4 && complements)
            for (size_t i = 0; i < n; i++) d->row[i] ^= 255; /* Adobe's files hold the complements */
        status = xfv_rows_put(&d->rows, d->row, e);
    }
    if (status || (status = check_scans(d, e))) return status;
    d->all_rows = 1;
    jpeg_finish_decompress(j); /* reads on to the next marker: is anything left over of the scan? */
    return 0;
}

static int guarded(struct decoder *d, struct xfv_err *e)
{
    switch (setjmp(d->escape)) {
    case 0: break;
    case DONE: return 0;
    case DAMAGED: return xfv_fail_damaged(e, "JPEG", d->text);
    default: return fail_refused(d, e);
    }
    jpeg_create_decompress(&d->j);
    d->progress.progress_monitor = on_progress;
    d->j.progress = &d->progress;
    return decode(d, e);
}

int xfv_decode_jpeg(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                    struct xfv_err *e)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d) return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a JPEG image");
    d->j.err = jpeg_std_error(&d->mgr);
    d->mgr.error_exit = on_error;
    d->mgr.emit_message = on_message;
    d->bytes = bytes;
    d->n = n;
    d->opts = o;
    int status = guarded(d, e);
    jpeg_destroy_decompress(&d->j);
    xfv_rows_close(&d->rows);
    if (!status) status = xfv_image_orient(&d->rows.im, d->orientation, e);
    if (status) xfv_image_clear(&d->rows.im);
    else *out = d->rows.im;
    free(d->row);
    free(d->icc);
    free(d);
    return status;
}
