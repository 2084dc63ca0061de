/* plant: changes one face of each pair at known pixels and writes the truth into the pair. See plant(1). */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "measure/plant.h"
#include "measure/parts.h"
#include "measure/resample.h"
#include "base/grow.h"
#include "pair/identity.h"
#include "stage/stage.h"
#include "stream/put.h"
#include "pair/label.h"
#include "pair/maps.h"

enum kind { SWAP, OCCLUDER, SUNGLASSES, MASK, PATCHES, NOISE };
static const char *const kinds[] = {"swap", "occluder", "sunglasses", "mask", "patches", "noise", NULL};

struct donor { char *id; uint8_t *rgb; size_t h, w; long person; };

struct plant {
    struct xfv_cli *c;
    int kind, region, face, match, skip, given_face, keep_clean;
    const char *donors_path;
    double sigma;
    uint64_t seed;
    struct donor *donors;
    size_t n_donors, cap;
    struct xfv_name_table people;
    uint64_t n_skipped;
};

/* One planting: where, from whom, what it speaks for. */
struct job {
    const char *id[2];  /* of the two faces; not NUL-terminated */
    size_t n_id[2];
    int label;          /* 1 genuine, 0 impostor, -1 unknown */
    int side;           /* 0 a, 1 b */
    int region;         /* -1: none */
    uint8_t *rgb, *mask;
    int h, w;
    const struct donor *donor;
    struct xfv_random random;
};

/* ---- donors ---- */

static long person_of(struct plant *t, const char *id, size_t n)
{
    size_t len;
    const char *name = xfv_identity_of(id, n, XFV_IDENTITY_NAME, &len);
    return xfv_name_number(&t->people, name, len);
}

static int add_donor(struct plant *t, const msgpack_object *face, struct xfv_err *e)
{
    struct xfv_tensor image;
    const char *id;
    size_t n;
    if (xfv_get_str(face, "id", &id, &n, e) || xfv_get_tensor_view(face, "image", &image, e)) return e->status;
    if (image.dtype != XFV_U8 || image.ndim != 3 || image.shape[2] != 3)
        return xfv_fail(e, XFV_EFORMAT, "a donor's image must be |u1 [H,W,3]");
    if (t->n_donors == t->cap) {
        size_t cap = xfv_more(t->cap, 256);
        if (!XFV_GROW(t->donors, cap)) return xfv_fail(e, XFV_ENOMEM, "out of memory for the donors");
        t->cap = cap;
    }
    struct donor *d = &t->donors[t->n_donors];
    *d = (struct donor){strndup(id, n), malloc(xfv_tensor_bytes(&image)), image.shape[0], image.shape[1],
                        person_of(t, id, n)};
    t->n_donors++;
    if (!d->id || !d->rgb || d->person < 0) return xfv_fail(e, XFV_ENOMEM, "out of memory for the donors");
    memcpy(d->rgb, image.data, xfv_tensor_bytes(&image));
    return 0;
}

static int read_donors(struct plant *t, struct xfv_err *e)
{
    struct xfv_reader *in;
    struct xfv_rec *r;
    int fd = open(t->donors_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return xfv_fail(e, XFV_EIO, "cannot open '%s'", t->donors_path);
    int status = xfv_reader_open(&in, fd, 1, t->donors_path, xfv_cli_limits(t->c), e);
    if (status) {
        close(fd);
        return status;
    }
    while (!(status = xfv_reader_next(in, &r, e))) {
        if (xfv_rec_kind(r) == XFV_FACE) status = add_donor(t, xfv_rec_root(r), e);
        xfv_rec_free(r);
        if (status) break;
    }
    xfv_reader_close(in);
    if (status == XFV_EOF) status = t->n_donors ? 0 : xfv_fail(e, XFV_EARG, "%s holds no faces", t->donors_path);
    return status;
}

static int same_id(const struct donor *d, const char *id, size_t n)
{
    return strlen(d->id) == n && !memcmp(d->id, id, n);
}

/* May this face give its pixels? Into a genuine pair those of somebody else; into an impostor pair another photograph
 * of the partner's person. */
static int suits(const struct plant *t, const struct job *j, const struct donor *d, const long person[2])
{
    if (d->h != (size_t)j->h || d->w != (size_t)j->w || same_id(d, j->id[0], j->n_id[0]) ||
        same_id(d, j->id[1], j->n_id[1]))
        return 0;
    if (j->label == 0) return d->person == person[1 - j->side];
    (void)t;
    return d->person != person[0] && d->person != person[1];
}

static int find_donor(struct plant *t, struct job *j, struct xfv_err *e)
{
    long person[2] = {person_of(t, j->id[0], j->n_id[0]), person_of(t, j->id[1], j->n_id[1])};
    uint32_t n = 0, at;
    if (person[0] < 0 || person[1] < 0) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; i < t->n_donors; i++) n += (uint32_t)suits(t, j, &t->donors[i], person);
    if (!n)
        return xfv_fail_code(e, XFV_EDATA, "nodonor", "no donor suits: %s of the same size is needed",
                             j->label ? "somebody else's photograph" : "another photograph of the partner's person");
    at = xfv_random_below(&j->random, n);
    for (size_t i = 0; i < t->n_donors; i++)
        if (suits(t, j, &t->donors[i], person) && at-- == 0) j->donor = &t->donors[i];
    return 0;
}

