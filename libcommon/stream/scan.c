#include "stream/internal.h"

/* Length bytes that follow type byte b. */
static unsigned length_bytes(unsigned b)
{
    switch (b) {
    case 0xc4: case 0xc7: case 0xd9: return 1;
    case 0xc5: case 0xc8: case 0xda: case 0xdc: case 0xde: return 2;
    case 0xc6: case 0xc9: case 0xdb: case 0xdd: case 0xdf: return 4;
    default: return 0;
    }
}

/* What follows a complete head: payload bytes, or child objects in *children (a map's keys and values each count) with
 * *container set. */
static uint64_t payload_of(const unsigned char *h, unsigned nlen, uint64_t *children, int *container)
{
    unsigned b = h[0];
    uint64_t n = 0;
    for (unsigned i = 1; i <= nlen; i++) n = n << 8 | h[i];
    *children = 0;
    *container = 0;
    if (b >= 0x80 && b <= 0x9f) n = b & 0xf;
    if (b <= 0x8f ? b >= 0x80 : b == 0xde || b == 0xdf) return *container = 1, *children = 2 * n, 0;
    if (b <= 0x9f ? b >= 0x90 : b == 0xdc || b == 0xdd) return *container = 1, *children = n, 0;
    if (b >= 0xa0 && b <= 0xbf) return b & 0x1f;
    if (b >= 0xc7 && b <= 0xc9) return n + 1; /* ext: its type byte, too */
    if (nlen) return n;                       /* bin, str */
    switch (b) {
    case 0xcc: case 0xd0: return 1;
    case 0xcd: case 0xd1: case 0xd4: return 2;
    case 0xca: case 0xce: case 0xd2: return 4;
    case 0xcb: case 0xcf: case 0xd3: return 8;
    case 0xd5: return 3;
    case 0xd6: return 5;
    case 0xd7: return 9;
    case 0xd8: return 17;
    default: return 0; /* fixint, nil, booleans */
    }
}

/* An object is complete: close the arrays and maps that it fills. 1 when nothing is open any more. */
static int object_done(struct xfv_scan *s)
{
    while (s->depth > 0 && --s->left[s->depth - 1] == 0) s->depth--;
    return s->depth == 0;
}

static int too_large(const struct xfv_limits *lim, struct xfv_err *e)
{
    if (lim->of_file)
        return xfv_fail(e, XFV_EFORMAT, "a record claims more than the file's %zu bytes: it was cut, or is damaged",
                        lim->max_record);
    return xfv_fail(e, XFV_ELIMIT, "record larger than %zu bytes; --max-record raises this limit", lim->max_record);
}

/* A whole head lies in s->head: 1 when it completes the object, 0 when not, or an error. */
static int take_head(struct xfv_scan *s, unsigned nlen, struct xfv_err *e)
{
    const struct xfv_limits *lim = s->lim;
    uint64_t children;
    int container;
    if (s->head[0] == 0xc1) return xfv_fail(e, XFV_EFORMAT, "not msgpack: byte 0xc1, which msgpack never uses");
    uint64_t payload = payload_of(s->head, nlen, &children, &container);
    s->have = 0;
    if (payload > lim->max_record || s->total > lim->max_record - payload) return too_large(lim, e);
    if (!container) {
        s->skip = payload;
        return payload ? 0 : object_done(s);
    }
    unsigned max_depth = lim->max_depth < XFV_DEPTH_CAP ? lim->max_depth : XFV_DEPTH_CAP;
    if (s->depth >= max_depth) return xfv_fail(e, XFV_ELIMIT, "arrays and maps nested deeper than %u", max_depth);
    s->items += children;
    if (s->items > lim->max_items)
        return xfv_fail(e, XFV_ELIMIT,
                        "a record with more than %zu elements in its arrays and maps (numbers in bulk belong in a "
                        "tensor)",
                        lim->max_items);
    if (children == 0) return object_done(s);
    s->left[s->depth++] = children;
    return 0;
}

int xfv_scan(struct xfv_scan *s, const unsigned char *p, size_t n, size_t *used, struct xfv_err *e)
{
    size_t i = 0;
    int status = 0;
    while (status == 0) {
        if (s->skip) {
            size_t k = s->skip < n - i ? (size_t)s->skip : n - i;
            s->skip -= k;
            s->total += k;
            i += k;
            if (s->skip) break;
            status = object_done(s);
            continue;
        }
        if (i == n) break;
        s->head[s->have++] = p[i++];
        if (++s->total > s->lim->max_record) {
            status = too_large(s->lim, e);
            break;
        }
        unsigned nlen = length_bytes(s->head[0]);
        if (s->have == 1 + nlen) status = take_head(s, nlen, e);
    }
    *used = i;
    return status;
}
