/* Another program as the network: images in, embeddings out, by our stream. */
#ifndef XFV_STAGE_EXEC_H
#define XFV_STAGE_EXEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Run `sh -c command` once: on its standard input a stream of count face records {"id":"0".., "image"} of rgb, u8
 * [count][height][width][3]; on its standard output the same records in order, each with "embedding", f32 [n]. *f:
 * malloc'ed f32 [count][n], the caller frees it. *n: 0 at first to take any length, else the length that is wanted.
 * XFV_EIO when the command cannot be run or fails; XFV_EFORMAT when what it writes is not that. Thread-safe. */
int xfv_exec_embed(const char *command, int count, int height, int width, const uint8_t *rgb, size_t *n, float **f,
                   struct xfv_err *e);

#endif
