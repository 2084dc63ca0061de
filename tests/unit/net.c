/* The fast executor against the double-precision oracle, on small random graphs of every shape that the planner treats
 * differently. */
#include "netgraphs.h"

static void convolutions(void)
{
    struct build b = start(12, 10, 3);
    conv(&b, 3, 2, 0, 1, 16, 1, 1), prelu(&b);
    compare(&b, "stem: 3x3, 3 channels, stride 2");
    b = start(9, 11, 3);
    conv(&b, 3, 1, 0, 0, 10, 1, 1), prelu(&b), pool(&b, XFV_OP_MAXPOOL, 2, 2, 1), conv(&b, 3, 1, 0, 0, 20, 1, 0),
        simple(&b, XFV_OP_RELU);
    compare(&b, "unpadded, odd channels, max pooling");
    b = start(8, 8, 16);
    conv(&b, 3, 1, 1, 1, 32, 1, 0), prelu(&b), conv(&b, 3, 2, 1, 1, 48, 1, 1), pool(&b, XFV_OP_AVGPOOL, 2, 2, 0),
        dense(&b, 7);
    compare(&b, "3x3 padded, stride 2, average pooling, dense");
    b = start(8, 7, 24);
    conv(&b, 3, 1, 1, 1, 24, 4, 1), simple(&b, XFV_OP_RELU), conv(&b, 5, 1, 2, 2, 8, 1, 1);
    compare(&b, "grouped convolution, 5x5");
    b = start(9, 9, 32);
    conv(&b, 3, 3, 1, 1, 32, 32, 1), conv(&b, 3, 1, 1, 1, 32, 32, 0), prelu(&b), conv(&b, 3, 1, 0, 0, 32, 32, 1);
    compare(&b, "depthwise: stride 3, padded, global");
    b = start(10, 9, 16);
    conv(&b, 1, 1, 0, 0, 40, 1, 1), conv(&b, 5, 2, 2, 2, 40, 40, 1), conv(&b, 1, 2, 0, 0, 8, 1, 0);
    compare(&b, "depthwise 5x5 stride 2, pointwise stride 2");
    static const int far[][3] = {{7, 3, 9}, {3, 2, 2}, {5, 4, 3}, {3, 5, 0}, {3, 9, 9}};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        b = start(13, 12, 20);
        conv(&b, 1, 1, 0, 0, 40, 1, 1), prelu(&b);
        dilated(&b, far[i][0], 1, far[i][1], far[i][2], far[i][2], 40, 40, 1);
        prelu(&b), conv(&b, 1, 1, 0, 0, 8, 1, 1);
        compare(&b, "depthwise, with gaps between the kernel's columns and rows");
    }
    b = start(13, 14, 64);
    conv(&b, 5, 1, 2, 2, 40, 1, 1), prelu(&b), conv(&b, 3, 1, 1, 1, 96, 1, 0), conv(&b, 3, 2, 0, 1, 70, 1, 1),
        prelu(&b), conv(&b, 1, 2, 0, 0, 512, 1, 0), dense(&b, 9);
    compare(&b, "many channels of small maps: their patches are brought together");
    b = start(12, 9, 350);
    conv(&b, 4, 1, 2, 1, 12, 1, 1), dense(&b, 5);
    compare(&b, "patches that are too many for one product");
}

/* Winograd's transforms: maps that are not multiples of four, every padding, PReLU and residual behind it, batches of
 * cotangents. */
