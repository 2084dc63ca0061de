/* Private to the oracle: one operator at given shapes. */
#ifndef XFV_NET_GRAPH_REF_INTERNAL_H
#define XFV_NET_GRAPH_REF_INTERNAL_H

#include "net/graph/graph.h"

struct ref_call {
    const struct xfv_graph *g;
    const struct xfv_node *n;
    struct xfv_shape in[XFV_MAX_INPUTS], out;
    const double *x[XFV_MAX_INPUTS]; /* inputs */
    const double *y;                 /* output, for the backward pass */
};

void xfv_ref_op_forward(const struct ref_call *c, double *y);                    /* y is zeroed */
void xfv_ref_op_backward(const struct ref_call *c, const double *dy, double **dx); /* adds to dx[k] */

#endif
