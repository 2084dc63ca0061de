/* regions: how much of each map lies on the eyes, the nose, ...; and whether groups of people differ in it. Layout of
 * the regions: measure/regions.h; statistics: measure/groups.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "cli/cli.h"
#include "measure/explained.h"
#include "measure/groups.h"
#include "base/field.h"
#include "pair/identity.h"
#include "stage/stage.h"
#include "stream/put.h"
#include "pair/maps.h"

struct regions {
    struct xfv_cli *c;
    int form, heading_done, replicates, identity; /* form: enum xfv_table_form */
    struct xfv_table table;
    uint64_t seed;
    const char *groups_path, *points_path, *plot_path, *against;
    struct xfv_landmarks points;
    int has_points;
    struct xfv_groups *groups;
    struct xfv_explained x;
    uint64_t pairs, without_maps, without68, from_template;
    FILE *out;
};

/* ---- one pair ---- */

static const char *const sign_names[2][2] = {{"similarity", "dissimilarity"}, {"signed+", "signed-"}};

static const char *part_name(const struct xfv_view_row *r, int sign, char *buf, size_t cap)
{
    if (!r->signed_key[0]) return sign_names[0][sign];
    snprintf(buf, cap, "%s%c", r->signed_key, sign ? '-' : '+');
    return buf;
}

static int put_shares(msgpack_zone *z, msgpack_object *map, const char *key, const struct xfv_region_shares *s,
                      int mass, struct xfv_err *e)
{
    msgpack_object v = xfv_val_map(z);
    struct xfv_put put = xfv_put_into(z, &v, e);
    if (mass) xfv_put_f64(&put, "mass", s->mass);
    for (int k = 0; k < XFV_REGIONS && isfinite(s->share[k]); k++) xfv_put_f64(&put, xfv_region_names[k], s->share[k]);
    return put.status ? put.status : xfv_map_put(z, map, key, v, e);
}

/* The value of "regions" of the entry `at` of the pair's list "maps". */
static int entry_regions(const struct regions *g, int at, msgpack_zone *z, msgpack_object *out, struct xfv_err *e)
{
    const struct xfv_explained *x = &g->x;
    int status = 0;
    *out = xfv_val_map(z);
    for (int side = 0; side < 2 && !status; side++) {
        msgpack_object face = xfv_val_map(z);
        status = xfv_map_put(z, &face, "from", xfv_val_str(z, xfv_region_source_names[x->from[side]]), e);
        if (!status) status = put_shares(z, &face, "area", &x->area[side], 0, e);
        for (int i = 0; i < x->view.n_rows; i++) {
            for (int sign = 0; sign < 2 && !status && x->view.row[i].entry == at; sign++) {
                char name[64];
                if (!x->row[i].part[side][sign].has) continue;
                status = put_shares(z, &face, part_name(&x->view.row[i], sign, name, sizeof name),
                                    &x->row[i].part[side][sign].shares, 1, e);
            }
        }
        if (!status) status = xfv_map_put(z, out, side ? "b" : "a", face, e);
    }
    return status;
}

static int add_to_record(const struct regions *g, struct xfv_rec *r, struct xfv_err *e)
{
    msgpack_object *maps = xfv_map_get_mut(xfv_rec_root(r), XFV_KEY_MAPS);
    int status = 0;
    for (uint32_t i = 0; maps && i < maps->via.array.size && !status; i++) {
        msgpack_object v;
        status = entry_regions(g, (int)i, xfv_rec_zone(r), &v, e);
        if (!status) status = xfv_map_put(xfv_rec_zone(r), &maps->via.array.ptr[i], "regions", v, e);
    }
    return status;
}

