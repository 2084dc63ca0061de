/* PNG through libpng. */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/internal.h"
#include "image/rows.h"

struct decoder {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t n, at;
    const struct xfv_decode_opts *opts;
    struct xfv_rows rows;
    uint8_t *pixels;     /* one row; of an interlaced image all */
    png_bytep *each;     /* rows of an interlaced image */
    int orientation;
    size_t raster_end;   /* where the last chunk of pixels ends, its checksum included */
    int all_rows;
    char text[128];
};

static void on_error(png_structp png, png_const_charp text)
{
    struct decoder *d = png_get_error_ptr(png);
    snprintf(d->text, sizeof d->text, "%s", text);
    png_longjmp(png, 1);
}

/* libpng drops a chunk with a wrong checksum and goes on. Without these two, nobody knows which way up, or what is
 * transparent. And it allocates as much as a chunk says that it holds. */
static void on_warning(png_structp png, png_const_charp text)
{
    if (strstr(text, "chunk data is too large")) on_error(png, text);
    if (!strncmp(text, "eXIf: CRC", 9) || !strncmp(text, "tRNS: CRC", 9)) on_error(png, text);
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    struct decoder *d = png_get_io_ptr(png);
    if (n > d->n - d->at) png_error(png, "the file ends too early");
    memcpy(to, d->bytes + d->at, n);
    d->at += n;
}

/* 0: the file ends in the middle of its pixels. */
static size_t find_raster_end(const uint8_t *bytes, size_t n)
{
    size_t end = 0;
    for (size_t at = 8; n - at >= 12;) {
        size_t length = png_get_uint_32(bytes + at);
        if (length > n - at - 12) return memcmp(bytes + at + 4, "IDAT", 4) ? end : 0;
        if (!memcmp(bytes + at + 4, "IDAT", 4)) end = at + 12 + length;
        at += 12 + length;
    }
    return end;
}

static int orientation_of(struct decoder *d)
{
    png_uint_32 n = 0;
    png_bytep exif = NULL;
    if (!png_get_eXIf_1(d->png, d->info, &n, &exif) || !exif || n > 0xfff0) return 1;
    uint8_t *block = malloc((size_t)n + 6); /* a PNG chunk lacks the six bytes that a JPEG marker starts with */
    if (!block) return 1;
    memcpy(block, "Exif\0\0", 6);
    memcpy(block + 6, exif, n);
    int o = xfv_exif_orientation(block, (size_t)n + 6);
    free(block);
    return o;
}

/* Ask for 8 bits, and for an alpha channel where the image has one or transparent colours. */
static enum xfv_pixel set_transforms(struct decoder *d)
{
    int type = png_get_color_type(d->png, d->info), colour = type & PNG_COLOR_MASK_COLOR;
    int alpha = (type & PNG_COLOR_MASK_ALPHA) || png_get_valid(d->png, d->info, PNG_INFO_tRNS);
    png_set_expand(d->png);
    png_set_scale_16(d->png); /* rounds; png_set_strip_16 would cut */
    return colour ? (alpha ? XFV_RGBA : XFV_RGB) : alpha ? XFV_GREY_ALPHA : XFV_GREY;
}

static int open_rows(struct decoder *d, int w, int h, enum xfv_pixel kind, struct xfv_err *e)
{
    png_charp name;
    png_bytep icc;
    png_uint_32 n;
    int method, r = xfv_rows_open(&d->rows, w, h, kind, xfv_shrink_of(w, h, d->opts), e);
    if (!r && png_get_iCCP(d->png, d->info, &name, &method, &icc, &n)) xfv_rows_profile(&d->rows, icc, n);
    return r;
}

static int read_interlaced(struct decoder *d, size_t h, size_t row, struct xfv_err *e)
{
    int status = 0;
    if (!(d->each = malloc(h * sizeof *d->each)))
        return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a PNG image");
    for (size_t y = 0; y < h; y++) d->each[y] = d->pixels + row * y;
    png_read_image(d->png, d->each);
    for (size_t y = 0; y < h && !status; y++) status = xfv_rows_put(&d->rows, d->each[y], e);
    return status;
}

/* All that may jump; state lives in *d. */
static int decode(struct decoder *d, struct xfv_err *e)
{
    /* nobody reads these; inflating them takes minutes */
    static const png_byte unread[] = "tEXt\0zTXt\0iTXt\0sPLT\0hIST\0pCAL\0sCAL";
    png_set_keep_unknown_chunks(d->png, PNG_HANDLE_CHUNK_NEVER, unread, sizeof unread / 5);
    png_set_read_fn(d->png, d, on_read);
    png_set_user_limits(d->png, 0x7fffffff, 0x7fffffff); /* ours counts pixels */
    png_set_chunk_malloc_max(d->png, 64 << 20);          /* of what is no pixels; a length may be a lie */
    png_read_info(d->png, d->info);
    png_uint_32 w = png_get_image_width(d->png, d->info), h = png_get_image_height(d->png, d->info);
    int interlaced = png_get_interlace_type(d->png, d->info) != PNG_INTERLACE_NONE;
    int status = xfv_check_cost((long)w, (long)h, d->n, interlaced ? 4 : 0, d->opts, e);
    if (status) return status;
    enum xfv_pixel kind = set_transforms(d);
    png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
    size_t row = (size_t)w * (size_t)kind; /* their values are their channels */
    if (png_get_rowbytes(d->png, d->info) != row)
        return xfv_fail(e, XFV_EDATA, "corrupt PNG image: rows of an unexpected length");
    status = open_rows(d, (int)w, (int)h, kind, e);
    if (status) return status;
    d->pixels = malloc(interlaced ? row * h : row);
    if (!d->pixels) return xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a PNG image");
    if (interlaced) status = read_interlaced(d, h, row, e);
    for (png_uint_32 y = 0; y < h && !interlaced && !status; y++) {
        png_read_row(d->png, d->pixels, NULL);
        status = xfv_rows_put(&d->rows, d->pixels, e);
    }
    if (status) return status;
    d->all_rows = 1;
    png_read_end(d->png, d->info);
    d->orientation = orientation_of(d);
    return 0;
}

static int guarded(struct decoder *d, struct xfv_err *e)
{
    if (setjmp(png_jmpbuf(d->png))) {
        int in_raster = !d->all_rows || !d->raster_end || d->at < d->raster_end || !strncmp(d->text, "IDAT", 4);
        if (in_raster || !strncmp(d->text, "eXIf", 4)) return xfv_fail_damaged(e, "PNG", d->text);
        d->orientation = orientation_of(d);
        return 0; /* every pixel is there and checked; what follows them is not for us */
    }
    return decode(d, e);
}

int xfv_decode_png(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                   struct xfv_err *e)
{
    struct decoder d = {.bytes = bytes, .n = n, .opts = o, .orientation = 1, .raster_end = find_raster_end(bytes, n)};
    int status;
    d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &d, on_error, on_warning);
    d.info = d.png ? png_create_info_struct(d.png) : NULL;
    status = d.info ? guarded(&d, e) : xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a PNG image");
    png_destroy_read_struct(&d.png, &d.info, NULL);
    xfv_rows_close(&d.rows);
    if (!status) status = xfv_image_orient(&d.rows.im, d.orientation, e);
    if (status) xfv_image_clear(&d.rows.im);
    else *out = d.rows.im;
    free(d.pixels);
    free(d.each);
    return status;
}
