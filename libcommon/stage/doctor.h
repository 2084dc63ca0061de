/* The checks of an installation: a line each, with a verdict and what to do about it. */
#ifndef XFV_STAGE_DOCTOR_H
#define XFV_STAGE_DOCTOR_H

#include <stdio.h>

#include "cli/cli.h"

enum xfv_verdict { XFV_FINE, XFV_WARN, XFV_BAD };

struct xfv_doctor {
    struct xfv_cli *c;
    FILE *f;  /* what is found goes here */
    int json; /* 1: one JSON object instead of lines */
    int n[3]; /* found so far of each verdict */
};

/* All checks in their order; NULL at the end. Each tells one finding or more. */
typedef void xfv_check_fn(struct xfv_doctor *d);
extern xfv_check_fn *const xfv_checks[];
/* Before the first and after the last of them. The end sums up, and a failure gives exit status 1. */
void xfv_doctor_begin(struct xfv_doctor *d);
void xfv_doctor_end(struct xfv_doctor *d);

/* For the checks. One finding: topic is a word; with -q a line that is fine is not written. */
void xfv_tell(struct xfv_doctor *d, enum xfv_verdict v, const char *topic, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void xfv_check_sandbox(struct xfv_doctor *d); /* which parts of it are in force here */
/* Of stage/doctor_models.c: the models that names lead to; the default one and FGGB on two made-up pictures
 * (explain/selftest.h). */
void xfv_check_models(struct xfv_doctor *d);
void xfv_check_results(struct xfv_doctor *d);

#endif
