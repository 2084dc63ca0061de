/* ONNX files: operators that take elements of a tensor from places that constants name, or weigh and add them: one
 * sparse operator of the graph, whose table is made here. It is linear, so that its gradient is exact. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"
#include "net/import/onnx_internal.h"

static int is(const struct onx_call *c, const char *op) { return strcmp(c->op, op) == 0; }

struct table { float *row; size_t n, cap; }; /* rows of (to, from, factor) */

static int put(struct onx *o, const struct onx_call *c, struct table *t, size_t to, size_t from, double by)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 1024;
        float *more = t->n < ONX_MAX_MADE ? realloc(t->row, 3 * cap * sizeof *more) : NULL;
        if (!more) return ONX_BAD("'%s' (%s) takes too many elements", c->label, c->op);
        t->row = more, t->cap = cap;
    }
    float *r = t->row + 3 * t->n++;
    r[0] = (float)to, r[1] = (float)from, r[2] = (float)by;
    return 0;
}

static void unravel(struct onx_dims s, size_t i, int64_t *at)
{
    for (int a = s.rank - 1; a >= 0; a--) at[a] = (int64_t)(i % (size_t)s.dim[a]), i /= (size_t)s.dim[a];
}

static size_t ravel(struct onx_dims s, const int64_t *at)
{
    size_t i = 0;
    for (int a = 0; a < s.rank; a++) i = i * (size_t)s.dim[a] + (size_t)at[a];
    return i;
}

/* The elements of t in ONNX's order, as a vector. */
static int flat(struct onx *o, struct onx_tensor *t, const char *label)
{
    int want[ONX_AXES], n = 0;
    for (int a = 0; a < t->s.rank; a++)
        if (t->s.dim[a] != 1) want[n++] = a;
    if (n == 0) want[n++] = -1;
    int v = xfv_onx_ordered(o, t, want, n, label);
    return v < 0 ? v : xfv_onx_emit_reshape(o, v, xfv_shape_of(1, (int)xfv_onx_count(t->s)), label, "/flat");
}

/* Output 0, of shape s, by the table from value v, a vector; the table is freed. */
static int taken(struct onx *o, const struct onx_call *c, int v, struct onx_dims s, struct table *t)
{
    struct xfv_node n = xfv_node_unary(XFV_OP_SPARSE, v);
    int axes[ONX_AXES], count = 0, status = 0;
    for (int a = 0; a < s.rank; a++)
        if (s.dim[a] != 1) axes[count++] = a;
    if (v < 0 || t->n == 0 || xfv_onx_count(s) == 0 || xfv_onx_count(s) > XFV_MAX_SPARSE)
        status = v < 0 ? v : ONX_BAD("'%s' (%s) makes a tensor of an impossible size", c->label, c->op);
    struct xfv_shape out = xfv_onx_shape(s, axes, count);
    memcpy(n.i, out.dim, sizeof n.i);
    for (int i = out.rank; i < XFV_MAX_RANK; i++) n.i[i] = 0;
    if (!status) {
        float *exact = realloc(t->row, 3 * t->n * sizeof *exact);
        if (exact) t->row = exact;
        status = n.weight = xfv_onx_take_weight(o, xfv_shape_of(2, (int)t->n, 3), &t->row, c->label, "/table");
    }
    free(t->row);
    *t = (struct table){0};
    return status < 0 ? status : xfv_onx_result(o, c, 0, xfv_onx_emit(o, &n, c->label, ""), s, axes, count);
}

static int taken_of(struct onx *o, const struct onx_call *c, struct onx_dims s, struct table *t, int status)
{
    struct onx_tensor x;
    if (!status) status = xfv_onx_walker(o, c->in[0], &x, c->label);
    return taken(o, c, status ? status : flat(o, &x, c->label), s, t);
}

/* Constant input k, of whole numbers. */
static const struct onx_const *whole(struct onx *o, const struct onx_call *c, int k)
{
    if (k >= c->n_in || !c->in[k] || !xfv_onx_is_constant(c->in[k])) {
        ONX_BAD("'%s' (%s) takes elements whose places are computed", c->label, c->op);
        return NULL;
    }
    const struct onx_const *x = xfv_onx_constant(o, c->in[k]);
    if (x && !x->i) ONX_BAD("'%s' (%s) has places that are no whole numbers", c->label, c->op);
    return x && x->i ? x : NULL;
}

