/* The network as data: a graph of operators over float tensors in NHWC order. The batch axis is implied: every shape
 * below is that of one sample. Importers make graphs, net/model/model.h stores them, net/run/net.h runs and
 * differentiates them, net/graph/ref.h is the plain double-precision oracle that tests compare with. */
#ifndef XFV_NET_GRAPH_GRAPH_H
#define XFV_NET_GRAPH_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum xfv_op {            /* append only: the name, not the number, is stored in files */
    /* 2-D convolution; weight [kh][kw][cin/groups][cout], bias [cout] optional; groups==cin==cout is depthwise */
    XFV_OP_CONV,
    XFV_OP_DENSE,        /* y = x W + b on the flattened (H,W,C order) input; weight [in][out], bias [out] optional */
    XFV_OP_PRELU,        /* x > 0 ? x : slope_c x; weight = slope [C] */
    XFV_OP_RELU,
    /* two inputs; the second has the first's shape or broadcasts to it as in NumPy (right-aligned, 1 stretches): [1],
     * [C], ... */
    XFV_OP_ADD,
    XFV_OP_MAXPOOL,      /* padding never wins */
    XFV_OP_SOFTMAX,      /* over the last axis */
    /* same elements, same (H,W,C) order; i[0..3] = new dimensions, 0 after the last, one may be -1 (what remains) */
    XFV_OP_RESHAPE,
    /* x / max(|x|_2, eps) over all elements of the sample, zeros for zeros; attribute eps in f[0] */
    XFV_OP_L2NORM,
    XFV_OP_AVGPOOL,      /* i[0] = 1: padding counts in the divisor */
    XFV_OP_SUB,          /* shapes as for ADD, also for MUL and DIV */
    XFV_OP_MUL,
    XFV_OP_DIV,
    /* y = x * scale_c + shift_c; weight = scale [C], bias = shift [C] or none (a batch normalisation that cannot be
     * folded) */
    XFV_OP_AFFINE,
    XFV_OP_ACT,          /* other pointwise functions: i[0] = enum xfv_act, parameters in f[] */
    XFV_OP_CONST,        /* no input; weight is the value */
    XFV_OP_TRANSPOSE,    /* i[0..3] = permutation of the sample's axes */
    XFV_OP_CONCAT,       /* any number of inputs; i[0] = axis */
    XFV_OP_SLICE,        /* i[0] = axis, i[1] = begin, i[2] = end */
    XFV_OP_PAD,          /* zero padding, pads[4] */
    XFV_OP_REDUCE,       /* i[0] = enum xfv_reduce, i[1] = bit mask of axes (kept as 1) */
    /* two activations of one rank, batched over leading axes, where 1 stretches; i[0] = transpose b */
    XFV_OP_MATMUL,
    XFV_OP_LAYERNORM,    /* over the last axis; weight = gamma, bias = beta; f[0] = eps */
    /* the larger of two; shapes as for ADD, also for MIN. The gradient of equals goes to the first */
    XFV_OP_MAX,
    XFV_OP_MIN,
    XFV_OP_POWER,        /* a^b; shapes as for ADD, also for MOD and COMPARE */
    /* what is left of a after division by b: with the sign of b, or with that of a where i[0] = 1 */
    XFV_OP_MOD,
    XFV_OP_COMPARE,      /* 1 where a stands to b as i[0], an enum xfv_relation, says, else 0; no gradient */
    XFV_OP_SELECT,       /* inputs c, a, b of one shape: a where c is not 0, else b; no gradient for c */
    /* y[weight[k][0]] += weight[k][2] x[weight[k][1]] for each row k of weight [n][3], from zeros; elements are
     * counted in (H,W,C order); i[0..3] = dimensions of y, 0 after the last */
    XFV_OP_SPARSE,
    XFV_OPS
};
/* Parameters: clip f[0]..f[1], not empty; leaky slope f[0]; hardsigmoid clip(f[0] x + f[1], 0, 1); hardswish x
 * clip(x/6 + 1/2, 0, 1); gelu f[0] = 0 exact, 1 the tanh form; pow x^f[0]; elu x > 0 ? f[1] x : f[0] (exp(f[2] x) - 1).
 * A row has the name here and in files (xfv_act_name). */
