#include "net/graph/order.h"

#include <string.h>

struct xfv_order xfv_order_start(struct xfv_shape s)
{
    struct xfv_order o = {.to = s};
    size_t count = xfv_shape_count(s);
    if (count > 1) o.n = 1, o.size[0] = (int)count, o.step[0] = 1;
    return o;
}

/* Axis a becomes two, the outer one of size `outer`. */
static int cut(struct xfv_order *o, int a, int outer)
{
    size_t after = (size_t)(o->n - a);
    if (o->n >= XFV_ORDER_AXES) return 0;
    memmove(o->size + a + 1, o->size + a, after * sizeof *o->size);
    memmove(o->step + a + 1, o->step + a, after * sizeof *o->step);
    o->n++;
    o->size[a + 1] /= outer;
    o->size[a] = outer;
    o->step[a] *= (size_t)o->size[a + 1];
    return 1;
}

/* Cut axes until each dimension is a product of some of them. */
static int refine(struct xfv_order *o, int n, const int *dim)
{
    for (int d = 0, a = 0; d < n; d++)
        for (int need = dim[d]; need > 1; a++) {
            if (a == o->n) return 0;
            if (need % o->size[a] && (o->size[a] % need || !cut(o, a, need))) return 0;
            need /= o->size[a];
        }
    return 1;
}

int xfv_order_reshape(struct xfv_order *o, struct xfv_shape to)
{
    o->to = to;
    return refine(o, to.rank, to.dim);
}

/* How many axes, from `first` on, dimension d takes. */
static int axes_of(const struct xfv_order *o, int first, int d)
{
    int n = 0;
    for (int need = d; need > 1; n++) need /= o->size[first + n];
    return n;
}

int xfv_order_transpose(struct xfv_order *o, const int *perm, struct xfv_shape to)
{
    int first[XFV_MAX_RANK] = {0}, count[XFV_MAX_RANK] = {0}, at = 0;
    if (!refine(o, o->to.rank, o->to.dim)) return 0;
    struct xfv_order was = *o;
    for (int d = 0; d < o->to.rank; d++) {
        first[d] = at;
        at += count[d] = axes_of(o, at, o->to.dim[d]);
    }
    at = 0;
    for (int d = 0; d < to.rank; d++)
        for (int k = 0; k < count[perm[d]]; k++, at++) {
            o->size[at] = was.size[first[perm[d]] + k];
            o->step[at] = was.step[first[perm[d]] + k];
        }
    o->to = to;
    return 1;
}

int xfv_order_inner_last(struct xfv_order *o)
{
    int inner = -1, before = 1, after = 1;
    for (int a = 0; a < o->n; a++) {
        if (o->step[a] == 1) inner = a;
        else if (inner < 0) before *= o->size[a];
        else after *= o->size[a];
    }
    if (inner < 0 || after == 1) return 0;
    static const int turn[] = {0, 2, 1};
    struct xfv_shape s = xfv_shape_of(3, before, o->size[inner], after);
    o->to = s;
    s = xfv_shape_of(3, before, after, o->size[inner]);
    return xfv_order_transpose(o, turn, s);
}

/* Axes that follow each other as they did are one. */
static struct xfv_order joined(const struct xfv_order *o)
{
    struct xfv_order j = {.to = o->to};
    for (int a = 0; a < o->n; a++) {
        int last = j.n - 1;
        if (last >= 0 && j.step[last] == o->step[a] * (size_t)o->size[a]) {
            j.size[last] *= o->size[a];
            j.step[last] = o->step[a];
        } else {
            j.size[j.n] = o->size[a];
            j.step[j.n++] = o->step[a];
        }
    }
    return j;
}

int xfv_order_same(const struct xfv_order *a, const struct xfv_order *b)
{
    struct xfv_order x = joined(a), y = joined(b);
    int same = x.n == y.n && xfv_shape_equal(x.to, y.to);
    for (int k = 0; k < x.n && same; k++) same = x.size[k] == y.size[k] && x.step[k] == y.step[k];
    return same;
}

