#include "image/fit.h"

#include <math.h>
#include <string.h>

#include "base/toint.h"
#include "image/resize.h"

const char *const xfv_fit_names[] = {"exact", "crop", "pad", "stretch", NULL};

/* The part of from (its corner at x, y of it) to the place u, v of to; as much as the smaller of the two needs. */
static void copy_part(const struct xfv_image *from, int x, int y, struct xfv_image *to, int u, int v)
{
    int width = from->width - x < to->width - u ? from->width - x : to->width - u;
    int height = from->height - y < to->height - v ? from->height - y : to->height - v;
    size_t c = (size_t)from->channels;
    for (int row = 0; row < height; row++)
        memcpy(to->data + ((size_t)(v + row) * (size_t)to->width + (size_t)u) * c,
               from->data + ((size_t)(y + row) * (size_t)from->width + (size_t)x) * c, (size_t)width * c);
}

/* b * num / den to the nearest whole number, 1..most. */
static int share(int b, int num, int den, int most)
{
    return xfv_to_int(round((double)b * num / den), 1, most);
}

/* fx, fy: scale; x, y: the pixel of the source whose corner comes to the corner u, v of the target. Pixel centres: x' +
 * 1/2 = u + (x + 1/2 - x0) fx. */
static void set_transform(double t[6], double fx, double fy, int x, int y, int u, int v)
{
    t[0] = fx, t[1] = 0, t[2] = u + (0.5 - x) * fx - 0.5;
    t[3] = 0, t[4] = fy, t[5] = v + (0.5 - y) * fy - 0.5;
}

static int crop(const struct xfv_image *im, int width, int height, struct xfv_image *out, double transform[6],
                struct xfv_err *e)
{
    struct xfv_image part = {0};
    int w = share(im->height, width, height, im->width), h = share(im->width, height, width, im->height);
    int x = (im->width - w) / 2, y = (im->height - h) / 2;
    set_transform(transform, (double)width / w, (double)height / h, x, y, 0, 0);
    int status = xfv_image_alloc(&part, w, h, im->channels, e);
    if (status) return status;
    copy_part(im, x, y, &part, 0, 0);
    status = xfv_image_resize(&part, width, height, out, e);
    xfv_image_clear(&part);
    return status;
}

static int pad(const struct xfv_image *im, int width, int height, struct xfv_image *out, double transform[6],
               struct xfv_err *e)
{
    struct xfv_image small = {0};
    int w = share(height, im->width, im->height, width), h = share(width, im->height, im->width, height);
    int u = (width - w) / 2, v = (height - h) / 2;
    set_transform(transform, (double)w / im->width, (double)h / im->height, 0, 0, u, v);
    int status = xfv_image_resize(im, w, h, &small, e);
    if (!status) status = xfv_image_alloc(out, width, height, im->channels, e);
    if (!status) copy_part(&small, 0, 0, out, u, v);
    xfv_image_clear(&small);
    return status;
}

int xfv_image_fit(const struct xfv_image *im, enum xfv_fit how, int width, int height, struct xfv_image *out,
                  double transform[6], struct xfv_err *e)
{
    if (im->width == width && im->height == height) {
        set_transform(transform, 1, 1, 0, 0, 0, 0);
        int status = xfv_image_alloc(out, width, height, im->channels, e);
        if (!status) copy_part(im, 0, 0, out, 0, 0);
        return status;
    }
    switch (how) {
    case XFV_FIT_CROP: return crop(im, width, height, out, transform, e);
    case XFV_FIT_PAD: return pad(im, width, height, out, transform, e);
    case XFV_FIT_STRETCH:
        set_transform(transform, (double)width / im->width, (double)height / im->height, 0, 0, 0, 0);
        return xfv_image_resize(im, width, height, out, e);
    default:
        return xfv_fail_code(e, XFV_EDATA, "size",
                             "the image is %d x %d pixels, not %d x %d: --whole crop, pad or stretch makes it so",
                             im->width, im->height, width, height);
    }
}
