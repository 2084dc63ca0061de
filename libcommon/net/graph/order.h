/* Orders of a tensor's elements: what a chain of reshapes and transpositions does, as one permutation of axes. */
#ifndef XFV_NET_GRAPH_ORDER_H
#define XFV_NET_GRAPH_ORDER_H

#include "net/graph/graph.h"

#define XFV_ORDER_AXES 12

/* The axes of the elements as they come out, outermost first; none has size 1. step: elements, as they went in, from
 * one to the next along the axis. to: the shape at the end. */
struct xfv_order { int n, size[XFV_ORDER_AXES]; size_t step[XFV_ORDER_AXES]; struct xfv_shape to; };

struct xfv_order xfv_order_start(struct xfv_shape s); /* nothing moved yet */
/* Append a reshape or a transposition; 0: an axis would be cut where it has no divisor, and the order is spoilt. */
int xfv_order_reshape(struct xfv_order *o, struct xfv_shape to);
int xfv_order_transpose(struct xfv_order *o, const int *perm, struct xfv_shape to);
int xfv_order_kept(const struct xfv_order *o); /* 1: elements come out in the order in which they went in */

int xfv_order_same(const struct xfv_order *a, const struct xfv_order *b); /* 1: and they end in one shape */

/* Let the innermost of the axes that went in come out last, and the end be [before it, after it, it] of what was
 * [before it, it, after it]. 0: it was last. */
int xfv_order_inner_last(struct xfv_order *o);

/* The same by transpositions of at most four axes: of what is reshaped to from[k], by perm[k]. 0: there is none so
 * short. */
struct xfv_moves { int n; struct xfv_shape from[2]; int perm[2][XFV_MAX_RANK]; };
int xfv_order_moves(const struct xfv_order *o, struct xfv_moves *m);

/* What a does not undo of b: b, then a backwards, which ends in shape s. 0: their axes do not meet. */
int xfv_order_between(const struct xfv_order *a, const struct xfv_order *b, struct xfv_shape s, struct xfv_order *out);

/* An operand of shape k, which stretches to o's end as in NumPy, as one that stretches to o's beginning, of shape
 * `from`: its shape, and its numbers. */
struct xfv_shape xfv_order_stretch(const struct xfv_order *o, struct xfv_shape from, struct xfv_shape k);
void xfv_order_back(const struct xfv_order *o, struct xfv_shape from, struct xfv_shape k, const float *numbers,
                    struct xfv_shape s, double *out);

#endif
