#include "base/deadline.h"

#include "base/clock.h"

static _Thread_local struct xfv_deadline mine;

struct xfv_deadline xfv_deadline_get(void)
{
    return mine;
}

void xfv_deadline_set(struct xfv_deadline d)
{
    mine = d;
}

struct xfv_deadline xfv_deadline_in(double seconds)
{
    return seconds > 0 ? (struct xfv_deadline){xfv_now() + seconds, seconds} : (struct xfv_deadline){0};
}

int xfv_deadline_check(struct xfv_err *e)
{
    if (mine.at <= 0 || xfv_now() < mine.at) return 0;
    return xfv_fail_code(e, XFV_EDATA, "timeout", "given up after %g s (--timeout)", mine.seconds);
}
