/* What getopt_long did not like, in words that help. */
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "cli/internal.h"

#define LONGEST 32 /* letters of a name that are compared */

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Letters to add, drop, change or swap with their neighbour, to make the one of the other. */
static int distance(const char *a, int n, const char *b, int m)
{
    int d[LONGEST + 1][LONGEST + 1];
    for (int i = 0; i <= n; i++) d[i][0] = i;
    for (int j = 0; j <= m; j++) d[0][j] = j;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[n][m];
}

/* The option that was most likely meant: a third of its letters may be wrong. NULL: none. */
static const char *meant(const struct option *longs, const char *name, size_t n)
{
    const char *best = NULL;
    int nearest = (int)(n + 1) / 3 + 1;
    for (; longs->name && n <= LONGEST; longs++) {
        size_t m = strlen(longs->name);
        int far = m <= LONGEST ? distance(name, (int)n, longs->name, (int)m) : nearest;
        if (far < nearest) best = longs->name, nearest = far;
    }
    return best;
}

/* An operand that begins with '-' and is a file. getopt_long stands at it or behind it. */
static int is_file(int argc, char **argv)
{
    for (int i = optind - 1; i <= optind; i++)
        if (i > 0 && i < argc && argv[i][0] == '-' && argv[i][1] && !access(argv[i], F_OK)) return 1;
    return 0;
}

int xfv_cli_unknown_option(const struct option *longs, int argc, char **argv, const char *at, struct xfv_err *e)
{
    const char *file = is_file(argc, argv) ? ": before the name of a file that begins with '-' write './'" : "";
    if (optopt) return xfv_fail(e, XFV_EARG, "unknown option '-%c'%s", optopt, file);
    size_t n = strcspn(at, "="), named = n > 2 ? n - 2 : 0, k = 0;
    char all[200] = "";
    int matches = 0;
    for (const struct option *o = longs; o->name && named; o++) {
        if (strncmp(o->name, at + 2, named)) continue;
        int more = snprintf(all + k, sizeof all - k, "%s--%s", matches++ ? ", " : "", o->name);
        k = more < (int)(sizeof all - k) ? k + (size_t)more : sizeof all - 1;
    }
    if (matches > 1) return xfv_fail(e, XFV_EARG, "ambiguous option '%.*s': %s", (int)n, at, all);
    const char *best = *file || !named ? NULL : meant(longs, at + 2, named);
    return xfv_fail(e, XFV_EARG, "unknown option '%.*s'%s%s%s%s", (int)n, at, file, best ? ": did you mean '--" : "",
                    best ? best : "", best ? "'?" : "");
}
