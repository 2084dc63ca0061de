/* Identities of ids, the bootstrap that draws people, Wilcoxon's test, Holm's correction; SplitMix64 against its
 * published numbers. */
#include "base/random.h"
#include "measure/resample.h"
#include "pair/identity.h"
#include "tap.h"

static int person(const char *id, enum xfv_identity rule, const char *wanted)
{
    size_t n;
    const char *s = xfv_identity_of(id, strlen(id), rule, &n);
    return n == strlen(wanted) && !strncmp(s, wanted, n);
}

int main(void)
{
    struct xfv_random r = {0};
    OK(xfv_random_u64(&r) == 0xe220a8397b1dcdafu && xfv_random_u64(&r) == 0x6e789e6aa1b965f4u, "SplitMix64 from state "
                                                                                               "0");
    OK(person("lfw/images/Abel_Pacheco/Abel_Pacheco_0001.jpg", XFV_IDENTITY_NAME, "Abel_Pacheco"),
       "LFW's file name gives its person's name");
    OK(person("Abel_Pacheco_0001", XFV_IDENTITY_NAME, "Abel_Pacheco"), "without folder and extension");
    OK(person("x/anna-1.jpg", XFV_IDENTITY_NAME, "anna-1") && person("0001.jpg", XFV_IDENTITY_NAME, "0001"),
       "a name that is not LFW's stays whole");
    OK(person("a/b/c.jpg", XFV_IDENTITY_FOLDER, "b") && person("b/c.jpg", XFV_IDENTITY_FOLDER, "b") &&
           person("c.jpg", XFV_IDENTITY_FOLDER, ""),
       "folder");
    OK(person("a/b_1.jpg", XFV_IDENTITY_ID, "a/b_1.jpg"), "the id itself");

    struct xfv_name_table t = {0};
    int same = 1;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 1000; i++) {
            char name[16];
            snprintf(name, sizeof name, "n%d", i);
            same = same && xfv_name_number(&t, name, strlen(name)) == i;
        }
    }
    OK(same && t.n == 1000, "a thousand names keep their numbers");
    xfv_name_table_clear(&t);

    const long a[] = {0, 1, 0}, b[] = {0, 1, 1};
    float *w = xfv_bootstrap_weights(a, b, 3, 2, 4000, 1);
    int sound = w != NULL;
    double sum = 0;
    for (int k = 0; sound && k < 4000; k++) {
        const float *v = w + 3 * k;
        sound = (int)(v[0] + v[1]) == 2 && (int)v[2] == (int)(v[0] * v[1]);
        sum += (double)v[0] / 4000;
    }
    OK(sound, "two people are drawn two times; a pair of both counts their product");
    OK(fabs(sum - 1) < 0.05, "each once on average: %g", sum);
    const double v[] = {0, 1, 5};
    const size_t at[] = {0, 1, 2};
    double work[4000];
    struct xfv_interval i = xfv_mean_interval(v, at, 2, w, 3, 4000, work);
    OK(fabs(i.value - 0.5) < 1e-12 && i.lo < 1e-12 && i.hi > 1 - 1e-12, "mean .5 of two people: from 0 to 1");
    OK(isnan(xfv_mean_interval(v, at, 0, w, 3, 4000, work).value), "of nothing: NaN");
    free(w);

    double d[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, none[] = {0, 0}, even[] = {1, -1, 2, -2};
    /* z = 27.5 / sqrt(96.25) = 2.8031 */
    OK(fabs(xfv_wilcoxon(d, 10) - 0.005062) < 1e-5, "ten differences above zero: p = .00506");
    OK(fabs(xfv_wilcoxon(none, 2) - 1) < 1e-12 && fabs(xfv_wilcoxon(even, 4) - 1) < 1e-12, "no difference: p = 1");
    double p[] = {0.01, 0.04, 0.03, 0.005};
    OK(!xfv_holm(p, 4, NULL) && fabs(p[0] - 0.03) < 1e-12 && fabs(p[1] - 0.06) < 1e-12 && fabs(p[2] - 0.06) < 1e-12 &&
           fabs(p[3] - 0.02) < 1e-12,
       "Holm: .03 .06 .06 .02");
    return tap_done();
}
