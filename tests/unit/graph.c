/* Graphs: building, names, shape inference, and the check of everything a file could get wrong. */
#include "graphs.h"
#include "net/import/import.h"

/* The shape of a node on an input, as text; "refused" with the reason printed when it is. */
static const char *shape_of(struct build *b, struct xfv_node n, struct xfv_shape s)
{
    static char text[64];
    struct xfv_shape in[XFV_MAX_INPUTS], out;
    struct xfv_err e;
    n.name = (char[]){"node"};
    if (!n.n_in && n.op != XFV_OP_CONST) n.n_in = 1;
    for (int i = 0; i < XFV_MAX_INPUTS; i++) in[i] = s;
    if (xfv_node_shape(b->g, &n, in, &out, &e) == 0) return xfv_shape_text(out, text);
    printf("# %s\n", e.msg);
    return e.status == XFV_EMODEL && strstr(e.msg, "'node'") ? "refused" : "wrong error";
}

static void shape_is(struct build *b, struct xfv_node n, struct xfv_shape s, const char *want, const char *what)
{
    const char *got = shape_of(b, n, s);
    OK(strcmp(got, want) == 0, "%s: %s", what, got);
}
#define SHAPE(n, s, want, what) shape_is(&b, n, s, want, what)

static void test_windows(void)
{
    struct build b = start(xfv_shape_of(3, 8, 8, 4));
    struct xfv_shape s = xfv_shape_of(3, 9, 8, 4);
    struct xfv_node n = xfv_node_default(XFV_OP_CONV);
    n.kernel[0] = n.kernel[1] = 3, n.stride[0] = n.stride[1] = 2,
    n.weight = weight_of(&b, xfv_shape_of(4, 3, 3, 4, 6), -1, 1);
    SHAPE(n, s, "4x3x6", "conv 3x3/2 of 9x8");
    n.pads[2] = n.pads[3] = 1, SHAPE(n, s, "4x4x6", "with one more at the end");
    n.dilation[0] = 4, SHAPE(n, s, "1x4x6", "dilated");
    n.dilation[0] = 5, SHAPE(n, s, "refused", "window larger than the input");
    n.dilation[0] = 1, n.stride[0] = 0, SHAPE(n, s, "refused", "stride 0");
    n.stride[0] = 1, n.pads[0] = -1, SHAPE(n, s, "refused", "negative padding");
    n.pads[0] = 0, n.kernel[0] = 2, SHAPE(n, s, "refused", "kernel that the weight does not have");
    n.kernel[0] = 3, n.groups = 3, SHAPE(n, s, "refused", "groups that do not divide the channels");
    n.groups = 0, SHAPE(n, s, "refused", "no groups");
    n.groups = 1, SHAPE(n, xfv_shape_of(3, 9, 8, 5), "refused", "other channels");
    SHAPE(n, xfv_shape_of(1, 288), "refused", "a vector");
    n.bias = weight_of(&b, xfv_shape_of(1, 5), -1, 1), SHAPE(n, s, "refused", "bias of another length");
    n.weight = 77, SHAPE(n, s, "refused", "a weight that is not there");
    n = xfv_node_default(XFV_OP_MAXPOOL), n.kernel[0] = n.kernel[1] = 2, n.pads[0] = 2;
    SHAPE(n, s, "refused", "a pooling window that lies in the padding alone");
    n.pads[0] = 1, SHAPE(n, s, "9x7x4", "maxpool");
    xfv_graph_free(b.g);
}

