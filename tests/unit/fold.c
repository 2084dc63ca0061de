/* The simplifier: each pass on a small graph. The forward pass must be what it was (up to float rounding of weights),
 * values that remain must keep their names, and the operators must be the ones that were meant. */
#include "net/graph/fold.h"

#include "graphs.h"
#include "net/graph/ref.h"

/* "conv prelu dense": the operators in order */
static const char *operators(const struct xfv_graph *g, char *buf, size_t cap)
{
    buf[0] = '\0';
    for (int i = 0; i < g->n_nodes; i++)
        snprintf(buf + strlen(buf), cap - strlen(buf), "%s%s", i ? " " : "", xfv_op_name(g->nodes[i].op));
    return buf;
}

/* Largest relative difference over the values of `after`, each against the value of the same name of `before`; 1 when a
 * name is new, unless it says that what it names was moved. */
static double difference(const struct xfv_graph *before, const struct xfv_graph *after, const double *x)
{
    double **a, **b, worst = 0;
    struct xfv_err e;
    sure(xfv_ref_forward(before, before->values[0].shape, x, &a, &e), &e);
    sure(xfv_ref_forward(after, after->values[0].shape, x, &b, &e), &e);
    for (int i = 0; i < after->n_values; i++) {
        int w = xfv_graph_find(before, after->values[i].name);
        double d = 0, s = 0;
        if (w < 0 && strstr(after->values[i].name, "/moved#")) continue;
        if (w < 0) return 1;
        for (size_t k = 0; k < xfv_shape_count(after->values[i].shape); k++)
            d += pow(a[w][k] - b[i][k], 2), s += pow(a[w][k], 2);
        worst = fmax(worst, sqrt(d / (s > 0 ? s : 1)));
    }
    xfv_ref_free(before, a);
    xfv_ref_free(after, b);
    return worst;
}

static struct xfv_graph *copy(const struct xfv_graph *g)
{
    struct xfv_err e;
    struct xfv_graph *c = xfv_graph_new();
    for (int i = 0; i < g->n_values; i++) sure(xfv_graph_add_value(c, g->values[i].name, g->values[i].shape, &e), &e);
    for (int i = 0; i < g->n_weights; i++)
        sure(xfv_graph_add_weight(c, g->weights[i].name, g->weights[i].shape, g->weights[i].data, &e), &e);
    for (int i = 0; i < g->n_nodes; i++) sure(xfv_graph_add_node(c, &g->nodes[i], &e), &e);
    for (int i = 0; i < g->n_outputs; i++) sure(xfv_graph_add_output(c, g->outputs[i], &e), &e);
    return c;
}

/* Fold b's graph: it must become the operators `want`, with values within tolerance. exact: the rounding of no weight
 * is involved. */
static void check_keep(struct build *b, const char *const *keep, const char *want, int exact, const char *what)
{
    struct xfv_graph *before = finish(b), *after = copy(before);
    struct xfv_err e = {0};
    char got[256];
    double *x = spread(xfv_shape_count(before->values[0].shape)), macs = xfv_graph_macs(before);
    int st = xfv_fold(&after, keep, NULL, &e);
    if (!OK(st == 0 && strcmp(operators(after, got, sizeof got), want) == 0, "%s: becomes %s", what, want))
        printf("# %s %s\n", got, e.msg);
    double d = st ? 1 : difference(before, after, x);
    OK(d < (exact ? 1e-12 : 3e-7), "%s: computes the same (%.1e)", what, d);
    OK(strcmp(before->values[before->outputs[0]].name, after->values[after->outputs[0]].name) == 0 &&
           xfv_graph_macs(after) <= macs,
       "%s: the output keeps its name, and no multiply-adds are added", what);
    free(x);
    xfv_graph_free(before);
    xfv_graph_free(after);
}
static void check(struct build *b, const char *want, int exact, const char *what)
{
    check_keep(b, NULL, want, exact, what);
}

