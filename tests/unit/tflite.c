/* The TFLite importer, on files written here: each operator against TensorFlow's definition, then files that lie or are
 * damaged. With --write FILE it writes a small network for the tests of the programs. */
#include "graphs.h"
#include "net/import/import.h"
#include "net/graph/ref.h"
#include "tflite_build.h"

enum {
    ADD = 0,
    AVERAGE_POOL = 1,
    CONCAT = 2,
    CONV = 3,
    DEPTHWISE = 4,
    DEQUANTIZE = 6,
    FULLY_CONNECTED = 9,
    L2_NORM = 11,
    MAX_POOL = 17,
    MUL = 18,
    RELU = 19,
    RESHAPE = 22,
    SOFTMAX = 25,
    PAD = 34,
    MEAN = 40,
    SUB = 41,
    DIV = 42,
    PRELU = 54,
    NEG = 59,
    SUM = 74,
    ABS = 101,
    HARD_SWISH = 117
};
enum { SAME, VALID };

static struct tflite_file file;
static float numbers[4096];

static struct tflite_model model(int batch, int h, int w, int c)
{
    struct tflite_model m = {0};
    m.input = tensor(&m, "input", T_F32, 4, batch, h, w, c, NULL, 0);
    return m;
}

/* A constant of random floats (kept until the next file). */
static int floats(struct tflite_model *m, const char *name, int rank, int a, int b, int c, int d)
{
    static size_t used;
    size_t n = (size_t)a * (size_t)(rank > 1 ? b : 1) * (size_t)(rank > 2 ? c : 1) * (size_t)(rank > 3 ? d : 1);
    if (used + n > sizeof numbers / sizeof *numbers) used = 0;
    float *p = numbers + used;
    used += n;
    for (size_t i = 0; i < n; i++) p[i] = (float)uniform() + 1.25f;
    return tensor(m, name, T_F32, rank, a, b, c, d, p, n * sizeof *p);
}

static struct xfv_graph *import(const struct tflite_model *m, struct xfv_err *e)
{
    struct xfv_graph *g = NULL;
    write_tflite(&file, m);
    return xfv_import_tflite(file.p, file.n, NULL, &g, e) ? NULL : g;
}

/* Import, run on x; the output's values (free with xfv_ref_free through *v) or NULL after a failed check. */
static const double *run(const struct tflite_model *m, const double *x, struct xfv_graph **g, double ***v,
                         const char *what)
{
    struct xfv_err e = {0};
    *g = import(m, &e);
    if (!OK(*g && !xfv_ref_forward(*g, (*g)->values[0].shape, x, v, &e), "%s: imported", what)) {
        printf("# %s\n", e.msg);
        return NULL;
    }
    return (*v)[(*g)->outputs[0]];
}

static void compare(const struct tflite_model *m, const double *x, const double *want, size_t n, const char *what)
{
    struct xfv_graph *g;
    double **v, worst = 0;
    const double *y = run(m, x, &g, &v, what);
    if (!y) return;
    for (size_t i = 0; i < n; i++) worst = fmax(worst, fabs(y[i] - want[i]) / (1 + fabs(want[i])));
    OK(xfv_shape_count(g->values[g->outputs[0]].shape) == n && worst < 1e-6, "%s: as TensorFlow defines it (%.1e)",
       what, worst);
    xfv_ref_free(g, v);
    xfv_graph_free(g);
}

/* Convolution as TensorFlow says: weights [cout][kh][kw][cin] (depthwise: [1][kh][kw][c]), SAME pads (total)/2 before.
 */
static void tf_conv(const double *x, int h, int w, int cin, const float *k, int kh, int kw, int cout, int stride,
                    int same, int depthwise, const float *bias, double *y, int oh, int ow)
{
    int ph = (oh - 1) * stride + kh - h, pw = (ow - 1) * stride + kw - w;
    ph = same && ph > 0 ? ph / 2 : 0, pw = same && pw > 0 ? pw / 2 : 0;
    for (int oy = 0; oy < oh; oy++)
        for (int ox = 0; ox < ow; ox++)
            for (int o = 0; o < cout; o++) {
                double s = (double)bias[o];
                for (int a = 0; a < kh; a++)
                    for (int b = 0; b < kw; b++)
                        for (int c = 0; c < cin; c++) {
                            int iy = oy * stride + a - ph, ix = ox * stride + b - pw;
                            if (iy < 0 || ix < 0 || iy >= h || ix >= w || (depthwise && c != o)) continue;
                            double f = (double)(depthwise ? k[(a * kw + b) * cin + c]
                                                          : k[((o * kh + a) * kw + b) * cin + c]);
                            s += f * x[(iy * w + ix) * cin + c];
                        }
                y[(oy * ow + ox) * cout + o] = s;
            }
}

