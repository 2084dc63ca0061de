/* xfv-json: a stream as JSON Lines, for eyes and jq. Layout of the output: xfv-json(1). */
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/json.h"

struct json {
    FILE *f;
    int data; /* --data: the numbers of tensors, too */
};

/* ---- numbers ---- */

/* One element of a tensor as a number: *i for integer types, *r for real ones. p may be unaligned. */
static void element(enum xfv_dtype t, const unsigned char *p, int64_t *i, double *r)
{
    union { int8_t i8; uint16_t u16; int16_t i16; int32_t i32; float f32; } u;
    float f;
    memcpy(&u, p, xfv_dtype_size(t) < sizeof u ? xfv_dtype_size(t) : sizeof u);
    switch (t) {
    case XFV_U8: *i = *p; break;
    case XFV_I8: *i = u.i8; break;
    case XFV_U16: *i = u.u16; break;
    case XFV_I16: *i = u.i16; break;
    case XFV_I32: *i = u.i32; break;
    case XFV_I64: memcpy(i, p, sizeof *i); break;
    case XFV_F16: xfv_f32_from_f16(&u.u16, &f, 1), *r = (double)f; break;
    case XFV_F32: *r = (double)u.f32; break;
    case XFV_F64: memcpy(r, p, sizeof *r); break;
    default: break;
    }
}

static int is_real(enum xfv_dtype t)
{
    return t == XFV_F16 || t == XFV_F32 || t == XFV_F64;
}

static void put_element(FILE *f, enum xfv_dtype t, int64_t i, double r)
{
    if (is_real(t))
        xfv_json_real(f, r, t != XFV_F64);
    else
        fprintf(f, "%lld", (long long)i);
}

/* "min", "max" and "mean" over the finite elements (null when there are none), and "nonfinite" when others are among
 * them. */
static void put_summary(FILE *f, const struct xfv_tensor *t)
{
    size_t n = xfv_tensor_count(t), size = xfv_dtype_size(t->dtype), finite = 0;
    int64_t i = 0, imin = INT64_MAX, imax = INT64_MIN;
    double r = 0, rmin = INFINITY, rmax = -INFINITY, sum = 0, scaled = 0;
    int real = is_real(t->dtype);
    for (size_t k = 0; k < n; k++) {
        element(t->dtype, (const unsigned char *)t->data + k * size, &i, &r);
        double v = real ? r : (double)i;
        if (!isfinite(v)) continue;
        finite++;
        sum += v;
        scaled += v * 0x1p-64; /* stays finite where a sum of very large doubles does not */
        if (i < imin) imin = i;
        if (i > imax) imax = i;
        if (r < rmin) rmin = r;
        if (r > rmax) rmax = r;
    }
    double mean = isfinite(sum) ? sum / (double)finite : scaled / (double)finite * 0x1p64;
    fputs(",\"min\":", f);
    finite ? put_element(f, t->dtype, imin, rmin) : xfv_json_real(f, NAN, 0);
    fputs(",\"max\":", f);
    finite ? put_element(f, t->dtype, imax, rmax) : xfv_json_real(f, NAN, 0);
    fputs(",\"mean\":", f);
    xfv_json_real(f, finite ? mean : (double)NAN, 0);
    if (finite < n) fprintf(f, ",\"nonfinite\":%zu", n - finite);
}

static void put_numbers(FILE *f, const struct xfv_tensor *t)
{
    size_t n = xfv_tensor_count(t), size = xfv_dtype_size(t->dtype);
    int64_t i = 0;
    double r = 0;
    fputs(",\"data\":[", f);
    for (size_t k = 0; k < n; k++) {
        element(t->dtype, (const unsigned char *)t->data + k * size, &i, &r);
        if (k) fputc(',', f);
        put_element(f, t->dtype, i, r);
    }
    fputc(']', f);
}

/* ---- objects ---- */

static void put_object(const struct json *j, const msgpack_object *o);

static void put_map(const struct json *j, const msgpack_object *o)
{
    struct xfv_tensor t;
    int tensor = xfv_map_get(o, "dtype") && xfv_tensor_from_object(o, &t, NULL) == 0, first = 1;
    fputc('{', j->f);
    for (uint32_t i = 0; i < o->via.map.size; i++) {
        const msgpack_object_kv *kv = &o->via.map.ptr[i];
        if (tensor && &kv->val == xfv_map_get(o, "data")) continue;
        if (!first) fputc(',', j->f);
        first = 0;
        xfv_json_text(j->f, kv->key.via.str.ptr, kv->key.via.str.size);
        fputc(':', j->f);
        put_object(j, &kv->val);
    }
    if (tensor) put_summary(j->f, &t);
    if (tensor && j->data) put_numbers(j->f, &t);
    fputc('}', j->f);
}

