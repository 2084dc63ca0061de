#include "explain/contrast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/combine.h"
#include "explain/path.h"
#include "explain/pathface.h"
#include "explain/tail.h"
#include "image/blur.h"
#include "stream/tensor.h"

enum {
    COARSE = XFV_CONTRAST_COARSE,
    FINE = XFV_CONTRAST_FINE,
    LAST = XFV_CONTRAST_LAST,
    N_WITNESSES = XFV_CONTRAST_WITNESSES
};
const char *const xfv_contrast_names[] = {XFV_LAYER_AUTO, XFV_LAYER_FINE, XFV_LAYER_CELLS, NULL};

#define SOFT 1.5      /* of the coarse cells, beside fine ones */
#define ROUNDING 1e-5 /* J against H: faces that walk as one give 0, but for rounding, which N would blow up */

struct witness {
    struct xfv_layer layer;
    char missing[512];       /* why it is left out; empty: it is not */
    const float *layer_mean; /* the model's */
    struct xfv_path *path;   /* of COARSE and FINE: the network cut here */
    float *mean, *mean_f;    /* the average face's features for the path, and their embedding */
    int look;                /* where a face holds the features (xfv_pathface.look); -1: in h */
};

struct worker {
    struct xfv_pathface face[2];
    float *cells[N_WITNESSES][2];  /* for similarity, for dissimilarity; before N */
    double *sum[2];                /* [cells of the largest grid] */
    float *phi[2];                 /* [cells of LAST][n] */
    float *y[2], *cot;             /* [n] */
    float *plane, *drawn, *turned; /* [H][W] */
    float *sign, *different;       /* [H][W]: S and D on the image */
};

struct xfv_contrast {
    const struct xfv_model *model;
    struct xfv_contrast_opts o;
    struct witness witness[N_WITNESSES];
    struct xfv_tail *tail;
    struct xfv_pathfaces *faces;
    int n;
    struct worker *workers;
    int n_workers;
};

static size_t pixels(const struct xfv_contrast *t)
{
    return (size_t)t->model->height * (size_t)t->model->width;
}

static size_t cells_of(const struct xfv_layer *l)
{
    return (size_t)l->h * (size_t)l->w;
}

static int has(const struct xfv_contrast *t, int i)
{
    return !t->witness[i].missing[0];
}

/* ---- memory ---- */

/* *p: room for n floats. Once *ok is 0 it stays so. */
static void room_for(float **p, size_t n, int *ok)
{
    *p = xfv_aligned_alloc(n * sizeof **p);
    if (!*p) *ok = 0;
}

