/* The inner loops that OpenBLAS does not have, in builds for plain C, AVX2+FMA, AVX-512 and NEON of one source,
 * net/run/kern_body.h. Every output element is one chain of multiply-adds in a fixed order (taps, then channels; or a
 * sum of such chains), whatever the tile it falls into: so results do not depend on batch, chunk or thread, and AVX2
 * and AVX-512 give the same bits.
 *
 * Activations are [pixel][channel] with channels padded to a multiple of 16 (xfv_pad16); padding lanes hold zeros, and
 * so do the weights that meet them. Only a network's input is dense. Sign bits are [pixel][channel/8], bit c%8 of byte
 * c/8 set where the PReLU's input was > 0. */
#ifndef XFV_NET_RUN_KERN_INTERNAL_H
#define XFV_NET_RUN_KERN_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define XFV_LANES 16
static inline int xfv_pad16(int c) { return (c + XFV_LANES - 1) / XFV_LANES * XFV_LANES; }

/* What happens to a row of results [pixel][n] before it is stored. All pointers may be NULL. Order: + bias, + add, sign
 * out, PReLU, mask. */
struct xfv_epilogue {
    const float *bias;   /* [n] */
    const float *add;    /* [pixel][n], same pixel stride as the output; may be the output itself */
    const float *slope;  /* [n]: forward, y = v > 0 ? v : slope v; with mask, the backward pass of the same */
    uint8_t *sign;       /* out: [pixel][n/8] */
    const uint8_t *mask; /* in: [pixel][n/8]; y = bit ? v : slope v */
    size_t bits;         /* bytes from one pixel's sign or mask to the next */
};

/* A sum over taps of small matrix products: y[p][:] = sum_t sum_k x[p*ldx + tap[t] + k] * w[t][k][:]. Convolutions of
 * every kind, forward and backward, and dense layers are calls of it. w is packed by xfv_pack (panels of `panel`
 * columns). */
struct xfv_gemm {
    const float *x;
    size_t ldx;           /* floats from one output pixel's input to the next's */
    int taps, k;          /* floats read per tap */
    /* 0: a sum is one chain; else chains of at most so many multiply-adds of a tap are added up: a long sum rounds
     * less */
    int block;
    const ptrdiff_t *tap; /* NULL: one tap at 0 */
    const float *w;
    int n;                /* columns, multiple of 16 */
    float *y;
    size_t ldy;
    struct xfv_epilogue e;
};

/* One row of a depthwise convolution, channels padded. rows[i]: input row that kernel row i reads (never NULL: a row of
 * zeros for padding); columns outside 0..win-1 are zero. y[x] = sum_ij rows[i][x*stride - left + j (1 + gap)] w[i][j].
 * two: 1 to make the next row as well, of rows[1..kh], when input rows are as far apart as output rows. */
struct xfv_dwrow {
    const float *const *rows;
    int kh, kw, stride, left, win, wout, channels, two, gap;
    const float *w; /* [kh][kw][channels] */
    float *y;       /* [1 + two][wout][channels] */
    struct xfv_epilogue e;
};

/* Winograd F(4x4, 3x3) (Lavin and Gray, 2015): 6x6 input patches to 36 frequencies, products per frequency, back to 4x4
 * outputs: a quarter of the multiplications. */
#define XFV_WINO 36
struct xfv_wino {
    /* input patches' top left corner: first tile of a row of tiles; tiles follow every 4 pixels */
    const float *x;
    size_t row;           /* floats from one input row to the next */
    int channels;         /* padded */
    float *v;             /* frequencies: [36][freq floats]; tile t of this call at t * channels */
    size_t freq;          /* floats from one frequency to the next */
    int tiles;
};
struct xfv_wino_out {
    const float *m;       /* [36][freq] as above, channels = outputs, padded */
    size_t freq;
    int channels, tiles;
    float *y;             /* output pixel (0,0) of the first tile */
    int height, width;    /* output pixels that exist from y on: tiles are cut there */
    size_t pixels_row;     /* pixels in a whole output row */
    struct xfv_epilogue e; /* add, sign and mask: those of the pixel at y */
};

/* The weights' side, G g G^T, of n kernels at once: tap t of kernel i at w[t*tap + i], frequency f of it to u[f*freq +
 * i]. n: a multiple of 16. */
struct xfv_wino_u { const float *w; size_t tap; float *u; size_t freq, n; };

struct xfv_kernels {
    const char *name;
    const char *base; /* of what builds they are, also by terms: name of the kernels without */
    int panel; /* columns of a packed panel: 16, 32 or 64 */
    void (*gemm)(const struct xfv_gemm *g, int pixels);
    void (*dwrow)(const struct xfv_dwrow *d);
    /* Transposed, stride 2: rows[i] is the gradient row that kernel row i meets at this input row, or NULL. d->win:
     * columns of the gradient, d->wout: columns of the input row. y[x] = sum over i, j with (x + left - j) even of
     * rows[i][(x + left - j)/2] w[i][j]. */
    void (*dwrow_back2)(const struct xfv_dwrow *d);
    /* v[p][c] = bit ? v : slope v, and plain a += b. */
    void (*mask)(float *v, const uint8_t *bits, const float *slope, size_t pixels, int channels);
    void (*add)(float *a, const float *b, size_t n);
    /* y[p][c] = x[p][c] scale[c] + shift[c] (shift NULL: none), added to y when acc. channels padded. */
    void (*affine)(float *y, const float *x, const float *scale, const float *shift, size_t pixels, int channels,
                   int acc);
    void (*wino_in)(const struct xfv_wino *w);
    void (*wino_out)(const struct xfv_wino_out *w);
    void (*wino_u)(const struct xfv_wino_u *w);
    /* Not 0: 1x1 convolutions go by gemm_terms where net/run/pack.c packs their weights in so many bfloat16 terms. */
    int terms;
    void (*gemm_terms)(const struct xfv_gemm *g, int pixels);
};

extern const struct xfv_kernels xfv_kern_generic;
#if defined(__x86_64__)
extern const struct xfv_kernels xfv_kern_avx2, xfv_kern_avx512, xfv_kern_tall_avx512;
#elif defined(__aarch64__)
extern const struct xfv_kernels xfv_kern_neon;
#endif

/* The best that this processor has, or what XFV_KERNELS in the environment names: generic, avx2, avx512, avx512-tall;
 * amx3 and amx6 (see net/run/kern_terms.h), and plain3 and plain6, which compute the same in plain C. The first call
 * chooses, and asks the system for AMX: a program makes it before its sandbox. */
const struct xfv_kernels *xfv_kernels(void);
/* XFV_EARG when XFV_KERNELS names what this program, processor or system does not have. */
int xfv_kernels_refused(struct xfv_err *e);

/* Pack w [rows][n] (row stride ldw, n real columns) into panels for k->gemm: out holds rows * pad16(n) floats. Missing
 * columns are zero. */
void xfv_pack(const struct xfv_kernels *k, const float *w, size_t ldw, size_t rows, int n, float *out);

#endif
