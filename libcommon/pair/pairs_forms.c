/* Lists of known collections, told by their shape: LFW and Kaggle's of it; CALFW and CPLFW; CFP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pair/pairs_internal.h"

/* ---- LFW: "name i j" is genuine, "name i other j" an impostor ---- */

struct numbered { char *a, *b; long i, j; int label; };

/* Blanks may stand in a name: its words are joined again, in place. */
static char *join(char **word, int from, int to)
{
    for (int k = from; k + 1 < to; k++) word[k][strlen(word[k])] = ' ';
    return word[from];
}

static int take_numbered(struct xfv_fields *f, struct numbered *p)
{
    /* Kaggle's lines of three end with a comma */
    while (f->n > 3 && f->n <= XFV_LIST_FIELDS && !*f->v[f->n - 1]) f->n--;
    int n = f->n, middle = -1;
    if (n < 3 || n > XFV_LIST_FIELDS || !xfv_list_is_count(f->v[n - 1]) || xfv_list_is_count(f->v[0]) || !*f->v[0])
        return 0;
    for (int k = 1; k < n - 1; k++) {
        if (!xfv_list_is_count(f->v[k])) continue;
        if (middle >= 0) return 0;
        middle = k;
    }
    if (middle < 0) return 0;
    *p = (struct numbered){.label = middle == n - 2, .i = atol(f->v[middle]), .j = atol(f->v[n - 1])};
    p->a = join(f->v, 0, middle);
    p->b = p->label ? p->a : join(f->v, middle + 1, n - 1);
    return *p->b != '\0';
}

static int split_numbered(const char *line, struct xfv_fields *f, struct numbered *p, struct xfv_err *e)
{
    int status = xfv_list_split(line,
                                strchr(line, '\t')  ? '\t'
                                : strchr(line, ';') ? ';'
                                : strchr(line, ',') ? ','
                                                    : ' ',
                                f, e);
    return status ? status : take_numbered(f, p) ? 0 : XFV_EARG;
}

static int add_numbered(const struct xfv_list_text *t, const struct xfv_list_line *line, long per_fold,
                        struct xfv_pair_list *l, struct xfv_err *e)
{
    struct xfv_fields f;
    struct numbered p;
    char a[300], b[300];
    int status = split_numbered(line->text, &f, &p, e);
    if (status == XFV_EARG)
        status = xfv_fail(e, XFV_EARG, "%s, line %d: expected LFW's 'name i j' or 'name i other j'", t->name, line->no);
    int fits = !status && snprintf(a, sizeof a, "%s_%04ld", p.a, p.i) < (int)sizeof a &&
               snprintf(b, sizeof b, "%s_%04ld", p.b, p.j) < (int)sizeof b;
    if (!status && !fits) status = xfv_fail(e, XFV_EARG, "%s, line %d: a name is too long", t->name, line->no);
    long fold = per_fold ? (long)l->n / (2 * per_fold) : 0;
    if (!status && per_fold && fold >= l->folds)
        status = xfv_fail(e, XFV_EARG, "%s, line %d: more pairs than the %d folds of 2 x %ld that line 1 announces",
                          t->name, line->no, l->folds, per_fold);
    if (!status) status = xfv_pair_list_add(l, a, b, p.label, (int)fold, line->no, e);
    xfv_fields_clear(&f);
    return status;
}

/* The first line announces "folds n", or "n". */
static int announces(const struct xfv_list_text *t, long *folds, long *per_fold)
{
    struct xfv_fields f;
    struct numbered p;
    int n, is;
    if (t->n < 2 || xfv_list_split(t->v[0].text, ' ', &f, NULL)) return 0;
    n = f.n;
    is = n >= 1 && n <= 2 && xfv_list_is_count(f.v[0]) && xfv_list_is_count(f.v[n - 1]);
    *folds = is && n == 2 ? atol(f.v[0]) : 1;
    *per_fold = is ? atol(f.v[n - 1]) : 0;
    xfv_fields_clear(&f);
    if (!is || *folds < 1 || *per_fold < 1) return 0;
    is = !split_numbered(t->v[1].text, &f, &p, NULL);
    xfv_fields_clear(&f);
    return is;
}

