/* The page around the cards. */
#include "report/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net/model/histogram.h"
#include "report/html.h"
#include "report/internal.h"
#include "report/photo.h"
#include "base/spool.h"
#include "base/toint.h"
#include "pair/maps.h"

enum { SPOOL_FACES, SPOOL_WRONG, SPOOL_ROWS, SPOOL_CARDS, SPOOL_ERRORS, SPOOL_ORIGINS, SPOOLS };

struct xfv_report {
    struct xfv_report_opts o;
    FILE *spool[SPOOLS];
    char *method[XFV_REPORT_METHODS]; /* name, key and parameters: a page's methods in the order they came */
    int n_methods, segments, scale_set;
    size_t pairs, errors, accepted, decided, labelled, false_match, false_non_match;
    size_t bin[3][XFV_BINS], total[3]; /* genuine, impostor, unlabelled */
    struct xfv_scale scale;
    struct xfv_histogram calibration; /* of the first segment that has one */
    struct xfv_explained x;
    struct xfv_faces faces;
    struct xfv_audit audit;
    struct xfv_name_table keys; /* the pairs' ids, as fragments have them */
};

int xfv_report_new(struct xfv_report **out, const struct xfv_report_opts *o, struct xfv_err *e)
{
    struct xfv_report *r = *out = calloc(1, sizeof *r);
    if (!r) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    r->o = *o;
    for (int i = 0; i < SPOOLS; i++)
        if (xfv_spool_open(&r->spool[i], o->beside, e)) return e->status;
    r->faces.spool = r->spool[SPOOL_FACES];
    r->audit = (struct xfv_audit){
        .fmr = r->o.fmr, .n_fmr = o->n_fmr, .groups = o->groups, .spool = r->spool[SPOOL_WRONG]};
    return 0;
}

void xfv_report_free(struct xfv_report *r)
{
    if (!r) return;
    for (int i = 0; i < SPOOLS; i++)
        if (r->spool[i]) fclose(r->spool[i]);
    for (int i = 0; i < r->n_methods; i++) free(r->method[i]);
    xfv_name_table_clear(&r->faces.seen);
    xfv_name_table_clear(&r->keys);
    xfv_audit_clear(&r->audit);
    free(r);
}

int xfv_spooled(FILE *f, struct xfv_err *e)
{
    if (!ferror(f)) return 0;
    return errno == ENOMEM ? xfv_fail(e, XFV_ENOMEM, "out of memory for the page")
                           : xfv_fail(e, XFV_EIO, "cannot write to a temporary file");
}

/* ---- provenance ---- */

static void put_text(FILE *f, const msgpack_object *map, const char *key, const char *before, uint32_t most)
{
    const msgpack_object *o = xfv_map_get(map, key);
    if (!o || o->type != MSGPACK_OBJECT_STR) return;
    fputs(before, f);
    xfv_html_text(f, o->via.str.ptr, o->via.str.size < most ? o->via.str.size : most);
}

static void put_stage(FILE *f, const msgpack_object *stage)
{
    const msgpack_object *args = xfv_map_get(stage, "args");
    fputs("<li><code>", f);
    put_text(f, stage, "tool", "", 200);
    for (uint32_t i = 0; args && args->type == MSGPACK_OBJECT_ARRAY && i < args->via.array.size; i++) {
        const msgpack_object *a = &args->via.array.ptr[i];
        putc(' ', f);
        if (a->type == MSGPACK_OBJECT_STR) xfv_html_text(f, a->via.str.ptr, a->via.str.size);
    }
    fputs("</code>", f);
    put_text(f, stage, "version", " version ", 200);
    put_text(f, stage, "model", ", model ", 12);
    fputs("</li>\n", f);
}

