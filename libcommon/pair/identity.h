/* Whose face it is: from a record's id to the person, and from names to numbers. */
#ifndef XFV_PAIR_IDENTITY_H
#define XFV_PAIR_IDENTITY_H

#include <stddef.h>

/* Names as numbers 0, 1, ... in the order they first came. */
struct xfv_name_table { char **v; size_t n, cap; size_t *slots, n_slots; };
long xfv_name_number(struct xfv_name_table *t, const char *name, size_t n); /* negative: out of memory */
void xfv_name_table_clear(struct xfv_name_table *t);

/* The person of a face's id: NAME: the file name after the last slash, without extension and without _digits at its end
 * (LFW: Abel_Pacheco_0001.jpg is Abel_Pacheco); FOLDER: the folder that holds the file; ID: every id is a person of its
 * own. Points into id; *len is its length. */
enum xfv_identity { XFV_IDENTITY_NAME, XFV_IDENTITY_FOLDER, XFV_IDENTITY_ID };
extern const char *const xfv_identity_rules[]; /* "name", "folder", "id", NULL */
const char *xfv_identity_of(const char *id, size_t n, enum xfv_identity rule, size_t *len);

#endif
