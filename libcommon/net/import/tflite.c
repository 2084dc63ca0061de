/* TFLite files: the container. tflite_ops.c turns operators into nodes. */
#include "net/import/tflite_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/import.h"
#include "net/import/limits.h"
#include "stream/tensor.h"

static size_t element_size(int type)
{
    return type == TFL_F32 || type == TFL_I32   ? 4
           : type == TFL_F16 || type == TFL_I16 ? 2
           : type == TFL_I64                    ? 8
           : type == TFL_U8 || type == TFL_I8   ? 1
                                                : 0;
}

static size_t count_of(const struct tfl_tensor *x)
{
    size_t n = 1;
    for (int i = 0; i < x->rank; i++) n *= (size_t)x->dim[i]; /* bounded by read_tensor */
    return n;
}

/* A constant's bytes must be there in full. */
static int has_data(struct tfl *t, const struct tfl_tensor *x)
{
    if (!x->pos) return xfv_fail(t->e, XFV_EMODEL, "tensor '%s' should be a constant, but it is computed", x->name);
    if (x->bytes != count_of(x) * element_size(x->type))
        return xfv_fail(t->e, XFV_EMODEL, "constant '%s' has %zu bytes of data for %zu elements of %zu bytes", x->name,
                        x->bytes, count_of(x), element_size(x->type));
    return 0;
}

static int valid(struct tfl *t, int i)
{
    if (i >= 0 && i < t->n_tensors) return 0;
    return xfv_fail(t->e, XFV_EMODEL, "an operator uses tensor %d of %d", i, t->n_tensors);
}