static void test_convolutions(void)
{
    double *x = spread(7 * 6 * 3), y[7 * 6 * 5];
    for (int same = 0; same < 2; same++)
        for (int stride = 1; stride < 3; stride++)
            for (int depthwise = 0; depthwise < 2; depthwise++) {
                char what[80];
                int oh = same ? (7 + stride - 1) / stride : (7 - 3) / stride + 1,
                    ow = same ? (6 + stride - 1) / stride : (6 - 2) / stride + 1, cout = depthwise ? 3 : 5;
                struct tflite_model m = model(2, 7, 6, 3);
                int k = depthwise ? floats(&m, "k", 4, 1, 3, 2, 3) : floats(&m, "k", 4, 5, 3, 2, 3),
                    b = floats(&m, "b", 1, cout, 0, 0, 0);
                int out = tensor(&m, "y", T_F32, 4, 2, oh, ow, cout, NULL, 0);
                const int options[] = {same ? SAME : VALID, stride, stride, 0, 1, 1},
                          d_options[] = {same ? SAME : VALID, stride, stride, 1, 0, 1, 1};
                op(&m, depthwise ? DEPTHWISE : CONV, 0, k, b, out, depthwise ? 7 : 6, depthwise ? d_options : options);
                tf_conv(x, 7, 6, 3, m.t[k].data, 3, 2, cout, stride, same, depthwise, m.t[b].data, y, oh, ow);
                snprintf(what, sizeof what, "%s 3x2/%d %s", depthwise ? "DEPTHWISE_CONV_2D" : "CONV_2D", stride,
                         same ? "SAME" : "VALID");
                compare(&m, x, y, (size_t)(oh * ow * cout), what);
            }
    free(x);
}

static void test_dense(void)
{
    double *x = spread(12), y[5];
    struct tflite_model m = model(2, 2, 2, 3);
    int k = floats(&m, "k", 2, 5, 12, 0, 0), b = floats(&m, "b", 1, 5, 0, 0, 0),
        out = tensor(&m, "y", T_F32, 2, 2, 5, 0, 0, NULL, 0);
    const int relu[] = {1};
    op(&m, FULLY_CONNECTED, 0, k, b, out, 1, relu);
    for (int o = 0; o < 5; o++) {
        y[o] = (double)((const float *)m.t[b].data)[o];
        for (int i = 0; i < 12; i++) y[o] += (double)((const float *)m.t[k].data)[o * 12 + i] * x[i];
        y[o] = y[o] > 0 ? y[o] : 0;
    }
    compare(&m, x, y, 5, "FULLY_CONNECTED with a fused RELU");
    free(x);
}

static void test_pointwise(void)
{
    static const struct {
        int code, first;
        const char *name;
    } ops[] = {{ADD, 0, "ADD"}, {ADD, 1, "ADD"}, {SUB, 0, "SUB"}, {SUB, 1, "SUB"},
               {MUL, 0, "MUL"}, {MUL, 1, "MUL"}, {DIV, 0, "DIV"}, {DIV, 1, "DIV"}};
    double *x = spread(24), y[24];
    for (size_t i = 0; i < 24; i++) x[i] += x[i] > 0 ? .5 : -.5;
    for (size_t t = 0; t < 2 * sizeof ops / sizeof *ops; t++) {
        const size_t s = t / 2;
        struct tflite_model m = model(1, 2, 3, 4);
        int c = t % 2 ? floats(&m, "c", 1, 4, 0, 0, 0) : floats(&m, "c", 4, 1, 1, 1, 1),
            out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 4, NULL, 0);
        const int none[] = {0};
        char what[64];
        op(&m, ops[s].code, ops[s].first ? c : 0, ops[s].first ? 0 : c, -1, out, 1, none);
        for (int i = 0; i < 24; i++) {
            double q = (double)((const float *)m.t[c].data)[t % 2 ? i % 4 : 0], a = ops[s].first ? q : x[i],
                   b = ops[s].first ? x[i] : q;
            y[i] = ops[s].code == ADD ? a + b : ops[s].code == SUB ? a - b : ops[s].code == MUL ? a * b : a / b;
        }
        snprintf(what, sizeof what, "%s, %s %s", ops[s].name, t % 2 ? "a constant per channel" : "one number",
                 ops[s].first ? "first" : "second");
        compare(&m, x, y, 24, what);
    }
    struct tflite_model m = model(1, 2, 3, 4);
    int a = floats(&m, "a", 3, 1, 1, 4, 0), out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 4, NULL, 0);
    op(&m, PRELU, 0, a, -1, out, 0, NULL);
    for (int i = 0; i < 24; i++) y[i] = x[i] > 0 ? x[i] : x[i] * (double)((const float *)m.t[a].data)[i % 4];
    compare(&m, x, y, 24, "PRELU");
    m = model(1, 2, 3, 4), out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 4, NULL, 0),
    op(&m, HARD_SWISH, 0, -1, -1, out, 0, NULL);
    for (int i = 0; i < 24; i++) y[i] = x[i] * fmin(fmax(x[i] + 3, 0), 6) / 6;
    compare(&m, x, y, 24, "HARD_SWISH");
    free(x);
}

