/* The writer, against the reader and against bytes spelt by hand: libcommon/stream/writer.c. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "../tap.h"
#include "streambytes.h"

static struct xfv_err e;

struct out { struct xfv_writer *w; int fd; };
static struct out start(void)
{
    struct out o = {NULL, fd_of(NULL, 0)};
    if (xfv_writer_open(&o.w, o.fd, &e)) abort();
    return o;
}
static struct bytes stop(struct out *o)
{
    struct bytes b = all_of(o->fd);
    xfv_writer_close(o->w);
    close(o->fd);
    return b;
}
static int same(struct bytes got, struct bytes want)
{
    return got.n == want.n && !memcmp(got.p, want.p, want.n);
}

static void test_empty(void)
{
    struct out o = start();
    int r = xfv_writer_end(o.w, &e), again = xfv_writer_end(o.w, &e);
    struct bytes got = stop(&o), want = {0};
    ADD(&want, "\x84" HEAD_START "\xa7version\x92\x01\x00\xaaprovenance\x90");
    uint32_t crc = (uint32_t)crc32(0, want.p, (unsigned)want.n);
    ADD(&want, "\x84\xa1_\xa3" "end\xa7records\x00\xa6" "errors\x00\xa5" "crc32");
    add_uint(&want, crc);
    OK(r == 0 && again == 0 && same(got, want), "a stream of no records: head and end, once");
    OK(read_bytes(got.p, got.n, NULL, NULL, &e) == XFV_EOF, "which the reader accepts");
    free(got.p);
    free(want.p);
}

/* The head of a stream, as a record that the caller frees. */
static struct xfv_rec *head_of(struct bytes b)
{
    struct xfv_reader *r;
    struct xfv_rec *rec = NULL;
    if (xfv_reader_open(&r, fd_of(b.p, b.n), 1, "in", NULL, &e) || xfv_reader_next(r, &rec, &e)) abort();
    xfv_reader_close(r);
    return rec;
}

static void test_provenance(void)
{
    static const char *const args[] = {"--size", "112", NULL};
    struct bytes s = sample();
    struct xfv_rec *in = head_of(s), *got, *keys = xfv_rec_new_named("x");
    msgpack_zone *z = xfv_rec_zone(keys);
    msgpack_object extra = xfv_val_map(z), set = xfv_val_map(z);
    xfv_map_put(z, &extra, "model", xfv_val_str(z, "mobile"), &e);
    xfv_map_put(z, &set, "x-me", xfv_val_int(5), &e);
    xfv_map_put(z, &set, "model", xfv_val_str(z, "m"), &e);
    struct xfv_prov p = {.tool = "embed", .version = "0.1.0", .args = args, .extra = &extra};
    struct out o = start();
    OK(xfv_writer_head(o.w, in, &p, &set, &e) == 0 && xfv_writer_end(o.w, &e) == 0, "a head with provenance and keys "
                                                                                    "of its own is written");
    struct bytes b = stop(&o);
    got = head_of(b);
    const msgpack_object *m = xfv_rec_root(got), *list = xfv_map_get(m, "provenance");
    char text[32] = "";
    int64_t five = 0;
    OK(list && list->type == MSGPACK_OBJECT_ARRAY && list->via.array.size == 2, "the provenance has one entry more");
    OK(xfv_get_text(&list->via.array.ptr[0], "tool", text, sizeof text, &e) == 0 && !strcmp(text, "test"), "the old "
                                                                                                           "one first");
    const msgpack_object *last = &list->via.array.ptr[1], *a = xfv_map_get(last, "args");
    OK(xfv_get_text(last, "tool", text, sizeof text, &e) == 0 && !strcmp(text, "embed") && a->via.array.size == 2 &&
           xfv_get_text(last, "model", text, sizeof text, &e) == 0 && !strcmp(text, "mobile"),
       "the new one last, with tool, args and what the program adds");
    OK(xfv_get_int(m, "x-me", &five, &e) == 0 && five == 5 && m->via.map.size == 7 &&
           !memcmp(m->via.map.ptr[6].key.via.str.ptr, "model", 5),
       "keys are replaced in place or added at the end");
    OK(xfv_map_get(xfv_rec_root(in), "x-me")->type == MSGPACK_OBJECT_MAP && xfv_rec_root(in)->via.map.size == 6,
       "and the input's head is as it was");
    xfv_rec_free(got);
    free(b.p);

    o = start();
    xfv_map_put(z, &set, "magic", xfv_val_int(5), &e);
    OK(xfv_writer_head(o.w, in, &p, &set, &e) == XFV_EARG && strstr(e.msg, "magic"),
       "the writer's own keys are refused: %s", e.msg);
    xfv_map_put(z, &extra, "tool", xfv_val_int(5), &e);
    OK(xfv_writer_head(o.w, in, &p, NULL, &e) == XFV_EARG, "also in the provenance: %s", e.msg);
    b = stop(&o);
    OK(b.n == 0, "and nothing is written");
    free(b.p);
    xfv_rec_free(keys);
    xfv_rec_free(in);
    free(s.p);
}

static void test_segments(void)
{
    static const struct xfv_prov p = {.tool = "t", .version = "1"};
    struct bytes s = sample(), twice = {0}, one, both, want = {0};
    add(&twice, s.p, s.n);
    add(&twice, s.p, s.n);
    one = copy_fd(fd_of(s.p, s.n), &p, NULL);
    both = copy_fd(fd_of(twice.p, twice.n), &p, NULL);
    add(&want, one.p, one.n);
    add(&want, one.p, one.n);
    OK(same(both, want), "what a program makes of two joined streams is what it makes of each, joined");
    OK(one.n > s.n && read_bytes(one.p, one.n, NULL, NULL, &e) == XFV_EOF, "with an entry of provenance in each");
    free(s.p);
    free(twice.p);
    free(one.p);
    free(both.p);
    free(want.p);
}

