/* ONNX files: what operators without an evaluator make of constants, computed by the double-precision executor: weights
 * that are standardised, normalised or summed in the graph. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"
#include "net/graph/ref.h"
#include "net/import/onnx_internal.h"

struct known { struct onx *o; int *producer; double **v; }; /* of every value: the node that makes it, its numbers */

/* The numbers of a value that hangs on constants alone, computed once; NULL: it does not, or there is no memory. */
static const double *numbers(struct known *k, int value)
{
    const struct xfv_graph *g = k->o->g;
    const double *in[XFV_MAX_INPUTS];
    struct xfv_shape s[XFV_MAX_INPUTS];
    if (k->v[value] || k->producer[value] < 0) return k->v[value];
    const struct xfv_node *n = &g->nodes[k->producer[value]];
    for (int i = 0; i < n->n_in; i++) {
        s[i] = g->values[n->in[i]].shape;
        if (!(in[i] = numbers(k, n->in[i]))) return NULL;
    }
    double *y = malloc(xfv_shape_count(g->values[value].shape) * sizeof *y);
    if (y && xfv_ref_node(g, n, s, in, y, k->o->e)) free(y), y = NULL;
    return k->v[value] = y;
}

/* The tensor as a constant, in ONNX's order, from the numbers of its value. */
static struct onx_const *in_order(struct onx *o, const struct onx_tensor *t, const double *y)
{
    const double far = (double)3.4e38f; /* what stood for infinity */
    struct onx_const *k = xfv_onx_const_new(o, t->s, t->whole != 0);
    for (size_t i = 0; k && i < k->count; i++) {
        size_t rest = i, to = 0;
        int64_t at[ONX_MAX_RANK] = {0};
        for (int j = t->n_axes - 1; j >= 0; j--) {
            size_t d = (size_t)t->s.dim[t->axis[j]];
            at[t->axis[j]] = (int64_t)(rest % d);
            rest /= d;
        }
        for (int a = 0; a < t->s.rank; a++) to = to * (size_t)t->s.dim[a] + (size_t)at[a];
        if (k->i) k->i[to] = xfv_to_i64(y[i]);
        else k->f[to] = y[i] >= far ? INFINITY : y[i] <= -far ? -INFINITY : (float)y[i];
    }
    if (k && k->i) k->type = t->whole;
    return k;
}

int xfv_onx_known(struct onx *o, const struct onx_call *c)
{
    struct known k = {.o = o};
    int status = 0;
    for (int i = 0; i < c->n_in; i++) /* what whole numbers become is known to their evaluators alone */
        if (c->in[i] && c->in[i]->c && c->in[i]->c->i && !(c->known->flags & ONX_OWN) && i == 0) return 0;
    for (int i = 0; i < c->n_out && !status; i++) {
        struct onx_tensor *t = c->out[i];
        if (!t || !t->made || t->broken || t->c || xfv_onx_count(t->s) == 0 || xfv_onx_count(t->s) > ONX_MAX_MADE)
            continue;
        if ((status = xfv_onx_materialise(o, t, c->label))) break;
        size_t n = (size_t)o->g->n_values;
        k.producer = malloc(n * sizeof *k.producer);
        k.v = calloc(n, sizeof *k.v);
        if (!k.producer || !k.v) status = xfv_fail(o->e, XFV_ENOMEM, "out of memory for constants");
        for (size_t v = 0; v < n && !status; v++) k.producer[v] = -1;
        for (int j = 0; j < o->g->n_nodes && !status; j++) k.producer[o->g->nodes[j].out] = j;
        const double *y = status ? NULL : numbers(&k, t->value);
        if (y && !(t->c = in_order(o, t, y))) status = o->e->status;
        for (size_t v = 0; k.v && v < n; v++) free(k.v[v]);
        free(k.v), free(k.producer);
    }
    return status;
}