static void test_others(void)
{
    struct build b = start(xfv_shape_of(3, 8, 8, 4));
    struct xfv_shape s = xfv_shape_of(3, 2, 3, 4);
    struct xfv_node n = xfv_node_default(XFV_OP_RESHAPE);
    n.i[0] = -1, n.i[1] = 6, SHAPE(n, s, "4x6", "reshape with what remains");
    n.i[1] = 7, SHAPE(n, s, "refused", "reshape that does not come out");
    n.i[1] = -1, SHAPE(n, s, "refused", "reshape with two unknowns");
    n.i[0] = 0, SHAPE(n, s, "refused", "reshape to nothing");
    n = xfv_node_default(XFV_OP_DENSE), n.weight = weight_of(&b, xfv_shape_of(2, 24, 7), -1, 1),
    SHAPE(n, s, "7", "dense");
    SHAPE(n, xfv_shape_of(3, 2, 3, 5), "refused", "dense with another number of inputs");
    n = xfv_node_default(XFV_OP_TRANSPOSE), n.i[0] = 2, n.i[1] = 0, n.i[2] = 1, SHAPE(n, s, "4x2x3", "transpose");
    n.i[2] = 0, SHAPE(n, s, "refused", "transpose that names an axis twice");
    n.i[2] = 3, SHAPE(n, s, "refused", "transpose of an axis that is not there");
    n = xfv_node_default(XFV_OP_SLICE), n.i[0] = 1, n.i[1] = 1, n.i[2] = 3, SHAPE(n, s, "2x2x4", "slice");
    n.i[2] = 4, SHAPE(n, s, "refused", "slice past the end");
    n.i[2] = 1, SHAPE(n, s, "refused", "empty slice");
    n = xfv_node_default(XFV_OP_CONCAT), n.n_in = 3, n.i[0] = 2, SHAPE(n, s, "2x3x12", "concat");
    n.i[0] = 3, SHAPE(n, s, "refused", "concat along an axis that is not there");
    n.i[0] = 0, SHAPE(n, xfv_shape_of(1, XFV_MAX_ELEMENTS / 2), "refused", "concat that overflows");
    n = xfv_node_default(XFV_OP_REDUCE), n.i[0] = XFV_REDUCE_SUM, n.i[1] = 5, SHAPE(n, s, "1x3x1", "reduce");
    n.i[1] = 8, SHAPE(n, s, "refused", "reduce over an axis that is not there");
    n.i[0] = 99, SHAPE(n, s, "refused", "unknown reduction");
    n = xfv_node_default(XFV_OP_ACT), n.i[0] = XFV_ACTS, SHAPE(n, s, "refused", "unknown function");
    n = xfv_node_default(XFV_OP_PAD), n.pads[0] = 1, n.pads[3] = 2, SHAPE(n, s, "3x5x4", "pad");
    n.pads[0] = 4000, SHAPE(n, xfv_shape_of(3, 46000, 46000, 1), "refused", "pad to more elements than may be");
    n = xfv_node_default(XFV_OP_MATMUL), n.n_in = 2, n.i[0] = 1, SHAPE(n, s, "2x3x3", "matmul");
    n.i[0] = 0, SHAPE(n, s, "refused", "matmul that does not fit");
    n = xfv_node_default(XFV_OP_ADD), n.n_in = 2, SHAPE(n, s, "2x3x4", "add");
    n.n_in = 1, SHAPE(n, s, "refused", "add of one");
    n = xfv_node_default(XFV_OP_PRELU), n.weight = weight_of(&b, xfv_shape_of(1, 4), -1, 1),
    SHAPE(n, s, "2x3x4", "prelu");
    SHAPE(n, xfv_shape_of(2, 4, 3), "refused", "prelu with other channels");
    n = xfv_node_default(XFV_OP_LAYERNORM), n.weight = 1, SHAPE(n, s, "refused", "layernorm without a bias");
    n = xfv_node_default(XFV_OP_RELU), n.op = (enum xfv_op)99, SHAPE(n, s, "refused", "unknown operator");
    xfv_graph_free(b.g);
}

static void broadcast(struct xfv_shape a, struct xfv_shape c, int fits)
{
    struct build b = start(a);
    struct xfv_node n = xfv_node_default(XFV_OP_SUB);
    struct xfv_shape in[2] = {a, c}, out;
    struct xfv_err e;
    char t[64], u[64];
    n.name = (char[]){"node"}, n.n_in = 2;
    int st = xfv_node_shape(b.g, &n, in, &out, &e);
    OK((st == 0 && xfv_shape_equal(out, a)) == fits, "%s - %s %s", xfv_shape_text(a, t), xfv_shape_text(c, u),
       fits ? "fits" : "does not");
    xfv_graph_free(b.g);
}

