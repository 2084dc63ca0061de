#include "pair/pairs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/grow.h"

#define MAX_FIELDS 6
#define MAX_TEXT ((size_t)1 << 30)

/* ---- reading a list ---- */

static int label_of(const char *s)
{
    static const char *const yes[] = {"yes", "1", "true", "genuine", "same", NULL}, *const no[] = {"no", "0", "false", "impostor", "different", NULL};
    for (int i = 0; yes[i]; i++)
        if (!strcasecmp(s, yes[i])) return 1;
    for (int i = 0; no[i]; i++)
        if (!strcasecmp(s, no[i])) return 0;
    return -1;
}

/* Cut blanks and one pair of double quotes. */
static char *trim(char *s)
{
    while (*s == ' ') s++;
    size_t n = strlen(s);
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\r')) s[--n] = '\0';
    if (n >= 2 && s[0] == '"' && s[n - 1] == '"') {
        s[n - 1] = '\0';
        s++;
    }
    return s;
}

static int split_blanks(char *line, char **f)
{
    int n = 0;
    for (char *p = line;;) {
        while (isspace((unsigned char)*p)) p++;
        if (!*p) return n;
        if (n == MAX_FIELDS) return MAX_FIELDS + 1;
        f[n++] = p;
        while (*p && !isspace((unsigned char)*p)) p++;
        if (*p) *p++ = '\0';
    }
}

static int split(char *line, char **f)
{
    char sep = strchr(line, '\t') ? '\t' : strchr(line, ',') ? ',' : ' ';
    if (sep == ' ') return split_blanks(line, f);
    int n = 0;
    for (char *p = line;;) {
        if (n == MAX_FIELDS) return MAX_FIELDS + 1;
        char *end = strchr(p, sep);
        if (end) *end = '\0';
        f[n++] = trim(p);
        if (!end) break;
        p = end + 1;
    }
    while (n > 2 && !*f[n - 1]) n--; /* a separator at the end of the line */
    return n;
}

static int is_count(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && n < 9 && strspn(s, "0123456789") == n;
}

