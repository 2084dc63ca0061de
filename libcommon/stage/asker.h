/* Who answers questions about a pair's faces: the model that the stream was made with, its network, and the faces'
 * images. One opener for the explainers and the measures. */
#ifndef XFV_STAGE_ASKER_H
#define XFV_STAGE_ASKER_H

#include "cli/cli.h"
#include "net/model/model.h"
#include "net/run/net.h"

struct xfv_asker {
    struct xfv_cli *c;
    struct xfv_pool *pool;
    struct xfv_model *model; /* an embedding network, from the first head on; owned */
    struct xfv_net *net;     /* from the input to the raw embedding; owned */
    int n;                   /* length of an embedding */
    char file[65];           /* digest of the model's file that is open */
};

/* A segment's head: the model that it names, or -m, is loaded, and its file's digest goes into the provenance. 1: it is
 * another model than the one that is open: free what was made for that one, then call xfv_asker_open; 0: the same;
 * negative: the error. */
int xfv_asker_head(struct xfv_asker *a, const struct xfv_rec *in, msgpack_zone *zone, msgpack_object *extra,
                   struct xfv_err *e);
/* want_net 0: n is set, and no network is built */
int xfv_asker_open(struct xfv_asker *a, int want_net, struct xfv_err *e);
void xfv_asker_forget(struct xfv_asker *a); /* what was made for the model failed: the next head opens it again */
void xfv_asker_close(struct xfv_asker *a);

/* The images of both faces, u8 [H][W][3] of the model's size, views into the pair. foreign 0: faces must name this
 * model. XFV_EDATA, XFV_EMODEL. */
int xfv_asker_images(const struct xfv_asker *a, const msgpack_object *pair, int foreign, const uint8_t *rgb[2],
                     struct xfv_err *e);

struct xfv_explain_opts;
/* The option's threshold or the pair's own; XFV_EDATA when neither is there. */
int xfv_asker_threshold(const struct xfv_asker *a, const struct xfv_explain_opts *o, const msgpack_object *pair,
                        double *threshold, struct xfv_err *e);

#endif
