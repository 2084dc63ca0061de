/* Free memory that held a face, and overwrite it first. Programs also link base/free.o, whose free() overwrites every
 * block of the process; a foreign program that links libxfv.a keeps its own free. */
#ifndef XFV_BASE_WIPE_H
#define XFV_BASE_WIPE_H

#include <stddef.h>

/* free(p) after overwriting all of it: for what held a face or an embedding. NULL is fine. */
void xfv_wipe_free(void *p);
/* realloc whose old block is overwritten; n 0 gives a valid pointer. NULL when out of memory: p stands as it was. */
void *xfv_wipe_realloc(void *p, size_t n);
/* Overwrite what calls that have returned left on this thread's stack. */
void xfv_wipe_stack(void);

#endif
