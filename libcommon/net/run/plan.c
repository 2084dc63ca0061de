/* Compile a graph: choose the steps between two values, fuse PReLUs, pack weights, decide how gradients flow, and lay
 * out memory. */
#include "net/run/internal.h"

#include <stdlib.h>
#include <string.h>

static int is_act(const struct xfv_node *n)
{
    return n->op == XFV_OP_PRELU || n->op == XFV_OP_RELU;
}

static int can_fuse_act(const struct xfv_node *n)
{
    return n->op == XFV_OP_CONV;
}

/* need[v] = 1 for every value on the way to the outputs; stops at `from`. */
static int mark_needed(struct xfv_net *n, unsigned char *need, struct xfv_err *e)
{
    const struct xfv_graph *g = n->g;
    for (int i = 0; i < n->n_outs; i++) need[n->outs[i]] = 1;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        const struct xfv_node *nd = &g->nodes[i];
        if (nd->out == n->from || !need[nd->out]) continue;
        for (int j = 0; j < nd->n_in; j++) need[nd->in[j]] = 1;
        if (nd->n_in == 0 && nd->op != XFV_OP_CONST)
            return xfv_fail(e, XFV_EMODEL, "node '%s' has no input", nd->name ? nd->name : "?");
    }
    if (n->from != 0 && need[0])
        return xfv_fail(e, XFV_EMODEL, "the outputs do not depend on '%s' alone: the graph goes round it",
                        g->values[n->from].name);
    if (!need[n->from]) return xfv_fail(e, XFV_EMODEL, "the outputs do not depend on '%s'", g->values[n->from].name);
    return 0;
}

static int fuse_partner(const struct xfv_net *n, const struct xfv_node *act)
{
    int p = n->producer[act->in[0]];
    if (p < 0 || n->consumers[act->in[0]] != 1) return -1;
    if (n->steps[p].slope || !can_fuse_act(n->steps[p].node)) return -1;
    int c = shape_channels(n->shape[act->in[0]]);
    if (act->op == XFV_OP_PRELU && n->g->weights[act->weight].count != (size_t)c &&
        n->g->weights[act->weight].count != 1)
        return -1;
    return p;
}

static float *act_slopes(const struct xfv_graph *g, const struct xfv_node *act, int channels)
{
    if (act->op == XFV_OP_RELU) return xfv_padded_vector(NULL, 0, channels);
    return xfv_padded_vector(g->weights[act->weight].data, g->weights[act->weight].count, channels);
}

/* A scale, one for all, of a product that nobody else reads: attention's. The product's step, or -1. */
static int scaled_product(const struct xfv_net *n, const struct xfv_node *nd)
{
    if (nd->op != XFV_OP_AFFINE || nd->bias >= 0) return -1;
    const struct xfv_weight *w = &n->g->weights[nd->weight];
    int p = n->producer[nd->in[0]];
    if (p < 0 || n->steps[p].op != XFV_OP_MATMUL || n->consumers[nd->in[0]] != 1) return -1;
    for (size_t k = 1; k < w->count; k++)
        if (w->data[k] < w->data[0] || w->data[k] > w->data[0]) return -1;
    return p;
}

static int add_steps(struct xfv_net *n, const unsigned char *need, struct xfv_err *e)
{
    const struct xfv_graph *g = n->g;
    for (int i = 0; i < g->n_nodes; i++) {
        const struct xfv_node *nd = &g->nodes[i];
        if (nd->out == n->from || !need[nd->out]) continue;
        int p = is_act(nd) ? fuse_partner(n, nd) : -1;
        if (p >= 0) {
            struct step *s = &n->steps[p];
            s->slope = act_slopes(g, nd, shape_channels(n->shape[s->out]));
            if (!s->slope) return xfv_fail(e, XFV_ENOMEM, "out of memory");
            s->out = nd->out;
            n->producer[nd->out] = p;
            continue;
        }
        if ((p = scaled_product(n, nd)) >= 0) {
            n->steps[p].by *= g->weights[nd->weight].data[0];
            n->steps[p].out = nd->out;
            n->producer[nd->out] = p;
            continue;
        }
        struct step *s = &n->steps[n->n_steps];
        if (!xfv_op_runs(nd->op))
            return xfv_fail(e, XFV_EMODEL, "'%s': operator '%s' cannot be run yet", nd->name, xfv_op_name(nd->op));
        s->op = nd->op;
        s->by = 1;
        s->node = nd;
        s->n_in = nd->n_in;
        s->out = nd->out;
        for (int j = 0; j < nd->n_in; j++) s->in[j] = nd->in[j];
        n->producer[nd->out] = n->n_steps++;
    }
    return 0;
}

