/* fame: explains each pair by what its images give up when the score is driven away. Equations: explain/fame.h; use:
 * fame(1). */
#include "base/toint.h"
#include "stage/explainer.h"
#include "explain/fame.h"

struct fame {
    struct xfv_explain_opts common;
    struct xfv_fame_opts o;
    double step;
    int workers, height, width; /* of the network's input */
    struct xfv_grad *grad;      /* one a worker */
};

static void close_method(void *ctx)
{
    struct fame *t = ctx;
    xfv_grads_free(t->grad, t->workers);
    t->grad = NULL;
}

/* Steps and brightness in the network's units: x = (grey level - mean) / std. */
static void set_scale(struct fame *t, const struct xfv_model *m)
{
    static const float luma[] = {0.2989f, 0.587f, 0.114f};
    int bgr = m->colour[0] == 'b';
    for (int c = 0; c < m->channels && c < 3; c++) {
        t->o.step[c] = (float)(t->step / (double)m->std[c]);
        t->o.luma[c] = m->channels == 1 ? m->std[c] / 255.0f : luma[bgr ? 2 - c : c] * m->std[c] / 255.0f;
    }
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct fame *t = ctx;
    const struct xfv_model *m = env->model;
    t->workers = env->workers;
    t->height = m->graph->values[0].shape.dim[0];
    t->width = m->graph->values[0].shape.dim[1];
    set_scale(t, m);
    t->grad = xfv_grads_new(env->workers, env->net, env->n, (size_t)m->height * (size_t)m->width, m->channels, e);
    return t->grad ? 0 : e->status;
}

static void params(const void *ctx, struct xfv_put *put)
{
    const struct fame *t = ctx;
    xfv_put_int(put, "iterations", t->o.iterations);
    xfv_put_f64(put, "step", t->step);
    xfv_put_f64(put, "stop", t->o.stop);
    xfv_put_f64(put, "blur", t->o.sigma);
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct fame *t = ctx;
    struct xfv_grad *g = &t->grad[worker];
    for (int i = 0; i < 2; i++) {
        xfv_unit(s->embedding[1 - i], s->n, g->unit);
        for (int j = 0; j < 2 && s->wanted[i]; j++) {
            int status = xfv_fame(g, &t->o, j ? -1 : 1, t->height, t->width, s->x[i], g->unit, g->work, map[i][j], NULL,
                                  e);
            if (status) return status;
        }
    }
    return 0;
}

static int set_blur(void *ctx, const char *s, struct xfv_err *e)
{
    struct xfv_fame_opts *o = &((struct fame *)ctx)->o;
    int status = xfv_parse_f64("--blur", s, 0, 300, &o->sigma, e);
    o->radius = xfv_to_int(24.0 * o->sigma / 7.7 + 0.5, 0, 1000); /* the kernel grows with it */
    return status;
}

static const struct xfv_opt options[] = {
    {"iterations", 'n', "N", "steps of descent at most (default 500)",
     XFV_OPT_RESULT, XFV_TO_INT(struct fame, o.iterations, 1, 1000000)},
    {"step", 0, "LEVELS", "largest change of a pixel in one step, in grey levels (default 1)",
     XFV_OPT_RESULT, XFV_TO_F64(struct fame, step, 0, 255)},
    {"stop", 0, "X", "stop once the loss is below X (default 0.01)",
     XFV_OPT_RESULT, XFV_TO_F64(struct fame, o.stop, -1, 2)},
    {"blur", 'b', "SIGMA", "of the map, pixels (default 7.7; 0: none)", XFV_OPT_RESULT, .set = set_blur},
    XFV_OPT_IMAGE,
    {0},
};

int main(int argc, char **argv)
{
    static struct fame t = {.o = {.iterations = 500, .stop = 0.01, .sigma = 7.7, .radius = 24}, .step = 1};
    static const struct xfv_program program = {
        .name = "fame",
        .summary = "Explain each pair by what its images give up when the score is driven away (FAME): pairs in, the "
                   "same with maps out.",
        .operands = "[FILE]...",
        .example = "verify faces.xfv | fame -n 75 | heatmap -o why-%d.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    static const struct xfv_explainer method = {.method = "fame",
                                                .flags = XFV_EXPLAIN_ON_INPUT,
                                                .open = open_method,
                                                .close = close_method,
                                                .params = params,
                                                .explain = explain};
    return xfv_explainer_main(&method, &program, argc, argv);
}
