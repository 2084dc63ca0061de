/* The loop of a stream program: gather, work in parallel, write in order. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage/stage.h"

struct item {
    struct xfv_rec *rec;
    uint64_t no;
    int wanted, slot, status;
    struct xfv_err err;
};

struct run {
    struct xfv_cli *c;
    struct xfv_pool *pool;
    const struct xfv_stage *s;
    struct xfv_writer *w; /* NULL for a sink */
    struct item *q;       /* gathered, in input order */
    int n, cap, n_wanted, window;
    int *work;            /* indices into q of what work() shall see */
    struct xfv_rec **recs; /* the three for work_batch */
    int *statuses;
    struct xfv_err *errs;
    uint64_t no, n_taken, n_left; /* left: what a sink does not want, err records aside */
    int fd, piped;         /* of the input at hand; piped: what failed in it was reported by the programs before */
    double before, total;  /* bytes of the inputs before it, and of all; total 0: not known */
};

static const char *id_of(const msgpack_object *root, size_t *n)
{
    const char *s = "";
    if (xfv_get_str(root, "id", &s, n, NULL)) {
        *n = 0;
        return "";
    }
    return s;
}

static const char *item_id(const struct item *it, size_t *n)
{
    return id_of(xfv_rec_map(it->rec), n);
}

/* The record becomes an err record of the same id. */
static int put_error(struct run *r, struct item *it, struct xfv_err *e)
{
    size_t n;
    char number[40];
    const char *id = item_id(it, &n);
    xfv_cli_record_failed(r->c, it->no, id, n, it->err.msg);
    if (!r->w) return 0;
    if (!n) {
        n = (size_t)snprintf(number, sizeof number, "record %llu", (unsigned long long)it->no);
        id = number;
    }
    struct xfv_rec *bad = xfv_cli_error_record(r->c, id, n, it->err.code, it->err.msg);
    if (!bad) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    int status = xfv_writer_put(r->w, bad, e);
    xfv_rec_free(bad);
    return status;
}

void xfv_stage_tell_error(struct xfv_cli *c, const msgpack_object *root)
{
    char message[512], tool[64], text[640];
    const char *id = "";
    size_t n = 0;
    xfv_cli_some_failed(c);
    if (xfv_cli_reported_before(c)) return;
    if (xfv_get_str(root, "id", &id, &n, NULL)) n = 0;
    if (xfv_get_text(root, "message", message, sizeof message, NULL)) snprintf(message, sizeof message, "failed");
    if (xfv_get_text(root, "tool", tool, sizeof tool, NULL)) snprintf(tool, sizeof tool, "an earlier program");
    snprintf(text, sizeof text, "%s: %s", tool, message);
    xfv_cli_record_failed(c, xfv_cli_seen(c)->record_no, id, n, text);
}

static int pass_on(struct run *r, struct item *it, struct xfv_err *e)
{
    if (r->w) return xfv_writer_put(r->w, it->rec, e);
    if (xfv_rec_kind(it->rec) == XFV_ERR) xfv_stage_tell_error(r->c, xfv_rec_root(it->rec));
    return 0;
}

static int emit_item(struct run *r, struct item *it, struct xfv_err *e)
{
    xfv_cli_seen(r->c)->record_no = it->no;
    xfv_cli_seen(r->c)->slot = it->slot;
    if (!it->wanted) return pass_on(r, it, e);
    if (!it->status && !r->s->emit) return pass_on(r, it, e);
    if (!it->status) {
        int status = r->s->emit(r->s->ctx, &it->rec, r->w, e);
        if (status != XFV_EDATA || !it->rec) return status;
        it->status = status;
        it->err = *e;
    }
    if (it->status == XFV_EDATA) return put_error(r, it, e);
    *e = it->err;
    return it->status;
}

