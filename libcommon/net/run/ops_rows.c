/* Reductions, products of two activations, layer normalisation. Sums that may be long are kept in double. */
#include <cblas.h>
#include <math.h>

#include "net/run/ops_internal.h"

/* ---- reduce ---- */

#define BLOCK 16 /* channels that a reduction over pixels takes at a time */

static float start_of(int what)
{
    return what == XFV_REDUCE_MAX ? -INFINITY : what == XFV_REDUCE_PROD ? 1.0f : 0.0f;
}

static void gather_row(int what, double *acc, const float *x, int n)
{
    for (int c = 0; c < n; c++) {
        if (what == XFV_REDUCE_MAX) acc[c] = (double)x[c] > acc[c] ? (double)x[c] : acc[c];
        else if (what == XFV_REDUCE_PROD) acc[c] *= (double)x[c];
        else acc[c] += what == XFV_REDUCE_L2 ? (double)x[c] * (double)x[c] : (double)x[c];
    }
}

/* The pixels of x (offsets) that output pixel p is made of, one after the other; k counts them. 0 when there are no
 * more. */
struct walk { struct axes in, out; int inner[3]; };

static struct walk walk_of(struct view x, struct view y)
{
    struct walk w = {axes_of(x), axes_of(y), {1, 1, 1}};
    for (int a = 0; a < 3; a++)
        if (w.out.dim[a] != w.in.dim[a]) w.inner[a] = w.in.dim[a];
    return w;
}

static size_t walk_count(const struct walk *w)
{
    return (size_t)w->inner[0] * (size_t)w->inner[1] * (size_t)w->inner[2];
}

static size_t walk_at(const struct walk *w, size_t p, size_t k)
{
    size_t d1 = (size_t)w->out.dim[1], d2 = (size_t)w->out.dim[2], n1 = (size_t)w->inner[1], n2 = (size_t)w->inner[2];
    /* one of each pair is 0 */
    size_t i2 = p % d2 + k % n2, i1 = p / d2 % d1 + k / n2 % n1, i0 = p / d2 / d1 + k / n2 / n1;
    return i0 * w->in.step[0] + i1 * w->in.step[1] + i2 * w->in.step[2];
}

static float finish(int what, double acc, double count)
{
    return (float)(what == XFV_REDUCE_MEAN ? acc / count : what == XFV_REDUCE_L2 ? sqrt(acc) : acc);
}

/* 1: the pixels of one output lie evenly apart, by *step floats. */
static int walk_even(const struct walk *w, size_t *step)
{
    size_t n1 = (size_t)w->inner[1], n2 = (size_t)w->inner[2];
    *step = n2 > 1 ? w->in.step[2] : w->in.step[1];
    return w->inner[0] == 1 && (n1 == 1 || n2 == 1 || w->in.step[1] == n2 * w->in.step[2]);
}

/* Sums and means over pixels alone: global pooling. */
static void reduce_rows(const struct run *r, const struct walk *w, size_t step, struct view x, struct view y, float by)
{
    for (size_t p = 0; p < y.pixels; p++) {
        float *to = at(y, p, 0);
        r->net->f->sum_rows(x.x + walk_at(w, p, 0), step, walk_count(w), to, y.ch);
        for (int c = 0; c < y.ch; c++) to[c] *= by;
    }
    clear_lanes(y);
}

void xfv_op_reduce_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    struct walk w = walk_of(x, y);
    int what = s->node->i[0], whole = y.ch != x.ch; /* the last axis goes too */
    size_t n = walk_count(&w);
    double count = (double)n * (whole ? x.ch : 1);
    size_t step;
    if (!whole && (what == XFV_REDUCE_MEAN || what == XFV_REDUCE_SUM) && walk_even(&w, &step)) {
        reduce_rows(r, &w, step, x, y, what == XFV_REDUCE_MEAN ? (float)(1.0 / count) : 1.0f);
        return;
    }
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c += BLOCK) {
            double acc[BLOCK];
            int block = y.ch - c < BLOCK ? y.ch - c : BLOCK;
            for (int j = 0; j < BLOCK; j++) acc[j] = (double)start_of(what);
            for (size_t k = 0; k < n; k++) {
                const float *from = x.x + walk_at(&w, p, k);
                if (!whole) gather_row(what, acc, from + c, block);
                else for (int j = 0; j < x.ch; j++) gather_row(what, acc, from + j, 1);
            }
            for (int j = 0; j < block; j++) *at(y, p, c + j) = finish(what, acc[j], count);
        }
    clear_lanes(y);
}

