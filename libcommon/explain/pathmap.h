/* Maps of a pair of faces from the paths to their inner features: the method of path-grad(1). Each face's path runs
 * from a baseline to its own features h at one layer (explain/path.h); its cells say what they add to the score. The
 * cells of both faces become those of similarity s and of difference d (explain/combine.h), and these are laid on the
 * image by U (xfv_layer_upsample), in score per pixel:
 *
 *     similarity = max(U(s), 0)        dissimilarity = max(-U(d), 0)
 *
 * The joint maps add to U(s) the faces' agreement at a finer layer (xfv_combine_fine), where the model knows the
 * average face there.
 *
 * A pair takes xfv_pathmap_see for both its faces, then xfv_pathmap_make, by one worker. The features of faces seen
 * before are kept, so a face of many pairs takes one forward pass. What comes out depends neither on the worker nor on
 * what is kept. */
#ifndef XFV_EXPLAIN_PATHMAP_H
#define XFV_EXPLAIN_PATHMAP_H

#include <stddef.h>
#include <stdint.h>

#include "explain/combine.h"
#include "explain/layer.h"
#include "explain/path.h"
#include "net/model/model.h"
#include "base/err.h"

enum xfv_pathmap_kind { XFV_PATHMAP_PATH, XFV_PATHMAP_CELLS }; /* xfv_path_integrate; xfv_path_linear, exact */
/* features of: the model's average face; the other face; this one, blurred */
enum xfv_pathmap_baseline { XFV_PATHMAP_MEAN, XFV_PATHMAP_PARTNER, XFV_PATHMAP_BLUR };
/* their names, as options give them; NULL at the end */
extern const char *const xfv_pathmap_kinds[], *const xfv_pathmap_baselines[];

struct xfv_pathmap_opts {
    enum xfv_pathmap_kind kind;
    enum xfv_pathmap_baseline baseline;
    enum xfv_combine combine; /* dot and cosine: of CELLS; joint: of PATH from MEAN */
    const char *layer;        /* as xfv_layer_find takes it; NULL: "auto", or "cells" for CELLS. Read by new only */
    int steps;                /* of PATH, at least 1 */
    double sigma;             /* of BLUR, pixels */
    size_t cache_bytes;       /* for the features of faces seen before; those of two are kept at least */
};

struct xfv_pathmap; /* one network with its options, and each worker's memory */

/* m, an embedding network, must outlive it. Workers 0..workers-1 may call see and make at the same time. XFV_EARG:
 * there is no such layer, or the options do not go together; XFV_EMODEL: the model holds no average face at the layer,
 * or cannot be differentiated there; XFV_ENOMEM. */
int xfv_pathmap_new(const struct xfv_model *m, const struct xfv_pathmap_opts *o, int workers, struct xfv_pathmap **out,
                    struct xfv_err *e);
void xfv_pathmap_free(struct xfv_pathmap *t); /* NULL is fine */

/* Face 0 or 1 of the worker's next pair: rgb u8 [H][W][3], by which it is known again, and x, the network's input made
 * of it (xfv_model_input). Neither is needed afterwards. XFV_EDATA when its embedding, or its blurred twin's, has no
 * direction. */
int xfv_pathmap_see(struct xfv_pathmap *t, int worker, int face, const uint8_t *rgb, const float *x, struct xfv_err *e);
/* The raw embedding of the face seen last, f32 [n]; the module's memory, until the worker sees another. */
const float *xfv_pathmap_embedding(const struct xfv_pathmap *t, int worker, int face);
int xfv_pathmap_n(const struct xfv_pathmap *t);

/* The maps of the two faces seen: map[face][0 similarity, 1 dissimilarity], f32 [H][W] on the image, all >= 0.
 * XFV_EDATA when a cell is not finite, XFV_EARG without steps; the maps are then untouched. */
int xfv_pathmap_make(struct xfv_pathmap *t, int worker, float *const map[2][2], struct xfv_err *e);

/* A path's cells, f32 [h][w] of the layer in units of the score, and what they sum to. */
struct xfv_pathmap_way { float *cells; struct xfv_path_sums sums; };
/* What the worker's last maps were made of; to be read only, until its next make. Cells lie on the network's axes. */
struct xfv_pathmap_parts {
    struct xfv_pathmap_way own[2];     /* each face's path from the baseline */
    struct xfv_pathmap_way partner[2]; /* joint: its path from the other face, which sums to score - 1 */
    /* joint: of the faces at xfv_pathmap_look(0..), f32 [h][w] of that layer, -1..1 (xfv_agreement) */
    float *agreement[XFV_PATH_LOOKS];
    /* f32 [H][W] on each image: the similarity map before its negative part is cut off */
    float *sign[2];
};
const struct xfv_pathmap_parts *xfv_pathmap_parts(const struct xfv_pathmap *t, int worker);

const struct xfv_layer *xfv_pathmap_layer(const struct xfv_pathmap *t);
/* Where joint maps compare the faces: the layer, and the finer one if any. Their number, 0 for other maps. */
int xfv_pathmap_looks(const struct xfv_pathmap *t);
const struct xfv_layer *xfv_pathmap_look(const struct xfv_pathmap *t, int i);

#endif
