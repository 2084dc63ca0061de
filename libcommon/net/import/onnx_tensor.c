/* ONNX files: constants as they are stored, inline or in another file beside the model. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/grow.h"
#include "base/replaced.h"
#include "net/import/beside.h"
#include "net/import/onnx_internal.h"
#include "stream/tensor.h"

static size_t size_of(int type)
{
    switch (type) {
    case ONX_U8: case ONX_I8: case ONX_BOOL: return 1;
    case ONX_U16: case ONX_I16: case ONX_F16: case ONX_BF16: return 2;
    case ONX_U4: case ONX_I4: return 1; /* two share a byte: see stored_bytes */
    case ONX_F32: case ONX_I32: case ONX_U32: return 4;
    case ONX_I64: case ONX_F64: case ONX_U64: return 8;
    default: return 0;
    }
}

int xfv_onx_is_float(int type) { return type == ONX_F32 || type == ONX_F16 || type == ONX_F64 || type == ONX_BF16; }

size_t xfv_onx_count(struct onx_dims s)
{
    size_t n = 1;
    for (int i = 0; i < s.rank; i++) {
        if (s.dim[i] <= 0 || (uint64_t)s.dim[i] > XFV_MAX_ELEMENTS / n) return 0;
        n *= (size_t)s.dim[i];
    }
    return n;
}

struct onx_const *xfv_onx_const_new(struct onx *o, struct onx_dims s, int whole)
{
    struct onx_const *c = calloc(1, sizeof *c);
    size_t n = 1;
    for (int i = 0; i < s.rank; i++) n = s.dim[i] == 0 ? 0 : n; /* empty lists exist: the axes of a scalar's shape */
    if (n) n = xfv_onx_count(s);
    size_t bytes = n * (whole ? sizeof *c->i : sizeof *c->f);
    if (o->live + bytes > ONX_ROOM + 4 * o->file_bytes) {
        free(c);
        ONX_BAD("constants that the file computes would take %zu MB, and the file has %zu kB: refused",
                (o->live + bytes) >> 20, o->file_bytes >> 10);
        return NULL;
    }
    if (c) {
        c->s = s;
        c->count = n;
        c->bytes = bytes;
        c->live = &o->live;
        c->type = whole ? ONX_I64 : ONX_F32;
        if (whole) c->i = calloc(n ? n : 1, sizeof *c->i);
        else c->f = calloc(n ? n : 1, sizeof *c->f);
        if (c->i || c->f) {
            o->live += bytes;
            return c;
        }
    }
    free(c);
    xfv_fail(o->e, XFV_ENOMEM, "out of memory for a constant of %zu numbers", n);
    return NULL;
}

void xfv_onx_const_free(struct onx_const *c)
{
    if (!c) return;
    *c->live -= c->bytes;
    free(c->i);
    free(c->f);
    free(c);
}

double xfv_onx_const_at(const struct onx_const *c, size_t i)
{
    return c->i ? (double)c->i[i] : (double)c->f[i];
}

/* ---- decoding ---- */

static uint64_t bits_at(const uint8_t *p, size_t size)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++) v |= (uint64_t)p[i] << 8 * i;
    return v;
}

static float float_from(int type, uint64_t bits)
{
    uint16_t half = (uint16_t)bits;
    uint32_t word = type == ONX_BF16 ? (uint32_t)half << 16 : (uint32_t)bits;
    float f;
    double d;
    if (type == ONX_F16) {
        xfv_f32_from_f16(&half, &f, 1);
        return f;
    }
    if (type == ONX_F64) {
        memcpy(&d, &bits, sizeof d);
        return (float)d;
    }
    memcpy(&f, &word, sizeof f);
    return f;
}

static int64_t whole_from(int type, uint64_t bits)
{
    switch (type) {
    case ONX_I8: return (int8_t)bits;
    case ONX_I16: return (int16_t)bits;
    case ONX_I32: return (int32_t)bits;
    case ONX_I4: return (int64_t)((bits & 15) ^ 8) - 8;
    default: return (int64_t)bits;
    }
}

static int halves(int type) { return type == ONX_U4 || type == ONX_I4; }

static size_t stored_bytes(int type, size_t n) { return halves(type) ? n / 2 + n % 2 : n * size_of(type); }

static void decode_raw(struct onx_const *c, int type, const uint8_t *p)
{
    size_t size = size_of(type);
    for (size_t k = 0; k < c->count; k++) {
        uint64_t bits = halves(type) ? (uint64_t)p[k / 2] >> 4 * (k % 2) & 15 : bits_at(p + k * size, size);
        if (c->f) c->f[k] = float_from(type, bits);
        else c->i[k] = whole_from(type, bits);
    }
}