#define XFV_EACH_ACT(X) \
    X(CLIP, "clip") X(LEAKY, "leaky") X(SIGMOID, "sigmoid") X(HARDSIGMOID, "hardsigmoid") X(HARDSWISH, "hardswish") \
    X(TANH, "tanh") X(SOFTPLUS, "softplus") X(MISH, "mish") X(GELU, "gelu") X(SILU, "silu") X(ERF, "erf") \
    X(SQRT, "sqrt") X(POW, "pow") X(EXP, "exp") X(NEG, "neg") X(ABS, "abs") X(LOG, "log") X(ELU, "elu") \
    X(SOFTSIGN, "softsign") X(SIN, "sin") X(COS, "cos") X(TAN, "tan") X(ASIN, "asin") X(ACOS, "acos") \
    X(ATAN, "atan") X(SINH, "sinh") X(COSH, "cosh") X(ASINH, "asinh") X(ACOSH, "acosh") X(ATANH, "atanh") \
    /* from here on: steps, with a gradient of zero; round takes halves to the even neighbour */ \
    X(FLOOR, "floor") X(CEIL, "ceil") X(ROUND, "round") X(TRUNC, "trunc") X(SIGN, "sign")
#define XFV_ACT_ROW(name, text) XFV_ACT_##name,
enum xfv_act { XFV_EACH_ACT(XFV_ACT_ROW) XFV_ACTS };
#undef XFV_ACT_ROW
enum xfv_reduce {
    XFV_REDUCE_MEAN, XFV_REDUCE_SUM, XFV_REDUCE_MAX, XFV_REDUCE_L2, XFV_REDUCE_PROD, XFV_REDUCES
};
enum xfv_relation {
    XFV_LESS, XFV_AT_MOST, XFV_EQUAL, XFV_AT_LEAST, XFV_GREATER, XFV_RELATIONS
};

#define XFV_MAX_RANK 4
#define XFV_MAX_INPUTS 16
/* Bounds on what a file may ask for: nodes, values or weights of a graph; elements of one tensor; kernel, stride,
 * dilation, padding; name. */
#define XFV_MAX_NODES 65536
#define XFV_MAX_ELEMENTS 2147483647
#define XFV_MAX_KERNEL 4096
#define XFV_MAX_NAME 1023
#define XFV_MAX_SPARSE 16777216 /* elements that a sparse operator reads or makes: floats count them exactly */

struct xfv_shape { int rank; int dim[XFV_MAX_RANK]; }; /* one sample: [H,W,C] for images, [N] for vectors */

struct xfv_value {           /* a tensor that flows: the graph's input or the output of one node */
    char *name;
    struct xfv_shape shape;  /* at the graph's declared input size */
};

struct xfv_weight { char *name; struct xfv_shape shape; float *data; size_t count; };

struct xfv_node {
    enum xfv_op op;
    char *name;
    int n_in, in[XFV_MAX_INPUTS]; /* value indices */
    int out;                      /* value index */
    int weight, bias;             /* weight indices, -1 for none */
    int kernel[2], stride[2], dilation[2], pads[4]; /* y,x; y,x; y,x; top,left,bottom,right */
    int groups;
    int i[4];
    float f[4];
};

/* Nodes are in topological order; values[0] is the input. Owned by the graph: everything. */
struct xfv_graph {
    int n_values, n_nodes, n_weights, n_outputs;
    struct xfv_value *values;
    struct xfv_node *nodes;
    struct xfv_weight *weights;
    int *outputs; /* value indices, in the model's order */
    struct xfv_names *value_names, *weight_names; /* name -> index */
};

