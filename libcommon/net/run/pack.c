/* Weights in the order that the kernels read them. Large ones are packed when a pass first reads them in that order:
 * who only embeds does not pay for the backward pass, and who only records does not pay for the forward pass's
 * Winograd. */
#include <pthread.h>
#include <stdlib.h>

#include "net/run/internal.h"
#include "net/run/kern_terms.h"
#include "stream/tensor.h"

float *xfv_padded_vector(const float *v, size_t count, int channels)
{
    float *p = xfv_aligned_alloc(sizeof *p * (size_t)xfv_pad16(channels));
    if (!p) return NULL;
    for (int c = 0; c < xfv_pad16(channels); c++) p[c] = c >= channels || !v ? 0.0f : count == 1 ? v[0] : v[c];
    return p;
}

/* How many groups go into a part: enough that its outputs are whole lanes. A number of groups that this does not divide
 * is taken whole. */
static int groups_of_part(int groups, int out)
{
    int together = XFV_LANES;
    while (together > 1 && out * (together / 2) % XFV_LANES == 0) together /= 2;
    return groups % together ? groups : together;
}

/* Weights of a part of a convolution as [kh][kw][part_in][part_out]: its groups are blocks along the diagonal. */
static float *part_kernel(const struct xfv_graph *g, const struct step *s, int cout, int part)
{
    const struct xfv_node *nd = s->node;
    int taps = nd->kernel[0] * nd->kernel[1], go = cout / nd->groups, gi = s->part_in / (s->part_out / go),
        first = part * s->part_out;
    float *w = calloc((size_t)taps * (size_t)s->part_in * (size_t)s->part_out, sizeof *w);
    if (!w) return NULL;
    const float *src = g->weights[nd->weight].data;
    for (int t = 0; t < taps; t++)
        for (int c = 0; c < s->part_in; c++) /* input channel c meets only its own group's outputs */
            for (int o = c / gi * go; o < (c / gi + 1) * go; o++)
                w[((size_t)t * (size_t)s->part_in + (size_t)c) * (size_t)s->part_out + (size_t)o] =
                    src[((size_t)t * (size_t)gi + (size_t)(c % gi)) * (size_t)cout + (size_t)(first + o)];
    return w;
}

/* [kh][kw][channels], padded; flipped for the backward pass of stride 1, which is a convolution with the kernel turned
 * round. */
static float *pack_depthwise(const struct xfv_net *n, const struct step *s, int channels, int flip)
{
    int taps = s->node->kernel[0] * s->node->kernel[1], pc = xfv_pad16(channels);
    const float *w = n->g->weights[s->node->weight].data;
    float *out = xfv_aligned_alloc(sizeof(float) * (size_t)taps * (size_t)pc);
    for (int t = 0; out && t < taps; t++)
        for (int c = 0; c < pc; c++)
            out[(size_t)(flip ? taps - 1 - t : t) * (size_t)pc + (size_t)c] =
                c < channels ? w[(size_t)t * (size_t)channels + (size_t)c] : 0.0f;
    return out;
}

static float *transposed(const float *w, size_t rows, size_t cols)
{
    float *t = w ? malloc(sizeof *t * rows * cols) : NULL;
    for (size_t r = 0; t && r < rows; r++)
        for (size_t c = 0; c < cols; c++) t[c * rows + r] = w[r * cols + c];
    return t;
}

/* G g G^T, in double: the 36 frequencies of one 3x3 kernel. */
static void wino_kernel(const double g[9], double u[XFV_WINO])
{
    static const double G[6][3] = {{1 / 4., 0, 0}, {-1 / 6., -1 / 6., -1 / 6.}, {-1 / 6., 1 / 6., -1 / 6.},
                                   {1 / 24., 1 / 12., 1 / 6.}, {1 / 24., -1 / 12., 1 / 6.}, {0, 0, 1}};
    double half[6][3];
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 3; j++) half[i][j] = G[i][0] * g[j] + G[i][1] * g[3 + j] + G[i][2] * g[6 + j];
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) u[6 * i + j] = half[i][0] * G[j][0] + half[i][1] * G[j][1] + half[i][2] * G[j][2];
}