static int decode_typed(struct onx *o, const onx_proto *p, const char *name, int type, struct onx_const *c)
{
    size_t n = c->count, have = type == ONX_F32                      ? p->n_float_data
                                : type == ONX_F64                    ? p->n_double_data
                                : type == ONX_I64                    ? p->n_int64_data
                                : type == ONX_U32 || type == ONX_U64 ? p->n_uint64_data
                                                                     : p->n_int32_data;
    if (have != (halves(type) ? stored_bytes(type, n) : n))
        return ONX_BAD("constant '%s' has %zu numbers for a shape of %zu", name, have, n);
    for (size_t k = 0; k < n; k++) {
        if (halves(type)) c->i[k] = whole_from(type, (uint32_t)p->int32_data[k / 2] >> 4 * (k % 2) & 15);
        else if (type == ONX_F32) c->f[k] = p->float_data[k];
        else if (type == ONX_F64) c->f[k] = (float)p->double_data[k];
        else if (c->f) c->f[k] = float_from(type, (uint32_t)p->int32_data[k]);
        else if (type == ONX_I64) c->i[k] = p->int64_data[k];
        else if (type == ONX_U32 || type == ONX_U64) c->i[k] = (int64_t)p->uint64_data[k];
        else c->i[k] = whole_from(type, (uint32_t)p->int32_data[k]);
    }
    return 0;
}

/* ---- external data ---- */

static const char *external(const onx_proto *p, const char *key)
{
    for (size_t i = 0; i < p->n_external_data; i++)
        if (p->external_data[i]->key && strcmp(p->external_data[i]->key, key) == 0) return p->external_data[i]->value;
    return NULL;
}

static int number_of(const char *s, uint64_t *v)
{
    char *end;
    if (!s) return 1;
    if (*s < '0' || *s > '9') return 0;
    errno = 0;
    *v = strtoull(s, &end, 10);
    return *end == '\0' && errno == 0;
}

/* Constants may lie in the same bytes, but a small file is not to become a large network. */
static int take_beside(struct onx *o, const struct stat *sb, size_t want, const char *path)
{
    size_t i = 0;
    while (i < o->n_beside && (o->beside[i].device != sb->st_dev || o->beside[i].number != sb->st_ino)) i++;
    if (i == o->n_beside) {
        if (!XFV_GROW(o->beside, i + 1)) return xfv_fail(o->e, XFV_ENOMEM, "out of memory");
        o->beside[o->n_beside++] = (struct onx_beside){sb->st_dev, sb->st_ino, 0};
    }
    uint64_t most = 2 * (uint64_t)sb->st_size;
    if (want > most - o->beside[i].taken)
        return ONX_BAD("the constants that lie in '%.100s' overlap and take more than twice its %lld bytes: refused",
                       path, (long long)sb->st_size);
    o->beside[i].taken += want;
    return 0;
}

static int read_external(struct onx *o, const onx_proto *p, const char *name, size_t want, uint8_t *to)
{
    const char *path = external(p, "location");
    uint64_t offset = 0, length = want;
    struct stat sb;
    if (!o->folder) return ONX_BAD("constant '%s' lies in another file, which cannot be read from here", name);
    if (!xfv_path_is_beside(path))
        return ONX_BAD("constant '%s' lies in '%.100s', which is not a file in the model's folder: refused", name,
                       path ? path : "");
    if (!number_of(external(p, "offset"), &offset) || !number_of(external(p, "length"), &length) || length != want)
        return ONX_BAD("constant '%s' should be %zu bytes of '%.100s', but the file says '%s'", name, want, path,
                       external(p, "length") ? external(p, "length") : "?");
    int fd = xfv_open_beside(o->folder, path), status = 0;
    if (fd < 0) return ONX_BAD("constant '%s' lies in '%.100s': %s", name, path, strerror(errno));
    if ((status = xfv_replaced_check(fd, path, o->e))) return close(fd), status;
    if (fstat(fd, &sb) || !S_ISREG(sb.st_mode) || (uint64_t)sb.st_size < offset || (uint64_t)sb.st_size - offset < want)
        status = ONX_BAD("constant '%s' should be %zu bytes at %llu of '%.100s', which is too short", name, want,
                         (unsigned long long)offset, path);
    if (!status) status = take_beside(o, &sb, want, path);
    for (size_t got = 0; !status && got < want;) {
        ssize_t k = pread(fd, to + got, want - got, (off_t)(offset + got));
        if (k > 0) got += (size_t)k;
        else if (k == 0 || errno != EINTR) status = ONX_BAD("cannot read constant '%s' from '%.100s'", name, path);
    }
    close(fd);
    return status;
}

