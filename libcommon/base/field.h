/* A name in a table of tabs and lines, in one of Markdown, or in a script: a stream may hold any name. */
#ifndef XFV_BASE_FIELD_H
#define XFV_BASE_FIELD_H

#include <stddef.h>
#include <stdio.h>

/* c, or '_' when c ends a field or a line, controls a terminal, or is one of `more` ("|" in Markdown). */
char xfv_field_char(char c, const char *more);
void xfv_put_field(FILE *f, const char *s, size_t n, const char *more);

#endif
