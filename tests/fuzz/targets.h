/* What is fuzzed: each target takes any bytes and must neither crash, leak nor hang. tests/fuzz/fuzz.c runs one under
 * libFuzzer; tests/unit/damaged.c replays the inputs of tests/damaged. */
#ifndef FUZZ_TARGETS_H
#define FUZZ_TARGETS_H

#define _GNU_SOURCE /* memfd_create */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "face/landmarks.h"
#include "image/image.h"
#include "image/source.h"
#include "pair/pairs.h"
#include "net/graph/fold.h"
#include "net/import/import.h"
#include "net/model/model.h"
#include "net/run/net.h"
#include "stream/internal.h"
#include "stream/stream.h"

/* The bytes as a file; its name in path. */
static int file_of(const uint8_t *p, size_t n, char path[40])
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    for (size_t at = 0; at < n;) {
        ssize_t k = write(fd, p + at, n - at);
        if (k <= 0) abort();
        at += (size_t)k;
    }
    if (fd < 0 || lseek(fd, 0, SEEK_SET)) abort();
    snprintf(path, 40, "/proc/self/fd/%d", fd);
    return fd;
}

/* Every tensor within an object is looked at. */
static void visit(const msgpack_object *o)
{
    struct xfv_tensor t;
    if (o->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < o->via.array.size; i++) visit(&o->via.array.ptr[i]);
    if (o->type != MSGPACK_OBJECT_MAP) return;
    if (!xfv_tensor_from_object(o, &t, NULL)) {
        volatile uint8_t sum = 0;
        for (size_t i = 0; i < xfv_tensor_bytes(&t); i++) sum = (uint8_t)(sum + ((const uint8_t *)t.data)[i]);
    }
    for (uint32_t i = 0; i < o->via.map.size; i++) visit(&o->via.map.ptr[i].val);
}

static void fuzz_stream(const uint8_t *p, size_t n)
{
    char path[40];
    struct xfv_limits lim = {.max_record = 1 << 20, .max_depth = 16, .max_items = 1 << 14};
    struct xfv_reader *r = NULL;
    struct xfv_writer *w = NULL;
    struct xfv_rec *rec;
    struct xfv_err e = {0};
    int fd = file_of(p, n, path), out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (xfv_reader_open(&r, fd, 1, "input", &lim, &e) || xfv_writer_open(&w, out, &e)) abort();
    while (xfv_reader_next(r, &rec, &e) == 0) {
        visit(xfv_rec_root(rec));
        int status = xfv_rec_kind(rec) == XFV_HEAD ? xfv_writer_head(w, rec, NULL, NULL, &e)
                                                   : xfv_writer_put(w, rec, &e);
        if (status) abort(); /* what the reader takes, the writer takes */
        xfv_rec_free(rec);
    }
    xfv_writer_end(w, &e);
    xfv_writer_close(w);
    xfv_reader_close(r);
    close(out);
}

/* The objects of p and then the end record that makes a stream of them, so that what follows the checksum is reached.
 */
static uint8_t *with_end(const uint8_t *p, size_t n, size_t *m)
{
    struct xfv_limits lim = xfv_limits_default();
    struct xfv_scan s = {.lim = &lim};
    size_t at = 0, used, objects = 0;
    uint8_t *q = malloc(n + 64), *t;
    if (!q) abort();
    while (at < n && xfv_scan(&s, p + at, n - at, &used, NULL) == 1) {
        at += used;
        objects++;
        s = (struct xfv_scan){.lim = &lim};
    }
    memcpy(q, p, at);
    uint32_t v[2] = {(uint32_t)objects - 1, (uint32_t)crc32_z(0, p, at)};
    t = q + at;
    memcpy(t, "\x84\xa1_\xa3" "end\xa6" "errors\x00\xa7records", 23), t += 23;
    for (int i = 0; i < 2; i++) {
        *t++ = 0xce;
        for (int k = 24; k >= 0; k -= 8) *t++ = (uint8_t)(v[i] >> k);
        if (i == 0) memcpy(t, "\xa5" "crc32", 6), t += 6;
    }
    *m = (size_t)(t - q);
    return q;
}

static void run_graph(const struct xfv_graph *g, int out)
{
    struct xfv_net *net = NULL;
    struct xfv_err e = {0};
    size_t nx = xfv_shape_count(g->values[0].shape), ny = xfv_shape_count(g->values[out].shape);
    if (nx > 1 << 14 || ny > 1 << 14) return;
    for (int i = 0; i < g->n_values; i++)
        if (xfv_shape_count(g->values[i].shape) > 1 << 16) return;
    if (xfv_net_new(g, 0, &out, 1, &net, &e)) return;
    struct xfv_ws *ws = xfv_ws_new();
    float *x = calloc(nx + 1, sizeof *x), *y = calloc(ny + 1, sizeof *y);
    if (ws && x && y) xfv_net_forward(net, ws, NULL, 1, x, &y, &e);
    free(x);
    free(y);
    xfv_ws_free(ws);
    xfv_net_free(net);
}

