/* Inside the executor: the compiled form of a graph. Not for use outside libcommon/net. */
#ifndef XFV_NET_RUN_INTERNAL_H
#define XFV_NET_RUN_INTERNAL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "net/graph/graph.h"
#include "net/run/func_internal.h"
#include "net/run/kern_internal.h"
#include "net/run/net.h"

#define MAX_ROWS 32 /* rows of a depthwise convolution's kernel, exclusive: a larger one is computed as a grouped one */

/* One operator of the compiled network; a PReLU or ReLU that follows it alone is fused into it. */
struct step {
    enum xfv_op op;
    const struct xfv_node *node;
    int n_in, in[XFV_MAX_INPUTS], out; /* value indices */
    int depthwise, point;              /* CONV: channel by channel; 1x1 without stride or padding */
    /* CONV with groups: neighbouring groups taken together until their outputs fill lanes; 1: all of them */
    int parts, part_in, part_out;
    float *slope;                      /* fused PReLU, padded; NULL: none */
    float by;                          /* MATMUL: fused scale, one for all */
    int lazy;                          /* made only when a pass is recorded (net/run/lazy.c) */
    float *bias;                       /* padded; NULL: none */
    /* CONV: 3x3 by Winograd in the backward pass, and in the forward pass where xfv_wino_runs */
    int wino;
    /* weights of the forward and of the backward pass, packed (depthwise: [kh][kw][channels], wb flipped) */
    float *wf, *wb;
    /* the same in Winograd's frequencies, or (uf) in bfloat16 terms, which wb may hold too; in the deep layers'
     * backward pass its taps instead, in wb. Of a convolution, all four are NULL until a pass first reads them */
    float *uf, *ub;
    size_t sign;                       /* offset of its sign bits in a tape; only with slope */
    /* Backward pass, decided once: */
    unsigned acc;       /* bit i: input i's gradient exists already, add to it */
    unsigned alias;     /* ADD, bit i: input i's gradient is the output's gradient, nothing to do */
    /* bit i: this is the last write into input i's gradient: its producer's PReLU mask goes into the epilogue */
    unsigned last;
    int masked;         /* the output's gradient arrives with the mask applied */
    /* 1: head of a fused bottleneck (1x1, depthwise, 1x1) of steps s, s+1, s+2; its backward pass does all three */
    int block;
    int in_block;       /* 1: done by the block's head */
    int flows;          /* 1: output 0 depends on it */
    int deep;           /* 1: its backward pass is for a batch: behind the split */
};

struct layout { size_t *offset; size_t floats; }; /* of every value (SIZE_MAX: none) in one arena */

#define XFV_WINO_MIN_TILES 16

struct xfv_net {
    const struct xfv_graph *g;
    int only_values; /* no backward pass will be asked for */
    struct xfv_graph *owned; /* g, when its weights are to be freed once they are packed; then NULL */
    const struct xfv_kernels *k;
    const struct xfv_func *f;
    int from, n_outs, n_steps;
    /* 1: the input lies without padding lanes, in its own few channels; all that read it can do so */
    int dense;
    int *outs;
    struct step *steps;
    int *producer;           /* step that makes a value, -1 */
    int *consumers;          /* number of steps that read a value (outputs count one more) */
    struct xfv_shape *shape; /* of every value at the declared size */
    unsigned char *keep;     /* values whose content the backward pass needs */
    struct layout record;    /* forward with tape */
    struct layout plain;     /* forward without: places are used again, and stay in the caches */
    /* The backward pass: steps split.. for `chunk` cotangents together (deep layers: large weights, small maps), then
     * the steps before it one by one (early layers: maps that should stay in the cache). Only split_value's gradient
     * goes from the one to the other. */
    int split, split_value, chunk;
    struct layout tail, front;
    pthread_mutex_t lock;    /* guards packing wf, wb, uf, ub; the caller of xfv_pack_* then reads without it */
    size_t sign_bytes;       /* of one tape */
    size_t fwd_scratch, bwd_scratch; /* floats */
    /* The forward pass of a batch: steps rows.. are for many samples at once, each a row of their values, so that a
     * dense layer's weights are read once. What they read of the steps before is row_value alone. many: shapes, where
     * the values of those steps have XFV_MANY rows; `plain` has room for them. */
    int rows, row_value;
    struct xfv_shape *many;
};

