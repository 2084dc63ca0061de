/* Messages, progress, exit status, and how a run ends. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/internal.h"
#include "stream/clock.h"
#include "stream/utf8.h"

/* One character of s: in *piece as it is shown; returns how many bytes it took. */
static size_t show_character(const char *s, size_t n, char piece[8])
{
    uint32_t cp = 0;
    size_t k = xfv_utf8_next(s, n, &cp);
    if (k == 0) snprintf(piece, 8, "\\x%02x", (unsigned char)*s); /* not UTF-8 */
    else if (cp == '\n') snprintf(piece, 8, "\\n");
    else if (cp == '\t') snprintf(piece, 8, "\\t");
    else if (cp == '\r') snprintf(piece, 8, "\\r");
    else if (cp < 0x20 || cp == 0x7f) snprintf(piece, 8, "\\x%02x", (unsigned)cp);
    else if (cp >= 0x80 && cp < 0xa0) snprintf(piece, 8, "\\u%04x", (unsigned)cp); /* control characters that some terminals obey */
    else snprintf(piece, 8, "%.*s", (int)k, s);
    return k ? k : 1;
}

size_t xfv_escape(char *buf, size_t cap, const char *s, size_t n)
{
    size_t at = 0;
    if (!cap) return 0;
    for (size_t i = 0; i < n;) {
        char piece[8];
        i += show_character(s + i, n - i, piece);
        size_t k = strlen(piece);
        if (at + k + 4 > cap) { /* room for "..." */
            for (int d = 0; d < 3 && at + 1 < cap; d++) buf[at++] = '.';
            break;
        }
        memcpy(buf + at, piece, k);
        at += k;
    }
    buf[at] = '\0';
    return at;
}

struct xfv_rec *xfv_cli_error_record(const struct xfv_cli *c, const char *id, size_t n, const char *code, const char *message)
{
    char text[1024];
    xfv_escape(text, sizeof text, message, strlen(message));
    return xfv_rec_error(id, n, c->p->name, code ? code : "failed", text);
}

/* The progress line is overwritten by blanks, which every terminal understands. */
static void wipe_line(struct xfv_cli *c)
{
    if (!c || !c->line) return;
    fprintf(stderr, "\r%*s\r", c->line, "");
    c->line = 0;
}

void xfv_cli_say(struct xfv_cli *c, const char *name, const char *text)
{
    char line[1400];
    if (c && c->file) fflush(c->file); /* so that the message stands after the data it is about */
    wipe_line(c);
    xfv_escape(line, sizeof line, text, strlen(text));
    fprintf(stderr, "%s: %s\n", name, line);
}

void xfv_cli_warn(struct xfv_cli *c, const char *fmt, ...)
{
    char text[1024];
    if (c->verbose < 0) return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    xfv_cli_say(c, c->p->name, text);
}

void xfv_cli_info(struct xfv_cli *c, const char *fmt, ...)
{
    char text[1024];
    if (c->verbose < 1) return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    xfv_cli_say(c, c->p->name, text);
}

void xfv_cli_some_failed(struct xfv_cli *c)
{
    c->some_failed = 1;
}

/* How to learn the name: once a run. */
static const char *names_hint(struct xfv_cli *c)
{
    if (c->told_of_names) return "";
    c->told_of_names = 1;
    return " (-v names it)";
}

void xfv_cli_failed_at(struct xfv_cli *c, const char *what, uint64_t no, const char *id, size_t n, const char *sentence)
{
    char text[1400], where[360], shown[300] = "", hidden[1024];
    c->some_failed = 1;
    if (c->verbose < 0) return;
    xfv_cli_where(c, what, no, id, n, where, sizeof where);
    if (n) xfv_escape(shown, sizeof shown, id, n);
    if (c->verbose < 1 && n) xfv_hide_names(sentence, shown, hidden, sizeof hidden);
    snprintf(text, sizeof text, "%s: %s%s", where, c->verbose < 1 && n ? hidden : sentence, c->verbose < 1 && n ? names_hint(c) : "");
    xfv_cli_say(c, c->p->name, text);
}

void xfv_cli_record_failed(struct xfv_cli *c, uint64_t no, const char *id, size_t n, const char *sentence)
{
    xfv_cli_failed_at(c, "record", no, id, n, sentence);
}

/* By itself it is shown on a terminal, once a run takes longer than anyone likes to wait, and not where the lines of a table would be written over it. */
static int progress_on(const struct xfv_cli *c, double seconds)
{
    const char *term = getenv("TERM");
    if (c->progress == XFV_PROGRESS_ALWAYS) return 1;
    if (c->progress == XFV_PROGRESS_NEVER || c->verbose < 0 || seconds < 0.5) return 0;
    if (xfv_out_is_stdout(c->out_path) && isatty(STDOUT_FILENO)) return 0;
    return isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb"));
}

