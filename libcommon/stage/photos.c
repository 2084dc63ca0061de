#define _GNU_SOURCE /* memmem */
#include "stage/photos.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/source.h"
#include "base/clock.h"
#include "base/grow.h"
#include "base/lines.h"
#include "base/sha256.h"
#include "stream/put.h"

#define WINDOW_BYTES ((size_t)128 << 20) /* images that wait for a worker hold no more than this, and one */

/* One image on its way: from the reader to a worker to the writer. */
struct xfv_photo {
    uint64_t no;               /* from 1 */
    char *path;                /* as given */
    char *name;                /* the same, with #number in a Netpbm stream */
    char digest[XFV_SHA256_HEX]; /* of its file; empty: unknown */
    struct xfv_raw_image raw;
    int status;
    struct xfv_err err;
    struct xfv_crops records;
};

/* ---- one image: a worker's job ---- */

static int take_image(struct xfv_photos *p, struct xfv_photo *it, int worker, struct xfv_err *e)
{
    if (!it->raw.im.data) {
        double start = xfv_now();
        int status = xfv_image_decode(it->raw.bytes, it->raw.n, &p->decode, &it->raw.im, NULL, e);
        p->seconds[worker] += xfv_now() - start;
        if (status) return status;
    }
    if (it->raw.bytes) xfv_sha256(it->raw.bytes, it->raw.n, it->digest);
    return p->make(p->ctx, &it->raw.im, it->path, it->name, worker, &it->records, e);
}

/* So that one can go back to the photograph and know that it is the same. */
static int add_digests(struct xfv_photo *it, struct xfv_err *e)
{
    int status = 0;
    for (size_t i = 0; *it->digest && i < it->records.n && !status; i++) {
        struct xfv_rec *r = it->records.v[i];
        struct xfv_put put = xfv_put_into(xfv_rec_zone(r), xfv_rec_root(r), e);
        if (xfv_rec_kind(r) == XFV_FACE) xfv_put_text(&put, "source-digest", it->digest);
        status = put.status;
    }
    return status;
}

static void work(void *ctx, int i, int worker)
{
    struct xfv_photos *p = ctx;
    struct xfv_photo *it = &p->items[i];
    xfv_cli_record_begin(p->c, worker, it->no, it->name, strlen(it->name));
    if (!it->status) it->status = take_image(p, it, worker, &it->err);
    if (!it->status) it->status = add_digests(it, &it->err);
    xfv_cli_record_end(p->c, worker);
    if (it->status != XFV_ENOMEM) xfv_raw_image_clear(&it->raw);
}

/* There was no memory for a photograph beside the others: alone it may have enough. Else it is an err record: the next
 * one may be smaller. */
static void work_alone(struct xfv_photos *p, int i)
{
    struct xfv_photo *it = &p->items[i];
    xfv_crops_clear(&it->records);
    if (it->raw.bytes || it->raw.im.data) {
        it->status = 0;
        it->err = (struct xfv_err){0};
        work(p, i, 0);
        xfv_raw_image_clear(&it->raw);
    }
    if (it->status != XFV_ENOMEM) return;
    it->status = xfv_fail_code(&it->err, XFV_ELIMIT, "limit",
                               "there is not enough memory for this photograph (--max-memory, ulimit)");
}

/* ---- writing, in order ---- */

/* The short word of the err record. */
static const char *code_of(const struct xfv_err *e)
{
    if (e->code) return e->code;
    return e->status == XFV_EIO ? "open" : e->status == XFV_ELIMIT ? "limit" : "decode";
}

/* Faces, and err records of those that a limit refused. */
static int put_records(struct xfv_photos *p, struct xfv_photo *it, struct xfv_err *e)
{
    int status = 0;
    for (size_t i = 0; i < it->records.n && !status; i++) {
        struct xfv_rec *r = it->records.v[i];
        char why[256];
        if (xfv_rec_kind(r) != XFV_ERR) p->records++;
        else if (!xfv_get_text(xfv_rec_map(r), "message", why, sizeof why, NULL))
            xfv_cli_record_failed(p->c, it->no, it->name, strlen(it->name), why);
        status = xfv_writer_put(p->w, r, e);
    }
    if (*it->records.note) xfv_cli_doubt(p->c, it->no, it->name, strlen(it->name), it->records.note);
    return status;
}

