/* The page's sections before the cards: error rates, groups, wrong decisions, methods. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/toint.h"
#include "report/html.h"
#include "report/internal.h"

/* Of each kind of wrong decision; of the bootstrap, as regions(1); pairs of a kind for a curve that says something. */
enum { MOST_SHOWN = 100, REPLICATES = 2000, LEAST_OF_CURVE = 10 };

static void put_interval(FILE *f, double value, double lo, double hi)
{
    char a[24], b[24], c[24];
    fprintf(f, "%s&nbsp;%% <span class=\"ci\">(%s to %s&nbsp;%%)</span>", xfv_percent_text(value, a, sizeof a),
            xfv_percent_text(lo, b, sizeof b), xfv_percent_text(hi, c, sizeof c));
}

static const char *pairs_of(size_t n)
{
    return n == 1 ? "pair" : "pairs";
}

static void put_cell(FILE *f, const struct xfv_proportion *p)
{
    fputs("<td>", f);
    if (p->n) {
        put_interval(f, p->value, p->lo, p->hi);
        fprintf(f, "<br><span class=\"of\">%zu of %zu</span>", p->k, p->n);
    } else {
        fputs("&ndash;", f);
    }
    fputs("</td>", f);
}

/* A part's beginning; one with nothing to measure is a line or two. */
static void begin(FILE *f, const char *id, const char *title, int nothing)
{
    fprintf(f, "<section class=\"audit%s\" id=\"%s\"><h2>%s</h2>\n", nothing ? " nothing" : "", id, title);
}

/* ---- error rates ---- */

static struct xfv_proportion of_rate(double rate, size_t n)
{
    return xfv_proportion_of(xfv_to_size(rate * (double)n + 0.5, n), n);
}

static void put_point(FILE *f, double threshold, const char *what, const struct xfv_proportion rate[2])
{
    char text[40] = "several";
    if (isfinite(threshold)) xfv_number_text(threshold, 3, text, sizeof text);
    fprintf(f, "<tr><th scope=\"row\">%s<br><span class=\"of\">%s</span></th>", text, what);
    put_cell(f, &rate[0]);
    put_cell(f, &rate[1]);
    fputs("</tr>\n", f);
}

/* The threshold for a wished FMR, as roc(1) has it. *mark is filled where there is one; its words are words. */
static int put_wished(const struct xfv_audit *a, double fmr, char words[40], struct xfv_det_mark *mark, FILE *f,
                      struct xfv_err *e)
{
    struct xfv_rates all = xfv_rates_at(&a->scores, 0);
    double threshold;
    snprintf(words, 40, "for an FMR of %.6g %%", 100 * fmr);
    if ((double)all.impostor * fmr < 1) {
        fprintf(f, "<tr><th scope=\"row\">not known<br><span class=\"of\">%s</span></th><td colspan=\"2\">", words);
        if (fmr > 0) fprintf(f, "needs %.0f pairs of different people or more; ", ceil(fmin(1 / fmr, 1e15)));
        fprintf(f, "there are %zu</td></tr>\n", all.impostor);
        return 0;
    }
    int status = xfv_threshold_at_fmr(&a->scores, fmr, &threshold, e);
    if (status) return status;
    struct xfv_rates r = xfv_rates_at(&a->scores, threshold);
    struct xfv_proportion rate[2] = {of_rate(r.fmr, r.impostor), of_rate(r.fnmr, r.genuine)};
    put_point(f, threshold, words, rate);
    *mark = (struct xfv_det_mark){r.fmr, r.fnmr, words};
    return 0;
}

