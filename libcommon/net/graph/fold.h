/* Simplify a graph without changing what it computes (up to the rounding of weights to float): what exporters spell out
 * in small operators becomes the operator that was meant, and linear operators in a row become one. */
#ifndef XFV_NET_GRAPH_FOLD_H
#define XFV_NET_GRAPH_FOLD_H

#include "net/graph/graph.h"
#include "base/err.h"

struct xfv_fold_stats { /* how often each pass found something */
    int constants;      /* operators of constants alone, computed */
    int affine;         /* + - * / by a constant per channel, and negation, made AFFINE; chains of AFFINE joined */
    int prelu, softmax; /* spelled-out forms recognised */
    int spelled;        /* and others: l2norm, layernorm, silu, gelu, mish, hardswish */
    int moves;          /* reshapes, transpositions and paddings that were taken in by their neighbours */
    int into_linear;    /* AFFINE moved into the weights of a convolution or dense layer before or after it */
    int merged;         /* 1x1 convolutions and dense layers in a row, joined where that does not add multiply-adds */
    int dead;           /* nodes that nothing needs, removed (those made so by the passes above included) */
};

/* Replaces *g by the simplified graph (the old one is freed; on failure *g is what it was, or a graph that computes the
 * same). The input, the outputs and the values named in keep (NULL, or a NULL-terminated list; unknown names:
 * XFV_EMODEL) stay, under their names; so does every other value that is still computed. Values that are computed in
 * another order than before are new, "<name>/moved#<number>". stats may be NULL. */
int xfv_fold(struct xfv_graph **g, const char *const *keep, struct xfv_fold_stats *stats, struct xfv_err *e);

#endif
