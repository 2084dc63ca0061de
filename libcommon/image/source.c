#include "image/source.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/format.h"
#include "base/replaced.h"
#include "base/wipe.h"
#include "image/internal.h"
#include "image/pnm.h"
#include "stream/tensor.h"

#define MAX_FILE ((size_t)1 << 30)

/* A file says beforehand how long it is. */
static int is_too_long(FILE *f)
{
    struct stat st;
    return !fstat(fileno(f), &st) && S_ISREG(st.st_mode) && st.st_size > (off_t)MAX_FILE;
}

struct xfv_image_source {
    FILE *f;
    int is_stdin, done;
    int count;  /* images read so far */
};

void xfv_raw_image_clear(struct xfv_raw_image *r)
{
    xfv_image_clear(&r->im);
    free(r->bytes);
    memset(r, 0, sizeof *r);
}

int xfv_image_source_open(struct xfv_image_source **out, const char *path, struct xfv_err *e)
{
    struct xfv_image_source *s = calloc(1, sizeof *s);
    if (!s) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    s->is_stdin = strcmp(path, "-") == 0;
    s->f = s->is_stdin ? stdin : fopen(path, "rbe");
    if (!s->f) {
        free(s);
        return xfv_fail(e, XFV_EIO, "cannot open");
    }
    int status = xfv_replaced_check(fileno(s->f), path, e);
    if (status) {
        xfv_image_source_close(s);
        return status;
    }
    *out = s;
    return 0;
}

void xfv_image_source_close(struct xfv_image_source *s)
{
    if (!s) return;
    if (!s->is_stdin) fclose(s->f);
    free(s);
}

int xfv_image_source_ready(const struct xfv_image_source *s)
{
    struct pollfd p = {.fd = fileno(s->f), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

/* The next byte, which stays; EOF for none. */
static int peek(FILE *f)
{
    int c = getc(f);
    if (c != EOF) ungetc(c, f);
    return c;
}

/* Two bytes tell Netpbm, which is decoded while it is read, from the rest. */
static int begins_pnm(FILE *f)
{
    int p = getc(f), digit = p == 'P' ? getc(f) : EOF;
    if (digit != EOF) ungetc(digit, f);
    if (p != EOF) ungetc(p, f);
    return digit >= '1' && digit <= '7';
}

static int fail_long(struct xfv_err *e)
{
    return xfv_fail(e, XFV_ELIMIT, "an image file of more than %zu MiB", MAX_FILE >> 20);
}

/* The rest of a file, of which r holds the beginning in a block of cap bytes. */
static int slurp(FILE *f, size_t cap, struct xfv_raw_image *r, struct xfv_err *e)
{
    if (is_too_long(f)) return fail_long(e);
    for (;;) {
        if (r->n == cap) {
            cap = cap < 65536 ? 65536 : 2 * cap;
            uint8_t *p = xfv_wipe_realloc(r->bytes, cap);
            if (!p) return xfv_fail(e, XFV_ENOMEM, "out of memory for an image file of more than %zu bytes", r->n);
            r->bytes = p;
        }
        size_t got = fread(r->bytes + r->n, 1, cap - r->n, f);
        r->n += got;
        if (got == 0) return ferror(f) ? xfv_fail(e, XFV_EIO, "cannot read") : 0;
        if (r->n > MAX_FILE) return fail_long(e);
    }
}

static int next_pnm(struct xfv_image_source *s, const struct xfv_decode_opts *o, struct xfv_raw_image *out,
                    struct xfv_err *e)
{
    int c, r;
    out->number = s->count;
    r = xfv_pnm_read(s->f, o, &out->im, e);
    if (r) return r;
    if (!s->is_stdin && s->count == 0) {
        while ((c = peek(s->f)) == ' ' || (c >= '\t' && c <= '\r')) getc(s->f);
        if (c == EOF) out->number = -1;
    }
    s->count++;
    return 0;
}

static int next(struct xfv_image_source *s, const struct xfv_decode_opts *o, struct xfv_raw_image *out,
                struct xfv_err *e)
{
    errno = 0;
    int c = peek(s->f);
    if (c == EOF && ferror(s->f)) return xfv_fail(e, XFV_EIO, "cannot read");
    if (s->count > 0 || begins_pnm(s->f)) return next_pnm(s, o, out, e);
    s->done = 1;
    if (c == EOF) return xfv_fail(e, XFV_EDATA, "empty image file");
    out->bytes = malloc(XFV_FORMAT_BYTES);
    if (!out->bytes) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    out->n = fread(out->bytes, 1, XFV_FORMAT_BYTES, s->f);
    if (xfv_image_is_read(out->bytes, out->n)) return slurp(s->f, XFV_FORMAT_BYTES, out, e);
    /* No format of ours: its first bytes are enough to say so, however long it is. */
    return xfv_image_decode(out->bytes, out->n, o, &out->im, NULL, e);
}

int xfv_image_source_next(struct xfv_image_source *s, const struct xfv_decode_opts *o, struct xfv_raw_image *out,
                          struct xfv_err *e)
{
    memset(out, 0, sizeof *out);
    out->number = -1;
    if (s->done) return XFV_EOF;
    int status = next(s, o, out, e), number = out->number;
    if (!status) return 0;
    s->done = 1;
    xfv_raw_image_clear(out);
    out->number = number;
    return status;
}
