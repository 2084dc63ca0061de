/* The public interface of include/xfv.h: a method of somebody else's as an explainer. */
#include "xfv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain/grad.h"
#include "stage/explainer.h"
#include "stream/tensor.h"

struct method {
    struct xfv_explain_opts common;
    const struct xfv_method *m;
    int n, channels, height, width, workers;
    struct xfv_grad *grad; /* of each worker */
};

/* What struct xfv_call's `room` points to. */
struct room { struct xfv_grad *g; struct xfv_err *e; int status; };

static int keep(struct room *r, int status)
{
    if (status) r->status = status;
    return status;
}

int xfv_call_fail(struct xfv_call *c, const char *sentence)
{
    struct room *r = c->room;
    return keep(r, xfv_fail(r->e, XFV_EDATA, "%s", sentence));
}

int xfv_call_embed(struct xfv_call *c, const float *x, float *embedding)
{
    struct room *r = c->room;
    float *y[] = {embedding};
    return keep(r, xfv_net_forward(r->g->net, r->g->ws, NULL, 1, x, y, r->e));
}

int xfv_call_gradient(struct xfv_call *c, const float *x, const float *v, float *dx)
{
    struct room *r = c->room;
    double norm = 0;
    for (int k = 0; k < c->n; k++) norm += (double)v[k] * (double)v[k];
    if (!(norm > 0) || !isfinite(norm)) return xfv_call_fail(c, "the vector to compare with is zero or not finite");
    xfv_unit(v, c->n, r->g->unit);
    int status = xfv_grad_forward(r->g, x, r->e);
    if (!status) status = xfv_grad_of(r->g, r->g->unit, NULL, r->e);
    if (!status) memcpy(dx, r->g->dx, r->g->pixels * (size_t)r->g->channels * sizeof *dx);
    return keep(r, status);
}

int xfv_call_vjp(struct xfv_call *c, const float *x, const float *cotangent, float *dx)
{
    struct room *r = c->room;
    int status = xfv_grad_forward(r->g, x, r->e);
    if (!status) status = xfv_net_vjp(r->g->net, r->g->ws, r->g->tape, 1, cotangent, dx, r->e);
    return keep(r, status);
}

/* ---- the explainer ---- */

static const char *name(const void *ctx)
{
    return ((const struct method *)ctx)->m->name;
}

static void close_method(void *ctx)
{
    struct method *t = ctx;
    xfv_grads_free(t->grad, t->workers);
    t->grad = NULL;
}

static int open_method(void *ctx, const struct xfv_explain_env *env, struct xfv_err *e)
{
    struct method *t = ctx;
    struct xfv_shape in = env->model->graph->values[0].shape;
    t->height = in.dim[0];
    t->width = in.dim[1];
    t->channels = in.dim[2];
    t->n = env->n;
    t->workers = env->workers;
    t->grad = xfv_grads_new(env->workers, env->net, env->n, (size_t)in.dim[0] * (size_t)in.dim[1], in.dim[2], e);
    return t->grad ? 0 : e->status;
}

static int explain(void *ctx, const struct xfv_subject *s, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct method *t = ctx;
    for (int i = 0; i < 2; i++) {
        struct room room = {&t->grad[worker], e, 0};
        struct xfv_call c = {.height = t->height,
                             .width = t->width,
                             .channels = t->channels,
                             .n = t->n,
                             .x = s->x[i],
                             .rgb = s->rgb[i],
                             .embedding = s->embedding[i],
                             .partner = s->embedding[1 - i],
                             .score = s->score,
                             .threshold = s->threshold,
                             .side = i,
                             .room = &room};
        if (!s->wanted[i]) continue;
        int status = t->m->explain(t->m->ctx, &c, map[i][0], map[i][1]);
        if (room.status) return room.status;
        if (status) return xfv_fail(e, XFV_EDATA, "%s gave this pair up, with status %d", t->m->name, status);
    }
    return 0;
}

static void params(const void *ctx, struct xfv_put *put)
{
    xfv_put_text(put, "version", ((const struct method *)ctx)->m->version);
}

static int is_name(const char *s)
{
    return s && *s && strlen(s) < 64 &&
           strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == strlen(s);
}

int xfv_method_main(const struct xfv_method *m, int argc, char **argv)
{
    static struct method t;
    static const struct xfv_opt options[] = {XFV_OPT_THRESHOLD, XFV_OPT_IMAGE, {0}};
    static const struct xfv_explainer method = {.flags = XFV_EXPLAIN_THRESHOLD | XFV_EXPLAIN_ON_INPUT,
                                                .name = name,
                                                .open = open_method,
                                                .close = close_method,
                                                .params = params,
                                                .explain = explain};
    if (m->abi < 1 || m->abi > XFV_ABI || !is_name(m->name) || !m->version || !m->summary || !m->explain) {
        fprintf(stderr,
                "%s: its struct xfv_method is not one of this libxfv, whose XFV_ABI is %u: build it again with this "
                "xfv.h\n",
                argc > 0 ? argv[0] : "method", XFV_ABI);
        return XFV_EXIT_SYSTEM;
    }
    const struct xfv_program program = {
        .name = m->name,
        .summary = m->summary,
        .operands = "[FILE]...",
        .example = "verify faces.xfv | ./mine | heatmap -o why-%d.png",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    t.m = m;
    return xfv_explainer_main(&method, &program, argc, argv);
}