/* ---- one pair ---- */

static int look_at(struct plant *t, struct xfv_rec *r, struct job *j, struct xfv_err *e)
{
    msgpack_object *root = xfv_rec_root(r);
    struct xfv_tensor image;
    const char *id = "";
    size_t n = 0;
    for (int i = 0; i < 2; i++)
        if (xfv_get_str(xfv_map_get(root, xfv_sides[i]), "id", &j->id[i], &j->n_id[i], e))
            return xfv_fail_code(e, XFV_EDATA, "noid", "the pair's face %s has no id", xfv_sides[i]);
    j->label = xfv_pair_label(root);
    j->side = t->face;
    int status = xfv_get_tensor(xfv_map_get(root, xfv_sides[j->side]), "image", XFV_U8, 3, (size_t[]){0, 0, 3}, &image,
                                e);
    if (status == XFV_ENOMEM) return status;
    if (status) return xfv_fail_code(e, XFV_EDATA, "noimage", "face %s has no image |u1 [H,W,3]", xfv_sides[j->side]);
    j->rgb = image.data;
    j->h = (int)image.shape[0];
    j->w = (int)image.shape[1];
    j->mask = calloc((size_t)j->h * (size_t)j->w + 1, 1);
    if (!j->mask) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (xfv_get_str(root, "id", &id, &n, NULL)) id = "", n = 0;
    j->random = xfv_random_new(t->seed, id, n);
    j->region = t->kind == SWAP || t->kind == OCCLUDER
                    ? t->region >= 0 ? t->region : (int)xfv_random_below(&j->random, XFV_PARTS)
                    : -1;
    if (t->kind != SWAP && t->kind != PATCHES) return 0;
    if (j->label < 0)
        return xfv_fail_code(e, XFV_EDATA, "nolabel",
                             "the pair has no label: verify --pairs a list that tells whether they are one person");
    return find_donor(t, j, e);
}

static int change(struct plant *t, struct job *j, struct xfv_err *e)
{
    switch (t->kind) {
    case SWAP: return xfv_plant_region(j->rgb, j->donor->rgb, j->h, j->w, j->region, t->match, j->mask, e);
    case OCCLUDER: xfv_plant_occluder(j->rgb, j->h, j->w, j->region, &j->random, j->mask); return 0;
    case SUNGLASSES: xfv_plant_sunglasses(j->rgb, j->h, j->w, j->mask); return 0;
    case MASK: xfv_plant_mask(j->rgb, j->h, j->w, j->mask); return 0;
    case PATCHES:
        xfv_plant_patches(j->rgb, j->donor->rgb, j->h, j->w, 27, (16 * j->w + 56) / 112, &j->random, j->mask);
        return 0;
    default: xfv_plant_noise(j->rgb, j->h, j->w, t->sigma, &j->random); return 0;
    }
}

static int put_truth(struct plant *t, struct xfv_rec *r, struct job *j, const msgpack_object *original,
                     struct xfv_err *e)
{
    msgpack_zone *z = xfv_rec_zone(r);
    msgpack_object *root = xfv_rec_root(r), truth = xfv_val_map(z);
    size_t shape[2] = {(size_t)j->h, (size_t)j->w};
    double score;
    struct xfv_tensor mask = xfv_tensor_view(XFV_U8, 2, shape, j->mask);
    struct xfv_put put = xfv_put_into(z, &truth, e);
    xfv_put_text(&put, "kind", kinds[t->kind]);
    xfv_put_text(&put, "face", xfv_sides[j->side]);
    if (j->region >= 0) xfv_put_text(&put, "region", xfv_part_names[j->region]);
    if (j->donor) xfv_put_text(&put, "donor", j->donor->id);
    if (!xfv_get_f64(root, "score", &score, NULL)) xfv_put(&put, "score_before", *xfv_map_get(root, "score"));
    if (t->kind == PATCHES || t->keep_clean) xfv_put(&put, "original", *original);
    if (t->kind != NOISE) { /* noise is everywhere: there is nothing to find */
        int similar = j->donor && j->label == 0;
        xfv_put_text(&put, "sign", similar ? "similarity" : "dissimilarity");
        xfv_put_tensor(&put, "mask", &mask);
    }
    return put.status ? put.status : xfv_map_put(z, root, "truth", truth, e);
}

