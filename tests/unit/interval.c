/* Intervals of proportions, against published values and the definition; calibration on scores whose answers are known.
 */
#include "measure/interval.h"

#include "measure/calibrate.h"
#include "tap.h"

static void near(double got, double want, const char *what)
{
    OK(fabs(got - want) <= 1e-6 * (1 + fabs(want)), "%s: %.9g, wanted %.9g", what, got, want);
}

/* Sum of the binomial's tail: P(X >= k) for n trials of probability p, the definition. */
static double tail(int k, int n, double p)
{
    double sum = 0;
    for (int i = k; i <= n; i++)
        sum += exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) + i * log(p) + (n - i) * log1p(-p));
    return sum;
}

static void intervals(void)
{
    double lo, hi;
    xfv_proportion_interval(0, 100, 0.95, &lo, &hi);
    near(lo, 0, "0 of 100: low");
    near(hi, 1 - pow(0.025, 1 / 100.0), "0 of 100: high");
    xfv_proportion_interval(100, 100, 0.95, &lo, &hi);
    near(lo, pow(0.025, 1 / 100.0), "100 of 100: low");
    near(hi, 1, "100 of 100: high");
    for (int k = 1; k < 40; k += 6) {
        xfv_proportion_interval((size_t)k, 40, 0.95, &lo, &hi);
        OK(fabs(tail(k, 40, lo) - 0.025) < 1e-9, "%d of 40: so many or more have probability 0.025 at the low end", k);
        OK(fabs(1 - tail(k + 1, 40, hi) - 0.025) < 1e-9,
           "%d of 40: so many or fewer have probability 0.025 at the high end", k);
    }
    xfv_proportion_interval(0, 0, 0.95, &lo, &hi);
    OK(isnan(lo) && isnan(hi), "0 of 0: unknown");
    xfv_proportion_interval(3, 1000000, 0.95, &lo, &hi);
    OK(lo > 6e-7 && lo < 7e-7 && hi > 8e-6 && hi < 9e-6, "3 of a million: %.3g to %.3g", lo, hi);
}

static void calibration(void)
{
    struct xfv_scores s = {0};
    struct xfv_threshold t;
    struct xfv_err e = {0};
    char text[400] = "";
    OK(xfv_calibrate(&s, "eer", NAN, "", &t, &e) == XFV_EARG, "nothing to calibrate on: %s", e.msg);
    for (int i = 0; i < 1000; i++) xfv_scores_add(&s, i / 1000.0, 0, 0, &e);
    OK(xfv_calibrate(&s, "fmr=1e-2", .01, "", &t, &e) == XFV_EARG, "no genuine pair: %s", e.msg);
    for (int i = 0; i < 200; i++) xfv_scores_add(&s, 0.9 + i / 200.0, 1, 0, &e);
    OK(xfv_calibrate(&s, "fmr=1e-2", .01, "made up", &t, &e) == 0, "at FMR 0.01 %s", e.msg);
    OK(t.value > .989 && t.value < .9901 && t.impostor == 1000 && t.genuine == 200 && t.pairs == 1200,
       "threshold %.4f of %d and %d pairs", t.value, t.genuine, t.impostor);
    near(t.fmr, .01, "FMR");
    near(t.fnmr, 18 / 200.0, "FNMR");
    OK(t.fmr_interval[0] < .01 && t.fmr_interval[1] > .01 && t.fmr_interval[1] < .02, "interval %.4f to %.4f",
       t.fmr_interval[0], t.fmr_interval[1]);
    OK(xfv_threshold_caveat(&t, text, sizeof text) == 1 && strstr(text, "roughly") && strstr(text, "3000"),
       "10 false matches: %s", text);
    OK(xfv_calibrate(&s, "fmr=1e-3", .001, "", &t, &e) == 0 && xfv_threshold_caveat(&t, text, sizeof text) == 1 &&
           strstr(text, "cannot"),
       "1 false match: %s", text);
    OK(xfv_calibrate(&s, "fmr=1e-1", .1, "", &t, &e) == 0 && xfv_threshold_caveat(&t, text, sizeof text) == 0,
       "100 false matches are enough");
    OK(xfv_calibrate(&s, "eer", NAN, "", &t, &e) == 0 && t.fmr > .03 && t.fmr < .12 && fabs(t.fmr - t.fnmr) < .01,
       "equal errors: FMR %.3f, FNMR %.3f", t.fmr, t.fnmr);
    OK(xfv_threshold_caveat(&t, text, sizeof text) == 0, "an equal error rate asks for no rate");
    xfv_scores_clear(&s);
}

static void proportions(void)
{
    struct xfv_proportion p = xfv_proportion_of(2, 60), none = xfv_proportion_of(0, 0);
    OK(fabs(p.value - 2 / 60.) < 1e-12 && fabs(p.lo - 0.0041) < 5e-5 && fabs(p.hi - 0.1153) < 5e-5,
       "2 of 60: %.4f (%.4f to %.4f)", p.value, p.lo, p.hi);
    OK(isnan(none.value) && isnan(none.lo) && isnan(none.hi), "0 of 0: not known");
}

int main(void)
{
    intervals();
    proportions();
    calibration();
    return tap_done();
}
