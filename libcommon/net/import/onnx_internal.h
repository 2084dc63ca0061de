/* Private to the ONNX importer: what its files share.
 *
 * The network is built for one image: the batch axis has size 1 like any other axis of size 1. A computed tensor of the
 * file is a value of the graph with a layout: axis[i] is the ONNX axis that the value's dimension i holds, and ONNX
 * axes that are not listed have size 1. So images (N,C,H,W) live as H,W,C with axis = {2,3,1}, transpositions cost
 * nothing until an operator needs an order, and the few that do (flatten, products, softmax) ask for it with
 * xfv_onx_ordered. A layout of more than XFV_MAX_RANK axes has the first of them in one dimension (xfv_onx_shape).
 * Constants stay outside the graph, in ONNX's order, until an operator wants them. */
#ifndef XFV_NET_IMPORT_ONNX_INTERNAL_H
#define XFV_NET_IMPORT_ONNX_INTERNAL_H

#include "net/graph/graph.h"
#include "net/import/import.h"
#include "onnx.pb-c.h"

#define ONX_MAX_RANK 8
#define ONX_AXES (ONX_MAX_RANK + 1) /* room for a list of axes and one more */
#define ONX_MAX_INPUTS 64
#define ONX_EXACT 16777216.0 /* whole numbers up to here are floats, too */
#define ONX_ROOM ((size_t)256 << 20) /* bytes that constants and weights may take beyond what the file holds of them */
#define ONX_MAX_MADE \
    (1 << 24) /* elements of a constant that the file asks to make out of nothing (ConstantOfShape, Expand, ...) */

typedef Onnx__NodeProto onx_node;
typedef Onnx__TensorProto onx_proto;

/* Element types, by their number in onnx.proto. */
enum onx_type {
    ONX_F32 = 1,
    ONX_U8 = 2,
    ONX_I8 = 3,
    ONX_U16 = 4,
    ONX_I16 = 5,
    ONX_I32 = 6,
    ONX_I64 = 7,
    ONX_BOOL = 9,
    ONX_F16 = 10,
    ONX_F64 = 11,
    ONX_U32 = 12,
    ONX_U64 = 13,
    ONX_BF16 = 16,
    ONX_U4 = 21,
    ONX_I4 = 22
};

struct onx_dims { int rank; int64_t dim[ONX_MAX_RANK]; };

/* Whole numbers (and truth values) in i, or floats in f; owned. type: as the file stores them (enum onx_type). */
/* live: counts all bytes that are alive */
struct onx_const { struct onx_dims s; size_t count, bytes, *live; int type; int64_t *i; float *f; };

struct onx_tensor {
    const char *name;          /* as in the file */
    char *label;               /* printable; the graph's name for it */
    struct onx_dims s;
    struct onx_const *c;       /* constant, or NULL; owned */
    const onx_proto *init;     /* constant that is not loaded yet */
    int value;                 /* of the graph, -1: none */
    int n_axes, axis[ONX_AXES];
    int loaded;                /* once: a constant may be let go and loaded again */
    int spent;                 /* its bytes of the file are gone: it had no more readers */
    int readers;               /* nodes that are still to read it, and outputs */
    int made, broken;          /* broken: its operator was not understood, which has been said */
    struct onx_tensor *small;  /* Expand: the tensor that stretches to this shape; value is -1 then */
    int whole;                 /* element type of a computed tensor of whole numbers; 0: floats */
    /* of what one scale quantised: the value of the reals that its numbers stand for; value is -1 until somebody
     * needs the */
    int real;
    double scale, zero;        /* numbers themselves. 0: none (no result is value 0, the input) */
};

/* A node of the file's one list; guard: it is built only where this condition (an index) has the value `when`; -1:
 * always. */
struct onx_flat { const onx_node *n; int guard, when; };
struct onx_guard { const char *condition; int outer, when; };
struct onx_init { const char *name; const onx_proto *p; };
struct onx_beside { uint64_t device, number, taken; }; /* a file of external data; bytes of it, some of them twice */

