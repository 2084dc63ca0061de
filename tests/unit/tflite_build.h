/* Writes small TFLite files for tests: tables front to back, each with its own vtable, so that every offset points
 * forward. */
#ifndef TESTS_TFLITE_BUILD_H
#define TESTS_TFLITE_BUILD_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TFLITE_MAX = 65536, T_F32 = 0, T_F16 = 1, T_I32 = 2, T_U8 = 3, T_I8 = 9 };

struct tflite_file { uint8_t p[TFLITE_MAX]; size_t n; };

struct tflite_model {
    int n_tensors, n_ops, input, output;
    struct {
        const char *name;
        int type, rank, dim[4];
        const void *data;
        size_t bytes;
        int n_scales, along;
        float scale[4];
        int64_t zero[4];
    } t[64];
    struct { int code, in[4], n_in, out, n_options, options[8], out2; } op[64]; /* out2: a second output, 0: none */
};

static inline void put32(struct tflite_file *f, size_t at, uint32_t v)
{
    for (size_t i = 0; i < 4; i++) f->p[at + i] = (uint8_t)(v >> (8 * i));
}
static inline void put16(struct tflite_file *f, size_t at, uint32_t v)
{
    f->p[at] = (uint8_t)v, f->p[at + 1] = (uint8_t)(v >> 8);
}

/* A table of n fields of four bytes each, zero; the position of the first field. */
static inline size_t table(struct tflite_file *f, int n)
{
    while (f->n % 4 != (n % 2 ? 2 : 0)) f->n++; /* so that the table, after its vtable of 4 + 2n bytes, is aligned */
    size_t vt = f->n, at = vt + 4 + 2 * (size_t)n;
    put16(f, vt, (uint32_t)(4 + 2 * n));
    put16(f, vt + 2, (uint32_t)(4 + 4 * n));
    for (int i = 0; i < n; i++) put16(f, vt + 4 + 2 * (size_t)i, (uint32_t)(4 + 4 * i));
    put32(f, at, (uint32_t)(at - vt));
    f->n = at + 4 + 4 * (size_t)n;
    return at + 4;
}
static inline void point(struct tflite_file *f, size_t from, size_t to) { put32(f, from, (uint32_t)(to - from)); }
static inline void point_table(struct tflite_file *f, size_t from, size_t fields) { point(f, from, fields - 4); }

/* A vector of n elements of `size` bytes for the field at `from`, 8-byte aligned data; the position of the first
 * element. */
static inline size_t vector(struct tflite_file *f, size_t from, size_t n, size_t size, const void *data)
{
    while (f->n % 8 != 4) f->n++;
    point(f, from, f->n);
    put32(f, f->n, (uint32_t)n);
    size_t at = f->n + 4;
    if (data) memcpy(f->p + at, data, n * size);
    f->n = at + n * size;
    return at;
}

static inline int tensor(struct tflite_model *m, const char *name, int type, int rank, int a, int b, int c, int d,
                         const void *data, size_t bytes)
{
    int i = m->n_tensors++;
    m->t[i].name = name, m->t[i].type = type, m->t[i].rank = rank, m->t[i].data = data, m->t[i].bytes = bytes;
    m->t[i].dim[0] = a, m->t[i].dim[1] = b, m->t[i].dim[2] = c, m->t[i].dim[3] = d;
    return i;
}

/* in: up to three tensors, -1 for none; options: the values of the option table's fields, in order */
static inline int op(struct tflite_model *m, int code, int in0, int in1, int in2, int out, int n_options,
                     const int *options)
{
    int i = m->n_ops++;
    m->op[i].code = code, m->op[i].in[0] = in0, m->op[i].in[1] = in1, m->op[i].in[2] = in2, m->op[i].out = out,
    m->op[i].n_options = n_options;
    m->op[i].n_in = in2 >= 0 ? 3 : in1 >= 0 ? 2 : 1;
    if (n_options) memcpy(m->op[i].options, options, (size_t)n_options * sizeof *options);
    return m->output = out;
}