static int keep_heading(struct xfv_pair_list *l, const char *a, const char *b, int line, struct xfv_err *e)
{
    l->heading = (struct xfv_pair_entry){.a = strdup(a), .b = strdup(b), .label = -1, .line = line};
    return l->heading.a && l->heading.b ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static int add(struct xfv_pair_list *l, const char *a, const char *b, int label, int fold, int line, struct xfv_err *e)
{
    if (l->n == l->cap) {
        size_t cap = xfv_more(l->cap, 256);
        if (!XFV_GROW(l->v, cap)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
        l->cap = cap;
    }
    struct xfv_pair_entry *p = &l->v[l->n];
    *p = (struct xfv_pair_entry){.a = strdup(a), .b = strdup(b), .label = label, .fold = fold, .line = line};
    l->n++;
    return p->a && p->b ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

/* LFW's form begins with one or two counts and goes on with a name and two numbers. The text is not changed. */
static int is_lfw(const char *text, long *folds, long *per_fold)
{
    char head[64], next[512], *f[MAX_FIELDS];
    size_t n = strcspn(text, "\n"), m = strcspn(text + n + (text[n] == '\n'), "\n");
    if (n >= sizeof head || m >= sizeof next || text[n] != '\n') return 0;
    memcpy(head, text, n);
    head[n] = '\0';
    memcpy(next, text + n + 1, m);
    next[m] = '\0';
    int fields = split_blanks(head, f);
    if (fields < 1 || fields > 2 || !is_count(f[0]) || (fields == 2 && !is_count(f[1]))) return 0;
    *folds = fields == 2 ? atol(f[0]) : 1;
    *per_fold = atol(f[fields - 1]);
    fields = split_blanks(next, f);
    return *folds > 0 && *per_fold > 0 && fields >= 3 && fields <= 4 && !is_count(f[0]) && is_count(f[1]) && is_count(f[fields - 1]);
}

static int parse_lfw_line(const char *name, char *text, int line, long per_fold, struct xfv_pair_list *l, struct xfv_err *e)
{
    char *f[MAX_FIELDS], a[300], b[300];
    int n = split_blanks(text, f);
    if (n == 0) return 0;
    if ((n != 3 && n != 4) || !is_count(f[1]) || !is_count(f[n - 1]))
        return xfv_fail(e, XFV_EARG, "%s, line %d: expected LFW's 'name i j' or 'name i other j'", name, line);
    int ka = snprintf(a, sizeof a, "%s_%04ld", f[0], atol(f[1]));
    int kb = snprintf(b, sizeof b, "%s_%04ld", n == 3 ? f[0] : f[2], atol(f[n - 1]));
    if (ka >= (int)sizeof a || kb >= (int)sizeof b) return xfv_fail(e, XFV_EARG, "%s, line %d: a name is too long", name, line);
    long fold = (long)l->n / (2 * per_fold);
    if (fold >= l->folds) return xfv_fail(e, XFV_EARG, "%s, line %d: more pairs than the %d folds of 2 x %ld that line 1 announces", name, line, l->folds, per_fold);
    return add(l, a, b, n == 3, (int)fold, line, e);
}

static int parse_line(const char *name, char *text, int line, struct xfv_pair_list *l, struct xfv_err *e)
{
    char *f[MAX_FIELDS + 1];
    size_t len = strlen(text);
    while (len && isspace((unsigned char)text[len - 1])) text[--len] = '\0';
    if (text[0] == '#' || !len) return 0;
    int n = split(text, f);
    int label = n == 3 ? label_of(f[2]) : -1;
    if (n == 3 && label < 0 && l->n == 0 && !l->heading.line) return keep_heading(l, f[0], f[1], line, e);
    if (n == 3 && label < 0)
        return xfv_fail(e, XFV_EARG, "%s, line %d: label '%s' is none of " XFV_LABEL_WORDS, name, line, f[2]);
    if (n < 2 || n > 3 || !*f[0] || !*f[1])
        return xfv_fail(e, XFV_EARG, "%s, line %d: expected two ids and perhaps a label, found %s%d field%s", name, line, n > MAX_FIELDS ? "over " : "",
                        n > MAX_FIELDS ? MAX_FIELDS : n, n == 1 ? "" : "s");
    int status = add(l, f[0], f[1], label, 0, line, e);
    if (!status && l->n == 1 && !l->heading.line) l->v[0].may_be_heading = 1;
    return status;
}

int xfv_pair_list_parse(const char *name, char *text, struct xfv_pair_list *out, struct xfv_err *e)
{
    long folds = 0, per_fold = 0;
    int status = 0, line = 0;
    *out = (struct xfv_pair_list){0};
    if (!strncmp(text, "\xef\xbb\xbf", 3)) text += 3;
    int lfw = is_lfw(text, &folds, &per_fold);
    out->folds = lfw ? (int)folds : 0;
    for (char *p = text; *p && !status;) {
        size_t n = strcspn(p, "\n");
        int more = p[n] == '\n';
        p[n] = '\0';
        line++;
        if (!lfw) status = parse_line(name, p, line, out, e);
        else if (line > 1) status = parse_lfw_line(name, p, line, per_fold, out, e);
        p += n + (size_t)more;
    }
    if (!status && out->n == 0 && out->heading.line)
        status = xfv_fail(e, XFV_EARG, "%s holds no pairs: line %d is taken for a heading, as its third column is no label", name, out->heading.line);
    if (!status && out->n == 0) status = xfv_fail(e, XFV_EARG, "%s holds no pairs", name);
    if (status) xfv_pair_list_clear(out);
    return status;
}

static int fail_long(const char *path, struct xfv_err *e)
{
    return xfv_fail(e, XFV_ELIMIT, "'%s' is larger than %zu bytes: no list of pairs", path, MAX_TEXT);
}

static char *read_all(const char *path, struct xfv_err *e)
{
    size_t n = 0, cap = 1 << 16;
    int is_stdin = !strcmp(path, "-"), fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), failed = 0;
    if (fd < 0) {
        xfv_fail(e, XFV_EIO, "cannot open '%s'", path);
        return NULL;
    }
    struct stat st;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > (off_t)MAX_TEXT) failed = fail_long(path, e);
    char *text = malloc(cap + 1);
    while (text && !failed) {
        if (n == cap && cap >= MAX_TEXT) {
            failed = fail_long(path, e);
            break;
        }
        if (n == cap) {
            if (!XFV_GROW(text, 2 * cap + 1)) break;
            cap *= 2;
        }
        ssize_t k = read(fd, text + n, cap - n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) failed = xfv_fail(e, XFV_EIO, "cannot read '%s'", path);
        if (k <= 0) break;
        n += (size_t)k;
    }
    if (!is_stdin) close(fd);
    if (text && !failed && n < cap && memchr(text, '\0', n)) failed = xfv_fail(e, XFV_EARG, "'%s' is not a text", path);
    if (text && !failed && n < cap) {
        text[n] = '\0';
        return text;
    }
    if (!failed) xfv_fail(e, XFV_ENOMEM, "out of memory");
    free(text);
    return NULL;
}

int xfv_pair_list_read(const char *path, struct xfv_pair_list *out, struct xfv_err *e)
{
    struct xfv_err why = {0};
    char *text = read_all(path, &why);
    if (!text) {
        if (e) *e = why;
        return why.status;
    }
    int status = xfv_pair_list_parse(strcmp(path, "-") ? path : "standard input", text, out, e);
    free(text);
    return status;
}

void xfv_pair_list_clear(struct xfv_pair_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->v[i].a);
        free(l->v[i].b);
    }
    free(l->heading.a);
    free(l->heading.b);
    free(l->v);
    *l = (struct xfv_pair_list){0};
}