static void test_shapes(void)
{
    static const int axes[] = {1, -2}, pads[] = {0, 0, 1, 0, 0, 2, 0, 0};
    double *x = spread(24), y[120] = {0}, norm = 0;
    struct tflite_model m = model(3, 2, 3, 4);
    int ax = tensor(&m, "axes", T_I32, 1, 2, 0, 0, 0, axes, sizeof axes),
        out = tensor(&m, "y", T_F32, 2, 3, 4, 0, 0, NULL, 0);
    const int none[] = {0};
    op(&m, MEAN, 0, ax, -1, out, 1, none);
    for (int i = 0; i < 24; i++) y[i % 4] += x[i] / 6;
    compare(&m, x, y, 4, "MEAN that drops its axes, batch of three");
    memset(y, 0, sizeof y);
    m = model(1, 2, 3, 4);
    int p = tensor(&m, "pads", T_I32, 2, 4, 2, 0, 0, pads, sizeof pads);
    out = tensor(&m, "y", T_F32, 4, 1, 3, 5, 4, NULL, 0), op(&m, PAD, 0, p, -1, out, 0, NULL);
    for (int i = 0; i < 24; i++) y[((i / 12 + 1) * 5 + i / 4 % 3) * 4 + i % 4] = x[i];
    compare(&m, x, y, 60, "PAD");
    m = model(2, 2, 3, 4), out = tensor(&m, "y", T_F32, 2, 2, 24, 0, 0, NULL, 0),
    op(&m, RESHAPE, 0, -1, -1, out, 0, NULL);
    int n = tensor(&m, "n", T_F32, 2, 2, 24, 0, 0, NULL, 0);
    op(&m, L2_NORM, out, -1, -1, n, 1, none);
    for (int i = 0; i < 24; i++) norm += x[i] * x[i];
    for (int i = 0; i < 24; i++) y[i] = x[i] / sqrt(norm);
    compare(&m, x, y, 24, "RESHAPE with the batch baked in, L2_NORMALIZATION");
    m = model(1, 2, 3, 4), out = tensor(&m, "y", T_F32, 4, 1, 2, 6, 4, NULL, 0);
    const int concat[] = {2, 0};
    op(&m, CONCAT, 0, 0, -1, out, 2, concat);
    for (int i = 0; i < 48; i++) y[i] = x[i / 24 * 12 + i % 12];
    compare(&m, x, y, 48, "CONCATENATION");
    free(x);
}

static void refused(const struct tflite_model *m, const char *word, const char *what);

static void test_half(void)
{
    static const uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x3555}; /* 1, -2, 2^-24, 0.333251953125 */
    static const double value[] = {1, -2, 0x1p-24, 0.333251953125};
    double *x = spread(24), y[24];
    struct tflite_model m = model(1, 2, 3, 4);
    int h = tensor(&m, "half", T_F16, 1, 4, 0, 0, 0, half, sizeof half),
        f = tensor(&m, "full", T_F32, 1, 4, 0, 0, 0, NULL, 0);
    int out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 4, NULL, 0);
    const int none[] = {0};
    op(&m, DEQUANTIZE, h, -1, -1, f, 0, NULL), op(&m, MUL, 0, f, -1, out, 1, none);
    for (int i = 0; i < 24; i++) y[i] = x[i] * value[i % 4];
    compare(&m, x, y, 24, "half-precision constant through DEQUANTIZE");
    free(x);
}

/* A network of bytes: weights along channels, a bias of whole numbers, quantisers of activations between; the input's
 * own scale. */