/* A graph of two nodes, damaged in one place: check must name what is wrong. */
static void damaged(void (*damage)(struct xfv_graph *g), const char *word)
{
    struct build b = start(xfv_shape_of(3, 4, 4, 2));
    struct xfv_err e = {0};
    conv(&b, 3, 1, 1, 1, 3, 1, 1), simple(&b, XFV_OP_RELU);
    struct xfv_graph *g = finish(&b);
    damage(g);
    OK(xfv_graph_check(g, &e) == XFV_EMODEL && strstr(e.msg, word), "damaged graph is refused: %s", e.msg);
    xfv_graph_free(g);
}
static void no_output(struct xfv_graph *g) { g->n_outputs = 0; }
static void no_node(struct xfv_graph *g) { free(g->nodes[1].name), free(g->nodes[0].name), g->n_nodes = 0; }
static void output_far(struct xfv_graph *g) { g->outputs[0] = 3; }
static void output_negative(struct xfv_graph *g) { g->outputs[0] = -1; }
static void input_far(struct xfv_graph *g) { g->nodes[1].in[0] = 7; }
static void input_negative(struct xfv_graph *g) { g->nodes[1].in[0] = -1; }
static void reads_itself(struct xfv_graph *g) { g->nodes[0].in[0] = g->nodes[0].out; }
static void reads_later(struct xfv_graph *g) { g->nodes[0].in[0] = g->nodes[1].out; }
static void makes_twice(struct xfv_graph *g) { g->nodes[1].out = g->nodes[0].out; }
static void makes_input(struct xfv_graph *g) { g->nodes[1].out = 0; }
static void makes_far(struct xfv_graph *g) { g->nodes[1].out = 100; }
static void weight_far(struct xfv_graph *g) { g->nodes[0].weight = 100; }
static void bias_negative(struct xfv_graph *g) { g->nodes[0].bias = -2; }
static void shape_lies(struct xfv_graph *g) { g->values[2].shape.dim[0] = 5; }
static void shape_zero(struct xfv_graph *g) { g->values[0].shape.dim[0] = 0; }
static void shape_huge(struct xfv_graph *g)
{
    g->values[0].shape.dim[0] = g->values[0].shape.dim[1] = XFV_MAX_ELEMENTS;
}

static void test_check(void)
{
    damaged(no_output, "no output"), damaged(no_node, "no nodes"), damaged(output_far, "output 0"),
        damaged(output_negative, "output 0");
    damaged(input_far, "value 7"), damaged(input_negative, "value -1"), damaged(reads_itself, "before any"),
        damaged(reads_later, "before any");
    damaged(makes_twice, "second time"), damaged(makes_input, "second time"), damaged(makes_far, "value 100"),
        damaged(weight_far, "weight 100");
    damaged(bias_negative, "weight -2"), damaged(shape_lies, "declared 5x4x3"), damaged(shape_zero, "input of shape"),
        damaged(shape_huge, "input of shape");
}

static void test_names(void)
{
    struct xfv_graph *g = xfv_graph_new();
    struct xfv_err e;
    char name[2000];
    float one = 1;
    int good = 1;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "value %d", i);
        good &= xfv_graph_add_value(g, name, xfv_shape_of(1, 1), &e) == i;
        good &= xfv_graph_add_weight(g, name, xfv_shape_of(1, 1), &one, &e) == i;
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "value %d", i);
        good &= xfv_graph_find(g, name) == i && xfv_graph_find_weight(g, name) == i;
    }
    OK(good, "a thousand names are found");
    OK(xfv_graph_find(g, "value 1000") == -1 && xfv_graph_find_weight(g, "") == -1, "others are not");
    OK(xfv_graph_add_value(g, "value 7", xfv_shape_of(1, 1), &e) == XFV_EMODEL && strstr(e.msg, "value 7"),
       "a name twice is refused: %s", e.msg);
    OK(xfv_graph_add_value(g, "", xfv_shape_of(1, 1), &e) == XFV_EMODEL, "no name is refused: %s", e.msg);
    OK(xfv_graph_add_value(g, "x", (struct xfv_shape){0}, &e) == XFV_EMODEL, "no shape is refused: %s", e.msg);
    OK(xfv_graph_add_weight(g, "x", xfv_shape_of(2, 65536, 65536), &one, &e) == XFV_EMODEL,
       "a shape that overflows is refused: %s", e.msg);
    memset(name, 'n', sizeof name - 1), name[sizeof name - 1] = '\0';
    OK(xfv_graph_add_value(g, name, xfv_shape_of(1, 1), &e) == XFV_EMODEL, "a name that is too long is refused");
    xfv_graph_free(g);
    for (int i = 0; i < XFV_OPS; i++) {
        enum xfv_op op;
        good &= xfv_op_parse(xfv_op_name((enum xfv_op)i), &op) == 0 && (int)op == i;
    }
    for (int i = 0, v; i < XFV_ACTS; i++) good &= xfv_act_parse(xfv_act_name(i), &v) == 0 && v == i;
    for (int i = 0, v; i < XFV_REDUCES; i++) good &= xfv_reduce_parse(xfv_reduce_name(i), &v) == 0 && v == i;
    int v;
    OK(good && xfv_act_parse("nothing", &v) && xfv_reduce_parse("", &v) && !xfv_act_name(-1) &&
           !xfv_reduce_name(XFV_REDUCES),
       "operators and functions have names");
}

