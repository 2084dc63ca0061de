#include "net/model/model.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replaced.h"
#include "net/model/internal.h"
#include "stream/stream.h"
#include "stream/put.h"

#ifndef XFV_MODEL_DIR
#define XFV_MODEL_DIR "/usr/local/share/xfv-tools/models"
#endif

struct xfv_model *xfv_model_new(void)
{
    struct xfv_model *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->embedding = m->embedding_normalised = -1;
    if ((m->graph = xfv_graph_new())) return m;
    free(m);
    return NULL;
}

void xfv_model_free(struct xfv_model *m)
{
    if (!m) return;
    xfv_means_free(m);
    xfv_graph_free(m->graph);
    free(m);
}

int xfv_model_has_template(const struct xfv_model *m)
{
    for (int i = 0; i < 10; i++)
        if (m->template_xy[i] < 0 || m->template_xy[i] > 0) return 1;
    return 0;
}

/* ---- check ---- */

struct xfv_threshold xfv_threshold_new(void)
{
    return (struct xfv_threshold){.fmr = NAN, .fnmr = NAN, .fmr_interval = {NAN, NAN}, .fnmr_interval = {NAN, NAN}};
}

static int is_interval(const double v[2])
{
    return (isnan(v[0]) && isnan(v[1])) || (v[0] >= 0 && v[0] <= v[1] && v[1] <= 1);
}

static int check_thresholds(const struct xfv_model *m, struct xfv_err *e)
{
    for (int i = 0; i < m->n_thresholds; i++) {
        const struct xfv_threshold *t = &m->thresholds[i];
        if (!t->name[0]) return xfv_fail(e, XFV_EMODEL, "threshold %d has no name", i);
        if (!isfinite(t->value) || t->fmr < 0 || t->fmr > 1 || t->fnmr < 0 || t->fnmr > 1 || t->pairs < 0)
            return xfv_fail(e, XFV_EMODEL, "threshold '%s' is impossible (value %g, FMR %g, FNMR %g, %d pairs)",
                            t->name, t->value, t->fmr, t->fnmr, t->pairs);
        if (!is_interval(t->fmr_interval) || !is_interval(t->fnmr_interval) || t->genuine < 0 || t->impostor < 0 ||
            (t->genuine + (int64_t)t->impostor != 0 && t->genuine + (int64_t)t->impostor != t->pairs))
            return xfv_fail(e, XFV_EMODEL,
                            "threshold '%s' has impossible intervals or counts (%d genuine, %d impostor pairs of %d)",
                            t->name, t->genuine, t->impostor, t->pairs);
        for (int k = 0; k < i; k++)
            if (strcmp(m->thresholds[k].name, t->name) == 0)
                return xfv_fail(e, XFV_EMODEL, "two thresholds are called '%s'", t->name);
    }
    return 0;
}

static int check_input(struct xfv_model *m, struct xfv_err *e)
{
    char t[64];
    struct xfv_shape s = m->graph->values[0].shape;
    int channels = strcmp(m->colour, "grey") == 0 ? 1 : 3;
    if (channels == 3 && strcmp(m->colour, "rgb") != 0 && strcmp(m->colour, "bgr") != 0)
        return xfv_fail(e, XFV_EMODEL, "the input's colour '%s' is not rgb, bgr or grey", m->colour);
    if (s.rank != 3 || s.dim[2] != channels)
        return xfv_fail(e, XFV_EMODEL, "the graph's input is %s, not an image HxWx%d (%s)", xfv_shape_text(s, t),
                        channels, m->colour);
    m->height = s.dim[m->transposed ? 1 : 0];
    m->width = s.dim[m->transposed ? 0 : 1];
    m->channels = channels;
    for (int i = 0; i < channels; i++)
        if (!isfinite(m->mean[i]) || !(m->std[i] > 0) || !isfinite(m->std[i]))
            return xfv_fail(e, XFV_EMODEL, "the input's normalisation (mean %g, std %g) is impossible",
                            (double)m->mean[i], (double)m->std[i]);
    return 0;
}

int xfv_model_check(struct xfv_model *m, struct xfv_err *e)
{
    int status = xfv_graph_check(m->graph, e);
    if (status || (status = check_input(m, e)) || (status = check_thresholds(m, e))) return status;
    if (!m->name[0] || !m->kind[0])
        return xfv_fail(e, XFV_EMODEL, "the model has no %s", m->name[0] ? "network kind" : "name");
    if (m->embedding >= m->graph->n_values || m->embedding_normalised >= m->graph->n_values || m->embedding < -1 ||
        m->embedding_normalised < -1)
        return xfv_fail(e, XFV_EMODEL, "the embedding is value %d of %d", m->embedding, m->graph->n_values);
    if (strcmp(m->kind, "embedding") == 0 && m->embedding < 1)
        return xfv_fail(e, XFV_EMODEL, "an embedding network must say which value is the embedding");
    if ((status = xfv_means_check(m, e)) || (status = xfv_norm_check(&m->norm, e))) return status;
    for (int i = 0; i < 10; i++)
        if (!isfinite(m->template_xy[i]) || fabs(m->template_xy[i]) > 1e5)
            return xfv_fail(e, XFV_EMODEL, "the alignment template is impossible");
    return 0;
}

