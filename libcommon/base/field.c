#include "base/field.h"

#include <string.h>

char xfv_field_char(char c, const char *more)
{
    return (unsigned char)c < 32 || c == 127 || strchr(more, c) ? '_' : c;
}

void xfv_put_field(FILE *f, const char *s, size_t n, const char *more)
{
    for (size_t i = 0; i < n; i++) putc(xfv_field_char(s[i], more), f);
}
