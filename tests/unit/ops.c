/* The executor's operators other than convolutions against the double-precision oracle: every function, reduction,
 * broadcast and move, with channel counts that leave padding lanes. */
#include "netgraphs.h"

static int image(struct build *b, int h, int w, int c, int cout)
{
    *b = start(h, w, c);
    conv(b, 3, 1, 1, 1, cout, 1, 1); /* so that the operator's input is not the dense input of the network */
    return b->last;
}

static int act(struct build *b, int which, float f0, float f1)
{
    struct xfv_node n = xfv_node_default(XFV_OP_ACT);
    n.i[0] = which;
    n.f[0] = f0;
    n.f[1] = f1;
    n.f[2] = .7f;
    return append(b, n);
}

static int affine(struct build *b, double around)
{
    struct xfv_node n = xfv_node_default(XFV_OP_AFFINE);
    n.weight = weight(b, shape(1, channels(b), 0, 0), .5);
    n.bias = weight(b, shape(1, channels(b), 0, 0), .5);
    for (int c = 0; c < channels(b); c++) b->g->weights[n.bias].data[c] += (float)around;
    return append(b, n);
}

static void acts(void)
{
    static const struct { int which; float f0, f1; double around;
    } all[] = {{XFV_ACT_CLIP, -.3f, .4f, 0}, {XFV_ACT_LEAKY, .1f, 0, 0},
               {XFV_ACT_SIGMOID, 0, 0, 0},   {XFV_ACT_HARDSIGMOID, .2f, .5f, 0},
               {XFV_ACT_HARDSWISH, 0, 0, 0}, {XFV_ACT_HARDSWISH, 0, 0, -3},
               {XFV_ACT_TANH, 0, 0, 0},      {XFV_ACT_SOFTPLUS, 0, 0, 0},
               {XFV_ACT_MISH, 0, 0, 0},      {XFV_ACT_GELU, 0, 0, 0},
               {XFV_ACT_GELU, 1, 0, 0},      {XFV_ACT_SILU, 0, 0, 0},
               {XFV_ACT_ERF, 0, 0, 0},       {XFV_ACT_SQRT, 0, 0, 4},
               {XFV_ACT_POW, 2, 0, 0},       {XFV_ACT_POW, -1, 0, 5},
               {XFV_ACT_POW, .5f, 0, 5},     {XFV_ACT_POW, .75f, 0, 5},
               {XFV_ACT_POW, .7f, 0, 5},     {XFV_ACT_EXP, 0, 0, 0},
               {XFV_ACT_NEG, 0, 0, 0},       {XFV_ACT_ABS, 0, 0, 0},
               {XFV_ACT_LOG, 0, 0, 5},       {XFV_ACT_ELU, 1.2f, .9f, 0},
               {XFV_ACT_SOFTSIGN, 0, 0, 0},  {XFV_ACT_SIN, 0, 0, 0},
               {XFV_ACT_COS, 0, 0, 0},       {XFV_ACT_ATAN, 0, 0, 0},
               {XFV_ACT_SINH, 0, 0, 0},      {XFV_ACT_COSH, 0, 0, 0},
               {XFV_ACT_ASINH, 0, 0, 0},     {XFV_ACT_ACOSH, 0, 0, 5}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct build b;
        image(&b, 5, 4, 3, 21), affine(&b, all[i].around), act(&b, all[i].which, all[i].f0, all[i].f1);
        compare(&b, xfv_act_name(all[i].which));
    }
    static const int bounded[] = {XFV_ACT_ASIN, XFV_ACT_ACOS, XFV_ACT_ATANH, XFV_ACT_TAN};
    for (int i = 0; i < 4; i++) {
        struct build b;
        image(&b, 5, 4, 3, 21), act(&b, XFV_ACT_SIGMOID, 0, 0), act(&b, bounded[i], 0, 0);
        compare(&b, xfv_act_name(bounded[i]));
    }
    for (int which = XFV_ACT_FLOOR; which < XFV_ACTS; which++) { /* no gradient: that of the other operand stays */
        struct build b;
        int x = image(&b, 5, 4, 3, 21), y = act(&b, which, 0, 0);
        add(&b, XFV_OP_MUL, x, y);
        compare(&b, xfv_act_name(which));
    }
}

static int reduce(struct build *b, int what, int mask)
{
    struct xfv_node n = xfv_node_default(XFV_OP_REDUCE);
    n.i[0] = what;
    n.i[1] = mask;
    return append(b, n);
}

