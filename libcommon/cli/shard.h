/* --shard I/N: the I-th of N parts of a list, in order, so that the parts' results joined in order are the whole's. */
#ifndef XFV_CLI_SHARD_H
#define XFV_CLI_SHARD_H

#include <stdint.h>

#include "base/err.h"

struct xfv_shard { uint64_t i, n; }; /* i from 1 to n; n 0: not asked for */

/* "2/8". XFV_EARG otherwise; N is at most a million. */
int xfv_parse_shard(const char *what, const char *s, struct xfv_shard *out, struct xfv_err *e);
/* The part's items from..to-1 of `total`; parts differ in size by one at most; all of them when not asked for. */
void xfv_shard_slice(const struct xfv_shard *s, uint64_t total, uint64_t *from, uint64_t *to);
/* 1 for the first part and when not asked for: it is the one that also has what belongs to no part. */
int xfv_shard_is_first(const struct xfv_shard *s);

#endif
