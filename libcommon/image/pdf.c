#include "image/pdf.h"

#include "image/script_internal.h"

#ifdef XFV_PANGO

#include <cairo-pdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The page's size is known when all has been drawn: until then it is only recorded. */
struct xfv_pdf {
    struct xfv_pen pen;
    cairo_surface_t *record;
    cairo_t *cairo;
};

static void colour(cairo_t *c, struct xfv_rgb rgb)
{
    cairo_set_source_rgb(c, rgb.r / 255.0, rgb.g / 255.0, rgb.b / 255.0);
}

static void rect(void *ctx, int x, int y, int w, int h, struct xfv_rgb c)
{
    cairo_t *cairo = ((struct xfv_pdf *)ctx)->cairo;
    colour(cairo, c);
    cairo_rectangle(cairo, x, y, w, h);
    cairo_fill(cairo);
}

static void picture(void *ctx, int x, int y, const struct xfv_image *src)
{
    cairo_t *cairo = ((struct xfv_pdf *)ctx)->cairo;
    cairo_surface_t *im = cairo_image_surface_create(CAIRO_FORMAT_RGB24, src->width, src->height);
    unsigned char *data = cairo_image_surface_get_data(im);
    int stride = cairo_image_surface_get_stride(im);
    for (int r = 0; data && r < src->height; r++) {
        const uint8_t *s = src->data + (size_t)r * (size_t)src->width * (size_t)src->channels;
        for (int i = 0; i < src->width; i++, s += src->channels) {
            int grey = src->channels < 3;
            uint32_t v = (uint32_t)s[0] << 16 | (uint32_t)s[grey ? 0 : 1] << 8 | s[grey ? 0 : 2];
            memcpy(data + (size_t)r * (size_t)stride + 4 * (size_t)i, &v, sizeof v);
        }
    }
    cairo_surface_mark_dirty(im);
    cairo_set_source_surface(cairo, im, x, y);
    cairo_paint(cairo);
    cairo_surface_destroy(im);
}

static void line(void *ctx, double x0, double y0, double x1, double y1, double thick, struct xfv_rgb c)
{
    cairo_t *cairo = ((struct xfv_pdf *)ctx)->cairo;
    colour(cairo, c);
    cairo_set_line_width(cairo, thick);
    cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
    cairo_move_to(cairo, x0, y0);
    cairo_line_to(cairo, x1, y1);
    cairo_stroke(cairo);
}

static void text(void *ctx, double x, double y, struct xfv_font font, struct xfv_rgb c, const char *words, double width)
{
    cairo_t *cairo = ((struct xfv_pdf *)ctx)->cairo;
    colour(cairo, c);
    if (*words) xfv_script_show(cairo, x, y, font, words, width);
}

struct xfv_pdf *xfv_pdf_new(struct xfv_err *e)
{
    struct xfv_pdf *p = calloc(1, sizeof *p);
    if (!p) {
        xfv_fail(e, XFV_ENOMEM, "out of memory");
        return NULL;
    }
    p->pen = (struct xfv_pen){p, rect, picture, line, text};
    /* Larger than any figure. Of a recording without an extent Cairo 1.16 leaks a copy for each PDF. */
    static const cairo_rectangle_t extent = {0, 0, 32000, 32000};
    p->record = cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, &extent);
    p->cairo = cairo_create(p->record);
    return p;
}

static cairo_status_t write_more(void *ctx, const unsigned char *data, unsigned n)
{
    return fwrite(data, 1, n, ctx) == n ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* Cairo's second line is a comment of any four bytes: in ours they say whose the file is (cli/out_kind.c). */
static void sign(uint8_t *bytes, size_t n)
{
    static const char mark[] = "\xf8\xe6\xf6\xad"; /* "xfv-", each with the high bit */
    if (n > 14 && bytes[8] == '\n' && bytes[9] == '%' && bytes[14] == '\n') memcpy(bytes + 10, mark, 4);
}

int xfv_pdf_finish(struct xfv_pdf *p, int width, int height, double millimetres, uint8_t **bytes, size_t *n,
                   struct xfv_err *e)
{
    double wide = millimetres > 0 ? millimetres / 25.4 * 72 : width * 0.75, scale = wide / width;
    FILE *f = open_memstream((char **)bytes, n);
    if (!f) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    xfv_script_lock();
    cairo_surface_t *pdf = cairo_pdf_surface_create_for_stream(write_more, f, wide, scale * height);
    cairo_pdf_surface_set_metadata(pdf, CAIRO_PDF_METADATA_CREATE_DATE, ""); /* the same pair, the same bytes */
    cairo_pdf_surface_set_metadata(pdf, CAIRO_PDF_METADATA_CREATOR, "xfv-tools");
    cairo_t *c = cairo_create(pdf);
    cairo_scale(c, scale, scale);
    cairo_set_source_surface(c, p->record, 0, 0);
    cairo_paint(c);
    cairo_status_t status = cairo_status(p->cairo);
    if (!status) status = cairo_status(c);
    cairo_destroy(c);
    cairo_surface_finish(pdf);
    if (!status) status = cairo_surface_status(pdf);
    cairo_surface_destroy(pdf);
    xfv_script_unlock();
    if (!fclose(f) && !status) return sign(*bytes, *n), 0;
    free(*bytes);
    *bytes = NULL;
    return xfv_fail(e, XFV_ENOMEM, "cannot make a PDF: %s", cairo_status_to_string(status));
}

void xfv_pdf_free(struct xfv_pdf *p)
{
    if (!p) return;
    cairo_destroy(p->cairo);
    cairo_surface_destroy(p->record);
    free(p);
}

const struct xfv_pen *xfv_pdf_pen(struct xfv_pdf *p)
{
    return &p->pen;
}

#else

struct xfv_pdf *xfv_pdf_new(struct xfv_err *e)
{
    xfv_fail(e, XFV_EARG, "this build makes no PDF, because it has no Pango: take .svg");
    return NULL;
}

const struct xfv_pen *xfv_pdf_pen(struct xfv_pdf *p) { (void)p; return NULL; }
void xfv_pdf_free(struct xfv_pdf *p) { (void)p; }
int xfv_pdf_finish(struct xfv_pdf *p, int width, int height, double millimetres, uint8_t **bytes, size_t *n,
                   struct xfv_err *e)
{
    (void)p, (void)width, (void)height, (void)millimetres, (void)bytes, (void)n;
    return xfv_fail(e, XFV_EARG, "this build makes no PDF");
}

#endif