static void work_one(void *ctx, int i, int worker)
{
    struct run *r = ctx;
    struct item *it = &r->q[r->work[i]];
    size_t n;
    const char *id = item_id(it, &n);
    xfv_cli_record_begin(r->c, worker, it->no, id, n);
    it->status = r->s->work(r->s->ctx, it->rec, it->slot, worker, &it->err);
    xfv_cli_record_end(r->c, worker);
}

static int work_all(struct run *r, struct xfv_err *e)
{
    int n = 0, slot = 0;
    for (int i = 0; i < r->n; i++) {
        struct item *it = &r->q[i];
        if (!it->wanted) continue;
        it->slot = slot++;
        xfv_cli_seen(r->c)->record_no = it->no;
        if (r->s->prepare) it->status = r->s->prepare(r->s->ctx, it->rec, it->slot, &it->err);
        if (!it->status) r->work[n++] = i;
    }
    if (n == 0) return 0;
    if (r->s->work) xfv_pool_run(r->pool, n, work_one, r);
    if (!r->s->work_batch) return 0;
    for (int i = 0; i < n; i++) {
        r->recs[i] = r->q[r->work[i]].rec;
        r->statuses[i] = 0;
    }
    int status = r->s->work_batch(r->s->ctx, r->recs, n, r->statuses, r->errs, e);
    for (int i = 0; i < n && !status; i++) {
        r->q[r->work[i]].status = r->statuses[i];
        if (r->statuses[i]) r->q[r->work[i]].err = r->errs[i];
    }
    return status;
}

/* Work on what was gathered and write it. */
static int flush(struct run *r, struct xfv_err *e)
{
    int status = work_all(r, e);
    for (int i = 0; i < r->n; i++) {
        if (!status) status = emit_item(r, &r->q[i], e);
        xfv_rec_free(r->q[i].rec);
    }
    r->n = r->n_wanted = 0;
    off_t at = r->total > 0 ? lseek(r->fd, 0, SEEK_CUR) : -1;
    xfv_cli_seen(r->c)->share = at < 0 ? 0 : (r->before + (double)at) / r->total;
    if (!status) xfv_cli_progress(r->c, r->no, 0, "records");
    return status;
}

/* A model is a stream, too, and easily given without its -m. */
static int check_head(const struct run *r, const struct xfv_rec *head, struct xfv_err *e)
{
    char kind[16];
    if (!(xfv_cli_program(r->c)->flags & XFV_TAKES_MODEL) ||
        xfv_get_text(xfv_rec_map(head), "kind", kind, sizeof kind, NULL) || strcmp(kind, "model"))
        return 0;
    return xfv_fail(e, XFV_EFORMAT,
                    "the input is a model, not a stream of faces or pairs: give the model with -m, and the stream as "
                    "operand");
}

static int start_segment(struct run *r, struct xfv_rec *head, struct xfv_err *e)
{
    msgpack_zone zone;
    if (!msgpack_zone_init(&zone, 1024)) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    msgpack_object set = xfv_val_map(&zone), extra = xfv_val_map(&zone);
    int status = check_head(r, head, e);
    if (!status && r->s->head) status = r->s->head(r->s->ctx, head, &set, &zone, &extra, e);
    if (status == 0 && r->w) {
        const struct xfv_prov *p = xfv_cli_prov(r->c, extra.via.map.size ? &extra : NULL);
        status = xfv_writer_head(r->w, head, p, set.via.map.size ? &set : NULL, e);
    }
    msgpack_zone_destroy(&zone);
    return status > 0 ? 0 : status;
}

