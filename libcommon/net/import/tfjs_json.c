/* TensorFlow.js models: reading values out of JSON. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/toint.h"
#include "net/import/tfjs_internal.h"

const char *xfv_tfjs_text(const json_t *o, const char *key) { return json_string_value(json_object_get(o, key)); }

int xfv_tfjs_whole(const json_t *x, int64_t *v)
{
    const char *s = json_string_value(x);
    char *end;
    double d = json_is_real(x) ? json_real_value(x) : 0.5;
    if (json_is_integer(x)) *v = json_integer_value(x);
    else if (fabs(d) < 1e15 && floor(d) >= d) *v = xfv_to_i64(d);
    else if (!s) return 0;
    else {
        errno = 0;
        *v = strtoll(s, &end, 10);
        return end != s && !*end && !errno;
    }
    return 1;
}

double xfv_tfjs_real(const json_t *o, const char *key, double otherwise)
{
    const json_t *x = json_object_get(o, key);
    return json_is_number(x) ? json_number_value(x) : otherwise;
}

int xfv_tfjs_flag(const json_t *o, const char *key, int otherwise)
{
    const json_t *x = json_object_get(o, key);
    return json_is_boolean(x) ? json_is_true(x) : otherwise;
}

int xfv_tfjs_list(const json_t *x, int64_t *v, int cap)
{
    if (!json_is_array(x)) return cap > 0 && xfv_tfjs_whole(x, v) ? 1 : -1;
    size_t n = json_array_size(x);
    if (n > (size_t)cap) return -1;
    for (size_t i = 0; i < n; i++)
        if (!xfv_tfjs_whole(json_array_get(x, i), &v[i])) return -1;
    return (int)n;
}
