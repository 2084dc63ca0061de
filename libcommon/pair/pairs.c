#include "pair/pairs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/grow.h"
#include "pair/pairs_internal.h"

#define MAX_TEXT ((size_t)1 << 30)

/* ---- the text ---- */

static int fail_long(const char *path, struct xfv_err *e)
{
    return xfv_fail(e, XFV_ELIMIT, "'%s' is larger than %zu bytes: no list of pairs", path, MAX_TEXT);
}

char *xfv_list_slurp(const char *path, struct xfv_err *e)
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

int xfv_list_lines(const char *name, char *text, struct xfv_list_text *t, struct xfv_err *e)
{
    size_t cap = 0;
    int no = 0;
    *t = (struct xfv_list_text){.name = name};
    if (!strncmp(text, "\xef\xbb\xbf", 3)) text += 3;
    for (char *p = text; *p;) {
        size_t n = strcspn(p, "\n"), end = n;
        int more = p[n] == '\n';
        while (end && isspace((unsigned char)p[end - 1])) end--;
        p[end] = '\0';
        no++;
        if (end && *p != '#') {
            if (t->n == cap && !XFV_GROW(t->v, cap = xfv_more(cap, 256)))
                return xfv_fail(e, XFV_ENOMEM, "out of memory");
            t->v[t->n++] = (struct xfv_list_line){p, no};
        }
        p += n + (size_t)more;
    }
    return 0;
}

/* ---- two ids and perhaps a label ---- */

int xfv_pair_list_add(struct xfv_pair_list *l, const char *a, const char *b, int label, int fold, int line,
                      struct xfv_err *e)
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

/* A row of verify's table: id_a id_b score threshold decision label. */
static int is_table_row(const struct xfv_fields *f)
{
    static const char *const decisions[] = {"accept", "reject", "error"};
    int decided = 0;
    for (int i = 0; i < 3 && f->n == 6; i++) decided |= !strcmp(f->v[4], decisions[i]);
    return decided && xfv_label_of(f->v[5]) != XFV_LABEL_BAD;
}

/* "1 a.jpg b.jpg". */
static int is_label_first(const struct xfv_fields *f)
{
    return f->n == 3 && xfv_label_of(f->v[0]) >= 0 && xfv_list_is_image(f->v[1]) && xfv_list_is_image(f->v[2]);
}

static void drop_empty(struct xfv_fields *f)
{
    while (f->n > 2 && f->n <= XFV_LIST_FIELDS && !*f->v[f->n - 1]) f->n--; /* a separator at the end of the line */
}

static int fits_pair(const struct xfv_fields *f)
{
    struct xfv_fields g = *f;
    struct xfv_columns c;
    drop_empty(&g);
    if (g.n < 2 || !*g.v[0] || !*g.v[1]) return xfv_list_is_heading(f, &c);
    return g.n == 2 || is_label_first(&g) || (g.n == 3 && xfv_label_of(g.v[2]) != XFV_LABEL_BAD) || is_table_row(&g) ||
           xfv_list_is_heading(f, &c);
}

static int fits_columns(const struct xfv_fields *f)
{
    return f->n > 2;
}

/* The columns of a line: those of the heading, or by how many there are. */
static int find_columns(const char *name, struct xfv_fields *f, const struct xfv_columns *heading, int line,
                        struct xfv_columns *c, struct xfv_err *e)
{
    if (heading->n) {
        *c = *heading;
        int last = c->a > c->b ? c->a : c->b;
        if (f->n <= last || f->n > heading->n)
            return xfv_fail(e, XFV_EARG, "%s, line %d: expected %d fields as in the heading, found %d", name, line,
                            heading->n, f->n);
    } else {
        drop_empty(f);
        *c = (struct xfv_columns){f->n, 0, 1, f->n == 3 ? 2 : is_table_row(f) ? 5 : -1};
        if (is_label_first(f)) *c = (struct xfv_columns){3, 1, 2, 0};
    }
    if (f->n < 2 || (!heading->n && f->n > 3 && c->label < 0) || !*f->v[c->a] || !*f->v[c->b])
        return xfv_fail(e, XFV_EARG, "%s, line %d: expected two ids and perhaps a label, found %s%d field%s", name,
                        line, f->n > XFV_LIST_FIELDS ? "over " : "", f->n > XFV_LIST_FIELDS ? XFV_LIST_FIELDS : f->n,
                        f->n == 1 ? "" : "s");
    return 0;
}