/* A bottleneck: 1x1 + PReLU, depthwise 3x3 + PReLU, 1x1, each read by the next alone. */
static int block_at(const struct xfv_net *n, int i)
{
    if (i + 2 >= n->n_steps) return 0;
    const struct step *a = &n->steps[i], *b = a + 1, *c = a + 2;
    if (!a->point || !a->slope || !b->depthwise || !b->slope || !c->point || c->slope) return 0;
    if (b->in[0] != a->out || c->in[0] != b->out || n->consumers[a->out] != 1 || n->consumers[b->out] != 1) return 0;
    const struct xfv_node *d = b->node;
    if (d->dilation[0] != 1 || d->dilation[1] != 1) return 0;
    if (d->kernel[0] != 3 || d->kernel[1] != 3 || d->stride[0] != d->stride[1] || d->stride[0] > 2) return 0;
    return value_pitch(n, a->in[0], n->shape[a->in[0]]) >= XFV_LANES;
}

/* ---- gradients ---- */

static int reads_elsewhere(const struct xfv_net *n, int v, int add, int before)
{
    for (int i = 0; i < n->n_steps; i++)
        for (int j = 0; j < n->steps[i].n_in; j++)
            if (n->steps[i].in[j] == v && i != add && i > before) return 1;
    return 0;
}

/* ADD hands its output's gradient to its inputs without copying where nobody can see the difference (a: the input made
 * last). */
static void plan_add(struct xfv_net *n, int i, const unsigned char *seen)
{
    struct step *s = &n->steps[i];
    if (s->op != XFV_OP_ADD || s->n_in != 2 || s->in[0] == s->in[1]) return;
    if (xfv_shape_count(n->shape[s->in[0]]) != xfv_shape_count(n->shape[s->in[1]])) return;
    int p0 = n->producer[s->in[0]], p1 = n->producer[s->in[1]], ia = p0 > p1 ? 0 : 1;
    int a = s->in[ia], b = s->in[1 - ia], pa = n->producer[a];
    if (pa < 0 || n->consumers[a] != 1 || n->steps[pa].slope ||
        (n->steps[pa].op != XFV_OP_CONV && n->steps[pa].op != XFV_OP_DENSE))
        return;
    s->alias |= 1u << ia;
    if (b != n->from && !seen[b] && !reads_elsewhere(n, b, i, pa)) s->alias |= 1u << (1 - ia);
}

