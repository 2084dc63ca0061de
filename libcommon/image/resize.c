#include "image/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "base/toint.h"

/* One axis: destination pixel i is the sum of weight[i * taps + k] x source pixel first[i] + k, k < width; the weights
 * of those that it does not cover are zero, at either end. All have one width, so that a loop need not guess. */
struct axis {
    int src, dst, taps, width;
    int *first;
    float *weight;
};

struct xfv_resampler {
    struct axis x, y;
};

/* Pixel i has `count` weights, from source pixel `first` on. */
static void place(struct axis *a, int i, int first, int count)
{
    a->first[i] = first;
    if (count > a->width) a->width = count;
}

/* Destination pixel i covers the source interval [i s, (i + 1) s), s = src / dst; a source pixel's weight is the
 * covered part of it over s. */
static void area_weights(struct axis *a)
{
    double s = (double)a->src / a->dst;
    for (int i = 0; i < a->dst; i++) {
        double lo = i * s, hi = (i + 1) * s < a->src ? (i + 1) * s : a->src;
        int first = xfv_to_int(lo + 1e-9, 0, a->src), end = xfv_to_int(hi - 1e-9, 0, a->src), last = end;
        if (end >= hi - 1e-9) last--;
        if (first > a->src - 1) first = a->src - 1;
        if (last < first) last = first;
        if (last > a->src - 1) last = a->src - 1;
        float *w = a->weight + (size_t)i * (size_t)a->taps;
        place(a, i, first, last - first + 1);
        for (int k = 0; k <= last - first; k++) {
            double from = lo > first + k ? lo : first + k, to = hi < first + k + 1 ? hi : first + k + 1;
            w[k] = (float)((to - from) / (hi - lo));
        }
    }
}

/* Pixel centres at halves; beyond the outermost centres the edge pixel is repeated. */
static void linear_weights(struct axis *a)
{
    double s = (double)a->src / a->dst;
    for (int i = 0; i < a->dst; i++) {
        double at = (i + 0.5) * s - 0.5;
        if (at < 0) at = 0;
        if (at > a->src - 1) at = a->src - 1;
        int first = xfv_to_int(at, 0, a->src - 1), two = first + 1 < a->src;
        float *w = a->weight + (size_t)i * (size_t)a->taps;
        place(a, i, first, two ? 2 : 1);
        w[0] = two ? (float)(1 - (at - first)) : 1;
        if (two) w[1] = (float)(at - first);
    }
}

/* What would read behind the source's end begins earlier, with weights of zero. */
static void keep_inside(struct axis *a)
{
    for (int i = a->dst - 1; i >= 0 && a->first[i] + a->width > a->src; i--) {
        int by = a->first[i] + a->width - a->src;
        float *w = a->weight + (size_t)i * (size_t)a->taps;
        a->first[i] -= by;
        memmove(w + by, w, (size_t)(a->width - by) * sizeof *w);
        memset(w, 0, (size_t)by * sizeof *w);
    }
}

static int axis_init(struct axis *a, int src, int dst)
{
    *a = (struct axis){.src = src, .dst = dst, .taps = dst < src ? src / dst + 2 : 2};
    size_t n = (size_t)dst;
    a->weight = calloc(n, (size_t)a->taps * sizeof *a->weight + sizeof *a->first);
    if (!a->weight) return -1;
    a->first = (int *)(void *)(a->weight + n * (size_t)a->taps);
    if (dst < src) area_weights(a);
    else linear_weights(a);
    keep_inside(a);
    return 0;
}

struct xfv_resampler *xfv_resampler_new(int src_width, int src_height, int dst_width, int dst_height, struct xfv_err *e)
{
    if (src_width < 1 || src_height < 1 || dst_width < 1 || dst_height < 1) {
        xfv_fail(e, XFV_EARG, "cannot resample %d x %d pixels to %d x %d", src_width, src_height, dst_width,
                 dst_height);
        return NULL;
    }
    struct xfv_resampler *r = calloc(1, sizeof *r);
    if (!r || axis_init(&r->x, src_width, dst_width) || axis_init(&r->y, src_height, dst_height)) {
        xfv_fail(e, XFV_ENOMEM, "out of memory for resampling to %d x %d pixels", dst_width, dst_height);
        xfv_resampler_free(r);
        return NULL;
    }
    return r;
}

