/* What a trial of a map (ablate(1)) found, as the record holds it, and the words for it: one text for the figure, the
 * page, the record itself and xfv-explain. */
#ifndef XFV_PAIR_VERDICT_H
#define XFV_PAIR_VERDICT_H

#include "stream/put.h"
#include "stream/record.h"

/* TRIED: it was compared with other places. The others: why it was not. */
enum xfv_state { XFV_TRIED, XFV_EMPTY, XFV_CONSTANT, XFV_BROKEN, XFV_NOISE, XFV_OTHER_PAIR, XFV_STATES };
extern const char *const xfv_state_names[XFV_STATES + 1]; /* "tried", "empty", "constant", ...; NULL at the end */

struct xfv_verdict {
    enum xfv_state state;
    int minus;               /* 1: of the map of dissimilarity */
    char fill[16];           /* what took the marked pixels' place: "mean", "partner", ... */
    char changed[8];         /* which photograph's: "a", "b", "either" (one at a time; the scores are the two means) */
    double base, threshold;  /* the score of the photographs as they are; what is accepted */
    double share;            /* percent of the face that was marked and replaced */
    double score, elsewhere; /* the score after that; the mean when as much was replaced elsewhere */
    double turns;            /* the smallest share tried that turns the decision, percent; NaN: none */
    char turned[8];          /* of which photograph: "a", "b" */
    int rank, places;        /* of the effect among it and those of the places, 1 the largest */
    double p;                /* rank / (places + 1) */
};

#define XFV_STANDS 0.05 /* a claim stands at p of this and less */
int xfv_verdict_stands(const struct xfv_verdict *v);

/* Read the verdict on one map of an entry of a pair's `maps`; minus 1: on dissimilarity. 0: the entry has no legal
 * one. */
int xfv_verdict_read(const msgpack_object *entry, int minus, struct xfv_verdict *out);
/* Put the keys that xfv_verdict_read reads, and "words". method: whose map, for the words. */
void xfv_verdict_put(struct xfv_put *to, const struct xfv_verdict *v, const char *method);

/* What was found, in plain sentences; always NUL-terminated. 512 bytes hold it with a method of 63 bytes. */
void xfv_verdict_words(const struct xfv_verdict *v, const char *method, char *buf, size_t cap);
/* "Accepted: 0.76, threshold 0.40." with as many digits as tell the two apart. accept: 1, 0; -1: "No decision". A
 * number that is NaN is left out. */
void xfv_decision_words(int accept, double score, double threshold, char *buf, size_t cap);

#endif