/* [36] packed matrices of rows x cols from a kernel [9][cin][cout]; back: rows are outputs, columns inputs, and the
 * kernel is turned round. */
static float *pack_wino(const struct xfv_net *n, const float *w, int cin, int cout, int back)
{
    size_t rows = (size_t)(back ? cout : cin), cols = (size_t)(back ? cin : cout),
           each = rows * (size_t)xfv_pad16((int)cols);
    float *all = w ? malloc(sizeof *all * XFV_WINO * rows * cols) : NULL,
          *out = all ? xfv_aligned_alloc(sizeof *out * XFV_WINO * each) : NULL;
    for (size_t r = 0; out && r < rows; r++)
        for (size_t c = 0; c < cols; c++) {
            size_t i = back ? c : r, o = back ? r : c;
            double g[9], u[XFV_WINO];
            for (size_t t = 0; t < 9; t++) g[back ? 8 - t : t] = w[(t * (size_t)cin + i) * (size_t)cout + o];
            wino_kernel(g, u);
            for (size_t f = 0; f < XFV_WINO; f++) all[(f * rows + r) * cols + c] = (float)u[f];
        }
    for (size_t f = 0; out && f < XFV_WINO; f++)
        xfv_pack(n->k, all + f * rows * cols, cols, rows, (int)cols, out + f * each);
    free(all);
    return out;
}

/* [9] packed matrices of cout x cin, the kernel turned round: what the backward pass makes its frequencies of. */
static float *pack_taps(const struct xfv_net *n, const float *w, int cin, int cout)
{
    size_t rows = (size_t)cout, each = rows * (size_t)xfv_pad16(cin);
    float *out = xfv_aligned_alloc(sizeof *out * 9 * each);
    for (size_t t = 0; out && t < 9; t++) {
        float *one = transposed(w + (8 - t) * (size_t)cin * rows, (size_t)cin, rows);
        if (!one) {
            free(out);
            return NULL;
        }
        xfv_pack(n->k, one, (size_t)cin, rows, cin, out + t * each);
        free(one);
    }
    return out;
}

static int is_wino(const struct xfv_net *n, const struct step *s, int cin, int cout)
{
    const struct xfv_node *nd = s->node;
    struct xfv_shape in = n->shape[s->in[0]], out = n->shape[s->out];
    return nd->kernel[0] == 3 && nd->kernel[1] == 3 && nd->stride[0] == 1 && nd->stride[1] == 1 &&
           nd->dilation[0] == 1 && nd->dilation[1] == 1 && nd->groups == 1 && cin >= XFV_LANES && cout >= XFV_LANES &&
           in.dim[0] >= 6 && in.dim[1] >= 6 && out.dim[0] >= 4 && out.dim[1] >= 4 && nd->pads[0] <= 2 &&
           nd->pads[1] <= 2 && nd->pads[2] <= 2 && nd->pads[3] <= 2;
}

/* One form of a convolution's weights: packed for a forward pass, in Winograd's frequencies or in terms, or for the
 * backward pass, whose rows are outputs and whose columns (tap, input channel). */
enum form { DIRECT, FREQUENCIES, BACK };

static float **form_of(struct step *s, enum form f)
{
    if (f == BACK) return s->wino && !s->deep ? &s->ub : &s->wb;
    return f == DIRECT ? &s->wf : &s->uf;
}

