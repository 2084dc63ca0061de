/* model-info: what a model file holds, for eyes, for tables and for programs. */
#include <math.h>
#include <string.h>

#include "cli/table.h"
#include "base/escape.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "net/model/model.h"

struct info {
    FILE *f;
    int format; /* enum xfv_table_form; none: a text */
    struct xfv_table table;
};

static size_t parameters(const struct xfv_graph *g, const struct xfv_node *n)
{
    return (n->weight >= 0 ? g->weights[n->weight].count : 0) + (n->bias >= 0 ? g->weights[n->bias].count : 0);
}

static size_t all_parameters(const struct xfv_graph *g) /* a weight that two nodes share counts once */
{
    size_t sum = 0;
    for (int i = 0; i < g->n_weights; i++) sum += g->weights[i].count;
    return sum;
}

/* What distinguishes this node from others of its operator, in a few characters. */
static const char *detail(const struct xfv_graph *g, const struct xfv_node *n, char *buf, size_t cap)
{
    size_t at = 0;
    buf[0] = '\0';
    if (n->op == XFV_OP_ACT) snprintf(buf, cap, "%s", xfv_act_name(n->i[0]));
    if (n->op == XFV_OP_REDUCE) snprintf(buf, cap, "%s", xfv_reduce_name(n->i[0]));
    if (n->op != XFV_OP_CONV && n->op != XFV_OP_MAXPOOL && n->op != XFV_OP_AVGPOOL) return buf;
    at += (size_t)snprintf(buf + at, cap - at, "%dx%d", n->kernel[0], n->kernel[1]);
    if (n->stride[0] != 1 || n->stride[1] != 1)
        at += (size_t)snprintf(buf + at, cap - at, n->stride[0] == n->stride[1] ? "/%d" : "/%dx%d", n->stride[0],
                               n->stride[1]);
    if (n->dilation[0] != 1 || n->dilation[1] != 1)
        at += (size_t)snprintf(buf + at, cap - at, " dilation %dx%d", n->dilation[0], n->dilation[1]);
    struct xfv_shape in = g->values[n->in[0]].shape;
    if (n->groups > 1) snprintf(buf + at, cap - at, n->groups == in.dim[2] ? " depthwise" : " groups %d", n->groups);
    return buf;
}

/* Text from a file, made harmless for a terminal. */
static const char *shown(const char *s, char *buf, size_t cap)
{
    xfv_escape(buf, cap, s, strlen(s));
    return buf;
}

/* ---- text ---- */

static void text_channels(FILE *f, const float *v, int n)
{
    int same = n == 1 || !(v[0] < v[1] || v[0] > v[1] || v[0] < v[2] || v[0] > v[2]);
    if (same) fprintf(f, "%g", (double)v[0]);
    else fprintf(f, "[%g %g %g]", (double)v[0], (double)v[1], (double)v[2]);
}

