/* Private to the TFLite importer: what its two files share. Numbers are those of TensorFlow's schema.fbs, version 3. */
#ifndef XFV_NET_IMPORT_TFLITE_INTERNAL_H
#define XFV_NET_IMPORT_TFLITE_INTERNAL_H

#include "net/import/flatbuffer.h"
#include "net/graph/graph.h"

enum { TFL_F32 = 0, TFL_F16 = 1, TFL_I32 = 2, TFL_U8 = 3, TFL_I64 = 4, TFL_I16 = 7, TFL_I8 = 9 };

enum tfl_op {
    TFL_ADD = 0,
    TFL_AVERAGE_POOL_2D = 1,
    TFL_CONCATENATION = 2,
    TFL_CONV_2D = 3,
    TFL_DEPTHWISE_CONV_2D = 4,
    TFL_DEQUANTIZE = 6,
    TFL_RESIZE_BILINEAR = 23,
    TFL_FULLY_CONNECTED = 9,
    TFL_L2_NORMALIZATION = 11,
    TFL_LOGISTIC = 14,
    TFL_MAX_POOL_2D = 17,
    TFL_MUL = 18,
    TFL_RELU = 19,
    TFL_RELU_N1_TO_1 = 20,
    TFL_RELU6 = 21,
    TFL_RESHAPE = 22,
    TFL_SOFTMAX = 25,
    TFL_TANH = 28,
    TFL_PAD = 34,
    TFL_MEAN = 40,
    TFL_SUB = 41,
    TFL_DIV = 42,
    TFL_SQUEEZE = 43,
    TFL_EXP = 47,
    TFL_PRELU = 54,
    TFL_NEG = 59,
    TFL_SUM = 74,
    TFL_REDUCE_MAX = 82,
    TFL_LEAKY_RELU = 98,
    TFL_ABS = 101,
    TFL_QUANTIZE = 114,
    TFL_HARD_SWISH = 117,
    TFL_TRANSPOSE = 39,
    TFL_STRIDED_SLICE = 45,
    TFL_SPLIT = 49,
    TFL_LOG_SOFTMAX = 50,
    TFL_MAXIMUM = 55,
    TFL_MINIMUM = 57,
    TFL_SIN = 66,
    TFL_EXPAND_DIMS = 70,
    TFL_LOG = 73,
    TFL_SQRT = 75,
    TFL_RSQRT = 76,
    TFL_SHAPE = 77,
    TFL_PACK = 83,
    TFL_REDUCE_MIN = 89,
    TFL_SQUARE = 92,
    TFL_RESIZE_NEAREST_NEIGHBOR = 97,
    TFL_SQUARED_DIFFERENCE = 99,
    TFL_COS = 108,
    TFL_ELU = 111,
    TFL_BATCH_MATMUL = 126,
    TFL_GELU = 150,
    TFL_FLOOR = 8,
    TFL_GATHER = 36,
    TFL_CAST = 53,
    TFL_PADV2 = 60,
    TFL_SLICE = 65,
    TFL_CEIL = 104,
    TFL_ROUND = 116
};

#define TFL_MAX_RANK 6

struct tfl_tensor {
    char *name;                      /* unique, printable */
    int type, rank, dim[TFL_MAX_RANK];
    size_t pos, bytes;               /* constant data in the file; 0, 0 when it has none */
    size_t scales, n_scales, zeros,
        n_zeros; /* quantised: positions and numbers of scales (f32) and zero points (i64); real = scale (q - zero) */
    int quantised_dim;
    float *data;                     /* constant as floats: loaded by xfv_tfl_constant, or made by DEQUANTIZE; owned */
    int value;                       /* index in the graph, -1 while it has none */
    int of_shape; /* numbers that SHAPE made, and what is made of them: only a RESHAPE may read them, whose outcome is
                     declared */
    int failed;                      /* its operator could not be understood: no use to complain of its readers */
};

struct tfl_call { /* one operator of the file */
    int op, n_in, n_out, in[XFV_MAX_INPUTS], out[XFV_MAX_INPUTS]; /* tensor indices; -1: an optional input left out */
    size_t options; /* position of its option table, or 0 */
};

struct tfl {
    struct xfv_fb fb;
    size_t codes, n_codes, calls, n_calls, buffers, n_buffers;
    int n_tensors, batch,
        resized; /* resized: the caller asked for another input size, so declared shapes do not bind */
    struct tfl_tensor *t;
    int quantisers; /* operators whose outcome was limited to what its numbers can hold */
    struct xfv_graph *g;
    struct xfv_err *e;
};

/* Constant data of tensor i as floats, or NULL with t->e filled. */
const float *xfv_tfl_constant(struct tfl *t, int i);
/* Constant whole numbers of tensor i (axes, paddings): their count (at most cap), or a negative status. */
int xfv_tfl_integers(struct tfl *t, int i, int *v, int cap);
/* The reals that tensor x can hold, when its elements are numbers of 8 or 16 bits with one scale: 1, else 0. */
int xfv_tfl_limits(const struct tfl *t, const struct tfl_tensor *x, float *lo, float *hi);
/* Sample shape that tensor i is declared with: the batch axis taken off. */
int xfv_tfl_sample_shape(struct tfl *t, int i, struct xfv_shape *s);
int xfv_tfl_build_call(struct tfl *t, const struct tfl_call *c); /* add the node or nodes of one operator */
int xfv_tfl_supported(int op);                                    /* can the operator be expressed? */
/* What the files of operators share (tflite_ops.c). */
const char *xfv_tfl_name_of(const struct tfl *t, const struct tfl_call *c);
int xfv_tfl_operand(struct tfl *t, const struct tfl_call *c,
                    int k); /* value of an operand: what an earlier operator made, or a constant */
int xfv_tfl_add_before(struct tfl *t, struct xfv_node *n, const char *name,
                       const char *suffix); /* a node in front of another; its value */
int xfv_tfl_finish(struct tfl *t, const struct tfl_call *c, struct xfv_node *n,
                   int fused); /* the operator's last node, for its output 0 */
typedef int tfl_builder(struct tfl *t, const struct tfl_call *c);
tfl_builder xfv_tfl_transpose, xfv_tfl_strided_slice, xfv_tfl_split, xfv_tfl_pack, xfv_tfl_matmul, xfv_tfl_resize,
    xfv_tfl_log_softmax, xfv_tfl_of_shape, xfv_tfl_l2norm, xfv_tfl_cast, xfv_tfl_gather,
    xfv_tfl_slice; /* tflite_move.c */
/* n is the padding with zeros; with the constant number of input 2 instead */
int xfv_tfl_pad_value(struct tfl *t, const struct tfl_call *c, struct xfv_node n);
const char *xfv_tfl_op_name(int op);       /* the schema's name; NULL for a number that it does not have */

#endif
