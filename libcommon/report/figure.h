/* The picture of a pair: both faces, the decision, and the maps drawn over the faces. */
#ifndef XFV_REPORT_FIGURE_H
#define XFV_REPORT_FIGURE_H

#include "image/draw.h"
#include "pair/view.h"

enum xfv_layout { XFV_LAYOUT_FIGURE, XFV_LAYOUT_MAPS, XFV_LAYOUT_OVERLAY, XFV_LAYOUT_CELL, XFV_LAYOUT_PHOTO };

/* One face, or one of its maps; plus is also a signed map. */
enum xfv_panel {
    XFV_PANEL_ALL,
    XFV_PANEL_FACE, /* of A; then B */
    XFV_PANEL_PLUS = XFV_PANEL_FACE + 2,
    XFV_PANEL_MINUS = XFV_PANEL_PLUS + 2
};

struct xfv_figure_opts {
    /* figure: with words; maps: bare maps, a row for each of the pair's; overlay: the same over the faces; cell: one
     * of a contact sheet */
    enum xfv_layout layout;
    int scheme;             /* index into xfv_scheme_names */
    double alpha;           /* 0..1: how far the strongest colour covers the face */
    int scale;              /* picture pixels per face pixel; 0: what makes a face about 224 wide, 112 in a cell */
    double sigma;           /* as given to xfv_pairview_blur, for the legend */
    int each;
    char model[96]; /* for the legend; may be empty */
    /* Of a page, for which figures are arranged: 1: the faces below one another; 2: side by side; 0: for a screen. */
    int columns;
    int panel;                 /* enum xfv_panel, of bare layouts: one tile a row instead of all */
    const struct xfv_pen *pen; /* follows all that is drawn (image/draw.h); NULL: nothing does */
};

/* Draw p (read and blurred; only a cell may be of one face). out is new RGB; the caller clears it. A cell holds the
 * faces, under them the first row's maps, if any, and the ids, the method, decision, score and label in a few lines. A
 * bare layout of a pair without maps is XFV_EDATA, as is a picture of more than 256 Mi pixels. Same input, same bytes.
 */
int xfv_figure_draw(const struct xfv_pairview *p, const struct xfv_figure_opts *o, struct xfv_image *out,
                    struct xfv_err *e);
/* The colour of value t (of the scale, -1..1) over a pixel. */
struct xfv_rgb xfv_figure_over(const struct xfv_figure_opts *o, enum xfv_role role, double t, struct xfv_rgb under);

#endif