static void text_meta(FILE *f, const struct xfv_model *m)
{
    char s[512], t[64];
    const struct xfv_graph *g = m->graph;
    fprintf(f, "name        %s\n", shown(m->name, s, sizeof s));
    fprintf(f, "network     %s\n", shown(m->kind, s, sizeof s));
    fprintf(f, "digest      %s\n", m->digest);
    fprintf(f, "file        sha256 %s\n", m->file);
    fprintf(f, "licence     %s\n", m->licence[0] ? shown(m->licence, s, sizeof s) : "not stated");
    fprintf(f, "origin      %s\n", m->origin[0] ? shown(m->origin, s, sizeof s) : "not stated");
    fprintf(f, "input       %d x %d pixels (width x height), %s, (v - ", m->width, m->height, m->colour);
    text_channels(f, m->mean, m->channels);
    fputs(") / ", f);
    text_channels(f, m->std, m->channels);
    fprintf(f, "%s\n", m->transposed ? ", transposed" : "");
    if (xfv_model_has_template(m)) {
        fputs("template   ", f);
        for (int i = 0; i < 5; i++) fprintf(f, " (%.4f, %.4f)", m->template_xy[2 * i], m->template_xy[2 * i + 1]);
        fputc('\n', f);
    }
    if (m->embedding >= 0)
        fprintf(f, "embedding   %s, %s, compared by %s\n", shown(g->values[m->embedding].name, s, sizeof s),
                xfv_shape_text(g->values[m->embedding].shape, t),
                m->score == XFV_SCORE_COSINE ? "cosine" : "Euclidean distance");
    if (m->embedding_normalised >= 0)
        fprintf(f, "normalised  %s\n", shown(g->values[m->embedding_normalised].name, s, sizeof s));
    for (int i = 0; i < g->n_outputs; i++)
        fprintf(f, "output      %s, %s\n", shown(g->values[g->outputs[i]].name, s, sizeof s),
                xfv_shape_text(g->values[g->outputs[i]].shape, t));
    for (int i = 0; i < m->n_thresholds; i++) {
        const struct xfv_threshold *h = &m->thresholds[i];
        fprintf(f, "threshold   %s: %g", shown(h->name, s, sizeof s), h->value);
        if (!isnan(h->fmr)) fprintf(f, ", FMR %g", h->fmr);
        if (!isnan(h->fmr_interval[0])) fprintf(f, " [%.2g, %.2g]", h->fmr_interval[0], h->fmr_interval[1]);
        if (!isnan(h->fnmr)) fprintf(f, ", FNMR %g", h->fnmr);
        if (!isnan(h->fnmr_interval[0])) fprintf(f, " [%.2g, %.2g]", h->fnmr_interval[0], h->fnmr_interval[1]);
        if (h->pairs) fprintf(f, ", %d pairs", h->pairs);
        if (h->genuine || h->impostor) fprintf(f, " (%d genuine, %d impostor)", h->genuine, h->impostor);
        if (h->data[0]) fprintf(f, "; %s", shown(h->data, s, sizeof s));
        fputc('\n', f);
    }
    if (m->calibration.bins)
        fprintf(f, "scores      of %ld genuine and %ld impostor pairs, from %g to %g in %d bins%s%s\n",
                xfv_histogram_total(&m->calibration, 1), xfv_histogram_total(&m->calibration, 0), m->calibration.low,
                m->calibration.high, m->calibration.bins, m->calibration.data[0] ? "; " : "",
                shown(m->calibration.data, s, sizeof s));
    for (int i = 0; i < m->n_means; i++) {
        fprintf(f, "mean        %s: over %d faces", shown(m->means[i].value, s, sizeof s), m->means[i].faces);
        fprintf(f, "%s%s\n", m->means[i].source[0] ? "; " : "", shown(m->means[i].source, s, sizeof s));
    }
    if (m->norm.faces)
        fprintf(f, "norm        of %d faces one in a hundred has an embedding shorter than %.4g%s%s\n", m->norm.faces,
                m->norm.low, m->norm.source[0] ? "; " : "", shown(m->norm.source, s, sizeof s));
}

static void text_graph(FILE *f, const struct xfv_graph *g)
{
    char s[256], d[64], t[64];
    int wide = 4;
    for (int i = 0; i < g->n_nodes; i++) {
        int n = (int)strlen(shown(g->nodes[i].name, s, sizeof s));
        if (n > wide) wide = n;
    }
    fprintf(f, "\n%-*s  %-9s  %-14s  %-12s  %10s  %13s\n", wide, "node", "operator", "", "output", "parameters",
            "multiply-adds");
    for (int i = 0; i < g->n_nodes; i++) {
        const struct xfv_node *n = &g->nodes[i];
        fprintf(f, "%-*s  %-9s  %-14s  %-12s  %10zu  %13.0f\n", wide, shown(n->name, s, sizeof s), xfv_op_name(n->op),
                detail(g, n, d, sizeof d), xfv_shape_text(g->values[n->out].shape, t), parameters(g, n),
                xfv_node_macs(g, n));
    }
    snprintf(s, sizeof s, "total: %d nodes", g->n_nodes);
    fprintf(f, "%-*s  %-9s  %-14s  %-12s  %10zu  %13.0f\n", wide, s, "", "", "", all_parameters(g), xfv_graph_macs(g));
}

