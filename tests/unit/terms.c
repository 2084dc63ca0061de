/* Products by bfloat16 terms: the splitting, the plain-C products beside double precision, AMX's bytes beside
 * theirs where there is AMX, and numbers at the ends of the range. */
#include <float.h>

#include "net/run/func_internal.h"
#include "net/run/kern_terms.h"
#include "netgraphs.h"
#include "stream/tensor.h"

enum { PIXELS = 37, K = 96, N = 112 };

/* What is left of x when its terms are taken away, relative to x. */
static double rest(float x, int terms)
{
    uint16_t t[3];
    double sum = 0;
    xfv_split(x, terms, t);
    for (int i = 0; i < terms; i++) sum += xfv_term_value(t[i]);
    return fabs(sum - (double)x) / fabs((double)x);
}

static void splitting(void)
{
    double two = 0, three = 0;
    for (int i = 0; i < 100000; i++) {
        float x = (float)(uniform() * exp2(60 * uniform()));
        two = fmax(two, rest(x, 2)), three = fmax(three, rest(x, 3));
    }
    OK(two < 0x1p-15 && two > 0x1p-17 && three < 0x1p-24, "two terms leave %.1e of a number, three %.1e", two, three);
    static const float ends[] = {3.39e38f, -3.39e38f, FLT_MAX / 2, FLT_MIN, 1e-30f};
    int bad = 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        for (int terms = 2; terms <= 3; terms++) bad += !(rest(ends[i], terms) < 0x1p-14);
    OK(!bad, "numbers near the ends of the range are split as others are (%d are not)", bad);
    uint16_t t[3];
    uint32_t all = 0xffffffffu;
    float none[] = {INFINITY, NAN, FLT_MAX, 0};
    memcpy(&none[3], &all, sizeof all);
    for (int i = 0; i < 4; i++) {
        xfv_split(none[i], 3, t);
        float sum = xfv_term_value(t[0]) + xfv_term_value(t[1]) + xfv_term_value(t[2]);
        bad += isfinite(sum) != 0;
    }
    OK(!bad, "what is not finite remains so, and what rounding carries out of the range becomes so");
}

struct data { float x[PIXELS * K], w[K * N], bias[N], slope[N], add[PIXELS * N]; uint8_t mask[PIXELS * N / 8]; };

static void product(void (*gemm)(const struct xfv_gemm *, int), int terms, const struct data *d, int pixels, int n,
                    int kind, float *y)
{
    uint16_t *w = xfv_aligned_alloc(sizeof *w * K * N * 3);
    if (!w) exit(1);
    xfv_pack_terms(terms, d->w, N, K, n, w);
    memset(y, 0, sizeof *y * PIXELS * N);
    struct xfv_gemm g = {.x = d->x, .ldx = K, .taps = 1, .k = K, .w = (const float *)(const void *)w, .n = n, .y = y,
                         .ldy = N};
    g.e.bits = N / 8;
    if (kind & 1) g.e.slope = d->slope, g.e.mask = d->mask;
    if (kind & 2) g.e.add = d->add;
    if (kind & 4) g.e.bias = d->bias;
    gemm(&g, pixels);
    free(w);
}

/* The largest difference to double precision, relative to the sum of the products' sizes. */
static double difference(const struct data *d, const float *y, int pixels, int n)
{
    double worst = 0;
    for (int p = 0; p < pixels; p++)
        for (int c = 0; c < n; c++) {
            double sum = 0, size = 0;
            for (int k = 0; k < K; k++) {
                double one = (double)d->x[p * K + k] * d->w[k * N + c];
                sum += one, size += fabs(one);
            }
            worst = fmax(worst, fabs(sum - y[p * N + c]) / size);
        }
    return worst;
}

static int amx(void)
{
    const char *have = xfv_net_kernels();
    return !strncmp(have, "amx", 3);
}

