#include "base/toint.h"
#include "measure/discard.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

struct ranked {
    double quality;
    size_t at;
};

static int rising(const void *a, const void *b)
{
    const struct ranked *p = a, *q = b;
    if (p->quality < q->quality || p->quality > q->quality) return p->quality < q->quality ? -1 : 1;
    return (p->at > q->at) - (p->at < q->at);
}

size_t *xfv_discard_order(const double *quality, size_t of, size_t *n)
{
    struct ranked *v = malloc((of + 1) * sizeof *v);
    size_t *order = malloc((of + 1) * sizeof *order);
    *n = 0;
    for (size_t i = 0; v && order && i < of; i++)
        if (!isnan(quality[i])) v[(*n)++] = (struct ranked){quality[i], i};
    if (v && order) {
        qsort(v, *n, sizeof *v, rising);
        for (size_t i = 0; i < of; i++) order[i] = i < *n ? v[i].at : SIZE_MAX; /* the end of those that are known */
        order[of] = SIZE_MAX;
    } else {
        free(order);
        order = NULL;
    }
    free(v);
    return order;
}

struct xfv_discard xfv_discard_at(const struct xfv_scores *s, const double *quality, const size_t *order,
                                  double threshold, double share, const float *weights)
{
    size_t n = 0;
    while (order[n] != SIZE_MAX) n++;
    size_t first = xfv_to_size(share * (double)n + 1e-9, n);
    struct xfv_discard d = {.floor = NAN};
    while (first > 0 && first < n && !(quality[order[first - 1]] < quality[order[first]])) first--;
    double kept[2] = {0}, wrong[2] = {0};
    for (size_t i = first; i < n; i++) {
        size_t at = order[i];
        double w = weights ? (double)weights[at] : 1;
        int genuine = s->genuine[at] != 0, accepted = s->score[at] >= threshold;
        kept[genuine] += w;
        wrong[genuine] += accepted == genuine ? 0 : w;
        if (genuine) d.genuine++;
        else d.impostor++;
    }
    if (n) d.share = (double)first / (double)n;
    if (first < n) d.floor = quality[order[first]];
    d.fnmr = kept[1] > 0 ? wrong[1] / kept[1] : NAN;
    d.fmr = kept[0] > 0 ? wrong[0] / kept[0] : NAN;
    return d;
}

double xfv_discard_area(const struct xfv_scores *s, const double *quality, const size_t *order, double threshold,
                        const float *weights)
{
    double whole = xfv_discard_at(s, quality, order, threshold, 0, weights).fnmr, sum = 0;
    for (int i = 0; i <= 20; i++) sum += xfv_discard_at(s, quality, order, threshold, i / 100., weights).fnmr;
    return whole > 0 ? sum / 21 / whole : NAN;
}
