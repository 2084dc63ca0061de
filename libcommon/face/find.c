#include "face/find.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "face/align.h"
#include "image/warp.h"

/* On 679 photographs no face seen in a wrong turn had a confidence of SURE, and more than the same pixels had in every
 * other turn; .995 was enough. */
#define SURE 0.997
#define WORTH_ASKING 0.9 /* a face of less has no say in whether the photograph is upright */
#define LEANING 35.0     /* degrees; nor one whose eyes lie so aslant that it might belong to the next turn */
#define TELLING 0.95     /* a face of less than this in no turn: only the border can tell */
#define ASLANT 15.0 /* degrees; a second look at 61 dim faces of 12 and more brought them nearer to themselves by day */
enum { MOST_ASKED = 8, CROP = 112 };
#define DEGREES 57.29577951308232 /* in a radian */
#define SAME_FACE 0.3 /* intersection over union of two boxes */

struct search {
    const struct xfv_detector *d;
    struct xfv_detector_work *w;
    const struct xfv_image *im;
    const struct xfv_find_opts *o;
    struct xfv_detect_stats *stats;
};

struct faces {
    struct xfv_face *v;
    size_t n;
};

static int look(const struct search *s, int turn, int border, struct faces *out, struct xfv_err *e)
{
    struct xfv_detect_opts o = xfv_detect_opts_default();
    int side = s->im->width < s->im->height ? s->im->width : s->im->height;
    o.min_face = s->o->min_face;
    o.turn = turn;
    if (border) { /* for large faces: half the shorter side and more */
        o.min_face = xfv_detect_min_face(&o, s->im);
        if (o.min_face < side / 2) o.min_face = side / 2;
        o.border = side / 2;
    }
    return xfv_detect(s->d, s->w, s->im, &o, &out->v, &out->n, s->stats, e);
}

static int by_confidence(const void *a, const void *b)
{
    const struct xfv_face *p = a, *q = b;
    if (p->confidence != q->confidence) return p->confidence > q->confidence ? -1 : 1;
    return p->box[0] < q->box[0] ? -1 : p->box[0] > q->box[0];
}

/* By how many degrees, 0 to 180, the line of the eyes is off the horizontal once the photograph is turned. */
static double lean(const struct xfv_face *f)
{
    double eyes = atan2(f->landmarks[3] - f->landmarks[1], f->landmarks[2] - f->landmarks[0]) * DEGREES + f->turn;
    return fabs(remainder(eyes, 360));
}

/* 1: the faces, all of one turn, are upright in it; 0: they may not be; or an error. */
static int is_upright(const struct search *s, const struct faces *l, struct xfv_err *e)
{
    if (l->n == 0) return 0;
    struct xfv_face *v = malloc(l->n * sizeof *v);
    struct xfv_face other[MOST_ASKED];
    size_t asked = 0;
    int votes[MOST_ASKED], sum = 0, status = 0;
    if (!v) return xfv_fail(e, XFV_ENOMEM, "out of memory for %zu faces", l->n);
    memcpy(v, l->v, l->n * sizeof *v);
    qsort(v, l->n, sizeof *v, by_confidence);
    for (; asked < l->n && asked < MOST_ASKED && v[asked].confidence >= WORTH_ASKING; asked++)
        votes[asked] = lean(&v[asked]) < LEANING;
    if (v[0].confidence >= SURE) {
        for (int by = 90; by < 360 && !status; by += 90) {
            status = xfv_detect_again(s->d, s->w, s->im, (v[0].turn + by) % 360, v, asked, other, s->stats, e);
            for (size_t i = 0; i < asked && !status; i++)
                if (!(other[i].confidence < v[i].confidence)) votes[i] = -1;
        }
        for (size_t i = 0; i < asked; i++) sum += votes[i];
    }
    free(v);
    return status ? status : sum > 0;
}

static double overlap(const struct xfv_face *a, const struct xfv_face *b)
{
    double w = fmin(a->box[2], b->box[2]) - fmax(a->box[0], b->box[0]);
    double h = fmin(a->box[3], b->box[3]) - fmax(a->box[1], b->box[1]);
    double all = (a->box[2] - a->box[0]) * (a->box[3] - a->box[1]) + (b->box[2] - b->box[0]) * (b->box[3] - b->box[1]);
    return w <= 0 || h <= 0 ? 0 : w * h / (all - w * h);
}

