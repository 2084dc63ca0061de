/* Typed reads: each refusal names the key, what was wanted and what was found. */
#include <string.h>

#include "stream/internal.h"

static int want(const msgpack_object *map, const char *key, const char *what, const msgpack_object **o,
                struct xfv_err *e)
{
    if (!map || map->type != MSGPACK_OBJECT_MAP)
        return xfv_fail(e, XFV_EFORMAT, "key '%s' wanted from something that is not a map", key);
    *o = xfv_map_get(map, key);
    return *o ? 0 : xfv_fail(e, XFV_EFORMAT, "key '%s' (%s) is missing", key, what);
}

static int wrong(const char *key, const char *what, const msgpack_object *o, struct xfv_err *e)
{
    return xfv_fail(e, XFV_EFORMAT, "key '%s': expected %s, found %s", key, what, xfv_type_name(o));
}

int xfv_get_str(const msgpack_object *map, const char *key, const char **s, size_t *n, struct xfv_err *e)
{
    const msgpack_object *o;
    int status = want(map, key, "text", &o, e);
    if (status) return status;
    if (o->type != MSGPACK_OBJECT_STR) return wrong(key, "text", o, e);
    *s = o->via.str.size ? o->via.str.ptr : "";
    *n = o->via.str.size;
    return 0;
}

int xfv_get_text(const msgpack_object *map, const char *key, char *buf, size_t cap, struct xfv_err *e)
{
    const char *s = NULL;
    size_t n = 0;
    int status = xfv_get_str(map, key, &s, &n, e);
    if (status) return status;
    if (memchr(s, '\0', n)) return xfv_fail(e, XFV_EFORMAT, "key '%s': text with a NUL byte", key);
    if (n >= cap)
        return xfv_fail(e, XFV_EFORMAT, "key '%s': text of %zu bytes where %zu is the most", key, n, cap ? cap - 1 : 0);
    memcpy(buf, s, n);
    buf[n] = '\0';
    return 0;
}

static int number(const msgpack_object *o, double *v)
{
    switch (o->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER: return *v = (double)o->via.u64, 0;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER: return *v = (double)o->via.i64, 0;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64: return *v = o->via.f64, 0;
    default: return -1;
    }
}

int xfv_get_f64(const msgpack_object *map, const char *key, double *v, struct xfv_err *e)
{
    const msgpack_object *o;
    int status = want(map, key, "a number", &o, e);
    if (status) return status;
    return number(o, v) ? wrong(key, "a number", o, e) : 0;
}

int xfv_get_int(const msgpack_object *map, const char *key, int64_t *v, struct xfv_err *e)
{
    const msgpack_object *o;
    int status = want(map, key, "an integer", &o, e);
    if (status) return status;
    if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) return *v = o->via.i64, 0;
    if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER) return wrong(key, "an integer", o, e);
    if (o->via.u64 > INT64_MAX) return xfv_fail(e, XFV_EFORMAT, "key '%s': integer past 2^63", key);
    *v = (int64_t)o->via.u64;
    return 0;
}

int xfv_get_bool(const msgpack_object *map, const char *key, int *v, struct xfv_err *e)
{
    const msgpack_object *o;
    int status = want(map, key, "true or false", &o, e);
    if (status) return status;
    if (o->type != MSGPACK_OBJECT_BOOLEAN) return wrong(key, "true or false", o, e);
    *v = o->via.boolean;
    return 0;
}

/* Numbers of nested arrays in order; *at counts them, only the first n are kept. Depth is bounded by the reader's
 * limit. */
static int gather(const msgpack_object *o, double *v, size_t n, size_t *at)
{
    double x;
    if (o->type == MSGPACK_OBJECT_ARRAY) {
        for (uint32_t i = 0; i < o->via.array.size; i++)
            if (gather(&o->via.array.ptr[i], v, n, at)) return -1;
        return 0;
    }
    if (number(o, &x)) return -1;
    if (*at < n) v[*at] = x;
    ++*at;
    return 0;
}

int xfv_get_f64s(const msgpack_object *map, const char *key, double *v, size_t n, struct xfv_err *e)
{
    const msgpack_object *o;
    size_t at = 0;
    int status = want(map, key, "an array of numbers", &o, e);
    if (status) return status;
    if (o->type != MSGPACK_OBJECT_ARRAY) return wrong(key, "an array of numbers", o, e);
    if (gather(o, v, n, &at))
        return xfv_fail(e, XFV_EFORMAT, "key '%s': an array that holds other things than numbers", key);
    if (at != n) return xfv_fail(e, XFV_EFORMAT, "key '%s': expected %zu numbers, found %zu", key, n, at);
    return 0;
}

/* "[1,112,0]" for messages; an entry of 0 in a wanted shape matches anything and shows as "*". */
static const char *show_shape(char out[256], int ndim, const size_t *shape, int wanted)
{
    size_t at = 0;
    out[at++] = '[';
    for (int i = 0; i < ndim; i++) {
        const char *comma = i ? "," : "";
        int n = wanted && !shape[i] ? snprintf(out + at, 26, "%s*", comma)
                                    : snprintf(out + at, 26, "%s%zu", comma, shape[i]);
        at += n > 0 ? (size_t)n : 0;
    }
    memcpy(out + at, "]", 2);
    return out;
}

