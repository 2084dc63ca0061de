/* The functions of net/run/func_body.h in each build that this processor runs, against double precision. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/run/func_internal.h"
#include "tap.h"

static double d_power34(double x) { return pow(x, 0.75); }
static double d_sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double d_silu(double x) { return x * d_sigmoid(x); }
static double d_normal(double x) { return 0.5 * erfc(-x * sqrt(0.5)); }
static double d_gelu(double x) { return x * d_normal(x); }
static double d_gelu_slope(double x) { return d_normal(x) + x * exp(-x * x / 2) / sqrt(2 * acos(-1.0)); }
static double d_silu_slope(double x) { return d_sigmoid(x) * (1 + x * (1 - d_sigmoid(x))); }
static double d_inner(double x) { return sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x); }
static double d_gelu_tanh(double x) { return 0.5 * x * (1 + tanh(d_inner(x))); }
static double d_gelu_tanh_slope(double x)
{
    double t = tanh(d_inner(x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * sqrt(2 / acos(-1.0)) * (1 + 3 * 0.044715 * x * x);
}

enum { N = 60000 };
static float x[N + 40], y[N + 40], z[N + 40], one[N + 40];

/* A grid over lo..hi with the magnitudes near 0 as well. */
static void grid(double lo, double hi)
{
    for (int i = 0; i < N; i++) {
        double u = (double)i / (N - 1);
        x[i] = (float)(i % 2 ? lo + (hi - lo) * u : (i % 4 ? lo : hi) * pow(2, -40 * u));
        one[i] = 1;
    }
}

/* Greatest error of y over x, in units of the last place of the true value; below `floor` in those of floor. */
static double ulps(double of(double), double floor)
{
    double most = 0;
    for (int i = 0; i < N; i++) {
        double want = of((double)x[i]), size = fabs(want) > floor ? fabs(want) : floor;
        int e;
        frexp(size, &e);
        double error = fabs((double)y[i] - want) / ldexp(1, e - 24);
        if (!(error <= most)) most = error;
    }
    return most;
}

static void pointwise(const struct xfv_func *f, const char *build)
{
    const struct {
        const char *name;
        void (*each)(const float *x, float *y, size_t n);
        double (*of)(double), lo, hi, floor, most;
    } f1[] = {
        {"exp", f->exp, exp, -86, 88.7, 1e-37, 2},
        {"sigmoid", f->sigmoid, d_sigmoid, -80, 40, 1e-35, 3},
        {"silu", f->silu, d_silu, -80, 80, 1e-35, 4},
        {"tanh", f->tanh, tanh, -12, 12, 1e-36, 3},
        {"erf", f->erf, erf, -7, 7, 1e-36, 3},
        {"gelu", f->gelu, d_gelu, -12, 12, 1e-30, 10},
        {"gelu by tanh", f->gelu_tanh, d_gelu_tanh, -6, 6, 0.5, 4},
        {"sqrt", f->sqrt, sqrt, 0, 1e6, 1e-36, 1},
        {"x^(3/4)", f->power34, d_power34, 0, 1e6, 1e-36, 3},
    };
    for (size_t i = 0; i < sizeof f1 / sizeof *f1; i++) {
        grid(f1[i].lo, f1[i].hi);
        f1[i].each(x, y, N);
        double e = ulps(f1[i].of, f1[i].floor);
        OK(e <= f1[i].most, "%s: %s within %g units in the last place (%.2f)", build, f1[i].name, f1[i].most, e);
    }
    const struct {
        const char *name;
        void (*slope)(const float *x, const float *dy, float *g, size_t n);
        double (*of)(double);
    } f2[] = {{"silu", f->silu_slope, d_silu_slope},
              {"gelu", f->gelu_slope, d_gelu_slope},
              {"gelu by tanh", f->gelu_tanh_slope, d_gelu_tanh_slope}};
    for (size_t i = 0; i < sizeof f2 / sizeof *f2; i++) {
        grid(-12, 12);
        memset(y, 0, sizeof y);
        f2[i].slope(x, one, y, N);
        double e = ulps(f2[i].of, 1);
        OK(e <= 12, "%s: the slope of %s (%.2f)", build, f2[i].name, e);
    }
}