static void test_misuse(void)
{
    struct out o = start();
    struct bytes s = sample();
    struct xfv_rec *head = head_of(s), *end = xfv_rec_new(XFV_END), *rec = xfv_rec_new(XFV_FACE),
                   *err = xfv_rec_error("a", 1, "t", "c", "m");
    msgpack_zone *z = xfv_rec_zone(rec);
    OK(xfv_writer_put(o.w, head, &e) == XFV_EARG && xfv_writer_put(o.w, end, &e) == XFV_EARG,
       "heads and ends are not records: %s", e.msg);
    OK(xfv_writer_head(o.w, rec, NULL, NULL, &e) == XFV_EARG, "and a record is no head: %s", e.msg);
    msgpack_object twice = xfv_val_copy(z, xfv_rec_root(rec));
    xfv_map_put(z, &twice, "k", xfv_val_int(1), &e);
    xfv_map_put(z, &twice, "l", xfv_val_int(1), &e);
    twice.via.map.ptr[2].key = twice.via.map.ptr[1].key;
    xfv_map_put(z, xfv_rec_root(rec), "m", twice, &e);
    OK(xfv_writer_put(o.w, rec, &e) == XFV_EARG && strstr(e.msg, "twice"), "a key twice: %s", e.msg);
    msgpack_object deep = xfv_val_array(z);
    for (int i = 0; i < 15; i++) {
        msgpack_object outer = xfv_val_array(z);
        xfv_array_push(z, &outer, deep, &e);
        deep = outer;
    }
    xfv_map_put(z, xfv_rec_root(rec), "m", deep, &e);
    OK(xfv_writer_put(o.w, rec, &e) == XFV_EARG && strstr(e.msg, "nested"), "nested deeper than a reader takes: %s",
       e.msg);
    xfv_map_put(z, xfv_rec_root(rec), "m", deep.via.array.ptr[0], &e);
    OK(xfv_writer_put(o.w, rec, &e) == 0, "a level less goes");
    xfv_map_put(z, xfv_rec_root(rec), "_", xfv_val_str(z, "end"), &e);
    OK(xfv_writer_put(o.w, rec, &e) == XFV_EARG && strstr(e.msg, "'_'"), "a record turned into an end: %s", e.msg);
    OK(xfv_writer_put(o.w, err, &e) == 0 && xfv_writer_errors(o.w) == 1, "err records are counted");
    OK(xfv_writer_end(o.w, &e) == 0, "the stream ends");
    struct bytes b = stop(&o);
    int n;
    OK(read_bytes(b.p, b.n, NULL, &n, &e) == XFV_EOF && n == 2, "and is whole: what was refused left no trace");
    free(b.p);
    free(s.p);
    xfv_rec_free(head);
    xfv_rec_free(end);
    xfv_rec_free(rec);
    xfv_rec_free(err);
}

static void test_no_end(void)
{
    struct out o = start();
    struct xfv_rec *rec = xfv_rec_new(XFV_FACE);
    int r = xfv_writer_put(o.w, rec, &e);
    struct bytes b = stop(&o);
    OK(r == 0 && b.n > 40 && read_bytes(b.p, b.n, NULL, NULL, &e) == XFV_ETRUNC,
       "records are written at once; without an end they are no stream: %s", e.msg);
    free(b.p);
    xfv_rec_free(rec);
}

/* A failing descriptor, small and large records. */
static void failing(int fd, int sys_errno, size_t size, const char *what)
{
    struct xfv_writer *w;
    struct xfv_tensor t;
    struct xfv_rec *rec = xfv_rec_new(XFV_FACE);
    if (xfv_writer_open(&w, fd, &e) || xfv_tensor_alloc(&t, XFV_U8, 1, &size, &e)) abort();
    if (xfv_map_put(xfv_rec_zone(rec), xfv_rec_root(rec), "t", xfv_val_tensor(xfv_rec_zone(rec), &t), &e)) abort();
    int status = xfv_writer_put(w, rec, &e);
    OK(status == XFV_EIO && e.sys_errno == sys_errno && strstr(e.msg, "cannot write"), "%s, %zu bytes: %s", what, size,
       e.msg);
    memset(&e, 0, sizeof e);
    OK(xfv_writer_put(w, rec, &e) == XFV_EIO && xfv_writer_end(w, &e) == XFV_EIO &&
           xfv_writer_head(w, NULL, NULL, NULL, &e) == XFV_EIO && e.sys_errno == sys_errno,
       "and it stays so");
    xfv_writer_close(w);
    xfv_tensor_clear(&t);
    xfv_rec_free(rec);
}

static void test_failures(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (int large = 0; large < 2; large++) {
        size_t size = large ? 300000 : 3;
        int p[2], full = open("/dev/full", O_WRONLY);
        failing(full, ENOSPC, size, "a full device");
        close(full);
        if (pipe(p)) abort();
        close(p[0]);
        failing(p[1], EPIPE, size, "a pipe nobody reads");
        close(p[1]);
        failing(-1, EBADF, size, "no descriptor");
    }
}

int main(void)
{
    test_empty();
    test_provenance();
    test_segments();
    test_misuse();
    test_no_end();
    test_failures();
    return tap_done();
}
