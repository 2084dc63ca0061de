/* What the explainers that only ask for embeddings of masked images share: the network to ask, ours or --exec COMMAND.
 */
#ifndef XFV_STAGE_BLACKBOX_H
#define XFV_STAGE_BLACKBOX_H

#include "stage/explainer.h"
#include "explain/probe.h"

/* First member of the program's context. */
struct xfv_blackbox {
    struct xfv_explain_opts common;
    const char *command; /* --exec; NULL: the model itself */
    struct xfv_probe *probe;
    int workers, n, height, width;
    double **unit[2];    /* a worker's unit embeddings of faces a and b, f64 [n] */
};
int xfv_set_exec(void *ctx, const char *value, struct xfv_err *e);
#define XFV_OPT_EXEC \
    {"exec", 0, "COMMAND", "ask this program (faces in, embeddings out) instead of the model", \
     XFV_OPT_RESULT | XFV_OPT_RUNS, .set = xfv_set_exec}

/* For a method's open and close. */
int xfv_blackbox_open(struct xfv_blackbox *b, const struct xfv_explain_env *env, struct xfv_err *e);
void xfv_blackbox_close(struct xfv_blackbox *b);
/* The two unit embeddings of the pair as the asked network gives them, in b->unit[side][worker]. */
int xfv_blackbox_look(struct xfv_blackbox *b, const struct xfv_subject *s, int worker, struct xfv_err *e);

#endif
