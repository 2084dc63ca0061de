/* Pictures without a figure's words: bare maps, and the cells of a contact sheet. */
#include "report/figure_internal.h"

#include <limits.h>
#include <stdio.h>

#include "base/toint.h"
#include "pair/maps.h"

/* Tiles only: a's maps at the left, b's at the right, each method in its row: similarity and dissimilarity, or a signed
 * map. */
/* One tile of each row that has it, below one another; a face once. */
static int draw_panel(struct xfv_fig *l, struct xfv_image *out, struct xfv_err *e)
{
    int what = (int)l->o->panel - XFV_PANEL_FACE, side = what % 2, slot = what / 2 - 1, gap = xfv_fig_px(l, 4), n = 0;
    for (int i = 0; i < l->p->n_rows; i++) n += !(l->p->row[i].signed_key[0] && slot);
    if (slot < 0) n = 1;
    if (n == 0) return xfv_fail_code(e, XFV_EDATA, "maps", "the pair has only signed maps: take the panel 'plus'");
    double height = (double)n * (l->tile_h + gap) - gap;
    int status = xfv_fig_picture_size(l->tile_w, height, e), y = 0;
    if (!status) status = xfv_image_alloc(out, l->tile_w, xfv_to_int(height, 0, INT_MAX), 3, e);
    if (status) return status;
    l->im = out;
    out->pen = l->o->pen;
    xfv_draw_rect(out, 0, 0, out->width, out->height, white);
    const struct xfv_image *face = &l->face[side];
    if (slot < 0) xfv_draw_picture(out, (l->tile_w - face->width) / 2, (l->tile_h - face->height) / 2, face);
    for (int i = 0; i < l->p->n_rows && slot >= 0 && !status; i++) {
        const struct xfv_view_row *r = &l->p->row[i];
        if (r->signed_key[0] && slot) continue;
        if (r->map[side][slot].v) status = xfv_fig_map(l, r, side, slot, 0, y, e);
        else xfv_fig_missing(l, 0, y);
        y += l->tile_h + gap;
    }
    return status;
}

int xfv_fig_bare(struct xfv_fig *l, struct xfv_image *out, struct xfv_err *e)
{
    int gap = xfv_fig_px(l, 4), columns = 2;
    char why[128];
    if (l->o->panel == XFV_PANEL_FACE || l->o->panel == XFV_PANEL_FACE + 1) return draw_panel(l, out, e);
    if (l->p->n_rows == 0) return xfv_fail(e, XFV_EDATA, "%s", xfv_maps_none(NULL, why, sizeof why));
    if (l->o->panel) return draw_panel(l, out, e);
    for (int i = 0; i < l->p->n_rows; i++)
        if (!l->p->row[i].signed_key[0]) columns = 4;
    double width = (double)columns * l->tile_w + (columns - 1) * gap,
           height = (double)l->p->n_rows * (l->tile_h + gap) - gap;
    int status = xfv_fig_picture_size(width, height, e);
    if (!status) status = xfv_image_alloc(out, xfv_to_int(width, 0, INT_MAX), xfv_to_int(height, 0, INT_MAX), 3, e);
    if (status) return status;
    l->im = out;
    out->pen = l->o->pen;
    xfv_draw_rect(out, 0, 0, out->width, out->height, white);
    for (int k = 0; k < 4 * l->p->n_rows && !status; k++) {
        const struct xfv_view_row *r = &l->p->row[k / 4];
        int side = k / 2 % 2, slot = k % 2, y = k / 4 * (l->tile_h + gap),
            x = (columns == 2 ? side : 2 * side + slot) * (l->tile_w + gap);
        if (r->signed_key[0] && slot) continue;
        if (r->map[side][slot].v) status = xfv_fig_map(l, r, side, slot, x, y, e);
        else xfv_fig_missing(l, x, y);
    }
    return status;
}

/* --- a cell of a contact sheet --- */

enum { CELL_MARGIN = 8, CELL_GAP = 4, CELL_LINE = 17, CELL_COLUMN = 112 };
static const double CELL_TEXT = 12.5;

static void cell_line(struct xfv_fig *l, double x, struct xfv_rgb c, const char *s)
{
    struct xfv_font f = {CELL_TEXT * l->u, 0};
    char cut[1100];
    l->y += xfv_fig_px(l, CELL_LINE);
    xfv_text_shorten(cut, sizeof cut, s, f, l->im->width - xfv_fig_px(l, CELL_MARGIN) - x);
    xfv_draw_text(l->im, x, l->y, f, c, cut);
}