static void winograd(void)
{
    struct build b = start(18, 23, 3);
    conv(&b, 3, 1, 1, 1, 32, 1, 1), prelu(&b);
    int x = b.last;
    conv(&b, 3, 1, 1, 1, 32, 1, 1), prelu(&b), conv(&b, 3, 1, 1, 1, 32, 1, 0), add(&b, XFV_OP_ADD, x, b.last);
    conv(&b, 3, 1, 0, 0, 48, 1, 1), conv(&b, 3, 1, 2, 0, 16, 1, 0), prelu(&b), conv(&b, 3, 2, 1, 1, 16, 1, 0),
        conv(&b, 3, 1, 0, 2, 20, 1, 1);
    struct xfv_node n = xfv_node_default(XFV_OP_AFFINE);
    n.weight = weight(&b, shape(1, 20, 0, 0), 1);
    n.bias = weight(&b, shape(1, 20, 0, 0), 1);
    append(&b, n), conv(&b, 3, 1, 1, 1, 20, 1, 1), prelu(&b), dense(&b, 37);
    compare(&b, "Winograd");
    b = start(12, 11, 24);
    conv(&b, 3, 1, 1, 1, 48, 1, 1), prelu(&b), conv(&b, 3, 1, 0, 1, 48, 1, 0), prelu(&b),
        conv(&b, 3, 1, 2, 1, 80, 1, 1), conv(&b, 3, 1, 1, 1, 17, 1, 0);
    dense(&b, 40);
    compare(&b, "Winograd where maps are small");
}

/* A network that owns its graph's weights differentiates as any other, frees them, and then nobody else can read them.
 */
static void own_weights(void)
{
    struct build b = start(16, 16, 16);
    conv(&b, 3, 1, 1, 1, 32, 1, 1), prelu(&b), conv(&b, 3, 1, 1, 1, 32, 32, 1), conv(&b, 3, 2, 1, 1, 16, 1, 0);
    struct xfv_node again = b.g->nodes[b.g->n_nodes - 1]; /* two steps share one kernel: its channels must agree */
    conv(&b, 1, 1, 0, 0, 32, 1, 0);
    again.n_in = 0, again.name = NULL;
    append(&b, again), dense(&b, 9);
    float x[16 * 16 * 16], y[9], y2[9], cot[9], dx[16 * 16 * 16], dx2[16 * 16 * 16], *py = y, *py2 = y2;
    for (int i = 0; i < 16 * 16 * 16; i++) x[i] = (float)uniform();
    for (int i = 0; i < 9; i++) cot[i] = (float)uniform();
    struct xfv_net *net = NULL, *owner = NULL, *late = NULL;
    struct xfv_tape *tape = NULL, *tape2 = NULL;
    struct xfv_ws *ws = xfv_ws_new();
    struct xfv_err e = {0};
    int rc = xfv_net_new(b.g, 0, &b.last, 1, &net, &e) || xfv_net_record(net, ws, x, &py, &tape, &e) ||
             xfv_net_vjp(net, ws, tape, 1, cot, dx, &e) || xfv_net_new(b.g, 0, &b.last, 1, &owner, &e);
    if (!OK(rc == 0, "a network and one that is to own its weights (%s)", e.msg)) return;
    xfv_net_own_weights(owner, b.g);
    rc = xfv_net_record(owner, ws, x, &py2, &tape2, &e) || xfv_net_record(owner, ws, x, &py2, &tape2, &e) ||
         xfv_net_vjp(owner, ws, tape2, 1, cot, dx2, &e);
    OK(rc == 0 && !memcmp(y, y2, sizeof y) && !memcmp(dx, dx2, sizeof dx), "give the same bits (%s)", rc ? e.msg : "");
    int left = 0, convs = 0;
    for (int i = 0; i < b.g->n_nodes; i++)
        if (b.g->nodes[i].op == XFV_OP_CONV) convs++, left += b.g->weights[b.g->nodes[i].weight].data != NULL;
    OK(convs == 5 && left == 0, "the kernels of its %d convolutions are freed, %d are left", convs, left);
    OK(xfv_net_forward(owner, ws, NULL, 1, x, &py2, &e) == XFV_EARG && strstr(e.msg, "are freed"),
       "a pass that wants them otherwise fails: %s", e.msg);
    rc = xfv_net_new(b.g, 0, &b.last, 1, &late, &e);
    OK(rc == 0 && xfv_net_record(late, ws, x, &py2, &tape, &e) == XFV_EARG, "and so does another network: %s", e.msg);
    xfv_tape_free(tape), xfv_tape_free(tape2), xfv_ws_free(ws);
    xfv_net_free(net), xfv_net_free(owner), xfv_net_free(late), xfv_graph_free(b.g);
}