/* ---- look-up ---- */

enum { NO_MEMORY = -2 };

/* Open folder/name.xfvm; *where gets its path (caller's to free). -1 when it is not there. */
static int open_in(const char *folder, const char *name, char **where)
{
    size_t n = strlen(folder) + strlen(name) + 8;
    char *p = malloc(n);
    if (!p) return NO_MEMORY;
    snprintf(p, n, "%s/%s.xfvm", folder, name);
    int fd = open(p, O_RDONLY | O_CLOEXEC);
    if (fd < 0) free(p);
    else *where = p;
    return fd;
}

/* The descriptor; -1: in none of the folders; NO_MEMORY. */
static int look_up(const char *name, char **where)
{
    char folder[4160];
    int fd = -1;
    for (int i = 0; fd == -1 && xfv_model_folder(i, folder, sizeof folder); i++) fd = open_in(folder, name, where);
    return fd;
}

/* By the name's end: a network as others write it. */
static int is_foreign(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (!strcmp(dot, ".onnx") || !strcmp(dot, ".tflite"));
}

/* The open file and its path (caller's to free), or a negative status. */
static int find_file(const char *path, char **where, struct xfv_err *e)
{
    int fd = -1;
    *where = NULL;
    if (!path) path = XFV_DEFAULT_MODEL;
    if (!*path) return xfv_fail(e, XFV_EMODEL, "the name of the model is empty");
    if (is_foreign(path))
        return xfv_fail(e, XFV_EMODEL,
                        "'%.300s' is a network of another format: model-import makes a model of it (NAME.xfvm)", path);
    if (!xfv_model_is_path(path)) {
        if ((fd = look_up(path, where)) >= 0) return fd;
        if (fd == NO_MEMORY) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        return xfv_fail(e, XFV_EMODEL,
                        "no model '%.200s': looked for %.200s.xfvm in XFV_MODEL_PATH, beside the program and in %s; a "
                        "file is named with a slash or .xfvm, and xfv-doctor lists the models there are",
                        path, path, XFV_MODEL_DIR);
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return xfv_fail(e, XFV_EMODEL, "cannot open the model %.300s: %s", path, strerror(errno));
    if (!(*where = strdup(path))) {
        close(fd);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    return fd;
}

/* ---- load ---- */

static int digest_file(int fd, size_t size, char hex[65], struct xfv_err *e)
{
    void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) return xfv_fail(e, XFV_EIO, "cannot map the file");
    struct sha256_ctx sha;
    sha256_init(&sha);
    sha256_update(&sha, size, p);
    xfv_digest_finish(&sha, hex);
    munmap(p, size);
    return 0;
}

static int check_finite(const struct xfv_weight *x, struct xfv_err *e)
{
    for (size_t i = 0; i < x->count; i++)
        if (!isfinite(x->data[i]))
            return xfv_fail(e, XFV_EMODEL, "weight '%.200s' holds a number that is not finite", x->name);
    return 0;
}

static int read_weight(struct xfv_graph *g, struct xfv_rec *r, struct xfv_err *e)
{
    char name[XFV_MAX_NAME + 1];
    struct xfv_tensor t;
    struct xfv_shape s;
    int status = xfv_get_text(xfv_rec_root(r), "name", name, sizeof name, e);
    if (status || (status = xfv_get_tensor_view(xfv_rec_root(r), "tensor", &t, e))) return status;
    size_t n = xfv_tensor_count(&t);
    if (t.ndim < 1 || t.ndim > XFV_MAX_RANK)
        return xfv_fail(e, XFV_EMODEL, "weight '%.200s' has %d dimensions", name, t.ndim);
    if (t.dtype != XFV_F32 && t.dtype != XFV_F16)
        return xfv_fail(e, XFV_EMODEL, "weight '%.200s' is %s, not <f4 or <f2", name, xfv_dtype_name(t.dtype));
    s.rank = t.ndim;
    for (int i = 0; i < t.ndim; i++) s.dim[i] = t.shape[i] <= XFV_MAX_ELEMENTS ? (int)t.shape[i] : -1;
    if (t.dtype == XFV_F32 || xfv_shape_count(s) != n) {
        status = xfv_graph_add_weight(g, name, s, t.data, e);
        return status < 0 ? status : check_finite(&g->weights[status], e);
    }
    float *full;
    if ((status = xfv_model_floats(&t, name, &full, e))) return status;
    status = xfv_graph_add_weight(g, name, s, full, e);
    free(full);
    return status < 0 ? status : check_finite(&g->weights[status], e);
}

/* The digest of what m holds. former, of an earlier file, counts only where that file had this digest. */
static int set_digests(struct xfv_model *m, const char *digest, const char *former, struct xfv_err *e)
{
    char said[sizeof m->digest], file[sizeof m->former];
    snprintf(said, sizeof said, "%s", digest);
    snprintf(file, sizeof file, "%s", former);
    int status = xfv_model_set_digest(m, e);
    snprintf(m->former, sizeof m->former, "%s", strcmp(said, m->digest) ? "" : file);
    return status;
}

/* Head, then weights, then the head's graph, which refers to them. */
static int read_model(struct xfv_model *m, struct xfv_reader *rd, struct xfv_err *e)
{
    struct xfv_rec *head = NULL, *r;
    int status = xfv_reader_next(rd, &head, e);
    while (!status && !(status = xfv_reader_next(rd, &r, e))) {
        if (xfv_rec_kind(r) == XFV_HEAD) status = xfv_fail(e, XFV_EMODEL, "a second model follows in the same file");
        else if (strcmp(xfv_rec_kind_name(r), "weight") == 0) status = read_weight(m->graph, r, e);
        else if (strcmp(xfv_rec_kind_name(r), "mean") == 0) status = xfv_mean_read(m, r, e);
        else if (strcmp(xfv_rec_kind_name(r), "norm") == 0) status = xfv_norm_read(m, r, e);
        xfv_rec_free(r);
    }
    if (status == XFV_EOF) status = xfv_model_head_read(m, xfv_rec_root(head), e);
    if (!status) status = xfv_model_check(m, e);
    if (!status) status = set_digests(m, m->digest, m->former, e);
    xfv_rec_free(head);
    return status;
}

static int load_fd(struct xfv_model *m, int fd, struct xfv_err *e)
{
    struct stat sb;
    struct xfv_reader *rd;
    struct xfv_limits lim = xfv_limits_default();
    int status;
    if (fstat(fd, &sb) || !S_ISREG(sb.st_mode)) return xfv_fail(e, XFV_EMODEL, "not a regular file");
    if (sb.st_size < 1) return xfv_fail(e, XFV_EMODEL, "the file is empty");
    lim.max_record = (size_t)sb.st_size; /* no record is larger than the file */
    lim.of_file = 1;
    if ((status = digest_file(fd, (size_t)sb.st_size, m->file, e))) return status;
    if ((status = xfv_reader_open(&rd, fd, 0, "model", &lim, e))) return status;
    status = read_model(m, rd, e);
    xfv_reader_close(rd);
    return status;
}

int xfv_model_load(const char *path, struct xfv_model **out, struct xfv_err *e)
{
    struct xfv_err own;
    char *where;
    if (!e) e = &own;
    int fd = find_file(path, &where, e);
    if (fd < 0) return fd;
    struct xfv_model *m = xfv_model_new();
    int status = xfv_replaced_check(fd, where, e);
    if (!status) status = m ? load_fd(m, fd, e) : xfv_fail(e, XFV_ENOMEM, "out of memory for a model");
    close(fd);
    if (status) {
        xfv_model_free(m);
        if (status != XFV_EIO && status != XFV_ENOMEM && status != XFV_EARG) e->status = status = XFV_EMODEL;
        if (status != XFV_EARG) xfv_fail_at(e, "model %.200s", where);
    } else {
        *out = m;
    }
    free(where);
    return status;
}

/* ---- save ---- */

static int write_weight(struct xfv_writer *w, const struct xfv_weight *x, struct xfv_err *e)
{
    size_t shape[XFV_MAX_RANK];
    for (int i = 0; i < x->shape.rank; i++) shape[i] = (size_t)x->shape.dim[i];
    struct xfv_rec *r = xfv_rec_new_named("weight");
    if (!r) return xfv_fail(e, XFV_ENOMEM, "out of memory for weight '%.200s'", x->name);
    struct xfv_tensor t = xfv_tensor_view(XFV_F32, x->shape.rank, shape, x->data);
    struct xfv_put put = xfv_put_into(xfv_rec_zone(r), xfv_rec_root(r), e);
    xfv_put_text(&put, "name", x->name);
    xfv_put(&put, "tensor", xfv_val_tensor_ref(put.zone, &t)); /* x outlives the record: no second copy */
    int status = put.status ? put.status : xfv_writer_put(w, r, e);
    xfv_rec_free(r);
    return status;
}

static int write_mean(struct xfv_writer *w, const struct xfv_model *m, const struct xfv_mean *mean, struct xfv_err *e)
{
    /* xfv_model_check found it */
    struct xfv_shape shape = m->graph->values[xfv_graph_find(m->graph, mean->value)].shape;
    struct xfv_rec *r = xfv_mean_record(mean, shape, XFV_F32, e);
    int status = r ? xfv_writer_put(w, r, e) : XFV_ENOMEM;
    xfv_rec_free(r);
    return status;
}

static int write_norm(struct xfv_writer *w, const struct xfv_norm *norm, struct xfv_err *e)
{
    struct xfv_rec *r = xfv_norm_record(norm, e);
    int status = r ? xfv_writer_put(w, r, e) : XFV_ENOMEM;
    xfv_rec_free(r);
    return status;
}

static void digest_more(void *sha, const void *p, size_t n)
{
    sha256_update(sha, n, p);
}

static int write_model(const struct xfv_model *m, int fd, struct sha256_ctx *sha, struct xfv_err *e)
{
    struct xfv_writer *w;
    msgpack_object head;
    msgpack_zone *z = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE);
    if (!z) return xfv_fail(e, XFV_ENOMEM, "out of memory for a model's head");
    int status = xfv_writer_open(&w, fd, e);
    if (!status) {
        xfv_writer_tap(w, digest_more, sha);
        status = xfv_model_head_write(m, z, &head, e);
        if (!status) status = xfv_writer_head(w, NULL, NULL, &head, e);
        for (int i = 0; i < m->graph->n_weights && !status; i++) status = write_weight(w, &m->graph->weights[i], e);
        for (int i = 0; i < m->n_means && !status; i++) status = write_mean(w, m, &m->means[i], e);
        if (!status && m->norm.faces) status = write_norm(w, &m->norm, e);
        if (!status) status = xfv_writer_end(w, e);
        xfv_writer_close(w);
    }
    msgpack_zone_free(z);
    return status;
}