static void reductions(void)
{
    for (int what = 0; what < XFV_REDUCES; what++)
        for (int mask = 1; mask < 8; mask++) {
            struct build b;
            char name[64];
            image(&b, 5, 4, 3, 19);
            if (what == XFV_REDUCE_PROD) act(&b, XFV_ACT_SIGMOID, 0, 0), act(&b, XFV_ACT_POW, .1f, 0);
            reduce(&b, what, mask);
            snprintf(name, sizeof name, "%s over axes %d", xfv_reduce_name(what), mask);
            compare(&b, name);
        }
}

static int reshape(struct build *b, int d0, int d1, int d2, int d3)
{
    struct xfv_node n = xfv_node_default(XFV_OP_RESHAPE);
    n.i[0] = d0, n.i[1] = d1, n.i[2] = d2, n.i[3] = d3;
    return append(b, n);
}

static int transpose(struct build *b, int a0, int a1, int a2, int a3)
{
    struct xfv_node n = xfv_node_default(XFV_OP_TRANSPOSE);
    n.i[0] = a0, n.i[1] = a1, n.i[2] = a2, n.i[3] = a3;
    return append(b, n);
}

static int slice(struct build *b, int of, int axis, int from, int to)
{
    struct xfv_node n = xfv_node_default(XFV_OP_SLICE);
    b->last = of;
    n.i[0] = axis, n.i[1] = from, n.i[2] = to;
    return append(b, n);
}

static void moves(void)
{
    struct build b;
    image(&b, 4, 6, 3, 20), transpose(&b, 2, 0, 1, 0), reshape(&b, 5, 4, 6, 4), transpose(&b, 1, 3, 0, 2);
    compare(&b, "transpose, reshape, transpose");
    image(&b, 4, 6, 3, 20), reshape(&b, 4, 60, 2, 0), transpose(&b, 1, 0, 2, 0), reshape(&b, 480, 0, 0, 0);
    compare(&b, "reshapes that break rows");
    int whole = image(&b, 4, 6, 3, 32), flat = reshape(&b, 24, 32, 0, 0);
    act(&b, XFV_ACT_TANH, 0, 0), reshape(&b, 4, 6, 32, 0), add(&b, XFV_OP_MUL, whole, b.last);
    reshape(&b, 24, 32, 0, 0);
    add(&b, XFV_OP_ADD, b.last, flat), reshape(&b, 12, 64, 0, 0), reshape(&b, 768, 0, 0, 0);
    compare(&b, "reshapes that move nothing, whose inputs are read again");
    for (int axis = 0; axis < 3; axis++) {
        struct xfv_node n = xfv_node_default(XFV_OP_CONCAT);
        int x = image(&b, 5, 6, 3, 20), y = slice(&b, x, axis, 1, 4);
        n.n_in = 3, n.i[0] = axis;
        n.in[0] = x, n.in[1] = y, n.in[2] = slice(&b, x, axis, 3, 5);
        append(&b, n);
        compare(&b, "slices and concat");
    }
    struct xfv_node p = xfv_node_default(XFV_OP_PAD);
    p.pads[0] = 1, p.pads[1] = 2, p.pads[3] = 3;
    image(&b, 4, 5, 3, 18), append(&b, p);
    compare(&b, "pad");
    b = start(4, 5, 3);
    append(&b, p), transpose(&b, 2, 1, 0, 0);
    compare(&b, "pad and transpose of the network's own input");
}

/* A value of the last value's rank whose axes in mask are 1. */
static int small(struct build *b, int x, int mask)
{
    b->last = x;
    return reduce(b, XFV_REDUCE_MEAN, mask);
}

static void broadcasts(void)
{
    static const enum xfv_op ops[] = {XFV_OP_ADD, XFV_OP_SUB, XFV_OP_MUL,   XFV_OP_DIV,
                                      XFV_OP_MAX, XFV_OP_MIN, XFV_OP_POWER, XFV_OP_MOD};
    for (int o = 0; o < 8; o++)
        for (int mask = 1; mask < 8; mask++) {
            struct build b;
            char name[64];
            int x = image(&b, 3, 4, 3, 18);
            int z = act(&b, XFV_ACT_SOFTPLUS, 0, 0);
            if (ops[o] == XFV_OP_POWER) x = z;
            int y = small(&b, b.last, mask);
            add(&b, ops[o], x, y);
            snprintf(name, sizeof name, "%s with axes %d stretched", xfv_op_name(ops[o]), mask);
            compare(&b, name);
        }
    struct build b; /* [W,1] against [H,W,C] */
    int x = image(&b, 3, 4, 3, 18);
    small(&b, x, 5), reshape(&b, 4, 1, 0, 0);
    add(&b, XFV_OP_MUL, x, b.last);
    compare(&b, "fewer axes");
    x = image(&b, 3, 4, 3, 18);
    struct xfv_node c = xfv_node_default(XFV_OP_CONST);
    c.weight = weight(&b, shape(2, 4, 18, 0), 1);
    c.name = (char *)(uintptr_t)"constant";
    c.out = xfv_graph_add_value(b.g, "constant", shape(2, 4, 18, 0), &b.e);
    xfv_graph_add_node(b.g, &c, &b.e);
    add(&b, XFV_OP_MUL, x, c.out);
    compare(&b, "a constant that stretches");
}

