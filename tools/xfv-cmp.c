/* xfv-cmp: are two streams the same, numbers within a tolerance? See xfv-cmp(1). */
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "cli/cli.h"

struct cmp {
    struct xfv_cli *c;
    double rtol, atol;
    int most;           /* differences printed */
    uint64_t differences, record;
    FILE *out;
    char where[512];    /* the key at hand, "/maps/0/a/similarity" */
};

static void differ(struct cmp *t, const struct xfv_rec *r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void differ(struct cmp *t, const struct xfv_rec *r, const char *fmt, ...)
{
    va_list ap;
    const char *id = "";
    size_t n = 0;
    char shown[200], text[600];
    if (t->differences++ >= (uint64_t)t->most) return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (r && xfv_get_str(xfv_rec_map(r), "id", &id, &n, NULL)) n = 0;
    xfv_escape(shown, sizeof shown, id, n);
    fprintf(t->out, "record %llu%s%s%s: %s%s%s\n", (unsigned long long)t->record, n ? " (" : "", shown, n ? ")" : "",
            t->where, *t->where ? ": " : "", text);
}

/* ---- numbers ---- */

static int close_enough(const struct cmp *t, double a, double b)
{
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    if (a == b) return 1; /* also two infinities */
    return fabs(a - b) <= t->atol + t->rtol * fabs(b);
}

static double element(enum xfv_dtype type, const unsigned char *p)
{
    union { int8_t i8; uint16_t u16; int16_t i16; int32_t i32; int64_t i64; float f32; double f64; } u;
    float f;
    memcpy(&u, p, xfv_dtype_size(type));
    switch (type) {
    case XFV_U8: return *p;
    case XFV_I8: return u.i8;
    case XFV_U16: return u.u16;
    case XFV_I16: return u.i16;
    case XFV_I32: return u.i32;
    case XFV_I64: return (double)u.i64;
    case XFV_F16: xfv_f32_from_f16(&u.u16, &f, 1); return (double)f;
    case XFV_F32: return (double)u.f32;
    default: return u.f64;
    }
}

static void compare_tensors(struct cmp *t, const struct xfv_rec *r, const struct xfv_tensor *a,
                            const struct xfv_tensor *b)
{
    size_t n = xfv_tensor_count(a), size = xfv_dtype_size(a->dtype), bad = 0, at = 0;
    double worst = -1;
    if (a->dtype != b->dtype || a->ndim != b->ndim ||
        memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape) != 0) {
        differ(t, r, "tensors of different type or shape");
        return;
    }
    if (n == 0 || memcmp(a->data, b->data, n * size) == 0) return;
    const unsigned char *pa = a->data, *pb = b->data;
    for (size_t i = 0; i < n; i++) {
        double x = element(a->dtype, pa + i * size), y = element(b->dtype, pb + i * size), d = fabs(x - y);
        if (close_enough(t, x, y)) continue;
        bad++;
        if (!isfinite(d)) d = INFINITY;
        if (d > worst) worst = d, at = i;
    }
    if (bad)
        differ(t, r, "%zu of %zu numbers differ, the most at place %zu: %.9g and %.9g", bad, n, at,
               element(a->dtype, pa + at * size), element(b->dtype, pb + at * size));
}

/* ---- objects ---- */

static int is_number(const msgpack_object *o)
{
    return o->type == MSGPACK_OBJECT_FLOAT32 || o->type == MSGPACK_OBJECT_FLOAT64 ||
           o->type == MSGPACK_OBJECT_POSITIVE_INTEGER || o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
}

static double number(const msgpack_object *o)
{
    if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER) return (double)o->via.u64;
    return o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ? (double)o->via.i64 : o->via.f64;
}

static void compare(struct cmp *t, const struct xfv_rec *r, const msgpack_object *a, const msgpack_object *b);