static int put_item(struct xfv_photos *p, struct xfv_photo *it, struct xfv_err *e)
{
    int status = 0;
    if (!it->status) return put_records(p, it, e);
    if (it->status != XFV_EDATA && it->status != XFV_ELIMIT && it->status != XFV_EIO) {
        char where[360];
        *e = it->err;
        return xfv_fail_at(e, "%s",
                           xfv_cli_where(p->c, "record", it->no, it->name, strlen(it->name), where, sizeof where));
    }
    xfv_cli_record_failed(p->c, it->no, it->name, strlen(it->name), it->err.msg);
    struct xfv_rec *bad = xfv_cli_error_record(p->c, it->name, strlen(it->name), code_of(&it->err), it->err.msg);
    if (!bad) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    status = xfv_writer_put(p->w, bad, e);
    xfv_rec_free(bad);
    return status;
}

static void clear_item(struct xfv_photo *it)
{
    xfv_raw_image_clear(&it->raw);
    xfv_crops_clear(&it->records);
    free(it->path);
    free(it->name);
    memset(it, 0, sizeof *it);
}

/* Work on the gathered images and write what comes of them. */
static int flush(struct xfv_photos *p, struct xfv_err *e)
{
    int status = 0, n = p->held;
    xfv_pool_run(p->pool, n, work, p);
    for (int i = 0; i < n; i++)
        if (p->items[i].status == XFV_ENOMEM) work_alone(p, i);
    for (int i = 0; i < n; i++) {
        if (!status) status = put_item(p, &p->items[i], e);
        clear_item(&p->items[i]);
    }
    p->held = 0;
    p->bytes = 0;
    int total = p->list_path ? 0 : p->n;
    xfv_cli_progress(p->c, p->images, p->images <= (uint64_t)total ? (uint64_t)total : 0, "images");
    return status;
}

/* ---- reading ---- */

static char *name_of(const char *path, int number)
{
    size_t cap = strlen(path) + 24;
    char *s = malloc(cap);
    if (s) snprintf(s, cap, number < 0 ? "%s" : "%s#%d", path, number);
    return s;
}

