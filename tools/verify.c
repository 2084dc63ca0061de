/* verify: pairs of faces, their scores and the decision. See verify(1). */
#include <string.h>
#include <unistd.h>

#include "cli/table.h"
#include "stage/pairing.h"
#include "stage/stage.h"

struct verify {
    struct xfv_pairing p;
    int table, heading; /* table: enum xfv_table_form */
    struct xfv_table out;
};

/* ---- options ---- */

static int set_mode(struct verify *v, enum xfv_pairing_mode m, struct xfv_err *e)
{
    if (v->p.mode != XFV_PAIR_CONSECUTIVE && v->p.mode != m)
        return xfv_fail(e, XFV_EARG, "--all, --pairs and --probe exclude each other");
    v->p.mode = m;
    return 0;
}

static int set_all(void *ctx, const char *s, struct xfv_err *e)
{
    (void)s;
    return set_mode(ctx, XFV_PAIR_ALL, e);
}

static int set_pairs(void *ctx, const char *s, struct xfv_err *e)
{
    ((struct verify *)ctx)->p.list_path = s;
    return set_mode(ctx, XFV_PAIR_LIST, e);
}

static int set_probe(void *ctx, const char *s, struct xfv_err *e)
{
    ((struct verify *)ctx)->p.probe = s;
    return set_mode(ctx, XFV_PAIR_PROBE, e);
}

static int set_drop(void *ctx, const char *s, struct xfv_err *e)
{
    static const char *const names[] = {"image", "embedding", NULL};
    int i;
    int status = xfv_parse_choice("--drop", s, names, &i, e);
    if (!status) ((struct verify *)ctx)->p.d.drop |= i ? XFV_DROP_EMBEDDING : XFV_DROP_IMAGE;
    return status;
}

static int set_shard(void *ctx, const char *s, struct xfv_err *e)
{
    return xfv_parse_shard("--shard", s, &((struct verify *)ctx)->p.shard, e);
}

static const struct xfv_opt options[] = {
    {"all", 'a', NULL, "every pair of two faces (holds them all in memory)", XFV_OPT_RESULT, .set = set_all},
    {"pairs", 'p', "FILE", "pairs by id: two ids and perhaps a label a line, or LFW's pairs.txt (-: standard input)",
     XFV_OPT_READS, .set = set_pairs},
    {"probe", 0, "ID", "the face of this id with every other one", XFV_OPT_RESULT, .set = set_probe},
    {"shard", 0, "I/N", "of the pairs of --pairs or --all the I-th of N equal parts, in order", 0, .set = set_shard},
    {"best", 0, "K", "with --all or --probe: for each face, or for the probe, the K faces most alike", XFV_OPT_RESULT,
     XFV_TO_INT(struct verify, p.best, 1, 1000000)},
    {"above", 0, "X", "with --all or --probe: only pairs whose score is X or more", XFV_OPT_RESULT,
     XFV_TO_F64(struct verify, p.above, -1e6, 1e6), XFV_GIVEN(struct verify, p.given_above)},
    {"threshold", 't', "X", "accept scores of X and more (default: the model's own)", XFV_OPT_RESULT,
     XFV_TO_F64(struct verify, p.d.threshold, -1e6, 1e6), XFV_GIVEN(struct verify, p.d.given_threshold)},
    {"at", 0, "NAME", "a threshold of the model: default, eer, fmr=1e-3, ... (see model-info)", XFV_OPT_RESULT,
     XFV_TO_TEXT(struct verify, p.d.at, 0)},
    XFV_OPT_TABLE(struct verify, table),
    {"header", 0, NULL, "begin the tab-separated table with the columns' names", 0,
     XFV_TO_FLAG(struct verify, heading, 1)},
    {"exit-status", 'e', NULL, "status 1 when some pair is rejected", 0,
     XFV_TO_FLAG(struct verify, p.d.exit_status, 1)},
    {"drop", 0, "KEY", "leave image or embedding out of the pairs (may be given twice)", XFV_OPT_RESULT | XFV_OPT_MANY,
     .set = set_drop},
    {0},
};

