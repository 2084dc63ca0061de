#include "explain/xssab.h"

#include <math.h>

int xfv_xssab(struct xfv_grad *g, const double *other, double threshold, double *work, float *similarity,
              float *dissimilarity, struct xfv_err *e)
{
    double bound = threshold / g->n;
    float *maps[] = {similarity, dissimilarity};
    for (int side = 0; side < 2; side++) {
        for (int k = 0; k < g->n; k++) {
            int against = (double)g->f[k] / g->norm * other[k] < bound;
            work[k] = against == side ? other[k] : 0;
        }
        int status = xfv_grad_of(g, work, NULL, e);
        if (status) return status;
        xfv_mean_abs(g->dx, g->pixels, g->channels, maps[side]);
    }
    return 0;
}

int xfv_xssab_distance(struct xfv_grad *g, const float *other, double threshold, double *work, float *similarity,
                       float *dissimilarity, struct xfv_err *e)
{
    double bound = threshold * fabs(threshold) / g->n;
    float *maps[] = {similarity, dissimilarity};
    for (int side = 0; side < 2; side++) {
        for (int k = 0; k < g->n; k++) {
            double d = (double)g->f[k] - (double)other[k];
            int against = -d * d < bound;
            work[k] = against == side ? -2 * d : 0;
        }
        int status = xfv_grad_of_raw(g, work, e);
        if (status) return status;
        xfv_mean_abs(g->dx, g->pixels, g->channels, maps[side]);
    }
    return 0;
}
