/* Path-integrated gradients at a feature map: completeness, single cells against finite differences, the linear twin,
 * and where cells lie. */
#include "explain/path.h"

#include "explain/tail.h"
#include "graphs.h"
#include "net/model/model.h"
#include "net/graph/ref.h"

enum { H = 22, W = 17, N = 9 };

/* Strided and padded layers as importers make them, a shortcut round one of them, then a linear head. *cut: the map
 * after the shortcut, *last: the last map. pointwise: a 1x1 convolution reads the cut. */
static struct build network(int *cut, int *last, int pointwise)
{
    struct build b = start(xfv_shape_of(3, H, W, 3));
    conv(&b, 3, 2, 0, 1, 6, 1, 1);
    channelwise(&b, XFV_OP_PRELU, 0);
    int x = b.last;
    conv(&b, 3, 1, 1, 1, 6, 6, 1);
    channelwise(&b, XFV_OP_PRELU, 0);
    *cut = binary(&b, XFV_OP_ADD, x, b.last);
    if (pointwise) conv(&b, 1, 1, 0, 0, 10, 1, 1);
    if (pointwise) channelwise(&b, XFV_OP_PRELU, 0);
    conv(&b, 3, 2, 1, 1, 8, 1, 1);
    *last = channelwise(&b, XFV_OP_PRELU, 0);
    dense(&b, N, 1);
    return b;
}

static void fill(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = (float)uniform();
}

struct setup { struct xfv_path *p; float *h, *h0, f[N], f0[N], target[N]; size_t features; int cells; };

static struct setup set_up(const struct xfv_graph *g, int out, const struct xfv_layer *l)
{
    struct xfv_err e = {0};
    struct setup s = {0};
    float x[H * W * 3];
    sure(xfv_path_new(g, out, l, NULL, 0, 2, &s.p, &e), &e);
    s.features = xfv_path_features(s.p);
    s.cells = l->h * l->w;
    s.h = malloc(s.features * sizeof *s.h);
    s.h0 = malloc(s.features * sizeof *s.h0);
    fill(x, H * W * 3);
    sure(xfv_path_forward(s.p, 1, x, s.h, NULL, s.f, &e), &e);
    fill(x, H * W * 3);
    sure(xfv_path_forward(s.p, 0, x, s.h0, NULL, s.f0, &e), &e);
    fill(s.target, N);
    return s;
}

static void take_down(struct setup *s)
{
    xfv_path_free(s->p);
    free(s->h);
    free(s->h0);
}

static double cosine_at(struct setup *s, const float *h)
{
    double a = 0, b = 0, c = 0;
    float f[N];
    xfv_path_embed(s->p, 0, h, f, NULL);
    for (int k = 0; k < N; k++)
        a += (double)f[k] * (double)f[k], b += (double)s->target[k] * (double)s->target[k],
            c += (double)f[k] * (double)s->target[k];
    return c / sqrt(a * b);
}

static void test_completeness(const struct xfv_graph *g, int out, const struct xfv_layer *l)
{
    struct setup s = set_up(g, out, l);
    float *cells = malloc((size_t)s.cells * sizeof *cells);
    struct xfv_path_sums sums;
    struct xfv_err e = {0};
    double gap[3], sum = 0;
    static const int steps[3] = {1, 16, 256};
    for (int i = 0; i < 3; i++) {
        sure(xfv_path_integrate(s.p, 0, s.h0, s.f0, s.h, s.f, s.target, steps[i], cells, &sums, &e), &e);
        gap[i] = fabs(sums.sum - (sums.to - sums.from));
    }
    for (int i = 0; i < s.cells; i++) sum += (double)cells[i];
    OK(gap[1] < 2e-2 && gap[2] < 1e-3 && gap[2] < gap[0],
       "the cells sum to the score's change, ever better: gaps %.1e, %.1e, %.1e", gap[0], gap[1], gap[2]);
    OK(fabs(sum - sums.sum) < 1e-5, "the sum told is the cells'");
    OK(fabs(sums.to - cosine_at(&s, s.h)) < 1e-6 && fabs(sums.from - cosine_at(&s, s.h0)) < 1e-6,
       "both ends are cosines of the rest of the network");
    OK(xfv_path_integrate(s.p, 0, s.h0, s.f0, s.h, s.f, s.target, 0, cells, &sums, &e) == XFV_EARG, "no steps, no "
                                                                                                    "path");
    memset(s.target, 0, sizeof s.target);
    OK(xfv_path_integrate(s.p, 0, s.h0, s.f0, s.h, s.f, s.target, 1, cells, &sums, &e) == XFV_EDATA,
       "a partner without direction is refused");
    free(cells);
    take_down(&s);
}