/* All to the first of equals. */
static void max_backward(const struct walk *w, struct view x, struct view y, const float *dy, float *dx)
{
    int whole = y.ch != x.ch;
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) {
            int found = 0;
            for (size_t k = 0; k < walk_count(w) && !found; k++)
                for (int j = whole ? 0 : c; j < (whole ? x.ch : c + 1) && !found; j++) {
                    size_t o = walk_at(w, p, k) + (size_t)j;
                    if (x.x[o] < *at(y, p, c)) continue;
                    dx[o] += dy[p * (size_t)y.pitch + (size_t)c];
                    found = 1;
                }
        }
}

/* To each the product of the others: of those that are not zero, unless another one is. */
static void product_backward(const struct walk *w, struct view x, struct view y, const float *dy, float *dx)
{
    int whole = y.ch != x.ch;
    for (size_t p = 0; p < y.pixels; p++)
        for (int c = 0; c < y.ch; c++) {
            double product = 1;
            size_t zeros = 0;
            for (int pass = 0; pass < 2; pass++)
                for (size_t k = 0; k < walk_count(w); k++)
                    for (int j = whole ? 0 : c; j < (whole ? x.ch : c + 1); j++) {
                        size_t o = walk_at(w, p, k) + (size_t)j;
                        double v = (double)x.x[o];
                        int zero = !(v > 0 || v < 0);
                        if (pass == 0) zeros += (size_t)zero, product *= zero ? 1 : v;
                        else if (zeros == (size_t)zero)
                            dx[o] += dy[p * (size_t)y.pitch + (size_t)c] * (float)(zero ? product : product / v);
                    }
        }
}

void xfv_op_reduce_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view x = view_of(r, s->in[i]), y = view_of(r, s->out);
    struct walk w = walk_of(x, y);
    int what = s->node->i[0], whole = y.ch != x.ch;
    size_t n = walk_count(&w);
    float scale = what == XFV_REDUCE_MEAN ? 1.0f / ((float)n * (float)(whole ? x.ch : 1)) : 1.0f;
    if (what == XFV_REDUCE_MAX) {
        max_backward(&w, x, y, dy, dx);
        return;
    }
    if (what == XFV_REDUCE_PROD) {
        product_backward(&w, x, y, dy, dx);
        return;
    }
    for (size_t p = 0; p < y.pixels; p++)
        for (size_t k = 0; k < n; k++) {
            size_t o = walk_at(&w, p, k);
            const float *d = dy + p * (size_t)y.pitch, *norm = at(y, p, 0), *from = x.x + o;
            for (int c = 0; c < x.ch; c++) {
                int j = whole ? 0 : c;
                if (what != XFV_REDUCE_L2) dx[o + (size_t)c] += d[j] * scale;
                else if (norm[j] > 0.0f) dx[o + (size_t)c] += d[j] * from[c] / norm[j];
            }
        }
}

/* ---- matmul ---- */

/* One product of a batch: y [m][n] of a [m][k] and b [k][n], or b [n][k] when transposed; pitches apart. Product q of
 * the batch, at (i, j) of the leading axes (rows x columns of them), takes its matrices at i * s[0] + j * s[1]: steps
 * of 0 where an operand stretches. */
struct product {
    const float *a, *b;
    int m, n, k, transposed;
    size_t pa, pb, py, batches, columns, sa[2], sb[2], sy;
};

