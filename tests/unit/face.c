/* Similarity from landmarks, the arithmetic of boxes, and quarter turns. */
#include "../tap.h"
#include "face/align.h"
#include "face/boxes.h"
#include "face/quality.h"
#include "face/turn.h"
#include "image/warp.h"

static double residual(const double *from, const double *to, int n, const double *m)
{
    double s = 0;
    for (int i = 0; i < n; i++) {
        double x = m[0] * from[2 * i] + m[1] * from[2 * i + 1] + m[2] - to[2 * i];
        double y = m[3] * from[2 * i] + m[4] * from[2 * i + 1] + m[5] - to[2 * i + 1];
        s += x * x + y * y;
    }
    return s;
}

static void similarity(void)
{
    struct xfv_err e = {0};
    double from[10] = {12, 40, 90, 33, 50, 70, 20, 110, 85, 100}, to[10], m[6], worst = 0;
    const double want[6] = {0.3, -0.4, 17, 0.4, 0.3, -6};
    for (int i = 0; i < 5; i++) {
        to[2 * i] = want[0] * from[2 * i] + want[1] * from[2 * i + 1] + want[2];
        to[2 * i + 1] = want[3] * from[2 * i] + want[4] * from[2 * i + 1] + want[5];
    }
    OK(xfv_similarity(from, to, 5, m, &e) == 0, "a similarity from five points");
    for (int i = 0; i < 6; i++) worst = fmax(worst, fabs(m[i] - want[i]));
    OK(worst < 1e-12, "is found exactly when there is one (%.2g)", worst);

    /* No exact answer: every small change of the four parameters must make the sum of squares larger. */
    to[0] += 3;
    to[5] -= 2;
    to[8] += 1;
    xfv_similarity(from, to, 5, m, &e);
    double best = residual(from, to, 5, m);
    int least = 1;
    for (int k = 0; k < 8; k++) {
        double d = k & 1 ? 1e-4 : -1e-4, t[6];
        memcpy(t, m, sizeof t);
        if (k / 2 == 0) t[0] += d, t[4] += d;
        if (k / 2 == 1) t[1] -= d, t[3] += d;
        if (k / 2 == 2) t[2] += d;
        if (k / 2 == 3) t[5] += d;
        if (residual(from, to, 5, t) <= best) least = 0;
    }
    OK(least && best > 1, "and is the least-squares one otherwise");

    double scaled[6];
    OK(xfv_align(xfv_template_arcface, xfv_template_arcface, 112, 224, scaled, &e) == 0 &&
           fabs(scaled[0] - 2) < 1e-12 && fabs(scaled[2]) < 1e-10,
       "a template scales with the crop");
    double same[10] = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5}, nan[10] = {NAN};
    OK(xfv_align(same, xfv_template_arcface, 112, 112, m, &e) == XFV_EDATA, "five equal landmarks are refused");
    OK(xfv_align(nan, xfv_template_arcface, 112, 112, m, &e) == XFV_EDATA, "so are landmarks that are not numbers");
}

static struct xfv_box box(double x1, double y1, double x2, double y2, double score)
{
    return (struct xfv_box){.x1 = x1, .y1 = y1, .x2 = x2, .y2 = y2, .score = score};
}