/* relu(x) + m * (x - |x|), and relu(x) + a * -relu(-x); `swap` exchanges operands where that means the same */
static void spelled_prelu(struct build *b, int abs_form, int swap)
{
    int x = b->last, r = simple(b, XFV_OP_RELU), t;
    b->last = x;
    if (abs_form) t = act(b, XFV_ACT_ABS, 0, 0), t = binary(b, XFV_OP_SUB, x, t);
    else act(b, XFV_ACT_NEG, 0, 0), simple(b, XFV_OP_RELU), t = act(b, XFV_ACT_NEG, 0, 0);
    int m = constant(b, xfv_shape_of(1, channels_of(b)), -2, 2);
    t = binary(b, XFV_OP_MUL, t, m);
    binary(b, XFV_OP_ADD, swap ? t : r, swap ? r : t);
}

static void test_prelu(void)
{
    struct build b;
    for (int form = 0; form < 2; form++)
        for (int swap = 0; swap < 2; swap++) {
            b = start(xfv_shape_of(3, 3, 4, 5)), spelled_prelu(&b, form, swap);
            check(&b, "prelu", 1, form ? "prelu from |x|" : "prelu from relu(-x)");
        }
    b = start(xfv_shape_of(3, 3, 4, 5)), conv(&b, 3, 1, 1, 1, 6, 1, 1), spelled_prelu(&b, 1, 0),
    conv(&b, 1, 1, 0, 0, 4, 1, 1), spelled_prelu(&b, 0, 0);
    check(&b, "conv prelu conv prelu", 1, "prelus between convolutions");
    /* relu(x) + m * (y - |y|) is not one */
    b = start(xfv_shape_of(3, 3, 4, 5));
    int r = simple(&b, XFV_OP_RELU), y, t;
    b.last = 0, y = act(&b, XFV_ACT_TANH, 0, 0), t = act(&b, XFV_ACT_ABS, 0, 0), t = binary(&b, XFV_OP_SUB, y, t);
    binary(&b, XFV_OP_ADD, r, t);
    check(&b, "relu act act sub add", 1, "not a prelu: two different inputs");
    /* relu(x) + a * relu(2 * -x) has slope -2a, but is not of the known form: left alone rather than guessed */
    b = start(xfv_shape_of(3, 2, 2, 3));
    r = simple(&b, XFV_OP_RELU), t = constant(&b, xfv_shape_of(1, 1), -3, -2), t = binary(&b, XFV_OP_MUL, 0, t),
    t = simple(&b, XFV_OP_RELU);
    binary(&b, XFV_OP_ADD, r, t);
    check(&b, "relu affine relu add", 1, "not a prelu: scaled before the relu");
}

static void spelled_softmax(struct build *b, int axes)
{
    int x = b->last, m = reduce(b, XFV_REDUCE_MAX, axes), ex, s;
    binary(b, XFV_OP_SUB, x, m);
    ex = act(b, XFV_ACT_EXP, 0, 0);
    s = reduce(b, XFV_REDUCE_SUM, axes);
    binary(b, XFV_OP_DIV, ex, s);
}

static void test_softmax(void)
{
    struct build b;
    b = start(xfv_shape_of(3, 3, 4, 5)), spelled_softmax(&b, 4), check(&b, "softmax", 1, "softmax");
    b = start(xfv_shape_of(3, 3, 4, 5)), spelled_softmax(&b, 3),
    check(&b, "reduce sub act reduce div", 1, "not a softmax: other axes");
}