const char *xfv_op_name(enum xfv_op op);                 /* "conv", "dense", ... */
int xfv_op_parse(const char *name, enum xfv_op *op);     /* 0 or XFV_EMODEL */
const char *xfv_act_name(int act); /* "clip", ...; NULL for an unknown number; also xfv_reduce_name */
const char *xfv_reduce_name(int reduce);                 /* "mean", ... */
const char *xfv_relation_name(int relation);             /* "less", ... */
int xfv_act_parse(const char *name, int *act);           /* 0 or XFV_EMODEL, also xfv_reduce_parse */
int xfv_reduce_parse(const char *name, int *reduce);
int xfv_relation_parse(const char *name, int *relation);

struct xfv_graph *xfv_graph_new(void);                   /* empty; NULL when out of memory */
void xfv_graph_free(struct xfv_graph *g);
/* Each returns the new index or a negative status. Names are copied (duplicate value names are refused with
 * XFV_EMODEL); data is copied. */
int xfv_graph_add_value(struct xfv_graph *g, const char *name, struct xfv_shape s, struct xfv_err *e);
/* data: floats, at any alignment. */
int xfv_graph_add_weight(struct xfv_graph *g, const char *name, struct xfv_shape s, const void *data,
                         struct xfv_err *e);
/* As above, but data, from malloc or NULL, is the graph's from now on; after a failure the caller's. */
int xfv_graph_take_weight(struct xfv_graph *g, const char *name, struct xfv_shape s, float *data, struct xfv_err *e);
/* name copied; node defaults: xfv_node_default() */
int xfv_graph_add_node(struct xfv_graph *g, const struct xfv_node *n, struct xfv_err *e);
int xfv_graph_add_output(struct xfv_graph *g, int value, struct xfv_err *e);
struct xfv_node xfv_node_default(enum xfv_op op); /* stride 1, dilation 1, groups 1, no weights */
struct xfv_node xfv_node_unary(enum xfv_op op, int in);
struct xfv_node xfv_node_reshape(int in, struct xfv_shape s);
struct xfv_node xfv_node_act(enum xfv_act a, int in, float f0, float f1);
int xfv_graph_find(const struct xfv_graph *g, const char *value_name); /* value index or -1 */
int xfv_graph_find_weight(const struct xfv_graph *g, const char *weight_name); /* weight index or -1 */
struct xfv_shape xfv_shape_of(int rank, ...); /* the dimensions as ints: xfv_shape_of(3, h, w, c) */
int xfv_shape_equal(struct xfv_shape a, struct xfv_shape b);
char *xfv_shape_text(struct xfv_shape s, char buf[64]); /* "112x112x3"; returns buf */

/* Shape of a node's output from the shapes of its inputs; XFV_EMODEL with a sentence naming the node when they do not
 * fit. */
int xfv_node_shape(const struct xfv_graph *g, const struct xfv_node *n, const struct xfv_shape *in,
                   struct xfv_shape *out, struct xfv_err *e);
/* Shapes of all values for another input shape (fully convolutional nets); out has n_values entries. */
int xfv_graph_shapes(const struct xfv_graph *g, struct xfv_shape input, struct xfv_shape *out, struct xfv_err *e);
/* Everything a file could have got wrong: indices, topological order, one producer a value, weight shapes, sizes that
 * overflow, cycles. */
int xfv_graph_check(const struct xfv_graph *g, struct xfv_err *e);
/* Number of elements: 1 for rank 0; 0 when a dimension is not positive, the rank is out of range, or the product
 * passes XFV_MAX_ELEMENTS. */
size_t xfv_shape_count(struct xfv_shape s);
/* Multiply-adds of one forward pass at the declared shapes. */
double xfv_graph_macs(const struct xfv_graph *g);
double xfv_node_macs(const struct xfv_graph *g, const struct xfv_node *n); /* conv, dense and matmul; 0 for the rest */

#endif
