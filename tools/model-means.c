/* model-means: the average activations of a network's feature maps over many faces, put into its model file. See
 * model-means(1). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "base/grow.h"
#include "explain/layer.h"
#include "face/quality.h"
#include "net/model/model.h"
#include "net/run/net.h"
#include "stage/stage.h"

enum { LEAST_NORMS = 500 };

struct means {
    struct xfv_cli *c;
    struct xfv_model *model;
    struct xfv_net *net;
    struct xfv_layer layers[XFV_MAX_MEANS];
    size_t count[XFV_MAX_MEANS];
    double *sum[XFV_MAX_MEANS];
    int n, window, workers, faces;
    struct xfv_pool *pool;
    struct xfv_ws **ws;     /* one a worker */
    float **x;              /* the same */
    float **y;              /* [window][n]: each face's activations until they are added */
    struct xfv_rec **recs;  /* the batch at hand */
    double *norms;          /* [n_norms]: lengths of the faces' embeddings, where embed left them */
    size_t n_norms, room;
    int *status;
    struct xfv_err *errs;
    /* options */
    const char *names[XFV_MAX_MEANS];
    int n_names, records;
    const char *data;
};

static int add_layer(struct means *t, const char *name, struct xfv_err *e)
{
    struct xfv_layer l;
    int status = xfv_layer_find(t->model->graph, t->model->embedding, name, &l, e);
    for (int i = 0; i < t->n && !status; i++)
        if (t->layers[i].value == l.value) return 0; /* two names of one layer */
    if (!status) t->layers[t->n++] = l;
    return status;
}

/* The wanted layers; by default those that path-grad can be asked for by name, as far as the network has them. */
static int choose_layers(struct means *t, struct xfv_err *e)
{
    static const char *const usual[] = {XFV_LAYER_FINE, XFV_LAYER_AUTO, XFV_LAYER_CELLS};
    int status = 0;
    for (int i = 0; i < t->n_names && !status; i++) status = add_layer(t, t->names[i], e);
    if (t->n_names) return status;
    for (int i = 0; i < 3; i++)
        if ((status = add_layer(t, usual[i], e)) == XFV_ENOMEM || status == XFV_EMODEL) return status;
    return t->n ? 0 : status;
}

