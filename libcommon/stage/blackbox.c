#include "stage/blackbox.h"

#include <stdlib.h>
#include <string.h>

#include "stage/exec.h"
#include "explain/grad.h"

int xfv_set_exec(void *ctx, const char *value, struct xfv_err *e)
{
    if (!*value) return xfv_fail(e, XFV_EARG, "--exec: the command is empty");
    ((struct xfv_blackbox *)ctx)->command = value;
    ((struct xfv_blackbox *)ctx)->common.foreign = 1;
    return 0;
}

void xfv_blackbox_close(struct xfv_blackbox *b)
{
    xfv_probe_free(b->probe);
    b->probe = NULL;
    for (int i = 0; i < 2; i++) {
        for (int k = 0; b->unit[i] && k < b->workers; k++) free(b->unit[i][k]);
        free(b->unit[i]);
        b->unit[i] = NULL;
    }
}

/* The probe's network when there is a command. */
static int ask(void *ctx, int worker, int count, const uint8_t *rgb, float *f, struct xfv_err *e)
{
    const struct xfv_blackbox *b = ctx;
    size_t n = (size_t)b->n;
    float *v;
    (void)worker;
    int status = xfv_exec_embed(b->command, count, b->height, b->width, rgb, &n, &v, e);
    if (status) return status;
    memcpy(f, v, (size_t)count * n * sizeof *f);
    free(v);
    return 0;
}

/* How long are the command's embeddings? It is asked for that of a black image. */
static int ask_length(struct xfv_blackbox *b, struct xfv_err *e)
{
    uint8_t *black = calloc(3 * (size_t)b->height, (size_t)b->width);
    size_t n = 0;
    float *f = NULL;
    int status = black ? xfv_exec_embed(b->command, 1, b->height, b->width, black, &n, &f, e)
                       : xfv_fail(e, XFV_ENOMEM, "out of memory");
    free(black);
    free(f);
    if (!status && n > (1u << 20))
        status = xfv_fail(e, XFV_ELIMIT, "--exec: embeddings of %zu numbers are longer than any network's", n);
    b->n = (int)n;
    return status;
}

int xfv_blackbox_open(struct xfv_blackbox *b, const struct xfv_explain_env *env, struct xfv_err *e)
{
    int ok = 1;
    b->n = env->n;
    b->workers = env->workers;
    b->height = env->model->height;
    b->width = env->model->width;
    if (b->command) {
        int status = ask_length(b, e);
        if (status) return status;
    }
    for (int i = 0; i < 2; i++) {
        b->unit[i] = calloc((size_t)env->workers, sizeof *b->unit[i]);
        for (int k = 0; b->unit[i] && k < env->workers; k++)
            ok = (b->unit[i][k] = calloc((size_t)b->n, sizeof(double))) && ok;
        ok = ok && b->unit[i];
    }
    if (!ok) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    return xfv_probe_new(env->model, env->net, b->n, env->workers, b->command ? ask : NULL, b, &b->probe, e);
}

struct look { const struct xfv_blackbox *b; double *unit; };

static void take(void *ctx, int i, const float *f)
{
    const struct look *l = ctx;
    (void)i;
    xfv_unit(f, l->b->n, l->unit);
}

int xfv_blackbox_look(struct xfv_blackbox *b, const struct xfv_subject *s, int worker, struct xfv_err *e)
{
    for (int i = 0; i < 2; i++) {
        struct look l = {b, b->unit[i][worker]};
        int status = 0;
        if (b->command) status = xfv_probe_run(b->probe, worker, s->rgb[i], NULL, 1, NULL, take, &l, e);
        else xfv_unit(s->embedding[i], s->n, l.unit);
        if (status) return status;
    }
    return 0;
}
