/* Lists of pairs to compare, and finding the faces they name. */
#ifndef XFV_PAIR_PAIRS_H
#define XFV_PAIR_PAIRS_H

#include <stddef.h>

#include "base/err.h"
#include "pair/label.h"

struct xfv_pair_entry {
    char *a, *b;     /* ids, owned */
    int label;       /* 1 genuine, 0 impostor, -1 unknown */
    int fold;        /* LFW's form: 0..folds-1; else 0 */
    int line;        /* in the file, from 1 */
    /* the file's first line, and its words are columns' names, such as "a,b" or "left,right,same" */
    int may_be_heading;
};
struct xfv_pair_list {
    struct xfv_pair_entry *v;
    size_t n, cap;
    int folds;   /* 0: not LFW's form */
    /* the first line, when its words are columns' names and it cannot be a pair; line 0: none */
    struct xfv_pair_entry heading;
};

/* Read a list of pairs from a file, or from standard input for "-", in any of the forms below. Every line must be a
 * pair, a part of one, the heading, a comment (#) or empty:
 * - two ids and perhaps a label (xfv_label_of), separated by TAB, semicolon, comma or blanks, in double quotes where
 *   one of these belongs to an id. A first line all of whose words are columns' names is a heading; columns may then
 *   have any order. verify's table is such a list, with or without its heading.
 * - LFW: "folds n" (or "n"), then "name i j" (genuine) and "name i other j" (impostor); ids are name_%04d. Kaggle's
 *   lists of LFW: such lines with commas under "name,imagenum1,...".
 * - CALFW, CPLFW: two lines a pair, each "image number", the number 0 for an impostor.
 * - CFP: same.txt and diff.txt of a split, numbers of images that Pair_list_F.txt and Pair_list_P.txt name, three
 *   folders up.
 * A carriage return at the end of a line and a byte order mark are no part of it. XFV_EARG with file and line for any
 * other list; XFV_EIO when the file cannot be read. The caller clears *out. */
int xfv_pair_list_read(const char *path, struct xfv_pair_list *out, struct xfv_err *e);
/* The same from text in memory; `name` is used in messages. text is changed. */
int xfv_pair_list_parse(const char *name, char *text, struct xfv_pair_list *out, struct xfv_err *e);
void xfv_pair_list_clear(struct xfv_pair_list *l);

/* The other file that reading the list at path needs: CFP's Pair_list_F.txt (second: Pair_list_P.txt). malloc'ed;
 * NULL: none, or no memory. */
char *xfv_pair_list_beside(const char *path, int second);

/* Faces by id. A look-up takes the face of exactly this id, else the only one whose file name (after the last slash)
 * is that of the wanted id, else the only one whose file name without extension is; of several, the only one whose
 * folders fit (./a.jpg, /photos/a.jpg). An id that is not found is looked for once more with verify's escapes (\t,
 * \x1b) undone, then with _ for each blank. */
struct xfv_id_index;
enum { XFV_ID_NONE = -1, XFV_ID_SEVERAL = -2 };
/* ids are kept by pointer; NULL when out of memory */
struct xfv_id_index *xfv_id_index_new(const char *const *ids, size_t n);
void xfv_id_index_free(struct xfv_id_index *x);
/* place in ids (the first of equal ids), or one of the two above */
long xfv_id_index_find(const struct xfv_id_index *x, const char *id);
size_t xfv_id_index_duplicates(const struct xfv_id_index *x); /* ids that an earlier face has already */

#endif
