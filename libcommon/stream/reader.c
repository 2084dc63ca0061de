/* The reader: bytes -> xfv_scan finds where an object ends -> msgpack-c builds it -> heads and ends are checked. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/internal.h"
#include "base/crc.h"
#include "base/format.h"
#include "base/wipe.h"

enum { CHUNK = 256 * 1024, SNIFF = 12 /* no head is shorter */ };

struct xfv_reader {
    int fd, own_fd, eof, show_ends;
    char *name;
    struct xfv_limits lim;
    unsigned char *chunk; /* input not yet taken: chunk[at..len) */
    size_t at, len;
    uint64_t offset;      /* of the current record's first byte in the input */
    struct xfv_scan scan; /* of the current record */
    unsigned char *rec;   /* the current record's bytes so far */
    size_t rec_len, rec_cap;

    uint64_t segments;        /* heads seen */
    int in_segment;           /* between a head and its end */
    uint64_t records, errors; /* of this segment */
    uint64_t all_records;     /* of the whole input, for messages */
    size_t unsummed;          /* bytes before chunk[at] that are not in crc yet */
    uint32_t crc;
    char model[80];           /* digest of the first head that names a model; empty when none has */
    int status;               /* once not 0, every call ends with it */
    struct xfv_err err;
};

struct xfv_limits xfv_limits_default(void)
{
    return (struct xfv_limits){.max_record = (size_t)256 << 20, .max_depth = 16, .max_items = (size_t)1 << 20};
}

int xfv_reader_open(struct xfv_reader **out, int fd, int own_fd, const char *name, const struct xfv_limits *lim,
                    struct xfv_err *e)
{
    struct xfv_reader *r = calloc(1, sizeof *r);
    if (!r || !(r->chunk = malloc(CHUNK)) || !(r->name = strdup(name ? name : "input"))) {
        if (r) free(r->chunk);
        free(r);
        return xfv_fail(e, XFV_ENOMEM, "out of memory for a stream reader");
    }
    r->fd = fd;
    r->own_fd = own_fd;
    r->lim = lim ? *lim : xfv_limits_default();
    if (r->lim.max_depth > XFV_DEPTH_CAP) r->lim.max_depth = XFV_DEPTH_CAP;
    r->scan.lim = &r->lim;
    *out = r;
    return 0;
}

void xfv_reader_close(struct xfv_reader *r)
{
    if (!r) return;
    if (r->own_fd) close(r->fd);
    xfv_wipe_free(r->chunk);
    xfv_wipe_free(r->rec);
    free(r->name);
    free(r);
}

void xfv_reader_show_ends(struct xfv_reader *r, int show)
{
    r->show_ends = show;
}

/* read(2) that waits on a non-blocking descriptor and goes on after signals: bytes read, 0 at the end, or negative
 * XFV_EIO. */
static ssize_t read_some(int fd, void *p, size_t n, struct xfv_err *e)
{
    for (;;) {
        ssize_t k = read(fd, p, n);
        if (k >= 0) return k;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd pf = {.fd = fd, .events = POLLIN};
            if (poll(&pf, 1, -1) < 0 && errno != EINTR) return xfv_fail(e, XFV_EIO, "cannot wait for input");
        } else if (errno != EINTR) {
            return xfv_fail(e, XFV_EIO, "cannot read");
        }
    }
}

/* Have at least `least` bytes in the chunk, or all that the input still has. */
static int fill(struct xfv_reader *r, size_t least, struct xfv_err *e)
{
    if (r->at == r->len) r->at = r->len = 0;
    while (r->len - r->at < least && !r->eof) {
        ssize_t k = read_some(r->fd, r->chunk + r->len, CHUNK - r->len, e);
        if (k < 0) return XFV_EIO;
        if (k == 0) r->eof = 1;
        r->len += (size_t)k;
    }
    return 0;
}

