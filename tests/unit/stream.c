/* The reader: libcommon/stream/{scan,reader}.c. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>

#include "../tap.h"
#include "streambytes.h"

static struct xfv_err e;

static void test_whole(void)
{
    struct bytes s = sample(), twice = {0}, out;
    int n, status;
    OK(read_bytes(s.p, s.n, NULL, &n, &e) == XFV_EOF && n == 4, "a whole stream is read");
    out = copy_fd(fd_of(s.p, s.n), NULL, &status);
    OK(out.n == s.n && !memcmp(out.p, s.p, s.n), "and written again, byte by byte the same: unknown keys, kinds and "
                                                 "extension types pass");
    free(out.p);
    add(&twice, s.p, s.n);
    add(&twice, s.p, s.n);
    OK(read_bytes(twice.p, twice.n, NULL, &n, &e) == XFV_EOF && n == 8, "two streams joined are a stream");
    out = copy_fd(fd_of(twice.p, twice.n), NULL, &status);
    OK(out.n == twice.n && !memcmp(out.p, twice.p, twice.n), "which passes in two segments, the same bytes again");
    free(out.p);
    free(twice.p);
    free(s.p);
}

struct feed { int fd; const unsigned char *p; size_t n; };
static void *feed_bytes(void *arg)
{
    struct feed *f = arg;
    for (size_t i = 0; i < f->n; i++)
        if (send(f->fd, f->p + i, 1, 0) != 1) abort();
    close(f->fd);
    return NULL;
}

static void test_byte_by_byte(int nonblocking)
{
    struct bytes s = sample(), out;
    int sv[2], status; /* a packet socket: each read gets one byte, however fast they are sent */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv)) abort();
    if (nonblocking && fcntl(sv[0], F_SETFL, O_NONBLOCK)) abort();
    struct feed f = {sv[1], s.p, s.n};
    pthread_t t;
    if (pthread_create(&t, NULL, feed_bytes, &f)) abort();
    out = copy_fd(sv[0], NULL, &status);
    pthread_join(t, NULL);
    OK(status == XFV_EOF && out.n == s.n && !memcmp(out.p, s.p, s.n), "one byte a read gives the same%s",
       nonblocking ? ", on a non-blocking descriptor" : "");
    free(out.p);
    free(s.p);
}