int xfv_report_head(struct xfv_report *r, const struct xfv_rec *head, struct xfv_err *e)
{
    FILE *f = r->spool[SPOOL_ORIGINS];
    const msgpack_object *map = xfv_rec_map(head), *model = xfv_map_get(map, "model"),
                         *stages = xfv_map_get(map, "provenance");
    fprintf(f, "<div class=\"origin-of\" id=\"s%d\"><h3>Stream %d</h3>\n", r->segments, r->segments + 1);
    r->segments++;
    if (model) {
        fputs("<p>Model <b>", f);
        put_text(f, model, "name", "", 200);
        put_text(f, model, "digest", "</b>, digest <code>", 64);
        fputs("</code></p>\n", f);
    }
    struct xfv_histogram h;
    struct xfv_err ignored;
    if (!r->calibration.bins && !xfv_histogram_get(map, &h, &ignored)) r->calibration = h;
    fputs("<ol>\n", f);
    for (uint32_t i = 0; stages && stages->type == MSGPACK_OBJECT_ARRAY && i < stages->via.array.size; i++)
        put_stage(f, &stages->via.array.ptr[i]);
    fputs("</ol></div>\n", f);
    return xfv_spooled(f, e);
}

/* ---- pairs and errors ---- */

/* Parameters without those that are measured on each pair: with them every pair would be a method of its own. */
static void steady_params(const char *params, char *buf, size_t cap)
{
    static const char *const measured[] = {"score ", "error_bound "};
    buf[0] = '\0';
    while (*params) {
        size_t n = strcspn(params, ","), at = strlen(buf);
        int skip = 0;
        for (size_t i = 0; i < sizeof measured / sizeof *measured; i++)
            skip |= !strncmp(params, measured[i], strlen(measured[i]));
        if (!skip) snprintf(buf + at, cap - at, "%s%.*s", at ? ", " : "", (int)n, params);
        params += n;
        params += strspn(params, ", ");
    }
}

/* *number: of a row's method on the page; negative: the page has no room for it. 0 or XFV_ENOMEM. */
static int method_number(struct xfv_report *r, const struct xfv_view_row *row, int *number, struct xfv_err *e)
{
    char params[sizeof row->params + 8], name[sizeof row->method + sizeof params + sizeof row->signed_key + 16];
    steady_params(row->params, params, sizeof params);
    snprintf(name, sizeof name, "%s%s%s%s%s%s", row->method[0] ? row->method : "unnamed", row->signed_key[0] ? ":" : "",
             row->signed_key, params[0] ? " (" : "", params, params[0] ? ")" : "");
    for (int i = 0; i < r->n_methods; i++)
        if (!strcmp(r->method[i], name)) return *number = i, 0;
    *number = -1;
    if (r->n_methods == XFV_REPORT_METHODS) return 0;
    char *copy = strdup(name);
    if (!copy) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    *number = r->n_methods;
    r->method[r->n_methods++] = copy;
    return 0;
}

/* Fixed at the first pair, since cards are written as pairs come: cosines, or whatever else has such scores. */
static void set_scale(struct xfv_report *r, const struct xfv_pairview *v)
{
    double reach = fmin(fmax(fabs(v->score), isfinite(v->threshold) ? fabs(v->threshold) : 0), 1e300);
    if (r->scale_set || !isfinite(v->score)) return;
    r->scale_set = 1;
    r->scale = reach <= 1 ? (struct xfv_scale){-0.4, 1, 0.2}
                          : (struct xfv_scale){v->score > 0 ? 0 : -2 * reach, v->score > 0 ? 2 * reach : 0, reach / 2};
}

static void count(struct xfv_report *r, const struct xfv_pairview *v)
{
    int kind = v->genuine < 0 ? 2 : !v->genuine, right = xfv_is_right(v);
    r->pairs++;
    r->decided += v->accept >= 0;
    r->accepted += v->accept == 1;
    r->labelled += right >= 0;
    r->false_match += right == 0 && v->accept;
    r->false_non_match += right == 0 && !v->accept;
    if (!isfinite(v->score)) return;
    r->bin[kind][xfv_to_int(xfv_scale_at(&r->scale, v->score) * XFV_BINS, 0, XFV_BINS - 1)]++;
    r->total[kind]++;
}

