/* ONNX files as others write them (half, bfloat16, quantised, external data) and as nobody should: cut, flipped, lying,
 * cyclic, nested. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/import/import.h"
#include "onnx_build.h"
#include "tap.h"

static struct xfv_graph *import(struct pb m, const char *folder, struct xfv_err *e)
{
    struct xfv_graph *g = NULL;
    struct xfv_import_opts o = {.folder = folder};
    *e = (struct xfv_err){0};
    int st = xfv_import_onnx(m.p, m.n, &o, &g, e);
    free(m.p);
    return st ? NULL : g;
}

/* Refused, with status 5's error and a sentence that holds these words. */
static void refused(struct pb m, const char *words, const char *what)
{
    struct xfv_err e;
    struct xfv_graph *g = import(m, NULL, &e);
    OK(!g && e.status == XFV_EMODEL && strstr(e.msg, words), "%s: %s", what, g ? "taken" : e.msg);
    xfv_graph_free(g);
}

static const float four[4] = {1.0f, -2.0f, 0.5f, 3.0f};

/* The weight of the last node, the only one but for limits of the input, is these four numbers. */
static void holds_four(struct pb m, const char *folder, const char *what)
{
    struct xfv_err e;
    struct xfv_graph *g = import(m, folder, &e);
    int last = g ? g->n_nodes - 1 : -1,
        same = g && g->nodes[last].op == XFV_OP_CONV && (last == 0 || g->nodes[0].i[0] == XFV_ACT_CLIP) && last < 2;
    const float *w = same ? g->weights[g->nodes[last].weight].data : NULL;
    static const int order[4] = {0, 2, 1, 3}; /* [out][in] became [in][out] */
    for (int i = 0; same && i < 4; i++) same = fabsf(w[i] - four[order[i]]) < 1e-6f;
    OK(same, "%s %s", what, g ? "" : e.msg);
    xfv_graph_free(g);
}

static struct pb conv_with(struct pb tensor)
{
    struct pb g = pb_graph(2, 4, 4, "Conv x w > y", NULL);
    pb_add(&g, 5, tensor);
    return pb_model(g, 13);
}

static void kinds_of_weights(void)
{
    static const uint16_t half[4] = {0x3c00, 0xc000, 0x3800, 0x4200}, brain[4] = {0x3f80, 0xc000, 0x3f00, 0x4040};
    static const double wide[4] = {1, -2, .5, 3};
    static const int8_t small[4] = {2, -4, 1, 6};
    static const uint8_t offset[4] = {130, 124, 129, 134};
    const float scale = .5f, scales[2] = {.5f, .25f};
    holds_four(conv_with(pb_tensor("w", 1, four, 16, 2, 2, 1, 1, -1)), NULL, "float");
    holds_four(conv_with(pb_tensor("w", 10, half, 8, 2, 2, 1, 1, -1)), NULL, "half");
    holds_four(conv_with(pb_tensor("w", 16, brain, 8, 2, 2, 1, 1, -1)), NULL, "bfloat16");
    holds_four(conv_with(pb_tensor("w", 11, wide, 32, 2, 2, 1, 1, -1)), NULL, "double");
    struct pb t = pb_tensor("w", 1, NULL, 0, 2, 2, 1, 1, -1);
    pb_data(&t, 4, four, 16); /* packed float_data */
    holds_four(conv_with(t), NULL, "float, not raw");
    t = pb_tensor("w", 10, NULL, 0, 2, 2, 1, 1, -1);
    for (int i = 0; i < 4; i++) pb_int(&t, 5, half[i]);
    holds_four(conv_with(t), NULL, "half, not raw");
    struct pb g = pb_graph(2, 4, 4, "DequantizeLinear q s > w", "Conv x w > y", NULL);
    pb_add(&g, 5, pb_tensor("q", 3, small, 4, 2, 2, 1, 1, -1));
    pb_add(&g, 5, pb_tensor("s", 1, &scale, 4, -1));
    holds_four(pb_model(g, 13), NULL, "int8, quantised as a whole");
    static const uint8_t zero = 128;
    g = pb_graph(2, 4, 4, "DequantizeLinear q s z > w", "QuantizeLinear x s z > xq", "DequantizeLinear xq s z > xd",
                 "Conv xd w > y", NULL);
    pb_add(&g, 5, pb_tensor("q", 2, offset, 4, 2, 2, 1, 1, -1));
    pb_add(&g, 5, pb_tensor("s", 1, &scale, 4, -1));
    pb_add(&g, 5, pb_tensor("z", 2, &zero, 1, -1));
    holds_four(pb_model(g, 13), NULL, "uint8 with a zero point, between quantisers of activations");
    static const int8_t rows[4] = {2, -4, 2, 12}, zeros[2] = {0, 0};
    g = pb_graph(2, 4, 4, "Conv x w > y", NULL);
    struct pb n = pb_node("DequantizeLinear q s z > w");
    pb_add(&n, 5, pb_attr_int("axis", 0));
    struct pb g2 = {0};
    pb_add(&g2, 1, n);
    pb_bytes(&g2, g.p, g.n);
    free(g.p);
    pb_add(&g2, 5, pb_tensor("q", 3, rows, 4, 2, 2, 1, 1, -1));
    pb_add(&g2, 5, pb_tensor("s", 1, scales, 8, 2, -1));
    pb_add(&g2, 5, pb_tensor("z", 3, zeros, 2, 2, -1));
    holds_four(pb_model(g2, 13), NULL, "int8, quantised by channel");
}

