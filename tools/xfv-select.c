/* xfv-select: the records that meet all conditions; of several streams, one. See xfv-select(1). */
#include <fcntl.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/hash.h"
#include "cli/cli.h"
#include "cli/shard.h"
#include "pair/pseudonym.h"
#include "stage/floors.h"
#include "stage/stage.h"
#include "pair/label.h"

enum { MOST = 64 }; /* values of an option that may be given several times */

struct list { const char *v[MOST]; int n; };

struct select {
    struct xfv_cli *c;
    struct list ids, kinds;
    int label;     /* 0: any; 1 yes, 2 no, 3 none */
    int decision;  /* 0: any; 1 accept, 2 reject */
    int by_score, invert;
    double lo, hi;
    double limits[XFV_QUALITIES];
    int by_quality;
    int head;      /* -1: all */
    int join, mixed;
    uint64_t segments;     /* read so far */
    struct xfv_rec *first; /* the head of the first, when they are joined */
    struct xfv_shard shard;
    const char *key_path, *table_path;
    struct xfv_pseudonyms *pseudonyms; /* NULL: names stay */
    struct xfv_outfile *table;         /* of names and pseudonyms; NULL: none */
    uint64_t *told;                    /* open hash of the pseudonyms that are in it; 0: free */
    size_t n_told, cap_told;           /* a power of 2 */
    uint64_t from, to, seen; /* of the selected records, those numbered from..to-1 are written */
};

/* ---- conditions ---- */

/* These three: 1, 0, or XFV_ENOMEM. */
static int text_matches(const msgpack_object *map, const struct list *l, struct xfv_err *e)
{
    const char *s;
    size_t n;
    int found = 0;
    if (xfv_get_str(map, "id", &s, &n, NULL)) return 0;
    char *text = strndup(s, n);
    if (!text) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (int i = 0; i < l->n && !found; i++) found = fnmatch(l->v[i], text, 0) == 0;
    free(text);
    return found;
}

/* A pair is found by its own id and by those of its faces. */
static int id_matches(const msgpack_object *root, const struct list *l, struct xfv_err *e)
{
    int found = text_matches(root, l, e);
    if (!found) found = text_matches(xfv_map_get(root, "a"), l, e);
    return found ? found : text_matches(xfv_map_get(root, "b"), l, e);
}

static int kind_matches(const struct xfv_rec *r, const struct list *l)
{
    for (int i = 0; i < l->n; i++)
        if (!strcmp(l->v[i], xfv_rec_kind_name(r))) return 1;
    return 0;
}

static int label_matches(const msgpack_object *root, int want)
{
    int label = xfv_pair_label(root);
    if (label < 0) return want == 3;
    return want == (label ? 1 : 2);
}

static int decision_matches(const msgpack_object *root, int want)
{
    int accept;
    return !xfv_get_bool(root, "accept", &accept, NULL) && want == (accept ? 1 : 2);
}

static int score_matches(const msgpack_object *root, double lo, double hi)
{
    double v;
    return !xfv_get_f64(root, "score", &v, NULL) && v >= lo && v <= hi;
}

/* A record without a face, or without a measure that has a limit, does not meet it. */
static int face_is_fit(const msgpack_object *face, const double *limits)
{
    struct xfv_quality q;
    xfv_quality_read(face, &q);
    for (int m = 0; m < XFV_QUALITIES; m++)
        if (!isnan(limits[m]) && isnan(q.v[m])) return 0;
    return xfv_quality_first(&q, limits) < 0;
}

static int is_fit(const struct xfv_rec *r, const double *limits)
{
    const msgpack_object *root = xfv_rec_map(r);
    if (xfv_rec_kind(r) != XFV_PAIR) return face_is_fit(root, limits);
    return face_is_fit(xfv_map_get(root, "a"), limits) && face_is_fit(xfv_map_get(root, "b"), limits);
}

static int is_selected(const struct select *t, const struct xfv_rec *r, struct xfv_err *e)
{
    const msgpack_object *root = xfv_rec_map(r);
    int yes = (!t->kinds.n || kind_matches(r, &t->kinds)) && (!t->label || label_matches(root, t->label)) &&
              (!t->decision || decision_matches(root, t->decision)) &&
              (!t->by_score || score_matches(root, t->lo, t->hi));
    if (yes && t->by_quality) yes = is_fit(r, t->limits);
    if (yes && t->ids.n) yes = id_matches(root, &t->ids, e);
    return yes < 0 ? yes : yes != t->invert;
}

