#include "base/sha256.h"

#include <nettle/sha2.h>

static void finish(struct sha256_ctx *sha, char hex[XFV_SHA256_HEX])
{
    uint8_t sum[SHA256_DIGEST_SIZE];
    sha256_digest(sha, sizeof sum, sum);
    for (size_t i = 0; i < sizeof sum; i++) snprintf(hex + 2 * i, 3, "%02x", sum[i]);
}

void xfv_sha256(const void *bytes, size_t n, char hex[XFV_SHA256_HEX])
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    sha256_update(&sha, n, bytes);
    finish(&sha, hex);
}

int xfv_sha256_file(FILE *f, char hex[XFV_SHA256_HEX])
{
    struct sha256_ctx sha;
    uint8_t part[16384];
    size_t n;
    sha256_init(&sha);
    while ((n = fread(part, 1, sizeof part, f)) > 0) sha256_update(&sha, n, part);
    finish(&sha, hex);
    return ferror(f) ? -1 : 0;
}
