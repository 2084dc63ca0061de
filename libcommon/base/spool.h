/* Files without a name, for what must be kept aside. They hold biometric data, so they never lie in /tmp. */
#ifndef XFV_BASE_SPOOL_H
#define XFV_BASE_SPOOL_H

#include <stdio.h>

#include "base/err.h"

/* A file to write and read, gone when it is closed: in the folder of the file `beside` when it is given and its file system can; else in memory.
 * *f is the caller's to fclose. XFV_EIO. */
int xfv_spool_open(FILE **f, const char *beside, struct xfv_err *e);

#endif
