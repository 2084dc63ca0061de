/* Lines of a list into fields, and the words that head columns. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pair/pairs_internal.h"

void xfv_fields_clear(struct xfv_fields *f)
{
    free(f->copy);
    *f = (struct xfv_fields){0};
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The end of a quoted field that begins at s, after its closing quote, when a separator (by 0: any) or the end follows;
 * else NULL. */
static const char *quoted_end(const char *s, char by)
{
    if (*s != '"') return NULL;
    for (s++; *s; s++) {
        if (*s != '"') continue;
        if (s[1] == '"') s++;
        else break;
    }
    if (!*s) return NULL;
    s++;
    if (!by) return !*s || strchr("\t;, ", *s) ? s : NULL;
    const char *after = s;
    while (is_blank(*after) && *after != by) after++;
    return !*after || *after == by || (by == ' ' && after > s) ? s : NULL;
}

/* Take quotes off, doubled ones to single ones; n bytes at s. */
static void unquote(char *s, size_t n)
{
    char *to = s;
    for (size_t i = 1; i + 1 < n; i++) {
        *to++ = s[i];
        if (s[i] == '"') i++;
    }
    *to = '\0';
}

/* One field at s, which ends before the separator; returns what follows it, or NULL at the end of the line. */
static char *take_field(char *s, char by, char **field)
{
    while (is_blank(*s) && *s != by) s++;
    while (by == ' ' && is_blank(*s)) s++;
    const char *quoted = quoted_end(s, by);
    char *end = quoted ? s + (quoted - s) : s;
    if (!quoted)
        while (*end && *end != by && !(by == ' ' && is_blank(*end))) end++;
    char *rest = end;
    while (quoted && is_blank(*rest) && *rest != by) rest++;
    rest = *rest ? rest + 1 : NULL;
    if (quoted) {
        unquote(s, (size_t)(end - s));
    } else {
        while (end > s && is_blank(end[-1])) end--;
        *end = '\0';
    }
    *field = s;
    return rest;
}

int xfv_list_split(const char *line, char by, struct xfv_fields *out, struct xfv_err *e)
{
    *out = (struct xfv_fields){.copy = strdup(line)};
    if (!out->copy) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (char *p = out->copy; p;) {
        if (out->n == XFV_LIST_FIELDS) {
            out->n++;
            break;
        }
        p = take_field(p, by, &out->v[out->n++]);
    }
    return 0;
}

static int has_outside_quotes(const char *s, char by)
{
    for (const char *start = s; *s; s++) {
        const char *end = s == start || strchr("\t;, ", s[-1]) ? quoted_end(s, 0) : NULL;
        if (end) s = end - 1;
        else if (*s == by || (by == ' ' && *s == '\t')) return 1;
    }
    return 0;
}

int xfv_list_split_fitting(const char *line, int (*fits)(const struct xfv_fields *f), struct xfv_fields *out,
                           struct xfv_err *e)
{
    char first = 0;
    for (const char *by = "\t;, "; *by; by++) {
        if (!has_outside_quotes(line, *by)) continue;
        first = first ? first : *by;
        int status = xfv_list_split(line, *by, out, e);
        if (status || fits(out)) return status;
        xfv_fields_clear(out);
    }
    return xfv_list_split(line, first ? first : ',', out, e);
}

int xfv_list_is_count(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && n < 9 && strspn(s, "0123456789") == n;
}

/* ---- headings ---- */

enum word { NO_WORD, FIRST, SECOND, LABEL, OTHER };

static int is_one_of(const char *s, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(s, *list)) return 1;
    return 0;
}

/* "image_1" is a thing and which of two. */
static enum word thing_of(const char *s)
{
    static const char *const things[] = {"",          "id",      "img",       "image",   "file",     "filename",
                                         "path",      "photo",   "picture",   "face",    "name",     "person",
                                         "subject",   "sample",  "imagepath", "imgpath", "filepath", "imagefile",
                                         "imagename", "imgname", "imageid",   "input",   "item",     "key",
                                         "p",         NULL};
    static const struct { const char *end; enum word which;
    } ends[] = {
        {"1", FIRST},      {"a", FIRST},       {"x", FIRST},    {"left", FIRST},     {"first", FIRST},
        {"one", FIRST},    {"probe", FIRST},   {"2", SECOND},   {"b", SECOND},       {"y", SECOND},
        {"right", SECOND}, {"second", SECOND}, {"two", SECOND}, {"gallery", SECOND}, {"reference", SECOND},
    };
    size_t n = strlen(s);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t k = strlen(ends[i].end);
        char thing[32];
        if (n < k || n - k >= sizeof thing) continue;
        memcpy(thing, s, n - k); /* image_left */
        thing[n - k] = '\0';
        if (!strcmp(s + n - k, ends[i].end) && is_one_of(thing, things)) return ends[i].which;
        if (!strncmp(s, ends[i].end, k) && k > 1 && is_one_of(s + k, things)) return ends[i].which; /* left_image */
    }
    return NO_WORD;
}

static enum word word_of(const char *field)
{
    static const char *const labels[] = {"label",        "labels", "same",    "issame",      "sameperson",
                                         "issameperson", "match",  "ismatch", "genuine",     "isgenuine",
                                         "target",       "class",  "gt",      "groundtruth", "truth",
                                         "decision",     "result", "mated",   "pairlabel",   "actual",
                                         "issimilar",    NULL};
    static const char *const others[] = {"",           "index",    "id",        "no",    "nr",       "n",
                                         "line",       "number",   "fold",      "split", "pair",     "score",
                                         "similarity", "distance", "threshold", "model", "unnamed0", NULL};
    char s[32];
    size_t n = 0;
    for (; *field; field++) {
        if (n + 1 == sizeof s) return NO_WORD;
        if (isalnum((unsigned char)*field)) s[n++] = (char)tolower((unsigned char)*field);
        else if (!strchr("_- .#:", *field)) return NO_WORD;
    }
    s[n] = '\0';
    return is_one_of(s, labels) ? LABEL : is_one_of(s, others) ? OTHER : thing_of(s);
}

int xfv_list_is_heading(const struct xfv_fields *f, struct xfv_columns *c)
{
    *c = (struct xfv_columns){.n = f->n, .a = -1, .b = -1, .label = -1};
    if (f->n < 2 || f->n > XFV_LIST_FIELDS) return 0;
    for (int i = 0; i < f->n; i++) {
        enum word w = word_of(f->v[i]);
        if (w == NO_WORD) return 0;
        if (w == LABEL) c->label = i; /* of verify's decision and label the later */
        if (w != FIRST && w != SECOND) continue;
        int *at = w == FIRST ? &c->a : &c->b;
        if (*at >= 0) return 0;
        *at = i;
    }
    return c->a >= 0 && c->b >= 0;
}
