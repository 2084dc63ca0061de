/* The contrast map against a plain twin in double precision and central differences; what is left out where a network
 * or its model lacks it; and what the end of a network adds to an embedding, cell by cell. */
#include "explain/contrast.h"

#include "explain/tail.h"
#include "graphs.h"
#include "net/graph/ref.h"

/* of the network's input: grids of 26x22 (fine), 13x11 (auto) and 7x6 (cells) */
enum { H = 52, W = 44, N = 9, FACES = 2 };
enum { INPUT, FINE, COARSE, LAST, PLACES };
/* a dense layer on all cells; channels pooled by weights of their own, then dense layers; one with a PReLU behind */
enum end { FLAT, POOLED, BENT };

/* The network from one place on; every piece has weights of its own seed, so that parts have those of the whole. */
struct part { struct xfv_graph *g; struct xfv_shape in; int value[PLACES], out; };

/* A depthwise convolution as large as its input. */
static void pool_by_weights(struct build *b)
{
    struct xfv_node n = xfv_node_default(XFV_OP_CONV);
    struct xfv_shape s = b->g->values[b->last].shape;
    n.weight = weight_of(b, xfv_shape_of(4, s.dim[0], s.dim[1], 1, s.dim[2]), -1, 1);
    n.groups = s.dim[2];
    for (int a = 0; a < 2; a++) n.kernel[a] = s.dim[a];
    append(b, n);
}

static int piece(struct build *b, int from, enum end end)
{
    graphs_seed = 7 + 1000 * (uint64_t)from;
    if (from == FINE) conv(b, 1, 1, 0, 0, 7, 1, 1); /* the path is laid behind it */
    if (from < LAST) {
        conv(b, 3, 2, 1, 1, 4 + from, 1, 1);
        return channelwise(b, XFV_OP_PRELU, 0);
    }
    if (end == POOLED) pool_by_weights(b);
    if (end == POOLED) dense(b, 5, 1);
    dense(b, N, 1);
    return end == BENT ? channelwise(b, XFV_OP_PRELU, 0) : b->last;
}

static struct part part_of(struct xfv_graph *g, struct xfv_shape in, int from, enum end end)
{
    struct xfv_err e = {0};
    struct build b = {g, 0, 0};
    struct part p = {.g = g, .in = in};
    sure(xfv_graph_add_value(g, "input", in, &e), &e);
    for (int i = from; i < LAST; i++) p.value[i + 1] = piece(&b, i, end);
    p.out = piece(&b, LAST, end);
    sure(xfv_graph_add_output(g, p.out, &e), &e);
    return p;
}

/* ---- the twin ---- */

struct twin {
    struct part whole, from[PLACES];
    double *mean[PLACES], *h[PLACES][FACES]; /* activations at each place */
    double *S[3], *D[3];                     /* cells of the witnesses: coarse, fine, last */
};

static size_t count(const struct twin *t, int place)
{
    return xfv_shape_count(t->from[place].in);
}

/* y [N] of the part from a place on; values stay for a vjp when asked for. */
static void run(const struct part *p, const double *h, double *y, double ***keep)
{
    struct xfv_err e = {0};
    double **values;
    sure(xfv_ref_forward(p->g, p->in, h, &values, &e), &e);
    memcpy(y, values[p->out], N * sizeof *y);
    if (keep) *keep = values;
    else xfv_ref_free(p->g, values);
}

static void on_the_way(const struct twin *t, int place, int face, double share, double *x)
{
    for (size_t i = 0; i < count(t, place); i++)
        x[i] = t->mean[place][i] + share * (t->h[place][face][i] - t->mean[place][i]);
}

static double centred(const double *y, const double *target, const double *m, double k, double *cot)
{
    double aa = 0, bb = 0, ab = 0;
    for (int i = 0; i < N; i++) {
        double a = y[i] - k * m[i], b = target[i] - k * m[i];
        aa += a * a, bb += b * b, ab += a * b;
    }
    double c = ab / sqrt(aa * bb);
    for (int i = 0; i < N && cot; i++)
        cot[i] = ((target[i] - k * m[i]) / sqrt(bb) - c * (y[i] - k * m[i]) / sqrt(aa)) / sqrt(aa);
    return c;
}