static void test_quantised(void)
{
    static const int8_t w[] = {10, -20, 30, 40, 5, 6, -7, 8};
    static const int32_t b[] = {100, -200};
    static const uint8_t u[] = {128, 130, 120, 255};
    const float ws[] = {.5f, .25f};
    double *x = spread(24), y[12];
    struct tflite_model m = model(1, 2, 3, 4);
    int k = tensor(&m, "w", T_I8, 4, 2, 1, 1, 4, w, sizeof w), c = tensor(&m, "b", T_I32, 1, 2, 0, 0, 0, b, sizeof b);
    int in = tensor(&m, "xq", T_I8, 4, 1, 2, 3, 4, NULL, 0), yq = tensor(&m, "yq", T_I8, 4, 1, 2, 3, 2, NULL, 0),
        out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 2, NULL, 0);
    const int conv[] = {1, 1, 1, 0, 1, 1};
    m.t[k].n_scales = 2, memcpy(m.t[k].scale, ws, sizeof ws);
    m.t[c].n_scales = 2, m.t[c].scale[0] = .125f, m.t[c].scale[1] = .0625f;
    op(&m, 114, 0, -1, -1, in, 0, NULL), op(&m, CONV, in, k, c, yq, 6, conv),
        op(&m, DEQUANTIZE, yq, -1, -1, out, 0, NULL);
    for (int p = 0; p < 6; p++)
        for (int o = 0; o < 2; o++) {
            y[p * 2 + o] = o ? -12.5 : 12.5;
            for (int i = 0; i < 4; i++) y[p * 2 + o] += x[p * 4 + i] * (double)ws[o] * w[o * 4 + i];
        }
    compare(&m, x, y, 12, "int8 weights by channel, whole numbers for the bias, quantised activations");
    /* -.256...254, -2.8..22.7 */
    m.t[in].n_scales = 1, m.t[in].scale[0] = .002f, m.t[yq].n_scales = 1, m.t[yq].scale[0] = .1f,
    m.t[yq].zero[0] = -100;
    for (int p = 0; p < 6; p++)
        for (int o = 0; o < 2; o++) {
            double v = o ? -12.5 : 12.5;
            for (int i = 0; i < 4; i++)
                v += fmin(fmax(x[p * 4 + i], -128 * (double).002f), 127 * (double).002f) * (double)ws[o] * w[o * 4 + i];
            y[p * 2 + o] = fmin(fmax(v, -28 * (double).1f), 227 * (double).1f);
        }
    compare(&m, x, y, 12, "quantised activations are limited to what their numbers hold");
    m.op[1].options[3] = 1; /* a fused ReLU */
    for (int i = 0; i < 12; i++) y[i] = fmax(y[i], 0);
    compare(&m, x, y, 12, "and a fused activation comes first");
    m.op[1].options[3] = 0, m.t[in].n_scales = m.t[yq].n_scales = 0;
    m.t[k].along = 1, refused(&m, "2 scales", "scales along another dimension");
    double z[24];
    m = model(1, 2, 3, 4), m.t[0].type = T_U8, m.t[0].n_scales = 1, m.t[0].scale[0] = .0078125f, m.t[0].zero[0] = 128;
    k = tensor(&m, "u", T_U8, 1, 4, 0, 0, 0, u, sizeof u), out = tensor(&m, "y", T_U8, 4, 1, 2, 3, 4, NULL, 0);
    m.t[k].n_scales = 1, m.t[k].scale[0] = .5f, m.t[k].zero[0] = 128;
    const int none[] = {0};
    op(&m, MUL, 0, k, -1, out, 1, none);
    for (int i = 0; i < 24; i++) z[i] = x[i] * .5 * (u[i % 4] - 128);
    compare(&m, x, z, 24, "uint8 with a zero point, and an input of bytes");
    m.t[k].n_scales = 0, refused(&m, "nor of bytes with a scale", "bytes without a scale");
    free(x);
}

