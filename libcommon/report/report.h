/* A page of explained pairs: one HTML file that needs nothing else. Cards, rows of the summary and errors are kept
 * aside in files without names, since the page's top tells what only the stream's end knows; so memory does not grow
 * with the stream. The page's scripts are only the ones built in (the Content-Security-Policy names their hashes), and
 * it may load nothing from anywhere. */
#ifndef XFV_REPORT_REPORT_H
#define XFV_REPORT_REPORT_H

#include <stdio.h>

#include "measure/explained.h"
#include "measure/groups.h"

enum { XFV_REPORT_METHODS = 16, XFV_REPORT_FMRS = 8 }; /* methods that a page can switch between */

struct xfv_report_opts {
    const char *title;  /* NULL: a plain one */
    const char *only_method; /* NULL: all */
    double sigma;       /* blur of the maps, for display, as xfv_pairview_blur has it */
    int each;           /* 1: each map has its own colour scale */
    int photographs;    /* 1: read the photographs again and show each with its face's box beside the crop */
    struct xfv_groups *groups; /* whose error rates are compared; NULL: none. The caller's */
    double fmr[XFV_REPORT_FMRS]; /* [n_fmr] false match rates, for each of which the page looks for the threshold */
    int n_fmr;
    const char *beside; /* the page's file, in whose folder what is kept aside lies, without a name; NULL: in memory */
};

struct xfv_report;
/* o is copied, its texts kept by pointer */
int xfv_report_new(struct xfv_report **r, const struct xfv_report_opts *o, struct xfv_err *e);
void xfv_report_free(struct xfv_report *r);

/* A segment's head: its provenance. */
int xfv_report_head(struct xfv_report *r, const struct xfv_rec *head, struct xfv_err *e);
/* A pair: its card and its row. problem (at least 256 bytes): what could not be drawn; empty: nothing. XFV_EDATA: this
 * pair cannot be drawn at all. */
int xfv_report_pair(struct xfv_report *r, const msgpack_object *pair, char *problem, struct xfv_err *e);
/* A record that could not be made; any texts. */
int xfv_report_error(struct xfv_report *r, const char *id, size_t n, const char *tool, const char *message,
                     struct xfv_err *e);
/* note, of 512 bytes: a sentence for the user, or empty. */
int xfv_report_write(struct xfv_report *r, FILE *out, char *note, struct xfv_err *e);

#endif
