#include "explain/truth.h"

#include <stdlib.h>
#include <string.h>

enum { ALONG = 13 }; /* windows along each side */

struct windows {
    int height, width, n;
    int top[ALONG * ALONG], left[ALONG * ALONG]; /* of those that hold a planted pixel */
};

/* Where window i of an axis of `length` pixels begins and ends: it is two fourteenths wide. */
static int edge(int i, int length)
{
    return (int)((long)i * length / (ALONG + 1));
}

static int differs(const struct windows *w, const uint8_t *planted, const uint8_t *clean, int i, int j)
{
    int left = edge(j, w->width), right = edge(j + 2, w->width);
    for (int y = edge(i, w->height); y < edge(i + 2, w->height); y++) {
        size_t at = 3 * ((size_t)y * (size_t)w->width + (size_t)left);
        if (memcmp(planted + at, clean + at, 3 * (size_t)(right - left))) return 1;
    }
    return 0;
}

/* Add v to the window's pixels. */
static void add(const struct windows *w, int i, int j, float v, float *map)
{
    for (int y = edge(i, w->height); y < edge(i + 2, w->height); y++)
        for (int x = edge(j, w->width); x < edge(j + 2, w->width); x++)
            map[(size_t)y * (size_t)w->width + (size_t)x] += v;
}

/* 0 where the clean face's pixels, the probe's fill, stand. */
static void put_mask(void *ctx, int k, float *mask)
{
    const struct windows *w = ctx;
    for (size_t p = 0; p < (size_t)w->height * (size_t)w->width; p++) mask[p] = 1.0f;
    add(w, w->top[k], w->left[k], -1.0f, mask);
}

/* How many of the windows hold each pixel: those along one axis times those along the other. */
static double cover(int at, int length)
{
    int n = 0;
    for (int i = 0; i < ALONG; i++) n += edge(i, length) <= at && at < edge(i + 2, length);
    return n;
}

int xfv_truth_map(struct xfv_probe *p, int worker, const uint8_t *planted, const uint8_t *clean, int height, int width,
                  const double *other, double score, float *map, struct xfv_err *e)
{
    struct windows w = {.height = height, .width = width};
    double scores[ALONG * ALONG];
    size_t pixels = (size_t)height * (size_t)width;
    float *fill = malloc(3 * pixels * sizeof *fill);
    if (!fill) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t k = 0; k < 3 * pixels; k++) fill[k] = (float)clean[k];
    for (int k = 0; k < ALONG * ALONG; k++)
        if (differs(&w, planted, clean, k / ALONG, k % ALONG)) w.top[w.n] = k / ALONG, w.left[w.n++] = k % ALONG;
    int status = xfv_probe_scores(p, worker, planted, fill, w.n, put_mask, &w, other, scores, e);
    free(fill);
    if (status) return status;
    memset(map, 0, pixels * sizeof *map);
    for (int k = 0; k < w.n; k++) add(&w, w.top[k], w.left[k], (float)(score - scores[k]), map);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            double n = cover(y, height) * cover(x, width);
            if (n > 0) map[(size_t)y * (size_t)width + (size_t)x] /= (float)n;
        }
    return 0;
}
