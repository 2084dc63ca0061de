/* What a file is, by its first bytes: the one list of signatures. */
#ifndef XFV_BASE_FORMAT_H
#define XFV_BASE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum xfv_format {
    XFV_FORMAT_UNKNOWN,
    XFV_FORMAT_JPEG,
    XFV_FORMAT_PNG,
    XFV_FORMAT_WEBP,
    XFV_FORMAT_PNM,
    XFV_FORMAT_GIF,
    XFV_FORMAT_BMP,
    XFV_FORMAT_FARBFELD,
    XFV_FORMAT_TIFF,
    XFV_FORMAT_HEIF,
    XFV_FORMAT_JXL,
    XFV_FORMAT_JP2,
    XFV_FORMAT_J2K, /* images: the file format, and the bare code stream */
    XFV_FORMAT_STREAM, /* our own */
    XFV_FORMAT_OTHER /* none that we read; its name and advice say what to do */
};

struct xfv_format_info {
    enum xfv_format format;
    const char *name;   /* "a PNG image"; NULL: unknown */
    const char *advice; /* how to get an image that is read: "convert it to PNG or TIFF"; NULL: none */
};

enum { XFV_FORMAT_BYTES = 256 }; /* more are not looked at */
struct xfv_format_info xfv_format_of(const uint8_t *bytes, size_t n);

#endif
