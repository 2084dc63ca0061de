/* Between dense arrays, as callers have them, and the padded layout of the kernels. */
#include <string.h>

#include "net/run/internal.h"

void xfv_spread(float *to, const float *from, struct xfv_shape s, int pitch)
{
    size_t ch = (size_t)shape_channels(s), pixels = shape_pixels(s);
    if ((size_t)pitch == ch) {
        memcpy(to, from, sizeof *to * ch * pixels);
        return;
    }
    for (size_t p = 0; p < pixels; p++, to += pitch, from += ch) {
        memcpy(to, from, sizeof *to * ch);
        memset(to + ch, 0, sizeof *to * ((size_t)pitch - ch));
    }
}

void xfv_gather(float *to, const float *from, struct xfv_shape s, int pitch)
{
    size_t ch = (size_t)shape_channels(s), pixels = shape_pixels(s);
    for (size_t p = 0; p < pixels; p++, to += ch, from += pitch) {
        if (ch > 4) memcpy(to, from, sizeof *to * ch);
        else for (size_t c = 0; c < ch; c++) to[c] = from[c];
    }
}