static void test_affine(void)
{
    struct build b;
    b = start(xfv_shape_of(3, 4, 4, 3)), conv(&b, 3, 1, 1, 1, 5, 1, 1), channelwise(&b, XFV_OP_AFFINE, 1),
    check(&b, "conv", 0, "affine after conv");
    b = start(xfv_shape_of(3, 4, 4, 4)), conv(&b, 3, 1, 1, 1, 4, 4, 0), channelwise(&b, XFV_OP_AFFINE, 1),
    check(&b, "conv", 0, "affine after depthwise, no bias");
    b = start(xfv_shape_of(3, 4, 4, 4)), dense(&b, 6, 1), channelwise(&b, XFV_OP_AFFINE, 1),
    check(&b, "dense", 0, "affine after dense");
    b = start(xfv_shape_of(3, 4, 4, 4)), channelwise(&b, XFV_OP_AFFINE, 1), conv(&b, 3, 1, 0, 0, 6, 2, 1),
    check(&b, "conv", 0, "affine before conv in groups");
    b = start(xfv_shape_of(3, 4, 4, 4)), channelwise(&b, XFV_OP_AFFINE, 0), conv(&b, 3, 1, 1, 1, 6, 1, 1),
    check(&b, "conv", 0, "scale before padded conv");
    b = start(xfv_shape_of(3, 4, 4, 4)), channelwise(&b, XFV_OP_AFFINE, 1), conv(&b, 3, 1, 1, 1, 6, 1, 1);
    check(&b, "affine conv", 1, "shift before padding stays: the padding is zero");
    b = start(xfv_shape_of(3, 2, 3, 4)), channelwise(&b, XFV_OP_AFFINE, 1), reshape(&b, -1, 0, 0), dense(&b, 5, 0),
    check(&b, "dense", 0, "affine before dense");
    b = start(xfv_shape_of(3, 2, 3, 4)), channelwise(&b, XFV_OP_AFFINE, 1), channelwise(&b, XFV_OP_AFFINE, 1),
    simple(&b, XFV_OP_RELU);
    check(&b, "affine relu", 0, "affine after affine");
    static const enum xfv_op ops[] = {XFV_OP_ADD, XFV_OP_SUB, XFV_OP_MUL, XFV_OP_DIV};
    for (int i = 0; i < 4; i++)
        for (int one = 0; one < 2; one++) {
            char what[64];
            snprintf(what, sizeof what, "%s of %s", xfv_op_name(ops[i]), one ? "one number" : "a constant per channel");
            b = start(xfv_shape_of(3, 2, 3, 4)),
            constant(&b, one ? xfv_shape_of(1, 1) : xfv_shape_of(3, 1, 1, 4), .5, 2), binary(&b, ops[i], 0, b.last);
            check(&b, "affine", 0, what);
        }
    /* two readers of the convolution: its result is needed as it is */
    b = start(xfv_shape_of(3, 4, 4, 3));
    int c = conv(&b, 1, 1, 0, 0, 5, 1, 1), a = channelwise(&b, XFV_OP_AFFINE, 1);
    binary(&b, XFV_OP_ADD, c, a), check(&b, "conv affine add", 1, "affine after a conv with two readers stays");
    b = start(xfv_shape_of(3, 4, 4, 3)), constant(&b, xfv_shape_of(3, 4, 4, 3), -1, 1),
    binary(&b, XFV_OP_ADD, 0, b.last);
    check(&b, "const add", 1, "a constant for every element stays");
}

static void test_merge(void)
{
    struct build b;
    b = start(xfv_shape_of(3, 4, 4, 8)), conv(&b, 1, 1, 0, 0, 8, 1, 1), conv(&b, 1, 1, 0, 0, 5, 1, 1),
    check(&b, "conv", 0, "1x1 after 1x1");
    b = start(xfv_shape_of(3, 4, 4, 8)), conv(&b, 1, 1, 0, 0, 8, 1, 0), conv(&b, 1, 1, 0, 0, 5, 1, 0),
    check(&b, "conv", 0, "1x1 after 1x1, no bias");
    b = start(xfv_shape_of(3, 5, 5, 8)), conv(&b, 1, 2, 0, 0, 8, 1, 1), conv(&b, 1, 2, 0, 0, 5, 1, 1),
    check(&b, "conv", 0, "strided 1x1 after strided 1x1");
    b = start(xfv_shape_of(3, 4, 4, 8)), conv(&b, 1, 1, 0, 0, 2, 1, 1), conv(&b, 1, 1, 0, 0, 8, 1, 1),
    check(&b, "conv conv", 1, "a bottleneck stays: merging would cost");
    b = start(xfv_shape_of(3, 4, 4, 8)), conv(&b, 1, 1, 0, 0, 8, 1, 1), conv(&b, 1, 1, 1, 1, 5, 1, 1),
    check(&b, "conv conv", 1, "padding in the second stays");
    b = start(xfv_shape_of(3, 4, 4, 8)), conv(&b, 1, 1, 0, 0, 8, 1, 1), simple(&b, XFV_OP_RELU),
    conv(&b, 1, 1, 0, 0, 5, 1, 1), check(&b, "conv relu conv", 1, "an activation between stays");
    b = start(xfv_shape_of(3, 1, 1, 8)), conv(&b, 1, 1, 0, 0, 8, 1, 1), reshape(&b, 8, 0, 0), dense(&b, 5, 1),
    check(&b, "dense", 0, "dense after 1x1");
    b = start(xfv_shape_of(3, 2, 2, 3)), conv(&b, 1, 1, 0, 0, 8, 1, 1), dense(&b, 5, 0),
    check(&b, "dense", 0, "dense after 1x1 of an image");
    b = start(xfv_shape_of(3, 2, 2, 3)), dense(&b, 12, 1), dense(&b, 5, 1), check(&b, "dense", 0, "dense after dense");
    b = start(xfv_shape_of(3, 4, 4, 8)), conv(&b, 1, 1, 0, 0, 8, 1, 1);
    char name[32];
    snprintf(name, sizeof name, "%s", b.g->values[b.last].name);
    const char *keep[] = {name, NULL};
    conv(&b, 1, 1, 0, 0, 5, 1, 1), check_keep(&b, keep, "conv conv", 1, "a value to keep is kept");
}

