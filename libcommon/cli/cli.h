/* What every program's main shares: options, messages, exit status, output files, workers, and the loop over a stream's
 * records.
 *
 * A main reads:
 *     int main(int argc, char **argv)
 *     {
 *         int status;
 *         struct xfv_cli *c = xfv_cli_start(&program, argc, argv, &status);
 *         if (!c) return status;
 *         ... set up; on an error e: return xfv_cli_finish(c, &e, 0);
 *         return xfv_cli_finish(c, NULL, xfv_stage_run(c, pool, &stage)); (stage/stage.h)
 *     }
 * This is the one room that prints. */
#ifndef XFV_CLI_CLI_H
#define XFV_CLI_CLI_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/option.h"
#include "stream/stream.h"

#define XFV_VERSION "0.1.0"

enum xfv_exit {
    XFV_EXIT_OK = 0,
    XFV_EXIT_SOME = 1,
    XFV_EXIT_USAGE = 2,
    XFV_EXIT_STREAM = 3,
    XFV_EXIT_SYSTEM = 4,
    XFV_EXIT_MODEL = 5
};

/* A part of the product that only some programs link: started before anything else, named by --version. */
struct xfv_library {
    void (*start)(void);
    void (*version)(FILE *f); /* one line or more */
    size_t reserved;          /* bytes that it maps for each further thread */
};
/* Programs that run a network. Sets OpenBLAS to one thread; --version names OpenBLAS's build and core and our kernels.
 */
extern const struct xfv_library xfv_library_net, xfv_library_image;

/* What a program takes, reads and writes. Each flag brings the options named beside it. */
enum {
    XFV_TAKES_JOBS = 1,        /* -j */
    XFV_TAKES_MODEL = 2,       /* -m */
    XFV_READS_STREAM = 4,      /* --max-record, --timeout; a terminal as the only input is a usage error */
    XFV_READS_STDIN = 32,      /* without operands it reads stdin; a terminal there is a usage error */
    XFV_READS_MODELS = 2048,   /* operands may be models, by name */
    XFV_TIMES_RECORDS = 1024,  /* --timeout, in a program that is no stage */
    XFV_SEALS_LATER = 512,     /* the program calls xfv_cli_seal, once it knows which files it will read */
    XFV_WRITES_STREAM = 8,     /* --no-provenance, --force; a terminal as output is a usage error */
    XFV_WRITES_BINARY = 16,    /* --force: images */
    XFV_MAY_WRITE_TEXT = 64,   /* with XFV_WRITES_STREAM: xfv_cli_out_fd checks for a terminal, not the start */
    XFV_WRITES_MODEL = 4096,   /* the output is a model: only a model is replaced by it */
    XFV_WRITES_PAGE = 8192,    /* the output is an HTML page: likewise */
    XFV_NUMBERS_FILES = 16384  /* a %d in -o stands for a number: many files */
};

struct xfv_program {
    const char *name, *summary; /* "embed", "face records in, with embeddings out" */
    const char *operands;       /* for usage: "[FILE]...", "IMAGE..." */
    const char *example;
    unsigned flags;
    const struct xfv_opt *opts;
    void *ctx;
    const struct xfv_library *libraries[4]; /* NULL-terminated when fewer */
};

struct xfv_cli; /* parsed state of one run */

/* Parse the command line. NULL after -h, -V or a usage error: the text is printed, and main returns *status. */
struct xfv_cli *xfv_cli_start(const struct xfv_program *p, int argc, char **argv, int *status);
size_t xfv_cli_max_memory(const struct xfv_cli *c);                    /* --max-memory; 0: no limit */
int xfv_cli_jobs(const struct xfv_cli *c);                             /* 1 or more */
const char *xfv_cli_model(const struct xfv_cli *c);                    /* NULL: the default */
int xfv_cli_verbose(const struct xfv_cli *c);                          /* -1 quiet, 0, 1 verbose */
int xfv_cli_operands(const struct xfv_cli *c, char ***v);              /* count; v[count] is NULL */
const char *xfv_cli_out_path(const struct xfv_cli *c);                 /* of -o, NULL for stdout */
const struct xfv_limits *xfv_cli_limits(const struct xfv_cli *c);      /* with --max-record */
/* The provenance for xfv_writer_head; NULL under --no-provenance. extra (may be NULL) is kept by pointer. */
const struct xfv_prov *xfv_cli_prov(struct xfv_cli *c, const msgpack_object *extra);
/* As --no-provenance, unless an option that changes the result was given. */
void xfv_cli_keep_head(struct xfv_cli *c);

