/* calibrate: thresholds from labelled pairs, put into a copy of the model. See calibrate(1). */
#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "measure/calibrate.h"
#include "net/model/model.h"
#include "stage/stage.h"
#include "pair/label.h"

#define MAX_GOALS 8

struct calibrate {
    struct xfv_cli *c;
    struct xfv_model *model;
    struct xfv_scores scores;
    uint64_t unlabelled;
    /* options */
    char goal[MAX_GOALS][24]; /* as given: part of the threshold's name */
    double fmr[MAX_GOALS];
    int n_goals;
    const char *data, *standard;
};

/* ---- pairs ---- */

static int head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                struct xfv_err *e)
{
    struct calibrate *t = ctx;
    (void)set, (void)zone, (void)extra;
    return xfv_cli_stream_model(t->c, in, &t->model, e);
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx;
    return xfv_rec_kind(r) == XFV_PAIR;
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct calibrate *t = ctx;
    const msgpack_object *root = xfv_rec_root(*r), *faces[2] = {xfv_map_get(root, "a"), xfv_map_get(root, "b")};
    struct xfv_err why;
    double score;
    int genuine, status;
    (void)w;
    for (int i = 0; i < 2; i++)
        if (faces[i] && faces[i]->type == MSGPACK_OBJECT_MAP && (status = xfv_cli_face_model(faces[i], t->model, e)))
            return status;
    if (xfv_get_f64(root, "score", &score, &why))
        return xfv_fail_code(e, XFV_EDATA, "score", "the pair has no score: run verify before calibrate");
    if (!isfinite(score)) return xfv_fail_code(e, XFV_EDATA, "score", "the pair's score is not finite");
    if ((genuine = xfv_pair_label(root)) == XFV_LABEL_NONE) {
        t->unlabelled++;
        return 0;
    }
    if (genuine < 0) return xfv_fail_code(e, XFV_EDATA, "label", "the pair's label is not one of " XFV_LABEL_WORDS);
    return xfv_scores_add(&t->scores, score, genuine, 0, e);
}

/* ---- thresholds ---- */

/* Replace the threshold of this name, or add it. */
static int put_threshold(struct calibrate *t, const struct xfv_threshold *th, struct xfv_err *e)
{
    struct xfv_model *m = t->model;
    int i = 0;
    while (i < m->n_thresholds && strcmp(m->thresholds[i].name, th->name) != 0) i++;
    if (i == (int)(sizeof m->thresholds / sizeof *m->thresholds))
        return xfv_fail(e, XFV_EARG, "the model holds %d thresholds already, which is the most", i);
    m->thresholds[i] = *th;
    if (i == m->n_thresholds) m->n_thresholds++;
    return 0;
}

static int add_one(struct calibrate *t, const char *name, double fmr, struct xfv_err *e)
{
    struct xfv_threshold th;
    char caveat[400];
    int status = xfv_calibrate(&t->scores, name, fmr, t->data, &th, e);
    if (status || (status = put_threshold(t, &th, e))) return status;
    xfv_cli_info(t->c,
                 "%s: %.6f; FMR %.3g [%.2g, %.2g] of %d impostor pairs, FNMR %.3g [%.2g, %.2g] of %d genuine pairs",
                 th.name, th.value, th.fmr, th.fmr_interval[0], th.fmr_interval[1], th.impostor, th.fnmr,
                 th.fnmr_interval[0], th.fnmr_interval[1], th.genuine);
    if (xfv_threshold_caveat(&th, caveat, sizeof caveat)) xfv_cli_warn(t->c, "%s", caveat);
    return 0;
}

/* Cosines have a range of their own; other scores that of the pairs. */
static void keep_scores(struct calibrate *t)
{
    const struct xfv_scores *s = &t->scores;
    double low = s->score[0], high = s->score[0];
    for (size_t i = 1; i < s->n; i++) low = fmin(low, s->score[i]), high = fmax(high, s->score[i]);
    if (t->model->score == XFV_SCORE_COSINE) low = -1, high = 1;
    if (!(low < high)) return; /* one score is no distribution */
    t->model->calibration = xfv_histogram_new(low, high, t->data);
    for (size_t i = 0; i < s->n; i++) xfv_histogram_add(&t->model->calibration, s->score[i], s->genuine[i]);
}

