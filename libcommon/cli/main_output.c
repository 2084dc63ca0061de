/* The program's one output: standard output or the file of -o. */
#include <stdio.h>
#include <unistd.h>

#include "cli/internal.h"

static int open_output(struct xfv_cli *c, int binary, struct xfv_err *e)
{
    if (c->out_fd >= 0) return 0;
    xfv_watch_open(c);
    if (xfv_out_is_stdout(c->out_path)) {
        c->out_fd = STDOUT_FILENO;
    } else {
        int status = xfv_outfile_open(&c->out, c->out_path, e);
        if (status) return status;
        c->out_fd = c->out->fd;
        xfv_sandbox_output_is_open(c);
    }
    if (binary && !c->force && isatty(c->out_fd))
        return xfv_fail(e, XFV_EARG, "not writing binary data to a terminal: name a file with -o, pipe it on, or give --force");
    return 0;
}

int xfv_cli_out_fd(struct xfv_cli *c, struct xfv_err *e)
{
    int status = open_output(c, 1, e);
    return status ? status : c->out_fd;
}

FILE *xfv_cli_out_file(struct xfv_cli *c, struct xfv_err *e)
{
    if (c->file) return c->file;
    if (open_output(c, (c->p->flags & XFV_WRITES_BINARY) != 0, e)) return NULL;
    if (c->out_fd == STDOUT_FILENO) return c->file = stdout;
    c->file = fdopen(c->out_fd, "w");
    if (!c->file) {
        xfv_fail(e, XFV_EIO, "cannot write '%s'", c->out_path);
        return NULL;
    }
    c->out->fd = -1; /* fclose closes it now */
    return c->file;
}
