/* The writer: head, records, end; counts and checksum kept here, so that no program can get them wrong. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/internal.h"
#include "base/crc.h"
#include "base/wipe.h"
#include "stream/put.h"

enum { BUFFER = 64 * 1024, DIRECT = 16 * 1024 /* a payload as large as this is written from where it lies */ };

struct xfv_writer {
    int fd;
    unsigned char *buf;
    size_t len;
    int in_segment, any;          /* a head is written and no end yet; a head was ever written */
    uint32_t crc;
    uint64_t records, errors;     /* of this segment */
    uint64_t all_errors;
    void (*tap)(void *ctx, const void *p, size_t n);
    void *tap_ctx;
    const char *const *left_out; /* NULL: nothing */
    int status;                   /* once not 0, every call ends with it: what is on the descriptor is cut */
    struct xfv_err err;
};

int xfv_writer_open(struct xfv_writer **out, int fd, struct xfv_err *e)
{
    struct xfv_writer *w = calloc(1, sizeof *w);
    if (!w || !(w->buf = malloc(BUFFER))) {
        free(w);
        return xfv_fail(e, XFV_ENOMEM, "out of memory for a stream writer");
    }
    w->fd = fd;
    *out = w;
    return 0;
}

void xfv_writer_close(struct xfv_writer *w)
{
    if (!w) return;
    xfv_wipe_free(w->buf);
    free(w);
}

void xfv_writer_leave_out(struct xfv_writer *w, const char *const *keys)
{
    w->left_out = keys;
}

void xfv_writer_tap(struct xfv_writer *w, void (*fn)(void *ctx, const void *p, size_t n), void *ctx)
{
    w->tap = fn;
    w->tap_ctx = ctx;
}

uint64_t xfv_writer_errors(const struct xfv_writer *w) { return w->all_errors; }

static int write_all(struct xfv_writer *w, const unsigned char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(w->fd, p, n);
        if (k >= 0) {
            p += k;
            n -= (size_t)k;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd pf = {.fd = w->fd, .events = POLLOUT};
            if (poll(&pf, 1, -1) < 0 && errno != EINTR)
                return w->status = xfv_fail(&w->err, XFV_EIO, "cannot wait for output");
        } else if (errno != EINTR) {
            return w->status = xfv_fail(&w->err, XFV_EIO, "cannot write");
        }
    }
    return 0;
}

static int flush(struct xfv_writer *w)
{
    size_t n = w->len;
    w->len = 0;
    return write_all(w, w->buf, n);
}

/* msgpack-c's callback: 0, or -1 which every msgpack_pack_* hands on. */
static int emit(void *ctx, const char *p, size_t n)
{
    struct xfv_writer *w = ctx;
    if (w->tap) w->tap(w->tap_ctx, p, n);
    w->crc = xfv_crc32(w->crc, p, n);
    if (n > BUFFER - w->len || n >= DIRECT) {
        if (flush(w)) return -1;
        if (n >= DIRECT) return write_all(w, (const unsigned char *)p, n) ? -1 : 0;
    }
    memcpy(w->buf + w->len, p, n);
    w->len += n;
    return 0;
}

/* Check, pack and flush one map. A map that fails the check leaves the stream as it was; a failed write breaks the
 * writer for good. */
static int put_object(struct xfv_writer *w, const msgpack_object *o, struct xfv_err *e)
{
    struct xfv_err err = {0};
    int status = xfv_object_check(o, xfv_limits_default().max_depth, &err);
    if (status) {
        xfv_fail(e, status == XFV_ENOMEM ? status : XFV_EARG, "record not written: %s", err.msg);
        return status == XFV_ENOMEM ? status : XFV_EARG;
    }
    msgpack_packer pk;
    msgpack_packer_init(&pk, w, emit);
    if (msgpack_pack_object(&pk, *o) && !w->status)
        w->status = xfv_fail(&w->err, XFV_EARG, "a record holds an object that msgpack cannot hold");
    if (!w->status) flush(w);
    if (w->status && e) *e = w->err;
    return w->status;
}