/* ---- the loop ---- */

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx, (void)r;
    return 1;
}

/* ---- pseudonyms ---- */

static uint64_t hash_of(const char *pseudonym)
{
    uint64_t h = xfv_hash(XFV_HASH_START, pseudonym, strlen(pseudonym));
    return h ? h : 1;
}

static uint64_t *place_of(uint64_t *v, size_t cap, uint64_t h)
{
    size_t i = (size_t)h & (cap - 1);
    while (v[i] && v[i] != h) i = (i + 1) & (cap - 1);
    return &v[i];
}

/* 1 the first time that this pseudonym comes, 0 after that. */
static int is_new(struct select *t, const char *pseudonym, struct xfv_err *e)
{
    uint64_t h = hash_of(pseudonym);
    if (2 * t->n_told >= t->cap_told) {
        size_t cap = t->cap_told ? 2 * t->cap_told : 1024;
        uint64_t *more = calloc(cap, sizeof *more);
        if (!more) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        for (size_t i = 0; i < t->cap_told; i++)
            if (t->told[i]) *place_of(more, cap, t->told[i]) = t->told[i];
        free(t->told);
        t->told = more;
        t->cap_told = cap;
    }
    uint64_t *at = place_of(t->told, t->cap_told, h);
    if (*at == h) return 0;
    *at = h;
    t->n_told++;
    return 1;
}

static int tell_name(void *ctx, const char *name, size_t n, const char *pseudonym, struct xfv_err *e)
{
    struct select *t = ctx;
    int new = is_new(t, pseudonym, e);
    if (new <= 0) return new;
    size_t cap = 4 * n + 8 + XFV_PSEUDONYM;
    char *line = malloc(cap);
    if (!line) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    size_t k = xfv_escape(line, cap, name, n);
    k += (size_t)snprintf(line + k, cap - k, "\t%s\n", pseudonym);
    int status = xfv_outfile_write(t->table, line, k, e);
    free(line);
    return status;
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct select *t = ctx;
    int selected = is_selected(t, *r, e);
    if (selected <= 0) return selected;
    uint64_t k = t->seen++;
    if (k < t->from || k >= t->to) return 0;
    int status = t->pseudonyms ? xfv_pseudonymise(t->pseudonyms, *r, t->table ? tell_name : NULL, t, e) : 0;
    return status ? status : xfv_writer_put(w, *r, e);
}

/* ---- one segment of several ---- */

static int keep_head(struct select *t, const struct xfv_rec *in, struct xfv_err *e)
{
    t->first = xfv_rec_new(XFV_HEAD);
    if (!t->first) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    msgpack_object copy = xfv_val_copy(xfv_rec_zone(t->first), xfv_rec_map(in));
    if (copy.type != MSGPACK_OBJECT_MAP) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    *xfv_rec_root(t->first) = copy;
    return 0;
}

/* 0: this head begins the output; 1: it goes; or an error. */
static int join(struct select *t, const struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, struct xfv_err *e)
{
    t->segments++;
    if (!t->first) {
        int status = keep_head(t, in, e);
        if (status || !t->mixed) return status;
        /* One head cannot speak for several: each face still names its model. */
        if (xfv_map_get(xfv_rec_map(in), "model")) status = xfv_map_put_nil(zone, set, "model", e);
        return status ? status : xfv_map_put(zone, set, "mixed", xfv_val_bool(1), e);
    }
    if (t->mixed || msgpack_object_equal(*xfv_rec_map(t->first), *xfv_rec_map(in))) return 1;
    return xfv_fail(e, XFV_EFORMAT,
                    "this stream's head differs from the first one's (made by other programs, options or models): "
                    "--mixed joins them all the same");
}

static int head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                struct xfv_err *e)
{
    struct select *t = ctx;
    (void)extra;
    int status = t->pseudonyms ? xfv_pseudonymise(t->pseudonyms, in, NULL, NULL, e) : 0;
    return status || !t->join ? status : join(t, in, set, zone, e);
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct select *t = ctx;
    struct xfv_outfile *o = t->table;
    (void)w;
    t->table = NULL;
    return o ? xfv_outfile_commit(o, e) : 0;
}

