/* delins: Deletion and Insertion, the yardstick for explained pairs. What is measured: measure/delins.h; use and
 * presets: delins(1). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "pair/identity.h"
#include "stage/asker.h"
#include "stage/blackbox.h"
#include "stage/restore.h"
#include "measure/delins.h"
#include "measure/tally.h"
#include "stage/stage.h"
#include "pair/maps.h"

enum map { SIMILARITY, DISSIMILARITY, SIGNED, MAP_AUTO, SIGNED_AUTO };
enum image { IMAGE_A, IMAGE_B, IMAGE_BOTH, IMAGE_AUTO };
enum pairs { ALL, GENUINE, IMPOSTOR };
static const char *const maps[] = {"similarity", "dissimilarity", "signed", "auto", "signed-auto", NULL};
static const char *const images[] = {"a", "b", "both", "auto", NULL};
static const char *const kinds[] = {"all", "genuine", "impostor", NULL};
static const char *const fills[] = {"black", "grey", "mean", "blur", "partner", NULL};
static const char *const ties[] = {"position", "random", "together", NULL};
enum protocol { LU2024, FAME2026, DPR };
static const char *const protocols[] = {"lu2024", "fame2026", "dpr", NULL};
static const char *const tables[] = {"summary", "curves", "pairs", NULL};
static const char *const curve_list = "delins", *const restored_list = "dpr"; /* keys of a pair */

struct worker {
    float *map[2];
    uint32_t *order[2];
    double *curve[2]; /* deletion, insertion */
    float *spare;
};

/* What a protocol says; -1 where no option does. */
struct setting { int map, image, pairs, fill, ties, steps; double blur; };
static const struct setting settings[] = {
    {MAP_AUTO, IMAGE_AUTO, ALL, XFV_FILL_BLACK, XFV_TIES_RANDOM, 10, 0},     /* lu2024, our reading: see delins(1) */
    {SIMILARITY, IMAGE_A, ALL, XFV_FILL_BLACK, XFV_TIES_TOGETHER, 10, 5},    /* fame2026 */
    {0, 0, ALL, 0, XFV_TIES_RANDOM, 1, 5},                                   /* dpr: stage/restore.h */
};

struct delins {
    struct xfv_blackbox box; /* the network that is asked: the model, or --exec; its common.threshold */
    struct xfv_asker a;
    /* options */
    struct setting set;
    struct xfv_delins_opts o;
    int protocol, table, identity, replicates, format; /* format: enum xfv_table_form */
    const char *methods[64];
    int n_methods, reference_given;
    const char *reference;
    char met[400]; /* names of methods that came, for messages */
    int met_wanted, met_reference;
    uint64_t n_pairs;
    struct worker *workers;      /* for the model that is open */
    struct xfv_restore *restore; /* with the protocol dpr, instead */
    struct xfv_sheet *sheet;
    struct xfv_tally *tally;
    struct xfv_table lines;
    enum xfv_sheet_format sheet_form; /* of the protocol dpr */
    FILE *out;
};

/* ---- memory that depends on the model ---- */

static void close_model(struct delins *t)
{
    xfv_blackbox_close(&t->box);
    xfv_restore_free(t->restore);
    t->restore = NULL;
    for (int i = 0; t->workers && i < xfv_pool_size(t->a.pool); i++) {
        free(t->workers[i].spare);
        for (int j = 0; j < 2; j++)
            free(t->workers[i].map[j]), free(t->workers[i].order[j]), free(t->workers[i].curve[j]);
    }
    free(t->workers);
    t->workers = NULL;
}

