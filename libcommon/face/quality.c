#include "face/quality.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "face/align.h"
#include "image/resize.h"
#include "image/warp.h"

#define DEGREES 57.29577951308232 /* in a radian */
#define NORM_LOW "norm-low"
enum { SIDE = 112, UNDER = 25, OVER = 247 }; /* exposure: ISO/IEC 29794-5's levels */

/* Doubtful: what one in a hundred faces of LFW, or fewer, is worse than. */
const struct xfv_quality_info xfv_quality_info[XFV_QUALITIES] = {
    {"confidence", "confidence of the detector", 1, 0.95},
    {"eye-distance", "distance of the eyes in pixels", 1, 16},
    {"residual", "residual of the alignment", 0, 7},
    {"roll", "roll in degrees", 0, 50},
    {"yaw", "yaw in degrees", 0, 45},
    {"pitch", "pitch in degrees", 0, 40},
    {"sharpness", "sharpness", 1, 0.08},
    {"under-exposure", "under-exposed share", 0, 0.25},
    {"over-exposure", "over-exposed share", 0, 0.1},
    {"outside", "share outside the photograph", 0, 0.1},
    {"norm", "length of the embedding", 1, NAN},
};

int xfv_quality_worse(enum xfv_measure m, double v, double limit)
{
    if (m == XFV_Q_ROLL || m == XFV_Q_YAW || m == XFV_Q_PITCH) v = fabs(v);
    return xfv_quality_info[m].high_is_good ? v < limit : v > limit;
}

int xfv_quality_first(const struct xfv_quality *q, const double *limits)
{
    for (int m = 0; m < XFV_QUALITIES; m++)
        if (xfv_quality_worse((enum xfv_measure)m, q->v[m], limits[m])) return m;
    return -1;
}

void xfv_quality_doubts(const struct xfv_quality *q, double limits[XFV_QUALITIES])
{
    for (int m = 0; m < XFV_QUALITIES; m++) limits[m] = xfv_quality_info[m].doubtful;
    limits[XFV_Q_NORM] = q->norm_low;
}

/* ---- from the landmarks ---- */

/* Inverse of the symmetric 3 x 3 matrix a, which is regular. */
static void invert3(const double a[9], double v[9])
{
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            int r = (j + 1) % 3, s = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
            v[3 * i + j] = a[3 * r + c] * a[3 * s + d] - a[3 * r + d] * a[3 * s + c];
        }
    }
    double det = a[0] * v[0] + a[1] * v[3] + a[2] * v[6];
    for (int i = 0; i < 9; i++) v[i] /= det;
}

void xfv_head_pose(const double landmarks[10], double *yaw, double *pitch)
{
    /* In distances of the eyes: x and y are ArcFace's template, a frontal face; the nose's tip stands out by half. */
    static const double depth[5] = {0, 0, 0.5, 0, 0};
    double p[5][3], mean[5] = {0}, a[9] = {0}, b[6] = {0}, inverse[9], row[2][3], n[3];
    double unit = xfv_template_arcface[2] - xfv_template_arcface[0];
    for (int i = 0; i < 5; i++) {
        p[i][0] = xfv_template_arcface[2 * i] / unit;
        p[i][1] = xfv_template_arcface[2 * i + 1] / unit;
        p[i][2] = depth[i];
        for (int k = 0; k < 3; k++) mean[k] += p[i][k] / 5;
        for (int k = 0; k < 2; k++) mean[3 + k] += landmarks[2 * i + k] / 5;
    }
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 3; j++) {
            for (int k = 0; k < 3; k++) a[3 * j + k] += (p[i][j] - mean[j]) * (p[i][k] - mean[k]);
            for (int k = 0; k < 2; k++) b[3 * k + j] += (p[i][j] - mean[j]) * (landmarks[2 * i + k] - mean[3 + k]);
        }
    }
    invert3(a, inverse);
    for (int k = 0; k < 2; k++) { /* the camera's rows, of unit length */
        double *r = row[k], *c = b + 3 * k;
        for (int i = 0; i < 9; i++) r[i / 3] = (i % 3 ? r[i / 3] : 0) + inverse[i] * c[i % 3];
        double length = sqrt(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]);
        for (int i = 0; i < 3; i++) r[i] /= length > 0 ? length : 1;
    }
    for (int i = 0; i < 3; i++)
        n[i] = row[0][(i + 1) % 3] * row[1][(i + 2) % 3] - row[0][(i + 2) % 3] * row[1][(i + 1) % 3];
    /* Where the axis of the nose points to. */
    *yaw = atan2(row[0][2], fabs(n[2])) * DEGREES;
    *pitch = atan2(row[1][2], hypot(row[0][2], n[2])) * DEGREES;
}

