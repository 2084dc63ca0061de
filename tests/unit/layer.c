/* Where the cells of feature maps lie, and from where on a network is linear, with the operators that choose. */
#include "explain/layer.h"

#include "graphs.h"

static void same_place(const struct xfv_graph *g, int embedding, int a, int b, const char *what)
{
    struct xfv_layer l[2];
    struct xfv_err e = {0};
    int found = !xfv_layer_find(g, embedding, g->values[a].name, &l[0], &e) &&
                !xfv_layer_find(g, embedding, g->values[b].name, &l[1], &e);
    OK(found && l[0].h == l[1].h && fabs(l[0].step[0] - l[1].step[0]) < 1e-9 &&
           fabs(l[0].origin[1] - l[1].origin[1]) < 1e-9 && fabs(l[0].field[0] - l[1].field[0]) < 1e-9,
       "%s: its cells lie where its operands' do %s", what, e.msg);
}

int main(void)
{
    static const enum xfv_op ops[] = {XFV_OP_MAX, XFV_OP_MIN, XFV_OP_POWER, XFV_OP_MOD, XFV_OP_COMPARE};
    struct xfv_err e = {0};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        struct build b = start(xfv_shape_of(3, 16, 16, 3));
        int x = (conv(&b, 3, 2, 1, 1, 4, 1, 1), act(&b, XFV_ACT_EXP, 0, 0)), m = binary(&b, ops[i], x, x);
        conv(&b, 3, 2, 1, 1, 8, 1, 1), dense(&b, 5, 1);
        same_place(b.g, b.last, x, m, xfv_op_name(ops[i]));
        xfv_graph_free(b.g);
    }
    struct build b = start(xfv_shape_of(3, 16, 16, 3));
    int x = conv(&b, 3, 2, 1, 1, 4, 1, 1), y = act(&b, XFV_ACT_TANH, 0, 0),
        c = binary(&b, XFV_OP_COMPARE, x, y);
    struct xfv_node n = xfv_node_default(XFV_OP_SELECT);
    n.n_in = 3, n.in[0] = c, n.in[1] = x, n.in[2] = y;
    int s = append(&b, n), z = conv(&b, 3, 2, 1, 1, 8, 1, 1);
    struct xfv_layer l;
    dense(&b, 5, 1);
    same_place(b.g, b.last, x, s, "select");
    OK(!xfv_layer_find(b.g, b.last, "cells", &l, &e) && l.linear,
       "there is a map from which on all is linear %s", e.msg);
    OK(l.value == s || l.value == z, "it is no earlier than what is chosen (value %d)", l.value);
    OK(!xfv_layer_find(b.g, b.last, b.g->values[x].name, &l, &e) && !l.linear, "before a choice nothing is linear");
    xfv_graph_free(b.g);
    return tap_done();
}
