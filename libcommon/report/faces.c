/* The page's pictures, each once. */
#include <stdlib.h>

#include "pair/identity.h"
#include "report/html.h"
#include "report/internal.h"

int xfv_faces_add(struct xfv_faces *l, const struct xfv_image *im, long *number, struct xfv_err *e)
{
    char digest[64], name[100];
    uint8_t *jpeg;
    size_t n, known = l->seen.n;
    xfv_html_hash(digest, im->data, (size_t)im->width * (size_t)im->height * 3);
    int len = snprintf(name, sizeof name, "%dx%d %s", im->width, im->height, digest);
    *number = xfv_name_number(&l->seen, name, (size_t)len);
    if (*number < 0) return xfv_fail(e, XFV_ENOMEM, "out of memory for %zu pictures", known);
    if (l->seen.n == known) return 0;
    int status = xfv_image_encode_jpeg(im, &jpeg, &n, e);
    if (status) return status;
    fprintf(l->spool, "<image id=\"f%ld\" width=\"%d\" height=\"%d\" href=\"data:image/jpeg;base64,", *number,
            im->width, im->height);
    xfv_base64(l->spool, jpeg, n);
    fputs("\"/>\n", l->spool);
    free(jpeg);
    return xfv_spooled(l->spool, e);
}

void xfv_faces_show(FILE *f, long number, const struct xfv_image *im, const char *class)
{
    fprintf(f, "<svg class=\"%s\" viewBox=\"0 0 %d %d\" role=\"img\"><use href=\"#f%ld\"/>", class, im->width,
            im->height, number);
}
