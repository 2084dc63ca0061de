/* Operators in ONNX files that stand for several: of whole numbers, attention, and those of com.microsoft. Expected
 * numbers are worked out here. */
#include "onnx_run.h"

static const double x8[8] = {-3.1, -.4, .3, 2.2, 1.9, -1.7, .05, 7}; /* 2 x 2 x 2 */

static double clip(double v, double lo, double hi) { return v < lo ? lo : v > hi ? hi : v; }
static void scalar(struct pb *g, const char *name, float v) { pb_add(g, 5, pb_tensor(name, 1, &v, 4, -1)); }
static void zero_of(struct pb *g, const char *name, int type, int8_t v)
{
    pb_add(g, 5, pb_tensor(name, type, &v, 1, -1));
}

/* A node of com.microsoft. */
static void theirs(struct pb *g, const char *spec, struct pb a, struct pb b)
{
    struct pb n = pb_node(spec);
    pb_text(&n, 7, "com.microsoft");
    if (a.n) pb_add(&n, 5, a);
    if (b.n) pb_add(&n, 5, b);
    pb_add(g, 1, n);
}

/* Quantise, a 1x1 layer of whole numbers, dequantise: in units of .05 around 10, weights by channel, a bias in units of
 * both. */
static void layers(void)
{
    static const int8_t w[4] = {10, -20, 30, 7}, wz[2] = {0, 2};
    static const int32_t b[2] = {40, -30};
    static const float ws[2] = {.02f, .03f};
    double want[8], q[8];
    struct pb g = pb_graph(2, 2, 2, NULL);
    scalar(&g, "s", .05f), zero_of(&g, "z", 3, 10), scalar(&g, "t", .01f), zero_of(&g, "u", 2, 100);
    pb_add(&g, 5, pb_tensor("w", 3, w, 4, 2, 2, 1, 1, -1)), floats(&g, "ws", 2, ws),
        pb_add(&g, 5, pb_tensor("wz", 3, wz, 2, 2, -1)), pb_add(&g, 5, pb_tensor("b", 6, b, 8, 2, -1));
    node(&g, "QuantizeLinear x s z > q", none, none, none),
        node(&g, "QLinearConv q s z w ws wz t u b > c", none, none, none),
        node(&g, "DequantizeLinear c t u > y", none, none, none);
    for (int i = 0; i < 8; i++) q[i] = clip(x8[i], (-128 - 10) * (double).05f, (127 - 10) * (double).05f);
    for (int o = 0; o < 2; o++)
        for (int p = 0; p < 4; p++) {
            double v = b[o] * (double).05f * (double)ws[o];
            for (int i = 0; i < 2; i++) v += q[i * 4 + p] * (w[o * 2 + i] - wz[o]) * (double)ws[o];
            want[o * 4 + p] = clip(v, -100 * (double).01f, 155 * (double).01f);
        }
    gives(g, 13, x8, want, 8, "QLinearConv");
    g = pb_graph(2, 2, 2, NULL); /* the image's own range, then whole numbers, then floats again */
    pb_add(&g, 5, pb_tensor("w", 3, w, 4, 2, 2, 1, 1, -1)), scalar(&g, "ws", .02f);
    node(&g, "DynamicQuantizeLinear x > q s z", none, none, none), node(&g, "ConvInteger q w z > i", none, none, none),
        node(&g, "Cast i > f", pb_attr_int("to", 1), none, none);
    node(&g, "Mul s ws > m", none, none, none), node(&g, "Mul f m > y", none, none, none);
    for (int o = 0; o < 2; o++)
        for (int p = 0; p < 4; p++) want[o * 4 + p] = (x8[p] * w[o * 2] + x8[4 + p] * w[o * 2 + 1]) * (double).02f;
    gives(g, 13, x8, want, 8, "DynamicQuantizeLinear and ConvInteger");
    g = pb_graph(2, 2, 2, NULL);
    scalar(&g, "s", .05f), zero_of(&g, "z", 3, 10), scalar(&g, "t", .02f), zero_of(&g, "u", 3, 0);
    node(&g, "QuantizeLinear x s z > q", none, none, none), theirs(&g, "QLinearAdd q s z q s z t u > c", none, none),
        node(&g, "DequantizeLinear c t u > y", none, none, none);
    for (int i = 0; i < 8; i++) want[i] = clip(2 * q[i], -128 * (double).02f, 127 * (double).02f);
    gives(g, 13, x8, want, 8, "QLinearAdd");
    static const int8_t m[4] = {1, -2, 3, 4};
    g = pb_graph(2, 2, 2, NULL);
    scalar(&g, "s", .05f), zero_of(&g, "z", 3, 10), scalar(&g, "ws", .1f), zero_of(&g, "wz", 3, 1),
        scalar(&g, "t", .02f), zero_of(&g, "u", 3, 0);
    pb_add(&g, 5, pb_tensor("w", 3, m, 4, 2, 2, -1));
    node(&g, "QuantizeLinear x s z > q", none, none, none),
        node(&g, "QLinearMatMul q s z w ws wz t u > c", none, none, none),
        node(&g, "DequantizeLinear c t u > y", none, none, none);
    for (int r = 0; r < 4; r++)
        for (int k = 0; k < 2; k++)
            want[r * 2 + k] = clip((q[r * 2] * (m[k] - 1) + q[r * 2 + 1] * (m[2 + k] - 1)) * (double).1f,
                                   -128 * (double).02f, 127 * (double).02f);
    gives(g, 13, x8, want, 8, "QLinearMatMul");
    static const float rows[2] = {.05f, .1f};
    static const char *const names[] = {"QLinearMatMul q rs rz w ws wz t u > c", "QLinearMatMul q s z w ws wz rs rz > c"};
    for (int i = 0; i < 2; i++) { /* scales of rows, as many as columns */
        g = pb_graph(2, 2, 2, NULL);
        scalar(&g, "s", .05f), zero_of(&g, "z", 3, 10), scalar(&g, "ws", .1f), zero_of(&g, "wz", 3, 1),
            scalar(&g, "t", .02f), zero_of(&g, "u", 3, 0), floats(&g, "rs", 2, rows);
        pb_add(&g, 5, pb_tensor("rz", 3, (const int8_t[]){10, 10}, 2, 2, -1));
        pb_add(&g, 5, pb_tensor("w", 3, m, 4, 2, 2, -1));
        node(&g, "QuantizeLinear x s z > q", none, none, none), node(&g, names[i], none, none, none),
            node(&g, "DequantizeLinear c t u > y", none, none, none);
        struct pb file = pb_model(g, 13);
        struct xfv_graph *out;
        struct xfv_err e;
        OK(xfv_import_onnx(file.p, file.n, NULL, &out, &e) == XFV_EMODEL && strstr(e.msg, "(QLinearMatMul) has 2 scales"),
           "an operand or outcome with a scale for each row is refused: %s", e.msg);
        free(file.p);
    }
}