/* What Keras' networks need beyond that. */
static void test_keras(void)
{
    const int none[] = {0};
    double *x = spread(24), y[24]; /* 2 x 3 x 4 */
    static const struct {
        int code;
        const char *name;
        double (*f)(double v);
    } functions[] = {{76, "RSQRT", NULL}, {75, "SQRT", sqrt}, {73, "LOG", log}, {66, "SIN", sin}, {108, "COS", cos}};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        struct tflite_model m = model(1, 2, 3, 4);
        int e = tensor(&m, "e", T_F32, 4, 1, 2, 3, 4, NULL, 0), out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 4, NULL, 0);
        op(&m, 47, 0, -1, -1, e, 0, NULL), op(&m, functions[i].code, e, -1, -1, out, 0, NULL);
        for (int k = 0; k < 24; k++) y[k] = functions[i].f ? functions[i].f(exp(x[k])) : 1 / sqrt(exp(x[k]));
        compare(&m, x, y, 24, functions[i].name);
    }
    for (int which = 0; which < 3; which++) {
        static const int codes[3] = {55, 57, 99};
        static const char *const names[3] = {"MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE"};
        struct tflite_model m = model(1, 2, 3, 4);
        int n = tensor(&m, "n", T_F32, 4, 1, 2, 3, 4, NULL, 0), out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 4, NULL, 0);
        op(&m, NEG, 0, -1, -1, n, 0, NULL), op(&m, codes[which], 0, n, -1, out, 0, NULL);
        for (int k = 0; k < 24; k++) y[k] = which == 0 ? fabs(x[k]) : which == 1 ? -fabs(x[k]) : 4 * x[k] * x[k];
        compare(&m, x, y, 24, names[which]);
    }
    static const int32_t perm[4] = {0, 3, 1, 2}, begin[4] = {0, 0, 1, -3}, end[4] = {0, 2, 3, 4},
                         step[4] = {1, 1, 2, 1}, last[1] = {3}, size[2] = {4, 3};
    struct tflite_model m = model(1, 2, 3, 4);
    int p = tensor(&m, "p", T_I32, 1, 4, 0, 0, 0, perm, 16), out = tensor(&m, "y", T_F32, 4, 1, 4, 2, 3, NULL, 0);
    op(&m, 39, 0, p, -1, out, 0, NULL);
    for (int k = 0; k < 24; k++) y[k] = x[k % 6 * 4 + k / 6];
    compare(&m, x, y, 24, "TRANSPOSE");
    m = model(1, 2, 3, 4);
    int b = tensor(&m, "b", T_I32, 1, 4, 0, 0, 0, begin, 16), e = tensor(&m, "e", T_I32, 1, 4, 0, 0, 0, end, 16),
        s = tensor(&m, "s", T_I32, 1, 4, 0, 0, 0, step, 16);
    const int masks[] = {1, 1, 0, 0, 0};
    out = tensor(&m, "y", T_F32, 4, 1, 2, 1, 3, NULL, 0);
    op(&m, 45, 0, b, e, out, 5, masks), m.op[0].in[3] = s, m.op[0].n_in = 4;
    for (int k = 0; k < 6; k++) y[k] = x[(k / 3 * 3 + 1) * 4 + 1 + k % 3];
    compare(&m, x, y, 6, "STRIDED_SLICE");
    m = model(1, 2, 3, 4);
    int axis = tensor(&m, "axis", T_I32, 0, 0, 0, 0, 0, last, 4),
        one = tensor(&m, "one", T_F32, 4, 1, 2, 3, 2, NULL, 0), two = tensor(&m, "two", T_F32, 4, 1, 2, 3, 2, NULL, 0);
    out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 2, NULL, 0);
    op(&m, 49, axis, 0, -1, one, 1, none), m.op[0].out2 = two, op(&m, SUB, one, two, -1, out, 1, none);
    for (int k = 0; k < 12; k++) y[k] = x[k / 2 * 4 + k % 2] - x[k / 2 * 4 + 2 + k % 2];
    compare(&m, x, y, 12, "SPLIT");
    for (int nearest = 0; nearest < 2; nearest++) { /* 2 x 3 to 4 x 3, half pixels: rows 1/4 away from the old ones */
        const int bilinear_options[] = {0, 0, 0, 1}, nearest_options[] = {0, 1};
        m = model(1, 2, 3, 4);
        int z = tensor(&m, "size", T_I32, 1, 2, 0, 0, 0, size, 8);
        double big[48];
        out = tensor(&m, "y", T_F32, 4, 1, 4, 3, 4, NULL, 0);
        op(&m, nearest ? 97 : 23, 0, z, -1, out, nearest ? 2 : 4, nearest ? nearest_options : bilinear_options);
        for (int k = 0; k < 48; k++) {
            static const double lower[4] = {0, .25, .75, 1};
            double w = nearest ? k / 24 : lower[k / 12];
            big[k] = (1 - w) * x[k % 12] + w * x[12 + k % 12];
        }
        compare(&m, x, big, 48, nearest ? "RESIZE_NEAREST_NEIGHBOR" : "RESIZE_BILINEAR");
    }
    m = model(1, 2, 3, 4); /* [2,3,4] by its own transpose */
    const int adjoint[] = {0, 1};
    out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 3, NULL, 0), op(&m, 126, 0, 0, -1, out, 2, adjoint);
    for (int k = 0; k < 18; k++) {
        y[k] = 0;
        for (int j = 0; j < 4; j++) y[k] += x[k / 3 * 4 + j] * x[(k / 9 * 3 + k % 3) * 4 + j];
    }
    compare(&m, x, y, 18, "BATCH_MATMUL");
    m = model(1, 2, 3, 4);
    out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 4, NULL, 0), op(&m, 50, 0, -1, -1, out, 0, NULL);
    for (int k = 0; k < 24; k++) {
        double sum = 0;
        for (int j = 0; j < 4; j++) sum += exp(x[k / 4 * 4 + j]);
        y[k] = x[k] - log(sum);
    }
    compare(&m, x, y, 24, "LOG_SOFTMAX");
    m = model(1, 2, 3, 4); /* two outputs for each channel */
    const int depthwise[] = {VALID, 1, 1, 2, 0, 1, 1};
    int k = floats(&m, "k", 4, 1, 2, 3, 8);
    out = tensor(&m, "y", T_F32, 4, 1, 1, 1, 8, NULL, 0), op(&m, DEPTHWISE, 0, k, -1, out, 7, depthwise);
    const float *w = m.t[k].data;
    for (int o = 0; o < 8; o++) {
        y[o] = 0;
        for (int q = 0; q < 6; q++) y[o] += x[q * 4 + o / 2] * (double)w[q * 8 + o];
    }
    compare(&m, x, y, 8, "DEPTHWISE_CONV_2D with a multiplier of 2");
    m = model(1, 2, 3, 4); /* the shape of a reshape, computed from the input's */
    int sh = tensor(&m, "shape", T_I32, 1, 4, 0, 0, 0, NULL, 0), n0 = tensor(&m, "n", T_I32, 0, 0, 0, 0, 0, NULL, 0),
        rest = tensor(&m, "rest", T_I32, 0, 0, 0, 0, 0, last, 4);
    int list = tensor(&m, "list", T_I32, 1, 2, 0, 0, 0, NULL, 0);
    b = tensor(&m, "b", T_I32, 1, 1, 0, 0, 0, begin, 4), e = tensor(&m, "e", T_I32, 1, 1, 0, 0, 0, step, 4);
    out = tensor(&m, "y", T_F32, 2, 1, 24, 0, 0, NULL, 0);
    const int shrink[] = {0, 0, 0, 0, 1}, pack[] = {2, 0};
    op(&m, 77, 0, -1, -1, sh, 0, NULL), op(&m, 45, sh, b, e, n0, 5, shrink), m.op[1].in[3] = e, m.op[1].n_in = 4;
    op(&m, 83, n0, rest, -1, list, 2, pack), op(&m, RESHAPE, 0, list, -1, out, 0, NULL);
    compare(&m, x, x, 24, "SHAPE, STRIDED_SLICE, PACK and RESHAPE");
    m = model(1, 2, 3, 4), out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 4, NULL, 0);
    op(&m, L2_NORM, 0, -1, -1, out, 1, none);
    for (int q = 0; q < 24; q++) {
        double sum = 0;
        for (int j = 0; j < 4; j++) sum += x[q / 4 * 4 + j] * x[q / 4 * 4 + j];
        y[q] = x[q] / sqrt(sum);
    }
    compare(&m, x, y, 24, "L2_NORMALIZATION of each position");
    static const int ix[] = {3, 0, 3}, gather[] = {-1, 0};
    m = model(1, 2, 3, 4), out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 3, NULL, 0);
    op(&m, 36, 0, tensor(&m, "i", T_I32, 1, 3, 0, 0, 0, ix, sizeof ix), -1, out, 2, gather);
    for (int q = 0; q < 18; q++) y[q] = x[q / 3 * 4 + ix[q % 3]];
    compare(&m, x, y, 18, "GATHER");
    static const int pads[] = {0, 0, 1, 0, 0, 2, 0, 0}, at[] = {0, 1, 1, 0}, size4[] = {0, 1, -1, 2};
    static const float border = -.5f;
    double padded[60];
    m = model(1, 2, 3, 4), out = tensor(&m, "y", T_F32, 4, 1, 3, 5, 4, NULL, 0);
    p = tensor(&m, "p", T_I32, 2, 4, 2, 0, 0, pads, sizeof pads);
    int pv = tensor(&m, "v", T_F32, 0, 0, 0, 0, 0, &border, 4);
    op(&m, 60, 0, p, pv, out, 0, NULL);
    for (int q = 0; q < 60; q++)
        padded[q] = q / 20 < 1 || q / 4 % 5 > 2 ? -.5 : x[(q / 20 - 1) * 12 + q / 4 % 5 * 4 + q % 4];
    compare(&m, x, padded, 60, "PADV2");
    m = model(1, 2, 3, 4), out = tensor(&m, "y", T_F32, 4, 1, 1, 2, 2, NULL, 0);
    int whole_batch[4] = {1, size4[1], size4[2], size4[3]};
    op(&m, 65, 0, tensor(&m, "b", T_I32, 1, 4, 0, 0, 0, at, 16), tensor(&m, "s", T_I32, 1, 4, 0, 0, 0, whole_batch, 16),
       out, 0, NULL);
    for (int q = 0; q < 4; q++) y[q] = x[12 + 4 + q / 2 * 4 + q % 2];
    compare(&m, x, y, 4, "SLICE");
    m = model(1, 2, 3, 4), out = tensor(&m, "y", T_F32, 4, 1, 2, 3, 4, NULL, 0);
    op(&m, 53, 0, -1, -1, out, 0, NULL), compare(&m, x, x, 24, "CAST");
    free(x);
}