static void tsv_graph(FILE *f, const struct xfv_graph *g)
{
    char s[4 * XFV_MAX_NAME + 1], d[64], t[64];
    fputs("node\toperator\tdetail\toutput\tparameters\tmultiply_adds\n", f);
    for (int i = 0; i < g->n_nodes; i++) {
        const struct xfv_node *n = &g->nodes[i];
        fprintf(f, "%s\t%s\t%s\t%s\t%zu\t%.0f\n", shown(n->name, s, sizeof s), xfv_op_name(n->op),
                detail(g, n, d, sizeof d), xfv_shape_text(g->values[n->out].shape, t), parameters(g, n),
                xfv_node_macs(g, n));
    }
}

/* ---- JSON ---- */

static void json_text(FILE *f, const char *key, const char *s)
{
    fprintf(f, "\"%s\":", key);
    xfv_json_text(f, s, strlen(s));
    fputc(',', f);
}

static void json_real(FILE *f, const char *key, double v)
{
    fprintf(f, "\"%s\":", key);
    xfv_json_real(f, v, 0);
    fputc(',', f);
}

static void json_reals(FILE *f, const char *key, const double *v, int n)
{
    fprintf(f, "\"%s\":[", key);
    for (int i = 0; i < n; i++) {
        if (i) fputc(',', f);
        xfv_json_real(f, v[i], 0);
    }
    fputs("],", f);
}

static void json_shape(FILE *f, const char *key, struct xfv_shape s)
{
    fprintf(f, "\"%s\":[", key);
    for (int i = 0; i < s.rank; i++) fprintf(f, "%s%d", i ? "," : "", s.dim[i]);
    fputs("],", f);
}

static void json_calibration(FILE *f, const struct xfv_histogram *h)
{
    static const char *const kinds[] = {"impostor", "genuine"};
    fputs("\"calibration\":{", f);
    json_text(f, "data", h->data);
    json_real(f, "low", h->low);
    json_real(f, "high", h->high);
    for (int k = 0; k < 2; k++) {
        fprintf(f, "\"%s\":[", kinds[k]);
        for (int i = 0; i < h->bins; i++) fprintf(f, "%s%d", i ? "," : "", h->count[k][i]);
        fputs(k ? "]},": "],", f);
    }
}

static void json_meta(FILE *f, const struct xfv_model *m)
{
    const struct xfv_graph *g = m->graph;
    json_text(f, "name", m->name);
    json_text(f, "network", m->kind);
    json_text(f, "digest", m->digest);
    json_text(f, "file", m->file);
    json_text(f, "licence", m->licence);
    json_text(f, "origin", m->origin);
    fprintf(f, "\"width\":%d,\"height\":%d,\"channels\":%d,\"transposed\":%s,", m->width, m->height, m->channels,
            m->transposed ? "true" : "false");
    json_text(f, "colour", m->colour);
    const double mean[] = {(double)m->mean[0], (double)m->mean[1], (double)m->mean[2]},
                 std[] = {(double)m->std[0], (double)m->std[1], (double)m->std[2]};
    json_reals(f, "mean", mean, m->channels);
    json_reals(f, "std", std, m->channels);
    if (xfv_model_has_template(m)) json_reals(f, "template", m->template_xy, 10);
    if (m->embedding >= 0) {
        json_text(f, "embedding", g->values[m->embedding].name);
        json_text(f, "score", m->score == XFV_SCORE_COSINE ? "cosine" : "euclidean");
    }
    if (m->embedding_normalised >= 0) json_text(f, "embedding_normalised", g->values[m->embedding_normalised].name);
    fputs("\"thresholds\":[", f);
    for (int i = 0; i < m->n_thresholds; i++) {
        const struct xfv_threshold *t = &m->thresholds[i];
        fputs(i ? ",{" : "{", f);
        json_text(f, "name", t->name);
        json_text(f, "data", t->data);
        json_real(f, "value", t->value);
        json_real(f, "fmr", t->fmr);
        json_real(f, "fnmr", t->fnmr);
        if (!isnan(t->fmr_interval[0])) json_reals(f, "fmr_interval", t->fmr_interval, 2);
        if (!isnan(t->fnmr_interval[0])) json_reals(f, "fnmr_interval", t->fnmr_interval, 2);
        if (t->genuine || t->impostor) fprintf(f, "\"genuine\":%d,\"impostor\":%d,", t->genuine, t->impostor);
        fprintf(f, "\"pairs\":%d}", t->pairs);
    }
    fputs("],", f);
    if (m->calibration.bins) json_calibration(f, &m->calibration);
    fputs("\"means\":[", f);
    for (int i = 0; i < m->n_means; i++) {
        fputs(i ? ",{" : "{", f);
        json_text(f, "value", m->means[i].value);
        json_text(f, "data", m->means[i].source);
        fprintf(f, "\"faces\":%d}", m->means[i].faces);
    }
    fputs("],", f);
    if (!m->norm.faces) return;
    fputs("\"norm\":{", f);
    json_text(f, "data", m->norm.source);
    json_real(f, "low", m->norm.low);
    fprintf(f, "\"faces\":%d},", m->norm.faces);
}

