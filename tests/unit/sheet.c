/* The sheet of test values: means of what was added, whatever the order; constants; NaN; the three ways to print. */
#include "../tap.h"
#include "measure/sheet.h"

static char text[8192];

static const char *printed(const struct xfv_sheet *s, enum xfv_sheet_format how)
{
    struct xfv_err e;
    FILE *f = fmemopen(text, sizeof text, "w");
    int status = xfv_sheet_print(s, how, 200, 1, f, &e);
    fclose(f);
    return status ? "failed" : text;
}

int main(void)
{
    struct xfv_err e;
    struct xfv_sheet *s = xfv_sheet_new();
    static const char *const people[] = {"ann", "bob", "cem", "dee", "eve"};
    double want = 0;
    for (int i = 0; i < 5; i++) {
        long at = xfv_sheet_case(s, people[i], 3, people[(i + 1) % 5], 3);
        OK(at == i, "case %d is number %ld", i, at);
        OK(!xfv_sheet_add(s, at, "one", "auroc", 0.5 + 0.1 * i, &e), "a test takes its method's value");
        want += (0.5 + 0.1 * i) / 5;
        if (i < 2) xfv_sheet_add(s, at, "two|half", "auroc", 1, &e);
        xfv_sheet_add(s, at, "two|half", "energy", NAN, &e);
    }
    xfv_sheet_add_constant(s, "one", "passes", 12, &e);
    OK(xfv_sheet_has(s, "one") && xfv_sheet_has(s, "two|half") && !xfv_sheet_has(s, "three"), "who has values");

    char row[100];
    snprintf(row, sizeof row, "\none\tauroc\t5\t%.4f\t", want);
    const char *tsv = printed(s, XFV_SHEET_TSV);
    OK(!strncmp(tsv, "method\ttest\tn\tvalue\tlo\thi\n", 26), "the sheet's table begins with its columns");
    OK(strstr(tsv, row) != NULL, "the mean over five cases: %s", row + 1);
    OK(strstr(tsv, "\ntwo|half\tauroc\t2\t1.0000\t1.0000\t1.0000\n") != NULL, "two cases of one value: an interval of "
                                                                              "no width");
    OK(!strstr(tsv, "energy"), "a test without a number has no row");
    double lo = 0, hi = 0, value = 0;
    sscanf(strstr(tsv, "one\tauroc"), "one\tauroc\t5\t%lf\t%lf\t%lf", &value, &lo, &hi);
    OK(lo < value && value < hi && lo >= 0.5 && hi <= 0.9, "the interval holds the mean, within the values: %g %g %g",
       lo, value, hi);

    const char *wide = printed(s, XFV_SHEET_WIDE);
    OK(!strncmp(wide, "method\tauroc\t", 13) && strstr(wide, "\ntwo|half\t1.000 (1.000 to 1.000, n 2)\t") != NULL,
       "wide: a column a test");
    OK(strstr(wide, "\t12\n") != NULL, "a constant has no interval");
    const char *json = printed(s, XFV_SHEET_JSON);
    OK(strstr(json, "{\"method\":\"one\",\"test\":\"passes\",\"n\":1,\"value\":12}") != NULL, "JSON: a line a value");
    xfv_sheet_free(s);
    return tap_done();
}
