/* Deletion and Insertion summed up: accuracies and areas of curves that can be worked out by hand. */
#include "../tap.h"
#include "measure/tally.h"

static char text[16384];

static const char *printed(struct xfv_tally *t, enum xfv_tally_table what)
{
    struct xfv_err e;
    FILE *f = fmemopen(text, sizeof text, "w");
    int status = xfv_tally_print(t, what, "one", 100, 1, f, &e);
    fclose(f);
    return status ? "failed" : text;
}

static int add(struct xfv_tally *t, const char *method, const char *pair, int genuine, const double *deletion,
               const double *insertion, int points, struct xfv_err *e)
{
    struct xfv_curves c = {.method = method,
                          .map = "similarity",
                          .image = "a",
                          .fill = "black",
                          .pair = pair,
                          .n_pair = strlen(pair),
                          .a = pair,
                          .b = pair + 1,
                          .n_a = 1,
                          .n_b = 1,
                          .genuine = genuine,
                          .threshold = 0.5,
                          .points = points,
                          .deletion = deletion,
                          .insertion = insertion};
    return xfv_tally_add(t, &c, e);
}

int main(void)
{
    struct xfv_err e = {0};
    /* Genuine: accepted until half is gone. Impostor: rejected from the first step on. */
    static const double falls[] = {0.9, 0.7, 0.5, 0.3, 0.1}, rises[] = {0.1, 0.3, 0.5, 0.7, 0.9},
                        low[] = {0.6, 0.2, 0.2, 0.2, 0.2}, flat[] = {0, 0, 0, 0, 0};
    struct xfv_tally *t = xfv_tally_new(XFV_IDENTITY_ID);
    OK(!add(t, "one", "ab", 1, falls, rises, 5, &e), "a genuine pair");
    OK(!add(t, "one", "cd", 0, low, flat, 5, &e), "an impostor pair");
    OK(!add(t, "two", "ab", 1, flat, flat, 5, &e), "another method's maps of the first");
    OK(add(t, "one", "ab", 1, falls, rises, 5, &e) == XFV_EARG, "a pair twice is refused: %s", e.msg);
    OK(add(t, "one", "ef", 1, falls, rises, 4, &e) == XFV_EARG, "curves of another length are refused: %s", e.msg);

    const char *curves = printed(t, XFV_TALLY_CURVES);
    OK(strstr(curves, "one") != NULL && strstr(curves, "method\t") == curves, "a table of curves, with its columns");
    const char *pairs = printed(t, XFV_TALLY_PAIRS);
    OK(strstr(pairs, "ab") && strstr(pairs, "cd"), "a table of pairs");
    /* one, deletion: genuine right at 3 of 5 steps, area (.5+1+1+.5*0... by trapezoids 2.5/4); impostor wrong at the
     * first only: 3.5/4. */
    const char *summary = printed(t, XFV_TALLY_SUMMARY),
               *row = strstr(summary, "\none\tsimilarity\ta\tblack\taccuracy\t2\t");
    double v[6] = {0};
    OK(row && sscanf(row + strlen("\none\tsimilarity\ta\tblack\taccuracy\t2\t"), "%lf\t%lf\t%lf\t%lf", &v[0], &v[1],
                     &v[2], &v[3]) == 4,
       "a row of accuracy");
    OK(fabs(v[0] - (2.5 + 3.5) / 8) < 1e-5, "the area of deletion is the mean of 2.5/4 and 3.5/4: %g", v[0]);
    OK(fabs(v[3] - (2.5 / 4 + 1) / 2) < 1e-5, "the area of insertion: %g", v[3]);
    OK(v[1] <= v[0] && v[0] <= v[2], "inside its interval");
    row = strstr(summary, "\none\tsimilarity\ta\tblack\ttar\t1\t");
    OK(row && fabs(strtod(row + strlen("\none\tsimilarity\ta\tblack\ttar\t1\t"), NULL) - 2.5 / 4) < 1e-5,
       "TAR is of genuine pairs alone");
    row = strstr(summary, "\none\tsimilarity\ta\tblack\tscore\t2\t");
    OK(row && fabs(strtod(row + strlen("\none\tsimilarity\ta\tblack\tscore\t2\t"), NULL) - (0.5 + 0.25) / 2) < 1e-5,
       "and the scores' own area");
    xfv_tally_free(t);
    return tap_done();
}
