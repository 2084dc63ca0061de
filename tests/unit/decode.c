/* Decoding: limits, orientation, Netpbm streams, damage. With an argument it writes that image decoded, as PPM, on
 * stdout (tests/cli/decode.sh). */
#include <stdint.h>

#include <string.h>
#include <zlib.h>

#include "image/internal.h"
#include "image/image.h"
#include "image/pnm.h"
#include "image/rows.h"
#include "../tap.h"

/* The file at path, decoded, as a PPM of *n bytes that the caller frees. */
static int ppm_of(const char *path, int hint, uint8_t **out, size_t *n, struct xfv_err *e)
{
    struct xfv_image im = {0};
    struct xfv_decode_opts o = xfv_decode_opts_default();
    o.min_side_hint = hint;
    size_t cap = (size_t)16 << 20;
    uint8_t *b = malloc(cap);
    FILE *f = fopen(path, "rb");
    *out = NULL, *n = 0;
    int status = f && b ? 0 : xfv_fail(e, XFV_EIO, "cannot open %s", path);
    if (!status) status = xfv_image_decode(b, fread(b, 1, cap, f), &o, &im, NULL, e);
    if (f) fclose(f);
    free(b);
    if (!status) status = xfv_image_encode_ppm(&im, out, n, e);
    xfv_image_clear(&im);
    return status;
}

static int dump(const char *path, int hint)
{
    struct xfv_err e = {0};
    uint8_t *out;
    size_t n;
    int status = ppm_of(path, hint, &out, &n, &e);
    if (status) fprintf(stderr, "%s\n", e.msg);
    if (out) fwrite(out, 1, n, stdout);
    free(out);
    return -status;
}

/* A line for each file: the status, the size and CRC-32 of its PPM, the sentence. */
static int tell_each(char **path)
{
    for (; *path; path++) {
        struct xfv_err e = {0};
        uint8_t *out;
        size_t n;
        int status = ppm_of(*path, 0, &out, &n, &e);
        printf("%d\t%zu\t%lu\t%s\n", -status, n, out ? crc32(0, out, (uInt)n) : 0, status ? e.msg : "");
        free(out);
    }
    return 0;
}

static int decode(const char *bytes, size_t n, struct xfv_image *im, struct xfv_err *e)
{
    return xfv_image_decode((const uint8_t *)bytes, n, NULL, im, NULL, e);
}

/* A literal image of one row and its wanted RGB bytes. */
static void gives(const char *what, const char *bytes, size_t n, const char *rgb, size_t n_rgb)
{
    struct xfv_err e = {0};
    struct xfv_image im;
    int r = decode(bytes, n, &im, &e);
    size_t got = r ? 0 : (size_t)im.width * (size_t)im.height * 3;
    OK(r == 0 && got == n_rgb && memcmp(im.data, rgb, got) == 0, "%s", what);
    if (r) printf("# %s\n", e.msg);
    xfv_image_clear(&im);
}
#define GIVES(what, in, rgb) gives(what, in, sizeof(in) - 1, rgb, sizeof(rgb) - 1)

static void fails(const char *what, const char *bytes, size_t n, int status, const char *part)
{
    struct xfv_err e = {0};
    struct xfv_image im;
    int r = decode(bytes, n, &im, &e);
    OK(r == status && e.status == status && strstr(e.msg, part) && !im.data, "%s: %s", what, e.msg);
    xfv_image_clear(&im);
}