int xfv_order_kept(const struct xfv_order *o) { return joined(o).n <= 1; }

/* Axes as they go in: rank[a] is the place there of axis a. */
static void ranks(const struct xfv_order *o, int *rank)
{
    for (int a = 0; a < o->n; a++) {
        rank[a] = 0;
        for (int b = 0; b < o->n; b++) rank[a] += o->step[b] > o->step[a];
    }
}

/* ---- an order by transpositions ---- */

static int one_move(const struct xfv_order *j, struct xfv_shape *from, int *perm)
{
    int rank[XFV_ORDER_AXES] = {0};
    if (j->n > XFV_MAX_RANK) return 0;
    ranks(j, rank);
    memset(from, 0, sizeof *from);
    from->rank = j->n;
    memset(perm, 0, sizeof *perm * XFV_MAX_RANK);
    for (int a = 0; a < j->n; a++) {
        from->dim[rank[a]] = j->size[a];
        perm[a] = rank[a];
    }
    return 1;
}

static int price(struct xfv_shape from, const int *perm)
{
    int last = from.rank - 1, c = from.dim[perm[last]], pad = (c + 15) / 16 * 16;
    return (perm[last] == last && c >= 8 ? 16 : 64) * pad / c;
}

/* Steps of axes of the given sizes that follow each other. */
static void steps(struct xfv_order *o)
{
    size_t step = 1;
    for (int a = o->n - 1; a >= 0; a--) {
        o->step[a] = step;
        step *= (size_t)o->size[a];
    }
}

/* First `first` (axes as they go in, in the order after the first move), then what remains of j. */
static int two_moves(const struct xfv_order *j, const int *rank, const int *first, struct xfv_moves *m)
{
    struct xfv_order a = {.n = j->n}, b = {.n = j->n}, in = {.n = j->n};
    size_t later[XFV_ORDER_AXES];
    for (int k = 0; k < j->n; k++) in.size[rank[k]] = j->size[k];
    steps(&in);
    for (int k = 0; k < j->n; k++) a.size[k] = in.size[first[k]], a.step[k] = in.step[first[k]];
    struct xfv_order middle = a;
    steps(&middle);
    for (int k = 0; k < j->n; k++) later[first[k]] = middle.step[k];
    for (int k = 0; k < j->n; k++) b.size[k] = j->size[k], b.step[k] = later[rank[k]];
    a = joined(&a), b = joined(&b);
    m->n = 2;
    return one_move(&a, &m->from[0], m->perm[0]) && one_move(&b, &m->from[1], m->perm[1]);
}

/* The cheapest pair of which the first moves blocks p..q-1 and q..r-1 past each other, or all four blocks anyhow. */
static int search(const struct xfv_order *j, struct xfv_moves *best)
{
    static const int blocks[][4] = {{0, 2, 1, 3}, {1, 0, 2, 3}, {1, 2, 0, 3}, {2, 0, 1, 3}, {2, 1, 0, 3},
                                    {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 3, 2, 1}, {3, 0, 1, 2}, {1, 2, 3, 0},
                                    {2, 3, 0, 1}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}};
    int rank[XFV_ORDER_AXES] = {0}, found = 0, least = 0;
    ranks(j, rank);
    for (int p = 0; p < j->n; p++)
        for (int q = p + 1; q < j->n; q++)
            for (int r = q + 1; r <= j->n; r++)
                for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++) {
                    const int edge[5] = {0, p, q, r, j->n};
                    int first[XFV_ORDER_AXES], at = 0;
                    struct xfv_moves m;
                    for (int b = 0; b < 4; b++)
                        for (int a = edge[blocks[k][b]]; a < edge[blocks[k][b] + 1]; a++) first[at++] = a;
                    if (!two_moves(j, rank, first, &m)) continue;
                    int cost = price(m.from[0], m.perm[0]) + price(m.from[1], m.perm[1]);
                    if (!found || cost < least) *best = m, least = cost;
                    found = 1;
                }
    return found;
}