/* cells += scale * those of a face at a share of its way, its embedding's change there weighed by cot. */
static void add_weighed(const struct twin *t, int place, int face, double share, const double *cot, double scale,
                        double *cells)
{
    struct xfv_err e = {0};
    const struct part *p = &t->from[place];
    size_t n = count(t, place), c = (size_t)p->in.dim[2];
    double *x = malloc(n * sizeof *x), *dx = malloc(n * sizeof *dx), y[N], **values;
    on_the_way(t, place, face, share, x);
    run(p, x, y, &values);
    sure(xfv_ref_vjp(p->g, p->in, values, p->out, cot, dx, &e), &e);
    for (size_t i = 0; i < n; i++) cells[i / c] += scale * (t->h[place][face][i] - t->mean[place][i]) * dx[i];
    xfv_ref_free(p->g, values);
    free(x);
    free(dx);
}

/* cells += scale * those of a face at a share of its way, by the formula. */
static void add_cells(const struct twin *t, int place, int face, double share, const double *target, double k,
                      double scale, double *cells)
{
    double *x = malloc(count(t, place) * sizeof *x), y[N], m[N], cot[N];
    run(&t->from[place], t->mean[place], m, NULL);
    on_the_way(t, place, face, share, x);
    run(&t->from[place], x, y, NULL);
    centred(y, target, m, k, cot);
    add_weighed(t, place, face, share, cot, scale, cells);
    free(x);
}

/* cells += scale * those of a face at the average face: its first step, in the lengths of both faces' embeddings f. */
static void add_first_step(const struct twin *t, int place, int face, double f[FACES][N], double scale, double *cells)
{
    double m[N], cot[N], length[FACES] = {0};
    run(&t->from[place], t->mean[place], m, NULL);
    for (int i = 0; i < 2 * N; i++) length[i / N] += (f[i / N][i % N] - m[i % N]) * (f[i / N][i % N] - m[i % N]);
    for (int i = 0; i < N; i++) cot[i] = (f[1 - face][i] - m[i]) / sqrt(length[0] * length[1]);
    add_weighed(t, place, face, 0, cot, scale, cells);
}

/* What cell p adds to an embedding: that of this cell alone, less the average face's. */
static void adds(const struct twin *t, int face, size_t p, double *phi)
{
    size_t c = (size_t)t->from[LAST].in.dim[2];
    double *x = calloc(count(t, LAST), sizeof *x), m[N];
    for (size_t i = p * c; i < (p + 1) * c; i++) x[i] = t->h[LAST][face][i];
    run(&t->from[LAST], x, phi, NULL);
    for (size_t i = p * c; i < (p + 1) * c; i++) x[i] = t->mean[LAST][i];
    run(&t->from[LAST], x, m, NULL);
    for (int i = 0; i < N; i++) phi[i] -= m[i];
    free(x);
}

static void work_out(struct twin *t)
{
    double f[FACES][N], y[FACES][N], none[N] = {0}, *x = malloc(count(t, FINE) * sizeof *x), *b[FACES];
    size_t cells[3];
    for (int i = 0; i < 3; i++) {
        struct xfv_shape s = t->from[i == 0 ? COARSE : i == 1 ? FINE : LAST].in;
        cells[i] = (size_t)s.dim[0] * (size_t)s.dim[1];
        t->S[i] = calloc(cells[i], sizeof(double));
        t->D[i] = calloc(cells[i], sizeof(double));
    }
    for (int i = 0; i < FACES; i++) {
        run(&t->from[COARSE], t->h[COARSE][i], f[i], NULL);
        on_the_way(t, COARSE, i, .5, x);
        run(&t->from[COARSE], x, y[i], NULL);
        b[i] = calloc(cells[1], sizeof(double));
    }
    for (int i = 0; i < FACES; i++) {
        add_first_step(t, COARSE, i, f, .5, t->S[0]);
        add_cells(t, COARSE, i, .5, y[1 - i], .5, .5, t->D[0]);
        add_cells(t, FINE, i, .5, f[1 - i], 0, 1, b[i]);
    }
    for (size_t p = 0; p < cells[1]; p++) t->S[1][p] = (b[0][p] + b[1][p]) / 2, t->D[1][p] = fmin(b[0][p], b[1][p]);
    for (size_t p = 0; p < cells[2]; p++) {
        adds(t, 0, p, y[0]);
        adds(t, 1, p, y[1]);
        t->S[2][p] = t->D[2][p] = centred(y[0], y[1], none, 0, NULL);
    }
    free(x);
    free(b[0]);
    free(b[1]);
}

