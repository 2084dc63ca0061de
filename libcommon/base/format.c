#include "base/format.h"

#include <ctype.h>
#include <string.h>

#define TAKE_OUT "take the JPEG or JPEG 2000 image out of it"
#define CONVERT "convert it to JPEG, PNG or TIFF"
#define DEVELOP "develop it to JPEG, PNG or TIFF"
#define EXPORT "export it as JPEG, PNG or TIFF"
#define UNPACK "unpack it"
#define FRAME "take single frames out of it (ffmpeg)"

/* len bytes of mark at place `at`, and `more` (NULL: nothing) at place `more_at`. The first that fits counts. */
static const struct signature {
    uint8_t at, len;
    const char *mark;
    uint8_t more_at;
    const char *more;
    struct xfv_format_info info;
} known[] = {
    {0, 4, "\xff\xd8\xff\xf7", 0, NULL, {NULL, "a JPEG-LS image", CONVERT}},
    {0, 2, "\xff\xd8", 0, NULL, {"jpeg", "a JPEG image", NULL}},
    {0, 8, "\x89PNG\r\n\x1a\n", 0, NULL, {"png", "a PNG image", NULL}},
    {0, 4, "RIFF", 8, "WEBP", {"webp", "a WebP image", NULL}},
    {0, 4, "RIFF", 8, "AVI ", {NULL, "a film (AVI)", FRAME}},
    {0, 6, "GIF87a", 0, NULL, {"gif", "a GIF image", NULL}},
    {0, 6, "GIF89a", 0, NULL, {"gif", "a GIF image", NULL}},
    {0, 4, "II*\0", 8, "CR", {NULL, "a camera's raw file (CR2)", DEVELOP}},
    {0, 4, "II*\0", 0, NULL, {"tiff", "a TIFF image", NULL}},
    {0, 4, "MM\0*", 0, NULL, {"tiff", "a TIFF image", NULL}},
    {0, 4, "II+\0", 0, NULL, {"tiff", "a TIFF image", NULL}},
    {0, 4, "MM\0+", 0, NULL, {"tiff", "a TIFF image", NULL}},
    {4, 8, "ftypavif", 0, NULL, {"heif", "an AVIF image", NULL}},
    {4, 8, "ftypavis", 0, NULL, {"heif", "an AVIF image", NULL}},
    {4, 7, "ftyphei", 0, NULL, {"heif", "a HEIC image", NULL}},
    {4, 7, "ftyphev", 0, NULL, {"heif", "a HEIC image", NULL}},
    {4, 8, "ftypmif1", 0, NULL, {"heif", "a HEIF image", NULL}},
    {4, 8, "ftypmif2", 0, NULL, {"heif", "a HEIF image", NULL}},
    {4, 8, "ftypmsf1", 0, NULL, {"heif", "a HEIF image", NULL}},
    {4, 8, "ftypcrx ", 0, NULL, {NULL, "a camera's raw file (CR3)", DEVELOP}},
    {4, 4, "ftyp", 0, NULL, {NULL, "a film (MP4 or QuickTime)", FRAME}},
    {0, 2, "\xff\x0a", 0, NULL, {"jxl", "a JPEG XL image", NULL}},
    {0, 12, "\0\0\0\x0cJXL \r\n\x87\n", 0, NULL, {"jxl", "a JPEG XL image", NULL}},
    {0, 12, "\0\0\0\x0cjP  \r\n\x87\n", 20, "jpx ", {"jp2", "a JPEG 2000 image", NULL}},
    {0, 12, "\0\0\0\x0cjP  \r\n\x87\n", 0, NULL, {"jp2", "a JPEG 2000 image", NULL}},
    {0, 4, "\xff\x4f\xff\x51", 0, NULL, {"jp2", "a JPEG 2000 image", NULL}},
    {1,
     7,
     "\xa1_\xa4head",
     0,
     NULL,
     {"stream", "a stream of xfv-tools", "embed, verify and the programs after them read it"}},
    {0, 4, "8BPS", 0, NULL, {NULL, "a Photoshop document (PSD)", EXPORT}},
    {0, 15, "FUJIFILMCCD-RAW", 0, NULL, {NULL, "a camera's raw file (RAF)", DEVELOP}},
    {0, 4, "IIU\0", 0, NULL, {NULL, "a camera's raw file (RW2)", DEVELOP}},
    {0, 3, "IIR", 0, NULL, {NULL, "a camera's raw file (ORF)", DEVELOP}},
    {0, 4, "MMOR", 0, NULL, {NULL, "a camera's raw file (ORF)", DEVELOP}},
    {0, 4, "FOVb", 0, NULL, {NULL, "a camera's raw file (X3F)", DEVELOP}},
    {0, 3, "II\xbc", 0, NULL, {NULL, "a JPEG XR image", CONVERT}},
    {0, 4, "FAC\0", 0, NULL, {NULL, "an ISO 19794-5 face record", TAKE_OUT}},
    {0, 4, "%PDF", 0, NULL, {NULL, "a PDF document", "take its images out (pdfimages)"}},
    {0, 4, "%!PS", 0, NULL, {NULL, "a PostScript document", EXPORT}},
    {0, 4, "PK\3\4", 0, NULL, {NULL, "a ZIP archive", UNPACK}},
    {0, 4, "Rar!", 0, NULL, {NULL, "a RAR archive", UNPACK}},
    {0, 6, "7z\xbc\xaf\x27\x1c", 0, NULL, {NULL, "a 7z archive", UNPACK}},
    {0, 2, "\x1f\x8b", 0, NULL, {NULL, "gzip data", UNPACK}},
    {0, 4, "\x28\xb5\x2f\xfd", 0, NULL, {NULL, "zstd data", UNPACK}},
    {0,
     6,
     "\xfd"
     "7zXZ\0",
     0,
     NULL,
     {NULL, "xz data", UNPACK}},
    {0, 3, "BZh", 0, NULL, {NULL, "bzip2 data", UNPACK}},
    {0, 3, "PF\n", 0, NULL, {NULL, "a PFM image", "convert it to PPM (pfmtopam)"}},
    {0, 3, "Pf\n", 0, NULL, {NULL, "a PFM image", "convert it to PPM (pfmtopam)"}},
    {0, 2, "PF", 0, NULL, {NULL, "a PFM image", "convert it to PPM (pfmtopam)"}},
    {0, 4, "\x76\x2f\x31\x01", 0, NULL, {NULL, "an OpenEXR image", CONVERT}},
    {0, 3, "#?R", 0, NULL, {NULL, "a Radiance HDR image", CONVERT}},
    {0, 4, "qoif", 0, NULL, {NULL, "a QOI image", CONVERT}},
    {0, 4, "BPG\xfb", 0, NULL, {NULL, "a BPG image", CONVERT}},
    {0, 4, "DDS ", 0, NULL, {NULL, "a DDS image", CONVERT}},
    {0, 8, "farbfeld", 0, NULL, {"farbfeld", "a farbfeld image", NULL}},
    {0, 4, "\0\0\1\0", 0, NULL, {NULL, "an icon (ICO)", CONVERT}},
    {0, 9, "SIMPLE  =", 0, NULL, {NULL, "a FITS image", CONVERT}},
    {128, 4, "DICM", 0, NULL, {NULL, "a DICOM image", CONVERT}},
    {0, 4, "\x1a\x45\xdf\xa3", 0, NULL, {NULL, "a film (Matroska or WebM)", FRAME}},
    {0, 9, "gimp xcf ", 0, NULL, {NULL, "a GIMP document (XCF)", EXPORT}},
    {0, 6, "\x93NUMPY", 0, NULL, {NULL, "a NumPy array", NULL}},
    {0, 4, "\x89HDF", 0, NULL, {NULL, "an HDF5 file", NULL}},
    {0,
     4,
     "\x7f"
     "ELF",
     0,
     NULL,
     {NULL, "a program", NULL}},
    {4, 4, "TFL3", 0, NULL, {NULL, "a TFLite model", NULL}},
    {0, 4, "XFVM", 0, NULL, {NULL, "a model of xfv-tools", "-m names models"}},
};

