#include "report/contact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/draw.h"
#include "base/grow.h"
#include "base/toint.h"

enum { GAP = 6 };

static int too_large(size_t n, struct xfv_err *e)
{
    return xfv_fail(e, XFV_EARG,
                    "a sheet may hold 64 Mi pixels, and %zu pictures are more: take a part with xfv-select --head N or "
                    "--shard I/N, or lower --scale",
                    n);
}

int xfv_contact_add(struct xfv_contact *s, struct xfv_image *cell, struct xfv_err *e)
{
    size_t pixels = (size_t)cell->width * (size_t)cell->height;
    int status = 0;
    if (pixels > XFV_CONTACT_PIXELS - s->pixels) status = too_large(s->n + 1, e);
    if (!status && s->n == s->room) {
        size_t room = xfv_more(s->room, 64);
        if (XFV_GROW(s->cell, room)) s->room = room;
        else status = xfv_fail(e, XFV_ENOMEM, "no memory for a sheet of %zu pictures", s->n + 1);
    }
    if (status) {
        xfv_image_clear(cell);
        return status;
    }
    s->cell[s->n++] = *cell;
    s->pixels += pixels;
    memset(cell, 0, sizeof *cell);
    return 0;
}

static int columns_for(const struct xfv_contact *s, int columns, int widest)
{
    double height = (double)s->pixels / (double)s->n / widest; /* of a cell, about */
    double even = round(sqrt((double)s->n * 4 / 3 * height / widest));
    if (columns == 0) columns = xfv_to_int(even, 1, XFV_CONTACT_MOST_COLUMNS);
    if (columns > XFV_CONTACT_MOST_COLUMNS) columns = XFV_CONTACT_MOST_COLUMNS;
    if ((size_t)columns > s->n) columns = (int)s->n;
    return columns < 1 ? 1 : columns;
}

/* Height of the row of cells that starts with cell i. */
static int row_height(const struct xfv_contact *s, size_t i, int columns)
{
    int h = 0;
    for (size_t k = i; k < s->n && k < i + (size_t)columns; k++) h = s->cell[k].height > h ? s->cell[k].height : h;
    return h;
}

int xfv_contact_draw(struct xfv_contact *s, int columns, struct xfv_image *out, struct xfv_err *e)
{
    int widest = 1;
    memset(out, 0, sizeof *out);
    if (s->n == 0) return xfv_fail(e, XFV_EARG, "a sheet of no pictures");
    for (size_t i = 0; i < s->n; i++) widest = s->cell[i].width > widest ? s->cell[i].width : widest;
    columns = columns_for(s, columns, widest);
    double width = columns * ((double)widest + GAP) + GAP, height = GAP;
    for (size_t i = 0; i < s->n; i += (size_t)columns) height += row_height(s, i, columns) + GAP;
    /* 1.25: gaps, and the last row's rest */
    if (width * height > 1.25 * XFV_CONTACT_PIXELS || width > 1e6 || height > 1e6) return too_large(s->n, e);
    int status = xfv_image_alloc(out, xfv_to_int(width, 0, 1000000), xfv_to_int(height, 0, 1000000), 3, e), y = GAP;
    if (status) return status;
    memset(out->data, 255, (size_t)out->width * (size_t)out->height * 3);
    for (size_t i = 0; i < s->n; i += (size_t)columns) {
        int h = row_height(s, i, columns);
        for (size_t k = i; k < s->n && k < i + (size_t)columns; k++) {
            xfv_draw_picture(out, GAP + (int)(k - i) * (widest + GAP), y, &s->cell[k]);
            xfv_image_clear(&s->cell[k]);
        }
        y += h + GAP;
    }
    xfv_contact_clear(s);
    return 0;
}

void xfv_contact_clear(struct xfv_contact *s)
{
    for (size_t i = 0; i < s->n; i++) xfv_image_clear(&s->cell[i]);
    free(s->cell);
    memset(s, 0, sizeof *s);
}
