/* FGGB on a small network: the identities that hold by its definition, and its maps against the double-precision
 * oracle. */
#include "../tap.h"
#include "explain/fggb.h"
#include "net/graph/graph.h"
#include "net/graph/ref.h"

enum { H = 9, W = 7, C = 3, N = 11, PIXELS = H * W };

static unsigned long long seed = 42;

static double uniform(void) /* -1..1 */
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) * 0x1p-52 - 1.0;
}

static int weight(struct xfv_graph *g, const char *name, struct xfv_shape s, double scale)
{
    float v[2000];
    for (size_t i = 0; i < xfv_shape_count(s); i++) v[i] = (float)(scale * uniform());
    return xfv_graph_add_weight(g, name, s, v, NULL);
}

static int step(struct xfv_graph *g, struct xfv_node n, const char *name, int in, struct xfv_shape out)
{
    static char label[16];
    snprintf(label, sizeof label, "n_%s", name);
    n.name = label;
    n.n_in = 1;
    n.in[0] = in;
    n.out = xfv_graph_add_value(g, name, out, NULL);
    xfv_graph_add_node(g, &n, NULL);
    return n.out;
}

/* conv 3x3, PReLU, dense; the value of the embedding in *out. */
static struct xfv_graph *make_graph(int *out)
{
    struct xfv_graph *g = xfv_graph_new();
    int x = xfv_graph_add_value(g, "x", xfv_shape_of(3, H, W, C), NULL);
    struct xfv_node n = xfv_node_default(XFV_OP_CONV);
    n.kernel[0] = n.kernel[1] = 3;
    n.pads[0] = n.pads[1] = n.pads[2] = n.pads[3] = 1;
    n.weight = weight(g, "w1", xfv_shape_of(4, 3, 3, C, 5), 0.5);
    n.bias = weight(g, "b1", xfv_shape_of(1, 5), 0.2);
    x = step(g, n, "conv", x, xfv_shape_of(3, H, W, 5));
    n = xfv_node_default(XFV_OP_PRELU);
    n.weight = weight(g, "slope", xfv_shape_of(1, 5), 0.5);
    x = step(g, n, "act", x, xfv_shape_of(3, H, W, 5));
    n = xfv_node_default(XFV_OP_MAXPOOL);
    n.kernel[0] = n.kernel[1] = n.stride[0] = n.stride[1] = 2;
    x = step(g, n, "pool", x, xfv_shape_of(3, 4, 3, 5));
    n = xfv_node_default(XFV_OP_DENSE);
    n.weight = weight(g, "w2", xfv_shape_of(2, 60, N), 0.3);
    n.bias = weight(g, "b2", xfv_shape_of(1, N), 0.3);
    *out = step(g, n, "embedding", x, xfv_shape_of(1, N));
    xfv_graph_add_output(g, *out, NULL);
    return g;
}

static void random_image(float *x)
{
    for (int i = 0; i < PIXELS * C; i++) x[i] = (float)uniform();
}

static struct xfv_fggb_face *run(struct xfv_fggb *f, const float *x)
{
    struct xfv_fggb_face *face = xfv_fggb_face_new(f);
    struct xfv_err e;
    if (xfv_fggb_begin(f, face, x, 0, &e)) printf("# %s\n", e.msg);
    /* any order, any worker */
    for (int i = xfv_fggb_want(f, face, NULL, xfv_fggb_n(f)) - 1; i >= 0; i--) xfv_fggb_chunk(f, face, i, i & 1, NULL);
    xfv_fggb_end(face);
    return face;
}

static struct xfv_fggb *engine(const struct xfv_graph *g, int out, enum xfv_fggb_embedding k, enum xfv_fggb_colour c,
                               enum xfv_fggb_norm n)
{
    struct xfv_fggb_opts o = {k, c, n};
    struct xfv_fggb *f = NULL;
    struct xfv_err e;
    if (xfv_fggb_new(g, out, 2, &o, &f, &e)) printf("# %s\n", e.msg);
    return f;
}

