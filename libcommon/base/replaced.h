/* The regular files that this process will write to or replace. What opens a file that no command line names (a model
 * that a stream names, weights beside a network, a photograph of a list) asks here before it reads. For any thread. */
#ifndef XFV_BASE_REPLACED_H
#define XFV_BASE_REPLACED_H

#include <sys/types.h>

#include "base/err.h"

int xfv_replaced_add(dev_t dev, ino_t ino, struct xfv_err *e); /* XFV_ENOMEM */
void xfv_replaced_remove(dev_t dev, ino_t ino);
int xfv_replaced_has(dev_t dev, ino_t ino);
/* XFV_EARG when fd has such a file open; name is for the sentence. */
int xfv_replaced_check(int fd, const char *name, struct xfv_err *e);

#endif
