/* How two faces' cells become one map: every rule by numbers worked out by hand. */
#include <math.h>
#include <string.h>

#include "explain/combine.h"
#include "tap.h"

static const float own[4] = {1, -2, 3, 0}, other[4] = {3, -4, -1, 0};

static int same(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fabsf(a[i] - b[i]) > 1e-6f) return 0;
    return 1;
}

static void cells(void)
{
    static const float sum[4] = {2, -3, 1, 0}, least[4] = {1, -4, -1, 0};
    static const struct { enum xfv_combine how; const float *similar, *different;
    } cases[] = {{XFV_COMBINE_OWN, own, own},
                 {XFV_COMBINE_OTHER, other, other},
                 {XFV_COMBINE_SUM, sum, sum},
                 {XFV_COMBINE_MIN, least, least},
                 {XFV_COMBINE_PAIR, sum, least}};
    float s[4], d[4];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        xfv_combine_cells(cases[i].how, own, other, 4, s, d);
        OK(same(s, cases[i].similar, 4) && same(d, cases[i].different, 4), "%s", xfv_combines[cases[i].how]);
    }
}

static void products(void)
{
    static const float a[6] = {3, 4, 1, 0, 0, 0}, b[6] = {4, 3, 0, 2, 1, 1}, scaled[3] = {2.4f, 0, 0},
                       cosine[3] = {.96f, 0, 0};
    float out[3];
    xfv_combine_products(XFV_COMBINE_DOT, a, b, 3, 2, 10, out);
    OK(same(out, scaled, 3), "dot: products over the norms");
    xfv_combine_products(XFV_COMBINE_COSINE, a, b, 3, 2, 10, out);
    OK(same(out, cosine, 3), "cosine: of each cell, 0 where one adds nothing");
}

static double size_of(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)v[i] * (double)v[i];
    return sqrt(sum / (double)n);
}

static void joint(void)
{
    static const float agree[4] = {.5f, -.5f, .5f, .5f}, none[4] = {0}, way[4] = {2, 2, -2, 2};
    const float *paths[2] = {own, other}, *ways[2] = {way, way}, *zero[2] = {none, none};
    float s[4], d[4], spare[8], want[4];
    /* The paths' mean is 2 -3 1 0, of size sqrt(14/4); the lesser 1 -4 -1 0, of size sqrt(18/4). */
    double size = sqrt(3.5), lesser = sqrt(4.5);
    OK(fabs(xfv_combine_joint(paths, ways, agree, 1, 4, s, d, spare) - size) < 1e-9, "joint: the size is that of the "
                                                                                     "paths' mean");
    static const double mean[4] = {2, -3, 1, 0}, least[4] = {1, -4, -1, 0}, unit[4] = {1, -1, 1, 1},
                        w[4] = {1, 1, -1, 1};
    for (int i = 0; i < 4; i++) want[i] = (float)(mean[i] / 2 + unit[i] * size / 2);
    OK(same(s, want, 4), "joint: similarity is half the paths, half the agreement");
    for (int i = 0; i < 4; i++) want[i] = (float)(size / 3 * (least[i] / lesser + w[i] + unit[i]));
    OK(same(d, want, 4), "joint: dissimilarity is a third of the lesser path, of the ways to the partner, of the "
                         "agreement");
    xfv_combine_joint(paths, zero, none, 2, 4, s, d, spare);
    OK(fabs(size_of(s, 4) - size / 3) < 1e-6 && fabs(size_of(d, 4) - size / 3) < 1e-6,
       "joint: a witness that says nothing adds nothing; two grids leave the paths a third");
    OK(fabsf(xfv_combine_fine(agree, 4, 3, .25) - .5f) < 1e-6f && xfv_combine_fine(none, 4, 3, .25) == 0.0f,
       "joint: the finer grid has the same size a pixel; nothing from nothing");
}

int main(void)
{
    cells();
    products();
    joint();
    return tap_done();
}
