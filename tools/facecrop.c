/* facecrop: photographs to aligned faces. See facecrop(1). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/shard.h"
#include "face/align.h"
#include "face/crop.h"
#include "image/source.h"
#include "net/model.h"
#include "stream/clock.h"

#define WINDOW_BYTES ((size_t)128 << 20) /* images that wait for a worker hold no more than this, and one */

struct worker {
    struct xfv_crop_work crop;
    double decode; /* seconds */
};

/* One image on its way: from the reader to a worker to the writer. */
struct item {
    char *path;                /* as given: what --landmarks knows it by */
    char *name;                /* the same, with #number in a Netpbm stream */
    struct xfv_raw_image raw;
    int status;
    struct xfv_err err;
    struct xfv_crops faces;
};

struct facecrop {
    struct xfv_cli *c;
    int which;
    long min_size, size;
    const char *landmarks_path, *list_path;
    struct xfv_shard shard;
    struct xfv_decode_opts decode;
    struct xfv_landmarks landmarks;
    struct xfv_detector *detector;
    struct xfv_cropper crop;
    char template_digest[65]; /* of the model given with -m */
    struct xfv_pool *pool;
    struct worker *workers;
    struct xfv_writer *out;
    struct item *items;
    int n, window;
    size_t bytes; /* held by items */
    uint64_t images, n_faces;
};

/* ---- one image: a worker's job ---- */

static int take_image(struct facecrop *t, struct item *it, struct worker *w, struct xfv_err *e)
{
    if (!it->raw.im.data) {
        double start = xfv_now();
        int r = xfv_image_decode(it->raw.bytes, it->raw.n, &t->decode, &it->raw.im, NULL, e);
        w->decode += xfv_now() - start;
        if (r) return r;
    }
    return xfv_crop_faces(&t->crop, &w->crop, &it->raw.im, it->path, it->name, &it->faces, e);
}

static void work(void *ctx, int i, int worker)
{
    struct facecrop *t = ctx;
    struct item *it = &t->items[i];
    if (!it->status) it->status = take_image(t, it, &t->workers[worker], &it->err);
    xfv_raw_image_clear(&it->raw);
}

/* ---- writing, in order ---- */

/* The short word of the err record. */
static const char *code_of(const struct xfv_err *e)
{
    if (e->code) return e->code;
    return e->status == XFV_EIO ? "open" : e->status == XFV_ELIMIT ? "limit" : "decode";
}

static int put_item(struct facecrop *t, struct item *it, struct xfv_err *e)
{
    int r = 0;
    if (!it->status) {
        for (size_t i = 0; i < it->faces.n && !r; i++) r = xfv_writer_put(t->out, it->faces.v[i], e);
        t->n_faces += it->faces.n;
        return r;
    }
    if (it->status != XFV_EDATA && it->status != XFV_ELIMIT && it->status != XFV_EIO) {
        *e = it->err;
        return xfv_fail_at(e, "%s", it->name);
    }
    xfv_cli_record_failed(t->c, 0, it->name, strlen(it->name), it->err.msg);
    struct xfv_rec *bad = xfv_rec_error(it->name, strlen(it->name), "facecrop", code_of(&it->err), it->err.msg);
    if (!bad) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    r = xfv_writer_put(t->out, bad, e);
    xfv_rec_free(bad);
    return r;
}

static void clear_item(struct item *it)
{
    xfv_raw_image_clear(&it->raw);
    xfv_crops_clear(&it->faces);
    free(it->path);
    free(it->name);
    memset(it, 0, sizeof *it);
}

/* Work on the gathered images and write what comes of them. */
static int flush(struct facecrop *t, struct xfv_err *e)
{
    int r = 0, n = t->n;
    xfv_pool_run(t->pool, n, work, t);
    for (int i = 0; i < n; i++) {
        if (!r) r = put_item(t, &t->items[i], e);
        clear_item(&t->items[i]);
    }
    t->n = 0;
    t->bytes = 0;
    char **names;
    int total = t->list_path ? 0 : xfv_cli_operands(t->c, &names);
    xfv_cli_progress(t->c, t->images, t->images <= (uint64_t)total ? (uint64_t)total : 0, "images");
    return r;
}

