#include "report/html.h"

#include <math.h>
#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <string.h>

#include "base/utf8.h"
#include "report/internal.h"

static const char *reference(uint32_t c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* Characters that turn text around, so that a name could forge what stands beside it. */
static int turns_text(uint32_t c)
{
    return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void xfv_html_text(FILE *f, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t c = 0;
        size_t len = xfv_utf8_next(s + i, n - i, &c);
        const char *r = len ? reference(c) : NULL;
        if (r) fputs(r, f);
        else if (!len || turns_text(c) || (c >= 0x80 && c < 0xa0)) fputs("\xef\xbf\xbd", f);
        else if (c < 32 || c == 127) fprintf(f, "&#%u;", c == 127 ? 0x2421u : 0x2400u + (unsigned)c);
        else fwrite(s + i, 1, len, f);
        i += len ? len : 1;
    }
}

void xfv_html_path(FILE *f, const char *s, size_t n)
{
    for (size_t i = 0, from = 0; i < n; i++) {
        if (s[i] != '/' && s[i] != '|' && i + 1 < n) continue;
        xfv_html_text(f, s + from, i + 1 - from);
        if (i + 1 < n) fputs("<wbr>", f);
        from = i + 1;
    }
}

void xfv_html_str(FILE *f, const char *s)
{
    xfv_html_text(f, s, strlen(s));
}

/* In pieces of whole groups of three bytes, so that only the last may need padding. */
void xfv_base64(FILE *f, const uint8_t *p, size_t n)
{
    char to[BASE64_ENCODE_RAW_LENGTH(3072)];
    for (size_t i = 0; i < n; i += 3072) {
        size_t piece = n - i < 3072 ? n - i : 3072;
        base64_encode_raw(to, piece, p + i);
        fwrite(to, 1, BASE64_ENCODE_RAW_LENGTH(piece), f);
    }
}

void xfv_html_hash(char *buf, const void *p, size_t n)
{
    struct sha256_ctx c;
    uint8_t sum[SHA256_DIGEST_SIZE];
    sha256_init(&c);
    sha256_update(&c, n, p);
    sha256_digest(&c, sizeof sum, sum);
    memcpy(buf, "sha256-", 7);
    base64_encode_raw(buf + 7, sizeof sum, sum);
    buf[7 + 44] = '\0';
}

const char *xfv_number_text(double v, int digits, char *buf, size_t cap)
{
    snprintf(buf, cap, fabs(v) < 1e7 ? "%.*f" : "%.*g", fabs(v) < 1e7 ? digits : 3, v);
    return buf;
}

const char *xfv_percent_text(double v, char *buf, size_t cap)
{
    snprintf(buf, cap, v > 0 && v < 0.00995 ? "%.2g" : v > 0 && v < 0.9995 ? "%.1f" : "%.3g", 100 * v);
    return buf;
}