/* Max-pooling 2x2/2 SAME is written so that it holds at every input size; 3x3/2 as the declared size needs it. */
static void test_resizable(void)
{
    struct tflite_model m = model(1, 8, 8, 1);
    struct xfv_shape s[4];
    struct xfv_err e;
    int out = tensor(&m, "y", T_F32, 4, 1, 4, 4, 1, NULL, 0);
    const int pool[] = {SAME, 2, 2, 2, 2, 0};
    op(&m, MAX_POOL, 0, -1, -1, out, 6, pool);
    struct xfv_graph *g = import(&m, &e);
    int ok = g && xfv_graph_shapes(g, xfv_shape_of(3, 7, 8, 1), s, &e) == 0;
    OK(ok && s[1].dim[0] == 4 && s[1].dim[1] == 4, "MAX_POOL_2D SAME 2x2/2 of 7x8 gives 4x4");
    xfv_graph_free(g);
    struct xfv_import_opts o = {.height = 5, .width = 9};
    g = NULL;
    OK(xfv_import_tflite(file.p, file.n, &o, &g, &e) == 0 && g->values[1].shape.dim[0] == 3 &&
           g->values[1].shape.dim[1] == 5,
       "the size can be chosen at import");
    xfv_graph_free(g);
}

/* ---- what must be refused ---- */