/* Of a face that both have, the surer one; the others of both. One much smaller than `least` was not looked for. */
static int join(struct faces *l, const struct faces *more, int least, struct xfv_err *e)
{
    for (size_t i = 0; i < more->n; i++) {
        const struct xfv_face *f = &more->v[i];
        size_t k = 0;
        if (fmax(f->box[2] - f->box[0], f->box[3] - f->box[1]) < 0.7 * least) continue;
        while (k < l->n && overlap(&l->v[k], f) <= SAME_FACE) k++;
        if (k == l->n) {
            if (!XFV_GROW(l->v, l->n + 1)) return xfv_fail(e, XFV_ENOMEM, "out of memory for %zu faces", l->n + 1);
            l->n++;
        } else if (l->v[k].confidence >= f->confidence) {
            continue;
        }
        l->v[k] = *f;
    }
    if (l->n) xfv_faces_sort(l->v, l->n);
    return 0;
}

static int add(const struct search *s, int turn, int border, struct faces *l, struct xfv_err *e)
{
    struct faces more = {0};
    int status = look(s, turn, border, &more, e);
    if (!status) status = join(l, &more, s->o->min_face, e);
    free(more.v);
    return status;
}

static double surest(const struct faces *l)
{
    double top = 0;
    for (size_t i = 0; i < l->n; i++) top = fmax(top, l->v[i].confidence);
    return top;
}

/* With a border where no face is sure without. */
static int add_bordered(const struct search *s, int turn, struct faces *l, struct xfv_err *e)
{
    return surest(l) >= SURE ? 0 : add(s, turn, 1, l, e);
}

/* Look at a face again, upright by its landmarks. O-Net pulls the landmarks of a face that is dim and aslant towards
 * those of an upright one; where it is surer of the face made upright, its new landmarks replace them. */
static int look_again(const struct search *s, struct xfv_face *f, struct xfv_err *e)
{
    struct xfv_face whole = {.box = {0, 0, CROP - 1, CROP - 1}}, seen = {0};
    struct xfv_image crop;
    double m[6], back[6];
    if (xfv_align(f->landmarks, xfv_template_arcface, CROP, CROP, m, NULL)) return 0;
    if (xfv_affine_invert(m, back, NULL)) return 0;
    int status = xfv_image_alloc(&crop, CROP, CROP, 3, e);
    if (status) return status;
    if (!xfv_warp(s->im, m, CROP, CROP, crop.data, NULL))
        status = xfv_detect_again(s->d, s->w, &crop, 0, &whole, 1, &seen, s->stats, e);
    xfv_image_clear(&crop);
    if (status || !(seen.confidence > f->confidence)) return status;
    for (int i = 0; i < 10; i += 2)
        xfv_affine_apply(back, seen.landmarks[i], seen.landmarks[i + 1], &f->landmarks[i], &f->landmarks[i + 1]);
    return status;
}

static double evidence(const struct faces *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->n; i++) {
        double p = fmin(l->v[i].confidence, 1 - 1e-7);
        if (p > 0.5) sum += pow(log(p / (1 - p)), 4);
    }
    return sum;
}

static int best_of(const struct faces l[4])
{
    int best = 0;
    for (int k = 1; k < 4; k++)
        if (evidence(&l[k]) > evidence(&l[best])) best = k;
    return best;
}

/* first: those of the photograph as it is, replaced by those of the best turn. */
static int look_at_turns(const struct search *s, struct faces *first, struct xfv_err *e)
{
    struct faces l[4] = {*first};
    int status = 0, best, bordered;
    for (int k = 1; k < 4 && !status; k++) status = add(s, 90 * k, 0, &l[k], e);
    best = best_of(l);
    bordered = surest(&l[best]) < TELLING;
    for (int k = 0; k < 4 && bordered && !status; k++) status = add_bordered(s, 90 * k, &l[k], e);
    if (bordered) best = best_of(l);
    else if (!status) status = add_bordered(s, 90 * best, &l[best], e);
    *first = l[best];
    for (int k = 0; k < 4; k++)
        if (k != best) free(l[k].v);
    return status;
}

int xfv_find_faces(const struct xfv_detector *d, struct xfv_detector_work *w, const struct xfv_image *im,
                   const struct xfv_find_opts *o, struct xfv_face **faces, size_t *n, struct xfv_detect_stats *stats,
                   struct xfv_err *e)
{
    struct search s = {d, w, im, o, stats};
    struct faces l = {0};
    int status = look(&s, o->turn == XFV_TURN_AUTO ? 0 : o->turn, 0, &l, e);
    if (!status && o->turn == XFV_TURN_AUTO) {
        int sure = is_upright(&s, &l, e);
        status = sure < 0 ? sure : sure ? 0 : look_at_turns(&s, &l, e);
    } else if (!status) {
        status = add_bordered(&s, o->turn, &l, e);
    }
    for (size_t i = 0; i < l.n && !status; i++)
        if (l.v[i].confidence < SURE && lean(&l.v[i]) > ASLANT) status = look_again(&s, &l.v[i], e);
    if (status) {
        free(l.v);
        l = (struct faces){0};
    }
    *faces = l.v;
    *n = l.n;
    return status;
}
