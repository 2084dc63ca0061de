/* Messages and progress: lines on standard error. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/internal.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/toint.h"

struct xfv_rec *xfv_cli_error_record(const struct xfv_cli *c, const char *id, size_t n, const char *code,
                                     const char *message)
{
    char text[1024];
    xfv_escape(text, sizeof text, message, strlen(message));
    return xfv_rec_error(id, n, c->p->name, code ? code : "failed", text);
}

/* The progress line is overwritten by blanks, which every terminal understands. */
void xfv_cli_wipe_line(struct xfv_cli *c)
{
    if (!c || !c->line) return;
    fprintf(stderr, "\r%*s\r", c->line, "");
    c->line = 0;
}

void xfv_cli_say(struct xfv_cli *c, const char *name, const char *text)
{
    char line[1400];
    /* so that the message stands after the data it is about */
    if (c && c->file && fflush(c->file)) c->lost = errno ? errno : EIO;
    xfv_cli_wipe_line(c);
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

int xfv_cli_reported_before(const struct xfv_cli *c)
{
    return c->seen.reported > 0 && c->verbose < 1;
}

void xfv_cli_failed_at(struct xfv_cli *c, const char *what, uint64_t no, const char *id, size_t n, const char *sentence)
{
    char text[1400], where[360], shown[300] = "", hidden[1024];
    c->some_failed = 1;
    if (c->verbose < 0) return;
    xfv_cli_where(c, what, no, id, n, where, sizeof where);
    if (n) xfv_escape(shown, sizeof shown, id, n);
    int hide = n && c->private_names;
    if (hide) xfv_hide_names(sentence, shown, hidden, sizeof hidden);
    snprintf(text, sizeof text, "%s: %s", where, hide ? hidden : sentence);
    xfv_cli_say(c, c->p->name, text);
}

void xfv_cli_record_failed(struct xfv_cli *c, uint64_t no, const char *id, size_t n, const char *sentence)
{
    xfv_cli_failed_at(c, "record", no, id, n, sentence);
}

enum { MOST_DOUBTS = 5 };

void xfv_cli_doubt(struct xfv_cli *c, uint64_t no, const char *id, size_t n, const char *sentence)
{
    char where[360];
    if (c->doubts++ >= MOST_DOUBTS) return;
    xfv_cli_warn(c, "%s: %s", xfv_cli_where(c, "record", no, id, n, where, sizeof where), sentence);
}

void xfv_cli_count_doubts(struct xfv_cli *c)
{
    if (c->doubts > MOST_DOUBTS)
        xfv_cli_warn(c, "likewise %llu more", (unsigned long long)(c->doubts - MOST_DOUBTS));
}

/* By itself it is shown on a terminal, once a run takes longer than anyone likes to wait, and not where the lines of a
 * table would be written over it. */
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
    int s = xfv_to_int(left, 0, 359999), h = s / 3600, m = s / 60 % 60;
    if (h) snprintf(buf, cap, ", %d:%02d:%02d left", h, m, s % 60);
    else snprintf(buf, cap, ", %d:%02d left", m, s % 60);
}

void xfv_cli_progress(struct xfv_cli *c, uint64_t done, uint64_t total, const char *unit)
{
    char text[200], of[40] = "", left[40];
    double now = xfv_now(), seconds = now - c->started;
    if (now - c->shown < 1.0 / 6) return;
    c->shown = now; /* also when nothing is shown: the terminal is asked six times a second, not for every pair */
    if (!progress_on(c, seconds)) return;
    if (total) snprintf(of, sizeof of, " of %llu", (unsigned long long)total);
    time_left(total ? (double)done / (double)total : c->seen.share, seconds, left, sizeof left);
    int k = snprintf(text, sizeof text, "%s: %llu%s %s, %.1f/s%s", c->p->name, (unsigned long long)done, of, unit,
                     seconds > 0 ? (double)done / seconds : 0.0, left);
    fprintf(stderr, "\r%-*s", c->line, text);
    fflush(stderr);
    c->line = k;
}