static int read_shape(const msgpack_object *o, struct xfv_tensor *t, struct xfv_err *e)
{
    const msgpack_object *shape;
    int status = want(o, "shape", "an array of integers", &shape, e);
    if (status) return status;
    if (shape->type != MSGPACK_OBJECT_ARRAY) return wrong("shape", "an array of integers", shape, e);
    if (shape->via.array.size > XFV_MAX_DIMS)
        return xfv_fail(e, XFV_EFORMAT, "a tensor of %u dimensions; %d are the most", shape->via.array.size,
                        XFV_MAX_DIMS);
    t->ndim = (int)shape->via.array.size;
    for (int i = 0; i < t->ndim; i++) {
        const msgpack_object *d = &shape->via.array.ptr[i];
        if (d->type != MSGPACK_OBJECT_POSITIVE_INTEGER) return wrong("shape", "integers, none negative", d, e);
        if (d->via.u64 > UINT32_MAX)
            return xfv_fail(e, XFV_EFORMAT, "a tensor's dimension of %llu", (unsigned long long)d->via.u64);
        t->shape[i] = (size_t)d->via.u64;
    }
    return 0;
}

int xfv_tensor_from_object(const msgpack_object *o, struct xfv_tensor *view, struct xfv_err *e)
{
    struct xfv_tensor t = {0};
    const msgpack_object *data;
    const char *dtype;
    size_t n;
    char show[256];
    if (!o || o->type != MSGPACK_OBJECT_MAP)
        return xfv_fail(e, XFV_EFORMAT, "expected a tensor (a map of dtype, shape and data), found %s",
                        o ? xfv_type_name(o) : "nothing");
    int status = xfv_get_str(o, "dtype", &dtype, &n, e);
    if (status) return status;
    if (xfv_dtype_parse(dtype, n, &t.dtype))
        return xfv_fail(e, XFV_EFORMAT, "tensor of unknown dtype '%s'", xfv_show_text(show, dtype, n));
    status = read_shape(o, &t, e);
    if (status == 0) status = want(o, "data", "bytes", &data, e);
    if (status) return status;
    if (data->type != MSGPACK_OBJECT_BIN) return wrong("data", "bytes", data, e);
    /* The product in steps, so that it cannot overflow: no step may pass what 32 bits of length can hold, unless a
     * dimension is 0. */
    uint64_t bytes = xfv_dtype_size(t.dtype);
    for (int i = 0; i < t.ndim; i++)
        if (t.shape[i] == 0) bytes = 0;
    for (int i = 0; i < t.ndim && bytes <= UINT32_MAX; i++) bytes *= t.shape[i];
    if (bytes != data->via.bin.size)
        return xfv_fail(e, XFV_EFORMAT, "tensor of %s %s: its data has %u bytes%s", xfv_dtype_name(t.dtype),
                        show_shape(show, t.ndim, t.shape, 0), data->via.bin.size,
                        bytes > data->via.bin.size ? ", too few" : ", too many");
    t.data = (void *)(uintptr_t)data->via.bin.ptr; /* a view: the caller reads only */
    *view = t;
    return 0;
}

int xfv_get_tensor_view(const msgpack_object *map, const char *key, struct xfv_tensor *out, struct xfv_err *e)
{
    const msgpack_object *o;
    int status = want(map, key, "a tensor", &o, e);
    if (status) return status;
    status = xfv_tensor_from_object(o, out, e);
    return status && e ? xfv_fail_at(e, "key '%s'", key) : status;
}

/* Is the tensor at key of the type and shape wanted? It is *v then, a view. */
static int fitting(const msgpack_object *map, const char *key, enum xfv_dtype dtype, int half, int want_ndim,
                   const size_t *want_shape, struct xfv_tensor *v, struct xfv_err *e)
{
    char a[256], b[256];
    int status = xfv_get_tensor_view(map, key, v, e);
    if (status) return status;
    int fits = (v->dtype == dtype || (half && v->dtype == XFV_F16)) && (want_ndim < 0 || v->ndim == want_ndim);
    for (int i = 0; fits && want_shape && i < want_ndim; i++) fits = !want_shape[i] || want_shape[i] == v->shape[i];
    if (fits) return 0;
    return xfv_fail(e, XFV_EFORMAT, "key '%s': expected a tensor of %s%s %s, found %s %s", key, xfv_dtype_name(dtype),
                    half ? " or <f2" : "",
                    want_ndim >= 0 && want_shape ? show_shape(a, want_ndim, want_shape, 1) : "of any shape",
                    xfv_dtype_name(v->dtype), show_shape(b, v->ndim, v->shape, 0));
}

int xfv_get_tensor(const msgpack_object *map, const char *key, enum xfv_dtype dtype, int want_ndim,
                   const size_t *want_shape, struct xfv_tensor *out, struct xfv_err *e)
{
    struct xfv_tensor v;
    int status = fitting(map, key, dtype, 0, want_ndim, want_shape, &v, e);
    if (!status) status = xfv_tensor_alloc(out, v.dtype, v.ndim, v.shape, e);
    if (status) return status;
    size_t bytes = xfv_tensor_bytes(out);
    if (bytes) memcpy(out->data, v.data, bytes);
    return 0;
}

int xfv_get_embedding(const msgpack_object *face, size_t n, struct xfv_tensor *out, struct xfv_err *e)
{
    struct xfv_tensor v;
    int status = fitting(face, "embedding", XFV_F32, 1, 1, &n, &v, e);
    if (!status) status = xfv_tensor_alloc(out, XFV_F32, 1, v.shape, e);
    if (status) return status;
    if (v.dtype == XFV_F32 && v.shape[0]) memcpy(out->data, v.data, v.shape[0] * sizeof(float));
    if (v.dtype == XFV_F16) xfv_f32_from_f16(v.data, out->data, v.shape[0]);
    return 0;
}
