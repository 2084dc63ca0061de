/* An ONNX file without the bytes of its large constants. */
#ifndef XFV_NET_IMPORT_ONNX_HOLLOW_H
#define XFV_NET_IMPORT_ONNX_HOLLOW_H

#include <stddef.h>
#include <stdint.h>

/* the bytes of the graph's constant of this number, where they lie in the file */
struct xfv_onx_part { size_t constant; const uint8_t *p; size_t n; };
struct xfv_onx_hollow { uint8_t *p; size_t n; struct xfv_onx_part *part; size_t n_parts; };

/* 1: *h is the file without them, to be freed; 0: it has none, or is not of this form, or memory is short, and *h is
 * empty. */
int xfv_onx_hollow(const uint8_t *p, size_t n, struct xfv_onx_hollow *h);
void xfv_onx_hollow_free(struct xfv_onx_hollow *h);

#endif