static int plan_gradients(struct xfv_net *n, struct xfv_err *e)
{
    unsigned char *seen = calloc((size_t)n->g->n_values, 1);
    int *left = calloc((size_t)n->g->n_values, sizeof *left);
    if (!seen || !left) {
        free(seen);
        free(left);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    for (int i = 0; i < n->n_steps; i++)
        for (int j = 0; j < n->steps[i].n_in; j++) left[n->steps[i].in[j]]++;
    seen[n->outs[0]] = 1;
    for (int i = n->n_steps - 1; i >= 0; i--) {
        struct step *s = &n->steps[i];
        if (!seen[s->out]) continue; /* not on the way to output 0 */
        s->flows = 1;
        plan_add(n, i, seen);
        for (int j = 0; j < s->n_in; j++) {
            int v = s->in[j], p = n->producer[v];
            left[v]--;
            if (seen[v]) s->acc |= 1u << j;
            seen[v] = 1;
            int epilogue = s->op == XFV_OP_CONV && (s->depthwise || s->point || s->wino);
            if (left[v] == 0 && v != n->outs[0] && p >= 0 && n->steps[p].slope && epilogue) {
                s->last |= 1u << j;
                n->steps[p].masked = 1;
            }
        }
    }
    for (int i = 0; i + 2 < n->n_steps; i++)
        if (block_at(n, i)) n->steps[i].block = 1, n->steps[i + 1].in_block = n->steps[i + 2].in_block = 1;
    free(seen);
    free(left);
    return 0;
}

/* ---- memory ---- */

struct life { size_t size, offset; int birth, death; };

/* First-fit: give every living thing an offset so that no two alive at one time overlap. Few and small counts:
 * quadratic is fine. */
static size_t place(struct life *l, int n)
{
    size_t top = 0;
    for (int i = 0; i < n; i++) {
        if (l[i].size == 0) continue;
        size_t at = 0;
        for (int moved = 1; moved;) {
            moved = 0;
            for (int j = 0; j < i; j++) {
                if (l[j].size == 0 || l[j].death < l[i].birth || l[j].birth > l[i].death) continue;
                if (at < l[j].offset + l[j].size && l[j].offset < at + l[i].size)
                    at = l[j].offset + l[j].size, moved = 1;
            }
        }
        l[i].offset = at;
        if (at + l[i].size > top) top = at + l[i].size;
    }
    return top;
}

static size_t round_up(size_t floats)
{
    return (floats + 31) / 16 * 16; /* whole cache lines, and one more so that streams do not share sets */
}

static int finish_layout(const struct xfv_net *n, struct life *l, struct layout *out, struct xfv_err *e)
{
    int count = n->g->n_values;
    size_t *off = malloc(sizeof *off * (size_t)(count ? count : 1));
    if (!off) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    out->floats = place(l, count);
    for (int v = 0; v < count; v++) off[v] = l[v].size ? l[v].offset : SIZE_MAX;
    free(out->offset);
    out->offset = off;
    return 0;
}

/* A reshape whose elements lie as those of its input do: both are one place. So it is without padding lanes, and where
 * the last axis stays. */
static int same_place(const struct xfv_net *n, const struct step *s, const struct xfv_shape *shape)
{
    if (s->op != XFV_OP_RESHAPE) return 0;
    int in = s->in[0], ci = shape_channels(shape[in]), co = shape_channels(shape[s->out]);
    int pi = value_pitch(n, in, shape[in]), po = value_pitch(n, s->out, shape[s->out]);
    return (pi == ci && po == co) || (pi == po && ci == co);
}

static void live(const struct xfv_net *n, const struct xfv_shape *shape, int keep, struct life *l, int *root)
{
    int end = n->n_steps + 1, count = n->g->n_values;
    for (int v = 0; v < count; v++) root[v] = v, l[v].birth = end;
    l[n->from].birth = -1;
    l[n->from].size = round_up(value_floats(n, n->from, shape[n->from]));
    for (int i = 0; i < n->n_steps; i++) {
        const struct step *s = &n->steps[i];
        if (same_place(n, s, shape) || (!keep && xfv_is_lazy(n, s, shape))) root[s->out] = root[s->in[0]];
        struct life *o = &l[root[s->out]];
        if (root[s->out] == s->out) o->birth = i, o->size = round_up(value_floats(n, s->out, shape[s->out]));
        if (o->death < i) o->death = i;
        for (int j = 0; j < s->n_in; j++) l[root[s->in[j]]].death = i;
    }
    for (int i = 0; i < n->n_outs; i++) l[root[n->outs[i]]].death = end;
    for (int v = 0; keep && v < count; v++)
        if (n->keep[v]) l[root[v]].death = end;
}

int xfv_plan_layout(const struct xfv_net *n, const struct xfv_shape *shape, int keep, struct layout *out,
                    struct xfv_err *e)
{
    size_t count = (size_t)(n->g->n_values ? n->g->n_values : 1);
    struct life *l = calloc(count, sizeof *l);
    int *root = calloc(count, sizeof *root);
    int status = !l || !root ? xfv_fail(e, XFV_ENOMEM, "out of memory") : 0;
    if (!status) live(n, shape, keep, l, root);
    if (!status) status = finish_layout(n, l, out, e);
    for (int v = 0; !status && v < n->g->n_values; v++) out->offset[v] = out->offset[root[v]];
    free(l);
    free(root);
    return status;
}

/* The only value whose gradient is alive between the backward passes of steps i.. and of those before; -1 when there is
 * not just one. */
static int lone_gradient(const struct xfv_net *n, int i)
{
    int found = -1;
    for (int q = i; q < n->n_steps; q++) {
        if (!n->steps[q].flows) continue;
        for (int j = 0; j < n->steps[q].n_in; j++) {
            int v = n->steps[q].in[j];
            if (n->producer[v] >= i || v == found) continue;
            if (found >= 0) return -1;
            found = v;
        }
    }
    return found;
}

#define DEEP_PIXELS 196 /* maps of at most 14 x 14 go together */

/* Where the batch ends: the first step from which on all maps are small, and one gradient alone comes out. */
static void plan_split(struct xfv_net *n)
{
    int wino = 0, i = n->n_steps;
    for (int q = 0; q < n->n_steps; q++) wino |= n->steps[q].wino;
    while (i > 0 && shape_pixels(n->shape[n->steps[i - 1].out]) <= DEEP_PIXELS) i--;
    while (i < n->n_steps && (lone_gradient(n, i) < 0 || n->steps[i].in_block)) i++;
    n->split = i;
    for (int q = i; q < n->n_steps; q++) n->steps[q].deep = 1;
    n->split_value = i < n->n_steps ? lone_gradient(n, i) : n->outs[0];
    n->chunk = wino ? XFV_NET_ROWS : 4; /* measured: more gains nothing */
}

/* Gradients live from their first writer (in reverse order of the steps) to their producer; aliases share a place. For
 * the steps lo..hi-1; start: the value whose gradient comes in. */
static int grad_layout(struct xfv_net *n, int lo, int hi, int start, struct layout *out, struct xfv_err *e)
{
    int count = n->g->n_values;
    struct life *l = calloc((size_t)(count ? count : 1), sizeof *l);
    int *root = malloc(sizeof *root * (size_t)(count ? count : 1));
    int status = !l || !root ? xfv_fail(e, XFV_ENOMEM, "out of memory") : 0;
    for (int v = 0; !status && v < count; v++) root[v] = v, l[v].birth = n->n_steps + 2, l[v].death = -1;
    if (!status) l[start].birth = l[start].death = 0, l[start].size = round_up(value_floats(n, start, n->shape[start]));
    for (int i = hi - 1; !status && i >= lo; i--) {
        const struct step *s = &n->steps[i];
        int t = n->n_steps - i; /* time runs backwards */
        if (!s->flows) continue;
        int r = root[s->out];
        if (l[r].death < t) l[r].death = t;
        for (int j = 0; j < s->n_in; j++) {
            int v = s->in[j];
            if (s->alias >> j & 1) root[v] = r;
            int rv = root[v];
            if (l[rv].birth > t) l[rv].birth = t;
            if (l[rv].death < t) l[rv].death = t;
            size_t size = round_up(value_floats(n, v, n->shape[v]));
            if (l[rv].size < size) l[rv].size = size;
        }
    }
    /* A block writes its input's gradient while its output's is still read: keep both to the head's time. */
    for (int i = lo; !status && i < hi; i++)
        if (n->steps[i].block) {
            int r = root[n->steps[i + 2].out], rv = root[n->steps[i].in[0]], t0 = n->n_steps - (i + 2),
                t1 = n->n_steps - i;
            if (l[r].death < t1) l[r].death = t1;
            if (l[rv].birth > t0) l[rv].birth = t0;
            l[n->steps[i].out].size = l[n->steps[i + 1].out].size = 0; /* inner gradients live in scratch */
        }
    /* What comes out stays. */
    int last = lo == 0 ? n->from : n->split_value;
    if (!status) l[root[last]].death = n->n_steps + 1;
    if (!status) status = finish_layout(n, l, out, e);
    for (int v = 0; !status && v < count; v++) out->offset[v] = out->offset[root[v]];
    free(l);
    free(root);
    return status;
}

static int plan_backward(struct xfv_net *n, struct xfv_err *e)
{
    plan_split(n);
    int status = grad_layout(n, n->split, n->n_steps, n->outs[0], &n->tail, e);
    return status ? status : grad_layout(n, 0, n->split, n->split_value, &n->front, e);
}

static size_t padded_floats(struct xfv_shape s, int pitch, const int pads[4])
{
    return (size_t)(s.dim[0] + pads[0] + pads[2]) * (size_t)(s.dim[1] + pads[1] + pads[3]) * (size_t)pitch;
}

size_t xfv_plan_scratch(const struct xfv_net *n, const struct xfv_shape *shape)
{
    size_t most = 0;
    for (int i = 0; i < n->n_steps; i++) {
        const struct step *s = &n->steps[i];
        if (s->op == XFV_OP_DENSE && xfv_dense_scratch(n, s) > most) most = xfv_dense_scratch(n, s);
        if (s->op == XFV_OP_MATMUL && xfv_matmul_scratch(s, shape) > most) most = xfv_matmul_scratch(s, shape);
        if (s->op != XFV_OP_CONV) continue;
        struct xfv_shape in = shape[s->in[0]];
        int pitch = value_pitch(n, s->in[0], in);
        if (xfv_wino_runs(s, shape)) {
            struct wino_job j = xfv_wino_forward(n, s, shape);
            size_t floats = xfv_wino_scratch(&j);
            if (floats > most) most = floats;
        }
        size_t need = s->depthwise ? (size_t)in.dim[1] * (size_t)pitch
                                   : padded_floats(in, pitch, s->node->pads) + xfv_tap_floats(s->node) +
                                         xfv_patch_floats(s, shape);
        if (need > most) most = need;
    }
    return most + 64;
}

static size_t backward_scratch(const struct xfv_net *n)
{
    size_t most = 0;
    for (int i = 0; i < n->n_steps; i++) {
        const struct step *s = &n->steps[i];
        if (s->op == XFV_OP_DENSE && xfv_dense_scratch(n, s) > most) most = xfv_dense_scratch(n, s);
        if (s->op != XFV_OP_CONV) continue;
        struct xfv_shape in = n->shape[s->in[0]], out = n->shape[s->out];
        size_t need;
        if (s->block) {
            struct xfv_shape m = n->shape[n->steps[i + 1].out];
            size_t pitch = (size_t)value_pitch(n, s->out, out), band = (size_t)xfv_block_band(in);
            need = ((3 * band + 1) * (size_t)m.dim[1] + band * (size_t)in.dim[1]) * pitch;
        } else if (s->wino) {
            struct wino_job j = xfv_wino_backward(n, s);
            need = xfv_wino_scratch(&j);
        } else if (s->depthwise) {
            need = (size_t)out.dim[1] * (size_t)value_pitch(n, s->out, out);
        } else {
            need = (size_t)out.dim[1] * (size_t)xfv_pad16(s->node->kernel[0] * s->node->kernel[1] * shape_channels(in));
        }
        if (need > most) most = need;
    }
    return most + 64;
}

/* Makes a row of each sample's row alone. */
static int is_rowwise(const struct xfv_net *n, const struct step *s)
{
    if (n->shape[s->out].rank != 1) return 0;
    if (s->op == XFV_OP_DENSE) return s->wf != NULL;
    return (is_act(s->node) || s->op == XFV_OP_SOFTMAX) && n->shape[s->in[0]].rank == 1;
}

/* The one value that steps i.. read of those before, dense layers alone; -1 when it is not so. */
static int row_input(const struct xfv_net *n, int i)
{
    int found = -1;
    for (int q = i; q < n->n_steps; q++) {
        const struct step *s = &n->steps[q];
        int v = s->in[0];
        if (n->producer[v] >= i) continue;
        if (s->op != XFV_OP_DENSE || (found >= 0 && found != v)) return -1;
        found = v;
    }
    return found;
}

static void plan_rows(struct xfv_net *n)
{
    int i = n->n_steps;
    while (i > 0 && is_rowwise(n, &n->steps[i - 1])) i--;
    while (i < n->n_steps && row_input(n, i) < 0) i++;
    n->rows = i;
    n->row_value = i < n->n_steps ? row_input(n, i) : -1;
    memcpy(n->many, n->shape, sizeof *n->many * (size_t)n->g->n_values);
    for (; i < n->n_steps; i++) {
        int v = n->steps[i].out;
        n->many[v] = xfv_shape_of(2, XFV_MANY, shape_channels(n->shape[v]));
    }
}

static void keep_values(struct xfv_net *n)
{
    for (int i = 0; i < n->n_steps; i++) {
        const struct step *s = &n->steps[i];
        unsigned keep = xfv_op_keeps(s);
        if (keep & 2) n->keep[s->out] = 1;
        for (int j = 0; (keep & 1) && j < s->n_in; j++) n->keep[s->in[j]] = 1;
    }
}

static void count_consumers(struct xfv_net *n, const unsigned char *need)
{
    for (int i = 0; i < n->g->n_nodes; i++) {
        const struct xfv_node *nd = &n->g->nodes[i];
        if (nd->out == n->from || !need[nd->out]) continue;
        for (int j = 0; j < nd->n_in; j++) n->consumers[nd->in[j]]++;
    }
    for (int i = 0; i < n->n_outs; i++) n->consumers[n->outs[i]]++;
}

/* A convolution with a row of its kernel contiguous in memory reads an image of few channels best as it is; depthwise
 * and 1x1 convolutions need whole vectors of channels, forward or backward. */
static int stays_dense(const struct xfv_net *n)
{
    int dense = shape_channels(n->shape[n->from]) < XFV_LANES;
    for (int i = 0; i < n->n_steps; i++)
        for (int j = 0; j < n->steps[i].n_in; j++)
            if (n->steps[i].in[j] == n->from && (n->steps[i].depthwise || n->steps[i].point)) dense = 0;
    return dense;
}

static int compile(struct xfv_net *n, unsigned char *need, struct xfv_err *e)
{
    int status = xfv_graph_shapes(n->g, n->g->values[0].shape, n->shape, e);
    if (!status) status = mark_needed(n, need, e);
    if (!status) count_consumers(n, need);
    if (!status) status = add_steps(n, need, e);
    for (int i = 0; !status && i < n->n_steps; i++) status = xfv_pack_new(n, &n->steps[i], e);
    n->dense = !status && stays_dense(n);
    for (int i = 0; !status && i < n->n_steps; i++) {
        struct step *s = &n->steps[i];
        if (!s->slope) continue;
        s->sign = n->sign_bytes;
        n->sign_bytes += value_floats(n, s->out, n->shape[s->out]) / 8;
    }
    if (!status) keep_values(n), plan_rows(n), xfv_plan_lazy(n);
    if (!status) status = plan_gradients(n, e);
    if (!status) status = xfv_plan_layout(n, n->shape, 1, &n->record, e);
    if (!status) status = xfv_plan_layout(n, n->many, 0, &n->plain, e);
    if (!status) status = plan_backward(n, e);
    n->fwd_scratch = status ? 0 : xfv_plan_scratch(n, n->shape);
    n->bwd_scratch = status ? 0 : backward_scratch(n);
    return status;
}

int xfv_net_new(const struct xfv_graph *g, int from, const int *outs, int n_outs, struct xfv_net **out,
                struct xfv_err *e)
{
    size_t nv = (size_t)g->n_values, nn = (size_t)g->n_nodes + 1;
    *out = NULL;
    if (xfv_kernels_refused(e)) return XFV_EARG;
    if (n_outs < 1 || from < 0 || from >= g->n_values)
        return xfv_fail(e, XFV_EARG, "a network needs an input value and at least one output");
    struct xfv_net *n = calloc(1, sizeof *n);
    unsigned char *need = calloc(nv, 1);
    if (!n || !need) {
        free(n);
        free(need);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    n->g = g;
    n->k = xfv_kernels();
    n->f = xfv_func();
    pthread_mutex_init(&n->lock, NULL);
    n->from = from;
    n->n_outs = n_outs;
    n->outs = malloc(sizeof *n->outs * (size_t)n_outs);
    n->steps = calloc(nn, sizeof *n->steps);
    n->producer = malloc(sizeof *n->producer * nv);
    n->consumers = calloc(nv, sizeof *n->consumers);
    n->shape = calloc(nv, sizeof *n->shape);
    n->many = calloc(nv, sizeof *n->many);
    n->keep = calloc(nv, 1);
    int status = 0;
    if (!n->outs || !n->steps || !n->producer || !n->consumers || !n->shape || !n->many || !n->keep) {
        status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    } else {
        memcpy(n->outs, outs, sizeof *outs * (size_t)n_outs);
        for (size_t v = 0; v < nv; v++) n->producer[v] = -1;
        status = compile(n, need, e);
    }
    free(need);
    if (status) xfv_net_free(n);
    else *out = n;
    return status;
}

void xfv_net_own_weights(struct xfv_net *n, struct xfv_graph *g)
{
    n->owned = g;
}

void xfv_net_only_values(struct xfv_net *n)
{
    n->only_values = 1;
}

void xfv_net_free(struct xfv_net *n)
{
    if (!n) return;
    for (int i = 0; n->steps && i < n->n_steps; i++) {
        free(n->steps[i].slope);
        free(n->steps[i].bias);
        free(n->steps[i].wf);
        free(n->steps[i].wb);
        free(n->steps[i].uf);
        free(n->steps[i].ub);
    }
    free(n->outs);
    free(n->steps);
    free(n->producer);
    free(n->consumers);
    free(n->shape);
    free(n->many);
    free(n->keep);
    free(n->record.offset);
    free(n->plain.offset);
    free(n->tail.offset);
    free(n->front.offset);
    pthread_mutex_destroy(&n->lock);
    free(n);
}