/* One step: each cell is (h - h0) times the gradient at the midpoint, a directional derivative that central differences
 * give too. */
static void test_differences(const struct xfv_graph *g, int out, const struct xfv_layer *l)
{
    struct setup s = set_up(g, out, l);
    size_t c = s.features / (size_t)s.cells;
    float *cells = malloc((size_t)s.cells * sizeof *cells), *h = malloc(s.features * sizeof *h);
    struct xfv_path_sums sums;
    struct xfv_err e = {0};
    double worst = 0, most = 0;
    sure(xfv_path_integrate(s.p, 0, s.h0, s.f0, s.h, s.f, s.target, 1, cells, &sums, &e), &e);
    for (int p = 0; p < s.cells; p++) {
        double d[2];
        for (int sign = 0; sign < 2; sign++) {
            for (size_t k = 0; k < s.features; k++) h[k] = 0.5f * (s.h[k] + s.h0[k]);
            for (size_t k = (size_t)p * c; k < ((size_t)p + 1) * c; k++)
                h[k] += (sign ? -1e-3f : 1e-3f) * (s.h[k] - s.h0[k]);
            d[sign] = cosine_at(&s, h);
        }
        worst = fmax(worst, fabs((d[0] - d[1]) / 2e-3 - (double)cells[p]));
        most = fmax(most, fabs((double)cells[p]));
    }
    OK(worst < 5e-3 * most,
       "each of %d cells is the score's change along its own features (largest difference %.1e of %.1e)", s.cells,
       worst, most);
    free(cells);
    free(h);
    take_down(&s);
}

/* Behind a cut that only a 1x1 convolution reads, the path is laid through that one's output: wider features, the same
 * cells. */
static void test_lift(void)
{
    int cut, last;
    struct build b = network(&cut, &last, 1);
    struct xfv_layer l;
    struct xfv_err e = {0};
    struct xfv_path *p;
    float x[H * W * 3], f[N], again[N];
    xfv_graph_add_output(b.g, b.last, NULL);
    sure(xfv_layer_find(b.g, b.last, b.g->values[cut].name, &l, &e), &e);
    test_completeness(b.g, b.last, &l);
    test_differences(b.g, b.last, &l);
    sure(xfv_path_new(b.g, b.last, &l, &cut, 1, 1, &p, &e), &e);
    size_t n = xfv_path_features(p);
    float *h = malloc(n * sizeof *h), *lifted = malloc(n * sizeof *h),
          *look = malloc((size_t)(l.h * l.w * l.c) * sizeof *look), *looks[1] = {look};
    double off = 0;
    fill(x, H * W * 3);
    sure(xfv_path_forward(p, 0, x, h, looks, f, &e), &e);
    sure(xfv_path_lift(p, 0, look, lifted, &e), &e);
    sure(xfv_path_embed(p, 0, lifted, again, &e), &e);
    for (size_t i = 0; i < n; i++) off = fmax(off, fabs((double)h[i] - (double)lifted[i]));
    for (int k = 0; k < N; k++) off = fmax(off, fabs((double)f[k] - (double)again[k]));
    OK(n == (size_t)(l.h * l.w) * 10 && off < 1e-5,
       "the layer, looked at and lifted, gives the features and the embedding (%.1e)", off);
    free(h);
    free(lifted);
    free(look);
    xfv_path_free(p);
    xfv_graph_free(b.g);
}

