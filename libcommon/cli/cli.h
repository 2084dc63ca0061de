/* What every program's main shares: options, messages, exit status, output files, workers, and the loop over a stream's records. */
#ifndef XFV_CLI_CLI_H
#define XFV_CLI_CLI_H

#include <stdio.h>

#include "stream/err.h"
#include "stream/stream.h"

#define XFV_VERSION "0.1.0"

enum xfv_exit { XFV_EXIT_OK = 0, XFV_EXIT_SOME = 1, XFV_EXIT_USAGE = 2, XFV_EXIT_STREAM = 3, XFV_EXIT_SYSTEM = 4, XFV_EXIT_MODEL = 5 };

/* One option of a program. Tables end with an entry whose long_name is NULL. The common options (-o -q -v -h -V --progress --max-record
 * --no-provenance, and -j / -m when the program asks for them) are added by the library, spelt and explained alike everywhere. */
struct xfv_opt {
    const char *long_name;
    int short_name;      /* letter, or 0 */
    const char *arg;     /* name of the argument in help, NULL for a flag */
    const char *help;    /* one line */
    int changes_result;  /* 1: goes into the provenance */
    /* Called for each occurrence; value NULL for a flag. Return 0, or xfv_fail(e, XFV_EARG, ...). */
    int (*set)(void *ctx, const char *value, struct xfv_err *e);
};

enum { XFV_TAKES_JOBS = 1, XFV_TAKES_MODEL = 2, XFV_READS_STREAM = 4, XFV_WRITES_STREAM = 8, XFV_WRITES_BINARY = 16 };

struct xfv_program {
    const char *name, *summary; /* "embed", "face records in, with embeddings out" */
    const char *operands;       /* for usage: "[FILE]", "IMAGE..." */
    const char *example;
    unsigned flags;
    const struct xfv_opt *opts;
    void *ctx;
};

struct xfv_cli; /* parsed state of one run */

/* Parse. On -h, -V or a usage error it has printed what is due and *status holds the exit status to return with: then the result is NULL. */
struct xfv_cli *xfv_cli_start(const struct xfv_program *p, int argc, char **argv, int *status);
int xfv_cli_jobs(const struct xfv_cli *c);
const char *xfv_cli_model(const struct xfv_cli *c); /* NULL: the default */
int xfv_cli_verbose(const struct xfv_cli *c);       /* -1 quiet, 0, 1 verbose */
int xfv_cli_operands(const struct xfv_cli *c, char ***v); /* count */

/* Option helpers for set callbacks: range-checked numbers with sentences. */
int xfv_parse_int(const char *what, const char *s, long lo, long hi, long *out, struct xfv_err *e);
int xfv_parse_f64(const char *what, const char *s, double lo, double hi, double *out, struct xfv_err *e);
int xfv_parse_choice(const char *what, const char *s, const char *const *names, int *out, struct xfv_err *e); /* index into names; NULL-terminated */

/* One line on stderr, "embed: ...", after flushing stdout; silent when -q (info) is set. A non-error exit status is remembered. */
void xfv_cli_warn(struct xfv_cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void xfv_cli_info(struct xfv_cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* only with -v */
int xfv_exit_of(int xfv_status); /* library status -> exit status */

/* The output: stdout, or -o FILE written beside and renamed when whole. fd for streams; FILE* for text. Refuses binary to a terminal. */
int xfv_cli_out_fd(struct xfv_cli *c, struct xfv_err *e);
FILE *xfv_cli_out_file(struct xfv_cli *c, struct xfv_err *e);
/* Close and rename (ok) or unlink (not ok) and free everything; reports a pending error; returns the exit status for main. Also maps "some
 * err records were written" to 1. */
int xfv_cli_finish(struct xfv_cli *c, const struct xfv_err *e, int status);

/* Workers: run fn(ctx, i, worker) for i = 0..n-1 on the -j workers; returns when all are done. worker is 0..jobs-1. Work items are taken
 * in order. The caller's thread is worker 0. */
struct xfv_pool;
struct xfv_pool *xfv_pool_new(int jobs); /* NULL when out of memory; jobs 1 makes no thread */
void xfv_pool_free(struct xfv_pool *p);
int xfv_pool_size(const struct xfv_pool *p);
void xfv_pool_run(struct xfv_pool *p, int n, void (*fn)(void *ctx, int i, int worker), void *ctx);

/* The loop of a stream program. Records are read in order; up to `window` of those for which wants() is true are gathered (fewer when the
 * input would block), work() runs on each in parallel, and all are written in input order. err records and kinds the program does not
 * know pass through untouched. */
struct xfv_stage {
    void *ctx;
    int window;                                        /* 0: jobs */
    int (*head)(void *ctx, const struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *prov_extra, struct xfv_err *e); /* each segment's head; may put keys into set and prov_extra; may be NULL */
    int (*wants)(void *ctx, const struct xfv_rec *r);  /* 1: goes through work */
    /* Serial, in order, before work: NULL or 0 to go on; XFV_EDATA turns the record into an err record. */
    int (*prepare)(void *ctx, struct xfv_rec *r, int slot, struct xfv_err *e);
    /* Parallel over records: XFV_EDATA turns the record into an err record; other errors stop the run. slot is 0..window-1. */
    int (*work)(void *ctx, struct xfv_rec *r, int slot, int worker, struct xfv_err *e);
    /* Instead of work: the whole gathered batch at once, for programs that parallelise inside (status[i] as work's result). */
    int (*work_batch)(void *ctx, struct xfv_rec **r, int n, int *status, struct xfv_err *errs, struct xfv_err *e);
    /* Serial, in order, after work; emits the record: NULL means write it. May write any number with xfv_stage_put. */
    int (*emit)(void *ctx, struct xfv_rec *r, struct xfv_writer *w, struct xfv_err *e);
    int (*finish)(void *ctx, struct xfv_writer *w, struct xfv_err *e); /* after the last record, before the end; may be NULL */
};
/* Run over the operands (files, or - / none for stdin). Returns the program's exit status; call xfv_cli_finish's result instead of this one. */
int xfv_stage_run(struct xfv_cli *c, struct xfv_pool *pool, const struct xfv_stage *s);

#endif