static int take_record(struct run *r, struct xfv_rec *rec, struct xfv_reader *in, struct xfv_err *e)
{
    if (xfv_rec_kind(rec) == XFV_HEAD) {
        int status = flush(r, e);
        if (!status) status = start_segment(r, rec, e);
        xfv_rec_free(rec);
        return status;
    }
    xfv_cli_seen(r->c)->reported += r->piped && xfv_rec_kind(rec) == XFV_ERR;
    xfv_cli_seen(r->c)->faces += xfv_rec_kind(rec) == XFV_FACE;
    xfv_cli_seen(r->c)->pairs += xfv_rec_kind(rec) == XFV_PAIR;
    struct item *it = &r->q[r->n++];
    *it = (struct item){.rec = rec, .no = ++r->no};
    it->wanted = r->s->wants ? r->s->wants(r->s->ctx, rec) : 0;
    r->n_wanted += it->wanted;
    r->n_taken += (uint64_t)it->wanted;
    r->n_left += r->s->sink && r->s->wants && !it->wanted && xfv_rec_kind(rec) != XFV_ERR;
    /* Nothing to work on, enough of it, or a reader that would make the finished ones wait: go. */
    if (r->n_wanted == 0 || r->n_wanted == r->window || r->n == r->cap || !xfv_reader_ready(in)) return flush(r, e);
    return 0;
}

/* Faces that lie in the reader's buffer, without records; gathered ones go before them. */
static int take_templates(struct run *r, struct xfv_reader *in, struct xfv_err *e)
{
    struct xfv_template t;
    int status = 0, n = 0;
    if (!r->s->template || r->n) return 0;
    while (!status && xfv_reader_template(in, &t)) {
        n++;
        r->n_taken++;
        xfv_cli_seen(r->c)->faces++;
        xfv_cli_seen(r->c)->record_no = ++r->no;
        status = r->s->template(r->s->ctx, &t, e);
    }
    return status || !n ? status : flush(r, e); /* tells of progress */
}

static int run_input(struct run *r, const char *name, struct xfv_err *e)
{
    int is_stdin = !strcmp(name, "-");
    int fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return xfv_fail(e, XFV_EIO, "cannot open '%s'", name);
    struct xfv_reader *in;
    int status = xfv_reader_open(&in, fd, !is_stdin, is_stdin ? "standard input" : name, xfv_cli_limits(r->c), e);
    if (status) {
        if (!is_stdin) close(fd);
        return status;
    }
    struct stat st;
    r->fd = fd;
    r->piped = !fstat(fd, &st) && S_ISFIFO(st.st_mode);
    for (;;) {
        struct xfv_rec *rec = NULL;
        status = take_templates(r, in, e);
        if (!status) status = xfv_reader_next(in, &rec, e);
        if (status) break;
        status = take_record(r, rec, in, e);
        if (status) break;
    }
    if (status == XFV_EOF) {
        status = 0;
    } else if (status == XFV_EFORMAT && e->code && !strcmp(e->code, "image")) {
        size_t n = strlen(e->msg);
        snprintf(e->msg + n, sizeof e->msg - n,
                 ": facecrop makes a stream of photographs (facecrop a.jpg b.jpg | embed | verify ...)");
    } else if (r->n) { /* the input broke: what came before it is whole */
        struct xfv_err other;
        if (flush(r, &other)) {
            *e = other;
            status = other.status;
        }
    }
    if (r->total > 0 && !fstat(fd, &st)) r->before += (double)st.st_size;
    xfv_reader_close(in);
    return status;
}

/* Bytes of all inputs; 0 when one of them is not a file, so that its length cannot be known. */
static double total_bytes(char *const *names, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        struct stat st;
        if ((strcmp(names[i], "-") ? stat(names[i], &st) : fstat(STDIN_FILENO, &st)) || !S_ISREG(st.st_mode)) return 0;
        sum += (double)st.st_size;
    }
    return sum;
}

/* A sink lets no record vanish without a word; of faces instead of pairs xfv_stage_no_pairs speaks. */
static void tell_left(const struct run *r)
{
    if (r->n_left && (r->n_taken || !xfv_cli_seen(r->c)->faces))
        xfv_cli_warn(r->c, "%llu of %llu records are of a kind that %s does not read: left out",
                     (unsigned long long)r->n_left, (unsigned long long)r->no, xfv_cli_program(r->c)->name);
}