static int plant_one(struct plant *t, struct xfv_rec *r, struct job *j, struct xfv_err *e)
{
    int status = look_at(t, r, j, e);
    if (!status) status = change(t, j, e);
    if (status) return status;
    msgpack_zone *z = xfv_rec_zone(r);
    msgpack_object *root = xfv_rec_root(r), original = *xfv_map_get(xfv_map_get(root, xfv_sides[j->side]), "image");
    size_t shape[3] = {(size_t)j->h, (size_t)j->w, 3};
    struct xfv_tensor image = xfv_tensor_view(XFV_U8, 3, shape, j->rgb);
    status = put_truth(t, r, j, &original, e);
    msgpack_object *face = xfv_map_get_mut(root, xfv_sides[j->side]); /* putting moved the map's entries */
    if (!status) status = xfv_map_put(z, face, "image", xfv_val_tensor(z, &image), e);
    xfv_map_drop(face, "embedding"); /* of the face that was */
    xfv_map_drop(face, "model");
    xfv_map_drop(root, "maps");
    return status;
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx;
    return xfv_rec_kind(r) == XFV_PAIR;
}

/* Serial: the pixels of one pair are quickly changed. */
static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct plant *t = ctx;
    struct job j = {0};
    int status = plant_one(t, *r, &j, e);
    free(j.rgb);
    free(j.mask);
    if (!status) return xfv_writer_put(w, *r, e);
    if (status != XFV_EDATA || !t->skip) return status;
    t->n_skipped++;
    return 0;
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct plant *t = ctx;
    (void)w, (void)e;
    if (t->n_skipped) xfv_cli_info(t->c, "%llu pairs left out", (unsigned long long)t->n_skipped);
    return 0;
}

/* ---- options ---- */

static const struct xfv_opt options[] = {
    {"kind", 'k', "KIND", "what is planted (default swap)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct plant, kind, kinds)},
    {"region", 0, "NAME", "where swap and occluder go (default: at random)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct plant, region, xfv_part_names)},
    {"face", 0, "SIDE", "which face is changed (default b, with patches a)",
     XFV_OPT_RESULT, XFV_TO_CHOICE(struct plant, face, xfv_sides), XFV_GIVEN(struct plant, given_face)},
    {"donors", 0, "FILE", "faces that swap and patches take pixels from",
     XFV_OPT_READS, XFV_TO_TEXT(struct plant, donors_path, 0)},
    {"no-match", 0, NULL, "do not shift the donor's colours to those of the face",
     XFV_OPT_RESULT, XFV_TO_FLAG(struct plant, match, 0)},
    {"sigma", 0, "X", "of noise, in grey levels (default 8)",
     XFV_OPT_RESULT, XFV_TO_F64(struct plant, sigma, 0, 255)},
    {"skip", 0, NULL, "leave pairs out that have no donor (default: an err record)",
     XFV_OPT_RESULT, XFV_TO_FLAG(struct plant, skip, 1)},
    {"keep-clean", 0, NULL, "keep the face's image as it was in the truth, for control-map --kind truth",
     XFV_OPT_RESULT, XFV_TO_FLAG(struct plant, keep_clean, 1)},
    {"seed", 0, "N", "start of the generator of random numbers (default 0)",
     XFV_OPT_RESULT, XFV_TO_SEED(struct plant, seed)},
    {0},
};

int main(int argc, char **argv)
{
    static struct plant t = {.region = -1, .face = 1, .match = 1, .sigma = 8};
    static const struct xfv_program program = {
        .name = "plant",
        .summary = "Change one face of each pair at known pixels, so that explanations can be judged: pairs in, pairs "
                   "with their truth out.",
        .operands = "[FILE]...",
        .example = "plant --donors faces.xfv pairs.xfv | embed | verify | path-grad | explain-score",
        .flags = XFV_READS_STREAM | XFV_WRITES_STREAM,
        .opts = options,
        .ctx = &t,
    };
    static const struct xfv_stage stage = {.ctx = &t, .wants = wants, .emit = emit, .finish = finish};
    struct xfv_err e = {0};
    int exit_status, status = 0;
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    if (t.kind == PATCHES && !t.given_face) t.face = 0;
    int needs = t.kind == SWAP || t.kind == PATCHES;
    if (needs && !t.donors_path)
        status = xfv_fail(&e, XFV_EARG, "--kind %s needs --donors, faces to take pixels from", kinds[t.kind]);
    else if (needs) status = read_donors(&t, &e);
    exit_status = status ? xfv_cli_finish(t.c, &e, 0) : xfv_cli_finish(t.c, NULL, xfv_stage_run(t.c, NULL, &stage));
    for (size_t i = 0; i < t.n_donors; i++) {
        free(t.donors[i].id);
        free(t.donors[i].rgb);
    }
    free(t.donors);
    xfv_name_table_clear(&t.people);
    return exit_status;
}