/* The photographs of both faces; one that cannot be shown is the pair's problem, unless it has one already. */
static void look_at_photographs(const msgpack_object *pair, struct xfv_image whole[2], char *problem)
{
    static const char *const sides[] = {"a", "b"};
    for (int i = 0; i < 2; i++) {
        struct xfv_err why = {0};
        if (xfv_photograph_of_face(xfv_map_get(pair, sides[i]), 224, &whole[i], &why) && !*problem)
            snprintf(problem, 256, "face %s: %.200s", sides[i], why.msg);
    }
}

/* The fragment of a pair: "pair=" and its id with %XX for all but letters, digits and -._~ ; of an id that is long, or
 * has come before, its beginning and the card's number. */
static int make_key(struct xfv_report *r, struct xfv_card *c, struct xfv_err *e)
{
    char *buf = c->key;
    size_t cap = sizeof c->key, at = (size_t)snprintf(buf, cap, "pair="), known = r->keys.n, most = 200;
    for (size_t i = 0; i < c->n_id && i < most; i++) {
        char b = c->id[i];
        int plain = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
                    (b && strchr("-._~", b));
        at += (size_t)snprintf(buf + at, cap - at, plain ? "%c" : "%%%02X", (unsigned char)b);
    }
    long number = xfv_name_number(&r->keys, buf, at);
    if (number < 0) return xfv_fail(e, XFV_ENOMEM, "out of memory for the pairs' names");
    if (!c->n_id || c->n_id > most || r->keys.n == known) snprintf(buf + at, cap - at, "&amp;card=%zu", c->number);
    return 0;
}

static int add_pictures(struct xfv_report *r, struct xfv_card *c, struct xfv_err *e)
{
    int status = 0;
    for (int i = 0; i < 2 && !status; i++) {
        c->whole[i] = -1;
        status = xfv_faces_add(&r->faces, &c->x->view.face[i].image, &c->face[i], e);
        if (!status && c->photo[i].data) status = xfv_faces_add(&r->faces, &c->photo[i], &c->whole[i], e);
    }
    return status;
}

/* The pair as it is read: on the page. */
static int put_pair(struct xfv_report *r, struct xfv_card *c, struct xfv_err *e)
{
    c->number = r->pairs;
    int status = make_key(r, c, e);
    if (!status) status = add_pictures(r, c, e);
    if (!status && r->o.groups) {
        c->group = xfv_groups_of(r->o.groups, c->pair);
        c->group_name = c->group == XFV_GROUPS_TWO       ? "two groups"
                        : c->group == XFV_GROUPS_UNKNOWN ? "no group"
                                                         : xfv_groups_name(r->o.groups, (size_t)c->group);
    }
    if (!status) status = xfv_card_write(r->spool[SPOOL_CARDS], c, e);
    if (!status) xfv_card_row(r->spool[SPOOL_ROWS], c);
    if (!status) status = xfv_audit_add(&r->audit, c, e);
    if (!status) status = xfv_spooled(r->spool[SPOOL_ROWS], e);
    return status ? status : xfv_spooled(r->spool[SPOOL_CARDS], e);
}

int xfv_report_pair(struct xfv_report *r, const msgpack_object *pair, char *problem, struct xfv_err *e)
{
    const char *id = "";
    size_t n_id = 0;
    int method[XFV_VIEW_ROWS], dropped = 0;
    struct xfv_image photo[2] = {{0}, {0}};
    struct xfv_pairview *v = &r->x.view;
    problem[0] = '\0';
    if (xfv_get_str(pair, "id", &id, &n_id, NULL)) n_id = 0;
    int status = xfv_explained_read(pair, r->o.only_method, NULL, &r->x, e);
    if (!status) status = xfv_pairview_blur(v, r->o.sigma, r->o.each, e);
    for (int i = 0; i < v->n_rows && !status; i++) {
        status = method_number(r, &v->row[i], &method[i], e);
        dropped += method[i] < 0;
    }
    if (!status) {
        if (!v->n_rows && r->o.only_method && !v->problem[0])
            xfv_maps_none(r->o.only_method, v->problem, sizeof v->problem);
        set_scale(r, v);
        count(r, v);
        snprintf(problem, 256, "%s", v->problem);
        if (dropped && !problem[0])
            snprintf(problem, 256,
                     "the page has room for %d methods; %d of this pair are left out (--method picks one)",
                     XFV_REPORT_METHODS, dropped);
        if (r->o.photographs) look_at_photographs(pair, photo, problem);
        struct xfv_card c = {.x = &r->x,
                             .pair = pair,
                             .photo = photo,
                             .id = id,
                             .n_id = n_id,
                             .method = method,
                             .scale = &r->scale,
                             .sigma = r->o.sigma,
                             .segment = r->segments ? r->segments - 1 : 0};
        status = put_pair(r, &c, e);
        xfv_image_clear(&photo[0]);
        xfv_image_clear(&photo[1]);
    }
    xfv_explained_clear(&r->x);
    return status;
}

