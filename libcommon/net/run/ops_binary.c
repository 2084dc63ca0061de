/* Two operands; the second broadcasts to the first: aligned at the last axis, 1 stretches. */
#include <math.h>

#include "net/run/ops_internal.h"

/* Steps of the second operand in the first's axes: 0 where it stretches. */
static struct axes stretched(struct view v, struct axes full)
{
    struct axes a = axes_of(v);
    for (int i = 0; i < XFV_MAX_RANK; i++)
        if (a.dim[i] == 1 && full.dim[i] != 1) a.step[i] = 0;
    return a;
}

/* Offsets of row k (of the three outer axes) of a layout. */
static size_t row_at(const struct axes *full, const struct axes *a, size_t k)
{
    size_t i2 = k % (size_t)full->dim[2], i1 = k / (size_t)full->dim[2] % (size_t)full->dim[1],
           i0 = k / (size_t)full->dim[2] / (size_t)full->dim[1];
    return i0 * a->step[0] + i1 * a->step[1] + i2 * a->step[2];
}

static float related(int relation, float a, float b)
{
    switch ((enum xfv_relation)relation) {
    case XFV_LESS: return a < b ? 1.0f : 0.0f;
    case XFV_AT_MOST: return a <= b ? 1.0f : 0.0f;
    case XFV_EQUAL: return a <= b && a >= b ? 1.0f : 0.0f;
    case XFV_AT_LEAST: return a >= b ? 1.0f : 0.0f;
    default: return a > b ? 1.0f : 0.0f;
    }
}

static float modulo(int of_a, float a, float b)
{
    float r = fmodf(a, b);
    return !of_a && (r > 0.0f || r < 0.0f) && (r < 0.0f) != (b < 0.0f) ? r + b : r;
}

/* Operators that are not worth loops of their own. */
static int is_rare(enum xfv_op op) { return op == XFV_OP_POWER || op == XFV_OP_MOD || op == XFV_OP_COMPARE; }

static float rare(const struct xfv_node *nd, float a, float b)
{
    if (nd->op == XFV_OP_POWER) return powf(a, b);
    return nd->op == XFV_OP_MOD ? modulo(nd->i[0], a, b) : related(nd->i[0], a, b);
}

/* Its derivative by operand i. */
static float rare_slope(const struct xfv_node *nd, int i, float a, float b)
{
    if (nd->op == XFV_OP_COMPARE) return 0.0f;
    if (nd->op == XFV_OP_MOD) return i == 0 ? 1.0f : -rintf((a - modulo(nd->i[0], a, b)) / b);
    if (i == 0) return b > 0.0f || b < 0.0f ? b * powf(a, b - 1.0f) : 0.0f;
    return b >= 0.0f && !(a > 0.0f || a < 0.0f) ? 0.0f : powf(a, b) * logf(a);
}

static void combine_row(enum xfv_op op, const float *a, const float *b, size_t sb, float *y, int n)
{
    switch (op) {
    case XFV_OP_ADD: for (int c = 0; c < n; c++) y[c] = a[c] + b[(size_t)c * sb]; break;
    case XFV_OP_SUB: for (int c = 0; c < n; c++) y[c] = a[c] - b[(size_t)c * sb]; break;
    case XFV_OP_MUL: for (int c = 0; c < n; c++) y[c] = a[c] * b[(size_t)c * sb]; break;
    case XFV_OP_MAX: for (int c = 0; c < n; c++) y[c] = a[c] >= b[(size_t)c * sb] ? a[c] : b[(size_t)c * sb]; break;
    case XFV_OP_MIN: for (int c = 0; c < n; c++) y[c] = a[c] <= b[(size_t)c * sb] ? a[c] : b[(size_t)c * sb]; break;
    default: for (int c = 0; c < n; c++) y[c] = a[c] / b[(size_t)c * sb]; break;
    }
}

typedef void two(const float *a, const float *b, float *y, size_t n);

/* By the vector functions of net/run/func_body.h; NULL: there is none. */
static two *by_vectors(const struct xfv_func *f, enum xfv_op op)
{
    return op == XFV_OP_ADD   ? f->add
           : op == XFV_OP_SUB ? f->sub
           : op == XFV_OP_MUL ? f->mul
           : op == XFV_OP_DIV ? f->divide
                              : NULL;
}

