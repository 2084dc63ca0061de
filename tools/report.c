/* report: explained pairs in, one HTML page out. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"
#include "stream/put.h"
#include "report/report.h"
#include "stage/answer.h"
#include "stage/stage.h"

static const double usual[] = {1e-1, 1e-2, 1e-3}; /* as roc's */

struct tool {
    struct xfv_cli *c;
    struct xfv_report_opts o;
    struct xfv_report *page;
    FILE *out;
    int say; /* enum xfv_answer */
    const char *groups_path;
    int identity, given_threshold;
    double threshold;
};

static int new_head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                    struct xfv_err *e)
{
    (void)set, (void)zone, (void)extra;
    return xfv_report_head(((struct tool *)ctx)->page, in, e);
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx;
    return xfv_rec_kind(r) == XFV_PAIR || xfv_rec_kind(r) == XFV_ERR;
}

static void text_of(const msgpack_object *map, const char *key, char *buf, size_t cap)
{
    if (xfv_get_text(map, key, buf, cap, NULL)) snprintf(buf, cap, "?");
}

static int say(const struct tool *t, const msgpack_object *pair, struct xfv_err *e)
{
    struct xfv_pairview view;
    int status = t->say ? xfv_pairview_read(pair, t->o.only_method, &view, e) : 0;
    if (!t->say) return 0;
    if (!status) xfv_answer_write(stdout, &view, (enum xfv_answer)t->say, 1);
    xfv_pairview_clear(&view);
    return status ? status : fflush(stdout) ? xfv_fail(e, XFV_EIO, "cannot write standard output") : 0;
}

/* --threshold: the pair is decided anew. */
static int decide(const struct tool *t, struct xfv_rec *r, struct xfv_err *e)
{
    msgpack_object *pair = xfv_rec_root(r);
    double score;
    if (!t->given_threshold || xfv_get_f64(pair, "score", &score, NULL) || !isfinite(score)) return 0;
    struct xfv_put put = xfv_put_into(xfv_rec_zone(r), pair, e);
    xfv_put_f64(&put, "threshold", t->threshold);
    xfv_put_bool(&put, "accept", score >= t->threshold);
    return put.status;
}

static int emit(void *ctx, struct xfv_rec **rec, struct xfv_writer *w, struct xfv_err *e)
{
    struct tool *t = ctx;
    const msgpack_object *map = xfv_rec_map(*rec);
    const char *id = "";
    size_t n = 0;
    char problem[256], tool[64], message[1024];
    (void)w;
    if (xfv_get_str(map, "id", &id, &n, NULL)) n = 0;
    if (xfv_rec_kind(*rec) == XFV_ERR) {
        text_of(map, "tool", tool, sizeof tool);
        text_of(map, "message", message, sizeof message);
        xfv_stage_tell_error(t->c, map);
        return xfv_report_error(t->page, id, n, tool, message, e);
    }
    int status = decide(t, *rec, e);
    if (!status) status = xfv_report_pair(t->page, map, problem, e);
    if (status == XFV_EDATA) { /* told on the page, and as a failure of this record */
        int bad = xfv_report_error(t->page, id, n, "report", e->msg, e);
        return bad ? bad : XFV_EDATA;
    }
    if (!status && problem[0]) xfv_cli_record_failed(t->c, xfv_stage_record_no(t->c), id, n, problem);
    return status ? status : say(t, map, e);
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct tool *t = ctx;
    char note[512];
    (void)w;
    xfv_stage_tell_no_pairs(t->c, "verify and an explainer (fggb-grad)", "");
    int status = xfv_report_write(t->page, t->out, note, e);
    if (!status && note[0]) xfv_cli_warn(t->c, "%s", note);
    return status;
}

