/* Which of many embeddings are most alike. Products in blocks by OpenBLAS, in single precision, leave the few
 * candidates that can be among those asked for; the caller scores these exactly. Nothing that belongs into the answer
 * is left out: the margin is the bound of the products' rounding error. */
#ifndef XFV_PAIR_SEARCH_H
#define XFV_PAIR_SEARCH_H

#include <stddef.h>

#include "base/err.h"

/* What is asked for: of each row the `best` others of largest cosine (0: any number), of those with a cosine of `above`
 * and more (-INFINITY: any). */
struct xfv_wish { size_t best; double above; };

struct xfv_search; /* n unit vectors of d numbers, f32, in one block of memory */

/* NULL when out of memory. */
struct xfv_search *xfv_search_new(size_t n, size_t d);
void xfv_search_free(struct xfv_search *s);
/* Row i is v, f32 [d] at any alignment, divided by its length. 0; 1 when it has no direction: all zero, or not finite.
 */
int xfv_search_set(struct xfv_search *s, size_t i, const void *v);

/* Called for each row in turn: the candidates' rows, ascending, never i itself. Not 0 ends the search with this status.
 */
typedef int xfv_search_found(void *ctx, size_t i, const size_t *candidates, size_t n, struct xfv_err *e);
/* The rows from <= i < to against all rows (later: only those after i). Memory: 8 MiB and the candidates of 256 rows.
 * XFV_ENOMEM. */
int xfv_search_rows(const struct xfv_search *s, size_t from, size_t to, int later, const struct xfv_wish *wish,
                    xfv_search_found *found, void *ctx, struct xfv_err *e);

#endif
