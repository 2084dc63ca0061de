/* Feature-Guided Gradient Backpropagation (Lu, Xu, Ebrahimi, arXiv 2403.04549): which pixels make the channels of two
 * embeddings agree.
 *
 *     w_k = f_k(A) f_k(B)                          f = F/|F|; sum_k w_k is the cosine score
 *     g_k = c(d f_k / d x) / (|c(d f_k / d x)| + 1e-8)     c: |.|, then mean over the channels of the input; H x W
 *     S   = sum_k g_k (w_k - threshold/N)          similarity = max(S, 0), dissimilarity = max(-S, 0)
 *
 * x is the network's input tensor (after mean and scale), F the raw embedding. The |.| and the norm stand between the
 * channels' gradients and their sum, so all N of them have to be made; but they share one forward pass, and those of an
 * image do not depend on its partner: a struct xfv_fggb_face holds them and serves every pair that the face is in.
 *
 * Work comes in pieces that the caller may spread over threads: begin, then each chunk once, in any order and on any
 * worker, then end. Every channel is computed alone, so the result does not depend on who did what. */
#ifndef XFV_EXPLAIN_FGGB_H
#define XFV_EXPLAIN_FGGB_H

#include <stddef.h>

#include "net/graph/graph.h"
#include "base/err.h"

enum xfv_fggb_embedding { XFV_FGGB_NORMALISED, XFV_FGGB_RAW }; /* differentiate f, or F */
/* of |d f_k / d x| over the input's channels; L2: root of the sum of squares */
enum xfv_fggb_colour { XFV_FGGB_MEAN, XFV_FGGB_MAX, XFV_FGGB_L2 };
enum xfv_fggb_norm { XFV_FGGB_NORM_L2, XFV_FGGB_NORM_MAX, XFV_FGGB_NORM_NONE }; /* what a map g_k is divided by */

struct xfv_fggb_opts { enum xfv_fggb_embedding embedding; enum xfv_fggb_colour colour; enum xfv_fggb_norm norm; };

struct xfv_fggb;      /* for one network */
struct xfv_fggb_face; /* for one image: the N maps g_k */

/* For the value `embedding` (a vector) of g, whose input is [H,W,C]; g must outlive it. Workers 0..workers-1 have
 * scratch memory of their own. XFV_EMODEL when the graph cannot be differentiated that way. */
int xfv_fggb_new(const struct xfv_graph *g, int embedding, int workers, const struct xfv_fggb_opts *o,
                 struct xfv_fggb **out, struct xfv_err *e);
void xfv_fggb_free(struct xfv_fggb *f);
/* see xfv_net_own_weights: g is f's alone, and its packed weights are freed */
void xfv_fggb_own_weights(struct xfv_fggb *f, struct xfv_graph *g);
int xfv_fggb_n(const struct xfv_fggb *f);      /* N */
int xfv_fggb_height(const struct xfv_fggb *f);
int xfv_fggb_width(const struct xfv_fggb *f);
size_t xfv_fggb_face_bytes(const struct xfv_fggb *f); /* memory of one finished face */

struct xfv_fggb_face *xfv_fggb_face_new(const struct xfv_fggb *f); /* NULL when out of memory */
void xfv_fggb_face_free(struct xfv_fggb_face *face);               /* NULL is fine */
/* Forward pass of x, f32 [H][W][C]. XFV_EDATA when the embedding is zero or not finite. */
int xfv_fggb_begin(struct xfv_fggb *f, struct xfv_fggb_face *face, const float *x, int worker, struct xfv_err *e);
/* Ask for the maps of channels[0..m-1] (NULL: all of 0..m-1); returns how many chunks make those that are not there
 * yet. */
int xfv_fggb_want(const struct xfv_fggb *f, struct xfv_fggb_face *face, const int *channels, int m);
int xfv_fggb_chunk(struct xfv_fggb *f, struct xfv_fggb_face *face, int chunk, int worker, struct xfv_err *e);
/* frees what only chunks need: call it when the face is complete, else keep it for later ones */
void xfv_fggb_end(struct xfv_fggb_face *face);
int xfv_fggb_complete(const struct xfv_fggb *f, const struct xfv_fggb_face *face); /* 1: all N maps are there */
/* Instead of begin, chunks and end: maps that were kept, f16 [N][H][W] (unaligned is fine), and the raw embedding f32
 * [N]. */
int xfv_fggb_load(const struct xfv_fggb *f, struct xfv_fggb_face *face, const float *embedding, const void *maps_f16,
                  struct xfv_err *e);
const float *xfv_fggb_embedding(const struct xfv_fggb_face *face);   /* raw, f32 [N], after begin */
const float *xfv_fggb_map(const struct xfv_fggb_face *face, int k);  /* g_k, f32 [H][W], after its chunk */

/* w_k - threshold/N, f64 [N], from two raw embeddings. */
void xfv_fggb_weights(const float *a, const float *b, int n, double threshold, double *w);
/* The same for a network whose score is minus the distance, s = -|a - b|, of raw embeddings. Where s is negative, s >=
 * threshold says the same as
 * -|a - b|^2 >= -threshold^2, and that is a sum over channels as the cosine is: w_k = -(a_k - b_k)^2, against
 * -threshold^2/N each (+ for a threshold above 0, which nothing passes). Their sum has the decision's sign; a channel
 * speaks for the pair where it differs by less than its share. The maps g_k are then those of the raw embedding. */
void xfv_fggb_distance_weights(const float *a, const float *b, int n, double threshold, double *w);
/* A control: every w [n] becomes their mean, so that S is one map, the sum of all g_k, times the score's distance from
 * the threshold. */
void xfv_fggb_equal_weights(int n, double *w);
/* The dial: the channels of largest |w_k|, at most `most` of them (n: no limit), leaving out as many of the lightest as
 * sum to no more than tolerance x sum |w_k| (0: none but those of no weight). Fills channels [n] in falling order and
 * returns their number, at least 1, or a negative status. *bound gets the sum of the |w_k| left out: with unit norms
 * |g_k| = 1 it bounds the L2 error of S (triangle inequality). */
int xfv_fggb_choose(const double *w, int n, int most, double tolerance, int *channels, double *bound,
                    struct xfv_err *e);
/* S of a face for these weights over channels[0..m-1] (NULL: 0..m-1), summed in that order in double; f32 [H][W] each,
 * both >= 0. */
void xfv_fggb_sum(const struct xfv_fggb *f, const struct xfv_fggb_face *face, const double *w, const int *channels,
                  int m, float *similarity, float *dissimilarity);

#endif
