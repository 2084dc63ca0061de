#define _DEFAULT_SOURCE /* explicit_bzero */
#if defined __linux__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "stream/internal.h"
#include "base/wipe.h"

static const struct { const char *name; enum xfv_kind kind; } kinds[] = {
    {"head", XFV_HEAD}, {"face", XFV_FACE}, {"pair", XFV_PAIR}, {"err", XFV_ERR}, {"end", XFV_END},
};

static enum xfv_kind kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0) return kinds[i].kind;
    return XFV_OTHER;
}

struct xfv_rec *xfv_rec_new(enum xfv_kind kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == kind) return xfv_rec_new_named(kinds[i].name);
    return NULL;
}

struct xfv_rec *xfv_rec_new_named(const char *kind)
{
    struct xfv_rec *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->zone = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE);
    if (!r->zone) goto fail;
    r->root = xfv_val_map(r->zone);
    msgpack_object name = xfv_val_str(r->zone, kind);
    if (xfv_map_put(r->zone, &r->root, "_", name, NULL)) goto fail;
    char *copy = msgpack_zone_malloc(r->zone, strlen(kind) + 1);
    if (!copy) goto fail;
    memcpy(copy, kind, strlen(kind) + 1);
    r->name = copy;
    r->kind = kind_of(copy);
    return r;
fail:
    xfv_rec_free(r);
    return NULL;
}

int xfv_rec_adopt(struct xfv_rec **out, unsigned char *buf, size_t len, unsigned max_depth, struct xfv_err *e)
{
    struct xfv_rec *r = calloc(1, sizeof *r);
    msgpack_unpacked u;
    size_t off = 0;
    int status = XFV_ENOMEM;
    msgpack_unpacked_init(&u);
    if (!r) goto nomem;
    msgpack_unpack_return got = msgpack_unpack_next(&u, (const char *)buf, len, &off);
    if (got == MSGPACK_UNPACK_NOMEM_ERROR) goto nomem;
    if (got != MSGPACK_UNPACK_SUCCESS || off != len) {
        status = xfv_fail(e, XFV_EFORMAT, "not msgpack");
        goto fail;
    }
    r->root = u.data;
    r->zone = msgpack_unpacked_release_zone(&u);
    if (!r->zone && !(r->zone = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE))) goto nomem;
    if (r->root.type != MSGPACK_OBJECT_MAP) {
        status = xfv_fail(e, XFV_EFORMAT, "expected a record (a map), found %s", xfv_type_name(&r->root));
        goto fail;
    }
    status = xfv_object_check(&r->root, max_depth, e);
    if (status) goto fail;
    const char *s;
    size_t n;
    status = xfv_get_str(&r->root, "_", &s, &n, e);
    if (status) goto fail;
    if (n && memchr(s, '\0', n)) {
        status = xfv_fail(e, XFV_EFORMAT, "key '_', the record's kind, holds a NUL byte");
        goto fail;
    }
    char *name = msgpack_zone_malloc(r->zone, n + 1);
    if (!name) goto nomem;
    if (n) memcpy(name, s, n);
    name[n] = '\0';
    r->name = name;
    r->kind = kind_of(name);
    r->buf = buf;
    r->len = len;
    *out = r;
    msgpack_unpacked_destroy(&u);
    return 0;
nomem:
    status = xfv_fail(e, XFV_ENOMEM, "out of memory for a record of %zu bytes", len);
fail:
    msgpack_unpacked_destroy(&u);
    xfv_rec_free(r);
    return status;
}

/* A zone's chunks: each begins with a pointer to the next (msgpack-c keeps the struct to itself); what follows held the
 * record's values. */
static void wipe_zone(msgpack_zone *z)
{
#if defined __linux__
    void *next;
    for (void *c = z->chunk_list.head; c; c = next) {
        size_t n = malloc_usable_size(c);
        memcpy(&next, c, sizeof next);
        if (n > sizeof next) explicit_bzero((char *)c + sizeof next, n - sizeof next);
    }
#else
    (void)z;
#endif
}

void xfv_rec_free(struct xfv_rec *r)
{
    if (!r) return;
    if (r->zone) wipe_zone(r->zone);
    if (r->zone) msgpack_zone_free(r->zone);
    xfv_wipe_free(r->buf);
    free(r);
}

enum xfv_kind xfv_rec_kind(const struct xfv_rec *r) { return r->kind; }
const char *xfv_rec_kind_name(const struct xfv_rec *r) { return r->name; }
msgpack_object *xfv_rec_root(struct xfv_rec *r) { return &r->root; }
const msgpack_object *xfv_rec_map(const struct xfv_rec *r) { return &r->root; }
msgpack_zone *xfv_rec_zone(struct xfv_rec *r) { return r->zone; }

struct xfv_rec *xfv_rec_error(const char *id, size_t n, const char *tool, const char *code, const char *message)
{
    struct xfv_rec *r = xfv_rec_new(XFV_ERR);
    if (!r) return NULL;
    if (xfv_map_put(r->zone, &r->root, "id", xfv_val_strn(r->zone, id, n), NULL) ||
        xfv_map_put(r->zone, &r->root, "tool", xfv_val_str(r->zone, tool), NULL) ||
        xfv_map_put(r->zone, &r->root, "code", xfv_val_str(r->zone, code), NULL) ||
        xfv_map_put(r->zone, &r->root, "message", xfv_val_str(r->zone, message), NULL)) {
        xfv_rec_free(r);
        return NULL;
    }
    return r;
}
