/* Compare two embeddings: which model must have made them, and by what score. */
#ifndef XFV_PAIR_COMPARE_H
#define XFV_PAIR_COMPARE_H

#include "net/model/model.h"
#include "base/err.h"
#include "stream/tensor.h"

struct xfv_comparison {
    const struct xfv_model *model; /* gives the score; NULL: the cosine */
    int any_model;                 /* 1: another model may have made the embeddings */
    int must_name;                 /* 1: they must say which model made them */
};

/* The score of embeddings a and b, f32 [n] each, larger for more alike. digest_a and digest_b: of the models that made
 * them, "" when not known. XFV_EMODEL: they and the model do not belong together. XFV_EDATA: they cannot be scored
 * (their lengths differ; see pair/score.h). */
int xfv_compare(const struct xfv_comparison *how, const struct xfv_tensor *a, const char *digest_a,
                const struct xfv_tensor *b, const char *digest_b, double *score, struct xfv_err *e);

#endif
