/* Landmarks found elsewhere, as a text file: one face a line, the image's path, then ten numbers x0 y0 .. x4 y4 (left
 * eye, right eye, nose, left and right mouth corner, as seen in the upright image; pixel centres at whole numbers),
 * separated by blanks. The path may hold blanks: the last ten fields are the numbers. Empty lines and lines that start
 * with # are skipped. A path may occur several times: so many faces. */
#ifndef XFV_FACE_LANDMARKS_H
#define XFV_FACE_LANDMARKS_H

#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

struct xfv_landmarks_line {
    char *path;
    double *xy; /* x0, y0, ...: 10 numbers, or as many as were asked for; owned */
};

struct xfv_landmarks {
    struct xfv_landmarks_line *v; /* in the file's order */
    size_t n;
    size_t *by_path; /* indices into v, sorted by path, then by line */
};

/* XFV_EARG with name and line number when a line is not like that; XFV_EIO; XFV_ENOMEM. Clear *l also after an error.
 */
int xfv_landmarks_read(FILE *f, const char *name, struct xfv_landmarks *l, struct xfv_err *e);
/* The same for lines of a path and 2 x points numbers, in whatever order the file's maker has them. */
int xfv_landmarks_read_n(FILE *f, const char *name, int points, struct xfv_landmarks *l, struct xfv_err *e);
void xfv_landmarks_clear(struct xfv_landmarks *l);
/* The faces of path: their count, and *first so that they are v[by_path[*first]], v[by_path[*first + 1]], ... */
size_t xfv_landmarks_find(const struct xfv_landmarks *l, const char *path, size_t *first);

#endif