static void lead_steps(const struct strided *v, size_t to[2])
{
    int r = v->s.rank;
    to[1] = r > 2 && v->s.dim[r - 3] > 1 ? v->step[r - 3] : 0;
    to[0] = r > 3 && v->s.dim[r - 4] > 1 ? v->step[r - 4] : 0;
}

static size_t rows_apart(const struct strided *v)
{
    int r = v->s.rank;
    return v->s.dim[r - 2] > 1 ? v->step[r - 2] : (size_t)xfv_pad16(v->s.dim[r - 1]);
}

static size_t lead_at(const struct product *p, const size_t s[2], size_t q)
{
    return q / p->columns * s[0] + q % p->columns * s[1];
}

static struct product product_of(const struct run *r, const struct step *s)
{
    struct strided a = xfv_strided(r, s->in[0]), b = xfv_strided(r, s->in[1]);
    struct view y = view_of(r, s->out);
    struct product p = {.a = a.x, .b = b.x, .n = y.ch, .k = shape_channels(a.s), .transposed = s->node->i[0]};
    p.m = y.s.dim[y.s.rank - 2];
    p.pa = rows_apart(&a), p.pb = rows_apart(&b), p.py = (size_t)y.pitch;
    p.batches = y.pixels / (size_t)p.m;
    p.columns = y.s.rank > 2 ? (size_t)y.s.dim[y.s.rank - 3] : 1;
    p.sy = (size_t)p.m * p.py;
    lead_steps(&a, p.sa);
    lead_steps(&b, p.sb);
    return p;
}

/* Our kernels read b in panels. To pack them pays for a few rows of a already; where they leave the second-level cache,
 * OpenBLAS takes them by blocks. */
#define FEW_ROWS 4
#define MANY_FLOATS 262144

size_t xfv_matmul_scratch(const struct step *s, const struct xfv_shape *shape)
{
    struct xfv_shape a = shape[s->in[0]], y = shape[s->out];
    size_t floats = (size_t)shape_channels(a) * (size_t)xfv_pad16(shape_channels(y));
    return y.dim[y.rank - 2] < FEW_ROWS || floats > MANY_FLOATS ? 0 : floats;
}

/* A panel's columns, of which b has `real`, from a row of b each. Four rows at a time: stores are then neighbours. */
static void turn_panel(const float *b, size_t pb, int k, int real, int width, float by, float *out)
{
    int j = 0, i;
    for (; j + 4 <= real; j += 4, b += 4 * pb, out += 4) {
        const float *b1 = b + pb, *b2 = b1 + pb, *b3 = b2 + pb;
        for (i = 0; i < k; i++) {
            float *to = out + (size_t)i * (size_t)width;
            to[0] = by * b[i], to[1] = by * b1[i], to[2] = by * b2[i], to[3] = by * b3[i];
        }
    }
    for (; j < width; j++, b += pb, out++)
        for (i = 0; i < k; i++) out[(size_t)i * (size_t)width] = j < real ? by * b[i] : 0.0f;
}

static void copy_panel(const float *b, size_t pb, int k, int real, int width, float by, float *out)
{
    for (int i = 0; i < k; i++, b += pb, out += width) {
        memcpy(out, b, sizeof *out * (size_t)real);
        for (int j = 0; j < real && (by < 1.0f || by > 1.0f); j++) out[j] *= by;
        for (int j = real; j < width; j++) out[j] = 0.0f;
    }
}

/* `by` times b, as xfv_pack would have it. */
static void pack_second(const struct product *p, const float *b, float by, int panel, float *out)
{
    int padded = xfv_pad16(p->n);
    for (int c = 0; c < padded; c += panel) {
        int width = padded - c < panel ? padded - c : panel, real = p->n - c < width ? p->n - c : width;
        if (p->transposed) turn_panel(b + (size_t)c * p->pb, p->pb, p->k, real, width, by, out);
        else copy_panel(b + c, p->pb, p->k, real, width, by, out);
        out += (size_t)p->k * (size_t)width;
    }
}

