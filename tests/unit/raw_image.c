/* Operators that read the network's own input, which lies without padding lanes when it has few channels: each alone,
 * and random graphs of several, from the graph's input and from a value inside it, with every set of kernels that the
 * processor runs. */
#define _GNU_SOURCE
#include <sys/wait.h>
#include <unistd.h>

#include "netgraphs.h"

/* 0..n-1 */
static int pick(int n)
{
    return (int)(((seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17) >> 33) % (uint64_t)n);
}

static struct xfv_node window(enum xfv_op op, int k, int stride, int before, int after)
{
    struct xfv_node n = xfv_node_default(op);
    n.kernel[0] = n.kernel[1] = k, n.stride[0] = n.stride[1] = stride;
    n.pads[0] = n.pads[1] = before, n.pads[2] = n.pads[3] = after;
    return n;
}

static int act(struct build *b, int which, float f0, float f1)
{
    struct xfv_node n = xfv_node_default(XFV_OP_ACT);
    n.i[0] = which, n.f[0] = f0, n.f[1] = f1;
    return append(b, n);
}

static int channelwise(struct build *b, enum xfv_op op)
{
    struct xfv_node n = xfv_node_default(op);
    n.weight = weight(b, shape(1, channels(b), 0, 0), 1), n.bias = weight(b, shape(1, channels(b), 0, 0), 1);
    n.f[0] = 1e-3f;
    return append(b, n);
}

static int reduce(struct build *b, int what, int mask)
{
    struct xfv_node n = xfv_node_default(XFV_OP_REDUCE);
    n.i[0] = what, n.i[1] = mask;
    return append(b, n);
}

static int moved(struct build *b, int which)
{
    struct xfv_node n = xfv_node_default(which == 0 ? XFV_OP_TRANSPOSE : which == 1 ? XFV_OP_SLICE : XFV_OP_RESHAPE);
    struct xfv_shape s = b->g->values[b->last].shape;
    if (which == 0) n.i[0] = 2, n.i[1] = 0, n.i[2] = 1;
    if (which == 1) n.i[0] = 1, n.i[1] = 1, n.i[2] = s.dim[1];
    if (which == 2) n.i[0] = s.dim[0] * s.dim[1], n.i[1] = s.dim[2];
    return append(b, n);
}

static int twice(struct build *b, enum xfv_op op)
{
    struct xfv_node n = xfv_node_default(op);
    n.n_in = 2, n.in[0] = n.in[1] = b->last, n.i[0] = op == XFV_OP_MATMUL ? 1 : 2;
    return append(b, n);
}

/* The operator `which` on the last value, an image; 0 when there is no such operator. */
static int reader(struct build *b, int which)
{
    int c = channels(b), k = 1 + pick(5), stride = 1 + pick(3), p = pick(k + 1);
    switch (which) {
    case 0: return conv(b, k, stride, p, k - 1, c, c, 1), 1; /* depthwise */
    case 1: return conv(b, 3, 1, 1, 1, c, c, 1), prelu(b), 1;
    case 2: return conv(b, 3, 2, 1, 1, c, c, 0), 1;
    case 3: return conv(b, 3, 1, 3, 3, c, c, 0), 1; /* more padding than kernel */
    case 4: return conv(b, 1, 1, 0, 0, 4 + pick(20), 1, 1), prelu(b), 1;
    case 5: return conv(b, k, stride, p, k - 1, 4 + pick(20), 1, 1), prelu(b), 1;
    case 6: return conv(b, 3, 1, 1, 1, 2 * c, c, 1), 1; /* two outputs a channel */
    case 7: return append(b, window(XFV_OP_MAXPOOL, 2, stride, 1, 0)), 1;
    case 8: return append(b, window(XFV_OP_AVGPOOL, 3, stride, 1, 1)), 1;
    case 9: return append(b, window(XFV_OP_PAD, 1, 1, 1, 2)), 1;
    case 10: return act(b, XFV_ACT_TANH, 0, 0), 1;
    case 11: return act(b, XFV_ACT_CLIP, -.4f, .3f), 1;
    case 12: return channelwise(b, XFV_OP_AFFINE), 1;
    case 13: return channelwise(b, XFV_OP_LAYERNORM), 1;
    case 14: return prelu(b), 1;
    case 15: return simple(b, XFV_OP_RELU), 1;
    case 16: return simple(b, XFV_OP_SOFTMAX), 1;
    case 17: return simple(b, XFV_OP_L2NORM), 1;
    case 18: return reduce(b, pick(XFV_REDUCES), 1 + pick(7)), 1;
    case 19: return moved(b, 0), 1;
    case 20: return moved(b, 1), 1;
    case 21: return moved(b, 2), 1;
    case 22: return twice(b, XFV_OP_ADD), 1;
    case 23: return twice(b, XFV_OP_MUL), 1;
    case 24: return twice(b, XFV_OP_CONCAT), 1;
    case 25: return twice(b, XFV_OP_MATMUL), 1;
    /* a bottleneck */
    case 26:
        return conv(b, 1, 1, 0, 0, 8, 1, 1), prelu(b), conv(b, 3, 1, 1, 1, 8, 8, 1), prelu(b),
               conv(b, 1, 1, 0, 0, c, 1, 0), 1;
    case 27: return dense(b, 3), 1;
    default: return 0;
    }
}
enum { READERS = 28 };