/* ---- reading ---- */

static char *name_of(const char *path, int number)
{
    size_t cap = strlen(path) + 24;
    char *s = malloc(cap);
    if (s) snprintf(s, cap, number < 0 ? "%s" : "%s#%d", path, number);
    return s;
}

/* Take in an image, or why there is none (*why). */
static int add_item(struct facecrop *t, const char *path, struct xfv_raw_image *raw, int status, const struct xfv_err *why, struct xfv_err *e)
{
    struct item *it = &t->items[t->n];
    *it = (struct item){.path = strdup(path), .name = name_of(path, raw->number), .raw = *raw, .status = status};
    if (!it->path || !it->name) {
        clear_item(it);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    if (status) it->err = *why;
    t->bytes += raw->n + (raw->im.data ? (size_t)raw->im.width * (size_t)raw->im.height * 3 : 0);
    t->n++;
    t->images++;
    return t->n == t->window || t->bytes > WINDOW_BYTES ? flush(t, e) : 0;
}

/* All images of one file. Nothing finished waits for a pipe: before a read that may block, what was gathered is worked on and written. */
static int take_path(struct facecrop *t, const char *path, struct xfv_err *e)
{
    struct xfv_image_source *s = NULL;
    struct xfv_raw_image raw = {.number = -1};
    struct xfv_err why = {0};
    struct stat st;
    int r = 0, status;
    if (t->n && strcmp(path, "-") && !stat(path, &st) && !S_ISREG(st.st_mode)) r = flush(t, e);
    if (r) return r;
    status = xfv_image_source_open(&s, path, &why);
    if (status) return add_item(t, path, &raw, status, &why, e);
    for (;;) {
        if (t->n && !xfv_image_source_ready(s) && (r = flush(t, e))) break;
        why = (struct xfv_err){0};
        status = xfv_image_source_next(s, &t->decode, &raw, &why);
        if (status == XFV_EOF) break;
        if ((r = add_item(t, path, &raw, status, &why, e))) break;
    }
    xfv_image_source_close(s);
    return r;
}

static int take_listed_name(struct facecrop *t, const char *name, const char *shown, int from_stdin, struct xfv_err *e)
{
    if (!*name) return xfv_fail(e, XFV_EARG, "%s: an empty file name", shown);
    if (from_stdin && !strcmp(name, "-")) return xfv_fail(e, XFV_EARG, "standard input holds the list of files and cannot be one of them");
    return take_path(t, name, e);
}

/* The names of a list, to know how many they are before the first is taken. *names is the caller's to free, also after an error. */
static int read_list(FILE *f, char ***names, size_t *n, struct xfv_err *e)
{
    char *line = NULL;
    size_t room = 0, cap = 0;
    while (getdelim(&line, &room, '\0', f) > 0) {
        if (*n == cap) {
            char **more = realloc(*names, (cap = cap ? 2 * cap : 256) * sizeof *more);
            if (more) *names = more;
            else break;
        }
        (*names)[(*n)++] = line;
        line = NULL;
        room = 0;
    }
    int short_of_memory = line && !feof(f) && !ferror(f);
    free(line);
    return short_of_memory ? xfv_fail(e, XFV_ENOMEM, "out of memory for a list of %zu files", *n) : 0;
}

/* --shard: this part of the list. */
static int take_part(struct facecrop *t, FILE *f, const char *shown, struct xfv_err *e)
{
    char **names = NULL;
    size_t n = 0;
    uint64_t from, to;
    int r = read_list(f, &names, &n, e);
    xfv_shard_slice(&t->shard, n, &from, &to);
    for (uint64_t i = from; i < to && !r; i++) r = take_listed_name(t, names[i], shown, f == stdin, e);
    for (size_t i = 0; i < n; i++) free(names[i]);
    free(names);
    return r;
}

/* Every path of a list whose names end in NUL. */
static int take_list(struct facecrop *t, struct xfv_err *e)
{
    const char *shown = strcmp(t->list_path, "-") ? t->list_path : "standard input";
    FILE *f = strcmp(t->list_path, "-") ? fopen(t->list_path, "rbe") : stdin;
    if (!f) return xfv_fail(e, XFV_EIO, "cannot open '%s'", shown);
    char *line = NULL;
    size_t room = 0;
    int r = 0;
    errno = 0;
    if (t->shard.n) r = take_part(t, f, shown, e);
    while (!r && getdelim(&line, &room, '\0', f) > 0) r = take_listed_name(t, line, shown, f == stdin, e);
    if (!r && ferror(f)) r = xfv_fail(e, XFV_EIO, "cannot read '%s'", shown);
    free(line);
    if (f != stdin) fclose(f);
    return r;
}

static int take_all(struct facecrop *t, struct xfv_err *e)
{
    char **names;
    int n = xfv_cli_operands(t->c, &names), r = 0;
    if (t->list_path) {
        r = take_list(t, e);
    } else if (n == 0 && t->landmarks_path) {
        for (size_t i = 0, first; i < t->landmarks.n && !r; i++) {
            const char *path = t->landmarks.v[i].path;
            xfv_landmarks_find(&t->landmarks, path, &first);
            if (t->landmarks.by_path[first] == i) r = take_path(t, path, e);
        }
    } else if (n == 0) {
        r = take_path(t, "-", e);
    }
    uint64_t from, to;
    xfv_shard_slice(&t->shard, (uint64_t)n, &from, &to);
    for (uint64_t i = from; i < to && !r; i++) r = take_path(t, names[i], e);
    return r ? r : flush(t, e);
}

/* ---- set-up ---- */

static int read_landmarks(struct facecrop *t, struct xfv_err *e)
{
    int is_stdin = !strcmp(t->landmarks_path, "-");
    const char *shown = is_stdin ? "standard input" : t->landmarks_path;
    FILE *f = is_stdin ? stdin : fopen(t->landmarks_path, "re");
    if (!f) return xfv_fail(e, XFV_EIO, "cannot open '%s'", shown);
    int r = xfv_landmarks_read(f, shown, &t->landmarks, e);
    t->crop.landmarks = &t->landmarks;
    t->crop.landmarks_name = t->landmarks_path;
    if (!is_stdin) fclose(f);
    return r;
}

/* Crop for the model named by -m: its size and template; without -m for ArcFace's. */
static int choose_template(struct facecrop *t, struct xfv_err *e)
{
    const char *path = xfv_cli_model(t->c);
    memcpy(t->crop.template_xy, xfv_template_arcface, sizeof t->crop.template_xy);
    t->crop.template_size = 112;
    if (path) {
        struct xfv_model *m;
        int r = xfv_model_load(path, &m, e), known = 0;
        if (r) return r;
        for (int i = 0; i < 10; i++) known |= m->template_xy[i] != 0;
        memcpy(t->crop.template_xy, m->template_xy, sizeof t->crop.template_xy);
        memcpy(t->template_digest, m->digest, sizeof t->template_digest);
        t->crop.template_size = m->width;
        if (m->width != m->height) r = xfv_fail(e, XFV_EMODEL, "model '%s' takes images of %d x %d pixels, not square ones", m->name, m->width, m->height);
        else if (!known && !t->crop.aligned) r = xfv_fail(e, XFV_EMODEL, "model '%s' says not where eyes, nose and mouth belong", m->name);
        xfv_model_free(m);
        if (r) return r;
    }
    t->crop.size = t->size ? (int)t->size : t->crop.template_size;
    return 0;
}

static int check_options(struct facecrop *t, struct xfv_err *e)
{
    char **names;
    int n = xfv_cli_operands(t->c, &names), from_stdin = 0;
    if (t->crop.aligned && t->landmarks_path) return xfv_fail(e, XFV_EARG, "--aligned images need no --landmarks: give one of the two");
    if (t->list_path && n) return xfv_fail(e, XFV_EARG, "--files0-from names the images: no operand may do so too ('%s')", names[0]);
    for (int i = 0; i < n; i++) from_stdin += !strcmp(names[i], "-");
    if (t->list_path) from_stdin += !strcmp(t->list_path, "-");
    else if (n == 0 && !t->landmarks_path) from_stdin++;
    if (t->landmarks_path) from_stdin += !strcmp(t->landmarks_path, "-");
    if (t->shard.n && !n && !t->list_path) return xfv_fail(e, XFV_EARG, "--shard takes a part of the images that operands or --files0-from name");
    if (from_stdin > 1) return xfv_fail(e, XFV_EARG, "standard input ('-') can be read only once");
    if (n == 0 && !t->list_path && !t->landmarks_path && isatty(STDIN_FILENO))
        return xfv_fail(e, XFV_EARG, "no input: name an image, or pipe one in; usage: facecrop [OPTION]... [IMAGE]...");
    return 0;
}

static int make_workers(struct facecrop *t, struct xfv_err *e)
{
    int n;
    t->pool = xfv_pool_new(xfv_cli_jobs(t->c));
    n = xfv_pool_size(t->pool);
    t->window = n > 1 ? 4 * n : 1;
    t->workers = calloc((size_t)n, sizeof *t->workers);
    t->items = calloc((size_t)t->window, sizeof *t->items);
    int bad = !t->pool || !t->workers || !t->items;
    for (int i = 0; i < n && !bad; i++) bad = xfv_crop_work_init(&t->workers[i].crop, t->crop.size, e);
    return bad ? xfv_fail(e, XFV_ENOMEM, "out of memory for %d workers", n) : 0;
}

/* The digests of the models that had a say, for the provenance. */
static int start_stream(struct facecrop *t, msgpack_zone *z, struct xfv_err *e)
{
    msgpack_object extra = xfv_val_map(z), models = xfv_val_array(z);
    int r = 0;
    for (int i = 0; i < 3 && t->detector && !r; i++) {
        msgpack_object m = xfv_val_map(z);
        r = xfv_map_put(z, &m, "name", xfv_val_str(z, xfv_detector_name(t->detector, i)), e);
        if (!r) r = xfv_map_put(z, &m, "digest", xfv_val_str(z, xfv_detector_digest(t->detector, i)), e);
        if (!r) r = xfv_array_push(z, &models, m, e);
    }
    if (!r && t->detector) r = xfv_map_put(z, &extra, "models", models, e);
    if (!r && *t->template_digest) r = xfv_map_put(z, &extra, "template", xfv_val_str(z, t->template_digest), e);
    if (r) return r;
    int fd = xfv_cli_out_fd(t->c, e);
    r = fd < 0 ? fd : xfv_writer_open(&t->out, fd, e);
    return r ? r : xfv_writer_head(t->out, NULL, xfv_cli_prov(t->c, extra.via.map.size ? &extra : NULL), NULL, e);
}

static int run(struct facecrop *t, struct xfv_err *e)
{
    msgpack_zone z;
    int r = check_options(t, e);
    if (!r) r = choose_template(t, e);
    if (!r && t->landmarks_path) r = read_landmarks(t, e);
    if (!r && !t->crop.aligned && !t->landmarks_path) r = xfv_detector_new(&t->detector, e);
    t->crop.detector = t->detector;
    t->crop.min_face = (int)t->min_size;
    t->crop.which = (enum xfv_which)t->which;
    if (!r) r = make_workers(t, e);
    if (r) return r;
    if (!msgpack_zone_init(&z, 1024)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    r = start_stream(t, &z, e);
    if (!r) r = take_all(t, e);
    if (!r) r = xfv_writer_end(t->out, e);
    msgpack_zone_destroy(&z);
    return r;
}

/* -v: where the time went. */
static void tell(const struct facecrop *t)
{
    struct xfv_detect_stats s = {0};
    double decode = 0, crop = 0;
    for (int i = 0; t->workers && i < xfv_pool_size(t->pool); i++) {
        const struct worker *w = &t->workers[i];
        const struct xfv_detect_stats *d = &w->crop.stats;
        decode += w->decode, crop += w->crop.crop;
        s.resample += d->resample, s.p_net += d->p_net, s.r_net += d->r_net, s.o_net += d->o_net;
        s.r_boxes += d->r_boxes, s.o_boxes += d->o_boxes;
    }
    xfv_cli_info(t->c, "%llu images, %llu faces; seconds: decode %.3f, pyramid %.3f, P-Net %.3f, R-Net %.3f (%zu boxes), O-Net %.3f (%zu boxes), crop %.3f",
                 (unsigned long long)t->images, (unsigned long long)t->n_faces, decode, s.resample, s.p_net, s.r_net, s.r_boxes, s.o_net, s.o_boxes, crop);
}

static void close_all(struct facecrop *t)
{
    for (int i = 0; t->workers && i < xfv_pool_size(t->pool); i++) xfv_crop_work_clear(&t->workers[i].crop);
    for (int i = 0; i < t->n; i++) clear_item(&t->items[i]);
    free(t->items);
    free(t->workers);
    xfv_pool_free(t->pool);
    xfv_writer_close(t->out);
    xfv_detector_free(t->detector);
    xfv_landmarks_clear(&t->landmarks);
}

/* ---- options ---- */

static int set_face(void *ctx, const char *v, struct xfv_err *e)
{
    static const char *const names[] = {"largest", "central", "all", NULL};
    return xfv_parse_choice("--face", v, names, &((struct facecrop *)ctx)->which, e);
}

static int set_min_size(void *ctx, const char *v, struct xfv_err *e)
{
    return xfv_parse_int("--min-size", v, 12, 100000, &((struct facecrop *)ctx)->min_size, e);
}

static int set_size(void *ctx, const char *v, struct xfv_err *e)
{
    return xfv_parse_int("--size", v, 8, 2048, &((struct facecrop *)ctx)->size, e);
}

static int set_max_pixels(void *ctx, const char *v, struct xfv_err *e)
{
    return xfv_parse_size("--max-pixels", v, 1, SIZE_MAX / 8, &((struct facecrop *)ctx)->decode.max_pixels, e);
}

static int set_aligned(void *ctx, const char *v, struct xfv_err *e)
{
    (void)v, (void)e;
    ((struct facecrop *)ctx)->crop.aligned = 1;
    return 0;
}

static int set_landmarks(void *ctx, const char *v, struct xfv_err *e)
{
    (void)e;
    ((struct facecrop *)ctx)->landmarks_path = v;
    return 0;
}

static int set_list(void *ctx, const char *v, struct xfv_err *e)
{
    (void)e;
    ((struct facecrop *)ctx)->list_path = v;
    return 0;
}

static int set_shard(void *ctx, const char *v, struct xfv_err *e)
{
    return xfv_parse_shard("--shard", v, &((struct facecrop *)ctx)->shard, e);
}

int main(int argc, char **argv)
{
    static struct facecrop t;
    static const struct xfv_opt opts[] = {
        {"face", 'f', "WHICH", "largest (default), central or all faces of an image", 1, set_face, 0},
        {"min-size", 's', "N", "smallest face looked for, pixels (default: shorter side / 15, at least 20)", 1, set_min_size, 0},
        {"size", 'S', "N", "side of the crop, pixels (default: the model's; without -m 112)", 1, set_size, 0},
        {"aligned", 'a', NULL, "the images are aligned crops already: only resize them", 1, set_aligned, 0},
        {"landmarks", 'l', "FILE", "take landmarks from FILE (lines: path and ten numbers) instead of detecting", 0, set_landmarks, 0},
        {"files0-from", '0', "FILE", "read the images' names, each ended by NUL, from FILE (-: standard input)", 0, set_list, 0},
        {"shard", 0, "I/N", "of the images named, the I-th of N equal parts, in order", 0, set_shard, 0},
        {"max-pixels", 0, "SIZE", "refuse images of more pixels (default 256M)", 0, set_max_pixels, 0},
        {NULL, 0, NULL, NULL, 0, NULL, 0},
    };
    static const struct xfv_program program = {
        .name = "facecrop",
        .summary = "Find the faces in photographs and write them as aligned crops: images in, face records out.",
        .operands = "[IMAGE]...",
        .example = "facecrop a.jpg b.jpg | embed | verify",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_WRITES_STREAM,
        .opts = opts,
        .ctx = &t,
        .parts = {&xfv_part_net},
    };
    struct xfv_err e = {0};
    int exit_status;
    t.decode = xfv_decode_opts_default();
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    int r = run(&t, &e);
    tell(&t);
    exit_status = xfv_cli_finish(t.c, r ? &e : NULL, XFV_EXIT_OK);
    close_all(&t);
    return exit_status;
}
