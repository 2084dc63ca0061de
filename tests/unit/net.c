/* The fast executor against the double-precision oracle, on small random graphs of every shape that the planner treats differently. */
#include "netgraphs.h"

static void convolutions(void)
{
    struct build b = start(12, 10, 3);
    conv(&b, 3, 2, 0, 1, 16, 1, 1), prelu(&b);
    compare(&b, "stem: 3x3, 3 channels, stride 2");
    b = start(9, 11, 3);
    conv(&b, 3, 1, 0, 0, 10, 1, 1), prelu(&b), pool(&b, XFV_OP_MAXPOOL, 2, 2, 1), conv(&b, 3, 1, 0, 0, 20, 1, 0), simple(&b, XFV_OP_RELU);
    compare(&b, "unpadded, odd channels, max pooling");
    b = start(8, 8, 16);
    conv(&b, 3, 1, 1, 1, 32, 1, 0), prelu(&b), conv(&b, 3, 2, 1, 1, 48, 1, 1), pool(&b, XFV_OP_AVGPOOL, 2, 2, 0), dense(&b, 7);
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
}

/* Winograd's transforms: maps that are not multiples of four, every padding, PReLU and residual behind it, batches of cotangents. */
static void winograd(void)
{
    struct build b = start(18, 23, 3);
    conv(&b, 3, 1, 1, 1, 32, 1, 1), prelu(&b);
    int x = b.last;
    conv(&b, 3, 1, 1, 1, 32, 1, 1), prelu(&b), conv(&b, 3, 1, 1, 1, 32, 1, 0), add(&b, XFV_OP_ADD, x, b.last);
    conv(&b, 3, 1, 0, 0, 48, 1, 1), conv(&b, 3, 1, 2, 0, 16, 1, 0), prelu(&b), conv(&b, 3, 2, 1, 1, 16, 1, 0), conv(&b, 3, 1, 0, 2, 20, 1, 1);
    struct xfv_node n = xfv_node_default(XFV_OP_AFFINE);
    n.weight = weight(&b, shape(1, 20, 0, 0), 1);
    n.bias = weight(&b, shape(1, 20, 0, 0), 1);
    append(&b, n), conv(&b, 3, 1, 1, 1, 20, 1, 1), prelu(&b), dense(&b, 37);
    compare(&b, "Winograd");
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

int main(void)
{
    printf("# kernels: %s\n", xfv_net_kernels());
    convolutions();
    winograd();
    blocks();
    return tap_done();
}
