#include "net/model/internal.h"

#include <math.h>
#include <string.h>

static const char *const scores[] = {"cosine", "euclidean"};

/* ---- writing ---- */

static int put(msgpack_zone *z, msgpack_object *map, const char *key, msgpack_object v, int *st, struct xfv_err *e)
{
    if (*st == 0) *st = xfv_map_put(z, map, key, v, e);
    return *st;
}

static msgpack_object floats(msgpack_zone *z, const float *v, int n)
{
    double d[3] = {0};
    for (int i = 0; i < n; i++) d[i] = (double)v[i];
    return xfv_val_f64s(z, d, (size_t)n);
}

static int write_input(const struct xfv_model *m, msgpack_zone *z, msgpack_object *out, struct xfv_err *e)
{
    int status = 0;
    *out = xfv_val_map(z);
    put(z, out, "colour", xfv_val_str(z, m->colour), &status, e);
    put(z, out, "mean", floats(z, m->mean, m->channels), &status, e);
    put(z, out, "std", floats(z, m->std, m->channels), &status, e);
    return put(z, out, "transposed", xfv_val_bool(m->transposed), &status, e);
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
        put(z, o, "name", xfv_val_str(z, t->name), &status, e);
        put(z, o, "value", xfv_val_f64(t->value), &status, e);
        if (!isnan(t->fmr)) put(z, o, "fmr", xfv_val_f64(t->fmr), &status, e);
        if (!isnan(t->fnmr)) put(z, o, "fnmr", xfv_val_f64(t->fnmr), &status, e);
        if (!isnan(t->fmr_interval[0])) put(z, o, "fmr_interval", xfv_val_f64s(z, t->fmr_interval, 2), &status, e);
        if (!isnan(t->fnmr_interval[0])) put(z, o, "fnmr_interval", xfv_val_f64s(z, t->fnmr_interval, 2), &status, e);
        put(z, o, "pairs", xfv_val_int(t->pairs), &status, e);
        if (t->genuine || t->impostor) put(z, o, "genuine", xfv_val_int(t->genuine), &status, e);
        if (t->genuine || t->impostor) put(z, o, "impostor", xfv_val_int(t->impostor), &status, e);
        put(z, o, "data", xfv_val_str(z, t->data), &status, e);
    }
    return status;
}

int xfv_model_head_write(const struct xfv_model *m, msgpack_zone *z, msgpack_object *out, struct xfv_err *e)
{
    const struct xfv_graph *g = m->graph;
    msgpack_object input, thresholds, graph;
    int status;
    *out = xfv_val_map(z);
    if ((status = write_input(m, z, &input, e)) || (status = write_thresholds(m, z, &thresholds, e)) || (status = xfv_graph_write(g, z, &graph, e))) return status;
    put(z, out, "kind", xfv_val_str(z, "model"), &status, e);
    put(z, out, "name", xfv_val_str(z, m->name), &status, e);
    put(z, out, "network", xfv_val_str(z, m->kind), &status, e);
    put(z, out, "licence", xfv_val_str(z, m->licence), &status, e);
    put(z, out, "origin", xfv_val_str(z, m->origin), &status, e);
    put(z, out, "input", input, &status, e);
    if (xfv_model_has_template(m)) put(z, out, "template", xfv_val_f64s(z, m->template_xy, 10), &status, e);
    if (m->embedding >= 0) {
        put(z, out, "embedding", xfv_val_str(z, g->values[m->embedding].name), &status, e);
        put(z, out, "score", xfv_val_str(z, scores[m->score]), &status, e);
    }
    if (m->embedding_normalised >= 0) put(z, out, "embedding_normalised", xfv_val_str(z, g->values[m->embedding_normalised].name), &status, e);
    put(z, out, "thresholds", thresholds, &status, e);
    if (!status && m->calibration.bins) status = xfv_histogram_put(&m->calibration, z, out, e);
    return put(z, out, "graph", graph, &status, e);
}

/* ---- reading ---- */