static void edges(const struct xfv_func *f, const char *build)
{
    float in[7] = {NAN, INFINITY, -INFINITY, 0, -0.0f, 1e30f, -1e30f}, out[7];
    f->exp(in, out, 7);
    OK(isnan(out[0]) && isinf(out[1]) && !(out[2] > 0) && isinf(out[5]) && !(out[6] > 0), "%s: exp's ends", build);
    f->tanh(in, out, 7);
    OK(isnan(out[0]) && !(out[1] < 1) && !(out[2] > -1) && signbit(out[4]) && !signbit(out[3]) && !(out[6] > -1),
       "%s: tanh's ends", build);
    f->erf(in, out, 7);
    OK(isnan(out[0]) && !(out[1] < 1) && !(out[2] > -1) && !(out[5] < 1), "%s: erf's ends", build);
    f->gelu(in, out, 7);
    OK(isnan(out[0]) && isinf(out[1]) && !(out[5] < 1e30f) && fabsf(out[6]) < 1e-35f && fabsf(out[2]) < 1e-35f,
       "%s: gelu's ends", build);
    f->silu(in, out, 7);
    OK(isnan(out[0]) && isinf(out[1]) && fabsf(out[2]) < 1e-35f && !(out[5] < 1e30f) && fabsf(out[6]) < 1e-35f,
       "%s: silu's ends", build);
    f->clip(in, out, 7, -2, 3);
    OK(isnan(out[0]) && !(out[1] < 3) && !(out[2] > -2) && !(out[4] < 0) && !(out[5] > 3) && !(out[6] < -2),
       "%s: clip's ends", build);
    f->hardsigmoid(in, out, 7, .2f, .5f);
    OK(isnan(out[0]) && !(out[1] < 1) && !(out[2] > 0) && !(out[3] < .5f) && !(out[3] > .5f),
       "%s: hard sigmoid's ends", build);
    grid(-8, 8);
    f->hardswish(x, y, N - 3, 6, .5f);
    double off = 0;
    for (int i = 0; i < N - 3; i++) {
        double v = (double)x[i], w = v < -3 ? 0 : v > 3 ? v : v * (v / 6 + .5);
        off = fmax(off, fabs((double)y[i] - w));
    }
    OK(off < 1e-6, "%s: hard swish (%.1e)", build, off);
    f->sigmoid(in, out, 7);
    OK(isnan(out[0]) && !(out[1] < 1) && !(out[2] > 0), "%s: sigmoid's ends", build);
    int same = 1;
    grid(-5, 5);
    f->gelu(x, y, N);
    for (size_t n = 1; n < 40; n++) {
        memset(z, 0, sizeof z);
        f->gelu(x + 1000, z, n);
        same &= !memcmp(z, y + 1000, sizeof *z * n) && fabsf(z[n]) <= 0;
    }
    OK(same, "%s: a number's function does not depend on its place, and nothing is written behind the last", build);
}

