/* Slices and transposes that are never made: where products of activations alone read them, the products take the rows
 * from where they lie. So in attention. Not when a pass is recorded: the backward pass wants every value. */
#include "net/run/ops_internal.h"

/* Shapes that differ in axes of length 1 alone, not in the last. */
static int is_squeezed(struct xfv_shape a, struct xfv_shape b)
{
    int i = a.rank - 1, j = b.rank - 1;
    if (i < 0 || j < 0 || a.dim[i] != b.dim[j]) return 0;
    for (i--, j--;; i--, j--) {
        while (i >= 0 && a.dim[i] == 1) i--;
        while (j >= 0 && b.dim[j] == 1) j--;
        if (i < 0 || j < 0) return i < 0 && j < 0;
        if (a.dim[i] != b.dim[j]) return 0;
    }
}

/* Channels stay side by side. */
static int can_be_lazy(const struct xfv_net *n, const struct step *s)
{
    struct xfv_shape in = n->shape[s->in[0]], out = n->shape[s->out];
    if (s->op == XFV_OP_TRANSPOSE) return s->node->i[in.rank - 1] == in.rank - 1;
    if (s->op == XFV_OP_SLICE) return s->node->i[0] != in.rank - 1;
    return s->op == XFV_OP_RESHAPE && is_squeezed(in, out);
}

void xfv_plan_lazy(struct xfv_net *n)
{
    for (int i = n->n_steps - 1; i >= 0; i--) {
        struct step *s = &n->steps[i];
        int readers = 0;
        if (!can_be_lazy(n, s)) continue;
        for (int q = i + 1; q < n->n_steps; q++)
            for (int j = 0; j < n->steps[q].n_in; j++)
                if (n->steps[q].in[j] == s->out && (n->steps[q].op == XFV_OP_MATMUL || n->steps[q].lazy)) readers++;
        s->lazy = readers > 0 && readers == n->consumers[s->out];
    }
}

int xfv_is_lazy(const struct xfv_net *n, const struct step *s, const struct xfv_shape *shape)
{
    return s->lazy && xfv_shape_equal(shape[s->out], n->shape[s->out]);
}

static struct strided as_it_lies(struct view v)
{
    struct strided t = {.x = v.x, .s = v.s};
    struct axes a = axes_of(v);
    for (int i = 0; i < v.s.rank; i++) t.step[i] = a.step[XFV_MAX_RANK - v.s.rank + i];
    return t;
}

/* x under a shape that differs in axes of length 1. */
static struct strided squeezed(struct strided x, struct xfv_shape s)
{
    struct strided t = {.x = x.x, .s = s};
    int j = x.s.rank - 1;
    t.step[s.rank - 1] = x.step[j--];
    for (int i = s.rank - 2; i >= 0; i--) {
        if (s.dim[i] == 1) continue;
        while (x.s.dim[j] == 1) j--;
        t.step[i] = x.step[j--];
    }
    return t;
}

struct strided xfv_strided(const struct run *r, int v)
{
    int p = r->net->producer[v];
    const struct step *s = p < 0 ? NULL : &r->net->steps[p];
    if (!s || r->signs || !xfv_is_lazy(r->net, s, r->shape)) return as_it_lies(view_of(r, v));
    struct strided x = xfv_strided(r, s->in[0]), t = x;
    const int *of = s->node->i;
    if (s->op == XFV_OP_RESHAPE) return squeezed(x, r->shape[v]);
    t.s = r->shape[v];
    if (s->op == XFV_OP_SLICE) t.x += (size_t)of[1] * x.step[of[0]];
    else for (int i = 0; i < x.s.rank; i++) t.step[i] = x.step[of[i]];
    return t;
}