static float float_at(const struct tfl *t, size_t pos)
{
    const uint8_t *q = t->fb.p + pos;
    uint32_t bits = (uint32_t)q[0] | (uint32_t)q[1] << 8 | (uint32_t)q[2] << 16 | (uint32_t)q[3] << 24;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* Bytes, or whole numbers, that stand for reals? */
static int is_quantised(const struct tfl_tensor *x)
{
    return (x->type == TFL_U8 || x->type == TFL_I8 || x->type == TFL_I16 || x->type == TFL_I32) && x->n_scales > 0;
}

static double whole_at(struct tfl *t, int type, size_t at)
{
    const uint8_t *p = t->fb.p + at;
    return type == TFL_I32  ? xfv_fb_read_i32(&t->fb, at)
           : type == TFL_U8 ? p[0]
           : type == TFL_I8 ? (int8_t)p[0]
                            : (int16_t)(p[0] | p[1] << 8);
}

int xfv_tfl_limits(const struct tfl *t, const struct tfl_tensor *x, float *lo, float *hi)
{
    if (x->n_scales != 1 || (x->type != TFL_U8 && x->type != TFL_I8 && x->type != TFL_I16)) return 0;
    struct xfv_fb fb = t->fb;
    double least = x->type == TFL_U8 ? 0 : x->type == TFL_I8 ? -128 : -32768, span = x->type == TFL_I16 ? 65535 : 255;
    double scale = (double)float_at(t, x->scales), zero = x->n_zeros ? xfv_fb_read_i32(&fb, x->zeros) : 0;
    if (!(scale > 0)) return 0;
    *lo = (float)((least - zero) * scale);
    *hi = (float)((least + span - zero) * scale);
    return 1;
}

/* real = scale (q - zero), per tensor or along one dimension. */
static int dequantise(struct tfl *t, struct tfl_tensor *x, size_t n)
{
    size_t inner = 1, channels = x->n_scales;
    if (channels > 1) {
        if (x->quantised_dim < 0 || x->quantised_dim >= x->rank || (size_t)x->dim[x->quantised_dim] != channels)
            return xfv_fail(t->e, XFV_EMODEL, "constant '%s' has %zu scales, which do not fit its shape", x->name,
                            channels);
        for (int a = x->quantised_dim + 1; a < x->rank; a++) inner *= (size_t)x->dim[a];
    }
    for (size_t k = 0; k < n; k++) {
        size_t c = k / inner % channels, at = x->pos + k * element_size(x->type);
        int32_t zero = x->n_zeros > 0 ? xfv_fb_read_i32(&t->fb, x->zeros + 8 * (x->n_zeros == channels ? c : 0)) : 0;
        x->data[k] = (float)((double)float_at(t, x->scales + 4 * c) * (whole_at(t, x->type, at) - (double)zero));
    }
    return 0;
}

const float *xfv_tfl_constant(struct tfl *t, int i)
{
    if (valid(t, i)) return NULL;
    struct tfl_tensor *x = &t->t[i];
    if (x->data) return x->data;
    if (has_data(t, x)) return NULL;
    size_t n = count_of(x);
    if (x->type != TFL_F32 && x->type != TFL_F16 && !is_quantised(x)) {
        xfv_fail(t->e, XFV_EMODEL, "constant '%s' is not of floats, nor of bytes with a scale", x->name);
        return NULL;
    }
    if (!(x->data = malloc((n ? n : 1) * sizeof *x->data))) {
        xfv_fail(t->e, XFV_ENOMEM, "out of memory for constant '%s'", x->name);
        return NULL;
    }
    if (is_quantised(x)) {
        if (!dequantise(t, x, n)) return x->data;
        free(x->data); /* another operator may ask again */
        x->data = NULL;
        return NULL;
    }
    for (size_t k = 0; k < n; k++) {
        const uint8_t *q = t->fb.p + x->pos + k * element_size(x->type);
        uint16_t half = (uint16_t)(q[0] | q[1] << 8);
        if (x->type == TFL_F16) xfv_f32_from_f16(&half, &x->data[k], 1);
        else x->data[k] = float_at(t, x->pos + 4 * k);
    }
    return x->data;
}

int xfv_tfl_integers(struct tfl *t, int i, int *v, int cap)
{
    int status = valid(t, i);
    if (status) return status;
    const struct tfl_tensor *x = &t->t[i];
    if ((status = has_data(t, x))) return status;
    size_t n = count_of(x), size = element_size(x->type);
    if ((x->type != TFL_I32 && x->type != TFL_I64) || n > (size_t)cap)
        return xfv_fail(t->e, XFV_EMODEL, "constant '%s' is not a list of at most %d whole numbers", x->name, cap);
    for (size_t k = 0; k < n; k++) {
        v[k] = xfv_fb_read_i32(&t->fb, x->pos + k * size);
        if (size == 8 && xfv_fb_read_i32(&t->fb, x->pos + k * size + 4) != (v[k] < 0 ? -1 : 0))
            return xfv_fail(t->e, XFV_EMODEL, "constant '%s' holds a number that is too large", x->name);
    }
    return (int)n;
}

int xfv_tfl_sample_shape(struct tfl *t, int i, struct xfv_shape *s)
{
    const struct tfl_tensor *x = &t->t[i];
    if (x->rank < 1 || x->rank - 1 > XFV_MAX_RANK || x->dim[0] != t->batch)
        return xfv_fail(t->e, XFV_EMODEL, "tensor '%s' does not have the input's batch axis (%d) first", x->name,
                        t->batch);
    *s = (struct xfv_shape){.rank = x->rank - 1};
    for (int k = 1; k < x->rank; k++) s->dim[k - 1] = x->dim[k];
    if (s->rank == 0) s->dim[s->rank++] = 1;
    return 0;
}

/* Names come from the file: keep what prints, make them unique. */
static char *unique_name(struct tfl *t, int i, const uint8_t *p, size_t n)
{
    char *s = malloc(XFV_MAX_NAME + 32);
    if (!s) return NULL;
    size_t len = 0;
    for (; len < n && len < XFV_MAX_NAME - 16 && p[len]; len++)
        s[len] = p[len] > ' ' && p[len] < 127 ? (char)p[len] : '_';
    s[len] = '\0';
    if (len == 0) snprintf(s, 32, "tensor%d", i);
    for (int k = 0; k < i; k++)
        if (strcmp(t->t[k].name, s) == 0) {
            snprintf(s + strlen(s), 16, "#%d", i);
            break;
        }
    return s;
}

static int read_tensor(struct tfl *t, size_t table, int i)
{
    struct tfl_tensor *x = &t->t[i];
    size_t n, v, rank, len, total = 1;
    *x = (struct tfl_tensor){.value = -1};
    v = xfv_fb_vector(&t->fb, table, 3, 1, &n);
    if (!(x->name = unique_name(t, i, t->fb.p + v, n)))
        return xfv_fail(t->e, XFV_ENOMEM, "out of memory for tensor %d", i);
    x->type = xfv_fb_i8(&t->fb, table, 1, 0);
    v = xfv_fb_vector(&t->fb, table, 0, 4, &rank);
    if (rank > TFL_MAX_RANK) return xfv_fail(t->e, XFV_EMODEL, "tensor '%s' has %zu dimensions", x->name, rank);
    for (x->rank = 0; x->rank < (int)rank; x->rank++) {
        int d = xfv_fb_i32_at(&t->fb, v, rank, (size_t)x->rank);
        if (d < 1 || total > XFV_MAX_ELEMENTS / (size_t)d)
            return xfv_fail(t->e, XFV_EMODEL, "tensor '%s' has an impossible shape (dimension %d is %d)", x->name,
                            x->rank, d);
        total *= (size_t)d;
        x->dim[x->rank] = d;
    }
    size_t buffer = (size_t)(uint32_t)xfv_fb_i32(&t->fb, table, 2, 0);
    if (buffer >= t->n_buffers)
        return xfv_fail(t->e, XFV_EMODEL, "tensor '%s' refers to buffer %zu of %zu", x->name, buffer, t->n_buffers);
    x->pos = xfv_fb_vector(&t->fb, xfv_fb_at(&t->fb, t->buffers, t->n_buffers, buffer), 0, 1, &len);
    if (len == 0) x->pos = 0;
    x->bytes = len;
    size_t q = xfv_fb_table(&t->fb, table, 4); /* min, max, scale, zero_point, -, -, quantized_dimension */
    if (!q) return 0;
    x->scales = xfv_fb_vector(&t->fb, q, 2, 4, &x->n_scales);
    x->zeros = xfv_fb_vector(&t->fb, q, 3, 8, &x->n_zeros);
    x->quantised_dim = xfv_fb_i32(&t->fb, q, 6, 0);
    return 0;
}

static int read_tensors(struct tfl *t, size_t subgraph)
{
    size_t n, v = xfv_fb_vector(&t->fb, subgraph, 0, 4, &n);
    if (n < 1 || n > XFV_MAX_NODES / 4) return xfv_fail(t->e, XFV_EMODEL, "the file has %zu tensors", n);
    if (!(t->t = calloc(n, sizeof *t->t))) return xfv_fail(t->e, XFV_ENOMEM, "out of memory for %zu tensors", n);
    for (size_t i = 0; i < n; i++) {
        t->n_tensors = (int)i + 1; /* so that a half-read one is freed */
        int status = read_tensor(t, xfv_fb_at(&t->fb, v, n, i), (int)i);
        if (status) return status;
    }
    return 0;
}

static int op_code(struct tfl *t, size_t index)
{
    size_t c = xfv_fb_at(&t->fb, t->codes, t->n_codes, index);
    /* files older than 2020 have the first only */
    int old = xfv_fb_i8(&t->fb, c, 0, 0), now = xfv_fb_i32(&t->fb, c, 3, 0);
    return now > old ? now : old;
}

static int read_call(struct tfl *t, size_t k, struct tfl_call *c)
{
    size_t table = xfv_fb_at(&t->fb, t->calls, t->n_calls, k), n, v;
    memset(c, 0, sizeof *c);
    size_t index = (size_t)(uint32_t)xfv_fb_i32(&t->fb, table, 0, 0);
    if (index >= t->n_codes)
        return xfv_fail(t->e, XFV_EMODEL, "operator %zu has code %zu of %zu", k, index, t->n_codes);
    c->op = op_code(t, index);
    v = xfv_fb_vector(&t->fb, table, 1, 4, &n);
    if (n > XFV_MAX_INPUTS) return xfv_fail(t->e, XFV_EMODEL, "operator %zu has %zu inputs", k, n);
    for (c->n_in = 0; c->n_in < (int)n; c->n_in++) c->in[c->n_in] = xfv_fb_i32_at(&t->fb, v, n, (size_t)c->n_in);
    for (int i = c->n_in; i < XFV_MAX_INPUTS; i++) c->in[i] = -1;
    v = xfv_fb_vector(&t->fb, table, 2, 4, &n);
    if (n < 1 || n > XFV_MAX_INPUTS || (n > 1 && c->op != TFL_SPLIT))
        return xfv_fail(t->e, XFV_EMODEL, "operator %zu has %zu outputs instead of one", k, n);
    for (c->n_out = 0; c->n_out < (int)n; c->n_out++) {
        c->out[c->n_out] = xfv_fb_i32_at(&t->fb, v, n, (size_t)c->n_out);
        int status = valid(t, c->out[c->n_out]);
        if (status) return status;
    }
    c->options = xfv_fb_table(&t->fb, table, 4);
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] < -1 || c->in[i] >= t->n_tensors) return valid(t, c->in[i]);
    return 0;
}

