/* Private to the model file: its head as msgpack objects, both ways. Layout: xfv-model(5). */
#ifndef XFV_NET_MODEL_INTERNAL_H
#define XFV_NET_MODEL_INTERNAL_H

#include "net/model/model.h"
#include "stream/record.h"

/* Into the head: how images become the input and what comes out (input to embedding_normalised); the graph. */
struct xfv_put;
void xfv_model_put_use(const struct xfv_model *m, struct xfv_put *put);
void xfv_model_put_graph(const struct xfv_model *m, struct xfv_put *put);
/* m->digest from what m holds. */
int xfv_model_set_digest(struct xfv_model *m, struct xfv_err *e);
struct sha256_ctx;
void xfv_digest_finish(struct sha256_ctx *sha, char hex[65]); /* lower-case hexadecimal digits */

/* Everything of m but the weights, as the map of keys for the head. */
int xfv_model_head_write(const struct xfv_model *m, msgpack_zone *z, msgpack_object *out, struct xfv_err *e);
/* The other way, once m->graph holds the weights. Nothing is checked but types and names: xfv_model_check follows. */
int xfv_model_head_read(struct xfv_model *m, const msgpack_object *head, struct xfv_err *e);

/* The graph's values, nodes and outputs (model_graph.c). */
int xfv_graph_write(const struct xfv_graph *g, msgpack_zone *z, msgpack_object *out, struct xfv_err *e);
int xfv_graph_read(struct xfv_graph *g, const msgpack_object *o, struct xfv_err *e);

/* The means (model_mean.c): is each one of a value of the graph, of its size, and finite? */
int xfv_means_check(const struct xfv_model *m, struct xfv_err *e);
void xfv_means_free(struct xfv_model *m);
int xfv_norm_check(const struct xfv_norm *norm, struct xfv_err *e);
/* The elements of an f32 or f16 tensor as floats, freed by free(); XFV_EMODEL for another type. what names it in
 * messages. */
int xfv_model_floats(const struct xfv_tensor *t, const char *what, float **out, struct xfv_err *e);

/* An array of n nils laid out in z, to be filled; a nil object when out of memory. */
msgpack_object xfv_array_of(msgpack_zone *z, int n);

#endif
