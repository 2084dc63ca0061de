/* Colour maps from published control points, evenly spaced, linearly interpolated in sRGB values.
 * Sources: viridis, magma, inferno: S. van der Walt, N. Smith, E. Firing, the colour maps of matplotlib (CC0), every
 * 0.1 of the range. Greens, Reds (nine classes), PiYG, RdYlGn (eleven classes): C. Brewer and M. Harrower,
 * ColorBrewer 2.0, Pennsylvania State University. Jet: the piecewise linear map of MATLAB and its many copies. */
#include "image/colour.h"

#include <math.h>

#include "base/toint.h"

enum { MAX_POINTS = 11 };

struct table {
    int n;
    uint32_t point[MAX_POINTS]; /* 0xRRGGBB */
};

static const struct table tables[XFV_COLOUR_MAPS] = {
    [XFV_VIRIDIS] = {11,
                     {0x440154, 0x482475, 0x414487, 0x355f8d, 0x2a788e, 0x21918c, 0x22a884, 0x44bf70, 0x7ad151,
                      0xbddf26, 0xfde725}},
    [XFV_MAGMA] = {11,
                   {0x000004, 0x140e36, 0x3b0f70, 0x641a80, 0x8c2981, 0xb73779, 0xde4968, 0xf7705c, 0xfe9f6d, 0xfecf92,
                    0xfcfdbf}},
    [XFV_INFERNO] = {11,
                     {0x000004, 0x160b39, 0x420a68, 0x6a176e, 0x932667, 0xbc3754, 0xdd513a, 0xf37819, 0xfca50a,
                      0xf6d746, 0xfcffa4}},
    [XFV_GREENS] = {9, {0xf7fcf5, 0xe5f5e0, 0xc7e9c0, 0xa1d99b, 0x74c476, 0x41ab5d, 0x238b45, 0x006d2c, 0x00441b}},
    [XFV_REDS] = {9, {0xfff5f0, 0xfee0d2, 0xfcbba1, 0xfc9272, 0xfb6a4a, 0xef3b2c, 0xcb181d, 0xa50f15, 0x67000d}},
    [XFV_PIYG] = {11,
                  {0x8e0152, 0xc51b7d, 0xde77ae, 0xf1b6da, 0xfde0ef, 0xf7f7f7, 0xe6f5d0, 0xb8e186, 0x7fbc41, 0x4d9221,
                   0x276419}},
    [XFV_RDYLGN] = {11,
                    {0xa50026, 0xd73027, 0xf46d43, 0xfdae61, 0xfee08b, 0xffffbf, 0xd9ef8b, 0xa6d96a, 0x66bd63, 0x1a9850,
                     0x006837}},
};

static struct xfv_rgb unpack(uint32_t c)
{
    struct xfv_rgb rgb = {(uint8_t)(c >> 16), (uint8_t)(c >> 8 & 255), (uint8_t)(c & 255)};
    return rgb;
}

static uint8_t jet_channel(double t, double centre)
{
    double v = 1.5 - fabs(4 * t - centre);
    return xfv_nearest_byte(255 * v);
}

struct xfv_rgb xfv_colour(enum xfv_colour_map m, double t)
{
    if (isnan(t)) return (struct xfv_rgb){128, 128, 128};
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    if (m == XFV_JET) return (struct xfv_rgb){jet_channel(t, 3), jet_channel(t, 2), jet_channel(t, 1)};
    const struct table *p = &tables[m];
    double at = t * (p->n - 1);
    int i = xfv_to_int(at, 0, p->n - 1);
    if (i >= p->n - 1) return unpack(p->point[p->n - 1]);
    return xfv_rgb_mix(unpack(p->point[i]), unpack(p->point[i + 1]), at - i);
}

const char *const xfv_scheme_names[] = {"jet", "viridis", "magma", "inferno", "greens-reds", "piyg", "rdylgn", NULL};

static const struct {
    enum xfv_colour_map similarity, dissimilarity, both;
    int diverging;
} schemes[] = {
    {XFV_JET, XFV_JET, XFV_PIYG, 0},         {XFV_VIRIDIS, XFV_VIRIDIS, XFV_PIYG, 0},
    {XFV_MAGMA, XFV_MAGMA, XFV_PIYG, 0},     {XFV_INFERNO, XFV_INFERNO, XFV_PIYG, 0},
    {XFV_GREENS, XFV_REDS, XFV_RDYLGN, 0},   {XFV_PIYG, XFV_PIYG, XFV_PIYG, 1},
    {XFV_RDYLGN, XFV_RDYLGN, XFV_RDYLGN, 1},
};

struct xfv_rgb xfv_scheme_colour(int scheme, enum xfv_role role, double t)
{
    if (role == XFV_SIGNED) return xfv_colour(schemes[scheme].both, 0.5 + 0.5 * t);
    t = t < 0 ? 0 : t;
    if (schemes[scheme].diverging)
        return xfv_colour(schemes[scheme].both, role == XFV_SIMILARITY ? 0.5 + 0.5 * t : 0.5 - 0.5 * t);
    return xfv_colour(role == XFV_SIMILARITY ? schemes[scheme].similarity : schemes[scheme].dissimilarity, t);
}

int xfv_scheme_two_sided(int scheme)
{
    return schemes[scheme].diverging || schemes[scheme].similarity != schemes[scheme].dissimilarity;
}