/* ---- external data ---- */

static struct pb external(const char *location, const char *offset, const char *length)
{
    struct pb t = pb_tensor("w", 1, NULL, 0, 2, 2, 1, 1, -1);
    const char *kv[3][2] = {{"location", location}, {"offset", offset}, {"length", length}};
    for (int i = 0; i < 3; i++) {
        struct pb e = {0};
        if (!kv[i][1]) continue;
        pb_text(&e, 1, kv[i][0]);
        pb_text(&e, 2, kv[i][1]);
        pb_add(&t, 13, e);
    }
    pb_int(&t, 14, 1);
    return conv_with(t);
}

static void refused_at(struct pb m, const char *folder, const char *words, const char *what)
{
    struct xfv_err e;
    struct xfv_graph *g = import(m, folder, &e);
    OK(!g && e.status == XFV_EMODEL && strstr(e.msg, words), "%s: %s", what, g ? "taken" : e.msg);
    xfv_graph_free(g);
}

static void external_data(void)
{
    char folder[] = "/tmp/xfv-onnx-XXXXXX", path[64], inner[64];
    if (!OK(mkdtemp(folder) != NULL, "a folder")) return;
    snprintf(path, sizeof path, "%s/w.bin", folder);
    FILE *f = fopen(path, "wb");
    fwrite("12345678", 1, 8, f);
    fwrite(four, 4, 4, f);
    fclose(f);
    holds_four(external("w.bin", "8", "16"), folder, "external data");
    holds_four(external("./w.bin", "8", NULL), folder, "external data without a length");
    refused_at(external("w.bin", "12", "16"), folder, "too short", "past the file's end");
    refused_at(external("w.bin", "18446744073709551612", "16"), folder, "too short", "an offset that overflows");
    refused_at(external("w.bin", "8", "12"), folder, "should be 16 bytes", "another length than the shape's");
    refused_at(external("w.bin", "-8", "16"), folder, "says", "a negative offset");
    refused_at(external("gone.bin", NULL, NULL), folder, "No such file", "a file that is not there");
    refused_at(external("../w.bin", NULL, NULL), folder, "refused", "a step upwards");
    refused_at(external("a/../../w.bin", NULL, NULL), folder, "refused", "a step upwards in the middle");
    refused_at(external("/etc/passwd", NULL, NULL), folder, "refused", "an absolute path");
    refused_at(external("", NULL, NULL), folder, "refused", "no path");
    refused_at(external(".", NULL, NULL), folder, "", "the folder itself");
    snprintf(inner, sizeof inner, "%s/link", folder);
    if (symlink("/etc/passwd", inner) == 0) refused_at(external("link", NULL, "16"), folder, "", "a link");
    unlink(inner);
    if (symlink("/etc", inner) == 0) refused_at(external("link/passwd", NULL, "16"), folder, "", "a linked folder");
    unlink(inner);
    if (mkfifo(inner, 0600) == 0)
        refused_at(external("link", NULL, "16"), folder, "", "a FIFO, without waiting for it");
    unlink(inner);
    refused(external("w.bin", "8", "16"), "another file", "external data without a folder");
    unlink(path);
    rmdir(folder);
}

/* ---- files that lie ---- */

