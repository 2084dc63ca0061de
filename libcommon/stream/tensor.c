#define _DEFAULT_SOURCE /* explicit_bzero */
#include "base/wipe.h"
#include "stream/tensor.h"

#if defined __linux__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensor data is little-endian in a stream and used in place: this build needs a little-endian machine"
#endif

static const struct { const char *name; size_t size;
} dtypes[XFV_DTYPES] = {
    [XFV_U8] = {"|u1", 1},  [XFV_I8] = {"|i1", 1},  [XFV_U16] = {"<u2", 2},
    [XFV_I16] = {"<i2", 2}, [XFV_I32] = {"<i4", 4}, [XFV_I64] = {"<i8", 8},
    [XFV_F16] = {"<f2", 2}, [XFV_F32] = {"<f4", 4}, [XFV_F64] = {"<f8", 8},
};

size_t xfv_dtype_size(enum xfv_dtype t)
{
    return (unsigned)t < XFV_DTYPES ? dtypes[t].size : 0;
}

const char *xfv_dtype_name(enum xfv_dtype t)
{
    return (unsigned)t < XFV_DTYPES ? dtypes[t].name : "?";
}

int xfv_dtype_parse(const char *s, size_t n, enum xfv_dtype *out)
{
    char order = n == 3 ? *s : '\0';
    if (n == 3) s++, n--;
    if (n != 2 || (order && order != '<' && order != '|')) return XFV_EFORMAT;
    for (int i = 0; i < XFV_DTYPES; i++) {
        if (memcmp(dtypes[i].name + 1, s, 2) != 0) continue;
        if (order == '|' && dtypes[i].size > 1) return XFV_EFORMAT; /* "|f4" names no byte order */
        *out = (enum xfv_dtype)i;
        return 0;
    }
    return XFV_EFORMAT;
}

size_t xfv_tensor_count(const struct xfv_tensor *t)
{
    size_t n = 1;
    for (int i = 0; i < t->ndim; i++) n *= t->shape[i];
    return n;
}

size_t xfv_tensor_bytes(const struct xfv_tensor *t)
{
    return xfv_tensor_count(t) * xfv_dtype_size(t->dtype);
}

/* Bytes of a tensor: 0 and *out, or XFV_ELIMIT when the product passes SIZE_MAX / 2. */
static int checked_bytes(enum xfv_dtype dtype, int ndim, const size_t *shape, size_t *out)
{
    size_t n = xfv_dtype_size(dtype);
    for (int i = 0; i < ndim; i++)
        if (shape[i] == 0) return *out = 0, 0; /* [2^40, 2^40, 0] is empty, not too large */
    for (int i = 0; i < ndim; i++) {
        if (n > SIZE_MAX / 2 / shape[i]) return XFV_ELIMIT;
        n *= shape[i];
    }
    *out = n;
    return 0;
}

int xfv_tensor_alloc(struct xfv_tensor *t, enum xfv_dtype dtype, int ndim, const size_t *shape, struct xfv_err *e)
{
    size_t bytes;
    memset(t, 0, sizeof *t);
    if (ndim < 0 || ndim > XFV_MAX_DIMS)
        return xfv_fail(e, XFV_ELIMIT, "a tensor has 0 to %d dimensions, not %d", XFV_MAX_DIMS, ndim);
    if (xfv_dtype_size(dtype) == 0) return xfv_fail(e, XFV_EARG, "no such tensor type: %d", (int)dtype);
    if (checked_bytes(dtype, ndim, shape, &bytes))
        return xfv_fail(e, XFV_ELIMIT, "tensor too large: its bytes cannot be counted");
    void *data = xfv_aligned_alloc(bytes);
    if (!data) return xfv_fail(e, XFV_ENOMEM, "out of memory for a tensor of %zu bytes", bytes);
    memset(data, 0, bytes);
    *t = xfv_tensor_view(dtype, ndim, shape, data);
    t->owned = 1;
    return 0;
}

void xfv_tensor_clear(struct xfv_tensor *t)
{
    if (!t) return;
    if (t->owned) xfv_wipe_free(t->data);
    memset(t, 0, sizeof *t);
}

struct xfv_tensor xfv_tensor_view(enum xfv_dtype dtype, int ndim, const size_t *shape, void *data)
{
    struct xfv_tensor t = {.dtype = dtype, .ndim = ndim, .data = data};
    for (int i = 0; i < ndim && i < XFV_MAX_DIMS; i++) t.shape[i] = shape[i];
    return t;
}

void *xfv_aligned_alloc(size_t n)
{
    if (n > SIZE_MAX - 128) return NULL;
    /* aligned_alloc wants a multiple of the alignment. */
    return aligned_alloc(64, n ? (n + 63) / 64 * 64 : 64);
}

void xfv_f16_from_f32(const float *src, uint16_t *dst, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float x = src[i], sub;
        uint32_t u, s;
        memcpy(&u, &x, 4);
        uint32_t sign = u >> 16 & 0x8000, a = u & 0x7fffffff;
        memcpy(&sub, &a, 4);
        /* between 0.5 and 1 a float's unit is 2^-24, the f16 subnormals' own: the addition rounds for us */
        sub += 0.5f;
        memcpy(&s, &sub, 4);
        uint32_t normal = (a + 0xfff + (a >> 13 & 1)) >> 13;
        uint32_t h = a < 0x38800000 ? s - 0x3f000000 : normal - (112u << 10); /* 2^-14: the smallest normal f16 */
        /* 65536 and more; 65520 rounds up by itself */
        if (a >= 0x47800000) h = 0x7c00;
        if (a > 0x7f800000) h = 0x7e00 | (a >> 13 & 0x3ff);
        dst[i] = (uint16_t)(sign | h);
    }
}

void xfv_f32_from_f16(const void *src, float *dst, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, (const char *)src + 2 * i, 2);
        uint32_t u = (uint32_t)(h & 0x7fff) << 13;
        float x;
        memcpy(&x, &u, 4);
        x *= 0x1p112f; /* moves the exponent's bias from 15 to 127; exact, also for subnormals */
        memcpy(&u, &x, 4);
        if ((h & 0x7c00) == 0x7c00) u |= 0x7f800000;
        u |= (uint32_t)(h & 0x8000) << 16;
        memcpy(&dst[i], &u, 4);
    }
}