static void test_agreement(void)
{
    const float a[6] = {1, 2, 3, 4, 0, 0}, b[6] = {2, 4, -3, -4, 1, 0}, mean[6] = {0};
    float out[3];
    xfv_agreement(a, b, mean, 3, 2, out);
    OK(fabsf(out[0] - 1) < 1e-6f && fabsf(out[1] + 1) < 1e-6f && out[2] <= 0 && out[2] >= 0,
       "agreement: 1 alike, -1 opposite, 0 where one face is the mean");
}

static void test_linear(const struct xfv_graph *g, int out, const struct xfv_layer *l)
{
    struct setup s = set_up(g, out, l);
    struct xfv_tail *tail;
    float *cells = malloc((size_t)s.cells * sizeof *cells), *phi = malloc((size_t)s.cells * N * sizeof *phi);
    struct xfv_path_sums sums;
    struct xfv_err e = {0};
    double off = 0, by = 0, ff = 0;
    sure(xfv_path_linear(s.p, 0, s.h0, s.f0, s.h, s.f, s.target, cells, &sums, &e), &e);
    sure(xfv_tail_new(g, out, l, 1, &tail, &e), &e);
    sure(xfv_tail_contributions(tail, 0, s.h0, s.h, phi, &e), &e);
    OK(fabs(sums.sum - (sums.to - sums.from)) < 1e-5, "linear cells sum to the score's change exactly (gap %.1e)",
       sums.sum - (sums.to - sums.from));
    for (int k = 0; k < N; k++) by += (double)s.target[k] * (double)s.target[k], ff += (double)s.f[k] * (double)s.f[k];
    for (int p = 0; p < s.cells; p++) {
        double d = 0;
        for (int k = 0; k < N; k++) d += (double)phi[p * N + k] * (double)s.target[k];
        off = fmax(off, fabs(d / sqrt(by * ff) - (double)cells[p]));
    }
    OK(off < 1e-5, "what each cell adds to the embedding, times the partner's, is the linear cell (%.1e)", off);
    xfv_tail_free(tail);
    free(cells);
    free(phi);
    take_down(&s);
}

/* The pixels that the middle cell depends on: its place must be their middle, its field their number. */
static void test_place(const struct xfv_graph *g, const struct xfv_layer *l, const char *what)
{
    struct xfv_shape in = g->values[0].shape;
    size_t n = xfv_shape_count(in), count = xfv_shape_count(g->values[l->value].shape);
    double *x = malloc(n * sizeof *x), *cot = calloc(count, sizeof *cot), *dx = malloc(n * sizeof *dx), **values;
    int cell[2] = {l->h / 2, l->w / 2}, lo[2] = {1000, 1000}, hi[2] = {-1, -1};
    struct xfv_err e = {0};
    for (size_t i = 0; i < n; i++) x[i] = uniform();
    for (int c = 0; c < l->c; c++)
        cot[((size_t)cell[0] * (size_t)l->w + (size_t)cell[1]) * (size_t)l->c + (size_t)c] = uniform();
    sure(xfv_ref_forward(g, in, x, &values, &e), &e);
    sure(xfv_ref_vjp(g, in, values, l->value, cot, dx, &e), &e);
    for (size_t i = 0; i < n; i++) {
        int at[2] = {(int)(i / 3) / W, (int)(i / 3) % W};
        for (int a = 0; a < 2 && fabs(dx[i]) > 0; a++)
            lo[a] = at[a] < lo[a] ? at[a] : lo[a], hi[a] = at[a] > hi[a] ? at[a] : hi[a];
    }
    int ok = 1;
    for (int a = 0; a < 2; a++)
        ok = ok && fabs(l->origin[a] + l->step[a] * cell[a] - 0.5 * (lo[a] + hi[a])) < 1e-9 &&
             fabs(l->field[a] - (hi[a] - lo[a] + 1)) < 1e-9;
    OK(ok, "%s: the cell's centre and field are those of the pixels it sees (rows %d..%d, columns %d..%d)", what, lo[0],
       hi[0], lo[1], hi[1]);
    xfv_ref_free(g, values);
    free(x);
    free(cot);
    free(dx);
}

