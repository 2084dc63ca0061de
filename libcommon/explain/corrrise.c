#include "explain/corrrise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain/grad.h"
#include "base/random.h"

struct xfv_corrrise {
    struct xfv_corrrise_opts o;
    int height, width;
    float *masks;     /* [masks][height][width] */
    double *mean, *sd; /* over the masks, for each pixel: sd times root of the number of masks */
};

static void draw(const struct xfv_corrrise *c, struct xfv_random *r, float *mask)
{
    size_t w = (size_t)c->width;
    int size = c->o.size;
    for (size_t p = 0; p < (size_t)c->height * w; p++) mask[p] = 1.0f;
    for (int k = 0; k < c->o.patches; k++) {
        size_t y = xfv_random_below(r, (uint32_t)(c->height - size + 1)),
               x = xfv_random_below(r, (uint32_t)(c->width - size + 1));
        for (size_t i = y; i < y + (size_t)size; i++)
            for (size_t j = x; j < x + (size_t)size; j++)
                mask[i * w + j] = c->o.uniform ? (float)xfv_random_unit(r) : 0.0f;
    }
}

static void moments(struct xfv_corrrise *c)
{
    size_t n = (size_t)c->height * (size_t)c->width;
    for (int i = 0; i < c->o.masks; i++)
        for (size_t p = 0; p < n; p++) c->mean[p] += (double)c->masks[(size_t)i * n + p] / c->o.masks;
    for (int i = 0; i < c->o.masks; i++) {
        for (size_t p = 0; p < n; p++) {
            double d = (double)c->masks[(size_t)i * n + p] - c->mean[p];
            c->sd[p] += d * d;
        }
    }
    for (size_t p = 0; p < n; p++) c->sd[p] = sqrt(c->sd[p]);
}

int xfv_corrrise_new(const struct xfv_corrrise_opts *o, int height, int width, struct xfv_corrrise **out,
                     struct xfv_err *e)
{
    size_t n = (size_t)height * (size_t)width;
    *out = NULL;
    if (o->size > height || o->size > width)
        return xfv_fail(e, XFV_EARG, "a patch of %d pixels does not fit into an image of %d x %d", o->size, width,
                        height);
    struct xfv_corrrise *c = calloc(1, sizeof *c);
    if (!c) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    *c = (struct xfv_corrrise){.o = *o, .height = height, .width = width};
    c->masks = malloc((size_t)o->masks * n * sizeof *c->masks);
    c->mean = calloc(n, sizeof *c->mean);
    c->sd = calloc(n, sizeof *c->sd);
    if (!c->masks || !c->mean || !c->sd) {
        xfv_corrrise_free(c);
        return xfv_fail(e, XFV_ENOMEM, "out of memory for %d masks", o->masks);
    }
    struct xfv_random r = xfv_random_new(o->seed, NULL, 0);
    for (int i = 0; i < o->masks; i++) draw(c, &r, c->masks + (size_t)i * n);
    moments(c);
    *out = c;
    return 0;
}

void xfv_corrrise_free(struct xfv_corrrise *c)
{
    if (!c) return;
    free(c->masks);
    free(c->mean);
    free(c->sd);
    free(c);
}

static void put_mask(void *ctx, int i, float *mask)
{
    const struct xfv_corrrise *c = ctx;
    size_t n = (size_t)c->height * (size_t)c->width;
    memcpy(mask, c->masks + (size_t)i * n, n * sizeof *mask);
}

struct scored { double score; int at; };

static int ascending(const void *a, const void *b)
{
    double x = ((const struct scored *)a)->score, y = ((const struct scored *)b)->score;
    return (x > y) - (x < y);
}

static int to_ranks(double *s, int n, struct xfv_err *e)
{
    struct scored *v = malloc((size_t)n * sizeof *v);
    if (!v) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (int i = 0; i < n; i++) v[i] = (struct scored){s[i], i};
    qsort(v, (size_t)n, sizeof *v, ascending);
    for (int i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && !(v[j].score > v[i].score); j++) {}
        for (int k = i; k < j; k++) s[v[k].at] = 0.5 * (i + j - 1);
    }
    free(v);
    return 0;
}

/* Scores to mean 0 and length 1; 0 when they do not differ. */
static double standardise(double *s, int n)
{
    double mean = 0, sum = 0;
    for (int i = 0; i < n; i++) mean += s[i] / n;
    for (int i = 0; i < n; i++) {
        s[i] -= mean;
        sum += s[i] * s[i];
    }
    for (int i = 0; i < n && sum > 0; i++) s[i] /= sqrt(sum);
    return sum;
}

int xfv_corrrise_map(const struct xfv_corrrise *c, struct xfv_probe *p, int worker, const uint8_t *rgb,
                     const double *other, float *similarity, float *dissimilarity, struct xfv_err *e)
{
    int masks = c->o.masks;
    size_t n = (size_t)c->height * (size_t)c->width;
    double *s = malloc((size_t)masks * sizeof *s), *sum = calloc(n, sizeof *sum);
    int status = s && sum ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status) status = xfv_probe_scores(p, worker, rgb, NULL, masks, put_mask, (void *)c, other, s, e);
    if (!status && c->o.spearman) status = to_ranks(s, masks, e);
    if (!status && standardise(s, masks) > 0) {
        for (int i = 0; i < masks; i++)
            for (size_t k = 0; k < n; k++) sum[k] += s[i] * (double)c->masks[(size_t)i * n + k];
        for (size_t k = 0; k < n; k++) similarity[k] = c->sd[k] > 1e-9 ? (float)(sum[k] / c->sd[k]) : 0.0f;
        xfv_split(similarity, n, similarity, dissimilarity);
    }
    free(s);
    free(sum);
    return status;
}