static int end_segment(struct xfv_writer *w, struct xfv_err *e)
{
    uint32_t crc = w->crc; /* of what precedes the end record */
    struct xfv_rec *end = xfv_rec_new(XFV_END);
    if (!end) return xfv_fail(e, XFV_ENOMEM, "out of memory for the end record");
    struct xfv_put put = xfv_put_into(end->zone, &end->root, e);
    xfv_put_int(&put, "records", (int64_t)w->records);
    xfv_put_int(&put, "errors", (int64_t)w->errors);
    xfv_put_int(&put, "crc32", (int64_t)crc);
    int status = put.status ? put.status : put_object(w, &end->root, e);
    xfv_rec_free(end);
    w->in_segment = 0;
    return status;
}

/* Entry for the provenance: {"tool","version","args",...extra}, in zone z. */
static int prov_entry(msgpack_zone *z, const struct xfv_prov *p, msgpack_object *out, struct xfv_err *e)
{
    msgpack_object args = xfv_val_array(z);
    *out = xfv_val_map(z);
    int status = 0;
    for (size_t i = 0; p->args && p->args[i] && status == 0; i++)
        status = xfv_array_push(z, &args, xfv_val_str(z, p->args[i]), e);
    struct xfv_put put = {z, out, e, status};
    xfv_put_text(&put, "tool", p->tool);
    xfv_put_text(&put, "version", p->version);
    xfv_put(&put, "args", args);
    status = put.status;
    if (status || !p->extra) return status;
    if (p->extra->type != MSGPACK_OBJECT_MAP) return xfv_fail(e, XFV_EARG, "extra provenance must be a map");
    for (uint32_t i = 0; i < p->extra->via.map.size && status == 0; i++) {
        const msgpack_object_kv *kv = &p->extra->via.map.ptr[i];
        if (kv->key.type != MSGPACK_OBJECT_STR) return xfv_fail(e, XFV_EARG, "extra provenance must have text keys");
        if (xfv_str_is(&kv->key, "tool") || xfv_str_is(&kv->key, "version") || xfv_str_is(&kv->key, "args"))
            return xfv_fail(e, XFV_EARG, "extra provenance may not replace tool, version or args");
        status = xfv_map_put_any(z, out, kv->key.via.str.ptr, kv->key.via.str.size, kv->val, e);
    }
    return status;
}

/* The parts every head has, when there is no input's head to go on from. */
static int fresh_head(msgpack_zone *z, msgpack_object *head, struct xfv_err *e)
{
    *head = xfv_val_map(z);
    struct xfv_put put = xfv_put_into(z, head, e);
    xfv_put_text(&put, "_", "head");
    xfv_put_text(&put, "magic", "xfv");
    xfv_put_ints(&put, "version", (const int[]){XFV_VERSION_MAJOR, XFV_VERSION_MINOR}, 2);
    return put.status;
}

/* A copy of the map `in` whose keys can be set without touching `in`; values are shared. */
static int shallow_copy(msgpack_zone *z, const msgpack_object *in, msgpack_object *out)
{
    uint32_t n = in->via.map.size;
    *out = *in;
    out->via.map.ptr = msgpack_zone_malloc(z, (n ? n : 1) * sizeof(msgpack_object_kv));
    if (!out->via.map.ptr) return -1;
    if (n) memcpy(out->via.map.ptr, in->via.map.ptr, n * sizeof(msgpack_object_kv));
    return 0;
}

static int add_prov(msgpack_zone *z, msgpack_object *head, const struct xfv_prov *p, struct xfv_err *e)
{
    msgpack_object entry, list = xfv_val_array(z);
    const msgpack_object *old = xfv_map_get(head, "provenance");
    if (old && old->type != MSGPACK_OBJECT_ARRAY)
        return xfv_fail(e, XFV_EARG, "the head's provenance must be an array");
    if (old) list = *old; /* grows by a copy: the old list lives in another zone */
    int status = p ? prov_entry(z, p, &entry, e) : 0;
    if (status == 0 && p) status = xfv_array_push(z, &list, entry, e);
    if (status == 0 && (p || !old)) status = xfv_map_put(z, head, "provenance", list, e);
    return status;
}

