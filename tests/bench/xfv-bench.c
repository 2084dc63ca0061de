/* Rates of this machine and of our passes, for tests/bench/bench.py, which interleaves them with PyTorch's, and for
 * tests/onnx/networks.py. One number a line on standard output:
 *   xfv-bench peak T            GFLOP/s of T threads that do nothing but multiply-adds in registers
 *   xfv-bench sgemm T           GFLOP/s of OpenBLAS on T threads, each its own 784x128x128 product, as in the network
 *   xfv-bench macs MODEL        multiply-adds of one forward pass
 *   xfv-bench least MODEL       seconds of the fastest forward pass on one thread
 *   xfv-bench embed MODEL T     seconds per face of forward passes on T threads
 *   xfv-bench fggb MODEL T R    seconds for all maps g_k of one face on T threads, median of R
 *   xfv-bench resnet T D        the same rates for an iResNet of D (50 or 100) layers and random weights:
 *                               multiply-adds, a forward pass, one row of the Jacobian, seconds; then processor seconds of a pass */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "cli/cli.h"
#include "explain/fggb.h"
#include "net/model/model.h"
#include "net/run/net.h"
#include "stream/tensor.h"
#include "unit/netgraphs.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const struct xfv_err *e)
{
    fprintf(stderr, "xfv-bench: %s\n", e->msg);
    exit(1);
}

/* ---- the machine ---- */

#define ROUNDS 20000000

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static float spin512(void)
{
    __m512 a[12], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-3f);
    for (int i = 0; i < 12; i++) a[i] = _mm512_set1_ps((float)i);
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < 12; i++) a[i] = _mm512_fmadd_ps(a[i], x, y);
    for (int i = 1; i < 12; i++) a[0] = _mm512_add_ps(a[0], a[i]);
    return _mm512_reduce_add_ps(a[0]);
}
__attribute__((target("avx2,fma"))) static float spin256(void)
{
    __m256 a[12], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
    for (int i = 0; i < 12; i++) a[i] = _mm256_set1_ps((float)i);
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < 12; i++) a[i] = _mm256_fmadd_ps(a[i], x, y);
    float out[8];
    for (int i = 1; i < 12; i++) a[0] = _mm256_add_ps(a[0], a[i]);
    _mm256_storeu_ps(out, a[0]);
    return out[0];
}
#endif

static volatile float nowhere;

static void peak_one(void *ctx, int i, int worker)
{
    int *lanes = ctx;
    (void)i, (void)worker;
#if defined(__x86_64__)
    nowhere = *lanes == 16 ? spin512() : spin256();
#else
    (void)lanes;
#endif
}

static double peak(struct xfv_pool *pool, int t)
{
    double best = 0;
    int widths[] = {8, 16};
    for (int w = 0; w < 2; w++) {
        const char *have = xfv_net_kernels();
        if (!strcmp(have, "generic") || (widths[w] == 16 && strcmp(have, "avx512"))) continue;
        double s = now();
        xfv_pool_run(pool, t, peak_one, &widths[w]);
        double rate = 2.0 * 12 * widths[w] * ROUNDS * t / (now() - s) * 1e-9;
        if (rate > best) best = rate;
    }
    return best;
}

enum { P = 784, K = 128, N = 128, TIMES = 400 };

static void sgemm_one(void *ctx, int i, int worker)
{
    float *m = (float *)ctx + (size_t)i * (P * K + K * N + P * N), *x = m, *w = x + P * K, *y = w + K * N;
    (void)worker;
    for (int r = 0; r < TIMES; r++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, P, N, K, 1, x, K, w, N, 0, y, N);
}

static double sgemm(struct xfv_pool *pool, int t)
{
    size_t each = P * K + K * N + P * N;
    float *m = xfv_aligned_alloc(sizeof *m * each * (size_t)t);
    if (!m) return 0;
    for (size_t i = 0; i < each * (size_t)t; i++) m[i] = (float)uniform();
    xfv_pool_run(pool, t, sgemm_one, m);
    double s = now();
    xfv_pool_run(pool, t, sgemm_one, m);
    double rate = 2.0 * P * K * N * TIMES * t / (now() - s) * 1e-9;
    free(m);
    return rate;
}

/* ---- our passes ---- */