struct onx {
    struct xfv_graph *g;
    struct xfv_err *e;
    Onnx__GraphProto *file;
    const char *folder;        /* of external data; NULL: none can be read */
    /* Where the network is not from an ONNX file: fills a float constant whose data is external. NULL: ONNX's way */
    int (*fetch)(struct onx *o, const onx_proto *p, struct onx_const *c);
    void *source;              /* fetch's own */
    size_t file_bytes;         /* with external data that was read */
    struct onx_beside *beside;
    size_t n_beside;
    /* The file, and who wants to know what of it was read for the last time (import.h); or NULL */
    const uint8_t *bytes;
    size_t n_bytes;
    void (*spent)(const uint8_t *p, size_t n);
    /* bytes of constants that are alive, of the graph's weights: bounded by what the file holds */
    size_t live, weights;
    int opset, n_tensors, batch, unique;
    struct onx_tensor *t;      /* sorted by name */
    /* The file's nodes and constants with those of its functions and branches (onnx_flat.c) */
    Onnx__FunctionProto **functions;
    struct onx_flat *flat;
    struct onx_guard *guards;
    struct onx_init *inits;
    Onnx__AttributeProto **defaults;
    void **kept;
    int n_flat, n_guards, calls;
    size_t n_functions, n_inits, n_defaults, n_kept;
    int whole_input;           /* the image comes as whole numbers */
    int quantisers;            /* of activations, of which the limits were kept */
    char note[400];            /* what the caller is to be told, sentences */
};

struct onx_op;

struct onx_call { /* one node of the file */
    const onx_node *n;
    const struct onx_op *known; /* NULL: no such operator here */
    const char *op, *label;
    int n_in, n_out;
    struct onx_tensor *in[ONX_MAX_INPUTS], *out[ONX_MAX_INPUTS]; /* NULL: left out */
};

#define ONX_BAD(...) xfv_fail(o->e, XFV_EMODEL, __VA_ARGS__)

