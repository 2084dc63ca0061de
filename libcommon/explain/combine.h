/* Combine the cells of two faces' paths (explain/path.h) into the map that both faces show. The positive part of
 * `similar` is similarity, the negative part of `different` dissimilarity. Cells of both faces lie on one grid, f32
 * [cells], in units of the score. No pass through the network. */
#ifndef XFV_EXPLAIN_COMBINE_H
#define XFV_EXPLAIN_COMBINE_H

#include <stddef.h>

enum xfv_combine {
    XFV_COMBINE_JOINT,
    XFV_COMBINE_PAIR,
    XFV_COMBINE_OWN,
    XFV_COMBINE_OTHER,
    XFV_COMBINE_SUM,
    XFV_COMBINE_MIN,
    XFV_COMBINE_DOT,
    XFV_COMBINE_COSINE,
    XFV_COMBINE_CONTRAST /* explain/contrast.h */
};
extern const char *const xfv_combines[]; /* their names, as options give them; NULL at the end */

/* Combine one face's own path and the other face's, cell by cell: own, other, their mean (sum), the lesser (min), or
 * the mean as similar and the lesser as different (pair). Not for the other rules. */
void xfv_combine_cells(enum xfv_combine how, const float *own, const float *other, size_t cells, float *similar,
                       float *different);

/* dot and cosine: a and b [cells][n] are what each cell adds to the faces' embeddings (explain/tail.h). out: their
 * product over `norms` (the product of the embeddings' norms, for the score's units), or their cosine, 0 for a zero
 * vector. */
void xfv_combine_products(enum xfv_combine how, const float *a, const float *b, size_t cells, size_t n, double norms,
                          float *out);

/* joint: add witnesses of different kinds, each scaled to the root mean square of the two paths' mean, which is
 * returned. Similarity: that mean, and the agreement of the faces' own features (xfv_agreement) at each of n_looks
 * grids, of which this is the first. Dissimilarity: the lesser of the two paths, the mean of the two ways from the
 * partner, and the agreement. spare: f32 [2][cells]. */
double xfv_combine_joint(const float *const own[2], const float *const partner[2], const float *agree, int n_looks,
                         size_t cells, float *similar, float *different, float *spare);

/* The factor by which the finer grid's agreement [cells] joins a joint map of this size: the same size a pixel as the
 * other witnesses, though its cells have only `area` of their area. 0 when agree is zero everywhere. */
float xfv_combine_fine(const float *agree, size_t cells, double size, double area);

#endif
