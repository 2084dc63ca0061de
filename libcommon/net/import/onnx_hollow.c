/* ONNX files: large constants stay where they are in the file. protobuf-c would copy them, so it is given the file
 * without them, and they are put in their places afterwards. A ModelProto holds its graph in field 7, a graph its
 * constants in field 5, a constant its bytes in field 9. */
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "net/import/onnx_hollow.h"

#define LARGE 4096 /* bytes from which on it pays */

/* One field of a message: from its tag to its end; its content, where it has a length. */
struct field { size_t tag, content, end; int number, wire; };

static int varint(const uint8_t *p, size_t n, size_t *at, uint64_t *v)
{
    *v = 0;
    for (int shift = 0; shift < 64 && *at < n; shift += 7) {
        uint8_t b = p[(*at)++];
        *v |= (uint64_t)(b & 127) << shift;
        if (b < 128) return 1;
    }
    return 0;
}

/* The field at `at` of a message that ends at n; 0 when it is not a field. */
static int next(const uint8_t *p, size_t n, size_t at, struct field *f)
{
    uint64_t key, v;
    *f = (struct field){.tag = at};
    if (!varint(p, n, &at, &key) || key >> 3 == 0 || key >> 3 > 1 << 20) return 0;
    f->number = (int)(key >> 3);
    f->wire = (int)(key & 7);
    f->content = at;
    if (f->wire == 0) {
        if (!varint(p, n, &at, &v)) return 0;
    } else if (f->wire == 1 || f->wire == 5) {
        if (n - at < (f->wire == 1 ? 8u : 4u)) return 0;
        at += f->wire == 1 ? 8 : 4;
    } else {
        if (f->wire != 2 || !varint(p, n, &at, &v) || v > n - at) return 0;
        f->content = at;
        at += (size_t)v;
    }
    f->end = at;
    return 1;
}

struct out { uint8_t *p; size_t n; };

static void put(struct out *o, const uint8_t *p, size_t n)
{
    memcpy(o->p + o->n, p, n);
    o->n += n;
}

static void put_length(struct out *o, const struct field *f, size_t length)
{
    uint64_t key = (uint64_t)f->number << 3 | 2, v = length;
    for (; key > 127; key >>= 7) o->p[o->n++] = (uint8_t)(key | 128);
    o->p[o->n++] = (uint8_t)key;
    for (; v > 127; v >>= 7) o->p[o->n++] = (uint8_t)(v | 128);
    o->p[o->n++] = (uint8_t)v;
}

/* The bytes of a constant, when they are large and there once. */
static int large_bytes(const uint8_t *p, const struct field *tensor, struct field *raw)
{
    struct field f;
    int found = 0;
    for (size_t at = tensor->content; at < tensor->end; at = f.end) {
        if (!next(p, tensor->end, at, &f)) return 0;
        if (f.number != 9) continue;
        if (f.wire != 2 || found) return 0;
        found = 1;
        *raw = f;
    }
    return found && raw->end - raw->content >= LARGE;
}

/* The graph's content without them into o, which has room. */
static int strip(struct xfv_onx_hollow *h, const uint8_t *p, const struct field *graph, struct out *o)
{
    struct field f, raw;
    size_t constant = 0;
    for (size_t at = graph->content; at < graph->end; at = f.end) {
        if (!next(p, graph->end, at, &f)) return 0;
        constant += f.number == 5;
        if (f.number != 5 || f.wire != 2 || !large_bytes(p, &f, &raw)) {
            put(o, p + f.tag, f.end - f.tag);
            continue;
        }
        if (!XFV_GROW(h->part, h->n_parts + 1)) return 0;
        h->part[h->n_parts++] = (struct xfv_onx_part){constant - 1, p + raw.content, raw.end - raw.content};
        put_length(o, &f, f.end - f.content - (raw.end - raw.tag));
        put(o, p + f.content, raw.tag - f.content);
        put(o, p + raw.end, f.end - raw.end);
    }
    return 1;
}

int xfv_onx_hollow(const uint8_t *p, size_t n, struct xfv_onx_hollow *h)
{
    struct field f, graph = {.number = 0};
    struct out inner = {0}, all = {0};
    size_t large = 0;
    int ok = 1, graphs = 0;
    *h = (struct xfv_onx_hollow){0};
    for (size_t at = 0; ok && at < n; at = f.end) {
        if (!(ok = next(p, n, at, &f)) || f.number != 7 || f.wire != 2) continue;
        graph = f;
        graphs++;
    }
    if (!ok || graphs != 1) return 0;
    for (size_t at = graph.content; ok && at < graph.end; at = f.end) {
        struct field raw;
        if ((ok = next(p, graph.end, at, &f)) && f.number == 5 && f.wire == 2 && large_bytes(p, &f, &raw))
            large += raw.end - raw.content;
    }
    if (!ok || !large) return 0;
    ok = (inner.p = malloc(graph.end - graph.content - large + 1)) && strip(h, p, &graph, &inner) &&
         (all.p = malloc(n - large + 16));
    if (ok) {
        put(&all, p, graph.tag);
        put_length(&all, &graph, inner.n);
        put(&all, inner.p, inner.n);
        put(&all, p + graph.end, n - graph.end);
        h->p = all.p;
        h->n = all.n;
    }
    free(inner.p);
    if (!ok) xfv_onx_hollow_free(h);
    return ok;
}

void xfv_onx_hollow_free(struct xfv_onx_hollow *h)
{
    free(h->p);
    free(h->part);
    *h = (struct xfv_onx_hollow){0};
}
