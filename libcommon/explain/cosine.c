#include "explain/cosine.h"

#include <string.h>

/* (x - black) * gradient, summed over colours, into the two sides. */
static void times_input(const struct xfv_grad *g, const float *x, const float *black, const float *gradient,
                        float *similarity, float *dissimilarity)
{
    size_t channels = (size_t)g->channels;
    for (size_t p = 0; p < g->pixels; p++) {
        float sum = 0;
        for (size_t c = 0; c < channels; c++) sum += (x[p * channels + c] - black[c]) * gradient[p * channels + c];
        similarity[p] = sum;
    }
    xfv_split(similarity, g->pixels, similarity, dissimilarity);
}

static int gradient_at(struct xfv_grad *g, const float *x, const double *other, struct xfv_err *e)
{
    int status = xfv_grad_forward(g, x, e);
    return status ? status : xfv_grad_of(g, other, NULL, e);
}

static int smooth(struct xfv_grad *g, const struct xfv_cosine_opts *o, const float *x, const double *other,
                  struct xfv_random *r, float *noisy, float *map, float *mean, struct xfv_err *e)
{
    size_t n = g->pixels * (size_t)g->channels;
    memset(mean, 0, g->pixels * sizeof *mean);
    for (int i = 0; i < o->steps; i++) {
        for (size_t j = 0; j < n; j++)
            noisy[j] = x[j] + o->noise[j % (size_t)g->channels] * (float)xfv_random_normal(r);
        int status = gradient_at(g, noisy, other, e);
        if (status) return status;
        xfv_mean_abs(g->dx, g->pixels, g->channels, map);
        for (size_t p = 0; p < g->pixels; p++) mean[p] += map[p] / (float)o->steps;
    }
    return 0;
}

static int integrate(struct xfv_grad *g, const struct xfv_cosine_opts *o, const float *x, const double *other,
                     float *at, float *mean, struct xfv_err *e)
{
    size_t n = g->pixels * (size_t)g->channels;
    memset(mean, 0, n * sizeof *mean);
    for (int i = 0; i < o->steps; i++) {
        float t = ((float)i + 0.5f) / (float)o->steps;
        for (size_t j = 0; j < n; j++) {
            float black = o->black[j % (size_t)g->channels];
            at[j] = black + t * (x[j] - black);
        }
        int status = gradient_at(g, at, other, e);
        if (status) return status;
        for (size_t j = 0; j < n; j++) mean[j] += g->dx[j] / (float)o->steps;
    }
    return 0;
}

int xfv_cosine_map(struct xfv_grad *g, const struct xfv_cosine_opts *o, const float *x, const double *other,
                   struct xfv_random *r, float *work, float *similarity, float *dissimilarity, struct xfv_err *e)
{
    float *mean = work + g->pixels * (size_t)g->channels;
    int status;
    switch (o->kind) {
    case XFV_COSINE_SMOOTHGRAD:
        status = smooth(g, o, x, other, r, work, dissimilarity, similarity, e);
        break;
    case XFV_COSINE_INTEGRATED:
        status = integrate(g, o, x, other, work, mean, e);
        if (!status) times_input(g, x, o->black, mean, similarity, dissimilarity);
        return status;
    default:
        status = gradient_at(g, x, other, e);
        if (!status && o->kind == XFV_COSINE_INPUT) {
            times_input(g, x, o->black, g->dx, similarity, dissimilarity);
            return 0;
        }
        if (!status) xfv_mean_abs(g->dx, g->pixels, g->channels, similarity);
    }
    if (!status) memcpy(dissimilarity, similarity, g->pixels * sizeof *similarity);
    return status;
}