#define XFV_MANY 32 /* samples together, at most */
/* Where gradients follow, sums are kept short: one chain of 4608 multiply-adds rounds by 1e-6, which moves a network of
 * 100 layers across enough PReLU kinks to change its gradient by 2e-3; chains of 64 and their sum round by a fifth of
 * that, for 2 % of the time. */
#define XFV_CHAIN 64

struct xfv_tape {
    float *arena;     /* the kept activations, laid out by net->record */
    uint8_t *signs;
    const struct xfv_net *net;
};

struct xfv_ws {
    float *arena, *scratch;
    size_t arena_floats, scratch_floats;
    struct xfv_shape *shape;
    struct layout layout; /* of the last forward at another size than declared */
    int n_values;
};

/* Rows, channels and pitch (floats from one pixel to the next) of a value at shape s. */
static inline int shape_channels(struct xfv_shape s) { return s.rank ? s.dim[s.rank - 1] : 1; }
static inline size_t shape_pixels(struct xfv_shape s)
{
    size_t c = (size_t)shape_channels(s);
    return c ? xfv_shape_count(s) / c : 0;
}
static inline int value_pitch(const struct xfv_net *n, int v, struct xfv_shape s)
{
    int c = shape_channels(s);
    return v == n->from && n->dense ? c : xfv_pad16(c);
}
static inline size_t value_floats(const struct xfv_net *n, int v, struct xfv_shape s)
{
    return shape_pixels(s) * (size_t)value_pitch(n, v, s);
}

/* Lay out all values for a forward pass at the given shapes; with keep, kept values stay to the end. */
int xfv_plan_layout(const struct xfv_net *n, const struct xfv_shape *shape, int keep, struct layout *out,
                    struct xfv_err *e);
/* Decides which steps are lazy; and 1 if this one is at these shapes: its output then has its input's place. */
void xfv_plan_lazy(struct xfv_net *n);
int xfv_is_lazy(const struct xfv_net *n, const struct step *s, const struct xfv_shape *shape);
/* Floats of scratch that hold where each tap of a convolution reads; whole cache lines. */
static inline size_t xfv_tap_floats(const struct xfv_node *nd)
{
    return ((size_t)nd->kernel[0] * (size_t)nd->kernel[1] * sizeof(ptrdiff_t) / sizeof(float) + 15) / 16 * 16;
}
/* Floats of scratch for the patches that a convolution of a small map is computed from; 0: it reads them in place. */
size_t xfv_patch_floats(const struct step *s, const struct xfv_shape *shape);
/* Floats of scratch that the forward pass needs at the given shapes. */
size_t xfv_plan_scratch(const struct xfv_net *n, const struct xfv_shape *shape);
/* 1: a convolution whose product goes by terms: a 1x1 in the forward pass without gradients; in the backward pass any
 * that is neither depthwise nor in parts nor by Winograd. */
int xfv_by_terms(const struct xfv_net *n, const struct step *s, int back);
/* Its product, by whichever. */
static inline void xfv_conv_product(const struct xfv_net *n, const struct step *s, int back, const struct xfv_gemm *g,
                                     int pixels)
{
    if (xfv_by_terms(n, s, back)) n->k->gemm_terms(g, pixels);
    else n->k->gemm(g, pixels);
}
/* Weights for the kernels (net/run/pack.c). _new finds out what kind of convolution a step is and packs its small
 * weights. Any thread may call the others at any time: _forward packs what a forward pass at these shapes reads,
 * _record what xfv_net_record and the backward pass read. */
