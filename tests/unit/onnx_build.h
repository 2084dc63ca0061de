/* Writes ONNX files by hand, right and wrong ones: a few functions of Protocol Buffers' wire format. Field numbers are
 * those of onnx.proto. */
#ifndef ONNX_BUILD_H
#define ONNX_BUILD_H

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct pb { uint8_t *p; size_t n, cap; };

static inline void pb_bytes(struct pb *b, const void *p, size_t n)
{
    if (b->n + n > b->cap) {
        b->cap = 2 * (b->n + n) + 64;
        b->p = realloc(b->p, b->cap);
        if (!b->p) abort();
    }
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
}

static inline void pb_varint(struct pb *b, uint64_t v)
{
    uint8_t c;
    for (; v > 127; v >>= 7) c = (uint8_t)(v | 128), pb_bytes(b, &c, 1);
    c = (uint8_t)v;
    pb_bytes(b, &c, 1);
}

static inline void pb_int(struct pb *b, int field, int64_t v)
{
    pb_varint(b, (uint64_t)field << 3), pb_varint(b, (uint64_t)v);
}
static inline void pb_data(struct pb *b, int field, const void *p, size_t n)
{
    pb_varint(b, (uint64_t)field << 3 | 2), pb_varint(b, n), pb_bytes(b, p, n);
}
static inline void pb_text(struct pb *b, int field, const char *s) { pb_data(b, field, s, strlen(s)); }
static inline void pb_float(struct pb *b, int field, float v)
{
    pb_varint(b, (uint64_t)field << 3 | 5), pb_bytes(b, &v, 4);
}
/* Append a message as a field and free it. */
static inline void pb_add(struct pb *b, int field, struct pb m)
{
    pb_data(b, field, m.p, m.n);
    free(m.p);
}

/* A tensor of this type with raw data; dims end with -1. */
static inline struct pb pb_tensor(const char *name, int type, const void *data, size_t bytes, ...)
{
    struct pb t = {0};
    va_list ap;
    va_start(ap, bytes);
    for (int64_t d; (d = va_arg(ap, int)) >= 0;) pb_int(&t, 1, d);
    va_end(ap);
    pb_int(&t, 2, type);
    pb_text(&t, 8, name);
    if (data) pb_data(&t, 9, data, bytes);
    return t;
}

static inline struct pb pb_ints(const char *name, int n, const int64_t *v) /* an attribute */
{
    struct pb a = {0};
    pb_text(&a, 1, name);
    for (int i = 0; i < n; i++) pb_int(&a, 8, v[i]);
    pb_int(&a, 20, 7);
    return a;
}

static inline struct pb pb_attr_int(const char *name, int64_t v)
{
    struct pb a = {0};
    pb_text(&a, 1, name);
    pb_int(&a, 3, v);
    pb_int(&a, 20, 2);
    return a;
}

/* "Conv x w b > y": operator, inputs, outputs ("-" for one that is left out). */
static inline struct pb pb_node(const char *spec)
{
    struct pb n = {0};
    char copy[512], *save = NULL;
    int out = 0;
    strncpy(copy, spec, sizeof copy - 1);
    copy[sizeof copy - 1] = '\0';
    char *op = strtok_r(copy, " ", &save);
    for (char *w; (w = strtok_r(NULL, " ", &save));) {
        if (!strcmp(w, ">")) out = 1;
        else pb_text(&n, out ? 2 : 1, strcmp(w, "-") ? w : "");
    }
    pb_text(&n, 4, op);
    return n;
}

/* A value with a shape of n dimensions; -1: symbolic. */
static inline struct pb pb_value(const char *name, int n, const int *dims)
{
    struct pb v = {0}, type = {0}, tensor = {0}, shape = {0};
    for (int i = 0; i < n; i++) {
        struct pb d = {0};
        if (dims[i] >= 0) pb_int(&d, 1, dims[i]);
        else pb_text(&d, 2, "N");
        pb_add(&shape, 1, d);
    }
    pb_int(&tensor, 1, 1);
    pb_add(&tensor, 2, shape);
    pb_add(&type, 1, tensor);
    pb_text(&v, 1, name);
    pb_add(&v, 2, type);
    return v;
}

/* The model of a graph; the graph is freed. */
static inline struct pb pb_model(struct pb graph, int opset)
{
    struct pb m = {0}, o = {0};
    pb_int(&m, 1, 8);
    pb_int(&o, 2, opset);
    pb_add(&m, 7, graph);
    pb_add(&m, 8, o);
    return m;
}

/* A graph with image input x [N,c,h,w] and output y; nodes are specs, NULL at the end. */
static inline struct pb pb_graph(int c, int h, int w, ...)
{
    struct pb g = {0};
    int dims[4] = {-1, c, h, w};
    va_list ap;
    va_start(ap, w);
    for (const char *s; (s = va_arg(ap, const char *));) pb_add(&g, 1, pb_node(s));
    va_end(ap);
    pb_add(&g, 11, pb_value("x", 4, dims));
    pb_add(&g, 12, pb_value("y", 0, NULL));
    return g;
}

#endif
