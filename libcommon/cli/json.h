/* The two parts of JSON that are easily got wrong. */
#ifndef XFV_CLI_JSON_H
#define XFV_CLI_JSON_H

#include <stdio.h>

/* A number with the fewest digits that read back as the same value (single: the same float); always with a point or an
 * exponent, so that it stays a real number there. JSON has no NaN and no infinity: null. */
void xfv_json_real(FILE *f, double v, int single);
/* A string with its quotes. Bytes that are not UTF-8 (file names may hold such) become lone surrogates, as Python's
 * surrogateescape reads them back. */
void xfv_json_text(FILE *f, const char *s, size_t n);

#endif
