/* A stage in C, with msgpack-c and zlib and nothing of xfv-tools: gives each face x-brightness, the mean of its pixels
 * (0 black, 255 white).
 *
 *     cc -o brightness brightness.c $(pkg-config --cflags --libs msgpack zlib)
 *     facecrop a.jpg b.jpg | ./brightness | embed | verify | xfv-json
 */
#include <msgpack.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct segment { /* of the input and of the output: from a head to its end */
    uint32_t read, written; /* checksums so far */
    uint64_t records;
    int open, seen; /* the head was read, the end was not; there was a head */
};

static int fail(const char *why)
{
    fprintf(stderr, "brightness: %s\n", why);
    return 3;
}

/* The packer's callback. ctx: the segment. */
static int put(void *ctx, const char *bytes, size_t n)
{
    struct segment *s = ctx;
    s->written = (uint32_t)crc32(s->written, (const Bytef *)bytes, (uInt)n);
    return fwrite(bytes, 1, n, stdout) == n ? 0 : -1;
}

static int is(const msgpack_object *o, const char *text)
{
    return o && o->type == MSGPACK_OBJECT_STR && o->via.str.size == strlen(text) &&
           memcmp(o->via.str.ptr, text, o->via.str.size) == 0;
}

/* The value of a map's key, or NULL. */
static const msgpack_object *get(const msgpack_object *map, const char *key)
{
    if (!map || map->type != MSGPACK_OBJECT_MAP) return NULL;
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (is(&map->via.map.ptr[i].key, key)) return &map->via.map.ptr[i].val;
    return NULL;
}

static void text(msgpack_packer *pk, const char *s)
{
    msgpack_pack_str(pk, strlen(s));
    msgpack_pack_str_body(pk, s, strlen(s));
}

/* What this stage has to say: itself in the head, the number in a face, the checksum in the end. */
static void own_value(msgpack_packer *pk, const msgpack_object *record, const struct segment *s)
{
    if (is(get(record, "_"), "head")) {
        const msgpack_object *before = get(record, "provenance");
        uint32_t n = before && before->type == MSGPACK_OBJECT_ARRAY ? before->via.array.size : 0;
        msgpack_pack_array(pk, n + 1);
        for (uint32_t i = 0; i < n; i++) msgpack_pack_object(pk, before->via.array.ptr[i]);
        msgpack_pack_map(pk, 3);
        text(pk, "tool"), text(pk, "brightness"), text(pk, "version"), text(pk, "1.0.0"), text(pk, "args");
        msgpack_pack_array(pk, 0);
    } else if (is(get(record, "_"), "end")) {
        /* of all bytes before this record: put() has counted its first keys, see copy() */
        msgpack_pack_uint32(pk, s->written);
    } else {
        const msgpack_object *data = get(get(record, "image"), "data"); /* u8, height x width x 3 */
        double sum = 0;
        uint32_t n = data && data->type == MSGPACK_OBJECT_BIN ? data->via.bin.size : 0;
        for (uint32_t i = 0; i < n; i++) sum += (unsigned char)data->via.bin.ptr[i];
        msgpack_pack_double(pk, n ? sum / n : 0);
    }
}

/* The record, and in it key: in its place where it is there, at the end where not. Everything else as it was, in order.
 */
static void copy(msgpack_packer *pk, const msgpack_object *record, const char *key, const struct segment *s)
{
    struct segment before = *s; /* the end's checksum is of what lies before it */
    int there = get(record, key) != NULL;
    msgpack_pack_map(pk, record->via.map.size + !there);
    for (uint32_t i = 0; i < record->via.map.size; i++) {
        msgpack_pack_object(pk, record->via.map.ptr[i].key);
        if (is(&record->via.map.ptr[i].key, key)) own_value(pk, record, &before);
        else msgpack_pack_object(pk, record->via.map.ptr[i].val);
    }
    if (!there) text(pk, key), own_value(pk, record, &before);
}

static int handle(struct segment *s, msgpack_packer *pk, const msgpack_object *record, const char *bytes, size_t n)
{
    const msgpack_object *kind = get(record, "_");
    if (!kind) return fail("a record without a kind: this is no xfv stream");
    if (is(kind, "head")) { /* each segment of a joined stream has a checksum of its own */
        if (s->open) return fail("a head before the end: the stream was cut");
        *s = (struct segment){.open = 1, .seen = 1};
    } else if (!s->open) return fail("the stream does not begin with a head");
    if (is(kind, "end")) {
        const msgpack_object *records = get(record, "records"), *crc = get(record, "crc32");
        if (!records || !crc || records->type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
            crc->type != MSGPACK_OBJECT_POSITIVE_INTEGER || records->via.u64 != s->records || crc->via.u64 != s->read)
            return fail("the stream is damaged");
        copy(pk, record, "crc32", s); /* one record in, one out: the counts are as they were */
        s->open = 0;
        return 0;
    }
    s->read = (uint32_t)crc32(s->read, (const Bytef *)bytes, (uInt)n);
    s->records += !is(kind, "head");
    if (is(kind, "head")) copy(pk, record, "provenance", s);
    else if (is(kind, "face")) copy(pk, record, "x-brightness", s);
    else msgpack_pack_object(pk, *record);
    return 0;
}

int main(void)
{
    struct segment s = {0};
    msgpack_packer pk;
    msgpack_packer_init(&pk, &s, put);
    msgpack_unpacked u;
    msgpack_unpacked_init(&u);
    char *buf = NULL;
    size_t at = 0, len = 0, cap = 0, got = 1;
    int status = 0;
    while (status == 0 && got > 0) {
        size_t end = at; /* only a whole record moves it for good */
        msgpack_unpack_return r = len > at ? msgpack_unpack_next(&u, buf, len, &end) : MSGPACK_UNPACK_CONTINUE;
        if (r == MSGPACK_UNPACK_SUCCESS || r == MSGPACK_UNPACK_EXTRA_BYTES) {
            status = handle(&s, &pk, &u.data, buf + at, end - at);
            at = end;
        } else if (r != MSGPACK_UNPACK_CONTINUE) {
            status = fail("this is no MessagePack");
        } else { /* half a record: read on, into twice the room where it fills what there is */
            if (len > at) memmove(buf, buf + at, len - at);
            len -= at, at = 0;
            if (len == cap && !(buf = realloc(buf, cap = cap ? 2 * cap : 65536))) return fail("out of memory");
            fflush(stdout); /* what is done goes on before we wait */
            len += got = fread(buf + len, 1, cap - len, stdin);
        }
    }
    /* its end is not written: every later stage fails, too */
    if (status == 0 && (s.open || !s.seen || len > at)) status = fail("the stream was cut");
    if (fflush(stdout) || ferror(stdout)) status = fail("cannot write");
    msgpack_unpacked_destroy(&u);
    free(buf);
    return status;
}
