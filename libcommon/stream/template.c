/* A face's id and embedding straight from the reader's buffer. Whatever is not plain here (a key that is not ASCII, a
 * large map, a record that is not whole) is left to the reader that builds records and has words for every fault. */
#include <string.h>

#include "stream/internal.h"

enum { MOST_KEYS = 15, SHOWN = 0x20, ASCII_END = 0x7f };

struct bytes { const unsigned char *at, *end; };

/* `n` bytes, or NULL. */
static const unsigned char *take(struct bytes *b, size_t n)
{
    const unsigned char *p = b->at;
    if ((size_t)(b->end - p) < n) return NULL;
    b->at += n;
    return p;
}

static uint64_t big_endian(const unsigned char *p, unsigned n)
{
    uint64_t v = 0;
    while (n--) v = v << 8 | *p++;
    return v;
}

/* A text of msgpack's first, second or third form. */
static const char *text(struct bytes *b, size_t *n)
{
    const unsigned char *p = take(b, 1);
    unsigned wide = 0;
    if (!p) return NULL;
    if ((*p & 0xe0) == 0xa0) *n = *p & 0x1f;
    else if (*p == 0xd9 || *p == 0xda) wide = *p == 0xd9 ? 1 : 2;
    else return NULL;
    if (wide && !(p = take(b, wide))) return NULL;
    if (wide) *n = (size_t)big_endian(p, wide);
    return (const char *)take(b, *n);
}

static int is(const char *s, size_t n, const char *word)
{
    return s && n == strlen(word) && !memcmp(s, word, n);
}

struct keys { struct { const char *s; size_t n; } v[MOST_KEYS]; unsigned n; };

/* A map's next key: ASCII, and none of those before. */
static int next_key(struct bytes *b, struct keys *seen, const char **s, size_t *n)
{
    if (!(*s = text(b, n))) return 0;
    for (size_t i = 0; i < *n; i++)
        if ((*s)[i] < SHOWN || (*s)[i] >= ASCII_END) return 0;
    for (unsigned k = 0; k < seen->n; k++)
        if (seen->v[k].n == *n && !memcmp(seen->v[k].s, *s, *n)) return 0;
    seen->v[seen->n].s = *s;
    seen->v[seen->n++].n = *n;
    return 1;
}

/* The number of keys of a small map, or -1. */
static int small_map(struct bytes *b)
{
    const unsigned char *p = take(b, 1);
    return p && (*p & 0xf0) == 0x80 ? *p & 0xf : -1;
}

struct budget { size_t items, depth; };

static int open_level(struct budget *left, size_t items)
{
    if (!left->depth || items > left->items) return 0;
    left->items -= items;
    left->depth--;
    return 1;
}

/* Pass over one value, checked as a record's values are: 1, or 0 when it is not plain. */
static int pass_over(struct bytes *b, struct budget *left)
{
    static const unsigned char fixed[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8}; /* from 0xca: real numbers and integers */
    const unsigned char *p = b->at;
    size_t n;
    if (p == b->end) return 0;
    if ((*p & 0xf0) == 0x80) {
        struct keys seen = {.n = 0};
        const char *s;
        int m = small_map(b);
        if (!open_level(left, 2 * (size_t)m)) return 0;
        while (m-- > 0)
            if (!next_key(b, &seen, &s, &n) || !pass_over(b, left)) return 0;
        left->depth++;
        return 1;
    }
    if ((*p & 0xf0) == 0x90) {
        n = *p & 0xf;
        b->at++;
        if (!open_level(left, n)) return 0;
        while (n-- > 0)
            if (!pass_over(b, left)) return 0;
        left->depth++;
        return 1;
    }
    if ((*p & 0xe0) == 0xa0 || *p == 0xd9 || *p == 0xda) return text(b, &n) != NULL;
    if (*p >= 0xc4 && *p <= 0xc6) {
        unsigned wide = 1u << (*p - 0xc4);
        b->at++;
        p = take(b, wide);
        return p && take(b, (size_t)big_endian(p, wide));
    }
    if (*p >= 0xca && *p <= 0xd3) return take(b, 1u + fixed[*p - 0xca]) != NULL;
    if (*p < 0x80 || *p >= 0xe0 || *p == 0xc0 || *p == 0xc2 || *p == 0xc3) return take(b, 1) != NULL;
    return 0;
}

