/* Arrays that grow by doubling. Several of one length keep one capacity:
 *
 *     if (s->n == s->cap) {
 *         size_t cap = xfv_more(s->cap, 256);
 *         if (!XFV_GROW(s->a, cap) || !XFV_GROW(s->b, cap)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
 *         s->cap = cap;
 *     }
 */
#ifndef XFV_BASE_GROW_H
#define XFV_BASE_GROW_H

#include <stddef.h>

/* The next capacity: `first` for an array that has none yet. */
size_t xfv_more(size_t cap, size_t first);
/* array points to a pointer from malloc, or to NULL. Give it room for n elements of this size and keep what it holds.
 * Returns 0 and changes nothing when out of memory. */
int xfv_grow(void *array, size_t n, size_t size);
#define XFV_GROW(pointer, n) xfv_grow(&(pointer), (n), sizeof *(pointer))

/* 1: the system would give so many bytes now. For libraries that end the program where it does not. */
int xfv_has_room(size_t bytes);

#endif
