/* The main of every explainer: pairs in, the same pairs with one more entry of their list "maps" out:
 *
 *     {"method","params":{...},"a":{"similarity":T,"dissimilarity":T,...},"b":{...}}
 *
 * with T f32 [H][W] on the face's image, both >= 0 or as the method has it.
 *
 * The room reads the pair, finds the model, runs the forward passes, checks that they give the embeddings the pair was
 * decided with, and puts the maps; a method is one file in libcommon/explain and a table like this in tools/NAME.c:
 *
 *     struct my { struct xfv_explain_opts common; ... };           what options set, and what open makes
 *     static const struct xfv_explainer method = {.method = "my", .flags = XFV_EXPLAIN_THRESHOLD,
 *                                                 .open = open, .close = close,
 *                                                 .params = params, .explain = explain};
 *     int main(int argc, char **argv)                              program.ctx: a struct my
 *     {
 *         return xfv_explainer_main(&method, &program, argc, argv);
 *     }
 *
 * Pairs are worked on in parallel, each alone, so the output does not depend on -j. */
#ifndef XFV_STAGE_EXPLAINER_H
#define XFV_STAGE_EXPLAINER_H

#include "cli/cli.h"
#include "net/model/model.h"
#include "net/run/net.h"
#include "stream/put.h"

/* First member of the struct that program.ctx points to: what the two shared options set. */
struct xfv_explain_opts {
    int given_threshold;
    double threshold;
    uint64_t seed;
    int foreign; /* 1: do not check the faces' embeddings against the model's: another network may have made them */
    int faces; /* 1: face records go through the method's `face` */
    int image; /* enum xfv_explain_image: whose maps to make */
};
/* auto: a of genuine pairs, both of impostor pairs, as delins takes pixels */
enum xfv_explain_image { XFV_IMAGE_BOTH, XFV_IMAGE_A, XFV_IMAGE_AUTO };
extern const char *const xfv_explain_images[]; /* the words for them; NULL-terminated */
/* Entries for the program's table of options. */
#define XFV_TO_THRESHOLD \
    XFV_TO_F64(struct xfv_explain_opts, threshold, -1, 1), XFV_GIVEN(struct xfv_explain_opts, given_threshold)
#define XFV_OPT_THRESHOLD \
    { \
        "threshold", 't', "X", "explain the decision at X (default: the pair's own threshold)", XFV_OPT_RESULT, \
            XFV_TO_THRESHOLD \
    }
#define XFV_OPT_IMAGE \
    {"image", 0, "SIDE", "explain both images (default), a, or what delins needs: auto", XFV_OPT_RESULT, \
     XFV_TO_CHOICE(struct xfv_explain_opts, image, xfv_explain_images)}
#define XFV_OPT_SEED \
    {"seed", 0, "N", "start of the generator of random numbers (default 0)", XFV_OPT_RESULT, \
     XFV_TO_SEED(struct xfv_explain_opts, seed)}

/* One pair, as the method sees it. All of it is the room's memory, for the call only. */
struct xfv_subject {
    const char *id; /* of the pair, not NUL-terminated; may be empty */
    size_t n_id;
    const msgpack_object *pair;    /* the record's map */
    const msgpack_object *face[2]; /* the faces' */
    const uint8_t *rgb[2];         /* u8 [H][W][3] */
    const float *x[2];             /* the network's input, f32 [H][W][C] ([W][H][C] when the model is transposed) */
    /* raw, f32 [n], finite and not zero; NULL with XFV_EXPLAIN_OWN_FORWARD and XFV_EXPLAIN_NO_NETWORK */
    const float *embedding[2];
    int n;                         /* length of an embedding */
    double norm[2];                /* |embedding| */
    double score;                  /* cosine of the two embeddings */
    double threshold;              /* with XFV_EXPLAIN_THRESHOLD */
    int height, width;             /* of the image and of the maps */
    int wanted[2];                 /* with XFV_OPT_IMAGE: 0: leave this image's maps out of the record */
};

/* What open may use as long as close has not been called. */
struct xfv_explain_env {
    struct xfv_cli *c;
    const struct xfv_model *model; /* an embedding network; NULL with XFV_EXPLAIN_NO_NETWORK */
    /* from the input to the raw embedding; NULL with XFV_EXPLAIN_OWN_FORWARD and XFV_EXPLAIN_NO_NETWORK */
    const struct xfv_net *net;
    int n;                         /* length of an embedding */
    int workers;                   /* explain's worker is 0 .. workers-1 */
    struct xfv_pool *pool;         /* with XFV_EXPLAIN_ALONE, for the work inside a pair */
};

enum {
    XFV_EXPLAIN_THRESHOLD = 1,    /* the method needs one: the option's or the pair's; it goes into params first */
    /* its maps lie on the network's axes: turned onto the image when the model is transposed */
    XFV_EXPLAIN_ON_INPUT = 2,
    XFV_EXPLAIN_OWN_FORWARD = 4,  /* it runs the forward passes itself (and then calls xfv_explain_check_embedding) */
    XFV_EXPLAIN_ALONE = 8,        /* one pair at a time: it spreads the work inside a pair over the workers itself */
    XFV_EXPLAIN_NO_NETWORK = 16   /* it looks at the images only: no model, any size of image, both faces of one size */
};

struct xfv_explainer {
    const char *method;                 /* name in the record */
    /* the same for a program with several: known only once options are set; NULL: method */
    const char *(*name)(const void *ctx);
    const struct xfv_explainer *(*instead)(const void *ctx); /* the table to use once options are set; NULL: this one */
    unsigned flags;
    /* Before the first pair, and again after close when a later segment has another model. May be NULL. */
    int (*open)(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e);
    void (*close)(void *ctx); /* also after a failed open, and twice; may be NULL */
    /* Put what distinguishes this map from another of the method into params; may be NULL. */
    void (*params)(const void *ctx, struct xfv_put *params);
    /* map[side][0 similarity, 1 dissimilarity]: f32 [H][W], zeroed. XFV_EDATA: this pair cannot be explained. Called
     * from several threads. */
    int (*explain)(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e);
    /* With opts.faces, for each face record: s holds face, rgb and x of side 0 alone. Adds to the record's map. */
    int (*face)(void *ctx, const struct xfv_subject *s, int worker, msgpack_zone *zone, msgpack_object *face,
                struct xfv_err *e);
    const char *consumes; /* key of a pair's faces that the output leaves out, or NULL */
    /* Further keys, after explain and on its worker: into params, and into side[0] and side[1] beside the maps. May be
     * NULL. */
    void (*extra)(void *ctx, const struct xfv_subject *s, int worker, struct xfv_put *params, struct xfv_put side[2]);
    void (*tell)(void *ctx, struct xfv_cli *c); /* after the last pair: xfv_cli_info; may be NULL */
};

/* The whole program; returns main's status. p->ctx starts with a struct xfv_explain_opts. */
int xfv_explainer_main(const struct xfv_explainer *x, const struct xfv_program *p, int argc, char **argv);

/* Check that the forward pass gave the embedding that the pair was decided with; otherwise the map would explain
 * another decision: 0, or XFV_EMODEL. A face without embedding (verify --drop embedding) passes. */
int xfv_explain_check_embedding(const msgpack_object *face, const struct xfv_model *m, const float *embedding, int n,
                                struct xfv_err *e);

/* Is the pair genuine? By its label or, without one, its decision at the threshold. XFV_EDATA when it has no score
 * either. */
int xfv_pair_truth(const msgpack_object *pair, double threshold, int *genuine, struct xfv_err *e);

#endif
