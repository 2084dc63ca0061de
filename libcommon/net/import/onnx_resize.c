/* ONNX files: Resize and Upsample. Interpolation is linear in the image and goes axis by axis: along each it is a
 * product with a matrix that is made here from the operator's definition (ONNX, Resize-19), so the executor, its
 * backward pass and the files of models need nothing new. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"
#include "net/import/onnx_internal.h"

/* ---- a matrix along an axis ---- */

/* ---- the definition ---- */

enum { NEAREST, LINEAR, CUBIC };
enum {
    HALF_PIXEL, PYTORCH_HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC, HALF_PIXEL_SYMMETRIC, TF_HALF_PIXEL_FOR_NN, TF_CROP
};
enum { STRETCH, NOT_LARGER, NOT_SMALLER };
enum { PREFER_FLOOR, PREFER_CEIL, FLOOR, CEIL };

struct sampling { int mode, coordinates, nearest, exclude_outside, smooth, policy; double a; };
/* sized: to was given and scale follows from it; else scale was given. start, end: of the part that is taken, 0..1 */
struct span { int from, to; double scale; int sized; double start, end; };

/* Which word of the list the attribute holds. */
static int choice(struct onx *o, const struct onx_call *c, const char *name, const char *const *list, int otherwise)
{
    const Onnx__AttributeProto *a = xfv_onx_attribute(c, name);
    if (!a || !a->has_s || a->s.len == 0) return otherwise;
    for (int i = 0; list[i]; i++)
        if (xfv_onx_text_is(c, name, list[i])) return i;
    return ONX_BAD("'%s' (%s) has %s = '%.*s', which is not supported", c->label, c->op, name,
                   (int)(a->s.len < 40 ? a->s.len : 40), (const char *)a->s.data);
}

static int read_sampling(struct onx *o, const struct onx_call *c, struct sampling *p)
{
    static const char *const modes[] = {"nearest", "linear", "cubic", "bilinear", NULL}, *const near[] = {
                                                                                             "round_prefer_floor",
                                                                                             "round_prefer_ceil",
                                                                                             "floor", "ceil", NULL};
    static const char *const places[] = {"half_pixel", "pytorch_half_pixel",   "align_corners",
                                         "asymmetric", "half_pixel_symmetric", "tf_half_pixel_for_nn",
                                         "tf_crop_and_resize", NULL};
    static const char *const keep[] = {"stretch", "not_larger", "not_smaller", NULL};
    int old = o->opset < 11 || strcmp(c->op, "Upsample") == 0;
    *p = (struct sampling){.coordinates = ASYMMETRIC, .nearest = FLOOR, .a = -0.75};
    if ((p->mode = choice(o, c, "mode", modes, NEAREST)) < 0) return p->mode;
    if (p->mode == 3) p->mode = LINEAR; /* Upsample-1's word for it */
    if (old) return 0;
    if ((p->coordinates = choice(o, c, "coordinate_transformation_mode", places, HALF_PIXEL)) < 0)
        return p->coordinates;
    if ((p->nearest = choice(o, c, "nearest_mode", near, PREFER_FLOOR)) < 0) return p->nearest;
    if ((p->policy = choice(o, c, "keep_aspect_ratio_policy", keep, STRETCH)) < 0) return p->policy;
    p->smooth = xfv_onx_int(c, "antialias", 0) != 0;
    p->exclude_outside = xfv_onx_int(c, "exclude_outside", 0) != 0;
    p->a = (double)xfv_onx_float(c, "cubic_coeff_a", -0.75f);
    return 0;
}

/* Where in the input output element r lies. */
static double place(const struct sampling *p, const struct span *s, int r)
{
    double at = r + (p->coordinates == ASYMMETRIC || p->coordinates == ALIGN_CORNERS ? 0 : 0.5);
    double x = s->sized ? at * s->from / s->to : at / s->scale;
    /* by a scale, the size that it leads to before it is rounded */
    double length = s->sized ? s->to : s->scale * s->from;
    switch (p->coordinates) {
    case ALIGN_CORNERS: return s->to > 1 ? (double)r * (s->from - 1) / (length - 1) : 0;
    case PYTORCH_HALF_PIXEL: return length > 1 ? x - 0.5 : 0;
    case HALF_PIXEL: return x - 0.5;
    case TF_CROP:
        return length > 1 ? s->start * (s->from - 1) + r * (s->end - s->start) * (s->from - 1) / (length - 1)
                          : (s->start + s->end) / 2 * (s->from - 1);
    case HALF_PIXEL_SYMMETRIC: return s->from / 2.0 * (1 - s->to / length) + x - 0.5;
    default: return x;
    }
}