static void make_twin(struct twin *t, const struct part *whole, float (*x)[H * W * 3], enum end end)
{
    *t = (struct twin){.whole = *whole};
    for (int i = FINE; i < PLACES; i++) {
        struct xfv_shape in = whole->g->values[whole->value[i]].shape;
        t->from[i] = part_of(xfv_graph_new(), in, i, end);
        t->mean[i] = malloc(count(t, i) * sizeof(double));
        for (size_t k = 0; k < count(t, i); k++) t->mean[i][k] = (double)(float)(.2 * uniform());
    }
    for (int f = 0; f < FACES; f++) {
        struct xfv_err e = {0};
        double *in = malloc(sizeof *in * H * W * 3), **values;
        for (int k = 0; k < H * W * 3; k++) in[k] = (double)x[f][k];
        sure(xfv_ref_forward(whole->g, whole->in, in, &values, &e), &e);
        for (int i = FINE; i < PLACES; i++) {
            t->h[i][f] = malloc(count(t, i) * sizeof(double));
            memcpy(t->h[i][f], values[whole->value[i]], count(t, i) * sizeof(double));
        }
        xfv_ref_free(whole->g, values);
        free(in);
    }
    work_out(t);
}

static void free_twin(struct twin *t)
{
    for (int i = FINE; i < PLACES; i++) {
        xfv_graph_free(t->from[i].g);
        free(t->mean[i]);
        for (int f = 0; f < FACES; f++) free(t->h[i][f]);
    }
    for (int i = 0; i < 3; i++) {
        free(t->S[i]);
        free(t->D[i]);
    }
}

/* ---- */

static struct xfv_model *model(struct part *whole, enum end end, int turned)
{
    struct xfv_model *m = xfv_model_new();
    *whole = part_of(m->graph, xfv_shape_of(3, H, W, 3), INPUT, end);
    m->embedding = whole->out;
    m->height = turned ? W : H, m->width = turned ? H : W, m->channels = 3, m->transposed = turned;
    return m;
}

static void add_means(struct xfv_model *m, const struct twin *t)
{
    for (int i = FINE; i < PLACES; i++) {
        struct xfv_err e = {0};
        size_t n = count(t, i);
        float *mean = malloc(n * sizeof *mean);
        for (size_t k = 0; k < n; k++) mean[k] = (float)t->mean[i][k];
        sure(xfv_model_add_mean(m, m->graph->values[t->whole.value[i]].name, mean, n, 1, "", &e), &e);
        free(mean);
    }
}

static float x[FACES][H * W * 3], drawn[4][H * W];
static uint8_t rgb[FACES][H * W * 3];

static struct xfv_contrast *explained(const struct xfv_model *m, const struct xfv_contrast_opts *o, int worker)
{
    struct xfv_err e = {0};
    struct xfv_contrast *t;
    float *const map[2][2] = {{drawn[0], drawn[1]}, {drawn[2], drawn[3]}};
    sure(xfv_contrast_new(m, o, 2, &t, &e), &e);
    for (int i = 0; i < FACES; i++) sure(xfv_contrast_see(t, worker, i, rgb[i], x[i], &e), &e);
    sure(xfv_contrast_make(t, worker, map, &e), &e);
    return t;
}

/* The largest difference of cells, as a share of the largest cell. */
static double off(const float *got, const double *want, size_t n)
{
    double worst = 0, most = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs((double)got[i] - want[i])), most = fmax(most, fabs(want[i]));
    return worst / most;
}

/* A cell of a grid that goes on mirrored beyond its edges. */
static double mirrored(const double *cells, int h, int w, int i, int k)
{
    i = abs(i), k = abs(k);
    return cells[(i < h ? i : 2 * (h - 1) - i) * w + (k < w ? k : 2 * (w - 1) - k)];
}

/* out: cells under a Gaussian, cut off at 2.5 of its standard deviations. */
static void soften(const double *cells, int h, int w, double sigma, double *out)
{
    int r = sigma > 0 ? (int)fmax(1, 2.5 * sigma) : 0;
    for (int p = 0; p < h * w; p++) {
        double sum = 0, all = 0;
        for (int dy = -r; dy <= r; dy++)
            for (int dx = -r; dx <= r; dx++) {
                double g = r ? exp(-.5 * (dx * dx + dy * dy) / (sigma * sigma)) : 1;
                sum += g * mirrored(cells, h, w, p / w + dy, p % w + dx);
                all += g;
            }
        out[p] = sum / all;
    }
}

