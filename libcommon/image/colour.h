/* Colour maps: a number in [0, 1] to a colour. */
#ifndef XFV_IMAGE_COLOUR_H
#define XFV_IMAGE_COLOUR_H

#include "image/draw.h"

enum xfv_colour_map {
    XFV_JET,
    XFV_VIRIDIS,
    XFV_MAGMA,
    XFV_INFERNO,
    XFV_GREENS,
    XFV_REDS,
    XFV_PIYG,
    XFV_RDYLGN,
    XFV_COLOUR_MAPS
};

/* Colour of t, clamped to [0, 1]; mid-grey for NaN. Viridis, magma and inferno grow lighter with t, greens and reds
 * darker, evenly; jet does neither and is here because the field's papers use it. PiYG and RdYlGn are diverging: 0.5 is
 * neutral, 1 green, 0 pink or red. */
struct xfv_rgb xfv_colour(enum xfv_colour_map m, double t);

/* Which colours a figure gives to similarity, to dissimilarity and to signed maps. */
enum xfv_role { XFV_SIMILARITY, XFV_DISSIMILARITY, XFV_SIGNED };

/* Names of the schemes, NULL-terminated; the index is the scheme's number: "jet", "viridis", "magma", "inferno",
 * "greens-reds", "piyg", "rdylgn". */
extern const char *const xfv_scheme_names[];

/* Colour of t in scheme number `scheme`. t is in [0, 1], for XFV_SIGNED in [-1, 1]. The diverging schemes give
 * similarity their green half and dissimilarity the other one; the others draw a signed map in PiYG. */
struct xfv_rgb xfv_scheme_colour(int scheme, enum xfv_role role, double t);

/* 1 when similarity and dissimilarity have different colours in this scheme, so that a legend needs two bars. */
int xfv_scheme_two_sided(int scheme);

#endif
