#include "measure/localise.h"

#include <math.h>
#include <stdlib.h>

struct pixel { float v; uint8_t truth; };

static int by_value(const void *a, const void *b)
{
    float x = ((const struct pixel *)a)->v, y = ((const struct pixel *)b)->v;
    return (x > y) - (x < y);
}

/* Mann and Whitney's U from mid-ranks. */
int xfv_auroc(const float *map, const uint8_t *truth, const uint8_t *within, size_t n, double *auroc, struct xfv_err *e)
{
    struct pixel *p = malloc(n * sizeof *p + 1);
    size_t m = 0;
    double inside = 0, ranks = 0;
    if (!p) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        if (within[i]) p[m++] = (struct pixel){map[i], truth[i] != 0};
    qsort(p, m, sizeof *p, by_value);
    for (size_t i = 0; i < m;) {
        size_t j = i;
        while (j < m && !(p[j].v > p[i].v)) j++;
        double rank = 0.5 * (double)(i + j + 1); /* the mean of i+1 .. j */
        for (; i < j; i++)
            if (p[i].truth) inside++, ranks += rank;
    }
    free(p);
    double outside = (double)m - inside;
    *auroc = inside > 0 && outside > 0 ? (ranks - inside * (inside + 1) / 2) / (inside * outside) : NAN;
    return 0;
}

double xfv_energy_inside(const float *map, const uint8_t *truth, const uint8_t *within, size_t n)
{
    double in = 0, all = 0;
    for (size_t i = 0; i < n; i++) {
        if (!within[i] || !(map[i] > 0)) continue;
        all += (double)map[i];
        if (truth[i]) in += (double)map[i];
    }
    return all > 0 ? in / all : NAN;
}

double xfv_pointing(const float *map, const uint8_t *truth, const uint8_t *within, size_t n)
{
    float most = -INFINITY;
    double hits = 0, ties = 0;
    for (size_t i = 0; i < n; i++)
        if (within[i] && map[i] > most) most = map[i];
    for (size_t i = 0; i < n; i++)
        if (within[i] && !(map[i] < most)) ties++, hits += truth[i] != 0;
    return ties > 0 ? hits / ties : NAN;
}

double xfv_map_correlation(const float *a, const float *b, const uint8_t *within, size_t n)
{
    double m = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++)
        if (within[i]) m++, x += (double)a[i], y += (double)b[i];
    for (size_t i = 0; i < n; i++) {
        if (!within[i]) continue;
        double u = (double)a[i] - x / m, v = (double)b[i] - y / m;
        xx += u * u, yy += v * v, xy += u * v;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

double xfv_mean_inside(const float *map, const uint8_t *mask, size_t n)
{
    double sum = 0, m = 0;
    for (size_t i = 0; i < n; i++)
        if (mask[i]) m++, sum += (double)map[i];
    return m > 0 ? sum / m : 0;
}