static struct pb flat(const char *spec, struct pb tensor)
{
    struct pb g = pb_graph(2, 4, 4, spec, NULL);
    pb_add(&g, 5, tensor);
    return pb_model(g, 13);
}

static void lies(void)
{
    static const int64_t huge[4] = {65536, 65536, 16, 16}, minus[1] = {-5}, zero[2] = {0, -1}, far[1] = {INT64_MAX};
    refused(flat("Conv x w > y", pb_tensor("w", 1, four, 16, 65536, 2, 1, 1, -1)), "bytes of data",
            "a weight that is shorter than its shape");
    refused(flat("Conv x w > y", pb_tensor("w", 1, NULL, 0, 65536, 16384, 1, 1, -1)), "claims",
            "4 GB of weights that are not there");
    refused(flat("Conv x w > y", pb_tensor("w", 1, NULL, 0, 65536, 65536, 65536, 65536, -1)), "too large",
            "a weight of 2^64 numbers");
    refused(flat("Conv x w > y", pb_tensor("w", 1, four, 16, 4, -1)), "dimensions", "a weight of one dimension");
    refused(flat("Conv x w > y", pb_tensor("w", 99, four, 16, 2, 2, 1, 1, -1)), "data type", "an unknown type");
    refused(flat("Conv x w > y", pb_tensor("w", 7, NULL, 0, 2, 2, 1, 1, -1)), "numbers",
            "whole numbers for a weight, and none of them");
    refused(flat("Conv x w > y", pb_tensor("w", 1, four, 16, 1, 4, 1, 1, -1)), "", "another number of channels");
    refused(flat("Expand x s > y", pb_tensor("s", 7, huge, 32, 4, -1)), "Expand", "an expansion to 2^40 numbers");
    refused(flat("ConstantOfShape s > y", pb_tensor("s", 7, huge, 32, 4, -1)), "impossible size",
            "a constant of 2^40 numbers");
    refused(flat("ConstantOfShape s > y", pb_tensor("s", 7, minus, 8, 1, -1)), "-5", "a constant of -5 numbers");
    refused(flat("ConstantOfShape s > y", pb_tensor("s", 7, far, 8, 1, -1)), "impossible size",
            "a constant of 2^63 numbers");
    refused(flat("Reshape x s > y", pb_tensor("s", 7, huge, 16, 2, -1)), "elements", "a reshape to 2^32 numbers");
    refused(flat("Reshape x s > y", pb_tensor("s", 7, minus, 8, 1, -1)), "impossible shape", "a reshape to -5 numbers");
    refused(flat("Reshape x s > y", pb_tensor("s", 1, four, 8, 2, -1)), "whole numbers", "a reshape to fractions");
    refused(flat("Gather x s > y", pb_tensor("s", 7, far, 8, 1, -1)), "", "an index of 2^63");
    refused(flat("Split x s > y", pb_tensor("s", 7, zero, 16, 2, -1)), "", "a split into 0 and -1");
    refused(flat("Slice x s s > y", pb_tensor("s", 7, far, 8, 1, -1)), "", "a slice of nothing");
    refused(flat("Pad x s > y", pb_tensor("s", 7, huge, 32, 4, -1)), "", "four paddings for four axes");
    static const float scales[4] = {1, 1, NAN, 2}, wide[4] = {1, 1, 1e30f, 1}, none[4] = {1, 1, 0, -1};
    refused(flat("Resize x - - s > y", pb_tensor("s", 7, huge, 32, 4, -1)), "too large", "a resize to 2^40 numbers");
    refused(flat("Resize x - - s > y", pb_tensor("s", 7, zero, 16, 2, -1)), "2 sizes or scales for 4 axes",
            "a resize to too few sizes");
    refused(flat("Resize x - s > y", pb_tensor("s", 1, scales, 16, 4, -1)), "nan of 4", "a scale that is no number");
    refused(flat("Resize x - s > y", pb_tensor("s", 1, wide, 16, 4, -1)), "of 4 elements", "a scale of 1e30");
    refused(flat("Resize x - s > y", pb_tensor("s", 1, none, 16, 4, -1)), "0 of 4", "a scale of 0");
    refused(flat("Resize x > y", pb_tensor("s", 1, none, 16, 4, -1)), "0 sizes", "a resize to nothing");
    refused(flat("Pad x s > y", pb_tensor("s", 7, far, 8, 1, -1)), "1 paddings for 4", "a single padding");
    refused(flat("Tile s s > t", pb_tensor("s", 7, far, 8, 1, -1)), "", "2^63 repeats");
    refused(flat("Range s s s > t", pb_tensor("s", 7, zero, 16, 2, -1)), "", "a range of lists");
    refused(flat("Conv x > y", pb_tensor("w", 1, four, 16, 2, 2, 1, 1, -1)), "no input 1",
            "a convolution without a weight");
    refused(flat("Conv > y", pb_tensor("w", 1, four, 16, 2, 2, 1, 1, -1)), "no input", "a convolution of nothing");
    refused(flat("Conv gone w > y", pb_tensor("w", 1, four, 16, 2, 2, 1, 1, -1)), "nothing makes",
            "an input that nothing makes");
    refused(flat("Relu x > w", pb_tensor("w", 1, four, 16, 2, 2, 1, 1, -1)), "two nodes", "two makers of one tensor");
    refused(flat("Relu x > z", pb_tensor("w", 1, four, 16, 2, 2, 1, 1, -1)), "no node makes output",
            "an output that nothing makes");
    refused(flat("Relu x >", pb_tensor("w", 1, four, 16, 2, 2, 1, 1, -1)), "", "a node without outputs");
}