/* One sentence with every operator that cannot be expressed and how often it occurs, before any work is done. */
static int check_operators(struct tfl *t)
{
    int unknown[256] = {0}, other = 0, any = 0;
    struct tfl_call c;
    for (size_t k = 0; k < t->n_calls; k++) {
        int status = read_call(t, k, &c);
        if (status) return status;
        if (xfv_tfl_supported(c.op)) continue;
        any = 1;
        if (xfv_tfl_op_name(c.op)) unknown[c.op]++;
        else other++;
    }
    if (!any) return 0;
    char list[400] = "";
    for (int op = 0; op < 256; op++) {
        size_t at = strlen(list);
        if (unknown[op])
            snprintf(list + at, sizeof list - at, "%s%d %s", at ? ", " : "", unknown[op], xfv_tfl_op_name(op));
    }
    size_t at = strlen(list);
    if (other) snprintf(list + at, sizeof list - at, "%s%d newer ones", at ? ", " : "", other);
    return xfv_fail(t->e, XFV_EMODEL, "operators that are not supported: %s", list);
}

static int read_input(struct tfl *t, size_t subgraph, const struct xfv_import_opts *o)
{
    size_t n, v = xfv_fb_vector(&t->fb, subgraph, 1, 4, &n);
    if (n != 1) return xfv_fail(t->e, XFV_EMODEL, "the file has %zu inputs instead of one image", n);
    int i = xfv_fb_i32_at(&t->fb, v, n, 0), status = valid(t, i);
    if (status) return status;
    struct tfl_tensor *x = &t->t[i];
    struct xfv_shape s;
    if (x->rank != 4 || (x->type != TFL_F32 && !is_quantised(x)))
        return xfv_fail(t->e, XFV_EMODEL, "input '%s' is not a float image [batch,H,W,C] (%d dimensions, type %d)",
                        x->name, x->rank, x->type);
    t->batch = x->dim[0];
    if ((status = xfv_tfl_sample_shape(t, i, &s))) return status;
    t->resized = o && ((o->height && o->height != s.dim[0]) || (o->width && o->width != s.dim[1]));
    if (o && o->height) s.dim[0] = o->height;
    if (o && o->width) s.dim[1] = o->width;
    x->value = xfv_graph_add_value(t->g, x->name, s, t->e);
    return x->value < 0 ? x->value : 0;
}