void xfv_resampler_free(struct xfv_resampler *r)
{
    if (!r) return;
    free(r->x.weight);
    free(r->y.weight);
    free(r);
}

size_t xfv_resample_work(const struct xfv_resampler *r, int channels)
{
    return (size_t)r->x.src * (size_t)channels + 1; /* what load4 reads behind the last pixel */
}

/* sum[i] = the sum over k of w[k] s[k * row + i], i from `from` on: the vertical pass. */
static void add_rows_plain(float *sum, const uint8_t *s, size_t row, const float *w, int rows, size_t from, size_t n)
{
    for (size_t i = from; i < n; i++) {
        sum[i] = w[0] * (float)s[i];
        for (int k = 1; k < rows; k++) sum[i] += w[k] * (float)s[(size_t)k * row + i];
    }
}

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256 eight(const uint8_t *s)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)s)));
}

AVX2 static inline __attribute__((always_inline)) void add_block(float *sum, const uint8_t *s, size_t row,
                                                                 const float *w, int rows, int eights)
{
    __m256 v[4];
    for (int j = 0; j < eights; j++) v[j] = _mm256_set1_ps(w[0]) * eight(s + 8 * j);
    for (int k = 1; k < rows; k++)
        for (int j = 0; j < eights; j++) v[j] += _mm256_set1_ps(w[k]) * eight(s + (size_t)k * row + 8 * j);
    for (int j = 0; j < eights; j++) _mm256_storeu_ps(sum + 8 * j, v[j]);
}

/* The last block ends where the row does, and makes some numbers again. */
AVX2 static void add_rows_avx2(float *sum, const uint8_t *s, size_t row, const float *w, int rows, size_t n)
{
    size_t i = 0;
    for (; i + 32 <= n; i += 32) add_block(sum + i, s + i, row, w, rows, 4);
    for (; i + 8 <= n; i += 8) add_block(sum + i, s + i, row, w, rows, 1);
    if (i < n && n >= 8) add_block(sum + n - 8, s + n - 8, row, w, rows, 1);
    else add_rows_plain(sum, s, row, w, rows, i, n);
}
#endif

static void add_rows(float *sum, const uint8_t *s, size_t row, const float *w, int rows, size_t n)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        add_rows_avx2(sum, s, row, w, rows, n);
        return;
    }
#endif
    add_rows_plain(sum, s, row, w, rows, 0, n);
}

/* Weighted sum of the source rows of destination row dy into work, for the source columns lo .. hi-1 of the rectangle
 * at (x, y). */
static void vertical(const struct axis *a, const struct xfv_image *im, int x, int y, int dy, int lo, int hi,
                     float *work)
{
    size_t c = (size_t)im->channels;
    int in_lo = x + lo > 0 ? lo : -x, in_hi = x + hi < im->width ? hi : im->width - x; /* columns inside the image */
    const float *w = a->weight + (size_t)dy * (size_t)a->taps;
    int started = 0, rows = a->width;
    for (; rows > 1 && w[rows - 1] <= 0; rows--) {}
    int first = y + a->first[dy], end = first + rows, top = first > 0 ? first : 0;
    if (end > im->height) end = im->height;
    if (in_hi > in_lo && top < end) {
        float *to = work + (size_t)in_lo * c;
        const uint8_t *s = im->data + ((size_t)top * (size_t)im->width + (size_t)(x + in_lo)) * c;
        add_rows(to, s, (size_t)im->width * c, w + (top - first), end - top, (size_t)(in_hi - in_lo) * c);
        started = 1;
    }
    if (!started) in_lo = in_hi = hi; /* nothing of the image in this row: all of it is zero */
    memset(work + (size_t)lo * c, 0, (size_t)(in_lo - lo) * c * sizeof *work);
    if (in_hi < hi) memset(work + (size_t)in_hi * c, 0, (size_t)(hi - in_hi) * c * sizeof *work);
}

/* To the nearest whole number, halves to even, for |v| < 2^22: the addition leaves no room for a fraction. */
#define NEAREST(v) ((v) + 0x1.8p23F - 0x1.8p23F)

typedef float four __attribute__((vector_size(16)));