int xfv_model_save(struct xfv_model *m, int fd, struct xfv_err *e)
{
    int status = xfv_model_check(m, e);
    for (int i = 0; i < m->graph->n_weights && !status; i++) status = check_finite(&m->graph->weights[i], e);
    struct sha256_ctx sha;
    sha256_init(&sha);
    if (!status) status = set_digests(m, m->digest, m->former, e);
    if (!status) status = write_model(m, fd, &sha, e);
    if (!status) xfv_digest_finish(&sha, m->file);
    return status;
}

/* ---- use ---- */

/* Pixel i of the image, of colour p, to its place in x. */
static void put_pixel(const struct xfv_model *m, int bgr, size_t i, const float p[3], float *x)
{
    size_t h = (size_t)m->height, w = (size_t)m->width, c = (size_t)m->channels;
    float *q = x + (m->transposed ? i % w * h + i / w : i) * c;
    if (c == 1) {
        q[0] = (0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2] - m->mean[0]) / m->std[0];
        return;
    }
    for (size_t k = 0; k < 3; k++) q[k] = (p[bgr ? 2 - k : k] - m->mean[k]) / m->std[k];
}

void xfv_model_input(const struct xfv_model *m, const uint8_t *rgb, float *x)
{
    int bgr = strcmp(m->colour, "bgr") == 0;
    for (size_t i = 0; i < (size_t)m->height * (size_t)m->width; i++, rgb += 3) {
        float p[3] = {(float)rgb[0], (float)rgb[1], (float)rgb[2]};
        put_pixel(m, bgr, i, p, x);
    }
}

void xfv_model_input_f32(const struct xfv_model *m, const float *rgb, float *x)
{
    int bgr = strcmp(m->colour, "bgr") == 0;
    for (size_t i = 0; i < (size_t)m->height * (size_t)m->width; i++) put_pixel(m, bgr, i, rgb + 3 * i, x);
}

int xfv_model_threshold(const struct xfv_model *m, const char *name, double *value, struct xfv_err *e)
{
    char list[16 * 34] = "";
    for (int i = 0; i < m->n_thresholds; i++) {
        if (strcmp(m->thresholds[i].name, name) == 0) return *value = m->thresholds[i].value, 0;
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", m->thresholds[i].name);
    }
    if (!m->n_thresholds)
        return xfv_fail(e, XFV_EARG, "the model %s has no calibrated thresholds; give a number", m->name);
    return xfv_fail(e, XFV_EARG, "the model %s has no threshold '%.64s'; it has: %s", m->name, name, list);
}
