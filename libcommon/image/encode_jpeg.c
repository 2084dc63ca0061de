#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "image/image.h"

struct sink {
    struct jpeg_error_mgr mgr; /* first: libjpeg hands it back to us */
    jmp_buf escape;
    unsigned char *bytes;
    unsigned long n;
};

static void escape(j_common_ptr c)
{
    longjmp(((struct sink *)c->err)->escape, 1);
}

static void quiet(j_common_ptr c)
{
    (void)c;
}

static void encode(struct jpeg_compress_struct *c, struct sink *s, const struct xfv_image *im)
{
    jpeg_mem_dest(c, &s->bytes, &s->n);
    c->image_width = (JDIMENSION)im->width;
    c->image_height = (JDIMENSION)im->height;
    c->input_components = im->channels;
    c->in_color_space = im->channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(c);
    jpeg_set_quality(c, 95, TRUE);
    c->comp_info[0].h_samp_factor = c->comp_info[0].v_samp_factor = 1; /* colours as sharp as the rest: there is text */
    jpeg_start_compress(c, TRUE);
    jpeg_write_marker(c, JPEG_COM, (const JOCTET *)"xfv-tools", 9); /* so that it may be replaced (cli/out_kind.c) */
    size_t row = (size_t)im->width * (size_t)im->channels;
    while (c->next_scanline < c->image_height) {
        JSAMPROW line = im->data + (size_t)c->next_scanline * row;
        jpeg_write_scanlines(c, &line, 1);
    }
    jpeg_finish_compress(c);
}

int xfv_image_encode_jpeg(const struct xfv_image *im, uint8_t **bytes, size_t *n, struct xfv_err *e)
{
    struct jpeg_compress_struct c;
    struct sink s = {.bytes = NULL};
    if (im->width > JPEG_MAX_DIMENSION || im->height > JPEG_MAX_DIMENSION)
        return xfv_fail(e, XFV_ELIMIT, "a JPEG has at most %ld pixels a side, not %d x %d: take PNG",
                        JPEG_MAX_DIMENSION, im->width, im->height);
    c.err = jpeg_std_error(&s.mgr);
    s.mgr.error_exit = escape;
    s.mgr.output_message = quiet;
    if (setjmp(s.escape)) {
        jpeg_destroy_compress(&c);
        free(s.bytes);
        return xfv_fail(e, XFV_ENOMEM, "no memory for a JPEG of %d x %d pixels", im->width, im->height);
    }
    jpeg_create_compress(&c);
    encode(&c, &s, im);
    jpeg_destroy_compress(&c);
    *bytes = s.bytes;
    *n = s.n;
    return 0;
}
