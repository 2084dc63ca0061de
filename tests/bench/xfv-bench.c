/* Rates of this machine and of our passes, for tests/bench/bench.py and tests/onnx/networks.py. The machine is rarely
 * alone: so each measurement of a pass takes turns of some milliseconds with the peak, and prints what it was of the
 * peak in the same moments.
 *   xfv-bench peak T            GFLOP/s of T threads that do nothing but multiply-adds in registers
 *   xfv-bench macs MODEL        multiply-adds of one forward pass
 *   xfv-bench embed MODEL T     forward passes on T threads: "seconds share wall"
 *   xfv-bench fggb MODEL T      all maps g_k of one face on T threads, with its forward pass: "seconds share wall"
 *   xfv-bench forward MODEL     for each line on standard input, forward passes for its number of seconds on one
 *                               thread: processor seconds of a pass
 * seconds: of processor time, all threads together. wall: by the clock. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/clock.h"
#include "cli/cli.h"
#include "explain/fggb.h"
#include "net/model/model.h"
#include "net/run/net.h"
#include "stream/tensor.h"
#include "unit/netgraphs.h"

/* Processor seconds of all threads. */
static double processor(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const struct xfv_err *e)
{
    fprintf(stderr, "xfv-bench: %s\n", e->msg);
    exit(1);
}

/* ---- the machine ---- */

#define ROUNDS 500000 /* a few milliseconds */

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

/* What turns of work and of the peak took together. */
struct turns { struct xfv_pool *pool; int threads, lanes; double work, wall, peak, flops; };

static double begin(struct turns *t)
{
    t->wall -= xfv_now();
    return processor();
}

static void end(struct turns *t, double since)
{
    t->work += processor() - since;
    t->wall += xfv_now();
}

/* One turn of the peak on all threads. */
static void peak_turn(struct turns *t)
{
    double s = processor();
    xfv_pool_run(t->pool, t->threads, peak_one, &t->lanes);
    t->peak += processor() - s;
    t->flops += 2.0 * 12 * t->lanes * ROUNDS * t->threads;
}

/* The peak that was measured, GFLOP/s of one thread. */
static double peak_rate(const struct turns *t)
{
    return t->flops / t->peak * 1e-9;
}