static int make_workers(struct delins *t, struct xfv_err *e)
{
    size_t pixels = (size_t)t->a.model->height * (size_t)t->a.model->width;
    int workers = xfv_pool_size(t->a.pool);
    t->workers = calloc((size_t)workers, sizeof *t->workers);
    int ok = t->workers != NULL;
    for (int i = 0; ok && i < workers; i++) {
        struct worker *w = &t->workers[i];
        ok = (w->spare = malloc(pixels * sizeof(float))) != NULL;
        for (int j = 0; j < 2; j++) {
            w->map[j] = malloc(pixels * sizeof(float));
            w->order[j] = malloc(pixels * sizeof(uint32_t));
            w->curve[j] = malloc(((size_t)t->o.steps + 1) * sizeof(double));
            ok = ok && w->map[j] && w->order[j] && w->curve[j];
        }
    }
    return ok ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static int open_model(struct delins *t, struct xfv_err *e)
{
    close_model(t);
    int status = xfv_asker_open(&t->a, 1, e);
    struct xfv_explain_env env = {t->a.c, t->a.model, t->a.net, t->a.n, xfv_pool_size(t->a.pool), t->a.pool};
    t->o.distance = t->a.model->score == XFV_SCORE_EUCLIDEAN;
    if (!status) status = xfv_blackbox_open(&t->box, &env, e);
    if (!status && t->protocol != DPR) status = make_workers(t, e);
    else if (!status && !(t->restore = xfv_restore_new(&t->a, &t->box, t->o.blur, e))) status = e->status;
    if (status) xfv_asker_forget(&t->a);
    return status;
}

static int head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                struct xfv_err *e)
{
    struct delins *t = ctx;
    (void)set;
    int status = xfv_asker_head(&t->a, in, zone, extra, e);
    return status > 0 ? open_model(t, e) : status;
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx;
    return xfv_rec_kind(r) == XFV_PAIR;
}

/* ---- one pair ---- */

struct pair {
    msgpack_object *root;
    const uint8_t *rgb[2];
    const char *id;
    size_t n_id;
    double threshold;
    int genuine, map, image; /* map, image: with auto resolved */
};

static int look_at(const struct delins *t, msgpack_object *root, struct pair *p, struct xfv_err *e)
{
    *p = (struct pair){.root = root, .id = ""};
    if (xfv_get_str(root, "id", &p->id, &p->n_id, NULL)) p->id = "", p->n_id = 0;
    int status = xfv_asker_threshold(&t->a, &t->box.common, root, &p->threshold, e);
    if (!status) status = xfv_pair_truth(root, p->threshold, &p->genuine, e);
    int dissimilar = !p->genuine;
    p->map = t->set.map == MAP_AUTO ? (dissimilar ? DISSIMILARITY : SIMILARITY) : t->set.map;
    p->image = t->set.image == IMAGE_AUTO ? (dissimilar ? IMAGE_BOTH : IMAGE_A) : t->set.image;
    return status;
}

/* The map that ranks face i: one of the two, or their difference. */
static int read_map(const struct delins *t, const struct pair *p, const struct xfv_map_entry *entry, int i, float *map,
                    float *spare, struct xfv_err *e)
{
    int height = t->a.model->height, width = t->a.model->width;
    size_t n = (size_t)height * (size_t)width;
    for (size_t k = 0; k < n; k++) map[k] = 0;
    for (int j = 0; j < 2; j++) {
        float sign = p->map == j ? 1.0f : 0.0f;
        if (p->map == SIGNED) sign = j ? -1.0f : 1.0f;
        if (p->map == SIGNED_AUTO) sign = j == p->genuine ? -1.0f : 1.0f;
        if (p->map < SIGNED && p->map != j) continue;
        int status = xfv_map_need(entry, i, xfv_map_keys[j], height, width, spare, e);
        if (status) return status;
        for (size_t k = 0; k < n; k++) map[k] += sign * spare[k];
    }
    return 0;
}

static int put_result(const struct delins *t, const struct pair *p, const struct worker *w,
                      const struct xfv_map_entry *entry, msgpack_zone *z, msgpack_object *list, struct xfv_err *e)
{
    msgpack_object r = xfv_val_map(z);
    size_t points = (size_t)t->o.steps + 1;
    struct xfv_put put = xfv_put_into(z, &r, e);
    xfv_put_text(&put, XFV_KEY_METHOD, entry->method);
    if (entry->params) xfv_put(&put, XFV_KEY_PARAMS, *entry->params);
    xfv_put_text(&put, "map", maps[p->map]);
    xfv_put_text(&put, "image", images[p->image]);
    xfv_put_text(&put, "fill", fills[t->set.fill]);
    if (t->set.fill == XFV_FILL_BLUR) xfv_put_f64(&put, "fill_sigma", t->o.fill_sigma);
    xfv_put_text(&put, "ties", ties[t->set.ties]);
    if (t->set.ties == XFV_TIES_RANDOM) xfv_put_int(&put, "seed", (int64_t)t->box.common.seed);
    xfv_put_f64(&put, "blur", t->o.blur);
    xfv_put_f64(&put, "threshold", p->threshold);
    xfv_put_bool(&put, "genuine", p->genuine);
    xfv_put_f64s(&put, "deletion", w->curve[0], points);
    xfv_put_f64s(&put, "insertion", w->curve[1], points);
    xfv_put_f64(&put, "deletion_area", xfv_area(w->curve[0], (int)points));
    xfv_put_f64(&put, "insertion_area", xfv_area(w->curve[1], (int)points));
    return put.status ? put.status : xfv_array_push(z, list, r, e);
}