/* Comparisons, with what they choose, and elements by a table. */
static void choices(void)
{
    for (int relation = 0; relation < XFV_RELATIONS; relation++) {
        struct build b;
        struct xfv_node n = xfv_node_default(XFV_OP_COMPARE);
        int x = image(&b, 3, 4, 3, 18), y = small(&b, x, 5);
        n.n_in = 2, n.in[0] = x, n.in[1] = y, n.i[0] = relation;
        int c = append(&b, n);
        b.last = x, y = act(&b, XFV_ACT_TANH, 0, 0), n = xfv_node_default(XFV_OP_SELECT);
        n.n_in = 3, n.in[0] = c, n.in[1] = x, n.in[2] = y;
        append(&b, n);
        compare(&b, xfv_relation_name(relation));
    }
    struct build b;
    struct xfv_node n = xfv_node_default(XFV_OP_SPARSE);
    image(&b, 3, 4, 3, 18);
    n.weight = weight(&b, shape(2, 200, 3, 0), 1);
    for (int k = 0; k < 200; k++) {
        b.g->weights[n.weight].data[3 * k] = (float)(k * 7 % 38);
        b.g->weights[n.weight].data[3 * k + 1] = (float)(k * 11 % 216);
    }
    n.i[0] = 2, n.i[1] = 19;
    append(&b, n);
    compare(&b, "elements by a table");
}

static int matmul(struct build *b, int x, int y, int transposed)
{
    struct xfv_node n = xfv_node_default(XFV_OP_MATMUL);
    n.n_in = 2, n.in[0] = x, n.in[1] = y, n.i[0] = transposed;
    return append(b, n);
}

