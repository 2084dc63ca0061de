/* corrrise: explains each pair by correlating random masks with its score. Equations: explain/corrrise.h; use:
 * corrrise(1). */
#include "stage/blackbox.h"
#include "explain/corrrise.h"

static const char *const values[] = {"black", "uniform", NULL};
static const char *const correlations[] = {"pearson", "spearman", NULL};

struct rise {
    struct xfv_blackbox box;
    struct xfv_corrrise_opts o;
    struct xfv_corrrise *masks;
};

static void close_method(void *ctx)
{
    struct rise *t = ctx;
    xfv_blackbox_close(&t->box);
    xfv_corrrise_free(t->masks);
    t->masks = NULL;
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct rise *t = ctx;
    t->o.seed = t->box.common.seed;
    int status = xfv_blackbox_open(&t->box, env, e);
    return status ? status : xfv_corrrise_new(&t->o, env->model->height, env->model->width, &t->masks, e);
}

static void params(const void *ctx, struct xfv_put *put)
{
    const struct xfv_corrrise_opts *o = &((const struct rise *)ctx)->o;
    xfv_put_int(put, "masks", o->masks);
    xfv_put_int(put, "patches", o->patches);
    xfv_put_int(put, "size", o->size);
    xfv_put_text(put, "value", values[o->uniform]);
    xfv_put_text(put, "correlation", correlations[o->spearman]);
    xfv_put_int(put, "seed", (int64_t)o->seed);
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct rise *t = ctx;
    int status = xfv_blackbox_look(&t->box, s, worker, e);
    for (int i = 0; i < 2 && !status; i++)
        if (s->wanted[i])
            status = xfv_corrrise_map(t->masks, t->box.probe, worker, s->rgb[i], t->box.unit[1 - i][worker], map[i][0],
                                      map[i][1], e);
    return status;
}

static const struct xfv_opt options[] = {
    {"masks", 'n', "N", "random masks (default 500)", XFV_OPT_RESULT, XFV_TO_INT(struct rise, o.masks, 2, 100000)},
    {"patches", 0, "N", "patches of a mask (default 10)",
     XFV_OPT_RESULT, XFV_TO_INT(struct rise, o.patches, 1, 1000)},
    {"size", 0, "PIXELS", "side of a patch (default 30)", XFV_OPT_RESULT, XFV_TO_INT(struct rise, o.size, 1, 4096)},
    {"value", 0, "KIND", "what a patch does to the image (default black): uniform random factors are the other",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct rise, o.uniform, values)},
    {"correlation", 0, "KIND", "of the scores with the masks (default pearson)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct rise, o.spearman, correlations)},
    XFV_OPT_SEED,
    XFV_OPT_IMAGE,
    XFV_OPT_EXEC,
    {0},
};

int main(int argc, char **argv)
{
    static struct rise t = {.o = {.masks = 500, .patches = 10, .size = 30}};
    static const struct xfv_program program = {
        .name = "corrrise",
        .summary = "Explain each pair by correlating random masks with its score (CorrRISE): pairs in, the same with "
                   "maps out.",
        .operands = "[FILE]...",
        .example = "verify faces.xfv | corrrise -j 0 | heatmap -o why-%d.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    static const struct xfv_explainer method = {
        .method = "corrrise", .open = open_method, .close = close_method, .params = params, .explain = explain};
    return xfv_explainer_main(&method, &program, argc, argv);
}