static int has(const uint8_t *bytes, size_t n, size_t at, const char *mark, size_t len)
{
    return n >= at + len && !memcmp(bytes + at, mark, len);
}

static int fits(const struct signature *s, const uint8_t *bytes, size_t n)
{
    return has(bytes, n, s->at, s->mark, s->len) && (!s->more || has(bytes, n, s->more_at, s->more, strlen(s->more)));
}

/* Does `word`, in small letters, stand in the bytes, which may write it large? */
static int contains(const uint8_t *bytes, size_t n, const char *word)
{
    size_t k = strlen(word);
    for (size_t i = 0; i + k <= n; i++) {
        size_t at = 0;
        while (at < k && tolower(bytes[i + at]) == word[at]) at++;
        if (at == k) return 1;
    }
    return 0;
}

/* Markup begins with < after blanks. */
static struct xfv_format_info markup_of(const uint8_t *bytes, size_t n)
{
    if (contains(bytes, n, "<svg"))
        return (struct xfv_format_info){NULL, "an SVG drawing", "draw it as PNG (rsvg-convert)"};
    if (contains(bytes, n, "<html") || contains(bytes, n, "<!doctype html"))
        return (struct xfv_format_info){NULL, "a web page (a failed download?)", "get the image itself"};
    if (contains(bytes, n, "<?xml")) return (struct xfv_format_info){NULL, "an XML document", NULL};
    return (struct xfv_format_info){0};
}

/* A header of known length, or "BM" would be many a text's beginning. */
static int is_bmp(const uint8_t *bytes, size_t n)
{
    return n >= 18 && !memcmp(bytes, "BM", 2) && bytes[14] >= 12 && bytes[14] <= 124 && !bytes[15] && !bytes[16] &&
           !bytes[17];
}

static int is_pnm(const uint8_t *bytes, size_t n)
{
    return n >= 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
           (n == 2 || isspace(bytes[2]) || bytes[2] == '#');
}

struct xfv_format_info xfv_format_of(const uint8_t *bytes, size_t n)
{
    size_t blanks = 0;
    if (n > XFV_FORMAT_BYTES) n = XFV_FORMAT_BYTES;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (fits(&known[i], bytes, n)) return known[i].info;
    if (is_pnm(bytes, n)) return (struct xfv_format_info){"pnm", "a PNM image", NULL};
    if (is_bmp(bytes, n)) return (struct xfv_format_info){"bmp", "a BMP image", NULL};
    if (n >= 8 && bytes[0] == 0x75 && contains(bytes, n, "fac")) /* data group 2, around ISO 19794-5 */
        return (struct xfv_format_info){NULL, "a passport's data group 2 (ISO 19794-5)", TAKE_OUT};
    while (blanks < n && (isspace(bytes[blanks]) || bytes[blanks] >= 0x80)) blanks++; /* a byte order mark, too */
    return blanks < n && bytes[blanks] == '<' ? markup_of(bytes + blanks, n - blanks) : (struct xfv_format_info){0};
}
