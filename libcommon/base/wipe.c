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

/* ---- what calls that have returned left ---- */

/* The vector registers hold the last bytes that were copied, and the dynamic linker saves all of them on the stack when
 * a library calls a function for the first time. */
#define EACH_OF_8(f, a, b, c, d, e, g, h, i) f(a) f(b) f(c) f(d) f(e) f(g) f(h) f(i)
#if defined __x86_64__ && defined __GNUC__

#define CLEAR_X(n) __asm__ volatile("pxor %%xmm" #n ", %%xmm" #n : : : "xmm" #n);
#define CLEAR_Z(n) __asm__ volatile("vpxord %%zmm" #n ", %%zmm" #n ", %%zmm" #n : :);

static void clear_vectors(void)
{
    EACH_OF_8(CLEAR_X, 0, 1, 2, 3, 4, 5, 6, 7)
    EACH_OF_8(CLEAR_X, 8, 9, 10, 11, 12, 13, 14, 15)
    if (__builtin_cpu_supports("avx")) __asm__ volatile("vzeroall"); /* their upper parts */
    if (!__builtin_cpu_supports("avx512f")) return;
    EACH_OF_8(CLEAR_Z, 16, 17, 18, 19, 20, 21, 22, 23)
    EACH_OF_8(CLEAR_Z, 24, 25, 26, 27, 28, 29, 30, 31)
}

#elif defined __aarch64__ && defined __GNUC__

#define CLEAR_V(n) __asm__ volatile("movi v" #n ".2d, #0" : : : "v" #n);

static void clear_vectors(void) /* 8 to 15 are the caller's */
{
    EACH_OF_8(CLEAR_V, 0, 1, 2, 3, 4, 5, 6, 7)
    EACH_OF_8(CLEAR_V, 16, 17, 18, 19, 20, 21, 22, 23)
    EACH_OF_8(CLEAR_V, 24, 25, 26, 27, 28, 29, 30, 31)
}

#else

static void clear_vectors(void)
{
}

#endif

/* Deeper than any calls of ours go. */
void xfv_wipe_stack(void)
{
    char dead[128 << 10];
    clear_vectors();
    explicit_bzero(dead, sizeof dead);
}
