#include "pair/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/hash.h"

static size_t *slot_of(struct xfv_name_table *t, const char *name, size_t n)
{
    size_t i = (size_t)xfv_hash(XFV_HASH_START, name, n) % t->n_slots;
    while (t->slots[i]) {
        const char *s = t->v[t->slots[i] - 1];
        if (strlen(s) == n && !memcmp(s, name, n)) break;
        i = (i + 1) % t->n_slots;
    }
    return &t->slots[i];
}

static int grow(struct xfv_name_table *t)
{
    size_t cap = xfv_more(t->cap, 64);
    size_t *slots = XFV_GROW(t->v, cap) ? calloc(2 * cap, sizeof *slots) : NULL;
    if (!slots) return -1;
    free(t->slots);
    t->slots = slots;
    t->n_slots = 2 * cap;
    t->cap = cap;
    for (size_t i = 0; i < t->n; i++) *slot_of(t, t->v[i], strlen(t->v[i])) = i + 1;
    return 0;
}

long xfv_name_number(struct xfv_name_table *t, const char *name, size_t n)
{
    const char *end = memchr(name, '\0', n);
    if (end) n = (size_t)(end - name);
    if (t->n == t->cap && grow(t)) return -1;
    size_t *slot = slot_of(t, name, n);
    if (*slot) return (long)*slot - 1;
    char *copy = strndup(name, n);
    if (!copy) return -1;
    t->v[t->n++] = copy;
    *slot = t->n;
    return (long)t->n - 1;
}

void xfv_name_table_clear(struct xfv_name_table *t)
{
    for (size_t i = 0; i < t->n; i++) free(t->v[i]);
    free(t->v);
    free(t->slots);
    memset(t, 0, sizeof *t);
}

const char *const xfv_identity_rules[] = {"name", "folder", "id", NULL};

const char *xfv_identity_of(const char *id, size_t n, enum xfv_identity rule, size_t *len)
{
    const char *base = id;
    size_t folder = 0; /* length of what stands before the last slash */
    *len = n;
    if (rule == XFV_IDENTITY_ID) return id;
    for (size_t i = 0; i < n; i++)
        if (id[i] == '/') base = id + i + 1, folder = i;
    if (rule == XFV_IDENTITY_FOLDER) {
        const char *start = id;
        for (size_t i = 0; i < folder; i++)
            if (id[i] == '/') start = id + i + 1;
        *len = (size_t)(id + folder - start);
        return start;
    }
    size_t m = n - (size_t)(base - id), end = m;
    for (size_t i = m; i-- > 1;)
        if (base[i] == '.') {
            end = i;
            break;
        }
    size_t digits = end;
    while (digits > 0 && base[digits - 1] >= '0' && base[digits - 1] <= '9') digits--;
    if (digits > 1 && digits < end && base[digits - 1] == '_') end = digits - 1;
    *len = end;
    return base;
}