/* Kaggle's heading: name,imagenum1,imagenum2 with more names between. */
static int is_kaggle(const char *line)
{
    struct xfv_fields f;
    int names = 0, numbers = 0, others = 0;
    if (xfv_list_split(line, strchr(line, ';') ? ';' : ',', &f, NULL)) return 0;
    for (int i = 0; i < f.n && i < XFV_LIST_FIELDS; i++) {
        int name = !strncmp(f.v[i], "name", 4), number = !strncmp(f.v[i], "imagenum", 8);
        names += name;
        numbers += number;
        others += !name && !number && *f.v[i];
    }
    xfv_fields_clear(&f);
    return names >= 1 && numbers == 2 && !others;
}

/* Without a heading: every line fits, and one cannot be two ids with a label. */
static int all_numbered(const struct xfv_list_text *t)
{
    int sure = 0;
    for (size_t i = 0; i < t->n; i++) {
        struct xfv_fields f;
        struct numbered p;
        int fits = !split_numbered(t->v[i].text, &f, &p, NULL);
        sure |= fits && (!p.label || p.j > 1);
        xfv_fields_clear(&f);
        if (!fits) return 0;
    }
    return sure;
}

int xfv_list_lfw(const struct xfv_list_text *t, struct xfv_pair_list *l, int *status, struct xfv_err *e)
{
    long folds = 0, per_fold = 0;
    size_t from = 1;
    if (!t->n) return 0;
    if (announces(t, &folds, &per_fold)) l->folds = (int)folds;
    else if (!is_kaggle(t->v[0].text) && !all_numbered(t)) return 0;
    else from = is_kaggle(t->v[0].text) ? 1 : 0;
    for (size_t i = from; i < t->n && !*status; i++) *status = add_numbered(t, &t->v[i], per_fold, l, e);
    if ((long)l->n != 2 * folds * per_fold) l->folds = 0; /* part of a list has other folds than the whole */
    return 1;
}

/* ---- CALFW, CPLFW: two lines a pair, each "image number"; 0 for an impostor, else genuine ---- */

int xfv_list_is_image(const char *s)
{
    static const char *const ends[] = {".jpg", ".jpeg", ".png", ".bmp",  ".ppm",  ".pgm", ".webp",
                                       ".tif", ".tiff", ".jp2", ".heic", ".avif", ".jxl", NULL};
    const char *dot = strrchr(s, '.');
    for (int i = 0; dot && ends[i]; i++)
        if (!strcasecmp(dot, ends[i])) return 1;
    return 0;
}

/* The number of "image number", or -1. The image is left in f. */
static long number_of(const char *line, struct xfv_fields *f)
{
    *f = (struct xfv_fields){0};
    if (xfv_list_split(line, strchr(line, '\t') ? '\t' : ' ', f, NULL) || f->n != 2 || !xfv_list_is_image(f->v[0]) ||
        !xfv_list_is_count(f->v[1]))
        return -1;
    return atol(f->v[1]);
}

int xfv_list_two_lines(const struct xfv_list_text *t, struct xfv_pair_list *l, int *status, struct xfv_err *e)
{
    struct xfv_fields a, b;
    for (size_t i = 0; i < t->n; i++) {
        long number = number_of(t->v[i].text, &a);
        xfv_fields_clear(&a);
        if (number < 0) return 0;
    }
    if (t->n % 2)
        *status = xfv_fail(e, XFV_EARG, "%s: a pair is two lines here (image and number), and line %d has no second",
                           t->name, t->v[t->n - 1].no);
    for (size_t i = 0; i + 1 < t->n && !*status; i += 2) {
        long number = number_of(t->v[i].text, &a), other = number_of(t->v[i + 1].text, &b);
        if (number != other)
            *status = xfv_fail(e, XFV_EARG,
                               "%s, line %d: the two lines of a pair have the same number, found %ld and %ld", t->name,
                               t->v[i + 1].no, number, other);
        else *status = xfv_pair_list_add(l, a.v[0], b.v[0], number > 0, 0, t->v[i].no, e);
        xfv_fields_clear(&a);
        xfv_fields_clear(&b);
    }
    return 1;
}

/* ---- CFP: same.txt and diff.txt of a split hold numbers into Pair_list_F.txt and Pair_list_P.txt ---- */

/* Which of the two files, when the name is of one. */
static int cfp_label(const char *name)
{
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    return !strcmp(base, "same.txt") ? 1 : !strcmp(base, "diff.txt") ? 0 : -1;
}

