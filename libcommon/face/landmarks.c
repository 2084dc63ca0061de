#include "face/landmarks.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/lines.h"

static int blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Take the last field off line[0..*n) and read it as a number: 0, or -1. */
static int take_number(char *line, size_t *n, double *v)
{
    while (*n && blank(line[*n - 1])) --*n;
    line[*n] = '\0';
    size_t at = *n;
    while (at && !blank(line[at - 1])) at--;
    if (at == *n) return -1;
    char *end;
    *v = strtod(line + at, &end);
    *n = at;
    return *end || !isfinite(*v) ? -1 : 0;
}

static int parse_line(char *line, size_t n, int numbers, struct xfv_landmarks_line *to, struct xfv_err *e)
{
    to->path = NULL;
    to->xy = malloc((size_t)numbers * sizeof *to->xy);
    if (!to->xy) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (int i = numbers - 1; i >= 0; i--) {
        if (!take_number(line, &n, &to->xy[i])) continue;
        if (numbers == 10) return xfv_fail(e, XFV_EARG, "a path and ten numbers are expected");
        return xfv_fail(e, XFV_EARG, "a path and %d numbers are expected", numbers);
    }
    while (n && blank(line[n - 1])) n--;
    if (n == 0)
        return xfv_fail(e, XFV_EARG, "a path and %s numbers are expected, there is no path",
                        numbers == 10 ? "ten" : "as many");
    to->path = strndup(line, n);
    return to->path ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static int add_line(struct xfv_landmarks *l, char *line, size_t n, int numbers, size_t *cap, struct xfv_err *e)
{
    struct xfv_landmarks_line one;
    int status = parse_line(line, n, numbers, &one, e);
    if (status) {
        free(one.xy);
        return status;
    }
    if (l->n == *cap) {
        size_t more = xfv_more(*cap, 64);
        if (!XFV_GROW(l->v, more)) {
            free(one.path);
            free(one.xy);
            return xfv_fail(e, XFV_ENOMEM, "out of memory");
        }
        *cap = more;
    }
    l->v[l->n++] = one;
    return 0;
}

struct key {
    const char *path;
    size_t at;
};

static int by_path(const void *a, const void *b)
{
    const struct key *p = a, *q = b;
    int c = strcmp(p->path, q->path);
    return c ? c : p->at < q->at ? -1 : p->at > q->at;
}

static int make_index(struct xfv_landmarks *l, struct xfv_err *e)
{
    struct key *k = malloc((l->n + 1) * sizeof *k);
    l->by_path = malloc((l->n + 1) * sizeof *l->by_path);
    if (!k || !l->by_path) {
        free(k);
        return xfv_fail(e, XFV_ENOMEM, "out of memory for %zu lines of landmarks", l->n);
    }
    for (size_t i = 0; i < l->n; i++) k[i] = (struct key){l->v[i].path, i};
    qsort(k, l->n, sizeof *k, by_path);
    for (size_t i = 0; i < l->n; i++) l->by_path[i] = k[i].at;
    free(k);
    return 0;
}

int xfv_landmarks_read_n(FILE *f, const char *name, int points, struct xfv_landmarks *l, struct xfv_err *e)
{
    char *line = NULL;
    size_t room = 0, cap = 0, number = 0;
    ssize_t n;
    int status = 0;
    memset(l, 0, sizeof *l);
    errno = 0;
    while (!status && (n = getline(&line, &room, f)) >= 0) {
        size_t start = 0, len = (size_t)n;
        number++;
        while (start < len && blank(line[start])) start++;
        if (start == len || line[start] == '#') continue;
        if (line[(size_t)n - 1] != '\n')
            status = xfv_fail(e, XFV_EARG, "the last line has no end, so its last number may be cut");
        else
            status = strlen(line) != len ? xfv_fail(e, XFV_EARG, "it holds a NUL character")
                                    : add_line(l, line + start, len - start, 2 * points, &cap, e);
        if (status) xfv_fail_at(e, "%s:%zu", name, number);
    }
    if (!status) status = xfv_lines_end(f, name, e);
    free(line);
    return status ? status : make_index(l, e);
}

int xfv_landmarks_read(FILE *f, const char *name, struct xfv_landmarks *l, struct xfv_err *e)
{
    return xfv_landmarks_read_n(f, name, 5, l, e);
}

void xfv_landmarks_clear(struct xfv_landmarks *l)
{
    for (size_t i = 0; i < l->n; i++) free(l->v[i].path), free(l->v[i].xy);
    free(l->v);
    free(l->by_path);
    memset(l, 0, sizeof *l);
}

size_t xfv_landmarks_find(const struct xfv_landmarks *l, const char *path, size_t *first)
{
    size_t lo = 0, hi = l->n, n = 0;
    while (lo < hi) { /* first entry not before path */
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(l->v[l->by_path[mid]].path, path) < 0) lo = mid + 1;
        else hi = mid;
    }
    *first = lo;
    while (lo + n < l->n && !strcmp(l->v[l->by_path[lo + n]].path, path)) n++;
    return n;
}