/* Go one key deeper; the way there is cut when it is long. */
static size_t enter(struct cmp *t, const char *key, size_t n)
{
    size_t old = strlen(t->where);
    char shown[100];
    xfv_escape(shown, sizeof shown, key, n);
    snprintf(t->where + old, sizeof t->where - old, "/%s", shown);
    return old;
}

/* The value of this key, of whatever length; or NULL. */
static const msgpack_object *value_of(const msgpack_object_map *m, const msgpack_object *key)
{
    for (uint32_t i = 0; i < m->size; i++)
        if (msgpack_object_equal(m->ptr[i].key, *key)) return &m->ptr[i].val;
    return NULL;
}

static int is_provenance(const struct cmp *t, const msgpack_object_str *key)
{
    static const char name[] = "provenance";
    return t->record == 0 && !*t->where && key->size == sizeof name - 1 && !memcmp(key->ptr, name, sizeof name - 1);
}

/* Keys may come in any order; compare those of a, then look for those that only b has. */
static void compare_maps(struct cmp *t, const struct xfv_rec *r, const msgpack_object *a, const msgpack_object *b)
{
    struct xfv_tensor ta, tb;
    if (xfv_map_get(a, "dtype") && xfv_map_get(b, "dtype") && !xfv_tensor_from_object(a, &ta, NULL) &&
        !xfv_tensor_from_object(b, &tb, NULL)) {
        compare_tensors(t, r, &ta, &tb);
        return;
    }
    for (int side = 0; side < 2; side++) {
        const msgpack_object_map *m = side ? &b->via.map : &a->via.map, *other = side ? &a->via.map : &b->via.map;
        for (uint32_t i = 0; i < m->size; i++) {
            const msgpack_object *key = &m->ptr[i].key, *v = value_of(other, key);
            if (is_provenance(t, &key->via.str)) continue;
            size_t old = enter(t, key->via.str.ptr, key->via.str.size);
            if (!v) differ(t, r, "only in the %s", side ? "second" : "first");
            else if (!side) compare(t, r, &m->ptr[i].val, v);
            t->where[old] = '\0';
        }
    }
}

static void compare_arrays(struct cmp *t, const struct xfv_rec *r, const msgpack_object_array *a,
                           const msgpack_object_array *b)
{
    if (a->size != b->size) differ(t, r, "%u and %u elements", a->size, b->size);
    for (uint32_t i = 0; i < a->size && i < b->size; i++) {
        char k[16];
        int n = snprintf(k, sizeof k, "%u", i);
        size_t old = enter(t, k, (size_t)n);
        compare(t, r, &a->ptr[i], &b->ptr[i]);
        t->where[old] = '\0';
    }
}

static void compare(struct cmp *t, const struct xfv_rec *r, const msgpack_object *a, const msgpack_object *b)
{
    if (is_number(a) && is_number(b)) {
        if (!close_enough(t, number(a), number(b))) differ(t, r, "%.9g and %.9g", number(a), number(b));
    } else if (a->type == MSGPACK_OBJECT_MAP && b->type == MSGPACK_OBJECT_MAP) {
        compare_maps(t, r, a, b);
    } else if (a->type == MSGPACK_OBJECT_ARRAY && b->type == MSGPACK_OBJECT_ARRAY) {
        compare_arrays(t, r, &a->via.array, &b->via.array);
    } else if (!msgpack_object_equal(*a, *b)) {
        differ(t, r, "different values");
    }
}

/* ---- the program ---- */

static int open_reader(struct cmp *t, const char *name, struct xfv_reader **r, struct xfv_err *e)
{
    int is_stdin = !strcmp(name, "-"), fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return xfv_fail(e, XFV_EIO, "cannot open '%s'", name);
    int status = xfv_reader_open(r, fd, !is_stdin, is_stdin ? "standard input" : name, xfv_cli_limits(t->c), e);
    if (status && !is_stdin) close(fd);
    return status;
}

