/* UTF-8, one character at a time: for checking keys, for printing JSON, for drawing text. */
#ifndef XFV_BASE_UTF8_H
#define XFV_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The first character of the n bytes at s: its length in bytes (1..4) and, in *cp (may be NULL), its code point. 0 when
 * n is 0 or the bytes are not valid UTF-8 (overlong forms, surrogates and values past U+10FFFF are not valid). */
size_t xfv_utf8_next(const char *s, size_t n, uint32_t *cp);

int xfv_utf8_valid(const char *s, size_t n); /* 1 when all n bytes are valid UTF-8; a NUL byte is valid */

#endif
