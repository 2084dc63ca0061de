#include "report/html.h"

#include <nettle/sha2.h>
#include <string.h>

#include "base/utf8.h"

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

void xfv_html_str(FILE *f, const char *s)
{
    xfv_html_text(f, s, strlen(s));
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three bytes as four digits. */
static void quad(char *to, const uint8_t *p, size_t n)
{
    unsigned v = (unsigned)p[0] << 16 | (n > 1 ? (unsigned)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
    to[0] = digits[v >> 18], to[1] = digits[v >> 12 & 63];
    to[2] = n > 1 ? digits[v >> 6 & 63] : '=', to[3] = n > 2 ? digits[v & 63] : '=';
}

void xfv_base64(FILE *f, const uint8_t *p, size_t n)
{
    char to[4];
    for (size_t i = 0; i < n; i += 3) {
        quad(to, p + i, n - i);
        fwrite(to, 1, 4, f);
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
    for (size_t i = 0; i < sizeof sum; i += 3) quad(buf + 7 + i / 3 * 4, sum + i, sizeof sum - i);
    buf[7 + 44] = '\0';
}
