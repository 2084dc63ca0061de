/* From a floating-point number to an integer, for every value that a file or an option may hold: the only such casts of
 * the tree stand here (tests/static/casts.py). Each drops the fraction; what does not fit becomes the nearest end, and
 * NaN the lower end, or 0 without one. */
#ifndef XFV_BASE_TOINT_H
#define XFV_BASE_TOINT_H

#include <stddef.h>
#include <stdint.h>

static inline int xfv_to_int(double v, int lo, int hi)
{
    return v > lo ? v < hi ? (int)v : hi : lo;
}

static inline size_t xfv_to_size(double v, size_t hi)
{
    return v > 0 ? v < (double)hi ? (size_t)v : hi : 0;
}

static inline int64_t xfv_to_i64(double v)
{
    if (v >= 9223372036854775808.0) return INT64_MAX;
    if (v <= -9223372036854775808.0) return INT64_MIN;
    return v < 0 || v > 0 ? (int64_t)v : 0;
}

static inline uint8_t xfv_to_byte(double v)
{
    return (uint8_t)(v > 0 ? v < 255 ? (uint8_t)v : 255 : 0);
}

/* The nearest byte, for loops over pixels: round() is a call on processors without SSE4.1. */
static inline uint8_t xfv_nearest_byte(double v)
{
    return xfv_to_byte(v + 0.5);
}

/* xfv_to_byte of a float, for loops over pixels. */
static inline uint8_t xfv_float_to_byte(float v)
{
    return (uint8_t)(v > 0 ? v < 255 ? (uint8_t)v : 255 : 0);
}

#endif
