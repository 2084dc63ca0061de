/* Operators of ONNX files in the forms that exporters of different years write them: resizing in all its modes, padding
 * and reductions with axes as inputs, products that stretch over a batch. Expected numbers are worked out by hand or
 * from ONNX's own definition; each form's gradient is held against central differences, the executor against the
 * oracle. Then the names by which a file's tensors can be asked for. */
#include "onnx_run.h"

/* ---- Resize ---- */

static const double square[4] = {1, 2, 3, 4}, ramp[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const double block16[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

struct how { int opset; const char *mode, *place, *nearest; };

/* y = Resize(x) of an image 1 x h x w by scales, or to sizes. */
static void resize(int h, int w, const double *x, struct how how, const float *scales, const int64_t *sizes,
                   const double *want, size_t n, const char *what)
{
    struct pb g = pb_graph(1, h, w, NULL);
    if (scales) floats(&g, "s", 4, scales);
    if (sizes) whole(&g, "z", 4, sizes);
    const char *spec = how.opset < 10   ? "Upsample x s > y"
                       : how.opset < 11 ? "Resize x s > y"
                       : sizes          ? "Resize x - - z > y"
                                        : "Resize x - s > y";
    node(&g, spec, how.mode ? text_attr("mode", how.mode) : none,
         how.place ? text_attr("coordinate_transformation_mode", how.place) : none,
         how.nearest ? text_attr("nearest_mode", how.nearest) : none);
    gives(g, how.opset, x, want, n, what);
}

static void resizing(void)
{
    static const float s22[4] = {1, 1, 2, 2}, s23[4] = {1, 1, 2, 3}, s06[4] = {1, 1, .6f, .6f};
    static const int64_t z44[4] = {1, 1, 4, 4}, z13[4] = {1, 1, 1, 3}, z78[4] = {1, 1, 7, 3};
    static const double near[24] = {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4};
    static const double half[16] = {1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4};
    static const double corners[16] = {1,      4 / 3., 5 / 3., 2,       5 / 3., 2,       7 / 3.,  8 / 3.,
                                       7 / 3., 8 / 3., 3,      10 / 3., 3,      10 / 3., 11 / 3., 4};
    static const double from_left[16] = {1, 1.5, 2, 2, 2, 2.5, 3, 3, 3, 3.5, 4, 4, 3, 3.5, 4, 4};
    static const double small[2] = {8 / 3., 13 / 3.}, down[3] = {1 + 1 / 6. + 2, 2.5 + 2, 23 / 6. + 2},
                        pytorch[3] = {1 + 1 / 6., 2.5, 23 / 6.}, kept[3] = {1, 2.5, 4};
    /* the first row */
    static const double cubic[8] = {.47265625, .76953125,  1.24609375, 1.875,
                                    2.28125,   2.91015625, 3.38671875, 3.68359375};
    static const double near_sizes[21] = {1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 3, 3, 4, 3, 3, 4, 3, 3, 4};
    static const double prefer[3] = {1 + 4, 3 + 4, 4 + 4};
    static const int opsets[] = {11, 13, 18, 19};
    for (size_t i = 0; i < sizeof opsets / sizeof *opsets; i++) {
        int k = opsets[i];
        char what[64];
        snprintf(what, sizeof what, "opset %d, linear, half_pixel", k);
        resize(2, 2, square, (struct how){k, "linear", NULL, NULL}, s22, NULL, half, 16, what);
    }
    resize(2, 2, square, (struct how){9, "nearest", NULL, NULL}, s23, NULL, near, 24, "Upsample, nearest");
    resize(2, 2, square, (struct how){9, "linear", NULL, NULL}, s22, NULL, from_left, 16, "Upsample, linear");
    resize(2, 2, square, (struct how){10, NULL, NULL, NULL}, s23, NULL, near, 24, "opset 10, nearest");
    resize(2, 2, square, (struct how){11, "nearest", "asymmetric", "floor"}, s23, NULL, near, 24,
           "nearest as PyTorch exports it");
    resize(2, 2, square, (struct how){11, "linear", "pytorch_half_pixel", NULL}, NULL, z44, half, 16,
           "linear to a size");
    resize(2, 2, square, (struct how){11, "linear", "align_corners", NULL}, NULL, z44, corners, 16,
           "linear, corners aligned");
    resize(2, 2, square, (struct how){13, "linear", "asymmetric", NULL}, s22, NULL, from_left, 16,
           "linear, asymmetric");
    resize(2, 4, ramp, (struct how){11, "linear", "half_pixel", NULL}, s06, NULL, small, 2, "linear, shrunk");
    resize(2, 4, ramp, (struct how){13, "linear", "half_pixel", NULL}, NULL, z13, down, 3, "linear, shrunk to a size");
    resize(2, 4, ramp, (struct how){13, "linear", "pytorch_half_pixel", NULL}, NULL, z13, pytorch, 3,
           "a single row is the first, as in PyTorch");
    resize(2, 4, ramp, (struct how){13, "linear", "align_corners", NULL}, NULL, z13, kept, 3,
           "corners aligned, a single row");
    resize(2, 2, square, (struct how){13, "nearest", "half_pixel", "round_prefer_floor"}, NULL, z78, near_sizes, 21,
           "nearest, halves go down");
    resize(2, 4, ramp, (struct how){13, "nearest", "half_pixel", "round_prefer_ceil"}, NULL, z13, prefer, 3,
           "nearest, halves go up");
    double all[64];
    for (int r = 0; r < 8; r++)
        for (int k = 0; k < 8; k++)
            all[r * 8 + k] = cubic[k] + 4 * (cubic[r] - cubic[0]); /* x = column + 4 row: the kernel keeps sums */
    resize(4, 4, block16, (struct how){13, "cubic", "half_pixel", NULL}, s22, NULL, all, 64, "cubic");
}

/* Forms that come with axes. */
static void resizing_some_axes(void)
{
    static const int64_t axes[2] = {3, 2}, size[2] = {4, 4};
    static const float scale[1] = {3};
    static const double half[16] = {1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4};
    static const double spread[12] = {2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5},
                        wide[12] = {1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4};
    struct pb g = pb_graph(1, 2, 2, NULL);
    whole(&g, "z", 2, size);
    node(&g, "Resize x - - z > y", text_attr("mode", "linear"), pb_ints("axes", 2, axes), none);
    gives(g, 18, square, half, 16, "Resize with axes");
    g = pb_graph(1, 2, 2, NULL);
    static const int64_t z34[4] = {1, 1, 3, 4};
    whole(&g, "z", 4, z34);
    node(&g, "GlobalAveragePool x > p", none, none, none),
        node(&g, "Resize p - - z > y", text_attr("mode", "linear"), none, none);
    gives(g, 13, square, spread, 12, "Resize of one pixel");
    g = pb_graph(1, 2, 2, NULL);
    static const int64_t row[3] = {1, 1, 4}, last[1] = {2};
    whole(&g, "r", 3, row), floats(&g, "s", 1, scale);
    node(&g, "Reshape x r > f", none, none, none),
        node(&g, "Resize f - s > y", text_attr("mode", "nearest"), pb_ints("axes", 1, last), none);
    gives(g, 18, square, wide, 12, "Resize of a signal");
}

/* ---- Pad ---- */

static void padding(void)
{
    static const int64_t p3[2] = {1, 2}, width[1] = {-1}, all[8] = {0, 0, 1, 0, 0, 0, 0, 1},
                         cut[8] = {0, 0, 0, -1, 0, 0, 1, 0}, channels[8] = {0, 1, 0, 0, 0, 1, 0, 0};
    static const double zeros[10] = {0, 1, 2, 0, 0, 0, 3, 4, 0, 0}, sevens[9] = {7, 7, 7, 1, 2, 7, 3, 4, 7},
                        cropped[3] = {2, 4, 9};
    static const double stacked[12] = {7, 7, 7, 7, 1, 2, 3, 4, 7, 7, 7, 7}, reflected[9] = {3, 4, 3, 1, 2, 1, 3, 4, 3},
                        edge[9] = {1, 2, 2, 1, 2, 2, 3, 4, 4}, wrapped[9] = {3, 4, 3, 1, 2, 1, 3, 4, 3};
    static const float seven = 7, nine = 9;
    struct pb g = pb_graph(1, 2, 2, NULL);
    whole(&g, "p", 2, p3), whole(&g, "a", 1, width), node(&g, "Pad x p - a > y", none, none, none);
    gives(g, 18, square, zeros, 10, "Pad with axes");
    static const struct {
        const char *mode;
        const double *want;
        int opset;
    } modes[] = {{"reflect", reflected, 11}, {"edge", edge, 13}, {"wrap", wrapped, 19}};
    for (int i = 0; i < 3; i++) {
        char what[64];
        snprintf(what, sizeof what, "Pad, %s", modes[i].mode);
        g = pb_graph(1, 2, 2, NULL);
        whole(&g, "p", 8, all), node(&g, "Pad x p > y", text_attr("mode", modes[i].mode), none, none);
        gives(g, modes[i].opset, square, modes[i].want, 9, what);
    }
    g = pb_graph(1, 2, 2, NULL);
    whole(&g, "p", 8, all), pb_add(&g, 5, pb_tensor("v", 1, &seven, 4, -1)),
        node(&g, "Pad x p v > y", none, none, none);
    gives(g, 13, square, sevens, 9, "Pad with a value");
    g = pb_graph(1, 2, 2, NULL);
    whole(&g, "p", 8, cut), pb_add(&g, 5, pb_tensor("v", 1, &nine, 4, -1)), node(&g, "Pad x p v > y", none, none, none);
    gives(g, 13, square, cropped, 3, "Pad that cuts");
    g = pb_graph(1, 2, 2, NULL);
    whole(&g, "p", 8, channels), pb_add(&g, 5, pb_tensor("v", 1, &seven, 4, -1)),
        node(&g, "Pad x p v > y", none, none, none);
    gives(g, 13, square, stacked, 12, "Pad of a single channel");
}

/* ---- MatMul ---- */

static void products(void)
{
    static const double x[12] = {1, 2, 3, 4, 5, 6, -1, 0, 2, 1, -2, 1}; /* 2 x 2 x 3 */
    static const int64_t first[1] = {0}, one[1] = {1}, axis[1] = {1};
    double gram[8], turned[8], ways[24];
    for (int c = 0; c < 2; c++)
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++) {
                gram[(c * 2 + i) * 2 + j] = turned[(c * 2 + j) * 2 + i] = 0;
                for (int k = 0; k < 3; k++) {
                    gram[(c * 2 + i) * 2 + j] += x[(c * 2 + i) * 3 + k] * x[j * 3 + k];
                    turned[(c * 2 + j) * 2 + i] += x[(c * 2 + i) * 3 + k] * x[j * 3 + k];
                }
            }
    struct pb g = pb_graph(2, 2, 3, NULL);
    whole(&g, "b", 1, first), whole(&g, "e", 1, one), whole(&g, "a", 1, axis);
    node(&g, "Slice x b e a > c", none, none, none),
        node(&g, "Transpose c > t", pb_ints("perm", 4, (const int64_t[]){0, 1, 3, 2}), none, none),
        node(&g, "MatMul x t > y", none, none, none);
    gives(g, 13, x, gram, 8, "MatMul, the second stretches over a batch");
    g = pb_graph(2, 2, 3, NULL);
    whole(&g, "b", 1, first), whole(&g, "e", 1, one), whole(&g, "a", 1, axis),
        whole(&g, "r", 2, (const int64_t[]){2, 3});
    node(&g, "Slice x b e a > c", none, none, none), node(&g, "Reshape c r > c2", none, none, none),
        node(&g, "Transpose x > t", pb_ints("perm", 4, (const int64_t[]){0, 1, 3, 2}), none, none);
    node(&g, "MatMul c2 t > y", none, none, none);
    gives(g, 13, x, turned, 8, "MatMul, the first has fewer axes");
    static const float w[18] = {1, 0, 2, -1, 1, 0, .5f, 0, 1, 2, 2, -1, 0, 1, 1, 3, 0, 0}; /* 3 matrices of 3 x 2 */
    for (int m = 0; m < 3; m++)
        for (int c = 0; c < 2; c++)
            for (int i = 0; i < 2; i++)
                for (int j = 0; j < 2; j++) {
                    double s = 0;
                    for (int k = 0; k < 3; k++) s += x[(c * 2 + i) * 3 + k] * (double)w[(m * 3 + k) * 2 + j];
                    ways[((m * 2 + c) * 2 + i) * 2 + j] = s;
                }
    g = pb_graph(2, 2, 3, NULL);
    pb_add(&g, 5, pb_tensor("w", 1, w, sizeof w, 3, 1, 3, 2, -1));
    node(&g, "MatMul x w > y", none, none, none);
    gives(g, 13, x, ways, 24, "MatMul, both stretch");
}

/* ---- axes and sizes as inputs ---- */

static void axes_as_inputs(void)
{
    static const double x[8] = {1, 2, 3, 4, -2, 1, 0, 5}; /* 2 x 2 x 2 */
    static const int64_t spatial[2] = {2, 3}, last[1] = {-1}, drop[2] = {0, 2}, sizes[2] = {1, 1};
    static const double means[2] = {2.5, 1}, sums[2] = {10, 4}, most[4] = {2, 4, 1, 5}, cut[2] = {-2, 1};
    const double norms[4] = {sqrt(5), 5, sqrt(5), 5};
    static const struct {
        const char *op;
        const int64_t *axes;
        int n;
        const double *want;
        size_t n_want;
        int opset;
    } all[] = {{"ReduceMean", spatial, 2, means, 2, 18},
               {"ReduceSum", spatial, 2, sums, 2, 13},
               {"ReduceMax", last, 1, most, 4, 18},
               {"ReduceL2", last, 1, NULL, 4, 18}};
    for (int i = 0; i < 4; i++)
        for (int keep = 0; keep < 2; keep++) {
            struct pb g = pb_graph(2, 2, 2, NULL);
            char spec[64], what[64];
            snprintf(spec, sizeof spec, "%s x a > y", all[i].op);
            snprintf(what, sizeof what, "%s, axes as an input, keepdims %d", all[i].op, keep);
            whole(&g, "a", all[i].n, all[i].axes), node(&g, spec, pb_attr_int("keepdims", keep), none, none);
            gives(g, all[i].opset, x, all[i].want ? all[i].want : norms, all[i].n_want, what);
        }
    struct pb g = pb_graph(2, 2, 2, NULL);
    whole(&g, "s", 2, sizes), whole(&g, "a", 2, drop);
    node(&g, "Split x s > p q", pb_attr_int("axis", 1), none, none),
        node(&g, "Split q s > r t", pb_attr_int("axis", 2), none, none);
    whole(&g, "d", 2, (const int64_t[]){0, 2}), node(&g, "Squeeze r d > y", none, none, none);
    gives(g, 13, x, cut, 2, "Split and Squeeze, their lists as inputs");
    g = pb_graph(2, 2, 2, NULL);
    node(&g, "Split x > p q", pb_attr_int("axis", 1), pb_attr_int("num_outputs", 2), none),
        node(&g, "Split q > r t", pb_attr_int("axis", 2), pb_attr_int("num_outputs", 2), none);
    node(&g, "Squeeze r > y", none, none, none);
    gives(g, 18, x, cut, 2, "Split with num_outputs, Squeeze without a list");
    g = pb_graph(2, 2, 2, NULL);
    whole(&g, "a", 1, (const int64_t[]){-1}), node(&g, "ReduceMean x > m", none, none, none),
        node(&g, "Unsqueeze m a > u", none, none, none);
    node(&g, "Sub x m > y", none, none, none);
    const double centred[8] = {-.75, .25, 1.25, 2.25, -3.75, -.75, -1.75, 3.25};
    gives(g, 18, x, centred, 8, "ReduceMean over all axes");
}

/* ---- at the edges of definitions ---- */

static void edges(void)
{
    static const double x[8] = {1, 2, -3, 4, -2, 1, -.5, 5}; /* 2 x 2 x 2 */
    static const float lo = 2, hi = -1, slopes[2] = {.5f, .1f}, each[8] = {.5f, .1f, .2f, .3f, -1, 2, .7f, 0};
    double want[8];
    struct pb g = pb_graph(2, 2, 2, NULL);
    pb_add(&g, 5, pb_tensor("l", 1, &lo, 4, -1)), pb_add(&g, 5, pb_tensor("h", 1, &hi, 4, -1));
    node(&g, "Clip x l h > c", none, none, none), node(&g, "Add x c > y", none, none, none);
    for (int i = 0; i < 8; i++) want[i] = x[i] - 1;
    gives(g, 13, x, want, 8, "Clip, the minimum above the maximum: all becomes the maximum");
    g = pb_graph(2, 2, 2, NULL);
    node(&g, "Relu x > r", none, none, none), node(&g, "LpNormalization r > y", pb_attr_int("axis", 1), none, none);
    static const double z[8] = {3, -1, 2, -2, 4, -3, 2, -1};
    for (int p = 0; p < 4; p++) {
        double a = fmax(z[p], 0), b = fmax(z[p + 4], 0), n = sqrt(a * a + b * b);
        want[p] = n > 0 ? a / n : 0, want[p + 4] = n > 0 ? b / n : 0;
    }
    gives(g, 13, z, want, 8, "LpNormalization, zeros stay zeros");
    static const double below[8] = {-1, -2, -1, -3, -2, -1, -2, -1};
    g = pb_graph(2, 2, 2, NULL);
    node(&g, "Relu x > r", none, none, none), node(&g, "Flatten r > f", none, none, none),
        node(&g, "LpNormalization f > y", none, none, none);
    for (int i = 0; i < 8; i++) want[i] = 0;
    gives(g, 13, below, want, 8, "LpNormalization of nothing but zeros");
    g = pb_graph(2, 2, 2, NULL);
    floats(&g, "s", 2, slopes), node(&g, "PRelu x s > y", none, none, none);
    for (int i = 0; i < 8; i++) want[i] = x[i] > 0 ? x[i] : x[i] * (double)slopes[i % 2];
    gives(g, 13, x, want, 8, "PRelu, as many slopes as channels and as columns: columns");
    static const double wide[6] = {-1, 2, -3, -4, 5, -6}; /* 2 x 1 x 3 */
    g = pb_graph(2, 1, 3, NULL);
    floats(&g, "s", 2, slopes), node(&g, "PRelu x s > y", none, none, none);
    for (int i = 0; i < 6; i++) want[i] = wide[i] > 0 ? wide[i] : wide[i] * (double)slopes[i / 3];
    gives(g, 13, wide, want, 6, "PRelu, as many slopes as channels alone");
    g = pb_graph(2, 2, 2, NULL);
    pb_add(&g, 5, pb_tensor("s", 1, each, sizeof each, 2, 2, 2, -1)), node(&g, "PRelu x s > y", none, none, none);
    for (int i = 0; i < 8; i++) want[i] = x[i] > 0 ? x[i] : x[i] * (double)each[i];
    gives(g, 13, x, want, 8, "PRelu, a slope for each position");
    g = pb_graph(2, 2, 2, NULL);
    node(&g, "Sigmoid x > s", none, none, none), node(&g, "PRelu x s > y", none, none, none);
    for (int i = 0; i < 8; i++) want[i] = x[i] > 0 ? x[i] : x[i] / (1 + exp(-x[i]));
    gives(g, 16, x, want, 8, "PRelu, slopes that are computed");
}

/* ---- names ---- */

static struct pb names_graph(void)
{
    static const int64_t two[2] = {1, -1};
    static const float one = 1, w[12] = {1, 0, 2, 0, 1, 1, 3, -1, 0, 0, 0, 1};
    struct pb g = pb_graph(2, 1, 1, NULL), named;
    whole(&g, "shape", 2, two), pb_add(&g, 5, pb_tensor("k", 1, w, 48, 6, 2, 1, 1, -1)),
        pb_add(&g, 5, pb_tensor("one", 1, &one, 4, -1));
    node(&g, "Conv x k > conv", none, none, none), node(&g, "Identity conv > same", none, none, none);
    node(&g, "Transpose same > turned", pb_ints("perm", 4, (const int64_t[]){0, 2, 3, 1}), none, none),
        node(&g, "Reshape turned shape > flat", none, none, none);
    node(&g, "Dropout flat > dropped", none, none, none), node(&g, "Mul dropped one > scaled", none, none, none),
        node(&g, "Shape scaled > dims", none, none, none);
    named = pb_node("ReduceL2 scaled > norm"), pb_text(&named, 3, "the norm"),
    pb_add(&named, 5, pb_ints("axes", 1, (const int64_t[]){1})), pb_add(&g, 1, named);
    named = pb_node("Div scaled norm > y"), pb_text(&named, 3, "the division"), pb_add(&g, 1, named);
    return g;
}

/* Import asking for this name: the value's name after simplification, "none", or the refusal. */
static const char *asked(struct pb model, const char *file, size_t *count)
{
    static char said[XFV_MAX_NAME + 1];
    struct xfv_import_name name = {.file = file};
    struct xfv_import_opts o = {.names = &name, .n_names = 1};
    struct xfv_graph *g = NULL;
    struct xfv_err e = {0};
    int st = xfv_import_onnx(model.p, model.n, &o, &g, &e);
    free(model.p);
    const char *keep[2] = {name.value, NULL};
    *count = 0;
    if (!st && name.value[0] && !(st = xfv_fold(&g, keep, NULL, &e)) && xfv_graph_find(g, name.value) >= 0)
        *count = xfv_shape_count(g->values[xfv_graph_find(g, name.value)].shape);
    snprintf(said, sizeof said, "%s", st ? e.msg : name.value[0] ? name.value : "none");
    if (!st || g) xfv_graph_free(g);
    return said;
}

static void names(void)
{
    static const char *const there[] = {"conv", "same", "turned", "flat", "dropped", "scaled", "y"};
    size_t n;
    for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
        const char *got = asked(pb_model(names_graph(), 13), there[i], &n);
        OK(strcmp(got, there[i]) == 0 && n == 6, "'%s' can be asked for: %s, %zu numbers", there[i], got, n);
    }
    const char *got = asked(pb_model(names_graph(), 13), "the division", &n);
    OK(strcmp(got, "y") == 0 && n == 6, "a node's name means its first output: %s", got);
    got = asked(pb_model(names_graph(), 13), "norm", &n);
    OK(strcmp(got, "norm") == 0 && n == 1, "a part of a spelled-out normalisation: %s", got);
    got = asked(pb_model(names_graph(), 13), "k", &n);
    OK(strstr(got, "constant"), "a weight cannot: %s", got);
    got = asked(pb_model(names_graph(), 13), "dims", &n);
    OK(strstr(got, "constant"), "a shape cannot: %s", got);
    got = asked(pb_model(names_graph(), 13), "nowhere", &n);
    OK(strcmp(got, "none") == 0, "what is not there is not invented");
    static const double x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct pb g = pb_graph(2, 2, 2, NULL);
    node(&g, "Identity x > y", none, none, none);
    gives(g, 13, x, x, 8, "an image comes in ONNX's order");
}

int main(void)
{
    resizing();
    resizing_some_axes();
    padding();
    products();
    axes_as_inputs();
    edges();
    names();
    return tap_done();
}
