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

/* Take a pair. A pair belongs to a group when both its faces do; pairs of two groups and pairs with a face that the
 * table lacks are counted only. Memory: about 160 bytes a pair and method. */
int xfv_groups_add(struct xfv_groups *g, const msgpack_object *pair, const struct xfv_explained *x, struct xfv_err *e);

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
void xfv_groups_print(const struct xfv_groups *g, int markdown, FILE *f);
/* A gnuplot script with the data inside: error rates and region shares with intervals. */
void xfv_groups_plot(const struct xfv_groups *g, FILE *f);
/* Sentences for the user: what the counts cannot carry. */
int xfv_groups_notes(const struct xfv_groups *g);
const char *xfv_groups_note(const struct xfv_groups *g, int i);

#endif
