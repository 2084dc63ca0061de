/* A sheet of scores: values of tests of methods on cases (pairs of two people), and the table of their means with
 * intervals. */
#ifndef XFV_MEASURE_SHEET_H
#define XFV_MEASURE_SHEET_H

#include <stdio.h>

#include "measure/resample.h"

struct xfv_sheet;
struct xfv_sheet *xfv_sheet_new(void); /* NULL when out of memory */
void xfv_sheet_free(struct xfv_sheet *s);
/* A new case of two people (their names, n bytes each): its number, or XFV_ENOMEM. */
long xfv_sheet_case(struct xfv_sheet *s, const char *a, size_t n_a, const char *b, size_t n_b);
/* The value of one test of one method on a case; NaN (the test says nothing here) is left out. */
int xfv_sheet_add(struct xfv_sheet *s, long at, const char *method, const char *test, double value, struct xfv_err *e);
/* A number that belongs to the method, not to a case (what it costs): without an interval. */
int xfv_sheet_add_constant(struct xfv_sheet *s, const char *method, const char *test, double value, struct xfv_err *e);
/* One more test in every table, "TEST, share of BEST": what share every other method reaches of the way that the method
 * `best` goes in `test` from `chance` (xfv_share_interval). XFV_ELIMIT past some few. */
int xfv_sheet_add_share(struct xfv_sheet *s, const char *test, const char *best, double chance, struct xfv_err *e);
int xfv_sheet_has(const struct xfv_sheet *s, const char *method); /* 1: it has values */

/* Means with 95 % intervals, people drawn with replacement (measure/resample.h). TSV and JSON Lines: a row for each
 * method and test: method, test, n, value, lo, hi. WIDE: a row for each method, a column for each test, tab-separated.
 * Methods and tests in the order they first came. */
enum xfv_sheet_format { XFV_SHEET_TSV, XFV_SHEET_WIDE, XFV_SHEET_JSON };
int xfv_sheet_print(const struct xfv_sheet *s, enum xfv_sheet_format how, int replicates, uint64_t seed, FILE *f,
                    struct xfv_err *e);

#endif
