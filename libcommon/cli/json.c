#include "cli/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void xfv_json_real(FILE *f, double v, int single)
{
    char s[40];
    if (!isfinite(v)) {
        fputs("null", f);
        return;
    }
    int digits = single ? 6 : 15, most = single ? 9 : 17;
    for (;; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, v);
        if (digits == most || (single ? (double)strtof(s, NULL) == v : strtod(s, NULL) == v)) break;
    }
    fputs(s, f);
    if (!strpbrk(s, ".e")) fputs(".0", f);
}

void xfv_json_text(FILE *f, const char *s, size_t n)
{
    fputc('"', f);
    for (size_t i = 0, k; i < n; i += k ? k : 1) {
        unsigned char c = (unsigned char)s[i];
        k = xfv_utf8_next(s + i, n - i, NULL);
        if (k == 0)
            fprintf(f, "\\udc%02x", c);
        else if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            fprintf(f, "\\u%04x", c);
        else
            fwrite(s + i, 1, k, f);
    }
    fputc('"', f);
}
