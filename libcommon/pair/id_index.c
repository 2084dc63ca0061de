/* Finding a face by what a list calls it. */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "pair/pairs.h"

struct key { const char *s; size_t n; long at; const char *id; };
struct xfv_id_index { size_t n; struct key *exact, *base, *stem; };

static int by_key(const void *pa, const void *pb)
{
    const struct key *a = pa, *b = pb;
    int d = memcmp(a->s, b->s, a->n < b->n ? a->n : b->n);
    if (d) return d;
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

static struct key base_of(const char *id, long at)
{
    const char *slash = strrchr(id, '/');
    const char *s = slash ? slash + 1 : id;
    return (struct key){s, strlen(s), at, id};
}

static struct key stem_of(const char *id, long at)
{
    struct key k = base_of(id, at);
    const char *dot = strrchr(k.s, '.');
    if (dot && dot > k.s) k.n = (size_t)(dot - k.s);
    return k;
}

void xfv_id_index_free(struct xfv_id_index *x)
{
    if (!x) return;
    free(x->exact);
    free(x->base);
    free(x->stem);
    free(x);
}

struct xfv_id_index *xfv_id_index_new(const char *const *ids, size_t n)
{
    struct xfv_id_index *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->n = n;
    x->exact = calloc(n + 1, sizeof *x->exact);
    x->base = calloc(n + 1, sizeof *x->base);
    x->stem = calloc(n + 1, sizeof *x->stem);
    if (!x->exact || !x->base || !x->stem) {
        xfv_id_index_free(x);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        x->exact[i] = (struct key){ids[i], strlen(ids[i]), (long)i, ids[i]};
        x->base[i] = base_of(ids[i], (long)i);
        x->stem[i] = stem_of(ids[i], (long)i);
    }
    qsort(x->exact, n, sizeof *x->exact, by_key);
    qsort(x->base, n, sizeof *x->base, by_key);
    qsort(x->stem, n, sizeof *x->stem, by_key);
    return x;
}

/* The first key that is not before k; *n: how many equal it. */
static const struct key *find_equal(const struct key *v, size_t n_v, struct key k, size_t *n)
{
    size_t lo = 0, hi = n_v;
    k.at = -1;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (by_key(&v[mid], &k) < 0) lo = mid + 1;
        else hi = mid;
    }
    for (*n = 0; lo + *n < n_v && v[lo + *n].n == k.n && !memcmp(v[lo + *n].s, k.s, k.n);) ++*n;
    return v + lo;
}

/* The next part of a path, from its end; parts "." and those that ".." takes back are left out. NULL: none, or nobody
 * knows. */
static const char *last_part(const char *path, size_t *end, size_t *n)
{
    for (int back = 0;;) {
        while (*end && path[*end - 1] == '/') --*end;
        size_t from = *end;
        while (from && path[from - 1] != '/') from--;
        *n = *end - from;
        if (!*n) return NULL;
        *end = from;
        if (*n == 2 && !memcmp(path + from, "..", 2)) back++;
        else if (*n == 1 && path[from] == '.') continue;
        else if (back) back--;
        else return path + from;
    }
}

/* Can two paths of the same file name mean the same file? Then the folders of one are the last of the other's:
 * ./x/a.jpg and /photos/x/a.jpg, but not x/a.jpg and y/a.jpg. */
static int same_file(const char *a, const char *b)
{
    size_t end_a = strlen(a), end_b = strlen(b), n, m;
    const char *p = last_part(a, &end_a, &n), *q = last_part(b, &end_b, &m);
    do {
        p = last_part(a, &end_a, &n);
        q = last_part(b, &end_b, &m);
    } while (p && q && n == m && !memcmp(p, q, n));
    return p && q ? 0 : (p || !q || a[0] != '/') && (q || !p || b[0] != '/'); /* "/a.jpg" lies in no other folder */
}

/* Of keys that are equal: the only one whose path fits the id's, else the only one. */
static long choose(const struct key *v, size_t n, const char *id)
{
    long fits = XFV_ID_NONE;
    for (size_t i = 0; i < n; i++)
        if (same_file(v[i].id, id)) fits = fits == XFV_ID_NONE ? v[i].at : XFV_ID_SEVERAL;
    return fits >= 0 ? fits : n == 0 ? XFV_ID_NONE : n == 1 ? v[0].at : XFV_ID_SEVERAL;
}

static long find(const struct xfv_id_index *x, const char *id)
{
    size_t n;
    const struct key *k = find_equal(x->exact, x->n, (struct key){id, strlen(id), 0, id}, &n);
    if (n) return k->at;
    k = find_equal(x->base, x->n, base_of(id, 0), &n);
    if (!n) k = find_equal(x->stem, x->n, stem_of(id, 0), &n);
    /* "Name_0001.5" has no extension to lose: the whole name may be another's stem. */
    if (!n) k = find_equal(x->stem, x->n, base_of(id, 0), &n);
    return choose(k, n, id);
}

long xfv_id_index_find(const struct xfv_id_index *x, const char *id)
{
    long at = find(x, id);
    if (at != XFV_ID_NONE || !id[strcspn(id, " \\")]) return at;
    char *other = strdup(id);
    if (!other) return XFV_ID_NONE;
    xfv_unescape(other); /* as verify's table writes what does not fit a line */
    if (strcmp(other, id)) at = find(x, other);
    for (char *p = other; *p; p++)
        if (*p == ' ') *p = '_';
    if (at == XFV_ID_NONE) at = find(x, other); /* "Jo Ann" of a list is the file Jo_Ann_0001.jpg */
    free(other);
    return at;
}

size_t xfv_id_index_duplicates(const struct xfv_id_index *x)
{
    size_t twice = 0;
    for (size_t i = 1; i < x->n; i++)
        twice += x->exact[i].n == x->exact[i - 1].n && !memcmp(x->exact[i].s, x->exact[i - 1].s, x->exact[i].n);
    return twice;
}
