#include "image/slic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"

#define ROUNDS 10

struct point { double v[5]; }; /* L, a, b, y, x */

static double linear(uint8_t v)
{
    double c = v / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double bent(double t)
{
    return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

static void lab(const uint8_t *rgb, double *v)
{
    double r = linear(rgb[0]), g = linear(rgb[1]), b = linear(rgb[2]);
    double x = bent((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
    double y = bent(0.2126729 * r + 0.7151522 * g + 0.0721750 * b);
    double z = bent((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883);
    v[0] = 116 * y - 16;
    v[1] = 500 * (x - y);
    v[2] = 200 * (y - z);
}

/* Lines of a grid with the step along `length` pixels. */
static int lines(int length, double step)
{
    return xfv_to_int(length / step + 0.5, 1, length);
}

static void seed(const struct point *p, int height, int width, int rows, int columns, struct point *centre)
{
    for (int i = 0; i < rows * columns; i++) {
        double y = (i / columns + 0.5) * height / rows, x = (i % columns + 0.5) * width / columns;
        centre[i] = p[xfv_to_size(y, (size_t)height - 1) * (size_t)width + xfv_to_size(x, (size_t)width - 1)];
        centre[i].v[3] = y - 0.5;
        centre[i].v[4] = x - 0.5;
    }
}

static int nearest(const struct point *p, const struct point *centre, int n, double weight)
{
    double least = HUGE_VAL;
    int best = 0;
    for (int i = 0; i < n; i++) {
        double colour = 0, place = 0;
        for (int k = 0; k < 3; k++) colour += (p->v[k] - centre[i].v[k]) * (p->v[k] - centre[i].v[k]);
        for (int k = 3; k < 5; k++) place += (p->v[k] - centre[i].v[k]) * (p->v[k] - centre[i].v[k]);
        if (!(colour + weight * place < least)) continue;
        least = colour + weight * place;
        best = i;
    }
    return best;
}

/* A centre that no pixel chose stays where it was. */
static void move(const struct point *p, const int *label, size_t n, struct point *sum, size_t *members,
                 struct point *centre, int centres)
{
    memset(sum, 0, (size_t)centres * sizeof *sum);
    memset(members, 0, (size_t)centres * sizeof *members);
    for (size_t i = 0; i < n; i++) {
        members[label[i]]++;
        for (int k = 0; k < 5; k++) sum[label[i]].v[k] += p[i].v[k];
    }
    for (int c = 0; c < centres; c++)
        for (int k = 0; k < 5 && members[c]; k++) centre[c].v[k] = sum[c].v[k] / (double)members[c];
}

/* Number the piece around pixel `at` in `to`; its pixels go to `stack`, their number is returned. */
static size_t flood(const int *from, int *to, int height, int width, size_t at, int number, size_t *stack)
{
    size_t n = 1, w = (size_t)width;
    stack[0] = at;
    to[at] = number;
    for (size_t i = 0; i < n; i++) {
        size_t p = stack[i], y = p / w, x = p % w;
        size_t beside[4] = {x ? p - 1 : p, x + 1 < w ? p + 1 : p, y ? p - w : p, y + 1 < (size_t)height ? p + w : p};
        for (int k = 0; k < 4; k++) {
            if (to[beside[k]] >= 0 || from[beside[k]] != from[at]) continue;
            to[beside[k]] = number;
            stack[n++] = beside[k];
        }
    }
    return n;
}

/* Pieces of `from` to labels of their own. */
static int connect(const int *from, int *to, int height, int width, size_t least, size_t *stack)
{
    size_t n = (size_t)height * (size_t)width, w = (size_t)width;
    int count = 0;
    for (size_t p = 0; p < n; p++) to[p] = -1;
    for (size_t p = 0; p < n; p++) {
        if (to[p] >= 0) continue;
        int beside = p % w ? to[p - 1] : p ? to[p - w] : -1;
        size_t size = flood(from, to, height, width, p, count, stack);
        if (size >= least || beside < 0) count++;
        else
            for (size_t i = 0; i < size; i++) to[stack[i]] = beside;
    }
    return count;
}

int xfv_slic(const uint8_t *rgb, int height, int width, int segments, double compactness, int *label, int *count,
             struct xfv_err *e)
{
    size_t n = (size_t)height * (size_t)width;
    if (segments < 1 || !(compactness > 0))
        return xfv_fail(e, XFV_EARG, "superpixels: a number of at least 1 and a compactness above 0 are needed");
    double step = sqrt((double)n / segments), weight = compactness * compactness / (step * step);
    int rows = lines(height, step), columns = lines(width, step), centres = rows * columns;
    struct point *p = malloc(n * sizeof *p), *centre = malloc((size_t)centres * sizeof *centre),
                 *sum = malloc((size_t)centres * sizeof *sum);
    size_t *members = malloc((size_t)centres * sizeof *members), *stack = malloc(n * sizeof *stack);
    int *of = malloc(n * sizeof *of), status = 0;
    if (!p || !centre || !sum || !members || !stack || !of) {
        status = xfv_fail(e, XFV_ENOMEM, "out of memory");
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        lab(rgb + 3 * i, p[i].v);
        p[i].v[3] = (double)(i / (size_t)width);
        p[i].v[4] = (double)(i % (size_t)width);
    }
    seed(p, height, width, rows, columns, centre);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < n; i++) of[i] = nearest(&p[i], centre, centres, weight);
        move(p, of, n, sum, members, centre, centres);
    }
    *count = connect(of, label, height, width, xfv_to_size(step * step / 4, n), stack);
out:
    free(p), free(centre), free(sum), free(members), free(stack), free(of);
    return status;
}