/* For one of `count` like pieces of work. */
static void tell(const struct turns *t, double macs, double count)
{
    printf("%.6f %.4f %.6f\n", t->work / count, 2e-9 * macs * count / t->work / peak_rate(t), t->wall / count);
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

static float *random_image(const struct xfv_graph *g)
{
    size_t n = xfv_shape_count(g->values[0].shape);
    float *x = malloc(sizeof *x * n);
    for (size_t i = 0; x && i < n; i++) x[i] = (float)uniform();
    return x;
}

static struct forward forward_new(const struct xfv_graph *g, int out, int threads)
{
    struct xfv_err e = {0};
    struct xfv_net *net;
    if (xfv_net_new(g, 0, &out, 1, &net, &e)) die(&e);
    struct xfv_ws **ws = malloc(sizeof *ws * (size_t)threads);
    for (int i = 0; i < threads; i++) ws[i] = xfv_ws_new();
    return (struct forward){net, ws, random_image(g), (int)xfv_shape_count(g->values[out].shape), 1};
}

static void forward_free(struct forward *f, int threads)
{
    for (int i = 0; i < threads; i++) xfv_ws_free(f->ws[i]);
    free(f->ws);
    free((float *)f->x);
    xfv_net_free((struct xfv_net *)f->net);
}

enum { EMBED_TURNS = 12 };

static void embed(const struct xfv_model *m, struct turns *t)
{
    struct forward f = forward_new(m->graph, m->embedding, t->threads);
    xfv_pool_run(t->pool, t->threads, forward_one, &f); /* weights are packed now */
    f.each = 2;
    for (int i = 0; i < EMBED_TURNS; i++) {
        peak_turn(t);
        double s = begin(t);
        xfv_pool_run(t->pool, t->threads, forward_one, &f);
        end(t, s);
    }
    peak_turn(t);
    tell(t, xfv_graph_macs(m->graph), EMBED_TURNS * f.each * t->threads);
    forward_free(&f, t->threads);
}

/* As many passes as fill the seconds that each line asks for. */
static void forward(const struct xfv_model *m, struct xfv_pool *pool)
{
    struct forward f = forward_new(m->graph, m->embedding, 1);
    char line[64];
    xfv_pool_run(pool, 1, forward_one, &f);
    while (fgets(line, sizeof line, stdin)) {
        double most = atof(line), start = processor();
        int n = 0;
        do xfv_pool_run(pool, 1, forward_one, &f), n++;
        while (processor() - start < most);
        printf("%.9f\n", (processor() - start) / n);
        fflush(stdout);
    }
    forward_free(&f, 1);
}

struct maps { struct xfv_fggb *f; struct xfv_fggb_face *face; int first; };

static void chunk_one(void *ctx, int i, int worker)
{
    struct maps *m = ctx;
    struct xfv_err e;
    if (xfv_fggb_chunk(m->f, m->face, m->first + i, worker, &e)) die(&e);
}

/* All maps of one face, a chunk a thread in a turn. The work of one face is shared by all threads. */
static void fggb(const struct xfv_model *model, struct turns *t)
{
    struct xfv_err e = {0};
    struct xfv_fggb_opts o = {XFV_FGGB_NORMALISED, XFV_FGGB_MEAN, XFV_FGGB_NORM_L2};
    struct maps m = {.first = 0};
    float *x = random_image(model->graph);
    if (xfv_fggb_new(model->graph, model->embedding, t->threads, &o, &m.f, &e)) die(&e);
    int n = xfv_fggb_n(m.f);
    for (int round = 0; round < 2; round++) { /* the first packs weights */
        struct turns fresh = {.pool = t->pool, .threads = t->threads, .lanes = t->lanes};
        *t = fresh;
        m.face = xfv_fggb_face_new(m.f);
        double s = begin(t);
        if (!m.face || xfv_fggb_begin(m.f, m.face, x, 0, &e)) die(&e);
        int chunks = xfv_fggb_want(m.f, m.face, NULL, round ? n : t->threads);
        end(t, s);
        for (m.first = 0; m.first < chunks; m.first += t->threads) {
            int some = chunks - m.first < t->threads ? chunks - m.first : t->threads;
            peak_turn(t);
            s = begin(t);
            xfv_pool_run(t->pool, some, chunk_one, &m);
            end(t, s);
        }
        xfv_fggb_face_free(m.face);
    }
    tell(t, xfv_graph_macs(model->graph) * n, 1);
    xfv_fggb_free(m.f);
    free(x);
}

int main(int argc, char **argv)
{
    struct xfv_err e = {0};
    struct xfv_model *m = NULL;
    const char *what = argc > 2 ? argv[1] : "";
    int rate = !strcmp(what, "peak");
    if (argc < 3) return fprintf(stderr, "usage: see the head of tests/bench/xfv-bench.c\n"), 2;
    xfv_library_net.start(); /* as the programs: also ends OpenBLAS's thread, whose waiting would count as work */
    if (!rate && xfv_model_load(argv[2], &m, &e)) die(&e);
    struct turns t = {.threads = rate ? atoi(argv[2]) : argc > 3 ? atoi(argv[3]) : 1,
                      .lanes = !strncmp(xfv_net_kernels(), "avx512", 6) ? 16 : 8};
    if (t.threads < 1) t.threads = 1;
    t.pool = xfv_pool_new(t.threads);
    if (rate) {
        for (int i = 0; i < 10; i++) peak_turn(&t);
        printf("%.2f\n", peak_rate(&t));
    } else if (!strcmp(what, "macs")) printf("%.0f\n", xfv_graph_macs(m->graph));
    else if (!strcmp(what, "embed")) embed(m, &t);
    else if (!strcmp(what, "forward")) forward(m, t.pool);
    else if (!strcmp(what, "fggb")) fggb(m, &t);
    else return fprintf(stderr, "xfv-bench: no such measurement '%s'\n", what), 2;
    xfv_pool_free(t.pool);
    xfv_model_free(m);
    return 0;
}
