#include "net/model/internal.h"
#include "stream/put.h"

#include <math.h>
#include <string.h>

static const char *const scores[] = {"cosine", "euclidean"};

/* ---- writing ---- */

static msgpack_object floats(msgpack_zone *z, const float *v, int n)
{
    double d[3] = {0};
    for (int i = 0; i < n; i++) d[i] = (double)v[i];
    return xfv_val_f64s(z, d, (size_t)n);
}

static int write_input(const struct xfv_model *m, msgpack_zone *z, msgpack_object *out, struct xfv_err *e)
{
    *out = xfv_val_map(z);
    struct xfv_put put = xfv_put_into(z, out, e);
    xfv_put_text(&put, "colour", m->colour);
    xfv_put(&put, "mean", floats(z, m->mean, m->channels));
    xfv_put(&put, "std", floats(z, m->std, m->channels));
    xfv_put_bool(&put, "transposed", m->transposed);
    return put.status;
}

static int write_thresholds(const struct xfv_model *m, msgpack_zone *z, msgpack_object *out, struct xfv_err *e)
{
    int status = 0;
    *out = xfv_array_of(z, m->n_thresholds);
    if (out->type == MSGPACK_OBJECT_NIL) return xfv_fail(e, XFV_ENOMEM, "out of memory for thresholds");
    for (int i = 0; i < m->n_thresholds && !status; i++) {
        const struct xfv_threshold *t = &m->thresholds[i];
        msgpack_object *o = &out->via.array.ptr[i];
        *o = xfv_val_map(z);
        struct xfv_put put = xfv_put_into(z, o, e);
        xfv_put_text(&put, "name", t->name);
        xfv_put_f64(&put, "value", t->value);
        if (!isnan(t->fmr)) xfv_put_f64(&put, "fmr", t->fmr);
        if (!isnan(t->fnmr)) xfv_put_f64(&put, "fnmr", t->fnmr);
        if (!isnan(t->fmr_interval[0])) xfv_put_f64s(&put, "fmr_interval", t->fmr_interval, 2);
        if (!isnan(t->fnmr_interval[0])) xfv_put_f64s(&put, "fnmr_interval", t->fnmr_interval, 2);
        xfv_put_int(&put, "pairs", t->pairs);
        if (t->genuine || t->impostor) xfv_put_int(&put, "genuine", t->genuine);
        if (t->genuine || t->impostor) xfv_put_int(&put, "impostor", t->impostor);
        xfv_put_text(&put, "data", t->data);
        status = put.status;
    }
    return status;
}

void xfv_model_put_use(const struct xfv_model *m, struct xfv_put *put)
{
    const struct xfv_value *values = m->graph->values;
    msgpack_object input = {0};
    int status = write_input(m, put->zone, &input, put->e);
    if (!put->status) put->status = status;
    xfv_put(put, "input", input);
    if (xfv_model_has_template(m)) xfv_put_f64s(put, "template", m->template_xy, 10);
    if (m->embedding >= 0) {
        xfv_put_text(put, "embedding", values[m->embedding].name);
        xfv_put_text(put, "score", scores[m->score]);
    }
    if (m->embedding_normalised >= 0)
        xfv_put_text(put, "embedding_normalised", values[m->embedding_normalised].name);
}

void xfv_model_put_graph(const struct xfv_model *m, struct xfv_put *put)
{
    msgpack_object graph = {0};
    int status = xfv_graph_write(m->graph, put->zone, &graph, put->e);
    if (!put->status) put->status = status;
    xfv_put(put, "graph", graph);
}

int xfv_model_head_write(const struct xfv_model *m, msgpack_zone *z, msgpack_object *out, struct xfv_err *e)
{
    msgpack_object thresholds;
    *out = xfv_val_map(z);
    int status = write_thresholds(m, z, &thresholds, e);
    if (status) return status;
    struct xfv_put put = xfv_put_into(z, out, e);
    xfv_put_text(&put, "kind", "model");
    xfv_put_text(&put, "name", m->name);
    xfv_put_text(&put, "network", m->kind);
    xfv_put_text(&put, "licence", m->licence);
    xfv_put_text(&put, "origin", m->origin);
    xfv_model_put_use(m, &put);
    xfv_put(&put, "thresholds", thresholds);
    if (!put.status && m->calibration.bins) put.status = xfv_histogram_put(&m->calibration, z, out, e);
    xfv_model_put_graph(m, &put);
    if (*m->former) {
        msgpack_object former = xfv_val_map(z);
        struct xfv_put inner = xfv_put_into(z, &former, e);
        xfv_put_text(&inner, "digest", m->digest);
        xfv_put_text(&inner, "file", m->former);
        xfv_put_filled(&put, "former", &inner);
    }
    return put.status;
}

/* ---- reading ---- */

static int read_input(struct xfv_model *m, const msgpack_object *o, struct xfv_err *e)
{
    double mean[3], std[3];
    int status = xfv_get_text(o, "colour", m->colour, sizeof m->colour, e);
    size_t n = strcmp(m->colour, "grey") == 0 ? 1 : 3;
    if (status || (status = xfv_get_f64s(o, "mean", mean, n, e)) || (status = xfv_get_f64s(o, "std", std, n, e)) ||
        (status = xfv_get_bool(o, "transposed", &m->transposed, e)))
        return xfv_fail_at(e, "key 'input'");
    for (size_t i = 0; i < n; i++) {
        if (!(mean[i] >= -1e6 && mean[i] <= 1e6) || !(std[i] >= 1e-6 && std[i] <= 1e6))
            return xfv_fail(e, XFV_EMODEL, "the input's normalisation (mean %g, std %g) is impossible", mean[i],
                            std[i]);
        m->mean[i] = (float)mean[i];
        m->std[i] = (float)std[i];
    }
    return 0;
}

