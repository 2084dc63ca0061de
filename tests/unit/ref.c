/* The oracle: every operator's backward pass against central differences of its forward pass, in double; then
 * MobileFaceNet's. And the forward passes of the operators where a definition leaves a choice, against numbers worked
 * out by hand. */
#include "net/graph/ref.h"

#include "graphs.h"
#include "net/model/model.h"

static double dot(const double *a, const double *b, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += a[i] * b[i];
    return s;
}

static double *random_vector(size_t n)
{
    double *c = malloc(n * sizeof *c);
    for (size_t i = 0; i < n; i++) c[i] = uniform();
    return c;
}

/* cot . output(x) */
static double project(const struct xfv_graph *g, const double *x, const double *cot)
{
    double **v;
    struct xfv_err e;
    sure(xfv_ref_forward(g, g->values[0].shape, x, &v, &e), &e);
    double s = dot(cot, v[g->outputs[0]], xfv_shape_count(g->values[g->outputs[0]].shape));
    xfv_ref_free(g, v);
    return s;
}

/* Largest difference between the gradient and central differences over all coordinates, relative to the gradient's
 * largest entry. */
static double gradient_error(const struct xfv_graph *g, double *x)
{
    const double h = 1e-5;
    size_t n = xfv_shape_count(g->values[0].shape), m = xfv_shape_count(g->values[g->outputs[0]].shape);
    double *cot = random_vector(m), *dx = malloc(n * sizeof *dx), worst = 0, scale = 0, **v;
    struct xfv_err e;
    sure(xfv_ref_forward(g, g->values[0].shape, x, &v, &e), &e);
    sure(xfv_ref_vjp(g, g->values[0].shape, v, g->outputs[0], cot, dx, &e), &e);
    xfv_ref_free(g, v);
    for (size_t i = 0; i < n; i++) {
        double at = x[i], up, down;
        x[i] = at + h, up = project(g, x, cot);
        x[i] = at - h, down = project(g, x, cot);
        x[i] = at;
        worst = fmax(worst, fabs((up - down) / (2 * h) - dx[i]));
        scale = fmax(scale, fabs(dx[i]));
    }
    free(cot);
    free(dx);
    return worst / scale;
}

static void check(struct build *b, int positive, const char *what)
{
    struct xfv_graph *g = finish(b);
    double *x = spread(xfv_shape_count(g->values[0].shape));
    for (size_t i = 0; positive && i < xfv_shape_count(g->values[0].shape); i++) x[i] = fabs(x[i]) + 0.3;
    double err = gradient_error(g, x);
    OK(err < 1e-6, "%s: gradient agrees with central differences (%.1e)", what, err); /* NaN fails */
    free(x);
    xfv_graph_free(g);
}

static int reshape3(struct build *b, int d0, int d1, int d2)
{
    struct xfv_node n = xfv_node_default(XFV_OP_RESHAPE);
    n.i[0] = d0, n.i[1] = d1, n.i[2] = d2;
    return append(b, n);
}

