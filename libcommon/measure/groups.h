/* Do groups of people differ: in error rates, in scores, in where the maps lie? */
#ifndef XFV_MEASURE_GROUPS_H
#define XFV_MEASURE_GROUPS_H

#include <stdio.h>

#include "measure/explained.h"
#include "measure/resample.h"
#include "pair/identity.h"

struct xfv_groups;

/* path: lines of a face's id, TAB, its group, and optionally TAB and its person (else `rule` makes the person of the
 * id). A face is looked up by its id, else by its file name, as lists of pairs are. Empty lines and lines that begin
 * with # are skipped. XFV_EARG, XFV_EIO, XFV_ENOMEM. */
int xfv_groups_new(struct xfv_groups **g, const char *path, enum xfv_identity rule, struct xfv_err *e);
void xfv_groups_free(struct xfv_groups *g);

/* The group of a pair, 0 and up: that of both its faces. */
enum { XFV_GROUPS_TWO = -1, XFV_GROUPS_UNKNOWN = -2 }; /* the faces are of two groups; one is not in the table */
int xfv_groups_of(const struct xfv_groups *g, const msgpack_object *pair);
size_t xfv_groups_count(const struct xfv_groups *g);
const char *xfv_groups_name(const struct xfv_groups *g, size_t group);

/* Take a pair. Pairs that are of no group are counted only. rows: the shares of view's rows, NULL to leave the maps
 * out. Memory: about 160 bytes a pair and method, 50 without maps. */
int xfv_groups_add(struct xfv_groups *g, const msgpack_object *pair, const struct xfv_pairview *view,
                   const struct xfv_row_regions *rows, struct xfv_err *e);

/* For each quantity and group: the mean with a 95 % interval, and the difference from the group `against` (NULL: from
 * all the other groups' pairs together) with its interval, p-value and Holm's adjustment over all differences of the
 * table. Intervals are percentiles of a bootstrap over persons (measure/resample.h). p: two-sided, from the difference
 * over the bootstrap's standard deviation of it, as a normal variable: the shares of replicates themselves cannot be
 * smaller than 1/replicates, which Holm over hundreds of differences would drown.
 *
 * Quantities: fnmr and score of genuine pairs, fmr and score of impostor pairs (score and acceptance of all pairs when
 * none is labelled), and for each method and region the share of S+ and of S-, genuine and impostor pairs apart. A
 * pair's share is the mean of its two faces'; a map that holds less than 1 % of what S+ and S- hold together does not
 * count (S- of a clear genuine pair is often a single faint pixel).
 *
 * A number is marked few, and has no p-value, when one side has under 10 persons or under 30 pairs, or, for a rate,
 * when at the common rate of both sides one would have under 5 errors (or under 5 pairs without). Where no pair or
 * every pair of a group is an error the bootstrap would give an interval of no width: there it is Clopper and
 * Pearson's, with persons for trials. XFV_EARG when no pair is in a group, or `against` is no group. */
int xfv_groups_compare(struct xfv_groups *g, const char *against, int replicates, uint64_t seed, struct xfv_err *e);
/* After that, an error rate of one group, as the table has it: fnmr of genuine pairs, fmr of impostor pairs, of
 * unlabelled ones the share that is accepted. 1, or 0 when the group has no such pair with a decision. */
enum xfv_groups_rate { XFV_GROUPS_FNMR, XFV_GROUPS_FMR, XFV_GROUPS_ACCEPTED };
struct xfv_group_rate {
    size_t pairs, persons, errors;
    double value, lo, hi, difference, holm; /* the last two NaN where there is nothing to compare with, or too little */
    int few;
};
int xfv_groups_get(const struct xfv_groups *g, size_t group, enum xfv_groups_rate what, struct xfv_group_rate *out);
void xfv_groups_print(const struct xfv_groups *g, int markdown, FILE *f);
/* A gnuplot script with the data inside: error rates and region shares with intervals. */
void xfv_groups_plot(const struct xfv_groups *g, FILE *f);
/* Sentences for the user: what the counts cannot carry. */
int xfv_groups_notes(const struct xfv_groups *g);
const char *xfv_groups_note(const struct xfv_groups *g, int i);

#endif