static int inside(int64_t i, int n) { return i < 0 ? 0 : i >= n ? n - 1 : (int)i; }

/* Keys' cubic kernel at distance d (ONNX: cubic_coeff_a). */
static double cubic(double d, double a)
{
    d = fabs(d);
    if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
    return d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0;
}

/* Row r where the image shrinks with antialias: the kernel as wide as the scale is small, of sum 1. */
static void fill_wide_row(const struct sampling *p, const struct span *s, int r, float *row)
{
    double x = place(p, s, r), reach = (p->mode == CUBIC ? 2 : 1) / s->scale, sum = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = xfv_to_i64(ceil(x - reach)); i <= xfv_to_i64(floor(x + reach)); i++) {
            double d = fabs((double)i - x) * s->scale, w = p->mode == CUBIC ? cubic(d, p->a) : d < 1 ? 1 - d : 0;
            if (p->exclude_outside && inside(i, s->from) != i) continue;
            if (pass == 0) sum += w;
            else row[inside(i, s->from)] += (float)(w / sum);
        }
}

/* Row r of the matrix: how much of each input element. */
static void fill_row(const struct sampling *p, const struct span *s, int r, float *row)
{
    double x = place(p, s, r), low = floor(x), weight[4], sum = 0;
    if (p->mode == NEAREST) {
        double i = p->nearest == FLOOR          ? low
                   : p->nearest == CEIL         ? ceil(x)
                   : p->nearest == PREFER_FLOOR ? ceil(x - 0.5)
                                                : floor(x + 0.5);
        row[inside(xfv_to_i64(i), s->from)] = 1;
        return;
    }
    int taps = p->mode == CUBIC ? 4 : 2;
    int64_t first = xfv_to_i64(low) - (taps == 4);
    for (int k = 0; k < taps; k++) {
        double d = x - (double)(first + k);
        weight[k] = p->mode == CUBIC ? cubic(d, p->a) : 1 - fabs(d);
        if (p->exclude_outside && inside(first + k, s->from) != first + k) weight[k] = 0;
        sum += weight[k];
    }
    for (int k = 0; k < taps; k++)
        row[inside(first + k, s->from)] += (float)(p->exclude_outside ? weight[k] / sum : weight[k]);
}

/* ---- the node ---- */

/* Sizes or scales of the axes listed in axis (n of them), from the inputs (Upsample-7: an attribute). */
static int read_spans(struct onx *o, const struct onx_call *c, const int *axis, int n, struct span *to)
{
    const struct onx_tensor *t = c->in[0];
    const Onnx__AttributeProto *a = xfv_onx_attribute(c, "scales");
    int modern = o->opset >= 11 && strcmp(c->op, "Resize") == 0, k = modern ? 2 : 1, sizes = 0;
    int64_t size[ONX_MAX_RANK];
    const struct onx_const *scales = NULL;
    if (k < c->n_in && c->in[k] && !(scales = xfv_onx_constant(o, c->in[k]))) return o->e->status;
    if (modern && c->n_in > 3 && c->in[3] && (sizes = xfv_onx_ints(o, c, 3, NULL, size, ONX_MAX_RANK)) < 0)
        return sizes;
    size_t have = sizes ? (size_t)sizes : scales ? scales->count : a ? a->n_floats : 0;
    if (have != (size_t)n || (!sizes && scales && !scales->f))
        return ONX_BAD("'%s' (%s) has %zu sizes or scales for %d axes", c->label, c->op, have, n);
    for (int i = 0; i < n; i++) {
        int64_t from = t->s.dim[axis[i]];
        double scale = sizes    ? (double)size[i] / (double)from
                       : scales ? (double)scales->f[i]
                                : (double)a->floats[i],
               out = sizes ? (double)size[i] : floor(scale * (double)from);
        /* the batch that the file was made with */
        if (axis[i] == 0 && from == 1 && sizes && size[i] == o->batch) out = scale = 1;
        if (!(out >= 1 && out <= XFV_MAX_KERNEL * 16.0))
            return ONX_BAD("'%s' (%s) makes %g of %lld elements along an axis", c->label, c->op, out, (long long)from);
        int elements = xfv_to_int(out, 1, INT_MAX);
        to[i] = (struct span){.from = (int)from, .to = elements, .scale = scale, .sized = sizes != 0};
    }
    return 0;
}

