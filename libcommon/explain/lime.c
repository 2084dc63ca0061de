#include "explain/lime.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain/grad.h"
#include "image/slic.h"

struct lime {
    size_t pixels, segments, samples;
    int *label;          /* [pixels] */
    unsigned char *on;   /* [samples][segments] */
    float *fill;         /* [pixels][3] */
    double *score;       /* [samples] */
    double *weight;      /* [samples] */
    double *mean, *b;    /* [segments] */
    double *a;           /* [segments][segments] */
};

static void put_mask(void *ctx, int i, float *mask)
{
    const struct lime *l = ctx;
    for (size_t p = 0; p < l->pixels; p++) mask[p] = l->on[(size_t)i * l->segments + (size_t)l->label[p]] ? 1.0f : 0.0f;
}

static int segment_means(const struct lime *l, const uint8_t *rgb, struct xfv_err *e)
{
    double (*sum)[4] = calloc(l->segments, sizeof *sum);
    if (!sum) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t p = 0; p < l->pixels; p++) {
        double *s = sum[l->label[p]];
        for (size_t c = 0; c < 3; c++) s[c] += (double)rgb[3 * p + c];
        s[3]++;
    }
    for (size_t i = 0; i < 3 * l->pixels; i++)
        l->fill[i] = (float)(sum[l->label[i / 3]][i % 3] / sum[l->label[i / 3]][3]);
    free(sum);
    return 0;
}

static void draw(const struct lime *l, double kernel, struct xfv_random *r)
{
    for (size_t i = 0; i < l->samples; i++) {
        size_t on = 0;
        for (size_t k = 0; k < l->segments; k++) {
            unsigned char v = i ? (unsigned char)xfv_random_below(r, 2) : 1;
            l->on[i * l->segments + k] = v;
            on += v;
        }
        double d = (1 - sqrt((double)on / (double)l->segments)) / kernel;
        l->weight[i] = exp(-d * d);
    }
}

/* The normal equations of centred samples, so that the intercept is not shrunk: a = sum w (z - mean)(z - mean)' +
 * ridge, b = sum w (z - mean)(s - mean). */
static void normal_equations(const struct lime *l, double ridge)
{
    size_t n = l->segments;
    double total = 0, score = 0;
    memset(l->mean, 0, n * sizeof *l->mean);
    memset(l->b, 0, n * sizeof *l->b);
    memset(l->a, 0, n * n * sizeof *l->a);
    for (size_t i = 0; i < l->samples; i++) {
        total += l->weight[i];
        score += l->weight[i] * l->score[i];
        for (size_t k = 0; k < n; k++) l->mean[k] += l->on[i * n + k] ? l->weight[i] : 0;
    }
    for (size_t k = 0; k < n; k++) l->mean[k] /= total;
    score /= total;
    for (size_t i = 0; i < l->samples; i++) {
        const unsigned char *on = l->on + i * n;
        for (size_t k = 0; k < n; k++) {
            double z = l->weight[i] * (on[k] - l->mean[k]);
            l->b[k] += z * (l->score[i] - score);
            for (size_t m = 0; m <= k; m++) l->a[k * n + m] += z * (on[m] - l->mean[m]);
        }
    }
    for (size_t k = 0; k < n; k++) l->a[k * n + k] += ridge;
}

/* Cholesky's factor of a (lower triangle, in place), then b becomes the solution. */
static int solve(double *a, double *b, size_t n, struct xfv_err *e)
{
    for (size_t k = 0; k < n; k++) {
        double full = a[k * n + k];
        for (size_t m = 0; m <= k; m++) {
            double s = a[k * n + m];
            for (size_t i = 0; i < m; i++) s -= a[k * n + i] * a[m * n + i];
            if (m < k) a[k * n + m] = s / a[m * n + m];
            else if (s > 1e-12 * full) a[k * n + k] = sqrt(s);
            else
                return xfv_fail(e, XFV_EDATA,
                                "the samples do not tell all superpixels apart: more samples, or a ridge above 0, are "
                                "needed");
        }
    }
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < k; i++) b[k] -= a[k * n + i] * b[i];
        b[k] /= a[k * n + k];
    }
    for (size_t k = n; k-- > 0;) {
        for (size_t i = k + 1; i < n; i++) b[k] -= a[i * n + k] * b[i];
        b[k] /= a[k * n + k];
    }
    return 0;
}

static int make(struct lime *l, struct xfv_err *e)
{
    l->on = malloc(l->samples * l->segments);
    l->fill = calloc(3 * l->pixels, sizeof *l->fill);
    l->score = malloc(l->samples * sizeof *l->score);
    l->weight = malloc(l->samples * sizeof *l->weight);
    l->mean = malloc(l->segments * sizeof *l->mean);
    l->b = malloc(l->segments * sizeof *l->b);
    l->a = malloc(l->segments * l->segments * sizeof *l->a);
    return l->on && l->fill && l->score && l->weight && l->mean && l->b && l->a
               ? 0
               : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

int xfv_lime_map(const struct xfv_lime_opts *o, struct xfv_probe *p, int worker, const uint8_t *rgb, int height,
                 int width, const double *other, struct xfv_random *r, float *similarity, float *dissimilarity,
                 struct xfv_err *e)
{
    struct lime l = {.pixels = (size_t)height * (size_t)width, .samples = (size_t)o->samples};
    int count = 0;
    l.label = malloc(l.pixels * sizeof *l.label);
    int status = l.label ? xfv_slic(rgb, height, width, o->segments, o->compactness, l.label, &count, e)
                         : xfv_fail(e, XFV_ENOMEM, "out of memory");
    l.segments = (size_t)count;
    if (!status) status = make(&l, e);
    if (!status && o->fill == XFV_LIME_SEGMENT) status = segment_means(&l, rgb, e);
    if (!status && o->fill == XFV_LIME_MEAN)
        status = xfv_fill_make(XFV_FILL_MEAN, rgb, NULL, height, width, 0, l.fill, e);
    if (!status) {
        draw(&l, o->kernel, r);
        status = xfv_probe_scores(p, worker, rgb, l.fill, o->samples, put_mask, &l, other, l.score, e);
    }
    if (!status) {
        normal_equations(&l, o->ridge);
        status = solve(l.a, l.b, l.segments, e);
    }
    for (size_t i = 0; i < l.pixels && !status; i++) similarity[i] = (float)l.b[l.label[i]];
    if (!status) xfv_split(similarity, l.pixels, similarity, dissimilarity);
    free(l.label), free(l.on), free(l.fill), free(l.score), free(l.weight), free(l.mean), free(l.b), free(l.a);
    return status;
}
