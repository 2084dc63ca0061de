#include "measure/judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "image/blur.h"
#include "measure/localise.h"
#include "measure/parts.h"
#include "base/grow.h"
#include "pair/identity.h"
#include "stream/record.h"
#include "stream/tensor.h"
#include "pair/label.h"
#include "pair/maps.h"

enum { MAX_METHODS = 32, MAX_VIEWS = 6 };
#define TRUTH "control-truth" /* the method of control-map --kind truth: the ceiling */

/* What one method says of a pair: three blurred maps of each face. */
struct maps {
    char method[96];
    float *plane[2][3]; /* [a, b][for similarity, for dissimilarity, signed] */
};

/* A case with a planted region, kept for the ranking of regions. */
struct ranked { long at; size_t method; int similar, planted; double mean[2][XFV_PARTS]; };

/* One face seen with one partner by one method. */
struct view { size_t method; uint64_t image; int label; long person, partner, at; float *coarse; };

struct xfv_judge {
    struct xfv_judge_opts o;
    struct xfv_sheet *sheet;
    struct xfv_name_table methods, people;
    struct ranked *ranked;
    size_t n_ranked, cap_ranked;
    struct view *views;
    size_t n_views, cap_views;
    uint64_t n_truths;
    /* for the size of image at hand */
    int h, w;
    size_t n; /* pixels */
    uint8_t *oval, *region[XFV_PARTS], *coarse_oval;
    struct maps maps[MAX_METHODS], other[MAX_METHODS];
};

#define COARSE 4 /* pixels across a cell of the maps that are kept for comparing partners */

/* ---- memory for one size of image ---- */

static void free_maps(struct maps *m, int n)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 6; k++) {
            free(m[i].plane[k / 3][k % 3]);
            m[i].plane[k / 3][k % 3] = NULL;
        }
}

