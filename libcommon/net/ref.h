/* The oracle: every operator forward and backward-to-input in plain C and double precision, no blocking, no fusion, no library. Slow on
 * purpose; tests compare net/net.h with it, and it with central differences. */
#ifndef XFV_NET_REF_H
#define XFV_NET_REF_H

#include "net/graph.h"

/* All values of the graph for input x (f64 [H][W][C]); values[v] is malloc'ed, NULL for values that no node makes. Free with xfv_ref_free. */
int xfv_ref_forward(const struct xfv_graph *g, struct xfv_shape in, const double *x, double ***values, struct xfv_err *e);
void xfv_ref_free(const struct xfv_graph *g, double **values);

/* Vector-Jacobian product: dx = cot^T (d values[out] / d x) at the point of an earlier forward. cot: [count of out]; dx: [count of input]. */
int xfv_ref_vjp(const struct xfv_graph *g, struct xfv_shape in, double *const *values, int out, const double *cot, double *dx, struct xfv_err *e);

#endif
