/* Foreign model files -> graphs. An importer makes the graph as the file spells it; net/fold.h then simplifies it. */
#ifndef XFV_NET_IMPORT_H
#define XFV_NET_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include "net/graph.h"
#include "stream/err.h"

struct xfv_import_opts {
    int height, width; /* the input size to build the graph for; 0: what the file declares */
};

/* A TFLite file (schema version 3, one subgraph, float weights: f32, or f16 through DEQUANTIZE) with one image input [batch,H,W,C]. The batch
 * axis is dropped wherever it stands; SAME padding becomes explicit (what is odd goes to the end, TensorFlow's rule); values keep their tensors'
 * names. opts may be NULL. *out is the caller's. XFV_EMODEL: not such a file, or it holds what cannot be expressed; the sentence lists all of it. */
int xfv_import_tflite(const uint8_t *bytes, size_t n, const struct xfv_import_opts *opts, struct xfv_graph **out, struct xfv_err *e);

#endif