static void json_model(FILE *f, const struct xfv_model *m)
{
    const struct xfv_graph *g = m->graph;
    char d[64];
    fputc('{', f);
    json_meta(f, m);
    fputs("\"nodes\":[", f);
    for (int i = 0; i < g->n_nodes; i++) {
        const struct xfv_node *n = &g->nodes[i];
        fputs(i ? ",{" : "{", f);
        json_text(f, "name", n->name);
        json_text(f, "operator", xfv_op_name(n->op));
        json_text(f, "detail", detail(g, n, d, sizeof d));
        json_shape(f, "output", g->values[n->out].shape);
        fprintf(f, "\"parameters\":%zu,\"multiply_adds\":%.0f}", parameters(g, n), xfv_node_macs(g, n));
    }
    fprintf(f, "],\"parameters\":%zu,\"multiply_adds\":%.0f}\n", all_parameters(g), xfv_graph_macs(g));
}

/* ---- the program ---- */

static int show(struct info *o, const char *path, struct xfv_err *e)
{
    struct xfv_model *m;
    int status = xfv_model_load(path, &m, e);
    if (status) return status;
    if (o->format == XFV_TABLE_JSON) json_model(o->f, m);
    if (o->format != XFV_TABLE_JSON && o->format != XFV_TABLE_NONE) {
        FILE *f = xfv_table_open(&o->table, (enum xfv_table_form)o->format, NULL, o->f, e);
        if (f) tsv_graph(f, m->graph);
        status = f ? xfv_table_close(&o->table, e) : e->status;
    }
    if (o->format == XFV_TABLE_NONE) {
        text_meta(o->f, m);
        text_graph(o->f, m->graph);
    }
    xfv_model_free(m);
    return status;
}

int main(int argc, char **argv)
{
    static struct info o;
    static const struct xfv_opt opts[] = {
        {"tsv", 0, NULL, "the graph as a table: tab-separated, one line a node, a header first",
         0, XFV_TO_FLAG(struct info, format, XFV_TABLE_TSV)},
        {"csv", 0, NULL, "the same as CSV, for spreadsheets", 0, XFV_TO_FLAG(struct info, format, XFV_TABLE_CSV)},
        {"markdown", 0, NULL, "the same in Markdown", 0, XFV_TO_FLAG(struct info, format, XFV_TABLE_MARKDOWN)},
        {"latex", 0, NULL, "the same as a LaTeX tabular (booktabs)",
         0, XFV_TO_FLAG(struct info, format, XFV_TABLE_LATEX)},
        {"json", 0, NULL, "everything as one JSON object", 0, XFV_TO_FLAG(struct info, format, XFV_TABLE_JSON)},
        {0},
    };
    static const struct xfv_program program = {
        .name = "model-info",
        .summary = "what a model holds: graph, sizes, normalisation, thresholds",
        .operands = "[MODEL]",
        .example = "model-info --tsv mobilefacenet | sort -t \"$(printf '\\t')\" -k6nr | head",
        .flags = XFV_READS_MODELS,
        .opts = opts,
        .ctx = &o,
    };
    int exit_status, status;
    struct xfv_err e = {0};
    char **names;
    struct xfv_cli *c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!c) return exit_status;
    int n = xfv_cli_operands(c, &names);
    if (n > 1) status = xfv_fail(&e, XFV_EARG, "expected one model, found %d", n);
    else if (!(o.f = xfv_cli_out_file(c, &e))) status = e.status;
    else status = show(&o, n ? names[0] : NULL, &e);
    return xfv_cli_finish(c, status ? &e : NULL, XFV_EXIT_OK);
}
