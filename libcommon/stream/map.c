/* Maps and arrays that grow inside a zone. A msgpack_object keeps no capacity, so each array that was grown here leaves
 * a note (where, how many used, how much room) in its zone's list of finalizers: only an array found there has room to
 * spare. One that msgpack-c parsed, or that the caller laid out, is copied the first time it grows. `used` guards
 * copies of one map value: the second copy to grow is moved. */
#include <string.h>

#include "stream/internal.h"

struct room {
    void *ptr;
    uint32_t used, cap;
};

static void room_mark(void *data) /* a finalizer with nothing to do: its address says that data is a struct room */
{
    (void)data;
}

static struct room *room_find(const msgpack_zone *z, const void *ptr)
{
    const msgpack_zone_finalizer_array *fa = &z->finalizer_array;
    if (!ptr) return NULL;
    for (msgpack_zone_finalizer *f = fa->tail;
         f != fa->array;) { /* the newest first: a map is mostly filled right after it is made */
        f--;
        struct room *room = f->data;
        if (f->func == room_mark && room->ptr == ptr) return room;
    }
    return NULL;
}

/* Where element number `used` of the array at ptr may be written, with all before it in place; NULL when out of memory.
 */
static void *grow(msgpack_zone *z, void *ptr, uint32_t used, size_t elem)
{
    struct room *room = room_find(z, ptr);
    if (room && room->used == used && used < room->cap) {
        room->used++;
        return ptr;
    }
    uint32_t cap = used < 4 ? 8 : used * 2;
    void *p = msgpack_zone_malloc(z, cap * elem);
    if (!p) return NULL;
    if (!room || room->used != used) {
        room = msgpack_zone_malloc(z, sizeof *room);
        if (!room || !msgpack_zone_push_finalizer(z, room_mark, room)) return NULL;
    }
    if (used) memcpy(p, ptr, used * elem);
    *room = (struct room){.ptr = p, .used = used + 1, .cap = cap};
    return p;
}

static msgpack_object *find(const msgpack_object *map, const char *key, size_t n)
{
    if (!map || map->type != MSGPACK_OBJECT_MAP) return NULL;
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object *k = &map->via.map.ptr[i].key;
        if (k->type == MSGPACK_OBJECT_STR && k->via.str.size == n && memcmp(k->via.str.ptr, key, n) == 0)
            return &map->via.map.ptr[i].val;
    }
    return NULL;
}

const msgpack_object *xfv_map_get(const msgpack_object *map, const char *key)
{
    return find(map, key, strlen(key));
}

msgpack_object *xfv_map_get_mut(msgpack_object *map, const char *key)
{
    return find(map, key, strlen(key));
}

int xfv_map_put_any(msgpack_zone *zone, msgpack_object *map, const char *key, size_t n, msgpack_object value,
                    struct xfv_err *e)
{
    char show[48];
    if (!map || map->type != MSGPACK_OBJECT_MAP)
        return xfv_fail(e, XFV_EARG, "key '%s': put into something that is not a map", key);
    msgpack_object *old = find(map, key, n);
    if (old) return *old = value, 0;
    uint32_t used = map->via.map.size;
    if (used >= INT32_MAX) return xfv_fail(e, XFV_ELIMIT, "a map with more than %d keys", INT32_MAX);
    msgpack_object k = xfv_val_strn(zone, key, n);
    msgpack_object_kv *kv = k.type == MSGPACK_OBJECT_STR ? grow(zone, map->via.map.ptr, used, sizeof *kv) : NULL;
    if (!kv) return xfv_fail(e, XFV_ENOMEM, "out of memory for key '%s'", xfv_show_text(show, key, n));
    kv[used] = (msgpack_object_kv){.key = k, .val = value};
    map->via.map.ptr = kv;
    map->via.map.size = used + 1;
    return 0;
}

int xfv_map_put(msgpack_zone *zone, msgpack_object *map, const char *key, msgpack_object value, struct xfv_err *e)
{
    if (value.type == MSGPACK_OBJECT_NIL)
        return xfv_fail(e, XFV_ENOMEM, "out of memory for the value of key '%s'", key);
    return xfv_map_put_any(zone, map, key, strlen(key), value, e);
}

int xfv_map_put_nil(msgpack_zone *zone, msgpack_object *map, const char *key, struct xfv_err *e)
{
    return xfv_map_put_any(zone, map, key, strlen(key), (msgpack_object){.type = MSGPACK_OBJECT_NIL}, e);
}

int xfv_map_drop(msgpack_object *map, const char *key)
{
    msgpack_object *val = xfv_map_get_mut(map, key);
    if (!val) return 0;
    msgpack_object_kv *kv = map->via.map.ptr, *end = kv + map->via.map.size;
    while (&kv->val != val) kv++;
    memmove(kv, kv + 1, (size_t)(end - kv - 1) * sizeof *kv);
    map->via.map.size--;
    return 1;
}

int xfv_array_push(msgpack_zone *zone, msgpack_object *array, msgpack_object value, struct xfv_err *e)
{
    if (!array || array->type != MSGPACK_OBJECT_ARRAY)
        return xfv_fail(e, XFV_EARG, "element pushed to something that is not an array");
    if (value.type == MSGPACK_OBJECT_NIL) return xfv_fail(e, XFV_ENOMEM, "out of memory for an array's element");
    uint32_t used = array->via.array.size;
    if (used >= INT32_MAX) return xfv_fail(e, XFV_ELIMIT, "an array with more than %d elements", INT32_MAX);
    msgpack_object *p = grow(zone, array->via.array.ptr, used, sizeof *p);
    if (!p) return xfv_fail(e, XFV_ENOMEM, "out of memory for an array of %u elements", used);
    p[used] = value;
    array->via.array.ptr = p;
    array->via.array.size = used + 1;
    return 0;
}
