#include "explain/minplus.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

struct xfv_minplus {
    struct xfv_minplus_opts o;
    int height, width, rows, columns;
    double *across, *down; /* a Gaussian is the product of its profiles: [columns][width], [rows][height] */
    float *noise;          /* [height][width][3] */
};

static double *profiles(int count, int length, const struct xfv_minplus_opts *o)
{
    double *g = calloc((size_t)count * (size_t)length, sizeof *g);
    for (int i = 0; g && i < count; i++) {
        for (int x = 0; x < length; x++) {
            int d = x - (o->stride / 2 + i * o->stride);
            double z = d * 8.5 / o->window;
            if (abs(d) <= o->window / 2) g[(size_t)i * (size_t)length + (size_t)x] = exp(-0.5 * z * z);
        }
    }
    return g;
}

int xfv_minplus_new(const struct xfv_minplus_opts *o, int height, int width, struct xfv_minplus **out,
                    struct xfv_err *e)
{
    size_t n = 3 * (size_t)height * (size_t)width;
    int first = o->stride / 2, rows = first < height ? (height - 1 - first) / o->stride + 1 : 0,
        columns = first < width ? (width - 1 - first) / o->stride + 1 : 0;
    *out = NULL;
    if (rows < 1 || columns < 1)
        return xfv_fail(e, XFV_EARG, "a stride of %d pixels leaves no window in an image of %d x %d", o->stride, width,
                        height);
    struct xfv_minplus *c = calloc(1, sizeof *c);
    if (!c) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    *c = (struct xfv_minplus){.o = *o, .height = height, .width = width, .rows = rows, .columns = columns};
    c->across = profiles(columns, width, o);
    c->down = profiles(rows, height, o);
    c->noise = malloc(n * sizeof *c->noise);
    if (!c->across || !c->down || !c->noise) {
        xfv_minplus_free(c);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    struct xfv_random r = xfv_random_new(o->seed, NULL, 0);
    for (size_t i = 0; i < n; i++) c->noise[i] = (float)(o->noise * xfv_random_unit(&r));
    *out = c;
    return 0;
}

void xfv_minplus_free(struct xfv_minplus *c)
{
    if (!c) return;
    free(c->across);
    free(c->down);
    free(c->noise);
    free(c);
}

/* G_k at row y is down[y] times across[.]. */
static double row_of(const struct xfv_minplus *c, int k, int y, const double **across)
{
    *across = c->across + (size_t)(k % c->columns) * (size_t)c->width;
    return c->down[(size_t)(k / c->columns) * (size_t)c->height + (size_t)y];
}

/* One of the two ways over one face. */
struct way {
    const struct xfv_minplus *c;
    struct xfv_probe *p;
    const uint8_t *rgb;
    const double *other;
    int plus;       /* else minus */
    double whole;   /* score of the whole face */
    double *left;   /* [height][width]: product of 1 - G over the windows taken */
    double *scores; /* [rows * columns] */
};

static void put_mask(void *ctx, int k, float *mask)
{
    const struct way *w = ctx;
    size_t p = 0;
    for (int y = 0; y < w->c->height; y++) {
        const double *across;
        double down = row_of(w->c, k, y, &across);
        for (int x = 0; x < w->c->width; x++, p++) {
            double left = w->left[p] * (1 - down * across[x]);
            mask[p] = (float)(w->plus ? 1 - left : left);
        }
    }
}

static void put_nothing(void *ctx, int i, float *mask)
{
    const struct way *w = ctx;
    (void)i;
    memset(mask, 0, (size_t)w->c->height * (size_t)w->c->width * sizeof *mask);
}

static void keep_window(struct way *w, int k)
{
    size_t p = 0;
    for (int y = 0; y < w->c->height; y++) {
        const double *across;
        double down = row_of(w->c, k, y, &across);
        for (int x = 0; x < w->c->width; x++, p++) w->left[p] *= 1 - down * across[x];
    }
}

static double gain(const struct way *w, double from, double to)
{
    return w->plus ? to - from : from - to;
}

/* Adds H0 and H1 of this way to h. The first look of the greedy search is the single pass. */
static int search(struct way *w, int worker, double *h, struct xfv_err *e)
{
    const struct xfv_minplus *c = w->c;
    const float *fill = w->plus ? c->noise : NULL;
    int places = c->rows * c->columns, status = 0;
    double s = w->whole;
    for (size_t p = 0; p < (size_t)c->height * (size_t)c->width; p++) w->left[p] = 1;
    if (w->plus) status = xfv_probe_scores(w->p, worker, w->rgb, fill, 1, put_nothing, w, w->other, &s, e);
    for (int t = 0; t < c->o.iterations && !status; t++) {
        int done = w->plus ? s >= w->whole - c->o.stop : s <= c->o.stop, best = 0;
        if (done && t) break;
        status = xfv_probe_scores(w->p, worker, w->rgb, fill, places, put_mask, w, w->other, w->scores, e);
        if (status) break;
        for (int k = 0; k < places; k++) {
            if (!t) h[k] += gain(w, s, w->scores[k]);
            if (gain(w, w->scores[best], w->scores[k]) > 0) best = k;
        }
        if (done || gain(w, s, w->scores[best]) <= 0) break;
        h[best] += gain(w, s, w->scores[best]);
        s = w->scores[best];
        keep_window(w, best);
    }
    return status;
}

/* sum has room for [height][width]. */
static void draw(const struct xfv_minplus *c, const double *h, double *sum, float *map)
{
    size_t n = (size_t)c->height * (size_t)c->width;
    memset(sum, 0, n * sizeof *sum);
    for (int k = 0; k < c->rows * c->columns; k++) {
        size_t p = 0;
        for (int y = 0; y < c->height; y++) {
            const double *across;
            double v = h[k] * row_of(c, k, y, &across);
            for (int x = 0; x < c->width; x++, p++) sum[p] += v * across[x];
        }
    }
    double least = sum[0], most = sum[0];
    for (size_t p = 1; p < n; p++) {
        least = sum[p] < least ? sum[p] : least;
        most = sum[p] > most ? sum[p] : most;
    }
    for (size_t p = 0; p < n; p++) map[p] = most > least ? (float)((sum[p] - least) / (most - least)) : 0.0f;
}

int xfv_minplus_map(const struct xfv_minplus *c, struct xfv_probe *p, int worker, const uint8_t *rgb, const double *own,
                    const double *other, float *map, struct xfv_err *e)
{
    size_t places = (size_t)c->rows * (size_t)c->columns;
    double *h = calloc(places, sizeof *h), *scores = calloc(places, sizeof *scores);
    double *left = calloc((size_t)c->height * (size_t)c->width, sizeof *left);
    int status = h && scores && left ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    struct way w = {.c = c, .p = p, .rgb = rgb, .other = other, .left = left, .scores = scores};
    for (int k = 0; k < xfv_probe_n(p); k++) w.whole += own[k] * other[k];
    for (w.plus = 0; w.plus < 2 && !status; w.plus++) status = search(&w, worker, h, e);
    if (!status) draw(c, h, left, map);
    free(h);
    free(scores);
    free(left);
    return status;
}
