#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static int fill(struct xfv_err *e, int status, const char *code, const char *fmt,
                                                      va_list ap)
{
    char text[sizeof e->msg]; /* first here: an argument may be e->msg itself */
    int saved = errno;
    if (!e) return status;
    e->status = status;
    e->code = code;
    e->sys_errno = status == XFV_EIO ? saved : 0;
    int n = vsnprintf(text, sizeof text, fmt, ap);
    if (n < 0) text[0] = '\0';
    if (e->sys_errno && n >= 0 && (size_t)n < sizeof text)
        snprintf(text + n, sizeof text - (size_t)n, ": %s", strerror(saved));
    memcpy(e->msg, text, strlen(text) + 1);
    errno = saved;
    return status;
}

int xfv_fail(struct xfv_err *e, int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(e, status, NULL, fmt, ap);
    va_end(ap);
    return status;
}

int xfv_fail_code(struct xfv_err *e, int status, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(e, status, code, fmt, ap);
    va_end(ap);
    return status;
}

int xfv_fail_at(struct xfv_err *e, const char *fmt, ...)
{
    char where[256], old[sizeof e->msg];
    if (!e) return XFV_EFORMAT;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(where, sizeof where, fmt, ap);
    va_end(ap);
    memcpy(old, e->msg, sizeof old);
    int n = snprintf(e->msg, sizeof e->msg, "%s: ", where);
    size_t at = n < 0 ? 0 : (size_t)n < sizeof e->msg ? (size_t)n : sizeof e->msg - 1;
    size_t room = sizeof e->msg - 1 - at, len = strlen(old);
    memcpy(e->msg + at, old, len < room ? len : room);
    e->msg[at + (len < room ? len : room)] = '\0';
    return e->status;
}