/* An index as NumPy counts it, or -1. */
static int64_t index_in(int64_t i, int64_t n)
{
    i = i < 0 ? i + n : i;
    return i >= 0 && i < n ? i : -1;
}

static int outside(struct onx *o, const struct onx_call *c)
{
    return ONX_BAD("'%s' (%s) names an element that its input does not have", c->label, c->op);
}

/* ---- gathering ---- */

int xfv_onx_gather_elements(struct onx *o, const struct onx_call *c)
{
    struct onx_dims d = c->in[0]->s;
    const struct onx_const *ix = whole(o, c, 1);
    int axis = xfv_onx_axis(o, c, xfv_onx_int(c, "axis", 0), d.rank), status = ix ? 0 : o->e->status;
    struct table t = {0};
    int64_t at[ONX_MAX_RANK];
    if (axis < 0 || status) return axis < 0 ? axis : status;
    if (ix->s.rank != d.rank) return ONX_BAD("'%s' (%s) has indices of other axes", c->label, c->op);
    for (int a = 0; a < d.rank; a++)
        if (a != axis && ix->s.dim[a] > d.dim[a]) return outside(o, c);
    for (size_t i = 0; i < ix->count && !status; i++) {
        unravel(ix->s, i, at);
        at[axis] = index_in(ix->i[i], d.dim[axis]);
        status = at[axis] < 0 ? outside(o, c) : put(o, c, &t, i, ravel(d, at), 1);
    }
    return taken_of(o, c, ix->s, &t, status);
}

/* Where the slice begins that row r of a table of coordinates names, `batch` axes of it counted by r itself; -1. The
 * slice has all axes of d behind the coordinates. */
static int64_t slice_at(struct onx_dims d, const struct onx_const *ix, size_t r, int batch, int64_t *elements)
{
    int n = (int)ix->s.dim[ix->s.rank - 1];
    int64_t at[ONX_MAX_RANK] = {0}, row[ONX_MAX_RANK];
    struct onx_dims rows = ix->s;
    rows.rank--;
    unravel(rows, r, row);
    for (int a = 0; a < batch; a++) at[a] = row[a];
    *elements = 1;
    for (int a = batch + n; a < d.rank; a++) *elements *= d.dim[a];
    for (int k = 0; k < n; k++)
        if ((at[batch + k] = index_in(ix->i[r * (size_t)n + (size_t)k], d.dim[batch + k])) < 0) return -1;
    return (int64_t)ravel(d, at);
}

/* Do coordinates of this shape fit? */
static int coordinates_fit(struct onx_dims d, const struct onx_const *ix, int64_t batch)
{
    int fits = ix->count > 0 && ix->s.rank >= 1 && batch >= 0 && batch < ix->s.rank && batch < d.rank &&
               ix->s.dim[ix->s.rank - 1] + batch <= d.rank;
    for (int a = 0; fits && a < batch; a++) fits = ix->s.dim[a] == d.dim[a];
    return fits;
}

int xfv_onx_gather_nd(struct onx *o, const struct onx_call *c)
{
    struct onx_dims d = c->in[0]->s, s = {0};
    const struct onx_const *ix = whole(o, c, 1);
    int64_t batch = xfv_onx_int(c, "batch_dims", 0), elements = 1;
    struct table t = {0};
    int status = 0;
    if (!ix) return o->e->status;
    if (!coordinates_fit(d, ix, batch)) return ONX_BAD("'%s' (%s) has indices that do not fit", c->label, c->op);
    int n = (int)ix->s.dim[ix->s.rank - 1];
    if (ix->s.rank - 1 + d.rank - n - batch > ONX_MAX_RANK)
        return ONX_BAD("'%s' (%s) makes too many axes", c->label, c->op);
    for (int a = 0; a < ix->s.rank - 1; a++) s.dim[s.rank++] = ix->s.dim[a];
    for (int a = (int)batch + n; a < d.rank; a++) s.dim[s.rank++] = d.dim[a];
    for (size_t r = 0; r < ix->count / (size_t)n && !status; r++) {
        int64_t from = slice_at(d, ix, r, (int)batch, &elements);
        if (from < 0) status = outside(o, c);
        for (int64_t e = 0; e < elements && !status; e++)
            status = put(o, c, &t, r * (size_t)elements + (size_t)e, (size_t)(from + e), 1);
    }
    return taken_of(o, c, s, &t, status);
}