static void refused(const struct tflite_model *m, const char *word, const char *what)
{
    struct xfv_err e = {0};
    struct xfv_graph *g = import(m, &e);
    OK(!g && e.status == XFV_EMODEL && strstr(e.msg, word), "%s is refused: %s", what, e.msg);
    xfv_graph_free(g);
}

static void test_refusals(void)
{
    const int none[] = {0}, conv[] = {SAME, 1, 1, 0, 1, 1};
    struct tflite_model m = model(1, 4, 4, 2);
    int out = tensor(&m, "y", T_F32, 4, 1, 4, 4, 2, NULL, 0), out2 = tensor(&m, "z", T_F32, 4, 1, 4, 4, 2, NULL, 0);
    op(&m, 7, 0, -1, -1, out, 0, NULL), op(&m, 32, out, -1, -1, out2, 0, NULL);
    refused(&m, "1 EMBEDDING_LOOKUP, 1 CUSTOM", "every unknown operator, in one message,");
    m = model(1, 4, 4, 2), out = tensor(&m, "y", T_F32, 4, 1, 4, 4, 3, NULL, 0), op(&m, RELU, 0, -1, -1, out, 0, NULL);
    refused(&m, "'y'", "a declared shape that is not so");
    m = model(1, 4, 4, 2), out = tensor(&m, "y", T_F32, 4, 1, 4, 4, 2, NULL, 0), op(&m, RELU, 99, -1, -1, out, 0, NULL);
    refused(&m, "tensor 99", "a tensor that is not there");
    m = model(1, 4, 4, 2), out = tensor(&m, "y", T_F32, 4, 1, 4, 4, 2, NULL, 0),
    out2 = tensor(&m, "z", T_F32, 4, 1, 4, 4, 2, NULL, 0);
    op(&m, RELU, out2, -1, -1, out, 0, NULL), op(&m, RELU, out, -1, -1, out2, 0, NULL);
    refused(&m, "before any makes it", "a cycle");
    m = model(1, 4, 4, 2), out = tensor(&m, "y", T_F32, 4, 1, 4, 4, 2, NULL, 0), op(&m, RELU, 0, -1, -1, out, 0, NULL),
    op(&m, ABS, 0, -1, -1, out, 0, NULL);
    refused(&m, "two operators make 'y'", "a tensor made twice");
    m = model(1, 4, 4, 2), out = tensor(&m, "y", T_F32, 4, 1, 4, 4, 3, NULL, 0);
    int k = floats(&m, "k", 4, 3, 3, 3, 2);
    m.t[k].bytes -= 4;
    op(&m, CONV, 0, k, -1, out, 6, conv), refused(&m, "bytes of data", "a weight cut short");
    m.t[k].bytes += 4, m.t[k].dim[3] = 1000000, refused(&m, "'k'", "a weight that claims more than it has");
    m.t[k].dim[3] = -2, refused(&m, "impossible shape", "a negative dimension");
    m = model(1, 4, 4, 2), m.t[0].type = 3, out = tensor(&m, "y", T_F32, 4, 1, 4, 4, 2, NULL, 0),
    op(&m, RELU, 0, -1, -1, out, 0, NULL);
    refused(&m, "float image", "a quantised input");
    const int beta[] = {0x40000000}; /* 2.0f */
    m = model(1, 4, 4, 2), out = tensor(&m, "y", T_F32, 4, 1, 4, 4, 2, NULL, 0),
    out2 = tensor(&m, "z", T_F32, 4, 1, 4, 4, 2, NULL, 0);
    int sum = tensor(&m, "sum", T_F32, 4, 1, 4, 4, 2, NULL, 0);
    op(&m, SOFTMAX, 0, -1, -1, out, 1, beta), op(&m, 39, 0, -1, -1, out2, 1, none),
        op(&m, ADD, out, out2, -1, sum, 1, none);
    refused(&m, "beta 2 instead of 1; operator 'z'", "everything that is wrong, in one message,");
    struct xfv_err e;
    struct xfv_graph *g;
    OK(xfv_import_tflite((const uint8_t *)"GIF89a..", 8, NULL, &g, &e) == XFV_EMODEL,
       "another kind of file is refused: %s", e.msg);
    OK(xfv_import_tflite((const uint8_t *)"", 0, NULL, &g, &e) == XFV_EMODEL, "an empty file is refused: %s", e.msg);
}