/* The loop over the records (stage/stage.h) keeps these for messages, progress and the end of the run: the record at
 * hand, from 1; counts so far (reported: err records that an earlier program has reported); the share of the input
 * done, 0..1; the slot of the record at hand. */
struct xfv_seen { uint64_t record_no, faces, pairs, reported; double share; int slot; };
struct xfv_seen *xfv_cli_seen(struct xfv_cli *c);
const struct xfv_program *xfv_cli_program(const struct xfv_cli *c);
const char *const *xfv_cli_drop(const struct xfv_cli *c); /* keys of --drop, NULL-terminated */
void xfv_cli_keep_error(struct xfv_cli *c, const struct xfv_err *e); /* xfv_cli_finish prints it */

/* The sandbox (SANDBOX in xfv(7)). In force when xfv_cli_start returns: from then on only operands, files that options
 * name (XFV_OPT_READS, -m), models and the output can be opened. A program that learns names from a list has
 * XFV_SEALS_LATER: it allows them by xfv_cli_may_read, and seals before it reads anything else. */
void xfv_cli_may_read(struct xfv_cli *c, const char *path);
void xfv_cli_may_read_beside(struct xfv_cli *c, const char *path); /* files in the folder of path, too */
void xfv_cli_may_read_any(struct xfv_cli *c);
int xfv_cli_seal(struct xfv_cli *c, struct xfv_err *e); /* 0, or XFV_ENOMEM */

/* For options with a `set` of their own: range-checked numbers with sentences. */
int xfv_parse_int(const char *what, const char *s, long lo, long hi, long *out, struct xfv_err *e);
int xfv_parse_i32(const char *what, const char *s, long lo, long hi, int *out, struct xfv_err *e);
int xfv_parse_seed(const char *what, const char *s, uint64_t *out, struct xfv_err *e); /* 0 .. LONG_MAX */
int xfv_parse_f64(const char *what, const char *s, double lo, double hi, double *out, struct xfv_err *e);
/* bytes; K, M, G are powers of 1024 */
int xfv_parse_size(const char *what, const char *s, size_t lo, size_t hi, size_t *out, struct xfv_err *e);
/* index into names; NULL-terminated */
int xfv_parse_choice(const char *what, const char *s, const char *const *names, int *out, struct xfv_err *e);
/* a copy; XFV_EARG when it is longer than cap - 1 bytes */
int xfv_parse_text(const char *what, const char *s, char *out, size_t cap, struct xfv_err *e);
/* up to n, commas between; how many, or XFV_EARG */
int xfv_parse_numbers(const char *what, const char *s, double lo, double hi, double *out, int n, struct xfv_err *e);
/* NAME=VALUE, then of ,fmr=F ,fnmr=F ,pairs=N any, and last ,data=TEXT, which may hold commas. */
struct xfv_threshold;
int xfv_parse_threshold(const char *what, const char *s, struct xfv_threshold *out, struct xfv_err *e);

/* One line on stderr, "embed: ...". Control characters in it are escaped, so that a file name or an id cannot forge
 * lines. warn is silent with -q, info speaks only with -v. */
