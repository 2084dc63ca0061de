/* The model file: a stream (head with the graph and meta data, one record per weight, end). See xfv-model(5). */
#ifndef XFV_NET_MODEL_MODEL_H
#define XFV_NET_MODEL_MODEL_H

#include <msgpack.h>

#include "net/graph/graph.h"
#include "net/model/histogram.h"
#include "base/err.h"
#include "stream/tensor.h"

#define XFV_MAX_MEANS 16

enum xfv_score { XFV_SCORE_COSINE, XFV_SCORE_EUCLIDEAN };

/* name: "eer", "fmr=1e-3", "default"; fmr, fnmr: error rates measured at value, NAN when not measured, and their 95 %
 * intervals (NAN: not known); data: on what; pairs: how many, 0 unknown, of which genuine and impostor (both 0: not
 * known) */
struct xfv_threshold {
    char name[32];
    double value, fmr, fnmr, fmr_interval[2], fnmr_interval[2];
    char data[128];
    int pairs, genuine, impostor;
};
struct xfv_threshold xfv_threshold_new(void); /* nothing measured */

/* The average activation of one value of the graph over many faces: what an explanation compares a face with. */
struct xfv_mean {
    char *value;               /* the graph's name for it */
    size_t count;              /* elements, of the value's shape [H,W,C] */
    float *data;               /* [count] */
    int faces;                 /* averaged over how many, 0 unknown */
    char source[128];          /* whose */
};

/* How long embeddings are: of so many faces one in a hundred has a shorter one than low. faces 0: not known. */
struct xfv_norm {
    double low;
    int faces;
    char source[128]; /* whose */
};

struct xfv_model {
    char name[64];
    char kind[32];             /* "embedding", "mtcnn-p", "mtcnn-r", "mtcnn-o" */
    char licence[64], origin[256]; /* SPDX id; where the weights came from */
    char digest[65]; /* SHA-256 of graph, weights and preprocessing, lower-case hex; set by load and save */
    char file[65];   /* SHA-256 of the whole file, set by load and save */
    char former[65]; /* "", or the SHA-256 of an earlier file with this digest: streams of old name their model so */
    struct xfv_graph *graph;
    /* of the image that the graph's declared input holds (a transposed input is [width][height][C]) */
    int height, width, channels;
    char colour[8];            /* "rgb", "bgr", "grey" */
    float mean[3], std[3];     /* x = (v - mean) / std per channel, v in 0..255 */
    int transposed;            /* 1: the net wants H and W exchanged (MTCNN) */
    /* alignment template of five landmarks in input pixels: x0,y0,...; all zero when the model has none */
    double template_xy[10];
    int embedding;             /* value index of the raw embedding, -1 when not an embedding net */
    int embedding_normalised;  /* value index of the graph's own L2 normalisation, or -1 */
    enum xfv_score score;
    int n_thresholds;
    struct xfv_threshold thresholds[16];
    struct xfv_histogram calibration; /* the scores of the pairs that calibrate(1) saw last; bins 0: not known */
    int n_means;
    struct xfv_mean means[XFV_MAX_MEANS];
    struct xfv_norm norm;
};

/* The mean of this value; NULL when the model holds none. */
const struct xfv_mean *xfv_model_mean(const struct xfv_model *m, int value);
/* Add a mean (data [count] is copied, value and source too; source is cut), or replace the one of this value.
 * XFV_ELIMIT past XFV_MAX_MEANS. */
int xfv_model_add_mean(struct xfv_model *m, const char *value, const float *data, size_t count, int faces,
                       const char *source, struct xfv_err *e);
/* A mean as the record {"_":"mean","value","faces","data","tensor"} (see xfv-model(5)), its tensor of this shape and
 * dtype (f32 or f16); the other way round, any record of this kind is added to m. */
struct xfv_rec;
struct xfv_rec *xfv_mean_record(const struct xfv_mean *mean, struct xfv_shape shape, enum xfv_dtype dtype,
                                struct xfv_err *e);
int xfv_mean_read(struct xfv_model *m, const struct xfv_rec *r, struct xfv_err *e);
/* The norm as the record {"_":"norm","low","faces","data"}, and the other way round. */
struct xfv_rec *xfv_norm_record(const struct xfv_norm *norm, struct xfv_err *e);
int xfv_norm_read(struct xfv_model *m, const struct xfv_rec *r, struct xfv_err *e);
/* Take in all records of these two kinds of a stream in a file (model-means --records). XFV_EIO, and what reading a
 * stream and xfv_model_add_mean give. */
int xfv_means_read_file(struct xfv_model *m, const char *path, struct xfv_err *e);

#define XFV_DEFAULT_MODEL "mobilefacenet"

/* Load a whole model. path is a file (it holds a slash, or ends in .xfvm), or a bare name looked up as NAME.xfvm in
 * $XFV_MODEL_PATH (colon list), then beside the program (../models, ../../models, ../share/xfv-tools/models), then in
 * the compiled-in folder. NULL: the default embedding model. XFV_EMODEL with a sentence when it is missing, damaged or
 * unsound; nothing a file holds does harm. */
int xfv_model_load(const char *path, struct xfv_model **out, struct xfv_err *e);
/* The i-th folder, from 0, in which bare names are looked up: 1, or 0 when there are no more. It need not exist. */
int xfv_model_folder(int i, char *buf, size_t cap);
int xfv_model_is_path(const char *s); /* 1: names a file; 0: a bare name */
/* Every file that a bare name can lead to, in the folders above. */
void xfv_model_each_file(void (*fn)(void *ctx, const char *path), void *ctx);
/* Write the model to fd: same model, same bytes; fills the three digests. XFV_EMODEL when it is unsound
 * (xfv_model_check). */
int xfv_model_save(struct xfv_model *m, int fd, struct xfv_err *e);
/* Is everything in m as it should be? Sets height, width and channels from the graph's input. Load and save call it. */
int xfv_model_check(struct xfv_model *m, struct xfv_err *e);
struct xfv_model *xfv_model_new(void); /* empty, to be filled and saved; NULL when out of memory */
void xfv_model_free(struct xfv_model *m);
int xfv_model_has_template(const struct xfv_model *m);
/* 1: a stream's digest names this model: it is m->digest, or a file's, as earlier programs wrote. */
int xfv_model_is(const struct xfv_model *m, const char *digest);
/* Before saving a changed copy of a loaded model: the copy also goes by the loaded file's digest. Save forgets that
 * again when graph, weights or preprocessing have changed. */
void xfv_model_succeed(struct xfv_model *m);

/* u8 RGB image [height,width,3] of the model's own size -> input tensor f32 [height,width,C] ([width,height,C] when
 * transposed) in the model's colour order and normalisation; grey is ITU-R BT.601 luma. */
void xfv_model_input(const struct xfv_model *m, const uint8_t *rgb, float *x);
/* the same for grey levels between whole ones */
void xfv_model_input_f32(const struct xfv_model *m, const float *rgb, float *x);
/* The threshold called name ("default", "eer", "fmr=1e-3"); XFV_EARG when the model does not hold it (the sentence
 * lists those it has). */
int xfv_model_threshold(const struct xfv_model *m, const char *name, double *value, struct xfv_err *e);

#endif
