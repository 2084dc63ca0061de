/* Judging the maps of pairs: do they point at what was planted, do they depend on the partner, are they alike? Every
 * value goes onto a sheet (measure/sheet.h) under its method and test; what the tests are: explain-score(1). */
#ifndef XFV_MEASURE_JUDGE_H
#define XFV_MEASURE_JUDGE_H

#include <stdint.h>

#include "measure/sheet.h"
#include "stream/record.h"

struct xfv_judge;
struct xfv_judge_opts {
    double sigma;        /* of the blur of every map, pixels; 0: none */
    double effect;       /* of planted pairs, only those whose score moved by this much the right way; 0: all */
    const char *against; /* what the other stream is called in the test's name */
};

/* NULL when out of memory; o->against must outlive it */
struct xfv_judge *xfv_judge_new(const struct xfv_judge_opts *o);
void xfv_judge_free(struct xfv_judge *t);

/* A pair record with maps (and its truth, when it has one). against: the same pair of another stream, NULL for none.
 * XFV_EDATA: it cannot be judged; XFV_EARG: its maps are of another size than those before; XFV_ENOMEM. */
int xfv_judge_pair(struct xfv_judge *t, const msgpack_object *pair, const msgpack_object *against, struct xfv_err *e);
/* What needs all pairs: the ranking of regions, and one face's maps with several partners. */
int xfv_judge_finish(struct xfv_judge *t, struct xfv_err *e);
struct xfv_sheet *xfv_judge_sheet(struct xfv_judge *t); /* its own */
uint64_t xfv_judge_truths(const struct xfv_judge *t);   /* pairs with a planted truth that were judged */

#endif
