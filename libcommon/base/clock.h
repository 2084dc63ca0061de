/* Time as programs measure it. */
#ifndef XFV_BASE_CLOCK_H
#define XFV_BASE_CLOCK_H

/* Seconds since some fixed moment, by a clock that is never set back. */
double xfv_now(void);

#endif
