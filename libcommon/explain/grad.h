/* Gradients of scores of one face against a fixed vector, with respect to the network's input. Shared by the gradient
 * methods; each worker has its own struct xfv_grad. */
#ifndef XFV_EXPLAIN_GRAD_H
#define XFV_EXPLAIN_GRAD_H

#include <stddef.h>

#include "net/run/net.h"

struct xfv_grad {
    const struct xfv_net *net; /* from x, f32 [H][W][C], to the raw embedding F, f32 [n] */
    int n;
    size_t pixels;             /* H*W */
    int channels;
    struct xfv_ws *ws;
    struct xfv_tape *tape;
    float *f, *cot, *dx;       /* F(x) [n]; [n]; [H][W][C] */
    double norm;               /* |F(x)| */
    /* [2][n], the caller's: for the partner's unit embedding, and what a method makes of it */
    double *unit;
    float *work;               /* [2][H][W][C], the caller's */
};

/* One for each worker, of a net that must outlive them; NULL with *e filled. */
struct xfv_grad *xfv_grads_new(int workers, const struct xfv_net *net, int n, size_t pixels, int channels,
                               struct xfv_err *e);
void xfv_grads_free(struct xfv_grad *g, int workers); /* NULL is fine */

/* Forward pass of x: fills f and norm, keeps the tape for xfv_grad_of. XFV_EDATA when the embedding is zero or not
 * finite. */
int xfv_grad_forward(struct xfv_grad *g, const float *x, struct xfv_err *e);
/* dx = d (v . F/|F|) / dx at the last x, v f64 [n]:  cotangent (v - (v.f) f) / |F| with f = F/|F|. For v = F_B/|F_B|
 * that is the gradient of the cosine score. Returns v.f in *value (may be NULL). */
int xfv_grad_of(struct xfv_grad *g, const double *v, double *value, struct xfv_err *e);
/* dx = d (v . F) / dx at the last x: of the raw embedding. */
int xfv_grad_of_raw(struct xfv_grad *g, const double *v, struct xfv_err *e);
/* v = F/|F|, f64 [n]. */
void xfv_unit(const float *f, int n, double *v);

/* map [H][W] = mean over the channels of |dx|. */
void xfv_mean_abs(const float *dx, size_t pixels, int channels, float *map);
/* A signed map into its two sides, both >= 0; one of them may be s itself. */
void xfv_split(const float *s, size_t pixels, float *similarity, float *dissimilarity);

#endif