/* ---- the definition, in double, from the oracle ---- */

struct oracle { double f[N], norm, jac[N][PIXELS * C]; };

static void make_oracle(const struct xfv_graph *g, int out, const float *x, int normalised, struct oracle *o)
{
    double in[PIXELS * C], **values, cot[N] = {0}, sum = 0;
    for (int i = 0; i < PIXELS * C; i++) in[i] = (double)x[i];
    xfv_ref_forward(g, xfv_shape_of(3, H, W, C), in, &values, NULL);
    for (int k = 0; k < N; k++) sum += values[out][k] * values[out][k];
    o->norm = sqrt(sum);
    for (int k = 0; k < N; k++) o->f[k] = values[out][k] / o->norm;
    for (int k = 0; k < N; k++) {
        /* d f_k = (d F_k - f_k sum_j f_j d F_j) / |F|: as a cotangent, the other way round from the product's form */
        for (int j = 0; j < N; j++) cot[j] = normalised ? ((j == k) - o->f[k] * o->f[j]) / o->norm : j == k;
        xfv_ref_vjp(g, xfv_shape_of(3, H, W, C), values, out, cot, o->jac[k], NULL);
    }
    xfv_ref_free(g, values);
}

static void oracle_map(const struct oracle *o, int k, enum xfv_fggb_colour colour, enum xfv_fggb_norm norm, double *g)
{
    double by = 0;
    for (int p = 0; p < PIXELS; p++) {
        const double *d = o->jac[k] + p * C;
        double a = fabs(d[0]), b = fabs(d[1]), c = fabs(d[2]);
        g[p] = colour == XFV_FGGB_MEAN  ? (a + b + c) / 3
               : colour == XFV_FGGB_MAX ? fmax(a, fmax(b, c))
                                        : sqrt(a * a + b * b + c * c);
        by = norm == XFV_FGGB_NORM_MAX ? fmax(by, g[p]) : by + g[p] * g[p];
    }
    if (norm == XFV_FGGB_NORM_NONE) return;
    by = norm == XFV_FGGB_NORM_L2 ? sqrt(by) : by;
    for (int p = 0; p < PIXELS; p++) g[p] /= by + 1e-8;
}

static void check_against_oracle(const struct xfv_graph *g, int out, const float *x)
{
    static struct oracle o;
    static const char *const names[3][3] = {{"normalised", "raw"}, {"mean", "max", "l2"}, {"l2", "max", "none"}};
    for (int kind = 0; kind < 2; kind++) {
        make_oracle(g, out, x, kind == XFV_FGGB_NORMALISED, &o);
        for (int rule = 0; rule < 9; rule++) {
            enum xfv_fggb_colour colour = (enum xfv_fggb_colour)(rule % 3);
            enum xfv_fggb_norm norm = (enum xfv_fggb_norm)(rule / 3);
            struct xfv_fggb *f = engine(g, out, (enum xfv_fggb_embedding)kind, colour, norm);
            struct xfv_fggb_face *face = run(f, x);
            double worst = 0, want[PIXELS];
            for (int k = 0; k < N; k++) {
                double diff = 0, size = 0;
                oracle_map(&o, k, colour, norm, want);
                for (int p = 0; p < PIXELS; p++) {
                    double d = (double)xfv_fggb_map(face, k)[p] - want[p];
                    diff += d * d;
                    size += want[p] * want[p];
                }
                worst = fmax(worst, sqrt(diff / size));
            }
            OK(worst < 1e-5, "%s, %s, %s: maps as the oracle's, worst relative error %.1e", names[0][kind],
               names[1][colour], names[2][norm], worst);
            xfv_fggb_face_free(face);
            xfv_fggb_free(f);
        }
    }
}

