/* facecrop: photographs to aligned faces, or images of anything to records of that kind. See facecrop(1). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage/floors.h"
#include "stage/photos.h"
#include "stage/stage.h"
#include "face/align.h"
#include "net/model/model.h"
#include "stream/put.h"

struct facecrop {
    struct xfv_cli *c;
    int which;
    int fit; /* of --whole */
    int turn; /* index into turn_names */
    int min_size, size;
    const char *landmarks_path, *list_path;
    struct xfv_shard shard;
    struct xfv_decode_opts decode;
    struct xfv_landmarks landmarks;
    struct xfv_detector *detector, *checker; /* one of them, or none; checker: with --aligned */
    struct xfv_cropper crop;
    char template_digest[65]; /* of the model given with -m */
    struct xfv_photos photos;
    char **listed; /* the images that --landmarks names, once each */
    struct xfv_crop_work *work; /* a worker */
};

static int make(void *ctx, const struct xfv_image *im, const char *path, const char *name, int worker,
                struct xfv_crops *out, struct xfv_err *e)
{
    struct facecrop *t = ctx;
    return xfv_crop_faces(&t->crop, &t->work[worker], im, path, name, out, e);
}

/* ---- set-up ---- */

static int read_landmarks(struct facecrop *t, struct xfv_err *e)
{
    int is_stdin = !strcmp(t->landmarks_path, "-");
    const char *shown = is_stdin ? "standard input" : t->landmarks_path;
    FILE *f = is_stdin ? stdin : fopen(t->landmarks_path, "re");
    if (!f) return xfv_fail(e, XFV_EIO, "cannot open '%s'", shown);
    int status = xfv_landmarks_read(f, shown, &t->landmarks, e);
    t->crop.landmarks = &t->landmarks;
    t->crop.landmarks_name = t->landmarks_path;
    if (!is_stdin) fclose(f);
    return status;
}

/* Crop for the model named by -m: its size and template; without -m for ArcFace's. */
static int choose_template(struct facecrop *t, struct xfv_err *e)
{
    const char *path = xfv_cli_model(t->c);
    memcpy(t->crop.template_xy, xfv_template_arcface, sizeof t->crop.template_xy);
    t->crop.template_size = 112;
    if (path) {
        struct xfv_model *m;
        int status = xfv_model_load(path, &m, e);
        if (status) return status;
        memcpy(t->crop.template_xy, m->template_xy, sizeof t->crop.template_xy);
        memcpy(t->template_digest, m->digest, sizeof t->template_digest);
        t->crop.template_size = m->width;
        t->crop.height = m->height;
        if (!xfv_model_has_template(m) && !t->crop.aligned)
            status = xfv_fail(e, XFV_EMODEL,
                              "model '%s' does not say where eyes, nose and mouth belong: import it with --template",
                              m->name);
        xfv_model_free(m);
        if (status) return status;
    }
    t->crop.size = t->size ? t->size : t->crop.template_size;
    if (t->crop.height) t->crop.height = (int)lround((double)t->crop.size * t->crop.height / t->crop.template_size);
    if (t->crop.height < 1) t->crop.height = t->crop.size;
    return 0;
}

/* With --aligned the detector has no say in the result: it only tells which images are no aligned crops. */
static int open_detector(struct facecrop *t, struct xfv_err *e)
{
    struct xfv_detector *d = NULL;
    int status = xfv_detector_new(&d, e);
    t->crop.detector = d;
    if (!t->crop.aligned) {
        t->detector = d;
        return status;
    }
    if (status) xfv_cli_info(t->c, "images are not looked at whether they are aligned: %s", e->msg);
    t->checker = d;
    return 0;
}

/* The option that says where the face is, so that none is looked for; NULL: one is. */
static const char *no_search(const struct facecrop *t)
{
    return t->crop.generic ? "whole" : t->crop.aligned ? "aligned" : t->landmarks_path ? "landmarks" : NULL;
}

static int check_options(const struct facecrop *t, struct xfv_err *e)
{
    const char *other = t->crop.generic && t->crop.aligned ? "aligned" : t->landmarks_path ? "landmarks" : NULL;
    if (other && strcmp(other, no_search(t)))
        return xfv_fail(e, XFV_EARG, "--%s and --%s both say where the face is: give one of the two", no_search(t),
                        other);
    if (t->turn && no_search(t))
        return xfv_fail(e, XFV_EARG, "--turn goes with looking for faces, not with --%s", no_search(t));
    for (int m = 0; m < XFV_QUALITIES && t->crop.generic; m++)
        if (!isnan(t->crop.limits[m]))
            return xfv_fail(e, XFV_EARG, "--%s-%s measures faces, and --whole looks for none: leave one of the two out",
                            xfv_quality_info[m].high_is_good ? "min" : "max", xfv_quality_info[m].name);
    return 0;
}