static int rec_reserve(struct xfv_reader *r, size_t cap, struct xfv_err *e)
{
    if (cap <= r->rec_cap) return 0;
    unsigned char *p = xfv_wipe_realloc(r->rec, cap);
    if (!p) return xfv_fail(e, XFV_ENOMEM, "out of memory for a record of %zu bytes", cap);
    r->rec = p;
    r->rec_cap = cap;
    return 0;
}

/* Room for n more bytes: doubled, so that many small pieces cost no more than one large one. */
static int rec_append(struct xfv_reader *r, const void *p, size_t n, struct xfv_err *e)
{
    size_t want = r->rec_len + n;
    if (want > r->rec_cap && rec_reserve(r, r->rec_cap && want < 2 * r->rec_cap ? 2 * r->rec_cap : want, e))
        return XFV_ENOMEM;
    memcpy(r->rec + r->rec_len, p, n);
    r->rec_len = want;
    return 0;
}

/* The chunk is used up amid a payload: read the rest of it straight into the record. Never past the payload, so
 * nothing is read ahead; and memory grows with the bytes that came, not with those that a length claims. */
static int read_payload(struct xfv_reader *r, struct xfv_err *e)
{
    while (r->scan.skip > CHUNK / 4 && !r->eof) {
        size_t left = (size_t)r->scan.skip, step = r->rec_len > (1 << 20) ? r->rec_len : 1 << 20, used;
        if (r->rec_len == r->rec_cap && rec_reserve(r, r->rec_len + (left < step ? left : step), e)) return XFV_ENOMEM;
        size_t room = r->rec_cap - r->rec_len;
        ssize_t k = read_some(r->fd, r->rec + r->rec_len, left < room ? left : room, e);
        if (k < 0) return XFV_EIO;
        if (k == 0) r->eof = 1;
        int done = xfv_scan(&r->scan, r->rec + r->rec_len, (size_t)k, &used, e);
        if (done < 0) return done;
        r->rec_len += (size_t)k;
        if (done) return 1;
    }
    return 0;
}

/* What an input that is no stream looks like, by its first bytes; NULL when unknown. */
static const char *sniff(const unsigned char *p, size_t n)
{
    struct xfv_format_info known = xfv_format_of(p, n);
    if (known.name && !(known.reader && !strcmp(known.reader, "stream"))) return known.name;
    size_t text = 0;
    while (text < n && (p[text] == '\n' || p[text] == '\t' || p[text] == '\r' || (p[text] >= ' ' && p[text] < 0x7f)))
        text++;
    return n > 0 && text == n ? "text" : NULL;
}

/* At the boundary before an object: is there one, and may it be a record? 0, XFV_EOF, or what is wrong. */
static int check_start(struct xfv_reader *r, struct xfv_err *e)
{
    int status = fill(r, r->segments ? 1 : SNIFF, e);
    if (status) return status;
    const unsigned char *p = r->chunk + r->at;
    size_t n = r->len - r->at;
    if (n == 0 && r->segments == 0) return xfv_fail(e, XFV_ETRUNC, "empty input: did the program before it fail?");
    if (n == 0 && r->in_segment)
        return xfv_fail(e, XFV_ETRUNC,
                        "no end record after %llu records: the program that wrote the stream failed, or it was cut",
                        (unsigned long long)r->records);
    if (n == 0) return XFV_EOF;
    const char *what = r->segments ? NULL : sniff(p, n);
    if (what)
        return xfv_fail_code(e, XFV_EFORMAT, strstr(what, "image") ? "image" : NULL, "this is %s, not an xfv stream",
                             what);
    if ((*p & 0xf0) == 0x80 || *p == 0xde || *p == 0xdf) return 0;
    if (*p == 0xc1) return xfv_fail(e, XFV_EFORMAT, "not msgpack: byte 0xc1, which msgpack never uses");
    if (r->segments == 0)
        return xfv_fail(e, XFV_EFORMAT, "not an xfv stream: it begins with byte 0x%02x, not with a head record", *p);
    if (!r->in_segment)
        return xfv_fail(e, XFV_EFORMAT, "byte 0x%02x after the end record: only another stream's head may follow", *p);
    return xfv_fail(e, XFV_EFORMAT, "expected a record (a map), found byte 0x%02x", *p);
}