/* Constants without elements exist, and what is made of them has none either. */
static void emptiness(void)
{
    static const int64_t from[2] = {-5, 0}, to[2] = {-1, 1000}, first[1] = {0}, back[1] = {-1},
                         square[2] = {1 << 20, 1 << 20};
    float ones[32];
    struct xfv_err e;
    struct pb g = pb_graph(2, 4, 4, "Slice e from to axis step > s", "Relu x > y", NULL);
    pb_add(&g, 5, pb_tensor("e", 1, NULL, 0, 0, 1000000, -1));
    pb_add(&g, 5, pb_tensor("from", 7, from, 8, 1, -1));
    pb_add(&g, 5, pb_tensor("to", 7, to, 8, 1, -1));
    pb_add(&g, 5, pb_tensor("axis", 7, first, 8, 1, -1));
    pb_add(&g, 5, pb_tensor("step", 7, back, 8, 1, -1));
    struct xfv_graph *made = import(pb_model(g, 13), NULL, &e);
    OK(made != NULL, "backwards through an axis of no elements: nothing %s", e.msg);
    xfv_graph_free(made);

    g = pb_graph(2, 4, 4, "Reshape e shape > r", "Slice r zeros thousands > s", "Relu x > y", NULL);
    pb_add(&g, 5, pb_tensor("e", 1, NULL, 0, 1 << 20, 1 << 20, 0, -1));
    pb_add(&g, 5, pb_tensor("shape", 7, square, 16, 2, -1));
    pb_add(&g, 5, pb_tensor("zeros", 7, (const int64_t[]){0, 0}, 16, 2, -1));
    pb_add(&g, 5, pb_tensor("thousands", 7, (const int64_t[]){1000, 1000}, 16, 2, -1));
    refused(pb_model(g, 13), "impossible size", "2^40 elements made of none");

    for (int i = 0; i < 32; i++) ones[i] = 1;
    g = pb_graph(2, 4, 4, "Sum w x > y", NULL);
    pb_add(&g, 5, pb_tensor("w", 1, ones, 128, 1, 2, 4, 4, -1));
    made = import(pb_model(g, 13), NULL, &e);
    OK(made != NULL, "a sum that begins with a constant %s", e.msg);
    xfv_graph_free(made);
}

