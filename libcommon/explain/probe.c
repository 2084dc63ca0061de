#include "explain/probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"
#include "image/blur.h"
#include "stream/tensor.h"

#define BATCH \
    16 /* images a forward pass of our own network: enough to keep its kernels busy, few enough for the second-level \
          cache */
#define BATCH_FN 1024 /* of another one, which may pay much for each call */

struct bench {          /* one worker's */
    struct xfv_ws *ws;
    float *mask;        /* [H][W] */
    float *from, *to;   /* the fill and the image as the network takes them, [H][W][C] each */
    float *pixel;       /* [H][W][3] */
    float *x, *f;       /* [BATCH][H][W][C], [batch][n] */
    uint8_t *rgb;       /* [BATCH_FN][H][W][3], with fn */
};

struct xfv_probe {
    const struct xfv_model *m;
    const struct xfv_net *net;
    int n, workers, batch;
    xfv_probe_fn *fn;
    void *ctx;
    struct bench *bench;
};

static int make_bench(const struct xfv_probe *p, struct bench *b, struct xfv_err *e)
{
    size_t pixels = (size_t)p->m->height * (size_t)p->m->width, input = pixels * (size_t)p->m->channels * sizeof(float);
    b->mask = xfv_aligned_alloc(pixels * sizeof(float));
    b->f = xfv_aligned_alloc((size_t)p->batch * (size_t)p->n * sizeof(float));
    b->pixel = xfv_aligned_alloc(3 * pixels * sizeof(float));
    int ok = b->mask && b->f && b->pixel;
    if (p->fn) {
        b->rgb = malloc(3 * pixels * (size_t)p->batch);
        return ok && b->rgb ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    b->ws = xfv_ws_new();
    b->from = xfv_aligned_alloc(input);
    b->to = xfv_aligned_alloc(input);
    b->x = xfv_aligned_alloc((size_t)p->batch * input);
    return ok && b->ws && b->from && b->to && b->x ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

int xfv_probe_new(const struct xfv_model *m, const struct xfv_net *net, int n, int workers, xfv_probe_fn *fn, void *ctx,
                  struct xfv_probe **out, struct xfv_err *e)
{
    struct xfv_probe *p = calloc(1, sizeof *p);
    *out = NULL;
    if (!p) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    *p = (struct xfv_probe){.m = m, .net = net, .n = n, .fn = fn, .ctx = ctx, .batch = fn ? BATCH_FN : BATCH};
    p->bench = calloc((size_t)workers, sizeof *p->bench);
    int status = p->bench ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (; !status && p->workers < workers; p->workers++) status = make_bench(p, &p->bench[p->workers], e);
    if (status) xfv_probe_free(p);
    else *out = p;
    return status;
}

void xfv_probe_free(struct xfv_probe *p)
{
    if (!p) return;
    for (int i = 0; p->bench && i < p->workers; i++) {
        struct bench *b = &p->bench[i];
        xfv_ws_free(b->ws);
        free(b->mask), free(b->from), free(b->to), free(b->pixel), free(b->x), free(b->f), free(b->rgb);
    }
    free(p->bench);
    free(p);
}

int xfv_probe_n(const struct xfv_probe *p)
{
    return p->n;
}

static void mix_input(const struct xfv_probe *p, const struct bench *b, float *x)
{
    size_t h = (size_t)p->m->height, w = (size_t)p->m->width, c = (size_t)p->m->channels;
    for (size_t i = 0; i < h * w;
         i++) { /* both are affine in the grey levels, so mixing before or after the network's scale is the same */
        size_t at = (p->m->transposed ? i % w * h + i / w : i) * c;
        float m = b->mask[i];
        if (m >= 1 || m <= 0) memcpy(x + at, (m >= 1 ? b->to : b->from) + at, c * sizeof *x);
        else
            for (size_t k = at; k < at + c; k++) x[k] = b->from[k] + m * (b->to[k] - b->from[k]);
    }
}

static void mix_bytes(const struct xfv_probe *p, const struct bench *b, const uint8_t *rgb, uint8_t *out)
{
    size_t n = (size_t)p->m->height * (size_t)p->m->width;
    for (size_t i = 0; i < 3 * n; i++) {
        float m = b->mask[i / 3], v = b->pixel[i] + m * ((float)rgb[i] - b->pixel[i]);
        out[i] = xfv_float_to_byte(v + 0.5f);
    }
}

static int check(const float *f, int n, struct xfv_err *e)
{
    double sum = 0;
    for (int k = 0; k < n; k++) sum += (double)f[k] * (double)f[k];
    if (sum > 0 && isfinite(sum)) return 0;
    return xfv_fail_code(e, XFV_EDATA, "embedding", "the embedding of a masked image is zero or not finite");
}

static void prepare(const struct xfv_probe *p, struct bench *b, const uint8_t *rgb, const float *fill)
{
    size_t pixels = (size_t)p->m->height * (size_t)p->m->width;
    if (fill) memcpy(b->pixel, fill, 3 * pixels * sizeof *fill);
    else memset(b->pixel, 0, 3 * pixels * sizeof *b->pixel);
    if (p->fn) return;
    xfv_model_input_f32(p->m, b->pixel, b->from);
    xfv_model_input(p->m, rgb, b->to);
}

static void keep_all(float *mask, size_t n)
{
    for (size_t i = 0; i < n; i++) mask[i] = 1;
}

int xfv_probe_run(struct xfv_probe *p, int worker, const uint8_t *rgb, const float *fill, int count, xfv_mask_fn *mask,
                  xfv_embedding_fn *take, void *ctx, struct xfv_err *e)
{
    struct bench *b = &p->bench[worker];
    size_t pixels = (size_t)p->m->height * (size_t)p->m->width, input = pixels * (size_t)p->m->channels;
    prepare(p, b, rgb, fill);
    for (int at = 0; at < count; at += p->batch) {
        int n = count - at < p->batch ? count - at : p->batch;
        float *y[] = {b->f};
        for (int i = 0; i < n; i++) {
            if (mask) mask(ctx, at + i, b->mask);
            else keep_all(b->mask, pixels);
            if (p->fn) mix_bytes(p, b, rgb, b->rgb + (size_t)i * 3 * pixels);
            else mix_input(p, b, b->x + (size_t)i * input);
        }
        int status = p->fn ? p->fn(p->ctx, worker, n, b->rgb, b->f, e)
                           : xfv_net_forward(p->net, b->ws, NULL, n, b->x, y, e);
        for (int i = 0; i < n && !status; i++) status = check(b->f + (size_t)i * (size_t)p->n, p->n, e);
        if (status) return status;
        for (int i = 0; i < n; i++) take(ctx, at + i, b->f + (size_t)i * (size_t)p->n);
    }
    return 0;
}

struct scoring { xfv_mask_fn *mask; void *ctx; const double *other; double *scores; int n; };

static void scoring_mask(void *ctx, int i, float *mask)
{
    struct scoring *s = ctx;
    s->mask(s->ctx, i, mask);
}

static void scoring_take(void *ctx, int i, const float *f)
{
    struct scoring *s = ctx;
    double dot = 0, norm = 0;
    for (int k = 0; k < s->n; k++) {
        dot += (double)f[k] * s->other[k];
        norm += (double)f[k] * (double)f[k];
    }
    s->scores[i] = dot / sqrt(norm);
}

int xfv_probe_scores(struct xfv_probe *p, int worker, const uint8_t *rgb, const float *fill, int count,
                     xfv_mask_fn *mask, void *ctx, const double *other, double *scores, struct xfv_err *e)
{
    struct scoring s = {mask, ctx, other, scores, p->n};
    return xfv_probe_run(p, worker, rgb, fill, count, scoring_mask, scoring_take, &s, e);
}

static int blurred(const uint8_t *rgb, int height, int width, double sigma, float *fill, struct xfv_err *e)
{
    size_t n = (size_t)height * (size_t)width;
    float *plane = malloc((n + 1) * sizeof *plane);
    int status = plane ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t c = 0; c < 3 && !status; c++) {
        for (size_t i = 0; i < n; i++) plane[i] = (float)rgb[3 * i + c];
        status = xfv_blur(plane, width, height, sigma, e);
        for (size_t i = 0; i < n; i++) fill[3 * i + c] = plane[i];
    }
    free(plane);
    return status;
}

int xfv_fill_make(enum xfv_fill kind, const uint8_t *rgb, const uint8_t *partner, int height, int width, double sigma,
                  float *fill, struct xfv_err *e)
{
    size_t n = (size_t)height * (size_t)width;
    double mean[3] = {0, 0, 0};
    if (kind == XFV_FILL_BLUR) return blurred(rgb, height, width, sigma, fill, e);
    for (size_t i = 0; i < 3 * n; i++) mean[i % 3] += (double)rgb[i] / (double)n;
    for (size_t i = 0; i < 3 * n; i++) {
        double v = kind == XFV_FILL_GREY      ? 127.5
                   : kind == XFV_FILL_MEAN    ? mean[i % 3]
                   : kind == XFV_FILL_PARTNER ? (double)partner[i]
                                              : 0;
        fill[i] = (float)v;
    }
    return 0;
}
