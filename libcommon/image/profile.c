/* ICC profiles to sRGB, by lcms2 where the build has it. */
#include "image/rows.h"

#ifdef XFV_WITH_LCMS2
#include <lcms2.h>
#include <stdlib.h>

struct xfv_profile { cmsContext context; cmsHTRANSFORM transform; };

enum { NEAR = 3 }; /* of 255: profiles that are sRGB but for rounding */

static void drop_message(cmsContext c, cmsUInt32Number code, const char *text)
{
    (void)c, (void)code, (void)text;
}

static cmsColorSpaceSignature space_of(enum xfv_pixel kind)
{
    return kind == XFV_CMYK                             ? cmsSigCmykData
           : kind == XFV_GREY || kind == XFV_GREY_ALPHA ? cmsSigGrayData
                                                        : cmsSigRgbData;
}

static cmsHTRANSFORM make(cmsContext c, cmsHPROFILE from, enum xfv_pixel kind)
{
    static const cmsUInt32Number in[] = {0, TYPE_GRAY_8, TYPE_GRAYA_8, TYPE_RGB_8, TYPE_RGBA_8, TYPE_CMYK_8};
    int alpha = kind == XFV_GREY_ALPHA || kind == XFV_RGBA;
    cmsHPROFILE to = cmsCreate_sRGBProfileTHR(c);
    cmsHTRANSFORM t = to ? cmsCreateTransformTHR(c, from, in[kind], to, alpha ? TYPE_RGBA_8 : TYPE_RGB_8,
                                                 INTENT_RELATIVE_COLORIMETRIC,
                                                 cmsFLAGS_BLACKPOINTCOMPENSATION | (alpha ? cmsFLAGS_COPY_ALPHA : 0))
                         : NULL;
    if (to) cmsCloseProfile(to);
    return t;
}

/* Does it leave colours as they are? */
static int changes_nothing(cmsHTRANSFORM t, enum xfv_pixel kind)
{
    int n = kind == XFV_GREY || kind == XFV_GREY_ALPHA ? 1 : 3, alpha = kind == XFV_GREY_ALPHA || kind == XFV_RGBA;
    if (kind == XFV_CMYK) return 0;
    for (int i = 0; i < (n == 1 ? 9 : 9 * 9 * 9); i++) {
        int v[3] = {i % 9 * 255 / 8, i / 9 % 9 * 255 / 8, i / 81 * 255 / 8};
        uint8_t s[4] = {(uint8_t)v[0], (uint8_t)v[1], (uint8_t)v[2], 255}, d[4];
        if (n == 1 && alpha) s[1] = 255;
        cmsDoTransform(t, s, d, 1);
        for (int c = 0; c < 3; c++)
            if (abs(d[c] - v[n == 1 ? 0 : c]) > NEAR) return 0;
    }
    return 1;
}

struct xfv_profile *xfv_profile_open(const void *icc, size_t n, enum xfv_pixel kind)
{
    struct xfv_profile *p = n < UINT32_MAX ? calloc(1, sizeof *p) : NULL;
    if (!p) return NULL;
    p->context = cmsCreateContext(NULL, NULL);
    if (p->context) cmsSetLogErrorHandlerTHR(p->context, drop_message);
    cmsHPROFILE from = p->context ? cmsOpenProfileFromMemTHR(p->context, icc, (cmsUInt32Number)n) : NULL;
    if (from && cmsGetColorSpace(from) == space_of(kind)) p->transform = make(p->context, from, kind);
    if (from) cmsCloseProfile(from);
    if (p->transform && !changes_nothing(p->transform, kind)) return p;
    xfv_profile_close(p);
    return NULL;
}

void xfv_profile_convert(struct xfv_profile *p, const uint8_t *from, uint8_t *to, size_t pixels)
{
    cmsDoTransform(p->transform, from, to, (cmsUInt32Number)pixels);
}

void xfv_profile_close(struct xfv_profile *p)
{
    if (!p) return;
    if (p->transform) cmsDeleteTransform(p->transform);
    if (p->context) cmsDeleteContext(p->context);
    free(p);
}

#else

struct xfv_profile *xfv_profile_open(const void *icc, size_t n, enum xfv_pixel kind)
{
    (void)icc, (void)n, (void)kind;
    return NULL;
}
void xfv_profile_convert(struct xfv_profile *p, const uint8_t *from, uint8_t *to, size_t pixels)
{
    (void)p, (void)from, (void)to, (void)pixels;
}
void xfv_profile_close(struct xfv_profile *p) { (void)p; }

#endif
