/* Candidates of a search hold every row that belongs into the answer: against all scores in double, with ties, near
 * ties and rows without a direction. */
#include "pair/search.h"

#include "base/random.h"
#include "tap.h"

enum { N = 600, D = 48 };
static float v[N][D];
static double all[N][N];

static double cosine(size_t i, size_t j)
{
    double ab = 0, aa = 0, bb = 0;
    for (int k = 0; k < D; k++) {
        ab += (double)v[i][k] * (double)v[j][k];
        aa += (double)v[i][k] * (double)v[i][k];
        bb += (double)v[j][k] * (double)v[j][k];
    }
    return ab / sqrt(aa * bb);
}

struct seen { struct xfv_wish wish; int later; size_t calls, candidates, missing, wrong; };

/* A row belongs into the answer when fewer than `best` others have more, and it has `above`. */
static int found(void *ctx, size_t i, const size_t *rows, size_t n, struct xfv_err *e)
{
    struct seen *s = ctx;
    char given[N] = {0};
    (void)e;
    s->calls++;
    s->candidates += n;
    for (size_t k = 0; k < n; k++) {
        if (rows[k] == i || rows[k] >= N || given[rows[k]] || (k && rows[k] < rows[k - 1]) || (s->later && rows[k] < i))
            s->wrong++;
        given[rows[k]] = 1;
    }
    for (size_t j = s->later ? i + 1 : 0; j < N; j++) {
        double c = all[i][j];
        size_t better = 0;
        for (size_t k = 0; k < N && s->wish.best; k++) better += k != i && k != j && all[i][k] > c;
        if (j != i && !given[j] && c >= s->wish.above && (!s->wish.best || better < s->wish.best)) s->missing++;
    }
    return 0;
}

static int stop(void *ctx, size_t i, const size_t *rows, size_t n, struct xfv_err *e)
{
    (void)ctx, (void)rows, (void)n;
    return i == 3 ? xfv_fail(e, XFV_EDATA, "enough") : 0;
}

int main(void)
{
    struct xfv_random r = xfv_random_new(1, "search", 6);
    struct xfv_err e = {0};
    struct xfv_search *s = xfv_search_new(N, D);
    int bad = 0;
    for (size_t i = 0; i < N; i++) {
        for (int k = 0; k < D; k++) v[i][k] = (float)xfv_random_normal(&r) * (i % 7 ? 1.0f : 1e-12f);
        if (i > 20 && i < 60) memcpy(v[i], v[20], sizeof v[i]);                    /* 40 alike */
        if (i > 60 && i < 90) memcpy(v[i], v[20], sizeof v[i]), v[i][i % D] *= 1.0000001f; /* and 29 nearly so */
        bad += xfv_search_set(s, i, v[i]);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) all[i][j] = cosine(i, j);
    OK(!bad, "rows of any length have a direction");
    static const struct { struct xfv_wish wish; int later; size_t from, to;
    } asked[] = {
        {{1, -INFINITY}, 0, 0, N}, {{5, -INFINITY}, 0, 0, N}, {{5, 0.2}, 0, 100, 300},
        {{0, 0.3}, 1, 0, N},       {{0, 0.3}, 0, 0, 90},      {{N, -INFINITY}, 0, 20, 24},
    };
    for (size_t k = 0; k < sizeof asked / sizeof *asked; k++) {
        struct seen got = {.wish = asked[k].wish, .later = asked[k].later};
        int status = xfv_search_rows(s, asked[k].from, asked[k].to, asked[k].later, &asked[k].wish, found, &got, &e);
        OK(!status && got.calls == asked[k].to - asked[k].from && !got.missing && !got.wrong,
           "best %zu above %g: nothing is missing, %zu candidates a row", asked[k].wish.best, asked[k].wish.above,
           got.candidates / got.calls);
    }
    struct xfv_wish any = {2, -INFINITY};
    OK(xfv_search_rows(s, 0, N, 0, &any, stop, NULL, &e) == XFV_EDATA && !strcmp(e.msg, "enough"),
       "a status of the caller's ends the search");
    float none[D] = {0};
    OK(xfv_search_set(s, 0, none) == 1, "zeros have no direction");
    none[0] = NAN;
    OK(xfv_search_set(s, 0, none) == 1, "nor has NaN");
    xfv_search_free(s);
    return tap_done();
}
