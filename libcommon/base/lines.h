/* Text files that are read a line at a time. */
#ifndef XFV_BASE_LINES_H
#define XFV_BASE_LINES_H

#include <stdio.h>

#include "base/err.h"

/* Why getline, getdelim or fgets gave no more of f: 0 at its end, XFV_EIO, or XFV_ENOMEM, which ferror alone does not
 * show. The sentence calls the file `name`. Call it before errno changes. */
int xfv_lines_end(FILE *f, const char *name, struct xfv_err *e);

#endif