static void suppression(void)
{
    struct xfv_err e;
    struct xfv_boxes l = {0};
    struct xfv_box a = box(0, 0, 9, 9, 0.8), b = box(5, 0, 14, 9, 0.9), c = box(2, 2, 5, 5, 0.7),
                   d = box(100, 100, 109, 109, 0.8);
    OK(fabs(xfv_box_overlap(&a, &b, XFV_OVERLAP_UNION) - 50 / 150.) < 1e-12, "intersection over union, both ends "
                                                                             "counted");
    OK(xfv_box_overlap(&a, &c, XFV_OVERLAP_MIN) == 1 && fabs(xfv_box_overlap(&a, &c, XFV_OVERLAP_UNION) - 0.16) < 1e-12,
       "over the smaller box");
    OK(xfv_box_overlap(&a, &d, XFV_OVERLAP_UNION) == 0, "boxes that are apart overlap by 0");
    struct xfv_box first = box(0, 0, 9, 9, 0.1);
    xfv_boxes_push(&l, &first, &e);
    xfv_boxes_push(&l, &a, &e), xfv_boxes_push(&l, &b, &e), xfv_boxes_push(&l, &c, &e), xfv_boxes_push(&l, &d, &e);
    xfv_boxes_suppress(&l, 1, 0.3, XFV_OVERLAP_UNION, &e);
    OK(l.n == 4 && l.v[0].score == 0.1 && l.v[1].score == 0.9 && l.v[2].x1 == 100 && l.v[3].score == 0.7,
       "the best is kept, what overlaps it goes, what stood before stays");
    l.n = 0;
    xfv_boxes_push(&l, &a, &e), xfv_boxes_push(&l, &d, &e), xfv_boxes_push(&l, &a, &e);
    xfv_boxes_suppress(&l, 0, 0.5, XFV_OVERLAP_UNION, &e);
    OK(l.n == 2 && l.v[0].x1 == 0 && l.v[1].x1 == 100, "equal scores keep their order");
    xfv_boxes_clear(&l);

    struct xfv_box s = box(10, 20, 29, 59, 0);
    s.shift[0] = 0.1, s.shift[3] = -0.05;
    xfv_box_regress(&s);
    OK(s.x1 == 12 && s.y1 == 20 && s.x2 == 29 && s.y2 == 57, "regression moves corners by parts of the size");
    xfv_box_square(&s);
    OK(s.x2 - s.x1 == 37 && s.y2 - s.y1 == 37 && s.x1 + s.x2 == 41, "squared about the centre");
}

/* The image of 5 x 3 pixels whose value tells the place, turned by hand and by the sink; a part of it, too. */
static void turns(void)
{
    struct xfv_err e;
    struct xfv_image im;
    struct xfv_resampler *r = xfv_resampler_new(5, 3, 5, 3, &e);
    xfv_image_alloc(&im, 5, 3, 3, &e);
    for (int i = 0; i < 45; i++) im.data[i] = (uint8_t)(i / 3);
    for (int turn = 0; turn < 360; turn += 90) {
        int w = turn % 180 ? 3 : 5, h = 8 - w, same = 1, square = 1;
        float out[45], work[16];
        struct xfv_rect part = {1, 1, w - 1, h - 2}, back = xfv_turn_rect_back(turn, 5, 3, part);
        struct xfv_float_sink to = {.out = out, .pixel = 3, .row = 3 * part.width, .std = {1, 1, 1}};
        xfv_turn_sink(turn, part.width, part.height, &to);
        xfv_resample(r, &im, 0, 0, back, &to, work);
        for (int y = 0; y < part.height; y++) {
            for (int x = 0; x < part.width; x++) {
                double u = part.x + x, v = part.y + y;
                /* Turned by 90 degrees, the first row is the first column of the image, from below. */
                double by[4] = {5 * v + u, 5 * (2 - u) + v, 5 * (2 - v) + 4 - u, 5 * u + 4 - v};
                int hand = (int)by[turn / 90];
                if ((int)out[3 * (y * part.width + x)] != hand) same = 0;
                xfv_turn_back(turn, 5, 3, &u, &v);
                if ((int)(5 * v + u) != hand) square = 0;
            }
        }
        OK(same && square, "turned by %d degrees, pixels and points", turn);
    }
    xfv_resampler_free(r);
    xfv_image_clear(&im);
}

/* The mean head's five points, turned by yaw and pitch and seen from far away. */
static void see_head(double yaw, double pitch, double xy[10])
{
    double unit = xfv_template_arcface[2] - xfv_template_arcface[0], r = acos(-1) / 180;
    for (int i = 0; i < 5; i++) {
        const double *p = xfv_template_arcface + 2 * i;
        double x = p[0] - 56, y = p[1] - 70, z = i == 2 ? unit / 2 : 0;
        double side = x * cos(yaw * r) + z * sin(yaw * r), ahead = z * cos(yaw * r) - x * sin(yaw * r);
        xy[2 * i] = 200 + 2 * side;
        xy[2 * i + 1] = 300 + 2 * (y * cos(pitch * r) + ahead * sin(pitch * r));
    }
}

