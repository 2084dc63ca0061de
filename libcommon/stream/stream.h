/* Reading and writing streams of records: heads with provenance, end records with count and checksum, concatenation,
 * limits. See xfv-stream(5). One reader and one writer serve every program; neither can be driven into an incorrect
 * stream. */
#ifndef XFV_STREAM_STREAM_H
#define XFV_STREAM_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stream/record.h"

struct xfv_limits {
    size_t max_record; /* bytes of one record; default 256 MiB; option --max-record */
    int of_file;       /* 1: max_record is the size of the one file that is read, so that a larger record was cut off */
    unsigned max_depth; /* arrays and maps within each other, the record itself counts; default 16, at most 30 */
    size_t max_items;  /* elements of all arrays, keys and values of all maps of one record together; default 1 Mi */
    uint64_t max_records; /* records of one input; 0: any number; option --max-records */
};
struct xfv_limits xfv_limits_default(void);

struct xfv_reader; /* opaque */

/* Read from fd (not closed by the reader unless own_fd). name is used in messages. Nothing is read yet. */
int xfv_reader_open(struct xfv_reader **out, int fd, int own_fd, const char *name, const struct xfv_limits *lim,
                    struct xfv_err *e);
void xfv_reader_close(struct xfv_reader *r);

/* Next record, in order: each segment's head comes first (kind XFV_HEAD, magic and version already checked), then its
 * records. End records are checked (count, errors, checksum) and not returned. 0: *out is a record the caller frees.
 * XFV_EOF: the stream ended cleanly after an end record (or: the input was empty -> XFV_ETRUNC, an empty input is not a
 * stream). Anything else: broken; every later call says the same. */
int xfv_reader_next(struct xfv_reader *r, struct xfv_rec **out, struct xfv_err *e);

/* Of a face record what a comparison needs. The pointers hold until the reader's next call. */
struct xfv_template {
    const char *id, *model; /* not NUL-terminated, no NUL within; model: the digest of key "model", "" without it */
    size_t id_n, model_n;
    const void *v;          /* f32 [n], at any alignment; half: f16 [n] */
    size_t n;
    int half;
};
void xfv_template_floats(const struct xfv_template *t, float *out); /* [n], aligned as floats are */
/* 1: the next record is a face that lies whole in the reader's buffer, and *t is what it says; it counts as read, its
 * checksum too, and no record is built. 0: nothing was read; xfv_reader_next reads what comes next, whatever it is. */
int xfv_reader_template(struct xfv_reader *r, struct xfv_template *t);

/* 1 when a whole record is already buffered or input bytes wait on the descriptor, so that next would not block for
 * long; else 0. */
int xfv_reader_ready(struct xfv_reader *r);

/* For inspection tools: on a missing or wrong end, give every readable record first and the error last (this is what
 * next does anyway); with check_end 0 end records are returned as records of kind XFV_END. */
void xfv_reader_show_ends(struct xfv_reader *r, int show);

struct xfv_writer; /* opaque */

/* Write to fd, buffered; flush after each record (records are large, latency matters). */
int xfv_writer_open(struct xfv_writer **out, int fd, struct xfv_err *e);
/* Free without ending: what was written stays a stream without an end, which every reader refuses. Also call after
 * xfv_writer_end. */
void xfv_writer_close(struct xfv_writer *w);

/* What a program says of itself in the head's provenance. args: options that change the result, in option-table order,
 * no file names, no
 * --jobs, no paths. extra (may be NULL): a map with further entries (model, digest, ...), copied. */
struct xfv_prov {
    const char *tool, *version;
    const char *const *args; /* NULL-terminated */
    const msgpack_object *extra;
};

/* Start a segment: writes the head `in` (a copy of the input's head with all its unknown keys; NULL for a source
 * program) with p appended to its provenance (p NULL: unchanged, for viewers). Ends the open segment first when there
 * is one, so f(a+b) = f(a)+f(b). `set` (may be NULL): a map whose keys are put into the head (e.g. "model"). */
int xfv_writer_head(struct xfv_writer *w, const struct xfv_rec *in, const struct xfv_prov *p, const msgpack_object *set,
                    struct xfv_err *e);
/* refuses heads and ends; counts err records */
int xfv_writer_put(struct xfv_writer *w, struct xfv_rec *rec, struct xfv_err *e);
/* end record of the open segment, flushed; writes a head first if there was none */
int xfv_writer_end(struct xfv_writer *w, struct xfv_err *e);
/* Leave these keys out of every record that is put from now on, and of a pair's faces; keys: NULL-terminated, kept by
 * pointer. */
void xfv_writer_leave_out(struct xfv_writer *w, const char *const *keys);
/* fn sees every byte that is written from now on, in order: for a digest. */
void xfv_writer_tap(struct xfv_writer *w, void (*fn)(void *ctx, const void *p, size_t n), void *ctx);
uint64_t xfv_writer_errors(const struct xfv_writer *w); /* err records written so far, all segments */

#endif
