#include "net/import/limits.h"

#include <stdio.h>

int xfv_within(const struct xfv_graph *g, int v, float lo, float hi)
{
    while (v > 0 && v <= g->n_nodes &&
           g->nodes[v - 1].out == v) { /* an importer adds a value and its node together, behind the input */
        const struct xfv_node *n = &g->nodes[v - 1];
        if (n->op == XFV_OP_ACT && n->i[0] == XFV_ACT_CLIP) return n->f[0] >= lo && n->f[1] <= hi;
        if (n->op != XFV_OP_RESHAPE && n->op != XFV_OP_TRANSPOSE && n->op != XFV_OP_SLICE && n->op != XFV_OP_MAXPOOL)
            return 0;
        v = n->in[0];
    }
    return 0;
}

void xfv_quantiser_note(int quantisers, char *note, size_t size)
{
    snprintf(note, size, "%d quantisers of activations became limits: the network runs in floating point, within them",
             quantisers);
}
