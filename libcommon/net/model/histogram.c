#include "net/model/histogram.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "base/toint.h"
#include "stream/record.h"
#include "stream/put.h"

static const char *const kinds[] = {"impostor", "genuine"};

struct xfv_histogram xfv_histogram_new(double low, double high, const char *data)
{
    struct xfv_histogram h = {.bins = XFV_HISTOGRAM_BINS, .low = low, .high = high};
    snprintf(h.data, sizeof h.data, "%s", data);
    return h;
}

void xfv_histogram_add(struct xfv_histogram *h, double score, int genuine)
{
    double at = floor((score - h->low) / (h->high - h->low) * h->bins);
    int i = xfv_to_int(at, 0, h->bins - 1);
    if (h->count[genuine != 0][i] < INT_MAX) h->count[genuine != 0][i]++;
}

long xfv_histogram_total(const struct xfv_histogram *h, int genuine)
{
    long sum = 0;
    for (int i = 0; i < h->bins; i++) sum += h->count[genuine != 0][i];
    return sum;
}

int xfv_histogram_put(const struct xfv_histogram *h, msgpack_zone *z, msgpack_object *map, struct xfv_err *e)
{
    msgpack_object o = xfv_val_map(z);
    struct xfv_put put = xfv_put_into(z, &o, e);
    xfv_put_text(&put, "data", h->data);
    xfv_put_f64(&put, "low", h->low);
    xfv_put_f64(&put, "high", h->high);
    for (int k = 0; k < 2; k++) xfv_put_ints(&put, kinds[k], h->count[k], (size_t)h->bins);
    return put.status ? put.status : xfv_map_put(z, map, "calibration", o, e);
}

int xfv_histogram_get(const msgpack_object *map, struct xfv_histogram *h, struct xfv_err *e)
{
    const msgpack_object *o = xfv_map_get(map, "calibration");
    int status;
    *h = (struct xfv_histogram){0};
    if (!o) return 0;
    if ((status = xfv_get_text(o, "data", h->data, sizeof h->data, e)) ||
        (status = xfv_get_f64(o, "low", &h->low, e)) || (status = xfv_get_f64(o, "high", &h->high, e)))
        return xfv_fail_at(e, "key 'calibration'");
    if (!isfinite(h->low) || !isfinite(h->high) || !(h->low < h->high))
        return xfv_fail(e, XFV_EFORMAT, "key 'calibration': a range from %g to %g", h->low, h->high);
    for (int k = 0; k < 2; k++) {
        const msgpack_object *list = xfv_map_get(o, kinds[k]);
        if (!list || list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size < 1 ||
            list->via.array.size > XFV_HISTOGRAM_BINS || (k && (int)list->via.array.size != h->bins))
            return xfv_fail(e, XFV_EFORMAT,
                            "key 'calibration': '%s' should be a list of 1 to %d counts, the same for both kinds",
                            kinds[k], XFV_HISTOGRAM_BINS);
        h->bins = (int)list->via.array.size;
        for (int i = 0; i < h->bins; i++) {
            const msgpack_object *v = &list->via.array.ptr[i];
            if (v->type != MSGPACK_OBJECT_POSITIVE_INTEGER || v->via.u64 > INT_MAX)
                return xfv_fail(e, XFV_EFORMAT, "key 'calibration': '%s' holds something else than counts", kinds[k]);
            h->count[k][i] = (int)v->via.u64;
        }
    }
    return 0;
}
