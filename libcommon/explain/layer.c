#include "explain/layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"

#define AUTO_ROWS 12 /* finer maps are noisier, coarser ones blur: 14x14 of 112x112 was best in docs/evidence.md */

/* Where the cells of a value lie on the input; known 0: the value has no such geometry (a vector, a transposed map,
 * ...). */
struct place { int known; double origin[2], step[2], field[2]; };

struct walk {
    const struct xfv_graph *g;
    int embedding;
    struct place *place;    /* of every value */
    unsigned char *need;    /* values on the way to the embedding */
    unsigned char *bends;   /* values between which and the embedding something is not affine */
    int *last_use;          /* the last needed node that reads a value, -1 */
};

/* ---- geometry ---- */

/* A window of `kernel` cells, `dilation` apart, moved by `stride`, beginning `pad` cells before the first. */
static void slide(struct place *p, int axis, int kernel, int dilation, int stride, int pad)
{
    double reach = (double)(kernel - 1) * dilation;
    p->origin[axis] += p->step[axis] * (reach / 2 - pad);
    p->field[axis] += p->step[axis] * reach;
    p->step[axis] *= stride;
}

/* Of several inputs the one that sees most: a shortcut's grid is the main branch's, its own field is smaller. */
static struct place widest(const struct walk *w, const struct xfv_node *n)
{
    struct place best = {0};
    struct xfv_shape out = w->g->values[n->out].shape;
    for (int i = 0; i < n->n_in; i++) {
        const struct place *p = &w->place[n->in[i]];
        struct xfv_shape in = w->g->values[n->in[i]].shape;
        /* a gate [1,1,C] says nothing of where */
        if (!p->known || in.dim[0] != out.dim[0] || in.dim[1] != out.dim[1]) continue;
        if (!best.known || p->field[0] > best.field[0]) best = *p;
    }
    return best;
}

static struct place place_of(const struct walk *w, const struct xfv_node *n)
{
    struct place p = {0};
    if (n->n_in < 1 || w->g->values[n->out].shape.rank != 3) return p;
    const struct place *in = &w->place[n->in[0]];
    switch (n->op) {
    case XFV_OP_CONV: case XFV_OP_MAXPOOL: case XFV_OP_AVGPOOL:
        p = *in;
        for (int a = 0; a < 2 && p.known; a++) slide(&p, a, n->kernel[a], n->dilation[a], n->stride[a], n->pads[a]);
        return p;
    case XFV_OP_PAD:
        p = *in;
        for (int a = 0; a < 2 && p.known; a++) p.origin[a] -= p.step[a] * n->pads[a];
        return p;
    case XFV_OP_SLICE:
        p = *in;
        if (p.known && n->i[0] >= 0 && n->i[0] < 2) p.origin[n->i[0]] += p.step[n->i[0]] * n->i[1];
        return p;
    case XFV_OP_CONCAT: /* along the rows or columns there is no one grid any more */
        return n->i[0] == 2 ? widest(w, n) : p;
    case XFV_OP_PRELU:
    case XFV_OP_RELU:
    case XFV_OP_AFFINE:
    case XFV_OP_ACT:
    case XFV_OP_ADD:
    case XFV_OP_SUB:
    case XFV_OP_MUL:
    case XFV_OP_DIV:
    case XFV_OP_MAX:
    case XFV_OP_MIN:
    case XFV_OP_POWER:
    case XFV_OP_MOD:
    case XFV_OP_COMPARE:
    case XFV_OP_SELECT:
    case XFV_OP_LAYERNORM:
        return widest(w, n);
    default:
        return p;
    }
}

/* ---- the way to the embedding ---- */

/* Does this node keep its output affine in its inputs? Products and sums with constants do; the graph's constants are
 * nodes of their own. */
