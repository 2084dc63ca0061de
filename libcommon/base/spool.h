/* Files without a name, for temporary data. They hold biometric data, so they never lie in /tmp. */
#ifndef XFV_BASE_SPOOL_H
#define XFV_BASE_SPOOL_H

#include <stdio.h>

#include "base/err.h"

/* Open a file for writing and reading that vanishes when it is closed. It lies in the folder of the file `beside` if
 * that is not NULL and its file system supports it, else in the heap, where a limit of memory counts it: writing then
 * fails with ENOMEM. The caller fcloses *f. XFV_EIO, XFV_ENOMEM. */
int xfv_spool_open(FILE **f, const char *beside, struct xfv_err *e);
/* The same with a descriptor, for another program: in memory that no limit of the system counts. */
int xfv_spool_open_fd(FILE **f, struct xfv_err *e);

#endif
