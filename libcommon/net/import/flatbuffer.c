/* The layout: https://flatbuffers.dev/internals. All numbers are little-endian. A table starts with the signed distance
 * back to its vtable; the vtable holds its own size, the table's size, then for each field the distance from the
 * table's start (0: the field has its default). */
#include "net/import/flatbuffer.h"

#include <string.h>

static int inside(struct xfv_fb *b, size_t pos, size_t len)
{
    if (pos <= b->n && len <= b->n - pos) return 1;
    b->bad = 1;
    return 0;
}

static uint32_t u32(struct xfv_fb *b, size_t pos)
{
    if (!inside(b, pos, 4)) return 0;
    const uint8_t *p = b->p + pos;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static unsigned u16(struct xfv_fb *b, size_t pos)
{
    if (!inside(b, pos, 2)) return 0;
    return (unsigned)b->p[pos] | (unsigned)b->p[pos + 1] << 8;
}

/* Follow an offset: it is relative to where it stands, and never zero. */
static size_t follow(struct xfv_fb *b, size_t pos)
{
    uint32_t d = u32(b, pos);
    if (d == 0 || !inside(b, pos, (size_t)d + 4)) {
        b->bad = 1;
        return 0;
    }
    return pos + d;
}

size_t xfv_fb_root(struct xfv_fb *b)
{
    return follow(b, 0);
}

/* Position of a field's value, 0 when the table has it not. */
static size_t field(struct xfv_fb *b, size_t table, int id)
{
    if (table == 0) return 0;
    int64_t vt = (int64_t)table - (int32_t)u32(b, table);
    if (vt < 0 || !inside(b, (size_t)vt, 4)) {
        b->bad = 1;
        return 0;
    }
    size_t at = 4 + 2 * (size_t)id;
    if (at + 2 > u16(b, (size_t)vt)) return 0; /* written by an older schema */
    unsigned d = u16(b, (size_t)vt + at);
    if (d == 0 || !inside(b, table, d)) return 0;
    return table + d;
}

int32_t xfv_fb_read_i32(struct xfv_fb *b, size_t pos)
{
    return (int32_t)u32(b, pos);
}

int32_t xfv_fb_i32(struct xfv_fb *b, size_t table, int id, int32_t def)
{
    size_t p = field(b, table, id);
    return p ? (int32_t)u32(b, p) : def;
}

int xfv_fb_i8(struct xfv_fb *b, size_t table, int id, int def)
{
    size_t p = field(b, table, id);
    return p && inside(b, p, 1) ? (int8_t)b->p[p] : def;
}

float xfv_fb_f32(struct xfv_fb *b, size_t table, int id, float def)
{
    size_t p = field(b, table, id);
    uint32_t bits = p ? u32(b, p) : 0;
    float f;
    memcpy(&f, &bits, sizeof f);
    return p ? f : def;
}

size_t xfv_fb_table(struct xfv_fb *b, size_t table, int id)
{
    size_t p = field(b, table, id);
    return p ? follow(b, p) : 0;
}

size_t xfv_fb_vector(struct xfv_fb *b, size_t table, int id, size_t size, size_t *count)
{
    size_t v = xfv_fb_table(b, table, id);
    *count = 0;
    if (!v) return 0;
    size_t n = u32(b, v);
    if (n > (b->n - v - 4) / size) {
        b->bad = 1;
        return 0;
    }
    *count = n;
    return v + 4;
}

size_t xfv_fb_at(struct xfv_fb *b, size_t vector, size_t count, size_t i)
{
    return vector && i < count ? follow(b, vector + 4 * i) : 0;
}

int32_t xfv_fb_i32_at(struct xfv_fb *b, size_t vector, size_t count, size_t i)
{
    return vector && i < count ? (int32_t)u32(b, vector + 4 * i) : -1;
}
