#include "explain/gradcam.h"

static void weigh(const struct xfv_grad *g, const float *h, float *s)
{
    size_t channels = (size_t)g->channels;
    for (size_t p = 0; p < g->pixels; p++) s[p] = 0;
    for (size_t c = 0; c < channels; c++) {
        double alpha = 0;
        for (size_t p = 0; p < g->pixels; p++) alpha += (double)g->dx[p * channels + c];
        alpha /= (double)g->pixels;
        for (size_t p = 0; p < g->pixels; p++) s[p] += (float)(alpha * (double)h[p * channels + c]);
    }
}

int xfv_gradcam(struct xfv_grad *rest, enum xfv_cam kind, int fixed_norm, const float *h, const double *other,
                float *similarity, float *dissimilarity, struct xfv_err *e)
{
    size_t channels = (size_t)rest->channels;
    int status = xfv_grad_forward(rest, h, e);
    if (!status) status = fixed_norm ? xfv_grad_of_raw(rest, other, e) : xfv_grad_of(rest, other, NULL, e);
    if (status) return status;
    float norm = fixed_norm ? (float)rest->norm : 1.0f;
    for (size_t i = 0; i < rest->pixels * channels; i++) rest->dx[i] /= norm;
    if (kind == XFV_CAM_GRADCAM) {
        weigh(rest, h, similarity);
        xfv_split(similarity, rest->pixels, similarity, dissimilarity);
        return 0;
    }
    for (size_t p = 0; p < rest->pixels; p++) {
        double plus = 0, minus = 0;
        for (size_t c = 0; c < channels; c++) {
            double v = (double)rest->dx[p * channels + c] * (double)h[p * channels + c];
            if (v > 0) plus += v;
            else minus -= v;
        }
        double s = plus - minus;
        similarity[p] = (float)(kind == XFV_CAM_ELEMENTWISE ? plus : s > 0 ? s : 0);
        dissimilarity[p] = (float)(kind == XFV_CAM_ELEMENTWISE ? minus : s < 0 ? -s : 0);
    }
    return 0;
}
