/* The end of a network from its last feature map h on, where that is affine (a layer with `linear` set: pooling,
 * flattening, dense layers, batch normalisation folded into them). The embedding is then a sum over cells, F(h) = F(0)
 * + sum_p W_p h(p), and one matrix product gives what every cell of a face adds to it. */
#ifndef XFV_EXPLAIN_TAIL_H
#define XFV_EXPLAIN_TAIL_H

#include "explain/layer.h"
#include "net/graph/graph.h"
#include "base/err.h"

struct xfv_tail; /* read-only but for each worker's memory */

/* Reads every W_p off the network, once, by n backward passes through its end. Where W_p = V diag(g(p)) for all cells,
 * as behind any pooling channel by channel, only V and g are kept. Workers 0..workers-1 may call the function below at
 * the same time. XFV_EARG for a layer that is not linear; XFV_ENOMEM. */
int xfv_tail_new(const struct xfv_graph *g, int embedding, const struct xfv_layer *layer, int workers,
                 struct xfv_tail **out, struct xfv_err *e);
void xfv_tail_free(struct xfv_tail *t); /* NULL is fine */

/* phi f32 [cells][n]: W_p (h - h0)(p), with h and h0 activations of the layer, f32 [cells][channels]. */
int xfv_tail_contributions(const struct xfv_tail *t, int worker, const float *h0, const float *h, float *phi,
                           struct xfv_err *e);

#endif