/* The Jacobian of the normalised embedding by central differences of the oracle's forward pass. */
static double f_of(const struct xfv_graph *g, int out, const double *x, int k)
{
    double **values, sum = 0;
    xfv_ref_forward(g, xfv_shape_of(3, H, W, C), x, &values, NULL);
    for (int j = 0; j < N; j++) sum += values[out][j] * values[out][j];
    double f = values[out][k] / sqrt(sum);
    xfv_ref_free(g, values);
    return f;
}

static void check_differences(const struct xfv_graph *g, int out, const float *x)
{
    double in[PIXELS * C], want[PIXELS], diff = 0, size = 0, norm = 0;
    const int k = 4;
    for (int i = 0; i < PIXELS * C; i++) in[i] = (double)x[i];
    for (int p = 0; p < PIXELS; p++) {
        want[p] = 0;
        for (int c = 0; c < C; c++) {
            double *at = &in[p * C + c], was = *at, h = 1e-6;
            *at = was + h;
            double up = f_of(g, out, in, k);
            *at = was - h;
            want[p] += fabs(up - f_of(g, out, in, k)) / (2 * h) / C;
            *at = was;
        }
        norm += want[p] * want[p];
    }
    struct xfv_fggb *f = engine(g, out, XFV_FGGB_NORMALISED, XFV_FGGB_MEAN, XFV_FGGB_NORM_L2);
    struct xfv_fggb_face *face = run(f, x);
    for (int p = 0; p < PIXELS; p++) {
        double w = want[p] / (sqrt(norm) + 1e-8), d = (double)xfv_fggb_map(face, k)[p] - w;
        diff += d * d;
        size += w * w;
    }
    OK(sqrt(diff / size) < 1e-5, "a map by central differences: relative error %.1e", sqrt(diff / size));
    xfv_fggb_face_free(face);
    xfv_fggb_free(f);
}

/* ---- identities ---- */

static double cosine(const float *a, const float *b)
{
    double ab = 0, aa = 0, bb = 0;
    for (int k = 0; k < N; k++) {
        ab += (double)a[k] * (double)b[k];
        aa += (double)a[k] * (double)a[k];
        bb += (double)b[k] * (double)b[k];
    }
    return ab / sqrt(aa) / sqrt(bb);
}

static double total(const double *w)
{
    double sum = 0;
    for (int k = 0; k < N; k++) sum += w[k];
    return sum;
}

static void check_maps(const struct xfv_fggb *f, const struct xfv_fggb_face *a, const struct xfv_fggb_face *b)
{
    float s[2][PIXELS], d[2][PIXELS], t[2][PIXELS];
    double w[N], v[N];
    int both = 0, negative = 0, some = 0;
    const float *ea = xfv_fggb_embedding(a), *eb = xfv_fggb_embedding(b);
    double cos = cosine(ea, eb);
    xfv_fggb_weights(ea, eb, N, 0, w);
    OK(fabs(total(w) - cos) < 1e-12, "the weights add up to the cosine, %.6f", cos);
    xfv_fggb_weights(ea, eb, N, cos, w);
    OK(fabs(total(w)) < 1e-12, "with the cosine for threshold they add up to 0");
    xfv_fggb_weights(ea, eb, N, 0.4, w);
    OK(fabs(total(w) - cos + 0.4) < 1e-12, "the threshold is shared out over the channels");
    double square = 0;
    for (int k = 0; k < N; k++) square += ((double)ea[k] - (double)eb[k]) * ((double)ea[k] - (double)eb[k]);
    double far = sqrt(square);
    xfv_fggb_distance_weights(ea, eb, N, -far, v);
    OK(fabs(total(v)) < 1e-9 * square, "of a distance: with the score for threshold they add up to 0");
    xfv_fggb_distance_weights(ea, eb, N, -1.01 * far, v);
    int accepted = total(v) > 0;
    xfv_fggb_distance_weights(ea, eb, N, -0.99 * far, v);
    OK(accepted && total(v) < 0, "they add up to more than 0 for an accepted pair, to less for a rejected one");
    xfv_fggb_distance_weights(ea, eb, N, 0.5, v);
    OK(total(v) < -square, "no distance passes a threshold above 0");
    xfv_fggb_weights(eb, ea, N, 0.4, v);
    OK(!memcmp(v, w, sizeof v), "A and B exchanged: the same weights");
    xfv_fggb_sum(f, a, w, NULL, N, s[0], d[0]);
    xfv_fggb_sum(f, b, w, NULL, N, s[1], d[1]);
    for (int i = 0; i < 2; i++) {
        for (int p = 0; p < PIXELS; p++) {
            both += s[i][p] * d[i][p] != 0.0f;
            negative += s[i][p] < 0.0f || d[i][p] < 0.0f;
            some += s[i][p] > 0.0f || d[i][p] > 0.0f;
        }
    }
    OK(!both && !negative && some > PIXELS, "no pixel is in S+ and in S-, and neither is negative");
    xfv_fggb_sum(f, b, v, NULL, N, t[0], d[0]);
    OK(!memcmp(t[0], s[1], sizeof t[0]), "A and B exchanged: the maps are exchanged, to the bit");
    float big[N];
    for (int k = 0; k < N; k++) big[k] = 8.0f * ea[k];
    xfv_fggb_weights(big, eb, N, 0.4, v);
    int same = 1;
    for (int k = 0; k < N; k++) same = same && fabs(v[k] - w[k]) < 1e-15;
    OK(same, "a longer embedding has the same weights");
    double worst = 0;
    xfv_fggb_sum(f, a, w, NULL, N, s[0], d[0]);
    for (int p = 0; p < PIXELS; p++) {
        double sum = 0;
        for (int k = 0; k < N; k++) sum += (double)xfv_fggb_map(a, k)[p] * w[k];
        worst = fmax(worst, fabs(sum - ((double)s[0][p] - (double)d[0][p])));
    }
    OK(worst < 1e-6, "S is the weighted sum of the maps");
}

