#include "explain/combine.h"

#include <math.h>
#include <string.h>

const char *const xfv_combines[] = {"joint", "pair", "own",    "other",    "own+other",
                                    "min",   "dot",  "cosine", "contrast", NULL};

void xfv_combine_cells(enum xfv_combine how, const float *own, const float *other, size_t cells, float *similar,
                       float *different)
{
    for (size_t p = 0; p < cells; p++) {
        float sum = 0.5f * (own[p] + other[p]), least = own[p] < other[p] ? own[p] : other[p];
        switch (how) {
        case XFV_COMBINE_OWN: similar[p] = different[p] = own[p]; break;
        case XFV_COMBINE_OTHER: similar[p] = different[p] = other[p]; break;
        case XFV_COMBINE_SUM: similar[p] = different[p] = sum; break;
        case XFV_COMBINE_MIN: similar[p] = different[p] = least; break;
        default: similar[p] = sum, different[p] = least; break;
        }
    }
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

void xfv_combine_products(enum xfv_combine how, const float *a, const float *b, size_t cells, size_t n, double norms,
                          float *out)
{
    for (size_t p = 0; p < cells; p++, a += n, b += n) {
        double by = how == XFV_COMBINE_DOT ? norms : sqrt(dot(a, a, n) * dot(b, b, n));
        out[p] = by > 0 ? (float)(dot(a, b, n) / by) : 0.0f;
    }
}

static double root_mean_square(const float *v, size_t n)
{
    return sqrt(dot(v, v, n) / (double)n);
}

/* to += v, scaled to a root mean square of `size`. */
static void add_scaled(float *to, const float *v, size_t n, double size)
{
    double is = root_mean_square(v, n);
    for (size_t i = 0; i < n && is > 0; i++) to[i] += (float)((double)v[i] * (size / is));
}

double xfv_combine_joint(const float *const own[2], const float *const partner[2], const float *agree, int n_looks,
                         size_t cells, float *similar, float *different, float *spare)
{
    float *sum = spare, *ways = spare + cells;
    for (size_t p = 0; p < cells; p++) {
        sum[p] = 0.5f * (own[0][p] + own[1][p]);
        ways[p] = 0.5f * (partner[0][p] + partner[1][p]);
    }
    double size = root_mean_square(sum, cells);
    memset(similar, 0, cells * sizeof *similar);
    add_scaled(similar, sum, cells, size / (1 + n_looks));
    add_scaled(similar, agree, cells, size / (1 + n_looks));
    float *least = sum;
    for (size_t p = 0; p < cells; p++) least[p] = own[0][p] < own[1][p] ? own[0][p] : own[1][p];
    memset(different, 0, cells * sizeof *different);
    add_scaled(different, least, cells, size / 3);
    add_scaled(different, ways, cells, size / 3);
    add_scaled(different, agree, cells, size / 3);
    return size;
}

float xfv_combine_fine(const float *agree, size_t cells, double size, double area)
{
    double is = root_mean_square(agree, cells);
    return is > 0 ? (float)(size / 3 * area / is) : 0.0f;
}