void xfv_cli_warn(struct xfv_cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void xfv_cli_info(struct xfv_cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "embed: a.jpg: sentence"; with -v "embed: record 3 (a.jpg): sentence"; with --private "embed: record 3: sentence",
 * and no name that the id holds stays in the sentence. n 0: there is no id. Also remembers that a record failed: exit
 * status 1. */
void xfv_cli_record_failed(struct xfv_cli *c, uint64_t no, const char *id, size_t n, const char *sentence);
/* "WHAT 3: ..." */
void xfv_cli_failed_at(struct xfv_cli *c, const char *what, uint64_t no, const char *id, size_t n,
                       const char *sentence);
/* The same of a record that is only doubtful: a line for each of the first few, and xfv_cli_finish counts the others. */
void xfv_cli_doubt(struct xfv_cli *c, uint64_t no, const char *id, size_t n, const char *sentence);
/* Write the record's name, "a.jpg", into buf and return it: for an error that ends the run. */
const char *xfv_cli_where(const struct xfv_cli *c, const char *what, uint64_t no, const char *id, size_t n, char *buf,
                          size_t cap);
/* With --private: names that the id holds are taken out of the error's sentence. Returns its status. */
int xfv_cli_hide(struct xfv_cli *c, struct xfv_err *e, const char *id);
/* 1: err records came through a pipe, so an earlier program has reported them; 0 with -v. */
int xfv_cli_reported_before(const struct xfv_cli *c);
/* With --timeout: a thread that looks after the others. Opening the output starts it, and xfv_cli_finish ends it. */
void xfv_watch_open(struct xfv_cli *c);
void xfv_watch_close(struct xfv_cli *c);
/* Called around the work on a record, on the worker's thread: with --timeout the record gets a deadline
 * (base/deadline.h), and the program ends when the record exceeds it by far. xfv_stage_run calls both. */
void xfv_cli_record_begin(struct xfv_cli *c, int worker, uint64_t no, const char *id, size_t n);
void xfv_cli_record_end(struct xfv_cli *c, int worker);
/* The err record of that failure. message is escaped, since it may quote a file name that is not UTF-8; code NULL is
 * "failed". NULL: out of memory. */
struct xfv_rec *xfv_cli_error_record(const struct xfv_cli *c, const char *id, size_t n, const char *code,
                                     const char *message);
/* Exit status 1 when all else is well (err records passed on, verify --exit-status). */
void xfv_cli_some_failed(struct xfv_cli *c);
/* Show "embed: 120 records, 33.1/s, 1:20 left" (done of total when total > 0), at most six times a second, if progress
 * is on. It shows the time left after half a second, when it knows total or the size of the input. */
void xfv_cli_progress(struct xfv_cli *c, uint64_t done, uint64_t total, const char *unit);
int xfv_exit_of(int xfv_status); /* library status -> exit status */
/* The output: stdout, or -o FILE, which is opened before anything is read and gets its name when it is whole (mode 0600
 * or that of the file it replaces). What is no regular file is written in place. fd for streams and models: refuses a
 * terminal without --force (XFV_EARG). FILE* for text, or for binary data in programs with XFV_WRITES_BINARY (refuses a
 * terminal too). XFV_EARG: a file of another kind stands there. */
int xfv_cli_out_fd(struct xfv_cli *c, struct xfv_err *e); /* the descriptor, or a negative status */
FILE *xfv_cli_out_file(struct xfv_cli *c, struct xfv_err *e);
/* Close and rename (ok) or unlink (not ok) and free everything; prints e (or the error that xfv_stage_run kept) and
 * returns the exit status for main: that of the error, else `status`, else 1 when some record failed. An EPIPE dies by
 * SIGPIPE, silently. e may be NULL. */
int xfv_cli_finish(struct xfv_cli *c, const struct xfv_err *e, int status);

/* What an output holds: an existing file of another kind is replaced only with --force. */
enum xfv_out_kind { XFV_OUT_TEXT, XFV_OUT_STREAM, XFV_OUT_MODEL, XFV_OUT_IMAGE, XFV_OUT_PAGE };

/* The same for any further file (one picture a pair) that an option names with XFV_OPT_WRITES or -o with a number in
 * it. */
struct xfv_outfile;
int xfv_outfile_open(struct xfv_outfile **o, const char *path, enum xfv_out_kind kind, struct xfv_err *e);
int xfv_outfile_fd(const struct xfv_outfile *o);
int xfv_outfile_write(struct xfv_outfile *o, const void *data, size_t n, struct xfv_err *e);
int xfv_outfile_commit(struct xfv_outfile *o, struct xfv_err *e); /* close, name; frees o also on failure */
void xfv_outfile_discard(struct xfv_outfile *o);                  /* drop, free; NULL is fine */

/* Workers: run fn(ctx, i, worker) for i = 0..n-1 on the -j workers; returns when all are done. worker is 0..jobs-1.
 * Work items are taken in order. The caller's thread is worker 0. Not to be called from within fn. */
struct xfv_pool;
/* NULL when out of memory; jobs 1 makes no thread; fewer threads when the system has no more */
struct xfv_pool *xfv_pool_new(int jobs);
void xfv_pool_free(struct xfv_pool *p);
int xfv_pool_size(const struct xfv_pool *p);
void xfv_pool_run(struct xfv_pool *p, int n, void (*fn)(void *ctx, int i, int worker), void *ctx);

#endif
