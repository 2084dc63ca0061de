/* Errors are values: every function that can fail returns 0 or a negative enum xfv_status and, when given one, fills a
 * struct xfv_err with one sentence: what was expected, what was found, and where. Nothing in libcommon prints, exits or
 * aborts because of its input. */
#ifndef XFV_BASE_ERR_H
#define XFV_BASE_ERR_H

enum xfv_status {
    XFV_OK = 0,
    XFV_EOF = -1,      /* clean end of input: not an error */
    XFV_ETRUNC = -2,   /* input ends inside a record or without an end record */
    XFV_EFORMAT = -3,  /* input is not what it should be */
    XFV_EVERSION = -4, /* input of a version this build does not know */
    XFV_ELIMIT = -5,   /* input passes a limit; the sentence names the option that raises it */
    XFV_EIO = -6,      /* the operating system said no; sys_errno is kept */
    XFV_ENOMEM = -7,   /* out of memory */
    XFV_EMODEL = -8,   /* model missing, corrupt, or not the one the stream was made with */
    XFV_EARG = -9,     /* the caller's (user's) argument is wrong */
    XFV_EDATA = -10    /* this one record cannot be made (no face, corrupt image); the run goes on */
};

struct xfv_err {
    int status;    /* enum xfv_status */
    int sys_errno; /* 0, or errno at the time of the failure */
    const char *code; /* NULL, or a short word (static text) for the err record this becomes: "noface", "size" */
    char msg[512];
};

/* Fill *e (may be NULL) and return status, so that `return xfv_fail(e, XFV_EFORMAT, "...", ...)` reads well. Keeps
 * errno of the call when status is XFV_EIO and appends strerror text. The message is cut, never overrun. */
int xfv_fail(struct xfv_err *e, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As xfv_fail, and names the kind of failure for the err record. */
int xfv_fail_code(struct xfv_err *e, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Put "prefix: " before the message that *e already holds (where it happened), and return e->status. */
int xfv_fail_at(struct xfv_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#ifdef XFV_ANALYSIS
/* For static analysers only (tests/static), which do not see into err.c: what reports a failure never returns 0, so
 * that after a status of 0 all that a function fills is filled. */
static inline int xfv_is_failure(int status)
{
    if (status >= 0) __builtin_unreachable();
    return status;
}
#define xfv_fail(...) xfv_is_failure(xfv_fail(__VA_ARGS__))
#define xfv_fail_code(...) xfv_is_failure(xfv_fail_code(__VA_ARGS__))
#define xfv_fail_at(...) xfv_is_failure(xfv_fail_at(__VA_ARGS__))
#endif

#endif
