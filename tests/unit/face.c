/* Similarity from landmarks, the arithmetic of boxes, and quarter turns. */
#include "../tap.h"
#include "face/align.h"
#include "face/boxes.h"
#include "face/turn.h"

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
    OK(xfv_align(xfv_template_arcface, xfv_template_arcface, 112, 224, scaled, &e) == 0 && fabs(scaled[0] - 2) < 1e-12 && fabs(scaled[2]) < 1e-10,
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
    struct xfv_box a = box(0, 0, 9, 9, 0.8), b = box(5, 0, 14, 9, 0.9), c = box(2, 2, 5, 5, 0.7), d = box(100, 100, 109, 109, 0.8);
    OK(fabs(xfv_box_overlap(&a, &b, XFV_OVERLAP_UNION) - 50 / 150.) < 1e-12, "intersection over union, both ends counted");
    OK(xfv_box_overlap(&a, &c, XFV_OVERLAP_MIN) == 1 && fabs(xfv_box_overlap(&a, &c, XFV_OVERLAP_UNION) - 0.16) < 1e-12, "over the smaller box");
    OK(xfv_box_overlap(&a, &d, XFV_OVERLAP_UNION) == 0, "boxes apart");
    struct xfv_box first = box(0, 0, 9, 9, 0.1);
    xfv_boxes_push(&l, &first, &e);
    xfv_boxes_push(&l, &a, &e), xfv_boxes_push(&l, &b, &e), xfv_boxes_push(&l, &c, &e), xfv_boxes_push(&l, &d, &e);
    xfv_boxes_suppress(&l, 1, 0.3, XFV_OVERLAP_UNION, &e);
    OK(l.n == 4 && l.v[0].score == 0.1 && l.v[1].score == 0.9 && l.v[2].x1 == 100 && l.v[3].score == 0.7, "the best is kept, what overlaps it goes, what stood before stays");
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
        float out[45], work[15];
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

int main(void)
{
    turns();
    similarity();
    suppression();
    return tap_done();
}