/* sum [H * W]: of the witnesses, smoothed, scaled and laid on the image one by one. */
static void add_up(const struct xfv_contrast *c, double *const cells[3], const double weight[3], double *sum)
{
    static const double smooth[] = {1.5, 0, 0};
    static float laid[H * W], one[H * W];
    static double soft[H * W];
    memset(sum, 0, H * W * sizeof *sum);
    for (int i = 0; i < 3; i++) {
        const struct xfv_layer *l = xfv_contrast_layer(c, (enum xfv_contrast_witness)i);
        double square = 0;
        soften(cells[i], l->h, l->w, smooth[i], soft);
        for (int p = 0; p < l->h * l->w; p++) square += soft[p] * soft[p];
        for (int p = 0; p < l->h * l->w; p++) one[p] = (float)(weight[i] * soft[p] / sqrt(square / (l->h * l->w)));
        xfv_layer_upsample(l, one, H, W, laid);
        for (int p = 0; p < H * W; p++) sum[p] += (double)laid[p] * l->step[0] * l->step[1];
    }
}

/* Coarse cells are smoothed beside finer ones, and else as asked for. */
static void test_smooth(const struct xfv_contrast *c, double coarse, double others)
{
    double got[2] = {xfv_contrast_smooth(c, XFV_CONTRAST_COARSE), xfv_contrast_smooth(c, XFV_CONTRAST_LAST)};
    OK(fabs(got[0] - coarse) < 1e-9 && fabs(got[1] - others) < 1e-9, "smoothed by %g and %g cells", got[0], got[1]);
}

static void test_twin(enum end end, const char *name)
{
    struct part whole;
    struct twin t;
    struct xfv_model *m = model(&whole, end, 0);
    make_twin(&t, &whole, x, end);
    add_means(m, &t);
    struct xfv_contrast *c = explained(m, &(struct xfv_contrast_opts){0}, 1);
    static const char *const what[] = {"14x14", "28x28", "last"};
    for (int i = 0; i < 3; i++) {
        const struct xfv_layer *l = xfv_contrast_layer(c, (enum xfv_contrast_witness)i);
        size_t n = (size_t)l->h * (size_t)l->w;
        double s = off(xfv_contrast_cells(c, 1, (enum xfv_contrast_witness)i, 0), t.S[i], n);
        double d = off(xfv_contrast_cells(c, 1, (enum xfv_contrast_witness)i, 1), t.D[i], n);
        OK(s < 2e-5 && d < 2e-5, "%s: the %s witness is its double-precision twin (S %.1e, D %.1e)", name, what[i], s,
           d);
    }
    static double want[3][H * W]; /* S, its positive part, and the negative part of D */
    add_up(c, t.S, (double[]){1.5, 2, .5}, want[0]);
    add_up(c, t.D, (double[]){1, 2, .5}, want[2]);
    for (int p = 0; p < H * W; p++) want[1][p] = fmax(want[0][p], 0), want[2][p] = fmax(-want[2][p], 0);
    double s = off(xfv_contrast_signed(c, 1), want[0], H * W);
    double similar = off(drawn[0], want[1], H * W), different = off(drawn[1], want[2], H * W);
    OK(s < 2e-5 && similar < 2e-5 && different < 2e-5,
       "%s: maps are sums of witnesses, each of its weight (%.1e, %.1e, %.1e)", name, s, similar, different);
    OK(!memcmp(drawn[0], drawn[2], 2 * sizeof drawn[0]), "%s: both faces are shown them", name);
    test_smooth(c, 1.5, 0);
    xfv_contrast_free(c);
    c = explained(m, &(struct xfv_contrast_opts){.fast = 1, .smooth = 1}, 0);
    test_smooth(c, 1, 1);
    OK(xfv_contrast_missing(c, XFV_CONTRAST_FINE) && !xfv_contrast_cells(c, 0, XFV_CONTRAST_FINE, 0) &&
           !xfv_contrast_missing(c, XFV_CONTRAST_LAST),
       "%s: fast leaves the fine witness out", name);
    xfv_contrast_free(c);
    free_twin(&t);
    xfv_model_free(m);
}

/* The numerator of the centred cosine, over both faces' whole lengths. */
static double headed(const double *y, double f[FACES][N], const double *m)
{
    double aa = 0, bb = 0, yb = 0;
    for (int i = 0; i < N; i++) {
        double a = f[0][i] - m[i], b = f[1][i] - m[i];
        aa += a * a, bb += b * b, yb += (y[i] - m[i]) * b;
    }
    return yb / sqrt(aa * bb);
}

