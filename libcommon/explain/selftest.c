#include "explain/selftest.h"

#include <math.h>
#include <stdlib.h>

#include "base/toint.h"
#include "explain/fggb.h"
#include "net/run/net.h"
#include "net/graph/ref.h"

/* A smooth face-like nothing: an ellipse with dark spots; which 0 or 1. */
static void picture(const struct xfv_model *m, int which, uint8_t *rgb)
{
    for (int y = 0; y < m->height; y++)
        for (int x = 0; x < m->width; x++, rgb += 3) {
            double u = (x + 0.5) / m->width - 0.5, v = (y + 0.5) / m->height - 0.5, face = u * u / 0.14 + v * v / 0.22;
            double eyes = exp(-((fabs(u) - 0.17) * (fabs(u) - 0.17) + (v + 0.08) * (v + 0.08)) / 0.003),
                   mouth = exp(-(u * u / 0.02 + (v - 0.25) * (v - 0.25) / 0.002));
            double light = face < 1 ? 180 + 40 * u * (which ? -1 : 1) : 60;
            light -= 120 * eyes + (which ? 40 : 90) * mouth;
            rgb[0] = xfv_to_byte(light);
            rgb[1] = xfv_to_byte(light * 0.8);
            rgb[2] = xfv_to_byte(light * 0.7);
        }
}

struct trial {
    const struct xfv_model *m;
    struct xfv_net *net;
    struct xfv_ws *ws;
    struct xfv_fggb *fggb;
    struct xfv_fggb_face *face; /* of picture 0 */
    uint8_t *rgb;               /* [H][W][3] */
    float *x[2], *y[2];         /* inputs and embeddings of the two pictures */
    float *map[2];              /* S+ and S- of picture 0 */
    double *w;                  /* [n] */
    int n;                      /* length of an embedding */
};

static int start(struct trial *t, struct xfv_err *e)
{
    const struct xfv_model *m = t->m;
    size_t pixels = (size_t)m->height * (size_t)m->width;
    const struct xfv_fggb_opts o = {XFV_FGGB_NORMALISED, XFV_FGGB_MEAN, XFV_FGGB_NORM_L2};
    t->n = (int)xfv_shape_count(m->graph->values[m->embedding].shape);
    t->ws = xfv_ws_new();
    t->rgb = malloc(pixels * 3);
    t->w = calloc((size_t)t->n, sizeof *t->w);
    int ok = t->ws && t->rgb && t->w;
    for (int i = 0; i < 2; i++) {
        t->x[i] = xfv_aligned_alloc(pixels * (size_t)m->channels * sizeof(float));
        t->y[i] = xfv_aligned_alloc((size_t)t->n * sizeof(float));
        t->map[i] = xfv_aligned_alloc(pixels * sizeof(float));
        ok = ok && t->x[i] && t->y[i] && t->map[i];
    }
    if (!ok) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int status = xfv_net_new(m->graph, 0, &m->embedding, 1, &t->net, e);
    if (!status) status = xfv_fggb_new(m->graph, m->embedding, 1, &o, &t->fggb, e);
    for (int i = 0; i < 2 && !status; i++) {
        picture(m, i, t->rgb);
        xfv_model_input(m, t->rgb, t->x[i]);
        float *y[] = {t->y[i]};
        status = xfv_net_forward(t->net, t->ws, NULL, 1, t->x[i], y, e);
    }
    return status;
}

static void end(struct trial *t)
{
    for (int i = 0; i < 2; i++) {
        free(t->x[i]);
        free(t->y[i]);
        free(t->map[i]);
    }
    free(t->rgb);
    free(t->w);
    xfv_fggb_face_free(t->face);
    xfv_fggb_free(t->fggb);
    xfv_net_free(t->net);
    xfv_ws_free(t->ws);
}

/* The kernels against plain C in double precision: the relative difference of picture 0's embedding. */
static int compare_kernels(const struct trial *t, double *difference, struct xfv_err *e)
{
    const struct xfv_graph *g = t->m->graph;
    size_t count = xfv_shape_count(g->values[0].shape);
    double **values, d2 = 0, n2 = 0, *x = malloc(count * sizeof *x);
    if (!x) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) x[i] = (double)t->x[0][i];
    int status = xfv_ref_forward(g, g->values[0].shape, x, &values, e);
    for (int k = 0; k < t->n && !status; k++) {
        double want = values[t->m->embedding][k], d = (double)t->y[0][k] - want;
        d2 += d * d;
        n2 += want * want;
    }
    if (!status) xfv_ref_free(g, values);
    free(x);
    *difference = sqrt(d2 / n2);
    return status;
}

static int explain(struct trial *t, double *score, double *sum, struct xfv_err *e)
{
    int m = t->n < XFV_SELFTEST_CHANNELS ? t->n : XFV_SELFTEST_CHANNELS;
    size_t pixels = (size_t)t->m->height * (size_t)t->m->width;
    xfv_fggb_weights(t->y[0], t->y[1], t->n, 0, t->w);
    for (int k = 0; k < t->n; k++) *score += t->w[k];
    t->face = xfv_fggb_face_new(t->fggb);
    int status = t->face ? xfv_fggb_begin(t->fggb, t->face, t->x[0], 0, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    int chunks = status ? 0 : xfv_fggb_want(t->fggb, t->face, NULL, m);
    for (int i = 0; i < chunks && !status; i++) status = xfv_fggb_chunk(t->fggb, t->face, i, 0, e);
    if (status) return status;
    xfv_fggb_sum(t->fggb, t->face, t->w, NULL, m, t->map[0], t->map[1]);
    for (size_t i = 0; i < pixels; i++) *sum += (double)t->map[0][i];
    return 0;
}

int xfv_selftest(const struct xfv_model *m, struct xfv_selftest *out, struct xfv_err *e)
{
    struct trial t = {.m = m};
    *out = (struct xfv_selftest){0};
    int status = start(&t, e);
    if (!status) status = compare_kernels(&t, &out->difference, e);
    if (!status) status = explain(&t, &out->score, &out->sum, e);
    end(&t);
    return status;
}
