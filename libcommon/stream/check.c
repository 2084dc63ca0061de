#include <stdlib.h>
#include <string.h>

#include "stream/internal.h"
#include "base/utf8.h"

const char *xfv_show_text(char out[48], const char *s, size_t n)
{
    size_t at = 0, i = 0;
    while (i < n && at < 40) {
        size_t k = xfv_utf8_next(s + i, n - i, NULL);
        if (k > 1 || (k == 1 && s[i] >= ' ' && s[i] != 0x7f)) {
            memcpy(out + at, s + i, k);
            at += k;
        } else {
            out[at++] = '?';
        }
        i += k ? k : 1;
    }
    memcpy(out + at, i < n ? "..." : "", i < n ? 4 : 1);
    return out;
}

const char *xfv_type_name(const msgpack_object *o)
{
    switch (o->type) {
    case MSGPACK_OBJECT_NIL: return "nil";
    case MSGPACK_OBJECT_BOOLEAN: return "a boolean";
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER: return "an integer";
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64: return "a real number";
    case MSGPACK_OBJECT_STR: return "text";
    case MSGPACK_OBJECT_ARRAY: return "an array";
    case MSGPACK_OBJECT_MAP: return "a map";
    case MSGPACK_OBJECT_BIN: return "bytes";
    case MSGPACK_OBJECT_EXT: return "an extension type";
    default: return "an object of unknown type";
    }
}

int xfv_str_is(const msgpack_object *o, const char *s)
{
    size_t n = strlen(s);
    return o && o->type == MSGPACK_OBJECT_STR && o->via.str.size == n && memcmp(o->via.str.ptr, s, n) == 0;
}

static int compare_keys(const void *pa, const void *pb)
{
    const msgpack_object *a = *(const msgpack_object *const *)pa, *b = *(const msgpack_object *const *)pb;
    uint32_t na = a->via.str.size, nb = b->via.str.size;
    if (na != nb) return na < nb ? -1 : 1;
    return na ? memcmp(a->via.str.ptr, b->via.str.ptr, na) : 0;
}

static int twice(const msgpack_object *key, struct xfv_err *e)
{
    char show[48];
    return xfv_fail(e, XFV_EFORMAT, "key '%s' occurs twice in one map",
                    xfv_show_text(show, key->via.str.ptr, key->via.str.size));
}

/* No key twice: each against each in small maps, sorted in large ones. */
static int check_unique(const msgpack_object_map *m, struct xfv_err *e)
{
    if (m->size <= 32) {
        for (uint32_t i = 1; i < m->size; i++) {
            const msgpack_object *a = &m->ptr[i].key;
            for (uint32_t j = 0; j < i; j++) {
                const msgpack_object *b = &m->ptr[j].key;
                if (compare_keys(&a, &b) == 0) return twice(a, e);
            }
        }
        return 0;
    }
    const msgpack_object **keys = malloc(m->size * sizeof(*keys));
    if (!keys) return xfv_fail(e, XFV_ENOMEM, "out of memory for a map of %u keys", m->size);
    for (uint32_t i = 0; i < m->size; i++) keys[i] = &m->ptr[i].key;
    qsort(keys, m->size, sizeof(*keys), compare_keys);
    int status = 0;
    for (uint32_t i = 1; i < m->size && status == 0; i++)
        if (compare_keys(&keys[i - 1], &keys[i]) == 0) status = twice(keys[i], e);
    free(keys);
    return status;
}

static int check_key(const msgpack_object *key, struct xfv_err *e)
{
    char show[48];
    if (key->type != MSGPACK_OBJECT_STR)
        return xfv_fail(e, XFV_EFORMAT, "a map's key is %s; keys are text", xfv_type_name(key));
    const char *s = key->via.str.ptr;
    uint32_t n = key->via.str.size;
    if (n && memchr(s, '\0', n))
        return xfv_fail(e, XFV_EFORMAT, "key '%s' holds a NUL byte", xfv_show_text(show, s, n));
    if (!xfv_utf8_valid(s, n)) return xfv_fail(e, XFV_EFORMAT, "key '%s' is not UTF-8", xfv_show_text(show, s, n));
    return 0;
}

int xfv_object_check(const msgpack_object *o, unsigned max_depth, struct xfv_err *e)
{
    int status = 0;
    if (o->type != MSGPACK_OBJECT_MAP && o->type != MSGPACK_OBJECT_ARRAY) return 0;
    if (max_depth == 0) return xfv_fail(e, XFV_ELIMIT, "arrays and maps nested too deeply");
    if (o->type == MSGPACK_OBJECT_ARRAY) {
        for (uint32_t i = 0; i < o->via.array.size && status == 0; i++)
            status = xfv_object_check(&o->via.array.ptr[i], max_depth - 1, e);
        return status;
    }
    const msgpack_object_map *m = &o->via.map;
    for (uint32_t i = 0; i < m->size && status == 0; i++) {
        status = check_key(&m->ptr[i].key, e);
        if (status == 0) status = xfv_object_check(&m->ptr[i].val, max_depth - 1, e);
    }
    return status ? status : check_unique(m, e);
}