struct forward { const struct xfv_net *net; struct xfv_ws **ws; const float *x; int n, each; };

static void forward_one(void *ctx, int i, int worker)
{
    struct forward *f = ctx;
    struct xfv_err e;
    float *y = malloc(sizeof *y * (size_t)f->n);
    (void)i;
    for (int r = 0; r < f->each; r++)
        if (xfv_net_forward(f->net, f->ws[worker], NULL, 1, f->x, &y, &e)) die(&e);
    free(y);
}

static double processor(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* cpu: NULL, or the processor time of one pass. */
/* The least of the forward passes on one thread that fit into a quarter of a second, four at least. */
static double least_seconds(const struct xfv_graph *g, int out)
{
    struct xfv_err e = {0};
    struct xfv_net *net;
    struct xfv_ws *ws = xfv_ws_new();
    if (xfv_net_new(g, 0, &out, 1, &net, &e)) die(&e);
    size_t in = xfv_shape_count(g->values[0].shape);
    float *x = malloc(sizeof *x * in), *y = malloc(sizeof *y * xfv_shape_count(g->values[out].shape));
    double least = 1e9, end = now() + .25;
    for (size_t i = 0; i < in; i++) x[i] = (float)uniform();
    for (int k = 0; k < 4 || now() < end; k++) {
        double s = now();
        if (xfv_net_forward(net, ws, NULL, 1, x, &y, &e)) die(&e);
        s = now() - s;
        least = s < least ? s : least;
    }
    free(x), free(y);
    xfv_ws_free(ws);
    xfv_net_free(net);
    return least;
}

static double forward_seconds(const struct xfv_graph *g, int out, struct xfv_pool *pool, int t, int each, double *cpu)
{
    struct xfv_err e = {0};
    struct xfv_net *net;
    if (xfv_net_new(g, 0, &out, 1, &net, &e)) die(&e);
    size_t in = xfv_shape_count(g->values[0].shape);
    float *x = malloc(sizeof *x * in);
    struct xfv_ws **ws = malloc(sizeof *ws * (size_t)t);
    for (size_t i = 0; i < in; i++) x[i] = (float)uniform();
    for (int i = 0; i < t; i++) ws[i] = xfv_ws_new();
    struct forward f = {net, ws, x, (int)xfv_shape_count(g->values[out].shape), 1};
    xfv_pool_run(pool, t, forward_one, &f);
    f.each = each;
    double s = now(), c = processor();
    xfv_pool_run(pool, t, forward_one, &f);
    s = (now() - s) / (each * t);
    if (cpu) *cpu = (processor() - c) / (each * t);
    for (int i = 0; i < t; i++) xfv_ws_free(ws[i]);
    free(ws);
    free(x);
    xfv_net_free(net);
    return s;
}

struct maps { struct xfv_fggb *f; struct xfv_fggb_face *face; };

static void chunk_one(void *ctx, int i, int worker)
{
    struct maps *m = ctx;
    struct xfv_err e;
    if (xfv_fggb_chunk(m->f, m->face, i, worker, &e)) die(&e);
}

/* All maps of the first m channels of one face, with its forward pass. */
static double fggb_seconds(const struct xfv_graph *g, int embedding, struct xfv_pool *pool, int t, int m)
{
    static struct xfv_fggb *f;
    struct xfv_err e = {0};
    struct xfv_fggb_opts o = {XFV_FGGB_NORMALISED, XFV_FGGB_MEAN, XFV_FGGB_NORM_L2};
    size_t in = xfv_shape_count(g->values[0].shape);
    if (!f && xfv_fggb_new(g, embedding, t, &o, &f, &e)) die(&e);
    float *x = malloc(sizeof *x * in);
    for (size_t i = 0; i < in; i++) x[i] = (float)uniform();
    double s = now();
    struct maps maps = {f, xfv_fggb_face_new(f)};
    if (!maps.face || xfv_fggb_begin(f, maps.face, x, 0, &e)) die(&e);
    xfv_pool_run(pool, xfv_fggb_want(f, maps.face, NULL, m > 0 ? m : xfv_fggb_n(f)), chunk_one, &maps);
    s = now() - s;
    xfv_fggb_face_free(maps.face);
    free(x);
    return s;
}

static int by_size(const void *a, const void *b)
{
    double d = *(const double *)a - *(const double *)b;
    return d < 0 ? -1 : d > 0;
}

static void affine(struct build *b)
{
    struct xfv_node n = xfv_node_default(XFV_OP_AFFINE);
    n.weight = weight(b, shape(1, channels(b), 0, 0), 1);
    n.bias = weight(b, shape(1, channels(b), 0, 0), .1);
    append(b, n);
}

/* InsightFace's iResNet-50 or -100: 112x112, 512-d, batch normalisations folded but for those in front of padded
 * convolutions. */
static struct build iresnet(int depth)
{
    static const int wide[] = {64, 128, 256, 512}, deep50[] = {3, 4, 14, 3}, deep100[] = {3, 13, 30, 3};
    const int *deep = depth == 100 ? deep100 : deep50;
    struct build b = start(112, 112, 3);
    conv(&b, 3, 1, 1, 1, 64, 1, 1), prelu(&b);
    for (int s = 0; s < 4; s++)
        for (int i = 0; i < deep[s]; i++) {
            int x = b.last, shortcut = x;
            if (i == 0) shortcut = conv(&b, 1, 2, 0, 0, wide[s], 1, 1), b.last = x;
            affine(&b), conv(&b, 3, 1, 1, 1, wide[s], 1, 1), prelu(&b), conv(&b, 3, i ? 1 : 2, 1, 1, wide[s], 1, 1);
            add(&b, XFV_OP_ADD, b.last, shortcut);
        }
    affine(&b), dense(&b, 512);
    return b;
}

int main(int argc, char **argv)
{
    struct xfv_err e = {0};
    struct xfv_model *m = NULL;
    if (argc < 3) return fprintf(stderr, "usage: see the head of tests/bench/xfv-bench.c\n"), 2;
    openblas_set_num_threads(1);
    int needs_model = !strcmp(argv[1], "macs") || !strcmp(argv[1], "least") || !strcmp(argv[1], "embed") ||
                      !strcmp(argv[1], "fggb");
    if (needs_model && xfv_model_load(argv[2], &m, &e)) die(&e);
    int t = argc > 3 && needs_model ? atoi(argv[3]) : needs_model ? 1 : atoi(argv[2]);
    struct xfv_pool *pool = xfv_pool_new(t < 1 ? 1 : t);
    if (!strcmp(argv[1], "peak")) printf("%.2f\n", peak(pool, t));
    else if (!strcmp(argv[1], "sgemm")) printf("%.2f\n", sgemm(pool, t));
    else if (!strcmp(argv[1], "macs")) printf("%.0f\n", xfv_graph_macs(m->graph));
    else if (!strcmp(argv[1], "least")) printf("%.6f\n", least_seconds(m->graph, m->embedding));
    else if (!strcmp(argv[1], "embed")) printf("%.6f\n", forward_seconds(m->graph, m->embedding, pool, t, 40, NULL));
    else if (!strcmp(argv[1], "fggb")) {
        int r = argc > 4 ? atoi(argv[4]) : 1;
        double s[64];
        if (r > 64) r = 64;
        fggb_seconds(m->graph, m->embedding, pool, t, 16); /* warm */
        for (int i = 0; i < r; i++) s[i] = fggb_seconds(m->graph, m->embedding, pool, t, 0);
        qsort(s, (size_t)r, sizeof *s, by_size);
        printf("%.6f\n", s[r / 2]);
    } else if (!strcmp(argv[1], "resnet")) {
        struct build b = iresnet(argc > 3 ? atoi(argv[3]) : 50);
        double cpu, s = forward_seconds(b.g, b.last, pool, t, 5, &cpu);
        fggb_seconds(b.g, b.last, pool, t, 16 * t);
        printf("%.0f\n%.6f\n%.6f\n%.6f\n", xfv_graph_macs(b.g), s,
               fggb_seconds(b.g, b.last, pool, t, 32 * t) / (32 * t), cpu);
        xfv_graph_free(b.g);
    } else return fprintf(stderr, "xfv-bench: no such measurement '%s'\n", argv[1]), 2;
    xfv_pool_free(pool);
    xfv_model_free(m);
    return 0;
}