static int check_names(struct facecrop *t, struct xfv_err *e)
{
    char **names;
    int n = xfv_cli_operands(t->c, &names);
    if (n == 0 && !t->list_path && !t->landmarks_path && isatty(STDIN_FILENO))
        return xfv_fail(e, XFV_EARG, "no input: name an image, or pipe one in; usage: facecrop [OPTION]... [IMAGE]...");
    t->photos = (struct xfv_photos){.c = t->c,
                                    .names = names,
                                    .n = n,
                                    .list_path = t->list_path,
                                    .shard = t->shard,
                                    .decode = t->decode,
                                    .ctx = t,
                                    .make = make};
    return xfv_photos_check(&t->photos, t->landmarks_path && !strcmp(t->landmarks_path, "-"), t->landmarks_path != NULL,
                            e);
}

/* Without operands, --landmarks names the images. */
static int take_listed_names(struct facecrop *t, struct xfv_err *e)
{
    size_t n = 0, first;
    if (t->photos.n || t->list_path) return 0;
    t->listed = calloc(t->landmarks.n + 1, sizeof *t->listed);
    if (!t->listed) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (size_t i = 0; i < t->landmarks.n; i++) {
        xfv_landmarks_find(&t->landmarks, t->landmarks.v[i].path, &first);
        if (t->landmarks.by_path[first] == i) t->listed[n++] = t->landmarks.v[i].path;
    }
    t->photos.names = t->listed;
    t->photos.n = (int)n;
    return 0;
}

static int make_workers(struct facecrop *t, struct xfv_err *e)
{
    t->photos.pool = xfv_pool_new(xfv_cli_jobs(t->c));
    int n = xfv_pool_size(t->photos.pool);
    t->work = calloc((size_t)n, sizeof *t->work);
    int bad = !t->photos.pool || !t->work;
    for (int i = 0; i < n && !bad; i++) bad = xfv_crop_work_init(&t->work[i], &t->crop, e);
    return bad ? xfv_fail(e, XFV_ENOMEM, "out of memory for %d workers", n) : 0;
}

/* The digests of the models that had a say, for the provenance. */
static int start_stream(struct facecrop *t, msgpack_zone *z, struct xfv_err *e)
{
    msgpack_object extra = xfv_val_map(z), models = xfv_val_array(z);
    struct xfv_put put = xfv_put_into(z, &extra, e);
    for (int i = 0; i < 3 && t->detector && !put.status; i++) {
        msgpack_object m = xfv_val_map(z);
        struct xfv_put model = xfv_put_into(z, &m, e);
        xfv_put_text(&model, "name", xfv_detector_name(t->detector, i));
        xfv_put_text(&model, "digest", xfv_detector_digest(t->detector, i));
        put.status = model.status ? model.status : xfv_array_push(z, &models, m, e);
    }
    if (t->detector) {
        xfv_put(&put, "models", models);
        xfv_put_text(&put, "kernels", xfv_stage_kernels());
    }
    if (*t->template_digest) xfv_put_text(&put, "template", t->template_digest);
    if (put.status) return put.status;
    int fd = xfv_cli_out_fd(t->c, e);
    int status = fd < 0 ? fd : xfv_writer_open(&t->photos.w, fd, e);
    return status ? status
                  : xfv_writer_head(t->photos.w, NULL, xfv_cli_prov(t->c, extra.via.map.size ? &extra : NULL), NULL, e);
}

