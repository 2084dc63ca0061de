/* Names in messages.
 *
 * Ids are names of photographs and of people. With --private a message about a record has its number instead, and no
 * name within the sentence. */
#include <string.h>

#include "cli/internal.h"
#include "base/escape.h"

enum { SURE = 64 }; /* so many bytes alike are the name, though a sentence may hold but its beginning */

static int in_word(char ch)
{
    return ch == '_' || (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
           (unsigned char)ch >= 0x80;
}

/* It may as well be a word of the sentence: such a name is known by its quotes only. */
static int is_plain_word(const char *s, size_t n)
{
    size_t k = 0;
    while (k < n && s[k] >= 'a' && s[k] <= 'z') k++;
    return k == n || n < 3;
}

/* How many bytes of text[at..] are the name: all of it, not within a longer word. */
static size_t name_at(const char *text, size_t at, const char *name, size_t n)
{
    char before = at ? text[at - 1] : ' ';
    size_t k = 0;
    while (k < n && text[at + k] == name[k]) k++;
    if (k >= SURE) return k;
    if (!n || k < n || (is_plain_word(name, n) && (before != '\'' || text[at + k] != '\''))) return 0;
    return in_word(before) || in_word(text[at + k]) ? 0 : k;
}

/* The same of any name that the id holds: the whole, a pair's two (A|B), and each of these without its folders. */
static size_t id_at(const char *text, size_t at, const char *id)
{
    size_t most = name_at(text, at, id, strlen(id));
    for (const char *p = id; !most; p++) {
        size_t n = strcspn(p, "|"), base = n;
        while (base && p[base - 1] != '/') base--;
        most = name_at(text, at, p, n);
        if (!most) most = name_at(text, at, p + base, n - base);
        if (!*(p += n)) break;
    }
    return most;
}

int xfv_hide_names(const char *sentence, const char *id, char *buf, size_t cap)
{
    char text[1024];
    size_t k = 0;
    int found = 0;
    xfv_escape(text, sizeof text, sentence, strlen(sentence));
    for (size_t i = 0; text[i] && k + 4 < cap;) {
        size_t name = id_at(text, i, id);
        if (!name) {
            buf[k++] = text[i++];
            continue;
        }
        memcpy(buf + k, "...", 3);
        k += 3;
        i += name;
        found = 1;
    }
    buf[k] = '\0';
    return found;
}

int xfv_cli_hide(struct xfv_cli *c, struct xfv_err *e, const char *id)
{
    char shown[300], text[sizeof e->msg];
    if (!c->private_names) return e->status;
    xfv_escape(shown, sizeof shown, id, strlen(id));
    if (!xfv_hide_names(e->msg, shown, text, sizeof text)) return e->status;
    snprintf(e->msg, sizeof e->msg, "%s", text);
    return e->status;
}

const char *xfv_cli_where(const struct xfv_cli *c, const char *what, uint64_t no, const char *id, size_t n, char *buf,
                          size_t cap)
{
    char shown[300];
    int named = n && !c->private_names, numbered = c->verbose > 0 || !strcmp(what, "line");
    if (named) xfv_escape(shown, sizeof shown, id, n);
    if (named && !numbered) snprintf(buf, cap, "%s", shown);
    else if (named) snprintf(buf, cap, "%s %llu (%s)", what, (unsigned long long)no, shown);
    else snprintf(buf, cap, "%s %llu", what, (unsigned long long)no);
    return buf;
}