/* ---- scattering: the tensor and the updates as one vector ---- */

/* For each update, the element that it goes to; free it. */
static size_t *targets(struct onx *o, const struct onx_call *c, const struct onx_const *ix, struct onx_dims d,
                       size_t updates)
{
    size_t *to = malloc((updates ? updates : 1) * sizeof *to);
    int nd = is(c, "ScatterND"), axis = nd ? 0 : xfv_onx_axis(o, c, xfv_onx_int(c, "axis", 0), d.rank);
    int64_t at[ONX_MAX_RANK], elements = 1, from;
    int bad = !to || axis < 0 || (nd ? !coordinates_fit(d, ix, 0) : ix->s.rank != d.rank || ix->count != updates);
    for (int a = 0; !nd && a < d.rank && !bad; a++) bad = a != axis && ix->s.dim[a] > d.dim[a];
    for (size_t i = 0; !bad && i < updates; i++) {
        if (nd) {
            slice_at(d, ix, 0, 0, &elements);
            from = slice_at(d, ix, i / (size_t)elements, 0, &elements);
            bad = from < 0;
            to[i] = (size_t)from + i % (size_t)elements;
        } else {
            unravel(ix->s, i, at);
            bad = (at[axis] = index_in(ix->i[i], d.dim[axis])) < 0;
            if (!bad) to[i] = ravel(d, at);
        }
    }
    if (!bad) return to;
    free(to);
    ONX_BAD("'%s' (%s) has indices that do not fit", c->label, c->op);
    return NULL;
}

/* Rows of a scatter: `sums`: updates are added, else the last one stands. *twice: an element is named twice. */
static int scatter_rows(struct onx *o, const struct onx_call *c, size_t n, const size_t *to, size_t updates, int sums,
                        struct table *t, int *twice)
{
    size_t *owner = malloc(n * sizeof *owner);
    int status = owner ? 0 : xfv_fail(o->e, XFV_ENOMEM, "out of memory");
    *twice = 0;
    for (size_t i = 0; owner && i < n; i++) owner[i] = i;
    for (size_t i = 0; owner && i < updates; i++) {
        *twice |= owner[to[i]] != to[i];
        if (sums) status = status ? status : put(o, c, t, to[i], n + i, 1);
        owner[to[i]] = n + i;
    }
    for (size_t i = 0; owner && i < n && !status; i++) status = put(o, c, t, i, sums ? i : owner[i], 1);
    free(owner);
    return status;
}

int xfv_onx_scatter(struct onx *o, const struct onx_call *c)
{
    static const char *const ways[] = {"", "none", "add", "mul", "max", "min"};
    struct onx_tensor x, u;
    struct xfv_node joined = xfv_node_default(XFV_OP_CONCAT);
    struct table t = {0};
    const struct onx_const *ix = whole(o, c, 1);
    int way = 0, twice = 0, status = ix ? 0 : o->e->status;
    if (status) return status;
    while (way < 6 && !xfv_onx_text_is(c, "reduction", ways[way])) way++;
    if (way == 6) return ONX_BAD("'%s' (%s) has a reduction that is not supported", c->label, c->op);
    if ((status = xfv_onx_walker(o, c->in[0], &x, c->label)) || (status = xfv_onx_walker(o, c->in[2], &u, c->label)))
        return status;
    size_t n = xfv_onx_count(x.s), m = xfv_onx_count(u.s), *to = targets(o, c, ix, x.s, m);
    if (!to) return o->e->status;
    if (n + m > XFV_MAX_SPARSE) status = ONX_BAD("'%s' (%s) is too large", c->label, c->op);
    else status = scatter_rows(o, c, n, to, m, way == 2, &t, &twice);
    free(to);
    if (!status && way > 2 && (twice || way == 3))
        status = ONX_BAD("'%s' (%s) multiplies, or names an element twice, which is not supported", c->label, c->op);
    joined.n_in = 2;
    if (status || (status = joined.in[0] = flat(o, &x, c->label)) < 0 ||
        (status = joined.in[1] = flat(o, &u, c->label)) < 0) {
        free(t.row);
        return status;
    }
    if ((status = taken(o, c, xfv_onx_emit(o, &joined, c->label, "/joined"), x.s, &t)) || way < 3) return status;
    u = *c->out[0];
    return xfv_onx_combine(o, c, way == 4 ? XFV_OP_MAX : XFV_OP_MIN, &x, &u);
}

