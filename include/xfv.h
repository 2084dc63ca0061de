/* xfv.h: an explanation method of one's own as a program of the pipeline, in C. Link with -lxfv (pkg-config xfv).
 *
 *     static int explain(void *ctx, struct xfv_call *c, float *similarity, float *dissimilarity) { ... }
 *     int main(int argc, char **argv)
 *     {
 *         static const struct xfv_method mine = {XFV_ABI, "mine", "1", "Explain each pair by mine.", explain, NULL};
 *         return xfv_method_main(&mine, argc, argv);
 *     }
 *
 * The program then has the options of every explainer (--help), reads and writes streams, runs in parallel and in the
 * sandbox. This interface is stable: members and functions are only added at the end, and then XFV_ABI grows; a program
 * built for an older one goes on working. */
#ifndef XFV_H
#define XFV_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define XFV_ABI 1u

/* One face of a pair that is to be explained against its partner. All memory is the library's, for the duration of the
 * call. */
struct xfv_call {
    int height, width, channels;  /* of x, and of the maps */
    int n;                        /* numbers of an embedding */
    const float *x;               /* the network's input for this face, f32 [height][width][channels] */
    const uint8_t *rgb;           /* the crop, u8 [height][width][3] */
    const float *embedding;       /* raw, f32 [n] */
    const float *partner;         /* the partner's, f32 [n] */
    double score, threshold;      /* cosine of the two; what it is decided by */
    int side;                     /* 0: face a, 1: face b */
    void *room;                   /* the library's own */
};

struct xfv_method {
    unsigned abi;                 /* XFV_ABI */
    const char *name, *version, *summary; /* name: letters, digits, '-'; it names the map and the program */
    /* Fill two maps f32 [height][width], both zero at first, neither rescaled nor blurred. 0, or what a function below
     * returned. Several threads call it at the same time, each with its own c. */
    int (*explain)(void *ctx, struct xfv_call *c, float *similarity, float *dissimilarity);
    void *ctx;
};

/* The whole program: main's status. */
int xfv_method_main(const struct xfv_method *m, int argc, char **argv);

/* Forward pass of any input x f32 [height][width][channels]: its raw embedding f32 [n]. 0, or a status to return. */
int xfv_call_embed(struct xfv_call *c, const float *x, float *embedding);
/* The gradient dx f32 [height][width][channels], at x, of the cosine between x's embedding and v f32 [n] (c->partner:
 * of the score). */
int xfv_call_gradient(struct xfv_call *c, const float *x, const float *v, float *dx);
/* The vector-Jacobian product at x for a cotangent f32 [n] of the raw embedding. */
int xfv_call_vjp(struct xfv_call *c, const float *x, const float *cotangent, float *dx);
/* This pair cannot be explained: an err record with this sentence takes its place. Returns the status to return. */
int xfv_call_fail(struct xfv_call *c, const char *sentence);

#ifdef __cplusplus
}
#endif

#endif