/* An error rate that may be absent: not measured. */
static int read_rate(const msgpack_object *o, const char *key, double *rate, struct xfv_err *e)
{
    *rate = NAN;
    return xfv_map_get(o, key) ? xfv_get_f64(o, key, rate, e) : 0;
}

static int read_interval(const msgpack_object *o, const char *key, double v[2], struct xfv_err *e)
{
    return xfv_map_get(o, key) ? xfv_get_f64s(o, key, v, 2, e) : 0;
}

static int read_count(const msgpack_object *o, const char *key, int *n, struct xfv_err *e)
{
    int64_t v = 0;
    int status = xfv_map_get(o, key) ? xfv_get_int(o, key, &v, e) : 0;
    *n = v >= 0 && v <= INT32_MAX ? (int)v : -1;
    return status;
}

static int read_thresholds(struct xfv_model *m, const msgpack_object *o, struct xfv_err *e)
{
    const uint32_t max = sizeof m->thresholds / sizeof *m->thresholds;
    if (!o || o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size > max)
        return xfv_fail(e, XFV_EMODEL, "key 'thresholds' should be a list of at most %u", max);
    for (; m->n_thresholds < (int)o->via.array.size; m->n_thresholds++) {
        struct xfv_threshold *t = &m->thresholds[m->n_thresholds];
        const msgpack_object *from = &o->via.array.ptr[m->n_thresholds];
        int64_t pairs;
        int status;
        *t = xfv_threshold_new();
        if ((status = xfv_get_text(from, "name", t->name, sizeof t->name, e)) ||
            (status = xfv_get_f64(from, "value", &t->value, e)) || (status = read_rate(from, "fmr", &t->fmr, e)) ||
            (status = read_rate(from, "fnmr", &t->fnmr, e)) || (status = xfv_get_int(from, "pairs", &pairs, e)) ||
            (status = xfv_get_text(from, "data", t->data, sizeof t->data, e)) ||
            (status = read_interval(from, "fmr_interval", t->fmr_interval, e)) ||
            (status = read_interval(from, "fnmr_interval", t->fnmr_interval, e)) ||
            (status = read_count(from, "genuine", &t->genuine, e)) ||
            (status = read_count(from, "impostor", &t->impostor, e)))
            return xfv_fail_at(e, "threshold %d", m->n_thresholds);
        t->pairs = pairs >= 0 && pairs <= INT32_MAX ? (int)pairs : -1;
    }
    return 0;
}

/* Index of the value that key names; -1 when the key is absent. */
static int read_value_name(const struct xfv_model *m, const msgpack_object *head, const char *key, int *index,
                           struct xfv_err *e)
{
    char name[XFV_MAX_NAME + 1];
    *index = -1;
    if (!xfv_map_get(head, key)) return 0;
    int status = xfv_get_text(head, key, name, sizeof name, e);
    if (status) return status;
    *index = xfv_graph_find(m->graph, name);
    return *index >= 0 ? 0 : xfv_fail(e, XFV_EMODEL, "key '%s' names '%s', which is not in the graph", key, name);
}

/* m->digest is what the file says, until it is computed. */
static int read_former(struct xfv_model *m, const msgpack_object *o, struct xfv_err *e)
{
    if (!o) return 0;
    int status = xfv_get_text(o, "digest", m->digest, sizeof m->digest, e);
    if (!status) status = xfv_get_text(o, "file", m->former, sizeof m->former, e);
    return status ? xfv_fail_at(e, "key 'former'") : 0;
}

int xfv_model_head_read(struct xfv_model *m, const msgpack_object *head, struct xfv_err *e)
{
    char text[16];
    int status;
    if (xfv_get_text(head, "kind", text, sizeof text, e) || strcmp(text, "model") != 0)
        return xfv_fail(e, XFV_EMODEL, "this is a stream, but not a model (its head does not say kind: model)");
    if ((status = xfv_graph_read(m->graph, xfv_map_get(head, "graph"), e)) ||
        (status = xfv_get_text(head, "name", m->name, sizeof m->name, e)) ||
        (status = xfv_get_text(head, "network", m->kind, sizeof m->kind, e)) ||
        (status = xfv_get_text(head, "licence", m->licence, sizeof m->licence, e)) ||
        (status = xfv_get_text(head, "origin", m->origin, sizeof m->origin, e)) ||
        (status = read_input(m, xfv_map_get(head, "input"), e)) ||
        (status = read_thresholds(m, xfv_map_get(head, "thresholds"), e)) ||
        (status = read_value_name(m, head, "embedding", &m->embedding, e)) ||
        (status = read_value_name(m, head, "embedding_normalised", &m->embedding_normalised, e)))
        return status;
    if ((status = xfv_histogram_get(head, &m->calibration, e))) return status;
    if (xfv_map_get(head, "template") && (status = xfv_get_f64s(head, "template", m->template_xy, 10, e)))
        return status;
    if ((status = read_former(m, xfv_map_get(head, "former"), e))) return status;
    if (!xfv_map_get(head, "score")) return 0;
    if ((status = xfv_get_text(head, "score", text, sizeof text, e))) return status;
    for (int i = 0; i < 2; i++)
        if (strcmp(text, scores[i]) == 0) return m->score = (enum xfv_score)i, 0;
    return xfv_fail(e, XFV_EMODEL, "the score '%s' is not known", text);
}
