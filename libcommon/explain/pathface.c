#include "explain/pathface.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "explain/cache.h"
#include "image/blur.h"
#include "stream/tensor.h"

struct xfv_pathfaces {
    const struct xfv_model *model;
    struct xfv_path *path;
    size_t look_floats[XFV_PATH_LOOKS], floats; /* of one look; of all of a face */
    int n_looks;
    double sigma;
    struct xfv_cache *cache; /* image bytes -> float [floats] */
    pthread_mutex_t lock;    /* of the cache: what is found is copied out before another worker may make room */
};

static size_t pixels(const struct xfv_pathfaces *s)
{
    return (size_t)s->model->height * (size_t)s->model->width;
}

/* The next n floats of a piece of memory. */
static float *take(float **from, size_t n)
{
    float *p = *from;
    *from += n;
    return p;
}

/* Where everything lies behind f->h. */
static void divide(const struct xfv_pathfaces *s, struct xfv_pathface *f)
{
    size_t features = xfv_path_features(s->path), n = (size_t)xfv_path_n(s->path);
    float *rest = f->h + features;
    f->f = take(&rest, n);
    if (s->sigma > 0) {
        f->h0 = take(&rest, features);
        f->f0 = take(&rest, n);
    }
    for (int i = 0; i < s->n_looks; i++) f->look[i] = take(&rest, s->look_floats[i]);
}

int xfv_pathface_alloc(const struct xfv_pathfaces *s, struct xfv_pathface *f)
{
    *f = (struct xfv_pathface){.h = xfv_aligned_alloc(s->floats * sizeof(float))};
    if (!f->h) return 0;
    divide(s, f);
    return 1;
}

void xfv_pathface_free(struct xfv_pathface *f)
{
    free(f->h);
    *f = (struct xfv_pathface){0};
}

int xfv_pathfaces_new(const struct xfv_model *m, struct xfv_path *p, const size_t *look_floats, int n_looks,
                      double sigma, size_t cache_bytes, struct xfv_pathfaces **out, struct xfv_err *e)
{
    *out = NULL;
    struct xfv_pathfaces *s = calloc(1, sizeof *s);
    if (!s) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    s->model = m;
    s->path = p;
    s->n_looks = n_looks;
    s->sigma = sigma;
    s->floats = (xfv_path_features(p) + (size_t)xfv_path_n(p)) * (sigma > 0 ? 2 : 1);
    for (int i = 0; i < n_looks; i++) s->floats += s->look_floats[i] = look_floats[i];
    size_t entries = cache_bytes / (s->floats * sizeof(float));
    pthread_mutex_init(&s->lock, NULL);
    s->cache = xfv_cache_new(entries < 2 ? 2 : entries, free);
    if (!s->cache) {
        xfv_pathfaces_free(s);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    *out = s;
    return 0;
}

void xfv_pathfaces_free(struct xfv_pathfaces *s)
{
    if (!s) return;
    xfv_cache_free(s->cache);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* A copy of the kept face, if it is kept. */
static int look_up(struct xfv_pathfaces *s, const uint8_t *rgb, struct xfv_pathface *f)
{
    pthread_mutex_lock(&s->lock);
    const float *found = xfv_cache_find(s->cache, rgb, pixels(s) * 3);
    if (found) memcpy(f->h, found, s->floats * sizeof *found);
    pthread_mutex_unlock(&s->lock);
    return found != NULL;
}

/* A face that cannot be kept costs time, nothing else. */
static void keep(struct xfv_pathfaces *s, const uint8_t *rgb, const struct xfv_pathface *f)
{
    pthread_mutex_lock(&s->lock);
    if (!xfv_cache_find(s->cache, rgb, pixels(s) * 3)) { /* another worker may have been first */
        xfv_cache_make_room(s->cache);
        float *copy = malloc(s->floats * sizeof *copy);
        if (copy) memcpy(copy, f->h, s->floats * sizeof *copy);
        if (copy && xfv_cache_put(s->cache, rgb, pixels(s) * 3, copy, NULL)) free(copy);
    }
    pthread_mutex_unlock(&s->lock);
}

/* out: x blurred, colour by colour in `plane`; on the network's axes, which are exchanged when it is transposed. A
 * Gaussian does not mind. */
static int blur_input(const struct xfv_pathfaces *s, const float *x, float *plane, float *out, struct xfv_err *e)
{
    const struct xfv_model *m = s->model;
    int h = m->transposed ? m->width : m->height, width = m->transposed ? m->height : m->width, status = 0;
    size_t n = pixels(s), c = (size_t)m->channels;
    for (size_t k = 0; k < c && !status; k++) {
        for (size_t i = 0; i < n; i++) plane[i] = x[i * c + k];
        status = xfv_blur(plane, width, h, s->sigma, e);
        for (size_t i = 0; i < n; i++) out[i * c + k] = plane[i];
    }
    return status;
}

static int see_blurred(struct xfv_pathfaces *s, int worker, const float *x, struct xfv_pathface *f, struct xfv_err *e)
{
    float *plane = xfv_aligned_alloc(pixels(s) * sizeof *plane),
          *blurred = xfv_aligned_alloc(pixels(s) * (size_t)s->model->channels * sizeof *blurred);
    int status = plane && blurred ? blur_input(s, x, plane, blurred, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status) status = xfv_path_forward(s->path, worker, blurred, f->h0, NULL, f->f0, e);
    free(plane);
    free(blurred);
    return status;
}

int xfv_pathfaces_see(struct xfv_pathfaces *s, int worker, const uint8_t *rgb, const float *x, struct xfv_pathface *f,
                      struct xfv_err *e)
{
    if (look_up(s, rgb, f)) return 0;
    int status = xfv_path_forward(s->path, worker, x, f->h, f->look, f->f, e);
    if (!status && s->sigma > 0) status = see_blurred(s, worker, x, f, e);
    if (!status) keep(s, rgb, f);
    return status;
}
