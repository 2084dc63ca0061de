#include "base/toint.h"
#include "measure/ablate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/blur.h"
#include "pair/score.h"

const char *const xfv_ablate_fills[] = {"mean", "blur", "black", "partner", NULL};
const char *const xfv_ablate_views[] = {"a", "b", "both", NULL};
const double xfv_ablate_shares[XFV_ABLATE_SHARES] = {1, 2, 5, 10, 20, 30};

enum { TRIES = 100, HALVINGS = 3, ALONE = XFV_ABLATE_SHARES, PLACES };
static const double INSIDE = 0.9, FILL_SIGMA = 8;

/* A turn, perhaps a mirroring, and a shift: pixel p of the mark goes to R (p - from) + to. */
struct move { double m[4], from[2], to[2]; };

struct side {
    uint32_t *order;   /* pixels of the oval above 0, highest first */
    size_t n;          /* of those */
    float *fill, *f;   /* [H][W][3]; embeddings [PLACES + places][n_f] */
    uint8_t *mark;     /* [H][W]: the mark at the tested share */
    struct move *moves;
};

struct work {
    const struct xfv_ablate_opts *o;
    const struct xfv_ablate_pair *pair;
    struct xfv_probe *probe;
    int worker, n_f, minus;
    size_t pixels, oval;
    struct side side[2];
    struct move *moves;  /* [places], the same for both faces, which are aligned */
    const struct side *at; /* the side at hand */
    double share;          /* of a single mask */
    float *to;             /* where its embedding goes */
    struct xfv_err *e;
    int status;
};

/* ---- marks ---- */

struct ranked { float value; uint32_t at, tie; };

static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->value > y->value || x->value < y->value) return x->value > y->value ? -1 : 1;
    return (x->tie > y->tie) - (x->tie < y->tie);
}

/* The oval's pixels above 0 from the highest, ties in an order drawn at random. */
static int rank(struct work *w, struct side *s, const float *map, struct xfv_random *r)
{
    struct ranked *v = malloc((w->oval + 1) * sizeof *v);
    uint32_t *tie = malloc((w->oval + 1) * sizeof *tie);
    s->order = malloc((w->oval + 1) * sizeof *s->order);
    int status = v && tie && s->order ? 0 : xfv_fail(w->e, XFV_ENOMEM, "out of memory");
    if (!status) {
        for (size_t i = 0; i < w->oval; i++) tie[i] = (uint32_t)i;
        xfv_random_shuffle(r, tie, w->oval);
        size_t k = 0, n = 0;
        for (size_t i = 0; i < w->pixels; i++) {
            if (!w->pair->oval[i]) continue;
            if (map[i] > 0) v[n++] = (struct ranked){map[i], (uint32_t)i, tie[k]};
            k++;
        }
        qsort(v, n, sizeof *v, by_value);
        for (size_t i = 0; i < n; i++) s->order[i] = v[i].at;
        s->n = n;
    }
    free(v), free(tie);
    return status;
}

/* Pixels of a mark of so many percent. */
static size_t size_of(const struct work *w, const struct side *s, double share)
{
    return xfv_to_size((double)w->oval * share / 100 + 0.5, s->n);
}

/* ---- other places ---- */

static struct move draw_move(const struct work *w, const double centre[2], struct xfv_random *r)
{
    double angle = 2 * 3.14159265358979323846 * xfv_random_unit(r), c = cos(angle), s = sin(angle);
    double mirror = xfv_random_unit(r) < 0.5 ? -1 : 1;
    struct move v = {{mirror * c, -s, mirror * s, c}, {centre[0], centre[1]}, {0, 0}};
    size_t k = (size_t)xfv_random_below(r, (uint32_t)w->oval), i = 0;
    while (!w->pair->oval[i] || k--) i++;
    v.to[0] = (double)(i % (size_t)w->pair->width);
    v.to[1] = (double)(i / (size_t)w->pair->width);
    return v;
}

