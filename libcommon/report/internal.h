/* Private to the report room. */
#ifndef XFV_REPORT_INTERNAL_H
#define XFV_REPORT_INTERNAL_H

#include "measure/explained.h"

enum { XFV_BINS = 56 };

/* Where scores stand on the drawn scale: 0..1 from left to right, clamped. */
struct xfv_scale { double lo, hi, step; };
double xfv_scale_at(const struct xfv_scale *s, double v);

struct xfv_card {
    const struct xfv_explained *x; /* view blurred, shares as measured before */
    const char *id;                /* the pair's, n_id bytes */
    size_t n_id, number;           /* from 1 */
    const int *method;             /* [rows] the row's number among the page's methods; negative: not shown */
    const struct xfv_scale *scale;
    int segment;                   /* whose provenance */
    const struct xfv_image *whole; /* [2] the faces' photographs; not shown when they are empty */
};
int xfv_card_write(FILE *f, const struct xfv_card *c, struct xfv_err *e);
/* The pair's row of the summary table. */
void xfv_card_row(FILE *f, const struct xfv_card *c);
/* "accept" "reject" "undecided"; "genuine" "impostor" "unlabelled"; 1 right, 0 wrong, -1 unknown. */
const char *xfv_decision_word(const struct xfv_pairview *v);
const char *xfv_view_label(const struct xfv_pairview *v);
int xfv_is_right(const struct xfv_pairview *v);

/* Built from report.css and report.js. */
extern const unsigned char xfv_report_css[], xfv_report_js[];
extern const size_t xfv_report_css_size, xfv_report_js_size;

#endif
