/* gradcam: explains each pair by class activation maps of the cosine score. Kinds: explain/gradcam.h; use: gradcam(1).
 */
#include <stdlib.h>

#include "stage/explainer.h"
#include "explain/gradcam.h"
#include "explain/layer.h"

static const char *const kinds[] = {"gradcam", "elementwise", "hires", NULL};
static const char *const targets[] = {"cosine", "fixed-norm", NULL};
static const char *const methods[] = {"gradcam", "gradcam-elementwise", "gradcam-hires"};

struct worker {
    struct xfv_ws *ws;
    float *h, *cells[2];
};

struct cam {
    struct xfv_explain_opts common;
    int kind, target;
    const char *wanted; /* layer */
    struct xfv_layer layer;
    const char *layer_name;
    int height, width; /* of the network's input */
    struct xfv_net *front, *rest;
    struct xfv_grad *grad; /* of rest */
    struct worker *workers;
    int n_workers;
};

static const char *name(const void *ctx)
{
    return methods[((const struct cam *)ctx)->kind];
}

static void close_method(void *ctx)
{
    struct cam *t = ctx;
    xfv_grads_free(t->grad, t->n_workers);
    for (int i = 0; t->workers && i < t->n_workers; i++) {
        struct worker *w = &t->workers[i];
        xfv_ws_free(w->ws);
        free(w->h);
        free(w->cells[0]);
        free(w->cells[1]);
    }
    free(t->workers);
    xfv_net_free(t->front);
    xfv_net_free(t->rest);
    t->grad = NULL;
    t->workers = NULL;
    t->front = t->rest = NULL;
}

static int make_workers(struct cam *t, int n, struct xfv_err *e)
{
    size_t cells = (size_t)t->layer.h * (size_t)t->layer.w;
    t->grad = xfv_grads_new(t->n_workers, t->rest, n, cells, t->layer.c, e);
    if (!t->grad) return e->status;
    t->workers = calloc((size_t)t->n_workers, sizeof *t->workers);
    int ok = t->workers != NULL;
    for (int i = 0; ok && i < t->n_workers; i++) {
        struct worker *w = &t->workers[i];
        w->ws = xfv_ws_new();
        w->h = xfv_aligned_alloc(cells * (size_t)t->layer.c * sizeof(float));
        w->cells[0] = xfv_aligned_alloc(cells * sizeof(float));
        w->cells[1] = xfv_aligned_alloc(cells * sizeof(float));
        ok = w->ws && w->h && w->cells[0] && w->cells[1];
    }
    return ok ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct cam *t = ctx;
    const struct xfv_graph *g = env->model->graph;
    int embedding = env->model->embedding;
    t->n_workers = env->workers;
    int status = xfv_layer_find(g, embedding, t->wanted, &t->layer, e);
    if (status) return status;
    t->layer_name = g->values[t->layer.value].name;
    t->height = g->values[0].shape.dim[0];
    t->width = g->values[0].shape.dim[1];
    status = xfv_net_new(g, 0, &t->layer.value, 1, &t->front, e);
    if (!status) status = xfv_net_new(g, t->layer.value, &embedding, 1, &t->rest, e);
    return status ? status : make_workers(t, env->n, e);
}

static void params(const void *ctx, struct xfv_put *put)
{
    const struct cam *t = ctx;
    xfv_put_text(put, "layer", t->layer_name);
    if (t->target) xfv_put_text(put, "target", targets[t->target]);
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct cam *t = ctx;
    struct worker *w = &t->workers[worker];
    struct xfv_grad *g = &t->grad[worker];
    for (int i = 0; i < 2; i++) {
        float *y[] = {w->h};
        int status = xfv_net_forward(t->front, w->ws, NULL, 1, s->x[i], y, e);
        xfv_unit(s->embedding[1 - i], s->n, g->unit);
        if (!status)
            status = xfv_gradcam(g, (enum xfv_cam)t->kind, t->target, w->h, g->unit, w->cells[0], w->cells[1], e);
        if (status) return status;
        for (int j = 0; j < 2; j++) xfv_layer_upsample(&t->layer, w->cells[j], t->height, t->width, map[i][j]);
    }
    return 0;
}

static const struct xfv_opt options[] = {
    {"kind", 'k', "KIND", "how gradients weigh features (default gradcam)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct cam, kind, kinds)},
    {"target", 0, "WHAT", "what is differentiated (default cosine); fixed-norm holds the embedding's norm",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct cam, target, targets)},
    {"layer", 'l', "NAME", "feature map: cells (default: the last), auto, HxW, or a value's name",
     XFV_OPT_RESULT, XFV_TO_TEXT(struct cam, wanted, 0)},
    {0},
};

int main(int argc, char **argv)
{
    static struct cam t = {.wanted = XFV_LAYER_CELLS};
    static const struct xfv_program program = {
        .name = "gradcam",
        .summary = "Explain each pair by class activation maps of its cosine score: pairs in, the same with maps out.",
        .operands = "[FILE]...",
        .example = "verify faces.xfv | gradcam --kind hires | heatmap -o why-%d.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    static const struct xfv_explainer method = {.flags = XFV_EXPLAIN_ON_INPUT,
                                                .name = name,
                                                .open = open_method,
                                                .close = close_method,
                                                .params = params,
                                                .explain = explain};
    return xfv_explainer_main(&method, &program, argc, argv);
}