/* b is one panel already. */
static int is_packed(const struct product *p, float by, int panel)
{
    int padded = xfv_pad16(p->n);
    return !p->transposed && padded <= panel && p->pb == (size_t)padded && by >= 1.0f && by <= 1.0f;
}

static void multiply(const struct run *r, const struct product *p, const float *a, const float *b, float by, float *y)
{
    struct xfv_gemm g = {.x = a,
                         .ldx = p->pa,
                         .taps = 1,
                         .k = p->k,
                         .block = r->signs ? XFV_CHAIN : 0,
                         .w = b,
                         .n = xfv_pad16(p->n),
                         .y = y,
                         .ldy = p->py};
    if (!is_packed(p, by, r->net->k->panel)) {
        pack_second(p, b, by, r->net->k->panel, r->scratch);
        g.w = r->scratch;
    }
    r->net->k->gemm(&g, p->m);
}

/* One product of a sample at a time on one thread, so that a sample's bits do not depend on its neighbours. */
void xfv_op_matmul_forward(const struct run *r, const struct step *s)
{
    struct product p = product_of(r, s);
    struct view y = view_of(r, s->out);
    int ours = xfv_matmul_scratch(s, r->shape) > 0;
    for (size_t q = 0; q < p.batches; q++) {
        const float *aq = p.a + lead_at(&p, p.sa, q), *bq = p.b + lead_at(&p, p.sb, q);
        float *to = y.x + q * p.sy;
        if (ours) multiply(r, &p, aq, bq, s->by, to);
        else
            cblas_sgemm(CblasRowMajor, CblasNoTrans, p.transposed ? CblasTrans : CblasNoTrans, p.m, p.n, p.k, s->by, aq,
                        (int)p.pa, bq, (int)p.pb, 0.0f, to, (int)p.py);
    }
    clear_lanes(y);
}

/* y = a b: da = dy b^T, db = a^T dy; with b transposed, da = dy b, db = dy^T a. Added to dx. */
void xfv_op_matmul_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct product p = product_of(r, s);
    for (size_t q = 0; q < p.batches; q++) {
        size_t at_a = lead_at(&p, p.sa, q), at_b = lead_at(&p, p.sb, q);
        const float *d = dy + q * p.sy, *aq = p.a + at_a, *bq = p.b + at_b;
        if (i == 0)
            cblas_sgemm(CblasRowMajor, CblasNoTrans, p.transposed ? CblasNoTrans : CblasTrans, p.m, p.k, p.n, s->by, d,
                        (int)p.py, bq, (int)p.pb, 1.0f, dx + at_a, (int)p.pa);
        else if (p.transposed)
            cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, p.n, p.k, p.m, s->by, d, (int)p.py, aq, (int)p.pa,
                        1.0f, dx + at_b, (int)p.pb);
        else
            cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, p.k, p.n, p.m, s->by, aq, (int)p.pa, d, (int)p.py,
                        1.0f, dx + at_b, (int)p.pb);
    }
}

/* ---- layernorm ---- */

static struct xfv_norm norm_of(const struct run *r, const struct step *s, struct view x)
{
    return (struct xfv_norm){weight_data(r, s->node->weight), weight_data(r, s->node->bias), s->node->f[0], x.ch};
}

void xfv_op_layernorm_forward(const struct run *r, const struct step *s)
{
    struct view x = view_of(r, s->in[0]), y = view_of(r, s->out);
    struct xfv_norm m = norm_of(r, s, x);
    r->net->f->norm(&m, x.x, (size_t)x.pitch, y.x, (size_t)y.pitch, y.pixels);
    clear_lanes(y);
}

void xfv_op_layernorm_backward(const struct run *r, const struct step *s, const float *dy, int i, float *dx)
{
    struct view x = view_of(r, s->in[i]), y = view_of(r, s->out), g = view_at(r, s->in[i], dx);
    struct xfv_norm m = norm_of(r, s, x);
    for (size_t p = 0; p < x.pixels; p++)
        r->net->f->norm_back(&m, at(x, p, 0), dy + p * (size_t)y.pitch, at(g, p, 0));
}