static int make_worker(const struct xfv_contrast *t, struct worker *w, struct xfv_err *e)
{
    size_t most = 0;
    float **planes[] = {&w->plane, &w->drawn, &w->turned, &w->sign, &w->different};
    int ok = 1;
    for (int i = 0; i < N_WITNESSES; i++) {
        if (!has(t, i)) continue;
        size_t cells = cells_of(&t->witness[i].layer);
        most = cells > most ? cells : most;
        for (int k = 0; k < 2; k++) room_for(&w->cells[i][k], cells, &ok);
    }
    for (int k = 0; k < 2; k++) ok = (w->sum[k] = malloc(most * sizeof(double))) && ok;
    for (int i = 0; i < 2; i++) {
        ok = xfv_pathface_alloc(t->faces, &w->face[i]) && ok;
        room_for(&w->y[i], (size_t)t->n, &ok);
        if (has(t, LAST)) room_for(&w->phi[i], cells_of(&t->witness[LAST].layer) * (size_t)t->n, &ok);
    }
    room_for(&w->cot, (size_t)t->n, &ok);
    for (size_t i = 0; i < sizeof planes / sizeof *planes; i++) room_for(planes[i], pixels(t), &ok);
    return ok ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static void free_worker(struct worker *w)
{
    for (int i = 0; i < 2 * N_WITNESSES; i++) free(w->cells[i / 2][i % 2]);
    for (int i = 0; i < 2; i++) {
        xfv_pathface_free(&w->face[i]);
        free(w->sum[i]);
        free(w->y[i]);
        free(w->phi[i]);
    }
    free(w->cot);
    free(w->plane), free(w->drawn), free(w->turned);
    free(w->sign), free(w->different);
}

void xfv_contrast_free(struct xfv_contrast *t)
{
    if (!t) return;
    for (int i = 0; i < t->n_workers; i++) free_worker(&t->workers[i]);
    free(t->workers);
    for (int i = 0; i < N_WITNESSES; i++) {
        free(t->witness[i].mean);
        free(t->witness[i].mean_f);
        xfv_path_free(t->witness[i].path);
    }
    xfv_pathfaces_free(t->faces);
    xfv_tail_free(t->tail);
    free(t);
}

/* ---- the network, cut ---- */

static void leave_out(struct witness *w, const char *why)
{
    snprintf(w->missing, sizeof w->missing, "%s", why);
}

/* The witness's layer, and the model's average face there. XFV_EMODEL with a sentence. */
static int find_layer(const struct xfv_model *m, const char *name, struct witness *w, struct xfv_err *e)
{
    int status = xfv_layer_find(m->graph, m->embedding, name, &w->layer, e);
    if (status) return status;
    const struct xfv_mean *mean = xfv_model_mean(m, w->layer.value);
    w->layer_mean = mean ? mean->data : NULL;
    if (mean) return 0;
    return xfv_fail(e, XFV_EMODEL,
                    "the model holds no mean activation of layer '%.100s': let model-means add it, or choose another "
                    "--baseline",
                    m->graph->values[w->layer.value].name);
}

static int find_layers(struct xfv_contrast *t, struct xfv_err *e)
{
    const struct xfv_model *m = t->model;
    struct xfv_err why = {0};
    struct witness *fine = &t->witness[FINE];
    int status = find_layer(m, xfv_contrast_names[COARSE], &t->witness[COARSE], e);
    if (status) return xfv_fail_at(e, "model '%s'", m->name);
    for (int i = FINE; i < N_WITNESSES; i++)
        if (find_layer(m, xfv_contrast_names[i], &t->witness[i], &why)) leave_out(&t->witness[i], why.msg);
    if (has(t, FINE) && fine->layer.h <= t->witness[COARSE].layer.h)
        leave_out(fine, "the network has no finer feature map");
    if (t->o.fast) leave_out(fine, "--fast");
    return 0;
}

/* The average face as a path begins: its features and their embedding. */
static int find_start(struct xfv_contrast *t, struct witness *w, struct xfv_err *e)
{
    int ok = 1;
    room_for(&w->mean, xfv_path_features(w->path), &ok);
    room_for(&w->mean_f, (size_t)t->n, &ok);
    if (!ok) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int status = xfv_path_lift(w->path, 0, w->layer_mean, w->mean, e);
    return status ? status : xfv_path_embed(w->path, 0, w->mean, w->mean_f, e);
}

/* The fine path first, as the coarse one looks at its features on the way. */
static int cut(struct xfv_contrast *t, int workers, struct xfv_err *e)
{
    const struct xfv_graph *g = t->model->graph;
    struct witness *coarse = &t->witness[COARSE], *fine = &t->witness[FINE], *last = &t->witness[LAST];
    int looks[XFV_PATH_LOOKS], n = 0, status = 0;
    size_t floats[XFV_PATH_LOOKS];
    coarse->look = -1;
    if (has(t, FINE)) {
        status = xfv_path_new(g, t->model->embedding, &fine->layer, NULL, 0, workers, &fine->path, e);
        if (status) return status;
        floats[n] = xfv_path_features(fine->path);
        looks[fine->look = n++] = xfv_path_value(fine->path);
    }
    if (has(t, LAST)) {
        floats[n] = cells_of(&last->layer) * (size_t)last->layer.c;
        looks[last->look = n++] = last->layer.value;
        status = xfv_tail_new(g, t->model->embedding, &last->layer, workers, &t->tail, e);
    }
    if (!status) status = xfv_path_new(g, t->model->embedding, &coarse->layer, looks, n, workers, &coarse->path, e);
    if (status) return status;
    t->n = xfv_path_n(coarse->path);
    for (int i = COARSE; i <= FINE && !status; i++)
        if (has(t, i)) status = find_start(t, &t->witness[i], e);
    return status ? status : xfv_pathfaces_new(t->model, coarse->path, floats, n, 0, t->o.cache_bytes, &t->faces, e);
}

int xfv_contrast_new(const struct xfv_model *m, const struct xfv_contrast_opts *o, int workers,
                     struct xfv_contrast **out, struct xfv_err *e)
{
    *out = NULL;
    struct xfv_contrast *t = calloc(1, sizeof *t);
    if (!t) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    t->model = m;
    t->o = *o;
    int status = find_layers(t, e);
    if (!status) status = cut(t, workers, e);
    if (!status && !(t->workers = calloc((size_t)workers, sizeof *t->workers)))
        status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (t->workers) t->n_workers = workers;
    for (int i = 0; i < t->n_workers && !status; i++) status = make_worker(t, &t->workers[i], e);
    if (status) xfv_contrast_free(t);
    else *out = t;
    return status;
}

const char *xfv_contrast_missing(const struct xfv_contrast *t, enum xfv_contrast_witness i)
{
    return has(t, (int)i) ? NULL : t->witness[i].missing;
}

const struct xfv_layer *xfv_contrast_layer(const struct xfv_contrast *t, enum xfv_contrast_witness i)
{
    return &t->witness[i].layer;
}

double xfv_contrast_weight(enum xfv_contrast_witness i, int which)
{
    static const double weights[N_WITNESSES][2] = {[COARSE] = {1.5, 1}, [FINE] = {2, 2}, [LAST] = {0.5, 0.5}};
    return weights[i][which];
}

double xfv_contrast_smooth(const struct xfv_contrast *t, enum xfv_contrast_witness i)
{
    return i == XFV_CONTRAST_COARSE && has(t, FINE) && t->o.smooth < SOFT ? SOFT : t->o.smooth;
}

/* ---- one face ---- */

int xfv_contrast_see(struct xfv_contrast *t, int worker, int face, const uint8_t *rgb, const float *x,
                     struct xfv_err *e)
{
    return xfv_pathfaces_see(t->faces, worker, rgb, x, &t->workers[worker].face[face], e);
}

const float *xfv_contrast_embedding(const struct xfv_contrast *t, int worker, int face)
{
    return t->workers[worker].face[face].f;
}

int xfv_contrast_n(const struct xfv_contrast *t)
{
    return t->n;
}

static const float *features(const struct witness *w, const struct xfv_pathface *f)
{
    return w->look < 0 ? f->h : f->look[w->look];
}

/* ---- the witnesses ---- */

/* Face i stands at share t of its way from the average face; its embedding there goes to w->y[i]. */
static int stand(struct xfv_contrast *t, int worker, int witness, int i, double share, struct xfv_err *e)
{
    struct witness *of = &t->witness[witness];
    struct worker *w = &t->workers[worker];
    return xfv_path_stand(of->path, worker, i, of->mean, features(of, &w->face[i]), share, w->y[i], e);
}

/* sum += scale * face i's cells by w->cot, from the place that a face took. */
static int gather(struct xfv_contrast *t, int worker, int witness, int i, int place, double scale, double *sum,
                  struct xfv_err *e)
{
    struct witness *of = &t->witness[witness];
    struct worker *w = &t->workers[worker];
    return xfv_path_gather(of->path, worker, place, of->mean, features(of, &w->face[i]), w->cot, scale, sum, e);
}

/* sum += scale * face i's cells from where it stands, as seen by target, both embeddings less k of the average face's.
 */
static int look(struct xfv_contrast *t, int worker, int witness, int i, const float *target, double k, double scale,
                double *sum, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    int status = xfv_path_cotangent(w->y[i], target, t->witness[witness].mean_f, k, t->n, w->cot, e);
    return status ? status : gather(t, worker, witness, i, i, scale, sum, e);
}

static double square(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += v[i] * v[i];
    return sum;
}

/* H14 and J14(1/2, 1/2), both faces' mean. */
static int ask_coarse(struct xfv_contrast *t, int worker, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    const float *centre = t->witness[COARSE].mean_f;
    size_t cells = cells_of(&t->witness[COARSE].layer);
    for (int k = 0; k < 2; k++) memset(w->sum[k], 0, cells * sizeof(double));
    int status = stand(t, worker, COARSE, 0, 0, e); /* the average face: either face's way begins there */
    for (int i = 0; i < 2 && !status; i++) {
        status = xfv_path_heading(w->face[i].f, w->face[1 - i].f, centre, t->n, w->cot, e);
        if (!status) status = gather(t, worker, COARSE, i, 0, 0.5, w->sum[0], e);
    }
    for (int i = 0; i < 2 && !status; i++) status = stand(t, worker, COARSE, i, 0.5, e);
    for (int i = 0; i < 2 && !status; i++)
        status = look(t, worker, COARSE, i, w->y[1 - i], 0.5, 0.5, w->sum[1], e);
    double size[2] = {square(w->sum[0], cells), square(w->sum[1], cells)};
    /* two copies of one image */
    if (size[1] <= ROUNDING * ROUNDING * size[0]) memset(w->sum[1], 0, cells * sizeof(double));
    for (size_t p = 0; p < cells && !status; p++)
        for (int k = 0; k < 2; k++) w->cells[COARSE][k][p] = (float)w->sum[k][p];
    return status;
}

/* B28(0, 1/2): both faces' mean, and the lesser of them. */
static int ask_fine(struct xfv_contrast *t, int worker, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    size_t cells = cells_of(&t->witness[FINE].layer);
    int status = 0;
    for (int i = 0; i < 2 && !status; i++) {
        memset(w->sum[i], 0, cells * sizeof(double));
        status = stand(t, worker, FINE, i, 0.5, e);
        if (!status) status = look(t, worker, FINE, i, w->face[1 - i].f, 0, 1, w->sum[i], e);
    }
    for (size_t p = 0; p < cells && !status; p++) {
        double a = w->sum[0][p], b = w->sum[1][p];
        w->cells[FINE][0][p] = (float)(0.5 * (a + b));
        w->cells[FINE][1][p] = (float)(a < b ? a : b);
    }
    return status;
}

static int ask_last(struct xfv_contrast *t, int worker, struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    const struct witness *of = &t->witness[LAST];
    size_t cells = cells_of(&of->layer);
    int status = 0;
    for (int i = 0; i < 2 && !status; i++)
        status = xfv_tail_contributions(t->tail, worker, of->layer_mean, features(of, &w->face[i]), w->phi[i], e);
    if (status) return status;
    xfv_combine_products(XFV_COMBINE_COSINE, w->phi[0], w->phi[1], cells, (size_t)t->n, 0, w->cells[LAST][0]);
    memcpy(w->cells[LAST][1], w->cells[LAST][0], cells * sizeof(float));
    return 0;
}

static int check_cells(const struct xfv_contrast *t, const struct worker *w, struct xfv_err *e)
{
    for (int i = 0; i < 2 * N_WITNESSES; i++)
        for (size_t p = 0; has(t, i / 2) && p < cells_of(&t->witness[i / 2].layer); p++)
            if (!isfinite(w->cells[i / 2][i % 2][p]))
                return xfv_fail_code(e, XFV_EDATA, "map", "the pair's map holds a number that is not finite");
    return 0;
}

/* ---- on the image ---- */

/* w->drawn: N(cells), by its weight, on the image. */
static int draw_witness(struct xfv_contrast *t, struct worker *w, int i, int which, struct xfv_err *e)
{
    const struct xfv_layer *l = &t->witness[i].layer;
    size_t cells = cells_of(l);
    double square = 0, smooth = xfv_contrast_smooth(t, (enum xfv_contrast_witness)i);
    double weight = xfv_contrast_weight((enum xfv_contrast_witness)i, which);
    memcpy(w->plane, w->cells[i][which], cells * sizeof *w->plane);
    int status = smooth > 0 ? xfv_blur(w->plane, l->w, l->h, smooth, e) : 0;
    for (size_t p = 0; p < cells && !status; p++) square += (double)w->plane[p] * (double)w->plane[p];
    /* laying divides by a cell's pixels */
    double by = square > 0 ? weight * l->step[0] * l->step[1] / sqrt(square / (double)cells) : 0;
    for (size_t p = 0; p < cells && !status; p++) w->plane[p] = (float)(by * (double)w->plane[p]);
    if (!status)
        xfv_layer_lay(l, w->plane, t->model->height, t->model->width, t->model->transposed, w->turned, w->drawn);
    return status;
}

static void add(const struct xfv_contrast *t, const float *drawn, float *to)
{
    for (size_t p = 0; p < pixels(t); p++) to[p] += drawn[p];
}

static int draw(struct xfv_contrast *t, struct worker *w, float *const map[2][2], struct xfv_err *e)
{
    int status = 0;
    memset(w->sign, 0, pixels(t) * sizeof *w->sign);
    memset(w->different, 0, pixels(t) * sizeof *w->different);
    for (int i = 0; i < N_WITNESSES && !status; i++) {
        if (!has(t, i)) continue;
        status = draw_witness(t, w, i, 0, e);
        if (!status) add(t, w->drawn, w->sign);
        if (!status && i != LAST) status = draw_witness(t, w, i, 1, e); /* the last one speaks of both alike */
        if (!status) add(t, w->drawn, w->different);
    }
    for (size_t p = 0; p < pixels(t) && !status; p++) {
        map[0][0][p] = map[1][0][p] = w->sign[p] > 0 ? w->sign[p] : 0.0f;
        map[0][1][p] = map[1][1][p] = w->different[p] < 0 ? -w->different[p] : 0.0f;
    }
    return status;
}

int xfv_contrast_make(struct xfv_contrast *t, int worker, float *const map[2][2], struct xfv_err *e)
{
    struct worker *w = &t->workers[worker];
    int status = ask_coarse(t, worker, e);
    if (!status && has(t, FINE)) status = ask_fine(t, worker, e);
    if (!status && has(t, LAST)) status = ask_last(t, worker, e);
    if (!status) status = check_cells(t, w, e);
    return status ? status : draw(t, w, map, e);
}

float *xfv_contrast_cells(const struct xfv_contrast *t, int worker, enum xfv_contrast_witness i, int which)
{
    return has(t, (int)i) ? t->workers[worker].cells[i][which] : NULL;
}

float *xfv_contrast_signed(const struct xfv_contrast *t, int worker)
{
    return t->workers[worker].sign;
}
