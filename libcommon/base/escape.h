#ifndef XFV_BASE_ESCAPE_H
#define XFV_BASE_ESCAPE_H

#include <stddef.h>

/* Copy s[0..n) with control characters, also those of UTF-8's C1 block, and bytes that are not UTF-8 as \n, \t, \xHH,
 * \uHHHH; returns the length; cut to fit cap with "...". The result is UTF-8 on one line. */
size_t xfv_escape(char *buf, size_t cap, const char *s, size_t n);

/* The other way, in place: \n, \t, \r, \xHH and \uHHHH become what they stand for (no NUL); all else stays. */
void xfv_unescape(char *s);

#endif