static int run(struct facecrop *t, struct xfv_err *e)
{
    msgpack_zone z;
    int status = check_options(t, e);
    if (!status) status = check_names(t, e);
    t->crop.aligned |= t->crop.generic;
    t->crop.fit = t->crop.generic ? (enum xfv_fit)t->fit : XFV_FIT_STRETCH;
    if (!status && t->landmarks_path) status = read_landmarks(t, e);
    if (!status && t->landmarks_path) status = take_listed_names(t, e);
    if (!status) status = xfv_photos_seal(&t->photos, e);
    if (!status) status = choose_template(t, e);
    if (!status && !t->landmarks_path && !t->crop.generic) status = open_detector(t, e);
    t->crop.min_face = t->min_size;
    t->crop.which = (enum xfv_which)t->which;
    t->crop.turn = t->turn == 0 ? XFV_TURN_AUTO : 90 * (t->turn - 1);
    if (!status) status = make_workers(t, e);
    if (status) return status;
    if (!msgpack_zone_init(&z, 1024)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    status = start_stream(t, &z, e);
    if (!status) status = xfv_photos_run(&t->photos, e);
    if (!status) status = xfv_writer_end(t->photos.w, e);
    msgpack_zone_destroy(&z);
    return status;
}

/* -v: where the time went. */
static void tell(const struct facecrop *t)
{
    struct xfv_detect_stats s = {0};
    double crop = 0;
    for (int i = 0; t->work && i < xfv_pool_size(t->photos.pool); i++) {
        const struct xfv_detect_stats *d = &t->work[i].stats;
        crop += t->work[i].crop;
        s.resample += d->resample, s.p_net += d->p_net, s.r_net += d->r_net, s.o_net += d->o_net;
        s.r_boxes += d->r_boxes, s.o_boxes += d->o_boxes;
    }
    xfv_cli_info(t->c,
                 "%llu images, %llu faces; seconds: decode %.3f, pyramid %.3f, P-Net %.3f, R-Net %.3f (%zu boxes), "
                 "O-Net %.3f (%zu boxes), crop %.3f",
                 (unsigned long long)t->photos.images, (unsigned long long)t->photos.records, t->photos.decode_seconds,
                 s.resample, s.p_net, s.r_net, s.r_boxes, s.o_net, s.o_boxes, crop);
}

static void close_all(struct facecrop *t)
{
    for (int i = 0; t->work && i < xfv_pool_size(t->photos.pool); i++) xfv_crop_work_clear(&t->work[i]);
    free(t->work);
    free(t->listed);
    xfv_pool_free(t->photos.pool);
    xfv_writer_close(t->photos.w);
    xfv_detector_free(t->detector);
    xfv_detector_free(t->checker);
    xfv_landmarks_clear(&t->landmarks);
}

/* ---- options ---- */

static const char *const face_names[] = {"largest", "central", "all", NULL};
static const char *const turn_names[] = {"auto", "0", "90", "180", "270", NULL};

static int set_shard(void *ctx, const char *v, struct xfv_err *e)
{
    return xfv_parse_shard("--shard", v, &((struct facecrop *)ctx)->shard, e);
}

int main(int argc, char **argv)
{
    static struct facecrop t;
    static const struct xfv_opt opts[] = {
        {"face", 'f', "WHICH", "which faces of an image (default largest)",
         XFV_OPT_RESULT, XFV_TO_CHOICE(struct facecrop, which, face_names)},
        {"min-size", 0, "N", "smallest face looked for, pixels (default: shorter side / 15, at least 20)",
         XFV_OPT_RESULT, XFV_TO_INT(struct facecrop, min_size, 12, 100000)},
        {"turn", 0, "DEGREES", "turn photographs clockwise, so that faces are upright (default auto)",
         XFV_OPT_RESULT, XFV_TO_CHOICE(struct facecrop, turn, turn_names)},
        {"size", 'S', "N", "side of the crop, pixels (default: the model's; without -m 112)",
         XFV_OPT_RESULT, XFV_TO_INT(struct facecrop, size, 8, 2048)},
        {"aligned", 0, NULL, "the images are aligned crops already: only resize them",
         XFV_OPT_RESULT, XFV_TO_FLAG(struct facecrop, crop.aligned, 1)},
        {"whole", 0, "HOW", "the images are of anything: each is taken whole; HOW says what to do with another size",
         XFV_OPT_RESULT, XFV_TO_CHOICE(struct facecrop, fit, xfv_fit_names), XFV_GIVEN(struct facecrop, crop.generic)},
        XFV_FLOORS(struct facecrop, crop.limits),
        {"landmarks", 0, "FILE", "take landmarks from FILE (lines: path and ten numbers) instead of detecting",
         XFV_OPT_READS, XFV_TO_TEXT(struct facecrop, landmarks_path, 0)},
        {"files0-from", '0', "FILE", "read the images' names, each ended by NUL, from FILE (-: standard input)",
         XFV_OPT_READS, XFV_TO_TEXT(struct facecrop, list_path, 0)},
        {"shard", 0, "I/N", "of the images named, the I-th of N equal parts, in order", 0, .set = set_shard},
        {"max-pixels", 0, "SIZE", "refuse images of more pixels (default 256M)",
         0, XFV_TO_SIZE(struct facecrop, decode.max_pixels, 1, SIZE_MAX / 8)},
        {0},
    };
    static const struct xfv_program program = {
        .name = "facecrop",
        .summary = "Find the faces in photographs and write them as aligned crops: images in, face records out.",
        .operands = "[IMAGE]...",
        .example = "facecrop a.jpg b.jpg | embed | verify",
        .flags = XFV_TAKES_JOBS | XFV_TAKES_MODEL | XFV_WRITES_STREAM | XFV_SEALS_LATER | XFV_TIMES_RECORDS,
        .opts = opts,
        .ctx = &t,
        .libraries = {&xfv_library_net, &xfv_library_image},
    };
    struct xfv_err e = {0};
    int exit_status;
    t.decode = xfv_decode_opts_default();
    xfv_floors_none(t.crop.limits);
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    int status = run(&t, &e);
    tell(&t);
    exit_status = xfv_cli_finish(t.c, status ? &e : NULL, XFV_EXIT_OK);
    close_all(&t);
    return exit_status;
}
