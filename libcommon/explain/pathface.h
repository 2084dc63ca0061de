/* What one face contributes to the maps of all its pairs (explain/pathmap.h): one forward pass, two with a blurred
 * twin. A store keeps faces by their image's bytes, as far as its memory allows. */
#ifndef XFV_EXPLAIN_PATHFACE_H
#define XFV_EXPLAIN_PATHFACE_H

#include <stddef.h>
#include <stdint.h>

#include "explain/path.h"
#include "net/model/model.h"
#include "base/err.h"

/* One piece of memory, of which h is the first. */
struct xfv_pathface {
    float *h, *f;                  /* features [xfv_path_features] and raw embedding [n] (xfv_path_forward) */
    float *h0, *f0;                /* those of the blurred face; NULL without */
    float *look[XFV_PATH_LOOKS];   /* the activations at the path's looks, dense; NULL beyond their number */
};

struct xfv_pathfaces; /* the store, shared by all workers */

/* m: the network; p: cut, with n_looks looks of look_floats[i] floats each; both must outlive the store. sigma: of the
 * blurred twin, in pixels; 0: no twin. cache_bytes: memory for faces; the store keeps two at least. XFV_ENOMEM. */
int xfv_pathfaces_new(const struct xfv_model *m, struct xfv_path *p, const size_t *look_floats, int n_looks,
                      double sigma, size_t cache_bytes, struct xfv_pathfaces **out, struct xfv_err *e);
void xfv_pathfaces_free(struct xfv_pathfaces *s); /* NULL is fine */

/* Memory for one face, which the caller frees. 1, or 0 when out of memory; free takes a zeroed one, too. */
int xfv_pathface_alloc(const struct xfv_pathfaces *s, struct xfv_pathface *f);
void xfv_pathface_free(struct xfv_pathface *f);

/* Fill f for the image rgb, u8 [H][W][3], and x, the network's input made of it. Workers of p may call it at the same
 * time. XFV_EDATA when an embedding has no direction. */
int xfv_pathfaces_see(struct xfv_pathfaces *s, int worker, const uint8_t *rgb, const float *x, struct xfv_pathface *f,
                      struct xfv_err *e);

#endif
