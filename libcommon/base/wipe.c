#define _GNU_SOURCE /* explicit_bzero */
#include "base/wipe.h"

#include <stdlib.h>
#include <string.h>
#if defined __linux__
#include <malloc.h>
#endif

void xfv_wipe_free(void *p)
{
#if defined __linux__
    if (p) explicit_bzero(p, malloc_usable_size(p));
#endif
    free(p);
}

void *xfv_wipe_realloc(void *p, size_t n)
{
#if defined __linux__
    size_t old = p ? malloc_usable_size(p) : 0;
    void *q = malloc(n ? n : 1);
    if (!q) return NULL;
    if (p) memcpy(q, p, n < old ? n : old);
    xfv_wipe_free(p);
    return q;
#else
    return realloc(p, n ? n : 1);
#endif
}

/* Deeper than any calls of ours go. */
void xfv_wipe_stack(void)
{
    char dead[128 << 10];
    explicit_bzero(dead, sizeof dead);
}
