/* From a double to an integer: every value has one answer. */
#include <float.h>
#include <limits.h>
#include <math.h>

#include "base/toint.h"
#include "tap.h"

static void ints(void)
{
    const double far[] = {DBL_MAX, INFINITY, 1e19, 2147483648.0, 2147483647.5};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        OK(xfv_to_int(far[i], INT_MIN, INT_MAX) == INT_MAX, "%g: the upper end", far[i]);
        OK(xfv_to_int(-far[i] - 1, INT_MIN, INT_MAX) == INT_MIN, "%g: the lower end", -far[i] - 1);
    }
    OK(xfv_to_int(NAN, -3, 3) == -3, "NaN: the lower end");
    OK(xfv_to_int(2.9, -3, 3) == 2 && xfv_to_int(-2.9, -3, 3) == -2, "the fraction is dropped");
    OK(xfv_to_int(3.1, -3, 3) == 3 && xfv_to_int(-3.1, -3, 3) == -3, "within the ends");
}

static void sizes(void)
{
    OK(xfv_to_size(1e300, SIZE_MAX) == SIZE_MAX, "a size too large");
    OK(xfv_to_size(18446744073709551616.0, SIZE_MAX) == SIZE_MAX, "a size just too large");
    OK(xfv_to_size(-1, 9) == 0 && xfv_to_size(NAN, 9) == 0, "xfv_to_size makes 0 of what is no size");
    OK(xfv_to_size(9.5, 9) == 9 && xfv_to_size(8.9, 9) == 8, "xfv_to_size drops a fraction, and stays within its end");
    OK(xfv_to_i64(1e19) == INT64_MAX && xfv_to_i64(-1e19) == INT64_MIN && xfv_to_i64(NAN) == 0, "64 bits: the ends");
    OK(xfv_to_i64(9223372036854775808.0) == INT64_MAX, "64 bits: just too large");
    OK(xfv_to_i64(-9223372036854775808.0) == INT64_MIN, "64 bits: the least");
    OK(xfv_to_i64(-1.9) == -1 && xfv_to_i64(9007199254740992.0) == 9007199254740992, "64 bits: a number");
}

static void bytes(void)
{
    OK(xfv_to_byte(-1) == 0 && xfv_to_byte(NAN) == 0, "xfv_to_byte makes 0 of what is no byte");
    OK(xfv_to_byte(254.9) == 254 && xfv_to_byte(1e300) == 255, "xfv_to_byte drops a fraction, and stays within 255");
    OK(xfv_nearest_byte(-3) == 0 && xfv_nearest_byte(NAN) == 0, "xfv_nearest_byte makes 0 of what is no byte");
    OK(xfv_nearest_byte(INFINITY) == 255, "xfv_nearest_byte stays within 255");
    OK(xfv_nearest_byte(2.49999) == 2 && xfv_nearest_byte(2.5) == 3 && xfv_nearest_byte(254.5) == 255,
       "xfv_nearest_byte rounds halves up");
    OK(xfv_float_to_byte(-1) == 0 && xfv_float_to_byte(NAN) == 0, "no byte of a float");
    OK(xfv_float_to_byte(254.5f) == 254 && xfv_float_to_byte(INFINITY) == 255, "a byte of a float");
}

int main(void)
{
    ints();
    sizes();
    bytes();
    return tap_done();
}
