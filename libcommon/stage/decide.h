/* Pairs of faces are scored, decided at a threshold, counted, and written: as pair records into the stream, or as rows
 * of a table. */
#ifndef XFV_STAGE_DECIDE_H
#define XFV_STAGE_DECIDE_H

#include <stdint.h>
#include <stdio.h>

#include "cli/cli.h"
#include "pair/gallery.h"
#include "pair/pairs.h"
#include "pair/score.h"
#include "net/model/model.h"

/* The program sets the first part; the room owns the second, which starts zeroed. */
struct xfv_decider {
    struct xfv_cli *c;
    int given_threshold;      /* 1: threshold is the user's, not the model's */
    double threshold;         /* a score of this or more is accepted */
    const char *at;           /* which of the model's thresholds; NULL: "default" */
    int exit_status;          /* 1: a rejected pair gives exit status 1 */
    int drop;                 /* XFV_DROP_...: what pairs' faces are written without */
    FILE *table;              /* NULL: into the stream */

    struct xfv_model *model;  /* of the segment at hand; NULL: none is needed */
    int head_names_model, caveat_told;
    struct xfv_scores scores; /* of labelled pairs */
    uint64_t n_pairs, n_accepted, n_failed;
};

/* Begin a segment with this head: find its model and, unless the user gave one, its threshold. With a given threshold
 * the model only says how to score, and a missing model means by the cosine. XFV_EMODEL; XFV_EARG when the model lacks
 * the threshold. */
int xfv_decider_head(struct xfv_decider *d, const struct xfv_rec *head, struct xfv_err *e);
/* Score and write one pair of held faces. entry: its line of a list of pairs, with its label, or NULL. When a face
 * failed, or the two cannot be compared, a message says so, and an err record or a row without score takes the pair's
 * place; the call still returns 0. w: the stream's; unused with a table. XFV_EMODEL: faces and model do not belong
 * together; XFV_EIO; XFV_ENOMEM. */
int xfv_decide(struct xfv_decider *d, struct xfv_writer *w, const struct xfv_held *a, const struct xfv_held *b,
               const struct xfv_pair_entry *entry, struct xfv_err *e);
/* The exact score of two faces that have not failed. XFV_EDATA, XFV_EMODEL as xfv_compare. */
int xfv_decider_score(const struct xfv_decider *d, const struct xfv_held *a, const struct xfv_held *b, double *s,
                      struct xfv_err *e);
/* Write a pair that lacks a face; `why` is the sentence. */
int xfv_decide_failed(struct xfv_decider *d, struct xfv_writer *w, const struct xfv_pair_entry *entry, const char *why,
                      struct xfv_err *e);
/* Decide a pair record anew, by its embeddings or, when they were dropped, by its score; it keeps its label. XFV_EDATA
 * when it cannot be scored. */
int xfv_decide_again(struct xfv_decider *d, struct xfv_writer *w, struct xfv_rec *pair, struct xfv_err *e);
/* Flush the table, so that its reader sees all rows so far; without a table does nothing. XFV_EIO. */
int xfv_decider_flush(struct xfv_decider *d, struct xfv_err *e);
/* With -v: print how many pairs there were, and the rates that their labels give; folds: of the list of pairs (struct
 * xfv_pair_list). */
void xfv_decider_tell(const struct xfv_decider *d, int folds);
void xfv_decider_clear(struct xfv_decider *d); /* frees what is the room's own */

#endif
