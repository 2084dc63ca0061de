/* The options --min-confidence, --max-residual and their like, for programs that refuse or leave out faces: rows of a
 * table of options. f is a field `double [XFV_QUALITIES]` of struct t that xfv_floors_none has filled. */
#ifndef XFV_STAGE_FLOORS_H
#define XFV_STAGE_FLOORS_H

#include <math.h>

#include "cli/option.h"
#include "face/quality.h"

#define XFV_FLOOR(t, f, name, letter, words, measure, most) \
    {name, 0, letter, words, XFV_OPT_RESULT, XFV_TO_F64(t, f[measure], 0, most)}
#define XFV_FLOORS(t, f) \
    XFV_FLOOR(t, f, "min-confidence", "P", "least confidence of the detector", XFV_Q_CONFIDENCE, 1), \
    XFV_FLOOR(t, f, "min-eye-distance", "N", "least distance of the eyes, pixels", XFV_Q_EYE_DISTANCE, 1e6), \
    XFV_FLOOR(t, f, "max-residual", "N", "most that landmarks are off, pixels of 112", XFV_Q_RESIDUAL, 1e6), \
    XFV_FLOOR(t, f, "max-roll", "DEG", "most lean to either side, degrees", XFV_Q_ROLL, 180), \
    XFV_FLOOR(t, f, "max-yaw", "DEG", "most turn to either side, degrees", XFV_Q_YAW, 180), \
    XFV_FLOOR(t, f, "max-pitch", "DEG", "most turn up or down, degrees", XFV_Q_PITCH, 180), \
    XFV_FLOOR(t, f, "min-sharpness", "X", "least sharpness", XFV_Q_SHARPNESS, 100), \
    XFV_FLOOR(t, f, "max-under-exposure", "X", "most that may be black, 0..1", XFV_Q_UNDER, 1), \
    XFV_FLOOR(t, f, "max-over-exposure", "X", "most that may be white, 0..1", XFV_Q_OVER, 1), \
    XFV_FLOOR(t, f, "max-outside", "X", "most of the crop outside the photograph, 0..1", XFV_Q_OUTSIDE, 1)

static inline void xfv_floors_none(double limits[XFV_QUALITIES])
{
    for (int m = 0; m < XFV_QUALITIES; m++) limits[m] = NAN;
}

#endif