/* ---- moving ---- */

int xfv_onx_tile(struct onx *o, const struct onx_call *c)
{
    struct onx_dims d = c->in[0]->s, s = d;
    struct table t = {0};
    int64_t by[ONX_MAX_RANK], at[ONX_MAX_RANK];
    int n = xfv_onx_ints(o, c, 1, NULL, by, ONX_MAX_RANK), status = 0;
    if (n < 0) return n;
    if (n != d.rank) return ONX_BAD("'%s' (%s) repeats %d axes of %d", c->label, c->op, n, d.rank);
    for (int a = 0; a < n; a++) {
        if (by[a] < 1 || by[a] > XFV_MAX_SPARSE) return ONX_BAD("'%s' (%s) repeats nothing", c->label, c->op);
        s.dim[a] *= by[a];
    }
    size_t count = xfv_onx_count(s) <= XFV_MAX_SPARSE ? xfv_onx_count(s) : 0;
    for (size_t i = 0; i < count && !status; i++) {
        unravel(s, i, at);
        for (int a = 0; a < s.rank; a++) at[a] %= d.dim[a];
        status = put(o, c, &t, i, ravel(d, at), 1);
    }
    return taken_of(o, c, s, &t, status);
}

/* Trilu: elements above, or below, a diagonal of the last two axes; zeros elsewhere. */
int xfv_onx_trilu(struct onx *o, const struct onx_call *c)
{
    struct onx_dims s = c->in[0]->s;
    struct table t = {0};
    int64_t k = 0, at[ONX_MAX_RANK];
    int status = xfv_onx_ints(o, c, 1, NULL, &k, 1), upper = xfv_onx_int(c, "upper", 1) != 0;
    if (status < 0) return status;
    if (s.rank < 2 || xfv_onx_count(s) > XFV_MAX_SPARSE || k > XFV_MAX_SPARSE || k < -XFV_MAX_SPARSE)
        return ONX_BAD("'%s' (%s) has an operand of an impossible size", c->label, c->op);
    status = 0;
    for (size_t i = 0; i < xfv_onx_count(s) && !status; i++) {
        unravel(s, i, at);
        int64_t off = at[s.rank - 1] - at[s.rank - 2];
        if (upper ? off >= k : off <= k) status = put(o, c, &t, i, i, 1);
    }
    if (!status && t.n == 0) status = put(o, c, &t, 0, 0, 0); /* all zeros */
    return taken_of(o, c, s, &t, status);
}

/* CenterCropPad: the middle of each axis, or zeros on both sides of it. */
int xfv_onx_center(struct onx *o, const struct onx_call *c)
{
    struct onx_dims d = c->in[0]->s, s = d;
    struct table t = {0};
    int64_t size[ONX_MAX_RANK], axes[ONX_MAX_RANK], at[ONX_MAX_RANK], off[ONX_MAX_RANK] = {0};
    int n = xfv_onx_ints(o, c, 1, NULL, size, ONX_MAX_RANK),
        m = n < 0 ? n : xfv_onx_ints(o, c, -1, "axes", axes, ONX_MAX_RANK), status = 0;
    if (m < 0) return m;
    if (n != (m ? m : d.rank)) return ONX_BAD("'%s' (%s) has %d sizes", c->label, c->op, n);
    for (int k = 0; k < n; k++) {
        int a = xfv_onx_axis(o, c, m ? axes[k] : k, d.rank);
        if (a < 0) return a;
        if (size[k] < 1 || size[k] > XFV_MAX_SPARSE)
            return ONX_BAD("'%s' (%s) has an impossible size", c->label, c->op);
        s.dim[a] = size[k];
        off[a] = size[k] < d.dim[a] ? (d.dim[a] - size[k]) / 2 : -((size[k] - d.dim[a]) / 2);
    }
    size_t count = xfv_onx_count(s) <= XFV_MAX_SPARSE ? xfv_onx_count(s) : 0;
    for (size_t i = 0; i < count && !status; i++) {
        int in = 1;
        unravel(s, i, at);
        for (int a = 0; a < s.rank; a++) at[a] += off[a], in &= at[a] >= 0 && at[a] < d.dim[a];
        if (in) status = put(o, c, &t, i, ravel(d, at), 1);
    }
    return taken_of(o, c, s, &t, status);
}