static int make_masks(struct xfv_judge *t, int h, int w, struct xfv_err *e)
{
    size_t n = (size_t)h * (size_t)w;
    if (!XFV_GROW(t->oval, n) || !XFV_GROW(t->coarse_oval, n)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    xfv_oval_mask(h, w, t->oval);
    if (h >= COARSE && w >= COARSE) xfv_oval_mask(h / COARSE, w / COARSE, t->coarse_oval);
    for (int r = 0; r < XFV_PARTS; r++) {
        if (!XFV_GROW(t->region[r], n)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        xfv_part_mask(r, h, w, t->region[r]);
    }
    return 0;
}

/* keep: there are maps of the size until now that are still needed. */
static int set_size(struct xfv_judge *t, int h, int w, int keep, struct xfv_err *e)
{
    if (h == t->h && w == t->w) return 0;
    if (keep || t->n_views || t->n_ranked)
        return xfv_fail(e, XFV_EARG, "maps of %dx%d after maps of %dx%d: score them apart", w, h, t->w, t->h);
    free_maps(t->maps, MAX_METHODS);
    free_maps(t->other, MAX_METHODS);
    t->h = t->w = 0; /* none, until all is there */
    int status = make_masks(t, h, w, e);
    if (!status) t->h = h, t->w = w, t->n = (size_t)h * (size_t)w;
    return status;
}

static int room_for(struct xfv_judge *t, struct maps *m, struct xfv_err *e)
{
    for (int k = 0; k < 6; k++)
        if (!m->plane[k / 3][k % 3] && !(m->plane[k / 3][k % 3] = malloc(t->n * sizeof(float))))
            return xfv_fail(e, XFV_ENOMEM, "out of memory");
    return 0;
}

/* ---- reading maps ---- */

/* A map of one face as floats, or all zero when it has none of this key: 1, 0, or an error. */
static int read_plane(const struct xfv_judge *t, const struct xfv_map_entry *entry, int side, const char *key,
                      float *out, struct xfv_err *e)
{
    memset(out, 0, t->n * sizeof *out);
    return xfv_map_read(entry, side, key, t->h, t->w, out, e);
}

/* The orders of pixels: for similarity S+ where there is some, and behind it, the less dissimilar the better; for
 * dissimilarity the other way round. For a method with one signed map these are S and -S. */
static int read_side(const struct xfv_judge *t, const struct xfv_map_entry *entry, int side, float *const plane[3],
                     struct xfv_err *e)
{
    float *s = plane[0], *d = plane[1], *both = plane[2];
    int has = read_plane(t, entry, side, XFV_KEY_SIGNED, both, e);
    int has_s = has < 0 ? has : read_plane(t, entry, side, xfv_map_keys[0], s, e);
    int has_d = has_s < 0 ? has_s : read_plane(t, entry, side, xfv_map_keys[1], d, e);
    if (has_d < 0) return has_d;
    if (!has && !has_s && !has_d)
        return xfv_fail_code(e, XFV_EDATA, "map", "method '%s' has no map of face %s", entry->method, xfv_sides[side]);
    /* one map given for both signs: its size is all it says */
    int unsigned_map = has_s && has_d && !memcmp(s, d, t->n * sizeof *s);
    for (size_t i = 0; i < t->n; i++) {
        float a = s[i], b = d[i];
        if (!has_s && !has_d) a = both[i] > 0 ? both[i] : 0, b = both[i] < 0 ? -both[i] : 0;
        if (!has) both[i] = unsigned_map ? a : a - b;
        s[i] = a > 0 ? a : -b;
        d[i] = b > 0 ? b : -a;
    }
    int status = 0;
    for (int k = 0; k < 3 && !status && t->o.sigma > 0; k++) status = xfv_blur(plane[k], t->w, t->h, t->o.sigma, e);
    return status;
}

/* A name for the entry: its method, and #2, #3 where a pair has several of one name. */
static void name_entry(struct maps *m, int i, const char *method)
{
    int same = 1;
    for (int k = 0; k < i; k++) {
        size_t n = strlen(method);
        same += !strncmp(m[k].method, method, n) && (!m[k].method[n] || m[k].method[n] == '#');
    }
    if (same == 1) snprintf(m[i].method, sizeof m[i].method, "%s", method);
    else snprintf(m[i].method, sizeof m[i].method, "%s#%d", method, same);
}

/* All maps of a pair: how many methods, or an error. */
static int read_maps(struct xfv_judge *t, const msgpack_object *pair, struct maps *m, struct xfv_err *e)
{
    struct xfv_maps maps;
    int h, w, n = 0, status = xfv_maps_wanted(pair, &maps, e);
    if (status) return status;
    if (maps.n > MAX_METHODS) return xfv_fail_code(e, XFV_EDATA, "maps", "the pair has more than %d maps", MAX_METHODS);
    for (; n < (int)maps.n; n++) {
        struct xfv_map_entry entry;
        xfv_maps_entry(&maps, (uint32_t)n, &entry);
        if (!xfv_map_size(&entry, 0, &h, &w))
            return xfv_fail_code(e, XFV_EDATA, "map", "method '%s' has no map of face a", entry.method);
        status = set_size(t, h, w, n > 0 || m == t->other, e);
        if (!status) status = room_for(t, &m[n], e);
        for (int i = 0; i < 2 && !status; i++) status = read_side(t, &entry, i, m[n].plane[i], e);
        if (status) return status;
        name_entry(m, n, entry.method);
    }
    return n;
}

/* ---- the tests ---- */

static double average(double a, double b)
{
    return isnan(a) ? b : isnan(b) ? a : (a + b) / 2;
}

static int keep_ranked(struct xfv_judge *t, long at, size_t method, int similar, int planted, struct maps *m,
                       struct xfv_err *e)
{
    if (t->n_ranked == t->cap_ranked) {
        size_t cap = xfv_more(t->cap_ranked, 256);
        if (!XFV_GROW(t->ranked, cap)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        t->cap_ranked = cap;
    }
    struct ranked *r = &t->ranked[t->n_ranked++];
    *r = (struct ranked){.at = at, .method = method, .similar = similar, .planted = planted};
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < XFV_PARTS; k++) r->mean[i][k] = xfv_mean_inside(m->plane[i][!similar], t->region[k], t->n);
    return 0;
}

/* Does the map point at what was planted? Mean over both images: aligned faces have the region in one place. */
static int locate(struct xfv_judge *t, long at, struct maps *m, const uint8_t *truth, const char *sign, int planted,
                  struct xfv_err *e)
{
    int similar = !strcmp(sign, "similarity"), status = 0;
    double v[3][2];
    static const char *const tests[] = {"auroc", "energy", "pointing"};
    for (int i = 0; i < 2 && !status; i++) {
        const float *map = m->plane[i][!similar];
        status = xfv_auroc(map, truth, t->oval, t->n, &v[0][i], e);
        v[1][i] = xfv_energy_inside(map, truth, t->oval, t->n);
        v[2][i] = xfv_pointing(map, truth, t->oval, t->n);
    }
    for (int k = 0; k < 3 && !status; k++) {
        char test[64];
        snprintf(test, sizeof test, "%s %s", tests[k], sign);
        status = xfv_sheet_add(t->sheet, at, m->method, test, average(v[k][0], v[k][1]), e);
    }
    if (status || planted < 0) return status;
    long method = xfv_name_number(&t->methods, m->method, strlen(m->method));
    return method < 0 ? xfv_fail(e, XFV_ENOMEM, "out of memory")
                      : keep_ranked(t, at, (size_t)method, similar, planted, m, e);
}

/* How far what was planted moved the score the way it should have: down for a dissimilarity. NaN when the pair does not
 * say. */
static double effect_of(const msgpack_object *pair, const msgpack_object *truth, const char *sign)
{
    double before, after;
    if (xfv_get_f64(truth, "score_before", &before, NULL) || xfv_get_f64(pair, "score", &after, NULL)) return NAN;
    return strcmp(sign, "similarity") ? before - after : after - before;
}

static int test_truth(struct xfv_judge *t, long at, const msgpack_object *pair, int n, struct xfv_err *e)
{
    const msgpack_object *truth = xfv_map_get(pair, "truth");
    struct xfv_tensor mask;
    char sign[32], name[32];
    size_t shape[2] = {(size_t)t->h, (size_t)t->w};
    int planted = -1;
    if (!truth || !xfv_map_get(truth, "mask")) return 0;
    int status = xfv_get_text(truth, "sign", sign, sizeof sign, e);
    if (!status) status = xfv_get_tensor(truth, "mask", XFV_U8, 2, shape, &mask, e);
    if (status)
        return status == XFV_ENOMEM ? status : xfv_fail_code(e, XFV_EDATA, "truth", "the pair's truth: %s", e->msg);
    if (t->o.effect > 0 && !(effect_of(pair, truth, sign) >= t->o.effect)) { /* the network took no notice */
        xfv_tensor_clear(&mask);
        return 0;
    }
    if (!xfv_get_text(truth, "region", name, sizeof name, NULL))
        for (int r = 0; r < XFV_PARTS; r++) planted = strcmp(name, xfv_part_names[r]) ? planted : r;
    for (int i = 0; i < n && !status; i++) status = locate(t, at, &t->maps[i], mask.data, sign, planted, e);
    xfv_tensor_clear(&mask);
    t->n_truths++;
    return status;
}

/* Are two methods' maps of this pair alike? */
static int test_agreement(struct xfv_judge *t, long at, int n, struct xfv_err *e)
{
    int status = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n && !status; k++) {
            char test[128];
            double v[2];
            if (i == k) continue;
            for (int s = 0; s < 2; s++)
                v[s] = xfv_map_correlation(t->maps[i].plane[s][2], t->maps[k].plane[s][2], t->oval, t->n);
            snprintf(test, sizeof test, "like %s", t->maps[k].method);
            status = xfv_sheet_add(t->sheet, at, t->maps[i].method, test, average(v[0], v[1]), e);
        }
    return status;
}

/* Does the map stay as it was when the network, or the image, is another? */
static int test_against(struct xfv_judge *t, long at, const msgpack_object *other, int n, struct xfv_err *e)
{
    char test[96];
    int m = read_maps(t, other, t->other, e), status = m < 0 ? m : 0;
    snprintf(test, sizeof test, "like %s", t->o.against);
    for (int i = 0; i < n && !status; i++)
        for (int k = 0; k < m && !status; k++) {
            double v[2];
            if (strcmp(t->maps[i].method, t->other[k].method)) continue;
            for (int s = 0; s < 2; s++)
                v[s] = xfv_map_correlation(t->maps[i].plane[s][2], t->other[k].plane[s][2], t->oval, t->n);
            status = xfv_sheet_add(t->sheet, at, t->maps[i].method, test, average(v[0], v[1]), e);
        }
    return status;
}

/* ---- one face with several partners ---- */

static float *coarse_map(const struct xfv_judge *t, const float *map)
{
    int h = t->h / COARSE, w = t->w / COARSE;
    float *out = malloc((size_t)h * (size_t)w * sizeof *out + 1);
    for (int i = 0; i < h && out; i++)
        for (int j = 0; j < w; j++) {
            double sum = 0;
            for (int k = 0; k < COARSE * COARSE; k++)
                sum +=
                    (double)map[(size_t)(i * COARSE + k / COARSE) * (size_t)t->w + (size_t)(j * COARSE + k % COARSE)];
            out[(size_t)i * (size_t)w + (size_t)j] = (float)sum;
        }
    return out;
}

static int keep_view(struct xfv_judge *t, const struct view *v, const float *map, struct xfv_err *e)
{
    if (t->n_views == t->cap_views) {
        size_t cap = xfv_more(t->cap_views, 256);
        if (!XFV_GROW(t->views, cap)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        t->cap_views = cap;
    }
    t->views[t->n_views] = *v;
    if (!(t->views[t->n_views].coarse = coarse_map(t, map))) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    t->n_views++;
    return 0;
}

static int keep_views(struct xfv_judge *t, long at, const msgpack_object *pair, const long person[2], int n,
                      struct xfv_err *e)
{
    struct xfv_tensor image;
    int label = xfv_pair_label(pair), status = 0;
    if (label < 0 || t->h < COARSE || t->w < COARSE) return 0;
    for (int s = 0; s < 2; s++) {
        if (xfv_get_tensor_view(xfv_map_get(pair, xfv_sides[s]), "image", &image, NULL)) continue;
        struct view v = {.image = xfv_hash(XFV_HASH_START, image.data, xfv_tensor_bytes(&image)),
                         .label = label,
                         .person = person[s],
                         .partner = person[1 - s],
                         .at = at};
        for (int i = 0; i < n && !status; i++) {
            long m = xfv_name_number(&t->methods, t->maps[i].method, strlen(t->maps[i].method));
            v.method = (size_t)m;
            status = m < 0 ? xfv_fail(e, XFV_ENOMEM, "out of memory") : keep_view(t, &v, t->maps[i].plane[s][2], e);
        }
    }
    return status;
}

static int by_face(const void *a, const void *b)
{
    const struct view *x = a, *y = b;
    if (x->method != y->method) return x->method < y->method ? -1 : 1;
    if (x->image != y->image) return x->image < y->image ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static const char *partners_test(const struct view *x, const struct view *y)
{
    if (x->label && y->label) return "partners: same person twice";
    if (x->label != y->label) return "partners: same and other person";
    return x->partner == y->partner ? "partners: one other person twice" : "partners: two other people";
}

/* Correlations of one face's map across its partners, once all pairs were seen. */
static int compare_partners(struct xfv_judge *t, struct xfv_err *e)
{
    int status = 0;
    if (t->n_views) qsort(t->views, t->n_views, sizeof *t->views, by_face);
    for (size_t i = 0; i < t->n_views; i++)
        for (size_t k = i + 1; k < t->n_views && k < i + MAX_VIEWS && !status; k++) {
            const struct view *x = &t->views[i], *y = &t->views[k];
            if (x->method != y->method || x->image != y->image) break;
            if (x->at == y->at) continue; /* a pair of one image */
            double v = xfv_map_correlation(x->coarse, y->coarse, t->coarse_oval,
                                           (size_t)(t->h / COARSE) * (size_t)(t->w / COARSE));
            status = xfv_sheet_add(t->sheet, x->at, t->methods.v[x->method], partners_test(x, y), v, e);
        }
    return status;
}

/* ---- the ranking of regions ---- */

/* Of the seven regions, how many have a lower value than the planted one, each against its own average over all cases
 * of the method: 1 first, 0 last, .5 chance. What is the same in every map, as all of a fixed picture is, falls out. */
static double rank_of(const struct ranked *r, int side, const double *mean)
{
    double own = r->mean[side][r->planted] - mean[r->planted], below = 0;
    for (int k = 0; k < XFV_PARTS; k++) {
        double d = r->mean[side][k] - mean[k];
        double tie = 1e-9 * (fabs(own) + fabs(d)) + 1e-12 * fabs(mean[k]);
        if (k != r->planted) below += fabs(d - own) <= tie ? 0.5 : d < own;
    }
    return below / (XFV_PARTS - 1);
}

static int rank_regions(struct xfv_judge *t, struct xfv_err *e)
{
    int status = 0;
    for (size_t g = 0; g < 2 * t->methods.n && !status; g++) {
        double mean[2][XFV_PARTS] = {{0}}, n = 0;
        for (size_t i = 0; i < t->n_ranked; i++) {
            const struct ranked *r = &t->ranked[i];
            if (r->method != g / 2 || r->similar != (int)(g % 2)) continue;
            for (int k = 0; k < 2 * XFV_PARTS; k++)
                mean[k / XFV_PARTS][k % XFV_PARTS] += r->mean[k / XFV_PARTS][k % XFV_PARTS];
            n++;
        }
        for (int k = 0; k < 2 * XFV_PARTS && n > 0; k++) mean[k / XFV_PARTS][k % XFV_PARTS] /= n;
        for (size_t i = 0; i < t->n_ranked && n > 1 && !status; i++) {
            const struct ranked *r = &t->ranked[i];
            if (r->method != g / 2 || r->similar != (int)(g % 2)) continue;
            status = xfv_sheet_add(t->sheet, r->at, t->methods.v[r->method],
                                   g % 2 ? "region rank similarity" : "region rank dissimilarity",
                                   (rank_of(r, 0, mean[0]) + rank_of(r, 1, mean[1])) / 2, e);
        }
    }
    return status;
}

/* ---- all of it ---- */

struct xfv_judge *xfv_judge_new(const struct xfv_judge_opts *o)
{
    struct xfv_judge *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->o = *o;
    t->sheet = xfv_sheet_new();
    if (t->sheet) return t;
    free(t);
    return NULL;
}

void xfv_judge_free(struct xfv_judge *t)
{
    if (!t) return;
    for (size_t i = 0; i < t->n_views; i++) free(t->views[i].coarse);
    free(t->views);
    free(t->ranked);
    free_maps(t->maps, MAX_METHODS);
    free_maps(t->other, MAX_METHODS);
    for (int r = 0; r < XFV_PARTS; r++) free(t->region[r]);
    free(t->oval);
    free(t->coarse_oval);
    xfv_name_table_clear(&t->methods);
    xfv_name_table_clear(&t->people);
    xfv_sheet_free(t->sheet);
    free(t);
}

int xfv_judge_pair(struct xfv_judge *t, const msgpack_object *pair, const msgpack_object *against, struct xfv_err *e)
{
    const char *id[2], *name[2];
    size_t n_id[2], len[2];
    long person[2];
    int n = read_maps(t, pair, t->maps, e);
    if (n < 0) return n;
    for (int i = 0; i < 2; i++) {
        if (xfv_get_str(xfv_map_get(pair, xfv_sides[i]), "id", &id[i], &n_id[i], NULL)) id[i] = "", n_id[i] = 0;
        name[i] = xfv_identity_of(id[i], n_id[i], XFV_IDENTITY_NAME, &len[i]);
        person[i] = xfv_name_number(&t->people, name[i], len[i]);
        if (person[i] < 0) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    long at = xfv_sheet_case(t->sheet, name[0], len[0], name[1], len[1]);
    int status = at < 0 ? xfv_fail(e, XFV_ENOMEM, "out of memory") : test_truth(t, at, pair, n, e);
    if (!status && against) status = test_against(t, at, against, n, e);
    if (!status) status = keep_views(t, at, pair, person, n, e);
    if (!status) status = test_agreement(t, at, n, e);
    return status;
}

/* With the map that is true to the score beside them: how near do the others come? */
static int share_truth(struct xfv_judge *t, struct xfv_err *e)
{
    static const char *const tests[] = {"auroc dissimilarity", "auroc similarity", "region rank dissimilarity",
                                        "region rank similarity"};
    int status = 0;
    if (!xfv_sheet_has(t->sheet, TRUTH)) return 0;
    for (int i = 0; i < 4 && !status; i++) status = xfv_sheet_add_share(t->sheet, tests[i], TRUTH, 0.5, e);
    return status;
}

int xfv_judge_finish(struct xfv_judge *t, struct xfv_err *e)
{
    int status = rank_regions(t, e);
    if (!status) status = share_truth(t, e);
    return status ? status : compare_partners(t, e);
}

struct xfv_sheet *xfv_judge_sheet(struct xfv_judge *t)
{
    return t->sheet;
}

uint64_t xfv_judge_truths(const struct xfv_judge *t)
{
    return t->n_truths;
}