int main(void)
{
    int out;
    float x[2][PIXELS * C];
    struct xfv_graph *g = make_graph(&out);
    random_image(x[0]);
    random_image(x[1]);
    check_against_oracle(g, out, x[0]);
    check_differences(g, out, x[1]);
    struct xfv_fggb *f = engine(g, out, XFV_FGGB_NORMALISED, XFV_FGGB_MEAN, XFV_FGGB_NORM_L2);
    struct xfv_fggb_face *a = run(f, x[0]), *b = run(f, x[1]), *again = run(f, x[0]);
    double off = 0;
    for (int k = 0; k < N; k++) {
        double sum = 0;
        for (int p = 0; p < PIXELS; p++) sum += (double)xfv_fggb_map(a, k)[p] * (double)xfv_fggb_map(a, k)[p];
        off = fmax(off, fabs(sqrt(sum) - 1));
    }
    OK(off < 1e-6, "every channel's map has norm 1 (off by %.1e)", off);
    OK(!memcmp(xfv_fggb_map(a, 0), xfv_fggb_map(again, 0), sizeof(float) * N * PIXELS), "the same image, the same "
                                                                                        "bytes");
    check_maps(f, a, b);
    struct xfv_fggb *bad = NULL;
    struct xfv_err e;
    struct xfv_fggb_opts o = {XFV_FGGB_RAW, XFV_FGGB_MEAN, XFV_FGGB_NORM_L2};
    OK(xfv_fggb_new(g, -1, 1, &o, &bad, &e) == XFV_EMODEL && !bad, "no embedding: %s", e.msg);
    float zero[PIXELS * C];
    for (int i = 0; i < PIXELS * C; i++) zero[i] = NAN;
    struct xfv_fggb_face *none = xfv_fggb_face_new(f);
    OK(xfv_fggb_begin(f, none, zero, 0, &e) == XFV_EDATA, "an image of NaN: %s", e.msg);
    xfv_fggb_face_free(none);
    xfv_fggb_face_free(a);
    xfv_fggb_face_free(b);
    xfv_fggb_face_free(again);
    xfv_fggb_free(f);
    xfv_graph_free(g);
    return tap_done();
}