/* ReverseSequence: the first elements of each sequence in the other order. */
int xfv_onx_reverse(struct onx *o, const struct onx_call *c)
{
    struct onx_dims s = c->in[0]->s;
    struct table t = {0};
    const struct onx_const *n = whole(o, c, 1);
    int64_t batch = xfv_onx_int(c, "batch_axis", 1), time = xfv_onx_int(c, "time_axis", 0), at[ONX_MAX_RANK];
    int status = 0;
    if (!n) return o->e->status;
    if (s.rank < 2 || batch + time != 1 || batch * time != 0 || n->s.rank != 1 || n->s.dim[0] != s.dim[batch])
        return ONX_BAD("'%s' (%s) has lengths that do not fit", c->label, c->op);
    for (size_t i = 0; i < xfv_onx_count(s) && !status; i++) {
        unravel(s, i, at);
        int64_t length = n->i[at[batch]];
        if (length < 0 || length > s.dim[time]) status = outside(o, c);
        else if (at[time] < length) at[time] = length - 1 - at[time];
        if (!status) status = put(o, c, &t, i, ravel(s, at), 1);
    }
    return taken_of(o, c, s, &t, status);
}

/* Compress: the places of an axis, or of all elements, where a constant list is true. */
int xfv_onx_compress(struct onx *o, const struct onx_call *c)
{
    struct onx_dims d = c->in[0]->s, s;
    struct table t = {0};
    const struct onx_const *k = whole(o, c, 1);
    int all = !xfv_onx_attribute(c, "axis"), status = 0;
    int axis = all ? 0 : xfv_onx_axis(o, c, xfv_onx_int(c, "axis", 0), d.rank);
    int64_t at[ONX_MAX_RANK], kept = 0;
    if (!k || axis < 0) return o->e->status;
    if (all) d = (struct onx_dims){1, {(int64_t)xfv_onx_count(d)}};
    if (k->s.rank != 1 || k->s.dim[0] > d.dim[axis]) return outside(o, c);
    for (size_t i = 0; i < k->count; i++) kept += k->i[i] != 0;
    s = d;
    s.dim[axis] = kept;
    for (size_t i = 0; i < (kept ? xfv_onx_count(s) : 0) && !status; i++) {
        unravel(s, i, at);
        int64_t place = -1;
        for (int64_t seen = -1; seen < at[axis];) seen += k->i[++place] != 0;
        at[axis] = place;
        status = put(o, c, &t, i, ravel(d, at), 1);
    }
    return taken_of(o, c, s, &t, status);
}

/* Col2Im: columns of blocks added up into an image of any number of axes. */
int xfv_onx_col2im(struct onx *o, const struct onx_call *c)
{
    struct onx_dims d = c->in[0]->s, image = {0}, block = {0}, steps = {0}, s;
    struct table t = {0};
    int64_t dilation[ONX_MAX_RANK], stride[ONX_MAX_RANK], pads[2 * ONX_MAX_RANK], at[ONX_MAX_RANK], to[ONX_MAX_RANK];
    int n = image.rank = xfv_onx_ints(o, c, 1, NULL, image.dim, ONX_MAX_RANK - 2), status = 0;
    if (n < 0 || (block.rank = xfv_onx_ints(o, c, 2, NULL, block.dim, ONX_MAX_RANK - 2)) < 0) return o->e->status;
    int nd = xfv_onx_ints(o, c, -1, "dilations", dilation, ONX_MAX_RANK),
        ns = xfv_onx_ints(o, c, -1, "strides", stride, ONX_MAX_RANK),
        np = xfv_onx_ints(o, c, -1, "pads", pads, 2 * ONX_MAX_RANK);
    if (n < 1 || block.rank != n || d.rank != 3 || (nd && nd != n) || (ns && ns != n) || (np && np != 2 * n))
        return ONX_BAD("'%s' (%s) has lists that do not fit", c->label, c->op);
    s = (struct onx_dims){n + 2, {d.dim[0]}};
    steps.rank = n;
    for (int a = 0; a < n; a++) {
        if (!nd) dilation[a] = 1;
        if (!ns) stride[a] = 1;
        if (!np) pads[a] = pads[n + a] = 0;
        if (image.dim[a] < 1 || block.dim[a] < 1 || dilation[a] < 1 || stride[a] < 1 || block.dim[a] > XFV_MAX_KERNEL ||
            dilation[a] > XFV_MAX_KERNEL || stride[a] > XFV_MAX_KERNEL || llabs(pads[a]) > XFV_MAX_KERNEL ||
            llabs(pads[n + a]) > XFV_MAX_KERNEL || image.dim[a] > XFV_MAX_SPARSE)
            return ONX_BAD("'%s' (%s) has a list of impossible numbers", c->label, c->op);
        int64_t room = image.dim[a] + pads[a] + pads[n + a] - (block.dim[a] - 1) * dilation[a] - 1;
        steps.dim[a] = room < 0 ? 0 : room / stride[a] + 1;
        s.dim[a + 2] = image.dim[a];
    }
    size_t blocks = xfv_onx_count(block), places = xfv_onx_count(steps);
    if (!blocks || !places || d.dim[1] % (int64_t)blocks || d.dim[2] != (int64_t)places)
        return ONX_BAD("'%s' (%s) has columns that do not fit", c->label, c->op);
    s.dim[1] = d.dim[1] / (int64_t)blocks;
    for (size_t i = 0; i < xfv_onx_count(d) && !status; i++) {
        size_t place = i % places, row = i / places, inside = 1;
        unravel(block, row % blocks, at);
        unravel(steps, place, to + 2);
        for (int a = 0; a < n; a++) {
            to[a + 2] = to[a + 2] * stride[a] + at[a] * dilation[a] - pads[a];
            inside &= to[a + 2] >= 0 && to[a + 2] < image.dim[a];
        }
        to[0] = (int64_t)(row / (size_t)d.dim[1]), to[1] = (int64_t)(row % (size_t)d.dim[1] / blocks);
        if (inside) status = put(o, c, &t, ravel(s, to), i, 1);
    }
    return taken_of(o, c, s, &t, status);
}

