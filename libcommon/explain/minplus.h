/* MinPlus (Mery, Morris, "On black-box explanation for face verification", WACV 2022; Mery, "True black-box explanation
 * in facial analysis", CVPRW 2022; settings from the author's published program): where does one face lose the score
 * when a soft window is darkened (minus), and where does it gain the score when a window of it is let through to
 * darkness (plus)? For windows G_k, Gaussians of peak 1 on a grid, and the cosine s with the partner,
 *
 *     H0-_k = s(I) - s((1 - G_k) I)                    H0+_k = s(N + G_k (I - N)) - s(N),     N nearly black noise
 *     H1-, H1+: greedily, the window that lowers (raises) the score most is taken into the image, H1_k += the change,
 *         and again on what that gives
 *     S(p) = sum_k (H0- + H0+ + H1- + H1+)_k G_k(p),   less its least value, divided by the largest of what is left.
 *
 * Greed ends after `iterations` windows; when no window lowers (raises) the score; minus: when s <= stop; plus: when s
 * >= s(I) - stop. S tells of similarity only. */
#ifndef XFV_EXPLAIN_MINPLUS_H
#define XFV_EXPLAIN_MINPLUS_H

#include "explain/probe.h"

struct xfv_minplus_opts {
    /* pixels over which the Gaussian reaches: sigma = window / 8.5, cut at window / 2 pixels from its middle */
    int window;
    int stride; /* pixels between two windows; the first middle lies at stride / 2 */
    int iterations;
    double stop;
    double noise; /* N is uniform in [0, noise) grey levels */
    uint64_t seed;
};

struct xfv_minplus; /* windows and noise; read-only once made */

/* XFV_EARG when the stride leaves no window. */
int xfv_minplus_new(const struct xfv_minplus_opts *o, int height, int width, struct xfv_minplus **out,
                    struct xfv_err *e);
void xfv_minplus_free(struct xfv_minplus *c);
/* rgb: the face; own, other: its and the partner's unit embeddings, f64 [n]. Map f32 [height][width]; all 0 when no
 * window changes the score. */
int xfv_minplus_map(const struct xfv_minplus *c, struct xfv_probe *p, int worker, const uint8_t *rgb, const double *own,
                    const double *other, float *map, struct xfv_err *e);

#endif
