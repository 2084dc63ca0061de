/* How much memory the calling thread may take while a library works for it: a file that says less than it holds is then
 * one failure, and not the end of the machine. Only where our own malloc is linked (free.c): in the programs. */
#ifndef XFV_BASE_BUDGET_H
#define XFV_BASE_BUDGET_H

#include <stddef.h>

void xfv_budget_start(size_t bytes); /* from now on; 0: no limit */
int xfv_budget_end(void);            /* no limit any more; 1: a block was refused */

/* For malloc: 0, the block is refused. Small ones never are: C++ libraries end the process without them. */
int xfv_budget_take(size_t bytes);
void xfv_budget_give(size_t bytes);
int xfv_budget_counts(void);

#endif