static four load4(const float *p)
{
    four v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* A pixel's three colours at a time; the fourth lane, which reads the next pixel's first, is not used. Most rows have
 * few weights, and loops of known length. */
#define LINE3(width) \
    for (int i = 0; i < n; i++, out += to->pixel, w += a->taps) { \
        const float *s = work + (size_t)first[i] * 3; \
        four v = {0, 0, 0, 0}; \
        for (int k = 0; k < (width); k++) v += w[k] * load4(s + 3 * k); \
        if (to->whole) v = NEAREST(v); \
        v = (v - mean) * scale; \
        out[0] = v[0], out[1] = v[1], out[2] = v[2]; \
    }
#define HORIZONTAL3(name) \
    static void name(const struct axis *a, const float *work, int dx, int n, const struct xfv_float_sink *to, \
                     float *out) \
    { \
        four scale = {1 / to->std[0], 1 / to->std[1], 1 / to->std[2], 0}; \
        four mean = {to->mean[0], to->mean[1], to->mean[2], 0}; \
        const float *w = a->weight + (size_t)dx * (size_t)a->taps; \
        const int *first = a->first + dx; \
        switch (a->width) { \
        case 2: LINE3(2) break; \
        case 3: LINE3(3) break; \
        case 4: LINE3(4) break; \
        default: LINE3(a->width) break; \
        } \
    }
HORIZONTAL3(horizontal3_plain)
#ifdef __x86_64__
AVX2 HORIZONTAL3(horizontal3_avx2)
#endif

static void horizontal3(const struct axis *a, const float *work, int dx, int n, const struct xfv_float_sink *to,
                        float *out)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        horizontal3_avx2(a, work, dx, n, to, out);
        return;
    }
#endif
    horizontal3_plain(a, work, dx, n, to, out);
}

static void horizontal1(const struct axis *a, const float *work, int dx, int n, const struct xfv_float_sink *to,
                        float *out)
{
    for (int i = 0; i < n; i++) {
        const float *s = work + a->first[dx + i], *w = a->weight + (size_t)(dx + i) * (size_t)a->taps;
        float v = 0;
        for (int k = 0; k < a->width; k++) v += w[k] * s[k];
        if (to->whole) v = NEAREST(v);
        out[i * to->pixel] = (v - to->mean[0]) / to->std[0];
    }
}

void xfv_resample(const struct xfv_resampler *r, const struct xfv_image *im, int x, int y, struct xfv_rect tile,
                  const struct xfv_float_sink *to, float *work)
{
    if (tile.width < 1) return;
    int last = tile.x + tile.width - 1;
    int lo = r->x.first[tile.x], hi = r->x.first[last] + r->x.width;
    for (int i = 0; i < tile.height; i++) {
        float *out = to->out + i * to->row;
        vertical(&r->y, im, x, y, tile.y + i, lo, hi, work);
        if (im->channels == 3) horizontal3(&r->x, work, tile.x, tile.width, to, out);
        else horizontal1(&r->x, work, tile.x, tile.width, to, out);
    }
}

int xfv_image_resize(const struct xfv_image *im, int width, int height, struct xfv_image *out, struct xfv_err *e)
{
    size_t row = (size_t)width * (size_t)im->channels;
    int status = xfv_image_alloc(out, width, height, im->channels, e);
    if (status) return status;
    struct xfv_resampler *r = xfv_resampler_new(im->width, im->height, width, height, e);
    float *work = r ? malloc((xfv_resample_work(r, im->channels) + row) * sizeof *work) : NULL;
    if (!r) {
        status = XFV_ENOMEM;
    } else if (!work) {
        status = xfv_fail(e, XFV_ENOMEM, "out of memory for resampling to %d x %d pixels", width, height);
    } else {
        float *line = work + xfv_resample_work(r, im->channels);
        struct xfv_float_sink to = {line, im->channels, (ptrdiff_t)row, .std = {1, 1, 1}, .whole = 1};
        for (int y = 0; y < height; y++) {
            uint8_t *t = out->data + (size_t)y * row;
            xfv_resample(r, im, 0, 0, (struct xfv_rect){0, y, width, 1}, &to, work);
            for (size_t i = 0; i < row; i++) t[i] = xfv_float_to_byte(line[i]);
        }
    }
    if (status) xfv_image_clear(out);
    free(work);
    xfv_resampler_free(r);
    return status;
}
