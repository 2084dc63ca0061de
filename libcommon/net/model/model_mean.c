/* What a model file may hold of many faces, after the weights: average activations (records of kind "mean"), and how
 * long embeddings are ("norm"). See xfv-model(5). */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/model/internal.h"
#include "stream/stream.h"
#include "stream/put.h"

int xfv_model_floats(const struct xfv_tensor *t, const char *what, float **out, struct xfv_err *e)
{
    size_t n = xfv_tensor_count(t);
    if (t->dtype != XFV_F32 && t->dtype != XFV_F16)
        return xfv_fail(e, XFV_EMODEL, "'%.200s' is %s, not <f4 or <f2", what, xfv_dtype_name(t->dtype));
    *out = malloc(n ? n * sizeof **out : 1);
    if (!*out) return xfv_fail(e, XFV_ENOMEM, "out of memory for '%.200s'", what);
    if (t->dtype == XFV_F16) xfv_f32_from_f16(t->data, *out, n);
    else memcpy(*out, t->data, xfv_tensor_bytes(t));
    return 0;
}

const struct xfv_mean *xfv_model_mean(const struct xfv_model *m, int value)
{
    for (int i = 0; i < m->n_means && value >= 0; i++)
        if (!strcmp(m->means[i].value, m->graph->values[value].name)) return &m->means[i];
    return NULL;
}

void xfv_means_free(struct xfv_model *m)
{
    for (int i = 0; i < m->n_means; i++) {
        free(m->means[i].value);
        free(m->means[i].data);
    }
    m->n_means = 0;
}

int xfv_means_check(const struct xfv_model *m, struct xfv_err *e)
{
    for (int i = 0; i < m->n_means; i++) {
        const struct xfv_mean *a = &m->means[i];
        int v = xfv_graph_find(m->graph, a->value);
        if (v < 0) return xfv_fail(e, XFV_EMODEL, "a mean names '%.200s', which is not in the graph", a->value);
        size_t want = xfv_shape_count(m->graph->values[v].shape);
        if (a->count != want)
            return xfv_fail(e, XFV_EMODEL, "the mean of '%.200s' has %zu elements, not %zu", a->value, a->count, want);
        for (size_t k = 0; k < a->count; k++)
            if (!isfinite(a->data[k]))
                return xfv_fail(e, XFV_EMODEL, "the mean of '%.200s' holds a number that is not finite", a->value);
    }
    return 0;
}

int xfv_model_add_mean(struct xfv_model *m, const char *value, const float *data, size_t count, int faces,
                       const char *source, struct xfv_err *e)
{
    struct xfv_mean new = {
        .value = strdup(value), .count = count, .data = malloc(count ? count * sizeof *data : 1), .faces = faces};
    int at = 0, status = 0;
    if (!new.value || !new.data) status = xfv_fail(e, XFV_ENOMEM, "out of memory for the mean of '%.200s'", value);
    while (at < m->n_means && strcmp(m->means[at].value, value)) at++;
    if (!status && at == XFV_MAX_MEANS)
        status = xfv_fail(e, XFV_ELIMIT, "a model holds at most %d means", XFV_MAX_MEANS);
    if (status) {
        free(new.value);
        free(new.data);
        return status;
    }
    snprintf(new.source, sizeof new.source, "%s", source);
    memcpy(new.data, data, count * sizeof *data);
    if (at == m->n_means) {
        m->n_means++;
    } else {
        free(m->means[at].value);
        free(m->means[at].data);
    }
    m->means[at] = new;
    return 0;
}

struct xfv_rec *xfv_mean_record(const struct xfv_mean *mean, struct xfv_shape shape, enum xfv_dtype dtype,
                                struct xfv_err *e)
{
    size_t dim[XFV_MAX_RANK];
    struct xfv_rec *r = xfv_rec_new_named("mean");
    uint16_t *half = dtype == XFV_F16 ? malloc(mean->count * sizeof *half) : NULL;
    int status = r && (half || dtype != XFV_F16)
                     ? 0
                     : xfv_fail(e, XFV_ENOMEM, "out of memory for the mean of '%.200s'", mean->value);
    for (int i = 0; i < shape.rank; i++) dim[i] = (size_t)shape.dim[i];
    if (!status) {
        msgpack_zone *z = xfv_rec_zone(r);
        msgpack_object *root = xfv_rec_root(r);
        if (half) xfv_f16_from_f32(mean->data, half, mean->count);
        struct xfv_tensor t = xfv_tensor_view(dtype, shape.rank, dim, half ? (void *)half : (void *)mean->data);
        struct xfv_put put = xfv_put_into(z, root, e);
        xfv_put_text(&put, "value", mean->value);
        xfv_put_int(&put, "faces", mean->faces);
        xfv_put_text(&put, "data", mean->source);
        xfv_put_tensor(&put, "tensor", &t);
        status = put.status;
    }
    free(half);
    if (!status) return r;
    xfv_rec_free(r);
    return NULL;
}