/* A graph that begins at its input, or behind a reshape that leaves everything as it is. */
static int begin(struct build *b, int h, int w, int c, int inside)
{
    struct xfv_node n = xfv_node_default(XFV_OP_RESHAPE);
    *b = start(h, w, c);
    n.i[0] = h, n.i[1] = w, n.i[2] = c;
    return inside ? append(b, n) : 0;
}

static void each(void)
{
    for (int which = 0; which < READERS; which++)
        for (int c = 1; c <= 17; c += c < 4 ? 1 : 13) {
            struct build b;
            char what[80];
            int from = begin(&b, 7 + pick(3), 6 + pick(3), c, pick(2));
            reader(&b, which);
            snprintf(what, sizeof what, "operator %d reads %d channels of %s", which, c,
                     from ? "an inner value" : "the image");
            compare_from(&b, from, what);
        }
}

/* Several read the same input; each result becomes four numbers, which are added up. */
static void together(int graphs)
{
    for (int k = 0; k < graphs; k++) {
        struct build b;
        char what[64];
        int from = begin(&b, 6 + pick(4), 6 + pick(4), 1 + pick(16), pick(2)), sum = -1;
        for (int i = 0, n = 2 + pick(3); i < n; i++) {
            b.last = from;
            reader(&b, pick(READERS)), dense(&b, 4);
            if (sum >= 0) add(&b, XFV_OP_ADD, sum, b.last);
            sum = b.last;
        }
        snprintf(what, sizeof what, "random graph %d, from %s", k, from ? "an inner value" : "the image");
        compare_from(&b, from, what);
    }
}

static void large_kernels(void)
{
    struct build b = start(36, 40, 3);
    conv(&b, 32, 1, 0, 0, 5, 1, 1), dense(&b, 4);
    compare(&b, "a kernel of 32");
    b = start(64, 64, 3);
    conv(&b, 32, 32, 0, 0, 20, 1, 1), dense(&b, 4);
    compare(&b, "patches of 32");
    b = start(35, 34, 18);
    conv(&b, 33, 1, 1, 1, 18, 18, 1), prelu(&b);
    compare(&b, "a depthwise kernel of 33");
}

/* Groups whose outputs fill lanes, alone or with their neighbours, and some that cannot. */
static void grouped(void)
{
    static const struct { int in, out, groups, k, stride, before, after;
    } g[] = {
        {32, 32, 8, 3, 1, 1, 1},   {128, 128, 32, 3, 1, 1, 1}, {48, 96, 3, 3, 2, 1, 0}, {24, 48, 12, 1, 1, 0, 0},
        {16, 160, 16, 5, 2, 2, 2}, {40, 80, 5, 2, 1, 0, 1},    {6, 10, 2, 3, 1, 1, 1},  {12, 60, 3, 3, 1, 0, 0},
        {64, 64, 2, 1, 2, 0, 0},   {21, 49, 7, 3, 3, 1, 2},
    };
    for (size_t i = 0; i < sizeof g / sizeof *g; i++) {
        struct build b = start(7, 6, 5);
        char what[80];
        conv(&b, 1, 1, 0, 0, g[i].in, 1, 0), prelu(&b);
        conv(&b, g[i].k, g[i].stride, g[i].before, g[i].after, g[i].out, g[i].groups, 1), prelu(&b);
        conv(&b, 1, 1, 0, 0, g[i].in, 1, 1), dense(&b, 4);
        snprintf(what, sizeof what, "%d groups of %d to %d channels, kernel %d, stride %d", g[i].groups, g[i].in,
                 g[i].out, g[i].k, g[i].stride);
        compare(&b, what);
    }
}

/* The kernels are chosen once a process: each set has one of its own, which hands back how many checks there were and
 * failed. */
static void with_kernels(const char *name, int graphs)
{
    int ends[2], counts[2] = {0, 0}, status = -1;
    fflush(stdout);
    pid_t child = pipe(ends) == 0 ? fork() : -1;
    if (child == 0) {
        setenv("XFV_KERNELS", name, 1);
        printf("# kernels asked for: %s, taken: %s\n", name, xfv_net_kernels());
        each();
        together(graphs);
        large_kernels();
        grouped();
        counts[0] = tap_n, counts[1] = tap_failed;
        exit(write(ends[1], counts, sizeof counts) != (ssize_t)sizeof counts);
    }
    close(ends[1]);
    int there = child > 0 && read(ends[0], counts, sizeof counts) == (ssize_t)sizeof counts;
    close(ends[0]);
    if (child > 0) waitpid(child, &status, 0);
    if (there) tap_n = counts[0], tap_failed = counts[1];
    OK(there && status == 0, "the process with the kernels %s came to its end", name);
}

int main(int argc, char **argv)
{
    int graphs = argc > 1 ? atoi(argv[1]) : 20;
    with_kernels("generic", graphs);
    with_kernels("avx2", graphs);
    with_kernels("avx512", graphs);
    return tap_done();
}
