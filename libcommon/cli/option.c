/* An option's value, from its text to its field. */
#include "cli/option.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/toint.h"
#include "cli/cli.h"

static int take_text(const struct xfv_opt *o, const char *what, const char **to, const char *value, struct xfv_err *e)
{
    if (!*value) return xfv_fail(e, XFV_EARG, "%s needs a %s, and it is empty", what, o->arg);
    if (o->hi > 0 && (double)strlen(value) > o->hi)
        return xfv_fail(e, XFV_EARG, "%s: '%s' has more than %.0f bytes", what, value, o->hi);
    *to = value;
    return 0;
}

static int take(const struct xfv_opt *o, void *to, const char *what, const char *value, struct xfv_err *e)
{
    switch (o->type) {
    case XFV_IS_FLAG: *(int *)to = o->value; return 0;
    case XFV_IS_INT:
        return xfv_parse_i32(what, value, xfv_to_int(o->lo, INT_MIN, INT_MAX), xfv_to_int(o->hi, INT_MIN, INT_MAX), to,
                             e);
    case XFV_IS_F64: return xfv_parse_f64(what, value, o->lo, o->hi, to, e);
    case XFV_IS_SEED: return xfv_parse_seed(what, value, to, e);
    case XFV_IS_SIZE:
        return xfv_parse_size(what, value, xfv_to_size(o->lo, SIZE_MAX), xfv_to_size(o->hi, SIZE_MAX), to, e);
    case XFV_IS_CHOICE: return xfv_parse_choice(what, value, o->choices, to, e);
    case XFV_IS_TEXT: return take_text(o, what, to, value, e);
    case XFV_OPT_CALLS:
    case XFV_OPT_ASKS: break;
    }
    return xfv_fail(e, XFV_EARG, "%s: its row has no type", what);
}

int xfv_option_take(const struct xfv_opt *o, void *ctx, const char *value, struct xfv_err *e)
{
    char what[64];
    if (o->set) return o->set(ctx, value, e);
    snprintf(what, sizeof what, "--%s", o->long_name);
    int status = take(o, (char *)ctx + o->at, what, value, e);
    if (!status && o->given) *(int *)((char *)ctx + o->given - 1) = 1;
    return status;
}

/* Bytes as a person writes them. */
static void size_text(double bytes, char *buf, size_t cap)
{
    int k = 0;
    for (; k < 3 && bytes >= 1024; k++) bytes /= 1024;
    snprintf(buf, cap, "%g%.*s", bytes, k > 0, &"KMG"[k > 0 ? k - 1 : 0]);
}

void xfv_option_range(const struct xfv_opt *o, char *buf, size_t cap)
{
    char low[32];
    size_t used = 0;
    snprintf(low, sizeof low, "%.10g", o->lo);
    if (o->type == XFV_IS_SIZE) size_text(o->lo, low, sizeof low);
    buf[0] = 0;
    if (o->type == XFV_IS_SIZE || ((o->type == XFV_IS_INT || o->type == XFV_IS_F64) && o->hi >= INT_MAX))
        snprintf(buf, cap, " [from %s]", low);
    else if (o->type == XFV_IS_INT || o->type == XFV_IS_F64) snprintf(buf, cap, " [%s..%.10g]", low, o->hi);
    for (int i = 0; o->type == XFV_IS_CHOICE && o->choices[i] && used < cap; i++)
        used += (size_t)snprintf(buf + used, cap - used, "%s%s%s", i ? " " : " [", o->choices[i],
                                 o->choices[i + 1] ? "" : "]");
}
