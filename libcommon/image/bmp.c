/* BMP: headers of all versions, 1 to 32 bits a pixel, RLE, masks of any width. */
#include <stdlib.h>
#include <string.h>

#include "image/internal.h"
#include "image/rows.h"

enum { BI_RGB, BI_RLE8, BI_RLE4, BI_BITFIELDS, BI_JPEG, BI_PNG, BI_ALPHABITFIELDS };

struct bmp {
    const uint8_t *bytes;
    size_t n, pixels;   /* where these begin */
    long width, height; /* height positive: rows from the bottom up */
    unsigned bits, compression;
    uint32_t mask[4];   /* red, green, blue, alpha */
    uint8_t palette[256][3];
    unsigned colours;
};

static uint32_t get(const uint8_t *p, int n)
{
    uint32_t v = 0;
    for (int i = n - 1; i >= 0; i--) v = v << 8 | p[i];
    return v;
}

static int fail(struct xfv_err *e, const char *why)
{
    return xfv_fail_damaged(e, "BMP", why);
}

static int read_masks(struct bmp *b, uint32_t header)
{
    static const uint32_t sixteen[4] = {0x7c00, 0x3e0, 0x1f, 0}, wide[4] = {0xff0000, 0xff00, 0xff, 0};
    memcpy(b->mask, b->bits == 16 ? sixteen : wide, sizeof b->mask);
    if (b->compression != BI_BITFIELDS && b->compression != BI_ALPHABITFIELDS) return 0;
    size_t count = header >= 56 || b->compression == BI_ALPHABITFIELDS ? 4 : 3;
    if (b->n < 54 + 4 * count) return -1;
    for (size_t i = 0; i < count; i++) b->mask[i] = get(b->bytes + 54 + 4 * i, 4);
    return 0;
}

static int read_palette(struct bmp *b, uint32_t header, uint32_t used)
{
    size_t entry = header == 12 ? 3 : 4, at = 14 + (size_t)header;
    if (header == 40 && b->compression == BI_BITFIELDS) at += 12;
    if (b->bits > 8) return 0;
    b->colours = used && used < 1u << b->bits ? used : 1u << b->bits;
    if (header == 12 && b->pixels > at && (b->pixels - at) / 3 < b->colours)
        b->colours = (unsigned)((b->pixels - at) / 3);
    if (b->n < at || (b->n - at) / entry < b->colours) return -1;
    for (unsigned i = 0; i < b->colours; i++)
        for (int c = 0; c < 3; c++) b->palette[i][c] = b->bytes[at + entry * i + 2 - (size_t)c];
    return 0;
}

static int read_header(struct bmp *b, struct xfv_err *e)
{
    const uint8_t *p = b->bytes;
    if (b->n < 26) return fail(e, "its header is cut");
    uint32_t header = get(p + 14, 4), used = 0;
    if (header != 12 && (header < 40 || b->n < 54)) return fail(e, "its header is cut or of an unknown kind");
    b->pixels = get(p + 10, 4);
    if (header == 12) {
        b->width = (long)get(p + 18, 2);
        b->height = (long)get(p + 20, 2);
        b->bits = get(p + 24, 2);
    } else {
        b->width = (int32_t)get(p + 18, 4);
        b->height = (int32_t)get(p + 22, 4);
        b->bits = get(p + 28, 2);
        b->compression = get(p + 30, 4);
        used = get(p + 46, 4);
    }
    if (b->height == INT32_MIN) return fail(e, "its height is no number of rows");
    if (b->compression == BI_JPEG || b->compression == BI_PNG)
        return xfv_fail_code(e, XFV_EDATA, "format", "a BMP image around a JPEG or PNG is not read: convert it to PNG");
    if (b->compression > BI_ALPHABITFIELDS || !b->bits || b->bits > 32 || !strchr("\1\2\4\10\20\30\40", (int)b->bits))
        return fail(e, "it is of an unknown kind");
    if (read_masks(b, header) || read_palette(b, header, used)) return fail(e, "its masks or colours are cut");
    return b->pixels > b->n ? fail(e, "its pixels are missing") : 0;
}

/* ---- rows ---- */

/* The bits of a mask as 0..255. */
static uint8_t masked(uint32_t v, uint32_t mask)
{
    uint32_t low = mask & (~mask + 1), most = low ? mask / low : 0;
    if (!most) return 255;
    uint64_t of_255 = ((uint64_t)((v & mask) / low) * 255 + most / 2) / most;
    return (uint8_t)of_255;
}

static int put_colour(const struct bmp *b, unsigned index, uint8_t *t)
{
    if (index >= b->colours) return -1;
    memcpy(t, b->palette[index], 3);
    t[3] = 255;
    return 0;
}

