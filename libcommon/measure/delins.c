#include "measure/delins.h"

#include <math.h>
#include <stdlib.h>

#include "base/toint.h"
#include "image/blur.h"

struct ranked { float value; uint32_t at; uint32_t tie; };

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->value > y->value || x->value < y->value) return x->value > y->value ? -1 : 1;
    return (x->tie > y->tie) - (x->tie < y->tie);
}

int xfv_delins_order(const struct xfv_delins_opts *o, float *map, int height, int width, struct xfv_random *r,
                     uint32_t *order, struct xfv_err *e)
{
    size_t n = (size_t)height * (size_t)width;
    int status = xfv_blur(map, width, height, o->blur, e);
    struct ranked *v = malloc((n + 1) * sizeof *v);
    if (!status && !v) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status) {
        for (size_t i = 0; i < n; i++) order[i] = (uint32_t)i;
        if (o->ties == XFV_TIES_RANDOM) xfv_random_shuffle(r, order, n);
        for (size_t i = 0; i < n; i++) v[i] = (struct ranked){map[i], (uint32_t)i, order[i]};
        qsort(v, n, sizeof *v, by_value);
        for (size_t i = 0; i < n; i++) order[i] = v[i].at;
    }
    free(v);
    return status;
}

struct masks {
    const struct xfv_delins_opts *o;
    const struct xfv_delins_face *face;
    size_t n_pixels;
    int n;
    double *f; /* [count][n]: embeddings, of length 1 when the score is the cosine */
};

/* Masks 0..steps are deletion's, steps+1..2 steps+1 insertion's. */
static void by_rank(const struct masks *m, int insertion, int step, float *mask)
{
    size_t k = xfv_to_size((double)m->n_pixels * step / m->o->steps + 0.5, m->n_pixels);
    float taken = insertion ? 1.0f : 0.0f;
    for (size_t i = 0; i < m->n_pixels; i++) mask[m->face->order[i]] = i < k ? taken : 1.0f - taken;
}

static void by_percentile(const struct masks *m, int insertion, int step, float *mask)
{
    /* order runs down, percentiles up: the (100-P)th is at rank P/100 (n-1) from the top. */
    double at = (double)(m->n_pixels - 1) * step / m->o->steps;
    size_t i = xfv_to_size(at, m->n_pixels - 1), next = i + 1 < m->n_pixels ? i + 1 : i;
    double v0 = (double)m->face->map[m->face->order[i]], v1 = (double)m->face->map[m->face->order[next]];
    float threshold = (float)(v0 + (at - (double)i) * (v1 - v0));
    for (size_t p = 0; p < m->n_pixels; p++) mask[p] = (m->face->map[p] > threshold) == insertion ? 1.0f : 0.0f;
}

static void put_mask(void *ctx, int i, float *mask)
{
    const struct masks *m = ctx;
    int points = m->o->steps + 1;
    if (!m->face->order) {
        for (size_t p = 0; p < m->n_pixels; p++) mask[p] = 1.0f;
        return;
    }
    if (m->o->ties == XFV_TIES_TOGETHER) by_percentile(m, i >= points, i % points, mask);
    else by_rank(m, i >= points, i % points, mask);
}

static void take(void *ctx, int i, const float *f)
{
    const struct masks *m = ctx;
    double *to = m->f + (size_t)i * (size_t)m->n, sum = 0;
    for (int k = 0; k < m->n; k++) sum += (double)f[k] * (double)f[k];
    for (int k = 0; k < m->n; k++) to[k] = m->o->distance ? (double)f[k] : (double)f[k] / sqrt(sum);
}

/* f [2 (steps+1)][n] of a masked face, [1][n] of a whole one. */
static int embed_side(const struct xfv_delins_opts *o, struct xfv_probe *p, int worker,
                      const struct xfv_delins_face *face, const uint8_t *partner, int height, int width, double *f,
                      struct xfv_err *e)
{
    size_t pixels = (size_t)height * (size_t)width;
    struct masks m = {o, face, pixels, xfv_probe_n(p), f};
    float *fill = malloc((3 * pixels + 1) * sizeof *fill);
    int status = fill ? xfv_fill_make(o->fill, face->rgb, partner, height, width, o->fill_sigma, fill, e)
                      : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status)
        status = xfv_probe_run(p, worker, face->rgb, fill, face->order ? 2 * (o->steps + 1) : 1, put_mask, take, &m, e);
    free(fill);
    return status;
}

static double score(const struct xfv_delins_opts *o, const double *a, const double *b, int n)
{
    double dot = 0, square = 0;
    for (int k = 0; k < n; k++) {
        dot += a[k] * b[k];
        square += (a[k] - b[k]) * (a[k] - b[k]);
    }
    return o->distance ? -sqrt(square) : dot;
}

int xfv_delins_curves(const struct xfv_delins_opts *o, struct xfv_probe *p, int worker,
                      const struct xfv_delins_face face[2], int height, int width, double *deletion, double *insertion,
                      struct xfv_err *e)
{
    int points = o->steps + 1, n = xfv_probe_n(p), status = 0;
    double *f[2] = {NULL, NULL};
    for (int i = 0; i < 2 && !status; i++) {
        f[i] = malloc((face[i].order ? 2 * (size_t)points : 1) * (size_t)n * sizeof **f);
        status = f[i] ? embed_side(o, p, worker, &face[i], face[1 - i].rgb, height, width, f[i], e)
                      : xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    for (int i = 0; i < 2 * points && !status; i++) {
        const double *a = f[0] + (face[0].order ? (size_t)i * (size_t)n : 0),
                     *b = f[1] + (face[1].order ? (size_t)i * (size_t)n : 0);
        *(i < points ? &deletion[i] : &insertion[i - points]) = score(o, a, b, n);
    }
    free(f[0]);
    free(f[1]);
    return status;
}

double xfv_area(const double *y, int n)
{
    double sum = 0;
    for (int i = 0; i + 1 < n; i++) sum += 0.5 * (y[i] + y[i + 1]);
    return n > 1 ? sum / (n - 1) : n ? y[0] : 0;
}
