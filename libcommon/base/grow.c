#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "base/grow.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

size_t xfv_more(size_t cap, size_t first)
{
    return cap ? 2 * cap : first;
}

int xfv_grow(void *array, size_t n, size_t size)
{
    void *old;
    if (n > SIZE_MAX / size) return 0;
    memcpy(&old, array, sizeof old); /* whatever type it points to */
    void *more = realloc(old, n * size);
    if (!more) return 0;
    memcpy(array, &more, sizeof more);
    return 1;
}

int xfv_has_room(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p != MAP_FAILED) munmap(p, bytes);
    return p != MAP_FAILED;
}
