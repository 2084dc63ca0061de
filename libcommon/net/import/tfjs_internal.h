/* Private to the reader of TensorFlow.js models: what its files share.
 *
 * Each operator or layer of the file becomes a few of ONNX's, and the ONNX importer makes the graph of them: its
 * layouts, constants and messages serve both. Tensors keep the order that TensorFlow gives them (N,H,W,C); where ONNX
 * wants N,C,H,W a Transpose stands on each side, which costs nothing (onnx_internal.h). A helper's name is its
 * operator's with an '@', which no name of TensorFlow's has. Everything that is made lives until the end in t->kept.
 * What cannot be understood is noted, and the rest is still read, so that one message has all of it. */
#ifndef XFV_NET_IMPORT_TFJS_INTERNAL_H
#define XFV_NET_IMPORT_TFJS_INTERNAL_H

#include <jansson.h>

#include "net/import/onnx_internal.h"

#define TFJS_MAX_LIST 16 /* numbers in an attribute, inputs of a layer, parts of a split */

enum tfjs_stored { TFJS_F32, TFJS_F16, TFJS_U8, TFJS_U16, TFJS_I32 };

struct tfjs_shard { const char *path; size_t size; };

/* Weights that lie one behind the other in the bytes of some files. */
struct tfjs_group { struct tfjs_shard *shard; size_t n, bytes; };

struct tfjs_weight {
    const char *name;
    onx_proto *proto;         /* of what is to be made of it: floats, or whole numbers */
    enum tfjs_stored stored;
    int quantised;            /* value = number * scale + min */
    double scale, min;
    size_t group, at, bytes;  /* where it is stored */
    int used;                 /* it is among the constants */
};

struct tfjs {
    struct xfv_err *e;
    const char *folder;
    json_t *root;
    size_t json_bytes;
    struct tfjs_group *group;
    size_t n_groups;
    struct tfjs_weight *weight; /* sorted by name */
    size_t n_weights;
    void **kept;
    size_t n_kept;
    Onnx__GraphProto graph;     /* what is made */
    onx_node *last;             /* the newest node; attributes go to it */
    int unique, nchw;           /* nchw: some operator has the channels in front of height and width */
    char problems[400];         /* sentences about what was not understood */
    int n_problems, shown;
    const char *embedding[2];   /* what --embedding and --normalised name, or NULL */
    struct tfjs_graph *nodes;   /* of a graph model, while it is read */
};

#define TFJS_BAD(...) xfv_fail(t->e, XFV_EMODEL, __VA_ARGS__)

/* ---- the file (tfjs.c) ---- */

