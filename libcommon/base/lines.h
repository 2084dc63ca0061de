/* Text files that are read a line at a time. */
#ifndef XFV_BASE_LINES_H
#define XFV_BASE_LINES_H

#include <stdio.h>

#include "base/err.h"

/* Why getline, getdelim or fgets gave no more of f, called `name` in the sentence: 0, it ended; XFV_EIO; or XFV_ENOMEM, which sets no flag of f and
 * looks like the end to whoever asks ferror alone. To be asked before errno changes. */
int xfv_lines_end(FILE *f, const char *name, struct xfv_err *e);

#endif