static void test_rest(void)
{
    struct build b = start(xfv_shape_of(3, 2, 3, 4));
    int c1 = constant(&b, xfv_shape_of(1, 4), -1, 1), c2 = constant(&b, xfv_shape_of(1, 4), 1, 2),
        c3 = binary(&b, XFV_OP_DIV, c1, c2);
    act(&b, XFV_ACT_TANH, 0, 0), c3 = b.last, binary(&b, XFV_OP_ADD, 0, c3), simple(&b, XFV_OP_RELU);
    check(&b, "affine relu", 0, "constants are computed");
    b = start(xfv_shape_of(3, 2, 3, 4)), act(&b, XFV_ACT_TANH, 0, 0), conv(&b, 1, 1, 0, 0, 3, 1, 1), b.last = 0,
    simple(&b, XFV_OP_RELU);
    check(&b, "relu", 1, "what nobody needs goes");
    struct xfv_err e;
    b = start(xfv_shape_of(3, 2, 3, 4)), simple(&b, XFV_OP_RELU);
    struct xfv_graph *g = finish(&b);
    const char *keep[] = {"nothing of the kind", NULL};
    OK(xfv_fold(&g, keep, NULL, &e) == XFV_EMODEL && strstr(e.msg, "nothing of the kind"),
       "an unknown name to keep is refused: %s", e.msg);
    OK(g->n_nodes == 1 && xfv_graph_check(g, &e) == 0, "and the graph is still there");
    xfv_graph_free(g);
}

static int transpose(struct build *b, int p0, int p1, int p2, int p3)
{
    struct xfv_node n = xfv_node_default(XFV_OP_TRANSPOSE);
    n.i[0] = p0, n.i[1] = p1, n.i[2] = p2, n.i[3] = p3;
    return append(b, n);
}

static int reshape4(struct build *b, int d0, int d1, int d2, int d3)
{
    struct xfv_node n = xfv_node_default(XFV_OP_RESHAPE);
    n.i[0] = d0, n.i[1] = d1, n.i[2] = d2, n.i[3] = d3;
    return append(b, n);
}

static int norm_of_all(struct build *b)
{
    struct xfv_node n = xfv_node_default(XFV_OP_LAYERNORM);
    n.weight = weight_of(b, xfv_shape_of(1, channels_of(b)), 1, 1);
    n.bias = weight_of(b, xfv_shape_of(1, channels_of(b)), 0, 0);
    n.f[0] = 1e-5f;
    return append(b, n);
}

/* [8][12][16] through N,C,H,W into 4 x 6 windows of 2 x 2 pixels: [16][24][4]. */
static int cut(struct build *b)
{
    transpose(b, 2, 0, 1, 0), reshape4(b, 16 * 4, 2, 6, 2), transpose(b, 0, 2, 1, 3);
    return reshape(b, 16, 24, 4);
}