/* How many records of all inputs are selected: a first reading, which --shard needs. */
static int count_file(const struct select *t, const char *name, uint64_t *n, struct xfv_err *e)
{
    struct xfv_reader *in;
    struct xfv_rec *rec;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return xfv_fail(e, XFV_EIO, "cannot open '%s'", name);
    int status = xfv_reader_open(&in, fd, 1, name, xfv_cli_limits(t->c), e);
    if (status) {
        close(fd);
        return status;
    }
    while ((status = xfv_reader_next(in, &rec, e)) == 0) {
        int selected = xfv_rec_kind(rec) == XFV_HEAD ? 0 : is_selected(t, rec, e);
        xfv_rec_free(rec);
        if ((status = selected < 0 ? selected : 0)) break;
        *n += (uint64_t)selected;
    }
    xfv_reader_close(in);
    return status == XFV_EOF ? 0 : status;
}

static int set_up(struct select *t, struct xfv_err *e)
{
    char **names;
    int n = xfv_cli_operands(t->c, &names);
    uint64_t total = 0;
    if (t->table_path && !t->key_path) return xfv_fail(e, XFV_EARG, "--pseudonym-table goes with --pseudonymise");
    if (t->key_path) {
        int status = xfv_pseudonyms_open(&t->pseudonyms, t->key_path, e);
        if (!status && t->table_path) status = xfv_outfile_open(&t->table, t->table_path, XFV_OUT_TEXT, e);
        if (status) return status;
    }
    for (int m = 0; m < XFV_QUALITIES; m++) t->by_quality |= !isnan(t->limits[m]);
    t->join |= t->mixed;
    if (t->join) xfv_cli_keep_head(t->c);
    t->from = 0;
    t->to = UINT64_MAX;
    for (int i = 0; i < n && t->shard.n; i++)
        if (!strcmp(names[i], "-")) n = 0;
    if (t->shard.n && n == 0) return xfv_fail(e, XFV_EARG, "--shard reads its input twice: name files");
    for (int i = 0; i < n && t->shard.n; i++) {
        int status = count_file(t, names[i], &total, e);
        if (status) return status;
    }
    if (t->head >= 0) { /* the parts of what --head leaves */
        if (total > (uint64_t)t->head) total = (uint64_t)t->head;
        t->to = (uint64_t)t->head;
    }
    if (t->shard.n) xfv_shard_slice(&t->shard, total, &t->from, &t->to);
    return 0;
}

/* ---- options ---- */

static int add(struct list *l, const char *what, const char *v, struct xfv_err *e)
{
    if (l->n == MOST) return xfv_fail(e, XFV_EARG, "%s can be given %d times at most", what, MOST);
    l->v[l->n++] = v;
    return 0;
}

static int set_id(void *ctx, const char *v, struct xfv_err *e)
{
    return add(&((struct select *)ctx)->ids, "--id", v, e);
}

static int set_kind(void *ctx, const char *v, struct xfv_err *e)
{
    return add(&((struct select *)ctx)->kinds, "--kind", v, e);
}

static int choose(const char *what, const char *v, const char *const *names, int *out, struct xfv_err *e)
{
    int i, status = xfv_parse_choice(what, v, names, &i, e);
    if (!status) *out = i + 1;
    return status;
}

static int set_label(void *ctx, const char *v, struct xfv_err *e)
{
    static const char *const names[] = {"yes", "no", "none", NULL};
    return choose("--label", v, names, &((struct select *)ctx)->label, e);
}

static int set_decision(void *ctx, const char *v, struct xfv_err *e)
{
    static const char *const names[] = {"accept", "reject", NULL};
    return choose("--decision", v, names, &((struct select *)ctx)->decision, e);
}

