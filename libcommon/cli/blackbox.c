#include "cli/blackbox.h"

#include <stdlib.h>
#include <string.h>

#include "explain/grad.h"

int xfv_set_exec(void *ctx, const char *value, struct xfv_err *e)
{
    if (!*value) return xfv_fail(e, XFV_EARG, "--exec: the command is empty");
    ((struct xfv_blackbox *)ctx)->command = value;
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

int xfv_blackbox_open(struct xfv_blackbox *b, const struct xfv_explain_env *env, struct xfv_err *e)
{
    int ok = 1;
    b->n = env->n;
    b->workers = env->workers;
    for (int i = 0; i < 2; i++) {
        b->unit[i] = calloc((size_t)env->workers, sizeof *b->unit[i]);
        for (int k = 0; b->unit[i] && k < env->workers; k++) ok = (b->unit[i][k] = calloc((size_t)b->n, sizeof(double))) && ok;
        ok = ok && b->unit[i];
    }
    if (!ok) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    return xfv_probe_new(env->model, env->net, b->n, env->workers, NULL, NULL, &b->probe, e);
}

int xfv_blackbox_look(struct xfv_blackbox *b, const struct xfv_subject *s, int worker, struct xfv_err *e)
{
    (void)e;
    for (int i = 0; i < 2; i++) xfv_unit(s->embedding[i], s->n, b->unit[i][worker]);
    return 0;
}
