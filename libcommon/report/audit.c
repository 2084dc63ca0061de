/* What a page's pairs say together: gathered pair by pair. (audit_page.c writes it.) */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "face/quality.h"
#include "report/html.h"
#include "report/internal.h"

/* ---- wrong decisions ---- */

/* In few words; of the shares, at the end, those that are not 0. */
static const struct { enum xfv_measure of; const char *before, *after; int digits, percent; } measures[] = {
    {XFV_Q_CONFIDENCE, "detector's confidence ", "", 2, 0},
    {XFV_Q_EYE_DISTANCE, "eyes ", " pixels apart", 0, 0},
    {XFV_Q_SHARPNESS, "sharpness ", "", 2, 0},
    {XFV_Q_YAW, "turned aside ", "&deg;", 0, 0},
    {XFV_Q_PITCH, "up or down ", "&deg;", 0, 0},
    {XFV_Q_UNDER, "black ", " %", 0, 1},
    {XFV_Q_OVER, "white ", " %", 0, 1},
    {XFV_Q_OUTSIDE, "outside the photograph ", " %", 0, 1},
};

static void put_quality(FILE *f, const struct xfv_card *c, int side)
{
    struct xfv_quality q;
    int n = 0;
    xfv_quality_read(xfv_map_get(c->pair, side ? "b" : "a"), &q);
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        char text[40];
        double v = q.v[measures[i].of] * (measures[i].percent ? 100 : 1);
        if (measures[i].of == XFV_Q_YAW || measures[i].of == XFV_Q_PITCH) v = fabs(v);
        if (!isfinite(v) || (measures[i].percent && v < 0.5)) continue;
        fprintf(f, "%s%s%s%s", n++ ? ", " : "", measures[i].before,
                xfv_number_text(v, measures[i].digits, text, sizeof text), measures[i].after);
    }
    if (!n) fputs("the record holds no measure of quality", f);
}

static void put_wrong_face(FILE *f, const struct xfv_card *c, int side)
{
    const struct xfv_view_face *face = &c->x->view.face[side];
    int whole = c->whole[side] >= 0;
    fputs("<figure>", f);
    xfv_faces_show(f, whole ? c->whole[side] : c->face[side], whole ? &c->photo[side] : &face->image, "shot");
    fprintf(f, "<title>%s %c: ", whole ? "The photograph of face" : "Face", "AB"[side]);
    xfv_html_str(f, face->id);
    fprintf(f, "</title></svg><figcaption><b>%c</b> <span class=\"id\">", "AB"[side]);
    xfv_html_path(f, face->id, strlen(face->id));
    fputs("</span>", f);
    if (face->doubt[0]) {
        fputs(" <strong class=\"doubt\">", f);
        xfv_html_str(f, face->doubt);
        fputs("</strong>", f);
    }
    fputs(" <span class=\"quality\">", f);
    put_quality(f, c, side);
    fputs("</span></figcaption></figure>\n", f);
}

static void put_wrong(FILE *f, const struct xfv_card *c)
{
    const struct xfv_pairview *v = &c->x->view;
    char score[40], apart[40];
    fprintf(f, "<li><p><a href=\"#%s\">Pair %zu</a>", c->key, c->number);
    if (isfinite(v->score)) fprintf(f, ": score %s", xfv_number_text(v->score, 3, score, sizeof score));
    if (isfinite(v->score) && isfinite(v->threshold))
        fprintf(f, ", %s %s the threshold", xfv_number_text(fabs(v->score - v->threshold), 3, apart, sizeof apart),
                v->score >= v->threshold ? "above" : "below");
    if (c->group_name) {
        fputs("; ", f);
        xfv_html_str(f, c->group_name);
    }
    fputs("</p>\n", f);
    put_wrong_face(f, c, 0);
    put_wrong_face(f, c, 1);
    fputs("</li>\n", f);
}

