/* One embedding, one score and one map of two made-up pictures: what xfv-doctor(1) compares with what is known. */
#ifndef XFV_EXPLAIN_SELFTEST_H
#define XFV_EXPLAIN_SELFTEST_H

#include "net/model/model.h"
#include "base/err.h"

enum { XFV_SELFTEST_CHANNELS = 16 }; /* of FGGB: enough to use every kernel of the backward pass */

struct xfv_selftest {
    /* of the first picture's embedding by our kernels from that by plain C in double precision, relative to its
     * length */
    double difference;
    double score;      /* cosine of the two embeddings */
    double sum;        /* of the first picture's similarity map by FGGB over these channels at threshold 0 */
};

/* m: an embedding network (m->embedding is 0 or more). XFV_EMODEL, XFV_ENOMEM: *out then says nothing. */
int xfv_selftest(const struct xfv_model *m, struct xfv_selftest *out, struct xfv_err *e);

#endif