/* The rest of the longer stream: is it whole? */
static int drain(struct xfv_reader *r, struct xfv_err *e)
{
    struct xfv_rec *rec;
    int status;
    while ((status = xfv_reader_next(r, &rec, e)) == 0) xfv_rec_free(rec);
    return status == XFV_EOF ? 0 : status;
}

/* Records of both in step; a head counts as record 0 of its segment. */
static int compare_streams(struct cmp *t, struct xfv_reader *ra, struct xfv_reader *rb, struct xfv_err *e)
{
    for (uint64_t n = 0;;) {
        struct xfv_rec *a = NULL, *b = NULL;
        int sa = xfv_reader_next(ra, &a, e), sb = sa < 0 && sa != XFV_EOF ? sa : xfv_reader_next(rb, &b, e), status = 0;
        if (sa && sa != XFV_EOF) status = sa;
        else if (sb && sb != XFV_EOF) status = sb;
        int both = !status && a && b, heads = both && xfv_rec_kind(a) == XFV_HEAD && xfv_rec_kind(b) == XFV_HEAD;
        t->record = heads ? 0 : ++n;
        if (both) compare(t, a, xfv_rec_map(a), xfv_rec_map(b));
        else if (!status && (a || b)) differ(t, a ? a : b, "the %s stream ends here", a ? "second" : "first");
        struct xfv_reader *longer = a ? ra : b ? rb : NULL;
        xfv_rec_free(a);
        xfv_rec_free(b);
        if (status || !longer) return status;
        if (!both) return drain(longer, e);
    }
}

static int run(struct cmp *t, struct xfv_err *e)
{
    char **names;
    int n = xfv_cli_operands(t->c, &names);
    struct xfv_reader *a = NULL, *b = NULL;
    if (n == 0) return xfv_fail(e, XFV_EARG, "no input: name two streams");
    if (n != 2) return xfv_fail(e, XFV_EARG, "expected two streams, got %d", n);
    if (!strcmp(names[0], "-") && !strcmp(names[1], "-"))
        return xfv_fail(e, XFV_EARG, "standard input ('-') can be read only once");
    t->out = xfv_cli_out_file(t->c, e);
    if (!t->out) return e->status;
    int status = open_reader(t, names[0], &a, e);
    if (!status) status = open_reader(t, names[1], &b, e);
    if (!status) status = compare_streams(t, a, b, e);
    xfv_reader_close(a);
    xfv_reader_close(b);
    if (!status && t->differences > (uint64_t)t->most)
        fprintf(t->out, "and %llu more\n", (unsigned long long)(t->differences - (uint64_t)t->most));
    if (!status && t->differences) xfv_cli_some_failed(t->c);
    return status;
}

int main(int argc, char **argv)
{
    static struct cmp t = {.most = 20};
    static const struct xfv_opt opts[] = {
        {"rtol", 0, "X", "numbers may differ by X times the second one (default 0)",
         0, XFV_TO_F64(struct cmp, rtol, 0, 1e9)},
        {"atol", 0, "X", "and by X more (default 0)", 0, XFV_TO_F64(struct cmp, atol, 0, 1e30)},
        {"lines", 'n', "N", "print the first N differences (default 20)", 0, XFV_TO_INT(struct cmp, most, 0, 1000000)},
        {0},
    };
    static const struct xfv_program program = {
        .name = "xfv-cmp",
        .summary = "Compare two streams record by record, numbers within a tolerance; status 1 when they differ.",
        .operands = "FILE FILE",
        .example = "fggb-grad pairs.xfv | xfv-cmp --rtol 1e-4 --atol 1e-7 - expected.xfv",
        .flags = XFV_READS_STREAM,
        .opts = opts,
        .ctx = &t,
    };
    struct xfv_err e = {0};
    int exit_status;
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    return xfv_cli_finish(t.c, run(&t, &e) ? &e : NULL, XFV_EXIT_OK);
}