static void netpbm(void)
{
    GIVES("raw PPM", "P6\n2 1\n255\n\1\2\3\4\5\6", "\1\2\3\4\5\6");
    GIVES("raw PGM with a comment", "P5\n# hello\n3 1\n255\n\0\x80\xff", "\0\0\0\x80\x80\x80\xff\xff\xff");
    GIVES("raw PGM of 16 bits, rounded", "P5 2 1 65535\n\x80\x00\x01\x00", "\x80\x80\x80\1\1\1");
    GIVES("plain PGM, maxval 15", "P2 3 1 15 0 8 15\n", "\0\0\0\x88\x88\x88\xff\xff\xff");
    GIVES("plain PPM", "P3 1 1 255 10 20 30\n", "\x0a\x14\x1e");
    GIVES("raw PBM: 1 is black", "P4\n2 1\n\x40", "\xff\xff\xff\0\0\0");
    GIVES("plain PBM", "P1\n2 1\n01", "\xff\xff\xff\0\0\0");
    GIVES("PAM grey with opacity, over mid grey",
          "P7\nWIDTH 2\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n\xc8\xff\xc8\x80",
          "\xc8\xc8\xc8\xa4\xa4\xa4");
    GIVES("PAM RGB with opacity",
          "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n\xff\x80\x40\x00", "\x80\x80\x80");
    GIVES("PAM CMYK", "P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE CMYK\nENDHDR\n\xff\0\0\0\0\0\0\xff",
          "\0\xff\xff\0\0\0");
    GIVES("PAM with maxval 1", "P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n\1\0",
          "\xff\xff\xff\0\0\0");
#define FAILS(what, in, status, part) fails(what, in, sizeof(in) - 1, status, part)
    FAILS("nothing", "", XFV_EDATA, "empty");
    FAILS("a text", "hello, world", XFV_EDATA, "no image of a format that is read (JPEG PNG");
    FAILS("a raster cut short", "P6\n2 2\n255\n\1\2\3\4\5\6", XFV_EDATA, "row 1 of 2");
    FAILS("a header cut short", "P6\n2", XFV_EDATA, "corrupt Netpbm");
    FAILS("no number", "P6\nx 2\n255\n", XFV_EDATA, "corrupt Netpbm");
    FAILS("no pixels", "P6\n0 2\n255\n", XFV_EDATA, "corrupt");
    FAILS("a negative size", "P6\n-1 2\n255\n", XFV_EDATA, "corrupt");
    FAILS("a size past the limit, by its header alone", "P5\n100000 100000\n255\n", XFV_ELIMIT, "--max-pixels");
    FAILS("a size past int", "P5\n4294967297 1\n255\n", XFV_EDATA, "corrupt");
    FAILS("too many planes", "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 500000000\nMAXVAL 255\nENDHDR\n\1", XFV_EDATA, "depth");
    FAILS("five planes", "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 5\nMAXVAL 255\nENDHDR\n\1\1\1\1\1", XFV_EDATA,
          "samples a pixel");
    FAILS("maxval 0", "P5 1 1 0\n\1", XFV_EDATA, "corrupt");
    FAILS("a 16-bit raster cut short", "P5 2 1 65535\n\x80\x00\x01", XFV_EDATA, "corrupt");
}

static void stream(void)
{
    static const char s[] = "P5 1 1 255\n\x07P6\n1 1\n255\n\1\2\3\nP5 2 1 65535\n\0\0\xff\xffP5 4 4 255\nxx";
    struct xfv_err e = {0};
    struct xfv_decode_opts o = xfv_decode_opts_default();
    struct xfv_image im;
    FILE *f = fmemopen((void *)(uintptr_t)s, sizeof s - 1, "rb");
    int r = xfv_pnm_read(f, &o, &im, &e);
    OK(r == 0 && im.width == 1 && im.data[0] == 7, "first image of a stream");
    xfv_image_clear(&im);
    r = xfv_pnm_read(f, &o, &im, &e);
    OK(r == 0 && im.data[2] == 3, "second image, of another kind");
    xfv_image_clear(&im);
    r = xfv_pnm_read(f, &o, &im, &e);
    OK(r == 0 && im.width == 2 && im.data[0] == 0 && im.data[3] == 255, "third image, after white space, 16 bits");
    xfv_image_clear(&im);
    OK(xfv_pnm_read(f, &o, &im, &e) == XFV_EDATA && strstr(e.msg, "row 0 of 4"), "a cut fourth image is an error");
    fclose(f);
    f = fmemopen((void *)(uintptr_t)s, 12, "rb");
    r = xfv_pnm_read(f, &o, &im, &e);
    xfv_image_clear(&im);
    OK(r == 0 && xfv_pnm_read(f, &o, &im, &e) == XFV_EOF, "the end after a whole image is the end");
    fclose(f);
}

