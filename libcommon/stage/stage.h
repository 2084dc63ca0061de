/* Programs that read streams: the loop over a stream's records, and the model and images of its faces. */
#ifndef XFV_STAGE_STAGE_H
#define XFV_STAGE_STAGE_H

#include "cli/cli.h"

/* The model that a stream's embeddings were made with: -m, else the one that the head's "model" {"name","digest"}
 * names, else the default. When the head gives a digest, the file must have it. Kept in *m (NULL at first; freed by
 * the caller) and loaded again only when another segment needs another one. XFV_EMODEL. */
struct xfv_model;
int xfv_cli_stream_model(struct xfv_cli *c, const struct xfv_rec *head, struct xfv_model **m, struct xfv_err *e);
/* The kernels in use, for the provenance, since their last bits differ: "avx" of either width, "neon", "generic", or
 * one that XFV_KERNELS names. */
const char *xfv_stage_kernels(void);
/* Into the provenance: the model that computes, and the kernels. */
int xfv_stage_put_maker(const struct xfv_model *m, msgpack_zone *zone, msgpack_object *extra, struct xfv_err *e);
/* XFV_EMODEL when the face says in its "model" that another one embedded it. */
int xfv_cli_face_model(const msgpack_object *face, const struct xfv_model *m, struct xfv_err *e);
/* The face's "image", checked to be |u1 [H][W][3] of the model's size; a view into the record. XFV_EDATA says what to
 * do otherwise. */
int xfv_cli_face_image(const msgpack_object *face, const struct xfv_model *m, struct xfv_tensor *image,
                       struct xfv_err *e);
/* The same as the network's input x, f32 [H][W][C]. */
int xfv_cli_face_input(const msgpack_object *face, const struct xfv_model *m, float *x, struct xfv_err *e);

/* The loop of a stream program. Records are read in order; up to `window` of those for which wants() is true are
 * gathered (fewer when the input would block), work() runs on each in parallel, and all are written in input order.
 * Records it does not want (err records, kinds it does not know) pass through untouched. */
struct xfv_stage {
    void *ctx;
    int window;                                        /* 0: 4 a worker (1 with one worker) */
    /* Each segment's head; may put keys into set and prov_extra (maps in zone); NULL: nothing to add. Return 1: go on
     * in the open segment. */
    int (*head)(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *prov_extra,
                struct xfv_err *e);
    /* 1: goes through prepare, work and emit; asked for every record but heads */
    int (*wants)(void *ctx, const struct xfv_rec *r);
    /* Serial, in order, before work: NULL or 0 to go on; XFV_EDATA turns the record into an err record. */
    int (*prepare)(void *ctx, struct xfv_rec *r, int slot, struct xfv_err *e);
    /* Parallel over records: XFV_EDATA turns the record into an err record; other errors stop the run. slot is
     * 0..window-1. May be NULL. */
    int (*work)(void *ctx, struct xfv_rec *r, int slot, int worker, struct xfv_err *e);
    /* Instead of work: the whole gathered batch at once, for programs that parallelise inside (status[i] as work's
     * result, errs[i] its text). */
    int (*work_batch)(void *ctx, struct xfv_rec **r, int n, int *status, struct xfv_err *errs, struct xfv_err *e);
    /* Serial, in order, after work; emits the record: NULL means write it. May put any number of records into w. The
     * record is freed afterwards unless emit took it by setting *r to NULL. XFV_EDATA turns it into an err record. */
    int (*emit)(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e);
    /* May be NULL. Instead of wants and emit, in order, for a face whose id and embedding the reader can take without
     * building its record; an error ends the run. */
    int (*template)(void *ctx, const struct xfv_template *t, struct xfv_err *e);
    /* after the last record, before the end; may be NULL */
    int (*finish)(void *ctx, struct xfv_writer *w, struct xfv_err *e);
    /* 1: the program writes no stream: w is NULL, the loop drops records that it does not want, and reports an err
     * record on stderr, which gives status 1. */
    int sink;
};
/* Run over the operands (files, or - / none for stdin). pool may be NULL: no threads. Keeps an error for
 * xfv_cli_finish, which prints it: return xfv_cli_finish(c, NULL, xfv_stage_run(c, pool, &s)). After a reading error
 * all that was read before is still worked on and written. */
int xfv_stage_run(struct xfv_cli *c, struct xfv_pool *pool, const struct xfv_stage *s);
/* In prepare and emit: the current record's number, from 1, without heads. */
uint64_t xfv_stage_record_no(struct xfv_cli *c);
int xfv_stage_slot(struct xfv_cli *c); /* in emit: the slot that prepare and work had for this record */
/* For a sink whose `wants` takes err records: report and count this one, as the loop does for err records that a sink
 * does not take. root: of the current record. */
void xfv_stage_tell_error(struct xfv_cli *c, const msgpack_object *root);
/* Put "record N: ", with -v "record N (id): ", before an error about the current record, whose root this is; returns
 * the error's status. */
int xfv_stage_fail_at(struct xfv_cli *c, const msgpack_object *root, struct xfv_err *e);
/* In finish, for a program that needs pairs: 1 when the stream had no pair. The sentence in buf says so and, when faces
 * came instead, that `stages` ("verify and an explainer (fggb-grad)") must run before. */
int xfv_stage_no_pairs(struct xfv_cli *c, const char *stages, char *buf, size_t cap);
/* The same as a warning with this ending, and status 1. Silent where the programs before it in a pipe have said why. */
void xfv_stage_tell_no_pairs(struct xfv_cli *c, const char *stages, const char *ending);

#endif