static void fuzz_model(const uint8_t *p, size_t n)
{
    for (int whole = 0; whole < 2; whole++) {
        char path[40];
        size_t m = n;
        uint8_t *q = whole ? with_end(p, n, &m) : NULL;
        int fd = file_of(whole ? q : p, m, path);
        struct xfv_model *model = NULL;
        struct xfv_err e = {0};
        if (!xfv_model_load(path, &model, &e) && model->embedding >= 0) run_graph(model->graph, model->embedding);
        xfv_model_free(model);
        close(fd);
        free(q);
    }
}

static void import(int (*f)(const uint8_t *, size_t, const struct xfv_import_opts *, struct xfv_graph **,
                            struct xfv_err *),
                   const uint8_t *p, size_t n)
{
    struct xfv_graph *g = NULL;
    struct xfv_err e = {0};
    uint8_t *copy = malloc(n ? n : 1); /* of exactly n bytes, so that reading past it shows */
    if (!copy) abort();
    if (n) memcpy(copy, p, n);
    if (f(copy, n, NULL, &g, &e) == 0 && xfv_fold(&g, NULL, NULL, &e) == 0 && g->n_outputs > 0)
        run_graph(g, g->outputs[0]);
    xfv_graph_free(g);
    free(copy);
}

static void fuzz_tflite(const uint8_t *p, size_t n) { import(xfv_import_tflite, p, n); }
static void fuzz_onnx(const uint8_t *p, size_t n) { import(xfv_import_onnx, p, n); }

/* JSON, a zero byte, and the bytes of the one shard, w.bin, in a folder of its own. */
static void fuzz_tfjs(const uint8_t *p, size_t n)
{
#ifdef XFV_WITH_JANSSON
    char folder[] = "/tmp/xfv-fuzz-XXXXXX", path[80];
    const uint8_t *end = n ? memchr(p, 0, n) : NULL;
    size_t length = end ? (size_t)(end - p) : n;
    if (!mkdtemp(folder)) abort();
    snprintf(path, sizeof path, "%s/w.bin", folder);
    FILE *f = fopen(path, "wb");
    if (!f || (end && fwrite(end + 1, 1, n - length - 1, f) != n - length - 1) || fclose(f)) abort();
    struct xfv_import_opts opts = {.folder = folder};
    struct xfv_graph *g = NULL;
    struct xfv_err e = {0};
    uint8_t *copy = malloc(length ? length : 1);
    if (!copy) abort();
    if (length) memcpy(copy, p, length);
    if (xfv_import_tfjs(copy, length, &opts, &g, &e) == 0 && xfv_fold(&g, NULL, NULL, &e) == 0 && g->n_outputs > 0)
        run_graph(g, g->outputs[0]);
    xfv_graph_free(g);
    free(copy);
    unlink(path);
    rmdir(folder);
#else
    (void)p, (void)n;
#endif
}

static void fuzz_image(const uint8_t *p, size_t n)
{
    char path[40];
    struct xfv_decode_opts o = {.max_pixels = 1 << 18};
    struct xfv_image im = {0};
    struct xfv_raw_image raw = {0};
    struct xfv_image_source *s = NULL;
    struct xfv_err e = {0};
    xfv_image_decode(p, n, &o, &im, NULL, &e);
    xfv_image_clear(&im);
    int fd = file_of(p, n, path);
    if (!xfv_image_source_open(&s, path, &e)) {
        for (int i = 0; i < 8 && !xfv_image_source_next(s, &o, &raw, &e); i++) {
            o.min_side_hint = 20;
            if (!raw.im.data) xfv_image_decode(raw.bytes, raw.n, &o, &raw.im, NULL, &e);
            xfv_raw_image_clear(&raw);
        }
        xfv_raw_image_clear(&raw);
    }
    xfv_image_source_close(s);
    close(fd);
}

static void fuzz_lists(const uint8_t *p, size_t n)
{
    struct xfv_pair_list l;
    struct xfv_landmarks marks = {0};
    struct xfv_err e = {0};
    char *text = malloc(n + 1);
    if (!text) abort();
    if (n) memcpy(text, p, n);
    text[n] = '\0';
    if (!xfv_pair_list_parse("list", text, &l, &e)) xfv_pair_list_clear(&l);
    free(text);
    FILE *f = n ? fmemopen((void *)(uintptr_t)p, n, "r") : NULL;
    if (!f) return;
    xfv_landmarks_read(f, "landmarks", &marks, &e);
    xfv_landmarks_clear(&marks);
    fclose(f);
}

static const struct fuzz_target {
    const char *name;
    void (*run)(const uint8_t *p, size_t n);
} fuzz_targets[] = {{"stream", fuzz_stream}, {"model", fuzz_model}, {"tflite", fuzz_tflite},
                    {"onnx", fuzz_onnx},     {"tfjs", fuzz_tfjs},   {"image", fuzz_image},
                    {"lists", fuzz_lists}};
enum { FUZZ_TARGETS = sizeof fuzz_targets / sizeof *fuzz_targets };

#endif