static int measure(struct delins *t, const struct pair *p, struct worker *w, int worker,
                   const struct xfv_map_entry *entry, struct xfv_err *e)
{
    int height = t->a.model->height, width = t->a.model->width;
    struct xfv_delins_face face[2] = {{.rgb = p->rgb[0]}, {.rgb = p->rgb[1]}};
    /* the same for every method: no method has luckier ties */
    struct xfv_random r = xfv_random_new(t->box.common.seed, p->id, p->n_id);
    for (int i = 0; i < 2; i++) {
        if (p->image != IMAGE_BOTH && p->image != i) continue;
        int status = read_map(t, p, entry, i, w->map[i], w->spare, e);
        if (!status) status = xfv_delins_order(&t->o, w->map[i], height, width, &r, w->order[i], e);
        if (status) return status;
        face[i].map = w->map[i];
        face[i].order = w->order[i];
    }
    return xfv_delins_curves(&t->o, t->box.probe, worker, face, height, width, w->curve[0], w->curve[1], e);
}

/* The method's place among those wanted; all are when none is named. */
static int is_wanted(const void *ctx, const msgpack_object *entry)
{
    const struct delins *t = ctx;
    char name[128];
    if (xfv_get_text(entry, "method", name, sizeof name, NULL)) return 0;
    for (int i = 0; i < t->n_methods; i++)
        if (!strcmp(t->methods[i], name)) return 1;
    return t->n_methods == 0;
}

static int work(void *ctx, struct xfv_rec *r, int slot, int worker, struct xfv_err *e)
{
    struct delins *t = ctx;
    struct pair p;
    msgpack_zone *z = xfv_rec_zone(r);
    msgpack_object *root = xfv_rec_root(r), *list = xfv_map_get_mut(root, curve_list), fresh = xfv_val_array(z);
    struct xfv_maps entries;
    (void)slot;
    /* measured before: only to be tallied */
    if (t->table >= 0 && xfv_map_get(root, t->restore ? restored_list : curve_list)) return 0;
    if (t->restore) return xfv_restore_work(t->restore, r, worker, is_wanted, t, e);
    int status = look_at(t, root, &p, e);
    if (status || (t->set.pairs != ALL && p.genuine != (t->set.pairs == GENUINE))) return status;
    status = xfv_maps_wanted(root, &entries, e);
    if (status) return status;
    if (list && list->type != MSGPACK_OBJECT_ARRAY)
        return xfv_fail_code(e, XFV_EDATA, "delins", "the pair's 'delins' is not a list");
    status = xfv_asker_images(&t->a, root, t->box.common.foreign, p.rgb, e);
    for (uint32_t i = 0; i < entries.n && !status; i++) {
        struct xfv_map_entry entry;
        xfv_maps_entry(&entries, i, &entry);
        if (!is_wanted(t, entry.map)) continue;
        status = measure(t, &p, &t->workers[worker], worker, &entry, e);
        if (!status) status = put_result(t, &p, &t->workers[worker], &entry, z, list ? list : &fresh, e);
    }
    if (!status && !list && fresh.via.array.size) status = xfv_map_put(z, root, curve_list, fresh, e);
    return status;
}

/* ---- tables ---- */

/* Which methods come, so that a name that none of them has can be told. */
static void meet(struct delins *t, const msgpack_object *entries)
{
    char name[128], all[sizeof t->met + 8], one[sizeof name + 8];
    for (uint32_t i = 0; entries && entries->type == MSGPACK_OBJECT_ARRAY && i < entries->via.array.size; i++) {
        const msgpack_object *entry = &entries->via.array.ptr[i];
        if (xfv_get_text(entry, "method", name, sizeof name, NULL)) continue;
        t->met_wanted |= is_wanted(t, entry);
        t->met_reference |= !strcmp(name, t->reference);
        size_t k = strlen(t->met);
        snprintf(all, sizeof all, ", %s,", t->met);
        snprintf(one, sizeof one, ", %s,", name);
        if (!strstr(all, one) && k + strlen(name) + 3 < sizeof t->met)
            snprintf(t->met + k, sizeof t->met - k, "%s%s", k ? ", " : "", name);
    }
}