/* Standard input holds either the list or faces. */
static int check_stdin(const struct verify *v, struct xfv_err *e)
{
    char **file;
    int n = xfv_cli_operands(v->p.d.c, &file), faces = n == 0;
    for (int i = 0; i < n; i++) faces |= !strcmp(file[i], "-");
    if (!faces || !v->p.list_path || strcmp(v->p.list_path, "-")) return 0;
    return xfv_fail(e, XFV_EARG, "--pairs - reads the list from standard input: name the file of the faces");
}

static int set_up(struct verify *v, struct xfv_err *e)
{
    struct xfv_decider *d = &v->p.d;
    if (check_stdin(v, e)) return e->status;
    if (d->given_threshold && d->at) return xfv_fail(e, XFV_EARG, "--threshold and --at exclude each other");
    if (!v->table && !xfv_cli_out_path(d->c) && isatty(STDOUT_FILENO)) v->table = XFV_TABLE_TSV;
    if (v->p.shard.n && v->p.mode != XFV_PAIR_LIST && v->p.mode != XFV_PAIR_ALL)
        return xfv_fail(e, XFV_EARG, "--shard takes a part of the pairs of --pairs or --all: give one of them");
    if ((v->p.best || v->p.given_above) && v->p.mode != XFV_PAIR_ALL && v->p.mode != XFV_PAIR_PROBE)
        return xfv_fail(e, XFV_EARG, "--best and --above choose among the pairs of --all or --probe: give one of them");
    if (v->heading && !v->table) return xfv_fail(e, XFV_EARG, "--header is for the table: give --tsv too");
    for (int second = 0; v->p.list_path && second < 2; second++) {
        char *beside = xfv_pair_list_beside(v->p.list_path, second);
        if (beside) xfv_cli_may_read(d->c, beside);
        free(beside);
    }
    int status = xfv_cli_seal(d->c, e);
    if (!status) status = xfv_pairing_open(&v->p, e);
    if (status || !v->table) return status;
    static const char *const texts[] = {"id_a", "id_b", NULL};
    FILE *f = xfv_cli_out_file(d->c, e);
    if (!f || !(d->table = xfv_table_open(&v->out, (enum xfv_table_form)v->table, texts, f, e))) return e->status;
    if (v->heading || v->table != XFV_TABLE_TSV) fputs("id_a\tid_b\tscore\tthreshold\tdecision\tlabel\n", d->table);
    return 0;
}

int main(int argc, char **argv)
{
    static struct verify v;
    static const struct xfv_program program = {
        .name = "verify",
        .summary = "Pair faces, score the pairs and decide: faces with embeddings in, pairs (or a table) out.",
        .operands = "[FILE]...",
        .example = "verify --pairs pairs.csv --tsv faces.xfv",
        .flags = XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM | XFV_MAY_WRITE_TEXT | XFV_SEALS_LATER,
        .opts = options,
        .ctx = &v,
        .libraries = {&xfv_library_net}, /* OpenBLAS, for --best */
    };
    struct xfv_stage stage = {.ctx = &v.p,
                              .head = xfv_pairing_head,
                              .wants = xfv_pairing_wants,
                              .emit = xfv_pairing_take,
                              .finish = xfv_pairing_finish};
    struct xfv_err e = {0};
    int exit_status;
    struct xfv_cli *c = v.p.d.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!c) return exit_status;
    int status = set_up(&v, &e);
    stage.sink = v.table;
    if (v.table) stage.template = xfv_pairing_template;
    exit_status = status ? 0 : xfv_stage_run(c, NULL, &stage);
    if (!status) status = xfv_table_close(&v.out, &e);
    exit_status = xfv_cli_finish(c, status ? &e : NULL, exit_status);
    xfv_pairing_clear(&v.p);
    return exit_status;
}
