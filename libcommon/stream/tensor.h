/* Tensors: {"dtype":"<f4","shape":[...],"data":bin} in a stream; C order, little-endian, NumPy's dtype strings. */
#ifndef XFV_STREAM_TENSOR_H
#define XFV_STREAM_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define XFV_MAX_DIMS 8

enum xfv_dtype { XFV_U8, XFV_I8, XFV_U16, XFV_I16, XFV_I32, XFV_I64, XFV_F16, XFV_F32, XFV_F64, XFV_DTYPES };

/* A dense array. data is 64-byte aligned when owned (made by xfv_tensor_alloc); a view (owned == 0) may point anywhere,
 * also unaligned. */
struct xfv_tensor {
    enum xfv_dtype dtype;
    int ndim;
    size_t shape[XFV_MAX_DIMS];
    void *data;
    int owned;
};

size_t xfv_dtype_size(enum xfv_dtype t);            /* bytes of one element */
const char *xfv_dtype_name(enum xfv_dtype t);       /* "|u1", "<f4", ... NumPy's own spelling */
/* 0, or XFV_EFORMAT for an unknown name; accepts "u1", "<u1", "|u1" alike */
int xfv_dtype_parse(const char *s, size_t n, enum xfv_dtype *out);

size_t xfv_tensor_count(const struct xfv_tensor *t); /* product of the shape; 1 for ndim 0 */
size_t xfv_tensor_bytes(const struct xfv_tensor *t);

/* Allocate zeroed, 64-byte aligned data. Fails with XFV_ENOMEM, or XFV_ELIMIT when the product overflows. The caller
 * clears it. */
int xfv_tensor_alloc(struct xfv_tensor *t, enum xfv_dtype dtype, int ndim, const size_t *shape, struct xfv_err *e);
void xfv_tensor_clear(struct xfv_tensor *t); /* frees owned data, zeroes *t; NULL and a cleared tensor are fine */

/* Describe caller's memory without copying; the caller keeps it alive. */
struct xfv_tensor xfv_tensor_view(enum xfv_dtype dtype, int ndim, const size_t *shape, void *data);

/* 64-byte aligned allocation of n bytes (n 0 gives a valid pointer), NULL when out of memory; freed by free(). */
void *xfv_aligned_alloc(size_t n);


/* IEEE 754 half precision (XFV_F16) <-> single, n values; src and dst must not overlap. To f16: round to nearest, ties
 * to even, overflow to infinity, subnormals kept; NaN stays a (quiet) NaN with the top bits of its payload. To f32:
 * exact. */
void xfv_f16_from_f32(const float *src, uint16_t *dst, size_t n);
void xfv_f32_from_f16(const void *src, float *dst, size_t n); /* src at any alignment */

#endif
