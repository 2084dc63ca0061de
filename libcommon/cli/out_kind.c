/* Is the file that an output would replace of the kind that the program makes? By its first bytes. */
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "cli/internal.h"

static const char *const names[] = {"table or text", "stream of xfv-tools", "model of xfv-tools",
                                    "picture of xfv-tools", "HTML page"};

const char *xfv_out_kind_name(enum xfv_out_kind kind)
{
    return names[kind];
}

static int holds(const unsigned char *head, size_t n, const char *text)
{
    size_t m = strlen(text);
    for (size_t i = 0; i + m <= n; i++)
        if (!memcmp(head + i, text, m)) return 1;
    return 0;
}

/* Text has no control characters but these. The last character may be cut. */
static int is_text(const unsigned char *head, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((head[i] < ' ' && !strchr("\t\n\f\r\033", head[i])) || head[i] == 0 || head[i] == 0x7f) return 0;
    for (size_t cut = 0; cut < 4 && cut <= n; cut++)
        if (xfv_utf8_valid((const char *)head, n - cut)) return 1;
    return 0;
}

static int is_netpbm(const unsigned char *head)
{
    return head[0] == 'P' && head[1] >= '1' && head[1] <= '7' && head[2] && strchr(" \t\r\n", head[2]);
}

/* A JPEG, SVG or PDF that says whose it is: others may be somebody's photograph or drawing. */
static int is_marked(const unsigned char *head, size_t n)
{
    size_t most = n < 200 ? n : 200;
    if (!memcmp(head, "%PDF", 4)) return holds(head, most, "\xf8\xe6\xf6\xad"); /* image/pdf.c */
    return (!memcmp(head, "\xff\xd8", 2) || !memcmp(head, "<svg", 4)) && holds(head, most, "xfv-tools");
}

int xfv_out_kind_fits(enum xfv_out_kind kind, const unsigned char *head, size_t n)
{
    int stream = holds(head, n < 40 ? n : 40, "\xa5" "magic" "\xa3" "xfv");
    int model = stream && holds(head, n, "\xa4" "kind" "\xa5" "model");
    switch (kind) {
    case XFV_OUT_STREAM: return stream && !model;
    case XFV_OUT_MODEL: return stream;
    case XFV_OUT_IMAGE: return n > 3 && (!memcmp(head, "\x89PN", 3) || is_netpbm(head) || is_marked(head, n));
    case XFV_OUT_PAGE: return n >= 9 && !strncasecmp((const char *)head, "<!doctype", 9);
    default: return is_text(head, n);
    }
}
