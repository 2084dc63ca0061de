/* The programs' own free() overwrites every block of the process, also the decoders', msgpack's and libc's, so that no
 * file of ours has to remember; and their malloc() counts what a thread takes (base/budget.h). They take the place of
 * libc's for the whole process, as a preloaded library's would, and hand on to it. What realloc lets go does not come
 * here: buffers that hold faces grow by xfv_wipe_realloc. Where a program cannot do this (another libc, a sanitizer's
 * allocator), only what xfv_wipe_free frees is overwritten, and nothing is counted. */
#define _GNU_SOURCE /* RTLD_NEXT, explicit_bzero */
#include <string.h>

#include "base/budget.h"
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

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static struct {
    void (*free)(void *);
    void *(*malloc)(size_t n);
    void *(*calloc)(size_t n, size_t size);
    void *(*realloc)(void *p, size_t n);
    void *(*aligned_alloc)(size_t align, size_t n);
    int (*posix_memalign)(void **p, size_t align, size_t n);
} next;
static int looking; /* dlsym may allocate: from libc; what it frees is lost */
static int found;

/* C has no cast from what dlsym gives to a function. */
#define FIND(name) (f = dlsym(RTLD_NEXT, #name), memcpy(&next.name, &f, sizeof f))

static int find_next(void)
{
    void *f;
    if (__atomic_load_n(&found, __ATOMIC_ACQUIRE)) return 1;
    if (__atomic_exchange_n(&looking, 1, __ATOMIC_ACQUIRE)) return 0;
    FIND(free), FIND(malloc), FIND(calloc), FIND(realloc), FIND(aligned_alloc), FIND(posix_memalign);
    __atomic_store_n(&found, 1, __ATOMIC_RELEASE);
    return 1;
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
    size_t n = malloc_usable_size(p);
    wipe(p, n);
    xfv_budget_give(n);
    if (find_next()) next.free(p);
    errno = saved;
}

/* A block is larger than what was asked for: at most by this. */
static size_t with_rest(size_t n)
{
    return n < SIZE_MAX - 8192 ? n + (n < (64 << 10) ? 24 : 4096 + 32) : n;
}

static int is_refused(size_t n)
{
    if (xfv_budget_take(with_rest(n))) return 0;
    errno = ENOMEM;
    return 1;
}

/* Each ends in the call of the next one, which then sees who called us. */
void *malloc(size_t n)
{
    if (is_refused(n)) return NULL;
    return find_next() ? next.malloc(n) : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    if (is_refused(size && n > SIZE_MAX / size ? SIZE_MAX : n * size)) return NULL;
    return find_next() ? next.calloc(n, size) : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    if (is_refused(n)) return NULL;
    if (p && xfv_budget_counts()) xfv_budget_give(malloc_usable_size(p));
    return find_next() ? next.realloc(p, n) : __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    if (is_refused(n)) return NULL;
    return find_next() ? next.aligned_alloc(align, n) : __libc_memalign(align, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
    if (is_refused(n)) return ENOMEM;
    if (find_next()) return next.posix_memalign(p, align, n);
    *p = __libc_memalign(align, n);
    return *p ? 0 : ENOMEM;
}

#endif
