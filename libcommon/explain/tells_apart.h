/* Does a network that was just imported tell pictures apart? */
#ifndef XFV_EXPLAIN_TELLS_APART_H
#define XFV_EXPLAIN_TELLS_APART_H

#include "net/model/model.h"
#include "base/err.h"

/* m: an embedding network (m->embedding is 0 or more). Is the embedding computed from the image, and does it differ for
 * two very different made-up pictures by more than a thousandth of its length? XFV_EMODEL with the likely cause when
 * not, and for a network whose passes would take gigabytes or hours; XFV_ENOMEM. *cosine: of the two embeddings. The
 * weights of m's graph are used up: save m before, and free it after. */
int xfv_tells_apart(struct xfv_model *m, double *cosine, struct xfv_err *e);

#endif
