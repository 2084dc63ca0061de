#include "explain/grad.h"

#include <math.h>
#include <stdlib.h>

#include "stream/tensor.h"

static int init(struct xfv_grad *g, const struct xfv_net *net, int n, size_t pixels, int channels, struct xfv_err *e)
{
    *g = (struct xfv_grad){.net = net, .n = n, .pixels = pixels, .channels = channels};
    g->ws = xfv_ws_new();
    g->f = xfv_aligned_alloc((size_t)n * sizeof(float));
    g->cot = xfv_aligned_alloc((size_t)n * sizeof(float));
    g->dx = xfv_aligned_alloc(pixels * (size_t)channels * sizeof(float));
    g->unit = calloc(2 * (size_t)n, sizeof *g->unit);
    g->work = calloc(2 * pixels * (size_t)channels, sizeof *g->work);
    return g->ws && g->f && g->cot && g->dx && g->unit && g->work ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static void clear(struct xfv_grad *g)
{
    xfv_ws_free(g->ws);
    xfv_tape_free(g->tape);
    free(g->f);
    free(g->cot);
    free(g->dx);
    free(g->unit);
    free(g->work);
}

struct xfv_grad *xfv_grads_new(int workers, const struct xfv_net *net, int n, size_t pixels, int channels,
                               struct xfv_err *e)
{
    struct xfv_grad *g = calloc((size_t)workers, sizeof *g);
    int status = g ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (int i = 0; i < workers && !status; i++) status = init(&g[i], net, n, pixels, channels, e);
    if (!status) return g;
    xfv_grads_free(g, workers);
    return NULL;
}

void xfv_grads_free(struct xfv_grad *g, int workers)
{
    for (int i = 0; g && i < workers; i++) clear(&g[i]);
    free(g);
}

int xfv_grad_forward(struct xfv_grad *g, const float *x, struct xfv_err *e)
{
    float *y[] = {g->f};
    double sum = 0;
    int status = xfv_net_record(g->net, g->ws, x, y, &g->tape, e);
    if (status) return status;
    for (int k = 0; k < g->n; k++) sum += (double)g->f[k] * (double)g->f[k];
    g->norm = sqrt(sum);
    if (g->norm > 0 && isfinite(g->norm)) return 0;
    return xfv_fail_code(e, XFV_EDATA, "embedding",
                         "the embedding of this image is zero or not finite: it has no direction to explain");
}

int xfv_grad_of(struct xfv_grad *g, const double *v, double *value, struct xfv_err *e)
{
    double vf = 0;
    for (int k = 0; k < g->n; k++) vf += v[k] * (double)g->f[k] / g->norm;
    for (int k = 0; k < g->n; k++) g->cot[k] = (float)((v[k] - vf * (double)g->f[k] / g->norm) / g->norm);
    if (value) *value = vf;
    return xfv_net_vjp(g->net, g->ws, g->tape, 1, g->cot, g->dx, e);
}

int xfv_grad_of_raw(struct xfv_grad *g, const double *v, struct xfv_err *e)
{
    for (int k = 0; k < g->n; k++) g->cot[k] = (float)v[k];
    return xfv_net_vjp(g->net, g->ws, g->tape, 1, g->cot, g->dx, e);
}

void xfv_unit(const float *f, int n, double *v)
{
    double sum = 0;
    for (int k = 0; k < n; k++) sum += (double)f[k] * (double)f[k];
    for (int k = 0; k < n; k++) v[k] = (double)f[k] / sqrt(sum);
}

void xfv_mean_abs(const float *dx, size_t pixels, int channels, float *map)
{
    for (size_t p = 0; p < pixels; p++) {
        float sum = 0;
        for (int c = 0; c < channels; c++) sum += fabsf(dx[p * (size_t)channels + (size_t)c]);
        map[p] = sum / (float)channels;
    }
}

void xfv_split(const float *s, size_t pixels, float *similarity, float *dissimilarity)
{
    for (size_t p = 0; p < pixels; p++) {
        float v = s[p];
        similarity[p] = v > 0 ? v : 0.0f;
        dissimilarity[p] = v < 0 ? -v : 0.0f;
    }
}