static int print_rows(struct regions *g, const char *id, size_t n_id, struct xfv_err *e)
{
    FILE *f = g->out;
    if (!g->heading_done) {
        fputs("pair\tface\tmethod\tmap\tfrom\tmass", f);
        for (int k = 0; k < XFV_REGIONS; k++) fprintf(f, "\t%s", xfv_region_names[k]);
        putc('\n', f);
    }
    g->heading_done = 1;
    for (int k = 0; k < 4 * g->x.view.n_rows; k++) {
        int i = k / 4, side = k / 2 % 2, sign = k % 2;
        char name[64];
        const struct xfv_view_row *r = &g->x.view.row[i];
        if (!g->x.row[i].part[side][sign].has) continue;
        const struct xfv_region_shares *s = &g->x.row[i].part[side][sign].shares;
        xfv_put_field(f, id, n_id, "");
        fprintf(f, "\t%c\t", side ? 'b' : 'a');
        xfv_put_field(f, r->method, strlen(r->method), "");
        putc('\t', f);
        const char *part = part_name(r, sign, name, sizeof name);
        xfv_put_field(f, part, strlen(part), "");
        fprintf(f, "\t%s\t%.6g", xfv_region_source_names[g->x.from[side]], s->mass);
        for (int j = 0; j < XFV_REGIONS; j++)
            isfinite(s->share[j]) ? fprintf(f, "\t%.5f", s->share[j]) : fputs("\tNA", f);
        putc('\n', f);
    }
    return ferror(f) ? xfv_fail(e, XFV_EIO, "cannot write") : 0;
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct regions *g = ctx;
    const char *id = "";
    size_t n = 0;
    if (xfv_get_str(xfv_rec_map(*r), "id", &id, &n, NULL)) n = 0;
    int status = xfv_explained_read(xfv_rec_map(*r), NULL, g->has_points ? &g->points : NULL, &g->x, e);
    if (!status && g->x.generic)
        status = xfv_fail_code(e, XFV_EDATA, "noface",
                               "the pair is of whole pictures (facecrop --whole), which have no eyes, nose and mouth "
                               "to measure");
    if (!status && g->x.view.problem[0])
        xfv_cli_record_failed(g->c, xfv_stage_record_no(g->c), id, n, g->x.view.problem);
    for (int side = 0; side < 2 && !status; side++) {
        g->without68 += g->has_points && g->x.from[side] != XFV_FROM_68;
        g->from_template += g->x.from[side] == XFV_FROM_TEMPLATE;
    }
    g->pairs++;
    g->without_maps += !status && !g->x.view.n_rows && !g->groups;
    if (!status && g->groups) status = xfv_groups_add(g->groups, xfv_rec_map(*r), &g->x.view, g->x.row, e);
    else if (!status && g->form) status = print_rows(g, id, n, e);
    else if (!status) status = add_to_record(g, *r, e);
    if (!status && w) status = xfv_writer_put(w, *r, e);
    xfv_explained_clear(&g->x);
    return status;
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx;
    return xfv_rec_kind(r) == XFV_PAIR;
}

/* ---- the end ---- */

static int write_plot(const struct regions *g, struct xfv_err *e)
{
    struct xfv_outfile *o;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    xfv_groups_plot(g->groups, f);
    if (fclose(f)) return free(text), xfv_fail(e, XFV_ENOMEM, "out of memory");
    int status = xfv_outfile_open(&o, g->plot_path, XFV_OUT_TEXT, e);
    if (!status) {
        status = xfv_outfile_write(o, text, n, e);
        if (!status) status = xfv_outfile_commit(o, e);
        else xfv_outfile_discard(o);
    }
    free(text);
    return status;
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct regions *g = ctx;
    (void)w;
    xfv_stage_tell_no_pairs(g->c, "verify and an explainer (fggb-grad)", "");
    if (g->without_maps) {
        xfv_cli_warn(g->c, "%llu of %llu pairs have no maps: run an explainer (fggb-grad) before regions",
                     (unsigned long long)g->without_maps, (unsigned long long)g->pairs);
        xfv_cli_some_failed(g->c);
    }
    if (g->without68)
        xfv_cli_warn(g->c, "%llu faces are not in '%s': their regions come from five points",
                     (unsigned long long)g->without68, g->points_path);
    if (g->from_template)
        xfv_cli_info(g->c, "%llu faces without landmarks: their regions come from the template",
                     (unsigned long long)g->from_template);
    if (!g->groups || !g->pairs) return 0;
    int status = xfv_groups_compare(g->groups, g->against, g->replicates, g->seed, e);
    if (!status) xfv_groups_print(g->groups, g->form == XFV_TABLE_MARKDOWN, g->out);
    for (int i = 0; !status && i < xfv_groups_notes(g->groups); i++)
        xfv_cli_warn(g->c, "%s", xfv_groups_note(g->groups, i));
    if (!status && g->plot_path) status = write_plot(g, e);
    return status ? status : ferror(g->out) ? xfv_fail(e, XFV_EIO, "cannot write") : 0;
}

