/* Private to the pictures of a pair (figure.c, figure_parts.c, figure_bare.c). */
#ifndef XFV_REPORT_FIGURE_INTERNAL_H
#define XFV_REPORT_FIGURE_INTERNAL_H

#include "report/figure.h"

static const struct xfv_rgb white = {255, 255, 255}, black = {24, 24, 27}, grey = {98, 98, 105}, pale = {214, 214, 218},
                            green = {21, 115, 55}, red = {185, 28, 28};

struct xfv_fig {
    const struct xfv_pairview *p;
    const struct xfv_figure_opts *o;
    struct xfv_image *im;
    struct xfv_image face[2];    /* enlarged, RGB */
    double u;                    /* pixels per unit of length */
    int scale, tile_w, tile_h;   /* tile: the picture of a face */
    int column[4], column_w;     /* left edges, and the width, which leaves room for words under a small tile */
    int face_row;                /* height of the row of faces, likewise */
    int y;                       /* where the next thing goes */
    int margin, label;           /* of the page; width of the names at the left, 0: they stand above their rows */
    char legend[14][200];
    int legend_lines;
};

int xfv_fig_px(const struct xfv_fig *l, double units);
double xfv_fig_text(struct xfv_fig *l, double x, double y, double size, int bold, struct xfv_rgb c, const char *s);
enum xfv_role xfv_fig_role_of(const struct xfv_view_row *r, int slot);
int xfv_fig_map(struct xfv_fig *l, const struct xfv_view_row *r, int side, int slot, int x, int y, struct xfv_err *e);
void xfv_fig_missing(struct xfv_fig *l, int x, int y);
void xfv_fig_mark(struct xfv_fig *l, double x, double y, int stands);
int xfv_fig_picture_size(double width, double height, struct xfv_err *e);
void xfv_fig_score_text(const struct xfv_pairview *p, int words, char *buf, size_t cap);
void xfv_fig_label_text(const struct xfv_pairview *p, char *buf, size_t cap);
const char *xfv_fig_decision_word(const struct xfv_pairview *p);
struct xfv_rgb xfv_fig_decision_colour(const struct xfv_pairview *p);
int xfv_fig_is_wrong(const struct xfv_pairview *p);
int xfv_fig_bare(struct xfv_fig *l, struct xfv_image *out, struct xfv_err *e);
int xfv_fig_cell(struct xfv_fig *l, struct xfv_image *out, struct xfv_err *e);

#endif
