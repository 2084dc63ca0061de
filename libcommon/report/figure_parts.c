/* What the figure, bare maps and the cells of a contact sheet share: pictures of maps, and words of the decision. */
#include "report/figure_internal.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/toint.h"
#include "image/blur.h"

int xfv_fig_px(const struct xfv_fig *l, double units)
{
    return xfv_to_int(round(units * l->u), INT_MIN / 8, INT_MAX / 8);
}

double xfv_fig_text(struct xfv_fig *l, double x, double y, double size, int bold, struct xfv_rgb c, const char *s)
{
    struct xfv_font f = {size * l->u, bold};
    return xfv_draw_text(l->im, x, y, f, c, s);
}

/* --- pictures --- */

enum xfv_role xfv_fig_role_of(const struct xfv_view_row *r, int slot)
{
    return r->signed_key[0] ? XFV_SIGNED : slot ? XFV_DISSIMILARITY : XFV_SIMILARITY;
}

/* The colour of value t (of the scale) over a pixel. Small values let the face through, so that "nothing here" looks
 * like nothing. */
struct xfv_rgb xfv_figure_over(const struct xfv_figure_opts *o, enum xfv_role role, double t, struct xfv_rgb under)
{
    struct xfv_rgb c = xfv_scheme_colour(o->scheme, role, t);
    if (o->layout == XFV_LAYOUT_MAPS) return c;
    return xfv_rgb_mix(under, c, o->alpha * fmin(1, fabs(t) / 0.25));
}

/* A map over its face in grey, into a tile at (x, y). */
int xfv_fig_map(struct xfv_fig *l, const struct xfv_view_row *r, int side, int slot, int x, int y, struct xfv_err *e)
{
    const struct xfv_view_map *m = &r->map[side][slot];
    const struct xfv_image *face = &l->face[side], *src = &l->p->face[side].image;
    struct xfv_image tile;
    float *big = malloc((size_t)face->width * (size_t)face->height * sizeof *big);
    int status = big ? xfv_image_alloc(&tile, face->width, face->height, 3, e)
                     : xfv_fail(e, XFV_ENOMEM, "no memory for a map's picture");
    if (!status) {
        status = xfv_enlarge(m->v, src->width, src->height, big, face->width, face->height, e);
        for (size_t i = 0; i < (size_t)face->width * (size_t)face->height && !status; i++) {
            const uint8_t *f = face->data + 3 * i;
            uint8_t luma = xfv_nearest_byte(0.299 * f[0] + 0.587 * f[1] + 0.114 * f[2]); /* ITU-R BT.601 */
            double t = m->scale > 0 ? (double)big[i] / m->scale : 0;
            if (xfv_fig_role_of(r, slot) != XFV_SIGNED && t < 0) t = 0;
            struct xfv_rgb under = {luma, luma, luma};
            struct xfv_rgb c = xfv_figure_over(l->o, xfv_fig_role_of(r, slot), t < -1 ? -1 : t > 1 ? 1 : t, under);
            tile.data[3 * i] = c.r, tile.data[3 * i + 1] = c.g, tile.data[3 * i + 2] = c.b;
        }
        xfv_draw_picture(l->im, x + (l->tile_w - face->width) / 2, y + (l->tile_h - face->height) / 2, &tile);
        xfv_image_clear(&tile);
    }
    free(big);
    return status;
}

/* What stands where a map is missing or broken: a crossed frame. */
void xfv_fig_missing(struct xfv_fig *l, int x, int y)
{
    xfv_draw_frame(l->im, x, y, l->tile_w, l->tile_h, 1, pale);
    xfv_draw_line(l->im, x, y, x + l->tile_w, y + l->tile_h, 1, pale);
    xfv_draw_line(l->im, x + l->tile_w, y, x, y + l->tile_h, 1, pale);
}

/* A tick for a claim that stands, a dash for one that does not: told by shape, not by colour alone. */
void xfv_fig_mark(struct xfv_fig *l, double x, double y, int stands)
{
    double s = 12 * l->u, thick = 2.4 * l->u;
    if (stands) {
        xfv_draw_line(l->im, x, y - 0.4 * s, x + 0.35 * s, y, thick, green);
        xfv_draw_line(l->im, x + 0.35 * s, y, x + s, y - 0.8 * s, thick, green);
    } else xfv_draw_line(l->im, x, y - 0.4 * s, x + s, y - 0.4 * s, thick, grey);
}

int xfv_fig_picture_size(double width, double height, struct xfv_err *e)
{
    if (width * height > 256.0 * 1024 * 1024 || width > 1e6 || height > 1e6)
        return xfv_fail(e, XFV_EDATA, "the picture would have %.0fx%.0f pixels; lower --scale or pick one --method",
                        width, height);
    return 0;
}

/* --- words --- */

/* The decision in words, with as many digits as tell its numbers apart. */
static void decision_text(const struct xfv_pairview *p, char *buf, size_t cap)
{
    double off = fabs(p->score - p->threshold);
    int digits = off < 0.001 ? 6 : 3;
    snprintf(buf, cap, "%s: score %.*f, %.*f %s the threshold %.*f",
             p->accept ? "same person" : "not the same person", digits, p->score, digits, off,
             p->score >= p->threshold ? "above" : "below", digits, p->threshold);
}

/* Numbers of the decision, with as many digits as tell them apart. */
void xfv_fig_score_text(const struct xfv_pairview *p, int words, char *buf, size_t cap)
{
    const char *score = words ? "score " : "", *threshold = words ? "threshold " : "";
    int digits = fabs(p->score - p->threshold) < 0.001 ? 6 : 3;
    const char *sign = p->score >= p->threshold ? ">=" : "<";
    if (words && p->accept >= 0 && isfinite(p->score) && isfinite(p->threshold)) decision_text(p, buf, cap);
    else if (isnan(p->score)) snprintf(buf, cap, "score unknown");
    else if (isnan(p->threshold)) snprintf(buf, cap, "%s%.*f", score, digits, p->score);
    else snprintf(buf, cap, "%s%.*f %s %s%.*f", score, digits, p->score, sign, threshold, digits, p->threshold);
}

void xfv_fig_label_text(const struct xfv_pairview *p, char *buf, size_t cap)
{
    buf[0] = 0;
    if (p->genuine >= 0 && p->accept >= 0)
        snprintf(buf, cap, "%s pair, %s %s", p->genuine ? "genuine" : "impostor",
                 p->genuine == p->accept ? "correctly" : "wrongly", p->accept ? "accepted" : "rejected");
    else if (p->genuine >= 0) snprintf(buf, cap, "%s pair", p->genuine ? "genuine" : "impostor");
    else if (p->label[0]) snprintf(buf, cap, "label: %s", p->label);
}

const char *xfv_fig_decision_word(const struct xfv_pairview *p)
{
    return p->accept < 0 ? "No decision" : p->accept ? "Accept" : "Reject";
}

struct xfv_rgb xfv_fig_decision_colour(const struct xfv_pairview *p)
{
    return p->accept < 0 ? grey : p->accept ? green : red;
}

int xfv_fig_is_wrong(const struct xfv_pairview *p)
{
    return p->genuine >= 0 && p->accept >= 0 && p->genuine != p->accept;
}
