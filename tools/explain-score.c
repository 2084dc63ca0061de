/* explain-score: judges the maps of pairs by tests that know the truth or the other maps. The tests: measure/judge.h;
 * use: explain-score(1). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/table.h"
#include "cli/cli.h"
#include "measure/judge.h"
#include "base/lines.h"
#include "stage/stage.h"


struct score {
    struct xfv_cli *c;
    struct xfv_judge *judge;
    struct xfv_judge_opts o;
    int format, replicates;
    uint64_t seed;
    const char *against_path, *cost_path;
    struct xfv_reader *against;
    uint64_t n_pairs;
};

/* ---- the stream ---- */

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx;
    return xfv_rec_kind(r) == XFV_PAIR;
}

/* The next pair of the other stream, which must be the same pair. */
static int next_against(struct score *t, const msgpack_object *pair, struct xfv_rec **r, struct xfv_err *e)
{
    const char *id[2];
    size_t len[2];
    int status;
    while (!(status = xfv_reader_next(t->against, r, e)) && xfv_rec_kind(*r) != XFV_PAIR) xfv_rec_free(*r);
    if (status == XFV_EOF) return xfv_fail(e, XFV_EARG, "%s holds fewer pairs than the input", t->against_path);
    if (status) return status;
    if (xfv_get_str(pair, "id", &id[0], &len[0], e) || xfv_get_str(xfv_rec_root(*r), "id", &id[1], &len[1], e))
        status = e->status;
    else if (len[0] != len[1] || memcmp(id[0], id[1], len[0]))
        status = xfv_fail(e, XFV_EARG, "%s holds other pairs, or in another order", t->against_path);
    if (status) xfv_rec_free(*r);
    return status;
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct score *t = ctx;
    struct xfv_rec *other = NULL;
    const msgpack_object *pair = xfv_rec_root(*r);
    (void)w;
    int status = t->against ? next_against(t, pair, &other, e) : 0;
    if (!status) {
        status = xfv_judge_pair(t->judge, pair, other ? xfv_rec_root(other) : NULL, e);
        xfv_rec_free(other);
    }
    t->n_pairs += !status;
    return status;
}

/* Lines of method, passes and milliseconds a pair; a first line of names. Methods that were not judged are passed over.
 */
static int read_costs(struct score *t, struct xfv_err *e)
{
    struct xfv_sheet *sheet = xfv_judge_sheet(t->judge);
    FILE *f = fopen(t->cost_path, "re");
    char line[512], method[128], passes[64], ms[64];
    int status = 0, no = 0;
    if (!f) return xfv_fail(e, XFV_EIO, "cannot open '%s'", t->cost_path);
    while (!status && fgets(line, sizeof line, f)) {
        double v[2];
        no++;
        if (sscanf(line, "%127[^\t\n]\t%63[^\t\n]\t%63[^\t\n]", method, passes, ms) != 3)
            status = xfv_fail(e, XFV_EARG,
                              "--cost %s, line %d: method, passes and milliseconds, with tabs between them",
                              t->cost_path, no);
        if (status || (no == 1 && !strcmp(method, "method")) || !xfv_sheet_has(sheet, method)) continue;
        status = xfv_parse_f64("passes", passes, 0, 1e12, &v[0], e);
        if (!status) status = xfv_parse_f64("milliseconds", ms, 0, 1e12, &v[1], e);
        if (status) xfv_fail_at(e, "--cost %s, line %d", t->cost_path, no);
        if (!status) status = xfv_sheet_add_constant(sheet, method, "passes a pair", v[0], e);
        if (!status) status = xfv_sheet_add_constant(sheet, method, "ms a pair", v[1], e);
    }
    if (!status) status = xfv_lines_end(f, t->cost_path, e);
    fclose(f);
    return status;
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct score *t = ctx;
    (void)w;
    int status = xfv_judge_finish(t->judge, e);
    if (!status && t->cost_path) status = read_costs(t, e);
    if (status) return status;
    xfv_cli_info(t->c, "%llu pairs, %llu with a planted truth", (unsigned long long)t->n_pairs,
                 (unsigned long long)xfv_judge_truths(t->judge));
    char why[200];
    if (xfv_stage_no_pairs(t->c, "verify and an explainer (fggb-grad)", why, sizeof why))
        return xfv_fail(e, XFV_EDATA, "%s; nothing to judge", why);
    if (!t->n_pairs)
        return xfv_fail(e, XFV_EDATA,
                        "no pairs with maps: nothing to judge; run an explainer (fggb-grad) before explain-score");
    struct xfv_table table = {0};
    enum xfv_table_form form = (enum xfv_table_form)t->format;
    enum xfv_sheet_format how = xfv_table_of_sheet(&form);
    FILE *f = xfv_cli_out_file(t->c, e);
    f = f ? xfv_table_open(&table, form, NULL, f, e) : NULL;
    if (!f) return e->status;
    status = xfv_sheet_print(xfv_judge_sheet(t->judge), how, t->replicates, t->seed, f, e);
    int closed = xfv_table_close(&table, status ? NULL : e);
    return status ? status : closed;
}

