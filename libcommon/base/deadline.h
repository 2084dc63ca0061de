/* How long a record may take. The thread that works on it sets a deadline; slow code checks now and then whether it has
 * passed. */
#ifndef XFV_BASE_DEADLINE_H
#define XFV_BASE_DEADLINE_H

#include "base/err.h"

struct xfv_deadline { double at, seconds; }; /* monotonic time; what was granted, for the message; both 0: none */

struct xfv_deadline xfv_deadline_get(void);    /* the calling thread's */
void xfv_deadline_set(struct xfv_deadline d);
struct xfv_deadline xfv_deadline_in(double seconds); /* counted from now; 0: none */
/* 0, or XFV_EDATA with code "timeout". Costs nothing without a deadline. */
int xfv_deadline_check(struct xfv_err *e);

#endif