static int add_wrong(struct xfv_audit *a, const struct xfv_card *c, struct xfv_err *e)
{
    const struct xfv_pairview *v = &c->x->view;
    if (a->n_wrong == a->cap_wrong) {
        size_t cap = xfv_more(a->cap_wrong, 64);
        if (!XFV_GROW(a->wrong, cap)) return xfv_fail(e, XFV_ENOMEM, "out of memory for the page");
        a->cap_wrong = cap;
    }
    struct xfv_wrong *w = &a->wrong[a->n_wrong++];
    double margin = fabs(v->score - v->threshold);
    *w = (struct xfv_wrong){.margin = isnan(margin) ? -1 : margin, .at = ftell(a->spool), .accepted = v->accept};
    put_wrong(a->spool, c);
    w->size = ftell(a->spool) - w->at;
    return w->at < 0 ? xfv_fail(e, XFV_EIO, "cannot write to a temporary file") : xfv_spooled(a->spool, e);
}

/* ---- trials and curves ---- */

static void add_trials(struct xfv_claims *k, const struct xfv_view_row *r)
{
    int turns = 0, empty = 0;
    for (int i = 0; i < 2; i++) {
        const struct xfv_verdict *v = &r->trial[i].v;
        if (!r->trial[i].has) continue;
        empty += v->state != XFV_TRIED;
        if (v->state != XFV_TRIED) continue;
        k->tried[i]++;
        k->stands[i] += (size_t)xfv_verdict_stands(v);
        turns |= isfinite(v->turns);
        if (!i && fabs(v->elsewhere - v->score) < 1e6) k->effect += v->elsewhere - v->score;
    }
    k->turns += (size_t)turns;
    k->empty += (size_t)empty;
}

/* The areas of the first curves of the method; of others of another setting delins --tsv tells. */
static void add_curves(struct xfv_claims *k, const msgpack_object *pair, const char *method)
{
    const msgpack_object *list = xfv_map_get(pair, "delins");
    for (uint32_t i = 0; list && list->type == MSGPACK_OBJECT_ARRAY && i < list->via.array.size; i++) {
        const msgpack_object *entry = &list->via.array.ptr[i];
        char name[64];
        double deletion, insertion;
        if (xfv_get_text(entry, "method", name, sizeof name, NULL) || strcmp(name, method)) continue;
        if (xfv_get_f64(entry, "deletion_area", &deletion, NULL) || !(fabs(deletion) < 1e6)) continue;
        if (xfv_get_f64(entry, "insertion_area", &insertion, NULL) || !(fabs(insertion) < 1e6)) continue;
        k->deletion += deletion;
        k->insertion += insertion;
        k->curves++;
        return;
    }
}

/* ---- all of it ---- */

static void see_threshold(struct xfv_audit *a, double threshold)
{
    if (!a->pairs++) {
        a->threshold = threshold;
        a->thresholds = isfinite(threshold);
    } else if (a->threshold < threshold || a->threshold > threshold || isfinite(a->threshold) != isfinite(threshold)) {
        a->thresholds = 2;
    }
}

int xfv_audit_add(struct xfv_audit *a, const struct xfv_card *c, struct xfv_err *e)
{
    const struct xfv_pairview *v = &c->x->view;
    int right = xfv_is_right(v), kind = v->genuine < 0 ? 2 : !v->genuine, status = 0;
    see_threshold(a, v->threshold);
    if (right >= 0) a->decided[v->genuine]++;
    if (right == 0) a->errors[v->genuine]++;
    if (v->genuine >= 0 && isfinite(v->score)) status = xfv_scores_add(&a->scores, v->score, v->genuine, 0, e);
    if (!status && right == 0) status = add_wrong(a, c, e);
    if (!status && a->groups) status = xfv_groups_add(a->groups, c->pair, v, NULL, e);
    for (int i = 0; i < v->n_rows && !status; i++) {
        if (c->method[i] < 0) continue;
        struct xfv_claims *k = &a->claims[c->method[i]][kind];
        k->pairs++;
        add_trials(k, &v->row[i]);
        if (!v->row[i].signed_key[0]) add_curves(k, c->pair, v->row[i].method);
    }
    return status;
}

void xfv_audit_clear(struct xfv_audit *a)
{
    xfv_scores_clear(&a->scores);
    free(a->wrong);
    *a = (struct xfv_audit){0};
}