static int put_det(const struct xfv_audit *a, const struct xfv_det_mark *mark, int n_marks, FILE *f, struct xfv_err *e)
{
    struct xfv_rates all = xfv_rates_at(&a->scores, 0);
    char text[24], at[40];
    size_t n;
    double eer, threshold;
    int status = xfv_eer(&a->scores, &eer, &threshold, e);
    struct xfv_roc_point *v = status ? NULL : xfv_roc_curve(&a->scores, &n, e);
    if (!v) return e->status;
    fputs("<figure>\n", f);
    xfv_det_write(f, v, n, all.genuine, all.impostor, mark, n_marks);
    fprintf(f,
            "<figcaption>DET curve: what each threshold would do to these pairs. The two rates meet at %s %% "
            "(threshold %s). A rate of 0 lies on the edge.</figcaption></figure>\n",
            xfv_percent_text(eer, text, sizeof text), xfv_number_text(threshold, 3, at, sizeof at));
    free(v);
    return 0;
}

static void put_rates_words(const struct xfv_audit *a, FILE *f)
{
    char at[40];
    fputs("<p>", f);
    if (!a->decided[0] && !a->decided[1]) {
        fputs("The labelled pairs have no decision, so there is no error rate in use.</p>\n", f);
        return;
    }
    if (a->thresholds == 1) fprintf(f, "At the threshold in use, %s,", xfv_number_text(a->threshold, 3, at, sizeof at));
    else fputs(a->thresholds ? "At the thresholds in use (pairs have several)" : "As the stream decided", f);
    fprintf(f,
            " %zu of %zu %s of different people %s accepted and %zu of %zu %s of one person rejected.", a->errors[0],
            a->decided[0], pairs_of(a->decided[0]), a->errors[0] == 1 ? "was" : "were", a->errors[1], a->decided[1],
            pairs_of(a->decided[1]));
    fputs(" In brackets stands the exact 95 % interval (Clopper and Pearson); pairs that share people make it too "
          "narrow.</p>\n",
          f);
}

static int put_rates(const struct xfv_audit *a, const struct xfv_scale *scale, FILE *f, struct xfv_err *e)
{
    struct xfv_det_mark mark[9];
    char words[8][40];
    int n = 0, status = 0;
    struct xfv_rates all = xfv_rates_at(&a->scores, 0);
    struct xfv_proportion used[2] = {xfv_proportion_of(a->errors[0], a->decided[0]),
                                     xfv_proportion_of(a->errors[1], a->decided[1])};
    begin(f, "rates", "Error rates", !a->scores.n);
    if (!a->scores.n) {
        fputs("<p>No pair has a label, so there is no error rate to measure and no DET curve to draw. A list with "
              "labels, given to <code>verify --pairs</code>, brings them.</p></section>\n",
              f);
        return 0;
    }
    put_rates_words(a, f);
    fputs("<div class=\"scroll free\" tabindex=\"0\" role=\"region\" aria-label=\"Error rates\"><table "
          "class=\"numbers\"><thead><tr><th scope=\"col\">Threshold</th><th "
          "scope=\"col\">False matches (FMR)</th><th scope=\"col\">False non-matches "
          "(FNMR)</th></tr></thead><tbody>\n",
          f);
    put_point(f, a->thresholds == 1 ? a->threshold : (double)NAN, "in use", used);
    if (used[0].n && used[1].n) mark[n++] = (struct xfv_det_mark){used[0].value, used[1].value, "in use"};
    for (int i = 0, has = n; i < a->n_fmr && !status; i++) {
        mark[n] = (struct xfv_det_mark){.fmr = NAN};
        status = put_wished(a, a->fmr[i], words[i], &mark[n], f, e);
        n += has && all.genuine && !status && isfinite(mark[n].fmr);
    }
    fputs("</tbody></table></div>\n<p class=\"legend\">A threshold for a wished FMR is chosen on these same pairs: on "
          "others expect more errors.</p>\n<div class=\"figures\">\n", f);
    int enough = all.genuine >= LEAST_OF_CURVE && all.impostor >= LEAST_OF_CURVE;
    if (!status && enough) status = put_det(a, mark, n, f, e);
    fputs("<figure>\n", f);
    xfv_scale_write(f, scale, 220, NAN, a->thresholds == 1 ? a->threshold : (double)NAN);
    fprintf(f,
            "<figcaption>Scores of <span class=\"key genuine\"></span>%zu %s of one person and <span class=\"key "
            "impostor\"></span>%zu of different people, each kind as a share of its own number.</figcaption></figure>\n"
            "</div>\n",
            all.genuine, pairs_of(all.genuine), all.impostor);
    if (!enough)
        fprintf(f, "<p>A DET curve needs at least %d pairs of one person and %d of different people.</p>\n",
                LEAST_OF_CURVE, LEAST_OF_CURVE);
    fputs("</section>\n", f);
    return status;
}

