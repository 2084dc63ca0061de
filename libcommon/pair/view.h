/* A pair record, unpacked for drawing: two faces, the decision, and rows of maps. */
#ifndef XFV_PAIR_VIEW_H
#define XFV_PAIR_VIEW_H

#include "image/colour.h"
#include "image/image.h"
#include "pair/verdict.h"
#include "stream/record.h"

struct xfv_view_face {
    char id[1024];          /* cut in the middle when longer */
    struct xfv_image image; /* RGB; 112x112 grey when the record holds none (has_image 0) */
    int has_image;
    double confidence; /* of the detector; NaN when unknown */
    char doubt[128];   /* why it may not be fit to be compared; empty: nothing speaks against it */
    double box[4];     /* x1, y1, x2, y2 in the photograph; NaN when unknown */
};

/* One map of one face, at that face's size. */
struct xfv_view_map {
    float *v;        /* [face height][face width], owned; NULL: the record has none, or a broken one */
    int broken;      /* 1: it holds NaN or infinity, or is not a map at all */
    enum xfv_state state; /* XFV_TRIED: it marks something; else why it marks nothing, and is drawn empty */
    /* as drawn, after xfv_pairview_blur: the largest absolute value, and the sum (signed maps: with their signs) */
    double max, sum;
    double scale;    /* the value drawn in the strongest colour; 0 when all maps that share it are empty */
};

enum { XFV_VIEW_ROWS = 64 };

/* What one method says. A row has similarity and dissimilarity (signed_key empty), or one signed map under another
 * key. */
struct xfv_view_row {
    char method[64], params[256], signed_key[48];
    int entry; /* its place in the record's list "maps" */
    struct xfv_view_map map[2][2]; /* [face a, b][similarity or signed, dissimilarity] */
    struct { int has; struct xfv_verdict v; } trial[2]; /* of similarity, of dissimilarity: in the entry's first row */
};

struct xfv_pairview {
    struct xfv_view_face face[2];
    int one_face; /* 1: read from a face record: face[0] alone, no decision, no rows */
    double score, threshold; /* NaN when unknown */
    int accept;              /* 1, 0; -1 unknown */
    int genuine;             /* the label: 1 same person, 0 different people; -1 unknown */
    char label[128];         /* another label's text, else empty */
    int n_rows;
    struct xfv_view_row *row;
    char problem[256]; /* first thing that could not be drawn as the record has it; empty: none */
};

/* Unpack a pair record's root. only_method: the rows of this method alone, or NULL. Maps may be f32 or f64 of any
 * height and width up to 4096 and are resampled to their face's size; values below 0 in similarity and dissimilarity
 * count as 0. A map that cannot be drawn is marked broken, and `problem` says why. XFV_EDATA when the pair cannot be
 * drawn at all (no faces, more than XFV_VIEW_ROWS rows), XFV_ENOMEM. Clear it in any case. */
int xfv_pairview_read(const msgpack_object *pair, const char *only_method, struct xfv_pairview *out, struct xfv_err *e);
/* The same of a face record's root. */
int xfv_pairview_read_face(const msgpack_object *face, struct xfv_pairview *out, struct xfv_err *e);
void xfv_pairview_clear(struct xfv_pairview *p);

/* Make the maps that mark nothing 0, and blur the others (sigma in pixels of the face, 0: none). Then measure max and
 * sum, and set the scales: with each 0, one scale for the four maps of a row, so that a nearly empty map looks nearly
 * empty; with each 1, every map has its own, as papers do. */
int xfv_pairview_blur(struct xfv_pairview *p, double sigma, int each, struct xfv_err *e);

#endif