/* ---- options ---- */

static const struct xfv_opt options[] = {
    XFV_OPT_TABLE(struct score, format),
    {"blur", 0, "SIGMA", "blur every map first (pixels, default 5; 0: not)",
     0, XFV_TO_F64(struct score, o.sigma, 0, 100)},
    {"effect", 0, "X", "of planted pairs only those whose score moved by X or more the right way (default 0: all)",
     0, XFV_TO_F64(struct score, o.effect, 0, 2)},
    {"against", 0, "FILE", "compare with the same pairs' maps in FILE: of a randomised network, of noisy images",
     XFV_OPT_READS, XFV_TO_TEXT(struct score, against_path, 0)},
    {"name", 0, "TEXT", "what FILE is called in the table (default other)",
     0, XFV_TO_TEXT(struct score, o.against, 63)},
    {"cost", 0, "FILE", "lines of method, passes and milliseconds a pair (TSV): two more columns",
     XFV_OPT_READS, XFV_TO_TEXT(struct score, cost_path, 0)},
    {"replicates", 0, "N", "of the bootstrap (default 1000)", 0, XFV_TO_INT(struct score, replicates, 0, 100000)},
    {"seed", 0, "N", "start of the generator of random numbers (default 0)", 0, XFV_TO_SEED(struct score, seed)},
    {0},
};

static int open_against(struct score *t, struct xfv_err *e)
{
    int fd = open(t->against_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return xfv_fail(e, XFV_EIO, "cannot open '%s'", t->against_path);
    int status = xfv_reader_open(&t->against, fd, 1, t->against_path, xfv_cli_limits(t->c), e);
    if (status) close(fd);
    return status;
}

int main(int argc, char **argv)
{
    static struct score t = {.o = {.sigma = 5, .against = "other"}, .replicates = 1000};
    static const struct xfv_program program = {
        .name = "explain-score",
        .summary = "Judge explanations: pairs with maps in (best with a planted truth), a table out.",
        .operands = "[FILE]...",
        .example = "plant --donors faces.xfv pairs.xfv | embed | verify | control-map | path-grad | explain-score "
                   "--markdown",
        .flags = XFV_READS_STREAM,
        .opts = options,
        .ctx = &t,
    };
    static const struct xfv_stage stage = {.ctx = &t, .wants = wants, .emit = emit, .finish = finish, .sink = 1};
    struct xfv_err e = {0};
    int exit_status;
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    t.judge = xfv_judge_new(&t.o);
    int status = t.judge ? 0 : xfv_fail(&e, XFV_ENOMEM, "out of memory");
    if (!status && t.against_path) status = open_against(&t, &e);
    exit_status = status ? xfv_cli_finish(t.c, &e, 0) : xfv_cli_finish(t.c, NULL, xfv_stage_run(t.c, NULL, &stage));
    if (t.against) xfv_reader_close(t.against);
    xfv_judge_free(t.judge);
    return exit_status;
}
