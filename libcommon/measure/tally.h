/* Deletion and Insertion curves of many pairs, gathered by method and setting, and the tables made of them. */
#ifndef XFV_MEASURE_TALLY_H
#define XFV_MEASURE_TALLY_H

#include <stdio.h>

#include "measure/resample.h"
#include "pair/identity.h"
#include "stream/record.h"

/* One method's two curves of one pair. Texts are copied. */
struct xfv_curves {
    const char *method, *map, *image, *fill;
    const char *pair; size_t n_pair;                      /* the pair's id */
    const char *a, *b; size_t n_a, n_b;                   /* its faces' ids */
    int genuine;          /* 1, 0 */
    double threshold;     /* a score of this and more is accepted */
    int points;           /* of a curve, at equal distances over 0..100 % */
    const double *deletion, *insertion; /* scores */
};

struct xfv_tally;
struct xfv_tally *xfv_tally_new(enum xfv_identity rule); /* NULL when out of memory */
void xfv_tally_free(struct xfv_tally *t);
/* XFV_EARG when one group would hold curves of different lengths, or a pair twice. */
int xfv_tally_add(struct xfv_tally *t, const struct xfv_curves *c, struct xfv_err *e);

/* The same from an entry of the list "delins" of a pair record. XFV_EDATA when it is no such entry. */
int xfv_tally_add_entry(struct xfv_tally *t, const msgpack_object *pair, const msgpack_object *entry,
                        struct xfv_err *e);

/* Tables with a heading, tab-separated. Accuracy of a pair at a step: 1 when (score >= threshold) == genuine. TAR: the
 * same over genuine pairs only. A pair's areas are those under its own curves, so a method's area is their mean.
 *
 * SUMMARY: a row for each group and metric (accuracy, tar, score): areas with 95 % intervals; and against the method
 *          `reference` on the pairs that both have: the difference, its interval, Wilcoxon's p and the same after Holm
 *          over the methods of the setting.
 * CURVES:  a row for each group and step. PAIRS: a row for each group and pair. */
enum xfv_tally_table { XFV_TALLY_SUMMARY, XFV_TALLY_CURVES, XFV_TALLY_PAIRS };
int xfv_tally_print(struct xfv_tally *t, enum xfv_tally_table what, const char *reference, int replicates,
                    uint64_t seed, FILE *f, struct xfv_err *e);

#endif