static int set_keys(msgpack_zone *z, msgpack_object *head, const msgpack_object *set, struct xfv_err *e)
{
    static const char *const ours[] = {"_", "magic", "version", "provenance", NULL};
    if (!set) return 0;
    if (set->type != MSGPACK_OBJECT_MAP) return xfv_fail(e, XFV_EARG, "keys for the head must come in a map");
    for (uint32_t i = 0; i < set->via.map.size; i++) {
        const msgpack_object_kv *kv = &set->via.map.ptr[i];
        if (kv->key.type != MSGPACK_OBJECT_STR) return xfv_fail(e, XFV_EARG, "keys for the head must be text");
        for (int k = 0; ours[k]; k++)
            if (xfv_str_is(&kv->key, ours[k]))
                return xfv_fail(e, XFV_EARG, "key '%s' of the head is the writer's own", ours[k]);
        int status = xfv_map_put_any(z, head, kv->key.via.str.ptr, kv->key.via.str.size, kv->val, e);
        if (status) return status;
    }
    return 0;
}

int xfv_writer_head(struct xfv_writer *w, const struct xfv_rec *in, const struct xfv_prov *p, const msgpack_object *set,
                    struct xfv_err *e)
{
    msgpack_object head;
    int status;
    if (w->status) return e ? *e = w->err, w->status : w->status;
    if (in && (in->kind != XFV_HEAD || in->root.via.map.size < 2 || !xfv_str_is(&in->root.via.map.ptr[0].key, "_") ||
               !xfv_str_is(&in->root.via.map.ptr[1].key, "magic")))
        return xfv_fail(e, XFV_EARG, "a stream begins with a head, not with a record of kind '%s'", in->name);
    msgpack_zone *z = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE);
    if (!z || (in && shallow_copy(z, &in->root, &head))) {
        if (z) msgpack_zone_free(z);
        return xfv_fail(e, XFV_ENOMEM, "out of memory for a head");
    }
    status = in ? 0 : fresh_head(z, &head, e);
    if (status == 0) status = add_prov(z, &head, p, e);
    if (status == 0) status = set_keys(z, &head, set, e);
    if (status == 0 && w->in_segment) status = end_segment(w, e);
    if (status == 0) {
        w->crc = 0;
        w->records = w->errors = 0;
        status = put_object(w, &head, e);
    }
    if (status == 0) w->in_segment = w->any = 1;
    msgpack_zone_free(z);
    return status;
}

int xfv_writer_put(struct xfv_writer *w, struct xfv_rec *rec, struct xfv_err *e)
{
    if (w->status) return e ? *e = w->err, w->status : w->status;
    if (!xfv_str_is(xfv_map_get(&rec->root, "_"), rec->name))
        return xfv_fail(e, XFV_EARG, "a record of kind '%s' lost or changed its key '_'", rec->name);
    if (rec->kind == XFV_HEAD || rec->kind == XFV_END)
        return xfv_fail(e, XFV_EARG, "records of kind '%s' are the writer's own", rec->name);
    int status = w->in_segment ? 0 : xfv_writer_head(w, NULL, NULL, NULL, e);
    for (const char *const *key = w->left_out; key && *key; key++) {
        xfv_map_drop(&rec->root, *key);
        xfv_map_drop(xfv_map_get_mut(&rec->root, "a"), *key);
        xfv_map_drop(xfv_map_get_mut(&rec->root, "b"), *key);
    }
    if (status == 0) status = put_object(w, &rec->root, e);
    if (status) return status;
    w->records++;
    w->errors += rec->kind == XFV_ERR;
    w->all_errors += rec->kind == XFV_ERR;
    return 0;
}

int xfv_writer_end(struct xfv_writer *w, struct xfv_err *e)
{
    if (w->status) return e ? *e = w->err, w->status : w->status;
    int status = w->any ? 0 : xfv_writer_head(w, NULL, NULL, NULL, e);
    return status == 0 && w->in_segment ? end_segment(w, e) : status;
}