int xfv_order_moves(const struct xfv_order *o, struct xfv_moves *m)
{
    struct xfv_order j = joined(o);
    m->n = j.n > 1;
    if (m->n == 0 || one_move(&j, &m->from[0], m->perm[0])) return 1;
    return search(&j, m);
}

int xfv_order_between(const struct xfv_order *a, const struct xfv_order *b, struct xfv_shape s, struct xfv_order *out)
{
    struct xfv_order x = *a, y = *b;
    int rank[XFV_ORDER_AXES] = {0};
    if (!refine(&x, b->n, b->size) || !refine(&y, x.n, x.size) || x.n != y.n) return 0;
    ranks(&x, rank);
    out->n = x.n;
    out->to = s;
    for (int k = 0; k < x.n; k++) {
        out->size[rank[k]] = y.size[k];
        out->step[rank[k]] = y.step[k];
    }
    return refine(out, s.rank, s.dim);
}

/* ---- operands that stretch ---- */

static int dim_of(struct xfv_shape k, int rank, int d)
{
    int at = d - (rank - k.rank);
    return at < 0 ? 1 : k.dim[at];
}

struct xfv_shape xfv_order_stretch(const struct xfv_order *o, struct xfv_shape from, struct xfv_shape k)
{
    struct xfv_order out = *o, in = {0};
    int stretches[XFV_ORDER_AXES] = {0}, rank[XFV_ORDER_AXES] = {0}, a = 0;
    if (!refine(&out, o->to.rank, o->to.dim)) return from;
    for (int d = 0; d < o->to.rank; d++)
        for (int n = axes_of(&out, a, o->to.dim[d]); n > 0; n--, a++) stretches[a] = dim_of(k, o->to.rank, d) == 1;
    ranks(&out, rank);
    in.n = out.n; /* steps tell, from here on, which axes they were */
    for (a = 0; a < out.n; a++) in.size[rank[a]] = out.size[a], in.step[rank[a]] = out.step[a];
    struct xfv_order fine = in;
    struct xfv_shape s = from;
    if (!refine(&fine, from.rank, from.dim)) return from;
    for (int d = 0, b = 0; d < from.rank; d++) {
        int all = 1;
        for (int n = axes_of(&fine, b, from.dim[d]); n > 0; n--, b++)
            for (a = 0; a < out.n; a++)
                if (fine.step[b] >= out.step[a] && fine.step[b] < out.step[a] * (size_t)out.size[a])
                    all = all && stretches[a];
        if (all) s.dim[d] = 1;
    }
    return s;
}

void xfv_order_back(const struct xfv_order *o, struct xfv_shape from, struct xfv_shape k, const float *numbers,
                    struct xfv_shape s, double *out)
{
    struct xfv_order fine = *o;
    size_t count = xfv_shape_count(s);
    refine(&fine, o->to.rank, o->to.dim); /* it was made by such */
    for (size_t e = 0; e < count; e++) {
        size_t rest = e, source = 0, step = 1, place = 0;
        for (int d = from.rank - 1; d >= 0; d--) { /* one of the elements of `from` that number e is for */
            source += rest % (size_t)s.dim[d] * step;
            rest /= (size_t)s.dim[d];
            step *= (size_t)from.dim[d];
        }
        for (int d = 0, a = 0; d < o->to.rank; d++) {
            size_t index = 0, size = (size_t)dim_of(k, o->to.rank, d);
            for (int n = axes_of(&fine, a, o->to.dim[d]); n > 0; n--, a++)
                index = index * (size_t)fine.size[a] + source / fine.step[a] % (size_t)fine.size[a];
            place = place * size + (size > 1 ? index : 0);
        }
        out[e] = (double)numbers[place];
    }
}