/* Turned about their own frame: the landmarks as they lie when the photograph is turned, but for a shift. */
static void turn_points(const double xy[10], int turn, double out[10])
{
    int c = turn == 0 ? 1 : turn == 180 ? -1 : 0, s = turn == 90 ? 1 : turn == 270 ? -1 : 0;
    for (int i = 0; i < 5; i++) {
        out[2 * i] = c * xy[2 * i] - s * xy[2 * i + 1];
        out[2 * i + 1] = s * xy[2 * i] + c * xy[2 * i + 1];
    }
}

static double residual(const double xy[10], const double m[6])
{
    double sum = 0;
    for (int i = 0; i < 5; i++) {
        double x, y;
        xfv_affine_apply(m, xy[2 * i], xy[2 * i + 1], &x, &y);
        x -= xfv_template_arcface[2 * i];
        y -= xfv_template_arcface[2 * i + 1];
        sum += x * x + y * y;
    }
    return sqrt(sum / 5);
}

/* ---- from the pixels ---- */

/* ITU-R BT.601, of a row of pixels */
static void luminances(const uint8_t *p, double *to)
{
    for (int x = 0; x < SIDE; x++, p += 3) to[x] = 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

static int in_oval(int x, int y)
{
    double u = (x - 55.5) / 44, v = (y - 60) / 52.0;
    return u * u + v * v < 1;
}

/* pixels: u8 [112][112][3] */
static void judge_pixels(const uint8_t *pixels, struct xfv_quality *q)
{
    double n = 0, sum = 0, squares = 0, edges = 0, under = 0, over = 0;
    double row[3][SIDE]; /* row y is row[y % 3] */
    luminances(pixels, row[0]);
    luminances(pixels + 3 * SIDE, row[1]);
    for (int y = 1; y < SIDE - 1; y++) {
        const double *above = row[(y - 1) % 3], *here = row[y % 3], *below = row[(y + 1) % 3];
        luminances(pixels + 3 * (y + 1) * SIDE, row[(y + 1) % 3]);
        for (int x = 1; x < SIDE - 1; x++) {
            if (!in_oval(x, y)) continue;
            double l = here[x];
            n++, sum += l, squares += l * l;
            under += l < UNDER + 0.5, over += l >= OVER - 0.5;
            double across = here[x - 1] + here[x + 1];
            edges += fabs(4 * l - across - above[x] - below[x]);
        }
    }
    double variance = squares / n - sum / n * (sum / n);
    q->v[XFV_Q_SHARPNESS] = edges / n / (sqrt(variance > 0 ? variance : 0) + 1); /* + 1: of a flat picture it is 0 */
    q->v[XFV_Q_UNDER] = under / n;
    q->v[XFV_Q_OVER] = over / n;
}

/* Of the crop's pixels, row by row and column by column in steps of `step` on the grid of 112 x 112, how many have their
 * centres outside the photograph. */
static int count_outside(const struct xfv_image *im, const double back[6], int size, int step)
{
    int n = 0;
    for (int i = 0; i < SIDE; i += step) {
        for (int j = 0; j < SIDE; j += step) {
            double x, y;
            xfv_affine_apply(back, (j + 0.5) * size / SIDE - 0.5, (i + 0.5) * size / SIDE - 0.5, &x, &y);
            n += x < -0.5 || y < -0.5 || x > im->width - 0.5 || y > im->height - 0.5;
        }
    }
    return n;
}

/* Share of those outside: none where none of the corners is. */
static double outside(const struct xfv_image *im, const double transform[6], int size)
{
    double back[6];
    if (xfv_affine_invert(transform, back, NULL)) return NAN;
    if (!count_outside(im, back, size, SIDE - 1)) return 0;
    return (double)count_outside(im, back, size, 1) / (SIDE * SIDE);
}

static void forget(struct xfv_quality *q)
{
    for (int m = 0; m < XFV_QUALITIES; m++) q->v[m] = NAN;
    q->norm_low = NAN;
}

static int same_transform(const double a[6], const double b[6])
{
    int same = 1;
    for (int i = 0; i < 6; i++) same &= fabs(a[i] - b[i]) <= 0;
    return same;
}

int xfv_quality_measure(const struct xfv_image *im, const double landmarks[10], int turn, const double transform[6],
                        int size, const uint8_t *crop, struct xfv_quality *q, struct xfv_err *e)
{
    double m[6], up[10];
    uint8_t pixels[SIDE * SIDE * 3];
    forget(q);
    int status = xfv_align(landmarks, xfv_template_arcface, SIDE, SIDE, m, e);
    if (!status && crop && size == SIDE && same_transform(m, transform)) memcpy(pixels, crop, sizeof pixels);
    else if (!status) status = xfv_warp(im, m, SIDE, SIDE, pixels, e);
    if (status) return status == XFV_EARG ? (e->status = XFV_EDATA) : status;
    judge_pixels(pixels, q);
    turn_points(landmarks, turn, up);
    xfv_head_pose(up, &q->v[XFV_Q_YAW], &q->v[XFV_Q_PITCH]);
    q->v[XFV_Q_ROLL] = atan2(up[3] - up[1], up[2] - up[0]) * DEGREES;
    q->v[XFV_Q_EYE_DISTANCE] = hypot(up[2] - up[0], up[3] - up[1]);
    q->v[XFV_Q_RESIDUAL] = residual(landmarks, m);
    q->v[XFV_Q_OUTSIDE] = outside(im, transform, size);
    return 0;
}

int xfv_quality_of_crop(const struct xfv_image *crop, struct xfv_quality *q, struct xfv_err *e)
{
    struct xfv_image small = {0};
    forget(q);
    int status = xfv_image_resize(crop, SIDE, SIDE, &small, e);
    if (!status) judge_pixels(small.data, q);
    xfv_image_clear(&small);
    return status;
}

/* ---- in a record ---- */

void xfv_quality_put(struct xfv_put *face, const struct xfv_quality *q)
{
    msgpack_object map = xfv_val_map(face->zone);
    struct xfv_put p = xfv_put_into(face->zone, &map, face->e);
    for (int m = XFV_Q_CONFIDENCE + 1; m < XFV_QUALITIES; m++)
        if (isfinite(q->v[m])) xfv_put_f64(&p, xfv_quality_info[m].name, rint(q->v[m] * 1e4) / 1e4);
    xfv_put_filled(face, "quality", &p);
}

void xfv_quality_put_norm(struct xfv_put *quality, const float *y, size_t n, double norm_low)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += (double)y[i] * (double)y[i];
    xfv_put_f64(quality, xfv_quality_info[XFV_Q_NORM].name, rint(sqrt(squares) * 1e4) / 1e4);
    if (isfinite(norm_low)) xfv_put_f64(quality, NORM_LOW, norm_low);
    else xfv_map_drop(quality->map, NORM_LOW); /* of another model */
}

