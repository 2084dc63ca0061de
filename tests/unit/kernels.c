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

/* ---- depthwise ---- */

enum { WIDE = 21, CH = 112, MOST = 7, DW = 2 * 2 * WIDE * CH }; /* results of a stride 2 transposed are twice as wide */

struct depth {
    float in[MOST + 1][WIDE * CH], w[MOST * MOST * CH], add[DW], bias[CH], slope[CH];
    uint8_t mask[DW / 8];
};

static void fill(float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) v[i] = (float)uniform();
}

/* What kernel row i, column j of output column x of row `row` reads; -1: nothing. */
static int reads(const struct xfv_dwrow *d, int back, int x, int j)
{
    int at = back ? x + d->left - j : x * d->stride - d->left + j;
    if (at < 0 || (back && at % 2)) return -1;
    if (back) at /= 2;
    return at < d->win ? at : -1;
}

static double dw_difference(const struct xfv_dwrow *d, int back)
{
    double worst = 0;
    int ch = d->channels;
    for (int q = 0; q < (1 + d->two) * d->wout * ch; q++) {
        int c = q % ch, x = q / ch % d->wout, row = q / ch / d->wout;
        double v = d->e.bias ? d->e.bias[c] : 0;
        for (int t = 0; t < d->kh * d->kw; t++) {
            int at = reads(d, back, x, t % d->kw);
            if (at >= 0 && d->rows[row + t / d->kw])
                v += (double)d->rows[row + t / d->kw][at * ch + c] * d->w[t * ch + c];
        }
        if (d->e.add) v += d->e.add[q];
        int on = d->e.mask ? d->e.mask[q / 8] >> q % 8 & 1 : v > 0;
        if (d->e.slope && !on) v *= d->e.slope[c];
        worst = fmax(worst, fabs(v - d->y[q]));
    }
    return worst;
}

/* One geometry by all tables: the worst difference to plain loops; *other counts bytes that AVX-512 gives otherwise
 * than AVX2. */
static double dw_tables(struct xfv_dwrow d, int back, int *other)
{
    static float y[4][DW];
    double worst = 0;
    int first = -1;
    for (int i = 0; i < count; i++) {
        memset(y[i], 0, sizeof y[i]);
        d.y = y[i];
        if (back) tables[i]->dwrow_back2(&d);
        else tables[i]->dwrow(&d);
        worst = fmax(worst, dw_difference(&d, back));
        if (bits[i] && first < 0) first = i;
        *other += bits[i] && memcmp(y[i], y[first], sizeof *y);
    }
    return worst;
}

static void depthwise(void)
{
    struct depth *r = xfv_aligned_alloc(sizeof *r);
    const float *rows[MOST + 1];
    double worst = 0;
    int cases = 0, other = 0;
    if (!r) exit(1);
    for (int i = 0; i <= MOST; i++) fill(r->in[i], WIDE * CH), rows[i] = r->in[i];
    fill(r->w, MOST * MOST * CH), fill(r->add, DW), fill(r->bias, CH), fill(r->slope, CH);
    for (size_t i = 0; i < sizeof r->mask; i++) r->mask[i] = (uint8_t)(uniform() * 128 + 128);
    for (int kernel = 3; kernel <= MOST; kernel += 2)
        for (int win = 1; win <= WIDE; win += win < 9 ? 1 : 4)
            for (int kind = 0; kind < 4; kind++) /* stride 1, 2 and 3, and the transposed one of stride 2 */
                for (int two = 0; two <= (kind == 0); two++) {
                    int back = kind == 3, stride = back ? 1 : kind + 1, left = cases % (kernel / 2 + 1);
                    struct xfv_dwrow d = {.rows = rows, .kh = kernel, .kw = kernel, .stride = stride, .left = left,
                                          .win = win, .wout = back ? 2 * win : (win + stride - 1) / stride,
                                          .channels = 16 + cases % 7 * 16, .two = two, .w = r->w};
                    d.e.bits = (size_t)d.channels / 8;
                    if (cases & 1) d.e.slope = r->slope;
                    if (cases % 3 == 1) d.e.mask = r->mask;
                    else d.e.bias = r->bias;
                    if (cases % 5 == 4) d.e.add = r->add;
                    rows[1] = back && cases & 4 ? NULL : r->in[1];
                    worst = fmax(worst, dw_tables(d, back, &other));
                    cases++;
                }
    OK(worst < 2e-5, "%d depthwise rows differ from plain loops by %.1e at most", cases, worst);
    OK(!other, "and give the same bytes by AVX2 and AVX-512 (%d do not)", other);
    free(r);
}

int main(void)
{
    find_tables();
    products();
    depthwise();
    return tap_done();
}