static int is_affine(const struct walk *w, const struct xfv_node *n)
{
    switch (n->op) {
    case XFV_OP_CONV:
    case XFV_OP_DENSE:
    case XFV_OP_ADD:
    case XFV_OP_SUB:
    case XFV_OP_RESHAPE:
    case XFV_OP_AVGPOOL:
    case XFV_OP_AFFINE:
    case XFV_OP_TRANSPOSE: case XFV_OP_CONCAT: case XFV_OP_SLICE: case XFV_OP_PAD: case XFV_OP_CONST:
    case XFV_OP_SPARSE:
        return 1;
    case XFV_OP_REDUCE:
        return n->i[0] == XFV_REDUCE_MEAN || n->i[0] == XFV_REDUCE_SUM;
    case XFV_OP_MUL: case XFV_OP_DIV: { /* by a constant only */
        int second = n->n_in == 2 ? n->in[1] : -1;
        for (int i = 0; i < w->g->n_nodes && second >= 0; i++)
            if (w->g->nodes[i].out == second) return w->g->nodes[i].op == XFV_OP_CONST;
        return 0;
    }
    default:
        return 0;
    }
}

static void look(struct walk *w)
{
    const struct xfv_graph *g = w->g;
    struct xfv_shape in = g->values[0].shape;
    w->need[w->embedding] = 1;
    for (int i = 0; i < g->n_values; i++) w->last_use[i] = -1;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        const struct xfv_node *n = &g->nodes[i];
        if (!w->need[n->out]) continue;
        int bends = w->bends[n->out] || !is_affine(w, n);
        for (int j = 0; j < n->n_in; j++) {
            w->need[n->in[j]] = 1;
            w->bends[n->in[j]] = w->bends[n->in[j]] || bends;
            if (w->last_use[n->in[j]] < i) w->last_use[n->in[j]] = i;
        }
    }
    if (in.rank == 3) w->place[0] = (struct place){1, {0, 0}, {1, 1}, {1, 1}};
    for (int i = 0; i < g->n_nodes; i++) w->place[g->nodes[i].out] = place_of(w, &g->nodes[i]);
}

/* All feature maps that nothing goes round, in the graph's order: after node i, no earlier value but node i's own is
 * read any more. */
static int list_cuts(const struct walk *w, struct xfv_layer *out)
{
    const struct xfv_graph *g = w->g;
    int n = 0, open = w->last_use[0]; /* the last node that reads any value made so far */
    for (int i = 0; i < g->n_nodes; i++) {
        int v = g->nodes[i].out;
        struct xfv_shape s = g->values[v].shape;
        const struct place *p = &w->place[v];
        if (!w->need[v]) continue;
        if (open <= i && p->known && s.dim[0] * s.dim[1] > 1 && v != w->embedding)
            out[n++] = (struct xfv_layer){v,
                                          s.dim[0],
                                          s.dim[1],
                                          s.dim[2],
                                          {p->origin[0], p->origin[1]},
                                          {p->step[0], p->step[1]},
                                          {p->field[0], p->field[1]},
                                          !w->bends[v]};
        if (g->nodes[i].op != XFV_OP_CONST && w->last_use[v] > open) open = w->last_use[v];
    }
    return n;
}

static int list_layers(const struct xfv_graph *g, int embedding, struct xfv_layer **out, int *n, struct xfv_err *e)
{
    size_t values = (size_t)g->n_values;
    struct walk w = {g,
                     embedding,
                     calloc(values, sizeof *w.place),
                     calloc(values, 1),
                     calloc(values, 1),
                     calloc(values, sizeof *w.last_use)};
    *out = calloc(values, sizeof **out);
    int ok = w.place && w.need && w.bends && w.last_use && *out;
    if (ok) {
        look(&w);
        *n = list_cuts(&w, *out);
    }
    free(w.place);
    free(w.need);
    free(w.bends);
    free(w.last_use);
    if (ok) return 0;
    free(*out);
    return xfv_fail(e, XFV_ENOMEM, "out of memory");
}

/* ---- choosing ---- */

/* The last layer of this grid, or of those with as few channels as any. */
static const struct xfv_layer *narrowest(const struct xfv_layer *l, int n, int h, int w)
{
    const struct xfv_layer *best = NULL;
    for (int i = 0; i < n; i++)
        if (l[i].h == h && l[i].w == w && (!best || l[i].c <= best->c)) best = &l[i];
    return best;
}

