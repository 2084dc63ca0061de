#include "face/turn.h"

void xfv_turn_back(int turn, int width, int height, double *x, double *y)
{
    double u = *x, v = *y;
    if (turn == 90) *x = v, *y = height - 1 - u;
    if (turn == 180) *x = width - 1 - u, *y = height - 1 - v;
    if (turn == 270) *x = width - 1 - v, *y = u;
}

struct xfv_rect xfv_turn_rect_back(int turn, int width, int height, struct xfv_rect r)
{
    if (turn == 90) return (struct xfv_rect){r.y, height - r.x - r.width, r.height, r.width};
    if (turn == 180) return (struct xfv_rect){width - r.x - r.width, height - r.y - r.height, r.width, r.height};
    if (turn == 270) return (struct xfv_rect){width - r.y - r.height, r.x, r.height, r.width};
    return r;
}

void xfv_turn_sink(int turn, int width, int height, struct xfv_float_sink *s)
{
    ptrdiff_t pixel = s->pixel, row = s->row;
    if (turn == 90 || turn == 180) s->out += (width - 1) * pixel;
    if (turn == 180 || turn == 270) s->out += (height - 1) * row;
    if (turn == 90) s->pixel = row, s->row = -pixel;
    if (turn == 180) s->pixel = -pixel, s->row = -row;
    if (turn == 270) s->pixel = -row, s->row = pixel;
}
