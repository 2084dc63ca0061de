/* farbfeld (tools.suckless.org/farbfeld): "farbfeld", width and height, then RGBA of 16 bits each, all big-endian; sRGB,
 * alpha not multiplied in. */
#include <stdlib.h>

#include "image/internal.h"
#include "image/rows.h"

enum { HEADER = 16, PIXEL = 8 };

static uint32_t big_endian32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* 16 bits to the nearest of 8. */
static void to_bytes(const uint8_t *from, size_t samples, uint8_t *to)
{
    for (size_t i = 0; i < samples; i++) to[i] = (uint8_t)(((from[2 * i] << 8 | from[2 * i + 1]) * 255 + 32767) / 65535);
}

int xfv_decode_farbfeld(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                        struct xfv_err *e)
{
    struct xfv_rows r;
    if (n < HEADER) return xfv_fail_damaged(e, "farbfeld", "its header is cut");
    uint32_t w = big_endian32(bytes + 8), h = big_endian32(bytes + 12);
    int status = xfv_check_cost((long)w, (long)h, n, 0, o, e);
    if (status) return status;
    if ((n - HEADER) / PIXEL != (uint64_t)w * h || (n - HEADER) % PIXEL)
        return xfv_fail_damaged(e, "farbfeld", "it holds fewer or more pixels than its header says");
    uint8_t *row = malloc((size_t)w * 4);
    if (!row) return xfv_fail(e, XFV_ENOMEM, "out of memory for a row of %u pixels", w);
    status = xfv_rows_open(&r, (int)w, (int)h, XFV_RGBA, xfv_shrink_of((long)w, (long)h, o), e);
    for (uint32_t y = 0; y < h && !status; y++) {
        to_bytes(bytes + HEADER + (size_t)y * w * PIXEL, (size_t)w * 4, row);
        status = xfv_rows_put(&r, row, e);
    }
    xfv_rows_close(&r);
    free(row);
    if (!status) *out = r.im;
    else xfv_image_clear(&r.im);
    return status;
}