static void tell_unmet(struct delins *t)
{
    if (!t->met[0]) return;
    int compares = t->table == XFV_TALLY_SUMMARY && t->protocol != DPR && strchr(t->met, ',');
    if (t->met_wanted && !t->met_reference && (t->reference_given || compares))
        xfv_cli_warn(t->a.c, "no map is of '%s', so no method is compared with it; --reference takes one of these: %s",
                     t->reference, t->met);
    if (t->met_wanted) return;
    xfv_cli_warn(t->a.c, "--method: no map is of '%s'%s; there are %s", t->methods[0],
                 t->n_methods > 1 ? " or the others" : "", t->met);
    xfv_cli_some_failed(t->a.c);
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct delins *t = ctx;
    t->n_pairs++;
    meet(t, xfv_map_get(xfv_rec_root(*r), XFV_KEY_MAPS));
    const msgpack_object *root = xfv_rec_root(*r), *list = xfv_map_get(root, curve_list);
    meet(t, xfv_map_get(root, t->restore ? restored_list : curve_list));
    if (w) return xfv_writer_put(w, *r, e);
    if (t->restore) return xfv_restore_tally(t->sheet, root, (enum xfv_identity)t->identity, e);
    for (uint32_t i = 0; list && list->type == MSGPACK_OBJECT_ARRAY && i < list->via.array.size; i++) {
        if (!is_wanted(t, &list->via.array.ptr[i])) continue;
        int status = xfv_tally_add_entry(t->tally, root, &list->via.array.ptr[i], e);
        if (status == XFV_EARG) return xfv_stage_fail_at(t->a.c, root, e);
        if (status) return status;
    }
    return 0;
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct delins *t = ctx;
    xfv_stage_tell_no_pairs(t->a.c, "verify and an explainer (fggb-grad)", "");
    xfv_cli_info(t->a.c, "%llu pairs", (unsigned long long)t->n_pairs);
    tell_unmet(t);
    if (w) return 0;
    int status;
    if (t->protocol == DPR)
        status = xfv_sheet_print(t->sheet, t->sheet_form, t->replicates, t->box.common.seed, t->out, e);
    else
        status = xfv_tally_print(t->tally, (enum xfv_tally_table)t->table, t->reference, t->replicates,
                                 t->box.common.seed, t->out, e);
    return status ? status : xfv_table_close(&t->lines, e);
}

/* ---- options ---- */

static int set_method(void *ctx, const char *s, struct xfv_err *e)
{
    struct delins *t = ctx;
    if (t->n_methods == (int)(sizeof t->methods / sizeof *t->methods))
        return xfv_fail(e, XFV_EARG, "too many --method");
    t->methods[t->n_methods++] = s;
    return 0;
}

static const struct xfv_opt options[] = {
    {"protocol", 0, "NAME", "whose settings hold where the options below say nothing else (default lu2024)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct delins, protocol, protocols)},
    {"map", 0, "KIND", "what ranks the pixels",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct delins, set.map, maps)},
    {"image", 0, "SIDE", "whose pixels go",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct delins, set.image, images)},
    {"pairs", 0, "KIND", "which pairs are measured",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct delins, set.pairs, kinds)},
    {"fill", 0, "KIND", "what replaces a pixel",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct delins, set.fill, fills)},
    {"fill-sigma", 0, "PIXELS", "blur of --fill blur (default 8)",
     XFV_OPT_RESULT, XFV_TO_F64(struct delins, o.fill_sigma, 0, 1000)},
    {"steps", 'n', "N", "points of a curve after the first (10: every 10 %)",
     XFV_OPT_RESULT, XFV_TO_INT(struct delins, set.steps, 1, 10000)},
    {"ties", 0, "RULE", "how pixels of one value are ranked",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct delins, set.ties, ties)},
    {"blur", 'b', "SIGMA", "blur the map before ranking", XFV_OPT_RESULT, XFV_TO_F64(struct delins, set.blur, 0, 1000)},
    {"threshold", 't', "X", "decide at X (default: the pair's own threshold)", XFV_OPT_RESULT, XFV_TO_THRESHOLD},
    {"method", 0, "NAME", "only the maps, or curves, of this method (may be given again)",
     XFV_OPT_RESULT | XFV_OPT_MANY, .set = set_method},
    XFV_OPT_TABLE(struct delins, format),
    {"table", 0, "WHAT", "which table (default summary: areas with intervals, tests against the reference)",
     0, XFV_TO_CHOICE(struct delins, table, tables)},
    {"reference", 0, "NAME", "the method that the others are compared with (default fggb)",
     0, XFV_TO_TEXT(struct delins, reference, 0), XFV_GIVEN(struct delins, reference_given)},
    {"identity", 0, "RULE", "where an id names the person (default name: the file name less _digits)",
     0, XFV_TO_CHOICE(struct delins, identity, xfv_identity_rules)},
    {"replicates", 0, "N", "replicates behind the intervals (default 1000)",
     0, XFV_TO_INT(struct delins, replicates, 1, 100000)},
    {"seed", 0, "N", "start of the generator for ties and bootstrap (default 0)",
     XFV_OPT_RESULT, XFV_TO_SEED(struct xfv_explain_opts, seed)},
    XFV_OPT_EXEC,
    {0},
};