void xfv_quality_read(const msgpack_object *face, struct xfv_quality *q)
{
    const msgpack_object *map = xfv_map_get(face, "quality");
    forget(q);
    for (int m = 0; m < XFV_QUALITIES; m++) {
        double v;
        if (!xfv_get_f64(m == XFV_Q_CONFIDENCE ? face : map, xfv_quality_info[m].name, &v, NULL)) q->v[m] = v;
    }
    double low;
    if (!xfv_get_f64(map, NORM_LOW, &low, NULL)) q->norm_low = low;
}

const char *xfv_quality_say(const struct xfv_quality *q, int m, double limit, char *buf, size_t cap)
{
    const struct xfv_quality_info *i = &xfv_quality_info[m];
    snprintf(buf, cap, "%s %.4g, %s than %.4g", i->words, q->v[m], i->high_is_good ? "less" : "more", limit);
    return buf;
}

void xfv_quality_doubt_text(const msgpack_object *face, char *buf, size_t cap)
{
    struct xfv_quality q;
    double doubts[XFV_QUALITIES];
    char why[96];
    xfv_quality_read(face, &q);
    xfv_quality_doubts(&q, doubts);
    int m = xfv_quality_first(&q, doubts);
    buf[0] = '\0';
    if (m >= 0) snprintf(buf, cap, "doubtful: %s", xfv_quality_say(&q, m, doubts[m], why, sizeof why));
}
