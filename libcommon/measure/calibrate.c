#include "measure/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"
#include "measure/interval.h"

static size_t rounded(double share, size_t n) { return xfv_to_size(share * (double)n + 0.5, n); }

int xfv_calibrate(const struct xfv_scores *s, const char *name, double fmr, const char *data, struct xfv_threshold *out,
                  struct xfv_err *e)
{
    double eer;
    struct xfv_threshold t = xfv_threshold_new();
    if (strlen(name) >= sizeof t.name || strlen(data) >= sizeof t.data)
        return xfv_fail(e, XFV_EARG, "the name or the description of a threshold is too long");
    strcpy(t.name, name);
    strcpy(t.data, data);
    int status = isnan(fmr) ? xfv_eer(s, &eer, &t.value, e) : xfv_threshold_at_fmr(s, fmr, &t.value, e);
    if (status) return status;
    struct xfv_rates r = xfv_rates_at(s, t.value);
    if (r.genuine == 0)
        return xfv_fail(e, XFV_EARG, "calibration needs genuine pairs, too: %zu impostor pairs given", r.impostor);
    if (s->n > 2000000000) return xfv_fail(e, XFV_EARG, "more than 2000000000 pairs");
    t.fmr = r.fmr;
    t.fnmr = r.fnmr;
    t.genuine = (int)r.genuine;
    t.impostor = (int)r.impostor;
    t.pairs = (int)s->n;
    xfv_proportion_interval(rounded(r.fmr, r.impostor), r.impostor, 0.95, &t.fmr_interval[0], &t.fmr_interval[1]);
    xfv_proportion_interval(rounded(r.fnmr, r.genuine), r.genuine, 0.95, &t.fnmr_interval[0], &t.fnmr_interval[1]);
    *out = t;
    return 0;
}

/* The false match rate that a threshold's name asks for ("fmr=1e-3"); NAN when it asks for none. */
static double goal_of(const struct xfv_threshold *t)
{
    char *end;
    if (strncmp(t->name, "fmr=", 4) != 0) return NAN;
    double v = strtod(t->name + 4, &end);
    return *end == '\0' && end != t->name + 4 && v > 0 && v <= 1 ? v : NAN;
}

int xfv_threshold_caveat(const struct xfv_threshold *t, char *buf, size_t cap)
{
    double goal = goal_of(t), n = (double)t->impostor;
    if (isnan(goal) || n <= 0 || n * goal >= XFV_PAIRS_ENOUGH) return 0;
    int at = snprintf(buf, cap, "%s: %d impostor pairs %s (%.0f are wanted); %zu of them are accepted", t->name,
                      t->impostor,
                      n * goal < XFV_PAIRS_AT_LEAST ? "cannot support this false match rate"
                                                    : "support this false match rate only roughly",
                      ceil(XFV_PAIRS_ENOUGH / goal), rounded(t->fmr, (size_t)t->impostor));
    if (!isnan(t->fmr_interval[0]) && at > 0 && (size_t)at < cap)
        snprintf(buf + at, cap - (size_t)at, ", so that the true rate lies between %.2g and %.2g (95 %%)",
                 t->fmr_interval[0], t->fmr_interval[1]);
    return 1;
}