static void settle(struct delins *t)
{
    const struct setting *p = &settings[t->protocol];
    struct setting *s = &t->set;
    const int from[] = {p->map, p->image, p->pairs, p->fill, p->ties, p->steps};
    int *const to[] = {&s->map, &s->image, &s->pairs, &s->fill, &s->ties, &s->steps};
    for (size_t i = 0; i < sizeof to / sizeof *to; i++)
        if (*to[i] < 0) *to[i] = from[i];
    if (s->blur < 0) s->blur = p->blur;
    t->o.ties = (enum xfv_ties)s->ties;
    t->o.fill = (enum xfv_fill)s->fill;
    t->o.steps = s->steps;
    t->o.blur = s->blur;
}

static int set_up(struct delins *t, struct xfv_err *e)
{
    static const char *const texts[] = {"method", "pair", "reference", NULL};
    const struct setting *s = &t->set;
    if (t->protocol == DPR && (s->map >= 0 || s->image >= 0 || s->pairs >= 0 || s->fill >= 0 || s->ties >= 0 ||
                               s->steps >= 0 || t->table > 0))
        return xfv_fail(e, XFV_EARG,
                        "--protocol dpr settles --map, --image, --pairs, --fill, --ties, --steps and --table itself");
    settle(t);
    t->a.pool = xfv_pool_new(xfv_cli_jobs(t->a.c));
    if (!t->a.pool) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (t->table >= 0 && !t->format) t->format = XFV_TABLE_TSV;
    if (t->table < 0 && t->format) t->table = XFV_TALLY_SUMMARY;
    if (t->table < 0) return 0;
    t->tally = xfv_tally_new((enum xfv_identity)t->identity);
    t->sheet = xfv_sheet_new();
    if (!t->tally || !t->sheet) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    t->out = xfv_cli_out_file(t->a.c, e);
    enum xfv_table_form form = (enum xfv_table_form)t->format;
    if (t->protocol == DPR) t->sheet_form = xfv_table_of_sheet(&form);
    t->out = t->out ? xfv_table_open(&t->lines, form, texts, t->out, e) : NULL;
    return t->out ? 0 : e->status;
}

int main(int argc, char **argv)
{
    static struct delins t = {.set = {-1, -1, -1, -1, -1, -1, -1},
                              .table = -1,
                              .replicates = 1000,
                              .reference = "fggb",
                              .o = {.fill_sigma = 8}};
    static const struct xfv_program program = {
        .name = "delins",
        .summary = "Measure explanations by Deletion and Insertion: pairs with maps in, the same with curves (or a "
                   "table) out.",
        .operands = "[FILE]...",
        .example = "verify faces.xfv | fggb-grad | xssab-grad | control-map --kind centre | delins --tsv",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_READS_STREAM | XFV_WRITES_STREAM | XFV_MAY_WRITE_TEXT,
        .opts = options,
        .ctx = &t,
        .libraries = {&xfv_library_net},
    };
    struct xfv_stage stage = {.ctx = &t, .head = head, .wants = wants, .work = work, .emit = emit, .finish = finish};
    struct xfv_err e = {0};
    int exit_status;
    t.a.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.a.c) return exit_status;
    int status = set_up(&t, &e);
    stage.sink = t.table >= 0;
    exit_status = status ? xfv_cli_finish(t.a.c, &e, 0)
                         : xfv_cli_finish(t.a.c, NULL, xfv_stage_run(t.a.c, t.a.pool, &stage));
    close_model(&t);
    xfv_asker_close(&t.a);
    xfv_pool_free(t.a.pool);
    xfv_tally_free(t.tally);
    xfv_sheet_free(t.sheet);
    return exit_status;
}
