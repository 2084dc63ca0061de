/* xface: explains each pair by sliding patches over its faces. Equations: explain/xface.h; use: xface(1). */
#include <stdlib.h>

#include "stage/blackbox.h"
#include "explain/xface.h"

struct face {
    struct xfv_blackbox box;
    struct xfv_xface_opts o;
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
    const struct xfv_xface_opts *o = &((const struct face *)ctx)->o;
    xfv_put_ints(put, "sizes", o->sizes, (size_t)o->n_sizes);
    xfv_put_int(put, "stride", o->stride);
    xfv_put_int(put, "distance", (int)o->distance + 1);
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct face *t = ctx;
    int status = xfv_blackbox_look(&t->box, s, worker, e);
    const double *const unit[] = {t->box.unit[0][worker], t->box.unit[1][worker]};
    return status ? status
                  : xfv_xface_maps(&t->o, t->box.probe, worker, s->rgb, unit, s->height, s->width, s->wanted, map, e);
}

static int set_sizes(void *ctx, const char *s, struct xfv_err *e)
{
    struct xfv_xface_opts *o = &((struct face *)ctx)->o;
    int most = (int)(sizeof o->sizes / sizeof *o->sizes);
    for (o->n_sizes = 0; *s; o->n_sizes++) {
        char *end;
        long n = strtol(s, &end, 10);
        if (end == s || n < 1 || n > 4096 || (*end && *end != ',') || o->n_sizes == most)
            return xfv_fail(e, XFV_EARG, "--sizes wants up to %d numbers of pixels with commas between, found '%s'",
                            most, s);
        o->sizes[o->n_sizes] = (int)n;
        s = *end ? end + 1 : end;
    }
    return o->n_sizes ? 0 : xfv_fail(e, XFV_EARG, "--sizes wants at least one number");
}

static int set_distance(void *ctx, const char *s, struct xfv_err *e)
{
    long n;
    int status = xfv_parse_int("--distance", s, 1, 3, &n, e);
    if (!status) ((struct face *)ctx)->o.distance = (enum xfv_xface_distance)(n - 1);
    return status;
}

static const struct xfv_opt options[] = {
    {"sizes", 0, "N,N,...", "sides of the patches (default 7,14,28)", XFV_OPT_RESULT, .set = set_sizes},
    {"stride", 0, "PIXELS", "between two places of a patch (default 5)",
     XFV_OPT_RESULT, XFV_TO_INT(struct face, o.stride, 1, 4096)},
    {"distance", 0, "1|2|3", "to all patched partners (default), the whole one, or the one patched alike",
     XFV_OPT_RESULT, .set = set_distance},
    {"blur", 0, "SIGMA", "of each size's map, cut to 5 x 5 pixels (default 5; 0: none)",
     XFV_OPT_RESULT, XFV_TO_F64(struct face, o.sigma, 0, 1000)},
    XFV_OPT_IMAGE,
    XFV_OPT_EXEC,
    {0},
};

int main(int argc, char **argv)
{
    static struct face t = {.o = {.n_sizes = 3, .sizes = {7, 14, 28}, .stride = 5, .sigma = 5, .radius = 2}};
    static const struct xfv_program program = {
        .name = "xface",
        .summary = "Explain each pair by sliding patches over its faces (xFace): pairs in, the same with maps out.",
        .operands = "[FILE]...",
        .example = "verify faces.xfv | xface -j 0 | heatmap -o why-%d.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    static const struct xfv_explainer method = {
        .method = "xface", .open = open_method, .close = close_method, .params = params, .explain = explain};
    return xfv_explainer_main(&method, &program, argc, argv);
}