static int read_outputs(struct tfl *t, size_t subgraph)
{
    size_t n, v = xfv_fb_vector(&t->fb, subgraph, 2, 4, &n);
    for (size_t k = 0; k < n; k++) {
        int i = xfv_fb_i32_at(&t->fb, v, n, k), status = valid(t, i);
        if (status) return status;
        if (t->t[i].value < 0) return xfv_fail(t->e, XFV_EMODEL, "no operator makes output '%s'", t->t[i].name);
        if ((status = xfv_graph_add_output(t->g, t->t[i].value, t->e)) < 0) return status;
    }
    return 0;
}

/* All operators in order. One that cannot be understood does not stop the others, so that a user learns of everything
 * at once. */
static int build_all(struct tfl *t)
{
    char problems[400] = "";
    int count = 0;
    for (size_t k = 0; k < t->n_calls; k++) {
        struct tfl_call c;
        int failed = 0, status = read_call(t, k, &c);
        if (status) return status;
        for (int i = 0; i < c.n_in; i++) failed |= c.in[i] >= 0 && t->t[c.in[i]].failed;
        status = failed ? 0 : xfv_tfl_build_call(t, &c);
        if (status && status != XFV_EMODEL) return status;
        for (int i = 0; i < c.n_out; i++) t->t[c.out[i]].failed |= failed || status;
        size_t at = strlen(problems);
        if (status && count++ < 8) snprintf(problems + at, sizeof problems - at, "%s%.160s", at ? "; " : "", t->e->msg);
    }
    if (count > 8) return xfv_fail(t->e, XFV_EMODEL, "%s; and %d more", problems, count - 8);
    return count ? xfv_fail(t->e, XFV_EMODEL, "%s", problems) : 0;
}