static void test_choice(const struct xfv_graph *g, int out, int cut, int last)
{
    struct xfv_layer l;
    struct xfv_err e = {0};
    char name[32];
    OK(!xfv_layer_find(g, out, "cells", &l, &e) && l.value == last && l.linear, "cells: the last map, linear from "
                                                                                "there");
    OK(!xfv_layer_find(g, out, "11x8", &l, &e) && l.value == cut && !l.linear, "a grid names its last map, not one "
                                                                               "that a shortcut goes round");
    snprintf(name, sizeof name, "%s", g->values[cut].name);
    OK(!xfv_layer_find(g, out, name, &l, &e) && l.value == cut, "a value's name");
    OK(xfv_layer_find(g, out, g->values[cut - 1].name, &l, &e) == XFV_EARG && strstr(e.msg, "11x8, 6x4"),
       "a map that something goes round is refused: %s", e.msg);
    OK(xfv_layer_find(g, out, "3x3", &l, &e) == XFV_EARG, "a grid that is not there");
}

static void test_upsample(void)
{
    struct xfv_layer l = {.h = 3, .w = 2, .origin = {1, 2}, .step = {4, 4}};
    float cells[6] = {16, 32, 16, 32, 48, 64}, map[12 * 8];
    xfv_layer_upsample(&l, cells, 12, 8, map);
    OK(fabsf(map[1 * 8 + 2] - 1) < 1e-6f && fabsf(map[1 * 8 + 6] - 2) < 1e-6f && fabsf(map[9 * 8 + 2] - 3) < 1e-6f,
       "a cell's value per pixel at its centre");
    OK(fabsf(map[1 * 8 + 4] - 1.5f) < 1e-6f && fabsf(map[7 * 8 + 2] - 2) < 1e-6f, "half way between two of them");
    OK(fabsf(map[0] - 1) < 1e-6f && fabsf(map[11 * 8 + 7] - 4) < 1e-6f, "constant beyond the outermost");
}

static void test_mobilefacenet(void)
{
    struct xfv_model *m;
    struct xfv_layer l;
    struct xfv_err e = {0};
    if (xfv_model_load("mobilefacenet", &m, &e)) {
        OK(0, "the default model: %s", e.msg);
        return;
    }
    OK(!xfv_layer_find(m->graph, m->embedding, "auto", &l, &e) && l.h == 14 && l.c == 128 &&
           fabs(l.origin[0] - 7) < 1e-9 && fabs(l.step[0] - 8) < 1e-9,
       "MobileFaceNet: auto is the last block's output at 14x14, cell i at pixel 8i+7");
    OK(!xfv_layer_find(m->graph, m->embedding, "28x28", &l, &e) && l.c == 64 && fabs(l.origin[0] - 3) < 1e-9,
       "28x28: a block's output, cell i at pixel 4i+3");
    OK(!xfv_layer_find(m->graph, m->embedding, "cells", &l, &e) && l.h == 7 && l.c == 512 &&
           fabs(l.origin[0] - 15) < 1e-9 && fabs(l.step[0] - 16) < 1e-9,
       "cells: the last map at 7x7, cell i at pixel 16i+15");
    xfv_model_free(m);
}

int main(void)
{
    int cut, last;
    struct build b = network(&cut, &last, 0);
    struct xfv_layer at_cut, at_last;
    struct xfv_err e = {0};
    int out = b.last;
    xfv_graph_add_output(b.g, out, NULL);
    test_choice(b.g, out, cut, last);
    sure(xfv_layer_find(b.g, out, "11x8", &at_cut, &e), &e);
    sure(xfv_layer_find(b.g, out, "cells", &at_last, &e), &e);
    test_place(b.g, &at_cut, "11x8");
    test_place(b.g, &at_last, "6x4");
    test_completeness(b.g, out, &at_cut);
    test_completeness(b.g, out, &at_last);
    test_differences(b.g, out, &at_cut);
    test_linear(b.g, out, &at_last);
    struct xfv_tail *tail;
    OK(xfv_tail_new(b.g, out, &at_cut, 1, &tail, &e) == XFV_EARG && !tail, "no contributions where the rest is not "
                                                                           "linear");
    graphs_seed = 3;
    test_lift();
    test_agreement();
    test_upsample();
    test_mobilefacenet();
    xfv_graph_free(b.g);
    return tap_done();
}