static void test_linear(void)
{
    struct build b;
    b = start(xfv_shape_of(3, 5, 6, 3)), conv(&b, 3, 2, 0, 1, 4, 1, 1), check(&b, 0, "conv 3x3/2, padding at the end");
    b = start(xfv_shape_of(3, 5, 5, 4)), conv(&b, 3, 1, 1, 1, 6, 2, 0), check(&b, 0, "conv, two groups, no bias");
    b = start(xfv_shape_of(3, 5, 4, 3)), conv(&b, 3, 1, 1, 1, 3, 3, 1), check(&b, 0, "conv, depthwise");
    b = start(xfv_shape_of(3, 7, 8, 2));
    struct xfv_node n = xfv_node_default(XFV_OP_CONV);
    n.kernel[0] = 2, n.kernel[1] = 3, n.dilation[0] = 3, n.dilation[1] = 2, n.stride[1] = 2, n.pads[1] = 3,
    n.pads[2] = 1;
    n.weight = weight_of(&b, xfv_shape_of(4, 2, 3, 2, 3), -1, 1);
    append(&b, n), check(&b, 0, "conv 2x3, dilated, unequal strides and pads");
    b = start(xfv_shape_of(3, 3, 2, 4)), dense(&b, 5, 1), check(&b, 0, "dense");
    b = start(xfv_shape_of(3, 3, 2, 4)), channelwise(&b, XFV_OP_AFFINE, 1), check(&b, 0, "affine");
    b = start(xfv_shape_of(3, 3, 2, 4)), channelwise(&b, XFV_OP_AFFINE, 0), check(&b, 0, "affine without shift");
    for (int t = 0; t < 2; t++) {
        b = start(xfv_shape_of(3, 2, 3, 8));
        int p = slice(&b, 2, 0, 4), q;
        b.last = 0, q = slice(&b, 2, 4, 8);
        if (!t) {
            struct xfv_node tr = xfv_node_default(XFV_OP_TRANSPOSE);
            tr.i[0] = 0, tr.i[1] = 2, tr.i[2] = 1;
            q = append(&b, tr);
        }
        struct xfv_node m = xfv_node_default(XFV_OP_MATMUL);
        m.n_in = 2, m.in[0] = p, m.in[1] = q, m.i[0] = t;
        append(&b, m), check(&b, 0, t ? "matmul, second transposed" : "transpose, matmul");
    }
    for (int k = 0; k < 2; k++) { /* [2,3,4] by [1,5,4] transposed, and [1,5,4] by [2,3,4] transposed */
        b = start(xfv_shape_of(3, 7, 4, 1));
        slice(&b, 0, 0, 6);
        int wide = reshape3(&b, 2, 3, 4);
        b.last = 0, slice(&b, 0, 2, 7);
        int narrow = reshape3(&b, 1, 5, 4);
        struct xfv_node m = xfv_node_default(XFV_OP_MATMUL);
        m.n_in = 2, m.in[k] = wide, m.in[1 - k] = narrow, m.i[0] = 1;
        append(&b, m), check(&b, 0, k ? "matmul, first stretches" : "matmul, second stretches");
    }
}

