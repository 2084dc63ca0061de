/* A map tried on its own pair: does the network use what this map marks more than other places of its size and shape?
 *
 * The map of a face is blurred, and the share of the face's oval where it is highest (and above 0) is its mark. The
 * mark is taken away, its rim softened, and the network is asked again. For similarity a fill that is no evidence of
 * identity takes the pixels' place; for dissimilarity the other photograph's pixels at the same place do. The effect is
 * how far the score moves the way that the map claims (down for similarity, up for dissimilarity) when one photograph
 * is changed and the other is not; of the two photographs the mean. The controls are the same marks turned, mirrored by
 * chance and moved to other places of the oval, with the same fill.
 *
 *     p = (1 + controls with at least the map's effect) / (1 + controls)
 *
 * is exact for a map whose place is as random as theirs (a randomisation test: Fisher; Phipson, Smyth,
 * doi 10.2202/1544-6115.1585). Taking the mark away is "comprehensiveness", showing it alone "sufficiency" (DeYoung
 * and others, ERASER, arXiv 1911.03429); the smallest share that turns the decision is a counterfactual region (Goyal
 * and others, arXiv 1904.07451). */
#ifndef XFV_MEASURE_ABLATE_H
#define XFV_MEASURE_ABLATE_H

#include <stdint.h>

#include "base/random.h"
#include "explain/probe.h"

enum xfv_ablate_fill { XFV_ABLATE_MEAN, XFV_ABLATE_BLUR, XFV_ABLATE_BLACK, XFV_ABLATE_PARTNER };
extern const char *const xfv_ablate_fills[]; /* "mean", "blur", "black", "partner"; NULL at the end */
enum xfv_ablate_view { XFV_ABLATE_A, XFV_ABLATE_B, XFV_ABLATE_BOTH, XFV_ABLATE_VIEWS }; /* which is changed */
extern const char *const xfv_ablate_views[]; /* "a", "b", "both"; NULL at the end */

enum { XFV_ABLATE_SHARES = 6, XFV_ABLATE_MOST_PLACES = 999 };
extern const double xfv_ablate_shares[XFV_ABLATE_SHARES]; /* 1, 2, 5, 10, 20, 30: percent of the oval */
#define XFV_ABLATE_TESTED 3 /* of those, the one whose effect is compared with other places: 10 % */

struct xfv_ablate_opts {
    enum xfv_ablate_fill fill; /* in a mark's place, for similarity */
    double blur;               /* sigma of the map's blur, pixels of a face 112 wide; 0: none */
    double rim;                /* sigma by which a mark's rim is softened, the same */
    int places;                /* controls, 1..XFV_ABLATE_MOST_PLACES */
    int distance;              /* the score is minus the Euclidean distance of the embeddings, not their cosine */
};

/* What all maps of a pair share. rgb u8 [H][W][3]; mean f32 [H][W][3], the fill XFV_ABLATE_MEAN (NULL: each
 * picture's mean colour); oval u8 [H][W], 1 where the
 * face is; embedding f32 [n], of the faces as they are. */
struct xfv_ablate_pair {
    int height, width;
    const uint8_t *rgb[2];
    const float *mean;
    const uint8_t *oval;
    const float *embedding[2];
    double threshold;
};

/* One view's numbers. */
struct xfv_ablate_result {
    int has;
    double scores[XFV_ABLATE_SHARES];        /* without the mark, by share */
    double elsewhere[XFV_ABLATE_MOST_PLACES]; /* without each control, at the tested share */
    double alone;                            /* with the mark alone, at the tested share */
    double turns;                            /* smallest share tried that turns the decision, percent; NaN: none */
};

struct xfv_trial {
    int tried;                  /* 0: neither map is above 0 in the oval, and nothing below is known but base */
    int minus;                  /* 1: of dissimilarity */
    double base;                /* the score of the faces as they are */
    double marked[2];           /* percent of the oval where the map of a, of b, is above 0: its mark is never larger */
    struct xfv_ablate_result view[XFV_ABLATE_VIEWS];
    /* At the tested share, the mean of A changed and B changed: without the mark; without a control, on average. */
    double score, elsewhere;
    double turns;               /* smallest share of one photograph that turns the decision, percent; NaN: none */
    enum xfv_ablate_view turned; /* which photograph's */
    int rank;                   /* of the effect among the controls' and itself, 1 the largest; ties are not its gain */
    int places;
    double p;
    int passes;                 /* images the network was shown */
};

/* map: f32 [H][W] of face a and of face b, or NULL for one that has none (not both); finite; blurred in place.
 * r: seeded by the pair. XFV_ENOMEM, and what the network fails with. */
int xfv_ablate(const struct xfv_ablate_opts *o, struct xfv_probe *p, int worker, const struct xfv_ablate_pair *pair,
               float *const map[2], int minus, struct xfv_random r, struct xfv_trial *out, struct xfv_err *e);

#endif