int xfv_report_error(struct xfv_report *r, const char *id, size_t n, const char *tool, const char *message,
                     struct xfv_err *e)
{
    FILE *f = r->spool[SPOOL_ERRORS];
    fputs("<li><span class=\"id\">", f);
    xfv_html_text(f, id, n);
    fputs("</span>: ", f);
    xfv_html_str(f, message);
    fputs(" <span class=\"tool\">(", f);
    xfv_html_str(f, tool);
    fputs(")</span></li>\n", f);
    r->errors++;
    return xfv_spooled(f, e);
}

/* ---- the page ---- */

static int copy_spool(FILE *from, FILE *out, struct xfv_err *e)
{
    char buf[65536];
    size_t n;
    if (fflush(from)) return xfv_fail(e, XFV_EIO, "cannot write a temporary file");
    rewind(from);
    while ((n = fread(buf, 1, sizeof buf, from)) > 0)
        if (fwrite(buf, 1, n, out) != n) return xfv_fail(e, XFV_EIO, "cannot write");
    return ferror(from) ? xfv_fail(e, XFV_EIO, "cannot read a temporary file") : 0;
}

static void put_head(const struct xfv_report *r, FILE *f)
{
    char css[64], js[64];
    xfv_html_hash(css, xfv_report_css, xfv_report_css_size);
    xfv_html_hash(js, xfv_report_js, xfv_report_js_size);
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", f);
    fprintf(f,
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src '%s'; "
            "script-src '%s'; base-uri 'none'; form-action 'none'\">\n",
            css, js);
    fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" "
          "content=\"light dark\">\n<title>",
          f);
    xfv_html_str(f, r->o.title ? r->o.title : "Face verification, explained");
    fputs("</title>\n<style>", f);
    fwrite(xfv_report_css, 1, xfv_report_css_size, f);
    fputs("</style>\n</head>\n<body>\n", f);
}

/* Outline of a histogram in a box of 1000 x 100, as a density: kinds of unlike counts are comparable. */
static void put_histogram(const struct xfv_report *r, FILE *f, int kind, const char *class)
{
    double most = 0;
    if (!r->total[kind]) return;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < XFV_BINS && r->total[k]; i++) most = fmax(most, (double)r->bin[k][i] / (double)r->total[k]);
    fprintf(f, "<path class=\"%s\" d=\"M0 100", class);
    for (int i = 0; i < XFV_BINS; i++) {
        double y = 100 - 96 * (double)r->bin[kind][i] / (double)r->total[kind] / most;
        fprintf(f, "L%.1f %.1fL%.1f %.1f", 1000.0 * i / XFV_BINS, y, 1000.0 * (i + 1) / XFV_BINS, y);
    }
    fputs("L1000 100Z\"/>", f);
}