/* A network for values alone gives those of any other, and says that it has no backward pass. */
static void only_values(void)
{
    struct build b = start(16, 16, 16);
    conv(&b, 3, 1, 1, 1, 32, 1, 1), conv(&b, 3, 1, 1, 1, 16, 1, 0), dense(&b, 5);
    float x[16 * 16 * 16], y[2][5], cot[5] = {1}, dx[16 * 16 * 16], *py[2] = {y[0], y[1]};
    for (int i = 0; i < 16 * 16 * 16; i++) x[i] = (float)uniform();
    struct xfv_net *net[2] = {NULL, NULL};
    struct xfv_tape *tape[2] = {NULL, NULL};
    struct xfv_ws *ws = xfv_ws_new();
    struct xfv_err e = {0};
    int rc = 0;
    for (int k = 0; k < 2 && !rc; k++) {
        rc = xfv_net_new(b.g, 0, &b.last, 1, &net[k], &e);
        if (k && !rc) xfv_net_only_values(net[k]);
        if (!rc) rc = xfv_net_record(net[k], ws, x, &py[k], &tape[k], &e);
    }
    OK(rc == 0 && !memcmp(y[0], y[1], sizeof y[0]), "a network for values alone: the same bits (%s)", e.msg);
    OK(xfv_net_vjp(net[1], ws, tape[1], 1, cot, dx, &e) == XFV_EARG, "and no backward pass: %s", e.msg);
    for (int k = 0; k < 2; k++) xfv_tape_free(tape[k]), xfv_net_free(net[k]);
    xfv_ws_free(ws), xfv_graph_free(b.g);
}

static int all_zero(const float *v, size_t n)
{
    while (n && *v == 0) v++, n--;
    return !n;
}

/* Channels that died in training: what is subnormal within a network counts as zero (net/run/flush.h), and the caller's
 * own arithmetic is as it was. */
static void subnormal(void)
{
    enum { IN = 4 * 4 * 16, OUT = 4 * 4 * 8 };
    struct build b = start(4, 4, 16);
    struct xfv_net *n;
    struct xfv_ws *ws = xfv_ws_new();
    struct xfv_tape *tape = NULL;
    float x[IN], f[OUT], g[OUT], cot[OUT], dx[IN], *y[] = {f}, *z[] = {g};
    conv(&b, 1, 1, 0, 0, 8, 1, 0);
    for (size_t i = 0; i < IN; i++) x[i] = 1e-39f;
    for (size_t i = 0; i < OUT; i++) cot[i] = 1e-39f;
    int rc = xfv_net_new(b.g, 0, &b.last, 1, &n, &b.e) || xfv_net_forward(n, ws, NULL, 1, x, y, &b.e) ||
             xfv_net_record(n, ws, x, z, &tape, &b.e) || xfv_net_vjp(n, ws, tape, 1, cot, dx, &b.e);
#ifdef __x86_64__
    OK(!rc && all_zero(f, OUT) && all_zero(g, OUT) && all_zero(dx, IN), "subnormal numbers are zero within a network, "
                                                                        "forwards and backwards");
#else
    OK(!rc, "a network takes subnormal numbers (%d)", all_zero(f, OUT) && all_zero(g, OUT) && all_zero(dx, IN));
#endif
    volatile float least = 1.17549435e-38f, below = least * 0.5f;
    OK(below > 0, "and remain numbers for its caller");
    xfv_tape_free(tape);
    xfv_ws_free(ws);
    xfv_net_free(n);
    xfv_graph_free(b.g);
}