/* Gather one whole object's bytes in r->rec. 0, XFV_EOF, or an error. */
static int read_object(struct xfv_reader *r, struct xfv_err *e)
{
    int done = 0, status = check_start(r, e);
    if (status) return status;
    r->rec_len = 0;
    r->scan = (struct xfv_scan){.lim = &r->lim};
    while (!done) {
        size_t used;
        if (r->at == r->len) {
            status = read_payload(r, e);
            if (status < 0) return status;
            if (status > 0) break;
            status = fill(r, 1, e);
            if (status) return status;
            if (r->at == r->len)
                return xfv_fail(e, XFV_ETRUNC,
                                "input ends %llu bytes into a record: the program that wrote the stream failed, or it "
                                "was cut",
                                (unsigned long long)r->scan.total);
        }
        done = xfv_scan(&r->scan, r->chunk + r->at, r->len - r->at, &used, e);
        if (done < 0) return done;
        status = rec_append(r, r->chunk + r->at, used, e);
        if (status) return status;
        r->at += used;
    }
    return 0;
}

/* The newest program in a head's provenance, "embed 0.1.0", for messages. */
static const char *last_writer(const msgpack_object *root, char out[128])
{
    const msgpack_object *prov = xfv_map_get(root, "provenance");
    char tool[48] = "an unknown program", version[48] = "";
    if (prov && prov->type == MSGPACK_OBJECT_ARRAY && prov->via.array.size > 0) {
        const msgpack_object *last = &prov->via.array.ptr[prov->via.array.size - 1];
        const char *s;
        size_t n;
        if (xfv_get_str(last, "tool", &s, &n, NULL) == 0) xfv_show_text(tool, s, n);
        if (xfv_get_str(last, "version", &s, &n, NULL) == 0) xfv_show_text(version, s, n);
    }
    snprintf(out, 128, "%s%s%s", tool, *version ? " " : "", version);
    return out;
}

