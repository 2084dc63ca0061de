/* Byte strings for the stream's tests: built piece by piece, fed to a reader through a pipe or a file. */
#ifndef STREAMBYTES_H
#define STREAMBYTES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "stream/stream.h"

struct bytes {
    unsigned char *p;
    size_t n;
};

static inline void add(struct bytes *b, const void *p, size_t n)
{
    b->p = realloc(b->p, b->n + n + 1);
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
}
/* A string literal's bytes, NULs within included. */
#define ADD(b, literal) add(b, literal, sizeof(literal) - 1)
#define HEAD_START "\xa1_\xa4head\xa5magic\xa3xfv"
#define HEAD "\x83" HEAD_START "\xa7version\x92\x01\x00"

static inline void add_uint(struct bytes *b, uint32_t v) /* as uint 32 */
{
    unsigned char x[5] = {0xce, (unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8),
                          (unsigned char)v};
    add(b, x, 5);
}

/* An end record after the segment that starts at `from`. */
static inline void add_end(struct bytes *b, size_t from, uint32_t records, uint32_t errors)
{
    uint32_t crc = (uint32_t)crc32(0, b->p + from, (unsigned)(b->n - from));
    ADD(b, "\x84\xa1_\xa3" "end\xa7records");
    add_uint(b, records);
    ADD(b, "\xa6" "errors");
    add_uint(b, errors);
    ADD(b, "\xa5" "crc32");
    add_uint(b, crc);
}

/* A descriptor that reads these bytes. Seeks do not matter to a reader, so a file will do. */
static inline int fd_of(const unsigned char *p, size_t n)
{
    FILE *f = tmpfile();
    if (!f || (n && fwrite(p, 1, n, f) != n) || fflush(f)) abort();
    int fd = dup(fileno(f));
    fclose(f);
    if (fd < 0 || lseek(fd, 0, SEEK_SET)) abort();
    return fd;
}

/* Everything that was written to fd. */
static inline struct bytes all_of(int fd)
{
    struct bytes b = {0};
    char buf[4096];
    ssize_t k;
    lseek(fd, 0, SEEK_SET);
    while ((k = read(fd, buf, sizeof buf)) > 0) add(&b, buf, (size_t)k);
    return b;
}

/* Read all: the final status, the sentence in *e, the number of records (heads not counted) in *n. */
static inline int read_fd(int fd, const struct xfv_limits *lim, int *n, struct xfv_err *e)
{
    struct xfv_reader *r;
    struct xfv_rec *rec;
    int status, count = 0;
    memset(e, 0, sizeof *e);
    if (xfv_reader_open(&r, fd, 1, "in", lim, e)) abort();
    while ((status = xfv_reader_next(r, &rec, e)) == 0) {
        count += xfv_rec_kind(rec) != XFV_HEAD;
        xfv_rec_free(rec);
    }
    if (status != xfv_reader_next(r, &rec, e)) status = 99; /* every later call must say the same */
    xfv_reader_close(r);
    if (n) *n = count;
    return status;
}

static inline int read_bytes(const void *p, size_t len, const struct xfv_limits *lim, int *n, struct xfv_err *e)
{
    return read_fd(fd_of(p, len), lim, n, e);
}

/* Copy what can be read from `in` to a new file, heads with p (may be NULL) added; *status is the reader's final
 * status. The output is ended only after a clean end of input. */
static inline struct bytes copy_fd(int in, const struct xfv_prov *p, int *status)
{
    struct xfv_reader *r;
    struct xfv_writer *w;
    struct xfv_rec *rec;
    struct xfv_err e = {0};
    int out = fd_of(NULL, 0), s;
    if (xfv_reader_open(&r, in, 1, "in", NULL, &e) || xfv_writer_open(&w, out, &e)) abort();
    while ((s = xfv_reader_next(r, &rec, &e)) == 0) {
        int ws = xfv_rec_kind(rec) == XFV_HEAD ? xfv_writer_head(w, rec, p, NULL, &e) : xfv_writer_put(w, rec, &e);
        xfv_rec_free(rec);
        if (ws) abort();
    }
    if (s == XFV_EOF && xfv_writer_end(w, &e)) abort();
    xfv_reader_close(r);
    xfv_writer_close(w);
    struct bytes b = all_of(out);
    close(out);
    if (status) *status = s;
    return b;
}

/* A small stream with every kind of thing in it, canonical: 4 records, one of them an error. */
static inline struct bytes sample(void)
{
    struct bytes b = {0};
    ADD(&b, "\x86" HEAD_START "\xa7version\x92\x01\x00\xa4x-me\x81\xa1k\x93\xc0\xc2\xc3");
    ADD(&b, "\xaaprovenance\x91\x83\xa4tool\xa4test\xa7version\xa1\x31\xa4"
            "args\x91\xa3--x\xa4more\xcb\x3f\xf8\0\0\0\0\0\0");
    ADD(&b, "\x83\xa1_\xa4"
            "face\xa2id\xa5"
            "a.jpg\xa5image\x83\xa5"
            "dtype\xa3|u1\xa5shape\x92\x02\x03\xa4"
            "data\xc4\x06"
            "abcdef");
    ADD(&b, "\x84\xa1_\xa6x-kind\xa1" "a\xca\x3f\x80\0\0\xa1" "b\xd0\x80\xa1" "c\xc7\x03\x05xyz");
    ADD(&b, "\x82\xa1_\xa3" "err\xa2id\xa3q\xff\n"); /* text that is not UTF-8: a file's name may be so */
    ADD(&b, "\x83\xa1_\xa4pair\xa5score\xcb\xbf\xe0\0\0\0\0\0\0\xa1n\xcf\0\0\0\x01\0\0\0\0");
    uint32_t crc = (uint32_t)crc32(0, b.p, (unsigned)b.n);
    ADD(&b, "\x84\xa1_\xa3" "end\xa7records\x04\xa6" "errors\x01\xa5" "crc32");
    add_uint(&b, crc); /* canonical when 65536 or more, which a test checks */
    return b;
}

#endif