/* The share of a mark that the move leaves in the oval. */
static double inside(const struct work *w, const struct side *s, const struct move *v)
{
    size_t n = size_of(w, s, xfv_ablate_shares[XFV_ABLATE_TESTED]), in = 0;
    int width = w->pair->width, height = w->pair->height;
    for (size_t k = 0; k < n; k++) {
        double x = (double)(s->order[k] % (uint32_t)width) - v->from[0];
        double y = (double)(s->order[k] / (uint32_t)width) - v->from[1];
        double tx = v->m[0] * x + v->m[1] * y + v->to[0] + 0.5, ty = v->m[2] * x + v->m[3] * y + v->to[1] + 0.5;
        if (tx >= 0 && ty >= 0 && tx < width && ty < height)
            in += w->pair->oval[xfv_to_int(ty, 0, height - 1) * width + xfv_to_int(tx, 0, width - 1)];
    }
    return n ? (double)in / (double)n : 1;
}

static void middle(const struct work *w, double centre[2])
{
    double x = 0, y = 0, n = 0;
    for (int i = 0; i < 2; i++) {
        const struct side *s = &w->side[i];
        size_t k = size_of(w, s, xfv_ablate_shares[XFV_ABLATE_TESTED]);
        for (size_t j = 0; j < k; j++) {
            x += (double)(s->order[j] % (uint32_t)w->pair->width);
            y += (double)(s->order[j] / (uint32_t)w->pair->width);
        }
        n += (double)k;
    }
    centre[0] = x / n, centre[1] = y / n;
}

/* Places that keep INSIDE of either mark within the oval; after TRIES the best of those drawn. */
static void find_places(struct work *w, struct xfv_random *r)
{
    double centre[2];
    middle(w, centre);
    for (int i = 0; i < w->o->places; i++) {
        double best = -1;
        for (int k = 0; k < TRIES && best < INSIDE; k++) {
            struct move v = draw_move(w, centre, r);
            double in = fmin(inside(w, &w->side[0], &v), inside(w, &w->side[1], &v));
            if (in > best) best = in, w->moves[i] = v;
        }
    }
}

/* ---- masks: 1 where the image stays ---- */

static void put_mark(const struct work *w, const struct side *s, double share, float *mark)
{
    size_t k = size_of(w, s, share);
    memset(mark, 0, w->pixels * sizeof *mark);
    for (size_t i = 0; i < k; i++) mark[s->order[i]] = 1;
}

static void put_moved(const struct work *w, const struct side *s, const struct move *v, float *mark)
{
    int width = w->pair->width, height = w->pair->height;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) { /* the inverse of a turn or a mirroring is its transpose */
            double tx = x - v->to[0], ty = y - v->to[1];
            double px = v->m[0] * tx + v->m[2] * ty + v->from[0] + 0.5;
            double py = v->m[1] * tx + v->m[3] * ty + v->from[1] + 0.5;
            int in = px >= 0 && py >= 0 && px < width && py < height;
            int row = xfv_to_int(py, 0, height - 1), column = xfv_to_int(px, 0, width - 1);
            mark[y * width + x] = in ? s->mark[row * width + column] : 0;
        }
    }
}

static void soften(struct work *w, float *mark, int keep)
{
    int width = w->pair->width;
    if (!w->status) w->status = xfv_blur(mark, width, w->pair->height, w->o->rim * width / 112, w->e);
    for (size_t i = 0; i < w->pixels && !keep; i++) mark[i] = 1 - mark[i];
}

static void mask(void *ctx, int i, float *m)
{
    struct work *w = ctx;
    double tested = xfv_ablate_shares[XFV_ABLATE_TESTED];
    if (i < PLACES) put_mark(w, w->at, i == ALONE ? tested : xfv_ablate_shares[i], m);
    else put_moved(w, w->at, &w->moves[i - PLACES], m);
    soften(w, m, i == ALONE);
}

static void take(void *ctx, int i, const float *f)
{
    struct work *w = ctx;
    memcpy(w->to + (size_t)i * (size_t)w->n_f, f, (size_t)w->n_f * sizeof *f);
}

static void mask_share(void *ctx, int i, float *m)
{
    struct work *w = ctx;
    (void)i;
    put_mark(w, w->at, w->share, m);
    soften(w, m, 0);
}

/* ---- the network's answers ---- */