static void test_cuts(void)
{
    struct bytes s = sample();
    int bad = 0, n, before = 0, disorder = 0;
    for (size_t cut = 0; cut < s.n; cut++) {
        int status = read_bytes(s.p, cut, NULL, &n, &e);
        bad += status != XFV_ETRUNC || !*e.msg;
        disorder += n < before || n > 4;
        before = n;
    }
    OK(!bad, "cut at any of its %zu bytes, a stream is cut", s.n);
    OK(!disorder && before == 4, "and every record before the cut is given");
    for (size_t i = 0; i < s.n * 8; i++) {
        s.p[i / 8] ^= (unsigned char)(1 << i % 8);
        int status = read_bytes(s.p, s.n, NULL, &n, &e);
        bad += status == XFV_EOF || status >= 0;
        s.p[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    OK(!bad, "any of its %zu bits turned over, it is refused", s.n * 8);
    free(s.p);
}

/* One refused input: the status, and a part of the sentence. */
static void refused(struct bytes *b, int status, const char *part, const char *what)
{
    int got = read_bytes(b->p, b->n, NULL, NULL, &e);
    if (!OK(got == status && strstr(e.msg, part), "%s: %s", what, e.msg))
        printf("#   status %d, wanted %d and '%s'\n", got, status, part);
    free(b->p);
    *b = (struct bytes){0};
}

static void test_not_a_stream(void)
{
    struct bytes b = {0};
    refused(&b, XFV_ETRUNC, "empty input", "nothing");
    ADD(&b, "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01");
    refused(&b, XFV_EFORMAT, "this is a JPEG image, not an xfv stream", "a JPEG image");
    ADD(&b, "\xff\xd8\xff");
    refused(&b, XFV_EFORMAT, "a JPEG image", "the first three bytes of one");
    ADD(&b, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    refused(&b, XFV_EFORMAT, "a PNG image", "a PNG image, whose first byte would do for a map");
    ADD(&b, "P6\n112 112\n255\n\1\2\3");
    refused(&b, XFV_EFORMAT, "a PNM image", "a PNM image");
    ADD(&b, "\x1f\x8b\x08\0\0\0\0\0\0\3\1\2\3");
    refused(&b, XFV_EFORMAT, "gzip data", "a compressed stream");
    ADD(&b, "{\"_\":\"head\",\"magic\":\"xfv\"}\n");
    refused(&b, XFV_EFORMAT, "this is text", "JSON");
    ADD(&b, "\xc1\xc1\xc1");
    refused(&b, XFV_EFORMAT, "0xc1", "a byte that msgpack does not have");
    ADD(&b, "\x93\x01\x02\x03");
    refused(&b, XFV_EFORMAT, "begins with byte 0x93", "an array");
    ADD(&b, "\x82\xa1_\xa4" "face\xa2id\xa1" "a");
    refused(&b, XFV_EFORMAT, "expected a head record", "a record without a head");
    ADD(&b, "\x82\xa1_\xa4head\xa1k\x01");
    refused(&b, XFV_EFORMAT, "magic", "a head without magic");
    ADD(&b, "\x83\xa5magic\xa3xfv\xa1_\xa4head\xa7version\x92\x01\x00");
    refused(&b, XFV_EFORMAT, "head", "magic before the kind");
    ADD(&b, "\x83" HEAD_START "\xa1v\x92\x01\x00");
    refused(&b, XFV_EFORMAT, "version", "a head without version");
    ADD(&b, "\x83" HEAD_START "\xa7version\x91\x01");
    refused(&b, XFV_EFORMAT, "version", "a version of one number");
    ADD(&b, "\x84" HEAD_START "\xa7version\x92\x01\x00\xaaprovenance\x01");
    refused(&b, XFV_EFORMAT, "provenance", "a provenance that is no list");
}

static void test_versions(void)
{
    struct bytes b = {0};
    ADD(&b, "\x83" HEAD_START "\xa7version\x92\x01\x09");
    add_end(&b, 0, 0, 0);
    OK(read_bytes(b.p, b.n, NULL, NULL, &e) == XFV_EOF, "a later minor version is read");
    b.n = 0;
    ADD(&b, "\x84" HEAD_START "\xa7version\x92\x02\x03\xaaprovenance\x92\x01\x82\xa4tool\xa5"
            "embed\xa7version\xa3"
            "9.1");
    refused(&b, XFV_EVERSION, "2.3, written by embed 9.1", "another major version");
    ADD(&b, "\x83" HEAD_START "\xa7version\x92\x02\x00");
    refused(&b, XFV_EVERSION, "unknown program", "another major version, from nowhere");
    ADD(&b, "\x84" HEAD_START "\xa7version\x92\x01\x00\xa4need\x91\xa5magic");
    refused(&b, XFV_EVERSION, "needs the feature 'magic'", "a feature that is needed");
    ADD(&b, "\x84" HEAD_START "\xa7version\x92\x01\x00\xa4need\x90");
    add_end(&b, 0, 0, 0);
    OK(read_bytes(b.p, b.n, NULL, NULL, &e) == XFV_EOF, "no feature that is needed");
    free(b.p);
}

static void test_bad_records(void)
{
    static const struct { const char *p; size_t n; int status; const char *part, *what;
    } all[] = {
#define BAD(bytes, status, part, what) {bytes, sizeof(bytes) - 1, status, part, what}
        BAD("\x82\xa1_\xa1x\xc1", XFV_EFORMAT, "0xc1", "byte 0xc1 in a record"),
        BAD("\x83\xa1_\xa1x\xa1k\x01\xa1k\x02", XFV_EFORMAT, "'k' occurs twice", "a key twice"),
        BAD("\x82\xa1_\xa1x\xa1m\x82\xa1k\x01\xd9\x01k\x02", XFV_EFORMAT, "'k' occurs twice",
            "a key twice, below, spelt in two ways"),
        BAD("\x82\xa1_\xa1x\x05\x01", XFV_EFORMAT, "key is an integer", "a key that is a number"),
        BAD("\x82\xa1_\xa1x\xc4\x01k\x01", XFV_EFORMAT, "key is bytes", "a key that is bytes"),
        BAD("\x82\xa1_\xa1x\xa2"
            "a\0\x01",
            XFV_EFORMAT, "NUL", "a key with a NUL"),
        BAD("\x82\xa1_\xa1x\xa2"
            "a\xff\x01",
            XFV_EFORMAT, "not UTF-8", "a key that is not UTF-8"),
        BAD("\x81\xa1k\xa1x", XFV_EFORMAT, "'_'", "a record without a kind"),
        BAD("\x80", XFV_EFORMAT, "'_'", "an empty map"),
        BAD("\x81\xa1_\x01", XFV_EFORMAT, "expected text, found an integer", "a kind that is a number"),
        BAD("\x81\xa1_\xa2"
            "e\0",
            XFV_EFORMAT, "NUL", "a kind with a NUL"),
        BAD("\x93\x01\x02\x03", XFV_EFORMAT, "expected a record", "an array among the records"),
        BAD("\x82\xa1_\xa1x\xa1k\xdd\xff\xff\xff\xff", XFV_ELIMIT, "elements",
            "an array that claims 4 Gi elements in 5 bytes"),
        BAD("\xdf\xff\xff\xff\xff", XFV_ELIMIT, "elements", "a map that does"),
        BAD("\x82\xa1_\xa1x\xa1k\xc6\xff\xff\xff\xff", XFV_ELIMIT, "--max-record", "bytes that claim 4 GiB"),
        BAD("\x82\xa1_\xa1x\xa1k\xdb\xf0\x00\x00\x00", XFV_ELIMIT, "--max-record", "text that does"),
        BAD("\x82\xa1_\xa1x\xa1k\xc9\x7f\xff\xff\xff\x01", XFV_ELIMIT, "--max-record", "an extension that does"),
        BAD("\x82\xa1_\xa1x\xa1k\xc6\x08\x00\x00\x00"
            "abc",
            XFV_ETRUNC, "into a record", "bytes that claim 128 MiB, and end"),
        BAD("\x82\xa1_\xa1x\xa1k\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01", XFV_ELIMIT,
            "nested deeper than 16", "17 levels"),
        BAD(HEAD, XFV_ETRUNC, "a new head", "a head before the end"),
#undef BAD
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct bytes b = {0};
        ADD(&b, HEAD);
        ADD(&b, "\x81\xa1_\xa1y");
        size_t at = b.n;
        char where[64];
        add(&b, all[i].p, all[i].n);
        if (all[i].status != XFV_ETRUNC) add_end(&b, 0, 2, 0);
        int n, got = read_bytes(b.p, b.n, NULL, &n, &e);
        snprintf(where, sizeof where, "in: record 2, byte %zu: ", at);
        OK(got == all[i].status && n == 1 && strstr(e.msg, all[i].part) && !strncmp(e.msg, where, strlen(where)),
           "%s: %s", all[i].what, e.msg);
        free(b.p);
    }
    struct bytes b = {0};
    ADD(&b, HEAD "\x82\xa1_\xa1x\xa1k\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01");
    add_end(&b, 0, 1, 0);
    OK(read_bytes(b.p, b.n, NULL, NULL, &e) == XFV_EOF, "16 levels are read");
    free(b.p);
}

/* A map of 1000 keys takes another way to look for doubles. */
static void test_large_map(void)
{
    for (int twice = 0; twice < 2; twice++) {
        struct bytes b = {0};
        ADD(&b, HEAD "\xde\x03\xe9\xa1_\xa1x");
        for (int i = 0; i < 1000; i++) {
            char key[8];
            snprintf(key, sizeof key, "\xa4%04d", twice && i == 999 ? 3 : i * 7 % 1000);
            add(&b, key, 5);
            ADD(&b, "\x01");
        }
        add_end(&b, 0, 1, 0);
        int status = read_bytes(b.p, b.n, NULL, NULL, &e);
        OK(twice ? status == XFV_EFORMAT && strstr(e.msg, "twice") : status == XFV_EOF, "1000 keys%s",
           twice ? ", one twice" : "");
        free(b.p);
    }
}

static void test_limits(void)
{
    struct bytes b = {0};
    ADD(&b, HEAD "\x82\xa1_\xa1x\xa1k\xc4\x64");
    for (int i = 0; i < 100; i++) ADD(&b, "b");
    add_end(&b, 0, 1, 0);
    struct xfv_limits lim = xfv_limits_default();
    size_t record = 1 + 4 + 2 + 2 + 100;
    lim.max_record = record;
    OK(read_bytes(b.p, b.n, &lim, NULL, &e) == XFV_EOF, "a record as large as the limit is read");
    lim.max_record = record - 1;
    OK(read_bytes(b.p, b.n, &lim, NULL, &e) == XFV_ELIMIT && strstr(e.msg, "--max-record"), "one larger is not: %s",
       e.msg);
    lim = xfv_limits_default();
    lim.max_items = 8; /* as many as the end record has */
    OK(read_bytes(b.p, b.n, &lim, NULL, &e) == XFV_EOF, "as many elements as the limit");
    lim.max_items = 7;
    OK(read_bytes(b.p, b.n, &lim, NULL, &e) == XFV_ELIMIT, "one more: %s", e.msg);
    free(b.p);
}

static void test_ends(void)
{
    struct bytes b = {0};
    ADD(&b, HEAD "\x81\xa1_\xa1x");
    add_end(&b, 0, 2, 0);
    refused(&b, XFV_EFORMAT, "says 2 records, but 1 came", "a wrong count of records");
    ADD(&b, HEAD "\x81\xa1_\xa1x");
    add_end(&b, 0, 1, 1);
    refused(&b, XFV_EFORMAT, "says 1 errors, but 0 came", "a wrong count of errors");
    ADD(&b, HEAD "\x81\xa1_\xa1x");
    add_end(&b, 1, 1, 0);
    refused(&b, XFV_EFORMAT, "crc32", "a wrong checksum");
    ADD(&b, HEAD "\x81\xa1_\xa3" "end");
    refused(&b, XFV_EFORMAT, "'records'", "an end that says nothing");
    ADD(&b, HEAD);
    add_end(&b, 0, 0, 0);
    ADD(&b, "\n");
    refused(&b, XFV_EFORMAT, "after the end record", "a newline after the end");
    ADD(&b, HEAD);
    add_end(&b, 0, 0, 0);
    ADD(&b, "\x81\xa1_\xa1x");
    refused(&b, XFV_EFORMAT, "expected a head record after the end record", "a record after the end");
}

static void test_models(void)
{
    struct bytes b = {0};
#define MODEL_HEAD(d) "\x84" HEAD_START "\xa7version\x92\x01\x00\xa5model\x82\xa4name\xa1m\xa6" "digest\xa4" d
    ADD(&b, MODEL_HEAD("aaaa"));
    add_end(&b, 0, 0, 0);
    size_t from = b.n;
    ADD(&b, HEAD);
    add_end(&b, from, 0, 0);
    from = b.n;
    ADD(&b, MODEL_HEAD("aaaa"));
    add_end(&b, from, 0, 0);
    OK(read_bytes(b.p, b.n, NULL, NULL, &e) == XFV_EOF, "streams of one model, or none, join");
    from = b.n;
    ADD(&b, MODEL_HEAD("bbbb"));
    add_end(&b, from, 0, 0);
    refused(&b, XFV_EFORMAT, "different models", "streams of two models do not");
}

static void test_show_ends(void)
{
    struct bytes b = {0};
    struct xfv_reader *r;
    struct xfv_rec *rec;
    ADD(&b, HEAD "\x81\xa1_\xa1x");
    add_end(&b, 0, 7, 0);
    if (xfv_reader_open(&r, fd_of(b.p, b.n), 1, "in", NULL, &e)) abort();
    xfv_reader_show_ends(r, 1);
    enum xfv_kind kinds[] = {XFV_HEAD, XFV_OTHER, XFV_END};
    int bad = 0;
    for (int i = 0; i < 3; i++) {
        bad += xfv_reader_next(r, &rec, &e) != 0 || xfv_rec_kind(rec) != kinds[i];
        xfv_rec_free(rec);
    }
    OK(!bad && xfv_reader_next(r, &rec, &e) == XFV_EFORMAT && strstr(e.msg, "records"),
       "a wrong end is shown, then refused: %s", e.msg);
    xfv_reader_close(r);
    free(b.p);
}

static void test_ready(void)
{
    struct bytes s = sample();
    struct xfv_reader *r;
    struct xfv_rec *rec;
    int p[2], n = 0;
    if (pipe(p) || xfv_reader_open(&r, p[0], 1, "in", NULL, &e)) abort();
    OK(xfv_reader_ready(r) == 0, "an empty pipe is not ready");
    if (write(p[1], s.p, s.n) != (ssize_t)s.n) abort();
    OK(xfv_reader_ready(r) == 1, "one with bytes is");
    while (xfv_reader_ready(r) && xfv_reader_next(r, &rec, &e) == 0) {
        xfv_rec_free(rec);
        n++;
    }
    OK(n == 5, "a head and four records are ready, but an end alone has nothing to give");
    close(p[1]);
    OK(xfv_reader_ready(r) == 1 && xfv_reader_next(r, &rec, &e) == XFV_EOF && xfv_reader_ready(r) == 1,
       "the end of the input is ready");
    xfv_reader_close(r);
    free(s.p);
}

struct big { int fd, count; size_t size; };
static void *feed_big(void *arg)
{
    struct big *b = arg;
    struct xfv_writer *w;
    struct xfv_err err = {0};
    struct xfv_tensor t;
    if (xfv_writer_open(&w, b->fd, &err) || xfv_tensor_alloc(&t, XFV_U8, 1, &b->size, &err)) abort();
    for (size_t i = 0; i < b->size; i++) ((unsigned char *)t.data)[i] = (unsigned char)(i * 2654435761u >> 13);
    for (int i = 0; i < b->count; i++) {
        struct xfv_rec *rec = xfv_rec_new(XFV_FACE);
        if (xfv_map_put(xfv_rec_zone(rec), xfv_rec_root(rec), "t", xfv_val_tensor_ref(xfv_rec_zone(rec), &t), &err) ||
            xfv_writer_put(w, rec, &err))
            abort();
        xfv_rec_free(rec);
    }
    if (xfv_writer_end(w, &err)) abort();
    xfv_writer_close(w);
    xfv_tensor_clear(&t);
    close(b->fd);
    return NULL;
}

static void test_big(void)
{
    static const size_t sizes[] = {15, 16383, 16384, 65535, 65536, 262144, 400000, 5000001, 40000000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct xfv_reader *r;
        struct xfv_rec *rec;
        struct xfv_tensor v;
        int p[2], bad = 0, n = 0, status;
        if (pipe(p) || xfv_reader_open(&r, p[0], 1, "in", NULL, &e)) abort();
        struct big b = {p[1], 3, sizes[k]};
        pthread_t t;
        if (pthread_create(&t, NULL, feed_big, &b)) abort();
        while ((status = xfv_reader_next(r, &rec, &e)) == 0) {
            if (xfv_rec_kind(rec) == XFV_FACE) {
                n++;
                bad += xfv_get_tensor_view(xfv_rec_root(rec), "t", &v, &e) || v.shape[0] != sizes[k];
                for (size_t i = 0; !bad && i < sizes[k]; i++)
                    bad += ((unsigned char *)v.data)[i] != (unsigned char)(i * 2654435761u >> 13);
            }
            xfv_rec_free(rec);
        }
        pthread_join(t, NULL);
        OK(status == XFV_EOF && n == 3 && !bad, "tensors of %zu bytes through a pipe", sizes[k]);
        xfv_reader_close(r);
    }
}

static void test_directory(void)
{
    int fd = open("/", O_RDONLY);
    OK(read_fd(fd, NULL, NULL, &e) == XFV_EIO && e.sys_errno && strstr(e.msg, "cannot read"), "a folder: %s", e.msg);
}

int main(void)
{
    test_whole();
    test_byte_by_byte(0);
    test_byte_by_byte(1);
    test_cuts();
    test_not_a_stream();
    test_versions();
    test_bad_records();
    test_large_map();
    test_limits();
    test_ends();
    test_models();
    test_show_ends();
    test_ready();
    test_big();
    test_directory();
    return tap_done();
}
