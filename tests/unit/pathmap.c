/* Maps of pairs from paths: on images whose axes a network sees exchanged, whatever is kept of faces seen before and
 * whoever works, and what does not go together. */
#include "explain/pathmap.h"

#include "graphs.h"

enum { H = 52, W = 44, N = 9, FACES = 3 }; /* of the network's input: grids of 26x22 (fine) and 13x11 (auto) */
static float x[FACES][H * W * 3];
static uint8_t rgb[FACES][H * W * 3];

/* The image is [height][width]; a turned network sees it as [width][height]. Both see the same x. */
static struct xfv_model *model(int turned)
{
    struct xfv_err e = {0};
    struct xfv_model *m = xfv_model_new();
    struct build b = {m->graph, 0, 0};
    graphs_seed = 7;
    sure(xfv_graph_add_value(b.g, "input", xfv_shape_of(3, H, W, 3), &e), &e);
    conv(&b, 3, 2, 0, 1, 4, 1, 1);
    int fine = channelwise(&b, XFV_OP_PRELU, 0);
    conv(&b, 3, 2, 1, 1, 5, 1, 1);
    int layer = channelwise(&b, XFV_OP_PRELU, 0);
    m->embedding = dense(&b, N, 1);
    finish(&b);
    m->height = turned ? W : H, m->width = turned ? H : W, m->channels = 3, m->transposed = turned;
    for (int i = 0; i < 2; i++) {
        const struct xfv_value *v = &b.g->values[i ? layer : fine];
        size_t n = xfv_shape_count(v->shape);
        float *mean = malloc(n * sizeof *mean);
        for (size_t k = 0; k < n; k++) mean[k] = (float)uniform() * .1f;
        sure(xfv_model_add_mean(m, v->name, mean, n, 1, "", &e), &e);
        free(mean);
    }
    return m;
}

struct maps { float of[2][2][H * W]; struct xfv_pathmap_parts parts; };

static void explain(struct xfv_pathmap *t, int worker, int a, int b, struct maps *m)
{
    struct xfv_err e = {0};
    float *const map[2][2] = {{m->of[0][0], m->of[0][1]}, {m->of[1][0], m->of[1][1]}};
    sure(xfv_pathmap_see(t, worker, 0, rgb[a], x[a], &e), &e);
    sure(xfv_pathmap_see(t, worker, 1, rgb[b], x[b], &e), &e);
    sure(xfv_pathmap_make(t, worker, map, &e), &e);
    m->parts = *xfv_pathmap_parts(t, worker);
}

static struct xfv_pathmap *open_map(const struct xfv_model *m, const struct xfv_pathmap_opts *o)
{
    struct xfv_err e = {0};
    struct xfv_pathmap *t;
    sure(xfv_pathmap_new(m, o, 2, &t, &e), &e);
    return t;
}

/* Of a plane [H][W] and one [W][H]. */
static int is_transpose(const float *a, const float *b)
{
    for (int i = 0; i < H; i++)
        for (int j = 0; j < W; j++)
            if (memcmp(&a[i * W + j], &b[j * H + i], sizeof *a)) return 0;
    return 1;
}

static int is_split(const float *sign, const float *similar, const float *different)
{
    for (int p = 0; p < H * W; p++)
        if (similar[p] < 0 || different[p] < 0 ||
            memcmp(&similar[p], &(float){sign[p] > 0 ? sign[p] : 0}, sizeof *similar))
            return 0;
    return 1;
}

static const struct {
    const char *name;
    struct xfv_pathmap_opts o;
    int alike;
} rules[] = {
    /* alike: both faces are shown one map */
    {"pair", {.combine = XFV_COMBINE_PAIR, .steps = 3}, 1},
    {"joint", {.combine = XFV_COMBINE_JOINT, .steps = 3}, 1},
    {"own, from the partner", {.combine = XFV_COMBINE_OWN, .baseline = XFV_PATHMAP_PARTNER, .steps = 3}, 0},
    {"other, from the blurred face",
     {.combine = XFV_COMBINE_OTHER, .baseline = XFV_PATHMAP_BLUR, .steps = 3, .sigma = 2},
     0},
    {"dot of cells", {.kind = XFV_PATHMAP_CELLS, .combine = XFV_COMBINE_DOT}, 1},
    {"cosine of cells, from the blurred face",
     {.kind = XFV_PATHMAP_CELLS, .combine = XFV_COMBINE_COSINE, .baseline = XFV_PATHMAP_BLUR, .sigma = 2},
     1},
};