/* ", 1:02:03 left" when a share of the work took so many seconds; "" when that says nothing yet. */
static void time_left(double share, double seconds, char *buf, size_t cap)
{
    buf[0] = '\0';
    if (!(share > 0) || share > 1 || seconds < 0.5) return;
    double left = seconds * (1 - share) / share + 0.5;
    if (left > 359999) return;
    int s = (int)left, h = s / 3600, m = s / 60 % 60;
    if (h) snprintf(buf, cap, ", %d:%02d:%02d left", h, m, s % 60);
    else snprintf(buf, cap, ", %d:%02d left", m, s % 60);
}

void xfv_cli_progress(struct xfv_cli *c, uint64_t done, uint64_t total, const char *unit)
{
    char text[200], of[40] = "", left[40];
    double now = xfv_now(), seconds = now - c->started;
    if (now - c->shown < 1.0 / 6 || !progress_on(c, seconds)) return;
    c->shown = now;
    if (total) snprintf(of, sizeof of, " of %llu", (unsigned long long)total);
    time_left(total ? (double)done / (double)total : c->share, seconds, left, sizeof left);
    int k = snprintf(text, sizeof text, "%s: %llu%s %s, %.1f/s%s", c->p->name, (unsigned long long)done, of, unit, seconds > 0 ? (double)done / seconds : 0.0, left);
    fprintf(stderr, "\r%-*s", c->line, text);
    fflush(stderr);
    c->line = k;
}

int xfv_exit_of(int status)
{
    switch (status) {
    case XFV_OK:
    case XFV_EOF: return XFV_EXIT_OK;
    case XFV_EDATA: return XFV_EXIT_SOME;
    case XFV_EARG: return XFV_EXIT_USAGE;
    case XFV_ETRUNC:
    case XFV_EFORMAT:
    case XFV_EVERSION:
    case XFV_ELIMIT: return XFV_EXIT_STREAM;
    case XFV_EMODEL: return XFV_EXIT_MODEL;
    default: return XFV_EXIT_SYSTEM;
    }
}

/* The reader of a pipe is gone: a text program's failed write may long have lost its errno. */
static int reader_is_gone(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

/* Flush and close the output: 0 or XFV_EIO. */
static int close_output(struct xfv_cli *c, int keep, struct xfv_err *e)
{
    const char *where = xfv_out_is_stdout(c->out_path) ? "standard output" : c->out_path;
    int status = 0;
    if (c->file) {
        int bad = ferror(c->file), fd = fileno(c->file);
        if (fflush(c->file)) bad = 1;
        else errno = 0;
        if (bad && reader_is_gone(fd)) errno = EPIPE;
        int saved = errno;
        if (fclose(c->file) && !bad) {
            bad = 1;
            saved = errno;
        }
        errno = saved ? saved : EIO;
        if (bad) status = xfv_fail(e, XFV_EIO, "cannot write %s", where);
    } else if (c->out_fd == STDOUT_FILENO && close(STDOUT_FILENO)) {
        status = xfv_fail(e, XFV_EIO, "cannot write %s", where); /* a full disk may show only here */
    }
    if (c->out && keep && !status) {
        status = xfv_outfile_commit(c->out, e);
    } else {
        xfv_outfile_discard(c->out);
    }
    c->out = NULL;
    return status;
}

int xfv_cli_finish(struct xfv_cli *c, const struct xfv_err *e, int status)
{
    struct xfv_err first = {0}, closing = {0};
    if (e && e->status) first = *e;
    else if (c->err.status) first = c->err;
    if (first.status) status = xfv_exit_of(first.status);
    if (first.sys_errno == EPIPE && first.status == XFV_EIO) xfv_die_of_sigpipe();
    if (close_output(c, status == XFV_EXIT_OK || status == XFV_EXIT_SOME, &closing) && !first.status) {
        if (closing.sys_errno == EPIPE) xfv_die_of_sigpipe();
        first = closing;
        status = xfv_exit_of(first.status);
    }
    wipe_line(c);
    xfv_watch_close(c);
    if (first.status == XFV_ENOMEM && c->max_memory) xfv_fail(&first, XFV_ENOMEM, "%s: --max-memory allows no more than %zu bytes", first.msg, c->max_memory);
    if (first.status) {
        char text[800];
        if (first.status == XFV_EARG) snprintf(text, sizeof text, "%s (see %s --help)", first.msg, c->p->name);
        else snprintf(text, sizeof text, "%s", first.msg);
        xfv_cli_say(NULL, c->p->name, text);
    }
    if (status == XFV_EXIT_OK && c->some_failed) status = XFV_EXIT_SOME;
    if (c->args)
        for (char **a = c->args; *a; a++) free(*a);
    free(c->args);
    free(c->paths);
    free(c);
    xfv_wipe_stack();
    return status;
}