static void test_pointwise(void)
{
    static const struct { enum xfv_act a; float f0, f1; int positive;
    } acts[] = {{XFV_ACT_CLIP, -.51f, .77f, 0}, {XFV_ACT_LEAKY, .1f, 0, 0},
                {XFV_ACT_SIGMOID, 0, 0, 0},     {XFV_ACT_HARDSIGMOID, .4f, .51f, 0},
                {XFV_ACT_HARDSWISH, 0, 0, 0},   {XFV_ACT_TANH, 0, 0, 0},
                {XFV_ACT_SOFTPLUS, 0, 0, 0},    {XFV_ACT_MISH, 0, 0, 0},
                {XFV_ACT_GELU, 0, 0, 0},        {XFV_ACT_GELU, 1, 0, 0},
                {XFV_ACT_SILU, 0, 0, 0},        {XFV_ACT_ERF, 0, 0, 0},
                {XFV_ACT_SQRT, 0, 0, 1},        {XFV_ACT_POW, 2.5f, 0, 1},
                {XFV_ACT_EXP, 0, 0, 0},         {XFV_ACT_NEG, 0, 0, 0},
                {XFV_ACT_ABS, 0, 0, 0},         {XFV_ACT_LOG, 0, 0, 1},
                {XFV_ACT_ELU, 1.3f, .9f, 0},    {XFV_ACT_SOFTSIGN, 0, 0, 0},
                {XFV_ACT_SIN, 0, 0, 0},         {XFV_ACT_COS, 0, 0, 0},
                {XFV_ACT_TAN, 0, 0, 0},         {XFV_ACT_ATAN, 0, 0, 0},
                {XFV_ACT_SINH, 0, 0, 0},        {XFV_ACT_COSH, 0, 0, 0},
                {XFV_ACT_ASINH, 0, 0, 0}};
    struct build b;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        b = start(xfv_shape_of(3, 3, 3, 3)), act(&b, acts[i].a, acts[i].f0, acts[i].f1),
        check(&b, acts[i].positive, xfv_act_name((int)acts[i].a));
    }
    static const enum xfv_act bounded[] = {XFV_ACT_ASIN, XFV_ACT_ACOS, XFV_ACT_ATANH, XFV_ACT_ACOSH};
    for (int i = 0; i < 4; i++) { /* of (0,1), acosh of what is larger than 1 */
        b = start(xfv_shape_of(3, 3, 3, 3)), act(&b, i < 3 ? XFV_ACT_SIGMOID : XFV_ACT_COSH, 0, 0),
        act(&b, bounded[i], 0, 0), check(&b, 1, xfv_act_name((int)bounded[i]));
    }
    for (int a = XFV_ACT_FLOOR; a < XFV_ACTS; a++) {
        b = start(xfv_shape_of(3, 3, 3, 3)), act(&b, XFV_ACT_SOFTPLUS, 0, 0), act(&b, (enum xfv_act)a, 0, 0),
        binary(&b, XFV_OP_MUL, 0, b.last),
        check(&b, 0, xfv_act_name(a));
    }
    b = start(xfv_shape_of(3, 3, 2, 4)), simple(&b, XFV_OP_RELU), check(&b, 0, "relu");
    b = start(xfv_shape_of(3, 3, 2, 4)), channelwise(&b, XFV_OP_PRELU, 0), check(&b, 0, "prelu");
    static const enum xfv_op ops[] = {XFV_OP_ADD, XFV_OP_SUB, XFV_OP_MUL, XFV_OP_DIV, XFV_OP_MAX, XFV_OP_MIN,
                                      XFV_OP_MOD};
    for (int i = 0; i < 7; i++)
        for (int axes = 0; axes <= 7; axes += axes == 0 ? 3 : 4) { /* second operand: full, [1,1,C], [1,1,1] */
            char what[64];
            b = start(xfv_shape_of(3, 3, 2, 4));
            if (axes) reduce(&b, XFV_REDUCE_SUM, axes);
            int y = act(&b, XFV_ACT_EXP, 0, 0);
            binary(&b, ops[i], 0, y);
            snprintf(what, sizeof what, "%s, second operand %s", xfv_op_name(ops[i]),
                     axes == 0   ? "whole"
                     : axes == 3 ? "per channel"
                                 : "one number");
            check(&b, 0, what);
        }
    b = start(xfv_shape_of(3, 3, 2, 4)), reduce(&b, XFV_REDUCE_MAX, 4), binary(&b, XFV_OP_SUB, 0, b.last),
    check(&b, 0, "sub, second operand per position");
    b = start(xfv_shape_of(3, 3, 2, 4)), constant(&b, xfv_shape_of(1, 4), -1, 1), binary(&b, XFV_OP_MUL, 0, b.last),
    check(&b, 0, "mul by a constant");
    b = start(xfv_shape_of(3, 3, 2, 4)), binary(&b, XFV_OP_MUL, 0, 0), check(&b, 0, "mul of a value by itself");
    b = start(xfv_shape_of(3, 3, 2, 4)), act(&b, XFV_ACT_TANH, 0, 0), binary(&b, XFV_OP_POWER, 0, b.last),
    check(&b, 1, "power, both computed");
    for (int relation = 0; relation < XFV_RELATIONS; relation++) {
        b = start(xfv_shape_of(3, 3, 2, 4)), reduce(&b, XFV_REDUCE_L2, 3), act(&b, XFV_ACT_TANH, 0, 0);
        struct xfv_node n = xfv_node_default(XFV_OP_COMPARE);
        n.n_in = 2, n.in[0] = 0, n.in[1] = b.last, n.i[0] = relation;
        int c = append(&b, n);
        b.last = 0;
        n = xfv_node_default(XFV_OP_SELECT);
        n.n_in = 3, n.in[0] = c, n.in[1] = 0, n.in[2] = act(&b, XFV_ACT_EXP, 0, 0);
        append(&b, n), check(&b, 0, xfv_relation_name(relation));
    }
    b = start(xfv_shape_of(3, 3, 2, 4));
    struct xfv_node n = xfv_node_default(XFV_OP_SPARSE);
    n.weight = weight_of(&b, xfv_shape_of(2, 40, 3), -1, 1);
    for (int k = 0; k < 40; k++) {
        b.g->weights[n.weight].data[3 * k] = (float)(k * 7 % 9);
        b.g->weights[n.weight].data[3 * k + 1] = (float)(k * 11 % 24);
    }
    n.i[0] = 3, n.i[1] = 3;
    append(&b, n), check(&b, 0, "sparse");
}

