#include "pair/compare.h"

#include <string.h>

#include "pair/score.h"

static int check_models(const struct xfv_comparison *how, const char *a, const char *b, struct xfv_err *e)
{
    const struct xfv_model *m = how->model;
    int one = !strcmp(a, b) || (m && xfv_model_is(m, a) && xfv_model_is(m, b));
    if (!one)
        return xfv_fail(e, XFV_EMODEL,
                        "two faces of a pair were embedded by different models, of digests %.12s... and %.12s...: "
                        "embed them with one",
                        *a ? a : "none", *b ? b : "none");
    if (m && *a && !xfv_model_is(m, a) && !how->any_model)
        return xfv_fail(e, XFV_EMODEL,
                        "a face was embedded by the model of digest %.12s..., not by '%s' of digest %.12s...: name the "
                        "right one with -m",
                        a, m->name, m->digest);
    if (how->must_name && !*a)
        return xfv_fail(e, XFV_EMODEL,
                        "no threshold: the stream does not say which model made its embeddings; give --threshold X, or "
                        "the model with -m");
    return 0;
}

int xfv_compare(const struct xfv_comparison *how, const struct xfv_tensor *a, const char *digest_a,
                const struct xfv_tensor *b, const char *digest_b, double *score, struct xfv_err *e)
{
    size_t n = a->shape[0];
    int status = check_models(how, digest_a, digest_b, e);
    if (status) return status;
    if (n != b->shape[0])
        return xfv_fail_code(e, XFV_EDATA, "embedding", "embeddings of %zu and %zu numbers cannot be compared", n,
                             b->shape[0]);
    if (how->model && how->model->score == XFV_SCORE_EUCLIDEAN) return xfv_neg_distance(a->data, b->data, n, score, e);
    return xfv_cosine(a->data, b->data, n, score, e);
}
