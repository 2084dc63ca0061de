/* Inside the executor: what the files of operators other than convolutions and dense layers share. Values lie as plan.h
 * says: [pixel][pitch], the pixels being all axes but the last; operators touch real channels only and leave zeros in
 * the padding lanes of what they make. */
#ifndef XFV_NET_RUN_OPS_INTERNAL_H
#define XFV_NET_RUN_OPS_INTERNAL_H

#include <string.h>

#include "net/run/internal.h"

struct view { float *x; size_t pixels; int ch, pitch; struct xfv_shape s; };

static inline struct view view_of(const struct run *r, int v)
{
    struct xfv_shape s = r->shape[v];
    return (struct view){run_value(r, v), shape_pixels(s), shape_channels(s), value_pitch(r->net, v, s), s};
}

/* A gradient has its value's layout. */
static inline struct view view_at(const struct run *r, int v, const float *x)
{
    struct view g = view_of(r, v);
    g.x = (float *)x; /* whether it may be written is the caller's knowledge */
    return g;
}

static inline float *at(struct view v, size_t p, int c)
{
    return v.x + p * (size_t)v.pitch + c;
}

static inline void clear_lanes(struct view v)
{
    if (v.pitch == v.ch) return;
    for (size_t p = 0; p < v.pixels; p++)
        memset(v.x + p * (size_t)v.pitch + v.ch, 0, sizeof *v.x * (size_t)(v.pitch - v.ch));
}

static inline const float *weight_data(const struct run *r, int w)
{
    return r->net->g->weights[w].data;
}

/* A shape as four axes (ones in front) and how many floats apart neighbours along each lie. */
struct axes { int dim[XFV_MAX_RANK]; size_t step[XFV_MAX_RANK]; };

static inline struct axes axes_of(struct view v)
{
    struct axes a = {{1, 1, 1, 1}, {0, 0, 0, 0}};
    size_t step = (size_t)v.pitch;
    for (int i = 0; i < v.s.rank; i++) a.dim[XFV_MAX_RANK - v.s.rank + i] = v.s.dim[i];
    for (int i = XFV_MAX_RANK - 2; i >= 0; i--) {
        a.step[i] = step;
        step *= (size_t)a.dim[i];
    }
    a.step[XFV_MAX_RANK - 1] = 1;
    return a;
}

/* A value as it may be read where it was never made: neighbours along axis i lie step[i] floats apart, 0 where the axis
 * has one element. */
struct strided { const float *x; struct xfv_shape s; size_t step[XFV_MAX_RANK]; };
struct strided xfv_strided(const struct run *r, int v);

/* One operator: forward makes the whole output; backward adds the gradient of input i to dx, which holds zeros or what
 * others added. */
typedef void op_forward(const struct run *r, const struct step *s);
typedef void op_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx);

op_forward xfv_op_act_forward, xfv_op_binary_forward, xfv_op_move_forward, xfv_op_reshape_forward,
    xfv_op_reduce_forward, xfv_op_matmul_forward, xfv_op_layernorm_forward, xfv_op_sparse_forward,
    xfv_op_select_forward;
op_backward xfv_op_act_backward, xfv_op_binary_backward, xfv_op_move_backward, xfv_op_reshape_backward,
    xfv_op_reduce_backward, xfv_op_matmul_backward, xfv_op_layernorm_backward, xfv_op_sparse_backward,
    xfv_op_select_backward;

#endif
