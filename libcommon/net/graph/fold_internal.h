/* Private to the simplifier: the state that its passes share. A pass looks at one node and returns 1 when it changed
 * it, 0 when not, or a negative status. Nodes change in place and keep their output value, so that only uses
 * change; fold_order.c alone puts new ones before them. */
#ifndef XFV_NET_GRAPH_FOLD_INTERNAL_H
#define XFV_NET_GRAPH_FOLD_INTERNAL_H

#include "net/graph/fold.h"

struct fold {
    struct xfv_graph *g;
    int *producer; /* of each value: node index, -1 for the input */
    int *uses;     /* of each value: inputs of live nodes, outputs, kept names */
    int *weight_uses; /* of each weight: live nodes that read it */
    char *dead;    /* of each node */
    int order_left; /* changes that fold_order.c may still make: no graph, whatever it is, keeps it busy for ever */
    struct xfv_fold_stats stats;
    struct xfv_err *e;
};

/* NULL when it is not that operator */
const struct xfv_node *xfv_fold_producer(const struct fold *f, int value, enum xfv_op op);
const struct xfv_weight *xfv_fold_weight(const struct fold *f, int index);                 /* NULL for -1 */
/* Node i becomes n (its name and output stay); what only the old node needed dies. */
void xfv_fold_become(struct fold *f, int i, struct xfv_node n);
/* A new weight "<name of node i>/<what>" from doubles; its index or a negative status. v is freed. */
int xfv_fold_new_weight(struct fold *f, int i, const char *what, struct xfv_shape s, double *v);
/* The same from floats of malloc, which the graph takes over. */
int xfv_fold_take_weight(struct fold *f, int i, const char *what, struct xfv_shape s, float *d);
float *xfv_fold_floats(struct fold *f, size_t n);   /* NULL with f->e filled */
double *xfv_fold_doubles(struct fold *f, size_t n); /* zeroed; NULL with f->e filled */
/* A node of another value, of shape s, before node i, which moves to i + 1; the new value or a negative status. */
int xfv_fold_insert(struct fold *f, int i, struct xfv_node n, struct xfv_shape s);
int xfv_fold_room(struct fold *f); /* for one value and one node more; 0 with f->e filled */
int xfv_fold_is_binary(enum xfv_op op); /* of two operands, of which the second stretches */
int xfv_fold_channels(const struct fold *f, int value); /* size of the last axis */

int xfv_fold_affine_after(struct fold *f, int i);  /* conv or dense -> AFFINE i */
int xfv_fold_affine_before(struct fold *f, int i); /* AFFINE -> conv or dense i */
int xfv_fold_merge(struct fold *f, int i);         /* conv 1x1 or dense -> conv 1x1 or dense i */
int xfv_fold_affine_norm(struct fold *f, int i);   /* layernorm -> AFFINE i */

/* reshape or transpose -> node i that needs it not, or can come before it (fold_move.c) */
int xfv_fold_moves(struct fold *f, int i);
/* what goes before reshapes and transpositions -> node i, and chains of them as short as they can be (fold_order.c) */
int xfv_fold_order(struct fold *f, int i);
int xfv_fold_shorten(struct fold *f, int i);
int xfv_fold_pad(struct fold *f, int i);           /* pad -> conv i */
int xfv_fold_flatten(struct fold *f, int i);       /* transpose -> reshapes -> dense i: rows in another order */

int xfv_fold_norm(struct fold *f, int i);          /* x / |x|, layer normalisation (fold_spelled.c) */
int xfv_fold_product(struct fold *f, int i);       /* constant matrix times vectors i (fold_product.c) */
int xfv_fold_gate(struct fold *f, int i);          /* x sigmoid(x), x tanh(softplus(x)), hard swish, gelu */

#endif