/* "default" becomes a copy of one of the others. */
static int set_standard(struct calibrate *t, struct xfv_err *e)
{
    for (int i = 0; t->standard && i < t->model->n_thresholds; i++) {
        if (strcmp(t->model->thresholds[i].name, t->standard) != 0) continue;
        struct xfv_threshold th = t->model->thresholds[i];
        strcpy(th.name, "default");
        return put_threshold(t, &th, e);
    }
    return t->standard
               ? xfv_fail(e, XFV_EARG, "--default: there is no threshold '%.40s'; --fmr makes some", t->standard)
               : 0;
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct calibrate *t = ctx;
    (void)w;
    char name[32];
    if (t->unlabelled) xfv_cli_warn(t->c, "%llu pairs without a label left out", (unsigned long long)t->unlabelled);
    if (!t->model) return xfv_fail(e, XFV_EARG, "the input is empty");
    char why[200];
    if (xfv_stage_no_pairs(t->c, "verify --pairs with a list that has labels", why, sizeof why))
        return xfv_fail(e, XFV_EARG, "%s", why);
    if (!t->scores.n) return xfv_fail(e, XFV_EARG, "no labelled pairs: give verify a list with labels (--pairs)");
    int status = add_one(t, "eer", NAN, e);
    for (int i = 0; i < t->n_goals && !status; i++) {
        snprintf(name, sizeof name, "fmr=%s", t->goal[i]);
        status = add_one(t, name, t->fmr[i], e);
    }
    if (status || (status = set_standard(t, e))) return status;
    keep_scores(t);
    xfv_model_succeed(t->model);
    int fd = xfv_cli_out_fd(t->c, e);
    return fd < 0 ? fd : xfv_model_save(t->model, fd, e);
}

/* ---- options ---- */

static int set_fmr(void *ctx, const char *v, struct xfv_err *e)
{
    struct calibrate *t = ctx;
    for (;; v++) {
        size_t n = strcspn(v, ",");
        if (t->n_goals == MAX_GOALS || n >= sizeof *t->goal)
            return xfv_fail(e, XFV_EARG, "--fmr: at most %d rates with commas between", MAX_GOALS);
        char *text = t->goal[t->n_goals];
        memcpy(text, v, n);
        text[n] = '\0';
        int status = xfv_parse_f64("--fmr", text, 1e-9, 0.5, &t->fmr[t->n_goals], e);
        if (status) return status;
        t->n_goals++;
        v += n;
        if (!*v) return 0;
    }
}

static const struct xfv_opt options[] = {
    {"fmr", 0, "RATE[,RATE]...",
     "a threshold at each of these false match rates, beside the one at equal error (1e-2,1e-3)", XFV_OPT_MANY,
     .set = set_fmr},
    {"data", 0, "TEXT", "whose pairs these are, for the file", 0,
     XFV_TO_TEXT(struct calibrate, data, sizeof((struct xfv_threshold *)0)->data - 1)},
    {"default", 0, "NAME", "make this threshold (eer, fmr=1e-3) the model's own", 0,
     XFV_TO_TEXT(struct calibrate, standard, 0)},
    {0},
};

int main(int argc, char **argv)
{
    static struct calibrate t = {.data = ""};
    static const struct xfv_program program = {
        .name = "calibrate",
        .summary = "Measure thresholds on labelled pairs and put them into a copy of their model: pairs in, a model "
                   "out.",
        .operands = "[FILE]...",
        .example = "verify -t 0 --pairs labels.csv faces.xfv | calibrate --fmr 1e-2,1e-3 --data 'our visitors' -o "
                   "mine.xfvm",
        .flags = XFV_WRITES_MODEL | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_BINARY,
        .opts = options,
        .ctx = &t,
    };
    struct xfv_stage stage = {.ctx = &t, .head = head, .wants = wants, .emit = emit, .finish = finish, .sink = 1};
    int status;
    t.c = xfv_cli_start(&program, argc, argv, &status);
    if (!t.c) return status;
    if (t.n_goals == 0) set_fmr(&t, "1e-2,1e-3", NULL);
    status = xfv_cli_finish(t.c, NULL, xfv_stage_run(t.c, NULL, &stage));
    xfv_scores_clear(&t.scores);
    xfv_model_free(t.model);
    return status;
}
