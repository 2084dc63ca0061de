/* Private to the reader of lists (pairs*.c): lines into fields, headings into columns, and the forms of known
 * collections. */
#ifndef XFV_PAIR_PAIRS_INTERNAL_H
#define XFV_PAIR_PAIRS_INTERNAL_H

#include "pair/label.h"
#include "pair/pairs.h"

enum { XFV_LIST_FIELDS = 16 };

struct xfv_list_line { char *text; int no; }; /* without blanks at its end; no: in the file, from 1 */
/* lines that are neither empty nor comments; the file's name */
struct xfv_list_text { const char *name; struct xfv_list_line *v; size_t n; };

struct xfv_fields { char *v[XFV_LIST_FIELDS]; int n; char *copy; }; /* n is XFV_LIST_FIELDS + 1 when there are more */
void xfv_fields_clear(struct xfv_fields *f);

/* Fields of a line whose separator is `by`: TAB, ; , or blank (several count as one). Blanks around a field are cut,
 * double quotes round it taken off. XFV_ENOMEM. The caller clears *out. */
int xfv_list_split(const char *line, char by, struct xfv_fields *out, struct xfv_err *e);
/* By the first separator of TAB, ; , and blank that stands outside of quotes and gives what `fits` likes, else the
 * first that there is. */
int xfv_list_split_fitting(const char *line, int (*fits)(const struct xfv_fields *f), struct xfv_fields *out,
                           struct xfv_err *e);
int xfv_list_is_count(const char *s); /* one to eight digits */
int xfv_list_is_image(const char *s); /* a file name that ends as those of images do */

/* Which field of a heading is which; label -1: none. */
struct xfv_columns { int n, a, b, label; };
/* 1: every field is the name of a column, and two of them name images. */
int xfv_list_is_heading(const struct xfv_fields *f, struct xfv_columns *c);

int xfv_pair_list_add(struct xfv_pair_list *l, const char *a, const char *b, int label, int fold, int line,
                      struct xfv_err *e);

/* Each: 1 when the text has this form and was read (or *status says why not), 0: it has another. */
int xfv_list_lfw(const struct xfv_list_text *t, struct xfv_pair_list *l, int *status, struct xfv_err *e);
int xfv_list_two_lines(const struct xfv_list_text *t, struct xfv_pair_list *l, int *status, struct xfv_err *e);
int xfv_list_cfp(const struct xfv_list_text *t, struct xfv_pair_list *l, int *status, struct xfv_err *e);

/* The whole file ("-": standard input) as a text, malloc'ed; NULL and *e otherwise. */
char *xfv_list_slurp(const char *path, struct xfv_err *e);
/* Lines of a text, which is changed and must outlive them; t->v is malloc'ed. XFV_ENOMEM. */
int xfv_list_lines(const char *name, char *text, struct xfv_list_text *t, struct xfv_err *e);

#endif