static int run_all(struct run *r, struct xfv_err *e)
{
    static char dash[] = "-";
    char *only_stdin[] = {dash, NULL}, **names;
    int n = xfv_cli_operands(r->c, &names), status = 0;
    if (n == 0) {
        names = only_stdin;
        n = 1;
    }
    r->total = total_bytes(names, n);
    for (int i = 0; i < n && !status; i++) status = run_input(r, names[i], e);
    r->total = 0; /* no input is open any more */
    if (!status) status = flush(r, e);
    if (!status) tell_left(r);
    if (!status && r->s->finish) status = r->s->finish(r->s->ctx, r->w, e);
    if (!status && r->w) status = xfv_writer_end(r->w, e);
    return status;
}

static int alloc_run(struct run *r)
{
    int jobs = xfv_pool_size(r->pool);
    r->window = r->s->window > 0 ? r->s->window : jobs > 1 ? 4 * jobs : 1;
    r->cap = 2 * r->window;
    size_t n = (size_t)r->window;
    r->q = calloc((size_t)r->cap, sizeof *r->q);
    r->work = calloc(n, sizeof *r->work);
    r->recs = calloc(n, sizeof *r->recs);
    r->statuses = calloc(n, sizeof *r->statuses);
    r->errs = calloc(n, sizeof *r->errs);
    return r->q && r->work && r->recs && r->statuses && r->errs ? 0 : -1;
}

int xfv_stage_run(struct xfv_cli *c, struct xfv_pool *pool, const struct xfv_stage *s)
{
    struct run r = {.c = c, .pool = pool, .s = s};
    struct xfv_err e = {0};
    int status = alloc_run(&r) ? xfv_fail(&e, XFV_ENOMEM, "out of memory") : 0;
    if (!status && !s->sink) {
        int fd = xfv_cli_out_fd(c, &e);
        status = fd < 0 ? fd : xfv_writer_open(&r.w, fd, &e);
        if (!status) xfv_writer_leave_out(r.w, xfv_cli_drop(c));
    }
    if (!status) xfv_watch_open(c);
    if (!status) status = run_all(&r, &e);
    for (int i = 0; i < r.n; i++) xfv_rec_free(r.q[i].rec);
    xfv_watch_close(c);
    if (r.w && xfv_writer_errors(r.w) > 0) xfv_cli_some_failed(c);
    xfv_writer_close(r.w);
    free(r.q);
    free(r.work);
    free(r.recs);
    free(r.statuses);
    free(r.errs);
    if (status) xfv_cli_keep_error(c, &e);
    return status ? xfv_exit_of(status) : XFV_EXIT_OK;
}

int xfv_stage_no_pairs(struct xfv_cli *c, const char *stages, char *buf, size_t cap)
{
    if (xfv_cli_seen(c)->pairs) return 0;
    if (xfv_cli_seen(c)->faces)
        snprintf(buf, cap, "no pair in the stream, but %llu faces: run %s before %s",
                 (unsigned long long)xfv_cli_seen(c)->faces, stages, xfv_cli_program(c)->name);
    else snprintf(buf, cap, "no pair in the stream");
    return 1;
}

int xfv_stage_slot(struct xfv_cli *c)
{
    return xfv_cli_seen(c)->slot;
}

void xfv_stage_tell_no_pairs(struct xfv_cli *c, const char *stages, const char *ending)
{
    char why[200];
    if (!xfv_stage_no_pairs(c, stages, why, sizeof why)) return;
    xfv_cli_some_failed(c);
    if (!xfv_cli_reported_before(c)) xfv_cli_warn(c, "%s%s", why, ending);
}

uint64_t xfv_stage_record_no(struct xfv_cli *c)
{
    return xfv_cli_seen(c)->record_no;
}

int xfv_stage_fail_at(struct xfv_cli *c, const msgpack_object *root, struct xfv_err *e)
{
    size_t n;
    char where[360];
    const char *id = id_of(root, &n);
    return xfv_fail_at(e, "%s", xfv_cli_where(c, "record", xfv_cli_seen(c)->record_no, id, n, where, sizeof where));
}