static void test_counts(void)
{
    OK(xfv_shape_count(xfv_shape_of(3, 2, 3, 4)) == 24 && xfv_shape_count((struct xfv_shape){0}) == 1, "elements of a "
                                                                                                       "shape");
    OK(!xfv_shape_count(xfv_shape_of(2, 1 << 16, 1 << 16)) && !xfv_shape_count(xfv_shape_of(2, 3, -1)) &&
           !xfv_shape_count((struct xfv_shape){.rank = 5}),
       "impossible shapes have none");
    struct build b = start(xfv_shape_of(3, 8, 8, 4));
    conv(&b, 3, 1, 1, 1, 6, 2, 1), conv(&b, 3, 2, 1, 1, 6, 6, 1), simple(&b, XFV_OP_RELU), dense(&b, 10, 1);
    struct xfv_graph *g = finish(&b);
    double want = 8 * 8 * 6 * 9 * 2 + 4 * 4 * 6 * 9 + 4 * 4 * 6 * 10;
    OK(fabs(xfv_graph_macs(g) - want) < 0.5, "multiply-adds: %.0f", xfv_graph_macs(g));
    struct xfv_shape s[8];
    struct xfv_err e;
    OK(xfv_graph_shapes(g, xfv_shape_of(3, 7, 7, 4), s, &e) == 0 && s[4].dim[0] == 10, "another input size that fits");
    OK(xfv_graph_shapes(g, xfv_shape_of(3, 20, 20, 4), s, &e) == XFV_EMODEL, "one that does not: %s", e.msg);
    xfv_graph_free(g);
}

static void test_embedding(void)
{
    struct xfv_err e;
    int raw = -1, unit = -1;
    struct build b = start(xfv_shape_of(3, 4, 4, 3));
    dense(&b, 6, 1), simple(&b, XFV_OP_L2NORM);
    struct xfv_graph *g = finish(&b);
    OK(!xfv_find_embedding(g, NULL, NULL, &raw, &unit, &e) && raw == 1 && unit == 2,
       "an embedding is what is normalised at the end: %d, %d", raw, unit);
    OK(!xfv_find_embedding(g, g->values[2].name, NULL, &raw, &unit, &e) && raw == 2 && unit == -1,
       "unless another is named: %d, %d", raw, unit);
    OK(!xfv_find_embedding(g, NULL, g->values[1].name, &raw, &unit, &e) && unit == 1, "so with its normalisation");
    OK(xfv_find_embedding(g, "nowhere", NULL, &raw, &unit, &e) == XFV_EMODEL && strstr(e.msg, "nowhere"), "%s", e.msg);
    OK(xfv_find_embedding(g, NULL, "nowhere", &raw, &unit, &e) == XFV_EMODEL && strstr(e.msg, "nowhere"), "%s", e.msg);
    OK(xfv_find_embedding(g, g->values[0].name, NULL, &raw, &unit, &e) == XFV_EMODEL, "%s", e.msg);
    sure(xfv_graph_add_output(g, 1, &e), &e);
    OK(xfv_find_embedding(g, NULL, NULL, &raw, &unit, &e) == XFV_EMODEL && strstr(e.msg, "2 outputs"), "%s", e.msg);
    xfv_graph_free(g);
    b = start(xfv_shape_of(3, 4, 4, 3));
    dense(&b, 1, 1);
    g = finish(&b);
    OK(xfv_find_embedding(g, g->values[1].name, NULL, &raw, &unit, &e) == XFV_EMODEL && strstr(e.msg, "1 numbers"),
       "%s", e.msg);
    xfv_graph_free(g);
}

int main(void)
{
    test_windows();
    test_others();
    broadcast(xfv_shape_of(3, 2, 3, 4), xfv_shape_of(1, 4), 1),
        broadcast(xfv_shape_of(3, 2, 3, 4), xfv_shape_of(1, 1), 1);
    broadcast(xfv_shape_of(3, 2, 3, 4), xfv_shape_of(3, 2, 3, 1), 1),
        broadcast(xfv_shape_of(3, 2, 3, 4), xfv_shape_of(2, 3, 1), 1);
    broadcast(xfv_shape_of(3, 2, 3, 4), xfv_shape_of(1, 3), 0),
        broadcast(xfv_shape_of(1, 4), xfv_shape_of(3, 2, 3, 4), 0);
    test_check();
    test_names();
    test_counts();
    test_embedding();
    return tap_done();
}
