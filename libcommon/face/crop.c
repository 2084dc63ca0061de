#include "face/crop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/align.h"
#include "image/warp.h"
#include "base/clock.h"
#include "base/grow.h"
#include "stream/put.h"

#define FAR_OFF 6 /* pixels of 112: no crop of 384 aligned faces of LFW is found so far from the template */

/* One image on its way to records. */
struct job {
    const struct xfv_cropper *c;
    struct xfv_crop_work *w;
    const struct xfv_image *im;
    const char *path, *name;
    struct xfv_crops *out;
};

/* What is known of one face; box and landmarks may be NULL. */
struct found {
    const double *box, *landmarks;
    double confidence;
    int turn;
    double transform[6];
    struct xfv_quality quality;
    uint8_t *pixels; /* the crop, RGB */
};

/* ---- memory ---- */

static int height_of(const struct xfv_cropper *c) { return c->height ? c->height : c->size; }

int xfv_crop_work_init(struct xfv_crop_work *w, const struct xfv_cropper *c, struct xfv_err *e)
{
    *w = (struct xfv_crop_work){.detect = xfv_detector_work_new(),
                                .pixels = malloc((size_t)c->size * (size_t)height_of(c) * 3)};
    if (w->detect && w->pixels) return 0;
    xfv_crop_work_clear(w);
    return xfv_fail(e, XFV_ENOMEM, "out of memory");
}

void xfv_crop_work_clear(struct xfv_crop_work *w)
{
    xfv_detector_work_free(w->detect);
    free(w->pixels);
    w->detect = NULL;
    w->pixels = NULL;
}

void xfv_crops_clear(struct xfv_crops *l)
{
    for (size_t i = 0; i < l->n; i++) xfv_rec_free(l->v[i]);
    free(l->v);
    *l = (struct xfv_crops){0};
}

/* ---- a face record ---- */

static void put_points(struct xfv_put *p, const double xy[10])
{
    msgpack_object list = xfv_val_array(p->zone);
    for (int i = 0; i < 5 && !p->status; i++)
        p->status = xfv_array_push(p->zone, &list, xfv_val_f64s(p->zone, xy + 2 * i, 2), p->e);
    xfv_put(p, "landmarks", list);
}

static int face_record(const struct job *j, const struct found *f, const char *id, struct xfv_rec **out,
                       struct xfv_err *e)
{
    struct xfv_rec *rec = xfv_rec_new(XFV_FACE);
    if (!rec) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    size_t width = (size_t)j->c->size, height = (size_t)height_of(j->c);
    struct xfv_tensor t = xfv_tensor_view(XFV_U8, 3, (const size_t[]){height, width, 3}, f->pixels);
    struct xfv_put put = xfv_put_into(xfv_rec_zone(rec), xfv_rec_root(rec), e);
    xfv_put_text(&put, "id", id);
    xfv_put_text(&put, "source", j->name);
    xfv_put_ints(&put, "size", (const int[]){j->im->width, j->im->height}, 2);
    if (j->im->scale > 1) xfv_put_int(&put, "reduced", j->im->scale);
    if (j->im->transparent) xfv_put_bool(&put, "transparent", 1);
    if (f->box) {
        xfv_put_f64s(&put, "box", f->box, 4);
        xfv_put_f64(&put, "confidence", f->confidence);
        xfv_put_int(&put, "turn", f->turn);
    }
    if (f->landmarks) put_points(&put, f->landmarks);
    xfv_put_f64s(&put, "transform", f->transform, 6);
    if (j->c->generic) xfv_put_bool(&put, "generic", 1);
    else xfv_quality_put(&put, &f->quality);
    xfv_put_tensor(&put, "image", &t);
    if (put.status) xfv_rec_free(rec);
    else *out = rec;
    return put.status;
}