static inline void write_tensors(struct tflite_file *f, const struct tflite_model *m, size_t from)
{
    size_t list = vector(f, from, (size_t)m->n_tensors, 4, NULL);
    for (int i = 0; i < m->n_tensors; i++) { /* fields: shape, type, buffer, name, quantisation */
        size_t t = table(f, m->t[i].n_scales ? 5 : 4);
        point_table(f, list + 4 * (size_t)i, t);
        put32(f, t + 4, (uint32_t)m->t[i].type);
        put32(f, t + 8, (uint32_t)(m->t[i].data ? i + 1 : 0));
        vector(f, t, (size_t)m->t[i].rank, 4, m->t[i].dim);
        vector(f, t + 12, strlen(m->t[i].name), 1, m->t[i].name);
        f->n++; /* a string ends with NUL */
        if (!m->t[i].n_scales) continue;
        size_t q = table(f, 7); /* min, max, scale, zero point, two more, dimension */
        point_table(f, t + 16, q);
        put32(f, q + 24, (uint32_t)m->t[i].along);
        size_t own = (size_t)m->t[i].n_scales;
        for (int k = 0; k < 6; k++) /* every field is there: empty vectors for those that say nothing */
            if (k != 4)
                vector(f, q + 4 * (size_t)k, k == 2 || k == 3 ? own : 0, k == 3 ? 8 : 4,
                       k == 2 ? (const void *)m->t[i].scale : (const void *)m->t[i].zero);
        put32(f, q + 16, 0);
    }
}

static inline void write_ops(struct tflite_file *f, const struct tflite_model *m, size_t from)
{
    size_t list = vector(f, from, (size_t)m->n_ops, 4, NULL);
    for (int i = 0; i < m->n_ops; i++) { /* fields: opcode index, inputs, outputs, kind of options, options */
        size_t t = table(f, 5);
        point_table(f, list + 4 * (size_t)i, t);
        put32(f, t, (uint32_t)i);
        vector(f, t + 4, (size_t)m->op[i].n_in, 4, m->op[i].in);
        const int outs[2] = {m->op[i].out, m->op[i].out2};
        vector(f, t + 8, m->op[i].out2 ? 2 : 1, 4, outs);
        size_t o = table(f, m->op[i].n_options);
        point_table(f, t + 16, o);
        for (int k = 0; k < m->op[i].n_options; k++) put32(f, o + 4 * (size_t)k, (uint32_t)m->op[i].options[k]);
    }
}

static inline void write_tflite(struct tflite_file *f, const struct tflite_model *m)
{
    memset(f, 0, sizeof *f);
    memcpy(f->p + 4, "TFL3", 4);
    f->n = 8;
    size_t root = table(f, 5); /* version, operator codes, subgraphs, description, buffers */
    point_table(f, 0, root);
    put32(f, root, 3);
    size_t codes = vector(f, root + 4, (size_t)m->n_ops, 4, NULL);
    for (int i = 0; i < m->n_ops; i++) {
        size_t c = table(f, 4); /* old code, custom, version, code */
        point_table(f, codes + 4 * (size_t)i, c);
        put32(f, c, (uint32_t)(m->op[i].code < 127 ? m->op[i].code : 127));
        vector(f, c + 4, 0, 1, NULL);
        put32(f, c + 12, (uint32_t)m->op[i].code);
    }
    vector(f, root + 12, 4, 1, "test");
    size_t subgraphs = vector(f, root + 8, 1, 4, NULL), s = table(f, 4); /* tensors, inputs, outputs, operators */
    point_table(f, subgraphs, s);
    write_tensors(f, m, s);
    vector(f, s + 4, 1, 4, &m->input);
    vector(f, s + 8, 1, 4, &m->output);
    write_ops(f, m, s + 12);
    size_t buffers = vector(f, root + 16, (size_t)m->n_tensors + 1, 4, NULL);
    for (int i = 0; i <= m->n_tensors; i++) {
        size_t b = table(f, 1);
        point_table(f, buffers + 4 * (size_t)i, b);
        vector(f, b, i ? m->t[i - 1].bytes : 0, 1, i && m->t[i - 1].bytes ? m->t[i - 1].data : NULL);
    }
}

#endif
