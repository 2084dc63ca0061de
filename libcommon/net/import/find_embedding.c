#include <stdio.h>
#include <string.h>

#include "net/import/import.h"

static const struct xfv_node *producer(const struct xfv_graph *g, int value)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].out == value) return &g->nodes[i];
    return NULL;
}

/* The value that v is another name for: back through reshapes. */
static int behind_reshapes(const struct xfv_graph *g, int v)
{
    const struct xfv_node *n;
    while ((n = producer(g, v)) && n->op == XFV_OP_RESHAPE) v = n->in[0];
    return v;
}

static size_t elements(const struct xfv_graph *g, int value) { return xfv_shape_count(g->values[value].shape); }

/* The output that is the embedding, or a negative status: the only one with more than one number (some networks also
 * give the embedding's norm). */
static int embedding_output(const struct xfv_graph *g, struct xfv_err *e)
{
    int found = -1, n = 0;
    char list[300] = "";
    for (int i = 0; i < g->n_outputs; i++) {
        size_t at = strlen(list);
        if (at < sizeof list - 120)
            snprintf(list + at, sizeof list - at, "%s'%.100s'", i ? ", " : "", g->values[g->outputs[i]].name);
        if (elements(g, g->outputs[i]) < 2) continue;
        found = g->outputs[i];
        n++;
    }
    return n == 1
               ? found
               : xfv_fail(e, XFV_EMODEL, "the network has %d outputs (%s): say with --embedding which is the embedding",
                          g->n_outputs, list);
}

/* The l2norm, or division by a norm, that v is the outcome of: the value before it; or -1. */
static int before_normalisation(const struct xfv_graph *g, int v)
{
    const struct xfv_node *n = producer(g, behind_reshapes(g, v));
    return n && n->op == XFV_OP_L2NORM ? behind_reshapes(g, n->in[0]) : -1;
}

static int l2norm_of(const struct xfv_graph *g, int v)
{
    v = behind_reshapes(g, v);
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i].op == XFV_OP_L2NORM && behind_reshapes(g, g->nodes[i].in[0]) == v) return g->nodes[i].out;
    return -1;
}

/* The value before normalisation; a negative status. */
static int raw_embedding(const struct xfv_graph *g, const char *name, struct xfv_err *e)
{
    if (name) {
        int named = xfv_graph_find(g, name);
        return named >= 0 ? named : xfv_fail(e, XFV_EMODEL, "the network has no value '%.200s' (--embedding)", name);
    }
    int out = embedding_output(g, e), before = out < 0 ? -1 : before_normalisation(g, out);
    return before >= 0 ? before : out;
}

int xfv_find_embedding(const struct xfv_graph *g, const char *embedding, const char *normalised, int *raw, int *unit,
                       struct xfv_err *e)
{
    int v = raw_embedding(g, embedding, e);
    if (v < 0) return v;
    if (v == 0 || elements(g, v) < 2 || elements(g, v) > 65536)
        return xfv_fail(e, XFV_EMODEL, "'%.200s' is not an embedding: it has %zu numbers", g->values[v].name,
                        elements(g, v));
    *raw = v;
    *unit = normalised ? xfv_graph_find(g, normalised) : l2norm_of(g, v);
    return normalised && *unit < 0
               ? xfv_fail(e, XFV_EMODEL, "the network has no value '%.200s' (--normalised)", normalised)
               : 0;
}