/* The calibration's scores as outlines, each kind to its own height. */
static void put_calibration(const struct xfv_report *r, FILE *f, int genuine)
{
    const struct xfv_histogram *h = &r->calibration;
    double most = 0, step = (h->high - h->low) / (h->bins ? h->bins : 1);
    for (int i = 0; i < h->bins; i++) most = fmax(most, h->count[genuine][i]);
    if (!(most > 0) || !r->scale_set) return;
    fprintf(f, "<path class=\"outline %s\" vector-effect=\"non-scaling-stroke\" d=\"",
            genuine ? "genuine" : "impostor");
    for (int i = 0, drawn = 0; i < h->bins; i++) {
        double from = 1000 * xfv_scale_at(&r->scale, h->low + i * step),
               to = 1000 * xfv_scale_at(&r->scale, h->low + (i + 1) * step), y = 100 - 96 * h->count[genuine][i] / most;
        if (!(to > from)) continue; /* left or right of the scale that is drawn */
        fprintf(f, "%s%.1f %.1fL%.1f %.1f", drawn++ ? "L" : "M", from, y, to, y);
    }
    fputs("\"/>", f);
}

static void put_legend(const struct xfv_report *r, FILE *f)
{
    const struct xfv_histogram *h = &r->calibration;
    fputs("<p class=\"legend\">On each scale, the scores of this page&rsquo;s pairs: ", f);
    if (r->total[0]) fprintf(f, "<span class=\"key genuine\"></span>%zu genuine ", r->total[0]);
    if (r->total[1]) fprintf(f, "<span class=\"key impostor\"></span>%zu impostor ", r->total[1]);
    if (r->total[2]) fprintf(f, "<span class=\"key unlabelled\"></span>%zu without a label ", r->total[2]);
    fputs("(each drawn as a share of its own kind)", f);
    if (h->bins) {
        fprintf(f,
                "; as outlines, those of the model&rsquo;s calibration: <span class=\"key line genuine\"></span>%ld "
                "genuine and <span class=\"key line impostor\"></span>%ld impostor pairs",
                xfv_histogram_total(h, 1), xfv_histogram_total(h, 0));
        if (h->data[0]) fputs(" of ", f);
        xfv_html_str(f, h->data);
    }
    fputs(".</p>\n", f);
}

static void put_summary(const struct xfv_report *r, FILE *f)
{
    fputs("<header class=\"top\">\n<h1>", f);
    xfv_html_str(f, r->o.title ? r->o.title : "Face verification, explained");
    fprintf(f, "</h1>\n<p class=\"lead\">%zu pair%s", r->pairs, r->pairs == 1 ? "" : "s");
    if (r->decided) fprintf(f, ": %zu accepted, %zu rejected", r->accepted, r->decided - r->accepted);
    if (r->labelled)
        fprintf(f, "; of %zu with a known answer, %zu false match%s and %zu false non-match%s", r->labelled,
                r->false_match, r->false_match == 1 ? "" : "es", r->false_non_match,
                r->false_non_match == 1 ? "" : "es");
    if (r->errors) fprintf(f, "; <a href=\"#errors\">%zu could not be made</a>", r->errors);
    fputs(".</p>\n", f);
    fputs("</header>\n", f);
    fputs("<svg width=\"0\" height=\"0\" aria-hidden=\"true\" class=\"hidden\"><defs><g id=\"dist\">", f);
    put_histogram(r, f, 2, "unlabelled");
    put_histogram(r, f, 1, "impostor");
    put_histogram(r, f, 0, "genuine");
    put_calibration(r, f, 0);
    put_calibration(r, f, 1);
    fputs("</g></defs></svg>\n", f);
}

/* How to read the cards. */
static void put_legends(const struct xfv_report *r, FILE *f)
{
    if (r->total[0] || r->total[1] || r->total[2]) put_legend(r, f);
    fputs("<p class=\"legend\"><span class=\"key plus\"></span><b>S+</b> colours what the method counts for the same "
          "person, <span class=\"key minus\"></span><b>S&minus;</b> what it counts for "
          "different people. ",
          f);
    fprintf(f,
            "Maps are %s%s. In the bars, the tick is the region&rsquo;s share of the picture: a map that knows nothing "
            "has bars up to the ticks. A map shows what a method computed, not why a network decided; the pair&rsquo;s "
            "own trial, where there is one, says whether the network uses what it marks: " XFV_MARK_STANDS
            " yes, " XFV_MARK_FALLS " no more than other places.</p>\n",
            r->o.each ? "scaled each to its own maximum" : "drawn on one scale for each pair and method",
            r->o.sigma > 0 ? " and blurred for display" : "");
}

