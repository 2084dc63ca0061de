/* Gradients that travel with a face: {"gradients":{"method":"fggb","embedding","colour","norm","maps":f16 [N,H,W]}}, so
 * that a gallery is differentiated once and explained against any probe later. f16 keeps a unit map to about 3e-4 of
 * its norm. */
#ifndef XFV_EXPLAIN_KEPT_H
#define XFV_EXPLAIN_KEPT_H

#include <msgpack.h>

#include "explain/fggb.h"
#include "base/err.h"

#define XFV_KEPT_KEY "gradients"

/* names of the options' values, NULL-terminated */
extern const char *const xfv_fggb_embeddings[], *const xfv_fggb_colours[], *const xfv_fggb_norms[];

/* Put a complete face's maps into a face record's map. XFV_ENOMEM. */
int xfv_kept_put(const struct xfv_fggb *f, const struct xfv_fggb_face *from, const struct xfv_fggb_opts *o,
                 msgpack_zone *zone, msgpack_object *face, struct xfv_err *e);
/* Fill `to` from a face record's map, with the embedding that it holds. 1 done; 0: there are none, or they were made
 * with other options or for another size of network; negative: a status, the record is broken. */
int xfv_kept_get(const struct xfv_fggb *f, struct xfv_fggb_face *to, const struct xfv_fggb_opts *o,
                 const msgpack_object *face, struct xfv_err *e);

#endif