/* Part after part, DIRECT: [taps part_in][part_out], or BACK: [part_out][taps part_in]. */
static float *pack_parts(const struct xfv_net *n, const struct step *s, enum form f, int cout)
{
    size_t rows = (size_t)(s->node->kernel[0] * s->node->kernel[1]) * (size_t)s->part_in, cols = (size_t)s->part_out;
    size_t each = f == DIRECT ? rows * (size_t)xfv_pad16((int)cols) : cols * (size_t)xfv_pad16((int)rows);
    float *out = xfv_aligned_alloc(sizeof *out * each * (size_t)s->parts);
    for (int p = 0; out && p < s->parts; p++) {
        float *w = part_kernel(n->g, s, cout, p), *t = f == BACK ? transposed(w, rows, cols) : NULL,
              *to = out + (size_t)p * each;
        int ok = w && (f == DIRECT || t);
        if (ok && f == DIRECT) xfv_pack(n->k, w, cols, rows, (int)cols, to);
        if (ok && f == BACK) xfv_pack(n->k, t, rows, cols, (int)rows, to);
        free(w);
        free(t);
        if (ok) continue;
        free(out);
        return NULL;
    }
    return out;
}

/* A convolution by Winograd has one group, and its weights lie as its kernel wants them. */
static float *pack_wino_form(const struct xfv_net *n, const struct step *s, enum form f, int cin, int cout)
{
    const float *w = n->g->weights[s->node->weight].data;
    if (f == BACK && s->deep) return pack_taps(n, w, cin, cout);
    return pack_wino(n, w, cin, cout, f == BACK);
}

int xfv_by_terms(const struct xfv_net *n, const struct step *s, int back)
{
    int k = shape_channels(n->shape[back ? s->out : s->in[0]]);
    int whole = s->point || (back && !s->depthwise && !s->wino && s->parts == 1);
    return n->k->terms && whole && k % XFV_TERM_K == 0 && k <= XFV_TERM_MOST;
}

/* A convolution's weights in terms: [taps cin][cout], or for the backward pass turned round. */
static float *pack_terms(const struct xfv_net *n, const struct step *s, int back)
{
    size_t in = (size_t)(s->node->kernel[0] * s->node->kernel[1]) * (size_t)s->part_in, out = (size_t)s->part_out;
    size_t rows = back ? out : in, cols = back ? in : out;
    float *w = part_kernel(n->g, s, s->part_out, 0), *turned = back ? transposed(w, in, out) : NULL, *to = NULL;
    if (back ? turned : w)
        to = xfv_aligned_alloc(rows * (size_t)xfv_pad16((int)cols) * (size_t)n->k->terms * sizeof(uint16_t));
    if (to) xfv_pack_terms(n->k->terms, back ? turned : w, cols, rows, (int)cols, (uint16_t *)(void *)to);
    free(w);
    free(turned);
    return to;
}

static int pack_conv(const struct xfv_net *n, struct step *s, enum form f, struct xfv_err *e)
{
    int cin = shape_channels(n->shape[s->in[0]]), cout = shape_channels(n->shape[s->out]);
    float **to = form_of(s, f);
    if (*to) return 0;
    if (!n->g->weights[s->node->weight].data)
        return xfv_fail(e, XFV_EARG, "the weights of '%s' are freed: this network only records and differentiates",
                        s->node->name ? s->node->name : "?");
    if (s->depthwise) *to = pack_depthwise(n, s, cin, f == BACK);
    else if (s->wino && f != DIRECT) *to = pack_wino_form(n, s, f, cin, cout);
    else if (f != DIRECT && xfv_by_terms(n, s, f == BACK)) *to = pack_terms(n, s, f == BACK);
    else *to = pack_parts(n, s, f, cout);
    return *to ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory while packing '%s'", s->node->name ? s->node->name : "?");
}

int xfv_wino_runs(const struct step *s, const struct xfv_shape *shape)
{
    struct xfv_shape out = shape[s->out];
    /* few tiles do not pay for reading 36/9 times the weights */
    return s->wino && xfv_wino_tiles(out.dim[0], out.dim[1]) >= XFV_WINO_MIN_TILES;
}