/* Pixel numbers after turning a 2 x 3 image (rows 01 23 45) upright, by EXIF 2.32's definition of each value. */
static void orientation(void)
{
    static const char *want[9] = {"", "012345", "103254", "543210", "452301", "024135", "420531", "531420", "135024"};
    for (int o = 1; o <= 8; o++) {
        struct xfv_image im;
        struct xfv_err e = {0};
        xfv_image_alloc(&im, 2, 3, 1, &e);
        memcpy(im.data, "012345", 6);
        int r = xfv_image_orient(&im, o, &e);
        OK(r == 0 && memcmp(im.data, want[o], 6) == 0 && im.width == (o < 5 ? 2 : 3), "orientation %d", o);
        xfv_image_clear(&im);
    }
}

/* Huge photographs are halved while they are read: means of squares, which the edge cuts. */
static void shrink(void)
{
    static const char ppm[] = "P5 5 3 255\n\x00\x04\x10\x20\x64\x08\x0c\x30\x40\x66\x50\x60\x70\x80\xff";
    static const uint8_t want[6] = {6, 0x28, 0x65, 0x58, 0x78, 0xff};
    struct xfv_err e = {0};
    struct xfv_image im;
    struct xfv_decode_opts o = xfv_decode_opts_default();
    int scale, same;
    o.full_pixels = 14;
    same = !xfv_image_decode((const uint8_t *)ppm, sizeof ppm - 1, &o, &im, &scale, &e) && im.width == 3 &&
           im.height == 2 && scale == 2 && im.scale == 2;
    for (int i = 0; i < 18 && same; i++) same = im.data[i] == want[i / 3];
    OK(same, "halved while it is read");
    xfv_image_clear(&im);
    o.full_pixels = 15;
    OK(!xfv_image_decode((const uint8_t *)ppm, sizeof ppm - 1, &o, &im, &scale, &e) && im.width == 5 && im.scale == 1,
       "or not");
    xfv_image_clear(&im);
    o.max_bytes = 1 << 20;
    OK(!xfv_check_cost(500, 500, 1, 0, &o, &e) && xfv_check_cost(700, 700, 1, 8, &o, &e) == XFV_ELIMIT &&
           strstr(e.msg, "--max-memory"),
       "%s", e.msg);
    o = xfv_decode_opts_default();
    OK(!xfv_check_cost(16384, 12240, 20 << 20, 0, &o, &e), "a phone's 200 megapixels");
    OK(xfv_check_cost(16384, 12240, 300000, 0, &o, &e) == XFV_ELIMIT && !strcmp(e.code, "limit"), "%s", e.msg);
}

static void png_round_trip(void)
{
    struct xfv_err e = {0};
    for (int channels = 1; channels <= 3; channels += 2) {
        struct xfv_image im, back;
        xfv_image_alloc(&im, 37, 11, channels, &e);
        size_t bytes = (size_t)(37 * 11 * channels);
        for (size_t i = 0; i < bytes; i++) im.data[i] = (uint8_t)(i * 7 + i / 5);
        uint8_t *p = NULL, *q = NULL;
        size_t n, m;
        OK(xfv_image_encode_png(&im, &p, &n, &e) == 0 && xfv_image_encode_png(&im, &q, &m, &e) == 0 && n == m &&
               !memcmp(p, q, n),
           "PNG of %d channels, the same bytes twice", channels);
        int r = xfv_image_decode(p, n, NULL, &back, NULL, &e), same = !r && back.width == 37 && back.height == 11;
        for (size_t i = 0; same && i < 37 * 11 * 3; i++) same = back.data[i] == im.data[channels == 3 ? i : i / 3];
        OK(same, "and it reads back equal");
        xfv_image_clear(&back);
        int bad = 0;
        for (size_t cut = 0; cut < n; cut++) {
            r = xfv_image_decode(p, cut, NULL, &back, NULL, &e);
            int whole = cut >= n - 12; /* all but the last chunk, which holds nothing */
            if (r != (whole ? 0 : XFV_EDATA) || !back.data != !whole) bad++;
            xfv_image_clear(&back);
        }
        OK(bad == 0, "cut at any byte of its pixels it is refused");
        free(p);
        free(q);
        xfv_image_clear(&im);
    }
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "each") == 0) return tell_each(argv + 2);
    if (argc > 1) return dump(argv[1], argc > 2 ? atoi(argv[2]) : 0);
    netpbm();
    stream();
    orientation();
    shrink();
    png_round_trip();
    return tap_done();
}