char *xfv_pair_list_beside(const char *path, int second)
{
    static const char *const lists[] = {"Pair_list_F.txt", "Pair_list_P.txt"};
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) : 1;
    size_t cap = strlen(path) + 40;
    char *out = cfp_label(path) < 0 ? NULL : malloc(cap);
    if (out) snprintf(out, cap, "%.*s/../../../%s", n, slash ? path : ".", lists[second]);
    return out;
}

/* .../FP/01/same.txt: the second image is a profile. */
static int is_profile(const char *path)
{
    const char *end = strrchr(path, '/');
    while (end && end > path && end[-1] != '/') end--; /* 01/ */
    return end && end - path >= 3 && !strncmp(end - 3, "FP/", 3);
}

struct images { char *text; struct xfv_list_text lines; };

static int read_images(const char *path, int second, struct images *m, struct xfv_err *e)
{
    struct xfv_err why = {0};
    char *beside = xfv_pair_list_beside(path, second);
    m->text = beside ? xfv_list_slurp(beside, &why) : NULL;
    int status = m->text
                     ? xfv_list_lines(beside, m->text, &m->lines, e)
                     : xfv_fail(e, XFV_EARG, "%s holds numbers of CFP's images, whose names are three folders up: %s",
                                path, beside ? why.msg : "out of memory");
    free(beside);
    return status;
}

/* The image of a number: a line "number path". */
static int find_image(const struct images *m, long number, struct xfv_fields *f)
{
    const struct xfv_list_text *t = &m->lines;
    *f = (struct xfv_fields){0};
    if (number < 1 || (size_t)number > t->n || xfv_list_split(t->v[number - 1].text, ' ', f, NULL)) return 0;
    return f->n == 2 && xfv_list_is_count(f->v[0]) && atol(f->v[0]) == number;
}

static int add_cfp(const struct xfv_list_text *t, size_t i, const struct images m[2], struct xfv_pair_list *l,
                   struct xfv_err *e)
{
    struct xfv_fields f, a = {0}, b = {0};
    int status = xfv_list_split(t->v[i].text, ',', &f, e);
    if (!status && (!find_image(&m[0], atol(f.v[0]), &a) || !find_image(&m[1], atol(f.v[1]), &b)))
        status = xfv_fail(e, XFV_EARG, "%s, line %d: CFP's lists have no such images", t->name, t->v[i].no);
    if (!status) status = xfv_pair_list_add(l, a.v[1], b.v[1], cfp_label(t->name), 0, t->v[i].no, e);
    xfv_fields_clear(&f);
    xfv_fields_clear(&a);
    xfv_fields_clear(&b);
    return status;
}

/* Pair_list_F.txt itself: lines "1 image", "2 image", ... */
static int is_list_of_images(const struct xfv_list_text *t)
{
    for (size_t i = 0; i < t->n; i++) {
        struct xfv_fields f;
        int fits = !xfv_list_split(t->v[i].text, ' ', &f, NULL) && f.n == 2 && xfv_list_is_count(f.v[0]) &&
                   (size_t)atol(f.v[0]) == i + 1 && xfv_list_is_image(f.v[1]);
        xfv_fields_clear(&f);
        if (!fits) return 0;
    }
    return t->n > 0;
}

int xfv_list_cfp(const struct xfv_list_text *t, struct xfv_pair_list *l, int *status, struct xfv_err *e)
{
    struct images m[2] = {0};
    if (is_list_of_images(t)) {
        *status = xfv_fail(e, XFV_EARG,
                           "%s numbers images and names no pairs: give same.txt or diff.txt of one of CFP's splits",
                           t->name);
        return 1;
    }
    if (cfp_label(t->name) < 0) return 0;
    for (size_t i = 0; i < t->n; i++) {
        struct xfv_fields f;
        int fits = !xfv_list_split(t->v[i].text, ',', &f, NULL) && f.n == 2 && xfv_list_is_count(f.v[0]) &&
                   xfv_list_is_count(f.v[1]);
        xfv_fields_clear(&f);
        if (!fits) return 0;
    }
    *status = read_images(t->name, 0, &m[0], e);
    if (!*status) *status = read_images(t->name, is_profile(t->name), &m[1], e);
    for (size_t i = 0; i < t->n && !*status; i++) *status = add_cfp(t, i, m, l, e);
    for (int k = 0; k < 2; k++) {
        free(m[k].lines.v);
        free(m[k].text);
    }
    return 1;
}