static void attention(void)
{
    struct build b;
    int x = image(&b, 5, 6, 3, 20), y = transpose(&b, 0, 2, 1, 0);
    matmul(&b, x, y, 0);
    compare(&b, "matmul");
    x = image(&b, 5, 6, 3, 37), b.last = x, y = act(&b, XFV_ACT_TANH, 0, 0);
    matmul(&b, x, y, 1);
    compare(&b, "matmul with b transposed");
    for (int t = 0; t < 2; t++) { /* several panels, the last one not full */
        image(&b, 10, 9, 3, 37), x = reshape(&b, 90, 37, 0, 0), y = act(&b, XFV_ACT_TANH, 0, 0);
        if (!t) y = transpose(&b, 1, 0, 0, 0);
        matmul(&b, x, y, t);
        compare(&b, "matmul of several panels");
    }
    image(&b, 5, 6, 3, 20), x = transpose(&b, 1, 0, 2, 0), y = matmul(&b, x, x, 1), y = matmul(&b, y, x, 0);
    add(&b, XFV_OP_ADD, y, x);
    compare(&b, "matmul of a transposed value that others read");
    image(&b, 1, 5, 3, 20), x = transpose(&b, 1, 0, 2, 0), y = slice(&b, x, 0, 1, 5), x = slice(&b, x, 0, 2, 3);
    matmul(&b, y, x, 1);
    compare(&b, "matmul of slices, single rows");
    for (int t = 0; t < 4; t++) { /* times one number for all; by channel; the product read twice; with a ReLU behind */
        struct xfv_node scale = xfv_node_default(XFV_OP_AFFINE);
        int y2 = (image(&b, 5, 4, 3, 21), act(&b, XFV_ACT_TANH, 0, 0)), p = matmul(&b, y2, y2, 1), c = channels(&b);
        scale.weight = weight(&b, shape(1, c, 0, 0), 1);
        for (int k = 0; k < c && t != 1; k++) b.g->weights[scale.weight].data[k] = -2.5f;
        int s = append(&b, scale);
        if (t == 2) add(&b, XFV_OP_MUL, s, p);
        if (t == 3) simple(&b, XFV_OP_RELU);
        compare(&b, "matmul, scaled");
    }
    for (int t = 0; t < 2; t++) { /* a head of attention: [T][3 heads d] -> q, k, v */
        image(&b, 3, 3, 3, 36), reshape(&b, 9, 3, 2, 6), transpose(&b, 1, 2, 0, 3);
        int all = b.last, q, k, v;
        slice(&b, all, 0, 0, 1), q = reshape(&b, 2, 9, 6, 0);
        slice(&b, all, 0, 1, 2), k = reshape(&b, 2, 9, 6, 0);
        slice(&b, all, 0, 2, 3), v = reshape(&b, 2, 9, 6, 0);
        if (!t) b.last = k, k = transpose(&b, 0, 2, 1, 0);
        int scores = (matmul(&b, q, k, t), simple(&b, XFV_OP_SOFTMAX));
        matmul(&b, scores, v, 0), transpose(&b, 1, 0, 2, 0), reshape(&b, 9, 12, 0, 0), dense(&b, 7);
        compare(&b, "attention");
    }
    for (int t = 0; t < 2; t++) /* leading axes [3,4] by [3,1], [1,4] and [1,1], and the other way round */
        for (int kind = 0; kind < 3; kind++)
            for (int k = 0; k < 2; k++) {
                static const int begin[3][2] = {{0, 1}, {1, 0}, {1, 1}};
                char name[64];
                image(&b, 3, 4, 3, 30);
                x = reshape(&b, 3, 4, 5, 6), y = act(&b, XFV_ACT_TANH, 0, 0);
                for (int axis = 0; axis < 2; axis++)
                    if (begin[kind][axis]) y = slice(&b, y, axis, 1, 2);
                b.last = y;
                if (!t) y = transpose(&b, 0, 1, 3, 2);
                if (t || !k) matmul(&b, k ? y : x, k ? x : y, t);
                else b.last = y, matmul(&b, y, x, 0); /* [..,6,5] by [..,5,6] */
                snprintf(name, sizeof name, "matmul that stretches, %d %d %d", t, kind, k);
                compare(&b, name);
            }
    struct xfv_node n = xfv_node_default(XFV_OP_LAYERNORM);
    image(&b, 4, 3, 3, 21);
    n.weight = weight(&b, shape(1, 21, 0, 0), 1), n.bias = weight(&b, shape(1, 21, 0, 0), 1), n.f[0] = 1e-5f;
    append(&b, n);
    compare(&b, "layernorm");
}

static void rest(void)
{
    struct build b;
    struct xfv_node n = xfv_node_default(XFV_OP_MAXPOOL);
    n.kernel[0] = n.kernel[1] = 3, n.stride[0] = 2, n.stride[1] = 1, n.dilation[0] = 2;
    for (int i = 0; i < 4; i++) n.pads[i] = 1;
    image(&b, 9, 8, 3, 20), append(&b, n);
    compare(&b, "dilated max pooling");
    n.stride[1] = 2, n.dilation[0] = 1, n.pads[0] = n.pads[1] = 0;
    image(&b, 8, 6, 3, 20), append(&b, n);
    compare(&b, "max pooling whose last windows reach behind the image");
    n.op = XFV_OP_AVGPOOL, n.stride[1] = 1, n.pads[0] = n.pads[1] = 1;
    for (n.i[0] = 0; n.i[0] < 2; n.i[0]++) {
        image(&b, 9, 8, 3, 20), append(&b, n);
        compare(&b, n.i[0] ? "average pooling that counts padding" : "average pooling that does not");
    }
    int x = image(&b, 6, 6, 3, 20); /* squeeze and excitation */
    reduce(&b, XFV_REDUCE_MEAN, 3), conv(&b, 1, 1, 0, 0, 5, 1, 1), simple(&b, XFV_OP_RELU),
        conv(&b, 1, 1, 0, 0, 20, 1, 1), act(&b, XFV_ACT_HARDSIGMOID, .2f, .5f);
    add(&b, XFV_OP_MUL, x, b.last), act(&b, XFV_ACT_SILU, 0, 0), conv(&b, 3, 2, 1, 1, 8, 1, 1), prelu(&b);
    compare(&b, "squeeze and excitation");
    image(&b, 5, 5, 3, 18), affine(&b, 0), prelu(&b), affine(&b, 0), simple(&b, XFV_OP_RELU);
    compare(&b, "affine and activations that no layer takes in");
}

int main(void)
{
    acts();
    reductions();
    moves();
    broadcasts();
    choices();
    attention();
    rest();
    return tap_done();
}
