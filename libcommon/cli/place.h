/* The place where an output will stand. A regular file gets its name only when it is whole: until then it has none
 * where the file system allows that (O_TMPFILE), else one beside it. What is no regular file is written in place. */
#ifndef XFV_CLI_PLACE_H
#define XFV_CLI_PLACE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum { XFV_HEAD_BYTES = 512 };

/* What stands there before. Plain data, so that it can be sent to another process. */
struct xfv_before {
    int exists, direct; /* direct: a device, a pipe, a descriptor: written in place */
    mode_t mode;
    dev_t dev; /* and ino: of what exists, and of the regular file that a descriptor writes to; else 0 */
    ino_t ino;
    size_t n;                          /* of its first bytes */
    unsigned char head[XFV_HEAD_BYTES];
};

/* The folder is open from the start: another one or a link in its place moves no output. */
struct xfv_place {
    char *path, *tmp; /* path: links followed; tmp: the name beside it, NULL: it has no name yet */
    int folder, fd;   /* -1: not open */
    struct xfv_before was;
};

/* Follow links, a dangling one too, and look at what stands there. XFV_EIO, XFV_ENOMEM. */
int xfv_place_find(struct xfv_place *p, const char *path, struct xfv_err *e);
/* Open it for writing, with these permissions; 0: those of the file that it replaces, else 0600. XFV_EIO. */
int xfv_place_make(struct xfv_place *p, unsigned mode, struct xfv_err *e);
/* Give it its name; sync: the folder reaches the disk. Frees all, also on failure. XFV_EIO. */
int xfv_place_commit(struct xfv_place *p, int sync, struct xfv_err *e);
void xfv_place_discard(struct xfv_place *p); /* frees all; of an empty one, nothing */
int xfv_place_same(const struct xfv_place *a, const struct xfv_place *b); /* 1: one name in one folder */
/* The descriptor of this process that a path is another name of (/dev/fd/3, /dev/stdout, /proc/self/fd/3), or -1. */
int xfv_place_descriptor(const char *path);

#endif