static int read_file(struct tfl *t, const struct xfv_import_opts *o)
{
    size_t n, v, subgraph, root;
    int status;
    if (t->fb.n < 8 || memcmp(t->fb.p + 4, "TFL3", 4) != 0)
        return xfv_fail(t->e, XFV_EMODEL, "not a TFLite file (no 'TFL3' at byte 4)");
    root = xfv_fb_root(&t->fb);
    v = xfv_fb_vector(&t->fb, root, 2, 4, &n);
    if (n != 1) return xfv_fail(t->e, XFV_EMODEL, "the TFLite file has %zu subgraphs instead of one", n);
    subgraph = xfv_fb_at(&t->fb, v, n, 0);
    t->codes = xfv_fb_vector(&t->fb, root, 1, 4, &t->n_codes);
    t->buffers = xfv_fb_vector(&t->fb, root, 4, 4, &t->n_buffers);
    t->calls = xfv_fb_vector(&t->fb, subgraph, 3, 4, &t->n_calls);
    if (t->n_calls > XFV_MAX_NODES) return xfv_fail(t->e, XFV_EMODEL, "the file has %zu operators", t->n_calls);
    if ((status = read_tensors(t, subgraph)) || (status = check_operators(t)) || (status = read_input(t, subgraph, o)))
        return status;
    if ((status = build_all(t)) || (status = read_outputs(t, subgraph))) return status;
    return xfv_graph_check(t->g, t->e);
}

int xfv_import_tflite(const uint8_t *bytes, size_t n, const struct xfv_import_opts *opts, struct xfv_graph **out,
                      struct xfv_err *e)
{
    struct xfv_err own;
    struct tfl t = {.fb = {bytes, n, 0}, .e = e ? e : &own};
    int status = 0;
    if (!(t.g = xfv_graph_new())) return xfv_fail(e, XFV_ENOMEM, "out of memory for a graph");
    status = read_file(&t, opts);
    if (t.fb.bad && status != XFV_ENOMEM)
        status = xfv_fail(e, XFV_EMODEL, "the TFLite file is damaged: an offset in it points outside its %zu bytes", n);
    for (int i = 0; i < t.n_tensors; i++) free(t.t[i].name), free(t.t[i].data);
    free(t.t);
    if (!status && t.quantisers && opts && opts->note) xfv_quantiser_note(t.quantisers, opts->note, opts->note_size);
    if (status) xfv_graph_free(t.g);
    else *out = t.g;
    return status;
}