static int allocate(struct means *t, int workers, struct xfv_err *e)
{
    size_t input = (size_t)t->model->height * (size_t)t->model->width * (size_t)t->model->channels;
    t->workers = workers;
    t->window = 4 * workers;
    t->ws = calloc((size_t)workers, sizeof *t->ws);
    t->x = calloc((size_t)workers, sizeof *t->x);
    t->y = calloc((size_t)t->window * (size_t)t->n, sizeof *t->y);
    int ok = t->ws && t->x && t->y;
    for (int i = 0; i < workers && ok; i++)
        ok = (t->ws[i] = xfv_ws_new()) && (t->x[i] = xfv_aligned_alloc(input * sizeof(float)));
    for (int i = 0; i < t->n && ok; i++) ok = (t->sum[i] = calloc(t->count[i], sizeof(double))) != NULL;
    for (int i = 0; i < t->window * t->n && ok; i++)
        ok = (t->y[i] = xfv_aligned_alloc(t->count[i % t->n] * sizeof(float))) != NULL;
    return ok ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static int set_up(struct means *t, int workers, struct xfv_err *e)
{
    int values[XFV_MAX_MEANS];
    int status = xfv_model_load(xfv_cli_model(t->c), &t->model, e);
    if (status) return status;
    if (t->model->embedding < 0)
        return xfv_fail(e, XFV_EMODEL, "model '%s' is of kind '%s', not an embedding network", t->model->name,
                        t->model->kind);
    if ((status = choose_layers(t, e))) return status;
    for (int i = 0; i < t->n; i++) {
        values[i] = t->layers[i].value;
        t->count[i] = xfv_shape_count(t->model->graph->values[values[i]].shape);
    }
    status = xfv_net_new(t->model->graph, 0, values, t->n, &t->net, e);
    return status ? status : allocate(t, workers, e);
}

static void tear_down(struct means *t)
{
    for (int i = 0; i < t->workers; i++) {
        if (t->ws) xfv_ws_free(t->ws[i]);
        if (t->x) free(t->x[i]);
    }
    for (int i = 0; t->y && i < t->window * t->n; i++) free(t->y[i]);
    for (int i = 0; i < t->n; i++) free(t->sum[i]);
    free(t->norms);
    free(t->ws);
    free(t->x);
    free(t->y);
    xfv_net_free(t->net);
    xfv_model_free(t->model);
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx;
    return xfv_rec_kind(r) == XFV_FACE;
}

/* ---- the batch of faces at hand ---- */

static void work_one(void *ctx, int i, int worker)
{
    struct means *t = ctx;
    struct xfv_err *e = &t->errs[i];
    t->status[i] = xfv_cli_face_input(xfv_rec_root(t->recs[i]), t->model, t->x[worker], e);
    if (!t->status[i])
        t->status[i] = xfv_net_forward(t->net, t->ws[worker], NULL, 1, t->x[worker], t->y + (size_t)i * (size_t)t->n,
                                       e);
}

/* Keep the length of the face's embedding when it comes from this model. */
static int add_norm(struct means *t, const msgpack_object *face, struct xfv_err *e)
{
    struct xfv_quality q;
    char digest[65];
    if (xfv_get_text(face, "model", digest, sizeof digest, NULL) || !xfv_model_is(t->model, digest)) return 0;
    xfv_quality_read(face, &q);
    if (isnan(q.v[XFV_Q_NORM])) return 0;
    if (t->n_norms == t->room) {
        t->room = xfv_more(t->room, 256);
        if (!XFV_GROW(t->norms, t->room)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    t->norms[t->n_norms++] = q.v[XFV_Q_NORM];
    return 0;
}

/* Faces in parallel; then the sums, in the order of the input, so that they do not depend on -j. */
static int work_batch(void *ctx, struct xfv_rec **r, int n, int *status, struct xfv_err *errs, struct xfv_err *e)
{
    struct means *t = ctx;
    int failed = 0;
    t->recs = r;
    t->status = status;
    t->errs = errs;
    xfv_pool_run(t->pool, n, work_one, t);
    for (int f = 0; f < n; f++) {
        if (status[f]) continue;
        if (!failed) failed = add_norm(t, xfv_rec_map(r[f]), e);
        for (int i = 0; i < t->n; i++) {
            const float *y = t->y[f * t->n + i];
            for (size_t k = 0; k < t->count[i]; k++) t->sum[i][k] += (double)y[k];
        }
        t->faces++;
    }
    return failed;
}

static int add_means(struct means *t, struct xfv_err *e)
{
    int status = t->faces ? 0 : xfv_fail(e, XFV_EDATA,
                                         "the input holds no face record, so there is nothing to average");
    for (int i = 0; i < t->n && !status; i++) {
        float *mean = malloc(t->count[i] * sizeof *mean);
        if (!mean) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        for (size_t k = 0; k < t->count[i]; k++) mean[k] = (float)(t->sum[i][k] / t->faces);
        status = xfv_model_add_mean(t->model, t->model->graph->values[t->layers[i].value].name, mean, t->count[i],
                                    t->faces, t->data, e);
        free(mean);
    }
    return status;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One in a hundred faces has a shorter embedding: of fewer faces that number would be chance. */
static void add_low_norm(struct means *t)
{
    struct xfv_norm *norm = &t->model->norm;
    if (t->n_norms < LEAST_NORMS) return;
    qsort(t->norms, t->n_norms, sizeof *t->norms, by_size);
    *norm = (struct xfv_norm){.low = t->norms[t->n_norms / 100], .faces = (int)t->n_norms};
    snprintf(norm->source, sizeof norm->source, "%s", t->data);
    xfv_cli_info(t->c, "of %zu faces one in a hundred has an embedding shorter than %.4g", t->n_norms, norm->low);
}

/* The new means alone, as a stream of records in half precision: model-import --means takes them in. */
static int write_records(struct means *t, int fd, struct xfv_err *e)
{
    struct xfv_writer *w;
    int status = xfv_writer_open(&w, fd, e);
    if (status) return status;
    status = xfv_writer_head(w, NULL, NULL, NULL, e);
    for (int i = 0; i < t->n && !status; i++) {
        int v = t->layers[i].value;
        struct xfv_rec *r = xfv_mean_record(xfv_model_mean(t->model, v), t->model->graph->values[v].shape, XFV_F16, e);
        status = r ? xfv_writer_put(w, r, e) : XFV_ENOMEM;
        xfv_rec_free(r);
    }
    if (!status && t->n_norms >= LEAST_NORMS) {
        struct xfv_rec *r = xfv_norm_record(&t->model->norm, e);
        status = r ? xfv_writer_put(w, r, e) : XFV_ENOMEM;
        xfv_rec_free(r);
    }
    if (!status) status = xfv_writer_end(w, e);
    xfv_writer_close(w);
    return status;
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct means *t = ctx;
    (void)w;
    int status = add_means(t, e), fd;
    if (status) return status;
    add_low_norm(t);
    for (int i = 0; i < t->n; i++)
        xfv_cli_info(t->c, "%s: %dx%dx%d over %d faces", t->model->graph->values[t->layers[i].value].name,
                     t->layers[i].h, t->layers[i].w, t->layers[i].c, t->faces);
    if ((fd = xfv_cli_out_fd(t->c, e)) < 0) return fd;
    if (t->records) return write_records(t, fd, e);
    xfv_model_succeed(t->model);
    return xfv_model_save(t->model, fd, e);
}

/* ---- options ---- */

static int set_layer(void *ctx, const char *v, struct xfv_err *e)
{
    struct means *t = ctx;
    if (t->n_names == XFV_MAX_MEANS) return xfv_fail(e, XFV_EARG, "--layer: at most %d of them", XFV_MAX_MEANS);
    t->names[t->n_names++] = v;
    return 0;
}

static const struct xfv_opt options[] = {
    {"layer", 'l', "NAME", "auto, fine, cells, a grid (14x14) or a value's name; may repeat (default: those three)",
     XFV_OPT_MANY, .set = set_layer},
    {"data", 0, "TEXT", "whose faces these are, for the file",
     0, XFV_TO_TEXT(struct means, data, sizeof ((struct xfv_mean *)0)->source - 1)},
    {"records", 0, NULL, "write only the new records, means in half precision, for model-import --means",
     0, XFV_TO_FLAG(struct means, records, 1)},
    {0},
};

int main(int argc, char **argv)
{
    static struct means t = {.data = ""};
    static const struct xfv_program program = {
        .name = "model-means",
        .summary = "Average a network's inner activations over faces and put them into its model file: faces in, a "
                   "model out.",
        .operands = "[FILE]...",
        .example = "facecrop -0 < photographs | embed -m mine.xfvm | model-means -m mine.xfvm --data 'our visitors' "
                   "-o mine-with-means.xfvm",
        .flags = XFV_WRITES_MODEL | XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_BINARY,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    struct xfv_stage stage = {.ctx = &t, .wants = wants, .work_batch = work_batch, .finish = finish, .sink = 1};
    struct xfv_err e = {0};
    int exit_status;
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    t.pool = xfv_pool_new(xfv_cli_jobs(t.c));
    int status = t.pool ? 0 : xfv_fail(&e, XFV_ENOMEM, "out of memory");
    if (!status) status = set_up(&t, xfv_pool_size(t.pool), &e);
    stage.window = t.window;
    exit_status = status ? xfv_cli_finish(t.c, &e, 0) : xfv_cli_finish(t.c, NULL, xfv_stage_run(t.c, NULL, &stage));
    xfv_pool_free(t.pool);
    tear_down(&t);
    return exit_status;
}
