/* From the cells of two faces' paths (explain/path.h) to the one map that both are shown: which cells speak of similarity, by their positive part, and which of
 * dissimilarity, by their negative part. Cells of both faces lie on one grid, [cells] of f32, in units of the score. No pass through the network. */
#ifndef XFV_EXPLAIN_COMBINE_H
#define XFV_EXPLAIN_COMBINE_H

#include <stddef.h>

enum xfv_combine { XFV_COMBINE_JOINT, XFV_COMBINE_PAIR, XFV_COMBINE_OWN, XFV_COMBINE_OTHER, XFV_COMBINE_SUM, XFV_COMBINE_MIN, XFV_COMBINE_DOT,
                   XFV_COMBINE_COSINE, XFV_COMBINE_CONTRAST /* explain/contrast.h */ };
extern const char *const xfv_combines[]; /* their names, as options give them; NULL at the end */

/* What one face shows, cell by cell, of its own path and the other face's: own, other, their mean (sum), the lesser (min), or the mean as similar and the lesser as
 * different (pair). Not for the other rules. */
void xfv_combine_cells(enum xfv_combine how, const float *own, const float *other, size_t cells, float *similar, float *different);

/* dot and cosine: a and b [cells][n], what each cell adds to the faces' embeddings (explain/tail.h). out: their product over `norms` (the product of the
 * embeddings' norms: the score's units), or their cosine; 0 where there is none. */
void xfv_combine_products(enum xfv_combine how, const float *a, const float *b, size_t cells, size_t n, double norms, float *out);

/* joint: witnesses of different kinds, each at the same size (root mean square), in units of the two paths' mean. Similarity: that mean, and the agreement of the
 * faces' own features (xfv_agreement) at each of n_looks grids, of which this is the first. Dissimilarity: the lesser of the two paths, the mean of the two ways
 * from the partner, and the agreement. spare: room for 2 cells' worth. Returns the size: the root mean square of the paths' mean. */
double xfv_combine_joint(const float *const own[2], const float *const partner[2], const float *agree, int n_looks, size_t cells, float *similar,
                         float *different, float *spare);

/* The finer grid's agreement [cells] by what factor it joins a joint map of this size: the same size a pixel as the other witnesses, though a cell has only `area` of
 * the area of the others'. 0 when it is zero everywhere. */
float xfv_combine_fine(const float *agree, size_t cells, double size, double area);

#endif