/* The same as [4][24][16]; and back. */
static int into_windows(struct build *b)
{
    return cut(b), transpose(b, 2, 1, 0, 0);
}

static int out_of_windows(struct build *b)
{
    transpose(b, 2, 1, 0, 0), reshape4(b, 16 * 4, 6, 2, 2), transpose(b, 0, 2, 1, 3), reshape(b, 16, 8, 12);
    return transpose(b, 1, 2, 0, 0);
}

static int product(struct build *b, int x, int y)
{
    return binary(b, XFV_OP_MATMUL, x, y);
}

/* A constant matrix times the channels of each pixel, as vectors and one by one. */
static void test_product(void)
{
    struct build b = start(xfv_shape_of(3, 5, 4, 6));
    int x = reshape(&b, 20, 6, 1), m = constant(&b, xfv_shape_of(3, 1, 3, 6), -1, 1);
    product(&b, m, x), reshape(&b, 5, 4, 3);
    check(&b, "reshape conv reshape", 0, "a matrix times vectors");
    b = start(xfv_shape_of(3, 5, 4, 6));
    float ones[16] = {0};
    for (int k = 0; k < 4; k++) ones[5 * k] = 1;
    struct xfv_node n = xfv_node_default(XFV_OP_CONST);
    n.weight = values_weight(&b, xfv_shape_of(3, 1, 4, 4), ones);
    m = append(&b, n), x = product(&b, m, 0), act(&b, XFV_ACT_TANH, 0, 0);
    check(&b, "act reshape", 1, "a matrix that changes nothing");
    ones[1] = 1e-3f, b = start(xfv_shape_of(3, 5, 4, 6)), n.weight = values_weight(&b, xfv_shape_of(3, 1, 4, 4), ones);
    m = append(&b, n), product(&b, m, 0), act(&b, XFV_ACT_TANH, 0, 0);
    check(&b, "const matmul act", 1, "a matrix that changes a little");
}

/* (x - mean) / sqrt(mean (x - mean)^2 + 1e-3) along some axes */
static void spelled_norm(struct build *b, int axes)
{
    int x = b->last, m = reduce(b, XFV_REDUCE_MEAN, axes), d = binary(b, XFV_OP_SUB, x, m);
    act(b, XFV_ACT_POW, 2, 0), m = reduce(b, XFV_REDUCE_MEAN, axes);
    const float few[] = {1e-3f};
    struct xfv_node n = xfv_node_default(XFV_OP_CONST);
    n.weight = values_weight(b, xfv_shape_of(1, 1), few);
    int eps = append(b, n);
    binary(b, XFV_OP_ADD, m, eps), m = act(b, XFV_ACT_SQRT, 0, 0);
    binary(b, XFV_OP_DIV, d, m);
}

