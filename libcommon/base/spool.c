#define _GNU_SOURCE /* O_TMPFILE, memfd_create */
#include "base/spool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef O_TMPFILE
static int open_beside(const char *beside)
{
    const char *slash = strrchr(beside, '/');
    char *folder = slash ? strndup(beside, slash == beside ? 1 : (size_t)(slash - beside)) : strdup(".");
    int fd = folder ? open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600) : -1;
    free(folder);
    return fd;
}
#else
static int open_beside(const char *beside)
{
    (void)beside;
    return -1;
}
#endif

int xfv_spool_open(FILE **f, const char *beside, struct xfv_err *e)
{
    int fd = beside ? open_beside(beside) : -1;
#ifdef __linux__
    if (fd < 0) fd = memfd_create("xfv", MFD_CLOEXEC);
    *f = fd < 0 ? NULL : fdopen(fd, "w+");
    if (!*f && fd >= 0) close(fd);
#else
    *f = fd < 0 ? tmpfile() : fdopen(fd, "w+");
#endif
    return *f ? 0 : xfv_fail(e, XFV_EIO, "cannot make a temporary file");
}