/* Each cell is the change of the centred cosine along the face's own features there; of its first step, where the
 * average face has no centred cosine, that of the numerator. */
static void test_differences(double share)
{
    struct part whole;
    struct twin t;
    struct xfv_model *m = model(&whole, FLAT, 0);
    make_twin(&t, &whole, x, FLAT);
    size_t n = count(&t, COARSE), c = (size_t)t.from[COARSE].in.dim[2];
    double *at = malloc(n * sizeof *at), *cells = calloc(n / c, sizeof *cells), f[FACES][N], mean[N], worst = 0,
           most = 0;
    for (int i = 0; i < FACES; i++) run(&t.from[COARSE], t.h[COARSE][i], f[i], NULL);
    run(&t.from[COARSE], t.mean[COARSE], mean, NULL);
    if (share > 0) add_cells(&t, COARSE, 0, share, f[1], 1, 1, cells);
    else add_first_step(&t, COARSE, 0, f, 1, cells);
    for (size_t p = 0; p < n / c; p++) {
        double d[2], y[N];
        for (int sign = 0; sign < 2; sign++) {
            on_the_way(&t, COARSE, 0, share, at);
            for (size_t k = p * c; k < (p + 1) * c; k++)
                at[k] += (sign ? -1e-6 : 1e-6) * (t.h[COARSE][0][k] - t.mean[COARSE][k]);
            run(&t.from[COARSE], at, y, NULL);
            d[sign] = share > 0 ? centred(y, f[1], mean, 1, NULL) : headed(y, f, mean);
        }
        worst = fmax(worst, fabs((d[0] - d[1]) / 2e-6 - cells[p]));
        most = fmax(most, fabs(cells[p]));
    }
    OK(worst < 1e-5 * most, "the twin's cells at %g are central differences of the centred cosine (%.1e of %.1e)",
       share, worst, most);
    free(at);
    free(cells);
    free_twin(&t);
    xfv_model_free(m);
}

static int is_transpose(const float *a, const float *b)
{
    for (int i = 0; i < H; i++)
        for (int j = 0; j < W; j++)
            if (memcmp(&a[i * W + j], &b[j * H + i], sizeof *a)) return 0;
    return 1;
}

static void test_turned(void)
{
    static float plain[2][H * W];
    struct part whole;
    struct twin t;
    struct xfv_model *m = model(&whole, POOLED, 0);
    make_twin(&t, &whole, x, POOLED);
    add_means(m, &t);
    xfv_contrast_free(explained(m, &(struct xfv_contrast_opts){.smooth = .5}, 0));
    memcpy(plain, drawn, sizeof plain);
    xfv_contrast_free(explained(m, &(struct xfv_contrast_opts){.smooth = .5}, 1));
    OK(!memcmp(plain, drawn, sizeof plain), "the same map by another worker");
    m->height = W, m->width = H, m->transposed = 1;
    xfv_contrast_free(explained(m, &(struct xfv_contrast_opts){.smooth = .5}, 0));
    OK(is_transpose(plain[0], drawn[0]) && is_transpose(plain[1], drawn[1]), "of a network that sees the image turned: "
                                                                             "the same, turned back");
    free_twin(&t);
    xfv_model_free(m);
}

static void test_left_out(void)
{
    struct part whole;
    struct twin t;
    struct xfv_err e = {0};
    struct xfv_contrast *c;
    struct xfv_model *m = model(&whole, BENT, 0);
    make_twin(&t, &whole, x, BENT);
    OK(xfv_contrast_new(m, &(struct xfv_contrast_opts){0}, 1, &c, &e) == XFV_EMODEL && !c,
       "no average face, no map: %s", e.msg);
    add_means(m, &t);
    c = explained(m, &(struct xfv_contrast_opts){0}, 0);
    const char *why = xfv_contrast_missing(c, XFV_CONTRAST_LAST);
    OK(why && !xfv_contrast_missing(c, XFV_CONTRAST_FINE), "an end that is not linear: without that witness (%s)",
       why ? why : "");
    OK(off(xfv_contrast_cells(c, 0, XFV_CONTRAST_FINE, 1), t.D[1], 26 * 22) < 2e-5, "the others are there");
    xfv_contrast_free(c);
    free_twin(&t);
    xfv_model_free(m);
}

