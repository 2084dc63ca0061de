/* The program's one output: standard output or the file of -o. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/internal.h"

/* kind: of what is written, where the program's flags do not say it. */
static int open_output(struct xfv_cli *c, int binary, enum xfv_out_kind kind, struct xfv_err *e)
{
    if (c->p->flags & XFV_WRITES_MODEL) kind = XFV_OUT_MODEL;
    else if (c->p->flags & XFV_WRITES_PAGE) kind = XFV_OUT_PAGE;
    else if (c->p->flags & XFV_WRITES_BINARY) kind = XFV_OUT_IMAGE;
    if (c->out_fd >= 0) return 0;
    xfv_watch_open(c);
    if (xfv_out_is_stdout(c->out_path)) {
        c->out_fd = STDOUT_FILENO;
    } else {
        int status = xfv_outfile_open(&c->out, c->out_path, kind, e);
        if (status) return status;
        c->out_fd = xfv_outfile_fd(c->out);
    }
    if (binary && !c->force && isatty(c->out_fd))
        return xfv_fail(e, XFV_EARG,
                        "not writing binary data to a terminal: name a file with -o, pipe it on, or give --force");
    return 0;
}

int xfv_cli_out_fd(struct xfv_cli *c, struct xfv_err *e)
{
    int status = open_output(c, 1, XFV_OUT_STREAM, e);
    return status ? status : c->out_fd;
}

FILE *xfv_cli_out_file(struct xfv_cli *c, struct xfv_err *e)
{
    if (c->file) return c->file;
    if (open_output(c, (c->p->flags & XFV_WRITES_BINARY) != 0, XFV_OUT_TEXT, e)) return NULL;
    if (c->out_fd == STDOUT_FILENO) return c->file = stdout;
    /* fclose closes it; the output keeps its own until it has its name */
    int own = fcntl(c->out_fd, F_DUPFD_CLOEXEC, 3);
    c->file = own < 0 ? NULL : fdopen(own, "w");
    if (c->file) return c->file;
    xfv_fail(e, XFV_EIO, "cannot write '%s'", c->out_path);
    if (own >= 0) close(own);
    return NULL;
}
