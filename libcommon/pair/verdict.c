#include "pair/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const xfv_state_names[XFV_STATES + 1] = {"tried", "empty", "constant", "broken", "noise", "other pair",
                                                     NULL};

int xfv_verdict_stands(const struct xfv_verdict *v)
{
    return v->state == XFV_TRIED && v->p <= XFV_STANDS;
}

/* ---- the record ---- */

static const char *const keys[] = {"similarity", "dissimilarity"};

static int read_state(const msgpack_object *m, enum xfv_state *out)
{
    char name[16];
    if (xfv_get_text(m, "state", name, sizeof name, NULL)) return 0;
    for (int i = 0; i < XFV_STATES; i++)
        if (!strcmp(name, xfv_state_names[i])) return *out = (enum xfv_state)i, 1;
    return 0;
}

static int read_numbers(const msgpack_object *m, struct xfv_verdict *v)
{
    int64_t rank, places;
    struct { const char *key; double *to; } numbers[] = {
        {"base", &v->base}, {"threshold", &v->threshold}, {"share", &v->share},
        {"score", &v->score}, {"elsewhere", &v->elsewhere}, {"p", &v->p}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (xfv_get_f64(m, numbers[i].key, numbers[i].to, NULL) || !isfinite(*numbers[i].to)) return 0;
    if (xfv_get_f64(m, "turns", &v->turns, NULL)) v->turns = NAN;
    if (xfv_get_int(m, "rank", &rank, NULL) || xfv_get_int(m, "places", &places, NULL)) return 0;
    if (places < 1 || places > 1000000 || rank < 1 || rank > places + 1) return 0;
    v->rank = (int)rank, v->places = (int)places;
    if (xfv_get_text(m, "turned", v->turned, sizeof v->turned, NULL)) v->turns = NAN;
    return !xfv_get_text(m, "fill", v->fill, sizeof v->fill, NULL) &&
           !xfv_get_text(m, "changed", v->changed, sizeof v->changed, NULL);
}

int xfv_verdict_read(const msgpack_object *entry, int minus, struct xfv_verdict *out)
{
    const msgpack_object *m = xfv_map_get(xfv_map_get(entry, "trial"), keys[minus]);
    *out = (struct xfv_verdict){.minus = minus, .turns = NAN};
    if (!m || !read_state(m, &out->state)) return 0;
    return out->state != XFV_TRIED || read_numbers(m, out);
}

void xfv_verdict_put(struct xfv_put *to, const struct xfv_verdict *v, const char *method)
{
    char words[512];
    xfv_verdict_words(v, method, words, sizeof words);
    xfv_put_text(to, "state", xfv_state_names[v->state]);
    xfv_put_text(to, "words", words);
    if (v->state != XFV_TRIED) return;
    xfv_put_bool(to, "stands", xfv_verdict_stands(v));
    xfv_put_f64(to, "p", v->p);
    xfv_put_int(to, "rank", v->rank);
    xfv_put_int(to, "places", v->places);
    xfv_put_f64(to, "base", v->base);
    xfv_put_f64(to, "threshold", v->threshold);
    xfv_put_f64(to, "share", v->share);
    xfv_put_f64(to, "score", v->score);
    xfv_put_f64(to, "elsewhere", v->elsewhere);
    xfv_put_text(to, "fill", v->fill);
    xfv_put_text(to, "changed", v->changed);
    if (isnan(v->turns)) return;
    xfv_put_f64(to, "turns", v->turns);
    xfv_put_text(to, "turned", v->turned);
}

/* ---- the words ---- */

/* So many that score and threshold differ. */
static int digits_of(double score, double threshold)
{
    double apart = fabs(score - threshold);
    return apart < 0.0005 ? 6 : apart < 0.01 ? 4 : 2;
}

/* No "-0.00". */
static double as_shown(double score, int digits)
{
    return fabs(score) < 0.5 * pow(10, -digits) ? 0 : score;
}

void xfv_decision_words(int accept, double score, double threshold, char *buf, size_t cap)
{
    static const char *const words[] = {"No decision", "Rejected", "Accepted"};
    int digits = digits_of(score, threshold);
    score = as_shown(score, digits), threshold = as_shown(threshold, digits);
    if (isnan(score)) snprintf(buf, cap, "%s.", words[accept + 1]);
    else if (isnan(threshold)) snprintf(buf, cap, "%s: %.2f.", words[accept + 1], score);
    else snprintf(buf, cap, "%s: %.*f, threshold %.*f.", words[accept + 1], digits, score, digits, threshold);
}

/* "falls to 0.41", "stays at 0.76", "rises to 0.80": by the digits that the decision shows, or more where the score
 * comes near to the threshold. */
static const char *change_words(const struct xfv_verdict *v, double score, char *buf, size_t cap)
{
    int digits = digits_of(v->base, v->threshold);
    while (digits < 6 && fabs(score - v->threshold) < pow(10, -digits)) digits += 2;
    char was[40], now[40];
    snprintf(was, sizeof was, "%.*f", digits, as_shown(v->base, digits));
    snprintf(now, sizeof now, "%.*f", digits, as_shown(score, digits));
    snprintf(buf, cap, "%s %s", !strcmp(was, now) ? "stays at" : score < v->base ? "falls to" : "rises to", now);
    return buf;
}

static const char *face_words(const char *which)
{
    return !strcmp(which, "a") ? "face A" : !strcmp(which, "b") ? "face B" : "either face";
}

/* What follows from the comparison. */
static void end_words(const struct xfv_verdict *v, char *buf, size_t cap)
{
    const char *with = v->minus ? "at" : "without";
    if (!xfv_verdict_stands(v))
        snprintf(buf, cap, "What this map marks matters no more than other places: do not read it.");
    else if (isnan(v->turns)) snprintf(buf, cap, "No share up to 30 %% turns the decision.");
    else snprintf(buf, cap, "The decision turns %s %.2g %% of %s.", with, v->turns, face_words(v->turned));
}

static void tried_words(const struct xfv_verdict *v, const char *method, char *buf, size_t cap)
{
    char mark[200], now[60], elsewhere[60], end[120];
    const char *face = face_words(v->changed);
    if (v->minus)
        snprintf(mark, sizeof mark, "With the other photograph's pixels in the %.2g %% of %s that %s marks", v->share,
                 face, method);
    else snprintf(mark, sizeof mark, "Without the %.2g %% of %s that %s marks", v->share, face, method);
    end_words(v, end, sizeof end);
    snprintf(buf, cap, "%s, the score %s; %s as much elsewhere, it %s on average (%d place%s). %s", mark,
             change_words(v, v->score, now, sizeof now), v->minus ? "with them in" : "without",
             change_words(v, v->elsewhere, elsewhere, sizeof elsewhere), v->places, v->places == 1 ? "" : "s", end);
}

void xfv_verdict_words(const struct xfv_verdict *v, const char *method, char *buf, size_t cap)
{
    static const char *const why[XFV_STATES] = {
        [XFV_EMPTY] = "marks nothing on these faces",
        [XFV_CONSTANT] = "is the same everywhere: it marks no place",
        [XFV_BROKEN] = "cannot be read: it holds NaN or infinity, or is no map",
        [XFV_NOISE] = "is no larger than the noise of its own arithmetic: it marks nothing",
        [XFV_OTHER_PAIR] = "was made for other photographs than these",
    };
    if (v->state == XFV_TRIED) tried_words(v, method, buf, cap);
    else snprintf(buf, cap, "The %s map of %s %s.", v->minus ? "S-" : "S+", method, why[v->state]);
}