int xfv_mean_read(struct xfv_model *m, const struct xfv_rec *r, struct xfv_err *e)
{
    const msgpack_object *map = xfv_rec_map(r);
    char value[XFV_MAX_NAME + 1], source[sizeof m->means[0].source];
    int64_t faces;
    float *data;
    struct xfv_tensor t;
    int status = xfv_get_text(map, "value", value, sizeof value, e);
    if (!status) status = xfv_get_int(map, "faces", &faces, e);
    if (!status) status = xfv_get_text(map, "data", source, sizeof source, e);
    if (!status) status = xfv_get_tensor_view(map, "tensor", &t, e);
    if (!status && (faces < 0 || faces > INT32_MAX))
        status = xfv_fail(e, XFV_EMODEL, "the mean of '%.200s' is over %lld faces", value, (long long)faces);
    if (!status) status = xfv_model_floats(&t, value, &data, e);
    if (status) return status;
    status = xfv_model_add_mean(m, value, data, xfv_tensor_count(&t), (int)faces, source, e);
    free(data);
    return status;
}

struct xfv_rec *xfv_norm_record(const struct xfv_norm *norm, struct xfv_err *e)
{
    struct xfv_rec *r = xfv_rec_new_named("norm");
    if (!r) {
        xfv_fail(e, XFV_ENOMEM, "out of memory");
        return NULL;
    }
    struct xfv_put put = xfv_put_into(xfv_rec_zone(r), xfv_rec_root(r), e);
    xfv_put_f64(&put, "low", norm->low);
    xfv_put_int(&put, "faces", norm->faces);
    xfv_put_text(&put, "data", norm->source);
    if (!put.status) return r;
    xfv_rec_free(r);
    return NULL;
}

int xfv_norm_check(const struct xfv_norm *norm, struct xfv_err *e)
{
    if (norm->faces >= 0 && norm->low >= 0 && isfinite(norm->low)) return 0;
    return xfv_fail(e, XFV_EMODEL, "a length of embeddings of %g over %d faces is impossible", norm->low, norm->faces);
}

int xfv_norm_read(struct xfv_model *m, const struct xfv_rec *r, struct xfv_err *e)
{
    const msgpack_object *map = xfv_rec_map(r);
    struct xfv_norm new = {0};
    int64_t faces;
    int status = xfv_get_f64(map, "low", &new.low, e);
    if (!status) status = xfv_get_int(map, "faces", &faces, e);
    if (!status) status = xfv_get_text(map, "data", new.source, sizeof new.source, e);
    if (status) return status;
    new.faces = faces < 0 || faces > INT32_MAX ? -1 : (int)faces;
    if (!(status = xfv_norm_check(&new, e))) m->norm = new;
    return status;
}

static int read_means(struct xfv_model *m, struct xfv_reader *in, struct xfv_err *e)
{
    struct xfv_rec *r;
    int status;
    while (!(status = xfv_reader_next(in, &r, e))) {
        if (!strcmp(xfv_rec_kind_name(r), "mean")) status = xfv_mean_read(m, r, e);
        else if (!strcmp(xfv_rec_kind_name(r), "norm")) status = xfv_norm_read(m, r, e);
        xfv_rec_free(r);
        if (status) break;
    }
    return status == XFV_EOF ? 0 : status;
}

int xfv_means_read_file(struct xfv_model *m, const char *path, struct xfv_err *e)
{
    struct xfv_reader *in;
    struct xfv_limits limits = xfv_limits_default();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return xfv_fail(e, XFV_EIO, "cannot open '%s'", path);
    int status = xfv_reader_open(&in, fd, 1, path, &limits, e);
    if (status) {
        close(fd);
        return status;
    }
    status = read_means(m, in, e);
    xfv_reader_close(in);
    return status;
}
