/* Running and differentiating a graph, fast. A struct xfv_net is made once per model (operators fused, weights packed)
 * and is read-only afterwards: threads share it, each with its own workspace. Results do not depend on the batch, the
 * chunk or the thread. */
#ifndef XFV_NET_RUN_NET_H
#define XFV_NET_RUN_NET_H

#include "net/graph/graph.h"
#include "base/err.h"

struct xfv_net;  /* the compiled network */
struct xfv_ws;   /* one worker's scratch memory; grows as needed, kept between calls */
struct xfv_tape; /* one image's forward pass, kept for its vector-Jacobian products; threads share it read-only */

/* Compile the part of g between value `from` (0: the input) and the values `outs` (n_outs of them). g must outlive the
 * net. */
int xfv_net_new(const struct xfv_graph *g, int from, const int *outs, int n_outs, struct xfv_net **net,
                struct xfv_err *e);
void xfv_net_free(struct xfv_net *net);
/* For callers that only record and differentiate: net takes g over. xfv_net_record then frees the weights of g that it
 * has packed (their data becomes NULL); after that no other network can be made of g, and xfv_net_forward returns
 * XFV_EARG. */
void xfv_net_own_weights(struct xfv_net *net, struct xfv_graph *g);
/* For callers that record and never differentiate, before the first recording: nothing is packed for the backward
 * passes, which then return XFV_EARG. */
void xfv_net_only_values(struct xfv_net *net);
struct xfv_ws *xfv_ws_new(void);
void xfv_ws_free(struct xfv_ws *ws);

/* Forward pass. x: f32 [batch][H][W][C] at the shape `in` (NULL: the graph's declared shape; another one only for
 * graphs that allow it). y[i]: f32 [batch][count of output i], caller's memory. */
int xfv_net_forward(const struct xfv_net *net, struct xfv_ws *ws, const struct xfv_shape *in, int batch, const float *x,
                    float *const *y, struct xfv_err *e);
/* Shapes of the outputs for an input shape, to size y. */
int xfv_net_out_shape(const struct xfv_net *net, const struct xfv_shape *in, int i, struct xfv_shape *out,
                      struct xfv_err *e);

/* Forward pass of one image that keeps what the backward passes need. y as above, to rounding: 3x3 convolutions are
 * computed as defined here, and by Winograd in xfv_net_forward. *tape is new (or reused when not NULL). */
int xfv_net_record(const struct xfv_net *net, struct xfv_ws *ws, const float *x, float *const *y,
                   struct xfv_tape **tape, struct xfv_err *e);
void xfv_tape_free(struct xfv_tape *t);

/* n vector-Jacobian products of output 0: dx[i] = cot[i]^T (d y / d x). cot: f32 [n][N], dx: f32 [n][H][W][C]. */
int xfv_net_vjp(const struct xfv_net *net, struct xfv_ws *ws, const struct xfv_tape *tape, int n, const float *cot,
                float *dx, struct xfv_err *e);

/* As xfv_net_vjp for unit vectors of output 0: rows[0..n-1] of the Jacobian (NULL: rows 0..n-1), cheaper than general
 * cotangents. Each finished row dx f32 [H][W][C] is handed to sink (in the order given, valid only during the call)
 * instead of being stored: no [n][H][W][C] array exists. Calls with a multiple of XFV_NET_ROWS rows use the caches
 * best. XFV_EARG for a row that does not exist. */
#define XFV_NET_ROWS 16
typedef void xfv_row_sink(void *ctx, int k, const float *dx);
int xfv_net_jacobian(const struct xfv_net *net, struct xfv_ws *ws, const struct xfv_tape *tape, const int *rows, int n,
                     xfv_row_sink *sink, void *ctx, struct xfv_err *e);

const char *xfv_net_kernels(void); /* "avx512", "avx2", "generic": what run-time dispatch chose */

#endif