static int run(struct tool *t, int *exit_status, struct xfv_err *e)
{
    struct xfv_stage stage = {
        .ctx = t, .window = 1, .head = new_head, .wants = wants, .emit = emit, .finish = finish, .sink = 1};
    t->o.beside = xfv_cli_out_path(t->c);
    int status = 0;
    if (t->say && (!t->o.beside || !strcmp(t->o.beside, "-")))
        status = xfv_fail(e, XFV_EARG, "--say: the page goes to standard output; give it a file with -o");
    if (!status && t->groups_path)
        status = xfv_groups_new(&t->o.groups, t->groups_path, (enum xfv_identity)t->identity, e);
    if (!status) status = xfv_report_new(&t->page, &t->o, e);
    if (t->o.photographs) xfv_cli_may_read_any(t->c); /* only the stream tells their names */
    if (!status) status = xfv_cli_seal(t->c, e); /* what it keeps aside is open */
    if (!status && !(t->out = xfv_cli_out_file(t->c, e))) status = e->status;
    if (!status) *exit_status = xfv_stage_run(t->c, NULL, &stage);
    xfv_report_free(t->page);
    xfv_groups_free(t->o.groups);
    return status;
}

static int set_fmr(void *ctx, const char *s, struct xfv_err *e)
{
    struct tool *t = ctx;
    if (t->o.n_fmr == XFV_REPORT_FMRS) return xfv_fail(e, XFV_EARG, "at most %d --fmr", XFV_REPORT_FMRS);
    return xfv_parse_f64("--fmr", s, 0, 1, &t->o.fmr[t->o.n_fmr++], e);
}

static const char *const rescale_names[] = {"pair", "each", NULL};

int main(int argc, char **argv)
{
    static struct tool t = {.o = {.sigma = 5}};
    static const struct xfv_opt opts[] = {
        {"title", 0, "TEXT", "the page's title", 0, XFV_TO_TEXT(struct tool, o.title, 0)},
        {"blur", 'b', "SIGMA", "Gaussian blur of the maps in face pixels, for display only (default 5; 0: none)",
         0, XFV_TO_F64(struct tool, o.sigma, 0, 1000)},
        {"rescale", 'r', "HOW", "one colour scale for the maps of a pair (default), or for each",
         0, XFV_TO_CHOICE(struct tool, o.each, rescale_names)},
        {"method", 0, "NAME", "show the maps of this method only", 0, XFV_TO_TEXT(struct tool, o.only_method, 0)},
        {"threshold", 't', "X", "decide at X (default: the pair's own threshold)",
         0, XFV_TO_F64(struct tool, threshold, -1e6, 1e6), XFV_GIVEN(struct tool, given_threshold)},
        {"fmr", 0, "X", "look for the threshold of this false match rate, too (default .1, .01, .001)",
         XFV_OPT_MANY, .set = set_fmr},
        {"groups", 0, "FILE", "lines of a face's id, TAB, its group (and TAB, its person): compare error rates",
         XFV_OPT_READS, XFV_TO_TEXT(struct tool, groups_path, 0)},
        {"identity", 0, "RULE", "where an id names the person (default name: the file name less _digits)",
         0, XFV_TO_CHOICE(struct tool, identity, xfv_identity_rules)},
        {"photographs", 0, NULL, "read the photographs again and show each with its face's box beside the crop",
         0, XFV_TO_FLAG(struct tool, o.photographs, 1)},
        {"say", 0, "HOW", "with -o FILE: tell on standard output what each pair says (default no)",
         0, XFV_TO_CHOICE(struct tool, say, xfv_answers)},
        {0},
    };
    static const struct xfv_program program = {
        .name = "report",
        .summary = "explained pairs in, one self-contained HTML page out",
        .operands = "[FILE]...",
        .example = "facecrop a.jpg b.jpg | embed | verify | fggb-grad | report -o report.html",
        .flags = XFV_WRITES_PAGE | XFV_SEALS_LATER | XFV_READS_STREAM | XFV_WRITES_BINARY,
        .opts = opts,
        .ctx = &t,
    };
    int status = 0;
    struct xfv_err e = {0};
    t.c = xfv_cli_start(&program, argc, argv, &status);
    if (!t.c) return status;
    for (size_t i = 0; !t.o.n_fmr && i < sizeof usual / sizeof *usual; i++) t.o.fmr[i] = usual[i];
    if (!t.o.n_fmr) t.o.n_fmr = (int)(sizeof usual / sizeof *usual);
    int failed = run(&t, &status, &e);
    return xfv_cli_finish(t.c, failed ? &e : NULL, status);
}