/* ---- groups ---- */

static void put_group_rate(const struct xfv_audit *a, size_t group, enum xfv_groups_rate what, FILE *f)
{
    struct xfv_group_rate r;
    char points[24];
    fputs("<td>", f);
    if (!xfv_groups_get(a->groups, group, what, &r)) {
        fputs("&ndash;</td>", f);
        return;
    }
    put_interval(f, r.value, r.lo, r.hi);
    fprintf(f, "<br><span class=\"of\">%zu of %zu %s, %zu people</span>", r.errors, r.pairs, pairs_of(r.pairs),
            r.persons);
    if (isfinite(r.holm) && r.holm <= 0.05)
        fprintf(f, "<br><strong class=\"wrong\">%s by %s points</strong> (p = %.2g)",
                r.difference > 0 ? "higher" : "lower", xfv_percent_text(fabs(r.difference), points, sizeof points),
                r.holm);
    else if (r.few) fputs("<br><em>too few to compare</em>", f);
    fputs("</td>", f);
}

static void put_group_table(const struct xfv_audit *a, FILE *f)
{
    struct xfv_group_rate r;
    int marked = 0, judged = 0, labelled = 0;
    for (size_t i = 0; i < 3 * xfv_groups_count(a->groups); i++) {
        if (!xfv_groups_get(a->groups, i / 3, (enum xfv_groups_rate)(i % 3), &r)) continue;
        labelled |= i % 3 < 2;
        judged += isfinite(r.holm);
        marked += isfinite(r.holm) && r.holm <= 0.05;
    }
    fprintf(f, "<p>%s A pair belongs to a group when both its people do. In brackets: a 95 %% interval that draws "
               "people, not pairs.</p>\n",
            marked   ? "Error rates of groups differ by more than chance explains: the table marks where."
            : judged ? "No group&rsquo;s error rate differs from the others&rsquo; by more than chance explains."
                     : "These pairs are too few to tell whether the groups&rsquo; error rates differ.");
    fprintf(f, "<div class=\"scroll free\" tabindex=\"0\" role=\"region\" aria-label=\"Groups\"><table "
               "class=\"numbers\"><thead><tr><th scope=\"col\">Group</th>%s</tr></thead><tbody>\n",
            labelled ? "<th scope=\"col\">False matches (FMR)</th><th scope=\"col\">False non-matches (FNMR)</th>"
                     : "<th scope=\"col\">Accepted</th>");
    for (size_t g = 0; g < xfv_groups_count(a->groups); g++) {
        fputs("<tr><th scope=\"row\">", f);
        xfv_html_str(f, xfv_groups_name(a->groups, g));
        fputs("</th>", f);
        if (labelled) put_group_rate(a, g, XFV_GROUPS_FMR, f);
        put_group_rate(a, g, labelled ? XFV_GROUPS_FNMR : XFV_GROUPS_ACCEPTED, f);
        fputs("</tr>\n", f);
    }
    fputs("</tbody></table></div>\n", f);
}

