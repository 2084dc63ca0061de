/* Foreign model files -> graphs. An importer makes the graph as the file spells it; net/graph/fold.h then simplifies
 * it. */
#ifndef XFV_NET_IMPORT_IMPORT_H
#define XFV_NET_IMPORT_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include "net/graph/graph.h"
#include "base/err.h"

/* A tensor or node as the file calls it, and the graph's name for it: "" when the file has none of this name. */
struct xfv_import_name { const char *file; char value[XFV_MAX_NAME + 1]; };

enum xfv_layout { XFV_LAYOUT_GUESS, XFV_LAYOUT_NCHW, XFV_LAYOUT_NHWC }; /* guess: from what the file declares */

struct xfv_import_opts {
    int height, width; /* the input size to build the graph for; 0: what the file declares */
    int channels;      /* of the image, where the file does not say; 0: it must */
    enum xfv_layout layout; /* of the image (ONNX only; TFLite is always NHWC) */
    /* NULL, or set to 1 where the network takes whole numbers, 0..255, and scales them itself (ONNX only) */
    int *whole;
    const char *folder; /* where a file's external data lies; NULL: none may be read */
    /* NULL, or told of parts of `bytes` that are not read again, so that their memory may go (ONNX only) */
    void (*spent)(const uint8_t *p, size_t n);
    char *note;        /* NULL, or room for a sentence about what was left out */
    size_t note_size;
    /* n_names of them: values that must be there, whatever importing makes of the nodes around them (ONNX only) */
    struct xfv_import_name *names;
    int n_names;
};

/* A TFLite file (schema version 3, one subgraph, float weights: f32, or f16 through DEQUANTIZE) with one image input
 * [batch,H,W,C]. The batch axis is dropped wherever it stands; SAME padding becomes explicit (what is odd goes to the
 * end, TensorFlow's rule); values keep their tensors' names. opts may be NULL. *out is the caller's. XFV_EMODEL: not
 * such a file, or it holds what cannot be expressed; the sentence lists all of it. */
int xfv_import_tflite(const uint8_t *bytes, size_t n, const struct xfv_import_opts *opts, struct xfv_graph **out,
                      struct xfv_err *e);

/* An ONNX file (opset 7 and later) with one image input N,C,H,W or N,H,W,C, of floats or whole numbers, built for one
 * image (N = 1): values are H,W,C, and operators that mix axes are given ONNX's order by explicit transpositions.
 * Constants and the arithmetic of shapes are computed; weights may be float, half, bfloat16 or double, quantised behind
 * DequantizeLinear, and lie in other files of opts->folder. Quantisers of activations are limits. Local functions are
 * inlined, and an If whose condition is a constant is the branch that it takes. What opts->names asks for is
 * there as a value, in ONNX's order of elements; XFV_EMODEL when it is a constant. opts may be NULL. *out is the
 * caller's. XFV_EMODEL: not such a file, or it holds what cannot be expressed; the sentence names operators and nodes,
 * all of them as far as they fit. */
int xfv_import_onnx(const uint8_t *bytes, size_t n, const struct xfv_import_opts *opts, struct xfv_graph **out,
                    struct xfv_err *e);
/* A TensorFlow.js model: model.json, with its weights in other files of opts->folder. Graph models (NodeDefs) and
 * layers models (Keras); built for one image, as ONNX's are, in TensorFlow's order (N,H,W,C unless its operators say
 * otherwise). Where opts->names finds a node, only what it needs is read. Builds without Jansson lack this function.
 * opts may be NULL. *out is the caller's. XFV_EMODEL: as above, or weights that are missing or of other sizes. */
int xfv_import_tfjs(const uint8_t *bytes, size_t n, const struct xfv_import_opts *opts, struct xfv_graph **out,
                    struct xfv_err *e);
/* A graph described in text (model-import(1)), with its weights in files beside it (opts->folder). *out is the
 * caller's. XFV_EMODEL with the line. */
int xfv_import_text(const uint8_t *bytes, size_t n, const struct xfv_import_opts *opts, struct xfv_graph **out,
                    struct xfv_err *e);
int xfv_is_onnx(const uint8_t *bytes, size_t n); /* 1: it starts like one */

/* A file of any of the four kinds, which its first bytes tell; data beside it is looked for in its own folder
 * (opts->folder is not asked). As above, and XFV_EIO, XFV_ENOMEM. *out is the caller's. */
int xfv_import_file(const char *path, const struct xfv_import_opts *opts, struct xfv_graph **out, struct xfv_err *e);

/* Which values are an embedding and its L2 normalisation (-1: the graph has none), as indices. NULL: not told by name;
 * then the embedding is the only output of two numbers or more, before its normalisation when it has one, and the
 * normalisation is the l2norm of it. XFV_EMODEL: no such value, none or several that it could be, or one of less than 2
 * or more than 65536 numbers. */
int xfv_find_embedding(const struct xfv_graph *g, const char *embedding, const char *normalised, int *raw, int *unit,
                       struct xfv_err *e);

#endif