int xfv_pack_forward(const struct xfv_net *cn, const struct xfv_shape *shape, struct xfv_err *e)
{
    struct xfv_net *n = (struct xfv_net *)cn; /* the one thing that is made late, under its lock */
    int status = 0;
    pthread_mutex_lock(&n->lock);
    for (int i = 0; i < n->n_steps && !status; i++) {
        struct step *s = &n->steps[i];
        int other = s->op == XFV_OP_CONV && (xfv_wino_runs(s, shape) || xfv_by_terms(n, s, 0));
        if (s->op == XFV_OP_CONV) status = pack_conv(n, s, other ? FREQUENCIES : DIRECT, e);
    }
    pthread_mutex_unlock(&n->lock);
    return status;
}

/* How many nodes read each weight; NULL when out of memory. */
static int *count_readers(const struct xfv_graph *g)
{
    int *readers = calloc((size_t)g->n_weights + 1, sizeof *readers);
    for (int i = 0; readers && i < g->n_nodes; i++) {
        const struct xfv_node *nd = &g->nodes[i];
        if (nd->weight >= 0) readers[nd->weight]++;
        if (nd->bias >= 0) readers[nd->bias]++;
    }
    return readers;
}

static int pack_record(struct xfv_net *n, int *readers, struct xfv_err *e)
{
    int status = 0;
    for (int i = 0; i < n->n_steps && !status; i++) {
        struct step *s = &n->steps[i];
        if (s->op != XFV_OP_CONV) continue;
        status = pack_conv(n, s, DIRECT, e);
        if (!status && s->flows && !n->only_values) status = pack_conv(n, s, BACK, e);
        if (status || !readers || --readers[s->node->weight]) continue;
        free(n->owned->weights[s->node->weight].data);
        n->owned->weights[s->node->weight].data = NULL;
    }
    return status;
}

int xfv_pack_record(const struct xfv_net *cn, struct xfv_err *e)
{
    struct xfv_net *n = (struct xfv_net *)cn;
    pthread_mutex_lock(&n->lock);
    int *readers = n->owned ? count_readers(n->g) : NULL, status = pack_record(n, readers, e);
    if (readers) n->owned = NULL;
    free(readers);
    pthread_mutex_unlock(&n->lock);
    return status;
}

int xfv_pack_new(const struct xfv_net *n, struct step *s, struct xfv_err *e)
{
    const struct xfv_node *nd = s->node;
    const struct xfv_weight *all = n->g->weights, *bias = nd->bias >= 0 ? &all[nd->bias] : NULL;
    int cin = shape_channels(n->shape[s->in[0]]), cout = shape_channels(n->shape[s->out]), bad = 0;
    if (nd->op == XFV_OP_CONV) {
        int dense = nd->dilation[0] == 1 && nd->dilation[1] == 1, slow = nd->stride[0] == 1 && nd->stride[1] == 1;
        s->depthwise = nd->groups > 1 && nd->groups == cin && cin == cout && (dense || slow) &&
                       nd->kernel[0] < MAX_ROWS;
        int together = groups_of_part(nd->groups, cout / nd->groups);
        s->parts = nd->groups / together;
        s->part_in = cin / s->parts;
        s->part_out = cout / s->parts;
        s->point = s->parts == 1 && nd->kernel[0] == 1 && nd->kernel[1] == 1 && nd->stride[0] == 1 &&
                   nd->stride[1] == 1 && !nd->pads[0] && !nd->pads[1] && !nd->pads[2] && !nd->pads[3];
        s->wino = !s->depthwise && is_wino(n, s, cin, cout);
        if (bias) bad = !(s->bias = xfv_padded_vector(bias->data, bias->count, cout));
    } else if (nd->op == XFV_OP_DENSE) {
        bad = xfv_dense_pack(n, s) || (bias && !(s->bias = xfv_padded_vector(bias->data, bias->count, cout)));
    } else if (nd->op == XFV_OP_AFFINE) {
        s->wf = xfv_padded_vector(all[nd->weight].data, all[nd->weight].count, cout);
        s->bias = xfv_padded_vector(bias ? bias->data : NULL, bias ? bias->count : 0, cout);
        bad = !s->wf || !s->bias;
    }
    return bad ? xfv_fail(e, XFV_ENOMEM, "out of memory while packing '%s'", nd->name ? nd->name : "?") : 0;
}