static const struct xfv_layer *choose(const struct xfv_graph *g, const struct xfv_layer *l, int n, const char *name)
{
    int h, w;
    char end;
    int automatic = !strcmp(name, XFV_LAYER_AUTO), fine = !strcmp(name, XFV_LAYER_FINE);
    if (automatic || fine) {
        const struct xfv_layer *last = NULL;
        for (int i = 0; i < n; i++)
            if (l[i].h >= AUTO_ROWS * (1 + fine) && l[i].h < g->values[0].shape.dim[0]) last = &l[i];
        return last ? narrowest(l, n, last->h, last->w) : n && automatic ? &l[n - 1] : NULL;
    }
    if (!strcmp(name, XFV_LAYER_CELLS)) return n && l[n - 1].linear ? &l[n - 1] : NULL;
    if (sscanf(name, "%5dx%5d%c", &h, &w, &end) == 2) return narrowest(l, n, h, w);
    int value = xfv_graph_find(g, name);
    for (int i = 0; i < n; i++)
        if (l[i].value == value) return &l[i];
    return NULL;
}

/* The grids there are, coarse words for the message. */
static void list_grids(const struct xfv_layer *l, int n, char *text, size_t cap)
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < n && at < cap; i++)
        if (i == 0 || l[i].h != l[i - 1].h || l[i].w != l[i - 1].w)
            at += (size_t)snprintf(text + at, cap - at, "%s%dx%d", at ? ", " : "", l[i].h, l[i].w);
}

int xfv_layer_find(const struct xfv_graph *g, int embedding, const char *name, struct xfv_layer *out, struct xfv_err *e)
{
    struct xfv_layer *l;
    int n = 0;
    char grids[256];
    if (embedding < 1 || embedding >= g->n_values)
        return xfv_fail(e, XFV_EMODEL, "the model names no embedding: it is not an embedding network");
    int status = list_layers(g, embedding, &l, &n, e);
    if (status) return status;
    const struct xfv_layer *found = choose(g, l, n, name);
    list_grids(l, n, grids, sizeof grids);
    if (found) *out = *found;
    else if (!n) status = xfv_fail(e, XFV_EMODEL, "the network has no feature map that everything flows through");
    else if (!strcmp(name, XFV_LAYER_CELLS))
        status = xfv_fail(e, XFV_EARG, "the embedding is not a linear function of the network's last feature map");
    else
        status = xfv_fail(e, XFV_EARG, "the network has no layer '%.128s' that everything flows through; its grids: %s",
                          name, grids);
    free(l);
    return status;
}

/* ---- cells on the image ---- */

/* The two cells around pixel p and the share of the second. */
static void between(double origin, double step, int n, int p, int *i, int *j, double *share)
{
    double at = (p - origin) / step;
    if (at < 0) at = 0;
    if (at > n - 1) at = n - 1;
    *i = xfv_to_int(at, 0, n - 1);
    *j = *i + 1 < n ? *i + 1 : *i;
    *share = at - *i;
}

void xfv_layer_upsample(const struct xfv_layer *l, const float *cells, int height, int width, float *map)
{
    double scale = 1 / (l->step[0] * l->step[1]);
    int top, bottom, left, right;
    double down, across;
    for (int y = 0; y < height; y++) {
        between(l->origin[0], l->step[0], l->h, y, &top, &bottom, &down);
        const float *upper = cells + (size_t)top * (size_t)l->w, *lower = cells + (size_t)bottom * (size_t)l->w;
        for (int x = 0; x < width; x++) {
            between(l->origin[1], l->step[1], l->w, x, &left, &right, &across);
            double u = (double)upper[left] * (1 - across) + (double)upper[right] * across;
            double v = (double)lower[left] * (1 - across) + (double)lower[right] * across;
            map[(size_t)y * (size_t)width + (size_t)x] = (float)((u * (1 - down) + v * down) * scale);
        }
    }
}

void xfv_layer_lay(const struct xfv_layer *l, const float *cells, int height, int width, int transposed, float *spare,
                   float *map)
{
    if (!transposed) {
        xfv_layer_upsample(l, cells, height, width, map);
        return;
    }
    xfv_layer_upsample(l, cells, width, height, spare);
    for (int i = 0; i < height; i++)
        for (int j = 0; j < width; j++)
            map[(size_t)i * (size_t)width + (size_t)j] = spare[(size_t)j * (size_t)height + (size_t)i];
}
