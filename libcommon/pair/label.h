/* Is a pair genuine? The one list of words that say so, wherever they are read. */
#ifndef XFV_PAIR_LABEL_H
#define XFV_PAIR_LABEL_H

#include <msgpack.h>

enum { XFV_LABEL_IMPOSTOR = 0, XFV_LABEL_GENUINE = 1, XFV_LABEL_NONE = -1, XFV_LABEL_BAD = -2 };

#define XFV_LABEL_WORDS "yes, no, 1, 0, true, false, genuine, impostor, same, different" /* for messages */

/* A word of a list or table, in any case: those above, their like (mated, non-match, ...), numbers equal to 1, 0 or -1
 * (1.0); "" and "-" are no label. XFV_LABEL_BAD: none of them. */
int xfv_label_of(const char *word);
const char *xfv_label_word(int label); /* "genuine", "impostor", or "-": what tables say */

/* The label of a pair record: a boolean, or what xfv_label_of knows, as text or number. */
int xfv_pair_label(const msgpack_object *pair);

#endif