/* The part of each axis that tf_crop_and_resize takes: input 1, a list of starts and then of ends. */
static int read_part(struct onx *o, const struct onx_call *c, int n, struct span *to)
{
    const struct onx_const *roi = xfv_onx_floats(o, c, 1);
    if (!roi) return o->e->status;
    if (roi->count != 2 * (size_t)n) return ONX_BAD("'%s' (%s) has a part that does not fit", c->label, c->op);
    for (int i = 0; i < n; i++) {
        to[i].start = (double)roi->f[i], to[i].end = (double)roi->f[n + i];
        if (!(fabs(to[i].start) < 1e6 && fabs(to[i].end) < 1e6))
            return ONX_BAD("'%s' (%s) has a part that does not fit", c->label, c->op);
    }
    return 0;
}

/* Sizes that keep the ratio of the axes: one scale for all, the smallest or the largest of those asked for. */
static void keep_ratio(const struct sampling *p, int n, struct span *to)
{
    double scale = to[0].scale;
    for (int i = 1; i < n; i++)
        scale = (to[i].scale < scale) == (p->policy == NOT_LARGER) ? to[i].scale : scale;
    for (int i = 0; i < n; i++) {
        double out = floor(scale * to[i].from + .5);
        to[i].to = xfv_to_int(out < 1 ? 1 : out, 1, XFV_MAX_KERNEL * 16);
        to[i].scale = scale, to[i].sized = 0;
    }
}

static int resize_axis(struct onx *o, const struct onx_call *c, struct onx_tensor *t, int axis,
                       const struct sampling *p, const struct span *s)
{
    /* the same elements */
    int crop = p->coordinates == TF_CROP, wide = p->mode != NEAREST && s->scale < 1 && p->smooth;
    if (s->from == s->to && p->coordinates != TF_HALF_PIXEL_FOR_NN && !crop &&
        (s->sized || (s->scale >= 1 && s->scale <= 1)))
        return 0;
    if (wide && crop) return ONX_BAD("'%s' (%s) crops with antialias, which is not supported", c->label, c->op);
    float *m = xfv_onx_matrix(o, c, s->to, s->from);
    if (!m) return o->e->status;
    int beyond = 0;
    for (int r = 0; r < s->to; r++) {
        double x = crop ? place(p, s, r) : 0;
        if (x < 0 || x > s->from - 1) beyond = 1; /* the extrapolation value, 0 */
        else (wide ? fill_wide_row : fill_row)(p, s, r, m + (size_t)r * (size_t)s->from);
    }
    float out = beyond ? xfv_onx_float(c, "extrapolation_value", 0) : 0;
    int status = out < 0 || out > 0
                     ? ONX_BAD("'%s' (%s) extrapolates with %g; 0 is supported", c->label, c->op, (double)out)
                     : xfv_onx_along(o, c, t, axis, m, s->to);
    free(m);
    return status;
}

int xfv_onx_resize(struct onx *o, const struct onx_call *c)
{
    struct sampling p;
    struct span span[ONX_MAX_RANK];
    int axis[ONX_MAX_RANK], rank = c->in[0]->s.rank, status = read_sampling(o, c, &p);
    int64_t named[ONX_MAX_RANK];
    if (status) return status;
    int n = xfv_onx_ints(o, c, -1, "axes", named, ONX_MAX_RANK);
    if (n < 0) return n;
    for (int i = 0; i < (n ? n : rank); i++)
        if ((axis[i] = n ? xfv_onx_axis(o, c, named[i], rank) : i) < 0) return axis[i];
    n = n ? n : rank;
    if ((status = read_spans(o, c, axis, n, span)) || (status = xfv_onx_materialise(o, c->in[0], c->label)))
        return status;
    if (p.policy != STRETCH && c->n_in > 3 && c->in[3]) keep_ratio(&p, n, span);
    if (p.coordinates == TF_CROP && (status = read_part(o, c, n, span))) return status;
    struct onx_tensor t = *c->in[0];
    t.c = NULL, t.init = NULL; /* a copy that walks from axis to axis */
    for (int i = 0; i < n; i++)
        if ((status = resize_axis(o, c, &t, axis[i], &p, &span[i]))) return status;
    return xfv_onx_result(o, c, 0, t.value, t.s, t.axis, t.n_axes);
}