/* A small network with most operators: conv, depthwise, a spelled-out prelu, pooling, dense, softmax. */
static struct tflite_model small_network(void)
{
    const int conv[] = {SAME, 2, 2, 0, 1, 1}, depthwise[] = {VALID, 1, 1, 1, 0, 1, 1}, pool[] = {SAME, 2, 2, 2, 2, 0},
              none[] = {0};
    struct tflite_model m = model(2, 12, 10, 3);
    int a = tensor(&m, "conv", T_F32, 4, 2, 6, 5, 4, NULL, 0), k = floats(&m, "conv/weights", 4, 4, 3, 3, 3),
        b = floats(&m, "conv/bias", 1, 4, 0, 0, 0);
    op(&m, CONV, 0, k, b, a, 6, conv);
    int r = tensor(&m, "relu", T_F32, 4, 2, 6, 5, 4, NULL, 0), ab = tensor(&m, "abs", T_F32, 4, 2, 6, 5, 4, NULL, 0),
        s = tensor(&m, "sub", T_F32, 4, 2, 6, 5, 4, NULL, 0);
    int mu = tensor(&m, "mul", T_F32, 4, 2, 6, 5, 4, NULL, 0), p = tensor(&m, "prelu", T_F32, 4, 2, 6, 5, 4, NULL, 0),
        sl = floats(&m, "slope", 1, 4, 0, 0, 0);
    op(&m, RELU, a, -1, -1, r, 0, NULL), op(&m, ABS, a, -1, -1, ab, 0, NULL), op(&m, SUB, a, ab, -1, s, 1, none);
    op(&m, MUL, s, sl, -1, mu, 1, none), op(&m, ADD, r, mu, -1, p, 1, none);
    int d = tensor(&m, "depthwise", T_F32, 4, 2, 4, 3, 4, NULL, 0);
    k = floats(&m, "depthwise/weights", 4, 1, 3, 3, 4), b = floats(&m, "depthwise/bias", 1, 4, 0, 0, 0);
    op(&m, DEPTHWISE, p, k, b, d, 7, depthwise);
    int q = tensor(&m, "pool", T_F32, 4, 2, 2, 2, 4, NULL, 0);
    op(&m, MAX_POOL, d, -1, -1, q, 6, pool);
    int f = tensor(&m, "dense", T_F32, 2, 2, 6, 0, 0, NULL, 0),
        o = tensor(&m, "embedding", T_F32, 2, 2, 6, 0, 0, NULL, 0);
    k = floats(&m, "dense/weights", 2, 6, 16, 0, 0), b = floats(&m, "dense/bias", 1, 6, 0, 0, 0);
    op(&m, FULLY_CONNECTED, q, k, b, f, 1, none), op(&m, L2_NORM, f, -1, -1, o, 1, none);
    return m;
}

/* Cut anywhere, or with any byte changed: a graph or a sentence, never a crash (run it under ASan). Each input is its
 * own heap block, so that a read one byte past the end is seen. */
static void test_damage(void)
{
    struct tflite_model m = small_network();
    struct xfv_err e = {0};
    struct xfv_graph *g = import(&m, &e);
    int bad = 0, silent = 0;
    OK(g != NULL, "the small network imports %s", e.msg);
    xfv_graph_free(g);
    const size_t n = file.n;
    for (size_t cut = 0; cut < n; cut += cut < 1000 ? 1 : 7) {
        uint8_t *p = malloc(cut ? cut : 1);
        memcpy(p, file.p, cut);
        g = NULL;
        e = (struct xfv_err){0};
        if (xfv_import_tflite(p, cut, NULL, &g, &e) == 0) bad++;
        else silent += e.status != XFV_EMODEL || !e.msg[0];
        xfv_graph_free(g);
        free(p);
    }
    OK(!bad && !silent, "cut at every place of %zu bytes: refused with a sentence (%d accepted, %d without)", n, bad,
       silent);
    int accepted = 0, runs = 0;
    silent = 0;
    uint8_t *p = malloc(n);
    for (size_t at = 0; at < n; at++)
        for (int t = 0; t < 4; t++, runs++) {
            static const uint8_t masks[] = {0xff, 0x80, 0x01, 0x10};
            memcpy(p, file.p, n);
            p[at] ^= masks[t];
            g = NULL;
            e = (struct xfv_err){0};
            if (xfv_import_tflite(p, n, NULL, &g, &e) == 0) accepted += xfv_graph_check(g, &e) == 0;
            else silent += e.status != XFV_EMODEL || !e.msg[0];
            xfv_graph_free(g);
        }
    free(p);
    OK(!silent && accepted > 0 && accepted < runs,
       "changed bytes: %d of %d still a sound graph, the rest refused with a sentence", accepted, runs);
}

static int write_small(const char *path)
{
    struct tflite_model m = small_network();
    FILE *f = fopen(path, "wb");
    write_tflite(&file, &m);
    return f && fwrite(file.p, 1, file.n, f) == file.n && fclose(f) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0) return write_small(argv[2]);
    test_convolutions();
    test_dense();
    test_pointwise();
    test_shapes();
    test_half();
    test_quantised();
    test_keras();
    test_resizable();
    test_refusals();
    test_damage();
    return tap_done();
}
