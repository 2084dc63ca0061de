/* Private to the simplifier: the state that its passes share. A pass looks at one node and returns 1 when it changed it, 0 when not, or a
 * negative status. Nodes change in place and keep their output value, so producers and the topological order never change; only uses do. */
#ifndef XFV_NET_FOLD_PASS_H
#define XFV_NET_FOLD_PASS_H

#include "net/fold.h"

struct fold {
    struct xfv_graph *g;
    int *producer; /* of each value: node index, -1 for the input */
    int *uses;     /* of each value: inputs of live nodes, outputs, kept names */
    char *dead;    /* of each node */
    struct xfv_fold_stats stats;
    struct xfv_err *e;
};

const struct xfv_node *fold_producer(const struct fold *f, int value, enum xfv_op op); /* NULL when it is not that operator */
const struct xfv_weight *fold_weight(const struct fold *f, int index);                 /* NULL for -1 */
/* Node i becomes n (its name and output stay); what only the old node needed dies. */
void fold_become(struct fold *f, int i, struct xfv_node n);
/* A new weight "<name of node i>/<what>" from doubles; its index or a negative status. v is freed. */
int fold_new_weight(struct fold *f, int i, const char *what, struct xfv_shape s, double *v);
double *fold_doubles(struct fold *f, size_t n); /* zeroed; NULL with f->e filled */
int fold_channels(const struct fold *f, int value); /* size of the last axis */

int fold_affine_after(struct fold *f, int i);  /* conv or dense -> AFFINE i */
int fold_affine_before(struct fold *f, int i); /* AFFINE -> conv or dense i */
int fold_merge(struct fold *f, int i);         /* conv 1x1 or dense -> conv 1x1 or dense i */
int fold_affine_norm(struct fold *f, int i);   /* layernorm -> AFFINE i */

int fold_moves(struct fold *f, int i);         /* reshape or transpose -> node i that needs it not, or can come before it (fold_move.c) */
int fold_pad(struct fold *f, int i);           /* pad -> conv i */
int fold_flatten(struct fold *f, int i);       /* transpose -> reshapes -> dense i: rows in another order */

int fold_norm(struct fold *f, int i);          /* x / |x|, layer normalisation (fold_spelled.c) */
int fold_gate(struct fold *f, int i);          /* x sigmoid(x), x tanh(softplus(x)), hard swish, gelu */

#endif