/* Row y of a file without run lengths, to RGBA. */
static int read_row(const struct bmp *b, long y, uint8_t *t)
{
    size_t stride = ((size_t)b->width * b->bits + 31) / 32 * 4, row = (size_t)(b->height > 0 ? b->height - 1 - y : y);
    if (!stride || row >= (b->n - b->pixels + stride - 1) / stride) return -1;
    const uint8_t *s = b->bytes + b->pixels + row * stride;
    if ((size_t)(b->bytes + b->n - s) < ((size_t)b->width * b->bits + 7) / 8) return -1;
    for (size_t x = 0; x < (size_t)b->width; x++, t += 4) {
        size_t bit = x * b->bits;
        if (b->bits <= 8) {
            if (put_colour(b, (unsigned)s[bit / 8] >> (8 - b->bits - bit % 8) & ((1u << b->bits) - 1), t)) return -1;
            continue;
        }
        uint32_t v = get(s + bit / 8, (int)b->bits / 8);
        for (int c = 0; c < 4; c++) t[c] = masked(v, b->mask[c]);
    }
    return 0;
}

/* Programs write an alpha channel that is all zeros and mean none. */
static void drop_empty_alpha(struct bmp *b)
{
    if (b->bits != 32 || !b->mask[3]) return;
    for (size_t at = b->pixels; at + 4 <= b->n; at += 4)
        if (get(b->bytes + at, 4) & b->mask[3]) return;
    b->mask[3] = 0;
}

/* Run lengths, into one byte a pixel [height][width]. */
static int read_runs(const struct bmp *b, uint8_t *index)
{
    const uint8_t *p = b->bytes + b->pixels, *end = b->bytes + b->n;
    size_t x = 0, y = 0, w = (size_t)b->width, h = (size_t)labs(b->height);
    int nibbles = b->compression == BI_RLE4;
    while (end - p >= 2) {
        size_t n = p[0], v = p[1];
        p += 2;
        if (n) {
            for (size_t i = 0; i < n && y < h && x < w; i++)
                index[y * w + x++] = (uint8_t)(!nibbles ? v : i % 2 ? v & 15 : v >> 4);
        } else if (v == 0) {
            x = 0, y++;
        } else if (v == 1) {
            return 0;
        } else if (v == 2) {
            if (end - p < 2) return -1;
            x += p[0], y += p[1];
            p += 2;
        } else {
            size_t bytes = nibbles ? (v + 1) / 2 : v;
            if ((size_t)(end - p) < bytes) return -1;
            for (size_t i = 0; i < v && y < h && x < w; i++)
                index[y * w + x++] = (uint8_t)(!nibbles ? p[i] : i % 2 ? p[i / 2] & 15 : p[i / 2] >> 4);
            p += bytes + (bytes % 2 && bytes < (size_t)(end - p));
        }
    }
    return y + 1 >= h ? 0 : -1; /* the end mark may be missing, rows may not */
}

static int read_rle_row(const struct bmp *b, const uint8_t *index, long y, uint8_t *t)
{
    const uint8_t *s = index + (size_t)(b->height > 0 ? b->height - 1 - y : y) * (size_t)b->width;
    for (long x = 0; x < b->width; x++)
        if (put_colour(b, s[x], t + 4 * x)) return -1;
    return 0;
}

static int read_rows(const struct bmp *b, const uint8_t *index, struct xfv_rows *rows, struct xfv_err *e)
{
    uint8_t *rgba = malloc((size_t)b->width * 4);
    int status = rgba ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory for a row of %ld pixels", b->width);
    for (long y = 0; y < labs(b->height) && !status; y++) {
        if (index ? read_rle_row(b, index, y, rgba) : read_row(b, y, rgba))
            status = fail(e, "its pixels are cut, or have colours that it does not list");
        if (!status) status = xfv_rows_put(rows, rgba, e);
    }
    free(rgba);
    return status;
}

int xfv_decode_bmp(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                   struct xfv_err *e)
{
    struct bmp b = {.bytes = bytes, .n = n};
    struct xfv_rows rows = {0};
    uint8_t *index = NULL;
    int status = read_header(&b, e);
    if (status) return status;
    drop_empty_alpha(&b);
    int runs = b.compression == BI_RLE8 || b.compression == BI_RLE4;
    long h = labs(b.height);
    status = xfv_check_cost(b.width, h, n, runs, o, e);
    if (!status && runs && b.bits != (b.compression == BI_RLE8 ? 8 : 4)) status = fail(e, "it is of an unknown kind");
    if (!status && runs && !(index = calloc((size_t)b.width, (size_t)h)))
        status = xfv_fail(e, XFV_ENOMEM, "out of memory for an image of %ld x %ld pixels", b.width, h);
    if (!status && runs && read_runs(&b, index)) status = fail(e, "its runs end too early");
    if (!status) status = xfv_rows_open(&rows, (int)b.width, (int)h, XFV_RGBA, xfv_shrink_of(b.width, h, o), e);
    if (!status) status = read_rows(&b, index, &rows, e);
    free(index);
    xfv_rows_close(&rows);
    if (status) xfv_image_clear(&rows.im);
    else *out = rows.im;
    return status;
}