struct tfjs_weight *xfv_tfjs_weight(const struct tfjs *t, const char *name); /* NULL: there is none */
/* The whole numbers that a weight holds; their count, or a negative status. */
int xfv_tfjs_weight_ints(struct tfjs *t, const struct tfjs_weight *w, int64_t *v, int cap);
/* One more sentence; 0, so that reading goes on. */
int xfv_tfjs_note(struct tfjs *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for an operator or layer that is not known, once for each kind. */
int xfv_tfjs_unknown(struct tfjs *t, const char *what, const char *kind, const char *name);

/* ---- JSON (tfjs_json.c): NULL or `otherwise` where a key is missing or of another kind ---- */

const char *xfv_tfjs_text(const json_t *o, const char *key);
/* Numbers, and texts of digits, as protocol buffers have them in JSON. 1: v is set. */
int xfv_tfjs_whole(const json_t *x, int64_t *v);
double xfv_tfjs_real(const json_t *o, const char *key, double otherwise);
int xfv_tfjs_flag(const json_t *o, const char *key, int otherwise);
/* Whole numbers of a list, or of one number; their count, or -1: no such list, or of more than cap. */
int xfv_tfjs_list(const json_t *x, int64_t *v, int cap);

/* ---- making nodes (tfjs_emit.c): after a failure they do nothing and give NULL ---- */

void *xfv_tfjs_alloc(struct tfjs *t, size_t n);     /* zeros */
const char *xfv_tfjs_format(struct tfjs *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A node with one output, of this name; the name. NULL in the list: no such input. */
const char *xfv_tfjs_node(struct tfjs *t, const char *op, const char *out, const char *const *in, int n);
#define TFJS_NODE(op, out, ...) \
    xfv_tfjs_node(t, op, out, (const char *const[]){__VA_ARGS__}, \
                  (int)(sizeof(const char *[]){__VA_ARGS__} / sizeof(const char *)))
void xfv_tfjs_more_outputs(struct tfjs *t, const char *const *out, int n); /* of the last node: all of them */
void xfv_tfjs_int(struct tfjs *t, const char *name, int64_t v);
void xfv_tfjs_ints(struct tfjs *t, const char *name, const int64_t *v, int n);
void xfv_tfjs_float(struct tfjs *t, const char *name, double v);
void xfv_tfjs_string(struct tfjs *t, const char *name, const char *v);
/* Constants, named by a number. rank 0: one number. */
const char *xfv_tfjs_const_ints(struct tfjs *t, const int64_t *v, int n);
const char *xfv_tfjs_const_floats(struct tfjs *t, const float *v, int n);
const char *xfv_tfjs_scalar(struct tfjs *t, double v);
const char *xfv_tfjs_add_weight(struct tfjs *t, struct tfjs_weight *w); /* a constant of its name */
void xfv_tfjs_input(struct tfjs *t, const char *name, const int64_t *dim, int rank, int type);
void xfv_tfjs_output(struct tfjs *t, const char *name);

/* ---- pieces that both kinds of file have (tfjs_parts.c) ---- */

/* A window over an image. pad: 'S' SAME, 'V' VALID, 'E' explicit. */
struct tfjs_window { int64_t kernel[2], stride[2], dilation[2], pads[4]; char pad; int nchw; };

/* An image with its channels in front, and back, where the file has them last. */
const char *xfv_tfjs_to_nchw(struct tfjs *t, int nchw, const char *x, const char *name);
const char *xfv_tfjs_from_nchw(struct tfjs *t, int nchw, const char *x, const char *out);
/* weight: [kh][kw][cin/groups][cout], or depthwise [kh][kw][cin][multiplier], whose dimensions are given. */
const char *xfv_tfjs_conv(struct tfjs *t, const char *x, const char *weight, const int64_t dim[4], int depthwise,
                          int64_t channels, const struct tfjs_window *w, const char *out);
const char *xfv_tfjs_pool(struct tfjs *t, const char *op, const char *x, const struct tfjs_window *w, const char *out);
/* x + b along the channels */
const char *xfv_tfjs_bias(struct tfjs *t, const char *x, const char *b, int nchw, const char *out);
const char *xfv_tfjs_clip(struct tfjs *t, const char *x, double lo, double hi, const char *out);
const char *xfv_tfjs_prelu(struct tfjs *t, const char *x, const char *slopes, const char *out);
/* Keras' and TensorFlow's activations by name, whatever the case; NULL: not known, nothing made. */
const char *xfv_tfjs_activation(struct tfjs *t, const char *which, const char *x, const char *out);

/* ---- the two kinds of file ---- */

int xfv_tfjs_read_graph(struct tfjs *t, const json_t *topology);  /* tfjs_graph.c */
int xfv_tfjs_read_layers(struct tfjs *t, const json_t *topology); /* tfjs_model.c */

/* A node of a graph model. */
struct tfjs_op {
    const char *name, *op;
    const json_t *attr;
    const char *in[ONX_MAX_INPUTS]; /* names of tensors */
    int n_in;
};

/* Attributes of a node; texts are decoded. */
const json_t *xfv_tfjs_attr(const struct tfjs_op *n, const char *name, const char *kind);
const char *xfv_tfjs_attr_text(struct tfjs *t, const struct tfjs_op *n, const char *name);
int xfv_tfjs_attr_texts(struct tfjs *t, const struct tfjs_op *n, const char *name, const char **v, int cap);
int xfv_tfjs_attr_ints(const struct tfjs_op *n, const char *name, int64_t *v, int cap); /* 0: absent */
int64_t xfv_tfjs_attr_int(const struct tfjs_op *n, const char *name, int64_t otherwise);
double xfv_tfjs_attr_real(const struct tfjs_op *n, const char *name, double otherwise);
int xfv_tfjs_attr_flag(const struct tfjs_op *n, const char *name);
int xfv_tfjs_type(const char *tensorflow); /* ONNX's number for "DT_FLOAT", ...; 0: none */
/* The weight that a tensor is (through Identity); NULL: it is computed. */
struct tfjs_weight *xfv_tfjs_constant(struct tfjs *t, const char *tensor);
/* What input k of n holds, as whole numbers: their count, or a negative status, the sentence said. */
int xfv_tfjs_input_ints(struct tfjs *t, const struct tfjs_op *n, int k, int64_t *v, int cap);

/* Makes the nodes of one operator: 0, or a negative status with the sentence in t->e. */
typedef int tfjs_builder(struct tfjs *t, const struct tfjs_op *n);
struct tfjs_known { const char *name; tfjs_builder *build; const char *onnx; int min_in; };
const struct tfjs_known *xfv_tfjs_known(const char *op); /* tfjs_ops.c; NULL: none */
tfjs_builder xfv_tfjs_conv2d, xfv_tfjs_pool2d, xfv_tfjs_batchnorm, xfv_tfjs_matmul, xfv_tfjs_bias_add,
    xfv_tfjs_lrn, xfv_tfjs_batch_matmul; /* tfjs_conv.c */
tfjs_builder xfv_tfjs_concat, xfv_tfjs_pack, xfv_tfjs_unpack, xfv_tfjs_split, xfv_tfjs_slice, xfv_tfjs_strided_slice,
    xfv_tfjs_transpose, xfv_tfjs_squeeze, xfv_tfjs_gather, xfv_tfjs_pad, xfv_tfjs_resize, xfv_tfjs_blocks,
    xfv_tfjs_fill; /* tfjs_move.c */

/* One layer of a layers model: what makes its nodes. */
struct tfjs_layer {
    const char *name, *kind, *scope;   /* scope: names of the models around it, with '/' behind each */
    const json_t *config;
    const char *in[ONX_MAX_INPUTS];
    int n_in, keras;                   /* keras: the major version that wrote the file */
    const char *out;
};
typedef int tfjs_maker(struct tfjs *t, const struct tfjs_layer *l);
tfjs_maker *xfv_tfjs_maker(const char *kind); /* tfjs_layers.c; NULL: not known */

#endif