static int put_groups(struct xfv_audit *a, FILE *f, char *note, struct xfv_err *e)
{
    struct xfv_err why = {0};
    if (!a->groups) return 0;
    int status = xfv_groups_compare(a->groups, NULL, REPLICATES, 0, &why);
    begin(f, "groups", "Groups", status == XFV_EARG);
    if (status == XFV_EARG) {
        snprintf(note, 512, "--groups: %.500s", why.msg);
        fputs("<p>There is nothing to measure: ", f);
        xfv_html_str(f, why.msg);
        fputs(".</p>\n", f);
    } else if (status) {
        return xfv_fail(e, status, "%s", why.msg);
    } else {
        put_group_table(a, f);
        fputs("<p class=\"legend\">Each rate is compared with that of all other groups; p is Holm&rsquo;s, over all "
              "rates and mean scores.",
              f);
        for (int i = 0; i < xfv_groups_notes(a->groups); i++) {
            fputs(i ? "; " : " Also: ", f);
            xfv_html_str(f, xfv_groups_note(a->groups, i));
        }
        fputs(xfv_groups_notes(a->groups) ? ".</p>\n" : "</p>\n", f);
    }
    fputs("</section>\n", f);
    return 0;
}

/* ---- wrong decisions ---- */

static int by_margin(const void *a, const void *b)
{
    const struct xfv_wrong *u = a, *v = b;
    if (u->accepted != v->accepted) return v->accepted - u->accepted;
    if (u->margin < v->margin || u->margin > v->margin) return u->margin < v->margin ? 1 : -1;
    return (u->at > v->at) - (u->at < v->at);
}

static int copy_entry(FILE *from, const struct xfv_wrong *w, FILE *to, struct xfv_err *e)
{
    char buf[4096];
    if (fseek(from, w->at, SEEK_SET)) return xfv_fail(e, XFV_EIO, "cannot read a temporary file");
    for (long left = w->size; left > 0;) {
        size_t n = fread(buf, 1, left < (long)sizeof buf ? (size_t)left : sizeof buf, from);
        if (!n) return xfv_fail(e, XFV_EIO, "cannot read a temporary file");
        fwrite(buf, 1, n, to);
        left -= (long)n;
    }
    return 0;
}

static int put_wrongs(const struct xfv_audit *a, int accepted, FILE *f, struct xfv_err *e)
{
    size_t n = a->errors[!accepted], shown = 0;
    int status = 0;
    if (!n) return 0;
    fprintf(f, "<h3>%s: %zu</h3>\n<ol class=\"wrongs\">\n",
            accepted ? "False matches, different people accepted" : "False non-matches, one person rejected", n);
    for (size_t i = 0; i < a->n_wrong && !status && shown < MOST_SHOWN; i++)
        if (a->wrong[i].accepted == accepted) status = copy_entry(a->spool, &a->wrong[i], f, e), shown++;
    fputs("</ol>\n", f);
    if (shown < n)
        fprintf(f, "<p>%zu more stand in the table of pairs: choose the outcome &ldquo;wrong&rdquo; there.</p>\n",
                n - shown);
    return status;
}

static int put_errors(struct xfv_audit *a, FILE *f, struct xfv_err *e)
{
    size_t decided = a->decided[0] + a->decided[1];
    begin(f, "wrong", "Wrong decisions", !decided);
    if (!decided) fputs("<p>No pair has both a label and a decision, so none can be called wrong.</p>\n", f);
    else if (!a->n_wrong) fprintf(f, "<p>None: all %zu labelled pairs are decided as their labels say.</p>\n", decided);
    else
        fputs("<p>The furthest from the threshold come first. Each is a mistake of the system, or of the list.</p>\n",
              f);
    if (fflush(a->spool)) return xfv_fail(e, XFV_EIO, "cannot write to a temporary file");
    if (a->n_wrong) qsort(a->wrong, a->n_wrong, sizeof *a->wrong, by_margin);
    int status = put_wrongs(a, 1, f, e);
    if (!status) status = put_wrongs(a, 0, f, e);
    fputs("</section>\n", f);
    return status;
}

/* ---- methods ---- */