static void test_order(void)
{
    struct build p = start(xfv_shape_of(3, 5, 4, 16));
    struct xfv_node slope = xfv_node_default(XFV_OP_PRELU);
    transpose(&p, 2, 0, 1, 0), reshape(&p, 16 * 5, 4, 1);
    slope.weight = weight_of(&p, xfv_shape_of(1, 1), .2f, .3f);
    append(&p, slope);
    check(&p, "prelu reshape transpose reshape", 1, "a slope of one channel before a chain gets the channels there");
    for (int axis = 0; axis < 3; axis++) {
        struct build a = start(xfv_shape_of(3, 5, 4, 6));
        spelled_norm(&a, 1 << axis);
        check(&a, axis == 2 ? "layernorm" : "transpose layernorm transpose", 1, "layer normalisation along an axis");
    }
    struct build a = start(xfv_shape_of(3, 5, 4, 6));
    spelled_norm(&a, 3);
    check(&a, "reduce sub act reduce affine act div", 1, "not a layer normalisation: along two axes");
    struct build b = start(xfv_shape_of(3, 8, 12, 16));
    transpose(&b, 2, 0, 1, 0), reshape(&b, 1, 1536, 0), norm_of_all(&b), reshape(&b, 1536, 1, 0);
    int x = b.last, one = constant(&b, xfv_shape_of(1, 1), 1, 1);
    binary(&b, XFV_OP_MUL, x, one), reshape(&b, 16, 8, 12);
    x = b.last, one = constant(&b, xfv_shape_of(3, 16, 1, 1), -1, 1), binary(&b, XFV_OP_MUL, x, one);
    x = b.last, one = constant(&b, xfv_shape_of(3, 16, 1, 1), -1, 1), binary(&b, XFV_OP_ADD, x, one);
    transpose(&b, 1, 2, 0, 0), conv(&b, 1, 1, 0, 0, 4, 1, 1);
    check(&b, "reshape layernorm reshape conv", 0, "one group of channels, normalised in N,C,H,W");

    b = start(xfv_shape_of(3, 8, 12, 16)), into_windows(&b), out_of_windows(&b), conv(&b, 1, 1, 0, 0, 4, 1, 1);
    check(&b, "conv", 1, "into windows and out of them");
    b = start(xfv_shape_of(3, 8, 12, 16)), into_windows(&b), act(&b, XFV_ACT_TANH, 0, 0), out_of_windows(&b);
    x = b.last, binary(&b, XFV_OP_MUL, x, 0);
    check(&b, "act mul", 1, "a function of each element between");
    b = start(xfv_shape_of(3, 8, 12, 16)), into_windows(&b), conv(&b, 1, 1, 0, 0, 16, 1, 1);
    check(&b, "reshape transpose reshape transpose reshape conv", 1, "windows: whole stretches of channels move");

    b = start(xfv_shape_of(3, 8, 12, 16)), x = cut(&b), transpose(&b, 2, 1, 0, 0);
    int y = (conv(&b, 1, 1, 0, 0, 16, 1, 1), transpose(&b, 2, 1, 0, 0));
    binary(&b, XFV_OP_ADD, x, y), transpose(&b, 2, 1, 0, 0), conv(&b, 1, 1, 0, 0, 5, 1, 0);
    check(&b, "reshape transpose reshape transpose reshape conv reshape add conv", 1, "a residual in windows");

    /* A sum with a constant that varies along axes which windows cut; windows of 2 and then of 3 that cut anew. */
    b = start(xfv_shape_of(3, 6, 12, 16)), transpose(&b, 2, 0, 1, 0), reshape4(&b, 16 * 3, 2, 6, 2);
    transpose(&b, 0, 2, 1, 3), x = b.last, one = constant(&b, xfv_shape_of(4, 48, 1, 2, 1), -1, 1);
    binary(&b, XFV_OP_ADD, x, one), transpose(&b, 0, 2, 1, 3), reshape(&b, 16, 6, 12), transpose(&b, 1, 2, 0, 0);
    check(&b, "const add reshape", 0, "a constant that varies within windows");
    b = start(xfv_shape_of(3, 6, 6, 16)), transpose(&b, 2, 0, 1, 0), reshape4(&b, 16 * 3, 2, 3, 2);
    transpose(&b, 0, 2, 1, 3), reshape(&b, 16, 9, 4), reshape4(&b, 16 * 3, 3, 2, 2), transpose(&b, 0, 2, 1, 3);
    reshape4(&b, 16 * 2, 3, 2, 3), transpose(&b, 0, 2, 1, 3), reshape(&b, 16, 4, 9), transpose(&b, 1, 2, 0, 0);
    conv(&b, 1, 1, 0, 0, 3, 1, 1);
    struct xfv_graph *g = finish(&b);
    struct xfv_err e;
    int narrow = 0;
    sure(xfv_fold(&g, NULL, NULL, &e), &e);
    for (int i = 0; i < g->n_nodes; i++) {
        struct xfv_shape s = g->values[g->nodes[i].out].shape;
        narrow += g->nodes[i].op == XFV_OP_TRANSPOSE && s.dim[s.rank - 1] % 16;
    }
    OK(narrow == 0, "windows that cut axes anew: %d transpositions part the channels of a pixel", narrow);
    xfv_graph_free(g);
}

int main(void)
{
    test_prelu();
    test_softmax();
    test_affine();
    test_merge();
    test_rest();
    test_order();
    test_product();
    return tap_done();
}
