#include "image/source.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/wipe.h"
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

/* The first byte tells Netpbm from the rest and can be put back; EOF for none. */
static int peek(FILE *f)
{
    int c = getc(f);
    if (c != EOF) ungetc(c, f);
    return c;
}

static int fail_long(struct xfv_err *e)
{
    return xfv_fail(e, XFV_ELIMIT, "an image file of more than %zu MiB", MAX_FILE >> 20);
}

static int slurp(FILE *f, struct xfv_raw_image *r, struct xfv_err *e)
{
    size_t cap = 0;
    if (is_too_long(f)) return fail_long(e);
    for (;;) {
        if (r->n == cap) {
            cap = cap ? 2 * cap : 65536;
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

static int next_pnm(struct xfv_image_source *s, const struct xfv_decode_opts *o, struct xfv_raw_image *out, struct xfv_err *e)
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

static int next(struct xfv_image_source *s, const struct xfv_decode_opts *o, struct xfv_raw_image *out, struct xfv_err *e)
{
    errno = 0;
    int c = peek(s->f);
    if (c == EOF && ferror(s->f)) return xfv_fail(e, XFV_EIO, "cannot read");
    if (s->count > 0 || c == 'P') return next_pnm(s, o, out, e);
    s->done = 1;
    if (c == EOF) return xfv_fail(e, XFV_EDATA, "empty image file");
    if (c == 0xff || c == 0x89 || c == 'R') return slurp(s->f, out, e);
    /* No format of ours: its first bytes are enough to say so, however long it is. */
    uint8_t first[16];
    return xfv_image_decode(first, fread(first, 1, sizeof first, s->f), o, &out->im, NULL, e);
}

int xfv_image_source_next(struct xfv_image_source *s, const struct xfv_decode_opts *o, struct xfv_raw_image *out, struct xfv_err *e)
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