static void test_average(void)
{
    struct part whole;
    struct twin t;
    struct xfv_err e = {0};
    struct xfv_contrast *c;
    struct xfv_model *m = model(&whole, FLAT, 0);
    make_twin(&t, &whole, x, FLAT);
    add_means(m, &t);
    for (int i = 0; i < m->n_means; i++) m->means[i].data[0] = NAN;
    OK(xfv_contrast_new(m, &(struct xfv_contrast_opts){0}, 1, &c, &e) && !c, "an average face that is no number: %s",
       e.msg);
    xfv_contrast_free(c);
    free_twin(&t);
    xfv_model_free(m);
}

/* Two copies of one image walk as one: where they do, nothing tells them apart, and rounding is not taken for it. */
static void test_copies(void)
{
    struct part whole;
    struct twin t;
    struct xfv_model *m = model(&whole, FLAT, 0);
    static float kept[H * W * 3];
    make_twin(&t, &whole, x, FLAT);
    add_means(m, &t);
    memcpy(kept, x[1], sizeof kept);
    memcpy(x[1], x[0], sizeof kept);
    struct xfv_contrast *c = explained(m, &(struct xfv_contrast_opts){0}, 0);
    double most = 0, other = 0;
    for (int p = 0; p < 13 * 11; p++) {
        most = fmax(most, fabs((double)xfv_contrast_cells(c, 0, XFV_CONTRAST_COARSE, 1)[p]));
        other = fmax(other, fabs((double)xfv_contrast_cells(c, 0, XFV_CONTRAST_COARSE, 0)[p]));
    }
    OK(most <= 0 && other > 0, "two copies of one image: no rounding among the witnesses (%.1e, beside %.1e)", most,
       other);
    memcpy(x[1], kept, sizeof kept);
    xfv_contrast_free(c);
    free_twin(&t);
    xfv_model_free(m);
}

static void test_tail(enum end end, const char *name)
{
    struct part whole;
    struct twin t;
    struct xfv_err e = {0};
    struct xfv_layer l;
    struct xfv_tail *tail;
    struct xfv_model *m = model(&whole, end, 0);
    make_twin(&t, &whole, x, end);
    size_t n = count(&t, LAST), cells = n / (size_t)t.from[LAST].in.dim[2];
    float *h = malloc(n * sizeof *h), *h0 = malloc(n * sizeof *h0), *phi = malloc(cells * N * sizeof *phi);
    double worst = 0, most = 0, sum[N], whole_f[N], mean_f[N], gap = 0;
    for (size_t i = 0; i < n; i++) h[i] = (float)t.h[LAST][0][i], h0[i] = (float)t.mean[LAST][i];
    sure(xfv_layer_find(m->graph, m->embedding, "cells", &l, &e), &e);
    sure(xfv_tail_new(m->graph, m->embedding, &l, 1, &tail, &e), &e);
    sure(xfv_tail_contributions(tail, 0, h0, h, phi, &e), &e);
    memset(sum, 0, sizeof sum);
    for (size_t p = 0; p < cells; p++) {
        double want[N];
        adds(&t, 0, p, want);
        for (int k = 0; k < N; k++) {
            worst = fmax(worst, fabs((double)phi[p * N + (size_t)k] - want[k]));
            most = fmax(most, fabs(want[k]));
            sum[k] += (double)phi[p * N + (size_t)k];
        }
    }
    run(&t.from[LAST], t.h[LAST][0], whole_f, NULL);
    run(&t.from[LAST], t.mean[LAST], mean_f, NULL);
    for (int k = 0; k < N; k++) gap = fmax(gap, fabs(sum[k] - (whole_f[k] - mean_f[k])));
    OK(worst < 1e-5 * most && gap < 1e-4 * most,
       "%s: what each cell adds (%.1e of %.1e), which sums to the embedding (%.1e)", name, worst, most, gap);
    xfv_tail_free(tail);
    free(h);
    free(h0);
    free(phi);
    free_twin(&t);
    xfv_model_free(m);
}

int main(void)
{
    for (int f = 0; f < FACES; f++)
        for (int i = 0; i < H * W * 3; i++) {
            x[f][i] = (float)uniform();
            rgb[f][i] = (uint8_t)(127 * (uniform() + 1)); /* only what a face is known by */
        }
    test_tail(FLAT, "cells and a dense layer");
    test_tail(POOLED, "channels pooled, then dense layers");
    test_differences(.25);
    test_differences(0);
    test_twin(FLAT, "cells and a dense layer");
    test_twin(POOLED, "channels pooled, then dense layers");
    test_turned();
    test_left_out();
    test_average();
    test_copies();
    return tap_done();
}