static void put_toolbar(const struct xfv_report *r, FILE *f)
{
    fputs("<div class=\"toolbar\" role=\"group\" aria-label=\"What the maps show\">\n<fieldset "
          "class=\"segments\"><legend>Map</legend>"
          "<label><input type=\"radio\" name=\"sign\" id=\"sign-both\" checked><span>Both</span></label>"
          "<label><input type=\"radio\" name=\"sign\" id=\"sign-plus\"><span>S+</span></label>"
          "<label><input type=\"radio\" name=\"sign\" id=\"sign-minus\"><span>S&minus;</span></label></fieldset>\n",
          f);
    if (r->n_methods) fputs("<fieldset class=\"segments methods\"><legend>Method</legend>", f);
    for (int i = 0; i < r->n_methods; i++) {
        char *params = strstr(r->method[i], " (");
        int shown = params ? (int)(params - r->method[i]) : (int)strlen(r->method[i]);
        for (int k = 0; k < r->n_methods; k++) /* the parameters only where the name alone says too little */
            if (k != i && !strncmp(r->method[i], r->method[k], (size_t)shown) &&
                (r->method[k][shown] == ' ' || !r->method[k][shown]))
                shown = (int)strlen(r->method[i]);
        fprintf(f, "<label title=\"");
        xfv_html_str(f, r->method[i]);
        fprintf(f, "\"><input type=\"radio\" name=\"method\" id=\"m%d\"%s><span>", i, i ? "" : " checked");
        xfv_html_text(f, r->method[i], (size_t)shown);
        fputs("</span></label>", f);
    }
    if (r->n_methods) fputs("</fieldset>\n", f);
    fputs("<label class=\"slider js\">Opacity <input type=\"range\" id=\"opacity\" min=\"0\" max=\"100\" "
          "value=\"85\"></label>\n"
          "<label class=\"check\"><input type=\"checkbox\" id=\"colour\"><span>Colour photographs</span></label>\n"
          "<button type=\"button\" id=\"theme\" class=\"js\">Dark</button>\n</div>\n",
          f);
}

static void put_options(const struct xfv_report *r, FILE *f)
{
    fputs("<label>Group <select id=\"group\"><option value=\"\">any", f);
    for (size_t i = 0; i < xfv_groups_count(r->o.groups); i++) {
        fprintf(f, "<option value=\"%zu\">", i);
        xfv_html_str(f, xfv_groups_name(r->o.groups, i));
    }
    fprintf(f, "<option value=\"%d\">two groups<option value=\"%d\">no group</select></label>", XFV_GROUPS_TWO,
            XFV_GROUPS_UNKNOWN);
}

static void put_filters(const struct xfv_report *r, FILE *f)
{
    fputs("<section id=\"summary\" aria-labelledby=\"pairs\"><h2 id=\"pairs\">Pairs</h2>\n<form class=\"filters js\" "
          "role=\"search\"><label>Search <input type=\"search\" id=\"search\" placeholder=\"name or id\" "
          "autocomplete=\"off\"></label>"
          "<label>Decision <select id=\"decision\"><option value=\"\">any<option value=\"accept\">accepted<option "
          "value=\"reject\">rejected<option value=\"undecided\">none</select></label>"
          "<label>Label <select id=\"label\"><option value=\"\">any<option value=\"genuine\">same person<option "
          "value=\"impostor\">different people<option value=\"unlabelled\">none</select></label>"
          "<label>Outcome <select id=\"outcome\"><option value=\"\">any<option value=\"1\">right<option "
          "value=\"0\">wrong</select></label>", f);
    if (r->o.groups) put_options(r, f);
    fputs("<label>Score from <input type=\"number\" id=\"from\" step=\"0.05\"></label><label>to <input type=\"number\" "
          "id=\"to\" step=\"0.05\"></label>"
          "<button type=\"reset\">Clear</button></form>\n", f);
    fprintf(f,
            "<p class=\"count js\"><span id=\"count\" aria-live=\"polite\">%zu of %zu pairs</span> "
            "<button type=\"button\" id=\"csv\">Save these rows as CSV</button> "
            "<button type=\"button\" id=\"pick\">Choose these for printing</button> "
            "<button type=\"button\" id=\"print\">Print</button></p>\n",
            r->pairs, r->pairs);
}