static int set_score(void *ctx, const char *v, struct xfv_err *e)
{
    struct select *t = ctx;
    const char *dots = strstr(v, "..");
    char lo[64];
    size_t n = dots ? (size_t)(dots - v) : 0;
    t->by_score = 1;
    t->lo = -INFINITY;
    t->hi = INFINITY;
    if (!dots || n >= sizeof lo || strlen(v) < 3)
        return xfv_fail(e, XFV_EARG, "--score must be LOW..HIGH, LOW.. or ..HIGH, got '%s'", v);
    memcpy(lo, v, n);
    lo[n] = '\0';
    int status = n ? xfv_parse_f64("--score", lo, -1e6, 1e6, &t->lo, e) : 0;
    if (!status && dots[2]) status = xfv_parse_f64("--score", dots + 2, -1e6, 1e6, &t->hi, e);
    return status || t->lo <= t->hi ? status
                                    : xfv_fail(e, XFV_EARG, "--score must be LOW..HIGH, the lower first, got '%s'", v);
}

static int set_shard(void *ctx, const char *v, struct xfv_err *e)
{
    return xfv_parse_shard("--shard", v, &((struct select *)ctx)->shard, e);
}

int main(int argc, char **argv)
{
    static struct select t = {.head = -1};
    static const struct xfv_opt opts[] = {
        {"id", 'i', "GLOB", "records, and pairs of faces, whose id is like GLOB (may be given several times)",
         XFV_OPT_RESULT | XFV_OPT_MANY, .set = set_id},
        {"kind", 'k', "KIND", "records of this kind: face, pair, err, ... (may be given several times)",
         XFV_OPT_RESULT | XFV_OPT_MANY, .set = set_kind},
        {"label", 0, "LABEL", "pairs labelled yes (same person) or no, or none: without a label",
         XFV_OPT_RESULT, .set = set_label},
        {"decision", 0, "WHICH", "pairs decided accept or reject", XFV_OPT_RESULT, .set = set_decision},
        {"score", 0, "LOW..HIGH", "pairs with a score from LOW to HIGH; either may be left out",
         XFV_OPT_RESULT, .set = set_score},
        XFV_FLOORS(struct select, limits),
        XFV_FLOOR(struct select, limits, "min-norm", "X", "least length of the embedding", XFV_Q_NORM, 1e9),
        {"invert", 0, NULL, "the records that do not meet the conditions above",
         XFV_OPT_RESULT, XFV_TO_FLAG(struct select, invert, 1)},
        {"head", 'n', "N", "of these the first N", XFV_OPT_RESULT, XFV_TO_INT(struct select, head, 0, 1000000000)},
        {"shard", 0, "I/N", "of these the I-th of N equal parts, in order (reads its files twice)",
         0, .set = set_shard},
        {"join", 0, NULL, "write one stream with a single head and end; all heads must be equal",
         0, XFV_TO_FLAG(struct select, join, 1)},
        {"mixed", 0, NULL, "--join streams that were made in different ways, too; the head then names no model",
         0, XFV_TO_FLAG(struct select, mixed, 1)},
        {"pseudonymise", 0, "KEYFILE", "replace names by keyed hashes, the same for the same key",
         XFV_OPT_READS, XFV_TO_TEXT(struct select, key_path, 0)},
        {"pseudonym-table", 0, "FILE", "with --pseudonymise, write each name and its pseudonym",
         XFV_OPT_WRITES, XFV_TO_TEXT(struct select, table_path, 0)},
        {0},
    };
    static const struct xfv_program program = {
        .name = "xfv-select",
        .summary = "Pass on the records that meet all conditions, and of them the parts that are wanted; join streams.",
        .operands = "[FILE]...",
        .example = "xfv-select --label yes --decision reject pairs.xfv | fggb-grad | heatmap -o false-reject-%d.png",
        .flags = XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = opts,
        .ctx = &t,
    };
    static const struct xfv_stage stage = {.ctx = &t, .head = head, .wants = wants, .emit = emit, .finish = finish};
    struct xfv_err e = {0};
    int exit_status;
    xfv_floors_none(t.limits);
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    int status = set_up(&t, &e);
    exit_status = status ? 0 : xfv_stage_run(t.c, NULL, &stage);
    if (t.join && !status && !exit_status)
        xfv_cli_info(t.c, "%llu segments joined", (unsigned long long)t.segments);
    exit_status = xfv_cli_finish(t.c, status ? &e : NULL, exit_status);
    xfv_rec_free(t.first);
    xfv_outfile_discard(t.table);
    xfv_pseudonyms_free(t.pseudonyms);
    free(t.told);
    return exit_status;
}
