#include "base/escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* One character of s: in *piece as it is shown; returns how many bytes it took. */
static size_t show_character(const char *s, size_t n, char piece[8])
{
    uint32_t cp = 0;
    size_t k = xfv_utf8_next(s, n, &cp);
    if (k == 0) snprintf(piece, 8, "\\x%02x", (unsigned char)*s); /* not UTF-8 */
    else if (cp == '\n') snprintf(piece, 8, "\\n");
    else if (cp == '\t') snprintf(piece, 8, "\\t");
    else if (cp == '\r') snprintf(piece, 8, "\\r");
    else if (cp < 0x20 || cp == 0x7f) snprintf(piece, 8, "\\x%02x", (unsigned)cp);
    /* control characters that some terminals obey */
    else if (cp >= 0x80 && cp < 0xa0) snprintf(piece, 8, "\\u%04x", (unsigned)cp);
    else snprintf(piece, 8, "%.*s", (int)k, s);
    return k ? k : 1;
}

size_t xfv_escape(char *buf, size_t cap, const char *s, size_t n)
{
    size_t at = 0;
    if (!cap) return 0;
    for (size_t i = 0; i < n;) {
        char piece[8];
        if (s[i] >= ' ' && s[i] <= '~' && at + 5 <= cap) { /* as most are: itself */
            buf[at++] = s[i++];
            continue;
        }
        i += show_character(s + i, n - i, piece);
        size_t k = strlen(piece);
        if (at + k + 4 > cap) { /* room for "..." */
            for (int d = 0; d < 3 && at + 1 < cap; d++) buf[at++] = '.';
            break;
        }
        memcpy(buf + at, piece, k);
        at += k;
    }
    buf[at] = '\0';
    return at;
}

/* n hexadecimal digits, or 0. */
static unsigned hex(const char *s, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    unsigned v = 0;
    for (size_t i = 0; i < n; i++) {
        const char *digit = s[i] ? strchr(digits, s[i]) : NULL;
        if (!digit) return 0;
        v = v << 4 | (unsigned)(digit - digits);
    }
    return v;
}

void xfv_unescape(char *s)
{
    char *to = s;
    while (*s) {
        char c = s[0] == '\\' ? s[1] : '\0';
        unsigned v = c == 'x' ? hex(s + 2, 2) : c == 'u' ? hex(s + 2, 4) : 0;
        if (c == 'n' || c == 't' || c == 'r') {
            *to++ = c == 'n' ? '\n' : c == 't' ? '\t' : '\r';
            s += 2;
        } else if (c == 'x' && v) {
            *to++ = (char)v;
            s += 4;
        } else if (v >= 0x80 && v < 0xa0) {
            *to++ = (char)0xc2;
            *to++ = (char)v;
            s += 6;
        } else {
            *to++ = *s++;
        }
    }
    *to = '\0';
}