/* Operands that lie alike are one row, padding lanes and all. */
static int as_one_row(const struct run *r, const struct step *s, struct view a, struct view b, struct view y)
{
    two *f = by_vectors(r->net->f, s->op);
    if (!f || a.pixels != y.pixels || b.pixels != y.pixels || a.pitch != y.pitch || b.pitch != y.pitch || a.ch != b.ch)
        return 0;
    f(a.x, b.x, y.x, y.pixels * (size_t)y.pitch);
    clear_lanes(y);
    return 1;
}

void xfv_op_binary_forward(const struct run *r, const struct step *s)
{
    struct view a = view_of(r, s->in[0]), b = view_of(r, s->in[1]), y = view_of(r, s->out);
    struct axes full = axes_of(y), small = stretched(b, full);
    two *f = small.step[3] == 1 ? by_vectors(r->net->f, s->op) : NULL;
    if (as_one_row(r, s, a, b, y)) return;
    for (size_t p = 0; p < y.pixels; p++) {
        const float *first = at(a, p, 0), *second = b.x + row_at(&full, &small, p);
        float *to = at(y, p, 0);
        if (f) f(first, second, to, (size_t)y.ch);
        else if (!is_rare(s->op)) combine_row(s->op, first, second, small.step[3], to, y.ch);
        else for (int c = 0; c < y.ch; c++) to[c] = rare(s->node, first[c], second[(size_t)c * small.step[3]]);
    }
    clear_lanes(y);
}

static void first_row(enum xfv_op op, const float *a, const float *b, size_t sb, const float *dy, float *g, int n)
{
    switch (op) {
    case XFV_OP_ADD: case XFV_OP_SUB: for (int c = 0; c < n; c++) g[c] += dy[c]; break;
    case XFV_OP_MUL: for (int c = 0; c < n; c++) g[c] += dy[c] * b[(size_t)c * sb]; break;
    case XFV_OP_MAX: for (int c = 0; c < n; c++) g[c] += a[c] >= b[(size_t)c * sb] ? dy[c] : 0.0f; break;
    case XFV_OP_MIN: for (int c = 0; c < n; c++) g[c] += a[c] <= b[(size_t)c * sb] ? dy[c] : 0.0f; break;
    default: for (int c = 0; c < n; c++) g[c] += dy[c] / b[(size_t)c * sb]; break;
    }
}

static float second_slope(enum xfv_op op, float a, float b)
{
    switch (op) {
    case XFV_OP_ADD: return 1.0f;
    case XFV_OP_SUB: return -1.0f;
    case XFV_OP_MUL: return a;
    case XFV_OP_MAX: return a >= b ? 0.0f : 1.0f;
    case XFV_OP_MIN: return a <= b ? 0.0f : 1.0f;
    default: return -a / (b * b);
    }
}

static void second_row(enum xfv_op op, const float *a, const float *b, size_t sb, const float *dy, float *g, int n)
{
    int linear = op == XFV_OP_ADD || op == XFV_OP_SUB; /* then the operands are not recorded */
    if (sb) {
        for (int c = 0; c < n; c++) g[c] += dy[c] * second_slope(op, linear ? 0.0f : a[c], linear ? 1.0f : b[c]);
        return;
    }
    double sum = 0;
    for (int c = 0; c < n; c++) sum += (double)(dy[c] * second_slope(op, linear ? 0.0f : a[c], linear ? 1.0f : b[0]));
    g[0] += (float)sum;
}

void xfv_op_binary_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view a = view_of(r, s->in[0]), b = view_of(r, s->in[1]), y = view_of(r, s->out),
                g = view_at(r, s->in[i], dx);
    struct axes full = axes_of(y), small = stretched(b, full);
    for (size_t p = 0; p < y.pixels; p++) {
        size_t o = row_at(&full, &small, p);
        const float *d = dy + p * (size_t)y.pitch, *first = at(a, p, 0), *second = b.x + o;
        if (is_rare(s->op)) {
            float *to = i == 0 ? at(g, p, 0) : dx + o;
            size_t step = small.step[3], to_step = i == 0 ? 1 : step;
            for (int c = 0; c < y.ch; c++)
                to[(size_t)c * to_step] += d[c] * rare_slope(s->node, i, first[c], second[(size_t)c * step]);
        } else if (i == 0) first_row(s->op, at(a, p, 0), b.x + o, small.step[3], d, at(g, p, 0), y.ch);
        else second_row(s->op, at(a, p, 0), b.x + o, small.step[3], d, dx + o, y.ch);
    }
}
