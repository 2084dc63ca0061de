/* model-randomise: a network whose last layers have forgotten what they learnt, for testing explanations. See
 * model-randomise(1). */
#include <limits.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "base/random.h"
#include "net/model/model.h"

struct randomise { int last; uint64_t seed; };

static int is_learnt(const struct xfv_node *n)
{
    return n->op == XFV_OP_CONV || n->op == XFV_OP_DENSE;
}

/* Permute the numbers: their distribution stays, so that activations stay in range. */
static void shuffle(struct xfv_weight *w, struct xfv_random *r)
{
    for (size_t i = w->count; i > 1; i--) {
        size_t j = xfv_random_below(r, (uint32_t)i);
        float t = w->data[i - 1];
        w->data[i - 1] = w->data[j];
        w->data[j] = t;
    }
}

/* The first node that loses its weights: the last-th convolution or dense layer from the end. */
static int first_node(const struct xfv_graph *g, int last)
{
    int first = g->n_nodes;
    for (int i = g->n_nodes - 1; i >= 0 && last > 0; i--)
        if (is_learnt(&g->nodes[i])) first = i, last--;
    return first;
}

/* A mean of a value that the changed layers feed is not the new network's. */
static int drop_means(struct xfv_model *m, int first)
{
    int kept = 0, dropped = 0;
    for (int i = 0; i < m->n_means; i++) {
        int value = xfv_graph_find(m->graph, m->means[i].value), made = -1;
        for (int n = 0; n < m->graph->n_nodes; n++)
            if (m->graph->nodes[n].out == value) made = n;
        if (made < first) {
            m->means[kept++] = m->means[i];
            continue;
        }
        free(m->means[i].value);
        free(m->means[i].data);
        dropped++;
    }
    m->n_means = kept;
    return dropped;
}

static int run(struct xfv_cli *c, const struct randomise *t, struct xfv_err *e)
{
    struct xfv_model *m = NULL;
    struct xfv_random r = xfv_random_new(t->seed, NULL, 0);
    int status = xfv_model_load(xfv_cli_model(c), &m, e), n = 0;
    if (status) return status;
    const struct xfv_graph *g = m->graph;
    int first = first_node(g, t->last);
    for (int i = first; i < g->n_nodes; i++) {
        const struct xfv_node *node = &g->nodes[i];
        if (!is_learnt(node)) continue;
        n++;
        if (node->weight >= 0) shuffle(&g->weights[node->weight], &r);
        if (node->bias >= 0) shuffle(&g->weights[node->bias], &r);
    }
    int dropped = drop_means(m, first);
    m->n_thresholds = 0; /* measured on another network, as these scores are */
    m->calibration = (struct xfv_histogram){0};
    xfv_cli_info(c, "%d layers shuffled, from '%s' on; %d means dropped", n,
                 first < g->n_nodes ? g->nodes[first].name : "", dropped);
    int fd = xfv_cli_out_fd(c, e);
    status = fd < 0 ? fd : xfv_model_save(m, fd, e);
    xfv_model_free(m);
    return status;
}

static const struct xfv_opt options[] = {
    {"last", 'n', "N", "shuffle the weights of the last N convolutions and dense layers (default: all)",
     0, XFV_TO_INT(struct randomise, last, 1, INT_MAX)},
    {"seed", 0, "N", "start of the generator of random numbers (default 0)", 0, XFV_TO_SEED(struct randomise, seed)},
    {0},
};

int main(int argc, char **argv)
{
    static struct randomise t = {.last = INT_MAX};
    static const struct xfv_program program = {
        .name = "model-randomise",
        .summary = "Shuffle the weights of a network's last layers, to see whether explanations notice: a model out.",
        .operands = "",
        .example = "model-randomise --last 1 -o broken.xfvm",
        .flags = XFV_WRITES_MODEL | XFV_TAKES_MODEL | XFV_WRITES_BINARY | XFV_READS_MODELS,
        .opts = options,
        .ctx = &t,
    };
    struct xfv_err e = {0};
    int exit_status, status;
    char **names;
    struct xfv_cli *c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!c) return exit_status;
    if (xfv_cli_operands(c, &names))
        status = xfv_fail(&e, XFV_EARG, "expected no operand, found '%s' (the model is named with -m)", names[0]);
    else status = run(c, &t, &e);
    return xfv_cli_finish(c, status ? &e : NULL, XFV_EXIT_OK);
}