static void graphs(void)
{
    refused(pb_model(pb_graph(2, 4, 4, "Add x b > a", "Relu a > b", "Relu b > y", NULL), 13), "in a circle", "a cycle");
    refused(pb_model(pb_graph(2, 4, 4, "Relu y > y", NULL), 13), "in a circle", "a node that reads itself");
    refused(pb_model(pb_graph(2, 4, 4, "LSTM x > a", "Relu a > b", "Foo b > y", "LSTM x > c", "GRU x > d", NULL), 13),
            "LSTM is not supported (node 'a', 'c'); operator Foo is not supported (node 'y'); operator GRU",
            "all unknown operators and their nodes in one message");
    refused(pb_model(pb_graph(2, 4, 4, "Conv x > a", "Gemm x > b", "Foo x > y", NULL), 13), "'b' (Gemm)",
            "and what else was not understood");
    refused(pb_model(pb_graph(2, 70000, 4, "Relu x > y", NULL), 13), "--size", "an input of an impossible height");
    refused(pb_model(pb_graph(2, -1, -1, "Relu x > y", NULL), 13), "--size", "an input of no size");
    char said[400] = "";
    struct xfv_import_opts told = {.note = said, .note_size = sizeof said};
    struct xfv_graph *future = NULL;
    struct pb newer = pb_model(pb_graph(2, 4, 4, "Relu x > y", NULL), 99);
    OK(xfv_import_onnx(newer.p, newer.n, &told, &future, NULL) == 0 && strstr(said, "opset 99"),
       "an opset of the future: %s", said);
    xfv_graph_free(future);
    free(newer.p);
    refused(pb_model(pb_graph(2, 4, 4, "Gravity x > y", NULL), 99), "operator Gravity", "an operator of the future");
    refused(pb_model(pb_graph(2, 4, 4, "Relu x > y", NULL), 3), "opset 3", "an opset of the past");
    refused((struct pb){0}, "not an ONNX file", "nothing");
    struct pb g = pb_graph(2, 4, 4, "Relu x > y", NULL);
    int dims[2] = {1, 2};
    pb_add(&g, 11, pb_value("x2", 2, dims));
    struct xfv_graph *one = import(pb_model(g, 13), NULL, &(struct xfv_err){0});
    OK(one && one->n_nodes == 1, "a second input that nothing reads is left out");
    xfv_graph_free(one);
    g = pb_graph(2, 4, 4, "Add x x2 > y", NULL);
    pb_add(&g, 11, pb_value("x2", 2, dims));
    refused(pb_model(g, 13), "2 inputs, 2 of which are read", "two inputs");
    struct pb m = {0}; /* graphs in attributes of nodes of graphs ... */
    for (int i = 0; i < 20000; i++) {
        struct pb a = {0}, n = {0}, next = {0};
        pb_add(&a, 6, m);
        pb_add(&n, 5, a);
        pb_add(&next, 1, n);
        m = next;
    }
    refused(pb_model(m, 13), "not an ONNX file", "60000 messages in each other");
}

/* ---- damage ---- */

static uint8_t *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = malloc(1 << 20);
    *n = f && p ? fread(p, 1, 1 << 20, f) : 0;
    if (f) fclose(f);
    return p;
}

static uint32_t seed = 2463534242u;
static uint32_t dice(void) { return seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5; }

/* Every try gives a graph or a sentence; what it does not give is a crash, which the sanitised build would show. */
static void damage(const char *name)
{
    char path[4096];
    const char *top = getenv("top");
    size_t n, refusals = 0, silent = 0;
    snprintf(path, sizeof path, "%s/tests/onnx/%s.onnx", top ? top : ".", name);
    uint8_t *p = slurp(path, &n), *q = malloc(n + 1);
    if (!OK(n > 1000, "%s: there", name)) goto out;
    for (int k = 0; k < 500; k++) {
        size_t len = n;
        memcpy(q, p, n);
        if (k < 100) len = n * (size_t)k / 100;
        /* the nodes lie in front */
        else
            for (uint32_t flips = 1 + dice() % 8; flips; flips--)
                q[k % 2 ? dice() % n : dice() % 4000] ^= (uint8_t)(1u << dice() % 8);
        struct xfv_graph *g = NULL;
        struct xfv_err e = {0};
        int st = xfv_import_onnx(q, len, NULL, &g, &e);
        if (!st) xfv_graph_free(g);
        refusals += st != 0;
        silent += st && (st != XFV_EMODEL || strlen(e.msg) < 10);
    }
    OK(refusals > 200 && silent == 0, "%s: 500 damaged copies, %zu refused, each with a sentence", name, refusals);
out:
    free(p);
    free(q);
}

int main(void)
{
    struct rlimit memory = {(rlim_t)4 << 30, (rlim_t)4 << 30};
#if !defined(__SANITIZE_ADDRESS__)
    setrlimit(RLIMIT_AS, &memory);
#endif
    (void)memory;
    kinds_of_weights();
    external_data();
    lies();
    emptiness();
    graphs();
    damage("tiny-mobilefacenet");
    damage("tiny-vit");
    damage("tiny-odds");
    return tap_done();
}
