#include <string.h>

#include "stream/internal.h"

static const msgpack_object nil = {.type = MSGPACK_OBJECT_NIL};

/* n bytes copied into the zone; NULL when out of memory or longer than msgpack can hold. */
static char *zone_copy(msgpack_zone *z, const void *p, size_t n)
{
    if (n > UINT32_MAX) return NULL;
    char *q = msgpack_zone_malloc_no_align(z, n ? n : 1);
    if (q && n) memcpy(q, p, n);
    return q;
}

msgpack_object xfv_val_str(msgpack_zone *z, const char *s)
{
    return s ? xfv_val_strn(z, s, strlen(s)) : nil;
}

msgpack_object xfv_val_strn(msgpack_zone *z, const char *s, size_t n)
{
    msgpack_object o = {.type = MSGPACK_OBJECT_STR};
    o.via.str.ptr = zone_copy(z, s, n);
    o.via.str.size = (uint32_t)n;
    return o.via.str.ptr ? o : nil;
}

/* Only points to the bytes. */
static msgpack_object bin_ref(const void *p, size_t n)
{
    msgpack_object o = {.type = MSGPACK_OBJECT_BIN};
    if (n > UINT32_MAX) return nil;
    o.via.bin.ptr = p;
    o.via.bin.size = (uint32_t)n;
    return o;
}

msgpack_object xfv_val_bin(msgpack_zone *z, const void *p, size_t n)
{
    char *q = zone_copy(z, p, n);
    return q ? bin_ref(q, n) : nil;
}

msgpack_object xfv_val_int(int64_t v)
{
    msgpack_object o = {.type = v < 0 ? MSGPACK_OBJECT_NEGATIVE_INTEGER : MSGPACK_OBJECT_POSITIVE_INTEGER};
    if (v < 0)
        o.via.i64 = v;
    else
        o.via.u64 = (uint64_t)v;
    return o;
}

msgpack_object xfv_val_bool(int v)
{
    msgpack_object o = {.type = MSGPACK_OBJECT_BOOLEAN};
    o.via.boolean = v != 0;
    return o;
}

msgpack_object xfv_val_f64(double v)
{
    msgpack_object o = {.type = MSGPACK_OBJECT_FLOAT64};
    o.via.f64 = v;
    return o;
}

msgpack_object xfv_val_map(msgpack_zone *z)
{
    (void)z; /* room comes with the first key */
    return (msgpack_object){.type = MSGPACK_OBJECT_MAP};
}

msgpack_object xfv_val_array(msgpack_zone *z)
{
    (void)z;
    return (msgpack_object){.type = MSGPACK_OBJECT_ARRAY};
}

/* An array of n nils to be filled in. */
static msgpack_object sized_array(msgpack_zone *z, size_t n)
{
    msgpack_object o = xfv_val_array(z);
    if (n == 0) return o;
    if (n > INT32_MAX) return nil;
    o.via.array.ptr = msgpack_zone_malloc(z, n * sizeof(msgpack_object));
    if (!o.via.array.ptr) return nil;
    for (size_t i = 0; i < n; i++) o.via.array.ptr[i] = nil;
    o.via.array.size = (uint32_t)n;
    return o;
}

msgpack_object xfv_val_f64s(msgpack_zone *z, const double *v, size_t n)
{
    msgpack_object o = sized_array(z, n);
    if (o.type != MSGPACK_OBJECT_ARRAY) return o;
    for (size_t i = 0; i < n; i++) o.via.array.ptr[i] = xfv_val_f64(v[i]);
    return o;
}

static msgpack_object tensor_with(msgpack_zone *z, const struct xfv_tensor *t, msgpack_object data)
{
    msgpack_object o = xfv_val_map(z), shape = sized_array(z, (size_t)t->ndim);
    for (int i = 0; i < t->ndim && shape.type == MSGPACK_OBJECT_ARRAY; i++)
        shape.via.array.ptr[i] = xfv_val_int((int64_t)t->shape[i]);
    if (xfv_map_put(z, &o, "dtype", xfv_val_str(z, xfv_dtype_name(t->dtype)), NULL) ||
        xfv_map_put(z, &o, "shape", shape, NULL) || xfv_map_put(z, &o, "data", data, NULL))
        return nil;
    return o;
}

msgpack_object xfv_val_tensor(msgpack_zone *z, const struct xfv_tensor *t)
{
    return tensor_with(z, t, xfv_val_bin(z, t->data, xfv_tensor_bytes(t)));
}

msgpack_object xfv_val_tensor_ref(msgpack_zone *z, const struct xfv_tensor *t)
{
    return tensor_with(z, t, bin_ref(t->data, xfv_tensor_bytes(t)));
}

static int copy_into(msgpack_zone *z, const msgpack_object *o, msgpack_object *out)
{
    *out = *o;
    switch (o->type) {
    case MSGPACK_OBJECT_STR: return (out->via.str.ptr = zone_copy(z, o->via.str.ptr, o->via.str.size)) ? 0 : -1;
    case MSGPACK_OBJECT_BIN: return (out->via.bin.ptr = zone_copy(z, o->via.bin.ptr, o->via.bin.size)) ? 0 : -1;
    case MSGPACK_OBJECT_EXT: return (out->via.ext.ptr = zone_copy(z, o->via.ext.ptr, o->via.ext.size)) ? 0 : -1;
    case MSGPACK_OBJECT_ARRAY:
        *out = sized_array(z, o->via.array.size);
        if (out->type != MSGPACK_OBJECT_ARRAY) return -1;
        for (uint32_t i = 0; i < o->via.array.size; i++)
            if (copy_into(z, &o->via.array.ptr[i], &out->via.array.ptr[i])) return -1;
        return 0;
    case MSGPACK_OBJECT_MAP:
        if (o->via.map.size == 0) return *out = xfv_val_map(z), 0;
        out->via.map.ptr = msgpack_zone_malloc(z, o->via.map.size * sizeof(msgpack_object_kv));
        if (!out->via.map.ptr) return -1;
        for (uint32_t i = 0; i < o->via.map.size; i++)
            if (copy_into(z, &o->via.map.ptr[i].key, &out->via.map.ptr[i].key) ||
                copy_into(z, &o->via.map.ptr[i].val, &out->via.map.ptr[i].val))
                return -1;
        return 0;
    default: return 0;
    }
}

msgpack_object xfv_val_copy(msgpack_zone *z, const msgpack_object *o)
{
    msgpack_object copy;
    return copy_into(z, o, &copy) ? nil : copy;
}
