#include "report/svg.h"

#include <stdio.h>
#include <stdlib.h>

#include "report/html.h"

struct xfv_svg {
    struct xfv_pen pen;
    FILE *f; /* into text */
    char *text;
    size_t n;
    int status;
    struct xfv_err e;
};

static void colour(FILE *f, const char *what, struct xfv_rgb c)
{
    fprintf(f, " %s=\"#%02x%02x%02x\"", what, c.r, c.g, c.b);
}

static void rect(void *ctx, int x, int y, int w, int h, struct xfv_rgb c)
{
    struct xfv_svg *s = ctx;
    fprintf(s->f, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"", x, y, w, h);
    colour(s->f, "fill", c);
    fputs("/>\n", s->f);
}

static void picture(void *ctx, int x, int y, const struct xfv_image *src)
{
    struct xfv_svg *s = ctx;
    uint8_t *png;
    size_t n;
    if (s->status || (s->status = xfv_image_encode_png(src, &png, &n, &s->e))) return;
    fprintf(s->f, "<image x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" href=\"data:image/png;base64,", x, y, src->width,
            src->height);
    xfv_base64(s->f, png, n);
    fputs("\"/>\n", s->f);
    free(png);
}

static void line(void *ctx, double x0, double y0, double x1, double y1, double thick, struct xfv_rgb c)
{
    struct xfv_svg *s = ctx;
    fprintf(s->f, "<path d=\"M%.2f %.2fL%.2f %.2f\" stroke-width=\"%.2f\" stroke-linecap=\"round\"", x0, y0, x1, y1,
            thick);
    colour(s->f, "stroke", c);
    fputs("/>\n", s->f);
}

/* Any font may draw it: it is stretched to the width that the layout has reckoned with. */
static void text(void *ctx, double x, double y, struct xfv_font font, struct xfv_rgb c, const char *words, double width)
{
    struct xfv_svg *s = ctx;
    if (!*words) return;
    fprintf(s->f,
            "<text x=\"%.2f\" y=\"%.2f\" font-size=\"%.2f\" textLength=\"%.2f\" lengthAdjust=\"spacingAndGlyphs\"%s", x,
            y, font.size, width, font.bold ? " font-weight=\"bold\"" : "");
    colour(s->f, "fill", c);
    fputs(">", s->f);
    xfv_html_str(s->f, words);
    fputs("</text>\n", s->f);
}

struct xfv_svg *xfv_svg_new(void)
{
    struct xfv_svg *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->pen = (struct xfv_pen){s, rect, picture, line, text};
    s->f = open_memstream(&s->text, &s->n);
    if (s->f) return s;
    free(s);
    return NULL;
}

const struct xfv_pen *xfv_svg_pen(struct xfv_svg *s)
{
    return &s->pen;
}

void xfv_svg_free(struct xfv_svg *s)
{
    if (!s) return;
    if (s->f) fclose(s->f);
    free(s->text);
    free(s);
}

int xfv_svg_finish(struct xfv_svg *s, int width, int height, double millimetres, uint8_t **bytes, size_t *n,
                   struct xfv_err *e)
{
    FILE *f = s->status ? NULL : open_memstream((char **)bytes, n);
    if (s->status) return xfv_fail(e, s->status, "%s", s->e.msg);
    if (!f || fflush(s->f)) {
        if (f) fclose(f), free(*bytes);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" data-by=\"xfv-tools\"", f);
    if (millimetres > 0) fprintf(f, " width=\"%gmm\" height=\"%.3fmm\"", millimetres, millimetres * height / width);
    else fprintf(f, " width=\"%d\" height=\"%d\"", width, height);
    fprintf(f, " viewBox=\"0 0 %d %d\" font-family=\"DejaVu Sans, Helvetica, Arial, sans-serif\">\n", width, height);
    fwrite(s->text, 1, s->n, f);
    fputs("</svg>\n", f);
    if (!ferror(f) && !fclose(f)) return 0;
    free(*bytes);
    return xfv_fail(e, XFV_ENOMEM, "out of memory");
}