static int read_points(struct regions *g, struct xfv_err *e)
{
    FILE *f = fopen(g->points_path, "r");
    if (!f) return xfv_fail(e, XFV_EIO, "--landmarks68: cannot open '%s'", g->points_path);
    int status = xfv_landmarks_read_n(f, g->points_path, 68, &g->points, e);
    fclose(f);
    g->has_points = 1;
    return status;
}

/* The table of --groups has a form in Markdown of its own, with notes. */
static int open_table(struct regions *g, struct xfv_err *e)
{
    static const char *const texts[] = {"pair", "method", "map", "group", "against", NULL};
    enum xfv_table_form form = g->form ? (enum xfv_table_form)g->form : XFV_TABLE_TSV;
    FILE *f = xfv_cli_out_file(g->c, e);
    if (g->groups_path && form == XFV_TABLE_MARKDOWN) form = XFV_TABLE_TSV;
    g->out = f ? xfv_table_open(&g->table, form, texts, f, e) : NULL;
    return g->out ? 0 : e->status;
}

static int run(struct regions *g, int *exit_status, struct xfv_err *e)
{
    struct xfv_stage stage = {
        .ctx = g, .window = 1, .wants = wants, .emit = emit, .finish = finish, .sink = g->form || g->groups_path};
    int status = 0;
    if (!g->groups_path && (g->plot_path || g->against))
        return xfv_fail(e, XFV_EARG, "--plot and --against go with --groups");
    if (g->points_path) status = read_points(g, e);
    if (!status && g->groups_path)
        status = xfv_groups_new(&g->groups, g->groups_path, (enum xfv_identity)g->identity, e);
    if (!status && stage.sink) status = open_table(g, e);
    if (!status) *exit_status = xfv_stage_run(g->c, NULL, &stage);
    if (!status && stage.sink) status = xfv_table_close(&g->table, e);
    xfv_groups_free(g->groups);
    xfv_landmarks_clear(&g->points);
    return status;
}

/* ---- options ---- */

int main(int argc, char **argv)
{
    static struct regions g = {.replicates = 2000};
    static const struct xfv_opt opts[] = {
        XFV_OPT_TABLE(struct regions, form),
        {"landmarks68", 0, "FILE", "lines of a path and 136 numbers: outlines of 68 points",
         XFV_OPT_RESULT | XFV_OPT_READS, XFV_TO_TEXT(struct regions, points_path, 0)},
        {"groups", 0, "FILE", "lines of a face's id, TAB, its group (and TAB, its person): compare the groups",
         XFV_OPT_READS, XFV_TO_TEXT(struct regions, groups_path, 0)},
        {"against", 0, "GROUP", "compare each group with this one (default: with all the others together)",
         0, XFV_TO_TEXT(struct regions, against, 0)},
        {"plot", 0, "FILE", "with --groups: write a gnuplot script with the data in it",
         XFV_OPT_WRITES, XFV_TO_TEXT(struct regions, plot_path, 0)},
        {"identity", 0, "RULE", "where an id names the person (default name: the file name less _digits)",
         0, XFV_TO_CHOICE(struct regions, identity, xfv_identity_rules)},
        {"replicates", 0, "N", "bootstrap replicates (2000)", 0, XFV_TO_INT(struct regions, replicates, 100, 100000)},
        {"seed", 0, "N", "start of the generator of random numbers (default 0)", 0, XFV_TO_SEED(struct regions, seed)},
        {0},
    };
    static const struct xfv_program program = {
        .name = "regions",
        .summary = "how much of each map lies on eyes, nose, mouth ...: explained pairs in, the same with shares out; "
                   "or a table",
        .operands = "[FILE]...",
        .example = "regions --groups age.tsv --markdown explained.xfv",
        .flags = XFV_READS_STREAM | XFV_WRITES_STREAM | XFV_MAY_WRITE_TEXT,
        .opts = opts,
        .ctx = &g,
    };
    int status = 0;
    struct xfv_err e = {0};
    g.c = xfv_cli_start(&program, argc, argv, &status);
    if (!g.c) return status;
    int failed = run(&g, &status, &e);
    return xfv_cli_finish(g.c, failed ? &e : NULL, status);
}
