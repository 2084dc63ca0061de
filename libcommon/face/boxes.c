#include "face/boxes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

int xfv_boxes_push(struct xfv_boxes *l, const struct xfv_box *b, struct xfv_err *e)
{
    if (l->n == l->cap) {
        size_t cap = xfv_more(l->cap, 64);
        if (!XFV_GROW(l->v, cap)) return xfv_fail(e, XFV_ENOMEM, "out of memory for %zu candidate faces", cap);
        l->cap = cap;
    }
    l->v[l->n++] = *b;
    return 0;
}

void xfv_boxes_clear(struct xfv_boxes *l)
{
    free(l->v);
    memset(l, 0, sizeof *l);
}

double xfv_box_overlap(const struct xfv_box *a, const struct xfv_box *b, enum xfv_overlap kind)
{
    double w = fmin(a->x2, b->x2) - fmax(a->x1, b->x1) + 1, h = fmin(a->y2, b->y2) - fmax(a->y1, b->y1) + 1;
    if (w <= 0 || h <= 0) return 0;
    double area_a = (a->x2 - a->x1 + 1) * (a->y2 - a->y1 + 1), area_b = (b->x2 - b->x1 + 1) * (b->y2 - b->y1 + 1);
    return w * h / (kind == XFV_OVERLAP_MIN ? fmin(area_a, area_b) : area_a + area_b - w * h);
}

struct ranked {
    double score;
    size_t at;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *p = a, *q = b;
    if (p->score != q->score) return p->score > q->score ? -1 : 1;
    return p->at < q->at ? -1 : p->at > q->at;
}

int xfv_boxes_suppress(struct xfv_boxes *l, size_t first, double most, enum xfv_overlap kind, struct xfv_err *e)
{
    size_t n = l->n - first, kept = 0;
    if (n == 0) return 0;
    struct ranked *order = malloc(n * sizeof *order);
    struct xfv_box *keep = malloc(n * sizeof *keep);
    if (!order || !keep) {
        free(order);
        free(keep);
        return xfv_fail(e, XFV_ENOMEM, "out of memory for %zu candidate faces", n);
    }
    for (size_t i = 0; i < n; i++) order[i] = (struct ranked){l->v[first + i].score, i};
    qsort(order, n, sizeof *order, by_score);
    for (size_t i = 0; i < n; i++) {
        const struct xfv_box *b = &l->v[first + order[i].at];
        size_t k = 0;
        while (k < kept && xfv_box_overlap(b, &keep[k], kind) <= most) k++;
        if (k == kept) keep[kept++] = *b;
    }
    memcpy(l->v + first, keep, kept * sizeof *keep);
    l->n = first + kept;
    free(order);
    free(keep);
    return 0;
}

void xfv_box_regress(struct xfv_box *b)
{
    double w = b->x2 - b->x1 + 1, h = b->y2 - b->y1 + 1;
    b->x1 += b->shift[0] * w;
    b->y1 += b->shift[1] * h;
    b->x2 += b->shift[2] * w;
    b->y2 += b->shift[3] * h;
}

void xfv_box_square(struct xfv_box *b)
{
    double w = b->x2 - b->x1, h = b->y2 - b->y1, side = fmax(w, h);
    b->x1 += (w - side) / 2;
    b->y1 += (h - side) / 2;
    b->x2 = b->x1 + side;
    b->y2 = b->y1 + side;
}
