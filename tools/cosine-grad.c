/* cosine-grad: explains each pair by the gradient of its cosine score. Kinds: explain/cosine.h; use: cosine-grad(1). */
#include "stage/explainer.h"
#include "explain/cosine.h"

static const char *const kinds[] = {"gradient", "input", "smoothgrad", "integrated", NULL};
static const char *const methods[] = {"cosine-gradient", "cosine-input", "cosine-smoothgrad", "cosine-integrated"};

struct cosine {
    struct xfv_explain_opts common;
    int kind, steps;
    double noise;
    struct xfv_cosine_opts o;
    float black[3];
    int workers;
    struct xfv_grad *grad; /* one a worker */
};

static const char *name(const void *ctx)
{
    return methods[((const struct cosine *)ctx)->kind];
}

static void close_method(void *ctx)
{
    struct cosine *t = ctx;
    xfv_grads_free(t->grad, t->workers);
    t->grad = NULL;
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct cosine *t = ctx;
    const struct xfv_model *m = env->model;
    t->workers = env->workers;
    t->o = (struct xfv_cosine_opts){.kind = (enum xfv_cosine_kind)t->kind, .steps = t->steps, .black = t->black};
    for (int c = 0; c < m->channels && c < 3; c++) {
        t->o.noise[c] = (float)(t->noise * 255.0 / (double)m->std[c]);
        t->black[c] = -m->mean[c] / m->std[c];
    }
    t->grad = xfv_grads_new(env->workers, env->net, env->n, (size_t)m->height * (size_t)m->width, m->channels, e);
    return t->grad ? 0 : e->status;
}

static void params(const void *ctx, struct xfv_put *put)
{
    const struct cosine *t = ctx;
    if (t->kind == XFV_COSINE_SMOOTHGRAD || t->kind == XFV_COSINE_INTEGRATED) xfv_put_int(put, "steps", t->steps);
    if (t->kind != XFV_COSINE_SMOOTHGRAD) return;
    xfv_put_f64(put, "noise", t->noise);
    xfv_put_int(put, "seed", (int64_t)t->common.seed);
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct cosine *t = ctx;
    struct xfv_grad *g = &t->grad[worker];
    struct xfv_random r = xfv_random_new(t->common.seed, s->id, s->n_id);
    for (int i = 0; i < 2; i++) {
        xfv_unit(s->embedding[1 - i], s->n, g->unit);
        int status = xfv_cosine_map(g, &t->o, s->x[i], g->unit, &r, g->work, map[i][0], map[i][1], e);
        if (status) return status;
    }
    return 0;
}

static const struct xfv_opt options[] = {
    {"kind", 'k', "KIND", "which gradient (default gradient itself)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct cosine, kind, kinds)},
    {"steps", 'n', "N", "smoothgrad: noisy images; integrated: points on the line (default 32)",
     XFV_OPT_RESULT, XFV_TO_INT(struct cosine, steps, 1, 100000)},
    {"noise", 0, "X", "smoothgrad: standard deviation as a share of the grey levels (default 0.15)",
     XFV_OPT_RESULT, XFV_TO_F64(struct cosine, noise, 0, 10)},
    XFV_OPT_SEED,
    {0},
};

int main(int argc, char **argv)
{
    static struct cosine t = {.steps = 32, .noise = 0.15};
    static const struct xfv_program program = {
        .name = "cosine-grad",
        .summary = "Explain each pair by the gradient of its cosine score: pairs in, the same with maps out.",
        .operands = "[FILE]...",
        .example = "verify faces.xfv | cosine-grad --kind integrated | heatmap -o why-%d.png",
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
