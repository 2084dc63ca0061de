/* A second process, forked before the sandbox is in force, that names the outputs which were agreed on then and does
 * nothing else: a program that a hostile input takes over cannot reach another file through it. It ends with the
 * program. */
#ifndef XFV_CLI_GUARD_BROKER_H
#define XFV_CLI_GUARD_BROKER_H

#include "cli/place.h"

/* What both sides agree on. A path may hold one %d or %03d, for a number. */
struct xfv_agreed {
    const char *const *path;
    int n;
    unsigned mode; /* of the files, as xfv_place_make takes it */
    int force;     /* a numbered path may replace what is no picture */
};

/* Start it: the descriptor to ask it by, or a negative status. XFV_EIO. */
int xfv_broker_start(const struct xfv_agreed *a, struct xfv_err *e);
/* An agreed path: a number for commit and discard, the descriptor to write to (the caller's to close), and what stood
 * there; or a negative status. */
int xfv_broker_open(int broker, const char *path, int *fd, struct xfv_before *was, struct xfv_err *e);
int xfv_broker_commit(int broker, int number, int sync, struct xfv_err *e);
void xfv_broker_discard(int broker, int number);
/* Of this process's descriptors, those that wanted says. */
void xfv_close_where(int (*wanted)(void *ctx, int fd), void *ctx);
void xfv_broker_end(int broker); /* what is not committed is dropped; waits for its end */

#endif
