/* Replace names by keyed hashes. With the key the same name always gets the same pseudonym; without it nobody can find
 * the name. A pseudonym is not anonymity: the face is still there. */
#ifndef XFV_PAIR_PSEUDONYM_H
#define XFV_PAIR_PSEUDONYM_H

#include <stddef.h>

#include "pair/identity.h"
#include "stream/record.h"

struct xfv_pseudonyms;
enum { XFV_PSEUDONYM = 30, XFV_KEY_LEAST = 32, XFV_KEY_MOST = 4096 };

/* Read the key: all bytes of a regular file that only its owner can read, 32 to 4096, less a newline at the end.
 * XFV_EARG for any other file. */
int xfv_pseudonyms_open(struct xfv_pseudonyms **p, const char *path, struct xfv_err *e);
void xfv_pseudonyms_free(struct xfv_pseudonyms *p); /* wipes the key */

/* The pseudonym of the name s[0..n), NUL-terminated: 16 letters and digits of HMAC-SHA-256 over "person", NUL and the
 * person (xfv_identity_of by NAME), in base 32 (RFC 4648, lower case); "_"; 12 decimal digits of HMAC-SHA-256 over
 * "name", NUL and the whole name, modulo 10^12. Photographs of one person share the first part, which measures that
 * resample persons need. */
void xfv_pseudonym(const struct xfv_pseudonyms *p, const char *s, size_t n, char out[XFV_PSEUDONYM]);

/* Replace every text of a record or head that may be a name: all except those under keys known to hold no name. A name
 * with "|" names a pair, and its parts are replaced. A fixed sentence replaces an err record's message. In the
 * provenance, the values of options that take names go, and those of all options of foreign programs. Calls fn (may be
 * NULL) with each name and its pseudonym. XFV_ENOMEM. */
int xfv_pseudonymise(const struct xfv_pseudonyms *p, struct xfv_rec *r,
                     int (*fn)(void *ctx, const char *name, size_t n, const char *pseudonym, struct xfv_err *e),
                     void *ctx, struct xfv_err *e);

#endif