/* one more sentence, as far as they fit (onnx_call.c) */
void xfv_onx_note(struct onx *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The network as a graph; o has e, file_bytes, and folder or fetch. *out is the caller's. */
int xfv_onx_import(struct onx *o, const Onnx__ModelProto *m, const struct xfv_import_opts *opts,
                   struct xfv_graph **out);
int xfv_onx_flatten(struct onx *o, const Onnx__ModelProto *m);
void xfv_onx_flat_free(struct onx *o);

/* ---- attributes (onnx_call.c) ---- */

int64_t xfv_onx_int(const struct onx_call *c, const char *name, int64_t otherwise);
float xfv_onx_float(const struct onx_call *c, const char *name, float otherwise);
/* Is the text attribute `name` what `text` says (an absent one is "")? */
int xfv_onx_text_is(const struct onx_call *c, const char *name, const char *text);
/* Whole numbers of input k (which must be constant), else of the attribute; their count, 0 when neither is there, or a
 * negative status. */
int xfv_onx_ints(struct onx *o, const struct onx_call *c, int k, const char *name, int64_t *v, int cap);
const Onnx__AttributeProto *xfv_onx_attribute(const struct onx_call *c, const char *name); /* NULL: absent */
/* negative ones counted from the end; or a negative status */
int xfv_onx_axis(struct onx *o, const struct onx_call *c, int64_t axis, int rank);
/* One number of constant input k, or of the attribute (either may be absent: otherwise). */
int xfv_onx_scalar(struct onx *o, const struct onx_call *c, int k, const char *name, float otherwise, float *v);

/* ---- constants (onnx_tensor.c, onnx_const.c) ---- */

int xfv_onx_is_float(int type);
int xfv_onx_load(struct onx *o, const onx_proto *p, struct onx_const **out); /* from the file, inline or external */
struct onx_const *xfv_onx_const_new(struct onx *o, struct onx_dims s, int whole); /* zeros; NULL with o->e filled */
void xfv_onx_const_free(struct onx_const *c);
double xfv_onx_const_at(const struct onx_const *c, size_t i);
/* The constant of a tensor, loaded when needed; NULL with o->e filled when it is not constant or not readable. */
const struct onx_const *xfv_onx_constant(struct onx *o, struct onx_tensor *t);
int xfv_onx_is_constant(const struct onx_tensor *t);
/* elements; 0 when a dimension is not positive or the product passes XFV_MAX_ELEMENTS */
size_t xfv_onx_count(struct onx_dims s);
/* output i is this constant, from now on the tensor's; 1 */
int xfv_onx_give(struct onx *o, const struct onx_call *c, int i, struct onx_const *k);
/* as NumPy's transpose */
struct onx_const *xfv_onx_permuted(struct onx *o, const struct onx_const *c, const int *perm);
int xfv_onx_broadcast_dims(struct onx *o, const struct onx_call *c, struct onx_dims a, struct onx_dims b,
                           struct onx_dims *out);
/* of Reshape, Flatten, Squeeze, Unsqueeze */
int xfv_onx_new_dims(struct onx *o, const struct onx_call *c, struct onx_dims *out);

/* ---- values (onnx_value.c) ---- */

/* Add a node and its value, called label (+ suffix); made unique. Its value index, or a negative status. */
int xfv_onx_emit(struct onx *o, struct xfv_node *n, const char *label, const char *suffix);
/* v itself when it has that shape */
int xfv_onx_emit_reshape(struct onx *o, int v, struct xfv_shape s, const char *label, const char *suffix);
/* A new weight of the graph from floats (copied), called label + suffix; made unique. */
int xfv_onx_weight(struct onx *o, struct xfv_shape s, const float *v, const char *label, const char *suffix);
/* not copied: the graph's, *v becomes NULL */
int xfv_onx_take_weight(struct onx *o, struct xfv_shape s, float **v, const char *label, const char *suffix);
/* constant input k, of floats; NULL with o->e filled */
const struct onx_const *xfv_onx_floats(struct onx *o, const struct onx_call *c, int k);
/* The shape of a value of such a layout: its axes' sizes, the first of them multiplied where there are more than
 * XFV_MAX_RANK; 1 where an axis is missing. */
struct xfv_shape xfv_onx_shape(struct onx_dims s, const int *axis, int n);
/* v seen as [elements of the layout's axes before place d][those of axis d][those after]. */
int xfv_onx_three(struct onx *o, int v, const struct onx_tensor *t, int d, const char *label);
/* The tensor as a value whose dimension i holds ONNX axis want[i] (-1: a dimension of 1); axes not wanted must have
 * size 1. More than XFV_MAX_RANK: a value of xfv_onx_shape, of which the last dimensions hold the last axes. */
int xfv_onx_ordered(struct onx *o, struct onx_tensor *t, const int *want, int n, const char *label);
/* Give a tensor a value in its own layout when it has none yet (constants, expanded tensors). */
int xfv_onx_materialise(struct onx *o, struct onx_tensor *t, const char *label);
/* Axes that are not 1, in the layout's order, without `except`; their number. */
int xfv_onx_layout_without(const struct onx_tensor *t, int except, int *axes);
/* Output k of the call is value v with this shape and layout. */
int xfv_onx_result(struct onx *o, const struct onx_call *c, int k, int v, struct onx_dims s, const int *axis,
                   int n_axes);
/* Emit n as output 0 with the layout and shape of input 0 (pointwise operators). */
int xfv_onx_pointwise(struct onx *o, const struct onx_call *c, struct xfv_node n);
/* input k as H,W,C; a signal, N,C,W, with a height of 1 */
int xfv_onx_image(struct onx *o, const struct onx_call *c, int k);
/* The dimension of the value of t (a copy) that holds this axis; a new one in front, of size 1, when none does. */
int xfv_onx_dimension_of(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis);
/* Replace t (a copy of a tensor that has a value) by its product with m [to][t's size there] along an ONNX axis
 * (onnx_resize.c). */
int xfv_onx_along(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, const float *m, int to);
/* zeros, for xfv_onx_along: free it; NULL with o->e filled */
float *xfv_onx_matrix(struct onx *o, const struct onx_call *c, int64_t to, int64_t from);

/* A tensor that walks from node to node: the tensor with a value, without its constant. */
int xfv_onx_walker(struct onx *o, struct onx_tensor *t, struct onx_tensor *copy, const char *label);
/* t = n(t), a pointwise node */
int xfv_onx_step(struct onx *o, const struct onx_call *c, struct onx_tensor *t, struct xfv_node n, const char *suffix);
/* t = t^p */
int xfv_onx_power(struct onx *o, const struct onx_call *c, struct onx_tensor *t, float p, const char *suffix);
int xfv_onx_times(struct onx *o, const struct onx_call *c, struct onx_tensor *t, double scale, double shift,
                  const char *suffix);
/* output 0 = a op b */
int xfv_onx_combine(struct onx *o, const struct onx_call *c, enum xfv_op op, struct onx_tensor *a,
                    struct onx_tensor *b);
/* the same with a node's attributes */
int xfv_onx_combine_as(struct onx *o, const struct onx_call *c, struct xfv_node n, struct onx_tensor *a,
                       struct onx_tensor *b);
/* t, a walker, = 1 where it stands so (enum xfv_relation) to a number, else 0 */
int xfv_onx_against(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int relation, float number);
/* Output 0 = t reduced over the axes in mask; keep: they stay, with size 1. */
int xfv_onx_reduced(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int what, unsigned mask, int keep);
/* Elements from..to of an ONNX axis of t, as a value in t's layout; t's own value when that is all. */
int xfv_onx_cut(struct onx *o, const struct onx_call *c, const struct onx_tensor *t, int axis, int64_t from,
                int64_t to);
/* t, a walker, in another shape */
int xfv_onx_reshaped(struct onx *o, const struct onx_call *c, struct onx_tensor *t, struct onx_dims s);
/* as NumPy's transpose */
void xfv_onx_permute(struct onx_tensor *t, const int *perm);
/* t, a walker, in ONNX's order as rows x columns, through node n; then in its own shape again */
int xfv_onx_by_rows(struct onx *o, const struct onx_call *c, struct onx_tensor *t, size_t rows, size_t columns,
                    struct xfv_node n);
/* Output 0 is node n, which works on rows, of input 0: all axes from this one on together are a row. */
int xfv_onx_on_trailing(struct onx *o, const struct onx_call *c, int from, struct xfv_node n);
/* output 0 = t, a walker */
int xfv_onx_finish(struct onx *o, const struct onx_call *c, const struct onx_tensor *t);
/* The number of each axis where a Slice begins, its steps, and the shape that comes out (a size may be 0). */
int xfv_onx_slices(struct onx *o, const struct onx_call *c, struct onx_dims in, int64_t *begin, int64_t *step,
                   struct onx_dims *out);
/* v scale + shift, the same everywhere. */
int xfv_onx_emit_affine(struct onx *o, int v, double scale, double shift, const char *label, const char *suffix);
/* Output 0 = t scale + shift, with a number of each for every place along an ONNX axis. */
int xfv_onx_scaled(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis, const float *scale,
                   const float *shift);

/* ---- operators ---- */

/* Turns a node into nodes of the graph: 0 or a negative status. As an evaluator, computes a node whose inputs are all
 * constant: 1 done, 0 not in this form (then it is built), or a negative status. */
typedef int onx_builder(struct onx *o, const struct onx_call *c);
/* Output `out` by another operator's builder f, with c's attributes, of n inputs: c's tensors or the caller's own. */
int xfv_onx_by(struct onx *o, const struct onx_call *c, onx_builder *f, const char *op, struct onx_tensor *out, int n,
               struct onx_tensor *a, struct onx_tensor *b, struct onx_tensor *d);
/* A tensor of a builder's own, not known yet; label is only read. */
struct onx_tensor xfv_onx_fresh(const char *label);

enum { ONX_OF_SHAPE = 1, /* evaluated whatever its input is: only the shape is asked for */
       ONX_MICROSOFT = 8, /* also in, ONX_ALIEN: only in, the domain com.microsoft */
       ONX_ALIEN = 16,
       ONX_PICKS = 4,    /* not all of its inputs need to have been made */
       ONX_OWN = 32,     /* takes whole numbers and truth values, and says itself what comes out */
       ONX_MOVES = 2 };  /* moves elements, or picks the largest: whole numbers may go through it */

/* min_in: inputs that must be there; NULL: only constants, never */
struct onx_op { const char *name; onx_builder *build, *eval; int min_in, flags; };

const struct onx_op *xfv_onx_find_op(const char *name, const char *domain); /* NULL: not known */

onx_builder xfv_onx_conv, xfv_onx_pool, xfv_onx_global_pool, xfv_onx_conv_transpose; /* onnx_conv.c */
onx_builder xfv_onx_batchnorm, xfv_onx_gemm, xfv_onx_matmul;                                      /* onnx_linear.c */
/* onnx_math.c */
onx_builder xfv_onx_unary_math, xfv_onx_binary, xfv_onx_sum, xfv_onx_prelu, xfv_onx_clip, xfv_onx_pow, xfv_onx_softmax,
    xfv_onx_reduce, xfv_onx_lpnorm;
/* onnx_move.c */
onx_builder xfv_onx_reshape, xfv_onx_transpose, xfv_onx_concat, xfv_onx_split, xfv_onx_slice, xfv_onx_gather,
    xfv_onx_pad, xfv_onx_expand, xfv_onx_identity;
/* onnx_norm.c */
onx_builder xfv_onx_groupnorm, xfv_onx_layernorm, xfv_onx_rmsnorm, xfv_onx_lrn, xfv_onx_meanvariance,
    xfv_onx_logsoftmax;
/* onnx_more.c */
onx_builder xfv_onx_where_constant, xfv_onx_cumsum, xfv_onx_cumprod, xfv_onx_blocks, xfv_onx_einsum, xfv_onx_mean;
int xfv_onx_reduce_made(struct onx *o, const struct onx_call *c, unsigned mask, int keep);
int xfv_onx_gather_many(struct onx *o, const struct onx_call *c, int axis);
onx_builder xfv_onx_qlinear_conv, xfv_onx_qlinear_matmul, xfv_onx_qlinear_math, xfv_onx_integer,
    xfv_onx_dynamic_quantise,
    /* onnx_fused.c */
    xfv_onx_bias_gelu, xfv_onx_fused, xfv_onx_skip_layernorm;
int xfv_onx_softmax_last(struct onx *o, const struct onx_call *c); /* over the last axis, whatever the attributes say */
/* onnx_choose.c */
onx_builder xfv_onx_compare, xfv_onx_logic, xfv_onx_is_odd, xfv_onx_where, xfv_onx_arg, xfv_onx_hardmax,
    xfv_onx_threshold;
/* onnx_table.c */
onx_builder xfv_onx_gather_elements, xfv_onx_gather_nd, xfv_onx_scatter, xfv_onx_tile, xfv_onx_trilu, xfv_onx_center,
    xfv_onx_reverse, xfv_onx_compress, xfv_onx_col2im, xfv_onx_grid_sample, xfv_onx_affine_grid;
/* The outputs of a call whose inputs were all constant, and that was built: constants, too, where that can be said. */
int xfv_onx_known(struct onx *o, const struct onx_call *c);
/* onnx_attend.c */
onx_builder xfv_onx_attention, xfv_onx_multi_head, xfv_onx_rotary;
/* onnx_flat.c */
onx_builder xfv_onx_if;
/* onnx_resize.c */
onx_builder xfv_onx_resize;
/* onnx_quant.c */
onx_builder xfv_onx_quantise, xfv_onx_dequantise, xfv_onx_eval_quantise, xfv_onx_eval_dequantise;
onx_builder xfv_onx_eval_shape, xfv_onx_eval_fill, xfv_onx_eval_constant, xfv_onx_eval_expand, xfv_onx_eval_tile,
    xfv_onx_eval_range, xfv_onx_eval_gather, xfv_onx_eval_concat, xfv_onx_eval_slice, xfv_onx_eval_reshape,
    xfv_onx_eval_transpose, xfv_onx_eval_cast, xfv_onx_eval_where, xfv_onx_eval_reduce,
    /* onnx_const.c */
    xfv_onx_eval_binary, xfv_onx_eval_unary, xfv_onx_eval_identity;

#endif