static void rows(const struct xfv_func *f, const char *build)
{
    double soft = 0, softb = 0, normed = 0, normb = 0, summed = 0;
    for (int n = 1; n < 1500; n = n < 40 ? n + 1 : n * 2 + 1) {
        static float w[2000], b[2000], dy[2000], g[2000];
        double sum = 0, mean = 0, var = 0, dot = 0, m1 = 0, m2 = 0;
        for (int i = 0; i < n; i++) {
            x[i] = (float)(1000 + 3 * sin(i * 1.7)), dy[i] = (float)cos(i * 0.9), g[i] = 1;
            w[i] = (float)(1 + 0.5 * sin(i * 0.3)), b[i] = (float)(0.1 * i / n);
        }
        f->softmax(x, 0, y, 0, 1, n);
        for (int i = 0; i < n; i++) sum += exp((double)x[i] - 1000);
        for (int i = 0; i < n; i++) soft = fmax(soft, fabs((double)y[i] / (exp((double)x[i] - 1000) / sum) - 1));
        f->softmax_back(y, dy, g, n);
        for (int i = 0; i < n; i++) dot += (double)y[i] * (double)dy[i];
        for (int i = 0; i < n; i++) softb = fmax(softb, fabs((double)g[i] - 1 - (double)y[i] * ((double)dy[i] - dot)));
        struct xfv_norm m = {w, b, 1e-5f, n};
        f->norm(&m, x, 0, y, 0, 1);
        for (int i = 0; i < n; i++) mean += (double)x[i] / n;
        for (int i = 0; i < n; i++) var += ((double)x[i] - mean) * ((double)x[i] - mean) / n;
        double scale = 1 / sqrt(var + 1e-5);
        for (int i = 0; i < n; i++) {
            double h = ((double)x[i] - mean) * scale, e = (double)dy[i] * (double)w[i];
            normed = fmax(normed, fabs((double)y[i] - h * (double)w[i] - (double)b[i]));
            m1 += e / n, m2 += e * h / n, g[i] = 0;
        }
        f->norm_back(&m, x, dy, g);
        for (int i = 0; i < n; i++) {
            double h = ((double)x[i] - mean) * scale, e = (double)dy[i] * (double)w[i];
            normb = fmax(normb, fabs((double)g[i] - scale * (e - m1 - h * m2)) / scale);
        }
        f->sum_rows(x, 100, 500, y, n < 100 ? n : 100);
        for (int c = 0; c < n && c < 100; c++) {
            double all = 0;
            for (int r = 0; r < 500; r++) all += (double)x[r * 100 + c];
            summed = fmax(summed, fabs((double)y[c] - all) / 5e5);
        }
    }
    OK(soft < 5e-7, "%s: softmax (%.1e)", build, soft);
    OK(softb < 1e-6, "%s: its gradient (%.1e)", build, softb);
    OK(normed < 2e-6, "%s: layer normalisation of numbers far from 0 (%.1e)", build, normed);
    OK(normb < 2e-6, "%s: its gradient (%.1e)", build, normb);
    OK(summed < 1e-6, "%s: sums of rows (%.1e)", build, summed);
}

static void pairs(const struct xfv_func *f, const char *build)
{
    double soft = 0;
    int max = 1;
    grid(-30, 30);
    f->softmax2(x, 3, y, 5, 1001);
    for (int i = 0; i < 1001; i++) {
        double d = (double)(x[3 * i + 1] - x[3 * i]); /* rounded, as there */
        soft = fmax(soft, fabs((double)y[5 * i] * (1 + exp(d)) - 1));
        soft = fmax(soft, fabs((double)y[5 * i + 1] * (1 + exp(-d)) - 1));
    }
    OK(soft < 5e-7, "%s: softmax of two (%.1e)", build, soft);
    struct xfv_max_row m = {x, 32 * 20, 64, 32, 48, 3, 2, 9, 32};
    f->max_row(&m, y);
    for (int i = 0; i < 9; i++)
        for (int c = 0; c < 32; c++) {
            float most = -INFINITY;
            for (int r = 0; r < 3; r++)
                for (int k = 0; k < 2; k++) most = fmaxf(most, x[i * 64 + r * 640 + k * 32 + c]);
            max &= !(most < y[i * 48 + c]) && !(most > y[i * 48 + c]);
        }
    OK(max, "%s: a row of max-pooling", build);
}

int main(void)
{
    struct { const char *name; const struct xfv_func *f; } builds[3] = {{"generic", &xfv_func_generic}};
    int n = 1;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        builds[n].name = "avx2", builds[n++].f = &xfv_func_avx2;
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
            builds[n].name = "avx512", builds[n++].f = &xfv_func_avx512;
    }
#endif
    for (int i = 0; i < n; i++) {
        pointwise(builds[i].f, builds[i].name);
        edges(builds[i].f, builds[i].name);
        rows(builds[i].f, builds[i].name);
        pairs(builds[i].f, builds[i].name);
    }
    int same = 1;
    for (int i = 2; i < n; i++) {
        grid(-20, 20);
        builds[1].f->gelu(x, y, N), builds[i].f->gelu(x, z, N);
        same &= !memcmp(y, z, sizeof *y * N);
        builds[1].f->softmax(x, 111, y, 111, 7, 111), builds[i].f->softmax(x, 111, z, 111, 7, 111);
        same &= !memcmp(y, z, sizeof *y * 777);
        struct xfv_norm m = {one, x + 1, 1e-5f, 111};
        builds[1].f->norm(&m, x, 111, y, 111, 7), builds[i].f->norm(&m, x, 111, z, 111, 7);
        same &= !memcmp(y, z, sizeof *y * 777);
    }
    OK(same, "the builds with multiply-adds give the same bits");
    return tap_done();
}
