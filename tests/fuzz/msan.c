/* MemorySanitizer and libraries that are not built with it: what they write counts as never written. These stand in
 * front of those that the readers call (the linker's --wrap) and say what was. All else that a reader looks at must
 * have been written by our own code, by libc, or come out of the file. */
#include <msgpack.h>
#include <netpbm/pam.h>
#include <protobuf-c/protobuf-c.h>
#include <sanitizer/msan_interface.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Is it awake? */
__attribute__((constructor)) static void look_at_nothing(void)
{
    char *p = getenv("XFV_MSAN_SELF") ? malloc(8) : NULL;
    if (p && p[3]) puts("");
    free(p);
}

/* ---- msgpack-c ---- */

static void zone_written(msgpack_zone *z)
{
    void *next;
    __msan_unpoison(z, sizeof *z);
    for (void *c = z->chunk_list.head; c; c = next) { /* each chunk begins with a pointer to the next */
        __msan_unpoison(c, sizeof next);
        memcpy(&next, c, sizeof next);
    }
}

static void object_written(const msgpack_object *o)
{
    if (o->type == MSGPACK_OBJECT_ARRAY) {
        __msan_unpoison(o->via.array.ptr, o->via.array.size * sizeof *o->via.array.ptr);
        for (uint32_t i = 0; i < o->via.array.size; i++) object_written(&o->via.array.ptr[i]);
    }
    if (o->type != MSGPACK_OBJECT_MAP) return;
    __msan_unpoison(o->via.map.ptr, o->via.map.size * sizeof *o->via.map.ptr);
    for (uint32_t i = 0; i < o->via.map.size; i++) {
        object_written(&o->via.map.ptr[i].key);
        object_written(&o->via.map.ptr[i].val);
    }
}

msgpack_unpack_return __real_msgpack_unpack_next(msgpack_unpacked *u, const char *p, size_t n, size_t *at);
msgpack_unpack_return __wrap_msgpack_unpack_next(msgpack_unpacked *u, const char *p, size_t n, size_t *at);
msgpack_unpack_return __wrap_msgpack_unpack_next(msgpack_unpacked *u, const char *p, size_t n, size_t *at)
{
    msgpack_unpack_return got = __real_msgpack_unpack_next(u, p, n, at);
    __msan_unpoison(&got, sizeof got);
    __msan_unpoison(u, sizeof *u);
    if (at) __msan_unpoison(at, sizeof *at);
    if (u->zone) zone_written(u->zone);
    if (got == MSGPACK_UNPACK_SUCCESS || got == MSGPACK_UNPACK_EXTRA_BYTES) object_written(&u->data);
    return got;
}

msgpack_zone *__real_msgpack_zone_new(size_t n);
msgpack_zone *__wrap_msgpack_zone_new(size_t n);
msgpack_zone *__wrap_msgpack_zone_new(size_t n)
{
    msgpack_zone *z = __real_msgpack_zone_new(n);
    __msan_unpoison(&z, sizeof z);
    if (z) zone_written(z);
    return z;
}

void *__real_msgpack_zone_malloc_expand(msgpack_zone *z, size_t n);
void *__wrap_msgpack_zone_malloc_expand(msgpack_zone *z, size_t n);
void *__wrap_msgpack_zone_malloc_expand(msgpack_zone *z, size_t n)
{
    void *p = __real_msgpack_zone_malloc_expand(z, n);
    __msan_unpoison(&p, sizeof p);
    zone_written(z);
    return p;
}

bool __real_msgpack_zone_push_finalizer_expand(msgpack_zone *z, void (*f)(void *), void *data);
bool __wrap_msgpack_zone_push_finalizer_expand(msgpack_zone *z, void (*f)(void *), void *data);
bool __wrap_msgpack_zone_push_finalizer_expand(msgpack_zone *z, void (*f)(void *), void *data)
{
    bool there = __real_msgpack_zone_push_finalizer_expand(z, f, data);
    const msgpack_zone_finalizer_array *a = &z->finalizer_array;
    __msan_unpoison(&there, sizeof there);
    zone_written(z);
    __msan_unpoison(a->array, (size_t)((char *)a->end - (char *)a->array));
    return there;
}

static const msgpack_packer *packer; /* one at a time: these readers have one thread */

/* What is short enough for a value's first bytes is the library's own. */
static int packed(void *data, const char *p, size_t n)
{
    __msan_unpoison(&data, sizeof data);
    __msan_unpoison(&p, sizeof p);
    __msan_unpoison(&n, sizeof n);
    if (n <= 9) __msan_unpoison(p, n);
    return packer->callback(data, p, n);
}

int __real_msgpack_pack_object(msgpack_packer *k, msgpack_object o);
int __wrap_msgpack_pack_object(msgpack_packer *k, msgpack_object o);
int __wrap_msgpack_pack_object(msgpack_packer *k, msgpack_object o)
{
    msgpack_packer own = {k->data, packed};
    packer = k;
    int status = __real_msgpack_pack_object(&own, o);
    __msan_unpoison(&status, sizeof status);
    return status;
}

/* ---- protobuf-c: every message is written whole ---- */

static void *written(void *of, size_t n)
{
    const ProtobufCAllocator *a = of;
    void *p = a ? a->alloc(a->allocator_data, n) : malloc(n);
    if (p) __msan_unpoison(p, n);
    return p;
}

static void let_go(void *of, void *p)
{
    const ProtobufCAllocator *a = of;
    if (a) a->free(a->allocator_data, p);
    else free(p);
}

ProtobufCMessage *__real_protobuf_c_message_unpack(const ProtobufCMessageDescriptor *d, ProtobufCAllocator *a, size_t n,
                                                   const uint8_t *p);
ProtobufCMessage *__wrap_protobuf_c_message_unpack(const ProtobufCMessageDescriptor *d, ProtobufCAllocator *a, size_t n,
                                                   const uint8_t *p);
ProtobufCMessage *__wrap_protobuf_c_message_unpack(const ProtobufCMessageDescriptor *d, ProtobufCAllocator *a, size_t n,
                                                   const uint8_t *p)
{
    ProtobufCAllocator own = {written, let_go, a};
    ProtobufCMessage *m = __real_protobuf_c_message_unpack(d, &own, n, p);
    __msan_unpoison(&m, sizeof m);
    return m;
}

/* ---- libnetpbm ---- */

void __real_pnm_readpaminit(FILE *f, struct pam *pam, int size);
void __wrap_pnm_readpaminit(FILE *f, struct pam *pam, int size);
void __wrap_pnm_readpaminit(FILE *f, struct pam *pam, int size)
{
    __real_pnm_readpaminit(f, pam, size);
    __msan_unpoison(pam, (size_t)size);
}

tuple *__real_pnm_allocpamrow(const struct pam *pam);
tuple *__wrap_pnm_allocpamrow(const struct pam *pam);
tuple *__wrap_pnm_allocpamrow(const struct pam *pam)
{
    tuple *row = __real_pnm_allocpamrow(pam);
    __msan_unpoison(&row, sizeof row);
    __msan_unpoison(row, (size_t)pam->width * sizeof *row);
    return row;
}

void __real_pnm_readpamrow(const struct pam *pam, tuple *row);
void __wrap_pnm_readpamrow(const struct pam *pam, tuple *row);
void __wrap_pnm_readpamrow(const struct pam *pam, tuple *row)
{
    __real_pnm_readpamrow(pam, row);
    for (int x = 0; x < pam->width; x++) __msan_unpoison(row[x], pam->depth * sizeof *row[x]);
}
