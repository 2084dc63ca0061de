#include "base/lines.h"

int xfv_lines_end(FILE *f, const char *name, struct xfv_err *e)
{
    if (ferror(f)) return xfv_fail(e, XFV_EIO, "cannot read '%s'", name);
    return feof(f) ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory for a line of '%s'", name);
}
