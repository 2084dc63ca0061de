/* xssab-grad: explains each pair by similarity score argument backpropagation. Equations: explain/xssab.h; use:
 * xssab-grad(1). */
#include "stage/explainer.h"
#include "explain/xssab.h"

struct xssab {
    struct xfv_explain_opts common;
    int workers, distance; /* the network's score is minus the distance */
    struct xfv_grad *grad; /* one a worker */
};

static void close_method(void *ctx)
{
    struct xssab *t = ctx;
    xfv_grads_free(t->grad, t->workers);
    t->grad = NULL;
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct xssab *t = ctx;
    const struct xfv_model *m = env->model;
    t->workers = env->workers;
    t->distance = m->score == XFV_SCORE_EUCLIDEAN;
    t->grad = xfv_grads_new(env->workers, env->net, env->n, (size_t)m->height * (size_t)m->width, m->channels, e);
    return t->grad ? 0 : e->status;
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct xssab *t = ctx;
    struct xfv_grad *g = &t->grad[worker];
    for (int i = 0; i < 2; i++) {
        xfv_unit(s->embedding[1 - i], s->n, g->unit);
        int status = xfv_grad_forward(g, s->x[i], e);
        if (!status && t->distance)
            status = xfv_xssab_distance(g, s->embedding[1 - i], s->threshold, g->unit, map[i][0], map[i][1], e);
        else if (!status) status = xfv_xssab(g, g->unit, s->threshold, g->unit + s->n, map[i][0], map[i][1], e);
        if (status) return status;
    }
    return 0;
}

static const struct xfv_opt options[] = {
    XFV_OPT_THRESHOLD,
    {0},
};

int main(int argc, char **argv)
{
    static struct xssab t;
    static const struct xfv_program program = {
        .name = "xssab-grad",
        .summary = "Explain each pair by similarity score argument backpropagation (xSSAB): pairs in, the same with "
                   "maps out.",
        .operands = "[FILE]...",
        .example = "verify faces.xfv | xssab-grad | heatmap -o why-%d.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    static const struct xfv_explainer method = {.method = "xssab",
                                                .flags = XFV_EXPLAIN_THRESHOLD | XFV_EXPLAIN_ON_INPUT,
                                                .open = open_method,
                                                .close = close_method,
                                                .explain = explain};
    return xfv_explainer_main(&method, &program, argc, argv);
}
