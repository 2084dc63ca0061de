/* 3x3 convolutions by Winograd F(4x4, 3x3), for a batch of images at a time: the 36 products read a large weight once
 * for many tiles. */
#include <string.h>

#include "net/run/internal.h"

int xfv_wino_tiles(int h, int w)
{
    return ((h + 3) / 4) * ((w + 3) / 4);
}

/* Tiles that are transformed, multiplied and transformed back together: their frequencies should fit the caches, yet be
 * enough to pay for reading the weights. Whole rows of tiles. */
static int block_tiles(int across, int cin, int cout)
{
    int t = (3 << 19) / (XFV_WINO * 4 * (cin + cout));
    if (t < 64) t = 64;
    return t < across ? across : t / across * across;
}

/* Floats from one frequency to the next: an odd number of cache lines, so that 36 of them share no set. */
static size_t apart(size_t tiles, int channels)
{
    size_t lines = tiles * (size_t)channels / XFV_LANES;
    return (lines | 1) * XFV_LANES;
}

size_t xfv_wino_scratch(const struct wino_job *j)
{
    int across = (j->wo + 3) / 4;
    size_t tiles = (size_t)block_tiles(across, j->cin, j->cout);
    size_t panel = !j->of_taps ? 0 : XFV_WINO * (size_t)j->kin * (size_t)j->k->panel;
    size_t band = 6 * (size_t)(across * 4 + 2) * (size_t)j->cin;
    return XFV_WINO * (apart(tiles, j->cin) + apart(tiles, j->cout)) + band + panel + 64;
}

/* Six input rows from `top` on, zero where the image has none, into band [6][across*4 + 2][cin]. */
static void fill_band(const struct wino_job *j, const float *x, int top, float *band)
{
    int wide = (j->wo + 3) / 4 * 4 + 2, have = j->w < wide - j->left ? j->w : wide - j->left;
    size_t row = (size_t)wide * (size_t)j->cin;
    for (int i = 0; i < 6; i++, band += row) {
        int y = top + i;
        if (y < 0 || y >= j->h) {
            memset(band, 0, sizeof *band * row);
            continue;
        }
        memset(band, 0, sizeof *band * (size_t)j->left * (size_t)j->cin);
        memcpy(band + (size_t)j->left * (size_t)j->cin, x + (size_t)y * (size_t)j->w * (size_t)j->cin,
               sizeof *band * (size_t)have * (size_t)j->cin);
        memset(band + (size_t)(j->left + have) * (size_t)j->cin, 0,
               sizeof *band * (size_t)(wide - j->left - have) * (size_t)j->cin);
    }
}

static void store_row(const struct wino_job *j, int image, int ty, const float *m, size_t freq)
{
    size_t p = (size_t)(ty * 4) * (size_t)j->wo;
    struct xfv_wino_out o = {.m = m,
                             .freq = freq,
                             .channels = j->cout,
                             .tiles = (j->wo + 3) / 4,
                             .y = j->y + (size_t)image * j->ystep + p * (size_t)j->cout,
                             .height = j->ho - ty * 4,
                             .width = j->wo,
                             .pixels_row = (size_t)j->wo,
                             .e = j->e};
    if (o.e.add) o.e.add += (size_t)image * j->ystep + p * (size_t)j->cout;
    if (o.e.mask) o.e.mask += p * o.e.bits;
    if (o.e.sign) o.e.sign += p * o.e.bits;
    j->k->wino_out(&o);
}

/* Columns c.. of the 36 products m = v u, whose frequencies are vf and mf floats apart; u: those columns of the
 * weights, uf floats apart. */
static void products(const struct wino_job *j, int tiles, const float *v, size_t vf, const float *u, size_t uf, int c,
                     int columns, float *m, size_t mf)
{
    for (int f = 0; f < XFV_WINO; f++) {
        struct xfv_gemm g = {.x = v + (size_t)f * vf,
                             .ldx = (size_t)j->cin,
                             .taps = 1,
                             .k = j->kin,
                             .w = u + (size_t)f * uf,
                             .n = columns,
                             .y = m + (size_t)f * mf + c,
                             .ldy = (size_t)j->cout};
        j->k->gemm(&g, tiles);
    }
}