/* ---- finding faces ---- */

struct key { const char *s; size_t n; long at; };
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
    return (struct key){s, strlen(s), at};
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
        x->exact[i] = (struct key){ids[i], strlen(ids[i]), (long)i};
        x->base[i] = base_of(ids[i], (long)i);
        x->stem[i] = stem_of(ids[i], (long)i);
    }
    qsort(x->exact, n, sizeof *x->exact, by_key);
    qsort(x->base, n, sizeof *x->base, by_key);
    qsort(x->stem, n, sizeof *x->stem, by_key);
    return x;
}

/* Number of keys equal to k (0, 1, 2 for several); *first is the earliest face. */
static int count_equal(const struct key *v, size_t n, struct key k, long *first)
{
    size_t lo = 0, hi = n;
    k.at = -1;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (by_key(&v[mid], &k) < 0) lo = mid + 1;
        else hi = mid;
    }
    int found = 0;
    for (size_t i = lo; i < n && found < 2 && v[i].n == k.n && !memcmp(v[i].s, k.s, k.n); i++)
        if (++found == 1) *first = v[i].at;
    return found;
}

long xfv_id_index_find(const struct xfv_id_index *x, const char *id)
{
    long at = XFV_ID_NONE;
    if (count_equal(x->exact, x->n, (struct key){id, strlen(id), 0}, &at)) return at;
    int n = count_equal(x->base, x->n, base_of(id, 0), &at);
    if (n == 0) n = count_equal(x->stem, x->n, stem_of(id, 0), &at);
    /* "Name_0001.5" has no extension to lose: the whole name may be another's stem. */
    if (n == 0) n = count_equal(x->stem, x->n, base_of(id, 0), &at);
    return n == 0 ? XFV_ID_NONE : n == 1 ? at : XFV_ID_SEVERAL;
}

size_t xfv_id_index_duplicates(const struct xfv_id_index *x)
{
    size_t twice = 0;
    for (size_t i = 1; i < x->n; i++)
        twice += x->exact[i].n == x->exact[i - 1].n && !memcmp(x->exact[i].s, x->exact[i - 1].s, x->exact[i].n);
    return twice;
}
