/* Names replaced by keyed hashes: whoever has the key gets the same pseudonym for the same name again, whoever has not cannot tell which name it was. A
 * pseudonym is no anonymity: the face is still there. */
#ifndef XFV_PAIR_PSEUDONYM_H
#define XFV_PAIR_PSEUDONYM_H

#include <stddef.h>

#include "pair/identity.h"
#include "stream/record.h"

struct xfv_pseudonyms;
enum { XFV_PSEUDONYM = 30, XFV_KEY_LEAST = 32, XFV_KEY_MOST = 4096 };

/* The key is all bytes of a file, less a newline at the end: 32 to 4096, in a regular file that only its owner can read. XFV_EARG says what is wrong. */
int xfv_pseudonyms_open(struct xfv_pseudonyms **p, const char *path, struct xfv_err *e);
void xfv_pseudonyms_free(struct xfv_pseudonyms *p); /* wipes the key */

/* Of the name s[0..n), NUL-terminated: 16 letters and digits of HMAC-SHA-256 over "person", NUL and the person (xfv_identity_of by NAME), in base 32
 * (RFC 4648, lower case); "_"; 12 decimal digits of that over "name", NUL and the whole name, modulo 10^12. So photographs of one person, by their
 * names, still have one beginning, as measures that resample persons need it. */
void xfv_pseudonym(const struct xfv_pseudonyms *p, const char *s, size_t n, char out[XFV_PSEUDONYM]);

/* Replace every text of a record, or a head, that may be a name: all but those under keys that are known to hold none. A name with "|" in it is that of
 * a pair: its parts are replaced. An err record's message gives way to a fixed sentence; of a head's provenance, the values of options that take
 * names do, and all those of programs that are not ours. fn (may be NULL) is told each name and its pseudonym. XFV_ENOMEM. */
int xfv_pseudonymise(const struct xfv_pseudonyms *p, struct xfv_rec *r, int (*fn)(void *ctx, const char *name, size_t n, const char *pseudonym, struct xfv_err *e),
                     void *ctx, struct xfv_err *e);

#endif
