#include "cli/shard.h"

#include <string.h>

#include "cli/cli.h"

enum { MOST = 1000000 };

int xfv_parse_shard(const char *what, const char *s, struct xfv_shard *out, struct xfv_err *e)
{
    char first[16];
    const char *slash = strchr(s, '/');
    size_t k = slash ? (size_t)(slash - s) : 0;
    long i, n;
    if (!slash || k >= sizeof first)
        return xfv_fail(e, XFV_EARG, "%s must be I/N, the I-th of N parts, such as 2/8; got '%s'", what, s);
    memcpy(first, s, k);
    first[k] = '\0';
    int status = xfv_parse_int(what, slash + 1, 1, MOST, &n, e);
    if (!status) status = xfv_parse_int(what, first, 1, n, &i, e);
    if (!status) *out = (struct xfv_shard){(uint64_t)i, (uint64_t)n};
    return status;
}

/* floor(total k / n) without overflow: total = q n + r. */
static uint64_t border(uint64_t total, uint64_t k, uint64_t n)
{
    return total / n * k + total % n * k / n;
}

void xfv_shard_slice(const struct xfv_shard *s, uint64_t total, uint64_t *from, uint64_t *to)
{
    *from = s->n ? border(total, s->i - 1, s->n) : 0;
    *to = s->n ? border(total, s->i, s->n) : total;
}

int xfv_shard_is_first(const struct xfv_shard *s)
{
    return s->i <= 1;
}