/* ---- sampling at constant places ---- */

/* Where a coordinate of a grid (-1..1) lies among n elements. */
static double element_at(double x, int64_t n, int corners)
{
    return corners ? (x + 1) / 2 * (double)(n - 1) : ((x + 1) * (double)n - 1) / 2;
}

/* A place beyond the edge thrown back until it lies inside. */
static double reflected(double x, int64_t n, int corners)
{
    double low = corners ? 0 : -.5, high = (double)n - (corners ? 1 : .5), span = high - low;
    if (span <= 0) return 0;
    x = fmod(fabs(x - low), 2 * span);
    return low + (x > span ? 2 * span - x : x);
}

enum { ZEROS, BORDER, REFLECTION };

/* The element that stands for place i, or -1: zero. */
static int64_t padded(int64_t i, int64_t n, int padding, int corners)
{
    if (i >= 0 && i < n) return i;
    if (padding == ZEROS) return -1;
    double x = padding == REFLECTION ? rint(reflected((double)i, n, corners)) : (double)i;
    return x < 0 ? 0 : x > (double)(n - 1) ? n - 1 : xfv_to_i64(x);
}

static double cubic(double d)
{
    const double a = -.75;
    d = fabs(d);
    if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
    return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0;
}

struct taps { int64_t i[4]; double w[4]; int n; };

static struct taps taps_at(double x, int64_t n, int mode, int padding, int corners)
{
    struct taps t = {.n = 0};
    x = element_at(x, n, corners);
    if (!(fabs(x) < 1e9)) x = x > 0 ? 1e9 : -1e9;
    if (mode != 'c' && padding == BORDER) x = x < 0 ? 0 : x > (double)(n - 1) ? (double)(n - 1) : x;
    if (mode != 'c' && padding == REFLECTION) {
        x = reflected(x, n, corners);
        x = x < 0 ? 0 : x > (double)(n - 1) ? (double)(n - 1) : x;
    }
    double low = floor(x);
    int from = mode == 'c' ? -1 : 0, to = mode == 'c' ? 2 : mode == 'n' ? 0 : 1;
    if (mode == 'n') low = rint(x);
    for (int k = from; k <= to; k++) {
        double d = x - (low + k);
        t.i[t.n] = padded(xfv_to_i64(low) + k, n, padding, corners);
        t.w[t.n++] = mode == 'n' ? 1 : mode == 'c' ? cubic(d) : 1 - fabs(d);
    }
    return t;
}

static int words(const struct onx_call *c, const char *name, const char *const *list, int n)
{
    for (int i = 0; i < n; i++)
        if (xfv_onx_text_is(c, name, list[i])) return i;
    return -1;
}