/* The same for all columns, a panel at a time, whose frequencies are made in `panel` and stay in the cache for their
 * products. */
static void products_of_taps(const struct wino_job *j, int tiles, const float *v, size_t vf, float *panel, float *m,
                             size_t mf)
{
    size_t rows = (size_t)j->kin;
    for (int c = 0; c < j->cout; c += j->k->panel) {
        int columns = j->cout - c < j->k->panel ? j->cout - c : j->k->panel;
        size_t n = rows * (size_t)columns;
        struct xfv_wino_u u = {
            .w = j->u + rows * (size_t)c, .tap = rows * (size_t)j->cout, .u = panel, .freq = n, .n = n};
        j->k->wino_u(&u);
        products(j, tiles, v, vf, panel, n, c, columns, m, mf);
    }
}

void xfv_wino_conv(const struct wino_job *j, int images, float *scratch)
{
    int across = (j->wo + 3) / 4, down = (j->ho + 3) / 4, rows = down * images,
        per = block_tiles(across, j->cin, j->cout) / across;
    size_t most = (size_t)per * (size_t)across, u = (size_t)j->kin * (size_t)j->cout;
    float *v = scratch, *m = v + XFV_WINO * apart(most, j->cin), *band = m + XFV_WINO * apart(most, j->cout);
    float *panel = band + 6 * (size_t)(across * 4 + 2) * (size_t)j->cin;
    for (int r0 = 0; r0 < rows; r0 += per) {
        int n = rows - r0 < per ? rows - r0 : per, tiles = n * across;
        size_t vf = apart((size_t)tiles, j->cin), mf = apart((size_t)tiles, j->cout);
        for (int r = 0; r < n; r++) {
            int image = (r0 + r) / down, ty = (r0 + r) % down;
            fill_band(j, j->x + (size_t)image * j->xstep, ty * 4 - j->top, band);
            struct xfv_wino in = {band,   (size_t)(across * 4 + 2) * (size_t)j->cin,
                                  j->cin, v + (size_t)(r * across) * (size_t)j->cin,
                                  vf,     across};
            j->k->wino_in(&in);
        }
        if (j->of_taps) products_of_taps(j, tiles, v, vf, panel, m, mf);
        else products(j, tiles, v, vf, j->u, u, 0, j->cout, m, mf);
        for (int r = 0; r < n; r++)
            store_row(j, (r0 + r) / down, (r0 + r) % down, m + (size_t)(r * across) * (size_t)j->cout, mf);
    }
}

struct wino_job xfv_wino_forward(const struct xfv_net *n, const struct step *s, const struct xfv_shape *shape)
{
    struct xfv_shape in = shape[s->in[0]], out = shape[s->out];
    struct wino_job j = {.k = n->k,
                         .u = s->uf,
                         .h = in.dim[0],
                         .w = in.dim[1],
                         .cin = value_pitch(n, s->in[0], in),
                         .kin = shape_channels(in),
                         .ho = out.dim[0],
                         .wo = out.dim[1],
                         .cout = value_pitch(n, s->out, out),
                         .top = s->node->pads[0],
                         .left = s->node->pads[1]};
    return j;
}

/* dx = dy convolved with the kernel turned round, padded by what the forward pass was not. */
struct wino_job xfv_wino_backward(const struct xfv_net *n, const struct step *s)
{
    struct xfv_shape in = n->shape[s->in[0]], out = n->shape[s->out];
    struct wino_job j = {.k = n->k,
                         .u = s->deep ? s->wb : s->ub,
                         .of_taps = s->deep,
                         .h = out.dim[0],
                         .w = out.dim[1],
                         .cin = value_pitch(n, s->out, out),
                         .kin = shape_channels(out),
                         .ho = in.dim[0],
                         .wo = in.dim[1],
                         .cout = value_pitch(n, s->in[0], in),
                         .top = 2 - s->node->pads[0],
                         .left = 2 - s->node->pads[1]};
    return j;
}