/* The method's name; a tick or a dash where its map was tried (the first of the two that was). */
static void cell_method(struct xfv_fig *l, const struct xfv_view_row *r)
{
    int k = !r->trial[0].has, tried = r->trial[k].has;
    double x = xfv_fig_px(l, CELL_MARGIN), y = l->y + xfv_fig_px(l, CELL_LINE);
    if (tried) xfv_fig_mark(l, x, y, xfv_verdict_stands(&r->trial[k].v));
    cell_line(l, x + (tried ? xfv_fig_px(l, 18) : 0), black, r->method[0] ? r->method : "(no method)");
}

static void cell_words(struct xfv_fig *l)
{
    const struct xfv_pairview *p = l->p;
    double x = xfv_fig_px(l, CELL_MARGIN);
    char line[200];
    for (int side = 0; side < (p->one_face ? 1 : 2); side++)
        cell_line(l, x, black, p->face[side].id[0] ? p->face[side].id : "(no id)");
    if (p->one_face) return;
    if (p->n_rows) cell_method(l, &p->row[0]);
    double end = xfv_fig_text(l, x, l->y + xfv_fig_px(l, CELL_LINE), CELL_TEXT, 1, xfv_fig_decision_colour(p),
                              xfv_fig_decision_word(p));
    xfv_fig_score_text(p, 0, line, sizeof line);
    cell_line(l, end + xfv_fig_px(l, 8), black, line);
    xfv_fig_label_text(p, line, sizeof line);
    cell_line(l, x, xfv_fig_is_wrong(p) ? red : grey, line);
}

/* S+ or S- (or the signed map) of both faces in a row, the name in the corner of each. */
static int cell_maps(struct xfv_fig *l, const struct xfv_view_row *r, int slot, struct xfv_err *e)
{
    const char *name = r->signed_key[0] ? "+-" : slot ? "S-" : "S+";
    for (int side = 0; side < 2; side++) {
        int x = l->column[side];
        int status = r->map[side][slot].v ? xfv_fig_map(l, r, side, slot, x, l->y, e) : 0;
        if (status) return status;
        if (!r->map[side][slot].v) xfv_fig_missing(l, x, l->y);
        xfv_draw_rect(l->im, x, l->y, xfv_fig_px(l, 20), xfv_fig_px(l, 14), white);
        xfv_fig_text(l, x + xfv_fig_px(l, 2), l->y + xfv_fig_px(l, 11), 11, 0, black, name);
    }
    l->y += l->tile_h + xfv_fig_px(l, CELL_GAP);
    return 0;
}

int xfv_fig_cell(struct xfv_fig *l, struct xfv_image *out, struct xfv_err *e)
{
    const struct xfv_view_row *r = l->p->n_rows ? &l->p->row[0] : NULL;
    int faces = l->p->one_face ? 1 : 2,
        lines = l->p->one_face ? 1
                : r            ? 5
                               : 4,
        tiles = r ? (r->signed_key[0] ? 2 : 3) : 1, margin = xfv_fig_px(l, CELL_MARGIN);
    l->column_w = l->tile_w > xfv_fig_px(l, CELL_COLUMN) ? l->tile_w : xfv_fig_px(l, CELL_COLUMN);
    for (int side = 0; side < 2; side++) l->column[side] = margin + side * (l->column_w + xfv_fig_px(l, CELL_GAP));
    double width = faces * (double)l->column_w + (faces - 1) * xfv_fig_px(l, CELL_GAP) + 2 * margin;
    double height = tiles * ((double)l->tile_h + xfv_fig_px(l, CELL_GAP)) + lines * xfv_fig_px(l, CELL_LINE) +
                    2 * margin;
    int status = xfv_fig_picture_size(width, height, e);
    if (!status) status = xfv_image_alloc(out, xfv_to_int(width, 0, INT_MAX), xfv_to_int(height, 0, INT_MAX), 3, e);
    if (status) return status;
    l->im = out;
    out->pen = l->o->pen;
    l->y = margin;
    xfv_draw_rect(out, 0, 0, out->width, out->height, white);
    int wrong = xfv_fig_is_wrong(l->p);
    xfv_draw_frame(out, 0, 0, out->width, out->height, wrong ? 2 : 1, wrong ? red : pale);
    for (int side = 0; side < faces; side++) xfv_draw_picture(out, l->column[side], l->y, &l->face[side]);
    l->y += l->tile_h + xfv_fig_px(l, CELL_GAP);
    for (int k = 0; k < tiles - 1 && !status; k++) status = cell_maps(l, r, k, e);
    cell_words(l);
    return status;
}
