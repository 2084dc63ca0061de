/* minplus: explains each pair by darkening and letting through soft windows. Equations: explain/minplus.h; use:
 * minplus(1). */
#include "stage/blackbox.h"
#include "explain/minplus.h"

struct minplus {
    struct xfv_blackbox box;
    struct xfv_minplus_opts o; /* window and stride 0: from the image's size */
    int fast;
    struct xfv_minplus_opts used;
    struct xfv_minplus *windows;
};

static void close_method(void *ctx)
{
    struct minplus *t = ctx;
    xfv_blackbox_close(&t->box);
    xfv_minplus_free(t->windows);
    t->windows = NULL;
}

/* The source's pixels on 256 x 256 images, brought to this size. */
static int scaled(int pixels, int height, int width)
{
    int side = height < width ? height : width, n = (pixels * side + 128) / 256;
    return n < 1 ? 1 : n;
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct minplus *t = ctx;
    int height = env->model->height, width = env->model->width;
    t->used = t->o;
    t->used.seed = t->box.common.seed;
    if (!t->used.window) t->used.window = scaled(t->fast ? 221 : 161, height, width);
    if (!t->used.stride) t->used.stride = scaled(t->fast ? 48 : 16, height, width);
    if (!t->used.iterations) t->used.iterations = t->fast ? 1 : 20;
    int status = xfv_blackbox_open(&t->box, env, e);
    return status ? status : xfv_minplus_new(&t->used, height, width, &t->windows, e);
}

static void params(const void *ctx, struct xfv_put *put)
{
    const struct xfv_minplus_opts *o = &((const struct minplus *)ctx)->used;
    xfv_put_int(put, "window", o->window);
    xfv_put_int(put, "stride", o->stride);
    xfv_put_int(put, "iterations", o->iterations);
    xfv_put_f64(put, "stop", o->stop);
    xfv_put_f64(put, "noise", o->noise);
    xfv_put_int(put, "seed", (int64_t)o->seed);
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct minplus *t = ctx;
    int status = xfv_blackbox_look(&t->box, s, worker, e);
    for (int i = 0; i < 2 && !status; i++)
        if (s->wanted[i])
            status = xfv_minplus_map(t->windows, t->box.probe, worker, s->rgb[i], t->box.unit[i][worker],
                                     t->box.unit[1 - i][worker], map[i][0], e);
    return status;
}

static const struct xfv_opt options[] = {
    {"iterations", 'n', "N", "windows that each greedy search takes at most (default 20)",
     XFV_OPT_RESULT, XFV_TO_INT(struct minplus, o.iterations, 1, 1000)},
    {"window", 0, "PIXELS", "width of a window, 8.5 sigma (default 161 for each 256 of the image)",
     XFV_OPT_RESULT, XFV_TO_INT(struct minplus, o.window, 1, 4096)},
    {"stride", 0, "PIXELS", "between two windows (default 16 for each 256 of the image)",
     XFV_OPT_RESULT, XFV_TO_INT(struct minplus, o.stride, 1, 4096)},
    {"fast", 0, NULL, "other defaults: one iteration, windows of 221 and a stride of 48 for each 256",
     0, XFV_TO_FLAG(struct minplus, fast, 1)},
    {"stop", 0, "X", "greed ends this near to no score, or to the whole one (default 0.01)",
     XFV_OPT_RESULT, XFV_TO_F64(struct minplus, o.stop, -1, 1)},
    {"noise", 0, "LEVELS", "darkness that windows are let through to: uniform below this grey level (default 2.55)",
     XFV_OPT_RESULT, XFV_TO_F64(struct minplus, o.noise, 0, 255)},
    XFV_OPT_SEED,
    XFV_OPT_IMAGE,
    XFV_OPT_EXEC,
    {0},
};

int main(int argc, char **argv)
{
    static struct minplus t = {.o = {.stop = 0.01, .noise = 2.55}};
    static const struct xfv_program program = {
        .name = "minplus",
        .summary = "Explain each pair by darkening and letting through soft windows (MinPlus): pairs in, the same with "
                   "maps out.",
        .operands = "[FILE]...",
        .example = "verify faces.xfv | minplus -j 0 | heatmap -o why-%d.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    static const struct xfv_explainer method = {
        .method = "minplus", .open = open_method, .close = close_method, .params = params, .explain = explain};
    return xfv_explainer_main(&method, &program, argc, argv);
}
