/* Which kernels OpenBLAS multiplies with. An OpenBLAS that is older than the processor does not know it and takes
 * kernels of twenty years ago: 0.3.21 takes an Emerald Rapids for a Prescott, whose vectors have 4 floats in place
 * of 16. */
#ifndef XFV_NET_RUN_BLAS_H
#define XFV_NET_RUN_BLAS_H

/* OpenBLAS's names of its kernels ("Prescott", "SkylakeX"); static. found: by itself, or by OPENBLAS_CORETYPE. used:
 * now. why: NULL, or why `used` is not the best that the processor has, in a few words. */
struct xfv_blas { const char *found, *used, *why; };

/* Take the kernels that fit this processor where OpenBLAS's choice does not, and check a product with them; what the
 * user's OPENBLAS_CORETYPE says stays. Once, before the first product and before any thread. Without effect where this
 * build of OpenBLAS cannot change its kernels. */
struct xfv_blas xfv_blas_fit(void);
/* What xfv_blas_fit found and did. */
struct xfv_blas xfv_blas_used(void);

#endif
