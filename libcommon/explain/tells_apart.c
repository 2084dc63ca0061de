#include "explain/tells_apart.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "net/run/net.h"

#define LEAST 1e-3 /* of an embedding's length: single precision alone makes some 1e-6 */

/* Picture 0 is a bright oval with dark spots before a dark ground, picture 1 a dark one, off the middle, before a
 * striped bright ground; both with grain. */
static void picture(const struct xfv_model *m, int which, float *rgb)
{
    struct xfv_random grain = xfv_random_new(1, "grain", 5);
    for (int y = 0; y < m->height; y++)
        for (int x = 0; x < m->width; x++, rgb += 3) {
            double u = (x + 0.5) / m->width - (which ? 0.58 : 0.5), v = (y + 0.5) / m->height - (which ? 0.44 : 0.5);
            double face = u * u / (which ? 0.08 : 0.14) + v * v / 0.2,
                   spot = (fabs(u) - 0.17) * (fabs(u) - 0.17) + (v + 0.08) * (v + 0.08);
            double light = face < 1 ? (which ? 80 : 190) : which ? 180 + 50 * sin(25 * u) : 50;
            light += (which ? 90 : -120) * exp(-spot / 0.003) + 24 * (xfv_random_unit(&grain) - 0.5);
            for (int c = 0; c < 3; c++) {
                double tint = light * (1 - (which ? 0.12 * (2 - c) : 0.15 * c));
                rgb[c] = (float)(tint < 0 ? 0 : tint > 255 ? 255 : tint);
            }
        }
}

/* Is `value` computed from the image at all? */
static int depends(const struct xfv_graph *g, int value)
{
    char *from = calloc((size_t)g->n_values, 1);
    if (!from) return 1; /* then the pictures will tell */
    from[0] = 1;
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i].n_in; k++) from[g->nodes[i].out] |= from[g->nodes[i].in[k]];
    int does = from[value];
    free(from);
    return does;
}

#define MOST_BYTES ((size_t)2 << 30) /* of what one operator reads and makes */
#define MOST_MACS 1e13               /* of a pass: an hour or so */

/* Is a pass possible in reasonable memory and time? Estimated from the shapes, before anything is allocated. */
static int affordable(const struct xfv_graph *g, struct xfv_err *e)
{
    for (int i = 0; i < g->n_nodes; i++) {
        const struct xfv_node *n = &g->nodes[i];
        size_t bytes = xfv_shape_count(g->values[n->out].shape) * sizeof(float);
        for (int k = 0; k < n->n_in; k++) bytes += xfv_shape_count(g->values[n->in[k]].shape) * sizeof(float);
        if (bytes > MOST_BYTES)
            return xfv_fail(e, XFV_EMODEL, "a pass would need %zu MB for '%.200s' alone: refused", bytes >> 20,
                            n->name);
    }
    double macs = xfv_graph_macs(g);
    return macs > MOST_MACS ? xfv_fail(e, XFV_EMODEL, "a pass would take %.0e multiply-adds: refused", macs) : 0;
}

static int judge(const struct xfv_model *m, float *const y[2], size_t n, double *cosine, struct xfv_err *e)
{
    const char *name = m->graph->values[m->embedding].name;
    double aa = 0, bb = 0, ab = 0, dd = 0;
    for (size_t i = 0; i < n; i++) {
        double a = (double)y[0][i], b = (double)y[1][i];
        aa += a * a, bb += b * b, ab += a * b, dd += (a - b) * (a - b);
    }
    if (!isfinite(aa + bb))
        return xfv_fail(e, XFV_EMODEL,
                        "the embedding '%.200s' of a made-up picture is not finite: are --mean and --std those that "
                        "the network was trained with?",
                        name);
    double longer = sqrt(aa > bb ? aa : bb);
    *cosine = ab / sqrt(aa * bb);
    if (sqrt(dd) > LEAST * longer) return 0;
    return xfv_fail(e, XFV_EMODEL,
                    "the embedding '%.200s' is the same for two different pictures (they differ by %.1e of its "
                    "length): the network may expect "
                    "other numbers than --mean and --std make, %.3g to %.3g, or another --layout; or --embedding is "
                    "another value",
                    name, longer > 0 ? sqrt(dd) / longer : 0, (0 - (double)m->mean[0]) / (double)m->std[0],
                    (255 - (double)m->mean[0]) / (double)m->std[0]);
}

int xfv_tells_apart(struct xfv_model *m, double *cosine, struct xfv_err *e)
{
    size_t pixels = (size_t)m->height * (size_t)m->width, n = xfv_shape_count(m->graph->values[m->embedding].shape);
    struct xfv_net *net = NULL;
    struct xfv_tape *tape = NULL;
    if (!depends(m->graph, m->embedding))
        return xfv_fail(e, XFV_EMODEL,
                        "the embedding '%.200s' does not depend on the image: constants alone lead to it",
                        m->graph->values[m->embedding].name);
    int status = affordable(m->graph, e);
    if (!status) status = xfv_net_new(m->graph, 0, &m->embedding, 1, &net, e);
    struct xfv_ws *ws = xfv_ws_new();
    float *rgb = malloc(pixels * 3 * sizeof *rgb), *x = malloc(pixels * (size_t)m->channels * sizeof *x),
          *y[2] = {malloc(n * sizeof **y), malloc(n * sizeof **y)};
    if (!status && (!ws || !rgb || !x || !y[0] || !y[1])) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status) xfv_net_only_values(net), xfv_net_own_weights(net, m->graph);
    for (int i = 0; i < 2 && !status; i++) {
        picture(m, i, rgb);
        xfv_model_input_f32(m, rgb, x);
        status = xfv_net_record(net, ws, x, &y[i], &tape, e);
    }
    if (!status) status = judge(m, y, n, cosine, e);
    xfv_tape_free(tape);
    xfv_net_free(net);
    xfv_ws_free(ws);
    free(rgb), free(x), free(y[0]), free(y[1]);
    return status;
}
