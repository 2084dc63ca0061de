/* The one place that calls libnetpbm. On bad input it exits the process unless a jump buffer is set, it writes its own
 * messages to stderr unless told where else, and all that state belongs to the process: so one lock, a jump buffer, and
 * functions that take the text. */
#include "image/pnm.h"

#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <netpbm/pam.h>

#include "image/internal.h"
#include "image/rows.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char netpbm_text[256]; /* libnetpbm's last error, under the lock */

struct reader {
    FILE *f;
    const struct xfv_decode_opts *opts;
    struct xfv_rows rows;
    struct pam pam;
    tuple *tuples;  /* one row */
    uint8_t *bytes; /* one row, as stored */
    jmp_buf escape;
};

static void take_error(const char *text)
{
    snprintf(netpbm_text, sizeof netpbm_text, "%s", text);
}

static void drop_message(const char *text)
{
    (void)text;
}

static int read_bytes_row(struct reader *r, int y, struct xfv_err *e)
{
    size_t n = (size_t)r->pam.width * r->pam.depth;
    if (fread(r->bytes, 1, n, r->f) == n) return 0;
    return xfv_fail_code(e, XFV_EDATA, "damaged", "truncated Netpbm image: it ends in row %d of %d", y, r->pam.height);
}

static void read_tuples_row(struct reader *r)
{
    pnm_readpamrow(&r->pam, r->tuples);
    uint8_t *to = r->bytes;
    for (int x = 0; x < r->pam.width; x++)
        for (unsigned c = 0; c < r->pam.depth; c++) {
            sample v = r->tuples[x][c] < r->pam.maxval ? r->tuples[x][c] : r->pam.maxval;
            *to++ = (uint8_t)pnm_scalesample(v, r->pam.maxval, 255);
        }
}

/* Samples that are bytes already need none of libnetpbm's arithmetic. */
static int is_bytes(const struct pam *p)
{
    return (p->format == RPGM_FORMAT || p->format == RPPM_FORMAT || p->format == PAM_FORMAT) && p->maxval == 255;
}

/* What netpbm's PAM_STRUCT_SIZE(opacity_plane) means, without its member access through a null pointer. */
enum { PAM_KNOWN = (int)(offsetof(struct pam, opacity_plane) + sizeof ((struct pam *)0)->opacity_plane) };

/* All that may jump; state lives in *r. */
static int read_image(struct reader *r, struct xfv_err *e)
{
    int eof = 0;
    pnm_nextimage(r->f, &eof);
    if (eof) return XFV_EOF;
    pnm_readpaminit(r->f, &r->pam, PAM_KNOWN);
    int status = xfv_check_size(r->pam.width, r->pam.height, r->opts, e);
    if (status) return status;
    if (r->pam.depth < 1 || r->pam.depth > 4)
        return xfv_fail(e, XFV_EDATA,
                        "PAM image with %u samples a pixel; 1 (grey) to 4 (red, green, blue, opacity) are known",
                        r->pam.depth);
    int raw = is_bytes(&r->pam), cmyk = r->pam.depth == 4 && !strncmp(r->pam.tuple_type, "CMYK", 4);
    r->bytes = malloc((size_t)r->pam.width * r->pam.depth);
    if (!r->bytes) return xfv_fail(e, XFV_ENOMEM, "out of memory for a row of %d pixels", r->pam.width);
    if (!raw) r->tuples = pnm_allocpamrow(&r->pam);
    status = xfv_rows_open(&r->rows, r->pam.width, r->pam.height, cmyk ? XFV_CMYK : (enum xfv_pixel)r->pam.depth,
                      xfv_shrink_of(r->pam.width, r->pam.height, r->opts), e);
    for (int y = 0; !status && y < r->pam.height; y++) {
        if (raw) status = read_bytes_row(r, y, e);
        else read_tuples_row(r);
        if (!status) status = xfv_rows_put(&r->rows, r->bytes, e);
    }
    return status;
}

static int guarded(struct reader *r, struct xfv_err *e)
{
    if (setjmp(r->escape)) return xfv_fail_code(e, XFV_EDATA, "damaged", "corrupt Netpbm image: %s", netpbm_text);
    pm_setjmpbuf(&r->escape);
    return read_image(r, e);
}

int xfv_pnm_read(FILE *f, const struct xfv_decode_opts *o, struct xfv_image *out, struct xfv_err *e)
{
    static int started;
    memset(out, 0, sizeof *out);
    struct reader *r = calloc(1, sizeof *r);
    if (!r) return xfv_fail(e, XFV_ENOMEM, "out of memory for reading a Netpbm image");
    r->f = f;
    r->opts = o;
    pthread_mutex_lock(&lock);
    if (!started) {
        pm_init("xfv", 0); /* not pm_proginit: it would take over the program's options */
        pm_setusererrormsgfn(take_error);
        pm_setusermessagefn(drop_message);
        started = 1;
    }
    netpbm_text[0] = '\0';
    int status = guarded(r, e);
    pm_setjmpbuf(NULL);
    if (r->tuples) pnm_freepamrow(r->tuples);
    pthread_mutex_unlock(&lock);
    free(r->bytes);
    xfv_rows_close(&r->rows);
    if (status) xfv_image_clear(&r->rows.im);
    else *out = r->rows.im;
    free(r);
    return status;
}