static double gelu(double v) { return .5 * v * erfc(-v * sqrt(.5)); }

static void fused(void)
{
    static const float w[4] = {.5f, -1, 2, .25f}, b[2] = {.1f, -.2f};
    double want[8];
    struct pb g = pb_graph(2, 2, 2, NULL);
    pb_add(&g, 5, pb_tensor("w", 1, w, 16, 2, 2, 1, 1, -1)), floats(&g, "b", 2, b);
    theirs(&g, "FusedConv x w b x > y", text_attr("activation", "Relu"), none);
    for (int o = 0; o < 2; o++)
        for (int p = 0; p < 4; p++)
            want[o * 4 + p] = fmax(0, x8[p] * (double)w[o * 2] + x8[4 + p] * (double)w[o * 2 + 1] + (double)b[o] +
                                          x8[o * 4 + p]);
    gives(g, 13, x8, want, 8, "FusedConv with a sum and a ReLU");
    g = pb_graph(2, 2, 2, NULL);
    floats(&g, "b", 2, b), theirs(&g, "BiasGelu x b > y", none, none);
    for (int i = 0; i < 8; i++) want[i] = gelu(x8[i] + (double)b[i % 2]);
    gives(g, 13, x8, want, 8, "BiasGelu");
    g = pb_graph(2, 2, 2, NULL);
    static const float gamma[2] = {1.5f, .5f};
    floats(&g, "g", 2, gamma), floats(&g, "b", 2, b), node(&g, "Tanh x > t", none, none, none),
        theirs(&g, "SkipLayerNormalization x t g b > y", none, none);
    for (int r = 0; r < 4; r++) {
        double u = x8[r * 2] + tanh(x8[r * 2]), v = x8[r * 2 + 1] + tanh(x8[r * 2 + 1]), mean = (u + v) / 2,
               var = (u - v) * (u - v) / 4, s = 1 / sqrt(var + (double)1e-5f);
        want[r * 2] = (u - mean) * s * (double)gamma[0] + (double)b[0],
                 want[r * 2 + 1] = (v - mean) * s * (double)gamma[1] + (double)b[1];
    }
    gives(g, 13, x8, want, 8, "SkipLayerNormalization");
    struct pb m = pb_model(pb_graph(2, 2, 2, "BiasGelu x x > y", NULL), 13);
    struct xfv_graph *out;
    struct xfv_err e;
    OK(xfv_import_onnx(m.p, m.n, NULL, &out, &e) == XFV_EMODEL && strstr(e.msg, "BiasGelu is not supported"),
       "not in ONNX's own domain: %s", e.msg);
    free(m.p);
}

/* One head over 2 x 2 positions of 2 numbers: the image is queries, keys and values. */
static void attention(void)
{
    static const int64_t rows[3] = {1, 4, 2};
    double want[8];
    for (int causal = 0; causal < 2; causal++) {
        struct pb g = pb_graph(2, 2, 2, NULL);
        whole(&g, "r", 3, rows), node(&g, "Reshape x r > t", none, none, none);
        struct pb n = pb_node("Attention t t t > y");
        pb_add(&n, 5, pb_attr_int("q_num_heads", 1)), pb_add(&n, 5, pb_attr_int("kv_num_heads", 1)),
            pb_add(&n, 5, pb_attr_int("is_causal", causal)), pb_add(&g, 1, n);
        for (int i = 0; i < 4; i++) {
            double p[4], sum = 0;
            for (int j = 0; j < 4; j++) {
                p[j] = causal && j > i ? 0 : exp((x8[i * 2] * x8[j * 2] + x8[i * 2 + 1] * x8[j * 2 + 1]) / sqrt(2));
                sum += p[j];
            }
            for (int k = 0; k < 2; k++) {
                want[i * 2 + k] = 0;
                for (int j = 0; j < 4; j++) want[i * 2 + k] += p[j] / sum * x8[j * 2 + k];
            }
        }
        gives(g, 23, x8, want, 8, causal ? "Attention, causal" : "Attention");
    }
}

int main(void)
{
    layers();
    fused();
    attention();
    return tap_done();
}