static int check_version(const msgpack_object *root, struct xfv_err *e)
{
    const msgpack_object *v = xfv_map_get(root, "version");
    char who[128], show[48];
    if (!v || v->type != MSGPACK_OBJECT_ARRAY || v->via.array.size < 2 ||
        v->via.array.ptr[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
        v->via.array.ptr[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return xfv_fail(e, XFV_EFORMAT, "the head's version must be two integers, major and minor");
    if (v->via.array.ptr[0].via.u64 != XFV_VERSION_MAJOR)
        return xfv_fail(e, XFV_EVERSION,
                        "stream version %llu.%llu, written by %s; this program reads version %d: make the stream anew, "
                        "or take programs of one release",
                        (unsigned long long)v->via.array.ptr[0].via.u64,
                        (unsigned long long)v->via.array.ptr[1].via.u64, last_writer(root, who), XFV_VERSION_MAJOR);
    const msgpack_object *need = xfv_map_get(root, "need");
    if (!need) return 0;
    if (need->type != MSGPACK_OBJECT_ARRAY)
        return xfv_fail(e, XFV_EFORMAT, "the head's key 'need' must be an array of texts");
    if (need->via.array.size == 0) return 0;
    const msgpack_object *first = &need->via.array.ptr[0]; /* version 1.0 knows no feature that a stream could need */
    if (first->type != MSGPACK_OBJECT_STR)
        return xfv_fail(e, XFV_EFORMAT, "the head's key 'need' must be an array of texts");
    return xfv_fail(e, XFV_EVERSION,
                    "the stream, written by %s, needs the feature '%s', which this program does not know",
                    last_writer(root, who), xfv_show_text(show, first->via.str.ptr, first->via.str.size));
}

/* Segments of one stream come from one model: scores and maps of two must not mix unseen. */
static int check_model(struct xfv_reader *r, const msgpack_object *root, struct xfv_err *e)
{
    char digest[sizeof r->model];
    const msgpack_object *model = xfv_map_get(root, "model");
    if (!model || model->type != MSGPACK_OBJECT_MAP || xfv_get_text(model, "digest", digest, sizeof digest, NULL))
        return 0;
    if (!*r->model) memcpy(r->model, digest, sizeof digest);
    if (strcmp(r->model, digest) != 0)
        return xfv_fail(e, XFV_EFORMAT,
                        "streams of different models joined: this head's model has digest %.12s, an earlier head's "
                        "%.12s",
                        digest, r->model);
    return 0;
}

static int check_head(struct xfv_reader *r, struct xfv_rec *rec, struct xfv_err *e)
{
    const msgpack_object_map *m = &rec->root.via.map;
    char show[48];
    if (rec->kind != XFV_HEAD || !xfv_str_is(&m->ptr[0].key, "_")) {
        const char *where = r->segments ? "after the end record" : "at the beginning";
        return xfv_fail(e, XFV_EFORMAT, "expected a head record %s, found one of kind '%s'", where,
                        xfv_show_text(show, rec->name, strlen(rec->name)));
    }
    if (m->size < 2 || !xfv_str_is(&m->ptr[1].key, "magic") || !xfv_str_is(&m->ptr[1].val, "xfv"))
        return xfv_fail(e, XFV_EFORMAT, "not an xfv stream: its head does not go on with \"magic\": \"xfv\"");
    int status = check_version(&rec->root, e);
    if (status == 0) status = check_model(r, &rec->root, e);
    const msgpack_object *prov = xfv_map_get(&rec->root, "provenance");
    if (status == 0 && prov && prov->type != MSGPACK_OBJECT_ARRAY)
        status = xfv_fail(e, XFV_EFORMAT, "the head's provenance must be an array, found %s", xfv_type_name(prov));
    if (status) return status;
    r->segments++;
    r->in_segment = 1;
    r->records = r->errors = 0;
    r->crc = xfv_crc32(0, rec->buf, rec->len);
    return 0;
}

static int check_end(struct xfv_reader *r, struct xfv_rec *rec, struct xfv_err *e)
{
    const struct {
        const char *key;
        uint64_t found;
    } want[] = {{"records", r->records}, {"errors", r->errors}, {"crc32", r->crc}};
    r->in_segment = 0;
    for (size_t i = 0; i < 3; i++) {
        int64_t v;
        int status = xfv_get_int(&rec->root, want[i].key, &v, e);
        if (status) return status;
        if (v >= 0 && (uint64_t)v == want[i].found) continue;
        if (i == 2)
            return xfv_fail(e, XFV_EFORMAT,
                            "the end record says crc32 %#llx, but the bytes give %#llx: the stream was damaged on its "
                            "way",
                            (unsigned long long)v, (unsigned long long)want[i].found);
        return xfv_fail(e, XFV_EFORMAT, "the end record says %lld %s, but %llu came: some were lost or added",
                        (long long)v, want[i].key, (unsigned long long)want[i].found);
    }
    return 0;
}

/* A record has been read: check it by its kind. 0: give it to the caller; 1: an end record, checked, go on; else an
 * error. */
static int check_record(struct xfv_reader *r, struct xfv_rec *rec, struct xfv_err *e)
{
    if (!r->in_segment) return check_head(r, rec, e);
    if (rec->kind == XFV_HEAD)
        return xfv_fail(e, XFV_ETRUNC,
                        "a new head where an end record should be: the stream before it was cut, after %llu records",
                        (unsigned long long)r->records);
    if (rec->kind == XFV_END) {
        int status = check_end(r, rec, e);
        if (!r->show_ends) return status ? status : 1;
        r->status = status; /* show it, then complain */
        if (status) r->err = *e;
        return 0;
    }
    r->crc = xfv_crc32(r->crc, rec->buf, rec->len);
    if (r->lim.max_records && r->all_records >= r->lim.max_records)
        return xfv_fail(e, XFV_ELIMIT, "more than %llu records; --max-records raises this limit",
                        (unsigned long long)r->lim.max_records);
    r->records++;
    r->all_records++;
    r->errors += rec->kind == XFV_ERR;
    return 0;
}

/* One object as a record; kind-specific checks done. */
static int next_record(struct xfv_reader *r, struct xfv_rec **out, struct xfv_err *e)
{
    struct xfv_rec *rec;
    int status = read_object(r, e);
    if (status) return status;
    if (r->rec_cap - r->rec_len >
        r->rec_len / 8) { /* give back what doubling took too much; a failure to shrink is no failure */
        unsigned char *p = realloc(r->rec, r->rec_len);
        if (p) r->rec = p;
    }
    status = xfv_rec_adopt(&rec, r->rec, r->rec_len, r->lim.max_depth, e);
    if (status) return status;
    r->rec = NULL; /* now rec's */
    r->rec_cap = 0;
    status = check_record(r, rec, e);
    if (status < 0 || status == 1)
        xfv_rec_free(rec);
    else
        *out = rec;
    if (status >= 0) r->offset += r->rec_len;
    return status;
}

int xfv_reader_next(struct xfv_reader *r, struct xfv_rec **out, struct xfv_err *e)
{
    *out = NULL;
    r->crc = xfv_crc32(r->crc, r->chunk + r->at - r->unsummed, r->unsummed);
    r->unsummed = 0;
    while (r->status == 0) {
        struct xfv_err err = {0};
        uint64_t at = r->offset;
        int status = next_record(r, out, &err);
        if (r->status) { /* show an end record before its fault ends the stream */
            xfv_fail_at(&r->err, "%s: record %llu, byte %llu", r->name, (unsigned long long)r->all_records + 1,
                        (unsigned long long)at);
            return 0;
        }
        if (status == 0) return 0;
        if (status == 1) continue;
        r->status = status;
        r->err = err;
        if (status == XFV_EOF) break;
        if (r->segments == 0 && r->offset == 0)
            xfv_fail_at(&r->err, "%s", r->name);
        else
            xfv_fail_at(&r->err, "%s: record %llu, byte %llu", r->name, (unsigned long long)r->all_records + 1,
                        (unsigned long long)at);
    }
    if (e && r->status != XFV_EOF) *e = r->err;
    return r->status;
}

/* Is the object at p (n bytes, complete) an end record as our writer spells it? */
static int looks_like_end(const unsigned char *p, size_t n)
{
    return n > 7 && (p[0] & 0xf0) == 0x80 && memcmp(p + 1, "\xa1_\xa3" "end", 6) == 0;
}

int xfv_reader_ready(struct xfv_reader *r)
{
    size_t at = r->at, used;
    if (r->status || r->eof) return 1;
    while (at < r->len) {
        struct xfv_scan s = {.lim = &r->lim};
        /* an error counts: next tells it at once */
        if (xfv_scan(&s, r->chunk + at, r->len - at, &used, NULL) == 0) break;
        if (r->show_ends || !looks_like_end(r->chunk + at, used)) return 1;
        at += used; /* next does not return ends: is there something behind it? */
    }
    struct pollfd pf = {.fd = r->fd, .events = POLLIN};
    return poll(&pf, 1, 0) > 0;
}

int xfv_reader_template(struct xfv_reader *r, struct xfv_template *t)
{
    const unsigned char *p = r->chunk + r->at;
    if (r->status || !r->in_segment || (r->lim.max_records && r->all_records >= r->lim.max_records)) return 0;
    size_t n = xfv_template_scan(p, r->len - r->at, &r->lim, t);
    if (!n) return 0;
    r->unsummed += n;
    r->at += n;
    r->offset += n;
    r->records++;
    r->all_records++;
    return 1;
}
