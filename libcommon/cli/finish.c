/* How a run ends: the output closed and renamed, the last sentence, the exit status. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wipe.h"
#include "cli/internal.h"

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
        int bad = ferror(c->file) || c->lost, fd = fileno(c->file);
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
    xfv_cli_wipe_line(c);
    xfv_cli_count_doubts(c);
    xfv_watch_close(c);
    xfv_outputs_end();
    if (first.status == XFV_ENOMEM && c->max_memory)
        xfv_fail(&first, XFV_ENOMEM, "%s: --max-memory allows no more than %zu bytes", first.msg, c->max_memory);
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
    free(c->agreed);
    free(c);
    xfv_wipe_stack();
    return status;
}
