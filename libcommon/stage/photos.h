/* The loop of a program that takes photographs: every image of the files named is decoded and made into records by the workers, and these are
 * written in order. What cannot be made becomes an err record. Memory holds a window of images, and nothing finished waits for a pipe. */
#ifndef XFV_STAGE_PHOTOS_H
#define XFV_STAGE_PHOTOS_H

#include "cli/cli.h"
#include "cli/shard.h"
#include "face/crop.h"

struct xfv_photo; /* one image on its way */

struct xfv_photos {
    struct xfv_cli *c;
    struct xfv_pool *pool;
    struct xfv_writer *w;          /* its head is written */
    const char *list_path;         /* --files0-from: names, each ended by NUL; NULL: the names below */
    char *const *names;            /* NULL with n 0: standard input */
    int n;
    struct xfv_shard shard;        /* the part of the names to take */
    struct xfv_decode_opts decode;
    void *ctx;
    /* Parallel over images: the image's records. path: as it was named; name: the same, with #number in a Netpbm stream. XFV_EDATA makes the image an
     * err record; other errors stop the run. What *out holds is freed by the loop. */
    int (*make)(void *ctx, const struct xfv_image *im, const char *path, const char *name, int worker, struct xfv_crops *out, struct xfv_err *e);
    uint64_t images, records;      /* afterwards: how many */
    double decode_seconds;         /* summed over the workers */
    /* the loop's own */
    struct xfv_photo *items;
    int held, window;
    size_t bytes;
    double *seconds; /* a worker */
};

/* Before any work: are the names clear? others: how many other options read standard input; default_names: 1 when names need not be given. XFV_EARG. */
int xfv_photos_check(const struct xfv_photos *p, int others, int default_names, struct xfv_err *e);
/* xfv_cli_seal, once the names are known: files that a list names stay open to be read. A list from a pipe is not known beforehand: then any file. */
int xfv_photos_seal(const struct xfv_photos *p, struct xfv_err *e);
int xfv_photos_run(struct xfv_photos *p, struct xfv_err *e);

#endif