static int add_line(const char *name, struct xfv_fields *f, const struct xfv_columns *heading, int line,
                    struct xfv_pair_list *l, struct xfv_err *e)
{
    struct xfv_columns c;
    int status = find_columns(name, f, heading, line, &c, e);
    if (status) return status;
    int label = c.label >= 0 && c.label < f->n ? xfv_label_of(f->v[c.label]) : XFV_LABEL_NONE;
    if (label == XFV_LABEL_BAD)
        return xfv_fail(e, XFV_EARG, "%s, line %d: label '%s' is not one of " XFV_LABEL_WORDS, name, line,
                        f->v[c.label]);
    return xfv_pair_list_add(l, f->v[c.a], f->v[c.b], label, 0, line, e);
}

/* The first line, whose words are columns' names. Where these can be ids and a label, it may yet be a pair: who knows
 * the faces decides. */
static int take_heading(const struct xfv_fields *f, const struct xfv_columns *c, int line, struct xfv_pair_list *l,
                        struct xfv_err *e)
{
    int label = f->n == 3 ? xfv_label_of(f->v[2]) : XFV_LABEL_NONE;
    if (c->a == 0 && c->b == 1 && f->n <= 3 && label != XFV_LABEL_BAD) {
        int status = xfv_pair_list_add(l, f->v[0], f->v[1], label, 0, line, e);
        l->v[0].may_be_heading = 1;
        return status;
    }
    l->heading = (struct xfv_pair_entry){.a = strdup(f->v[c->a]), .b = strdup(f->v[c->b]), .label = -1, .line = line};
    return l->heading.a && l->heading.b ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static int read_plain(const struct xfv_list_text *t, struct xfv_pair_list *l, struct xfv_err *e)
{
    struct xfv_columns c = {0};
    int status = 0;
    for (size_t i = 0; i < t->n && !status; i++) {
        struct xfv_fields f;
        status = xfv_list_split_fitting(t->v[i].text, c.n > 3 ? fits_columns : fits_pair, &f, e);
        if (status) return status;
        int heading = i == 0 && xfv_list_is_heading(&f, &c);
        if (heading) status = take_heading(&f, &c, t->v[i].no, l, e);
        if (!l->heading.line) c.n = 0; /* the order is the usual one */
        if (!heading) status = add_line(t->name, &f, &c, t->v[i].no, l, e);
        xfv_fields_clear(&f);
    }
    return status;
}

static int read_form(const struct xfv_list_text *t, struct xfv_pair_list *l, struct xfv_err *e)
{
    int status = 0;
    if (!xfv_list_lfw(t, l, &status, e) && !xfv_list_two_lines(t, l, &status, e) && !xfv_list_cfp(t, l, &status, e))
        status = read_plain(t, l, e);
    return status;
}

int xfv_pair_list_parse(const char *name, char *text, struct xfv_pair_list *out, struct xfv_err *e)
{
    struct xfv_list_text t;
    *out = (struct xfv_pair_list){0};
    int status = xfv_list_lines(name, text, &t, e);
    if (!status && t.n) status = read_form(&t, out, e);
    free(t.v);
    if (!status && out->n == 0 && out->heading.line)
        status = xfv_fail(e, XFV_EARG, "%s holds no pairs: line %d is a heading", name, out->heading.line);
    if (!status && out->n == 0) status = xfv_fail(e, XFV_EARG, "%s holds no pairs", name);
    if (status) xfv_pair_list_clear(out);
    return status;
}

int xfv_pair_list_read(const char *path, struct xfv_pair_list *out, struct xfv_err *e)
{
    struct xfv_err why = {0};
    char *text = xfv_list_slurp(path, &why);
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