/* 1: a limit refuses the face, and *out is its err record; 0; or an error. What is doubtful becomes a note. */
static int judge(const struct job *j, const struct found *f, const char *id, struct xfv_rec **out, struct xfv_err *e)
{
    char what[96], why[256];
    double doubts[XFV_QUALITIES];
    if (j->c->generic) return 0;
    int m = xfv_quality_first(&f->quality, j->c->limits);
    if (m >= 0) {
        const struct xfv_quality_info *i = &xfv_quality_info[m];
        snprintf(why, sizeof why, "the face is not fit to be compared: %s, of --%s-%s",
                 xfv_quality_say(&f->quality, m, j->c->limits[m], what, sizeof what), i->high_is_good ? "min" : "max",
                 i->name);
        *out = xfv_rec_error(id, strlen(id), "facecrop", "quality", why);
        return *out ? 1 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    xfv_quality_doubts(&f->quality, doubts);
    for (int k = 0; k < XFV_QUALITIES; k++)
        if (!isnan(j->c->limits[k])) doubts[k] = NAN; /* the user's limit counts instead */
    m = xfv_quality_first(&f->quality, doubts);
    if (m >= 0 && !*j->out->note)
        snprintf(j->out->note, sizeof j->out->note, "a doubtful face: %s",
                 xfv_quality_say(&f->quality, m, doubts[m], what, sizeof what));
    return 0;
}

/* Make the record of face `number` of the image (of several: its id is then name#number). */
static int add_face(const struct job *j, const struct found *f, int number, int several, struct xfv_err *e)
{
    size_t cap = strlen(j->name) + 24;
    char *id = malloc(cap);
    if (!id || !XFV_GROW(j->out->v, j->out->n + 1)) {
        free(id);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    snprintf(id, cap, several ? "%s#%d" : "%s", j->name, number);
    struct xfv_rec **to = &j->out->v[j->out->n];
    int refused = judge(j, f, id, to, e), status = refused < 0 ? refused : refused ? 0 : face_record(j, f, id, to, e);
    if (!status) j->out->n++;
    free(id);
    return status;
}

/* ---- where the faces are ---- */

static int crop_landmarks(const struct job *j, struct found *f, int number, int several, struct xfv_err *e)
{
    const struct xfv_cropper *c = j->c;
    double start = xfv_now();
    f->pixels = j->w->pixels;
    int status = xfv_align(f->landmarks, c->template_xy, c->template_size, c->size, f->transform, e);
    if (!status) status = xfv_warp(j->im, f->transform, c->size, height_of(c), f->pixels, e);
    const uint8_t *square = height_of(c) == c->size ? f->pixels : NULL;
    if (!status)
        status = xfv_quality_measure(j->im, f->landmarks, f->turn, f->transform, c->size, square, &f->quality, e);
    f->quality.v[XFV_Q_CONFIDENCE] = f->box ? f->confidence : NAN;
    if (status == XFV_EARG) status = e->status = XFV_EDATA; /* landmarks all but on one spot */
    if (status == XFV_EDATA) e->code = "landmarks";
    if (!status) status = add_face(j, f, number, several, e);
    j->w->crop += xfv_now() - start;
    return status;
}

/* How far, root mean square, the five places of the template are from where the face's own alignment would bring them,
 * pixels of 112. landmarks: in pixels of the crop. */
static double misplacement(const struct xfv_cropper *c, const double landmarks[10])
{
    double m[6], sum = 0;
    if (xfv_align(landmarks, c->template_xy, c->template_size, 112, m, NULL)) return 0;
    for (int i = 0; i < 5; i++) {
        double x, y, u = c->template_xy[2 * i] / c->template_size, v = c->template_xy[2 * i + 1] / c->template_size;
        xfv_affine_apply(m, u * c->size, v * c->size, &x, &y);
        sum += (x - 112 * u) * (x - 112 * u) + (y - 112 * v) * (y - 112 * v);
    }
    return sqrt(sum / 5);
}

/* A note when the image is no aligned crop: its face is found, and lies elsewhere. The face of a crop is large and
 * upright, so that a quick look is enough. */
static int check_aligned(const struct job *j, const double transform[6], struct xfv_err *e)
{
    int side = j->im->width < j->im->height ? j->im->width : j->im->height;
    struct xfv_find_opts o = {.turn = 0, .min_face = side / 4 > 20 ? side / 4 : 20};
    struct xfv_face *faces;
    size_t n;
    double xy[10];
    int status = xfv_find_faces(j->c->detector, j->w->detect, j->im, &o, &faces, &n, &j->w->stats, e);
    if (status || n == 0) return status;
    for (int i = 0; i < 5; i++)
        xfv_affine_apply(transform, faces->landmarks[2 * i], faces->landmarks[2 * i + 1], &xy[2 * i], &xy[2 * i + 1]);
    double d = misplacement(j->c, xy);
    free(faces);
    if (d > FAR_OFF)
        snprintf(j->out->note, sizeof j->out->note, "no aligned crop: eyes, nose and mouth lie %.0f pixels of 112 from "
                 "where the network expects them; without --aligned facecrop aligns the face", d);
    return 0;
}

/* The whole image is the crop. */
static int take_whole(const struct job *j, struct xfv_err *e)
{
    struct xfv_image small = {0};
    struct found f = {0};
    double start = xfv_now();
    int status = xfv_image_fit(j->im, j->c->fit, j->c->size, height_of(j->c), &small, f.transform, e);
    f.pixels = small.data;
    if (!status && !j->c->generic) status = xfv_quality_of_crop(&small, &f.quality, e);
    if (!status && j->c->detector) status = check_aligned(j, f.transform, e);
    if (!status) status = add_face(j, &f, 0, 0, e);
    xfv_image_clear(&small);
    j->w->crop += xfv_now() - start;
    return status;
}

static int take_listed(const struct job *j, struct xfv_err *e)
{
    const struct xfv_landmarks *l = j->c->landmarks;
    size_t first, n = xfv_landmarks_find(l, j->path, &first);
    int status = n ? 0 : xfv_fail_code(e, XFV_EDATA, "landmarks", "no line for this image in %s", j->c->landmarks_name);
    for (size_t i = 0; i < n && !status; i++) {
        double xy[10];
        for (int k = 0; k < 10; k++) { /* the list's are of the whole photograph */
            double scale = j->im->scale > 1 ? j->im->scale : 1, v = l->v[l->by_path[first + i]].xy[k];
            xy[k] = scale > 1 ? (v + 0.5) / scale - 0.5 : v;
        }
        struct found f = {.landmarks = xy};
        status = crop_landmarks(j, &f, (int)i, n > 1, e);
    }
    return status;
}

/* Index of the face whose box is centred nearest the image's centre. */
static size_t most_central(const struct xfv_face *v, size_t n, const struct xfv_image *im)
{
    size_t best = 0;
    double least = INFINITY;
    for (size_t i = 0; i < n; i++) {
        double d = hypot((v[i].box[0] + v[i].box[2] - im->width + 1) / 2,
                         (v[i].box[1] + v[i].box[3] - im->height + 1) / 2);
        if (d < least) {
            least = d;
            best = i;
        }
    }
    return best;
}

/* Only a small square can be a crop that somebody has aligned. */
static int may_be_crop(const struct xfv_image *im)
{
    return im->width == im->height && im->width <= 512;
}

static int no_face(const struct job *j, struct xfv_err *e)
{
    const struct xfv_image *im = j->im;
    struct xfv_detect_opts o = {.min_face = j->c->min_face};
    char turn[40] = "";
    if (j->c->turn > 0) snprintf(turn, sizeof turn, " turned by %d degrees", j->c->turn);
    return xfv_fail_code(e, XFV_EDATA, "noface",
                         "no face of at least %d pixels found in %d x %d pixels%s: --min-size looks for smaller ones%s",
                         xfv_detect_min_face(&o, im), im->width, im->height, turn,
                         may_be_crop(im) ? "; if the image is an aligned crop, --aligned takes it whole" : "");
}

static int take_detected(const struct job *j, struct xfv_err *e)
{
    const struct xfv_cropper *c = j->c;
    struct xfv_find_opts o = {.min_face = c->min_face, .turn = c->turn};
    struct xfv_face *faces;
    size_t n;
    int status = xfv_find_faces(c->detector, j->w->detect, j->im, &o, &faces, &n, &j->w->stats, e);
    if (status) return status;
    if (n == 0) return no_face(j, e);
    size_t from = c->which == XFV_CENTRAL ? most_central(faces, n, j->im) : 0;
    size_t to = c->which == XFV_ALL_FACES ? n : from + 1;
    for (size_t i = from; i < to && !status; i++) {
        const struct xfv_face *a = &faces[i];
        struct found f = {.box = a->box, .landmarks = a->landmarks, .confidence = a->confidence, .turn = a->turn};
        status = crop_landmarks(j, &f, (int)i, c->which == XFV_ALL_FACES, e);
    }
    free(faces);
    return status;
}

int xfv_crop_faces(const struct xfv_cropper *c, struct xfv_crop_work *w, const struct xfv_image *im, const char *path,
                   const char *name, struct xfv_crops *out, struct xfv_err *e)
{
    struct job j = {.c = c, .w = w, .im = im, .path = path, .name = name, .out = out};
    *out = (struct xfv_crops){0};
    if (c->aligned) return take_whole(&j, e);
    return c->landmarks ? take_listed(&j, e) : take_detected(&j, e);
}
