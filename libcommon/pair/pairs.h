/* Lists of pairs to compare, and finding the faces they name. */
#ifndef XFV_PAIR_PAIRS_H
#define XFV_PAIR_PAIRS_H

#include <stddef.h>

#include "base/err.h"

#define XFV_LABEL_WORDS "yes, no, 1, 0, true, false, genuine, impostor, same, different" /* for messages */

struct xfv_pair_entry {
    char *a, *b;     /* ids, owned */
    int label;       /* 1 genuine, 0 impostor, -1 unknown */
    int fold;        /* LFW's form: 0..folds-1; else 0 */
    int line;        /* in the file, from 1 */
    int may_be_heading; /* the file's first line: column names perhaps, such as "a,b" or "a,b,same" */
};
struct xfv_pair_list {
    struct xfv_pair_entry *v;
    size_t n, cap;
    int folds;   /* 0: not LFW's form */
    struct xfv_pair_entry heading; /* the first line, when its third field is no label; line 0: none */
};

/* Read a list of pairs from a file, or from standard input for "-". Two forms, told apart by the first lines:
 * - two ids and an optional label a line, separated by TAB (ids may then hold blanks), else by comma, else by blanks. Labels: yes no 1 0
 *   true false genuine impostor same different, in any case. A first line whose third field is no label is a heading. Empty lines and
 *   lines that begin with # are skipped; a carriage return at the end of a line and a byte order mark are no part of it.
 * - LFW's pairs.txt: "folds n" (or "n" alone), then lines "name i j" (genuine) and "name i other j" (impostor); ids are name_%04d.
 * XFV_EARG with file and line when it is neither; XFV_EIO when it cannot be read. The caller clears it. */
int xfv_pair_list_read(const char *path, struct xfv_pair_list *out, struct xfv_err *e);
/* The same from text in memory; `name` is used in messages. text is changed. */
int xfv_pair_list_parse(const char *name, char *text, struct xfv_pair_list *out, struct xfv_err *e);
void xfv_pair_list_clear(struct xfv_pair_list *l);

/* Faces by id. A look-up takes the face of exactly this id, else the only one whose file name (after the last slash) is that of the wanted
 * id, else the only one whose file name without extension is. */
struct xfv_id_index;
enum { XFV_ID_NONE = -1, XFV_ID_SEVERAL = -2 };
struct xfv_id_index *xfv_id_index_new(const char *const *ids, size_t n); /* ids are kept by pointer; NULL when out of memory */
void xfv_id_index_free(struct xfv_id_index *x);
long xfv_id_index_find(const struct xfv_id_index *x, const char *id); /* place in ids (the first of equal ids), or one of the two above */
size_t xfv_id_index_duplicates(const struct xfv_id_index *x); /* ids that an earlier face has already */

#endif
