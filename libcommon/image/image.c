#include "image/image.h"

#include <stdlib.h>
#include <string.h>

int xfv_image_alloc(struct xfv_image *im, int width, int height, int channels, struct xfv_err *e)
{
    memset(im, 0, sizeof *im);
    if (width < 1 || height < 1 || channels < 1 || channels > 4)
        return xfv_fail(e, XFV_EARG, "an image of %d x %d pixels with %d channels cannot be made", width, height,
                        channels);
    if ((size_t)width > SIZE_MAX / (size_t)height / (size_t)channels)
        return xfv_fail(e, XFV_ELIMIT, "an image of %d x %d pixels does not fit the address space", width, height);
    im->data = calloc((size_t)width * (size_t)height, (size_t)channels);
    if (!im->data) return xfv_fail(e, XFV_ENOMEM, "out of memory for an image of %d x %d pixels", width, height);
    im->width = width;
    im->height = height;
    im->channels = channels;
    return 0;
}

void xfv_image_clear(struct xfv_image *im)
{
    if (!im) return;
    free(im->data);
    memset(im, 0, sizeof *im);
}

struct xfv_decode_opts xfv_decode_opts_default(void)
{
    return (struct xfv_decode_opts){.max_pixels = (size_t)256 << 20,
                                    .full_pixels = (size_t)64 << 20,
                                    .max_bytes = (size_t)2 << 30};
}
