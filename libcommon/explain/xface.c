#include "explain/xface.h"

#include <stdlib.h>
#include <string.h>

#include "explain/grad.h"
#include "image/blur.h"

/* Of a patch along `length` pixels: at 0, stride, 2 stride, ... below length - size. */
static int places_along(int length, int size, int stride)
{
    return length > size ? (length - size + stride - 1) / stride : 0;
}

struct patched {
    int height, width, size, stride, columns, n;
    double *unit; /* [places][n] */
};

static void place(const struct patched *s, int i, int *y0, int *x0, int *y1, int *x1)
{
    *y0 = i / s->columns * s->stride;
    *x0 = i % s->columns * s->stride;
    *y1 = *y0 + s->size < s->height ? *y0 + s->size : s->height - 1; /* inclusive */
    *x1 = *x0 + s->size < s->width ? *x0 + s->size : s->width - 1;
}

static void put_mask(void *ctx, int i, float *mask)
{
    const struct patched *s = ctx;
    int y0, x0, y1, x1;
    place(s, i, &y0, &x0, &y1, &x1);
    for (size_t k = 0; k < (size_t)s->height * (size_t)s->width; k++) mask[k] = 1.0f;
    for (int y = y0; y <= y1; y++)
        memset(mask + (size_t)y * (size_t)s->width + (size_t)x0, 0, (size_t)(x1 - x0 + 1) * sizeof *mask);
}

static void take(void *ctx, int i, const float *f)
{
    const struct patched *s = ctx;
    xfv_unit(f, s->n, s->unit + (size_t)i * (size_t)s->n);
}

static double distance(const double *a, const double *b, int n)
{
    double s = 0;
    for (int k = 0; k < n; k++) s += a[k] * b[k];
    return 1 - s;
}

/* One size's part of the map of one face: mine and theirs are the patched embeddings. */
static int add_size(const struct xfv_xface_opts *o, const struct patched *mine, const struct patched *theirs,
                    int places, const double *clean, double d, float *part, float *map, struct xfv_err *e)
{
    size_t n = (size_t)mine->n, pixels = (size_t)mine->height * (size_t)mine->width;
    double *target = calloc(n, sizeof *target);
    if (!target) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    /* The mean of 1 - a.b over b is 1 - a.(mean of b). */
    for (size_t i = 0; i < (size_t)places * n; i++) target[i % n] += theirs->unit[i] / places;
    memset(part, 0, pixels * sizeof *part);
    for (int i = 0; i < places; i++) {
        int y0, x0, y1, x1;
        const double *with = o->distance == XFV_XFACE_MEAN    ? target
                             : o->distance == XFV_XFACE_CLEAN ? clean
                                                              : theirs->unit + (size_t)i * n;
        double v = (distance(mine->unit + (size_t)i * n, with, mine->n) - d) /
                   ((double)mine->size * mine->size * places);
        place(mine, i, &y0, &x0, &y1, &x1);
        for (int y = y0; y <= y1; y++)
            for (int x = x0; x <= x1; x++) part[(size_t)y * (size_t)mine->width + (size_t)x] += (float)v;
    }
    free(target);
    int status = xfv_blur_cut(part, mine->width, mine->height, o->sigma, o->radius, e);
    for (size_t p = 0; p < pixels; p++) map[p] += part[p] / (float)o->n_sizes;
    return status;
}

static int one_size(const struct xfv_xface_opts *o, struct xfv_probe *p, int worker, const uint8_t *const rgb[2],
                    const double *const unit[2], int height, int width, int size, const int wanted[2],
                    float *const map[2][2], struct xfv_err *e)
{
    int columns = places_along(width, size, o->stride), places = columns * places_along(height, size, o->stride),
        n = xfv_probe_n(p), status = 0;
    struct patched s[2];
    if (places < 1)
        return xfv_fail(e, XFV_EARG, "a patch of %d pixels does not fit into an image of %d x %d", size, width, height);
    for (int i = 0; i < 2; i++) {
        s[i] = (struct patched){
            height, width, size, o->stride, columns, n, calloc((size_t)places * (size_t)n, sizeof(double))};
        if (!s[i].unit) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    for (int i = 0; i < 2 && !status; i++) /* the other distances need both faces patched for a map of one */
        if (wanted[i] || o->distance != XFV_XFACE_CLEAN)
            status = xfv_probe_run(p, worker, rgb[i], NULL, places, put_mask, take, &s[i], e);
    double d = distance(unit[0], unit[1], n);
    for (int i = 0; i < 2 && !status; i++)
        if (wanted[i]) status = add_size(o, &s[i], &s[1 - i], places, unit[1 - i], d, map[i][1], map[i][0], e);
    free(s[0].unit);
    free(s[1].unit);
    return status;
}

int xfv_xface_maps(const struct xfv_xface_opts *o, struct xfv_probe *p, int worker, const uint8_t *const rgb[2],
                   const double *const unit[2], int height, int width, const int wanted[2], float *const map[2][2],
                   struct xfv_err *e)
{
    size_t pixels = (size_t)height * (size_t)width;
    for (int i = 0; i < 2; i++) memset(map[i][0], 0, pixels * sizeof(float));
    for (int k = 0; k < o->n_sizes; k++) {
        int status = one_size(o, p, worker, rgb, unit, height, width, o->sizes[k], wanted, map, e);
        if (status) return status;
    }
    for (int i = 0; i < 2; i++) xfv_split(map[i][0], pixels, map[i][0], map[i][1]);
    return 0;
}
