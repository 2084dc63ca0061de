/* Escaping, base64 and hashes of the page. */
#include "../tap.h"
#include "report/html.h"

static char *text;
static size_t size;

static const char *escaped(const char *s, size_t n)
{
    free(text);
    FILE *f = open_memstream(&text, &size);
    xfv_html_text(f, s, n);
    fclose(f);
    return text;
}

static const char *coded(const char *s)
{
    free(text);
    FILE *f = open_memstream(&text, &size);
    xfv_base64(f, (const uint8_t *)s, strlen(s));
    fclose(f);
    return text;
}

int main(void)
{
    char hash[64];
    OK(!strcmp(escaped("a<b>&\"'", 7), "a&lt;b&gt;&amp;&quot;&#39;"), "xfv_html_text escapes markup");
    OK(!strcmp(escaped("\0\x1b\x7f", 3), "&#9216;&#9243;&#9249;"), "control characters are pictures");
    OK(!strcmp(escaped("\xff" "a\xc0\xaf", 4), "\xef\xbf\xbd" "a\xef\xbf\xbd\xef\xbf\xbd"), "what is not UTF-8");
    OK(!strcmp(escaped("\xe2\x80\xae" "x\xc2\x9b", 6), "\xef\xbf\xbd" "x\xef\xbf\xbd"), "what turns text, C1 controls");
    OK(!strcmp(escaped("\xe5\x90\x8d", 3), "\xe5\x90\x8d"), "other text is itself");
    OK(!strcmp(coded(""), "") && !strcmp(coded("f"), "Zg==") && !strcmp(coded("fo"), "Zm8=") &&
           !strcmp(coded("foo"), "Zm9v") && !strcmp(coded("foobar"), "Zm9vYmFy"),
       "base64 (RFC 4648's vectors)");
    xfv_html_hash(hash, "abc", 3);
    OK(!strcmp(hash, "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), "a hash (FIPS 180's vector)");
    free(text);
    return tap_done();
}
