/* Private to the report room. */
#ifndef XFV_REPORT_INTERNAL_H
#define XFV_REPORT_INTERNAL_H

#include "measure/explained.h"
#include "measure/groups.h"
#include "measure/interval.h"
#include "measure/roc.h"
#include "report/report.h"

enum { XFV_BINS = 56 };

/* Where scores stand on the drawn scale: 0..1 from left to right, clamped. */
struct xfv_scale { double lo, hi, step; };
double xfv_scale_at(const struct xfv_scale *s, double v);
/* The scale, `height` pixels high with its texts, as an svg element: the distribution of the page's scores, the
 * threshold, and the score unless it is NaN. */
void xfv_scale_write(FILE *f, const struct xfv_scale *s, int height, double score, double threshold);

/* Pictures that a page holds once, however often it shows them. */
struct xfv_faces {
    FILE *spool;                /* an image element each, in the order of their numbers */
    struct xfv_name_table seen; /* their digests */
};
/* *number: the picture's. 0, XFV_ENOMEM, or what encoding it failed with. */
int xfv_faces_add(struct xfv_faces *l, const struct xfv_image *im, long *number, struct xfv_err *e);
/* An svg element that shows it; what comes next is its alternative text and then "</svg>". */
void xfv_faces_show(FILE *f, long number, const struct xfv_image *im, const char *class);

/* A tick and a dash, for what a trial found. */
#define XFV_MARK(class, words, path) \
    "<svg class=\"mark" class "\" viewBox=\"0 0 16 16\" role=\"img\" aria-label=\"" words "\"><path d=\"" path \
    "\"/></svg>"
#define XFV_MARK_STANDS XFV_MARK(" stands", "stands", "M2 9l4 4 8-10")
#define XFV_MARK_FALLS XFV_MARK("", "does not stand", "M3 8h10")

struct xfv_card {
    const struct xfv_explained *x; /* view blurred, shares as measured before */
    const msgpack_object *pair;
    const char *id;                /* the pair's, n_id bytes */
    size_t n_id, number;           /* from 1 */
    char key[1024];                /* the fragment that leads to it, escaped */
    const int *method;             /* [rows] the row's number among the page's methods; negative: not shown */
    const struct xfv_scale *scale;
    double sigma;                  /* by which the maps were blurred */
    int segment;                   /* whose provenance */
    int group;                     /* xfv_groups_of */
    const char *group_name;        /* NULL: the page has no groups */
    long face[2], whole[2];        /* numbers of the pictures; whole: the photograph's, negative: not shown */
    const struct xfv_image *photo; /* [2] the photographs, empty when they are not shown */
};
int xfv_card_write(FILE *f, const struct xfv_card *c, struct xfv_err *e);
/* The pair's row of the summary table. */
void xfv_card_row(FILE *f, const struct xfv_card *c);
/* "accept" "reject" "undecided"; "genuine" "impostor" "unlabelled"; 1 right, 0 wrong, -1 unknown. */
const char *xfv_decision_word(const struct xfv_pairview *v);
const char *xfv_view_label(const struct xfv_pairview *v);
int xfv_is_right(const struct xfv_pairview *v);

/* What the trials of one method's maps found, and its curves, over the pairs of one kind. [0] S+, [1] S-. */
struct xfv_claims {
    size_t pairs, tried[2], stands[2], empty, turns, curves;
    double effect, deletion, insertion; /* sums: of S+ over tried[0], of both over curves */
};

struct xfv_wrong { double margin; long at, size; int accepted; }; /* where its entry lies in the spool */

/* What all pairs together say: filled pair by pair. */
struct xfv_audit {
    const double *fmr; /* [n_fmr] false match rates for which a threshold is looked for */
    int n_fmr;
    struct xfv_groups *groups; /* NULL: none; the caller's */
    FILE *spool;               /* entries of wrong decisions */
    struct xfv_wrong *wrong;
    size_t n_wrong, cap_wrong;
    struct xfv_scores scores;  /* of labelled pairs */
    size_t pairs, decided[2], errors[2]; /* of impostor pairs, of genuine pairs */
    int thresholds;            /* 0: no pair has one; 1: all have one; 2: they have several */
    double threshold;
    struct xfv_claims claims[XFV_REPORT_METHODS][3]; /* genuine, impostor, unlabelled pairs */
};
int xfv_audit_add(struct xfv_audit *a, const struct xfv_card *c, struct xfv_err *e);
/* The sections before the cards. method: [n_methods] their names. note: at least 512 bytes; a sentence for the user, or
 * empty. */
int xfv_audit_write(struct xfv_audit *a, const struct xfv_scale *scale, char *const *method, int n_methods, FILE *f,
                    char *note, struct xfv_err *e);
void xfv_audit_clear(struct xfv_audit *a);

/* A DET curve as an svg element: n points, and the places of operating points, the first of which is the one in use. */
struct xfv_det_mark { double fmr, fnmr; const char *words; };
void xfv_det_write(FILE *f, const struct xfv_roc_point *v, size_t n, size_t genuine, size_t impostor,
                   const struct xfv_det_mark *mark, int n_marks);

/* v with so many digits behind the point; what is very large, in few digits. Into buf, which is returned. */
const char *xfv_number_text(double v, int digits, char *buf, size_t cap);
/* "2.5", "0.04": a share as percent. */
const char *xfv_percent_text(double v, char *buf, size_t cap);
int xfv_spooled(FILE *f, struct xfv_err *e); /* 0, or what writing to it failed with */

/* Built from report.css and report.js. */
extern const unsigned char xfv_report_css[], xfv_report_js[];
extern const size_t xfv_report_css_size, xfv_report_js_size;

#endif
