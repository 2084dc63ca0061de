/* Operators that move elements: reshape, transpose, concat, slice, pad. All are strided copies between padded layouts.
 */
#include "base/toint.h"
#include "net/run/ops_internal.h"

/* to[..] = from[..] (add: +=) over dim, each side with its own steps. */
static void copy4(const int *dim, float *to, const size_t *ts, const float *from, const size_t *fs, int add)
{
    for (int i = 0; i < dim[0]; i++)
        for (int j = 0; j < dim[1]; j++)
            for (int k = 0; k < dim[2]; k++) {
                float *t = to + (size_t)i * ts[0] + (size_t)j * ts[1] + (size_t)k * ts[2];
                const float *f = from + (size_t)i * fs[0] + (size_t)j * fs[1] + (size_t)k * fs[2];
                if (ts[3] == 1 && fs[3] == 1 && !add) memcpy(t, f, sizeof *t * (size_t)dim[3]);
                else if (ts[3] == 1 && fs[3] == 1) for (int c = 0; c < dim[3]; c++) t[c] += f[c];
                else if (!add) for (int c = 0; c < dim[3]; c++) t[(size_t)c * ts[3]] = f[(size_t)c * fs[3]];
                else for (int c = 0; c < dim[3]; c++) t[(size_t)c * ts[3]] += f[(size_t)c * fs[3]];
            }
}

/* How input k and the output meet: the elements dim[] lie at in + in_at with steps in_step, and at out + out_at with
 * steps out_step. */
struct meeting { int dim[XFV_MAX_RANK]; size_t in_at, in_step[XFV_MAX_RANK], out_at, out_step[XFV_MAX_RANK]; };

static struct meeting meet(const struct run *r, const struct step *s, int k)
{
    struct view x = view_of(r, s->in[k]), y = view_of(r, s->out);
    struct axes ax = axes_of(x), ay = axes_of(y);
    struct meeting m = {.in_at = 0, .out_at = 0};
    const struct xfv_node *n = s->node;
    int lead = XFV_MAX_RANK - x.s.rank;
    memcpy(m.dim, ax.dim, sizeof m.dim);
    memcpy(m.in_step, ax.step, sizeof m.in_step);
    memcpy(m.out_step, ay.step, sizeof m.out_step);
    switch (s->op) {
    case XFV_OP_TRANSPOSE:
        memcpy(m.dim, ay.dim, sizeof m.dim);
        for (int i = 0; i < x.s.rank; i++) m.in_step[lead + i] = ax.step[lead + n->i[i]];
        break;
    case XFV_OP_SLICE:
        memcpy(m.dim, ay.dim, sizeof m.dim);
        m.in_at = (size_t)n->i[1] * ax.step[lead + n->i[0]];
        break;
    case XFV_OP_CONCAT:
        for (int j = 0; j < k; j++) m.out_at += (size_t)r->shape[s->in[j]].dim[n->i[0]] * ay.step[lead + n->i[0]];
        break;
    default: /* pad */
        m.out_at = (size_t)n->pads[0] * ay.step[1] + (size_t)n->pads[1] * ay.step[2];
        break;
    }
    return m;
}

void xfv_op_move_forward(const struct run *r, const struct step *s)
{
    struct view y = view_of(r, s->out);
    if (s->op == XFV_OP_PAD) memset(y.x, 0, sizeof *y.x * y.pixels * (size_t)y.pitch);
    for (int k = 0; k < s->n_in; k++) {
        struct meeting m = meet(r, s, k);
        copy4(m.dim, y.x + m.out_at, m.out_step, run_value(r, s->in[k]) + m.in_at, m.in_step, 0);
    }
    clear_lanes(y);
}

void xfv_op_move_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct meeting m = meet(r, s, i);
    copy4(m.dim, dx + m.in_at, m.in_step, dy + m.out_at, m.out_step, 1);
}

/* Same elements in the same order under another shape: pitches may differ. */
static void copy_elements(struct view to, struct view from, int add)
{
    size_t tp = 0, fp = 0;
    int tc = 0, fc = 0;
    while (tp < to.pixels) { /* runs that neither side breaks */
        int n = to.ch - tc < from.ch - fc ? to.ch - tc : from.ch - fc;
        float *t = at(to, tp, tc);
        const float *f = at(from, fp, fc);
        if (add) for (int c = 0; c < n; c++) t[c] += f[c];
        else memcpy(t, f, sizeof *t * (size_t)n);
        if ((tc += n) == to.ch) tc = 0, tp++;
        if ((fc += n) == from.ch) fc = 0, fp++;
    }
}

void xfv_op_reshape_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    if (x.x == y.x) return; /* xfv_plan_layout gave both one place */
    copy_elements(y, x, 0);
    clear_lanes(y);
}

void xfv_op_reshape_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    copy_elements(view_at(r, s->in[i], dx), view_at(r, s->out, dy), 1);
}

/* ---- elements by a table, and one of two ---- */

/* The graph was checked: the table's elements are there. */
static size_t element_of(float v)
{
    return xfv_to_size(v, SIZE_MAX);
}

void xfv_op_sparse_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    const struct xfv_weight *w = &r->net->g->weights[s->node->weight];
    memset(y.x, 0, sizeof *y.x * y.pixels * (size_t)y.pitch);
    for (size_t k = 0; k < w->count; k += 3) {
        size_t to = element_of(w->data[k]), from = element_of(w->data[k + 1]), cy = (size_t)y.ch, cx = (size_t)x.ch;
        *at(y, to / cy, (int)(to % cy)) += w->data[k + 2] * *at(x, from / cx, (int)(from % cx));
    }
}

void xfv_op_sparse_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view d = view_at(r, s->out, dy), g = view_at(r, s->in[i], dx);
    const struct xfv_weight *w = &r->net->g->weights[s->node->weight];
    for (size_t k = 0; k < w->count; k += 3) {
        size_t to = element_of(w->data[k]), from = element_of(w->data[k + 1]), cy = (size_t)d.ch, cx = (size_t)g.ch;
        *at(g, from / cx, (int)(from % cx)) += w->data[k + 2] * *at(d, to / cy, (int)(to % cy));
    }
}

void xfv_op_select_forward(const struct run *r, const struct step *s)
{
    struct view c = view_of(r, s->in[0]), a = view_of(r, s->in[1]), b = view_of(r, s->in[2]), y = view_of(r, s->out);
    for (size_t p = 0; p < y.pixels; p++)
        for (int k = 0; k < y.ch; k++) *at(y, p, k) = *at(c, p, k) != 0.0f ? *at(a, p, k) : *at(b, p, k);
    clear_lanes(y);
}

void xfv_op_select_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view c = view_of(r, s->in[0]), d = view_at(r, s->out, dy), g = view_at(r, s->in[i], dx);
    for (size_t p = 0; p < d.pixels && i > 0; p++)
        for (int k = 0; k < d.ch; k++)
            if ((*at(c, p, k) != 0.0f) == (i == 1)) *at(g, p, k) += *at(d, p, k);
}