/* Is the file long enough, before memory is asked for? */
static int external_there(struct onx *o, const onx_proto *p, size_t want)
{
    struct stat sb;
    const char *path = external(p, "location");
    if (!o->folder || !xfv_path_is_beside(path)) return 1; /* read_external says why not */
    int fd = xfv_open_beside(o->folder, path), there = fd < 0 || (fstat(fd, &sb) == 0 && (uint64_t)sb.st_size >= want);
    if (fd >= 0) close(fd);
    return there;
}

/* ---- ---- */

static int dims_of(struct onx *o, const onx_proto *p, const char *name, struct onx_dims *s)
{
    if (p->n_dims > ONX_MAX_RANK) return ONX_BAD("constant '%s' has %zu dimensions", name, p->n_dims);
    s->rank = (int)p->n_dims;
    int empty = 0;
    for (int i = 0; i < s->rank; i++) {
        s->dim[i] = p->dims[i];
        if (s->dim[i] < 0) return ONX_BAD("constant '%s' has a dimension of %lld", name, (long long)s->dim[i]);
        empty |= s->dim[i] == 0;
    }
    if (!empty && xfv_onx_count(*s) == 0) return ONX_BAD("constant '%s' is too large", name);
    return empty ? 1 : 0;
}

int xfv_onx_load(struct onx *o, const onx_proto *p, struct onx_const **out)
{
    const char *name = p->name && *p->name ? p->name : "(constant)";
    char label[128];
    struct onx_dims s;
    size_t at = 0;
    for (; at < sizeof label - 1 && name[at]; at++) label[at] = name[at] > ' ' && name[at] < 127 ? name[at] : '_';
    label[at] = '\0';
    int type = p->has_data_type ? p->data_type : 0, empty = dims_of(o, p, label, &s), status = 0;
    int away = p->has_data_location && p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    size_t size = size_of(type), count = empty ? 0 : xfv_onx_count(s), bytes = stored_bytes(type, count);
    if (empty < 0) return empty;
    if (size == 0) return ONX_BAD("constant '%s' has data type %d, which is not supported", label, type);
    if (!away && p->has_raw_data && p->raw_data.len != bytes)
        return ONX_BAD("constant '%s' has %zu bytes of data for %zu numbers of %zu bytes", label, p->raw_data.len,
                       count, size);
    if (!away && count / 2 > o->file_bytes)
        return ONX_BAD("constant '%s' claims %zu numbers in a file of %zu bytes", label, count, o->file_bytes);
    if (away && !o->fetch && !external_there(o, p, bytes))
        return ONX_BAD("constant '%s' claims %zu bytes, more than its file holds", label, bytes);
    struct onx_const *c = xfv_onx_const_new(o, s, !xfv_onx_is_float(type));
    if (!c) return o->e->status;
    c->type = type;
    if (away && o->fetch) {
        status = o->fetch(o, p, c);
    } else if (away) {
        uint8_t *buf = malloc(bytes ? bytes : 1);
        status = buf ? read_external(o, p, label, bytes, buf)
                     : xfv_fail(o->e, XFV_ENOMEM, "out of memory for constant '%s'", label);
        if (!status) decode_raw(c, type, buf);
        free(buf);
    } else if (p->has_raw_data) {
        decode_raw(c, type, p->raw_data.data);
    } else {
        status = decode_typed(o, p, label, type, c);
    }
    if (status) xfv_onx_const_free(c);
    else *out = c;
    return status;
}

int xfv_onx_is_constant(const struct onx_tensor *t)
{
    return t->c || t->init;
}

/* The file's bytes of a constant, once it is loaded for its last reader. */
static void spend(struct onx *o, struct onx_tensor *t)
{
    const onx_proto *p = t->init;
    if (!o->spent || t->readers > 1 || !p->has_raw_data || p->raw_data.data < o->bytes ||
        p->raw_data.data >= o->bytes + o->n_bytes) /* or a copy of them */
        return;
    o->spent(p->raw_data.data, p->raw_data.len);
    t->spent = 1;
}

const struct onx_const *xfv_onx_constant(struct onx *o, struct onx_tensor *t)
{
    if (t->c) return t->c;
    if (!t->init) {
        ONX_BAD("'%s' should be a constant, but it is computed", t->label);
        return NULL;
    }
    if (t->spent) {
        ONX_BAD("constant '%s' is read once more than it was counted", t->label);
        return NULL;
    }
    if (!t->loaded && t->init->has_data_location &&
        t->init->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        o->file_bytes += xfv_onx_count(t->s) *
                         size_of(t->init->data_type); /* loading refuses it where the other file is shorter */
    t->loaded = 1;
    if (xfv_onx_load(o, t->init, &t->c)) return NULL;
    spend(o, t);
    return t->c;
}