static int make_fill(struct work *w, int i)
{
    const struct xfv_ablate_pair *p = w->pair;
    enum xfv_ablate_fill fill = w->minus ? XFV_ABLATE_PARTNER : w->o->fill;
    static const enum xfv_fill kind[] = {XFV_FILL_MEAN, XFV_FILL_BLUR, XFV_FILL_BLACK, XFV_FILL_PARTNER};
    if (fill != XFV_ABLATE_MEAN || !p->mean)
        return xfv_fill_make(kind[fill], p->rgb[i], p->rgb[1 - i], p->height, p->width, FILL_SIGMA * p->width / 112,
                             w->side[i].fill, w->e);
    memcpy(w->side[i].fill, p->mean, 3 * w->pixels * sizeof *p->mean);
    return 0;
}

static int ask(struct work *w, int i, struct xfv_trial *out)
{
    struct side *s = &w->side[i];
    int count = PLACES + w->o->places;
    size_t k = size_of(w, s, xfv_ablate_shares[XFV_ABLATE_TESTED]);
    for (size_t j = 0; j < k; j++) s->mark[s->order[j]] = 1;
    w->at = s;
    w->to = s->f;
    int status = make_fill(w, i);
    if (!status) status = xfv_probe_run(w->probe, w->worker, w->pair->rgb[i], s->fill, count, mask, take, w, w->e);
    out->passes += count;
    return status ? status : w->status;
}

/* The score when the faces give these embeddings; NULL: that of the face as it is. */
static int score(const struct work *w, const float *a, const float *b, double *out)
{
    const float *x = a ? a : w->pair->embedding[0], *y = b ? b : w->pair->embedding[1];
    return (w->o->distance ? xfv_neg_distance : xfv_cosine)(x, y, (size_t)w->n_f, out, w->e);
}

/* With answer i of the faces that the view changes. */
static int score_of(const struct work *w, enum xfv_ablate_view view, int i, double *out)
{
    size_t at = (size_t)i * (size_t)w->n_f;
    const float *a = view == XFV_ABLATE_B ? NULL : w->side[0].f + at,
                *b = view == XFV_ABLATE_A ? NULL : w->side[1].f + at;
    return score(w, a, b, out);
}

static int turned(const struct work *w, const struct xfv_trial *t, double s)
{
    return (s >= w->pair->threshold) != (t->base >= w->pair->threshold);
}

static int see_view(struct work *w, enum xfv_ablate_view view, struct xfv_trial *t)
{
    struct xfv_ablate_result *v = &t->view[view];
    int status = 0;
    v->has = 1;
    v->turns = NAN;
    for (int i = 0; i < XFV_ABLATE_SHARES && !status; i++) status = score_of(w, view, i, &v->scores[i]);
    for (int i = XFV_ABLATE_SHARES - 1; i >= 0 && !status; i--)
        if (turned(w, t, v->scores[i])) v->turns = xfv_ablate_shares[i];
    if (!status) status = score_of(w, view, ALONE, &v->alone);
    for (int i = 0; i < w->o->places && !status; i++) status = score_of(w, view, PLACES + i, &v->elsewhere[i]);
    return status;
}

/* Which photograph turns the decision with the smaller share? */
static int first_to_turn(const struct xfv_trial *t)
{
    const struct xfv_ablate_result *a = &t->view[0], *b = &t->view[1];
    int by_a = a->has && !isnan(a->turns), by_b = b->has && !isnan(b->turns);
    return by_b && !(by_a && a->turns <= b->turns);
}

/* HALVINGS halvings between the smallest share of the list that turns the decision and the one before. Answer 0 is
 * lost. */
static int find_turn(struct work *w, struct xfv_trial *t)
{
    double low = 0, s;
    int status = 0, i = first_to_turn(t);
    t->turned = (enum xfv_ablate_view)i;
    t->turns = t->view[i].has ? t->view[i].turns : NAN;
    if (isnan(t->turns)) return 0;
    for (int k = 0; k < XFV_ABLATE_SHARES && xfv_ablate_shares[k] < t->turns; k++) low = xfv_ablate_shares[k];
    w->at = &w->side[i];
    w->to = w->side[i].f;
    for (int k = 0; k < HALVINGS && !status; k++) {
        w->share = (low + t->turns) / 2;
        status = xfv_probe_run(w->probe, w->worker, w->pair->rgb[i], w->at->fill, 1, mask_share, take, w, w->e);
        if (!status) status = w->status;
        if (!status) status = score_of(w, t->turned, 0, &s);
        t->passes++;
        if (!status && turned(w, t, s)) t->turns = w->share;
        else low = w->share;
    }
    t->view[i].turns = t->turns;
    return status;
}

