/* SHA-256 in 64 lower-case hexadecimal digits and a NUL. */
#ifndef XFV_BASE_SHA256_H
#define XFV_BASE_SHA256_H

#include <stddef.h>
#include <stdio.h>

enum { XFV_SHA256_HEX = 65 };

void xfv_sha256(const void *bytes, size_t n, char hex[XFV_SHA256_HEX]);
/* From where f stands to its end; -1 when it cannot be read. */
int xfv_sha256_file(FILE *f, char hex[XFV_SHA256_HEX]);

#endif
