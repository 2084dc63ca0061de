#include "explain/fame.h"

#include <math.h>
#include <string.h>

#include "image/blur.h"

static int descend(struct xfv_grad *g, const struct xfv_fame_opts *o, int sign, const double *other, float *x,
                   int *done, struct xfv_err *e)
{
    size_t channels = (size_t)g->channels, n = g->pixels * channels;
    for (*done = 0; *done < o->iterations; ++*done) {
        double s;
        float most = 0;
        int status = xfv_grad_forward(g, x, e);
        if (!status) status = xfv_grad_of(g, other, &s, e);
        if (status) return status;
        if ((sign > 0 ? s : 1 - s) < o->stop) break;
        for (size_t i = 0; i < n; i++) most = fmaxf(most, fabsf(g->dx[i]));
        if (!(most > 0)) break;
        for (size_t i = 0; i < n; i++) x[i] -= (float)sign * o->step[i % channels] * g->dx[i] / most;
    }
    return 0;
}

static void scale(float *map, size_t n, float from, float to)
{
    for (size_t p = 0; p < n; p++) map[p] = to > from ? (map[p] - from) / (to - from) : 0.0f;
}

int xfv_fame(struct xfv_grad *g, const struct xfv_fame_opts *o, int sign, int height, int width, const float *x,
             const double *other, float *work, float *map, int *done, struct xfv_err *e)
{
    size_t channels = (size_t)g->channels, n = g->pixels;
    int count;
    memcpy(work, x, n * channels * sizeof *work);
    int status = descend(g, o, sign, other, work, &count, e);
    if (done) *done = count;
    if (status) return status;
    float lo = INFINITY, hi = 0;
    for (size_t p = 0; p < n; p++) {
        float d = 0;
        for (size_t c = 0; c < channels; c++) d += o->luma[c] * (work[p * channels + c] - x[p * channels + c]);
        map[p] = fabsf(d);
        hi = fmaxf(hi, map[p]);
    }
    scale(map, n, 0, hi);
    status = xfv_blur_cut(map, width, height, o->sigma, o->radius, e);
    hi = 0;
    for (size_t p = 0; p < n; p++) {
        lo = fminf(lo, map[p]);
        hi = fmaxf(hi, map[p]);
    }
    scale(map, n, lo, hi);
    return status;
}