/* GridSample of an image [N,C,H,W] at a constant grid [N,H',W',2]. */
int xfv_onx_grid_sample(struct onx *o, const struct onx_call *c)
{
    static const char *const modes[] = {"", "linear", "bilinear", "cubic", "bicubic", "nearest"},
                             *const around[] = {"", "zeros", "border", "reflection"};
    struct onx_dims d = c->in[0]->s;
    struct table t = {0};
    int mode = words(c, "mode", modes, 6), pad = words(c, "padding_mode", around, 4), status = 0;
    int corners = xfv_onx_int(c, "align_corners", 0) != 0;
    if (!xfv_onx_is_constant(c->in[1]))
        return ONX_BAD("'%s' (%s) samples at places that are computed, which is not supported", c->label, c->op);
    const struct onx_const *g = xfv_onx_floats(o, c, 1);
    if (!g) return o->e->status;
    if (d.rank != 4 || g->s.rank != 4 || g->s.dim[3] != 2 || g->s.dim[0] != d.dim[0] || mode < 0 || pad < 0)
        return ONX_BAD("'%s' (%s) is not in a form that is supported", c->label, c->op);
    struct onx_dims s = {4, {d.dim[0], d.dim[1], g->s.dim[1], g->s.dim[2]}};
    int m = mode < 3 ? 'l' : mode < 5 ? 'c' : 'n', p = pad < 2 ? ZEROS : pad - 1;
    size_t count = xfv_onx_count(s) <= XFV_MAX_SPARSE ? xfv_onx_count(s) : 0;
    for (size_t i = 0; i < count && !status; i++) {
        int64_t at[ONX_MAX_RANK], from[4];
        unravel(s, i, at);
        size_t place = ((size_t)at[0] * (size_t)s.dim[2] + (size_t)at[2]) * (size_t)s.dim[3] + (size_t)at[3];
        struct taps x = taps_at((double)g->f[2 * place], d.dim[3], m, p, corners),
                    y = taps_at((double)g->f[2 * place + 1], d.dim[2], m, p, corners);
        from[0] = at[0], from[1] = at[1];
        for (int k = 0; k < x.n * y.n && !status; k++) {
            from[2] = y.i[k / x.n], from[3] = x.i[k % x.n];
            if (from[2] < 0 || from[3] < 0) continue;
            status = put(o, c, &t, i, ravel(d, from), y.w[k / x.n] * x.w[k % x.n]);
        }
    }
    return taken_of(o, c, s, &t, status);
}

/* AffineGrid: each place of an image of constant size, as a vector with 1, times theta [N,2,3] (or [N,3,4]). */
int xfv_onx_affine_grid(struct onx *o, const struct onx_call *c)
{
    struct onx_dims d = c->in[0]->s, size = {0}, s = {0};
    struct table t = {0};
    int64_t at[ONX_MAX_RANK];
    int corners = xfv_onx_int(c, "align_corners", 0) != 0, status = 0;
    size.rank = xfv_onx_ints(o, c, 1, NULL, size.dim, ONX_MAX_RANK);
    if (size.rank < 0) return size.rank;
    int n = size.rank - 2; /* axes of the image */
    if ((n != 2 && n != 3) || d.rank != 3 || d.dim[0] != size.dim[0] || d.dim[1] != n || d.dim[2] != n + 1)
        return ONX_BAD("'%s' (%s) has a theta that does not fit", c->label, c->op);
    s.dim[s.rank++] = size.dim[0];
    for (int a = 0; a < n; a++) s.dim[s.rank++] = size.dim[2 + a];
    s.dim[s.rank++] = n;
    size_t count = xfv_onx_count(s) <= XFV_MAX_SPARSE ? xfv_onx_count(s) : 0;
    for (size_t i = 0; i < count && !status; i++) {
        unravel(s, i, at);
        for (int k = 0; k <= n && !status; k++) { /* x first, which is the last axis */
            int64_t place = k < n ? at[n - k] : 0, of = k < n ? s.dim[n - k] : 1;
            double v = k == n    ? 1
                       : corners ? (of > 1 ? 2 * (double)place / (double)(of - 1) - 1 : 0)
                                 : (2 * (double)place + 1) / (double)of - 1;
            status = put(o, c, &t, i, (size_t)((at[0] * n + at[n + 1]) * (n + 1) + k), v);
        }
    }
    return taken_of(o, c, s, &t, status);
}
