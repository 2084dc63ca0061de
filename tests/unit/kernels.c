/* Each table of kernels that this processor can run, beside plain loops in double precision and beside AVX2's bytes. */
#include "netgraphs.h"
#include "stream/tensor.h"

enum { PIXELS = 29, TAPS = 2, K = 70, N = 144, LDY = N + 16 };

static const struct xfv_kernels *tables[4];
static int count, bits[4]; /* bits: its bytes are those of the first such table */

static void find_tables(void)
{
    tables[count++] = &xfv_kern_generic;
#if defined(__x86_64__)
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (avx2) bits[count] = 1, tables[count++] = &xfv_kern_avx2;
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        bits[count] = 1, tables[count++] = &xfv_kern_avx512;
        bits[count] = 1, tables[count++] = &xfv_kern_tall_avx512;
    }
#elif defined(__aarch64__)
    tables[count++] = &xfv_kern_neon;
#endif
}

struct data {
    float x[(PIXELS + 1) * K], w[TAPS * K * N], bias[N], slope[N], add[PIXELS * LDY];
    uint8_t mask[PIXELS * N / 8];
    ptrdiff_t tap[TAPS];
};

static struct data *data_new(void)
{
    struct data *d = xfv_aligned_alloc(sizeof *d);
    if (!d) exit(1);
    float *f[] = {d->x, d->w, d->bias, d->slope, d->add};
    size_t n[] = {sizeof d->x, sizeof d->w, sizeof d->bias, sizeof d->slope, sizeof d->add};
    for (int i = 0; i < 5; i++)
        for (size_t j = 0; j < n[i] / sizeof(float); j++) f[i][j] = (float)uniform();
    for (size_t i = 0; i < sizeof d->mask; i++) d->mask[i] = (uint8_t)(uniform() * 128 + 128);
    d->tap[0] = 0, d->tap[1] = K;
    return d;
}

/* Which parts of the epilogue a case has. */
enum { BIAS = 1, ADD = 2, SLOPE = 4, MASK = 8, SIGN = 16 };
struct result { float y[PIXELS * LDY]; uint8_t sign[PIXELS * N / 8]; };

static double value_at(const struct data *d, int p, int c, int parts)
{
    double v = parts & BIAS ? d->bias[c] : 0;
    for (int t = 0; t < TAPS; t++)
        for (int k = 0; k < K; k++) v += (double)d->x[(p + t) * K + k] * d->w[(t * K + k) * N + c];
    return parts & ADD ? v + d->add[p * LDY + c] : v;
}

/* The largest difference to plain loops; signs that are wrong where the value is not near zero count as 1. */
static double difference(const struct data *d, const struct result *r, int pixels, int n, int parts)
{
    double worst = 0;
    for (int p = 0; p < pixels; p++)
        for (int c = 0; c < n; c++) {
            double v = value_at(d, p, c, parts), got = r->y[p * LDY + c];
            int sign = r->sign[p * (N / 8) + c / 8] >> c % 8 & 1;
            if (parts & SIGN && fabs(v) > 1e-4 && sign != (v > 0)) return 1;
            int on = parts & MASK ? d->mask[p * (N / 8) + c / 8] >> c % 8 & 1 : v > 0;
            if (parts & SLOPE && !on) v *= d->slope[c];
            worst = fmax(worst, fabs(v - got));
        }
    return worst;
}

static void product(const struct xfv_kernels *k, const struct data *d, int pixels, int n, int parts, int block,
                    struct result *r)
{
    float *w = xfv_aligned_alloc(sizeof *w * TAPS * K * (size_t)n);
    if (!w) exit(1);
    xfv_pack(k, d->w, N, TAPS * K, n, w);
    memset(r, 0, sizeof *r);
    struct xfv_gemm g = {.x = d->x, .ldx = K, .taps = TAPS, .k = K, .block = block, .tap = d->tap, .w = w, .n = n,
                         .y = r->y, .ldy = LDY};
    if (parts & BIAS) g.e.bias = d->bias;
    if (parts & ADD) g.e.add = d->add;
    if (parts & SLOPE) g.e.slope = d->slope;
    if (parts & SIGN) g.e.sign = r->sign;
    if (parts & MASK) g.e.mask = d->mask;
    g.e.bits = N / 8;
    k->gemm(&g, pixels);
    free(w);
}

/* Every width of a panel, every height of a tile, every way to store, in one chain and in chains of 64. */
static void products(void)
{
    static const int parts[] = {0, BIAS, ADD, BIAS | SLOPE, SLOPE | MASK, ADD | SLOPE | MASK, BIAS | SLOPE | SIGN,
                                BIAS | ADD | SLOPE};
    struct data *d = data_new();
    struct result *r = xfv_aligned_alloc(sizeof *r * 4);
    if (!r) exit(1);
    double worst = 0;
    int cases = 0, other = 0;
    for (int n = 16; n <= N; n += 16)
        for (int pixels = 1; pixels <= PIXELS; pixels++)
            for (int block = 0; block <= 64; block += 64) {
                int part = parts[cases++ % 8], first = -1;
                for (int i = 0; i < count; i++) {
                    product(tables[i], d, pixels, n, part, block, &r[i]);
                    worst = fmax(worst, difference(d, &r[i], pixels, n, part));
                    if (bits[i] && first < 0) first = i;
                    other += bits[i] && memcmp(&r[i], &r[first], sizeof *r);
                }
            }
    OK(worst < 2e-5, "%d products by %d tables differ from plain loops by %.1e at most", cases, count, worst);
    OK(!other, "and where there is AVX2, AVX-512 gives its bytes, whatever the tile (%d do not)", other);
    free(d), free(r);
}

int main(void)
{
    find_tables();
    products();
    return tap_done();
}