float *xfv_padded_vector(const float *v, size_t count, int channels);
int xfv_pack_new(const struct xfv_net *n, struct step *s, struct xfv_err *e);
int xfv_pack_forward(const struct xfv_net *n, const struct xfv_shape *shape, struct xfv_err *e);
int xfv_pack_record(const struct xfv_net *n, struct xfv_err *e);
/* 1: a forward pass without gradients goes by Winograd here */
int xfv_wino_runs(const struct step *s, const struct xfv_shape *shape);

/* A 3x3 convolution by Winograd (net/run/wino.c). Channels are padded; kin: real input channels (rows of u's
 * matrices). */
struct wino_job {
    const struct xfv_kernels *k;
    const float *x, *u;
    /* 0: u is [36] packed matrices of kin x cout; 1: [9], and the frequencies are made of them panel by panel: a
     * quarter of the memory */
    int of_taps;
    float *y;
    size_t xstep, ystep; /* floats from one image to the next */
    int h, w, cin, kin, ho, wo, cout, top, left;
    struct xfv_epilogue e; /* of image 0; sign and mask are the same for all images */
};
int xfv_wino_tiles(int h, int w);
size_t xfv_wino_scratch(const struct wino_job *j); /* floats */
void xfv_wino_conv(const struct wino_job *j, int images, float *scratch);
/* Jobs of a step; pointers to data are left NULL. */
struct wino_job xfv_wino_forward(const struct xfv_net *n, const struct step *s, const struct xfv_shape *shape);
struct wino_job xfv_wino_backward(const struct xfv_net *n, const struct step *s);

/* Rows of a bottleneck that go backward together. */
#define XFV_BAND_PIXELS 112
static inline int xfv_block_band(struct xfv_shape in)
{
    int rows = XFV_BAND_PIXELS / in.dim[1];
    return rows < 1 ? 1 : rows > in.dim[0] ? in.dim[0] : rows;
}

int xfv_ws_reserve(struct xfv_ws *ws, size_t arena, size_t scratch, struct xfv_err *e);

/* Where the values of one forward pass are. */
struct run {
    const struct xfv_net *net;
    const struct xfv_shape *shape;
    const struct layout *at;
    float *arena, *scratch;
    uint8_t *signs; /* NULL: not recorded */
    float *rows;    /* [samples][count of row_value]; NULL: one sample */
};
static inline float *run_value(const struct run *r, int v) { return r->arena + r->at->offset[v]; }

/* Dense [count] -> [pixel][pitch] with zeros in the padding lanes, and back. */
void xfv_spread(float *to, const float *from, struct xfv_shape s, int pitch);
void xfv_gather(float *to, const float *from, struct xfv_shape s, int pitch);

/* Dense layers (net/run/dense.c). _pack: 0, or -1 without memory. dy: the output's gradient; dx is set, or added to
 * with acc. */
int xfv_dense_pack(const struct xfv_net *n, struct step *s);
void xfv_dense_forward(const struct run *r, const struct step *s);
void xfv_dense_backward(const struct run *r, const struct step *s, const float *dy, float *dx, int acc);
size_t xfv_dense_scratch(const struct xfv_net *n, const struct step *s); /* floats */
/* Floats of scratch for the packed second operand of a product of activations; 0: OpenBLAS makes it. */
size_t xfv_matmul_scratch(const struct step *s, const struct xfv_shape *shape);

/* Operators other than convolutions and dense layers (net/run/pointwise.c): forward, and the gradient of input i added
 * to or stored in dx. */
int xfv_op_runs(enum xfv_op op); /* 1 when the executor has the operator */
void xfv_op_forward(const struct run *r, const struct step *s);
/* what its backward pass reads again: bit 0 its inputs, bit 1 its output */
unsigned xfv_op_keeps(const struct step *s);
void xfv_op_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx, int acc);

#endif
