/* Quantisers in ONNX files: of activations they are limits, of constants they round. Expected numbers are worked out
 * here. */
#include "onnx_run.h"

static const double x8[8] = {-3.1, -.4, .3, 2.2, 1.9, -1.7, .05, 7}; /* 2 x 2 x 2 */

static double clip(double v, double lo, double hi) { return v < lo ? lo : v > hi ? hi : v; }

/* The zero point of this element type. */
static void zero_point(struct pb *g, const char *name, int type, int64_t v)
{
    pb_add(g, 5, pb_tensor(name, type, &v, type == 4 || type == 5 ? 2 : 1, -1));
}

static void scalar(struct pb *g, const char *name, float v) { pb_add(g, 5, pb_tensor(name, 1, &v, 4, -1)); }

static void limits(void)
{
    static const struct { int type; const char *name; float scale; int64_t zero; double lo, hi;
    } all[] = {{2, "uint8", .01f, 0, 0, 2.55},          {2, "uint8 around 128", .01f, 128, -1.28, 1.27},
               {3, "int8", .02f, 0, -2.56, 2.54},       {3, "int8 of a ReLU", .01f, -128, 0, 2.55},
               {4, "uint16", 1e-4f, 30000, -3, 3.5535}, {5, "int16", 5e-5f, 0, -1.6384, 1.63835}};
    double want[8];
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct pb g = pb_graph(2, 2, 2, "QuantizeLinear x s z > q", "DequantizeLinear q s z > y", NULL);
        scalar(&g, "s", all[i].scale), zero_point(&g, "z", all[i].type, all[i].zero);
        double s = (double)all[i].scale, step = s / .01 * .01;
        for (int k = 0; k < 8; k++) want[k] = clip(x8[k], all[i].lo * step / s, all[i].hi);
        gives(g, 21, x8, want, 8, all[i].name);
    }
    struct pb g = pb_graph(2, 2, 2, NULL); /* no zero point: uint8; then output_dtype's */
    scalar(&g, "s", .01f), node(&g, "QuantizeLinear x s > q", none, none, none),
        node(&g, "DequantizeLinear q s > y", none, none, none);
    for (int k = 0; k < 8; k++) want[k] = clip(x8[k], 0, 2.55);
    gives(g, 13, x8, want, 8, "without a zero point");
    g = pb_graph(2, 2, 2, NULL);
    scalar(&g, "s", .25f), node(&g, "QuantizeLinear x s > q", pb_attr_int("output_dtype", 22), none, none),
        node(&g, "DequantizeLinear q s > y", none, none, none);
    for (int k = 0; k < 8; k++) want[k] = clip(x8[k], -2, 1.75);
    gives(g, 21, x8, want, 8, "output_dtype int4");
    g = pb_graph(2, 2, 2, NULL); /* another scale on the way back, and elements that moved between */
    scalar(&g, "s", .02f), scalar(&g, "t", .04f), zero_point(&g, "z", 3, 10);
    node(&g, "QuantizeLinear x s z > q", none, none, none), node(&g, "Relu q > r", none, none, none),
        node(&g, "DequantizeLinear r t > y", none, none, none);
    for (int k = 0; k < 8; k++) want[k] = .04 * clip(x8[k] / .02 + 10, 0, 127);
    gives(g, 14, x8, want, 8, "a ReLU of whole numbers, and another scale behind it");
}

static void by_channel(void)
{
    static const float s[2] = {.01f, .05f};
    static const int8_t z[2] = {0, -28};
    double want[8];
    struct pb g = pb_graph(2, 2, 2, NULL);
    floats(&g, "s", 2, s), pb_add(&g, 5, pb_tensor("z", 3, z, 2, 2, -1));
    node(&g, "QuantizeLinear x s z > q", none, none, none),
        node(&g, "DequantizeLinear q s z > y", pb_attr_int("axis", -3), none, none);
    for (int k = 0; k < 8; k++) want[k] = k < 4 ? clip(x8[k], -1.28, 1.27) : clip(x8[k], -5, 7.75);
    gives(g, 13, x8, want, 8, "scales by channel");
}