static void test_rules(const struct xfv_model *plain, const struct xfv_model *turned)
{
    static struct maps p, q, again;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct xfv_pathmap *t = open_map(plain, &rules[i].o), *u = open_map(turned, &rules[i].o);
        int transposed = 1, alike = 1, split = 1, empty = 0;
        explain(t, 0, 0, 1, &p);
        explain(u, 0, 0, 1, &q);
        for (int f = 0; f < 2; f++) {
            for (int k = 0; k < 2; k++) transposed = transposed && is_transpose(p.of[f][k], q.of[f][k]);
            transposed = transposed && is_transpose(p.parts.sign[f], q.parts.sign[f]);
            split = split && is_split(p.parts.sign[f], p.of[f][0], p.of[f][1]);
            alike = alike && !memcmp(p.of[0][f], p.of[1][f], sizeof p.of[0][f]);
            empty = empty || is_split(p.parts.sign[f], (float[H * W]){0}, p.of[f][1]);
        }
        OK(transposed && !empty, "%s: a network that sees the image turned: the same maps, turned back", rules[i].name);
        OK(split && alike == rules[i].alike, "%s: maps of one sign, %s for both faces", rules[i].name,
           alike ? "one" : "two");
        explain(t, 1, 2, 1, &again); /* the third face drives one out of the two that are kept */
        explain(t, 1, 0, 1, &again);
        OK(!memcmp(p.of, again.of, sizeof p.of), "%s: the same by another worker, with faces kept or seen again",
           rules[i].name);
        xfv_pathmap_free(t);
        xfv_pathmap_free(u);
    }
}

/* The finer look's agreement is part of the joint map, and only of its similarity. */
static void test_looks(struct xfv_model *m)
{
    static struct maps with, without;
    struct xfv_err e = {0};
    struct xfv_pathmap *t = open_map(m, &rules[1].o);
    explain(t, 0, 0, 1, &with);
    OK(xfv_pathmap_looks(t) == 2 && xfv_pathmap_look(t, 0)->h == 13 && xfv_pathmap_look(t, 1)->h == 26,
       "joint maps look at two grids");
    xfv_pathmap_free(t);
    char *name = m->means[0].value;
    char unknown[] = "unknown";
    m->means[0].value = unknown;
    t = open_map(m, &rules[1].o);
    explain(t, 0, 0, 1, &without);
    OK(xfv_pathmap_looks(t) == 1 && memcmp(with.of[0][0], without.of[0][0], sizeof with.of[0][0]),
       "at one where the average face is not known at the finer");
    xfv_pathmap_free(t);
    OK(xfv_pathmap_new(m, &(struct xfv_pathmap_opts){.combine = XFV_COMBINE_PAIR, .layer = "fine", .steps = 1}, 1, &t,
                       &e) == XFV_EMODEL &&
           !t,
       "and no path starts there: %s", e.msg);
    m->means[0].value = name;
}

static void test_refused(struct xfv_model *m)
{
    static const struct { const char *why; struct xfv_pathmap_opts o; int status;
    } cases[] = {
        {"products of a path", {.combine = XFV_COMBINE_DOT, .steps = 1}, XFV_EARG},
        {"joint cells", {.kind = XFV_PATHMAP_CELLS}, XFV_EARG},
        {"joint from a blurred face", {.baseline = XFV_PATHMAP_BLUR, .sigma = 1, .steps = 1}, XFV_EARG},
        {"cells of a layer that is not linear",
         {.kind = XFV_PATHMAP_CELLS, .combine = XFV_COMBINE_DOT, .layer = "fine"},
         XFV_EARG},
        {"no such layer", {.combine = XFV_COMBINE_PAIR, .layer = "5x5", .steps = 1}, XFV_EARG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xfv_err e = {0};
        struct xfv_pathmap *t = NULL;
        int status = xfv_pathmap_new(m, &cases[i].o, 1, &t, &e);
        OK(status == cases[i].status && *e.msg && !t, "%s: %s", cases[i].why, e.msg);
        xfv_pathmap_free(t);
    }
}

int main(void)
{
    struct xfv_model *plain = model(0), *turned = model(1);
    for (int f = 0; f < FACES; f++)
        for (int i = 0; i < H * W * 3; i++) {
            x[f][i] = (float)uniform();
            rgb[f][i] = (uint8_t)(127 * (uniform() + 1)); /* only what a face is known by */
        }
    test_rules(plain, turned);
    test_looks(plain);
    test_refused(plain);
    xfv_model_free(plain);
    xfv_model_free(turned);
    return tap_done();
}