static void blocks(void)
{
    struct build b = start(16, 16, 3);
    conv(&b, 3, 2, 0, 1, 16, 1, 1), prelu(&b), conv(&b, 3, 1, 1, 1, 16, 16, 1), prelu(&b);
    bottleneck(&b, 32, 2, 16, 0), bottleneck(&b, 32, 1, 16, 1), bottleneck(&b, 32, 1, 16, 1);
    conv(&b, 1, 1, 0, 0, 64, 1, 1), prelu(&b), conv(&b, 4, 1, 0, 0, 64, 64, 1), dense(&b, 24);
    compare(&b, "small MobileFaceNet");
    b = start(7, 7, 40);
    bottleneck(&b, 72, 1, 40, 1), bottleneck(&b, 24, 1, 40, 0), simple(&b, XFV_OP_L2NORM);
    compare(&b, "bottlenecks with odd channels, L2 norm");
    b = start(6, 6, 16);
    int x = b.last, y = bottleneck(&b, 32, 1, 16, 1);
    add(&b, XFV_OP_ADD, x, y), prelu(&b), dense(&b, 5);
    compare(&b, "an input that goes three ways");
    b = start(6, 6, 16);
    int p = (conv(&b, 1, 1, 0, 0, 32, 1, 1), prelu(&b)), q = (conv(&b, 3, 1, 1, 1, 32, 32, 1), prelu(&b));
    add(&b, XFV_OP_MUL, p, q), add(&b, XFV_OP_SUB, b.last, p), simple(&b, XFV_OP_SOFTMAX);
    compare(&b, "products, differences, softmax");
    b = start(5, 5, 20);
    int u = (conv(&b, 3, 1, 1, 1, 20, 1, 0), b.last), v = (conv(&b, 3, 1, 1, 1, 20, 1, 0), b.last);
    add(&b, XFV_OP_ADD, v, u), conv(&b, 3, 1, 1, 1, 20, 1, 0), add(&b, XFV_OP_ADD, u, b.last);
    compare(&b, "chained residuals");
}

/* A batch's dense layers are computed together: each sample's bits are those that it has alone. */
static void together(void)
{
    enum { IN = 6 * 6 * 3, MANY = 75, OUTS = 4 };
    static const int count[OUTS] = {4 * 4 * 20, 50, 2, 4};
    static float x[MANY * IN], y[OUTS][MANY * 4 * 4 * 20], one[4 * 4 * 20];
    struct build b = start(6, 6, 3);
    struct xfv_net *n = NULL;
    struct xfv_ws *ws = xfv_ws_new();
    float *py[OUTS] = {y[0], y[1], y[2], y[3]};
    int outs[OUTS], same = 1;
    outs[0] = (conv(&b, 3, 1, 0, 0, 20, 1, 1), b.last);
    int hidden = outs[1] = (dense(&b, 50), prelu(&b), b.last);
    outs[2] = (dense(&b, 2), simple(&b, XFV_OP_SOFTMAX), b.last);
    b.last = hidden, outs[3] = (dense(&b, 4), b.last);
    for (int i = 0; i < MANY * IN; i++) x[i] = (float)uniform();
    int rc = xfv_net_new(b.g, 0, outs, OUTS, &n, &b.e) || xfv_net_forward(n, ws, NULL, MANY, x, py, &b.e);
    for (int i = 0; i < MANY && !rc; i++)
        for (int k = 0; k < OUTS && !rc; k++) {
            float *alone[OUTS] = {NULL, NULL, NULL, NULL};
            alone[k] = one;
            rc = xfv_net_forward(n, ws, NULL, 1, x + i * IN, alone, &b.e);
            same &= !memcmp(one, y[k] + i * count[k], sizeof *one * (size_t)count[k]);
        }
    OK(!rc && same, "a batch has the bits of its samples (%s)", rc ? b.e.msg : "");
    xfv_net_free(n), xfv_ws_free(ws), xfv_graph_free(b.g);
    b = start(8, 8, 40), dense(&b, 210);
    compare(&b, "a large dense layer");
    b = start(4, 6, 8), conv(&b, 3, 1, 1, 1, 8, 1, 1), dense(&b, 6), simple(&b, XFV_OP_L2NORM), dense(&b, 5);
    compare(&b, "a dense layer of a map, and one behind what does not go row by row");
}

int main(void)
{
    printf("# kernels: %s\n", xfv_net_kernels());
    convolutions();
    winograd();
    own_weights();
    only_values();
    blocks();
    subnormal();
    together();
    return tap_done();
}
