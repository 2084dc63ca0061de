/* The oracle: every operator forward and backward-to-input in plain C and double precision, no blocking, no fusion, no
 * library. Slow on purpose; tests compare net/run/net.h with it, and it with central differences. Where a derivative
 * jumps: relu and prelu take the branch x <= 0 at zero, a maximum gives all to its first winner (in memory order), |x|
 * has slope 0 at zero. */
#ifndef XFV_NET_GRAPH_REF_H
#define XFV_NET_GRAPH_REF_H

#include "net/graph/graph.h"

/* All values of the graph for input x (f64 [H][W][C]); values[v] is malloc'ed, NULL for values that no node makes. Free
 * with xfv_ref_free. */
int xfv_ref_forward(const struct xfv_graph *g, struct xfv_shape in, const double *x, double ***values,
                    struct xfv_err *e);
void xfv_ref_free(const struct xfv_graph *g, double **values);

/* Vector-Jacobian product: dx = cot^T (d values[out] / d x) at the point of an earlier forward. cot: [count of out];
 * dx: [count of input]. */
int xfv_ref_vjp(const struct xfv_graph *g, struct xfv_shape in, double *const *values, int out, const double *cot,
                double *dx, struct xfv_err *e);

/* One node by itself, f64: y (count of its output at these shapes, overwritten) from the inputs x[0..n_in-1] of shapes
 * in[]. */
int xfv_ref_node(const struct xfv_graph *g, const struct xfv_node *n, const struct xfv_shape *in,
                 const double *const *x, double *y, struct xfv_err *e);

#endif