static void test_windows_and_rows(void)
{
    struct build b;
    b = start(xfv_shape_of(3, 6, 5, 2)), pool(&b, XFV_OP_MAXPOOL, 3, 2, 0, 1), check(&b, 0, "maxpool");
    b = start(xfv_shape_of(3, 6, 5, 2)), pool(&b, XFV_OP_AVGPOOL, 3, 2, 1, 1),
    check(&b, 0, "avgpool without padding in the divisor");
    b = start(xfv_shape_of(3, 6, 5, 2));
    struct xfv_node n = xfv_node_default(XFV_OP_AVGPOOL);
    n.kernel[0] = n.kernel[1] = 2, n.pads[0] = n.pads[3] = 1, n.i[0] = 1;
    append(&b, n), check(&b, 0, "avgpool with padding in the divisor");
    b = start(xfv_shape_of(3, 2, 3, 4)), simple(&b, XFV_OP_SOFTMAX), check(&b, 0, "softmax");
    b = start(xfv_shape_of(3, 2, 3, 4)), simple(&b, XFV_OP_L2NORM), check(&b, 0, "l2norm");
    b = start(xfv_shape_of(3, 2, 3, 4));
    n = xfv_node_default(XFV_OP_L2NORM), n.f[0] = 100;
    append(&b, n), check(&b, 0, "l2norm below its epsilon");
    b = start(xfv_shape_of(3, 2, 3, 4)), channelwise(&b, XFV_OP_LAYERNORM, 1), check(&b, 0, "layernorm");
    for (int f = 0; f < XFV_REDUCES; f++)
        for (int axes = 3; axes <= 4; axes++)
            b = start(xfv_shape_of(3, 3, 4, 2)), reduce(&b, (enum xfv_reduce)f, axes), check(&b, 0, xfv_reduce_name(f));
}

static void test_moves(void)
{
    struct build b = start(xfv_shape_of(3, 2, 3, 4));
    struct xfv_node n = xfv_node_default(XFV_OP_TRANSPOSE);
    n.i[0] = 2, n.i[1] = 0, n.i[2] = 1;
    append(&b, n), check(&b, 0, "transpose");
    b = start(xfv_shape_of(3, 2, 3, 4)), reshape(&b, -1, 2, 0), check(&b, 0, "reshape");
    b = start(xfv_shape_of(3, 2, 5, 4)), slice(&b, 1, 1, 4), check(&b, 0, "slice");
    b = start(xfv_shape_of(3, 2, 3, 4));
    n = xfv_node_default(XFV_OP_PAD), n.pads[0] = 1, n.pads[3] = 2;
    append(&b, n), check(&b, 0, "pad");
    for (int axis = 0; axis < 3; axis++) {
        b = start(xfv_shape_of(3, 2, 3, 4));
        n = xfv_node_default(XFV_OP_CONCAT), n.i[0] = axis, n.n_in = 3, n.in[0] = 0, n.in[2] = 0,
        n.in[1] = act(&b, XFV_ACT_TANH, 0, 0);
        append(&b, n), check(&b, 0, "concat");
    }
}

/* Expected numbers by hand, for what a definition could have meant otherwise. */
static void expect(struct build *b, const double *x, const double *want, size_t n, const char *what)
{
    struct xfv_graph *g = finish(b);
    double **v, worst = 0;
    struct xfv_err e;
    sure(xfv_ref_forward(g, g->values[0].shape, x, &v, &e), &e);
    for (size_t i = 0; i < n; i++) worst = fmax(worst, fabs(v[b->last][i] - want[i]));
    OK(n == xfv_shape_count(g->values[b->last].shape) && worst < 1e-6, "%s", what);
    xfv_ref_free(g, v);
    xfv_graph_free(g);
}