static int read_input(struct xfv_model *m, const msgpack_object *o, struct xfv_err *e)
{
    double mean[3], std[3];
    int status = xfv_get_text(o, "colour", m->colour, sizeof m->colour, e);
    size_t n = strcmp(m->colour, "grey") == 0 ? 1 : 3;
    if (status || (status = xfv_get_f64s(o, "mean", mean, n, e)) || (status = xfv_get_f64s(o, "std", std, n, e)) || (status = xfv_get_bool(o, "transposed", &m->transposed, e)))
        return xfv_fail_at(e, "key 'input'");
    for (size_t i = 0; i < n; i++) {
        if (!(mean[i] >= -1e6 && mean[i] <= 1e6) || !(std[i] >= 1e-6 && std[i] <= 1e6))
            return xfv_fail(e, XFV_EMODEL, "the input's normalisation (mean %g, std %g) is impossible", mean[i], std[i]);
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
        if ((status = xfv_get_text(from, "name", t->name, sizeof t->name, e)) || (status = xfv_get_f64(from, "value", &t->value, e)) ||
            (status = read_rate(from, "fmr", &t->fmr, e)) || (status = read_rate(from, "fnmr", &t->fnmr, e)) ||
            (status = xfv_get_int(from, "pairs", &pairs, e)) || (status = xfv_get_text(from, "data", t->data, sizeof t->data, e)) ||
            (status = read_interval(from, "fmr_interval", t->fmr_interval, e)) || (status = read_interval(from, "fnmr_interval", t->fnmr_interval, e)) ||
            (status = read_count(from, "genuine", &t->genuine, e)) || (status = read_count(from, "impostor", &t->impostor, e)))
            return xfv_fail_at(e, "threshold %d", m->n_thresholds);
        t->pairs = pairs >= 0 && pairs <= INT32_MAX ? (int)pairs : -1;
    }
    return 0;
}

/* Index of the value that key names; -1 when the key is absent. */
static int read_value_name(const struct xfv_model *m, const msgpack_object *head, const char *key, int *index, struct xfv_err *e)
{
    char name[XFV_MAX_NAME + 1];
    *index = -1;
    if (!xfv_map_get(head, key)) return 0;
    int status = xfv_get_text(head, key, name, sizeof name, e);
    if (status) return status;
    *index = xfv_graph_find(m->graph, name);
    return *index >= 0 ? 0 : xfv_fail(e, XFV_EMODEL, "key '%s' names '%s', which the graph has not", key, name);
}

int xfv_model_head_read(struct xfv_model *m, const msgpack_object *head, struct xfv_err *e)
{
    char text[16];
    int status;
    if (xfv_get_text(head, "kind", text, sizeof text, e) || strcmp(text, "model") != 0)
        return xfv_fail(e, XFV_EMODEL, "this is a stream, but not a model (its head does not say kind: model)");
    if ((status = xfv_graph_read(m->graph, xfv_map_get(head, "graph"), e)) || (status = xfv_get_text(head, "name", m->name, sizeof m->name, e)) ||
        (status = xfv_get_text(head, "network", m->kind, sizeof m->kind, e)) || (status = xfv_get_text(head, "licence", m->licence, sizeof m->licence, e)) ||
        (status = xfv_get_text(head, "origin", m->origin, sizeof m->origin, e)) || (status = read_input(m, xfv_map_get(head, "input"), e)) ||
        (status = read_thresholds(m, xfv_map_get(head, "thresholds"), e)) || (status = read_value_name(m, head, "embedding", &m->embedding, e)) ||
        (status = read_value_name(m, head, "embedding_normalised", &m->embedding_normalised, e)))
        return status;
    if ((status = xfv_histogram_get(head, &m->calibration, e))) return status;
    if (xfv_map_get(head, "template") && (status = xfv_get_f64s(head, "template", m->template_xy, 10, e))) return status;
    if (!xfv_map_get(head, "score")) return 0;
    if ((status = xfv_get_text(head, "score", text, sizeof text, e))) return status;
    for (int i = 0; i < 2; i++)
        if (strcmp(text, scores[i]) == 0) return m->score = (enum xfv_score)i, 0;
    return xfv_fail(e, XFV_EMODEL, "the score '%s' is not known", text);
}
