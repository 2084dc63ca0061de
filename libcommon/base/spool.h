/* Files without a name, for temporary data. They hold biometric data, so they never lie in /tmp. */
#ifndef XFV_BASE_SPOOL_H
#define XFV_BASE_SPOOL_H

#include <stdio.h>

#include "base/err.h"

/* Open a file for writing and reading that vanishes when it is closed. It lies in the folder of the file `beside` if
 * that is not NULL and its file system supports it, else in memory. The caller fcloses *f. XFV_EIO. */
int xfv_spool_open(FILE **f, const char *beside, struct xfv_err *e);

#endif
