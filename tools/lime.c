/* lime: explains each pair by a linear model of its faces' superpixels. Equations: explain/lime.h, image/slic.h; use:
 * lime(1). */
#include "stage/blackbox.h"
#include "explain/lime.h"

static const char *const fills[] = {"segment", "black", "mean", NULL};

struct lime {
    struct xfv_blackbox box;
    struct xfv_lime_opts o;
};

static void close_method(void *ctx)
{
    xfv_blackbox_close(ctx);
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    return xfv_blackbox_open(ctx, env, e);
}

static void params(const void *ctx, struct xfv_put *put)
{
    const struct lime *t = ctx;
    const struct xfv_lime_opts *o = &t->o;
    xfv_put_int(put, "segments", o->segments);
    xfv_put_f64(put, "compactness", o->compactness);
    xfv_put_int(put, "samples", o->samples);
    xfv_put_text(put, "fill", fills[o->fill]);
    xfv_put_f64(put, "kernel", o->kernel);
    xfv_put_f64(put, "ridge", o->ridge);
    xfv_put_int(put, "seed", (int64_t)t->box.common.seed);
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct lime *t = ctx;
    struct xfv_random r = xfv_random_new(t->box.common.seed, s->id, s->n_id);
    int status = xfv_blackbox_look(&t->box, s, worker, e);
    for (int i = 0; i < 2 && !status; i++)
        if (s->wanted[i])
            status = xfv_lime_map(&t->o, t->box.probe, worker, s->rgb[i], s->height, s->width,
                                  t->box.unit[1 - i][worker], &r, map[i][0], map[i][1], e);
    return status;
}

static const struct xfv_opt options[] = {
    {"samples", 'n', "N", "images with superpixels switched off (default 1000)",
     XFV_OPT_RESULT, XFV_TO_INT(struct lime, o.samples, 2, 100000)},
    {"segments", 0, "N", "superpixels asked for (default 50)",
     XFV_OPT_RESULT, XFV_TO_INT(struct lime, o.segments, 1, 1000)},
    {"compactness", 0, "X", "of superpixels: small follows colour, large makes squares (default 10)",
     XFV_OPT_RESULT, XFV_TO_F64(struct lime, o.compactness, 0.001, 1000)},
    {"fill", 0, "KIND", "what a segment that is switched off shows (default segment: its own mean)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct lime, o.fill, fills)},
    {"kernel", 0, "WIDTH", "how fast samples far from the whole face lose weight (default 0.25)",
     XFV_OPT_RESULT, XFV_TO_F64(struct lime, o.kernel, 0.01, 1000)},
    {"ridge", 0, "X", "how much coefficients are shrunk (default 1)",
     XFV_OPT_RESULT, XFV_TO_F64(struct lime, o.ridge, 0, 1e6)},
    XFV_OPT_SEED,
    XFV_OPT_IMAGE,
    XFV_OPT_EXEC,
    {0},
};

int main(int argc, char **argv)
{
    static struct lime t = {.o = {.segments = 50, .compactness = 10, .samples = 1000, .kernel = 0.25, .ridge = 1}};
    static const struct xfv_program program = {
        .name = "lime",
        .summary = "Explain each pair by a linear model of its faces' superpixels (LIME): pairs in, the same with maps "
                   "out.",
        .operands = "[FILE]...",
        .example = "verify faces.xfv | lime -j 0 | heatmap -o why-%d.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    static const struct xfv_explainer method = {
        .method = "lime", .open = open_method, .close = close_method, .params = params, .explain = explain};
    return xfv_explainer_main(&method, &program, argc, argv);
}