/* Take in an image, or why there is none (*why). */
static int add_item(struct xfv_photos *p, const char *path, struct xfv_raw_image *raw, int status,
                    const struct xfv_err *why, struct xfv_err *e)
{
    struct xfv_photo *it = &p->items[p->held];
    *it = (struct xfv_photo){.path = strdup(path), .name = name_of(path, raw->number), .raw = *raw, .status = status};
    if (!it->path || !it->name) {
        clear_item(it);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    if (status) it->err = *why;
    if (raw->im.data) memcpy(it->digest, p->digest, sizeof it->digest); /* of the others, the worker makes it */
    p->bytes += raw->n + (raw->im.data ? (size_t)raw->im.width * (size_t)raw->im.height * 3 : 0);
    p->held++;
    it->no = ++p->images;
    return p->held == p->window || p->bytes > WINDOW_BYTES ? flush(p, e) : 0;
}

/* Does a JPEG or PNG image begin where one ends? So it is when photographs are joined by cat, or a film's decoder
 * writes such frames. (A thumbnail lies within.) */
static int holds_several(const struct xfv_raw_image *raw)
{
    static const char jpeg[] = "\xff\xd9\xff\xd8\xff", png[] = "IEND\xae\x42\x60\x82\x89PNG";
    return raw->bytes &&
           (memmem(raw->bytes, raw->n, jpeg, sizeof jpeg - 1) || memmem(raw->bytes, raw->n, png, sizeof png - 1));
}

/* The digest of a file of Netpbm images, which are decoded as they are read; empty for what can be read only once. */
static void digest_netpbm(struct xfv_photos *p, const char *path)
{
    struct stat st;
    FILE *f = *p->digest || stat(path, &st) || !S_ISREG(st.st_mode) ? NULL : fopen(path, "rbe");
    if (!f) return;
    if (xfv_sha256_file(f, p->digest)) p->digest[0] = '\0';
    fclose(f);
}

/* All images of one file. Nothing finished waits for a pipe: before a read that may block, what was gathered is worked
 * on and written. */
static int take_path(struct xfv_photos *p, const char *path, struct xfv_err *e)
{
    struct xfv_image_source *s = NULL;
    struct xfv_raw_image raw = {.number = -1};
    struct xfv_err why = {0};
    struct stat st;
    int status = 0, got;
    if (p->held && strcmp(path, "-") && !stat(path, &st) && !S_ISREG(st.st_mode)) status = flush(p, e);
    if (status) return status;
    got = xfv_image_source_open(&s, path, &why);
    if (got == XFV_EARG) return *e = why, got;
    if (got) return add_item(p, path, &raw, got, &why, e);
    p->digest[0] = '\0';
    for (;;) {
        if (p->held && !xfv_image_source_ready(s) && (status = flush(p, e))) break;
        why = (struct xfv_err){0};
        got = xfv_image_source_next(s, &p->decode, &raw, &why);
        if (got == XFV_EOF) break;
        if (raw.im.data && strcmp(path, "-")) digest_netpbm(p, path);
        if (!strcmp(path, "-") && holds_several(&raw))
            xfv_cli_warn(p->c,
                         "standard input holds more than one image, and only the first is read: name photographs as "
                         "files, or send Netpbm images (ffmpeg: -vcodec ppm)");
        if ((status = add_item(p, path, &raw, got, &why, e))) break;
    }
    xfv_image_source_close(s);
    return status;
}

static int take_listed_name(struct xfv_photos *p, const char *name, const char *shown, int from_stdin,
                            struct xfv_err *e)
{
    if (!*name) return xfv_fail(e, XFV_EARG, "%s: an empty file name", shown);
    if (from_stdin && !strcmp(name, "-"))
        return xfv_fail(e, XFV_EARG, "standard input holds the list of files and cannot be one of them");
    if (strchr(name, '\n') && access(name, F_OK))
        xfv_cli_warn(p->c,
                     "%s: a name of several lines, and no file: names end with NUL here, not with a newline (find "
                     "-print0, tr '\\n' '\\0')",
                     shown);
    return take_path(p, name, e);
}

/* The names of a list, to know how many they are before the first is taken. *names is the caller's to free, also after
 * an error. */
static int read_list(FILE *f, const char *shown, char ***names, size_t *n, struct xfv_err *e)
{
    char *line = NULL;
    size_t room = 0, cap = 0;
    int status = 0;
    while (getdelim(&line, &room, '\0', f) > 0) {
        if (*n == cap) {
            cap = xfv_more(cap, 256);
            if (!XFV_GROW(*names, cap)) {
                status = xfv_fail(e, XFV_ENOMEM, "out of memory for a list of %zu files", *n);
                break;
            }
        }
        (*names)[(*n)++] = line;
        line = NULL;
        room = 0;
    }
    if (!status) status = xfv_lines_end(f, shown, e); /* part of a list has other parts than the whole */
    free(line);
    return status;
}

/* --shard: this part of the list. */
static int take_part(struct xfv_photos *p, FILE *f, const char *shown, struct xfv_err *e)
{
    char **names = NULL;
    size_t n = 0;
    uint64_t from, to;
    int status = read_list(f, shown, &names, &n, e);
    xfv_shard_slice(&p->shard, n, &from, &to);
    for (uint64_t i = from; i < to && !status; i++) status = take_listed_name(p, names[i], shown, f == stdin, e);
    for (size_t i = 0; i < n; i++) free(names[i]);
    free(names);
    return status;
}

/* Every path of a list whose names end in NUL. */
static int take_list(struct xfv_photos *p, struct xfv_err *e)
{
    const char *shown = strcmp(p->list_path, "-") ? p->list_path : "standard input";
    FILE *f = strcmp(p->list_path, "-") ? fopen(p->list_path, "rbe") : stdin;
    if (!f) return xfv_fail(e, XFV_EIO, "cannot open '%s'", shown);
    char *line = NULL;
    size_t room = 0;
    int status = 0;
    errno = 0;
    if (p->shard.n) status = take_part(p, f, shown, e);
    while (!status && getdelim(&line, &room, '\0', f) > 0) status = take_listed_name(p, line, shown, f == stdin, e);
    if (!status) status = xfv_lines_end(f, shown, e);
    free(line);
    if (f != stdin) fclose(f);
    return status;
}

static int take_all(struct xfv_photos *p, struct xfv_err *e)
{
    uint64_t from, to;
    int status = 0;
    if (p->list_path) status = take_list(p, e);
    else if (p->n == 0) status = take_path(p, "-", e);
    xfv_shard_slice(&p->shard, (uint64_t)p->n, &from, &to);
    for (uint64_t i = from; i < to && !status; i++) status = take_path(p, p->names[i], e);
    return status ? status : flush(p, e);
}

/* ---- the run ---- */

int xfv_photos_check(const struct xfv_photos *p, int others, int default_names, struct xfv_err *e)
{
    int from_stdin = others;
    if (p->list_path && p->n)
        return xfv_fail(e, XFV_EARG, "--files0-from names the images: no operand may do so too, found %d", p->n);
    for (int i = 0; i < p->n; i++) from_stdin += !strcmp(p->names[i], "-");
    if (p->list_path) from_stdin += !strcmp(p->list_path, "-");
    else if (p->n == 0 && !default_names) from_stdin++;
    if (p->shard.n && !p->n && !p->list_path)
        return xfv_fail(e, XFV_EARG, "--shard takes a part of the images that operands or --files0-from name");
    if (from_stdin > 1) return xfv_fail(e, XFV_EARG, "standard input ('-') can be read only once");
    return 0;
}

int xfv_photos_seal(const struct xfv_photos *p, struct xfv_err *e)
{
    struct stat st;
    char *line = NULL;
    size_t room = 0;
    int status = 0;
    for (int i = 0; i < p->n; i++) xfv_cli_may_read(p->c, p->names[i]);
    if (p->list_path && (!strcmp(p->list_path, "-") || stat(p->list_path, &st) || !S_ISREG(st.st_mode))) {
        xfv_cli_may_read_any(p->c);
    } else if (p->list_path) {
        FILE *f = fopen(p->list_path, "rbe");
        if (!f) return xfv_fail(e, XFV_EIO, "cannot open '%s'", p->list_path);
        while (getdelim(&line, &room, '\0', f) > 0) xfv_cli_may_read(p->c, line);
        status = xfv_lines_end(f, p->list_path, e);
        free(line);
        fclose(f);
    }
    return status ? status : xfv_cli_seal(p->c, e);
}

int xfv_photos_run(struct xfv_photos *p, struct xfv_err *e)
{
    int n = xfv_pool_size(p->pool);
    size_t most = xfv_cli_max_memory(p->c);
    if (most) p->decode.max_bytes = most / 2;
    p->window = n > 1 ? 4 * n : 1;
    p->items = calloc((size_t)p->window, sizeof *p->items);
    p->seconds = calloc((size_t)n, sizeof *p->seconds);
    int status = p->items && p->seconds ? take_all(p, e) : xfv_fail(e, XFV_ENOMEM, "out of memory for %d workers", n);
    for (int i = 0; i < p->held; i++) clear_item(&p->items[i]);
    for (int i = 0; p->seconds && i < n; i++) p->decode_seconds += p->seconds[i];
    free(p->items);
    free(p->seconds);
    return status;
}
