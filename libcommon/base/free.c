/* The programs' own free() overwrites every block of the process, also the decoders', msgpack's and libc's, so that no
 * file of ours has to remember. This free takes the place of libc's for the whole process, as a preloaded library's
 * would, and hands on to it. What realloc lets go does not come here: buffers that hold faces grow by
 * xfv_wipe_realloc. Where a program cannot do this (another libc, a sanitizer's allocator), only what xfv_wipe_free
 * frees is overwritten. */
#define _GNU_SOURCE /* RTLD_NEXT, explicit_bzero */
#include <string.h>

#include "base/wipe.h"

#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define XFV_SANITIZED 1
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define XFV_SANITIZED 1
#endif

#if defined __GLIBC__ && !defined XFV_SANITIZED

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void (*next_free)(void *);
static int looking; /* dlsym may free; that block is lost */

static void find_next_free(void)
{
    if (__atomic_exchange_n(&looking, 1, __ATOMIC_ACQUIRE)) return;
    void *f = dlsym(RTLD_NEXT, "free");
    void (*fn)(void *);
    memcpy(&fn, &f, sizeof fn); /* C has no cast from one to the other */
    __atomic_store_n(&next_free, fn, __ATOMIC_RELEASE);
}

enum { LARGE = 1 << 20 };

/* The kernel drops the pages within a large block: overwriting would first make those that were never touched. */
static void wipe(char *p, size_t n)
{
    uintptr_t page = n < LARGE ? 1 : (uintptr_t)sysconf(_SC_PAGESIZE), from = ((uintptr_t)p + page - 1) / page * page,
              to = ((uintptr_t)p + n) / page * page;
    if (n < LARGE || madvise((void *)from, to - from, MADV_DONTNEED)) {
        explicit_bzero(p, n);
        return;
    }
    explicit_bzero(p, from - (uintptr_t)p);
    explicit_bzero((void *)to, (uintptr_t)p + n - to);
}

void free(void *p)
{
    if (!p) return;
    int saved = errno;
    wipe(p, malloc_usable_size(p));
    if (!__atomic_load_n(&next_free, __ATOMIC_ACQUIRE)) find_next_free();
    void (*fn)(void *) = __atomic_load_n(&next_free, __ATOMIC_ACQUIRE);
    if (fn) fn(p);
    errno = saved;
}

#endif
