/* Inner feature maps at which a network can be cut in two: image -> map -> embedding. What lies where: the geometry of
 * a map's cells on the image, from the graph's kernels, strides, dilations and pads. */
#ifndef XFV_EXPLAIN_LAYER_H
#define XFV_EXPLAIN_LAYER_H

#include "net/graph/graph.h"
#include "base/err.h"

/* A feature map [h][w][c] (the value `value` of the graph) that everything between the input and the embedding flows
 * through. Axis 0 runs down, axis 1 to the right, as in the network's input. Cell i's receptive field is centred at
 * input pixel origin + i * step (pixel centres at whole numbers) and spans `field` pixels. */
struct xfv_layer {
    int value, h, w, c;
    double origin[2], step[2], field[2];
    int linear; /* 1: from here on the embedding is an affine function of the map */
};

#define XFV_LAYER_AUTO "auto"
#define XFV_LAYER_FINE "fine"
#define XFV_LAYER_CELLS "cells"

/* The layer called name, on the way from the input to the value `embedding`:
 *   "auto"   the last map of at least 12 rows, the narrowest (fewest channels) of that grid: in the usual recognisers
 *            of 112x112 pixels the last block's output at 14x14
 *   "fine"   the same with at least 24 rows
 *   "cells"  the last map from which on the network is linear
 *   "HxW"    the last map of that grid, the narrowest
 *   else     the value of this name.
 * XFV_EARG when no layer fits; the sentence lists those that exist. */
int xfv_layer_find(const struct xfv_graph *g, int embedding, const char *name, struct xfv_layer *out,
                   struct xfv_err *e);

/* Lay cells [l->h][l->w] on the image: map [height][width], bilinear between the cells' true centres, constant beyond
 * the outermost, divided by the pixels of a cell, so that cells in units of the score become score per pixel. */
void xfv_layer_upsample(const struct xfv_layer *l, const float *cells, int height, int width, float *map);

/* The same for a network that sees its images' axes exchanged (`transposed`): map f32 [height][width] on the image.
 * spare: as many floats. */
void xfv_layer_lay(const struct xfv_layer *l, const float *cells, int height, int width, int transposed, float *spare,
                   float *map);

#endif
