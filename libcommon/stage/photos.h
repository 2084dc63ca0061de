/* The loop of a program that takes photographs: workers decode every image of the files named and make records of it,
 * which the loop writes in order. An image that fails becomes an err record. Memory holds a window of images, and
 * finished records do not wait for a slow input. */
#ifndef XFV_STAGE_PHOTOS_H
#define XFV_STAGE_PHOTOS_H

#include "base/sha256.h"
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
    /* Parallel over images: the image's records. path: as it was named; name: the same, with #number in a Netpbm
     * stream. XFV_EDATA makes the image an err record; other errors stop the run. What *out holds is freed by the loop.
     */
    int (*make)(void *ctx, const struct xfv_image *im, const char *path, const char *name, int worker,
                struct xfv_crops *out, struct xfv_err *e);
    uint64_t images, records;        /* afterwards: how many */
    double decode_seconds;         /* summed over the workers */
    /* the loop's own */
    struct xfv_photo *items;
    int held, window;
    char digest[XFV_SHA256_HEX]; /* of the file of Netpbm images that is read */
    size_t bytes;
    double *seconds; /* a worker */
};

/* Before any work: check the names. others: how many other options read standard input; default_names: 1 when the
 * program works without names. XFV_EARG. */
int xfv_photos_check(const struct xfv_photos *p, int others, int default_names, struct xfv_err *e);
/* xfv_cli_seal, once the names are known: the program may read the files that a list names, or any file when the list
 * comes from a pipe. */
int xfv_photos_seal(const struct xfv_photos *p, struct xfv_err *e);
int xfv_photos_run(struct xfv_photos *p, struct xfv_err *e);

#endif
