/* ONNX files: quantisers. Here a network runs in floating point, so nothing is rounded to a grid; but a quantiser also
 * holds its input within what its whole numbers can say, and networks rely on it (their ReLUs may live there alone): of
 * computed tensors that limit remains. Constants are rounded. */
#include <math.h>

#include "base/toint.h"
#include "net/import/limits.h"
#include "net/import/onnx_internal.h"

/* The numbers that go with the elements of a tensor of shape s: one for all, one for each place along an axis, or one
 * for each block along it. */
struct grid { const struct onx_const *scale, *zero; int axis; int64_t block; };

static int read_grid(struct onx *o, const struct onx_call *c, struct onx_dims s, struct grid *g)
{
    struct onx_dims want = s;
    *g = (struct grid){.axis = -1};
    if (c->n_in < 2 || !c->in[1] || !xfv_onx_is_constant(c->in[1]))
        return ONX_BAD("'%s' (%s) has a scale that is computed", c->label, c->op);
    if (!(g->scale = xfv_onx_constant(o, c->in[1]))) return o->e->status;
    if (c->n_in > 2 && c->in[2] && !(g->zero = xfv_onx_constant(o, c->in[2]))) return o->e->status;
    if (!g->scale->f || g->scale->count == 0 || (g->zero && (!g->zero->i || g->zero->count != g->scale->count)))
        return ONX_BAD("'%s' (%s) has impossible scales or zero points", c->label, c->op);
    for (size_t i = 0; i < g->scale->count; i++)
        if (!(g->scale->f[i] > 0)) return ONX_BAD("'%s' (%s) has a scale that is not positive", c->label, c->op);
    g->block = xfv_onx_int(c, "block_size", 0);
    if (g->block < 0 || g->block > XFV_MAX_ELEMENTS)
        return ONX_BAD("'%s' (%s) has an impossible block_size", c->label, c->op);
    if (g->block == 0 && g->scale->count == 1) return 0;
    if ((g->axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", 1), s.rank)) < 0) return g->axis;
    if (g->block) want.dim[g->axis] = (s.dim[g->axis] + g->block - 1) / g->block;
    else want = (struct onx_dims){1, {s.dim[g->axis]}};
    int fits = g->scale->s.rank == want.rank;
    for (int a = 0; fits && a < want.rank; a++) fits = g->scale->s.dim[a] == want.dim[a];
    return fits ? 0
                : ONX_BAD("'%s' (%s) has %zu scales, which do not fit the shape of what they scale", c->label, c->op,
                          g->scale->count);
}

/* Which scale goes with element i. */
static size_t scale_of(const struct grid *g, struct onx_dims s, size_t i)
{
    int64_t at[ONX_MAX_RANK];
    size_t k = 0;
    if (g->axis < 0) return 0;
    for (int a = s.rank - 1; a >= 0; a--) {
        at[a] = (int64_t)(i % (size_t)s.dim[a]);
        i /= (size_t)s.dim[a];
    }
    if (!g->block) return (size_t)at[g->axis];
    for (int a = 0; a < s.rank; a++)
        k = k * (size_t)g->scale->s.dim[a] + (size_t)(a == g->axis ? at[a] / g->block : at[a]);
    return k;
}

static double zero_at(const struct grid *g, size_t k) { return g->zero ? xfv_onx_const_at(g->zero, k) : 0; }

/* What the whole numbers of QuantizeLinear's outcome may be. */
static int read_range(struct onx *o, const struct onx_call *c, const struct grid *g, int *type, double *lo, double *hi)
{
    static const struct {
        int type;
        double lo, hi;
    } ranges[] = {{ONX_U8, 0, 255},         {ONX_I8, -128, 127}, {ONX_U16, 0, 65535},
                  {ONX_I16, -32768, 32767}, {ONX_U4, 0, 15},     {ONX_I4, -8, 7}};
    int64_t said = xfv_onx_int(c, "output_dtype", 0);
    *type = g->zero ? g->zero->type : said ? (int)said : ONX_U8;
    if (g->zero && said && said != *type)
        return ONX_BAD("'%s' (%s) has an output_dtype other than its zero point's", c->label, c->op);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (ranges[i].type != *type) continue;
        *lo = ranges[i].lo, *hi = ranges[i].hi;
        return 0;
    }
    return ONX_BAD("'%s' (%s) makes elements of type %d, which is not supported", c->label, c->op, *type);
}

/* ---- constants ---- */

int xfv_onx_eval_dequantise(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *q = xfv_onx_constant(o, c->in[0]);
    struct grid g;
    int status = q ? read_grid(o, c, q->s, &g) : o->e->status;
    if (status) return status;
    if (!q->i) return ONX_BAD("'%s' (%s) reads constants that are not whole numbers", c->label, c->op);
    struct onx_const *k = xfv_onx_const_new(o, q->s, 0);
    for (size_t i = 0; k && i < k->count; i++) {
        size_t j = scale_of(&g, q->s, i);
        k->f[i] = (float)((double)q->i[i] - zero_at(&g, j)) * g.scale->f[j];
    }
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

int xfv_onx_eval_quantise(struct onx *o, const struct onx_call *c)
{
    const struct onx_const *x = xfv_onx_constant(o, c->in[0]);
    struct grid g;
    int type, status = x ? read_grid(o, c, x->s, &g) : o->e->status;
    double lo, hi;
    if (status || (status = read_range(o, c, &g, &type, &lo, &hi))) return status;
    struct onx_const *k = xfv_onx_const_new(o, x->s, 1);
    for (size_t i = 0; k && i < k->count; i++) {
        size_t j = scale_of(&g, x->s, i);
        double v = rint((double)((float)xfv_onx_const_at(x, i) / g.scale->f[j])) + zero_at(&g, j);
        k->i[i] = xfv_to_i64(v >= hi ? hi : v > lo ? v : lo); /* NaN becomes the lowest */
    }
    if (k) k->type = type;
    return k ? xfv_onx_give(o, c, 0, k) : o->e->status;
}

/* ---- computed tensors ---- */

static int limited(struct onx *o, const struct onx_call *c, int v, double lo, double hi)
{
    struct xfv_node n = xfv_node_act(XFV_ACT_CLIP, v, (float)lo, (float)hi);
    o->quantisers++;
    return xfv_within(o->g, v, n.f[0], n.f[1]) ? v : xfv_onx_emit(o, &n, c->label, "/limit");
}

/* x scale + shift, with the numbers of the grid; back: from whole numbers to reals. */
static int along_axis(struct onx *o, const struct onx_call *c, struct onx_tensor *t, const struct grid *g, int back)
{
    size_t n = g->scale->count;
    struct onx_const *k[2] = {xfv_onx_const_new(o, g->scale->s, 0), xfv_onx_const_new(o, g->scale->s, 0)};
    for (size_t i = 0; k[0] && k[1] && i < n; i++) {
        double s = (double)g->scale->f[i], z = zero_at(g, i);
        k[0]->f[i] = (float)(back ? s : 1 / s);
        k[1]->f[i] = (float)(back ? -z * s : z);
    }
    int status = k[0] && k[1] ? xfv_onx_scaled(o, c, t, g->axis, k[0]->f, k[1]->f) : o->e->status;
    xfv_onx_const_free(k[0]);
    xfv_onx_const_free(k[1]);
    return status;
}

int xfv_onx_quantise(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *x = c->in[0], *y = c->out[0];
    struct grid g;
    int type, v, status = read_grid(o, c, x->s, &g);
    double lo, hi;
    if (status || (status = read_range(o, c, &g, &type, &lo, &hi)) || (status = xfv_onx_materialise(o, x, c->label)))
        return status;
    if (g.block)
        return ONX_BAD("'%s' (%s) quantises a computed tensor in blocks, which is not supported", c->label, c->op);
    if (g.axis >= 0) {
        if ((status = along_axis(o, c, x, &g, 0))) return status;
        if ((y->value = limited(o, c, y->value, lo, hi)) < 0) return y->value;
    } else {
        double s = (double)g.scale->f[0], z = zero_at(&g, 0);
        if ((v = limited(o, c, x->value, (lo - z) * s, (hi - z) * s)) < 0) return v;
        *y = (struct onx_tensor){.name = y->name,
                                 .label = y->label,
                                 .s = x->s,
                                 .value = -1,
                                 .real = v,
                                 .scale = s,
                                 .zero = z,
                                 .n_axes = x->n_axes,
                                 .made = 1};
        for (int i = 0; i < x->n_axes; i++) y->axis[i] = x->axis[i];
    }
    y->whole = type;
    return 0;
}

int xfv_onx_dequantise(struct onx *o, const struct onx_call *c)
{
    struct onx_tensor *t = c->in[0];
    struct grid g;
    int status = read_grid(o, c, t->s, &g);
    if (status) return status;
    if (g.block) return ONX_BAD("'%s' (%s) takes a computed tensor in blocks, which is not supported", c->label, c->op);
    if (g.axis >= 0) return along_axis(o, c, t, &g, 1);
    double s = (double)g.scale->f[0], z = zero_at(&g, 0);
    int same = t->real && !(s < t->scale) && !(s > t->scale) && !(z < t->zero) && !(z > t->zero), v = t->real;
    if (!same)
        v = (status = xfv_onx_materialise(o, t, c->label)) ? status
                                                           : xfv_onx_emit_affine(o, t->value, s, -z * s, c->label, "");
    return v < 0 ? v : xfv_onx_result(o, c, 0, v, t->s, t->axis, t->n_axes);
}
