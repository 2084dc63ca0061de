/* What a file is, by its first bytes: the one list of signatures. */
#ifndef XFV_BASE_FORMAT_H
#define XFV_BASE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

struct xfv_format_info {
    const char *reader; /* image/decoders.h's name of the decoder, or "stream"; NULL: nothing here reads it */
    const char *name;   /* "a PNG image"; NULL: unknown */
    const char *advice; /* how to get an image that is read: "convert it to PNG or TIFF"; NULL: none */
};

enum { XFV_FORMAT_BYTES = 256 }; /* more are not looked at */
struct xfv_format_info xfv_format_of(const uint8_t *bytes, size_t n);

#endif