static void test_definitions(void)
{
    static const double x[] = {-1, 2, -3, 4}, max[] = {-1, 2, 2, -1, 4, 4, -3, 4, 4},
                        average[] = {-1, .5, 2, -2, .5, 3, -3, .5, 4};
    static const double counted[] = {-.25, .25, .5, -1, .5, 1.5, -.75, .25, 1}, relu[] = {0, 2, 0, 4};
    struct build b;
    b = start(xfv_shape_of(3, 2, 2, 1)), pool(&b, XFV_OP_MAXPOOL, 2, 1, 1, 1),
    expect(&b, x, max, 9, "padding never wins a maximum");
    b = start(xfv_shape_of(3, 2, 2, 1)), pool(&b, XFV_OP_AVGPOOL, 2, 1, 1, 1),
    expect(&b, x, average, 9, "padding is not in an average's divisor");
    b = start(xfv_shape_of(3, 2, 2, 1));
    struct xfv_node n = xfv_node_default(XFV_OP_AVGPOOL);
    for (int a = 0; a < 2; a++) n.kernel[a] = 2, n.pads[a] = n.pads[a + 2] = 1;
    n.i[0] = 1;
    append(&b, n), expect(&b, x, counted, 9, "unless the node says so");
    b = start(xfv_shape_of(3, 2, 2, 1)), simple(&b, XFV_OP_RELU), expect(&b, x, relu, 4, "relu");
    static const float w[] = {1, 0, 10, 1, 100, 0, 1000, 1}, bias[] = {5, -9}; /* [4][2]: rows are inputs */
    static const double dense_x[] = {0, 0, 0, 0}, dense_y[] = {1 * -1 + 10 * 2 + 100 * -3 + 1000 * 4 + 5, 2 + 4 - 9};
    n = xfv_node_default(XFV_OP_DENSE);
    b = start(xfv_shape_of(3, 2, 2, 1)), n.weight = values_weight(&b, xfv_shape_of(2, 4, 2), w),
    n.bias = values_weight(&b, xfv_shape_of(1, 2), bias);
    append(&b, n), expect(&b, x, dense_y, 2, "dense: weights are [in][out]");
    b = start(xfv_shape_of(3, 2, 2, 1)), n.weight = values_weight(&b, xfv_shape_of(2, 4, 2), w),
    n.bias = values_weight(&b, xfv_shape_of(1, 2), bias);
    append(&b, n), expect(&b, dense_x, (const double[]){5, -9}, 2, "dense: bias");
}

/* A few directions of the real network, at one cotangent: derivative along d against the central difference. */
static void test_mobilefacenet(void)
{
    struct xfv_model *m;
    struct xfv_err e;
    if (!OK(xfv_model_load(NULL, &m, &e) == 0, "the default model loads")) {
        printf("# %s\n", e.msg);
        return;
    }
    /* whatever other tests drew: an image with no PReLU at its kink to within the smallest step */
    graphs_seed = 88172645463325252u;
    const struct xfv_graph *g = m->graph;
    size_t n = xfv_shape_count(g->values[0].shape), k = xfv_shape_count(g->values[m->embedding].shape);
    double *x = random_vector(n), *cot = random_vector(k), *dx = malloc(n * sizeof *dx), **v;
    /* smooth, so that it is near images */
    for (size_t i = 0; i < n; i++) x[i] = 0.6 * sin((double)(i / 336) / 9 + (double)(i % 3)) + 0.2 * x[i];
    sure(xfv_ref_forward(g, g->values[0].shape, x, &v, &e), &e);
    sure(xfv_ref_vjp(g, g->values[0].shape, v, m->embedding, cot, dx, &e), &e);
    xfv_ref_free(g, v);
    for (int t = 0; t < 3; t++) {
        double *d = random_vector(n), best = 1, want = dot(dx, d, n);
        for (double h = 1e-6; h > 1e-9;
             h /= 10) { /* kinks: among 500,000 PReLUs some lie within a step, so steps must be tiny */
            double up, down;
            for (size_t i = 0; i < n; i++) x[i] += h * d[i];
            up = project(g, x, cot);
            for (size_t i = 0; i < n; i++) x[i] -= 2 * h * d[i];
            down = project(g, x, cot);
            for (size_t i = 0; i < n; i++) x[i] += h * d[i];
            best = fmin(best, fabs((up - down) / (2 * h) - want) / fabs(want));
        }
        OK(best < 1e-5, "MobileFaceNet: derivative along a random direction (%.1e)", best);
        free(d);
    }
    free(x);
    free(cot);
    free(dx);
    xfv_model_free(m);
}

int main(void)
{
    test_linear();
    test_pointwise();
    test_windows_and_rows();
    test_moves();
    test_definitions();
    test_mobilefacenet();
    return tap_done();
}