/* ---- the trial ---- */

/* Of the photographs changed alone: control i, or -1 for the mark itself. */
static double mean_score(const struct xfv_trial *t, int i)
{
    double sum = 0;
    int n = 0;
    for (int v = XFV_ABLATE_A; v <= XFV_ABLATE_B; v++) {
        const struct xfv_ablate_result *x = &t->view[v];
        if (!x->has) continue;
        sum += i < 0 ? x->scores[XFV_ABLATE_TESTED] : x->elsewhere[i];
        n++;
    }
    return sum / n;
}

static void judge(const struct work *w, struct xfv_trial *t)
{
    t->places = w->o->places;
    t->score = mean_score(t, -1);
    t->rank = 1;
    t->elsewhere = 0;
    for (int i = 0; i < t->places; i++) {
        double other = mean_score(t, i);
        t->elsewhere += other / t->places;
        t->rank += t->minus ? other >= t->score : other <= t->score;
    }
    t->p = (double)t->rank / (1 + t->places);
}

static int allocate(struct work *w)
{
    size_t count = PLACES + (size_t)w->o->places;
    w->moves = malloc(count * sizeof *w->moves);
    int ok = w->moves != NULL;
    for (int i = 0; i < 2 && ok; i++) {
        struct side *s = &w->side[i];
        s->fill = malloc(3 * w->pixels * sizeof *s->fill);
        s->f = malloc(count * (size_t)w->n_f * sizeof *s->f);
        s->mark = calloc(w->pixels, 1);
        ok = s->fill && s->f && s->mark;
    }
    return ok ? 0 : xfv_fail(w->e, XFV_ENOMEM, "out of memory");
}

static void clear(struct work *w)
{
    for (int i = 0; i < 2; i++) {
        struct side *s = &w->side[i];
        free(s->order), free(s->fill), free(s->f), free(s->mark);
    }
    free(w->moves);
}

static int try(struct work *w, int has[2], struct xfv_random *r, struct xfv_trial *t)
{
    int status = allocate(w);
    if (!status) find_places(w, r);
    for (int i = 0; i < 2 && !status; i++)
        if (has[i]) status = ask(w, i, t);
    for (int v = 0; v < XFV_ABLATE_VIEWS && !status; v++)
        if ((v == XFV_ABLATE_B || has[0]) && (v == XFV_ABLATE_A || has[1]))
            status = see_view(w, (enum xfv_ablate_view)v, t);
    if (!status) judge(w, t);
    return status ? status : find_turn(w, t);
}

int xfv_ablate(const struct xfv_ablate_opts *o, struct xfv_probe *p, int worker, const struct xfv_ablate_pair *pair,
               float *const map[2], int minus, struct xfv_random r, struct xfv_trial *t, struct xfv_err *e)
{
    struct work w = {.o = o, .pair = pair, .probe = p, .worker = worker, .n_f = xfv_probe_n(p), .minus = minus, .e = e,
                     .pixels = (size_t)pair->height * (size_t)pair->width};
    int has[2] = {0, 0};
    memset(t, 0, sizeof *t);
    t->minus = minus;
    for (size_t i = 0; i < w.pixels; i++) w.oval += pair->oval[i];
    int status = w.oval ? 0 : xfv_fail(e, XFV_EDATA, "the face's oval lies outside the picture");
    if (!status) status = score(&w, NULL, NULL, &t->base);
    for (int i = 0; i < 2 && !status; i++) {
        if (!map[i]) continue;
        status = xfv_blur(map[i], pair->width, pair->height, o->blur * pair->width / 112, e);
        if (!status) status = rank(&w, &w.side[i], map[i], &r);
        has[i] = w.side[i].n > 0;
        t->marked[i] = 100 * (double)w.side[i].n / (double)w.oval;
    }
    t->tried = has[0] || has[1];
    if (!status && t->tried) status = try(&w, has, &r, t);
    clear(&w);
    return status;
}