/* y = x w, of one pixel with 4 channels; the weight comes quantised. */
static void weights(void)
{
    static const double x[4] = {1, -2, .5, 3};
    static const int8_t w[8] = {10, -20, 30, 40, 5, 6, -7, 8};
    static const uint8_t packed[4] = {0x21, 0xf8, 0x7e, 0x03}; /* int4: 1 2 -8 -1 -2 7 3 0 */
    static const int four[8] = {1, 2, -8, -1, -2, 7, 3, 0};
    static const float blocks[4] = {.5f, .25f, 1, 2}, ends[4] = {.5f, 2, .25f, 1};
    double want[2];
    for (int kind = 0; kind < 3; kind++) {
        struct pb g = pb_graph(4, 1, 1, NULL);
        pb_add(&g, 5,
               kind == 1 ? pb_tensor("q", 22, packed, 4, 2, 4, 1, 1, -1) : pb_tensor("q", 3, w, 8, 2, 4, 1, 1, -1));
        /* blocks of 3: the last is shorter */
        if (kind == 2) pb_add(&g, 5, pb_tensor("s", 1, ends, 16, 2, 2, 1, 1, -1));
        else pb_add(&g, 5, pb_tensor("s", 1, blocks, 16, 2, 2, 1, 1, -1));
        node(&g, "DequantizeLinear q s > w", pb_attr_int("axis", 1), pb_attr_int("block_size", kind == 2 ? 3 : 2),
             none),
            node(&g, "Conv x w > y", none, none, none);
        for (int o = 0; o < 2; o++) {
            want[o] = 0;
            for (int i = 0; i < 4; i++)
                want[o] += x[i] * (kind == 1 ? four[o * 4 + i] : w[o * 4 + i]) *
                           (double)(kind == 2 ? ends[o * 2 + i / 3] : blocks[o * 2 + i / 2]);
        }
        gives(g, 21, x, want, 2,
              kind == 0   ? "int8 in blocks"
              : kind == 1 ? "int4 in blocks"
                          : "int8 in blocks, the last one shorter");
    }
    static const float v[8] = {.11f, -.26f, .333f, 9, .5f, .6f, -.7f, -.81f}, s[2] = {.1f, .25f};
    static const int8_t z[2] = {0, 3};
    struct pb g = pb_graph(4, 1, 1, NULL);
    pb_add(&g, 5, pb_tensor("v", 1, v, sizeof v, 2, 4, 1, 1, -1)), floats(&g, "s", 2, s),
        pb_add(&g, 5, pb_tensor("z", 3, z, 2, 2, -1));
    node(&g, "QuantizeLinear v s z > q", pb_attr_int("axis", 0), none, none),
        node(&g, "DequantizeLinear q s z > w", pb_attr_int("axis", 0), none, none);
    node(&g, "Conv x w > y", none, none, none);
    for (int o = 0; o < 2; o++) {
        want[o] = 0;
        for (int i = 0; i < 4; i++) {
            float grid = v[o * 4 + i] / s[o];
            want[o] += x[i] * (clip(rint((double)grid) + z[o], -128, 127) - z[o]) * (double)s[o];
        }
    }
    gives(g, 13, x, want, 2, "a weight that is quantised in the file");
}

static void refusals(void)
{
    struct xfv_err e;
    struct xfv_graph *out;
    static const char *const why[] = {"computed", "in blocks"};
    static const float s[2] = {1, 1};
    for (int i = 0; i < 2; i++) {
        struct pb g = pb_graph(1, 2, 2, NULL);
        pb_add(&g, 5, pb_tensor("s", 1, s, 8, 1, 1, 2, 1, -1));
        if (i == 0) node(&g, "ReduceMax x > t", none, none, none), node(&g, "QuantizeLinear x t > y", none, none, none);
        /* 2 rows, each of one block */
        else node(&g, "QuantizeLinear x s > y", pb_attr_int("axis", 3), pb_attr_int("block_size", 2), none);
        struct pb m = pb_model(g, 21);
        OK(xfv_import_onnx(m.p, m.n, NULL, &out, &e) == XFV_EMODEL && strstr(e.msg, why[i]), "refused: %s", e.msg);
        free(m.p);
    }
}

int main(void)
{
    limits();
    by_channel();
    weights();
    refusals();
    return tap_done();
}