static void put_object(const struct json *j, const msgpack_object *o)
{
    switch (o->type) {
    case MSGPACK_OBJECT_BOOLEAN: fputs(o->via.boolean ? "true" : "false", j->f); break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER: fprintf(j->f, "%llu", (unsigned long long)o->via.u64); break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER: fprintf(j->f, "%lld", (long long)o->via.i64); break;
    case MSGPACK_OBJECT_FLOAT32: xfv_json_real(j->f, o->via.f64, 1); break;
    case MSGPACK_OBJECT_FLOAT64: xfv_json_real(j->f, o->via.f64, 0); break;
    case MSGPACK_OBJECT_STR: xfv_json_text(j->f, o->via.str.ptr, o->via.str.size); break;
    case MSGPACK_OBJECT_BIN: fprintf(j->f, "{\"bytes\":%u}", o->via.bin.size); break;
    case MSGPACK_OBJECT_EXT: fprintf(j->f, "{\"ext\":%d,\"bytes\":%u}", o->via.ext.type, o->via.ext.size); break;
    case MSGPACK_OBJECT_MAP: put_map(j, o); break;
    case MSGPACK_OBJECT_ARRAY:
        fputc('[', j->f);
        for (uint32_t i = 0; i < o->via.array.size; i++) {
            if (i) fputc(',', j->f);
            put_object(j, &o->via.array.ptr[i]);
        }
        fputc(']', j->f);
        break;
    default: fputs("null", j->f); break;
    }
}

/* ---- the program ---- */

/* Every record of one input; flushed one by one, so that `| jq` can follow a running pipeline. */
static int show(const struct json *j, struct xfv_reader *in, struct xfv_err *e)
{
    struct xfv_rec *rec;
    int status;
    while ((status = xfv_reader_next(in, &rec, e)) == 0) {
        put_object(j, xfv_rec_root(rec));
        fputc('\n', j->f);
        xfv_rec_free(rec);
        if (fflush(j->f) || ferror(j->f)) return xfv_fail(e, XFV_EIO, "cannot write");
    }
    return status == XFV_EOF ? 0 : status;
}

static int show_file(struct xfv_cli *c, const struct json *j, const char *name, struct xfv_err *e)
{
    int is_stdin = strcmp(name, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return xfv_fail(e, XFV_EIO, "cannot open '%s'", name);
    struct xfv_reader *in;
    int status = xfv_reader_open(&in, fd, !is_stdin, is_stdin ? "standard input" : name, xfv_cli_limits(c), e);
    if (status) {
        if (!is_stdin) close(fd);
        return status;
    }
    xfv_reader_show_ends(in, 1);
    status = show(j, in, e);
    xfv_reader_close(in);
    return status;
}

int main(int argc, char **argv)
{
    static struct json j;
    static const struct xfv_opt opts[] = {
        {"data", 'd', NULL, "print the numbers of tensors, too, as one flat list",
         0, XFV_TO_FLAG(struct json, data, 1)},
        {0},
    };
    static const struct xfv_program program = {
        .name = "xfv-json",
        .summary = "print a stream of records, or a model, as JSON Lines",
        .operands = "[FILE]...",
        .example = "verify faces.xfv | xfv-json | jq -c 'select(._ == \"pair\") | [.a.id, .b.id, .score, .accept]'",
        .flags = XFV_READS_STREAM,
        .opts = opts,
        .ctx = &j,
    };
    int exit_status, status = 0;
    struct xfv_err e = {0};
    struct xfv_cli *c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!c) return exit_status;
    char **names;
    int n = xfv_cli_operands(c, &names);
    j.f = xfv_cli_out_file(c, &e);
    if (!j.f) return xfv_cli_finish(c, &e, 0);
    if (n == 0) status = show_file(c, &j, "-", &e);
    for (int i = 0; i < n && status == 0; i++) status = show_file(c, &j, names[i], &e);
    return xfv_cli_finish(c, status ? &e : NULL, XFV_EXIT_OK);
}