static void products(struct data *d)
{
    static float y[PIXELS * N], z[PIXELS * N];
    product(xfv_gemm_two_terms, 2, d, PIXELS, N, 0, y);
    double two = difference(d, y, PIXELS, N);
    product(xfv_gemm_three_terms, 3, d, PIXELS, N, 0, y);
    double three = difference(d, y, PIXELS, N);
    OK(two < 4e-6 && two > 1e-8, "three products of two terms are within %.1e of double precision", two);
    OK(three < 1.2e-7, "six of three terms within %.1e, as single precision is", three);
    (void)z;
    if (!amx()) {
        OK(1, "# SKIP no AMX here (or XFV_KERNELS does not name it)");
        return;
    }
#if defined(__x86_64__)
    int other = 0, cases = 0;
    for (int n = 16; n <= N; n += 16)
        for (int pixels = 1; pixels <= PIXELS; pixels += 3, cases++) {
            int three_terms = cases & 1, kind = cases % 8;
            product(three_terms ? xfv_gemm_three_terms : xfv_gemm_two_terms, 2 + three_terms, d, pixels, n, kind, y);
            product(three_terms ? xfv_amx_three_terms : xfv_amx_two_terms, 2 + three_terms, d, pixels, n, kind, z);
            other += memcmp(y, z, sizeof y) != 0;
        }
    OK(!other, "AMX gives the bytes of plain C (%d of %d products do not)", other, cases);
#endif
}

/* One number x among zeros: what comes out is x w. */
static float through(void (*gemm)(const struct xfv_gemm *, int), int terms, struct data *d, float x, float w)
{
    static float y[PIXELS * N];
    memset(d->x, 0, sizeof d->x);
    memset(d->w, 0, sizeof d->w);
    d->x[5] = x, d->w[5 * N + 3] = w;
    product(gemm, terms, d, 1, 16, 0, y);
    return y[3];
}

static void ends_of_range(void (*gemm)(const struct xfv_gemm *, int), int terms, struct data *d, const char *name)
{
    float big = through(gemm, terms, d, 3.39e38f, 0.5f), most = through(gemm, terms, d, FLT_MAX, 0.3f),
          inf = through(gemm, terms, d, INFINITY, 0.3f), nan = through(gemm, terms, d, NAN, 1.0f),
          over = through(gemm, terms, d, 3e38f, 3e38f), tiny = through(gemm, terms, d, 1e-39f, 1.0f),
          small = through(gemm, terms, d, 2e-38f, 1.0f);
    OK(fabs(big / (3.39e38 * 0.5) - 1) < 1e-4 && !isfinite(most), "%s: the largest numbers", name);
    OK(!isfinite(inf) && isnan(nan) && !isfinite(over), "%s: infinity, NaN, overflow do not come out finite", name);
    OK(fabsf(tiny) <= 1e-38f && fabs(small / 2e-38 - 1) < 0.01, "%s: subnormal numbers count as zero", name);
}

/* Kernels by terms are this processor's otherwise: so are the vector functions beside them. */
static void functions(void)
{
#if defined(__x86_64__)
    const char *name = xfv_kernels()->name, *base = xfv_kernels()->base;
    const struct xfv_func *fit = !strcmp(base, "avx512") ? &xfv_func_avx512
                                 : !strcmp(base, "avx2") ? &xfv_func_avx2
                                                         : &xfv_func_generic;
    OK(xfv_func() == fit, "kernels '%s' bring the vector functions of '%s'", name, base);
#endif
}

int main(void)
{
    struct data *d = xfv_aligned_alloc(sizeof *d);
    if (!d) return 1;
    setenv("XFV_KERNELS", "amx3", 0);
    float *f[] = {d->x, d->w, d->bias, d->slope, d->add};
    size_t n[] = {PIXELS * K, K * N, N, N, PIXELS * N};
    for (int i = 0; i < 5; i++)
        for (size_t j = 0; j < n[i]; j++) f[i][j] = (float)uniform();
    for (size_t i = 0; i < sizeof d->mask; i++) d->mask[i] = (uint8_t)(uniform() * 128 + 128);
    splitting();
    functions();
    products(d);
    ends_of_range(xfv_gemm_two_terms, 2, d, "two terms");
    ends_of_range(xfv_gemm_three_terms, 3, d, "three terms");
#if defined(__x86_64__)
    if (amx()) ends_of_range(xfv_amx_two_terms, 2, d, "AMX, two terms");
    if (amx()) ends_of_range(xfv_amx_three_terms, 3, d, "AMX, three terms");
#endif
    free(d);
    return tap_done();
}