static void quality(void)
{
    struct xfv_err e;
    struct xfv_image im;
    struct xfv_quality q, blurred;
    double yaw, pitch, xy[10], m[6], worst = 0;
    for (int a = -40; a <= 40; a += 20) {
        see_head(a, 0, xy);
        xfv_head_pose(xy, &yaw, &pitch);
        worst = fmax(worst, fmax(fabs(yaw - a), fabs(pitch)));
        see_head(0, a / 2, xy);
        xfv_head_pose(xy, &yaw, &pitch);
        worst = fmax(worst, fmax(fabs(yaw), fabs(pitch - a / 2)));
    }
    OK(worst < 1, "yaw and pitch of a turned head (%.2g degrees off)", worst);

    /* Stripes of 40 and 200 in a photograph of 400 x 600; the face reaches out of it to the left. */
    xfv_image_alloc(&im, 400, 600, 3, &e);
    for (int i = 0; i < 400 * 600; i++) memset(im.data + 3 * i, i % 8 < 4 ? 40 : 200, 3);
    for (int i = 0; i < 5; i++) {
        xy[2 * i] = 2 * xfv_template_arcface[2 * i] - 56.5, xy[2 * i + 1] = 100 + 2 * xfv_template_arcface[2 * i + 1];
    }
    int status = xfv_align(xy, xfv_template_arcface, 112, 224, m, &e);
    OK(status == 0 && xfv_quality_measure(&im, xy, 0, m, 224, NULL, &q, &e) == 0,
       "xfv_quality_measure measures an aligned face");
    OK(fabs(q.v[XFV_Q_OUTSIDE] - 0.25) < 1e-9, "a quarter of the crop is outside (%g)", q.v[XFV_Q_OUTSIDE]);
    OK(q.v[XFV_Q_RESIDUAL] < 1e-9, "landmarks on the template leave no residual");
    OK(fabs(q.v[XFV_Q_EYE_DISTANCE] - 70.4751) < 1e-3, "eyes 70 pixels apart");
    OK(q.v[XFV_Q_UNDER] > 0.1 && q.v[XFV_Q_UNDER] < 0.25 && q.v[XFV_Q_OVER] == 0, "what is outside is black");
    for (int i = 0; i < 400 * 600; i++) memset(im.data + 3 * i, 120 + i % 400 / 8, 3);
    xfv_quality_measure(&im, xy, 0, m, 224, NULL, &blurred, &e);
    for (int i = 0; i < 10; i += 2) xy[i] += 100;
    xfv_quality_measure(&im, xy, 0, m, 224, NULL, &blurred, &e);
    OK(blurred.v[XFV_Q_SHARPNESS] < 0.1 && q.v[XFV_Q_SHARPNESS] > 1, "stripes are sharp, a ramp is not (%.3f, %.3f)",
       q.v[XFV_Q_SHARPNESS], blurred.v[XFV_Q_SHARPNESS]);
    double rolled[10];
    for (int i = 0; i < 5; i++) rolled[2 * i] = 399 - xy[2 * i + 1] + 100, rolled[2 * i + 1] = xy[2 * i];
    xfv_quality_measure(&im, rolled, 270, m, 224, NULL, &q, &e);
    OK(fabs(q.v[XFV_Q_ROLL]) < 1 && fabs(q.v[XFV_Q_YAW]) < 1, "a face that the turn makes upright has no roll (%.2f)",
       q.v[XFV_Q_ROLL]);
    static uint8_t crop[112 * 112 * 3];
    status = xfv_align(xy, xfv_template_arcface, 112, 112, m, &e) || xfv_warp(&im, m, 112, 112, crop, &e);
    xfv_quality_measure(&im, xy, 0, m, 112, NULL, &q, &e);
    xfv_quality_measure(&im, xy, 0, m, 112, crop, &blurred, &e);
    int same = 1;
    for (int k = XFV_Q_EYE_DISTANCE; k < XFV_Q_NORM; k++) same &= fabs(q.v[k] - blurred.v[k]) <= 0;
    OK(!status && same, "a crop that is there already is not made again, and measures alike");
    xfv_image_clear(&im);

    double limits[XFV_QUALITIES];
    for (int k = 0; k < XFV_QUALITIES; k++) limits[k] = NAN, q.v[k] = NAN;
    OK(xfv_quality_first(&q, limits) == -1, "without limits nothing is worse");
    limits[XFV_Q_ROLL] = 20, limits[XFV_Q_CONFIDENCE] = 0.9;
    OK(xfv_quality_first(&q, limits) == -1, "nor is what is not known");
    q.v[XFV_Q_ROLL] = -21;
    OK(xfv_quality_first(&q, limits) == XFV_Q_ROLL, "a lean to the left counts as one to the right");
    q.v[XFV_Q_CONFIDENCE] = 0.89;
    OK(xfv_quality_first(&q, limits) == XFV_Q_CONFIDENCE, "below the least confidence");
}

int main(void)
{
    quality();
    turns();
    similarity();
    suppression();
    return tap_done();
}
