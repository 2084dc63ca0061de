/* A calibrated threshold in the words of an option: NAME=VALUE[,fmr=F][,fnmr=F][,pairs=N][,data=TEXT]. */
#include <string.h>

#include "cli/cli.h"
#include "net/model/model.h"

/* Cut what stands before the next comma. */
static int first_part(const char *what, const char *s, char *part, size_t cap, struct xfv_err *e)
{
    size_t len = strcspn(s, ",");
    if (len >= cap) return xfv_fail(e, XFV_EARG, "%s: '%s' is too long", what, s);
    memcpy(part, s, len);
    part[len] = '\0';
    return 0;
}

/* The name may hold an '=' itself ("fmr=1e-3"). */
static int name_and_value(const char *what, char *part, struct xfv_threshold *t, struct xfv_err *e)
{
    char *eq = strrchr(part, '=');
    if (!eq || eq == part) return xfv_fail(e, XFV_EARG, "%s: expected NAME=VALUE, found '%s'", what, part);
    *eq = '\0';
    int status = xfv_parse_text(what, part, t->name, sizeof t->name, e);
    return status ? status : xfv_parse_f64(what, eq + 1, -1e6, 1e6, &t->value, e);
}

static int detail(const char *what, const char *part, struct xfv_threshold *t, struct xfv_err *e)
{
    char name[64];
    snprintf(name, sizeof name, "%s: %.*s", what, (int)strcspn(part, "="), part);
    if (strncmp(part, "fmr=", 4) == 0) return xfv_parse_f64(name, part + 4, 0, 1, &t->fmr, e);
    if (strncmp(part, "fnmr=", 5) == 0) return xfv_parse_f64(name, part + 5, 0, 1, &t->fnmr, e);
    if (strncmp(part, "pairs=", 6) == 0) return xfv_parse_i32(name, part + 6, 0, 2000000000, &t->pairs, e);
    return xfv_fail(e, XFV_EARG, "%s: expected fmr=, fnmr=, pairs= or data=, found '%s'", what, part);
}

int xfv_parse_threshold(const char *what, const char *s, struct xfv_threshold *out, struct xfv_err *e)
{
    char first[96], part[64];
    *out = xfv_threshold_new();
    int status = first_part(what, s, first, sizeof first, e);
    s += strcspn(s, ",");
    if (!status) status = name_and_value(what, first, out, e);
    while (!status && *s == ',') {
        s++;
        if (strncmp(s, "data=", 5) == 0) return xfv_parse_text(what, s + 5, out->data, sizeof out->data, e);
        status = first_part(what, s, part, sizeof part, e);
        if (!status) status = detail(what, part, out, e);
        s += strcspn(s, ",");
    }
    return status;
}
