#define _GNU_SOURCE /* O_TMPFILE, memfd_create, fopencookie */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/grow.h"
#include "base/wipe.h"

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

int xfv_spool_open_fd(FILE **f, struct xfv_err *e)
{
#ifdef __linux__
    int fd = memfd_create("xfv", MFD_CLOEXEC);
    *f = fd < 0 ? NULL : fdopen(fd, "w+");
    if (!*f && fd >= 0) close(fd);
#else
    *f = tmpfile();
#endif
    return *f ? 0 : xfv_fail(e, XFV_EIO, "cannot make a temporary file");
}

/* ---- a file in the heap ---- */

#ifdef __GLIBC__

enum { BLOCK = 256 << 10 };

struct heap { char **block; size_t n_blocks, n, at; };

/* The bytes from h->at on that lie in one block, at most `want`. */
static size_t in_block(const struct heap *h, size_t want)
{
    size_t left = BLOCK - h->at % BLOCK;
    return want < left ? want : left;
}

static ssize_t heap_read(void *cookie, char *to, size_t want)
{
    struct heap *h = cookie;
    size_t left = h->n - h->at, k = in_block(h, want < left ? want : left);
    if (k) memcpy(to, h->block[h->at / BLOCK] + h->at % BLOCK, k);
    h->at += k;
    return (ssize_t)k;
}

static int add_block(struct heap *h)
{
    char *block = malloc(BLOCK);
    if (block && XFV_GROW(h->block, h->n_blocks + 1)) {
        h->block[h->n_blocks++] = block;
        return 0;
    }
    free(block);
    errno = ENOMEM;
    return -1;
}

static ssize_t heap_write(void *cookie, const char *from, size_t want)
{
    struct heap *h = cookie;
    size_t done = 0;
    while (done < want) {
        if (h->at / BLOCK == h->n_blocks && add_block(h)) break;
        size_t k = in_block(h, want - done);
        memcpy(h->block[h->at / BLOCK] + h->at % BLOCK, from + done, k);
        h->at += k;
        done += k;
        h->n = h->at > h->n ? h->at : h->n;
    }
    return (ssize_t)done;
}

static int heap_seek(void *cookie, off64_t *to, int whence)
{
    struct heap *h = cookie;
    off64_t at = *to + (whence == SEEK_CUR ? (off64_t)h->at : whence == SEEK_END ? (off64_t)h->n : 0);
    if (at < 0 || (size_t)at > h->n) return -1; /* no holes */
    h->at = (size_t)at;
    *to = at;
    return 0;
}

static int heap_close(void *cookie)
{
    struct heap *h = cookie;
    for (size_t i = 0; i < h->n_blocks; i++) xfv_wipe_free(h->block[i]);
    free(h->block);
    free(h);
    return 0;
}

static FILE *open_heap(void)
{
    static const cookie_io_functions_t io = {heap_read, heap_write, heap_seek, heap_close};
    struct heap *h = calloc(1, sizeof *h);
    FILE *f = h ? fopencookie(h, "w+", io) : NULL;
    if (!f) free(h);
    return f;
}

#else

static FILE *open_heap(void)
{
    return tmpfile();
}

#endif

int xfv_spool_open(FILE **f, const char *beside, struct xfv_err *e)
{
    int fd = beside ? open_beside(beside) : -1;
    *f = fd < 0 ? open_heap() : fdopen(fd, "w+");
    if (!*f && fd >= 0) close(fd);
    return *f       ? 0
           : fd < 0 ? xfv_fail(e, XFV_ENOMEM, "out of memory")
                    : xfv_fail(e, XFV_EIO, "cannot make a temporary file");
}