static int positive(struct bytes *b, size_t *v)
{
    const unsigned char *p = take(b, 1);
    if (p && *p < 0x80) return *v = *p, 1;
    if (!p || *p < 0xcc || *p > 0xce) return 0;
    unsigned wide = 1u << (*p - 0xcc);
    if (!(p = take(b, wide))) return 0;
    return *v = (size_t)big_endian(p, wide), 1;
}

/* A tensor of f32 or f16, one dimension. */
static int embedding(struct bytes *b, struct budget *left, struct xfv_template *t)
{
    struct keys seen = {.n = 0};
    const char *s;
    size_t n, bytes = 0;
    const unsigned char *p;
    if (small_map(b) != 3 || !open_level(left, 6) || !open_level(left, 1)) return 0;
    for (int i = 0; i < 3; i++) {
        if (!next_key(b, &seen, &s, &n)) return 0;
        if (is(s, n, "dtype")) {
            if (!(s = text(b, &n)) || (!is(s, n, "<f4") && !is(s, n, "<f2"))) return 0;
            t->half = s[2] == '2';
        } else if (is(s, n, "shape")) {
            if (!(p = take(b, 1)) || *p != 0x91 || !positive(b, &t->n)) return 0;
        } else if (is(s, n, "data")) {
            const unsigned char *head = b->at;
            if (head == b->end || *head < 0xc4 || *head > 0xc6 || !pass_over(b, left)) return 0;
            bytes = (size_t)(b->at - head) - 1 - ((size_t)1 << (*head - 0xc4));
            t->v = b->at - bytes;
        } else {
            return 0;
        }
    }
    left->depth += 2;
    size_t size = t->half ? 2 : 4;
    return t->n && bytes / size == t->n && bytes % size == 0;
}

static int value(struct bytes *b, const char *key, size_t n, struct budget *left, struct xfv_template *t)
{
    if (is(key, n, "id")) return (t->id = text(b, &t->id_n)) && t->id_n && !memchr(t->id, 0, t->id_n);
    if (is(key, n, "embedding")) return embedding(b, left, t);
    if (is(key, n, "model"))
        return (t->model = text(b, &t->model_n)) && t->model_n <= 64 && !memchr(t->model, 0, t->model_n);
    return pass_over(b, left);
}

void xfv_template_floats(const struct xfv_template *t, float *out)
{
    if (t->half) xfv_f32_from_f16(t->v, out, t->n);
    else memcpy(out, t->v, t->n * sizeof *out);
}

size_t xfv_template_scan(const unsigned char *p, size_t n, const struct xfv_limits *lim, struct xfv_template *t)
{
    struct bytes b = {p, p + n};
    struct budget left = {lim->max_items, lim->max_depth};
    struct keys seen = {.n = 0};
    const char *s;
    size_t len;
    int keys = small_map(&b);
    *t = (struct xfv_template){.model = ""};
    if (keys < 1 || !open_level(&left, 2 * (size_t)keys)) return 0;
    if (!next_key(&b, &seen, &s, &len) || !is(s, len, "_")) return 0;
    if (!(s = text(&b, &len)) || !is(s, len, "face")) return 0;
    while (--keys > 0)
        if (!next_key(&b, &seen, &s, &len) || !value(&b, s, len, &left, t)) return 0;
    size_t all = (size_t)(b.at - p);
    return t->id && t->v && all <= lim->max_record ? all : 0;
}
