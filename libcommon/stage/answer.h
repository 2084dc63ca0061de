/* What a pair says in one line, for people or for programs: the decision, and what the trials of its maps (ablate(1))
 * found. */
#ifndef XFV_STAGE_ANSWER_H
#define XFV_STAGE_ANSWER_H

#include <stdio.h>

#include "pair/view.h"

enum xfv_answer { XFV_ANSWER_NONE, XFV_ANSWER_WORDS, XFV_ANSWER_JSON };
extern const char *const xfv_answers[]; /* "no", "words", "json"; NULL at the end */

/* One line of the pair, for a terminal too: no control character. WORDS: sentences, with names after the two faces'
 * ids; JSON: the ids, the sentences and the numbers, keys as in the record. NONE: nothing. */
void xfv_answer_write(FILE *f, const struct xfv_pairview *p, enum xfv_answer how, int names);

#endif
