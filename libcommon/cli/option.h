/* One option of a program, as a row of data: its name, its words, and where its value goes.
 *
 *     static const struct xfv_opt options[] = {
 *         {"steps", 'n', "N", "points of a curve (default 10)", XFV_OPT_RESULT,
 *          XFV_TO_INT(struct my, o.steps, 1, 10000)},
 *         {"fmr", 0, "X[,X]...", "rates to report", XFV_OPT_MANY, .set = set_fmr}, (what no type fits has a function)
 *         {0},
 *     };
 *
 * --help adds the range or the words that the row allows. The options that programs share (-o, -q, -j, ...) are added
 * by cli/options.c. */
#ifndef XFV_CLI_OPTION_H
#define XFV_CLI_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    XFV_OPT_MANY = 1,   /* occurrences add up instead of the last one winning */
    /* the argument names a file that the program reads: the sandbox leaves it open (every occurrence) */
    XFV_OPT_READS = 2,
    XFV_OPT_WRITES = 4, /* ... that it makes */
    XFV_OPT_RUNS = 8,   /* the argument is a command that it runs: no sandbox */
    XFV_OPT_RESULT = 16 /* it changes the result: it goes into the provenance, in the table's order */
};

enum xfv_opt_type {
    XFV_OPT_CALLS,
    XFV_OPT_ASKS,
    XFV_IS_FLAG,
    XFV_IS_INT,
    XFV_IS_F64,
    XFV_IS_SEED,
    XFV_IS_SIZE,
    XFV_IS_CHOICE,
    XFV_IS_TEXT
};

struct xfv_opt {
    const char *long_name;
    int short_name;   /* letter, or 0 */
    const char *arg;  /* name of the argument in help, NULL for a flag */
    const char *help; /* one line */
    unsigned flags;   /* XFV_OPT_... */
    /* For XFV_OPT_CALLS, at each occurrence; value NULL for a flag. Returns 0, or xfv_fail(e, XFV_EARG, ...). */
    int (*set)(void *ctx, const char *value, struct xfv_err *e);
    enum xfv_opt_type type;
    size_t at, given;           /* bytes from ctx to the field; 1 + bytes to an int that becomes 1, or 0 */
    double lo, hi;              /* of numbers and sizes; hi of a text: bytes at most, or 0 */
    int value;                  /* of a flag */
    const char *const *choices; /* NULL-terminated */
};

/* Where the field f of struct t stands; the compiler complains when it is no c. */
#define XFV_FIELD(t, f, c) (offsetof(t, f) + 0 * sizeof(1 ? &((t *)0)->f : (c *)0))
#define XFV_TO_FLAG(t, f, v) .type = XFV_IS_FLAG, .at = XFV_FIELD(t, f, int), .value = (v)
#define XFV_TO_INT(t, f, low, high) .type = XFV_IS_INT, .at = XFV_FIELD(t, f, int), .lo = (low), .hi = (high)
#define XFV_TO_F64(t, f, low, high) .type = XFV_IS_F64, .at = XFV_FIELD(t, f, double), .lo = (low), .hi = (high)
#define XFV_TO_SEED(t, f) .type = XFV_IS_SEED, .at = XFV_FIELD(t, f, uint64_t) /* a whole number from 0 */
#define XFV_TO_SIZE(t, f, low, high) \
    .type = XFV_IS_SIZE, .at = XFV_FIELD(t, f, size_t), .lo = (double)(low), \
    .hi = (double)(high) /* bytes; 64K, 2M, 1G */
#define XFV_TO_CHOICE(t, f, names) \
    .type = XFV_IS_CHOICE, .at = XFV_FIELD(t, f, int), .choices = (names) /* the word's place */
/* The pointer is kept; not empty, and at most `most` bytes unless that is 0. */
#define XFV_TO_TEXT(t, f, most) .type = XFV_IS_TEXT, .at = XFV_FIELD(t, f, const char *), .hi = (most)
#define XFV_GIVEN(t, f) .given = 1 + XFV_FIELD(t, f, int) /* beside one of these: f tells that the option was given */

int xfv_option_take(const struct xfv_opt *o, void *ctx, const char *value, struct xfv_err *e); /* 0, or XFV_EARG */
/* " [2..100]", " [jet viridis]", or "": what the row allows, for help. */
void xfv_option_range(const struct xfv_opt *o, char *buf, size_t cap);

#endif
