/* The faces most alike to one probe, from any number that pass by: what cannot be among those asked for is let go while
 * the stream is read, so that memory holds few of the faces that come after the probe. */
#ifndef XFV_PAIR_SIEVE_H
#define XFV_PAIR_SIEVE_H

#include "pair/gallery.h"
#include "pair/search.h"

struct xfv_sieve; /* opaque */

/* For the probe of this id, kept by pointer, as g is. What stays goes into g. NULL when out of memory. */
struct xfv_sieve *xfv_sieve_new(const char *probe, const struct xfv_wish *wish, struct xfv_gallery *g);
void xfv_sieve_free(struct xfv_sieve *s); /* NULL is fine */
/* The no-th record is this face. What is odd (of another length or model, without a direction) stays. XFV_ENOMEM. */
int xfv_sieve_add(struct xfv_sieve *s, const struct xfv_template *t, uint64_t no, struct xfv_err *e);
/* A record of this id went into the gallery by another way. XFV_ENOMEM. */
int xfv_sieve_note(struct xfv_sieve *s, const char *id, struct xfv_err *e);
/* All came: the gallery holds, in order, what stays: the probe, every face that can belong to the answer, and all odd
 * ones; every face when the probe did not come under this very id. XFV_ENOMEM. */
int xfv_sieve_finish(struct xfv_sieve *s, struct xfv_err *e);
size_t xfv_sieve_duplicates(const struct xfv_sieve *s); /* faces with the id of an earlier one */

#endif
