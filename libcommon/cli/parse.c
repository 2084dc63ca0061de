#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* strto* skip blanks and take an empty text for 0: we do not. */
static int starts_like_a_number(const char *s)
{
    return *s && !isspace((unsigned char)*s);
}

int xfv_parse_int(const char *what, const char *s, long lo, long hi, long *out, struct xfv_err *e)
{
    char *end;
    errno = 0;
    long v = strtol(s, &end, 10);
    if (!starts_like_a_number(s) || *end)
        return xfv_fail(e, XFV_EARG, "%s must be a whole number from %ld to %ld, got '%s'", what, lo, hi, s);
    if (errno || v < lo || v > hi)
        return xfv_fail(e, XFV_EARG, "%s must be from %ld to %ld, got '%s'", what, lo, hi, s);
    *out = v;
    return 0;
}

int xfv_parse_i32(const char *what, const char *s, long lo, long hi, int *out, struct xfv_err *e)
{
    long v = 0;
    int status = xfv_parse_int(what, s, lo, hi, &v, e);
    if (!status) *out = (int)v;
    return status;
}

int xfv_parse_seed(const char *what, const char *s, uint64_t *out, struct xfv_err *e)
{
    long v = 0;
    int status = xfv_parse_int(what, s, 0, LONG_MAX, &v, e);
    if (!status) *out = (uint64_t)v;
    return status;
}

int xfv_parse_f64(const char *what, const char *s, double lo, double hi, double *out, struct xfv_err *e)
{
    char *end;
    double v = strtod(s, &end);
    if (!starts_like_a_number(s) || *end || isnan(v))
        return xfv_fail(e, XFV_EARG, "%s must be a number from %g to %g, got '%s'", what, lo, hi, s);
    if (v < lo || v > hi) return xfv_fail(e, XFV_EARG, "%s must be from %g to %g, got '%s'", what, lo, hi, s);
    *out = v;
    return 0;
}

int xfv_parse_size(const char *what, const char *s, size_t lo, size_t hi, size_t *out, struct xfv_err *e)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 10);
    unsigned shift = 0;
    if (isdigit((unsigned char)*s) && *end) {
        static const char units[] = "KMG";
        const char *u = strchr(units, toupper((unsigned char)*end));
        if (u) {
            shift = 10 * (unsigned)(u - units + 1);
            end++;
            if (end[0] == 'i' && end[1] == 'B') end += 2;
        }
    }
    if (!isdigit((unsigned char)*s) || *end)
        return xfv_fail(e, XFV_EARG, "%s must be a size such as 4096, 64K, 256M or 2G, got '%s'", what, s);
    if (errno || v > (SIZE_MAX >> shift) || (size_t)(v << shift) < lo || (size_t)(v << shift) > hi)
        return xfv_fail(e, XFV_EARG, "%s must be from %zu to %zu bytes, got '%s'", what, lo, hi, s);
    *out = (size_t)(v << shift);
    return 0;
}

int xfv_parse_choice(const char *what, const char *s, const char *const *names, int *out, struct xfv_err *e)
{
    char list[256] = "";
    for (int i = 0; names[i]; i++) {
        if (!strcmp(s, names[i])) {
            *out = i;
            return 0;
        }
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : names[i + 1] ? ", " : " or ", names[i]);
    }
    return xfv_fail(e, XFV_EARG, "%s must be %s, got '%s'", what, list, s);
}

int xfv_parse_text(const char *what, const char *s, char *out, size_t cap, struct xfv_err *e)
{
    if (strlen(s) >= cap) return xfv_fail(e, XFV_EARG, "%s: '%s' has more than %zu bytes", what, s, cap - 1);
    strcpy(out, s);
    return 0;
}

int xfv_parse_numbers(const char *what, const char *s, double lo, double hi, double *out, int n, struct xfv_err *e)
{
    char part[64];
    int count = 0;
    for (;; s++) {
        size_t len = strcspn(s, ",");
        if (count == n || len >= sizeof part)
            return xfv_fail(e, XFV_EARG, "%s: expected at most %d numbers with commas between", what, n);
        memcpy(part, s, len);
        part[len] = '\0';
        int status = xfv_parse_f64(what, part, lo, hi, &out[count++], e);
        if (status) return status;
        s += len;
        if (!*s) return count;
    }
}
