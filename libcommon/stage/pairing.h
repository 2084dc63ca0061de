/* Which faces of a stream meet. The callbacks of a stage (struct xfv_stage), whose ctx is a struct xfv_pairing *. */
#ifndef XFV_STAGE_PAIRING_H
#define XFV_STAGE_PAIRING_H

#include "pair/sieve.h"
#include "stage/decide.h"
#include "cli/shard.h"
#include "stage/stage.h"

enum xfv_pairing_mode {
    XFV_PAIR_CONSECUTIVE, /* first with second, third with fourth, as they come */
    XFV_PAIR_ALL,         /* every two, at the end */
    XFV_PAIR_LIST,        /* those of a list, at the end */
    XFV_PAIR_PROBE        /* one with every other: as they come once its id has come, else at the end */
};

/* The program sets the first part; the room owns the second, which starts zeroed. */
struct xfv_pairing {
    struct xfv_decider d;
    enum xfv_pairing_mode mode;
    const char *list_path;      /* of XFV_PAIR_LIST */
    const char *probe;          /* an id, or a file name that only one id has */
    struct xfv_shard shard;     /* of the list, or of all pairs */
    int best;                   /* of ALL and PROBE: how many faces most alike to each, or to the probe; 0: all */
    double above;               /* with given_above: pairs of this score and more */
    int given_above;

    struct xfv_pair_list list;
    struct xfv_gallery held;    /* in consecutive mode at most the first of a pair */
    struct xfv_sieve *sieve;    /* of a probe's search into a table, else NULL: what it lets through is held */
    int open_segment, after_pair;
    int probe_found;            /* the probe is the only face held; the others are judged as they come */
};

/* Read the list, if there is one: XFV_EARG, XFV_EIO. */
int xfv_pairing_open(struct xfv_pairing *p, struct xfv_err *e);
void xfv_pairing_clear(struct xfv_pairing *p); /* the decider too */

/* Find the model and threshold of a segment (xfv_decider_head). 1: its faces meet those of the segment before. */
int xfv_pairing_head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                     struct xfv_err *e);
/* Wants faces, err records and pairs. Shards after the first also drop all other records, so that the joined parts hold
 * them once. */
int xfv_pairing_wants(void *ctx, const struct xfv_rec *r);
/* Hold a face, or judge it at once; decide a pair anew; pass an err record on, which uses up a face's place. XFV_EDATA
 * when this face cannot be scored. */
int xfv_pairing_take(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e);
/* With a table, which needs no records: hold or judge a face by its template. Give it to the stage only then. */
int xfv_pairing_template(void *ctx, const struct xfv_template *t, struct xfv_err *e);
/* Judge the pairs that waited for the end; with -v print the rates. XFV_EARG: no such probe. */
int xfv_pairing_finish(void *ctx, struct xfv_writer *w, struct xfv_err *e);

/* For the files of this room. _leave_alone: write an err record, or a line, for a face that meets no other. _best:
 * judge the pairs of --best and --above (probe_id: the probe's, by its pointer, or NULL for every face). */
int xfv_pairing_leave_alone(struct xfv_pairing *p, const struct xfv_held *f, const char *code, const char *why,
                            struct xfv_writer *w, struct xfv_err *e);
int xfv_pairing_best(struct xfv_pairing *p, const char *probe_id, struct xfv_writer *w, struct xfv_err *e);

#endif
