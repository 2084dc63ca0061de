#include "measure/interval.h"

#include <math.h>

/* Lentz's method; the fraction of Abramowitz and Stegun 26.5.8, which converges fast for x < (a + 1) / (a + b + 2). */
static double fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    if (fabs(d) < tiny) d = tiny;
    d = 1 / d;
    double f = d;
    for (int m = 1; m < 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
               odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        for (int k = 0; k < 2; k++) {
            double t = k ? odd : even;
            d = 1 + t * d;
            c = 1 + t / c;
            if (fabs(d) < tiny) d = tiny;
            if (fabs(c) < tiny) c = tiny;
            d = 1 / d;
            f *= c * d;
        }
        if (fabs(c * d - 1) < 1e-15) break;
    }
    return f;
}

/* Regularised incomplete beta function I_x(a, b), a and b > 0, by its continued fraction. */
static double incomplete_beta(double a, double b, double x)
{
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * fraction(a, b, x) / a : 1 - front * fraction(b, a, 1 - x) / b;
}

/* x with I_x(a, b) = p: bisection, sixty halvings. */
static double beta_quantile(double a, double b, double p)
{
    double lo = 0, hi = 1;
    for (int i = 0; i < 60; i++) {
        double mid = 0.5 * (lo + hi);
        if (incomplete_beta(a, b, mid) < p) lo = mid;
        else hi = mid;
    }
    return 0.5 * (lo + hi);
}

void xfv_proportion_interval(size_t k, size_t n, double level, double *lo, double *hi)
{
    double tail = 0.5 * (1 - level), dk = (double)k, dn = (double)n;
    *lo = *hi = NAN;
    if (n == 0 || k > n) return;
    *lo = k == 0 ? 0 : beta_quantile(dk, dn - dk + 1, tail);
    *hi = k == n ? 1 : beta_quantile(dk + 1, dn - dk, 1 - tail);
}

struct xfv_proportion xfv_proportion_of(size_t k, size_t n)
{
    struct xfv_proportion p = {.k = k, .n = n, .value = n ? (double)k / (double)n : (double)NAN};
    xfv_proportion_interval(k, n, 0.95, &p.lo, &p.hi);
    return p;
}