static void put_claims_row(const struct xfv_claims *k, const char *method, const char *kind, int curves, FILE *f)
{
    size_t name = strcspn(method, "(");
    fputs("<tr><th scope=\"row\">", f);
    xfv_html_text(f, method, name);
    if (method[name]) fputs("<br><span class=\"of\">", f);
    xfv_html_str(f, method + name);
    if (method[name]) fputs("</span>", f);
    fprintf(f, "</th><td>%s<br><span class=\"of\">%zu %s</span></td>", kind, k->pairs, pairs_of(k->pairs));
    for (int i = 0; i < 2; i++) {
        struct xfv_proportion p = xfv_proportion_of(k->stands[i], k->tried[i]);
        put_cell(f, &p);
    }
    if (k->tried[0]) fprintf(f, "<td>%+.3f</td>", k->effect / (double)k->tried[0]);
    else fputs("<td>&ndash;</td>", f);
    fprintf(f, "<td>%zu</td><td>%zu</td>", k->turns, k->empty);
    if (curves && k->curves)
        fprintf(f, "<td>%.3f</td><td>%.3f</td>", k->deletion / (double)k->curves, k->insertion / (double)k->curves);
    else if (curves) fputs("<td>&ndash;</td><td>&ndash;</td>", f);
    fputs("</tr>\n", f);
}

static int has_claims(const struct xfv_claims *k)
{
    return k->tried[0] || k->tried[1] || k->empty || k->curves;
}

static void put_claims(const struct xfv_audit *a, char *const *method, int n_methods, int curves, FILE *f)
{
    static const char *const kinds[] = {"one person", "different people", "no label"};
    fprintf(f,
            "<div class=\"scroll free\" tabindex=\"0\" role=\"region\" aria-label=\"Methods\"><table "
            "class=\"numbers\"><thead><tr><th scope=\"col\">Method</th><th scope=\"col\">Pairs</th><th "
            "scope=\"col\">S+ stands</th><th scope=\"col\">S&minus; stands</th><th scope=\"col\">Lead of S+</th><th "
            "scope=\"col\">Decision turned</th><th scope=\"col\">Empty maps</th>%s</tr></thead><tbody>\n",
            curves ? "<th scope=\"col\">Deletion</th><th scope=\"col\">Insertion</th>" : "");
    for (int m = 0; m < n_methods; m++)
        for (int k = 0; k < 3; k++)
            if (has_claims(&a->claims[m][k])) put_claims_row(&a->claims[m][k], method[m], kinds[k], curves, f);
    fprintf(f,
            "</tbody></table></div>\n<p class=\"legend\">A map stands on a pair when the network misses what it marks "
            "more than the same mark at other places (<code>ablate</code>, p up to 0.05): a map drawn at random does "
            "in some 5 %% of pairs. Lead of S+: how much more the score falls than elsewhere, on average. Decision "
            "turned: in so many pairs some share of a face turns it.%s</p>\n",
            curves ? " Deletion and Insertion: mean areas under delins&rsquo; curves, low and high is good." : "");
}

static void put_methods(const struct xfv_audit *a, char *const *method, int n_methods, FILE *f)
{
    size_t tried = 0, curves = 0;
    for (int i = 0; i < 3 * n_methods; i++) {
        tried += (size_t)has_claims(&a->claims[i / 3][i % 3]);
        curves += a->claims[i / 3][i % 3].curves;
    }
    begin(f, "methods", "Methods compared", !tried);
    if (!n_methods) fputs("<p>The pairs have no maps, so there is nothing to compare.</p>\n", f);
    else if (!tried)
        fputs("<p>No map was tried on its pair, so nothing tells how far to believe the maps: run <code>ablate</code> "
              "after the explainers.</p>\n",
              f);
    else put_claims(a, method, n_methods, curves > 0, f);
    fputs("</section>\n", f);
}

int xfv_audit_write(struct xfv_audit *a, const struct xfv_scale *scale, char *const *method, int n_methods, FILE *f,
                    char *note, struct xfv_err *e)
{
    note[0] = '\0';
    int status = put_rates(a, scale, f, e);
    if (!status) status = put_groups(a, f, note, e);
    if (!status) status = put_errors(a, f, e);
    put_methods(a, method, n_methods, f);
    return status;
}
