/* A contact sheet: many small pictures in a grid, row by row. */
#ifndef XFV_REPORT_CONTACT_H
#define XFV_REPORT_CONTACT_H

#include <stddef.h>

#include "image/image.h"

enum { XFV_CONTACT_PIXELS = 64 * 1024 * 1024, XFV_CONTACT_MOST_COLUMNS = 1000 };

struct xfv_contact { /* zeroed at first */
    struct xfv_image *cell; /* RGB, owned */
    size_t n, room, pixels;
};

/* Takes the cell's memory, whatever comes out, and leaves *cell empty. XFV_EARG: the cells would hold more than
 * XFV_CONTACT_PIXELS together, which the sentence says. XFV_ENOMEM. */
int xfv_contact_add(struct xfv_contact *s, struct xfv_image *cell, struct xfv_err *e);

/* The grid on white, new RGB. columns 0: what comes nearest to a picture of 4:3. A column is as wide as the widest
 * cell, a row as high as its highest one. Frees each cell once it is drawn. XFV_EARG when the grid of unlike cells has
 * more than XFV_CONTACT_PIXELS, or there is no cell; XFV_ENOMEM. */
int xfv_contact_draw(struct xfv_contact *s, int columns, struct xfv_image *out, struct xfv_err *e);
void xfv_contact_clear(struct xfv_contact *s);

#endif