static int put_table(struct xfv_report *r, FILE *f, struct xfv_err *e)
{
    static const char *const columns[] = {"#",        "Face A", "Face B",  "Score", "Threshold",
                                          "Decision", "Label",  "Outcome", "Group"};
    put_filters(r, f);
    fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of pairs\"><table "
          "class=\"pairs\"><thead><tr>", f);
    for (size_t i = 0; i < sizeof columns / sizeof *columns - !r->o.groups; i++)
        fprintf(f, "<th scope=\"col\"%s><button type=\"button\">%s</button></th>",
                i == 0 || i == 3 || i == 4 ? " class=\"n\"" : "", columns[i]);
    fputs("</tr></thead><tbody>\n", f);
    int status = copy_spool(r->spool[SPOOL_ROWS], f, e);
    fputs("</tbody></table></div>\n</section>\n", f);
    return status;
}

/* The pictures that the page shows by reference, and the way to its parts. */
static int put_front(struct xfv_report *r, FILE *f, struct xfv_err *e)
{
    fputs("<svg width=\"0\" height=\"0\" aria-hidden=\"true\" class=\"hidden\"><defs>\n", f);
    int status = copy_spool(r->spool[SPOOL_FACES], f, e);
    fprintf(f,
            "</defs></svg>\n<nav class=\"contents\" aria-label=\"Parts of this page\"><a href=\"#rates\">Error "
            "rates</a> %s<a href=\"#wrong\">Wrong decisions</a> <a href=\"#methods\">Methods compared</a> <a "
            "href=\"#pairs\">Pairs</a> %s<a href=\"#origins\">How it was made</a></nav>\n",
            r->o.groups ? "<a href=\"#groups\">Groups</a> " : "",
            r->errors ? "<a href=\"#errors\">Could not be made</a> " : "");
    return status;
}

int xfv_report_write(struct xfv_report *r, FILE *f, char *note, struct xfv_err *e)
{
    put_head(r, f);
    put_summary(r, f);
    int status = put_front(r, f, e);
    fputs("<main>\n", f);
    if (!status) status = xfv_audit_write(&r->audit, &r->scale, r->method, r->n_methods, f, note, e);
    if (!status) status = put_table(r, f, e);
    put_legends(r, f);
    put_toolbar(r, f);
    fputs("<div id=\"cards\">\n", f);
    if (!status) status = copy_spool(r->spool[SPOOL_CARDS], f, e);
    fputs("</div>\n", f);
    if (r->errors) fputs("<section class=\"after\" id=\"errors\"><h2>Could not be made</h2>\n<ul>\n", f);
    if (!status && r->errors) status = copy_spool(r->spool[SPOOL_ERRORS], f, e);
    if (r->errors) fputs("</ul></section>\n", f);
    fputs("<section class=\"after\" id=\"origins\"><h2>How it was made</h2>\n", f);
    if (!status) status = copy_spool(r->spool[SPOOL_ORIGINS], f, e);
    fputs("</section>\n</main>\n<footer><p class=\"js\">Keys: <kbd>j</kbd> <kbd>&rarr;</kbd> next pair, <kbd>k</kbd> "
          "<kbd>&larr;</kbd> the one before, <kbd>s</kbd> map, <kbd>m</kbd> method, "
          "<kbd>/</kbd> search, <kbd>Esc</kbd> back to the table.</p><p>Made by report of "
          "xfv-tools.</p></footer>\n<script>",
          f);
    fwrite(xfv_report_js, 1, xfv_report_js_size, f);
    fputs("</script>\n</body>\n</html>\n", f);
    return status ? status : fflush(f) || ferror(f) ? xfv_fail(e, XFV_EIO, "cannot write") : 0;
}
